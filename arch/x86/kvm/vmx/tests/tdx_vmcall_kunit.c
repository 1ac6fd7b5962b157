// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALLs with made-up registers: each kind, each refusal, each completion.
 * All registers are compared after each of them.  MapGPA has a suite of its own.
 */
#include <kunit/test.h>

#include "kvm_cache_regs.h"
#include "lapic.h"
#include "mmu.h"
#include "tdx_run_fixture.h"

/* Values that no answer consists of, to see what is left alone. */
#define UNTOUCHED_REGS						\
	.rcx = 0xffcc, .rdx = 0xa2, .rbx = 0xa3, .rsi = 0xa6,	\
	.rdi = 0xa7, .r8 = 0xa8, .r9 = 0xa9

#define VMCALL(leaf, a12, a13, a14, a15)			\
	((struct tdx_module_args) {				\
		UNTOUCHED_REGS, .r11 = (leaf), .r12 = (a12),	\
		.r13 = (a13), .r14 = (a14), .r15 = (a15),	\
	})

#define SHARED_BIT		BIT_ULL(63)

/*
 * Refusals, and answers that depend on nothing
 */

struct refusal {
	const char *name;
	u64 leaf;
	u64 arg[4];
	u64 status;
};

#define INVALID		TDVMCALL_STATUS_INVALID_OPERAND
#define UNSUPPORTED	TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED

/* SHARED_BIT stands for the TD's. */
static const struct refusal refusals[] = {
	{ "io size 0", EXIT_REASON_IO_INSTRUCTION, { 0, 0, 0x80, 0 }, INVALID },
	{ "io size 3", EXIT_REASON_IO_INSTRUCTION, { 3, 0, 0x80, 0 }, INVALID },
	{ "io size 8", EXIT_REASON_IO_INSTRUCTION, { 8, 0, 0x80, 0 }, INVALID },
	{ "io size 2^32 + 1", EXIT_REASON_IO_INSTRUCTION, { BIT_ULL(32) | 1, 0, 0x80, 0 },
	  INVALID },
	{ "io direction 2", EXIT_REASON_IO_INSTRUCTION, { 1, 2, 0x80, 0 }, INVALID },
	{ "io port 0x10000", EXIT_REASON_IO_INSTRUCTION, { 1, 0, 0x10000, 0 }, INVALID },
	{ "rdmsr index 2^32", EXIT_REASON_MSR_READ, { BIT_ULL(32) | MSR_EFER, }, INVALID },
	{ "rdmsr not emulated", EXIT_REASON_MSR_READ, { MSR_IA32_TSC, }, INVALID },
	{ "rdmsr x2apic tpr", EXIT_REASON_MSR_READ, { APIC_BASE_MSR + 8, }, INVALID },
	{ "wrmsr index 2^32", EXIT_REASON_MSR_WRITE, { BIT_ULL(32) | MSR_KVM_POLL_CONTROL, },
	  INVALID },
	{ "wrmsr not emulated", EXIT_REASON_MSR_WRITE, { MSR_IA32_TSC, 1, }, INVALID },
	{ "wrmsr read-only", EXIT_REASON_MSR_WRITE, { MSR_EFER, EFER_SCE, }, INVALID },
	{ "wrmsr bad value", EXIT_REASON_MSR_WRITE, { MSR_KVM_POLL_CONTROL, 2, }, INVALID },
	{ "mmio size 0", EXIT_REASON_EPT_VIOLATION, { 0, 0, SHARED_BIT, 0 }, INVALID },
	{ "mmio size 3", EXIT_REASON_EPT_VIOLATION, { 3, 0, SHARED_BIT, 0 }, INVALID },
	{ "mmio size 16", EXIT_REASON_EPT_VIOLATION, { 16, 0, SHARED_BIT, 0 }, INVALID },
	{ "mmio direction 2", EXIT_REASON_EPT_VIOLATION, { 1, 2, SHARED_BIT, 0 }, INVALID },
	{ "mmio private", EXIT_REASON_EPT_VIOLATION, { 1, 0, TDX_TEST_DEV_GPA, 0 }, INVALID },
	{ "mmio too high", EXIT_REASON_EPT_VIOLATION, { 1, 0, SHARED_BIT | BIT_ULL(60), 0 },
	  INVALID },
	{ "mmio wraps", EXIT_REASON_EPT_VIOLATION, { 8, 0, ~0ULL - 3, 0 }, INVALID },
	{ "info leaf 2", TDVMCALL_GET_TD_VM_CALL_INFO, { 2, }, INVALID },
	{ "quote private", TDVMCALL_GET_QUOTE, { 0x1000, 0x1000, }, INVALID },
	{ "notify vector 31", TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, { 31, }, INVALID },
	{ "notify vector 256", TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, { 256, }, INVALID },
	{ "notify vector 2^32 + 32", TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT,
	  { BIT_ULL(32) | 32, }, INVALID },
	{ "leaf 0", 0, { }, UNSUPPORTED },
	{ "invd", EXIT_REASON_INVD, { }, UNSUPPORTED },
	{ "wbinvd", EXIT_REASON_WBINVD, { }, UNSUPPORTED },
	{ "monitor", EXIT_REASON_MONITOR_INSTRUCTION, { }, UNSUPPORTED },
	{ "mwait", EXIT_REASON_MWAIT_INSTRUCTION, { }, UNSUPPORTED },
	{ "pause", EXIT_REASON_PAUSE_INSTRUCTION, { }, UNSUPPORTED },
	{ "service", 0x10005, { }, UNSUPPORTED },
	{ "leaf 2^32 + cpuid", BIT_ULL(32) | EXIT_REASON_CPUID, { }, UNSUPPORTED },
	{ "leaf -1", ~0ULL, { }, UNSUPPORTED },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusals, name);

