// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID of a TD as data: leaf by leaf which bits are fixed, which the host may
 * configure and what the others depend on.  cpuid.c makes values of it.
 *
 * There is no list of features that TDs do not have beside the first table: what
 * it neither fixes nor the others make dependent is as the CPU has it.
 */
#include "td/cpuid_table.h"

#define ALL		{ ~0U, ~0U, ~0U, ~0U }
#define WHOLE		TDX_SW_NO_SUBLEAF, TDX_SW_NO_SUBLEAF
#define SUB(_nr)	_nr, _nr
#define SUBS(_first, _last)	_first, _last

/*
 * Ascending.  A module refuses a CPU whose bits under @mask are not @want; this one
 * shows them as they are and tells of it once (cpuid_report_cpu()).
 */
const struct cpuid_row cpuid_rows[] = {
	{ 0x0, WHOLE, .mask = { .ebx = 0xffffffff, .ecx = 0xffffffff, .edx = 0xffffffff },
	  .want = { .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
	  .set = { .eax = 0x23 }, .cleared = { .eax = 0xffffffdc } },
	{ 0x1, WHOLE, .mask = { .ebx = 0xff00, .ecx = 0x47faa217, .edx = 0x1fa9fbff },
	  .want = { .ebx = 0x800, .ecx = 0x47faa217, .edx = 0x1fa9fbff },
	  .set = { .ecx = 0x80000000, .edx = 0x200 },
	  .cleared = { .eax = 0xf000c000, .ebx = 0xff0000ff, .ecx = 0x8010060,
		       .edx = 0x40120400 } },
	{ 0x3, WHOLE, .cleared = ALL },
	{ 0x4, SUBS(0, 2), .mask = { .ebx = 0xfff }, .want = { .ebx = 0x3f },
	  .cleared = { .eax = 0x3c00, .edx = 0x4 } },
	{ 0x4, SUB(3), .mask = { .eax = 0xe0, .ebx = 0xfff, .edx = 0x1 },
	  .want = { .eax = 0x60, .ebx = 0x3f }, .cleared = { .eax = 0x3c00, .edx = 0xfffffff8 } },
	{ 0x4, SUB(4), .mask = { .eax = 0x1f }, .cleared = ALL },
	{ 0x5, WHOLE, .cleared = { .eax = 0xffff0000, .ebx = 0xffff0000, .ecx = 0xfffffffc } },
	{ 0x6, WHOLE, .mask = { .eax = 0x800000 } },
	{ 0x7, SUB(0),
	  .mask = { .eax = 0xffffffff, .ebx = 0x219424c3, .ecx = 0x99000000, .edx = 0xfc082600 },
	  .want = { .eax = 0x2, .ebx = 0x219424c3, .ecx = 0x99000000, .edx = 0xfc080400 },
	  .cleared = { .ebx = 0x404006, .ecx = 0x643e8010, .edx = 0x2298c3 } },
	{ 0x7, SUB(1),
	  .cleared = { .eax = 0xffffe2cf, .ebx = 0xffffffff, .ecx = 0xffffffff,
		       .edx = 0xffffffff } },
	{ 0x7, SUB(2), .mask = { .edx = 0x17 }, .want = { .edx = 0x17 },
	  .cleared = { .eax = 0xffffffff, .ebx = 0xffffffff, .ecx = 0xffffffff,
		       .edx = 0xffffffc0 } },
	{ 0x8, WHOLE, .cleared = ALL },
	{ 0xa, WHOLE, .mask = { .eax = 0xff00, .ecx = 0xffffff80, .edx = 0x8000 },
	  .want = { .eax = 0x800, .edx = 0x8000 }, .cleared = { .edx = 0xffff6000 } },
	{ 0xd, SUB(0), .mask = { .eax = 0x3 }, .want = { .eax = 0x3 },
	  .cleared = { .eax = 0xfff9fd18, .ebx = 0xffffffff, .edx = 0xffffffff } },
	{ 0xd, SUB(1), .mask = { .eax = 0xf, .ecx = 0x1800 },
	  .want = { .eax = 0xf, .ecx = 0x1800 },
	  .cleared = { .eax = 0xffffffe0, .ebx = 0xffffffff, .ecx = 0xffff26ff,
		       .edx = 0xffffffff } },
	{ 0xd, SUBS(2, 18), .cleared = { .edx = 0xffffffff } },
	{ 0xe, WHOLE, .cleared = ALL },
	{ 0x11, WHOLE, .cleared = ALL },
	{ 0x12, WHOLE, .cleared = ALL },
	{ 0x13, WHOLE, .cleared = ALL },
	{ 0x14, SUB(0), .mask = { .eax = 0xffffffff }, .want = { .eax = 0x1 },
	  .cleared = { .ebx = 0xfffffe00, .ecx = 0x7ffffff0, .edx = 0xffffffff } },
	{ 0x14, SUB(1), .cleared = { .eax = 0xfff8, .ecx = 0xffffffff, .edx = 0xffffffff } },
	{ 0x15, WHOLE, .set = { .eax = 0x1, .ecx = 0x17d7840 },
	  .cleared = { .eax = 0xfffffffe, .ecx = 0xfe8287bf, .edx = 0xffffffff } },
	{ 0x19, WHOLE,
	  .cleared = { .eax = 0xfffffff8, .ebx = 0xffffffeb, .ecx = 0xfffffffd,
		       .edx = 0xffffffff } },
	{ 0x1c, WHOLE },
	{ 0x1d, SUBS(0, 1) },
	{ 0x1e, WHOLE },
	/* Raises #VE unless the TD enumerates a topology. */
	{ 0x1f, SUBS(0, 4) },
	{ 0x1f, SUB(5), .mask = { .ecx = 0xff00 } },
	{ 0x20, WHOLE, .cleared = ALL },
	{ 0x21, SUB(0), .set = { .ebx = 0x65746e49, .ecx = 0x20202020, .edx = 0x5844546c },
	  .cleared = { .eax = 0xffffffff, .ebx = 0x9a8b91b6, .ecx = 0xdfdfdfdf,
		       .edx = 0xa7bbab93 } },
	{ 0x22, WHOLE, .cleared = ALL },
	{ 0x23, SUB(0), .cleared = { .eax = 0xfffffff0, .ecx = 0xffffffff, .edx = 0xffffffff } },
	{ 0x23, SUB(1), .mask = { .eax = 0xffffff00, .ebx = 0xfffffff0 },
	  .cleared = { .ecx = 0xffffffff, .edx = 0xffffffff } },
	{ 0x23, SUB(2), .cleared = ALL },
	{ 0x23, SUB(3), .cleared = { .ebx = 0xffffffff, .ecx = 0xffffffff, .edx = 0xffffffff } },
	{ 0x80000000, WHOLE, .set = { .eax = 0x80000008 },
	  .cleared = { .eax = 0x7ffffff7, .ebx = 0xffffffff, .ecx = 0xffffffff,
		       .edx = 0xffffffff } },
	{ 0x80000001, WHOLE, .mask = { .ecx = 0x121, .edx = 0x2c100800 },
	  .want = { .ecx = 0x121, .edx = 0x2c100800 },
	  .cleared = { .eax = 0xffffffff, .ebx = 0xffffffff, .ecx = 0xfffffede,
		       .edx = 0xd3efffff } },
	/* The brand string, of which the interface says nothing */
	{ 0x80000002, WHOLE },
	{ 0x80000003, WHOLE },
	{ 0x80000004, WHOLE },
	{ 0x80000006, WHOLE, .mask = { .ecx = 0xff }, .want = { .ecx = 0x40 } },
	{ 0x80000007, WHOLE, .mask = { .edx = 0x100 }, .want = { .edx = 0x100 },
	  .cleared = { .eax = 0xffffffff, .ebx = 0xffffffff, .ecx = 0xffffffff,
		       .edx = 0xfffffeff } },
	{ 0x80000008, WHOLE, .mask = { .eax = 0xff, .ebx = 0x200 },
	  .want = { .eax = 0x34, .ebx = 0x200 },
	  .cleared = { .eax = 0xffff0000, .ebx = 0xfffffdff, .ecx = 0xffffffff,
		       .edx = 0xffffffff } },
};

const unsigned int cpuid_nr_rows = ARRAY_SIZE(cpuid_rows);

#define LEAF_4_MASK(_edx)							\
	{ 0xffffc3ff, 0xfffff000, 0xffffffff, _edx }

/* Shift, processors and type of a level; the rest of it is a vCPU's. */
#define LEVEL_MASK	{ 0x1f, 0xffff, 0xff00 }

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
	/* With the enumeration of topology. */
	{ LEAF_TOPOLOGY_V2, 0, .direct = LEVEL_MASK },
	{ LEAF_TOPOLOGY_V2, 1, .direct = LEVEL_MASK },
	{ LEAF_TOPOLOGY_V2, 2, .direct = LEVEL_MASK },
	{ LEAF_TOPOLOGY_V2, 3, .direct = LEVEL_MASK },
	{ LEAF_TOPOLOGY_V2, 4, .direct = LEVEL_MASK },
};

