// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.VP.ENTER with a guest that runs: needs a CPU with VMX, and VMX operation.
 * Where there is none the cases are skipped; Bochs runs them.
 */
#include <linux/delay.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "entry.h"

#define ENTER_RECOVERABLE	BIT_ULL(52)
#define HOST_RECOVERABILITY_HINT	BIT_ULL(60)
#define ST_NON_RECOVERABLE_VCPU	0x4000000100000000ULL

#define QUAL_ACCESS	0x7
#define QUAL_WRITE	0x2
#define QUAL_EXEC	0x4

#define VECTOR_DE	0
#define VECTOR_DB	1
#define VECTOR_NMI	2
#define VECTOR_BP	3
#define VECTOR_UD	6
#define VECTOR_DF	8
#define VECTOR_GP	13
#define VECTOR_PF	14
#define VECTOR_VE	20

#define FIELD_POSTED_VECTOR	0x0002ULL
#define FIELD_POSTED_DESC	0x2016ULL
#define FIELD_PIN_CONTROLS	0x4000ULL
#define FIELD_STATE_DETAILS	0x9120000300000100ULL
#define FIELD_NOTIFY_ENABLES	0x9110000300000010ULL
#define PIN_POSTED		BIT(7)
#define NOTIFICATION		0xf2

/* ---- cases ---- */

static void guest_runs_and_answers(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rdi = 41;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0x1234, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 42, e->regs.rdi);
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

static void private_memory_works(struct kunit *test)
{
	struct entry *e = swe_build(test);
	u64 *data = swt_va(e->data);

	data[1] = 0x1122334455667788;
	e->regs.rsi = 0xabcdef;
	e->regs.rdi = GUEST_DATA;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, 0xabcdef, data[0]);
	KUNIT_EXPECT_EQ(test, 0x1122334455667788, e->regs.rsi);
}

static void missing_private_page_exits(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rdi = GUEST_FREE + 8;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	KUNIT_EXPECT_EQ(test, GUEST_FREE, e->regs.r8);
	KUNIT_EXPECT_EQ(test, QUAL_WRITE, e->regs.rcx & QUAL_ACCESS);
	KUNIT_EXPECT_EQ(test, 0, e->regs.rdx);
	swt_aug(e->t, &e->td, GUEST_FREE);

	/* Augmented, not accepted: #VE, since nothing disables it. */
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);
}

static void accepted_page_is_zero(struct kunit *test)
{
	struct entry *e = swe_build(test);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swe_tdcall(e, TDG_MEM_PAGE_ACCEPT, GUEST_PENDING));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	e->regs.rdi = GUEST_PENDING;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, 0, e->regs.rsi);
}

static void shared_memory_and_mmio(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rsi = 0x77;
	e->regs.rdi = LINEAR_SHARED;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_NE(test, 0x77, e->regs.rsi);

	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);
	/* Not consumed: the next one is a #DF. */
	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_DF, e->regs.r15);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swe_tdcall(e, TDG_VP_VEINFO_GET, 0));
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, e->regs.rdi);
}

/* After an exit like a trap the host tells the guest in RAX that it may try again. */
static void host_can_hint_that_trying_again_helps(struct kunit *test)
{
	struct entry *e = swe_build(test);
	struct tdx_sw_test_guest guest;

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, status));
	KUNIT_EXPECT_EQ(test, 0ULL, e->regs.rsi);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_guest_get(e->td.vcpu, &guest));
	guest.trap_like_exit = true;
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_guest_set(e->td.vcpu, &guest));
	e->flags = ENTER_RECOVERABLE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, status));
	KUNIT_EXPECT_EQ(test, HOST_RECOVERABILITY_HINT, e->regs.rsi);

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, status));
	KUNIT_EXPECT_EQ(test, 0ULL, e->regs.rsi);
}

static void undefined_opcode_is_the_guests(struct kunit *test)
{
	struct entry *e = swe_build(test);

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, undefined));
	KUNIT_EXPECT_EQ(test, VECTOR_UD, e->regs.r15);
}

static void triple_fault_disables_the_vcpu(struct kunit *test)
{
	struct entry *e = swe_build(test);

	KUNIT_EXPECT_EQ(test, ST_NON_RECOVERABLE_VCPU | EXIT_TRIPLE_FAULT,
			ORDER(e, triple_fault));
	KUNIT_EXPECT_EQ(test, ST_VCPU_STATE_INCORRECT, swe_enter(e));
}

