// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields of the module, of TDs and of vCPUs: which exist, what the host
 * of a production TD may read and write, what values they take, and how their
 * ids are put together.
 */
#include <linux/bitops.h>

#include "fixture.h"

/* Bits of an id that a single access ignores, and those that have to be 0. */
#define ID_IGNORED	(GENMASK_ULL(33, 32) | BIT_ULL(50) | BIT_ULL(51) |	\
			 GENMASK_ULL(54, 52) | BIT_ULL(63))
#define ID_RESERVED	(GENMASK_ULL(31, 24) | GENMASK_ULL(37, 34) |		\
			 GENMASK_ULL(46, 38) | GENMASK_ULL(49, 47) |		\
			 BIT_ULL(55) | BIT_ULL(62))

static u64 rd(struct swt *t, u64 leaf, u64 object, u64 id, u64 *value)
{
	struct tdx_module_args args = { .rcx = object, .rdx = id };
	u64 status = swt_call(t, leaf, &args);

	*value = args.r8;
	return status;
}

/* The value, read with success; says so if not. */
static u64 value_of(struct swt *t, u64 leaf, u64 object, u64 id)
{
	u64 value;

	KUNIT_EXPECT_EQ_MSG(t->test, ST_SUCCESS, rd(t, leaf, object, id, &value), "field %llx",
			    id);
	return value;
}

static void expect_no_read(struct swt *t, u64 want, u64 leaf, u64 object, u64 id)
{
	u64 value;

	KUNIT_EXPECT_EQ_MSG(t->test, want, ST_CODE(rd(t, leaf, object, id, &value)),
			    "field %llx", id);
	KUNIT_EXPECT_EQ_MSG(t->test, 0ULL, value, "field %llx", id);
}

/* Writes are done with whole-state comparison: refused ones leave no trace. */
static void no_write(struct swt *t, u64 want, u64 leaf, u64 object, u64 id, u64 value, u64 mask)
{
	swt_no(t, want | ST_ANY_DETAIL, leaf,
	       SWT_ARGS(.rcx = object, .rdx = id, .r8 = value, .r9 = mask));
}

static u64 write(struct swt *t, u64 leaf, u64 object, u64 id, u64 value, u64 mask)
{
	struct tdx_module_args args = { .rcx = object, .rdx = id, .r8 = value, .r9 = mask };

	swt_ok(t, leaf, &args);
	return args.r8;
}

/* ---- ids ---- */

static void check_id_bits(struct swt *t, u64 leaf, u64 object, u64 id)
{
	u64 want = value_of(t, leaf, object, id), value;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		u64 other = id ^ BIT_ULL(bit);

		if (ID_IGNORED & BIT_ULL(bit))
			KUNIT_EXPECT_EQ_MSG(t->test, want, value_of(t, leaf, object, other),
					    "bit %u", bit);
		if (!(ID_RESERVED & BIT_ULL(bit)))
			continue;
		KUNIT_EXPECT_EQ_MSG(t->test, ST_METADATA_FIELD_ID_INCORRECT,
				    ST_CODE(rd(t, leaf, object, other, &value)), "bit %u", bit);
	}
}

static void ids_have_ignored_and_reserved_bits(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	check_id_bits(t, L_SYS_RD, 0, 0x9100000100000008ULL);
	check_id_bits(t, L_MNG_RD, td.tdr, FIELD_NUM_VCPUS);
	check_id_bits(t, L_VP_RD, td.vcpu, FIELD_VCPU_INDEX);
}

static void ids_without_a_field_are_refused(struct kunit *test)
{
	/* Class and code that no context has. */
	static const u64 bad[] = {
		0x3d00000000000000ULL, 0x9000000000ffffffULL, 0x9100000000000777ULL,
		0x1500000000000009ULL, 0xbe00000000000000ULL, 0x1000000000000010ULL,
	};
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_SYS_RD, 0, bad[i]);
		expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_MNG_RD, td.tdr, bad[i]);
		expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_VP_RD, td.vcpu, bad[i]);
		no_write(t, ST_METADATA_FIELD_ID_INCORRECT, L_MNG_WR, td.tdr, bad[i], 0, ~0ULL);
		no_write(t, ST_METADATA_FIELD_ID_INCORRECT, L_VP_WR, td.vcpu, bad[i], 0, ~0ULL);
	}
}

