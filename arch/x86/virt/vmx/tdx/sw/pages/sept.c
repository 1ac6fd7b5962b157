// SPDX-License-Identifier: GPL-2.0
/*
 * Secure EPT: the legality table, the walk, and changes of entries.
 *
 * States of an entry are those of sept_entry.h; which call leads from which to
 * which is in legality[] below and nowhere else.
 *
 * Who may: an entry changes with its own lock held (bit 11), and for the host that
 * takes the tree lock first: shared, or exclusively for changes that cut off or
 * reconnect a table (RANGE.BLOCK, RANGE.UNBLOCK, SEPT.REMOVE, PAGE.PROMOTE).  A table
 * that takes the place of a large page (PAGE.DEMOTE) is filled before it is reached,
 * and needs the entry alone.  So a walk under the
 * shared tree lock meets only tables that stay.  With the TDR held exclusively
 * neither lock is needed.  The guest's leaves take no tree lock, see guest/accept.c.
 *
 * References: an entry that is not FREE refers to a page of type PT_REG (leaf)
 * or PT_EPT (non-leaf) whose owner is this TD, and no other entry refers to it.
 *
 * While the TD is runnable a translation may be cached: what cuts a page off
 * needs it blocked first, and every vCPU gone since (td_epoch_tracked()).
 */
#include <linux/align.h>
#include <linux/sizes.h>

#include "pages/pages.h"

#define LEGAL(_state, _flags)	{ .new_state = _state, .flags = _flags }
#define ILLEGAL			LEGAL(SEPT_ILLEGAL, 0)
#define ALREADY			LEGAL(SEPT_ILLEGAL, SEPT_ALREADY_BLOCKED)
#define TO(_state)		LEGAL(_state, 0)
#define CUT(_state)		LEGAL(_state, SEPT_NEEDS_BLOCKED)
#define JOIN(_state)		LEGAL(_state, SEPT_NEEDS_TRACKED)
#define KEEP			LEGAL(SEPT_NL_MAPPED, SEPT_KEEP_IF_ALLOWED)

/* Columns of the table */
enum {
	C_FREE, C_MAPPED, C_BLOCKED, C_PENDING, C_PENDING_BLOCKED, C_NL_MAPPED, C_NL_BLOCKED,
	NR_COLUMNS
};

/*
 * Not applicable is illegal, too: an entry of 4 KiB is never a non-leaf, and
 * calls for tables are refused at that level before they get here.
 */
static const struct sept_cell legality[SEPT_NR_OPS][NR_COLUMNS] = {
	[SEPT_OP_SEPT_ADD] = {
		TO(SEPT_NL_MAPPED), ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, KEEP, ILLEGAL,
	},
	[SEPT_OP_PAGE_ADD] = {
		TO(SEPT_MAPPED), ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL,
	},
	[SEPT_OP_PAGE_AUG] = {
		TO(SEPT_PENDING), ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL,
	},
	[SEPT_OP_BLOCK] = {
		ILLEGAL, TO(SEPT_BLOCKED), ALREADY, TO(SEPT_PENDING_BLOCKED), ALREADY,
		TO(SEPT_NL_BLOCKED), ALREADY,
	},
	[SEPT_OP_UNBLOCK] = {
		ILLEGAL, ILLEGAL, JOIN(SEPT_MAPPED), ILLEGAL, JOIN(SEPT_PENDING), ILLEGAL,
		JOIN(SEPT_NL_MAPPED),
	},
	[SEPT_OP_PAGE_REMOVE] = {
		ILLEGAL, CUT(SEPT_FREE), CUT(SEPT_FREE), CUT(SEPT_FREE), CUT(SEPT_FREE), ILLEGAL,
		ILLEGAL,
	},
	[SEPT_OP_SEPT_REMOVE] = {
		ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, CUT(SEPT_FREE), CUT(SEPT_FREE),
	},
	[SEPT_OP_PAGE_RELOCATE] = {
		ILLEGAL, CUT(SEPT_MAPPED), CUT(SEPT_MAPPED), CUT(SEPT_PENDING),
		CUT(SEPT_PENDING), ILLEGAL, ILLEGAL,
	},
	/* What the pages become of which it consists; a table takes its place. */
	[SEPT_OP_PAGE_DEMOTE] = {
		ILLEGAL, CUT(SEPT_MAPPED), CUT(SEPT_MAPPED), CUT(SEPT_PENDING),
		CUT(SEPT_PENDING), ILLEGAL, ILLEGAL,
	},
	/* MAPPED or PENDING, as all the pages are that the table has. */
	[SEPT_OP_PAGE_PROMOTE] = {
		ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, CUT(SEPT_MAPPED), CUT(SEPT_MAPPED),
	},
};