static void exit_leaves_what_the_interface_says(struct kunit *test)
{
	static const u64 value[NR_LOST_MSRS] = { [2] = 0x20200 };
	struct entry *e = swe_build(test);
	unsigned int i;

	e->regs.rdi = 0x123456789000;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, own_registers));
	for (i = 0; i < NR_LOST_MSRS; i++)
		KUNIT_EXPECT_EQ_MSG(test, value[i], e->after.msr[i], "MSR %x", swe_lost_msr[i]);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, e->after.dr[i]);
	KUNIT_EXPECT_EQ(test, 0xffff0ff0, e->after.dr6);
	KUNIT_EXPECT_EQ(test, DR7_DISABLED, e->after.dr7);
	KUNIT_EXPECT_EQ(test, 0, e->after.cr2);
	KUNIT_EXPECT_EQ(test, 3, e->after.xcr0);
	KUNIT_EXPECT_EQ(test, 0, e->after.xss);

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, look_at_own_registers));
	KUNIT_EXPECT_EQ(test, 0x123456789000, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 0x123456789000, e->regs.rbx);
	KUNIT_EXPECT_EQ(test, 0x12345678, e->regs.r8);
}

#define DEBUGCTL_SURVIVES	(BIT(1) | BIT(12) | BIT(14))
/* Bits that do no harm while the kernel runs, with interrupts off. */
#define DEBUGCTL_TRIED		(BIT(0) | BIT(11) | DEBUGCTL_SURVIVES)

static void exit_keeps_three_bits_of_debugctl(struct kunit *test)
{
	struct entry *e = swe_build(test);
	unsigned long tried = DEBUGCTL_TRIED;
	unsigned int bit;

	for_each_set_bit(bit, &tried, BITS_PER_LONG) {
		e->host_debugctl = BIT_ULL(bit);
		KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
		if (!(e->before.debugctl & BIT_ULL(bit)))
			kunit_info(test, "not on this CPU: bit %u\n", bit);
		KUNIT_EXPECT_EQ(test, e->before.debugctl & DEBUGCTL_SURVIVES, e->after.debugctl);
	}
}

/* The same where the CPU has none of the bits: with an exit that clears, or not. */
static void exit_keeps_three_bits_of_fake_debugctl(struct kunit *test)
{
	struct entry *e = swe_build(test);
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(e->t);
	unsigned int bit, clears;

	for (bit = 0; bit < 64; bit++) {
		for (clears = 0; clears <= 1; clears++) {
			msrs->debugctl = BIT_ULL(bit);
			msrs->read_clears_debugctl = clears;
			KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
			KUNIT_EXPECT_EQ_MSG(test, BIT_ULL(bit) & DEBUGCTL_SURVIVES,
					    msrs->debugctl, "bit %u", bit);
		}
	}
}

static void spec_ctrl_is_the_guests_own(struct kunit *test)
{
	struct entry *e = swe_build(test);
	u64 host, now, guest;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		kunit_skip(test, "needs IA32_SPEC_CTRL");

	rdmsrl(MSR_IA32_SPEC_CTRL, host);
	guest = ~host & SPEC_CTRL_IBRS;
	e->regs.rdi = guest;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, write_spec_ctrl));
	rdmsrl(MSR_IA32_SPEC_CTRL, now);
	KUNIT_EXPECT_EQ(test, host, now);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, read_spec_ctrl));
	KUNIT_EXPECT_EQ(test, guest, e->regs.rsi);
}

/* The guest has interrupts off: it is not entered while one waits for the host. */
static void exit_before_the_guest_ran_is_like_any_other(struct kunit *test)
{
	struct entry *e = swe_build(test);
	unsigned int i;

	e->interrupted = true;
	e->host_dr7 = DR7_DR0_ENABLED;
	e->host_debugctl = DEBUGCTL_TRIED;
	KUNIT_EXPECT_EQ(test, EXIT_OTHER_SMI, swe_enter_once(e));
	KUNIT_EXPECT_EQ(test, e->before.debugctl & DEBUGCTL_SURVIVES, e->after.debugctl);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, e->after.dr[i]);
	KUNIT_EXPECT_EQ(test, 0xffff0ff0, e->after.dr6);
	KUNIT_EXPECT_EQ(test, DR7_DISABLED, e->after.dr7);
	KUNIT_EXPECT_EQ(test, 0, e->after.cr2);
	KUNIT_EXPECT_EQ(test, 3, e->after.xcr0);
}