/* ---- the module's ---- */

struct field {
	u64 id;
	u64 want;
	u64 mask;	/* bits of the value that are known */
};

#define ANY		0
#define ALL		(~0ULL)

static const struct field sys_fields[] = {
	{ 0x0800000100000003, 5, ANY },			/* MINOR_VERSION */
	{ 0x0800000100000004, 1, ANY },
	{ 0x0800000100000005, 0, ANY },
	{ 0x0800000100000006, 0, ANY },
	{ 0x0800000200000000, 0x8086, ALL },		/* VENDOR_ID */
	{ 0x8800000200000001, 0, ANY },			/* BUILD_DATE */
	{ 0x8800000100000002, 0, ANY },
	{ 0x8900000100000000, 0, ANY },			/* MODULE_HV */
	{ 0x8900000100000001, 0, ANY },
	{ 0x8900000000000002, 0, ANY },
	{ 0x0a00000200000000, 0, BIT_ULL(31) },		/* SYS_ATTRIBUTES: no debug module */
	{ 0x0a00000300000008, BIT_ULL(18) | BIT_ULL(20) | BIT_ULL(51), BIT_ULL(18) |
	  BIT_ULL(20) | BIT_ULL(36) | BIT_ULL(51) },	/* TDX_FEATURES0 as Linux needs it */
	{ 0x9000000100000000, 32, ALL },		/* NUM_CMRS */
	{ 0x9100000100000008, 64, ALL },		/* MAX_TDMRS */
	{ 0x9100000100000009, 16, ALL },		/* MAX_RESERVED_PER_TDMR */
	{ 0x9100000100000010, 16, ALL },		/* PAMT_4K_ENTRY_SIZE */
	{ 0x9100000100000011, 16, ALL },
	{ 0x9100000100000012, 16, ALL },
	{ 0x9800000100000000, 4096, ALL },		/* TDR_BASE_SIZE */
	{ 0x9800000100000100, 24576, ALL },		/* TDCS_BASE_SIZE */
	{ 0x9800000100000101, 4096, ALL },
	{ 0x9800000100000200, 24576, ALL },		/* TDVPS_BASE_SIZE */
	{ 0x9800000100000201, 0, ANY },
	{ 0x1900000300000000, 0, ANY },			/* ATTRIBUTES_FIXED0 */
	{ 0x1900000300000001, 0, ALL },
	{ 0x1900000300000002, 3, 3 },			/* XFAM_FIXED0 */
	{ 0x1900000300000003, 3, ALL },
	{ 0x9900000100000004, 0, ANY },			/* NUM_CPUID_CONFIG */
	{ 0x9900000300000006, BIT_ULL(2), BIT_ULL(2) },	/* CONFIG_FLAGS_FIXED0 */
	{ 0x9900000300000007, 0, ALL },
	{ 0x9900000100000008, 0, ANY },			/* MAX_VCPUS_PER_TD */
	{ 0x9900000300000600, 0, ANY },			/* ARCH_CAPABILITIES mask */
};

static void module_fields_have_their_values(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct tdx_sw_test_cmr cmrs[32];
	unsigned int i, nr;

	for (i = 0; i < ARRAY_SIZE(sys_fields); i++) {
		const struct field *f = &sys_fields[i];

		KUNIT_EXPECT_EQ_MSG(test, f->want & f->mask,
				    value_of(t, L_SYS_RD, 0, f->id) & f->mask, "field %llx",
				    f->id);
	}

	nr = tdx_sw_test_cmrs(cmrs, ARRAY_SIZE(cmrs));
	for (i = 0; i < 32; i++) {
		KUNIT_EXPECT_EQ(test, i < nr ? cmrs[i].base : 0ULL,
				value_of(t, L_SYS_RD, 0, 0x9000000300000080ULL + i));
		KUNIT_EXPECT_EQ(test, i < nr ? cmrs[i].size : 0ULL,
				value_of(t, L_SYS_RD, 0, 0x9000000300000100ULL + i));
	}
	expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_SYS_RD, 0,
		       0x9000000300000120ULL);
	expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_SYS_RD, 0, FIELD_NUM_VCPUS);
}

#define ID_KEY(id)	((id) & (GENMASK_ULL(61, 56) | GENMASK_ULL(23, 0)))

