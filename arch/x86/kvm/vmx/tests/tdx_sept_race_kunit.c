// SPDX-License-Identifier: GPL-2.0
/*
 * The freeze protocol and TLB tracking with real threads and the software TDX
 * module: some fault the same and neighboring gfns, some remove them, and some
 * are vCPUs that enter and leave the TD all the time, and work on S-EPT entries
 * while they are in it.  After each round the mirror and the S-EPT have to agree
 * entry by entry, and at no time may the module have refused anything for good.
 *
 * A vCPU's thread does what KVM and the module do around the execution of guest
 * code, with interrupts disabled, so that a kick waits until it has left.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prandom.h>

#include "mmu.h"
#include "tdx_fixture.h"

#define NR_FAULTERS	3
#define NR_ZAPPERS	2
#define NR_WORKERS	(NR_FAULTERS + NR_ZAPPERS)
#define NR_GUESTS	TDX_TEST_MAX_VCPUS
#define NR_ROUNDS	10
#define NR_OPS		150
/* Few enough to collide, and across a border of page tables. */
#define FIRST_GFN	(TDX_TEST_GFN + 512 - 16)
#define NR_GFNS		32
#define GUEST_SPINS	3000

struct race;

struct race_thread {
	struct race *race;
	struct kvm_vcpu *vcpu;
	struct completion done;
	struct rnd_state rnd;
	int error;

	unsigned int nr_fixed;
	unsigned int nr_entries;
	unsigned int nr_held_off;
	u64 status;
};

struct race {
	struct tdx_test *t;
	bool same_gfn;
	bool stop;
	struct race_thread workers[NR_WORKERS];
	struct race_thread guests[NR_GUESTS];
};

static gfn_t random_gfn(struct race_thread *thread)
{
	if (thread->race->same_gfn)
		return FIRST_GFN;

	return FIRST_GFN + prandom_u32_state(&thread->rnd) % NR_GFNS;
}

/* Let others get in between, of which there are more than CPUs. */
static void pause(struct race_thread *thread)
{
	if (prandom_u32_state(&thread->rnd) % 4)
		cond_resched();
	else
		usleep_range(1, 20);
}

static int fault_thread(void *data)
{
	struct race_thread *thread = data;
	int i, r;

	for (i = 0; i < NR_OPS && !thread->error; i++) {
		r = tdx_test_fault_on(thread->race->t, thread->vcpu, random_gfn(thread));
		if (r == RET_PF_FIXED)
			thread->nr_fixed++;
		else if (r != RET_PF_RETRY && r != RET_PF_SPURIOUS)
			thread->error = r ?: -EINVAL;
		pause(thread);
	}

	complete(&thread->done);
	return 0;
}

static int zap_thread(void *data)
{
	struct race_thread *thread = data;
	gfn_t gfn;
	int i;

	for (i = 0; i < NR_OPS; i++) {
		gfn = random_gfn(thread);
		tdx_test_punch_hole(thread->race->t, gfn,
				    gfn + 1 + prandom_u32_state(&thread->rnd) % 8, true);
		pause(thread);
	}

	complete(&thread->done);
	return 0;
}

/* Until it is kicked, or for a while.  Every other time hold an entry, as ACCEPT. */
static void be_in_guest(struct race_thread *thread)
{
	struct tdx_sw_test_lock lock = {
		.class = TDX_SW_LOCK_SEPT_ENTRY,
		.excl = true,
		.object = thread->race->t->tdr,
		.gpa = gfn_to_gpa(random_gfn(thread)),
	};
	bool locked = prandom_u32_state(&thread->rnd) & 1 && !tdx_sw_test_lock(&lock);
	int i;

	for (i = 0; i < GUEST_SPINS; i++) {
		if (READ_ONCE(thread->vcpu->mode) != IN_GUEST_MODE)
			break;
		cpu_relax();
	}

	if (locked)
		tdx_sw_test_unlock(&lock);
}

/* With interrupts disabled, as in vcpu_enter_guest(). */
static void enter_guest(struct race_thread *thread)
{
	struct kvm_tdx *kvm_tdx = thread->race->t->kvm_tdx;
	struct vcpu_tdx *tdx = to_tdx(thread->vcpu);

	/* Either this sees that it is held off, or the kick sees the mode. */
	smp_store_mb(thread->vcpu->mode, IN_GUEST_MODE);

	if (READ_ONCE(kvm_tdx->hold_off_entry)) {
		thread->nr_held_off++;
	} else {
		u64 status = tdx_sw_test_vcpu_enter(tdx->tdvpr);

		if (!status) {
			thread->nr_entries++;
			be_in_guest(thread);
			tdx_sw_test_vcpu_exit(tdx->tdvpr);
		} else if (!tdx_status_is_busy(status)) {
			thread->status = status;
		}
	}

	/* Who sees this sees what was done inside, as in vcpu_enter_guest(). */
	smp_store_release(&thread->vcpu->mode, OUTSIDE_GUEST_MODE);
}

