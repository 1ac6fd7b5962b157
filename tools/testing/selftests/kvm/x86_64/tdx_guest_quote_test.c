// SPDX-License-Identifier: GPL-2.0-only
/*
 * GetQuote and SetupEventNotifyInterrupt, which KVM leaves to userspace, and
 * the way from the one to the other: an interrupt when the quote is there.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	2
#define VECTOR		0x61

/* Head of the buffer: version, status, length in, length out. */
#define QUOTE_IN_FLIGHT	-1ull
#define QUOTE_DONE	0

static uint64_t get_quote(uint64_t gpa, uint64_t size)
{
	return tdvmcall(TDVMCALL_GET_QUOTE, gpa, size, 0, 0, NULL);
}

static uint64_t event_notify(uint64_t vector)
{
	return tdvmcall(TDVMCALL_EVENT_NOTIFY, vector, 0, 0, 0, NULL);
}

static void guest_quote(uint64_t arg)
{
	uint64_t *buffer = (void *)TDX_GUEST_SHARED(GPA);
	uint64_t gpa = GPA | tdx_guest_shared_bit;

	tdx_apic_enable();
	GUEST_ASSERT_EQ(event_notify(VECTOR), 0);
	WRITE_ONCE(buffer[0], 1);
	WRITE_ONCE(buffer[1], QUOTE_IN_FLIGHT);
	GUEST_ASSERT_EQ(get_quote(gpa, NR_PAGES * PAGE_SIZE), 0);
	tdx_wait_for_irqs(VECTOR, 1);
	GUEST_ASSERT_EQ(READ_ONCE(buffer[1]), QUOTE_DONE);
}

/* What userspace leaves alone is a good answer, too. */
static void guest_ignored(uint64_t arg)
{
	uint64_t gpa = GPA | tdx_guest_shared_bit;

	GUEST_ASSERT_EQ(get_quote(gpa, PAGE_SIZE), TDVMCALL_SUBFUNC_UNSUPPORTED);
	GUEST_ASSERT_EQ(event_notify(VECTOR), TDVMCALL_SUBFUNC_UNSUPPORTED);
	GUEST_ASSERT_EQ(get_quote(gpa, PAGE_SIZE), TDVMCALL_INVALID_OPERAND);
	GUEST_ASSERT_EQ(event_notify(255), TDVMCALL_INVALID_OPERAND);
	GUEST_ASSERT_EQ(get_quote(gpa, PAGE_SIZE), TDVMCALL_RETRY);
}

static void guest_refused(uint64_t arg)
{
	static const uint64_t bad[] = { 0, 1, 31, 256, BIT_ULL(32) | VECTOR, -1ull };
	int i;

	GUEST_ASSERT_EQ(get_quote(GPA, PAGE_SIZE), TDVMCALL_INVALID_OPERAND);
	GUEST_ASSERT_EQ(get_quote(0, PAGE_SIZE), TDVMCALL_INVALID_OPERAND);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		GUEST_ASSERT_EQ(event_notify(bad[i]), TDVMCALL_INVALID_OPERAND);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, 0);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	vm_mem_set_shared(vm, GPA, NR_PAGES * PAGE_SIZE);
	vm_install_exception_handler(vm, VECTOR, tdx_irq_handler);
	tdx_guest_launch(vm);
	return vm;
}

static void expect_quote(struct kvm_vcpu *vcpu, uint64_t size)
{
	struct kvm_run *run = vcpu->run;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, TDVMCALL_GET_QUOTE);
	TEST_ASSERT_EQ(run->tdx.get_quote.ret, TDVMCALL_SUBFUNC_UNSUPPORTED);
	/* Without the shared bit. */
	TEST_ASSERT_EQ(run->tdx.get_quote.gpa, GPA);
	TEST_ASSERT_EQ(run->tdx.get_quote.size, size);
}

static void expect_notify(struct kvm_vcpu *vcpu, uint64_t vector)
{
	struct kvm_run *run = vcpu->run;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, TDVMCALL_EVENT_NOTIFY);
	TEST_ASSERT_EQ(run->tdx.setup_event_notify.ret, TDVMCALL_SUBFUNC_UNSUPPORTED);
	TEST_ASSERT_EQ(run->tdx.setup_event_notify.vector, vector);
}

TEST(quote_and_notification)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_quote);
	uint64_t *buffer = addr_gpa2hva(vm, GPA);

	expect_notify(vcpu, VECTOR);
	vcpu->run->tdx.setup_event_notify.ret = TDVMCALL_SUCCESS;
	expect_quote(vcpu, NR_PAGES * PAGE_SIZE);
	vcpu->run->tdx.get_quote.ret = TDVMCALL_SUCCESS;
	EXPECT_EQ(1, buffer[0]);
	EXPECT_EQ(QUOTE_IN_FLIGHT, buffer[1]);
	buffer[1] = QUOTE_DONE;
	tdx_guest_msi(vm, 0, VECTOR);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(userspace_does_not_answer_or_refuses)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_ignored);

	expect_quote(vcpu, PAGE_SIZE);
	expect_notify(vcpu, VECTOR);
	expect_quote(vcpu, PAGE_SIZE);
	vcpu->run->tdx.get_quote.ret = TDVMCALL_INVALID_OPERAND;
	expect_notify(vcpu, 255);
	vcpu->run->tdx.setup_event_notify.ret = TDVMCALL_INVALID_OPERAND;
	expect_quote(vcpu, PAGE_SIZE);
	vcpu->run->tdx.get_quote.ret = TDVMCALL_RETRY;
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* None of it reaches userspace. */
TEST(refusals)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_refused);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
