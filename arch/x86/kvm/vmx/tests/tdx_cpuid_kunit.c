// SPDX-License-Identifier: GPL-2.0
/*
 * What a TD looks like: what KVM offers of a module that is a list of values, the
 * TD_PARAMS that come of userspace's choice, and the CPUID that is read back.
 */
#include <kunit/test.h>
#include <linux/bitfield.h>

#include "mmu.h"
#include "tdx_fixture.h"
#include "x86.h"
#include "../capabilities.h"

#define SEPT_VE_DISABLE	BIT_ULL(28)
#define PKRU		BIT_ULL(9)

/* EAX of leaf 0x80000008: guest physical width, and the rest, which is the module's. */
#define WIDTH(n)	((u32)(n) << 16)

/* The module's, and userspace's choice of it */
static struct tdx_sys_info info;
static struct kvm_tdx_init_vm choice;
static struct kvm_cpuid_entry2 entries[4];
static struct tdx_td_config config;
static u64 old_xcr0, old_xss;

static const struct tdx_cpuid_config offered[] = {
	{ 1, TDX_CPUID_NO_SUBLEAF, 0x0fff3fff, 0xff00, 0x11, 0x12 },
	{ 7, 0, 0x21, ~0U, ~0U, 0x22 },
	{ 0x80000008, TDX_CPUID_NO_SUBLEAF, 0xff, 0x200, 0, 0 },
	{ 4, 3, 0x31, 0x32, 0x33, 0x34 },
};

static void set_choice(void)
{
	memset(&config, 0, sizeof(config));
	memset(&choice, 0, sizeof(choice));
	choice.attributes = SEPT_VE_DISABLE;
	choice.xfam = 7;
	choice.cpuid.nent = 3;
	memset(choice.mrconfigid, 0xc1, sizeof(choice.mrconfigid));
	memset(choice.mrowner, 0xc2, sizeof(choice.mrowner));
	memset(choice.mrownerconfig, 0xc3, sizeof(choice.mrownerconfig));

	/* Not in the module's order. */
	memset(entries, 0, sizeof(entries));
	entries[0] = (struct kvm_cpuid_entry2) { .function = 0x80000008,
						 .eax = WIDTH(48) | 0x2e, .ebx = 0x200 };
	entries[1] = (struct kvm_cpuid_entry2) { .function = 4, .index = 3, .eax = 1, .ebx = 2,
						 .ecx = 3, .edx = 4 };
	entries[2] = (struct kvm_cpuid_entry2) { .function = 7, .ebx = 0x100, .ecx = 0x40 };
}

static int cpuid_init(struct kunit *test)
{
	struct tdx_test *t;

	tdx_test_create_vm(test);
	t = test->priv;
	t->kvm->arch.default_tsc_khz = 1000 * 1000;

	old_xcr0 = kvm_host.xcr0;
	old_xss = kvm_host.xss;
	kvm_host.xcr0 = 7;
	kvm_host.xss = 0;

	memset(&info, 0, sizeof(info));
	info.attributes_fixed0 = SEPT_VE_DISABLE | BIT_ULL(63) | BIT_ULL(0);
	info.xfam_fixed0 = 0x6dbe7;
	info.xfam_fixed1 = 3;
	info.nr_cpuid_configs = ARRAY_SIZE(offered);
	memcpy(info.cpuid_configs, offered, sizeof(offered));
	set_choice();
	return 0;
}

static void cpuid_exit(struct kunit *test)
{
	if (test->priv) {
		kvm_host.xcr0 = old_xcr0;
		kvm_host.xss = old_xss;
	}
	tdx_fixture_exit(test);
}

static int make_config(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	return tdx_make_td_config(t->kvm, &info, &choice, entries, &config);
}

/*
 * What is on offer
 */

static void attributes_are_sept_ve_disable_or_none(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tdx_supported_attributes(&info), SEPT_VE_DISABLE);

	info.attributes_fixed1 = SEPT_VE_DISABLE;
	KUNIT_EXPECT_EQ(test, tdx_supported_attributes(&info), SEPT_VE_DISABLE);
	info.attributes_fixed1 = SEPT_VE_DISABLE | BIT_ULL(63);
	KUNIT_EXPECT_EQ(test, tdx_supported_attributes(&info), 0);

	info.attributes_fixed1 = 0;
	info.attributes_fixed0 = ~SEPT_VE_DISABLE;
	KUNIT_EXPECT_EQ(test, tdx_supported_attributes(&info), 0);
}

