// SPDX-License-Identifier: GPL-2.0
/*
 * EPT violations of a TD: what is retried without entering the TD, and what ends
 * it.  The MMU is replaced by a list of answers.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "tdx_run_fixture.h"

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

static fastpath_t enter(struct tdx_run_test *r)
{
	fastpath_t fastpath;

	vcpu_load(r->vcpu);
	local_irq_disable();
	fastpath = tdx_vcpu_run(r->vcpu, 0);
	local_irq_enable();
	vcpu_put(r->vcpu);
	return fastpath;
}

/* The next entry, which doesn't get as far. */
static int refault(struct tdx_run_test *r)
{
	typeof(r->vcpu->arch.mmu->page_fault) old = r->vcpu->arch.mmu->page_fault;
	fastpath_t fastpath = enter(r);
	int ret;

	KUNIT_EXPECT_EQ(r->t->vm.test, fastpath, EXIT_FASTPATH_EXIT_HANDLED);

	r->vcpu->arch.mmu->page_fault = fake_page_fault;
	kvm_vcpu_srcu_read_lock(r->vcpu);
	ret = tdx_handle_exit(r->vcpu, fastpath);
	kvm_vcpu_srcu_read_unlock(r->vcpu);
	r->vcpu->arch.mmu->page_fault = old;
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
	/* The guest might take it, so that it is entered. */
	bool is_event;
};

static const struct leave_case leaves[] = {
	{ "interrupt", post_interrupt, true },
	{ "nmi", queue_nmi, true },
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
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, p->is_event ? INVALID_GPA : PRIVATE_GPA);

	/* Who left because of a request must not have consumed it. */
	requests = READ_ONCE(r->vcpu->requests);
	KUNIT_EXPECT_EQ(test, !!requests,
			p->then == queue_nmi || p->then == free_obsolete_root);
	tdx_test_expect_bugged(r->t, false);
}

/* As often as userspace sends signals: the module counts faults in vain. */
static void fault_comes_before_the_entry(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY);
	mmu.answers[4] = RET_PF_FIXED;
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0),
			RET_PF_RETRY);
	for (i = 1; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, refault(r), RET_PF_RETRY);
		KUNIT_EXPECT_EQ(test, mmu.nr, i + 1);
		KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, PRIVATE_GPA);
	}
	clear_thread_flag(TIF_SIGPENDING);

	KUNIT_EXPECT_EQ(test, refault(r), RET_PF_FIXED);
	KUNIT_EXPECT_EQ(test, mmu.nr, 5);
	KUNIT_EXPECT_EQ(test, mmu.last.gfn, gpa_to_gfn(PRIVATE_GPA));
	KUNIT_EXPECT_TRUE(test, mmu.last.write);
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, INVALID_GPA);
}

struct report_case {
	const char *name;
	int answer;
};

static const struct report_case reports[] = {
	{ "memory fault", -EFAULT },
	{ "signal in the fault", -EINTR },
	{ "no memory", -ENOMEM },
	{ "memory error", -EHWPOISON },
};

KUNIT_ARRAY_PARAM_DESC(report, reports, name);

/*
 * Userspace may resolve the fault, or not, or have it undone before it comes back.
 * However often that goes wrong, the guest doesn't get to fault for it.
 */
static void reported_fault_comes_before_the_entry(struct kunit *test)
{
	const struct report_case *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	for (i = 0; i < PAGE_FAULT_MAX; i++)
		mmu.answers[i] = p->answer;
	mmu.nr = 0;
	mmu.then = NULL;
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0),
			p->answer);
	tdx_test_reset_counts(r->t);

	for (i = 1; i < PAGE_FAULT_MAX - 1; i++) {
		KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, PRIVATE_GPA);
		KUNIT_EXPECT_EQ(test, refault(r), p->answer);
		KUNIT_EXPECT_EQ(test, mmu.nr, i + 1);
	}

	mmu.answers[i] = RET_PF_FIXED;
	KUNIT_EXPECT_EQ(test, refault(r), RET_PF_FIXED);
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, INVALID_GPA);
	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 0);

	KUNIT_EXPECT_EQ(test, enter(r), EXIT_FASTPATH_NONE);
	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 1);
}

/* The guest may be able to handle it even where its access is reported for ever. */
static void event_gets_past_a_reported_fault(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	answer(-EFAULT, -EFAULT, 0, 0);
	mmu.then = post_interrupt;
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, PRIVATE_GPA);
	KUNIT_EXPECT_EQ(test, refault(r), -EFAULT);
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, INVALID_GPA);
	KUNIT_EXPECT_EQ(test, r->tdx->nr_vain_entries, 1);
	pi_clear_on(&r->tdx->vt.pi_desc);
}

