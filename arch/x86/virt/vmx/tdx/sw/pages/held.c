// SPDX-License-Identifier: GPL-2.0
/*
 * The locks that a call holds.
 *
 * Lock order, as every leaf takes them: TDVPR, TDR, OP_STATE, S-EPT tree, S-EPT
 * entry, pages.  With try-locks the order decides nothing but which operand a
 * busy status names.
 */
#include <linux/bug.h>

#include "pages/pages.h"

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

/* The PAMT entry that was locked last, shared: exclusively from now on, if possible. */
bool tdx_sw_promote_last(struct tdx_sw_call *c)
{
	struct tdx_sw_held *held = &c->held[c->nr_held - 1];
	struct tdx_sw_pamt *pamt = held->object;

	if (WARN_ON_ONCE(held->kind != HELD_PAMT || held->excl))
		return false;
	if (!sharex_promote_host(&pamt->lock))
		return false;
	held->excl = true;
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
