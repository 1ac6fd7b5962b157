// SPDX-License-Identifier: GPL-2.0
/*
 * The verbs of the TDX backend with the software TDX module behind it: which
 * SEAMCALLs each means in which state of the TD, and what becomes of mirror,
 * S-EPT, pages and counters.  Failures are in tdx_sept_fail_kunit.c.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define GFN	TDX_TEST_GFN

static void finalize(struct tdx_test *t)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_finalize(t), 0);
	tdx_test_reset_counts(t);
}

/* Each of the leaves that work on the S-EPT or on its pages has a place. */
struct sept_calls {
	u64 sept_add, page_add, page_aug, block, track, remove, wbinvd, reclaim;
};

static void expect_calls(struct tdx_test *t, const struct sept_calls *want)
{
	tdx_test_expect_calls(t, TDH_MEM_SEPT_ADD, want->sept_add);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_ADD, want->page_add);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_AUG, want->page_aug);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, want->block);
	tdx_test_expect_calls(t, TDH_MEM_TRACK, want->track);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, want->remove);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, want->wbinvd);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_RECLAIM, want->reclaim);
}

#define expect_these_calls(t, ...) \
	expect_calls(t, &(struct sept_calls) { __VA_ARGS__ })

static void expect_tables(struct tdx_test *t, gfn_t gfn)
{
	int level;

	for (level = PG_LEVEL_2M; level <= PT64_ROOT_4LEVEL; level++)
		tdx_test_expect_entry(t, gfn, level, TDX_SEPT_NL_MAPPED);
}

