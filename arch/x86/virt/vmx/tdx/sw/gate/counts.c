// SPDX-License-Identifier: GPL-2.0
/*
 * How often each leaf was called, and how often it failed; in debugfs, tdx_sw/counts.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>

#include "gate/gate.h"

static atomic64_t calls[TDX_SW_NR_LEAVES];
static atomic64_t errors[TDX_SW_NR_LEAVES];
/* RCX of the last call: what no answer tells, such as the key ID of a write-back. */
static u64 operands[TDX_SW_NR_LEAVES];

static struct dentry *root;

void counts_account(const struct tdx_sw_call *c, u64 status)
{
	unsigned int nr = c->leaf->nr;

	WRITE_ONCE(operands[nr], c->in.rcx);
	atomic64_inc(&calls[nr]);
	if (status & SEAM_ERROR)
		atomic64_inc(&errors[nr]);
}

u64 counts_calls(u16 leaf, u64 *nr_errors)
{
	if (leaf >= TDX_SW_NR_LEAVES)
		return 0;
	if (nr_errors)
		*nr_errors = atomic64_read(&errors[leaf]);
	return atomic64_read(&calls[leaf]);
}

u64 counts_last_rcx(u16 leaf)
{
	return leaf < TDX_SW_NR_LEAVES ? READ_ONCE(operands[leaf]) : 0;
}

struct dentry *tdx_sw_debugfs(void)
{
	return root;
}

static int counts_show(struct seq_file *m, void *v)
{
	unsigned int nr;

	for (nr = 0; nr < TDX_SW_NR_LEAVES; nr++) {
		const struct tdx_sw_leaf *leaf = tdx_sw_find_leaf(nr);

		if (leaf && atomic64_read(&calls[nr]))
			seq_printf(m, "%-24s %lld %lld\n", leaf->name, atomic64_read(&calls[nr]),
				   atomic64_read(&errors[nr]));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

/* Before the tests add what is theirs (probe/fault.c). */
static int __init counts_init(void)
{
	if (!tdx_sw_enabled)
		return 0;

	root = debugfs_create_dir("tdx_sw", NULL);
	debugfs_create_file("counts", 0400, root, NULL, &counts_fops);
	return 0;
}
device_initcall(counts_init);
