// SPDX-License-Identifier: GPL-2.0
/*
 * External page tables: the rules for changing a mirror SPTE, as one table, and
 * the only calls of the backend that owns the external table.  See external.h
 * for the contract, and Documentation/virt/kvm/x86/external-page-tables.rst.
 *
 * An atomic change, i.e. one under mmu_lock held for read, is made by
 * tdp_mmu_set_mirror_spte_atomic(): freeze the SPTE, propagate the change,
 * publish the new value, or the old one if the backend has refused.  A removal is
 * made under mmu_lock held for write, in batches, by external_zap_leafs().
 *
 * Nothing here knows which backend there is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/array_size.h>

#include "external.h"
#include "mmu.h"
#include "mmutrace.h"
#include "tdp_iter.h"
#include "tdp_mmu.h"

#define ROW(_id, _name, _change, _lock, _in_tdp_mmu, _policy, _verb)	\
{									\
	.id = _id, .name = _name, .change = _change,			\
	.lock = EXTERNAL_LOCK_##_lock, .in_tdp_mmu = _in_tdp_mmu,	\
	.policy = EXTERNAL_##_policy, .verb = EXTERNAL_##_verb,		\
}

/*
 * Why rows are refused: a change under the write lock has no way to be tried
 * again (2, 4), the permissions of a private page never change (6), taking an
 * entry out blocks it first, which fights with concurrent faults (11, 13), and
 * a mirror has 4 KiB pages only (7, 8, 9).
 */
const struct external_transition external_transitions[] = {
	ROW("1",   "map",         SPTE_NP_TO_LEAF,         READ,  true,  ALLOW,  MAP),
	ROW("2",   "map_excl",    SPTE_NP_TO_LEAF,         WRITE, true,  REFUSE, NONE),
	ROW("3",   "link",        SPTE_NP_TO_NONLEAF,      READ,  true,  ALLOW,  LINK),
	ROW("4",   "link_excl",   SPTE_NP_TO_NONLEAF,      WRITE, true,  REFUSE, NONE),
	ROW("5",   "nonpresent",  SPTE_NP_TO_NP,           ANY,   true,  ALLOW_FROZEN, NONE),
	ROW("6",   "remap",       SPTE_LEAF_TO_LEAF,       ANY,   true,  REFUSE, NONE),
	ROW("7",   "split",       SPTE_LEAF_TO_NONLEAF,    READ,  true,  REFUSE, NONE),
	ROW("8",   "split_excl",  SPTE_LEAF_TO_NONLEAF,    WRITE, true,  REFUSE, NONE),
	ROW("9",   "promote",     SPTE_NONLEAF_TO_LEAF,    ANY,   true,  REFUSE, NONE),
	ROW("10",  "relink",      SPTE_NONLEAF_TO_NONLEAF, ANY,   false, REFUSE, NONE),
	ROW("11",  "zap_shared",  SPTE_LEAF_TO_NP,         READ,  true,  REFUSE, NONE),
	ROW("12a", "zap_begin",   SPTE_LEAF_TO_FROZEN,     WRITE, true,  ALLOW,  BEGIN_REMOVE),
	ROW("12b", "zap_finish",  SPTE_LEAF_TO_NP,         WRITE, true,  ALLOW,  FINISH_REMOVE),
	ROW("13",  "free_shared", SPTE_NONLEAF_TO_NP,      READ,  true,  REFUSE, NONE),
	ROW("14",  "free",        SPTE_NONLEAF_TO_NP,      WRITE, true,  ALLOW,  FREE),
};

const unsigned int nr_external_transitions = ARRAY_SIZE(external_transitions);

static enum spte_change classify_leaf_change(u64 new_spte, int level)
{
	if (is_frozen_spte(new_spte))
		return SPTE_LEAF_TO_FROZEN;
	if (!is_shadow_present_pte(new_spte))
		return SPTE_LEAF_TO_NP;

	return is_last_spte(new_spte, level) ? SPTE_LEAF_TO_LEAF :
					       SPTE_LEAF_TO_NONLEAF;
}

static enum spte_change classify_nonleaf_change(u64 new_spte, int level)
{
	if (!is_shadow_present_pte(new_spte))
		return SPTE_NONLEAF_TO_NP;

	return is_last_spte(new_spte, level) ? SPTE_NONLEAF_TO_LEAF :
					       SPTE_NONLEAF_TO_NONLEAF;
}