static int guest_thread(void *data)
{
	struct race_thread *thread = data;

	vcpu_load(thread->vcpu);
	while (!READ_ONCE(thread->race->stop) && !thread->status) {
		local_irq_disable();
		enter_guest(thread);
		local_irq_enable();
		pause(thread);
	}
	vcpu_put(thread->vcpu);

	complete(&thread->done);
	return 0;
}

/* Apart from each other, but not bound to where they start. */
static void start_on(struct task_struct *task, unsigned int index)
{
	unsigned int cpu = cpumask_nth(index % num_online_cpus(), cpu_online_mask);

	set_cpus_allowed_ptr(task, cpumask_of(cpu));
	wake_up_process(task);
}

static void start_racer(struct kunit *test, struct race_thread *thread, int index,
			int (*fn)(void *))
{
	struct task_struct *task;

	init_completion(&thread->done);
	task = kthread_create(fn, thread, "tdx-race-%d", index);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	start_on(task, index);
}

static void run_round(struct kunit *test, struct race *race)
{
	int i;

	WRITE_ONCE(race->stop, false);
	for (i = 0; i < NR_GUESTS; i++)
		start_racer(test, &race->guests[i], i, guest_thread);
	for (i = 0; i < NR_WORKERS; i++)
		start_racer(test, &race->workers[i], i,
			    i < NR_FAULTERS ? fault_thread : zap_thread);

	for (i = 0; i < NR_WORKERS; i++)
		wait_for_completion(&race->workers[i].done);
	WRITE_ONCE(race->stop, true);
	for (i = 0; i < NR_GUESTS; i++)
		wait_for_completion(&race->guests[i].done);
}

/* Each page that was mapped has been removed, or is still there. */
static void expect_books_balance(struct kunit *test, struct race *race)
{
	struct kvm_vm_stat *stat = &race->t->kvm->stat;
	unsigned int nr_fixed = 0;
	int i;

	for (i = 0; i < NR_WORKERS; i++) {
		KUNIT_EXPECT_EQ(test, race->workers[i].error, 0);
		nr_fixed += race->workers[i].nr_fixed;
	}
	for (i = 0; i < NR_GUESTS; i++)
		KUNIT_EXPECT_EQ(test, race->guests[i].status, 0);

	KUNIT_EXPECT_EQ(test, nr_fixed, atomic64_read(&stat->tdx_pages_mapped));
	KUNIT_EXPECT_EQ(test, nr_fixed, atomic64_read(&stat->tdx_pages_removed) +
					atomic64_read(&stat->pages[0]));
	KUNIT_EXPECT_EQ(test, atomic64_read(&stat->tdx_kicks),
			atomic64_read(&stat->tdx_track_rounds) +
			atomic64_read(&stat->tdx_busy_removals));
}

/* Was it a race at all? */
static void expect_collisions(struct kunit *test, struct race *race)
{
	unsigned int nr_entries = 0, nr_held_off = 0;
	int i;

	for (i = 0; i < NR_GUESTS; i++) {
		KUNIT_EXPECT_GT(test, race->guests[i].nr_entries, 0);
		nr_entries += race->guests[i].nr_entries;
		nr_held_off += race->guests[i].nr_held_off;
	}

	KUNIT_EXPECT_GE(test, atomic64_read(&race->t->kvm->stat.tdx_track_rounds), NR_ROUNDS);
	kunit_info(test, "%u entries, %u held off, %lld rounds, %lld busy removals\n",
		   nr_entries, nr_held_off,
		   atomic64_read(&race->t->kvm->stat.tdx_track_rounds),
		   atomic64_read(&race->t->kvm->stat.tdx_busy_removals));
}

static struct race *create_race(struct kunit *test, bool same_gfn)
{
	u32 seed = get_random_u32();
	struct race *race;
	gfn_t gfn;
	int i;

	race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race);
	race->t = test->priv;
	race->same_gfn = same_gfn;
	kunit_info(test, "seed %#x\n", seed);

	for (gfn = FIRST_GFN; gfn < FIRST_GFN + NR_GFNS; gfn++)
		tdx_test_page(race->t, gfn);

	for (i = 0; i < NR_WORKERS; i++) {
		race->workers[i].race = race;
		race->workers[i].vcpu = test_vcpu_create(&race->t->vm);
		prandom_seed_state(&race->workers[i].rnd, seed + i);
	}
	for (i = 0; i < NR_GUESTS; i++) {
		race->guests[i].race = race;
		race->guests[i].vcpu = race->t->vcpus[i];
		prandom_seed_state(&race->guests[i].rnd, seed + NR_WORKERS + i);
	}

	return race;
}

static void race(struct kunit *test, bool same_gfn)
{
	struct tdx_test *t = test->priv;
	struct race *race;
	int i, round;

	race = create_race(test, same_gfn);
	for (round = 0; round < NR_ROUNDS && !t->kvm->vm_bugged; round++) {
		run_round(test, race);
		tdx_test_expect_trees_equal(t);
		tdx_test_expect_bugged(t, false);
		expect_books_balance(test, race);
	}
	expect_collisions(test, race);

	for (i = 0; i < NR_WORKERS; i++)
		test_vcpu_destroy(race->workers[i].vcpu);
}

