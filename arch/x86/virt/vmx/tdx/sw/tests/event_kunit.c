// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions that the module raises: how they combine with an event whose
 * delivery was interrupted, and when a #VE becomes a #DF; exits that concern the host.
 */
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "guest.h"

/* Instructions that raise an exception of each class */
#define RAISES_UD	EXIT_REASON_VMON
#define RAISES_GP	EXIT_REASON_RDPMC
#define RAISES_VE	EXIT_REASON_HLT

#define XC_MC		18
#define ST_NON_RECOVERABLE_VCPU	ST(0x40000001)
#define ST_NON_RECOVERABLE_TD	ST(0x60000002)
#define ST_NON_ACCESSIBLE	ST(0x60000005)

#define DOUBLE_FAULT	EV_WITH_CODE(XC_DF)
#define IDT_LIMIT	0xfffULL

static void raise(struct swg *s, u32 reason, u32 in_delivery)
{
	s->x = (struct tdx_sw_test_exit) {
		.reason = reason, .instr_len = 1, .vectoring = in_delivery,
	};
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	swg_vmwrite(s, GUEST_IDTR_LIMIT, IDT_LIMIT);
	swg_handle(s);
}

enum outcome { NEW, DF, TRIPLE };

/* Rows: what was in delivery; columns: #UD, #GP, #VE. */
static const struct {
	const char *name;
	u32 event;
	u8 outcome[3];
} combinations[] = {
	{ "#DE", EV_EXCEPTION(0), { NEW, DF, NEW } },
	{ "#DB", EV_EXCEPTION(1), { NEW, NEW, NEW } },
	{ "#UD", EV_EXCEPTION(6), { NEW, NEW, NEW } },
	{ "#NM", EV_EXCEPTION(7), { NEW, NEW, NEW } },
	{ "#DF", EV_WITH_CODE(8), { NEW, TRIPLE, TRIPLE } },
	{ "#TS", EV_WITH_CODE(10), { NEW, DF, NEW } },
	{ "#NP", EV_WITH_CODE(11), { NEW, DF, NEW } },
	{ "#SS", EV_WITH_CODE(12), { NEW, DF, NEW } },
	{ "#GP", EV_WITH_CODE(13), { NEW, DF, NEW } },
	{ "#PF", EV_WITH_CODE(14), { NEW, DF, DF } },
	{ "#MF", EV_EXCEPTION(16), { NEW, NEW, NEW } },
	{ "#AC", EV_WITH_CODE(17), { NEW, NEW, NEW } },
	{ "#XM", EV_EXCEPTION(19), { NEW, NEW, NEW } },
	{ "#VE", EV_EXCEPTION(20), { NEW, DF, DF } },
	{ "#CP", EV_WITH_CODE(21), { NEW, DF, NEW } },
	{ "interrupt 20", INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | 20, { NEW, NEW, NEW } },
	{ "INT 14", INTR_INFO_VALID_MASK | INTR_TYPE_SOFT_INTR | 14, { NEW, NEW, NEW } },
	{ "INT3", INTR_INFO_VALID_MASK | INTR_TYPE_SOFT_EXCEPTION | 3, { NEW, NEW, NEW } },
};

static const struct {
	const char *name;
	u32 reason;
	u32 event;
} raised[] = {
	{ "#UD", RAISES_UD, EV_EXCEPTION(XC_UD) },
	{ "#GP", RAISES_GP, EV_WITH_CODE(XC_GP) },
	{ "#VE", RAISES_VE, EV_EXCEPTION(XC_VE) },
};

static void events_combine_as_the_cpu_has_it(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i, j;
	char what[32];

	for (i = 0; i < ARRAY_SIZE(combinations); i++) {
		for (j = 0; j < ARRAY_SIZE(raised); j++) {
			u8 outcome = combinations[i].outcome[j];

			snprintf(what, sizeof(what), "%s during %s", raised[j].name,
				 combinations[i].name);
			raise(s, raised[j].reason, combinations[i].event);
			swg_expect_event(s, outcome == NEW ? raised[j].event : DOUBLE_FAULT, 0,
					 what);
			/* The CPU makes a triple fault of a #DF that has no gate. */
			KUNIT_EXPECT_EQ_MSG(test, swg_vmread(s, GUEST_IDTR_LIMIT),
					    outcome == TRIPLE ? 0ULL : IDT_LIMIT, "%s", what);
			/* What the guest has not been told of it cannot ask for. */
			KUNIT_EXPECT_EQ_MSG(test, !!s->g.ve_valid,
					    outcome == NEW && raised[j].reason == RAISES_VE,
					    "%s", what);
			s->g.ve_valid = 0;
		}
	}
}

