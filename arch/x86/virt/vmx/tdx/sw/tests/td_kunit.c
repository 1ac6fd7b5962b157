// SPDX-License-Identifier: GPL-2.0
/*
 * TDs: every leaf in every state of a TD, which of several violations is the
 * one that counts, and a life from the first page to the last.
 */
#include <linux/math64.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "fixture.h"

/* States of a TD; from S_BLOCKED on by what the teardown adds to RUNNABLE. */
enum td_state {
	S_ASSIGNED, S_KEYED, S_UNINITIALIZED, S_INITIALIZED, S_RUNNABLE, S_BLOCKED, S_TEARDOWN,
	S_FATAL, NR_STATES
};

static const char * const state_name[NR_STATES] = {
	"HKID_ASSIGNED", "KEYS_CONFIGURED", "UNINITIALIZED", "INITIALIZED", "RUNNABLE",
	"BLOCKED", "TEARDOWN", "FATAL",
};

static void build(struct swt *t, struct swt_std *std, enum td_state state)
{
	bool checked = t->checked;

	swt_std_build(t, std, 0, min_t(unsigned int, state, STAGE_RUNNABLE));
	t->checked = false;
	if (state == S_FATAL) {
		KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_set_fatal(std->td.tdr));
		swt_m_td(&t->m, std->td.tdr)->fatal = true;
	} else if (state >= S_BLOCKED) {
		swt_td_block(t, &std->td);
		if (state == S_TEARDOWN)
			swt_td_free_key(t, &std->td);
	}
	t->checked = checked;
}

/* Leaves with rules of their own. */
static u64 special_status(const struct sheet_leaf *leaf, enum td_state state)
{
	bool keyed = state >= S_KEYED && state <= S_RUNNABLE;

	switch (leaf->nr) {
	case L_MNG_KEY_CONFIG:
		if (state == S_FATAL)
			return ST_TD_FATAL;
		return state == S_ASSIGNED ? ST_SUCCESS : ST_LIFECYCLE_STATE_INCORRECT;
	case L_MNG_ADDCX:
		if (state == S_FATAL)
			return ST_TD_FATAL;
		if (!keyed)
			return ST_TD_KEYS_NOT_CONFIGURED;
		if (state <= S_UNINITIALIZED)
			return ST_SUCCESS;
		return ST_OP_STATE_INCORRECT |
		       (state == S_RUNNABLE ? OS_RUNNABLE : OS_INITIALIZED);
	case L_MNG_VPFLUSHDONE:
		/* With states that have a vCPU come associated ones. */
		if (state == S_BLOCKED || state == S_TEARDOWN)
			return ST_LIFECYCLE_STATE_INCORRECT;
		return state <= S_UNINITIALIZED ? ST_SUCCESS : ST_FLUSHVP_NOT_DONE;
	case L_MNG_KEY_FREEID:
		return state == S_BLOCKED ? ST_WBCACHE_NOT_COMPLETE : ST_LIFECYCLE_STATE_INCORRECT;
	default:
		/* VP.FLUSH */
		return keyed || state == S_FATAL ? ST_SUCCESS : ST_TD_KEYS_NOT_CONFIGURED;
	}
}

static u64 wanted_status(const struct sheet_leaf *leaf, enum td_state state)
{
	static const enum sheet_op_state op_state[] = {
		[S_UNINITIALIZED] = OS_UNINITIALIZED, [S_INITIALIZED] = OS_INITIALIZED,
		[S_RUNNABLE] = OS_RUNNABLE,
	};

	if (!(leaf->flags & LF_NEEDS_TDCS))
		return special_status(leaf, state);

	switch (state) {
	case S_FATAL:
		return ST_TD_FATAL;
	case S_ASSIGNED:
	case S_BLOCKED:
	case S_TEARDOWN:
		return ST_TD_KEYS_NOT_CONFIGURED;
	case S_KEYED:
		return ST_TDCS_NOT_ALLOCATED;
	default:
		break;
	}
	if (!(leaf->op_states & BIT(op_state[state])))
		return ST_OP_STATE_INCORRECT | op_state[state];
	/* A production TD's memory stays its own. */
	if (leaf->nr == L_MEM_RD || leaf->nr == L_MEM_WR)
		return ST_TD_NON_DEBUG | ST_ANY_DETAIL;
	return ST_SUCCESS;
}

