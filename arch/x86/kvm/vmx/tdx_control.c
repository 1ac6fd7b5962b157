// SPDX-License-Identifier: GPL-2.0
/*
 * What all parts of the backend have in common: whether there are large pages, how a
 * SEAMCALL that failed is told of, control pages, and how pages that the module owns come
 * back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/xarray.h>

#include "tdx.h"
#include "tdx_call.h"

bool __read_mostly tdx_huge_page = true;
module_param(tdx_huge_page, bool, 0644);
MODULE_PARM_DESC(tdx_huge_page, "Map private memory of TDs by 2 MiB where that is possible (default: Y)");

/*
 * Private pages of 2 MiB can be split when that is due only if the module does it in one
 * go.  Of TDs that run the parameter decides what is mapped from now on.
 */
bool tdx_has_large_pages(void)
{
	return READ_ONCE(tdx_huge_page) &&
	       tdx_get_sys_info()->features0 & TDX_FEATURES0_LARGE_PAGES;
}

/*
 * Like tdx_report_failure(), where the VM need not be bugged, or can't be.  From any
 * context.
 */
void tdx_log_failure(struct kvm *kvm, unsigned int leaf, u64 status, u64 op1,
		     u64 op2)
{
	pr_err_ratelimited("TD %s: TDH.%s (%u) failed: status 0x%016llx, operands 0x%llx 0x%llx\n",
			   to_kvm_tdx(kvm)->name, tdx_leaf_name(leaf), leaf, status, op1, op2);
}

/*
 * The module did what can't happen unless the module, the CPU or KVM's idea of
 * them is wrong: tell, and let nobody use the VM anymore.  Not a WARN, as it
 * need not be KVM that is wrong.  With interrupts enabled.
 *
 * Who must do so: callers of leaves whose failure leaves KVM's view of the TD in
 * doubt, or the TD half done with no way back.
 *
 *	MNG.CREATE, KEY.CONFIG, ADDCX, INIT	can't be repeated with the same operands
 *	MR.FINALIZE				the same
 *	MR.EXTEND				a part of a page is measured
 *	VP.CREATE, ADDCX, INIT, WR		a vCPU with a part of its state
 *	VP.FLUSH				a vCPU that is stuck on a CPU
 *	MEM.SEPT.ADD, PAGE.ADD, PAGE.AUG	the S-EPT isn't what the mirror says
 *	MEM.RANGE.BLOCK, TRACK, PAGE.REMOVE,	the same, and memory may be in use
 *	PAGE.DEMOTE, SEPT.REMOVE
 *	PHYMEM.PAGE.WBINVD, PAGE.RECLAIM	a page that can't be given back
 *	MNG.VPFLUSHDONE, PHYMEM.CACHE.WB,	a key ID that can't be used again
 *	MNG.KEY.FREEID
 *
 * Who must not: callers of leaves that only read (MNG.RD, VP.RD, MEM.SEPT.RD).
 * Nothing has changed: an errno, and a line from tdx_log_failure().  The same goes
 * for VP.ENTER, whose status is for userspace to see.
 */
int tdx_report_failure(struct kvm *kvm, unsigned int leaf, u64 status,
		       u64 op1, u64 op2)
{
	tdx_log_failure(kvm, leaf, status, op1, op2);
	kvm_vm_bugged(kvm);
	return -EIO;
}

/* For what has only been read: there is no answer, but no harm done, either. */
int tdx_read_error(struct kvm *kvm, unsigned int leaf, u64 status, u64 op1, u64 op2)
{
	tdx_log_failure(kvm, leaf, status, op1, op2);
	return tdx_status_is_busy(status) ? -EBUSY : -EIO;
}

/* Charged to the memory cgroup: how many TDs and vCPUs there are is up to userspace. */
phys_addr_t tdx_alloc_control_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);

	return page ? page_to_phys(page) : 0;
}

/* Only for a page that the module doesn't own. */
void tdx_free_control_page(phys_addr_t page)
{
	if (page)
		__free_page(pfn_to_page(page >> PAGE_SHIFT));
}

