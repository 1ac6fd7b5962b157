// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts and NMIs for a TD, and what wakes a vCPU that halted.
 */
#include <kunit/test.h>

#include "lapic.h"
#include "tdx_run_fixture.h"
#include "../x86_ops.h"

#define TEST_VECTOR	0x41

/* TDVMCALL<HLT>; R12 tells whether interrupts are blocked. */
static int do_hlt(struct tdx_run_test *r, u64 r12)
{
	struct tdx_module_args regs = {
		.rcx = 0xffcc, .r11 = EXIT_REASON_HLT, .r12 = r12, .r13 = 0xa13,
	};
	int ret;

	r->vcpu->arch.mp_state = KVM_MP_STATE_RUNNABLE;
	ret = tdx_run_vmcall(r, &regs);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	return ret;
}

static void post(struct tdx_run_test *r)
{
	vmx_deliver_interrupt(r->vcpu->arch.apic, APIC_DM_FIXED, 0, TEST_VECTOR);
}

static void take_over(struct tdx_run_test *r)
{
	pi_clear_on(&r->tdx->vt.pi_desc);
	memset(r->tdx->vt.pi_desc.pir, 0, sizeof(r->tdx->vt.pi_desc.pir));
}

static void expect_runnable(struct kunit *test, bool runnable)
{
	KUNIT_EXPECT_EQ(test, !!kvm_arch_vcpu_runnable(tdx_run_test(test)->vcpu), runnable);
}

static void interrupt_is_posted(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct pi_desc *pi = &r->tdx->vt.pi_desc;

	post(r);
	KUNIT_EXPECT_TRUE(test, pi_test_on(pi));
	KUNIT_EXPECT_TRUE(test, test_bit(TEST_VECTOR, (unsigned long *)pi->pir));
	KUNIT_EXPECT_TRUE(test, tdx_protected_apic_has_interrupt(r->vcpu));

	/* KVM's own page knows nothing of it. */
	KUNIT_EXPECT_EQ(test, kvm_apic_has_interrupt(r->vcpu), -1);

	take_over(r);
	KUNIT_EXPECT_FALSE(test, tdx_protected_apic_has_interrupt(r->vcpu));
}

static void interrupt_wakes_a_halted_vcpu(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	KUNIT_EXPECT_EQ(test, do_hlt(r, 0), 1);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.mp_state, KVM_MP_STATE_HALTED);
	expect_runnable(test, false);

	post(r);
	expect_runnable(test, true);
}

static void interrupt_in_time_prevents_the_halt(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	post(r);
	KUNIT_EXPECT_EQ(test, do_hlt(r, 0), 1);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.mp_state, KVM_MP_STATE_RUNNABLE);
}

/* Any value but 0 says that interrupts are blocked; then only an NMI wakes it. */
static void blocked_interrupt_does_not_wake(struct kunit *test)
{
	static const u64 values[] = { 1, 2, BIT_ULL(63) };
	struct tdx_run_test *r = tdx_run_test(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		post(r);
		KUNIT_EXPECT_EQ(test, do_hlt(r, values[i]), 1);
		KUNIT_EXPECT_EQ(test, r->vcpu->arch.mp_state, KVM_MP_STATE_HALTED);
		KUNIT_EXPECT_FALSE(test, tdx_interrupt_allowed(r->vcpu, false));
		expect_runnable(test, false);

		kvm_make_request(KVM_REQ_NMI, r->vcpu);
		expect_runnable(test, true);
		kvm_clear_request(KVM_REQ_NMI, r->vcpu);
		take_over(r);
	}

	/* The next call is another one. */
	KUNIT_EXPECT_EQ(test, do_hlt(r, 0), 1);
	KUNIT_EXPECT_TRUE(test, tdx_interrupt_allowed(r->vcpu, false));
}

static void entry_ends_the_halt(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	KUNIT_EXPECT_EQ(test, do_hlt(r, 1), 1);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_VP_ENTER, 1, 1, TDX_OPERAND_BUSY), 0);
	vcpu_load(r->vcpu);
	local_irq_disable();
	tdx_vcpu_run(r->vcpu, 0);
	local_irq_enable();
	vcpu_put(r->vcpu);
	KUNIT_EXPECT_TRUE(test, tdx_interrupt_allowed(r->vcpu, false));
}

