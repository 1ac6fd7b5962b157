// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs that KVM emulates for a TD, for KVM_{G,S}ET_MSRS and TDVMCALLs alike.  The
 * module virtualizes or refuses all others; what KVM would answer for those is
 * not what the guest sees.
 */

#include "lapic.h"
#include "tdx.h"
#include "x86.h"

#define TDX_X2APIC_MSR(reg)	(APIC_BASE_MSR + ((reg) >> 4))

/*
 * Those that the CPU's virtual APIC leaves to the host.  TPR, PPR, EOI, ISR,
 * TMR, IRR and self-IPI are the CPU's.
 */
static bool tdx_is_emulated_x2apic_msr(u32 index)
{
	switch (index) {
	case TDX_X2APIC_MSR(APIC_ID):
	case TDX_X2APIC_MSR(APIC_LVR):
	case TDX_X2APIC_MSR(APIC_LDR):
	case TDX_X2APIC_MSR(APIC_SPIV):
	case TDX_X2APIC_MSR(APIC_ESR):
	case TDX_X2APIC_MSR(APIC_LVTCMCI):
	case TDX_X2APIC_MSR(APIC_ICR):
	case TDX_X2APIC_MSR(APIC_LVTT):
	case TDX_X2APIC_MSR(APIC_LVTTHMR):
	case TDX_X2APIC_MSR(APIC_LVTPC):
	case TDX_X2APIC_MSR(APIC_LVT0):
	case TDX_X2APIC_MSR(APIC_LVT1):
	case TDX_X2APIC_MSR(APIC_LVTERR):
	case TDX_X2APIC_MSR(APIC_TMICT):
	case TDX_X2APIC_MSR(APIC_TMCCT):
	case TDX_X2APIC_MSR(APIC_TDCR):
		return true;
	default:
		return false;
	}
}

static bool tdx_is_emulated_mtrr_msr(u32 index)
{
	switch (index) {
	case MSR_MTRRcap:
	case MTRRphysBase_MSR(0) ... MSR_MTRRfix4K_F8000:
	case MSR_MTRRdefType:
		return true;
	default:
		return false;
	}
}

static bool tdx_is_emulated_mce_msr(u32 index)
{
	switch (index) {
	case MSR_IA32_MCG_CAP:
	case MSR_IA32_MCG_STATUS:
	case MSR_IA32_MCG_CTL:
	case MSR_IA32_MCG_EXT_CTL:
	case MSR_IA32_MC0_CTL ... MSR_IA32_MCx_CTL(KVM_MAX_MCE_BANKS) - 1:
	case MSR_IA32_MC0_CTL2 ... MSR_IA32_MCx_CTL2(KVM_MAX_MCE_BANKS) - 1:
		return true;
	default:
		return false;
	}
}

bool tdx_has_emulated_msr(u32 index)
{
	switch (index) {
	case MSR_IA32_UCODE_REV:
	case MSR_IA32_ARCH_CAPABILITIES:
	case MSR_IA32_POWER_CTL:
	case MSR_IA32_CR_PAT:
	case MSR_IA32_TSC_DEADLINE:
	case MSR_IA32_MISC_ENABLE:
	case MSR_PLATFORM_INFO:
	case MSR_MISC_FEATURES_ENABLES:
	case MSR_KVM_POLL_CONTROL:
	case MSR_IA32_APICBASE:
	case MSR_EFER:
	case MSR_IA32_FEAT_CTL:
		return true;
	default:
		return tdx_is_emulated_mtrr_msr(index) ||
		       tdx_is_emulated_mce_msr(index) ||
		       tdx_is_emulated_x2apic_msr(index);
	}
}

static bool tdx_is_read_only_msr(u32 index)
{
	return index == MSR_IA32_APICBASE || index == MSR_EFER ||
	       index == MSR_IA32_FEAT_CTL;
}

static bool tdx_has_lmce(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.mcg_cap & MCG_LMCE_P;
}

int tdx_get_msr(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	switch (msr->index) {
	case MSR_IA32_FEAT_CTL:
		msr->data = FEAT_CTL_LOCKED;
		if (tdx_has_lmce(vcpu))
			msr->data |= FEAT_CTL_LMCE_ENABLED;
		return 0;
	case MSR_IA32_MCG_EXT_CTL:
		if (!msr->host_initiated && !tdx_has_lmce(vcpu))
			return 1;
		msr->data = vcpu->arch.mcg_ext_ctl;
		return 0;
	default:
		if (!tdx_has_emulated_msr(msr->index))
			return 1;
		return kvm_get_msr_common(vcpu, msr);
	}
}

int tdx_set_msr(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	switch (msr->index) {
	case MSR_IA32_MCG_EXT_CTL:
		if ((!msr->host_initiated && !tdx_has_lmce(vcpu)) ||
		    msr->data & ~MCG_EXT_CTL_LMCE_EN)
			return 1;
		vcpu->arch.mcg_ext_ctl = msr->data;
		return 0;
	default:
		if (tdx_is_read_only_msr(msr->index) ||
		    !tdx_has_emulated_msr(msr->index))
			return 1;
		return kvm_set_msr_common(vcpu, msr);
	}
}
