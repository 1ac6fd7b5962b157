// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer of a TD's local APIC, in x2APIC mode: KVM's, so that each access to it
 * is a #VE and a TDVMCALL, and the interrupt is posted.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

#define VECTOR		0x61
#define HIGH_VECTOR	0x81
#define TDCR_DIV_1	0xb
#define TDCR_DIV_16	0x3
#define TIMER_HZ	25000000
#define TIMER_USEC	5000
#define CPUID_TSC_DEADLINE	BIT(24)

static void check_elapsed(uint64_t start, uint64_t usec)
{
	uint64_t want = usec * guest_tsc_khz / 1000, took = rdtsc() - start;

	__GUEST_ASSERT(took >= want - want / 20, "Timer fired after %lu of %lu ticks",
		       took, want);
}

static void guest_timer(uint64_t arg)
{
	uint64_t start;

	tdx_apic_enable();
	x2apic_write_reg(APIC_TDCR, TDCR_DIV_1);
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | VECTOR);
	start = rdtsc();
	x2apic_write_reg(APIC_TMICT, (uint64_t)TIMER_HZ * TIMER_USEC / 1000000);
	tdx_wait_for_irqs(VECTOR, 1);
	check_elapsed(start, TIMER_USEC);
	GUEST_ASSERT_EQ(x2apic_read_reg(APIC_TMCCT), 0);

	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_PERIODIC | HIGH_VECTOR);
	start = rdtsc();
	x2apic_write_reg(APIC_TMICT, (uint64_t)TIMER_HZ * TIMER_USEC / 1000000);
	tdx_irq_enable();
	while (tdx_irq_count(HIGH_VECTOR) < 3)
		cpu_relax();
	check_elapsed(start, 3 * TIMER_USEC);
	tdx_irq_disable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_MASKED);

	/* A divisor that makes it slower. */
	x2apic_write_reg(APIC_TDCR, TDCR_DIV_16);
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | VECTOR);
	start = rdtsc();
	x2apic_write_reg(APIC_TMICT, (uint64_t)TIMER_HZ / 16 * TIMER_USEC / 1000000);
	tdx_wait_for_irqs(VECTOR, 2);
	check_elapsed(start, TIMER_USEC);
	x2apic_write_reg(APIC_LVTT, APIC_LVT_MASKED);

	/* Masked: there is none any more. */
	x2apic_write_reg(APIC_TMICT, 1000);
	tdx_irq_enable();
	tdx_delay(1000);
	GUEST_ASSERT_EQ(tdx_irq_count(VECTOR), 2);
}

static void guest_deadline(uint64_t arg)
{
	uint32_t eax, ebx, ecx, edx;
	uint64_t start = rdtsc();

	cpuid(1, &eax, &ebx, &ecx, &edx);
	if (!(ecx & CPUID_TSC_DEADLINE))
		return;
	tdx_apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | VECTOR);
	wrmsr(MSR_IA32_TSC_DEADLINE, start + TIMER_USEC * guest_tsc_khz / 1000);
	tdx_wait_for_irqs(VECTOR, 1);
	check_elapsed(start, TIMER_USEC);
	GUEST_ASSERT_EQ(rdmsr(MSR_IA32_TSC_DEADLINE), 0);
	GUEST_SYNC(1);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, 0);
	vm_install_exception_handler(vm, VECTOR, tdx_irq_handler);
	vm_install_exception_handler(vm, HIGH_VECTOR, tdx_irq_handler);
	tdx_guest_launch(vm);
	return vm;
}

TEST(counts_down)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_timer);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(timer_with_deadline)
{
	struct ucall uc;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_deadline);

	if (tdx_guest_run(vcpu, &uc) == UCALL_DONE) {
		kvm_vm_free(vm);
		SKIP(return, "The TD has no TSC deadline timer");
	}
	EXPECT_EQ(UCALL_SYNC, uc.cmd);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
