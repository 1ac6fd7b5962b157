/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDH.VP.ENTER: into a vCPU and out of it.
 *
 * Knows the guest's room, which the exits belong to, and those below; nothing of the
 * other leaves of the host.
 */
#ifndef _X86_VIRT_TDX_SW_RUN_H
#define _X86_VIRT_TDX_SW_RUN_H

#include <asm/cpufeature.h>
#include <asm/desc_defs.h>
#include <asm/msr.h>

#include "guest/guest.h"

/* What the CPU offers; constant after boot. */
struct vmx_caps {
	bool usable;			/* all that TD entry cannot do without */
	bool invept_single;
	bool vpid;
	bool guard_timer;		/* ticks every 1 << guard_shift of the TSC */
	u8 guard_shift;
	u32 revision;
	u32 pin;
	u32 proc;
	u32 proc2;
	u32 exit;
	u32 entry;
	u32 proc2_optional;		/* what a TD's host may switch on */
};

extern struct vmx_caps vmx_caps;

void __init vmx_setup(void);

/* ---- the VMCS (vmcs.c) ---- */

void vmcs_prepare(struct tdx_sw_call *c);
void vmcs_apply_controls(struct tdx_sw_call *c);
void vmcs_guard_entry(struct tdx_sw_call *c);
void vmcs_read_exit(struct tdx_sw_vmexit *exit);
void eptroot_flush(struct tdx_sw_call *c);

/* ---- the host's own state (host.c) ---- */

struct host_state {
	u64 vmcs;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
	u16 ldt;
	struct desc_ptr gdt;
	struct desc_ptr idt;
	u64 fs_base;
	u64 debugctl;
};

void host_save(struct host_state *host);
void host_fill_vmcs(const struct host_state *host);
void host_restore_cpu(const struct host_state *host);

/*
 * With PEBS on while the guest runs the CPU would write records to where the host
 * has its own, in the guest's address space.  Interrupts are off, so that only the
 * handler of an NMI may switch it on again; the next VM entry has it off then.
 */
static __always_inline u64 host_stop_pebs(void)
{
	u64 enabled;

	if (!cpu_feature_enabled(X86_FEATURE_PEBS))
		return 0;
	enabled = __rdmsr(MSR_IA32_PEBS_ENABLE);
	if (enabled)
		native_wrmsrl(MSR_IA32_PEBS_ENABLE, 0);
	return enabled;
}

static __always_inline void host_resume_pebs(u64 enabled)
{
	if (enabled)
		native_wrmsrl(MSR_IA32_PEBS_ENABLE, enabled);
}

/* ---- registers that no VMCS field switches (switch.c) ---- */

void __init switch_setup(void);
void switch_to_guest(struct tdx_sw_call *c);
void switch_load_controls(struct tdx_sw_call *c);
void switch_to_host(struct tdx_sw_call *c);
void switch_load_guest_xmm(struct tdx_sw_call *c, u16 mask);
void switch_init_xstate(u64 xfam);

/* ---- exits (exit.c) ---- */

enum guest_outcome exit_handle(struct tdx_sw_call *c);
void exit_finish_vmcall(struct tdx_sw_call *c);
enum guest_outcome exit_guard(struct tdx_sw_call *c);

/* ---- entry (enter.c, vmenter.S) ---- */

u64 tdx_sw_vp_enter(struct tdx_sw_call *c);
bool tdx_sw_leave_guest_state(void);
void tdx_sw_enter_guest_state(bool wanted);

asmlinkage int tdx_sw_vmenter(struct tdx_sw_guest *guest, bool launched);

#endif