static u64 resolve(struct tdx_run_test *r, u64 arg)
{
	if (arg == ~0ULL - 3 || !(arg & SHARED_BIT))
		return arg;

	return tdx_run_shared(r, arg & ~SHARED_BIT);
}

static void call_is_refused(struct kunit *test)
{
	const struct refusal *p = test->param_value;
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(p->leaf, p->arg[0], p->arg[1],
					     resolve(r, p->arg[2]), p->arg[3]);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, p->status);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, 0);
	tdx_test_expect_bugged(r->t, false);
}

static void mmio_across_the_shared_bit_is_refused(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t boundary = tdx_run_shared(r, 0);
	struct tdx_module_args regs = VMCALL(EXIT_REASON_EPT_VIOLATION, 8, 0,
					     boundary - 4, 0);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, INVALID);

	regs = VMCALL(EXIT_REASON_EPT_VIOLATION, 8, 0, tdx_run_shared(r, boundary - 4), 0);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, INVALID);
}

/*
 * CPUID and GetTdVmCallInfo
 */

static void cpuid_comes_from_the_table(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct kvm_cpuid_entry2 *entry = &r->vcpu->arch.cpuid_entries[0];
	struct tdx_module_args regs = VMCALL(EXIT_REASON_CPUID, 1, 7, 0xa14, 0xa15);

	entry->index = 7;
	entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	entry->eax = 0x906ea;
	entry->ebx = 0x100800;
	entry->edx = 0xbfebfbff;
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);

	r->want.r12 = 0x906ea;
	r->want.r13 = 0x100800;
	r->want.r14 = BIT(21);
	r->want.r15 = 0xbfebfbff;
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
}

static void cpuid_of_no_leaf_is_zero(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(EXIT_REASON_CPUID, 0x40001234, 0, 0xa14, 0xa15);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	r->want.r12 = 0;
	r->want.r14 = 0;
	r->want.r15 = 0;
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
}

static void info_leaf_0_says_that_all_is_there(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(TDVMCALL_GET_TD_VM_CALL_INFO, 0, 0xa13, 0xa14, 0xa15);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	r->want.r13 = 0;
	r->want.r14 = 0;
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, 0);
}

