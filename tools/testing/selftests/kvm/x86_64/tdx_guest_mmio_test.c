// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO of a TD: by TDVMCALL, and by an access to shared memory that is not
 * there, which #VE turns into one; reads and writes of each size, and refusals.
 * Slots that come, move and go: what is MMIO then, and what is memory.
 */
#include <sys/eventfd.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

/* No memslot is there. */
#define MMIO_GPA	0x7f000000ull
#define EVENTFD_GPA	(MMIO_GPA + 0x800)
#define OUT_DATA	0x0123456789abcdefull
#define IN_DATA		0xfedcba9876543210ull
#define MEM_DATA	0x5a0ff1ce0ddba11aull

/* The slot's two places. */
#define NR_PLACES	2
#define PLACE(i)	(MMIO_GPA + (i) * PAGE_SIZE)

static const int sizes[] = { 1, 2, 4, 8 };

static uint64_t mask(int size)
{
	return GENMASK_ULL(8 * size - 1, 0);
}

static void guest_tdvmcall(uint64_t arg)
{
	uint64_t gpa = MMIO_GPA | tdx_guest_shared_bit, val;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		GUEST_ASSERT_EQ(tdvmcall_mmio_write(gpa + 8 * i, sizes[i],
						    OUT_DATA & mask(sizes[i])), 0);
		val = -1ull;
		GUEST_ASSERT_EQ(tdvmcall_mmio_read(gpa + 8 * i, sizes[i], &val), 0);
		GUEST_ASSERT_EQ(val & mask(sizes[i]), IN_DATA & mask(sizes[i]));
	}
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 0);
}

static void guest_access(uint64_t arg)
{
	uint64_t gva = TDX_GUEST_SHARED(MMIO_GPA), val;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		tdx_mmio_write(gva + 8 * i, sizes[i], OUT_DATA);
		val = tdx_mmio_read(gva + 8 * i, sizes[i]);
		GUEST_ASSERT_EQ(val & mask(sizes[i]), IN_DATA & mask(sizes[i]));
	}
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 2 * ARRAY_SIZE(sizes));
	GUEST_ASSERT_EQ(tdx_ve_log.last.exit_reason, TDX_VE_EPT_VIOLATION);
	/* Bits below the page are not those of the access for certain. */
	GUEST_ASSERT_EQ(tdx_ve_log.last.gpa & ~0xfffull,
			MMIO_GPA | tdx_guest_shared_bit);
	GUEST_ASSERT_EQ(tdx_ve_log.last.gla, gva + 8 * 3);
}

static void refused(uint64_t gpa, uint64_t size, uint64_t write)
{
	uint64_t ret = tdvmcall(TDVMCALL_MMIO, size, write, gpa, 0, NULL);

	__GUEST_ASSERT(ret == TDVMCALL_INVALID_OPERAND,
		       "MMIO %#lx, size %#lx, direction %#lx: %#lx", gpa, size,
		       write, ret);
}

static void guest_refused(uint64_t arg)
{
	static const uint64_t bad_sizes[] = {
		0, 3, 5, 6, 7, 9, 16, BIT_ULL(32) | 4, -1ull
	};
	uint64_t bit = tdx_guest_shared_bit, gpa = MMIO_GPA | bit;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		refused(gpa, bad_sizes[i], 0);
		refused(gpa, bad_sizes[i], 1);
	}
	refused(gpa, 4, 2);
	refused(gpa, 4, -1ull);

	/* Private, at one end or both, or no address of this TD. */
	refused(MMIO_GPA, 4, 0);
	refused(MMIO_GPA, 4, 1);
	refused(bit - 4, 8, 0);
	refused(-4ull, 8, 1);
	refused(2 * bit - 4, 8, 1);
}

static void guest_eventfd(uint64_t arg)
{
	uint64_t gpa = EVENTFD_GPA | tdx_guest_shared_bit;

	GUEST_ASSERT_EQ(tdvmcall_mmio_write(gpa, 4, 1), 0);
	tdx_mmio_write(TDX_GUEST_SHARED(EVENTFD_GPA), 2, 1);
}

static struct kvm_vm *launch(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, 0);
	tdx_guest_map(vm, TDX_GUEST_SHARED(MMIO_GPA), MMIO_GPA, NR_PLACES, true);
	tdx_guest_launch(vm);
	return vm;
}

static void serve(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint64_t in = IN_DATA, out = 0;
	int i;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		int size = sizes[i / 2];

		tdx_guest_run_to_exit(vcpu, KVM_EXIT_MMIO);
		/* Without the shared bit. */
		TEST_ASSERT_EQ(run->mmio.phys_addr, MMIO_GPA + 8 * (i / 2));
		TEST_ASSERT_EQ(run->mmio.len, size);
		TEST_ASSERT_EQ(run->mmio.is_write, !(i % 2));
		if (!run->mmio.is_write) {
			memcpy(run->mmio.data, &in, size);
			continue;
		}
		memcpy(&out, run->mmio.data, size);
		TEST_ASSERT_EQ(out & mask(size), OUT_DATA & mask(size));
	}
	tdx_guest_run_to_done(vcpu);
}

