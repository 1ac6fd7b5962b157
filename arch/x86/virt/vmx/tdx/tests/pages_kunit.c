// SPDX-License-Identifier: GPL-2.0
/*
 * Clearing of pages: all of what was asked for, and nothing else.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/tdh.h>

#include "../pages.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define PAGES_ORDER	2
#define NR_PAGES	4
#define DIRT		0xa5

static int pages_init(struct kunit *test)
{
	unsigned long va = __get_free_pages(GFP_KERNEL, PAGES_ORDER);

	KUNIT_ASSERT_NE(test, va, 0);
	memset((void *)va, DIRT, NR_PAGES * PAGE_SIZE);
	test->priv = (void *)va;
	return 0;
}

static void pages_exit(struct kunit *test)
{
	free_pages((unsigned long)test->priv, PAGES_ORDER);
}

/* Pages [first, last) are clear and the others as they were. */
static void expect_clear(struct kunit *test, int first, int last)
{
	int i;

	for (i = 0; i < NR_PAGES; i++) {
		u8 want = i >= first && i < last ? 0 : DIRT;

		KUNIT_EXPECT_NULL(test, memchr_inv(test->priv + i * PAGE_SIZE,
						   want, PAGE_SIZE));
	}
}

static void flush_clears_the_range_and_no_more(struct kunit *test)
{
	tdx_clear_flush(test->priv + PAGE_SIZE, 2 * PAGE_SIZE);
	expect_clear(test, 1, 3);
}

static void movdir64b_clears_the_range_and_no_more(struct kunit *test)
{
	if (!boot_cpu_has(X86_FEATURE_MOVDIR64B))
		kunit_skip(test, "the CPU has no MOVDIR64B");

	tdx_clear_direct(test->priv + PAGE_SIZE, 2 * PAGE_SIZE);
	/* MOVDIR64B is weakly ordered. */
	mb();
	expect_clear(test, 1, 3);
}

static void page_is_cleared_by_its_physical_address(struct kunit *test)
{
	tdx_clear_page(virt_to_phys(test->priv) + 2 * PAGE_SIZE);
	expect_clear(test, 2, 3);
}

static void range_of_pages_is_cleared_by_its_physical_address(struct kunit *test)
{
	tdx_clear_pages(virt_to_phys(test->priv), 3 * PAGE_SIZE);
	expect_clear(test, 0, 3);
}

static void empty_range_clears_nothing(struct kunit *test)
{
	tdx_clear_pages(virt_to_phys(test->priv) + PAGE_SIZE, 0);
	expect_clear(test, 0, 0);
}

static struct kunit_case pages_tests[] = {
	KUNIT_CASE(flush_clears_the_range_and_no_more),
	KUNIT_CASE(movdir64b_clears_the_range_and_no_more),
	KUNIT_CASE(page_is_cleared_by_its_physical_address),
	KUNIT_CASE(range_of_pages_is_cleared_by_its_physical_address),
	KUNIT_CASE(empty_range_clears_nothing),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "tdx_pages",
	.init = pages_init,
	.exit = pages_exit,
	.test_cases = pages_tests,
};

kunit_test_suite(pages_suite);

MODULE_DESCRIPTION("KUnit tests of clearing TDX pages");
MODULE_LICENSE("GPL");
