// SPDX-License-Identifier: GPL-2.0
/*
 * The TD of the TDX backend's KUnit suites: bring-up, life, end.  What compares
 * its page tables is in tdx_walker.c.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/misc_cgroup.h>
#include <linux/preempt.h>

#include <asm/fpu/api.h>
#include <asm/tdx.h>

#include "lapic.h"
#include "mmu.h"
#include "tdx_fixture.h"

/*
 * Bring-up, as far as kvm_intel didn't do it for want of VMX
 */

static void enable_cpu(void *errors)
{
	if (tdx_cpu_enable())
		atomic_inc(errors);
}

static int enable_module(void)
{
	atomic_t errors = ATOMIC_INIT(0);

	guard(cpus_read_lock)();

	on_each_cpu(enable_cpu, &errors, 1);
	return atomic_read(&errors) ? -EIO : tdx_enable();
}

int tdx_fixture_suite_init(struct kunit_suite *suite)
{
	int r;

	if (!tdx_sw_is_on())
		return 0;

	r = mmu_fixture_suite_init(suite);
	if (r || enable_tdx)
		return r;

	tdx_vcpus_init();
	r = enable_module();
	return r ?: misc_cg_set_capacity(MISC_CG_RES_TDX, tdx_get_nr_guest_keyids());
}

void tdx_fixture_suite_exit(struct kunit_suite *suite)
{
	if (!tdx_sw_is_on())
		return;

	if (!enable_tdx)
		misc_cg_set_capacity(MISC_CG_RES_TDX, 0);
	mmu_fixture_suite_exit(suite);
}

/*
 * Life of the TD
 */

static void init_kvm(struct tdx_test *t)
{
	struct kvm *kvm = t->kvm;

	rwlock_init(&kvm->mmu_lock);
	mutex_init(&kvm->lock);
	mutex_init(&kvm->slots_lock);
	mutex_init(&kvm->arch.apic_map_lock);
	init_rwsem(&kvm->arch.apicv_update_lock);
	xa_init(&kvm->vcpu_array);
	KUNIT_ASSERT_EQ(t->vm.test, init_srcu_struct(&kvm->srcu), 0);

	kvm->max_vcpus = TDX_TEST_MAX_VCPUS;
	kvm->arch.vm_type = KVM_X86_TDX_VM;
	kvm->arch.irqchip_mode = KVM_IRQCHIP_SPLIT;
	KUNIT_ASSERT_EQ(t->vm.test, kvm_mmu_init_vm(kvm), 0);
}

void tdx_test_create_vm(struct kunit *test)
{
	struct tdx_test *t;

	if (!tdx_sw_is_on())
		kunit_skip(test, "needs the software TDX module: tdx_sw=on");
	if (num_online_cpus() < TDX_TEST_MAX_VCPUS)
		kunit_skip(test, "needs two CPUs: -smp 2");

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->kvm_tdx = kvzalloc(sizeof(*t->kvm_tdx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->kvm_tdx);
	t->kvm = &t->kvm_tdx->kvm;
	t->source = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->source);
	memset(page_address(t->source), 0x5a, PAGE_SIZE);

	t->vm.test = test;
	t->vm.kvm = t->kvm;
	t->vm.slot.npages = TEST_DIRECT_BIT;
	t->hkid = TDX_NO_HKID;
	t->old_leaked = tdx_nr_leaked_pages();
	t->old_pages = tdx_nr_pages();
	xa_init(&t->pages);
	xa_init(&t->control_pages);
	init_kvm(t);
	KUNIT_ASSERT_EQ(test, tdx_vm_init(t->kvm), 0);

	static_call_update(kvm_x86_set_external_spte, tdx_set_external_spte);
	static_call_update(kvm_x86_flush_external_tlbs, tdx_flush_external_tlbs);
	static_call_update(kvm_x86_free_external_spt, tdx_free_external_spt);
	static_call_update(kvm_x86_vcpu_load, tdx_vcpu_load);
	static_call_update(kvm_x86_vcpu_put, tdx_vcpu_put);
	preempt_notifier_inc();
	test->priv = t;
}