static enum spte_change classify_nonpresent_change(u64 new_spte, int level)
{
	if (!is_shadow_present_pte(new_spte))
		return SPTE_NP_TO_NP;

	return is_last_spte(new_spte, level) ? SPTE_NP_TO_LEAF :
					       SPTE_NP_TO_NONLEAF;
}

/* A pure function, as are the next three: they look at values only. */
enum spte_change external_classify_change(u64 old_spte, u64 new_spte, int level)
{
	if (old_spte == new_spte)
		return SPTE_CHANGE_NONE;
	if (!is_shadow_present_pte(old_spte))
		return classify_nonpresent_change(new_spte, level);
	if (is_last_spte(old_spte, level))
		return classify_leaf_change(new_spte, level);

	return classify_nonleaf_change(new_spte, level);
}

/*
 * The row for a change made with mmu_lock held for read (@shared) or for write.
 * NULL if nothing changes.
 */
const struct external_transition *
external_classify(u64 old_spte, u64 new_spte, int level, bool shared)
{
	enum external_lock lock = shared ? EXTERNAL_LOCK_READ :
					   EXTERNAL_LOCK_WRITE;
	enum spte_change change;
	int i;

	change = external_classify_change(old_spte, new_spte, level);

	/*
	 * Frozen is a state of its own only as the beginning of a removal, which
	 * there is none under the read lock.  Else it is one way of being
	 * non-present.
	 */
	if (shared && change == SPTE_LEAF_TO_FROZEN)
		change = SPTE_LEAF_TO_NP;

	for (i = 0; i < nr_external_transitions; i++) {
		if (external_transitions[i].change == change &&
		    external_transitions[i].lock & lock)
			return &external_transitions[i];
	}

	return NULL;
}

/* Whether a mirror may change so. */
bool external_transition_is_allowed(const struct external_transition *t,
				    u64 old_spte, u64 new_spte)
{
	switch (t->policy) {
	case EXTERNAL_ALLOW:
		return true;
	case EXTERNAL_ALLOW_FROZEN:
		return is_frozen_spte(old_spte) || is_frozen_spte(new_spte);
	case EXTERNAL_REFUSE:
		break;
	}

	return false;
}

/*
 * What a backend is to do for a change.  EXTERNAL_NONE for one that no row
 * allows, whatever the lock.
 */
enum external_verb kvm_external_verb(u64 old_spte, u64 new_spte, int level)
{
	enum spte_change change;
	int i;

	change = external_classify_change(old_spte, new_spte, level);

	for (i = 0; i < nr_external_transitions; i++) {
		if (external_transitions[i].change == change &&
		    external_transitions[i].verb != EXTERNAL_NONE)
			return external_transitions[i].verb;
	}

	return EXTERNAL_NONE;
}
EXPORT_SYMBOL_GPL(kvm_external_verb);

static int external_set_spte(struct kvm *kvm,
			     const struct external_transition *t, gfn_t gfn,
			     u64 old_spte, u64 new_spte, int level)
{
	int ret = kvm_x86_call(set_external_spte)(kvm, gfn, old_spte, new_spte,
						  level);

	trace_kvm_mmu_external_spte(t->name, gfn, level, old_spte, new_spte, ret);
	return ret;
}

/*
 * Let the external table follow a change of a mirror SPTE.  Taking a table out
 * is no call by itself: its leaves, then the table are removed one by one as
 * handle_removed_pt() visits them.
 *
 * Returns 0, or what set_external_spte() returned.
 */
int external_change_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
			 int level, bool shared)
{
	const struct external_transition *t;

	t = external_classify(old_spte, new_spte, level, shared);
	if (!t)
		return 0;

	if (KVM_BUG_ON(!external_transition_is_allowed(t, old_spte, new_spte), kvm))
		return -EIO;

	if (t->verb == EXTERNAL_NONE || t->verb == EXTERNAL_FREE)
		return 0;

	return external_set_spte(kvm, t, gfn, old_spte, new_spte, level);
}

/* Give up the external page of a table that has left the mirror. */
void external_free_spt(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!sp->external_spt)
		return;

	kvm_x86_call(free_external_spt)(kvm, sp);

	/* Not KVM's to free anymore, whether it was taken back or leaked. */
	sp->external_spt = NULL;
}

