// SPDX-License-Identifier: GPL-2.0
/*
 * Locks held for tests, vCPUs that are inside without running, and states that no
 * leaf leads to.
 *
 * Built with KUnit only.
 */
#include <linux/smp.h>
#include <kunit/visibility.h>

#include "probe/probe.h"

static u16 *tdcs_lock(const struct tdx_sw_test_lock *lock)
{
	struct tdx_sw_tdcs *tdcs = probe_tdcs(probe_map(lock->object, PT_TDR));

	if (!tdcs)
		return NULL;

	switch (lock->class) {
	case TDX_SW_LOCK_OP_STATE:
		return &tdcs->op_state_lock;
	case TDX_SW_LOCK_SEPT_TREE:
		return &tdcs->sept_lock;
	case TDX_SW_LOCK_RTMR:
		return &tdcs->rtmr_lock;
	default:
		return &tdcs->epoch_lock;
	}
}

static u16 *find_lock(const struct tdx_sw_test_lock *lock)
{
	struct tdx_sw_tdmr *tdmr;
	struct tdx_sw_pamt *pamt;

	switch (lock->class) {
	case TDX_SW_LOCK_SYS:
		return &tdx_sw->sys_lock;
	case TDX_SW_LOCK_TDMR:
		tdmr = pamt_find_tdmr(lock->object);
		return tdmr ? &tdmr->lock : NULL;
	case TDX_SW_LOCK_KOT:
		return &tdx_sw->kot_lock;
	case TDX_SW_LOCK_KET:
		return &tdx_sw->ket_lock;
	case TDX_SW_LOCK_WBCACHE:
		if (lock->object >= SEAM_MAX_PACKAGES)
			return NULL;
		return &tdx_sw->wbcache[lock->object].lock;
	case TDX_SW_LOCK_PAGE:
	case TDX_SW_LOCK_TDR:
	case TDX_SW_LOCK_TDVPR:
		pamt = lock->level < SEAM_NR_SIZES ? pamt_entry(lock->object, lock->level) : NULL;
		return pamt ? &pamt->lock : NULL;
	default:
		return tdcs_lock(lock);
	}
}

static u64 *find_sept_entry(const struct tdx_sw_test_lock *lock)
{
	unsigned int l;
	u64 *table = probe_sept_root(lock->object, &l);

	while (table) {
		u64 *entry = &table[sept_index(lock->gpa, l)];

		if (l == lock->level)
			return entry;
		l--;
		table = sept_state(*entry) & SEPT_STATE_NL ? tdx_sw_map(*entry & SEPT_HPA) : NULL;
	}
	return NULL;
}

int tdx_sw_test_set_sept(u64 tdr, u64 gpa, unsigned int level, u64 raw)
{
	const struct tdx_sw_test_lock place = { .object = tdr, .gpa = gpa, .level = level };
	u64 *entry;

	if (!probe_map(tdr, PT_TDR))
		return -ENOENT;
	entry = find_sept_entry(&place);
	if (!entry)
		return -ENXIO;
	WRITE_ONCE(*entry, raw);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_sept);

int tdx_sw_test_lock(const struct tdx_sw_test_lock *lock)
{
	u16 *word;
	u64 *entry;

	if (lock->class == TDX_SW_LOCK_SEPT_ENTRY) {
		entry = find_sept_entry(lock);
		if (!entry)
			return -ENOENT;
		return atomic64_fetch_or(SEPT_LOCK, (atomic64_t *)entry) & SEPT_LOCK ? -EBUSY : 0;
	}

	word = find_lock(lock);
	if (!word)
		return -ENOENT;
	return sharex_trylock(word, lock->excl) ? 0 : -EBUSY;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_lock);

void tdx_sw_test_unlock(const struct tdx_sw_test_lock *lock)
{
	if (lock->class == TDX_SW_LOCK_SEPT_ENTRY)
		atomic64_andnot(SEPT_LOCK, (atomic64_t *)find_sept_entry(lock));
	else
		sharex_unlock(find_lock(lock), lock->excl);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_unlock);

static u64 enter(struct tdx_sw_call *c)
{
	u64 status;

	status = tdx_sw_prologue(c);
	if (!status)
		status = vp_take(c, VCPU_READY);
	if (!status)
		status = vp_epoch_enter(c);
	return status;
}

u64 tdx_sw_test_vcpu_enter(u64 tdvpr)
{
	struct tdx_sw_regs regs = { .rcx = tdvpr };
	struct tdx_sw_call c = { .regs = &regs, .in = regs };
	unsigned long flags;
	u64 status;

	local_irq_save(flags);
	c.leaf = tdx_sw_find_leaf(TDH_VP_ENTER);
	c.lp = smp_processor_id();
	status = enter(&c);
	/* OP_STATE is held for the entry only; TDVPR and TDR stay locked. */
	if (status)
		tdx_sw_unlock_all(&c);
	else
		tdx_sw_unlock_last(&c);
	local_irq_restore(flags);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_vcpu_enter);

void tdx_sw_test_vcpu_exit(u64 tdvpr)
{
	u64 tdr_pa = pamt_owner(pamt_entry(tdvpr, SEAM_4K));
	unsigned int level;

	vp_epoch_exit(tdx_sw_tdcs(tdx_sw_map(tdr_pa)), tdx_sw_map(tdvpr));
	sharex_unlock(&pamt_entry(tdr_pa, SEAM_4K)->lock, false);
	for (level = SEAM_4K; level < SEAM_NR_SIZES; level++)
		sharex_unlock(&pamt_entry(tdvpr, level)->lock, false);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_vcpu_exit);

int tdx_sw_test_set_large(u64 pa, u64 tdr)
{
	struct tdx_sw_pamt *pamt = pamt_entry(pa, SEAM_2M);

	if (!pamt)
		return -ENOENT;
	if (WARN_ON_ONCE(!sharex_trylock(&pamt->lock, true)))
		return -EBUSY;
	if (tdr)
		pamt_assign(pamt, PT_REG, tdr);
	else
		pamt->type = PT_NDA;
	sharex_unlock(&pamt->lock, true);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_large);

void tdx_sw_test_add_inside(int nr)
{
	atomic_add(nr, &tdx_sw->inside);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_add_inside);

int tdx_sw_test_set_fatal(u64 pa)
{
	struct tdx_sw_tdr *tdr = probe_map(pa, PT_TDR);

	if (!tdr)
		return -ENOENT;
	WRITE_ONCE(tdr->fatal, 1);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_fatal);

int tdx_sw_test_set_op_state(u64 pa, u32 op_state)
{
	struct tdx_sw_tdcs *tdcs = probe_tdcs(probe_map(pa, PT_TDR));

	if (!tdcs)
		return -ENOENT;
	WRITE_ONCE(tdcs->op_state, op_state);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_op_state);
