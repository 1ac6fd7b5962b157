// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a TD costs, in numbers that compare: changes of its private memory from
 * outside, and what its guest asks for.  SEAMCALLs, TRACK rounds and times that all
 * vCPUs were kicked are exact on any machine.  TSC ticks are instructions in
 * Bochs, time elsewhere: good for ratios within one run.
 */
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define MAX_SIZE	SZ_64M

struct cost {
	uint64_t tsc;
	uint64_t seamcalls;
	uint64_t rounds;
	uint64_t kicks;
	uint64_t yields;
};

static uint64_t nr_seamcalls(struct kvm_vm *vm)
{
	struct tdx_counters counters;
	uint64_t sum = 0;
	int i;

	tdx_vm_counters(vm, &counters);
	for (i = 0; i < counters.nr; i++)
		sum += counters.c[i].val;
	return sum;
}

static struct cost now(struct kvm_vm *vm)
{
	return (struct cost) {
		.seamcalls = nr_seamcalls(vm),
		.rounds = tdx_vm_count(vm, TDX_LEAF_TRACK),
		.kicks = vm_get_stat(vm, "tdx_kicks"),
		.yields = tdx_vm_forced_yields(vm),
		.tsc = rdtsc(),
	};
}

static void show(struct kvm_vm *vm, const char *what, uint64_t pages,
		 const struct cost *before)
{
	uint64_t tsc = rdtsc() - before->tsc;
	struct cost after = now(vm);

	printf("%-22s %6lu %10lu %7lu %6lu %7lu %12lu\n", what, pages,
	       after.seamcalls - before->seamcalls,
	       after.rounds - before->rounds, after.kicks - before->kicks,
	       after.yields - before->yields, tsc / pages);
}

static void bench(struct kvm_vm *vm, struct kvm_vcpu *vcpu, uint64_t size)
{
	uint64_t pages = size / PAGE_SIZE;
	struct cost before;

	before = now(vm);
	tdx_pre_fault(vcpu, GPA, size);
	show(vm, "augment", pages, &before);

	before = now(vm);
	vm_mem_set_shared(vm, GPA, size);
	show(vm, "convert to shared", pages, &before);

	vm_mem_set_private(vm, GPA, size);
	vm_guest_mem_punch_hole(vm, GPA, size);
	tdx_pre_fault(vcpu, GPA, size);
	before = now(vm);
	vm_guest_mem_punch_hole(vm, GPA, size);
	show(vm, "punch a hole", pages, &before);
}

static void bench_initial(void)
{
	void *image = aligned_alloc(PAGE_SIZE, SZ_2M);
	struct kvm_vcpu *vcpu;
	struct cost before;
	struct kvm_vm *vm;

	vm = tdx_vm_create_with_vcpu(SZ_2M / PAGE_SIZE, &vcpu);
	memset(image, 0xa5, SZ_2M);
	before = now(vm);
	tdx_init_mem_region(vcpu, image, GPA, 256, false);
	show(vm, "add", 256, &before);
	before = now(vm);
	tdx_init_mem_region(vcpu, image, GPA + SZ_1M, 256, true);
	show(vm, "add and measure", 256, &before);
	kvm_vm_free(vm);
	free(image);
}

/*
 * The guest's side: it takes the time, so that its clock, which the module makes
 * of the host's, is the unit.  Two vCPUs work on memory of their own, side by side.
 */
#define GUEST_PAGES	256
#define MAX_VCPUS	2

enum { VMCALL, ACCEPT, CONVERT, SHARED_FAULT, NR_COSTS };

static const struct {
	const char *name;
	uint64_t nr;
} guest_costs[NR_COSTS] = {
	[VMCALL] = { "empty TDVMCALL", GUEST_PAGES },
	[ACCEPT] = { "private fault, accept", GUEST_PAGES },
	[CONVERT] = { "1 MiB to shared", 1 },
	[SHARED_FAULT] = { "shared fault", GUEST_PAGES },
};

struct guest_ticks {
	uint64_t vcpu;
	uint64_t ticks[NR_COSTS];
};

static int nr_vcpus;
static int nr_arrived;

/* All vCPUs are at the same point. */
static void meet(int nr)
{
	__atomic_add_fetch(&nr_arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&nr_arrived, __ATOMIC_SEQ_CST) < nr * nr_vcpus)
		cpu_relax();
}