/* Every id of the chain can be read, and what is known to exist is in it. */
static void module_fields_form_a_chain(struct kunit *test)
{
	struct tdx_module_args args = { .rdx = ~0ULL };
	unsigned int i, steps = 0;
	struct swt *t = swt_of(test);
	bool *seen;
	u64 id;

	seen = kunit_kcalloc(test, ARRAY_SIZE(sys_fields), sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIRST_FIELD_ID, ST_CODE(swt_call(t, L_SYS_RD, &args)));
	for (id = args.rdx; id != ~0ULL && steps < 1000; id = args.rdx, steps++) {
		args = (struct tdx_module_args) { .rdx = id };
		KUNIT_ASSERT_EQ_MSG(test, ST_SUCCESS, swt_call(t, L_SYS_RD, &args), "%llx", id);
		for (i = 0; i < ARRAY_SIZE(sys_fields); i++)
			seen[i] |= ID_KEY(sys_fields[i].id) == ID_KEY(id);
	}
	KUNIT_EXPECT_LT(test, steps, 1000U);
	for (i = 0; i < ARRAY_SIZE(sys_fields); i++)
		KUNIT_EXPECT_TRUE_MSG(test, seen[i], "%llx", sys_fields[i].id);
}

static void chain_ends_with_all_ones(struct kunit *test)
{
	struct tdx_module_args args = { .rdx = BIT_ULL(62), .r8 = 1 };
	struct swt *t = swt_of(test);

	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_ID_INCORRECT,
			ST_CODE(swt_call(t, L_SYS_RD, &args)));
	KUNIT_EXPECT_EQ(test, ~0ULL, args.rdx);
	KUNIT_EXPECT_EQ(test, 0ULL, args.r8);
}

/* ---- a TD's ---- */

static u64 td_rd(struct swt *t, struct swt_td *td, u64 id)
{
	return value_of(t, L_MNG_RD, td->tdr, id);
}

static void fill_identifiers(struct swt_td *td)
{
	u8 *params = swt_va(td->params);

	memset(params + PARAMS_MRCONFIGID, 0x11, 48);
	memset(params + PARAMS_MROWNER, 0x22, 48);
	memset(params + PARAMS_MROWNERCONFIG, 0x33, 48);
	*(u64 *)(params + PARAMS_CONFIG_FLAGS) = BIT_ULL(2);
	*(u64 *)(params + PARAMS_ATTRIBUTES) = BIT_ULL(28);
}

static void td_fields_have_their_values(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct model_td *m;
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	fill_identifiers(&td);
	swt_td_init(t, &td);
	td.vcpu = swt_vcpu_add(t, &td);
	swt_track(t, &td);
	m = swt_m_td(&t->m, td.tdr);

	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, 0x8010000000000001));
	KUNIT_EXPECT_EQ(test, (u64)m->num_tdcx, td_rd(t, &td, 0x8010000200000002));
	KUNIT_EXPECT_EQ(test, m->chldcnt, td_rd(t, &td, 0x8010000300000004));
	KUNIT_EXPECT_EQ(test, (u64)LC_KEYS_CONFIGURED, td_rd(t, &td, 0x8010000200000005));
	for (i = 0; i < MIN_TDCX; i++)
		KUNIT_EXPECT_EQ(test, td.tdcx[i], td_rd(t, &td, 0x8010000300000010 + i));
	KUNIT_EXPECT_EQ(test, (u64)td.hkid, td_rd(t, &td, 0x8110000100000001));
	KUNIT_EXPECT_EQ(test, m->pkgs, td_rd(t, &td, 0x8110000300000002));
	KUNIT_EXPECT_EQ(test, 1ULL, td_rd(t, &td, FIELD_NUM_VCPUS));
	KUNIT_EXPECT_EQ(test, 1ULL, td_rd(t, &td, 0x9010000200000002));
	KUNIT_EXPECT_EQ(test, (u64)OS_INITIALIZED, td_rd(t, &td, 0x9010000200000004));
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, 0x9010000100000005));
	KUNIT_EXPECT_EQ(test, BIT_ULL(28), td_rd(t, &td, 0x1110000300000000));
	KUNIT_EXPECT_EQ(test, 3ULL, td_rd(t, &td, 0x1110000300000001));
	KUNIT_EXPECT_EQ(test, 4ULL, td_rd(t, &td, 0x1110000200000002));
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, 0x1110000000000003));
	KUNIT_EXPECT_EQ(test, (u64)EPTP_CONTROLS_4_LEVELS,
			td_rd(t, &td, 0x1110000300000004) & 0xfff);
	KUNIT_EXPECT_EQ(test, 100ULL, td_rd(t, &td, 0x111000010000000c));
	KUNIT_EXPECT_EQ(test, 1000000ULL, td_rd(t, &td, FIELD_HP_LOCK_TIMEOUT));
	KUNIT_EXPECT_EQ(test, BIT_ULL(2), td_rd(t, &td, 0x1110000300000016));
	KUNIT_EXPECT_EQ(test, 2ULL, td_rd(t, &td, 0x9210000300000000));
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, 0x9210000100000001 + i));
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, 0x1111111111111111ULL,
				td_rd(t, &td, 0x1310000300000010 + i));
		KUNIT_EXPECT_EQ(test, 0x2222222222222222ULL,
				td_rd(t, &td, 0x1310000300000018 + i));
		KUNIT_EXPECT_EQ(test, 0x3333333333333333ULL,
				td_rd(t, &td, 0x1310000300000020 + i));
	}
	swt_check(t);
}

