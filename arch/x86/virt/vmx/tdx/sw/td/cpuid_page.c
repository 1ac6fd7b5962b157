// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUID values of a TD, once they are computed (cpuid.c): which there are, and
 * what follows from them.
 */
#include <linux/align.h>
#include <linux/minmax.h>

#include "td/td.h"

#define XSTATE_LEGACY_SIZE	576
#define XSTATE_LAST		18
#define XSTATE_ALIGN		BIT(1)		/* ECX of a component */

/* Leaves that the guest has to ask its host for. */
bool cpuid_raises_ve(u32 leaf)
{
	switch (leaf) {
	case 0x2:
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
	case 0x40000000 ... 0x4fffffff:
	case 0x80000005:
	case 0x80000006:
		return true;
	default:
		return false;
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