void tdx_test_default_config(struct tdx_test *t, struct tdx_td_config *config)
{
	struct td_params *params = &config->params;

	memset(config, 0, sizeof(*config));
	params->attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;
	params->xfam = TDX_XFAM_X87_SSE;
	params->max_vcpus = t->kvm->max_vcpus;
	params->eptp_controls = TDX_EPTP_MT_WB | TDX_EPTP_PWL_4;
	params->config_flags = TDX_CONFIG_FLAGS_NO_RBP_MOD;
	params->tsc_frequency = 1000 * 1000 / TDX_TSC_UNIT_KHZ;
	config->direct_bits = gpa_to_gfn(BIT_ULL(tdx_sw_gpa_width() - 1));
}

int tdx_test_init_td(struct tdx_test *t, u64 *hw_error)
{
	struct tdx_td_config *config = kzalloc(sizeof(*config), GFP_KERNEL);
	int r;

	KUNIT_ASSERT_NOT_NULL(t->vm.test, config);
	tdx_test_default_config(t, config);
	*hw_error = 0;

	mutex_lock(&t->kvm->lock);
	mutex_lock(&t->kvm->slots_lock);
	r = tdx_td_init(t->kvm, config, hw_error);
	mutex_unlock(&t->kvm->slots_lock);
	mutex_unlock(&t->kvm->lock);

	kfree(config);
	return r;
}

/* CPUID.1:ECX.X2APIC is what INIT_VCPU asks for. */
static int set_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *entry;

	entry = kvzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;

	entry->function = 1;
	entry->ecx = BIT(21);
	vcpu->arch.cpuid_entries = entry;
	vcpu->arch.cpuid_nent = 1;
	vcpu->arch.maxphyaddr = 48;
	return 0;
}

/* Those of KVM are kvm_main.c's own, and only set up with a vendor module. */

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	struct kvm_vcpu *vcpu = container_of(notifier, struct kvm_vcpu, preempt_notifier);

	*this_cpu_ptr(kvm_get_running_vcpus()) = vcpu;
	kvm_arch_vcpu_load(vcpu, cpu);
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	kvm_arch_vcpu_put(container_of(notifier, struct kvm_vcpu, preempt_notifier));
	*this_cpu_ptr(kvm_get_running_vcpus()) = NULL;
}

static struct preempt_ops preempt_ops = {
	.sched_in = sched_in,
	.sched_out = sched_out,
};

struct kvm_vcpu *tdx_test_create_vcpu(struct tdx_test *t)
{
	struct vcpu_tdx *tdx = kvzalloc(sizeof(*tdx), GFP_KERNEL);
	struct kunit *test = t->vm.test;
	struct kvm_vcpu *vcpu;

	KUNIT_ASSERT_NOT_NULL(test, tdx);
	KUNIT_ASSERT_LT(test, t->nr_vcpus, TDX_TEST_MAX_VCPUS);
	vcpu = &tdx->vcpu;
	mutex_init(&vcpu->mutex);
	vcpu->vcpu_id = t->nr_vcpus;
	vcpu->vcpu_idx = t->nr_vcpus;
	vcpu->cpu = -1;
	preempt_notifier_init(&vcpu->preempt_notifier, &preempt_ops);

	test_vcpu_init(&t->vm, vcpu);
	KUNIT_ASSERT_EQ(test, set_cpuid(vcpu), 0);
	KUNIT_ASSERT_TRUE(test, fpu_alloc_guest_fpstate(&vcpu->arch.guest_fpu));
	KUNIT_ASSERT_EQ(test, kvm_create_lapic(vcpu), 0);
	KUNIT_ASSERT_EQ(test, tdx_vcpu_create(vcpu), 0);

	KUNIT_ASSERT_FALSE(test, xa_is_err(xa_store(&t->kvm->vcpu_array, vcpu->vcpu_idx,
						    vcpu, GFP_KERNEL)));
	atomic_inc(&t->kvm->online_vcpus);
	t->vcpus[t->nr_vcpus++] = vcpu;
	return vcpu;
}

