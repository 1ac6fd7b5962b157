// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's VMCS: what the CPU must offer, and the fixed controls and initial state
 * of a TD's vCPU.
 *
 * The VMCS lies in the second page of the TDVPS.  It is active on the LP that the
 * vCPU is associated with, from the first TDH.VP.ENTER there to TDH.VP.FLUSH, and
 * current only within TDH.VP.ENTER: the host's own current VMCS is put back.
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "run/run.h"

struct vmx_caps vmx_caps __ro_after_init;

/* ---- what the CPU offers ---- */

#define PIN_NEEDED	(PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS)
#define PROC_NEEDED	(CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_HLT_EXITING |	\
			 CPU_BASED_RDPMC_EXITING | CPU_BASED_TPR_SHADOW |		\
			 CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_INTR_WINDOW_EXITING |	\
			 CPU_BASED_UNCOND_IO_EXITING | CPU_BASED_USE_MSR_BITMAPS |	\
			 CPU_BASED_ACTIVATE_SECONDARY_CONTROLS |			\
			 CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING |		\
			 CPU_BASED_NMI_WINDOW_EXITING)
#define PROC_AT_TIMES	(CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING |	\
			 CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING)
#define PROC2_NEEDED	(SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_UNRESTRICTED_GUEST |	\
			 SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |			\
			 SECONDARY_EXEC_WBINVD_EXITING | SECONDARY_EXEC_APIC_REGISTER_VIRT | \
			 SECONDARY_EXEC_TSC_SCALING)
#define EXIT_NEEDED	(VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDR_SPACE_SIZE |	\
			 VM_EXIT_ACK_INTR_ON_EXIT | VM_EXIT_SAVE_IA32_PAT |		\
			 VM_EXIT_LOAD_IA32_PAT | VM_EXIT_SAVE_IA32_EFER |		\
			 VM_EXIT_LOAD_IA32_EFER)
#define ENTRY_NEEDED	(VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_PAT |	\
			 VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_IA32E_MODE)

/* Instructions that fault unless they are enabled: as the CPU has them. */
#define PROC2_WANTED	(SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID |	\
			 SECONDARY_EXEC_ENABLE_XSAVES | SECONDARY_EXEC_ENABLE_VPID |	\
			 SECONDARY_EXEC_ENCLS_EXITING)

#define VMX_BASIC_HAS_TRUE_CTLS		BIT_ULL(55)
#define VMX_MISC_TIMER_RATE		GENMASK_ULL(4, 0)
#define VMX_BASIC_REVISION		GENMASK_ULL(30, 0)
#define EPT_VPID_CAP_PWL4		BIT_ULL(6)
#define EPT_VPID_CAP_WB			BIT_ULL(14)
#define EPT_VPID_CAP_2M			BIT_ULL(16)
#define EPT_VPID_CAP_INVEPT		BIT_ULL(20)
#define EPT_VPID_CAP_INVEPT_SINGLE	BIT_ULL(25)
#define EPT_VPID_CAP_INVEPT_ALL		BIT_ULL(26)
#define EPT_VPID_CAP_NEEDED		(EPT_VPID_CAP_PWL4 | EPT_VPID_CAP_WB |	\
					 EPT_VPID_CAP_INVEPT | EPT_VPID_CAP_INVEPT_ALL)

/* Settings of one control word: @needed, @wanted where there is, what must be 1. */
static bool __init fit(u32 msr, u32 needed, u32 wanted, u32 *out)
{
	u64 cap = tdx_sw_read_msr(msr);
	u32 must = cap, may = cap >> 32;

	*out = ((needed | wanted) & may) | must;
	return (needed & may) == needed;
}

