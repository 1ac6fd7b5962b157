/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions about the state of the guest that several parts of the guest side
 * ask, and the pages of the TD in which the answers are.  The vCPU's VMCS is
 * current.
 */
#ifndef _X86_VIRT_TDX_SW_GSTATE_H
#define _X86_VIRT_TDX_SW_GSTATE_H

#include <asm/cpuid.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "guest/guest.h"

#define VE_VECTOR	20

static inline unsigned int guest_cpl(void)
{
	return VMX_AR_DPL(guest_vmread(GUEST_SS_AR_BYTES));
}

/* Neither paging off nor a compatibility-mode segment. */
static inline bool guest_is_64bit(void)
{
	return guest_vmread(GUEST_IA32_EFER) & EFER_LMA &&
	       guest_vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

static inline bool guest_has_cpuid(const struct tdx_sw_cpuid_page *page, u32 leaf, u32 subleaf,
				   enum cpuid_regs_idx reg, unsigned int bit)
{
	const struct tdx_sw_cpuid_value *found = cpuid_find(page, leaf, subleaf);

	if (!found)
		return false;

	switch (reg) {
	case CPUID_EAX:
		return found->val.eax & BIT(bit);
	case CPUID_EBX:
		return found->val.ebx & BIT(bit);
	case CPUID_ECX:
		return found->val.ecx & BIT(bit);
	default:
		return found->val.edx & BIT(bit);
	}
}

/* Operand of RDMSR, WRMSR and XSETBV */
static inline u64 guest_edx_eax(const struct tdx_sw_call *c)
{
	const u64 *gpr = c->vcpu->guest.gpr;

	return (u32)gpr[GPR_RAX] | gpr[GPR_RDX] << 32;
}

/* ---- MSRs: what becomes of an access (gmsr_table.c) ---- */

enum gmsr_action {
	MSR_VE,
	MSR_GP,
	MSR_NATIVE,			/* no exit: the CPU's own or the virtual APIC */
	MSR_EMULATED,			/* emulate_read(), emulate_write() */
};

u8 gmsr_find_action(struct tdx_sw_call *c, u32 msr, bool write);

/* ---- one file's part of guest_instruction() ---- */

enum guest_outcome gmsr_read(struct tdx_sw_call *c);
enum guest_outcome gmsr_write(struct tdx_sw_call *c);
enum guest_outcome gcr_access(struct tdx_sw_call *c);
enum guest_outcome gcr_xsetbv(struct tdx_sw_call *c);

/* In the guest, with its vCPU's VMCS current (gcpuid.c). */
bool cpuid_guest(const struct tdx_sw_call *c, u32 leaf, u32 subleaf, struct seam_cpuid *val);

/* #VE for the exit at hand, an instruction; #GP(0). */
enum guest_outcome guest_instruction_ve(struct tdx_sw_call *c, u64 qual);
enum guest_outcome guest_gp(struct tdx_sw_call *c);
enum guest_outcome guest_ud(struct tdx_sw_call *c);
/* The module has done the instruction. */
enum guest_outcome guest_done(struct tdx_sw_call *c);

#endif
