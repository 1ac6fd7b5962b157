// SPDX-License-Identifier: GPL-2.0
/*
 * Two CPUs in the module at once, on the same TD and the same pages: whatever
 * they get in each other's way, every page has one owner, S-EPT and page metadata
 * agree, and no lock stays behind.
 *
 * The reference model knows one call at a time, so it does not take part.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "fixture.h"

#define NR_RACERS	2
#define ROUNDS		6000
#define LIVES		100
#define POOL		12

/* Few enough for the CPUs to meet on: four pages in each of two tables. */
#define NR_TABLES	2
#define NR_GPAS		8

struct racer {
	struct swt *t;
	struct race *race;
	struct completion done;
	struct rnd_state rnd;
	u64 vcpu;
	u64 pool[2 * POOL + NR_TABLES];	/* pages that this racer may give away */
	unsigned int nr_pool;
	unsigned int idx;
	unsigned int ok;
	unsigned int refused;
	u64 unexpected;			/* the first status that must not come */
	unsigned int faults;		/* what must not happen at all */
};

struct race {
	struct racer racer[NR_RACERS];
	struct swt_td td;
	u64 page;
	u64 large;			/* the page that is split and joined, if it is that race */
	atomic_t ready;
	atomic_t owners;
	bool stop;
};

static u32 pick(struct racer *r, u32 nr)
{
	return prandom_u32_state(&r->rnd) % nr;
}

static u64 pick_gpa(struct racer *r)
{
	u32 i = pick(r, NR_GPAS);

	return i / 4 * SZ_2M + i % 4 * PAGE_SIZE;
}

static u64 pick_table(struct racer *r)
{
	return (u64)pick(r, NR_TABLES) * SZ_2M | 1;
}

/* What the other CPU may have made of an entry, or be about to. */
static bool is_expected(const struct race *race, u64 leaf, u64 status)
{
	switch (ST_CODE(status)) {
	case ST_SUCCESS:
	case ST_OPERAND_BUSY:
	case ST_PREVIOUS_TLB_EPOCH_BUSY:
	case ST_EPT_WALK_FAILED:
	case ST_EPT_ENTRY_STATE_INCORRECT:
	case ST_EPT_PAGE_NOT_FREE:
	case ST_GPA_RANGE_NOT_BLOCKED:
	case ST_GPA_RANGE_ALREADY_BLOCKED:
	case ST_TLB_TRACKING_NOT_DONE:
		return true;
	case ST_PAGE_METADATA_INCORRECT:
		return race->large && (leaf == L_MEM_PAGE_AUG || leaf == L_PAGE_WBINVD);
	case ST_EPT_INVALID_PROMOTE_CONDITIONS:
		return leaf == L_MEM_PAGE_PROMOTE;
	default:
		return false;
	}
}

static bool call(struct racer *r, u64 leaf, struct tdx_module_args *args)
{
	u64 status = tdx_sw_call(leaf, args);

	if (!is_expected(r->race, leaf, status) && !r->unexpected)
		r->unexpected = status;
	if (status)
		r->refused++;
	else
		r->ok++;
	return !status;
}

/* A page that the other racer did not hand over has been handed out twice. */
static void give_page(struct racer *r, u64 leaf, u64 rcx)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = r->race->td.tdr };

	if (!r->nr_pool)
		return;
	args.r8 = r->pool[r->nr_pool - 1];
	if (call(r, leaf, &args))
		r->nr_pool--;
}

static bool is_in_large(const struct race *race, u64 pa)
{
	return race->large && pa - race->large < SZ_2M;
}

/* Parts of the large page have their place, and nobody to give them away. */
static void put_back(struct racer *r, u64 pa)
{
	if (is_in_large(r->race, pa))
		return;
	if (r->nr_pool == ARRAY_SIZE(r->pool) || !swt_m_page(&r->t->m, pa))
		r->faults++;
	else
		r->pool[r->nr_pool++] = pa;
}

