// SPDX-License-Identifier: GPL-2.0
/*
 * Entry to a TD as far as it gets without VMX: held off by a removal, refused by
 * the module, and what of it goes to whom.  That a TD runs is for the selftests.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hardirq.h>
#include <linux/kthread.h>

#include <asm/apic.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/pkru.h>

#include "mmu.h"
#include "tdx_run_fixture.h"
#include "x86.h"

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

/* As vcpu_enter_guest() does, and handles, it. */
static int enter_and_handle(struct tdx_run_test *r)
{
	fastpath_t fastpath = enter(r);
	int ret;

	kvm_vcpu_srcu_read_lock(r->vcpu);
	ret = tdx_handle_exit(r->vcpu, fastpath);
	kvm_vcpu_srcu_read_unlock(r->vcpu);
	return ret;
}

static void refuse(struct tdx_run_test *r, unsigned int times, u64 status)
{
	KUNIT_ASSERT_EQ(r->t->vm.test, tdx_sw_inject_set(TDH_VP_ENTER, 1, times, status), 0);
}

static const struct tdx_module_args some_call = {
	.rcx = 0xffcc, .rdx = 2, .rbx = 3, .rsi = 6, .rdi = 7, .r8 = 8, .r9 = 9,
	.r11 = EXIT_REASON_INVD, .r12 = 12, .r13 = 13, .r14 = 14, .r15 = 15,
};

/*
 * Nothing of the exit before is taken for one of this entry, although it would
 * make an exit to userspace every time it is handled.
 */
static void held_off_entry_is_none(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args quote = {
		.rcx = 0xffcc, .r11 = TDVMCALL_GET_QUOTE, .r12 = tdx_run_shared(r, 0x1000),
	};

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &quote), 0);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	r->tdx->vt.exit_reason.full |= BIT(26);
	r->run->exit_reason = 0;
	r->run->flags = 0;
	tdx_test_reset_counts(r->t);

	WRITE_ONCE(r->t->kvm_tdx->hold_off_entry, true);
	KUNIT_EXPECT_EQ(test, enter(r), EXIT_FASTPATH_EXIT_HANDLED);
	KUNIT_EXPECT_EQ(test, enter_and_handle(r), 1);
	WRITE_ONCE(r->t->kvm_tdx->hold_off_entry, false);

	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 0);
	KUNIT_EXPECT_EQ(test, r->tdx->vt.exit_reason.full, TDX_NO_EXIT_REASON);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, 0);
	KUNIT_EXPECT_EQ(test, r->run->flags, 0);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

/* The answer to a TDVMCALL is there for every entry until there is another call. */
static void every_entry_carries_the_answer(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args want;
	int i;

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &some_call), 1);
	want = r->tdx->vmcall;
	want.rcx = r->tdx->tdvpr;

	refuse(r, 3, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE);
	for (i = 0; i < 3; i++) {
		memset(&r->tdx->regs, 0xee, sizeof(r->tdx->regs));
		KUNIT_EXPECT_EQ(test, enter_and_handle(r), 1);
		KUNIT_EXPECT_MEMEQ(test, &r->tdx->regs, &want, sizeof(want));
		tdx_run_expect_answer(r, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	}
	tdx_test_expect_bugged(r->t, false);
}

#define XMM_PATTERN	0x5eed5eed5eed5eedULL

static u64 xmm15_after_entry(struct tdx_run_test *r)
{
	u64 val = XMM_PATTERN;

	refuse(r, 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH);
	kernel_fpu_begin();
	asm volatile("movq %0, %%xmm15" : : "r" (val));
	enter(r);
	asm volatile("movq %%xmm15, %0" : "=r" (val));
	kernel_fpu_end();
	return val;
}

/* What is in the registers at that time is userspace's. */
static void answer_comes_without_xmm_registers(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args call = some_call;

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &call), 1);
	KUNIT_EXPECT_EQ(test, xmm15_after_entry(r), XMM_PATTERN);

	call.rcx |= BIT_ULL(31);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &call), 1);
	KUNIT_EXPECT_EQ(test, xmm15_after_entry(r), 0);
}