/* Find out whether TDs can run here.  All other leaves work either way. */
void __init vmx_setup(void)
{
	struct vmx_caps *caps = &vmx_caps;
	u64 basic, ept;
	bool true_ctls, ok;

	if (!tdx_sw_config.need_vmx || !boot_cpu_has(X86_FEATURE_OSXSAVE))
		return;

	basic = tdx_sw_read_msr(MSR_IA32_VMX_BASIC);
	ept = tdx_sw_read_msr(MSR_IA32_VMX_EPT_VPID_CAP);
	true_ctls = basic & VMX_BASIC_HAS_TRUE_CTLS;

	/* Without the true capabilities MOV from and to CR3 exits, and so on. */
	ok = true_ctls && (ept & EPT_VPID_CAP_NEEDED) == EPT_VPID_CAP_NEEDED;
	ok &= tdx_sw_config.no_2m || ept & EPT_VPID_CAP_2M;
	ok &= fit(MSR_IA32_VMX_TRUE_PINBASED_CTLS, PIN_NEEDED,
		  PIN_BASED_VMX_PREEMPTION_TIMER, &caps->pin);
	ok &= fit(MSR_IA32_VMX_TRUE_PROCBASED_CTLS, PROC_NEEDED, 0, &caps->proc);
	ok &= fit(MSR_IA32_VMX_PROCBASED_CTLS2, PROC2_NEEDED, PROC2_WANTED, &caps->proc2);
	ok &= fit(MSR_IA32_VMX_TRUE_EXIT_CTLS, EXIT_NEEDED, 0, &caps->exit);
	ok &= fit(MSR_IA32_VMX_TRUE_ENTRY_CTLS, ENTRY_NEEDED, 0, &caps->entry);

	caps->revision = basic & VMX_BASIC_REVISION;
	caps->invept_single = ept & EPT_VPID_CAP_INVEPT_SINGLE;
	caps->vpid = caps->proc2 & SECONDARY_EXEC_ENABLE_VPID;
	caps->proc2_optional = tdx_sw_read_msr(MSR_IA32_VMX_PROCBASED_CTLS2) >> 32 &
			       (VP_PROC2_BUS_LOCK | VP_PROC2_NOTIFY);
	caps->guard_timer = caps->pin & PIN_BASED_VMX_PREEMPTION_TIMER;
	caps->guard_shift = tdx_sw_read_msr(MSR_IA32_VMX_MISC) & VMX_MISC_TIMER_RATE;
	caps->pin &= ~PIN_BASED_VMX_PREEMPTION_TIMER;
	caps->proc &= ~PROC_AT_TIMES;
	caps->entry &= ~VM_ENTRY_IA32E_MODE;
	caps->usable = ok;
	if (!ok)
		pr_warn("the CPU's VMX lacks what TD entry needs: TDs can be built but not run\n");
}

/* ---- controls and initial state of a TD's vCPU ---- */

#define VMCS_LINK_NONE		(~0ULL)
#define EPTP_WB_4_LEVELS	(VMX_EPTP_MT_WB | VMX_EPTP_PWL_4)

/* MONITOR and MWAIT exit unless the TD was promised them. */
static u32 proc_controls(struct tdx_sw_call *c)
{
	u32 mwait = CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING;

	return vp_has_monitor(c) ? vmx_caps.proc : vmx_caps.proc | mwait;
}

static void init_controls(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	/* #UD is how a CPU without SEAM answers TDCALL. */
	u32 exceptions = BIT(X86_TRAP_MC) | BIT(X86_TRAP_UD);

	guest_vmwrite(PIN_BASED_VM_EXEC_CONTROL, vmx_caps.pin);
	guest_vmwrite(CPU_BASED_VM_EXEC_CONTROL, proc_controls(c));
	guest_vmwrite(VM_EXIT_CONTROLS, vmx_caps.exit);
	guest_vmwrite(VM_ENTRY_CONTROLS, vmx_caps.entry);
	guest_vmwrite(EXCEPTION_BITMAP, exceptions);
	guest_vmwrite(PAGE_FAULT_ERROR_CODE_MASK, 0);
	guest_vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	guest_vmwrite(CR3_TARGET_COUNT, 0);
	guest_vmwrite(VM_EXIT_MSR_STORE_COUNT, 0);
	guest_vmwrite(VM_EXIT_MSR_LOAD_COUNT, 0);
	guest_vmwrite(VM_ENTRY_MSR_LOAD_COUNT, 0);
	guest_vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
	guest_vmwrite(TPR_THRESHOLD, 0);
	guest_vmwrite(VMCS_LINK_POINTER, VMCS_LINK_NONE);
	guest_vmwrite(MSR_BITMAP, c->tdr->tdcx_pa[TDCX_MSR_BITMAPS]);
	guest_vmwrite(EPT_POINTER, vcpu->page_pa[TDVPS_EPT_ROOT] | EPTP_WB_4_LEVELS);
	guest_vmwrite(TSC_OFFSET, c->tdcs->tsc_offset);
	guest_vmwrite(TSC_MULTIPLIER, c->tdcs->tsc_multiplier);
	if (vmx_caps.vpid)
		guest_vmwrite(VIRTUAL_PROCESSOR_ID, vcpu->index + 1);
	if (vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_XSAVES)
		guest_vmwrite(XSS_EXIT_BITMAP, 0);
	if (vmx_caps.proc2 & SECONDARY_EXEC_ENCLS_EXITING)
		guest_vmwrite(ENCLS_EXITING_BITMAP, ~0ULL);
	gcr_init(c);
}

