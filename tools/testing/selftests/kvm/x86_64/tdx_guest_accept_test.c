// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the guest has to accept: the outcomes of MEM.PAGE.ACCEPT, #VE and
 * VP.VEINFO.GET for what is pending, and the end of a TD that touches too early
 * and may not have a #VE.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	(2 * SZ_2M / PAGE_SIZE)

static void *page(int i)
{
	return (void *)TDX_GUEST_PRIVATE(GPA + i * PAGE_SIZE);
}

#define GUEST_EXPECT_STATUS(_want, _level, _status)				\
do {										\
	uint64_t __status = (_status);						\
										\
	__GUEST_ASSERT(__status == TDCALL_ERROR(_want, _level), "%#lx", __status);	\
} while (0)

static void guest_accepts(uint64_t arg)
{
	uint64_t before;

	/* Not there at all: exits until it is, then the instruction goes on. */
	GUEST_ASSERT_EQ(tdx_accept(GPA, TDX_PAGE_4K), 0);
	GUEST_ASSERT(tdx_is_zero(page(0)));
	tdx_fill(page(0), GPA, 1);
	GUEST_EXPECT_STATUS(TDCALL_PAGE_ALREADY_ACCEPTED, 0,
			    tdx_accept(GPA, TDX_PAGE_4K));
	GUEST_ASSERT(tdx_is_filled(page(0), GPA, 1));

	/* Pending, as the host was faster. */
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(tdx_accept(GPA + PAGE_SIZE, TDX_PAGE_4K), 0);
	GUEST_ASSERT(tdx_is_zero(page(1)));

	/* There are 4 KiB pages where 2 MiB are asked for. */
	GUEST_EXPECT_STATUS(TDCALL_PAGE_SIZE_MISMATCH, TDX_PAGE_2M,
			    tdx_accept(GPA, TDX_PAGE_2M));
	GUEST_EXPECT_STATUS(TDCALL_PAGE_SIZE_MISMATCH, TDX_PAGE_2M,
			    tdx_accept(GPA + SZ_2M, TDX_PAGE_2M));

	/* Initial memory needs none, and neither is it lost. */
	before = tdx_guest_shared_bit;
	GUEST_EXPECT_STATUS(TDCALL_PAGE_ALREADY_ACCEPTED, 0,
			    tdx_accept(arg, TDX_PAGE_4K));
	GUEST_ASSERT_EQ(tdx_guest_shared_bit, before);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 0);
}

static void guest_refusals(uint64_t arg)
{
	static const uint64_t bad[] = {
		GPA | 2, GPA | 3, GPA | 7, GPA | BIT(3), GPA | BIT(11),
		(GPA + PAGE_SIZE) | TDX_PAGE_2M, GPA | BIT_ULL(52), GPA | BIT_ULL(63),
		-1ull,
	};
	uint64_t want = TDCALL_ERROR(TDCALL_OPERAND_INVALID, TDCALL_ID_RCX), ret;
	struct tdx_ve_info ve;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = tdcall_rcx(TDG_MEM_PAGE_ACCEPT, bad[i]);
		__GUEST_ASSERT(ret == want, "ACCEPT %#lx: %#lx", bad[i], ret);
	}
	GUEST_ASSERT_EQ(tdcall_rcx(TDG_MEM_PAGE_ACCEPT, GPA | tdx_guest_shared_bit),
			want);

	memset(&ve, 0xff, sizeof(ve));
	GUEST_ASSERT_EQ(TDCALL_STATUS(tdx_get_ve_info(&ve)), TDCALL_NO_VALID_VE_INFO);
	GUEST_ASSERT(!ve.exit_reason && !ve.qualification && !ve.gla && !ve.gpa &&
		     !ve.insn_len && !ve.insn_info);
}

static void guest_touches(uint64_t arg)
{
	GUEST_SYNC(1);
	WRITE_ONCE(*(uint64_t *)page(0), 1);
	GUEST_SYNC(2);
}

