// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever the state of a TD and whichever way it goes: its key ID and all its
 * pages come back, nothing is leaked.  And what happens when key IDs run out.
 */
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define NR_PAGES	1024
#define GPA		TDX_TEST_GPA
#define MAX_TDS		256
#define CYCLES		20

FIXTURE(usage) {
	struct tdx_usage before;
};

FIXTURE_SETUP(usage)
{
	tdx_usage(&self->before);
}

/* Each test below ends with all its TDs gone. */
FIXTURE_TEARDOWN(usage)
{
	struct tdx_usage after;

	tdx_usage(&after);
	ksft_print_msg("key IDs %lu -> %lu, pages kept %ld -> %ld, leaked %lu -> %lu\n",
		       self->before.keyids, after.keyids, self->before.pages,
		       after.pages, self->before.leaked, after.leaked);
	EXPECT_EQ(self->before.keyids, after.keyids);
	EXPECT_EQ(self->before.pages, after.pages);
	EXPECT_EQ(self->before.leaked, after.leaked);
}

/* Runnable, with pages augmented, others converted, others never touched. */
static struct kvm_vm *create_busy_td(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = tdx_vm_create_runnable(NR_PAGES, vcpu);

	tdx_pre_fault(*vcpu, GPA, NR_PAGES / 2 * PAGE_SIZE);
	vm_mem_set_shared(vm, GPA, SZ_64K);
	tdx_pre_fault(*vcpu, GPA, SZ_64K);
	return vm;
}

TEST_F(usage, in_each_state)
{
	void *src = aligned_alloc(PAGE_SIZE, SZ_64K);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	memset(src, 1, SZ_64K);
	kvm_vm_free(tdx_vm_create());

	vm = tdx_vm_create();
	tdx_vm_init(vm);
	kvm_vm_free(vm);

	vm = tdx_vm_create();
	tdx_vm_init(vm);
	tdx_vcpu_add(vm, 0);
	kvm_vm_free(vm);

	kvm_vm_free(tdx_vm_create_with_vcpu(NR_PAGES, &vcpu));

	vm = tdx_vm_create_with_vcpu(NR_PAGES, &vcpu);
	tdx_init_mem_region(vcpu, src, GPA, 16, true);
	kvm_vm_free(vm);

	kvm_vm_free(tdx_vm_create_runnable(NR_PAGES, &vcpu));
	kvm_vm_free(create_busy_td(&vcpu));
	free(src);
}

/* The key ID is held from INIT_VM on. */
TEST_F(usage, key_id_from_init_vm_to_the_last_close)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct tdx_usage now;
	int fd;

	tdx_usage(&now);
	EXPECT_EQ(self->before.keyids, now.keyids);
	tdx_vm_init(vm);
	tdx_usage(&now);
	EXPECT_EQ(self->before.keyids + 1, now.keyids);

	fd = vm_create_guest_memfd(vm, SZ_64K, 0);
	kvm_vm_free(vm);
	tdx_usage(&now);
	EXPECT_EQ(self->before.keyids + 1, now.keyids);
	close(fd);
}

/* Each order in which the last references can go, with memory still mapped. */
static void close_in_order(int a, int b, int c)
{
	struct userspace_mem_region *region;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_busy_td(&vcpu);
	int fds[3], order[] = { a, b, c }, i;

	region = memslot2region(vm, TDX_TEST_SLOT);
	fds[0] = vm->fd;
	fds[1] = vcpu->fd;
	fds[2] = region->region.guest_memfd;
	munmap(vcpu->run, __kvm_ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL));
	for (i = 0; i < 3; i++)
		TEST_ASSERT_EQ(close(fds[order[i]]), 0);
	close(vm->kvm_fd);
	munmap(region->mmap_start, region->mmap_size);
}

TEST_F(usage, last_reference_is_the_vm)
{
	close_in_order(1, 2, 0);
	close_in_order(2, 1, 0);
}

TEST_F(usage, last_reference_is_the_vcpu)
{
	close_in_order(0, 2, 1);
	close_in_order(2, 0, 1);
}

TEST_F(usage, last_reference_is_the_guest_memfd)
{
	close_in_order(0, 1, 2);
	close_in_order(1, 0, 2);
}

static void wait_for(pid_t pid)
{
	TEST_ASSERT_EQ(waitpid(pid, NULL, 0), pid);
}

static uint64_t leaf_diff(struct tdx_counters *after, struct tdx_counters *before,
			  const char *leaf)
{
	return tdx_counter(after, leaf) - tdx_counter(before, leaf);
}

/*
 * The memory of the process goes before its files, and the key with it: removed with the
 * key is only what was converted before.
 */
TEST_F(usage, process_exits_with_all_open)
{
	struct tdx_counters before, after;
	struct kvm_vcpu *vcpu;
	pid_t pid;

	tdx_host_counters(&before);
	pid = fork();
	if (!pid) {
		create_busy_td(&vcpu);
		_exit(0);
	}
	wait_for(pid);

	tdx_host_counters(&after);
	EXPECT_EQ(NR_PAGES / 2, leaf_diff(&after, &before, TDX_LEAF_PAGE_AUG));
	EXPECT_EQ(SZ_64K / PAGE_SIZE, leaf_diff(&after, &before, TDX_LEAF_PAGE_REMOVE));
	EXPECT_EQ(SZ_64K / PAGE_SIZE, leaf_diff(&after, &before, TDX_LEAF_RANGE_BLOCK));
	EXPECT_EQ(1, leaf_diff(&after, &before, TDX_LEAF_TRACK));
}

