// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots of a TD: which are refused, and that deleting one, or closing its
 * guest_memfd, removes the private pages of that slot and no other.
 */
#include <sys/ioctl.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define NR_PAGES	1024
#define GPA		TDX_TEST_GPA
#define SIZE		(NR_PAGES * PAGE_SIZE)
#define SLOT		TDX_TEST_SLOT
#define OTHER_GPA	(GPA + SIZE)
#define OTHER_SLOT	(SLOT + 1)
#define ORDINARY_GPA	(GPA + SZ_1G)
#define ORDINARY_SLOT	(SLOT + 2)

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(td)
{
	self->vm = tdx_vm_create_runnable(NR_PAGES, &self->vcpu);
	tdx_vm_mem_add(self->vm, OTHER_GPA, OTHER_SLOT, NR_PAGES);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, ORDINARY_GPA,
				    ORDINARY_SLOT, 16, 0);
}

FIXTURE_TEARDOWN(td)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
}

static uint64_t nr_mapped(struct kvm_vm *vm)
{
	return vm_get_stat(vm, "pages_4k");
}

static uint64_t nr_removed(struct kvm_vm *vm)
{
	return tdx_vm_count(vm, TDX_LEAF_PAGE_REMOVE);
}

static int set_slot(struct kvm_vm *vm, const struct kvm_userspace_memory_region2 *slot)
{
	return tdx_ret(__vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, slot));
}

/* Up to Linux 6.12.117 it was EINVAL. */
static bool says_bound_already(int ret)
{
	return ret == -EEXIST || ret == -EINVAL;
}

TEST_F(td, bad_slots)
{
	struct kvm_userspace_memory_region2 slot, have;
	struct kvm_vm *stranger = tdx_vm_create();
	uint64_t shared = tdx_shared_bit();

	have = memslot2region(self->vm, SLOT)->region;
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);

	slot = have;
	slot.flags |= KVM_MEM_LOG_DIRTY_PAGES;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	slot = have;
	slot.flags = 0;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	slot = have;
	slot.guest_phys_addr = GPA + SZ_2G;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	slot = have;
	slot.slot = 20;
	EXPECT_EQ(-EEXIST, set_slot(self->vm, &slot));

	slot = have;
	slot.slot = 20;
	slot.guest_phys_addr = GPA + SZ_2G;
	slot.flags |= KVM_MEM_READONLY;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	slot.flags = KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	/* The guest_memfd is bound there already, or is of another VM. */
	slot.flags = KVM_MEM_GUEST_MEMFD;
	EXPECT_TRUE(says_bound_already(set_slot(self->vm, &slot)));
	EXPECT_EQ(-EINVAL, set_slot(stranger, &slot));

	slot = memslot2region(self->vm, ORDINARY_SLOT)->region;
	slot.slot = 20;
	slot.guest_phys_addr = GPA + SZ_2G;
	slot.flags = KVM_MEM_READONLY;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));

	/* No alias of a gpa, neither throughout nor with the last page alone. */
	slot.flags = 0;
	slot.guest_phys_addr = shared;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	slot.guest_phys_addr = shared - slot.memory_size + PAGE_SIZE;
	EXPECT_EQ(-EINVAL, set_slot(self->vm, &slot));
	slot.guest_phys_addr = shared - slot.memory_size;
	EXPECT_EQ(0, set_slot(self->vm, &slot));

	EXPECT_EQ(16, nr_mapped(self->vm));
	EXPECT_EQ(0, nr_removed(self->vm));
	kvm_vm_free(stranger);
}

/* There is no alias before INIT_VM chooses the shared bit, which then checks. */
TEST_F(td, bad_slots_before_init_vm)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(vm);
	struct kvm_userspace_memory_region2 slot;
	uint64_t shared = tdx_shared_bit();

	slot = memslot2region(self->vm, ORDINARY_SLOT)->region;
	slot.slot = 20;
	slot.flags = 0;
	slot.guest_phys_addr = shared - slot.memory_size + PAGE_SIZE;
	ASSERT_EQ(0, set_slot(vm, &slot));
	EXPECT_EQ(-EINVAL, __tdx_vm_init(vm, args, NULL));
	slot.guest_phys_addr = shared - slot.memory_size;
	ASSERT_EQ(0, set_slot(vm, &slot));
	EXPECT_EQ(0, __tdx_vm_init(vm, args, NULL));

	free(args);
	kvm_vm_free(vm);
}

