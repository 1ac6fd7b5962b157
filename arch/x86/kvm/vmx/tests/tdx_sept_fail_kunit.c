// SPDX-License-Identifier: GPL-2.0
/*
 * Every status that the module may answer an S-EPT operation with: busy has the
 * fault or the removal repeated, everything else bugs the VM, and what can't be
 * taken back is leaked and counted.  Most are answered on request; those that
 * the module gives of itself, because of a lock or of its state, follow.
 */
#include <kunit/test.h>
#include <linux/console.h>
#include <linux/delay.h>
#include <linux/string.h>

#include <asm/tdx.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define GFN	TDX_TEST_GFN

#define IN(leaf)	BIT_ULL(TDH_##leaf)

#define ADDITIONS	(IN(MEM_SEPT_ADD) | IN(MEM_PAGE_ADD) | IN(MEM_PAGE_AUG))
#define REMOVALS	(IN(MEM_RANGE_BLOCK) | IN(MEM_TRACK) | IN(MEM_PAGE_REMOVE) | \
			 IN(PHYMEM_PAGE_WBINVD))
#define WALKS		(ADDITIONS | IN(MEM_RANGE_BLOCK) | IN(MEM_PAGE_REMOVE))
#define ALL		(ADDITIONS | REMOVALS)
#define TDS		(ALL & ~IN(PHYMEM_PAGE_WBINVD))

/* Statuses, and the leaves that may answer them. */
struct answer {
	const char *name;
	u64 status;
	u64 leaves;
};

static const struct answer busy_answers[] = {
	{ "page", TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, ALL },
	{ "tdr", TDX_OPERAND_BUSY | TDX_OPERAND_ID_RDX, WALKS },
	{ "new_page", TDX_OPERAND_BUSY | TDX_OPERAND_ID_R8, ADDITIONS },
	{ "tree", TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE, WALKS },
	{ "op_state", TDX_OPERAND_BUSY | TDX_OPERAND_ID_OP_STATE, TDS },
	{ "epoch", TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH, IN(MEM_TRACK) },
	{ "previous_epoch", TDX_PREVIOUS_TLB_EPOCH_BUSY, IN(MEM_TRACK) },
	{ "host_priority", TDX_OPERAND_BUSY_HOST_PRIORITY | TDX_OPERAND_ID_RCX, WALKS },
	{ "sys", TDX_SYS_BUSY, ALL },
};

static const struct answer errors[] = {
	{ "operand", TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX, ALL },
	{ "address", TDX_OPERAND_ADDR_RANGE_ERROR | TDX_OPERAND_ID_R8, ADDITIONS },
	{ "metadata", TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_R8, ALL },
	{ "no_pamt", TDX_MISSING_PAMT_PAGE_PAIR, ADDITIONS },
	{ "no_entropy", TDX_RND_NO_ENTROPY, ALL },
	{ "sys_not_ready", TDX_SYS_NOT_READY, ALL },
	{ "sys_shutdown", TDX_SYS_SHUTDOWN, ALL },
	{ "no_lp_init", TDX_SYS_LP_INIT_NOT_DONE, ALL },
	{ "fatal", TDX_TD_FATAL, ADDITIONS },
	{ "no_keys", TDX_TD_KEYS_NOT_CONFIGURED, TDS },
	{ "no_tdcs", TDX_TDCS_NOT_ALLOCATED, TDS },
	{ "op_state", TDX_OP_STATE_INCORRECT, TDS },
	{ "walk", TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX, WALKS },
	{ "entry_state", TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, WALKS },
	{ "not_blocked", TDX_GPA_RANGE_NOT_BLOCKED | TDX_OPERAND_ID_RCX, IN(MEM_PAGE_REMOVE) },
	{ "not_tracked", TDX_TLB_TRACKING_NOT_DONE | TDX_OPERAND_ID_RCX, IN(MEM_PAGE_REMOVE) },
};

/* A parameter: a leaf and one of its answers. */
struct fault {
	const struct answer *answer;
	unsigned int leaf;
};

/* The pair after *fault; leaves out what a leaf doesn't answer. */
static bool next_fault(struct fault *fault, const struct answer *answers,
		       unsigned int nr, u64 leaves)
{
	do {
		if (++fault->leaf == TDX_NR_LEAVES) {
			fault->leaf = 0;
			if (++fault->answer == answers + nr)
				return false;
		}
	} while (!(fault->answer->leaves & leaves & BIT_ULL(fault->leaf)));

	return true;
}

