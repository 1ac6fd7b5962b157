// SPDX-License-Identifier: GPL-2.0
/*
 * The part of a leaf that its row in the table describes: what it wants to be found,
 * checked and locked before it begins.
 */
#include "pages/pages.h"

static u64 lock_tdr(struct tdx_sw_call *c, u64 pa, u32 operand, bool excl)
{
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = pamt_lock_page(c, pa, operand, PT_TDR, excl, &pamt);
	if (status)
		return status;

	c->tdr_pa = pa;
	c->tdr = tdx_sw_map(pa);
	return SEAM_SUCCESS;
}

static u64 lock_tdvpr(struct tdx_sw_call *c, u64 pa, u32 operand, bool excl, bool tdr_excl)
{
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = pamt_lock_page(c, pa, operand, PT_TDVPR, excl, &pamt);
	if (status)
		return status;

	/* The TDR outlives the TDVPR: it is counted in CHLDCNT. */
	c->vcpu_pa = pa;
	c->vcpu = tdx_sw_map(pa);
	c->tdr_pa = pamt_owner(pamt);
	c->tdr = tdx_sw_map(c->tdr_pa);
	return pamt_lock_implicit(c, c->tdr_pa, SEAM_4K, OPERAND_TDR, tdr_excl, &pamt);
}

static u64 lock_td_operands(struct tdx_sw_call *c)
{
	const struct tdx_sw_leaf *leaf = c->leaf;
	bool tdr_excl, vcpu_excl = leaf->vcpu_hold == HOLD_EXCL;
	u64 rcx = c->in.rcx, rdx = c->in.rdx;

	tdr_excl = leaf->tdr_hold == HOLD_EXCL ||
		   (leaf->tdr_hold == HOLD_EXCL_V1 && c->version);

	if (leaf->flags & LEAF_RDX_FLAG)
		rdx &= ~BIT_ULL(0);
	if (leaf->flags & LEAF_TD_ENTRY)
		rcx &= SEPT_HPA;

	switch (leaf->td) {
	case TD_RCX:
		return lock_tdr(c, rcx, OPERAND_RCX, tdr_excl);
	case TD_RDX:
		return lock_tdr(c, rdx, OPERAND_RDX, tdr_excl);
	case TD_OF_RCX:
		return lock_tdvpr(c, rcx, OPERAND_RCX, vcpu_excl, tdr_excl);
	case TD_OF_RDX:
		return lock_tdvpr(c, rdx, OPERAND_RDX, vcpu_excl, tdr_excl);
	default:
		return SEAM_SUCCESS;
	}
}

static u64 check_td_state(struct tdx_sw_call *c)
{
	bool tdr_excl = c->leaf->tdr_hold == HOLD_EXCL ||
			(c->leaf->tdr_hold == HOLD_EXCL_V1 && c->version);
	struct tdx_sw_tdcs *tdcs;

	if (READ_ONCE(c->tdr->fatal))
		return SEAM_TD_FATAL;
	if (c->tdr->lifecycle != TD_KEYS_CONFIGURED)
		return SEAM_TD_KEYS_NOT_CONFIGURED;
	if (c->tdr->num_tdcx < SEAM_TDCS_PAGES)
		return SEAM_TDCS_NOT_ALLOCATED;

	tdcs = tdx_sw_tdcs(c->tdr);
	if ((c->leaf->flags & LEAF_OP_STATE_LOCK) && !tdr_excl &&
	    !tdx_sw_lock(c, TDX_SW_LOCK_OP_STATE, &tdcs->op_state_lock, false))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_OP_STATE);
	if (!(c->leaf->op_states & BIT(tdcs->op_state)))
		return op_state_incorrect(tdcs);

	c->tdcs = tdcs;
	return SEAM_SUCCESS;
}

/* RCX of the leaves that address an S-EPT entry. */
static u64 check_page_info(struct tdx_sw_call *c)
{
	unsigned int level = c->in.rcx & GENMASK_ULL(2, 0);
	u64 gpa = c->in.rcx & SEPT_HPA;

	if (c->in.rcx & ~(SEPT_HPA | GENMASK_ULL(2, 0)) ||
	    level < c->leaf->min_level || level > c->leaf->max_level ||
	    gpa & (BIT_ULL(SEPT_SHIFT(level)) - 1) || !tdx_sw_gpa_is_private(gpa))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);

	c->gpa = gpa;
	c->level = level;
	return SEAM_SUCCESS;
}

/**
 * tdx_sw_prologue() - Do the checks that the leaf's row describes
 * @c: call
 *
 * In the interface's order: reserved flag bits, TDVPR, TDR, TD state, GPA and
 * level, S-EPT tree.  A row asks for some of them or for none.
 *
 * Return: SUCCESS or the status to answer with.
 */
u64 tdx_sw_prologue(struct tdx_sw_call *c)
{
	const struct tdx_sw_leaf *leaf = c->leaf;
	u64 status;

	if ((leaf->flags & LEAF_RDX_FLAG) && c->in.rdx & ~(SEPT_HPA | BIT_ULL(0)))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RDX);
	if ((leaf->flags & LEAF_TD_ENTRY) && tdx_sw_cpuid_is_limited())
		return SEAM_LIMIT_CPUID_MAXVAL_SET;
	if ((leaf->flags & LEAF_TD_ENTRY) &&
	    c->in.rcx & ~(SEPT_HPA | VP_ENTER_RECOVERABLE | VP_ENTER_RESUME_L1))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);

	status = lock_td_operands(c);
	if (!status && (leaf->flags & LEAF_TD_STATE))
		status = check_td_state(c);
	if (!status && (leaf->flags & LEAF_PAGE_INFO))
		status = check_page_info(c);
	if (status || leaf->tree_hold == HOLD_NONE)
		return status;

	if (!tdx_sw_lock(c, TDX_SW_LOCK_SEPT_TREE, &c->tdcs->sept_lock,
			 leaf->tree_hold == HOLD_EXCL))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_SEPT_TREE);
	return SEAM_SUCCESS;
}
