// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata as the TD itself reads and writes it: TDG.VM.RD and .WR, TDG.VP.RD and
 * .WR, TDG.SYS.RD and .RDALL.
 */
#include <linux/bitops.h>
#include <linux/string.h>

#include "guest.h"

#define FIELD_NOTIFY_ENABLES	0x9110000300000010ULL
#define FIELD_TD_CTLS		0x1110000300000017ULL
#define FIELD_CPUID_SUP_VE	0xa020000000000007ULL
#define FIELD_CPUID_USER_VE	0xa020000000000008ULL
#define FIELD_CPUID_LEAF_0	0x94100003000001feULL
#define NO_FIELD		(~0ULL)

#define CTL_PENDING_VE_DISABLE	BIT_ULL(0)
#define CTL_ENUM_TOPOLOGY	BIT_ULL(1)

static u64 rd(struct swg *s, u64 leaf, u64 id, u64 *value)
{
	u64 status;

	s->g.gpr[G_RCX] = 0;
	s->g.gpr[G_RDX] = id;
	s->g.gpr[G_R8] = 0x5555;
	status = swg_tdcall(s, leaf);
	*value = s->g.gpr[G_R8];
	return status;
}

static u64 wr(struct swg *s, u64 leaf, u64 id, u64 data, u64 mask)
{
	s->g.gpr[G_RCX] = 0;
	s->g.gpr[G_RDX] = id;
	s->g.gpr[G_R8] = data;
	s->g.gpr[G_R9] = mask;
	return swg_tdcall(s, leaf);
}

static u64 value_of(struct swg *s, u64 leaf, u64 id)
{
	u64 value;

	KUNIT_EXPECT_EQ_MSG(s->test, ST_SUCCESS, rd(s, leaf, id, &value), "field %llx", id);
	return value;
}

enum { R = 1, RW = 3 };

static const struct {
	u64 id;
	u8 access;
	u8 nr;
} td_fields[] = {
	{ 0x8010000000000001, 0 }, { 0x8010000200000002, 0 }, { 0x8010000300000004, 0 },
	{ 0x8010000200000005, 0 }, { 0x8010000300000010, 0 }, { 0x8010000300000020, R, 4 },
	{ 0x8110000100000001, 0 },
	{ 0x8110000300000002, 0 }, { 0x9010000200000001, R }, { 0x9010000200000002, 0 },
	{ 0x9010000200000004, 0 }, { 0x9010000100000005, R }, { 0x1110000300000000, R },
	{ 0x1110000300000001, R }, { 0x1110000200000002, R }, { 0x1110000000000003, R },
	{ 0x1110000300000004, 0 }, { 0x111000030000000a, 0 }, { 0x111000030000000b, 0 },
	{ 0x111000010000000c, R }, { FIELD_NOTIFY_ENABLES, RW }, { FIELD_HP_LOCK_TIMEOUT, 0 },
	{ 0x9110000300000012, 0 }, { 0x1110000300000016, R }, { FIELD_TD_CTLS, RW },
	{ 0x9100000000000019, R }, { 0x9210000300000000, 0 }, { 0x9210000100000001, 0 },
	{ 0x1310000300000000, R, 6 }, { 0x1310000300000010, R, 6 },
	{ 0x1310000300000018, R, 6 }, { 0x1310000300000020, R, 6 },
	{ 0x1310000300000040, R, 24 }, { FIELD_CPUID_LEAF_0, R, 2 },
};

static void check_td_field(struct swg *s, u64 id, u8 access)
{
	u64 value, status = rd(s, T_VM_RD, id, &value);

	KUNIT_EXPECT_EQ_MSG(s->test, status,
			    access ? ST_SUCCESS : ST_METADATA_FIELD_NOT_READABLE, "field %llx",
			    id);
	if (!access)
		KUNIT_EXPECT_EQ_MSG(s->test, value, 0ULL, "field %llx", id);
	if (access == RW)
		return;
	KUNIT_EXPECT_EQ_MSG(s->test, wr(s, T_VM_WR, id, value ^ 1, 1),
			    ST_METADATA_FIELD_NOT_WRITABLE, "field %llx", id);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_R8], 0ULL, "field %llx", id);
}

static void td_fields_have_their_access(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(td_fields); i++) {
		for (j = 0; j < max_t(unsigned int, td_fields[i].nr, 1); j++)
			check_td_field(s, td_fields[i].id + j, td_fields[i].access);
	}
}

