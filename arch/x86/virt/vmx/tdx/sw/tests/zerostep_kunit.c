// SPDX-License-Identifier: GPL-2.0
/*
 * Zero-step mitigation: entries that the filter keeps out of the guest.
 */
#include "guest.h"

#define FREE_FAULTS		6	/* that only count */
#define HOLE			0x100000ULL
#define ENTER_RECOVERABLE	BIT_ULL(52)

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
	for (i = 0; i <= FREE_FAULTS; i++)
		fault(s, HOLE);
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

static struct kunit_case zerostep_cases[] = {
	KUNIT_CASE(refused_entry_may_be_repeated),
	{}
};

SWG_SUITE("tdx_sw_zerostep", zerostep_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: zero-step mitigation");
MODULE_LICENSE("GPL");