static void start_info_leaf_1(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(TDVMCALL_GET_TD_VM_CALL_INFO, 1, 0xa13, 0xa14, 0xa15);
	struct kvm_run *run = r->run;

	memset(&run->tdx, 0xff, sizeof(run->tdx));
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, run->exit_reason, KVM_EXIT_TDX);
	KUNIT_EXPECT_EQ(test, run->tdx.flags, 0);
	KUNIT_EXPECT_EQ(test, run->tdx.nr, TDVMCALL_GET_TD_VM_CALL_INFO);
	KUNIT_EXPECT_EQ(test, run->tdx.get_tdvmcall_info.ret, TDVMCALL_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, run->tdx.get_tdvmcall_info.leaf, 1);
	KUNIT_EXPECT_EQ(test, run->tdx.get_tdvmcall_info.r11, 0);
	KUNIT_EXPECT_EQ(test, run->tdx.get_tdvmcall_info.r12, 0);
	KUNIT_EXPECT_EQ(test, run->tdx.get_tdvmcall_info.r13, 0);
	KUNIT_EXPECT_EQ(test, run->tdx.get_tdvmcall_info.r14, 0);
}

static void info_leaf_1_is_for_userspace(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	start_info_leaf_1(test);
	r->run->tdx.get_tdvmcall_info.r11 = 2;
	r->run->tdx.get_tdvmcall_info.r12 = 0x22;
	r->run->tdx.get_tdvmcall_info.r13 = 0x23;
	r->run->tdx.get_tdvmcall_info.r14 = 0x24;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	r->want.r12 = 0x22;
	r->want.r13 = 0x23;
	r->want.r14 = 0x24;
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, 2);
}

static void ignored_info_leaf_1_says_nothing_optional(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	start_info_leaf_1(test);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	r->want.r12 = 0;
	r->want.r13 = 0;
	r->want.r14 = 0;
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, 0);
}

/*
 * Port I/O and MMIO
 */

static u64 low_bytes(u64 value, int size)
{
	return value & GENMASK_ULL(size * 8 - 1, 0);
}

static void port_io_of_a_device_in_the_kernel(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs;
	int size;

	for (size = 1; size <= 4; size *= 2) {
		regs = VMCALL(EXIT_REASON_IO_INSTRUCTION, size, 0, TDX_TEST_DEV_PORT, 0xa15);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
		KUNIT_EXPECT_EQ(test, r->dev_len, size);
		tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS,
				     low_bytes(TDX_TEST_DEV_VALUE, size));

		regs = VMCALL(EXIT_REASON_IO_INSTRUCTION, size, 1, TDX_TEST_DEV_PORT + 4,
			      0x99aabbccddeeff00ULL);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
		KUNIT_EXPECT_EQ(test, r->dev_addr, TDX_TEST_DEV_PORT + 4);
		KUNIT_EXPECT_EQ(test, r->dev_value, low_bytes(0x99aabbccddeeff00ULL, size));
		tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, r->nr_dev_reads, 3);
	KUNIT_EXPECT_EQ(test, r->nr_dev_writes, 3);
}

static void expect_io_exit(struct kunit *test, int direction, int size)
{
	struct tdx_run_test *r = tdx_run_test(test);

	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_IO);
	KUNIT_EXPECT_EQ(test, r->run->io.direction, direction);
	KUNIT_EXPECT_EQ(test, r->run->io.size, size);
	KUNIT_EXPECT_EQ(test, r->run->io.port, TDX_TEST_NO_DEV_PORT);
	KUNIT_EXPECT_EQ(test, r->run->io.count, 1);
	KUNIT_EXPECT_EQ(test, r->run->io.data_offset, KVM_PIO_PAGE_OFFSET * PAGE_SIZE);
}