int tdx_test_init_vcpu(struct tdx_test *t, struct kvm_vcpu *vcpu)
{
	int r;

	mutex_lock(&t->kvm->lock);
	mutex_lock(&vcpu->mutex);
	mutex_lock(&t->kvm->slots_lock);

	vcpu_load(vcpu);
	r = tdx_vcpu_init(vcpu, 0);
	vcpu_put(vcpu);

	mutex_unlock(&t->kvm->slots_lock);
	mutex_unlock(&vcpu->mutex);
	mutex_unlock(&t->kvm->lock);
	return r;
}

int tdx_test_finalize(struct tdx_test *t)
{
	u64 hw_error = 0;

	guard(mutex)(&t->kvm->slots_lock);

	return tdx_td_finalize(t->kvm, &hw_error);
}

void tdx_test_create_td(struct tdx_test *t)
{
	u64 hw_error;

	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_init_td(t, &hw_error), 0);
	t->tdr = t->kvm_tdx->tdr;
	t->hkid = t->kvm_tdx->hkid;
}

void tdx_test_create_vcpus(struct tdx_test *t)
{
	int i;

	for (i = 0; i < TDX_TEST_MAX_VCPUS; i++)
		KUNIT_ASSERT_EQ(t->vm.test,
				tdx_test_init_vcpu(t, tdx_test_create_vcpu(t)), 0);
}

int tdx_fixture_init(struct kunit *test)
{
	tdx_test_create_vm(test);
	tdx_test_create_td(test->priv);
	tdx_test_create_vcpus(test->priv);
	tdx_test_reset_counts(test->priv);
	return 0;
}

int tdx_fixture_init_runnable(struct kunit *test)
{
	int r = tdx_fixture_init(test);

	if (r)
		return r;

	KUNIT_ASSERT_EQ(test, tdx_test_finalize(test->priv), 0);
	tdx_test_reset_counts(test->priv);
	return 0;
}

/*
 * The end of the TD
 */

/* Hold a page, to be able to tell later whether KVM has freed it. */
static void watch_page(struct tdx_test *t, phys_addr_t pa)
{
	struct page *page = pfn_to_page(PHYS_PFN(pa));

	if (!pa || xa_load(&t->control_pages, PHYS_PFN(pa)))
		return;

	KUNIT_EXPECT_FALSE(t->vm.test, xa_is_err(xa_store(&t->control_pages, PHYS_PFN(pa),
							  page, GFP_KERNEL)));
	get_page(page);
}

static int watch_sept_page(const struct tdx_sw_sept_info *info, void *data)
{
	if (info->state & 0x80)
		watch_page(data, info->hpa);
	return 0;
}

static void watch_control_pages(struct tdx_test *t)
{
	struct vcpu_tdx *tdx;
	unsigned int i, j;

	watch_page(t, t->kvm_tdx->tdr);
	for (i = 0; i < t->kvm_tdx->nr_tdcs; i++)
		watch_page(t, t->kvm_tdx->tdcs[i]);

	for (i = 0; i < t->nr_vcpus; i++) {
		tdx = to_tdx(t->vcpus[i]);
		watch_page(t, tdx->tdvpr);
		for (j = 0; j < tdx->nr_tdcx; j++)
			watch_page(t, tdx->tdcx[j]);
	}

	if (t->kvm_tdx->tdr)
		tdx_sw_test_sept_walk(t->kvm_tdx->tdr, watch_sept_page, t);
}

static void destroy_vcpu(struct kvm_vcpu *vcpu)
{
	tdx_vcpu_free(vcpu);
	kvm_free_lapic(vcpu);
	fpu_free_guest_fpstate(&vcpu->arch.guest_fpu);
	kvfree(vcpu->arch.cpuid_entries);
	kvm_mmu_destroy(vcpu);
	kvfree(to_tdx(vcpu));
}

void tdx_test_destroy(struct tdx_test *t)
{
	unsigned int i;

	if (t->destroyed)
		return;

	watch_control_pages(t);

	tdx_vm_end(t->kvm);
	for (i = 0; i < t->nr_vcpus; i++) {
		destroy_vcpu(t->vcpus[i]);
		xa_erase(&t->kvm->vcpu_array, i);
	}
	t->nr_vcpus = 0;
	atomic_set(&t->kvm->online_vcpus, 0);
	kvfree(rcu_dereference_protected(t->kvm->arch.apic_map, true));
	kvm_mmu_uninit_vm(t->kvm);
	tdx_vm_destroy(t->kvm);
	t->destroyed = true;
}

