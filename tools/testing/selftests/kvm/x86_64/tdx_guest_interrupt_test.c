// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a TD, which KVM can only post, and HLT, out of which they have
 * to wake it: from the host, to itself, from the other vCPU.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

#define LOW_VECTOR	0x41
#define VECTOR		0x61
#define HIGH_VECTOR	0x81

#define APIC_SELF_IPI	0x3f0

/* In the guest: the vectors in the order in which they came. */
static int order[8], nr_all;

static void guest_irq(struct ex_regs *regs)
{
	if (nr_all < ARRAY_SIZE(order))
		WRITE_ONCE(order[nr_all], regs->vector);
	WRITE_ONCE(nr_all, nr_all + 1);
	tdx_irq_handler(regs);
}

static void guest_hlt(uint64_t arg)
{
	int i;

	tdx_apic_enable();
	for (i = 1; i <= 3; i++) {
		GUEST_SYNC(i);
		tdx_wait_for_irqs(VECTOR, i);
	}
	GUEST_ASSERT_EQ(READ_ONCE(nr_all), 3);
}

/* By the instruction, which is a #VE; interrupts are on. */
static void guest_hlt_instruction(uint64_t arg)
{
	tdx_apic_enable();
	tdx_irq_enable();
	GUEST_SYNC(1);
	while (!tdx_irq_count(VECTOR))
		asm volatile("hlt");
	GUEST_ASSERT_EQ(tdx_ve_log.last.exit_reason, TDX_VE_HLT);
}

static void guest_spins(uint64_t arg)
{
	tdx_apic_enable();
	tdx_irq_enable();
	GUEST_SYNC(1);
	while (!tdx_irq_count(VECTOR))
		cpu_relax();
}

/* What is pending waits for IF, then for the priority of the task. */
static void guest_blocks(uint64_t arg)
{
	tdx_apic_enable();
	x2apic_write_reg(APIC_TASKPRI, VECTOR & 0xf0);
	GUEST_SYNC(1);
	tdx_delay(100);
	GUEST_ASSERT_EQ(READ_ONCE(nr_all), 0);
	tdx_irq_enable();
	tdx_delay(100);
	GUEST_ASSERT_EQ(READ_ONCE(nr_all), 1);
	GUEST_ASSERT_EQ(READ_ONCE(order[0]), HIGH_VECTOR);
	x2apic_write_reg(APIC_TASKPRI, 0);
	tdx_delay(100);
	/* Sent once more while it was pending: one and the same. */
	GUEST_ASSERT_EQ(READ_ONCE(nr_all), 3);
	GUEST_ASSERT_EQ(READ_ONCE(order[1]), VECTOR);
	GUEST_ASSERT_EQ(READ_ONCE(order[2]), LOW_VECTOR);
}

static void guest_self_ipi(uint64_t arg)
{
	uint64_t before;

	tdx_apic_enable();
	before = tdx_ve_log.nr;
	tdx_irq_enable();
	x2apic_write_reg(APIC_SELF_IPI, VECTOR);
	tdx_delay(10);
	GUEST_ASSERT_EQ(tdx_irq_count(VECTOR), 1);
	/* The CPU's own doing. */
	GUEST_ASSERT_EQ(tdx_ve_log.nr, before);

	tdx_apic_ipi(0, APIC_DEST_SELF | APIC_INT_ASSERT | LOW_VECTOR);
	tdx_delay(100);
	GUEST_ASSERT_EQ(tdx_irq_count(LOW_VECTOR), 1);
	tdx_apic_ipi(0, APIC_INT_ASSERT | HIGH_VECTOR);
	tdx_delay(100);
	GUEST_ASSERT_EQ(tdx_irq_count(HIGH_VECTOR), 1);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, before + 2);

	/* And out of the sleep that follows. */
	tdx_irq_disable();
	x2apic_write_reg(APIC_SELF_IPI, VECTOR);
	tdx_wait_for_irqs(VECTOR, 2);
}

/* Two vCPUs wake each other in turns. */
#define NR_ROUNDS	50

static int nr_pings[2];

