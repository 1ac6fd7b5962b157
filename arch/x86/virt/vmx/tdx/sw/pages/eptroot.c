// SPDX-License-Identifier: GPL-2.0
/*
 * What the CPU walks for a TD's vCPU: one root, made of the private half of the
 * S-EPT root and the shared half of the EPT that the host gave this vCPU.
 *
 * The root is a copy, made again at every TDH.VP.ENTER.  A change of either root
 * meanwhile is like one that a paging-structure cache has not seen: entries that
 * go are followed by a TRACK (private) or by a kick and a flush (shared) before
 * what they referred to is used for anything else, and entries that come cost an
 * EPT violation that turns out to be spurious.
 */
#include "pages/pages.h"

/* Entries that addresses of the TD's width can reach. */
static unsigned int nr_entries(void)
{
	return 1U << (tdx_sw_config.gpa_width - SEPT_SHIFT(SEAM_512G));
}

static u64 shared_bit(void)
{
	return BIT_ULL(tdx_sw_config.gpa_width - 1);
}

/* The host's word is not enough to read there. */
static const u64 *map_table(u64 pa)
{
	u64 pfn = PHYS_PFN(pa & SEPT_HPA & ~tdx_sw_config.hkid_mask);

	return pfn_range_is_mapped(pfn, pfn + 1) ? tdx_sw_map(PFN_PHYS(pfn)) : NULL;
}

void eptroot_fill(struct tdx_sw_call *c)
{
	const u64 *private = tdx_sw_map(c->tdr->tdcx_pa[TDCX_SEPT_ROOT]);
	const u64 *shared = map_table(READ_ONCE(c->vcpu->shared_eptp));
	u64 *root = tdx_sw_map(c->vcpu->page_pa[TDVPS_EPT_ROOT]);
	unsigned int i;

	for (i = 0; i < nr_entries(); i++) {
		bool is_shared = (u64)i << SEPT_SHIFT(SEAM_512G) & shared_bit();
		u64 new = SEPT_SVE;

		if (!is_shared)
			new = READ_ONCE(private[i]);
		else if (shared)
			new = READ_ONCE(shared[i]);
		if (root[i] == new)
			continue;
		if (root[i] & SEPT_RWX)
			c->vcpu->flush = true;
		WRITE_ONCE(root[i], new);
	}
}
