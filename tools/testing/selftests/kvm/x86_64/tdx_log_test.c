// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the log says of a SEAMCALL that failed: which VM it was, by the pid of its VMM
 * and its directory in debugfs, what was done to which page, and what the module
 * answered.  And how often that may be the answer.
 */
#include <linux/falloc.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	8

#define BUSY		0x8000020000000092ull	/* S-EPT tree */
#define FAILURE		0xc000030000000001ull

FIXTURE(log) {
	struct kvm_vm *vm;
	unsigned long taint;
	int kmsg;
};

FIXTURE_VARIANT(log) {
	unsigned int leaf;
	const char *name;
	int times;
	uint64_t status;
	bool silent;
};

FIXTURE_VARIANT_ADD(log, remove) {
	.leaf = 29, .name = "MEM.PAGE.REMOVE", .times = 1, .status = FAILURE,
};

FIXTURE_VARIANT_ADD(log, block) {
	.leaf = 7, .name = "MEM.RANGE.BLOCK", .times = 1, .status = FAILURE,
};

/* Two rounds of two attempts, whichever page it is. */
FIXTURE_VARIANT_ADD(log, block_busy) {
	.leaf = 7, .name = "MEM.RANGE.BLOCK", .times = 4, .status = BUSY,
};

FIXTURE_VARIANT_ADD(log, block_busy_once_less) {
	.leaf = 7, .times = 3, .status = BUSY, .silent = true,
};

FIXTURE_SETUP(log)
{
	struct kvm_vcpu *vcpu;

	/* Lines are limited to ten in five seconds, those of other tests included. */
	sleep(6);

	self->taint = tdx_kernel_taint();
	self->vm = tdx_vm_create_runnable(NR_PAGES, &vcpu);
	tdx_pre_fault(vcpu, GPA, NR_PAGES * PAGE_SIZE);
	self->kmsg = tdx_kmsg_open();
}

FIXTURE_TEARDOWN(log)
{
	tdx_fail_nothing();
	if (variant->silent)
		kvm_vm_free(self->vm);
	else
		tdx_vm_free_dead(self->vm);
	close(self->kmsg);
	EXPECT_EQ(0, ~self->taint & tdx_kernel_taint() & TDX_TAINT_WARN);
}

/* The third page is what it happens to. */
TEST_F(log, has_vm_leaf_status_and_page)
{
	int fd = memslot2region(self->vm, TDX_TEST_SLOT)->region.guest_memfd;
	char line[128];

	tdx_fail_leaf(variant->leaf, 3, variant->times, variant->status);
	EXPECT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       NR_PAGES * PAGE_SIZE));
	tdx_fail_nothing();

	EXPECT_EQ(!variant->silent, tdx_vm_is_dead(self->vm));
	if (variant->silent) {
		EXPECT_FALSE(tdx_kmsg_has(self->kmsg, " failed: status "));
		return;
	}

	snprintf(line, sizeof(line),
		 "TD %d-%d: TDH.%s (%u) failed: status %#018lx, operands %#llx ",
		 getpid(), self->vm->fd, variant->name, variant->leaf, variant->status,
		 GPA + 2 * PAGE_SIZE);
	EXPECT_TRUE(tdx_kmsg_has(self->kmsg, line))
		TH_LOG("%s", line);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	__TEST_REQUIRE(tdx_has_faults("fail_leaf"), "no software TDX module with fault injection");

	return test_harness_run(argc, argv);
}
