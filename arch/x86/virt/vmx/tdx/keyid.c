// SPDX-License-Identifier: GPL-2.0
/*
 * Private key IDs: the module's own and those of TDs.
 *
 * The BIOS sets aside a range of key IDs for TDX.  The first becomes the global
 * one, which protects the module's metadata and the TDRs; the others go to TDs,
 * one each.  A key ID that the module may still use must never be freed: it is
 * leaked instead, and then counts as in use for good.
 */

#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/printk.h>
#include <linux/topology.h>

#include <asm/tdh.h>

#include <kunit/visibility.h>

#include "keyid.h"

static struct tdx_keyid_pool tdx_keyids = {
	.used = IDA_INIT(tdx_keyids.used),
};

VISIBLE_IF_KUNIT int tdx_keyid_pool_alloc(struct tdx_keyid_pool *pool)
{
	u32 first = pool->global + 1;

	/* An upper bound below the lower one would mean "no bound" to the IDA. */
	if (!pool->nr_guest)
		return -ENOSPC;

	return ida_alloc_range(&pool->used, first, first + pool->nr_guest - 1,
			       GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_keyid_pool_alloc);

VISIBLE_IF_KUNIT void tdx_keyid_pool_free(struct tdx_keyid_pool *pool,
					  unsigned int keyid)
{
	ida_free(&pool->used, keyid);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_keyid_pool_free);

/**
 * tdx_keyid_init - set up the key IDs
 * @first: first private key ID
 * @nr: number of private key IDs
 */
void __init tdx_keyid_init(u32 first, u32 nr)
{
	tdx_keyids.global = first;
	tdx_keyids.nr_guest = nr - 1;
}

/**
 * tdx_get_global_keyid - the key ID of the module itself
 *
 * Context: any.
 * Return: the key ID; TDRs are encrypted with it.
 */
u16 tdx_get_global_keyid(void)
{
	return tdx_keyids.global;
}
EXPORT_SYMBOL_GPL(tdx_get_global_keyid);

/**
 * tdx_get_nr_guest_keyids - how many TDs can have a key ID at a time
 *
 * Context: any.
 * Return: number of guest key IDs, used ones included; 0 without TDX.
 */
u32 tdx_get_nr_guest_keyids(void)
{
	return tdx_keyids.nr_guest;
}
EXPORT_SYMBOL_GPL(tdx_get_nr_guest_keyids);

/**
 * tdx_guest_keyid_alloc - allocate a key ID for a TD
 *
 * From the allocation on until the key is configured on all packages the caller
 * holds the CPU hotplug lock for read, as tdx_cpu_offline_check() looks at the
 * allocated key IDs only when a CPU is about to go.
 *
 * Context: may sleep.
 * Return: the key ID, -ENOSPC if all are in use, -ENOMEM.
 */
int tdx_guest_keyid_alloc(void)
{
	return tdx_keyid_pool_alloc(&tdx_keyids);
}
EXPORT_SYMBOL_GPL(tdx_guest_keyid_alloc);

/**
 * tdx_guest_keyid_free - give a key ID back
 * @keyid: key ID from tdx_guest_keyid_alloc(), which the module does not use any
 *	more: TDH.MNG.KEY.FREEID succeeded, or TDH.MNG.CREATE failed
 *
 * Context: any.
 */
void tdx_guest_keyid_free(unsigned int keyid)
{
	tdx_keyid_pool_free(&tdx_keyids, keyid);
}
EXPORT_SYMBOL_GPL(tdx_guest_keyid_free);

/**
 * tdx_keyids_in_use - does any TD have a key ID?
 *
 * Context: any.
 * Return: true if so; leaked key IDs count.
 */
bool tdx_keyids_in_use(void)
{
	return !ida_is_empty(&tdx_keyids.used);
}
EXPORT_SYMBOL_GPL(tdx_keyids_in_use);

VISIBLE_IF_KUNIT bool tdx_is_last_of_package(unsigned int cpu,
					     const struct cpumask *online)
{
	int package = topology_physical_package_id(cpu);
	unsigned int i;

	for_each_cpu(i, online) {
		if (i != cpu && topology_physical_package_id(i) == package)
			return false;
	}

	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_is_last_of_package);

/**
 * tdx_cpu_offline_check - may a CPU go offline?
 * @cpu: the CPU, still online
 *
 * The life cycle of a key ID needs calls on every package: the key is
 * programmed and the caches are written back package by package.  So the last
 * CPU of a package stays while there are TDs.
 *
 * Context: CPU hotplug callback.
 * Return: 0, or -EBUSY after a line in the log.
 */
int tdx_cpu_offline_check(unsigned int cpu)
{
	if (!tdx_keyids_in_use() ||
	    !tdx_is_last_of_package(cpu, cpu_online_mask))
		return 0;

	pr_warn_ratelimited("CPU %u stays online: the last of its package while TDs exist\n",
			    cpu);
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(tdx_cpu_offline_check);
