// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of 2 MiB in a mirror: mapped, split and removed to the page, and the tables that go
 * with what they mapped.
 */
#include <kunit/test.h>
#include <linux/sched.h>

#include "mmu.h"
#include "mmu_fixture.h"

/* Pages of a large one, and what this maps: three of them. */
#define NR	512ULL
#define END	(3 * NR)

static struct kvm_vcpu *vcpu_with_large_pages(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	vm->model.frees_tables = true;
	test_map_large_range(vm, vcpu, 0, END);
	model_reset_counts(vm);
	return vcpu;
}

static int split(struct test_vm *vm, gfn_t start, gfn_t end)
{
	const gfn_t cuts[] = { start, end };

	return kvm_arch_split_private_mappings(vm->kvm, cuts, ARRAY_SIZE(cuts));
}

static void expect_ops(struct test_vm *vm, const enum model_op *ops, unsigned int nr)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(vm->test, nr, vm->model.nr_calls);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ_MSG(vm->test, ops[i], vm->model.calls[i].op, "call %u", i);
}

#define expect_these_ops(vm, ...)						\
do {										\
	static const enum model_op __ops[] = { __VA_ARGS__ };			\
										\
	expect_ops(vm, __ops, ARRAY_SIZE(__ops));				\
} while (0)

/* Whether a gfn is mapped, by a page of whatever size. */
static bool is_mapped(struct test_vm *vm, gfn_t gfn)
{
	return model_state(vm, gfn, PG_LEVEL_4K) == MODEL_LEAF ||
	       model_state(vm, gfn_round_for_level(gfn, PG_LEVEL_2M), PG_LEVEL_2M) == MODEL_LEAF;
}

static unsigned int nr_pages(struct test_vm *vm, int level)
{
	return atomic64_read(&vm->kvm->stat.pages[level - PG_LEVEL_4K]);
}

static void finish(struct test_vm *vm, struct kvm_vcpu *vcpu)
{
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static void large_page_is_one_leaf(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_large_range(vm, vcpu, NR, 2 * NR);

	expect_these_ops(vm, MODEL_LINK, MODEL_LINK, MODEL_MAP);
	KUNIT_EXPECT_EQ(test, NR, vm->model.calls[2].gfn);
	KUNIT_EXPECT_EQ(test, PG_LEVEL_2M, vm->model.calls[2].level);
	KUNIT_EXPECT_EQ(test, 1, nr_pages(vm, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, 0, nr_pages(vm, PG_LEVEL_4K));
	finish(vm, vcpu);
}

/* By a fault that would have chosen the other size: it gets what is there. */
static void gfn_is_mapped_whatever_the_size(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	kvm_pfn_t pfn = ALIGN_DOWN(page_to_pfn(vm->page), NR);

	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, test_map(vcpu, NR + 7, pfn + 7, true));
	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, test_map_large(vcpu, NR + 7, pfn));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);

	/* Where there is a table, it is a page of 4 KiB in it, with its own part. */
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(vcpu, END + 1, pfn + 1, true));
	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, test_map_large(vcpu, END + 9, pfn));
	KUNIT_EXPECT_EQ(test, pfn + 9,
			spte_to_pfn(test_read_spte(vcpu, END + 9, PG_LEVEL_4K)));
	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS, test_map_large(vcpu, END + 1, pfn));
	KUNIT_EXPECT_EQ(test, 3, nr_pages(vm, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, 2, nr_pages(vm, PG_LEVEL_4K));
	finish(vm, vcpu);
}

/* That is a bug of KVM's, of which a VM that has one is not warned again. */
static void another_page_is_refused_at_any_size(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	kvm_pfn_t pfn = ALIGN_DOWN(page_to_pfn(vm->page), NR);

	vm->kvm->vm_bugged = true;
	KUNIT_EXPECT_EQ(test, -EIO, test_map(vcpu, 7, pfn + 8, true));
	KUNIT_EXPECT_EQ(test, -EIO, test_map_large(vcpu, 7, pfn + NR));
	vm->kvm->vm_bugged = false;
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	finish(vm, vcpu);
}

