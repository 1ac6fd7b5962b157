// SPDX-License-Identifier: GPL-2.0-only
/*
 * ReportFatalError: all that the guest says reaches userspace, as an event.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define CODE		0x00000000deadbeefull
#define CODE_WITH_PAGE	(BIT_ULL(63) | 0x77)
#define DETAIL_GPA	0x40000000ull
#define EXIT_TDCALL	77

/* The words of the event are the general registers in the CPU's order. */
enum {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI,
	R8, R9, R10, R11, R12, R13, R14, R15,
	NR_REGS
};

/* The registers of the message, in the order of its characters. */
static const int message_regs[] = { R14, R15, RBX, RDI, RSI, R8, R9, RDX };
static const char message[] =
	"A message of sixty-four characters, in eight registers of eight.";

static uint64_t word(int i)
{
	uint64_t val;

	memcpy(&val, message + 8 * i, sizeof(val));
	return val;
}

static void report(uint64_t code, uint64_t gpa)
{
	struct tdcall_regs regs = {
		.rcx = TDVMCALL_ALL_REGS,
		.r11 = TDVMCALL_FATAL_ERROR,
		.r12 = code,
		.r13 = gpa,
		.r14 = word(0),
		.r15 = word(1),
		.rbx = word(2),
		.rdi = word(3),
		.rsi = word(4),
		.r8 = word(5),
		.r9 = word(6),
		.rdx = word(7),
	};

	tdcall(TDG_VP_VMCALL, &regs);
}

static void guest_reports(uint64_t arg)
{
	report(CODE, 0);
	report(CODE_WITH_PAGE, DETAIL_GPA | tdx_guest_shared_bit);
}

/* Registers that the guest does not pass on are zero for the host. */
static void guest_reports_less(uint64_t arg)
{
	struct tdcall_regs regs = {
		.rcx = BIT(10) | BIT(11) | BIT(12),
		.r11 = TDVMCALL_FATAL_ERROR,
		.r12 = CODE,
		.r13 = -1ull, .r14 = -1ull, .r15 = -1ull, .rbx = -1ull, .rdi = -1ull,
	};

	tdcall(TDG_VP_VMCALL, &regs);
}

static void check_event(struct kvm_run *run, uint64_t code, uint64_t gpa)
{
	const uint64_t *data = (void *)run->system_event.data;
	int i;

	TEST_ASSERT_EQ(run->system_event.type, KVM_SYSTEM_EVENT_TDX_FATAL);
	TEST_ASSERT_EQ(run->system_event.ndata, NR_REGS);
	TEST_ASSERT_EQ(TDCALL_STATUS(data[RAX]), 0);
	TEST_ASSERT_EQ((uint16_t)data[RAX], EXIT_TDCALL);
	TEST_ASSERT_EQ(data[RSP], 0);
	TEST_ASSERT_EQ(data[RBP], 0);
	TEST_ASSERT_EQ(data[R10], 0);
	TEST_ASSERT_EQ(data[R11], TDVMCALL_FATAL_ERROR);
	TEST_ASSERT_EQ(data[R12], code);
	TEST_ASSERT_EQ(data[R13], gpa);
	for (i = 0; i < ARRAY_SIZE(message_regs); i++)
		TEST_ASSERT_EQ(data[message_regs[i]], word(i));
}

TEST(reaches_userspace)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_reports, 0);

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_SYSTEM_EVENT);
	check_event(vcpu->run, CODE, 0);

	/* There is nothing to complete: a VMM that goes on is taken at its word. */
	tdx_guest_run_to_exit(vcpu, KVM_EXIT_SYSTEM_EVENT);
	check_event(vcpu->run, CODE_WITH_PAGE, DETAIL_GPA | vm->arch.s_bit);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(registers_kept_back_are_zero)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_reports_less, 0);
	const uint64_t *data = (void *)vcpu->run->system_event.data;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_SYSTEM_EVENT);
	EXPECT_EQ(KVM_SYSTEM_EVENT_TDX_FATAL, vcpu->run->system_event.type);
	EXPECT_EQ(CODE, data[R12]);
	EXPECT_EQ(0, data[R13]);
	EXPECT_EQ(0, data[R14]);
	EXPECT_EQ(0, data[R15]);
	EXPECT_EQ(0, data[RBX]);
	EXPECT_EQ(0, data[RDI]);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