static const void *gen_fault(const void *prev, char *desc, const struct answer *answers,
			     unsigned int nr, u64 leaves)
{
	static struct fault fault;

	if (!prev)
		fault = (struct fault) { .answer = answers, .leaf = -1 };
	if (!next_fault(&fault, answers, nr, leaves))
		return NULL;

	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s_%s", tdx_leaf_name(fault.leaf),
		 fault.answer->name);
	return &fault;
}

static const void *busy_addition_gen_params(const void *prev, char *desc)
{
	return gen_fault(prev, desc, busy_answers, ARRAY_SIZE(busy_answers), ADDITIONS);
}

static const void *failed_addition_gen_params(const void *prev, char *desc)
{
	return gen_fault(prev, desc, errors, ARRAY_SIZE(errors), ADDITIONS);
}

static const void *busy_removal_gen_params(const void *prev, char *desc)
{
	return gen_fault(prev, desc, busy_answers, ARRAY_SIZE(busy_answers), REMOVALS);
}

static const void *failed_removal_gen_params(const void *prev, char *desc)
{
	return gen_fault(prev, desc, errors, ARRAY_SIZE(errors), REMOVALS);
}

static void inject(struct tdx_test *t, u16 leaf, unsigned int nth, unsigned int times,
		   u64 status)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_sw_inject_set(leaf, nth, times, status), 0);
}

/* Entropy is tried again by the wrappers, so that it takes more to be without. */
static unsigned int times_to_fail(u64 status)
{
	return status == TDX_RND_NO_ENTROPY ? 10 : 1;
}

/* PAGE.ADD is before finalize, everything else may as well be after. */
static void prepare(struct tdx_test *t, unsigned int leaf)
{
	if (leaf != TDH_MEM_PAGE_ADD)
		KUNIT_ASSERT_EQ(t->vm.test, tdx_test_finalize(t), 0);
	tdx_test_reset_counts(t);
}

static void expect_unmapped(struct tdx_test *t, gfn_t gfn)
{
	KUNIT_EXPECT_FALSE(t->vm.test, is_shadow_present_pte(tdx_test_spte(t, gfn, 1)));
	KUNIT_EXPECT_FALSE(t->vm.test, is_frozen_spte(tdx_test_spte(t, gfn, 1)));
}

/*
 * Additions
 */

static void busy_addition_is_left_to_the_next_fault(struct kunit *test)
{
	const struct fault *fault = test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, fault->leaf);
	inject(t, fault->leaf, 1, 1, fault->answer->status);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_RETRY);
	expect_unmapped(t, GFN);
	tdx_test_expect_calls(t, fault->leaf, 1);
	tdx_test_expect_pages(t, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.pages[0]), 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_FIXED);
	tdx_test_expect_pages(t, 1, 0, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* The page is still the kernel's, and so is the table: nothing leaks. */
static void failed_addition_bugs_the_vm(struct kunit *test)
{
	const struct fault *fault = test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, fault->leaf);
	inject(t, fault->leaf, 1, times_to_fail(fault->answer->status),
	       fault->answer->status);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), -EIO);
	expect_unmapped(t, GFN);
	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.pages[0]), 0);
	KUNIT_EXPECT_EQ(test, page_count(tdx_test_page(t, GFN)), 1);
	tdx_test_expect_trees_equal(t);
}

static const struct table {
	const char *desc;
	unsigned int nth;
} tables[] = {
	{ "512g_entry", 1 },
	{ "1g_entry", 2 },
	{ "2m_entry", 3 },
};

KUNIT_ARRAY_PARAM_DESC(table, tables, desc);

static void busy_link_keeps_the_tables_above(struct kunit *test)
{
	const struct table *table = test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, TDH_MEM_SEPT_ADD);
	inject(t, TDH_MEM_SEPT_ADD, table->nth, 1,
	       TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_RETRY);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, table->nth);
	tdx_test_expect_trees_equal(t);

	/* The one that was busy is repeated, none that wasn't. */
	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_FIXED);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, TDX_TEST_NR_TABLES + 1);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void failed_link_keeps_the_tables_above(struct kunit *test)
{
	const struct table *table = test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, TDH_MEM_SEPT_ADD);
	inject(t, TDH_MEM_SEPT_ADD, table->nth, 1, TDX_EPT_WALK_FAILED);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), -EIO);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, table->nth);
	tdx_test_expect_bugged(t, true);
	tdx_test_expect_trees_equal(t);
}

