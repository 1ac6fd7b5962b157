// SPDX-License-Identifier: GPL-2.0
/*
 * A second module beside the one that the host brought up: memory for its
 * PAMTs, its pages, and its way from load to ready.
 */
#include <linux/align.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "fresh.h"

#define POOL_ORDER	8
#define PAMT_4K_ORDER	10	/* 1 GiB in pages of 16 bytes each: 4 MiB */
#define PAMT_SMALL_ORDER 2	/* 1 page for 1 GiB, 2 for 2 MiB */

struct page *swt_fresh_page(struct swt *t)
{
	KUNIT_ASSERT_LT(t->test, t->fresh->used, 1U << POOL_ORDER);
	return t->fresh->pool + t->fresh->used++;
}

static void *alloc_shared_page(struct swt *t)
{
	void *page = kunit_kzalloc(t->test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(t->test, page);
	KUNIT_ASSERT_TRUE(t->test, PAGE_ALIGNED(page));
	return page;
}

static void reserve(struct tdmr_info *info, u64 base, u64 size)
{
	unsigned int i;

	if (base < info->base || base >= info->base + info->size)
		return;
	/* Keep them ascending. */
	for (i = 15; i > 0 && (!info->rsvd[i - 1].size ||
			       info->rsvd[i - 1].offset > base - info->base); i--)
		info->rsvd[i] = info->rsvd[i - 1];
	info->rsvd[i].offset = base - info->base;
	info->rsvd[i].size = size;
}

/* TDMR 0 holds the pool; TDMR 1 lies far above all memory. */
static void fill_tdmrs(struct swt_fresh *f)
{
	unsigned int i, j;

	f->nr_tdmrs = 1;
	f->info[0].base = ALIGN_DOWN(page_to_phys(f->pool), SZ_1G);
	f->info[1].base = 64ULL * SZ_1G;

	for (i = 0; i < FRESH_TDMRS; i++) {
		struct tdmr_info *info = &f->info[i];
		u64 small = page_to_phys(f->pamt_small[i]);

		f->array[i] = virt_to_phys(info);
		info->size = SZ_1G;
		info->pamt[0].base = small;
		info->pamt[0].size = PAGE_SIZE;
		info->pamt[1].base = small + PAGE_SIZE;
		info->pamt[1].size = 2 * PAGE_SIZE;
		info->pamt[2].base = page_to_phys(f->pamt_4k[i]);
		info->pamt[2].size = PAGE_SIZE << PAMT_4K_ORDER;
	}
	for (i = 0; i < FRESH_TDMRS; i++) {
		for (j = 0; j < FRESH_TDMRS; j++) {
			reserve(&f->info[j], page_to_phys(f->pamt_small[i]),
				PAGE_SIZE << PAMT_SMALL_ORDER);
			reserve(&f->info[j], page_to_phys(f->pamt_4k[i]),
				PAGE_SIZE << PAMT_4K_ORDER);
		}
	}
}

struct swt_fresh *swt_fresh_begin(struct swt *t, unsigned int packages)
{
	static const struct tdx_sw_test_cmr everything = { .base = 0, .size = 128ULL * SZ_1G };
	struct swt_fresh *f = kunit_kzalloc(t->test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(t->test, f);
	f->array = alloc_shared_page(t);
	f->info = alloc_shared_page(t);
	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_fresh_begin());
	t->fresh = f;

	f->pool = alloc_pages(GFP_KERNEL, POOL_ORDER);
	KUNIT_ASSERT_NOT_NULL(t->test, f->pool);
	for (i = 0; i < FRESH_TDMRS; i++) {
		f->pamt_4k[i] = alloc_pages(GFP_KERNEL, PAMT_4K_ORDER);
		KUNIT_ASSERT_NOT_NULL(t->test, f->pamt_4k[i]);
		f->pamt_small[i] = alloc_pages(GFP_KERNEL, PAMT_SMALL_ORDER);
		KUNIT_ASSERT_NOT_NULL(t->test, f->pamt_small[i]);
	}

	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_fresh_cmrs(&everything, 1));
	tdx_sw_test_fresh_packages(packages);
	fill_tdmrs(f);

	t->m.fake_packages = packages;
	t->m.all_pkgs = BIT_ULL(min(packages, num_online_cpus())) - 1;
	t->m.sys_state = SYS_INIT_PENDING;
	t->m.key[0].state = KOT_FREE;
	return f;
}

void swt_fresh_end(struct swt *t)
{
	struct swt_fresh *f = t->fresh;
	unsigned int i;

	tdx_sw_test_fresh_end();
	for (i = 0; i < FRESH_TDMRS; i++) {
		if (f->pamt_4k[i])
			__free_pages(f->pamt_4k[i], PAMT_4K_ORDER);
		if (f->pamt_small[i])
			__free_pages(f->pamt_small[i], PAMT_SMALL_ORDER);
	}
	if (f->pool)
		__free_pages(f->pool, POOL_ORDER);
	t->fresh = NULL;
}

void swt_fresh_init(struct swt *t)
{
	swt_ok(t, L_SYS_INIT, SWT_ARGS());
}

void swt_fresh_lp_init(struct swt *t)
{
	unsigned int cpu;

	swt_fresh_init(t);
	for_each_online_cpu(cpu)
		KUNIT_ASSERT_EQ(t->test, ST_SUCCESS,
				swt_call_on(t, cpu, L_SYS_LP_INIT, SWT_ARGS()));
}

void swt_fresh_config_args(struct swt *t, struct tdx_module_args *args)
{
	*args = (struct tdx_module_args) {
		.rcx = virt_to_phys(t->fresh->array), .rdx = t->fresh->nr_tdmrs,
		.r8 = t->m.first_key,
	};
}

void swt_fresh_config(struct swt *t)
{
	struct tdx_module_args args;

	swt_fresh_lp_init(t);
	swt_fresh_config_args(t, &args);
	KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, swt_call(t, L_SYS_CONFIG, &args));
	t->m.key[0].state = KOT_RESERVED;
	t->m.sys_state = SYS_CONFIG_DONE;
	swt_check(t);
}

void swt_fresh_key_config(struct swt *t)
{
	unsigned int cpu;
	u64 done = 0;

	swt_fresh_config(t);
	for_each_online_cpu(cpu) {
		u64 pkg = BIT_ULL(swt_m_package(&t->m, cpu));

		if (!(done & pkg))
			KUNIT_ASSERT_EQ(t->test, ST_SUCCESS,
					swt_call_on(t, cpu, L_SYS_KEY_CONFIG, SWT_ARGS()));
		done |= pkg;
	}
	t->m.sys_state = SYS_IS_READY;
	swt_check(t);
}

void swt_fresh_tdmr_init(struct swt *t)
{
	struct tdmr_info *info = t->fresh->info;
	unsigned int i, calls;

	swt_fresh_key_config(t);
	for (i = 0; i < t->fresh->nr_tdmrs; i++, info++) {
		struct tdx_module_args args = {};

		for (calls = 0; args.rdx < info->base + info->size && calls < 256; calls++) {
			args = (struct tdx_module_args) { .rcx = info->base };
			KUNIT_ASSERT_EQ(t->test, ST_SUCCESS,
					swt_call(t, L_SYS_TDMR_INIT, &args));
		}
		KUNIT_ASSERT_EQ(t->test, info->base + info->size, args.rdx);
	}
}
