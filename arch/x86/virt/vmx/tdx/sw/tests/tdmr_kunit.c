// SPDX-License-Identifier: GPL-2.0
/*
 * TDMRs: what TDH.SYS.CONFIG refuses of them, and their initialisation.
 */
#include <linux/string.h>

#include "fresh.h"

/* ---- what is refused ---- */

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

static void size_beyond_width(struct swt_fresh *f)
{
	f->info[0].size = BIT_ULL(tdx_sw_keyid_shift()) + G(1);
}

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

static void rsvd_beyond(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, G(2), PAGE_SIZE);
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

static void pamt_in_other_tdmr(struct swt_fresh *f)
{
	f->nr_tdmrs = 2;
	f->info[1].pamt[0].base = f->info[0].base + G(1) - PAGE_SIZE;
}

static void outside_cmrs(struct swt_fresh *f)		{ use_far(f); }
static void lower_end_reserved(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, 0, M(1));
}

static void upper_end_reserved(struct swt_fresh *f)
{
	use_far(f);
	rsvd_at(f, 0, G(1) - M(1), M(1));
}

#define AT(tdmr, second, other)	((tdmr) | (second) << 8 | (other) << 16)

static const struct bad_tdmr bad_tdmrs[] = {
	{ "base not aligned", base_unaligned, ST_INVALID_TDMR },
	{ "base with key ID", base_with_key, ST_INVALID_TDMR },
	{ "size not aligned", size_unaligned, ST_INVALID_TDMR },
	{ "size 0", size_zero, ST_INVALID_TDMR },
	{ "end with key ID", size_beyond_width, ST_INVALID_TDMR },
	{ "same TDMR twice", twice, ST_NON_ORDERED_TDMR | AT(1, 0, 0) },
	{ "TDMRs descend", descending, ST_NON_ORDERED_TDMR | AT(1, 0, 0) },
	{ "reserved area not aligned", rsvd_unaligned, ST_INVALID_RESERVED_IN_TDMR | AT(0, 0, 0) },
	{ "size of reserved area not aligned", rsvd_size_unaligned,
	  ST_INVALID_RESERVED_IN_TDMR | AT(0, 1, 0) },
	{ "reserved area outside", rsvd_outside, ST_INVALID_RESERVED_IN_TDMR | AT(0, 0, 0) },
	{ "reserved area far outside", rsvd_beyond, ST_INVALID_RESERVED_IN_TDMR | AT(0, 0, 0) },
	{ "reserved area after null", rsvd_after_null,
	  ST_INVALID_RESERVED_IN_TDMR | ST_ANY_DETAIL },
	{ "reserved areas overlap", rsvd_overlap, ST_NON_ORDERED_RESERVED_IN_TDMR | AT(0, 1, 0) },
	{ "reserved areas descend", rsvd_descending,
	  ST_NON_ORDERED_RESERVED_IN_TDMR | AT(0, 1, 0) },
	/* The level comes second. */
	{ "PAMT not aligned", pamt_unaligned, ST_INVALID_PAMT | AT(0, 0, 0) },
	{ "PAMT size not aligned", pamt_size_unaligned, ST_INVALID_PAMT | AT(0, 1, 0) },
	{ "1 GiB PAMT too small", pamt_1g_too_small, ST_INVALID_PAMT | AT(0, 2, 0) },
	{ "2 MiB PAMT too small", pamt_2m_too_small, ST_INVALID_PAMT | AT(0, 1, 0) },
	{ "4 KiB PAMT too small", pamt_4k_too_small, ST_INVALID_PAMT | AT(0, 0, 0) },
	{ "PAMT outside CMRs", pamt_outside, ST_PAMT_OUTSIDE_CMRS | AT(0, 1, 0) },
	{ "PAMTs overlap", pamt_over_pamt, ST_PAMT_OVERLAP | ST_ANY_DETAIL },
	{ "PAMT of another TDMR", pamt_of_other_tdmr, ST_PAMT_OVERLAP | ST_ANY_DETAIL },
	{ "PAMT in usable memory", pamt_in_usable_memory, ST_PAMT_OVERLAP | AT(0, 2, 0) },
	{ "PAMT in memory of another TDMR", pamt_in_other_tdmr, ST_PAMT_OVERLAP | AT(1, 2, 0) },
	{ "TDMR outside CMRs", outside_cmrs, ST_TDMR_OUTSIDE_CMRS | ST_ANY_DETAIL, true },
	{ "upper end outside CMRs", lower_end_reserved, ST_TDMR_OUTSIDE_CMRS | ST_ANY_DETAIL,
	  true },
	{ "lower end outside CMRs", upper_end_reserved, ST_TDMR_OUTSIDE_CMRS | ST_ANY_DETAIL,
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
	/* Neighbours do not overlap. */
	rsvd_at(t->fresh, 0, 0, M(1) / 2);
	rsvd_at(t->fresh, 1, M(1) / 2, M(1) / 2);
	rsvd_at(t->fresh, 2, G(1) - M(1), M(1));
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

	/* Whatever the host has left there */
	memset(page_address(t->fresh->pamt_small[0]), 0xff, 3 * PAGE_SIZE);
	memset(page_address(t->fresh->pamt_4k[0]), 0xff, t->fresh->info[0].pamt[2].size);
	/* 4 MiB at a time */
	for (calls = 1; calls <= 256; calls++) {
		if (calls == 1 || calls == 256)
			swt_no(t, ST_OPERAND_ADDR_RANGE_ERROR | OP_RCX, L_PAGE_RDMD,
			       SWT_ARGS(.rcx = page));
		args = (struct tdx_module_args) { .rcx = base };
		KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_TDMR_INIT, &args));
		KUNIT_ASSERT_EQ(test, calls < 256 ? base : base + G(1), args.rdx);
	}
	/* Without success there is no next address. */
	args = (struct tdx_module_args) { .rcx = base, .rdx = base };
	swt_no(t, ST_TDMR_ALREADY_INITIALIZED | ST_ANY_DETAIL, L_SYS_TDMR_INIT, &args);
	KUNIT_EXPECT_EQ(test, 0ULL, args.rdx);
	args = (struct tdx_module_args) { .rcx = base + M(4), .rdx = base };
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_SYS_TDMR_INIT, &args);
	KUNIT_EXPECT_EQ(test, 0ULL, args.rdx);
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

