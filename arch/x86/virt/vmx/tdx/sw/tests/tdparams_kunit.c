// SPDX-License-Identifier: GPL-2.0
/*
 * TD_PARAMS: what TDH.MNG.INIT takes and what it refuses, field by field, against
 * what the module enumerates. What may be enumerated at all is checked, too.
 */
#include <linux/bitops.h>
#include <asm/msr-index.h>

#include "fixture.h"

#define SYS_ATTRIBUTES_FIXED0	0x1900000300000000ULL
#define SYS_ATTRIBUTES_FIXED1	0x1900000300000001ULL
#define SYS_XFAM_FIXED0		0x1900000300000002ULL
#define SYS_XFAM_FIXED1		0x1900000300000003ULL
#define SYS_NUM_CPUID_CONFIG	0x9900000100000004ULL
#define SYS_CONFIG_FLAGS_FIXED0	0x9900000300000006ULL
#define SYS_MAX_VCPUS_PER_TD	0x9900000100000008ULL
#define SYS_CPUID_LEAF		0x9900000300000400ULL
#define SYS_CPUID_VALUE		0x9900000300000500ULL
#define SYS_ARCH_CAP_MASK	0x9900000300000600ULL

/* All that the interface knows; a module may have less. */
#define KNOWN_ATTRIBUTES	(BIT_ULL(0) | BIT_ULL(28) | BIT_ULL(29) | BIT_ULL(30) | BIT_ULL(63))
#define KNOWN_XFAM		0x6dbe7ULL
#define KNOWN_CONFIG_FLAGS	7ULL
#define KNOWN_ARCH_CAP		(BIT_ULL(4) | BIT_ULL(19) | BIT_ULL(20) | BIT_ULL(24))

struct trial {
	struct swt *t;
	struct swt_td td;
	void *params;
};

static u64 sys_rd(struct swt *t, u64 id)
{
	struct tdx_module_args args = { .rdx = id };

	KUNIT_ASSERT_EQ_MSG(t->test, ST_SUCCESS, swt_call(t, L_SYS_RD, &args), "%llx", id);
	return args.r8;
}

/* The same pages over and over: a TD that waits for its parameters. */
static void start(struct trial *trial, struct kunit *test)
{
	trial->t = swt_of(test);
	swt_td_build(trial->t, &trial->td, 0, STAGE_UNINITIALIZED);
	trial->params = swt_va(trial->td.params);
	trial->t->checked = false;
}

static void reset(struct trial *trial)
{
	swt_default_params(trial->params);
}

static void refused(struct trial *trial, u64 want)
{
	struct tdx_module_args args = { .rcx = trial->td.tdr, .rdx = trial->td.params };

	swt_no(trial->t, want, L_MNG_INIT, &args);
	if (want != (ST_OPERAND_INVALID | OP_CPUID_CONFIG))
		KUNIT_EXPECT_EQ(trial->t->test, 0ULL, args.rcx);
	reset(trial);
}

static void rebuild(struct trial *trial)
{
	struct swt_td *td = &trial->td;
	struct swt *t = trial->t;
	unsigned int i;

	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td->tdr));
	swt_td_free_key(t, td);
	for (i = 0; i < MIN_TDCX; i++)
		swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = td->tdcx[i]));
	swt_ok(t, L_PAGE_RECLAIM, SWT_ARGS(.rcx = td->tdr));

	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = td->tdr, .rdx = td->hkid));
	swt_td_config_key(t, td);
	for (i = 0; i < MIN_TDCX; i++)
		swt_ok(t, L_MNG_ADDCX, SWT_ARGS(.rcx = td->tdcx[i], .rdx = td->tdr));
}

static void accepted(struct trial *trial)
{
	swt_td_init(trial->t, &trial->td);
	swt_check(trial->t);
	rebuild(trial);
	reset(trial);
}

static void put(struct trial *trial, unsigned int offset, u64 val)
{
	*(u64 *)(trial->params + offset) = val;
}

