// SPDX-License-Identifier: GPL-2.0
/*
 * Removal in batches: how many flushes a range costs, that nothing else than
 * the range is removed, and what a busy or failing backend leaves behind.
 */
#include <kunit/test.h>

#include "mmu.h"
#include "mmu_fixture.h"

static unsigned int present_leaves(struct test_vm *vm, struct kvm_vcpu *vcpu,
				   gfn_t start, gfn_t end)
{
	unsigned int nr = 0;
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++)
		nr += is_shadow_present_pte(test_read_spte(vcpu, gfn, PG_LEVEL_4K));

	return nr;
}

static void expect_counts(struct test_vm *vm, unsigned int begin,
			  unsigned int flush, unsigned int finish)
{
	KUNIT_EXPECT_EQ(vm->test, begin, vm->model.count[MODEL_BEGIN]);
	KUNIT_EXPECT_EQ(vm->test, flush, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(vm->test, finish, vm->model.count[MODEL_FINISH]);
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
	{ "512_pages_unaligned", 512, 0x10011 },
	{ "5000_pages_unaligned", 5000, 0x101ff },
};

KUNIT_ARRAY_PARAM_DESC(batch_size, batch_sizes, desc);

static void flushes_are_one_for_each_512_leaves(struct kunit *test)
{
	const struct batch_size *size = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	gfn_t end = size->start + size->nr_pages;

	/* One more page on either side, which has to stay. */
	test_map_range(vm, vcpu, size->start - 1, end + 1);
	model_reset_counts(vm);

	KUNIT_EXPECT_FALSE(test, test_unmap_without_yield(vm, size->start, end));

	expect_counts(vm, size->nr_pages, DIV_ROUND_UP(size->nr_pages, 512),
		      size->nr_pages);
	KUNIT_EXPECT_EQ(test, 0, present_leaves(vm, vcpu, size->start, end));
	KUNIT_EXPECT_EQ(test, MODEL_LEAF, model_state(vm, size->start - 1, 1));
	KUNIT_EXPECT_EQ(test, MODEL_LEAF, model_state(vm, end, 1));
	KUNIT_EXPECT_EQ(test, 2, atomic64_read(&vm->kvm->stat.pages[0]));
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

/* Batches count leaves: holes, even of whole tables, cost no flush. */
static void holes_do_not_cost_flushes(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	unsigned int i;

	for (i = 0; i < 512; i++)
		test_map_range(vm, vcpu, i * 700, i * 700 + 1);
	model_reset_counts(vm);

	KUNIT_EXPECT_FALSE(test, test_unmap_without_yield(vm, 0, TEST_DIRECT_BIT));
	expect_counts(vm, 512, 1, 512);

	model_reset_counts(vm);
	KUNIT_EXPECT_FALSE(test, test_unmap_without_yield(vm, 0, TEST_DIRECT_BIT));
	expect_counts(vm, 0, 0, 0);

	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static void begin_of_all_comes_before_flush_and_finish(struct kunit *test)
{
	static const enum model_op ops[] = {
		MODEL_BEGIN, MODEL_BEGIN, MODEL_BEGIN, MODEL_FLUSH,
		MODEL_FINISH, MODEL_FINISH, MODEL_FINISH,
	};
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	int i;

	test_map_range(vm, vcpu, 0, 3);
	model_reset_counts(vm);
	test_unmap_without_yield(vm, 0, 3);

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(ops), vm->model.nr_calls);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		KUNIT_EXPECT_EQ(test, ops[i], vm->model.calls[i].op);

	test_vcpu_destroy(vcpu);
}

/* Each time that it has to yield a batch ends early, and costs a flush more. */
static void forced_yields_cost_one_flush_each(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 1000);
	model_reset_counts(vm);
	vm->model.resched_every = 100;

	KUNIT_EXPECT_FALSE(test, test_unmap(vm, 0, 1000, KVM_FILTER_PRIVATE));

	/* Ten at the least, the scheduler may ask for more. */
	KUNIT_EXPECT_GE(test, vm->kvm->stat.mmu_external_yields, 9);
	KUNIT_EXPECT_LE(test, vm->model.count[MODEL_FLUSH],
			DIV_ROUND_UP(1000, 512) + vm->kvm->stat.mmu_external_yields);
	KUNIT_EXPECT_EQ(test, 1000, vm->model.count[MODEL_BEGIN]);
	KUNIT_EXPECT_EQ(test, 1000, vm->model.count[MODEL_FINISH]);
	KUNIT_EXPECT_GE(test, vm->model.count[MODEL_FLUSH], 10);
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static void no_yield_if_the_caller_forbids_it(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 1000);
	model_reset_counts(vm);
	vm->model.resched_every = 100;

	test_unmap_without_yield(vm, 0, 1000);

	expect_counts(vm, 1000, 2, 1000);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

/* A flush that the caller owes for something else is neither lost nor made up. */
static void pending_flush_is_passed_on(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	bool flush;

	test_map_range(vm, vcpu, 0, 3);

	write_lock(&vm->kvm->mmu_lock);
	flush = external_zap_leafs(vm->kvm, test_mirror_root(vcpu), 0, 1, false, true);
	KUNIT_EXPECT_TRUE(test, flush);
	flush = external_zap_leafs(vm->kvm, test_mirror_root(vcpu), 1, 3, false, false);
	KUNIT_EXPECT_FALSE(test, flush);
	write_unlock(&vm->kvm->mmu_lock);

	test_vcpu_destroy(vcpu);
}

/* Others may rely on it, who get the lock then.  Nobody does if the caller forbids it. */
static void owed_flush_is_paid_before_a_yield(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_vm_stat_generic *stat = &vm->kvm->stat.generic;
	struct kvm_mmu_page *root = test_mirror_root(vcpu);

	test_map_range(vm, vcpu, 0, 2);
	vm->model.resched_every = 1;

	write_lock(&vm->kvm->mmu_lock);
	KUNIT_EXPECT_TRUE(test, external_zap_leafs(vm->kvm, root, 0, 1, false, true));
	KUNIT_EXPECT_EQ(test, 0, stat->remote_tlb_flush_requests);
	KUNIT_EXPECT_FALSE(test, external_zap_leafs(vm->kvm, root, 1, 2, true, true));
	KUNIT_EXPECT_EQ(test, 1, stat->remote_tlb_flush_requests);
	write_unlock(&vm->kvm->mmu_lock);

	test_vcpu_destroy(vcpu);
}

/* Of the scheduler, which looks at both, so that a yield does end in it. */
static void ask_for_resched(void)
{
	set_tsk_need_resched(current);
	set_preempt_need_resched();
}

/* Somebody who always waits for the lock must not keep a removal from getting on. */
static void leaf_is_removed_before_each_yield(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 1);
	vm->model.watched = &vm->kvm->stat.generic.remote_tlb_flush_requests;

	write_lock(&vm->kvm->mmu_lock);
	ask_for_resched();
	/* A yield flushes what is owed. */
	external_zap_leafs(vm->kvm, test_mirror_root(vcpu), 0, 1, true, true);
	write_unlock(&vm->kvm->mmu_lock);

	KUNIT_EXPECT_EQ(test, 1, *vm->model.watched);
	KUNIT_EXPECT_EQ(test, 0, vm->model.watched_at_begin);
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_FINISH]);
	test_vcpu_destroy(vcpu);
}

