// SPDX-License-Identifier: GPL-2.0
/*
 * Speculation: the host does not run with what the guest has taught the CPU, nor
 * one vCPU with what another one has.
 *
 * All of it follows the mitigations that the kernel has chosen.  What has to happen
 * next to VM entry and VM exit, without a RET in between, is in run/vmenter.S.
 */
#include <linux/percpu.h>
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>

#include "base/cpu.h"

/* The vCPU that ran last here, unless it has been flushed since. */
static DEFINE_PER_CPU(const struct tdx_sw_vcpu *, last_vcpu);

/* Another vCPU may belong to another TD: it gets no branch targets from this one. */
void spec_enter(const struct tdx_sw_vcpu *vcpu)
{
	if (__this_cpu_read(last_vcpu) == vcpu)
		return;
	indirect_branch_prediction_barrier();
	__this_cpu_write(last_vcpu, vcpu);
}

/* The page may become another vCPU's; TDH.VP.FLUSH always comes before that. */
void spec_forget(const struct tdx_sw_vcpu *vcpu)
{
	if (__this_cpu_read(last_vcpu) == vcpu)
		__this_cpu_write(last_vcpu, NULL);
}

/*
 * The first thing after VM exit.  Legacy IBRS has to be written after each change
 * to a more privileged mode, even if it is set already.
 */
asmlinkage noinstr void tdx_sw_host_spec_ctrl(struct tdx_sw_guest *guest)
{
	u64 host;

	if (!cpu_feature_enabled(X86_FEATURE_MSR_SPEC_CTRL))
		return;

	host = this_cpu_read(x86_spec_ctrl_current);
	guest->spec_ctrl = __rdmsr(MSR_IA32_SPEC_CTRL);
	if (guest->spec_ctrl != host || cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		native_wrmsrl(MSR_IA32_SPEC_CTRL, host);
	/* Nothing beyond is to be predicted by the old value. */
	barrier_nospec();
}