/* With #VE for what is pending; the handler accepts. */
static void guest_ve_accepts(uint64_t arg)
{
	int i;

	tdx_ve_accepts = true;
	GUEST_SYNC(1);
	WRITE_ONCE(((uint64_t *)page(0))[5], 77);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 1);
	GUEST_ASSERT_EQ(tdx_ve_log.nr_accepted, 1);
	GUEST_ASSERT_EQ(tdx_ve_log.last.exit_reason, TDX_VE_EPT_VIOLATION);
	GUEST_ASSERT_EQ(tdx_ve_log.last.gpa & ~0xfffull, GPA);
	GUEST_ASSERT_EQ(tdx_ve_log.last.gla, (uint64_t)page(0) + 5 * 8);
	/* A write. */
	GUEST_ASSERT(tdx_ve_log.last.qualification & BIT(1));
	GUEST_ASSERT_EQ(((uint64_t *)page(0))[5], 77);
	GUEST_ASSERT_EQ(((uint64_t *)page(0))[4], 0);

	for (i = 1; i < 32; i++)
		GUEST_ASSERT(tdx_is_zero(page(i)));
	GUEST_ASSERT_EQ(tdx_ve_log.nr_accepted, 32);
}

/* Reads the information twice: the second time there is none. */
static void once_only(struct ex_regs *regs)
{
	struct tdx_ve_info ve;

	GUEST_ASSERT_EQ(tdx_get_ve_info(&ve), 0);
	GUEST_ASSERT_EQ(ve.gpa & ~0xfffull, GPA);
	GUEST_ASSERT_EQ(TDCALL_STATUS(tdx_get_ve_info(&ve)), TDCALL_NO_VALID_VE_INFO);
	GUEST_ASSERT_EQ(tdx_accept(GPA, TDX_PAGE_4K), 0);
}

/* Another #VE while the last one is unread is a double fault. */
static void causes_another(struct ex_regs *regs)
{
	WRITE_ONCE(*(uint64_t *)page(1), 1);
	GUEST_FAIL("A #VE within a #VE");
}

static bool seen_df;

static void double_fault(struct ex_regs *regs)
{
	seen_df = true;
	GUEST_SYNC(3);
	for (;;)
		cpu_relax();
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t),
			     uint64_t arg, void (*adjust)(struct kvm_tdx_init_vm *))
{
	struct kvm_vm *vm = tdx_guest_create_with(adjust);

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, arg);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	return vm;
}

TEST(outcomes)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = create(&vcpu, guest_accepts, TDX_BOOT_GPA, NULL);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	EXPECT_EQ(1, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	tdx_pre_fault(vcpu, GPA + PAGE_SIZE, PAGE_SIZE);
	tdx_guest_run_to_done(vcpu);
	/* One page for each attempt at 2 MiB that found none. */
	EXPECT_EQ(3, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	kvm_vm_free(vm);
}

TEST(refusals)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_refusals, 0, NULL);

	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	EXPECT_EQ(0, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	kvm_vm_free(vm);
}

TEST(ve_then_accept)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_ve_accepts, 0,
				   tdx_guest_no_attributes);

	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(ve_info_is_consumed)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_touches, 0, tdx_guest_no_attributes);

	vm_install_exception_handler(vm, TDX_VE_VECTOR, once_only);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	tdx_guest_run_to_sync(vcpu, 2);
	kvm_vm_free(vm);
}

TEST(ve_within_ve)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_touches, 0, tdx_guest_no_attributes);

	vm_install_exception_handler(vm, TDX_VE_VECTOR, causes_another);
	vm_install_exception_handler(vm, DF_VECTOR, double_fault);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	tdx_guest_run_to_sync(vcpu, 3);
	kvm_vm_free(vm);
}

/* SEPT_VE_DISABLE: nobody can help the guest, and KVM must not try for ever. */
static void expect_death(struct __test_metadata *_metadata, bool pre_fault)
{
	struct tdx_usage before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	tdx_usage(&before);
	vm = create(&vcpu, guest_touches, 0, NULL);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	if (pre_fault)
		tdx_pre_fault(vcpu, GPA, PAGE_SIZE);
	EXPECT_EQ(-EIO, tdx_ret(__vcpu_run(vcpu)));
	EXPECT_TRUE(tdx_vm_is_dead(vm));
	EXPECT_EQ(-EIO, tdx_ret(__vcpu_run(vcpu)));
	tdx_vm_free_dead(vm);
	tdx_usage(&after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
}

TEST(touched_before_accept)
{
	expect_death(_metadata, false);
}

TEST(touched_after_pre_fault_before_accept)
{
	expect_death(_metadata, true);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	/* Each page counts; larger ones are for tdx_guest_large_test. */
	tdx_set_huge_page(false);

	return test_harness_run(argc, argv);
}
