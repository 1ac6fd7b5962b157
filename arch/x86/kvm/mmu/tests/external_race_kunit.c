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

static void run_round(struct kunit *test, struct race_thread *threads)
{
	int i;

	for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++)
		start_racer(test, &threads[i], i,
			    i < NR_FAULTERS ? fault_thread : zap_thread);

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
	KUNIT_EXPECT_EQ(test, vm->model.count[MODEL_BEGIN],
			vm->model.count[MODEL_FINISH]);
}

static void race(struct kunit *test, bool same_gfn)
{
	struct test_vm *vm = test->priv;
	struct race_thread *threads;
	u32 seed = get_random_u32();
	int i, round;

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

	for (round = 0; round < NR_ROUNDS; round++) {
		run_round(test, threads);
		test_expect_trees_equal(vm, threads[0].vcpu);
		test_expect_no_violation(vm);
		expect_books_balance(test, threads);
	}

	for (i = 0; i < NR_FAULTERS + NR_ZAPPERS; i++)
		test_vcpu_destroy(threads[i].vcpu);
}

static void faults_on_one_gfn_against_removal(struct kunit *test)
{
	race(test, true);
}

static void faults_on_neighbors_against_removal(struct kunit *test)
{
	race(test, false);
}

static struct kunit_case external_race_cases[] = {
	KUNIT_CASE_SLOW(faults_on_one_gfn_against_removal),
	KUNIT_CASE_SLOW(faults_on_neighbors_against_removal),
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