/* Where a range may begin and end: at, and beside, each border of a page. */
static const gfn_t offsets[] = { 0, 1, 2, 256, 511, 512, 513, 1023, 1024, 1025, 1535, 1536 };

static bool is_cut(gfn_t gfn)
{
	return gfn % NR;
}

static unsigned int nr_splits(gfn_t start, gfn_t end)
{
	if (is_cut(start) && is_cut(end))
		return start / NR == end / NR ? 1 : 2;

	return is_cut(start) + is_cut(end);
}

/* Of pages that nothing was split of, those that lie in the range */
static unsigned int nr_whole(gfn_t start, gfn_t end)
{
	gfn_t first = DIV_ROUND_UP(start, NR), last = end / NR;

	return last > first ? last - first : 0;
}

static void expect_exact_removal(struct kunit *test, gfn_t start, gfn_t end)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	unsigned int splits = nr_splits(start, end), whole = nr_whole(start, end);
	unsigned int wrong = 0;
	gfn_t gfn;

	KUNIT_EXPECT_EQ(test, 0, split(vm, start, end));
	KUNIT_EXPECT_EQ(test, splits, vm->model.count[MODEL_SPLIT]);
	/* One for both ends. */
	KUNIT_EXPECT_EQ(test, !!splits, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, END / NR - splits, nr_pages(vm, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, splits * NR, nr_pages(vm, PG_LEVEL_4K));
	for (gfn = 0; gfn < END; gfn++)
		wrong += !is_mapped(vm, gfn);
	KUNIT_EXPECT_EQ(test, 0, wrong);
	test_expect_trees_equal(vm, vcpu);

	model_reset_counts(vm);
	test_unmap_without_yield(vm, start, end);

	KUNIT_EXPECT_EQ(test, end - start - whole * (NR - 1), vm->model.count[MODEL_FINISH]);
	KUNIT_EXPECT_EQ(test, whole, END / NR - splits - nr_pages(vm, PG_LEVEL_2M));
	for (gfn = 0; gfn < END; gfn++)
		wrong += is_mapped(vm, gfn) == (gfn >= start && gfn < end);
	KUNIT_EXPECT_EQ_MSG(test, 0, wrong, "[%llu, %llu)", start, end);

	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_unmap_without_yield(vm, 0, END);
	test_vcpu_destroy(vcpu);
}

static void removal_is_exact_wherever_it_cuts(struct kunit *test)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (j = i + 1; j < ARRAY_SIZE(offsets); j++)
			expect_exact_removal(test, offsets[i], offsets[j]);
	}
}

static void split_is_begun_flushed_and_done(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);

	KUNIT_EXPECT_EQ(test, 0, split(vm, 1, NR + 1));
	expect_these_ops(vm, MODEL_BEGIN, MODEL_BEGIN, MODEL_FLUSH, MODEL_SPLIT, MODEL_SPLIT);

	/* There is nothing left to be split, be it that it was, or that there is nothing. */
	model_reset_counts(vm);
	KUNIT_EXPECT_EQ(test, 0, split(vm, 2, NR + 5));
	KUNIT_EXPECT_EQ(test, 0, split(vm, END + 1, TEST_DIRECT_BIT - 1));
	KUNIT_EXPECT_EQ(test, 0, split(vm, 0, END));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	finish(vm, vcpu);
}

static void parts_are_as_the_whole_was(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	u64 whole = test_read_spte(vcpu, NR, PG_LEVEL_2M), spte;
	unsigned int wrong = 0;
	int i;

	KUNIT_ASSERT_EQ(test, 0, split(vm, NR + 1, END));
	for (i = 0; i < NR; i++) {
		spte = test_read_spte(vcpu, NR + i, PG_LEVEL_4K);
		spte ^= (whole & ~PT_PAGE_SIZE_MASK) + ((u64)i << PAGE_SHIFT);
		/* Only small pages may be executable, on some CPUs. */
		wrong += !!(spte & ~shadow_x_mask);
	}
	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, 3, atomic64_read(&vm->kvm->arch.tdp_mmu_pages));
	finish(vm, vcpu);
}

