// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ordinary ioctls on a TD: what needs a register that only the TDX module sees,
 * or a device that cannot work for a TD, is refused; the rest is not.
 * Memory slots are in tdx_memslot_test.c.
 */
#include <sys/ioctl.h>
#include <sys/sysinfo.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx.h"

#define MSR_MTRR_DEF_TYPE_NR		0x2ff
#define MSR_KVM_POLL_CONTROL_NR		0x4b564d05

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(td) {
	bool runnable;
};

FIXTURE_VARIANT_ADD(td, initialized) { .runnable = false, };
FIXTURE_VARIANT_ADD(td, runnable) { .runnable = true, };

FIXTURE_SETUP(td)
{
	self->vm = tdx_vm_create_with_vcpu(1, &self->vcpu);
	if (variant->runnable)
		tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(td)
{
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	kvm_vm_free(self->vm);
}

/* Large enough for the argument of each ioctl below. */
static union {
	struct kvm_xsave xsave;
	struct kvm_lapic_state lapic;
	uint8_t room[16 * 4096];
} arg;

#define ROW(_cmd, _want) { #_cmd, _cmd, _want }

static const struct ioctl_row {
	const char *name;
	unsigned long cmd;
	int want;
} vcpu_ioctls[] = {
	ROW(KVM_GET_REGS, -EINVAL),
	ROW(KVM_SET_REGS, -EINVAL),
	ROW(KVM_GET_SREGS, -EINVAL),
	ROW(KVM_SET_SREGS, -EINVAL),
	ROW(KVM_GET_SREGS2, -EINVAL),
	ROW(KVM_SET_SREGS2, -EINVAL),
	ROW(KVM_GET_DEBUGREGS, -EINVAL),
	ROW(KVM_SET_DEBUGREGS, -EINVAL),
	ROW(KVM_GET_XCRS, -EINVAL),
	ROW(KVM_SET_XCRS, -EINVAL),
	ROW(KVM_GET_FPU, -EINVAL),
	ROW(KVM_SET_FPU, -EINVAL),
	ROW(KVM_GET_XSAVE, -EINVAL),
	ROW(KVM_GET_XSAVE2, -EINVAL),
	ROW(KVM_SET_XSAVE, -EINVAL),
	ROW(KVM_SET_GUEST_DEBUG, -EINVAL),
	ROW(KVM_GET_LAPIC, -EINVAL),
	ROW(KVM_SET_LAPIC, -EINVAL),
	ROW(KVM_GET_VCPU_EVENTS, 0),
	ROW(KVM_SET_VCPU_EVENTS, 0),
	ROW(KVM_GET_MP_STATE, 0),
	ROW(KVM_NMI, 0),
	/* What is pending already absorbs the next one. */
	ROW(KVM_NMI, 0),
}, vm_ioctls[] = {
	ROW(KVM_CREATE_IRQCHIP, -ENOTTY),
	ROW(KVM_CREATE_PIT2, -ENOENT),
	ROW(KVM_MEMORY_ENCRYPT_REG_REGION, -ENOTTY),
	ROW(KVM_MEMORY_ENCRYPT_UNREG_REGION, -ENOTTY),
};

TEST_F(td, vcpu_ioctls)
{
	int i, got;

	for (i = 0; i < ARRAY_SIZE(vcpu_ioctls); i++) {
		memset(&arg, 0, sizeof(arg));
		got = tdx_ret(ioctl(self->vcpu->fd, vcpu_ioctls[i].cmd, &arg));
		ksft_print_msg("%-34s %s\n", vcpu_ioctls[i].name,
			       got < 0 ? strerror(-got) : "ok");
		EXPECT_EQ(vcpu_ioctls[i].want, got)
			TH_LOG("%s", vcpu_ioctls[i].name);
	}
}

TEST_F(td, vm_ioctls)
{
	int i, got;

	for (i = 0; i < ARRAY_SIZE(vm_ioctls); i++) {
		memset(&arg, 0, sizeof(arg));
		got = tdx_ret(ioctl(self->vm->fd, vm_ioctls[i].cmd, &arg));
		ksft_print_msg("%-34s %s\n", vm_ioctls[i].name,
			       got < 0 ? strerror(-got) : "ok");
		EXPECT_EQ(vm_ioctls[i].want, got)
			TH_LOG("%s", vm_ioctls[i].name);
	}
}

TEST_F(td, registers_by_run_are_refused)
{
	EXPECT_EQ(0, vm_check_cap(self->vm, KVM_CAP_SYNC_REGS));
	self->vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_run(self->vcpu)));
	self->vcpu->run->kvm_valid_regs = 0;
	self->vcpu->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_run(self->vcpu)));
}