static void entropy_that_comes_late_is_enough(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	prepare(t, TDH_MEM_PAGE_AUG);
	inject(t, TDH_MEM_PAGE_AUG, 1, 9, TDX_RND_NO_ENTROPY);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_FIXED);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/*
 * Removals
 */

static void busy_removal_is_repeated_without_vcpus(struct kunit *test)
{
	const struct fault *fault = test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, fault->leaf);
	tdx_test_map_range(t, GFN, GFN + 3);
	tdx_test_reset_counts(t);
	inject(t, fault->leaf, 1, 1, fault->answer->status);

	tdx_test_punch_hole(t, GFN, GFN + 3, false);

	tdx_test_expect_calls(t, fault->leaf, fault->leaf == TDH_MEM_TRACK ? 2 : 4);
	tdx_test_expect_rounds(t, 1, 2, 1);
	tdx_test_expect_pages(t, 0, 3, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* As long as a page is the TD's, the TDR can't be taken back, either. */
static void expect_leaks(struct tdx_test *t, unsigned int nr_pages, bool still_the_tds)
{
	t->want_leaked = nr_pages + still_the_tds;
}

/*
 * Of three pages the removal of the second fails: it is kept from going back to
 * guest_memfd's users, the others are removed.  Without tracking none is.
 */
static void expect_failed_removal(struct tdx_test *t, unsigned int leaf,
				  unsigned int nr_rounds)
{
	unsigned int nr_leaked = leaf == TDH_MEM_TRACK ? 3 : 1;
	gfn_t gfn;

	for (gfn = GFN; gfn < GFN + 3; gfn++) {
		bool leaked = nr_leaked == 3 || gfn == GFN + 1;

		expect_unmapped(t, gfn);
		KUNIT_EXPECT_EQ(t->vm.test, page_count(tdx_test_page(t, gfn)),
				leaked ? 2 : 1);
	}

	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, 0, 3 - nr_leaked, nr_leaked);
	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&t->kvm->stat.tdx_track_rounds),
			nr_rounds);
	KUNIT_EXPECT_FALSE(t->vm.test, t->kvm_tdx->hold_off_entry);
	expect_leaks(t, nr_leaked, leaf != TDH_PHYMEM_PAGE_WBINVD);
}

static void failed_removal_bugs_the_vm_and_leaks_the_page(struct kunit *test)
{
	const struct fault *fault = test->param_value;
	struct tdx_test *t = test->priv;
	unsigned int nth = fault->leaf == TDH_MEM_TRACK ? 1 : 2;

	prepare(t, fault->leaf);
	tdx_test_map_range(t, GFN, GFN + 3);
	tdx_test_reset_counts(t);
	inject(t, fault->leaf, nth, times_to_fail(fault->answer->status),
	       fault->answer->status);

	tdx_test_punch_hole(t, GFN, GFN + 3, false);
	expect_failed_removal(t, fault->leaf, fault->leaf != TDH_MEM_TRACK);
}

static const struct stuck {
	const char *desc;
	unsigned int leaf;
	unsigned int nth;
	unsigned int times;
	unsigned int nr_rounds;
} stucks[] = {
	/* Two attempts, and these two times, the second after what has begun. */
	{ "block", TDH_MEM_RANGE_BLOCK, 2, 4, 2 },
	{ "track", TDH_MEM_TRACK, 1, 2, 0 },
	{ "remove", TDH_MEM_PAGE_REMOVE, 2, 2, 1 },
	{ "wbinvd", TDH_PHYMEM_PAGE_WBINVD, 2, 2, 1 },
};

KUNIT_ARRAY_PARAM_DESC(stuck, stucks, desc);

/* Without vCPUs in the way nobody can keep the module busy: it is a failure. */
static void removal_that_stays_busy_fails(struct kunit *test)
{
	const struct stuck *stuck = test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, stuck->leaf);
	tdx_test_map_range(t, GFN, GFN + 3);
	tdx_test_reset_counts(t);
	inject(t, stuck->leaf, stuck->nth, stuck->times, TDX_OPERAND_BUSY);

	tdx_test_punch_hole(t, GFN, GFN + 3, false);
	KUNIT_EXPECT_GT(test, atomic64_read(&t->kvm->stat.tdx_busy_removals), 0);

	expect_failed_removal(t, stuck->leaf, stuck->nr_rounds);
}

