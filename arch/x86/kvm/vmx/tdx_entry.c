// SPDX-License-Identifier: GPL-2.0
/*
 * Entry to a TD and the way out: what has to be in place before TDH.VP.ENTER,
 * and what of the host's state has to be put in order after it.  What an exit
 * means is for tdx_exit.c.
 *
 * The module saves and restores the guest's state, but only some of the host's.
 * The rest is lost over an exit, but not over an entry that fails, and only in
 * parts over the EPT violations that the module makes up when it takes repeated
 * faults for an attack.  So nothing here relies on a value having been lost:
 *
 *	STAR, LSTAR, FMASK, TSC_AUX	written before entry with what an exit leaves
 *					in them, for the return to userspace to
 *					restore them
 *	KERNEL_GS_BASE			saved before entry, restored by vcpu_put()
 *	XCR0, IA32_XSS, PKRU, XFD,	restored right after every entry, with
 *	IA32_DEBUGCTL			interrupts still disabled
 *	DR0-DR3, DR6, DR7		restored by vcpu_enter_guest(), if the host uses
 *					them: nobody loads guest values, as debugging
 *					of the guest is refused
 *	x87, SSE, AVX, ...		in their initial state, not restored: the vCPU's
 *					fpstate is confidential, that of userspace was
 *					saved before
 *
 * An NMI that made the vCPU exit is handled at once, machine checks and
 * interrupts by vmx_handle_exit_irqoff().
 */
#include <linux/sched.h>

#include <kunit/visibility.h>

#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/fpu/xcr.h>
#include <asm/mmu_context.h>
#include <asm/pkru.h>
#include <asm/processor.h>

#include "lapic.h"
#include "posted_intr.h"
#include "tdx.h"
#include "trace.h"
#include "vmx.h"
#include "x86.h"

/* IA32_FMASK after an exit from a TD */
#define TDX_EXIT_SYSCALL_MASK	(X86_EFLAGS_VM | X86_EFLAGS_IF)

/* The bits of IA32_DEBUGCTL that survive an exit */
#define TDX_PRESERVED_DEBUGCTL	(DEBUGCTLMSR_BTF |			\
				 DEBUGCTLMSR_FREEZE_PERFMON_ON_PMI |	\
				 DEBUGCTLMSR_FREEZE_IN_SMM)

struct tdx_uret_msr {
	u32 index;
	/* What an exit leaves in it. */
	u64 value;
	/* -1 if the CPU doesn't have it. */
	int slot;
};

static struct tdx_uret_msr tdx_uret_msrs[] __ro_after_init = {
	{ .index = MSR_SYSCALL_MASK, .value = TDX_EXIT_SYSCALL_MASK },
	{ .index = MSR_STAR },
	{ .index = MSR_LSTAR },
	{ .index = MSR_TSC_AUX },
};

void __init tdx_entry_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tdx_uret_msrs); i++)
		tdx_uret_msrs[i].slot =
			kvm_find_user_return_msr(tdx_uret_msrs[i].index);
}

/*
 * Let KVM's record of these MSRs be true whether the module clobbers them or
 * not.
 */
static void tdx_load_user_return_msrs(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tdx_uret_msrs); i++) {
		if (tdx_uret_msrs[i].slot >= 0)
			kvm_set_user_return_msr(tdx_uret_msrs[i].slot,
						tdx_uret_msrs[i].value, ~0ull);
	}
}

void tdx_prepare_switch_to_guest(struct kvm_vcpu *vcpu)
{
	struct vcpu_vt *vt = to_vt(vcpu);

	tdx_load_user_return_msrs();

	if (vt->guest_state_loaded)
		return;

	if (likely(is_64bit_mm(current->mm))) {
		current_save_fsgs();
		vt->msr_host_kernel_gs_base = current->thread.gsbase;
	} else {
		vt->msr_host_kernel_gs_base = read_msr(MSR_KERNEL_GS_BASE);
	}

	vt->guest_state_loaded = true;
}

void tdx_prepare_switch_to_host(struct kvm_vcpu *vcpu)
{
	struct vcpu_vt *vt = to_vt(vcpu);

	if (!vt->guest_state_loaded)
		return;

	++vcpu->stat.host_state_reload;
	wrmsrl(MSR_KERNEL_GS_BASE, vt->msr_host_kernel_gs_base);
	vt->guest_state_loaded = false;
}

/*
 * Whether an exit can leave anything but the host's value in IA32_XSS.  It leaves the
 * XFAM of the TD in XCR0 and IA32_XSS, but not always that of the one which exits: an
 * emulated EPT violation goes by the TD that ran on the CPU last, which may have been
 * the guest of a kvm_intel that was unloaded since.
 */
