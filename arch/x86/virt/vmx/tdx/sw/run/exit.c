// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of the CPU: which concern the host, and whose the others are.
 *
 * How one looks to the host is in guest/leave.c, EPT violations are in
 * guest/violation.c, exits that stem from an instruction in guest/instr.c.
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/kernel.h>
#include <asm/trapnr.h>

#include "guest/gstate.h"
#include "run/run.h"

#define EPT_QUAL_GLA_VALID	BIT_ULL(7)
#define QUAL_NMI_UNBLOCKED	BIT_ULL(12)
#define REASON_BUS_LOCK		BIT(26)

/* The host enters again after a TDVMCALL: its registers are the answer. */
void exit_finish_vmcall(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	unsigned long gprs = vcpu->vmcall_mask & VMCALL_GPRS;
	unsigned int i;

	if (!vcpu->vmcall_pending)
		return;

	vcpu->guest.gpr[GPR_RAX] = SEAM_SUCCESS;
	for_each_set_bit(i, &gprs, NR_GPRS)
		vcpu->guest.gpr[i] = *guest_host_reg(&c->in, i);
	switch_load_guest_xmm(c, vcpu->vmcall_mask >> 16);
	vcpu->vmcall_pending = false;
}

/* An exit without anything to tell beyond its reason and qualification. */
static enum guest_outcome plain_exit(struct tdx_sw_call *c, u64 status)
{
	struct guest_exit exit = {
		.status = status, .reason = c->exit.reason, .qual = c->exit.qual,
	};

	return guest_exit(c, &exit);
}

static enum guest_outcome interrupt_exit(struct tdx_sw_call *c)
{
	struct guest_exit exit = {
		.reason = c->exit.reason, .intr_info = c->exit.intr_info,
	};

	return guest_exit(c, &exit);
}

/* Nobody can use the TD any more, but its pages can be taken back. */
static enum guest_outcome fatal_exit(struct tdx_sw_call *c, u64 status)
{
	WRITE_ONCE(c->tdr->fatal, true);
	return plain_exit(c, status);
}

static bool is_nmi(u32 intr_info)
{
	return (intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR;
}

static bool is_machine_check(u32 intr_info)
{
	return (intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_MC;
}

static enum guest_outcome exception_or_nmi(struct tdx_sw_call *c)
{
	if (is_nmi(c->exit.intr_info))
		return interrupt_exit(c);
	if (is_machine_check(c->exit.intr_info)) {
		interrupt_exit(c);
		WRITE_ONCE(c->tdr->fatal, true);
		c->exit_status |= SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE;
		return GUEST_EXIT;
	}
	return guest_undefined_opcode(c);
}

/* ---- EPT violations ---- */

static enum guest_outcome cpu_ept_violation(struct tdx_sw_call *c)
{
	const struct tdx_sw_vmexit *exit = &c->exit;
	u64 gla = exit->qual & EPT_QUAL_GLA_VALID ? exit->gla : 0;

	return guest_handle_ept_violation(c, exit->gpa, exit->qual, gla, true);
}

/* The S-EPT is the module's own, so it is the host that wrote nonsense. */
static enum guest_outcome ept_misconfig(struct tdx_sw_call *c)
{
	struct guest_exit exit = { .reason = c->exit.reason, .gpa = c->exit.gpa };

	if (tdx_sw_gpa_is_private(c->exit.gpa)) {
		WARN_ONCE(1, "S-EPT misconfigured at %llx\n", c->exit.gpa);
		return fatal_exit(c, SEAM_NON_RECOVERABLE_TD_CORRUPTED_MD);
	}
	return guest_exit(c, &exit);
}

/*
 * See vmcs_guard_entry().  The interrupt has not been acknowledged, so this is no
 * external-interrupt exit: what asks nothing of the host but to enter again, with
 * interrupts on in between, is an SMI.
 */
enum guest_outcome exit_guard(struct tdx_sw_call *c)
{
	struct guest_exit exit = { .reason = EXIT_REASON_OTHER_SMI };

	return guest_interrupt_waits() ? guest_exit(c, &exit) : GUEST_RESUME;
}

/* ---- all of them ---- */

/*
 * The event whose delivery was cut short is delivered by the next entry, unless
 * what cut it short makes another one of it.
 */
static void requeue_event(struct tdx_sw_call *c)
{
	u32 info = c->exit.vectoring, type = info & INTR_INFO_INTR_TYPE_MASK;
	struct tdx_sw_event *event = &c->vcpu->guest.event;

	*event = (struct tdx_sw_event) {};
	if (!(info & INTR_INFO_VALID_MASK))
		return;

	event->info = info & (INTR_INFO_VALID_MASK | INTR_INFO_DELIVER_CODE_MASK |
			      INTR_INFO_INTR_TYPE_MASK | INTR_INFO_VECTOR_MASK);
	event->error = c->exit.vectoring_error;
	if (type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_SOFT_EXCEPTION ||
	    type == INTR_TYPE_PRIV_SW_EXCEPTION)
		event->len = c->exit.instr_len;
	/* Its delivery had begun, so NMIs are blocked already. */
	if (type == INTR_TYPE_NMI_INTR)
		guest_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			      guest_vmread(GUEST_INTERRUPTIBILITY_INFO) & ~GUEST_INTR_STATE_NMI);
}

/* IRET had unblocked NMIs before it faulted. */
static void block_nmis_again(struct tdx_sw_call *c)
{
	bool by_violation = (c->exit.reason & REASON_BASIC) == EXIT_REASON_EPT_VIOLATION &&
			    c->exit.qual & QUAL_NMI_UNBLOCKED;
	bool by_exception = (c->exit.reason & REASON_BASIC) == EXIT_REASON_EXCEPTION_NMI &&
			    c->exit.intr_info & INTR_INFO_UNBLOCK_NMI;

	if ((by_violation || by_exception) && !(c->exit.vectoring & INTR_INFO_VALID_MASK))
		guest_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			      guest_vmread(GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);
}

static enum guest_outcome entry_failed(struct tdx_sw_call *c)
{
	pr_warn_once("VM entry failed: reason %x, qualification %llx\n", c->exit.reason,
		     c->exit.qual);
	if ((c->exit.reason & REASON_BASIC) == EXIT_REASON_MCE_DURING_VMENTRY)
		return fatal_exit(c, SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE);
	return fatal_exit(c, SEAM_NON_RECOVERABLE_TD);
}

/* What the CPU interrupted the guest for, the host has to see, whatever the TD's state. */
static bool is_host_event(const struct tdx_sw_call *c)
{
	switch (c->exit.reason & REASON_BASIC) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_OTHER_SMI:
	case EXIT_REASON_INIT_SIGNAL:
	case EXIT_REASON_SIPI_SIGNAL:
		return true;
	case EXIT_REASON_EXCEPTION_NMI:
		return is_nmi(c->exit.intr_info) || is_machine_check(c->exit.intr_info);
	default:
		return false;
	}
}

