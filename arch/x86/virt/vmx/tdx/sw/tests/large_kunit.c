// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of 2 MiB: every call in every state of an entry at that level, with the TD
 * runnable or not and the block tracked or not; what the page operand of PAGE.AUG has
 * to be; PAGE.DEMOTE, PROMOTE and RELOCATE in detail; the content of pages.
 */
#include "fixture.h"

#define GPA		STD_LARGE

enum column {
	C_FREE, C_MAPPED, C_BLOCKED, C_PENDING, C_PENDING_BLOCKED, C_NL_MAPPED, C_NL_BLOCKED,
	NR_COLUMNS
};

static const u8 column_state[NR_COLUMNS] = {
	SE_FREE, SE_MAPPED, SE_BLOCKED, SE_PENDING, SE_PENDING_BLOCKED, SE_NL_MAPPED,
	SE_NL_BLOCKED,
};

static const char * const column_name[NR_COLUMNS] = {
	"FREE", "MAPPED", "BLOCKED", "PENDING", "PENDING_BLOCKED", "NL_MAPPED", "NL_BLOCKED",
};

static bool is_table(enum column col)
{
	return col >= C_NL_MAPPED;
}

static bool is_blocked(enum column col)
{
	return col == C_BLOCKED || col == C_PENDING_BLOCKED || col == C_NL_BLOCKED;
}

/* ---- calls x states ---- */

enum cell {
	NO,		/* state error */
	OK,
	BT,		/* runnable TD: needs a blocked kind, and tracked */
	TR,		/* runnable TD: tracked */
	IN,		/* information: already blocked */
	NF,		/* as BT, but then the table is not free */
};

struct row {
	const char *what;
	u32 leaf;
	u8 cell[NR_COLUMNS];
};

/* Tables have the 512 parts of a page. */
static const struct row rows[] = {
	{ "SEPT.ADD", L_MEM_SEPT_ADD,		{ OK, NO, NO, NO, NO, NO, NO } },
	{ "PAGE.AUG", L_MEM_PAGE_AUG,		{ OK, NO, NO, NO, NO, NO, NO } },
	{ "RANGE.BLOCK", L_MEM_RANGE_BLOCK,	{ NO, OK, IN, OK, IN, OK, IN } },
	{ "RANGE.UNBLOCK", L_MEM_RANGE_UNBLOCK,	{ NO, NO, TR, NO, TR, NO, TR } },
	{ "PAGE.REMOVE", L_MEM_PAGE_REMOVE,	{ NO, BT, BT, BT, BT, NO, NO } },
	{ "SEPT.REMOVE", L_MEM_SEPT_REMOVE,	{ NO, NO, NO, NO, NO, NF, NF } },
	{ "PAGE.DEMOTE", L_MEM_PAGE_DEMOTE,	{ NO, BT, BT, BT, BT, NO, NO } },
	{ "PAGE.PROMOTE", L_MEM_PAGE_PROMOTE,	{ NO, NO, NO, NO, NO, BT, BT } },
	{ "SEPT.RD", L_MEM_SEPT_RD,		{ OK, OK, OK, OK, OK, OK, OK } },
};

struct variant {
	const struct row *row;
	enum column col;
	bool runnable;
	bool tracked;
};

static const void *next_variant(const void *prev, char *desc)
{
	static struct variant v;
	static unsigned int idx;
	unsigned int n;

	if (!prev)
		idx = 0;
	n = idx / 4;
	if (n == ARRAY_SIZE(rows) * NR_COLUMNS)
		return NULL;
	v = (struct variant) {
		&rows[n / NR_COLUMNS], n % NR_COLUMNS, idx & 2, idx & 1,
	};
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s of %s, TD %srunnable%s", v.row->what,
		  column_name[v.col], v.runnable ? "" : "not ", v.tracked ? ", tracked" : "");
	idx++;
	return &v;
}

/* The guest has accepted all of it: written into the entry, as no guest runs here. */
static void map_large(struct swt *t, struct swt_td *td, u64 gpa)
{
	struct model_entry *e = swt_m_entry(&t->m, td->tdr, gpa, 1);

	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_set_sept(td->tdr, gpa, 1,
							 sheet_entry(SE_MAPPED, e->hpa)));
	e->state = SE_MAPPED;
}

