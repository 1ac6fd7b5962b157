// SPDX-License-Identifier: GPL-2.0
/*
 * Key IDs from FREE to FREE: who may have one, key configuration and write-back
 * of every package, and what has to be done before one is used again.
 *
 * Most cases run in a machine that has two packages as far as the module knows:
 * with one CPU in each, both are needed.
 */
#include "fresh.h"

/* A module with two packages, ready; returns a CPU of the second one. */
static unsigned int two_packages(struct swt *t)
{
	unsigned int other = swt_other_cpu(t);
	bool checked = t->checked;

	t->checked = false;
	swt_fresh_begin(t, 2);
	swt_fresh_tdmr_init(t);
	t->checked = checked;
	return other;
}

static u64 pkgs_of(struct swt *t, unsigned int hkid)
{
	u64 pkgs;

	tdx_sw_test_kot(hkid, &pkgs);
	return pkgs;
}

/* swt_ok() on another CPU. */
static void ok_on(struct swt *t, unsigned int cpu, u64 leaf, u64 rcx)
{
	struct tdx_module_args args = { .rcx = rcx };
	struct model_out out = {};

	KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, swt_call_on(t, cpu, leaf, &args));
	args.rcx = rcx;
	swt_m_apply(t->test, &t->m, cpu, leaf, &args, &out);
	swt_check(t);
}

static void only_free_private_keys_are_given(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 first = t->m.first_key, bad[] = {
		0, first - 1, first + t->m.nr_keys, 0xffff, BIT_ULL(16) | (first + 1),
		BIT_ULL(63) | (first + 1),
	};
	struct swt_td td;
	unsigned int i;
	u64 page;

	swt_td_build(t, &td, 0, STAGE_ASSIGNED);
	page = swt_page(t);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_MNG_CREATE,
		       SWT_ARGS(.rcx = page, .rdx = bad[i]));
		/* The key ID comes before the page. */
		swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_MNG_CREATE,
		       SWT_ARGS(.rcx = page | 1, .rdx = bad[i]));
	}
	swt_no(t, ST_HKID_NOT_FREE | ST_ANY_DETAIL, L_MNG_CREATE,
	       SWT_ARGS(.rcx = page, .rdx = first));
	swt_no(t, ST_HKID_NOT_FREE | ST_ANY_DETAIL, L_MNG_CREATE,
	       SWT_ARGS(.rcx = page, .rdx = td.hkid));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_MNG_CREATE,
	       SWT_ARGS(.rcx = page | 1, .rdx = td.hkid));
	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = page, .rdx = td.hkid + 1));
}

static void every_package_needs_the_key(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = two_packages(t);
	struct swt_td td;

	swt_td_create(t, &td, 0);
	swt_ok(t, L_MNG_KEY_CONFIG, SWT_ARGS(.rcx = td.tdr));
	KUNIT_EXPECT_EQ(test, (u8)LC_HKID_ASSIGNED, swt_m_td(&t->m, td.tdr)->lifecycle);
	swt_no(t, ST_KEY_CONFIGURED | ST_ANY_DETAIL, L_MNG_KEY_CONFIG, SWT_ARGS(.rcx = td.tdr));
	swt_no(t, ST_TD_KEYS_NOT_CONFIGURED | ST_ANY_DETAIL, L_MNG_ADDCX,
	       SWT_ARGS(.rcx = swt_page(t), .rdx = td.tdr));
	ok_on(t, other, L_MNG_KEY_CONFIG, td.tdr);
	KUNIT_EXPECT_EQ(test, (u8)LC_KEYS_CONFIGURED, swt_m_td(&t->m, td.tdr)->lifecycle);
	swt_no(t, ST_LIFECYCLE_STATE_INCORRECT | ST_ANY_DETAIL, L_MNG_KEY_CONFIG,
	       SWT_ARGS(.rcx = td.tdr));
}

static void every_package_writes_back(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = two_packages(t);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_KEYED);
	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td.tdr));
	KUNIT_EXPECT_EQ(test, 3ULL, pkgs_of(t, td.hkid));
	swt_no(t, ST_WBCACHE_NOT_COMPLETE | ST_ANY_DETAIL, L_MNG_KEY_FREEID,
	       SWT_ARGS(.rcx = td.tdr));

	ok_on(t, other, L_CACHE_WB, 0);
	KUNIT_EXPECT_EQ(test, 1ULL, pkgs_of(t, td.hkid));
	swt_no(t, ST_WBCACHE_NOT_COMPLETE | ST_ANY_DETAIL, L_MNG_KEY_FREEID,
	       SWT_ARGS(.rcx = td.tdr));
	/* The key ID is not anybody's yet. */
	swt_no(t, ST_HKID_NOT_FREE | ST_ANY_DETAIL, L_MNG_CREATE,
	       SWT_ARGS(.rcx = swt_page(t), .rdx = td.hkid));

	ok_on(t, t->cpu, L_CACHE_WB, 0);
	/* Again, for nothing, as long as there is a key ID to be flushed. */
	ok_on(t, t->cpu, L_CACHE_WB, 0);
	swt_ok(t, L_MNG_KEY_FREEID, SWT_ARGS(.rcx = td.tdr));
	swt_no(t, ST_NO_HKID_READY_TO_WBCACHE, L_CACHE_WB, SWT_ARGS());
	swt_no(t, ST_LIFECYCLE_STATE_INCORRECT | ST_ANY_DETAIL, L_MNG_KEY_FREEID,
	       SWT_ARGS(.rcx = td.tdr));
}