static void port_io_of_a_device_in_userspace(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs;
	int size;

	for (size = 1; size <= 4; size *= 2) {
		regs = VMCALL(EXIT_REASON_IO_INSTRUCTION, size, 0, TDX_TEST_NO_DEV_PORT, 0xa15);
		memset(r->pio_page, 0xee, 16);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
		expect_io_exit(test, KVM_EXIT_IO_IN, size);
		*(u64 *)r->pio_page = TDX_TEST_DEV_VALUE;
		KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
		tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS,
				     low_bytes(TDX_TEST_DEV_VALUE, size));

		regs = VMCALL(EXIT_REASON_IO_INSTRUCTION, size, 1, TDX_TEST_NO_DEV_PORT,
			      0x99aabbccddeeff00ULL);
		*(u64 *)r->pio_page = 0;
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
		expect_io_exit(test, KVM_EXIT_IO_OUT, size);
		KUNIT_EXPECT_EQ(test, *(u64 *)r->pio_page, low_bytes(0x99aabbccddeeff00ULL, size));
		KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
		tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	}
}

static void mmio_of_a_device_in_the_kernel(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, TDX_TEST_DEV_GPA);
	struct tdx_module_args regs;
	int size;

	for (size = 1; size <= 8; size *= 2) {
		regs = VMCALL(EXIT_REASON_EPT_VIOLATION, size, 0, gpa, 0xa15);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
		KUNIT_EXPECT_EQ(test, r->dev_addr, TDX_TEST_DEV_GPA);
		tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS,
				     low_bytes(TDX_TEST_DEV_VALUE, size));

		regs = VMCALL(EXIT_REASON_EPT_VIOLATION, size, 1, gpa + 8, 0x99aabbccddeeff00ULL);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
		KUNIT_EXPECT_EQ(test, r->dev_addr, TDX_TEST_DEV_GPA + 8);
		KUNIT_EXPECT_EQ(test, r->dev_value, low_bytes(0x99aabbccddeeff00ULL, size));
		tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, r->nr_dev_reads, 4);
	KUNIT_EXPECT_EQ(test, r->nr_dev_writes, 4);
}

/* A write only: a read of the same address is nobody's but userspace's. */
static void write_to_the_fast_bus_is_done_at_once(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, TDX_TEST_DEV_FAST_GPA);
	struct tdx_module_args regs = VMCALL(EXIT_REASON_EPT_VIOLATION, 2, 1, gpa, 0x1234);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	KUNIT_EXPECT_EQ(test, r->nr_dev_writes, 1);
	KUNIT_EXPECT_EQ(test, r->dev_len, 0);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);

	regs = VMCALL(EXIT_REASON_EPT_VIOLATION, 2, 0, gpa, 0);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_MMIO);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
}

static void expect_mmio_exit(struct kunit *test, bool write, int size)
{
	struct tdx_run_test *r = tdx_run_test(test);

	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_MMIO);
	KUNIT_EXPECT_EQ(test, r->run->mmio.phys_addr, TDX_TEST_NO_DEV_GPA);
	KUNIT_EXPECT_EQ(test, r->run->mmio.is_write, write);
	KUNIT_EXPECT_EQ(test, r->run->mmio.len, size);
}

static void mmio_of_a_device_in_userspace(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	gpa_t gpa = tdx_run_shared(r, TDX_TEST_NO_DEV_GPA);
	u64 value = 0x99aabbccddeeff00ULL, dev_value = TDX_TEST_DEV_VALUE;
	struct tdx_module_args regs;
	int size;

	for (size = 1; size <= 8; size *= 2) {
		regs = VMCALL(EXIT_REASON_EPT_VIOLATION, size, 0, gpa, 0xa15);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
		expect_mmio_exit(test, false, size);
		memcpy(r->run->mmio.data, &dev_value, sizeof(dev_value));
		KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
		tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, low_bytes(dev_value, size));

		regs = VMCALL(EXIT_REASON_EPT_VIOLATION, size, 1, gpa, value);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
		expect_mmio_exit(test, true, size);
		KUNIT_EXPECT_MEMEQ(test, r->run->mmio.data, &value, size);
		KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
		tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	}
}

/*
 * MSRs
 */

/* All of the range that is the x2APIC's: what is not in the list is the CPU's. */
static void x2apic_msrs_are_those_of_the_list(struct kunit *test)
{
	static const u8 emulated[] = {
		0x02, 0x03, 0x0d, 0x0f, 0x28, 0x2f, 0x30, 0x32, 0x33, 0x34, 0x35,
		0x36, 0x37, 0x38, 0x39, 0x3e,
	};
	unsigned int reg, i = 0;

	for (reg = 0; reg < 0x100; reg++) {
		bool want = i < ARRAY_SIZE(emulated) && reg == emulated[i];

		KUNIT_EXPECT_EQ_MSG(test, tdx_has_emulated_msr(APIC_BASE_MSR + reg), want,
				    "MSR 0x8%02x", reg);
		i += want;
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(emulated));
}

