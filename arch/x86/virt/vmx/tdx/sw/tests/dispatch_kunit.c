// SPDX-License-Identifier: GPL-2.0
/*
 * What the dispatcher makes of RAX in a module that is ready, and what holds for
 * every leaf: junk is refused without a trace, registers come back, interrupts
 * stay as they are. Other states of the module are in sys_kunit.c.
 */
#include <linux/irqflags.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "fixture.h"

static void reserved_bits_of_rax_are_refused(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);
	unsigned int bit;

	for (bit = 24; bit < 63; bit++)
		swt_no(t, ST_OPERAND_INVALID | OP_RAX, L_PAGE_RDMD | BIT_ULL(bit),
		       SWT_ARGS(.rcx = page));
}

/* Bit 63 is for another module, which is not there: as the host sees VMfailInvalid. */
static void seamldr_calls_never_reach_the_module(struct kunit *test)
{
	struct swt *t = swt_of(test);

	swt_no(t, 0x8000ff00ffff0000ULL, BIT_ULL(63), SWT_ARGS());
	swt_no(t, 0x8000ff00ffff0000ULL, BIT_ULL(63) | L_PAGE_RDMD, SWT_ARGS());
}

/* Later modules have versions of these; nothing here says whether this one has. */
static bool has_newer_versions(unsigned int nr)
{
	return nr == L_SYS_INIT || nr == L_SYS_CONFIG || nr == L_SYS_UPDATE;
}

static void only_documented_versions_exist(struct kunit *test)
{
	struct swt *t = swt_of(test);
	const struct sheet_leaf *leaf;
	unsigned int i, version;

	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		for (version = 1; version < 256; version = version * 2 + 1) {
			u64 rax = leaf->nr | version << 16;

			if (version > leaf->max_version && !has_newer_versions(leaf->nr))
				swt_no(t, ST_OPERAND_INVALID | OP_RAX, rax, SWT_ARGS());
		}
	}
}

/* Version 1 gets as far as version 0 with an operand that is no TD's page. */
static void documented_versions_are_accepted(struct kunit *test)
{
	struct swt *t = swt_of(test);
	const struct sheet_leaf *leaf;
	u64 page = swt_page(t);
	unsigned int i;

	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		struct tdx_module_args args = { .rcx = page, .rdx = page };
		u64 op = leaf->td == TD_IN_RDX ? OP_RDX : OP_RCX;

		if (leaf->max_version)
			swt_no(t, ST_PAGE_METADATA_INCORRECT | op, L_V1(leaf->nr), &args);
	}
}

static void unknown_leaves_are_refused(struct kunit *test)
{
	static const u16 unknown[] = {
		42, 54, 55, 56, 57, 62, 63, 76, 79, 88, 91, 98, 127, 128, 200, 255, 256, 0x1000,
		0x8000, 0xffff,
	};
	struct swt *t = swt_of(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		swt_no(t, ST_OPERAND_INVALID | OP_RAX, unknown[i], SWT_ARGS());
		swt_no(t, ST_OPERAND_INVALID | OP_RAX, L_V1(unknown[i]), SWT_ARGS());
	}
}

/* Leaves that do not look at registers, and succeed whenever the module is ready. */
static bool has_no_operands(unsigned int nr)
{
	return nr == L_MNG_KEY_RECLAIMID || nr == L_SYS_LP_SHUTDOWN;
}

static void set_all(struct tdx_module_args *args, u64 val)
{
	u64 *reg = (u64 *)args;
	unsigned int i;

	for (i = 0; i < sizeof(*args) / sizeof(*reg); i++)
		reg[i] = val;
}

static void junk_is_refused_by_every_leaf(struct kunit *test)
{
	static const u64 junk[] = {
		~0ULL, 0xa5a5a5a5a5a5a5a5ULL, 0x7fffffffffffffffULL, 0xffffff000ULL, 0x1001,
		BIT_ULL(51),
	};
	struct swt *t = swt_of(test);
	const struct sheet_leaf *leaf;
	struct tdx_module_args args;
	unsigned int i, j;
	u64 status;

	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		for (j = 0; j < ARRAY_SIZE(junk); j++) {
			struct tdx_sw_snapshot *before, *after;

			set_all(&args, junk[j]);
			before = tdx_sw_snapshot_take(NULL, 0);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, before);
			status = swt_call(t, leaf->nr, &args);
			after = tdx_sw_snapshot_take(NULL, 0);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, after);
			KUNIT_EXPECT_EQ(test, 0U, tdx_sw_snapshot_diff(before, after, NULL, 0));
			tdx_sw_snapshot_free(before);
			tdx_sw_snapshot_free(after);
			if (leaf->nr == L_SYS_RD && junk[j] == ~0ULL)
				KUNIT_EXPECT_EQ(test, ST_METADATA_FIRST_FIELD_ID,
						ST_CODE(status));
			else if (!has_no_operands(leaf->nr))
				KUNIT_EXPECT_TRUE_MSG(test, ST_IS_ERROR(status),
						      "%s with %llx: %llx", leaf->name, junk[j],
						      status);
		}
	}
	swt_check(t);
}

