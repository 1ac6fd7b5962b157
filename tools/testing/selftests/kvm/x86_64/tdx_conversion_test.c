// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion between private and shared and punching holes: exactly the pages
 * asked for leave the S-EPT, in batches that share a TLB-tracking round.
 */
#include <linux/falloc.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define NR_PAGES	(SZ_64M / PAGE_SIZE)
#define BATCH		512
#define GPA		TDX_TEST_GPA

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(td)
{
	tdx_prefer_this_task();
	self->vm = tdx_vm_create_runnable(NR_PAGES, &self->vcpu);
}

FIXTURE_TEARDOWN(td)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
}

struct removals {
	uint64_t blocked, removed, tracked, mapped, yields;
};

static struct removals removals(struct kvm_vm *vm)
{
	struct tdx_counters c;

	tdx_vm_counters(vm, &c);
	return (struct removals) {
		.blocked = tdx_counter(&c, TDX_LEAF_RANGE_BLOCK),
		.removed = tdx_counter(&c, TDX_LEAF_PAGE_REMOVE),
		.tracked = tdx_counter(&c, TDX_LEAF_TRACK),
		.mapped = vm_get_stat(vm, "pages_4k"),
		.yields = tdx_vm_forced_yields(vm),
	};
}

static int punch(struct kvm_vm *vm, int mode, uint64_t offset, uint64_t size)
{
	int fd = memslot2region(vm, TDX_TEST_SLOT)->region.guest_memfd;

	return tdx_ret(fallocate(fd, mode, offset, size));
}

TEST_F(td, to_shared_is_exact)
{
	struct removals r;

	tdx_pre_fault(self->vcpu, GPA, SZ_2M);
	vm_mem_set_shared(self->vm, GPA + SZ_4K, SZ_16K);
	r = removals(self->vm);
	EXPECT_EQ(4, r.blocked);
	EXPECT_EQ(4, r.removed);
	EXPECT_EQ(1, r.tracked);
	EXPECT_EQ(508, r.mapped);
}

/* What was mapped is gone, also after converting back. */
TEST_F(td, there_and_back)
{
	int i;

	for (i = 1; i <= 3; i++) {
		tdx_pre_fault(self->vcpu, GPA, SZ_64K);
		EXPECT_EQ(16 * i, tdx_vm_count(self->vm, TDX_LEAF_PAGE_AUG));
		vm_mem_set_shared(self->vm, GPA, SZ_64K);
		EXPECT_EQ(16 * i, removals(self->vm).removed);
		EXPECT_EQ(0, removals(self->vm).mapped);
		tdx_pre_fault(self->vcpu, GPA, SZ_64K);
		EXPECT_EQ(16, removals(self->vm).mapped);
		vm_mem_set_private(self->vm, GPA, SZ_64K);
		EXPECT_EQ(0, removals(self->vm).mapped);
	}
	EXPECT_EQ(3, removals(self->vm).tracked);
}

TEST_F(td, nothing_mapped_nothing_tracked)
{
	struct removals r;

	vm_mem_set_shared(self->vm, GPA, SZ_64M);
	vm_mem_set_private(self->vm, GPA, SZ_64M);
	EXPECT_EQ(0, punch(self->vm, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			   0, SZ_64M));
	r = removals(self->vm);
	EXPECT_EQ(0, r.blocked);
	EXPECT_EQ(0, r.removed);
	EXPECT_EQ(0, r.tracked);
}

/* Private stays private: the attribute that is there already changes nothing. */
TEST_F(td, to_private_keeps_private_pages)
{
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	vm_mem_set_private(self->vm, GPA, SZ_64K);
	EXPECT_EQ(0, removals(self->vm).removed);
	EXPECT_EQ(16, removals(self->vm).mapped);
}

TEST_F(td, bad_attributes)
{
	tdx_pre_fault(self->vcpu, GPA, SZ_16K);
	EXPECT_EQ(-EINVAL, __tdx_set_attributes(self->vm, GPA + 1, SZ_4K, 0));
	EXPECT_EQ(-EINVAL, __tdx_set_attributes(self->vm, GPA, SZ_4K + 1, 0));
	EXPECT_EQ(-EINVAL, __tdx_set_attributes(self->vm, GPA, 0, 0));
	EXPECT_EQ(-EINVAL, __tdx_set_attributes(self->vm, -SZ_4K, SZ_8K, 0));
	EXPECT_EQ(-EINVAL, __tdx_set_attributes(self->vm, GPA, SZ_4K, BIT(0)));
	EXPECT_EQ(0, removals(self->vm).removed);
	EXPECT_EQ(4, removals(self->vm).mapped);
}

