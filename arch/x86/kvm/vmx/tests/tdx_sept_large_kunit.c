// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of 2 MiB in the S-EPT of the software TDX module: mapped, split, removed, and the
 * tables that go with them; which SEAMCALLs each takes, and what a refusal leaves behind.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define GFN	TDX_TEST_GFN
#define NR	512
/* The tables above a large page */
#define NR_ABOVE	(TDX_TEST_NR_TABLES - 1)

static void map_large(struct tdx_test *t, gfn_t gfn)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_fault_large(t, gfn), RET_PF_FIXED);
}

static u64 stat_of(atomic64_t *stat)
{
	return atomic64_read(stat);
}

static void inject(struct tdx_test *t, unsigned int leaf, unsigned int nth,
		   unsigned int times, u64 status)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_sw_inject_set(leaf, nth, times, status), 0);
}

static void expect_fine(struct tdx_test *t)
{
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void fault_maps_a_large_page(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	map_large(t, GFN + 3);

	tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, NR_ABOVE);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_AUG, 1);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_2M, TDX_SEPT_PENDING);
	tdx_test_expect_pages(t, NR, 0, 0);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_pages_mapped_2m), 1);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), NR_ABOVE);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.pages[1]), 1);
	KUNIT_EXPECT_EQ(test, tdx_test_fault_large(t, GFN), RET_PF_SPURIOUS);
	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN + 4), RET_PF_SPURIOUS);
	expect_fine(t);
}

/* The module tells where its walk ended, which is the large page. */
static void all_of_a_large_page_is_pending(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	map_large(t, GFN);
	KUNIT_EXPECT_TRUE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN)));
	KUNIT_EXPECT_TRUE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN + NR) - 1));
	KUNIT_EXPECT_FALSE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN + NR)));
	expect_fine(t);
}

static void large_page_is_removed_whole(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 last;

	map_large(t, GFN);
	map_large(t, GFN - NR);
	last = page_to_phys(tdx_test_page(t, GFN + NR - 1));
	memset(page_address(tdx_test_page(t, GFN + 7)), 0x5a, PAGE_SIZE);
	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 1);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 1);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, NR);
	tdx_test_expect_written_back(t, last, t->hkid);
	tdx_test_expect_rounds(t, 1, 1, 0);
	tdx_test_expect_pages(t, 0, NR, 0);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_2M, TDX_SEPT_FREE);
	tdx_test_expect_entry(t, GFN - NR, PG_LEVEL_2M, TDX_SEPT_PENDING);
	expect_fine(t);
}

static void destruction_reclaims_it_in_one_go(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 calls;

	map_large(t, GFN);
	tdx_test_map_range(t, GFN + NR, GFN + NR + 3);
	tdx_test_reset_counts(t);
	tdx_test_destroy(t);

	/* 1 + 3 pages; tables: those above the large one, and two for the others. */
	calls = tdx_test_nr_calls(t, TDH_PHYMEM_PAGE_RECLAIM);
	KUNIT_EXPECT_LT(test, calls, NR);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 0);
	tdx_test_expect_pages(t, 0, NR + 3, 0);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), 0);
	tdx_test_expect_bugged(t, false);
}

static void split_blocks_tracks_and_demotes(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	gfn_t gfn;

	map_large(t, GFN - NR);
	map_large(t, GFN);
	tdx_test_reset_counts(t);
	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN - 1, GFN + 1), 0);

	/* One round for both. */
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 2);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_DEMOTE, 2);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 0);
	tdx_test_expect_rounds(t, 1, 1, 0);
	tdx_test_expect_pages(t, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_splits), 2);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), NR_ABOVE + 2);
	for (gfn = GFN; gfn < GFN + NR; gfn += NR - 1)
		tdx_test_expect_entry(t, gfn, PG_LEVEL_4K, TDX_SEPT_PENDING);
	tdx_test_expect_trees_equal(t);

	/* What was split is removed to the page. */
	tdx_test_punch_hole(t, GFN - 1, GFN + 1, false);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 2);
	tdx_test_expect_pages(t, 0, 2, 0);
	tdx_test_expect_entry(t, GFN - 2, PG_LEVEL_4K, TDX_SEPT_PENDING);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_4K, TDX_SEPT_FREE);
	expect_fine(t);
}

static void table_comes_back_with_all_that_it_maps(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	int i;

	map_large(t, GFN);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, tdx_test_split(t, GFN + 1, GFN + NR), 0);
		tdx_test_reset_counts(t);
		tdx_test_punch_hole(t, GFN, GFN + NR, false);

		tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, NR + 1);
		tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, NR);
		tdx_test_expect_calls(t, TDH_MEM_SEPT_REMOVE, 1);
		tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, NR + 1);
		tdx_test_expect_rounds(t, 2, 2, 0);
		KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), NR_ABOVE);
		tdx_test_expect_trees_equal(t);

		/* So that there is a large page again, which takes no table. */
		map_large(t, GFN);
		tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, 0);
		expect_fine(t);
	}
}

