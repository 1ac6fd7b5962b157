// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID of a TD, bit by bit: what is fixed, what is the CPU's, what the host may
 * configure, what goes with XFAM and attributes; the topology.
 *
 * The tables are those of the interface description (cpuid_sheet.h).
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "cpuid_sheet.h"
#include "guest.h"

#define NO_SUBLEAF	SHEET_NO_SUBLEAF
#define NR_CPUID_REGS	SHEET_NR_REGS

static struct sheet_cpuid native(u32 leaf, u32 subleaf)
{
	u32 max = leaf & BIT(31) ? cpuid_eax(0x80000000) : cpuid_eax(0);
	struct sheet_cpuid val = {};

	if (leaf <= max)
		cpuid_count(leaf, subleaf == NO_SUBLEAF ? 0 : subleaf, &val.r[0], &val.r[1],
			    &val.r[2], &val.r[3]);
	/* XSAVEC and XSAVES, as the kernel has them */
	if (leaf == 0xd && subleaf == 1 && !boot_cpu_has(X86_FEATURE_XSAVEC))
		val.r[0] &= ~BIT(1);
	if (leaf == 0xd && subleaf == 1 && !boot_cpu_has(X86_FEATURE_XSAVES))
		val.r[0] &= ~BIT(3);
	return val;
}

/* ---- a TD, and what its CPUID should be ---- */

struct td_config {
	const char *name;
	u64 xfam;			/* as far as the module offers it */
	u32 host[NR_CPUID_REGS];	/* bits given wherever the host may give any */
};

static const struct td_config td_configs[] = {
	{ "nothing", 3, {} },
	{ "all that can be allowed", 3, { 0, ~0U, ~0U, ~0U } },
	{ "every other bit", 3, { 0, 0x55555555, 0x55555555, 0x55555555 } },
	{ "and the rest", 3, { 0, 0xaaaaaaaa, 0xaaaaaaaa, 0xaaaaaaaa } },
	{ "AVX", 0x7, { 0, ~0U, ~0U, ~0U } },
	{ "AVX-512", 0xe7, { 0, ~0U, ~0U, ~0U } },
	{ "PT", 0x103, { 0, ~0U, ~0U, ~0U } },
	{ "PKRU", 0x203, { 0, ~0U, ~0U, ~0U } },
	{ "CET", 0x1803, { 0, ~0U, ~0U, ~0U } },
	{ "ULI", 0x4003, { 0, ~0U, ~0U, ~0U } },
	{ "LBR", 0x8003, { 0, ~0U, ~0U, ~0U } },
	{ "AMX", 0x60003, { 0, ~0U, ~0U, ~0U } },
	{ "all of XFAM", 0x6dbe7, { 0, ~0U, ~0U, ~0U } },
	{ "all of XFAM, nothing allowed", 0x6dbe7, {} },
};