/* The entry at GPA, in a state. */
static void build_entry(struct swt *t, struct swt_td *td, enum column col, bool tracked)
{
	swt_tables(t, td, GPA, 1);
	if (col == C_FREE)
		return;
	if (is_table(col)) {
		swt_aug_parts(t, td, GPA);
	} else {
		swt_aug_large(t, td, GPA);
		if (col == C_MAPPED || col == C_BLOCKED)
			map_large(t, td, GPA);
	}
	if (is_blocked(col))
		swt_block(t, td, GPA, 1);
	if (tracked)
		swt_track(t, td);
}

static void build(struct swt *t, struct swt_td *td, const struct variant *v)
{
	t->checked = false;
	swt_td_build(t, td, 0, v->runnable ? STAGE_RUNNABLE : STAGE_INITIALIZED);
	build_entry(t, td, v->col, v->tracked);
	t->checked = true;
	swt_check(t);
	KUNIT_ASSERT_EQ(t->test, column_state[v->col], swt_m_state(&t->m, td->tdr, GPA, 1));
}

static u64 wanted(const struct variant *v)
{
	u8 cell = v->row->cell[v->col];

	switch (cell) {
	case OK:
		return ST_SUCCESS;
	case BT:
	case NF:
	case TR:
		if (cell != TR && v->runnable && !is_blocked(v->col))
			return ST_GPA_RANGE_NOT_BLOCKED | OP_RCX;
		if (v->runnable && !v->tracked)
			return ST_TLB_TRACKING_NOT_DONE | OP_RCX;
		return cell == NF ? ST_EPT_PAGE_NOT_FREE | OP_RCX : ST_SUCCESS;
	case IN:
		return ST_GPA_RANGE_ALREADY_BLOCKED | OP_RCX;
	default:
		return ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX;
	}
}

static void call_in_entry_state(struct kunit *test)
{
	const struct variant *v = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_td td;

	build(t, &td, v);
	args = (struct tdx_module_args) {
		.rcx = GPA | 1, .rdx = td.tdr,
		.r8 = v->row->leaf == L_MEM_PAGE_AUG ? swt_large(t) : swt_page(t),
	};
	if (wanted(v) == ST_SUCCESS)
		swt_ok(t, v->row->leaf, &args);
	else
		swt_no(t, wanted(v), v->row->leaf, &args);
}

/* Neither through a large page, nor at a size that is not the entry's. */
static void size_has_to_be_that_of_the_entry(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 parts = GPA + SZ_2M;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	t->checked = false;
	swt_aug_large(t, &td, GPA);
	swt_aug_parts(t, &td, parts);
	t->checked = true;
	swt_no(t, ST_EPT_WALK_FAILED | OP_RCX, L_MEM_PAGE_REMOVE,
	       SWT_ARGS(.rcx = GPA, .rdx = td.tdr));
	swt_no(t, ST_EPT_WALK_FAILED | OP_RCX, L_MEM_PAGE_AUG,
	       SWT_ARGS(.rcx = GPA + SZ_4K, .rdx = td.tdr, .r8 = swt_page(t)));
	swt_no(t, ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX, L_MEM_PAGE_REMOVE,
	       SWT_ARGS(.rcx = parts | 1, .rdx = td.tdr));
}

/* ---- the page that becomes a TD's ---- */

static void lock_page(struct swt *t, u64 pa, unsigned int level, bool excl)
{
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_PAGE, .object = pa, .level = level, .excl = excl });
}

static void aug_refuses(struct swt *t, struct swt_td *td, u64 pa, u64 want)
{
	swt_no(t, want | OP_R8, L_MEM_PAGE_AUG,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td->tdr, .r8 = pa));
}

