// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port IO of a TD: by TDVMCALL, and by an instruction that #VE turns into one;
 * out and in, of each size, and what is not a size.
 */
#include <sys/eventfd.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define PORT		0x510
#define PORT_EVENTFD	0x520
#define OUT_DATA	0x89abcdefull
#define IN_DATA		0x12345678ull

static const int sizes[] = { 1, 2, 4 };

static uint64_t mask(int size)
{
	return GENMASK_ULL(8 * size - 1, 0);
}

static void guest_tdvmcall(uint64_t arg)
{
	uint64_t val;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		GUEST_ASSERT_EQ(tdvmcall_io_out(PORT, sizes[i], OUT_DATA &
						mask(sizes[i])), 0);
		val = -1ull;
		GUEST_ASSERT_EQ(tdvmcall_io_in(PORT, sizes[i], &val), 0);
		GUEST_ASSERT_EQ(val, IN_DATA & mask(sizes[i]));
	}
}

static void guest_instruction(uint64_t arg)
{
	uint8_t al = 0;
	uint16_t ax = 0;
	uint32_t eax = 0;

	asm volatile("outb %0, %w1" :: "a" ((uint8_t)OUT_DATA), "d" (PORT));
	asm volatile("inb %w1, %0" : "+a" (al) : "d" (PORT));
	GUEST_ASSERT_EQ(al, IN_DATA & mask(1));

	asm volatile("outw %0, %w1" :: "a" ((uint16_t)OUT_DATA), "d" (PORT));
	asm volatile("inw %w1, %0" : "+a" (ax) : "d" (PORT));
	GUEST_ASSERT_EQ(ax, IN_DATA & mask(2));

	asm volatile("outl %0, %w1" :: "a" ((uint32_t)OUT_DATA), "d" (PORT));
	asm volatile("inl %w1, %0" : "+a" (eax) : "d" (PORT));
	GUEST_ASSERT_EQ(eax, IN_DATA & mask(4));

	GUEST_ASSERT_EQ(tdx_ve_log.nr, 6);
	GUEST_ASSERT_EQ(tdx_ve_log.last.exit_reason, TDX_VE_IO);
	/* Port, in DX; not a string; in; four bytes. */
	GUEST_ASSERT_EQ(tdx_ve_log.last.qualification, PORT << 16 | BIT(3) | 3);
	GUEST_ASSERT_EQ(tdx_ve_log.last.insn_len, 1);
}

/* None of these reaches userspace. */
static void guest_refused(uint64_t arg)
{
	static const uint64_t bad[] = { 0, 3, 5, 8, 16, BIT_ULL(32) | 1, -1ull };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		GUEST_ASSERT_EQ(tdvmcall(TDVMCALL_IO, bad[i], 1, PORT, 0, NULL),
				TDVMCALL_INVALID_OPERAND);
		GUEST_ASSERT_EQ(tdvmcall(TDVMCALL_IO, bad[i], 0, PORT, 0, NULL),
				TDVMCALL_INVALID_OPERAND);
	}
	GUEST_ASSERT_EQ(tdvmcall(TDVMCALL_IO, 1, 2, PORT, 0, NULL),
			TDVMCALL_INVALID_OPERAND);
	GUEST_ASSERT_EQ(tdvmcall(TDVMCALL_IO, 4, -1ull, PORT, 0, NULL),
			TDVMCALL_INVALID_OPERAND);
}

/* KVM has a device of its own there. */
static void guest_eventfd(uint64_t arg)
{
	GUEST_ASSERT_EQ(tdvmcall_io_out(PORT_EVENTFD, 2, 0x77), 0);
	GUEST_ASSERT_EQ(tdvmcall_io_out(PORT_EVENTFD, 2, 0x77), 0);
}

static void serve(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint64_t in = IN_DATA, out = 0;
	int i;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		int size = sizes[i / 2];
		void *data;

		tdx_guest_run_to_exit(vcpu, KVM_EXIT_IO);
		TEST_ASSERT_EQ(run->io.port, PORT);
		TEST_ASSERT_EQ(run->io.size, size);
		TEST_ASSERT_EQ(run->io.count, 1);
		TEST_ASSERT_EQ(run->io.direction,
			       i % 2 ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT);
		data = (void *)run + run->io.data_offset;
		if (run->io.direction == KVM_EXIT_IO_IN) {
			memcpy(data, &in, size);
			continue;
		}
		memcpy(&out, data, size);
		TEST_ASSERT_EQ(out & mask(size), OUT_DATA & mask(size));
	}
	tdx_guest_run_to_done(vcpu);
}

TEST(by_tdvmcall)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_tdvmcall, 0);

	serve(vcpu);
	kvm_vm_free(vm);
}

TEST(by_instruction)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_instruction, 0);

	serve(vcpu);
	kvm_vm_free(vm);
}

TEST(bad_size_or_direction)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_refused, 0);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* An exit that userspace does not look at: the guest sees what lay there. */
TEST(in_that_nobody_answers)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_tdvmcall, 0);
	struct ucall uc;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_IO);
	tdx_guest_run_to_exit(vcpu, KVM_EXIT_IO);
	EXPECT_EQ(KVM_EXIT_IO_IN, vcpu->run->io.direction);
	*((uint8_t *)vcpu->run + vcpu->run->io.data_offset) = ~(uint8_t)IN_DATA;
	ASSERT_EQ(0, __vcpu_run(vcpu));
	EXPECT_EQ(UCALL_ABORT, get_ucall(vcpu, &uc));
	kvm_vm_free(vm);
}

TEST(device_in_the_kernel)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_eventfd, 0);
	struct kvm_ioeventfd ioeventfd = {
		.addr = PORT_EVENTFD,
		.len = 2,
		.fd = eventfd(0, EFD_NONBLOCK),
		.flags = KVM_IOEVENTFD_FLAG_PIO,
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

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
