// SPDX-License-Identifier: GPL-2.0
/*
 * guest_memfd's pages get their initial content one by one: which pages are handed to
 * the callback, with what of the source, and what is left after a failure.
 */
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "mmu.h"
#include "slot_fixture.h"

#define GFN		SLOT_GFN
#define MAX_PAGES	8

/* What the callback sees, and is to answer. */
struct populated {
	unsigned int nr;
	/* Fail in this call, the first is 0. */
	unsigned int fail_nth;
	int err;

	gfn_t gfns[MAX_PAGES];
	kvm_pfn_t pfns[MAX_PAGES];
	bool has_source[MAX_PAGES];
	/* Of the source */
	u8 first[MAX_PAGES];
	u8 last[MAX_PAGES];
};

static int note_page(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, struct page *src_page,
		     void *opaque)
{
	struct populated *p = opaque;
	unsigned int nr = p->nr++;

	if (nr >= MAX_PAGES)
		return -E2BIG;

	p->gfns[nr] = gfn;
	p->pfns[nr] = pfn;
	p->has_source[nr] = src_page;
	if (src_page) {
		p->first[nr] = *(u8 *)page_address(src_page);
		p->last[nr] = *(u8 *)(page_address(src_page) + PAGE_SIZE - 1);
	}

	return p->err && nr == p->fail_nth ? p->err : 0;
}

static long populate(struct slot_test *s, struct populated *p, gfn_t gfn,
		     void __user *src, long npages)
{
	guard(mutex)(&s->kvm->slots_lock);

	p->nr = 0;
	return kvm_gmem_populate(s->kvm, gfn, src, npages, note_page, p);
}

static void expect_pages(struct slot_test *s, const struct populated *p, gfn_t start,
			 unsigned int nr)
{
	struct kunit *test = s->vm->test;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, nr, p->nr);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, start + i, p->gfns[i]);
		KUNIT_EXPECT_EQ(test, slot_test_pfn(s, start + i), p->pfns[i]);
	}
}

static void each_page_is_populated_once(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};
	int i;

	slot_test_make_private(s, GFN, GFN + 4);
	KUNIT_EXPECT_EQ(test, 3, populate(s, &p, GFN, NULL, 3));
	expect_pages(s, &p, GFN, 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_FALSE(test, p.has_source[i]);

	KUNIT_EXPECT_EQ(test, -EEXIST, populate(s, &p, GFN + 2, NULL, 2));
	KUNIT_EXPECT_EQ(test, 0, p.nr);
	KUNIT_EXPECT_EQ(test, 1, populate(s, &p, GFN + 3, NULL, 1));
}

/* Such a page is the guest's, and it is empty. */
static void page_that_was_faulted_in_is_in_use(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};

	slot_test_make_private(s, GFN, GFN + 1);
	slot_test_pfn(s, GFN);
	KUNIT_EXPECT_EQ(test, -EEXIST, populate(s, &p, GFN, NULL, 1));
	KUNIT_EXPECT_EQ(test, 0, p.nr);
}

static void first_page_that_is_not_private_is_the_end(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};

	slot_test_make_private(s, GFN, GFN + 2);
	slot_test_make_private(s, GFN + 3, GFN + 4);

	KUNIT_EXPECT_EQ(test, 2, populate(s, &p, GFN, NULL, 4));
	expect_pages(s, &p, GFN, 2);
	KUNIT_EXPECT_EQ(test, -EINVAL, populate(s, &p, GFN + 2, NULL, 2));
	KUNIT_EXPECT_EQ(test, 0, p.nr);
}

static void the_slot_is_the_end(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};

	slot_test_make_private(s, SLOT_END - 2, SLOT_END + 2);
	KUNIT_EXPECT_EQ(test, 2, populate(s, &p, SLOT_END - 2, NULL, 4));
	expect_pages(s, &p, SLOT_END - 2, 2);
}

/* It counts as untouched. */
static void page_that_failed_can_be_populated_later(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = { .err = -EIO, .fail_nth = 1 };

	slot_test_make_private(s, GFN, GFN + 3);
	KUNIT_EXPECT_EQ(test, 1, populate(s, &p, GFN, NULL, 3));
	KUNIT_EXPECT_EQ(test, 2, p.nr);

	p.fail_nth = 0;
	KUNIT_EXPECT_EQ(test, -EIO, populate(s, &p, GFN + 1, NULL, 2));
	KUNIT_EXPECT_EQ(test, 1, p.nr);

	p.err = 0;
	KUNIT_EXPECT_EQ(test, 2, populate(s, &p, GFN + 1, NULL, 2));
	expect_pages(s, &p, GFN + 1, 2);
}

