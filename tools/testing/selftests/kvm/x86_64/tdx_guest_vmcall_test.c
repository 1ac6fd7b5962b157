// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDVMCALLs that need no scenario of their own: GetTdVmCallInfo, what is not
 * supported, KVM's hypercalls, and what the TDX module lets pass.
 */
#include <linux/kvm_para.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define MAP_GPA		0x40000000ull
#define INFO(n)		(0x1111111111111111ull * (n))

/* R11 to R14 are both argument and answer. */
static uint64_t get_info(uint64_t leaf, uint64_t out[4])
{
	struct tdcall_regs regs = {
		.rcx = TDVMCALL_ALL_REGS,
		.r11 = TDVMCALL_INFO,
		.r12 = leaf,
		.r13 = -1ull,
		.r14 = -1ull,
	};

	GUEST_ASSERT_EQ(tdcall(TDG_VP_VMCALL, &regs), 0);
	out[0] = regs.r11;
	out[1] = regs.r12;
	out[2] = regs.r13;
	out[3] = regs.r14;
	return regs.r10;
}

static void guest_info(uint64_t arg)
{
	uint64_t out[4];
	int i;

	GUEST_ASSERT_EQ(get_info(0, out), TDVMCALL_SUCCESS);
	for (i = 0; i < 4; i++)
		GUEST_ASSERT_EQ(out[i], 0);
	GUEST_SYNC(1);

	/* Userspace answers, then does not. */
	GUEST_ASSERT_EQ(get_info(1, out), TDVMCALL_SUCCESS);
	for (i = 0; i < 4; i++)
		GUEST_ASSERT_EQ(out[i], INFO(i + 1));
	GUEST_ASSERT_EQ(get_info(1, out), TDVMCALL_SUCCESS);
	for (i = 0; i < 4; i++)
		GUEST_ASSERT_EQ(out[i], 0);
	GUEST_ASSERT_EQ(get_info(1, out), TDVMCALL_INVALID_OPERAND);

	GUEST_ASSERT_EQ(get_info(2, out), TDVMCALL_INVALID_OPERAND);
	GUEST_ASSERT_EQ(get_info(-1ull, out), TDVMCALL_INVALID_OPERAND);
}

/* Exit reasons that are no TDVMCALL for KVM, and numbers that are none at all. */
static const uint64_t unsupported_leaves[] = {
	0, 1, 2, 9, 11, 13 /* INVD */, 14, 16, 18, 28, 29, 33, 36 /* MWAIT */,
	39 /* MONITOR */, 40 /* PAUSE */, 47, 49, 54 /* WBINVD */, 55, 65 /* PCONFIG */,
	77, 78, 0xffff, TDVMCALL_SERVICE, 0x10006, 0x10007, 0x1ffff, 0x20000,
	BIT_ULL(32) | TDVMCALL_HLT, BIT_ULL(32) | TDVMCALL_INFO, BIT_ULL(63), -1ull,
};

static void guest_unsupported(uint64_t arg)
{
	uint64_t ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(unsupported_leaves); i++) {
		ret = tdvmcall(unsupported_leaves[i], 1, 2, 3, 4, NULL);
		__GUEST_ASSERT(ret == TDVMCALL_SUBFUNC_UNSUPPORTED,
			       "TDVMCALL %#lx: %#lx", unsupported_leaves[i], ret);
	}
}

static uint64_t hypercall(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	struct tdcall_regs regs = {
		.rcx = TDVMCALL_ALL_REGS,
		.r10 = nr,
		.r11 = a,
		.r12 = b,
		.r13 = c,
	};

	GUEST_ASSERT_EQ(tdcall(TDG_VP_VMCALL, &regs), 0);
	return regs.r10;
}

static void guest_hypercall(uint64_t arg)
{
	const uint64_t attr = KVM_MAP_GPA_RANGE_DECRYPTED;

	GUEST_ASSERT_EQ(hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0), 0);
	GUEST_ASSERT_EQ(hypercall(0x7fff, 0, 0, 0), -KVM_ENOSYS);
	GUEST_ASSERT_EQ(hypercall(-1ull, 0, 0, 0), -KVM_ENOSYS);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(hypercall(KVM_HC_MAP_GPA_RANGE, MAP_GPA, 3, attr), 0);
	GUEST_ASSERT_EQ(hypercall(KVM_HC_MAP_GPA_RANGE, MAP_GPA, 3, attr), INFO(7));

	/* These don't get as far as userspace. */
	GUEST_ASSERT_EQ(hypercall(KVM_HC_MAP_GPA_RANGE, MAP_GPA + 1, 3, attr),
			-KVM_EINVAL);
	GUEST_ASSERT_EQ(hypercall(KVM_HC_MAP_GPA_RANGE, MAP_GPA, 0, attr),
			-KVM_EINVAL);
}

