// SPDX-License-Identifier: GPL-2.0
/*
 * Zero-step mitigation: a host that lets the guest fault on private memory at
 * one RIP over and over learns of accesses without letting it make progress.
 *
 * The first few violations at a RIP only count; from then on their addresses are
 * recorded, and the guest does not run again before all of them translate.
 */
#include "guest/guest.h"

static bool is_recorded(const struct tdx_sw_zerostep *zs, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < zs->nr; i++) {
		if (zs->gpa[i] == gpa)
			return true;
	}
	return false;
}

/* The host sees a private EPT violation that the CPU detected. */
void zerostep_violation(struct tdx_sw_call *c, u64 gpa, u64 qual, u64 gla)
{
	struct tdx_sw_zerostep *zs = &c->vcpu->zerostep;

	zs->last_was_violation = true;
	zs->last = (struct tdx_sw_ve_info) {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = qual, .gla = gla, .gpa = gpa,
		.instr_len = c->exit.instr_len, .instr_info = c->exit.instr_info,
	};

	gpa &= PAGE_MASK;
	if (zs->count <= TDX_SW_ZEROSTEP_FREE)
		zs->count++;
	if (zs->count > TDX_SW_ZEROSTEP_FREE && zs->nr < TDX_SW_ZEROSTEP_GPAS &&
	    !is_recorded(zs, gpa))
		zs->gpa[zs->nr++] = gpa;
}

/* An exit of the CPU: another RIP than at entry is progress. */
void zerostep_new_rip(struct tdx_sw_call *c, u64 rip)
{
	struct tdx_sw_zerostep *zs = &c->vcpu->zerostep;

	zs->last_was_violation = false;
	if (rip == c->vcpu->entry_rip)
		return;
	zs->count = 0;
	zs->nr = 0;
}

static bool still_faults(struct tdx_sw_call *c, u64 gpa)
{
	struct sept_walk walk;

	sept_walk(c, gpa, SEAM_4K, &walk);
	return sept_state(walk.val) != SEPT_MAPPED;
}

static bool may_notify(struct tdx_sw_call *c)
{
	u32 blocked = guest_vmread(GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_NMI;

	return c->tdcs->notify_enables & BIT_ULL(0) && c->vcpu->zerostep.last_was_violation &&
	       !blocked && !c->vcpu->guest.event.info && !c->vcpu->guest.ve.valid;
}

static enum zerostep_verdict check_recorded(struct tdx_sw_call *c, u64 *gpa)
{
	struct tdx_sw_zerostep *zs = &c->vcpu->zerostep;
	unsigned int i;

	if (!zs->nr)
		return ZEROSTEP_ENTER;
	if (!tdx_sw_lock(c, TDX_SW_LOCK_SEPT_TREE, &c->tdcs->sept_lock, true))
		return ZEROSTEP_BUSY;

	for (i = 0; i < zs->nr; i++) {
		*gpa = zs->gpa[i];
		if (still_faults(c, *gpa))
			return ZEROSTEP_REFAULT;
	}
	return ZEROSTEP_ENTER;
}

/* Injected: the violation that the host has just dealt with. */
static bool is_forced(struct tdx_sw_call *c, u64 *gpa)
{
	const struct tdx_sw_zerostep *zs = &c->vcpu->zerostep;

	*gpa = zs->last.gpa;
	return zs->last_was_violation && inject_zero_step();
}

/**
 * zerostep_filter() - May the guest run?
 * @c: call; if there are recorded addresses it holds the S-EPT tree from here on
 * @gpa: address that still faults
 *
 * Return: ZEROSTEP_ENTER, ZEROSTEP_BUSY or ZEROSTEP_REFAULT.
 */
enum zerostep_verdict zerostep_filter(struct tdx_sw_call *c, u64 *gpa)
{
	enum zerostep_verdict verdict = check_recorded(c, gpa);

	if (verdict == ZEROSTEP_ENTER && is_forced(c, gpa))
		return ZEROSTEP_REFAULT;
	return verdict;
}

/* What the host sees of a violation that no CPU reports; RBP was never the guest's. */
void zerostep_refault(struct tdx_sw_call *c, u64 gpa)
{
	struct guest_exit exit = {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = EPT_VIOLATION_ACC_WRITE, .gpa = gpa,
	};
	u64 rbp = c->regs->rbp;

	guest_exit(c, &exit);
	c->regs->rbp = rbp;
}

/* All is resolved and the guest asked to hear of it. */
void zerostep_notify(struct tdx_sw_call *c)
{
	if (c->vcpu->zerostep.nr && may_notify(c))
		guest_inject_ve(c, &c->vcpu->zerostep.last);
}
