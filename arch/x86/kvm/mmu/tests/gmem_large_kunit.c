// SPDX-License-Identifier: GPL-2.0
/*
 * guest_memfd's large folios: when there is one, what is mapped by it, and that a hole, a
 * broken page or a guest that takes memory by 4 KiB get exactly their part of it.
 */
#include <kunit/test.h>
#include <linux/falloc.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>

#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "slot_fixture.h"

#include "../../../../../virt/kvm/kvm_mm.h"

#define GFN		SLOT_GFN
#define NR		512ULL
#define PRIVATE_WRITE	(PFERR_PRIVATE_ACCESS | PFERR_WRITE_MASK)

static struct address_space *mapping_of(struct slot_test *s)
{
	return s->file->f_mapping;
}

static int fault(struct slot_test *s, gfn_t gfn)
{
	int r;

	kvm_vcpu_srcu_read_lock(s->vcpu);
	r = kvm_mmu_do_page_fault(s->vcpu, gfn_to_gpa(gfn), PRIVATE_WRITE, false, NULL, NULL);
	kvm_vcpu_srcu_read_unlock(s->vcpu);
	return r;
}

static void fault_in(struct slot_test *s, gfn_t gfn)
{
	KUNIT_ASSERT_EQ(s->vm->test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_ASSERT_EQ(s->vm->test, RET_PF_FIXED, fault(s, gfn));
}

static int limit_level(struct slot_test *s, gfn_t gfn)
{
	int r;

	kvm_vcpu_srcu_read_lock(s->vcpu);
	r = external_limit_level(s->vcpu, gfn);
	kvm_vcpu_srcu_read_unlock(s->vcpu);
	return r;
}

static long do_fallocate(struct slot_test *s, int mode, pgoff_t start, pgoff_t end)
{
	return s->file->f_op->fallocate(s->file, mode | FALLOC_FL_KEEP_SIZE,
					start << PAGE_SHIFT, (end - start) << PAGE_SHIFT);
}

static long punch(struct slot_test *s, pgoff_t start, pgoff_t end)
{
	return do_fallocate(s, FALLOC_FL_PUNCH_HOLE, start, end);
}

/* The order of the folio at an index, -1 if there is none. */
static int order_at(struct slot_test *s, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(mapping_of(s), index);
	int order;

	if (IS_ERR(folio))
		return -1;

	order = folio_order(folio);
	folio_put(folio);
	return order;
}

static bool is_leaf(struct slot_test *s, gfn_t gfn, int level)
{
	u64 spte = test_read_spte(s->vcpu, gfn, level);

	return is_shadow_present_pte(spte) && is_last_spte(spte, level);
}

static bool is_mapped(struct slot_test *s, gfn_t gfn)
{
	return is_leaf(s, gfn, PG_LEVEL_4K) || is_leaf(s, gfn, PG_LEVEL_2M);
}

static void expect_sane(struct slot_test *s)
{
	test_expect_trees_equal(s->vm, s->vcpu);
	test_expect_no_violation(s->vm);
	KUNIT_EXPECT_EQ(s->vm->test, 0, s->kvm->mmu_invalidate_in_progress);
}

static void first_fault_maps_all_of_a_large_folio(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN + 5);
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, 0));
	KUNIT_EXPECT_EQ(test, -1, order_at(s, NR));
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, slot_test_pfn(s, GFN),
			spte_to_pfn(test_read_spte(s->vcpu, GFN, PG_LEVEL_2M)));
	KUNIT_EXPECT_EQ(test, slot_test_pfn(s, GFN) + 5, slot_test_pfn(s, GFN + 5));
	KUNIT_EXPECT_EQ(test, 1, s->vm->model.count[MODEL_MAP]);

	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, fault(s, GFN + NR - 1));
	fault_in(s, GFN + NR);
	KUNIT_EXPECT_EQ(test, 2, s->vm->model.count[MODEL_MAP]);
	expect_sane(s);
}

