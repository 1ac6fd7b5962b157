// SPDX-License-Identifier: GPL-2.0
/*
 * The Secure EPT: every call in every state of the entry it addresses, with the
 * TD runnable or not and the block tracked or not; the operand that addresses an
 * entry; where walks end; what calls do to the content of pages.
 *
 * Entries of 4 KiB and tables; leaves of 2 MiB, which tables are confused with here,
 * are written straight into the table, as every such call has to be refused.  What
 * can be done to them is in large_kunit.c.
 */
#include "fixture.h"

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

enum cell {
	NO,		/* state error */
	OK,
	OK_BT,		/* runnable TD: needs a blocked kind, and tracked */
	OK_T,		/* runnable TD: tracked */
	IN,		/* information: already blocked */
	NP,		/* entry not present */
	NA,		/* there is no such entry at a level of the call */
};

struct row {
	const char *what;
	u32 leaf;
	u64 flags;	/* in RDX */
	u8 level;	/* of FREE entries and leaves; tables are addressed at 1 */
	u8 cell[NR_COLUMNS];
};

static const struct row rows[] = {
	{ "SEPT.ADD", L_MEM_SEPT_ADD, 0, 1,		{ OK, NO, NO, NO, NO, NO, NO } },
	{ "SEPT.ADD, allow existing", L_MEM_SEPT_ADD, 1, 1,
							{ OK, NO, NO, NO, NO, OK, NO } },
	{ "PAGE.ADD", L_MEM_PAGE_ADD, 0, 0,		{ OK, NO, NO, NO, NO, NA, NA } },
	{ "PAGE.AUG", L_MEM_PAGE_AUG, 0, 0,		{ OK, NO, NO, NO, NO, NA, NA } },
	{ "RANGE.BLOCK", L_MEM_RANGE_BLOCK, 0, 0,	{ NO, OK, IN, OK, IN, OK, IN } },
	{ "RANGE.UNBLOCK", L_MEM_RANGE_UNBLOCK, 0, 0,	{ NO, NO, OK_T, NO, OK_T, NO, OK_T } },
	{ "PAGE.REMOVE", L_MEM_PAGE_REMOVE, 0, 0,
						{ NO, OK_BT, OK_BT, OK_BT, OK_BT, NO, NO } },
	{ "PAGE.RELOCATE", L_MEM_PAGE_RELOCATE, 0, 0,
						{ NO, OK_BT, OK_BT, OK_BT, OK_BT, NA, NA } },
	{ "SEPT.REMOVE", L_MEM_SEPT_REMOVE, 0, 1,	{ NO, NO, NO, NO, NO, OK_BT, OK_BT } },
	{ "MR.EXTEND", L_MR_EXTEND, 0, 0,		{ NP, OK, NP, NP, NP, NP, NP } },
	{ "SEPT.RD", L_MEM_SEPT_RD, 0, 0,		{ OK, OK, OK, OK, OK, OK, OK } },
};

struct variant {
	const struct row *row;
	bool runnable;
	bool tracked;
};

static const void *next_variant(const void *prev, char *desc)
{
	static const char * const name[] = {
		"not runnable", "not runnable, tracked", "runnable", "runnable, tracked",
	};
	static struct variant v;
	static unsigned int idx;

	if (!prev)
		idx = 0;
	for (; idx < ARRAY_SIZE(rows) * 4; idx++) {
		const struct sheet_leaf *leaf = sheet_leaf(rows[idx / 4].leaf);

		v = (struct variant) { &rows[idx / 4], idx & 2, idx & 1 };
		if (!v.runnable || leaf->op_states & BIT(OS_RUNNABLE))
			break;
	}
	if (idx == ARRAY_SIZE(rows) * 4)
		return NULL;
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, TD %s", v.row->what, name[idx & 3]);
	idx++;
	return &v;
}

static bool is_table(enum column col)
{
	return col >= C_NL_MAPPED;
}

static bool is_blocked(enum column col)
{
	return col == C_BLOCKED || col == C_PENDING_BLOCKED || col == C_NL_BLOCKED;
}

/* Where the entries are: tracked ones as in the standard TD, the others apart. */
#define GPA_UNTRACKED_LEAVES	0x10000ULL
#define GPA_NL_MAPPED		(3ULL * SZ_2M)
#define GPA_UNTRACKED_TABLE	(4ULL * SZ_2M)
#define GPA_PLANTED		(8ULL * SZ_2M)

