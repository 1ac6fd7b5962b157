// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that change hands while the TD runs: asked for by MapGPA, or by simply
 * touching the other kind.  What was there is gone each time.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	16
#define SIZE		(NR_PAGES * PAGE_SIZE)

enum { SECRET = 0x5ec2e7, PUBLIC = 0xb0b, HOSTS = 0x405 };

static void *shared(int i)
{
	return (void *)TDX_GUEST_SHARED(GPA + i * PAGE_SIZE);
}

static void *private(int i)
{
	return (void *)TDX_GUEST_PRIVATE(GPA + i * PAGE_SIZE);
}

static uint64_t gpa_of(int i)
{
	return GPA + i * PAGE_SIZE;
}

static void make_private(void)
{
	int i;

	for (i = 0; i < NR_PAGES; i++) {
		GUEST_ASSERT_EQ(tdx_accept(gpa_of(i), TDX_PAGE_4K), 0);
		GUEST_ASSERT(tdx_is_zero(private(i)));
		tdx_fill(private(i), gpa_of(i), SECRET);
	}
}

static void check_shared_and_fill(void)
{
	int i;

	for (i = 0; i < NR_PAGES; i++) {
		GUEST_ASSERT(!tdx_is_filled(shared(i), gpa_of(i), SECRET));
		tdx_fill(shared(i), gpa_of(i), PUBLIC);
	}
}

static void guest_explicit(uint64_t arg)
{
	uint64_t bit = tdx_guest_shared_bit;
	int round;

	for (round = 0; round < 3; round++) {
		make_private();
		GUEST_ASSERT_EQ(tdvmcall_map_gpa(GPA | bit, SIZE, NULL), 0);
		check_shared_and_fill();
		GUEST_SYNC(round);
		GUEST_ASSERT(tdx_is_filled(shared(3), gpa_of(3), HOSTS));
		GUEST_ASSERT_EQ(tdvmcall_map_gpa(GPA, SIZE, NULL), 0);
	}
	make_private();
}

/* The middle of what is private becomes shared, the ends keep their content. */
static void guest_middle(uint64_t arg)
{
	uint64_t bit = tdx_guest_shared_bit;
	int i;

	make_private();
	GUEST_ASSERT_EQ(tdvmcall_map_gpa(gpa_of(4) | bit, 8 * PAGE_SIZE, NULL), 0);
	for (i = 0; i < NR_PAGES; i++) {
		if (i >= 4 && i < 12)
			tdx_fill(shared(i), gpa_of(i), PUBLIC);
		else
			GUEST_ASSERT(tdx_is_filled(private(i), gpa_of(i), SECRET));
	}
	GUEST_ASSERT_EQ(tdvmcall_map_gpa(gpa_of(4), 8 * PAGE_SIZE, NULL), 0);
	for (i = 4; i < 12; i++) {
		GUEST_ASSERT_EQ(tdx_accept(gpa_of(i), TDX_PAGE_4K), 0);
		GUEST_ASSERT(tdx_is_zero(private(i)));
	}
	for (i = 0; i < NR_PAGES; i++) {
		if (i < 4 || i >= 12)
			GUEST_ASSERT(tdx_is_filled(private(i), gpa_of(i), SECRET));
	}
}

static void guest_implicit(uint64_t arg)
{
	int round;

	for (round = 0; round < 3; round++) {
		make_private();
		GUEST_SYNC(2 * round);
		check_shared_and_fill();
		GUEST_SYNC(2 * round + 1);
	}
}

/* What the VMM leaves private stays private, whatever the guest believes. */
static void guest_ignored(uint64_t arg)
{
	uint64_t bit = tdx_guest_shared_bit;

	make_private();
	GUEST_ASSERT_EQ(tdvmcall_map_gpa(GPA | bit, SIZE, NULL), 0);
	GUEST_ASSERT(tdx_is_filled(private(1), gpa_of(1), SECRET));
	READ_ONCE(*(uint64_t *)shared(1));
	GUEST_FAIL("Read shared memory that there is not");
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, 0);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(vm);
	return vm;
}