/* INIT and SIPI are blocked: neither can be forced, or else not run. */
TEST_F(td, init_received_does_not_run)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_INIT_RECEIVED };
	int ret;

	ret = tdx_ret(__vcpu_ioctl(self->vcpu, KVM_SET_MP_STATE, &mp));
	if (!ret)
		ret = tdx_ret(__vcpu_run(self->vcpu));
	EXPECT_EQ(-EINVAL, ret);
}

TEST_F(td, tsc_is_fixed)
{
	uint64_t offset = 0x1000;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	int khz = tdx_ret(__vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL));
	int vm_khz = tdx_ret(__vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL));

	ksft_print_msg("TSC of the vCPU %d kHz, of the VM %d kHz\n", khz, vm_khz);
	EXPECT_GT(khz, 0);
	EXPECT_EQ(-EINVAL, tdx_ret(__vcpu_ioctl(self->vcpu, KVM_SET_TSC_KHZ,
						(void *)(long)khz)));
	EXPECT_EQ(-EINVAL, tdx_ret(__vm_ioctl(self->vm, KVM_SET_TSC_KHZ,
					      (void *)(long)vm_khz)));
	EXPECT_EQ(0, tdx_ret(__vcpu_ioctl(self->vcpu, KVM_SET_DEVICE_ATTR,
					  &attr)));
	EXPECT_EQ(khz, tdx_ret(__vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL)));
}

static int rw_msr(struct kvm_vcpu *vcpu, uint32_t index, uint64_t *val, bool set)
{
	struct {
		struct kvm_msrs hdr;
		struct kvm_msr_entry entry;
	} msrs = { .hdr.nmsrs = 1, .entry.index = index, .entry.data = *val };
	int ret;

	ret = tdx_ret(ioctl(vcpu->fd, set ? KVM_SET_MSRS : KVM_GET_MSRS, &msrs));
	*val = msrs.entry.data;
	return ret;
}

static const struct msr_row {
	const char *name;
	uint32_t index;
	bool read, write;
} msrs[] = {
	{ "UCODE_REV",		MSR_IA32_UCODE_REV,		true, true },
	{ "POWER_CTL",		MSR_IA32_POWER_CTL,		true, true },
	{ "CR_PAT",		MSR_IA32_CR_PAT,		true, true },
	{ "MTRRdefType",	MSR_MTRR_DEF_TYPE_NR,		true, true },
	{ "TSC_DEADLINE",	MSR_IA32_TSC_DEADLINE,		true, true },
	{ "MISC_ENABLE",	MSR_IA32_MISC_ENABLE,		true, true },
	{ "PLATFORM_INFO",	MSR_PLATFORM_INFO,		true, true },
	{ "MCG_CAP",		MSR_IA32_MCG_CAP,		true, false },
	{ "POLL_CONTROL",	MSR_KVM_POLL_CONTROL_NR,	true, true },
	{ "APICBASE",		MSR_IA32_APICBASE,		true, false },
	{ "EFER",		MSR_EFER,			true, false },
	{ "FEAT_CTL",		MSR_IA32_FEAT_CTL,		true, false },
	{ "x2APIC LVR",		APIC_BASE_MSR + (APIC_LVR >> 4),	true, false },
	{ "x2APIC TASKPRI",	APIC_BASE_MSR + (APIC_TASKPRI >> 4),	false, false },
	{ "x2APIC EOI",		APIC_BASE_MSR + (APIC_EOI >> 4),	false, false },
	{ "STAR",		MSR_STAR,			false, false },
	{ "FS_BASE",		MSR_FS_BASE,			false, false },
	{ "SYSENTER_EIP",	MSR_IA32_SYSENTER_EIP,		false, false },
};

