// SPDX-License-Identifier: GPL-2.0
/*
 * Who owns which page: every leaf that takes a page with pages of every type,
 * the checks of page operands in their order, and the leaves that look at pages
 * (RDMD), get them back (RECLAIM) and write them back (WBINVD).
 */
#include "fixture.h"

/* A page of every type, besides NDA. */
struct zoo {
	struct swt_std std;
	u64 pa[PT_EPT + 1];
};

/* Found in the hole below 1 MiB, or in what the host reserved for PAMTs. */
static u64 find_reserved(struct swt *t)
{
	struct tdx_sw_page_info info;
	u64 pa;

	for (pa = 0; pa < SZ_4G; pa += SZ_64K) {
		if (!tdx_sw_test_page(pa, &info) && info.type == PT_RSVD)
			return pa;
	}
	KUNIT_FAIL_AND_ABORT(t->test, "no reserved page");
	return 0;
}

static void build_zoo(struct swt *t, struct zoo *zoo, enum swt_stage stage)
{
	memset(zoo, 0, sizeof(*zoo));
	swt_std_build(t, &zoo->std, 0, stage);
	zoo->pa[PT_RSVD] = find_reserved(t);
	zoo->pa[PT_REG] = zoo->std.mapped;
	zoo->pa[PT_TDR] = zoo->std.td.tdr;
	zoo->pa[PT_TDCX] = zoo->std.td.tdcx[3];
	zoo->pa[PT_TDVPR] = zoo->std.td.vcpu;
	zoo->pa[PT_EPT] = zoo->std.table;
}

static const u8 used_types[] = { PT_RSVD, PT_REG, PT_TDR, PT_TDCX, PT_TDVPR, PT_EPT };

/* ---- leaves that take a page ---- */

struct taker {
	u16 leaf;
	u16 operand;
	enum swt_stage stage;	/* in which the leaf is legal */
	const char *name;
};

static const struct taker takers[] = {
	{ L_MNG_CREATE, OP_RCX, STAGE_INITIALIZED, "MNG.CREATE" },
	{ L_MNG_ADDCX, OP_RCX, STAGE_KEYED, "MNG.ADDCX" },
	{ L_VP_CREATE, OP_RCX, STAGE_INITIALIZED, "VP.CREATE" },
	{ L_VP_ADDCX, OP_RCX, STAGE_INITIALIZED, "VP.ADDCX" },
	{ L_MEM_PAGE_ADD, OP_R8, STAGE_INITIALIZED, "MEM.PAGE.ADD" },
	{ L_MEM_SEPT_ADD, OP_R8, STAGE_INITIALIZED, "MEM.SEPT.ADD" },
	{ L_MEM_PAGE_AUG, OP_R8, STAGE_RUNNABLE, "MEM.PAGE.AUG" },
	{ L_MEM_PAGE_RELOCATE, OP_R8, STAGE_RUNNABLE, "MEM.PAGE.RELOCATE" },
	{ L_MEM_PAGE_DEMOTE, OP_R8, STAGE_RUNNABLE, "MEM.PAGE.DEMOTE" },
};