static void failed_entry_leaves_the_host_alone(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->host_debugctl = DEBUGCTL_TRIED;
	swt_lock(e->t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_TD_EPOCH, .object = e->td.tdr, .excl = true });
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_TD_EPOCH, swe_enter(e));
	swt_unlock_all(e->t);
	KUNIT_EXPECT_MEMEQ(test, &e->before, &e->after, sizeof(e->before));
}

static void vmcall_passes_xmm(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rdi = 0x1111222233334444;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, xmm));
	KUNIT_EXPECT_EQ(test, 0xffcc | BIT(19), e->regs.rcx);
	KUNIT_EXPECT_EQ(test, 0x1111222233334444, e->after.xmm3);
	KUNIT_EXPECT_EQ(test, 0, e->after.xmm4);

	e->host_xmm3 = 0x5555666677778888;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, 0x5555666677778888, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 1, e->regs.rbx);
}

/* Registers that are all 0 are in INIT state, of which XSAVES writes nothing. */
static void vmcall_passes_zeroed_xmm(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rdi = 0x1111222233334444;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, xmm));
	e->host_xmm3 = 0x5555666677778888;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, zero_xmm));
	KUNIT_EXPECT_EQ(test, 0xffcc | BIT(19), e->regs.rcx);
	KUNIT_EXPECT_EQ(test, 0, e->after.xmm3);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, 0x5555666677778888, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 0, e->regs.rbx);
}

static void blocked_page_exits_after_tracking(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rdi = GUEST_DATA;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, write));
	swt_block(e->t, &e->td, GUEST_DATA, 0);
	swt_track(e->t, &e->td);
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
	swt_ok(e->t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = GUEST_DATA, .rdx = e->td.tdr));
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

#define ZERO_STEP_FREE		6	/* that only count */

static void block(struct entry *e, u64 gpa)
{
	swt_block(e->t, &e->td, gpa, 0);
	swt_track(e->t, &e->td);
}

static void unblock(struct entry *e, u64 gpa)
{
	swt_ok(e->t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = gpa, .rdx = e->td.tdr));
}

static void block_data(struct entry *e)
{
	block(e, GUEST_DATA);
}

static void unblock_data(struct entry *e)
{
	unblock(e, GUEST_DATA);
}

/* After a first time, until the address is recorded. */
static void fault_again(struct entry *e)
{
	unsigned int i;

	for (i = 0; i < ZERO_STEP_FREE; i++) {
		KUNIT_EXPECT_EQ(e->t->test, EXIT_EPT_VIOLATION, swe_enter(e));
		KUNIT_EXPECT_EQ(e->t->test, 0, e->after.msr[0]);
	}
}

static void write_repeatedly(struct entry *e)
{
	block_data(e);
	e->regs.rdi = GUEST_DATA + 8;
	KUNIT_EXPECT_EQ(e->t->test, EXIT_EPT_VIOLATION, ORDER(e, write));
	fault_again(e);
}

static void repeated_fault_is_emulated(struct kunit *test)
{
	struct entry *e = swe_build(test);

	write_repeatedly(e);
	e->host_debugctl = DEBUGCTL_TRIED;
	/* From here on the guest does not run. */
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, swe_enter(e));
	KUNIT_EXPECT_EQ(test, QUAL_WRITE, e->regs.rcx);
	KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
	KUNIT_EXPECT_EQ(test, 0, e->regs.rdx);
	KUNIT_EXPECT_EQ(test, 0, e->regs.r9);
	KUNIT_EXPECT_EQ(test, e->before.msr[0], e->after.msr[0]);
	KUNIT_EXPECT_EQ(test, e->before.debugctl, e->after.debugctl);
	KUNIT_EXPECT_EQ(test, HOST_DR0, e->after.dr[0]);
	KUNIT_EXPECT_EQ(test, 3, e->after.xcr0);

	swt_lock(e->t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_SEPT_TREE, .object = e->td.tdr });
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_SEPT_TREE, swe_enter(e));
	swt_unlock_all(e->t);

	unblock_data(e);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

