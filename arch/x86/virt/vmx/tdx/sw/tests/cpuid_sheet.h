/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUID of a TD as the interface description has it, in its own form, and what it
 * comes to for a CPU, a host and a TD.  Nothing in it comes from the module, but
 * where a comment says so.
 *
 * Plain C for KUnit suites and selftests, which bring sscanf(), strcmp() and
 * ARRAY_SIZE().
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_CPUID_SHEET_H
#define _X86_VIRT_TDX_SW_TESTS_CPUID_SHEET_H

#define SHEET_BIT(nr)		(1ULL << (nr))
#define SHEET_NO_SUBLEAF	(~0U)
#define SHEET_NR_REGS		4
#define SHEET_REGS		"abcd"

/* Subleaves are a range, or "-" where there are none. */
struct sheet_cpuid_row {
	const char *leaf;
	const char *subleaf;
	const char *set;
	const char *cleared;		/* or filled in while the vCPU runs */
};

static const struct sheet_cpuid_row sheet_cpuid_rows[] = {
	{ "0", "-", "a=23", "a=ffffffdc" },
	{ "1", "-", "c=80000000 d=200", "a=f000c000 b=ff0000ff c=8010060 d=40120400" },
	{ "3", "-", "", "all" },
	{ "4", "0-2", "", "a=3c00 d=4" },
	{ "4", "3", "", "a=3c00 d=fffffff8" },
	{ "4", "4", "", "all" },
	{ "5", "-", "", "a=ffff0000 b=ffff0000 c=fffffffc" },
	{ "6", "-", "", "" },
	{ "7", "0", "", "b=404006 c=643e8010 d=2298c3" },
	{ "7", "1", "", "a=ffffe2cf b=ffffffff c=ffffffff d=ffffffff" },
	{ "7", "2", "", "a=ffffffff b=ffffffff c=ffffffff d=ffffffc0" },
	{ "8", "-", "", "all" },
	{ "a", "-", "", "d=ffff6000" },
	{ "d", "0", "", "a=fff9fd18 b=ffffffff d=ffffffff" },
	{ "d", "1", "", "a=ffffffe0 b=ffffffff c=ffff26ff d=ffffffff" },
	{ "d", "2-12", "", "d=ffffffff" },
	{ "e", "-", "", "all" },
	{ "11", "-", "", "all" },
	{ "12", "-", "", "all" },
	{ "13", "-", "", "all" },
	{ "14", "0", "", "b=fffffe00 c=7ffffff0 d=ffffffff" },
	{ "14", "1", "", "a=fff8 c=ffffffff d=ffffffff" },
	{ "15", "-", "a=1 c=17d7840", "a=fffffffe c=fe8287bf d=ffffffff" },
	{ "19", "-", "", "a=fffffff8 b=ffffffeb c=fffffffd d=ffffffff" },
	{ "1c", "-", "", "" },
	{ "1d", "0-1", "", "" },
	{ "1e", "-", "", "" },
	{ "1f", "0-5", "", "" },
	{ "20", "-", "", "all" },
	{ "21", "0", "b=65746e49 c=20202020 d=5844546c",
	  "a=ffffffff b=9a8b91b6 c=dfdfdfdf d=a7bbab93" },
	{ "22", "-", "", "all" },
	{ "23", "0", "", "a=fffffff0 c=ffffffff d=ffffffff" },
	{ "23", "1", "", "c=ffffffff d=ffffffff" },
	{ "23", "2", "", "all" },
	{ "23", "3", "", "b=ffffffff c=ffffffff d=ffffffff" },
	{ "80000000", "-", "a=80000008", "a=7ffffff7 b=ffffffff c=ffffffff d=ffffffff" },
	{ "80000001", "-", "", "a=ffffffff b=ffffffff c=fffffede d=d3efffff" },
	/* The description has nothing of these three: the CPU's, as other TDs show. */
	{ "80000002", "-", "", "" },
	{ "80000003", "-", "", "" },
	{ "80000004", "-", "", "" },
	{ "80000006", "-", "", "" },
	{ "80000007", "-", "", "a=ffffffff b=ffffffff c=ffffffff d=fffffeff" },
	{ "80000008", "-", "", "a=ffff0000 b=fffffdff c=ffffffff d=ffffffff" },
};

