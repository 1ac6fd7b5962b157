// SPDX-License-Identifier: GPL-2.0
/*
 * TDs for the tests of the host leaf wrappers, see tdh_fixture.h.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/tdx.h>

#include "tdh_fixture.h"

#define EPTP_CONTROLS_4_LEVELS	(6 | 3 << 3)
#define CONFIG_FLAGS_NO_RBP_MOD	BIT(2)

/* Each package is visited through each of its CPUs; only one has to do. */
static void on_each_package(int (*fn)(void *arg), void *arg)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		smp_call_on_cpu(cpu, fn, arg, false);
	cpus_read_unlock();
}

static void cpu_enable(void *errors)
{
	if (tdx_cpu_enable())
		atomic_inc(errors);
}

static int bring_up(void)
{
	atomic_t errors = ATOMIC_INIT(0);
	int ret;

	cpus_read_lock();
	on_each_cpu(cpu_enable, &errors, 1);
	ret = atomic_read(&errors) ? -EIO : tdx_enable();
	cpus_read_unlock();
	return ret;
}

int tdht_suite_init(struct kunit_suite *suite)
{
	return tdx_sw_is_on() ? bring_up() : 0;
}

int tdht_init(struct kunit *test)
{
	struct tdht *t;

	if (!tdx_sw_is_on())
		kunit_skip(test, "needs the software TDX module: tdx_sw=on");

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	test->priv = t;

	/* vCPUs belong to the CPU that first touches them. */
	tdx_sw_test_stay_on(cpumask_first(cpu_online_mask));
	return 0;
}

phys_addr_t tdht_pages(struct tdht *t, unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	KUNIT_ASSERT_NOT_NULL(t->test, page);
	KUNIT_ASSERT_LT(t->test, t->nr_pages, TDHT_MAX_PAGES);

	t->pages[t->nr_pages].pa = page_to_phys(page);
	t->pages[t->nr_pages].order = order;
	return t->pages[t->nr_pages++].pa;
}

phys_addr_t tdht_page(struct tdht *t)
{
	return tdht_pages(t, 0);
}

phys_addr_t tdht_params(struct tdht *t)
{
	phys_addr_t pa = tdht_page(t);
	void *params = phys_to_virt(pa);

	memset(params, 0, PAGE_SIZE);
	*(u64 *)params = TDHT_ATTRIBUTES;
	*(u64 *)(params + 8) = 3;
	*(u16 *)(params + 16) = TDHT_MAX_TD_VCPUS;
	*(u64 *)(params + 24) = EPTP_CONTROLS_4_LEVELS;
	*(u64 *)(params + 32) = CONFIG_FLAGS_NO_RBP_MOD;
	*(u16 *)(params + 40) = 40;
	return pa;
}

int tdht_hkid(struct tdht *t)
{
	int hkid = tdx_guest_keyid_alloc();

	KUNIT_ASSERT_GT(t->test, hkid, 0);
	KUNIT_ASSERT_LT(t->test, t->nr_tds, TDHT_MAX_TDS);
	t->tds[t->nr_tds].hkid = hkid;
	t->tds[t->nr_tds++].tdr = 0;
	return hkid;
}

static int key_config(void *tdr)
{
	tdh_mng_key_config(*(phys_addr_t *)tdr);
	return 0;
}

void tdht_key_config(struct tdht *t, phys_addr_t tdr)
{
	on_each_package(key_config, &tdr);
	KUNIT_ASSERT_EQ(t->test, tdht_td_info(t, tdr).lifecycle, 1);
}