static void get_page_back(struct racer *r, u64 leaf, u64 rcx)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = r->race->td.tdr };

	if (call(r, leaf, &args))
		put_back(r, args.rcx);
}

static void use_entry(struct racer *r, u64 leaf, u64 rcx)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = r->race->td.tdr };

	call(r, leaf, &args);
}

static void use_td(struct racer *r, u64 leaf, u64 rdx)
{
	struct tdx_module_args args = { .rcx = r->race->td.tdr, .rdx = rdx };

	call(r, leaf, &args);
}

/* A page in the pool is nobody else's, so this cannot be refused for its type. */
static void use_free_page(struct racer *r, u64 leaf)
{
	struct tdx_module_args args = {};

	if (!r->nr_pool)
		return;
	args.rcx = r->pool[pick(r, r->nr_pool)];
	if (call(r, leaf, &args) && leaf == L_PAGE_RDMD && args.rcx != PT_NDA)
		r->faults++;
}

static void enter_and_leave(struct racer *r)
{
	u64 status = tdx_sw_test_vcpu_enter(r->vcpu);

	if (status) {
		if (!is_expected(r->race, L_VP_ENTER, status) && !r->unexpected)
			r->unexpected = status;
		return;
	}
	use_td(r, L_MEM_TRACK, 0);
	use_entry(r, L_MEM_RANGE_BLOCK, pick_gpa(r));
	tdx_sw_test_vcpu_exit(r->vcpu);
}

static void one_step(struct racer *r)
{
	switch (pick(r, 16)) {
	case 0 ... 2:
		give_page(r, L_MEM_PAGE_AUG, pick_gpa(r));
		break;
	case 3 ... 5:
		get_page_back(r, L_MEM_PAGE_REMOVE, pick_gpa(r));
		break;
	case 6 ... 7:
		use_entry(r, L_MEM_RANGE_BLOCK, pick_gpa(r));
		break;
	case 8:
		use_entry(r, L_MEM_RANGE_UNBLOCK, pick(r, 2) ? pick_gpa(r) : pick_table(r));
		break;
	case 9:
		give_page(r, L_MEM_SEPT_ADD, pick_table(r));
		break;
	case 10:
		use_entry(r, L_MEM_RANGE_BLOCK, pick_table(r));
		break;
	case 11:
		get_page_back(r, L_MEM_SEPT_REMOVE, pick_table(r));
		break;
	case 12:
		use_entry(r, L_MEM_SEPT_RD, pick_gpa(r));
		break;
	case 13:
		use_free_page(r, pick(r, 2) ? L_PAGE_RDMD : L_PAGE_WBINVD);
		break;
	case 14:
		use_td(r, L_MEM_TRACK, 0);
		break;
	default:
		enter_and_leave(r);
	}
}

/* Both at the start line, so that neither is done before the other begins. */
static void line_up(struct racer *r)
{
	atomic_inc(&r->race->ready);
	while (atomic_read(&r->race->ready) < NR_RACERS)
		cond_resched();
}

static int change_one_td(void *data)
{
	struct racer *r = data;
	unsigned int i;

	line_up(r);
	for (i = 0; i < ROUNDS; i++) {
		one_step(r);
		cond_resched();
	}
	complete(&r->done);
	return 0;
}

/* However long it takes, unless KUnit stops the case's thread. */
static void wait_for(struct racer *r)
{
	while (!wait_for_completion_timeout(&r->done, HZ)) {
		if (kthread_should_stop())
			WRITE_ONCE(r->race->stop, true);
	}
}