static bool tdx_xss_can_differ __ro_after_init = true;

VISIBLE_IF_KUNIT bool tdx_xfam_can_change_xss(u64 supported_xfam, u64 host_xss)
{
	return host_xss || (supported_xfam & TDX_XFAM_SUPERVISOR);
}

void __init tdx_entry_set_xfam(u64 supported_xfam)
{
	tdx_xss_can_differ = tdx_xfam_can_change_xss(supported_xfam, kvm_host.xss);
}

static void tdx_restore_xsave_state(struct kvm_vcpu *vcpu)
{
	if (xgetbv(XCR_XFEATURE_ENABLED_MASK) != kvm_host.xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, kvm_host.xcr0);

	/* To read it takes as long as to write it. */
	if (tdx_xss_can_differ && boot_cpu_has(X86_FEATURE_XSAVES))
		wrmsrl(MSR_IA32_XSS, kvm_host.xss);

	/* Compares first. */
	write_pkru(vcpu->arch.host_pkru);
}

static void tdx_restore_host_state(struct kvm_vcpu *vcpu, u64 host_xfd)
{
	if (vcpu->arch.host_debugctl & ~TDX_PRESERVED_DEBUGCTL)
		update_debugctlmsr(vcpu->arch.host_debugctl);

	tdx_restore_xsave_state(vcpu);

	/*
	 * Not left to vcpu_enter_guest(), which would take the 0 that the exit
	 * left for the value that the task wants, or do nothing as long as no task
	 * uses a feature that XFD disables.
	 */
	if (host_xfd)
		wrmsrl(MSR_IA32_XFD, host_xfd);
}

/*
 * Bits 31:0 of the status are an exit reason only if the guest ran, or the
 * module makes it look so.  If it refused, or KVM did, or the TD was found fatal
 * while the guest ran, leave a reason behind that
 * nothing takes for one, in particular not for that of the exit before, for a
 * failed entry or for a bus lock.
 */
noinstr void tdx_record_exit(struct vcpu_tdx *tdx, u64 status)
{
	struct vcpu_vt *vt = &tdx->vt;

	tdx->status = status;
	vt->exit_reason.full = TDX_NO_EXIT_REASON;
	vt->exit_qualification = 0;
	vt->exit_intr_info = 0;

	if (!tdx_status_has_exit_reason(status))
		return;

	vt->exit_reason.full = status & TDX_STATUS_DETAILS_MASK;
	if (vt->exit_reason.basic == EXIT_REASON_TDCALL)
		return;

	vt->exit_qualification = tdx->regs.rcx & TDX_EXIT_QUALIFICATION_MASK;
	vt->exit_intr_info = tdx->regs.r9;
}

static noinstr void tdx_vcpu_enter_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	guest_state_enter_irqoff();

	tdx_record_exit(tdx, tdh_vp_enter(tdx->tdvpr, &tdx->regs));

	/* NMIs are blocked until this one is handled. */
	if ((u16)tdx->vt.exit_reason.basic == EXIT_REASON_EXCEPTION_NMI)
		vmx_handle_nmi(vcpu);

	guest_state_exit_irqoff();
}

/*
 * Whether a removal wants the TD for itself.
 *
 * It sets the flag, then kicks the vCPUs whose mode is IN_GUEST_MODE and waits for
 * them.  Here mode has been set before, with a full barrier in between, and the
 * kick's access to mode is one: either the flag is seen here, or the vCPU by the
 * kick.
 */
static bool tdx_is_entry_held_off(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(to_kvm_tdx(vcpu->kvm)->hold_off_entry);
}

/*
 * Whether a private fault has to be resolved first: it was not when the TD was left,
 * or what had been mapped was taken away again since, by a conversion or a hole that
 * userspace made before it came back.  To enter in vain costs one of the few faults
 * that the module tolerates at one instruction, see tdx_fault_in_private().
 *
 * That is no guarantee: a removal may begin right after, and kick the vCPU before
 * the guest has got to its first instruction, and that of a memslot goes unseen.
 * Unrelated invalidations are mistaken for one that matters, for the price of
 * looking again.
 */
static bool tdx_must_fault_first(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	gpa_t gpa = tdx->resolved_gpa;

	if (gpa != INVALID_GPA &&
	    mmu_invalidate_retry_gfn_unsafe(vcpu->kvm, tdx->resolved_seq,
					    gpa_to_gfn(gpa)))
		tdx->refault_gpa = gpa;

	return tdx->refault_gpa != INVALID_GPA;
}

/*
 * A guest that has run may be past the access.  To resolve the fault once more then
 * could tell userspace of one that nobody makes any more.
 */
