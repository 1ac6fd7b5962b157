// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own life, with a freshly loaded one: every leaf of bring-up in
 * every state, initialisation CPU by CPU and package by package.
 */
#include <linux/string.h>
#include <linux/unaligned.h>

#include "fresh.h"

/* ---- state x leaf ---- */

enum sys_step {
	STEP_LOADED, STEP_INIT, STEP_LP_INIT, STEP_CONFIG, STEP_READY, STEP_SHUTDOWN, NR_STEPS
};

static const char * const step_name[NR_STEPS] = {
	"loaded", "initialised", "CPUs initialised", "configured", "ready", "shut down",
};

static void go_to(struct swt *t, enum sys_step step)
{
	static void (* const steps[])(struct swt *t) = {
		[STEP_INIT] = swt_fresh_init, [STEP_LP_INIT] = swt_fresh_lp_init,
		[STEP_CONFIG] = swt_fresh_config, [STEP_READY] = swt_fresh_key_config,
		[STEP_SHUTDOWN] = swt_fresh_key_config,
	};
	struct tdx_module_args args = {};

	swt_fresh_begin(t, 1);
	if (steps[step])
		steps[step](t);
	if (step != STEP_SHUTDOWN)
		return;
	/* There is one handoff version, and this is it. */
	KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, swt_call(t, L_SYS_SHUTDOWN, &args));
	t->m.sys_state = SYS_IS_SHUTDOWN;
	swt_check(t);
}

struct sys_row {
	const char *name;
	u64 leaf;
	u64 want[NR_STEPS];
};

#define NOT_READY	ST_SYS_NOT_READY
#define DOWN		ST_SYS_SHUTDOWN
#define RAX_INVALID	(ST_OPERAND_INVALID | OP_RAX)
#define NOT_DONE	ST_SYS_LP_INIT_NOT_DONE
#define CONFIG_NP	ST_SYS_CONFIG_NOT_PENDING
#define KEY_NP		ST_SYS_KEY_CONFIG_NOT_PENDING
#define LP_NP		ST_SYS_LP_INIT_NOT_PENDING
#define STATE_BAD	ST_SYS_STATE_INCORRECT
#define FIRST		ST_METADATA_FIRST_FIELD_ID

static const struct sys_row sys_rows[] = {
	{ "SYS.INIT", L_SYS_INIT,
	  { 0, ST_SYS_INIT_NOT_PENDING, ST_SYS_INIT_NOT_PENDING, ST_SYS_INIT_NOT_PENDING,
	    ST_SYS_INIT_NOT_PENDING, DOWN } },
	{ "SYS.LP.INIT", L_SYS_LP_INIT,
	  { LP_NP, 0, ST_SYS_LP_INIT_DONE, LP_NP, LP_NP, DOWN } },
	{ "SYS.RD", L_SYS_RD, { NOT_DONE, NOT_DONE, FIRST, FIRST, FIRST, DOWN } },
	{ "SYS.RDALL", L_SYS_RDALL, { NOT_DONE, NOT_DONE, 0, 0, 0, DOWN } },
	{ "SYS.INFO", L_SYS_INFO, { NOT_DONE, NOT_DONE, 0, 0, 0, DOWN } },
	{ "SYS.CONFIG", L_SYS_CONFIG,
	  { CONFIG_NP, CONFIG_NP, 0, CONFIG_NP, CONFIG_NP, DOWN } },
	{ "SYS.KEY.CONFIG", L_SYS_KEY_CONFIG, { KEY_NP, KEY_NP, KEY_NP, 0, KEY_NP, DOWN } },
	{ "SYS.TDMR.INIT", L_SYS_TDMR_INIT,
	  { NOT_READY, NOT_READY, NOT_READY, NOT_READY, 0, DOWN } },
	{ "SYS.SHUTDOWN", L_SYS_SHUTDOWN,
	  { NOT_READY, NOT_READY, NOT_READY, NOT_READY, 0, DOWN } },
	{ "SYS.UPDATE", L_SYS_UPDATE,
	  { STATE_BAD, STATE_BAD, ST_SYS_INVALID_HANDOFF, STATE_BAD, STATE_BAD, DOWN } },
	{ "SYS.LP.SHUTDOWN", L_SYS_LP_SHUTDOWN, { 0, 0, 0, 0, 0, 0 } },
	{ "MNG.KEY.RECLAIMID", L_MNG_KEY_RECLAIMID,
	  { NOT_READY, NOT_READY, NOT_READY, NOT_READY, 0, DOWN } },
	{ "unknown leaf", 42,
	  { NOT_READY, NOT_READY, NOT_READY, NOT_READY, RAX_INVALID, DOWN } },
	{ "bad version", L_PAGE_RDMD | 1 << 16,
	  { RAX_INVALID, RAX_INVALID, RAX_INVALID, RAX_INVALID, RAX_INVALID, RAX_INVALID } },
	{ "reserved bit", L_PAGE_RDMD | BIT_ULL(33),
	  { RAX_INVALID, RAX_INVALID, RAX_INVALID, RAX_INVALID, RAX_INVALID, RAX_INVALID } },
};

