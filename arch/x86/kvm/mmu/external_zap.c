// SPDX-License-Identifier: GPL-2.0
/*
 * Removing a range from a mirror and the external table: pages, then tables in which
 * nothing is left.
 *
 * The backend needs three steps for an entry: make it inaccessible, wait until no CPU
 * has a translation through it, remove it.  The second step costs the same for one
 * entry as for many, so that it is done once for a batch.
 *
 * The mirror itself says which leaves a batch consists of: those in [batch->start,
 * batch->end).  Between the first and the last step their SPTEs stay as they are.  So
 * there is nothing to allocate, and nothing that can fail for want of memory.
 *
 * The last step takes the longest by far, as pages are written back and cleared.  It
 * may yield mmu_lock between two of them: what the batch consists of has been blocked
 * and flushed, and faults on the range are put off as long as it is invalidated.  A
 * removal or a split that begins meanwhile may be about the same leaves.  If there was
 * one the rest of the batch is one to begin anew.
 */
#include "external.h"
#include "mmu.h"
#include "tdp_iter.h"
#include "tdp_mmu.h"

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
 * Let others have mmu_lock, who may rely on the flush that the caller owes.  Returns whether
 * nothing has happened meanwhile that the removal would have to know.
 */
static bool external_yield(struct kvm *kvm, bool *flush)
{
	u64 begins = kvm->arch.external_begins;

	if (*flush)
		kvm_flush_remote_tlbs(kvm);
	*flush = false;

	rcu_read_unlock();
	cond_resched_rwlock_write(&kvm->mmu_lock);
	rcu_read_lock();

	return kvm->arch.external_begins == begins;
}

/*
 * Begin what makes the entry inaccessible; the rest of what is to happen to it is up to
 * the caller.  Returns what set_external_spte() does.
 */
int external_begin(struct kvm *kvm, const struct tdp_iter *iter)
{
	external_disturb(kvm);
	return external_change_spte(kvm, iter->gfn, iter->old_spte, FROZEN_SPTE,
				    iter->level, false);
}

/*
 * Removal is exact: who cuts a leaf has split it before, see external_split.c, or it
 * can't be cut, as no leaf reaches out of its memslot.  If there is one after all, none of
 * its pages may go back to the kernel as long as it is mapped: it goes, and the VM with it.
 */
static bool is_leaf_to_remove(struct kvm *kvm, struct tdp_iter *iter,
			      gfn_t start, gfn_t end)
{
	if (!is_shadow_present_pte(iter->old_spte) ||
	    !is_last_spte(iter->old_spte, iter->level))
		return false;

	KVM_BUG_ON(iter->gfn < start ||
		   iter->gfn + KVM_PAGES_PER_HPAGE(iter->level) > end, kvm);
	return true;
}

/*
 * Begin the removal of one leaf.  Returns false if the batch has to end before it: as
 * long as the leaf itself hasn't begun, being busy is no reason to fail.  It is tried
 * again as the first of the next batch, until the backend gives up.
 */
static bool external_begin_removal(struct kvm *kvm, struct external_batch *batch,
				   struct tdp_iter *iter)
{
	int ret = external_begin(kvm, iter);

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

/* Returns where the next batch begins: with what is left, if that may have changed. */
static gfn_t external_finish_batch(struct kvm *kvm, struct kvm_mmu_page *root,
				   const struct external_batch *batch, bool can_yield,
				   bool *flush)
{
	unsigned int nr_left = batch->nr_leaves;
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, batch->start,
				   batch->end) {
		if (!is_leaf_to_remove(kvm, &iter, batch->start, batch->end))
			continue;

		tdp_mmu_iter_set_mirror_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);

		if (!--nr_left)
			break;

		if (!can_yield || !external_need_yield(kvm))
			continue;

		if (!external_yield(kvm, flush)) {
			kvm->stat.mmu_external_yields++;
			return iter.gfn;
		}
		iter.yielded = true;
	}

	return batch->end;
}

/*
 * Tables: one is removed along with what it maps if all of that lies in the range, so
 * that it can be mapped by a larger page the next time, and that a VM whose memory comes
 * and goes doesn't collect tables.
 */