static void leaves_are_found_in_their_order(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	struct external_leaf leaf;

	test_unmap_without_yield(vm, NR, 2 * NR);
	test_map_range(vm, vcpu, END + 9, END + 10);

	KUNIT_ASSERT_TRUE(test, external_next_leaf(vm->kvm, 0, &leaf));
	KUNIT_EXPECT_EQ(test, 0, leaf.gfn);
	KUNIT_EXPECT_EQ(test, PG_LEVEL_2M, leaf.level);
	KUNIT_ASSERT_TRUE(test, external_next_leaf(vm->kvm, NR, &leaf));
	KUNIT_EXPECT_EQ(test, 2 * NR, leaf.gfn);
	KUNIT_ASSERT_TRUE(test, external_next_leaf(vm->kvm, END, &leaf));
	KUNIT_EXPECT_EQ(test, END + 9, leaf.gfn);
	KUNIT_EXPECT_EQ(test, PG_LEVEL_4K, leaf.level);
	KUNIT_EXPECT_FALSE(test, external_next_leaf(vm->kvm, END + 10, &leaf));
	finish(vm, vcpu);
}

/* It is the mirror that is walked. */
static void direct_tree_is_not_split(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	kvm_pfn_t pfn = page_to_pfn(vm->page);

	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(vcpu, 1, pfn, false));
	KUNIT_EXPECT_EQ(test, 0, split(vm, 1, 2));
	KUNIT_EXPECT_EQ(test, pfn, spte_to_pfn(test_read_direct_spte(vcpu, 1)));
	KUNIT_EXPECT_FALSE(test, is_shadow_present_pte(test_read_direct_spte(vcpu, 2)));
	KUNIT_EXPECT_TRUE(test, is_shadow_present_pte(test_read_spte(vcpu, 2, PG_LEVEL_4K)));
	finish(vm, vcpu);
}

static void vm_without_a_mirror_has_nothing_to_split(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	vm->kvm->arch.gfn_direct_bits = 0;
	KUNIT_EXPECT_EQ(test, 0, split(vm, 1, 2));
	vm->kvm->arch.gfn_direct_bits = TEST_DIRECT_BIT;
	/* Nor has one that has no root yet. */
	KUNIT_EXPECT_EQ(test, 0, split(vm, 1, 2));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
}

static const struct split_failure {
	const char *desc;
	enum model_op op;
	unsigned int nth;
	unsigned int times;
	int err;
	int want;
	/* What is split nevertheless, of two */
	bool first;
	bool second;
	unsigned int flushes;
} split_failures[] = {
	{ "begin_busy", MODEL_BEGIN, 0, 1, -EBUSY, 0, true, true, 2 },
	{ "begin_busy_often", MODEL_BEGIN, 0, 5, -EBUSY, 0, true, true, 2 },
	{ "second_begin_busy", MODEL_BEGIN, 1, 1, -EBUSY, 0, true, true, 2 },
	{ "begin_fails", MODEL_BEGIN, 0, 1, -EIO, -EIO, false, true, 1 },
	{ "second_begin_fails", MODEL_BEGIN, 1, 1, -EIO, -EIO, true, false, 1 },
	{ "both_begins_fail", MODEL_BEGIN, 0, 2, -EIO, -EIO, false, false, 0 },
	{ "split_fails", MODEL_SPLIT, 0, 1, -EIO, -EIO, false, true, 1 },
	{ "second_split_fails", MODEL_SPLIT, 1, 1, -EIO, -EIO, true, false, 1 },
};

KUNIT_ARRAY_PARAM_DESC(split_failure, split_failures, desc);