static void epoch_fields_follow_the_vcpus(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_enter(t, td.vcpu);
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, 0x9210000100000001));
	KUNIT_EXPECT_EQ(test, 1ULL, td_rd(t, &td, 0x9210000100000002));
	swt_track(t, &td);
	KUNIT_EXPECT_EQ(test, 1ULL, td_rd(t, &td, 0x9210000100000002));
	swt_leave(t, td.vcpu);
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, 0x9210000100000002));
}

/* What the guest keeps to itself while the TD is no debug TD. */
static const u64 td_hidden[] = {
	0x9110000300000010ULL,		/* NOTIFY_ENABLES */
	0x1110000300000017ULL,		/* TD_CTLS */
	0x1310000300000040ULL,		/* RTMR, first and last word */
	0x1310000300000057ULL,
};

static void secrets_of_a_td_are_not_readable(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(td_hidden); i++) {
		expect_no_read(t, ST_METADATA_FIELD_NOT_READABLE, L_MNG_RD, td.tdr,
			       td_hidden[i]);
		no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_MNG_WR, td.tdr, td_hidden[i], 1,
			 ~0ULL);
	}
}

static const u64 td_constant[] = {
	0x8010000000000001ULL, 0x8010000200000002ULL, 0x8010000300000004ULL,
	0x8010000200000005ULL, 0x8010000300000010ULL, 0x8010000300000020ULL,
	0x8110000100000001ULL, 0x8110000300000002ULL, 0x9010000200000001ULL,
	0x9010000200000002ULL, 0x9010000200000004ULL, 0x9010000100000005ULL,
	0x1110000300000000ULL, 0x1110000300000001ULL, 0x1110000200000002ULL,
	0x1110000000000003ULL, 0x1110000300000004ULL, 0x111000030000000aULL,
	0x111000030000000bULL, 0x111000010000000cULL, 0x1110000300000016ULL,
	0x9210000300000000ULL, 0x9210000100000001ULL, 0x1310000300000000ULL,
	0x1310000300000010ULL, 0x1310000300000018ULL, 0x1310000300000020ULL,
};

static void td_fields_are_not_the_hosts_to_write(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(td_constant); i++)
		no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_MNG_WR, td.tdr, td_constant[i],
			 0, ~0ULL);
}

static void lock_timeout_is_written_whole_and_in_range(struct kunit *test)
{
	static const u64 bad[] = { 0, 9999, 100000001, ~0ULL };
	struct swt *t = swt_of(test);
	u64 id = FIELD_HP_LOCK_TIMEOUT;
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_MNG_WR, td.tdr, id, bad[i],
			 ~0ULL);
	no_write(t, ST_METADATA_WR_MASK_NOT_VALID, L_MNG_WR, td.tdr, id, 20000, 0xffffffff);
	no_write(t, ST_METADATA_WR_MASK_NOT_VALID, L_MNG_WR, td.tdr, id, 20000, 0);
	KUNIT_EXPECT_EQ(test, 1000000ULL, write(t, L_MNG_WR, td.tdr, id, 10000, ~0ULL));
	KUNIT_EXPECT_EQ(test, 10000ULL, write(t, L_MNG_WR, td.tdr, id, 100000000, ~0ULL));
	KUNIT_EXPECT_EQ(test, 100000000ULL, td_rd(t, &td, id));
}

