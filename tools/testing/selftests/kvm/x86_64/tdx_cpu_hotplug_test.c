// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that go and come: a vCPU leaves the CPU that goes offline in time, while
 * that can still execute SEAMCALL, and the CPU that comes back is initialized for
 * the TDX module again.
 */
#include <fcntl.h>
#include <sched.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	64
#define CPU		1
#define ONLINE		"/sys/devices/system/cpu/cpu1/online"

static int set_online(bool online)
{
	int fd = open(ONLINE, O_WRONLY);
	int ret;

	TEST_ASSERT(fd >= 0, "Cannot open %s", ONLINE);
	ret = tdx_ret(write(fd, online ? "1" : "0", 1));
	close(fd);
	return ret == 1 ? 0 : ret;
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "Cannot run on CPU %d", cpu);
}

FIXTURE(cpu) {
	struct tdx_usage before;
	unsigned long taint;
};

FIXTURE_SETUP(cpu)
{
	self->taint = tdx_kernel_taint();
	tdx_usage(&self->before);
}

FIXTURE_TEARDOWN(cpu)
{
	struct tdx_usage after;

	EXPECT_EQ(0, set_online(true));
	tdx_usage(&after);
	EXPECT_EQ(self->before.keyids, after.keyids);
	EXPECT_EQ(self->before.pages, after.pages);
	EXPECT_EQ(self->before.leaked, after.leaked);
	EXPECT_EQ(0, ~self->taint & tdx_kernel_taint() & TDX_TAINT_WARN);
}

/* INIT_VCPU has associated the vCPU with the CPU that goes. */
TEST_F(cpu, goes_offline_under_a_vcpu)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	run_on(CPU);
	vm = tdx_vm_create_runnable(NR_PAGES, &vcpu);
	EXPECT_EQ(0, tdx_vm_count(vm, TDX_LEAF_VP_FLUSH));
	run_on(0);
	ASSERT_EQ(0, set_online(false));
	EXPECT_EQ(1, tdx_vm_count(vm, TDX_LEAF_VP_FLUSH));

	tdx_pre_fault(vcpu, GPA, NR_PAGES * PAGE_SIZE);
	EXPECT_EQ(NR_PAGES, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	EXPECT_FALSE(tdx_vm_is_dead(vm));
	kvm_vm_free(vm);
}

TEST_F(cpu, comes_back_for_a_new_td)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	ASSERT_EQ(0, set_online(false));
	ASSERT_EQ(0, set_online(true));
	run_on(CPU);
	vm = tdx_vm_create_runnable(NR_PAGES, &vcpu);
	tdx_pre_fault(vcpu, GPA, NR_PAGES * PAGE_SIZE);
	vm_mem_set_shared(vm, GPA, NR_PAGES * PAGE_SIZE);
	/* One, and one more each time that somebody else wants the CPU. */
	EXPECT_LE(1, tdx_vm_count(vm, TDX_LEAF_TRACK));
	EXPECT_FALSE(tdx_vm_is_dead(vm));
	run_on(0);
	kvm_vm_free(vm);
}

/* A vCPU that moves is flushed where it was, and only if it was somewhere else. */
TEST_F(cpu, changes_under_a_vcpu)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	run_on(0);
	vm = tdx_vm_create_runnable(NR_PAGES, &vcpu);
	for (i = 0; i < 4; i++) {
		run_on(i % 2);
		tdx_pre_fault(vcpu, GPA + i * SZ_16K, SZ_16K);
		EXPECT_EQ(i, tdx_vm_count(vm, TDX_LEAF_VP_FLUSH));
	}
	run_on(0);
	EXPECT_FALSE(tdx_vm_is_dead(vm));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	__TEST_REQUIRE(!access(ONLINE, W_OK), "CPU %d cannot go offline", CPU);

	return test_harness_run(argc, argv);
}
