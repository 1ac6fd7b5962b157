// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on request: rules hit the call or the attempt at a lock that they name,
 * as often as they say and no other, and what fails by request leaves no trace; that
 * a trace would be seen.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "fixture.h"

static void rule_hits_the_calls_that_it_counts(struct kunit *test)
{
	u64 status = ST_OPERAND_BUSY | OP_RCX;
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RDMD, 2, 2, status));
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	/* Calls of other leaves do not count. */
	swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = page));
	swt_no(t, status, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = page));
	swt_no(t, status, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
}

static void rule_for_any_leaf_hits_the_next_one(struct kunit *test)
{
	u64 status = ST_OPERAND_BUSY | OP_RDX;
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(TDX_SW_ANY_LEAF, 1, 2, status));
	swt_no(t, status, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_no(t, status, L_MNG_CREATE, SWT_ARGS(.rcx = page, .rdx = swt_key(t, 0)));
	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = page, .rdx = swt_key(t, 0)));
}

/* One that is due waits for the next call if another one was first; all count. */
static void rules_for_one_leaf_take_turns(struct kunit *test)
{
	static const u64 status[] = {
		ST_OPERAND_BUSY | OP_RCX, ST_OPERAND_BUSY | OP_RDX, ST_OPERAND_BUSY | OP_R8,
	};
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RDMD, 1, 1, status[0]));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RDMD, 1, 1, status[1]));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RDMD, 3, 1, status[2]));
	for (i = 0; i < ARRAY_SIZE(status); i++)
		swt_no(t, status[i], L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
}

static void cleared_rules_are_gone(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RDMD, 1, 5, ST_SYS_BUSY));
	swt_no(t, ST_SYS_BUSY, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	KUNIT_EXPECT_EQ(test, 1U, tdx_sw_inject_clear());
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
}