static void vm_controls_have_one_writable_bit(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 id = 0x9110000300000012ULL;
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, id));
	KUNIT_EXPECT_EQ(test, 0ULL, write(t, L_MNG_WR, td.tdr, id, ~0ULL, 1));
	KUNIT_EXPECT_EQ(test, 1ULL, td_rd(t, &td, id));
	no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_MNG_WR, td.tdr, id, 3, 3);
	no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_MNG_WR, td.tdr, id, 0, 0);
	/* Bits outside that do not change do no harm. */
	KUNIT_EXPECT_EQ(test, 1ULL, write(t, L_MNG_WR, td.tdr, id, 0, ~0ULL));
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, id));
	/* There are four of them. */
	KUNIT_EXPECT_EQ(test, 0ULL, td_rd(t, &td, id + 3));
}

#define CPUID_NO_SUB	0xff

static u64 cpuid_id(u32 leaf, u32 sub, u32 element)
{
	return 0x9410000300000000ULL | (u64)(leaf >> 31) << 16 | (leaf & 0x7f) << 9 |
	       sub << 1 | element;
}

static void cpuid_fields_show_what_the_td_sees(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	swt_td_init(t, &td);
	/* Highest leaves; the signature; the TSC */
	KUNIT_EXPECT_EQ(test, 0x23U,
			(u32)td_rd(t, &td, cpuid_id(0U, CPUID_NO_SUB, 0)));
	KUNIT_EXPECT_EQ(test, 0x80000008U,
			(u32)td_rd(t, &td, cpuid_id(0x80000000U, CPUID_NO_SUB, 0)));
	KUNIT_EXPECT_EQ(test, (u64)0x65746e49 << 32,
			td_rd(t, &td, cpuid_id(0x21U, 0, 0)));
	KUNIT_EXPECT_EQ(test, (u64)0x5844546c << 32 | 0x20202020,
			td_rd(t, &td, cpuid_id(0x21U, 0, 1)));
	KUNIT_EXPECT_EQ(test, 100ULL << 32 | 1,
			td_rd(t, &td, cpuid_id(0x15U, CPUID_NO_SUB, 0)));
	KUNIT_EXPECT_EQ(test, 25000000U,
			(u32)td_rd(t, &td, cpuid_id(0x15U, CPUID_NO_SUB, 1)));
	/* Leaf 1: a hypervisor is there. */
	KUNIT_EXPECT_EQ(test, BIT(31),
			(u32)td_rd(t, &td, cpuid_id(1U, CPUID_NO_SUB, 1)) & BIT(31));
	/* Leaf that raises #VE; leaf beyond the last */
	expect_no_read(t, ST_METADATA_FIELD_NOT_READABLE, L_MNG_RD, td.tdr,
		       cpuid_id(2U, CPUID_NO_SUB, 0));
	expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_MNG_RD, td.tdr,
		       cpuid_id(0x70U, CPUID_NO_SUB, 0));
	/* Without subleaf, and with one; half a mark of there being none */
	expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_MNG_RD, td.tdr, cpuid_id(0U, 0, 0));
	expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_MNG_RD, td.tdr,
		       cpuid_id(4U, CPUID_NO_SUB, 0));
	expect_no_read(t, ST_METADATA_FIELD_ID_INCORRECT, L_MNG_RD, td.tdr,
		       cpuid_id(0U, 0x81, 0));
}

static void cpuid_fields_follow_the_configuration(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u32 *leaf_4;

	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	leaf_4 = swt_va(td.params) + PARAMS_CPUID + 16;
	leaf_4[0] = 0x04000121;
	leaf_4[2] = 0x3f;
	swt_td_init(t, &td);
	KUNIT_EXPECT_EQ(test, 0x04000121U, (u32)td_rd(t, &td, cpuid_id(4U, 0, 0)));
	KUNIT_EXPECT_EQ(test, 0x3fU, (u32)td_rd(t, &td, cpuid_id(4U, 0, 1)));
	KUNIT_EXPECT_EQ(test, 0U, (u32)td_rd(t, &td, cpuid_id(4U, 1, 0)));
}