static void describe(const struct td_config *config, char *desc)
{
	strscpy(desc, config->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(td_configs, td_configs, describe);

static u64 sys_rd(struct swt *t, u64 id)
{
	struct tdx_module_args args = { .rdx = id };

	KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, swt_call(t, L_SYS_RD, &args));
	return args.r8;
}

#define SYS_XFAM_FIXED0		0x1900000300000002ULL
#define SYS_NUM_CPUID_CONFIG	0x9900000100000004ULL
#define SYS_CPUID_CONFIG_LEAF	0x9900000300000400ULL
#define SYS_CPUID_CONFIG_VALUE	0x9900000300000500ULL

static unsigned int nr_configs(struct swt *t)
{
	unsigned int nr = sys_rd(t, SYS_NUM_CPUID_CONFIG);

	KUNIT_ASSERT_LE(t->test, nr, 48U);
	return nr;
}

static void config_id(struct swt *t, unsigned int i, u32 *leaf, u32 *subleaf)
{
	u64 id = sys_rd(t, SYS_CPUID_CONFIG_LEAF + i);

	*leaf = id;
	*subleaf = id >> 32;
}

static struct sheet_cpuid host_value(const struct td_config *config, u32 leaf, u32 subleaf)
{
	struct sheet_cpuid direct, allow, val;
	unsigned int r;

	sheet_may_give(leaf, subleaf, &direct, &allow);
	for (r = 0; r < NR_CPUID_REGS; r++)
		val.r[r] = config->host[r] & (direct.r[r] | allow.r[r]);
	/* TSX goes with an MSR that no TD has. */
	if (leaf == 7 && !subleaf)
		val.r[1] &= ~(BIT(4) | BIT(11));
	return val;
}

static u64 offered_xfam(struct swt *t, u64 xfam)
{
	static const u64 groups[] = { GENMASK_ULL(7, 5), GENMASK_ULL(12, 11),
				      GENMASK_ULL(18, 17) };
	u64 offered = xfam & sys_rd(t, SYS_XFAM_FIXED0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if ((offered & groups[i]) != groups[i])
			offered &= ~groups[i];
	}
	/* AVX-512 comes with AVX. */
	if (!(offered & BIT_ULL(2)))
		offered &= ~GENMASK_ULL(7, 5);
	return offered;
}

static void fill_params(struct swt *t, struct swt_td *td, const struct td_config *config)
{
	void *params = swt_va(td->params);
	unsigned int i, nr = nr_configs(t);
	u32 leaf, subleaf;

	*(u64 *)(params + PARAMS_XFAM) = offered_xfam(t, config->xfam);
	for (i = 0; i < nr; i++) {
		config_id(t, i, &leaf, &subleaf);
		((struct sheet_cpuid *)(params + PARAMS_CPUID))[i] =
			host_value(config, leaf, subleaf);
	}
}

static struct sheet_cpuid wanted(struct swt *t, const struct td_config *config,
				 unsigned int row, u32 subleaf)
{
	u32 leaf = sheet_leaf_number(sheet_cpuid_rows[row].leaf);
	struct sheet_cpuid leaf_1 = native(1, NO_SUBLEAF);
	struct sheet_td td = {
		.xfam = offered_xfam(t, config->xfam), .tsc_frequency = 100,
		.leaf_1_eax = leaf_1.r[0],
		.has_monitor = !!(config->host[2] & leaf_1.r[2] & BIT(3)),
	};

	return sheet_value(&sheet_cpuid_rows[row], subleaf, native(leaf, subleaf),
			   host_value(config, leaf, subleaf), &td);
}

static u64 field_of(u32 leaf, u32 subleaf, bool high)
{
	return 0x9410000300000000ULL | (u64)(leaf >> 31) << 16 | (leaf & 0x7f) << 9 |
	       (subleaf == NO_SUBLEAF ? 0x1fe : subleaf << 1) | high;
}

static bool host_reads(struct swt *t, u64 tdr, u32 leaf, u32 subleaf, struct sheet_cpuid *val)
{
	struct tdx_module_args args;
	unsigned int i;
	u64 status;

	for (i = 0; i < 2; i++) {
		args = (struct tdx_module_args) { .rcx = tdr, .rdx = field_of(leaf, subleaf, i) };
		status = swt_call(t, L_MNG_RD, &args);
		if (sheet_raises_ve(leaf)) {
			KUNIT_EXPECT_EQ_MSG(t->test, status, ST_METADATA_FIELD_NOT_READABLE,
					    "%x.%x", leaf, subleaf);
			return false;
		}
		KUNIT_EXPECT_EQ_MSG(t->test, status, ST_SUCCESS, "%x.%x", leaf, subleaf);
		val->r[2 * i] = args.r8;
		val->r[2 * i + 1] = args.r8 >> 32;
	}
	return true;
}

static void check_value(struct swt *t, const struct td_config *config, u64 tdr,
			unsigned int row, u32 subleaf)
{
	struct sheet_cpuid want = wanted(t, config, row, subleaf), val;
	u32 leaf = sheet_leaf_number(sheet_cpuid_rows[row].leaf), differ;
	unsigned int r;

	if (!host_reads(t, tdr, leaf, subleaf, &val))
		return;
	for (r = 0; r < NR_CPUID_REGS; r++) {
		/* The host sees nothing of what a vCPU does, but sizes are worked out. */
		differ = want.r[r] ^ val.r[r];
		if (leaf == 0xd)
			differ &= ~sheet_varying(leaf, subleaf, r);
		KUNIT_EXPECT_EQ_MSG(t->test, differ, 0U, "%x.%x %c: %x, not %x", leaf, subleaf,
				    SHEET_REGS[r], val.r[r], want.r[r]);
	}
}

static void every_bit_follows_its_rule(struct kunit *test)
{
	const struct td_config *config = test->param_value;
	struct swt *t = swt_of(test);
	u32 subleaf, first, last;
	unsigned int row;
	struct swt_td td;

	t->checked = false;
	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	fill_params(t, &td, config);
	swt_td_init(t, &td);
	for (row = 0; row < ARRAY_SIZE(sheet_cpuid_rows); row++) {
		sheet_subleaves(sheet_cpuid_rows[row].subleaf, &first, &last);
		subleaf = first;
		do {
			check_value(t, config, td.tdr, row, subleaf);
		} while (subleaf++ != last);
	}
}

/* ---- what the host may configure ---- */

static void host_is_told_what_it_may_configure(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, r, nr = nr_configs(t);
	u32 leaf, subleaf;

	for (i = 0; i < nr; i++) {
		u64 low = sys_rd(t, SYS_CPUID_CONFIG_VALUE + 2 * i);
		u64 high = sys_rd(t, SYS_CPUID_CONFIG_VALUE + 2 * i + 1);
		struct sheet_cpuid told = { { low, low >> 32, high, high >> 32 } };
		struct sheet_cpuid direct, allow, val;

		config_id(t, i, &leaf, &subleaf);
		if (leaf == 0x1f)
			continue;
		sheet_may_give(leaf, subleaf, &direct, &allow);
		val = native(leaf, subleaf);
		for (r = 0; r < NR_CPUID_REGS; r++)
			KUNIT_EXPECT_EQ_MSG(test, told.r[r],
					    direct.r[r] | (allow.r[r] & val.r[r]), "%x.%x %c",
					    leaf, subleaf, SHEET_REGS[r]);
	}
}

static struct sheet_cpuid *config_of(struct swt *t, struct swt_td *td, u32 leaf, u32 subleaf)
{
	unsigned int i, nr = nr_configs(t);
	u32 l, s;

	for (i = 0; i < nr; i++) {
		config_id(t, i, &l, &s);
		if (l == leaf && s == subleaf)
			return (struct sheet_cpuid *)(swt_va(td->params) + PARAMS_CPUID) + i;
	}
	KUNIT_ASSERT_TRUE_MSG(t->test, false, "%x.%x is not configurable", leaf, subleaf);
	return NULL;
}

static u64 init(struct swt *t, struct swt_td *td, u64 *rcx)
{
	struct tdx_module_args args = { .rcx = td->tdr, .rdx = td->params };
	u64 status = swt_call(t, L_MNG_INIT, &args);

	*rcx = args.rcx;
	return status;
}

static void bits_that_are_not_the_hosts_are_refused(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, r, bit, nr = nr_configs(t);
	struct sheet_cpuid direct, allow, *val;
	u32 leaf, subleaf;
	struct swt_td td;
	u64 rcx;

	t->checked = false;
	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	for (i = 0; i < nr; i++) {
		config_id(t, i, &leaf, &subleaf);
		if (leaf == 0x1f)
			continue;
		sheet_may_give(leaf, subleaf, &direct, &allow);
		val = config_of(t, &td, leaf, subleaf);
		for (r = 0; r < NR_CPUID_REGS; r++) {
			for (bit = 0; bit < 32; bit++) {
				if ((direct.r[r] | allow.r[r]) & BIT(bit))
					continue;
				val->r[r] = BIT(bit);
				KUNIT_EXPECT_EQ_MSG(test, init(t, &td, &rcx),
						    ST_OPERAND_INVALID | OP_CPUID_CONFIG,
						    "%x.%x %c bit %u", leaf, subleaf,
						    SHEET_REGS[r], bit);
				KUNIT_EXPECT_EQ(test, rcx, leaf | (u64)subleaf << 32);
				val->r[r] = 0;
			}
		}
	}
}

/* Where the CPU has no TSX it makes no difference what the host allows of it. */
static void tsx_counts_as_the_td_would_get_it(struct kunit *test)
{
	u32 tsx = native(7, 0).r[1] & (BIT(4) | BIT(11));
	struct swt *t = swt_of(test);
	struct swt_td td;
	struct sheet_cpuid *val;
	u64 rcx, want;

	t->checked = false;
	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	val = config_of(t, &td, 7, 0);
	val->r[1] = BIT(4);
	want = tsx & BIT(4) ? ST_OPERAND_INVALID | OP_CPUID_CONFIG : ST_SUCCESS;
	KUNIT_EXPECT_EQ(test, want, init(t, &td, &rcx));
	if (want)
		return;
	KUNIT_ASSERT_TRUE(test, host_reads(t, td.tdr, 7, 0, val));
	KUNIT_EXPECT_EQ(test, val->r[1] & (BIT(4) | BIT(11)), 0U);
}

/* ---- the guest ---- */

static bool guest_cpuid(struct swg *s, u32 leaf, u32 subleaf, struct sheet_cpuid *val)
{
	static const u8 gpr[NR_CPUID_REGS] = { G_RAX, G_RBX, G_RCX, G_RDX };
	unsigned int r;

	s->g.gpr[G_RAX] = leaf;
	s->g.gpr[G_RCX] = subleaf;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	for (r = 0; r < NR_CPUID_REGS; r++)
		val->r[r] = s->g.gpr[gpr[r]];
	if (!s->g.event)
		return true;
	s->g.ve_valid = 0;
	return false;
}

static void guest_sees_what_the_host_reads(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u32 leaf, subleaf, first, last, differ;
	struct sheet_cpuid host, guest;
	unsigned int row, r;

	for (row = 0; row < ARRAY_SIZE(sheet_cpuid_rows); row++) {
		leaf = sheet_leaf_number(sheet_cpuid_rows[row].leaf);
		sheet_subleaves(sheet_cpuid_rows[row].subleaf, &first, &last);
		subleaf = first;
		do {
			KUNIT_EXPECT_EQ_MSG(test, guest_cpuid(s, leaf, subleaf, &guest),
					    host_reads(s->t, s->td.tdr, leaf, subleaf, &host),
					    "%x.%x", leaf, subleaf);
			for (r = 0; !sheet_raises_ve(leaf) && r < NR_CPUID_REGS; r++) {
				differ = (guest.r[r] ^ host.r[r]) &
					 ~sheet_varying(leaf, subleaf, r);
				KUNIT_EXPECT_EQ_MSG(test, differ, 0U, "%x.%x %c", leaf, subleaf,
						    SHEET_REGS[r]);
			}
		} while (subleaf++ != last);
	}
}

/* ---- topology ---- */

#define LEVEL(_type, _shift, _nr)	{ { _shift, _nr, (_type) << 8 } }

struct topology {
	const char *name;
	struct sheet_cpuid level[5];
	int bad;			/* subleaf at fault, or -1 */
};

static const struct topology topologies[] = {
	{ "threads, cores", { LEVEL(1, 1, 2), LEVEL(2, 4, 16) }, -1 },
	{ "threads alone", { LEVEL(1, 0, 1) }, -1 },
	{ "up to dies", { LEVEL(1, 1, 2), LEVEL(2, 3, 8), LEVEL(3, 4, 16), LEVEL(4, 5, 32),
			  LEVEL(5, 6, 64) }, -1 },
	{ "no modules and tiles", { LEVEL(1, 1, 2), LEVEL(2, 3, 8), LEVEL(5, 6, 64) }, -1 },
	{ "cores first", { LEVEL(2, 4, 16) }, 0 },
	{ "threads twice", { LEVEL(1, 1, 2), LEVEL(1, 4, 16) }, 1 },
	{ "wrong order", { LEVEL(1, 1, 2), LEVEL(5, 4, 16), LEVEL(2, 5, 32) }, 2 },
	{ "fewer bits than inside", { LEVEL(1, 4, 2), LEVEL(2, 3, 16) }, 1 },
	{ "fewer threads than inside", { LEVEL(1, 1, 8), LEVEL(2, 3, 4) }, 1 },
	{ "nobody", { LEVEL(1, 1, 2), LEVEL(2, 4, 0) }, 1 },
	{ "unknown type", { LEVEL(1, 1, 2), LEVEL(7, 4, 16) }, 1 },
	{ "a hole", { LEVEL(1, 1, 2), {}, LEVEL(2, 4, 16) }, 2 },
	{ "something behind the end", { LEVEL(1, 1, 2), { { 0, 4 } } }, 1 },
};

static void describe_topology(const struct topology *topology, char *desc)
{
	strscpy(desc, topology->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(topologies, topologies, describe_topology);

static void put_levels(struct swt *t, struct swt_td *td, const struct topology *topology)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(topology->level); i++)
		*config_of(t, td, 0x1f, i) = topology->level[i];
}

static void topology_is_checked(struct kunit *test)
{
	const struct topology *topology = test->param_value;
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 rcx;

	t->checked = false;
	swt_td_build(t, &td, 0, STAGE_UNINITIALIZED);
	put_levels(t, &td, topology);
	if (topology->bad < 0) {
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, init(t, &td, &rcx));
		return;
	}
	KUNIT_EXPECT_EQ(test, ST_CPUID_LEAF_1F_FORMAT, init(t, &td, &rcx));
	KUNIT_EXPECT_EQ(test, rcx, 0x1f | (u64)topology->bad << 32);
}

