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
#define CLOCK_USEC	20000
#define TSC_UNIT_KHZ	25000ull
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

static void guest_clock(uint64_t unit_khz)
{
	uint32_t eax, ebx, ecx, edx;

	cpuid(0x15, &eax, &ebx, &ecx, &edx);
	GUEST_ASSERT_EQ(eax, 1);
	GUEST_ASSERT_EQ(ebx * unit_khz, guest_tsc_khz);
	GUEST_ASSERT_EQ(ecx, unit_khz * 1000);
	for (;;)
		GUEST_SYNC(rdtsc());
}

static struct kvm_vm *create_with_tsc(struct kvm_vcpu **vcpu, void (*code)(uint64_t),
				      uint64_t arg, uint64_t khz)
{
	struct kvm_vm *vm = khz ? tdx_guest_create_with_tsc(khz) : tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, arg);
	vm_install_exception_handler(vm, VECTOR, tdx_irq_handler);
	vm_install_exception_handler(vm, HIGH_VECTOR, tdx_irq_handler);
	tdx_guest_launch(vm);
	return vm;
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	return create_with_tsc(vcpu, code, 0, 0);
}

static uint64_t get_host_khz(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	uint64_t khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);

	kvm_vm_free(vm);
	return khz;
}

/* About twice the host's, in the module's units. */
static uint64_t get_other_khz(uint64_t host_khz)
{
	return (2 * host_khz + TSC_UNIT_KHZ / 2) / TSC_UNIT_KHZ * TSC_UNIT_KHZ;
}

/* The host's TSC before and after something that the guest's tells the time of. */
struct span {
	uint64_t from, to;
};

static uint64_t read_guest_clock(struct kvm_vcpu *vcpu, struct span *host)
{
	struct ucall uc;

	host->from = rdtsc();
	TEST_ASSERT_EQ(tdx_guest_run(vcpu, &uc), UCALL_SYNC);
	host->to = rdtsc();
	return uc.args[1];
}

/* KVM measures the host's frequency, and rounds what the module multiplies by. */
#define WITHIN(ticks, host_min, host_max, khz, host_khz)			\
do {										\
	EXPECT_GE(ticks, (host_min) * (khz) / (host_khz) * 99 / 100);		\
	EXPECT_LE(ticks, (host_max) * (khz) / (host_khz) * 101 / 100);		\
} while (0)

/* It counts from INIT_VM on, at a rate of its own. */
TEST(clock_of_another_frequency)
{
	uint64_t host_khz = get_host_khz(), khz = get_other_khz(host_khz);
	struct span init, first, second;
	uint64_t start, end;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	init.from = rdtsc();
	vm = create_with_tsc(&vcpu, guest_clock, TSC_UNIT_KHZ, khz);
	init.to = rdtsc();
	EXPECT_EQ(khz, __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL));

	start = read_guest_clock(vcpu, &first);
	usleep(CLOCK_USEC);
	end = read_guest_clock(vcpu, &second);
	ksft_print_msg("%lu kHz: %lu to %lu, host %lu kHz: %lu to %lu\n", khz, start, end,
		       host_khz, first.from - init.from, second.to - init.from);
	WITHIN(start, first.from - init.to, first.to - init.from, khz, host_khz);
	WITHIN(end - start, second.from - first.to, second.to - first.from, khz, host_khz);
	kvm_vm_free(vm);
}

/* Deadlines of the guest's clock, too. */
TEST(timers_at_another_frequency)
{
	uint64_t khz = get_other_khz(get_host_khz());
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = create_with_tsc(&vcpu, guest_timer, 0, khz);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);

	vm = create_with_tsc(&vcpu, guest_deadline, 0, khz);
	if (tdx_guest_run(vcpu, &uc) == UCALL_SYNC)
		tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
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
