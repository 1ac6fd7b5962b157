// SPDX-License-Identifier: GPL-2.0
/*
 * Key IDs: who has which, and the cache flush before one is used again.
 *
 * States of a key ID in the KOT:
 *
 *	FREE --MNG.CREATE--> ASSIGNED --MNG.VPFLUSHDONE--> FLUSHED
 *	FLUSHED --PHYMEM.CACHE.WB on every package, then MNG.KEY.FREEID--> FREE
 *	RESERVED: the global key ID, final (set by SYS.CONFIG)
 *
 * A state changes with kot_lock held exclusively.  flush_pkgs counts only while
 * FLUSHED; TDH.PHYMEM.CACHE.WB clears its package's bit under the package's lock
 * and kot_lock shared, so packages write back in parallel.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>

#include "host/host.h"

static bool lock_kot(struct tdx_sw_call *c, bool excl)
{
	return tdx_sw_lock(c, TDX_SW_LOCK_KOT, &tdx_sw->kot_lock, excl);
}

/* Key programming happens one at a time. */
static bool lock_ket(struct tdx_sw_call *c)
{
	return tdx_sw_lock(c, TDX_SW_LOCK_KET, &tdx_sw->ket_lock, true);
}

u64 tdx_sw_sys_key_config(struct tdx_sw_call *c)
{
	u64 pkgs = atomic64_read(&tdx_sw->pkgs);

	if (!tdx_sw_lock(c, TDX_SW_LOCK_SYS, &tdx_sw->sys_lock, true))
		return SEAM_SYS_BUSY;
	if (tdx_sw->sys_state != SYSCONFIG_DONE)
		return SEAM_SYS_KEY_CONFIG_NOT_PENDING;
	if (tdx_sw->pkgs_keyed & BIT_ULL(c->pkg))
		return SEAM_KEY_CONFIGURED;
	if (!lock_ket(c))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_KET);

	tdx_sw->pkgs_keyed |= BIT_ULL(c->pkg);
	if (tdx_sw->pkgs_keyed == pkgs)
		WRITE_ONCE(tdx_sw->sys_state, SYS_READY);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mng_create(struct tdx_sw_call *c)
{
	u64 pa = c->in.rcx, hkid = c->in.rdx, status;
	struct tdx_sw_pamt *pamt;
	struct tdx_sw_tdr *tdr;
	unsigned int i;

	if (!tdx_sw_is_private_hkid(hkid))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RDX);
	status = pamt_lock_free(c, pa, SEAM_4K, OPERAND_RCX, &pamt);
	if (status)
		return status;
	if (!lock_kot(c, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_KOT);
	if (tdx_sw->kot[hkid].state != HKID_FREE)
		return SEAM_HKID_NOT_FREE;

	tdr = tdx_sw_map(pa);
	clear_page(tdr);
	tdr->lifecycle = TD_HKID_ASSIGNED;
	tdr->hkid = hkid;
	for (i = 0; i < ARRAY_SIZE(tdr->uuid); i++)
		tdr->uuid[i] = tdx_sw_random();
	tdx_sw->kot[hkid].state = HKID_ASSIGNED;
	pamt_assign(pamt, PT_TDR, 0);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mng_key_config(struct tdx_sw_call *c)
{
	struct tdx_sw_tdr *tdr = c->tdr;

	if (READ_ONCE(tdr->fatal))
		return SEAM_TD_FATAL;
	if (tdr->lifecycle != TD_HKID_ASSIGNED)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	if (tdr->pkg_configured & BIT_ULL(c->pkg))
		return SEAM_KEY_CONFIGURED;
	if (!lock_ket(c))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_KET);

	tdr->pkg_configured |= BIT_ULL(c->pkg);
	if (tdr->pkg_configured == tdx_sw->pkgs_keyed)
		tdr->lifecycle = TD_KEYS_CONFIGURED;
	return SEAM_SUCCESS;
}

static bool has_associated_vcpus(const struct tdx_sw_tdr *tdr)
{
	struct tdx_sw_tdcs *tdcs;

	if (tdr->num_tdcx < SEAM_TDCS_PAGES)
		return false;
	tdcs = tdx_sw_tdcs(tdr);
	return tdcs->op_state != OP_UNINITIALIZED && atomic_read(&tdcs->num_assoc);
}