TEST_F(td, only_emulated_msrs)
{
	uint64_t val;
	int i, got;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		val = 0;
		got = rw_msr(self->vcpu, msrs[i].index, &val, false);
		ksft_print_msg("%-14s read %d (%#lx)\n", msrs[i].name, got, val);
		EXPECT_EQ(msrs[i].read, got)
			TH_LOG("read %s", msrs[i].name);
		got = rw_msr(self->vcpu, msrs[i].index, &val, true);
		EXPECT_EQ(msrs[i].write, got)
			TH_LOG("write %s", msrs[i].name);
	}
}

TEST_F(td, msr_list_ends_at_the_first_refusal)
{
	struct {
		struct kvm_msrs hdr;
		struct kvm_msr_entry entry[3];
	} list = {
		.hdr.nmsrs = 3,
		.entry = {
			{ .index = MSR_IA32_CR_PAT },
			{ .index = MSR_STAR },
			{ .index = MSR_IA32_UCODE_REV },
		},
	};

	EXPECT_EQ(1, ioctl(self->vcpu->fd, KVM_GET_MSRS, &list));
}

/* Before the first vCPU, so without the fixture. */
TEST(capabilities_of_the_vm)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	int max = vm_check_cap(vm, KVM_CAP_MAX_VCPUS), khz;
	struct kvm_vcpu *vcpu;

	ksft_print_msg("max vCPUs %d, CPUs present %d\n", max, get_nprocs_conf());
	EXPECT_EQ(min(get_nprocs_conf(), kvm_check_cap(KVM_CAP_MAX_VCPUS)), max);
	EXPECT_EQ(0, vm_check_cap(vm, KVM_CAP_READONLY_MEM));
	EXPECT_EQ(0, vm_check_cap(vm, KVM_CAP_X86_SMM));
	EXPECT_EQ(0, vm_check_cap(vm, KVM_CAP_SYNC_REGS));
	EXPECT_EQ(-ENOTTY, tdx_ret(__vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL)));
	EXPECT_EQ(-ENXIO, tdx_ret(__vm_enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40)));
	EXPECT_EQ(-EINVAL, tdx_ret(__vm_enable_cap(vm, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM, vm->fd)));
	EXPECT_EQ(-EINVAL, tdx_ret(__vm_enable_cap(vm, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM, vm->fd)));
	if (kvm_check_cap(KVM_CAP_PMU_CAPABILITY)) {
		EXPECT_EQ(-EINVAL, tdx_ret(__vm_enable_cap(vm, KVM_CAP_PMU_CAPABILITY, 0)));
		EXPECT_EQ(0, tdx_ret(__vm_enable_cap(vm, KVM_CAP_PMU_CAPABILITY,
						     KVM_PMU_CAP_DISABLE)));
	}
	if (vm_check_cap(vm, KVM_CAP_X86_BUS_LOCK_EXIT))
		EXPECT_EQ(0, tdx_ret(__vm_enable_cap(vm, KVM_CAP_X86_BUS_LOCK_EXIT,
						     KVM_BUS_LOCK_DETECTION_EXIT)));
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);

	khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);
	EXPECT_EQ(0, tdx_ret(__vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(long)khz)));
	tdx_vm_init(vm);
	khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);
	EXPECT_EQ(-EINVAL, tdx_ret(__vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(long)khz)));
	vcpu = tdx_vcpu_add(vm, 0);
	EXPECT_EQ(-EINVAL, tdx_ret(__vm_enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40)));
	EXPECT_NE(NULL, vcpu);
	kvm_vm_free(vm);
}

TEST(vcpus_up_to_the_maximum)
{
	struct kvm_vm *vm = tdx_vm_create();
	int i, max = vm_check_cap(vm, KVM_CAP_MAX_VCPUS);

	tdx_vm_init(vm);
	for (i = 0; i < max; i++)
		tdx_vcpu_init(tdx_vcpu_add(vm, i), 0);
	EXPECT_EQ(-EINVAL, tdx_ret(__vm_ioctl(vm, KVM_CREATE_VCPU,
					      (void *)(long)max)));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
