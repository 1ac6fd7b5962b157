// SPDX-License-Identifier: GPL-2.0
/*
 * Events that the module raises in the guest: exceptions, #VE, and what becomes
 * of them when another event was on its way.
 *
 * vcpu->guest.event is what the next entry delivers.  It is empty, or it holds
 * an event whose delivery the last exit interrupted and which would have to be
 * delivered again.  A new exception takes its place by the CPU's own rules:
 *
 *	in delivery	new		becomes
 *	contributory	contributory	#DF
 *	page fault, #VE	contributory	#DF
 *	page fault, #VE	page fault, #VE	#DF
 *	#DF		any of these	triple fault
 *	anything else			the new one; the instruction that caused the
 *					other one runs again
 *
 * An NMI that gives way becomes pending again.  An external interrupt that does
 * is lost, as without a module between: its handler never runs, and the local
 * APIC has it in service.
 */
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "guest/gstate.h"

/* TDG.VP.VEINFO.GET shows nothing of it; any value but 0 would do. */
#define VE_INFO_VALID	0xffffffff

#define PENDING_DBG_BS	BIT_ULL(14)

enum event_class {
	CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT, CLASS_DOUBLE_FAULT,
};

static enum event_class event_class(u8 vector)
{
	switch (vector) {
	case X86_TRAP_DE:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
	case X86_TRAP_CP:
		return CLASS_CONTRIBUTORY;
	case X86_TRAP_PF:
	case VE_VECTOR:
		return CLASS_PAGE_FAULT;
	case X86_TRAP_DF:
		return CLASS_DOUBLE_FAULT;
	default:
		return CLASS_BENIGN;
	}
}

static bool is_type(const struct tdx_sw_event *event, u32 type)
{
	return event->info & INTR_INFO_VALID_MASK &&
	       (event->info & INTR_INFO_INTR_TYPE_MASK) == type;
}

/* Class of what is in delivery; only exceptions combine. */
static enum event_class class_in_delivery(const struct tdx_sw_call *c)
{
	const struct tdx_sw_event *event = &c->vcpu->guest.event;

	if (!is_type(event, INTR_TYPE_HARD_EXCEPTION))
		return CLASS_BENIGN;
	return event_class(event->info & INTR_INFO_VECTOR_MASK);
}

static void put(struct tdx_sw_call *c, u32 info, u32 error)
{
	struct tdx_sw_event *event = &c->vcpu->guest.event;

	if (is_type(event, INTR_TYPE_NMI_INTR)) {
		u64 state = guest_vmread(GUEST_INTERRUPTIBILITY_INFO);

		WRITE_ONCE(c->vcpu->pend_nmi, 1);
		guest_vmwrite(GUEST_INTERRUPTIBILITY_INFO, state & ~(u64)GUEST_INTR_STATE_NMI);
	}
	*event = (struct tdx_sw_event) {
		.info = info | INTR_TYPE_HARD_EXCEPTION | INTR_INFO_VALID_MASK, .error = error,
	};
	/* What a fault pushes lets the instruction run again past a breakpoint on it. */
	guest_vmwrite(GUEST_RFLAGS, guest_vmread(GUEST_RFLAGS) | X86_EFLAGS_RF);
}

/*
 * With an empty IDT the CPU gets from #DF to the triple fault by itself, and
 * the host sees one like any other.  The vCPU does not survive it anyway.
 */
static void triple_fault(struct tdx_sw_call *c)
{
	guest_vmwrite(GUEST_IDTR_LIMIT, 0);
	put(c, X86_TRAP_DF | INTR_INFO_DELIVER_CODE_MASK, 0);
}

static void double_fault(struct tdx_sw_call *c)
{
	if (class_in_delivery(c) == CLASS_DOUBLE_FAULT)
		triple_fault(c);
	else
		put(c, X86_TRAP_DF | INTR_INFO_DELIVER_CODE_MASK, 0);
}