static void describe_taker(const struct taker *taker, char *desc)
{
	strscpy(desc, taker->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(takers, takers, describe_taker);

static void taker_args(struct swt *t, const struct taker *taker, struct swt_std *std, u64 pa,
		       struct tdx_module_args *args)
{
	swt_std_args(std, taker->leaf, args);
	if (taker->leaf == L_MNG_CREATE)
		args->rdx = swt_key(t, 3);
	if (taker->operand == OP_R8)
		args->r8 = pa;
	else
		args->rcx = pa;
}

/* A TD with a page of every type, and the TD that the leaf works on. */
static struct swt_std *build_taker(struct swt *t, const struct taker *taker, struct zoo *zoo)
{
	struct swt_std *std = &zoo->std;

	if (taker->stage >= STAGE_INITIALIZED) {
		build_zoo(t, zoo, taker->stage);
		swt_std_for(t, std, taker->leaf);
		return std;
	}
	build_zoo(t, zoo, STAGE_RUNNABLE);
	std = kunit_kzalloc(t->test, sizeof(*std), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t->test, std);
	swt_std_build(t, std, 1, taker->stage);
	return std;
}

/* The leaf shares the TDR already, which is in its own way before the type is. */
static u64 why_not_taken(const struct taker *taker, const struct swt_std *std, u64 pa)
{
	if (pa == std->td.tdr && taker->leaf != L_MNG_CREATE)
		return ST_OPERAND_BUSY;
	return ST_PAGE_METADATA_INCORRECT;
}

static void page_in_use_is_not_taken(struct kunit *test)
{
	const struct taker *taker = test->param_value;
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_std *std;
	struct zoo zoo;
	unsigned int i;

	std = build_taker(t, taker, &zoo);
	for (i = 0; i < ARRAY_SIZE(used_types); i++) {
		u64 pa = zoo.pa[used_types[i]];

		taker_args(t, taker, std, pa, &args);
		swt_no(t, why_not_taken(taker, std, pa) | taker->operand, taker->leaf, &args);
	}
	taker_args(t, taker, std, zoo.std.spare, &args);
	swt_ok(t, taker->leaf, &args);
}

#define B_ALIGN		BIT(0)
#define B_HKID		BIT(1)
#define B_MAXPA		BIT(2)
#define B_OUTSIDE	BIT(3)
#define B_LOCK_4K	BIT(4)
#define B_LOCK_2M	BIT(5)
#define B_LOCK_1G	BIT(6)
#define B_TYPE		BIT(7)

/* Each check alone and with all those that come after it. */
static const struct {
	u16 bits;
	u64 want;
} page_checks[] = {
	{ B_ALIGN, ST_OPERAND_INVALID },
	{ B_HKID, ST_OPERAND_INVALID },
	{ B_MAXPA, ST_OPERAND_INVALID },
	{ B_ALIGN | B_OUTSIDE, ST_OPERAND_INVALID },
	{ B_HKID | B_LOCK_4K | B_TYPE, ST_OPERAND_INVALID },
	{ B_OUTSIDE, ST_OPERAND_ADDR_RANGE_ERROR },
	{ B_LOCK_4K, ST_OPERAND_BUSY },
	{ B_LOCK_2M, ST_OPERAND_BUSY },
	{ B_LOCK_1G, ST_OPERAND_BUSY },
	{ B_LOCK_4K | B_TYPE, ST_OPERAND_BUSY },
	{ B_LOCK_2M | B_TYPE, ST_OPERAND_BUSY },
	{ B_TYPE, ST_PAGE_METADATA_INCORRECT },
};

static u64 spoil(struct zoo *zoo, u16 bits)
{
	unsigned int shift = tdx_sw_keyid_shift();
	u64 pa = bits & B_TYPE ? zoo->pa[PT_EPT] : zoo->std.spare;

	if (bits & B_OUTSIDE)
		pa = BIT_ULL(shift) - SZ_1G;
	if (bits & B_ALIGN)
		pa |= 0x800;
	if (bits & B_HKID)
		pa |= BIT_ULL(shift);
	if (bits & B_MAXPA)
		pa |= BIT_ULL(52);
	return pa;
}

static void lock_page(struct swt *t, u64 pa, unsigned int level)
{
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_PAGE, .object = pa, .level = level, .excl = true });
}

/*
 * The leaf's other operands lie in the same 1 GiB, so that the big locks would
 * be met there first: TDR and TDVPR are explicit operands like this one.
 */
static bool met_elsewhere(const struct taker *taker, u16 bits)
{
	return taker->leaf != L_MNG_CREATE && bits & (B_LOCK_2M | B_LOCK_1G);
}

static void page_operand_is_checked_in_order(struct kunit *test)
{
	const struct taker *taker = test->param_value;
	struct swt *t = swt_of(test);
	struct swt_std *std;
	struct zoo zoo;
	unsigned int i;

	std = build_taker(t, taker, &zoo);
	for (i = 0; i < ARRAY_SIZE(page_checks); i++) {
		u16 bits = page_checks[i].bits;
		u64 pa = spoil(&zoo, bits), plain = spoil(&zoo, bits & B_TYPE);
		struct tdx_module_args args;

		if (met_elsewhere(taker, bits))
			continue;
		if (bits & B_LOCK_4K)
			lock_page(t, plain, 0);
		if (bits & B_LOCK_2M)
			lock_page(t, plain, 1);
		if (bits & B_LOCK_1G)
			lock_page(t, plain, 2);
		taker_args(t, taker, std, pa, &args);
		swt_no(t, page_checks[i].want | taker->operand, taker->leaf, &args);
		swt_unlock_all(t);
	}
	swt_check(t);
}