static void msr_is_written_and_read(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(EXIT_REASON_MSR_WRITE, MSR_IA32_CR_PAT,
					     0x0007040600070406ULL, 0xa14, 0xa15);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.pat, 0x0007040600070406ULL);

	regs = VMCALL(EXIT_REASON_MSR_READ, MSR_IA32_CR_PAT, 0xa13, 0xa14, 0xa15);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, 0x0007040600070406ULL);
}

static unsigned long none_allowed;
static struct kvm_x86_msr_filter deny_pat = {
	.count = 1,
	.default_allow = true,
	.ranges = { {
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
		.nmsrs = 1,
		.base = MSR_IA32_CR_PAT,
		.bitmap = &none_allowed,
	} },
};

static void filter_applies(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(EXIT_REASON_MSR_READ, MSR_IA32_CR_PAT, 0, 0, 0);

	rcu_assign_pointer(r->vcpu->kvm->arch.msr_filter, &deny_pat);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, INVALID);

	regs = VMCALL(EXIT_REASON_MSR_WRITE, MSR_IA32_CR_PAT, 0x0606060606060606ULL, 0, 0);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, INVALID);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.pat, 0);

	regs = VMCALL(EXIT_REASON_MSR_READ, MSR_EFER, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, r->vcpu->arch.efer);
	RCU_INIT_POINTER(r->vcpu->kvm->arch.msr_filter, NULL);
}

static void start_filtered_msr(struct kunit *test, u64 leaf, u32 exit_reason, u64 value)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(leaf, MSR_IA32_CR_PAT, value, 0, 0);

	rcu_assign_pointer(r->vcpu->kvm->arch.msr_filter, &deny_pat);
	r->vcpu->kvm->arch.user_space_msr_mask = KVM_MSR_EXIT_REASON_FILTER;
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
	RCU_INIT_POINTER(r->vcpu->kvm->arch.msr_filter, NULL);

	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, exit_reason);
	KUNIT_EXPECT_EQ(test, r->run->msr.reason, KVM_MSR_EXIT_REASON_FILTER);
	KUNIT_EXPECT_EQ(test, r->run->msr.index, MSR_IA32_CR_PAT);
	KUNIT_EXPECT_EQ(test, r->run->msr.error, 0);
}

static void userspace_reads_a_filtered_msr(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	start_filtered_msr(test, EXIT_REASON_MSR_READ, KVM_EXIT_X86_RDMSR, 0);
	r->run->msr.data = TDX_TEST_DEV_VALUE;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_value(r, TDVMCALL_STATUS_SUCCESS, TDX_TEST_DEV_VALUE);

	start_filtered_msr(test, EXIT_REASON_MSR_READ, KVM_EXIT_X86_RDMSR, 0);
	r->run->msr.data = TDX_TEST_DEV_VALUE;
	r->run->msr.error = 1;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, INVALID);
}

static void userspace_writes_a_filtered_msr(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	start_filtered_msr(test, EXIT_REASON_MSR_WRITE, KVM_EXIT_X86_WRMSR,
			   0x8877665544332211ULL);
	KUNIT_EXPECT_EQ(test, r->run->msr.data, 0x8877665544332211ULL);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);

	start_filtered_msr(test, EXIT_REASON_MSR_WRITE, KVM_EXIT_X86_WRMSR, 1);
	r->run->msr.error = 1;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, INVALID);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.pat, 0);
}

/*
 * GetQuote, SetupEventNotifyInterrupt, ReportFatalError
 */

