// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs of a TD: every one in the two ranges that the MSR bitmap covers, and some
 * outside, read and written, against a list that is written down from the
 * interface description.
 */
#include <linux/bitops.h>
#include <asm/msr-index.h>

#include "guest.h"

#define RDMSR_LEN	2

/* What becomes of an access */
enum access {
	VE,		/* also of what is not in the list */
	GP,
	NO_EXIT,
	MODULE,
};

/* Groups that a TD has or has not; without it the answer is #GP. */
enum group {
	NO_GROUP,
	/* Never offered */
	PERFMON, PKS, TSX, PT, CET, ULI, LBR,
	/* By CPUID */
	XFD, WAITPKG, MKTME, DCA, TSC_DEADLINE, TME,
};

struct msr_range {
	u32 first;
	u32 last;
	u8 read;
	u8 write;
	u8 group;
};

static const struct msr_range ranges[] = {
	/* Native or virtual APIC */
	{ 0x48, 0x49, NO_EXIT, NO_EXIT }, { 0x10b, 0x10b, NO_EXIT, NO_EXIT },
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
	{ 0xbd, 0xbd, MODULE, NO_EXIT }, { 0x10a, 0x10a, MODULE, NO_EXIT },
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

static u64 cpuid_field(struct swg *s, u32 leaf, u32 subleaf, bool no_subleaf, bool high)
{
	u64 id = 0x9410000300000000ULL | leaf << 9 | (no_subleaf ? 0x1fe : subleaf << 1) | high;
	struct tdx_module_args args = { .rcx = s->td.tdr, .rdx = id };

	KUNIT_EXPECT_EQ(s->test, ST_SUCCESS, swt_call(s->t, L_MNG_RD, &args));
	return args.r8;
}

/* What the host knows of the TD's CPUID; the MSRs have to agree with it. */
static bool has_group(struct swg *s, u8 group)
{
	switch (group) {
	case NO_GROUP:
		return true;
	case XFD:
		return cpuid_field(s, 0xd, 1, false, false) & BIT_ULL(4);
	case WAITPKG:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(5);
	case TME:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(13);
	case MKTME:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(32 + 18);
	case DCA:
		return cpuid_field(s, 0x1, 0, true, true) & BIT_ULL(18);
	case TSC_DEADLINE:
		return cpuid_field(s, 0x1, 0, true, true) & BIT_ULL(24);
	default:
		return false;
	}
}

static u8 expected(struct swg *s, u32 msr, bool write)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (msr < ranges[i].first || msr > ranges[i].last)
			continue;
		if (!has_group(s, ranges[i].group))
			return GP;
		return write ? ranges[i].write : ranges[i].read;
	}
	return VE;
}

static bool exits(struct swg *s, u32 msr, bool write)
{
	const u8 *bitmap = swt_va(s->td.tdcx[2]);
	u32 bit = msr & 0x1fff;

	return bitmap[bit / 8 + (msr >> 30 ? 1024 : 0) + (write ? 2048 : 0)] >> bit % 8 & 1;
}

static void guest_rdmsr(struct swg *s, u32 msr)
{
	s->g.gpr[G_RCX] = msr;
	swg_instruction(s, EXIT_REASON_MSR_READ, RDMSR_LEN, 0);
}

static void guest_wrmsr(struct swg *s, u32 msr, u64 value)
{
	s->g.gpr[G_RCX] = msr;
	s->g.gpr[G_RAX] = (u32)value;
	s->g.gpr[G_RDX] = value >> 32;
	swg_instruction(s, EXIT_REASON_MSR_WRITE, RDMSR_LEN, 0);
}

static void check_exit(struct swg *s, u32 msr, bool write, u8 want)
{
	char what[32];

	snprintf(what, sizeof(what), "%s %x", write ? "WRMSR" : "RDMSR", msr);
	/* What module and guest agree about writes has its own cases. */
	if (want == MODULE && write)
		return;
	if (write)
		guest_wrmsr(s, msr, 0);
	else
		guest_rdmsr(s, msr);
	switch (want) {
	case VE:
		swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, what);
		break;
	case GP:
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, what);
		break;
	case MODULE:
		swg_expect_done(s, RDMSR_LEN, what);
		break;
	}
	s->g.ve_valid = 0;
}

static void check_msr(struct swg *s, u32 msr)
{
	unsigned int write;

	for (write = 0; write < 2; write++) {
		u8 want = expected(s, msr, write);

		KUNIT_EXPECT_EQ_MSG(s->test, exits(s, msr, write), want != NO_EXIT,
				    "MSR %x write %u", msr, write);
		if (want != NO_EXIT)
			check_exit(s, msr, write, want);
	}
}