static void resolve_a_fault(struct tdx_run_test *r)
{
	answer(RET_PF_FIXED, RET_PF_SPURIOUS, 0, 0);
	KUNIT_EXPECT_EQ(r->t->vm.test, RET_PF_FIXED,
			violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0));
	KUNIT_EXPECT_EQ(r->t->vm.test, r->tdx->refault_gpa, INVALID_GPA);
}

static void set_invalidation(struct kvm *kvm, bool in_progress, gfn_t start, gfn_t end)
{
	guard(write_lock)(&kvm->mmu_lock);

	kvm->mmu_invalidate_in_progress = in_progress;
	kvm->mmu_invalidate_range_start = in_progress ? start : INVALID_GPA;
	kvm->mmu_invalidate_range_end = in_progress ? end : INVALID_GPA;
}

/* A conversion by another thread, over before the vCPU gets to its entry, or not yet. */
static void what_was_taken_away_is_faulted_in_again(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gfn_t gfn = gpa_to_gfn(PRIVATE_GPA);
	struct kvm *kvm = r->vcpu->kvm;

	tdx_test_reset_counts(r->t);

	resolve_a_fault(r);
	kvm->mmu_invalidate_seq++;
	KUNIT_EXPECT_EQ(test, refault(r), RET_PF_SPURIOUS);
	KUNIT_EXPECT_EQ(test, mmu.nr, 2);
	KUNIT_EXPECT_EQ(test, mmu.last.gfn, gfn);

	/* An entry that the module refuses is none. */
	resolve_a_fault(r);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(TDH_VP_ENTER, 1, 1, TDX_OPERAND_BUSY));
	KUNIT_EXPECT_EQ(test, enter(r), EXIT_FASTPATH_NONE);
	kvm->mmu_invalidate_seq++;
	KUNIT_EXPECT_EQ(test, refault(r), RET_PF_SPURIOUS);

	resolve_a_fault(r);
	set_invalidation(kvm, true, gfn, gfn + 1);
	KUNIT_EXPECT_EQ(test, refault(r), RET_PF_SPURIOUS);
	KUNIT_EXPECT_EQ(test, mmu.nr, 2);
	set_invalidation(kvm, false, 0, 0);
	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 1);
}

static void what_is_still_there_is_not(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gfn_t gfn = gpa_to_gfn(PRIVATE_GPA);
	struct kvm *kvm = r->vcpu->kvm;

	tdx_test_reset_counts(r->t);
	resolve_a_fault(r);
	set_invalidation(kvm, true, gfn + 1, gfn + 2);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_set(TDH_VP_ENTER, 1, 1,
						   EXIT_REASON_EXTERNAL_INTERRUPT));
	KUNIT_EXPECT_EQ(test, enter(r), EXIT_FASTPATH_NONE);
	set_invalidation(kvm, false, 0, 0);

	/* The guest may be past it by now: what happens later is for another fault. */
	kvm->mmu_invalidate_seq++;
	KUNIT_EXPECT_EQ(test, enter(r), EXIT_FASTPATH_NONE);
	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 2);
	KUNIT_EXPECT_EQ(test, mmu.nr, 1);
}

/* An interrupt that the guest doesn't take must not use up the module's patience. */
static void events_are_worth_two_entries(struct kunit *test)
{
	struct tdx_module_args call = { .r11 = EXIT_REASON_INVD };
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	for (i = 0; i < 4; i++) {
		answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY);
		mmu.then = post_interrupt;
		KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0),
				RET_PF_RETRY);
		KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, i < 2 ? INVALID_GPA : PRIVATE_GPA);
	}

	/* To have resolved it is no progress of the guest's. */
	answer(RET_PF_FIXED, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, refault(r), RET_PF_FIXED);
	answer(RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY, RET_PF_RETRY);
	mmu.then = post_interrupt;
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA, EPT_VIOLATION_ACC_READ, 0),
			RET_PF_RETRY);
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, PRIVATE_GPA);

	/* Another address, or a TDVMCALL, is. */
	KUNIT_EXPECT_EQ(test, violation(r, PRIVATE_GPA + PAGE_SIZE, EPT_VIOLATION_ACC_READ, 0),
			RET_PF_RETRY);
	KUNIT_EXPECT_EQ(test, r->tdx->refault_gpa, INVALID_GPA);
	tdx_run_exit(r, EXIT_REASON_TDCALL, &call);
	KUNIT_EXPECT_EQ(test, r->tdx->vain_gpa, INVALID_GPA);
	pi_clear_on(&r->tdx->vt.pi_desc);
}