static void guest_ping(struct ex_regs *regs)
{
	__atomic_add_fetch(&nr_pings[x2apic_read_reg(APIC_ID)], 1, __ATOMIC_RELAXED);
	tdx_apic_eoi();
}

static bool ready[2];

static void guest_ping_pong(uint64_t me)
{
	int i;

	tdx_apic_enable();
	WRITE_ONCE(ready[me], true);
	while (!READ_ONCE(ready[!me]))
		cpu_relax();
	for (i = 1; i <= NR_ROUNDS; i++) {
		if (!me)
			tdx_apic_ipi(1, APIC_INT_ASSERT | VECTOR);
		for (;;) {
			tdx_irq_disable();
			if (READ_ONCE(nr_pings[me]) >= i)
				break;
			tdvmcall_hlt(false);
			tdx_irq_enable();
			cpu_relax();
		}
		if (me)
			tdx_apic_ipi(0, APIC_INT_ASSERT | VECTOR);
	}
	GUEST_ASSERT_EQ(nr_pings[me], NR_ROUNDS);
}

static struct kvm_vm *create(int nr, struct kvm_vcpu **vcpu, void (*code)(uint64_t),
			     void (*handler)(struct ex_regs *))
{
	struct kvm_vm *vm = tdx_guest_create();
	int i;

	for (i = 0; i < nr; i++)
		vcpu[i] = tdx_guest_vcpu_add(vm, i, code, i);
	vm_install_exception_handler(vm, LOW_VECTOR, handler);
	vm_install_exception_handler(vm, VECTOR, handler);
	vm_install_exception_handler(vm, HIGH_VECTOR, handler);
	tdx_guest_launch(vm);
	return vm;
}

/* So long that the vCPU sleeps by then, whatever that takes. */
static void *late_msi(void *vm)
{
	usleep(100000);
	tdx_guest_msi(vm, 0, VECTOR);
	return NULL;
}

static void run_with_late_msi(struct kvm_vm *vm, struct kvm_vcpu *vcpu,
			      void (*run)(struct kvm_vcpu *))
{
	pthread_t thread = tdx_start_thread(late_msi, vm);

	run(vcpu);
	pthread_join(thread, NULL);
}

static void run_to_sync_2(struct kvm_vcpu *vcpu)
{
	tdx_guest_run_to_sync(vcpu, 2);
}

TEST(hlt_is_woken)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(1, &vcpu, guest_hlt, guest_irq);

	tdx_guest_run_to_sync(vcpu, 1);
	run_with_late_msi(vm, vcpu, run_to_sync_2);
	/* Before HLT, so that it must not sleep at all. */
	tdx_guest_msi(vm, 0, VECTOR);
	tdx_guest_run_to_sync(vcpu, 3);
	run_with_late_msi(vm, vcpu, tdx_guest_run_to_done);
	kvm_vm_free(vm);
}

TEST(hlt_by_instruction)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(1, &vcpu, guest_hlt_instruction, guest_irq);

	tdx_guest_run_to_sync(vcpu, 1);
	run_with_late_msi(vm, vcpu, tdx_guest_run_to_done);
	kvm_vm_free(vm);
}

TEST(while_it_runs)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(1, &vcpu, guest_spins, guest_irq);

	tdx_guest_run_to_sync(vcpu, 1);
	run_with_late_msi(vm, vcpu, tdx_guest_run_to_done);
	kvm_vm_free(vm);
}

TEST(blocked_by_flag_and_priority)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(1, &vcpu, guest_blocks, guest_irq);

	tdx_guest_run_to_sync(vcpu, 1);
	tdx_guest_msi(vm, 0, LOW_VECTOR);
	tdx_guest_msi(vm, 0, VECTOR);
	tdx_guest_msi(vm, 0, HIGH_VECTOR);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(to_itself)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(1, &vcpu, guest_self_ipi, guest_irq);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(from_the_other_vcpu)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm;

	if (tdx_guest_max_vcpus() < 2)
		SKIP(return, "A TD can't have two vCPUs here");
	vm = create(2, vcpu, guest_ping_pong, guest_ping);
	tdx_guest_run_all_to_done(vcpu, 2);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
