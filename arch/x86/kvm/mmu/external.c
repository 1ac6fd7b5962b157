// SPDX-License-Identifier: GPL-2.0
/*
 * External page tables: the rules for changing a mirror SPTE, as one table, and
 * the only calls of the backend that owns the external table.  See external.h
 * for the contract, and Documentation/virt/kvm/x86/external-page-tables.rst.
 *
 * An atomic change, i.e. one under mmu_lock held for read, is made by
 * tdp_mmu_set_mirror_spte_atomic(): freeze the SPTE, propagate the change,
 * publish the new value, or the old one if the backend has refused.  Removals are
 * made under mmu_lock held for write, in batches, see external_zap.c; so are splits,
 * see external_split.c.
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
 * again (2, 4), the permissions of a private page never change (6), what takes an
 * entry out or splits it blocks it first, which fights with concurrent faults (7, 11,
 * 13), and nobody has a use for joining pages that were split (9).
 */
const struct external_transition external_transitions[] = {
	ROW("1",   "map",         SPTE_NP_TO_LEAF,         READ,  true,  ALLOW,  MAP),
	ROW("2",   "map_excl",    SPTE_NP_TO_LEAF,         WRITE, true,  REFUSE, NONE),
	ROW("3",   "link",        SPTE_NP_TO_NONLEAF,      READ,  true,  ALLOW,  LINK),
	ROW("4",   "link_excl",   SPTE_NP_TO_NONLEAF,      WRITE, true,  REFUSE, NONE),
	ROW("5",   "nonpresent",  SPTE_NP_TO_NP,           ANY,   true,  ALLOW_FROZEN, NONE),
	ROW("6",   "remap",       SPTE_LEAF_TO_LEAF,       ANY,   true,  REFUSE, NONE),
	ROW("7",   "split",       SPTE_LEAF_TO_NONLEAF,    READ,  true,  REFUSE, NONE),
	ROW("8",   "split_excl",  SPTE_LEAF_TO_NONLEAF,    WRITE, true,  ALLOW,  SPLIT),
	ROW("9",   "promote",     SPTE_NONLEAF_TO_LEAF,    ANY,   true,  REFUSE, NONE),
	ROW("10",  "relink",      SPTE_NONLEAF_TO_NONLEAF, ANY,   false, REFUSE, NONE),
	ROW("11",  "zap_shared",  SPTE_LEAF_TO_NP,         READ,  true,  REFUSE, NONE),
	ROW("12a", "zap_begin",   SPTE_LEAF_TO_FROZEN,     WRITE, true,  ALLOW,  BEGIN_REMOVE),
	ROW("12b", "zap_finish",  SPTE_LEAF_TO_NP,         WRITE, true,  ALLOW,  FINISH_REMOVE),
	ROW("13",  "free_shared", SPTE_NONLEAF_TO_NP,      READ,  true,  REFUSE, NONE),
	ROW("14a", "free_begin",  SPTE_NONLEAF_TO_FROZEN,  WRITE, true,  ALLOW,  BEGIN_FREE),
	ROW("14b", "free",        SPTE_NONLEAF_TO_NP,      WRITE, true,  ALLOW,  FREE),
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
	if (is_frozen_spte(new_spte))
		return SPTE_NONLEAF_TO_FROZEN;
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
	if (shared && change == SPTE_NONLEAF_TO_FROZEN)
		change = SPTE_NONLEAF_TO_NP;

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

/* The first leaf of the mirror from @gfn on, as it is at this moment; false if none is. */
bool external_next_leaf(struct kvm *kvm, gfn_t gfn, struct external_leaf *leaf)
{
	struct kvm_mmu_page *root;
	struct tdp_iter iter;

	guard(read_lock)(&kvm->mmu_lock);
	guard(rcu)();

	root = tdp_mmu_mirror_root(kvm);
	if (!root)
		return false;

	for_each_tdp_pte(iter, root, gfn, kvm_gfn_direct_bits(kvm)) {
		if (!is_shadow_present_pte(iter.old_spte) ||
		    !is_last_spte(iter.old_spte, iter.level))
			continue;

		*leaf = (struct external_leaf) { .gfn = iter.gfn, .level = iter.level };
		return true;
	}

	return false;
}
EXPORT_SYMBOL_GPL(external_next_leaf);

/*
 * A fault on @fault->gfn meets an entry of the mirror that is present.
 *
 * Returns RET_PF_CONTINUE if the walk has to go on below the entry: what was split once
 * is mapped by 4 KiB until all of it is removed, whatever the fault would like.
 * RET_PF_SPURIOUS if the gfn is mapped already, by a page of whatever size; a mapping
 * grants all access, and changes by being removed or split only.  -EIO if it is
 * mapped to another page, which guest_memfd would have unmapped: a bug of KVM's.
 */
int external_fault_on_present(struct kvm *kvm, struct kvm_page_fault *fault,
			      const struct tdp_iter *iter)
{
	kvm_pfn_t mapped = spte_to_pfn(iter->old_spte), wanted = fault->pfn;

	if (!is_last_spte(iter->old_spte, iter->level)) {
		if (iter->level == fault->goal_level) {
			fault->pfn |= fault->gfn & (KVM_PAGES_PER_HPAGE(iter->level) -
						    KVM_PAGES_PER_HPAGE(iter->level - 1));
			fault->goal_level--;
		}
		return RET_PF_CONTINUE;
	}

	mapped += fault->gfn & (KVM_PAGES_PER_HPAGE(iter->level) - 1);
	wanted += fault->gfn & (KVM_PAGES_PER_HPAGE(fault->goal_level) - 1);

	return KVM_BUG_ON(mapped != wanted, kvm) ? -EIO : RET_PF_SPURIOUS;
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

	/* The page of a table that is taken out goes by external_free_spt(). */
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