static void yield_that_costs_no_flush_is_not_counted(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	u64 *requests = &vm->kvm->stat.generic.remote_tlb_flush_requests;

	test_map_range(vm, vcpu, 0, 1);
	test_unmap(vm, 0, 1, KVM_FILTER_PRIVATE);
	model_reset_counts(vm);
	*requests = 0;

	write_lock(&vm->kvm->mmu_lock);
	ask_for_resched();
	external_zap_leafs(vm->kvm, test_mirror_root(vcpu), 0, 512, true, true);
	write_unlock(&vm->kvm->mmu_lock);

	KUNIT_EXPECT_EQ(test, 1, *requests);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, 0, vm->kvm->stat.mmu_external_yields);
	test_vcpu_destroy(vcpu);
}

static const struct busy_begin {
	const char *desc;
	unsigned int leaf;
	unsigned int times;
	unsigned int flushes;
} busy_begins[] = {
	/* Before anything has begun: try again, at no cost. */
	{ "first_leaf", 0, 1, 1 },
	{ "first_leaf_often", 0, 5, 1 },
	/* Later: what has begun is finished, the rest is another batch. */
	{ "fifth_leaf", 4, 1, 2 },
	{ "fifth_leaf_often", 4, 5, 2 },
	{ "last_leaf_often", 9, 5, 2 },
};

