// SPDX-License-Identifier: GPL-2.0
/*
 * Key IDs: who gets which, what happens when there are none, and which CPUs
 * they keep online.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/topology.h>

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

static void only_cpu_is_the_last_of_its_package(struct kunit *test)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_TRUE(test, tdx_is_last_of_package(cpu, cpumask_of(cpu)));
	cpus_read_unlock();
}

static void sibling_in_the_package_lets_a_cpu_go(struct kunit *test)
{
	unsigned int a, b;
	bool same;

	cpus_read_lock();
	for_each_online_cpu(a) {
		for_each_online_cpu(b) {
			struct cpumask both = {};

			if (a == b)
				continue;

			cpumask_set_cpu(a, &both);
			cpumask_set_cpu(b, &both);
			same = topology_physical_package_id(a) ==
			       topology_physical_package_id(b);
			KUNIT_EXPECT_EQ(test, tdx_is_last_of_package(a, &both), !same);
		}
	}
	cpus_read_unlock();
}

static struct kunit_case keyid_tests[] = {
	KUNIT_CASE(guests_get_all_ids_but_the_global_one),
	KUNIT_CASE(refusal_takes_nothing),
	KUNIT_CASE(freed_id_is_the_one_handed_out_next),
	KUNIT_CASE(pool_without_ids_has_none),
	KUNIT_CASE(ids_in_use_are_seen_until_the_last_is_freed),
	KUNIT_CASE(only_cpu_is_the_last_of_its_package),
	KUNIT_CASE(sibling_in_the_package_lets_a_cpu_go),
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
