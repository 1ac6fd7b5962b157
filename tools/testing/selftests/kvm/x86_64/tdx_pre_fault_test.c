// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY on a TD: private pages are augmented, each once; every
 * refusal; progress when interrupted; a slot that is deleted meanwhile.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define NR_PAGES	2048
#define GPA		TDX_TEST_GPA
#define ORDINARY_GPA	(GPA + SZ_1G)
#define ORDINARY_SLOT	(TDX_TEST_SLOT + 1)

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(td)
{
	self->vm = tdx_vm_create_runnable(NR_PAGES, &self->vcpu);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, ORDINARY_GPA,
				    ORDINARY_SLOT, 8, 0);
}

FIXTURE_TEARDOWN(td)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
}

static uint64_t nr_augmented(struct kvm_vm *vm)
{
	return tdx_vm_count(vm, TDX_LEAF_PAGE_AUG);
}

static const struct refusal {
	const char *name;
	uint64_t gpa, size, flags;
	int want;
	bool shared_bit;
} refusals[] = {
	{ "flags",			GPA, SZ_4K, 1,		-EINVAL },
	{ "high flags",			GPA, SZ_4K, BIT_ULL(63), -EINVAL },
	{ "gpa unaligned",		GPA + 1, SZ_4K, 0,	-EINVAL },
	{ "size unaligned",		GPA, SZ_4K + 8, 0,	-EINVAL },
	{ "size 0",			GPA, 0, 0,		-EINVAL },
	{ "wraps",			-SZ_8K, SZ_16K, 0,	-EINVAL },
	{ "gpa with the shared bit",	GPA, SZ_4K, 0,		-EINVAL, true },
	{ "no slot",			SZ_512M, SZ_4K, 0,	-ENOENT },
	{ "private without guest_memfd", ORDINARY_GPA, SZ_4K, 0, -EFAULT },
};

TEST_F(td, refusals_map_nothing)
{
	int i, got;

	vm_mem_set_private(self->vm, ORDINARY_GPA, SZ_4K);
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];
		uint64_t gpa = r->gpa | (r->shared_bit ? tdx_shared_bit() : 0);
		struct kvm_pre_fault_memory range = {
			.gpa = gpa,
			.size = r->size,
			.flags = r->flags,
		};

		got = tdx_ret(__vcpu_ioctl(self->vcpu, KVM_PRE_FAULT_MEMORY,
					   &range));
		ksft_print_msg("%-28s %s\n", r->name, strerror(-got));
		EXPECT_EQ(r->want, got)
			TH_LOG("%s", r->name);
		EXPECT_EQ(gpa, range.gpa);
		EXPECT_EQ(r->size, range.size);
	}
	EXPECT_EQ(0, nr_augmented(self->vm));
	EXPECT_EQ(0, vm_get_stat(self->vm, "pages_4k"));
}

TEST(before_finalize)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_vm_create_with_vcpu(1, &vcpu);

	EXPECT_EQ(-EOPNOTSUPP, __tdx_pre_fault(vcpu, GPA, SZ_4K, NULL));
	EXPECT_EQ(0, nr_augmented(vm));
	tdx_vm_finalize(vm);
	EXPECT_EQ(0, __tdx_pre_fault(vcpu, GPA, SZ_4K, NULL));
	EXPECT_EQ(1, nr_augmented(vm));
	kvm_vm_free(vm);
}

TEST_F(td, each_page_once)
{
	uint64_t tables;

	tdx_pre_fault(self->vcpu, GPA, SZ_4K);
	EXPECT_EQ(1, nr_augmented(self->vm));
	tables = tdx_vm_count(self->vm, TDX_LEAF_SEPT_ADD);
	ksft_print_msg("%lu S-EPT pages for the first page\n", tables);
	EXPECT_GE(tables, 3);

	tdx_pre_fault(self->vcpu, GPA, SZ_4K);
	EXPECT_EQ(1, nr_augmented(self->vm));

	/* The other 511 pages of the table need no further table. */
	tdx_pre_fault(self->vcpu, GPA, SZ_2M);
	EXPECT_EQ(512, nr_augmented(self->vm));
	EXPECT_EQ(tables, tdx_vm_count(self->vm, TDX_LEAF_SEPT_ADD));
	EXPECT_EQ(512, vm_get_stat(self->vm, "pages_4k"));

	tdx_pre_fault(self->vcpu, GPA + SZ_2M - SZ_4K, SZ_8K);
	EXPECT_EQ(513, nr_augmented(self->vm));
	EXPECT_EQ(tables + 1, tdx_vm_count(self->vm, TDX_LEAF_SEPT_ADD));
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
}

TEST_F(td, shared_pages_are_not_augmented)
{
	vm_mem_set_shared(self->vm, GPA, SZ_16K);
	tdx_pre_fault(self->vcpu, GPA, SZ_16K);
	tdx_pre_fault(self->vcpu, ORDINARY_GPA, SZ_16K);
	EXPECT_EQ(0, nr_augmented(self->vm));
	EXPECT_EQ(8, vm_get_stat(self->vm, "pages_4k"));
}

TEST_F(td, both_kinds_in_one_range)
{
	vm_mem_set_shared(self->vm, GPA + SZ_4K, SZ_8K);
	tdx_pre_fault(self->vcpu, GPA, SZ_16K);
	EXPECT_EQ(2, nr_augmented(self->vm));
	EXPECT_EQ(4, vm_get_stat(self->vm, "pages_4k"));
}

