// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots that are deleted while somebody is mapping their memory: pre-faulting, or
 * the faults of a vCPU, which KVM resolves without leaving KVM_RUN.  Whoever
 * holds on to the slot that the deletion waits for, both would wait for ever.
 * And slots that come while a vCPU finds that there is none: MMIO, as it was.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	64
#define SIZE		(NR_PAGES * PAGE_SIZE)
#define NR_DELETIONS	150
#define NR_CREATIONS	150
#define MEM_DATA	0x5a0ff1ce0ddba11aull
#define MMIO_DATA	0xfedcba9876543210ull

static uint64_t *stop;
static bool slot_is_there;

static void guest_touches(uint64_t gva)
{
	uint64_t *stop = (void *)gva;
	int i;

	tdx_ve_accepts = true;
	while (!READ_ONCE(*stop)) {
		for (i = 0; i < NR_PAGES; i++)
			WRITE_ONCE(*(uint64_t *)TDX_GUEST_PRIVATE(GPA + i * PAGE_SIZE), i);
	}
}

/* SEPT_VE_DISABLE, so that the way to memory is the TDCALL. */
static void guest_accepts(uint64_t gva)
{
	uint64_t *stop = (void *)gva;
	uint64_t ret;
	int i;

	for (i = 0; !READ_ONCE(*stop); i = (i + 1) % NR_PAGES) {
		ret = tdx_accept(GPA + i * PAGE_SIZE, TDX_PAGE_4K);
		__GUEST_ASSERT(!ret || TDCALL_STATUS(ret) == TDCALL_PAGE_ALREADY_ACCEPTED,
			       "ACCEPT: %#lx", ret);
	}
}

FIXTURE(race) {
	struct tdx_usage before;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *mem;
	int fd;
};

FIXTURE_VARIANT(race) {
	void (*code)(uint64_t gva);
	void (*adjust)(struct kvm_tdx_init_vm *args);
};

FIXTURE_VARIANT_ADD(race, access) {
	.code = guest_touches,
	.adjust = tdx_guest_no_attributes,
};

FIXTURE_VARIANT_ADD(race, accept) {
	.code = guest_accepts,
};

FIXTURE_SETUP(race)
{
	vm_vaddr_t gva;

	tdx_usage(&self->before);
	self->vm = tdx_guest_create_with(variant->adjust);
	stop = tdx_guest_shared_alloc(self->vm, sizeof(*stop), &gva);
	self->vcpu = tdx_guest_vcpu_add(self->vm, 0, variant->code, gva);
	tdx_guest_map_both(self->vm, GPA, NR_PAGES);
	self->mem = aligned_alloc(PAGE_SIZE, SIZE);
	self->fd = vm_create_guest_memfd(self->vm, SIZE, 0);
	vm_mem_set_private(self->vm, GPA, SIZE);
	tdx_guest_launch(self->vm);
}

FIXTURE_TEARDOWN(race)
{
	struct tdx_usage after;

	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	close(self->fd);
	kvm_vm_free(self->vm);
	free(self->mem);
	tdx_usage(&after);
	EXPECT_EQ(self->before.keyids, after.keyids);
	EXPECT_EQ(self->before.pages, after.pages);
	EXPECT_EQ(self->before.leaked, after.leaked);
}

static void set_slot(struct kvm_vm *vm, void *mem, int fd, bool there)
{
	int ret;

	if (!there)
		WRITE_ONCE(slot_is_there, false);
	ret = __vm_set_user_memory_region2(vm, TDX_TEST_SLOT, KVM_MEM_GUEST_MEMFD,
					   GPA, there ? SIZE : 0, mem, fd, 0);
	TEST_ASSERT(!ret, "KVM_SET_USER_MEMORY_REGION2: %d", errno);
	WRITE_ONCE(slot_is_there, there);
}

/*
 * Without a slot there is nothing to run for; and the TDX module takes a guest that
 * faults again and again at one instruction for one that is being attacked.
 */
static void *run(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct ucall uc;

	while (tdx_guest_run(vcpu, &uc) == UCALL_NONE) {
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MEMORY_FAULT);
		while (!READ_ONCE(slot_is_there))
			sched_yield();
	}
	TEST_ASSERT_EQ(uc.cmd, UCALL_DONE);
	return NULL;
}

/* By ioctl on the vCPU, and so with its own; the guest does not run then. */
static void *pre_fault(void *vcpu)
{
	int ret;

	while (!READ_ONCE(*stop)) {
		ret = __tdx_pre_fault(vcpu, GPA, SIZE, NULL);
		TEST_ASSERT(!ret || ret == -EAGAIN || ret == -ENOENT || ret == -EINTR,
			    "KVM_PRE_FAULT_MEMORY: %d", ret);
	}
	return NULL;
}

static void delete_and_add(struct __test_metadata *_metadata, struct kvm_vm *vm,
			   void *mem, int fd, void *(*other)(void *),
			   struct kvm_vcpu *vcpu)
{
	uint64_t mapped = vm_get_stat(vm, "tdx_pages_mapped");
	unsigned int seed = guest_random_seed;
	pthread_t thread;
	int i;