struct segment_init {
	u32 selector_field;
	u32 base_field;
	u32 limit_field;
	u32 ar_field;
	u32 limit;
	u32 ar;
};

#define SEGMENT(_seg, _limit, _ar)						\
	{ GUEST_##_seg##_SELECTOR, GUEST_##_seg##_BASE, GUEST_##_seg##_LIMIT,	\
	  GUEST_##_seg##_AR_BYTES, _limit, _ar }

#define AR_CODE32	0xc09b
#define AR_DATA32	0xc093
#define AR_LDT_UNUSABLE	0x10082
#define AR_TSS_BUSY	0x8b

static const struct segment_init segments[] = {
	SEGMENT(CS, 0xffffffff, AR_CODE32),
	SEGMENT(DS, 0xffffffff, AR_DATA32),
	SEGMENT(ES, 0xffffffff, AR_DATA32),
	SEGMENT(FS, 0xffffffff, AR_DATA32),
	SEGMENT(GS, 0xffffffff, AR_DATA32),
	SEGMENT(SS, 0xffffffff, AR_DATA32),
	SEGMENT(LDTR, 0xffff, AR_LDT_UNUSABLE),
	SEGMENT(TR, 0xffff, AR_TSS_BUSY),
};

#define INIT_RIP	0xfffffff0
#define INIT_RFLAGS	0x2
#define INIT_CR0	(X86_CR0_PE | X86_CR0_NE)
#define INIT_CR4	(X86_CR4_MCE | X86_CR4_VMXE)
#define INIT_EFER	(EFER_SCE | EFER_LME | EFER_NX)
#define INIT_PAT	0x0007040600070406ULL
#define INIT_DR7	0x400

static void init_guest_state(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		guest_vmwrite(segments[i].selector_field, 0);
		guest_vmwrite(segments[i].base_field, 0);
		guest_vmwrite(segments[i].limit_field, segments[i].limit);
		guest_vmwrite(segments[i].ar_field, segments[i].ar);
	}
	guest_vmwrite(GUEST_GDTR_BASE, 0);
	guest_vmwrite(GUEST_GDTR_LIMIT, 0xffff);
	guest_vmwrite(GUEST_IDTR_BASE, 0);
	guest_vmwrite(GUEST_IDTR_LIMIT, 0);
	guest_vmwrite(GUEST_CR0, INIT_CR0);
	guest_vmwrite(GUEST_CR3, 0);
	guest_vmwrite(GUEST_CR4, INIT_CR4);
	guest_vmwrite(GUEST_DR7, INIT_DR7);
	guest_vmwrite(GUEST_RSP, 0);
	guest_vmwrite(GUEST_RIP, INIT_RIP);
	guest_vmwrite(GUEST_RFLAGS, INIT_RFLAGS);
	guest_vmwrite(GUEST_IA32_EFER, INIT_EFER);
	guest_vmwrite(GUEST_IA32_PAT, INIT_PAT);
	guest_vmwrite(GUEST_IA32_DEBUGCTL, 0);
	guest_vmwrite(GUEST_SYSENTER_CS, 0);
	guest_vmwrite(GUEST_SYSENTER_ESP, 0);
	guest_vmwrite(GUEST_SYSENTER_EIP, 0);
	guest_vmwrite(GUEST_INTERRUPTIBILITY_INFO, 0);
	guest_vmwrite(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	guest_vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
}

/* Make the vCPU's VMCS current, and usable if it has not been so before. */
void vmcs_prepare(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	u64 pa = vcpu->page_pa[TDVPS_VMCS];
	u32 *revision = tdx_sw_map(pa);

	if (!vcpu->vmcs_valid) {
		*revision = vmx_caps.revision;
		vmcs_clear(pa);
		vcpu->launched = false;
	}
	vmcs_load(pa);
	if (!vcpu->vmcs_valid) {
		init_controls(c);
		init_guest_state();
		vapic_init(c);
		vcpu->vmcs_valid = true;
	}
}

/* What the host may have changed with TDH.VP.WR since the last entry. */
void vmcs_apply_controls(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	u32 proc2 = vmx_caps.proc2;

	proc2 |= vcpu->proc2_controls & vmx_caps.proc2_optional;
	if (proc2 & VP_PROC2_NOTIFY)
		guest_vmwrite(NOTIFY_WINDOW, vcpu->notify_window);

	guest_vmwrite(SECONDARY_VM_EXEC_CONTROL, proc2);
}

/* TSC ticks that an interrupt of the host may have to wait. */
#define GUARD_TICKS	BIT(15)

/*
 * External interrupts exit whatever the guest's interrupt flag says.  But a VM
 * entry with the flag clear makes Bochs (2.7 and 3.0) hold them back until the
 * guest changes it, and a guest that waits for another vCPU, whose host waits for
 * this one, never does.  So look for interrupts from time to time then.
 */
void vmcs_guard_entry(struct tdx_sw_call *c)
{
	bool wanted = vmx_caps.guard_timer && !(guest_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF);
	u32 pin = vmx_caps.pin;

	if (wanted) {
		guest_vmwrite(VMX_PREEMPTION_TIMER_VALUE, GUARD_TICKS >> vmx_caps.guard_shift);
		pin |= PIN_BASED_VMX_PREEMPTION_TIMER;
	}
	if (guest_vmread(PIN_BASED_VM_EXEC_CONTROL) != pin)
		guest_vmwrite(PIN_BASED_VM_EXEC_CONTROL, pin);
}

void vmcs_read_exit(struct tdx_sw_vmexit *exit)
{
	exit->reason = guest_vmread(VM_EXIT_REASON);
	exit->qual = guest_vmread(EXIT_QUALIFICATION);
	exit->intr_info = guest_vmread(VM_EXIT_INTR_INFO);
	exit->intr_error = guest_vmread(VM_EXIT_INTR_ERROR_CODE);
	exit->vectoring = guest_vmread(IDT_VECTORING_INFO_FIELD);
	exit->vectoring_error = guest_vmread(IDT_VECTORING_ERROR_CODE);
	exit->instr_len = guest_vmread(VM_EXIT_INSTRUCTION_LEN);
	exit->instr_info = guest_vmread(VMX_INSTRUCTION_INFO);
	exit->gla = guest_vmread(GUEST_LINEAR_ADDRESS);
	exit->gpa = guest_vmread(GUEST_PHYSICAL_ADDRESS);
}

/* Drop what the CPU remembers of this root, if anything may have gone. */
void eptroot_flush(struct tdx_sw_call *c)
{
	struct {
		u64 eptp;
		u64 reserved;
	} operand = { guest_vmread(EPT_POINTER), 0 };
	u64 type = vmx_caps.invept_single ? VMX_EPT_EXTENT_CONTEXT : VMX_EPT_EXTENT_GLOBAL;
	bool failed;

	if (!c->vcpu->flush)
		return;
	asm volatile("invept %[operand], %[type]"
		     : "=@ccna" (failed)
		     : [operand] "m" (operand), [type] "r" (type) : "memory");
	WARN_ONCE(failed, "INVEPT failed\n");
	c->vcpu->flush = false;
}
