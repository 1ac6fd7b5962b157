// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.VP.ENTER: run a vCPU of a TD until the host has to see something.
 *
 * In order: the checks of the interface; the epoch; the zero-step filter; the
 * host's state is noted and the guest's loaded; then, as often as the module
 * handles an exit by itself, interrupts and events for the guest, VM entry, VM
 * exit.  At the end the guest's state is taken back, and the host finds what the
 * interface says it finds.
 *
 * Execution context.  The host calls between guest_state_enter_irqoff() and its
 * counterpart, where no instrumented code may run and the kernel believes that a
 * guest runs with interrupts on.  The dispatcher leaves that state before it runs
 * C code and comes back to it last (tdx_sw_leave_guest_state() and its twin);
 * run_guest() does it the other way round about VM entry.  A caller that was in no
 * such state, as tests are, stays out of it.
 *
 * What stays locked while the guest runs: TDVPR and TDR, shared.  OP_STATE is
 * dropped before, like the S-EPT tree that the zero-step filter took.
 *
 * No stay is unbounded: the guest runs with external interrupts exiting, so that a
 * VM entry ends for the host's sake if an interrupt waits.  The emulator that this
 * module is for doesn't do so while the guest has interrupts off; a timer, and a
 * look before each entry, stand in for it: see vmcs_guard_entry() and exit_guard().
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/context_tracking.h>
#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "run/run.h"

/* XFAM of the TD that ran last here: an emulated exit initialises that. */
static DEFINE_PER_CPU(u64, last_xfam) = TD_XFAM_FIXED1;

/* ---- entry and exit of the CPU ---- */

static __always_inline void enter_guest_state(bool wanted)
{
	if (!wanted)
		return;
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();
	context_tracking_guest_enter();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

static __always_inline void leave_guest_state(bool wanted)
{
	if (!wanted)
		return;
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();
	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

/*
 * Is the caller where a guest is believed to run?  Lockdep tells by interrupts
 * that it takes for enabled, context tracking by its state; each is asked for what
 * it was told.
 */
noinstr bool tdx_sw_leave_guest_state(void)
{
	bool in_guest = raw_irqs_disabled() &&
			(lockdep_hardirqs_enabled() ||
			 (context_tracking_enabled() && __ct_state() == CT_STATE_GUEST));

	leave_guest_state(in_guest);
	return in_guest;
}

noinstr void tdx_sw_enter_guest_state(bool wanted)
{
	enter_guest_state(wanted);
}

static noinstr int run_guest(struct tdx_sw_call *c)
{
	struct tdx_sw_guest *guest = &c->vcpu->guest;
	u64 pebs, begun;
	int ret;

	enter_guest_state(c->from_guest_state);
	pebs = host_stop_pebs();
	spec_load_guest(guest);
	begun = rdtsc();
	ret = tdx_sw_vmenter(guest, c->vcpu->launched);
	c->guest_ticks += rdtsc() - begun;
	guest->cr2 = native_read_cr2();
	host_resume_pebs(pebs);
	leave_guest_state(c->from_guest_state);
	return ret;
}

/* ---- what the guest gets with the entry ---- */

static bool may_inject_nmi(struct tdx_sw_call *c)
{
	u32 blocked = GUEST_INTR_STATE_NMI | GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS;

	return !c->vcpu->guest.event.info &&
	       !(guest_vmread(GUEST_INTERRUPTIBILITY_INFO) & blocked);
}

/*
 * One NMI waits at most.  Not before the guest has read what its last #VE was
 * about, or the handler of the NMI could not have one of its own; reading is a
 * TDCALL, so it is asked again then.
 */
static void sync_nmi(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	bool waits = READ_ONCE(vcpu->pend_nmi) && !vcpu->guest.ve.valid;

	if (waits && may_inject_nmi(c)) {
		WRITE_ONCE(vcpu->pend_nmi, 0);
		vcpu->guest.event.info = INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | X86_TRAP_NMI;
		waits = false;
	}
	vmcs_set_proc_control(CPU_BASED_NMI_WINDOW_EXITING, waits);
}

static void deliver_event(struct tdx_sw_call *c)
{
	struct tdx_sw_event *event = &c->vcpu->guest.event;

	guest_vmwrite(VM_ENTRY_INTR_INFO_FIELD, event->info);
	if (event->info & INTR_INFO_DELIVER_CODE_MASK)
		guest_vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, event->error);
	if (event->len)
		guest_vmwrite(VM_ENTRY_INSTRUCTION_LEN, event->len);
	event->info = 0;
}

/* ---- the loop ---- */

static enum guest_outcome vm_entry_failed(struct tdx_sw_call *c)
{
	struct guest_exit exit = {
		.status = SEAM_NON_RECOVERABLE_TD_CORRUPTED_MD,
		.reason = EXIT_REASON_INVALID_STATE | VMX_EXIT_REASONS_FAILED_VMENTRY,
	};

	WARN_ONCE(1, "VM entry refused, error %u\n", vmcs_instruction_error());
	WRITE_ONCE(c->tdr->fatal, true);
	return guest_exit(c, &exit);
}

static enum guest_outcome run_once(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;

	sync_nmi(c);
	vapic_sync(c);
	/*
	 * The timer starts anew with each entry: a TDCALL that is repeated outruns it.
	 * Not before posted requests are taken, or the host would notify again.
	 */
	if (!(guest_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF) && exit_guard(c) == GUEST_EXIT)
		return GUEST_EXIT;

	deliver_event(c);
	eptroot_flush(c);
	vmcs_guard_entry(c);
	switch_load_controls(c);

	if (run_guest(c))
		return vm_entry_failed(c);

	vcpu->launched = true;
	vmcs_read_exit(&c->exit);
	zerostep_new_rip(c, guest_vmread(GUEST_RIP));
	return exit_handle(c);
}

static void run(struct tdx_sw_call *c)
{
	struct host_state host;

	spec_enter(c->vcpu);
	host_save(&host);
	vmcs_prepare(c);
	vmcs_apply_controls(c);
	host_fill_vmcs(&host);
	eptroot_fill(c);
	exit_finish_vmcall(c);
	/* The guest's TDCALL gave up waiting for a lock: it may try again. */
	if (c->in.rcx & VP_ENTER_RECOVERABLE)
		c->vcpu->guest.gpr[GPR_RAX] |= SEAM_HOST_RECOVERABILITY_HINT;
	switch_to_guest(c);
	zerostep_notify(c);
	c->vcpu->entry_rip = guest_vmread(GUEST_RIP);

	/* The S-EPT tree, if the zero-step filter took it, and OP_STATE. */
	while (c->nr_held > c->nr_kept)
		tdx_sw_unlock_last(c);

	while (run_once(c) == GUEST_RESUME)
		;

	c->vcpu->last_tsc = rdtsc_ordered();
	c->vcpu->trap_like_exit = !!(c->exit_status & SEAM_HOST_RECOVERABILITY_HINT);
	__this_cpu_write(last_xfam, c->tdcs->xfam);
	switch_to_host(c);
	host_restore_cpu(&host);
}

/* ---- the leaf ---- */

/* An EPT violation that the CPU did not detect: the last one again. */
static u64 refault(struct tdx_sw_call *c, u64 gpa)
{
	switch_init_xstate(__this_cpu_read(last_xfam));
	zerostep_refault(c, gpa);
	return c->exit_status;
}

static u64 filter_and_run(struct tdx_sw_call *c)
{
	u64 gpa;

	switch (zerostep_filter(c, &gpa)) {
	case ZEROSTEP_BUSY:
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_SEPT_TREE);
	case ZEROSTEP_REFAULT:
		return refault(c, gpa);
	default:
		run(c);
		return c->exit_status;
	}
}

