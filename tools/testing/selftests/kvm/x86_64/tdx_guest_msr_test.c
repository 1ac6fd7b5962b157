// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR of a TD: which KVM emulates, which the TDX module keeps to
 * itself, and the MSR filter: allowed, denied, and left to userspace.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

#define MSR_MTRR_DEF		0x2ff
#define MTRR_DEF_VALUE		0xc06ull
#define MSR_NONE		0x12345678
#define UCODE_REV		BIT_ULL(32)
#define USER_VALUE		0xabcdef0123456789ull

#define X2APIC_MSR(reg)		(APIC_BASE_MSR + ((reg) >> 4))

static void guest_emulated(uint64_t id)
{
	uint64_t val;

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_UCODE_REV, &val), 0);
	GUEST_ASSERT_EQ(val, UCODE_REV);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_MTRR_DEF, MTRR_DEF_VALUE), 0);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_MTRR_DEF, &val), 0);
	GUEST_ASSERT_EQ(val, MTRR_DEF_VALUE);

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(X2APIC_MSR(APIC_ID), &val), 0);
	GUEST_ASSERT_EQ(val, id);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(X2APIC_MSR(APIC_TDCR), 0xb), 0);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(X2APIC_MSR(APIC_TDCR), &val), 0);
	GUEST_ASSERT_EQ(val, 0xb);

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_APICBASE, &val), 0);
	GUEST_ASSERT_EQ(val & (MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE),
			MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE);
}

/* Not there, not writable, not a legal value, or the CPU's own. */
static void guest_refused(uint64_t arg)
{
	static const uint32_t bad_reads[] = {
		MSR_NONE, MSR_IA32_TSC, MSR_STAR, X2APIC_MSR(APIC_TASKPRI),
		X2APIC_MSR(APIC_EOI), X2APIC_MSR(APIC_IRR),
	};
	static const struct {
		uint32_t msr;
		uint64_t val;
	} bad_writes[] = {
		{ MSR_NONE, 0 }, { MSR_STAR, 0 }, { MSR_EFER, 0 },
		{ MSR_IA32_APICBASE, 0 }, { MSR_IA32_TSC, 0 },
		{ X2APIC_MSR(APIC_TASKPRI), 0 }, { X2APIC_MSR(APIC_LVR), 0 },
		{ MSR_MTRR_DEF, -1ull },
	};
	uint64_t val, ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad_reads); i++) {
		ret = tdvmcall_rdmsr(bad_reads[i], &val);
		__GUEST_ASSERT(ret == TDVMCALL_INVALID_OPERAND, "RDMSR %#x: %#lx",
			       bad_reads[i], ret);
	}
	for (i = 0; i < ARRAY_SIZE(bad_writes); i++) {
		ret = tdvmcall_wrmsr(bad_writes[i].msr, bad_writes[i].val);
		__GUEST_ASSERT(ret == TDVMCALL_INVALID_OPERAND, "WRMSR %#x: %#lx",
			       bad_writes[i].msr, ret);
	}
}

/* By instruction: native, #GP by the module, or #VE and then KVM. */
static void guest_instruction(uint64_t arg)
{
	uint64_t val;

	wrmsr(MSR_KERNEL_GS_BASE, USER_VALUE & GENMASK_ULL(46, 0));
	GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), USER_VALUE & GENMASK_ULL(46, 0));
	GUEST_ASSERT_EQ(rdmsr_safe(0x8c, &val), GP_VECTOR);
	GUEST_ASSERT_EQ(rdmsr_safe(0x840, &val), GP_VECTOR);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 0);

	GUEST_ASSERT_EQ(rdmsr(MSR_IA32_UCODE_REV), UCODE_REV);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 1);
	GUEST_ASSERT_EQ(tdx_ve_log.last.exit_reason, TDX_VE_RDMSR);
	GUEST_ASSERT_EQ(tdx_ve_log.last.insn_len, 2);
	wrmsr(MSR_MTRR_DEF, MTRR_DEF_VALUE);
	GUEST_ASSERT_EQ(tdx_ve_log.last.exit_reason, TDX_VE_WRMSR);
	GUEST_ASSERT_EQ(rdmsr(MSR_MTRR_DEF), MTRR_DEF_VALUE);

	/* What the VMM refuses is as bad as what the CPU does. */
	GUEST_ASSERT_EQ(rdmsr_safe(MSR_NONE, &val), GP_VECTOR);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_NONE, 0), GP_VECTOR);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 5);
}

/* @arg: answers of the read and of the write of MTRRdefType. */
static void guest_filtered(uint64_t arg)
{
	uint64_t denied = arg ? TDVMCALL_INVALID_OPERAND : 0, val;

	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_MTRR_DEF, MTRR_DEF_VALUE), denied);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_MTRR_DEF, &val), denied);
	if (!denied)
		GUEST_ASSERT_EQ(val, MTRR_DEF_VALUE);
	/* Its neighbour is not in the filter. */
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_UCODE_REV, &val), 0);
}

static void guest_userspace(uint64_t arg)
{
	uint64_t val;

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_MTRR_DEF, &val), 0);
	GUEST_ASSERT_EQ(val, USER_VALUE);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_MTRR_DEF, &val),
			TDVMCALL_INVALID_OPERAND);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_MTRR_DEF, USER_VALUE), 0);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_MTRR_DEF, USER_VALUE),
			TDVMCALL_INVALID_OPERAND);
}

/* One MSR, read and written; a bit that is set allows it. */
static void set_filter(struct kvm_vm *vm, bool allow)
{
	uint8_t bitmap = allow;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = 1,
			.base = MSR_MTRR_DEF,
			.bitmap = &bitmap,
		},
	};

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static void run_to_done(void (*code)(uint64_t), uint64_t arg)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, code, arg);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(emulated)
{
	struct kvm_vm *vm = tdx_guest_create();
	/* A boot vCPU that is not the first, so that its id is not zero. */
	struct kvm_vcpu *vcpu = tdx_guest_vcpu_add(vm, 1, guest_emulated, 1);

	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(refused)
{
	run_to_done(guest_refused, 0);
}

TEST(by_instruction)
{
	run_to_done(guest_instruction, 0);
}

TEST(filter_allows)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_filtered, false);

	set_filter(vm, true);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(filter_denies)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_filtered, true);

	set_filter(vm, false);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(filter_asks_userspace)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_userspace, 0);
	struct kvm_run *run = vcpu->run;
	int i;

	set_filter(vm, false);
	vm_enable_cap(vm, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER);
	for (i = 0; i < 2; i++) {
		tdx_guest_run_to_exit(vcpu, KVM_EXIT_X86_RDMSR);
		EXPECT_EQ(KVM_MSR_EXIT_REASON_FILTER, run->msr.reason);
		EXPECT_EQ(MSR_MTRR_DEF, run->msr.index);
		run->msr.data = USER_VALUE;
		run->msr.error = i;
	}
	for (i = 0; i < 2; i++) {
		tdx_guest_run_to_exit(vcpu, KVM_EXIT_X86_WRMSR);
		EXPECT_EQ(KVM_MSR_EXIT_REASON_FILTER, run->msr.reason);
		EXPECT_EQ(MSR_MTRR_DEF, run->msr.index);
		EXPECT_EQ(USER_VALUE, run->msr.data);
		run->msr.error = i;
	}
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
