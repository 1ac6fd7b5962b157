// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life cycle of a TD that runs: the state in which its vCPUs start, running to
 * the end, the ways to die, and what KVM refuses before, while and after.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define ARG		0x1234567890abcdefull

/* CPUID.1:EAX without what tells types of processors apart. */
#define PLATFORM_MASK	0x0fff3fff

#define CR0_WANTED	(X86_CR0_PE | X86_CR0_NE | X86_CR0_PG)
#define CR4_VMXE	BIT(13)
#define EFER_WANTED	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)
#define INITIAL_PAT	0x0007040600070406ull

static uint64_t want_width;

static void guest_initial_state(uint64_t index)
{
	struct tdx_reset_regs *reset = tdx_guest_reset_regs();

	GUEST_ASSERT_EQ(reset->rbx, want_width);
	/* The boot code found its data by RCX, so that one is right. */
	GUEST_ASSERT_NE(reset->rcx, 0);
	GUEST_ASSERT_EQ(reset->r8, reset->rcx);
	GUEST_ASSERT_EQ(reset->rsi, index);
	GUEST_ASSERT(reset->rdx && !(reset->rdx & ~PLATFORM_MASK));

	GUEST_ASSERT_EQ(get_cr0() & CR0_WANTED, CR0_WANTED);
	GUEST_ASSERT_EQ(get_cr4() & CR4_VMXE, 0);
	GUEST_ASSERT_EQ(rdmsr(MSR_EFER), EFER_WANTED);
	GUEST_ASSERT_EQ(rdmsr(MSR_IA32_CR_PAT), INITIAL_PAT);
}

static void guest_says_hello(uint64_t arg)
{
	GUEST_PRINTF("Hello from a TD, argument %#lx\n", arg);
	GUEST_ASSERT_EQ(arg, ARG);
	GUEST_SYNC(1);
	GUEST_SYNC2(0, 2);
}

/* An IDT with nothing in it makes a triple fault of any exception. */
static void guest_triple_fault(uint64_t arg)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed empty = {};

	GUEST_SYNC(1);
	asm volatile("lidt %0; ud2" :: "m" (empty));
}

static void guest_fails(uint64_t arg)
{
	GUEST_ASSERT_EQ(arg, ARG + 1);
}

static void guest_ud(uint64_t arg)
{
	asm volatile("ud2");
}

static void guest_idles(uint64_t arg)
{
	for (;;)
		tdvmcall_hlt(false);
}

TEST(runs_to_the_end)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_says_hello, ARG);

	tdx_guest_run_to_sync(vcpu, 1);
	tdx_guest_run_to_sync(vcpu, 2);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* The second vCPU starts at the same address, not by INIT and SIPI. */
TEST(initial_state)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm;
	int i;

	if (tdx_guest_max_vcpus() < 2)
		SKIP(return, "A TD can't have two vCPUs here");
	vm = tdx_guest_create();
	for (i = 0; i < 2; i++)
		vcpu[i] = tdx_guest_vcpu_add(vm, i, guest_initial_state, i);
	want_width = tdx_gpa_width();
	sync_global_to_guest(vm, want_width);
	tdx_guest_launch(vm);

	/* The order in which they run is not that in which they were made. */
	tdx_guest_run_to_done(vcpu[1]);
	tdx_guest_run_to_done(vcpu[0]);
	kvm_vm_free(vm);
}

TEST(runs_only_when_runnable)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu = tdx_guest_vcpu_add(vm, 0, guest_says_hello, ARG);

	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_run(vcpu)));
	tdx_guest_launch(vm);
	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tdx_ret(__vcpu_run(vcpu)));
	vcpu->run->immediate_exit = 0;
	tdx_guest_run_to_sync(vcpu, 1);
	/* Completing an exit is no run. */
	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tdx_ret(__vcpu_run(vcpu)));
	vcpu->run->immediate_exit = 0;
	tdx_guest_run_to_sync(vcpu, 2);
	kvm_vm_free(vm);
}

TEST(vcpu_without_init_vcpu_never_runs)
{
	struct kvm_vcpu *vcpu, *bare;
	struct kvm_vm *vm;

	if (tdx_guest_max_vcpus() < 2)
		SKIP(return, "A TD can't have two vCPUs here");
	vm = tdx_guest_create();
	/* The boot vCPU: another one would wait for INIT and SIPI before it is looked at. */
	bare = tdx_vcpu_add(vm, 0);
	vcpu = tdx_guest_vcpu_add(vm, 1, guest_says_hello, ARG);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_run(bare)));
	EXPECT_EQ(-EINVAL, __tdx_vcpu_init(bare, 0));
	tdx_guest_run_to_sync(vcpu, 2);
	kvm_vm_free(vm);
}

/* Registers stay out of reach, and CPUID is what it was, once it has run. */
TEST(state_after_the_first_run)
{
	struct kvm_mp_state mp = { .mp_state = -1 };
	struct kvm_cpuid_entry2 *leaf7;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_says_hello, ARG);

	tdx_guest_run_to_sync(vcpu, 1);
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_ioctl(vcpu, KVM_GET_REGS, &regs)));
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs)));
	EXPECT_EQ(0, tdx_ret(__vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &mp)));
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp.mp_state);

	EXPECT_EQ(0, tdx_ret(__vcpu_set_cpuid(vcpu)));
	leaf7 = vcpu_get_cpuid_entry(vcpu, 7);
	leaf7->ebx ^= BIT(0);
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_set_cpuid(vcpu)));
	tdx_guest_run_to_sync(vcpu, 2);
	kvm_vm_free(vm);
}

/* The vCPU is lost, the rest of the TD is not, and goes in good order. */
TEST(triple_fault)
{
	struct tdx_usage before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	tdx_usage(&before);
	vm = tdx_guest_launch_one(&vcpu, guest_triple_fault, 0);
	tdx_guest_run_to_sync(vcpu, 1);
	tdx_guest_run_to_exit(vcpu, KVM_EXIT_SHUTDOWN);

	/* What runs again then is not the guest. */
	for (i = 0; i < 2; i++) {
		if (!tdx_ret(__vcpu_run(vcpu)))
			EXPECT_NE(KVM_EXIT_IO, vcpu->run->exit_reason);
	}
	kvm_vm_free(vm);
	tdx_usage(&after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
}

/* That a test of this kind can fail at all. */
TEST(guest_reports_what_fails)
{
	struct ucall uc = {};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_fails, ARG);

	ASSERT_EQ(0, __vcpu_run(vcpu));
	EXPECT_EQ(UCALL_ABORT, get_ucall(vcpu, &uc));
	EXPECT_NE(NULL, strstr(uc.buffer, "0x1234567890abcdef"))
		TH_LOG("%s", uc.buffer);
	kvm_vm_free(vm);

	vm = tdx_guest_launch_one(&vcpu, guest_ud, 0);
	ASSERT_EQ(0, __vcpu_run(vcpu));
	EXPECT_EQ(UCALL_ABORT, get_ucall(vcpu, &uc));
	EXPECT_NE(NULL, strstr(uc.buffer, "Unhandled exception '0x6'"))
		TH_LOG("%s", uc.buffer);
	kvm_vm_free(vm);
}

static void on_alarm(int sig)
{
}

/* A signal gets a vCPU out of its sleep, and it sleeps on afterwards. */
TEST(signal_ends_a_run)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_idles, 0);
	int i;

	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < 2; i++) {
		ualarm(100000, 0);
		EXPECT_EQ(-EINTR, tdx_ret(__vcpu_run(vcpu)));
	}
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