/*
 * Removing a range.
 *
 * The backend needs three steps for a leaf: make it inaccessible, wait until no
 * CPU has a translation through it, remove it.  The second step costs the same
 * for one leaf as for many, so that it is done once for a batch of leaves.
 *
 * The mirror itself says which leaves a batch consists of: those in
 * [batch->start, batch->end).  Between the first and the last step their SPTEs
 * stay as they are.  That is invisible, because mmu_lock is held for write from
 * begin to finish and nobody walks a mirror without it.  So there is nothing to
 * allocate, and nothing that can fail for want of memory.
 */
struct external_batch {
	gfn_t start;
	gfn_t end;
	unsigned int nr_leaves;
};

static bool external_need_yield(struct kvm *kvm)
{
	return need_resched() || rwlock_needbreak(&kvm->mmu_lock);
}

/*
 * Removal is exact.  There is no leaf that reaches out of the range as long as
 * a mirror has 4 KiB pages only.
 */
static bool is_leaf_to_remove(struct kvm *kvm, struct tdp_iter *iter,
			      gfn_t start, gfn_t end)
{
	if (!is_shadow_present_pte(iter->old_spte) ||
	    !is_last_spte(iter->old_spte, iter->level))
		return false;

	return !KVM_BUG_ON(iter->gfn < start ||
			   iter->gfn + KVM_PAGES_PER_HPAGE(iter->level) > end, kvm);
}

/*
 * Begin the removal of one leaf.  Returns false if the batch has to end before it: as
 * long as the leaf itself hasn't begun, being busy is no reason to fail.  It is tried
 * again as the first of the next batch, until the backend gives up.
 */
static bool external_begin_removal(struct kvm *kvm, struct external_batch *batch,
				   struct tdp_iter *iter)
{
	int ret = external_change_spte(kvm, iter->gfn, iter->old_spte, FROZEN_SPTE,
				       iter->level, false);

	if (ret == -EBUSY)
		return false;
	if (ret)
		kvm_vm_bugged(kvm);

	batch->nr_leaves++;
	return true;
}

/*
 * Begin the removal of the leaves from batch->start on, and set batch->end to
 * where the batch ends.  Yield to others by ending the batch early, but not
 * without having got anywhere.
 */
static void external_begin_batch(struct kvm *kvm, struct kvm_mmu_page *root,
				 struct external_batch *batch, gfn_t end,
				 bool can_yield)
{
	struct tdp_iter iter;

	batch->nr_leaves = 0;

	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, batch->start, end) {
		batch->end = iter.next_last_level_gfn;

		if (can_yield && batch->end > batch->start &&
		    external_need_yield(kvm)) {
			/* A batch cut short is what costs a flush. */
			kvm->stat.mmu_external_yields += !!batch->nr_leaves;
			return;
		}

		if (!is_leaf_to_remove(kvm, &iter, batch->start, end))
			continue;

		if (batch->nr_leaves == EXTERNAL_ZAP_BATCH ||
		    !external_begin_removal(kvm, batch, &iter))
			return;
	}

	batch->end = end;
}

static void external_finish_batch(struct kvm *kvm, struct kvm_mmu_page *root,
				  const struct external_batch *batch)
{
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, batch->start,
				   batch->end) {
		if (is_leaf_to_remove(kvm, &iter, batch->start, batch->end))
			tdp_mmu_iter_set_mirror_spte(kvm, &iter,
						     SHADOW_NONPRESENT_VALUE);
	}
}

static bool external_yield(struct kvm *kvm, bool flush)
{
	if (flush)
		kvm_flush_remote_tlbs(kvm);

	rcu_read_unlock();
	cond_resched_rwlock_write(&kvm->mmu_lock);
	rcu_read_lock();

	return false;
}

/*
 * Remove all leaves of a mirror in [start, end).  Yields only if @can_yield, and
 * between batches.  Removed leaves need no further TLB flush; @flush is what the
 * caller still owes, and the return value what it owes afterwards.
 */
bool external_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root,
			gfn_t start, gfn_t end, bool can_yield, bool flush)
{
	struct external_batch batch = { .start = start, .end = start };

	lockdep_assert_held_write(&kvm->mmu_lock);

	rcu_read_lock();

	while (batch.start < end) {
		external_begin_batch(kvm, root, &batch, end, can_yield);

		if (batch.nr_leaves) {
			kvm_x86_call(flush_external_tlbs)(kvm);
			external_finish_batch(kvm, root, &batch);
		}

		batch.start = batch.end;

		if (can_yield && external_need_yield(kvm))
			flush = external_yield(kvm, flush);
	}

	rcu_read_unlock();

	return flush;
}