struct sept_cell sept_legality(enum sept_op op, enum sept_state state)
{
	static const u8 column[] = {
		[SEPT_FREE] = C_FREE,
		[SEPT_BLOCKED] = C_BLOCKED,
		[SEPT_PENDING] = C_PENDING,
		[SEPT_PENDING_BLOCKED] = C_PENDING_BLOCKED,
		[SEPT_MAPPED] = C_MAPPED,
	};

	if (state & SEPT_STATE_NL)
		return legality[op][state == SEPT_NL_MAPPED ? C_NL_MAPPED : C_NL_BLOCKED];
	return legality[op][column[state]];
}

/* A table in which nothing is mapped; also the root. */
void sept_init_table(u64 pa)
{
	memset64(tdx_sw_map(pa), SEPT_ENTRY_FREE, SEPT_NR_ENTRIES);
}

bool sept_table_is_free(u64 pa)
{
	const u64 *entry = tdx_sw_map(pa);
	unsigned int i;

	for (i = 0; i < SEPT_NR_ENTRIES; i++) {
		if (sept_state(READ_ONCE(entry[i])) != SEPT_FREE)
			return false;
	}
	return true;
}

/* A table of the pages that a page of 2 MiB consists of. */
void sept_fill_table(u64 pa, enum sept_state state, u64 hpa)
{
	u64 *entry = tdx_sw_map(pa);
	unsigned int i;

	for (i = 0; i < SEPT_NR_ENTRIES; i++)
		WRITE_ONCE(entry[i], sept_make(state, hpa + i * PAGE_SIZE));
}

/* Accessed and dirty are the CPU's, the mark is the host's. */
#define SEPT_NOT_COMPARED	(BIT_ULL(8) | BIT_ULL(9) | SEPT_HOST_PRIORITY)

/*
 * Whether a table has the pages of one of 2 MiB, in their order and all in one state.
 * The guest can't get there: the table is blocked, or the TD does not run.
 */
bool sept_table_is_one_page(u64 pa, enum sept_state *state, u64 *hpa)
{
	const u64 *entry = tdx_sw_map(pa);
	u64 first = READ_ONCE(*entry) & ~SEPT_NOT_COMPARED;
	unsigned int i;

	*state = sept_state(first);
	*hpa = first & SEPT_HPA;
	if ((*state != SEPT_MAPPED && *state != SEPT_PENDING) || !IS_ALIGNED(*hpa, SZ_2M))
		return false;
	for (i = 1; i < SEPT_NR_ENTRIES; i++) {
		if ((READ_ONCE(entry[i]) & ~SEPT_NOT_COMPARED) != first + i * PAGE_SIZE)
			return false;
	}
	return true;
}

static u64 read_entry(const u64 *entry)
{
	return READ_ONCE(*entry) & ~(SEPT_LOCK | SEPT_HOST_PRIORITY);
}

/**
 * sept_walk() - Walk to an entry
 * @c: call with a TD whose S-EPT stands still
 * @gpa: address
 * @level: level of the entry wanted
 * @walk: the entry, or where the walk ended
 *
 * A blocked table is not walked through.
 *
 * Return: true if @walk is the entry wanted.
 */
bool sept_walk(struct tdx_sw_call *c, u64 gpa, unsigned int level, struct sept_walk *walk)
{
	u64 *table = tdx_sw_map(c->tdr->tdcx_pa[TDCX_SEPT_ROOT]);

	for (walk->level = c->tdcs->root_level; ; walk->level--) {
		walk->entry = &table[sept_index(gpa, walk->level)];
		walk->val = read_entry(walk->entry);
		if (walk->level == level)
			return true;
		if (sept_state(walk->val) != SEPT_NL_MAPPED)
			return false;
		table = tdx_sw_map(walk->val & SEPT_HPA);
	}
}