static void expect_map_gpa(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t npages,
			   bool private)
{
	struct kvm_run *run = vcpu->run;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_HYPERCALL);
	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	TEST_ASSERT_EQ(run->hypercall.args[0], gpa);
	TEST_ASSERT_EQ(run->hypercall.args[1], npages);
	TEST_ASSERT_EQ(!!(run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED),
		       private);
	TEST_ASSERT_EQ(run->hypercall.ret, 0);
	tdx_guest_handle_map_gpa(vcpu);
}

TEST(asked_for)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_explicit);
	void *mem = addr_gpa2hva(vm, GPA);
	uint64_t removed;
	int round;

	for (round = 0; round < 3; round++) {
		expect_map_gpa(vcpu, GPA, NR_PAGES, false);
		removed = tdx_vm_count(vm, TDX_LEAF_PAGE_REMOVE);
		EXPECT_EQ(NR_PAGES * (round + 1), removed);
		tdx_guest_run_to_sync(vcpu, round);
		EXPECT_TRUE(tdx_is_filled(mem + 3 * PAGE_SIZE, GPA + 3 * PAGE_SIZE,
					  PUBLIC));
		tdx_fill(mem + 3 * PAGE_SIZE, GPA + 3 * PAGE_SIZE, HOSTS);
		expect_map_gpa(vcpu, GPA, NR_PAGES, true);
	}
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(exactly_what_is_asked_for)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_middle);

	expect_map_gpa(vcpu, GPA + 4 * PAGE_SIZE, 8, false);
	EXPECT_EQ(8, tdx_vm_count(vm, TDX_LEAF_PAGE_REMOVE));
	expect_map_gpa(vcpu, GPA + 4 * PAGE_SIZE, 8, true);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* The first touch of each page of the other kind; page by page. */
static int implicit_until_sync(struct kvm_vcpu *vcpu, uint64_t stage)
{
	struct kvm_run *run = vcpu->run;
	struct ucall uc;
	int nr;

	for (nr = 0; tdx_guest_run(vcpu, &uc) == UCALL_NONE; nr++) {
		bool private = run->memory_fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;

		TEST_ASSERT_EQ(run->exit_reason, KVM_EXIT_MEMORY_FAULT);
		TEST_ASSERT_EQ(run->memory_fault.flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE, 0);
		TEST_ASSERT_EQ(run->memory_fault.gpa, GPA + nr * PAGE_SIZE);
		TEST_ASSERT_EQ(run->memory_fault.size, PAGE_SIZE);
		/* Even stages make it private, odd ones shared. */
		TEST_ASSERT_EQ(private, !(stage % 2));
		tdx_guest_convert(vcpu->vm, run->memory_fault.gpa, PAGE_SIZE, private);
	}
	TEST_ASSERT_EQ(uc.cmd, UCALL_SYNC);
	TEST_ASSERT_EQ(uc.args[1], stage);
	return nr;
}

TEST(by_touching)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_implicit);
	int stage;

	for (stage = 0; stage < 6; stage++)
		EXPECT_EQ(stage ? NR_PAGES : 0, implicit_until_sync(vcpu, stage));
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* A VMM that does nothing gets the same fault again, however often it tries. */
TEST(not_done)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_ignored);
	int i;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_HYPERCALL);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EFAULT, tdx_ret(__vcpu_run(vcpu)));
		EXPECT_EQ(KVM_EXIT_MEMORY_FAULT, vcpu->run->exit_reason);
		EXPECT_EQ(0, vcpu->run->memory_fault.flags);
		EXPECT_EQ(GPA + PAGE_SIZE, vcpu->run->memory_fault.gpa);
	}
	EXPECT_EQ(0, tdx_vm_count(vm, TDX_LEAF_PAGE_REMOVE));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
