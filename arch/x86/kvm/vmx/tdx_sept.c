// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory of a TD: what happens to the mirror, done to the S-EPT.  The
 * contract with the MMU is in mmu/external.h; it speaks in verbs.
 *
 *	link		TDH.MEM.SEPT.ADD
 *	map		TDH.MEM.PAGE.ADD before, TDH.MEM.PAGE.AUG after finalize
 *	begin removal,	TDH.MEM.RANGE.BLOCK			} only if runnable
 *	split or free						}
 *	flush		TDH.MEM.TRACK, kick all vCPUs		}
 *	finish removal	TDH.MEM.PAGE.REMOVE, write back, clear	with the key
 *			TDH.PHYMEM.PAGE.RECLAIM, clear		without it
 *	split		TDH.MEM.PAGE.DEMOTE			with the key
 *	free		TDH.MEM.SEPT.REMOVE, write back, clear	with the key
 *			TDH.PHYMEM.PAGE.RECLAIM, clear, free	without it
 *
 * Which of two SEAMCALLs a verb means depends on the state of the TD and on
 * whether it has a key.  Both are stable under mmu_lock.  What begins with a removal is
 * in tdx_sept_remove.c.
 *
 * Locks of the module are try-locks.  Additions hold mmu_lock for read, and
 * compete with each other and with the guest: busy is -EBUSY, and the MMU has
 * the fault repeated.
 */
#include <linux/mm.h>

#include "mmu.h"
#include "mmu/external.h"
#include "tdx.h"
#include "tdx_call.h"
#include "tdx_sept.h"

/*
 * The initial memory is of 4 KiB, and what might be mapped by 2 MiB before it is complete
 * would be in its way.  The TD may become runnable meanwhile, which is no reason to ask again.
 */
int tdx_private_max_mapping_level(struct kvm *kvm)
{
	return tdx_is_runnable(to_kvm_tdx(kvm)) && tdx_has_large_pages() ? PG_LEVEL_2M :
									   PG_LEVEL_4K;
}

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
	if (tdx_status_is_success(status)) {
		atomic64_inc(&kvm->stat.tdx_sept_pages);
		return 0;
	}

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

	/* The module adds pages of 4 KiB only. */
	if (KVM_BUG_ON(level > PG_LEVEL_2M ||
		       (level > PG_LEVEL_4K && !tdx_is_runnable(to_kvm_tdx(kvm))), kvm))
		return -EIO;

	if (tdx_is_runnable(to_kvm_tdx(kvm)))
		r = tdx_sept_aug(kvm, gpa, page, level);
	else
		r = tdx_sept_add(kvm, gpa, page);
	if (r)
		return r;

	atomic64_add(KVM_PAGES_PER_HPAGE(level), &kvm->stat.tdx_pages_mapped);
	if (level == PG_LEVEL_2M) {
		atomic64_inc(&kvm->stat.tdx_pages_mapped_2m);
		tdx_count_large(TDH_MEM_PAGE_AUG, level);
	}

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
	case EXTERNAL_SPLIT:
		return tdx_sept_split(kvm, gfn, new_spte, level);
	case EXTERNAL_BEGIN_FREE:
		return tdx_sept_begin_free(kvm, gfn, level);
	default:
		KVM_BUG_ON(1, kvm);
		return -EIO;
	}
}

/*
 * The state of what maps the page, of whatever size: where there is a large one the module
 * tells of that instead.  TDX_SEPT_FREE if it doesn't tell.  The leaf takes the tree shared
 * and the entry, and no vCPU that runs the guest does so here: holding off entry would not
 * keep it from making a removal busy.
 */
u8 tdx_sept_state(struct kvm *kvm, gpa_t gpa)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdh_sept_info info;
	u64 status;

	guard(read_lock)(&kvm->mmu_lock);

	status = tdx_call_retry(kvm_tdx, TDH_MEM_SEPT_RD,
				tdh_mem_sept_rd(kvm_tdx->tdr, gpa & PAGE_MASK,
						tdx_level(PG_LEVEL_4K), &info));

	if (tdx_status_is_success(status) ||
	    tdx_status_code(status) == TDX_EPT_WALK_FAILED)
		return tdh_sept_info_state(&info);

	return TDX_SEPT_FREE;
}

/* Whether the guest has yet to accept the page. */
bool tdx_sept_is_pending(struct kvm *kvm, gpa_t gpa)
{
	return tdx_sept_state(kvm, gpa) == TDX_SEPT_PENDING;
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