struct cell {
	const struct sheet_leaf *leaf;
	enum td_state state;
};

/* Before TDH.MNG.INIT a TD has no vCPU to call a leaf with; entering is elsewhere. */
static bool is_cell(const struct cell *cell)
{
	switch (cell->leaf->td) {
	case TD_IN_NONE:
		return false;
	case TD_OF_RCX:
	case TD_OF_RDX:
		if (cell->state < S_INITIALIZED)
			return false;
		return cell->leaf->nr != L_VP_ENTER || cell->state != S_RUNNABLE;
	default:
		return true;
	}
}

static const void *next_cell(const void *prev, char *desc)
{
	static struct cell cell;
	static unsigned int idx;

	if (!prev)
		idx = 0;
	for (;; idx++) {
		cell.leaf = sheet_leaf_at(idx / NR_STATES);
		cell.state = idx % NR_STATES;
		if (!cell.leaf || is_cell(&cell))
			break;
	}
	idx++;
	if (!cell.leaf)
		return NULL;
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, TD %s", cell.leaf->name,
		  state_name[cell.state]);
	return &cell;
}

static void leaf_in_td_state(struct kunit *test)
{
	const struct cell *cell = test->param_value;
	u64 want = wanted_status(cell->leaf, cell->state);
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	build(t, &std, cell->state);
	if (want == ST_SUCCESS)
		swt_std_for(t, &std, cell->leaf->nr);
	swt_std_args(&std, cell->leaf->nr, &args);
	if (want == ST_SUCCESS)
		swt_ok(t, cell->leaf->nr, &args);
	else
		swt_no(t, want, cell->leaf->nr, &args);
}

/* ---- leaf x OP_STATE, those that only export and import lead to included ---- */

static const void *next_leaf_of_a_td(const void *prev, char *desc)
{
	static const struct sheet_leaf *leaf;
	static unsigned int idx;

	if (!prev)
		idx = 0;
	do {
		leaf = sheet_leaf_at(idx++);
	} while (leaf && !(leaf->op_states && leaf->td != TD_IN_NONE));
	if (leaf)
		strscpy(desc, leaf->name, KUNIT_PARAM_DESC_SIZE);
	return leaf;
}

/* Where it is legal the leaf gets past the check; how far is not this case's. */
static void op_state_lets_in_or_not(struct kunit *test)
{
	const struct sheet_leaf *leaf = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;
	u32 state;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	for (state = OS_UNINITIALIZED; state <= OS_FAILED_IMPORT; state++) {
		bool legal = leaf->op_states & BIT(state);

		kunit_info(test, "OP_STATE %u", state);
		KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_op_state(std.td.tdr, state));
		swt_std_args(&std, leaf->nr, &args);
		/* Looks at the page first, and may have taken the usual one. */
		if (leaf->nr == L_MNG_ADDCX)
			args.rcx = swt_page(t);
		if (!legal)
			swt_no(t, ST_OP_STATE_INCORRECT | state, leaf->nr, &args);
		else
			KUNIT_EXPECT_NE(test, ST_OP_STATE_INCORRECT,
					ST_CODE(swt_call(t, leaf->nr, &args)));
	}
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_op_state(std.td.tdr, OS_RUNNABLE));
}

/* ---- several violations at once ---- */

#define V_TDR_LOCK	BIT(0)
#define V_FATAL		BIT(1)
#define V_OP_LOCK	BIT(2)
#define V_PAGE_INFO	BIT(3)
#define V_SHARED_GPA	BIT(4)
#define V_TREE_LOCK	BIT(5)
#define V_WALK		BIT(6)
#define V_ENTRY_LOCK	BIT(7)
#define V_ENTRY_STATE	BIT(8)
#define V_PAGE		BIT(9)

