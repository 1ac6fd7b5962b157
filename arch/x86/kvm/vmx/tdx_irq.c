// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts and NMIs for a TD, and whether a halted vCPU has to wake up.
 *
 * The APIC is the CPU's: KVM posts interrupts into the vCPU's descriptor and sees
 * nothing of what becomes of them.  IF and interrupt shadow are not visible, either.
 * What KVM knows is
 *
 *  - whether there are posted interrupts that the vCPU has not taken over yet;
 *  - of a vCPU that halted, whether it did so with interrupts blocked;
 *  - if not, on request from the module, whether an interrupt that the vCPU had
 *    taken over before it halted is now waiting, as between STI and HLT.
 *
 * KVM's copy of the APIC page is no source for any of this.
 */
#include "lapic.h"
#include "posted_intr.h"
#include "tdx.h"
#include "trace.h"
#include "x86.h"

/*
 * As far as KVM is concerned an interrupt is always welcome: the CPU looks at the
 * guest's flags.  It only doesn't wake a vCPU that halted with interrupts blocked.
 */
int tdx_interrupt_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	return READ_ONCE(to_tdx(vcpu)->halt) != TDX_HALTED_INTR_BLOCKED;
}

static bool tdx_has_unserved_interrupt(struct kvm_vcpu *vcpu)
{
	u64 details;

	/* It is not for want of an answer that the vCPU should sleep. */
	if (tdx_read_vp(vcpu, VCPU_MD_STATE_DETAILS, &details))
		return true;

	return details & VCPU_STATE_DETAILS_INTR_PENDING;
}

bool tdx_protected_apic_has_interrupt(struct kvm_vcpu *vcpu)
{
	if (pi_has_pending_interrupt(vcpu))
		return true;

	/*
	 * An interrupt that the guest had taken over before it exited for any
	 * other reason is none that it could have been interrupted by.
	 */
	if (READ_ONCE(to_tdx(vcpu)->halt) != TDX_HALTED)
		return false;

	/*
	 * The module would associate the vCPU with the CPU that asks.  Others ask
	 * only to guess who is worth yielding to.
	 */
	if (vcpu != kvm_get_running_vcpu())
		return false;

	if (tdx_has_unserved_interrupt(vcpu))
		return true;

	/* The vCPU takes over what is posted when it is entered, not earlier. */
	WRITE_ONCE(to_tdx(vcpu)->halt, TDX_HALTED_IDLE);
	return false;
}

/*
 * The module injects the NMI as soon as the guest can take it, which it tells
 * nobody.  As long as it hasn't, a second one would be the same one, and when it
 * has is not known: further ones that are pending here collapse with it.
 */
void tdx_inject_nmi(struct kvm_vcpu *vcpu)
{
	++vcpu->stat.nmi_injections;

	tdx_write_vp(vcpu, VCPU_MD_PEND_NMI, VCPU_PEND_NMI, VCPU_PEND_NMI);

	vcpu->arch.nmi_injected = false;
	vcpu->arch.nmi_pending = 0;
}
