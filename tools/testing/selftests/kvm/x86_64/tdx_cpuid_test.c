// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a TD can be and what it has become: KVM_TDX_CAPABILITIES,
 * KVM_TDX_GET_CPUID, and the CPUID that KVM_TDX_INIT_VCPU insists on.
 */
#include <sys/ioctl.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx.h"

#define GPA_WIDTH(eax)		(((eax) >> 16) & 0xff)

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

/* Initialized, with a vCPU that has no CPUID yet. */
FIXTURE_SETUP(td)
{
	self->vm = tdx_vm_create();
	tdx_vm_init(self->vm);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
}

FIXTURE_TEARDOWN(td)
{
	kvm_vm_free(self->vm);
}

TEST(capabilities)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct kvm_tdx_capabilities *caps = tdx_vm_capabilities(vm);
	const struct kvm_cpuid_entry2 *e;
	int i;

	ksft_print_msg("attributes %#llx, xfam %#llx, %u CPUID entries, GPA width %u\n",
		       caps->supported_attrs, caps->supported_xfam,
		       caps->cpuid.nent, tdx_gpa_width());
	EXPECT_EQ(TDX_ATTR_SEPT_VE_DISABLE, caps->supported_attrs);
	EXPECT_EQ(3, caps->supported_xfam & 3);
	EXPECT_EQ(0, caps->kernel_tdvmcallinfo_1_r11);
	EXPECT_EQ(BIT_ULL(1), caps->user_tdvmcallinfo_1_r11);
	EXPECT_EQ(0, caps->kernel_tdvmcallinfo_1_r12);
	EXPECT_EQ(0, caps->user_tdvmcallinfo_1_r12);
	for (i = 0; i < ARRAY_SIZE(caps->reserved); i++)
		EXPECT_EQ(0, caps->reserved[i]);

	EXPECT_GT(caps->cpuid.nent, 0);
	for (i = 0; i < caps->cpuid.nent; i++)
		EXPECT_EQ(0, caps->cpuid.entries[i].flags);
	e = get_cpuid_entry(&caps->cpuid, 0x80000008, 0);
	EXPECT_EQ(0xff, GPA_WIDTH(e->eax));
	e = get_cpuid_entry(&caps->cpuid, 7, 0);
	EXPECT_EQ(0, e->ebx & (BIT(4) | BIT(11)));
	EXPECT_EQ(0, e->ecx & BIT(5));
	free(caps);
	kvm_vm_free(vm);
}

TEST(capabilities_need_room)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct kvm_tdx_capabilities *caps = tdx_vm_capabilities(vm);
	const uint32_t need = caps->cpuid.nent;
	const uint32_t nents[] = { 0, 1, need - 1 };
	int i;

	for (i = 0; i < ARRAY_SIZE(nents); i++) {
		caps->cpuid.nent = nents[i];
		EXPECT_EQ(-E2BIG, __tdx_cmd(vm->fd, KVM_TDX_CAPABILITIES, 0,
					    caps, NULL));
		EXPECT_EQ(nents[i], caps->cpuid.nent);
	}
	caps->cpuid.nent = need;
	EXPECT_EQ(0, __tdx_cmd(vm->fd, KVM_TDX_CAPABILITIES, 0, caps, NULL));
	free(caps);
	kvm_vm_free(vm);
}