struct sys_cell {
	const struct sys_row *row;
	enum sys_step step;
};

static const void *next_sys_cell(const void *prev, char *desc)
{
	static struct sys_cell cell;
	static unsigned int idx;

	if (!prev)
		idx = 0;
	if (idx == ARRAY_SIZE(sys_rows) * NR_STEPS)
		return NULL;
	cell = (struct sys_cell) { &sys_rows[idx / NR_STEPS], idx % NR_STEPS };
	idx++;
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, module %s", cell.row->name,
		  step_name[cell.step]);
	return &cell;
}

static void operands(struct swt *t, u64 leaf, struct tdx_module_args *args)
{
	void *info = kunit_kzalloc(t->test, 2 * PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(t->test, info);
	memset(args, 0, sizeof(*args));
	switch (leaf) {
	case L_SYS_CONFIG:
		swt_fresh_config_args(t, args);
		break;
	case L_SYS_RD:
		args->rdx = ~0ULL;
		break;
	case L_SYS_RDALL:
		args->rdx = virt_to_phys(info);
		args->r8 = ~0ULL;
		break;
	case L_SYS_INFO:
		args->rcx = virt_to_phys(info);
		args->rdx = 1024;
		args->r8 = virt_to_phys(info + PAGE_SIZE);
		args->r9 = 32;
		break;
	case L_SYS_TDMR_INIT:
		args->rcx = t->fresh->info[0].base;
		break;
	}
}

static void leaf_in_module_state(struct kunit *test)
{
	const struct sys_cell *cell = test->param_value;
	u64 want = cell->row->want[cell->step];
	struct swt *t = swt_of(test);
	struct tdx_module_args args;

	go_to(t, cell->step);
	operands(t, cell->row->leaf, &args);
	if (want != ST_SUCCESS)
		swt_no(t, want | ST_ANY_DETAIL, cell->row->leaf, &args);
	else
		KUNIT_EXPECT_EQ(test, want, swt_call(t, cell->row->leaf, &args));
}

/* ---- bring-up ---- */

static void attributes_are_reserved(struct kunit *test)
{
	struct swt *t = swt_of(test);

	swt_fresh_begin(t, 1);
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_INIT, SWT_ARGS(.rcx = 1));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_INIT, SWT_ARGS(.rcx = BIT_ULL(63)));
	swt_fresh_init(t);
}

