// SPDX-License-Identifier: GPL-2.0
/*
 * The hand-made VM of the MMU's KUnit suites.  The model of the external table
 * is in model.c.
 */
#include <kunit/test.h>

#include "mmu.h"
#include "mmu_fixture.h"
#include "model.h"

static bool fixture_loaded_mmu;
static u8 old_maxphyaddr;

/*
 * Without a vendor module the MMU has neither caches nor masks.  With one, e.g.
 * where there is VMX, both are there already and must stay.
 */
int mmu_fixture_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (mmu_page_header_cache)
		return 0;

	ret = kvm_mmu_vendor_module_init();
	if (ret)
		return ret;

	kvm_configure_mmu(true, 0, PT64_ROOT_4LEVEL, PG_LEVEL_2M);
	kvm_mmu_set_ept_masks(true, true);
	static_call_update(kvm_x86_get_mt_mask,
			   (void *)__static_call_return0);
	/* So that the whole of a VM's GPA space can be mapped. */
	old_maxphyaddr = kvm_host.maxphyaddr;
	kvm_host.maxphyaddr = 52;
	fixture_loaded_mmu = true;
	return 0;
}

void mmu_fixture_suite_exit(struct kunit_suite *suite)
{
	model_uninstall();

	if (!fixture_loaded_mmu)
		return;

	rcu_barrier();
	kvm_mmu_vendor_module_exit();
	kvm_host.maxphyaddr = old_maxphyaddr;
	fixture_loaded_mmu = false;
}

int mmu_fixture_init(struct kunit *test)
{
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	vm->test = test;
	test->priv = vm;

	vm->kvm = kvzalloc(sizeof(*vm->kvm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vm->kvm);

	rwlock_init(&vm->kvm->mmu_lock);
	mutex_init(&vm->kvm->slots_lock);
	xa_init(&vm->kvm->vcpu_array);
	KUNIT_ASSERT_EQ(test, init_srcu_struct(&vm->kvm->srcu), 0);
	KUNIT_ASSERT_EQ(test, kvm_mmu_init_vm(vm->kvm), 0);
	vm->kvm->arch.gfn_direct_bits = TEST_DIRECT_BIT;
	kvm_mmu_set_mmio_spte_value(vm->kvm, 0);
	rcu_assign_pointer(vm->kvm->memslots[0], &vm->kvm->__memslots[0][0]);

	vm->slot.npages = TEST_DIRECT_BIT;
	vm->page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, TEST_PAGE_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, vm->page);

	model_init(&vm->model);
	model_install(&vm->model);
	return 0;
}

/* Invalidate the roots and zap them, and with them all that is left. */
void test_destroy_roots(struct test_vm *vm)
{
	vm->model.key_gone = true;
	kvm_mmu_uninit_vm(vm->kvm);
	vm->kvm->arch.mmu_page_hash = NULL;
	kvm_mmu_init_tdp_mmu(vm->kvm);
}

void mmu_fixture_exit(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	vm->model.key_gone = true;
	kvm_mmu_uninit_vm(vm->kvm);

	KUNIT_EXPECT_TRUE(test, xa_empty(&vm->model.entries));
	xa_destroy(&vm->model.entries);
	model_uninstall();

	cleanup_srcu_struct(&vm->kvm->srcu);
	__free_pages(vm->page, TEST_PAGE_ORDER);
	kvfree(vm->kvm);
}

void test_vcpu_init(struct test_vm *vm, struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu;

	vcpu->kvm = vm->kvm;
	KUNIT_ASSERT_EQ(vm->test, kvm_mmu_create(vcpu), 0);

	mmu = vcpu->arch.mmu;
	mmu->root_role.level = PT64_ROOT_4LEVEL;
	mmu->root_role.direct = 1;
	mmu->root_role.access = ACC_ALL;

	KUNIT_ASSERT_EQ(vm->test, test_vcpu_topup(vcpu), 0);
	KUNIT_ASSERT_EQ(vm->test, kvm_tdp_mmu_alloc_root(vcpu, true), 0);
	KUNIT_ASSERT_EQ(vm->test, kvm_tdp_mmu_alloc_root(vcpu, false), 0);
}

struct kvm_vcpu *test_vcpu_create(struct test_vm *vm)
{
	struct kvm_vcpu *vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(vm->test, vcpu);
	test_vcpu_init(vm, vcpu);
	return vcpu;
}

void test_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	kvm_mmu_destroy(vcpu);
	kvfree(vcpu);
}

int test_vcpu_topup(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu_memory_cache *caches[] = {
		&vcpu->arch.mmu_shadow_page_cache,
		&vcpu->arch.mmu_page_header_cache,
		&vcpu->arch.mmu_external_spt_cache,
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		ret = kvm_mmu_topup_memory_cache(caches[i], PT64_ROOT_MAX_LEVEL);
		if (ret)
			return ret;
	}

	return 0;
}

static int map(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot, gfn_t gfn,
	       kvm_pfn_t pfn, bool private, u8 level)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_page_fault fault = {
		.addr = gfn_to_gpa(gfn),
		.error_code = PFERR_WRITE_MASK,
		.write = true,
		.is_tdp = true,
		.is_private = private,
		/* So that it is left alone. */
		.max_level = PG_LEVEL_4K,
		.req_level = level,
		.goal_level = level,
		.gfn = gfn,
		.slot = slot,
		.pfn = ALIGN_DOWN(pfn, KVM_PAGES_PER_HPAGE(level)),
		.map_writable = slot,
	};

	guard(read_lock)(&kvm->mmu_lock);

	if (mmu_invalidate_retry_gfn(kvm, kvm->mmu_invalidate_seq, gfn))
		return RET_PF_RETRY;

	return kvm_tdp_mmu_map(vcpu, &fault);
}