phys_addr_t tdht_td(struct tdht *t, enum tdht_stage stage)
{
	const int nr_tdcx = tdx_get_sys_info()->tdcs_base_size / PAGE_SIZE;
	int hkid = tdht_hkid(t), i;
	phys_addr_t tdr = tdht_page(t);
	u64 detail;

	tdht_assert_ok(t, tdh_mng_create(tdr, hkid));
	t->tds[t->nr_tds - 1].tdr = tdr;
	if (stage == TDHT_CREATED)
		return tdr;

	tdht_key_config(t, tdr);
	if (stage == TDHT_KEYED)
		return tdr;

	for (i = 0; i < nr_tdcx; i++)
		tdht_assert_ok(t, tdh_mng_addcx(tdr, tdht_page(t)));
	if (stage == TDHT_UNINITIALIZED)
		return tdr;

	tdht_assert_ok(t, tdh_mng_init(tdr, tdht_params(t), &detail));
	if (stage == TDHT_INITIALIZED)
		return tdr;

	tdht_vcpu(t, tdr, 0);
	tdht_assert_ok(t, tdh_mr_finalize(tdr));
	return tdr;
}

phys_addr_t tdht_vcpu_pages(struct tdht *t, phys_addr_t tdr)
{
	const int nr_tdvps = tdx_get_sys_info()->tdvps_base_size / PAGE_SIZE;
	phys_addr_t tdvpr = tdht_page(t);
	int i;

	KUNIT_ASSERT_LT(t->test, t->nr_vcpus, TDHT_MAX_VCPUS);
	tdht_assert_ok(t, tdh_vp_create(tdr, tdvpr));
	t->vcpus[t->nr_vcpus++] = tdvpr;
	for (i = 1; i < nr_tdvps; i++)
		tdht_assert_ok(t, tdh_vp_addcx(tdvpr, tdht_page(t)));
	return tdvpr;
}

phys_addr_t tdht_vcpu(struct tdht *t, phys_addr_t tdr, u32 x2apic_id)
{
	phys_addr_t tdvpr = tdht_vcpu_pages(t, tdr);

	tdht_assert_ok(t, tdh_vp_init(tdvpr, 0, x2apic_id));
	return tdvpr;
}

phys_addr_t tdht_tables(struct tdht *t, phys_addr_t tdr, int level)
{
	struct tdh_sept_info info;
	phys_addr_t page = 0;
	int parent;

	for (parent = 3; parent > level; parent--) {
		page = tdht_page(t);
		tdht_assert_ok(t, tdh_mem_sept_add(tdr, ALIGN_DOWN(TDHT_GPA, SZ_4K << (9 * parent)),
						   parent, page, &info));
	}

	return page;
}

phys_addr_t tdht_add(struct tdht *t, phys_addr_t tdr, u64 gpa)
{
	phys_addr_t page = tdht_page(t), source = tdht_page(t);
	struct tdh_sept_info info;

	memset(phys_to_virt(source), 0x42, PAGE_SIZE);
	tdht_assert_ok(t, tdh_mem_page_add(tdr, gpa, page, source, &info));
	return page;
}

phys_addr_t tdht_aug(struct tdht *t, phys_addr_t tdr, u64 gpa)
{
	phys_addr_t page = tdht_page(t);
	struct tdh_sept_info info;

	tdht_assert_ok(t, tdh_mem_page_aug(tdr, gpa, 0, page, &info));
	return page;
}

static int cache_wb(void *ret)
{
	u64 status = tdh_phymem_cache_wb(false);

	while (tdx_status_code(status) == TDX_INTERRUPTED_RESUMABLE)
		status = tdh_phymem_cache_wb(true);

	if (status && tdx_status_code(status) != TDX_NO_HKID_READY_TO_WBCACHE)
		*(u64 *)ret = status;
	return 0;
}

u64 tdht_cache_wb(void)
{
	u64 ret = 0;

	on_each_package(cache_wb, &ret);
	return ret;
}

static int vp_flush(void *tdvpr)
{
	tdh_vp_flush(*(phys_addr_t *)tdvpr);
	return 0;
}

static void block(struct tdht *t, phys_addr_t tdr)
{
	unsigned int i;

	/* A vCPU of another TD has nothing to do with it, but does not mind. */
	for (i = 0; i < t->nr_vcpus; i++)
		on_each_package(vp_flush, &t->vcpus[i]);
	tdh_mng_vpflushdone(tdr);
}

