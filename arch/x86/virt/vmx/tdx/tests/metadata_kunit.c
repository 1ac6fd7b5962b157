// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata of the module: read in full and exactly, refused when something
 * required is missing or makes no sense.  The module here is a list of fields.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/string.h>

#include <asm/tdh.h>

#include "../metadata.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define CPUID_LEAVES	0x9900000300000400ULL
#define CPUID_VALUES	0x9900000300000500ULL
#define NUM_CPUID	0x9900000100000004ULL
#define GPA_WIDTH	0xbf00000100000000ULL
#define PI_NO_CPU	0xbf00000000000001ULL
#define PLAIN_MEMORY	0xbf00000000000002ULL
#define NR_NOT_ARCHITECTURAL	3

/* Bits 33:32 of an id: log2 of the size in bytes */
#define ID_BITS(id)	(8 << (((id) >> 32) & 3))

struct md_field {
	const char *name;
	u64 id;
	u64 val;
	bool required;
};

/* What a module may enumerate: every value differs from every other one. */
static const struct md_field md_fields[] = {
	{ "MINOR_VERSION",	0x0800000100000003ULL, 0x0105, false },
	{ "MAJOR_VERSION",	0x0800000100000004ULL, 0x0201, false },
	{ "UPDATE_VERSION",	0x0800000100000005ULL, 0x0316, false },
	{ "INTERNAL_VERSION",	0x0800000100000006ULL, 0x0407, false },
	{ "BUILD_DATE",		0x8800000200000001ULL, 0x20250131, false },
	{ "BUILD_NUM",		0x8800000100000002ULL, 0x0509, false },
	{ "TDX_FEATURES0",	0x0a00000300000008ULL, 0x8fedcba987140fffULL, true },
	{ "MAX_TDMRS",		0x9100000100000008ULL, 64, true },
	{ "MAX_RESERVED",	0x9100000100000009ULL, 17, true },
	{ "PAMT_4K_ENTRY_SIZE",	0x9100000100000010ULL, 18, true },
	{ "PAMT_2M_ENTRY_SIZE",	0x9100000100000011ULL, 19, true },
	{ "PAMT_1G_ENTRY_SIZE",	0x9100000100000012ULL, 20, true },
	{ "TDR_BASE_SIZE",	0x9800000100000000ULL, 0x1000, true },
	{ "TDCS_BASE_SIZE",	0x9800000100000100ULL, 0x6000, true },
	{ "TDVPS_BASE_SIZE",	0x9800000100000200ULL, 0xf000, true },
	{ "ATTRIBUTES_FIXED0",	0x1900000300000000ULL, 0x8000000070000001ULL, true },
	{ "ATTRIBUTES_FIXED1",	0x1900000300000001ULL, 0x1111111111111111ULL, true },
	{ "XFAM_FIXED0",	0x1900000300000002ULL, 0x222222220006dbe7ULL, true },
	{ "XFAM_FIXED1",	0x1900000300000003ULL, 0x3333333300000003ULL, true },
	{ "NUM_CPUID_CONFIG",	NUM_CPUID, 2, true },
	{ "CONFIG_FLAGS_FIXED0", 0x9900000300000006ULL, 0x4444444400000007ULL, true },
	{ "CONFIG_FLAGS_FIXED1", 0x9900000300000007ULL, 0x5555555500000000ULL, true },
	{ "MAX_VCPUS_PER_TD",	0x9900000100000008ULL, 576, false },
	{ "CPUID_LEAVES[0]",	CPUID_LEAVES + 0, 0x0000000300000004ULL, true },
	{ "CPUID_LEAVES[1]",	CPUID_LEAVES + 1, 0xffffffff80000008ULL, true },
	{ "CPUID_VALUES[0]",	CPUID_VALUES + 0, 0x2222222211111111ULL, true },
	{ "CPUID_VALUES[1]",	CPUID_VALUES + 1, 0x4444444433333333ULL, true },
	{ "CPUID_VALUES[2]",	CPUID_VALUES + 2, 0x6666666655555555ULL, true },
	{ "CPUID_VALUES[3]",	CPUID_VALUES + 3, 0x8888888877777777ULL, true },
	{ "ARCH_CAPABILITIES",	0x9900000300000600ULL, 0x6666666601180010ULL, false },
	{ "GPA_WIDTH",		GPA_WIDTH, 40, false },
	{ "PI_NO_CPU",		PI_NO_CPU, 1, false },
	{ "PLAIN_MEMORY",	PLAIN_MEMORY, 2, false },
};

