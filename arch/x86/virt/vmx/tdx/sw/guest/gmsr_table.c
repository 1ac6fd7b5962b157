// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers of a TD.
 *
 * One table says for every MSR what a read and what a write of it becomes.  It
 * is turned into the TD's MSR bitmap when the TD is initialised, and consulted
 * again when one of the others exits.  An MSR without a row raises #VE.
 *
 * What a CPU refuses without an exit, reading what is for writing alone, or the
 * reverse, or what goes with a feature that it lacks, an emulated one may let pass:
 * it is refused here.
 */
#include <linux/string.h>
#include <asm/page.h>

#include "guest/gstate.h"

/* Without the feature an MSR that depends on it raises #GP. */
enum gmsr_feature {
	ALWAYS,
	/* Not offered to any TD, whatever the CPU has. */
	PERFMON, PKS, TSX,
	/* Components of XFAM */
	PT, CET, ULI, LBR,
	/* Bits of CPUID */
	XFD, WAITPKG, MKTME, DCA, TSC_DEADLINE, TME,
	/* Bits of CPUID that no CPU with TDX lacks */
	HAS_SPEC_CTRL, HAS_PRED_CMD, HAS_FLUSH_CMD,
};

struct gmsr {
	u32 first;
	u32 last;			/* 0: there is only one */
	u8 read;
	u8 write;
	u8 feature;
};

