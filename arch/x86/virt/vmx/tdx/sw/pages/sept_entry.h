/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Secure EPT entries: how a state is stored, what the host is shown, which
 * call is legal in which state.  Pure functions of values; the walk and the
 * changes are in sept.c.
 *
 * The stored format is what the CPU walks once a TD runs: RWX, memory type and
 * address stand where EPT wants them, and the state is coded in bits that EPT
 * ignores or that describe an entry which is not present anyway.
 */
#ifndef _X86_VIRT_TDX_SW_SEPT_ENTRY_H
#define _X86_VIRT_TDX_SW_SEPT_ENTRY_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#define SEPT_RWX		GENMASK_ULL(2, 0)
#define SEPT_MT_WB		(6ULL << 3)
#define SEPT_IPAT		BIT_ULL(6)
#define SEPT_LEAF		BIT_ULL(7)
#define SEPT_LOCK		BIT_ULL(11)
#define SEPT_HPA		GENMASK_ULL(51, 12)
#define SEPT_HOST_PRIORITY	BIT_ULL(52)
#define SEPT_EXPORTED		BIT_ULL(53)
#define SEPT_BLOCKEDW		BIT_ULL(54)
#define SEPT_BLOCKED_BIT	BIT_ULL(55)
#define SEPT_PENDING_BIT	BIT_ULL(56)
#define SEPT_SVE		BIT_ULL(63)

#define SEPT_ENTRY_FREE		(SEPT_SVE | SEPT_BLOCKED_BIT | SEPT_BLOCKEDW | SEPT_EXPORTED)
#define SEPT_STATE_BITS		(SEPT_LEAF | SEPT_EXPORTED | SEPT_BLOCKEDW |		\
				 SEPT_BLOCKED_BIT | SEPT_PENDING_BIT)

#define SEPT_SHIFT(level)	(12 + 9 * (level))
#define SEPT_NR_ENTRIES		512

static_assert(SEPT_ENTRY_FREE == 0x80e0000000000000ULL);

/*
 * Values of RDX 15:8.  Export, import and L2 states do not exist here: the
 * features that lead to them are not enumerated.
 */
enum sept_state {
	SEPT_FREE		= 0,
	SEPT_BLOCKED		= 1,
	SEPT_PENDING		= 2,
	SEPT_PENDING_BLOCKED	= 3,
	SEPT_MAPPED		= 4,
	SEPT_NL_BLOCKED		= 129,
	SEPT_NL_MAPPED		= 132,
};

#define SEPT_STATE_NL		BIT(7)
/* No state has this value; cells of the legality table use it. */
#define SEPT_ILLEGAL		0xff

static inline enum sept_state sept_state(u64 entry)
{
	switch (entry & SEPT_STATE_BITS) {
	case SEPT_LEAF:
		return SEPT_MAPPED;
	case SEPT_LEAF | SEPT_BLOCKED_BIT:
		return SEPT_BLOCKED;
	case SEPT_LEAF | SEPT_PENDING_BIT:
		return SEPT_PENDING;
	case SEPT_LEAF | SEPT_PENDING_BIT | SEPT_BLOCKED_BIT:
		return SEPT_PENDING_BLOCKED;
	case 0:
		return SEPT_NL_MAPPED;
	case SEPT_BLOCKED_BIT:
		return SEPT_NL_BLOCKED;
	default:
		return SEPT_FREE;
	}
}

static inline bool sept_is_leaf_state(enum sept_state state)
{
	return state != SEPT_FREE && !(state & SEPT_STATE_NL);
}

/*
 * Address of the page or table that an entry refers to.  In a large page that
 * waits to be accepted the bits below its size count what has been cleared.
 */
static inline u64 sept_target(u64 entry, unsigned int level)
{
	u64 hpa = entry & SEPT_HPA;

	if (sept_is_leaf_state(sept_state(entry)))
		hpa &= ~(BIT_ULL(SEPT_SHIFT(level)) - 1);
	return hpa;
}

static inline bool sept_is_blocked_state(enum sept_state state)
{
	return state == SEPT_BLOCKED || state == SEPT_PENDING_BLOCKED ||
	       state == SEPT_NL_BLOCKED;
}

/* Entry for a state; lock and host-priority mark are the caller's. */
static inline u64 sept_make(enum sept_state state, u64 hpa)
{
	u64 leaf = SEPT_SVE | SEPT_LEAF | SEPT_IPAT | SEPT_MT_WB | hpa;

	switch (state) {
	case SEPT_MAPPED:
		return leaf | SEPT_RWX;
	case SEPT_BLOCKED:
		return leaf | SEPT_BLOCKED_BIT;
	case SEPT_PENDING:
		return leaf | SEPT_PENDING_BIT;
	case SEPT_PENDING_BLOCKED:
		return leaf | SEPT_PENDING_BIT | SEPT_BLOCKED_BIT;
	case SEPT_NL_MAPPED:
		return SEPT_SVE | hpa | SEPT_RWX;
	case SEPT_NL_BLOCKED:
		return SEPT_SVE | hpa | SEPT_BLOCKED_BIT;
	default:
		return SEPT_ENTRY_FREE;
	}
}

/* RCX of TDH.MEM.SEPT.RD and of errors: no address of a table leaves the module. */
static inline u64 sept_arch_view(u64 entry)
{
	enum sept_state state = sept_state(entry);

	if (state == SEPT_FREE)
		return SEPT_SVE;
	if (state & SEPT_STATE_NL)
		return entry & (SEPT_RWX | SEPT_LEAF);
	return entry & (SEPT_RWX | SEPT_MT_WB | SEPT_IPAT | SEPT_LEAF | SEPT_HPA | SEPT_SVE);
}

static inline u64 sept_level_state(u64 entry, unsigned int level)
{
	return level | (u64)sept_state(entry) << 8;
}

static inline unsigned int sept_index(u64 gpa, unsigned int level)
{
	return (gpa >> SEPT_SHIFT(level)) & (SEPT_NR_ENTRIES - 1);
}

/* Calls that depend on the state of the entry they address. */
enum sept_op {
	SEPT_OP_SEPT_ADD,
	SEPT_OP_PAGE_ADD,
	SEPT_OP_PAGE_AUG,
	SEPT_OP_BLOCK,
	SEPT_OP_UNBLOCK,
	SEPT_OP_PAGE_REMOVE,
	SEPT_OP_SEPT_REMOVE,
	SEPT_OP_PAGE_RELOCATE,
	SEPT_OP_PAGE_DEMOTE,
	SEPT_OP_PAGE_PROMOTE,
	SEPT_NR_OPS
};

/* What a cell asks for beyond the state itself. */
#define SEPT_NEEDS_BLOCKED	BIT(0)	/* blocked and tracked if the TD is runnable */
#define SEPT_NEEDS_TRACKED	BIT(1)	/* tracked if the TD is runnable */
#define SEPT_ALREADY_BLOCKED	BIT(2)	/* the information status, no change */
#define SEPT_KEEP_IF_ALLOWED	BIT(3)	/* tolerated on request, no change */

struct sept_cell {
	u8 new_state;			/* SEPT_ILLEGAL: state error */
	u8 flags;
};

struct sept_cell sept_legality(enum sept_op op, enum sept_state state);

#endif
