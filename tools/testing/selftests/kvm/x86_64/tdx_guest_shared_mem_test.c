// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that guest and host share, and memory that they don't, at the same
 * addresses: each sees what it has to, in both directions.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	8
/* An ordinary slot, without guest_memfd. */
#define ORDINARY_GPA	0x50000000ull
#define ORDINARY_SLOT	11

enum { FROM_HOST = 0x11, FROM_GUEST = 0x22, PRIVATE = 0x33 };

static void *shared(uint64_t gpa)
{
	return (void *)TDX_GUEST_SHARED(gpa);
}

static void *private(uint64_t gpa)
{
	return (void *)TDX_GUEST_PRIVATE(gpa);
}

static void both_ways(uint64_t base)
{
	uint64_t gpa;

	for (gpa = base; gpa < base + NR_PAGES * PAGE_SIZE; gpa += PAGE_SIZE) {
		GUEST_ASSERT(tdx_is_filled(shared(gpa), gpa, FROM_HOST));
		tdx_fill(shared(gpa), gpa, FROM_GUEST);
	}
	GUEST_SYNC(1);
	for (gpa = base; gpa < base + NR_PAGES * PAGE_SIZE; gpa += PAGE_SIZE)
		GUEST_ASSERT(tdx_is_filled(shared(gpa), gpa, FROM_HOST + 1));
	GUEST_SYNC(2);
}

static void guest_both_ways(uint64_t arg)
{
	both_ways(arg);
}

/* What the guest keeps to itself neither gets out nor is it changed. */
static void guest_private(uint64_t arg)
{
	uint64_t gpa;

	for (gpa = GPA; gpa < GPA + NR_PAGES * PAGE_SIZE; gpa += PAGE_SIZE) {
		GUEST_ASSERT_EQ(tdx_accept(gpa, TDX_PAGE_4K), 0);
		tdx_fill(private(gpa), gpa, PRIVATE);
	}
	GUEST_SYNC(1);
	for (gpa = GPA; gpa < GPA + NR_PAGES * PAGE_SIZE; gpa += PAGE_SIZE)
		GUEST_ASSERT(tdx_is_filled(private(gpa), gpa, PRIVATE));
}

/* Atomic operations of both on one word. */
#define NR_ADDS	100000

static void guest_adds(uint64_t gva)
{
	int i;

	for (i = 0; i < NR_ADDS; i++)
		__atomic_add_fetch((uint64_t *)gva, 1, __ATOMIC_SEQ_CST);
}

static void fill_all(void *mem, uint64_t base, uint64_t seed)
{
	int i;

	for (i = 0; i < NR_PAGES; i++)
		tdx_fill(mem + i * PAGE_SIZE, base + i * PAGE_SIZE, seed);
}

static bool all_filled(void *mem, uint64_t base, uint64_t seed)
{
	int i;

	for (i = 0; i < NR_PAGES; i++) {
		if (!tdx_is_filled(mem + i * PAGE_SIZE, base + i * PAGE_SIZE, seed))
			return false;
	}
	return true;
}

static void host_both_ways(struct kvm_vcpu *vcpu, void *mem, uint64_t base)
{
	fill_all(mem, base, FROM_HOST);
	tdx_guest_run_to_sync(vcpu, 1);
	TEST_ASSERT(all_filled(mem, base, FROM_GUEST), "Host misses what the guest wrote");
	fill_all(mem, base, FROM_HOST + 1);
	tdx_guest_run_to_sync(vcpu, 2);
	tdx_guest_run_to_done(vcpu);
}

TEST(slot_with_guest_memfd)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu = tdx_guest_vcpu_add(vm, 0, guest_both_ways, GPA);
	void *mem = tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);

	vm_mem_set_shared(vm, GPA, NR_PAGES * PAGE_SIZE);
	tdx_guest_launch(vm);
	host_both_ways(vcpu, mem, GPA);
	kvm_vm_free(vm);
}

TEST(slot_without_guest_memfd)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu;

	vcpu = tdx_guest_vcpu_add(vm, 0, guest_both_ways, ORDINARY_GPA);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, ORDINARY_GPA,
				    ORDINARY_SLOT, NR_PAGES, 0);
	tdx_guest_map_both(vm, ORDINARY_GPA, NR_PAGES);
	tdx_guest_launch(vm);
	host_both_ways(vcpu, addr_gpa2hva(vm, ORDINARY_GPA), ORDINARY_GPA);
	kvm_vm_free(vm);
}

TEST(private_is_private)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu = tdx_guest_vcpu_add(vm, 0, guest_private, 0);
	void *mem = tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);

	fill_all(mem, GPA, FROM_HOST);
	tdx_guest_launch(vm);
	tdx_guest_run_to_sync(vcpu, 1);
	EXPECT_TRUE(all_filled(mem, GPA, FROM_HOST));
	fill_all(mem, GPA, FROM_HOST + 1);
	tdx_guest_run_to_done(vcpu);
	EXPECT_TRUE(all_filled(mem, GPA, FROM_HOST + 1));
	kvm_vm_free(vm);
}

/* The backing of the initial memory, which the TD got a copy of. */
static uint64_t initial = FROM_HOST;

static void guest_initial(uint64_t arg)
{
	GUEST_ASSERT_EQ(initial, FROM_HOST);
	initial = FROM_GUEST;
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(initial, FROM_GUEST);
}

TEST(initial_memory_is_a_copy)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_initial, 0);
	uint64_t *copy = addr_gva2hva(vm, (vm_vaddr_t)&initial);

	EXPECT_EQ(FROM_HOST, *copy);
	*copy = PRIVATE;
	tdx_guest_run_to_sync(vcpu, 1);
	EXPECT_EQ(PRIVATE, *copy);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void *host_adds(void *word)
{
	int i;

	for (i = 0; i < NR_ADDS; i++)
		__atomic_add_fetch((uint64_t *)word, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(at_the_same_time)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	uint64_t *word;
	vm_vaddr_t gva;

	word = tdx_guest_shared_alloc(vm, sizeof(*word), &gva);
	vcpu = tdx_guest_vcpu_add(vm, 0, guest_adds, gva);
	tdx_guest_launch(vm);
	thread = tdx_start_thread(host_adds, word);
	tdx_guest_run_to_done(vcpu);
	pthread_join(thread, NULL);
	EXPECT_EQ(2 * NR_ADDS, *word);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
