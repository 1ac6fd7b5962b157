// SPDX-License-Identifier: GPL-2.0
/*
 * TLB epochs: which vCPUs may still use a translation that is no longer there.
 *
 * TD_EPOCH counts TDH.MEM.TRACK; each vCPU inside is counted in refcount[epoch & 1]
 * for the epoch in which it entered.  Epoch and counters change with epoch_lock held:
 * TRACK exclusively, entries shared, exits without.
 */
#include <linux/bug.h>

#include "pages/pages.h"

/**
 * vp_epoch_enter() - Count a vCPU into the current TLB epoch
 * @c: call with TDCS and vCPU
 *
 * Return: SUCCESS or OPERAND_BUSY@TD_EPOCH.
 */
u64 vp_epoch_enter(struct tdx_sw_call *c)
{
	struct tdx_sw_tdcs *tdcs = c->tdcs;
	u64 epoch;

	if (!tdx_sw_lock(c, TDX_SW_LOCK_TD_EPOCH, &tdcs->epoch_lock, false))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_TD_EPOCH);
	epoch = READ_ONCE(tdcs->epoch);
	WRITE_ONCE(c->vcpu->epoch, epoch);
	atomic_inc(&tdcs->refcount[epoch & 1]);
	tdx_sw_unlock_last(c);
	return SEAM_SUCCESS;
}

/* The vCPU has left, or did not get in after all. */
void vp_epoch_exit(struct tdx_sw_tdcs *tdcs, struct tdx_sw_vcpu *vcpu)
{
	WARN_ON_ONCE(atomic_dec_return_release(&tdcs->refcount[vcpu->epoch & 1]) < 0);
}

/* Begin a new TLB epoch, with the epoch lock held exclusively. */
u64 td_epoch_advance(struct tdx_sw_tdcs *tdcs)
{
	/* Somebody inside since before the last TRACK would be counted as new. */
	if (atomic_read(&tdcs->refcount[(tdcs->epoch + 1) & 1]))
		return SEAM_PREVIOUS_TLB_EPOCH_BUSY;

	WRITE_ONCE(tdcs->epoch, tdcs->epoch + 1);
	return SEAM_SUCCESS;
}

/**
 * td_epoch_tracked() - Has every vCPU left since a page was blocked?
 * @tdcs: TD
 * @bepoch: TD_EPOCH when the page was blocked
 *
 * A TRACK in between may let new entries look like old ones, so the epoch is
 * read again; two TRACKs settle the question anyway.
 *
 * Return: true if no vCPU can have a translation from before.
 */
bool td_epoch_tracked(struct tdx_sw_tdcs *tdcs, u64 bepoch)
{
	u64 epoch;
	int count;

	do {
		epoch = READ_ONCE(tdcs->epoch);
		if (bepoch + 1 < epoch)
			return true;
		if (bepoch + 1 != epoch)
			return false;
		/* Pairs with the order in which entries count and then run. */
		smp_rmb();
		count = atomic_read(&tdcs->refcount[bepoch & 1]);
		/* The epoch has to be the one that the count belongs to. */
		smp_rmb();
	} while (epoch != READ_ONCE(tdcs->epoch));

	return !count;
}