/* Fail with the entry as detail. */
u64 sept_error(struct tdx_sw_call *c, u64 status, const struct sept_walk *walk)
{
	c->regs->rcx = sept_arch_view(walk->val);
	c->regs->rdx = sept_level_state(walk->val, walk->level);
	return seam_status(status, OPERAND_RCX);
}

/**
 * sept_find() - Walk to the entry that the call addresses, and lock it
 * @c: call
 * @walk: the entry
 * @lock: lock it; not needed with the TDR held exclusively
 *
 * Return: SUCCESS, EPT_WALK_FAILED or OPERAND_BUSY.
 */
u64 sept_find(struct tdx_sw_call *c, struct sept_walk *walk, bool lock)
{
	if (!sept_walk(c, c->gpa, c->level, walk))
		return sept_error(c, SEAM_EPT_WALK_FAILED, walk);
	if (!lock)
		return SEAM_SUCCESS;
	if (!tdx_sw_lock_sept_entry(c, walk->entry))
		return sept_error(c, SEAM_OPERAND_BUSY, walk);

	walk->val = read_entry(walk->entry);
	return SEAM_SUCCESS;
}

/**
 * sept_lock_guest() - Try an entry's lock for a guest leaf
 * @c: call in which the guest runs
 * @walk: entry; its value is read again with the lock held
 *
 * While the host's mark stands a guest does not keep the lock; one that finds it
 * held is not told of the mark.  Unlike the host's, the lock is not recorded in the
 * call: the guest leaf drops it.
 *
 * Return: SUCCESS, OPERAND_BUSY or OPERAND_BUSY_HOST_PRIORITY.
 */
u64 sept_lock_guest(struct tdx_sw_call *c, struct sept_walk *walk)
{
	u64 old = READ_ONCE(*walk->entry);

	if (inject_lock(c, TDX_SW_LOCK_SEPT_ENTRY))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_RCX);
	do {
		if (old & SEPT_LOCK)
			return seam_status(SEAM_OPERAND_BUSY, OPERAND_RCX);
		if (old & SEPT_HOST_PRIORITY)
			return seam_status(SEAM_OPERAND_BUSY_HOST_PRIORITY, OPERAND_RCX);
	} while (!try_cmpxchg(walk->entry, &old, old | SEPT_LOCK));

	walk->val = read_entry(walk->entry);
	return SEAM_SUCCESS;
}

void sept_unlock_guest(const struct sept_walk *walk)
{
	atomic64_andnot(SEPT_LOCK, (atomic64_t *)walk->entry);
}

/* PAMT entry of the page or table that an entry refers to. */
struct tdx_sw_pamt *sept_page_pamt(const struct sept_walk *walk)
{
	unsigned int level = sept_is_leaf_state(sept_state(walk->val)) ? walk->level : SEAM_4K;

	return pamt_entry(sept_target(walk->val, walk->level), level);
}

/**
 * sept_check_blocking() - Check what a runnable TD's translations ask for
 * @c: call
 * @walk: entry, locked
 * @cell: row and column of the legality table
 *
 * Return: SUCCESS, GPA_RANGE_NOT_BLOCKED or TLB_TRACKING_NOT_DONE.
 */
u64 sept_check_blocking(struct tdx_sw_call *c, const struct sept_walk *walk,
			struct sept_cell cell)
{
	u64 bepoch;

	if (!tdx_sw_td_is_runnable(c->tdcs) ||
	    !(cell.flags & (SEPT_NEEDS_BLOCKED | SEPT_NEEDS_TRACKED)))
		return SEAM_SUCCESS;
	if (!sept_is_blocked_state(sept_state(walk->val)))
		return sept_error(c, SEAM_GPA_RANGE_NOT_BLOCKED, walk);

	bepoch = READ_ONCE(sept_page_pamt(walk)->bepoch);
	if (!td_epoch_tracked(c->tdcs, bepoch))
		return seam_status(SEAM_TLB_TRACKING_NOT_DONE, OPERAND_RCX);
	return SEAM_SUCCESS;
}

/* Lock and mark belong to whoever set them and stay. */
void sept_set(const struct sept_walk *walk, unsigned int state, u64 hpa)
{
	u64 new, old = READ_ONCE(*walk->entry);

	do {
		new = sept_make(state, hpa) | (old & (SEPT_LOCK | SEPT_HOST_PRIORITY));
	} while (!try_cmpxchg(walk->entry, &old, new));
}
