/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_KEYID_H
#define _X86_VIRT_TDX_KEYID_H

#include <linux/cpumask.h>
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/kconfig.h>
#include <linux/limits.h>
#include <linux/types.h>

/**
 * struct tdx_keyid_pool - private key IDs and who has them
 * @used: the guest key IDs that are allocated
 * @global: the key ID of the module itself
 * @nr_guest: number of guest key IDs, which follow @global
 */
struct tdx_keyid_pool {
	struct ida used;
	u32 global;
	u32 nr_guest;
};

#define TDX_NO_CPU	UINT_MAX

void __init tdx_keyid_init(u32 first, u32 nr);

#if IS_ENABLED(CONFIG_KUNIT)
int tdx_keyid_pool_alloc(struct tdx_keyid_pool *pool);
void tdx_keyid_pool_free(struct tdx_keyid_pool *pool, unsigned int keyid);
unsigned int tdx_choose_cpu(const struct cpumask *cpus, unsigned int except,
			    const struct cpumask *preferred);
bool tdx_package_may_change(unsigned int chosen, unsigned int choice, bool keyids_in_use);
#endif

#endif