struct violations {
	const char *what;
	u16 leaf;
	u16 bits;
	enum td_state state;
	u64 want;
};

static const struct violations violations[] = {
	{ "TDR locked, TD fatal", L_MEM_PAGE_AUG, V_TDR_LOCK | V_FATAL, S_RUNNABLE,
	  ST_OPERAND_BUSY | OP_RDX },
	{ "TD fatal, blocked", L_MEM_PAGE_AUG, V_FATAL, S_BLOCKED, ST_TD_FATAL },
	{ "TD fatal, no key", L_MNG_INIT, V_FATAL, S_ASSIGNED, ST_TD_FATAL },
	{ "no key, no TDCS", L_MNG_INIT, 0, S_ASSIGNED, ST_TD_KEYS_NOT_CONFIGURED },
	{ "TD fatal, OP_STATE locked", L_MEM_PAGE_AUG, V_FATAL | V_OP_LOCK, S_RUNNABLE,
	  ST_TD_FATAL },
	{ "TD blocked, OP_STATE locked", L_MEM_TRACK, V_OP_LOCK, S_BLOCKED,
	  ST_TD_KEYS_NOT_CONFIGURED },
	{ "OP_STATE locked, wrong", L_VP_CREATE, V_OP_LOCK, S_RUNNABLE,
	  ST_OPERAND_BUSY | OP_OP_STATE },
	{ "OP_STATE locked, bad GPA", L_MEM_PAGE_AUG, V_OP_LOCK | V_PAGE_INFO, S_RUNNABLE,
	  ST_OPERAND_BUSY | OP_OP_STATE },
	{ "OP_STATE wrong, bad GPA", L_MEM_PAGE_ADD, V_PAGE_INFO, S_RUNNABLE,
	  ST_OP_STATE_INCORRECT | OS_RUNNABLE },
	{ "bad GPA, tree locked", L_MEM_PAGE_AUG, V_PAGE_INFO | V_TREE_LOCK, S_RUNNABLE,
	  ST_OPERAND_INVALID | OP_RCX },
	{ "shared GPA, tree locked", L_MEM_PAGE_AUG, V_SHARED_GPA | V_TREE_LOCK, S_RUNNABLE,
	  ST_OPERAND_INVALID | OP_RCX },
	{ "tree locked, walk fails", L_MEM_PAGE_AUG, V_TREE_LOCK | V_WALK, S_RUNNABLE,
	  ST_OPERAND_BUSY | OP_SEPT_TREE },
	{ "walk fails, bad page", L_MEM_PAGE_AUG, V_WALK | V_PAGE, S_RUNNABLE,
	  ST_EPT_WALK_FAILED | OP_RCX },
	{ "entry locked, in use", L_MEM_PAGE_AUG, V_ENTRY_LOCK | V_ENTRY_STATE, S_RUNNABLE,
	  ST_OPERAND_BUSY | OP_RCX },
	{ "entry in use, bad page", L_MEM_PAGE_AUG, V_ENTRY_STATE | V_PAGE, S_RUNNABLE,
	  ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX },
	{ "entry in use, bad page, add", L_MEM_PAGE_ADD, V_ENTRY_STATE | V_PAGE, S_INITIALIZED,
	  ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX },
	{ "entry in use, bad table", L_MEM_SEPT_ADD, V_ENTRY_STATE | V_PAGE, S_RUNNABLE,
	  ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX },
};