/* Nothing less than what the module forces, nothing but what the host has. */
static void xfam_is_the_hosts_or_none(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tdx_supported_xfam(&info), 7);

	info.xfam_fixed0 = 3;
	KUNIT_EXPECT_EQ(test, tdx_supported_xfam(&info), 3);

	info.xfam_fixed0 = ~0ULL;
	info.xfam_fixed1 = 3 | PKRU;
	KUNIT_EXPECT_EQ(test, tdx_supported_xfam(&info), 0);
	kvm_host.xcr0 |= PKRU;
	KUNIT_EXPECT_EQ(test, tdx_supported_xfam(&info), 7 | PKRU);
}

static void configurable_cpuid_is_shown(struct kunit *test)
{
	static const struct kvm_cpuid_entry2 want[] = {
		{ .function = 1, .eax = 0x0fff3fff, .ebx = 0xff00, .ecx = 0x11, .edx = 0x12 },
		/* Without HLE and RTM, without WAITPKG */
		{ .function = 7, .eax = 0x21, .ebx = 0xfffff7ef, .ecx = 0xffffffdf,
		  .edx = 0x22 },
		{ .function = 0x80000008, .eax = 0xff00ff, .ebx = 0x200 },
		{ .function = 4, .index = 3, .eax = 0x31, .ebx = 0x32, .ecx = 0x33, .edx = 0x34 },
	};
	struct kvm_cpuid_entry2 entry;
	int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		memset(&entry, 0x5a, sizeof(entry));
		tdx_get_configurable_cpuid(&info, i, &entry);
		KUNIT_EXPECT_MEMEQ(test, &entry, &want[i], sizeof(entry));
	}
}

/*
 * What comes of a choice
 */

static void choice_becomes_td_params(struct kunit *test)
{
	struct td_params *params = &config.params;
	struct tdx_test *t = test->priv;

	info.attributes_fixed1 = SEPT_VE_DISABLE;
	choice.attributes = 0;
	choice.xfam = 4;
	t->kvm->max_vcpus = 19;
	KUNIT_ASSERT_EQ(test, make_config(test), 0);
	t->kvm->max_vcpus = TDX_TEST_MAX_VCPUS;

	KUNIT_EXPECT_EQ(test, params->attributes, SEPT_VE_DISABLE);
	KUNIT_EXPECT_EQ(test, params->xfam, 7);
	KUNIT_EXPECT_EQ(test, params->max_vcpus, 19);
	KUNIT_EXPECT_EQ(test, params->eptp_controls, 6 | 3 << 3);
	KUNIT_EXPECT_EQ(test, params->config_flags, BIT_ULL(2));
	KUNIT_EXPECT_EQ(test, params->tsc_frequency, 40);
	KUNIT_EXPECT_EQ(test, config.direct_bits, BIT_ULL(47 - PAGE_SHIFT));
	KUNIT_EXPECT_NULL(test, memchr_inv(params->mrconfigid, 0xc1, 48));
	KUNIT_EXPECT_NULL(test, memchr_inv(params->mrowner, 0xc2, 48));
	KUNIT_EXPECT_NULL(test, memchr_inv(params->mrownerconfig, 0xc3, 48));
}

/* In the module's order, 0 for what userspace didn't mention, no width. */
static void choice_of_cpuid_becomes_td_params(struct kunit *test)
{
	static const struct tdx_cpuid_value want[] = {
		{ }, { .ebx = 0x100, .ecx = 0x40 }, { .eax = 0x2e, .ebx = 0x200 }, { 1, 2, 3, 4 },
	};

	KUNIT_ASSERT_EQ(test, make_config(test), 0);
	KUNIT_EXPECT_MEMEQ(test, config.params.cpuid_values, want, sizeof(want));
}