static void aug_looks_at_form_then_locks_then_type(struct kunit *test)
{
	unsigned int shift = tdx_sw_keyid_shift();
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa, used;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_tables(t, &td, GPA, 1);
	used = swt_aug_large(t, &td, GPA + SZ_2M);
	pa = swt_large(t);

	aug_refuses(t, &td, pa + SZ_4K, ST_OPERAND_INVALID);
	aug_refuses(t, &td, pa + SZ_1M, ST_OPERAND_INVALID);
	aug_refuses(t, &td, pa | BIT_ULL(shift), ST_OPERAND_INVALID);
	aug_refuses(t, &td, pa | BIT_ULL(52), ST_OPERAND_INVALID);
	aug_refuses(t, &td, (BIT_ULL(shift) - SZ_1G) | SZ_4K, ST_OPERAND_INVALID);
	aug_refuses(t, &td, BIT_ULL(shift) - SZ_1G, ST_OPERAND_ADDR_RANGE_ERROR);

	/* Who works on 4 KiB of it has the entry of the whole shared. */
	lock_page(t, pa, 1, false);
	aug_refuses(t, &td, pa, ST_OPERAND_BUSY);
	swt_unlock_all(t);
	lock_page(t, used, 1, false);
	aug_refuses(t, &td, used, ST_OPERAND_BUSY);
	swt_unlock_all(t);
	aug_refuses(t, &td, used, ST_PAGE_METADATA_INCORRECT);

	/* Their own entries are nobody's business. */
	lock_page(t, pa + SZ_4K, 0, true);
	t->checked = false;
	swt_ok(t, L_MEM_PAGE_AUG, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa));
	swt_unlock_all(t);
	swt_check(t);
}

/* All of it has to be free: one page in use, wherever it is, is in the way. */
static void aug_wants_every_part_to_be_free(struct kunit *test)
{
	static const unsigned int part[] = { 0, 1, 255, 256, 511 };
	struct swt *t = swt_of(test);
	struct swt_td td, other;
	unsigned int i;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_tables(t, &td, GPA, 1);
	swt_td_build(t, &other, 1, STAGE_INITIALIZED);
	swt_tables(t, &other, 0, 0);
	pa = swt_large(t);
	/* The model doesn't know the parts. */
	t->checked = false;
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		u64 used = pa + part[i] * PAGE_SIZE;
		struct tdx_module_args args = { .rcx = 0, .rdx = other.tdr, .r8 = used };

		KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_MEM_PAGE_AUG, &args));
		aug_refuses(t, &td, pa, ST_PAGE_METADATA_INCORRECT);
		args = (struct tdx_module_args) { .rcx = 0, .rdx = other.tdr };
		KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_MEM_PAGE_REMOVE, &args));
		KUNIT_EXPECT_EQ(test, used, args.rcx);
	}
	t->checked = true;
	swt_ok(t, L_MEM_PAGE_AUG, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa));
}

static void aug_refuses_what_is_reserved_in_part(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_page_info info;
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_tables(t, &td, GPA, 1);
	for (pa = 0; pa < SZ_4G; pa += SZ_64K) {
		if (!tdx_sw_test_page(pa, &info) && info.type == PT_RSVD)
			break;
	}
	KUNIT_ASSERT_LT(test, pa, (u64)SZ_4G);
	aug_refuses(t, &td, pa & ~(SZ_2M - 1ULL), ST_PAGE_METADATA_INCORRECT);
}

/* A page that is part of a large one ends the walk, which takes it for itself. */
static void part_of_a_large_page_is_in_use_or_busy(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_tables(t, &td, 0, 0);
	pa = swt_aug_large(t, &td, GPA);
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_R8, L_MEM_PAGE_AUG,
	       SWT_ARGS(.rcx = 0, .rdx = td.tdr, .r8 = pa + SZ_4K));
	lock_page(t, pa, 1, false);
	swt_no(t, ST_OPERAND_BUSY | OP_R8, L_MEM_PAGE_AUG,
	       SWT_ARGS(.rcx = 0, .rdx = td.tdr, .r8 = pa + SZ_4K));
	/* Who doesn't want the page for himself shares it. */
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_WBINVD, SWT_ARGS(.rcx = pa));
	swt_unlock_all(t);
	swt_check(t);
}

