// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a vCPU.
 *
 * States: UNINITIALIZED --VP.INIT--> READY, with the TDVPR held exclusively; DISABLED
 * after a triple fault, by TDH.VP.ENTER, which shares it.
 *
 * Association: a vCPU has its VMCS and its translations on at most one LP.
 * VP.INIT, VP.RD, VP.WR and VP.ENTER associate it with the LP they run on;
 * VP.FLUSH on that LP ends it.  TDVPR sharers may race, so assoc_lp is claimed
 * with a compare-exchange; num_assoc counts the claims.
 *
 * References: a TDVPR names its TDR as owner and is counted there.  Its TDCS
 * exists: no TDVPR can be made before the TDCS is complete, and no TDCS page
 * goes before the key does.
 */
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "pages/sept_entry.h"
#include "run/run.h"

u64 tdx_sw_vp_create(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu;
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = pamt_lock_page(c, c->in.rcx, OPERAND_RCX, PT_NDA, true, &pamt);
	if (status)
		return status;

	vcpu = tdx_sw_map(c->in.rcx);
	clear_page(vcpu);
	vcpu->state = VCPU_UNINITIALIZED;
	vcpu->assoc_lp = TDX_SW_NO_LP;
	vcpu->page_pa[0] = c->in.rcx;
	vcpu->num_pages = 1;
	atomic64_inc(&c->tdr->chldcnt);
	pamt_assign(pamt, PT_TDVPR, c->tdr_pa);
	return SEAM_SUCCESS;
}

u64 tdx_sw_vp_addcx(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	struct tdx_sw_pamt *pamt;
	u64 status;

	if (vcpu->state != VCPU_UNINITIALIZED)
		return SEAM_VCPU_STATE_INCORRECT;
	if (vcpu->num_pages >= SEAM_TDVPS_MAX_PAGES)
		return SEAM_TDCX_NUM_INCORRECT;
	status = pamt_lock_page(c, c->in.rcx, OPERAND_RCX, PT_NDA, true, &pamt);
	if (status)
		return status;

	clear_page(tdx_sw_map(c->in.rcx));
	vcpu->page_pa[vcpu->num_pages++] = c->in.rcx;
	atomic64_inc(&c->tdr->chldcnt);
	pamt_assign(pamt, PT_TDCX, c->tdr_pa);
	return SEAM_SUCCESS;
}

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

/* Version 1 holds the TDR exclusively, so the list stands still. */
static u64 check_x2apic_id(struct tdx_sw_call *c)
{
	u32 i, id = c->in.r8;

	if (!c->version)
		return SEAM_SUCCESS;

	for (i = 0; i < c->tdcs->num_vcpus; i++) {
		if (c->tdcs->x2apic_id[i] == id)
			return seam_status(SEAM_X2APIC_ID_NOT_UNIQUE, id);
	}
	return SEAM_SUCCESS;
}

/* Version 0 shares the TDR with others of its kind. */
static bool claim_index(struct tdx_sw_tdcs *tdcs, u32 *index)
{
	*index = READ_ONCE(tdcs->num_vcpus);
	do {
		if (*index >= tdcs->max_vcpus)
			return false;
	} while (!try_cmpxchg(&tdcs->num_vcpus, index, *index + 1));
	return true;
}

static void init_state(struct tdx_sw_call *c, u32 index)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;

	vcpu->index = index;
	vcpu->x2apic_id = c->version ? c->in.r8 : U32_MAX;
	vcpu->xfam = c->tdcs->xfam;
	vcpu->posted_vector = 0xffff;
	vcpu->posted_desc = ~0ULL;
	vcpu->shared_eptp = c->tdr->tdcx_pa[TDCX_ZERO];
	vcpu->pin_controls = VP_PIN_CONTROLS;
	vcpu->proc2_controls = VP_PROC2_CONTROLS;

	vcpu->flush = true;
	switch_init_vcpu(vcpu);
	vcpu->guest.gpr[GPR_RBX] = tdx_sw_config.gpa_width;
	vcpu->guest.gpr[GPR_RCX] = c->in.rdx;
	vcpu->guest.gpr[GPR_R8] = c->in.rdx;
	vcpu->guest.gpr[GPR_RDX] = cpuid_eax(1) & 0x0fff3fff;
	vcpu->guest.gpr[GPR_RSI] = index;
	vcpu->state = VCPU_READY;
}

u64 tdx_sw_vp_init(struct tdx_sw_call *c)
{
	struct tdx_sw_tdcs *tdcs = c->tdcs;
	u64 status;
	u32 index;

	if (c->version && c->in.r8 >> 32)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R8);
	if (c->vcpu->num_pages < SEAM_TDVPS_PAGES)
		return SEAM_TDCX_NUM_INCORRECT;
	if (c->vcpu->state != VCPU_UNINITIALIZED)
		return SEAM_VCPU_STATE_INCORRECT;
	if (tdx_sw_tsc_adjust_changed())
		return seam_status(SEAM_INCONSISTENT_MSR, 0x3b);
	if (READ_ONCE(tdcs->num_vcpus) >= tdcs->max_vcpus)
		return SEAM_MAX_VCPUS_EXCEEDED;
	status = check_x2apic_id(c);
	if (status)
		return status;
	/* The last check, since two version 0 calls may race for the last index. */
	if (!claim_index(tdcs, &index))
		return SEAM_MAX_VCPUS_EXCEEDED;

	tdcs->x2apic_id[index] = c->version ? c->in.r8 : U32_MAX;
	if (!c->version)
		WRITE_ONCE(tdcs->no_topology, 1);
	init_state(c, index);
	vp_associate(tdcs, c->vcpu, c->lp);
	return SEAM_SUCCESS;
}

u64 tdx_sw_vp_flush(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;

	if (c->tdr->lifecycle != TD_KEYS_CONFIGURED)
		return SEAM_TD_KEYS_NOT_CONFIGURED;
	if (vcpu->num_pages < SEAM_TDVPS_PAGES)
		return SEAM_TDCX_NUM_INCORRECT;
	if (vcpu->assoc_lp != c->lp)
		return SEAM_VCPU_NOT_ASSOCIATED;

	/* Translations go with the next entry: the CPU may be another one then. */
	if (vcpu->vmcs_valid)
		vmcs_clear(vcpu->page_pa[TDVPS_VMCS]);
	vcpu->launched = false;
	vcpu->flush = true;
	spec_forget(vcpu);

	WRITE_ONCE(vcpu->assoc_lp, TDX_SW_NO_LP);
	atomic_dec(&tdx_sw_tdcs(c->tdr)->num_assoc);
	return SEAM_SUCCESS;
}

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

/* Was the TD promised MONITOR and MWAIT? */
bool vp_has_monitor(const struct tdx_sw_call *c)
{
	const struct tdx_sw_cpuid_value *leaf;

	leaf = cpuid_find(tdx_sw_map(c->tdr->tdcx_pa[TDCX_CPUID]), 1, TDX_SW_NO_SUBLEAF);
	return leaf && leaf->val.ecx & BIT(3);
}
