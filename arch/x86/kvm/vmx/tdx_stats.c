// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the TDX backend and what shows them.
 *
 * Binary statistics of the VM, and files of the same names in its debugfs
 * directory:
 *
 *	tdx_pages_mapped	private pages added or augmented
 *	tdx_pages_removed	private pages removed, back with the kernel
 *	tdx_pages_leaked	pages that the module wouldn't give back
 *	tdx_track_rounds	TLB tracking: TRACKs, without failed attempts
 *	tdx_kicks		times that all vCPUs were kicked out of the guest
 *	tdx_busy_removals	removals repeated with entry to the TD held off
 *
 * Further debugfs files:
 *
 *	kvm/<pid>-<fd>/tdx_seamcalls	SEAMCALLs for the TD
 *	kvm/<pid>-<fd>/tdx_exits	exits from the TD, TDVMCALLs included
 *	kvm/<pid>-<fd>/tdx_vmcalls	TDVMCALLs
 *	kvm/<pid>-<fd>/tdx_mrtd		its measurement in hex, -ENODATA until
 *					it is complete
 *	kvm/tdx_{seamcalls,exits,vmcalls}	the same of all TDs that are gone
 *	kvm/tdx_keyids_used		TDs that have a key ID, leaked ones included
 *	kvm/tdx_keyids_total		how many can have one
 *	kvm/tdx_leaked_pages		sum of tdx_pages_leaked, of TDs gone, too
 *	kvm/tdx_pages			pages that the module has, for all TDs and for
 *					their memory; it keeps leaked ones, mostly
 *
 * tdx_seamcalls has a line for each leaf that was called at least once,
 * ascending by leaf number, of three fields separated by a blank:
 *
 *	<leaf number> <name without TDH.> <count>
 *
 * e.g. "6 MEM.PAGE.AUG 512".  Attempts that the module refused count, repetitions
 * inside of the tdh_*() functions for want of entropy don't.
 *
 * tdx_exits has such lines by exit reason, e.g. "48 EPT_VIOLATION 7"; entries that
 * the module refused are no exits.  tdx_vmcalls has lines of a name and a count,
 * e.g. "MapGPA 3", where "hypercall" stands for all of KVM's and "unsupported" for
 * those that KVM doesn't know.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/trace_events.h>

#include <asm/vmx.h>

#include "tdx.h"

static atomic64_t tdx_leaked_pages;
static atomic64_t tdx_pages;
static atomic_t tdx_keyids_used;
static atomic64_t tdx_seamcalls_gone[TDX_NR_LEAVES];
static atomic64_t tdx_exits_gone[TDX_NR_EXIT_REASONS];
static atomic64_t tdx_vmcalls_gone[TDX_NR_VMCALLS];

static const char * const tdx_leaf_names[TDX_NR_LEAVES] = {
	[TDH_VP_ENTER]			= "VP.ENTER",
	[TDH_MNG_ADDCX]			= "MNG.ADDCX",
	[TDH_MEM_PAGE_ADD]		= "MEM.PAGE.ADD",
	[TDH_MEM_SEPT_ADD]		= "MEM.SEPT.ADD",
	[TDH_VP_ADDCX]			= "VP.ADDCX",
	[TDH_MEM_PAGE_AUG]		= "MEM.PAGE.AUG",
	[TDH_MEM_RANGE_BLOCK]		= "MEM.RANGE.BLOCK",
	[TDH_MNG_KEY_CONFIG]		= "MNG.KEY.CONFIG",
	[TDH_MNG_CREATE]		= "MNG.CREATE",
	[TDH_VP_CREATE]			= "VP.CREATE",
	[TDH_MNG_RD]			= "MNG.RD",
	[TDH_MNG_WR]			= "MNG.WR",
	[TDH_MR_EXTEND]			= "MR.EXTEND",
	[TDH_MR_FINALIZE]		= "MR.FINALIZE",
	[TDH_VP_FLUSH]			= "VP.FLUSH",
	[TDH_MNG_VPFLUSHDONE]		= "MNG.VPFLUSHDONE",
	[TDH_MNG_KEY_FREEID]		= "MNG.KEY.FREEID",
	[TDH_MNG_INIT]			= "MNG.INIT",
	[TDH_VP_INIT]			= "VP.INIT",
	[TDH_PHYMEM_PAGE_RDMD]		= "PHYMEM.PAGE.RDMD",
	[TDH_MEM_SEPT_RD]		= "MEM.SEPT.RD",
	[TDH_VP_RD]			= "VP.RD",
	[TDH_PHYMEM_PAGE_RECLAIM]	= "PHYMEM.PAGE.RECLAIM",
	[TDH_MEM_PAGE_REMOVE]		= "MEM.PAGE.REMOVE",
	[TDH_MEM_SEPT_REMOVE]		= "MEM.SEPT.REMOVE",
	[TDH_MEM_TRACK]			= "MEM.TRACK",
	[TDH_MEM_RANGE_UNBLOCK]		= "MEM.RANGE.UNBLOCK",
	[TDH_PHYMEM_CACHE_WB]		= "PHYMEM.CACHE.WB",
	[TDH_PHYMEM_PAGE_WBINVD]	= "PHYMEM.PAGE.WBINVD",
	[TDH_VP_WR]			= "VP.WR",
};