static void attributes_follow_the_fixed_bits(struct kunit *test)
{
	struct trial trial;
	unsigned int bit;
	u64 fixed0;

	start(&trial, test);
	fixed0 = sys_rd(trial.t, SYS_ATTRIBUTES_FIXED0);
	KUNIT_EXPECT_EQ(test, 0ULL, fixed0 & ~KNOWN_ATTRIBUTES);
	KUNIT_EXPECT_EQ(test, 0ULL, sys_rd(trial.t, SYS_ATTRIBUTES_FIXED1));
	for (bit = 0; bit < 64; bit++) {
		put(&trial, PARAMS_ATTRIBUTES, BIT_ULL(bit));
		if (fixed0 & BIT_ULL(bit))
			accepted(&trial);
		else
			refused(&trial, ST_OPERAND_INVALID | OP_ATTRIBUTES);
	}
	/* Those that exclude each other, should they be there. */
	put(&trial, PARAMS_ATTRIBUTES, BIT_ULL(0) | BIT_ULL(29));
	refused(&trial, ST_OPERAND_INVALID | OP_ATTRIBUTES);
	put(&trial, PARAMS_ATTRIBUTES, BIT_ULL(63) | BIT_ULL(29));
	refused(&trial, ST_OPERAND_INVALID | OP_ATTRIBUTES);
	put(&trial, PARAMS_ATTRIBUTES, fixed0 | BIT_ULL(1));
	refused(&trial, ST_OPERAND_INVALID | OP_ATTRIBUTES);
}

/* State components that come together or not at all. */
static const u64 xfam_groups[] = { GENMASK_ULL(7, 5), GENMASK_ULL(12, 11), GENMASK_ULL(18, 17) };

static void xfam_follows_fixed_bits_and_groups(struct kunit *test)
{
	struct trial trial;
	unsigned int bit, i;
	u64 fixed0, avx;

	start(&trial, test);
	fixed0 = sys_rd(trial.t, SYS_XFAM_FIXED0);
	KUNIT_EXPECT_EQ(test, 0ULL, fixed0 & ~KNOWN_XFAM);
	KUNIT_EXPECT_EQ(test, 3ULL, fixed0 & 3);
	KUNIT_EXPECT_EQ(test, 3ULL, sys_rd(trial.t, SYS_XFAM_FIXED1));
	for (bit = 0; bit < 4; bit++) {
		put(&trial, PARAMS_XFAM, bit);
		if (bit != 3)
			refused(&trial, ST_OPERAND_INVALID | OP_XFAM);
	}
	for (bit = 2; bit < 64; bit++) {
		if (fixed0 & BIT_ULL(bit))
			continue;
		put(&trial, PARAMS_XFAM, 3 | BIT_ULL(bit));
		refused(&trial, ST_OPERAND_INVALID | OP_XFAM);
	}

	avx = fixed0 & BIT_ULL(2);
	for (i = 0; i < ARRAY_SIZE(xfam_groups); i++) {
		u64 group = xfam_groups[i];

		for (bit = 0; bit < 64; bit++) {
			if (!(group & BIT_ULL(bit)))
				continue;
			put(&trial, PARAMS_XFAM, 3 | avx | BIT_ULL(bit));
			refused(&trial, ST_OPERAND_INVALID | OP_XFAM);
			put(&trial, PARAMS_XFAM, 3 | avx | (group & ~BIT_ULL(bit)));
			refused(&trial, ST_OPERAND_INVALID | OP_XFAM);
		}
		put(&trial, PARAMS_XFAM, 3 | avx | group);
		if ((fixed0 & group) == group)
			accepted(&trial);
		else
			refused(&trial, ST_OPERAND_INVALID | OP_XFAM);
	}
	/* AVX-512 needs AVX. */
	put(&trial, PARAMS_XFAM, 3 | xfam_groups[0]);
	refused(&trial, ST_OPERAND_INVALID | OP_XFAM);
}

