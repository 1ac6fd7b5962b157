// SPDX-License-Identifier: GPL-2.0
/*
 * MapGPA: what is refused, in which steps userspace is asked, and what its answers
 * mean to the guest.
 */
#include <kunit/test.h>

#include "mmu.h"
#include "tdx_run_fixture.h"

#define STEP		SZ_2M

#define ERR_INVALID	TDVMCALL_STATUS_INVALID_OPERAND
#define ERR_ALIGN	TDVMCALL_STATUS_ALIGN_ERROR

static int map_gpa(struct tdx_run_test *r, gpa_t gpa, u64 size)
{
	struct tdx_module_args regs = {
		.rcx = 0xffcc, .r11 = TDVMCALL_MAP_GPA, .r12 = gpa, .r13 = size,
		.r14 = 0xa14, .r15 = 0xa15, .rbx = 0xa3,
	};

	/* What the exit before has left. */
	r->run->hypercall.ret = 0xdead;
	return tdx_run_vmcall(r, &regs);
}

static void expect_step(struct tdx_run_test *r, gpa_t gpa, u64 size, u64 attributes)
{
	struct kunit *test = r->t->vm.test;
	struct kvm_run *run = r->run;

	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, run->exit_reason, KVM_EXIT_HYPERCALL);
	KUNIT_EXPECT_EQ(test, run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	KUNIT_EXPECT_EQ(test, run->hypercall.args[0], gpa);
	KUNIT_EXPECT_EQ(test, run->hypercall.args[1], size >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, run->hypercall.args[2], attributes);
	KUNIT_EXPECT_EQ(test, run->hypercall.ret, 0);
	KUNIT_EXPECT_EQ(test, run->hypercall.flags, KVM_EXIT_HYPERCALL_LONG_MODE);
}

struct map_case {
	const char *name;
	gpa_t gpa;
	u64 size;
	/* The shared bit is set in the first, last address. */
	bool shared;
	u64 status;
};

static const struct map_case refused[] = {
	{ "empty", 0x1000, 0, false, ERR_INVALID },
	{ "empty unaligned", 0x1001, 0, false, ERR_INVALID },
	{ "wraps", 0x1000, ~0ULL, false, ERR_INVALID },
	{ "wraps to zero", 0x1000, -0x1000ULL, false, ERR_INVALID },
	{ "too high", BIT_ULL(60), 0x1000, false, ERR_INVALID },
	{ "too high shared", BIT_ULL(60), 0x1000, true, ERR_INVALID },
	{ "end too high", 0x1000, BIT_ULL(60), false, ERR_INVALID },
	{ "unaligned gpa", 0x1800, 0x1000, false, ERR_ALIGN },
	{ "unaligned gpa shared", 0x1001, 0x1000, true, ERR_ALIGN },
	{ "unaligned size", 0x1000, 0x1800, false, ERR_ALIGN },
	{ "unaligned size shared", 0x1000, 1, true, ERR_ALIGN },
};

KUNIT_ARRAY_PARAM_DESC(refused, refused, name);

static void request_is_refused(struct kunit *test)
{
	const struct map_case *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = p->shared ? tdx_run_shared(r, p->gpa) : p->gpa;

	KUNIT_EXPECT_EQ(test, map_gpa(r, gpa, p->size), 1);
	tdx_run_expect_value(r, p->status, gpa);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, 0);
}

static void range_across_the_shared_bit_is_refused(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t boundary = tdx_run_shared(r, 0);

	KUNIT_EXPECT_EQ(test, map_gpa(r, boundary - 0x1000, 0x2000), 1);
	tdx_run_expect_value(r, ERR_INVALID, boundary - 0x1000);

	/* The last legal pages of either kind are not across it. */
	KUNIT_EXPECT_EQ(test, map_gpa(r, boundary - 0x1000, 0x1000), 0);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, map_gpa(r, 2 * boundary - 0x1000, 0x1000), 0);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
}