/* What counts is how often in a row one page couldn't be blocked, whatever others. */
static void busy_pages_are_counted_each(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	int i;

	prepare(t, TDH_MEM_RANGE_BLOCK);
	tdx_test_map_range(t, GFN, GFN + 3);
	tdx_test_reset_counts(t);

	/* Of each page the first two attempts are in vain. */
	for (i = 0; i < 3; i++) {
		inject(t, TDH_MEM_RANGE_BLOCK, 1, 2, TDX_OPERAND_BUSY);
		tdx_test_punch_hole(t, GFN + i, GFN + i + 1, false);
	}
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 3 * 3);

	/* So are three of the same page, once it has been removed in between. */
	for (i = 0; i < 3; i++) {
		tdx_test_map_range(t, GFN, GFN + 1);
		inject(t, TDH_MEM_RANGE_BLOCK, 1, 2, TDX_OPERAND_BUSY);
		tdx_test_punch_hole(t, GFN, GFN + 1, false);
	}
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 6 * 3);
	tdx_test_expect_bugged(t, false);
}

static void first_block_that_stays_busy_fails(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	prepare(t, TDH_MEM_RANGE_BLOCK);
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);
	inject(t, TDH_MEM_RANGE_BLOCK, 1, 4, TDX_OPERAND_BUSY);

	tdx_test_punch_hole(t, GFN, GFN + 1, false);

	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 4);
	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, page_count(tdx_test_page(t, GFN)), 2);
	expect_unmapped(t, GFN);
	expect_leaks(t, 1, true);
}

static const unsigned int fatal_leaves[] = {
	TDH_MEM_RANGE_BLOCK, TDH_MEM_TRACK, TDH_MEM_PAGE_REMOVE,
};

static void fatal_leaf_desc(const unsigned int *leaf, char *desc)
{
	strscpy(desc, tdx_leaf_name(*leaf), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fatal_leaf, fatal_leaves, fatal_leaf_desc);

static void expect_references(struct tdx_test *t, int want)
{
	gfn_t gfn;

	for (gfn = GFN; gfn < GFN + 3; gfn++)
		KUNIT_EXPECT_EQ(t->vm.test, page_count(tdx_test_page(t, gfn)), want);
}

/* Nothing can be done about its memory until it has no key, but then it can. */
static void fatal_td_gives_its_pages_back_in_the_end(struct kunit *test)
{
	unsigned int leaf = *(unsigned int *)test->param_value;
	struct tdx_test *t = test->priv;

	prepare(t, leaf);
	tdx_test_map_range(t, GFN, GFN + 3);
	tdx_test_reset_counts(t);
	inject(t, leaf, 1, 1, TDX_TD_FATAL);

	tdx_test_punch_hole(t, GFN, GFN + 3, false);
	tdx_test_expect_calls(t, leaf, 1);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, leaf == TDH_MEM_PAGE_REMOVE);
	tdx_test_expect_bugged(t, false);
	tdx_test_expect_pages(t, 0, 0, 0);
	expect_references(t, 2);

	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, 3, 0);
	expect_references(t, 1);
}

/* Removal before finalize has steps that can fail, too. */
static void failed_removal_before_finalize_leaks_the_page(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 2);
	tdx_test_reset_counts(t);
	inject(t, TDH_MEM_PAGE_REMOVE, 1, 1, TDX_EPT_ENTRY_STATE_INCORRECT);

	tdx_test_punch_hole(t, GFN, GFN + 2, false);

	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, 0, 1, 1);
	expect_unmapped(t, GFN);
	expect_leaks(t, 1, true);
}

/*
 * What the module answers of itself
 */

static const struct held {
	const char *desc;
	enum tdx_sw_lock_class class;
	unsigned int level;
} helds[] = {
	{ "tdr", TDX_SW_LOCK_TDR, 0 },
	{ "op_state", TDX_SW_LOCK_OP_STATE, 0 },
	{ "tree", TDX_SW_LOCK_SEPT_TREE, 0 },
	{ "entry", TDX_SW_LOCK_SEPT_ENTRY, 0 },
	{ "new_page", TDX_SW_LOCK_PAGE, 0 },
};

