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
 *
 * Knows the TD and the rooms below.  Neither how the CPU gets into the guest, nor any
 * leaf of the host.
 */
#ifndef _X86_VIRT_TDX_SW_GUEST_H
#define _X86_VIRT_TDX_SW_GUEST_H

#include "base/cpu.h"
#include "td/td.h"

enum guest_outcome {
	GUEST_RESUME,
	GUEST_EXIT,
};

/* ---- leaving for the host (leave.c, violation.c) ---- */

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

/* Handed over by the CPU, or found by the module on the guest's behalf (@by_cpu false). */
enum guest_outcome guest_handle_ept_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla,
					      bool by_cpu);

/* Registers that a TDVMCALL can pass, and where the host has each of them */
#define VMCALL_GPRS	(GENMASK(15, 0) & ~(BIT(GPR_RAX) | BIT(GPR_RCX) | BIT(GPR_RSP)))

u64 *guest_host_reg(struct tdx_sw_regs *regs, unsigned int idx);

#define REASON_BASIC	GENMASK(15, 0)

/* ---- memory as the module reads and writes it on the guest's behalf (gmem.c) ---- */

/* Bits of an EPT-violation qualification, and kinds of access */
#define GMEM_READ	BIT_ULL(0)
#define GMEM_WRITE	BIT_ULL(1)
#define GMEM_FETCH	BIT_ULL(2)

/* Why an access is not possible: what an EPT violation for it would tell. */
struct gmem_fault {
	u64 gpa;
	u64 qual;
};

enum gmem_result {
	GMEM_OK,
	GMEM_OTHER,		/* not what was looked for */
	GMEM_NOT_MAPPED,	/* by the guest's own page tables */
	GMEM_EPT_VIOLATION,	/* by S-EPT or shared EPT */
};

#define MAX_INSTRUCTION	15

bool gmem_is_shared(u64 gpa);
bool gmem_walk_shared(struct tdx_sw_call *c, u64 gpa, u64 *entry, unsigned int *level);
void *gmem_map(struct tdx_sw_call *c, u64 gpa, u64 access, struct gmem_fault *fault);
enum gmem_result gmem_is_instruction(struct tdx_sw_call *c, const u8 *code, unsigned int len,
				     struct gmem_fault *fault);

/* ---- events (event.c) ---- */

void guest_inject(struct tdx_sw_call *c, u8 vector);
void guest_inject_error(struct tdx_sw_call *c, u8 vector, u32 error);
void guest_inject_ve(struct tdx_sw_call *c, const struct tdx_sw_ve_info *info);
void guest_end_shadow(void);
void guest_skip_instruction(struct tdx_sw_call *c);

/* ---- instructions that exit (instr.c, gmsr.c, gmsr_table.c, gcr.c) ---- */

enum guest_outcome guest_instruction(struct tdx_sw_call *c);
enum guest_outcome guest_undefined_opcode(struct tdx_sw_call *c);
void gmsr_init_bitmap(void *bitmap, const struct tdx_sw_tdcs *tdcs,
		      const struct tdx_sw_cpuid_page *cpuid);
void gcr_init(struct tdx_sw_call *c);

/* ---- virtual APIC (vapic.c) ---- */

void vapic_init(struct tdx_sw_call *c);
void vapic_sync(struct tdx_sw_call *c);
bool vapic_write(struct tdx_sw_vcpu *vcpu, u32 msr, u64 value);
bool vapic_write_cr8(struct tdx_sw_vcpu *vcpu, u64 value);

/* ---- zero-step mitigation (zerostep.c) ---- */

enum zerostep_verdict {
	ZEROSTEP_ENTER,
	ZEROSTEP_BUSY,
	ZEROSTEP_REFAULT,
};

enum zerostep_verdict zerostep_filter(struct tdx_sw_call *c, u64 *gpa);
void zerostep_refault(struct tdx_sw_call *c, u64 gpa);
void zerostep_notify(struct tdx_sw_call *c);
void zerostep_new_rip(struct tdx_sw_call *c, u64 rip);
void zerostep_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla);

/* ---- TDCALL (tdcall.c) ---- */

enum guest_outcome guest_tdcall(struct tdx_sw_call *c);

#endif