static void run(struct kunit *test, struct race *race, int (*fn)(void *data))
{
	struct task_struct *task[NR_RACERS];
	struct swt *t = swt_of(test);
	unsigned int i, cpu = t->cpu;

	for (i = 0; i < NR_RACERS; i++) {
		struct racer *r = &race->racer[i];

		r->t = t;
		r->race = race;
		r->idx = i;
		init_completion(&r->done);
		prandom_seed_state(&r->rnd, i + 1);
		task[i] = kthread_create_on_cpu(fn, r, cpu, "tdx_race/%u");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task[i]);
		cpu = swt_other_cpu(t);
	}
	for (i = 0; i < NR_RACERS; i++)
		wake_up_process(task[i]);
	for (i = 0; i < NR_RACERS; i++) {
		wait_for(&race->racer[i]);
		KUNIT_EXPECT_EQ(test, 0U, race->racer[i].faults);
		KUNIT_EXPECT_EQ(test, 0ULL, race->racer[i].unexpected);
		KUNIT_EXPECT_GT(test, race->racer[i].ok, 0U);
	}
}

static struct race *new_race(struct kunit *test)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	KUNIT_ASSERT_GE(test, num_online_cpus(), NR_RACERS);
	return race;
}

static void page_types(struct swt *t, unsigned int *nr)
{
	struct tdx_sw_page_info info;
	unsigned int i;

	for (i = 0; i < t->m.nr_pages; i++) {
		KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_page(t->m.list[i], &info));
		nr[info.type]++;
	}
}

static void two_cpus_change_one_td(struct kunit *test)
{
	unsigned int before[PT_EPT + 1] = {}, after[PT_EPT + 1] = {};
	struct race *race = new_race(test);
	struct swt *t = swt_of(test);
	unsigned int i, left = 0;

	t->checked = false;
	swt_td_build(t, &race->td, 0, STAGE_INITIALIZED);
	swt_tables(t, &race->td, 0, 1);
	for (i = 0; i < NR_RACERS; i++) {
		struct racer *r = &race->racer[i];

		r->vcpu = swt_vcpu_add(t, &race->td);
		swt_ok(t, L_VP_FLUSH, SWT_ARGS(.rcx = r->vcpu));
		while (r->nr_pool < POOL)
			r->pool[r->nr_pool++] = swt_page(t);
	}
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = race->td.tdr));
	swt_check(t);

	page_types(t, before);
	run(test, race, change_one_td);
	page_types(t, after);

	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_test_check(t->m.list, t->m.nr_pages));
	for (i = 0; i < NR_RACERS; i++)
		left += race->racer[i].nr_pool;
	/* What is in nobody's pool is in the TD. */
	KUNIT_EXPECT_EQ(test, (unsigned int)NR_RACERS * POOL,
			left + after[PT_REG] + after[PT_EPT] - before[PT_EPT]);
	KUNIT_EXPECT_EQ(test, before[PT_TDVPR], after[PT_TDVPR]);
	KUNIT_EXPECT_EQ(test, before[PT_TDCX], after[PT_TDCX]);
}

/* ---- one page of 2 MiB, as a whole and in parts ---- */

#define LARGE		(0ULL | 1)

/* The whole, or one of the first parts, at its place. */
static void map_large(struct racer *r, u64 rcx)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = r->race->td.tdr };

	args.r8 = r->race->large + (rcx & PAGE_MASK);
	call(r, L_MEM_PAGE_AUG, &args);
}

/* A page of the pool in a part's place: no large page until it is gone. */
static void move_part(struct racer *r)
{
	struct tdx_module_args args = {
		.rcx = pick(r, 4) * PAGE_SIZE, .rdx = r->race->td.tdr,
	};

	if (!r->nr_pool)
		return;
	args.r8 = r->pool[r->nr_pool - 1];
	if (!call(r, L_MEM_PAGE_RELOCATE, &args))
		return;
	r->nr_pool--;
	put_back(r, args.rcx);
}

static void use_part(struct racer *r, u64 leaf)
{
	struct tdx_module_args args = { .rcx = r->race->large + pick(r, 4) * PAGE_SIZE };

	call(r, leaf, &args);
}