/* It is where shared memory is. */
static void userspace_address_does_not_matter(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct kvm_memory_slot slot = { .base_gfn = GFN, .npages = 2 * NR };
	int flag;

	slot.userspace_addr = PAGE_SIZE;
	scoped_guard(mutex, &s->kvm->slots_lock)
		KUNIT_ASSERT_EQ(test, 0, kvm_arch_prepare_memory_region(s->kvm, NULL, &slot,
									KVM_MR_CREATE));
	flag = slot.arch.lpage_info[0][0].disallow_lpage;
	kvm_arch_free_memslot(s->kvm, &slot);
	KUNIT_EXPECT_EQ(test, KVM_LPAGE_HVA_FLAG, flag);

	s->slot.arch.lpage_info[0][0].disallow_lpage |= flag;
	fault_in(s, GFN);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, PG_LEVEL_2M, kvm_mmu_max_mapping_level(s->kvm, &s->slot, GFN,
								     PG_LEVEL_NUM));
	expect_sane(s);
}

static struct folio *grab(struct slot_test *s, const struct kvm_memory_slot *slot, pgoff_t index)
{
	return kvm_gmem_grab_large_folio(s->kvm, mapping_of(s), slot, index);
}

static void let_go(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

/* Each for a reason of its own, without which there would be a large one. */
static void folio_is_small_if_anything_speaks_against_it(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct kvm_memory_slot slot = s->slot;
	struct folio *folio;

	/* Not all of the range is private. */
	xa_erase(&s->kvm->mem_attr_array, GFN + NR - 1);
	KUNIT_EXPECT_NULL(test, grab(s, &s->slot, 0));
	slot_test_make_private(s, GFN + NR - 1, GFN + NR);

	/* The slot begins, or ends, inside of it; or is askew. */
	slot.npages = NR - 1;
	KUNIT_EXPECT_NULL(test, grab(s, &slot, 0));
	slot = s->slot;
	slot.gmem.pgoff++;
	slot.base_gfn++;
	KUNIT_EXPECT_NULL(test, grab(s, &slot, 0));
	slot = s->slot;
	slot.base_gfn++;
	KUNIT_EXPECT_NULL(test, grab(s, &slot, 0));

	/* It isn't empty. */
	folio = filemap_grab_folio(mapping_of(s), 7);
	KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
	let_go(folio);
	KUNIT_EXPECT_NULL(test, grab(s, &s->slot, 0));
	KUNIT_EXPECT_EQ(test, -1, order_at(s, 0));
	KUNIT_ASSERT_EQ(test, 0, punch(s, 7, 8));

	folio = grab(s, &s->slot, 3);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, PMD_ORDER, folio_order(folio));
	KUNIT_EXPECT_EQ(test, 0, folio->index);

	/* Whatever the folio is like, it is mapped where it fits only. */
	KUNIT_EXPECT_EQ(test, PMD_ORDER, kvm_gmem_max_order(&s->slot, folio));
	KUNIT_EXPECT_EQ(test, 0, kvm_gmem_max_order(&slot, folio));
	let_go(folio);
}

static void end_of_the_file_takes_small_folios(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct kvm_create_guest_memfd args = { .size = (NR + 7) << PAGE_SHIFT };
	int fd = kvm_gmem_create(s->kvm, &args);
	struct folio *folio;
	struct file *file;

	KUNIT_ASSERT_GE(test, fd, 0);
	file = fget(fd);
	close_fd(fd);

	KUNIT_EXPECT_NULL(test, kvm_gmem_grab_large_folio(s->kvm, file->f_mapping, NULL, NR));
	folio = kvm_gmem_grab_large_folio(s->kvm, file->f_mapping, NULL, NR - 1);
	KUNIT_EXPECT_NOT_NULL(test, folio);
	if (folio)
		let_go(folio);
	__fput_sync(file);
}

