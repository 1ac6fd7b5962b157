// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages of 2 MiB under a guest that runs: accepted whole or in parts, cut by
 * conversions and holes of which every other page has to survive, and back again.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR		(SZ_2M / PAGE_SIZE)
#define NR_LARGE	3
#define NR_PAGES	(NR_LARGE * NR)
#define SEED		0x1a49e

static uint64_t gpa_of(int i)
{
	return GPA + (uint64_t)i * PAGE_SIZE;
}

static void *page(int i)
{
	return (void *)TDX_GUEST_PRIVATE(gpa_of(i));
}

/* As Linux does: by 2 MiB where that is possible, else by 4 KiB.  How many of either? */
static int nr_large, nr_small;

static int accept_some(int i, int end)
{
	uint64_t ret;

	if (i % NR == 0 && i + NR <= end) {
		ret = tdx_accept(gpa_of(i), TDX_PAGE_2M);
		if (!ret) {
			nr_large++;
			return i + NR;
		}
		GUEST_ASSERT_EQ(TDCALL_STATUS(ret), TDCALL_PAGE_SIZE_MISMATCH);
	}
	GUEST_ASSERT_EQ(tdx_accept(gpa_of(i), TDX_PAGE_4K), 0);
	nr_small++;
	return i + 1;
}

static void accept_range(int start, int end)
{
	int i;

	nr_large = 0;
	nr_small = 0;
	for (i = start; i < end;)
		i = accept_some(i, end);
	for (i = start; i < end; i++)
		GUEST_ASSERT(tdx_is_zero(page(i)));
}

static void fill(int start, int end)
{
	int i;

	for (i = start; i < end; i++)
		tdx_fill(page(i), gpa_of(i), SEED);
}

static void check(int start, int end)
{
	int i;

	for (i = start; i < end; i++)
		__GUEST_ASSERT(tdx_is_filled(page(i), gpa_of(i), SEED), "page %d", i);
}

static void guest_accepts_large(uint64_t arg)
{
	accept_range(0, NR_PAGES);
	GUEST_ASSERT_EQ(nr_large, NR_LARGE);
	GUEST_ASSERT_EQ(nr_small, 0);
	fill(0, NR_PAGES);
	check(0, NR_PAGES);
	GUEST_ASSERT_EQ(tdx_accept(GPA + SZ_4K, TDX_PAGE_4K),
			TDCALL_ERROR(TDCALL_PAGE_ALREADY_ACCEPTED, TDX_PAGE_2M));
}

/* Page by page, also where the host has mapped 2 MiB. */
static void guest_accepts_small(uint64_t nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		GUEST_ASSERT_EQ(tdx_accept(gpa_of(i), TDX_PAGE_4K), 0);
		GUEST_ASSERT(tdx_is_zero(page(i)));
		tdx_fill(page(i), gpa_of(i), SEED);
	}
	check(0, nr);
	GUEST_SYNC(1);
	/* All of it was converted there and back. */
	accept_range(0, nr);
	GUEST_ASSERT_EQ(nr_small, 0);
}

/* What the host converts: begin and end at, and beside, every border. */
static const struct step {
	int start;
	int end;
} steps[] = {
	{ 1, 2 }, { 0, NR - 1 }, { NR - 1, NR + 1 }, { NR, 2 * NR }, { NR + 1, NR_PAGES - 1 },
	{ 200, 1000 }, { 2 * NR - 1, NR_PAGES }, { 0, NR_PAGES },
};

static void guest_survives(uint64_t arg)
{
	int i;

	accept_range(0, NR_PAGES);
	fill(0, NR_PAGES);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		GUEST_SYNC(2 * i);
		check(0, steps[i].start);
		check(steps[i].end, NR_PAGES);
		GUEST_SYNC(2 * i + 1);
		accept_range(steps[i].start, steps[i].end);
		fill(steps[i].start, steps[i].end);
		check(0, NR_PAGES);
	}
	/* The last step was about all of it. */
	GUEST_ASSERT_EQ(nr_large, NR_LARGE);
}