static void second_ve_becomes_df(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct swg_ve ve;

	raise(s, RAISES_VE, 0);
	swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, "first");
	s->x = (struct tdx_sw_test_exit) {};
	raise(s, EXIT_REASON_WBINVD, 0);
	swg_expect_event(s, DOUBLE_FAULT, 0, "second");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IDTR_LIMIT), IDT_LIMIT);

	/* The first one's information is still there. */
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_veinfo(s, &ve));
	KUNIT_EXPECT_EQ(test, ve.reason, (u64)RAISES_VE);
	raise(s, EXIT_REASON_WBINVD, 0);
	swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, "third");
}

static void second_ve_during_df_is_a_triple_fault(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	raise(s, RAISES_VE, 0);
	raise(s, RAISES_VE, EV_WITH_CODE(XC_DF));
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IDTR_LIMIT), 0ULL);
}

static void other_exceptions_leave_ve_information_alone(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct swg_ve ve;

	raise(s, RAISES_VE, 0);
	raise(s, RAISES_GP, 0);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "#GP");
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_veinfo(s, &ve));
	KUNIT_EXPECT_EQ(test, ve.reason, (u64)RAISES_VE);
}

static void nmi_that_gives_way_stays_pending(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	raise(s, RAISES_UD, INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | 2);
	swg_expect_event(s, EV_EXCEPTION(XC_UD), 0, "#UD during an NMI");
	KUNIT_EXPECT_TRUE(test, s->g.pend_nmi);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_NMI,
			0ULL);
}

/* Nothing new: what was interrupted is delivered again, by the next entry. */
static void interrupted_event_is_not_lost(struct kunit *test)
{
	u32 event = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | 0x31;
	struct swg *s = swg_start(test, NULL);

	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .vectoring = event, .gpa = 0x80000000,
		.qual = 2,
	};
	swg_handle(s);
	KUNIT_EXPECT_TRUE(test, s->x.to_host);
	KUNIT_EXPECT_EQ(test, s->g.event, event);
}

/* An exit of which this is all that the CPU tells */
static void host_exit(struct swg *s, const struct tdx_sw_test_exit *x)
{
	s->x = *x;
	s->g.event = 0;
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	swg_handle(s);
}

#define HOLE		0x80000000ULL	/* private, and nothing there */
#define EV_UNDEFINED	BIT(12)		/* of what was interrupted */
#define EV_NMI		(INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | 2)

static void interrupted_fault_keeps_its_error_code(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = HOLE, .qual = 2,
		.vectoring = EV_WITH_CODE(XC_PF) | EV_UNDEFINED, .vectoring_error = 6 });
	KUNIT_EXPECT_EQ(test, s->g.event, (u32)EV_WITH_CODE(XC_PF));
	KUNIT_EXPECT_EQ(test, s->g.event_error, 6U);
}

/* The CPU blocks NMIs when it begins to deliver one, and injects none while it does. */
static void interrupted_nmi_is_not_blocked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	swg_vmwrite(s, GUEST_INTERRUPTIBILITY_INFO, GUEST_INTR_STATE_NMI);
	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = HOLE, .qual = 2, .vectoring = EV_NMI });
	KUNIT_EXPECT_EQ(test, s->g.event, (u32)EV_NMI);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO), 0ULL);
	KUNIT_EXPECT_FALSE(test, s->g.pend_nmi);
}

