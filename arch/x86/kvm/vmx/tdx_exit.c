// SPDX-License-Identifier: GPL-2.0
/*
 * Exits from a TD: what each means.  EPT violations are in tdx_violation.c, TDVMCALLs
 * in tdx_vmcall.c, what can't wait for interrupts to be enabled in tdx_entry.c.
 *
 * What TDH.VP.ENTER returns is one of these:
 *
 *	no exit reason, busy		nothing to handle, enter again
 *	no exit reason, other error	KVM_EXIT_INTERNAL_ERROR; TDX_TD_FATAL also if
 *					the guest ran
 *	exit reason, failed entry	KVM_EXIT_FAIL_ENTRY
 *	exit reason, not recoverable	KVM_EXIT_SHUTDOWN for a triple fault, else
 *					KVM_EXIT_INTERNAL_ERROR
 *	exit reason, success		by the reason
 *
 * Busy is returned to the caller instead of being retried here: it may last until
 * another CPU, or this one, has served an interrupt.
 */
#include <asm/vmx.h>

#include "tdx.h"
#include "vmx.h"
#include "x86.h"

static int tdx_handle_exception(struct kvm_vcpu *vcpu)
{
	u32 intr_info = to_vt(vcpu)->exit_intr_info;

	/* Both have been handled, with interrupts disabled. */
	if (is_nmi(intr_info) || is_machine_check(intr_info))
		return 1;

	vcpu->run->exit_reason = KVM_EXIT_EXCEPTION;
	vcpu->run->ex.exception = intr_info & INTR_INFO_VECTOR_MASK;
	vcpu->run->ex.error_code = 0;
	return 0;
}

static int tdx_handle_triple_fault(struct kvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	vcpu->mmio_needed = 0;
	return 0;
}

static int tdx_handle_notify(struct kvm_vcpu *vcpu)
{
	bool invalid = to_vt(vcpu)->exit_qualification & NOTIFY_VM_CONTEXT_INVALID;

	++vcpu->stat.notify_window_exits;

	if (!invalid &&
	    !(vcpu->kvm->arch.notify_vmexit_flags & KVM_X86_NOTIFY_VMEXIT_USER))
		return 1;

	vcpu->run->exit_reason = KVM_EXIT_NOTIFY;
	vcpu->run->notify.flags = invalid ? KVM_NOTIFY_CONTEXT_INVALID : 0;
	return 0;
}

static int tdx_handle_unexpected(struct kvm_vcpu *vcpu)
{
	kvm_prepare_unexpected_reason_exit(vcpu, to_tdx(vcpu)->status);
	return 0;
}

static int tdx_handle_exit_reason(struct kvm_vcpu *vcpu)
{
	switch (to_vt(vcpu)->exit_reason.basic) {
	case EXIT_REASON_EXCEPTION_NMI:
		return tdx_handle_exception(vcpu);
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		++vcpu->stat.irq_exits;
		return 1;
	case EXIT_REASON_TRIPLE_FAULT:
		return tdx_handle_triple_fault(vcpu);
	case EXIT_REASON_OTHER_SMI:
		/* Served by the CPU before KVM could see anything of it. */
		return 1;
	case EXIT_REASON_EPT_VIOLATION:
		return tdx_handle_ept_violation(vcpu);
	case EXIT_REASON_BUS_LOCK:
		/* The flag may or may not be set along with the reason. */
		to_vt(vcpu)->exit_reason.bus_lock_detected = true;
		return 1;
	case EXIT_REASON_NOTIFY:
		return tdx_handle_notify(vcpu);
	case EXIT_REASON_TDCALL:
		return tdx_handle_vmcall(vcpu);
	default:
		return tdx_handle_unexpected(vcpu);
	}
}

/*
 * The vCPU did not run, or had to stop for somebody who waits for a lock, or because
 * another one found that the TD can't go on.
 */
static int tdx_handle_refused_entry(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	if (tdx_status_is_busy(tdx->status) || tdx_status_is_no_entropy(tdx->status))
		return 1;

	/* A reboot turns VMX off under the feet of its users. */
	if (tdx_status_is_sw_error(tdx->status))
		KVM_BUG_ON(!kvm_rebooting, vcpu->kvm);
	else
		tdx_log_failure(vcpu->kvm, TDH_VP_ENTER, tdx->status, tdx->tdvpr,
				vcpu->vcpu_id);

	return tdx_handle_unexpected(vcpu);
}

static int __tdx_handle_exit(struct kvm_vcpu *vcpu)
{
	union vmx_exit_reason reason = to_vt(vcpu)->exit_reason;
	u64 status = to_tdx(vcpu)->status;

	if (!tdx_status_has_exit_reason(status))
		return tdx_handle_refused_entry(vcpu);

	tdx_count_exit(vcpu->kvm, reason.basic);

	if (reason.basic != EXIT_REASON_EPT_VIOLATION)
		to_tdx(vcpu)->repeated_gpa = INVALID_GPA;

	/* The one exit that tells for sure that the guest got on. */
	if (reason.basic == EXIT_REASON_TDCALL)
		to_tdx(vcpu)->vain_gpa = INVALID_GPA;

	if (tdx_status_code(status) == TDX_NON_RECOVERABLE_VCPU)
		to_tdx(vcpu)->disabled = true;

	if (unlikely(reason.failed_vmentry)) {
		vcpu->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		vcpu->run->fail_entry.hardware_entry_failure_reason = reason.full;
		vcpu->run->fail_entry.cpu = vcpu->arch.last_vmentry_cpu;
		return 0;
	}

	if (unlikely(tdx_status_is_error(status)) &&
	    reason.basic != EXIT_REASON_TRIPLE_FAULT)
		return tdx_handle_unexpected(vcpu);

	return tdx_handle_exit_reason(vcpu);
}

int tdx_handle_exit(struct kvm_vcpu *vcpu, fastpath_t fastpath)
{
	int r;

	/* Entry was held off, or has to wait for a fault. */
	if (fastpath != EXIT_FASTPATH_NONE)
		return to_tdx(vcpu)->refault_gpa == INVALID_GPA ? 1 :
		       tdx_fault_in_private(vcpu, to_tdx(vcpu)->refault_gpa);

	r = __tdx_handle_exit(vcpu);

	/* Any exit can tell of a bus lock, which the exit itself must not hide. */
	if (to_vt(vcpu)->exit_reason.bus_lock_detected) {
		if (r > 0) {
			vcpu->run->exit_reason = KVM_EXIT_X86_BUS_LOCK;
			r = 0;
		}

		vcpu->run->flags |= KVM_RUN_X86_BUS_LOCK;
	}

	return r;
}