/* What is mapped stays mapped, by the page that it was mapped by, or its parts. */
static void failed_split_loses_nothing(struct kunit *test)
{
	const struct split_failure *f = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	s64 nr_tables = atomic64_read(&vm->kvm->arch.tdp_mmu_pages);
	unsigned int splits = f->first + f->second;

	model_fail(vm, f->op, f->nth, f->times, f->err);
	KUNIT_EXPECT_EQ(test, f->want, split(vm, 1, NR + 1));

	KUNIT_EXPECT_EQ(test, f->flushes, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, 3 - splits, nr_pages(vm, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, splits * NR, nr_pages(vm, PG_LEVEL_4K));
	KUNIT_EXPECT_EQ(test, nr_tables + splits,
			atomic64_read(&vm->kvm->arch.tdp_mmu_pages));
	KUNIT_EXPECT_EQ(test, f->first,
			is_shadow_present_pte(test_read_spte(vcpu, 0, PG_LEVEL_4K)));
	KUNIT_EXPECT_EQ(test, f->second,
			is_shadow_present_pte(test_read_spte(vcpu, NR, PG_LEVEL_4K)));

	/* To bug the VM is the backend's; this one doesn't, so that the rest can go on. */
	KUNIT_EXPECT_EQ(test, 0, split(vm, 1, NR + 1));
	KUNIT_EXPECT_EQ(test, 1, nr_pages(vm, PG_LEVEL_2M));
	test_unmap_without_yield(vm, 1, NR + 1);
	KUNIT_EXPECT_TRUE(test, is_mapped(vm, 0));
	KUNIT_EXPECT_FALSE(test, is_mapped(vm, 1));
	KUNIT_EXPECT_FALSE(test, is_mapped(vm, NR));
	KUNIT_EXPECT_TRUE(test, is_mapped(vm, NR + 1));
	finish(vm, vcpu);
}

/* Both are the roots' only references, taken for nothing here. */
static void no_reference_to_the_root_is_kept(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	refcount_t *count = &test_mirror_root(vcpu)->tdp_mmu_root_count;

	KUNIT_EXPECT_EQ(test, 2, refcount_read(count));
	KUNIT_EXPECT_EQ(test, 0, split(vm, 1, NR));
	model_fail(vm, MODEL_SPLIT, 0, 1, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, split(vm, NR + 1, END));
	KUNIT_EXPECT_EQ(test, 0, split(vm, NR + 1, END));
	test_unmap(vm, 0, NR, KVM_FILTER_PRIVATE);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(count));
	finish(vm, vcpu);
}

/* Tables */

static void table_goes_with_all_that_it_maps(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);

	KUNIT_ASSERT_EQ(test, 0, split(vm, NR + 1, END));
	model_reset_counts(vm);
	test_unmap_without_yield(vm, NR, 2 * NR);

	KUNIT_EXPECT_EQ(test, NR, vm->model.count[MODEL_FINISH]);
	KUNIT_EXPECT_EQ(test, 2, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_BEGIN_FREE]);
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_EQ(test, MODEL_FREE_ENTRY, model_state(vm, NR, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, 2, atomic64_read(&vm->kvm->arch.tdp_mmu_pages));

	/* So it is a large page that comes back. */
	test_map_large_range(vm, vcpu, NR, 2 * NR);
	KUNIT_EXPECT_EQ(test, 3, nr_pages(vm, PG_LEVEL_2M));
	KUNIT_EXPECT_EQ(test, 0, nr_pages(vm, PG_LEVEL_4K));
	finish(vm, vcpu);
}

static void table_of_which_a_part_is_removed_stays(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);

	KUNIT_ASSERT_EQ(test, 0, split(vm, 1, NR - 1));
	model_reset_counts(vm);
	test_unmap_without_yield(vm, 0, NR - 1);
	test_unmap_without_yield(vm, NR - 1, NR);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_BEGIN_FREE]);
	KUNIT_EXPECT_EQ(test, MODEL_TABLE, model_state(vm, 0, PG_LEVEL_2M));

	/* Nor does it cost anything where there was nothing to remove. */
	test_unmap_without_yield(vm, 0, NR);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_BEGIN_FREE]);

	test_map_range(vm, vcpu, 3, 4);
	test_unmap_without_yield(vm, 0, NR);
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_FREE]);
	finish(vm, vcpu);
}

