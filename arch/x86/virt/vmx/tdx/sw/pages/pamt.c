// SPDX-License-Identifier: GPL-2.0
/*
 * Physical address metadata: the only place where a page changes its type.
 *
 * The tables lie in memory that the host donates in TDH.SYS.CONFIG: one entry
 * per 4 KiB, per 2 MiB and per 1 GiB of each TDMR, initialised piece by piece
 * by TDH.SYS.TDMR.INIT.
 *
 * States of a page (its type, at the level at which it is used):
 *
 *	PT_NDA		the host's, or described one level further down
 *	PT_RSVD		never usable: reserved area of the TDMR; final
 *	PT_TDR		root of a TD; owner 0
 *	PT_TDCX		control page of a TD or of one of its vCPUs
 *	PT_TDVPR	root of a vCPU
 *	PT_EPT		S-EPT table
 *	PT_REG		private memory of a TD
 *
 *	PT_NDA --pamt_assign()--> PT_TDR, PT_TDCX, PT_TDVPR, PT_EPT, PT_REG
 *	PT_TDR ... PT_REG --pamt_release()--> PT_NDA
 *
 * Who may: a type changes with the entry held exclusively by the changing call;
 * whoever holds it, shared or exclusively, may rely on type and owner.  BEPOCH is
 * not guarded by the entry but by the S-EPT tree lock of the owner.
 *
 * A PT_REG page of 2 MiB can become 512 of 4 KiB, and these one again:
 * pamt_split() and pamt_join(), with the 2 MiB entry held exclusively.
 *
 * Lock order: 1 GiB entry shared, 2 MiB entry shared, 4 KiB entry; where 2 MiB are
 * concerned as a whole the 2 MiB entry exclusively, and no child: who holds or wants
 * one by its address has the 2 MiB entry shared.  A page found through an owner field
 * or an S-EPT entry locks its own entry only.
 *
 * Invariants: entries above 4 KiB are PT_NDA or PT_REG; PT_TDR has no owner; all
 * other used pages have an owner of type PT_TDR, and the owner counts them in
 * CHLDCNT.  The owner field is stale, not cleared, once the page is PT_NDA.
 */
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/kconfig.h>
#include <linux/sizes.h>

#include "pages/pages.h"

struct tdx_sw_tdmr *pamt_find_tdmr(u64 pa)
{
	unsigned int i;

	for (i = 0; i < tdx_sw->nr_tdmrs; i++) {
		struct tdx_sw_tdmr *tdmr = &tdx_sw->tdmrs[i];

		if (pa >= tdmr->base && pa - tdmr->base < tdmr->size)
			return tdmr;
	}
	return NULL;
}

static struct tdx_sw_pamt *tdmr_entry(struct tdx_sw_tdmr *tdmr, u64 offset, unsigned int level)
{
	struct tdx_sw_pamt *table = tdx_sw_map(tdmr->pamt[level]);

	return &table[offset >> SEPT_SHIFT(level)];
}

/* Entry of a page at a level; NULL unless the 1 GiB block around it is initialised. */
struct tdx_sw_pamt *pamt_entry(u64 pa, unsigned int level)
{
	struct tdx_sw_tdmr *tdmr = pamt_find_tdmr(pa);
	u64 ready;

	if (!tdmr)
		return NULL;
	/* Pairs with TDH.SYS.TDMR.INIT: the entries of the block are filled. */
	ready = ALIGN_DOWN(smp_load_acquire(&tdmr->next_init), SZ_1G);
	if (pa - tdmr->base >= ready)
		return NULL;
	return tdmr_entry(tdmr, pa - tdmr->base, level);
}

/* Entry that describes a page, and its level; without a lock, so only a hint. */
struct tdx_sw_pamt *pamt_leaf(u64 pa, unsigned int *level)
{
	struct tdx_sw_pamt *pamt;

	for (*level = SEAM_1G; ; (*level)--) {
		pamt = pamt_entry(pa, *level);
		if (!pamt || *level == SEAM_4K || READ_ONCE(pamt->type) == PT_REG)
			return pamt;
	}
}

u64 pamt_owner(const struct tdx_sw_pamt *pamt)
{
	u64 pfn = 0;
	int i;

	for (i = sizeof(pamt->owner) - 1; i >= 0; i--)
		pfn = pfn << 8 | pamt->owner[i];
	return pfn << PAGE_SHIFT;
}

static void set_owner(struct tdx_sw_pamt *pamt, u64 owner)
{
	u64 pfn = owner >> PAGE_SHIFT;
	unsigned int i;

	for (i = 0; i < sizeof(pamt->owner); i++)
		pamt->owner[i] = pfn >> (8 * i);
}