static void guest_reads_what_the_host_reads(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(td_fields); i++) {
		for (j = 0; j < max_t(unsigned int, td_fields[i].nr, 1); j++) {
			u64 id = td_fields[i].id + j;
			struct tdx_module_args args = { .rcx = s->td.tdr, .rdx = id };

			if (td_fields[i].access != R ||
			    swt_call(s->t, L_MNG_RD, &args) != ST_SUCCESS)
				continue;
			KUNIT_EXPECT_EQ_MSG(test, value_of(s, T_VM_RD, id), args.r8,
					    "field %llx", id);
		}
	}
	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_NUM_VCPUS), 1ULL);
}

static void ids_without_a_field_are_refused(struct kunit *test)
{
	static const u64 bad[] = {
		0x3d00000000000000ULL, 0x9100000000000777ULL, 0x9410000300000000ULL,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;
	u64 value;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, rd(s, T_VM_RD, bad[i], &value),
				ST_METADATA_FIELD_ID_INCORRECT);
		KUNIT_EXPECT_EQ(test, value, 0ULL);
		KUNIT_EXPECT_EQ(test, rd(s, T_VP_RD, bad[i], &value),
				ST_METADATA_FIELD_ID_INCORRECT);
		KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], NO_FIELD);
		KUNIT_EXPECT_EQ(test, wr(s, T_VP_WR, bad[i], 0, 1),
				ST_METADATA_FIELD_ID_INCORRECT);
	}
	/* A leaf of CPUID that the guest has to ask its host for. */
	KUNIT_EXPECT_EQ(test, rd(s, T_VM_RD, FIELD_CPUID_LEAF_0 | 2 << 9, &value),
			ST_METADATA_FIELD_NOT_READABLE);
}

static void rcx_has_to_be_0(struct kunit *test)
{
	static const u64 leaves[] = { T_VM_RD, T_VM_WR, T_VP_RD, T_VP_WR };
	struct swg *s = swg_start(test, NULL);
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		for (bit = 0; bit < 64; bit++) {
			s->g.gpr[G_RCX] = BIT_ULL(bit);
			s->g.gpr[G_RDX] = FIELD_NUM_VCPUS;
			s->g.gpr[G_R8] = 0x5555;
			KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX,
					swg_tdcall(s, leaves[i]));
			KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 0ULL);
		}
	}
}

/* VM.RD keeps RDX in version 0, VP.RD never does. */
static void versions_tell_the_next_id(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 value;

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rd(s, T_VM_RD, FIELD_NUM_VCPUS, &value));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], FIELD_NUM_VCPUS);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rd(s, T_VM_RD | 1 << 16, FIELD_NUM_VCPUS, &value));
	/* What is not the guest's to read is left out. */
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], 0x9010000100000005ULL);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rd(s, T_VP_RD, FIELD_VCPU_INDEX, &value));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], FIELD_CPUID_SUP_VE);
}

#define CLASS_CPUID	0x94

/* From @first to @last: all can be read; returns how many, those of CPUID aside. */
static unsigned int follow_chain(struct swg *s, u64 leaf, u64 first, u64 *last)
{
	unsigned int nr = 0, steps;
	u64 id, value;

	KUNIT_EXPECT_EQ(s->test, ST_METADATA_FIRST_FIELD_ID, rd(s, leaf, NO_FIELD, &value));
	KUNIT_EXPECT_EQ(s->test, value, 0ULL);
	KUNIT_EXPECT_EQ(s->test, s->g.gpr[G_RDX], first);
	id = first;
	for (steps = 0; id != NO_FIELD && steps < 1000; steps++, id = s->g.gpr[G_RDX]) {
		KUNIT_EXPECT_EQ_MSG(s->test, ST_SUCCESS, rd(s, leaf, id, &value), "field %llx",
				    id);
		nr += id >> 56 != CLASS_CPUID;
		*last = id;
	}
	return nr;
}

