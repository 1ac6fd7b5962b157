// SPDX-License-Identifier: GPL-2.0
/*
 * Whole page faults of a VM with a mirror, pre-faulting and the initial memory: from
 * the vCPU's roots, its caches and the memslot to the entry in the mirror.
 */
#include <kunit/test.h>
#include <linux/sched/signal.h>

#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "slot_fixture.h"

#define GFN		SLOT_GFN
#define PRIVATE_WRITE	(PFERR_PRIVATE_ACCESS | PFERR_WRITE_MASK)

static int fault(struct slot_test *s, gfn_t gfn, u64 error_code, bool prefetch)
{
	int r;

	kvm_vcpu_srcu_read_lock(s->vcpu);
	r = kvm_mmu_do_page_fault(s->vcpu, gfn_to_gpa(gfn), error_code, prefetch,
				  NULL, NULL);
	kvm_vcpu_srcu_read_unlock(s->vcpu);
	return r;
}

static long pre_fault(struct slot_test *s, gfn_t gfn)
{
	struct kvm_pre_fault_memory range = { .gpa = gfn_to_gpa(gfn), .size = PAGE_SIZE };
	long r;

	kvm_vcpu_srcu_read_lock(s->vcpu);
	r = kvm_arch_vcpu_pre_fault_memory(s->vcpu, &range);
	kvm_vcpu_srcu_read_unlock(s->vcpu);
	return r;
}

static int map_private_pfn(struct slot_test *s, gfn_t gfn)
{
	guard(mutex)(&s->kvm->slots_lock);

	return kvm_tdp_mmu_map_private_pfn(s->vcpu, gfn, page_to_pfn(s->vm->page));
}

static void expect_mapped(struct slot_test *s, gfn_t gfn, kvm_pfn_t pfn)
{
	u64 spte = test_read_spte(s->vcpu, gfn, PG_LEVEL_4K);

	KUNIT_EXPECT_TRUE(s->vm->test, is_shadow_present_pte(spte));
	KUNIT_EXPECT_EQ(s->vm->test, pfn, spte_to_pfn(spte));
	test_expect_trees_equal(s->vm, s->vcpu);
	test_expect_no_violation(s->vm);
}

/* One reference is the vCPU's, however often it loads its MMU; one is the MMU's own. */
static void mirror_root_is_loaded_once(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct kvm_mmu *mmu = s->vcpu->arch.mmu;
	hpa_t mirror;

	KUNIT_EXPECT_FALSE(test, VALID_PAGE(mmu->mirror_root_hpa));
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_ASSERT_TRUE(test, VALID_PAGE(mmu->root.hpa));
	KUNIT_ASSERT_TRUE(test, VALID_PAGE(mmu->mirror_root_hpa));
	KUNIT_EXPECT_FALSE(test, is_mirror_sp(root_to_sp(mmu->root.hpa)));
	KUNIT_EXPECT_TRUE(test, is_mirror_sp(test_mirror_root(s->vcpu)));
	mirror = mmu->mirror_root_hpa;

	kvm_mmu_unload(s->vcpu);
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_EXPECT_TRUE(test, VALID_PAGE(mmu->root.hpa));
	KUNIT_ASSERT_EQ(test, mirror, mmu->mirror_root_hpa);
	KUNIT_EXPECT_EQ(test, 2,
			refcount_read(&test_mirror_root(s->vcpu)->tdp_mmu_root_count));
}

static void ordinary_vcpu_has_no_mirror_root(struct kunit *test)
{
	struct slot_test *s = test->priv;

	s->kvm->arch.gfn_direct_bits = 0;
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_EXPECT_TRUE(test, VALID_PAGE(s->vcpu->arch.mmu->root.hpa));
	KUNIT_EXPECT_FALSE(test, VALID_PAGE(s->vcpu->arch.mmu->mirror_root_hpa));
}

static int height_of_trees(struct slot_test *s, int direct_bit)
{
	s->kvm->arch.gfn_direct_bits = gpa_to_gfn(BIT_ULL(direct_bit));
	kvm_init_mmu(s->vcpu);
	return s->vcpu->arch.mmu->root_role.level;
}

/* The direct bit is the topmost of the GPA, and of what the tables translate. */
static void trees_are_as_high_as_the_gpa_is_wide(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_EXPECT_EQ(test, 5, height_of_trees(s, 51));
	KUNIT_EXPECT_EQ(test, 4, height_of_trees(s, 47));
	KUNIT_ASSERT_EQ(test, TEST_DIRECT_BIT, s->kvm->arch.gfn_direct_bits);
}