static void every_msr_does_what_the_list_says(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u32 msr;

	for (msr = 0; msr < 0x2000; msr++) {
		check_msr(s, msr);
		check_msr(s, 0xc0000000 + msr);
	}
}

static void msrs_outside_the_ranges_raise_ve(struct kunit *test)
{
	static const u32 msrs[] = {
		0x2000, 0x3fff, 0x40000000, 0x4b564d00, 0xbfffffff, 0xc0002000, 0xc0010000,
		0xffffffff,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		guest_rdmsr(s, msrs[i]);
		swg_expect_ve(s, EXIT_REASON_MSR_READ, 0, "read");
		guest_wrmsr(s, msrs[i], 0);
		swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "write");
	}
}

/* ECX is all that counts, and results are 32 bits wide. */
static void upper_halves_do_not_matter(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	s->g.gpr[G_RCX] = 0xbd | BIT_ULL(40);
	s->g.gpr[G_RAX] = ~0ULL;
	s->g.gpr[G_RDX] = ~0ULL;
	swg_instruction(s, EXIT_REASON_MSR_READ, RDMSR_LEN, 0);
	swg_expect_done(s, RDMSR_LEN, "XAPIC_DISABLE_STATUS");
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], 1ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], 0ULL);
}

static void efer_lets_sce_change(struct kunit *test)
{
	const u64 efer = EFER_LME | EFER_LMA | EFER_NX;
	struct swg *s = swg_start(test, NULL);

	guest_wrmsr(s, MSR_EFER, efer);
	swg_expect_done(s, RDMSR_LEN, "SCE off");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_EFER), efer);
	guest_wrmsr(s, MSR_EFER, efer | EFER_SCE);
	swg_expect_done(s, RDMSR_LEN, "SCE on");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_EFER), efer | EFER_SCE);
	guest_wrmsr(s, MSR_EFER, (efer | EFER_SCE) & ~(u64)EFER_NX);
	swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "NX off");
	guest_wrmsr(s, MSR_EFER, (efer | EFER_SCE) & ~(u64)EFER_LME);
	swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "LME off");
	guest_wrmsr(s, MSR_EFER, efer | EFER_SVME);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "reserved");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_EFER), efer | EFER_SCE);
}

static void xss_is_limited_by_xfam(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	guest_wrmsr(s, MSR_IA32_XSS, 0);
	swg_expect_done(s, RDMSR_LEN, "XSS 0");
	for (bit = 0; bit < 64; bit++) {
		guest_wrmsr(s, MSR_IA32_XSS, BIT_ULL(bit));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "XSS beyond XFAM");
		KUNIT_EXPECT_EQ(test, s->g.xss, 0ULL);
	}
}

static void debugctl_knows_its_bits(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 2; bit < 64; bit++) {
		if (bit >= 6 && bit < 16)
			continue;
		guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, BIT_ULL(bit));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "reserved");
	}
	guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, BIT_ULL(6));
	swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "TR without BTS");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_DEBUGCTL), 0ULL);
	guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, DEBUGCTLMSR_BTF);
	swg_expect_done(s, RDMSR_LEN, "BTF");
	guest_rdmsr(s, MSR_IA32_DEBUGCTLMSR);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], (u64)DEBUGCTLMSR_BTF);
}

static void ds_area_is_kept_by_the_module(struct kunit *test)
{
	const u64 area = 0xffff888012345678;
	struct swg *s = swg_start(test, NULL);

	guest_rdmsr(s, MSR_IA32_DS_AREA);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX] | s->g.gpr[G_RDX], 0ULL);
	guest_wrmsr(s, MSR_IA32_DS_AREA, area);
	swg_expect_done(s, RDMSR_LEN, "DS_AREA");
	guest_wrmsr(s, MSR_IA32_DS_AREA, BIT_ULL(62));
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "not canonical");
	guest_rdmsr(s, MSR_IA32_DS_AREA);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX] | s->g.gpr[G_RDX] << 32, area);
}

static struct kunit_case msr_cases[] = {
	KUNIT_CASE_SLOW(every_msr_does_what_the_list_says),
	KUNIT_CASE(msrs_outside_the_ranges_raise_ve),
	KUNIT_CASE(upper_halves_do_not_matter),
	KUNIT_CASE(efer_lets_sce_change),
	KUNIT_CASE(xss_is_limited_by_xfam),
	KUNIT_CASE(debugctl_knows_its_bits),
	KUNIT_CASE(ds_area_is_kept_by_the_module),
	{}
};

SWG_SUITE("tdx_sw_msr", msr_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: MSRs of a TD");
MODULE_LICENSE("GPL");