#define X2APIC_ID	0x12
#define T_CTLS		0x1110000300000017ULL
#define CTL_TOPOLOGY	BIT_ULL(1)

/* A running TD with these levels, whose vCPU has an x2APIC id and enumerates them. */
static struct swg *start_with_levels(struct kunit *test, const struct topology *topology)
{
	struct swg *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct swt *t = swt_of(test);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->t = t;
	s->test = test;
	t->checked = false;
	swt_td_build(t, &s->td, 0, STAGE_UNINITIALIZED);
	put_levels(t, &s->td, topology);
	swt_td_init(t, &s->td);
	s->vcpu = swt_vcpu_create(t, &s->td, MIN_TDVPS);
	swt_ok(t, L_V1(L_VP_INIT), SWT_ARGS(.rcx = s->vcpu, .r8 = X2APIC_ID));
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = s->td.tdr));
	t->checked = true;
	swg_run(s);

	s->g.gpr[G_RCX] = 0;
	s->g.gpr[G_RDX] = T_CTLS;
	s->g.gpr[G_R8] = CTL_TOPOLOGY;
	s->g.gpr[G_R9] = CTL_TOPOLOGY;
	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_VM_WR));
	return s;
}

static void expect_level(struct swg *s, u32 leaf, u32 subleaf, u32 shift, u32 nr, u32 type)
{
	struct sheet_cpuid val;

	KUNIT_EXPECT_TRUE(s->test, guest_cpuid(s, leaf, subleaf, &val));
	KUNIT_EXPECT_EQ_MSG(s->test, val.r[0], shift, "%x.%x", leaf, subleaf);
	KUNIT_EXPECT_EQ_MSG(s->test, val.r[1], nr, "%x.%x", leaf, subleaf);
	KUNIT_EXPECT_EQ_MSG(s->test, val.r[2], type << 8 | subleaf, "%x.%x", leaf, subleaf);
	KUNIT_EXPECT_EQ_MSG(s->test, val.r[3], (u32)X2APIC_ID, "%x.%x", leaf, subleaf);
}