u64 tdx_sw_mng_vpflushdone(struct tdx_sw_call *c)
{
	struct tdx_sw_tdr *tdr = c->tdr;
	struct tdx_sw_key *key;

	if (!lock_kot(c, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_KOT);
	if (tdr->lifecycle != TD_KEYS_CONFIGURED && tdr->lifecycle != TD_HKID_ASSIGNED)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	if (has_associated_vcpus(tdr))
		return SEAM_FLUSHVP_NOT_DONE;

	key = &tdx_sw->kot[tdr->hkid];
	WARN_ON_ONCE(key->state != HKID_ASSIGNED);
	tdr->lifecycle = TD_BLOCKED;
	key->flush_pkgs = tdx_sw->pkgs_keyed;
	key->state = HKID_FLUSHED;
	return SEAM_SUCCESS;
}

u64 tdx_sw_mng_key_freeid(struct tdx_sw_call *c)
{
	struct tdx_sw_tdr *tdr = c->tdr;
	struct tdx_sw_key *key;

	if (!lock_kot(c, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_KOT);
	if (tdr->lifecycle != TD_BLOCKED)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	key = &tdx_sw->kot[tdr->hkid];
	WARN_ON_ONCE(key->state != HKID_FLUSHED);
	if (key->flush_pkgs)
		return SEAM_WBCACHE_NOT_COMPLETE;

	key->state = HKID_FREE;
	tdr->lifecycle = TD_TEARDOWN;
	return SEAM_SUCCESS;
}

/* The leaf is left over from an older interface. */
u64 tdx_sw_mng_key_reclaimid(struct tdx_sw_call *c)
{
	return SEAM_SUCCESS;
}

/*
 * Note the key IDs whose lines this package still has to write back.  There is
 * something to do as long as any key ID is FLUSHED, if not for this package.
 */
static bool collect_flushed(struct tdx_sw_wbcache *wb, u64 pkg)
{
	bool any = false;
	unsigned int hkid;

	bitmap_zero(wb->hkids, SEAM_KOT_SIZE);
	for (hkid = tdx_sw_config.first_hkid; tdx_sw_is_private_hkid(hkid); hkid++) {
		struct tdx_sw_key *key = &tdx_sw->kot[hkid];

		if (key->state != HKID_FLUSHED)
			continue;
		any = true;
		if (READ_ONCE(key->flush_pkgs) & pkg)
			__set_bit(hkid, wb->hkids);
	}
	return any;
}

static void finish_flush(struct tdx_sw_wbcache *wb, u64 pkg)
{
	unsigned int hkid;

	/* Memory of this module is not cached under other keys: nothing to write. */
	for_each_set_bit(hkid, wb->hkids, SEAM_KOT_SIZE)
		atomic64_andnot(pkg, (atomic64_t *)&tdx_sw->kot[hkid].flush_pkgs);
	bitmap_zero(wb->hkids, SEAM_KOT_SIZE);
	wb->started = false;
}

u64 tdx_sw_phymem_cache_wb(struct tdx_sw_call *c)
{
	struct tdx_sw_wbcache *wb = &tdx_sw->wbcache[c->pkg];
	bool resume = c->in.rcx;
	u64 pkg = BIT_ULL(c->pkg);

	if (c->in.rcx > 1)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);
	if (!tdx_sw_lock(c, TDX_SW_LOCK_WBCACHE, &wb->lock, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_WBCACHE);
	if (!lock_kot(c, false))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_KOT);
	if (resume && !wb->started)
		return SEAM_WBCACHE_RESUME_ERROR;
	if (!resume && !collect_flushed(wb, pkg)) {
		wb->started = false;
		return SEAM_NO_HKID_READY_TO_WBCACHE;
	}

	wb->started = true;
	if (c->interrupt)
		return SEAM_INTERRUPTED_RESUMABLE;
	finish_flush(wb, pkg);
	return SEAM_SUCCESS;
}