static void start_quote(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(TDVMCALL_GET_QUOTE, tdx_run_shared(r, 0x7654000),
					     0x4000, 0xa14, 0xa15);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_TDX);
	KUNIT_EXPECT_EQ(test, r->run->tdx.flags, 0);
	KUNIT_EXPECT_EQ(test, r->run->tdx.nr, TDVMCALL_GET_QUOTE);
	KUNIT_EXPECT_EQ(test, r->run->tdx.get_quote.ret, UNSUPPORTED);
	KUNIT_EXPECT_EQ(test, r->run->tdx.get_quote.gpa, 0x7654000);
	KUNIT_EXPECT_EQ(test, r->run->tdx.get_quote.size, 0x4000);
}

static void quote_is_for_userspace(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);

	start_quote(test);
	r->run->tdx.get_quote.ret = TDVMCALL_STATUS_SUCCESS;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);

	start_quote(test);
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, UNSUPPORTED);
}

static void notify_vector_is_for_userspace(struct kunit *test)
{
	static const u64 vectors[] = { 32, 0xfb, 255 };
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs;
	int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		regs = VMCALL(TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, vectors[i], 0xa13, 0xa14, 0);
		KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
		tdx_run_expect_regs(r);
		KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_TDX);
		KUNIT_EXPECT_EQ(test, r->run->tdx.nr, TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT);
		KUNIT_EXPECT_EQ(test, r->run->tdx.setup_event_notify.vector, vectors[i]);
		KUNIT_EXPECT_EQ(test, r->run->tdx.setup_event_notify.ret, UNSUPPORTED);

		r->run->tdx.setup_event_notify.ret = i ? TDVMCALL_STATUS_SUCCESS : UNSUPPORTED;
		KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
		tdx_run_expect_answer(r, i ? TDVMCALL_STATUS_SUCCESS : UNSUPPORTED);
	}
}

static void fatal_error_shows_the_registers(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = VMCALL(TDVMCALL_REPORT_FATAL_ERROR, 0xb12, 0xb13,
					     0xb14, 0xb15);
	static const u64 want[] = {
		EXIT_REASON_TDCALL, 0xffcc, 0xa2, 0xa3, 0, 0, 0xa6, 0xa7,
		0xa8, 0xa9, 0, TDVMCALL_REPORT_FATAL_ERROR, 0xb12, 0xb13, 0xb14, 0xb15,
	};

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	KUNIT_EXPECT_EQ(test, r->run->system_event.type, KVM_SYSTEM_EVENT_TDX_FATAL);
	KUNIT_EXPECT_EQ(test, r->run->system_event.ndata, ARRAY_SIZE(want));
	KUNIT_EXPECT_MEMEQ(test, r->run->system_event.data, want, sizeof(want));

	/* Nothing to complete: a guest that goes on sees success. */
	tdx_run_expect_answer(r, TDVMCALL_STATUS_SUCCESS);
}

/*
 * KVM hypercalls
 */

static struct tdx_module_args hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct tdx_module_args regs = VMCALL(a0, a1, a2, a3, 0xa15);

	regs.r10 = nr;
	return regs;
}

static void hypercall_is_answered_in_r10(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = hypercall(KVM_HC_VAPIC_POLL_IRQ, 1, 2, 3, 4);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, 0);

	regs = hypercall(0x123456, 1, 2, 3, 4);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, -KVM_ENOSYS);
}

static void map_gpa_hypercall_is_for_userspace(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = hypercall(KVM_HC_MAP_GPA_RANGE, tdx_run_shared(r, 0x5000),
						2, KVM_MAP_GPA_RANGE_ENCRYPTED, 0);

	r->run->hypercall.ret = 0x5a5a;
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 0);
	tdx_run_expect_regs(r);
	KUNIT_EXPECT_EQ(test, r->run->exit_reason, KVM_EXIT_HYPERCALL);
	KUNIT_EXPECT_EQ(test, r->run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	KUNIT_EXPECT_EQ(test, r->run->hypercall.args[0], 0x5000);
	KUNIT_EXPECT_EQ(test, r->run->hypercall.args[1], 2);
	KUNIT_EXPECT_EQ(test, r->run->hypercall.args[2], KVM_MAP_GPA_RANGE_ENCRYPTED);
	KUNIT_EXPECT_EQ(test, r->run->hypercall.ret, 0);

	r->run->hypercall.ret = 0x77;
	KUNIT_EXPECT_EQ(test, tdx_run_complete(r), 1);
	tdx_run_expect_answer(r, 0x77);
}