/* Zap the roots of all VMs, as a change of this parameter does. */
static void toggle_nx_huge_pages(void)
{
	static const char path[] = "/sys/module/kvm/parameters/nx_huge_pages";
	char was, now;
	int fd, i;

	for (i = 0; i < 2; i++) {
		fd = open(path, O_RDWR);
		TEST_ASSERT(fd >= 0, "Cannot open %s", path);
		TEST_ASSERT_EQ(read(fd, &was, 1), 1);
		now = was == 'Y' ? '0' : '1';
		TEST_ASSERT_EQ(pwrite(fd, &now, 1, 0), 1);
		close(fd);
	}
}

/* As long as the vCPU does not run, nobody else replaces the root it has loaded. */
TEST_F_TIMEOUT(td, shared_root_is_zapped, 60)
{
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	tdx_pre_fault(self->vcpu, ORDINARY_GPA, SZ_4K);
	toggle_nx_huge_pages();
	tdx_pre_fault(self->vcpu, ORDINARY_GPA, SZ_4K);
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);

	/* The mirror is not what was zapped. */
	EXPECT_EQ(16, nr_augmented(self->vm));
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_PAGE_REMOVE));
}

TEST_F(td, end_of_the_slot)
{
	uint64_t end = GPA + NR_PAGES * PAGE_SIZE, left;

	EXPECT_EQ(0, __tdx_pre_fault(self->vcpu, end - SZ_8K, SZ_16K, &left));
	EXPECT_EQ(SZ_8K, left);
	EXPECT_EQ(-ENOENT, __tdx_pre_fault(self->vcpu, end, left, &left));
	EXPECT_EQ(SZ_8K, left);
	EXPECT_EQ(2, nr_augmented(self->vm));
}

/* After the last close of the guest_memfd nothing can be mapped from it. */
TEST_F(td, guest_memfd_is_gone)
{
	struct userspace_mem_region *region;

	region = memslot2region(self->vm, TDX_TEST_SLOT);
	close(region->region.guest_memfd);
	region->region.guest_memfd = -1;
	EXPECT_EQ(-EFAULT, __tdx_pre_fault(self->vcpu, GPA, SZ_4K, NULL));
	EXPECT_EQ(0, nr_augmented(self->vm));
}

static void on_alarm(int sig)
{
}

TEST_F(td, signal_ends_it_early_but_not_without_progress_counted)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	uint64_t left = NR_PAGES * PAGE_SIZE, gpa = GPA, before;
	useconds_t usecs = 200;
	int ret, calls = 0;

	sigaction(SIGALRM, &action, &old);
	do {
		before = left;
		ualarm(usecs, 0);
		ret = __tdx_pre_fault(self->vcpu, gpa, left, &left);
		ualarm(0, 0);
		EXPECT_TRUE(ret == -EINTR ? left == before : !ret && left < before)
			TH_LOG("%d, %#lx of %#lx left", ret, left, before);
		gpa += before - left;
		usecs = min(2 * usecs, 900000u);
		calls++;
	} while (left && (!ret || ret == -EINTR));
	sigaction(SIGALRM, &old, NULL);

	ksft_print_msg("%d pages in %d calls\n", NR_PAGES, calls);
	EXPECT_EQ(0, left);
	EXPECT_GT(calls, 1);
	EXPECT_EQ(NR_PAGES, nr_augmented(self->vm));
}

struct deleter {
	struct kvm_vm *vm;
	bool stop;
	int rounds;
};

static void *delete_and_add(void *data)
{
	struct deleter *d = data;
	struct kvm_userspace_memory_region2 slot, none;

	slot = memslot2region(d->vm, TDX_TEST_SLOT)->region;
	none = slot;
	none.memory_size = 0;
	do {
		vm_ioctl(d->vm, KVM_SET_USER_MEMORY_REGION2, &none);
		vm_ioctl(d->vm, KVM_SET_USER_MEMORY_REGION2, &slot);
		d->rounds++;
	} while (!READ_ONCE(d->stop));
	return NULL;
}

/* Must end: not spin while the slot goes away, which waits for this vCPU. */
TEST_F_TIMEOUT(td, slot_deleted_meanwhile, 120)
{
	struct deleter d = { .vm = self->vm };
	int i, ret, other = 0, nr[3] = {};
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, delete_and_add, &d));
	for (i = 0; i < 500; i++) {
		ret = __tdx_pre_fault(self->vcpu, GPA, SZ_64K, NULL);
		nr[0] += !ret;
		nr[1] += ret == -EAGAIN;
		nr[2] += ret == -ENOENT;
		if (ret && ret != -EAGAIN && ret != -ENOENT)
			other = ret;
	}
	WRITE_ONCE(d.stop, true);
	pthread_join(thread, NULL);

	ksft_print_msg("%d deletions; pre-faults: %d done, %d -EAGAIN, %d -ENOENT\n",
		       d.rounds, nr[0], nr[1], nr[2]);
	EXPECT_EQ(0, other);
	tdx_pre_fault(self->vcpu, GPA, SZ_64K);
	EXPECT_EQ(16, vm_get_stat(self->vm, "pages_4k"));
	EXPECT_EQ(nr_augmented(self->vm),
		  tdx_vm_count(self->vm, TDX_LEAF_PAGE_REMOVE) + 16);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	/* Each page counts; larger ones are for tdx_guest_large_test. */
	tdx_set_huge_page(false);
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY));

	return test_harness_run(argc, argv);
}