static void choice_of_width_is_the_modules_if_it_has_one(struct kunit *test)
{
	info.gpa_width = 46;
	KUNIT_EXPECT_EQ(test, make_config(test), -EINVAL);

	entries[0].eax = WIDTH(46);
	KUNIT_EXPECT_EQ(test, make_config(test), 0);
	KUNIT_EXPECT_EQ(test, config.direct_bits, BIT_ULL(45 - PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, config.params.eptp_controls, 6 | 3 << 3);
	KUNIT_EXPECT_EQ(test, config.params.config_flags, BIT_ULL(2));

	info.gpa_width = 0;
	KUNIT_EXPECT_EQ(test, make_config(test), -EINVAL);
}

static void width_52_takes_five_levels(struct kunit *test)
{
	int r;

	entries[0].eax = WIDTH(52);
	r = make_config(test);
	KUNIT_EXPECT_EQ(test, r, cpu_has_vmx_ept_5levels() ? 0 : -EINVAL);
	if (r)
		return;

	KUNIT_EXPECT_EQ(test, config.direct_bits, BIT_ULL(51 - PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, config.params.eptp_controls, 6 | 4 << 3);
	KUNIT_EXPECT_EQ(test, config.params.config_flags, BIT_ULL(2) | BIT_ULL(0));
}

static const struct refused {
	const char *desc;
	u64 attributes, xfam;
	unsigned int nent;
	/* In place of the first, of the third entry */
	u32 eax;
	struct kvm_cpuid_entry2 entry;
} refuseds[] = {
	{ "attribute that is not offered", .attributes = BIT_ULL(63) },
	{ "debug", .attributes = BIT_ULL(0) },
	{ "XFAM bit that is not offered", .xfam = PKRU },
	{ "no width", .eax = 0x2e },
	{ "width 47", .eax = WIDTH(47) },
	{ "width 49", .eax = WIDTH(49) },
	{ "HLE", .entry = { .function = 7, .ebx = BIT(4) } },
	{ "RTM", .entry = { .function = 7, .ebx = BIT(11) } },
	{ "WAITPKG", .entry = { .function = 7, .ecx = BIT(5) } },
	{ "leaf that is not configurable", .entry = { .function = 2 } },
	{ "subleaf that is not configurable", .entry = { .function = 7, .index = 1 } },
	{ "the same leaf twice", .entry = { .function = 4, .index = 3 } },
};

KUNIT_ARRAY_PARAM_DESC(refused, refuseds, desc);

static void choice_is_refused(struct kunit *test)
{
	const struct refused *p = test->param_value;

	choice.attributes |= p->attributes;
	choice.xfam |= p->xfam;
	if (p->eax)
		entries[0].eax = p->eax;
	if (p->entry.function)
		entries[2] = p->entry;

	KUNIT_EXPECT_EQ(test, make_config(test), -EINVAL);
}

static void choice_without_a_width_is_refused(struct kunit *test)
{
	entries[0] = entries[2];
	choice.cpuid.nent = 2;
	KUNIT_EXPECT_EQ(test, make_config(test), -EINVAL);

	choice.cpuid.nent = 0;
	KUNIT_EXPECT_EQ(test, make_config(test), -EINVAL);
}

static const struct frequency {
	const char *desc;
	u32 khz;
	/* 0 if it is refused */
	u16 units;
} frequencies[] = {
	{ "none", 0 },
	{ "too low", 99999 },
	{ "lowest", 100 * 1000, 4 },
	{ "little less than 1 GHz", 999987, 40 },
	{ "little more than 1 GHz", 1000013, 40 },
	{ "highest", 10 * 1000 * 1000, 400 },
	{ "too high", 10 * 1000 * 1000 + 1 },
	{ "as good as 1 GHz in 16 bits", (65536 + 40) * 25000U },
};

KUNIT_ARRAY_PARAM_DESC(frequency, frequencies, desc);

static void frequency_is_in_units_of_25_mhz(struct kunit *test)
{
	const struct frequency *p = test->param_value;
	struct tdx_test *t = test->priv;

	t->kvm->arch.default_tsc_khz = p->khz;
	KUNIT_EXPECT_EQ(test, make_config(test), p->units ? 0 : -EINVAL);
	if (p->units)
		KUNIT_EXPECT_EQ(test, config.params.tsc_frequency, p->units);
}

/*
 * What is read back, of a TD of the module
 */

/* Element 0 is EAX and EBX, element 1 ECX and EDX; the subleaf is "none". */
#define LEAF_1_ID(element)	(0x9410000300000000ULL | 1 << 9 | 0xff << 1 | (element))

static struct kvm_cpuid_entry2 *read_cpuid(struct kunit *test, int max, int *nr)
{
	struct kvm_cpuid_entry2 *read;
	struct tdx_test *t = test->priv;

	tdx_test_create_td(t);
	read = kunit_kcalloc(test, max, sizeof(*read), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, read);
	*nr = tdx_read_td_cpuid(t->kvm, read, max);
	return read;
}

static const struct kvm_cpuid_entry2 *
find(struct kunit *test, const struct kvm_cpuid_entry2 *read, int nr, u32 function)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (read[i].function == function)
			return &read[i];
	}

	KUNIT_FAIL_AND_ABORT(test, "leaf 0x%x is not there", function);
	return NULL;
}