/* Before finalize no vCPU can have run: nothing is tracked. */
static void table_of_initial_memory_needs_no_tracking(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 2);
	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 0);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_REMOVE, 1);
	tdx_test_expect_rounds(t, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), NR_ABOVE);
	expect_fine(t);
}

static void level_depends_on_state_and_parameter(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, tdx_private_max_mapping_level(t->kvm), PG_LEVEL_4K);
	KUNIT_ASSERT_EQ(test, tdx_test_finalize(t), 0);
	KUNIT_EXPECT_EQ(test, tdx_private_max_mapping_level(t->kvm), PG_LEVEL_2M);
	tdx_huge_page = false;
	KUNIT_EXPECT_EQ(test, tdx_private_max_mapping_level(t->kvm), PG_LEVEL_4K);

	/* Where there are no large pages tables are in nobody's way. */
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 1);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_REMOVE, 0);
	tdx_test_expect_rounds(t, 1, 1, 0);
	expect_fine(t);
}

/* A TD that becomes runnable while a removal has yielded: then it has to be tracked. */

static struct task_struct *finalizer;
static int finalizer_result;
static DECLARE_COMPLETION(finalizer_done);

static int finalize_thread(void *data)
{
	finalizer_result = tdx_test_finalize(data);
	complete(&finalizer_done);
	return 0;
}

static int finish_and_let_it_finalize(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
				      enum pg_level level)
{
	int r = tdx_set_external_spte(kvm, gfn, old_spte, new_spte, level);

	if (!finalizer ||
	    kvm_external_verb(old_spte, new_spte, level) != EXTERNAL_FINISH_REMOVE)
		return r;

	wake_up_process(finalizer);
	finalizer = NULL;
	while (!rwlock_is_contended(&kvm->mmu_lock))
		cpu_relax();
	set_tsk_need_resched(current);
	set_preempt_need_resched();
	return r;
}

static void removal_begins_anew_if_the_td_becomes_runnable(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 3);
	tdx_test_reset_counts(t);
	reinit_completion(&finalizer_done);
	finalizer = tdx_test_other_cpu_thread(t, finalize_thread, t);
	static_call_update(kvm_x86_set_external_spte, finish_and_let_it_finalize);
	tdx_test_punch_hole(t, GFN, GFN + 3, true);
	static_call_update(kvm_x86_set_external_spte, tdx_set_external_spte);
	wait_for_completion(&finalizer_done);

	KUNIT_EXPECT_EQ(test, finalizer_result, 0);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 2);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 3);
	tdx_test_expect_pages(t, 0, 3, 0);
	KUNIT_EXPECT_EQ(test, t->kvm->stat.mmu_external_yields, 1);
	expect_fine(t);
}

/* Answers that are no failure yet */

static const struct passing {
	const char *desc;
	unsigned int leaf;
	u64 status;
} passings[] = {
	{ "demote_busy", TDH_MEM_PAGE_DEMOTE, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX },
	{ "demote_busy_table", TDH_MEM_PAGE_DEMOTE, TDX_OPERAND_BUSY | TDX_OPERAND_ID_R8 },
	{ "demote_interrupted", TDH_MEM_PAGE_DEMOTE, TDX_INTERRUPTED_RESTARTABLE },
	{ "block_busy", TDH_MEM_RANGE_BLOCK, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX },
	{ "track_busy", TDH_MEM_TRACK, TDX_PREVIOUS_TLB_EPOCH_BUSY },
};

KUNIT_ARRAY_PARAM_DESC(passing, passings, desc);

static void split_is_repeated_without_vcpus(struct kunit *test)
{
	const struct passing *p = test->param_value;
	struct tdx_test *t = test->priv;

	map_large(t, GFN);
	tdx_test_reset_counts(t);
	inject(t, p->leaf, 1, 1, p->status);

	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), 0);
	tdx_test_expect_calls(t, p->leaf, 2);
	tdx_test_expect_rounds(t, 1, 2, 1);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_splits), 1);
	expect_fine(t);
}

/* BLOCK may stay busy for a while, as nothing has begun. */
static void split_that_cannot_begin_is_tried_again(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	map_large(t, GFN);
	tdx_test_reset_counts(t);
	inject(t, TDH_MEM_RANGE_BLOCK, 1, 3, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);

	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), 0);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 4);
	tdx_test_expect_rounds(t, 1, 3, 2);
	expect_fine(t);
}