static void fallocate_makes_large_what_it_has_all_of(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_EXPECT_EQ(test, 0, do_fallocate(s, 0, 1, 2 * NR));
	KUNIT_EXPECT_EQ(test, -1, order_at(s, 0));
	KUNIT_EXPECT_EQ(test, 0, order_at(s, 1));
	KUNIT_EXPECT_EQ(test, 0, order_at(s, NR - 1));
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, NR));
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, 2 * NR - 1));
}

/* Holes of all kinds in two large folios that are mapped: what is left, and what is not. */

static const pgoff_t offsets[] = { 0, 1, 511, 512, 513, 1023, 1024 };

static void fill(struct slot_test *s)
{
	struct folio *folio;
	pgoff_t i;

	for (i = 0; i < 2 * NR; i++) {
		folio = filemap_get_folio(mapping_of(s), i);
		KUNIT_ASSERT_FALSE(s->vm->test, IS_ERR(folio));
		memset(page_address(folio_file_page(folio, i)), i % 251 + 1, PAGE_SIZE);
		folio_put(folio);
	}
}

static bool has_content(struct slot_test *s, pgoff_t i)
{
	struct folio *folio = filemap_get_folio(mapping_of(s), i);
	bool has;

	if (IS_ERR(folio))
		return false;

	has = !memchr_inv(page_address(folio_file_page(folio, i)), i % 251 + 1, PAGE_SIZE);
	folio_put(folio);
	return has;
}

static void expect_exact_hole(struct slot_test *s, pgoff_t start, pgoff_t end)
{
	struct kunit *test = s->vm->test;
	unsigned int wrong = 0;
	pgoff_t i;

	fault_in(s, GFN);
	fault_in(s, GFN + NR);
	fill(s);

	KUNIT_EXPECT_EQ(test, 0, punch(s, start, end));
	for (i = 0; i < 2 * NR; i++) {
		bool want = i < start || i >= end;

		wrong += is_mapped(s, GFN + i) != want || has_content(s, i) != want;
	}
	KUNIT_EXPECT_EQ_MSG(test, 0, wrong, "[%lu, %lu)", start, end);
	expect_sane(s);

	KUNIT_ASSERT_EQ(test, 0, punch(s, 0, 2 * NR));
}

static void hole_takes_exactly_its_pages(struct kunit *test)
{
	struct slot_test *s = test->priv;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (j = i + 1; j < ARRAY_SIZE(offsets); j++)
			expect_exact_hole(s, offsets[i], offsets[j]);
	}
}

static void expect_untouched(struct slot_test *s)
{
	struct kunit *test = s->vm->test;
	unsigned int wrong = 0;
	pgoff_t i;

	for (i = 0; i < 2 * NR; i++)
		wrong += !is_mapped(s, GFN + i) || !has_content(s, i);
	KUNIT_EXPECT_EQ(test, 0, wrong);
	expect_sane(s);
}

/* Somebody has a reference, and keeps it. */
static void folio_that_cannot_be_split_is_kept(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct folio *folio;

	fault_in(s, GFN);
	fault_in(s, GFN + NR);
	fill(s);

	folio = filemap_get_folio(mapping_of(s), NR);
	KUNIT_EXPECT_EQ(test, -EBUSY, punch(s, 1, NR + 1));
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, NR));
	expect_untouched(s);

	/* One that takes all of it has nothing to split. */
	KUNIT_EXPECT_EQ(test, 0, punch(s, NR, 2 * NR));
	KUNIT_EXPECT_EQ(test, -1, order_at(s, NR));
	KUNIT_EXPECT_FALSE(test, is_mapped(s, GFN + NR));
	folio_put(folio);

	KUNIT_EXPECT_EQ(test, 0, punch(s, 0, NR - 1));
	KUNIT_EXPECT_TRUE(test, has_content(s, NR - 1));
	expect_sane(s);
}