static void tdx_forget_resolved_fault(struct vcpu_tdx *tdx)
{
	if (tdx_status_has_exit_reason(tdx->status))
		tdx->resolved_gpa = INVALID_GPA;
}

/*
 * With the answer to a TDVMCALL the guest gets the XMM registers that it selected.
 * None has an answer in them: what they hold is userspace's.
 */
static void tdx_clear_xmm(void)
{
	asm volatile("pxor %%xmm0, %%xmm0\n\t"
		     "pxor %%xmm1, %%xmm1\n\t"
		     "pxor %%xmm2, %%xmm2\n\t"
		     "pxor %%xmm3, %%xmm3\n\t"
		     "pxor %%xmm4, %%xmm4\n\t"
		     "pxor %%xmm5, %%xmm5\n\t"
		     "pxor %%xmm6, %%xmm6\n\t"
		     "pxor %%xmm7, %%xmm7\n\t"
		     "pxor %%xmm8, %%xmm8\n\t"
		     "pxor %%xmm9, %%xmm9\n\t"
		     "pxor %%xmm10, %%xmm10\n\t"
		     "pxor %%xmm11, %%xmm11\n\t"
		     "pxor %%xmm12, %%xmm12\n\t"
		     "pxor %%xmm13, %%xmm13\n\t"
		     "pxor %%xmm14, %%xmm14\n\t"
		     "pxor %%xmm15, %%xmm15" ::: "memory");
}

/* Nothing of what userspace may have queued can be injected. */
void tdx_clear_events(struct kvm_vcpu *vcpu)
{
	vcpu->arch.nmi_injected = false;
	kvm_clear_exception_queue(vcpu);
	kvm_clear_interrupt_queue(vcpu);
}

fastpath_t tdx_vcpu_run(struct kvm_vcpu *vcpu, u64 run_flags)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 host_xfd = 0;

	lockdep_assert_irqs_disabled();
	tdx_assert_vcpu_loaded(vcpu);

	/*
	 * An exit can't be forced, and need not be: the only events that KVM has
	 * to inject, NMIs, are pended with the module.
	 */
	trace_kvm_entry(vcpu, false);

	if (unlikely(tdx_is_entry_held_off(vcpu) || tdx_must_fault_first(vcpu))) {
		tdx_record_exit(tdx, TDX_OPERAND_BUSY);
		return EXIT_FASTPATH_EXIT_HANDLED;
	}

	/*
	 * What was posted since the last exit, or without a notification, is
	 * taken over when the notification arrives in the guest.
	 */
	if (pi_test_on(&tdx->vt.pi_desc))
		__apic_send_IPI_self(POSTED_INTR_VECTOR);

	kvm_wait_lapic_expire(vcpu);

	WRITE_ONCE(tdx->halt, TDX_NOT_HALTED);
	tdx->regs = tdx->vmcall;
	if (unlikely(tdx->vmcall.rcx & TDX_VMCALL_XMM_MASK))
		tdx_clear_xmm();

	/*
	 * 0 after an exit of such a TD; an emulated EPT violation leaves it alone.
	 * What it was nobody else tells for sure.
	 */
	if (kvm_tdx->xfam & TDX_XFAM_AMX)
		rdmsrl(MSR_IA32_XFD, host_xfd);

	atomic64_inc(&kvm_tdx->seamcalls[TDH_VP_ENTER]);
	tdx_vcpu_enter_exit(vcpu);

	tdx_restore_host_state(vcpu, host_xfd);

	tdx_forget_resolved_fault(tdx);
	tdx_clear_events(vcpu);

	if (tdx->vt.exit_reason.basic == EXIT_REASON_TDCALL)
		tdx->vmcall = tdx->regs;
	else if (unlikely(tdx->vt.exit_reason.basic == EXIT_REASON_MCE_DURING_VMENTRY))
		kvm_machine_check();

	trace_kvm_exit(vcpu, KVM_ISA_VMX);

	return EXIT_FASTPATH_NONE;
}

void tdx_get_exit_info(struct kvm_vcpu *vcpu, u32 *reason, u64 *info1,
		       u64 *info2, u32 *intr_info, u32 *error_code)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	struct vcpu_vt *vt = &tdx->vt;

	*reason = vt->exit_reason.full;
	*info1 = vt->exit_qualification;
	*info2 = 0;
	*intr_info = vt->exit_intr_info;
	*error_code = 0;

	if (vt->exit_reason.full == TDX_NO_EXIT_REASON)
		*info1 = tdx->status;
	else if (vt->exit_reason.basic == EXIT_REASON_TDCALL)
		*info1 = tdx->vmcall.r11;
	else
		*info2 = tdx->regs.rdx;
}