static void max_vcpus_has_a_range(struct kunit *test)
{
	u16 *field;
	struct trial trial;
	u64 max;

	start(&trial, test);
	field = trial.params + PARAMS_MAX_VCPUS;
	max = sys_rd(trial.t, SYS_MAX_VCPUS_PER_TD);
	KUNIT_EXPECT_GE(test, max, 1ULL);
	*field = 0;
	refused(&trial, ST_OPERAND_INVALID | OP_MAX_VCPUS);
	*field = max + 1;
	refused(&trial, ST_OPERAND_INVALID | OP_MAX_VCPUS);
	*field = 0xffff;
	refused(&trial, ST_OPERAND_INVALID | OP_MAX_VCPUS);
	*field = 1;
	accepted(&trial);
	*field = max;
	accepted(&trial);
}

static void l2_vms_are_limited(struct kunit *test)
{
	static const u8 bad[] = { 4, 5, 0x80, 0xff };
	struct trial trial;
	unsigned int i;
	u64 status;
	u8 *field;

	start(&trial, test);
	field = trial.params + PARAMS_NUM_L2_VMS;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		*field = bad[i];
		refused(&trial, ST_OPERAND_INVALID | OP_NUM_L2_VMS);
	}
	/* Six pages are too few for these, if there is partitioning at all. */
	for (i = 1; i <= 3; i++) {
		struct tdx_module_args args = { .rcx = trial.td.tdr, .rdx = trial.td.params };

		*field = i;
		status = swt_call(trial.t, L_MNG_INIT, &args);
		KUNIT_EXPECT_TRUE(test, status == (ST_OPERAND_INVALID | OP_NUM_L2_VMS) ||
				  ST_CODE(status) == ST_TDCS_NOT_ALLOCATED);
		swt_check(trial.t);
	}
}

static void eptp_controls_have_one_form(struct kunit *test)
{
	struct trial trial;
	unsigned int bit, i;

	start(&trial, test);
	for (i = 0; i < 64; i++) {
		/* Five levels are up to the CPU. */
		if (i == EPTP_CONTROLS_4_LEVELS || i == (6 | 4 << 3))
			continue;
		put(&trial, PARAMS_EPTP_CONTROLS, i);
		refused(&trial, ST_OPERAND_INVALID | OP_EPTP_CONTROLS);
	}
	for (bit = 6; bit < 64; bit++) {
		put(&trial, PARAMS_EPTP_CONTROLS, EPTP_CONTROLS_4_LEVELS | BIT_ULL(bit));
		refused(&trial, ST_OPERAND_INVALID | OP_EPTP_CONTROLS);
	}
}

static void config_flags_follow_the_fixed_bits(struct kunit *test)
{
	struct trial trial;
	unsigned int bit;
	u64 fixed0;

	start(&trial, test);
	fixed0 = sys_rd(trial.t, SYS_CONFIG_FLAGS_FIXED0);
	KUNIT_EXPECT_EQ(test, 0ULL, fixed0 & ~KNOWN_CONFIG_FLAGS);
	for (bit = 0; bit < 64; bit++) {
		put(&trial, PARAMS_CONFIG_FLAGS, BIT_ULL(bit));
		if (!(fixed0 & BIT_ULL(bit)))
			refused(&trial, ST_OPERAND_INVALID | OP_CONFIG_FLAGS);
		else if (bit)
			accepted(&trial);
		else
			/* GPAW of 52 does not go with four levels. */
			refused(&trial, ST_OPERAND_INVALID | ST_ANY_DETAIL);
	}
	/* Linux cannot do without these. */
	put(&trial, PARAMS_CONFIG_FLAGS, BIT_ULL(2));
	accepted(&trial);
}

static void tsc_frequency_has_a_range(struct kunit *test)
{
	static const u16 good[] = { 4, 5, 399, 400 }, bad[] = { 0, 3, 401, 0xffff };
	struct trial trial;
	unsigned int i;
	u16 *field;

	start(&trial, test);
	field = trial.params + PARAMS_TSC_FREQUENCY;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		*field = good[i];
		accepted(&trial);
		*field = bad[i];
		refused(&trial, ST_OPERAND_INVALID | OP_TSC_FREQUENCY);
	}
}