/* The first page is never converted, whatever is around it. */
static void guest_watches(uint64_t gva)
{
	uint64_t *stop = (void *)gva;

	accept_range(0, NR);
	fill(0, NR);
	WRITE_ONCE(stop[1], 1);
	while (!READ_ONCE(*stop))
		check(0, 1);
}

/* Two vCPUs take turns with the pages of what the host has mapped large. */
static bool arrived[2];

static void guest_accepts_every_other(uint64_t me)
{
	int i;

	WRITE_ONCE(arrived[me], true);
	while (!READ_ONCE(arrived[!me]))
		cpu_relax();
	for (i = me; i < NR_PAGES; i += 2)
		GUEST_ASSERT_EQ(tdx_accept(gpa_of(i), TDX_PAGE_4K), 0);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t), uint64_t arg)
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, arg);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(vm);
	return vm;
}

static uint64_t nr_demoted(struct kvm_vm *vm)
{
	uint64_t nr = tdx_vm_count(vm, TDX_LEAF_PAGE_DEMOTE);

	TEST_ASSERT_EQ(nr, vm_get_stat(vm, "tdx_splits"));
	return nr;
}

TEST(accepted_whole)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accepts_large, 0);

	tdx_guest_run_to_done(vcpu);
	EXPECT_EQ(NR_LARGE, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(NR_LARGE, vm_get_stat(vm, "tdx_pages_mapped_2m"));
	EXPECT_EQ(0, nr_demoted(vm));
	EXPECT_TRUE(tdx_vm_has_range(vm, "0x40000000-0x405fffff 2M accepted 3"));
	kvm_vm_free(vm);
}

TEST(accepted_whole_what_was_there_before)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accepts_large, 0);

	tdx_pre_fault(vcpu, GPA, NR_LARGE * SZ_2M);
	EXPECT_EQ(NR_LARGE, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	EXPECT_TRUE(tdx_vm_has_range(vm, "0x40000000-0x405fffff 2M pending 3"));
	tdx_guest_run_to_done(vcpu);
	EXPECT_EQ(NR_LARGE, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(0, nr_demoted(vm));
	kvm_vm_free(vm);
}

/* The host doesn't know what the guest is up to, and learns it once for 2 MiB. */
TEST(accepted_in_parts)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accepts_small, 2 * NR);

	tdx_pre_fault(vcpu, GPA, SZ_2M);
	tdx_guest_run_to_sync(vcpu, 1);
	EXPECT_EQ(1, nr_demoted(vm));
	EXPECT_EQ(1 + NR, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(1, vm_get_stat(vm, "tdx_pages_mapped_2m"));
	EXPECT_TRUE(tdx_vm_has_range(vm, "0x40000000-0x403fffff 4K accepted 1024"));

	/* What it was like is forgotten along with what was there. */
	tdx_guest_convert(vm, GPA, 2 * SZ_2M, false);
	tdx_guest_convert(vm, GPA, 2 * SZ_2M, true);
	tdx_guest_run_to_done(vcpu);
	EXPECT_EQ(3, vm_get_stat(vm, "tdx_pages_mapped_2m"));
	kvm_vm_free(vm);
}

TEST(accepted_in_parts_by_two)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm;
	int i;

	if (tdx_guest_max_vcpus() < 2)
		SKIP(return, "One CPU");

	vm = tdx_guest_create();
	for (i = 0; i < 2; i++)
		vcpu[i] = tdx_guest_vcpu_add(vm, i, guest_accepts_every_other, i);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(vm);
	tdx_pre_fault(vcpu[0], GPA, NR_LARGE * SZ_2M);

	tdx_guest_run_all_to_done(vcpu, 2);
	EXPECT_EQ(NR_LARGE, nr_demoted(vm));
	EXPECT_EQ(NR_LARGE, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	kvm_vm_free(vm);
}