static const struct {
	const char *leaf;
	const char *subleaf;
	const char *direct;		/* the host's value is taken */
	const char *allow;		/* the host's value masks the CPU's */
} sheet_cpuid_configs[] = {
	{ "1", "-", "a=fff3fff b=ff0000", "c=31044d88 d=b8440000" },
	{ "4", "0-2", "a=ffffc3ff b=fffff000 c=ffffffff d=fffffffb", "" },
	{ "4", "3", "a=ffffc3ff b=fffff000 c=ffffffff d=7", "" },
	{ "7", "0", "", "b=dc2b9b18 c=2417f65 d=5411c" },
	{ "7", "1", "", "a=1d30" },
	{ "1c", "-", "", "a=ff" },
	{ "80000008", "-", "", "b=200" },
	{ "7", "2", "", "d=28" },
	{ "23", "0", "", "a=f" },
};

#define ATTR_PKS	SHEET_BIT(30)
#define ATTR_KL		SHEET_BIT(31)
#define ATTR_PERFMON	SHEET_BIT(63)

/* Bits that are 0 without all of these */
static const struct {
	unsigned long long xfam;
	unsigned long long attributes;
	const char *leaf;
	const char *subleaf;
	const char *bits;
} sheet_cpuid_conditions[] = {
	{ SHEET_BIT(2), 0, "1", "-", "c=30001000" },
	{ SHEET_BIT(2), 0, "7", "0", "b=20 c=600" },
	{ SHEET_BIT(2), 0, "d", "0", "a=4" },
	{ (7ULL << 5), 0, "7", "0", "b=dc230000 c=5842 d=80010c" },
	{ (7ULL << 5), 0, "7", "1", "a=30" },
	{ (7ULL << 5), 0, "d", "0", "a=e0" },
	{ SHEET_BIT(8), 0, "7", "0", "b=2000000" },
	{ SHEET_BIT(8), 0, "d", "1", "c=100" },
	{ SHEET_BIT(8), 0, "14", "0-1", "all" },
	{ SHEET_BIT(9), 0, "7", "0", "c=8" },
	{ SHEET_BIT(9), 0, "d", "0", "a=200" },
	{ (3ULL << 11), 0, "7", "0", "c=80 d=100000" },
	{ (3ULL << 11), 0, "d", "1", "c=1800" },
	{ SHEET_BIT(14), 0, "7", "0", "d=20" },
	{ SHEET_BIT(14), 0, "d", "1", "c=4000" },
	{ SHEET_BIT(15), 0, "7", "0", "d=80000" },
	{ SHEET_BIT(15), 0, "d", "1", "c=8000" },
	{ SHEET_BIT(15), 0, "1c", "-", "all" },
	{ (3ULL << 17), 0, "7", "0", "d=3400000" },
	{ (3ULL << 17), 0, "d", "0", "a=60000" },
	{ (3ULL << 17), 0, "d", "1", "a=10" },
	{ (3ULL << 17), 0, "1d", "0-1", "all" },
	{ (3ULL << 17), 0, "1e", "-", "all" },
	{ 0, ATTR_PKS, "7", "0", "c=80000000" },
	{ 0, ATTR_KL, "7", "0", "c=800000" },
	{ 0, ATTR_KL, "19", "-", "all" },
	{ 0, ATTR_PERFMON, "a", "-", "all" },
	{ 0, ATTR_PERFMON, "23", "0-3", "all" },
};

struct sheet_cpuid {
	unsigned int r[SHEET_NR_REGS];
};

/* "b=200 c=1f", "all", or nothing */
static inline struct sheet_cpuid sheet_parse(const char *text)
{
	struct sheet_cpuid val = {};
	unsigned int i, bits;
	char letter;
	int n;

	if (!strcmp(text, "all"))
		return (struct sheet_cpuid) { { ~0U, ~0U, ~0U, ~0U } };
	while (sscanf(text, " %c=%x%n", &letter, &bits, &n) == 2) {
		for (i = 0; i < SHEET_NR_REGS; i++) {
			if (SHEET_REGS[i] == letter)
				val.r[i] = bits;
		}
		text += n;
	}
	return val;
}

static inline unsigned int sheet_leaf_number(const char *text)
{
	unsigned int leaf = 0;
	int n;

	return sscanf(text, "%x%n", &leaf, &n) >= 1 ? leaf : 0;
}

static inline void sheet_subleaves(const char *text, unsigned int *first, unsigned int *last)
{
	*first = SHEET_NO_SUBLEAF;
	*last = SHEET_NO_SUBLEAF;
	if (sscanf(text, "%x-%x", first, last) == 1)
		*last = *first;
}

static inline int sheet_is_row(const char *leaf_text, const char *subleaf_text,
			       unsigned int leaf, unsigned int subleaf)
{
	unsigned int first, last;

	sheet_subleaves(subleaf_text, &first, &last);
	return sheet_leaf_number(leaf_text) == leaf && subleaf >= first && subleaf <= last;
}