static void ask_for_notification(struct entry *e)
{
	e->regs.rdx = FIELD_NOTIFY_ENABLES;
	e->regs.r8 = 1;
	e->regs.r9 = 1;
	KUNIT_EXPECT_EQ(e->t->test, ST_SUCCESS, swe_tdcall(e, TDG_VM_WR, 0));
}

/* Of the last #VE: the address, after a look at the rest. */
static u64 ve_address(struct entry *e)
{
	KUNIT_EXPECT_EQ(e->t->test, ST_SUCCESS, swe_tdcall(e, TDG_VP_VEINFO_GET, 0));
	KUNIT_EXPECT_EQ(e->t->test, EXIT_EPT_VIOLATION, e->regs.rdi);
	KUNIT_EXPECT_EQ(e->t->test, QUAL_WRITE, e->regs.rdx & QUAL_ACCESS);
	KUNIT_EXPECT_EQ(e->t->test, e->regs.r9 & ~swe_shared_bit(), e->regs.r8 & (SZ_1G - 1));
	return e->regs.r9;
}

/* It runs with the page in place, and has written to it unless told first. */
static void expect_resolved(struct entry *e, unsigned int vector)
{
	KUNIT_EXPECT_EQ(e->t->test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(e->t->test, vector, e->regs.r15);
	KUNIT_EXPECT_EQ(e->t->test, !vector, *(u8 *)(swt_va(e->data) + 8) == 1);
}

static void guest_hears_of_repeated_faults(struct kunit *test)
{
	struct entry *e = swe_build(test);

	ask_for_notification(e);
	write_repeatedly(e);
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, swe_enter(e));
	unblock_data(e);
	expect_resolved(e, VECTOR_VE);
	KUNIT_EXPECT_EQ(test, GUEST_DATA + 8, ve_address(e));
	e->regs.rdi = GUEST_DATA + 8;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, write));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

static void guest_hears_of_recorded_faults_only(struct kunit *test)
{
	struct entry *e = swe_build(test);

	ask_for_notification(e);
	block_data(e);
	e->regs.rdi = GUEST_DATA + 8;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	unblock_data(e);
	expect_resolved(e, 0);
}

static void guest_hears_of_repeated_faults_on_request(struct kunit *test)
{
	struct entry *e = swe_build(test);

	write_repeatedly(e);
	unblock_data(e);
	expect_resolved(e, 0);
}

/* It would be a #DF. */
static void guest_hears_nothing_while_ve_info_is_unread(struct kunit *test)
{
	struct entry *e = swe_build(test);

	ask_for_notification(e);
	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);
	write_repeatedly(e);
	unblock_data(e);
	expect_resolved(e, 0);
	KUNIT_EXPECT_EQ(test, swe_shared_bit() + PAGE_SIZE, ve_address(e));
}

/* What is in delivery is an exception, for which there is no stack. */
static void guest_hears_nothing_during_delivery(struct kunit *test)
{
	struct entry *e = swe_build(test);

	ask_for_notification(e);
	block_data(e);
	e->regs.rdi = GUEST_DATA + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, undefined_with_stack));
	fault_again(e);
	unblock_data(e);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, VECTOR_UD, e->regs.r15);
}

/*
 * An NMI ends an order, and its handler is not left by itself.  It has to be: Bochs
 * lets the vCPU that is entered next inherit that NMIs are blocked.
 */
static void leave_nmi(struct entry *e, unsigned int vector)
{
	KUNIT_EXPECT_EQ(e->t->test, EXIT_TDCALL, ORDER(e, iret));
	KUNIT_EXPECT_EQ(e->t->test, vector, e->regs.r15);
}

static void guest_hears_nothing_in_an_nmi(struct kunit *test)
{
	struct entry *e = swe_build(test);

	ask_for_notification(e);
	swe_vp_wr(e, FIELD_PEND_NMI, 1, 1);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, VECTOR_NMI, e->regs.r15);
	write_repeatedly(e);
	unblock_data(e);
	expect_resolved(e, 0);
	leave_nmi(e, 0);
}