static struct kvm_memory_slot whole_slot = { .npages = TEST_DIRECT_BIT };

int test_map(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn, bool private)
{
	return map(vcpu, &whole_slot, gfn, pfn, private, PG_LEVEL_4K);
}

int test_map_large(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn)
{
	return map(vcpu, &whole_slot, gfn, pfn, true, PG_LEVEL_2M);
}

int test_map_mmio(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	return map(vcpu, NULL, gfn, KVM_PFN_NOSLOT, false, PG_LEVEL_4K);
}

void test_map_range(struct test_vm *vm, struct kvm_vcpu *vcpu, gfn_t start,
		    gfn_t end)
{
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++) {
		KUNIT_ASSERT_EQ(vm->test, test_vcpu_topup(vcpu), 0);
		KUNIT_ASSERT_EQ(vm->test, RET_PF_FIXED,
				test_map(vcpu, gfn, page_to_pfn(vm->page), true));
	}
}

void test_map_large_range(struct test_vm *vm, struct kvm_vcpu *vcpu, gfn_t start,
			  gfn_t end)
{
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn += KVM_PAGES_PER_HPAGE(PG_LEVEL_2M)) {
		KUNIT_ASSERT_EQ(vm->test, test_vcpu_topup(vcpu), 0);
		KUNIT_ASSERT_EQ(vm->test, RET_PF_FIXED,
				test_map_large(vcpu, gfn, page_to_pfn(vm->page)));
	}
}

static bool unmap(struct test_vm *vm, gfn_t start, gfn_t end,
		  enum kvm_gfn_range_filter filter, bool may_block)
{
	struct kvm_gfn_range range = {
		.slot = &vm->slot,
		.start = start,
		.end = end,
		.may_block = may_block,
		.attr_filter = filter,
	};
	bool flush;

	write_lock(&vm->kvm->mmu_lock);
	kvm_mmu_invalidate_begin(vm->kvm);
	kvm_mmu_invalidate_range_add(vm->kvm, start, end);
	flush = kvm_tdp_mmu_unmap_gfn_range(vm->kvm, &range, false);
	kvm_mmu_invalidate_end(vm->kvm);
	write_unlock(&vm->kvm->mmu_lock);

	return flush;
}

bool test_unmap(struct test_vm *vm, gfn_t start, gfn_t end,
		enum kvm_gfn_range_filter filter)
{
	return unmap(vm, start, end, filter, true);
}

bool test_unmap_without_yield(struct test_vm *vm, gfn_t start, gfn_t end)
{
	return unmap(vm, start, end, KVM_FILTER_PRIVATE, false);
}

struct kvm_mmu_page *test_mirror_root(struct kvm_vcpu *vcpu)
{
	return root_to_sp(vcpu->arch.mmu->mirror_root_hpa);
}

static u64 read_spte(struct kvm *kvm, struct kvm_mmu_page *root, gfn_t gfn,
		     int level)
{
	struct tdp_iter iter;
	u64 spte = 0;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, level, gfn, gfn + 1) {
		if (iter.level == level)
			spte = iter.old_spte;
	}
	rcu_read_unlock();

	return spte;
}

u64 test_read_spte(struct kvm_vcpu *vcpu, gfn_t gfn, int level)
{
	return read_spte(vcpu->kvm, test_mirror_root(vcpu), gfn, level);
}

u64 test_read_direct_spte(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	return read_spte(vcpu->kvm, root_to_sp(vcpu->arch.mmu->root.hpa), gfn,
			 PG_LEVEL_4K);
}

static enum model_state spte_to_model_state(u64 spte, int level)
{
	if (!is_shadow_present_pte(spte))
		return MODEL_FREE_ENTRY;

	return is_last_spte(spte, level) ? MODEL_LEAF : MODEL_TABLE;
}

/*
 * The mirror is walked once, and what is present there has to be in the model.
 * Equal numbers then mean that there is nothing else in the model.
 */
void test_expect_trees_equal(struct test_vm *vm, struct kvm_vcpu *vcpu)
{
	struct tdp_iter iter;
	unsigned long nr_mirror = 0;
	unsigned long index, nr_model = 0;
	void *entry;

	xa_for_each(&vm->model.entries, index, entry)
		nr_model++;

	write_lock(&vm->kvm->mmu_lock);
	rcu_read_lock();
	for_each_tdp_pte(iter, test_mirror_root(vcpu), 0, TEST_DIRECT_BIT) {
		enum model_state want = spte_to_model_state(iter.old_spte, iter.level);

		if (is_frozen_spte(iter.old_spte))
			KUNIT_FAIL(vm->test, "frozen at %llx level %d\n",
				   iter.gfn, iter.level);
		if (want == MODEL_FREE_ENTRY)
			continue;

		nr_mirror++;
		if (model_state(vm, iter.gfn, iter.level) != want)
			KUNIT_FAIL(vm->test, "gfn %llx level %d: mirror %d, external %d\n",
				   iter.gfn, iter.level, want,
				   model_state(vm, iter.gfn, iter.level));
	}
	rcu_read_unlock();
	write_unlock(&vm->kvm->mmu_lock);

	KUNIT_EXPECT_EQ(vm->test, nr_mirror, nr_model);
}

void test_expect_no_violation(struct test_vm *vm)
{
	KUNIT_EXPECT_EQ_MSG(vm->test, vm->model.nr_violations, 0, "%s",
			    vm->model.violation ?: "");
	KUNIT_EXPECT_FALSE(vm->test, vm->kvm->vm_bugged);
}
