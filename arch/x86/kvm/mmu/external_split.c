// SPDX-License-Identifier: GPL-2.0
/*
 * Splitting 2 MiB leaves of a mirror, and of the external table.
 *
 * It takes the three steps of a removal, see external_zap.c, with the table that maps the
 * parts in place of nothing at the end; and like there one flush is enough for all leaves
 * that are to be split.  Nobody else sees a leaf between the steps: mmu_lock is held for
 * write from the first to the last.  The tables are allocated before, without a lock, and
 * those that turn out not to be needed are freed: for want of memory nothing is begun.
 *
 * Why a leaf is split:
 *
 * - A part of it is about to be removed.  Removals can't fail, so their callers split
 *   first, while the range that the leaves map is being invalidated already: there is no
 *   new leaf to come before the removal.  See kvm_arch_split_private_mappings().
 *
 * - The guest accepts memory by 4 KiB.  That is remembered for the 2 MiB around it, so that
 *   the next fault there needs no split, nor mmu_lock held for write.  It is forgotten with
 *   the memslot, and when all of the 2 MiB is converted.  See external_limit_level().
 */
#include <linux/kvm_host.h>

#include "external.h"
#include "mmu.h"
#include "tdp_iter.h"
#include "tdp_mmu.h"

/* Both ends of a range may cut a leaf. */
#define EXTERNAL_MAX_CUTS	2

struct external_split {
	/* A leaf that maps the gfn before as well as the gfn itself is to be split. */
	gfn_t cuts[EXTERNAL_MAX_CUTS];
	unsigned int nr_cuts;
	/* Tables that are not used yet */
	struct kvm_mmu_page *tables[EXTERNAL_MAX_CUTS];
};

static void external_free_tables(struct external_split *split)
{
	unsigned int i;

	for (i = 0; i < EXTERNAL_MAX_CUTS; i++) {
		if (split->tables[i])
			tdp_mmu_free_mirror_sp(split->tables[i]);
	}
}

static int external_alloc_tables(struct external_split *split)
{
	unsigned int i;

	for (i = 0; i < split->nr_cuts; i++) {
		split->tables[i] = tdp_mmu_alloc_mirror_sp();
		if (!split->tables[i])
			return -ENOMEM;
	}

	return 0;
}

/* Let the iterator be at the leaf that @cut is in the midst of, if there is one. */
static bool external_find_cut_leaf(struct kvm_mmu_page *root, gfn_t cut,
				   struct tdp_iter *iter)
{
	if (!cut || !root)
		return false;

	for_each_tdp_pte_min_level((*iter), root, PG_LEVEL_2M, cut - 1, cut) {
		if (is_shadow_present_pte(iter->old_spte) &&
		    is_last_spte(iter->old_spte, iter->level))
			return iter->gfn < cut &&
			       cut < iter->gfn + KVM_PAGES_PER_HPAGE(iter->level);
	}

	return false;
}

/* Keep those cuts that are in the midst of a leaf, each of another one. */
static void external_find_cuts(struct kvm *kvm, struct external_split *split)
{
	struct kvm_mmu_page *root;
	gfn_t leaf = INVALID_GPA;
	unsigned int i, nr = 0;
	struct tdp_iter iter;

	guard(read_lock)(&kvm->mmu_lock);
	guard(rcu)();

	root = tdp_mmu_mirror_root(kvm);
	for (i = 0; i < split->nr_cuts; i++) {
		if (!external_find_cut_leaf(root, split->cuts[i], &iter) || iter.gfn == leaf)
			continue;

		leaf = iter.gfn;
		split->cuts[nr++] = split->cuts[i];
	}

	split->nr_cuts = nr;
}

/* For good comes before for now. */
static void external_note_error(int *ret, int r)
{
	if (r && *ret != -EIO)
		*ret = r;
}

/*
 * One round: begin all that isn't busy, one flush, split what has begun.  Returns -EBUSY if
 * there is something left, which the backend sees to that it is not for ever.
 */
static int external_split_round(struct kvm *kvm, struct external_split *split)
{
	struct kvm_mmu_page *root = tdp_mmu_mirror_root(kvm);
	bool begun[EXTERNAL_MAX_CUTS] = {}, any = false;
	struct tdp_iter iter;
	unsigned int i;
	int ret = 0;

	lockdep_assert_held_write(&kvm->mmu_lock);
	guard(rcu)();

	for (i = 0; i < split->nr_cuts; i++) {
		int r;

		if (!external_find_cut_leaf(root, split->cuts[i], &iter))
			continue;

		r = external_begin(kvm, &iter);
		begun[i] = !r;
		any |= begun[i];
		external_note_error(&ret, r);
	}

	if (any)
		kvm_x86_call(flush_external_tlbs)(kvm);

	for (i = 0; i < split->nr_cuts; i++) {
		int r;

		if (!begun[i] || !external_find_cut_leaf(root, split->cuts[i], &iter))
			continue;

		r = tdp_mmu_split_mirror_leaf(kvm, &iter, split->tables[i]);
		if (!r)
			split->tables[i] = NULL;
		external_note_error(&ret, r);
	}

	return ret;
}

static bool external_is_invalidated(struct kvm *kvm, gfn_t gfn)
{
	return mmu_invalidate_retry_gfn(kvm, kvm->mmu_invalidate_seq, gfn);
}