static void map_before_finalize_adds_content(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_FIXED);

	expect_these_calls(t, .sept_add = TDX_TEST_NR_TABLES, .page_add = 1);
	expect_tables(t, GFN);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_4K, TDX_SEPT_MAPPED);
	KUNIT_EXPECT_EQ(test, memcmp(page_address(tdx_test_page(t, GFN)),
				     page_address(t->source), PAGE_SIZE), 0);
	tdx_test_expect_pages(t, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.pages[0]), 1);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void map_after_finalize_augments(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_FIXED);

	expect_these_calls(t, .sept_add = TDX_TEST_NR_TABLES, .page_aug = 1);
	expect_tables(t, GFN);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_4K, TDX_SEPT_PENDING);
	tdx_test_expect_pages(t, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.pages[0]), 1);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void tables_are_linked_once(struct kunit *test)
{
	static const struct {
		gfn_t gfn;
		unsigned int nr_tables;
	} steps[] = {
		{ GFN, 3 },
		{ GFN + 1, 0 },
		{ GFN + 511, 0 },
		/* The next table lies beyond the GiB. */
		{ GFN + 512, 2 },
		{ GFN + 1024, 1 },
		{ 0, 1 },
	};
	struct tdx_test *t = test->priv;
	int i;

	finalize(t);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		tdx_test_reset_counts(t);
		KUNIT_EXPECT_EQ(test, tdx_test_fault(t, steps[i].gfn), RET_PF_FIXED);
		expect_these_calls(t, .sept_add = steps[i].nr_tables, .page_aug = 1);
	}

	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void second_fault_asks_nothing_of_the_module(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);

	KUNIT_EXPECT_EQ(test, tdx_test_fault(t, GFN), RET_PF_SPURIOUS);
	KUNIT_EXPECT_EQ(test, tdx_test_fault_on(t, t->vcpus[1], GFN), RET_PF_SPURIOUS);

	expect_these_calls(t, 0);
	tdx_test_expect_pages(t, 0, 0, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void shared_memory_is_not_the_modules_business(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct page *page;

	finalize(t);
	page = tdx_test_page(t, GFN);
	KUNIT_EXPECT_EQ(test, test_map(t->vcpus[0], GFN, page_to_pfn(page), false),
			RET_PF_FIXED);
	test_unmap(&t->vm, GFN, GFN + 1, KVM_FILTER_SHARED);

	expect_these_calls(t, 0);
	tdx_test_expect_rounds(t, 0, 0, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void removal_before_finalize_needs_no_tracking(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 2);
	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN, GFN + 1, false);

	expect_these_calls(t, .remove = 1, .wbinvd = 1);
	tdx_test_expect_rounds(t, 0, 0, 0);
	tdx_test_expect_pages(t, 0, 1, 0);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_4K, TDX_SEPT_FREE);
	tdx_test_expect_entry(t, GFN + 1, PG_LEVEL_4K, TDX_SEPT_MAPPED);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static void removal_after_finalize_blocks_and_tracks(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 last;

	/* One of each kind, MAPPED and PENDING. */
	tdx_test_map_range(t, GFN, GFN + 2);
	finalize(t);
	tdx_test_map_range(t, GFN + 2, GFN + 4);
	last = page_to_phys(tdx_test_page(t, GFN + 2));
	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN + 1, GFN + 3, false);

	expect_these_calls(t, .block = 2, .track = 1, .remove = 2, .wbinvd = 2);
	tdx_test_expect_written_back(t, last, t->hkid);
	tdx_test_expect_rounds(t, 1, 1, 0);
	tdx_test_expect_pages(t, 0, 2, 0);
	tdx_test_expect_entry(t, GFN, PG_LEVEL_4K, TDX_SEPT_MAPPED);
	tdx_test_expect_entry(t, GFN + 1, PG_LEVEL_4K, TDX_SEPT_FREE);
	tdx_test_expect_entry(t, GFN + 2, PG_LEVEL_4K, TDX_SEPT_FREE);
	tdx_test_expect_entry(t, GFN + 3, PG_LEVEL_4K, TDX_SEPT_PENDING);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* Also the page that was added comes back empty: conversion loses the content. */
static void removed_page_can_be_mapped_again(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	int i;

	tdx_test_map_range(t, GFN, GFN + 1);
	finalize(t);

	for (i = 0; i < 3; i++) {
		tdx_test_punch_hole(t, GFN, GFN + 1, false);
		tdx_test_expect_trees_equal(t);
		tdx_test_map_range(t, GFN, GFN + 1);
		tdx_test_expect_entry(t, GFN, PG_LEVEL_4K, TDX_SEPT_PENDING);
		tdx_test_expect_trees_equal(t);
	}

	tdx_test_expect_pages(t, 3, 3, 0);
	tdx_test_expect_rounds(t, 3, 3, 0);
	tdx_test_expect_bugged(t, false);
}

static void removal_of_nothing_is_free(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_punch_hole(t, GFN, GFN + 1, false);
	tdx_test_reset_counts(t);

	tdx_test_punch_hole(t, GFN, GFN + 1, false);
	tdx_test_punch_hole(t, 0, kvm_gfn_direct_bits(t->kvm), false);

	expect_these_calls(t, 0);
	tdx_test_expect_rounds(t, 0, 0, 0);
	tdx_test_expect_bugged(t, false);
}

static const struct end {
	const char *desc;
	bool runnable;
} ends[] = {
	{ "initialized", false },
	{ "runnable", true },
};

KUNIT_ARRAY_PARAM_DESC(end, ends, desc);

/*
 * Without the key there is nothing to block or to track, pages are reclaimed:
 * private ones, tables, those of vCPUs and TDCS, and the TDR, which alone has
 * lines under another key to be written back.
 */
static void destruction_reclaims_every_page(struct kunit *test)
{
	const struct tdx_sys_info *info = tdx_get_sys_info();
	const struct end *end = test->param_value;
	struct tdx_test *t = test->priv;
	unsigned int nr_control;

	nr_control = (info->tdcs_base_size + info->tdr_base_size +
		      TDX_TEST_MAX_VCPUS * info->tdvps_base_size) / PAGE_SIZE;

	tdx_test_map_range(t, GFN, GFN + 10);
	if (end->runnable)
		finalize(t);
	tdx_test_map_range(t, GFN + 511, GFN + 513);
	tdx_test_reset_counts(t);

	tdx_test_destroy(t);

	/* GFN is in a table of its own, as is what is beyond the GiB: 3 + 2. */
	expect_these_calls(t, .reclaim = nr_control + 12 + 5, .wbinvd = 1);
	tdx_test_expect_calls(t, TDH_VP_FLUSH, TDX_TEST_MAX_VCPUS);
	tdx_test_expect_calls(t, TDH_MNG_VPFLUSHDONE, 1);
	tdx_test_expect_calls(t, TDH_MNG_KEY_FREEID, 1);
	tdx_test_expect_rounds(t, 0, 0, 0);
	tdx_test_expect_pages(t, 0, 12, 0);
	tdx_test_expect_bugged(t, false);
	KUNIT_EXPECT_FALSE(test, tdx_has_key(t->kvm_tdx));
}

static void measuring_a_page_takes_16_calls(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);

	KUNIT_EXPECT_EQ(test, tdx_sept_measure_page(t->kvm, GFN), 0);
	tdx_test_expect_calls(t, TDH_MR_EXTEND, PAGE_SIZE / TDX_EXTENDMR_CHUNKSIZE);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* Pages and tables that are in use are not the host's to read back. */
static void a_page_is_in_one_td_only(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct tdx_sw_page_info info;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 1);

	KUNIT_ASSERT_EQ(test, tdx_sw_test_page(page_to_phys(tdx_test_page(t, GFN)), &info), 0);
	KUNIT_EXPECT_EQ(test, info.type, PT_REG);
	KUNIT_EXPECT_EQ(test, info.owner, t->tdr);

	tdx_test_destroy(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_page(page_to_phys(tdx_test_page(t, GFN)), &info), 0);
	KUNIT_EXPECT_EQ(test, info.type, PT_NDA);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(tdx_test_page(t, GFN)), 0, PAGE_SIZE));
}

