/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CPU under a TD: its current VMCS, its speculation, and what tests put in
 * place of MSRs and VMCS.
 */
#ifndef _X86_VIRT_TDX_SW_CPU_H
#define _X86_VIRT_TDX_SW_CPU_H

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/vmx.h>

#include "base/base.h"

/* ---- what tests put in place of the CPU ---- */

/* Each: does @nr stand for something else?  NULL unless there is a test. */
struct tdx_sw_fake {
	bool (*read)(u32 nr, u64 *value);
	bool (*write)(u32 nr, u64 value);
};

extern const struct tdx_sw_fake *tdx_sw_fake_msr, *tdx_sw_fake_vmcs_field;
/* No interrupt of the machine's waits, as far as the module is told. */
DECLARE_PER_CPU(bool, tdx_sw_fake_quiet);

static inline bool tdx_sw_fake_read(const struct tdx_sw_fake **where, u32 nr, u64 *value)
{
	const struct tdx_sw_fake *fake = IS_ENABLED(CONFIG_KUNIT) ? READ_ONCE(*where) : NULL;

	return fake && fake->read(nr, value);
}

static inline bool tdx_sw_fake_write(const struct tdx_sw_fake **where, u32 nr, u64 value)
{
	const struct tdx_sw_fake *fake = IS_ENABLED(CONFIG_KUNIT) ? READ_ONCE(*where) : NULL;

	return fake && fake->write(nr, value);
}

/* ---- the current VMCS (vmcs.c) ---- */

#define NO_VMCS		(~0ULL)

u64 vmcs_current(void);
void vmcs_load(u64 pa);
void vmcs_clear(u64 pa);
u32 vmcs_instruction_error(void);
void vmcs_set_proc_control(u32 control, bool on);

u64 guest_vmread(u32 field);
void guest_vmwrite(u32 field, u64 value);

/* ---- speculation (spec.c) ---- */

void spec_enter(const struct tdx_sw_vcpu *vcpu);
void spec_forget(const struct tdx_sw_vcpu *vcpu);
asmlinkage void tdx_sw_host_spec_ctrl(struct tdx_sw_guest *guest);

/*
 * The last thing before VM entry.  Inline, as a RET or an indirect branch from here
 * on would run with what the guest has chosen.
 */
static __always_inline void spec_load_guest(const struct tdx_sw_guest *guest)
{
	if (cpu_feature_enabled(X86_FEATURE_MSR_SPEC_CTRL) &&
	    guest->spec_ctrl != this_cpu_read(x86_spec_ctrl_current))
		native_wrmsrl(MSR_IA32_SPEC_CTRL, guest->spec_ctrl);
}

#endif