TEST_F(td, get_cpuid_before_set_cpuid)
{
	struct kvm_cpuid2 *cpuid = tdx_vcpu_get_cpuid(self->vcpu);
	const struct kvm_cpuid_entry2 *e;
	char vendor[12];

	ksft_print_msg("%u CPUID entries\n", cpuid->nent);
	EXPECT_LE(cpuid->nent, 256);
	EXPECT_GE(get_cpuid_entry(cpuid, 0, 0)->eax, 0x21);
	EXPECT_GE(get_cpuid_entry(cpuid, 0x80000000, 0)->eax, 0x80000008);

	e = get_cpuid_entry(cpuid, 0x80000008, 0);
	EXPECT_EQ(tdx_gpa_width(), GPA_WIDTH(e->eax));

	/* Leaf 1 has no subleaf, leaf 4 consists of them. */
	e = get_cpuid_entry(cpuid, 1, 0);
	EXPECT_EQ(0, e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	EXPECT_EQ(BIT(31), e->ecx & BIT(31));
	e = get_cpuid_entry(cpuid, 4, 0);
	EXPECT_EQ(KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		  e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);

	e = get_cpuid_entry(cpuid, 0x21, 0);
	memcpy(vendor, &e->ebx, 4);
	memcpy(vendor + 4, &e->edx, 4);
	memcpy(vendor + 8, &e->ecx, 4);
	EXPECT_EQ(0, memcmp(vendor, "IntelTDX    ", 12));
	free(cpuid);
}

TEST_F(td, get_cpuid_says_how_much_room_it_needs)
{
	struct kvm_cpuid2 *cpuid = tdx_vcpu_get_cpuid(self->vcpu);
	const uint32_t need = cpuid->nent;
	const uint32_t nents[] = { 0, 1, need - 1 };
	int i;

	for (i = 0; i < ARRAY_SIZE(nents); i++) {
		cpuid->nent = nents[i];
		EXPECT_EQ(-E2BIG, __tdx_cmd(self->vcpu->fd, KVM_TDX_GET_CPUID, 0,
					    cpuid, NULL));
		EXPECT_EQ(need, cpuid->nent);
	}
	EXPECT_EQ(0, __tdx_cmd(self->vcpu->fd, KVM_TDX_GET_CPUID, 0, cpuid,
			       NULL));
	EXPECT_EQ(need, cpuid->nent);
	free(cpuid);
}

/* What was asked for in INIT_VM is what the TD has. */
TEST_F(td, configured_bits_take_effect)
{
	struct kvm_cpuid2 *cpuid = tdx_vcpu_get_cpuid(self->vcpu);
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(self->vm);
	struct kvm_tdx_capabilities *caps = tdx_vm_capabilities(self->vm);
	const struct kvm_cpuid_entry2 *got, *want, *mask;

	mask = get_cpuid_entry(&caps->cpuid, 1, 0);
	want = get_cpuid_entry(&args->cpuid, 1, 0);
	got = get_cpuid_entry(cpuid, 1, 0);
	EXPECT_EQ(want->ecx & mask->ecx, got->ecx & mask->ecx);
	EXPECT_EQ(want->edx & mask->edx, got->edx & mask->edx);
	free(caps);
	free(args);
	free(cpuid);
}

TEST_F(td, init_vcpu_needs_x2apic)
{
	struct kvm_vcpu *vcpu = self->vcpu;

	/* Without any CPUID, then with all but x2APIC. */
	EXPECT_EQ(-EINVAL, __tdx_vcpu_init(vcpu, 0));
	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_X2APIC);
	EXPECT_EQ(-EINVAL, __tdx_vcpu_init(vcpu, 0));
	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_X2APIC);
	EXPECT_EQ(0, __tdx_vcpu_init(vcpu, 0));
	EXPECT_EQ(-EINVAL, __tdx_vcpu_init(vcpu, 0));
}

/* Boot vCPU and APs alike: the firmware parks the APs. */
TEST_F(td, init_vcpu_makes_runnable)
{
	struct kvm_vcpu *ap = tdx_vcpu_add(self->vm, 1);
	struct kvm_mp_state mp;
	uint64_t base;

	vcpu_init_cpuid(self->vcpu, kvm_get_supported_cpuid());
	vcpu_mp_state_get(ap, &mp);
	EXPECT_EQ(KVM_MP_STATE_UNINITIALIZED, mp.mp_state);
	tdx_vcpu_init(self->vcpu, 0x1234000);
	tdx_vcpu_init(ap, 0x1234000);

	vcpu_mp_state_get(self->vcpu, &mp);
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp.mp_state);
	vcpu_mp_state_get(ap, &mp);
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp.mp_state);

	base = MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD;
	EXPECT_EQ(base | MSR_IA32_APICBASE_BSP,
		  vcpu_get_msr(self->vcpu, MSR_IA32_APICBASE) & 0xfff);
	EXPECT_EQ(base, vcpu_get_msr(ap, MSR_IA32_APICBASE) & 0xfff);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
