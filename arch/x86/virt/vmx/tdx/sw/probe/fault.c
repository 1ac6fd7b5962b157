// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's fault injection aimed at the software module, in debugfs:
 *
 *	tdx_sw/fail_leaf	a call answers a status before it does anything;
 *				beside the usual knobs "leaf" and "status"
 *	tdx_sw/fail_lock	a try-lock is found held; "leaf" and "classes", a
 *				mask of enum tdx_sw_lock_class
 *	tdx_sw/zero_step	TDH.VP.ENTER shows the vCPU's last private EPT
 *				violation once more, resolved or not
 *
 * A leaf of 65535 means any.  The usual knobs choose by probability, or with
 * "space" the nth call, and with "times" how many.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fault-inject.h>
#include <linux/init.h>

#include "gate/gate.h"
#include "probe/sw_test.h"

static DECLARE_FAULT_ATTR(fail_leaf);
static DECLARE_FAULT_ATTR(fail_lock);
static DECLARE_FAULT_ATTR(zero_step);

static u16 fail_leaf_nr = TDX_SW_ANY_LEAF;
static u64 fail_leaf_status = SEAM_OPERAND_BUSY | OPERAND_RCX;
static u16 fail_lock_nr = TDX_SW_ANY_LEAF;
static u32 fail_lock_classes = BIT(TDX_SW_NR_LOCKS) - 1;

static bool is_aimed_at(u16 target, u16 leaf)
{
	return target == TDX_SW_ANY_LEAF || target == leaf;
}

static u64 fault_leaf(u16 leaf)
{
	if (!is_aimed_at(READ_ONCE(fail_leaf_nr), leaf) || !should_fail(&fail_leaf, 1))
		return SEAM_SUCCESS;
	return READ_ONCE(fail_leaf_status);
}

static bool fault_lock(u16 leaf, enum tdx_sw_lock_class class)
{
	return READ_ONCE(fail_lock_classes) & BIT(class) &&
	       is_aimed_at(READ_ONCE(fail_lock_nr), leaf) && should_fail(&fail_lock, 1);
}

static bool fault_zero_step(void)
{
	return should_fail(&zero_step, 1);
}

/* Nobody has asked for a knob to turn here. */
static bool fault_track(void)
{
	return false;
}

static const struct inject_source source = {
	.leaf = fault_leaf,
	.lock = fault_lock,
	.zero_step = fault_zero_step,
	.track = fault_track,
};

static int __init fault_init(void)
{
	struct dentry *dir, *root = tdx_sw_debugfs();

	if (!tdx_sw_enabled)
		return 0;

	/* A line for each fault, no stack: the caller's own log shows where. */
	fail_leaf.verbose = 1;
	fail_lock.verbose = 1;
	zero_step.verbose = 1;

	dir = fault_create_debugfs_attr("fail_leaf", root, &fail_leaf);
	if (!IS_ERR(dir)) {
		debugfs_create_u16("leaf", 0600, dir, &fail_leaf_nr);
		debugfs_create_x64("status", 0600, dir, &fail_leaf_status);
	}

	dir = fault_create_debugfs_attr("fail_lock", root, &fail_lock);
	if (!IS_ERR(dir)) {
		debugfs_create_u16("leaf", 0600, dir, &fail_lock_nr);
		debugfs_create_x32("classes", 0600, dir, &fail_lock_classes);
	}

	fault_create_debugfs_attr("zero_step", root, &zero_step);
	WRITE_ONCE(inject_sources[INJECT_FAULTS], &source);
	return 0;
}
late_initcall(fault_init);