static u64 entry_gpa(const struct variant *v, enum column col)
{
	bool tracked = v->tracked || !is_blocked(col);

	if (col == C_NL_MAPPED)
		return GPA_NL_MAPPED;
	if (col == C_NL_BLOCKED)
		return tracked ? STD_EMPTY_TABLE : GPA_UNTRACKED_TABLE;
	if (v->row->level)
		return GPA_PLANTED + col * SZ_2M;
	if (col == C_FREE)
		return STD_FREE;
	return (col - C_MAPPED) * PAGE_SIZE + (tracked ? STD_MAPPED : GPA_UNTRACKED_LEAVES);
}

/* Entry as stored, from the description of the format. */
static u64 stored_leaf(enum column col, u64 hpa)
{
	u64 val = sheet_entry(column_state[col], hpa);

	if (col == C_BLOCKED || col == C_PENDING_BLOCKED)
		val |= BIT_ULL(55);
	if (col == C_PENDING || col == C_PENDING_BLOCKED)
		val |= BIT_ULL(56);
	return val;
}

static void plant_leaves(struct swt *t, struct swt_td *td)
{
	struct model_entry *dir = swt_m_entry(&t->m, td->tdr, 0, 2), *e = t->m.entry;
	u64 *table = swt_va(dir->hpa);
	enum column col;

	/* No page lies behind these. */
	t->m.odd = true;
	for (col = C_MAPPED; col <= C_PENDING_BLOCKED; col++) {
		u64 gpa = GPA_PLANTED + col * SZ_2M;

		while (e->tdr)
			e++;
		*e = (struct model_entry) {
			.tdr = td->tdr, .gpa = gpa, .level = 1, .state = column_state[col],
			.hpa = gpa,
		};
		table[gpa / SZ_2M] = stored_leaf(col, gpa);
	}
}

static void build(struct swt *t, struct swt_std *std, const struct variant *v)
{
	struct swt_td *td = &std->td;

	t->checked = false;
	swt_std_build(t, std, 0, STAGE_INITIALIZED);
	swt_add(t, td, GPA_UNTRACKED_LEAVES + STD_BLOCKED);
	swt_aug(t, td, GPA_UNTRACKED_LEAVES + STD_PENDING_BLOCKED);
	swt_tables(t, td, GPA_NL_MAPPED, 0);
	swt_tables(t, td, GPA_UNTRACKED_TABLE, 0);
	if (v->runnable)
		swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td->tdr));

	swt_block(t, td, GPA_UNTRACKED_LEAVES + STD_BLOCKED, 0);
	swt_block(t, td, GPA_UNTRACKED_LEAVES + STD_PENDING_BLOCKED, 0);
	swt_block(t, td, GPA_UNTRACKED_TABLE, 1);
	if (v->row->level)
		plant_leaves(t, td);
	t->checked = true;
	swt_check(t);
}

static u64 wanted(const struct variant *v, enum column col)
{
	switch (v->row->cell[col]) {
	case OK:
		return ST_SUCCESS;
	case OK_BT:
		if (v->runnable && !is_blocked(col))
			return ST_GPA_RANGE_NOT_BLOCKED | OP_RCX;
		if (v->runnable && !v->tracked)
			return ST_TLB_TRACKING_NOT_DONE | OP_RCX;
		return ST_SUCCESS;
	case OK_T:
		if (v->runnable && !v->tracked)
			return ST_TLB_TRACKING_NOT_DONE | OP_RCX;
		return ST_SUCCESS;
	case IN:
		return ST_GPA_RANGE_ALREADY_BLOCKED | OP_RCX;
	case NP:
		return ST_EPT_ENTRY_NOT_PRESENT | OP_RCX;
	default:
		return ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX;
	}
}

