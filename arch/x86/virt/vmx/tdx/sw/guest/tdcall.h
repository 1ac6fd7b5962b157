/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One TDCALL: its operands, and the leaves that tdcall.c dispatches to.
 */
#ifndef _X86_VIRT_TDX_SW_TDCALL_H
#define _X86_VIRT_TDX_SW_TDCALL_H

#include "guest/guest.h"

struct tdcall {
	struct tdx_sw_call *c;
	struct tdx_sw_vcpu *vcpu;
	u64 *gpr;			/* the guest's registers, where results go */
	unsigned int version;

	/* Operands as they were */
	u64 rcx;
	u64 rdx;
	u64 r8;
	u64 r9;

	enum guest_outcome outcome;	/* with TDCALL_NO_STATUS */
};

/*
 * A leaf that has no status to return: it has not been executed, and the guest's
 * RIP and RAX stay as they are, or it has left for the host.
 */
#define TDCALL_NO_STATUS	(~0ULL)

static inline u64 tdcall_invalid(u32 operand)
{
	return seam_status(SEAM_OPERAND_INVALID, operand);
}

/* Call it a day; the guest goes on, or the host does, as @outcome says. */
static inline u64 tdcall_leave(struct tdcall *t, enum guest_outcome outcome)
{
	t->outcome = outcome;
	return TDCALL_NO_STATUS;
}

/*
 * An interrupt of the host's goes first, and the guest comes back to the TDCALL.  As
 * long as the shadow of STI or MOV SS lay on it the interrupt could not get in.
 */
static inline u64 tdcall_give_way(struct tdcall *t)
{
	guest_end_shadow();
	return tdcall_leave(t, GUEST_RESUME);
}

u64 tdcall_check_gpa(u64 gpa, u64 align, u32 operand);
u64 tdcall_check_private_gpa(u64 gpa, u64 align, u32 operand);
void *tdcall_map(struct tdcall *t, u64 gpa, u64 access);

/* accept.c */
u64 tdg_mem_page_accept(struct tdcall *t);
u64 tdg_mem_page_attr_rd(struct tdcall *t);
u64 tdg_mem_page_attr_wr(struct tdcall *t);

/* report.c */
u64 tdg_mr_rtmr_extend(struct tdcall *t);
u64 tdg_mr_report(struct tdcall *t);
u64 tdg_mr_verifyreport(struct tdcall *t);

/* gfield.c */
u64 tdg_vm_rd(struct tdcall *t);
u64 tdg_vm_wr(struct tdcall *t);
u64 tdg_vp_rd(struct tdcall *t);
u64 tdg_vp_wr(struct tdcall *t);
u64 tdg_sys_rd(struct tdcall *t);
u64 tdg_sys_rdall(struct tdcall *t);

#endif