/* Leaves that the guest has to ask its host for */
static inline int sheet_raises_ve(unsigned int leaf)
{
	static const unsigned int leaves[] = {
		0x2, 0x6, 0x9, 0xb, 0xc, 0xf, 0x10, 0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1f,
		0x80000005, 0x80000006,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaves[i] == leaf)
			return 1;
	}
	return 0;
}

/* What the host may give for a leaf: directly, and what it may allow */
static inline void sheet_may_give(unsigned int leaf, unsigned int subleaf,
				  struct sheet_cpuid *direct, struct sheet_cpuid *allow)
{
	unsigned int i;

	*direct = (struct sheet_cpuid) {};
	*allow = (struct sheet_cpuid) {};
	for (i = 0; i < ARRAY_SIZE(sheet_cpuid_configs); i++) {
		if (!sheet_is_row(sheet_cpuid_configs[i].leaf, sheet_cpuid_configs[i].subleaf,
				  leaf, subleaf))
			continue;
		*direct = sheet_parse(sheet_cpuid_configs[i].direct);
		*allow = sheet_parse(sheet_cpuid_configs[i].allow);
	}
}

/* A TD, as far as its CPUID depends on it */
struct sheet_td {
	unsigned long long xfam;
	unsigned long long attributes;
	unsigned int tsc_frequency;	/* units of 25 MHz */
	unsigned int leaf_1_eax;	/* of the CPU */
	int has_monitor;		/* the CPU has it, and the host allows it */
};

/*
 * Value of a row's subleaf, from the CPU's and the host's.  Sizes of extended state
 * and what a vCPU fills in are for others: see sheet_varying().
 */
static inline struct sheet_cpuid sheet_value(const struct sheet_cpuid_row *row,
					     unsigned int subleaf, struct sheet_cpuid val,
					     struct sheet_cpuid host, const struct sheet_td *td)
{
	struct sheet_cpuid set = sheet_parse(row->set), cleared = sheet_parse(row->cleared);
	unsigned int i, r, leaf = sheet_leaf_number(row->leaf);
	struct sheet_cpuid direct, allow, bits;

	sheet_may_give(leaf, subleaf, &direct, &allow);
	for (r = 0; r < SHEET_NR_REGS; r++) {
		val.r[r] = (val.r[r] & ~cleared.r[r]) | set.r[r];
		val.r[r] = (val.r[r] & ~direct.r[r]) | (host.r[r] & direct.r[r]);
		val.r[r] &= ~allow.r[r] | host.r[r];
	}
	for (i = 0; i < ARRAY_SIZE(sheet_cpuid_conditions); i++) {
		if (!sheet_is_row(sheet_cpuid_conditions[i].leaf,
				  sheet_cpuid_conditions[i].subleaf, leaf, subleaf))
			continue;
		if ((td->xfam & sheet_cpuid_conditions[i].xfam) ==
		    sheet_cpuid_conditions[i].xfam &&
		    (td->attributes & sheet_cpuid_conditions[i].attributes) ==
		    sheet_cpuid_conditions[i].attributes)
			continue;
		bits = sheet_parse(sheet_cpuid_conditions[i].bits);
		for (r = 0; r < SHEET_NR_REGS; r++)
			val.r[r] &= ~bits.r[r];
	}

	/* Family, model and stepping are the CPU's unless the host repeats them. */
	if (leaf == 1)
		val.r[0] = td->leaf_1_eax & 0x0fff3fff;
	if ((leaf == 5 && !td->has_monitor) ||
	    (leaf == 0xd && subleaf >= 2 && !(td->xfam & SHEET_BIT(subleaf))))
		val = (struct sheet_cpuid) {};
	if (leaf == 0x15)
		val.r[1] = td->tsc_frequency;
	return val;
}

/* Bits that depend on what a vCPU has done, or on how much state is enabled */
static inline unsigned int sheet_varying(unsigned int leaf, unsigned int subleaf,
					 unsigned int reg)
{
	if (leaf == 1 && reg == 1)
		return 0xff000000;		/* the APIC id */
	if (leaf == 1 && reg == 2)
		return 1U << 27;		/* OSXSAVE */
	if (leaf == 7 && !subleaf && reg == 2)
		return 1U << 4;			/* OSPKE */
	if (leaf == 0xd && ((!subleaf && (reg == 1 || reg == 2)) || (subleaf == 1 && reg == 1)))
		return ~0U;
	return 0;
}

#endif