/* Does the new exception end in #DF, or worse? */
static bool is_double_fault(enum event_class old, enum event_class new)
{
	switch (old) {
	case CLASS_CONTRIBUTORY:
		return new == CLASS_CONTRIBUTORY;
	case CLASS_PAGE_FAULT:
	case CLASS_DOUBLE_FAULT:
		return new != CLASS_BENIGN;
	default:
		return false;
	}
}

static bool combines(struct tdx_sw_call *c, u8 vector)
{
	return is_double_fault(class_in_delivery(c), event_class(vector));
}

static void raise(struct tdx_sw_call *c, u32 info, u32 error)
{
	if (combines(c, info & INTR_INFO_VECTOR_MASK))
		double_fault(c);
	else
		put(c, info, error);
}

/* Let the guest take an exception without error code. */
void guest_inject(struct tdx_sw_call *c, u8 vector)
{
	raise(c, vector, 0);
}

void guest_inject_error(struct tdx_sw_call *c, u8 vector, u32 error)
{
	raise(c, vector | INTR_INFO_DELIVER_CODE_MASK, error);
}

/**
 * guest_inject_ve() - Let the guest take a #VE
 * @c: call
 * @info: what it will learn from TDG.VP.VEINFO.GET
 *
 * It becomes a #DF if the guest has not read the last one's information, which
 * stays as it is.
 */
void guest_inject_ve(struct tdx_sw_call *c, const struct tdx_sw_ve_info *info)
{
	struct tdx_sw_ve_info *ve = &c->vcpu->guest.ve;

	if (ve->valid || combines(c, VE_VECTOR)) {
		double_fault(c);
		return;
	}
	*ve = *info;
	ve->valid = VE_INFO_VALID;
	put(c, VE_VECTOR, 0);
}

/* What STI and MOV SS hold off waits for one instruction, or the part of it that was done. */
void guest_end_shadow(void)
{
	guest_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
		      guest_vmread(GUEST_INTERRUPTIBILITY_INFO) &
		      ~(u64)(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS));
}

/* Go on behind the instruction, with everything that its end entails. */
void guest_skip_instruction(struct tdx_sw_call *c)
{
	u64 rip = guest_vmread(GUEST_RIP) + c->exit.instr_len;
	u64 flags = guest_vmread(GUEST_RFLAGS);

	guest_vmwrite(GUEST_RIP, guest_is_64bit() ? rip : (u32)rip);
	guest_end_shadow();
	guest_vmwrite(GUEST_RFLAGS, flags & ~X86_EFLAGS_RF);

	/* With BTF only branches trap. */
	if (flags & X86_EFLAGS_TF &&
	    !(guest_vmread(GUEST_IA32_DEBUGCTL) & DEBUGCTLMSR_BTF))
		guest_vmwrite(GUEST_PENDING_DBG_EXCEPTIONS,
			      guest_vmread(GUEST_PENDING_DBG_EXCEPTIONS) | PENDING_DBG_BS);
}

/* ---- what an instruction that exited becomes ---- */

enum guest_outcome guest_done(struct tdx_sw_call *c)
{
	guest_skip_instruction(c);
	return GUEST_RESUME;
}

enum guest_outcome guest_gp(struct tdx_sw_call *c)
{
	guest_inject_error(c, X86_TRAP_GP, 0);
	return GUEST_RESUME;
}

enum guest_outcome guest_ud(struct tdx_sw_call *c)
{
	guest_inject(c, X86_TRAP_UD);
	return GUEST_RESUME;
}

enum guest_outcome guest_instruction_ve(struct tdx_sw_call *c, u64 qual)
{
	const struct tdx_sw_ve_info info = {
		.reason = (u16)c->exit.reason, .qual = qual,
		.instr_len = c->exit.instr_len, .instr_info = c->exit.instr_info,
	};

	guest_inject_ve(c, &info);
	return GUEST_RESUME;
}
