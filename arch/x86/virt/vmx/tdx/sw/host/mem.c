// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves that change or read the Secure EPT of a TD, pages and tables.  Those that
 * put a page in another's place are in resize.c.
 *
 * Each follows the same path: find and lock the entry, ask the legality table,
 * check blocking and tracking, check page operands, commit.  The prologue has
 * checked TD, GPA and level and holds the tree lock (pages/call.c).
 */
#include <asm/page.h>

#include "host/host.h"

/* Find the entry and look its state up. */
u64 mem_find_entry(struct tdx_sw_call *c, enum sept_op op, struct sept_walk *walk,
		   struct sept_cell *cell, bool lock)
{
	u64 status;

	status = sept_find(c, walk, lock);
	if (status)
		return status;

	*cell = sept_legality(op, sept_state(walk->val));
	if (cell->flags & SEPT_ALREADY_BLOCKED)
		return sept_error(c, SEAM_GPA_RANGE_ALREADY_BLOCKED, walk);
	if (cell->new_state == SEPT_ILLEGAL)
		return sept_error(c, SEAM_EPT_ENTRY_STATE_INCORRECT, walk);
	return SEAM_SUCCESS;
}

void mem_take_page(struct tdx_sw_call *c, struct tdx_sw_pamt *pamt,
		   enum tdx_sw_page_type type, unsigned int level)
{
	atomic64_add(BIT_ULL(9 * level), &c->tdr->chldcnt);
	pamt_assign(pamt, type, c->tdr_pa);
}

/* Cut the page off first: the guest must not see it scrambled. */
static void remove_page(struct tdx_sw_call *c, const struct sept_walk *walk,
			struct tdx_sw_pamt *pamt, unsigned int level)
{
	u64 hpa = sept_target(walk->val, walk->level);

	sept_set(walk, SEPT_FREE, 0);
	pamt_release(pamt, hpa, level);
	atomic64_sub(BIT_ULL(9 * level), &c->tdr->chldcnt);
	c->regs->rcx = hpa;
}

u64 tdx_sw_mem_page_add(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	struct sept_cell cell;
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = mem_find_entry(c, SEPT_OP_PAGE_ADD, &walk, &cell, false);
	if (!status)
		status = tdx_sw_check_shared_pa(c->in.r9, PAGE_SIZE, PAGE_SIZE, OPERAND_R9);
	if (!status)
		status = pamt_lock_free(c, c->in.r8, SEAM_4K, OPERAND_R8, &pamt);
	if (status)
		return status;

	copy_page(tdx_sw_map(c->in.r8), tdx_sw_map_shared(c->in.r9));
	mem_take_page(c, pamt, PT_REG, SEAM_4K);
	sept_set(&walk, cell.new_state, c->in.r8);
	measure_block(&c->tdcs->mrtd_hash, "MEM.PAGE.ADD", c->gpa);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_page_aug(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	struct sept_cell cell;
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = mem_find_entry(c, SEPT_OP_PAGE_AUG, &walk, &cell, true);
	if (!status)
		status = pamt_lock_free(c, c->in.r8, c->level, OPERAND_R8, &pamt);
	if (status)
		return status;

	mem_take_page(c, pamt, PT_REG, c->level);
	sept_set(&walk, cell.new_state, c->in.r8);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_page_remove(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	struct sept_cell cell;
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = mem_find_entry(c, SEPT_OP_PAGE_REMOVE, &walk, &cell, true);
	if (!status)
		status = pamt_lock_implicit(c, sept_target(walk.val, c->level), c->level,
					    OPERAND_RCX, true, &pamt);
	if (!status)
		status = sept_check_blocking(c, &walk, cell);
	if (status)
		return status;

	remove_page(c, &walk, pamt, c->level);
	return SEAM_SUCCESS;
}

#define PAGE_NOT_USED		BIT_ULL(63)

/*
 * Version 1 may come without a page, to ask for a table that is there, and takes
 * tables of L2 VMs, which no TD has, in R9 to R11.
 */
static u64 check_sept_pages(const struct tdx_sw_call *c)
{
	if (!c->version)
		return c->in.r8 == SEAM_NO_PAGE ? seam_status(SEAM_OPERAND_INVALID, OPERAND_R8) :
					     SEAM_SUCCESS;
	if (c->in.r9 != SEAM_NO_PAGE)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R9);
	if (c->in.r10 != SEAM_NO_PAGE)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R10);
	if (c->in.r11 != SEAM_NO_PAGE)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R11);
	return SEAM_SUCCESS;
}

