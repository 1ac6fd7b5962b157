// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory of a TD: pages and tables that leave the S-EPT, and pages that are split
 * in it.  The verbs, and what they mean, are in tdx_sept.c.
 *
 * The module does nothing for a TD that it has found fatal, or whose key is being
 * released: nothing begins or is flushed, tables stay, pages are put aside until they can
 * be reclaimed without the key, and to split them is refused.
 *
 * Locks of the module are try-locks.  All of this holds mmu_lock for write, and competes
 * only with vCPUs in the guest: these are kept out for a second attempt, which fails only
 * if something is broken.  What couldn't begin so is -EBUSY once.
 */
#include <linux/mm.h>

#include <kunit/visibility.h>

#include "mmu.h"
#include "mmu/external.h"
#include "tdx.h"
#include "tdx_call.h"
#include "tdx_sept.h"

static void tdx_kick_vcpus(struct kvm *kvm)
{
	kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
	atomic64_inc(&kvm->stat.tdx_kicks);
}

VISIBLE_IF_KUNIT void tdx_hold_off_entry(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	/*
	 * The kick's access to a vCPU's mode is a full barrier whatever it finds:
	 * see tdx_is_entry_held_off().
	 */
	WRITE_ONCE(to_kvm_tdx(kvm)->hold_off_entry, true);
	atomic64_inc(&kvm->stat.tdx_busy_removals);
	tdx_kick_vcpus(kvm);
}

VISIBLE_IF_KUNIT void tdx_allow_entry(struct kvm *kvm)
{
	WRITE_ONCE(to_kvm_tdx(kvm)->hold_off_entry, false);
}

/* Whether a second attempt may have another answer.  Nothing has changed. */
static bool tdx_is_worth_repeating(u64 status)
{
	return tdx_status_is_busy(status) || tdx_status_is_interrupted(status);
}

/*
 * A SEAMCALL of a removal: if it finds the module busy, once more without any
 * vCPU in the way.
 */
#define tdx_call_removal(kvm, leaf, call)				\
({									\
	u64 __status = tdx_call(to_kvm_tdx(kvm), leaf, call);		\
									\
	if (tdx_is_worth_repeating(__status)) {				\
		tdx_hold_off_entry(kvm);				\
		__status = tdx_call(to_kvm_tdx(kvm), leaf, call);	\
		tdx_allow_entry(kvm);					\
	}								\
	__status;							\
})

/* Whether what the TD loses has to wait for the release of its key to be over. */
static bool tdx_removal_has_to_wait(const struct kvm_tdx *kvm_tdx)
{
	return tdx_has_key(kvm_tdx) && (kvm_tdx->fatal || kvm_tdx->key_going);
}

/* Whether the leaves that remove are any use.  Without the key it is reclaim. */
static bool tdx_can_remove(const struct kvm_tdx *kvm_tdx)
{
	return tdx_has_key(kvm_tdx) && !kvm_tdx->key_leaked &&
	       !tdx_removal_has_to_wait(kvm_tdx);
}

/* Whether what is removed may be in use by vCPUs: these can't be entered otherwise. */
static bool tdx_removal_needs_tracking(const struct kvm_tdx *kvm_tdx)
{
	return tdx_is_runnable(kvm_tdx) && tdx_can_remove(kvm_tdx);
}

/* Whether the answer is that nothing can be done to this TD's memory any more. */
static bool tdx_note_fatal(struct kvm_tdx *kvm_tdx, u64 status)
{
	if (tdx_status_code(status) != TDX_TD_FATAL)
		return false;

	lockdep_assert_held_write(&kvm_tdx->kvm.mmu_lock);

	kvm_tdx->fatal = true;
	return true;
}

/* For what comes after a begin: there is no later. */
static int tdx_removal_error(struct kvm *kvm, unsigned int leaf, u64 status, gpa_t gpa,
			     const struct tdh_sept_info *info)
{
	if (tdx_note_fatal(to_kvm_tdx(kvm), status))
		return -EIO;

	return tdx_report_failure(kvm, leaf, status, gpa, info->state);
}

/*
 * A removal that can't begin is worth another try, after what has begun is finished,
 * and others have had the lock.  More than one isn't: no vCPU was in the way.  Nor is
 * one each, if it goes on like that with the pages of others.
 */
#define TDX_MAX_BUSY_BEGINS	2
#define TDX_MAX_BUSY_IN_A_ROW	64

