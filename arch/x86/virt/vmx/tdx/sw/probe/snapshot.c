// SPDX-License-Identifier: GPL-2.0
/*
 * The module's whole state for tests: record it, compare two records, and check
 * what must hold between all pages of all TDs.
 *
 * Takes no locks: the test keeps the module still meanwhile.
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "pages/pages.h"
#include "probe/sw_test.h"

struct page_record {
	u64 pa;
	struct tdx_sw_pamt pamt[SEAM_NR_SIZES];
	u64 content[PAGE_SIZE / sizeof(u64)];
};

struct tdx_sw_snapshot {
	struct tdx_sw_state state;
	unsigned int nr;
	struct page_record pages[];
};

static bool is_sept_table(const struct tdx_sw_pamt *pamt, u64 pa, const struct tdx_sw_tdr *tdr)
{
	if (pamt->type == PT_EPT)
		return true;
	return pamt->type == PT_TDCX && tdr->tdcx_pa[TDCX_SEPT_ROOT] == pa;
}

/* Leave out the marks that a failed attempt at a lock leaves. */
static void strip_marks(struct page_record *rec)
{
	const struct tdx_sw_pamt *pamt = &rec->pamt[SEAM_4K];
	struct tdx_sw_tdcs *tdcs = (void *)rec->content;
	const struct tdx_sw_tdr *tdr;
	unsigned int i;

	if (pamt->type != PT_EPT && pamt->type != PT_TDCX)
		return;

	tdr = tdx_sw_map(pamt_owner(pamt));
	if (pamt->type == PT_TDCX && tdr->tdcx_pa[TDCX_TDCS] == rec->pa) {
		tdcs->op_state_lock &= ~SHAREX_HOST_PRIORITY;
		tdcs->sept_lock &= ~SHAREX_HOST_PRIORITY;
	}
	if (!is_sept_table(pamt, rec->pa, tdr))
		return;
	for (i = 0; i < ARRAY_SIZE(rec->content); i++)
		rec->content[i] &= ~SEPT_HOST_PRIORITY;
}

static void record_page(struct page_record *rec, u64 pa)
{
	unsigned int level;

	rec->pa = pa;
	memcpy(rec->content, tdx_sw_map(pa), PAGE_SIZE);
	for (level = 0; level < SEAM_NR_SIZES; level++) {
		const struct tdx_sw_pamt *pamt = pamt_entry(pa, level);

		if (!pamt)
			return;
		rec->pamt[level] = *pamt;
		rec->pamt[level].lock &= ~SHAREX_HOST_PRIORITY;
	}
	strip_marks(rec);
}

struct tdx_sw_snapshot *tdx_sw_snapshot_take(const u64 *pages, unsigned int nr)
{
	struct tdx_sw_snapshot *snap;
	unsigned int i;

	snap = kvzalloc(struct_size(snap, pages, nr), GFP_KERNEL);
	if (!snap)
		return ERR_PTR(-ENOMEM);

	snap->state = *tdx_sw;
	snap->nr = nr;
	for (i = 0; i < nr; i++)
		record_page(&snap->pages[i], pages[i]);
	return snap;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_snapshot_take);

void tdx_sw_snapshot_free(struct tdx_sw_snapshot *snap)
{
	if (!IS_ERR(snap))
		kvfree(snap);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_snapshot_free);

struct diff {
	char *buf;
	size_t len;
	size_t pos;
	unsigned int nr;
};

static __printf(2, 3) void note(struct diff *diff, const char *fmt, ...)
{
	va_list args;

	diff->nr++;
	if (!diff->buf)
		return;
	va_start(args, fmt);
	diff->pos += vscnprintf(diff->buf + diff->pos, diff->len - diff->pos, fmt, args);
	va_end(args);
}

static void diff_item(struct diff *diff, const char *name, const void *a, const void *b,
		      size_t size)
{
	if (memcmp(a, b, size))
		note(diff, "%s\n", name);
}

