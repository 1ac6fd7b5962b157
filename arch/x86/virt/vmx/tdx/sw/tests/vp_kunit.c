// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs: pages, initialisation, the CPU they are associated with, and what keeps
 * one from being entered. Fields are in field_kunit.c.
 */
#include <asm/msr-index.h>
#include <asm/processor.h>

#include "fixture.h"

#define V0(tdvpr)	SWT_ARGS(.rcx = (tdvpr))

#define FIELD_TOPOLOGY	0x9100000000000019ULL	/* TOPOLOGY_ENUM_CONFIGURED */

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

/* Without one for every vCPU there is no topology to enumerate. */
static void topology_wants_all_x2apic_ids(struct kunit *test)
{
	struct tdx_module_args args;
	struct swt *t = swt_of(test);
	u64 tdvpr, v1 = L_V1(L_VP_INIT);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	for (i = 0; i < 3; i++) {
		tdvpr = swt_vcpu_create(t, &td, MIN_TDVPS);
		/* The last has none. */
		if (i < 2)
			swt_ok(t, v1, SWT_ARGS(.rcx = tdvpr, .r8 = i + 1));
		else
			swt_ok(t, L_VP_INIT, V0(tdvpr));
		args = (struct tdx_module_args) { .rcx = td.tdr, .rdx = FIELD_TOPOLOGY };
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_MNG_RD, &args));
		KUNIT_EXPECT_EQ_MSG(test, args.r8, i < 2 ? 1ULL : 0ULL, "vCPU %u", i);
	}
}

#define HOB	0x123456789000ULL

/* Indices of general registers */
enum { AT_RCX = 1, AT_RDX, AT_RBX, AT_RSI = 6, AT_R8 = 8 };

static void new_vcpu_starts_in_the_known_state(struct kunit *test)
{
	u64 want[16] = {
		[AT_RCX] = HOB, [AT_R8] = HOB, [AT_RBX] = tdx_sw_gpa_width(),
		[AT_RDX] = cpuid_eax(1) & 0x0fff3fff,
	};
	struct tdx_sw_test_guest guest;
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;
	u64 tdvpr;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	for (i = 0; i < 2; i++) {
		tdvpr = swt_vcpu_create(t, &td, MIN_TDVPS);
		swt_ok(t, L_VP_INIT, SWT_ARGS(.rcx = tdvpr, .rdx = HOB));
		KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_guest_get(tdvpr, &guest));
		want[AT_RSI] = i;
		KUNIT_EXPECT_MEMEQ(test, guest.gpr, want, sizeof(want));
		KUNIT_EXPECT_EQ(test, guest.xcr0, 1ULL);
		KUNIT_EXPECT_EQ(test, guest.xss, 0ULL);
		KUNIT_EXPECT_EQ(test, guest.event, 0U);
	}
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
	swt_no(t, ST_OP_STATE_INCORRECT | OS_INITIALIZED, L_VP_ENTER, V0(td.vcpu));
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

/* ---- what the CPU has to be like ---- */

#define ON_TSC_ADJUST		0x3b
#define ON_MISC_ENABLE		0x1a0
#define CPUID_1_ECX		(PARAMS_CPUID + 8)
#define HAS_MONITOR		BIT(3)

static void build_with_monitor(struct swt *t, struct swt_td *td)
{
	if (!(cpuid_ecx(1) & HAS_MONITOR))
		kunit_skip(t->test, "needs MONITOR");
	swt_td_build(t, td, 0, STAGE_UNINITIALIZED);
	*(u32 *)(swt_va(td->params) + CPUID_1_ECX) = HAS_MONITOR;
	swt_td_init(t, td);
	td->vcpu = swt_vcpu_add(t, td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td->tdr));
}

static void set_last_tsc(struct swt *t, u64 tdvpr, u64 tsc)
{
	struct tdx_sw_test_guest guest;

	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_guest_get(tdvpr, &guest));
	guest.last_tsc = tsc;
	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_guest_set(tdvpr, &guest));
}

/* Fail the check that comes next, or an entry would succeed where there is VMX. */
static void hold_epoch(struct swt *t, const struct swt_td *td)
{
	swt_lock(t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_TD_EPOCH, .object = td->tdr, .excl = true });
}

/* Refused, and nothing left behind but an association. */
static void enter_associates_only(struct swt *t, u64 want, u64 tdvpr, u64 flags)
{
	struct tdx_module_args args = { .rcx = tdvpr | flags };
	struct tdx_sw_vcpu_info before, after;

	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_vcpu(tdvpr, &before));
	KUNIT_EXPECT_EQ(t->test, want, swt_call(t, L_VP_ENTER, &args));
	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_vcpu(tdvpr, &after));
	before.assoc_lp = t->cpu;
	KUNIT_EXPECT_MEMEQ(t->test, &before, &after, sizeof(before));
	swt_m_associate(&t->m, swt_m_vcpu(&t->m, tdvpr), t->cpu);
	swt_check(t);
}

