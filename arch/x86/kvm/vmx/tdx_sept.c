// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory of a TD: what happens to the mirror, done to the S-EPT.  The
 * contract with the MMU is in mmu/external.h; it speaks in verbs.
 *
 *	link		TDH.MEM.SEPT.ADD
 *	map		TDH.MEM.PAGE.ADD before, TDH.MEM.PAGE.AUG after finalize
 *	begin removal	TDH.MEM.RANGE.BLOCK			} only if runnable
 *	flush		TDH.MEM.TRACK, kick all vCPUs		}
 *	finish removal	TDH.MEM.PAGE.REMOVE, write back, clear	with the key
 *			TDH.PHYMEM.PAGE.RECLAIM, clear		without it
 *	free		TDH.PHYMEM.PAGE.RECLAIM, clear, free	without the key
 *
 * Which of two SEAMCALLs a verb means depends on the state of the TD and on
 * whether it has a key.  Both are stable under mmu_lock.
 *
 * The module does nothing for a TD that it has found fatal, or whose key is being
 * released: no removal begins or is flushed, and pages are put aside until they can be
 * reclaimed without the key.
 *
 * Locks of the module are try-locks.  Additions hold mmu_lock for read, and
 * compete with each other and with the guest: busy is -EBUSY, and the MMU has
 * the fault repeated.  Removals hold mmu_lock for write, and compete only with
 * vCPUs in the guest: these are kept out for a second attempt, which fails only
 * if something is broken.  A removal that couldn't begin so is -EBUSY once.
 */
#include <linux/mm.h>

#include <kunit/visibility.h>

#include "mmu.h"
#include "mmu/external.h"
#include "tdx.h"
#include "tdx_call.h"

/* KVM counts levels from 1, the module from 0. */
static int tdx_level(enum pg_level level)
{
	BUILD_BUG_ON(PG_LEVEL_4K != 1);

	return level - PG_LEVEL_4K;
}

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

/*
 * A SEAMCALL of a removal: if it finds the module busy, once more without any
 * vCPU in the way.
 */
#define tdx_call_removal(kvm, leaf, call)				\
({									\
	u64 __status = tdx_call(to_kvm_tdx(kvm), leaf, call);		\
									\
	if (tdx_status_is_busy(__status)) {				\
		tdx_hold_off_entry(kvm);				\
		__status = tdx_call(to_kvm_tdx(kvm), leaf, call);	\
		tdx_allow_entry(kvm);					\
	}								\
	__status;							\
})

/* For additions, which are simply repeated. */
static int tdx_addition_error(struct kvm *kvm, unsigned int leaf, u64 status,
			      gpa_t gpa, const struct tdh_sept_info *info)
{
	if (tdx_status_is_busy(status))
		return -EBUSY;

	return tdx_report_failure(kvm, leaf, status, gpa, info->state);
}

static int tdx_sept_link(struct kvm *kvm, gfn_t gfn, u64 spte, enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	phys_addr_t page = __pa(external_spt_of(spte));
	gpa_t gpa = gfn_to_gpa(gfn);
	struct tdh_sept_info info;
	u64 status;

	lockdep_assert_held_read(&kvm->mmu_lock);

	status = tdx_call(kvm_tdx, TDH_MEM_SEPT_ADD,
			  tdh_mem_sept_add(kvm_tdx->tdr, gpa, tdx_level(level),
					   page, &info));
	if (tdx_status_is_success(status))
		return 0;

	return tdx_addition_error(kvm, TDH_MEM_SEPT_ADD, status, gpa, &info);
}

/* A page of the initial image, with content. */
static int tdx_sept_add(struct kvm *kvm, gpa_t gpa, phys_addr_t page)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdh_sept_info info;
	u64 status;

	lockdep_assert_held(&kvm->slots_lock);

	/* INIT_MEM_REGION is the only one to map pages before finalize. */
	if (KVM_BUG_ON(!kvm_tdx->add_source, kvm))
		return -EIO;

	status = tdx_call(kvm_tdx, TDH_MEM_PAGE_ADD,
			  tdh_mem_page_add(kvm_tdx->tdr, gpa, page,
					   kvm_tdx->add_source, &info));
	if (tdx_status_is_success(status))
		return 0;

	return tdx_addition_error(kvm, TDH_MEM_PAGE_ADD, status, gpa, &info);
}

/* A page that the guest has to accept. */
static int tdx_sept_aug(struct kvm *kvm, gpa_t gpa, phys_addr_t page,
			enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdh_sept_info info;
	u64 status;

	status = tdx_call(kvm_tdx, TDH_MEM_PAGE_AUG,
			  tdh_mem_page_aug(kvm_tdx->tdr, gpa, tdx_level(level),
					   page, &info));
	if (tdx_status_is_success(status))
		return 0;

	return tdx_addition_error(kvm, TDH_MEM_PAGE_AUG, status, gpa, &info);
}

static int tdx_sept_map(struct kvm *kvm, gfn_t gfn, u64 spte, enum pg_level level)
{
	phys_addr_t page = PFN_PHYS(spte_to_pfn(spte));
	gpa_t gpa = gfn_to_gpa(gfn);
	int r;

	lockdep_assert_held_read(&kvm->mmu_lock);

	if (KVM_BUG_ON(level != PG_LEVEL_4K, kvm))
		return -EIO;

	if (tdx_is_runnable(to_kvm_tdx(kvm)))
		r = tdx_sept_aug(kvm, gpa, page, level);
	else
		r = tdx_sept_add(kvm, gpa, page);

	if (!r)
		atomic64_inc(&kvm->stat.tdx_pages_mapped);

	return r;
}

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

