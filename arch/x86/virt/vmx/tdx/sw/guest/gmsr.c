// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs of a TD that the module reads and writes for the guest.  Which those are, and
 * what becomes of the others, is in gmsr_table.c.
 */
#include <asm/apicdef.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "guest/gstate.h"

#define XAPIC_DISABLED		BIT_ULL(0)

/* What the CPU says of itself that concerns a guest. */
#define ARCH_CAP_NATIVE		(GENMASK_ULL(3, 0) | GENMASK_ULL(6, 5) | BIT_ULL(8) |	\
				 GENMASK_ULL(15, 13) | BIT_ULL(17) | GENMASK_ULL(27, 26))

#define MISC_FAST_STRING	BIT_ULL(0)
#define MISC_BTS_UNAVAIL	BIT_ULL(11)
#define MISC_PEBS_UNAVAIL	BIT_ULL(12)
#define MISC_MONITOR		BIT_ULL(18)

static u64 misc_enable(struct tdx_sw_call *c)
{
	u64 value = MISC_FAST_STRING | MISC_BTS_UNAVAIL | MISC_PEBS_UNAVAIL;

	if (guest_has_cpuid(td_cpuid_page(c), 0x1, TDX_SW_NO_SUBLEAF, CPUID_ECX, 3))
		value |= MISC_MONITOR;
	return value;
}

/* PERF_CAPABILITIES and the VMX capabilities are those of a CPU without either. */
static u64 emulate_read(struct tdx_sw_call *c, u32 msr)
{
	switch (msr) {
	case 0xbd:
		return XAPIC_DISABLED;
	case MSR_IA32_ARCH_CAPABILITIES:
		return (tdx_sw_read_msr(msr) & ARCH_CAP_NATIVE) | ARCH_CAP_XAPIC_DISABLE |
		       c->tdcs->arch_cap;
	case MSR_IA32_MISC_ENABLE:
		return misc_enable(c);
	case MSR_IA32_DEBUGCTLMSR:
		return guest_vmread(GUEST_IA32_DEBUGCTL);
	case MSR_IA32_DS_AREA:
		return c->vcpu->guest.ds_area;
	default:
		return 0;
	}
}

enum guest_outcome gmsr_read(struct tdx_sw_call *c)
{
	u64 value, *gpr = c->vcpu->guest.gpr;
	u32 msr = gpr[GPR_RCX];

	switch (gmsr_find_action(c, msr, false)) {
	case MSR_EMULATED:
		break;
	case MSR_VE:
		return guest_instruction_ve(c, 0);
	default:
		return guest_gp(c);
	}

	value = emulate_read(c, msr);
	gpr[GPR_RAX] = lower_32_bits(value);
	gpr[GPR_RDX] = upper_32_bits(value);
	return guest_done(c);
}

#define LAST_APIC_MSR		(APIC_BASE_MSR + 0xff)

#define DEBUGCTL_KNOWN		(GENMASK_ULL(15, 6) | GENMASK_ULL(1, 0))
#define DEBUGCTL_TR		BIT_ULL(6)
#define DEBUGCTL_BTS		BIT_ULL(7)

/* Of what could be recorded nothing is: there is no LBR, BTS or PERFMON. */
static enum guest_outcome write_debugctl(struct tdx_sw_call *c, u64 value)
{
	if (value & ~DEBUGCTL_KNOWN)
		return guest_gp(c);
	if (value & DEBUGCTL_TR && !(value & DEBUGCTL_BTS))
		return guest_instruction_ve(c, 0);

	guest_vmwrite(GUEST_IA32_DEBUGCTL, value & DEBUGCTLMSR_BTF);
	return guest_done(c);
}

static enum guest_outcome write_efer(struct tdx_sw_call *c, u64 value)
{
	u64 old = guest_vmread(GUEST_IA32_EFER);

	if (value & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX))
		return guest_gp(c);
	if ((value ^ old) & ~(u64)EFER_SCE)
		return guest_instruction_ve(c, 0);

	guest_vmwrite(GUEST_IA32_EFER, value);
	return guest_done(c);
}

static enum guest_outcome write_xss(struct tdx_sw_call *c, u64 value)
{
	if (value & ~(c->tdcs->xfam & ~TD_XFAM_USER))
		return guest_gp(c);

	c->vcpu->guest.xss = value;
	return guest_done(c);
}

/*
 * Nothing in a TD makes use of it, but the host's PEBS would, while the module
 * runs with what is the guest's: it never gets into the CPU.
 */
static enum guest_outcome write_ds_area(struct tdx_sw_call *c, u64 value)
{
	if (!__is_canonical_address(value, boot_cpu_has(X86_FEATURE_LA57) ? 57 : 48))
		return guest_gp(c);

	c->vcpu->guest.ds_area = value;
	return guest_done(c);
}

static enum guest_outcome emulate_write(struct tdx_sw_call *c, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_IA32_DEBUGCTLMSR:
		return write_debugctl(c, value);
	case MSR_EFER:
		return write_efer(c, value);
	case MSR_IA32_XSS:
		return write_xss(c, value);
	case MSR_IA32_DS_AREA:
		return write_ds_area(c, value);
	case APIC_BASE_MSR ... LAST_APIC_MSR:
		return vapic_write(c->vcpu, msr, value) ? guest_done(c) : guest_gp(c);
	default:
		return guest_gp(c);
	}
}

enum guest_outcome gmsr_write(struct tdx_sw_call *c)
{
	u32 msr = c->vcpu->guest.gpr[GPR_RCX];

	switch (gmsr_find_action(c, msr, true)) {
	case MSR_EMULATED:
		return emulate_write(c, msr, guest_edx_eax(c));
	case MSR_VE:
		return guest_instruction_ve(c, 0);
	default:
		return guest_gp(c);
	}
}
