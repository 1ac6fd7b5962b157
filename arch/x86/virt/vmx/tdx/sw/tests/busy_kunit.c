// SPDX-License-Identifier: GPL-2.0
/*
 * Locks are tried, never waited for: every leaf with every lock held by somebody
 * else, exclusively and shared, and with a vCPU inside the TD. Conflicts are a
 * busy status that names the right operand and changes nothing; a lock that a
 * leaf does not need, or shares, does not disturb it.
 */
#include "fixture.h"

enum kind {
	K_TDR, K_VCPU, K_OP_STATE, K_TREE, K_ENTRY, K_NEW_PAGE, K_OLD_PAGE, K_EPOCH, K_INSIDE,
	NR_KINDS
};

static const char * const kind_name[NR_KINDS] = {
	"TDR", "TDVPR", "OP_STATE", "S-EPT tree", "S-EPT entry", "new page", "old page",
	"epoch", "vCPU inside",
};

struct contest {
	const struct sheet_leaf *leaf;
	enum kind kind;
};

static bool takes_page(unsigned int nr)
{
	return nr == L_MEM_PAGE_ADD || nr == L_MEM_SEPT_ADD || nr == L_MEM_PAGE_AUG ||
	       nr == L_MEM_PAGE_RELOCATE || nr == L_MEM_PAGE_DEMOTE || nr == L_MNG_ADDCX ||
	       nr == L_VP_CREATE || nr == L_VP_ADDCX;
}

/* The large page that DEMOTE locks last is in large_kunit.c. */
static bool gives_page(unsigned int nr)
{
	return nr == L_MEM_PAGE_REMOVE || nr == L_MEM_SEPT_REMOVE ||
	       nr == L_MEM_PAGE_RELOCATE || nr == L_MEM_PAGE_PROMOTE;
}

/* How the leaf wants the lock. */
static enum sheet_lock_mode mode(const struct contest *c)
{
	const struct sheet_leaf *leaf = c->leaf;

	switch (c->kind) {
	case K_TDR:
		return leaf->tdr;
	case K_VCPU:
		return leaf->vcpu;
	case K_OP_STATE:
		return leaf->op_state;
	case K_TREE:
		return leaf->tree;
	case K_ENTRY:
		return leaf->flags & LF_SEPT_ENTRY ? LM_EXCL : LM_NONE;
	case K_NEW_PAGE:
		return takes_page(leaf->nr) ? LM_EXCL : LM_NONE;
	case K_OLD_PAGE:
		return gives_page(leaf->nr) ? LM_EXCL : LM_NONE;
	case K_EPOCH:
		return leaf->nr == L_MEM_TRACK ? LM_EXCL : LM_NONE;
	default:
		/* A vCPU inside shares TDR and TDVPR, and nothing else. */
		return leaf->tdr == LM_EXCL || leaf->vcpu == LM_EXCL ? LM_EXCL : LM_SHARED;
	}
}

static u64 operand(const struct contest *c)
{
	bool rcx = c->leaf->td == TD_IN_RCX || c->leaf->td == TD_OF_RCX;
	bool by_vcpu = c->leaf->td == TD_OF_RCX || c->leaf->td == TD_OF_RDX;

	switch (c->kind) {
	case K_TDR:
		return by_vcpu ? OP_TDR : rcx ? OP_RCX : OP_RDX;
	case K_INSIDE:
		/* The TDVPR, if it is wanted, comes before the TDR. */
		return rcx ? OP_RCX : OP_RDX;
	case K_VCPU:
		return rcx ? OP_RCX : OP_RDX;
	case K_OP_STATE:
		return OP_OP_STATE;
	case K_TREE:
		return OP_SEPT_TREE;
	case K_NEW_PAGE:
		return c->leaf->flags & LF_SEPT ? OP_R8 : OP_RCX;
	case K_EPOCH:
		return OP_TD_EPOCH;
	default:
		return OP_RCX;
	}
}

/* A state in which the leaf is legal. */
static enum swt_stage stage_of(const struct sheet_leaf *leaf)
{
	if (leaf->nr == L_MNG_KEY_CONFIG)
		return STAGE_ASSIGNED;
	if (leaf->nr == L_MNG_VPFLUSHDONE || leaf->nr == L_MNG_KEY_FREEID ||
	    leaf->op_states == BIT(OS_UNINITIALIZED))
		return STAGE_UNINITIALIZED;
	if (!leaf->op_states || leaf->op_states & BIT(OS_RUNNABLE))
		return STAGE_RUNNABLE;
	return STAGE_INITIALIZED;
}