static void arch_capabilities_need_their_switch(struct kunit *test)
{
	struct trial trial;
	unsigned int bit;
	u64 mask;

	start(&trial, test);
	mask = sys_rd(trial.t, SYS_ARCH_CAP_MASK);
	KUNIT_EXPECT_EQ(test, 0ULL, mask & ~KNOWN_ARCH_CAP);
	for (bit = 0; bit < 64; bit++) {
		put(&trial, PARAMS_ARCH_CAP, BIT_ULL(bit));
		refused(&trial, ST_OPERAND_INVALID | OP_ARCH_CAP);
		put(&trial, PARAMS_ARCH_CAP, BIT_ULL(bit));
		*(u8 *)(trial.params + PARAMS_MSR_CONFIG_CTLS) = 1;
		if (mask & BIT_ULL(bit))
			accepted(&trial);
		else
			refused(&trial, ST_OPERAND_INVALID | OP_ARCH_CAP);
	}
	for (bit = 1; bit < 8; bit++) {
		*(u8 *)(trial.params + PARAMS_MSR_CONFIG_CTLS) = BIT(bit);
		refused(&trial, ST_OPERAND_INVALID | OP_RDX);
	}
}

static void reserved_fields_are_zero(struct kunit *test)
{
	struct trial trial;
	unsigned int i, nr;

	start(&trial, test);
	nr = sys_rd(trial.t, SYS_NUM_CPUID_CONFIG);
	for (i = 0; i < PARAMS_SIZE; i++) {
		bool reserved = (i >= 20 && i < 24) || (i >= 42 && i < 80) ||
				(i >= 232 && i < 256) || i >= PARAMS_CPUID + 16 * nr;

		/* The long tail: first, last, and some on the way. */
		if (!reserved || (i > PARAMS_CPUID + 16 * nr && i % 61 && i != PARAMS_SIZE - 1))
			continue;
		*(u8 *)(trial.params + i) = 1 << (i % 8);
		refused(&trial, ST_OPERAND_INVALID | OP_RDX);
	}
	/* What follows the structure is not looked at. */
	*(u8 *)(trial.params + PARAMS_SIZE) = 1;
	accepted(&trial);
}

static void identifiers_hold_anything(struct kunit *test)
{
	struct trial trial;

	start(&trial, test);
	memset(trial.params + PARAMS_MRCONFIGID, 0xff, 48);
	memset(trial.params + PARAMS_MROWNER, 0xa5, 48);
	memset(trial.params + PARAMS_MROWNERCONFIG, 0x01, 48);
	accepted(&trial);
}

static void address_is_that_of_shared_memory(struct kunit *test)
{
	unsigned int i, shift = tdx_sw_keyid_shift();
	struct swt *t = swt_of(test);
	u64 bad[] = { 1, 512, 0x300, (u64)t->m.first_key << shift,
		      (u64)(t->m.first_key + 1) << shift, BIT_ULL(52), BIT_ULL(63) };
	struct trial trial;

	start(&trial, test);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		swt_no(t, ST_OPERAND_INVALID | OP_RDX, L_MNG_INIT,
		       SWT_ARGS(.rcx = trial.td.tdr, .rdx = trial.td.params | bad[i]));
	/* Anywhere in a page */
	memcpy(trial.params + 3 * PARAMS_SIZE, trial.params, PARAMS_SIZE);
	memset(trial.params, 0xff, PARAMS_SIZE);
	swt_ok(t, L_MNG_INIT,
	       SWT_ARGS(.rcx = trial.td.tdr, .rdx = trial.td.params + 3 * PARAMS_SIZE));
}

/* ---- CPUID ---- */

struct cpuid_masks {
	u64 id;		/* leaf 31:0, subleaf 63:32 */
	u32 direct[4];	/* EAX, EBX, ECX, EDX */
	u32 allow[4];
};

#define LEAF(_leaf, _sub)	((u64)(_sub) << 32 | (_leaf))
#define NO_SUB			0xffffffffULL
#define LEAF_4(_sub, _edx)							\
	{ LEAF(4, _sub), { 0xffffc3ff, 0xfffff000, 0xffffffff, _edx } }
#define LEVEL(_sub)	{ LEAF(0x1f, _sub), { 0x1f, 0xffff, 0xff00 } }