/* Failures */

static const struct failing {
	const char *desc;
	unsigned int leaf;
	unsigned int times;
	u64 status;
} failings[] = {
	{ "demote_stays_busy", TDH_MEM_PAGE_DEMOTE, 2, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX },
	{ "demote_interrupted_twice", TDH_MEM_PAGE_DEMOTE, 2, TDX_INTERRUPTED_RESTARTABLE },
	{ "demote_not_tracked", TDH_MEM_PAGE_DEMOTE, 1,
	  TDX_TLB_TRACKING_NOT_DONE | TDX_OPERAND_ID_RCX },
	{ "demote_bad_table", TDH_MEM_PAGE_DEMOTE, 1,
	  TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_R8 },
	{ "block_fails", TDH_MEM_RANGE_BLOCK, 1, TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX },
};

KUNIT_ARRAY_PARAM_DESC(failing, failings, desc);

/* The page stays whole, and its memory the TD's; the table goes back to the kernel. */
static void failed_split_loses_nothing(struct kunit *test)
{
	const struct failing *f = test->param_value;
	struct tdx_test *t = test->priv;
	struct kvm_vm_stat *stat = &t->kvm->stat;
	s64 pages = tdx_nr_pages();

	map_large(t, GFN);
	tdx_test_reset_counts(t);
	inject(t, f->leaf, 1, f->times, f->status);

	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), -EIO);
	tdx_test_expect_bugged(t, true);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, f->leaf == TDH_MEM_PAGE_DEMOTE);
	KUNIT_EXPECT_EQ(test, stat_of(&stat->tdx_splits), 0);
	KUNIT_EXPECT_EQ(test, stat_of(&stat->tdx_sept_pages), NR_ABOVE);
	KUNIT_EXPECT_EQ(test, tdx_nr_pages() - pages, NR_ABOVE + NR);
	KUNIT_EXPECT_EQ(test, stat_of(&stat->pages[1]), 1);
	tdx_test_expect_pages(t, 0, 0, 0);

	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, NR, 0);
}

/* Nobody knows what is in it, then. */
static void table_that_cannot_be_written_back_is_leaked(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	map_large(t, GFN);
	inject(t, TDH_MEM_PAGE_DEMOTE, 1, 1, TDX_TLB_TRACKING_NOT_DONE | TDX_OPERAND_ID_RCX);
	inject(t, TDH_PHYMEM_PAGE_WBINVD, 1, 1, TDX_SYS_NOT_READY);

	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), -EIO);
	tdx_test_expect_bugged(t, true);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_pages_leaked), 1);
	/* Neither is it the TD's nor known to anybody. */
	t->nr_leaked = 1;
	t->want_leaked = 1;
}

/* 512 pages that are lost, not one. */
static void large_page_that_is_not_removed_is_leaked_whole(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	int i;

	map_large(t, GFN);
	inject(t, TDH_MEM_PAGE_REMOVE, 1, 1, TDX_EPT_ENTRY_STATE_INCORRECT);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, NR, 0, NR);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test, page_count(tdx_test_page(t, GFN + i)), 2);
	/* And the TDR, as long as the page is the TD's. */
	t->want_leaked = NR + 1;
}

static void large_page_that_is_not_written_back_is_leaked_whole(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	map_large(t, GFN);
	inject(t, TDH_PHYMEM_PAGE_WBINVD, 300, 1, TDX_SYS_NOT_READY);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_bugged(t, true);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, 300);
	tdx_test_expect_pages(t, NR, 0, NR);
	t->want_leaked = NR;
}

/* A TD that is fatal */

static void fatal_td_is_not_split(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	int i;

	map_large(t, GFN);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_set_fatal(t->tdr), 0);
	tdx_test_reset_counts(t);

	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), -EIO);
	tdx_test_expect_bugged(t, false);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 1);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_DEMOTE, 0);
	/* It is known, now. */
	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), -EIO);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 1);

	/* All of it can go, in the end. */
	tdx_test_punch_hole(t, GFN, GFN + NR, false);
	tdx_test_expect_pages(t, 0, 0, 0);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test, page_count(tdx_test_page(t, GFN + i)), 2);
	tdx_test_expect_bugged(t, false);

	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, NR, 0);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test, page_count(tdx_test_page(t, GFN + i)), 1);
}

static void td_that_dies_of_the_split_loses_nothing(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	map_large(t, GFN);
	tdx_test_reset_counts(t);
	inject(t, TDH_MEM_PAGE_DEMOTE, 1, 1, TDX_TD_FATAL);

	KUNIT_EXPECT_EQ(test, tdx_test_split(t, GFN, GFN + 1), -EIO);
	tdx_test_expect_bugged(t, false);
	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, NR, 0);
}

