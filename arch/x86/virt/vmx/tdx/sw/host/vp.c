// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a vCPU.
 *
 * States: UNINITIALIZED --VP.INIT--> READY, with the TDVPR held exclusively; DISABLED
 * after a triple fault, by TDH.VP.ENTER, which shares it.
 *
 * Which LP it belongs to is in td/vcpu.c.
 *
 * References: a TDVPR names its TDR as owner and is counted there.  Its TDCS
 * exists: no TDVPR can be made before the TDCS is complete, and no TDCS page
 * goes before the key does.
 */
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "base/cpu.h"
#include "host/host.h"

u64 tdx_sw_vp_create(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu;
	struct tdx_sw_pamt *pamt;
	u64 status;

	status = pamt_lock_free(c, c->in.rcx, SEAM_4K, OPERAND_RCX, &pamt);
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
	status = pamt_lock_free(c, c->in.rcx, SEAM_4K, OPERAND_RCX, &pamt);
	if (status)
		return status;

	clear_page(tdx_sw_map(c->in.rcx));
	vcpu->page_pa[vcpu->num_pages++] = c->in.rcx;
	atomic64_inc(&c->tdr->chldcnt);
	pamt_assign(pamt, PT_TDCX, c->tdr_pa);
	return SEAM_SUCCESS;
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
	regs_init_vcpu(vcpu);
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