static const struct tdx_sys_info md_expected = {
	.minor_version = 0x0105,
	.major_version = 0x0201,
	.update_version = 0x0316,
	.internal_version = 0x0407,
	.build_date = 0x20250131,
	.build_num = 0x0509,
	.features0 = 0x8fedcba987140fffULL,
	.max_tdmrs = 64,
	.max_reserved_per_tdmr = 17,
	.pamt_entry_size = { 18, 19, 20 },
	.tdr_base_size = 0x1000,
	.tdcs_base_size = 0x6000,
	.tdvps_base_size = 0xf000,
	.attributes_fixed0 = 0x8000000070000001ULL,
	.attributes_fixed1 = 0x1111111111111111ULL,
	.xfam_fixed0 = 0x222222220006dbe7ULL,
	.xfam_fixed1 = 0x3333333300000003ULL,
	.config_flags_fixed0 = 0x4444444400000007ULL,
	.config_flags_fixed1 = 0x5555555500000000ULL,
	.max_vcpus_per_td = 576,
	.nr_cpuid_configs = 2,
	.cpuid_configs = {
		{ 4, 3, 0x11111111, 0x22222222, 0x33333333, 0x44444444 },
		{ 0x80000008, TDX_CPUID_NO_SUBLEAF,
		  0x55555555, 0x66666666, 0x77777777, 0x88888888 },
	},
	.arch_cap_mask = 0x6666666601180010ULL,
	.gpa_width = 40,
	.pi_no_cpu = 1,
	.plain_memory = 2,
};

/* The module of the running case: md_fields but for one, and extra CPUIDs. */
static struct {
	u64 except;
	u64 status;
	u64 val;
	int nr_calls;
} md_module;

static u64 md_rd(u64 id, u64 *data)
{
	int i;

	md_module.nr_calls++;
	*data = 0;
	if (id == md_module.except) {
		*data = md_module.val;
		return md_module.status;
	}

	for (i = 0; i < ARRAY_SIZE(md_fields); i++) {
		if (md_fields[i].id == id) {
			*data = md_fields[i].val;
			return TDX_SUCCESS;
		}
	}

	return TDX_METADATA_FIELD_ID_INCORRECT | TDX_OPERAND_ID_RDX;
}

static u64 md_rd_many_cpuids(u64 id, u64 *data)
{
	bool leaf = id >= CPUID_LEAVES && id < CPUID_LEAVES + TDX_MAX_CPUID_CONFIGS;
	bool val = id >= CPUID_VALUES && id < CPUID_VALUES + 2 * TDX_MAX_CPUID_CONFIGS;

	if (!leaf && !val)
		return md_rd(id, data);

	*data = id;
	return TDX_SUCCESS;
}

static int md_read_except(struct tdx_sys_info *info, u64 id, u64 status, u64 val)
{
	md_module.except = id;
	md_module.status = status;
	md_module.val = val;
	return tdx_sys_info_read(info, md_rd, true);
}

static int md_init(struct kunit *test)
{
	memset(&md_module, 0, sizeof(md_module));
	test->priv = kunit_kmalloc(test, sizeof(struct tdx_sys_info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	memset(test->priv, 0x5a, sizeof(struct tdx_sys_info));
	return 0;
}

KUNIT_ARRAY_PARAM_DESC(md, md_fields, name);

static void every_field_reaches_its_member(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, tdx_sys_info_read(test->priv, md_rd, true), 0);
	KUNIT_EXPECT_MEMEQ(test, test->priv, &md_expected, sizeof(md_expected));
}

static void missing_field_is_refused_if_required(struct kunit *test)
{
	const struct md_field *f = test->param_value;
	int ret;

	ret = md_read_except(test->priv, f->id, TDX_METADATA_FIELD_ID_INCORRECT, 0);
	KUNIT_EXPECT_EQ(test, ret, f->required ? -EOPNOTSUPP : 0);
}

static void unreadable_field_is_an_error(struct kunit *test)
{
	static const u64 statuses[] = {
		TDX_OPERAND_INVALID | TDX_OPERAND_ID_RAX,
		TDX_SYS_BUSY,
		TDX_METADATA_FIELD_NOT_READABLE,
		TDX_SYS_LP_INIT_NOT_DONE,
		TDX_SYS_SHUTDOWN,
	};
	const struct md_field *f = test->param_value;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		ret = md_read_except(test->priv, f->id, statuses[i], f->val);
		KUNIT_EXPECT_EQ(test, ret, -EIO);
	}
}

static void value_beyond_its_size_is_refused(struct kunit *test)
{
	const struct md_field *f = test->param_value;
	int ret;

	/* A u64 takes any value. */
	if (ID_BITS(f->id) == 64) {
		ret = md_read_except(test->priv, f->id, TDX_SUCCESS, ~0ULL);
		KUNIT_EXPECT_EQ(test, ret, 0);
		return;
	}

	ret = md_read_except(test->priv, f->id, TDX_SUCCESS,
			     f->val | BIT_ULL(ID_BITS(f->id)));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
}