static bool tdx_may_begin_later(struct kvm_tdx *kvm_tdx, gpa_t gpa)
{
	if (kvm_tdx->busy_gpa != gpa) {
		kvm_tdx->busy_gpa = gpa;
		kvm_tdx->nr_busy = 0;
	}

	return ++kvm_tdx->nr_busy < TDX_MAX_BUSY_BEGINS &&
	       ++kvm_tdx->nr_busy_all < TDX_MAX_BUSY_IN_A_ROW;
}

static u64 tdx_sept_block(struct kvm *kvm, gpa_t gpa, enum pg_level level,
			  struct tdh_sept_info *info)
{
	return tdx_call_removal(kvm, TDH_MEM_RANGE_BLOCK,
				tdh_mem_range_block(to_kvm_tdx(kvm)->tdr, gpa,
						    tdx_level(level), info));
}

int tdx_sept_begin_removal(struct kvm *kvm, gfn_t gfn, enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	gpa_t gpa = gfn_to_gpa(gfn);
	struct tdh_sept_info info;
	u64 status;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!tdx_removal_needs_tracking(kvm_tdx))
		return 0;

	status = tdx_sept_block(kvm, gpa, level, &info);

	if (tdx_is_worth_repeating(status) && tdx_may_begin_later(kvm_tdx, gpa))
		return -EBUSY;

	kvm_tdx->busy_gpa = INVALID_GPA;
	kvm_tdx->nr_busy_all = 0;

	/* That it was blocked before is news, but no reason to stop. */
	if (!tdx_status_is_error(status) || tdx_note_fatal(kvm_tdx, status))
		return 0;

	return tdx_report_failure(kvm, TDH_MEM_RANGE_BLOCK, status, gpa, info.state);
}

/*
 * Tables are in nobody's way but that of larger pages: where there are none, to take them
 * out costs more than it is worth.
 */
int tdx_sept_begin_free(struct kvm *kvm, gfn_t gfn, enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	gpa_t gpa = gfn_to_gpa(gfn);
	struct tdh_sept_info info;
	u64 status;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!tdx_can_remove(kvm_tdx) || !tdx_has_large_pages())
		return -EBUSY;

	if (!tdx_removal_needs_tracking(kvm_tdx))
		return 0;

	status = tdx_sept_block(kvm, gpa, level, &info);
	if (!tdx_status_is_error(status))
		return 0;

	if (tdx_is_worth_repeating(status) || tdx_note_fatal(kvm_tdx, status))
		return -EBUSY;

	return tdx_report_failure(kvm, TDH_MEM_RANGE_BLOCK, status, gpa, info.state);
}

/*
 * TRACK fails as long as a vCPU is in the guest since before the TRACK before.
 * That TRACK's kick has seen to it that there is none: TRACK and kick are one
 * unit, which mmu_lock serializes.
 */
void tdx_flush_external_tlbs(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 status;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!tdx_removal_needs_tracking(kvm_tdx))
		return;

	status = tdx_call_removal(kvm, TDH_MEM_TRACK, tdh_mem_track(kvm_tdx->tdr));
	if (tdx_status_is_success(status))
		atomic64_inc(&kvm->stat.tdx_track_rounds);
	else if (!tdx_note_fatal(kvm_tdx, status))
		tdx_report_failure(kvm, TDH_MEM_TRACK, status, kvm_tdx->tdr, 0);

	tdx_kick_vcpus(kvm);
}

/* Let no line of the TD's key outlive its use of the page, or pages. */
static int tdx_write_back(struct kvm *kvm, phys_addr_t page, enum pg_level level)
{
	phys_addr_t end = page + KVM_HPAGE_SIZE(level);
	u16 hkid = to_kvm_tdx(kvm)->hkid;
	u64 status;

	for (; page < end; page += PAGE_SIZE) {
		status = tdx_call_removal(kvm, TDH_PHYMEM_PAGE_WBINVD,
					  tdh_phymem_page_wbinvd(page, hkid));
		if (!tdx_status_is_success(status))
			return tdx_report_failure(kvm, TDH_PHYMEM_PAGE_WBINVD, status,
						  page, hkid);
	}

	return 0;
}

static int tdx_sept_remove(struct kvm *kvm, gpa_t gpa, phys_addr_t page,
			   enum pg_level level)
{
	struct tdh_sept_info info;
	u64 status;

	status = tdx_call_removal(kvm, TDH_MEM_PAGE_REMOVE,
				  tdh_mem_page_remove(to_kvm_tdx(kvm)->tdr, gpa,
						      tdx_level(level), &info));
	if (!tdx_status_is_success(status))
		return tdx_removal_error(kvm, TDH_MEM_PAGE_REMOVE, status, gpa, &info);