TEST(by_tdvmcall)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = launch(&vcpu, guest_tdvmcall);

	serve(vcpu);
	kvm_vm_free(vm);
}

TEST(by_access)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = launch(&vcpu, guest_access);

	serve(vcpu);
	kvm_vm_free(vm);
}

TEST(refusals)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = launch(&vcpu, guest_refused);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* With a length KVM looks at the size, without one it takes its fast path. */
TEST(device_in_the_kernel)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = launch(&vcpu, guest_eventfd);
	struct kvm_ioeventfd ioeventfd = {
		.addr = EVENTFD_GPA,
		.fd = eventfd(0, EFD_NONBLOCK),
	};
	uint64_t count = 0;

	ASSERT_LE(0, ioeventfd.fd);
	vm_ioctl(vm, KVM_IOEVENTFD, &ioeventfd);
	tdx_guest_run_to_done(vcpu);
	EXPECT_EQ(sizeof(count), read(ioeventfd.fd, &count, sizeof(count)));
	EXPECT_EQ(2, count);
	close(ioeventfd.fd);
	kvm_vm_free(vm);
}

/* What was memory is MMIO as soon as there is no slot any more. */
static void guest_slot_goes(uint64_t arg)
{
	uint64_t gva = TDX_GUEST_SHARED(MMIO_GPA);

	GUEST_ASSERT_EQ(tdx_mmio_read(gva, 8), OUT_DATA);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 0);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(tdx_mmio_read(gva, 8), IN_DATA);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 1);
}

TEST(slot_goes)
{
	uint64_t in = IN_DATA;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = launch(&vcpu, guest_slot_goes);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, MMIO_GPA,
				    TDX_TEST_SLOT, 1, 0);
	*(uint64_t *)addr_gpa2hva(vm, MMIO_GPA) = OUT_DATA;
	tdx_guest_run_to_sync(vcpu, 1);
	vm_mem_region_delete(vm, TDX_TEST_SLOT);
	tdx_guest_run_to_exit(vcpu, KVM_EXIT_MMIO);
	EXPECT_EQ(MMIO_GPA, vcpu->run->mmio.phys_addr);
	memcpy(vcpu->run->mmio.data, &in, sizeof(in));
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static uint64_t reads_by_ve(int place, uint64_t data)
{
	uint64_t nr = tdx_ve_log.nr;

	GUEST_ASSERT_EQ(tdx_mmio_read(TDX_GUEST_SHARED(PLACE(place)), 8), data);
	return tdx_ve_log.nr - nr;
}

/*
 * All is MMIO and has been asked for before the slot comes: that must not be held
 * against the slot, neither where it comes nor where it goes to.
 */
static void guest_slot_comes(uint64_t arg)
{
	uint64_t nr;
	int i;

	for (i = 0; i < NR_PLACES; i++)
		GUEST_ASSERT_EQ(reads_by_ve(i, IN_DATA), 1);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(reads_by_ve(0, MEM_DATA), 0);
	nr = tdx_ve_log.nr;
	tdx_mmio_write(TDX_GUEST_SHARED(PLACE(0)), 8, OUT_DATA);
	GUEST_ASSERT_EQ(tdx_ve_log.nr, nr);
	GUEST_ASSERT_EQ(reads_by_ve(1, IN_DATA), 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(reads_by_ve(1, OUT_DATA), 0);
	GUEST_ASSERT_EQ(reads_by_ve(0, IN_DATA), 1);
	GUEST_SYNC(3);
	for (i = 0; i < NR_PLACES; i++)
		GUEST_ASSERT_EQ(reads_by_ve(i, IN_DATA), 1);
}

static void serve_read(struct kvm_vcpu *vcpu, int place)
{
	uint64_t in = IN_DATA;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu->run->mmio.phys_addr, PLACE(place));
	TEST_ASSERT_EQ(vcpu->run->mmio.is_write, 0);
	memcpy(vcpu->run->mmio.data, &in, sizeof(in));
}

TEST(slot_comes_moves_and_goes)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = launch(&vcpu, guest_slot_comes);
	uint64_t *mem;

	serve_read(vcpu, 0);
	serve_read(vcpu, 1);
	tdx_guest_run_to_sync(vcpu, 1);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, PLACE(0),
				    TDX_TEST_SLOT, 1, 0);
	mem = addr_gpa2hva(vm, PLACE(0));
	*mem = MEM_DATA;
	serve_read(vcpu, 1);
	tdx_guest_run_to_sync(vcpu, 2);
	EXPECT_EQ(OUT_DATA, *mem);

	vm_mem_region_move(vm, TDX_TEST_SLOT, PLACE(1));
	serve_read(vcpu, 0);
	tdx_guest_run_to_sync(vcpu, 3);

	vm_mem_region_delete(vm, TDX_TEST_SLOT);
	serve_read(vcpu, 0);
	serve_read(vcpu, 1);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