static void every_cpu_is_initialised_before_configuration(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = swt_other_cpu(t);
	struct tdx_module_args args;

	swt_fresh_begin(t, 1);
	swt_fresh_init(t);
	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_LP_INIT, SWT_ARGS()));
	swt_no(t, ST_SYS_LP_INIT_DONE | ST_ANY_DETAIL, L_SYS_LP_INIT, SWT_ARGS());
	KUNIT_EXPECT_EQ(test, ST_SYS_LP_INIT_NOT_DONE,
			ST_CODE(swt_call_on(t, other, L_SYS_RD, SWT_ARGS(.rdx = ~0ULL))));
	if (num_online_cpus() == num_present_cpus()) {
		swt_fresh_config_args(t, &args);
		swt_no(t, ST_SYS_CONFIG_NOT_PENDING | ST_ANY_DETAIL, L_SYS_CONFIG, &args);
	}
}

/* Of every CPU, as it was then: a TSC that was moved since is not to be trusted. */
static void tsc_adjust_is_that_of_initialisation(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(t);
	struct swt_td td;

	t->checked = false;
	msrs->tsc_adjust += PAGE_SIZE;
	swt_fresh_begin(t, 1);
	swt_fresh_tdmr_init(t);
	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	msrs->tsc_adjust -= PAGE_SIZE;
	swt_no(t, ST_INCONSISTENT_MSR | 0x3b, L_MNG_INIT,
	       SWT_ARGS(.rcx = td.tdr, .rdx = td.params));
	msrs->tsc_adjust += PAGE_SIZE;
	swt_td_init(t, &td);

	/* The host's module relies on the CPUs' own values again. */
	tdx_sw_test_fake_msrs(NULL);
	swt_fresh_end(t);
	swt_fresh_begin(t, 1);
	swt_fresh_lp_init(t);
}

static void key_is_configured_in_every_package(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = swt_other_cpu(t);

	swt_fresh_begin(t, 2);
	swt_fresh_config(t);
	swt_lock(t, &(struct tdx_sw_test_lock) { .class = TDX_SW_LOCK_KET, .excl = true });
	swt_no(t, ST_OPERAND_BUSY | OP_KET, L_SYS_KEY_CONFIG, SWT_ARGS());
	swt_unlock_all(t);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_KEY_CONFIG, SWT_ARGS()));
	swt_check(t);
	swt_no(t, ST_KEY_CONFIGURED | ST_ANY_DETAIL, L_SYS_KEY_CONFIG, SWT_ARGS());
	swt_no(t, ST_SYS_NOT_READY | ST_ANY_DETAIL, L_SYS_TDMR_INIT,
	       SWT_ARGS(.rcx = t->fresh->info[0].base));
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call_on(t, other, L_SYS_KEY_CONFIG, SWT_ARGS()));
	t->m.sys_state = SYS_IS_READY;
	swt_check(t);
	swt_no(t, ST_SYS_KEY_CONFIG_NOT_PENDING | ST_ANY_DETAIL, L_SYS_KEY_CONFIG, SWT_ARGS());
}

static void failed_outputs_are_zero(struct kunit *test)
{
	struct tdx_module_args args = { .rcx = 5, .rdx = 6, .r8 = 7, .r9 = 8, .r10 = 9 };
	struct swt *t = swt_of(test);

	swt_fresh_begin(t, 1);
	args.rcx = 0;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_INIT, &args));
	KUNIT_EXPECT_EQ(test, 0ULL, args.rcx | args.rdx | args.r8 | args.r9 | args.r10);
	args = (struct tdx_module_args) { .rcx = 5, .rdx = 6, .r8 = 7 };
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_LP_INIT, &args));
	KUNIT_EXPECT_EQ(test, 0ULL, args.rcx | args.rdx | args.r8);
	args = (struct tdx_module_args) { .rdx = BIT_ULL(62), .r8 = 7 };
	KUNIT_EXPECT_TRUE(test, ST_IS_ERROR(swt_call(t, L_SYS_RD, &args)));
	KUNIT_EXPECT_EQ(test, 0ULL, args.r8);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.rdx);
}