const char *tdx_leaf_name(unsigned int leaf)
{
	if (leaf >= TDX_NR_LEAVES || !tdx_leaf_names[leaf])
		return "?";

	return tdx_leaf_names[leaf];
}

/* By how many pages success of a leaf changes what the module has. */
static const s8 tdx_leaf_pages[TDX_NR_LEAVES] = {
	[TDH_MNG_CREATE]		= 1,
	[TDH_MNG_ADDCX]			= 1,
	[TDH_VP_CREATE]			= 1,
	[TDH_VP_ADDCX]			= 1,
	[TDH_MEM_SEPT_ADD]		= 1,
	[TDH_MEM_PAGE_ADD]		= 1,
	[TDH_MEM_PAGE_AUG]		= 1,
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

void tdx_count_exit(struct kvm *kvm, unsigned int reason)
{
	reason = min(reason, TDX_NR_EXIT_REASONS - 1);
	atomic64_inc(&to_kvm_tdx(kvm)->exits[reason]);
}

void tdx_count_vmcall(struct kvm *kvm, unsigned int i)
{
	atomic64_inc(&to_kvm_tdx(kvm)->vmcalls[i]);
}

static const struct trace_print_flags tdx_exit_reason_names[] = {
	VMX_EXIT_REASONS,
};

static const char *tdx_exit_reason_name(unsigned int reason)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tdx_exit_reason_names); i++) {
		if (tdx_exit_reason_names[i].mask == reason)
			return tdx_exit_reason_names[i].name;
	}

	return "?";
}

static void tdx_show_exits(struct seq_file *m, const atomic64_t *counts)
{
	unsigned int reason;
	s64 count;

	for (reason = 0; reason < TDX_NR_EXIT_REASONS; reason++) {
		count = atomic64_read(&counts[reason]);
		if (count)
			seq_printf(m, "%u %s %lld\n", reason,
				   tdx_exit_reason_name(reason), count);
	}
}

static void tdx_show_vmcalls(struct seq_file *m, const atomic64_t *counts)
{
	unsigned int i;
	s64 count;

	for (i = 0; i < TDX_NR_VMCALLS; i++) {
		count = atomic64_read(&counts[i]);
		if (count)
			seq_printf(m, "%s %lld\n", tdx_vmcall_name(i), count);
	}
}

static void tdx_show_seamcalls(struct seq_file *m, const atomic64_t *counts)
{
	unsigned int leaf;
	s64 count;

	for (leaf = 0; leaf < TDX_NR_LEAVES; leaf++) {
		count = atomic64_read(&counts[leaf]);
		if (count)
			seq_printf(m, "%u %s %lld\n", leaf, tdx_leaf_name(leaf), count);
	}
}

static int tdx_vm_seamcalls_show(struct seq_file *m, void *v)
{
	struct kvm *kvm = m->private;

	tdx_show_seamcalls(m, to_kvm_tdx(kvm)->seamcalls);
	return 0;
}

static int tdx_vm_exits_show(struct seq_file *m, void *v)
{
	struct kvm *kvm = m->private;

	tdx_show_exits(m, to_kvm_tdx(kvm)->exits);
	return 0;
}

static int tdx_vm_vmcalls_show(struct seq_file *m, void *v)
{
	struct kvm *kvm = m->private;

	tdx_show_vmcalls(m, to_kvm_tdx(kvm)->vmcalls);
	return 0;
}

/* In the order of memory, which is the one that tools show. */
static int tdx_vm_mrtd_show(struct seq_file *m, void *v)
{
	struct kvm *kvm = m->private;
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 status, mrtd[TDX_MD_MRTD_WORDS];
	unsigned int i;

	scoped_cond_guard(mutex_intr, return -EINTR, &kvm->lock) {
		if (!tdx_is_runnable(kvm_tdx))
			return -ENODATA;

		for (i = 0; i < ARRAY_SIZE(mrtd); i++) {
			status = tdx_call_retry(kvm_tdx, TDH_MNG_RD,
						tdh_mng_rd(kvm_tdx->tdr, TD_MD_MRTD + i,
							   &mrtd[i]));
			if (!tdx_status_is_success(status))
				return tdx_read_error(kvm, TDH_MNG_RD, status,
						      kvm_tdx->tdr, TD_MD_MRTD + i);
		}
	}

	seq_printf(m, "%*phN\n", (int)sizeof(mrtd), mrtd);
	return 0;
}