static void refused_map_gpa_hypercall_does_not_exit(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct tdx_module_args regs = hypercall(KVM_HC_MAP_GPA_RANGE, 0x5001, 2, 0, 0);

	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, -KVM_EINVAL);

	r->vcpu->kvm->arch.hypercall_exit_enabled = 0;
	regs = hypercall(KVM_HC_MAP_GPA_RANGE, 0x5000, 2, 0, 0);
	KUNIT_EXPECT_EQ(test, tdx_run_vmcall(r, &regs), 1);
	tdx_run_expect_answer(r, -KVM_ENOSYS);
}

/* Each kind has a counter, and so has what is none. */
static void calls_are_counted_by_kind(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	atomic64_t *vmcalls = to_kvm_tdx(r->vcpu->kvm)->vmcalls;
	struct tdx_module_args regs;
	int i;

	for (i = 0; i < 3; i++) {
		regs = VMCALL(EXIT_REASON_CPUID, 1, 0, 0, 0);
		tdx_run_vmcall(r, &regs);
	}
	regs = VMCALL(EXIT_REASON_INVD, 0, 0, 0, 0);
	tdx_run_vmcall(r, &regs);
	regs = hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0);
	tdx_run_vmcall(r, &regs);

	for (i = 0; i < TDX_NR_VMCALLS; i++) {
		bool once = i == TDX_VMCALL_HYPERCALL || i == TDX_VMCALL_UNSUPPORTED;

		KUNIT_EXPECT_EQ_MSG(test, atomic64_read(&vmcalls[i]),
				    strcmp(tdx_vmcall_name(i), "CPUID") ? once : 3,
				    "%s", tdx_vmcall_name(i));
	}
	KUNIT_EXPECT_EQ(test, atomic64_read(&to_kvm_tdx(r->vcpu->kvm)->exits[EXIT_REASON_TDCALL]),
			5);
}

static struct kunit_case tdx_vmcall_cases[] = {
	KUNIT_CASE_PARAM(call_is_refused, refusal_gen_params),
	KUNIT_CASE(mmio_across_the_shared_bit_is_refused),
	KUNIT_CASE(cpuid_comes_from_the_table),
	KUNIT_CASE(cpuid_of_no_leaf_is_zero),
	KUNIT_CASE(info_leaf_0_says_that_all_is_there),
	KUNIT_CASE(info_leaf_1_is_for_userspace),
	KUNIT_CASE(ignored_info_leaf_1_says_nothing_optional),
	KUNIT_CASE(port_io_of_a_device_in_the_kernel),
	KUNIT_CASE(port_io_of_a_device_in_userspace),
	KUNIT_CASE(mmio_of_a_device_in_the_kernel),
	KUNIT_CASE(write_to_the_fast_bus_is_done_at_once),
	KUNIT_CASE(mmio_of_a_device_in_userspace),
	KUNIT_CASE(x2apic_msrs_are_those_of_the_list),
	KUNIT_CASE(msr_is_written_and_read),
	KUNIT_CASE(filter_applies),
	KUNIT_CASE(userspace_reads_a_filtered_msr),
	KUNIT_CASE(userspace_writes_a_filtered_msr),
	KUNIT_CASE(quote_is_for_userspace),
	KUNIT_CASE(notify_vector_is_for_userspace),
	KUNIT_CASE(fatal_error_shows_the_registers),
	KUNIT_CASE(hypercall_is_answered_in_r10),
	KUNIT_CASE(map_gpa_hypercall_is_for_userspace),
	KUNIT_CASE(refused_map_gpa_hypercall_does_not_exit),
	KUNIT_CASE(calls_are_counted_by_kind),
	{}
};

static struct kunit_suite tdx_vmcall_suite = {
	.name = "kvm_tdx_vmcall",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_vmcall_cases,
};

kunit_test_suite(tdx_vmcall_suite);