/* Unlike others TDH.MNG.ADDCX looks at what it is given first. */
static void addcx_checks_number_and_page_before_op_state(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td, full;
	u64 page = swt_page(t);
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_no(t, ST_OP_STATE_INCORRECT | OS_INITIALIZED, L_MNG_ADDCX,
	       SWT_ARGS(.rcx = page, .rdx = td.tdr));
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_MNG_ADDCX,
	       SWT_ARGS(.rcx = td.tdcx[0], .rdx = td.tdr));

	swt_td_build(t, &full, 1, STAGE_UNINITIALIZED);
	for (i = MIN_TDCX; i < MAX_TDCX; i++)
		swt_ok(t, L_MNG_ADDCX, SWT_ARGS(.rcx = swt_page(t), .rdx = full.tdr));
	swt_td_init(t, &full);
	swt_no(t, ST_TDCX_NUM_INCORRECT, L_MNG_ADDCX, SWT_ARGS(.rcx = page, .rdx = full.tdr));
}

static void describe_violations(const struct violations *v, char *desc)
{
	strscpy(desc, v->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(violations, violations, describe_violations);

static void hold_locks(struct swt *t, u64 tdr, const struct violations *v, u64 rcx)
{
	if (v->bits & V_TDR_LOCK)
		swt_lock(t, &(struct tdx_sw_test_lock) {
			.class = TDX_SW_LOCK_TDR, .object = tdr, .excl = true });
	if (v->bits & V_OP_LOCK)
		swt_lock(t, &(struct tdx_sw_test_lock) {
			.class = TDX_SW_LOCK_OP_STATE, .object = tdr, .excl = true });
	if (v->bits & V_TREE_LOCK)
		swt_lock(t, &(struct tdx_sw_test_lock) {
			.class = TDX_SW_LOCK_SEPT_TREE, .object = tdr, .excl = true });
	if (v->bits & V_ENTRY_LOCK)
		swt_lock(t, &(struct tdx_sw_test_lock) {
			.class = TDX_SW_LOCK_SEPT_ENTRY, .object = tdr, .gpa = rcx & ~7ULL,
			.level = rcx & 7 });
}

static void first_violation_counts(struct kunit *test)
{
	const struct violations *v = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;
	bool sept_add = v->leaf == L_MEM_SEPT_ADD;

	build(t, &std, v->state);
	swt_std_args(&std, v->leaf, &args);
	if (v->bits & V_FATAL) {
		KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_fatal(std.td.tdr));
		swt_m_td(&t->m, std.td.tdr)->fatal = true;
	}
	if (v->bits & V_PAGE_INFO)
		args.rcx |= BIT_ULL(63);
	if (v->bits & V_SHARED_GPA)
		args.rcx |= BIT_ULL(tdx_sw_gpa_width() - 1);
	if (v->bits & V_WALK)
		args.rcx = STD_NO_TABLE;
	if (v->bits & V_ENTRY_STATE)
		args.rcx = sept_add ? STD_EMPTY_TABLE | 1 : STD_MAPPED;
	if (v->bits & V_PAGE)
		args.r8 = std.mapped | 1;

	hold_locks(t, std.td.tdr, v, args.rcx);
	swt_no(t, v->want, v->leaf, &args);
	swt_unlock_all(t);
	swt_check(t);
}

/* ---- life ---- */

/* Every page but the TDR, in an order that is neither that of giving nor its reverse. */
static void reclaim_children(struct swt *t)
{
	unsigned int i, n = t->m.nr_pages;

	for (i = 0; i < n; i++) {
		struct model_page *page = &t->m.page[i * 7 % n];

		if (page->type != PT_NDA && page->type != PT_TDR)
			swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = page->pa));
	}
	for (i = 0; i < n; i++) {
		if (t->m.page[i].type != PT_NDA && t->m.page[i].type != PT_TDR)
			swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = t->m.page[i].pa));
	}
}