static void chains_lead_through_what_the_guest_may_read(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i, nr = 0;
	u64 last = 0;

	for (i = 0; i < ARRAY_SIZE(td_fields); i++) {
		if (td_fields[i].access && td_fields[i].id != FIELD_CPUID_LEAF_0)
			nr += max_t(unsigned int, td_fields[i].nr, 1);
	}
	/* None that it may read is left out; TD_UUID is the first, CPUID comes last. */
	KUNIT_EXPECT_EQ(test, follow_chain(s, T_VM_RD | 1 << 16, 0x8010000300000020ULL, &last),
			nr);
	KUNIT_EXPECT_EQ(test, last >> 56, (u64)CLASS_CPUID);
	KUNIT_EXPECT_EQ(test, follow_chain(s, T_VP_RD, FIELD_VCPU_INDEX, &last), 3U);
	KUNIT_EXPECT_EQ(test, last, FIELD_CPUID_USER_VE);
}

static void notify_enables_has_one_bit(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VM_WR, FIELD_NOTIFY_ENABLES, 1, 1));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 0ULL);
	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_NOTIFY_ENABLES), 1ULL);
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_VALUE_NOT_VALID,
			wr(s, T_VM_WR, FIELD_NOTIFY_ENABLES, 2, 3));
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_NOT_WRITABLE,
			wr(s, T_VM_WR, FIELD_NOTIFY_ENABLES, 2, 2));
	/* As Linux spells it. */
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VM_WR, 0x9100000000000010ULL, 0, ~0ULL));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 1ULL);
	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_NOTIFY_ENABLES), 0ULL);
}

static void pending_ve_is_fixed_unless_flexible(struct kunit *test)
{
	struct swg_config config = { .attributes = BIT_ULL(28) };
	struct swg *s = swg_start(test, &config);

	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_TD_CTLS), CTL_PENDING_VE_DISABLE);
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_VALUE_NOT_VALID,
			wr(s, T_VM_WR, FIELD_TD_CTLS, 0, CTL_PENDING_VE_DISABLE));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 0ULL);
	/* No change is a legal one. */
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VM_WR, FIELD_TD_CTLS, 1, ~0ULL));
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_NOT_WRITABLE,
			wr(s, T_VM_WR, FIELD_TD_CTLS, 1, 0));
	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_TD_CTLS), CTL_PENDING_VE_DISABLE);
}

static void pending_ve_can_be_changed_if_flexible(struct kunit *test)
{
	struct swg_config config = { .config_flags = BIT_ULL(1) };
	struct swg *s = swg_start(test, &config);
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_TD_CTLS), 0ULL);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VM_WR, FIELD_TD_CTLS, 1, 1));
	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, FIELD_TD_CTLS), 1ULL);
	for (bit = 1; bit < 64; bit++)
		KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_VALUE_NOT_VALID,
				wr(s, T_VM_WR, FIELD_TD_CTLS, BIT_ULL(bit), BIT_ULL(bit)));
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VM_WR, FIELD_TD_CTLS, 0, 1));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 1ULL);
}

static void vcpu_fields_have_their_access(struct kunit *test)
{
	static const u64 hidden[] = {
		0xa020000000000000ULL, 0xa020000200000004ULL, 0xa020000300000006ULL,
		FIELD_PEND_NMI, 0x9120000300000100ULL, 0x203c, 0x201a, 0x4000, 0x681e,
		0x1020000300000000ULL,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;
	u64 value;

	KUNIT_EXPECT_EQ(test, value_of(s, T_VP_RD, FIELD_VCPU_INDEX), 0ULL);
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_NOT_WRITABLE,
			wr(s, T_VP_WR, FIELD_VCPU_INDEX, 1, ~0ULL));
	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		KUNIT_EXPECT_EQ_MSG(test, ST_METADATA_FIELD_NOT_READABLE,
				    rd(s, T_VP_RD, hidden[i], &value), "field %llx", hidden[i]);
		KUNIT_EXPECT_EQ(test, value, 0ULL);
		KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], NO_FIELD);
		KUNIT_EXPECT_EQ_MSG(test, ST_METADATA_FIELD_NOT_WRITABLE,
				    wr(s, T_VP_WR, hidden[i], 1, 1), "field %llx", hidden[i]);
	}
}

static u64 host_value(struct swg *s, u64 id)
{
	struct tdx_module_args args = { .rcx = s->vcpu, .rdx = id };

	KUNIT_EXPECT_EQ(s->test, ST_SUCCESS, swt_call(s->t, L_VP_RD, &args));
	return args.r8;
}