/* What the module itself refuses: RAX tells, and there is no exit. */
static void guest_bad_masks(uint64_t arg)
{
	static const uint64_t bad[] = {
		BIT_ULL(0), BIT_ULL(1), BIT_ULL(4), BIT_ULL(5), BIT_ULL(32), BIT_ULL(63)
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tdcall_regs regs = {
			.rcx = TDVMCALL_ALL_REGS | bad[i],
			.r11 = TDVMCALL_IO,
			.r12 = 1,
			.r13 = 1,
			.r14 = 0x80,
		};

		GUEST_ASSERT_EQ(tdcall(TDG_VP_VMCALL, &regs),
				TDCALL_ERROR(TDCALL_OPERAND_INVALID, TDCALL_ID_RCX));
	}
}

/* Registers that are no part of it come back as they were, as does the mask. */
static void guest_keeps_registers(uint64_t arg)
{
	struct tdcall_regs regs = {
		.rcx = BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(15),
		.r11 = TDVMCALL_IO, .r12 = 1, .r13 = 1, .r14 = 0x80,
		.rbx = INFO(1), .rdx = INFO(2), .rsi = INFO(3), .rdi = INFO(4),
		.r8 = INFO(5), .r9 = INFO(6),
	};
	uint64_t rcx = regs.rcx;

	GUEST_ASSERT_EQ(tdcall(TDG_VP_VMCALL, &regs), 0);
	GUEST_ASSERT_EQ(regs.rcx, rcx);
	GUEST_ASSERT_EQ(regs.r10, 0);
	GUEST_ASSERT_EQ(regs.rbx, INFO(1));
	GUEST_ASSERT_EQ(regs.rdx, INFO(2));
	GUEST_ASSERT_EQ(regs.rsi, INFO(3));
	GUEST_ASSERT_EQ(regs.rdi, INFO(4));
	GUEST_ASSERT_EQ(regs.r8, INFO(5));
	GUEST_ASSERT_EQ(regs.r9, INFO(6));
}

static void expect_info_exit(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, TDVMCALL_INFO);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.leaf, 1);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.ret, TDVMCALL_SUCCESS);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r11, 0);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r12, 0);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r13, 0);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r14, 0);
}

TEST(get_td_vm_call_info)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_info, 0);

	tdx_guest_run_to_sync(vcpu, 1);
	expect_info_exit(vcpu);
	vcpu->run->tdx.get_tdvmcall_info.r11 = INFO(1);
	vcpu->run->tdx.get_tdvmcall_info.r12 = INFO(2);
	vcpu->run->tdx.get_tdvmcall_info.r13 = INFO(3);
	vcpu->run->tdx.get_tdvmcall_info.r14 = INFO(4);
	expect_info_exit(vcpu);
	expect_info_exit(vcpu);
	vcpu->run->tdx.get_tdvmcall_info.ret = TDVMCALL_INVALID_OPERAND;
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* What KVM says it leaves to userspace is what it does. */
TEST(capabilities_tell_the_optional_ones)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct kvm_tdx_capabilities *caps = tdx_vm_capabilities(vm);

	EXPECT_EQ(0, caps->kernel_tdvmcallinfo_1_r11);
	EXPECT_EQ(BIT(1), caps->user_tdvmcallinfo_1_r11);
	EXPECT_EQ(0, caps->kernel_tdvmcallinfo_1_r12);
	EXPECT_EQ(0, caps->user_tdvmcallinfo_1_r12);
	free(caps);
	kvm_vm_free(vm);
}

static void run_to_done(void (*code)(uint64_t))
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, code, 0);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(unsupported_is_said_so)
{
	run_to_done(guest_unsupported);
}

TEST(mask_of_registers)
{
	run_to_done(guest_bad_masks);
}

TEST(registers_kept_back)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_keeps_registers, 0);

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_IO);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(kvm_hypercalls)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_hypercall, 0);
	struct kvm_run *run = vcpu->run;
	int i;

	tdx_guest_run_to_sync(vcpu, 1);
	for (i = 0; i < 2; i++) {
		tdx_guest_run_to_exit(vcpu, KVM_EXIT_HYPERCALL);
		EXPECT_EQ(KVM_HC_MAP_GPA_RANGE, run->hypercall.nr);
		EXPECT_EQ(MAP_GPA, run->hypercall.args[0]);
		EXPECT_EQ(3, run->hypercall.args[1]);
		EXPECT_EQ(KVM_MAP_GPA_RANGE_DECRYPTED, run->hypercall.args[2]);
		EXPECT_EQ(0, run->hypercall.ret);
		run->hypercall.ret = i ? INFO(7) : 0;
	}
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