/* The source of PAGE.ADD is shared memory and comes before the page. */
static void source_is_checked_before_the_page(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	unsigned int i, shift = tdx_sw_keyid_shift();
	struct swt_std std;
	u64 bad[] = { 0x800, (u64)t->m.first_key << shift, BIT_ULL(52) };

	swt_std_build(t, &std, 0, STAGE_INITIALIZED);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		swt_std_args(&std, L_MEM_PAGE_ADD, &args);
		args.r9 |= bad[i];
		swt_no(t, ST_OPERAND_INVALID | OP_R9, L_MEM_PAGE_ADD, &args);
		swt_std_args(&std, L_MEM_PAGE_ADD, &args);
		args.r8 = std.mapped;
		args.r9 |= bad[i];
		swt_no(t, ST_OPERAND_INVALID | OP_R9, L_MEM_PAGE_ADD, &args);
	}
}

/* ---- leaves that name a TD or a vCPU ---- */

static void only_a_tdr_is_a_tdr(struct kunit *test)
{
	struct swt *t = swt_of(test);
	const struct sheet_leaf *leaf;
	struct zoo zoo;
	unsigned int i, j;

	build_zoo(t, &zoo, STAGE_RUNNABLE);
	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		u16 operand = leaf->td == TD_IN_RCX || leaf->td == TD_OF_RCX ? OP_RCX : OP_RDX;
		bool vcpu = leaf->td == TD_OF_RCX || leaf->td == TD_OF_RDX;

		if (leaf->td == TD_IN_NONE)
			continue;
		for (j = 0; j <= ARRAY_SIZE(used_types); j++) {
			u8 type = j < ARRAY_SIZE(used_types) ? used_types[j] : PT_NDA;
			u64 pa = type == PT_NDA ? zoo.std.spare : zoo.pa[type];
			struct tdx_module_args args;

			if (type == (vcpu ? PT_TDVPR : PT_TDR))
				continue;
			swt_std_args(&zoo.std, leaf->nr, &args);
			if (operand == OP_RCX)
				args.rcx = pa;
			else
				args.rdx = pa;
			swt_no(t, ST_PAGE_METADATA_INCORRECT | operand, leaf->nr, &args);
		}
	}
}

static void td_operand_is_a_page_operand(struct kunit *test)
{
	struct swt *t = swt_of(test);
	const struct sheet_leaf *leaf;
	struct swt_std std;
	unsigned int i, shift = tdx_sw_keyid_shift();

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		bool rcx = leaf->td == TD_IN_RCX || leaf->td == TD_OF_RCX;
		u16 operand = rcx ? OP_RCX : OP_RDX;
		struct tdx_module_args args;
		u64 *reg = rcx ? &args.rcx : &args.rdx;

		if (leaf->td == TD_IN_NONE)
			continue;
		swt_std_args(&std, leaf->nr, &args);
		*reg |= 0x800;
		swt_no(t, ST_OPERAND_INVALID | operand, leaf->nr, &args);
		/* VP.ENTER has flags up there, SEPT leaves reserved bits: same answer. */
		swt_std_args(&std, leaf->nr, &args);
		*reg |= BIT_ULL(shift);
		swt_no(t, ST_OPERAND_INVALID | operand, leaf->nr, &args);
		swt_std_args(&std, leaf->nr, &args);
		*reg = BIT_ULL(shift) - SZ_1G;
		swt_no(t, ST_OPERAND_ADDR_RANGE_ERROR | operand, leaf->nr, &args);
	}
}

/* ---- RDMD ---- */

static void rdmd_describes_every_type(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args = {};
	struct zoo zoo;
	unsigned int i;

	build_zoo(t, &zoo, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(used_types); i++) {
		if (used_types[i] != PT_RSVD)
			swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = zoo.pa[used_types[i]]));
	}
	/* BEPOCH of a page and of a table that are blocked */
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = zoo.std.blocked));
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = zoo.std.table));
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = zoo.std.spare));

	args.rcx = zoo.pa[PT_RSVD];
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_PAGE_RDMD, &args));
	KUNIT_EXPECT_EQ(test, (u64)PT_RSVD, args.rcx);
	KUNIT_EXPECT_EQ(test, 0ULL, args.r8);
	swt_check(t);
}