TEST(cut_to_the_page)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_survives, 0);
	uint64_t removed, tables = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *step = &steps[i];
		uint64_t gpa = GPA + step->start * PAGE_SIZE;
		uint64_t size = (step->end - step->start) * PAGE_SIZE;

		tdx_guest_run_to_sync(vcpu, 2 * i);
		if (!i)
			tables = vm_get_stat(vm, "tdx_sept_pages");
		removed = vm_get_stat(vm, "tdx_pages_removed");
		tdx_guest_convert(vm, gpa, size, false);
		EXPECT_EQ(step->end - step->start,
			  vm_get_stat(vm, "tdx_pages_removed") - removed);
		tdx_guest_run_to_sync(vcpu, 2 * i + 1);
		tdx_guest_convert(vm, gpa, size, true);
	}
	tdx_guest_run_to_done(vcpu);

	/* All of it is as it was at first. */
	EXPECT_EQ(tables, vm_get_stat(vm, "tdx_sept_pages"));
	EXPECT_EQ(0, vm_get_stat(vm, "tdx_pages_leaked"));
	kvm_vm_free(vm);
}

static void *run_to_done(void *vcpu)
{
	tdx_guest_run_to_done(vcpu);
	return NULL;
}

/* Holes and conversions while the guest uses the page beside them. */
TEST(cut_under_a_running_vcpu)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	vm_vaddr_t gva;
	uint64_t *stop;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		kvm_vm_free(vm);
		SKIP(return, "One CPU");
	}

	stop = tdx_guest_shared_alloc(vm, 2 * sizeof(*stop), &gva);
	vcpu = tdx_guest_vcpu_add(vm, 0, guest_watches, gva);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	tdx_guest_launch(vm);
	thread = tdx_start_thread(run_to_done, vcpu);
	while (!READ_ONCE(stop[1]))
		usleep(1000);

	for (i = 0; i < 10; i++) {
		vm_guest_mem_punch_hole(vm, GPA + (i + 1) * PAGE_SIZE, PAGE_SIZE);
		tdx_guest_convert(vm, GPA + (NR - 1 - i) * PAGE_SIZE, 2 * NR * PAGE_SIZE, false);
		tdx_guest_convert(vm, GPA + (NR - 1 - i) * PAGE_SIZE, 2 * NR * PAGE_SIZE, true);
	}
	WRITE_ONCE(*stop, 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(1, nr_demoted(vm));
	EXPECT_EQ(0, vm_get_stat(vm, "tdx_pages_leaked"));
	kvm_vm_free(vm);
}

/* Without a guest, so that it can be often. */
TEST(there_and_back)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_vm_create_runnable(NR_PAGES, &vcpu);
	struct tdx_usage before, after;
	uint64_t tables;
	int i;

	tdx_pre_fault(vcpu, GPA, NR_LARGE * SZ_2M);
	tables = vm_get_stat(vm, "tdx_sept_pages");
	tdx_usage(&before);
	for (i = 0; i < 20; i++) {
		/* Some of it, so that all kinds of pages are about, then all of it. */
		tdx_guest_convert(vm, GPA + (2 * i + 1) * PAGE_SIZE, SZ_2M, false);
		tdx_guest_convert(vm, GPA, NR_LARGE * SZ_2M, false);
		tdx_guest_convert(vm, GPA, NR_LARGE * SZ_2M, true);
		tdx_pre_fault(vcpu, GPA, NR_LARGE * SZ_2M);
	}
	tdx_usage(&after);

	EXPECT_EQ(tables, vm_get_stat(vm, "tdx_sept_pages"));
	EXPECT_EQ(NR_LARGE, vm_get_stat(vm, "pages_2m"));
	EXPECT_EQ(0, vm_get_stat(vm, "pages_4k"));
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
	kvm_vm_free(vm);
}

TEST(small_if_the_administrator_says_so)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	tdx_set_huge_page(false);
	vm = tdx_vm_create_runnable(NR_PAGES, &vcpu);
	tdx_pre_fault(vcpu, GPA, SZ_2M);
	EXPECT_EQ(NR, tdx_vm_count(vm, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(0, vm_get_stat(vm, "tdx_pages_mapped_2m"));

	/* It is asked at each fault, and where there is a table that stays. */
	tdx_set_huge_page(true);
	tdx_pre_fault(vcpu, GPA, 2 * SZ_2M);
	EXPECT_EQ(1, vm_get_stat(vm, "tdx_pages_mapped_2m"));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