static void call_in_entry_state(struct kunit *test)
{
	const struct variant *v = test->param_value;
	struct swt *t = swt_of(test);
	struct swt_std std;
	enum column col;

	build(t, &std, v);
	for (col = 0; col < NR_COLUMNS; col++) {
		u64 level = v->row->leaf == L_MR_EXTEND ? 0 : is_table(col) ? 1 : v->row->level;
		struct tdx_module_args args = {
			.rcx = entry_gpa(v, col) | level, .rdx = std.td.tdr | v->row->flags,
			.r9 = std.source,
		};

		if (v->row->cell[col] == NA)
			continue;
		kunit_info(test, "%s", column_name[col]);
		KUNIT_ASSERT_EQ(test, column_state[col],
				swt_m_state(&t->m, std.td.tdr, entry_gpa(v, col),
					    is_table(col) ? 1 : level));
		args.r8 = swt_page(t);
		if (wanted(v, col) == ST_SUCCESS)
			swt_ok(t, v->row->leaf, &args);
		else
			swt_no(t, wanted(v, col), v->row->leaf, &args);
	}
}

/* ---- the operand that addresses an entry ---- */

static const struct {
	u16 leaf;
	u8 min;
	u8 max;
} levels[] = {
	{ L_MEM_PAGE_ADD, 0, 0 },
	{ L_MEM_SEPT_ADD, 1, 3 },
	{ L_MEM_PAGE_RELOCATE, 0, 0 },
	{ L_MEM_PAGE_AUG, 0, 1 },
	/* 1 GiB pages, which nobody could map, are an unknown level. */
	{ L_MEM_PAGE_DEMOTE, 1, 1 },
	{ L_MEM_PAGE_PROMOTE, 1, 1 },
	{ L_MEM_RANGE_BLOCK, 0, 3 },
	{ L_MEM_RANGE_UNBLOCK, 0, 3 },
	{ L_MEM_PAGE_REMOVE, 0, 2 },
	{ L_MEM_SEPT_REMOVE, 1, 3 },
	{ L_MEM_SEPT_RD, 0, 3 },
};

static void bad_gpa_or_level_is_refused(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, level, bit;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		u32 leaf = levels[i].leaf;
		struct tdx_module_args args;
		u64 rcx;

		for (level = 0; level < 8; level++) {
			swt_std_args(&std, leaf, &args);
			args.rcx = level;
			if (level < levels[i].min || level > levels[i].max)
				swt_no(t, ST_OPERAND_INVALID | OP_RCX, leaf, &args);
		}

		swt_std_args(&std, leaf, &args);
		rcx = args.rcx;
		for (bit = 3; bit < 64; bit++) {
			/* Other private pages are not this case's. */
			if (bit >= 12 && bit < tdx_sw_gpa_width() - 1)
				continue;
			swt_std_args(&std, leaf, &args);
			args.rcx = rcx | BIT_ULL(bit);
			swt_no(t, ST_OPERAND_INVALID | OP_RCX, leaf, &args);
		}
		for (level = max_t(u8, 1, levels[i].min); level <= levels[i].max; level++) {
			swt_std_args(&std, leaf, &args);
			args.rcx = sheet_level_size(level) / 2 | level;
			swt_no(t, ST_OPERAND_INVALID | OP_RCX, leaf, &args);
		}
	}
}

static void flags_beside_the_tdr_are_refused(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;
	unsigned int i;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		swt_std_args(&std, levels[i].leaf, &args);
		args.rdx |= BIT_ULL(1);
		swt_no(t, ST_OPERAND_INVALID | OP_RDX, levels[i].leaf, &args);
	}

	/* SEPT.ADD looks at them first of all. */
	swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_MEM_SEPT_ADD,
	       SWT_ARGS(.rcx = ~0ULL, .rdx = std.mapped | 2));
	/* The L2 attributes are for debug TDs. */
	swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_MEM_SEPT_RD,
	       SWT_ARGS(.rcx = STD_MAPPED, .rdx = std.td.tdr | 1));
}

/* ---- walks ---- */

static void walk_ends_at_what_is_missing_or_blocked(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, level;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		struct tdx_module_args args;

		if (levels[i].min)
			continue;
		/* A table missing at each level, then one that is blocked. */
		for (level = 1; level <= 3; level++) {
			u64 gpa = 511 * sheet_level_size(level);

			/* Half of the top level's range is shared. */
			if (level == 3)
				gpa = (1ULL << (tdx_sw_gpa_width() - 1)) - SZ_1G * 512ULL;
			if (!gpa)
				continue;
			swt_std_args(&std, levels[i].leaf, &args);
			args.rcx = gpa;
			swt_no(t, ST_EPT_WALK_FAILED | OP_RCX, levels[i].leaf, &args);
		}
		swt_std_args(&std, levels[i].leaf, &args);
		args.rcx = STD_EMPTY_TABLE;
		swt_no(t, ST_EPT_WALK_FAILED | OP_RCX, levels[i].leaf, &args);
	}
}