/* It goes by the entry of the page alone. */
static void removal_of_a_part_does_not_mind_the_large_entry(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	t->checked = false;
	pa = swt_aug_parts(t, &td, GPA);
	lock_page(t, pa, 1, true);
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = GPA + SZ_4K, .rdx = td.tdr));
	swt_unlock_all(t);
	swt_check(t);
}

/* ---- content ---- */

struct sums {
	u64 sum[PARTS];
};

static struct sums *take_sums(struct swt *t, u64 pa)
{
	struct sums *s = kunit_kmalloc(t->test, sizeof(*s), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(t->test, s);
	for (i = 0; i < PARTS; i++)
		s->sum[i] = swt_page_sum(pa + i * PAGE_SIZE);
	return s;
}

/* How many of the parts have the content that they had. */
static unsigned int same_sums(u64 pa, const struct sums *s)
{
	unsigned int i, same = 0;

	for (i = 0; i < PARTS; i++)
		same += s->sum[i] == swt_page_sum(pa + i * PAGE_SIZE);
	return same;
}

static void content_changes_only_when_it_is_given_back(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct sums *sums;
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_tables(t, &td, GPA, 1);
	pa = swt_large(t);
	sums = take_sums(t, pa);
	swt_ok(t, L_MEM_PAGE_AUG, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa));
	KUNIT_EXPECT_EQ(test, (unsigned int)PARTS, same_sums(pa, sums));
	map_large(t, &td, GPA);
	swt_block(t, &td, GPA, 1);
	swt_track(t, &td);
	swt_ok(t, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = swt_page(t)));
	KUNIT_EXPECT_EQ(test, (unsigned int)PARTS, same_sums(pa, sums));
	swt_block(t, &td, GPA, 1);
	swt_track(t, &td);
	swt_ok(t, L_MEM_PAGE_PROMOTE, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
	KUNIT_EXPECT_EQ(test, (unsigned int)PARTS, same_sums(pa, sums));
	swt_block(t, &td, GPA, 1);
	swt_track(t, &td);
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
	KUNIT_EXPECT_EQ(test, 0U, same_sums(pa, sums));
}

/* Each 4 KiB of it is written back by a call of its own. */
static void each_part_is_written_back(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa, key, i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	key = (u64)td.hkid << tdx_sw_keyid_shift();
	pa = swt_aug_large(t, &td, GPA);
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_WBINVD, SWT_ARGS(.rcx = pa | key));
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
	memset(swt_va(pa), 0, SZ_2M);
	t->checked = false;
	for (i = 0; i < PARTS; i++)
		swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = (pa + i * PAGE_SIZE) | key));
	for (i = 0; i < PARTS; i++)
		KUNIT_EXPECT_NOT_NULL(test, memchr_inv(swt_va(pa + i * PAGE_SIZE), 0, PAGE_SIZE));
}

static void reclaim_gives_all_of_it_back(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct sums *sums;
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	pa = swt_aug_large(t, &td, GPA);
	sums = take_sums(t, pa);
	swt_no(t, ST_LIFECYCLE_STATE_INCORRECT | ST_ANY_DETAIL, L_PAGE_RECLAIM,
	       SWT_ARGS(.rcx = pa));
	swt_td_block(t, &td);
	swt_td_free_key(t, &td);
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_PAGE_RECLAIM, SWT_ARGS(.rcx = pa + SZ_4K));
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = pa));
	KUNIT_EXPECT_EQ(test, 0U, same_sums(pa, sums));
}

static void rdmd_tells_the_size(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	pa = swt_aug_large(t, &td, GPA);
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = pa));
	swt_block(t, &td, GPA, 1);
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = pa));
	/* Sizes in the operand are for Dynamic PAMT. */
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_PAGE_RDMD, SWT_ARGS(.rcx = pa | 1));
}

/* ---- DEMOTE ---- */

#define RAW_PENDING	BIT_ULL(56)