static void refused_entry_is_counted_but_no_exit(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	tdx_test_reset_counts(r->t);
	refuse(r, 2, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH);
	KUNIT_EXPECT_EQ(test, enter_and_handle(r), 1);
	KUNIT_EXPECT_EQ(test, enter_and_handle(r), 1);
	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 2);

	for (i = 0; i < TDX_NR_EXIT_REASONS; i++)
		KUNIT_EXPECT_EQ(test, atomic64_read(&r->t->kvm_tdx->exits[i]), 0);
}

static void lost_vcpu_ends_with_an_exit(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	refuse(r, 1, TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT);
	KUNIT_EXPECT_EQ(test, enter_and_handle(r), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_SHUTDOWN);
	KUNIT_EXPECT_EQ(test, r->tdx->vt.exit_reason.full, EXIT_REASON_TRIPLE_FAULT);

	refuse(r, 1, TDX_VCPU_STATE_INCORRECT);
	KUNIT_EXPECT_EQ(test, enter_and_handle(r), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	KUNIT_EXPECT_EQ(test, r->run->internal.data[0], TDX_VCPU_STATE_INCORRECT);
	KUNIT_EXPECT_EQ(test, r->tdx->vt.exit_reason.full, TDX_NO_EXIT_REASON);
	tdx_test_expect_bugged(r->t, false);
}

static unsigned int notifications(void)
{
	return this_cpu_read(irq_stat.kvm_posted_intr_ipis);
}

/* ... by sending itself the notification that the CPU looks at in the guest. */
static void posted_interrupt_is_taken_along(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	unsigned int before;

	migrate_disable();
	refuse(r, 2, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE);

	before = notifications();
	enter(r);
	KUNIT_EXPECT_EQ(test, notifications(), before);

	pi_set_on(&r->tdx->vt.pi_desc);
	enter(r);
	/* An emulated APIC may take its time. */
	while (notifications() == before && !kthread_should_stop())
		udelay(5);
	KUNIT_EXPECT_EQ(test, notifications(), before + 1);
	migrate_enable();
}

/* What userspace queued by KVM_SET_VCPU_EVENTS must not block NMIs for ever. */
static void queued_events_are_dropped(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct kvm_vcpu_arch *arch = &r->vcpu->arch;

	arch->nmi_injected = true;
	arch->exception.injected = true;
	arch->exception.pending = true;
	arch->interrupt.injected = true;
	refuse(r, 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE);
	enter(r);

	KUNIT_EXPECT_FALSE(test, arch->nmi_injected);
	KUNIT_EXPECT_FALSE(test, arch->exception.injected);
	KUNIT_EXPECT_FALSE(test, arch->exception.pending);
	KUNIT_EXPECT_FALSE(test, arch->interrupt.injected);
}

/* They would, before the entry that drops them. */
static void queued_events_do_not_hold_back_an_nmi(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct kvm_vcpu_arch *arch = &r->vcpu->arch;

	arch->nmi_injected = true;
	arch->exception.pending = true;
	arch->interrupt.injected = true;
	KUNIT_EXPECT_EQ(test, tdx_vcpu_pre_run(r->vcpu), 1);

	KUNIT_EXPECT_FALSE(test, arch->nmi_injected);
	KUNIT_EXPECT_FALSE(test, arch->exception.pending);
	KUNIT_EXPECT_FALSE(test, arch->interrupt.injected);
}

#define SOME_GS_BASE	0x7f0000005000ULL

/* Once, and not for a vCPU that hasn't been entered. */
static void kernel_gs_base_is_back_when_the_vcpu_is_put(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct vcpu_vt *vt = &r->tdx->vt;
	u64 old, first, second;

	local_irq_disable();
	rdmsrl(MSR_KERNEL_GS_BASE, old);
	vt->msr_host_kernel_gs_base = SOME_GS_BASE;
	vt->guest_state_loaded = true;
	tdx_prepare_switch_to_host(r->vcpu);
	rdmsrl(MSR_KERNEL_GS_BASE, first);

	vt->msr_host_kernel_gs_base = 0;
	tdx_prepare_switch_to_host(r->vcpu);
	rdmsrl(MSR_KERNEL_GS_BASE, second);
	wrmsrl(MSR_KERNEL_GS_BASE, old);
	local_irq_enable();

	KUNIT_EXPECT_EQ(test, first, SOME_GS_BASE);
	KUNIT_EXPECT_EQ(test, second, SOME_GS_BASE);
	KUNIT_EXPECT_FALSE(test, vt->guest_state_loaded);
	KUNIT_EXPECT_EQ(test, r->vcpu->stat.host_state_reload, 1);
}

/* What an exit may have left, as the status doesn't tell: not even of a refusal. */
static void spoil_host_state(void)
{
	xsetbv(XCR_XFEATURE_ENABLED_MASK, XFEATURE_MASK_FPSSE);
	write_pkru(0xc);
}

static void host_state_is_back_after_every_entry(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	u64 xcr0;
	u32 pkru;

	if (kvm_host.xcr0 == XFEATURE_MASK_FPSSE)
		kunit_skip(test, "XCR0 can't be anything but what an exit leaves");
	refuse(r, 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE);

	vcpu_load(r->vcpu);
	local_irq_disable();
	spoil_host_state();
	tdx_vcpu_run(r->vcpu, 0);
	xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	pkru = read_pkru();
	local_irq_enable();
	vcpu_put(r->vcpu);

	tdx_test_expect_calls(r->t, TDH_VP_ENTER, 1);
	KUNIT_EXPECT_EQ(test, xcr0, kvm_host.xcr0);
	KUNIT_EXPECT_EQ(test, pkru, r->vcpu->arch.host_pkru);
}

/* Neither the host nor any TD uses it: only then there is nothing to restore. */
static void xss_is_restored_if_it_can_differ(struct kunit *test)
{
	const u64 user = XFEATURE_MASK_FPSSE | TDX_XFAM_AVX | TDX_XFAM_AVX512 |
			 TDX_XFAM_PKRU | TDX_XFAM_AMX;

	KUNIT_EXPECT_FALSE(test, tdx_xfam_can_change_xss(user, 0));
	KUNIT_EXPECT_TRUE(test, tdx_xfam_can_change_xss(user | TDX_XFAM_CET, 0));
	KUNIT_EXPECT_TRUE(test, tdx_xfam_can_change_xss(user | TDX_XFAM_ULI, 0));
	KUNIT_EXPECT_TRUE(test, tdx_xfam_can_change_xss(user, TDX_XFAM_CET));
	KUNIT_EXPECT_TRUE(test, tdx_xfam_can_change_xss(user | TDX_XFAM_CET, TDX_XFAM_CET));
}

static void vcpu_runs_only_in_a_runnable_td(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct kvm_tdx *kvm_tdx = r->t->kvm_tdx;

	KUNIT_EXPECT_EQ(test, tdx_vcpu_pre_run(r->vcpu), 1);

	r->tdx->state = VCPU_TD_STATE_UNINITIALIZED;
	KUNIT_EXPECT_EQ(test, tdx_vcpu_pre_run(r->vcpu), -EINVAL);
	r->tdx->state = VCPU_TD_STATE_INITIALIZED;

	kvm_tdx->state = TD_STATE_INITIALIZED;
	KUNIT_EXPECT_EQ(test, tdx_vcpu_pre_run(r->vcpu), -EINVAL);
	kvm_tdx->state = TD_STATE_RUNNABLE;
}

/*
 * A removal that holds entry off against a vCPU that enters all the time: once
 * the kick is over, and until entry is allowed, TDH.VP.ENTER isn't called.
 */

#define HOLD_OFF_ROUNDS		300
#define HOLD_OFF_US		20

static int enter_all_the_time(void *data)
{
	struct tdx_run_test *r = data;
	struct kvm_vcpu *vcpu = r->vcpu;

	vcpu_load(vcpu);
	while (!kthread_should_stop()) {
		local_irq_disable();
		WRITE_ONCE(vcpu->mode, IN_GUEST_MODE);
		/* Instead of that in vcpu_enter_guest(): the flag is read behind it. */
		smp_mb();
		tdx_vcpu_run(vcpu, 0);
		WRITE_ONCE(vcpu->mode, OUTSIDE_GUEST_MODE);
		local_irq_enable();
		cond_resched();
	}
	vcpu_put(vcpu);

	return 0;
}

static void hold_off_rounds(struct kunit *test, struct tdx_run_test *r)
{
	struct kvm *kvm = r->vcpu->kvm;
	unsigned int i, late = 0;
	u64 before;

	for (i = 0; i < HOLD_OFF_ROUNDS; i++) {
		write_lock(&kvm->mmu_lock);
		tdx_hold_off_entry(kvm);
		before = tdx_sw_count(TDH_VP_ENTER, NULL);
		udelay(HOLD_OFF_US);
		late += tdx_sw_count(TDH_VP_ENTER, NULL) != before;
		tdx_allow_entry(kvm);
		write_unlock(&kvm->mmu_lock);

		udelay(i % HOLD_OFF_US);
		cond_resched();
	}

	KUNIT_EXPECT_EQ(test, late, 0);
}

/*
 * The other CPU may be an emulator's, and that have other things to do.  So there is
 * no limit but that of KUnit, which stops the case's thread.
 */
static void expect_another_entry(struct kunit *test)
{
	u64 before = tdx_sw_count(TDH_VP_ENTER, NULL);

	while (tdx_sw_count(TDH_VP_ENTER, NULL) == before && !kthread_should_stop())
		usleep_range(1000, 2000);
	KUNIT_EXPECT_GT(test, tdx_sw_count(TDH_VP_ENTER, NULL), before);
}

static void no_entry_while_held_off(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct task_struct *task;

	refuse(r, UINT_MAX, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE);
	task = tdx_test_other_cpu_thread(r->t, enter_all_the_time, r);
	wake_up_process(task);

	expect_another_entry(test);
	hold_off_rounds(test, r);
	expect_another_entry(test);

	kthread_stop(task);
	tdx_sw_inject_clear();
	KUNIT_EXPECT_EQ(test, atomic64_read(&r->vcpu->kvm->stat.tdx_busy_removals),
			HOLD_OFF_ROUNDS);
}

static struct kunit_case tdx_entry_cases[] = {
	KUNIT_CASE(held_off_entry_is_none),
	KUNIT_CASE(every_entry_carries_the_answer),
	KUNIT_CASE(answer_comes_without_xmm_registers),
	KUNIT_CASE(refused_entry_is_counted_but_no_exit),
	KUNIT_CASE(lost_vcpu_ends_with_an_exit),
	KUNIT_CASE(posted_interrupt_is_taken_along),
	KUNIT_CASE(queued_events_are_dropped),
	KUNIT_CASE(queued_events_do_not_hold_back_an_nmi),
	KUNIT_CASE(kernel_gs_base_is_back_when_the_vcpu_is_put),
	KUNIT_CASE(host_state_is_back_after_every_entry),
	KUNIT_CASE(xss_is_restored_if_it_can_differ),
	KUNIT_CASE(vcpu_runs_only_in_a_runnable_td),
	KUNIT_CASE(no_entry_while_held_off),
	{}
};

static struct kunit_suite tdx_entry_suite = {
	.name = "kvm_tdx_entry",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_entry_cases,
};

kunit_test_suite(tdx_entry_suite);
