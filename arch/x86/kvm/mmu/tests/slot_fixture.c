// SPDX-License-Identifier: GPL-2.0
/*
 * The memslot of suites that fault or populate guest_memfd's memory.
 */
#include <kunit/test.h>
#include <linux/fdtable.h>
#include <linux/file.h>

#include "mmu.h"
#include "slot_fixture.h"

#include "../../../../../virt/kvm/kvm_mm.h"

/* A vCPU that loads its MMU here is on no CPU. */
static void load_no_mmu_pgd(struct kvm_vcpu *vcpu, hpa_t root_hpa, int root_level)
{
}

static void flush_no_tlb(struct kvm_vcpu *vcpu)
{
}

static void install_ops(void)
{
	static_call_update(kvm_x86_load_mmu_pgd, load_no_mmu_pgd);
	static_call_update(kvm_x86_flush_tlb_current, flush_no_tlb);
	static_call_update(kvm_x86_private_max_mapping_level, (void *)__static_call_return0);
}

static void uninstall_ops(void)
{
	static_call_update(kvm_x86_load_mmu_pgd, kvm_x86_ops.load_mmu_pgd);
	static_call_update(kvm_x86_flush_tlb_current, kvm_x86_ops.flush_tlb_current);
	static_call_update(kvm_x86_private_max_mapping_level,
			   kvm_x86_ops.private_max_mapping_level ?:
			   (void *)__static_call_return0);
}

static void init_vm(struct slot_test *s, unsigned long vm_type)
{
	struct kvm *kvm = s->kvm;

	/* The guest_memfd has a reference, too. */
	refcount_set(&kvm->users_count, 1);
	xa_init(&kvm->mem_attr_array);
	kvm->mmu_invalidate_range_start = INVALID_GPA;
	kvm->mmu_invalidate_range_end = INVALID_GPA;
	kvm->arch.vm_type = vm_type;
	kvm->arch.has_private_mem = true;
	kvm->arch.pre_fault_allowed = true;
}

static int bind_guest_memfd(struct slot_test *s)
{
	struct kvm_create_guest_memfd args = { .size = SLOT_NPAGES << PAGE_SHIFT };
	int fd = kvm_gmem_create(s->kvm, &args);
	int r;

	if (fd < 0)
		return fd;

	r = kvm_gmem_bind(s->kvm, &s->slot, fd, 0);
	s->file = fget(fd);
	close_fd(fd);
	return r;
}

static void init_slot(struct slot_test *s)
{
	struct kvm_memslots *slots = &s->memslots;
	struct kvm_memory_slot *slot = &s->slot;
	struct kunit *test = s->vm->test;

	slot->base_gfn = SLOT_GFN;
	slot->npages = SLOT_NPAGES;
	slot->flags = KVM_MEM_GUEST_MEMFD;

	scoped_guard(mutex, &s->kvm->slots_lock)
		KUNIT_ASSERT_EQ(test, 0, kvm_arch_prepare_memory_region(s->kvm, NULL, slot,
									KVM_MR_CREATE));
	KUNIT_ASSERT_EQ(test, 0, bind_guest_memfd(s));

	slots->hva_tree = RB_ROOT_CACHED;
	slots->gfn_tree = RB_ROOT;
	hash_init(slots->id_hash);
	rb_link_node(&slot->gfn_node[0], NULL, &slots->gfn_tree.rb_node);
	rb_insert_color(&slot->gfn_node[0], &slots->gfn_tree);
	rcu_assign_pointer(s->kvm->memslots[0], slots);
}

static void init_vcpu(struct slot_test *s)
{
	struct kunit *test = s->vm->test;

	s->vcpu = kvzalloc(sizeof(*s->vcpu), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->vcpu);
	s->vcpu->kvm = s->kvm;
	s->vcpu->run = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->vcpu->run);
	KUNIT_ASSERT_EQ(test, 0, kvm_mmu_create(s->vcpu));
	kvm_init_mmu(s->vcpu);
}

static int init_fixture(struct kunit *test, unsigned long vm_type)
{
	struct slot_test *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	int r;

	KUNIT_ASSERT_NOT_NULL(test, s);
	r = mmu_fixture_init(test);
	if (r)
		return r;

	s->vm = test->priv;
	s->kvm = s->vm->kvm;
	test->priv = s;

	install_ops();
	init_vm(s, vm_type);
	init_slot(s);
	init_vcpu(s);
	return 0;
}

int slot_fixture_init(struct kunit *test)
{
	return init_fixture(test, KVM_X86_SW_PROTECTED_VM);
}

int slot_fixture_init_large(struct kunit *test)
{
	struct slot_test *s;
	int r = init_fixture(test, KVM_X86_TDX_VM);

	if (r)
		return r;

	s = test->priv;
	s->vm->model.frees_tables = true;
	slot_test_make_private(s, SLOT_GFN, SLOT_END);
	return 0;
}

void slot_fixture_exit(struct kunit *test)
{
	struct slot_test *s = test->priv;

	/* Now and not later, as fput() would have it: it unmaps its pages. */
	if (s->file)
		__fput_sync(s->file);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&s->kvm->users_count));
	if (s->vcpu)
		test_vcpu_destroy(s->vcpu);
	kvm_arch_free_memslot(s->kvm, &s->slot);
	xa_destroy(&s->kvm->mem_attr_array);

	test->priv = s->vm;
	mmu_fixture_exit(test);
	uninstall_ops();
}

void slot_test_make_private(struct slot_test *s, gfn_t start, gfn_t end)
{
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++)
		KUNIT_ASSERT_FALSE(s->vm->test,
				   xa_is_err(xa_store(&s->kvm->mem_attr_array, gfn,
						      xa_mk_value(KVM_MEMORY_ATTRIBUTE_PRIVATE),
						      GFP_KERNEL)));
}

kvm_pfn_t slot_test_pfn(struct slot_test *s, gfn_t gfn)
{
	kvm_pfn_t pfn = KVM_PFN_ERR_FAULT;
	int order;

	KUNIT_ASSERT_EQ(s->vm->test, 0,
			kvm_gmem_get_pfn(s->kvm, &s->slot, gfn, &pfn, &order));
	put_page(pfn_to_page(pfn));
	return pfn;
}
