// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM does when a SEAMCALL fails: busy is retried, out of entropy is the
 * caller's to retry, anything else kills the VM, with a message and without a
 * WARN.  A page whose removal failed is never freed, but counted as leaked.
 *
 * Failures on request come from the software TDX module; a real one has none,
 * and everything here is skipped there.
 */
#include <linux/falloc.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	16

#define STATUS(code, operand)	((uint64_t)(code) << 32 | (operand))
#define BUSY			STATUS(0x80000200, 0x92)	/* S-EPT tree */
#define TRACK_BUSY		STATUS(0x80000201, 0)
#define NO_ENTROPY		STATUS(0x80000203, 0)
#define INVALID_OPERAND		STATUS(TDX_STATUS_OPERAND_INVALID, 64)
#define ENTROPY_TRIES		10	/* of the kernel, for one call */
#define FAILURE			STATUS(0xc0000300, 1)

enum leaf {
	MNG_ADDCX = 1, PAGE_ADD = 2, SEPT_ADD = 3, PAGE_AUG = 6, RANGE_BLOCK = 7,
	MNG_CREATE = 9, VP_CREATE = 10, MNG_RD = 11, MR_EXTEND = 16, MR_FINALIZE = 17,
	MNG_INIT = 21, VP_INIT = 22, PAGE_RECLAIM = 28, PAGE_REMOVE = 29,
	MEM_TRACK = 38,
};

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *src;
	uint64_t hw_error;
};

enum stage { CREATED, ADDED, READY, RUNNABLE, MAPPED };

static struct td td_create(enum stage stage)
{
	struct td td = { .vm = tdx_vm_create() };

	td.src = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(td.src, 1, PAGE_SIZE);
	tdx_vm_mem_add(td.vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	if (stage == CREATED)
		return td;
	tdx_vm_init(td.vm);
	td.vcpu = tdx_vcpu_add(td.vm, 0);
	if (stage == ADDED)
		return td;
	tdx_vcpu_init(td.vcpu, 0);
	if (stage == READY)
		return td;
	tdx_vm_finalize(td.vm);
	if (stage == MAPPED)
		tdx_pre_fault(td.vcpu, GPA, NR_PAGES * PAGE_SIZE);
	return td;
}

static void td_free(struct td *td)
{
	if (tdx_vm_is_dead(td->vm))
		tdx_vm_free_dead(td->vm);
	else
		kvm_vm_free(td->vm);
	free(td->src);
}

static int init_vm(struct td *td)
{
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(td->vm);
	int ret = __tdx_cmd(td->vm->fd, KVM_TDX_INIT_VM, 0, args, &td->hw_error);

	free(args);
	return ret;
}

static int init_vcpu(struct td *td)
{
	return __tdx_vcpu_init(td->vcpu, 0);
}

static int add(struct td *td)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)td->src,
		.gpa = GPA,
		.nr_pages = 1,
	};

	return __tdx_init_mem_region(td->vcpu, 1, &region);
}

static int finalize(struct td *td)
{
	return __tdx_cmd(td->vm->fd, KVM_TDX_FINALIZE_VM, 0, NULL, &td->hw_error);
}

static int pre_fault(struct td *td)
{
	return __tdx_pre_fault(td->vcpu, GPA, PAGE_SIZE, NULL);
}

static int get_cpuid(struct td *td)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	int ret = __tdx_vcpu_get_cpuid(td->vcpu, cpuid);

	free(cpuid);
	return ret;
}

static int read_mrtd(struct td *td)
{
	uint8_t mrtd[TDX_MRTD_SIZE];

	return __tdx_vm_mrtd(td->vm, mrtd);
}

static int punch(struct td *td)
{
	int fd = memslot2region(td->vm, TDX_TEST_SLOT)->region.guest_memfd;

	return tdx_ret(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 0, 8 * PAGE_SIZE));
}

