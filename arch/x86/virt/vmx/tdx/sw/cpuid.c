// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as a TD sees it: what the host may configure, the check of what it
 * asks for, and the table that results from it.
 *
 * The table is computed once, in TDH.MNG.INIT; bits that change at run time
 * (OSXSAVE, the APIC id) are 0 in it.
 */
#include <linux/align.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "sw.h"

#define LEAF_4_MASK(_edx)							\
	{ 0xffffc3ff, 0xfffff000, 0xffffffff, _edx }

/* In the order in which TD_PARAMS has the values. */
static const struct tdx_sw_cpuid_config configs[] = {
	{ 0x1, TDX_SW_NO_SUBLEAF, .direct = { .eax = 0x0fff3fff, .ebx = 0x00ff0000 },
	  .allow = { .ecx = 0x31044d88, .edx = 0xb8440000 } },
	{ 0x4, 0, .direct = LEAF_4_MASK(0xfffffffb) },
	{ 0x4, 1, .direct = LEAF_4_MASK(0xfffffffb) },
	{ 0x4, 2, .direct = LEAF_4_MASK(0xfffffffb) },
	{ 0x4, 3, .direct = LEAF_4_MASK(0x7) },
	{ 0x7, 0, .allow = { .ebx = 0xdc2b9b18, .ecx = 0x02417f65, .edx = 0x0005411c } },
	{ 0x7, 1, .allow = { .eax = 0x00001d30 } },
	/* Nothing to configure without PERFMON, which is not offered. */
	{ 0xa, TDX_SW_NO_SUBLEAF },
	{ 0x1c, TDX_SW_NO_SUBLEAF, .allow = { .eax = 0xff } },
	{ 0x80000008, TDX_SW_NO_SUBLEAF, .allow = { .ebx = 0x200 } },
	{ 0x7, 2, .allow = { .edx = 0x28 } },
	{ 0x23, 0, .allow = { .eax = 0xf } },
};

static_assert(ARRAY_SIZE(configs) <= ARRAY_SIZE(((struct seam_td_params *)0)->cpuid));

#define LEAF_7_EBX_HLE		BIT(4)
#define LEAF_7_EBX_RTM		BIT(11)

unsigned int cpuid_nr_configs(void)
{
	return ARRAY_SIZE(configs);
}

const struct tdx_sw_cpuid_config *cpuid_config(unsigned int idx)
{
	return &configs[idx];
}

static struct seam_cpuid native(u32 leaf, u32 subleaf)
{
	u32 max = leaf & BIT(31) ? boot_cpu_data.extended_cpuid_level : boot_cpu_data.cpuid_level;
	struct seam_cpuid val = {};

	/* Beyond its maximum a CPU answers with its highest basic leaf. */
	if (leaf <= max)
		cpuid_count(leaf, subleaf == TDX_SW_NO_SUBLEAF ? 0 : subleaf,
			    &val.eax, &val.ebx, &val.ecx, &val.edx);
	return val;
}

static struct seam_cpuid and(struct seam_cpuid a, struct seam_cpuid b)
{
	return (struct seam_cpuid) { a.eax & b.eax, a.ebx & b.ebx, a.ecx & b.ecx, a.edx & b.edx };
}

static struct seam_cpuid or(struct seam_cpuid a, struct seam_cpuid b)
{
	return (struct seam_cpuid) { a.eax | b.eax, a.ebx | b.ebx, a.ecx | b.ecx, a.edx | b.edx };
}

static struct seam_cpuid andnot(struct seam_cpuid a, struct seam_cpuid b)
{
	return (struct seam_cpuid) {
		a.eax & ~b.eax, a.ebx & ~b.ebx, a.ecx & ~b.ecx, a.edx & ~b.edx
	};
}

static bool is_zero(struct seam_cpuid a)
{
	return !(a.eax | a.ebx | a.ecx | a.edx);
}

/* Bits that the host may set, as enumerated. */
struct seam_cpuid cpuid_reported(const struct tdx_sw_cpuid_config *cfg)
{
	return or(cfg->direct, and(cfg->allow, native(cfg->leaf, cfg->subleaf)));
}

