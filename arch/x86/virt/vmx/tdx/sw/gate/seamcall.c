// SPDX-License-Identifier: GPL-2.0
/*
 * The host's way in: the dispatcher.
 *
 * Not here: the table of leaves (leaves.c), what a leaf does, and what its row wants
 * to be checked before (pages/call.c).
 */
#include <linux/irqflags.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/trapnr.h>

#include "gate/gate.h"
#include "pages/pages.h"
#include "run/run.h"

static u64 check_dispatch(u64 rax, const struct tdx_sw_leaf *leaf, u8 state)
{
	unsigned int version = (rax & SEAM_VERSION_MASK) >> SEAM_VERSION_SHIFT;

	if (rax & ~(SEAM_LEAF_MASK | SEAM_VERSION_MASK))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RAX);
	/* A leaf that has versions looks for itself. */
	if (version && (!leaf || !leaf->max_version))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RAX);
	if (state == SYS_SHUTDOWN && (rax & SEAM_LEAF_MASK) != TDH_SYS_LP_SHUTDOWN)
		return SEAM_SYS_SHUTDOWN;
	if (state != SYS_READY && !(leaf && leaf->flags & LEAF_ANY_SYS_STATE))
		return SEAM_SYS_NOT_READY;
	if (!leaf)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RAX);
	return SEAM_SUCCESS;
}

static void preset_outputs(const struct tdx_sw_call *c)
{
	struct tdx_sw_regs *regs = c->regs;
	u16 flags = c->leaf->flags;

	if (flags & LEAF_OUT_RCX)
		regs->rcx = 0;
	if (flags & LEAF_OUT_RDX)
		regs->rdx = 0;
	if (flags & LEAF_OUT_R8)
		regs->r8 = 0;
	if (flags & LEAF_OUT_L2_PAGES && c->version) {
		regs->r9 = SEAM_NO_PAGE;
		regs->r10 = SEAM_NO_PAGE;
		regs->r11 = SEAM_NO_PAGE;
	}
}

static bool is_interrupted(u64 status)
{
	u64 code = status & SEAM_CODE_MASK;

	return code == SEAM_INTERRUPTED_RESUMABLE || code == SEAM_INTERRUPTED_RESTARTABLE;
}

static u64 run_leaf(struct tdx_sw_call *c)
{
	u64 status = inject_leaf(c);

	/* An interrupted call is repeated with the registers as they are. */
	if (!is_interrupted(status))
		preset_outputs(c);
	if (!status && c->version > c->leaf->max_version)
		status = seam_status(SEAM_OPERAND_INVALID, OPERAND_RAX);

	if (!status)
		status = tdx_sw_prologue(c);
	if (!status)
		status = c->leaf->fn(c);

	if (c->leaf->nr == TDH_VP_ENTER && c->vcpu)
		exits_account(c, status);
	tdx_sw_unlock_all(c);
	return status;
}

static u64 call_leaf(struct tdx_sw_call *c, u64 rax, u8 state)
{
	u64 status;

	c->leaf = tdx_sw_find_leaf(rax & SEAM_LEAF_MASK);
	status = check_dispatch(rax, c->leaf, state);
	if (status)
		return status;

	c->version = (rax & SEAM_VERSION_MASK) >> SEAM_VERSION_SHIFT;
	c->lp = smp_processor_id();
	c->pkg = tdx_sw_package(c->lp);

	status = run_leaf(c);
	counts_account(c, status);
	return status;
}

static u64 dispatch(struct tdx_sw_regs *regs, bool from_guest_state)
{
	struct tdx_sw_call c = {
		.regs = regs, .in = *regs, .from_guest_state = from_guest_state,
		.begun = rdtsc(),
	};
	u64 status;

	/* There is no P-SEAMLDR, and none without VMX operation gets this far. */
	if (!tdx_sw_in_vmx_root())
		return SEAM_SW_ERROR | X86_TRAP_UD;
	if (regs->rax & SEAM_SEAMLDR)
		return SEAM_VMFAILINVALID;

	/* Who is counted finds a module that is not shut down before it is counted out. */
	if (!atomic_inc_unless_negative(&tdx_sw->inside))
		return call_leaf(&c, regs->rax, SYS_SHUTDOWN);
	status = call_leaf(&c, regs->rax, READ_ONCE(tdx_sw->sys_state));
	atomic_dec(&tdx_sw->inside);
	return status;
}

asmlinkage void tdx_sw_seamcall(struct tdx_sw_regs *regs);

/*
 * TDH.VP.ENTER comes from where instrumentation is not allowed: see run/enter.c.
 */
asmlinkage noinstr void tdx_sw_seamcall(struct tdx_sw_regs *regs)
{
	bool from_guest_state = tdx_sw_leave_guest_state();
	unsigned long flags;

	instrumentation_begin();
	local_irq_save(flags);
	regs->rax = dispatch(regs, from_guest_state);
	local_irq_restore(flags);
	instrumentation_end();

	tdx_sw_enter_guest_state(from_guest_state);
}