/* IRET had unblocked NMIs before it faulted: it will run again. */
static void iret_that_faults_leaves_nmis_blocked(struct kunit *test)
{
	const u64 unblocked = BIT_ULL(12);
	struct swg *s = swg_start(test, NULL);
	struct tdx_sw_test_exit x = {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = HOLE, .qual = 2 | unblocked,
	};

	host_exit(s, &x);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO),
			(u64)GUEST_INTR_STATE_NMI);
	/* The host is not told. */
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 2ULL);

	/* It says nothing in the middle of a delivery. */
	swg_vmwrite(s, GUEST_INTERRUPTIBILITY_INFO, 0);
	x.vectoring = EV_WITH_CODE(XC_GP);
	host_exit(s, &x);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO), 0ULL);

	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.intr_info = EV_EXCEPTION(XC_UD) | unblocked });
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO),
			(u64)GUEST_INTR_STATE_NMI);
}

/* As the CPU has it: no #VE while it delivers an event. */
static void violation_during_delivery_is_no_ve(struct kunit *test)
{
	const u64 gpa[] = { BIT_ULL(tdx_sw_gpa_width() - 1) | 0x5000, 0x40000 };
	u32 event = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | 0x31;
	struct swg *s = swg_start(test, NULL);
	struct tdx_sw_test_exit x = { .reason = EXIT_REASON_EPT_VIOLATION, .qual = 2 };
	unsigned int i;

	swt_aug(s->t, &s->td, gpa[1]);
	for (i = 0; i < ARRAY_SIZE(gpa); i++) {
		x.gpa = gpa[i];
		x.vectoring = 0;
		host_exit(s, &x);
		swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, i ? "pending" : "shared");
		s->g.ve_valid = 0;

		x.vectoring = event;
		host_exit(s, &x);
		swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, i ? "pending" : "shared");
		KUNIT_EXPECT_EQ(test, s->x.regs.r8, gpa[i]);
		KUNIT_EXPECT_EQ(test, s->g.event, event);
		KUNIT_EXPECT_EQ(test, s->g.ve_valid, 0U);
	}
}

/* The host has dealt with it meanwhile: the guest does the same once more. */
static void violation_that_is_over_is_nobodys(struct kunit *test)
{
	u32 event = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | 0x31;
	struct swg *s = swg_start(test, NULL);

	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = DATA_GPA, .qual = 2,
		.vectoring = event });
	KUNIT_EXPECT_FALSE(test, s->x.to_host);
	KUNIT_EXPECT_EQ(test, s->g.event, event);
	KUNIT_EXPECT_EQ(test, s->g.ve_valid, 0U);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), CODE_RIP);
}

#define PF_PRESENT	BIT(0)
#define PF_WRITE	BIT(1)
#define PF_USER		BIT(2)
#define PF_RESERVED	BIT(3)
#define PF_FETCH	BIT(4)

/* The CPU has wider addresses than the TD, whose page tables have one of them. */
static void address_beyond_the_width_is_a_page_fault(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int cpl;

	for (cpl = 0; cpl < 4; cpl++) {
		u32 user = cpl == 3 ? PF_USER : 0;

		swg_set_cpl(s, cpl);
		s->g.event = 0;
		s->x = (struct tdx_sw_test_exit) {
			.reason = EXIT_REASON_EPT_VIOLATION, .qual = BIT_ULL(7) | 2,
			.gla = 0x7fff12345678, .gpa = BIT_ULL(tdx_sw_gpa_width()),
		};
		swg_vmwrite(s, GUEST_RIP, CODE_RIP);
		swg_handle(s);
		swg_expect_event(s, EV_WITH_CODE(XC_PF), PF_PRESENT | PF_WRITE | PF_RESERVED | user,
				 "CPL");
		KUNIT_EXPECT_EQ(test, s->g.cr2, 0x7fff12345678ULL);
	}
	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = BIT_ULL(7) | 4,
		.gla = 0x7fff12345678, .gpa = BIT_ULL(tdx_sw_gpa_width()) });
	swg_expect_event(s, EV_WITH_CODE(XC_PF), PF_PRESENT | PF_FETCH | PF_RESERVED | PF_USER,
			 "fetch");
}

#define BUS_LOCK	BIT(26)

