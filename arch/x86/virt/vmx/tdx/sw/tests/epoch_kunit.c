// SPDX-License-Identifier: GPL-2.0
/*
 * TLB tracking: TRACK advances the epoch unless somebody is still inside since
 * the last but one, and a blocked entry may go once everybody has left who could
 * have it in a TLB.
 *
 * Nobody runs here: entering and leaving is what they do to the state of module.
 */
#include <linux/gfp.h>

#include "fixture.h"

struct epoch {
	struct swt_std std;
	u64 a;		/* two vCPUs */
	u64 b;
};

static void build(struct swt *t, struct epoch *e)
{
	bool checked = t->checked;

	t->checked = false;
	swt_std_build(t, &e->std, 0, STAGE_INITIALIZED);
	e->a = e->std.td.vcpu;
	e->b = e->std.full_vcpu;
	swt_ok(t, L_VP_INIT, SWT_ARGS(.rcx = e->b));
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = e->std.td.tdr));
	t->checked = checked;
}

static void block(struct swt *t, struct epoch *e, u64 gpa)
{
	swt_block(t, &e->std.td, gpa, 0);
}

static void track(struct swt *t, struct epoch *e)
{
	swt_track(t, &e->std.td);
}

static void track_is_busy(struct swt *t, struct epoch *e)
{
	swt_no(t, ST_PREVIOUS_TLB_EPOCH_BUSY | ST_ANY_DETAIL, L_MEM_TRACK,
	       SWT_ARGS(.rcx = e->std.td.tdr));
}

static void remove_ok(struct swt *t, struct epoch *e, u64 gpa)
{
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = gpa, .rdx = e->std.td.tdr));
}

static void not_tracked(struct swt *t, struct epoch *e, u64 gpa)
{
	swt_no(t, ST_TLB_TRACKING_NOT_DONE | OP_RCX, L_MEM_PAGE_REMOVE,
	       SWT_ARGS(.rcx = gpa, .rdx = e->std.td.tdr));
	swt_no(t, ST_TLB_TRACKING_NOT_DONE | OP_RCX, L_MEM_RANGE_UNBLOCK,
	       SWT_ARGS(.rcx = gpa, .rdx = e->std.td.tdr));
}

static void idle_td_needs_one_track(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	block(t, &e, STD_MAPPED);
	not_tracked(t, &e, STD_MAPPED);
	track(t, &e);
	remove_ok(t, &e, STD_MAPPED);
}

static void one_track_serves_many_blocks(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	block(t, &e, STD_MAPPED);
	block(t, &e, STD_PENDING);
	track(t, &e);
	remove_ok(t, &e, STD_PENDING);
	remove_ok(t, &e, STD_MAPPED);
}

static void block_after_track_waits_for_the_next(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	block(t, &e, STD_MAPPED);
	track(t, &e);
	block(t, &e, STD_PENDING);
	remove_ok(t, &e, STD_MAPPED);
	not_tracked(t, &e, STD_PENDING);
	track(t, &e);
	remove_ok(t, &e, STD_PENDING);
}

static void who_was_inside_has_to_leave(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	swt_enter(t, e.a);
	swt_enter(t, e.b);
	block(t, &e, STD_MAPPED);
	not_tracked(t, &e, STD_MAPPED);
	track(t, &e);
	not_tracked(t, &e, STD_MAPPED);
	swt_leave(t, e.b);
	not_tracked(t, &e, STD_MAPPED);
	swt_leave(t, e.a);
	remove_ok(t, &e, STD_MAPPED);
}

static void who_enters_later_does_not_matter(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	swt_enter(t, e.a);
	block(t, &e, STD_MAPPED);
	track(t, &e);
	swt_enter(t, e.b);
	swt_leave(t, e.a);
	remove_ok(t, &e, STD_MAPPED);
	/* Back in, in the new epoch. */
	block(t, &e, STD_PENDING);
	swt_enter(t, e.a);
	track(t, &e);
	not_tracked(t, &e, STD_PENDING);
	swt_leave(t, e.a);
	swt_leave(t, e.b);
	remove_ok(t, &e, STD_PENDING);
}

static void second_track_waits_for_the_last_but_one(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	swt_enter(t, e.a);
	track(t, &e);
	track_is_busy(t, &e);
	swt_enter(t, e.b);
	track_is_busy(t, &e);
	swt_leave(t, e.a);
	track(t, &e);
	track_is_busy(t, &e);
	swt_leave(t, e.b);
	track(t, &e);
	track(t, &e);
	track(t, &e);
}

static void two_epochs_later_nobody_can_have_it(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	block(t, &e, STD_MAPPED);
	track(t, &e);
	track(t, &e);
	/* Same parity as the epoch of the block: must not be taken for it. */
	swt_enter(t, e.a);
	remove_ok(t, &e, STD_MAPPED);
	swt_leave(t, e.a);
}