/* All is wrong, and put right from the front. */
static void enter_checks_in_order(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_fake_msrs *msrs;
	struct swt_td td;

	build_with_monitor(t, &td);
	swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
	hold_epoch(t, &td);
	set_last_tsc(t, td.vcpu, U64_MAX);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_op_state(td.tdr, OS_INITIALIZED));
	msrs = swt_fake_msrs(t);
	msrs->misc_enable = MSR_IA32_MISC_ENABLE_LIMIT_CPUID;
	msrs->tsc_adjust++;

	swt_no(t, ST_LIMIT_CPUID_MAXVAL_SET, L_VP_ENTER, V0(td.vcpu | BIT_ULL(63)));
	msrs->misc_enable = 0;
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_VP_ENTER, V0(td.vcpu | BIT_ULL(63)));
	swt_no(t, ST_OP_STATE_INCORRECT | OS_INITIALIZED, L_VP_ENTER,
	       V0(td.vcpu | ENTER_RECOVERABLE));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_op_state(td.tdr, OS_RUNNABLE));
	enter_associates_only(t, ST_OPERAND_INVALID | OP_RCX, td.vcpu, ENTER_RECOVERABLE);
	swt_no(t, ST_INCONSISTENT_MSR | ON_TSC_ADJUST, L_VP_ENTER, V0(td.vcpu));
	msrs->tsc_adjust--;
	swt_no(t, ST_TSC_ROLLBACK, L_VP_ENTER, V0(td.vcpu));
	set_last_tsc(t, td.vcpu, 0);
	swt_no(t, ST_INCORRECT_MSR_VALUE | ON_MISC_ENABLE, L_VP_ENTER, V0(td.vcpu));
	msrs->misc_enable = MSR_IA32_MISC_ENABLE_MWAIT;
	swt_no(t, ST_OPERAND_BUSY | OP_TD_EPOCH, L_VP_ENTER, V0(td.vcpu));
}

/* Each of them alone; nobody waits for a vCPU that was not let in. */
static void entry_on_a_changed_cpu_is_in_no_epoch(struct kunit *test)
{
	static const struct {
		u64 tsc_adjust;		/* that is added */
		u64 last_tsc;
		u64 misc_enable;
		u64 want;
	} cell[] = {
		{ 1, 0, MSR_IA32_MISC_ENABLE_MWAIT, ST_INCONSISTENT_MSR | ON_TSC_ADJUST },
		{ 0, U64_MAX, MSR_IA32_MISC_ENABLE_MWAIT, ST_TSC_ROLLBACK },
		{ 0, 0, 0, ST_INCORRECT_MSR_VALUE | ON_MISC_ENABLE },
	};
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	build_with_monitor(t, &td);
	for (i = 0; i < ARRAY_SIZE(cell); i++) {
		struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(t);

		swt_ok(t, L_VP_FLUSH, V0(td.vcpu));
		msrs->tsc_adjust += cell[i].tsc_adjust;
		msrs->misc_enable = cell[i].misc_enable;
		set_last_tsc(t, td.vcpu, cell[i].last_tsc);
		enter_associates_only(t, cell[i].want, td.vcpu, 0);
		swt_track(t, &td);
		swt_track(t, &td);
	}
}

static void monitor_is_for_tds_that_have_it(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	hold_epoch(t, &td);
	swt_fake_msrs(t)->misc_enable = 0;
	swt_no(t, ST_OPERAND_BUSY | OP_TD_EPOCH, L_VP_ENTER, V0(td.vcpu));
}

static void init_wants_tsc_adjust_as_it_was(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(t);
	struct swt_td td;
	u64 tdvpr;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	tdvpr = swt_vcpu_create(t, &td, MIN_TDVPS);
	msrs->tsc_adjust++;
	swt_no(t, ST_INCONSISTENT_MSR | ON_TSC_ADJUST, L_VP_INIT, V0(tdvpr));
	swt_no(t, ST_INCONSISTENT_MSR | ON_TSC_ADJUST, L_V1(L_VP_INIT),
	       SWT_ARGS(.rcx = tdvpr, .r8 = 7));
	msrs->tsc_adjust--;
	swt_ok(t, L_VP_INIT, V0(tdvpr));
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
	KUNIT_CASE(topology_wants_all_x2apic_ids),
	KUNIT_CASE(new_vcpu_starts_in_the_known_state),
	KUNIT_CASE(vcpu_belongs_to_one_cpu),
	KUNIT_CASE(failed_field_access_associates),
	KUNIT_CASE(flush_works_before_and_after_finalize),
	KUNIT_CASE(enter_checks_its_operand),
	KUNIT_CASE(enter_of_a_vcpu_without_pages_is_refused),
	KUNIT_CASE(failed_enter_associates),
	KUNIT_CASE(enter_checks_in_order),
	KUNIT_CASE(entry_on_a_changed_cpu_is_in_no_epoch),
	KUNIT_CASE(monitor_is_for_tds_that_have_it),
	KUNIT_CASE(init_wants_tsc_adjust_as_it_was),
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
