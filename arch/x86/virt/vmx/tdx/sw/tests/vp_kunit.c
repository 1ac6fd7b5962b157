// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs: pages, initialisation, the CPU they are associated with, and what keeps
 * one from being entered. Fields are in field_kunit.c.
 */
#include "fixture.h"

#define V0(tdvpr)	SWT_ARGS(.rcx = (tdvpr))

/* A call on another CPU that has to succeed. */
static void ok_on(struct swt *t, unsigned int cpu, u64 leaf, u64 rcx, u64 rdx)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = rdx }, in = args;
	struct model_out out = {};

	KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, swt_call_on(t, cpu, leaf, &args));
	swt_m_apply(t->test, &t->m, cpu, leaf, &in, &out);
	swt_check(t);
}

static void no_on(struct swt *t, unsigned int cpu, u64 want, u64 leaf, u64 rcx, u64 rdx)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = rdx };

	KUNIT_EXPECT_EQ(t->test, want, ST_CODE(swt_call_on(t, cpu, leaf, &args)));
	swt_check(t);
}

static void vcpu_needs_all_its_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;
	u64 tdvpr;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	tdvpr = swt_vcpu_create(t, &td, 1);
	for (i = 1; i < MIN_TDVPS; i++) {
		swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_VP_INIT, V0(tdvpr));
		swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_VP_FLUSH, V0(tdvpr));
		swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_VP_RD,
		       SWT_ARGS(.rcx = tdvpr, .rdx = FIELD_VCPU_INDEX));
		swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_VP_WR,
		       SWT_ARGS(.rcx = tdvpr, .rdx = FIELD_PEND_NMI, .r8 = 1, .r9 = 1));
		swt_ok(t, L_VP_ADDCX, SWT_ARGS(.rcx = swt_page(t), .rdx = tdvpr));
	}
	swt_ok(t, L_VP_INIT, V0(tdvpr));
}

static void vcpu_takes_no_more_than_its_pages(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 tdvpr;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	tdvpr = swt_vcpu_create(t, &td, MAX_TDVPS);
	swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_VP_ADDCX,
	       SWT_ARGS(.rcx = swt_page(t), .rdx = tdvpr));
	swt_ok(t, L_VP_INIT, V0(tdvpr));
}

static void vcpu_is_initialised_once(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 tdvpr;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	tdvpr = swt_vcpu_create(t, &td, MIN_TDVPS);
	swt_no(t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_RD,
	       SWT_ARGS(.rcx = tdvpr, .rdx = FIELD_VCPU_INDEX));
	swt_no(t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_WR,
	       SWT_ARGS(.rcx = tdvpr, .rdx = FIELD_PEND_NMI, .r8 = 1, .r9 = 1));
	swt_no(t, ST_VCPU_NOT_ASSOCIATED | ST_ANY_DETAIL, L_VP_FLUSH, V0(tdvpr));
	swt_ok(t, L_VP_INIT, V0(tdvpr));
	swt_no(t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_INIT, V0(tdvpr));
	swt_no(t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_ADDCX,
	       SWT_ARGS(.rcx = swt_page(t), .rdx = tdvpr));
}

static void max_vcpus_is_the_limit(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 one_more;

	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	*(u16 *)(swt_va(td.params) + PARAMS_MAX_VCPUS) = 2;
	swt_td_init(t, &td);
	/* Indices in the order of initialisation, as the model says. */
	one_more = swt_vcpu_create(t, &td, MIN_TDVPS);
	swt_vcpu_add(t, &td);
	swt_vcpu_add(t, &td);
	swt_no(t, ST_MAX_VCPUS_EXCEEDED | ST_ANY_DETAIL, L_VP_INIT, V0(one_more));
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));
}

static void x2apic_ids_are_unique(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 a, b, c, v1 = L_V1(L_VP_INIT);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	a = swt_vcpu_create(t, &td, MIN_TDVPS);
	b = swt_vcpu_create(t, &td, MIN_TDVPS);
	c = swt_vcpu_create(t, &td, MIN_TDVPS);
	swt_no(t, ST_OPERAND_INVALID | OP_R8, v1, SWT_ARGS(.rcx = a, .r8 = BIT_ULL(32)));
	swt_no(t, ST_OPERAND_INVALID | OP_R8, v1, SWT_ARGS(.rcx = a, .r8 = BIT_ULL(63) | 7));
	swt_ok(t, v1, SWT_ARGS(.rcx = a, .r8 = 7));
	swt_no(t, ST_X2APIC_ID_NOT_UNIQUE | 7, v1, SWT_ARGS(.rcx = b, .r8 = 7));
	swt_ok(t, v1, SWT_ARGS(.rcx = b, .r8 = 8));
	swt_no(t, ST_X2APIC_ID_NOT_UNIQUE | 8, v1, SWT_ARGS(.rcx = c, .r8 = 8));
	swt_ok(t, v1, SWT_ARGS(.rcx = c, .r8 = 0xffffffff));
}

/* ---- association ---- */

