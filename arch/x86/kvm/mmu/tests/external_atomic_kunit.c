// SPDX-License-Identifier: GPL-2.0
/*
 * A change of a mirror SPTE under mmu_lock held for read, by itself: what the caller
 * of tdp_mmu_set_mirror_spte_atomic() is left with, for faults don't go on after a
 * change that was lost, but whoever zaps or splits does.
 */
#include <kunit/test.h>

#include "mmu.h"
#include "mmu_fixture.h"

#define NP		SHADOW_NONPRESENT_VALUE
#define GFN		5

static u64 leaf_spte(u64 pfn)
{
	return SPTE_MMU_PRESENT_MASK | shadow_present_mask | (pfn << PAGE_SHIFT);
}

/* At the SPTE of GFN, in a table that is there for the sake of a neighbor. */
static void start_at_gfn(struct test_vm *vm, struct kvm_vcpu *vcpu, struct tdp_iter *iter)
{
	test_map_range(vm, vcpu, GFN + 1, GFN + 2);
	model_reset_counts(vm);

	rcu_read_lock();
	tdp_iter_start(iter, test_mirror_root(vcpu), PG_LEVEL_4K, GFN);
	while (iter->valid && iter->level > PG_LEVEL_4K)
		tdp_iter_next(iter);
	rcu_read_unlock();

	KUNIT_ASSERT_TRUE(vm->test, iter->valid);
	KUNIT_ASSERT_EQ(vm->test, GFN, iter->gfn);
	KUNIT_ASSERT_EQ(vm->test, NP, iter->old_spte);
}

static void store(struct tdp_iter *iter, u64 spte)
{
	guard(rcu)();

	WRITE_ONCE(*rcu_dereference(iter->sptep), spte);
}

static u64 load(struct tdp_iter *iter)
{
	guard(rcu)();

	return kvm_tdp_mmu_read_spte(iter->sptep);
}

static int change(struct test_vm *vm, struct tdp_iter *iter, u64 new_spte)
{
	guard(read_lock)(&vm->kvm->mmu_lock);
	guard(rcu)();

	return tdp_mmu_set_mirror_spte_atomic(vm->kvm, iter, new_spte);
}

/* R10: each attempt is made with what the one before has found. */
static void lost_exchange_returns_the_current_value(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	kvm_pfn_t pfn = page_to_pfn(vm->page);
	u64 theirs = leaf_spte(pfn + 1), ours = leaf_spte(pfn);
	struct tdp_iter iter;

	start_at_gfn(vm, vcpu, &iter);

	/* Somebody maps it ... */
	store(&iter, theirs);
	KUNIT_EXPECT_EQ(test, -EBUSY, change(vm, &iter, ours));
	KUNIT_EXPECT_EQ(test, theirs, iter.old_spte);
	KUNIT_EXPECT_EQ(test, theirs, load(&iter));

	/* ... and it is removed again before the next attempt. */
	store(&iter, NP);
	KUNIT_EXPECT_EQ(test, -EBUSY, change(vm, &iter, ours));
	KUNIT_EXPECT_EQ(test, NP, iter.old_spte);
	KUNIT_EXPECT_EQ(test, NP, load(&iter));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);

	KUNIT_EXPECT_EQ(test, 0, change(vm, &iter, ours));
	KUNIT_EXPECT_EQ(test, ours, load(&iter));
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_MAP]);
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

/* Whoever lost to the thread that froze the SPTE has to see that. */
static void exchange_lost_to_a_freezer_returns_frozen(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct tdp_iter iter;

	start_at_gfn(vm, vcpu, &iter);
	store(&iter, FROZEN_SPTE);

	KUNIT_EXPECT_EQ(test, -EBUSY, change(vm, &iter, leaf_spte(page_to_pfn(vm->page))));
	KUNIT_EXPECT_EQ(test, FROZEN_SPTE, iter.old_spte);
	KUNIT_EXPECT_EQ(test, FROZEN_SPTE, load(&iter));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);

	store(&iter, NP);
	test_vcpu_destroy(vcpu);
}

static const struct refusal {
	const char *desc;
	int err;
} refusals[] = {
	{ "busy", -EBUSY },
	{ "fail", -EIO },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusals, desc);

/* The exchange was won, the backend has refused: the old value is what it was. */
static void refused_change_keeps_the_old_value(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	u64 ours = leaf_spte(page_to_pfn(vm->page));
	struct tdp_iter iter;

	start_at_gfn(vm, vcpu, &iter);
	model_fail(vm, MODEL_MAP, 0, 1, refusal->err);

	KUNIT_EXPECT_EQ(test, refusal->err, change(vm, &iter, ours));
	KUNIT_EXPECT_EQ(test, NP, iter.old_spte);
	KUNIT_EXPECT_EQ(test, NP, load(&iter));

	KUNIT_EXPECT_EQ(test, 0, change(vm, &iter, ours));
	KUNIT_EXPECT_EQ(test, ours, load(&iter));
	test_expect_trees_equal(vm, vcpu);
	test_vcpu_destroy(vcpu);
}

static struct kunit_case external_atomic_cases[] = {
	KUNIT_CASE(lost_exchange_returns_the_current_value),
	KUNIT_CASE(exchange_lost_to_a_freezer_returns_frozen),
	KUNIT_CASE_PARAM(refused_change_keeps_the_old_value, refusal_gen_params),
	{}
};

static struct kunit_suite external_atomic_suite = {
	.name = "kvm_mmu_external_atomic",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = external_atomic_cases,
};

kunit_test_suite(external_atomic_suite);
