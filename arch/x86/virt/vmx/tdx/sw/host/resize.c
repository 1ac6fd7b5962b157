// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves that put other pages in the place of a page: another one with the same
 * content (RELOCATE), the 512 of which a large one consists (DEMOTE), the large one of
 * which 512 are parts (PROMOTE).
 *
 * What the guest reads at an address is the same before and after.  If the TD is
 * runnable the old entry is blocked, and no vCPU is in the guest since before.
 *
 * 2 MiB is the largest page here: no leaf maps one of 1 GiB, so that there is none to
 * split, and PROMOTE makes none.
 */
#include <asm/page.h>

#include "host/host.h"

/* Interruptible leaves do all they have checked, or nothing. */
static u64 interrupted(struct tdx_sw_call *c)
{
	c->regs->rcx = c->in.rcx;
	c->regs->rdx = c->in.rdx;
	return SEAM_INTERRUPTED_RESTARTABLE;
}

static u64 lock_old_page(struct tdx_sw_call *c, const struct sept_walk *walk,
			 struct tdx_sw_pamt **pamt)
{
	u64 old = sept_target(walk->val, SEAM_4K);

	if (c->in.r8 == old)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R8);
	return pamt_lock_implicit(c, old, SEAM_4K, OPERAND_RCX, true, pamt);
}

u64 tdx_sw_mem_page_relocate(struct tdx_sw_call *c)
{
	struct tdx_sw_pamt *old, *new;
	struct sept_walk walk;
	struct sept_cell cell;
	u64 status, old_pa;

	status = mem_find_entry(c, SEPT_OP_PAGE_RELOCATE, &walk, &cell, true);
	if (!status)
		status = lock_old_page(c, &walk, &old);
	if (!status)
		status = sept_check_blocking(c, &walk, cell);
	if (!status)
		status = pamt_lock_free(c, c->in.r8, SEAM_4K, OPERAND_R8, &new);
	if (status)
		return status;

	old_pa = sept_target(walk.val, SEAM_4K);
	if (cell.new_state == SEPT_MAPPED)
		copy_page(tdx_sw_map(c->in.r8), tdx_sw_map(old_pa));
	/* CHLDCNT stays: one comes and one goes. */
	pamt_assign(new, PT_REG, c->tdr_pa);
	sept_set(&walk, cell.new_state, c->in.r8);
	pamt_release(old, old_pa, SEAM_4K);
	c->regs->rcx = old_pa;
	return SEAM_SUCCESS;
}

/*
 * The large page's PAMT entry is locked last: until then its content may change, as it
 * does in a TD that is not runnable, and BEPOCH is the S-EPT tree's.
 */
u64 tdx_sw_mem_page_demote(struct tdx_sw_call *c)
{
	struct tdx_sw_pamt *large, *table;
	struct sept_walk walk;
	struct sept_cell cell;
	u64 status, hpa;

	status = mem_find_entry(c, SEPT_OP_PAGE_DEMOTE, &walk, &cell, true);
	if (!status)
		status = sept_check_blocking(c, &walk, cell);
	if (!status)
		status = pamt_lock_free(c, c->in.r8, SEAM_4K, OPERAND_R8, &table);
	if (status)
		return status;

	/* The content of the page in R8 is the module's from here on, whatever follows. */
	hpa = sept_target(walk.val, walk.level);
	sept_fill_table(c->in.r8, cell.new_state, hpa);
	if (c->interrupt)
		return interrupted(c);
	status = pamt_lock_implicit(c, hpa, SEAM_2M, OPERAND_RCX, true, &large);
	if (status)
		return status;

	pamt_split(large, hpa);
	mem_take_page(c, table, PT_EPT, SEAM_4K);
	/* A full barrier: who walks there finds a table that is complete. */
	sept_set(&walk, SEPT_NL_MAPPED, c->in.r8);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_page_promote(struct tdx_sw_call *c)
{
	struct tdx_sw_pamt *large, *table;
	enum sept_state state;
	struct sept_walk walk;
	struct sept_cell cell;
	u64 status, table_pa, hpa;

	status = mem_find_entry(c, SEPT_OP_PAGE_PROMOTE, &walk, &cell, true);
	if (status)
		return status;

	table_pa = walk.val & SEPT_HPA;
	status = pamt_lock_implicit(c, table_pa, SEAM_4K, OPERAND_RCX, true, &table);
	if (!status)
		status = sept_check_blocking(c, &walk, cell);
	if (status)
		return status;
	if (!sept_table_is_one_page(table_pa, &state, &hpa))
		return sept_error(c, SEAM_EPT_INVALID_PROMOTE_CONDITIONS, &walk);
	if (c->interrupt)
		return interrupted(c);
	status = pamt_lock_implicit(c, hpa, SEAM_2M, OPERAND_RCX, true, &large);
	if (status)
		return status;

	pamt_join(large, hpa);
	sept_set(&walk, state, hpa);
	pamt_release(table, table_pa, SEAM_4K);
	atomic64_dec(&c->tdr->chldcnt);
	c->regs->rcx = table_pa;
	return SEAM_SUCCESS;
}
