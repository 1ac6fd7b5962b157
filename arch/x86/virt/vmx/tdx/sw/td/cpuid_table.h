/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of cpuid_table.c, for cpuid.c alone. */
#ifndef _X86_VIRT_TDX_SW_CPUID_TABLE_H
#define _X86_VIRT_TDX_SW_CPUID_TABLE_H

#include "td/td.h"

struct cpuid_row {
	u32 leaf;
	u32 first;			/* subleaf, or TDX_SW_NO_SUBLEAF */
	u32 last;
	struct seam_cpuid mask;		/* what a module asks of the CPU: bits, */
	struct seam_cpuid want;		/* and their values */
	struct seam_cpuid set;
	struct seam_cpuid cleared;	/* 0, or filled in while the vCPU runs */
};

struct cpuid_condition {
	u32 leaf;
	u32 first;
	u32 last;
	u64 xfam;
	u64 attributes;
	struct seam_cpuid bits;
};

extern const struct cpuid_row cpuid_rows[];
extern const unsigned int cpuid_nr_rows;
extern const struct cpuid_condition cpuid_conditions[];
extern const unsigned int cpuid_nr_conditions;

#endif