static void faults_on_one_gfn_against_removal(struct kunit *test)
{
	race(test, true);
}

static void faults_on_neighbors_against_removal(struct kunit *test)
{
	race(test, false);
}

/*
 * Tables are linked by whoever comes first, and used by others only once the
 * S-EPT has them.  Two threads meet before each new table, to fault neighbors.
 */
#define NR_TABLES	150

struct link_race {
	struct tdx_test *t;
	atomic_t nr_arrived;
	struct link_thread {
		struct link_race *race;
		struct kvm_vcpu *vcpu;
		struct completion done;
		unsigned int index;
		int error;
	} threads[2];
};

static gfn_t linked_gfn(unsigned int table, unsigned int index)
{
	return FIRST_GFN + table * 512 + index;
}

static int fault_until_done(struct link_thread *thread, gfn_t gfn)
{
	struct kvm *kvm = thread->race->t->kvm;
	int r;

	do {
		r = tdx_test_fault_on(thread->race->t, thread->vcpu, gfn);
	} while (r == RET_PF_RETRY && !kvm->vm_bugged);

	return r == RET_PF_FIXED ? 0 : -EIO;
}

static int link_thread(void *data)
{
	struct link_thread *thread = data;
	int i;

	/* The other one is not left waiting, even if this one has failed. */
	for (i = 0; i < NR_TABLES; i++) {
		atomic_inc(&thread->race->nr_arrived);
		while (atomic_read(&thread->race->nr_arrived) < 2 * (i + 1))
			cond_resched();

		if (!thread->error)
			thread->error = fault_until_done(thread,
							 linked_gfn(i, thread->index));
		cond_resched();
	}

	complete(&thread->done);
	return 0;
}

static void start_linker(struct kunit *test, struct link_race *race, int index)
{
	struct link_thread *thread = &race->threads[index];
	struct task_struct *task;
	int i;

	thread->race = race;
	thread->index = index;
	thread->vcpu = test_vcpu_create(&race->t->vm);
	init_completion(&thread->done);
	for (i = 0; i < NR_TABLES; i++)
		tdx_test_page(race->t, linked_gfn(i, index));

	task = kthread_create(link_thread, thread, "tdx-link-%d", index);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	start_on(task, index);
}

static void tables_are_used_once_they_are_linked(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct link_race *race;
	int i;

	race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race);
	race->t = t;

	for (i = 0; i < 2; i++)
		start_linker(test, race, i);
	for (i = 0; i < 2; i++) {
		wait_for_completion(&race->threads[i].done);
		KUNIT_EXPECT_EQ(test, race->threads[i].error, 0);
		test_vcpu_destroy(race->threads[i].vcpu);
	}

	tdx_test_expect_pages(t, 2 * NR_TABLES, 0, 0);
	tdx_test_expect_trees_equal(t);
	tdx_test_expect_bugged(t, false);
}

struct reader {
	struct tdx_test *t;
	bool started;
	bool pending;
	struct completion done;
};

static int read_thread(void *data)
{
	struct reader *reader = data;

	WRITE_ONCE(reader->started, true);
	reader->pending = tdx_sept_is_pending(reader->t->kvm, gfn_to_gpa(FIRST_GFN));
	complete(&reader->done);
	return 0;
}

/* A removal can't get rid of who isn't in the guest. */
static void nobody_reads_the_sept_during_a_removal(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct reader reader = { .t = t };
	struct task_struct *task;
	u64 early;

	KUNIT_ASSERT_EQ(test, tdx_test_fault(t, FIRST_GFN), RET_PF_FIXED);
	init_completion(&reader.done);
	task = tdx_test_other_cpu_thread(t, read_thread, &reader);
	tdx_test_reset_counts(t);

	write_lock(&t->kvm->mmu_lock);
	wake_up_process(task);
	while (!READ_ONCE(reader.started))
		cpu_relax();
	mdelay(20);
	early = tdx_test_nr_calls(t, TDH_MEM_SEPT_RD);
	write_unlock(&t->kvm->mmu_lock);

	wait_for_completion(&reader.done);
	KUNIT_EXPECT_EQ(test, early, 0);
	KUNIT_EXPECT_TRUE(test, reader.pending);
	tdx_test_expect_calls(t, TDH_MEM_SEPT_RD, 1);
}

static struct kunit_case tdx_sept_race_cases[] = {
	KUNIT_CASE(nobody_reads_the_sept_during_a_removal),
	KUNIT_CASE_SLOW(tables_are_used_once_they_are_linked),
	KUNIT_CASE_SLOW(faults_on_one_gfn_against_removal),
	KUNIT_CASE_SLOW(faults_on_neighbors_against_removal),
	{}
};

static struct kunit_suite tdx_sept_race_suite = {
	.name = "kvm_tdx_sept_race",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_fixture_init_runnable,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_sept_race_cases,
};

kunit_test_suite(tdx_sept_race_suite);