static void demote_fills_a_table_with_the_parts(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 i, pa, table, *entry;
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	pa = swt_aug_large(t, &td, GPA);
	/* The guest has got to the fifth page of it: the count stands in the entry. */
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(td.tdr, GPA, 1, RAW_PENDING |
				 sheet_entry(SE_PENDING, pa + 5 * PAGE_SIZE)));
	swt_block(t, &td, GPA, 1);
	swt_track(t, &td);
	table = swt_page(t);
	entry = swt_va(table);
	/* Tables of L2 VMs are asked for sparsely, and there are none. */
	swt_ok(t, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr | 1, .r8 = table));
	for (i = 0; i < PARTS; i++)
		KUNIT_EXPECT_EQ_MSG(test, entry[i], RAW_PENDING |
				    sheet_entry(SE_PENDING, pa + i * PAGE_SIZE), "entry %llu", i);
}

static void demote_wants_a_free_page_for_the_table(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	pa = swt_aug_large(t, &td, GPA);
	/* The page itself has no room for it. */
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_R8, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa + SZ_4K));
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_R8, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa));
}

static void demote_looks_at_the_block_before_the_page(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct sums *sums;
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	pa = swt_aug_large(t, &td, GPA);
	sums = take_sums(t, pa);
	swt_no(t, ST_GPA_RANGE_NOT_BLOCKED | OP_RCX, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa | 1));
	swt_block(t, &td, GPA, 1);
	swt_no(t, ST_TLB_TRACKING_NOT_DONE | OP_RCX, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa | 1));
	swt_track(t, &td);
	swt_no(t, ST_OPERAND_INVALID | OP_R8, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = pa | 1));
	/* The comparison of the whole state has the first part alone. */
	KUNIT_EXPECT_EQ(test, (unsigned int)PARTS, same_sums(pa, sums));
}

/*
 * The last lock: the page in R8 has been written to, and is no table.  @rcx and @rdx
 * are what the call leaves there.
 */
static void demote_fails_late(struct swt *t, struct swt_td *td, u64 table, u64 want, u64 rcx,
			      u64 rdx)
{
	struct tdx_module_args args = { .rcx = GPA | 1, .rdx = td->tdr, .r8 = table };
	u64 sum = swt_page_sum(table);

	KUNIT_EXPECT_EQ(t->test, want, swt_call(t, L_MEM_PAGE_DEMOTE, &args));
	KUNIT_EXPECT_EQ(t->test, rcx, args.rcx);
	KUNIT_EXPECT_EQ(t->test, rdx, args.rdx);
	KUNIT_EXPECT_NE(t->test, sum, swt_page_sum(table));
	swt_unlock_all(t);
	swt_check(t);
	swt_fill(table);
}

static void demote_that_fails_late_changes_nothing_but_the_new_page(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 pa, table;
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	pa = swt_aug_large(t, &td, GPA);
	table = swt_page(t);
	lock_page(t, pa, 1, false);
	demote_fails_late(t, &td, table, ST_OPERAND_BUSY | OP_RCX, 0, 0);
	lock_page(t, pa, 1, true);
	demote_fails_late(t, &td, table, ST_OPERAND_BUSY | OP_RCX, 0, 0);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_MEM_PAGE_DEMOTE, 1, 1,
						   ST_INTERRUPTED_RESTARTABLE));
	demote_fails_late(t, &td, table, ST_INTERRUPTED_RESTARTABLE, GPA | 1, td.tdr);
	swt_ok(t, L_MEM_PAGE_DEMOTE, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr, .r8 = table));
}

/* The parts are pages like any other. */
static void parts_go_their_own_ways(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 new;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	t->checked = false;
	swt_aug_parts(t, &td, GPA);
	t->checked = true;
	new = swt_page(t);
	swt_ok(t, L_MEM_PAGE_RELOCATE,
	       SWT_ARGS(.rcx = GPA + SZ_4K, .rdx = td.tdr, .r8 = new));
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = GPA + SZ_2M - SZ_4K, .rdx = td.tdr));
	swt_block(t, &td, GPA, 0);
	swt_no(t, ST_EPT_PAGE_NOT_FREE | OP_RCX, L_MEM_SEPT_REMOVE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
}

/* ---- PROMOTE ---- */

