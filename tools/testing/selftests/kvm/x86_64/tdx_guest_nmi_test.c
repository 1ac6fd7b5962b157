// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs of a TD: KVM can make one pending, the TDX module delivers it.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

#define VECTOR		0x61

static int nr_nmis;
static bool in_nmi;

static void guest_nmi(struct ex_regs *regs)
{
	GUEST_ASSERT(!READ_ONCE(in_nmi));
	WRITE_ONCE(in_nmi, true);
	WRITE_ONCE(nr_nmis, nr_nmis + 1);
	/* Long enough for the next one, which has to wait for IRET. */
	tdx_delay(200);
	WRITE_ONCE(in_nmi, false);
}

static void guest_counts(uint64_t arg)
{
	int before;

	GUEST_SYNC(1);
	tdx_delay(100);
	GUEST_ASSERT_EQ(READ_ONCE(nr_nmis), 1);
	GUEST_SYNC(2);
	tdx_delay(2000);
	/* Two at once: the second may have found the first pending. */
	before = READ_ONCE(nr_nmis);
	GUEST_ASSERT(before == 2 || before == 3);
	GUEST_SYNC(3);
	tdx_delay(2000);
	GUEST_ASSERT_EQ(READ_ONCE(nr_nmis), before);
}

static void guest_spins(uint64_t arg)
{
	tdx_irq_disable();
	GUEST_SYNC(1);
	while (!READ_ONCE(nr_nmis))
		cpu_relax();
}

static void guest_sleeps(uint64_t arg)
{
	GUEST_SYNC(1);
	while (!READ_ONCE(nr_nmis))
		tdvmcall_hlt(false);
}

/* HLT that says that interrupts are off: an NMI is all that ends it. */
static void guest_sleeps_deeply(uint64_t arg)
{
	tdx_apic_enable();
	GUEST_SYNC(1);
	tdvmcall_hlt(true);
	GUEST_ASSERT_EQ(READ_ONCE(nr_nmis), 1);
	GUEST_ASSERT_EQ(tdx_irq_count(VECTOR), 0);
	/* The interrupt that did not end it is not lost. */
	tdx_irq_enable();
	tdx_delay(100);
	GUEST_ASSERT_EQ(tdx_irq_count(VECTOR), 1);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, 0);
	vm_install_exception_handler(vm, VECTOR, tdx_irq_handler);
	vm_install_exception_handler(vm, NMI_VECTOR, guest_nmi);
	tdx_guest_launch(vm);
	return vm;
}

/*
 * KVM_NMI waits for KVM_RUN to return, so what comes while the guest runs or sleeps
 * is a message, as from a watchdog.
 */
static void *late_nmi(void *vm)
{
	usleep(100000);
	tdx_guest_msi(vm, 0, APIC_DM_NMI);
	return NULL;
}

static void *late_interrupt_and_nmi(void *vm)
{
	usleep(100000);
	tdx_guest_msi(vm, 0, VECTOR);
	return late_nmi(vm);
}

static void run_with(void *(*events)(void *vm), struct kvm_vcpu *vcpu)
{
	pthread_t thread = tdx_start_thread(events, vcpu->vm);

	tdx_guest_run_to_done(vcpu);
	pthread_join(thread, NULL);
}

/* Each is delivered once, and none without having been sent. */
TEST(before_it_runs)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_counts);

	tdx_guest_run_to_sync(vcpu, 1);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_guest_run_to_sync(vcpu, 2);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_guest_run_to_sync(vcpu, 3);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* With interrupts off, which is no matter to an NMI. */
TEST(while_it_runs)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_spins);

	tdx_guest_run_to_sync(vcpu, 1);
	run_with(late_nmi, vcpu);
	kvm_vm_free(vm);
}

TEST(while_it_sleeps)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_sleeps);

	tdx_guest_run_to_sync(vcpu, 1);
	run_with(late_nmi, vcpu);
	kvm_vm_free(vm);
}

TEST(while_it_sleeps_with_interrupts_off)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_sleeps_deeply);

	tdx_guest_run_to_sync(vcpu, 1);
	run_with(late_interrupt_and_nmi, vcpu);
	kvm_vm_free(vm);
}

static void guest_sends(uint64_t arg)
{
	GUEST_SYNC(1);
	tdx_apic_ipi(0, APIC_INT_ASSERT | APIC_DM_NMI);
}

static void guest_receives(uint64_t arg)
{
	GUEST_SYNC(1);
	while (!READ_ONCE(nr_nmis))
		cpu_relax();
}

TEST(from_the_other_vcpu)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm;

	if (tdx_guest_max_vcpus() < 2)
		SKIP(return, "A TD can't have two vCPUs here");
	vm = tdx_guest_create();
	vcpu[0] = tdx_guest_vcpu_add(vm, 0, guest_receives, 0);
	vcpu[1] = tdx_guest_vcpu_add(vm, 1, guest_sends, 0);
	vm_install_exception_handler(vm, NMI_VECTOR, guest_nmi);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu[0], 1);
	tdx_guest_run_to_sync(vcpu[1], 1);
	tdx_guest_run_all_to_done(vcpu, 2);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