static const struct cpuid_masks cpuid_masks[] = {
	{ LEAF(1, NO_SUB), { 0x0fff3fff, 0x00ff0000 }, { 0, 0, 0x31044d88, 0xb8440000 } },
	LEAF_4(0, 0xfffffffb), LEAF_4(1, 0xfffffffb), LEAF_4(2, 0xfffffffb), LEAF_4(3, 7),
	{ LEAF(7, 0), {}, { 0, 0xdc2b9b18, 0x02417f65, 0x0005411c } },
	{ LEAF(7, 1), {}, { 0x00001d30 } },
	{ LEAF(0xa, NO_SUB) },
	{ LEAF(0x1c, NO_SUB), {}, { 0xff } },
	{ LEAF(0x80000008, NO_SUB), {}, { 0, 0x200 } },
	{ LEAF(7, 2), {}, { 0, 0, 0, 0x28 } },
	{ LEAF(0x23, 0), {}, { 0xf } },
	LEVEL(0), LEVEL(1), LEVEL(2), LEVEL(3), LEVEL(4),
};

static void cpuid_is_enumerated_in_the_known_order(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, r;
	u64 nr;

	nr = sys_rd(t, SYS_NUM_CPUID_CONFIG);
	KUNIT_EXPECT_EQ(test, (u64)ARRAY_SIZE(cpuid_masks), nr);
	for (i = 0; i < min_t(u64, nr, ARRAY_SIZE(cpuid_masks)); i++) {
		const struct cpuid_masks *masks = &cpuid_masks[i];
		u64 value[2];

		KUNIT_EXPECT_EQ(test, masks->id, sys_rd(t, SYS_CPUID_LEAF + i));
		value[0] = sys_rd(t, SYS_CPUID_VALUE + 2 * i);
		value[1] = sys_rd(t, SYS_CPUID_VALUE + 2 * i + 1);
		for (r = 0; r < 4; r++) {
			u32 mask = value[r / 2] >> 32 * (r % 2);

			/* All of direct, and of allow what the CPU has; leaf 0xA depends. */
			if ((u32)masks->id == 0xa)
				continue;
			KUNIT_EXPECT_EQ_MSG(test, masks->direct[r], mask & masks->direct[r],
					    "%llx register %u", masks->id, r);
			KUNIT_EXPECT_EQ_MSG(test, 0U,
					    mask & ~(masks->direct[r] | masks->allow[r]),
					    "%llx register %u", masks->id, r);
		}
	}
}

static void refused_cpuid(struct trial *trial, unsigned int i)
{
	struct tdx_module_args args = { .rcx = trial->td.tdr, .rdx = trial->td.params };

	swt_no(trial->t, ST_OPERAND_INVALID | OP_CPUID_CONFIG, L_MNG_INIT, &args);
	KUNIT_EXPECT_EQ(trial->t->test, cpuid_masks[i].id, args.rcx);
	reset(trial);
}

static void cpuid_bits_that_are_not_configurable_are_refused(struct kunit *test)
{
	unsigned int i, r;
	struct trial trial;

	start(&trial, test);
	for (i = 0; i < ARRAY_SIZE(cpuid_masks); i++) {
		if ((u32)cpuid_masks[i].id == 0xa)
			continue;
		for (r = 0; r < 4; r++) {
			u32 *reg = trial.params + PARAMS_CPUID + 16 * i + 4 * r;
			u32 bad = ~(cpuid_masks[i].direct[r] | cpuid_masks[i].allow[r]);

			if (!bad)
				continue;
			/* The lowest, the highest, all */
			*reg = BIT(__ffs(bad));
			refused_cpuid(&trial, i);
			*reg = BIT(__fls(bad));
			refused_cpuid(&trial, i);
			*reg = bad;
			refused_cpuid(&trial, i);
		}
	}
}