/* Decide what becomes of the CPU's exit. */
enum guest_outcome exit_handle(struct tdx_sw_call *c)
{
	/* Whatever the exit becomes, and if the guest goes on: the next one tells. */
	c->bus_lock |= c->exit.reason & REASON_BUS_LOCK;

	if (c->exit.reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
		return entry_failed(c);

	requeue_event(c);
	block_nmis_again(c);

	/* Another vCPU found that the TD can't go on: no reason, nor what goes with one. */
	if (READ_ONCE(c->tdr->fatal) && !is_host_event(c)) {
		c->bus_lock = 0;
		return guest_exit(c, &(struct guest_exit) { .status = SEAM_TD_FATAL });
	}

	switch (c->exit.reason & REASON_BASIC) {
	case EXIT_REASON_EXCEPTION_NMI:
		return exception_or_nmi(c);
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_OTHER_SMI:
		return interrupt_exit(c);
	case EXIT_REASON_TRIPLE_FAULT:
		c->vcpu->state = VCPU_DISABLED;
		return plain_exit(c, SEAM_NON_RECOVERABLE_VCPU);
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_INTERRUPT_WINDOW:
		return GUEST_RESUME;
	case EXIT_REASON_PREEMPTION_TIMER:
		return exit_guard(c);
	case EXIT_REASON_EPT_VIOLATION:
		return cpu_ept_violation(c);
	case EXIT_REASON_EPT_MISCONFIG:
		return ept_misconfig(c);
	case EXIT_REASON_INIT_SIGNAL:
	case EXIT_REASON_SIPI_SIGNAL:
	case EXIT_REASON_TASK_SWITCH:
	case EXIT_REASON_BUS_LOCK:
		return plain_exit(c, SEAM_SUCCESS);
	case EXIT_REASON_NOTIFY:
		if (c->exit.qual & NOTIFY_VM_CONTEXT_INVALID)
			return fatal_exit(c, SEAM_NON_RECOVERABLE_TD);
		return plain_exit(c, SEAM_SUCCESS);
	case EXIT_REASON_TDCALL:
		return guest_tdcall(c);
	default:
		return guest_instruction(c);
	}
}