static void vcpu_belongs_to_one_cpu(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int other = swt_other_cpu(t);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	no_on(t, other, ST_VCPU_ASSOCIATED, L_VP_RD, td.vcpu, FIELD_VCPU_INDEX);
	no_on(t, other, ST_VCPU_ASSOCIATED, L_VP_ENTER, td.vcpu, 0);
	no_on(t, other, ST_VCPU_NOT_ASSOCIATED, L_VP_FLUSH, td.vcpu, 0);

	swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
	swt_no(t, ST_VCPU_NOT_ASSOCIATED | ST_ANY_DETAIL, L_VP_FLUSH, V0(td.vcpu));
	ok_on(t, other, L_VP_RD, td.vcpu, FIELD_VCPU_INDEX);
	swt_no(t, ST_VCPU_ASSOCIATED | ST_ANY_DETAIL, L_VP_RD,
	       SWT_ARGS(.rcx = td.vcpu, .rdx = FIELD_VCPU_INDEX));
	swt_no(t, ST_VCPU_ASSOCIATED | ST_ANY_DETAIL, L_VP_WR,
	       SWT_ARGS(.rcx = td.vcpu, .rdx = FIELD_PEND_NMI, .r8 = 1, .r9 = 1));
	KUNIT_EXPECT_EQ(test, ST_VCPU_ASSOCIATED, ST_CODE(tdx_sw_test_vcpu_enter(td.vcpu)));
	swt_no(t, ST_VCPU_NOT_ASSOCIATED | ST_ANY_DETAIL, L_VP_FLUSH, V0(td.vcpu));
	ok_on(t, other, L_VP_FLUSH, td.vcpu, 0);
	swt_enter(t, td.vcpu);
	swt_leave(t, td.vcpu);
	no_on(t, other, ST_VCPU_ASSOCIATED, L_VP_RD, td.vcpu, FIELD_VCPU_INDEX);
}

/* The interface says so: the association is made before the field is looked at. */
static void failed_field_access_associates(struct kunit *test)
{
	static const u16 leaf[] = { L_VP_RD, L_VP_WR };
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(leaf); i++) {
		struct tdx_module_args args = {
			.rcx = td.vcpu, .rdx = BIT_ULL(62), .r8 = 1, .r9 = 1,
		};

		swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
		KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_ID_INCORRECT,
				ST_CODE(swt_call(t, leaf[i], &args)));
		swt_m_associate(&t->m, swt_m_vcpu(&t->m, td.vcpu), t->cpu);
		swt_check(t);
	}
}

static void flush_works_before_and_after_finalize(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	td.vcpu = swt_vcpu_add(t, &td);
	swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));
	swt_enter(t, td.vcpu);
	/* Inside nobody can flush it. */
	swt_no(t, ST_OPERAND_BUSY | OP_RCX, L_VP_FLUSH, V0(td.vcpu));
	swt_leave(t, td.vcpu);
	swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
}

/* ---- entering ---- */

#define ENTER_RECOVERABLE	BIT_ULL(52)
#define ENTER_RESUME_L1		BIT_ULL(53)

static void enter_checks_its_operand(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int bit;
	u64 second;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	td.vcpu = swt_vcpu_add(t, &td);
	second = swt_vcpu_create(t, &td, MIN_TDVPS);
	swt_no(t, ST_OP_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_ENTER, V0(td.vcpu));
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td.tdr));

	for (bit = 0; bit < 64; bit++) {
		if (bit >= 12 && bit < 54)
			continue;
		swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_VP_ENTER, V0(td.vcpu | BIT_ULL(bit)));
		/* Before the page is looked at */
		swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_VP_ENTER, V0(td.tdr | BIT_ULL(bit)));
	}
	/* It has not exited, neither to be recovered nor from an L2 VM. */
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_VP_ENTER, V0(td.vcpu | ENTER_RECOVERABLE));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_VP_ENTER, V0(td.vcpu | ENTER_RESUME_L1));
	swt_no(t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_ENTER, V0(second));
	swt_no(t, ST_PAGE_METADATA_INCORRECT | OP_RCX, L_VP_ENTER, V0(td.tdr));
}

static void enter_of_a_vcpu_without_pages_is_refused(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_std std;

	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	swt_no(t, ST_TDCX_NUM_INCORRECT | ST_ANY_DETAIL, L_VP_ENTER, V0(std.new_vcpu));
}

/* Association stays although the entry fails further on. */
static void failed_enter_associates(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
	args = (struct tdx_module_args) { .rcx = td.vcpu | ENTER_RECOVERABLE };
	KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, swt_call(t, L_VP_ENTER, &args));
	swt_m_associate(&t->m, swt_m_vcpu(&t->m, td.vcpu), t->cpu);
	swt_check(t);

	swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_TD_EPOCH, .object = td.tdr, .excl = true });
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_TD_EPOCH, tdx_sw_test_vcpu_enter(td.vcpu));
	swt_unlock_all(t);
	swt_m_associate(&t->m, swt_m_vcpu(&t->m, td.vcpu), t->cpu);
	swt_check(t);
}

static void pages_of_vcpus_belong_to_the_td(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 chldcnt;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	chldcnt = swt_m_td(&t->m, td.tdr)->chldcnt;
	swt_vcpu_create(t, &td, MIN_TDVPS);
	KUNIT_EXPECT_EQ(test, chldcnt + MIN_TDVPS, swt_m_td(&t->m, td.tdr)->chldcnt);
}

static struct kunit_case vp_cases[] = {
	KUNIT_CASE(vcpu_needs_all_its_pages),
	KUNIT_CASE(vcpu_takes_no_more_than_its_pages),
	KUNIT_CASE(vcpu_is_initialised_once),
	KUNIT_CASE(max_vcpus_is_the_limit),
	KUNIT_CASE(x2apic_ids_are_unique),
	KUNIT_CASE(vcpu_belongs_to_one_cpu),
	KUNIT_CASE(failed_field_access_associates),
	KUNIT_CASE(flush_works_before_and_after_finalize),
	KUNIT_CASE(enter_checks_its_operand),
	KUNIT_CASE(enter_of_a_vcpu_without_pages_is_refused),
	KUNIT_CASE(failed_enter_associates),
	KUNIT_CASE(pages_of_vcpus_belong_to_the_td),
	{}
};

static struct kunit_suite vp_suite = {
	.name = "tdx_sw_vp",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = vp_cases,
};

kunit_test_suite(vp_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: vCPUs");
MODULE_LICENSE("GPL");
