// SPDX-License-Identifier: GPL-2.0
/*
 * EPT violations of a TD: private memory, which has to be there before the TD is entered
 * again, and shared memory, which is as that of any VM.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/signal.h>

#include <asm/vmx.h>

#include "mmu.h"
#include "mmu/external.h"
#include "mmu/mmu_internal.h"
#include "tdx.h"
#include "trace.h"
#include "vmx.h"
#include "x86.h"

/*
 * What a private fault that is not resolved yet may cost in entries.  From the
 * seventh fault at one instruction on the module takes it for an attack, and a page
 * that the guest has yet to accept for one that still faults: a vCPU that can't be
 * entered can't accept it.
 */
#define TDX_MAX_VAIN_ENTRIES	2

/* Violations that KVM has nothing to do about, before it asks why they come back */
#define TDX_MAX_REPEATED	64

/* The permissions of the entry that an EPT violation tells of */
#define TDX_VIOLATION_PERMISSIONS	GENMASK(6, 3)

static gpa_t tdx_exit_gpa(struct kvm_vcpu *vcpu)
{
	return to_tdx(vcpu)->regs.r8;
}

/* Whether the guest executes TDG.MEM.PAGE.ACCEPT for a page of 4 KiB. */
static bool tdx_is_small_accept(struct kvm_vcpu *vcpu)
{
	u64 rdx = to_tdx(vcpu)->regs.rdx;

	return (rdx & TDX_EXT_QUALIFICATION_TYPE_MASK) == TDX_EXT_QUALIFICATION_ACCEPT &&
	       !(rdx & TDX_EXT_QUALIFICATION_REQUESTED_LEVEL);
}

static bool tdx_is_pending_access(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	return (tdx->regs.rdx & TDX_EXT_QUALIFICATION_TYPE_MASK) ==
	       TDX_EXT_QUALIFICATION_PENDING &&
	       !(tdx->vt.exit_qualification & TDX_VIOLATION_PERMISSIONS);
}

/*
 * To be asked for each violation after which KVM had nothing to change.  Faults of
 * other CPUs explain some of these.
 */
static bool tdx_is_repeated(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	if (tdx->repeated_gpa != gpa) {
		tdx->repeated_gpa = gpa;
		tdx->nr_repeated = 0;
	}

	return ++tdx->nr_repeated > TDX_MAX_REPEATED;
}

/*
 * Whether a fault that has to be retried is better retried by way of KVM_RUN's
 * loop: a request may be what the fault waits for, e.g. that of another root.
 */
static bool tdx_must_leave_retry(struct kvm_vcpu *vcpu)
{
	return kvm_request_pending(vcpu) || kvm_vcpu_has_events(vcpu) ||
	       signal_pending(current);
}

/*
 * The fault comes first when KVM_RUN gets to the next entry, this one or that after
 * userspace has done something about it, or not.  An event is worth an entry, as the
 * guest may take it where it is; but not too many, as it may not.
 */
static void tdx_leave_fault(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	if (tdx->vain_gpa != gpa) {
		tdx->vain_gpa = gpa;
		tdx->nr_vain_entries = 0;
	}

	if (kvm_vcpu_has_events(vcpu) && tdx->nr_vain_entries < TDX_MAX_VAIN_ENTRIES)
		tdx->nr_vain_entries++;
	else
		tdx->refault_gpa = gpa;
}

/*
 * Let go of the memslots.  One that is being deleted makes the fault come back
 * until it is gone, and is not gone until all readers have been here.  To enter
 * the TD instead, as often as that takes, would be in vain, see below.
 */
static void tdx_let_memslots_change(struct kvm_vcpu *vcpu)
{
	kvm_vcpu_srcu_read_unlock(vcpu);
	cond_resched();
	kvm_vcpu_srcu_read_lock(vcpu);
}

/*
 * Resolve a private fault before the TD is entered again.  The module counts
 * faults at one instruction, and having counted a few it takes the tree of the
 * S-EPT for itself at every entry until they are resolved: entering in vain makes
 * the operations of all other vCPUs, and those that would resolve the fault,
 * find it busy.  So whatever the way out of here, either the fault is resolved, or
 * it stays noted.
 *
 * It is a write fault whatever the qualification says: there is no private
 * mapping without write access, and the module's own faults say anything.
 */