static void versions_of_read_differ_in_rdx(struct kunit *test)
{
	struct tdx_module_args args;
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	/* That version 0 keeps RDX is what swt_call() looks at. */
	value_of(t, L_MNG_RD, td.tdr, FIELD_NUM_VCPUS);
	args = (struct tdx_module_args) { .rcx = td.tdr, .rdx = FIELD_NUM_VCPUS };
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_V1(L_MNG_RD), &args));
	KUNIT_EXPECT_EQ(test, ID_KEY(0x9010000200000002ULL), ID_KEY(args.rdx));
	args = (struct tdx_module_args) { .rcx = td.vcpu, .rdx = 0xa020000200000002ULL };
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(t, L_V1(L_VP_RD), &args));
	KUNIT_EXPECT_EQ(test, ID_KEY(0xa020000000000003ULL), ID_KEY(args.rdx));
}

/* From the first to the last: all can be read, and each of @must is there once. */
static void check_chain(struct swt *t, u64 leaf, u64 object, const u64 *must, unsigned int nr)
{
	struct tdx_module_args args = { .rcx = object, .rdx = ~0ULL };
	unsigned int i, steps = 0;
	u8 *seen;
	u64 id;

	seen = kunit_kcalloc(t->test, nr, sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t->test, seen);
	KUNIT_EXPECT_EQ(t->test, ST_METADATA_FIRST_FIELD_ID, swt_call(t, leaf, &args));
	KUNIT_EXPECT_EQ(t->test, 0ULL, args.r8);
	KUNIT_EXPECT_EQ(t->test, ID_KEY(must[0]), ID_KEY(args.rdx));
	for (id = args.rdx; id != ~0ULL && steps < 1000; id = args.rdx, steps++) {
		for (i = 0; i < nr; i++)
			seen[i] += ID_KEY(must[i]) == ID_KEY(id);
		args = (struct tdx_module_args) { .rcx = object, .rdx = id };
		KUNIT_ASSERT_EQ_MSG(t->test, ST_SUCCESS, swt_call(t, leaf, &args), "%llx", id);
	}
	KUNIT_EXPECT_LT(t->test, steps, 1000U);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ_MSG(t->test, 1U, seen[i], "%llx", must[i]);
}

static void chains_lead_through_what_the_host_may_read(struct kunit *test)
{
	static const u64 written[] = {
		0x8010000000000001ULL, FIELD_HP_LOCK_TIMEOUT, 0x9110000300000012ULL,
		0x9110000300000015ULL, 0x9100000000000019ULL, 0x94100003000001feULL,
	};
	static const u64 vcpu[] = {
		0x2, 0x2004, 0x200e, 0x2010, 0x2016, 0x2018, 0x201a, 0x2024, 0x2032, 0x203c,
		0x4000, 0x401e, 0x4020, 0x4022, 0x4024, 0x4026, 0x9120000300000100ULL,
		FIELD_VCPU_INDEX, 0xa020000000000003ULL, 0xa020000200000004ULL,
		0xa020000300000006ULL, 0xa020000000000007ULL, 0xa020000000000008ULL,
		FIELD_PEND_NMI, 0x202000030000000cULL,
	};
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	check_chain(t, L_V1(L_MNG_RD), td.tdr, td_constant, ARRAY_SIZE(td_constant));
	check_chain(t, L_V1(L_MNG_RD), td.tdr, written, ARRAY_SIZE(written));
	check_chain(t, L_V1(L_VP_RD), td.vcpu, vcpu, ARRAY_SIZE(vcpu));
}

/* ---- a vCPU's ---- */

#define VMCS(encoding)	((u64)(encoding))

static u64 vp_rd(struct swt *t, struct swt_td *td, u64 id)
{
	return value_of(t, L_VP_RD, td->vcpu, id);
}