static u64 check_entry(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	u64 status;

	status = vp_take(c, VCPU_READY);
	if (status)
		return status;
	if ((c->in.rcx & VP_ENTER_RECOVERABLE && !vcpu->trap_like_exit) ||
	    c->in.rcx & VP_ENTER_RESUME_L1)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);
	if (tdx_sw_tsc_adjust_changed())
		return seam_status(SEAM_INCONSISTENT_MSR, MSR_IA32_TSC_ADJUST);
	if (rdtsc_ordered() < vcpu->last_tsc)
		return SEAM_TSC_ROLLBACK;
	if (vp_has_monitor(c) &&
	    !(tdx_sw_read_msr(MSR_IA32_MISC_ENABLE) & MSR_IA32_MISC_ENABLE_MWAIT))
		return seam_status(SEAM_INCORRECT_MSR_VALUE, MSR_IA32_MISC_ENABLE);
	return SEAM_SUCCESS;
}

u64 tdx_sw_vp_enter(struct tdx_sw_call *c)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	u64 status, old_epoch = vcpu->epoch;

	status = check_entry(c);
	if (status)
		return status;
	/* OP_STATE is the last lock that the prologue took. */
	c->nr_kept = c->nr_held - 1;
	status = vp_epoch_enter(c);
	if (status)
		return status;
	if (vcpu->epoch != old_epoch)
		vcpu->flush = true;

	if (vmx_caps.usable)
		status = filter_and_run(c);
	else
		status = SEAM_INCOMPATIBLE_SEAM_CAPABILITIES;

	vp_epoch_exit(c->tdcs, vcpu);
	return status;
}