KUNIT_ARRAY_PARAM_DESC(held, helds, desc);

static struct tdx_sw_test_lock held_lock(struct tdx_test *t, const struct held *held)
{
	return (struct tdx_sw_test_lock) {
		.class = held->class,
		.excl = true,
		.object = held->class == TDX_SW_LOCK_PAGE ?
			  page_to_phys(tdx_test_page(t, GFN)) : t->tdr,
		.gpa = gfn_to_gpa(GFN),
		.level = held->level,
	};
}

static void addition_waits_for_locks_of_the_module(struct kunit *test)
{
	const struct held *held = test->param_value;
	struct tdx_test *t = test->priv;
	struct tdx_sw_test_lock lock;
	int i;

	prepare(t, TDH_MEM_PAGE_AUG);
	tdx_test_map_range(t, GFN + 1, GFN + 2);

	lock = held_lock(t, held);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_lock(&lock), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_RETRY);
	tdx_sw_test_unlock(&lock);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_FIXED);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void map_behind_kvm(struct tdx_test *t, gfn_t gfn, struct page *page)
{
	struct tdh_sept_info info;

	KUNIT_ASSERT_EQ(t->vm.test, tdh_mem_page_aug(t->tdr, gfn_to_gpa(gfn), 0,
						     page_to_phys(page), &info),
			TDX_SUCCESS);
}

static void remove_behind_kvm(struct tdx_test *t, gfn_t gfn, struct page *page)
{
	struct kunit *test = t->vm.test;
	struct tdh_sept_info info;

	KUNIT_EXPECT_EQ(test, tdh_mem_range_block(t->tdr, gfn_to_gpa(gfn), 0, &info),
			TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdh_mem_track(t->tdr), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdh_mem_page_remove(t->tdr, gfn_to_gpa(gfn), 0, &info),
			TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdh_phymem_page_wbinvd(page_to_phys(page), t->hkid),
			TDX_SUCCESS);
	tdx_clear_page(page_to_phys(page));
}

static void somebody_elses_page_is_refused(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct page *page;

	prepare(t, TDH_MEM_PAGE_AUG);
	tdx_test_map_range(t, GFN + 1, GFN + 2);
	page = tdx_test_page(t, GFN);
	map_behind_kvm(t, GFN + 2, page);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), -EIO);
	tdx_test_expect_bugged(t, true);
	expect_unmapped(t, GFN);
	tdx_test_expect_pages(t, 1, 0, 0);
	remove_behind_kvm(t, GFN + 2, page);
}

static void entry_in_use_is_refused(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct page *page;

	prepare(t, TDH_MEM_PAGE_AUG);
	tdx_test_map_range(t, GFN + 1, GFN + 2);
	page = tdx_test_page(t, GFN + 100);
	map_behind_kvm(t, GFN, page);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), -EIO);
	tdx_test_expect_bugged(t, true);
	expect_unmapped(t, GFN);
	tdx_test_expect_pages(t, 1, 0, 0);
	remove_behind_kvm(t, GFN, page);
}

/* Information, no error: the removal goes on. */
static void blocked_entry_is_removed(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct tdh_sept_info info;

	prepare(t, TDH_MEM_RANGE_BLOCK);
	tdx_test_map_range(t, GFN, GFN + 2);
	tdx_test_reset_counts(t);
	KUNIT_ASSERT_EQ(test, tdh_mem_range_block(t->tdr, gfn_to_gpa(GFN), 0, &info),
			TDX_SUCCESS);

	tdx_test_punch_hole(t, GFN, GFN + 2, false);

	tdx_test_expect_pages(t, 0, 2, 0);
	tdx_test_expect_rounds(t, 1, 1, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* The same without anything made up: some of it early, the rest with the VM. */
static void td_that_became_fatal_loses_nothing(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	prepare(t, TDH_MEM_RANGE_BLOCK);
	tdx_test_map_range(t, GFN, GFN + 4);
	tdx_test_reset_counts(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_set_fatal(t->tdr), 0);

	tdx_test_punch_hole(t, GFN, GFN + 3, false);
	tdx_test_expect_bugged(t, false);
	tdx_test_expect_pages(t, 0, 0, 0);
	expect_references(t, 2);

	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, 4, 0);
	expect_references(t, 1);
}

/*
 * Measurement
 */

static void measurement_waits_for_a_busy_module(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);
	inject(t, TDH_MR_EXTEND, 3, 20, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RDX);

	KUNIT_EXPECT_EQ(test, tdx_sept_measure_page(t->kvm, GFN), 0);
	tdx_test_expect_calls(t, TDH_MR_EXTEND, 16 + 20);
	tdx_test_expect_bugged(t, false);
}