static void diff_state(struct diff *diff, const struct tdx_sw_state *a,
		       const struct tdx_sw_state *b)
{
	unsigned int i;

	diff_item(diff, "sys_state", &a->sys_state, &b->sys_state, sizeof(a->sys_state));
	diff_item(diff, "sys_lock", &a->sys_lock, &b->sys_lock, sizeof(a->sys_lock));
	diff_item(diff, "kot_lock", &a->kot_lock, &b->kot_lock, sizeof(a->kot_lock));
	diff_item(diff, "ket_lock", &a->ket_lock, &b->ket_lock, sizeof(a->ket_lock));
	diff_item(diff, "global_hkid", &a->global_hkid, &b->global_hkid, sizeof(a->global_hkid));
	diff_item(diff, "lp_initialized", &a->lp_initialized, &b->lp_initialized,
		  sizeof(a->lp_initialized));
	diff_item(diff, "pkgs", &a->pkgs, &b->pkgs, sizeof(a->pkgs));
	diff_item(diff, "pkgs_keyed", &a->pkgs_keyed, &b->pkgs_keyed, sizeof(a->pkgs_keyed));
	diff_item(diff, "nr_tdmrs", &a->nr_tdmrs, &b->nr_tdmrs, sizeof(a->nr_tdmrs));

	for (i = 0; i < min(a->nr_tdmrs, b->nr_tdmrs); i++) {
		if (memcmp(&a->tdmrs[i], &b->tdmrs[i], sizeof(a->tdmrs[i])))
			note(diff, "TDMR %u\n", i);
	}
	for (i = 0; i < SEAM_KOT_SIZE; i++) {
		const struct tdx_sw_key *x = &a->kot[i], *y = &b->kot[i];

		if (x->state != y->state || x->flush_pkgs != y->flush_pkgs)
			note(diff, "key ID %u: state %u -> %u, packages %llx -> %llx\n", i,
			     x->state, y->state, x->flush_pkgs, y->flush_pkgs);
	}
	for (i = 0; i < SEAM_MAX_PACKAGES; i++) {
		if (memcmp(&a->wbcache[i], &b->wbcache[i], sizeof(a->wbcache[i])))
			note(diff, "write-back of package %u\n", i);
	}
}

static void diff_page(struct diff *diff, const struct page_record *a,
		      const struct page_record *b)
{
	unsigned int i;

	for (i = 0; i < SEAM_NR_SIZES; i++) {
		const struct tdx_sw_pamt *x = &a->pamt[i], *y = &b->pamt[i];

		if (memcmp(x, y, sizeof(*x)))
			note(diff, "PAMT of %llx level %u: %u/%llx/%llu/%x -> %u/%llx/%llu/%x\n",
			     a->pa, i, x->type, pamt_owner(x), x->bepoch, x->lock,
			     y->type, pamt_owner(y), y->bepoch, y->lock);
	}
	for (i = 0; i < ARRAY_SIZE(a->content); i++) {
		if (a->content[i] == b->content[i])
			continue;
		note(diff, "content of %llx: first at %zx: %llx -> %llx\n", a->pa,
		     i * sizeof(u64), a->content[i], b->content[i]);
		return;
	}
}

unsigned int tdx_sw_snapshot_diff(const struct tdx_sw_snapshot *a,
				  const struct tdx_sw_snapshot *b, char *buf, size_t len)
{
	struct diff diff = { .buf = len ? buf : NULL, .len = len };
	unsigned int i;

	if (diff.buf)
		diff.buf[0] = '\0';

	diff_state(&diff, &a->state, &b->state);
	if (a->nr != b->nr)
		note(&diff, "different lists of pages\n");
	for (i = 0; i < min(a->nr, b->nr); i++)
		diff_page(&diff, &a->pages[i], &b->pages[i]);
	return diff.nr;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_snapshot_diff);

/* ---- invariants ---- */

struct check {
	const u64 *pages;
	unsigned int nr;
	unsigned int violations;
	u64 tdr;
	unsigned int mapped;		/* pages and tables found in an S-EPT */
	u64 sum;			/* of their addresses, less those of all owned */
};

static __printf(2, 3) void complain(struct check *check, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	check->violations++;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_err("violation: %pV\n", &vaf);
	va_end(args);
}