static void rules_that_make_no_sense_are_refused(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_set(42, 1, 1, ST_SYS_BUSY));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_set(L_PAGE_RDMD, 0, 1, ST_SYS_BUSY));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_set(L_PAGE_RDMD, 1, 0, ST_SYS_BUSY));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_set(L_PAGE_RDMD, 1, 1, ST_SUCCESS));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			tdx_sw_inject_lock(TDX_SW_NR_LOCKS, L_PAGE_RDMD, 1, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_lock(TDX_SW_LOCK_KOT, 42, 1, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_zero_step(0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_zero_step(1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_track(0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, tdx_sw_inject_track(1, 0));
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
	KUNIT_EXPECT_EQ(test, 0ULL, tdx_sw_count(TDX_SW_ANY_LEAF, NULL));

	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RDMD, 100, 1, ST_SYS_BUSY));
	KUNIT_EXPECT_EQ(test, -ENOSPC, tdx_sw_inject_set(L_PAGE_RDMD, 100, 1, ST_SYS_BUSY));
	KUNIT_EXPECT_EQ(test, 16U, tdx_sw_inject_clear());
}

/* ---- locks ---- */

struct held {
	const char *what;
	u8 class;
	u8 nth;			/* of the attempts at locks of the class */
	u16 leaf;
	enum swt_stage stage;
	u64 want;
};

#define BUSY(op)	(ST_OPERAND_BUSY | (op))

static const struct held held[] = {
	{ "SYS", TDX_SW_LOCK_SYS, 1, L_SYS_KEY_CONFIG, STAGE_ASSIGNED, ST_SYS_BUSY },
	{ "TDMR", TDX_SW_LOCK_TDMR, 1, L_SYS_TDMR_INIT, STAGE_ASSIGNED, BUSY(OP_RCX) },
	{ "KOT", TDX_SW_LOCK_KOT, 1, L_MNG_VPFLUSHDONE, STAGE_ASSIGNED, BUSY(OP_KOT) },
	{ "KET", TDX_SW_LOCK_KET, 1, L_MNG_KEY_CONFIG, STAGE_ASSIGNED, BUSY(OP_KET) },
	{ "WBCACHE", TDX_SW_LOCK_WBCACHE, 1, L_CACHE_WB, STAGE_ASSIGNED, BUSY(OP_WBCACHE) },
	/* The walk down to the TDR, then the one to the new page. */
	{ "1 GiB above the TDR", TDX_SW_LOCK_PAGE, 1, L_MEM_PAGE_AUG, STAGE_RUNNABLE,
	  BUSY(OP_RDX) },
	{ "1 GiB above the page", TDX_SW_LOCK_PAGE, 3, L_MEM_PAGE_AUG, STAGE_RUNNABLE,
	  BUSY(OP_R8) },
	{ "page", TDX_SW_LOCK_PAGE, 5, L_MEM_PAGE_AUG, STAGE_RUNNABLE, BUSY(OP_R8) },
	{ "TDR", TDX_SW_LOCK_TDR, 1, L_MEM_PAGE_AUG, STAGE_RUNNABLE, BUSY(OP_RDX) },
	{ "TDR of a TDVPR", TDX_SW_LOCK_TDR, 1, L_VP_RD, STAGE_RUNNABLE, BUSY(OP_TDR) },
	{ "TDVPR", TDX_SW_LOCK_TDVPR, 1, L_VP_RD, STAGE_RUNNABLE, BUSY(OP_RCX) },
	{ "OP_STATE", TDX_SW_LOCK_OP_STATE, 1, L_MEM_PAGE_AUG, STAGE_RUNNABLE,
	  BUSY(OP_OP_STATE) },
	{ "S-EPT tree", TDX_SW_LOCK_SEPT_TREE, 1, L_MEM_RANGE_BLOCK, STAGE_RUNNABLE,
	  BUSY(OP_SEPT_TREE) },
	{ "S-EPT entry", TDX_SW_LOCK_SEPT_ENTRY, 1, L_MEM_RANGE_BLOCK, STAGE_RUNNABLE,
	  BUSY(OP_RCX) },
	{ "epoch", TDX_SW_LOCK_TD_EPOCH, 1, L_MEM_TRACK, STAGE_RUNNABLE, BUSY(OP_TD_EPOCH) },
};

static void describe_held(const struct held *h, char *desc)
{
	strscpy(desc, h->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(held, held, describe_held);

static void lock_is_found_held(struct kunit *test)
{
	const struct held *h = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;
	u64 status;

	swt_std_build(t, &std, 0, h->stage);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_lock(h->class, h->leaf, h->nth, 1));
	swt_std_args(&std, h->leaf, &args);
	swt_no(t, h->want, h->leaf, &args);
	swt_check(t);

	/* It is not held, really. */
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
	swt_std_args(&std, h->leaf, &args);
	status = swt_call(t, h->leaf, &args);
	KUNIT_EXPECT_NE(test, ST_OPERAND_BUSY, ST_CODE(status));
	KUNIT_EXPECT_NE(test, ST_SYS_BUSY, ST_CODE(status));
}

static void locks_of_other_leaves_are_left_alone(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	KUNIT_ASSERT_EQ(test, 0,
			tdx_sw_inject_lock(TDX_SW_LOCK_SEPT_TREE, L_MEM_PAGE_REMOVE, 1, 1));
	swt_ok(t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = STD_MAPPED, .rdx = std.td.tdr));
	swt_std_args(&std, L_MEM_PAGE_REMOVE, &args);
	swt_no(t, BUSY(OP_SEPT_TREE), L_MEM_PAGE_REMOVE, &args);
	swt_std_args(&std, L_MEM_PAGE_REMOVE, &args);
	swt_ok(t, L_MEM_PAGE_REMOVE, &args);
}

/* ---- what hosts have to live with ---- */

static void page_stays_when_reclaim_fails(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std std;

	t->checked = false;
	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	swt_td_block(t, &std.td);
	swt_td_free_key(t, &std.td);
	t->checked = true;
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_PAGE_RECLAIM, 1, 1,
						   ST_PAGE_METADATA_INCORRECT | OP_RCX));
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_RECLAIM,
	       SWT_ARGS(.rcx = std.mapped));
	swt_check(t);
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = std.mapped));
}