	tdx_count_large(TDH_MEM_PAGE_REMOVE, level);
	return tdx_write_back(kvm, page, level);
}

int tdx_sept_finish_removal(struct kvm *kvm, gfn_t gfn, u64 old_spte,
			    enum pg_level level)
{
	phys_addr_t page = PFN_PHYS(spte_to_pfn(old_spte));
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	bool removed;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!tdx_has_key(kvm_tdx))
		removed = tdx_reclaim_page(kvm_tdx, page);
	else
		removed = tdx_can_remove(kvm_tdx) &&
			  !tdx_sept_remove(kvm, gfn_to_gpa(gfn), page, level);

	/* The removal may have found out just now. */
	if (!removed && tdx_removal_has_to_wait(kvm_tdx) &&
	    !tdx_defer_removal(kvm_tdx, page, level))
		return 0;

	if (!removed) {
		tdx_leak_private_page(kvm, page, level);
		return -EIO;
	}

	tdx_clear_pages(page, KVM_HPAGE_SIZE(level));
	atomic64_add(KVM_PAGES_PER_HPAGE(level), &kvm->stat.tdx_pages_removed);
	return 0;
}

/*
 * The module writes the new table under the TD's key before it finds out that it can't
 * go on.  The page is not the module's then, and KVM's caller frees it.
 */
static void tdx_clean_unused_table(struct kvm *kvm, phys_addr_t page)
{
	if (tdx_write_back(kvm, page, PG_LEVEL_4K)) {
		get_page(pfn_to_page(PHYS_PFN(page)));
		tdx_count_leak(kvm, 1);
		return;
	}

	tdx_clear_page(page);
}

/* The parts are as accepted, or pending, as the whole was, and not blocked any more. */
int tdx_sept_split(struct kvm *kvm, gfn_t gfn, u64 new_spte, enum pg_level level)
{
	phys_addr_t table = __pa(external_spt_of(new_spte));
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	gpa_t gpa = gfn_to_gpa(gfn);
	struct tdh_sept_info info;
	u64 status;

	lockdep_assert_held_write(&kvm->mmu_lock);

	/* Nobody gets to see the parts of what can't be entered, or reclaimed, in parts. */
	if (!tdx_can_remove(kvm_tdx))
		return -EIO;

	status = tdx_call_removal(kvm, TDH_MEM_PAGE_DEMOTE,
				  tdh_mem_page_demote(kvm_tdx->tdr, gpa, tdx_level(level),
						      table, &info));
	if (!tdx_status_is_success(status)) {
		tdx_clean_unused_table(kvm, table);
		return tdx_removal_error(kvm, TDH_MEM_PAGE_DEMOTE, status, gpa, &info);
	}

	atomic64_inc(&kvm->stat.tdx_splits);
	atomic64_inc(&kvm->stat.tdx_sept_pages);
	return 0;
}

/* The entry is that of the level above the table. */
static int tdx_sept_remove_table(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	int level = tdx_level(sp->role.level + 1);
	gpa_t gpa = gfn_to_gpa(sp->gfn);
	struct tdh_sept_info info;
	u64 status;

	status = tdx_call_removal(kvm, TDH_MEM_SEPT_REMOVE,
				  tdh_mem_sept_remove(to_kvm_tdx(kvm)->tdr, gpa, level,
						      &info));
	if (!tdx_status_is_success(status))
		return tdx_removal_error(kvm, TDH_MEM_SEPT_REMOVE, status, gpa, &info);

	return tdx_write_back(kvm, __pa(sp->external_spt), PG_LEVEL_4K);
}

/*
 * Without the key the lines of an S-EPT page were written back with all others, and it is
 * reclaimed.  A key whose release has failed lets nothing be reclaimed, nor removed.
 */
void tdx_free_external_spt(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	phys_addr_t page = __pa(sp->external_spt);

	lockdep_assert_held_write(&kvm->mmu_lock);

	atomic64_dec(&kvm->stat.tdx_sept_pages);

	if (tdx_can_remove(kvm_tdx) && !tdx_sept_remove_table(kvm, sp)) {
		tdx_clear_page(page);
		tdx_free_control_page(page);
		return;
	}

	if (tdx_removal_has_to_wait(kvm_tdx) && !tdx_defer_table(kvm_tdx, page))
		return;

	/* Leaks it, if there is a key still. */
	tdx_reclaim_control_page(kvm_tdx, page);
}