static void cpuid_ve_is_two_fields(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VP_WR, FIELD_CPUID_USER_VE, 1, ~0ULL));
	KUNIT_EXPECT_EQ(test, value_of(s, T_VP_RD, FIELD_CPUID_USER_VE), 1ULL);
	KUNIT_EXPECT_EQ(test, value_of(s, T_VP_RD, FIELD_CPUID_SUP_VE), 0ULL);
	KUNIT_EXPECT_EQ(test, host_value(s, FIELD_CPUID_USER_VE), 1ULL);
	KUNIT_EXPECT_EQ(test, host_value(s, FIELD_CPUID_SUP_VE), 0ULL);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VP_WR, FIELD_CPUID_SUP_VE, 1, 1));
	KUNIT_EXPECT_EQ(test, host_value(s, FIELD_CPUID_SUP_VE), 1ULL);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, wr(s, T_VP_WR, FIELD_CPUID_USER_VE, 0, 1));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 1ULL);
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_VALUE_NOT_VALID,
			wr(s, T_VP_WR, FIELD_CPUID_SUP_VE, 2, 3));

	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_ve(s, EXIT_REASON_CPUID, 0, "supervisor");
	swg_set_cpl(s, 3);
	s->g.gpr[G_RAX] = 0;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_done(s, 2, "user");
}

/* ---- topology ---- */

static struct swg *start_with_topology(struct kunit *test)
{
	/* VP.INIT with an x2APIC id, which the common fixture does without. */
	struct swt *t = swt_of(test);
	struct tdx_module_args args;
	struct swg *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->t = t;
	s->test = test;
	t->checked = false;
	swt_td_build(t, &s->td, 0, STAGE_INITIALIZED);
	s->vcpu = swt_vcpu_create(t, &s->td, MIN_TDVPS);
	args = (struct tdx_module_args) { .rcx = s->vcpu, .r8 = 0x12 };
	swt_ok(t, L_V1(L_VP_INIT), &args);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = s->td.tdr));
	t->checked = true;
	swg_run(s);
	return s;
}

static void topology_can_be_switched_on_if_configured(struct kunit *test)
{
	struct swg *s = start_with_topology(test);
	u64 *gpr = s->g.gpr;

	KUNIT_EXPECT_EQ(test, value_of(s, T_VM_RD, 0x9100000000000019ULL), 1ULL);
	gpr[G_RAX] = 0xb;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_ve(s, EXIT_REASON_CPUID, 0, "off");

	KUNIT_EXPECT_EQ(test, ST_SUCCESS,
			wr(s, T_VM_WR, FIELD_TD_CTLS, CTL_ENUM_TOPOLOGY, CTL_ENUM_TOPOLOGY));
	gpr[G_RAX] = 0xb;
	gpr[G_RCX] = 0;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_done(s, 2, "leaf 0xb.0");
	KUNIT_EXPECT_EQ(test, gpr[G_RAX], 0ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RBX], 1ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RCX], 0x100ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RDX], 0x12ULL);
	gpr[G_RAX] = 0x1f;
	gpr[G_RCX] = 1;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_done(s, 2, "leaf 0x1f.1");
	/* Five bits for the id 0x12, one vCPU. */
	KUNIT_EXPECT_EQ(test, gpr[G_RAX], 5ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RBX], 1ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RCX], 0x201ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RDX], 0x12ULL);
	gpr[G_RAX] = 0xb;
	gpr[G_RCX] = 2;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	KUNIT_EXPECT_EQ(test, gpr[G_RBX], 0ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_RCX], 2ULL);
	gpr[G_RAX] = 1;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	KUNIT_EXPECT_EQ(test, gpr[G_RBX] >> 24, 0x12ULL);
}

/* ---- the module's fields ---- */

static void sys_rd_enumerates_all_fields(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 id, value, next = NO_FIELD;
	unsigned int nr = 0;

	KUNIT_EXPECT_EQ(test, ST_METADATA_FIRST_FIELD_ID, rd(s, T_SYS_RD, NO_FIELD, &value));
	id = s->g.gpr[G_RDX];
	for (; id != NO_FIELD && nr < 1000; id = next, nr++) {
		struct tdx_module_args args = { .rdx = id };

		KUNIT_EXPECT_EQ(test, ST_SUCCESS, rd(s, T_SYS_RD, id, &value));
		next = s->g.gpr[G_RDX];
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(s->t, L_SYS_RD, &args));
		KUNIT_EXPECT_EQ_MSG(test, args.r8, value, "field %llx", id);
		KUNIT_EXPECT_EQ_MSG(test, args.rdx, next, "after field %llx", id);
	}
	KUNIT_EXPECT_GT(test, nr, 100U);
	KUNIT_EXPECT_LT(test, nr, 1000U);
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_ID_INCORRECT,
			rd(s, T_SYS_RD, 0x3d00000000000000ULL, &value));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], NO_FIELD);
}

