// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves that take a physical page and no TD: metadata, reclaim, write-back.
 * TDH.PHYMEM.CACHE.WB belongs to the life of key IDs (keyid.c).
 */
#include "host/host.h"

static bool has_bepoch(const struct tdx_sw_pamt *pamt)
{
	return pamt->type == PT_REG || pamt->type == PT_EPT;
}

static void clear_outputs(struct tdx_sw_regs *regs)
{
	regs->rcx = 0;
	regs->rdx = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;
	regs->r11 = 0;
}

u64 tdx_sw_phymem_page_rdmd(struct tdx_sw_call *c)
{
	struct tdx_sw_pamt *pamt;
	unsigned int level;
	u64 status;

	clear_outputs(c->regs);

	status = pamt_lock_leaf(c, c->in.rcx, OPERAND_RCX, false, &pamt, &level);
	if (status)
		return status;

	c->regs->rcx = pamt->type;
	c->regs->rdx = pamt_owner(pamt);
	c->regs->r8 = level;
	if (has_bepoch(pamt))
		c->regs->r9 = READ_ONCE(pamt->bepoch);
	return SEAM_SUCCESS;
}

/* The TDR goes last: its owner is itself, held as the page operand. */
static u64 check_reclaim_tdr(const struct tdx_sw_tdr *tdr)
{
	if (tdr->lifecycle != TD_TEARDOWN)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	if (atomic64_read(&tdr->chldcnt))
		return SEAM_TD_ASSOCIATED_PAGES_EXIST;
	return SEAM_SUCCESS;
}

static u64 check_reclaim_child(struct tdx_sw_call *c, u64 owner)
{
	const struct tdx_sw_tdr *tdr = tdx_sw_map(owner);
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = pamt_lock_implicit(c, owner, SEAM_4K, OPERAND_TDR, false, &pamt);
	if (status)
		return status;
	return tdr->lifecycle == TD_TEARDOWN ? SEAM_SUCCESS : SEAM_LIFECYCLE_STATE_INCORRECT;
}

u64 tdx_sw_phymem_page_reclaim(struct tdx_sw_call *c)
{
	struct tdx_sw_pamt *pamt;
	struct tdx_sw_tdr *tdr;
	unsigned int level;
	u64 status, owner;

	clear_outputs(c->regs);

	status = pamt_lock_leaf(c, c->in.rcx, OPERAND_RCX, true, &pamt, &level);
	if (status)
		return status;
	if (pamt->type == PT_NDA || pamt->type == PT_RSVD)
		return seam_status(SEAM_PAGE_METADATA_INCORRECT, OPERAND_RCX);

	owner = pamt_owner(pamt);
	c->regs->rcx = pamt->type;
	c->regs->rdx = owner;
	c->regs->r8 = level;
	if (c->in.rcx & (BIT_ULL(SEPT_SHIFT(level)) - 1))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);

	if (pamt->type == PT_TDR)
		status = check_reclaim_tdr(tdx_sw_map(c->in.rcx));
	else
		status = check_reclaim_child(c, owner);
	if (status)
		return status;

	if (pamt->type != PT_TDR) {
		tdr = tdx_sw_map(owner);
		atomic64_sub(BIT_ULL(9 * level), &tdr->chldcnt);
	}
	pamt_release(pamt, c->in.rcx, level);
	return SEAM_SUCCESS;
}

/*
 * There are no lines to write back.  What hardware would write, the content as
 * another key leaves it, is written here: whoever cleared the page before this
 * call loses the zeroes.
 */
u64 tdx_sw_phymem_page_wbinvd(struct tdx_sw_call *c)
{
	u64 status, pa = c->in.rcx & ~tdx_sw_config.hkid_mask;
	struct tdx_sw_pamt *pamt;

	status = pamt_lock_page(c, pa, OPERAND_RCX, PT_NDA, false, &pamt);
	if (status)
		return status;

	tdx_sw_scramble(pa);
	return SEAM_SUCCESS;
}