static void sys_lock_is_tried(struct kunit *test)
{
	struct tdx_sw_test_lock lock = { .class = TDX_SW_LOCK_SYS };
	struct swt *t = swt_of(test);
	struct tdx_module_args args;

	swt_fresh_begin(t, 1);
	swt_lock(t, &lock);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_INIT, SWT_ARGS());
	/* The lock comes before the state and the operands. */
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_CONFIG, SWT_ARGS());
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_KEY_CONFIG, SWT_ARGS());
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_UPDATE, SWT_ARGS());
	swt_unlock_all(t);

	swt_fresh_init(t);
	/* CPUs do not hinder each other. */
	swt_lock(t, &lock);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_LP_INIT, SWT_ARGS()));
	swt_unlock_all(t);
	lock.excl = true;
	swt_lock(t, &lock);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_LP_INIT, SWT_ARGS());
	swt_fresh_config_args(t, &args);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_CONFIG, &args);
}

static void shutdown_knows_one_handoff_version(struct kunit *test)
{
	struct tdx_sw_test_lock lock = { .class = TDX_SW_LOCK_SYS };
	struct swt *t = swt_of(test);

	go_to(t, STEP_READY);
	swt_lock(t, &lock);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_SHUTDOWN, SWT_ARGS());
	swt_unlock_all(t);
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_SHUTDOWN, SWT_ARGS(.rcx = 0xffff));
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_SHUTDOWN, SWT_ARGS()));
}

/* The module goes when it is nobody's, and stays what it was until then. */
static void shutdown_waits_for_whoever_is_inside(struct kunit *test)
{
	struct swt *t = swt_of(test);

	go_to(t, STEP_READY);
	tdx_sw_test_add_inside(1);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_SHUTDOWN, SWT_ARGS());
	swt_check(t);
	swt_ok(t, L_MNG_KEY_RECLAIMID, SWT_ARGS());
	tdx_sw_test_add_inside(-1);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_SHUTDOWN, SWT_ARGS()));
	KUNIT_EXPECT_EQ(test, ST_SYS_SHUTDOWN, swt_call(t, L_SYS_SHUTDOWN, SWT_ARGS()));
	/* Which versions there are is the leaf's to say, if there are any. */
	KUNIT_EXPECT_EQ(test, ST_SYS_SHUTDOWN, swt_call(t, L_MNG_RD | 2 << 16, SWT_ARGS()));
	KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RAX,
			swt_call(t, L_V1(L_MNG_WR), SWT_ARGS()));
}

/* Of newer modules; the sheet of leaves has none of them. */
#define L_SYS_DISABLE	69

static void disabled_module_is_gone_for_good(struct kunit *test)
{
	struct tdx_sw_test_lock lock = { .class = TDX_SW_LOCK_SYS };
	struct swt *t = swt_of(test);

	go_to(t, STEP_READY);
	swt_lock(t, &lock);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_DISABLE, SWT_ARGS());
	swt_unlock_all(t);
	tdx_sw_test_add_inside(1);
	swt_no(t, ST_SYS_BUSY | ST_ANY_DETAIL, L_SYS_DISABLE, SWT_ARGS());
	tdx_sw_test_add_inside(-1);
	swt_ok(t, L_MNG_KEY_RECLAIMID, SWT_ARGS());

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_DISABLE, SWT_ARGS()));
	t->m.sys_state = SYS_IS_SHUTDOWN;
	swt_no(t, ST_SYS_SHUTDOWN | ST_ANY_DETAIL, L_MNG_KEY_RECLAIMID, SWT_ARGS());
	swt_no(t, ST_SYS_SHUTDOWN | ST_ANY_DETAIL, L_SYS_INIT, SWT_ARGS());
	swt_check(t);
}

/* ---- SYS.CONFIG ---- */

