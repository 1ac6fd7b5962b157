// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_TDX_INIT_MEM_REGION: which source and which destination it accepts, and
 * that it can be resumed from wherever it stopped.  What it does to the
 * measurement is in tdx_measurement_test.c.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define NR_PAGES	512
#define ORDINARY_GPA	(TDX_TEST_GPA + SZ_1G)
#define ORDINARY_SLOT	(TDX_TEST_SLOT + 1)
#define GPA		TDX_TEST_GPA

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *src;
};

FIXTURE_SETUP(td)
{
	int i;

	self->vm = tdx_vm_create_with_vcpu(NR_PAGES, &self->vcpu);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, ORDINARY_GPA,
				    ORDINARY_SLOT, 2, 0);
	self->src = mmap(NULL, NR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->src);
	for (i = 0; i < NR_PAGES; i++)
		memset(self->src + i * PAGE_SIZE, i, PAGE_SIZE);
}

FIXTURE_TEARDOWN(td)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
	munmap(self->src, NR_PAGES * PAGE_SIZE);
}

static int init_mem(struct kvm_vcpu *vcpu, const void *src, uint64_t gpa,
		    uint64_t nr, uint64_t *left)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)src,
		.gpa = gpa,
		.nr_pages = nr,
	};
	int ret = __tdx_init_mem_region(vcpu, 0, &region);
	uint64_t done = nr - region.nr_pages;

	TEST_ASSERT(region.gpa == gpa + done * PAGE_SIZE &&
		    region.source_addr == (uintptr_t)src + done * PAGE_SIZE,
		    "%lu pages done, but gpa %#lx became %#llx, source %p %#llx",
		    done, gpa, region.gpa, src, region.source_addr);
	if (left)
		*left = region.nr_pages;
	return ret;
}

/* Relative to the source buffer and to GPA, unless the row says otherwise. */
static const struct refusal {
	const char *name;
	uint64_t src, gpa, nr;
	int want;
	bool absolute;
	bool shared;
} refusals[] = {
	{ "source 0",			0, GPA, 1,		-EINVAL, .absolute = true },
	{ "source unaligned",		0x800, 0, 1,		-EINVAL },
	{ "source off by one byte",	1, 0, 1,		-EINVAL },
	{ "source wraps",		-0x1000ull, GPA, 2,	-EINVAL, .absolute = true },
	{ "gpa unaligned",		0, 0x800, 1,		-EINVAL },
	{ "gpa off by one byte",	0, 1, 1,		-EINVAL },
	{ "gpa wraps",			0, -0x1000ull - GPA, 2,	-EINVAL },
	{ "no pages",			0, 0, 0,		-EINVAL },
	{ "all pages there are",	0, 0, ~0ull,		-EINVAL },
	{ "bytes overflow to none",	0, 0, BIT_ULL(52),	-EINVAL },
	{ "bytes overflow to one page",	0, 0, BIT_ULL(52) + 1,	-EINVAL },
	{ "first gpa shared",		0, 0, 1,		-EINVAL, .shared = true },
	{ "last gpa shared",		0, -0x1000ull - GPA, 2,	-EINVAL, .shared = true },
	{ "no slot",			0, SZ_512M, 1,		-EINVAL },
	{ "slot without guest_memfd",	0, SZ_1G, 1,		-EINVAL },
	{ "source never mapped",	0x10000, GPA, 1,	-EFAULT, .absolute = true },
};

TEST_F(td, refusals_add_nothing)
{
	uint64_t left;
	int i, got;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];
		uint64_t src = r->src + (r->absolute ? 0 : (uintptr_t)self->src);
		uint64_t gpa = r->gpa + (r->absolute ? 0 : GPA);

		if (r->shared)
			gpa += tdx_shared_bit();
		got = init_mem(self->vcpu, (void *)src, gpa, r->nr, &left);
		ksft_print_msg("%-28s %s\n", r->name, strerror(-got));
		EXPECT_EQ(r->want, got)
			TH_LOG("%s", r->name);
		EXPECT_EQ(r->nr, left)
			TH_LOG("%s", r->name);
	}
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
	EXPECT_EQ(0, vm_get_stat(self->vm, "pages_4k"));
}