static void guest_sees_the_configured_topology(struct kunit *test)
{
	struct swg *s = start_with_levels(test, &topologies[2]);
	struct sheet_cpuid val;
	unsigned int i;

	for (i = 0; i < 5; i++)
		expect_level(s, 0x1f, i, topologies[2].level[i].r[0],
			     topologies[2].level[i].r[1], i + 1);
	expect_level(s, 0x1f, 5, 0, 0, 0);
	/* Threads, and cores up to what a package is. */
	expect_level(s, 0xb, 0, 1, 2, 1);
	expect_level(s, 0xb, 1, 6, 64, 2);
	expect_level(s, 0xb, 2, 0, 0, 0);

	/* Unless it asks for a #VE instead. */
	s->g.gpr[G_RCX] = 3;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_CPUIDVE_SET));
	KUNIT_EXPECT_FALSE(test, guest_cpuid(s, 0x1f, 0, &val));
	KUNIT_EXPECT_FALSE(test, guest_cpuid(s, 0xb, 0, &val));
}

static void threads_alone_make_no_cores(struct kunit *test)
{
	struct swg *s = start_with_levels(test, &topologies[1]);

	expect_level(s, 0x1f, 0, 0, 1, 1);
	expect_level(s, 0x1f, 1, 0, 0, 0);
	expect_level(s, 0xb, 0, 0, 1, 1);
	expect_level(s, 0xb, 1, 0, 0, 0);
}

static struct kunit_case cpuid_cases[] = {
	KUNIT_CASE_PARAM(every_bit_follows_its_rule, td_configs_gen_params),
	KUNIT_CASE(host_is_told_what_it_may_configure),
	KUNIT_CASE(bits_that_are_not_the_hosts_are_refused),
	KUNIT_CASE(tsx_counts_as_the_td_would_get_it),
	KUNIT_CASE(guest_sees_what_the_host_reads),
	KUNIT_CASE_PARAM(topology_is_checked, topologies_gen_params),
	KUNIT_CASE(guest_sees_the_configured_topology),
	KUNIT_CASE(threads_alone_make_no_cores),
	{}
};

SWG_SUITE("tdx_sw_cpuid", cpuid_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: CPUID of a TD");
MODULE_LICENSE("GPL");
