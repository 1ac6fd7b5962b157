// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_TDX_INIT_MEM_REGION takes whatever userspace can read, and nothing else: each
 * kind of source, against what write() says of it.  A wait for memory that doesn't
 * come ends with any signal.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define NR_PAGES	16
#define GPA		TDX_TEST_GPA

#ifndef __NR_memfd_secret
#define __NR_memfd_secret	447
#endif

static void *map(int prot, int flags, int fd, off_t offset)
{
	void *p = mmap(NULL, PAGE_SIZE, prot, flags, fd, offset);

	TEST_ASSERT(p != MAP_FAILED, "mmap(): %d", errno);
	return p;
}

static void *filled(void *p)
{
	return memset(p, 0x5a, PAGE_SIZE);
}

static int file_of(uint64_t size)
{
	int fd = memfd_create("source", 0);

	TEST_ASSERT(fd >= 0 && !ftruncate(fd, size), "memfd_create(): %d", errno);
	return fd;
}

static void *anonymous(void)
{
	return filled(map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void *untouched(void)
{
	return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *read_only(void)
{
	void *p = anonymous();

	TEST_ASSERT(!mprotect(p, PAGE_SIZE, PROT_READ), "mprotect(): %d", errno);
	return p;
}

static void *no_access(void)
{
	void *p = anonymous();

	TEST_ASSERT(!mprotect(p, PAGE_SIZE, PROT_NONE), "mprotect(): %d", errno);
	return p;
}

static void *unmapped(void)
{
	void *p = anonymous();

	munmap(p, PAGE_SIZE);
	return p;
}

static void *shared_file(void)
{
	return filled(map(PROT_READ | PROT_WRITE, MAP_SHARED, file_of(PAGE_SIZE), 0));
}

static void *private_file(void)
{
	return map(PROT_READ, MAP_PRIVATE, file_of(PAGE_SIZE), 0);
}

static void *half_a_page_of_file(void)
{
	return map(PROT_READ, MAP_SHARED, file_of(PAGE_SIZE / 2), 0);
}

static void *beyond_the_file(void)
{
	return map(PROT_READ, MAP_SHARED, file_of(PAGE_SIZE), PAGE_SIZE);
}

/* Not in the kernel's direct map. */
static void *secret(void)
{
	int fd = syscall(__NR_memfd_secret, 0);

	if (fd < 0 || ftruncate(fd, PAGE_SIZE))
		return NULL;
	return filled(map(PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
}

/* Pages that have no struct page, or that the mapping doesn't know of. */
static void *pfn_mapping(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start;
	char line[256];
	void *p = NULL;

	TEST_ASSERT(f, "Cannot open /proc/self/maps");
	while (!p && fgets(line, sizeof(line), f)) {
		if (strstr(line, "[vvar]") && sscanf(line, "%lx-", &start) == 1)
			p = (void *)start;
	}
	fclose(f);
	return p;
}

static const struct source {
	const char *name;
	void *(*make)(void);
	int want;
} sources[] = {
	{ "anonymous",		anonymous },
	{ "never touched",	untouched },
	{ "read-only",		read_only },
	{ "no access",		no_access,		-EFAULT },
	{ "unmapped",		unmapped,		-EFAULT },
	{ "shared file",	shared_file },
	{ "private file",	private_file },
	{ "half a page of file", half_a_page_of_file },
	{ "beyond the file",	beyond_the_file,	-EFAULT },
	{ "secretmem",		secret },
	{ "PFN mapping",	pfn_mapping },
};

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(td)
{
	self->vm = tdx_vm_create_with_vcpu(NR_PAGES, &self->vcpu);
}

FIXTURE_TEARDOWN(td)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
}

static int init_mem(struct kvm_vcpu *vcpu, const void *src, uint64_t gpa)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)src,
		.gpa = gpa,
		.nr_pages = 1,
	};
	int ret = __tdx_init_mem_region(vcpu, 0, &region);

	TEST_ASSERT_EQ(region.nr_pages, !!ret);
	return ret;
}

/* Whether the kernel can read it for userspace, by another way. */
static int read_for(const void *src)
{
	int fd = file_of(0), ret = tdx_ret(write(fd, src, PAGE_SIZE));

	close(fd);
	return ret == PAGE_SIZE ? 0 : ret;
}

TEST_F(td, source_is_what_can_be_read)
{
	int i, added = 0, got;
	void *src;

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		src = sources[i].make();
		if (!src) {
			ksft_print_msg("%-20s not here\n", sources[i].name);
			continue;
		}

		EXPECT_EQ(sources[i].want, read_for(src))
			TH_LOG("%s", sources[i].name);
		got = init_mem(self->vcpu, src, GPA + i * PAGE_SIZE);
		ksft_print_msg("%-20s %s\n", sources[i].name, got ? strerror(-got) : "added");
		EXPECT_EQ(sources[i].want, got)
			TH_LOG("%s", sources[i].name);
		added += !got;
		EXPECT_EQ(added, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));
	}
}

/* A userfaultfd whose handler does nothing but send signals. */
static struct {
	int fd;
	pthread_t waiter;
	void *page;
	bool stop;
} stuck;

static void on_signal(int sig)
{
}

static void *pester(void *arg)
{
	struct pollfd pollfd = { .fd = stuck.fd, .events = POLLIN };

	TEST_ASSERT_EQ(poll(&pollfd, 1, -1), 1);
	while (!READ_ONCE(stuck.stop)) {
		pthread_kill(stuck.waiter, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void make_stuck(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;

	stuck.fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	TEST_ASSERT(stuck.fd >= 0, "userfaultfd(): %d", errno);
	TEST_ASSERT(!ioctl(stuck.fd, UFFDIO_API, &api), "UFFDIO_API: %d", errno);
	stuck.page = untouched();
	reg = (struct uffdio_register) {
		.range = { (uintptr_t)stuck.page, PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	TEST_ASSERT(!ioctl(stuck.fd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER: %d", errno);
	stuck.waiter = pthread_self();
}

/* Not only a fatal one: all locks of the VM are held meanwhile. */
TEST_F(td, signal_ends_the_wait_for_a_source)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	make_stuck();
	thread = tdx_start_thread(pester, NULL);
	EXPECT_EQ(-EINTR, init_mem(self->vcpu, stuck.page, GPA));
	WRITE_ONCE(stuck.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_PAGE_ADD));

	/* Without the userfaultfd it is memory like any other. */
	close(stuck.fd);
	EXPECT_EQ(0, init_mem(self->vcpu, stuck.page, GPA));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