/* Version 1 tells in R8 what became of the page; a call that fails leaves it there. */
u64 tdx_sw_mem_sept_add(struct tdx_sw_call *c)
{
	bool no_page = c->in.r8 == SEAM_NO_PAGE;
	bool allow_existing = c->in.rdx & BIT_ULL(0) || no_page;
	u64 status, pa = c->in.r8 & ~PAGE_NOT_USED;
	struct sept_walk walk;
	struct sept_cell cell;
	struct tdx_sw_pamt *pamt;

	status = check_sept_pages(c);
	if (!status)
		status = mem_find_entry(c, SEPT_OP_SEPT_ADD, &walk, &cell, true);
	if (status)
		return status;
	if (cell.flags & SEPT_KEEP_IF_ALLOWED) {
		if (!allow_existing)
			return sept_error(c, SEAM_EPT_ENTRY_STATE_INCORRECT, &walk);
		if (c->version && !no_page)
			c->regs->r8 = pa | PAGE_NOT_USED;
		return SEAM_SUCCESS;
	}
	if (no_page)
		return sept_error(c, SEAM_EPT_ENTRY_STATE_INCORRECT, &walk);
	status = pamt_lock_free(c, pa, SEAM_4K, OPERAND_R8, &pamt);
	if (status)
		return status;

	sept_init_table(pa);
	mem_take_page(c, pamt, PT_EPT, SEAM_4K);
	sept_set(&walk, cell.new_state, pa);
	if (c->version)
		c->regs->r8 = SEAM_NO_PAGE;
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_sept_remove(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	struct sept_cell cell;
	struct tdx_sw_pamt *pamt;
	u64 status, hpa;

	status = mem_find_entry(c, SEPT_OP_SEPT_REMOVE, &walk, &cell, true);
	if (status)
		return status;
	hpa = walk.val & SEPT_HPA;
	status = pamt_lock_implicit(c, hpa, SEAM_4K, OPERAND_RCX, true, &pamt);
	if (!status)
		status = sept_check_blocking(c, &walk, cell);
	if (status)
		return status;
	if (!sept_table_is_free(hpa))
		return sept_error(c, SEAM_EPT_PAGE_NOT_FREE, &walk);

	remove_page(c, &walk, pamt, SEAM_4K);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_sept_rd(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	u64 status;

	/* The flag is for debug TDs. */
	if (c->in.rdx & BIT_ULL(0))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RDX);
	status = sept_find(c, &walk, true);
	if (status)
		return status;

	c->regs->rcx = sept_arch_view(walk.val);
	c->regs->rdx = sept_level_state(walk.val, walk.level);
	return SEAM_SUCCESS;
}

/* By request: another CPU's TRACK, at the worst moment; as successful as it would be. */
static void meet_track(struct tdx_sw_call *c)
{
	u16 *lock = &c->tdcs->epoch_lock;

	if (!inject_track() || !sharex_trylock(lock, true))
		return;
	td_epoch_advance(c->tdcs);
	sharex_unlock(lock, true);
}

u64 tdx_sw_mem_range_block(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	struct sept_cell cell;
	u64 status;

	status = mem_find_entry(c, SEPT_OP_BLOCK, &walk, &cell, true);
	if (status)
		return status;

	/* A large page that waits to be accepted is as if none of it were cleared. */
	sept_set(&walk, cell.new_state, sept_target(walk.val, walk.level));
	/*
	 * TRACK does not take the tree lock.  Who entered before the entry was
	 * blocked has to be counted in the epoch that is sampled, or in an older
	 * one: the entry first, then the epoch.
	 */
	smp_mb();
	meet_track(c);
	WRITE_ONCE(sept_page_pamt(&walk)->bepoch, READ_ONCE(c->tdcs->epoch));
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_range_unblock(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	struct sept_cell cell;
	u64 status;

	status = mem_find_entry(c, SEPT_OP_UNBLOCK, &walk, &cell, true);
	if (!status)
		status = sept_check_blocking(c, &walk, cell);
	if (status)
		return status;

	sept_set(&walk, cell.new_state, walk.val & SEPT_HPA);
	return SEAM_SUCCESS;
}

/* There are no debug TDs, whose memory a host could read or write. */
u64 tdx_sw_mem_rd_wr(struct tdx_sw_call *c)
{
	return SEAM_TD_NON_DEBUG;
}
