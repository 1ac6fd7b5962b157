// SPDX-License-Identifier: GPL-2.0
/*
 * Exits from a TD: each kind of result of TDH.VP.ENTER.  EPT violations have a
 * suite of their own.
 */
#include <kunit/test.h>

#include "tdx_run_fixture.h"

#define NMI_INFO	(INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | NMI_VECTOR)
#define MC_INFO		(INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | MC_VECTOR)
#define DB_INFO		(INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | DB_VECTOR)

#define FAILED		BIT_ULL(31)
#define BUS_LOCK	BIT_ULL(26)

struct exit_case {
	const char *name;
	u64 status;
	u64 rcx;
	u64 r9;
	/* What KVM_RUN does, and kvm_run says. */
	int r;
	u32 exit_reason;
	/* The reason as recorded; 0 stands for that of the status. */
	u32 recorded;
	bool bugged;
};

#define RESUMES(_name, _status, ...)						\
	{ .name = _name, .status = _status, .r = 1, __VA_ARGS__ }
#define EXITS(_name, _status, _reason, ...)					\
	{ .name = _name, .status = _status, .exit_reason = _reason, __VA_ARGS__ }
#define NONE	.recorded = TDX_NO_EXIT_REASON

static const struct exit_case exits[] = {
	RESUMES("nmi", EXIT_REASON_EXCEPTION_NMI, .r9 = NMI_INFO),
	RESUMES("machine check", EXIT_REASON_EXCEPTION_NMI, .r9 = MC_INFO),
	EXITS("other exception", EXIT_REASON_EXCEPTION_NMI, KVM_EXIT_EXCEPTION, .r9 = DB_INFO),
	RESUMES("interrupt", EXIT_REASON_EXTERNAL_INTERRUPT,
		.r9 = INTR_INFO_VALID_MASK | 0x33),
	RESUMES("other smi", EXIT_REASON_OTHER_SMI),
	RESUMES("notify", EXIT_REASON_NOTIFY),
	EXITS("notify, context invalid", EXIT_REASON_NOTIFY, KVM_EXIT_NOTIFY,
	      .rcx = NOTIFY_VM_CONTEXT_INVALID),
	EXITS("bus lock", EXIT_REASON_BUS_LOCK, KVM_EXIT_X86_BUS_LOCK,
	      .recorded = EXIT_REASON_BUS_LOCK | BUS_LOCK),
	EXITS("bus lock along with an interrupt", EXIT_REASON_EXTERNAL_INTERRUPT | BUS_LOCK,
	      KVM_EXIT_X86_BUS_LOCK, .r9 = INTR_INFO_VALID_MASK | 0x33),
	EXITS("triple fault", EXIT_REASON_TRIPLE_FAULT, KVM_EXIT_SHUTDOWN),
	EXITS("triple fault, not recoverable",
	      TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT, KVM_EXIT_SHUTDOWN),
	EXITS("init", EXIT_REASON_INIT_SIGNAL, KVM_EXIT_INTERNAL_ERROR),
	EXITS("task switch", EXIT_REASON_TASK_SWITCH, KVM_EXIT_INTERNAL_ERROR),
	EXITS("misconfiguration", EXIT_REASON_EPT_MISCONFIG, KVM_EXIT_INTERNAL_ERROR),
	EXITS("reason that doesn't exist", 0x1ff, KVM_EXIT_INTERNAL_ERROR),
	EXITS("failed entry", EXIT_REASON_INVALID_STATE | FAILED, KVM_EXIT_FAIL_ENTRY),
	EXITS("failed entry, TD lost",
	      TDX_NON_RECOVERABLE_TD | EXIT_REASON_MSR_LOAD_FAIL | FAILED, KVM_EXIT_FAIL_ENTRY),
	EXITS("TD lost", TDX_NON_RECOVERABLE_TD | EXIT_REASON_NOTIFY, KVM_EXIT_INTERNAL_ERROR),
	EXITS("TD lost by an EPT violation",
	      TDX_NON_RECOVERABLE_TD | EXIT_REASON_EPT_VIOLATION, KVM_EXIT_INTERNAL_ERROR),
	EXITS("TD lost by a TDVMCALL",
	      TDX_NON_RECOVERABLE_TD | EXIT_REASON_TDCALL, KVM_EXIT_INTERNAL_ERROR),
	EXITS("memory not accessible",
	      TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE | EXIT_REASON_EXCEPTION_NMI,
	      KVM_EXIT_INTERNAL_ERROR, .r9 = MC_INFO),
	EXITS("wrong APIC mode", TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE,
	      KVM_EXIT_INTERNAL_ERROR),
	RESUMES("tree busy", TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE, NONE),
	RESUMES("epoch busy", TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH, NONE),
	RESUMES("TDVPR busy", TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, NONE),
	RESUMES("TDR busy", TDX_OPERAND_BUSY | TDX_OPERAND_ID_TDR, NONE),
	RESUMES("op-state busy", TDX_OPERAND_BUSY | TDX_OPERAND_ID_OP_STATE, NONE),
	RESUMES("host priority timeout", TDX_HOST_PRIORITY_BUSY_TIMEOUT, NONE),
	RESUMES("no entropy", TDX_RND_NO_ENTROPY, NONE),
	EXITS("TD is fatal", TDX_TD_FATAL, KVM_EXIT_INTERNAL_ERROR, NONE),
	EXITS("vCPU disabled", TDX_VCPU_STATE_INCORRECT, KVM_EXIT_INTERNAL_ERROR, NONE),
	EXITS("vCPU elsewhere", TDX_VCPU_ASSOCIATED, KVM_EXIT_INTERNAL_ERROR, NONE),
	EXITS("MSR changed", TDX_INCONSISTENT_MSR | 0x3b, KVM_EXIT_INTERNAL_ERROR, NONE),
	EXITS("operand invalid", TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX,
	      KVM_EXIT_INTERNAL_ERROR, NONE),
	EXITS("all ones for details", TDX_OPERAND_INVALID | U32_MAX,
	      KVM_EXIT_INTERNAL_ERROR, NONE),
};

