// SPDX-License-Identifier: GPL-2.0
/*
 * Private key IDs: the module's own and those of TDs, and the packages that know
 * their keys.
 *
 * The BIOS sets aside a range of key IDs for TDX.  The first becomes the global
 * one, which protects the module's metadata and the TDRs; the others go to TDs,
 * one each.  A key ID that the module may still use must never be freed: it is
 * leaked instead, and then counts as in use for good.
 */

#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include <asm/cpu.h>
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
 * From then on the last CPU of a package doesn't go offline, nor does the first of
 * another one come online.  Who needs all of them asks tdx_all_packages_online()
 * before giving up the CPU hotplug lock.
 *
 * Context: may sleep; the CPU hotplug lock is held for read.
 * Return: the key ID, -ENOSPC if all are in use, -ENOMEM.
 */
int tdx_guest_keyid_alloc(void)
{
	lockdep_assert_cpus_held();

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

/*
 * Packages
 *
 * The life of a key ID needs calls on every package: the key is programmed and caches
 * are written back package by package.  For each package one of its CPUs is chosen
 * when CPUs come and go, in callbacks that the CPU hotplug lock serializes; whoever
 * holds it for read finds the choice stable.
 */

/* By logical package id; TDX_NO_CPU if none of the package is online. */
static unsigned int *tdx_package_cpus;
static unsigned int tdx_nr_packages;

/* CPUs that nobody wants to keep to themselves */
static struct cpumask tdx_shared_cpus;

/*
 * What is chosen for the package of a CPU; also of one that has never been online, of
 * which struct cpuinfo_x86 doesn't tell the package.  NULL if nothing does.
 */
static unsigned int *tdx_package_cpu_of(unsigned int cpu)
{
	int id = topology_get_logical_id(cpu_physical_id(cpu), TOPO_PKG_DOMAIN);

	return id < 0 || id >= tdx_nr_packages ? NULL : &tdx_package_cpus[id];
}

/* TDX_NO_CPU if there is none but @except. */
VISIBLE_IF_KUNIT unsigned int tdx_choose_cpu(const struct cpumask *cpus, unsigned int except,
					     const struct cpumask *preferred)
{
	unsigned int cpu, any = TDX_NO_CPU;

	for_each_cpu(cpu, cpus) {
		if (cpu == except)
			continue;
		if (cpumask_test_cpu(cpu, preferred))
			return cpu;
		if (any == TDX_NO_CPU)
			any = cpu;
	}

	return any;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_choose_cpu);

/*
 * A package that goes can't write back its caches, and one that comes doesn't know
 * the keys of TDs that exist.
 */
VISIBLE_IF_KUNIT bool tdx_package_may_change(unsigned int chosen, unsigned int choice,
					     bool keyids_in_use)
{
	return !keyids_in_use || (chosen == TDX_NO_CPU) == (choice == TDX_NO_CPU);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_package_may_change);

static int tdx_package_choose(unsigned int cpu, unsigned int except)
{
	unsigned int choice = tdx_choose_cpu(topology_core_cpumask(cpu), except,
					     &tdx_shared_cpus);
	unsigned int *chosen = tdx_package_cpu_of(cpu);

	if (WARN_ON_ONCE(!chosen))
		return -EINVAL;

	if (!tdx_package_may_change(*chosen, choice, !ida_is_empty(&tdx_keyids.used))) {
		pr_warn_ratelimited("CPU %u stays %s of its package while TDs exist\n", cpu,
				    choice == TDX_NO_CPU ? "online: the last" :
							   "offline: the first");
		return -EBUSY;
	}

	*chosen = choice;
	return 0;
}

static int tdx_package_cpu_online(unsigned int cpu)
{
	return tdx_package_choose(cpu, TDX_NO_CPU);
}

static int tdx_package_cpu_offline(unsigned int cpu)
{
	return tdx_package_choose(cpu, cpu);
}

static int __init tdx_packages_init(void)
{
	unsigned int i, nr = topology_max_packages();
	int r;

	if (!tdx_keyids.nr_guest)
		return 0;

	/* Calls are works. */
	cpumask_and(&tdx_shared_cpus, housekeeping_cpumask(HK_TYPE_DOMAIN),
		    housekeeping_cpumask(HK_TYPE_WQ));

	r = -ENOMEM;
	tdx_package_cpus = kmalloc_array(nr, sizeof(*tdx_package_cpus), GFP_KERNEL);
	if (!tdx_package_cpus)
		goto err;

	for (i = 0; i < nr; i++)
		tdx_package_cpus[i] = TDX_NO_CPU;
	tdx_nr_packages = nr;

	r = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "virt/tdx:online",
			      tdx_package_cpu_online, tdx_package_cpu_offline);
	if (r >= 0)
		return 0;

err:
	pr_err("no TDs: the CPUs of packages are not known (%d)\n", r);
	tdx_keyids.nr_guest = 0;
	return r;
}
device_initcall(tdx_packages_init);

/**
 * tdx_all_packages_online - can something be done on every package?
 *
 * Context: the CPU hotplug lock is held.
 * Return: whether each package with a CPU has an online one.
 */
bool tdx_all_packages_online(void)
{
	unsigned int cpu;

	lockdep_assert_cpus_held();

	for_each_present_cpu(cpu) {
		const unsigned int *chosen = tdx_package_cpu_of(cpu);

		if (!chosen || *chosen == TDX_NO_CPU)
			return false;
	}

	return true;
}
EXPORT_SYMBOL_GPL(tdx_all_packages_online);

/**
 * tdx_on_each_package - call a function on one CPU of every package
 * @func: the function, which may sleep
 * @arg: its argument
 *
 * CPUs may come and go between two packages, but as long as a key ID is in use the
 * packages that are online stay the same.
 *
 * Context: may sleep; takes the CPU hotplug lock for one package at a time.
 * Return: 0; or the first result other than that, which ends it.
 */
int tdx_on_each_package(int (*func)(void *arg), void *arg)
{
	unsigned int i, cpu;
	int r;

	for (i = 0; i < tdx_nr_packages; i++) {
		guard(cpus_read_lock)();

		cpu = tdx_package_cpus[i];
		r = cpu == TDX_NO_CPU ? 0 : smp_call_on_cpu(cpu, func, arg, true);
		if (r)
			return r;
	}

	return 0;
}
EXPORT_SYMBOL_GPL(tdx_on_each_package);
