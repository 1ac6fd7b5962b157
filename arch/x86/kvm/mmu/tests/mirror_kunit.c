// SPDX-License-Identifier: GPL-2.0
/*
 * Mirror roots and the shared bit: which VM has what, which root an operation
 * reaches, where a walk of the direct tree looks, what a new slot changes there.
 */
#include <kunit/test.h>

#include "mmu.h"
#include "mmu_fixture.h"

static void shared_bit_tells_direct_from_mirror(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	gpa_t shared = gfn_to_gpa(TEST_DIRECT_BIT);

	KUNIT_EXPECT_TRUE(test, kvm_has_mirrored_tdp(vm->kvm));
	KUNIT_EXPECT_FALSE(test, kvm_is_addr_direct(vm->kvm, 0x1000));
	KUNIT_EXPECT_TRUE(test, kvm_is_addr_direct(vm->kvm, shared | 0x1000));
	KUNIT_EXPECT_FALSE(test, kvm_is_gfn_alias(vm->kvm, TEST_DIRECT_BIT - 1));
	KUNIT_EXPECT_TRUE(test, kvm_is_gfn_alias(vm->kvm, TEST_DIRECT_BIT));
	KUNIT_EXPECT_EQ(test, 0x1000, kvm_gpa_strip_direct_bits(vm->kvm, shared | 0x1000));
}

static void ordinary_vm_has_only_direct_addresses(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	vm->kvm->arch.gfn_direct_bits = 0;

	KUNIT_EXPECT_FALSE(test, kvm_has_mirrored_tdp(vm->kvm));
	KUNIT_EXPECT_TRUE(test, kvm_is_addr_direct(vm->kvm, 0));
	KUNIT_EXPECT_TRUE(test, kvm_is_addr_direct(vm->kvm, gfn_to_gpa(TEST_DIRECT_BIT)));
	KUNIT_EXPECT_FALSE(test, kvm_is_gfn_alias(vm->kvm, TEST_DIRECT_BIT));
	KUNIT_EXPECT_EQ(test, TDP_ROOTS_DIRECT,
			kvm_filter_to_root_types(vm->kvm, KVM_FILTER_PRIVATE));
	KUNIT_EXPECT_EQ(test, TDP_ROOTS_DIRECT,
			kvm_filter_to_root_types(vm->kvm, KVM_FILTER_SHARED));
}

static void filter_selects_the_side_that_is_given_up(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	KUNIT_EXPECT_EQ(test, TDP_ROOTS_MIRROR,
			kvm_filter_to_root_types(vm->kvm, KVM_FILTER_PRIVATE));
	KUNIT_EXPECT_EQ(test, TDP_ROOTS_DIRECT,
			kvm_filter_to_root_types(vm->kvm, KVM_FILTER_SHARED));
	KUNIT_EXPECT_EQ(test, TDP_ROOTS_VALID,
			kvm_filter_to_root_types(vm->kvm, KVM_FILTER_PRIVATE |
							  KVM_FILTER_SHARED));
}

static void root_types_are_exclusive(struct kunit *test)
{
	union kvm_mmu_page_role role = {};

	KUNIT_EXPECT_TRUE(test, is_root_of_type(role, TDP_ROOTS_DIRECT));
	KUNIT_EXPECT_FALSE(test, is_root_of_type(role, TDP_ROOTS_MIRROR));
	role.is_mirror = 1;
	KUNIT_EXPECT_FALSE(test, is_root_of_type(role, TDP_ROOTS_DIRECT));
	KUNIT_EXPECT_TRUE(test, is_root_of_type(role, TDP_ROOTS_MIRROR));
	role.invalid = 1;
	KUNIT_EXPECT_FALSE(test, is_root_of_type(role, TDP_ROOTS_VALID));
	KUNIT_EXPECT_TRUE(test, is_root_of_type(role, TDP_ROOTS_ALL));
	KUNIT_EXPECT_FALSE(test, is_root_of_type(role, TDP_ROOTS_DIRECT |
						       TDP_ROOTS_INVALID));
}