static int write_back_caches(void *unused)
{
	u64 status = tdh_phymem_cache_wb(false);

	while (tdx_status_is_interrupted(status))
		status = tdh_phymem_cache_wb(true);
	return 0;
}

static void flush_vcpu(void *tdvpr)
{
	tdh_vp_flush(*(phys_addr_t *)tdvpr);
}

/* On one CPU after the other, or else they find each other's lock. */
static void flush_vcpus(struct tdx_test *t)
{
	struct tdx_sw_vcpu_info info;
	unsigned long pfn;
	struct page *page;
	phys_addr_t pa;
	int cpu;

	guard(cpus_read_lock)();

	xa_for_each(&t->control_pages, pfn, page) {
		pa = page_to_phys(page);
		if (tdx_sw_test_vcpu(pa, &info))
			continue;
		for_each_online_cpu(cpu)
			smp_call_function_single(cpu, flush_vcpu, &pa, true);
	}
}

/* What a host that has leaked a key can't do: go on where it has failed. */
static void recover_key(struct tdx_test *t)
{
	unsigned int cpu;

	if (!tdx_has_key(t->kvm_tdx) || !t->tdr)
		return;

	flush_vcpus(t);
	/* It may have been done, and may have been what failed. */
	tdh_mng_vpflushdone(t->tdr);
	scoped_guard(cpus_read_lock) {
		for_each_online_cpu(cpu)
			smp_call_on_cpu(cpu, write_back_caches, NULL, false);
	}
	KUNIT_EXPECT_EQ(t->vm.test, tdh_mng_key_freeid(t->tdr), TDX_SUCCESS);

	misc_cg_uncharge(MISC_CG_RES_TDX, t->kvm_tdx->misc_cg, 1);
	put_misc_cg(t->kvm_tdx->misc_cg);
	tdx_guest_keyid_free(t->kvm_tdx->hkid);
	tdx_stats_key_released();
}

/* The fixture has one reference; one more is that of a page that has leaked. */
static void recover_page(struct tdx_test *t, struct page *page)
{
	struct tdx_sw_page_info info = {};
	struct tdh_page_md md;

	if (!tdx_sw_test_page(page_to_phys(page), &info) && info.type != PT_NDA) {
		/* What belongs to the module must not be free. */
		KUNIT_EXPECT_EQ(t->vm.test, page_count(page), 2);
		KUNIT_EXPECT_EQ(t->vm.test, tdh_phymem_page_reclaim(page_to_phys(page), &md),
				TDX_SUCCESS);
	}

	if (page_count(page) > 1) {
		t->nr_leaked++;
		tdh_phymem_page_wbinvd(page_to_phys(page), t->hkid);
		tdx_clear_page(page_to_phys(page));
		put_page(page);
	}
	KUNIT_EXPECT_EQ(t->vm.test, page_count(page), 1);
	put_page(page);
}

/* Take all pages back, the TDR last.  Some may be leaked, none may be lost. */
static void recover_pages(struct tdx_test *t)
{
	struct page *page, *tdr = NULL;
	unsigned long index;

	xa_for_each(&t->pages, index, page)
		recover_page(t, page);

	xa_for_each(&t->control_pages, index, page) {
		if (page_to_phys(page) == t->tdr)
			tdr = page;
		else
			recover_page(t, page);
	}
	if (tdr)
		recover_page(t, tdr);

	xa_destroy(&t->pages);
	xa_destroy(&t->control_pages);
}