	set_slot(vm, mem, fd, true);
	thread = tdx_start_thread(other, vcpu);
	for (i = 0; i < NR_DELETIONS; i++) {
		usleep(rand_r(&seed) % 1000);
		set_slot(vm, mem, fd, false);
		if (i % 2)
			usleep(rand_r(&seed) % 300);
		set_slot(vm, mem, fd, true);
	}
	/* So that it gets somewhere at last. */
	WRITE_ONCE(*stop, 1);
	pthread_join(thread, NULL);
	mapped = vm_get_stat(vm, "tdx_pages_mapped") - mapped;
	ksft_print_msg("%d deletions, %lu pages mapped in between\n", NR_DELETIONS,
		       mapped);
	EXPECT_GT(mapped, NR_PAGES);
	/* What one deletion leaves is none of that slot's. */
	set_slot(vm, mem, fd, false);
	vm_mem_set_private(vm, 0, TDX_PROGRAM_NR_PAGES * PAGE_SIZE);
	EXPECT_EQ(tdx_guest_sept_pages(vm), tdx_guest_mapped_pages(vm));
	EXPECT_EQ(tdx_vm_count(vm, TDX_LEAF_PAGE_ADD), tdx_guest_sept_pages(vm));
}

TEST_F_TIMEOUT(race, vcpu_against_deletion, 60)
{
	delete_and_add(_metadata, self->vm, self->mem, self->fd, run, self->vcpu);
}

TEST_F_TIMEOUT(race, pre_fault_against_deletion, 60)
{
	delete_and_add(_metadata, self->vm, self->mem, self->fd, pre_fault,
		       self->vcpu);
}

/* The guest repeats what the host says, having seen to it. */
struct rounds {
	uint64_t host;
	uint64_t guest;
};

static uint64_t nr_mmio;

/* In odd rounds there is a slot, in even ones there may be. */
static void guest_reads(uint64_t gva)
{
	struct rounds *rounds = (void *)gva;
	uint64_t round, nr, val;

	while ((round = READ_ONCE(rounds->host)) <= 2 * NR_CREATIONS) {
		nr = tdx_ve_log.nr;
		val = tdx_mmio_read(TDX_GUEST_SHARED(GPA), sizeof(val));
		nr = tdx_ve_log.nr - nr;
		GUEST_ASSERT_EQ(val, nr ? MMIO_DATA : MEM_DATA);
		__GUEST_ASSERT(!nr || !(round % 2), "#VE in round %lu", round);
		WRITE_ONCE(rounds->guest, round);
	}
}

static void *run_and_serve(void *arg)
{
	uint64_t data = MMIO_DATA;
	struct kvm_vcpu *vcpu = arg;
	struct ucall uc;

	while (tdx_guest_run(vcpu, &uc) == UCALL_NONE) {
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
		memcpy(vcpu->run->mmio.data, &data, sizeof(data));
		WRITE_ONCE(nr_mmio, nr_mmio + 1);
	}
	TEST_ASSERT_EQ(uc.cmd, UCALL_DONE);
	return NULL;
}

static void next_round(struct rounds *rounds)
{
	uint64_t round = rounds->host + 1;

	WRITE_ONCE(rounds->host, round);
	while (READ_ONCE(rounds->guest) != round)
		sched_yield();
}

/* Now that there is MMIO, or while it is being found out. */
static void let_mmio_happen(bool wait, unsigned int *seed)
{
	uint64_t before = READ_ONCE(nr_mmio);

	if (!wait)
		usleep(rand_r(seed) % 100);
	while (wait && READ_ONCE(nr_mmio) == before)
		sched_yield();
}

FIXTURE(mmio) {
	struct rounds *rounds;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	uint64_t *mem;
};

FIXTURE_SETUP(mmio)
{
	vm_vaddr_t gva;

	self->vm = tdx_guest_create();
	self->rounds = tdx_guest_shared_alloc(self->vm, sizeof(*self->rounds), &gva);
	self->vcpu = tdx_guest_vcpu_add(self->vm, 0, guest_reads, gva);
	tdx_guest_map(self->vm, TDX_GUEST_SHARED(GPA), GPA, 1, true);
	tdx_guest_launch(self->vm);
	self->mem = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	*self->mem = MEM_DATA;
}

FIXTURE_TEARDOWN(mmio)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
	free(self->mem);
}

TEST_F_TIMEOUT(mmio, access_against_creation, 60)
{
	unsigned int seed = guest_random_seed;
	pthread_t thread;
	int i;

	thread = tdx_start_thread(run_and_serve, self->vcpu);
	for (i = 0; i < NR_CREATIONS; i++) {
		let_mmio_happen(i % 2, &seed);
		vm_set_user_memory_region(self->vm, TDX_TEST_SLOT, 0, GPA, PAGE_SIZE,
					  self->mem);
		next_round(self->rounds);
		next_round(self->rounds);
		vm_set_user_memory_region(self->vm, TDX_TEST_SLOT, 0, GPA, 0,
					  self->mem);
	}
	WRITE_ONCE(self->rounds->host, 2 * NR_CREATIONS + 1);
	pthread_join(thread, NULL);
	ksft_print_msg("%d creations, %lu MMIO exits\n", NR_CREATIONS, nr_mmio);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