/**
 * cpuid_check() - Check the CPUID part of TD_PARAMS
 * @values: one for each configurable leaf
 * @id: leaf and subleaf at fault
 *
 * Return: SUCCESS, OPERAND_INVALID@CPUID_CONFIG or INCORRECT_MSR_VALUE@0x10a.
 */
u64 cpuid_check(const struct seam_cpuid *values, u64 *id)
{
	unsigned int i;
	u32 tsx;

	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		const struct tdx_sw_cpuid_config *cfg = &configs[i];
		u32 fms = native(1, 0).eax & configs[0].direct.eax;

		*id = cfg->leaf | (u64)cfg->subleaf << 32;
		if (!is_zero(andnot(values[i], or(cfg->direct, cfg->allow))))
			return seam_status(SEAM_OPERAND_INVALID, OPERAND_CPUID_CONFIG);
		if (cfg->leaf == 1 && values[i].eax && values[i].eax != fms)
			return seam_status(SEAM_OPERAND_INVALID, OPERAND_CPUID_CONFIG);
		if (cfg->leaf != 7 || cfg->subleaf)
			continue;

		tsx = values[i].ebx & (LEAF_7_EBX_HLE | LEAF_7_EBX_RTM);
		if (tsx == LEAF_7_EBX_HLE || tsx == LEAF_7_EBX_RTM)
			return seam_status(SEAM_OPERAND_INVALID, OPERAND_CPUID_CONFIG);
		/* TSX_CTRL is not virtualised; the leaf itself is in order. */
		*id = 0;
		if (tsx)
			return seam_status(SEAM_INCORRECT_MSR_VALUE, 0x10a);
	}

	*id = 0;
	return SEAM_SUCCESS;
}

/* Leaves that the guest has to ask its host for. */
bool cpuid_raises_ve(u32 leaf)
{
	switch (leaf) {
	case 0x2:
	case 0x5:
	case 0x6:
	case 0x9:
	case 0xb:
	case 0xc:
	case 0xf:
	case 0x10:
	case 0x16 ... 0x18:
	case 0x1a:
	case 0x1b:
	case 0x1f:
	case 0x20:
	case 0x40000000 ... 0x4fffffff:
	case 0x80000005:
	case 0x80000006:
		return true;
	default:
		return false;
	}
}

/* Feature bits that TDs never see, whatever CPU and host say. */
static const struct {
	u32 leaf;
	u32 subleaf;
	struct seam_cpuid mask;
} hidden[] = {
	/* DTES64, VMX, SMX, PDCM, OSXSAVE, running under a hypervisor */
	{ 0x1, TDX_SW_NO_SUBLEAF, { .ebx = 0xff00ffff, .ecx = 0x88008064 } },
	/* TSC_ADJUST, SGX, HLE, RTM, RDT-M, MPX, RDT-A; OSPKE, TME, KL, SGX_LC, PKS */
	{ 0x7, 0, { .ebx = 0x0000d816, .ecx = 0xc0802010 } },
	/* SVM */
	{ 0x80000001, TDX_SW_NO_SUBLEAF, { .ecx = 0x4 } },
};

/* Features that exist only with their state in XFAM. */
static const struct {
	u32 leaf;
	u32 subleaf;
	u64 xfam;
	struct seam_cpuid mask;
} by_xfam[] = {
	/* AVX: FMA, AVX, F16C; AVX2; VAES, VPCLMULQDQ; AVX_VNNI, AVX_IFMA */
	{ 0x1, TDX_SW_NO_SUBLEAF, BIT_ULL(2), { .ecx = 0x30001000 } },
	{ 0x7, 0, BIT_ULL(2), { .ebx = 0x20, .ecx = 0x600 } },
	{ 0x7, 1, BIT_ULL(2), { .eax = 0x800010, .edx = 0x430 } },
	/* AVX-512 */
	{ 0x7, 0, GENMASK_ULL(7, 5), { .ebx = 0xdc230000, .ecx = 0x5842, .edx = 0x80010c } },
	{ 0x7, 1, GENMASK_ULL(7, 5), { .eax = 0x20 } },
	/* PT, PKU, CET, user interrupts, AMX */
	{ 0x7, 0, BIT_ULL(8), { .ebx = 0x2000000 } },
	{ 0x7, 0, BIT_ULL(9), { .ecx = 0x8 } },
	{ 0x7, 0, GENMASK_ULL(12, 11), { .ecx = 0x80, .edx = 0x100000 } },
	{ 0x7, 0, BIT_ULL(14), { .edx = 0x20 } },
	{ 0x7, 0, GENMASK_ULL(18, 17), { .edx = 0x3400000 } },
};

