// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own life, with a freshly loaded one: every leaf of bring-up in
 * every state, initialisation CPU by CPU and package by package, what it does
 * not take for a TDMR, and TDMRs that become usable piece by piece.
 */
#include <linux/align.h>

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

static void key_is_configured_in_every_package(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = swt_other_cpu(t);

	swt_fresh_begin(t, 2);
	swt_fresh_config(t);
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

/* ---- TDMRs ---- */

#define G(n)	((n) * (u64)SZ_1G)
#define M(n)	((n) * (u64)SZ_1M)

struct bad_tdmr {
	const char *what;
	void (*spoil)(struct swt_fresh *f);
	u64 want;
	bool cmr;	/* the 1 GiB of the second TDMR alone, less 1 MiB at both ends */
};

static void base_unaligned(struct swt_fresh *f)		{ f->info[0].base += M(1); }
static void size_unaligned(struct swt_fresh *f)		{ f->info[0].size += PAGE_SIZE; }
static void pamt_unaligned(struct swt_fresh *f)		{ f->info[0].pamt[2].base += 16; }
static void pamt_size_unaligned(struct swt_fresh *f)	{ f->info[0].pamt[1].size += 16; }
static void pamt_2m_too_small(struct swt_fresh *f)	{ f->info[0].pamt[1].size -= PAGE_SIZE; }
static void pamt_4k_too_small(struct swt_fresh *f)	{ f->info[0].pamt[2].size -= PAGE_SIZE; }
static void pamt_outside(struct swt_fresh *f)		{ f->info[0].pamt[1].base = G(200); }

static void size_zero(struct swt_fresh *f)
{
	f->info[0].size = 0;
}

static void pamt_1g_too_small(struct swt_fresh *f)
{
	f->info[0].pamt[0].size = 0;
}

static void base_with_key(struct swt_fresh *f)
{
	f->info[0].base |= BIT_ULL(tdx_sw_keyid_shift());
}

static void twice(struct swt_fresh *f)
{
	f->nr_tdmrs = 2;
	f->info[1] = f->info[0];
}

static void descending(struct swt_fresh *f)
{
	f->nr_tdmrs = 2;
	swap(f->info[0], f->info[1]);
}

static void rsvd_at(struct swt_fresh *f, unsigned int i, u64 offset, u64 size)
{
	f->info[0].rsvd[i].offset = offset;
	f->info[0].rsvd[i].size = size;
}

/* The far TDMR, alone and first: no PAMT in it needs a reserved area. */
static void use_far(struct swt_fresh *f)
{
	f->info[0] = f->info[1];
}

static void rsvd_unaligned(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, 0x800, PAGE_SIZE);
}

static void rsvd_size_unaligned(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, 0, PAGE_SIZE);
	rsvd_at(f, 1, M(1), 0x800);
}

static void rsvd_outside(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, G(1) - PAGE_SIZE, 2 * PAGE_SIZE);
}

static void rsvd_after_null(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, 0, PAGE_SIZE);
	rsvd_at(f, 2, M(1), PAGE_SIZE);
}

static void rsvd_overlap(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, 0, 2 * PAGE_SIZE);
	rsvd_at(f, 1, PAGE_SIZE, PAGE_SIZE);
}

static void rsvd_descending(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, M(2), PAGE_SIZE);
	rsvd_at(f, 1, M(1), PAGE_SIZE);
}

static void pamt_over_pamt(struct swt_fresh *f)
{
	f->info[0].pamt[0].base = f->info[0].pamt[1].base;
}

static void pamt_of_other_tdmr(struct swt_fresh *f)
{
	f->nr_tdmrs = 2;
	f->info[1].pamt[0].base = f->info[0].pamt[0].base;
}

static void pamt_in_usable_memory(struct swt_fresh *f)
{
	f->info[0].pamt[0].base = f->info[0].base + G(1) - PAGE_SIZE;
}

static void outside_cmrs(struct swt_fresh *f)		{ use_far(f); }
static void lower_end_reserved(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, 0, M(1));
}

#define AT(tdmr, second, other)	((tdmr) | (second) << 8 | (other) << 16)