static void everything_below_a_blocked_table_is_out_of_reach(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std std;
	unsigned int i, level;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	for (level = 1; level <= 3; level++) {
		swt_block(t, &std.td, 0, level);
		for (i = 0; i < ARRAY_SIZE(levels); i++) {
			struct tdx_module_args args;

			if (levels[i].leaf == L_MEM_PAGE_ADD || levels[i].min >= level)
				continue;
			swt_std_args(&std, levels[i].leaf, &args);
			swt_no(t, ST_EPT_WALK_FAILED | OP_RCX, levels[i].leaf, &args);
		}
		swt_track(t, &std.td);
		swt_ok(t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = level, .rdx = std.td.tdr));
	}
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = STD_BLOCKED, .rdx = std.td.tdr));
}

static void larger_leaf_ends_the_walk(struct kunit *test)
{
	static const struct row row = { "", L_MEM_PAGE_AUG, 0, 1 };
	struct variant v = { &row, true, true };
	struct swt *t = swt_of(test);
	struct swt_std std;
	enum column col;

	build(t, &std, &v);
	for (col = C_MAPPED; col <= C_PENDING_BLOCKED; col++)
		swt_no(t, ST_EPT_WALK_FAILED | OP_RCX, L_MEM_PAGE_AUG,
		       SWT_ARGS(.rcx = GPA_PLANTED + col * SZ_2M, .rdx = std.td.tdr,
				.r8 = std.spare));
}

static void entries_do_not_get_mixed_up(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 top = 1ULL << (tdx_sw_gpa_width() - 1);
	u64 gpa[] = { 0, 0x1000, 0x1ff000, SZ_1G - PAGE_SIZE, top / 2, top - PAGE_SIZE };
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(gpa); i++)
		swt_aug(t, &td, gpa[i]);
	for (i = 0; i < ARRAY_SIZE(gpa); i++) {
		swt_ok(t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = gpa[i], .rdx = td.tdr));
		swt_ok(t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = gpa[i] ^ 0x2000, .rdx = td.tdr));
	}
	for (i = 0; i < ARRAY_SIZE(gpa); i++)
		swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = gpa[i], .rdx = td.tdr));
}

/* ---- tables ---- */

static void table_with_children_stays(struct kunit *test)
{
	static const u64 gpas[] = {
		STD_MAPPED, STD_BLOCKED, STD_PENDING, STD_PENDING_BLOCKED,
	};
	struct swt *t = swt_of(test);
	struct swt_std std;
	unsigned int i;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(gpas); i++) {
		swt_no(t, ST_EPT_PAGE_NOT_FREE | OP_RCX, L_MEM_SEPT_REMOVE,
		       SWT_ARGS(.rcx = 1, .rdx = std.td.tdr));
		swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = gpas[i], .rdx = std.td.tdr));
	}
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = 1, .rdx = std.td.tdr));

	/* Tables are children, too, blocked or not. */
	swt_no(t, ST_EPT_PAGE_NOT_FREE | OP_RCX, L_MEM_SEPT_REMOVE,
	       SWT_ARGS(.rcx = 2, .rdx = std.td.tdr));
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = STD_EMPTY_TABLE | 1, .rdx = std.td.tdr));
	swt_no(t, ST_EPT_PAGE_NOT_FREE | OP_RCX, L_MEM_SEPT_REMOVE,
	       SWT_ARGS(.rcx = 3, .rdx = std.td.tdr));
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = 2, .rdx = std.td.tdr));
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = 3, .rdx = std.td.tdr));
}

static void child_at_the_far_end_counts(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_aug(t, &td, 511 * PAGE_SIZE);
	swt_no(t, ST_EPT_PAGE_NOT_FREE | OP_RCX, L_MEM_SEPT_REMOVE,
	       SWT_ARGS(.rcx = 1, .rdx = td.tdr));
}