static const struct tdx_sw_cpuid_config *find_config(u32 leaf, u32 subleaf, unsigned int *idx)
{
	for (*idx = 0; *idx < ARRAY_SIZE(configs); (*idx)++) {
		if (configs[*idx].leaf == leaf && configs[*idx].subleaf == subleaf)
			return &configs[*idx];
	}
	return NULL;
}

/* Native value as host, XFAM and the list of hidden bits leave it. */
static struct seam_cpuid filtered(u32 leaf, u32 subleaf, const struct seam_td_params *params)
{
	struct seam_cpuid val = native(leaf, subleaf), host;
	const struct tdx_sw_cpuid_config *cfg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (hidden[i].leaf == leaf && hidden[i].subleaf == subleaf)
			val = andnot(val, hidden[i].mask);
	}
	for (i = 0; i < ARRAY_SIZE(by_xfam); i++) {
		if (by_xfam[i].leaf == leaf && by_xfam[i].subleaf == subleaf &&
		    !(params->xfam & by_xfam[i].xfam))
			val = andnot(val, by_xfam[i].mask);
	}

	cfg = find_config(leaf, subleaf, &i);
	if (!cfg)
		return val;

	host = params->cpuid[i];
	val = andnot(val, andnot(cfg->allow, host));
	return or(andnot(val, cfg->direct), and(host, cfg->direct));
}

#define LEAF_XSTATE		0xd
#define XSTATE_XFD		BIT(4)		/* EAX of subleaf 1 */
#define XSTATE_LEGACY_SIZE	576
#define XSTATE_FIRST		2
#define XSTATE_LAST		18
#define XSTATE_ALIGN		BIT(1)		/* ECX of a component */

static struct seam_cpuid xstate_leaf(u32 subleaf, u64 xfam)
{
	u64 user = xfam & TD_XFAM_USER, supervisor = xfam & ~TD_XFAM_USER;
	struct seam_cpuid val = native(LEAF_XSTATE, subleaf);

	switch (subleaf) {
	case 0:
		val.eax = lower_32_bits(user);
		val.edx = upper_32_bits(user);
		break;
	case 1:
		/* XFD is there for AMX, which no TD has. */
		val.eax &= ~XSTATE_XFD;
		val.ecx = lower_32_bits(supervisor);
		val.edx = upper_32_bits(supervisor);
		break;
	default:
		if (!(xfam & BIT_ULL(subleaf)))
			memset(&val, 0, sizeof(val));
	}
	return val;
}

static struct seam_cpuid value_of(u32 leaf, u32 subleaf, const struct seam_td_params *params)
{
	struct seam_cpuid val = {};

	switch (leaf) {
	case 0x0:
		val = native(leaf, subleaf);
		val.eax = CPUID_MAX_BASIC;
		return val;
	case 0x1:
		val = filtered(leaf, subleaf, params);
		if (!params->cpuid[0].eax)
			val.eax = native(leaf, subleaf).eax & configs[0].direct.eax;
		val.ebx |= 8 << 8;			/* CLFLUSH line size */
		val.ecx |= BIT(21) | BIT(31);		/* x2APIC, a hypervisor */
		return val;
	case 0x7:
		val = filtered(leaf, subleaf, params);
		if (!subleaf)
			val.eax = 2;
		return val;
	case LEAF_XSTATE:
		return xstate_leaf(subleaf, params->xfam);
	case 0x15:
		val.eax = 1;
		val.ebx = params->tsc_frequency;
		val.ecx = 25000000;
		return val;
	case 0x1d:
	case 0x1e:
		return params->xfam & GENMASK_ULL(18, 17) ? native(leaf, subleaf) : val;
	case 0x21:
		/* "IntelTDX    " */
		val.ebx = 0x65746e49;
		val.edx = 0x5844546c;
		val.ecx = 0x20202020;
		return val;
	case 0x4:
	case 0x80000001 ... 0x80000004:
		return filtered(leaf, subleaf, params);
	case 0x80000000:
		val.eax = CPUID_MAX_EXTENDED;
		return val;
	case 0x80000007:
		val.edx = BIT(8);			/* invariant TSC */
		return val;
	case 0x80000008:
		/* EAX 23:16 is the host's to fill in: it knows the width in use. */
		val = filtered(leaf, subleaf, params);
		val.eax &= 0xffff;
		val.ecx = 0;
		val.edx = 0;
		return val;
	default:
		return val;
	}
}