static int tdx_sept_begin_removal(struct kvm *kvm, gfn_t gfn, enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	gpa_t gpa = gfn_to_gpa(gfn);
	struct tdh_sept_info info;
	u64 status;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!tdx_removal_needs_tracking(kvm_tdx))
		return 0;

	status = tdx_call_removal(kvm, TDH_MEM_RANGE_BLOCK,
				  tdh_mem_range_block(kvm_tdx->tdr, gpa,
						      tdx_level(level), &info));

	if (tdx_status_is_busy(status) && tdx_may_begin_later(kvm_tdx, gpa))
		return -EBUSY;

	kvm_tdx->busy_gpa = INVALID_GPA;
	kvm_tdx->nr_busy_all = 0;

	/* That it was blocked before is news, but no reason to stop. */
	if (!tdx_status_is_error(status) || tdx_note_fatal(kvm_tdx, status))
		return 0;

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

static bool tdx_sept_remove(struct kvm *kvm, gpa_t gpa, phys_addr_t page,
			    enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdh_sept_info info;
	u64 status;

	status = tdx_call_removal(kvm, TDH_MEM_PAGE_REMOVE,
				  tdh_mem_page_remove(kvm_tdx->tdr, gpa,
						      tdx_level(level), &info));
	if (!tdx_status_is_success(status)) {
		if (!tdx_note_fatal(kvm_tdx, status))
			tdx_report_failure(kvm, TDH_MEM_PAGE_REMOVE, status, gpa,
					   info.state);
		return false;
	}

	status = tdx_call_removal(kvm, TDH_PHYMEM_PAGE_WBINVD,
				  tdh_phymem_page_wbinvd(page, kvm_tdx->hkid));
	if (!tdx_status_is_success(status)) {
		tdx_report_failure(kvm, TDH_PHYMEM_PAGE_WBINVD, status, page,
				   kvm_tdx->hkid);
		return false;
	}

	return true;
}

/*
 * Keep a page that the module may still own out of circulation for good.  It is
 * guest_memfd's, and about to be truncated.
 */
static void tdx_leak_private_page(struct kvm *kvm, phys_addr_t page)
{
	folio_get(page_folio(pfn_to_page(PHYS_PFN(page))));
	tdx_count_leak(kvm, 1);
}

static int tdx_sept_finish_removal(struct kvm *kvm, gfn_t gfn, u64 old_spte,
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
			  tdx_sept_remove(kvm, gfn_to_gpa(gfn), page, level);

	/* The removal may have found out just now. */
	if (!removed && tdx_removal_has_to_wait(kvm_tdx) &&
	    !tdx_defer_removal(kvm_tdx, page))
		return 0;

	if (!removed) {
		tdx_leak_private_page(kvm, page);
		return -EIO;
	}

	tdx_clear_page(page);
	atomic64_inc(&kvm->stat.tdx_pages_removed);
	return 0;
}

int tdx_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte,
			  u64 new_spte, enum pg_level level)
{
	if (KVM_BUG_ON(kvm_is_gfn_alias(kvm, gfn), kvm))
		return -EIO;

	switch (kvm_external_verb(old_spte, new_spte, level)) {
	case EXTERNAL_LINK:
		return tdx_sept_link(kvm, gfn, new_spte, level);
	case EXTERNAL_MAP:
		return tdx_sept_map(kvm, gfn, new_spte, level);
	case EXTERNAL_BEGIN_REMOVE:
		return tdx_sept_begin_removal(kvm, gfn, level);
	case EXTERNAL_FINISH_REMOVE:
		return tdx_sept_finish_removal(kvm, gfn, old_spte, level);
	default:
		KVM_BUG_ON(1, kvm);
		return -EIO;
	}
}

/*
 * The lines of an S-EPT page were written back with all others of the TD's key.
 * As long as there is a key nothing can be reclaimed; that is so only when the
 * release of the key has failed.
 */
void tdx_free_external_spt(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	tdx_reclaim_control_page(to_kvm_tdx(kvm), __pa(sp->external_spt));
}

/*
 * Whether the guest has yet to accept the page.  The leaf takes the tree shared
 * and the entry, and no vCPU that runs the guest does so here: holding off entry
 * would not keep it from making a removal busy.
 */
bool tdx_sept_is_pending(struct kvm *kvm, gpa_t gpa)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdh_sept_info info;
	u64 status;

	guard(read_lock)(&kvm->mmu_lock);

	status = tdx_call_retry(kvm_tdx, TDH_MEM_SEPT_RD,
				tdh_mem_sept_rd(kvm_tdx->tdr, gpa & PAGE_MASK,
						tdx_level(PG_LEVEL_4K), &info));

	return tdx_status_is_success(status) &&
	       tdh_sept_info_state(&info) == TDX_SEPT_PENDING;
}

/*
 * Extend the measurement by the content of a page of the initial image.  The
 * leaf takes the TDR exclusively: keep removals, which need it shared, away.
 */
int tdx_sept_measure_page(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	gpa_t gpa = gfn_to_gpa(gfn), end = gpa + PAGE_SIZE;
	struct tdh_sept_info info;
	u64 status;

	guard(read_lock)(&kvm->mmu_lock);

	for (; gpa < end; gpa += TDX_EXTENDMR_CHUNKSIZE) {
		status = tdx_call_retry(kvm_tdx, TDH_MR_EXTEND,
					tdh_mr_extend(kvm_tdx->tdr, gpa, &info));

		/* Some of it is in the measurement: there is no second chance. */
		if (!tdx_status_is_success(status))
			return tdx_report_failure(kvm, TDH_MR_EXTEND, status, gpa,
						  info.state);
	}

	return 0;
}