static void reading_ends_at_the_first_problem(struct kunit *test)
{
	int ret, all;

	KUNIT_ASSERT_EQ(test, tdx_sys_info_read(test->priv, md_rd, true), 0);
	all = md_module.nr_calls;
	KUNIT_EXPECT_EQ(test, all, ARRAY_SIZE(md_fields));

	md_module.nr_calls = 0;
	ret = md_read_except(test->priv, 0x9100000100000008ULL,
			     TDX_METADATA_FIELD_ID_INCORRECT, 0);
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	KUNIT_EXPECT_LT(test, md_module.nr_calls, all);
}

static void absent_optional_fields_have_defaults(struct kunit *test)
{
	struct tdx_sys_info *info = test->priv;
	const u64 absent = TDX_METADATA_FIELD_ID_INCORRECT;

	KUNIT_ASSERT_EQ(test, md_read_except(info, 0x9900000100000008ULL, absent, 0), 0);
	KUNIT_EXPECT_EQ(test, info->max_vcpus_per_td, U16_MAX);

	KUNIT_ASSERT_EQ(test, md_read_except(info, 0x9900000300000600ULL, absent, 0), 0);
	KUNIT_EXPECT_EQ(test, info->arch_cap_mask, 0);

	KUNIT_ASSERT_EQ(test, md_read_except(info, GPA_WIDTH, absent, 0), 0);
	KUNIT_EXPECT_EQ(test, info->gpa_width, 0);

	KUNIT_ASSERT_EQ(test, md_read_except(info, PI_NO_CPU, absent, 1), 0);
	KUNIT_EXPECT_FALSE(test, info->pi_no_cpu);

	KUNIT_ASSERT_EQ(test, md_read_except(info, PI_NO_CPU, TDX_SUCCESS, 0), 0);
	KUNIT_EXPECT_FALSE(test, info->pi_no_cpu);

	KUNIT_ASSERT_EQ(test, md_read_except(info, PLAIN_MEMORY, absent, 1), 0);
	KUNIT_EXPECT_FALSE(test, info->plain_memory);
}

/* Whatever it would answer: these are nobody's that Intel's module knows of. */
static void real_module_is_asked_architectural_fields_only(struct kunit *test)
{
	struct tdx_sys_info *info = test->priv;

	KUNIT_ASSERT_EQ(test, tdx_sys_info_read(info, md_rd, false), 0);
	KUNIT_EXPECT_EQ(test, md_module.nr_calls,
			ARRAY_SIZE(md_fields) - NR_NOT_ARCHITECTURAL);
	KUNIT_EXPECT_EQ(test, info->gpa_width, 0);
	KUNIT_EXPECT_FALSE(test, info->pi_no_cpu);
	KUNIT_EXPECT_FALSE(test, info->plain_memory);
}

static void memory_with_key_ids_takes_a_cpu_for_it(struct kunit *test)
{
	struct tdx_sys_info *info = test->priv;

	info->plain_memory = 0;
	KUNIT_EXPECT_NULL(test, tdx_missing_cpu_feature(info, true, true));
	KUNIT_EXPECT_STREQ(test, tdx_missing_cpu_feature(info, false, true), "MOVDIR64B");
	KUNIT_EXPECT_STREQ(test, tdx_missing_cpu_feature(info, true, false), "self-snoop");
	KUNIT_EXPECT_STREQ(test, tdx_missing_cpu_feature(info, false, false), "MOVDIR64B");

	info->plain_memory = 1;
	KUNIT_EXPECT_NULL(test, tdx_missing_cpu_feature(info, false, false));
}

struct md_value {
	const char *name;
	u64 id;
	u64 val;
	int ret;
};