/* Take a page from the host.  Its entry is held exclusively and PT_NDA. */
void pamt_assign(struct tdx_sw_pamt *pamt, enum tdx_sw_page_type type, u64 owner)
{
	WARN_ON_ONCE(pamt->type != PT_NDA || !(pamt->lock & SHAREX_EXCL));

	set_owner(pamt, owner);
	WRITE_ONCE(pamt->bepoch, 0);
	WRITE_ONCE(pamt->type, type);
}

/*
 * Give a page back.  Without encryption the host would find what the TD left
 * there: the content is scrambled, as reading it with another key would show.
 */
void pamt_release(struct tdx_sw_pamt *pamt, u64 pa, unsigned int level)
{
	u64 end = pa + BIT_ULL(SEPT_SHIFT(level));

	WARN_ON_ONCE(pamt->type < PT_REG || !(pamt->lock & SHAREX_EXCL));

	for (; pa < end; pa += PAGE_SIZE)
		tdx_sw_scramble(pa);
	WRITE_ONCE(pamt->type, PT_NDA);
}

/* Every 4 KiB of a 2 MiB page; its entry is held exclusively. */
static struct tdx_sw_pamt *children(u64 pa)
{
	return pamt_entry(ALIGN_DOWN(pa, SZ_2M), SEAM_4K);
}

bool pamt_children_are_free(u64 pa)
{
	const struct tdx_sw_pamt *child = children(pa);
	unsigned int i;

	for (i = 0; i < SEPT_NR_ENTRIES; i++) {
		if (READ_ONCE(child[i].type) != PT_NDA)
			return false;
	}
	return true;
}

/* A 2 MiB page becomes 512 of the same TD. */
void pamt_split(struct tdx_sw_pamt *pamt, u64 pa)
{
	struct tdx_sw_pamt *child = children(pa);
	u64 owner = pamt_owner(pamt);
	unsigned int i;

	WARN_ON_ONCE(pamt->type != PT_REG || !(pamt->lock & SHAREX_EXCL));

	for (i = 0; i < SEPT_NR_ENTRIES; i++) {
		set_owner(&child[i], owner);
		WRITE_ONCE(child[i].bepoch, 0);
		WRITE_ONCE(child[i].type, PT_REG);
	}
	WRITE_ONCE(pamt->type, PT_NDA);
}

/* 512 pages of a TD become one.  BEPOCH stays what it was when it was one before. */
void pamt_join(struct tdx_sw_pamt *pamt, u64 pa)
{
	struct tdx_sw_pamt *child = children(pa);
	unsigned int i;

	WARN_ON_ONCE(pamt->type != PT_NDA || !(pamt->lock & SHAREX_EXCL));

	set_owner(pamt, pamt_owner(child));
	WRITE_ONCE(pamt->type, PT_REG);
	for (i = 0; i < SEPT_NR_ENTRIES; i++)
		WRITE_ONCE(child[i].type, PT_NDA);
}

static bool is_reserved(const struct tdx_sw_tdmr *tdmr, u64 pa)
{
	unsigned int i;

	for (i = 0; i < tdmr->nr_rsvd; i++) {
		if (pa >= tdmr->rsvd[i].start && pa < tdmr->rsvd[i].end)
			return true;
	}
	return false;
}

/* Fill the entries of a part of a TDMR that is not in use yet. */
void pamt_init_range(struct tdx_sw_tdmr *tdmr, u64 offset, u64 size)
{
	static const struct tdx_sw_pamt free = { .type = PT_NDA };
	u64 pos;

	for (pos = offset; pos < offset + size; pos += PAGE_SIZE) {
		struct tdx_sw_pamt *pamt = tdmr_entry(tdmr, pos, SEAM_4K);

		if (IS_ALIGNED(pos, SZ_1G))
			*tdmr_entry(tdmr, pos, SEAM_1G) = free;
		if (IS_ALIGNED(pos, SZ_2M))
			*tdmr_entry(tdmr, pos, SEAM_2M) = free;
		*pamt = free;
		if (is_reserved(tdmr, tdmr->base + pos))
			pamt->type = PT_RSVD;
	}
}

/* Call with the entry held; see the top of the file. */
void pamt_check_invariants(const struct tdx_sw_pamt *pamt)
{
	const struct tdx_sw_pamt *owner;

	if (!IS_ENABLED(CONFIG_INTEL_TDX_SW_MODULE_CHECKS))
		return;

	WARN_ON_ONCE(!sharex_is_held(READ_ONCE(pamt->lock)));
	switch (pamt->type) {
	case PT_NDA:
	case PT_RSVD:
		break;
	case PT_TDR:
		WARN_ON_ONCE(pamt_owner(pamt));
		break;
	case PT_REG:
	case PT_TDCX:
	case PT_TDVPR:
	case PT_EPT:
		owner = pamt_entry(pamt_owner(pamt), SEAM_4K);
		WARN_ON_ONCE(!owner || READ_ONCE(owner->type) != PT_TDR);
		break;
	default:
		WARN_ON_ONCE(1);
	}
}