/* With the file descriptors of another process, whose VM it isn't. */
static void punch_holes(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	uint64_t page;

	for (page = 0; page < NR_PAGES; page++) {
		vm_guest_mem_punch_hole(vm, GPA + page * PAGE_SIZE, PAGE_SIZE);
		if (page == NR_PAGES / 2) {
			close(vcpu->fd);
			close(vm->fd);
		}
	}
}

TEST_F(usage, process_exits_while_another_punches_holes)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	/* Of the processes below, too, when they are orphans. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (i = 0; i < 8; i++) {
		if (!fork()) {
			vm = create_busy_td(&vcpu);
			if (!fork()) {
				punch_holes(vm, vcpu);
				_exit(0);
			}
			usleep(5000 * i);
			_exit(0);
		}
		while (wait(NULL) > 0)
			;
	}
}

/* Wherever it happens to be: adding, converting, punching. */
TEST_F(usage, process_is_killed)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pid_t pid;
	int i;

	for (i = 1; i <= 5; i++) {
		pid = fork();
		if (!pid) {
			for (;;) {
				vm = create_busy_td(&vcpu);
				vm_mem_set_shared(vm, GPA, SZ_2M);
				vm_guest_mem_punch_hole(vm, GPA, SZ_4M);
				kvm_vm_free(vm);
			}
		}
		usleep(37000 * i);
		kill(pid, SIGKILL);
		wait_for(pid);
	}
}

TEST_F_TIMEOUT(usage, again_and_again, 300)
{
	struct kvm_vcpu *vcpu;
	int i;

	for (i = 0; i < CYCLES; i++)
		kvm_vm_free(create_busy_td(&vcpu));
}

/* What happens to one TD leaves no trace in the other. */
TEST_F(usage, two_tds_side_by_side)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm[2];
	int i;

	for (i = 0; i < 2; i++)
		vm[i] = create_busy_td(&vcpu[i]);
	vm_mem_set_shared(vm[0], GPA, NR_PAGES * PAGE_SIZE);
	/* What was faulted in after the first conversion is shared, and stays. */
	EXPECT_EQ(SZ_64K / PAGE_SIZE, vm_get_stat(vm[0], "pages_4k"));
	EXPECT_EQ(NR_PAGES / 2, vm_get_stat(vm[1], "pages_4k"));
	EXPECT_EQ(16, tdx_vm_count(vm[1], TDX_LEAF_PAGE_REMOVE));

	kvm_vm_free(vm[0]);
	tdx_pre_fault(vcpu[1], GPA, NR_PAGES * PAGE_SIZE);
	EXPECT_EQ(NR_PAGES, vm_get_stat(vm[1], "pages_4k"));
	EXPECT_EQ(NR_PAGES, tdx_vm_count(vm[1], TDX_LEAF_PAGE_AUG));
	EXPECT_FALSE(tdx_vm_is_dead(vm[1]));
	kvm_vm_free(vm[1]);
}

TEST_F_TIMEOUT(usage, key_ids_run_out_and_come_back, 300)
{
	struct kvm_vm *vm[MAX_TDS], *extra = tdx_vm_create();
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(extra);
	int nr, ret = 0;

	for (nr = 0; nr < MAX_TDS; nr++) {
		vm[nr] = tdx_vm_create();
		ret = __tdx_vm_init(vm[nr], args, NULL);
		if (ret)
			break;
	}
	ksft_print_msg("TD number %d of %lu: %s\n", nr + 1,
		       self->before.keyids_total, strerror(-ret));
	ASSERT_EQ(-ENOSPC, ret);
	EXPECT_EQ(self->before.keyids_total, self->before.keyids + nr);
	ASSERT_GT(nr, 1);

	/* One that goes makes room for one, also in the VM that was refused. */
	kvm_vm_free(vm[0]);
	EXPECT_EQ(0, __tdx_vm_init(vm[nr], args, NULL));
	EXPECT_EQ(-ENOSPC, __tdx_vm_init(extra, args, NULL));
	for (; nr > 0; nr--)
		kvm_vm_free(vm[nr]);
	EXPECT_EQ(0, __tdx_vm_init(extra, args, NULL));
	kvm_vm_free(extra);
	free(args);
}

#define CGROUP_ROOT	"/tmp/tdx_teardown_test"
#define CGROUP		CGROUP_ROOT "/tdx"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

TEST_F(usage, misc_cgroup_limits_tds)
{
	struct kvm_tdx_init_vm *args;
	struct kvm_vm *vm[2];

	mkdir(CGROUP_ROOT, 0700);
	if (mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
		SKIP(return, "No cgroup2");
	write_file(CGROUP_ROOT "/cgroup.subtree_control", "+misc");
	mkdir(CGROUP, 0700);
	if (!write_file(CGROUP "/misc.max", "tdx 1")) {
		umount2(CGROUP_ROOT, MNT_DETACH);
		SKIP(return, "No tdx resource in the misc cgroup");
	}
	ASSERT_TRUE(write_file(CGROUP "/cgroup.procs", "0"));

	vm[0] = tdx_vm_create();
	vm[1] = tdx_vm_create();
	args = tdx_vm_init_args(vm[0]);
	EXPECT_EQ(0, __tdx_vm_init(vm[0], args, NULL));
	EXPECT_EQ(-EBUSY, __tdx_vm_init(vm[1], args, NULL));
	kvm_vm_free(vm[0]);
	EXPECT_EQ(0, __tdx_vm_init(vm[1], args, NULL));
	kvm_vm_free(vm[1]);
	free(args);

	write_file(CGROUP_ROOT "/cgroup.procs", "0");
	rmdir(CGROUP);
	umount2(CGROUP_ROOT, MNT_DETACH);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	/* Each page counts; larger ones are for tdx_guest_large_test. */
	tdx_set_huge_page(false);

	return test_harness_run(argc, argv);
}
