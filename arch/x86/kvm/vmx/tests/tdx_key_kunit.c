// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a TD that still has memory: its key is released as soon as no vCPU will run
 * again, while others go on to punch holes.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/string.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define GFN		TDX_TEST_GFN
#define NR_PAGES	64
#define NR_ROUNDS	4

static void finalize(struct tdx_test *t)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_finalize(t), 0);
}

static void expect_nothing_removed(struct tdx_test *t)
{
	tdx_test_expect_calls(t, TDH_MEM_RANGE_BLOCK, 0);
	tdx_test_expect_calls(t, TDH_MEM_TRACK, 0);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 0);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_WBINVD, 0);
	tdx_test_expect_rounds(t, 0, 0, 0);
}

static bool is_modules(struct page *page)
{
	struct tdx_sw_page_info info;

	return !tdx_sw_test_page(page_to_phys(page), &info) && info.type != PT_NDA;
}

static const struct end {
	const char *desc;
	bool runnable;
} ends[] = {
	{ "initialized", false },
	{ "runnable", true },
};

KUNIT_ARRAY_PARAM_DESC(end, ends, desc);

/* One call instead of three, and nobody is kicked. */
static void hole_after_the_end_is_a_reclaim(struct kunit *test)
{
	const struct end *end = test->param_value;
	struct tdx_test *t = test->priv;
	struct page *page = tdx_test_page(t, GFN);

	tdx_test_map_range(t, GFN, GFN + NR_PAGES);
	if (end->runnable)
		finalize(t);
	tdx_test_reset_counts(t);

	tdx_vm_end(t->kvm);
	KUNIT_EXPECT_FALSE(test, tdx_has_key(t->kvm_tdx));
	tdx_test_expect_calls(t, TDH_VP_FLUSH, TDX_TEST_MAX_VCPUS);
	tdx_test_expect_calls(t, TDH_MNG_KEY_FREEID, 1);
	KUNIT_EXPECT_TRUE(test, is_modules(page));

	tdx_test_punch_hole(t, GFN, GFN + NR_PAGES, false);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_RECLAIM, NR_PAGES);
	expect_nothing_removed(t);
	tdx_test_expect_pages(t, 0, NR_PAGES, 0);
	tdx_test_expect_bugged(t, false);
	KUNIT_EXPECT_FALSE(test, is_modules(page));
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page), 0, PAGE_SIZE));

	/* Nothing of that a second time. */
	tdx_test_destroy(t);
	tdx_test_expect_calls(t, TDH_VP_FLUSH, TDX_TEST_MAX_VCPUS);
	tdx_test_expect_calls(t, TDH_MNG_VPFLUSHDONE, 1);
	tdx_test_expect_calls(t, TDH_MNG_KEY_FREEID, 1);
	tdx_test_expect_pages(t, 0, NR_PAGES, 0);
}

/* Neither the leaves with the key work then nor the one without. */
static void hole_during_the_release_waits(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct page *page = tdx_test_page(t, GFN);

	tdx_test_map_range(t, GFN, GFN + 2);
	finalize(t);
	tdx_test_reset_counts(t);

	scoped_guard(write_lock, &t->kvm->mmu_lock)
		t->kvm_tdx->key_going = true;
	tdx_test_punch_hole(t, GFN, GFN + 1, false);
	scoped_guard(write_lock, &t->kvm->mmu_lock)
		t->kvm_tdx->key_going = false;

	expect_nothing_removed(t);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_RECLAIM, 0);
	tdx_test_expect_pages(t, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, is_modules(page));
	KUNIT_EXPECT_EQ(test, page_count(page), 2);

	tdx_test_destroy(t);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 0);
	tdx_test_expect_pages(t, 0, 2, 0);
	tdx_test_expect_bugged(t, false);
	KUNIT_EXPECT_FALSE(test, is_modules(page));
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page), 0, PAGE_SIZE));
}

struct other {
	struct tdx_test *t;
	struct completion started;
	struct completion done;
};