static void expect_type(struct kunit *test, u64 pa, u8 type)
{
	struct tdx_sw_page_info page;

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_page(pa, &page));
	KUNIT_EXPECT_EQ_MSG(test, type, page.type, "%llx", pa);
}

/* From their first page to their last one. */
static void reserved_areas_are_never_usable(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 base;

	swt_fresh_begin(t, 1);
	use_far(t->fresh);
	rsvd_at(t->fresh, 0, M(2), M(1));
	rsvd_at(t->fresh, 1, G(1) - M(1), M(1));
	swt_fresh_tdmr_init(t);
	base = t->fresh->info[0].base;
	expect_type(test, base, PT_NDA);
	expect_type(test, base + M(2) - PAGE_SIZE, PT_NDA);
	expect_type(test, base + M(2), PT_RSVD);
	expect_type(test, base + M(3) - PAGE_SIZE, PT_RSVD);
	expect_type(test, base + M(3), PT_NDA);
	expect_type(test, base + G(1) - M(1) - PAGE_SIZE, PT_NDA);
	expect_type(test, base + G(1) - PAGE_SIZE, PT_RSVD);
}

/* Where one ends the next may begin. */
static void neighbours_have_their_own_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdmr_info *info;
	u64 border;

	swt_fresh_begin(t, 1);
	info = t->fresh->info;
	swap(info[0], info[1]);
	border = info[0].base + info[0].size;
	info[1].base = border;
	memset(info[1].rsvd, 0, sizeof(info[1].rsvd));
	t->fresh->nr_tdmrs = 2;
	swt_fresh_tdmr_init(t);
	expect_type(test, border - PAGE_SIZE, PT_NDA);
	expect_type(test, border, PT_NDA);
	expect_type(test, border + info[1].size - PAGE_SIZE, PT_NDA);
}

static struct kunit_case tdmr_cases[] = {
	KUNIT_CASE_PARAM(bad_tdmr_is_refused, bad_tdmrs_gen_params),
	KUNIT_CASE(holes_between_cmrs_are_reserved),
	KUNIT_CASE(tdmr_is_usable_when_its_gigabyte_is_done),
	KUNIT_CASE(tdmrs_are_initialised_one_by_one),
	KUNIT_CASE(reserved_areas_are_never_usable),
	KUNIT_CASE(neighbours_have_their_own_pages),
	{}
};

static struct kunit_suite tdmr_suite = {
	.name = "tdx_sw_tdmr",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = tdmr_cases,
};

kunit_test_suite(tdmr_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: TDMRs");
MODULE_LICENSE("GPL");