static void promote_refuses(struct swt *t, struct swt_td *td)
{
	swt_no(t, ST_EPT_INVALID_PROMOTE_CONDITIONS | OP_RCX, L_MEM_PAGE_PROMOTE,
	       SWT_ARGS(.rcx = GPA | 1, .rdx = td->tdr));
}

/* Write an entry, try, and write what was there before. */
static void promote_refuses_with(struct swt *t, struct swt_td *td, unsigned int part, u64 raw)
{
	u64 gpa = GPA + part * PAGE_SIZE;
	struct tdx_sw_sept_info info;

	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_sept(td->tdr, gpa, 0, &info));
	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_set_sept(td->tdr, gpa, 0, raw));
	promote_refuses(t, td);
	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_set_sept(td->tdr, gpa, 0, info.raw));
}

static void promote_wants_all_parts_of_one_page(struct kunit *test)
{
	static const unsigned int part[] = { 0, 1, 256, 511 };
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	t->checked = false;
	pa = swt_aug_parts(t, &td, GPA);
	t->checked = true;
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		u64 page = pa + part[i] * PAGE_SIZE;

		/* None, another one, in another state, blocked */
		promote_refuses_with(t, &td, part[i], 0x80e0000000000000ULL);
		promote_refuses_with(t, &td, part[i],
				     RAW_PENDING | sheet_entry(SE_PENDING, page ^ SZ_8K));
		promote_refuses_with(t, &td, part[i], sheet_entry(SE_MAPPED, page));
		promote_refuses_with(t, &td, part[i], RAW_PENDING | BIT_ULL(55) |
				     sheet_entry(SE_PENDING_BLOCKED, page));
	}
	swt_ok(t, L_MEM_PAGE_PROMOTE, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
}

static void promote_wants_an_aligned_page(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa, i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_tables(t, &td, GPA, 0);
	pa = swt_large(t);
	t->checked = false;
	t->m.odd = true;
	for (i = 0; i < PARTS; i++)
		KUNIT_ASSERT_EQ(test, 0,
				tdx_sw_test_set_sept(td.tdr, GPA + i * PAGE_SIZE, 0, RAW_PENDING |
					sheet_entry(SE_PENDING, pa + (i + 1) * PAGE_SIZE)));
	promote_refuses(t, &td);
	for (i = 0; i < PARTS; i++)
		tdx_sw_test_set_sept(td.tdr, GPA + i * PAGE_SIZE, 0, 0x80e0000000000000ULL);
	/* Nothing at all */
	promote_refuses(t, &td);
	t->m.odd = false;
	swt_check(t);
}

/* What the CPU and a host that waited have noted in the entries says nothing of pages. */
static void promote_overlooks_marks(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	t->checked = false;
	pa = swt_aug_parts(t, &td, GPA);
	t->checked = true;
	tdx_sw_test_set_sept(td.tdr, GPA + SZ_4K, 0, RAW_PENDING | BIT_ULL(8) | BIT_ULL(9) |
			     BIT_ULL(52) | sheet_entry(SE_PENDING, pa + SZ_4K));
	swt_ok(t, L_V1(L_MEM_PAGE_PROMOTE), SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
}

static void promote_that_fails_changes_nothing(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_td td;
	u64 pa;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	t->checked = false;
	pa = swt_aug_parts(t, &td, GPA);
	t->checked = true;
	lock_page(t, pa, 1, false);
	args = (struct tdx_module_args) { .rcx = GPA | 1, .rdx = td.tdr };
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_V1(L_MEM_PAGE_PROMOTE), &args);
	/* It is not the entry that is busy. */
	KUNIT_EXPECT_EQ(test, 0ULL, args.rcx);
	KUNIT_EXPECT_EQ(test, 0ULL, args.rdx);
	swt_unlock_all(t);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(L_MEM_PAGE_PROMOTE, 1, 1,
						   ST_INTERRUPTED_RESTARTABLE));
	args = (struct tdx_module_args) { .rcx = GPA | 1, .rdx = td.tdr };
	KUNIT_EXPECT_EQ(test, ST_INTERRUPTED_RESTARTABLE,
			swt_call(t, L_V1(L_MEM_PAGE_PROMOTE), &args));
	KUNIT_EXPECT_EQ(test, GPA | 1, args.rcx);
	KUNIT_EXPECT_EQ(test, td.tdr, args.rdx);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r9);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r10);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r11);
	swt_check(t);
	swt_ok(t, L_MEM_PAGE_PROMOTE, SWT_ARGS(.rcx = GPA | 1, .rdx = td.tdr));
}