static void cpuid_bits_that_are_configurable_are_taken(struct kunit *test)
{
	unsigned int i, r;
	struct trial trial;

	start(&trial, test);
	for (i = 0; i < ARRAY_SIZE(cpuid_masks); i++) {
		for (r = 0; r < 4; r++) {
			u32 *reg = trial.params + PARAMS_CPUID + 16 * i + 4 * r;
			u32 good = cpuid_masks[i].direct[r] | cpuid_masks[i].allow[r];

			/*
			 * Family, model, stepping: native or nothing; not all bits make
			 * a topology.
			 */
			if (!good || (!i && !r) || (u32)cpuid_masks[i].id == 0x1f)
				continue;
			/* HLE and RTM come together and need more. */
			if (cpuid_masks[i].id == LEAF(7, 0) && r == 1)
				good &= ~(BIT(4) | BIT(11));
			*reg = good;
			accepted(&trial);
		}
	}
}

static void signature_is_native_or_nothing(struct kunit *test)
{
	u32 *eax, native = cpuid_eax(1) & 0x0fff3fff;
	struct trial trial;

	start(&trial, test);
	eax = trial.params + PARAMS_CPUID;
	*eax = native;
	accepted(&trial);
	*eax = native ^ 1;
	refused_cpuid(&trial, 0);
}

static void half_of_tsx_is_refused(struct kunit *test)
{
	u32 *ebx, tsx = cpuid_ebx(7) & (BIT(4) | BIT(11));
	struct trial trial;

	start(&trial, test);
	ebx = trial.params + PARAMS_CPUID + 16 * 5 + 4;
	*ebx = BIT(4);
	/* Where the CPU has none the TD would get none of it. */
	if (!tsx)
		accepted(&trial);
	if (tsx != (BIT(4) | BIT(11)))
		return;
	refused(&trial, ST_OPERAND_INVALID | OP_CPUID_CONFIG);
	*ebx = BIT(11);
	refused(&trial, ST_OPERAND_INVALID | OP_CPUID_CONFIG);
	/* Whole, without the means to control it */
	if (!boot_cpu_has(X86_FEATURE_MSR_TSX_CTRL)) {
		*ebx = BIT(4) | BIT(11);
		refused(&trial, ST_INCORRECT_MSR_VALUE | 0x10a);
	}
}

/* ---- the CPU ---- */

static void cpu_is_as_it_was(struct kunit *test)
{
	struct tdx_sw_fake_msrs *msrs;
	struct trial trial;

	start(&trial, test);
	msrs = swt_fake_msrs(trial.t);
	msrs->misc_enable = MSR_IA32_MISC_ENABLE_LIMIT_CPUID;
	refused(&trial, ST_LIMIT_CPUID_MAXVAL_SET);
	msrs->misc_enable = 0;
	msrs->tsc_adjust++;
	refused(&trial, ST_INCONSISTENT_MSR | 0x3b);
	msrs->tsc_adjust--;
	accepted(&trial);
}

static struct kunit_case tdparams_cases[] = {
	KUNIT_CASE(attributes_follow_the_fixed_bits),
	KUNIT_CASE(xfam_follows_fixed_bits_and_groups),
	KUNIT_CASE(max_vcpus_has_a_range),
	KUNIT_CASE(l2_vms_are_limited),
	KUNIT_CASE(eptp_controls_have_one_form),
	KUNIT_CASE(config_flags_follow_the_fixed_bits),
	KUNIT_CASE(tsc_frequency_has_a_range),
	KUNIT_CASE(arch_capabilities_need_their_switch),
	KUNIT_CASE(reserved_fields_are_zero),
	KUNIT_CASE(identifiers_hold_anything),
	KUNIT_CASE(address_is_that_of_shared_memory),
	KUNIT_CASE(cpuid_is_enumerated_in_the_known_order),
	KUNIT_CASE(cpuid_bits_that_are_not_configurable_are_refused),
	KUNIT_CASE(cpuid_bits_that_are_configurable_are_taken),
	KUNIT_CASE(signature_is_native_or_nothing),
	KUNIT_CASE(half_of_tsx_is_refused),
	KUNIT_CASE(cpu_is_as_it_was),
	{}
};

static struct kunit_suite tdparams_suite = {
	.name = "tdx_sw_tdparams",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = tdparams_cases,
};

kunit_test_suite(tdparams_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: TD_PARAMS");
MODULE_LICENSE("GPL");