static const struct bad_tdmr bad_tdmrs[] = {
	{ "base not aligned", base_unaligned, ST_INVALID_TDMR },
	{ "base with key ID", base_with_key, ST_INVALID_TDMR },
	{ "size not aligned", size_unaligned, ST_INVALID_TDMR },
	{ "size 0", size_zero, ST_INVALID_TDMR },
	{ "same TDMR twice", twice, ST_NON_ORDERED_TDMR | ST_ANY_DETAIL },
	{ "TDMRs descend", descending, ST_NON_ORDERED_TDMR | ST_ANY_DETAIL },
	{ "reserved area not aligned", rsvd_unaligned, ST_INVALID_RESERVED_IN_TDMR | AT(0, 0, 0) },
	{ "size of reserved area not aligned", rsvd_size_unaligned,
	  ST_INVALID_RESERVED_IN_TDMR | AT(0, 1, 0) },
	{ "reserved area outside", rsvd_outside, ST_INVALID_RESERVED_IN_TDMR | AT(0, 0, 0) },
	{ "reserved area after null", rsvd_after_null,
	  ST_INVALID_RESERVED_IN_TDMR | ST_ANY_DETAIL },
	{ "reserved areas overlap", rsvd_overlap, ST_NON_ORDERED_RESERVED_IN_TDMR | AT(0, 1, 0) },
	{ "reserved areas descend", rsvd_descending,
	  ST_NON_ORDERED_RESERVED_IN_TDMR | AT(0, 1, 0) },
	{ "PAMT not aligned", pamt_unaligned, ST_INVALID_PAMT | ST_ANY_DETAIL },
	{ "PAMT size not aligned", pamt_size_unaligned, ST_INVALID_PAMT | ST_ANY_DETAIL },
	{ "1 GiB PAMT too small", pamt_1g_too_small, ST_INVALID_PAMT | ST_ANY_DETAIL },
	{ "2 MiB PAMT too small", pamt_2m_too_small, ST_INVALID_PAMT | ST_ANY_DETAIL },
	{ "4 KiB PAMT too small", pamt_4k_too_small, ST_INVALID_PAMT | ST_ANY_DETAIL },
	{ "PAMT outside CMRs", pamt_outside, ST_PAMT_OUTSIDE_CMRS | ST_ANY_DETAIL },
	{ "PAMTs overlap", pamt_over_pamt, ST_PAMT_OVERLAP | ST_ANY_DETAIL },
	{ "PAMT of another TDMR", pamt_of_other_tdmr, ST_PAMT_OVERLAP | ST_ANY_DETAIL },
	{ "PAMT in usable memory", pamt_in_usable_memory, ST_PAMT_OVERLAP | ST_ANY_DETAIL },
	{ "TDMR outside CMRs", outside_cmrs, ST_TDMR_OUTSIDE_CMRS | ST_ANY_DETAIL, true },
	{ "upper end outside CMRs", lower_end_reserved, ST_TDMR_OUTSIDE_CMRS | ST_ANY_DETAIL,
	  true },
};

static void describe_tdmr(const struct bad_tdmr *bad, char *desc)
{
	strscpy(desc, bad->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bad_tdmrs, bad_tdmrs, describe_tdmr);

/* Everything below 4 GiB, and two neighbours that make one range, with holes around it. */
static const struct tdx_sw_test_cmr narrow_cmrs[] = {
	{ 0, G(4) },
	{ G(64) + M(1), M(100) },
	{ G(64) + M(101), G(1) - M(102) },
};

static void bad_tdmr_is_refused(struct kunit *test)
{
	const struct bad_tdmr *bad = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	u64 status;

	swt_fresh_begin(t, 1);
	if (bad->cmr)
		tdx_sw_test_fresh_cmrs(narrow_cmrs, ARRAY_SIZE(narrow_cmrs));
	swt_fresh_lp_init(t);
	bad->spoil(t->fresh);
	swt_fresh_config_args(t, &args);
	status = swt_call(t, L_SYS_CONFIG, &args);
	if ((bad->want & ST_ANY_DETAIL) == ST_ANY_DETAIL)
		status |= ST_ANY_DETAIL;
	KUNIT_EXPECT_EQ(test, bad->want, status);
	t->m.key[0].state = KOT_RESERVED;
	swt_check(t);
}

static void holes_between_cmrs_are_reserved(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;

	swt_fresh_begin(t, 1);
	tdx_sw_test_fresh_cmrs(narrow_cmrs, ARRAY_SIZE(narrow_cmrs));
	swt_fresh_lp_init(t);
	use_far(t->fresh);
	rsvd_at(t->fresh, 0, 0, M(1));
	rsvd_at(t->fresh, 1, G(1) - M(1), M(1));
	swt_fresh_config_args(t, &args);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_CONFIG, &args));
}