static void half_a_measurement_bugs_the_vm(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);
	inject(t, TDH_MR_EXTEND, 9, 1, TDX_EPT_ENTRY_NOT_PRESENT);

	KUNIT_EXPECT_EQ(test, tdx_sept_measure_page(t->kvm, GFN), -EIO);
	tdx_test_expect_calls(t, TDH_MR_EXTEND, 9);
	tdx_test_expect_bugged(t, true);
	tdx_test_expect_trees_equal(t);
}

/*
 * The log
 */

static unsigned int nr_lines;
static char last_line[256];

static void catch_line(struct console *console, const char *text, unsigned int len)
{
	if (!strnstr(text, "TDH.", len))
		return;

	nr_lines++;
	len = min_t(unsigned int, len, sizeof(last_line) - 1);
	memcpy(last_line, text, len);
	last_line[len] = 0;
}

/* One line with leaf, status and operands.  It must not be suppressed either. */
static void failure_is_logged(struct kunit *test)
{
	static struct console catcher = {
		.name = "tdxkunit",
		.write = catch_line,
		.flags = CON_ENABLED,
		.index = -1,
	};
	struct tdx_test *t = test->priv;

	prepare(t, TDH_MEM_PAGE_AUG);
	tdx_test_map_range(t, GFN + 1, GFN + 2);
	inject(t, TDH_MEM_PAGE_AUG, 1, 1, TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX);

	/* Longer than the interval of the rate limit. */
	msleep(DEFAULT_RATELIMIT_INTERVAL / HZ * 1000 + 100);
	nr_lines = 0;
	register_console(&catcher);
	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), -EIO);
	unregister_console(&catcher);

	KUNIT_EXPECT_EQ(test, nr_lines, 1);
	KUNIT_EXPECT_NOT_NULL(test, strstr(last_line, "TDH.MEM.PAGE.AUG (6)"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(last_line, "0xc0000b0d00000001"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(last_line, "0x3fe00000"));
	tdx_test_expect_bugged(t, true);
}

static struct kunit_case tdx_sept_fail_cases[] = {
	KUNIT_CASE_PARAM(busy_addition_is_left_to_the_next_fault, busy_addition_gen_params),
	KUNIT_CASE_PARAM(failed_addition_bugs_the_vm, failed_addition_gen_params),
	KUNIT_CASE_PARAM(busy_link_keeps_the_tables_above, table_gen_params),
	KUNIT_CASE_PARAM(failed_link_keeps_the_tables_above, table_gen_params),
	KUNIT_CASE(entropy_that_comes_late_is_enough),
	KUNIT_CASE_PARAM(busy_removal_is_repeated_without_vcpus, busy_removal_gen_params),
	KUNIT_CASE_PARAM(failed_removal_bugs_the_vm_and_leaks_the_page,
			 failed_removal_gen_params),
	KUNIT_CASE_PARAM(removal_that_stays_busy_fails, stuck_gen_params),
	KUNIT_CASE(busy_pages_are_counted_each),
	KUNIT_CASE(first_block_that_stays_busy_fails),
	KUNIT_CASE_PARAM(fatal_td_gives_its_pages_back_in_the_end, fatal_leaf_gen_params),
	KUNIT_CASE(failed_removal_before_finalize_leaks_the_page),
	KUNIT_CASE_PARAM(addition_waits_for_locks_of_the_module, held_gen_params),
	KUNIT_CASE(somebody_elses_page_is_refused),
	KUNIT_CASE(entry_in_use_is_refused),
	KUNIT_CASE(blocked_entry_is_removed),
	KUNIT_CASE(td_that_became_fatal_loses_nothing),
	KUNIT_CASE(measurement_waits_for_a_busy_module),
	KUNIT_CASE(half_a_measurement_bugs_the_vm),
	KUNIT_CASE_SLOW(failure_is_logged),
	{}
};

static struct kunit_suite tdx_sept_fail_suite = {
	.name = "kvm_tdx_sept_fail",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_sept_fail_cases,
};

kunit_test_suite(tdx_sept_fail_suite);