static bool is_contest(const struct contest *c)
{
	enum swt_stage stage = stage_of(c->leaf);

	if (c->leaf->td == TD_IN_NONE || c->leaf->nr == L_VP_ENTER)
		return false;
	switch (c->kind) {
	case K_ENTRY:
	case K_NEW_PAGE:
	case K_OLD_PAGE:
		return mode(c) != LM_NONE;
	case K_VCPU:
		return c->leaf->vcpu != LM_NONE;
	case K_INSIDE:
		/* What fields of a vCPU inside can be read is another matter. */
		return stage == STAGE_RUNNABLE && c->leaf->nr != L_VP_RD &&
		       c->leaf->nr != L_VP_WR;
	case K_TDR:
		return true;
	default:
		return stage >= STAGE_INITIALIZED;
	}
}

static const void *next_contest(const void *prev, char *desc)
{
	static struct contest c;
	static unsigned int idx;

	if (!prev)
		idx = 0;
	for (;; idx++) {
		c.leaf = sheet_leaf_at(idx / NR_KINDS);
		c.kind = idx % NR_KINDS;
		if (!c.leaf || is_contest(&c))
			break;
	}
	idx++;
	if (!c.leaf)
		return NULL;
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s against %s", c.leaf->name,
		  kind_name[c.kind]);
	return &c;
}

static void hold(struct swt *t, const struct contest *c, struct swt_std *std,
		 const struct tdx_module_args *args, bool excl)
{
	struct tdx_sw_test_lock lock = { .excl = excl, .object = std->td.tdr };
	struct model_entry *e;

	switch (c->kind) {
	case K_TDR:
		lock.class = TDX_SW_LOCK_TDR;
		break;
	case K_VCPU:
		lock.class = TDX_SW_LOCK_TDVPR;
		lock.object = c->leaf->td == TD_OF_RCX ? args->rcx : args->rdx;
		break;
	case K_OP_STATE:
		lock.class = TDX_SW_LOCK_OP_STATE;
		break;
	case K_TREE:
		lock.class = TDX_SW_LOCK_SEPT_TREE;
		break;
	case K_ENTRY:
		lock.class = TDX_SW_LOCK_SEPT_ENTRY;
		lock.gpa = args->rcx & ~7ULL;
		lock.level = args->rcx & 7;
		break;
	case K_NEW_PAGE:
		lock.class = TDX_SW_LOCK_PAGE;
		lock.object = std->spare;
		break;
	case K_OLD_PAGE:
		lock.class = TDX_SW_LOCK_PAGE;
		e = swt_m_entry(&t->m, std->td.tdr, args->rcx & ~7ULL, args->rcx & 7);
		lock.object = e->hpa;
		break;
	case K_EPOCH:
		lock.class = TDX_SW_LOCK_TD_EPOCH;
		break;
	default:
		swt_enter(t, std->td.vcpu);
		return;
	}
	swt_lock(t, &lock);
}

static void release(struct swt *t, const struct contest *c, struct swt_std *std)
{
	if (c->kind == K_INSIDE)
		swt_leave(t, std->td.vcpu);
	else
		swt_unlock_all(t);
}

static void build(struct swt *t, const struct contest *c, struct swt_std *std)
{
	t->checked = false;
	swt_std_build(t, std, 0, stage_of(c->leaf));
	swt_std_for(t, std, c->leaf->nr);
	if (c->leaf->nr == L_MNG_KEY_FREEID) {
		swt_td_block(t, &std->td);
		swt_write_back(t);
	}
	t->checked = true;
}

static void ends_well(struct swt *t, const struct contest *c, struct swt_std *std)
{
	struct tdx_module_args args;

	swt_std_args(std, c->leaf->nr, &args);
	if (c->leaf->nr == L_MEM_RD || c->leaf->nr == L_MEM_WR)
		swt_no(t, ST_TD_NON_DEBUG | ST_ANY_DETAIL, c->leaf->nr, &args);
	else
		swt_ok(t, c->leaf->nr, &args);
}