bool tdx_reclaim_page(struct kvm_tdx *kvm_tdx, phys_addr_t page)
{
	struct tdh_page_md md;
	u64 status;

	status = tdx_call_retry(kvm_tdx, TDH_PHYMEM_PAGE_RECLAIM,
				tdh_phymem_page_reclaim(page, &md));
	if (tdx_status_is_success(status)) {
		tdx_count_large(TDH_PHYMEM_PAGE_RECLAIM, md.level + PG_LEVEL_4K);
		return true;
	}

	tdx_report_failure(&kvm_tdx->kvm, TDH_PHYMEM_PAGE_RECLAIM, status, page,
			   md.type);
	return false;
}

/*
 * Take a control page back and free it.  There is nothing left of it in the
 * caches: TDH.PHYMEM.CACHE.WB wrote back all lines with the TD's key before the
 * key was released.
 */
void tdx_reclaim_control_page(struct kvm_tdx *kvm_tdx, phys_addr_t page)
{
	if (!page)
		return;

	if (tdx_has_key(kvm_tdx) || !tdx_reclaim_page(kvm_tdx, page)) {
		tdx_count_leak(&kvm_tdx->kvm, 1);
		return;
	}

	tdx_clear_page(page);
	tdx_free_control_page(page);
}

/*
 * Private memory that is lost when it can neither be removed nor reclaimed
 */

/*
 * A large page need not be of one folio: guest_memfd may have split that.  Each 4 KiB
 * keeps its own.
 */
static void tdx_hold_private_page(phys_addr_t page, enum pg_level level)
{
	unsigned long pfn = PHYS_PFN(page), end = pfn + KVM_PAGES_PER_HPAGE(level);

	for (; pfn < end; pfn++)
		folio_get(page_folio(pfn_to_page(pfn)));
}

/*
 * Keep a page that the module may still own out of circulation for good.  It is
 * guest_memfd's, and about to be truncated.
 */
void tdx_leak_private_page(struct kvm *kvm, phys_addr_t page, enum pg_level level)
{
	tdx_hold_private_page(page, level);
	tdx_count_leak(kvm, KVM_PAGES_PER_HPAGE(level));
}

/* No level of a private page: this is the S-EPT's. */
#define TDX_DEFERRED_TABLE	PG_LEVEL_NONE

static int tdx_defer(struct kvm_tdx *kvm_tdx, phys_addr_t page, enum pg_level level)
{
	return xa_err(xa_store(&kvm_tdx->deferred, PHYS_PFN(page), xa_mk_value(level),
			       GFP_ATOMIC));
}

/*
 * The module gives back the pages of a fatal TD, and of one whose key is being released,
 * but not before that is over.  They wait for the destruction of the VM.
 */
int tdx_defer_removal(struct kvm_tdx *kvm_tdx, phys_addr_t page, enum pg_level level)
{
	int r = tdx_defer(kvm_tdx, page, level);

	if (!r)
		tdx_hold_private_page(page, level);

	return r;
}

int tdx_defer_table(struct kvm_tdx *kvm_tdx, phys_addr_t page)
{
	return tdx_defer(kvm_tdx, page, TDX_DEFERRED_TABLE);
}

static void tdx_reclaim_private_page(struct kvm_tdx *kvm_tdx, phys_addr_t page,
				     enum pg_level level)
{
	unsigned long pfn = PHYS_PFN(page), nr_pages = KVM_PAGES_PER_HPAGE(level);

	if (tdx_has_key(kvm_tdx) || !tdx_reclaim_page(kvm_tdx, page)) {
		tdx_count_leak(&kvm_tdx->kvm, nr_pages);
		return;
	}

	tdx_clear_pages(page, nr_pages * PAGE_SIZE);
	atomic64_add(nr_pages, &kvm_tdx->kvm.stat.tdx_pages_removed);

	while (nr_pages--)
		folio_put(page_folio(pfn_to_page(pfn++)));
}

void tdx_reclaim_deferred(struct kvm_tdx *kvm_tdx)
{
	enum pg_level level;
	unsigned long pfn;
	void *entry;

	xa_for_each(&kvm_tdx->deferred, pfn, entry) {
		/* It may be all of the guest's memory. */
		cond_resched();

		level = xa_to_value(entry);
		if (level == TDX_DEFERRED_TABLE)
			tdx_reclaim_control_page(kvm_tdx, PFN_PHYS(pfn));
		else
			tdx_reclaim_private_page(kvm_tdx, PFN_PHYS(pfn), level);
	}

	xa_destroy(&kvm_tdx->deferred);
}