TEST_F(td, ordinary_slot)
{
	unsigned long bitmap[1];

	tdx_pre_fault(self->vcpu, ORDINARY_GPA, SZ_64K);
	EXPECT_EQ(16, nr_mapped(self->vm));
	vm_mem_region_set_flags(self->vm, ORDINARY_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	kvm_vm_get_dirty_log(self->vm, ORDINARY_SLOT, bitmap);
	vm_mem_region_set_flags(self->vm, ORDINARY_SLOT, 0);
	vm_mem_region_move(self->vm, ORDINARY_SLOT, ORDINARY_GPA + SZ_1G);
	EXPECT_EQ(0, nr_mapped(self->vm));
	EXPECT_EQ(0, nr_removed(self->vm));
}

TEST_F(td, delete_removes_that_slot_only)
{
	tdx_pre_fault(self->vcpu, GPA, SIZE);
	tdx_pre_fault(self->vcpu, OTHER_GPA, SIZE);
	EXPECT_EQ(2 * NR_PAGES, nr_mapped(self->vm));

	vm_mem_region_delete(self->vm, SLOT);
	EXPECT_EQ(NR_PAGES, nr_removed(self->vm));
	EXPECT_EQ(NR_PAGES, nr_mapped(self->vm));
	ksft_print_msg("%u pages removed in %lu TRACK rounds\n", NR_PAGES,
		       tdx_vm_count(self->vm, TDX_LEAF_TRACK));

	EXPECT_EQ(-ENOENT, __tdx_pre_fault(self->vcpu, GPA, PAGE_SIZE, NULL));
	tdx_pre_fault(self->vcpu, OTHER_GPA, SIZE);
	EXPECT_EQ(2 * NR_PAGES, tdx_vm_count(self->vm, TDX_LEAF_PAGE_AUG));
}

TEST_F(td, delete_removes_both_halves)
{
	vm_mem_set_shared(self->vm, GPA, SZ_64K);
	tdx_pre_fault(self->vcpu, GPA, SZ_128K);
	EXPECT_EQ(32, nr_mapped(self->vm));
	vm_mem_region_delete(self->vm, SLOT);
	EXPECT_EQ(0, nr_mapped(self->vm));
	EXPECT_EQ(16, nr_removed(self->vm));
}

/* The guest_memfd outlives the slot, the mapping of its pages does not. */
TEST_F(td, slot_that_comes_back)
{
	struct kvm_userspace_memory_region2 slot;

	slot = memslot2region(self->vm, SLOT)->region;
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	slot.memory_size = 0;
	EXPECT_EQ(0, set_slot(self->vm, &slot));
	EXPECT_EQ(0, nr_mapped(self->vm));
	slot.memory_size = SIZE;
	EXPECT_EQ(0, set_slot(self->vm, &slot));
	EXPECT_EQ(0, nr_mapped(self->vm));
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	EXPECT_EQ(32, tdx_vm_count(self->vm, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(16, nr_removed(self->vm));
}

TEST_F(td, close_of_the_guest_memfd)
{
	struct userspace_mem_region *region;
	int dup_fd;

	tdx_pre_fault(self->vcpu, GPA, SIZE);
	tdx_pre_fault(self->vcpu, OTHER_GPA, SZ_64K);

	/* Not the last descriptor: nothing happens. */
	region = memslot2region(self->vm, SLOT);
	dup_fd = dup(region->region.guest_memfd);
	close(region->region.guest_memfd);
	region->region.guest_memfd = -1;
	EXPECT_EQ(0, nr_removed(self->vm));

	close(dup_fd);
	EXPECT_EQ(NR_PAGES, nr_removed(self->vm));
	EXPECT_EQ(16, nr_mapped(self->vm));
	EXPECT_EQ(-EFAULT, __tdx_pre_fault(self->vcpu, GPA, PAGE_SIZE, NULL));

	/* The shared half of the slot still works. */
	vm_mem_set_shared(self->vm, GPA, PAGE_SIZE);
	tdx_pre_fault(self->vcpu, GPA, PAGE_SIZE);
	EXPECT_EQ(17, nr_mapped(self->vm));
}

/* Two ranges of a guest_memfd may be in two slots; no page may be in both. */
TEST_F(td, one_guest_memfd_in_two_slots)
{
	int fd = vm_create_guest_memfd(self->vm, SZ_128K, 0);
	uint64_t gpa = GPA + SZ_2G;
	int ret;

	vm_mem_add(self->vm, VM_MEM_SRC_ANONYMOUS, gpa, 20, 16,
		   KVM_MEM_GUEST_MEMFD, fd, 0);
	vm_mem_add(self->vm, VM_MEM_SRC_ANONYMOUS, gpa + SZ_1M, 21, 16,
		   KVM_MEM_GUEST_MEMFD, fd, SZ_64K);
	ret = __vm_set_user_memory_region2(self->vm, 22, KVM_MEM_GUEST_MEMFD,
					   gpa + SZ_2M, SZ_64K, NULL, fd, SZ_32K);
	EXPECT_TRUE(says_bound_already(tdx_ret(ret)));
	vm_mem_set_private(self->vm, gpa, SZ_2M);
	tdx_pre_fault(self->vcpu, gpa, SZ_64K);
	tdx_pre_fault(self->vcpu, gpa + SZ_1M, SZ_64K);

	vm_mem_region_delete(self->vm, 21);
	EXPECT_EQ(16, nr_removed(self->vm));
	close(fd);
	EXPECT_EQ(16, nr_removed(self->vm));
	vm_mem_region_delete(self->vm, 20);
	EXPECT_EQ(32, nr_removed(self->vm));
	EXPECT_EQ(0, nr_mapped(self->vm));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	/* Each page counts; larger ones are for tdx_guest_large_test. */
	tdx_set_huge_page(false);

	return test_harness_run(argc, argv);
}
