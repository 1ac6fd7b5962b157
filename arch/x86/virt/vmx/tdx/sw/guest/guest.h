/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest side of the software TDX module: what happens between the entry
 * into a TD's vCPU and the exit from it.
 *
 * Everything here runs inside one TDH.VP.ENTER, with interrupts off and with
 * the vCPU's VMCS current.  General registers are in vcpu->guest.gpr[] except RSP;
 * that one, RIP, RFLAGS, control and segment registers are in the VMCS.
 *
 * An exit of the CPU ends in one of two ways: the guest goes on, or the host
 * gets to see it.  A handler decides which by what it returns; whoever decides
 * for the host has filled the registers of the call with guest_exit().
 */
#ifndef _X86_VIRT_TDX_SW_GUEST_H
#define _X86_VIRT_TDX_SW_GUEST_H

#include <asm/vmx.h>

#include "base/base.h"

enum guest_outcome {
	GUEST_RESUME,
	GUEST_EXIT,
};

/* ---- the vCPU's VMCS (vmcs.c) ---- */

u64 guest_vmread(u32 field);
void guest_vmwrite(u32 field, u64 value);

/* ---- leaving for the host (exit.c) ---- */

/* Extended exit qualification: bits 3:0 */
enum guest_exit_type {
	EXIT_TYPE_NONE		= 0,
	EXIT_TYPE_ACCEPT	= 1,
	EXIT_TYPE_MSR_LOAD	= 3,
	EXIT_TYPE_XSTATE_LOAD	= 4,
	EXIT_TYPE_ATTR_WR	= 5,
	EXIT_TYPE_PENDING	= 6,
};

struct guest_exit {
	u64 status;			/* high dword of RAX */
	u32 reason;
	u64 qual;
	u64 ext_qual;
	u64 gpa;
	u64 intr_info;
};

enum guest_outcome guest_exit(struct tdx_sw_call *c, const struct guest_exit *exit);
enum guest_outcome guest_exit_vmcall(struct tdx_sw_call *c, u64 mask);
enum guest_outcome guest_ept_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla);

/* Does an interrupt wait for this CPU?  What can be resumed gives way to it. */
bool guest_interrupt_waits(void);

/* ---- events (event.c) ---- */

void guest_inject(struct tdx_sw_call *c, u8 vector);
void guest_inject_error(struct tdx_sw_call *c, u8 vector, u32 error);
void guest_inject_ve(struct tdx_sw_call *c, const struct tdx_sw_ve_info *info);
void guest_end_shadow(void);
void guest_skip_instruction(struct tdx_sw_call *c);

/* ---- instructions that exit (instr.c, gmsr.c, gcr.c) ---- */

enum guest_outcome guest_instruction(struct tdx_sw_call *c);
enum guest_outcome guest_undefined_opcode(struct tdx_sw_call *c);
void gmsr_init_bitmap(void *bitmap, const struct tdx_sw_tdcs *tdcs,
		      const struct tdx_sw_cpuid_page *cpuid);
void gcr_init(struct tdx_sw_call *c);

/* ---- virtual APIC (vapic.c) ---- */

bool vapic_write(struct tdx_sw_vcpu *vcpu, u32 msr, u64 value);
bool vapic_write_cr8(struct tdx_sw_vcpu *vcpu, u64 value);

/* ---- TDCALL (tdcall.c) ---- */

enum guest_outcome guest_tdcall(struct tdx_sw_call *c);

#endif