/* All references but that of the file are given back, on every way out. */
static void no_reference_to_a_page_is_kept(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};
	struct page *page;

	slot_test_make_private(s, GFN, GFN + 1);
	p.err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, populate(s, &p, GFN, NULL, 1));
	page = pfn_to_page(p.pfns[0]);
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, 1, page_count(page));

	p.err = 0;
	KUNIT_EXPECT_EQ(test, 1, populate(s, &p, GFN, NULL, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, populate(s, &p, GFN, NULL, 1));
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, 1, page_count(page));
}

/* Pages of userspace, of which each is filled with another value. */
static void __user *make_source(struct kunit *test, unsigned int nr, u8 value)
{
	unsigned long addr, i;
	u8 *page;

	addr = kunit_vm_mmap(test, NULL, 0, nr * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, addr);
	KUNIT_ASSERT_LT(test, addr, (unsigned long)TASK_SIZE);

	page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < nr; i++) {
		memset(page, value + i, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, copy_to_user((void __user *)addr + i * PAGE_SIZE,
						      page, PAGE_SIZE));
	}

	return (void __user *)addr;
}

static void each_page_has_its_part_of_the_source(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};
	void __user *src;
	int i;

	src = make_source(test, 4, 0x10);
	slot_test_make_private(s, GFN, GFN + 6);

	KUNIT_EXPECT_EQ(test, 3, populate(s, &p, GFN, src, 3));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, p.has_source[i]);
		KUNIT_EXPECT_EQ(test, 0x10 + i, p.first[i]);
		KUNIT_EXPECT_EQ(test, 0x10 + i, p.last[i]);
	}

	/* It need not be aligned. */
	KUNIT_EXPECT_EQ(test, 3, populate(s, &p, GFN + 3, src + 8, 3));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0x10 + i, p.first[i]);
		KUNIT_EXPECT_EQ(test, 0x11 + i, p.last[i]);
	}
}

static void source_that_cannot_be_read_ends_it(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct populated p = {};
	void __user *src;

	src = make_source(test, 2, 0x20);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap((unsigned long)src + PAGE_SIZE, PAGE_SIZE));
	slot_test_make_private(s, GFN, GFN + 3);

	KUNIT_EXPECT_EQ(test, 1, populate(s, &p, GFN, src, 2));
	KUNIT_EXPECT_EQ(test, 1, p.nr);
	KUNIT_EXPECT_EQ(test, -EFAULT, populate(s, &p, GFN + 1, src + PAGE_SIZE, 1));
	/* All but the last byte of it can be read. */
	KUNIT_EXPECT_EQ(test, -EFAULT, populate(s, &p, GFN + 1, src + 1, 1));
	KUNIT_EXPECT_EQ(test, 0, p.nr);

	/* It has cost the page nothing. */
	KUNIT_EXPECT_EQ(test, 1, populate(s, &p, GFN + 1, src, 1));
}

static int map_page_by_pfn(struct file *file, struct vm_area_struct *vma)
{
	struct page *page = file->private_data;

	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(page), PAGE_SIZE,
			       vma->vm_page_prot);
}

static const struct file_operations by_pfn_fops = { .mmap = map_page_by_pfn };

/* As a device's memory is mapped: there is no struct page to be had by GUP. */
static void source_may_be_mapped_by_pfn(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct slot_test *s = test->priv;
	struct populated p = {};
	unsigned long addr;
	struct file *file;

	KUNIT_ASSERT_NOT_NULL(test, page);
	memset(page_address(page), 0x30, PAGE_SIZE);
	file = anon_inode_getfile("by-pfn", &by_pfn_fops, page, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_NE(test, 0, addr);
	slot_test_make_private(s, GFN, GFN + 1);

	KUNIT_EXPECT_EQ(test, 1, populate(s, &p, GFN, (void __user *)addr, 1));
	KUNIT_EXPECT_EQ(test, 0x30, p.first[0]);
	KUNIT_EXPECT_EQ(test, 0x30, p.last[0]);

	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, PAGE_SIZE));
	__free_page(page);
}

static struct kunit_case gmem_cases[] = {
	KUNIT_CASE(each_page_is_populated_once),
	KUNIT_CASE(page_that_was_faulted_in_is_in_use),
	KUNIT_CASE(first_page_that_is_not_private_is_the_end),
	KUNIT_CASE(the_slot_is_the_end),
	KUNIT_CASE(page_that_failed_can_be_populated_later),
	KUNIT_CASE(no_reference_to_a_page_is_kept),
	KUNIT_CASE(each_page_has_its_part_of_the_source),
	KUNIT_CASE(source_that_cannot_be_read_ends_it),
	KUNIT_CASE(source_may_be_mapped_by_pfn),
	{}
};

static struct kunit_suite gmem_suite = {
	.name = "kvm_mmu_gmem",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = slot_fixture_init,
	.exit = slot_fixture_exit,
	.test_cases = gmem_cases,
};

kunit_test_suite(gmem_suite);