/* One operand right and the others random: deeper than junk alone gets. */
static void random_operands_leave_no_trace(struct kunit *test)
{
	u64 seed = get_random_u64();
	struct swt *t = swt_of(test);
	const struct sheet_leaf *leaf;
	struct tdx_module_args args;
	struct rnd_state rnd;
	struct swt_std std;
	unsigned int i, round;

	kunit_info(test, "seed %llu", seed);
	prandom_seed_state(&rnd, seed);
	swt_std_build(t, &std, 0, STAGE_RUNNABLE);
	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		/* With its only operand right a leaf just does what it is for. */
		if (leaf->td == TD_IN_NONE || !(leaf->in & R_RDX))
			continue;
		for (round = 0; round < 8; round++) {
			u64 word = (u64)prandom_u32_state(&rnd) << 32 | prandom_u32_state(&rnd);
			struct tdx_sw_snapshot *before, *after;
			u64 status;

			swt_std_args(&std, leaf->nr, &args);
			/* Bit 62 is legal in no operand but data. */
			if (leaf->td == TD_IN_RCX || leaf->td == TD_OF_RCX)
				args.rdx = word | BIT_ULL(62);
			else
				args.rcx = word | BIT_ULL(62);
			before = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
			status = swt_call(t, leaf->nr, &args);
			after = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
			if (ST_IS_ERROR(status))
				KUNIT_EXPECT_EQ_MSG(test, 0U,
						    tdx_sw_snapshot_diff(before, after, NULL, 0),
						    "%s with %llx: %llx", leaf->name, word,
						    status);
			tdx_sw_snapshot_free(before);
			tdx_sw_snapshot_free(after);
		}
	}
}

static void interrupts_stay_as_they_are(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_module_args args = { .rcx = swt_page(t) };
	bool off;
	u64 status;

	KUNIT_ASSERT_FALSE(test, irqs_disabled());
	status = tdx_sw_call(L_PAGE_RDMD, &args);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, status);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());

	args.rcx = t->m.list[0];
	local_irq_disable();
	status = tdx_sw_call(L_PAGE_RDMD, &args);
	off = irqs_disabled();
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, status);
	KUNIT_EXPECT_TRUE(test, off);
}

static void calls_and_errors_are_counted(struct kunit *test)
{
	u64 errors[2], calls[2];
	struct swt *t = swt_of(test);
	u64 page = swt_page(t);

	calls[0] = tdx_sw_count(L_PAGE_RDMD, &errors[0]);
	swt_ok(t, L_PAGE_RDMD, SWT_ARGS(.rcx = page));
	swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_PAGE_RDMD, SWT_ARGS(.rcx = page | 1));
	calls[1] = tdx_sw_count(L_PAGE_RDMD, &errors[1]);
	KUNIT_EXPECT_EQ(test, calls[0] + 2, calls[1]);
	KUNIT_EXPECT_EQ(test, errors[0] + 1, errors[1]);
}

static struct kunit_case dispatch_cases[] = {
	KUNIT_CASE(reserved_bits_of_rax_are_refused),
	KUNIT_CASE(seamldr_calls_never_reach_the_module),
	KUNIT_CASE(only_documented_versions_exist),
	KUNIT_CASE(documented_versions_are_accepted),
	KUNIT_CASE(unknown_leaves_are_refused),
	KUNIT_CASE(junk_is_refused_by_every_leaf),
	KUNIT_CASE(random_operands_leave_no_trace),
	KUNIT_CASE(interrupts_stay_as_they_are),
	KUNIT_CASE(calls_and_errors_are_counted),
	{}
};

static struct kunit_suite dispatch_suite = {
	.name = "tdx_sw_dispatch",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = dispatch_cases,
};

kunit_test_suite(dispatch_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: dispatcher");
MODULE_LICENSE("GPL");
