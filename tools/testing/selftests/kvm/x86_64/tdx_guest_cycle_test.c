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

/*
 * Less than a page per cycle; pages of TDs are counted exactly.  What goes is the
 * book-keeping of vfree(), which waits until there is enough to flush.
 */
#define SLACK_KB	(NR_CYCLES * 3)
#define WARM_UP		10
#define MAX_LOOKS	20

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

static void write_sysctl(const char *name, const char *val)
{
	int fd = open(name, O_WRONLY);

	TEST_ASSERT(fd >= 0 && write(fd, val, 1) == 1, "Cannot write %s", name);
	close(fd);
}

/* Of all zones, with what CPUs keep for themselves; caches are dropped first. */
static long mem_free_kb(void)
{
	long nr, pages = 0;
	char line[128];
	FILE *f;

	write_sysctl("/proc/sys/vm/drop_caches", "4");	/* no message */
	write_sysctl("/proc/sys/vm/drop_caches", "3");
	f = fopen("/proc/zoneinfo", "r");
	TEST_ASSERT(f, "Cannot open /proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " pages free %ld", &nr) == 1 ||
		    sscanf(line, " count: %ld", &nr) == 1)
			pages += nr;
	}
	fclose(f);
	TEST_ASSERT(pages, "No pages in /proc/zoneinfo");
	return pages * getpagesize() / 1024;
}

/* What a grace period of RCU or a worker has still to free comes in a while. */
static long wait_for_mem_kb(long wanted)
{
	long kb = mem_free_kb();
	int i;

	for (i = 0; i < MAX_LOOKS && kb < wanted; i++) {
		usleep(100000);
		kb = mem_free_kb();
	}
	return kb;
}

/* KASAN keeps what is freed in quarantine, up to a share of all memory. */
static bool has_quarantine(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	bool found = false;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " kasan_quarantine_put");
	if (f)
		fclose(f);
	return found;
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
	kb_before = wait_for_mem_kb(LONG_MAX);

	for (i = 0; i < NR_CYCLES; i++)
		ASSERT_TRUE(cycle());

	tdx_usage(&after);
	kb_after = wait_for_mem_kb(kb_before - SLACK_KB);
	ksft_print_msg("%d cycles: key IDs %lu -> %lu, pages kept %ld -> %ld\n",
		       NR_CYCLES, before.keyids, after.keyids, before.pages,
		       after.pages);
	ksft_print_msg("leaked %lu -> %lu pages, free memory %ld -> %ld KiB\n",
		       before.leaked, after.leaked, kb_before, kb_after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
	if (has_quarantine())
		ksft_print_msg("free memory not compared: KASAN has a quarantine\n");
	else
		EXPECT_LE(kb_before - kb_after, SLACK_KB);
	EXPECT_EQ(taint, tdx_kernel_taint());
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