static bool is_table_to_remove(struct tdp_iter *iter, int level, gfn_t start, gfn_t end)
{
	u64 *spt;
	int i;

	if (iter->level != level || !is_shadow_present_pte(iter->old_spte) ||
	    is_last_spte(iter->old_spte, level) ||
	    iter->gfn < start || iter->gfn + KVM_PAGES_PER_HPAGE(level) > end)
		return false;

	spt = spte_to_child_sp(iter->old_spte)->spt;
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++) {
		if (is_shadow_present_pte(READ_ONCE(spt[i])))
			return false;
	}

	return true;
}

/*
 * As external_begin_batch(), for the tables below entries of @level.  One for which the
 * backend is busy, or that it can't take back yet, stays and ends the batch: that way the
 * tables that have begun are all those that there are in the batch.
 */
static void external_begin_tables(struct kvm *kvm, struct kvm_mmu_page *root, int level,
				  struct external_batch *batch, gfn_t end)
{
	struct tdp_iter iter;
	int ret;

	batch->nr_leaves = 0;
	batch->end = end;

	for_each_tdp_pte_min_level(iter, root, level, batch->start, end) {
		if (!is_table_to_remove(&iter, level, batch->start, end))
			continue;

		if (batch->nr_leaves == EXTERNAL_ZAP_BATCH) {
			batch->end = iter.gfn;
			return;
		}

		ret = external_begin(kvm, &iter);
		if (ret == -EIO)
			kvm_vm_bugged(kvm);
		if (ret) {
			batch->end = iter.gfn;
			return;
		}

		batch->nr_leaves++;
	}
}

static void external_finish_tables(struct kvm *kvm, struct kvm_mmu_page *root, int level,
				   const struct external_batch *batch)
{
	struct tdp_iter iter;

	for_each_tdp_pte_min_level(iter, root, level, batch->start, batch->end) {
		if (is_table_to_remove(&iter, level, batch->start, batch->end))
			tdp_mmu_iter_set_mirror_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
	}
}

/* Returns whether all tables of that kind are gone, so that it may go on above them. */
static bool external_zap_tables(struct kvm *kvm, struct kvm_mmu_page *root, int level,
				gfn_t start, gfn_t end, bool can_yield, bool *flush)
{
	struct external_batch batch = { .start = start };

	while (batch.start < end) {
		external_begin_tables(kvm, root, level, &batch, end);
		if (!batch.nr_leaves)
			return batch.end == end;

		kvm_x86_call(flush_external_tlbs)(kvm);
		external_finish_tables(kvm, root, level, &batch);
		batch.start = batch.end;

		if (can_yield && external_need_yield(kvm))
			external_yield(kvm, flush);
	}

	return true;
}

/*
 * Remove all leaves of a mirror in [start, end), and the tables that mapped nothing else.
 * Yields only if @can_yield, which the caller may allow if faults on the range are put
 * off until it is done.  What was removed needs no further TLB flush; @flush is what the
 * caller still owes, and the return value what it owes afterwards.
 */
bool external_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root,
			gfn_t start, gfn_t end, bool can_yield, bool flush)
{
	struct external_batch batch = { .start = start, .end = start };
	bool has_removed = false;
	int level;

	lockdep_assert_held_write(&kvm->mmu_lock);

	rcu_read_lock();

	while (batch.start < end) {
		external_begin_batch(kvm, root, &batch, end, can_yield);

		if (batch.nr_leaves) {
			kvm_x86_call(flush_external_tlbs)(kvm);
			batch.start = external_finish_batch(kvm, root, &batch, can_yield,
							    &flush);
			has_removed = true;
		} else {
			batch.start = batch.end;
		}

		if (can_yield && external_need_yield(kvm))
			external_yield(kvm, &flush);
	}

	for (level = PG_LEVEL_2M; has_removed && level <= root->role.level; level++) {
		if (!external_zap_tables(kvm, root, level, start, end, can_yield, &flush))
			break;
	}

	rcu_read_unlock();

	return flush;
}