/* From the bottom up, with one flush for all tables of a level. */
static void tables_of_all_levels_go(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	gfn_t gib = KVM_PAGES_PER_HPAGE(PG_LEVEL_1G);

	test_map_range(vm, vcpu, END, END + 1);
	test_map_range(vm, vcpu, END + NR, END + NR + 1);
	test_map_range(vm, vcpu, gib, gib + 1);
	model_reset_counts(vm);

	/* All but the last table of each level, which maps more. */
	test_unmap_without_yield(vm, 0, gib);
	KUNIT_EXPECT_EQ(test, 3, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_EQ(test, 3, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, MODEL_FREE_ENTRY, model_state(vm, 0, PG_LEVEL_1G));
	KUNIT_EXPECT_TRUE(test, is_mapped(vm, gib));
	test_expect_trees_equal(vm, vcpu);

	model_reset_counts(vm);
	test_unmap_without_yield(vm, 0, TEST_DIRECT_BIT);
	KUNIT_EXPECT_EQ(test, 3, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_EQ(test, 4, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_TRUE(test, xa_empty(&vm->model.entries));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&vm->kvm->arch.tdp_mmu_pages));
	finish(vm, vcpu);
}

/* More than one flush may be for. */
static void many_tables_go_in_batches(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	int i;

	vm->model.frees_tables = true;
	for (i = 0; i < EXTERNAL_ZAP_BATCH + 1; i++)
		test_map_range(vm, vcpu, i * NR, i * NR + 1);
	model_reset_counts(vm);

	test_unmap_without_yield(vm, 0, (EXTERNAL_ZAP_BATCH + 1) * NR);
	KUNIT_EXPECT_EQ(test, EXTERNAL_ZAP_BATCH + 1, vm->model.count[MODEL_FINISH]);
	/* Two for the leaves, two for their tables, one for what is above the first. */
	KUNIT_EXPECT_EQ(test, EXTERNAL_ZAP_BATCH + 2, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_EQ(test, 5, vm->model.count[MODEL_FLUSH]);
	finish(vm, vcpu);
}

static const struct table_failure {
	const char *desc;
	unsigned int nth;
	int err;
	unsigned int freed;
} table_failures[] = {
	{ "first_busy", 0, -EBUSY, 0 },
	{ "second_busy", 1, -EBUSY, 2 },
	{ "first_fails", 0, -EIO, 0 },
	{ "second_fails", 1, -EIO, 2 },
};

KUNIT_ARRAY_PARAM_DESC(table_failure, table_failures, desc);

/* Nobody's memory depends on it: they stay, and those above them with them. */
static void table_that_cannot_go_stays(struct kunit *test)
{
	const struct table_failure *f = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	vm->model.frees_tables = true;
	test_map_range(vm, vcpu, NR - 1, NR + 1);
	model_reset_counts(vm);
	model_fail(vm, MODEL_BEGIN_FREE, f->nth, 1, f->err);

	test_unmap_without_yield(vm, 0, 2 * NR);
	KUNIT_EXPECT_EQ(test, f->freed, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_EQ(test, f->err == -EIO, vm->kvm->vm_bugged);
	KUNIT_EXPECT_EQ(test, 4 - f->freed, atomic64_read(&vm->kvm->arch.tdp_mmu_pages));
	vm->kvm->vm_bugged = false;
	finish(vm, vcpu);
}

/* Yields */

/* Of the scheduler, which looks at both. */
static void ask_for_resched(struct test_vm *vm)
{
	set_tsk_need_resched(current);
	set_preempt_need_resched();
}

/*
 * The write back of a large page takes long enough to let others have the lock.  What they
 * do with it is for the race suite, unless it is nothing: then it has cost nothing.
 */
static void finish_yields_between_pages_at_no_cost(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);

	vm->model.after_finish = ask_for_resched;
	cond_resched();
	test_unmap(vm, 0, END, KVM_FILTER_PRIVATE);
	vm->model.after_finish = NULL;

	KUNIT_EXPECT_EQ(test, 3, vm->model.count[MODEL_FINISH]);
	KUNIT_EXPECT_EQ(test, 3, vm->model.count[MODEL_BEGIN]);
	/* The scheduler may have wishes of its own, while it begins. */
	KUNIT_EXPECT_EQ(test, 1 + vm->kvm->stat.mmu_external_yields,
			vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, 0, nr_pages(vm, PG_LEVEL_2M));
	finish(vm, vcpu);
}

/* Others may rely on it, as at a yield between batches. */
static void owed_flush_is_paid_before_a_finish_yields(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);
	u64 *requests = &vm->kvm->stat.generic.remote_tlb_flush_requests, before = *requests;
	bool flush;

	vm->model.after_finish = ask_for_resched;
	write_lock(&vm->kvm->mmu_lock);
	flush = external_zap_leafs(vm->kvm, test_mirror_root(vcpu), 0, END, false, true);
	KUNIT_EXPECT_TRUE(test, flush);
	KUNIT_EXPECT_EQ(test, before, *requests);
	write_unlock(&vm->kvm->mmu_lock);

	test_map_large_range(vm, vcpu, 0, END);
	write_lock(&vm->kvm->mmu_lock);
	flush = external_zap_leafs(vm->kvm, test_mirror_root(vcpu), 0, END, true, true);
	KUNIT_EXPECT_FALSE(test, flush);
	KUNIT_EXPECT_EQ(test, before + 1, *requests);
	write_unlock(&vm->kvm->mmu_lock);
	vm->model.after_finish = NULL;
	finish(vm, vcpu);
}

static bool saw_the_lock_free;

/* Where the last page was finished, the wish is still there if nobody has yielded. */
static void ask_for_resched_once(struct test_vm *vm)
{
	if (vm->model.count[MODEL_FINISH] == 1)
		ask_for_resched(vm);
	else if (!need_resched())
		saw_the_lock_free = true;
}

static void expect_yield(struct kunit *test, bool can_yield)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vcpu_with_large_pages(test);

	saw_the_lock_free = false;
	vm->model.after_finish = ask_for_resched_once;
	if (can_yield)
		test_unmap(vm, 0, END, KVM_FILTER_PRIVATE);
	else
		test_unmap_without_yield(vm, 0, END);
	vm->model.after_finish = NULL;

	KUNIT_EXPECT_EQ(test, can_yield, saw_the_lock_free);
	finish(vm, vcpu);
}

