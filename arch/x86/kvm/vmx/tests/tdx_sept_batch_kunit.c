// SPDX-License-Identifier: GPL-2.0
/*
 * What the removal of a range costs in SEAMCALLs, TRACK rounds and kicks, what a
 * module that is busy on the way changes about it, and removal while the TD
 * becomes runnable.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define GFN	TDX_TEST_GFN

static void finalize(struct tdx_test *t)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_finalize(t), 0);
	tdx_test_reset_counts(t);
}

/* Of a TD that is runnable, and if nothing is busy. */
static void expect_cost(struct tdx_test *t, u64 nr_pages, u64 nr_rounds)
{
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, nr_pages);
	tdx_test_expect_calls(t, TDH_MEM_TRACK, nr_rounds);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, nr_pages);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, nr_pages);
	tdx_test_expect_rounds(t, nr_rounds, nr_rounds, 0);
}

static const struct batch_size {
	const char *desc;
	unsigned int nr_pages;
	gfn_t start;
} batch_sizes[] = {
	{ "1_page", 1, 0x10000 },
	{ "511_pages", 511, 0x10000 },
	{ "512_pages", 512, 0x10000 },
	{ "513_pages", 513, 0x10000 },
	{ "5000_pages", 5000, 0x10000 },
	{ "1_page_unaligned", 1, 0x101ff },
	{ "512_pages_unaligned", 512, 0x10011 },
	{ "513_pages_across_1g", 513, 0x3ffff },
	{ "5000_pages_unaligned", 5000, 0x101ff },
};

KUNIT_ARRAY_PARAM_DESC(batch_size, batch_sizes, desc);

static void one_round_for_each_512_pages(struct kunit *test)
{
	const struct batch_size *size = test->param_value;
	struct tdx_test *t = test->priv;
	gfn_t end = size->start + size->nr_pages;

	finalize(t);
	/* One more page on either side, which has to stay. */
	tdx_test_map_range(t, size->start - 1, end + 1);
	tdx_test_reset_counts(t);

	tdx_test_punch_hole(t, size->start, end, false);

	expect_cost(t, size->nr_pages, DIV_ROUND_UP(size->nr_pages, 512));
	tdx_test_expect_pages(t, 0, size->nr_pages, 0);
	tdx_test_expect_entry(t, size->start - 1, PG_LEVEL_4K, TDX_SEPT_PENDING);
	tdx_test_expect_entry(t, end, PG_LEVEL_4K, TDX_SEPT_PENDING);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.pages[0]), 2);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* 1 of 9 pages, and after half of them a hole of several tables. */
static gfn_t scattered_gfn(unsigned int i, unsigned int nr)
{
	return GFN + i * 9 + (i < nr / 2 ? 0 : 5 * 512);
}

static const struct scatter {
	const char *desc;
	unsigned int nr_pages;
} scatters[] = {
	{ "512_pages", 512 },
	{ "513_pages", 513 },
};

KUNIT_ARRAY_PARAM_DESC(scatter, scatters, desc);

static void holes_cost_nothing(struct kunit *test)
{
	const struct scatter *scatter = test->param_value;
	unsigned int i, nr = scatter->nr_pages;
	struct tdx_test *t = test->priv;
	gfn_t gfn;

	finalize(t);
	for (i = 0; i < nr; i++) {
		gfn = scattered_gfn(i, nr);
		tdx_test_map_range(t, gfn, gfn + 1);
	}
	tdx_test_reset_counts(t);

	tdx_test_punch_hole(t, 0, kvm_gfn_direct_bits(t->kvm), false);

	expect_cost(t, nr, DIV_ROUND_UP(nr, 512));
	tdx_test_expect_pages(t, 0, nr, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void no_round_before_finalize(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 600);
	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN + 10, GFN + 600, false);

	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 0);
	tdx_test_expect_calls(t, TDH_MEM_TRACK, 0);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 590);
	tdx_test_expect_rounds(t, 0, 0, 0);
	tdx_test_expect_pages(t, 0, 590, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

#define YIELD_EVERY	100

static unsigned int nr_begun;

/* The backend, and every now and then somebody who wants the CPU. */
static int yielding_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte,
				      u64 new_spte, enum pg_level level)
{
	if (kvm_external_verb(old_spte, new_spte, level) == EXTERNAL_BEGIN_REMOVE &&
	    !(++nr_begun % YIELD_EVERY))
		set_tsk_need_resched(current);

	return tdx_set_external_spte(kvm, gfn, old_spte, new_spte, level);
}

