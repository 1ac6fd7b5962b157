// SPDX-License-Identifier: GPL-2.0
/*
 * Guest leaves about measurement: TDG.MR.RTMR.EXTEND, .REPORT, .VERIFYREPORT.
 *
 * RTMRs change with rtmr_lock held exclusively, and reports hold it shared.  No
 * leaf of the host takes it.
 *
 * A report is put together where the guest cannot reach it, and copied out when
 * it is complete.  What the guest passes in is copied first: it may change while
 * it is looked at.
 */
#include <linux/string.h>

#include "guest/tdcall.h"

#define REPORT_ALIGN		1024
#define REPORT_DATA_ALIGN	64
#define REPORT_MAC_ALIGN	256
#define RTMR_DATA_ALIGN		64
#define RTMR_SIZE		(SEAM_DIGEST_WORDS * sizeof(u64))

#define REPORT_TYPE_TDX		0x81

/* There is no CPU behind it; the version of this code, as good as any. */
static const u8 cpusvn[sizeof_field(struct seam_report_mac, cpusvn)] = { 1 };

/* Of TEE_TCB_INFO: itself, SVN, ATTRIBUTES.  There is no image to measure. */
#define TCB_VALID	(GENMASK_ULL(2, 0) | BIT_ULL(15))

static bool lock_rtmr(struct tdcall *t, bool excl)
{
	return !inject_lock(t->c, TDX_SW_LOCK_RTMR) &&
	       sharex_trylock(&t->c->tdcs->rtmr_lock, excl);
}

static void unlock_rtmr(struct tdcall *t, bool excl)
{
	sharex_unlock(&t->c->tdcs->rtmr_lock, excl);
}

u64 tdg_mr_rtmr_extend(struct tdcall *t)
{
	u8 data[RTMR_SIZE];
	void *p;
	u64 *rtmr, status;

	status = tdcall_check_private_gpa(t->rcx, RTMR_DATA_ALIGN, OPERAND_RCX);
	if (status)
		return status;
	if (t->rdx >= SEAM_NR_RTMRS)
		return tdcall_invalid(OPERAND_RDX);
	p = tdcall_map(t, t->rcx, GMEM_READ);
	if (!p)
		return TDCALL_NO_STATUS;
	if (!lock_rtmr(t, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_RTMR);

	memcpy(data, p, sizeof(data));
	rtmr = t->c->tdcs->rtmr[t->rdx];
	measure_digest(rtmr, RTMR_SIZE, data, sizeof(data), rtmr);
	unlock_rtmr(t, true);
	return SEAM_SUCCESS;
}

static void fill_td_info(struct seam_td_info *td, const struct tdx_sw_tdcs *tdcs)
{
	td->attributes = tdcs->attributes;
	td->xfam = tdcs->xfam;
	memcpy(td->mrtd, tdcs->mrtd, sizeof(td->mrtd));
	memcpy(td->mrconfigid, tdcs->mrconfigid, sizeof(td->mrconfigid));
	memcpy(td->mrowner, tdcs->mrowner, sizeof(td->mrowner));
	memcpy(td->mrownerconfig, tdcs->mrownerconfig, sizeof(td->mrownerconfig));
	memcpy(td->rtmr, tdcs->rtmr, sizeof(td->rtmr));
}

static void fill_report(struct seam_td_report *report, const struct tdx_sw_tdcs *tdcs,
			const void *report_data)
{
	memset(report, 0, sizeof(*report));
	fill_td_info(&report->td, tdcs);
	report->tcb.valid = TCB_VALID;

	report->mac.type = REPORT_TYPE_TDX;
	memcpy(report->mac.cpusvn, cpusvn, sizeof(cpusvn));
	memcpy(report->mac.report_data, report_data, sizeof(report->mac.report_data));
	measure_digest(&report->tcb, sizeof(report->tcb), NULL, 0,
		       report->mac.tee_tcb_info_hash);
	measure_digest(&report->td, sizeof(report->td), NULL, 0, report->mac.tee_info_hash);
	measure_mac(&report->mac, offsetof(struct seam_report_mac, mac), report->mac.mac);
}

static u64 check_report(const struct tdcall *t)
{
	u64 status;

	status = tdcall_check_gpa(t->rcx, REPORT_ALIGN, OPERAND_RCX);
	if (!status)
		status = tdcall_check_gpa(t->rdx, REPORT_DATA_ALIGN, OPERAND_RDX);
	if (!status && t->r8)
		status = tdcall_invalid(OPERAND_R8);
	return status;
}

u64 tdg_mr_report(struct tdcall *t)
{
	struct seam_td_report *report = &tdx_sw_scratch()->report;
	void *in, *out;
	u64 status;

	status = check_report(t);
	if (status)
		return status;
	in = tdcall_map(t, t->rdx, GMEM_READ);
	if (!in)
		return TDCALL_NO_STATUS;
	out = tdcall_map(t, t->rcx, GMEM_WRITE);
	if (!out)
		return TDCALL_NO_STATUS;
	/* It takes long. */
	if (guest_interrupt_waits())
		return tdcall_give_way(t);
	if (!lock_rtmr(t, false))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_RTMR);

	fill_report(report, t->c->tdcs, in);
	unlock_rtmr(t, false);
	memcpy(out, report, sizeof(*report));
	return SEAM_SUCCESS;
}

u64 tdg_mr_verifyreport(struct tdcall *t)
{
	u8 mac[sizeof_field(struct seam_report_mac, mac)];
	struct seam_report_mac report;
	void *p;
	u64 status;

	status = tdcall_check_private_gpa(t->rcx, REPORT_MAC_ALIGN, OPERAND_RCX);
	if (status)
		return status;
	p = tdcall_map(t, t->rcx, GMEM_READ);
	if (!p)
		return TDCALL_NO_STATUS;

	memcpy(&report, p, sizeof(report));
	if (report.type != REPORT_TYPE_TDX)
		return SEAM_INVALID_REPORTMACSTRUCT;
	if (memcmp(report.cpusvn, cpusvn, sizeof(cpusvn)))
		return SEAM_INVALID_CPUSVN;
	measure_mac(&report, offsetof(struct seam_report_mac, mac), mac);
	return memcmp(mac, report.mac, sizeof(mac)) ? SEAM_INVALID_REPORTMACSTRUCT : SEAM_SUCCESS;
}
