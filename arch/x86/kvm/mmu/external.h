/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_MMU_EXTERNAL_H
#define __KVM_X86_MMU_EXTERNAL_H

/*
 * The contract between the TDP MMU and a backend that owns an external page
 * table, e.g. the S-EPT of a TD, which KVM can't write itself.
 *
 * KVM keeps a mirror: a TDP tree that has the structure and the values that the
 * external table should have.  Every change of a mirror SPTE goes through
 * external_change_spte(), which hands it to the backend:
 *
 * set_external_spte(kvm, gfn, old_spte, new_spte, level)
 *
 *	Make the external entry follow a mirror SPTE that goes from @old_spte to
 *	@new_spte.  What that means follows from the two values and the level
 *	alone, see kvm_external_verb(); the backend must not infer it from the locks
 *	that are held.  @level is that of the table which holds the SPTE.
 *
 *	EXTERNAL_LINK and EXTERNAL_MAP: mmu_lock is held for read.  The SPTE is
 *	frozen, i.e. no other thread changes it or installs anything below it.
 *	All others: mmu_lock is held for write.  RCU is read-locked in all cases:
 *	the backend must not sleep.
 *
 *	Returns 0; -EBUSY if nothing has changed and the caller may try again;
 *	-EIO if the change has failed for good.  The backend has bugged the VM
 *	then, and reported why.  A removal begins when the backend lets it: it is
 *	on the backend not to answer -EBUSY for ever.  After a link or a map that
 *	failed KVM restores the SPTE and keeps the table or the page.  After a
 *	begin of removal that failed with -EIO KVM finishes the removal all the
 *	same.  A finish of removal that failed makes the SPTE non-present and
 *	takes the page away from KVM's caller: if the page may still be in use,
 *	it is on the backend to keep it from being freed.
 *
 *	A leaf is split in the same three steps as it is removed, with
 *	EXTERNAL_SPLIT as the last: the external table gets the page of the new
 *	table, in which all entries map the parts of the leaf, and are accessible
 *	again.  The SPTEs below are in their place.  After a split that failed KVM
 *	keeps the leaf, and frees the page of the table: if that is in use, it is
 *	on the backend to keep it.  -EIO without the VM being bugged says that there
 *	is nothing to be split any more, since the VM can't run.
 *
 *	A begin may be repeated for an entry whose removal, or split, was not
 *	finished.  EXTERNAL_BEGIN_FREE asks for a table to be made inaccessible in
 *	which nothing is mapped, before flush_external_tlbs() and
 *	free_external_spt().  If it is refused, with -EBUSY, the table stays.
 *
 *	Absent, it is taken to return 0.
 *
 * flush_external_tlbs(kvm)
 *
 *	Called with mmu_lock held for write, after removals have begun and before
 *	the first of them is finished.  When it returns, no CPU can use or cache
 *	a translation through one of the entries.
 *
 * free_external_spt(kvm, sp)
 *
 *	@sp has been taken out of the mirror, nothing is mapped below it.  Take
 *	@sp->external_spt back from the external table and free it, at once, or
 *	leak it.  @sp->external_spt is forgotten in any case.  mmu_lock is held
 *	for write, RCU is read-locked.  There was no EXTERNAL_BEGIN_FREE if the VM
 *	is being destroyed.
 *
 * Invariants:
 *
 * - While mmu_lock isn't held for write, a mirror SPTE that is present
 *   corresponds to an external entry in the matching state, one that isn't to
 *   none.  A frozen one belongs to the thread that froze it.
 * - No thread sleeps, yields mmu_lock or returns to its caller with an SPTE
 *   frozen in a table that is reachable from a root, or with a removal begun
 *   but not finished.  One exception: a removal that has been flushed may yield
 *   before it is finished.  Faults stay away, as the range is being invalidated;
 *   whoever begins anything meanwhile says so by kvm->arch.external_begins, and the
 *   removal begins anew with what is left.
 * - Nothing is removed that was not asked for.
 */

#include <linux/kvm_host.h>
#include <kunit/visibility.h>

#include "mmu_internal.h"
#include "spte.h"

struct tdp_iter;

