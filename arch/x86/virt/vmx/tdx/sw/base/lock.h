/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Try-locks of the software TDX module.  Nothing here ever waits: a lock that
 * is held is a status for the caller.
 *
 * A sharex lock is 16 bits, many sharers or one exclusive owner, so that it
 * fits where the PAMT format has one.  Plain atomics, unknown to lockdep:
 * waiting is what lockdep orders, and nobody waits.
 *
 * Host priority: a host attempt that fails leaves a mark.  While it stands
 * guest attempts fail; the next host attempt that succeeds removes it,
 * releasing the lock does not.
 */
#ifndef _X86_VIRT_TDX_SW_LOCK_H
#define _X86_VIRT_TDX_SW_LOCK_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/types.h>

/* What a lock guards; fault injection aims at it. */
enum tdx_sw_lock_class {
	TDX_SW_LOCK_SYS,	/* global lock of the SYS leaves */
	TDX_SW_LOCK_TDMR,	/* object: TDMR base */
	TDX_SW_LOCK_KOT,
	TDX_SW_LOCK_KET,
	TDX_SW_LOCK_WBCACHE,	/* object: package number */
	TDX_SW_LOCK_PAGE,	/* object: page; level says which PAMT entry */
	TDX_SW_LOCK_TDR,	/* PAMT entry of a TDR; as PAGE, injected apart */
	TDX_SW_LOCK_TDVPR,	/* PAMT entry of a TDVPR; as PAGE, injected apart */
	TDX_SW_LOCK_OP_STATE,	/* object: TDR */
	TDX_SW_LOCK_SEPT_TREE,	/* object: TDR */
	TDX_SW_LOCK_SEPT_ENTRY,	/* object: TDR; gpa and level say which entry */
	TDX_SW_LOCK_TD_EPOCH,	/* object: TDR */
	TDX_SW_LOCK_RTMR,	/* object: TDR; taken by guest leaves alone */
	TDX_SW_NR_LOCKS
};

#define SHAREX_COUNT		GENMASK(13, 0)
#define SHAREX_EXCL		BIT(14)
#define SHAREX_HOST_PRIORITY	BIT(15)

static inline bool sharex_is_held(u16 val)
{
	return val & (SHAREX_COUNT | SHAREX_EXCL);
}

static inline bool sharex_conflicts(u16 val, bool excl)
{
	if (excl)
		return sharex_is_held(val);
	return (val & SHAREX_EXCL) || (val & SHAREX_COUNT) == SHAREX_COUNT;
}

static inline bool sharex_trylock(u16 *lock, bool excl)
{
	u16 old = READ_ONCE(*lock);

	do {
		if (sharex_conflicts(old, excl))
			return false;
	} while (!try_cmpxchg(lock, &old, excl ? old | SHAREX_EXCL : old + 1));
	return true;
}

static inline void sharex_unlock(u16 *lock, bool excl)
{
	u16 new, old = READ_ONCE(*lock);

	do {
		if (WARN_ON_ONCE(excl ? !(old & SHAREX_EXCL) : !(old & SHAREX_COUNT)))
			return;
		new = excl ? old & ~SHAREX_EXCL : old - 1;
	} while (!try_cmpxchg(lock, &old, new));
}

/* Host side of a lock with host priority. */
static inline bool sharex_trylock_host(u16 *lock, bool excl)
{
	u16 new, old = READ_ONCE(*lock);
	bool ok;

	do {
		ok = !sharex_conflicts(old, excl);
		if (!ok)
			new = old | SHAREX_HOST_PRIORITY;
		else if (excl)
			new = (old & ~SHAREX_HOST_PRIORITY) | SHAREX_EXCL;
		else
			new = (old & ~SHAREX_HOST_PRIORITY) + 1;
	} while (!try_cmpxchg(lock, &old, new));
	return ok;
}

/* From shared to exclusive; fails, and stays shared, if it is shared with others. */
static inline bool sharex_promote_host(u16 *lock)
{
	u16 new, old = READ_ONCE(*lock);
	bool ok;

	do {
		ok = (old & SHAREX_COUNT) == 1;
		new = ok ? SHAREX_EXCL : old | SHAREX_HOST_PRIORITY;
	} while (!try_cmpxchg(lock, &old, new));
	return ok;
}

#endif
