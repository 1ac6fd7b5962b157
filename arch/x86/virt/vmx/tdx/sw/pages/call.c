// SPDX-License-Identifier: GPL-2.0
/*
 * One call: the locks it holds, the checks of operands that many leaves have
 * in common, and the part of a leaf that its row in the table describes.
 *
 * Lock order, as every leaf takes them: TDVPR, TDR, OP_STATE, S-EPT tree, S-EPT
 * entry, pages.  With try-locks the order decides nothing but which operand a
 * busy status names.
 */
#include <asm/page.h>

#include "pages/sept_entry.h"
#include "base/base.h"

static void hold(struct tdx_sw_call *c, enum tdx_sw_held_kind kind, void *object, bool excl)
{
	if (WARN_ON_ONCE(c->nr_held == TDX_SW_MAX_HELD))
		return;
	c->held[c->nr_held++] = (struct tdx_sw_held) {
		.object = object, .kind = kind, .excl = excl,
	};
}

/**
 * tdx_sw_lock() - Try a lock on behalf of a call
 * @c: call
 * @class: what the lock guards; fault injection aims at it
 * @lock: lock
 * @excl: exclusive or shared
 *
 * Return: true if the call holds it now.
 */
bool tdx_sw_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class, u16 *lock, bool excl)
{
	bool ok;

	if (inject_lock(c, class))
		return false;
	if (class == TDX_SW_LOCK_OP_STATE || class == TDX_SW_LOCK_SEPT_TREE)
		ok = sharex_trylock_host(lock, excl);
	else
		ok = sharex_trylock(lock, excl);
	if (ok)
		hold(c, HELD_SHAREX, lock, excl);
	return ok;
}

/**
 * tdx_sw_lock_pamt() - Try the lock of a PAMT entry
 * @c: call
 * @class: PAGE, TDR or TDVPR
 * @pamt: entry
 * @excl: exclusive or shared
 *
 * Return: true if the call holds it now.
 */
bool tdx_sw_lock_pamt(struct tdx_sw_call *c, enum tdx_sw_lock_class class,
		      struct tdx_sw_pamt *pamt, bool excl)
{
	if (inject_lock(c, class) || !sharex_trylock_host(&pamt->lock, excl))
		return false;
	hold(c, HELD_PAMT, pamt, excl);
	pamt_check_invariants(pamt);
	return true;
}

/**
 * tdx_sw_lock_sept_entry() - Try the lock in an S-EPT entry
 * @c: call
 * @entry: entry
 *
 * A host attempt that fails leaves the host-priority mark in the entry.
 *
 * Return: true if the call holds it now.
 */
bool tdx_sw_lock_sept_entry(struct tdx_sw_call *c, u64 *entry)
{
	u64 new, old = READ_ONCE(*entry);
	bool ok;

	if (inject_lock(c, TDX_SW_LOCK_SEPT_ENTRY))
		return false;
	do {
		ok = !(old & SEPT_LOCK);
		if (ok)
			new = (old & ~SEPT_HOST_PRIORITY) | SEPT_LOCK;
		else
			new = old | SEPT_HOST_PRIORITY;
	} while (!try_cmpxchg(entry, &old, new));

	if (ok)
		hold(c, HELD_SEPT_ENTRY, entry, true);
	return ok;
}

static void drop(struct tdx_sw_held *held)
{
	struct tdx_sw_pamt *pamt = held->object;

	switch (held->kind) {
	case HELD_SHAREX:
		sharex_unlock(held->object, held->excl);
		break;
	case HELD_PAMT:
		pamt_check_invariants(pamt);
		sharex_unlock(&pamt->lock, held->excl);
		break;
	case HELD_SEPT_ENTRY:
		atomic64_andnot(SEPT_LOCK, (atomic64_t *)held->object);
		break;
	}
}

void tdx_sw_unlock_last(struct tdx_sw_call *c)
{
	drop(&c->held[--c->nr_held]);
}

void tdx_sw_unlock_all(struct tdx_sw_call *c)
{
	while (c->nr_held)
		tdx_sw_unlock_last(c);
}

bool tdx_sw_is_private_hkid(u64 hkid)
{
	return hkid >= tdx_sw_config.first_hkid &&
	       hkid - tdx_sw_config.first_hkid < tdx_sw_config.nr_hkids;
}

/**
 * tdx_sw_check_shared_pa() - Check the address of a structure in shared memory
 * @pa: address as the host gave it, key ID bits included
 * @align: power of two
 * @size: bytes that will be accessed; at most a page, and @align keeps them in one
 * @operand: where the address came from
 *
 * An address that no direct mapping exists for would be device memory or
 * nothing at all: refused, where hardware would let the module read it.
 *
 * Return: SUCCESS or OPERAND_INVALID.
 */
u64 tdx_sw_check_shared_pa(u64 pa, u64 align, u64 size, u32 operand)
{
	u64 hkid = (pa & tdx_sw_config.hkid_mask) >> tdx_sw_config.hkid_shift;
	u64 plain = pa & ~tdx_sw_config.hkid_mask;

	if ((pa & (align - 1)) || pa >> tdx_sw_config.maxpa || hkid >= tdx_sw_config.first_hkid ||
	    !pfn_range_is_mapped(plain >> PAGE_SHIFT, ((plain + size - 1) >> PAGE_SHIFT) + 1))
		return seam_status(SEAM_OPERAND_INVALID, operand);
	return SEAM_SUCCESS;
}

/* Only for addresses that tdx_sw_check_shared_pa() has passed. */
void *tdx_sw_map_shared(u64 pa)
{
	return tdx_sw_map(pa & ~tdx_sw_config.hkid_mask);
}

bool tdx_sw_gpa_is_private(u64 gpa)
{
	return !(gpa >> (tdx_sw_config.gpa_width - 1));
}

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