/* The entry is described when it is the entry that is busy. */
static void check_busy_detail(struct swt *t, const struct contest *c, struct swt_std *std,
			      const struct tdx_module_args *in,
			      const struct tdx_module_args *args)
{
	struct model_entry *e;
	u8 state;

	if (!(c->leaf->flags & LF_SEPT) || c->kind == K_OLD_PAGE)
		return;
	if (c->kind != K_ENTRY) {
		KUNIT_EXPECT_EQ(t->test, 0ULL, args->rcx);
		KUNIT_EXPECT_EQ(t->test, 0ULL, args->rdx);
		return;
	}
	e = swt_m_entry(&t->m, std->td.tdr, in->rcx & ~7ULL, in->rcx & 7);
	state = e ? e->state : SE_FREE;
	KUNIT_EXPECT_EQ(t->test, sheet_entry(state, e ? e->hpa : 0), args->rcx);
	KUNIT_EXPECT_EQ(t->test, sheet_level_state(in->rcx & 7, state), args->rdx);
}

static void lock_is_respected(struct kunit *test)
{
	const struct contest *c = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args, in;
	struct swt_std std;
	unsigned int i;

	build(t, c, &std);
	/* Being inside is shared by nature, an entry lock exclusive. */
	for (i = c->kind == K_INSIDE; i < (c->kind == K_ENTRY ? 1 : 2); i++) {
		bool excl = !i, conflict = mode(c) == LM_EXCL || (mode(c) == LM_SHARED && excl);

		swt_std_args(&std, c->leaf->nr, &args);
		in = args;
		hold(t, c, &std, &args, excl);
		if (!conflict) {
			ends_well(t, c, &std);
			release(t, c, &std);
			swt_check(t);
			return;
		}
		swt_no(t, ST_OPERAND_BUSY | operand(c), c->leaf->nr, &args);
		check_busy_detail(t, c, &std, &in, &args);
		release(t, c, &std);
		swt_check(t);
	}
	/* Nothing but the lock was in the way. */
	ends_well(t, c, &std);
}

/* ---- host priority ---- */

static u16 lock_word(struct kunit *test, u64 pa)
{
	struct tdx_sw_page_info info;

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_page(pa, &info));
	return info.lock;
}

static void failed_attempt_on_a_page_leaves_a_mark_until_the_next(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	KUNIT_EXPECT_EQ(test, (u16)0, lock_word(test, std.spare));
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_PAGE, .object = std.spare, .excl = true });
	swt_std_args(&std, L_MEM_PAGE_AUG, &args);
	swt_no(t, ST_OPERAND_BUSY | OP_R8, L_MEM_PAGE_AUG, &args);
	swt_unlock_all(t);
	/* Releasing keeps it. */
	KUNIT_EXPECT_NE(test, (u16)0, lock_word(test, std.spare));
	swt_std_args(&std, L_MEM_PAGE_AUG, &args);
	swt_ok(t, L_MEM_PAGE_AUG, &args);
	KUNIT_EXPECT_EQ(test, (u16)0, lock_word(test, std.spare));
}

/* Bit 52 of the entry, which nobody but the guest side looks at. */
static void failed_attempt_on_an_entry_leaves_a_mark_until_the_next(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_sept_info info;
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_SEPT_ENTRY, .object = std.td.tdr, .gpa = STD_MAPPED });
	swt_std_args(&std, L_MEM_RANGE_BLOCK, &args);
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_MEM_RANGE_BLOCK, &args);
	swt_unlock_all(t);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_sept(std.td.tdr, STD_MAPPED, 0, &info));
	KUNIT_EXPECT_TRUE(test, info.raw & BIT_ULL(52));
	swt_ok(t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = STD_MAPPED, .rdx = std.td.tdr));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_sept(std.td.tdr, STD_MAPPED, 0, &info));
	KUNIT_EXPECT_FALSE(test, info.raw & BIT_ULL(52));
	/* And after a call that changes it */
	swt_std_args(&std, L_MEM_RANGE_BLOCK, &args);
	swt_ok(t, L_MEM_RANGE_BLOCK, &args);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_sept(std.td.tdr, STD_MAPPED, 0, &info));
	KUNIT_EXPECT_FALSE(test, info.raw & (BIT_ULL(52) | BIT_ULL(11)));
}

