// SPDX-License-Identifier: GPL-2.0
/*
 * EPT violations: those that the CPU finds, and those that an operand of a TDCALL
 * would have been.
 */
#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "guest/gstate.h"

#define EPT_QUAL_ACCESS		GENMASK_ULL(2, 0)	/* as in R, W, X of an entry */

static enum guest_outcome violation_exit(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 type)
{
	struct guest_exit exit = {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = qual, .ext_qual = type, .gpa = gpa,
	};

	return guest_exit(c, &exit);
}

/* The copy of the root was older than what it is a copy of. */
static enum guest_outcome retry(struct tdx_sw_call *c)
{
	c->vcpu->flush = true;
	eptroot_fill(c);
	return GUEST_RESUME;
}

static enum guest_outcome virtualization_exception(struct tdx_sw_call *c, u64 gpa, u64 qual,
						   u64 gla)
{
	struct tdx_sw_ve_info info = {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = qual, .gla = gla, .gpa = gpa,
		.instr_len = c->exit.instr_len, .instr_info = c->exit.instr_info,
	};

	guest_inject_ve(c, &info);
	return GUEST_RESUME;
}

static bool is_delivering_event(const struct tdx_sw_call *c)
{
	return c->vcpu->guest.event.info;
}

static enum guest_outcome shared_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla,
					   bool by_cpu)
{
	u64 entry, wanted = qual & EPT_QUAL_ACCESS;
	unsigned int level;

	/* What the CPU can reach and the module cannot, the host has to explain. */
	if (gmem_walk_shared(c, gpa, &entry, &level) && (entry & wanted) == wanted)
		return by_cpu ? retry(c) : violation_exit(c, gpa, qual, EXIT_TYPE_NONE);
	if (!(entry & SEPT_SVE) && !is_delivering_event(c))
		return virtualization_exception(c, gpa, qual, gla);
	return violation_exit(c, gpa, qual, EXIT_TYPE_NONE);
}

static enum guest_outcome private_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla,
					    bool by_cpu)
{
	enum guest_exit_type type = EXIT_TYPE_NONE;
	struct sept_walk walk;

	sept_walk(c, gpa & PAGE_MASK, SEAM_4K, &walk);
	switch (sept_state(walk.val)) {
	case SEPT_MAPPED:
		return retry(c);
	case SEPT_PENDING:
		if (!(READ_ONCE(c->tdcs->td_ctls) & TD_CTLS_PENDING_VE_DISABLE_BIT) &&
		    !is_delivering_event(c))
			return virtualization_exception(c, gpa, qual, gla);
		type = EXIT_TYPE_PENDING;
		break;
	default:
		break;
	}
	if (by_cpu)
		zerostep_violation(c, gpa, qual, gla);
	return violation_exit(c, gpa, qual, type);
}

static bool is_beyond_width(u64 gpa)
{
	return gpa >> tdx_sw_config.gpa_width;
}

/* Where the CPU's addresses are wider than the TD's, the extra bits are reserved. */
static enum guest_outcome reserved_bit_fault(struct tdx_sw_call *c, u64 qual, u64 gla)
{
	u32 error = X86_PF_PROT | X86_PF_RSVD;

	if (qual & EPT_VIOLATION_ACC_WRITE)
		error |= X86_PF_WRITE;
	if (qual & EPT_VIOLATION_ACC_INSTR)
		error |= X86_PF_INSTR;
	if (guest_cpl() == 3)
		error |= X86_PF_USER;
	c->vcpu->guest.cr2 = gla;
	guest_inject_error(c, X86_TRAP_PF, error);
	return GUEST_RESUME;
}

enum guest_outcome guest_handle_ept_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla,
					      bool by_cpu)
{
	if (is_beyond_width(gpa))
		return reserved_bit_fault(c, qual, gla);
	if (!tdx_sw_gpa_is_private(gpa))
		return shared_violation(c, gpa, qual, gla, by_cpu);
	return private_violation(c, gpa, qual, gla, by_cpu);
}

/**
 * guest_ept_violation() - An operand of a TDCALL is not accessible
 * @c: call
 * @gpa: its address
 * @qual: exit qualification of such an access
 * @gla: its linear address, or 0
 *
 * Treated like the same access by the guest, except that it says nothing about
 * steps of the guest: the TDCALL starts again once the host is done.
 *
 * Return: GUEST_RESUME or GUEST_EXIT.
 */
enum guest_outcome guest_ept_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla)
{
	return guest_handle_ept_violation(c, gpa, qual, gla, false);
}