/* On request; as far as the host can tell the page is still missing. */
static void forced_zero_step_keeps_the_guest_out(struct kunit *test)
{
	struct entry *e = swe_build(test);
	unsigned int i;

	block_data(e);
	e->regs.rdi = GUEST_DATA + 8;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	unblock_data(e);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_zero_step(1, 2));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, swe_enter_once(e));
		KUNIT_EXPECT_EQ(test, QUAL_WRITE, e->regs.rcx);
		KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
		KUNIT_EXPECT_EQ(test, e->before.msr[0], e->after.msr[0]);
		KUNIT_EXPECT_NE(test, 1, *(u8 *)(swt_va(e->data) + 8));
	}
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 1, *(u8 *)(swt_va(e->data) + 8));
}

static void post(struct entry *e, u8 vector)
{
	u64 *desc = swt_va(e->posted);

	memset(desc, 0, PAGE_SIZE);
	swe_vp_wr(e, FIELD_POSTED_VECTOR, NOTIFICATION, 0xffff);
	swe_vp_wr(e, FIELD_POSTED_DESC, e->posted, ~0ULL);
	swe_vp_wr(e, FIELD_PIN_CONTROLS, PIN_POSTED, PIN_POSTED);
	desc[vector / 64] = BIT_ULL(vector % 64);
	desc[4] = 1;			/* ON */
}

static void posted_interrupt_arrives(struct kunit *test)
{
	struct entry *e = swe_build(test);

	post(e, 31);
	KUNIT_EXPECT_EQ(test, 0, swe_vp_rd(e, FIELD_STATE_DETAILS));
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, ((u64 *)swt_va(e->posted))[4]);
	/* Taken over, not delivered: the guest has interrupts off. */
	KUNIT_EXPECT_EQ(test, 1, swe_vp_rd(e, FIELD_STATE_DETAILS));

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, interrupts_on));
	KUNIT_EXPECT_EQ(test, 31, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, swe_vp_rd(e, FIELD_STATE_DETAILS));
}

static void nmi_waits_for_ve_info(struct kunit *test)
{
	struct entry *e = swe_build(test);

	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);

	swe_vp_wr(e, FIELD_PEND_NMI, 1, 1);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 1, swe_vp_rd(e, FIELD_PEND_NMI));

	swe_tdcall(e, TDG_VP_VEINFO_GET, 0);
	KUNIT_EXPECT_EQ(test, VECTOR_NMI, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, swe_vp_rd(e, FIELD_PEND_NMI));
	leave_nmi(e, 0);
}

/* ---- exits on the way to a handler ---- */

/* What an event pushes; some have no error code. */
struct frame {
	u64 error;
	u64 rip;
	u64 cs;
	u64 flags;
	u64 rsp;
	u64 ss;
};

/* Of an event that came while RSP was @used bytes below the end of the page. */
static struct frame *frame_in(u64 page, unsigned int used)
{
	return swt_va(page) + PAGE_SIZE - ALIGN(used, 16) - sizeof(struct frame);
}

/* An order has been called; nothing else is on the stack. */
#define ORDER_STACK	8

struct event {
	const char *name;
	const u8 *code;
	const u8 *end;
	u8 vector;
	u8 error;
	u8 len;				/* of the order, until where the event returns to */
};