static void hole_is_not_punched_if_the_mapping_cannot_be_split(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN);
	fault_in(s, GFN + NR);
	fill(s);

	model_fail(s->vm, MODEL_SPLIT, 0, 1, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, punch(s, 1, 2));
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, 0));
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_2M));
	/* The leaf is blocked, as the VM is dead; here it is not. */
	KUNIT_EXPECT_EQ(test, 0, punch(s, 1, 2));
	KUNIT_EXPECT_FALSE(test, has_content(s, 1));
	KUNIT_EXPECT_TRUE(test, has_content(s, 2));
	expect_sane(s);
}

static int note_order(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, struct page *src_page,
		      void *opaque)
{
	*(int *)opaque = folio_order(page_folio(pfn_to_page(pfn)));
	return 0;
}

static long populate(struct slot_test *s, gfn_t gfn, int *order)
{
	guard(mutex)(&s->kvm->slots_lock);

	return kvm_gmem_populate(s->kvm, gfn, NULL, 1, note_order, order);
}

static void initial_memory_is_of_small_folios(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct folio *folio;
	int order = -1;

	KUNIT_EXPECT_EQ(test, 1, populate(s, GFN + 1, &order));
	KUNIT_EXPECT_EQ(test, 0, order);
	KUNIT_EXPECT_EQ(test, 0, order_at(s, 1));
	KUNIT_EXPECT_EQ(test, -1, order_at(s, 0));

	/* What userspace has allocated before is split, and counts as untouched. */
	order = -1;
	KUNIT_EXPECT_EQ(test, 0, do_fallocate(s, 0, NR, 2 * NR));
	folio = filemap_get_folio(mapping_of(s), NR);
	KUNIT_EXPECT_EQ(test, -EBUSY, populate(s, GFN + NR + 3, &order));
	KUNIT_EXPECT_EQ(test, -1, order);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, 1, populate(s, GFN + NR + 3, &order));
	KUNIT_EXPECT_EQ(test, 0, order);
	KUNIT_EXPECT_EQ(test, -EEXIST, populate(s, GFN + NR + 3, &order));
	KUNIT_EXPECT_EQ(test, 1, populate(s, GFN + NR + 2, &order));
}

/* What else is in the folio can be used, and nothing is mapped that has it in the midst. */
static void broken_page_is_not_mapped(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct folio *folio;

	folio = grab(s, &s->slot, 0);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	SetPageHWPoison(folio_page(folio, 9));
	folio_set_has_hwpoisoned(folio);
	let_go(folio);

	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_EXPECT_EQ(test, -EHWPOISON, fault(s, GFN + 9));
	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, fault(s, GFN + 8));
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN + 8, PG_LEVEL_4K));
	expect_sane(s);

	folio = filemap_get_folio(mapping_of(s), 0);
	ClearPageHWPoison(folio_page(folio, 9));
	folio_clear_has_hwpoisoned(folio);
	folio_put(folio);
}

/* As memory_failure() does it: the folio is split first, which has not reached the guest. */
static void page_that_breaks_is_unmapped_alone(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct folio *folio;
	unsigned int wrong = 0;
	gfn_t gfn;

	fault_in(s, GFN);
	folio = filemap_lock_folio(mapping_of(s), 9);
	folio = kvm_gmem_split_folio(folio, 9);
	KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
	KUNIT_EXPECT_EQ(test, 9, folio->index);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_2M));

	model_fail(s->vm, MODEL_SPLIT, 0, 1, -EIO);
	KUNIT_EXPECT_EQ(test, MF_FAILED,
			mapping_of(s)->a_ops->error_remove_folio(mapping_of(s), folio));
	KUNIT_EXPECT_TRUE(test, is_mapped(s, GFN + 9));
	KUNIT_EXPECT_EQ(test, MF_DELAYED,
			mapping_of(s)->a_ops->error_remove_folio(mapping_of(s), folio));
	for (gfn = GFN; gfn < GFN + NR; gfn++)
		wrong += is_mapped(s, gfn) != (gfn != GFN + 9);
	KUNIT_EXPECT_EQ(test, 0, wrong);
	let_go(folio);
	expect_sane(s);
}