static int tdx_vm_file_open(struct inode *inode, struct file *file,
			    int (*show)(struct seq_file *m, void *v))
{
	struct kvm *kvm = inode->i_private;
	int r;

	if (!kvm_get_kvm_safe(kvm))
		return -ENOENT;

	r = single_open(file, show, kvm);
	if (r)
		kvm_put_kvm(kvm);

	return r;
}

static int tdx_vm_seamcalls_open(struct inode *inode, struct file *file)
{
	return tdx_vm_file_open(inode, file, tdx_vm_seamcalls_show);
}

static int tdx_vm_exits_open(struct inode *inode, struct file *file)
{
	return tdx_vm_file_open(inode, file, tdx_vm_exits_show);
}

static int tdx_vm_vmcalls_open(struct inode *inode, struct file *file)
{
	return tdx_vm_file_open(inode, file, tdx_vm_vmcalls_show);
}

static int tdx_vm_mrtd_open(struct inode *inode, struct file *file)
{
	return tdx_vm_file_open(inode, file, tdx_vm_mrtd_show);
}

static int tdx_vm_file_release(struct inode *inode, struct file *file)
{
	kvm_put_kvm(inode->i_private);
	return single_release(inode, file);
}

#define TDX_VM_FILE_FOPS(name)						\
static const struct file_operations name##_fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= name##_open,					\
	.read		= seq_read,					\
	.llseek		= seq_lseek,					\
	.release	= tdx_vm_file_release,				\
}

TDX_VM_FILE_FOPS(tdx_vm_seamcalls);
TDX_VM_FILE_FOPS(tdx_vm_exits);
TDX_VM_FILE_FOPS(tdx_vm_vmcalls);
TDX_VM_FILE_FOPS(tdx_vm_mrtd);

void tdx_debugfs_add_vm(struct kvm *kvm)
{
	/* There is none if debugfs is off or its directory was refused. */
	if (IS_ERR_OR_NULL(kvm->debugfs_dentry))
		return;

	debugfs_create_file("tdx_seamcalls", 0444, kvm->debugfs_dentry, kvm,
			    &tdx_vm_seamcalls_fops);
	debugfs_create_file("tdx_exits", 0444, kvm->debugfs_dentry, kvm,
			    &tdx_vm_exits_fops);
	debugfs_create_file("tdx_vmcalls", 0444, kvm->debugfs_dentry, kvm,
			    &tdx_vm_vmcalls_fops);
	debugfs_create_file("tdx_mrtd", 0444, kvm->debugfs_dentry, kvm,
			    &tdx_vm_mrtd_fops);
}

static int tdx_seamcalls_gone_show(struct seq_file *m, void *v)
{
	tdx_show_seamcalls(m, tdx_seamcalls_gone);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tdx_seamcalls_gone);

static int tdx_exits_gone_show(struct seq_file *m, void *v)
{
	tdx_show_exits(m, tdx_exits_gone);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tdx_exits_gone);

static int tdx_vmcalls_gone_show(struct seq_file *m, void *v)
{
	tdx_show_vmcalls(m, tdx_vmcalls_gone);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tdx_vmcalls_gone);

static int tdx_keyids_used_get(void *data, u64 *val)
{
	*val = atomic_read(&tdx_keyids_used);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tdx_keyids_used_fops, tdx_keyids_used_get, NULL, "%llu\n");

static int tdx_keyids_total_get(void *data, u64 *val)
{
	*val = tdx_get_nr_guest_keyids();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tdx_keyids_total_fops, tdx_keyids_total_get, NULL, "%llu\n");

static int tdx_leaked_pages_get(void *data, u64 *val)
{
	*val = tdx_nr_leaked_pages();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tdx_leaked_pages_fops, tdx_leaked_pages_get, NULL, "%llu\n");

static int tdx_pages_get(void *data, u64 *val)
{
	*val = tdx_nr_pages();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tdx_pages_fops, tdx_pages_get, NULL, "%lld\n");

/* KVM removes its directory with all there is in it. */
void tdx_debugfs_init(void)
{
	if (!enable_tdx)
		return;

	debugfs_create_file("tdx_seamcalls", 0444, kvm_debugfs_dir, NULL,
			    &tdx_seamcalls_gone_fops);
	debugfs_create_file("tdx_exits", 0444, kvm_debugfs_dir, NULL,
			    &tdx_exits_gone_fops);
	debugfs_create_file("tdx_vmcalls", 0444, kvm_debugfs_dir, NULL,
			    &tdx_vmcalls_gone_fops);
	debugfs_create_file("tdx_keyids_used", 0444, kvm_debugfs_dir, NULL,
			    &tdx_keyids_used_fops);
	debugfs_create_file("tdx_keyids_total", 0444, kvm_debugfs_dir, NULL,
			    &tdx_keyids_total_fops);
	debugfs_create_file("tdx_leaked_pages", 0444, kvm_debugfs_dir, NULL,
			    &tdx_leaked_pages_fops);
	debugfs_create_file("tdx_pages", 0444, kvm_debugfs_dir, NULL,
			    &tdx_pages_fops);
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
