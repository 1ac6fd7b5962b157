// SPDX-License-Identifier: GPL-2.0
/*
 * The freeze protocol with real threads: vCPUs fault the same and neighboring
 * gfns while other threads remove them.  After each round the mirror and the
 * external table have to agree entry by entry, and at no time has the backend
 * been asked for anything that the contract forbids.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/prandom.h>

#include "mmu.h"
#include "mmu_fixture.h"

#define NR_FAULTERS	4
#define NR_ZAPPERS	2
#define NR_ROUNDS	20
#define NR_OPS		300
/* Few enough to collide, and across a border of page tables. */
#define FIRST_GFN	(512 - 16)
#define NR_GFNS		32

struct race_thread {
	struct test_vm *vm;
	struct kvm_vcpu *vcpu;
	struct task_struct *task;
	struct completion done;
	struct rnd_state rnd;
	bool same_gfn;
	unsigned int nr_fixed;
	unsigned int nr_retries;
	int error;
};

static gfn_t random_gfn(struct race_thread *t)
{
	return FIRST_GFN + (t->same_gfn ? 0 : prandom_u32_state(&t->rnd) % NR_GFNS);
}

static int fault_thread(void *data)
{
	struct race_thread *t = data;
	kvm_pfn_t pfn = page_to_pfn(t->vm->page);
	int i, ret;

	for (i = 0; i < NR_OPS && !t->error; i++) {
		t->error = test_vcpu_topup(t->vcpu);
		if (t->error)
			break;

		ret = test_map(t->vcpu, random_gfn(t), pfn, true);
		if (ret == RET_PF_FIXED)
			t->nr_fixed++;
		else if (ret == RET_PF_RETRY)
			t->nr_retries++;
		else if (ret != RET_PF_SPURIOUS)
			t->error = ret ?: -EINVAL;
		cond_resched();
	}

	complete(&t->done);
	return 0;
}

static int zap_thread(void *data)
{
	struct race_thread *t = data;
	int i;

	for (i = 0; i < NR_OPS; i++) {
		gfn_t gfn = random_gfn(t);

		test_unmap(t->vm, gfn, gfn + 1 + prandom_u32_state(&t->rnd) % 8,
			   KVM_FILTER_PRIVATE);
		cond_resched();
	}

	complete(&t->done);
	return 0;
}

/*
 * With large pages: faults of both sizes, against removals which split what they cut, with
 * all the protocol that keeps these apart.
 */
#define LARGE_NR	512ULL
#define LARGE_END	(3 * LARGE_NR)
/* A removal is of some hundred pages each, for which the model takes its time. */
#define LARGE_ROUNDS	5
#define LARGE_ZAPS	10

static int fault_large(struct race_thread *t)
{
	kvm_pfn_t pfn = ALIGN_DOWN(page_to_pfn(t->vm->page), LARGE_NR);
	gfn_t gfn = prandom_u32_state(&t->rnd) % LARGE_END;

	if (prandom_u32_state(&t->rnd) % 4)
		return test_map_large(t->vcpu, gfn, pfn);

	return test_map(t->vcpu, gfn, pfn + gfn % LARGE_NR, true);
}

static int large_fault_thread(void *data)
{
	struct race_thread *t = data;
	int i, ret;

	for (i = 0; i < NR_OPS && !t->error; i++) {
		t->error = test_vcpu_topup(t->vcpu);
		if (t->error)
			break;

		ret = fault_large(t);
		if (ret != RET_PF_FIXED && ret != RET_PF_RETRY && ret != RET_PF_SPURIOUS)
			t->error = ret ?: -EINVAL;
		cond_resched();
	}

	complete(&t->done);
	return 0;
}

static int zap_large(struct race_thread *t)
{
	gfn_t start = prandom_u32_state(&t->rnd) % LARGE_END;
	gfn_t end = start + 1 + prandom_u32_state(&t->rnd) % (LARGE_END - start);
	int r;

	mutex_lock(&t->vm->kvm->slots_lock);
	r = kvm_arch_begin_attributes_change(t->vm->kvm, start, end, 0);
	mutex_unlock(&t->vm->kvm->slots_lock);
	if (r)
		return r;

	test_unmap(t->vm, start, end, KVM_FILTER_PRIVATE);
	kvm_arch_end_attributes_change(t->vm->kvm);
	return 0;
}

static int large_zap_thread(void *data)
{
	struct race_thread *t = data;
	int i;

	for (i = 0; i < LARGE_ZAPS && !t->error; i++) {
		t->error = zap_large(t);
		cond_resched();
	}

	complete(&t->done);
	return 0;
}