static void private_fault_is_fixed_in_the_mirror(struct kunit *test)
{
	struct slot_test *s = test->priv;

	slot_test_make_private(s, GFN, GFN + 1);
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_ASSERT_EQ(test, 0, s->vcpu->arch.mmu_external_spt_cache.nobjs);

	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, fault(s, GFN, PRIVATE_WRITE, false));
	expect_mapped(s, GFN, slot_test_pfn(s, GFN));
	KUNIT_EXPECT_EQ(test, 3, s->vm->model.count[MODEL_LINK]);
	/* What is taken under mmu_lock was provided before. */
	KUNIT_EXPECT_GT(test, s->vcpu->arch.mmu_external_spt_cache.nobjs, 0);
	KUNIT_EXPECT_FALSE(test, is_shadow_present_pte(test_read_direct_spte(s->vcpu, GFN)));
}

/* What the direct tree has for the gfn says nothing about a private access. */
static void private_fault_is_no_fast_one(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(s->vcpu));
	KUNIT_ASSERT_EQ(test, RET_PF_FIXED,
			test_map(s->vcpu, GFN, page_to_pfn(s->vm->page), false));
	slot_test_make_private(s, GFN, GFN + 1);

	KUNIT_EXPECT_EQ(test, RET_PF_FIXED,
			fault(s, GFN, PRIVATE_WRITE | PFERR_PRESENT_MASK, false));
	expect_mapped(s, GFN, slot_test_pfn(s, GFN));
	KUNIT_EXPECT_EQ(test, 0, s->vcpu->stat.pf_fast);
}

/* A vCPU that runs comes back later; who pre-faults would keep the slot from dying. */
static void fault_waits_for_a_dying_slot_but_pre_fault_does_not(struct kunit *test)
{
	struct slot_test *s = test->priv;

	slot_test_make_private(s, GFN, GFN + 1);
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));

	s->slot.flags |= KVM_MEMSLOT_INVALID;
	KUNIT_EXPECT_EQ(test, RET_PF_RETRY, fault(s, GFN, PRIVATE_WRITE, false));
	KUNIT_EXPECT_EQ(test, -EAGAIN, fault(s, GFN, PRIVATE_WRITE, true));
	s->slot.flags &= ~KVM_MEMSLOT_INVALID;
	KUNIT_EXPECT_EQ(test, 0, s->vm->model.nr_calls);
}

static void pre_fault_maps_what_is_private(struct kunit *test)
{
	struct slot_test *s = test->priv;

	slot_test_make_private(s, GFN, GFN + 1);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, pre_fault(s, GFN));
	expect_mapped(s, GFN, slot_test_pfn(s, GFN));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, pre_fault(s, GFN));
	KUNIT_EXPECT_EQ(test, 1, s->vm->model.count[MODEL_MAP]);
}

static void pre_fault_takes_gfns_of_slots_only(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL, pre_fault(s, TEST_DIRECT_BIT | GFN));
	KUNIT_EXPECT_EQ(test, -EINVAL, pre_fault(s, TEST_DIRECT_BIT));
	KUNIT_EXPECT_EQ(test, -ENOENT, pre_fault(s, SLOT_END));
	KUNIT_EXPECT_EQ(test, -ENOENT, pre_fault(s, TEST_DIRECT_BIT - 1));

	/* Not even an MMIO SPTE comes of it. */
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&s->kvm->arch.tdp_mmu_pages));
	KUNIT_EXPECT_EQ(test, 0, s->vcpu->stat.pf_mmio_spte_created);
}

static void pre_fault_replaces_an_obsolete_root(struct kunit *test)
{
	struct slot_test *s = test->priv;
	struct kvm_mmu_page *old;

	slot_test_make_private(s, GFN, GFN + 1);
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));

	/* First without need, for without that the rest would take forever. */
	kvm_make_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, s->vcpu);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, pre_fault(s, GFN));
	KUNIT_ASSERT_FALSE(test, kvm_test_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, s->vcpu));

	old = root_to_sp(s->vcpu->arch.mmu->root.hpa);
	write_lock(&s->kvm->mmu_lock);
	kvm_tdp_mmu_invalidate_roots(s->kvm, TDP_ROOTS_DIRECT);
	write_unlock(&s->kvm->mmu_lock);
	kvm_make_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, s->vcpu);

	KUNIT_EXPECT_EQ(test, PAGE_SIZE, pre_fault(s, GFN));
	KUNIT_EXPECT_PTR_NE(test, old, root_to_sp(s->vcpu->arch.mmu->root.hpa));
	KUNIT_EXPECT_FALSE(test, root_to_sp(s->vcpu->arch.mmu->root.hpa)->role.invalid);
	expect_mapped(s, GFN, slot_test_pfn(s, GFN));
}