static_assert(ARRAY_SIZE(configs) <= ARRAY_SIZE(((struct seam_td_params *)0)->cpuid));

unsigned int cpuid_nr_configs(void)
{
	return ARRAY_SIZE(configs);
}

const struct tdx_sw_cpuid_config *cpuid_config(unsigned int idx)
{
	return &configs[idx];
}

#define XFAM_AVX	BIT_ULL(2)
#define XFAM_AVX512	GENMASK_ULL(7, 5)
#define XFAM_PT		BIT_ULL(8)
#define XFAM_PKRU	BIT_ULL(9)
#define XFAM_CET	GENMASK_ULL(12, 11)
#define XFAM_ULI	BIT_ULL(14)
#define XFAM_LBR	BIT_ULL(15)
#define XFAM_AMX	GENMASK_ULL(18, 17)

#define ATTR_KL		BIT_ULL(31)
#define ATTR_PERFMON	BIT_ULL(63)

/* Bits that are 0 without all of a group of XFAM, or an attribute. */
const struct cpuid_condition cpuid_conditions[] = {
	{ 0x1, WHOLE, .xfam = XFAM_AVX, .bits = { .ecx = 0x30001000 } },
	{ 0x7, SUB(0), .xfam = XFAM_AVX, .bits = { .ebx = 0x20, .ecx = 0x600 } },
	{ 0x7, SUB(0), .xfam = XFAM_AVX512,
	  .bits = { .ebx = 0xdc230000, .ecx = 0x5842, .edx = 0x80010c } },
	{ 0x7, SUB(0), .xfam = XFAM_PT, .bits = { .ebx = 0x2000000 } },
	{ 0x7, SUB(0), .xfam = XFAM_PKRU, .bits = { .ecx = 0x8 } },
	{ 0x7, SUB(0), .xfam = XFAM_CET, .bits = { .ecx = 0x80, .edx = 0x100000 } },
	{ 0x7, SUB(0), .xfam = XFAM_ULI, .bits = { .edx = 0x20 } },
	{ 0x7, SUB(0), .xfam = XFAM_LBR, .bits = { .edx = 0x80000 } },
	{ 0x7, SUB(0), .xfam = XFAM_AMX, .bits = { .edx = 0x3400000 } },
	{ 0x7, SUB(0), .attributes = TD_ATTR_PKS, .bits = { .ecx = 0x80000000 } },
	{ 0x7, SUB(0), .attributes = ATTR_KL, .bits = { .ecx = 0x800000 } },
	{ 0x7, SUB(1), .xfam = XFAM_AVX512, .bits = { .eax = 0x30 } },
	{ 0xa, WHOLE, .attributes = ATTR_PERFMON, .bits = ALL },
	{ 0xd, SUB(0), .xfam = XFAM_AVX, .bits = { .eax = 0x4 } },
	{ 0xd, SUB(0), .xfam = XFAM_AVX512, .bits = { .eax = 0xe0 } },
	{ 0xd, SUB(0), .xfam = XFAM_PKRU, .bits = { .eax = 0x200 } },
	{ 0xd, SUB(0), .xfam = XFAM_AMX, .bits = { .eax = 0x60000 } },
	/* XFD is about AMX. */
	{ 0xd, SUB(1), .xfam = XFAM_AMX, .bits = { .eax = 0x10 } },
	{ 0xd, SUB(1), .xfam = XFAM_PT, .bits = { .ecx = 0x100 } },
	{ 0xd, SUB(1), .xfam = XFAM_CET, .bits = { .ecx = 0x1800 } },
	{ 0xd, SUB(1), .xfam = XFAM_ULI, .bits = { .ecx = 0x4000 } },
	{ 0xd, SUB(1), .xfam = XFAM_LBR, .bits = { .ecx = 0x8000 } },
	{ 0x14, SUBS(0, 1), .xfam = XFAM_PT, .bits = ALL },
	{ 0x19, WHOLE, .attributes = ATTR_KL, .bits = ALL },
	{ 0x1c, WHOLE, .xfam = XFAM_LBR, .bits = ALL },
	{ 0x1d, SUBS(0, 1), .xfam = XFAM_AMX, .bits = ALL },
	{ 0x1e, WHOLE, .xfam = XFAM_AMX, .bits = ALL },
	{ 0x23, SUBS(0, 3), .attributes = ATTR_PERFMON, .bits = ALL },
};

const unsigned int cpuid_nr_conditions = ARRAY_SIZE(cpuid_conditions);