/* ---- TDMR.INIT ---- */

static void tdmr_is_usable_when_its_gigabyte_is_done(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	unsigned int calls;
	u64 base, page;

	swt_fresh_begin(t, 1);
	swt_fresh_key_config(t);
	base = t->fresh->info[0].base;
	page = page_to_phys(swt_fresh_page(t));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_TDMR_INIT, SWT_ARGS(.rcx = base + G(1)));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_TDMR_INIT, SWT_ARGS(.rcx = base + M(4)));

	/* 4 MiB at a time */
	for (calls = 1; calls <= 256; calls++) {
		if (calls == 1 || calls == 256)
			swt_no(t, ST_OPERAND_ADDR_RANGE_ERROR | OP_RCX, L_PAGE_RDMD,
			       SWT_ARGS(.rcx = page));
		args = (struct tdx_module_args) { .rcx = base };
		KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_TDMR_INIT, &args));
		KUNIT_ASSERT_EQ(test, calls < 256 ? base : base + G(1), args.rdx);
	}
	swt_no(t, ST_TDMR_ALREADY_INITIALIZED | ST_ANY_DETAIL, L_SYS_TDMR_INIT,
	       SWT_ARGS(.rcx = base));
	swt_m_add_page(test, &t->m, page);
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	/* Its own PAMT is nobody's to give. */
	args = (struct tdx_module_args) { .rcx = t->fresh->info[0].pamt[0].base };
	if (args.rcx - base < G(1)) {
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_PAGE_RDMD, &args));
		KUNIT_EXPECT_EQ(test, (u64)PT_RSVD, args.rcx);
	}
}

static void tdmrs_are_initialised_one_by_one(struct kunit *test)
{
	struct tdx_sw_test_lock lock = { .class = TDX_SW_LOCK_TDMR, .excl = true };
	struct swt *t = swt_of(test);
	struct tdx_module_args args;

	swt_fresh_begin(t, 1);
	t->fresh->nr_tdmrs = 2;
	swt_fresh_key_config(t);
	lock.object = t->fresh->info[0].base;
	swt_lock(t, &lock);
	args = (struct tdx_module_args) { .rcx = lock.object };
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_SYS_TDMR_INIT, &args);
	KUNIT_EXPECT_EQ(test, 0ULL, args.rdx);
	/* The other one is not busy. */
	args = (struct tdx_module_args) { .rcx = t->fresh->info[1].base };
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_TDMR_INIT, &args));
	KUNIT_EXPECT_EQ(test, t->fresh->info[1].base, args.rdx);
}

/* ---- SYS.INFO ---- */

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
	KUNIT_EXPECT_EQ(test, 3ULL, *(u64 *)(info + 88));

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
	KUNIT_CASE(key_is_configured_in_every_package),
	KUNIT_CASE(failed_outputs_are_zero),
	KUNIT_CASE(sys_lock_is_tried),
	KUNIT_CASE(shutdown_knows_one_handoff_version),
	KUNIT_CASE(shutdown_waits_for_whoever_is_inside),
	KUNIT_CASE(config_operands_are_checked_in_order),
	KUNIT_CASE(global_key_stays_reserved),
	KUNIT_CASE_PARAM(bad_tdmr_is_refused, bad_tdmrs_gen_params),
	KUNIT_CASE(holes_between_cmrs_are_reserved),
	KUNIT_CASE(tdmr_is_usable_when_its_gigabyte_is_done),
	KUNIT_CASE(tdmrs_are_initialised_one_by_one),
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