static void bus_lock_exit(struct swg *s, u32 earlier, u32 reason)
{
	s->x = (struct tdx_sw_test_exit) {
		.earlier = earlier, .reason = reason, .gpa = 0x80000000, .qual = 2,
	};
	s->g.event = 0;
	s->g.gpr[G_RAX] = T_VMCALL;
	s->g.gpr[G_RCX] = 0;
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	swg_handle(s);
}

/* The host hears of it, whatever kind of exit there is, and the guest does not. */
static void bus_lock_is_for_the_host(struct kunit *test)
{
	static const u32 reasons[] = {
		EXIT_REASON_EXTERNAL_INTERRUPT, EXIT_REASON_EPT_VIOLATION, EXIT_REASON_TDCALL,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		bus_lock_exit(s, 0, reasons[i]);
		KUNIT_EXPECT_EQ(test, s->x.rax, (u64)reasons[i]);
		bus_lock_exit(s, 0, reasons[i] | BUS_LOCK);
		KUNIT_EXPECT_EQ(test, s->x.rax, (u64)(reasons[i] | BUS_LOCK));
		bus_lock_exit(s, EXIT_REASON_NMI_WINDOW | BUS_LOCK, reasons[i]);
		KUNIT_EXPECT_EQ(test, s->x.rax, (u64)(reasons[i] | BUS_LOCK));
	}
	swg_instruction(s, EXIT_REASON_HLT | BUS_LOCK, 1, 0);
	swg_expect_ve(s, EXIT_REASON_HLT, 0, "HLT");
}

/* ---- exits that are the host's ---- */

#define HOST_RBP	0x1234567890ULL

/* Whatever else the CPU tells is not what the host gets with these. */
static void exits_tell_no_more_than_they_should(struct kunit *test)
{
	static const struct {
		u32 reason;
		u64 qual;
		u64 rcx;
	} rows[] = {
		{ EXIT_REASON_INIT_SIGNAL }, { EXIT_REASON_BUS_LOCK }, { EXIT_REASON_NOTIFY },
		{ EXIT_REASON_TASK_SWITCH, 0x40000018, 0x40000018 },
		{ EXIT_REASON_TASK_SWITCH, BIT_ULL(32) | 0x18, 0x18 },
	};
	u64 shared = BIT_ULL(tdx_sw_gpa_width() - 1) | 0x5000;
	struct swg *s = swg_start(test, NULL);
	struct tdx_module_args want = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		host_exit(s, &(struct tdx_sw_test_exit) {
			.reason = rows[i].reason, .qual = rows[i].qual, .gpa = 0x5678,
			.intr_info = EV_EXCEPTION(XC_MC), .gla = 0x1234, .rbp = HOST_RBP });
		swg_expect_host(s, rows[i].reason, "exit");
		want.rcx = rows[i].rcx;
		KUNIT_EXPECT_MEMEQ(test, &s->x.regs, &want, sizeof(want));
		KUNIT_EXPECT_EQ(test, s->x.rbp, 0ULL);
	}
	/* What is wrong in its own EPT the host has to find out. */
	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_MISCONFIG, .qual = 0x1234, .gpa = shared | 0x678 });
	swg_expect_host(s, EXIT_REASON_EPT_MISCONFIG, "misconfiguration");
	want = (struct tdx_module_args) { .r8 = shared };
	KUNIT_EXPECT_MEMEQ(test, &s->x.regs, &want, sizeof(want));
}

static void rbp_stays_the_hosts_with_no_rbp_mod(struct kunit *test)
{
	struct swg_config config = { .config_flags = BIT_ULL(2) };
	struct swg *s = swg_start(test, &config);

	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = HOLE, .qual = 2, .rbp = HOST_RBP });
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "exit");
	KUNIT_EXPECT_EQ(test, s->x.rbp, HOST_RBP);
	s->g.gpr[G_RAX] = T_VMCALL;
	s->g.gpr[G_RCX] = BIT_ULL(G_R10);
	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_TDCALL, .instr_len = TDCALL_LEN, .rbp = HOST_RBP });
	KUNIT_EXPECT_EQ(test, s->x.rax, (u64)EXIT_REASON_TDCALL);
	KUNIT_EXPECT_EQ(test, s->x.rbp, HOST_RBP);
}