static void rdmd_refuses_bad_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);

	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_PAGE_RDMD, SWT_ARGS(.rcx = page | 0x10));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_PAGE_RDMD,
	       SWT_ARGS(.rcx = page | BIT_ULL(tdx_sw_keyid_shift())));
	swt_no(t, ST_OPERAND_ADDR_RANGE_ERROR | OP_RCX, L_PAGE_RDMD,
	       SWT_ARGS(.rcx = BIT_ULL(tdx_sw_keyid_shift()) - SZ_1G));
}

/* ---- RECLAIM ---- */

static void expect_reclaim_outputs(struct swt *t, struct zoo *zoo, u8 type,
				   struct tdx_module_args *args)
{
	KUNIT_EXPECT_EQ(t->test, (u64)type, args->rcx);
	KUNIT_EXPECT_EQ(t->test, type == PT_TDR ? 0 : zoo->std.td.tdr, args->rdx);
	KUNIT_EXPECT_EQ(t->test, 0ULL, args->r8);
	KUNIT_EXPECT_EQ(t->test, 0ULL, args->r9);
	KUNIT_EXPECT_EQ(t->test, 0ULL, args->r10);
	KUNIT_EXPECT_EQ(t->test, 0ULL, args->r11);
}

static void nothing_is_reclaimed_before_teardown(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	unsigned int i, blocked;
	struct zoo zoo;

	build_zoo(t, &zoo, STAGE_RUNNABLE);
	for (blocked = 0; blocked < 2; blocked++) {
		for (i = 0; i < ARRAY_SIZE(used_types); i++) {
			u8 type = used_types[i];

			args = (struct tdx_module_args) { .rcx = zoo.pa[type] };
			if (type == PT_RSVD) {
				swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_RECLAIM,
				       &args);
				continue;
			}
			swt_no(t, ST_LIFECYCLE_STATE_INCORRECT | ST_ANY_DETAIL, L_PAGE_RECLAIM,
			       &args);
			expect_reclaim_outputs(t, &zoo, type, &args);
		}
		swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_RECLAIM,
		       SWT_ARGS(.rcx = zoo.std.spare));
		if (!blocked)
			swt_td_block(t, &zoo.std.td);
	}
}

static void every_type_is_reclaimed_in_teardown(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct zoo zoo;
	unsigned int i;
	u64 sum;

	build_zoo(t, &zoo, STAGE_RUNNABLE);
	swt_td_block(t, &zoo.std.td);
	swt_td_free_key(t, &zoo.std.td);
	args = (struct tdx_module_args) { .rcx = zoo.std.td.tdr };
	swt_no(t, ST_TD_ASSOCIATED_PAGES_EXIST | ST_ANY_DETAIL, L_PAGE_RECLAIM, &args);
	expect_reclaim_outputs(t, &zoo, PT_TDR, &args);

	for (i = 0; i < ARRAY_SIZE(used_types); i++) {
		u8 type = used_types[i];

		if (type == PT_RSVD || type == PT_TDR)
			continue;
		sum = swt_page_sum(zoo.pa[type]);
		swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = zoo.pa[type]));
		KUNIT_EXPECT_NE(test, sum, swt_page_sum(zoo.pa[type]));
		/* Gone is gone. */
		swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_RECLAIM,
		       SWT_ARGS(.rcx = zoo.pa[type]));
	}
}

static void reclaim_respects_locks(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct zoo zoo;

	build_zoo(t, &zoo, STAGE_RUNNABLE);
	swt_td_block(t, &zoo.std.td);
	swt_td_free_key(t, &zoo.std.td);

	lock_page(t, zoo.pa[PT_REG], 0);
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RECLAIM, SWT_ARGS(.rcx = zoo.pa[PT_REG]));
	swt_unlock_all(t);
	lock_page(t, zoo.std.td.tdr, 0);
	swt_no(t, ST_OPERAND_BUSY | OP_TDR, L_PAGE_RECLAIM, SWT_ARGS(.rcx = zoo.pa[PT_REG]));
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_RECLAIM, SWT_ARGS(.rcx = zoo.std.td.tdr));
	swt_unlock_all(t);
	swt_check(t);
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = zoo.pa[PT_REG]));
}