void tdx_fixture_exit(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	if (!t)
		return;

	KUNIT_EXPECT_EQ_MSG(test, tdx_sw_inject_clear(), 0, "a fault has not been met");
	tdx_test_destroy(t);
	if (!t->want_leaked)
		KUNIT_EXPECT_EQ(test, tdx_nr_pages(), t->old_pages);
	recover_key(t);
	recover_pages(t);

	/* What is lost is counted, page by page, and nothing else is. */
	KUNIT_EXPECT_EQ(test, t->nr_leaked, t->want_leaked);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.tdx_pages_leaked), t->nr_leaked);
	KUNIT_EXPECT_EQ(test, tdx_nr_leaked_pages() - t->old_leaked, t->nr_leaked);
	if (t->hkid != TDX_NO_HKID)
		KUNIT_EXPECT_EQ(test, tdx_sw_test_kot(t->hkid, NULL), 0);

	preempt_notifier_dec();
	cleanup_srcu_struct(&t->kvm->srcu);
	__free_page(t->source);
	kvfree(t->kvm_tdx);
}

/*
 * Memory
 */

struct page *tdx_test_page(struct tdx_test *t, gfn_t gfn)
{
	struct page *page = xa_load(&t->pages, gfn);

	if (page)
		return page;

	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(t->vm.test, page);
	KUNIT_ASSERT_FALSE(t->vm.test, xa_is_err(xa_store(&t->pages, gfn, page, GFP_KERNEL)));
	return page;
}

struct page *tdx_test_large_page(struct tdx_test *t, gfn_t gfn)
{
	gfn_t start = gfn_round_for_level(gfn, PG_LEVEL_2M);
	struct page *page = xa_load(&t->pages, start);
	int order = KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M), i;

	if (page)
		return page;

	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
	KUNIT_ASSERT_NOT_NULL(t->vm.test, page);
	split_page(page, order);
	for (i = 0; i < 1 << order; i++)
		KUNIT_ASSERT_FALSE(t->vm.test, xa_is_err(xa_store(&t->pages, start + i,
								  page + i, GFP_KERNEL)));
	return page;
}

int tdx_test_fault_on(struct tdx_test *t, struct kvm_vcpu *vcpu, gfn_t gfn)
{
	int r = test_vcpu_topup(vcpu);

	return r ?: test_map(vcpu, gfn, page_to_pfn(tdx_test_page(t, gfn)), true);
}

int tdx_test_fault_large(struct tdx_test *t, gfn_t gfn)
{
	struct page *page = tdx_test_large_page(t, gfn);
	int r = test_vcpu_topup(t->vcpus[0]);

	return r ?: test_map_large(t->vcpus[0], gfn, page_to_pfn(page));
}

int tdx_test_fault(struct tdx_test *t, gfn_t gfn)
{
	int r;

	if (tdx_is_runnable(t->kvm_tdx))
		return tdx_test_fault_on(t, t->vcpus[0], gfn);

	guard(mutex)(&t->kvm->slots_lock);

	t->kvm_tdx->add_source = page_to_phys(t->source);
	r = tdx_test_fault_on(t, t->vcpus[0], gfn);
	t->kvm_tdx->add_source = 0;
	if (r == RET_PF_FIXED)
		xa_set_mark(&t->pages, gfn, TDX_TEST_ADDED);

	return r;
}

void tdx_test_map_range(struct tdx_test *t, gfn_t start, gfn_t end)
{
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++)
		KUNIT_ASSERT_EQ(t->vm.test, tdx_test_fault(t, gfn), RET_PF_FIXED);
}

int tdx_test_split(struct tdx_test *t, gfn_t start, gfn_t end)
{
	const gfn_t cuts[] = { start, end };

	return kvm_arch_split_private_mappings(t->kvm, cuts, ARRAY_SIZE(cuts));
}

void tdx_test_punch_hole(struct tdx_test *t, gfn_t start, gfn_t end, bool yield)
{
	struct page *page;
	unsigned long gfn;

	if (yield)
		test_unmap(&t->vm, start, end, KVM_FILTER_PRIVATE);
	else
		test_unmap_without_yield(&t->vm, start, end);

	xa_for_each_range(&t->pages, gfn, page, start, end - 1)
		xa_clear_mark(&t->pages, gfn, TDX_TEST_ADDED);
}

/*
 * Expectations
 */

u64 tdx_test_spte(struct tdx_test *t, gfn_t gfn, int level)
{
	return test_read_spte(t->vcpus[0], gfn, level);
}

bool tdx_test_sept(struct tdx_test *t, gfn_t gfn, int level,
		   struct tdx_sw_sept_info *info)
{
	return !tdx_sw_test_sept(t->tdr, gfn_to_gpa(gfn), level - PG_LEVEL_4K, info);
}