/* Not acknowledged, so it is no external interrupt; the host only has to let it in. */
static void guard_timer_lets_interrupts_of_the_host_in(struct kunit *test)
{
	struct tdx_sw_test_exit x = { .reason = EXIT_REASON_PREEMPTION_TIMER };
	struct swg *s = swg_start(test, NULL);

	host_exit(s, &x);
	KUNIT_EXPECT_FALSE(test, s->x.to_host);
	x.interrupted = true;
	host_exit(s, &x);
	swg_expect_host(s, EXIT_REASON_OTHER_SMI, "interrupt");
}

/* Its vCPU can still be looked at, and the others go on. */
static void triple_fault_ends_the_vcpu(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	swg_instruction(s, EXIT_REASON_TRIPLE_FAULT, 0, 0);
	swg_expect_host(s, ST_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT, "triple fault");
	swt_m_vcpu(&s->t->m, s->vcpu)->state = VS_DISABLED;
	swt_check(s->t);
	swt_ok(s->t, L_VP_RD, SWT_ARGS(.rcx = s->vcpu, .rdx = FIELD_VCPU_INDEX));
	swt_no(s->t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_WR,
	       SWT_ARGS(.rcx = s->vcpu, .rdx = FIELD_PEND_NMI, .r8 = 1, .r9 = 1));
	swt_no(s->t, ST_VCPU_STATE_INCORRECT | ST_ANY_DETAIL, L_VP_ENTER,
	       SWT_ARGS(.rcx = s->vcpu));
}

#define ENTRY_FAILED	BIT(31)

struct end {
	const char *what;
	u32 reason;
	u32 intr_info;
	u64 qual;
	u64 status;
};

static const struct end ends[] = {
	{ "machine check", EXIT_REASON_EXCEPTION_NMI, EV_EXCEPTION(XC_MC), 0, ST_NON_ACCESSIBLE },
	{ "notification without context", EXIT_REASON_NOTIFY, 0, 1, ST_NON_RECOVERABLE_TD },
	{ "bad guest state", ENTRY_FAILED | EXIT_REASON_INVALID_STATE, 0, 0,
	  ST_NON_RECOVERABLE_TD },
	{ "bad MSR", ENTRY_FAILED | EXIT_REASON_MSR_LOAD_FAIL, 0, 1, ST_NON_RECOVERABLE_TD },
	{ "machine check on entry", ENTRY_FAILED | EXIT_REASON_MCE_DURING_VMENTRY, 0, 0,
	  ST_NON_ACCESSIBLE },
};

static void describe_end(const struct end *end, char *desc)
{
	strscpy(desc, end->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ends, ends, describe_end);

static void exit_ends_the_td(struct kunit *test)
{
	const struct end *end = test->param_value;
	struct swg *s = swg_start(test, NULL);

	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = end->reason, .intr_info = end->intr_info, .qual = end->qual });
	swg_expect_host(s, end->status | end->reason, end->what);
	swt_m_td(&s->t->m, s->td.tdr)->fatal = true;
	swt_check(s->t);
	swg_instruction(s, EXIT_REASON_HLT, 1, 0);
	swg_expect_host(s, ST_TD_FATAL, "whatever comes next");
	swt_no(s->t, ST_TD_FATAL, L_MNG_RD, SWT_ARGS(.rcx = s->td.tdr, .rdx = FIELD_NUM_VCPUS));
}

/*
 * It passes the last check, and comes no further: there is no VMX, or the zero-step
 * filter is told to keep it out.
 */
static void refused_entry_is_counted_out_again(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct tdx_module_args args = { .rcx = s->vcpu };
	u64 status;

	host_exit(s, &(struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = HOLE, .qual = 2 });
	tdx_sw_test_fake_vmcs(NULL);
	swt_leave(s->t, s->vcpu);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_zero_step(1, 1));
	status = swt_call(s->t, L_VP_ENTER, &args);
	KUNIT_EXPECT_TRUE(test, status == ST_INCOMPATIBLE_SEAM_CAPABILITIES ||
			  status == EXIT_REASON_EPT_VIOLATION);
	swt_check(s->t);
}

/* ---- a TD that another vCPU found fatal ---- */

