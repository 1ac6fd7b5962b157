// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hundred TDs, one after the other, each created, run and destroyed: memory and
 * key IDs return to where they were.
 */
#include <sys/wait.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define NR_CYCLES	100
#define GPA		TDX_TEST_GPA
#define NR_PAGES	32

/* What caches of the kernel may take; pages of TDs are counted exactly. */
#define SLACK_KB	(6 * 1024)
#define WARM_UP		10

static void guest_code(uint64_t gva)
{
	uint64_t *counter = (void *)gva;
	uint64_t gpa;

	for (gpa = GPA; gpa < GPA + NR_PAGES * PAGE_SIZE; gpa += PAGE_SIZE) {
		GUEST_ASSERT_EQ(tdx_accept(gpa, TDX_PAGE_4K), 0);
		tdx_fill((void *)TDX_GUEST_PRIVATE(gpa), gpa, 1);
	}
	GUEST_ASSERT_EQ(tdvmcall_map_gpa(GPA | tdx_guest_shared_bit,
					 NR_PAGES / 2 * PAGE_SIZE, NULL), 0);
	for (gpa = GPA; gpa < GPA + NR_PAGES / 2 * PAGE_SIZE; gpa += PAGE_SIZE)
		tdx_fill((void *)TDX_GUEST_SHARED(gpa), gpa, 2);
	WRITE_ONCE(*counter, 1);
}

static void create_run_destroy(void)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu;
	uint64_t *counter;
	vm_vaddr_t gva;

	counter = tdx_guest_shared_alloc(vm, sizeof(*counter), &gva);
	vcpu = tdx_guest_vcpu_add(vm, 0, guest_code, gva);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(vm);
	tdx_guest_run_to_exit(vcpu, KVM_EXIT_HYPERCALL);
	tdx_guest_handle_map_gpa(vcpu);
	tdx_guest_run_to_done(vcpu);
	TEST_ASSERT_EQ(*counter, 1);
	TEST_ASSERT_EQ(tdx_vm_count(vm, TDX_LEAF_PAGE_REMOVE), NR_PAGES / 2);
	kvm_vm_free(vm);
}

/* In a process of its own, or else the memory of the program counts, too. */
static bool cycle(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		create_run_destroy();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !status;
}

static long mem_free_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	TEST_ASSERT(f, "Cannot open /proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %ld kB", &kb) == 1)
			break;
	}
	fclose(f);
	TEST_ASSERT(kb > 0, "No MemFree in /proc/meminfo");
	return kb;
}

FIXTURE(cycles) {
};

FIXTURE_SETUP(cycles) {}
FIXTURE_TEARDOWN(cycles) {}

TEST_F_TIMEOUT(cycles, a_hundred_times, 300)
{
	unsigned long taint = tdx_kernel_taint();
	struct tdx_usage before, after;
	long kb_before, kb_after;
	int i;

	/* Slabs, page tables and per-CPU caches grow with the first few. */
	for (i = 0; i < WARM_UP; i++)
		ASSERT_TRUE(cycle());
	tdx_usage(&before);
	kb_before = mem_free_kb();

	for (i = 0; i < NR_CYCLES; i++)
		ASSERT_TRUE(cycle());

	tdx_usage(&after);
	kb_after = mem_free_kb();
	ksft_print_msg("%d cycles: key IDs %lu -> %lu, pages kept %ld -> %ld\n",
		       NR_CYCLES, before.keyids, after.keyids, before.pages,
		       after.pages);
	ksft_print_msg("leaked %lu -> %lu pages, free memory %ld -> %ld KiB\n",
		       before.leaked, after.leaked, kb_before, kb_after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
	EXPECT_LE(kb_before - kb_after, SLACK_KB);
	EXPECT_EQ(taint, tdx_kernel_taint());
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