KUNIT_ARRAY_PARAM_DESC(busy_begin, busy_begins, desc);

/* How often is for the backend to say, whichever leaf it is. */
static void busy_begin_is_retried(struct kunit *test)
{
	const struct busy_begin *b = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 10);
	model_reset_counts(vm);
	model_fail(vm, MODEL_BEGIN, b->leaf, b->times, -EBUSY);

	test_unmap_without_yield(vm, 0, 10);

	expect_counts(vm, 10 + b->times, b->flushes, 10);
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static const struct begin_failure {
	const char *desc;
	unsigned int leaf;
	unsigned int nr_leaves;
} begin_failures[] = {
	{ "first_leaf", 0, 10 },
	{ "fifth_leaf", 4, 10 },
	{ "last_leaf", 9, 10 },
	{ "only_leaf", 0, 1 },
};

KUNIT_ARRAY_PARAM_DESC(begin_failure, begin_failures, desc);

/* The range is taken from the VM all the same, the VM doesn't survive it. */
static void failed_begin_bugs_the_vm_and_goes_on(struct kunit *test)
{
	const struct begin_failure *f = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, f->nr_leaves);
	model_reset_counts(vm);
	model_fail(vm, MODEL_BEGIN, f->leaf, 1, -EIO);

	test_unmap_without_yield(vm, 0, f->nr_leaves);

	KUNIT_EXPECT_TRUE(test, vm->kvm->vm_bugged);
	KUNIT_EXPECT_EQ(test, f->nr_leaves, vm->model.count[MODEL_FINISH]);
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, 0, present_leaves(vm, vcpu, 0, f->nr_leaves));
	test_vcpu_destroy(vcpu);
}

static void failed_finish_bugs_the_vm_and_goes_on(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 10);
	model_reset_counts(vm);
	model_fail(vm, MODEL_FINISH, 3, 1, -EIO);

	test_unmap_without_yield(vm, 0, 10);

	expect_counts(vm, 10, 1, 10);
	KUNIT_EXPECT_TRUE(test, vm->kvm->vm_bugged);
	KUNIT_EXPECT_EQ(test, 0, present_leaves(vm, vcpu, 0, 10));
	/* What did not happen is not in the statistics: one page is still out there. */
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&vm->kvm->stat.pages[0]));
	test_vcpu_destroy(vcpu);
}

/* Of a backend that has no use for it; others are in external_large_kunit.c. */
static void removal_keeps_the_tables(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 512);
	test_unmap(vm, 0, 512, KVM_FILTER_PRIVATE);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_EQ(test, MODEL_TABLE, model_state(vm, 0, PG_LEVEL_2M));

	model_reset_counts(vm);
	test_map_range(vm, vcpu, 0, 512);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_LINK]);
	KUNIT_EXPECT_EQ(test, 512, vm->model.count[MODEL_MAP]);
	test_expect_trees_equal(vm, vcpu);
	test_vcpu_destroy(vcpu);
}

static struct kunit_case external_batch_cases[] = {
	KUNIT_CASE_PARAM(flushes_are_one_for_each_512_leaves, batch_size_gen_params),
	KUNIT_CASE(holes_do_not_cost_flushes),
	KUNIT_CASE(begin_of_all_comes_before_flush_and_finish),
	KUNIT_CASE(forced_yields_cost_one_flush_each),
	KUNIT_CASE(no_yield_if_the_caller_forbids_it),
	KUNIT_CASE(pending_flush_is_passed_on),
	KUNIT_CASE(owed_flush_is_paid_before_a_yield),
	KUNIT_CASE(leaf_is_removed_before_each_yield),
	KUNIT_CASE(yield_that_costs_no_flush_is_not_counted),
	KUNIT_CASE_PARAM(busy_begin_is_retried, busy_begin_gen_params),
	KUNIT_CASE_PARAM(failed_begin_bugs_the_vm_and_goes_on,
			 begin_failure_gen_params),
	KUNIT_CASE(failed_finish_bugs_the_vm_and_goes_on),
	KUNIT_CASE(removal_keeps_the_tables),
	{}
};

static struct kunit_suite external_batch_suite = {
	.name = "kvm_mmu_external_batch",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = external_batch_cases,
};

kunit_test_suite(external_batch_suite);