/* Tables */

static void make_table(struct tdx_test *t)
{
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);
}

static void busy_table_is_removed_without_vcpus(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	make_table(t);
	inject(t, TDH_MEM_SEPT_REMOVE, 1, 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_calls(t, TDH_MEM_SEPT_REMOVE, 2);
	tdx_test_expect_rounds(t, 2, 3, 1);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), NR_ABOVE);
	expect_fine(t);
}

static void table_that_stays_busy_stays(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	make_table(t);
	/* The first is that of the page. */
	inject(t, TDH_MEM_RANGE_BLOCK, 2, 2, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 3);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_REMOVE, 0);
	tdx_test_expect_pages(t, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), TDX_TEST_NR_TABLES);
	expect_fine(t);

	/* It serves the next page. */
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, 0);
	expect_fine(t);
}

static void table_that_cannot_be_blocked_bugs_the_vm(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	make_table(t);
	inject(t, TDH_MEM_RANGE_BLOCK, 2, 1, TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, 0, 1, 0);
	tdx_test_destroy(t);
	KUNIT_EXPECT_EQ(test, stat_of(&t->kvm->stat.tdx_sept_pages), 0);
}

static void table_that_cannot_be_removed_is_leaked(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	make_table(t);
	inject(t, TDH_MEM_SEPT_REMOVE, 1, 1, TDX_EPT_ENTRY_STATE_INCORRECT);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_bugged(t, true);
	tdx_test_expect_pages(t, 0, 1, 1);
	/* And the TDR with it. */
	t->want_leaked = 2;
}

/* What it was about is gone, and the table is the TD's until it has no key. */
static void table_of_a_td_that_dies_comes_back_in_the_end(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	make_table(t);
	inject(t, TDH_MEM_SEPT_REMOVE, 1, 1, TDX_TD_FATAL);
	tdx_test_punch_hole(t, GFN, GFN + NR, false);

	tdx_test_expect_bugged(t, false);
	tdx_test_expect_pages(t, 0, 1, 0);
	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, tdx_nr_pages(), t->old_pages);
}

static struct kunit_case tdx_sept_large_cases[] = {
	KUNIT_CASE(fault_maps_a_large_page),
	KUNIT_CASE(all_of_a_large_page_is_pending),
	KUNIT_CASE(large_page_is_removed_whole),
	KUNIT_CASE(destruction_reclaims_it_in_one_go),
	KUNIT_CASE(split_blocks_tracks_and_demotes),
	KUNIT_CASE(table_comes_back_with_all_that_it_maps),
	KUNIT_CASE_PARAM(split_is_repeated_without_vcpus, passing_gen_params),
	KUNIT_CASE(split_that_cannot_begin_is_tried_again),
	KUNIT_CASE_PARAM(failed_split_loses_nothing, failing_gen_params),
	KUNIT_CASE(table_that_cannot_be_written_back_is_leaked),
	KUNIT_CASE(large_page_that_is_not_removed_is_leaked_whole),
	KUNIT_CASE(large_page_that_is_not_written_back_is_leaked_whole),
	KUNIT_CASE(fatal_td_is_not_split),
	KUNIT_CASE(td_that_dies_of_the_split_loses_nothing),
	KUNIT_CASE(busy_table_is_removed_without_vcpus),
	KUNIT_CASE(table_that_stays_busy_stays),
	KUNIT_CASE(table_that_cannot_be_blocked_bugs_the_vm),
	KUNIT_CASE(table_that_cannot_be_removed_is_leaked),
	KUNIT_CASE(table_of_a_td_that_dies_comes_back_in_the_end),
	{}
};

static struct kunit_suite tdx_sept_large_suite = {
	.name = "kvm_tdx_sept_large",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init_runnable,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_sept_large_cases,
};

kunit_test_suite(tdx_sept_large_suite);

static void exit_level(struct kunit *test)
{
	tdx_huge_page = true;
	tdx_fixture_exit(test);
}

/* The TD is still INITIALIZED. */
static struct kunit_case tdx_sept_level_cases[] = {
	KUNIT_CASE(table_of_initial_memory_needs_no_tracking),
	KUNIT_CASE(level_depends_on_state_and_parameter),
	KUNIT_CASE(removal_begins_anew_if_the_td_becomes_runnable),
	{}
};

static struct kunit_suite tdx_sept_level_suite = {
	.name = "kvm_tdx_sept_level",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init,
	.exit = exit_level,
	.test_cases = tdx_sept_level_cases,
};

kunit_test_suite(tdx_sept_level_suite);
