// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs of a TD that KVM emulates: all of them, and what each takes.  How a TDVMCALL
 * gets to them is for tdx_vmcall_kunit.c.
 */
#include <kunit/test.h>

#include "tdx_run_fixture.h"
#include "x86.h"

#define FEAT_CTL	0x3a
#define MCG_EXT_CTL	0x4d0
/* In IA32_MCG_CAP and in IA32_FEATURE_CONTROL */
#define LMCE_P		BIT_ULL(27)
#define LMCE_ENABLED	BIT_ULL(20)

struct msr_range {
	const char *desc;
	u32 first, last;
};

static const struct msr_range emulated[] = {
	{ "APICBASE", 0x1b, 0x1b },
	{ "FEATURE_CONTROL", FEAT_CTL, FEAT_CTL },
	{ "UCODE_REV", 0x8b, 0x8b },
	{ "PLATFORM_INFO", 0xce, 0xce },
	{ "MTRRcap", 0xfe, 0xfe },
	{ "ARCH_CAPABILITIES", 0x10a, 0x10a },
	{ "MISC_FEATURES_ENABLES", 0x140, 0x140 },
	{ "MCG_CAP, STATUS, CTL", 0x179, 0x17b },
	{ "MISC_ENABLE", 0x1a0, 0x1a0 },
	{ "POWER_CTL", 0x1fc, 0x1fc },
	{ "variable MTRRs", 0x200, 0x20f },
	{ "MTRRfix64K_00000", 0x250, 0x250 },
	{ "MTRRfix16K", 0x258, 0x259 },
	{ "MTRRfix4K", 0x268, 0x26f },
	{ "PAT", 0x277, 0x277 },
	{ "CTL2 of 32 banks", 0x280, 0x29f },
	{ "MTRRdefType", 0x2ff, 0x2ff },
	{ "32 banks", 0x400, 0x47f },
	{ "MCG_EXT_CTL", MCG_EXT_CTL, MCG_EXT_CTL },
	{ "TSC_DEADLINE", 0x6e0, 0x6e0 },
	{ "KVM_POLL_CONTROL", 0x4b564d05, 0x4b564d05 },
	{ "EFER", 0xc0000080, 0xc0000080 },
};

/* The guest's own, KVM's that a TD doesn't have, and what follows a range. */
static const struct msr_range others[] = {
	{ "TSC", 0x10, 0x10 },
	{ "SPEC_CTRL", 0x48, 0x48 },
	{ "MCG registers", 0x17c, 0x17c },
	{ "DEBUGCTL", 0x1d9, 0x1d9 },
	{ "after MTRRfix4K", 0x270, 0x276 },
	{ "before CTL2", 0x278, 0x27f },
	{ "after CTL2", 0x2a0, 0x2a0 },
	{ "before the banks", 0x3ff, 0x3ff },
	{ "VMX, after the banks", 0x480, 0x493 },
	{ "XSS", 0xda0, 0xda0 },
	{ "kvmclock to steal time", 0x4b564d00, 0x4b564d04 },
	{ "migration control", 0x4b564d08, 0x4b564d08 },
	{ "STAR to FMASK", 0xc0000081, 0xc0000084 },
	{ "FS_BASE to TSC_AUX", 0xc0000100, 0xc0000103 },
};

KUNIT_ARRAY_PARAM_DESC(emulated, emulated, desc);
KUNIT_ARRAY_PARAM_DESC(others, others, desc);

static int get(struct tdx_run_test *r, u32 index, bool host, u64 *value)
{
	struct msr_data msr = { .index = index, .host_initiated = host };
	int ret = tdx_get_msr(r->vcpu, &msr);

	*value = msr.data;
	return ret;
}

static int set(struct tdx_run_test *r, u32 index, bool host, u64 value)
{
	struct msr_data msr = { .index = index, .data = value, .host_initiated = host };

	return tdx_set_msr(r->vcpu, &msr);
}

static void msr_is_emulated(struct kunit *test)
{
	const struct msr_range *p = test->param_value;
	u32 index;

	for (index = p->first; index <= p->last; index++)
		KUNIT_EXPECT_TRUE_MSG(test, tdx_has_emulated_msr(index), "0x%x", index);
}

static void msr_is_not_emulated(struct kunit *test)
{
	const struct msr_range *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	u64 value;
	u32 index;

	for (index = p->first; index <= p->last; index++) {
		KUNIT_EXPECT_FALSE_MSG(test, tdx_has_emulated_msr(index), "0x%x", index);
		KUNIT_EXPECT_EQ_MSG(test, get(r, index, true, &value), 1, "0x%x", index);
		KUNIT_EXPECT_EQ_MSG(test, set(r, index, true, 0), 1, "0x%x", index);
	}
}

/* Userspace can't write them, either: what it would change is the module's. */
static void three_msrs_are_read_only(struct kunit *test)
{
	static const u32 indices[] = { 0x1b, FEAT_CTL, 0xc0000080 };
	struct tdx_run_test *r = tdx_run_test(test);
	u64 value;
	int i;

	for (i = 0; i < ARRAY_SIZE(indices); i++) {
		KUNIT_EXPECT_EQ(test, get(r, indices[i], true, &value), 0);
		KUNIT_EXPECT_EQ(test, set(r, indices[i], true, value), 1);
		KUNIT_EXPECT_EQ(test, set(r, indices[i], false, value), 1);
	}
}

static void microcode_revision_is_userspaces(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	u64 value;

	KUNIT_EXPECT_EQ(test, set(r, 0x8b, true, 0x1234500000000ULL), 0);
	KUNIT_EXPECT_EQ(test, get(r, 0x8b, false, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 0x1234500000000ULL);
}

static void local_machine_checks_have_to_be_offered(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	u64 value;

	r->vcpu->arch.mcg_cap = 10;
	KUNIT_EXPECT_EQ(test, get(r, FEAT_CTL, false, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 1);
	KUNIT_EXPECT_EQ(test, get(r, MCG_EXT_CTL, false, &value), 1);
	KUNIT_EXPECT_EQ(test, set(r, MCG_EXT_CTL, false, 1), 1);
	/* In whatever order userspace restores. */
	KUNIT_EXPECT_EQ(test, set(r, MCG_EXT_CTL, true, 1), 0);
	KUNIT_EXPECT_EQ(test, get(r, MCG_EXT_CTL, true, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 1);

	r->vcpu->arch.mcg_cap |= LMCE_P;
	KUNIT_EXPECT_EQ(test, get(r, FEAT_CTL, false, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 1 | LMCE_ENABLED);
	KUNIT_EXPECT_EQ(test, set(r, MCG_EXT_CTL, false, 0), 0);
	KUNIT_EXPECT_EQ(test, set(r, MCG_EXT_CTL, false, 2), 1);
	KUNIT_EXPECT_EQ(test, set(r, MCG_EXT_CTL, true, 2), 1);
	KUNIT_EXPECT_EQ(test, get(r, MCG_EXT_CTL, false, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 0);
}

static struct kunit_case tdx_msr_cases[] = {
	KUNIT_CASE_PARAM(msr_is_emulated, emulated_gen_params),
	KUNIT_CASE_PARAM(msr_is_not_emulated, others_gen_params),
	KUNIT_CASE(three_msrs_are_read_only),
	KUNIT_CASE(microcode_revision_is_userspaces),
	KUNIT_CASE(local_machine_checks_have_to_be_offered),
	{}
};

static struct kunit_suite tdx_msr_suite = {
	.name = "kvm_tdx_msr",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_msr_cases,
};

kunit_test_suite(tdx_msr_suite);