/* Faults near by map small pages, and don't mind that there is a large one. */
static void large_page_of_small_folios_stays(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct folio *folio;

	fault_in(s, GFN);
	folio = filemap_lock_folio(mapping_of(s), 0);
	folio = kvm_gmem_split_folio(folio, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
	let_go(folio);

	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, fault(s, GFN + 3));
	KUNIT_EXPECT_EQ(test, 0, punch(s, 3, 4));
	KUNIT_EXPECT_TRUE(test, is_mapped(s, GFN + 2));
	KUNIT_EXPECT_FALSE(test, is_mapped(s, GFN + 3));
	expect_sane(s);
}

static void vm_of_another_kind_has_small_folios(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN);
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, 0));
	KUNIT_EXPECT_TRUE(test, kvm_arch_gmem_wants_large_folios(s->kvm, false));
	KUNIT_EXPECT_TRUE(test, kvm_arch_gmem_clears_pages(s->kvm));

	s->kvm->arch.vm_type = KVM_X86_SW_PROTECTED_VM;
	KUNIT_EXPECT_FALSE(test, kvm_arch_gmem_wants_large_folios(s->kvm, false));
	KUNIT_EXPECT_TRUE(test, kvm_arch_gmem_wants_large_folios(s->kvm, true));
	KUNIT_EXPECT_FALSE(test, kvm_arch_gmem_clears_pages(s->kvm));
	s->kvm->arch.vm_type = KVM_X86_SNP_VM;
	KUNIT_EXPECT_FALSE(test, kvm_arch_gmem_wants_large_folios(s->kvm, true));
	KUNIT_EXPECT_FALSE(test, kvm_arch_gmem_clears_pages(s->kvm));
	s->kvm->arch.vm_type = KVM_X86_TDX_VM;
}

/* What the guest accepts by 4 KiB */

static void guest_that_takes_small_pages_gets_them(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN);
	model_reset_counts(s->vm);
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + 7));
	KUNIT_EXPECT_EQ(test, 1, s->vm->model.count[MODEL_SPLIT]);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN + 7, PG_LEVEL_4K));

	/* It is known now, and the range beside it is not concerned. */
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + 8));
	KUNIT_EXPECT_EQ(test, 1, s->vm->model.count[MODEL_BEGIN]);
	fault_in(s, GFN + NR);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN + NR, PG_LEVEL_2M));

	/* The first gfn of a page cuts it as well. */
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + NR));
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN + NR, PG_LEVEL_4K));
	expect_sane(s);
}

static void limit_holds_until_it_is_forgotten(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + NR - 1));
	KUNIT_EXPECT_EQ(test, 0, s->vm->model.nr_calls);
	fault_in(s, GFN);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_4K));
	/* The memory is there in any case. */
	KUNIT_EXPECT_EQ(test, PMD_ORDER, order_at(s, 0));

	KUNIT_EXPECT_EQ(test, 0, punch(s, 0, NR));
	fault_in(s, GFN);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_4K));

	KUNIT_EXPECT_EQ(test, 0, punch(s, 0, NR));
	external_forget_limit(&s->slot, GFN);
	fault_in(s, GFN);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_2M));

	/* Where there is no slot, there is nothing to limit. */
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, SLOT_END));
	expect_sane(s);
}

static bool is_limited(struct slot_test *s, gfn_t gfn)
{
	return s->slot.arch.lpage_info[0][(gfn - GFN) / NR].disallow_lpage &
	       KVM_LPAGE_GUEST_4K_FLAG;
}

/* What is not split must not be taken for split, or nobody would do it any more. */
static void limit_that_fails_is_none(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN);
	model_fail(s->vm, MODEL_SPLIT, 0, 1, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, limit_level(s, GFN + 1));
	KUNIT_EXPECT_FALSE(test, is_limited(s, GFN));
	model_fail(s->vm, MODEL_BEGIN, 0, 3, -EBUSY);
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + 1));
	KUNIT_EXPECT_TRUE(test, is_limited(s, GFN));
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN + 1, PG_LEVEL_4K));

	/* Of shared memory the guest can't accept anything. */
	xa_erase(&s->kvm->mem_attr_array, GFN + NR);
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + NR));
	KUNIT_EXPECT_FALSE(test, is_limited(s, GFN + NR));
	expect_sane(s);
}