/* Half of the pages as it comes, the others once there is no way back for the key. */
static int punch_thread(void *data)
{
	struct other *other = data;
	gfn_t gfn;

	complete(&other->started);
	for (gfn = GFN; gfn < GFN + NR_PAGES; gfn++) {
		while (gfn == GFN + NR_PAGES / 2 &&
		       !tdx_test_nr_calls(other->t, TDH_MNG_VPFLUSHDONE))
			cond_resched();
		tdx_test_punch_hole(other->t, gfn, gfn + 1, true);
	}
	complete(&other->done);
	return 0;
}

static int end_thread(void *data)
{
	struct other *other = data;

	complete(&other->started);
	tdx_vm_end(other->t->kvm);
	complete(&other->done);
	return 0;
}

/* The end, and beside it what another thread does. */
static void end_beside(struct tdx_test *t, int (*fn)(void *data))
{
	struct other other = { .t = t };

	init_completion(&other.started);
	init_completion(&other.done);
	wake_up_process(tdx_test_other_cpu_thread(t, fn, &other));
	wait_for_completion(&other.started);
	tdx_vm_end(t->kvm);
	wait_for_completion(&other.done);
}

static void round_gen_desc(const int *round, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "round_%d", *round);
}

static const int rounds[NR_ROUNDS] = { 1, 2, 3, 4 };

KUNIT_ARRAY_PARAM(round, rounds, round_gen_desc);

/* Each page leaves by the one way or the other, or waits: the release is a long one. */
static void holes_beside_the_end(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	tdx_test_map_range(t, GFN, GFN + NR_PAGES);
	finalize(t);
	tdx_test_reset_counts(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_PHYMEM_CACHE_WB, 1, 4 * NR_PAGES,
						TDX_INTERRUPTED_RESUMABLE), 0);

	end_beside(t, punch_thread);
	tdx_test_expect_bugged(t, false);
	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, NR_PAGES, 0);
	tdx_test_expect_bugged(t, false);
}

/* As when the VMM's memory goes while another process closes the VM's last file. */
static void end_beside_the_end(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	finalize(t);
	tdx_test_reset_counts(t);

	end_beside(t, end_thread);
	KUNIT_EXPECT_FALSE(test, tdx_has_key(t->kvm_tdx));
	tdx_test_expect_calls(t, TDH_VP_FLUSH, TDX_TEST_MAX_VCPUS);
	tdx_test_expect_calls(t, TDH_MNG_VPFLUSHDONE, 1);
	tdx_test_expect_calls(t, TDH_MNG_KEY_FREEID, 1);
	tdx_test_expect_bugged(t, false);
}

/* The key stays, and with it what the TD has: nothing is tried again. */
static void hole_after_a_failed_release_leaks(struct kunit *test)
{
	const struct tdx_sys_info *info = tdx_get_sys_info();
	struct tdx_test *t = test->priv;

	t->want_leaked = 1 + TDX_TEST_NR_TABLES +
			 (info->tdcs_base_size + info->tdr_base_size +
			  TDX_TEST_MAX_VCPUS * info->tdvps_base_size) / PAGE_SIZE;
	tdx_test_map_range(t, GFN, GFN + 1);
	finalize(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MNG_VPFLUSHDONE, 1, 1,
						TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX), 0);
	tdx_vm_end(t->kvm);
	tdx_test_expect_bugged(t, true);
	tdx_test_reset_counts(t);

	tdx_test_punch_hole(t, GFN, GFN + 1, false);
	expect_nothing_removed(t);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_RECLAIM, 0);
	tdx_test_expect_pages(t, 0, 0, 1);

	tdx_vm_end(t->kvm);
	tdx_test_expect_calls(t, TDH_MNG_VPFLUSHDONE, 0);
	KUNIT_EXPECT_TRUE(test, tdx_has_key(t->kvm_tdx));
}

static struct kunit_case tdx_key_cases[] = {
	KUNIT_CASE_PARAM(hole_after_the_end_is_a_reclaim, end_gen_params),
	KUNIT_CASE(hole_during_the_release_waits),
	KUNIT_CASE_PARAM(holes_beside_the_end, round_gen_params),
	KUNIT_CASE_PARAM(end_beside_the_end, round_gen_params),
	KUNIT_CASE(hole_after_a_failed_release_leaks),
	{}
};

static struct kunit_suite tdx_key_suite = {
	.name = "kvm_tdx_key",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_key_cases,
};

kunit_test_suite(tdx_key_suite);
