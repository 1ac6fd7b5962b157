// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a vCPU that has not run yet.
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fpu/types.h>
#include <asm/msr-index.h>

#include "td/td.h"

#define MSR_IA32_UARCH_MISC_CTL	0x1b01

#define FMASK_AT_RESET	0x20200		/* also what the host finds */
#define FCW_INIT	0x37f

const struct switched_msr switched_msrs[TDX_SW_NR_SWITCHED] = {
	[SWITCHED_STAR] = { MSR_STAR },
	[SWITCHED_LSTAR] = { MSR_LSTAR },
	[SWITCHED_FMASK] = { MSR_SYSCALL_MASK, FMASK_AT_RESET },
	[SWITCHED_KERNEL_GS_BASE] = { MSR_KERNEL_GS_BASE },
	[SWITCHED_TSC_AUX] = { MSR_TSC_AUX },
	[SWITCHED_UARCH_MISC] = { MSR_IA32_UARCH_MISC_CTL },
};

bool regs_have_xsaves(void)
{
	return boot_cpu_has(X86_FEATURE_XSAVES);
}

/* Extended state as at reset, in the format that the CPU restores it from. */
void regs_init_xstate(struct xregs_state *area)
{
	area->i387.cwd = FCW_INIT;
	area->i387.mxcsr = MXCSR_INIT;
	if (regs_have_xsaves())
		area->header.xcomp_bv = XCOMP_BV_COMPACTED_FORMAT | TD_XFAM_FIXED1;
}

void regs_init_vcpu(struct tdx_sw_vcpu *vcpu)
{
	struct tdx_sw_guest *guest = &vcpu->guest;
	unsigned int i;

	for (i = 0; i < TDX_SW_NR_SWITCHED; i++)
		guest->msr[i] = switched_msrs[i].reset;
	guest->dr6 = DR6_RESERVED;
	guest->xcr0 = XFEATURE_MASK_FP;
	regs_init_xstate(tdx_sw_map(vcpu->page_pa[TDVPS_XSTATE]));
}