static void version_1_of_sept_add_says_what_it_consumed(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std std;
	struct tdx_module_args args;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	args = (struct tdx_module_args) {
		.rcx = GPA_NL_MAPPED | 1, .rdx = std.td.tdr, .r8 = std.spare,
		.r9 = ~0ULL, .r10 = ~0ULL, .r11 = ~0ULL,
	};
	swt_ok(t, L_V1(L_MEM_SEPT_ADD), &args);

	/* There now, and the second page is not needed. */
	args = (struct tdx_module_args) {
		.rcx = GPA_NL_MAPPED | 1, .rdx = std.td.tdr | 1, .r8 = std.source,
		.r9 = ~0ULL, .r10 = ~0ULL, .r11 = ~0ULL,
	};
	swt_ok(t, L_V1(L_MEM_SEPT_ADD), &args);

	args = (struct tdx_module_args) {
		.rcx = STD_EMPTY_TABLE | 1, .rdx = std.td.tdr, .r8 = std.source,
		.r9 = ~0ULL, .r10 = ~0ULL, .r11 = ~0ULL,
	};
	swt_no(t, ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX, L_V1(L_MEM_SEPT_ADD), &args);
	KUNIT_EXPECT_EQ(test, std.source, args.r8);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r9);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r10);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r11);
}

/* Bit 63 of a page says that it was not needed the last time. */
static void sept_add_drops_the_mark_of_a_page(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	/* The model knows the page by its address. */
	t->checked = false;
	args = (struct tdx_module_args) {
		.rcx = STD_NO_TABLE | 1, .rdx = std.td.tdr, .r8 = std.spare | BIT_ULL(63),
	};
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_MEM_SEPT_ADD, &args));
	args = (struct tdx_module_args) {
		.rcx = (STD_NO_TABLE + SZ_2M) | 1, .rdx = std.td.tdr,
		.r8 = swt_page(t) | BIT_ULL(63), .r9 = ~0ULL, .r10 = ~0ULL, .r11 = ~0ULL,
	};
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_V1(L_MEM_SEPT_ADD), &args));
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r8);
}

static void sept_add_without_a_page_needs_a_table(struct kunit *test)
{
	static const struct {
		u64 gpa;
		u64 status;
	} v1[] = {
		{ STD_NO_TABLE, ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX },	/* FREE */
		{ STD_EMPTY_TABLE, ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX },	/* blocked */
		{ 0, ST_SUCCESS },
	};
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;
	unsigned int i, flag;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(v1); i++) {
		for (flag = 0; flag < 2; flag++) {
			args = (struct tdx_module_args) {
				.rcx = v1[i].gpa | 1, .rdx = std.td.tdr | flag, .r8 = ~0ULL,
				.r9 = ~0ULL, .r10 = ~0ULL, .r11 = ~0ULL,
			};
			if (v1[i].status)
				swt_no(t, v1[i].status, L_V1(L_MEM_SEPT_ADD), &args);
			else
				KUNIT_EXPECT_EQ(test, ST_SUCCESS,
						swt_call(t, L_V1(L_MEM_SEPT_ADD), &args));
			KUNIT_EXPECT_EQ(test, ~0ULL, args.r8);
			/* Version 0 always needs one. */
			swt_no(t, ST_OPERAND_INVALID | OP_R8, L_MEM_SEPT_ADD,
			       SWT_ARGS(.rcx = v1[i].gpa | 1, .rdx = std.td.tdr | flag,
					.r8 = ~0ULL));
		}
	}
}

/* Tables of VMs that no TD has */
static void sept_add_refuses_pages_of_l2_tables(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	args = (struct tdx_module_args) {
		.rcx = STD_NO_TABLE | 1, .rdx = std.td.tdr, .r8 = std.spare,
		.r9 = ~0ULL, .r10 = ~0ULL, .r11 = std.source,
	};
	swt_no(t, ST_OPERAND_INVALID | OP_R11, L_V1(L_MEM_SEPT_ADD), &args);
	KUNIT_EXPECT_EQ(test, std.source, args.r11);
	args.rcx = STD_NO_TABLE | 1;
	args.rdx = std.td.tdr;
	args.r10 = std.source;
	swt_no(t, ST_OPERAND_INVALID | OP_R10, L_V1(L_MEM_SEPT_ADD), &args);
	args.rcx = STD_NO_TABLE | 1;
	args.rdx = std.td.tdr;
	args.r9 = std.source;
	swt_no(t, ST_OPERAND_INVALID | OP_R9, L_V1(L_MEM_SEPT_ADD), &args);
}