/* What happens to an SPTE, whatever the lock and whatever the tree. */
enum spte_change {
	SPTE_CHANGE_NONE,
	SPTE_NP_TO_LEAF,
	SPTE_NP_TO_NONLEAF,
	SPTE_NP_TO_NP,
	SPTE_LEAF_TO_LEAF,
	SPTE_LEAF_TO_NONLEAF,
	SPTE_LEAF_TO_FROZEN,
	SPTE_LEAF_TO_NP,
	SPTE_NONLEAF_TO_LEAF,
	SPTE_NONLEAF_TO_NONLEAF,
	SPTE_NONLEAF_TO_FROZEN,
	SPTE_NONLEAF_TO_NP,

	NR_SPTE_CHANGES,
};

/* What the backend is asked to do. */
enum external_verb {
	EXTERNAL_NONE,
	EXTERNAL_LINK,
	EXTERNAL_MAP,
	EXTERNAL_BEGIN_REMOVE,
	EXTERNAL_FINISH_REMOVE,
	EXTERNAL_SPLIT,
	EXTERNAL_BEGIN_FREE,
	/* Not by set_external_spte(), but by free_external_spt(). */
	EXTERNAL_FREE,
};

enum external_policy {
	EXTERNAL_REFUSE,
	EXTERNAL_ALLOW,
	/* Only between frozen and the value before or after it. */
	EXTERNAL_ALLOW_FROZEN,
};

/* How mmu_lock is held, as a mask. */
enum external_lock {
	EXTERNAL_LOCK_READ	= BIT(0),
	EXTERNAL_LOCK_WRITE	= BIT(1),
	EXTERNAL_LOCK_ANY	= EXTERNAL_LOCK_READ | EXTERNAL_LOCK_WRITE,
};

/*
 * One row of the table of transitions.  @id is the row's number in the
 * documentation, @name what traces call it.  @in_tdp_mmu tells if the TDP MMU
 * makes such a change at all, i.e. in a direct tree.
 */
struct external_transition {
	const char *id;
	const char *name;
	enum spte_change change;
	enum external_lock lock;
	bool in_tdp_mmu;
	enum external_policy policy;
	enum external_verb verb;
};

/* What external_next_leaf() finds. */
struct external_leaf {
	gfn_t gfn;
	int level;
};

extern const struct external_transition external_transitions[];
extern const unsigned int nr_external_transitions;

enum spte_change external_classify_change(u64 old_spte, u64 new_spte, int level);
const struct external_transition *
external_classify(u64 old_spte, u64 new_spte, int level, bool shared);
bool external_transition_is_allowed(const struct external_transition *t,
				    u64 old_spte, u64 new_spte);
enum external_verb kvm_external_verb(u64 old_spte, u64 new_spte, int level);

int external_change_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
			 int level, bool shared);
void external_free_spt(struct kvm *kvm, struct kvm_mmu_page *sp);
bool external_next_leaf(struct kvm *kvm, gfn_t gfn, struct external_leaf *leaf);
int external_fault_on_present(struct kvm *kvm, struct kvm_page_fault *fault,
			      const struct tdp_iter *iter);

/* external_zap.c */
bool external_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root,
			gfn_t start, gfn_t end, bool can_yield, bool flush);
int external_begin(struct kvm *kvm, const struct tdp_iter *iter);

/*
 * Removals that have yielded begin anew: something begins, or the backend goes over to
 * another way of removing.
 */
static inline void external_disturb(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	kvm->arch.external_begins++;
}

/* external_split.c */
int external_limit_level(struct kvm_vcpu *vcpu, gfn_t gfn);

#if IS_ENABLED(CONFIG_KUNIT)
/* Of tdp_mmu.c; no caller of it shows what a lost exchange leaves in the iterator. */
int tdp_mmu_set_mirror_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte);
#endif

/* The most leaves, or tables, that are removed with one flush_external_tlbs(). */
#define EXTERNAL_ZAP_BATCH	512

/*
 * The external page table page that a non-leaf @spte of a mirror stands for, as
 * handed over by EXTERNAL_LINK.
 */
static inline void *external_spt_of(u64 spte)
{
	return spte_to_child_sp(spte)->external_spt;
}

#endif /* __KVM_X86_MMU_EXTERNAL_H */