#define EVENT(order, _vector, _error, _len)				\
	{ #order, swt_order_##order, swt_order_##order##_end, _vector, _error, _len }

static const struct event events[] = {
	EVENT(divide_by_zero, VECTOR_DE, 0, 4),
	EVENT(debug_trap, VECTOR_DB, 0, 1),
	EVENT(breakpoint, VECTOR_BP, 0, 1),
	EVENT(undefined, VECTOR_UD, 0, 0),
	EVENT(bad_selector, VECTOR_GP, 0x50, 5),
	EVENT(page_fault, VECTOR_PF, 0, 3),
	EVENT(software_interrupt, 30, 0, 2),
};

/* The exit that @gpa is missing, and another entry with it. */
static void expect_cut_short(struct entry *e, u64 status, u64 gpa)
{
	KUNIT_EXPECT_EQ(e->t->test, EXIT_EPT_VIOLATION, status);
	KUNIT_EXPECT_EQ(e->t->test, gpa, e->regs.r8);
	unblock(e, gpa);
	KUNIT_EXPECT_EQ(e->t->test, EXIT_TDCALL, swe_enter(e));
}

static void event_without_idt_comes_later(struct kunit *test)
{
	struct entry *e = swe_build(test);
	const struct event *event;

	for (event = events; event < events + ARRAY_SIZE(events); event++) {
		struct frame *frame = frame_in(e->stack, ORDER_STACK);

		block(e, GUEST_IDT);
		e->regs.rdi = LINEAR_NOTHING;
		expect_cut_short(e, swe_order(e, event->code, event->end), GUEST_IDT);
		KUNIT_EXPECT_EQ_MSG(test, event->vector, e->regs.r15, "%s", event->name);
		KUNIT_EXPECT_EQ_MSG(test, event->error, e->regs.r14, "%s", event->name);
		KUNIT_EXPECT_EQ_MSG(test, GUEST_ORDERS + event->len, frame->rip, "%s",
				    event->name);
	}
}

static void page_fault_without_stack_comes_later(struct kunit *test)
{
	struct entry *e = swe_build(test);
	struct frame *frame = frame_in(e->data, 0);

	block_data(e);
	e->regs.rdi = LINEAR_NOTHING;
	e->regs.rbx = GUEST_DATA + PAGE_SIZE;
	expect_cut_short(e, ORDER(e, page_fault_with_stack), GUEST_DATA);
	KUNIT_EXPECT_EQ(test, VECTOR_PF, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, e->regs.r14);
	KUNIT_EXPECT_EQ(test, GUEST_ORDERS + 3, frame->rip);
	KUNIT_EXPECT_EQ(test, GUEST_DATA + PAGE_SIZE, frame->rsp);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, look_at_own_registers));
	KUNIT_EXPECT_EQ(test, LINEAR_NOTHING, e->regs.rbx);
}

static void nmi_without_idt_comes_later(struct kunit *test)
{
	struct entry *e = swe_build(test);

	block(e, GUEST_IDT);
	swe_vp_wr(e, FIELD_PEND_NMI, 1, 1);
	expect_cut_short(e, ORDER(e, count), GUEST_IDT);
	KUNIT_EXPECT_EQ(test, VECTOR_NMI, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, swe_vp_rd(e, FIELD_PEND_NMI));

	/* In its handler, which another one has to wait for. */
	swe_vp_wr(e, FIELD_PEND_NMI, 1, 1);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	leave_nmi(e, VECTOR_NMI);
	leave_nmi(e, 0);
}

static void interrupt_without_idt_comes_later(struct kunit *test)
{
	struct entry *e = swe_build(test);

	post(e, 31);
	block(e, GUEST_IDT);
	expect_cut_short(e, ORDER(e, interrupts_on), GUEST_IDT);
	KUNIT_EXPECT_EQ(test, 31, e->regs.r15);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, interrupts_on));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

/*
 * The event is delivered, and the exit finds the handler's RIP and RSP.  With two
 * processors and without its debugger, Bochs 3.0 finds the RIP of what faulted.
 */
static void exit_before_the_first_instruction_of_a_handler(struct kunit *test)
{
	struct entry *e = swe_build(test);
	u64 rsp;

	memcpy(swt_va(e->data), swt_order_handler, swt_order_handler_end - swt_order_handler);
	e->regs.rsi = swe_set_handler(e, VECTOR_PF, GUEST_DATA);
	e->regs.rdi = LINEAR_NOTHING;
	block_data(e);
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, page_fault));
	KUNIT_EXPECT_EQ(test, QUAL_EXEC, e->regs.rcx & QUAL_ACCESS);
	KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
	unblock_data(e);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_EXPECT_EQ(test, VECTOR_PF, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, e->regs.r14);
	/* One frame: the fault has not happened again. */
	rsp = ALIGN_DOWN(e->regs.rdx, 16) - sizeof(struct frame);
	KUNIT_EXPECT_EQ(test, rsp, e->regs.rbx);
}

/* ---- the TSC ---- */

#define TSC_UNIT_KHZ		25000
#define TSC_FREQUENCY_MIN	4
#define TSC_FREQUENCY_MAX	400
#define TSC_ROUNDING		2