static void tables_are_tracked_like_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;
	struct tdx_module_args args;

	build(t, &e);
	swt_ok(t, L_MEM_RANGE_UNBLOCK,
	       SWT_ARGS(.rcx = STD_EMPTY_TABLE | 1, .rdx = e.std.td.tdr));
	swt_enter(t, e.a);
	swt_block(t, &e.std.td, STD_EMPTY_TABLE, 1);
	track(t, &e);
	swt_std_args(&e.std, L_MEM_SEPT_REMOVE, &args);
	swt_no(t, ST_TLB_TRACKING_NOT_DONE | OP_RCX, L_MEM_SEPT_REMOVE, &args);
	swt_leave(t, e.a);
	swt_std_args(&e.std, L_MEM_SEPT_REMOVE, &args);
	swt_ok(t, L_MEM_SEPT_REMOVE, &args);
}

static void block_anew_starts_anew(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	block(t, &e, STD_MAPPED);
	track(t, &e);
	swt_ok(t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = STD_MAPPED, .rdx = e.std.td.tdr));
	block(t, &e, STD_MAPPED);
	not_tracked(t, &e, STD_MAPPED);
	/* Blocking what is blocked changes nothing, BEPOCH included. */
	track(t, &e);
	swt_no(t, ST_GPA_RANGE_ALREADY_BLOCKED | OP_RCX, L_MEM_RANGE_BLOCK,
	       SWT_ARGS(.rcx = STD_MAPPED, .rdx = e.std.td.tdr));
	remove_ok(t, &e, STD_MAPPED);
}

/*
 * Whoever enters after that TRACK can still have found the entry as it was
 * before: for the page it is as if the TRACK had come before the BLOCK.
 */
static void block_with_track_inside(struct swt *t, struct epoch *e, u64 gpa, unsigned int level)
{
	swt_m_td(&t->m, e->std.td.tdr)->epoch++;
	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_inject_track(1, 1));
	swt_block(t, &e->std.td, gpa, level);
	KUNIT_ASSERT_EQ(t->test, 0U, tdx_sw_inject_clear());
}

static void track_in_the_middle_of_a_block_is_before_it(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	block_with_track_inside(t, &e, STD_MAPPED, 0);
	swt_enter(t, e.a);
	not_tracked(t, &e, STD_MAPPED);
	track(t, &e);
	not_tracked(t, &e, STD_MAPPED);
	swt_leave(t, e.a);
	remove_ok(t, &e, STD_MAPPED);
}

static void who_was_inside_before_that_track_counts_too(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	swt_enter(t, e.a);
	block_with_track_inside(t, &e, STD_MAPPED, 0);
	not_tracked(t, &e, STD_MAPPED);
	track_is_busy(t, &e);
	swt_leave(t, e.a);
	not_tracked(t, &e, STD_MAPPED);
	track(t, &e);
	remove_ok(t, &e, STD_MAPPED);
}

static void tables_meet_that_track_like_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct epoch e;

	build(t, &e);
	swt_ok(t, L_MEM_RANGE_UNBLOCK,
	       SWT_ARGS(.rcx = STD_EMPTY_TABLE | 1, .rdx = e.std.td.tdr));
	block_with_track_inside(t, &e, STD_EMPTY_TABLE, 1);
	swt_enter(t, e.a);
	swt_std_args(&e.std, L_MEM_SEPT_REMOVE, &args);
	swt_no(t, ST_TLB_TRACKING_NOT_DONE | OP_RCX, L_MEM_SEPT_REMOVE, &args);
	swt_leave(t, e.a);
	track(t, &e);
	swt_std_args(&e.std, L_MEM_SEPT_REMOVE, &args);
	swt_ok(t, L_MEM_SEPT_REMOVE, &args);
}

/* ---- 2 MiB ---- */

#define LARGE_GPA	(8ULL * SZ_2M)
#define RAW_FREE	0x80e0000000000000ULL
/* As it is stored: a leaf, write-back, PAT ignored, #VE suppressed */
#define RAW_LEAF	(BIT_ULL(63) | BIT_ULL(7) | BIT_ULL(6) | 6ULL << 3)
#define RAW_BLOCKED	BIT_ULL(55)
#define RAW_PENDING	BIT_ULL(56)

static void free_large(void *data)
{
	__free_pages(data, get_order(SZ_2M));
}

static u64 alloc_large(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, get_order(SZ_2M));

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_large, page));
	return page_to_phys(page);
}

static void expect_entry(struct kunit *test, u64 tdr, u64 raw)
{
	struct tdx_sw_sept_info info = {};

	KUNIT_EXPECT_EQ(test, 0, tdx_sw_test_sept(tdr, LARGE_GPA, 1, &info));
	KUNIT_EXPECT_EQ(test, raw, info.raw);
}

