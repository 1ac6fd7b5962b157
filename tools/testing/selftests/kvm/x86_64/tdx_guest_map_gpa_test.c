// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of MapGPA: what is refused, how much is done in one exit, how the
 * VMM says that it could not.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define CHUNK		SZ_2M
#define CHUNK_PAGES	(CHUNK / PAGE_SIZE)
#define VECTOR		0x61

static void map_gpa(uint64_t gpa, uint64_t size, uint64_t want, uint64_t want_r11)
{
	uint64_t r11 = 0x1234, ret = tdvmcall_map_gpa(gpa, size, &r11);

	__GUEST_ASSERT(ret == want, "MapGPA of %#lx, size %#lx: %#lx", gpa, size, ret);
	if (want)
		GUEST_ASSERT_EQ(r11, want_r11);
}

/* R11 of a refusal is the address that was asked for. */
static void refused(uint64_t gpa, uint64_t size, uint64_t want)
{
	map_gpa(gpa, size, want, gpa);
}

static void guest_refusals(uint64_t arg)
{
	uint64_t bit = tdx_guest_shared_bit, i;

	for (i = 0; i <= 1; i++) {
		uint64_t gpa = GPA | (i ? bit : 0);

		refused(gpa + 1, PAGE_SIZE, TDVMCALL_ALIGN_ERROR);
		refused(gpa + PAGE_SIZE / 2, PAGE_SIZE, TDVMCALL_ALIGN_ERROR);
		refused(gpa, PAGE_SIZE + 1, TDVMCALL_ALIGN_ERROR);
		refused(gpa, 1, TDVMCALL_ALIGN_ERROR);
		/* Wraps around, which counts more than that it is not aligned. */
		refused(gpa, -PAGE_SIZE, TDVMCALL_INVALID_OPERAND);
		refused(gpa, -1ull, TDVMCALL_INVALID_OPERAND);
		refused(-(uint64_t)PAGE_SIZE, 2 * PAGE_SIZE, TDVMCALL_INVALID_OPERAND);
	}
	/* From private to shared, and where there can be no memory. */
	refused(bit - PAGE_SIZE, 2 * PAGE_SIZE, TDVMCALL_INVALID_OPERAND);
	refused(2 * bit - PAGE_SIZE, 2 * PAGE_SIZE, TDVMCALL_INVALID_OPERAND);
	refused(BIT_ULL(60), PAGE_SIZE, TDVMCALL_INVALID_OPERAND);
}

/* Three steps and a bit, from somewhere. */
static void guest_big(uint64_t arg)
{
	uint64_t gpa = (GPA + 3 * PAGE_SIZE) | tdx_guest_shared_bit;

	map_gpa(gpa, 3 * CHUNK + PAGE_SIZE, TDVMCALL_SUCCESS, 0);
	map_gpa(GPA + 3 * PAGE_SIZE, 3 * CHUNK + PAGE_SIZE, TDVMCALL_SUCCESS, 0);
}

static void guest_errors(uint64_t arg)
{
	uint64_t gpa = GPA | tdx_guest_shared_bit;

	/* In the first step, then in the second one. */
	map_gpa(gpa, 2 * CHUNK, TDVMCALL_RETRY, gpa);
	map_gpa(gpa, 2 * CHUNK, TDVMCALL_RETRY, gpa + CHUNK);
	map_gpa(gpa, 2 * CHUNK, TDVMCALL_INVALID_OPERAND, gpa);
	map_gpa(gpa, 2 * CHUNK, TDVMCALL_INVALID_OPERAND, gpa + CHUNK);
	map_gpa(GPA, 2 * CHUNK, TDVMCALL_RETRY, GPA + CHUNK);
	GUEST_SYNC(1);
	map_gpa(gpa, 2 * CHUNK, TDVMCALL_SUCCESS, 0);
	GUEST_FAIL("Completed by a value that is none");
}