static void td_with_half_a_key_is_flushed_everywhere(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	two_packages(t);
	swt_td_create(t, &td, 0);
	swt_ok(t, L_MNG_KEY_CONFIG, SWT_ARGS(.rcx = td.tdr));
	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td.tdr));
	KUNIT_EXPECT_EQ(test, 3ULL, pkgs_of(t, td.hkid));
}

static void one_write_back_serves_all_that_wait(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, other = two_packages(t);
	struct swt_td td[3];

	for (i = 0; i < ARRAY_SIZE(td); i++)
		swt_td_build(t, &td[i], i, STAGE_KEYED);
	for (i = 0; i < 2; i++)
		swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td[i].tdr));
	ok_on(t, t->cpu, L_CACHE_WB, 0);
	ok_on(t, other, L_CACHE_WB, 0);
	for (i = 0; i < 2; i++)
		swt_ok(t, L_MNG_KEY_FREEID, SWT_ARGS(.rcx = td[i].tdr));
	/* The third TD lives on. */
	swt_ok(t, L_MNG_ADDCX, SWT_ARGS(.rcx = swt_page(t), .rdx = td[2].tdr));
}

static void interrupted_write_back_resumes_with_what_it_started(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = two_packages(t);
	struct tdx_module_args args = {};
	struct swt_td a, b;

	swt_td_build(t, &a, 0, STAGE_KEYED);
	swt_td_build(t, &b, 1, STAGE_KEYED);
	swt_no(t, ST_WBCACHE_RESUME_ERROR | ST_ANY_DETAIL, L_CACHE_WB, SWT_ARGS(.rcx = 1));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_CACHE_WB, SWT_ARGS(.rcx = 2));

	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = a.tdr));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_CACHE_WB, 1, 2, ST_INTERRUPTED_RESUMABLE));
	KUNIT_EXPECT_EQ(test, ST_INTERRUPTED_RESUMABLE, swt_call(t, L_CACHE_WB, &args));
	/* Flushed too late for this flow. */
	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = b.tdr));
	args.rcx = 1;
	KUNIT_EXPECT_EQ(test, ST_INTERRUPTED_RESUMABLE, swt_call(t, L_CACHE_WB, &args));
	KUNIT_EXPECT_EQ(test, 3ULL, pkgs_of(t, a.hkid));

	args.rcx = 1;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_CACHE_WB, &args));
	KUNIT_EXPECT_EQ(test, 2ULL, pkgs_of(t, a.hkid));
	KUNIT_EXPECT_EQ(test, 3ULL, pkgs_of(t, b.hkid));
	swt_no(t, ST_WBCACHE_RESUME_ERROR | ST_ANY_DETAIL, L_CACHE_WB, SWT_ARGS(.rcx = 1));

	t->m.key[a.hkid - t->m.first_key].pkgs = 2;
	ok_on(t, t->cpu, L_CACHE_WB, 0);
	ok_on(t, other, L_CACHE_WB, 0);
	swt_ok(t, L_MNG_KEY_FREEID, SWT_ARGS(.rcx = a.tdr));
	swt_ok(t, L_MNG_KEY_FREEID, SWT_ARGS(.rcx = b.tdr));
}

static void associated_vcpus_hold_the_key(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = swt_other_cpu(t);
	u64 second;
	struct tdx_module_args args;
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	td.vcpu = swt_vcpu_add(t, &td);
	second = swt_vcpu_create(t, &td, MIN_TDVPS);
	args = (struct tdx_module_args) { .rcx = second };
	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call_on(t, other, L_VP_INIT, &args));
	args.rcx = second;
	swt_m_apply(test, &t->m, other, L_VP_INIT, &args, &(struct model_out){});
	swt_check(t);

	swt_no(t, ST_FLUSHVP_NOT_DONE | ST_ANY_DETAIL, L_MNG_VPFLUSHDONE,
	       SWT_ARGS(.rcx = td.tdr));
	swt_ok(t, L_VP_FLUSH, SWT_ARGS(.rcx = td.vcpu));
	swt_no(t, ST_FLUSHVP_NOT_DONE | ST_ANY_DETAIL, L_MNG_VPFLUSHDONE,
	       SWT_ARGS(.rcx = td.tdr));
	swt_no(t, ST_VCPU_NOT_ASSOCIATED | ST_ANY_DETAIL, L_VP_FLUSH, SWT_ARGS(.rcx = second));
	ok_on(t, other, L_VP_FLUSH, second);
	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td.tdr));
}