static int check_sept_entry(const struct tdx_sw_sept_info *info, void *data)
{
	struct check *check = data;
	bool table = info->state & SEPT_STATE_NL;
	struct tdx_sw_page_info page = {};

	check->mapped++;
	check->sum += info->hpa;
	if (info->locked)
		complain(check, "TD %llx: entry of %llx level %u locked", check->tdr, info->gpa,
			 info->level);
	if (tdx_sw_test_page(info->hpa, &page) || page.owner != check->tdr ||
	    page.type != (table ? PT_EPT : PT_REG) || page.level != (table ? 0 : info->level))
		complain(check, "TD %llx: %llx level %u refers to %llx, type %u of %llx",
			 check->tdr, info->gpa, info->level, info->hpa, page.type, page.owner);
	return 0;
}

/* The page as the TD has it: of a large one only the first 4 KiB stands for it. */
static bool is_owned(struct check *check, u64 pa, struct tdx_sw_page_info *page)
{
	return !tdx_sw_test_page(pa, page) && page->owner == check->tdr &&
	       page->type > PT_RSVD && page->type != PT_TDR &&
	       !(pa & (BIT_ULL(SEPT_SHIFT(page->level)) - 1));
}

/* In units of 4 KiB, as CHLDCNT has them. */
static u64 count_owned(struct check *check)
{
	struct tdx_sw_page_info page;
	unsigned int i;
	u64 nr = 0;

	for (i = 0; i < check->nr; i++) {
		if (is_owned(check, check->pages[i], &page))
			nr += BIT_ULL(9 * page.level);
	}
	return nr;
}

/* One for each entry that refers to it. */
static unsigned int count_mapped(struct check *check)
{
	struct tdx_sw_page_info page;
	unsigned int i, nr = 0;

	for (i = 0; i < check->nr; i++) {
		if (is_owned(check, check->pages[i], &page) &&
		    (page.type == PT_REG || page.type == PT_EPT)) {
			check->sum -= check->pages[i];
			nr++;
		}
	}
	return nr;
}

static void check_td(struct check *check, u64 tdr)
{
	struct tdx_sw_td_info td;
	unsigned int mapped;
	u64 owned;
	int err;

	check->tdr = tdr;
	if (tdx_sw_test_td(tdr, &td))
		return;

	owned = count_owned(check);
	if (owned != td.chldcnt)
		complain(check, "TD %llx: CHLDCNT %llu, owns %llu", tdr, td.chldcnt, owned);

	check->mapped = 0;
	check->sum = 0;
	err = tdx_sw_test_sept_walk(tdr, check_sept_entry, check);
	mapped = count_mapped(check);
	/* As many, with the same sum: no page is mapped twice instead of another one. */
	if (!err && (mapped != check->mapped || check->sum))
		complain(check, "TD %llx: %u pages and tables in the S-EPT, owns %u", tdr,
			 check->mapped, mapped);
}

static void check_page(struct check *check, u64 pa)
{
	struct tdx_sw_page_info page, owner;

	if (tdx_sw_test_page(pa, &page))
		return;
	if (sharex_is_held(page.lock))
		complain(check, "page %llx locked: %x", pa, page.lock);
	if (page.type == PT_TDR && page.owner)
		complain(check, "TDR %llx has owner %llx", pa, page.owner);
	if (page.type > PT_RSVD && page.type != PT_TDR &&
	    (tdx_sw_test_page(page.owner, &owner) || owner.type != PT_TDR))
		complain(check, "page %llx of type %u has owner %llx", pa, page.type, page.owner);
	if (page.type == PT_TDR)
		check_td(check, pa);
}

unsigned int tdx_sw_test_check(const u64 *pages, unsigned int nr)
{
	struct check check = { .pages = pages, .nr = nr };
	unsigned int i;

	if (sharex_is_held(tdx_sw->sys_lock) || sharex_is_held(tdx_sw->kot_lock) ||
	    sharex_is_held(tdx_sw->ket_lock))
		complain(&check, "a global lock is held");
	for (i = 0; i < nr; i++)
		check_page(&check, pages[i]);
	return check.violations;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_check);
