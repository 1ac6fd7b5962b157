/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TDX_VMCALL_H
#define __KVM_X86_VMX_TDX_VMCALL_H

/*
 * What the files that answer TDVMCALLs share.
 */

#include "mmu.h"
#include "mmu/mirror.h"
#include "tdx.h"
#include "x86.h"

static inline struct tdx_module_args *tdx_regs(struct kvm_vcpu *vcpu)
{
	return &to_tdx(vcpu)->vmcall;
}

/* Answer the call.  Returns 1, for the vCPU to go on. */
static inline int tdx_answer(struct kvm_vcpu *vcpu, u64 status)
{
	tdx_regs(vcpu)->r10 = status;
	return 1;
}

static inline int tdx_answer_value(struct kvm_vcpu *vcpu, u64 status, u64 value)
{
	tdx_regs(vcpu)->r11 = value;
	return tdx_answer(vcpu, status);
}

static inline gpa_t tdx_direct_bit(struct kvm_vcpu *vcpu)
{
	return gfn_to_gpa(kvm_gfn_direct_bits(vcpu->kvm));
}

/* An address that the guest has, the bit that tells shared from private aside. */
static inline bool tdx_is_legal_gpa(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	gpa = kvm_gpa_strip_direct_bits(vcpu->kvm, gpa);

	return gpa < tdx_direct_bit(vcpu) && kvm_vcpu_is_legal_gpa(vcpu, gpa);
}

/* tdx_emulate.c: R11 is the exit reason of the instruction. */
int tdx_emulate_cpuid(struct kvm_vcpu *vcpu);
int tdx_emulate_hlt(struct kvm_vcpu *vcpu);
int tdx_emulate_io(struct kvm_vcpu *vcpu);
int tdx_emulate_mmio(struct kvm_vcpu *vcpu);
int tdx_emulate_rdmsr(struct kvm_vcpu *vcpu);
int tdx_emulate_wrmsr(struct kvm_vcpu *vcpu);

#endif /* __KVM_X86_VMX_TDX_VMCALL_H */