static void vcpu_fields_have_their_values(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, FIELD_VCPU_INDEX));
	KUNIT_EXPECT_EQ(test, (u64)MIN_TDVPS, vp_rd(t, &td, 0xa020000000000003ULL));
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, FIELD_PEND_NMI));
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, 0x9120000300000100ULL) & 1);
	KUNIT_EXPECT_EQ(test, 0xffffULL, vp_rd(t, &td, VMCS(0x0002)));
	KUNIT_EXPECT_EQ(test, ~0ULL, vp_rd(t, &td, VMCS(0x2016)));
	KUNIT_EXPECT_EQ(test, td.tdcx[4], vp_rd(t, &td, VMCS(0x203c)) & GENMASK_ULL(51, 12));
	/* Of these the host sees no more than it may change. */
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, VMCS(0x4000)));
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, VMCS(0x401e)));
	/* Whether CPUID raises #VE */
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, 0xa020000000000007ULL));
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, 0xa020000000000008ULL));
	KUNIT_EXPECT_EQ(test, td.tdcx[2], vp_rd(t, &td, VMCS(0x2004)) & GENMASK_ULL(51, 12));
	KUNIT_EXPECT_EQ(test, (u64)td.hkid, vp_rd(t, &td, VMCS(0x4026)));
	KUNIT_EXPECT_EQ(test, td_rd(t, &td, 0x111000030000000aULL),
			vp_rd(t, &td, VMCS(0x2010)));
	KUNIT_EXPECT_EQ(test, td_rd(t, &td, 0x111000030000000bULL),
			vp_rd(t, &td, VMCS(0x2032)));
	vp_rd(t, &td, VMCS(0x201a));
	vp_rd(t, &td, VMCS(0x4020));
	vp_rd(t, &td, VMCS(0x4022));
	vp_rd(t, &td, VMCS(0x200e));
	vp_rd(t, &td, VMCS(0x2018));
	vp_rd(t, &td, VMCS(0x2024));
}

static void secrets_of_a_vcpu_stay_secret(struct kunit *test)
{
	static const u64 secret[] = {
		0xa020000000000000ULL,		/* VCPU_STATE */
		VMCS(0x681e), VMCS(0x6802),	/* guest RIP, CR3 */
		0x1020000300000000ULL, 0x1020000300000003ULL,	/* guest RAX, RBX */
		0x1120000300000000ULL,		/* other guest state */
	};
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(secret); i++) {
		expect_no_read(t, ST_METADATA_FIELD_NOT_READABLE, L_VP_RD, td.vcpu, secret[i]);
		no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_VP_WR, td.vcpu, secret[i], 1,
			 ~0ULL);
	}
}

static void vcpu_fields_for_reading_are_not_written(struct kunit *test)
{
	static const u64 constant[] = {
		FIELD_VCPU_INDEX, 0xa020000000000003ULL, 0x9120000300000100ULL, VMCS(0x2004),
		VMCS(0x2010), VMCS(0x2032), VMCS(0x201a), VMCS(0x4026), VMCS(0x4020),
		VMCS(0x4022), VMCS(0x200e), VMCS(0x2018), VMCS(0x2024),
	};
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(constant); i++)
		no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_VP_WR, td.vcpu, constant[i], 0,
			 ~0ULL);
}

static void posted_interrupts_want_vector_and_descriptor_first(struct kunit *test)
{
	u64 pin = VMCS(0x4000), nv = VMCS(0x0002), pid = VMCS(0x2016), old;
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	swt_no(t, ST_TD_VMCS_FIELD_NOT_INITIALIZED | ST_ANY_DETAIL, L_VP_WR,
	       SWT_ARGS(.rcx = td.vcpu, .rdx = pin, .r8 = BIT(7), .r9 = BIT(7)));
	no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_VP_WR, td.vcpu, nv, 256, 0xffff);
	KUNIT_EXPECT_EQ(test, 0xffffULL, write(t, L_VP_WR, td.vcpu, nv, 0xf2, 0xffff));
	swt_no(t, ST_TD_VMCS_FIELD_NOT_INITIALIZED | 0x2016, L_VP_WR,
	       SWT_ARGS(.rcx = td.vcpu, .rdx = pin, .r8 = BIT(7), .r9 = BIT(7)));

	no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_VP_WR, td.vcpu, pid, td.params | 32,
		 ~0ULL);
	no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_VP_WR, td.vcpu, pid,
		 td.params | (u64)td.hkid << tdx_sw_keyid_shift(), ~0ULL);
	KUNIT_EXPECT_EQ(test, ~0ULL, write(t, L_VP_WR, td.vcpu, pid, td.params | 64, ~0ULL));
	old = write(t, L_VP_WR, td.vcpu, pin, BIT(7), BIT(7));
	KUNIT_EXPECT_EQ(test, 0ULL, old);
	KUNIT_EXPECT_EQ(test, old | BIT(7), vp_rd(t, &td, pin));
	/* Bit 0, external-interrupt exiting, is 1 and not shown. */
	no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_VP_WR, td.vcpu, pin, BIT(7),
		 BIT(7) | 1);
	no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_VP_WR, td.vcpu, pin, 0, 1);
}