static void vcpus_share_one_mirror_root(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *a = test_vcpu_create(vm), *b = test_vcpu_create(vm);

	KUNIT_EXPECT_EQ(test, a->arch.mmu->mirror_root_hpa, b->arch.mmu->mirror_root_hpa);
	KUNIT_EXPECT_EQ(test, a->arch.mmu->root.hpa, b->arch.mmu->root.hpa);
	KUNIT_EXPECT_NE(test, a->arch.mmu->mirror_root_hpa, a->arch.mmu->root.hpa);
	KUNIT_EXPECT_TRUE(test, is_mirror_sp(test_mirror_root(a)));
	KUNIT_EXPECT_NULL(test, test_mirror_root(a)->external_spt);

	test_vcpu_destroy(b);
	test_vcpu_destroy(a);
}

static void mirror_root_outlives_mmu_unload(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	hpa_t root = vcpu->arch.mmu->mirror_root_hpa;

	test_map_range(vm, vcpu, 0, 1);
	kvm_mmu_unload(vcpu);

	KUNIT_EXPECT_FALSE(test, VALID_PAGE(vcpu->arch.mmu->root.hpa));
	KUNIT_EXPECT_EQ(test, root, vcpu->arch.mmu->mirror_root_hpa);
	KUNIT_EXPECT_EQ(test, MODEL_LEAF, model_state(vm, 0, PG_LEVEL_4K));
	test_expect_trees_equal(vm, vcpu);

	test_vcpu_destroy(vcpu);
}

/* The direct tree is indexed with the shared bit, and reports gfns without. */
static void direct_walk_is_at_the_shared_half(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_mmu_page *root = root_to_sp(vcpu->arch.mmu->root.hpa);
	int top = SPTE_INDEX(gfn_to_gpa(TEST_DIRECT_BIT), PT64_ROOT_4LEVEL);
	struct tdp_iter iter;
	int nr_leaves = 0;

	KUNIT_ASSERT_EQ(test, RET_PF_FIXED,
			test_map(vcpu, 5, page_to_pfn(vm->page), false));

	KUNIT_EXPECT_TRUE(test, is_shadow_present_pte(root->spt[top]));
	KUNIT_EXPECT_FALSE(test, is_shadow_present_pte(root->spt[0]));

	rcu_read_lock();
	for_each_tdp_pte(iter, root, 0, TEST_DIRECT_BIT) {
		if (!is_shadow_present_pte(iter.old_spte) ||
		    !is_last_spte(iter.old_spte, iter.level))
			continue;
		nr_leaves++;
		KUNIT_EXPECT_EQ(test, 5, iter.gfn);
	}
	rcu_read_unlock();

	KUNIT_EXPECT_EQ(test, 1, nr_leaves);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_MAP]);
	test_vcpu_destroy(vcpu);
}

/* Whatever end it is given: behind the root's last entry is other memory. */
static void direct_walk_ends_with_the_root(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_mmu_page *root = root_to_sp(vcpu->arch.mmu->root.hpa);
	u64 *last = NULL;
	struct tdp_iter iter;
	int nr = 0;

	rcu_read_lock();
	for_each_tdp_pte_min_level(iter, root, PT64_ROOT_4LEVEL, 0, ~0ull) {
		last = rcu_dereference(iter.sptep);
		nr++;
		if (last == root->spt + SPTE_ENT_PER_PAGE - 1)
			KUNIT_EXPECT_EQ(test, TEST_DIRECT_BIT -
					KVM_PAGES_PER_HPAGE(PT64_ROOT_4LEVEL), iter.gfn);
		if (nr > SPTE_ENT_PER_PAGE)
			break;
	}
	rcu_read_unlock();

	KUNIT_EXPECT_EQ(test, SPTE_ENT_PER_PAGE / 2, nr);
	KUNIT_EXPECT_PTR_EQ(test, root->spt + SPTE_ENT_PER_PAGE - 1, last);
	test_vcpu_destroy(vcpu);
}