static void finish_yields_only_if_it_may(struct kunit *test)
{
	expect_yield(test, true);
	expect_yield(test, false);
}

static struct kunit_case external_large_cases[] = {
	KUNIT_CASE(large_page_is_one_leaf),
	KUNIT_CASE(gfn_is_mapped_whatever_the_size),
	KUNIT_CASE(another_page_is_refused_at_any_size),
	KUNIT_CASE_SLOW(removal_is_exact_wherever_it_cuts),
	KUNIT_CASE(split_is_begun_flushed_and_done),
	KUNIT_CASE(parts_are_as_the_whole_was),
	KUNIT_CASE(leaves_are_found_in_their_order),
	KUNIT_CASE(direct_tree_is_not_split),
	KUNIT_CASE(vm_without_a_mirror_has_nothing_to_split),
	KUNIT_CASE_PARAM(failed_split_loses_nothing, split_failure_gen_params),
	KUNIT_CASE(no_reference_to_the_root_is_kept),
	KUNIT_CASE(table_goes_with_all_that_it_maps),
	KUNIT_CASE(table_of_which_a_part_is_removed_stays),
	KUNIT_CASE(tables_of_all_levels_go),
	KUNIT_CASE(many_tables_go_in_batches),
	KUNIT_CASE_PARAM(table_that_cannot_go_stays, table_failure_gen_params),
	KUNIT_CASE(finish_yields_between_pages_at_no_cost),
	KUNIT_CASE(owed_flush_is_paid_before_a_finish_yields),
	KUNIT_CASE(finish_yields_only_if_it_may),
	{}
};

static struct kunit_suite external_large_suite = {
	.name = "kvm_mmu_external_large",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = external_large_cases,
};

kunit_test_suite(external_large_suite);
