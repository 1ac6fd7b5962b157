// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own life: initialisation, enumeration, end.
 *
 * States: SYSINIT_PENDING --SYS.INIT--> SYSINIT_DONE --SYS.CONFIG--> SYSCONFIG_DONE
 * --SYS.KEY.CONFIG on the last package--> SYS_READY --SYS.SHUTDOWN--> SYS_SHUTDOWN.
 * SYS.DISABLE leads to SYS_SHUTDOWN from anywhere.
 *
 * The state changes under sys_lock held exclusively.  The dispatcher reads it
 * without: a call that was let in before the change finishes as if it had come
 * before it.  SYS_SHUTDOWN wants that there is none: calls are counted in and out,
 * and the last one closes the door behind itself.
 *
 * TDMRs and PAMT are in tdmr.c, what SYS.RD returns in td/sysfield.c.
 */
#include <linux/cpumask.h>
#include <linux/string.h>

#include "host/host.h"

static bool lock_sys(struct tdx_sw_call *c, bool excl)
{
	return tdx_sw_lock(c, TDX_SW_LOCK_SYS, &tdx_sw->sys_lock, excl);
}

static bool lp_is_initialized(const struct tdx_sw_call *c)
{
	return cpumask_test_cpu(c->lp, &tdx_sw->lp_initialized);
}

u64 tdx_sw_sys_init(struct tdx_sw_call *c)
{
	struct tdx_sw_regs *regs = c->regs;

	regs->rcx = 0;
	regs->rdx = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;

	if (!lock_sys(c, true))
		return SEAM_SYS_BUSY;
	if (tdx_sw->sys_state != SYSINIT_PENDING)
		return SEAM_SYS_INIT_NOT_PENDING;
	if (c->in.rcx)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);
	if (!tdx_sw_config.ready)
		return SEAM_CRYPTO_SELF_TEST_FAILED;

	WRITE_ONCE(tdx_sw->sys_state, SYSINIT_DONE);
	return SEAM_SUCCESS;
}

u64 tdx_sw_sys_lp_init(struct tdx_sw_call *c)
{
	struct tdx_sw_regs *regs = c->regs;

	regs->rcx = 0;
	regs->rdx = 0;
	regs->r8 = 0;

	if (!lock_sys(c, false))
		return SEAM_SYS_BUSY;
	if (tdx_sw->sys_state != SYSINIT_DONE)
		return SEAM_SYS_LP_INIT_NOT_PENDING;
	if (lp_is_initialized(c))
		return SEAM_SYS_LP_INIT_DONE;

	tdx_sw_record_tsc_adjust();
	atomic64_or(BIT_ULL(c->pkg), &tdx_sw->pkgs);
	cpumask_set_cpu(c->lp, &tdx_sw->lp_initialized);
	return SEAM_SUCCESS;
}

static void fill_tdsysinfo(struct seam_tdsysinfo *info)
{
	unsigned int i, nr = min_t(unsigned int, cpuid_nr_configs(), ARRAY_SIZE(info->cpuid));

	memset(info, 0, sizeof(*info));
	info->vendor = 0x8086;
	info->minor = 5;
	info->major = 1;
	info->sys_rd = 1;
	info->max_tdmrs = SEAM_MAX_TDMRS;
	info->max_reserved = SEAM_MAX_RESERVED;
	info->pamt_entry_size = sizeof(struct tdx_sw_pamt);
	info->tdcs_base_size = SEAM_TDCS_PAGES * PAGE_SIZE;
	info->tdvps_base_size = SEAM_TDVPS_PAGES * PAGE_SIZE;
	info->attributes_fixed0 = sysfield_attributes_fixed0();
	info->xfam_fixed0 = sysfield_xfam_fixed0();
	info->xfam_fixed1 = TD_XFAM_FIXED1;

	info->nr_cpuid = nr;
	for (i = 0; i < nr; i++) {
		const struct tdx_sw_cpuid_config *cfg = cpuid_config(i);

		info->cpuid[i].leaf = cfg->leaf;
		info->cpuid[i].subleaf = cfg->subleaf;
		info->cpuid[i].val = cpuid_reported(cfg);
	}
}