static void last_gfn_of_either_half_is_reached(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	gfn_t last = TEST_DIRECT_BIT - 1;

	test_map_range(vm, vcpu, last, last + 1);
	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
	KUNIT_EXPECT_EQ(test, RET_PF_FIXED,
			test_map(vcpu, last, page_to_pfn(vm->page), false));

	KUNIT_EXPECT_FALSE(test, test_unmap(vm, 0, TEST_DIRECT_BIT, KVM_FILTER_PRIVATE));
	KUNIT_EXPECT_EQ(test, 1, vm->model.count[MODEL_FINISH]);
	KUNIT_EXPECT_TRUE(test, test_unmap(vm, 0, TEST_DIRECT_BIT, KVM_FILTER_SHARED));

	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

/* Same role but for the mirror bit, same gfn: nothing done to one shows in the other. */
static void unmapping_one_side_keeps_the_other(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 7, 8);
	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED,
			test_map(vcpu, 7, page_to_pfn(vm->page), false));

	KUNIT_EXPECT_TRUE(test, test_unmap(vm, 0, 100, KVM_FILTER_SHARED));
	KUNIT_EXPECT_EQ(test, MODEL_LEAF, model_state(vm, 7, PG_LEVEL_4K));
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_BEGIN]);

	KUNIT_EXPECT_EQ(test, RET_PF_FIXED,
			test_map(vcpu, 7, page_to_pfn(vm->page), false));
	KUNIT_EXPECT_FALSE(test, test_unmap(vm, 0, 100, KVM_FILTER_PRIVATE));
	KUNIT_EXPECT_EQ(test, MODEL_FREE_ENTRY, model_state(vm, 7, PG_LEVEL_4K));
	/* Something to flush, so something was there. */
	KUNIT_EXPECT_TRUE(test, test_unmap(vm, 0, 100, KVM_FILTER_SHARED));

	test_expect_trees_equal(vm, vcpu);
	test_vcpu_destroy(vcpu);
}

/* R11, and what reaches everything of an ordinary VM. */
static void management_of_direct_mappings_skips_mirrors(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_gfn_range range = {
		.slot = &vm->slot, .start = 0, .end = 512,
		.attr_filter = KVM_FILTER_SHARED,
	};
	struct kvm *kvm = vm->kvm;
	u64 before;

	test_map_range(vm, vcpu, 0, 16);
	before = test_read_spte(vcpu, 3, PG_LEVEL_4K);
	model_reset_counts(vm);

	write_lock(&kvm->mmu_lock);
	KUNIT_EXPECT_FALSE(test, kvm_tdp_mmu_age_gfn_range(kvm, &range));
	KUNIT_EXPECT_FALSE(test, kvm_tdp_mmu_test_age_gfn(kvm, &range));
	KUNIT_EXPECT_FALSE(test, kvm_tdp_mmu_write_protect_gfn(kvm, &vm->slot, 3,
							       PG_LEVEL_4K));
	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, &vm->slot, 0, ~0ul, true);
	KUNIT_EXPECT_FALSE(test, kvm_tdp_mmu_zap_leafs(kvm, 0, 512, false));
	kvm_tdp_mmu_zap_all(kvm);
	write_unlock(&kvm->mmu_lock);

	read_lock(&kvm->mmu_lock);
	KUNIT_EXPECT_FALSE(test, kvm_tdp_mmu_wrprot_slot(kvm, &vm->slot, PG_LEVEL_4K));
	KUNIT_EXPECT_FALSE(test, kvm_tdp_mmu_clear_dirty_slot(kvm, &vm->slot));
	kvm_tdp_mmu_zap_collapsible_sptes(kvm, &vm->slot);
	kvm_tdp_mmu_try_split_huge_pages(kvm, &vm->slot, 0, 512, PG_LEVEL_4K, true);
	read_unlock(&kvm->mmu_lock);

	KUNIT_EXPECT_EQ(test, before, test_read_spte(vcpu, 3, PG_LEVEL_4K));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	test_expect_trees_equal(vm, vcpu);
	test_vcpu_destroy(vcpu);
}

