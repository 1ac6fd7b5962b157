// SPDX-License-Identifier: GPL-2.0
/*
 * How long a removal is patient with a busy module, whatever the order of the pages,
 * and what becomes of the pages of a TD that is fatal in the end.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define GFN		TDX_TEST_GFN

/* How often in a row no page at all can be blocked, before that is a failure. */
#define MAX_IN_A_ROW	64

static void inject(struct tdx_test *t, u16 leaf, unsigned int nth, unsigned int times,
		   u64 status)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_sw_inject_set(leaf, nth, times, status), 0);
}

static void finalize(struct tdx_test *t)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_finalize(t), 0);
	tdx_test_reset_counts(t);
}

/* The begin of a removal alone.  Who yields after it isn't the next to try. */
static int begin(struct tdx_test *t, gfn_t gfn)
{
	u64 spte = tdx_test_spte(t, gfn, PG_LEVEL_4K);

	guard(write_lock)(&t->kvm->mmu_lock);

	return tdx_set_external_spte(t->kvm, gfn, spte, FROZEN_SPTE, PG_LEVEL_4K);
}

/* Two in turn, each of them in vain, and with a second attempt without vCPUs. */
static void begin_in_vain(struct tdx_test *t, gfn_t gfn, unsigned int times)
{
	unsigned int i;

	inject(t, TDH_MEM_RANGE_BLOCK, 1, 2 * times, TDX_OPERAND_BUSY);
	for (i = 0; i < times; i++)
		KUNIT_EXPECT_EQ(t->vm.test, begin(t, gfn + i % 2), -EBUSY);
}

/* Of no page it is the second time in a row. */
static void patience_with_all_pages_has_an_end(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 2);
	tdx_test_reset_counts(t);

	begin_in_vain(t, GFN, MAX_IN_A_ROW - 1);
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 2 * (MAX_IN_A_ROW - 1));
	tdx_test_expect_bugged(t, false);

	inject(t, TDH_MEM_RANGE_BLOCK, 1, 2, TDX_OPERAND_BUSY);
	KUNIT_EXPECT_EQ(test, begin(t, GFN + (MAX_IN_A_ROW - 1) % 2), -EIO);
	tdx_test_expect_bugged(t, true);
	tdx_test_expect_rounds(t, 0, MAX_IN_A_ROW, MAX_IN_A_ROW);
}

static void page_that_is_blocked_ends_the_row(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	int i;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 6);

	for (i = 0; i < 3; i++) {
		begin_in_vain(t, GFN, MAX_IN_A_ROW - 1);
		KUNIT_EXPECT_EQ(test, begin(t, GFN + 3 + i), 0);
	}
	tdx_test_expect_bugged(t, false);

	tdx_test_reset_counts(t);
	tdx_test_punch_hole(t, GFN, GFN + 6, false);
	tdx_test_expect_pages(t, 0, 6, 0);
	tdx_test_expect_rounds(t, 1, 1, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

/* What the guest had there is nobody else's to see, not even after its end. */
static void pages_of_a_fatal_td_come_back_empty(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct page *page = tdx_test_page(t, GFN);

	tdx_test_map_range(t, GFN, GFN + 1);
	KUNIT_ASSERT_NOT_NULL(test, memchr_inv(page_address(page), 0, PAGE_SIZE));
	finalize(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_set_fatal(t->tdr), 0);
	tdx_test_punch_hole(t, GFN, GFN + 1, false);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);

	tdx_test_destroy(t);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page), 0, PAGE_SIZE));
	tdx_test_expect_pages(t, 0, 1, 0);
}

/* Put aside, and then the module doesn't give it back, either: it is lost, and counted. */
static void page_of_a_fatal_td_that_stays_the_modules_is_leaked(struct kunit *test)
{
	const struct tdx_sys_info *info = tdx_get_sys_info();
	struct tdx_test *t = test->priv;
	unsigned int nr_before;

	/* Those of the vCPUs and of the S-EPT are reclaimed before. */
	nr_before = TDX_TEST_MAX_VCPUS * info->tdvps_base_size / PAGE_SIZE +
		    TDX_TEST_NR_TABLES;

	finalize(t);
	tdx_test_map_range(t, GFN, GFN + 1);
	tdx_test_reset_counts(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_set_fatal(t->tdr), 0);
	tdx_test_punch_hole(t, GFN, GFN + 1, false);
	inject(t, TDH_PHYMEM_PAGE_RECLAIM, nr_before + 1, 1,
	       TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX);
	/* The TDR goes with it. */
	t->want_leaked = 2;

	tdx_test_destroy(t);
	KUNIT_EXPECT_EQ(test, page_count(tdx_test_page(t, GFN)), 2);
	tdx_test_expect_pages(t, 0, 0, 2);
}

static struct kunit_case tdx_sept_limit_cases[] = {
	KUNIT_CASE(patience_with_all_pages_has_an_end),
	KUNIT_CASE(page_that_is_blocked_ends_the_row),
	KUNIT_CASE(pages_of_a_fatal_td_come_back_empty),
	KUNIT_CASE(page_of_a_fatal_td_that_stays_the_modules_is_leaked),
	{}
};

static struct kunit_suite tdx_sept_limit_suite = {
	.name = "kvm_tdx_sept_limit",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_sept_limit_cases,
};

kunit_test_suite(tdx_sept_limit_suite);