static const struct md_value md_values[] = {
	{ "TDR of no page",		0x9800000100000000ULL, 0, -EINVAL },
	{ "TDR of two pages",		0x9800000100000000ULL, 0x2000, -EINVAL },
	{ "TDCS of no page",		0x9800000100000100ULL, 0, -EINVAL },
	{ "TDCS of one page",		0x9800000100000100ULL, 0x1000, 0 },
	{ "TDCS of half a page",	0x9800000100000100ULL, 0x800, -EINVAL },
	{ "TDCS with half a page more",	0x9800000100000100ULL, 0x6800, -EINVAL },
	{ "TDVPS of no page",		0x9800000100000200ULL, 0, -EINVAL },
	{ "TDVPS of one page",		0x9800000100000200ULL, 0x1000, 0 },
	{ "TDVPS with a byte more",	0x9800000100000200ULL, 0x6001, -EINVAL },
	{ "no vCPU",			0x9900000100000008ULL, 0, -EINVAL },
	{ "one vCPU",			0x9900000100000008ULL, 1, 0 },
	{ "no CPUID configs",		NUM_CPUID, 0, 0 },
	{ "one CPUID config",		NUM_CPUID, 1, 0 },
	{ "too many CPUID configs",	NUM_CPUID, TDX_MAX_CPUID_CONFIGS + 1, -EINVAL },
	{ "width 39",			GPA_WIDTH, 39, -EINVAL },
	{ "width 40",			GPA_WIDTH, 40, 0 },
	{ "width 47",			GPA_WIDTH, 47, 0 },
	{ "width 48",			GPA_WIDTH, 48, 0 },
	{ "width 49",			GPA_WIDTH, 49, -EINVAL },
	{ "width 52",			GPA_WIDTH, 52, -EINVAL },
	{ "width 1",			GPA_WIDTH, 1, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(md_value, md_values, name);

static void values_that_make_no_sense_are_refused(struct kunit *test)
{
	const struct md_value *v = test->param_value;
	int ret = md_read_except(test->priv, v->id, TDX_SUCCESS, v->val);

	KUNIT_EXPECT_EQ(test, ret, v->ret);
}

static void width_48_is_no_restriction(struct kunit *test)
{
	struct tdx_sys_info *info = test->priv;

	KUNIT_ASSERT_EQ(test, md_read_except(info, GPA_WIDTH, TDX_SUCCESS, 48), 0);
	KUNIT_EXPECT_EQ(test, info->gpa_width, 0);
}

static void cpuid_configs_fill_all_of_td_params(struct kunit *test)
{
	struct tdx_sys_info *info = test->priv;
	int i;

	md_module.except = NUM_CPUID;
	md_module.val = TDX_MAX_CPUID_CONFIGS;
	KUNIT_ASSERT_EQ(test, tdx_sys_info_read(info, md_rd_many_cpuids, true), 0);
	KUNIT_ASSERT_EQ(test, info->nr_cpuid_configs, TDX_MAX_CPUID_CONFIGS);

	for (i = 0; i < TDX_MAX_CPUID_CONFIGS; i++) {
		KUNIT_EXPECT_EQ(test, info->cpuid_configs[i].leaf, 0x400 + i);
		KUNIT_EXPECT_EQ(test, info->cpuid_configs[i].eax, 0x500 + 2 * i);
		KUNIT_EXPECT_EQ(test, info->cpuid_configs[i].ecx, 0x501 + 2 * i);
	}
}

static void both_required_features_are_required(struct kunit *test)
{
	struct tdx_sys_info *info = test->priv;

	info->features0 = BIT_ULL(18) | BIT_ULL(20);
	KUNIT_EXPECT_TRUE(test, tdx_has_required_features(info));
	info->features0 = ~0ULL;
	KUNIT_EXPECT_TRUE(test, tdx_has_required_features(info));
	info->features0 = ~BIT_ULL(18);
	KUNIT_EXPECT_FALSE(test, tdx_has_required_features(info));
	info->features0 = ~BIT_ULL(20);
	KUNIT_EXPECT_FALSE(test, tdx_has_required_features(info));
	info->features0 = 0;
	KUNIT_EXPECT_FALSE(test, tdx_has_required_features(info));
}

static struct kunit_case md_tests[] = {
	KUNIT_CASE(every_field_reaches_its_member),
	KUNIT_CASE_PARAM(missing_field_is_refused_if_required, md_gen_params),
	KUNIT_CASE_PARAM(unreadable_field_is_an_error, md_gen_params),
	KUNIT_CASE_PARAM(value_beyond_its_size_is_refused, md_gen_params),
	KUNIT_CASE(reading_ends_at_the_first_problem),
	KUNIT_CASE(absent_optional_fields_have_defaults),
	KUNIT_CASE(real_module_is_asked_architectural_fields_only),
	KUNIT_CASE(memory_with_key_ids_takes_a_cpu_for_it),
	KUNIT_CASE_PARAM(values_that_make_no_sense_are_refused, md_value_gen_params),
	KUNIT_CASE(width_48_is_no_restriction),
	KUNIT_CASE(cpuid_configs_fill_all_of_td_params),
	KUNIT_CASE(both_required_features_are_required),
	{}
};

static struct kunit_suite md_suite = {
	.name = "tdx_metadata",
	.init = md_init,
	.test_cases = md_tests,
};

kunit_test_suite(md_suite);

MODULE_DESCRIPTION("KUnit tests of reading TDX module metadata");
MODULE_LICENSE("GPL");