#define ONE(_msr, _read, _write)						\
	{ .first = _msr, .read = MSR_##_read, .write = MSR_##_write }
#define RANGE(_first, _last, _read, _write)					\
	{ .first = _first, .last = _last, .read = MSR_##_read, .write = MSR_##_write }
#define FEATURE(_first, _last, _read, _write, _feature)				\
	{ .first = _first, .last = _last, .read = MSR_##_read, .write = MSR_##_write,	\
	  .feature = _feature }

/* Ascending and disjoint. */
static const struct gmsr msrs[] = {
	ONE(0x10, NATIVE, VE),					/* TSC */
	FEATURE(0x48, 0x48, NATIVE, NATIVE, HAS_SPEC_CTRL),	/* SPEC_CTRL */
	FEATURE(0x49, 0x49, GP, NATIVE, HAS_PRED_CMD),		/* PRED_CMD */
	FEATURE(0x87, 0x87, VE, VE, MKTME),
	RANGE(0x8c, 0x8f, GP, GP),				/* SGX launch control */
	RANGE(0x98, 0x9b, GP, GP),
	ONE(0x9e, GP, GP),
	ONE(0xbc, NATIVE, VE),
	ONE(0xbd, EMULATED, GP),				/* XAPIC_DISABLE_STATUS */
	FEATURE(0xc1, 0xc8, NATIVE, NATIVE, PERFMON),
	FEATURE(0xe1, 0xe1, NATIVE, NATIVE, WAITPKG),
	ONE(0x10a, EMULATED, GP),				/* ARCH_CAPABILITIES */
	FEATURE(0x10b, 0x10b, GP, NATIVE, HAS_FLUSH_CMD),	/* FLUSH_CMD */
	FEATURE(0x122, 0x122, NATIVE, NATIVE, TSX),
	RANGE(0x174, 0x176, NATIVE, NATIVE),			/* SYSENTER */
	FEATURE(0x186, 0x18d, NATIVE, NATIVE, PERFMON),
	ONE(0x195, GP, GP),
	ONE(0x1a0, EMULATED, VE),				/* MISC_ENABLE */
	FEATURE(0x1a6, 0x1a7, NATIVE, NATIVE, PERFMON),
	FEATURE(0x1c4, 0x1c5, NATIVE, NATIVE, XFD),
	ONE(0x1d9, EMULATED, EMULATED),				/* DEBUGCTL */
	FEATURE(0x1f8, 0x1fa, VE, VE, DCA),
	ONE(0x276, GP, GP),
	ONE(0x277, NATIVE, NATIVE),				/* PAT */
	FEATURE(0x309, 0x310, NATIVE, NATIVE, PERFMON),
	FEATURE(0x329, 0x329, NATIVE, NATIVE, PERFMON),
	ONE(0x345, EMULATED, EMULATED),				/* PERF_CAPABILITIES */
	FEATURE(0x38d, 0x392, NATIVE, NATIVE, PERFMON),
	FEATURE(0x3f1, 0x3f2, NATIVE, NATIVE, PERFMON),
	FEATURE(0x3f6, 0x3f7, NATIVE, NATIVE, PERFMON),
	ONE(0x480, EMULATED, GP),				/* VMX capabilities */
	RANGE(0x481, 0x484, VE, GP),
	RANGE(0x485, 0x489, EMULATED, GP),
	ONE(0x48a, VE, GP),
	RANGE(0x48b, 0x492, EMULATED, GP),
	FEATURE(0x4c1, 0x4c8, NATIVE, NATIVE, PERFMON),
	ONE(0x500, GP, GP),
	FEATURE(0x560, 0x561, NATIVE, NATIVE, PT),
	FEATURE(0x570, 0x572, NATIVE, NATIVE, PT),
	FEATURE(0x580, 0x587, NATIVE, NATIVE, PT),
	ONE(0x600, EMULATED, EMULATED),				/* DS_AREA */
	FEATURE(0x6a0, 0x6a0, NATIVE, NATIVE, CET),
	FEATURE(0x6a2, 0x6a2, NATIVE, NATIVE, CET),
	FEATURE(0x6a4, 0x6a8, NATIVE, NATIVE, CET),
	FEATURE(0x6e0, 0x6e0, VE, VE, TSC_DEADLINE),
	FEATURE(0x6e1, 0x6e1, NATIVE, NATIVE, PKS),
	/* x2APIC: what the host's virtual APIC does not have is its to emulate. */
	RANGE(0x800, 0x801, GP, GP),
	RANGE(0x804, 0x807, GP, GP),
	ONE(0x808, NATIVE, EMULATED),				/* TPR */
	RANGE(0x809, 0x80a, NATIVE, NATIVE),
	ONE(0x80b, NATIVE, EMULATED),				/* EOI */
	ONE(0x80c, NATIVE, NATIVE),
	ONE(0x80e, NATIVE, NATIVE),
	RANGE(0x810, 0x827, NATIVE, NATIVE),			/* ISR, TMR, IRR */
	RANGE(0x829, 0x82e, GP, GP),
	ONE(0x831, GP, GP),
	ONE(0x83f, NATIVE, EMULATED),				/* SELF_IPI */
	RANGE(0x840, 0x8ff, GP, GP),
	FEATURE(0x981, 0x984, VE, VE, TME),
	FEATURE(0x985, 0x98a, NATIVE, NATIVE, ULI),
	ONE(0xc80, NATIVE, VE),					/* DEBUG_INTERFACE */
	ONE(0xd90, GP, GP),
	ONE(0xd93, GP, GP),
	ONE(0xda0, NATIVE, EMULATED),				/* XSS */
	FEATURE(0x1200, 0x12ff, NATIVE, NATIVE, LBR),
	FEATURE(0x14ce, 0x14cf, NATIVE, NATIVE, LBR),
	FEATURE(0x1500, 0x16ff, NATIVE, NATIVE, LBR),
	ONE(0x1b01, NATIVE, NATIVE),				/* UARCH_MISC_CTL */
	ONE(0xc0000080, NATIVE, EMULATED),			/* EFER */
	RANGE(0xc0000081, 0xc0000082, NATIVE, NATIVE),		/* STAR, LSTAR */
	ONE(0xc0000084, NATIVE, NATIVE),			/* FMASK */
	RANGE(0xc0000100, 0xc0000103, NATIVE, NATIVE),		/* FS, GS bases, TSC_AUX */
};

static u32 last_of(const struct gmsr *row)
{
	return row->last ?: row->first;
}

static bool has_feature(u8 feature, u64 xfam, const struct tdx_sw_cpuid_page *page)
{
	switch (feature) {
	case ALWAYS:
		return true;
	case PT:
		return xfam & BIT_ULL(8);
	case CET:
		return xfam & GENMASK_ULL(12, 11);
	case ULI:
		return xfam & BIT_ULL(14);
	case LBR:
		return xfam & BIT_ULL(15);
	case XFD:
		return guest_has_cpuid(page, 0xd, 1, CPUID_EAX, 4);
	case WAITPKG:
		return guest_has_cpuid(page, 0x7, 0, CPUID_ECX, 5);
	case MKTME:
		return guest_has_cpuid(page, 0x7, 0, CPUID_EDX, 18);
	case TME:
		return guest_has_cpuid(page, 0x7, 0, CPUID_ECX, 13);
	case HAS_SPEC_CTRL:
		return guest_has_cpuid(page, 0x7, 0, CPUID_EDX, 26) ||
		       guest_has_cpuid(page, 0x7, 0, CPUID_EDX, 27) ||
		       guest_has_cpuid(page, 0x7, 0, CPUID_EDX, 31);
	case HAS_PRED_CMD:
		return guest_has_cpuid(page, 0x7, 0, CPUID_EDX, 26);
	case HAS_FLUSH_CMD:
		return guest_has_cpuid(page, 0x7, 0, CPUID_EDX, 28);
	case DCA:
		return guest_has_cpuid(page, 0x1, TDX_SW_NO_SUBLEAF, CPUID_ECX, 18);
	case TSC_DEADLINE:
		return guest_has_cpuid(page, 0x1, TDX_SW_NO_SUBLEAF, CPUID_ECX, 24);
	default:
		return false;
	}
}

/* The MSR bitmap covers two ranges of 8192, reads before writes. */
#define BITMAP_MSRS	0x2000
#define HIGH_MSRS	0xc0000000
#define BITMAP_WRITES	(2 * BITMAP_MSRS)

static void pass_through(unsigned long *bitmap, u32 msr, const struct gmsr *row)
{
	unsigned int bit = msr < HIGH_MSRS ? msr : BITMAP_MSRS + (msr - HIGH_MSRS);

	if (row->read == MSR_NATIVE)
		__clear_bit(bit, bitmap);
	if (row->write == MSR_NATIVE)
		__clear_bit(BITMAP_WRITES + bit, bitmap);
}

/* Fill a TD's MSR bitmap: 1 = exits. */
void gmsr_init_bitmap(void *bitmap, const struct tdx_sw_tdcs *tdcs,
		      const struct tdx_sw_cpuid_page *cpuid)
{
	const struct gmsr *row;
	u32 msr;

	memset(bitmap, 0xff, PAGE_SIZE);
	for (row = msrs; row < msrs + ARRAY_SIZE(msrs); row++) {
		if (!has_feature(row->feature, tdcs->xfam, cpuid))
			continue;
		for (msr = row->first; msr <= last_of(row); msr++)
			pass_through(bitmap, msr, row);
	}
}

u8 gmsr_find_action(struct tdx_sw_call *c, u32 msr, bool write)
{
	const struct gmsr *row;

	for (row = msrs; row < msrs + ARRAY_SIZE(msrs); row++) {
		if (msr < row->first || msr > last_of(row))
			continue;
		if (!has_feature(row->feature, c->tdcs->xfam, td_cpuid_page(c)))
			return MSR_GP;
		return write ? row->write : row->read;
	}
	return MSR_VE;
}
