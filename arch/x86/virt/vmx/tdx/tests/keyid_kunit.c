// SPDX-License-Identifier: GPL-2.0
/*
 * Key IDs: who gets which, what happens when there are none, and which CPUs
 * they keep online.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/topology.h>

#include <asm/tdh.h>

#include "../keyid.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define GLOBAL_KEYID	32
#define NR_GUEST	3

static int keyid_init(struct kunit *test)
{
	struct tdx_keyid_pool *pool;

	pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool);

	ida_init(&pool->used);
	pool->global = GLOBAL_KEYID;
	pool->nr_guest = NR_GUEST;
	test->priv = pool;
	return 0;
}

static void keyid_exit(struct kunit *test)
{
	struct tdx_keyid_pool *pool = test->priv;

	if (pool)
		ida_destroy(&pool->used);
}

static void take_all(struct kunit *test)
{
	int i;

	for (i = 1; i <= NR_GUEST; i++)
		KUNIT_ASSERT_EQ(test, tdx_keyid_pool_alloc(test->priv),
				GLOBAL_KEYID + i);
}

static void guests_get_all_ids_but_the_global_one(struct kunit *test)
{
	take_all(test);
	KUNIT_EXPECT_EQ(test, tdx_keyid_pool_alloc(test->priv), -ENOSPC);
}

static void refusal_takes_nothing(struct kunit *test)
{
	int i;

	take_all(test);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, tdx_keyid_pool_alloc(test->priv), -ENOSPC);

	for (i = 1; i <= NR_GUEST; i++)
		tdx_keyid_pool_free(test->priv, GLOBAL_KEYID + i);
	take_all(test);
}

static void freed_id_is_the_one_handed_out_next(struct kunit *test)
{
	int i;

	take_all(test);
	for (i = NR_GUEST; i >= 1; i--) {
		tdx_keyid_pool_free(test->priv, GLOBAL_KEYID + i);
		KUNIT_EXPECT_EQ(test, tdx_keyid_pool_alloc(test->priv),
				GLOBAL_KEYID + i);
		KUNIT_EXPECT_EQ(test, tdx_keyid_pool_alloc(test->priv), -ENOSPC);
	}
}

static void pool_without_ids_has_none(struct kunit *test)
{
	struct tdx_keyid_pool *pool = test->priv;

	pool->global = 0;
	pool->nr_guest = 0;
	KUNIT_EXPECT_EQ(test, tdx_keyid_pool_alloc(pool), -ENOSPC);
	KUNIT_EXPECT_TRUE(test, ida_is_empty(&pool->used));
}

static void ids_in_use_are_seen_until_the_last_is_freed(struct kunit *test)
{
	struct tdx_keyid_pool *pool = test->priv;
	int i;

	KUNIT_EXPECT_TRUE(test, ida_is_empty(&pool->used));
	take_all(test);
	for (i = 1; i <= NR_GUEST; i++) {
		KUNIT_EXPECT_FALSE(test, ida_is_empty(&pool->used));
		tdx_keyid_pool_free(pool, GLOBAL_KEYID + i);
	}
	KUNIT_EXPECT_TRUE(test, ida_is_empty(&pool->used));
}

/* CPUs 0 to 5 are all that there is in these cases. */
#define CPU(n)	BIT(n)

static const struct choice {
	const char *desc;
	unsigned long cpus, preferred;
	unsigned int except, want;
} choices[] = {
	{ "first", CPU(1) | CPU(2), ~0UL, TDX_NO_CPU, 1 },
	{ "first but the one that goes", CPU(1) | CPU(2), ~0UL, 1, 2 },
	{ "one that stays", CPU(1) | CPU(2), ~0UL, 2, 1 },
	{ "housekeeping CPU", CPU(0) | CPU(3) | CPU(5), CPU(1) | CPU(3), TDX_NO_CPU, 3 },
	{ "other housekeeping CPU", CPU(0) | CPU(3) | CPU(5), CPU(3) | CPU(5), 3, 5 },
	{ "isolated CPU", CPU(2) | CPU(4), CPU(0), TDX_NO_CPU, 2 },
	{ "isolated CPU in place of the last other", CPU(2) | CPU(4), CPU(2), 2, 4 },
	{ "none", CPU(3), ~0UL, 3, TDX_NO_CPU },
	{ "none of an isolated package", CPU(3), CPU(0), 3, TDX_NO_CPU },
	{ "none of nothing", 0, ~0UL, TDX_NO_CPU, TDX_NO_CPU },
};

