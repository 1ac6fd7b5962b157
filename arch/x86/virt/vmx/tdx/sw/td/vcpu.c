// SPDX-License-Identifier: GPL-2.0
/*
 * Which LP a vCPU belongs to, and what its TD was promised.
 *
 * Association: a vCPU has its VMCS and its translations on at most one LP.
 * VP.INIT, VP.RD, VP.WR and VP.ENTER associate it with the LP they run on;
 * VP.FLUSH on that LP ends it.  TDVPR sharers may race, so assoc_lp is claimed
 * with a compare-exchange; num_assoc counts the claims.
 */
#include "td/td.h"

/* Bind a vCPU to an LP unless it is bound to another one. */
u64 vp_associate(struct tdx_sw_tdcs *tdcs, struct tdx_sw_vcpu *vcpu, unsigned int lp)
{
	u32 old = cmpxchg(&vcpu->assoc_lp, TDX_SW_NO_LP, lp);

	if (old == TDX_SW_NO_LP)
		atomic_inc(&tdcs->num_assoc);
	else if (old != lp)
		return SEAM_VCPU_ASSOCIATED;
	return SEAM_SUCCESS;
}

/**
 * vp_take() - Check that a vCPU is usable, and associate it
 * @c: call
 * @states: states in which it is, as a mask of their values
 *
 * The association stays even if the call fails later.
 *
 * Return: SUCCESS, TDCX_NUM_INCORRECT, VCPU_STATE_INCORRECT or VCPU_ASSOCIATED.
 */
u64 vp_take(struct tdx_sw_call *c, u8 states)
{
	if (c->vcpu->num_pages < SEAM_TDVPS_PAGES)
		return SEAM_TDCX_NUM_INCORRECT;
	if (!(c->vcpu->state & states))
		return SEAM_VCPU_STATE_INCORRECT;
	return vp_associate(c->tdcs, c->vcpu, c->lp);
}

/* Was the TD promised MONITOR and MWAIT? */
bool vp_has_monitor(const struct tdx_sw_call *c)
{
	const struct tdx_sw_cpuid_value *leaf;

	leaf = cpuid_find(tdx_sw_map(c->tdr->tdcx_pa[TDCX_CPUID]), 1, TDX_SW_NO_SUBLEAF);
	return leaf && leaf->val.ecx & BIT(3);
}
