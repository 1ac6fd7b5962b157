// SPDX-License-Identifier: GPL-2.0
/*
 * Operands: pages that a call names and holds, structures in shared memory, guest
 * physical addresses, key IDs.
 */
#include <asm/page.h>

#include "pages/pages.h"

/* ---- pages of a TD, or to become a TD's ---- */

/* Form of a private page operand; where it points to is checked by the walk. */
static u64 check_pa(u64 pa, unsigned int level, u32 operand)
{
	if (pa & (BIT_ULL(SEPT_SHIFT(level)) - 1) || pa >> tdx_sw_config.maxpa ||
	    pa & tdx_sw_config.hkid_mask)
		return seam_status(SEAM_OPERAND_INVALID, operand);
	return SEAM_SUCCESS;
}

static enum tdx_sw_lock_class lock_class(enum tdx_sw_page_type type)
{
	switch (type) {
	case PT_TDR:
		return TDX_SW_LOCK_TDR;
	case PT_TDVPR:
		return TDX_SW_LOCK_TDVPR;
	default:
		return TDX_SW_LOCK_PAGE;
	}
}

/*
 * The entries above one of a level.  A page that is part of a larger one ends the walk:
 * what lies there is held like the operand itself would be.
 */
static u64 lock_parents(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
			bool excl)
{
	unsigned int l;

	for (l = SEAM_1G; l > level; l--) {
		struct tdx_sw_pamt *pamt = pamt_entry(pa, l);

		if (!tdx_sw_lock_pamt(c, TDX_SW_LOCK_PAGE, pamt, false))
			return seam_status(SEAM_OPERAND_BUSY, operand);
		if (pamt->type != PT_REG)
			continue;
		if (l == SEAM_2M && excl && !tdx_sw_promote_last(c))
			return seam_status(SEAM_OPERAND_BUSY, operand);
		return seam_status(SEAM_PAGE_METADATA_INCORRECT, operand);
	}
	return SEAM_SUCCESS;
}

static u64 check_and_lock(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
			  enum tdx_sw_page_type type, bool excl, struct tdx_sw_pamt **ret)
{
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = check_pa(pa, level, operand);
	if (status)
		return status;
	if (!pamt_entry(pa, SEAM_1G))
		return seam_status(SEAM_OPERAND_ADDR_RANGE_ERROR, operand);
	status = lock_parents(c, pa, level, operand, excl);
	if (status)
		return status;

	pamt = pamt_entry(pa, level);
	if (!tdx_sw_lock_pamt(c, lock_class(type), pamt, excl))
		return seam_status(SEAM_OPERAND_BUSY, operand);
	if (pamt->type != type)
		return seam_status(SEAM_PAGE_METADATA_INCORRECT, operand);

	*ret = pamt;
	return SEAM_SUCCESS;
}

/**
 * pamt_lock_page() - Check and lock a 4 KiB page operand
 * @c: call that will hold the locks
 * @pa: the page, as the host gave it
 * @operand: register it came in
 * @type: type it has to have
 * @excl: lock the page itself exclusively
 * @ret: its entry
 *
 * Return: SUCCESS, OPERAND_INVALID, OPERAND_ADDR_RANGE_ERROR, OPERAND_BUSY or
 * PAGE_METADATA_INCORRECT, each with @operand.
 */
u64 pamt_lock_page(struct tdx_sw_call *c, u64 pa, u32 operand, enum tdx_sw_page_type type,
		   bool excl, struct tdx_sw_pamt **ret)
{
	return check_and_lock(c, pa, SEAM_4K, operand, type, excl, ret);
}

/**
 * pamt_lock_free() - Check and lock a page operand that is to become a TD's
 * @c: call that will hold the locks
 * @pa: the page, as the host gave it
 * @level: its size: SEAM_4K or SEAM_2M; all of it has to be free
 * @operand: register it came in
 * @ret: its entry
 *
 * Return: as pamt_lock_page().
 */
u64 pamt_lock_free(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
		   struct tdx_sw_pamt **ret)
{
	u64 status = check_and_lock(c, pa, level, operand, PT_NDA, true, ret);

	if (!status && level == SEAM_2M && !pamt_children_are_free(pa))
		status = seam_status(SEAM_PAGE_METADATA_INCORRECT, operand);
	return status;
}

/**
 * pamt_lock_leaf() - Lock the entry that describes a page, whatever its level
 * @c: call that will hold the locks
 * @pa: the page, as the host gave it
 * @operand: register it came in
 * @excl: lock the page itself exclusively
 * @ret: its entry
 * @level: its level
 *
 * Return: SUCCESS, OPERAND_INVALID, OPERAND_ADDR_RANGE_ERROR or OPERAND_BUSY.
 */
u64 pamt_lock_leaf(struct tdx_sw_call *c, u64 pa, u32 operand, bool excl,
		   struct tdx_sw_pamt **ret, unsigned int *level)
{
	u64 status;

	status = check_pa(pa, SEAM_4K, operand);
	if (status)
		return status;
	if (!pamt_entry(pa, SEAM_1G))
		return seam_status(SEAM_OPERAND_ADDR_RANGE_ERROR, operand);

	for (*level = SEAM_1G; ; (*level)--) {
		struct tdx_sw_pamt *pamt = pamt_entry(pa, *level);
		u8 type = READ_ONCE(pamt->type);
		bool leaf = *level == SEAM_4K || type == PT_REG;

		if (!tdx_sw_lock_pamt(c, TDX_SW_LOCK_PAGE, pamt, leaf && excl))
			return seam_status(SEAM_OPERAND_BUSY, operand);
		/* The type was a hint until now. */
		if (*level != SEAM_4K && type != pamt->type)
			return seam_status(SEAM_OPERAND_BUSY, operand);
		if (leaf) {
			*ret = pamt;
			return SEAM_SUCCESS;
		}
	}
}

/**
 * pamt_lock_implicit() - Lock a page that was not named by an operand
 * @c: call that will hold the lock
 * @pa: the page
 * @level: level at which it is used
 * @operand: what a busy status names
 * @excl: exclusively or shared
 * @ret: its entry
 *
 * Return: SUCCESS or OPERAND_BUSY.
 */
u64 pamt_lock_implicit(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
		       bool excl, struct tdx_sw_pamt **ret)
{
	struct tdx_sw_pamt *pamt = pamt_entry(pa, level);

	if (!tdx_sw_lock_pamt(c, lock_class(operand == OPERAND_TDR ? PT_TDR : PT_NDA), pamt,
			      excl))
		return seam_status(SEAM_OPERAND_BUSY, operand);
	*ret = pamt;
	return SEAM_SUCCESS;
}

/* ---- shared memory, addresses, key IDs ---- */

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