static void values_are_the_modules(struct kunit *test)
{
	const struct kvm_cpuid_entry2 *read, *leaf;
	struct tdx_test *t = test->priv;
	u64 low, high;
	int nr;

	read = read_cpuid(test, KVM_MAX_CPUID_ENTRIES, &nr);
	KUNIT_ASSERT_EQ(test, tdh_mng_rd(t->tdr, LEAF_1_ID(0), &low), TDX_SUCCESS);
	KUNIT_ASSERT_EQ(test, tdh_mng_rd(t->tdr, LEAF_1_ID(1), &high), TDX_SUCCESS);

	leaf = find(test, read, nr, 1);
	KUNIT_EXPECT_EQ(test, leaf->eax | (u64)leaf->ebx << 32, low);
	KUNIT_EXPECT_EQ(test, leaf->ecx | (u64)leaf->edx << 32, high);

	/* The width is that of which the shared bit is the highest. */
	leaf = find(test, read, nr, 0x80000008);
	KUNIT_EXPECT_EQ(test, FIELD_GET(GENMASK(23, 16), leaf->eax), tdx_sw_gpa_width());
}

/* Basic leaves, then extended ones, both ascending; subleaves from 0 on. */
static void leaves_are_in_order(struct kunit *test)
{
	const struct kvm_cpuid_entry2 *read;
	int nr, i, nr_subleaves = 0;

	read = read_cpuid(test, KVM_MAX_CPUID_ENTRIES, &nr);
	KUNIT_ASSERT_GT(test, nr, 2);
	KUNIT_EXPECT_EQ(test, read[0].function, 0);
	find(test, read, nr, 0x80000000);

	for (i = 1; i < nr; i++) {
		bool is_next = read[i].function == read[i - 1].function;
		bool has_subleaf = read[i].flags == KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

		KUNIT_EXPECT_GE(test, read[i].function, read[i - 1].function);
		KUNIT_EXPECT_EQ(test, read[i].index, is_next ? read[i - 1].index + 1 : 0);
		KUNIT_EXPECT_TRUE(test, has_subleaf || !read[i].flags);
		KUNIT_EXPECT_TRUE(test, has_subleaf || !is_next);
		KUNIT_EXPECT_LE(test, read[i].function & ~BIT(31),
				find(test, read, nr, read[i].function & BIT(31))->eax & ~BIT(31));
		nr_subleaves += has_subleaf;
	}
	KUNIT_EXPECT_GT(test, nr_subleaves, 0);
}

/* KASAN would notice if it were otherwise. */
static void no_more_is_read_than_there_is_room_for(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_cpuid_entry2 *read;
	int nr, all;

	read_cpuid(test, KVM_MAX_CPUID_ENTRIES, &all);
	for (nr = 1; nr < all; nr += 3) {
		read = kunit_kcalloc(test, nr, sizeof(*read), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, read);
		KUNIT_EXPECT_EQ(test, tdx_read_td_cpuid(t->kvm, read, nr), nr);
		kunit_kfree(test, read);
	}
}

static struct kunit_case tdx_cpuid_cases[] = {
	KUNIT_CASE(attributes_are_sept_ve_disable_or_none),
	KUNIT_CASE(xfam_is_the_hosts_or_none),
	KUNIT_CASE(configurable_cpuid_is_shown),
	KUNIT_CASE(choice_becomes_td_params),
	KUNIT_CASE(choice_of_cpuid_becomes_td_params),
	KUNIT_CASE(choice_of_width_is_the_modules_if_it_has_one),
	KUNIT_CASE(width_52_takes_five_levels),
	KUNIT_CASE_PARAM(choice_is_refused, refused_gen_params),
	KUNIT_CASE(choice_without_a_width_is_refused),
	KUNIT_CASE_PARAM(frequency_is_in_units_of_25_mhz, frequency_gen_params),
	KUNIT_CASE(values_are_the_modules),
	KUNIT_CASE(leaves_are_in_order),
	KUNIT_CASE(no_more_is_read_than_there_is_room_for),
	{}
};

static struct kunit_suite tdx_cpuid_suite = {
	.name = "kvm_tdx_cpuid",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = cpuid_init,
	.exit = cpuid_exit,
	.test_cases = tdx_cpuid_cases,
};

kunit_test_suite(tdx_cpuid_suite);
