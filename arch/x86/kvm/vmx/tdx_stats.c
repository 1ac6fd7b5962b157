// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the TDX backend.  What they are, and where userspace finds them, is in
 * tdx_debugfs.c.
 */

#include <linux/atomic.h>

#include "tdx.h"
#include "tdx_call.h"

static atomic64_t tdx_leaked_pages;
static atomic64_t tdx_pages;
static atomic_t tdx_keyids_used;
atomic64_t tdx_seamcalls_gone[TDX_NR_LEAVES];
atomic64_t tdx_exits_gone[TDX_NR_EXIT_REASONS];
atomic64_t tdx_vmcalls_gone[TDX_NR_VMCALLS];

/*
 * By how many pages success of a leaf changes what the module has, if it is about one of
 * 4 KiB.  The rest of a larger one is for tdx_count_large().
 */
static const s8 tdx_leaf_pages[TDX_NR_LEAVES] = {
	[TDH_MNG_CREATE]		= 1,
	[TDH_MNG_ADDCX]			= 1,
	[TDH_VP_CREATE]			= 1,
	[TDH_VP_ADDCX]			= 1,
	[TDH_MEM_SEPT_ADD]		= 1,
	[TDH_MEM_PAGE_ADD]		= 1,
	[TDH_MEM_PAGE_AUG]		= 1,
	[TDH_MEM_PAGE_DEMOTE]		= 1,
	[TDH_MEM_SEPT_REMOVE]		= -1,
	[TDH_MEM_PAGE_REMOVE]		= -1,
	[TDH_PHYMEM_PAGE_RECLAIM]	= -1,
};

void tdx_count_call(struct kvm_tdx *kvm_tdx, unsigned int leaf, u64 status)
{
	atomic64_inc(&kvm_tdx->seamcalls[leaf]);
	if (tdx_leaf_pages[leaf] && tdx_status_is_success(status))
		atomic64_add(tdx_leaf_pages[leaf], &tdx_pages);
}

void tdx_count_large(unsigned int leaf, enum pg_level level)
{
	atomic64_add(tdx_leaf_pages[leaf] * (KVM_PAGES_PER_HPAGE(level) - 1), &tdx_pages);
}

void tdx_count_exit(struct kvm *kvm, unsigned int reason)
{
	reason = min(reason, TDX_NR_EXIT_REASONS - 1);
	atomic64_inc(&to_kvm_tdx(kvm)->exits[reason]);
}

void tdx_count_vmcall(struct kvm *kvm, unsigned int i)
{
	atomic64_inc(&to_kvm_tdx(kvm)->vmcalls[i]);
}

static void tdx_add_counts(atomic64_t *to, const atomic64_t *from, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		atomic64_add(atomic64_read(&from[i]), &to[i]);
}

void tdx_stats_vm_destroyed(struct kvm_tdx *kvm_tdx)
{
	tdx_add_counts(tdx_seamcalls_gone, kvm_tdx->seamcalls, TDX_NR_LEAVES);
	tdx_add_counts(tdx_exits_gone, kvm_tdx->exits, TDX_NR_EXIT_REASONS);
	tdx_add_counts(tdx_vmcalls_gone, kvm_tdx->vmcalls, TDX_NR_VMCALLS);
}

void tdx_stats_key_assigned(void)
{
	atomic_inc(&tdx_keyids_used);
}

void tdx_stats_key_released(void)
{
	atomic_dec(&tdx_keyids_used);
}

void tdx_count_leak(struct kvm *kvm, unsigned int nr_pages)
{
	atomic64_add(nr_pages, &kvm->stat.tdx_pages_leaked);
	atomic64_add(nr_pages, &tdx_leaked_pages);
}

u64 tdx_nr_leaked_pages(void)
{
	return atomic64_read(&tdx_leaked_pages);
}

s64 tdx_nr_pages(void)
{
	return atomic64_read(&tdx_pages);
}

unsigned int tdx_nr_keyids_used(void)
{
	return atomic_read(&tdx_keyids_used);
}
