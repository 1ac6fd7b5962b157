// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a TD learns about itself from the TDX module: VP.INFO and the metadata
 * of TD, vCPU and module; and how malformed TDCALLs are answered.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define MRCONFIG_BYTE	0x5a

/* Set by the host before the launch. */
static struct {
	uint64_t width, attributes, xfam, max_vcpus, nr_vcpus;
	uint64_t mrconfigid;
} want;

static uint64_t vp_info(struct tdcall_regs *regs)
{
	memset(regs, 0xff, sizeof(*regs));
	return tdcall(TDG_VP_INFO, regs);
}

static void guest_vp_info(uint64_t index)
{
	struct tdcall_regs regs;

	GUEST_ASSERT_EQ(vp_info(&regs), 0);
	GUEST_ASSERT_EQ(regs.rcx & 0x3f, want.width);
	GUEST_ASSERT_EQ(regs.rdx, want.attributes);
	GUEST_ASSERT_EQ((uint32_t)regs.r8, want.nr_vcpus);
	GUEST_ASSERT_EQ(regs.r8 >> 32, want.max_vcpus);
	GUEST_ASSERT_EQ((uint32_t)regs.r9, index);
	/* TDG.SYS.RD is there. */
	GUEST_ASSERT(regs.r10 & BIT(0));

	/* What is no output stays as it was. */
	GUEST_ASSERT_EQ(regs.rbx, -1ull);
	GUEST_ASSERT_EQ(regs.rsi, -1ull);
	GUEST_ASSERT_EQ(regs.rdi, -1ull);
	GUEST_ASSERT_EQ(regs.r12, -1ull);
	GUEST_ASSERT_EQ(regs.r15, -1ull);
}

static uint64_t rd(uint64_t leaf, uint64_t field)
{
	struct tdcall_regs regs = { .rdx = field };
	uint64_t ret = tdcall(leaf, &regs);

	__GUEST_ASSERT(!ret, "Leaf %lu, field %#lx: %#lx", leaf, field, ret);
	return regs.r8;
}

static void guest_fields(uint64_t arg)
{
	int i;

	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_ATTRIBUTES), want.attributes);
	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_XFAM), want.xfam);
	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_MAX_VCPUS), want.max_vcpus);
	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_NUM_VCPUS), want.nr_vcpus);
	for (i = 0; i < 6; i++)
		GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_MRCONFIGID + i),
				want.mrconfigid);

	/* PENDING_VE_DISABLE starts as the attribute says. */
	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_CTLS) & BIT(0),
			!!(want.attributes & TDX_ATTR_SEPT_VE_DISABLE));
	GUEST_ASSERT_EQ((uint32_t)rd(TDG_SYS_RD, TDX_FIELD_SYS_VENDOR_ID),
			TDX_VENDOR_INTEL);
}

static uint64_t wr(uint64_t field, uint64_t val, uint64_t mask, uint64_t *old)
{
	struct tdcall_regs regs = { .rdx = field, .r8 = val, .r9 = mask };
	uint64_t ret = tdcall(TDG_VM_WR, &regs);

	*old = regs.r8;
	return ret;
}

static void guest_writes(uint64_t arg)
{
	uint64_t old;

	GUEST_ASSERT_EQ(wr(TDX_FIELD_TD_NOTIFY_ENABLES, 1, 1, &old), 0);
	GUEST_ASSERT_EQ(old, 0);
	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_NOTIFY_ENABLES), 1);
	GUEST_ASSERT_EQ(wr(TDX_FIELD_TD_NOTIFY_ENABLES, 0, 1, &old), 0);
	GUEST_ASSERT_EQ(old, 1);

	GUEST_ASSERT_EQ(TDCALL_STATUS(wr(TDX_FIELD_TD_ATTRIBUTES, 0, -1ull, &old)),
			TDCALL_FIELD_NOT_WRITABLE);
	GUEST_ASSERT_EQ(TDCALL_STATUS(wr(TDX_FIELD_TD_MRTD, 0, -1ull, &old)),
			TDCALL_FIELD_NOT_WRITABLE);
	GUEST_ASSERT_EQ(rd(TDG_VM_RD, TDX_FIELD_TD_ATTRIBUTES), want.attributes);
}

