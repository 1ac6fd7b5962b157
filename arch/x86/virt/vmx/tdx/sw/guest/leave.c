// SPDX-License-Identifier: GPL-2.0
/*
 * Leaving the guest: what the host finds.
 */
#include "guest/guest.h"

#define EPT_QUAL_HIDDEN		GENMASK_ULL(12, 7)
#define EXIT_INFO_MASK		GENMASK_ULL(31, 0)

/**
 * guest_exit() - Let the host see an asynchronous exit
 * @c: call
 * @exit: what it sees
 *
 * Return: GUEST_EXIT.
 */
enum guest_outcome guest_exit(struct tdx_sw_call *c, const struct guest_exit *exit)
{
	struct tdx_sw_regs *regs = c->regs;
	u64 qual = exit->qual & EXIT_INFO_MASK;

	if ((exit->reason & REASON_BASIC) == EXIT_REASON_EPT_VIOLATION)
		qual &= ~EPT_QUAL_HIDDEN;

	c->exit_status = exit->status | exit->reason | c->bus_lock;
	*regs = (struct tdx_sw_regs) {
		.rcx = qual,
		.rdx = exit->ext_qual,
		.r8 = exit->gpa & PAGE_MASK,
		.r9 = exit->intr_info,
		.rbp = c->tdcs->config_flags & TD_FLAG_NO_RBP_MOD ? regs->rbp : 0,
	};
	return GUEST_EXIT;
}

/* Register of the host's frame for an index of the TDVMCALL mask. */
u64 *guest_host_reg(struct tdx_sw_regs *regs, unsigned int idx)
{
	static const u8 offset[NR_GPRS] = {
		offsetof(struct tdx_sw_regs, rax), offsetof(struct tdx_sw_regs, rcx),
		offsetof(struct tdx_sw_regs, rdx), offsetof(struct tdx_sw_regs, rbx),
		0, offsetof(struct tdx_sw_regs, rbp),
		offsetof(struct tdx_sw_regs, rsi), offsetof(struct tdx_sw_regs, rdi),
		offsetof(struct tdx_sw_regs, r8), offsetof(struct tdx_sw_regs, r9),
		offsetof(struct tdx_sw_regs, r10), offsetof(struct tdx_sw_regs, r11),
		offsetof(struct tdx_sw_regs, r12), offsetof(struct tdx_sw_regs, r13),
		offsetof(struct tdx_sw_regs, r14), offsetof(struct tdx_sw_regs, r15),
	};

	return (void *)regs + offset[idx];
}

/**
 * guest_exit_vmcall() - Pass a TDVMCALL to the host
 * @c: call
 * @mask: registers to pass, checked; the host answers in the same ones
 *
 * The guest's RIP is behind the TDCALL already.
 *
 * Return: GUEST_EXIT.
 */
enum guest_outcome guest_exit_vmcall(struct tdx_sw_call *c, u64 mask)
{
	unsigned long gprs = mask & VMCALL_GPRS;
	struct guest_exit exit = { .reason = EXIT_REASON_TDCALL };
	unsigned int i;

	guest_exit(c, &exit);
	c->regs->rcx = mask;
	for_each_set_bit(i, &gprs, NR_GPRS) {
		u64 *reg = guest_host_reg(c->regs, i);

		*reg = c->vcpu->guest.gpr[i];
	}

	c->vcpu->vmcall_pending = true;
	c->vcpu->vmcall_mask = mask;
	return GUEST_EXIT;
}