static void writable_controls_have_their_masks(struct kunit *test)
{
	u64 proc2 = VMCS(0x401e), eptp = VMCS(0x203c), window = VMCS(0x4024), old;
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int bit;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	old = vp_rd(t, &td, proc2);
	KUNIT_EXPECT_EQ(test, 0ULL, old);
	for (bit = 0; bit < 32; bit++) {
		if (bit == 30 || bit == 31)
			write(t, L_VP_WR, td.vcpu, proc2, BIT(bit), BIT(bit));
		else
			no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_VP_WR, td.vcpu, proc2,
				 BIT(bit), BIT(bit));
	}
	KUNIT_EXPECT_EQ(test, old | BIT(30) | BIT(31), vp_rd(t, &td, proc2));

	write(t, L_VP_WR, td.vcpu, eptp, td.params, GENMASK_ULL(51, 12));
	KUNIT_EXPECT_EQ(test, td.params, vp_rd(t, &td, eptp) & GENMASK_ULL(51, 12));
	write(t, L_VP_WR, td.vcpu, window, 1000, 0xffffffff);
	KUNIT_EXPECT_EQ(test, 1000ULL, vp_rd(t, &td, window));
}

static void nmi_is_pended_by_a_write(struct kunit *test)
{
	struct tdx_sw_vcpu_info info;
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_RUNNABLE);
	/* As Linux puts the id together: class and code alone. */
	KUNIT_EXPECT_EQ(test, 0ULL, write(t, L_VP_WR, td.vcpu, 0x2000000000000000ULL + 11, 1, 1));
	KUNIT_EXPECT_EQ(test, 1ULL, vp_rd(t, &td, FIELD_PEND_NMI));
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_vcpu(td.vcpu, &info));
	KUNIT_EXPECT_TRUE(test, info.pend_nmi);
	no_write(t, ST_METADATA_FIELD_VALUE_NOT_VALID, L_VP_WR, td.vcpu, FIELD_PEND_NMI, 3, 3);
	no_write(t, ST_METADATA_FIELD_NOT_WRITABLE, L_VP_WR, td.vcpu, FIELD_PEND_NMI, 2, 2);
	KUNIT_EXPECT_EQ(test, 1ULL, write(t, L_VP_WR, td.vcpu, FIELD_PEND_NMI, 0, 1));
	KUNIT_EXPECT_EQ(test, 0ULL, vp_rd(t, &td, FIELD_PEND_NMI));
}

static struct kunit_case field_cases[] = {
	KUNIT_CASE(ids_have_ignored_and_reserved_bits),
	KUNIT_CASE(ids_without_a_field_are_refused),
	KUNIT_CASE(module_fields_have_their_values),
	KUNIT_CASE(module_fields_form_a_chain),
	KUNIT_CASE(chain_ends_with_all_ones),
	KUNIT_CASE(td_fields_have_their_values),
	KUNIT_CASE(epoch_fields_follow_the_vcpus),
	KUNIT_CASE(secrets_of_a_td_are_not_readable),
	KUNIT_CASE(td_fields_are_not_the_hosts_to_write),
	KUNIT_CASE(lock_timeout_is_written_whole_and_in_range),
	KUNIT_CASE(vm_controls_have_one_writable_bit),
	KUNIT_CASE(cpuid_fields_show_what_the_td_sees),
	KUNIT_CASE(cpuid_fields_follow_the_configuration),
	KUNIT_CASE(versions_of_read_differ_in_rdx),
	KUNIT_CASE(chains_lead_through_what_the_host_may_read),
	KUNIT_CASE(vcpu_fields_have_their_values),
	KUNIT_CASE(secrets_of_a_vcpu_stay_secret),
	KUNIT_CASE(vcpu_fields_for_reading_are_not_written),
	KUNIT_CASE(posted_interrupts_want_vector_and_descriptor_first),
	KUNIT_CASE(writable_controls_have_their_masks),
	KUNIT_CASE(nmi_is_pended_by_a_write),
	{}
};

static struct kunit_suite field_suite = {
	.name = "tdx_sw_field",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = field_cases,
};

kunit_test_suite(field_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: metadata fields");
MODULE_LICENSE("GPL");
