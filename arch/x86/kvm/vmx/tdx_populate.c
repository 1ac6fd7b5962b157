// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_INIT_MEM_REGION: the initial memory of a TD, page by page, out of memory of
 * userspace's.
 */

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "mmu.h"
#include "tdx.h"

static_assert(sizeof(struct kvm_tdx_init_mem_region) == 24);

static bool tdx_is_valid_region(struct kvm *kvm,
				const struct kvm_tdx_init_mem_region *region)
{
	u64 size, last;

	if (!region->source_addr || !PAGE_ALIGNED(region->source_addr) ||
	    !PAGE_ALIGNED(region->gpa))
		return false;

	if (!region->nr_pages || region->nr_pages > U64_MAX >> PAGE_SHIFT)
		return false;

	size = region->nr_pages << PAGE_SHIFT;
	if (region->gpa + size <= region->gpa ||
	    region->source_addr + size <= region->source_addr)
		return false;

	last = region->gpa + size - PAGE_SIZE;
	return !kvm_is_gfn_alias(kvm, gpa_to_gfn(region->gpa)) &&
	       !kvm_is_gfn_alias(kvm, gpa_to_gfn(last));
}

struct tdx_populate {
	struct kvm_vcpu *vcpu;
	bool measure;
};

/* The guest_memfd's invalidate lock is held: the page stays where it is. */
static int tdx_populate_page(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			     struct page *source, void *opaque)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdx_populate *populate = opaque;
	int r;

	kvm_tdx->add_source = page_to_phys(source);
	r = kvm_tdp_mmu_map_private_pfn(populate->vcpu, gfn, pfn);
	kvm_tdx->add_source = 0;

	if (r || !populate->measure)
		return r;

	return tdx_sept_measure_page(kvm, gfn);
}

static int tdx_add_page(struct kvm_vcpu *vcpu, u64 source_addr, gfn_t gfn,
			bool measure)
{
	struct tdx_populate populate = {
		.vcpu = vcpu,
		.measure = measure,
	};
	long r;

	/* One page, for more would return how far it got but not why no further. */
	r = kvm_gmem_populate(vcpu->kvm, gfn, u64_to_user_ptr(source_addr), 1,
			      tdx_populate_page, &populate);
	if (r < 0)
		return r;

	return r == 1 ? 0 : -EIO;
}

static int tdx_add_region(struct kvm_vcpu *vcpu,
			  struct kvm_tdx_init_mem_region *region, bool measure)
{
	int r;

	while (region->nr_pages) {
		if (signal_pending(current))
			return -EINTR;

		r = tdx_add_page(vcpu, region->source_addr,
				 gpa_to_gfn(region->gpa), measure);
		if (r)
			return r;

		region->source_addr += PAGE_SIZE;
		region->gpa += PAGE_SIZE;
		region->nr_pages--;

		cond_resched();
	}

	return 0;
}

int tdx_init_mem_region(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd)
{
	void __user *user = u64_to_user_ptr(cmd->data);
	struct kvm_tdx_init_mem_region region;
	int r;

	if (to_kvm_tdx(vcpu->kvm)->state != TD_STATE_INITIALIZED ||
	    to_tdx(vcpu)->state != VCPU_TD_STATE_INITIALIZED ||
	    cmd->flags & ~KVM_TDX_MEASURE_MEMORY_REGION)
		return -EINVAL;

	if (copy_from_user(&region, user, sizeof(region)))
		return -EFAULT;

	if (!tdx_is_valid_region(vcpu->kvm, &region))
		return -EINVAL;

	r = tdx_add_region(vcpu, &region,
			   cmd->flags & KVM_TDX_MEASURE_MEMORY_REGION);

	/* What is left to do, for the caller to come back with. */
	return copy_to_user(user, &region, sizeof(region)) ? -EFAULT : r;
}