/* An interrupt in between is served before the rest. */
static void guest_interrupted(uint64_t arg)
{
	uint64_t gpa = GPA | tdx_guest_shared_bit;

	tdx_apic_enable();
	tdx_irq_enable();
	GUEST_SYNC(1);
	map_gpa(gpa, 3 * CHUNK, TDVMCALL_RETRY, gpa + CHUNK);
	GUEST_ASSERT_EQ(tdx_irq_count(VECTOR), 1);
	map_gpa(gpa + CHUNK, 2 * CHUNK, TDVMCALL_SUCCESS, 0);
}

static void guest_unsupported(uint64_t arg)
{
	uint64_t bit = tdx_guest_shared_bit;

	refused(GPA | bit, PAGE_SIZE, TDVMCALL_SUBFUNC_UNSUPPORTED);
	/* Before anything else is looked at. */
	refused((GPA | bit) + 1, PAGE_SIZE, TDVMCALL_SUBFUNC_UNSUPPORTED);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t))
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, 0);
	vm_install_exception_handler(vm, VECTOR, tdx_irq_handler);
	tdx_guest_launch(vm);
	return vm;
}

static void expect_step(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t npages,
			bool private, uint64_t ret)
{
	struct kvm_run *run = vcpu->run;
	uint64_t attr = private ? KVM_MAP_GPA_RANGE_ENCRYPTED : 0;

	tdx_guest_run_to_exit(vcpu, KVM_EXIT_HYPERCALL);
	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	TEST_ASSERT_EQ(run->hypercall.args[0], gpa);
	TEST_ASSERT_EQ(run->hypercall.args[1], npages);
	/* The low bits are a hint of the page size. */
	TEST_ASSERT_EQ(run->hypercall.args[2] & ~0xfull, attr);
	/* A VMM that does not write it means success, as it did before. */
	TEST_ASSERT_EQ(run->hypercall.ret, 0);
	run->hypercall.ret = ret;
}

TEST(refusals)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_refusals);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(step_by_step)
{
	uint64_t gpa = GPA + 3 * PAGE_SIZE;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_big);
	int private, i;

	for (private = 0; private <= 1; private++) {
		for (i = 0; i < 3; i++)
			expect_step(vcpu, gpa + i * CHUNK, CHUNK_PAGES, private, 0);
		expect_step(vcpu, gpa + 3 * CHUNK, 1, private, 0);
	}
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(vmm_fails)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_errors);
	int i;

	for (i = 0; i < 2; i++) {
		uint64_t error = i ? EINVAL : EAGAIN;

		expect_step(vcpu, GPA, CHUNK_PAGES, false, error);
		expect_step(vcpu, GPA, CHUNK_PAGES, false, 0);
		expect_step(vcpu, GPA + CHUNK, CHUNK_PAGES, false, error);
	}
	expect_step(vcpu, GPA, CHUNK_PAGES, true, 0);
	expect_step(vcpu, GPA + CHUNK, CHUNK_PAGES, true, EAGAIN);
	tdx_guest_run_to_sync(vcpu, 1);

	expect_step(vcpu, GPA, CHUNK_PAGES, false, ENOMEM);
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_run(vcpu)));
	kvm_vm_free(vm);
}

TEST(interrupted)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_interrupted);

	tdx_guest_run_to_sync(vcpu, 1);
	expect_step(vcpu, GPA, CHUNK_PAGES, false, 0);
	tdx_guest_msi(vm, 0, VECTOR);
	expect_step(vcpu, GPA + CHUNK, CHUNK_PAGES, false, 0);
	expect_step(vcpu, GPA + 2 * CHUNK, CHUNK_PAGES, false, 0);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(exit_not_enabled)
{
	struct kvm_vm *vm = tdx_guest_create();
	struct kvm_vcpu *vcpu = tdx_guest_vcpu_add(vm, 0, guest_unsupported, 0);

	tdx_guest_launch(vm);
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, 0);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
