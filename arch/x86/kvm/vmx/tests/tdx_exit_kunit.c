// SPDX-License-Identifier: GPL-2.0
/*
 * Exits from a TD: each kind of result of TDH.VP.ENTER, and faults that are
 * retried without entering the TD.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/sched/signal.h>

#include "mmu.h"
#include "mmu/mmu_internal.h"
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

/*
 * EPT violations.  The MMU is replaced by a list of answers.
 */

#define PAGE_FAULT_MAX	8

static struct {
	int answers[PAGE_FAULT_MAX];
	unsigned int nr;
	/* Called with each fault, to make something happen meanwhile. */
	void (*then)(struct kvm_vcpu *vcpu, unsigned int nr);
	struct kvm_page_fault last;
} mmu;

static int fake_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	unsigned int nr = mmu.nr++;

	memcpy(&mmu.last, fault, sizeof(mmu.last));
	if (mmu.then)
		mmu.then(vcpu, nr);

	return nr < PAGE_FAULT_MAX ? mmu.answers[nr] : -ELOOP;
}

static int violation(struct tdx_run_test *r, gpa_t gpa, u64 qualification, u64 type)
{
	struct tdx_module_args regs = { .rcx = qualification, .rdx = type, .r8 = gpa };
	typeof(r->vcpu->arch.mmu->page_fault) old = r->vcpu->arch.mmu->page_fault;
	hpa_t old_root = r->vcpu->arch.mmu->root.hpa;
	int ret;

	r->vcpu->arch.mmu->page_fault = fake_page_fault;
	ret = tdx_run_exit(r, EXIT_REASON_EPT_VIOLATION, &regs);
	r->vcpu->arch.mmu->page_fault = old;
	KUNIT_EXPECT_EQ(r->t->vm.test, r->vcpu->arch.mmu->root.hpa, old_root);
	return ret;
}

static void answer(int a0, int a1, int a2, int a3)
{
	memset(&mmu, 0, sizeof(mmu));
	mmu.answers[0] = a0;
	mmu.answers[1] = a1;
	mmu.answers[2] = a2;
	mmu.answers[3] = a3;
}

#define PRIVATE_GPA	0x12345000ULL

/* Whatever the guest did, and also if the module made the fault up. */
static void private_fault_is_a_write(struct kunit *test)
{
	static const u64 qualifications[] = {
		EPT_VIOLATION_ACC_READ, EPT_VIOLATION_ACC_WRITE, EPT_VIOLATION_ACC_INSTR,
	};
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(qualifications); i++) {
		answer(RET_PF_FIXED, 0, 0, 0);
		KUNIT_EXPECT_GT(test, violation(r, PRIVATE_GPA, qualifications[i], 0), 0);
		KUNIT_EXPECT_EQ(test, mmu.nr, 1);
		KUNIT_EXPECT_TRUE(test, mmu.last.is_private);
		KUNIT_EXPECT_TRUE(test, mmu.last.write);
		KUNIT_EXPECT_FALSE(test, mmu.last.exec);
		KUNIT_EXPECT_EQ(test, mmu.last.gfn, gpa_to_gfn(PRIVATE_GPA));
	}
}

static void private_fault_is_retried_until_done(struct kunit *test)
{
	static const int ends[] = { RET_PF_FIXED, RET_PF_SPURIOUS };
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, ends[i]);
		KUNIT_EXPECT_GT(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0), 0);
		KUNIT_EXPECT_EQ(test, mmu.nr, 4);
	}

	answer(RET_PF_RETRY, -EFAULT, 0, 0);
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, mmu.nr, 2);
}

static void post_interrupt(struct kvm_vcpu *vcpu, unsigned int nr)
{
	if (nr == 1)
		pi_set_on(&to_tdx(vcpu)->vt.pi_desc);
}

static void queue_nmi(struct kvm_vcpu *vcpu, unsigned int nr)
{
	if (nr == 1)
		kvm_make_request(KVM_REQ_NMI, vcpu);
}

static void free_obsolete_root(struct kvm_vcpu *vcpu, unsigned int nr)
{
	if (nr == 1)
		kvm_make_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu);
}

static void send_signal(struct kvm_vcpu *vcpu, unsigned int nr)
{
	if (nr == 1)
		set_thread_flag(TIF_SIGPENDING);
}

struct leave_case {
	const char *name;
	void (*then)(struct kvm_vcpu *vcpu, unsigned int nr);
};

static const struct leave_case leaves[] = {
	{ "interrupt", post_interrupt },
	{ "nmi", queue_nmi },
	{ "root to be replaced", free_obsolete_root },
	{ "signal", send_signal },
};

KUNIT_ARRAY_PARAM_DESC(leave, leaves, name);

static void retry_is_left_for_the_run_loop(struct kunit *test)
{
	const struct leave_case *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	u64 requests;
	int ret;

	answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY);
	mmu.then = p->then;
	ret = violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0);
	clear_thread_flag(TIF_SIGPENDING);

	KUNIT_EXPECT_GT(test, ret, 0);
	KUNIT_EXPECT_EQ(test, mmu.nr, 2);

	/* Who left because of a request must not have consumed it. */
	requests = READ_ONCE(r->vcpu->requests);
	KUNIT_EXPECT_EQ(test, !!requests,
			p->then == queue_nmi || p->then == free_obsolete_root);
	tdx_test_expect_bugged(r->t, false);
}

static struct {
	unsigned long cookie;
	bool done;
} deletion;

