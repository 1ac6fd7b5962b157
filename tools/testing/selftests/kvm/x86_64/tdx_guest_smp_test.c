// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two vCPUs of a TD that use the same memory, and vCPUs that wander between the
 * CPUs of the host.
 */
#include <sched.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	64
#define NR_ADDS		5000
#define NR_MOVES	40

/* Private memory of the program, the same for both. */
static uint64_t counter, locked_counter;
static int lock;
static bool ready[2];

static void wait_for_other(uint64_t me)
{
	WRITE_ONCE(ready[me], true);
	while (!READ_ONCE(ready[!me]))
		cpu_relax();
}

static void guest_adds(uint64_t me)
{
	int i;

	wait_for_other(me);
	for (i = 0; i < NR_ADDS; i++) {
		__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
			cpu_relax();
		WRITE_ONCE(locked_counter, locked_counter + 1);
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	}
	WRITE_ONCE(ready[me], false);
	while (READ_ONCE(ready[!me]))
		cpu_relax();
	GUEST_ASSERT_EQ(READ_ONCE(counter), 2 * NR_ADDS);
	GUEST_ASSERT_EQ(READ_ONCE(locked_counter), 2 * NR_ADDS);
}

static void *page(int i)
{
	return (void *)TDX_GUEST_PRIVATE(GPA + i * PAGE_SIZE);
}

/* One accepts and writes, the other reads, page by page. */
static int nr_written;

static void guest_hands_over(uint64_t me)
{
	int i;

	wait_for_other(me);
	for (i = 0; i < NR_PAGES; i++) {
		if (!me) {
			GUEST_ASSERT_EQ(tdx_accept(GPA + i * PAGE_SIZE, TDX_PAGE_4K), 0);
			tdx_fill(page(i), GPA + i * PAGE_SIZE, i);
			__atomic_store_n(&nr_written, i + 1, __ATOMIC_RELEASE);
			continue;
		}
		while (__atomic_load_n(&nr_written, __ATOMIC_ACQUIRE) <= i)
			cpu_relax();
		GUEST_ASSERT(tdx_is_filled(page(i), GPA + i * PAGE_SIZE, i));
	}
}

/* Both want the same pages at the same time; one of them gets each. */
static void guest_races(uint64_t me)
{
	uint64_t ret;
	int i, mine = 0;

	wait_for_other(me);
	for (i = 0; i < NR_PAGES; i++) {
		ret = tdx_accept(GPA + i * PAGE_SIZE, TDX_PAGE_4K);
		__GUEST_ASSERT(!ret || TDCALL_STATUS(ret) == TDCALL_PAGE_ALREADY_ACCEPTED,
			       "ACCEPT of page %d: %#lx", i, ret);
		mine += !ret;
	}
	__atomic_add_fetch(&counter, mine, __ATOMIC_SEQ_CST);
	WRITE_ONCE(ready[me], false);
	while (READ_ONCE(ready[!me]))
		cpu_relax();
	GUEST_ASSERT_EQ(READ_ONCE(counter), NR_PAGES);
}

#define MARK	0x7777777777777777ull
#define GS_BASE	0x123456789000ull
#define STAR	0x1122334400000000ull

/* Registers, time and memory have to stay what they are wherever it runs. */
static void guest_wanders(uint64_t gva)
{
	uint64_t *stop = (void *)gva;
	uint64_t last = 0, now, nr, x;

	wrmsr(MSR_KERNEL_GS_BASE, GS_BASE);
	wrmsr(MSR_STAR, STAR);
	for (nr = 0; !READ_ONCE(*stop); nr++) {
		asm volatile("movq %0, %%xmm7" :: "r" (MARK + nr));
		now = rdtsc();
		__GUEST_ASSERT(now >= last, "TSC went back from %lu to %lu", last, now);
		last = now;
		WRITE_ONCE(counter, nr);
		tdx_delay(100);
		asm volatile("movq %%xmm7, %0" : "=r" (x));
		GUEST_ASSERT_EQ(x, MARK + nr);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), GS_BASE);
		GUEST_ASSERT_EQ(rdmsr(MSR_STAR), STAR);
		GUEST_ASSERT_EQ(READ_ONCE(counter), nr);
	}
	GUEST_ASSERT(nr);
}

/* An attempt to add a page may find it, or the tree, busy: count pages. */
static uint64_t nr_initial_pages;

static struct kvm_vm *create(struct kvm_vcpu *vcpu[2], void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();
	int i;

	for (i = 0; i < 2; i++)
		vcpu[i] = tdx_guest_vcpu_add(vm, i, code, i);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(vm);
	nr_initial_pages = vm_get_stat(vm, "tdx_pages_mapped");
	return vm;
}

FIXTURE(two) {
	struct kvm_vcpu *vcpu[2];
};

FIXTURE_SETUP(two)
{
	if (tdx_guest_max_vcpus() < 2)
		SKIP(return, "A TD can't have two vCPUs here");
}

FIXTURE_TEARDOWN(two)
{
}

TEST_F(two, share_counters)
{
	struct kvm_vm *vm = create(self->vcpu, guest_adds);

	tdx_guest_run_all_to_done(self->vcpu, 2);
	kvm_vm_free(vm);
}

TEST_F(two, hand_pages_over)
{
	struct kvm_vm *vm = create(self->vcpu, guest_hands_over);

	tdx_guest_run_all_to_done(self->vcpu, 2);
	EXPECT_EQ(NR_PAGES, vm_get_stat(vm, "tdx_pages_mapped") - nr_initial_pages);
	kvm_vm_free(vm);
}

TEST_F(two, accept_the_same_pages)
{
	struct kvm_vm *vm = create(self->vcpu, guest_races);

	tdx_guest_run_all_to_done(self->vcpu, 2);
	EXPECT_EQ(NR_PAGES, vm_get_stat(vm, "tdx_pages_mapped") - nr_initial_pages);
	kvm_vm_free(vm);
}

static void *run_wanderer(void *vcpu)
{
	tdx_guest_run_to_done(vcpu);
	return NULL;
}

/* The host moves the threads while the guest runs in them. */
TEST(vcpu_moves_between_cpus)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	uint64_t *stop, flushes;
	vm_vaddr_t gva;

	if (nr_cpus < 2) {
		kvm_vm_free(vm);
		SKIP(return, "One CPU");
	}
	stop = tdx_guest_shared_alloc(vm, sizeof(*stop), &gva);
	vcpu = tdx_guest_vcpu_add(vm, 0, guest_wanders, gva);
	tdx_guest_launch(vm);
	flushes = tdx_vm_count(vm, TDX_LEAF_VP_FLUSH);
	thread = tdx_start_thread(run_wanderer, vcpu);
	for (i = 0; i < NR_MOVES; i++) {
		tdx_pin_thread(thread, i % 2);
		usleep(5000);
	}
	WRITE_ONCE(*stop, 1);
	pthread_join(thread, NULL);

	flushes = tdx_vm_count(vm, TDX_LEAF_VP_FLUSH) - flushes;
	ksft_print_msg("%d moves, %lu times VP.FLUSH\n", NR_MOVES, flushes);
	/* Each one that hit a vCPU in the guest; the thread may be slow to start. */
	EXPECT_GE(flushes, NR_MOVES / 2);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