/* ---- RELOCATE ---- */

static void relocate_copies_what_the_guest_has(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 new = swt_page(t), pending = swt_page(t), old, sum[2];
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	old = std.blocked;
	sum[0] = swt_page_sum(old);
	sum[1] = swt_page_sum(pending);
	swt_ok(t, L_MEM_PAGE_RELOCATE,
	       SWT_ARGS(.rcx = STD_BLOCKED, .rdx = std.td.tdr, .r8 = new));
	KUNIT_EXPECT_EQ(test, sum[0], swt_page_sum(new));
	KUNIT_EXPECT_NE(test, sum[0], swt_page_sum(old));

	/* There is nothing yet that the guest could have. */
	swt_ok(t, L_MEM_PAGE_RELOCATE,
	       SWT_ARGS(.rcx = STD_PENDING_BLOCKED, .rdx = std.td.tdr, .r8 = pending));
	KUNIT_EXPECT_EQ(test, sum[1], swt_page_sum(pending));
}

static void relocate_to_where_it_is_is_refused(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	/* Before anything else that could be said of the page, or of the entry. */
	lock_page(t, std.mapped, 0, true);
	swt_no(t, ST_OPERAND_INVALID | OP_R8, L_MEM_PAGE_RELOCATE,
	       SWT_ARGS(.rcx = STD_MAPPED, .rdx = std.td.tdr, .r8 = std.mapped));
	swt_unlock_all(t);
	swt_no(t, ST_GPA_RANGE_NOT_BLOCKED | OP_RCX, L_MEM_PAGE_RELOCATE,
	       SWT_ARGS(.rcx = STD_MAPPED, .rdx = std.td.tdr, .r8 = std.blocked | 1));
}

static struct kunit_case large_cases[] = {
	KUNIT_CASE_PARAM(call_in_entry_state, next_variant),
	KUNIT_CASE(size_has_to_be_that_of_the_entry),
	KUNIT_CASE(aug_looks_at_form_then_locks_then_type),
	KUNIT_CASE(aug_wants_every_part_to_be_free),
	KUNIT_CASE(aug_refuses_what_is_reserved_in_part),
	KUNIT_CASE(part_of_a_large_page_is_in_use_or_busy),
	KUNIT_CASE(removal_of_a_part_does_not_mind_the_large_entry),
	KUNIT_CASE(content_changes_only_when_it_is_given_back),
	KUNIT_CASE(each_part_is_written_back),
	KUNIT_CASE(reclaim_gives_all_of_it_back),
	KUNIT_CASE(rdmd_tells_the_size),
	KUNIT_CASE(demote_fills_a_table_with_the_parts),
	KUNIT_CASE(demote_wants_a_free_page_for_the_table),
	KUNIT_CASE(demote_looks_at_the_block_before_the_page),
	KUNIT_CASE(demote_that_fails_late_changes_nothing_but_the_new_page),
	KUNIT_CASE(parts_go_their_own_ways),
	KUNIT_CASE(promote_wants_all_parts_of_one_page),
	KUNIT_CASE(promote_wants_an_aligned_page),
	KUNIT_CASE(promote_overlooks_marks),
	KUNIT_CASE(promote_that_fails_changes_nothing),
	KUNIT_CASE(relocate_copies_what_the_guest_has),
	KUNIT_CASE(relocate_to_where_it_is_is_refused),
	{}
};

static struct kunit_suite large_suite = {
	.name = "tdx_sw_large",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = large_cases,
};

kunit_test_suite(large_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: pages of 2 MiB");
MODULE_LICENSE("GPL");