static void vcpus_leave_a_fatal_td_at_their_next_exit(struct kunit *test)
{
	static const u32 reasons[] = {
		EXIT_REASON_CPUID, EXIT_REASON_HLT, EXIT_REASON_TDCALL,
		EXIT_REASON_EPT_VIOLATION, EXIT_REASON_TRIPLE_FAULT,
		EXIT_REASON_PREEMPTION_TIMER,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_fatal(s->td.tdr));
	swt_m_td(&s->t->m, s->td.tdr)->fatal = true;
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		s->g.gpr[G_RAX] = 0;
		swg_instruction(s, reasons[i], 2, 0);
		swg_expect_host(s, ST_TD_FATAL, "fatal");
		KUNIT_EXPECT_EQ(test, s->g.event, 0U);
		KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 0ULL);
		KUNIT_EXPECT_EQ(test, s->x.regs.r8, 0ULL);
	}
}

/* Nobody but the host can handle these, and the CPU won't tell it again. */
static void events_for_the_host_reach_it_from_a_fatal_td(struct kunit *test)
{
	u32 interrupt = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | 0xec;
	u32 nmi = INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | 2;
	static const u32 reasons[] = {
		EXIT_REASON_INIT_SIGNAL, EXIT_REASON_SIPI_SIGNAL, EXIT_REASON_OTHER_SMI,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_fatal(s->td.tdr));
	swt_m_td(&s->t->m, s->td.tdr)->fatal = true;
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EXTERNAL_INTERRUPT, .intr_info = interrupt,
	};
	swg_handle(s);
	swg_expect_host(s, EXIT_REASON_EXTERNAL_INTERRUPT, "interrupt");
	KUNIT_EXPECT_EQ(test, s->x.regs.r9, (u64)interrupt);
	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EXCEPTION_NMI, .intr_info = nmi,
	};
	swg_handle(s);
	swg_expect_host(s, EXIT_REASON_EXCEPTION_NMI, "NMI");
	KUNIT_EXPECT_EQ(test, s->x.regs.r9, (u64)nmi);
	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EXCEPTION_NMI, .intr_info = EV_EXCEPTION(XC_MC),
	};
	swg_handle(s);
	swg_expect_host(s, ST_NON_ACCESSIBLE | EXIT_REASON_EXCEPTION_NMI, "#MC");
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		s->x = (struct tdx_sw_test_exit) { .reason = reasons[i] };
		swg_handle(s);
		swg_expect_host(s, reasons[i], "signal");
	}
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(vcpus_leave_a_fatal_td_at_their_next_exit),
	KUNIT_CASE(events_for_the_host_reach_it_from_a_fatal_td),
	KUNIT_CASE(events_combine_as_the_cpu_has_it),
	KUNIT_CASE(second_ve_becomes_df),
	KUNIT_CASE(second_ve_during_df_is_a_triple_fault),
	KUNIT_CASE(other_exceptions_leave_ve_information_alone),
	KUNIT_CASE(nmi_that_gives_way_stays_pending),
	KUNIT_CASE(interrupted_event_is_not_lost),
	KUNIT_CASE(interrupted_fault_keeps_its_error_code),
	KUNIT_CASE(interrupted_nmi_is_not_blocked),
	KUNIT_CASE(iret_that_faults_leaves_nmis_blocked),
	KUNIT_CASE(violation_during_delivery_is_no_ve),
	KUNIT_CASE(violation_that_is_over_is_nobodys),
	KUNIT_CASE(address_beyond_the_width_is_a_page_fault),
	KUNIT_CASE(bus_lock_is_for_the_host),
	KUNIT_CASE(exits_tell_no_more_than_they_should),
	KUNIT_CASE(rbp_stays_the_hosts_with_no_rbp_mod),
	KUNIT_CASE(guard_timer_lets_interrupts_of_the_host_in),
	KUNIT_CASE(triple_fault_ends_the_vcpu),
	KUNIT_CASE_PARAM(exit_ends_the_td, ends_gen_params),
	KUNIT_CASE(refused_entry_is_counted_out_again),
	{}
};

SWG_SUITE("tdx_sw_event", event_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: events in a TD");
MODULE_LICENSE("GPL");