/* What was there from the beginning needs no acceptance, where nothing is there isn't any. */
static void only_what_was_augmented_is_pending(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + 1);
	finalize(t);
	tdx_test_map_range(t, GFN + 1, GFN + 2);

	KUNIT_EXPECT_FALSE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN)));
	KUNIT_EXPECT_TRUE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN + 1)));
	/* It takes the address of an access, which is anywhere in the page. */
	KUNIT_EXPECT_TRUE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN + 1) + 0xff8));
	KUNIT_EXPECT_FALSE(test, tdx_sept_is_pending(t->kvm, gfn_to_gpa(GFN + 2)));
	tdx_test_expect_calls(t, TDH_MEM_SEPT_RD, 4);
	tdx_test_expect_bugged(t, false);
}

/* vCPU entry is held off for one second attempt only, not for good. */
static void entry_is_allowed_after_any_removal(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 3);

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MEM_PAGE_REMOVE, 2, 1, TDX_OPERAND_BUSY), 0);
	tdx_test_punch_hole(t, GFN, GFN + 3, false);

	KUNIT_EXPECT_FALSE(test, t->kvm_tdx->hold_off_entry);
	tdx_test_expect_rounds(t, 1, 2, 1);
	tdx_test_expect_pages(t, 3, 3, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

static struct kunit_case tdx_sept_cases[] = {
	KUNIT_CASE(map_before_finalize_adds_content),
	KUNIT_CASE(map_after_finalize_augments),
	KUNIT_CASE(tables_are_linked_once),
	KUNIT_CASE(second_fault_asks_nothing_of_the_module),
	KUNIT_CASE(shared_memory_is_not_the_modules_business),
	KUNIT_CASE(removal_before_finalize_needs_no_tracking),
	KUNIT_CASE(removal_after_finalize_blocks_and_tracks),
	KUNIT_CASE(removed_page_can_be_mapped_again),
	KUNIT_CASE(removal_of_nothing_is_free),
	KUNIT_CASE_PARAM(destruction_reclaims_every_page, end_gen_params),
	KUNIT_CASE(measuring_a_page_takes_16_calls),
	KUNIT_CASE(a_page_is_in_one_td_only),
	KUNIT_CASE(only_what_was_augmented_is_pending),
	KUNIT_CASE(entry_is_allowed_after_any_removal),
	{}
};

static struct kunit_suite tdx_sept_suite = {
	.name = "kvm_tdx_sept",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_sept_cases,
};

kunit_test_suite(tdx_sept_suite);