/* Twice the host's, or half of it. */
static u16 other_frequency(struct kunit *test)
{
	u16 frequency = 2 * tsc_khz / TSC_UNIT_KHZ;

	if (frequency < TSC_FREQUENCY_MIN)
		kunit_skip(test, "needs the frequency of the TSC");
	return frequency <= TSC_FREQUENCY_MAX ? frequency : tsc_khz / 2 / TSC_UNIT_KHZ;
}

/* It starts somewhere in MNG.INIT, and is read somewhere in VP.ENTER. */
static void expect_tsc(struct entry *e, u16 frequency)
{
	u64 khz = (u64)frequency * TSC_UNIT_KHZ, before, after, min, max;

	before = rdtsc_ordered();
	KUNIT_EXPECT_EQ(e->t->test, EXIT_TDCALL, ORDER(e, tsc));
	after = rdtsc_ordered();
	min = mul_u64_u64_div_u64(before - e->tsc_after, khz, tsc_khz);
	max = mul_u64_u64_div_u64(after - e->tsc_before, khz, tsc_khz);
	KUNIT_EXPECT_GE(e->t->test, e->regs.rsi + TSC_ROUNDING, min);
	KUNIT_EXPECT_LE(e->t->test, e->regs.rsi, max + TSC_ROUNDING);
	/* Tight enough to tell the frequency from the host's */
	KUNIT_EXPECT_LT(e->t->test, 2 * (max - min), min);
}

static void tsc_starts_with_the_td(struct kunit *test)
{
	u16 frequency = other_frequency(test);
	struct entry *e = swe_build_tsc(test, frequency);

	mdelay(50);
	expect_tsc(e, frequency);
	mdelay(50);
	expect_tsc(e, frequency);
}

static struct kunit_case entry_cases[] = {
	KUNIT_CASE(guest_runs_and_answers),
	KUNIT_CASE(private_memory_works),
	KUNIT_CASE(missing_private_page_exits),
	KUNIT_CASE(accepted_page_is_zero),
	KUNIT_CASE(shared_memory_and_mmio),
	KUNIT_CASE(host_can_hint_that_trying_again_helps),
	KUNIT_CASE(undefined_opcode_is_the_guests),
	KUNIT_CASE(triple_fault_disables_the_vcpu),
	KUNIT_CASE(exit_leaves_what_the_interface_says),
	KUNIT_CASE(exit_keeps_three_bits_of_debugctl),
	KUNIT_CASE(exit_keeps_three_bits_of_fake_debugctl),
	KUNIT_CASE(spec_ctrl_is_the_guests_own),
	KUNIT_CASE(exit_before_the_guest_ran_is_like_any_other),
	KUNIT_CASE(failed_entry_leaves_the_host_alone),
	KUNIT_CASE(vmcall_passes_xmm),
	KUNIT_CASE(vmcall_passes_zeroed_xmm),
	KUNIT_CASE(blocked_page_exits_after_tracking),
	KUNIT_CASE(repeated_fault_is_emulated),
	KUNIT_CASE(guest_hears_of_repeated_faults),
	KUNIT_CASE(guest_hears_of_recorded_faults_only),
	KUNIT_CASE(guest_hears_of_repeated_faults_on_request),
	KUNIT_CASE(guest_hears_nothing_while_ve_info_is_unread),
	KUNIT_CASE(guest_hears_nothing_during_delivery),
	KUNIT_CASE(guest_hears_nothing_in_an_nmi),
	KUNIT_CASE(forced_zero_step_keeps_the_guest_out),
	KUNIT_CASE(posted_interrupt_arrives),
	KUNIT_CASE(nmi_waits_for_ve_info),
	KUNIT_CASE(event_without_idt_comes_later),
	KUNIT_CASE(page_fault_without_stack_comes_later),
	KUNIT_CASE(nmi_without_idt_comes_later),
	KUNIT_CASE(interrupt_without_idt_comes_later),
	KUNIT_CASE(exit_before_the_first_instruction_of_a_handler),
	KUNIT_CASE(tsc_starts_with_the_td),
	{}
};

static struct kunit_suite entry_suite = {
	.name = "tdx_sw_entry",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = entry_cases,
};

kunit_test_suite(entry_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: a guest that runs");
MODULE_LICENSE("GPL");
