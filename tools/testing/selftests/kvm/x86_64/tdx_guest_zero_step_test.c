// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private EPT violations that come again although KVM has resolved them: what the
 * TDX module makes up for a guest that faults at the same instruction too often.
 * KVM has nothing to do but to enter the guest again.
 *
 * The software TDX module does so on request; a real one doesn't, and everything
 * here is skipped there.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define TIMES		"/sys/kernel/debug/tdx_sw/zero_step/times"
#define GPA		TDX_TEST_GPA
#define NR_PAGES	16

static uint64_t *page(int i)
{
	return (void *)TDX_GUEST_PRIVATE(GPA + i * PAGE_SIZE);
}

/* Each first access is an EPT violation, then a #VE, whose handler accepts. */
static void guest_touches(uint64_t arg)
{
	int i;

	tdx_ve_accepts = true;
	for (i = 0; i < NR_PAGES; i++)
		WRITE_ONCE(*page(i), i + 1);
	for (i = 0; i < NR_PAGES; i++)
		GUEST_ASSERT_EQ(*page(i), i + 1);
	GUEST_ASSERT_EQ(tdx_ve_log.nr_accepted, NR_PAGES);
}

static int times_left(void)
{
	FILE *f = fopen(TIMES, "r");
	int val = -1;

	TEST_ASSERT(f, "Cannot open times");
	TEST_ASSERT(fscanf(f, "%d", &val) == 1, "times is not a number");
	fclose(f);
	return val;
}

FIXTURE(zero_step) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	unsigned long taint;
};

FIXTURE_VARIANT(zero_step) {
	int interval;		/* one of so many entries after a violation */
	int times;
	bool vm_dies;
};

FIXTURE_VARIANT_ADD(zero_step, once) {
	.interval = 1, .times = 1,
};

FIXTURE_VARIANT_ADD(zero_step, now_and_then) {
	.interval = 3, .times = NR_PAGES / 3,
};

FIXTURE_VARIANT_ADD(zero_step, many_in_a_row) {
	.interval = 1, .times = 50,
};

/* More than KVM believes of a page that is pending. */
FIXTURE_VARIANT_ADD(zero_step, for_ever) {
	.interval = 1, .times = -1, .vm_dies = true,
};

FIXTURE_SETUP(zero_step)
{
	self->taint = tdx_kernel_taint();
	self->vm = tdx_guest_create_with(tdx_guest_no_attributes);
	self->vcpu = tdx_guest_vcpu_add(self->vm, 0, guest_touches, 0);
	tdx_guest_mem_add(self->vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(self->vm);

	tdx_fault_set("zero_step", "verbose", 0);
	tdx_fault_set("zero_step", "interval", variant->interval);
	tdx_fault_set("zero_step", "space", 0);
	tdx_fault_set("zero_step", "times", variant->times);
}

FIXTURE_TEARDOWN(zero_step)
{
	tdx_fault_set("zero_step", "probability", 0);
	if (variant->vm_dies)
		tdx_vm_free_dead(self->vm);
	else
		kvm_vm_free(self->vm);
	EXPECT_EQ(0, ~self->taint & tdx_kernel_taint() & TDX_TAINT_WARN);
}

TEST_F(zero_step, guest_goes_on_or_dies)
{
	tdx_fault_set("zero_step", "probability", 100);
	if (variant->vm_dies) {
		EXPECT_EQ(-EIO, tdx_ret(__vcpu_run(self->vcpu)));
		EXPECT_TRUE(tdx_vm_is_dead(self->vm));
		return;
	}
	tdx_guest_run_to_done(self->vcpu);
	EXPECT_EQ(0, times_left());
	/* What is there is not added again. */
	EXPECT_EQ(NR_PAGES, tdx_vm_count(self->vm, TDX_LEAF_PAGE_AUG));
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	__TEST_REQUIRE(tdx_has_faults("zero_step"),
		       "no software TDX module with fault injection");

	return test_harness_run(argc, argv);
}