/* A batch is cut short where it has to yield, and nothing is left half done. */
static void a_yield_costs_a_round(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 nr_yields;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 1000);
	tdx_test_reset_counts(t);
	nr_begun = 0;
	static_call_update(kvm_x86_set_external_spte, yielding_set_external_spte);

	tdx_test_punch_hole(t, GFN, GFN + 1000, true);

	/* None of the batches comes near 512: each but the last ends in a yield. */
	nr_yields = t->kvm->stat.mmu_external_yields;
	KUNIT_EXPECT_GE(test, nr_yields, 1000 / YIELD_EVERY - 1);
	expect_cost(t, 1000, nr_yields + 1);
	tdx_test_expect_pages(t, 0, 1000, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void no_yield_if_the_caller_forbids_it(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 1000);
	tdx_test_reset_counts(t);
	nr_begun = 0;
	static_call_update(kvm_x86_set_external_spte, yielding_set_external_spte);

	tdx_test_punch_hole(t, GFN, GFN + 1000, false);

	KUNIT_EXPECT_EQ(test, t->kvm->stat.mmu_external_yields, 0);
	expect_cost(t, 1000, 2);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/*
 * Ten pages are removed, and calls number nth to nth + times - 1 of a leaf find
 * the module busy.  A second attempt comes with all vCPUs kicked; a BLOCK that
 * fails then, too, ends the batch, which has no effect if it has not begun.
 */
static const struct busy {
	const char *desc;
	u16 leaf;
	unsigned int nth;
	unsigned int times;
	u64 status;
	unsigned int block, track, remove, wbinvd;
	unsigned int rounds, kicks, busy;
} busies[] = {
	{ "first_block_once", TDH_MEM_RANGE_BLOCK, 1, 1,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE, 11, 1, 10, 10, 1, 2, 1 },
	{ "first_block_twice", TDH_MEM_RANGE_BLOCK, 1, 2,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE, 12, 1, 10, 10, 1, 2, 1 },
	{ "first_block_three_times", TDH_MEM_RANGE_BLOCK, 1, 3,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 13, 1, 10, 10, 1, 3, 2 },
	{ "fifth_block_once", TDH_MEM_RANGE_BLOCK, 5, 1,
	  TDX_OPERAND_BUSY_HOST_PRIORITY | TDX_OPERAND_ID_RCX, 11, 1, 10, 10, 1, 2, 1 },
	{ "fifth_block_twice", TDH_MEM_RANGE_BLOCK, 5, 2,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RDX, 12, 2, 10, 10, 2, 3, 1 },
	{ "last_block_twice", TDH_MEM_RANGE_BLOCK, 10, 2,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE, 12, 2, 10, 10, 2, 3, 1 },
	{ "track_once", TDH_MEM_TRACK, 1, 1,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH, 10, 2, 10, 10, 1, 2, 1 },
	{ "track_previous_epoch", TDH_MEM_TRACK, 1, 1,
	  TDX_PREVIOUS_TLB_EPOCH_BUSY, 10, 2, 10, 10, 1, 2, 1 },
	{ "first_remove_once", TDH_MEM_PAGE_REMOVE, 1, 1,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 10, 1, 11, 10, 1, 2, 1 },
	{ "last_remove_once", TDH_MEM_PAGE_REMOVE, 10, 1,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE, 10, 1, 11, 10, 1, 2, 1 },
	{ "third_wbinvd_once", TDH_PHYMEM_PAGE_WBINVD, 3, 1,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 10, 1, 10, 11, 1, 2, 1 },
};

KUNIT_ARRAY_PARAM_DESC(busy, busies, desc);

static void busy_step_is_repeated(struct kunit *test)
{
	const struct busy *busy = test->param_value;
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 10);
	tdx_test_reset_counts(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(busy->leaf, busy->nth, busy->times,
						busy->status), 0);

	tdx_test_punch_hole(t, GFN, GFN + 10, false);

	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, busy->block);
	tdx_test_expect_calls(t, TDH_MEM_TRACK, busy->track);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, busy->remove);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, busy->wbinvd);
	tdx_test_expect_rounds(t, busy->rounds, busy->kicks, busy->busy);
	tdx_test_expect_pages(t, 0, 10, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/*
 * FINALIZE_VM against holes: punching one takes no lock of the ioctls.
 */

#define NR_RACE_PAGES	300

static const int race_rounds[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void race_round_to_desc(const int *round, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "round_%d", *round);
}

KUNIT_ARRAY_PARAM(race_round, race_rounds, race_round_to_desc);

struct finalize_race {
	struct tdx_test *t;
	/* Finalize once that many pages are removed. */
	int when;
	int nr_removed;
	bool started;
	int result;
	struct completion done;
};

static int finalize_thread(void *data)
{
	struct finalize_race *race = data;

	WRITE_ONCE(race->started, true);
	while (READ_ONCE(race->nr_removed) < race->when)
		cond_resched();

	race->result = tdx_test_finalize(race->t);
	complete(&race->done);
	return 0;
}

/* On another CPU than this. */
static void start_finalize(struct finalize_race *race)
{
	init_completion(&race->done);
	wake_up_process(tdx_test_other_cpu_thread(race->t, finalize_thread, race));
	while (!READ_ONCE(race->started))
		cond_resched();
}

/*
 * Whoever holds mmu_lock finds that KVM and the module agree on whether the TD
 * is runnable, and hence on whether pages have to be blocked.
 */
static void kvm_and_module_agree_under_mmu_lock(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct finalize_race race = { .t = t };
	unsigned int nr_disagreed = 0;
	struct tdx_sw_td_info info;
	bool runnable = false;

	race.when = 1;
	start_finalize(&race);

	WRITE_ONCE(race.nr_removed, 1);
	while (!runnable) {
		write_lock(&t->kvm->mmu_lock);
		runnable = tdx_is_runnable(t->kvm_tdx);
		tdx_sw_test_td(t->tdr, &info);
		nr_disagreed += runnable != (info.op_state == TDX_OP_RUNNABLE);
		write_unlock(&t->kvm->mmu_lock);
		cond_resched();
	}
	wait_for_completion(&race.done);

	KUNIT_EXPECT_EQ(test, race.result, 0);
	KUNIT_EXPECT_EQ(test, nr_disagreed, 0);
	tdx_test_expect_bugged(t, false);
}

/* As long as a removal goes on the TD doesn't become runnable. */
static void finalize_waits_for_mmu_lock(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct finalize_race race = { .t = t };
	u64 nr_calls;

	race.when = 1;
	start_finalize(&race);

	read_lock(&t->kvm->mmu_lock);
	WRITE_ONCE(race.nr_removed, 1);
	mdelay(20);
	nr_calls = atomic64_read(&t->kvm_tdx->seamcalls[TDH_MR_FINALIZE]);
	read_unlock(&t->kvm->mmu_lock);

	wait_for_completion(&race.done);
	KUNIT_EXPECT_EQ(test, nr_calls, 0);
	KUNIT_EXPECT_EQ(test, race.result, 0);
	tdx_test_expect_calls(t, TDH_MR_FINALIZE, 1);
	tdx_test_expect_bugged(t, false);
}

static void finalize_against_holes(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct finalize_race race = { .t = t };
	u64 nr_blocked, nr_rounds;
	gfn_t gfn;

	tdx_test_map_range(t, GFN, GFN + NR_RACE_PAGES);
	tdx_test_reset_counts(t);
	race.when = get_random_u32_inclusive(1, NR_RACE_PAGES - 1);
	kunit_info(test, "finalize after %d pages\n", race.when);
	start_finalize(&race);

	for (gfn = GFN; gfn < GFN + NR_RACE_PAGES; gfn++) {
		tdx_test_punch_hole(t, gfn, gfn + 1, true);
		WRITE_ONCE(race.nr_removed, race.nr_removed + 1);
	}
	wait_for_completion(&race.done);

	KUNIT_EXPECT_EQ(test, race.result, 0);
	nr_blocked = atomic64_read(&t->kvm_tdx->seamcalls[TDH_MEM_RANGE_BLOCK]);
	nr_rounds = atomic64_read(&t->kvm->stat.tdx_track_rounds);
	KUNIT_EXPECT_LE(test, nr_blocked, NR_RACE_PAGES - race.when);
	KUNIT_EXPECT_EQ(test, nr_rounds, nr_blocked);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, NR_RACE_PAGES);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, nr_blocked);
	tdx_test_expect_pages(t, 0, NR_RACE_PAGES, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static struct kunit_case tdx_sept_batch_cases[] = {
	KUNIT_CASE_PARAM_ATTR(one_round_for_each_512_pages, batch_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM(holes_cost_nothing, scatter_gen_params),
	KUNIT_CASE(no_round_before_finalize),
	KUNIT_CASE(a_yield_costs_a_round),
	KUNIT_CASE(no_yield_if_the_caller_forbids_it),
	KUNIT_CASE_PARAM(busy_step_is_repeated, busy_gen_params),
	KUNIT_CASE_PARAM(kvm_and_module_agree_under_mmu_lock, race_round_gen_params),
	KUNIT_CASE(finalize_waits_for_mmu_lock),
	KUNIT_CASE_PARAM(finalize_against_holes, race_round_gen_params),
	{}
};

/* Pages and rounds are counted, and nothing else: without large pages tables stay. */
static int init_batch(struct kunit *test)
{
	tdx_huge_page = false;
	return tdx_fixture_init(test);
}

static void exit_batch(struct kunit *test)
{
	tdx_fixture_exit(test);
	tdx_huge_page = true;
}

static struct kunit_suite tdx_sept_batch_suite = {
	.name = "kvm_tdx_sept_batch",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = init_batch,
	.exit = exit_batch,
	.test_cases = tdx_sept_batch_cases,
};

kunit_test_suite(tdx_sept_batch_suite);