KUNIT_ARRAY_PARAM_DESC(exit, exits, name);

static void expect_exit(struct kunit *test, const struct exit_case *p)
{
	struct kvm_run *run = tdx_run_test(test)->run;

	KUNIT_EXPECT_EQ(test, run->exit_reason, p->exit_reason);

	switch (p->exit_reason) {
	case KVM_EXIT_EXCEPTION:
		KUNIT_EXPECT_EQ(test, run->ex.exception, p->r9 & INTR_INFO_VECTOR_MASK);
		KUNIT_EXPECT_EQ(test, run->ex.error_code, 0);
		break;
	case KVM_EXIT_NOTIFY:
		KUNIT_EXPECT_EQ(test, run->notify.flags, KVM_NOTIFY_CONTEXT_INVALID);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		KUNIT_EXPECT_EQ(test, run->fail_entry.hardware_entry_failure_reason,
				lower_32_bits(p->status));
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		KUNIT_EXPECT_EQ(test, run->internal.suberror,
				KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
		KUNIT_EXPECT_EQ(test, run->internal.ndata, 2);
		KUNIT_EXPECT_EQ(test, run->internal.data[0], p->status);
		break;
	}
}

static void exit_means_what_it_should(struct kunit *test)
{
	const struct exit_case *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = { .rcx = p->rcx, .r9 = p->r9 };

	/* What the exit before has left: none of it may show. */
	r->tdx->vt.exit_reason.full = EXIT_REASON_TDCALL | BUS_LOCK | FAILED;
	r->run->flags = 0;

	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, p->status, &regs), p->r);
	KUNIT_EXPECT_EQ(test, r->tdx->vt.exit_reason.full,
			p->recorded ?: lower_32_bits(p->status));
	expect_exit(test, p);
	tdx_test_expect_bugged(r->t, p->bugged);
	tdx_run_expect_idle(r);
}

/* VMX, and the TDs with it, goes at a reboot.  At any other time it must not. */
static void seamcall_that_faults_at_reboot_is_no_bug(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = {};

	kvm_rebooting = true;
	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, 0x8000ff0000000006ULL, &regs), 0);
	kvm_rebooting = false;
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	tdx_test_expect_bugged(r->t, false);
}

/* What is no TDVMCALL doesn't touch the answer to the one before. */
static void answer_outlives_other_exits(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args call = { .rcx = 0xffcc, .r11 = EXIT_REASON_INVD, .r15 = 15 };
	struct tdx_module_args other = { .r9 = INTR_INFO_VALID_MASK | 0x33 };

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &call), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, EXIT_REASON_EXTERNAL_INTERRUPT, &other), 1);
	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, TDX_OPERAND_BUSY, &other), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

/* The exit is one of its own, and the bus lock only a flag of it. */
static void bus_lock_does_not_hide_another_exit(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args call = {
		.rcx = 0xffcc, .r11 = TDVMCALL_GET_TD_VM_CALL_INFO, .r12 = 1,
	};

	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, EXIT_REASON_TDCALL | BUS_LOCK, &call), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_TDX);
	KUNIT_EXPECT_TRUE(test, r->run->flags & KVM_RUN_X86_BUS_LOCK);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
}

static void notify_goes_to_userspace_if_asked_for(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = {};

	r->vcpu->kvm->arch.notify_vmexit_flags = KVM_X86_NOTIFY_VMEXIT_ENABLED |
						 KVM_X86_NOTIFY_VMEXIT_USER;
	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, EXIT_REASON_NOTIFY, &regs), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_NOTIFY);
	KUNIT_EXPECT_EQ(test, r->run->notify.flags, 0);
	KUNIT_EXPECT_EQ(test, r->vcpu->stat.notify_window_exits, 1);
}

