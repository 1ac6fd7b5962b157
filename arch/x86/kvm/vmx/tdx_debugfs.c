// SPDX-License-Identifier: GPL-2.0
/*
 * What shows the counters of the TDX backend, and a TD's measurement.
 *
 * Binary statistics of the VM, and files of the same names in its debugfs
 * directory:
 *
 *	tdx_pages_mapped	private memory added or augmented, in pages of 4 KiB
 *	tdx_pages_mapped_2m	pages of 2 MiB among it
 *	tdx_pages_removed	private pages removed, back with the kernel, of 4 KiB
 *	tdx_pages_leaked	pages that the module wouldn't give back
 *	tdx_track_rounds	TLB tracking: TRACKs, without failed attempts
 *	tdx_kicks		times that all vCPUs were kicked out of the guest
 *	tdx_busy_removals	removals repeated with entry to the TD held off
 *	tdx_splits		pages of 2 MiB that were split
 *	tdx_sept_pages		S-EPT pages that there are, without the root
 *
 * Further debugfs files:
 *
 *	kvm/<pid>-<fd>/tdx_seamcalls	SEAMCALLs for the TD
 *	kvm/<pid>-<fd>/tdx_exits	exits from the TD, TDVMCALLs included
 *	kvm/<pid>-<fd>/tdx_vmcalls	TDVMCALLs
 *	kvm/<pid>-<fd>/tdx_mrtd		its measurement in hex, -ENODATA until
 *					it is complete
 *	kvm/<pid>-<fd>/tdx_memory	its private memory, as it is mapped
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
 *
 * tdx_memory has a line for each range of pages of one size and state that lie side by
 * side, ascending: "0x40000000-0x405fffff 2M accepted 3", with the GPA of the first and of
 * the last byte, and the number of pages.  To find out the state takes a SEAMCALL for each
 * page; what changes while that is done may be missing, or be "changing".
 */

#include <linux/debugfs.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "mmu/external.h"
#include "tdx.h"
#include "tdx_call.h"

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

struct tdx_range {
	gfn_t start;
	gfn_t end;
	int level;
	const char *state;
};

static const char *tdx_state_name(u8 state)
{
	switch (state) {
	case TDX_SEPT_MAPPED:
		return "accepted";
	case TDX_SEPT_PENDING:
		return "pending";
	default:
		return "changing";
	}
}

static void tdx_show_range(struct seq_file *m, const struct tdx_range *range)
{
	if (range->end)
		seq_printf(m, "0x%llx-0x%llx %s %s %llu\n", gfn_to_gpa(range->start),
			   gfn_to_gpa(range->end) - 1,
			   range->level == PG_LEVEL_4K ? "4K" : "2M", range->state,
			   (range->end - range->start) / KVM_PAGES_PER_HPAGE(range->level));
}

static int tdx_vm_memory_show(struct seq_file *m, void *v)
{
	struct kvm *kvm = m->private;
	struct tdx_range range = {};
	struct external_leaf leaf;
	const char *state;
	gfn_t gfn = 0;

	for (; external_next_leaf(kvm, gfn, &leaf); range.end = gfn) {
		state = tdx_state_name(tdx_sept_state(kvm, gfn_to_gpa(leaf.gfn)));
		if (range.end != leaf.gfn || range.level != leaf.level || range.state != state) {
			tdx_show_range(m, &range);
			range = (struct tdx_range) {
				.start = leaf.gfn, .level = leaf.level, .state = state,
			};
		}
		gfn = leaf.gfn + KVM_PAGES_PER_HPAGE(leaf.level);

		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}

	tdx_show_range(m, &range);
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

static int tdx_vm_memory_open(struct inode *inode, struct file *file)
{
	return tdx_vm_file_open(inode, file, tdx_vm_memory_show);
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
TDX_VM_FILE_FOPS(tdx_vm_memory);

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
	debugfs_create_file("tdx_memory", 0400, kvm->debugfs_dentry, kvm,
			    &tdx_vm_memory_fops);
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
	*val = tdx_nr_keyids_used();
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