static void dead_vm_is_given_no_memory(struct kunit *test)
{
	struct slot_test *s = test->priv;

	slot_test_make_private(s, GFN, GFN + 1);
	kvm_make_request(KVM_REQ_VM_DEAD, s->vcpu);

	KUNIT_EXPECT_EQ(test, -EIO, pre_fault(s, GFN));
	/* The request is for KVM_RUN to see. */
	KUNIT_EXPECT_TRUE(test, kvm_test_request(KVM_REQ_VM_DEAD, s->vcpu));
	KUNIT_EXPECT_EQ(test, -EIO, map_private_pfn(s, GFN));
	KUNIT_EXPECT_TRUE(test, kvm_test_request(KVM_REQ_VM_DEAD, s->vcpu));
	KUNIT_EXPECT_EQ(test, 0, s->vm->model.nr_calls);
}

static void initial_memory_is_mapped_once(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_EXPECT_EQ(test, 0, map_private_pfn(s, GFN));
	expect_mapped(s, GFN, page_to_pfn(s->vm->page));
	KUNIT_EXPECT_EQ(test, -EEXIST, map_private_pfn(s, GFN));
	KUNIT_EXPECT_EQ(test, 1, s->vm->model.count[MODEL_MAP]);
	KUNIT_EXPECT_GT(test, s->vcpu->arch.mmu_external_spt_cache.nobjs, 0);
}

static void initial_memory_needs_a_slot(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_EXPECT_EQ(test, -ENOENT, map_private_pfn(s, SLOT_GFN - 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, map_private_pfn(s, SLOT_END));
	KUNIT_EXPECT_EQ(test, 0, s->vm->model.nr_calls);
	KUNIT_EXPECT_EQ(test, 0, map_private_pfn(s, SLOT_END - 1));
	test_expect_no_violation(s->vm);
}

static void initial_memory_waits_for_a_busy_backend(struct kunit *test)
{
	struct slot_test *s = test->priv;

	model_fail(s->vm, MODEL_MAP, 0, 3, -EBUSY);
	KUNIT_EXPECT_EQ(test, 0, map_private_pfn(s, GFN));
	KUNIT_EXPECT_EQ(test, 4, s->vm->model.count[MODEL_MAP]);
	expect_mapped(s, GFN, page_to_pfn(s->vm->page));

	model_fail(s->vm, MODEL_MAP, 0, 1, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, map_private_pfn(s, GFN + 1));
	KUNIT_EXPECT_EQ(test, MODEL_FREE_ENTRY, model_state(s->vm, GFN + 1, PG_LEVEL_4K));
}

static void signal_ends_the_wait_for_a_busy_backend(struct kunit *test)
{
	struct slot_test *s = test->priv;
	int r;

	set_thread_flag(TIF_SIGPENDING);
	r = map_private_pfn(s, GFN);
	clear_thread_flag(TIF_SIGPENDING);

	KUNIT_EXPECT_EQ(test, -EINTR, r);
	KUNIT_EXPECT_EQ(test, 0, s->vm->model.nr_calls);
}

/* Memory of either kind is gone with the slot, and nothing else. */
static void deletion_of_a_slot_unmaps_both_kinds(struct kunit *test)
{
	struct slot_test *s = test->priv;
	kvm_pfn_t pfn = page_to_pfn(s->vm->page);
	gfn_t gfns[] = { SLOT_GFN - 1, SLOT_GFN, SLOT_END - 1, SLOT_END };
	int i;

	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	for (i = 0; i < ARRAY_SIZE(gfns); i++) {
		KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(s->vcpu));
		KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(s->vcpu, gfns[i], pfn, true));
		KUNIT_ASSERT_EQ(test, RET_PF_FIXED, test_map(s->vcpu, gfns[i], pfn, false));
	}

	mutex_lock(&s->kvm->slots_lock);
	kvm_arch_flush_shadow_memslot(s->kvm, &s->slot);
	mutex_unlock(&s->kvm->slots_lock);

	for (i = 0; i < ARRAY_SIZE(gfns); i++) {
		bool in_slot = gfns[i] >= SLOT_GFN && gfns[i] < SLOT_END;
		u64 direct = test_read_direct_spte(s->vcpu, gfns[i]);

		KUNIT_EXPECT_EQ(test, in_slot ? MODEL_FREE_ENTRY : MODEL_LEAF,
				model_state(s->vm, gfns[i], PG_LEVEL_4K));
		KUNIT_EXPECT_EQ(test, !in_slot, is_shadow_present_pte(direct));
	}
	test_expect_trees_equal(s->vm, s->vcpu);
	test_expect_no_violation(s->vm);
}

