/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSRs of a TD as the interface description has them.  Nothing in it comes from
 * the module.  Plain C for KUnit suites and selftests, which bring ARRAY_SIZE().
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_MSR_SHEET_H
#define _X86_VIRT_TDX_SW_TESTS_MSR_SHEET_H

/* What becomes of an access */
enum sheet_msr_access {
	VE,		/* also of what is not in the list */
	GP,		/* #GP(0) */
	NO_EXIT,	/* the CPU does it, with the virtual APIC where it is one of its MSRs */
	MODULE,		/* done by the module */
};

/* Groups that a TD has or has not; without it the answer is #GP. */
enum sheet_msr_group {
	NO_GROUP,
	/* Never offered */
	PERFMON, PKS, TSX, PT, CET, ULI, LBR,
	/* By CPUID */
	XFD, WAITPKG, MKTME, DCA, TSC_DEADLINE, TME, HAS_SPEC_CTRL, HAS_PRED_CMD, HAS_FLUSH_CMD,
};

struct sheet_msr_range {
	unsigned int first;
	unsigned int last;
	unsigned char read;
	unsigned char write;
	unsigned char group;
};

static const struct sheet_msr_range sheet_msr_ranges[] = {
	/* Native or virtual APIC */
	{ 0x48, 0x48, NO_EXIT, NO_EXIT, HAS_SPEC_CTRL },
	/* For writing alone; an emulated CPU may not know */
	{ 0x49, 0x49, GP, NO_EXIT, HAS_PRED_CMD }, { 0x10b, 0x10b, GP, NO_EXIT, HAS_FLUSH_CMD },
	{ 0x174, 0x176, NO_EXIT, NO_EXIT }, { 0x277, 0x277, NO_EXIT, NO_EXIT },
	{ 0x1b01, 0x1b01, NO_EXIT, NO_EXIT },
	{ 0xc0000081, 0xc0000082, NO_EXIT, NO_EXIT }, { 0xc0000084, 0xc0000084, NO_EXIT, NO_EXIT },
	{ 0xc0000100, 0xc0000103, NO_EXIT, NO_EXIT },
	{ 0x809, 0x80a, NO_EXIT, NO_EXIT }, { 0x80c, 0x80c, NO_EXIT, NO_EXIT },
	{ 0x80e, 0x80e, NO_EXIT, NO_EXIT }, { 0x810, 0x827, NO_EXIT, NO_EXIT },
	/* Virtual APIC, of which the CPU does the reads */
	{ 0x808, 0x808, NO_EXIT, MODULE }, { 0x80b, 0x80b, NO_EXIT, MODULE },
	{ 0x83f, 0x83f, NO_EXIT, MODULE },
	{ 0x10, 0x10, NO_EXIT, VE }, { 0xbc, 0xbc, NO_EXIT, VE }, { 0xc80, 0xc80, NO_EXIT, VE },
	{ 0xc0000080, 0xc0000080, NO_EXIT, MODULE }, { 0xda0, 0xda0, NO_EXIT, MODULE },
	{ 0xbd, 0xbd, MODULE, GP }, { 0x10a, 0x10a, MODULE, GP },
	/* The module */
	{ 0x1a0, 0x1a0, MODULE, VE }, { 0x1d9, 0x1d9, MODULE, MODULE },
	{ 0x345, 0x345, MODULE, GP }, { 0x480, 0x480, MODULE, GP },
	{ 0x485, 0x489, MODULE, GP }, { 0x48b, 0x492, MODULE, GP },
	/* No exit of a real module's, but what the guest finds is the same. */
	{ 0x600, 0x600, MODULE, MODULE },
	{ 0x481, 0x484, VE, GP }, { 0x48a, 0x48a, VE, GP },
	/* Native with the feature */
	{ 0xc1, 0xc8, NO_EXIT, NO_EXIT, PERFMON }, { 0x186, 0x18d, NO_EXIT, NO_EXIT, PERFMON },
	{ 0x1a6, 0x1a7, NO_EXIT, NO_EXIT, PERFMON }, { 0x309, 0x310, NO_EXIT, NO_EXIT, PERFMON },
	{ 0x329, 0x329, NO_EXIT, NO_EXIT, PERFMON }, { 0x38d, 0x392, NO_EXIT, NO_EXIT, PERFMON },
	{ 0x3f1, 0x3f2, NO_EXIT, NO_EXIT, PERFMON }, { 0x3f6, 0x3f7, NO_EXIT, NO_EXIT, PERFMON },
	{ 0x4c1, 0x4c8, NO_EXIT, NO_EXIT, PERFMON },
	{ 0x560, 0x561, NO_EXIT, NO_EXIT, PT }, { 0x570, 0x572, NO_EXIT, NO_EXIT, PT },
	{ 0x580, 0x587, NO_EXIT, NO_EXIT, PT },
	{ 0x6a0, 0x6a0, NO_EXIT, NO_EXIT, CET }, { 0x6a2, 0x6a2, NO_EXIT, NO_EXIT, CET },
	{ 0x6a4, 0x6a8, NO_EXIT, NO_EXIT, CET },
	{ 0x6e1, 0x6e1, NO_EXIT, NO_EXIT, PKS }, { 0x1c4, 0x1c5, NO_EXIT, NO_EXIT, XFD },
	{ 0x985, 0x98a, NO_EXIT, NO_EXIT, ULI },
	{ 0x1200, 0x12ff, NO_EXIT, NO_EXIT, LBR }, { 0x14ce, 0x14cf, NO_EXIT, NO_EXIT, LBR },
	{ 0x1500, 0x16ff, NO_EXIT, NO_EXIT, LBR },
	{ 0xe1, 0xe1, NO_EXIT, NO_EXIT, WAITPKG }, { 0x122, 0x122, NO_EXIT, NO_EXIT, TSX },
	/* Refused */
	{ 0x8c, 0x8f, GP, GP }, { 0x98, 0x9b, GP, GP }, { 0x9e, 0x9e, GP, GP },
	{ 0x195, 0x195, GP, GP }, { 0x276, 0x276, GP, GP }, { 0x500, 0x500, GP, GP },
	{ 0x800, 0x801, GP, GP }, { 0x804, 0x807, GP, GP }, { 0x829, 0x82e, GP, GP },
	{ 0x831, 0x831, GP, GP }, { 0x840, 0x8ff, GP, GP }, { 0xd90, 0xd90, GP, GP },
	{ 0xd93, 0xd93, GP, GP },
	/* #VE with the feature */
	{ 0x87, 0x87, VE, VE, MKTME }, { 0x1f8, 0x1fa, VE, VE, DCA },
	{ 0x6e0, 0x6e0, VE, VE, TSC_DEADLINE }, { 0x981, 0x984, VE, VE, TME },
};

/* The row of an MSR, or NULL. */
static inline const struct sheet_msr_range *sheet_msr(unsigned int msr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sheet_msr_ranges); i++) {
		if (msr >= sheet_msr_ranges[i].first && msr <= sheet_msr_ranges[i].last)
			return &sheet_msr_ranges[i];
	}
	return NULL;
}

#endif
