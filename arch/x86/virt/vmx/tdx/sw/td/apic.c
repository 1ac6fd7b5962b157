// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's virtual APIC as it lies in its page: what both sides read of it.  Changes
 * are the guest's (guest/vapic.c).
 */
#include <linux/bitops.h>
#include <asm/apicdef.h>

#include "td/td.h"

u32 *vapic_reg(const struct tdx_sw_vcpu *vcpu, unsigned int reg)
{
	return tdx_sw_map(vcpu->page_pa[TDVPS_VAPIC]) + reg;
}

/* Of the vectors in IRR or ISR; 0 if there is none. */
u8 vapic_highest_vector(const struct tdx_sw_vcpu *vcpu, unsigned int reg)
{
	int i;

	for (i = VAPIC_NR_WORDS - 1; i >= 0; i--) {
		u32 word = READ_ONCE(*vapic_reg(vcpu, reg + i * VAPIC_REG_STRIDE));

		if (word)
			return i * 32 + __fls(word);
	}
	return 0;
}

/* Would an interrupt be delivered, if only the guest let it? */
bool vapic_interrupt_pending(const struct tdx_sw_vcpu *vcpu)
{
	u32 ppr = READ_ONCE(*vapic_reg(vcpu, APIC_PROCPRI));

	return (vapic_highest_vector(vcpu, APIC_IRR) & VAPIC_PRIORITY_CLASS) >
	       (ppr & VAPIC_PRIORITY_CLASS);
}
