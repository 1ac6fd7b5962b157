// SPDX-License-Identifier: GPL-2.0-only
/*
 * What changes of a TD's private memory cost, in numbers that compare: SEAMCALLs,
 * TRACK rounds and times that all vCPUs were kicked are exact on any machine.  TSC
 * ticks are instructions in Bochs, time elsewhere: good for ratios within one run.
 */
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

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

int main(int argc, char *argv[])
{
	static const uint64_t sizes[] = { SZ_4K, SZ_2M, MAX_SIZE };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	TEST_REQUIRE(kvm_has_tdx());
	setvbuf(stdout, NULL, _IOLBF, 0);
	tdx_prefer_this_task();

	printf("%-22s %6s %10s %7s %6s %7s %12s\n", "", "pages", "SEAMCALLs",
	       "TRACKs", "kicks", "yields", "ticks/page");
	bench_initial();
	vm = tdx_vm_create_runnable(MAX_SIZE / PAGE_SIZE, &vcpu);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		bench(vm, vcpu, sizes[i]);
	kvm_vm_free(vm);
	return 0;
}