/* @leaks: pages given up by the call itself; those at destruction come on top. */
static const struct failure {
	const char *name;
	enum leaf leaf;
	int nth, times;
	uint64_t status;
	enum stage stage;
	int (*call)(struct td *td);
	int want;
	bool dead;
	int leaks;
} failures[] = {
	{ "create: entropy late", MNG_CREATE, 1, ENTROPY_TRIES - 1, NO_ENTROPY,
	  CREATED, init_vm, 0 },
	{ "create: no entropy",	MNG_CREATE, 1, ENTROPY_TRIES, NO_ENTROPY,
	  CREATED, init_vm, -EAGAIN },
	{ "add control page: no entropy", MNG_ADDCX, 2, ENTROPY_TRIES, NO_ENTROPY,
	  CREATED, init_vm, -EAGAIN },
	{ "init TD: operand",	MNG_INIT, 1, 1, INVALID_OPERAND, CREATED, init_vm, -EINVAL },
	{ "create: failure",	MNG_CREATE, 1, 1, FAILURE, CREATED, init_vm, -EIO, true },
	{ "init TD: failure",	MNG_INIT, 1, 1, FAILURE, CREATED, init_vm, -EIO, true },
	{ "init TD: read",	MNG_RD, 2, 1, FAILURE, CREATED, init_vm, -EIO },
	{ "CPUID: busy",	MNG_RD, 3, 50, BUSY, ADDED, get_cpuid, 0 },
	{ "CPUID: failure",	MNG_RD, 3, 1, FAILURE, ADDED, get_cpuid, -EIO },
	{ "measurement: busy",	MNG_RD, 3, 50, BUSY, RUNNABLE, read_mrtd, 0 },
	{ "measurement: failure", MNG_RD, 3, 1, FAILURE, RUNNABLE, read_mrtd, -EIO },
	{ "create vCPU: failure", VP_CREATE, 1, 1, FAILURE, ADDED, init_vcpu, -EIO, true },
	{ "init vCPU: failure",	VP_INIT, 1, 1, FAILURE, ADDED, init_vcpu, -EIO, true },
	{ "add page: busy",	PAGE_ADD, 1, 2, BUSY, READY, add, 0 },
	{ "add page: failure",	PAGE_ADD, 1, 1, FAILURE, READY, add, -EIO, true },
	{ "measure: failure",	MR_EXTEND, 7, 1, FAILURE, READY, add, -EIO, true },
	{ "finalize: busy",	MR_FINALIZE, 1, 1, BUSY, READY, finalize, -EBUSY },
	{ "finalize: failure",	MR_FINALIZE, 1, 1, FAILURE, READY, finalize, -EIO, true },
	{ "add table: busy",	SEPT_ADD, 2, 2, BUSY, RUNNABLE, pre_fault, 0 },
	{ "add table: failure",	SEPT_ADD, 2, 1, FAILURE, RUNNABLE, pre_fault, -EIO, true },
	{ "augment: busy",	PAGE_AUG, 1, 2, BUSY, RUNNABLE, pre_fault, 0 },
	{ "augment: failure",	PAGE_AUG, 1, 1, FAILURE, RUNNABLE, pre_fault, -EIO, true },
	{ "block first: busy",	RANGE_BLOCK, 1, 1, BUSY, MAPPED, punch, 0 },
	{ "block third: busy",	RANGE_BLOCK, 3, 1, BUSY, MAPPED, punch, 0 },
	{ "block: failure",	RANGE_BLOCK, 3, 1, FAILURE, MAPPED, punch, 0, true, 1 },
	{ "block: stays busy",	RANGE_BLOCK, 3, 4, BUSY, MAPPED, punch, 0, true, 1 },
	{ "track: busy",	MEM_TRACK, 1, 1, TRACK_BUSY, MAPPED, punch, 0 },
	{ "track: failure",	MEM_TRACK, 1, 1, FAILURE, MAPPED, punch, 0, true, 8 },
	{ "remove: busy once",	PAGE_REMOVE, 3, 1, BUSY, MAPPED, punch, 0 },
	{ "remove: busy twice",	PAGE_REMOVE, 3, 2, BUSY, MAPPED, punch, 0, true, 1 },
	{ "remove: failure",	PAGE_REMOVE, 3, 1, FAILURE, MAPPED, punch, 0, true, 1 },
};