u64 tdx_sw_sys_info(struct tdx_sw_call *c)
{
	const struct tdx_sw_regs *in = &c->in;
	size_t cmrs_size = sizeof(tdx_sw->cmrs);
	u64 status;

	if (!lp_is_initialized(c))
		return SEAM_SYS_LP_INIT_NOT_DONE;
	status = tdx_sw_check_shared_pa(in->rcx, sizeof(struct seam_tdsysinfo),
					sizeof(struct seam_tdsysinfo), OPERAND_RCX);
	if (status)
		return status;
	if (in->rdx < sizeof(struct seam_tdsysinfo))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RDX);
	status = tdx_sw_check_shared_pa(in->r8, cmrs_size, cmrs_size, OPERAND_R8);
	if (status)
		return status;
	if (in->r9 < SEAM_NR_CMRS)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R9);

	fill_tdsysinfo(tdx_sw_map_shared(in->rcx));
	memcpy(tdx_sw_map_shared(in->r8), tdx_sw->cmrs, cmrs_size);
	c->regs->rdx = sizeof(struct seam_tdsysinfo);
	c->regs->r9 = SEAM_NR_CMRS;
	return SEAM_SUCCESS;
}

u64 tdx_sw_sys_rd(struct tdx_sw_call *c)
{
	u64 status, value, next;

	c->regs->rdx = FIELD_NO_NEXT;
	c->regs->r8 = 0;

	if (!lp_is_initialized(c))
		return SEAM_SYS_LP_INIT_NOT_DONE;
	if (c->in.rdx == FIELD_FIRST) {
		c->regs->rdx = sysfield_first();
		return SEAM_FIRST_FIELD_ID_IN_CONTEXT;
	}

	status = sysfield_read(c->in.rdx, &value, &next);
	if (status)
		return status;

	c->regs->rdx = next;
	c->regs->r8 = value;
	return SEAM_SUCCESS;
}

u64 tdx_sw_sys_rdall(struct tdx_sw_call *c)
{
	u64 status;

	c->regs->r8 = FIELD_NO_NEXT;

	if (!lp_is_initialized(c))
		return SEAM_SYS_LP_INIT_NOT_DONE;
	status = tdx_sw_check_shared_pa(c->in.rdx, PAGE_SIZE, PAGE_SIZE, OPERAND_RDX);
	if (status)
		return status;
	return sysfield_list(tdx_sw_map_shared(c->in.rdx), c->in.r8, &c->regs->r8);
}

u64 tdx_sw_sys_lp_shutdown(struct tdx_sw_call *c)
{
	return SEAM_SUCCESS;
}

static u64 stop(struct tdx_sw_call *c)
{
	/* Nobody but this call, and nobody from here on: see dispatch(). */
	if (atomic_cmpxchg(&tdx_sw->inside, 1, TDX_SW_CLOSED) != 1)
		return SEAM_SYS_BUSY;

	WRITE_ONCE(tdx_sw->sys_state, SYS_SHUTDOWN);
	return SEAM_SUCCESS;
}

/* There is one handoff version and no module to hand over to. */
u64 tdx_sw_sys_shutdown(struct tdx_sw_call *c)
{
	if (!lock_sys(c, true))
		return SEAM_SYS_BUSY;
	if (tdx_sw->sys_state != SYS_READY)
		return SEAM_SYS_STATE_INCORRECT;
	if (c->in.rcx)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);
	return stop(c);
}

u64 tdx_sw_sys_disable(struct tdx_sw_call *c)
{
	if (!lock_sys(c, true))
		return SEAM_SYS_BUSY;
	return stop(c);
}

/* No update ever leaves handoff data behind. */
u64 tdx_sw_sys_update(struct tdx_sw_call *c)
{
	if (!lock_sys(c, true))
		return SEAM_SYS_BUSY;
	if (tdx_sw->sys_state != SYSINIT_DONE ||
	    !cpumask_subset(cpu_present_mask, &tdx_sw->lp_initialized))
		return SEAM_SYS_STATE_INCORRECT;
	return SEAM_SYS_INVALID_HANDOFF;
}