void tdht_teardown(struct tdht *t, phys_addr_t tdr)
{
	block(t, tdr);
	tdht_assert_ok(t, tdht_cache_wb());
	tdht_assert_ok(t, tdh_mng_key_freeid(tdr));
}

static void reclaim(phys_addr_t page)
{
	struct tdx_sw_page_info info;
	struct tdh_page_md md;

	if (tdx_sw_test_page(page, &info) || info.type == PT_NDA)
		return;

	tdh_phymem_page_reclaim(page, &md);
}

static bool is_tdr(struct tdht *t, phys_addr_t page)
{
	unsigned int i;

	for (i = 0; i < t->nr_tds; i++) {
		if (t->tds[i].tdr == page)
			return true;
	}

	return false;
}

void tdht_exit(struct kunit *test)
{
	struct tdht *t = test->priv;
	struct tdx_sw_page_info info;
	unsigned int i;

	if (!t)
		return;

	tdx_sw_inject_clear();
	for (i = 0; i < t->nr_tds; i++) {
		if (t->tds[i].tdr)
			block(t, t->tds[i].tdr);
	}
	tdht_cache_wb();
	for (i = 0; i < t->nr_tds; i++) {
		if (t->tds[i].tdr)
			tdh_mng_key_freeid(t->tds[i].tdr);
		tdx_guest_keyid_free(t->tds[i].hkid);
	}

	/* The TDR goes after everything that it owns. */
	for (i = 0; i < t->nr_pages; i++) {
		if (!is_tdr(t, t->pages[i].pa))
			reclaim(t->pages[i].pa);
	}
	for (i = 0; i < t->nr_tds; i++)
		reclaim(t->tds[i].tdr);

	for (i = 0; i < t->nr_pages; i++) {
		if (tdx_sw_test_page(t->pages[i].pa, &info) || info.type != PT_NDA) {
			KUNIT_FAIL(test, "page %pa is lost, type %u", &t->pages[i].pa,
				   info.type);
			continue;
		}
		tdx_clear_pages(t->pages[i].pa, PAGE_SIZE << t->pages[i].order);
		__free_pages(pfn_to_page(PHYS_PFN(t->pages[i].pa)), t->pages[i].order);
	}
}

void tdht_expect_page(struct tdht *t, phys_addr_t page, u8 type, phys_addr_t owner)
{
	struct tdx_sw_page_info info;

	KUNIT_ASSERT_EQ(t->test, tdx_sw_test_page(page, &info), 0);
	KUNIT_EXPECT_EQ(t->test, info.type, type);
	/* The owner of a free page is what it was before. */
	if (type != PT_NDA)
		KUNIT_EXPECT_EQ(t->test, info.owner, owner);
}

void tdht_expect_sept(struct tdht *t, phys_addr_t tdr, u64 gpa, int level,
		      u8 state, phys_addr_t hpa)
{
	struct tdx_sw_sept_info info;

	KUNIT_ASSERT_EQ(t->test, tdx_sw_test_sept(tdr, gpa, level, &info), 0);
	KUNIT_EXPECT_EQ(t->test, info.state, state);
	KUNIT_EXPECT_EQ(t->test, info.hpa, hpa);
}

struct tdx_sw_td_info tdht_td_info(struct tdht *t, phys_addr_t tdr)
{
	struct tdx_sw_td_info info = {};

	KUNIT_ASSERT_EQ(t->test, tdx_sw_test_td(tdr, &info), 0);
	return info;
}

struct tdx_sw_vcpu_info tdht_vcpu_info(struct tdht *t, phys_addr_t tdvpr)
{
	struct tdx_sw_vcpu_info info = {};

	KUNIT_ASSERT_EQ(t->test, tdx_sw_test_vcpu(tdvpr, &info), 0);
	return info;
}