int tdx_fault_in_private(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	int r;

	tdx->refault_gpa = INVALID_GPA;
	tdx->resolved_gpa = INVALID_GPA;

	for (;;) {
		tdx->resolved_seq = READ_ONCE(vcpu->kvm->mmu_invalidate_seq);
		/* The fault must not see what is older than the sequence count. */
		smp_rmb();

		r = __vmx_handle_ept_violation(vcpu, gpa, EPT_VIOLATION_ACC_WRITE,
					       PFERR_PRIVATE_ACCESS);
		if (r > 0 && r != RET_PF_RETRY) {
			tdx->resolved_gpa = gpa;
			return r;
		}

		/* KVM_RUN's loop, too, has to find the request. */
		if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu))
			return -EIO;

		if (r <= 0 || tdx_must_leave_retry(vcpu)) {
			tdx_leave_fault(vcpu, gpa);
			return r;
		}

		tdx_let_memslots_change(vcpu);
	}
}

static int tdx_kill_for_pending(struct kvm_vcpu *vcpu)
{
	kvm_vm_dead(vcpu->kvm);
	return -EIO;
}

/* Only the guest can accept the page.  It didn't, and would come back for ever. */
static int tdx_kill_unaccepted(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	pr_warn_ratelimited("TD %s: vCPU %d accessed GPA 0x%llx before accepting it\n",
			    to_kvm_tdx(vcpu->kvm)->name, vcpu->vcpu_id, gpa);
	return tdx_kill_for_pending(vcpu);
}

/* The guest may be about to accept the page, but the module doesn't let it. */
static int tdx_kill_locked_out(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	pr_warn_ratelimited("TD %s: vCPU %d faulted too often at GPA 0x%llx to be let in before accepting it\n",
			    to_kvm_tdx(vcpu->kvm)->name, vcpu->vcpu_id, gpa);
	return tdx_kill_for_pending(vcpu);
}

/*
 * The module may make up violations, without a word about pending pages, until
 * the fault is resolved.  As to that a page that is pending is not.
 */
static int tdx_handle_private_violation(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	int r;

	if (tdx_is_pending_access(vcpu))
		return tdx_kill_unaccepted(vcpu, gpa);

	if (tdx_is_small_accept(vcpu)) {
		r = external_limit_level(vcpu, gpa_to_gfn(gpa));
		if (r) {
			tdx_leave_fault(vcpu, gpa);
			return r;
		}
	}

	r = tdx_fault_in_private(vcpu, gpa);

	if (r == RET_PF_SPURIOUS && tdx_is_repeated(vcpu, gpa) &&
	    tdx_sept_is_pending(vcpu->kvm, gpa))
		return tdx_kill_locked_out(vcpu, gpa);

	return r;
}

/*
 * An SPTE that raises #VE takes the place of emulation.  Not where there can be
 * none: outside of the host's physical address space, or while the CPU delivers
 * an event, in which case it doesn't turn a violation into another one.
 */
int tdx_check_emulate_instruction(struct kvm_vcpu *vcpu, int emul_type, void *insn,
				  int insn_len)
{
	to_tdx(vcpu)->emulation_is_vain = tdx_is_repeated(vcpu, tdx_exit_gpa(vcpu));
	return X86EMUL_RETRY_INSTR;
}

static int tdx_report_vain_emulation(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	run->internal.ndata = 3;
	run->internal.data[0] = 0;
	run->internal.data[1] = to_vt(vcpu)->exit_reason.full;
	run->internal.data[2] = gpa;
	return 0;
}

/*
 * Where there is no memslot the fault ends with an SPTE that makes the access
 * raise #VE, whose handler asks for MMIO.
 */
static int tdx_handle_shared_violation(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	unsigned long qualification = to_vt(vcpu)->exit_qualification;
	int r;

	/* Code is private.  Not a WARN, as the guest may have a say in this. */
	if (qualification & EPT_VIOLATION_ACC_INSTR) {
		pr_err_ratelimited("TD %s: vCPU %d executed shared GPA 0x%llx\n",
				   to_kvm_tdx(vcpu->kvm)->name, vcpu->vcpu_id, gpa);
		kvm_vm_bugged(vcpu->kvm);
		return -EIO;
	}

	to_tdx(vcpu)->emulation_is_vain = false;
	r = __vmx_handle_ept_violation(vcpu, kvm_gpa_strip_direct_bits(vcpu->kvm, gpa),
				       qualification, 0);

	return to_tdx(vcpu)->emulation_is_vain ? tdx_report_vain_emulation(vcpu, gpa) : r;
}

int tdx_handle_ept_violation(struct kvm_vcpu *vcpu)
{
	gpa_t gpa = tdx_exit_gpa(vcpu);

	trace_kvm_page_fault(vcpu, gpa, to_vt(vcpu)->exit_qualification);

	if (kvm_is_addr_direct(vcpu->kvm, gpa))
		return tdx_handle_shared_violation(vcpu, gpa);

	return tdx_handle_private_violation(vcpu, gpa);
}