static u64 rdall(struct swg *s, u64 gpa, u64 id)
{
	s->g.gpr[G_RDX] = gpa;
	s->g.gpr[G_R8] = id;
	return swg_tdcall(s, T_SYS_RDALL);
}

static void sys_rdall_fills_a_page(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 *list = swt_va(s->data[0]), value;
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rdall(s, DATA_GPA, NO_FIELD));
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIRST_FIELD_ID, rd(s, T_SYS_RD, NO_FIELD, &value));
	KUNIT_EXPECT_EQ(test, list[1], s->g.gpr[G_RDX]);
	KUNIT_EXPECT_EQ(test, list[2], value_of(s, T_SYS_RD, list[1]));
	KUNIT_EXPECT_GT(test, list[0] & 0xffff, 8ULL);

	for (bit = 0; bit < 12; bit++) {
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RDX,
				rdall(s, DATA_GPA | BIT_ULL(bit), NO_FIELD));
		KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], NO_FIELD);
	}
	KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RDX,
			rdall(s, BIT_ULL(tdx_sw_gpa_width() - 1), NO_FIELD));
	KUNIT_EXPECT_EQ(test, ST_METADATA_FIELD_ID_INCORRECT,
			rdall(s, DATA_GPA, 0x3d00000000000000ULL));
}

/* One sequence of one element for each field: the chain that SYS.RD leads along. */
static void sys_rdall_lists_what_sys_rd_reads(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 *list = swt_va(s->data[0]), *tail = swt_va(s->data[1]), id, value;
	unsigned int i, nr;

	memset(list, 0xee, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rdall(s, DATA_GPA, NO_FIELD));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], NO_FIELD);
	nr = list[0] >> 32 & 0xffff;
	KUNIT_ASSERT_GT(test, nr, 100U);
	KUNIT_ASSERT_LT(test, nr, 256U);
	KUNIT_EXPECT_EQ(test, list[0], (u64)nr << 32 | (8 + 16 * nr));

	rd(s, T_SYS_RD, NO_FIELD, &value);
	for (i = 0; i < nr; i++) {
		id = s->g.gpr[G_RDX];
		KUNIT_ASSERT_EQ(test, list[1 + 2 * i], id);
		KUNIT_EXPECT_EQ_MSG(test, list[2 + 2 * i], value_of(s, T_SYS_RD, id),
				    "field %llx", id);
	}
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], NO_FIELD);
	KUNIT_EXPECT_EQ(test, list[1 + 2 * nr], 0xeeeeeeeeeeeeeeeeULL);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, rdall(s, DATA_GPA + PAGE_SIZE, list[2 * nr - 3]));
	KUNIT_EXPECT_EQ(test, tail[0], 2ULL << 32 | 40);
	KUNIT_EXPECT_MEMEQ(test, tail + 1, list + 2 * nr - 3, 32);
}

static struct kunit_case gfield_cases[] = {
	KUNIT_CASE(td_fields_have_their_access),
	KUNIT_CASE(guest_reads_what_the_host_reads),
	KUNIT_CASE(ids_without_a_field_are_refused),
	KUNIT_CASE(rcx_has_to_be_0),
	KUNIT_CASE(versions_tell_the_next_id),
	KUNIT_CASE(chains_lead_through_what_the_guest_may_read),
	KUNIT_CASE(notify_enables_has_one_bit),
	KUNIT_CASE(pending_ve_is_fixed_unless_flexible),
	KUNIT_CASE(pending_ve_can_be_changed_if_flexible),
	KUNIT_CASE(vcpu_fields_have_their_access),
	KUNIT_CASE(cpuid_ve_is_two_fields),
	KUNIT_CASE(topology_can_be_switched_on_if_configured),
	KUNIT_CASE(sys_rd_enumerates_all_fields),
	KUNIT_CASE(sys_rdall_fills_a_page),
	KUNIT_CASE(sys_rdall_lists_what_sys_rd_reads),
	{}
};

SWG_SUITE("tdx_sw_gfield", gfield_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: metadata for the guest");
MODULE_LICENSE("GPL");