static uint64_t call(uint64_t rax, uint64_t rcx, uint64_t rdx)
{
	struct tdcall_regs regs = { .rcx = rcx, .rdx = rdx };

	return tdcall(rax, &regs);
}

/* Host-side leaves are not offered to a guest, nor are reserved bits ignored. */
static const uint64_t bad_rax[] = {
	13, 17, 19, 21, 28, 100, 0xffff,
	TDG_VP_INFO | BIT_ULL(16), TDG_VP_INFO | BIT_ULL(24),
	TDG_VP_INFO | BIT_ULL(62), TDG_MEM_PAGE_ACCEPT | BIT_ULL(32),
};

static void guest_refusals(uint64_t arg)
{
	uint64_t bad_id = 0x1100000000ffffffull, ret, i;

	for (i = 0; i < ARRAY_SIZE(bad_rax); i++) {
		ret = call(bad_rax[i], 0, 0);
		__GUEST_ASSERT(ret == TDCALL_ERROR(TDCALL_OPERAND_INVALID,
						   TDCALL_ID_RAX),
			       "RAX %#lx: %#lx", bad_rax[i], ret);
	}
	GUEST_ASSERT_EQ(call(TDG_VM_RD, 1, TDX_FIELD_TD_ATTRIBUTES),
			TDCALL_ERROR(TDCALL_OPERAND_INVALID, TDCALL_ID_RCX));
	GUEST_ASSERT_EQ(call(TDG_VP_RD, 1, TDX_FIELD_TD_ATTRIBUTES),
			TDCALL_ERROR(TDCALL_OPERAND_INVALID, TDCALL_ID_RCX));
	GUEST_ASSERT_EQ(TDCALL_STATUS(call(TDG_VM_RD, 0, bad_id)),
			TDCALL_FIELD_ID_INCORRECT);
	GUEST_ASSERT_EQ(TDCALL_STATUS(call(TDG_SYS_RD, 0, bad_id)),
			TDCALL_FIELD_ID_INCORRECT);
	/* The key ID is none of a guest's business. */
	GUEST_ASSERT_NE(call(TDG_VM_RD, 0, 0x8100000000000001ull), 0);
}

static void adjust(struct kvm_tdx_init_vm *args)
{
	memset(args->mrconfigid, MRCONFIG_BYTE, sizeof(args->mrconfigid));
	memset(&want.mrconfigid, MRCONFIG_BYTE, sizeof(want.mrconfigid));
	want.attributes = args->attributes;
	want.xfam = args->xfam;
}

static void adjust_no_attributes(struct kvm_tdx_init_vm *args)
{
	tdx_guest_no_attributes(args);
	adjust(args);
}

static struct kvm_vm *create(int nr_vcpus, struct kvm_vcpu **vcpu,
			     void (*code)(uint64_t),
			     void (*how)(struct kvm_tdx_init_vm *))
{
	struct kvm_vm *vm = tdx_guest_create_with(how);
	int i;

	for (i = 0; i < nr_vcpus; i++)
		vcpu[i] = tdx_guest_vcpu_add(vm, i, code, i);
	want.width = tdx_gpa_width();
	want.nr_vcpus = nr_vcpus;
	want.max_vcpus = vm_check_cap(vm, KVM_CAP_MAX_VCPUS);
	sync_global_to_guest(vm, want);
	tdx_guest_launch(vm);
	return vm;
}

static void run_to_done(void (*code)(uint64_t), void (*how)(struct kvm_tdx_init_vm *))
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(1, &vcpu, code, how);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(vp_info_of_each_vcpu)
{
	int nr = min(tdx_guest_max_vcpus(), 2), i;
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm = create(nr, vcpu, guest_vp_info, adjust);

	for (i = 0; i < nr; i++)
		tdx_guest_run_to_done(vcpu[i]);
	kvm_vm_free(vm);
}

TEST(vp_info_without_attributes)
{
	run_to_done(guest_vp_info, adjust_no_attributes);
}

TEST(fields)
{
	run_to_done(guest_fields, adjust);
	run_to_done(guest_fields, adjust_no_attributes);
}

TEST(writes)
{
	run_to_done(guest_writes, adjust);
}

TEST(refusals)
{
	run_to_done(guest_refusals, adjust);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
