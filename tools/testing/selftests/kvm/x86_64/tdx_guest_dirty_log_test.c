// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging of memory that a TD shares: exactly what the guest wrote, also
 * when logging starts late.  Private memory can't be logged.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "linux/bitmap.h"
#include "tdx_guest.h"

#define GPA		0x50000000ull
#define SLOT		11
#define NR_PAGES	192
#define NR_ROUNDS	4

/* Which pages the guest writes in a round; it reads all of them. */
static bool is_written(int round, int page)
{
	switch (round) {
	case 0:
		return page % 7 == 3;
	case 1:
		return page >= 60 && page < 70;
	case 2:
		return false;
	default:
		return true;
	}
}

static void guest_writes(uint64_t arg)
{
	int round, page;

	for (round = 0; round < NR_ROUNDS; round++) {
		for (page = 0; page < NR_PAGES; page++) {
			uint64_t *p = (void *)TDX_GUEST_SHARED(GPA + page * PAGE_SIZE);

			READ_ONCE(*p);
			if (is_written(round, page))
				WRITE_ONCE(p[page], round + 1);
		}
		GUEST_SYNC(round);
	}
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, uint32_t flags)
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, guest_writes, 0);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NR_PAGES,
				    flags);
	tdx_guest_map_both(vm, GPA, NR_PAGES);
	tdx_guest_launch(vm);
	return vm;
}

static void check_log(struct kvm_vm *vm, int round)
{
	unsigned long *bitmap = bitmap_zalloc(NR_PAGES);
	int page, nr = 0;

	kvm_vm_get_dirty_log(vm, SLOT, bitmap);
	for (page = 0; page < NR_PAGES; page++) {
		uint64_t *p = addr_gpa2hva(vm, GPA + page * PAGE_SIZE);

		TEST_ASSERT(!!test_bit(page, bitmap) == is_written(round, page),
			    "Round %d, page %d: %s", round, page,
			    test_bit(page, bitmap) ? "logged, not written" :
						     "written, not logged");
		if (is_written(round, page))
			TEST_ASSERT_EQ(p[page], round + 1);
		nr += !!test_bit(page, bitmap);
	}
	ksft_print_msg("round %d: %d of %d pages dirty\n", round, nr, NR_PAGES);
	free(bitmap);
}

TEST(exact_from_the_start)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, KVM_MEM_LOG_DIRTY_PAGES);
	int round;

	for (round = 0; round < NR_ROUNDS; round++) {
		tdx_guest_run_to_sync(vcpu, round);
		check_log(vm, round);
	}
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* What is mapped writable by then has to be write-protected. */
TEST(started_late_stopped_started)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 0);

	tdx_guest_run_to_sync(vcpu, 0);
	vm_mem_region_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_run_to_sync(vcpu, 1);
	check_log(vm, 1);
	vm_mem_region_set_flags(vm, SLOT, 0);
	tdx_guest_run_to_sync(vcpu, 2);
	vm_mem_region_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_run_to_sync(vcpu, 3);
	check_log(vm, 3);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(not_of_private_memory)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct userspace_mem_region *region = memslot2region(vm, 0);
	uint32_t flags = KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES;
	int ret;

	ret = __vm_set_user_memory_region2(vm, SLOT, flags, GPA, SZ_64K,
					   region->host_mem,
					   region->region.guest_memfd, 0);
	EXPECT_EQ(-EINVAL, tdx_ret(ret));
	ret = __vm_set_user_memory_region2(vm, 0, flags,
					   region->region.guest_phys_addr,
					   region->region.memory_size,
					   region->host_mem,
					   region->region.guest_memfd, 0);
	EXPECT_EQ(-EINVAL, tdx_ret(ret));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