/*
 * The module is asked only for a vCPU that is at home, halted, with interrupts
 * enabled and none posted.
 */

struct query_case {
	const char *name;
	bool loaded;
	bool posted;
	bool halted;
	u64 r12;
	bool asked;
};

static const struct query_case queries[] = {
	{ "halted", true, false, true, 0, true },
	{ "halted, of another thread", false, false, true, 0, false },
	{ "halted, interrupt posted", true, true, true, 0, false },
	{ "halted, interrupts blocked", true, false, true, 1, false },
	{ "not halted", true, false, false, 0, false },
};

KUNIT_ARRAY_PARAM_DESC(query, queries, name);

static void module_is_asked_only_if_it_matters(struct kunit *test)
{
	const struct query_case *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args other = { .r9 = INTR_INFO_VALID_MASK | 0x33 };

	if (p->halted)
		do_hlt(r, p->r12);
	else
		tdx_run_exit(r, EXIT_REASON_EXTERNAL_INTERRUPT, &other);
	if (p->posted)
		post(r);

	if (p->loaded)
		vcpu_load(r->vcpu);
	tdx_test_reset_counts(r->t);
	/* Twice, as the answer can't change as long as the vCPU isn't entered. */
	KUNIT_EXPECT_EQ(test, tdx_protected_apic_has_interrupt(r->vcpu), p->posted);
	KUNIT_EXPECT_EQ(test, tdx_protected_apic_has_interrupt(r->vcpu), p->posted);
	tdx_test_expect_calls(r->t, TDH_VP_RD, p->asked);
	if (p->loaded)
		vcpu_put(r->vcpu);
	tdx_test_expect_bugged(r->t, false);
}

/* For want of an answer it wakes up, to look for itself. */
static void failed_query_does_not_let_it_sleep(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	do_hlt(r, 0);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_VP_RD, 1, 1,
						TDX_METADATA_FIELD_NOT_READABLE), 0);

	vcpu_load(r->vcpu);
	KUNIT_EXPECT_TRUE(test, tdx_protected_apic_has_interrupt(r->vcpu));
	KUNIT_EXPECT_FALSE(test, tdx_protected_apic_has_interrupt(r->vcpu));
	vcpu_put(r->vcpu);
	tdx_test_expect_bugged(r->t, false);
}

static void inject_nmi(struct tdx_run_test *r)
{
	vcpu_load(r->vcpu);
	tdx_inject_nmi(r->vcpu);
	vcpu_put(r->vcpu);
}

static void nmi_is_pended_with_the_module(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_sw_vcpu_info info = {};

	tdx_test_reset_counts(r->t);
	r->vcpu->arch.nmi_injected = true;
	r->vcpu->arch.nmi_pending = 1;
	inject_nmi(r);

	tdx_test_expect_calls(r->t, TDH_VP_WR, 1);
	KUNIT_EXPECT_EQ(test, tdx_sw_test_vcpu(r->tdx->tdvpr, &info), 0);
	KUNIT_EXPECT_TRUE(test, info.pend_nmi);
	KUNIT_EXPECT_FALSE(test, r->vcpu->arch.nmi_injected);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.nmi_pending, 0);
	KUNIT_EXPECT_EQ(test, r->vcpu->stat.nmi_injections, 1);
}

static void failure_to_pend_an_nmi_bugs_the_vm(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_VP_WR, 1, 1, TDX_TD_FATAL), 0);
	inject_nmi(r);
	tdx_test_expect_bugged(r->t, true);
}

static struct kunit_case tdx_irq_cases[] = {
	KUNIT_CASE(interrupt_is_posted),
	KUNIT_CASE(interrupt_wakes_a_halted_vcpu),
	KUNIT_CASE(interrupt_in_time_prevents_the_halt),
	KUNIT_CASE(blocked_interrupt_does_not_wake),
	KUNIT_CASE(entry_ends_the_halt),
	KUNIT_CASE_PARAM(module_is_asked_only_if_it_matters, query_gen_params),
	KUNIT_CASE(failed_query_does_not_let_it_sleep),
	KUNIT_CASE(nmi_is_pended_with_the_module),
	KUNIT_CASE(failure_to_pend_an_nmi_bugs_the_vm),
	{}
};

static struct kunit_suite tdx_irq_suite = {
	.name = "kvm_tdx_irq",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_irq_cases,
};

kunit_test_suite(tdx_irq_suite);