TEST_F(td, source_unmapped_halfway)
{
	uint64_t left;
	int ret;

	munmap(self->src + 2 * PAGE_SIZE, PAGE_SIZE);
	ret = init_mem(self->vcpu, self->src, GPA, 4, &left);
	EXPECT_TRUE(ret == -EFAULT || ret == -ENOMEM);
	EXPECT_EQ(2, left);
	EXPECT_EQ(2, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
}

TEST_F(td, source_may_be_read_only)
{
	mprotect(self->src, PAGE_SIZE, PROT_READ);
	EXPECT_EQ(0, init_mem(self->vcpu, self->src, GPA, 1, NULL));
	EXPECT_EQ(1, ((uint8_t *)self->src)[PAGE_SIZE]);
}

/* The page that is not private ends the call; it can go on from there. */
TEST_F(td, page_that_is_not_private)
{
	uint64_t left;

	vm_mem_set_shared(self->vm, GPA + 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(-EINVAL, init_mem(self->vcpu, self->src, GPA, 4, &left));
	EXPECT_EQ(2, left);
	EXPECT_EQ(-EINVAL, init_mem(self->vcpu, self->src + 2 * PAGE_SIZE,
				    GPA + 2 * PAGE_SIZE, 2, &left));
	EXPECT_EQ(2, left);
	vm_mem_set_private(self->vm, GPA + 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(0, init_mem(self->vcpu, self->src + 2 * PAGE_SIZE,
			      GPA + 2 * PAGE_SIZE, 2, &left));
	EXPECT_EQ(4, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
}

/* The shared bit begins behind it. */
TEST_F(td, last_private_page)
{
	uint64_t gpa = tdx_shared_bit() - PAGE_SIZE, left;
	int fd = vm_create_guest_memfd(self->vm, PAGE_SIZE, 0);

	vm_set_user_memory_region2(self->vm, ORDINARY_SLOT + 1, KVM_MEM_GUEST_MEMFD,
				   gpa, PAGE_SIZE, self->src, fd, 0);
	vm_mem_set_private(self->vm, gpa, PAGE_SIZE);
	EXPECT_EQ(0, init_mem(self->vcpu, self->src, gpa, 1, &left));
	EXPECT_EQ(0, left);
	EXPECT_EQ(1, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
	close(fd);
}

TEST_F(td, page_that_was_added_already)
{
	uint64_t left;
	int ret;

	EXPECT_EQ(0, init_mem(self->vcpu, self->src, GPA, 2, NULL));
	ret = init_mem(self->vcpu, self->src, GPA + PAGE_SIZE, 2, &left);
	ksft_print_msg("added again: %s\n", strerror(-ret));
	EXPECT_TRUE(ret == -EIO || ret == -EEXIST);
	EXPECT_EQ(2, left);
	EXPECT_EQ(2, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
}

/* Before the TD is finalized a page leaves without any tracking. */
TEST_F(td, page_that_was_removed_is_added_again)
{
	uint64_t left;

	EXPECT_EQ(0, init_mem(self->vcpu, self->src, GPA, 3, NULL));
	vm_guest_mem_punch_hole(self->vm, GPA + PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(1, tdx_vm_count(self->vm, TDX_LEAF_PAGE_REMOVE));
	EXPECT_EQ(2, vm_get_stat(self->vm, "pages_4k"));
	EXPECT_EQ(0, init_mem(self->vcpu, self->src, GPA + PAGE_SIZE, 1, &left));
	EXPECT_EQ(4, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_RANGE_BLOCK));
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_TRACK));
}

TEST_F(td, guest_memfd_is_gone)
{
	struct userspace_mem_region *region;
	uint64_t left;

	region = memslot2region(self->vm, TDX_TEST_SLOT);
	close(region->region.guest_memfd);
	region->region.guest_memfd = -1;
	EXPECT_EQ(-EFAULT, init_mem(self->vcpu, self->src, GPA, 1, &left));
	EXPECT_EQ(1, left);
}

static void on_alarm(int sig)
{
}

static void alarm_in(uint64_t usecs)
{
	struct itimerval timer = {
		.it_value = { usecs / 1000000, usecs % 1000000 },
	};

	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* A delay that doubles interrupts a fast machine and ends on a slow one. */
TEST_F(td, signal_interrupts_and_the_rest_follows)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	uint64_t usecs = 500, left = NR_PAGES, before, nr_signals = 0;
	int ret;

	sigaction(SIGALRM, &action, &old);
	do {
		before = left;
		alarm_in(usecs);
		ret = init_mem(self->vcpu,
			       self->src + (NR_PAGES - left) * PAGE_SIZE,
			       GPA + (NR_PAGES - left) * PAGE_SIZE, left, &left);
		alarm_in(0);
		ksft_print_msg("after %6lu us: %s, %lu of %u pages left\n",
			       usecs, ret ? strerror(-ret) : "done", left, NR_PAGES);
		EXPECT_LE(left, before);
		nr_signals += ret == -EINTR;
		usecs *= 2;
	} while (ret == -EINTR);
	sigaction(SIGALRM, &old, NULL);

	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, left);
	EXPECT_GT(nr_signals, 0);
	EXPECT_EQ(NR_PAGES, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
	EXPECT_EQ(NR_PAGES, vm_get_stat(self->vm, "pages_4k"));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