/* Wait for readers of the memslots, as the deletion of one does. */
static void delete_slot(struct kvm_vcpu *vcpu, unsigned int nr)
{
	struct srcu_struct *srcu = &vcpu->kvm->srcu;
	int i;

	switch (nr) {
	case 1:
		deletion.cookie = start_poll_synchronize_srcu(srcu);
		deletion.done = false;
		break;
	case 2:
		/* Time to begin to wait for this reader, which is a new one. */
		msleep(200);
		break;
	case 3:
		for (i = 0; i < 500 && !deletion.done; i++) {
			msleep(20);
			deletion.done = poll_state_synchronize_srcu(srcu, deletion.cookie);
		}
		break;
	}
}

/* Who retries must not keep the memslots from changing meanwhile. */
static void memslots_can_change_during_the_retry(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, RET_PF_FIXED);
	mmu.then = delete_slot;
	KUNIT_EXPECT_GT(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0), 0);
	KUNIT_EXPECT_EQ(test, mmu.nr, 4);
	KUNIT_EXPECT_TRUE(test, deletion.done);
}

static void kill_vm(struct kvm_vcpu *vcpu, unsigned int nr)
{
	if (nr == 1)
		kvm_make_request(KVM_REQ_VM_DEAD, vcpu);
}

static void dead_vm_ends_the_retry(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY);
	mmu.then = kill_vm;
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0), -EIO);
	KUNIT_EXPECT_EQ(test, mmu.nr, 2);
	KUNIT_EXPECT_TRUE(test, kvm_test_request(KVM_REQ_VM_DEAD, r->vcpu));
}

static void access_before_accept_kills_the_vm(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	answer(RET_PF_FIXED, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_WRITE,
					TDX_EXT_QUALIFICATION_PENDING), -EIO);
	KUNIT_EXPECT_EQ(test, mmu.nr, 0);
	KUNIT_EXPECT_TRUE(test, r->vcpu->kvm->vm_dead);
	KUNIT_EXPECT_FALSE(test, r->vcpu->kvm->vm_bugged);
}

/* The other types of a private fault, and an entry that does allow something. */
static void other_private_faults_are_resolved(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	u64 type;

	for (type = 0; type < 16; type++) {
		if (type == TDX_EXT_QUALIFICATION_PENDING)
			continue;
		answer(RET_PF_FIXED, 0, 0, 0);
		KUNIT_EXPECT_GT(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_WRITE, type), 0);
		KUNIT_EXPECT_EQ(test, mmu.nr, 1);
	}

	answer(RET_PF_FIXED, 0, 0, 0);
	KUNIT_EXPECT_GT(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_WRITE | BIT(3),
					TDX_EXT_QUALIFICATION_PENDING), 0);
	KUNIT_EXPECT_FALSE(test, r->vcpu->kvm->vm_dead);
}

static void shared_fault_is_an_ordinary_one(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, PRIVATE_GPA);

	answer(RET_PF_FIXED, 0, 0, 0);
	KUNIT_EXPECT_GT(test, violation(r, gpa, EPT_VIOLATION_ACC_READ, 0), 0);
	KUNIT_EXPECT_FALSE(test, mmu.last.is_private);
	KUNIT_EXPECT_FALSE(test, mmu.last.write);
	KUNIT_EXPECT_EQ(test, mmu.last.gfn, gpa_to_gfn(PRIVATE_GPA));

	answer(RET_PF_FIXED, 0, 0, 0);
	KUNIT_EXPECT_GT(test, violation(r, gpa, EPT_VIOLATION_ACC_WRITE, 0), 0);
	KUNIT_EXPECT_TRUE(test, mmu.last.write);

	/* The guest itself is what repeats it. */
	answer(RET_PF_RETRY, RET_PF_RETRY, 0, 0);
	KUNIT_EXPECT_GT(test, violation(r, gpa, EPT_VIOLATION_ACC_WRITE, 0), 0);
	KUNIT_EXPECT_EQ(test, mmu.nr, 1);
}

static void code_in_shared_memory_bugs_the_vm(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	answer(RET_PF_FIXED, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, violation(r, tdx_run_shared(r, PRIVATE_GPA),
					EPT_VIOLATION_ACC_INSTR, 0), -EIO);
	KUNIT_EXPECT_EQ(test, mmu.nr, 0);
	tdx_test_expect_bugged(r->t, true);
}

static struct kunit_case tdx_exit_cases[] = {
	KUNIT_CASE_PARAM(exit_means_what_it_should, exit_gen_params),
	KUNIT_CASE(seamcall_that_faults_at_reboot_is_no_bug),
	KUNIT_CASE(answer_outlives_other_exits),
	KUNIT_CASE(bus_lock_does_not_hide_another_exit),
	KUNIT_CASE(notify_goes_to_userspace_if_asked_for),
	KUNIT_CASE(exits_are_counted_by_reason),
	KUNIT_CASE(private_fault_is_a_write),
	KUNIT_CASE(private_fault_is_retried_until_done),
	KUNIT_CASE_PARAM(retry_is_left_for_the_run_loop, leave_gen_params),
	KUNIT_CASE(memslots_can_change_during_the_retry),
	KUNIT_CASE(dead_vm_ends_the_retry),
	KUNIT_CASE(access_before_accept_kills_the_vm),
	KUNIT_CASE(other_private_faults_are_resolved),
	KUNIT_CASE(shared_fault_is_an_ordinary_one),
	KUNIT_CASE(code_in_shared_memory_bugs_the_vm),
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