/* This is found out before anything about the range is. */
static void without_the_exit_there_is_no_such_call(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	r->vcpu->kvm->arch.hypercall_exit_enabled = 0;
	KUNIT_EXPECT_EQ(test, map_gpa(r, 0x1800, 0), 1);
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED, 0x1800);
}

static void range_is_mapped_in_steps(struct kunit *test)
{
	static const u64 sizes[] = { 0x1000, STEP - 0x1000, STEP, STEP + 0x1000, 3 * STEP };
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t start = 0x40003000, gpa, first;
	u64 size, left;
	int i, shared;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		shared = i % 2;
		size = sizes[i / 2];
		first = shared ? tdx_run_shared(r, start) : start;

		KUNIT_EXPECT_EQ(test, map_gpa(r, first, size), 0);
		for (gpa = start, left = size; left;) {
			expect_step(r, gpa, min_t(u64, left, STEP),
				    shared ? KVM_MAP_GPA_RANGE_DECRYPTED :
					     KVM_MAP_GPA_RANGE_ENCRYPTED);
			gpa += min_t(u64, left, STEP);
			left -= min_t(u64, left, STEP);
			KUNIT_EXPECT_EQ(test, tdx_run_complete(r), left ? 0 : 1);
		}
		tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	}
}

/* An interrupt: the guest is told how far it got.  At the end there is no need. */
static void event_ends_the_request_early(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, 0x40000000);

	KUNIT_EXPECT_EQ(test, map_gpa(r, gpa, 2 * STEP), 0);
	pi_set_on(&r->tdx->vt.pi_desc);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_value(r, TDVMCALL_STATUS_RETRY, gpa + STEP);

	KUNIT_EXPECT_EQ(test, map_gpa(r, gpa + STEP, STEP), 0);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
}

struct answer {
	const char *name;
	u64 ret;
	u64 status;
	int r;
};

static const struct answer answers[] = {
	{ "EAGAIN", EAGAIN, TDVMCALL_STATUS_RETRY, 1 },
	{ "EINVAL", EINVAL, ERR_INVALID, 1 },
	{ "minus EAGAIN", -EAGAIN, ERR_INVALID, -EINVAL },
	{ "minus EINVAL", -EINVAL, ERR_INVALID, -EINVAL },
	{ "1", 1, ERR_INVALID, -EINVAL },
	{ "EAGAIN beyond 32 bits", BIT_ULL(32) | EAGAIN, ERR_INVALID, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(answer, answers, name);

static void answer_is_passed_on(struct kunit *test)
{
	const struct answer *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, 0x40000000);

	/* Where it is the first step that fails, and the second. */
	KUNIT_EXPECT_EQ(test, map_gpa(r, gpa, 3 * STEP), 0);
	r->run->hypercall.ret = p->ret;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), p->r);
	tdx_run_expect_value(r, p->status, gpa);

	KUNIT_EXPECT_EQ(test, map_gpa(r, gpa, 3 * STEP), 0);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 0);
	r->run->hypercall.ret = p->ret;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), p->r);
	tdx_run_expect_value(r, p->status, gpa + STEP);
}

static struct kunit_case tdx_vmcall_map_cases[] = {
	KUNIT_CASE_PARAM(request_is_refused, refused_gen_params),
	KUNIT_CASE(range_across_the_shared_bit_is_refused),
	KUNIT_CASE(without_the_exit_there_is_no_such_call),
	KUNIT_CASE(range_is_mapped_in_steps),
	KUNIT_CASE(event_ends_the_request_early),
	KUNIT_CASE_PARAM(answer_is_passed_on, answer_gen_params),
	{}
};

static struct kunit_suite tdx_vmcall_map_suite = {
	.name = "kvm_tdx_vmcall_map",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_vmcall_map_cases,
};

kunit_test_suite(tdx_vmcall_map_suite);