KUNIT_ARRAY_PARAM_DESC(choice, choices, desc);

static void shared_cpu_of_a_package_is_chosen_first(struct kunit *test)
{
	const struct choice *c = test->param_value;
	const struct cpumask *cpus = to_cpumask(&c->cpus);

	KUNIT_EXPECT_EQ(test, c->want,
			tdx_choose_cpu(cpus, c->except, to_cpumask(&c->preferred)));
}

static const struct change {
	const char *desc;
	unsigned int chosen, choice;
	bool refused;
} changes[] = {
	{ "another CPU", 1, 2 },
	{ "the same CPU", 1, 1 },
	{ "none as before", TDX_NO_CPU, TDX_NO_CPU },
	{ "last CPU goes", 1, TDX_NO_CPU, true },
	{ "first CPU comes", TDX_NO_CPU, 1, true },
};

KUNIT_ARRAY_PARAM_DESC(change, changes, desc);

static void key_ids_keep_packages_as_they_are(struct kunit *test)
{
	const struct change *c = test->param_value;

	KUNIT_EXPECT_TRUE(test, tdx_package_may_change(c->chosen, c->choice, false));
	KUNIT_EXPECT_EQ(test, !c->refused, tdx_package_may_change(c->chosen, c->choice, true));
}

static int count_call(void *arg)
{
	struct cpumask *called = arg;

	cpumask_set_cpu(raw_smp_processor_id(), called);
	return 0;
}

static int refuse_call(void *arg)
{
	return -ESTALE;
}

/* One CPU of each package, and all packages. */
static void each_package_is_called_once(struct kunit *test)
{
	struct cpumask *called = kunit_kzalloc(test, sizeof(*called), GFP_KERNEL);
	unsigned int cpu, a, nr;

	KUNIT_ASSERT_NOT_NULL(test, called);
	if (!tdx_get_nr_guest_keyids())
		kunit_skip(test, "no TDX");

	KUNIT_EXPECT_EQ(test, tdx_on_each_package(count_call, called), 0);
	for_each_online_cpu(cpu) {
		nr = 0;
		for_each_cpu(a, called)
			nr += topology_physical_package_id(a) ==
			      topology_physical_package_id(cpu);
		KUNIT_EXPECT_EQ(test, nr, 1);
	}

	KUNIT_EXPECT_EQ(test, tdx_on_each_package(refuse_call, NULL), -ESTALE);
	cpus_read_lock();
	KUNIT_EXPECT_TRUE(test, tdx_all_packages_online());
	cpus_read_unlock();
}

static struct kunit_case keyid_tests[] = {
	KUNIT_CASE(guests_get_all_ids_but_the_global_one),
	KUNIT_CASE(refusal_takes_nothing),
	KUNIT_CASE(freed_id_is_the_one_handed_out_next),
	KUNIT_CASE(pool_without_ids_has_none),
	KUNIT_CASE(ids_in_use_are_seen_until_the_last_is_freed),
	KUNIT_CASE_PARAM(shared_cpu_of_a_package_is_chosen_first, choice_gen_params),
	KUNIT_CASE_PARAM(key_ids_keep_packages_as_they_are, change_gen_params),
	KUNIT_CASE(each_package_is_called_once),
	{}
};

static struct kunit_suite keyid_suite = {
	.name = "tdx_keyid",
	.init = keyid_init,
	.exit = keyid_exit,
	.test_cases = keyid_tests,
};

kunit_test_suite(keyid_suite);

MODULE_DESCRIPTION("KUnit tests of TDX key IDs");
MODULE_LICENSE("GPL");