#define MANY	100

static int repeat_violation(struct tdx_run_test *r, gpa_t gpa, int r_mmu)
{
	int i, ret = 1;

	for (i = 0; i < MANY && ret > 0; i++) {
		answer(r_mmu, 0, 0, 0);
		ret = violation(r, gpa, EPT_VIOLATION_ACC_WRITE, 0);
	}
	return ret;
}

/*
 * The module goes on to make the violation up as long as the page is pending, and
 * doesn't say so.  But who says that it was made up?
 */
static void pending_page_is_found_out(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t pending = gfn_to_gpa(TDX_TEST_GFN);

	KUNIT_ASSERT_EQ(test, tdx_test_fault(r->t, TDX_TEST_GFN), RET_PF_FIXED);

	KUNIT_EXPECT_GT(test, repeat_violation(r, pending, RET_PF_FIXED), 0);
	KUNIT_EXPECT_GT(test, repeat_violation(r, PRIVATE_GPA, RET_PF_SPURIOUS), 0);
	KUNIT_EXPECT_FALSE(test, r->vcpu->kvm->vm_dead);

	KUNIT_EXPECT_EQ(test, repeat_violation(r, pending, RET_PF_SPURIOUS), -EIO);
	KUNIT_EXPECT_TRUE(test, r->vcpu->kvm->vm_dead);
	KUNIT_EXPECT_FALSE(test, r->vcpu->kvm->vm_bugged);
}

/* With other exits in between it is getting on. */
static void progress_is_no_repetition(struct kunit *test)
{
	struct tdx_module_args interrupt = { .r9 = INTR_INFO_VALID_MASK | 0x33 };
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, PRIVATE_GPA);
	int i;

	for (i = 0; i < MANY; i++) {
		answer(RET_PF_EMULATE, 0, 0, 0);
		KUNIT_EXPECT_EQ(test, violation(r, gpa, EPT_VIOLATION_ACC_READ, 0), 1);
		tdx_run_exit(r, EXIT_REASON_EXTERNAL_INTERRUPT, &interrupt);
	}
}

/* A #VE should have come of it.  Where none does, somebody has to know. */
static void emulation_in_vain_is_reported(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, PRIVATE_GPA);

	KUNIT_EXPECT_EQ(test, repeat_violation(r, gpa, RET_PF_RETRY), 1);
	KUNIT_EXPECT_EQ(test, repeat_violation(r, gpa, RET_PF_EMULATE), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	KUNIT_EXPECT_EQ(test, r->run->internal.suberror, KVM_INTERNAL_ERROR_DELIVERY_EV);
	KUNIT_EXPECT_EQ(test, r->run->internal.data[2], gpa);
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
		/* KUnit stops the thread of a case that takes too long. */
		while (!deletion.done && !kthread_should_stop()) {
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

static struct kunit_case tdx_violation_cases[] = {
	KUNIT_CASE(private_fault_is_a_write),
	KUNIT_CASE(private_fault_is_retried_until_done),
	KUNIT_CASE_PARAM(retry_is_left_for_the_run_loop, leave_gen_params),
	KUNIT_CASE(fault_comes_before_the_entry),
	KUNIT_CASE_PARAM(reported_fault_comes_before_the_entry, report_gen_params),
	KUNIT_CASE(event_gets_past_a_reported_fault),
	KUNIT_CASE(what_was_taken_away_is_faulted_in_again),
	KUNIT_CASE(what_is_still_there_is_not),
	KUNIT_CASE(events_are_worth_two_entries),
	KUNIT_CASE(pending_page_is_found_out),
	KUNIT_CASE(progress_is_no_repetition),
	KUNIT_CASE(emulation_in_vain_is_reported),
	KUNIT_CASE(memslots_can_change_during_the_retry),
	KUNIT_CASE(dead_vm_ends_the_retry),
	KUNIT_CASE(access_before_accept_kills_the_vm),
	KUNIT_CASE(other_private_faults_are_resolved),
	KUNIT_CASE(shared_fault_is_an_ordinary_one),
	KUNIT_CASE(code_in_shared_memory_bugs_the_vm),
	{}
};

static struct kunit_suite tdx_violation_suite = {
	.name = "kvm_tdx_violation",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_violation_cases,
};

kunit_test_suite(tdx_violation_suite);