static void convert(struct slot_test *s, unsigned long attributes)
{
	struct kvm_gfn_range range = {
		.slot = &s->slot,
		.start = GFN,
		.end = GFN + 1,
		.arg.attributes = attributes,
		.may_block = true,
	};

	write_lock(&s->kvm->mmu_lock);
	kvm_mmu_invalidate_begin(s->kvm);
	kvm_arch_pre_set_memory_attributes(s->kvm, &range);
	kvm_mmu_invalidate_end(s->kvm);
	write_unlock(&s->kvm->mmu_lock);
}

static void map_both_kinds(struct slot_test *s, int private, int shared)
{
	kvm_pfn_t pfn = page_to_pfn(s->vm->page);

	KUNIT_ASSERT_EQ(s->vm->test, 0, test_vcpu_topup(s->vcpu));
	KUNIT_ASSERT_EQ(s->vm->test, private, test_map(s->vcpu, GFN, pfn, true));
	KUNIT_ASSERT_EQ(s->vm->test, shared, test_map(s->vcpu, GFN, pfn, false));
}

/* What has the kind already keeps its content. */
static void conversion_unmaps_the_other_kind(struct kunit *test)
{
	struct slot_test *s = test->priv;

	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	map_both_kinds(s, RET_PF_FIXED, RET_PF_FIXED);

	convert(s, KVM_MEMORY_ATTRIBUTE_PRIVATE);
	KUNIT_EXPECT_EQ(test, MODEL_LEAF, model_state(s->vm, GFN, PG_LEVEL_4K));
	KUNIT_EXPECT_FALSE(test, is_shadow_present_pte(test_read_direct_spte(s->vcpu, GFN)));

	map_both_kinds(s, RET_PF_SPURIOUS, RET_PF_FIXED);
	convert(s, 0);
	KUNIT_EXPECT_EQ(test, MODEL_FREE_ENTRY, model_state(s->vm, GFN, PG_LEVEL_4K));
	KUNIT_EXPECT_TRUE(test, is_shadow_present_pte(test_read_direct_spte(s->vcpu, GFN)));
	test_expect_no_violation(s->vm);
}

static u64 log_dirty(struct slot_test *s, u32 cpu_log_size)
{
	KUNIT_ASSERT_EQ(s->vm->test, 0, test_vcpu_topup(s->vcpu));
	test_map(s->vcpu, GFN, page_to_pfn(s->vm->page), false);
	KUNIT_ASSERT_TRUE(s->vm->test,
			  is_writable_pte(test_read_direct_spte(s->vcpu, GFN)));

	s->kvm->arch.cpu_dirty_log_size = cpu_log_size;
	write_lock(&s->kvm->mmu_lock);
	kvm_arch_mmu_enable_log_dirty_pt_masked(s->kvm, &s->slot, 0, BIT(0));
	write_unlock(&s->kvm->mmu_lock);
	return test_read_direct_spte(s->vcpu, GFN);
}

/* By Dirty bits if the CPU logs for this VM; else by writes that fault. */
static void writes_are_logged_as_the_vm_lets_the_cpu(struct kunit *test)
{
	struct slot_test *s = test->priv;
	u64 spte;

	if (!shadow_dirty_mask)
		kunit_skip(test, "no Dirty bits in the page tables");

	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_reload(s->vcpu));
	spte = log_dirty(s, 512);
	KUNIT_EXPECT_TRUE(test, is_writable_pte(spte));
	KUNIT_EXPECT_FALSE(test, spte & shadow_dirty_mask);
	spte = log_dirty(s, 0);
	KUNIT_EXPECT_FALSE(test, is_writable_pte(spte));
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(mirror_root_is_loaded_once),
	KUNIT_CASE(ordinary_vcpu_has_no_mirror_root),
	KUNIT_CASE(trees_are_as_high_as_the_gpa_is_wide),
	KUNIT_CASE(private_fault_is_fixed_in_the_mirror),
	KUNIT_CASE(private_fault_is_no_fast_one),
	KUNIT_CASE(fault_waits_for_a_dying_slot_but_pre_fault_does_not),
	KUNIT_CASE(pre_fault_maps_what_is_private),
	KUNIT_CASE(pre_fault_takes_gfns_of_slots_only),
	KUNIT_CASE(pre_fault_replaces_an_obsolete_root),
	KUNIT_CASE(dead_vm_is_given_no_memory),
	KUNIT_CASE(initial_memory_is_mapped_once),
	KUNIT_CASE(initial_memory_needs_a_slot),
	KUNIT_CASE(initial_memory_waits_for_a_busy_backend),
	KUNIT_CASE(signal_ends_the_wait_for_a_busy_backend),
	KUNIT_CASE(deletion_of_a_slot_unmaps_both_kinds),
	KUNIT_CASE(conversion_unmaps_the_other_kind),
	KUNIT_CASE(writes_are_logged_as_the_vm_lets_the_cpu),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "kvm_mmu_fault",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = slot_fixture_init,
	.exit = slot_fixture_exit,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