static void map_mmio(struct test_vm *vm, struct kvm_vcpu *vcpu, gfn_t start,
		     gfn_t end)
{
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++) {
		KUNIT_ASSERT_EQ(vm->test, test_vcpu_topup(vcpu), 0);
		KUNIT_ASSERT_EQ(vm->test, RET_PF_EMULATE, test_map_mmio(vcpu, gfn));
	}
}

static void slot_comes(struct test_vm *vm, gfn_t start, gfn_t end)
{
	struct kvm_memory_slot slot = {
		.base_gfn = start, .npages = end - start,
	};

	mutex_lock(&vm->kvm->slots_lock);
	kvm_mmu_slot_zap_mmio_sptes(vm->kvm, &slot);
	mutex_unlock(&vm->kvm->slots_lock);
}

/* Amid the range there is shared memory, and all of it is private memory, too. */
static void slot_replaces_mmio_and_nothing_else(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	kvm_pfn_t pfn = page_to_pfn(vm->page);
	gfn_t gfn, start = 510, end = 518, mem = start + 2, mem_end = end - 2;

	map_mmio(vm, vcpu, start - 1, mem);
	map_mmio(vm, vcpu, mem_end, end + 1);
	for (gfn = mem; gfn < mem_end; gfn++)
		KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(vcpu, gfn, pfn, false));
	test_map_range(vm, vcpu, start, end);
	model_reset_counts(vm);

	slot_comes(vm, start, end);

	for (gfn = start - 1; gfn <= end; gfn++) {
		u64 spte = test_read_direct_spte(vcpu, gfn);
		bool in_slot = gfn >= start && gfn < end;

		KUNIT_EXPECT_EQ(test, !in_slot, is_mmio_spte(vm->kvm, spte));
		KUNIT_EXPECT_EQ(test, !in_slot, is_ept_ve_possible(spte));
		KUNIT_EXPECT_EQ(test, gfn >= mem && gfn < mem_end,
				is_shadow_present_pte(spte));
	}
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	test_expect_trees_equal(vm, vcpu);

	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, test_map(vcpu, start, pfn, false));
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static void last_mmio_spte_makes_way_for_a_slot(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	gfn_t last = TEST_DIRECT_BIT - 1;

	map_mmio(vm, vcpu, 0, 1);
	map_mmio(vm, vcpu, last, last + 1);

	slot_comes(vm, 0, TEST_DIRECT_BIT);

	KUNIT_EXPECT_EQ(test, SHADOW_NONPRESENT_VALUE, test_read_direct_spte(vcpu, 0));
	KUNIT_EXPECT_EQ(test, SHADOW_NONPRESENT_VALUE, test_read_direct_spte(vcpu, last));
	test_vcpu_destroy(vcpu);
}

/* It has the generation to tell what is outdated. */
static void ordinary_vm_keeps_its_mmio_sptes(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	u64 before;

	vm->kvm->arch.gfn_direct_bits = 0;
	kvm_mmu_set_mmio_spte_value(vm->kvm, shadow_mmio_value);
	map_mmio(vm, vcpu, 3, 4);
	before = test_read_direct_spte(vcpu, 3);
	KUNIT_ASSERT_TRUE(test, is_mmio_spte(vm->kvm, before));

	slot_comes(vm, 0, 512);

	KUNIT_EXPECT_EQ(test, before, test_read_direct_spte(vcpu, 3));
	test_vcpu_destroy(vcpu);
}

/* "Zap all" is for what can be faulted in again.  A mirror would lose its content. */
static void fast_zap_keeps_the_mirror(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_mmu_page *direct = root_to_sp(vcpu->arch.mmu->root.hpa);

	test_map_range(vm, vcpu, 7, 8);
	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED,
			test_map(vcpu, 7, page_to_pfn(vm->page), false));
	model_reset_counts(vm);

	/* A generation that has wrapped around. */
	mutex_lock(&vm->kvm->slots_lock);
	kvm_mmu_invalidate_mmio_sptes(vm->kvm, 0);
	mutex_unlock(&vm->kvm->slots_lock);

	KUNIT_EXPECT_TRUE(test, direct->role.invalid);
	KUNIT_EXPECT_FALSE(test, is_shadow_present_pte(test_read_direct_spte(vcpu, 7)));
	KUNIT_EXPECT_FALSE(test, test_mirror_root(vcpu)->role.invalid);
	KUNIT_EXPECT_EQ(test, MODEL_LEAF, model_state(vm, 7, PG_LEVEL_4K));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