static void config_operands_are_checked_in_order(struct kunit *test)
{
	unsigned int i, shift = tdx_sw_keyid_shift();
	struct swt *t = swt_of(test);
	u64 key = t->m.first_key, nr = t->m.nr_keys;
	u64 bad_rcx[] = { 8, 256, key << shift, BIT_ULL(52) };
	u64 bad_rdx[] = { 0, 65, ~0ULL };
	u64 bad_r8[] = { 0, key - 1, key + nr, BIT_ULL(17) | key, BIT_ULL(63) | key };
	struct tdx_module_args args;

	swt_fresh_begin(t, 1);
	swt_fresh_lp_init(t);
	for (i = 0; i < ARRAY_SIZE(bad_rcx); i++) {
		swt_fresh_config_args(t, &args);
		args.rcx |= bad_rcx[i];
		args.rdx = 0;
		args.r8 = 0;
		swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_CONFIG, &args);
	}
	for (i = 0; i < ARRAY_SIZE(bad_rdx); i++) {
		swt_fresh_config_args(t, &args);
		args.rdx = bad_rdx[i];
		args.r8 = 0;
		swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_SYS_CONFIG, &args);
	}
	for (i = 0; i < ARRAY_SIZE(bad_r8); i++) {
		swt_fresh_config_args(t, &args);
		args.r8 = bad_r8[i];
		swt_no(t, ST_OPERAND_INVALID | OP_R8, L_SYS_CONFIG, &args);
	}
	swt_fresh_config_args(t, &args);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_CONFIG, &args));
}

/* The interface says so: reserved before the TDMRs are looked at, for good. */
static void global_key_stays_reserved(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	u64 good;

	swt_fresh_begin(t, 1);
	swt_fresh_lp_init(t);
	good = t->fresh->array[0];
	t->fresh->array[0] |= 64;
	swt_fresh_config_args(t, &args);
	args.r8 = t->m.first_key + 1;
	KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, swt_call(t, L_SYS_CONFIG, &args));
	t->m.key[1].state = KOT_RESERVED;
	swt_check(t);

	t->fresh->array[0] = good;
	swt_fresh_config_args(t, &args);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_CONFIG, &args));
	t->m.key[0].state = KOT_RESERVED;
	t->m.sys_state = SYS_CONFIG_DONE;
	swt_check(t);
}

/* ---- SYS.INFO ---- */

static u64 sys_rd(struct swt *t, u64 id)
{
	struct tdx_module_args args = { .rdx = id };

	KUNIT_EXPECT_EQ_MSG(t->test, ST_SUCCESS, swt_call(t, L_SYS_RD, &args), "%llx", id);
	return args.r8;
}

/* From byte 128 on: how many, then leaf, subleaf and the four masks of each. */
static void expect_cpuid_of_fields(struct swt *t, const u8 *info)
{
	unsigned int i, nr = *(u32 *)(info + 128);

	KUNIT_ASSERT_EQ(t->test, sys_rd(t, 0x9900000100000004), (u64)nr);
	for (i = 0; i < nr; i++) {
		const u8 *cpuid = info + 132 + 24 * i;

		KUNIT_EXPECT_EQ(t->test, sys_rd(t, 0x9900000300000400 + i),
				get_unaligned_le64(cpuid));
		KUNIT_EXPECT_EQ(t->test, sys_rd(t, 0x9900000300000500 + 2 * i),
				get_unaligned_le64(cpuid + 8));
		KUNIT_EXPECT_EQ(t->test, sys_rd(t, 0x9900000300000501 + 2 * i),
				get_unaligned_le64(cpuid + 16));
	}
}

