// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a TD: control pages, initialisation, measurement.  TLB epochs, which
 * TDH.MEM.TRACK advances, are in pages/epoch.c.
 *
 * TDR lifecycle: HKID_ASSIGNED --MNG.KEY.CONFIG on every package-->
 * KEYS_CONFIGURED --MNG.VPFLUSHDONE--> BLOCKED --MNG.KEY.FREEID--> TEARDOWN.  From
 * HKID_ASSIGNED VPFLUSHDONE is legal, too.  It changes with the TDR held
 * exclusively (keyid.c).
 *
 * OP_STATE, from six TDCX pages on: UNINITIALIZED --MNG.INIT--> INITIALIZED
 * --MR.FINALIZE--> RUNNABLE.  It changes with the TDR held exclusively, so whoever
 * holds the TDR may rely on it.
 *
 * References: the owner field of a page names its TD; the TDR counts these pages
 * in CHLDCNT and cannot be reclaimed before they are.  The TDCS pages stay until
 * the lifecycle is TEARDOWN, where no leaf looks at them any more.
 */
#include <linux/math64.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "guest/guest.h"
#include "host/host.h"

static bool is_tdcs_complete(const struct tdx_sw_tdr *tdr)
{
	return tdr->num_tdcx >= SEAM_TDCS_PAGES;
}

/* A page's role follows from the order in which the host adds pages. */
static void init_tdcx(struct tdx_sw_tdr *tdr, u64 pa)
{
	void *page = tdx_sw_map(pa);

	switch (tdr->num_tdcx) {
	case TDCX_MSR_BITMAPS:
		memset(page, 0xff, PAGE_SIZE);
		break;
	case TDCX_SEPT_ROOT:
		sept_init_table(pa);
		break;
	default:
		clear_page(page);
	}
	tdr->tdcx_pa[tdr->num_tdcx++] = pa;
}

u64 tdx_sw_mng_addcx(struct tdx_sw_call *c)
{
	struct tdx_sw_tdr *tdr = c->tdr;
	struct tdx_sw_pamt *pamt;
	u64 status;

	if (READ_ONCE(tdr->fatal))
		return SEAM_TD_FATAL;
	if (tdr->lifecycle != TD_KEYS_CONFIGURED)
		return SEAM_TD_KEYS_NOT_CONFIGURED;
	if (tdr->num_tdcx >= SEAM_TDCS_MAX_PAGES)
		return SEAM_TDCX_NUM_INCORRECT;
	status = pamt_lock_free(c, c->in.rcx, SEAM_4K, OPERAND_RCX, &pamt);
	if (status)
		return status;
	if (is_tdcs_complete(tdr) && tdx_sw_tdcs(tdr)->op_state != OP_UNINITIALIZED)
		return op_state_incorrect(tdx_sw_tdcs(tdr));

	init_tdcx(tdr, c->in.rcx);
	atomic64_inc(&tdr->chldcnt);
	pamt_assign(pamt, PT_TDCX, c->tdr_pa);
	return SEAM_SUCCESS;
}

/* The virtual TSC runs at the TD's frequency and shows 0 now. */
static void start_tsc(struct tdx_sw_tdcs *tdcs)
{
	tdcs->tsc_multiplier = mul_u64_u64_div_u64(td_virtual_tsc_khz(tdcs), BIT_ULL(48),
						   td_host_tsc_khz(tdcs));
	tdcs->tsc_offset = -mul_u64_u64_shr(rdtsc_ordered(), tdcs->tsc_multiplier, 48);
}

u64 tdx_sw_mng_init(struct tdx_sw_call *c)
{
	struct tdx_sw_scratch *room = tdx_sw_scratch();
	struct tdx_sw_tdcs *new = &room->tdcs;
	u64 status;

	status = tdx_sw_check_shared_pa(c->in.rdx, sizeof(room->params), sizeof(room->params),
					OPERAND_RDX);
	if (status)
		return status;
	if (tdx_sw_cpuid_is_limited())
		return SEAM_LIMIT_CPUID_MAXVAL_SET;
	if (tdx_sw_tsc_adjust_changed())
		return seam_status(SEAM_INCONSISTENT_MSR, 0x3b);

	/* Read once: the host may change it while it is checked. */
	memcpy(&room->params, tdx_sw_map_shared(c->in.rdx), sizeof(room->params));
	*new = *c->tdcs;
	status = td_init_params(c, new, &room->params);
	if (status)
		return status;

	cpuid_virtualize(&room->cpuid, &room->params);
	start_tsc(new);
	measure_start(&new->mrtd_hash);
	new->epoch = 1;
	new->op_state = OP_INITIALIZED;
	*c->tdcs = *new;
	*(struct tdx_sw_cpuid_page *)tdx_sw_map(c->tdr->tdcx_pa[TDCX_CPUID]) = room->cpuid;
	gmsr_init_bitmap(tdx_sw_map(c->tdr->tdcx_pa[TDCX_MSR_BITMAPS]), new, &room->cpuid);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mr_extend(struct tdx_sw_call *c)
{
	struct sept_walk walk;
	u64 gpa = c->in.rcx;
	u64 offset;

	if (gpa & 0xff || !tdx_sw_gpa_is_private(gpa))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);

	/* Down to the leaf, whatever its size. */
	sept_walk(c, gpa, SEAM_4K, &walk);
	if (sept_state(walk.val) != SEPT_MAPPED) {
		c->regs->rcx = sept_arch_view(walk.val);
		c->regs->rdx = sept_level_state(walk.val, walk.level);
		return seam_status(SEAM_EPT_ENTRY_NOT_PRESENT, OPERAND_RCX);
	}

	offset = gpa & (BIT_ULL(SEPT_SHIFT(walk.level)) - 1);
	measure_block(&c->tdcs->mrtd_hash, "MR.EXTEND", gpa);
	measure_data(&c->tdcs->mrtd_hash, tdx_sw_map((walk.val & SEPT_HPA) + offset), 256);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mr_finalize(struct tdx_sw_call *c)
{
	struct tdx_sw_tdcs *tdcs = c->tdcs;

	if (!tdcs->num_vcpus)
		return SEAM_NO_VCPUS;

	measure_finish(&tdcs->mrtd_hash, tdcs->mrtd);
	WRITE_ONCE(tdcs->op_state, OP_RUNNABLE);
	return SEAM_SUCCESS;
}

u64 tdx_sw_mem_track(struct tdx_sw_call *c)
{
	if (!tdx_sw_lock(c, TDX_SW_LOCK_TD_EPOCH, &c->tdcs->epoch_lock, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_TD_EPOCH);
	return td_epoch_advance(c->tdcs);
}