/* ---- WBINVD ---- */

static void wbinvd_is_for_free_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 key = (u64)swt_key(t, 0) << tdx_sw_keyid_shift();
	struct zoo zoo;
	unsigned int i;

	build_zoo(t, &zoo, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(used_types); i++)
		swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_PAGE_WBINVD,
		       SWT_ARGS(.rcx = zoo.pa[used_types[i]] | key));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_PAGE_WBINVD,
	       SWT_ARGS(.rcx = zoo.std.spare | key | 0x40));
	swt_no(t, ST_OPERAND_ADDR_RANGE_ERROR | OP_RCX, L_PAGE_WBINVD,
	       SWT_ARGS(.rcx = (BIT_ULL(tdx_sw_keyid_shift()) - SZ_1G) | key));
	lock_page(t, zoo.std.spare, 0);
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_PAGE_WBINVD,
	       SWT_ARGS(.rcx = zoo.std.spare | key));
	swt_unlock_all(t);
	swt_ok(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = zoo.std.spare | key));
}

/* Type, owner and size are told before the address is refused. */
static void reclaim_tells_what_a_misaligned_page_is(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 status, pa = swt_page(t);
	struct tdx_module_args args = { .rcx = pa | PAGE_SIZE };
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_KEYED);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_large(pa, td.tdr));
	status = swt_call(t, L_PAGE_RECLAIM, &args);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_large(pa, 0));
	KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, status);
	KUNIT_EXPECT_EQ(test, (u64)PT_REG, args.rcx);
	KUNIT_EXPECT_EQ(test, td.tdr, args.rdx);
	KUNIT_EXPECT_EQ(test, 1ULL, args.r8);
}

/* It has no entry of its own that could say so. */
static void page_inside_a_large_one_is_in_use(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 create, wbinvd, rdmd, pa = swt_page(t);
	struct tdx_module_args args = { .rcx = pa & ~(SZ_2M - 1ULL) };
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_KEYED);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_large(pa, td.tdr));
	create = swt_call(t, L_MNG_CREATE, SWT_ARGS(.rcx = pa, .rdx = swt_key(t, 1)));
	wbinvd = swt_call(t, L_PAGE_WBINVD, SWT_ARGS(.rcx = pa));
	rdmd = swt_call(t, L_PAGE_RDMD, &args);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_large(pa, 0));
	KUNIT_EXPECT_EQ(test, ST_PAGE_METADATA_INCORRECT | OP_RCX, create);
	KUNIT_EXPECT_EQ(test, ST_PAGE_METADATA_INCORRECT | OP_RCX, wbinvd);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rdmd);
	KUNIT_EXPECT_EQ(test, (u64)PT_REG, args.rcx);
	KUNIT_EXPECT_EQ(test, td.tdr, args.rdx);
	KUNIT_EXPECT_EQ(test, 1ULL, args.r8);
	swt_check(t);
}

static struct kunit_case pamt_cases[] = {
	KUNIT_CASE(reclaim_tells_what_a_misaligned_page_is),
	KUNIT_CASE(page_inside_a_large_one_is_in_use),
	KUNIT_CASE_PARAM(page_in_use_is_not_taken, takers_gen_params),
	KUNIT_CASE_PARAM(page_operand_is_checked_in_order, takers_gen_params),
	KUNIT_CASE(source_is_checked_before_the_page),
	KUNIT_CASE(only_a_tdr_is_a_tdr),
	KUNIT_CASE(td_operand_is_a_page_operand),
	KUNIT_CASE(rdmd_describes_every_type),
	KUNIT_CASE(rdmd_refuses_bad_pages),
	KUNIT_CASE(nothing_is_reclaimed_before_teardown),
	KUNIT_CASE(every_type_is_reclaimed_in_teardown),
	KUNIT_CASE(reclaim_respects_locks),
	KUNIT_CASE(wbinvd_is_for_free_pages),
	{}
};

static struct kunit_suite pamt_suite = {
	.name = "tdx_sw_pamt",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = pamt_cases,
};

kunit_test_suite(pamt_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: page metadata");
MODULE_LICENSE("GPL");