static void resize_step(struct racer *r)
{
	switch (pick(r, 32)) {
	case 0 ... 1:
		map_large(r, LARGE);
		break;
	case 2 ... 3:
		use_entry(r, L_MEM_PAGE_REMOVE, LARGE);
		break;
	case 4 ... 8:
		give_page(r, L_MEM_PAGE_DEMOTE, LARGE);
		break;
	case 9 ... 15:
		get_page_back(r, L_MEM_PAGE_PROMOTE, LARGE);
		break;
	case 16 ... 17:
		get_page_back(r, L_MEM_PAGE_REMOVE, pick(r, 4) * PAGE_SIZE);
		break;
	case 18 ... 23:
		map_large(r, pick(r, 4) * PAGE_SIZE);
		break;
	case 24:
		move_part(r);
		break;
	case 25 ... 26:
		use_part(r, pick(r, 2) ? L_PAGE_RDMD : L_PAGE_WBINVD);
		break;
	case 27:
		use_entry(r, L_MEM_RANGE_BLOCK, pick(r, 2) ? LARGE : pick(r, 4) * PAGE_SIZE);
		break;
	case 28 ... 29:
		use_entry(r, L_MEM_RANGE_UNBLOCK, pick(r, 2) ? LARGE : pick(r, 4) * PAGE_SIZE);
		break;
	default:
		use_entry(r, L_MEM_SEPT_RD, pick(r, 2) ? LARGE : pick(r, 4) * PAGE_SIZE);
	}
}

static int resize_one_page(void *data)
{
	struct racer *r = data;
	unsigned int i;

	line_up(r);
	for (i = 0; i < ROUNDS; i++) {
		resize_step(r);
		cond_resched();
	}
	complete(&r->done);
	return 0;
}

/* Pages of the pool that the TD has, for pages or tables. */
static unsigned int pages_in_use(struct swt *t, const struct race *race)
{
	struct tdx_sw_page_info info;
	unsigned int i, nr = 0;

	for (i = 0; i < t->m.nr_pages; i++) {
		if (is_in_large(race, t->m.list[i]))
			continue;
		KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_page(t->m.list[i], &info));
		nr += info.type == PT_REG || info.type == PT_EPT;
	}
	return nr;
}

/* Nothing has to be tracked, so that every step may succeed. */
static void two_cpus_resize_one_page(struct kunit *test)
{
	u64 demoted[2], promoted[2], errors, i;
	unsigned int tables, left = 0;
	struct race *race = new_race(test);
	struct swt *t = swt_of(test);

	t->checked = false;
	swt_td_build(t, &race->td, 0, STAGE_INITIALIZED);
	swt_tables(t, &race->td, 0, 1);
	race->large = swt_large(t);
	for (i = 1; i < PARTS; i++)
		swt_m_add_page(test, &t->m, race->large + i * PAGE_SIZE);
	for (i = 0; i < NR_RACERS; i++) {
		struct racer *r = &race->racer[i];

		while (r->nr_pool < POOL)
			r->pool[r->nr_pool++] = swt_page(t);
	}

	tables = pages_in_use(t, race);
	demoted[0] = tdx_sw_count(L_MEM_PAGE_DEMOTE, &errors) - errors;
	promoted[0] = tdx_sw_count(L_MEM_PAGE_PROMOTE, &errors) - errors;
	run(test, race, resize_one_page);
	demoted[1] = tdx_sw_count(L_MEM_PAGE_DEMOTE, &errors) - errors;
	promoted[1] = tdx_sw_count(L_MEM_PAGE_PROMOTE, &errors) - errors;
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_test_check(t->m.list, t->m.nr_pages));
	for (i = 0; i < NR_RACERS; i++)
		left += race->racer[i].nr_pool;
	KUNIT_EXPECT_EQ(test, (unsigned int)NR_RACERS * POOL,
			left + pages_in_use(t, race) - tables);
	/* It came to pass. */
	KUNIT_EXPECT_LT(test, demoted[0], demoted[1]);
	KUNIT_EXPECT_LT(test, promoted[0], promoted[1]);
}

