// SPDX-License-Identifier: GPL-2.0
/*
 * TD_PARAMS: what the host may ask for when it initialises a TD.
 *
 * Works on a copy that the host cannot change, in the order of the fields.
 */
#include <linux/string.h>

#include "host/host.h"

#define EPTP_MT_WB	6ULL
#define EPTP_PWL_SHIFT	3
#define EPTP_PWL_4	3ULL

#define TSC_MIN		4
#define TSC_MAX		400

/* States that come as a group or not at all */
#define XFAM_AVX	BIT_ULL(2)
#define XFAM_AVX512	GENMASK_ULL(7, 5)
#define XFAM_CET	GENMASK_ULL(12, 11)
#define XFAM_AMX	GENMASK_ULL(18, 17)

static bool is_partial(u64 xfam, u64 group)
{
	return (xfam & group) && (xfam & group) != group;
}

static bool is_valid_xfam(u64 xfam)
{
	if (xfam & ~sysfield_xfam_fixed0() || ~xfam & TD_XFAM_FIXED1)
		return false;
	if (xfam & XFAM_AVX512 && !(xfam & XFAM_AVX))
		return false;
	return !is_partial(xfam, XFAM_AVX512) && !is_partial(xfam, XFAM_CET) &&
	       !is_partial(xfam, XFAM_AMX);
}

/* Four levels for every width up to 48; five are not offered. */
static bool is_valid_eptp(u64 eptp)
{
	return eptp == (EPTP_MT_WB | EPTP_PWL_4 << EPTP_PWL_SHIFT);
}

static u64 invalid(u32 operand)
{
	return seam_status(SEAM_OPERAND_INVALID, operand);
}

static u64 check_controls(const struct seam_td_params *p)
{
	if (p->attributes & ~sysfield_attributes_fixed0())
		return invalid(OPERAND_ATTRIBUTES);
	if (!is_valid_xfam(p->xfam))
		return invalid(OPERAND_XFAM);
	if (!p->max_vcpus || p->max_vcpus > SEAM_MAX_VCPUS)
		return invalid(OPERAND_MAX_VCPUS);
	/* Partitioning is not enumerated. */
	if (p->num_l2_vms)
		return invalid(OPERAND_NUM_L2_VMS);
	if (p->msr_config_ctls & ~TD_MSR_CTL_ARCH_CAP || p->rsvd20)
		return invalid(OPERAND_RDX);
	if (!is_valid_eptp(p->eptp_controls))
		return invalid(OPERAND_EPTP_CONTROLS);
	if (p->config_flags & ~sysfield_config_flags_fixed0())
		return invalid(OPERAND_EXEC_CONTROLS);
	if (p->tsc_frequency < TSC_MIN || p->tsc_frequency > TSC_MAX)
		return invalid(OPERAND_TSC_FREQUENCY);
	if (memchr_inv(p->rsvd42, 0, sizeof(p->rsvd42)))
		return invalid(OPERAND_RDX);
	return SEAM_SUCCESS;
}

static u64 check_arch_cap(const struct seam_td_params *p)
{
	bool used = p->msr_config_ctls & TD_MSR_CTL_ARCH_CAP;
	u64 allowed = used ? sysfield_arch_cap_mask() : 0;

	return p->arch_cap & ~allowed ? invalid(OPERAND_ARCH_CAP) : SEAM_SUCCESS;
}

/**
 * td_init_params() - Check TD_PARAMS and take them over
 * @c: call; RCX receives the CPUID leaf at fault
 * @new: configuration that results
 * @p: private copy of the parameters
 *
 * Return: SUCCESS or the status of TDH.MNG.INIT.
 */
u64 td_init_params(struct tdx_sw_call *c, struct tdx_sw_tdcs *new,
		   const struct seam_td_params *p)
{
	unsigned int nr = cpuid_nr_configs();
	u64 status;

	status = check_controls(p);
	if (!status)
		status = check_arch_cap(p);
	if (status)
		return status;
	if (memchr_inv(p->rsvd232, 0, sizeof(p->rsvd232)))
		return invalid(OPERAND_RDX);
	status = cpuid_check(p->cpuid, &c->regs->rcx);
	if (status)
		return status;
	if (memchr_inv(&p->cpuid[nr], 0, sizeof(p->cpuid) - nr * sizeof(p->cpuid[0])))
		return invalid(OPERAND_RDX);

	new->attributes = p->attributes;
	new->xfam = p->xfam;
	new->max_vcpus = p->max_vcpus;
	new->eptp = p->eptp_controls | c->tdr->tdcx_pa[TDCX_SEPT_ROOT];
	new->root_level = (p->eptp_controls >> EPTP_PWL_SHIFT) & 7;
	new->config_flags = p->config_flags;
	new->tsc_frequency = p->tsc_frequency;
	new->arch_cap = p->arch_cap;
	new->hp_lock_timeout = 1000000;
	if (p->attributes & TD_ATTR_SEPT_VE_DISABLE)
		new->td_ctls = TD_CTLS_PENDING_VE_DISABLE_BIT;
	memcpy(new->mrconfigid, p->mrconfigid, sizeof(new->mrconfigid));
	memcpy(new->mrowner, p->mrowner, sizeof(new->mrowner));
	memcpy(new->mrownerconfig, p->mrownerconfig, sizeof(new->mrownerconfig));
	return SEAM_SUCCESS;
}