static void version_1_of_sept_remove_frees_no_more(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	swt_std_args(&std, L_MEM_SEPT_REMOVE, &args);
	swt_ok(t, L_V1(L_MEM_SEPT_REMOVE), &args);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r9);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r10);
	KUNIT_EXPECT_EQ(test, ~0ULL, args.r11);
}

/* ---- content ---- */

static void add_copies_and_aug_leaves_alone(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 page = swt_page(t), source = swt_page(t), aug = swt_page(t);
	u64 sum = swt_page_sum(aug);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_tables(t, &td, 0, 0);
	swt_ok(t, L_MEM_PAGE_ADD,
	       SWT_ARGS(.rcx = 0x1000, .rdx = td.tdr, .r8 = page, .r9 = source));
	KUNIT_EXPECT_MEMEQ(test, swt_va(page), swt_va(source), PAGE_SIZE);
	swt_ok(t, L_MEM_PAGE_AUG, SWT_ARGS(.rcx = 0x2000, .rdx = td.tdr, .r8 = aug));
	KUNIT_EXPECT_EQ(test, sum, swt_page_sum(aug));
}

static void new_table_is_full_of_free_entries(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 table = swt_page(t), *entry = swt_va(table);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_ok(t, L_MEM_SEPT_ADD, SWT_ARGS(.rcx = 3, .rdx = td.tdr, .r8 = table));
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ_MSG(test, 0x80e0000000000000ULL, entry[i], "entry %u", i);
}

static void returned_content_is_not_the_guests(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 hkid_bits, sum[3];
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	sum[0] = swt_page_sum(std.blocked);
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = STD_BLOCKED, .rdx = std.td.tdr));
	sum[1] = swt_page_sum(std.blocked);
	KUNIT_EXPECT_NE(test, sum[0], sum[1]);

	/* Who clears the page before the write-back finds out. */
	memset(swt_va(std.blocked), 0, PAGE_SIZE);
	hkid_bits = (u64)std.td.hkid << tdx_sw_keyid_shift();
	swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = std.blocked | hkid_bits));
	sum[2] = swt_page_sum(std.blocked);
	KUNIT_EXPECT_NE(test, 0ULL, sum[2]);
	KUNIT_EXPECT_NOT_NULL(test, memchr_inv(swt_va(std.blocked), 0, PAGE_SIZE));

	sum[0] = swt_page_sum(std.table);
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = STD_EMPTY_TABLE | 1, .rdx = std.td.tdr));
	KUNIT_EXPECT_NE(test, sum[0], swt_page_sum(std.table));
}

static struct kunit_case sept_cases[] = {
	KUNIT_CASE_PARAM(call_in_entry_state, next_variant),
	KUNIT_CASE(bad_gpa_or_level_is_refused),
	KUNIT_CASE(flags_beside_the_tdr_are_refused),
	KUNIT_CASE(walk_ends_at_what_is_missing_or_blocked),
	KUNIT_CASE(everything_below_a_blocked_table_is_out_of_reach),
	KUNIT_CASE(larger_leaf_ends_the_walk),
	KUNIT_CASE(entries_do_not_get_mixed_up),
	KUNIT_CASE(table_with_children_stays),
	KUNIT_CASE(child_at_the_far_end_counts),
	KUNIT_CASE(version_1_of_sept_add_says_what_it_consumed),
	KUNIT_CASE(sept_add_drops_the_mark_of_a_page),
	KUNIT_CASE(sept_add_without_a_page_needs_a_table),
	KUNIT_CASE(sept_add_refuses_pages_of_l2_tables),
	KUNIT_CASE(version_1_of_sept_remove_frees_no_more),
	KUNIT_CASE(add_copies_and_aug_leaves_alone),
	KUNIT_CASE(new_table_is_full_of_free_entries),
	KUNIT_CASE(returned_content_is_not_the_guests),
	{}
};

static struct kunit_suite sept_suite = {
	.name = "tdx_sw_sept",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = sept_cases,
};

kunit_test_suite(sept_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: Secure EPT");
MODULE_LICENSE("GPL");