/* That the mirror says the same is for tdx_test_expect_trees_equal(). */
void tdx_test_expect_entry(struct tdx_test *t, gfn_t gfn, int level, u8 state)
{
	struct tdx_sw_sept_info info = {};

	if (!tdx_test_sept(t, gfn, level, &info))
		KUNIT_EXPECT_EQ(t->vm.test, state, TDX_SEPT_FREE);
	else
		KUNIT_EXPECT_EQ(t->vm.test, info.state, state);
}

struct task_struct *tdx_test_other_cpu_thread(struct tdx_test *t, int (*fn)(void *data),
					      void *data)
{
	struct task_struct *task = kthread_create(fn, data, "tdx-test");

	KUNIT_ASSERT_FALSE(t->vm.test, IS_ERR(task));
	tdx_sw_test_stay_on(cpumask_nth(0, cpu_online_mask));
	kthread_bind(task, cpumask_nth(1, cpu_online_mask));
	return task;
}

u64 tdx_test_nr_calls(struct tdx_test *t, unsigned int leaf)
{
	return tdx_sw_count(leaf, NULL) - t->module_calls[leaf];
}

void tdx_test_expect_written_back(struct tdx_test *t, u64 page, u16 hkid)
{
	KUNIT_EXPECT_EQ(t->vm.test, tdx_sw_last_rcx(TDH_PHYMEM_PAGE_WBINVD),
			page | (u64)hkid << boot_cpu_data.x86_phys_bits);
}

void tdx_test_reset_counts(struct tdx_test *t)
{
	struct kvm_vm_stat *stat = &t->kvm->stat;
	unsigned int leaf;

	for (leaf = 0; leaf < TDX_NR_LEAVES; leaf++) {
		atomic64_set(&t->kvm_tdx->seamcalls[leaf], 0);
		t->module_calls[leaf] = tdx_sw_count(leaf, NULL);
	}

	atomic64_set(&stat->tdx_pages_mapped, 0);
	atomic64_set(&stat->tdx_pages_removed, 0);
	atomic64_set(&stat->tdx_track_rounds, 0);
	atomic64_set(&stat->tdx_kicks, 0);
	atomic64_set(&stat->tdx_busy_removals, 0);
	atomic64_set(&stat->tdx_pages_mapped_2m, 0);
	atomic64_set(&stat->tdx_splits, 0);
}

void tdx_test_expect_calls(struct tdx_test *t, unsigned int leaf, u64 want)
{
	KUNIT_EXPECT_EQ_MSG(t->vm.test, atomic64_read(&t->kvm_tdx->seamcalls[leaf]), want,
			    "TDH.%s, as KVM counts", tdx_leaf_name(leaf));
	KUNIT_EXPECT_EQ_MSG(t->vm.test, tdx_test_nr_calls(t, leaf),
			    want, "TDH.%s, as the module counts", tdx_leaf_name(leaf));
}

void tdx_test_expect_rounds(struct tdx_test *t, u64 rounds, u64 kicks, u64 busy)
{
	struct kvm_vm_stat *stat = &t->kvm->stat;

	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&stat->tdx_track_rounds), rounds);
	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&stat->tdx_kicks), kicks);
	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&stat->tdx_busy_removals), busy);
	KUNIT_EXPECT_FALSE(t->vm.test, t->kvm_tdx->hold_off_entry);
}

void tdx_test_expect_pages(struct tdx_test *t, u64 mapped, u64 removed, u64 leaked)
{
	struct kvm_vm_stat *stat = &t->kvm->stat;

	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&stat->tdx_pages_mapped), mapped);
	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&stat->tdx_pages_removed), removed);
	KUNIT_EXPECT_EQ(t->vm.test, atomic64_read(&stat->tdx_pages_leaked), leaked);
}

void tdx_test_expect_bugged(struct tdx_test *t, bool bugged)
{
	KUNIT_EXPECT_EQ(t->vm.test, t->kvm->vm_bugged, bugged);
	KUNIT_EXPECT_EQ(t->vm.test, t->kvm->vm_dead, bugged);
}