/* Until it is no longer the other CPU that is in the way. */
static void insist(struct racer *r, u64 leaf, u64 rcx)
{
	struct tdx_module_args args;
	u64 status;

	do {
		args = (struct tdx_module_args) { .rcx = rcx };
		status = tdx_sw_call(leaf, &args);
		cond_resched();
	} while (ST_CODE(status) == ST_OPERAND_BUSY);

	/* The other CPU may have written back for this one. */
	if (status && ST_CODE(status) != ST_NO_HKID_READY_TO_WBCACHE && !r->unexpected)
		r->unexpected = status;
}

static void write_back_everywhere(struct racer *r)
{
	struct tdx_module_args args;
	unsigned int cpu;
	u64 status;

	for_each_online_cpu(cpu) {
		do {
			args = (struct tdx_module_args) {};
			status = tdx_sw_test_call_on(cpu, L_CACHE_WB, &args);
			cond_resched();
		} while (ST_CODE(status) == ST_OPERAND_BUSY);
	}
}

static void live_a_short_life(struct racer *r)
{
	u64 page = r->race->page;
	struct tdx_module_args args = { .rcx = page, .rdx = swt_key(r->t, r->idx) };
	u64 status = tdx_sw_call(L_MNG_CREATE, &args);

	if (status) {
		bool busy = ST_CODE(status) == ST_OPERAND_BUSY;

		r->refused++;
		if (!busy && ST_CODE(status) != ST_PAGE_METADATA_INCORRECT && !r->unexpected)
			r->unexpected = status;
		return;
	}

	r->ok++;
	if (atomic_inc_return(&r->race->owners) != 1)
		r->faults++;
	insist(r, L_MNG_VPFLUSHDONE, page);
	write_back_everywhere(r);
	insist(r, L_MNG_KEY_FREEID, page);
	atomic_dec(&r->race->owners);
	insist(r, L_PAGE_RECLAIM, page);
}

static bool all_have_lived(const struct race *race)
{
	unsigned int i;

	for (i = 0; i < NR_RACERS; i++) {
		if (READ_ONCE(race->racer[i].ok) < LIVES)
			return false;
	}
	return true;
}

/* Whoever has just let go of the page is best placed to take it again. */
static bool is_ahead(const struct racer *r)
{
	unsigned int i;

	for (i = 0; i < NR_RACERS; i++) {
		if (READ_ONCE(r->race->racer[i].ok) + 1 < r->ok)
			return true;
	}
	return false;
}

static int create_on_one_page(void *data)
{
	struct racer *r = data;

	line_up(r);
	/* Until everybody had the page a few times, whoever is quicker. */
	while (!all_have_lived(r->race) && !READ_ONCE(r->race->stop)) {
		if (!is_ahead(r) || !(prandom_u32_state(&r->rnd) % 16))
			live_a_short_life(r);
		cond_resched();
	}
	complete(&r->done);
	return 0;
}

static void page_has_one_owner_at_a_time(struct kunit *test)
{
	struct race *race = new_race(test);
	struct swt *t = swt_of(test);

	race->page = swt_page(t);
	run(test, race, create_on_one_page);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&race->owners));
	KUNIT_EXPECT_TRUE(test, all_have_lived(race));
	swt_check(t);
}

static struct kunit_case race_cases[] = {
	KUNIT_CASE_SLOW(two_cpus_change_one_td),
	KUNIT_CASE_SLOW(two_cpus_resize_one_page),
	KUNIT_CASE_SLOW(page_has_one_owner_at_a_time),
	{}
};

static struct kunit_suite race_suite = {
	.name = "tdx_sw_race",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = race_cases,
};

kunit_test_suite(race_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: concurrency");
MODULE_LICENSE("GPL");