static u16 tree_lock_word(struct kunit *test, u64 tdr)
{
	struct tdx_sw_td_info info;

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_td(tdr, &info));
	return info.sept_lock;
}

/* So does the lock of the tree, for whoever polls it while working on one. */
static void failed_attempt_on_the_tree_leaves_a_mark_until_the_next(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_SEPT_TREE, .object = std.td.tdr, .excl = true });
	swt_std_args(&std, L_MEM_RANGE_BLOCK, &args);
	swt_no(t, ST_OPERAND_BUSY | OP_SEPT_TREE, L_MEM_RANGE_BLOCK, &args);
	swt_unlock_all(t);
	KUNIT_EXPECT_NE(test, (u16)0, tree_lock_word(test, std.td.tdr));
	swt_std_args(&std, L_MEM_RANGE_BLOCK, &args);
	swt_ok(t, L_MEM_RANGE_BLOCK, &args);
	KUNIT_EXPECT_EQ(test, (u16)0, tree_lock_word(test, std.td.tdr));
}

/* ---- pages without a TD ---- */

static void page_leaves_respect_the_page_lock(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);
	struct tdx_sw_test_lock lock = {
		.class = TDX_SW_LOCK_PAGE, .object = page, .excl = true,
	};

	swt_lock(t, &lock);
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_WBINVD, SWT_ARGS(.rcx = page));
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RECLAIM, SWT_ARGS(.rcx = page));
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_MNG_CREATE,
	       SWT_ARGS(.rcx = page, .rdx = swt_key(t, 0)));
	swt_unlock_all(t);

	lock.excl = false;
	swt_lock(t, &lock);
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = page));
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RECLAIM, SWT_ARGS(.rcx = page));
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_MNG_CREATE,
	       SWT_ARGS(.rcx = page, .rdx = swt_key(t, 0)));
	swt_unlock_all(t);

	/* On the way to a page that an operand names the upper entries are shared. */
	lock.excl = true;
	for (lock.level = 1; lock.level <= 2; lock.level++) {
		swt_lock(t, &lock);
		swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
		swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_WBINVD, SWT_ARGS(.rcx = page));
		swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RECLAIM, SWT_ARGS(.rcx = page));
		swt_unlock_all(t);
	}
	swt_check(t);
}

/* Entering wants TDVPR and TDR shared, OP_STATE shared while it lasts. */
static void enter_respects_locks(struct kunit *test)
{
	struct tdx_sw_test_lock locks[] = {
		{ .class = TDX_SW_LOCK_TDVPR }, { .class = TDX_SW_LOCK_TDR },
		{ .class = TDX_SW_LOCK_OP_STATE },
	};
	static const u64 want[] = { OP_RCX, OP_TDR, OP_OP_STATE };
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(locks); i++) {
		locks[i].object = i ? td.tdr : td.vcpu;
		locks[i].excl = true;
		swt_lock(t, &locks[i]);
		swt_no(t, ST_OPERAND_BUSY | want[i], L_VP_ENTER, SWT_ARGS(.rcx = td.vcpu));
		KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | want[i],
				tdx_sw_test_vcpu_enter(td.vcpu));
		swt_unlock_all(t);
		swt_check(t);

		locks[i].excl = false;
		swt_lock(t, &locks[i]);
		swt_enter(t, td.vcpu);
		swt_unlock_all(t);
		t->m.held = true;
		swt_leave(t, td.vcpu);
	}
}

static struct kunit_case busy_cases[] = {
	KUNIT_CASE_PARAM(lock_is_respected, next_contest),
	KUNIT_CASE(failed_attempt_on_a_page_leaves_a_mark_until_the_next),
	KUNIT_CASE(failed_attempt_on_an_entry_leaves_a_mark_until_the_next),
	KUNIT_CASE(failed_attempt_on_the_tree_leaves_a_mark_until_the_next),
	KUNIT_CASE(page_leaves_respect_the_page_lock),
	KUNIT_CASE(enter_respects_locks),
	{}
};

static struct kunit_suite busy_suite = {
	.name = "tdx_sw_busy",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = busy_cases,
};

kunit_test_suite(busy_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: locks");
MODULE_LICENSE("GPL");
