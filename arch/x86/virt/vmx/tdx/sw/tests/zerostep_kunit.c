// SPDX-License-Identifier: GPL-2.0
/*
 * Zero-step mitigation: entries that the filter keeps out of the guest.
 */
#include "guest.h"

#define FREE_FAULTS		6	/* that only count */
#define HOLE			0x100000ULL
#define ENTER_RECOVERABLE	BIT_ULL(52)
#define HOST_RBP		0x1234567890ULL

/* A write of the guest's that the CPU reports. */
static void fault(struct swg *s, u64 gpa)
{
	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = 2, .gpa = gpa,
	};
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	swg_handle(s);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "fault");
}

/* An exit of another kind, at the same instruction or elsewhere. */
static void interrupt(struct swg *s, u64 rip)
{
	s->x = (struct tdx_sw_test_exit) { .reason = EXIT_REASON_EXTERNAL_INTERRUPT };
	swg_vmwrite(s, GUEST_RIP, rip);
	swg_handle(s);
}

/* Would TDH.VP.ENTER let the guest run?  If not @s->x is what the host finds. */
static bool may_run(struct swg *s)
{
	s->x = (struct tdx_sw_test_exit) { .rbp = HOST_RBP };
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_zerostep(s->vcpu, &s->x));
	return !s->x.to_host;
}

static void expect_made_up(struct swg *s, u64 gpa)
{
	const struct tdx_module_args want = { .rcx = 2, .r8 = gpa };

	KUNIT_EXPECT_FALSE(s->test, may_run(s));
	KUNIT_EXPECT_EQ(s->test, s->x.rax, (u64)EXIT_REASON_EPT_VIOLATION);
	KUNIT_EXPECT_MEMEQ(s->test, &s->x.regs, &want, sizeof(want));
	KUNIT_EXPECT_EQ(s->test, s->x.rbp, HOST_RBP);
}

static u64 enter(struct swg *s, u64 flags)
{
	struct tdx_module_args args = { .rcx = s->vcpu | flags };

	return swt_call(s->t, L_VP_ENTER, &args);
}

/*
 * Where TDs can run the filter wants the tree, where they cannot the entry fails
 * next to it: the guest does not run, and the same call is as legal as before.
 */
static void refused_entry_may_be_repeated(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 status;
	unsigned int i;

	s->g.trap_like_exit = true;
	for (i = 0; i <= FREE_FAULTS; i++) {
		KUNIT_EXPECT_TRUE(test, may_run(s));
		fault(s, HOLE);
	}
	tdx_sw_test_fake_vmcs(NULL);
	swt_leave(s->t, s->vcpu);

	swt_lock(s->t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_SEPT_TREE, .object = s->td.tdr });
	status = enter(s, ENTER_RECOVERABLE);
	KUNIT_EXPECT_TRUE(test, status == ST_INCOMPATIBLE_SEAM_CAPABILITIES ||
			  status == (ST_OPERAND_BUSY | OP_SEPT_TREE));
	KUNIT_EXPECT_EQ(test, status, enter(s, ENTER_RECOVERABLE));
	swt_unlock_all(s->t);
}

/* The seventh is recorded; from then on the guest does not run before it is mapped. */
static void repeated_fault_is_made_up(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i <= FREE_FAULTS; i++) {
		KUNIT_EXPECT_TRUE(test, may_run(s));
		fault(s, HOLE + 8);
	}
	expect_made_up(s, HOLE);
	expect_made_up(s, HOLE);
	/* Not accepted is not enough. */
	swt_aug(s->t, &s->td, HOLE);
	expect_made_up(s, HOLE);
}

static void progress_ends_the_count(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i < 2 * FREE_FAULTS; i++) {
		KUNIT_EXPECT_TRUE(test, may_run(s));
		if (i == FREE_FAULTS)
			interrupt(s, CODE_RIP + 1);
		KUNIT_EXPECT_TRUE(test, may_run(s));
		fault(s, HOLE);
	}
	KUNIT_EXPECT_TRUE(test, may_run(s));
}

/* So many that the filter has one address to wait for. */
static void fault_until_recorded(struct swg *s, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < FREE_FAULTS; i++)
		fault(s, gpa);
	fault(s, gpa);
}