/*
 * Split the large leaves of the mirror that are cut by one of @cuts, i.e. have gfns on both
 * sides of it.  The caller is invalidating all gfns of these leaves.
 *
 * Returns 0; -ENOMEM; -EIO, then the VM is dead, or can't run.  If it fails the mirror maps
 * all that it did, some of it by smaller pages maybe, and nothing has lost its content.
 */
int kvm_arch_split_private_mappings(struct kvm *kvm, const gfn_t *cuts, unsigned int nr_cuts)
{
	struct external_split split = { .nr_cuts = nr_cuts };
	int r;

	if (!kvm_has_mirrored_tdp(kvm))
		return 0;

	if (WARN_ON_ONCE(nr_cuts > EXTERNAL_MAX_CUTS))
		return -EIO;

	memcpy(split.cuts, cuts, nr_cuts * sizeof(*cuts));
	external_find_cuts(kvm, &split);
	if (!split.nr_cuts)
		return 0;

	r = external_alloc_tables(&split);

	while (!r) {
		scoped_guard(write_lock, &kvm->mmu_lock)
			r = external_split_round(kvm, &split);
		if (r != -EBUSY)
			break;

		r = 0;
		cond_resched();
	}

	external_free_tables(&split);
	return r;
}

static struct kvm_lpage_info *external_lpage_info(const struct kvm_memory_slot *slot,
						  gfn_t gfn)
{
	return &slot->arch.lpage_info[PG_LEVEL_2M - 2][gfn_to_index(gfn, slot->base_gfn,
								    PG_LEVEL_2M)];
}

static bool external_is_limited(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return READ_ONCE(external_lpage_info(slot, gfn)->disallow_lpage) &
	       KVM_LPAGE_GUEST_4K_FLAG;
}

/* All of the 2 MiB at @gfn was converted: it is not what the guest has accepted any more. */
void external_forget_limit(struct kvm_memory_slot *slot, gfn_t gfn)
{
	external_lpage_info(slot, gfn)->disallow_lpage &= ~KVM_LPAGE_GUEST_4K_FLAG;
}

/* Returns -EBUSY if it is to be tried again. */
static int external_try_limit_level(struct kvm *kvm, struct kvm_memory_slot *slot,
				    struct external_split *split, gfn_t gfn)
{
	int r;

	guard(write_lock)(&kvm->mmu_lock);

	/* The fault has to wait for that as well, and comes back if need be. */
	if (external_is_invalidated(kvm, gfn))
		return 0;

	/*
	 * From here on no fault maps a large page, and the one that is there goes.  If it
	 * doesn't, nobody must believe that it has.
	 */
	external_lpage_info(slot, gfn)->disallow_lpage |= KVM_LPAGE_GUEST_4K_FLAG;
	r = external_split_round(kvm, split);
	if (r)
		external_forget_limit(slot, gfn);

	return r;
}

/*
 * The guest of @vcpu accepts memory at @gfn by 4 KiB: map no larger page there.  For a
 * thread that runs the vCPU.
 *
 * Returns 0, also if that has to wait for something else, of which the fault that follows
 * finds out; -ENOMEM; -EIO if the VM is dead.
 */
int external_limit_level(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);
	struct external_split split = {
		/* Any gfn but the first cuts the leaf. */
		.cuts = { gfn | 1 },
		.nr_cuts = 1,
	};
	int r;

	if (!slot || slot->flags & KVM_MEMSLOT_INVALID ||
	    !kvm_mem_is_private(vcpu->kvm, gfn) || external_is_limited(slot, gfn))
		return 0;

	r = external_alloc_tables(&split);

	while (!r) {
		r = external_try_limit_level(vcpu->kvm, slot, &split, gfn);
		if (r != -EBUSY)
			break;

		r = 0;
		cond_resched();
	}

	external_free_tables(&split);
	return r;
}
EXPORT_SYMBOL_GPL(external_limit_level);

/*
 * Attributes of [@start, @end) are about to change: put off faults on all that is mapped by
 * leaves which reach into it, and split those that reach out of it.  Unless it fails, to be
 * followed by kvm_arch_end_attributes_change().
 */
int kvm_arch_begin_attributes_change(struct kvm *kvm, gfn_t start, gfn_t end,
				     unsigned long attributes)
{
	const gfn_t cuts[] = { start, end };
	int r;

	lockdep_assert_held(&kvm->slots_lock);

	if (!kvm_has_mirrored_tdp(kvm))
		return 0;

	scoped_guard(write_lock, &kvm->mmu_lock) {
		kvm_mmu_invalidate_begin(kvm);
		kvm_mmu_invalidate_range_add(kvm, gfn_round_for_level(start, PG_LEVEL_2M),
					     ALIGN(end, KVM_PAGES_PER_HPAGE(PG_LEVEL_2M)));
	}

	/* What becomes private has no private mappings yet, or keeps them. */
	if (attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE)
		return 0;

	r = kvm_arch_split_private_mappings(kvm, cuts, ARRAY_SIZE(cuts));
	if (r)
		kvm_arch_end_attributes_change(kvm);

	return r;
}

void kvm_arch_end_attributes_change(struct kvm *kvm)
{
	if (!kvm_has_mirrored_tdp(kvm))
		return;

	guard(write_lock)(&kvm->mmu_lock);

	kvm_mmu_invalidate_end(kvm);
}