static void start_racer(struct kunit *test, struct race_thread *t, int index,
			int (*fn)(void *))
{
	init_completion(&t->done);
	t->task = kthread_create(fn, t, "mmu-race-%d", index);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->task));
	/* Not bound: where it is must not matter. */
	set_cpus_allowed_ptr(t->task,
			     cpumask_of(cpumask_nth(index % num_online_cpus(), cpu_online_mask)));
	wake_up_process(t->task);
}

static void run_round(struct kunit *test, struct race_thread *threads,
		      int (*faulter)(void *), int (*zapper)(void *))
{
	int i;

	for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++)
		start_racer(test, &threads[i], i, i < NR_FAULTERS ? faulter : zapper);

	for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++)
		wait_for_completion(&threads[i].done);
}

static void expect_books_balance(struct kunit *test, struct race_thread *threads)
{
	struct test_vm *vm = test->priv;
	unsigned int nr_fixed = 0, nr_leaves;
	int i;

	for (i = 0; i < NR_FAULTERS; i++) {
		KUNIT_EXPECT_EQ(test, 0, threads[i].error);
		nr_fixed += threads[i].nr_fixed;
	}

	/* Each page that was mapped has been removed, or is still there. */
	nr_leaves = atomic64_read(&vm->kvm->stat.pages[0]);
	KUNIT_EXPECT_EQ(test, nr_fixed, vm->model.count[MODEL_MAP]);
	KUNIT_EXPECT_EQ(test, nr_fixed, vm->model.count[MODEL_FINISH] + nr_leaves);
	/* What has begun, and was let go of to yield, begins anew. */
	KUNIT_EXPECT_GE(test, vm->model.count[MODEL_BEGIN],
			vm->model.count[MODEL_FINISH]);
}

static struct race_thread *make_threads(struct kunit *test, bool same_gfn)
{
	struct test_vm *vm = test->priv;
	struct race_thread *threads;
	u32 seed = get_random_u32();
	int i;

	/* On one CPU there is no race to lose. */
	KUNIT_ASSERT_GE(test, num_online_cpus(), 2);

	kunit_info(test, "seed %#x\n", seed);
	threads = kunit_kcalloc(test, NR_FAULTERS + NR_ZAPPERS, sizeof(*threads),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, threads);

	for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++) {
		threads[i].vm = vm;
		threads[i].vcpu = test_vcpu_create(vm);
		threads[i].same_gfn = same_gfn;
		prandom_seed_state(&threads[i].rnd, seed + i);
	}

	return threads;
}

static void free_threads(struct race_thread *threads)
{
	int i;

	for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++)
		test_vcpu_destroy(threads[i].vcpu);
}

static void race(struct kunit *test, bool same_gfn)
{
	struct race_thread *threads = make_threads(test, same_gfn);
	struct test_vm *vm = test->priv;
	int round;

	for (round = 0; round < NR_ROUNDS; round++) {
		run_round(test, threads, fault_thread, zap_thread);
		test_expect_trees_equal(vm, threads[0].vcpu);
		test_expect_no_violation(vm);
		expect_books_balance(test, threads);
	}

	free_threads(threads);
}

static void faults_on_one_gfn_against_removal(struct kunit *test)
{
	race(test, true);
}

static void faults_on_neighbors_against_removal(struct kunit *test)
{
	race(test, false);
}

static void yield_often(struct test_vm *vm)
{
	set_tsk_need_resched(current);
	set_preempt_need_resched();
}

static void large_pages_against_what_cuts_them(struct kunit *test)
{
	struct race_thread *threads = make_threads(test, false);
	struct test_vm *vm = test->priv;
	int i, round;

	vm->model.frees_tables = true;
	vm->model.after_finish = yield_often;
	for (round = 0; round < LARGE_ROUNDS; round++) {
		run_round(test, threads, large_fault_thread, large_zap_thread);
		test_expect_trees_equal(vm, threads[0].vcpu);
		test_expect_no_violation(vm);
		for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++)
			KUNIT_EXPECT_EQ(test, 0, threads[i].error);
	}

	/* Else it was about nothing. */
	KUNIT_EXPECT_GT(test, vm->model.count[MODEL_SPLIT], 0);
	KUNIT_EXPECT_GT(test, vm->model.count[MODEL_FREE], 0);
	KUNIT_EXPECT_GT(test, vm->kvm->stat.mmu_external_yields, 0);
	KUNIT_EXPECT_EQ(test, 0, vm->kvm->mmu_invalidate_in_progress);

	vm->model.after_finish = NULL;
	free_threads(threads);
}

static struct kunit_case external_race_cases[] = {
	KUNIT_CASE_SLOW(faults_on_one_gfn_against_removal),
	KUNIT_CASE_SLOW(faults_on_neighbors_against_removal),
	KUNIT_CASE_SLOW(large_pages_against_what_cuts_them),
	{}
};

static struct kunit_suite external_race_suite = {
	.name = "kvm_mmu_external_race",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = external_race_cases,
};

kunit_test_suite(external_race_suite);