static u32 nr_subleaves(u32 leaf)
{
	switch (leaf) {
	case 0x4:
		return 5;
	case 0x7:
		return 3;
	case 0xd:
		return 19;
	case 0x14:
	case 0x1d:
		return 2;
	case 0x1e:
	case 0x21:
		return 1;
	case 0x23:
		return 4;
	default:
		return 0;
	}
}

static void add_leaf(struct tdx_sw_cpuid_page *page, u32 leaf, const struct seam_td_params *params)
{
	u32 i, nr = nr_subleaves(leaf);

	if (cpuid_raises_ve(leaf))
		return;

	for (i = 0; i < max(nr, 1U); i++) {
		u32 subleaf = nr ? i : TDX_SW_NO_SUBLEAF;

		if (WARN_ON_ONCE(page->nr == TDX_SW_NR_CPUID))
			return;
		page->value[page->nr++] = (struct tdx_sw_cpuid_value) {
			.leaf = leaf,
			.subleaf = subleaf,
			.val = value_of(leaf, subleaf, params),
		};
	}
}

/* Bytes that XSAVE (@compacted false) or XSAVES stores for these components. */
u32 cpuid_xstate_size(const struct tdx_sw_cpuid_page *page, u64 components, bool compacted)
{
	u32 i, end, size = XSTATE_LEGACY_SIZE;

	for (i = XSTATE_FIRST; i <= XSTATE_LAST; i++) {
		const struct tdx_sw_cpuid_value *leaf = cpuid_find(page, LEAF_XSTATE, i);

		if (!leaf || !(components & BIT_ULL(i)))
			continue;
		if (!compacted)
			end = leaf->val.ebx + leaf->val.eax;
		else if (leaf->val.ecx & XSTATE_ALIGN)
			end = ALIGN(size, 64) + leaf->val.eax;
		else
			end = size + leaf->val.eax;
		size = max(size, end);
	}
	return size;
}

/* The CPU's own sizes include components that the TD does not have. */
static void set_xstate_sizes(struct tdx_sw_cpuid_page *page, u64 xfam)
{
	u32 i;

	for (i = 0; i < page->nr; i++) {
		struct tdx_sw_cpuid_value *value = &page->value[i];

		if (value->leaf != LEAF_XSTATE || value->subleaf > 1)
			continue;
		/* EBX is about what is enabled: nothing but x87 at first. */
		value->val.ebx = cpuid_xstate_size(page, BIT_ULL(0), value->subleaf);
		if (!value->subleaf)
			value->val.ecx = cpuid_xstate_size(page, xfam & TD_XFAM_USER, false);
	}
}

/* Compute the table; the parameters have been checked. */
void cpuid_virtualize(struct tdx_sw_cpuid_page *page, const struct seam_td_params *params)
{
	u32 leaf;

	memset(page, 0, sizeof(*page));
	for (leaf = 0; leaf <= CPUID_MAX_BASIC; leaf++)
		add_leaf(page, leaf, params);
	for (leaf = 0x80000000; leaf <= CPUID_MAX_EXTENDED; leaf++)
		add_leaf(page, leaf, params);
	set_xstate_sizes(page, params->xfam);
}

const struct tdx_sw_cpuid_value *cpuid_find(const struct tdx_sw_cpuid_page *page, u32 leaf,
					    u32 subleaf)
{
	u32 i;

	for (i = 0; i < page->nr; i++) {
		if (page->value[i].leaf == leaf && page->value[i].subleaf == subleaf)
			return &page->value[i];
	}
	return NULL;
}