static void td_lives_from_tdr_to_tdr(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 hkid_bits = (u64)t->m.first_key << tdx_sw_keyid_shift();

	swt_td_create(t, &td, 0);
	swt_td_config_key(t, &td);
	swt_td_add_tdcx(t, &td);
	swt_td_init(t, &td);
	swt_add(t, &td, 0);
	swt_ok(t, L_MR_EXTEND, SWT_ARGS(.rcx = 0x100, .rdx = td.tdr));
	td.vcpu = swt_vcpu_add(t, &td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));
	swt_aug(t, &td, 0x5000);
	swt_td_block(t, &td);
	swt_td_free_key(t, &td);
	swt_no(t, ST_TD_ASSOCIATED_PAGES_EXIST | ST_ANY_DETAIL, L_PAGE_RECLAIM,
	       SWT_ARGS(.rcx = td.tdr));
	reclaim_children(t);
	KUNIT_EXPECT_EQ(test, 0ULL, swt_m_td(&t->m, td.tdr)->chldcnt);
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = td.tdr));
	swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = td.tdr | hkid_bits));
}

static void td_without_keys_can_be_destroyed(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_create(t, &td, 0);
	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td.tdr));
	swt_td_free_key(t, &td);
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = td.tdr));
}

static void fatal_td_can_be_destroyed(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std std;

	build(t, &std, S_FATAL);
	swt_no(t, ST_FLUSHVP_NOT_DONE | ST_ANY_DETAIL, L_MNG_VPFLUSHDONE,
	       SWT_ARGS(.rcx = std.td.tdr));
	swt_td_block(t, &std.td);
	swt_td_free_key(t, &std.td);
	t->checked = false;
	reclaim_children(t);
	t->checked = true;
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = std.td.tdr));
}

static void tdcx_count_has_its_limits(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_KEYED);
	for (i = 0; i < MIN_TDCX; i++) {
		swt_no(t, ST_TDCS_NOT_ALLOCATED | ST_ANY_DETAIL, L_MNG_INIT,
		       SWT_ARGS(.rcx = td.tdr, .rdx = td.params));
		swt_ok(t, L_MNG_ADDCX, SWT_ARGS(.rcx = swt_page(t), .rdx = td.tdr));
	}
	for (; i < MAX_TDCX; i++)
		swt_ok(t, L_MNG_ADDCX, SWT_ARGS(.rcx = swt_page(t), .rdx = td.tdr));
	swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_MNG_ADDCX,
	       SWT_ARGS(.rcx = swt_page(t), .rdx = td.tdr));
	swt_td_init(t, &td);
}

static void finalize_needs_a_vcpu(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_no(t, ST_NO_VCPUS | ST_ANY_DETAIL, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));
	/* One that is not initialised does not count. */
	swt_vcpu_create(t, &td, MIN_TDVPS);
	swt_no(t, ST_NO_VCPUS | ST_ANY_DETAIL, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));
	swt_vcpu_add(t, &td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));
}

/* Whatever one TD does, the model says that the other one stays as it is. */
static void two_tds_live_side_by_side(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std a;
	struct swt_td b;

	build(t, &a, S_RUNNABLE);
	swt_td_create(t, &b, 1);
	swt_td_config_key(t, &b);
	swt_td_add_tdcx(t, &b);
	swt_td_init(t, &b);
	swt_aug(t, &b, STD_MAPPED);
	swt_block(t, &b, STD_MAPPED, 0);
	swt_track(t, &b);
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_R8, L_MEM_PAGE_AUG,
	       SWT_ARGS(.rcx = 0x6000, .rdx = b.tdr, .r8 = a.mapped));
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = STD_MAPPED, .rdx = b.tdr));
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = STD_BLOCKED, .rdx = a.td.tdr));
	swt_td_block(t, &b);
	swt_td_free_key(t, &b);
	swt_aug(t, &a.td, 0x7000);
}

static void reclaimid_is_left_over_and_does_nothing(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_no(t, ST_SUCCESS, L_MNG_KEY_RECLAIMID, SWT_ARGS(.rcx = td.tdr));
	swt_no(t, ST_SUCCESS, L_MNG_KEY_RECLAIMID, SWT_ARGS(.rcx = ~0ULL));
}