static void progress_ends_the_wait(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	KUNIT_EXPECT_TRUE(test, may_run(s));
	fault_until_recorded(s, HOLE);
	expect_made_up(s, HOLE);
	interrupt(s, CODE_RIP + 1);
	KUNIT_EXPECT_TRUE(test, may_run(s));
}

#define MAX_RECORDED	32
/* As it is stored: a leaf for all accesses, write-back, PAT ignored, #VE suppressed */
#define RAW_MAPPED	(BIT_ULL(63) | BIT_ULL(7) | BIT_ULL(6) | 6ULL << 3 | 7)
#define RAW_FREE	0x80e0000000000000ULL

static u64 hole(unsigned int i)
{
	return HOLE + i * PAGE_SIZE;
}

/* What the host does about a violation, as far as the filter looks. */
static void map_hole(struct swg *s, unsigned int i, bool on)
{
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_set_sept(s->td.tdr, hole(i), 0,
							 on ? RAW_MAPPED | s->data[0] :
							      RAW_FREE));
}

/* Each of them once, and no more than there is room for. */
static void addresses_are_recorded_up_to_a_limit(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, may_run(s));
	fault_until_recorded(s, HOLE);
	for (i = 0; i < MAX_RECORDED; i++)
		fault(s, HOLE + i);
	for (i = 1; i <= MAX_RECORDED; i++)
		fault(s, hole(i));
	/* All but the last one of them, then all: the 33rd was not recorded. */
	for (i = 0; i < MAX_RECORDED - 1; i++) {
		expect_made_up(s, hole(i));
		map_hole(s, i, true);
	}
	expect_made_up(s, hole(MAX_RECORDED - 1));
	map_hole(s, MAX_RECORDED - 1, true);
	KUNIT_EXPECT_TRUE(test, may_run(s));
	/* It stays recorded until there is progress. */
	map_hole(s, 3, false);
	expect_made_up(s, hole(3));
	for (i = 0; i < MAX_RECORDED; i++)
		map_hole(s, i, false);
}

/* With somebody at the tree nothing can be said: neither an entry nor a violation. */
static void filter_wants_the_tree(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	KUNIT_EXPECT_TRUE(test, may_run(s));
	fault_until_recorded(s, HOLE);
	swt_lock(s->t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_SEPT_TREE, .object = s->td.tdr });
	may_run(s);
	KUNIT_EXPECT_FALSE(test, s->x.to_host);
	swg_unlock_all(s);
	expect_made_up(s, HOLE);
}

/* ---- on request ---- */

static void forced_zero_step_shows_the_last_violation(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_zero_step(2, 2));
	fault(s, HOLE + 8);
	KUNIT_EXPECT_TRUE(test, may_run(s));
	fault(s, HOLE + PAGE_SIZE + 8);
	expect_made_up(s, HOLE + PAGE_SIZE);
	expect_made_up(s, HOLE + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, may_run(s));
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
}

/* There is nothing to show again. */
static void forced_zero_step_wants_a_violation(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_zero_step(1, 1));
	KUNIT_EXPECT_TRUE(test, may_run(s));
	fault(s, HOLE);
	interrupt(s, CODE_RIP);
	KUNIT_EXPECT_TRUE(test, may_run(s));
	/* An operand of TDCALL is no access of the CPU's. */
	s->g.gpr[G_RCX] = HOLE;
	s->g.gpr[G_RDX] = DATA_GPA;
	s->g.gpr[G_R8] = 0;
	swg_tdcall(s, T_REPORT);
	KUNIT_EXPECT_EQ(test, s->x.rax, (u64)EXIT_REASON_EPT_VIOLATION);
	KUNIT_EXPECT_TRUE(test, may_run(s));
	fault(s, HOLE);
	expect_made_up(s, HOLE);
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
}

static struct kunit_case zerostep_cases[] = {
	KUNIT_CASE(repeated_fault_is_made_up),
	KUNIT_CASE(progress_ends_the_count),
	KUNIT_CASE(progress_ends_the_wait),
	KUNIT_CASE(addresses_are_recorded_up_to_a_limit),
	KUNIT_CASE(filter_wants_the_tree),
	KUNIT_CASE(forced_zero_step_shows_the_last_violation),
	KUNIT_CASE(forced_zero_step_wants_a_violation),
	KUNIT_CASE(refused_entry_may_be_repeated),
	{}
};

SWG_SUITE("tdx_sw_zerostep", zerostep_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: zero-step mitigation");
MODULE_LICENSE("GPL");