/* It is tracked by its one entry, and what was accepted of it does not count any more. */
static void large_page_is_blocked_as_a_whole(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_page_info page;
	struct tdx_module_args args;
	u64 tdr, pa = alloc_large(test), pending = RAW_LEAF | RAW_PENDING | pa;
	struct epoch e;

	build(t, &e);
	/* Written into the entry, for what the guest has accepted: not the model's. */
	t->checked = false;
	tdr = e.std.td.tdr;
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_large(pa, tdr));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(tdr, LARGE_GPA, 1,
						      pending | 5 * PAGE_SIZE));
	args = (struct tdx_module_args) { .rcx = LARGE_GPA | 1, .rdx = tdr };
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_MEM_RANGE_BLOCK, &args));
	expect_entry(test, tdr, pending | RAW_BLOCKED);
	KUNIT_EXPECT_EQ(test, 0, tdx_sw_test_page(pa, &page));
	KUNIT_EXPECT_EQ(test, swt_m_td(&t->m, tdr)->epoch, page.bepoch);

	args = (struct tdx_module_args) { .rcx = LARGE_GPA | 1, .rdx = tdr };
	KUNIT_EXPECT_EQ(test, ST_TLB_TRACKING_NOT_DONE | OP_RCX,
			swt_call(t, L_MEM_RANGE_UNBLOCK, &args));
	track(t, &e);
	args = (struct tdx_module_args) { .rcx = LARGE_GPA | 1, .rdx = tdr };
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_MEM_RANGE_UNBLOCK, &args));
	expect_entry(test, tdr, pending);

	KUNIT_EXPECT_EQ(test, 0, tdx_sw_test_set_sept(tdr, LARGE_GPA, 1, RAW_FREE));
	KUNIT_EXPECT_EQ(test, 0, tdx_sw_test_set_large(pa, 0));
	swt_check(t);
}

static void td_that_cannot_run_needs_no_tracking(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_add(t, &td, 0);
	swt_aug(t, &td, 0x1000);
	swt_block(t, &td, 0, 0);
	swt_ok(t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = 0, .rdx = td.tdr));
	swt_block(t, &td, 0, 0);
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = 0, .rdx = td.tdr));
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = 0x1000, .rdx = td.tdr));
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = 1, .rdx = td.tdr));
	swt_track(t, &td);
}

static void epochs_of_tds_are_apart(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td other;
	struct epoch e;

	build(t, &e);
	swt_td_build(t, &other, 1, STAGE_RUNNABLE);
	swt_enter(t, other.vcpu);
	block(t, &e, STD_MAPPED);
	track(t, &e);
	remove_ok(t, &e, STD_MAPPED);
	swt_track(t, &other);
	swt_no(t, ST_PREVIOUS_TLB_EPOCH_BUSY | ST_ANY_DETAIL, L_MEM_TRACK,
	       SWT_ARGS(.rcx = other.tdr));
	track(t, &e);
	swt_leave(t, other.vcpu);
	swt_track(t, &other);
}

static void epoch_lock_is_tried_both_ways(struct kunit *test)
{
	struct tdx_sw_test_lock lock = { .class = TDX_SW_LOCK_TD_EPOCH };
	struct swt *t = swt_of(test);
	struct epoch e;

	build(t, &e);
	lock.object = e.std.td.tdr;
	swt_lock(t, &lock);
	swt_no(t, ST_OPERAND_BUSY | OP_TD_EPOCH, L_MEM_TRACK, SWT_ARGS(.rcx = e.std.td.tdr));
	/* Entries do not hinder each other. */
	swt_enter(t, e.a);
	swt_unlock_all(t);
	swt_leave(t, e.a);

	lock.excl = true;
	swt_lock(t, &lock);
	swt_no(t, ST_OPERAND_BUSY | OP_TD_EPOCH, L_MEM_TRACK, SWT_ARGS(.rcx = e.std.td.tdr));
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_TD_EPOCH, tdx_sw_test_vcpu_enter(e.a));
	swt_check(t);
	swt_unlock_all(t);
	swt_check(t);
	track(t, &e);
}

static struct kunit_case epoch_cases[] = {
	KUNIT_CASE(idle_td_needs_one_track),
	KUNIT_CASE(one_track_serves_many_blocks),
	KUNIT_CASE(block_after_track_waits_for_the_next),
	KUNIT_CASE(who_was_inside_has_to_leave),
	KUNIT_CASE(who_enters_later_does_not_matter),
	KUNIT_CASE(second_track_waits_for_the_last_but_one),
	KUNIT_CASE(two_epochs_later_nobody_can_have_it),
	KUNIT_CASE(tables_are_tracked_like_pages),
	KUNIT_CASE(block_anew_starts_anew),
	KUNIT_CASE(track_in_the_middle_of_a_block_is_before_it),
	KUNIT_CASE(who_was_inside_before_that_track_counts_too),
	KUNIT_CASE(tables_meet_that_track_like_pages),
	KUNIT_CASE(large_page_is_blocked_as_a_whole),
	KUNIT_CASE(td_that_cannot_run_needs_no_tracking),
	KUNIT_CASE(epochs_of_tds_are_apart),
	KUNIT_CASE(epoch_lock_is_tried_both_ways),
	{}
};

static struct kunit_suite epoch_suite = {
	.name = "tdx_sw_epoch",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = epoch_cases,
};

kunit_test_suite(epoch_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: TLB tracking");
MODULE_LICENSE("GPL");