static void init_starts_epoch_and_measurement(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_td_info info;
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_td(td.tdr, &info));
	KUNIT_EXPECT_EQ(test, 1ULL, info.epoch);
	KUNIT_EXPECT_EQ(test, 0U, info.num_vcpus);
	KUNIT_EXPECT_EQ(test, (u64)MIN_TDCX, info.chldcnt);
}

static u64 field_of(struct swt *t, struct swt_td *td, u64 id)
{
	struct tdx_module_args args = { .rcx = td->tdr, .rdx = id };

	swt_ok(t, L_MNG_RD, &args);
	return args.r8;
}

#define FIELD_TSC_OFFSET	0x111000030000000aULL
#define FIELD_TSC_MULTIPLIER	0x111000030000000bULL
#define TSC_UNIT_KHZ		25000U
#define TSC_UNITS		40U

/* At the rate that the TD's parameters ask for. */
static void virtual_tsc_is_0_when_the_td_is_initialised(struct kunit *test)
{
	u64 before, after, offset, multiplier, khz = TSC_UNITS * TSC_UNIT_KHZ, second;
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	*(u16 *)(swt_va(td.params) + PARAMS_TSC_FREQUENCY) = TSC_UNITS;
	before = rdtsc_ordered();
	swt_td_init(t, &td);
	after = rdtsc_ordered();
	offset = field_of(t, &td, FIELD_TSC_OFFSET);
	multiplier = field_of(t, &td, FIELD_TSC_MULTIPLIER);
	KUNIT_EXPECT_LE(test, (s64)(mul_u64_u64_shr(before, multiplier, 48) + offset), 0LL);
	KUNIT_EXPECT_GE(test, (s64)(mul_u64_u64_shr(after, multiplier, 48) + offset), 0LL);

	/* Where the kernel has no rate it is the TD's; it may refine it by 1 % meanwhile. */
	second = mul_u64_u64_shr((tsc_khz ?: khz) * 1000, multiplier, 48);
	KUNIT_EXPECT_GE(test, second, khz * 990);
	KUNIT_EXPECT_LE(test, second, khz * 1010);
}

/* By their order: MSR exits, all of them; the root of the S-EPT; an empty EPT. */
static void control_pages_have_their_roles(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;
	u64 *entry;

	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	KUNIT_EXPECT_NULL(test, memchr_inv(swt_va(td.tdcx[2]), 0xff, PAGE_SIZE));
	entry = swt_va(td.tdcx[3]);
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ_MSG(test, 0x80e0000000000000ULL, entry[i], "entry %u", i);
	KUNIT_EXPECT_NULL(test, memchr_inv(swt_va(td.tdcx[4]), 0, PAGE_SIZE));
}

static struct kunit_case td_cases[] = {
	KUNIT_CASE_PARAM(leaf_in_td_state, next_cell),
	KUNIT_CASE_PARAM(op_state_lets_in_or_not, next_leaf_of_a_td),
	KUNIT_CASE_PARAM(first_violation_counts, violations_gen_params),
	KUNIT_CASE(addcx_checks_number_and_page_before_op_state),
	KUNIT_CASE(td_lives_from_tdr_to_tdr),
	KUNIT_CASE(td_without_keys_can_be_destroyed),
	KUNIT_CASE(fatal_td_can_be_destroyed),
	KUNIT_CASE(tdcx_count_has_its_limits),
	KUNIT_CASE(finalize_needs_a_vcpu),
	KUNIT_CASE(two_tds_live_side_by_side),
	KUNIT_CASE(reclaimid_is_left_over_and_does_nothing),
	KUNIT_CASE(init_starts_epoch_and_measurement),
	KUNIT_CASE(virtual_tsc_is_0_when_the_td_is_initialised),
	KUNIT_CASE(control_pages_have_their_roles),
	{}
};

static struct kunit_suite td_suite = {
	.name = "tdx_sw_td",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = td_cases,
};

kunit_test_suite(td_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: TDs");
MODULE_LICENSE("GPL");
