/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_MMU_MIRROR_H
#define __KVM_X86_MMU_MIRROR_H

/*
 * Predicates of mirror page tables: which VMs have one, which roots and pages
 * belong to it, and the arithmetic of the shared bit.  The protocol that keeps
 * a mirror and its external table equal is in external.h.
 *
 * A VM with a mirror has two TDP trees.  The mirror describes private memory;
 * no CPU ever walks it, it shadows an external table that only the backend can
 * change.  The direct tree maps shared memory and is an ordinary one, except
 * that it begins where the "direct bit" of a gfn indexes the root table.  SPTEs,
 * memslots, memory attributes and struct kvm_page_fault go by gfns, and
 * addresses, without that bit: it is on the backend to take it off the address
 * of a fault.
 */

#include <linux/kvm_host.h>

/*
 * The bit, as part of a gfn, that tells a shared from a private gfn.  0 if the
 * VM has no mirror (yet).  Written once, before the first vCPU is created.
 */
static inline gfn_t kvm_gfn_direct_bits(const struct kvm *kvm)
{
	return kvm->arch.gfn_direct_bits;
}

static inline bool kvm_has_mirrored_tdp(const struct kvm *kvm)
{
	return kvm_gfn_direct_bits(kvm);
}

/* True if an access to @gpa goes through the direct (shared) tree. */
static inline bool kvm_is_addr_direct(const struct kvm *kvm, gpa_t gpa)
{
	gpa_t direct = gfn_to_gpa(kvm_gfn_direct_bits(kvm));

	return !direct || (gpa & direct);
}

/* True if @gfn carries the direct bit, i.e. is the second name of a gfn. */
static inline bool kvm_is_gfn_alias(const struct kvm *kvm, gfn_t gfn)
{
	return gfn & kvm_gfn_direct_bits(kvm);
}

static inline gpa_t kvm_gpa_strip_direct_bits(const struct kvm *kvm, gpa_t gpa)
{
	return gpa & ~gfn_to_gpa(kvm_gfn_direct_bits(kvm));
}

static inline bool is_mirror_role(union kvm_mmu_page_role role)
{
	return role.is_mirror;
}

/*
 * The bits that the tables of this role add to a gfn to index their entries, i.e.
 * the gfn of the root: where in it the tree begins, see tdp_iter_start().
 */
static inline gfn_t kvm_gfn_root_bits(const struct kvm *kvm,
				      union kvm_mmu_page_role role)
{
	return is_mirror_role(role) ? 0 : kvm_gfn_direct_bits(kvm);
}

/*
 * In disallow_lpage of struct kvm_lpage_info, beside KVM_LPAGE_MIXED_FLAG: the guest accepts
 * memory there by 4 KiB (of 2 MiB only); the userspace address is askew, which doesn't matter
 * for private memory.
 */
#define KVM_LPAGE_GUEST_4K_FLAG	BIT(30)
#define KVM_LPAGE_HVA_FLAG	BIT(29)

void external_forget_limit(struct kvm_memory_slot *slot, gfn_t gfn);

/*
 * Kinds of TDP MMU roots, as a mask.  Exactly one of the first two applies to a
 * root; TDP_ROOTS_INVALID asks for roots that have been invalidated, too.
 */
enum tdp_mmu_root_types {
	TDP_ROOTS_DIRECT	= BIT(0),
	TDP_ROOTS_MIRROR	= BIT(1),
	TDP_ROOTS_INVALID	= BIT(2),

	TDP_ROOTS_VALID		= TDP_ROOTS_DIRECT | TDP_ROOTS_MIRROR,
	TDP_ROOTS_ALL		= TDP_ROOTS_VALID | TDP_ROOTS_INVALID,
};

static inline bool is_root_of_type(union kvm_mmu_page_role role,
				   enum tdp_mmu_root_types types)
{
	if (role.invalid && !(types & TDP_ROOTS_INVALID))
		return false;

	return types & (is_mirror_role(role) ? TDP_ROOTS_MIRROR :
					       TDP_ROOTS_DIRECT);
}

/*
 * The roots that map memory of the kinds in @filter.  Without a mirror one tree
 * maps private and shared memory alike.
 */
static inline enum tdp_mmu_root_types
kvm_filter_to_root_types(const struct kvm *kvm, enum kvm_gfn_range_filter filter)
{
	enum tdp_mmu_root_types types = 0;

	if (!kvm_has_mirrored_tdp(kvm))
		return TDP_ROOTS_DIRECT;

	if (filter & KVM_FILTER_SHARED)
		types |= TDP_ROOTS_DIRECT;
	if (filter & KVM_FILTER_PRIVATE)
		types |= TDP_ROOTS_MIRROR;

	return types;
}

#endif /* __KVM_X86_MMU_MIRROR_H */