TEST_F(td, punch_hole_is_exact)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	struct removals r;

	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	EXPECT_EQ(0, punch(self->vm, mode, SZ_8K, SZ_16K));
	r = removals(self->vm);
	EXPECT_EQ(4, r.removed);
	EXPECT_EQ(1, r.tracked);
	EXPECT_EQ(12, r.mapped);

	/* What is gone comes back as another page. */
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	EXPECT_EQ(20, tdx_vm_count(self->vm, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(16, removals(self->vm).mapped);
}

TEST_F(td, punch_hole_refusals)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	EXPECT_EQ(-EINVAL, punch(self->vm, mode, 1, SZ_4K));
	EXPECT_EQ(-EINVAL, punch(self->vm, mode, 0, SZ_4K + 1));
	EXPECT_EQ(-EINVAL, punch(self->vm, mode, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, punch(self->vm, 0, 0, SZ_4K));
	EXPECT_EQ(-EOPNOTSUPP, punch(self->vm, mode | FALLOC_FL_ZERO_RANGE, 0, SZ_4K));
	EXPECT_EQ(-EOPNOTSUPP, punch(self->vm, FALLOC_FL_COLLAPSE_RANGE, 0, SZ_4K));
	EXPECT_EQ(0, removals(self->vm).removed);
	EXPECT_EQ(16, removals(self->vm).mapped);
}

TEST(before_finalize_no_tracking_is_needed)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_vm_create_with_vcpu(16, &vcpu);
	void *src = aligned_alloc(PAGE_SIZE, SZ_64K);
	struct removals r;

	memset(src, 1, SZ_64K);
	tdx_init_mem_region(vcpu, src, GPA, 16, false);
	vm_mem_set_shared(vm, GPA, SZ_16K);
	r = removals(vm);
	EXPECT_EQ(0, r.blocked);
	EXPECT_EQ(4, r.removed);
	EXPECT_EQ(0, r.tracked);
	EXPECT_EQ(12, r.mapped);
	kvm_vm_free(vm);
	free(src);
}

static const int batch_pages[] = { 1, 511, 512, 513, 1024, 5000 };

TEST_F_TIMEOUT(td, batches, 120)
{
	struct removals before, after;
	uint64_t rounds, least, yields;
	int i, n;

	for (i = 0; i < ARRAY_SIZE(batch_pages); i++) {
		n = batch_pages[i];
		/* Neither end is aligned to anything but a page. */
		tdx_pre_fault(self->vcpu, GPA + SZ_4K, n * PAGE_SIZE);
		before = removals(self->vm);
		vm_mem_set_shared(self->vm, GPA, SZ_64M);
		after = removals(self->vm);
		vm_mem_set_private(self->vm, GPA, SZ_64M);

		rounds = after.tracked - before.tracked;
		yields = after.yields - before.yields;
		least = (n + BATCH - 1) / BATCH;
		ksft_print_msg("%5d pages: %lu TRACK rounds, %lu forced yields\n",
			       n, rounds, yields);
		EXPECT_EQ(n, after.blocked - before.blocked);
		EXPECT_EQ(n, after.removed - before.removed);
		EXPECT_GE(rounds, least);
		EXPECT_LE(rounds, least + yields);
	}
}

/* Holes cost nothing: batches count leaves, not tables. */
TEST_F_TIMEOUT(td, batches_with_holes, 120)
{
	struct removals r;
	int i;

	for (i = 0; i < 1024; i++)
		tdx_pre_fault(self->vcpu, GPA + i * 7 * PAGE_SIZE, PAGE_SIZE);
	vm_mem_set_shared(self->vm, GPA, SZ_64M);
	r = removals(self->vm);
	ksft_print_msg("1024 pages over %u: %lu TRACK rounds\n", 1024 * 7,
		       r.tracked);
	EXPECT_EQ(1024, r.removed);
	EXPECT_GE(r.tracked, 2);
	EXPECT_LE(r.tracked, 2 + r.yields);
}

TEST_F_TIMEOUT(td, sixty_four_mib_to_shared, 300)
{
	struct removals r;

	tdx_pre_fault(self->vcpu, GPA, SZ_64M);
	EXPECT_EQ(NR_PAGES, removals(self->vm).mapped);
	vm_mem_set_shared(self->vm, GPA, SZ_64M);
	r = removals(self->vm);
	ksft_print_msg("64 MiB to shared: %lu pages removed, %lu TRACK rounds, %lu forced yields\n",
		       r.removed, r.tracked, r.yields);
	EXPECT_EQ(NR_PAGES, r.removed);
	EXPECT_LE(r.tracked, 32 + r.yields);
	EXPECT_EQ(0, r.mapped);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	/* Each page counts; larger ones are for tdx_guest_large_test. */
	tdx_set_huge_page(false);

	return test_harness_run(argc, argv);
}