FIXTURE(failure) {
	unsigned long taint;
	struct tdx_usage before;
};

FIXTURE_SETUP(failure)
{
	self->taint = tdx_kernel_taint();
	tdx_usage(&self->before);
}

FIXTURE_TEARDOWN(failure)
{
	tdx_fail_nothing();
	EXPECT_EQ(0, ~self->taint & tdx_kernel_taint() & TDX_TAINT_WARN);
}

static void provoke(struct __test_metadata *_metadata, const struct failure *f)
{
	struct tdx_usage before, after, gone;
	struct td td = td_create(f->stage);
	int got;

	tdx_usage(&before);
	tdx_fail_leaf(f->leaf, f->nth, f->times, f->status);
	got = f->call(&td);
	tdx_fail_nothing();
	tdx_usage(&after);

	EXPECT_EQ(f->want, got)
		TH_LOG("%s", f->name);
	EXPECT_EQ(f->dead, tdx_vm_is_dead(td.vm))
		TH_LOG("%s", f->name);
	EXPECT_EQ(f->leaks, after.leaked - before.leaked)
		TH_LOG("%s", f->name);
	if (got == -EBUSY || got == -EINVAL)
		EXPECT_EQ(f->status, td.hw_error);
	if (got && !f->dead)
		EXPECT_EQ(0, f->call(&td));

	td_free(&td);
	tdx_usage(&gone);
	ksft_print_msg("%-30s %-24s leaked %lu, then %lu\n", f->name,
		       got ? strerror(-got) : "ok", after.leaked - before.leaked,
		       gone.leaked - after.leaked);
	/* A TD that does not get all its pages back cannot give up its root. */
	EXPECT_EQ(!!f->leaks, gone.leaked - after.leaked)
		TH_LOG("%s", f->name);
}

TEST_F_TIMEOUT(failure, of_each_seamcall, 120)
{
	struct tdx_usage after;
	int i;

	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		provoke(_metadata, &failures[i]);
		tdx_usage(&after);
		EXPECT_EQ(self->before.keyids, after.keyids)
			TH_LOG("%s", failures[i].name);
	}
}

/* At destruction nobody is left to be told; the page is kept and counted. */
TEST_F(failure, of_a_reclaim)
{
	struct td td = td_create(MAPPED);
	struct tdx_usage after;

	tdx_fail_leaf(PAGE_RECLAIM, 2, 1, FAILURE);
	td_free(&td);
	tdx_fail_nothing();
	tdx_usage(&after);
	ksft_print_msg("leaked %lu\n", after.leaked - self->before.leaked);
	EXPECT_GE(after.leaked, self->before.leaked + 1);
	EXPECT_EQ(self->before.keyids, after.keyids);
}

/* What the VM that died leaves behind is of no consequence to the next one. */
TEST_F(failure, is_over_with_the_vm)
{
	struct td td = td_create(MAPPED);

	tdx_fail_leaf(PAGE_REMOVE, 1, 1, FAILURE);
	EXPECT_EQ(0, punch(&td));
	tdx_fail_nothing();
	EXPECT_EQ(-EIO, pre_fault(&td));
	td_free(&td);

	td = td_create(MAPPED);
	EXPECT_EQ(0, punch(&td));
	EXPECT_FALSE(tdx_vm_is_dead(td.vm));
	td_free(&td);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	__TEST_REQUIRE(tdx_has_faults("fail_leaf"), "no software TDX module with fault injection");

	return test_harness_run(argc, argv);
}