static int convert_begin(struct slot_test *s, gfn_t start, gfn_t end)
{
	guard(mutex)(&s->kvm->slots_lock);

	return kvm_arch_begin_attributes_change(s->kvm, start, end, 0);
}

/* From before the split on, or a large page could come back before the removal. */
static void conversion_puts_off_faults_on_all_that_it_cuts(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN);
	KUNIT_ASSERT_EQ(test, 0, convert_begin(s, GFN + 1, GFN + 2));
	KUNIT_EXPECT_FALSE(test, is_leaf(s, GFN, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, RET_PF_RETRY, fault(s, GFN));
	KUNIT_EXPECT_EQ(test, RET_PF_RETRY, fault(s, GFN + NR - 1));
	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, fault(s, GFN + NR));

	/* Nor is a level limited meanwhile: the next fault finds out. */
	KUNIT_EXPECT_EQ(test, 0, limit_level(s, GFN + 3));
	KUNIT_EXPECT_FALSE(test, is_limited(s, GFN));
	kvm_arch_end_attributes_change(s->kvm);
	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, fault(s, GFN));

	/* One that fails leaves nobody waiting. */
	model_fail(s->vm, MODEL_BEGIN, 0, 1, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, convert_begin(s, GFN + NR + 1, GFN + 2 * NR));
	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, fault(s, GFN + NR));
	expect_sane(s);
}

static void conversion_to_private_splits_nothing(struct kunit *test)
{
	struct slot_test *s = test->priv;

	fault_in(s, GFN);
	mutex_lock(&s->kvm->slots_lock);
	KUNIT_EXPECT_EQ(test, 0, kvm_arch_begin_attributes_change(s->kvm, GFN + 1, GFN + 2,
								  KVM_MEMORY_ATTRIBUTE_PRIVATE));
	kvm_arch_end_attributes_change(s->kvm);
	mutex_unlock(&s->kvm->slots_lock);
	KUNIT_EXPECT_TRUE(test, is_leaf(s, GFN, PG_LEVEL_2M));
	expect_sane(s);
}

static struct kunit_case gmem_large_cases[] = {
	KUNIT_CASE(first_fault_maps_all_of_a_large_folio),
	KUNIT_CASE(userspace_address_does_not_matter),
	KUNIT_CASE(folio_is_small_if_anything_speaks_against_it),
	KUNIT_CASE(end_of_the_file_takes_small_folios),
	KUNIT_CASE(fallocate_makes_large_what_it_has_all_of),
	KUNIT_CASE_SLOW(hole_takes_exactly_its_pages),
	KUNIT_CASE(folio_that_cannot_be_split_is_kept),
	KUNIT_CASE(hole_is_not_punched_if_the_mapping_cannot_be_split),
	KUNIT_CASE(initial_memory_is_of_small_folios),
	KUNIT_CASE(broken_page_is_not_mapped),
	KUNIT_CASE(page_that_breaks_is_unmapped_alone),
	KUNIT_CASE(large_page_of_small_folios_stays),
	KUNIT_CASE(vm_of_another_kind_has_small_folios),
	KUNIT_CASE(guest_that_takes_small_pages_gets_them),
	KUNIT_CASE(limit_holds_until_it_is_forgotten),
	KUNIT_CASE(limit_that_fails_is_none),
	KUNIT_CASE(conversion_puts_off_faults_on_all_that_it_cuts),
	KUNIT_CASE(conversion_to_private_splits_nothing),
	{}
};

static struct kunit_suite gmem_large_suite = {
	.name = "kvm_mmu_gmem_large",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = slot_fixture_init_large,
	.exit = slot_fixture_exit,
	.test_cases = gmem_large_cases,
};

kunit_test_suite(gmem_large_suite);