/*
 * Invalidated, and not zapped yet: whoever takes memory away must not leave it mapped
 * there, as vCPUs may still use the root.
 */
static void invalid_root_loses_what_is_taken_away(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	kvm_pfn_t pfn = page_to_pfn(vm->page);
	struct kvm *kvm = vm->kvm;

	test_map_range(vm, vcpu, 7, 8);
	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(vcpu, 7, pfn, false));
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(vcpu, 200, pfn, false));
	model_reset_counts(vm);

	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_invalidate_roots(kvm, TDP_ROOTS_DIRECT);
	write_unlock(&kvm->mmu_lock);
	KUNIT_EXPECT_FALSE(test, test_mirror_root(vcpu)->role.invalid);

	test_unmap(vm, 0, 100, KVM_FILTER_SHARED);
	KUNIT_EXPECT_EQ(test, SHADOW_NONPRESENT_VALUE, test_read_direct_spte(vcpu, 7));
	KUNIT_EXPECT_TRUE(test, is_shadow_present_pte(test_read_direct_spte(vcpu, 200)));

	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_all(kvm);
	write_unlock(&kvm->mmu_lock);
	KUNIT_EXPECT_FALSE(test, is_shadow_present_pte(test_read_direct_spte(vcpu, 200)));

	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	test_expect_trees_equal(vm, vcpu);
	test_vcpu_destroy(vcpu);
}

static void destroying_the_vm_frees_bottom_up(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 3);
	test_map_range(vm, vcpu, 1 << 18, (1 << 18) + 2);
	test_vcpu_destroy(vcpu);
	model_reset_counts(vm);

	test_destroy_roots(vm);

	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_BEGIN]);
	KUNIT_EXPECT_EQ(test, 0, vm->model.count[MODEL_FLUSH]);
	KUNIT_EXPECT_EQ(test, 5, vm->model.count[MODEL_FINISH]);
	/* One table below the root, and two more for each of the ranges. */
	KUNIT_EXPECT_EQ(test, 5, vm->model.count[MODEL_FREE]);
	KUNIT_EXPECT_TRUE(test, xa_empty(&vm->model.entries));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&vm->kvm->stat.pages[0]));
	test_expect_no_violation(vm);
}

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE(shared_bit_tells_direct_from_mirror),
	KUNIT_CASE(ordinary_vm_has_only_direct_addresses),
	KUNIT_CASE(filter_selects_the_side_that_is_given_up),
	KUNIT_CASE(root_types_are_exclusive),
	KUNIT_CASE(vcpus_share_one_mirror_root),
	KUNIT_CASE(mirror_root_outlives_mmu_unload),
	KUNIT_CASE(direct_walk_is_at_the_shared_half),
	KUNIT_CASE(direct_walk_ends_with_the_root),
	KUNIT_CASE(last_gfn_of_either_half_is_reached),
	KUNIT_CASE(unmapping_one_side_keeps_the_other),
	KUNIT_CASE(management_of_direct_mappings_skips_mirrors),
	KUNIT_CASE(slot_replaces_mmio_and_nothing_else),
	KUNIT_CASE(last_mmio_spte_makes_way_for_a_slot),
	KUNIT_CASE(ordinary_vm_keeps_its_mmio_sptes),
	KUNIT_CASE(fast_zap_keeps_the_mirror),
	KUNIT_CASE(invalid_root_loses_what_is_taken_away),
	KUNIT_CASE(destroying_the_vm_frees_bottom_up),
	{}
};

static struct kunit_suite mirror_suite = {
	.name = "kvm_mmu_mirror",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = mirror_cases,
};

kunit_test_suite(mirror_suite);