static void info_agrees_with_the_fields(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_test_cmr cmrs[32];
	struct tdx_module_args args;
	unsigned int i, nr;
	u64 *cmr;
	u8 *info;

	operands(t, L_SYS_INFO, &args);
	info = swt_va(args.rcx);
	cmr = swt_va(args.r8);
	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_INFO, &args));
	KUNIT_EXPECT_EQ(test, 1024ULL, args.rdx);
	KUNIT_EXPECT_EQ(test, 32ULL, args.r9);
	KUNIT_EXPECT_EQ(test, 0U, *(u32 *)info & BIT(31));
	KUNIT_EXPECT_EQ(test, 0x8086U, *(u32 *)(info + 4));
	KUNIT_EXPECT_EQ(test, (u8)1, info[18]);
	KUNIT_EXPECT_EQ(test, (u16)64, *(u16 *)(info + 32));
	KUNIT_EXPECT_EQ(test, (u16)16, *(u16 *)(info + 34));
	KUNIT_EXPECT_EQ(test, (u16)16, *(u16 *)(info + 36));
	KUNIT_EXPECT_EQ(test, (u16)24576, *(u16 *)(info + 48));
	KUNIT_EXPECT_EQ(test, (u16)24576, *(u16 *)(info + 52));
	KUNIT_EXPECT_EQ(test, sys_rd(t, 0x1900000300000000), *(u64 *)(info + 64));
	KUNIT_EXPECT_EQ(test, sys_rd(t, 0x1900000300000001), *(u64 *)(info + 72));
	KUNIT_EXPECT_EQ(test, sys_rd(t, 0x1900000300000002), *(u64 *)(info + 80));
	KUNIT_EXPECT_EQ(test, 3ULL, *(u64 *)(info + 88));
	expect_cpuid_of_fields(t, info);

	nr = tdx_sw_test_cmrs(cmrs, ARRAY_SIZE(cmrs));
	for (i = 0; i < 32; i++) {
		KUNIT_EXPECT_EQ(test, i < nr ? cmrs[i].base : 0ULL, cmr[2 * i]);
		KUNIT_EXPECT_EQ(test, i < nr ? cmrs[i].size : 0ULL, cmr[2 * i + 1]);
	}
}

static void info_checks_its_operands(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;

	operands(t, L_SYS_INFO, &args);
	args.rcx |= 512;
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_INFO, &args);
	operands(t, L_SYS_INFO, &args);
	args.rdx = 1023;
	swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_SYS_INFO, &args);
	operands(t, L_SYS_INFO, &args);
	args.r8 |= 256;
	swt_no(t, ST_OPERAND_INVALID | OP_R8, L_SYS_INFO, &args);
	operands(t, L_SYS_INFO, &args);
	args.r9 = 31;
	swt_no(t, ST_OPERAND_INVALID | OP_R9, L_SYS_INFO, &args);
	operands(t, L_SYS_INFO, &args);
	args.rcx |= (u64)t->m.first_key << tdx_sw_keyid_shift();
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_INFO, &args);
}

static struct kunit_case sys_cases[] = {
	KUNIT_CASE_PARAM(leaf_in_module_state, next_sys_cell),
	KUNIT_CASE(attributes_are_reserved),
	KUNIT_CASE(every_cpu_is_initialised_before_configuration),
	KUNIT_CASE(tsc_adjust_is_that_of_initialisation),
	KUNIT_CASE(key_is_configured_in_every_package),
	KUNIT_CASE(failed_outputs_are_zero),
	KUNIT_CASE(sys_lock_is_tried),
	KUNIT_CASE(shutdown_knows_one_handoff_version),
	KUNIT_CASE(shutdown_waits_for_whoever_is_inside),
	KUNIT_CASE(disabled_module_is_gone_for_good),
	KUNIT_CASE(config_operands_are_checked_in_order),
	KUNIT_CASE(global_key_stays_reserved),
	KUNIT_CASE(info_agrees_with_the_fields),
	KUNIT_CASE(info_checks_its_operands),
	{}
};

static struct kunit_suite sys_suite = {
	.name = "tdx_sw_sys",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = sys_cases,
};

kunit_test_suite(sys_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: bring-up");
MODULE_LICENSE("GPL");