static void keys_run_out_and_come_back(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, nr = t->m.nr_keys - 1;
	struct swt_td *td;

	KUNIT_ASSERT_LE(test, nr, (unsigned int)MODEL_TDS - 1);
	td = kunit_kcalloc(test, nr, sizeof(*td), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, td);
	for (i = 0; i < nr; i++)
		swt_td_create(t, &td[i], i);
	for (i = 0; i <= nr; i++)
		swt_no(t, ST_HKID_NOT_FREE | ST_ANY_DETAIL, L_MNG_CREATE,
		       SWT_ARGS(.rcx = td[0].params, .rdx = t->m.first_key + i));

	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td[nr / 2].tdr));
	swt_td_free_key(t, &td[nr / 2]);
	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = td[0].params, .rdx = td[nr / 2].hkid));
}

static void key_serves_one_td_after_the_other(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
		swt_td_init(t, &td);
		swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td.tdr));
		swt_td_free_key(t, &td);
	}
}

#define FIELD_TD_UUID	0x8010000300000020ULL

/* In all its words: that is what tells it from all others. */
static void every_td_has_an_id_of_its_own(struct kunit *test)
{
	struct tdx_module_args args[2];
	struct swt *t = swt_of(test);
	unsigned int i, word;
	struct swt_td td[2];

	for (i = 0; i < ARRAY_SIZE(td); i++)
		swt_td_build(t, &td[i], i, STAGE_INITIALIZED);
	for (word = 0; word < 4; word++) {
		for (i = 0; i < ARRAY_SIZE(td); i++) {
			args[i] = (struct tdx_module_args) {
				.rcx = td[i].tdr, .rdx = FIELD_TD_UUID + word,
			};
			swt_ok(t, L_MNG_RD, &args[i]);
		}
		KUNIT_EXPECT_NE_MSG(test, args[0].r8, args[1].r8, "word %u", word);
	}
}

/* ---- locks ---- */

static void hold(struct swt *t, enum tdx_sw_lock_class class, bool excl)
{
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = class, .excl = excl, .object = swt_m_package(&t->m, t->cpu) });
}

static void locked_tables_are_busy(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td, blocked;
	u64 page = swt_page(t);
	bool excl;

	swt_td_build(t, &blocked, 1, STAGE_KEYED);
	swt_td_block(t, &blocked);
	swt_td_build(t, &td, 0, STAGE_ASSIGNED);
	for (excl = false; ; excl = true) {
		hold(t, TDX_SW_LOCK_KOT, excl);
		swt_no(t, ST_OPERAND_BUSY | OP_KOT, L_MNG_CREATE,
		       SWT_ARGS(.rcx = page, .rdx = swt_key(t, 2)));
		swt_no(t, ST_OPERAND_BUSY | OP_KOT, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td.tdr));
		swt_no(t, ST_OPERAND_BUSY | OP_KOT, L_MNG_KEY_FREEID,
		       SWT_ARGS(.rcx = blocked.tdr));
		if (excl)
			break;
		swt_unlock_all(t);
	}
	swt_no(t, ST_OPERAND_BUSY | OP_KOT, L_CACHE_WB, SWT_ARGS());
	/* The package's own lock comes first. */
	hold(t, TDX_SW_LOCK_WBCACHE, true);
	swt_no(t, ST_OPERAND_BUSY | OP_WBCACHE, L_CACHE_WB, SWT_ARGS());
	swt_unlock_all(t);

	hold(t, TDX_SW_LOCK_KET, true);
	swt_no(t, ST_OPERAND_BUSY | OP_KET, L_MNG_KEY_CONFIG, SWT_ARGS(.rcx = td.tdr));
	swt_unlock_all(t);
	swt_td_config_key(t, &td);

	hold(t, TDX_SW_LOCK_KOT, false);
	swt_ok(t, L_CACHE_WB, SWT_ARGS());
	swt_unlock_all(t);
	swt_td_free_key(t, &blocked);
}

static struct kunit_case keyid_cases[] = {
	KUNIT_CASE(only_free_private_keys_are_given),
	KUNIT_CASE(every_package_needs_the_key),
	KUNIT_CASE(every_package_writes_back),
	KUNIT_CASE(td_with_half_a_key_is_flushed_everywhere),
	KUNIT_CASE(one_write_back_serves_all_that_wait),
	KUNIT_CASE(interrupted_write_back_resumes_with_what_it_started),
	KUNIT_CASE(associated_vcpus_hold_the_key),
	KUNIT_CASE(keys_run_out_and_come_back),
	KUNIT_CASE(key_serves_one_td_after_the_other),
	KUNIT_CASE(every_td_has_an_id_of_its_own),
	KUNIT_CASE(locked_tables_are_busy),
	{}
};

static struct kunit_suite keyid_suite = {
	.name = "tdx_sw_keyid",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = keyid_cases,
};

kunit_test_suite(keyid_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: key IDs");
MODULE_LICENSE("GPL");