static void exits_are_counted_by_reason(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	atomic64_t *counts = to_kvm_tdx(r->vcpu->kvm)->exits;
	struct tdx_module_args regs = { .r9 = INTR_INFO_VALID_MASK | 0x33 };
	int i;

	for (i = 0; i < 4; i++)
		tdx_run_exit(r, EXIT_REASON_EXTERNAL_INTERRUPT, &regs);
	tdx_run_exit(r, 0x1ff, &regs);
	tdx_run_exit(r, TDX_OPERAND_BUSY, &regs);

	for (i = 0; i < TDX_NR_EXIT_REASONS; i++)
		KUNIT_EXPECT_EQ(test, atomic64_read(&counts[i]),
				i == EXIT_REASON_EXTERNAL_INTERRUPT ? 4 :
				i == TDX_NR_EXIT_REASONS - 1);
}

struct exit_info {
	u32 reason;
	u64 info1, info2;
	u32 intr_info, error_code;
};

static void expect_info(struct tdx_run_test *r, u64 status, struct exit_info want)
{
	struct exit_info info;

	r->tdx->regs = (struct tdx_module_args) {
		.rcx = 0xaaaaaaaa00000182ULL, .rdx = 2, .r9 = INTR_INFO_VALID_MASK | 0x33,
	};
	tdx_record_exit(r->tdx, status);
	memset(&info, 0x5a, sizeof(info));
	tdx_get_exit_info(r->vcpu, &info.reason, &info.info1, &info.info2,
			  &info.intr_info, &info.error_code);
	KUNIT_EXPECT_EQ(r->t->vm.test, info.reason, want.reason);
	KUNIT_EXPECT_EQ(r->t->vm.test, info.info1, want.info1);
	KUNIT_EXPECT_EQ(r->t->vm.test, info.info2, want.info2);
	KUNIT_EXPECT_EQ(r->t->vm.test, info.intr_info, want.intr_info);
	KUNIT_EXPECT_EQ(r->t->vm.test, info.error_code, want.error_code);
}

/* Qualifications; the leaf of a TDVMCALL; or the status of what was no exit. */
static void traces_are_told_what_is_known(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	r->tdx->vmcall.r11 = TDVMCALL_MAP_GPA;
	expect_info(r, EXIT_REASON_EPT_VIOLATION, (struct exit_info) {
		EXIT_REASON_EPT_VIOLATION, 0x182, 2, INTR_INFO_VALID_MASK | 0x33, 0,
	});
	expect_info(r, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TDR, (struct exit_info) {
		TDX_NO_EXIT_REASON, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TDR, 0, 0, 0,
	});
	expect_info(r, EXIT_REASON_EXTERNAL_INTERRUPT, (struct exit_info) {
		EXIT_REASON_EXTERNAL_INTERRUPT, 0x182, 2, INTR_INFO_VALID_MASK | 0x33, 0,
	});
	expect_info(r, EXIT_REASON_TDCALL, (struct exit_info) {
		EXIT_REASON_TDCALL, TDVMCALL_MAP_GPA, 0, 0, 0,
	});
}

/* Userspace may try again: what the module refuses is not KVM's failure. */
static void disabled_vcpu_is_left_alone(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = {};

	KUNIT_EXPECT_EQ(test, tdx_vcpu_pre_run(r->vcpu), 1);
	KUNIT_EXPECT_EQ(test, tdx_run_exit(r, TDX_NON_RECOVERABLE_VCPU |
					   EXIT_REASON_TRIPLE_FAULT, &regs), 0);
	r->run->exit_reason = 0;
	KUNIT_EXPECT_EQ(test, tdx_vcpu_pre_run(r->vcpu), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	KUNIT_EXPECT_EQ(test, r->run->internal.data[0],
			TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT);

	/* A pre-fault may find a new root for it, which it has no use for. */
	tdx_test_reset_counts(r->t);
	tdx_load_mmu_pgd(r->vcpu, __pa(page_address(r->t->source)), 4);
	tdx_test_expect_calls(r->t, TDH_VP_WR, 0);
	tdx_test_expect_bugged(r->t, false);
}

static struct kunit_case tdx_exit_cases[] = {
	KUNIT_CASE_PARAM(exit_means_what_it_should, exit_gen_params),
	KUNIT_CASE(seamcall_that_faults_at_reboot_is_no_bug),
	KUNIT_CASE(answer_outlives_other_exits),
	KUNIT_CASE(bus_lock_does_not_hide_another_exit),
	KUNIT_CASE(notify_goes_to_userspace_if_asked_for),
	KUNIT_CASE(exits_are_counted_by_reason),
	KUNIT_CASE(traces_are_told_what_is_known),
	KUNIT_CASE(disabled_vcpu_is_left_alone),
	{}
};

static struct kunit_suite tdx_exit_suite = {
	.name = "kvm_tdx_exit",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_exit_cases,
};

kunit_test_suite(tdx_exit_suite);