static void guest_do(int what, uint64_t gpa)
{
	uint64_t i;

	switch (what) {
	case VMCALL:
		for (i = 0; i < GUEST_PAGES; i++)
			GUEST_ASSERT_EQ(tdvmcall(TDVMCALL_INFO, 0, 0, 0, 0, NULL), 0);
		break;
	case ACCEPT:
		for (i = 0; i < GUEST_PAGES; i++)
			GUEST_ASSERT_EQ(tdx_accept(gpa + i * PAGE_SIZE, TDX_PAGE_4K), 0);
		break;
	case CONVERT:
		GUEST_ASSERT_EQ(tdvmcall_map_gpa(gpa | tdx_guest_shared_bit,
						 GUEST_PAGES * PAGE_SIZE, NULL), 0);
		break;
	case SHARED_FAULT:
		for (i = 0; i < GUEST_PAGES; i++)
			WRITE_ONCE(*(uint64_t *)TDX_GUEST_SHARED(gpa + i * PAGE_SIZE), i);
		break;
	}
}

static void guest_bench(uint64_t gva)
{
	struct guest_ticks *mine = (void *)gva;
	uint64_t gpa = GPA + mine->vcpu * GUEST_PAGES * PAGE_SIZE;
	uint64_t start;
	int i;

	for (i = 0; i < NR_COSTS; i++) {
		meet(i + 1);
		start = rdtsc();
		guest_do(i, gpa);
		mine->ticks[i] = rdtsc() - start;
	}
}

static void *run_bench(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct ucall uc;

	while (tdx_guest_run(vcpu, &uc) != UCALL_DONE) {
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_HYPERCALL);
		tdx_guest_handle_map_gpa(vcpu);
	}
	return NULL;
}

static void bench_guest(int nr)
{
	struct guest_ticks *ticks;
	pthread_t threads[MAX_VCPUS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	vm_vaddr_t gva;
	uint64_t sum;
	int i, what;

	vm = tdx_guest_create();
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, nr * GUEST_PAGES);
	ticks = tdx_guest_shared_alloc(vm, nr * sizeof(*ticks), &gva);
	nr_vcpus = nr;
	sync_global_to_guest(vm, nr_vcpus);
	for (i = 0; i < nr; i++) {
		ticks[i].vcpu = i;
		tdx_guest_vcpu_add(vm, i, guest_bench, gva + i * sizeof(*ticks));
	}
	tdx_guest_launch(vm);

	i = 0;
	list_for_each_entry(vcpu, &vm->vcpus, list) {
		threads[i] = tdx_start_thread(run_bench, vcpu);
		tdx_pin_thread(threads[i], i);
		i++;
	}
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);

	for (what = 0; what < NR_COSTS; what++) {
		for (i = 0, sum = 0; i < nr; i++)
			sum += ticks[i].ticks[what];
		printf("%-22s %6d vCPU%s %12lu ticks\n", guest_costs[what].name, nr,
		       nr > 1 ? "s" : " ", sum / nr / guest_costs[what].nr);
	}
	kvm_vm_free(vm);
}

/* Without large pages, then with them where these fit. */
static void bench_sizes(bool huge_page)
{
	static const uint64_t sizes[] = { SZ_4K, SZ_2M, MAX_SIZE };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	tdx_set_huge_page(huge_page);
	printf("%s\n", huge_page ? "by 2 MiB" : "by 4 KiB");
	vm = tdx_vm_create_runnable(MAX_SIZE / PAGE_SIZE, &vcpu);
	for (i = huge_page; i < ARRAY_SIZE(sizes); i++)
		bench(vm, vcpu, sizes[i]);
	printf("%-22s %lu\n", "tables", vm_get_stat(vm, "tdx_sept_pages"));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	int i;

	TEST_REQUIRE(kvm_has_tdx());
	setvbuf(stdout, NULL, _IOLBF, 0);
	tdx_prefer_this_task();

	printf("%-22s %6s %10s %7s %6s %7s %12s\n", "", "pages", "SEAMCALLs",
	       "TRACKs", "kicks", "yields", "ticks/page");
	bench_initial();
	bench_sizes(false);
	bench_sizes(true);

	/* By 4 KiB, as the guest accepts it. */
	tdx_set_huge_page(false);
	for (i = 1; i <= MAX_VCPUS && i <= tdx_guest_max_vcpus(); i++)
		bench_guest(i);
	return 0;
}