static void want_of_entropy_makes_no_td(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_MNG_CREATE, 1, 1, ST_RND_NO_ENTROPY));
	swt_no(t, ST_RND_NO_ENTROPY, L_MNG_CREATE,
	       SWT_ARGS(.rcx = page, .rdx = swt_key(t, 0)));
	swt_check(t);
	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = page, .rdx = swt_key(t, 0)));
}

/* ---- traces ---- */

static unsigned int diff_since(struct swt *t, struct tdx_sw_snapshot *before, char *text,
			       size_t len)
{
	struct tdx_sw_snapshot *after = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
	unsigned int nr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(t->test, after);
	nr = tdx_sw_snapshot_diff(before, after, text, len);
	tdx_sw_snapshot_free(after);
	tdx_sw_snapshot_free(before);
	return nr;
}

/* A key ID, a PAMT entry, the content of a page; of pages also the last word. */
static void traces_are_seen(struct kunit *test)
{
	struct tdx_sw_snapshot *before;
	struct swt *t = swt_of(test);
	u64 tdr = swt_page(t), page = swt_page(t), *word = swt_va(page);
	char text[384];

	before = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, before);
	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = tdr, .rdx = swt_key(t, 0)));
	KUNIT_EXPECT_EQ(test, 3U, diff_since(t, before, text, sizeof(text)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "key ID"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "PAMT of"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "content of"));

	before = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, before);
	word[PAGE_SIZE / sizeof(*word) - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, 1U, diff_since(t, before, text, sizeof(text)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "content of"));

	before = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, before);
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_PAGE, .object = page, .excl = true });
	KUNIT_EXPECT_EQ(test, 1U, diff_since(t, before, text, sizeof(text)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "PAMT of"));
	/* Left behind, it is a violation by itself. */
	KUNIT_EXPECT_EQ(test, 1U, tdx_sw_test_check(t->m.list, t->m.nr_pages));
	swt_unlock_all(t);
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_test_check(t->m.list, t->m.nr_pages));
}

#define RAW_HPA	GENMASK_ULL(51, 12)

/* An entry that names a page which is not the TD's */
static void wrong_entries_are_seen(struct kunit *test)
{
	struct tdx_sw_sept_info info;
	struct swt *t = swt_of(test);
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_sept(std.td.tdr, STD_MAPPED, 0, &info));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(std.td.tdr, STD_MAPPED, 0,
						      (info.raw & ~RAW_HPA) | std.spare));
	/* Not the TD's, and one that is has no entry. */
	KUNIT_EXPECT_EQ(test, 2U, tdx_sw_test_check(t->m.list, t->m.nr_pages));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(std.td.tdr, STD_MAPPED, 0,
						      (info.raw & ~RAW_HPA) | std.blocked));
	/* Each is the TD's, one twice. */
	KUNIT_EXPECT_EQ(test, 1U, tdx_sw_test_check(t->m.list, t->m.nr_pages));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(std.td.tdr, STD_MAPPED, 0, info.raw));
	swt_check(t);
}

static struct kunit_case inject_cases[] = {
	KUNIT_CASE(rule_hits_the_calls_that_it_counts),
	KUNIT_CASE(rule_for_any_leaf_hits_the_next_one),
	KUNIT_CASE(rules_for_one_leaf_take_turns),
	KUNIT_CASE(cleared_rules_are_gone),
	KUNIT_CASE(rules_that_make_no_sense_are_refused),
	KUNIT_CASE_PARAM(lock_is_found_held, held_gen_params),
	KUNIT_CASE(locks_of_other_leaves_are_left_alone),
	KUNIT_CASE(page_stays_when_reclaim_fails),
	KUNIT_CASE(want_of_entropy_makes_no_td),
	KUNIT_CASE(traces_are_seen),
	KUNIT_CASE(wrong_entries_are_seen),
	{}
};

static struct kunit_suite inject_suite = {
	.name = "tdx_sw_inject",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = inject_cases,
};

kunit_test_suite(inject_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: fault injection");
MODULE_LICENSE("GPL");
