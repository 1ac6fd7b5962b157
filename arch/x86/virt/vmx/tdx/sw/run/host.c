// SPDX-License-Identifier: GPL-2.0
/*
 * What VM exits do to the host, undone: a SEAMCALL leaves alone what the CPU
 * overwrites with the VMCS host area or with fixed values.
 *
 * That is selectors (host ones cannot have a privilege level), the limits of
 * GDTR, IDTR and TR, LDTR, the base of FS, the current VMCS, and the three bits of
 * IA32_DEBUGCTL that survive.  The others are cleared here if there was no VM exit
 * to do so.
 */
#include <asm/cpu_entry_area.h>
#include <asm/desc.h>
#include <asm/gsseg.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

#include "run/run.h"

#define DEBUGCTL_SURVIVES	(DEBUGCTLMSR_BTF | DEBUGCTLMSR_FREEZE_PERFMON_ON_PMI |	\
				 DEBUGCTLMSR_FREEZE_IN_SMM)

void host_save(struct host_state *host)
{
	host->vmcs = vmcs_current();
	savesegment(ds, host->ds);
	savesegment(es, host->es);
	savesegment(fs, host->fs);
	savesegment(gs, host->gs);
	store_ldt(host->ldt);
	native_store_gdt(&host->gdt);
	store_idt(&host->idt);
	host->fs_base = native_read_msr(MSR_FS_BASE);
	host->debugctl = tdx_sw_read_msr(MSR_IA32_DEBUGCTLMSR);
}

void host_fill_vmcs(const struct host_state *host)
{
	unsigned long tss = (unsigned long)&get_cpu_entry_area(smp_processor_id())->tss.x86_tss;

	guest_vmwrite(HOST_CS_SELECTOR, __KERNEL_CS);
	guest_vmwrite(HOST_SS_SELECTOR, __KERNEL_DS);
	guest_vmwrite(HOST_DS_SELECTOR, 0);
	guest_vmwrite(HOST_ES_SELECTOR, 0);
	guest_vmwrite(HOST_FS_SELECTOR, 0);
	guest_vmwrite(HOST_GS_SELECTOR, 0);
	guest_vmwrite(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	guest_vmwrite(HOST_FS_BASE, host->fs_base);
	guest_vmwrite(HOST_GS_BASE, native_read_msr(MSR_GS_BASE));
	guest_vmwrite(HOST_TR_BASE, tss);
	guest_vmwrite(HOST_GDTR_BASE, host->gdt.address);
	guest_vmwrite(HOST_IDTR_BASE, host->idt.address);
	guest_vmwrite(HOST_CR0, read_cr0());
	guest_vmwrite(HOST_CR3, __read_cr3());
	guest_vmwrite(HOST_CR4, __read_cr4());
	guest_vmwrite(HOST_IA32_SYSENTER_CS, native_read_msr(MSR_IA32_SYSENTER_CS));
	guest_vmwrite(HOST_IA32_SYSENTER_ESP, native_read_msr(MSR_IA32_SYSENTER_ESP));
	guest_vmwrite(HOST_IA32_SYSENTER_EIP, native_read_msr(MSR_IA32_SYSENTER_EIP));
	guest_vmwrite(HOST_IA32_PAT, native_read_msr(MSR_IA32_CR_PAT));
	guest_vmwrite(HOST_IA32_EFER, native_read_msr(MSR_EFER));
}

static void restore_selectors(const struct host_state *host)
{
	if (host->ds)
		loadsegment(ds, host->ds);
	if (host->es)
		loadsegment(es, host->es);
	if (host->fs) {
		loadsegment(fs, host->fs);
		native_write_msr(MSR_FS_BASE, host->fs_base, host->fs_base >> 32);
	}
	/* Its base goes to KERNEL_GS_BASE, which does not survive anyway. */
	if (host->gs)
		load_gs_index(host->gs);
}

void host_restore_cpu(const struct host_state *host)
{
	u64 debugctl = host->debugctl & DEBUGCTL_SURVIVES;

	native_load_gdt(&host->gdt);
	load_idt(&host->idt);
	/* Only tasks with an I/O bitmap notice; the kernel reloads it for them. */
	invalidate_tss_limit();
	if (host->ldt)
		asm volatile("lldt %0" : : "rm" (host->ldt));
	restore_selectors(host);
	if (tdx_sw_read_msr(MSR_IA32_DEBUGCTLMSR) != debugctl)
		tdx_sw_write_msr(MSR_IA32_DEBUGCTLMSR, debugctl);
	vmcs_load(host->vmcs);
}
