// SPDX-License-Identifier: GPL-2.0
/*
 * Registers that belong to the guest while it runs and that no VMCS field
 * switches: extended state, XCR0 and IA32_XSS, debug registers, CR2, MSRs but
 * IA32_SPEC_CTRL (base/spec.c).
 *
 * The guest's are loaded once, at TDH.VP.ENTER, and taken back once, when the
 * host is to see an exit: what the module handles by itself happens with the
 * guest's values in place.  Kernel code that is not preempted or interrupted uses
 * none of them.
 *
 * The host does not get its own values back, but what the interface says: most of
 * them are the host's to restore.
 */
#include <linux/string.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

#include "run/run.h"

#define ARCH_CAP_DOITM		BIT_ULL(12)	/* the CPU has that MSR */

#define DR7_DISABLED	0x400		/* likewise */

static u32 present __ro_after_init;

/* Clean extended state, in the format that the CPU restores it from. */
static struct xregs_state init_xregs __ro_after_init __aligned(64);

void __init switch_setup(void)
{
	present = BIT(SWITCHED_STAR) | BIT(SWITCHED_LSTAR) | BIT(SWITCHED_FMASK) |
		  BIT(SWITCHED_KERNEL_GS_BASE);
	if (boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID))
		present |= BIT(SWITCHED_TSC_AUX);
	if (x86_read_arch_cap_msr() & ARCH_CAP_DOITM)
		present |= BIT(SWITCHED_UARCH_MISC);
	regs_init_xstate(&init_xregs);
}

/* ---- extended state ---- */

static void save(struct xregs_state *area, u64 mask)
{
	u32 low = mask, high = mask >> 32;

	if (regs_have_xsaves())
		asm volatile("xsaves64 %0" : "+m" (*area) : "a" (low), "d" (high) : "memory");
	else
		asm volatile("xsave64 %0" : "+m" (*area) : "a" (low), "d" (high) : "memory");
}

static void restore(const struct xregs_state *area, u64 mask)
{
	u32 low = mask, high = mask >> 32;

	if (regs_have_xsaves())
		asm volatile("xrstors64 %0" : : "m" (*area), "a" (low), "d" (high) : "memory");
	else
		asm volatile("xrstor64 %0" : : "m" (*area), "a" (low), "d" (high) : "memory");
}

static void load_xcr0(u64 xcr0)
{
	if (xgetbv(XCR_XFEATURE_ENABLED_MASK) != xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
}

static void load_xss(u64 xss)
{
	if (regs_have_xsaves())
		native_write_msr(MSR_IA32_XSS, xss, xss >> 32);
}

static void enable_all(u64 xfam)
{
	load_xcr0(xfam & TD_XFAM_USER);
	load_xss(xfam & ~TD_XFAM_USER);
}

/* The host finds XCR0 and IA32_XSS as the TD may have them, and nothing in it. */
void switch_init_xstate(u64 xfam)
{
	enable_all(xfam);
	restore(&init_xregs, xfam);
}

static struct xregs_state *guest_area(const struct tdx_sw_vcpu *vcpu)
{
	return tdx_sw_map(vcpu->page_pa[TDVPS_XSTATE]);
}

#define XMM_SIZE	16

static void *xmm_of(struct xregs_state *area, unsigned int nr)
{
	return (u8 *)area->i387.xmm_space + nr * XMM_SIZE;
}

static void copy_xmms(struct xregs_state *to, struct xregs_state *from, u16 mask)
{
	unsigned long bits = mask;
	unsigned int nr;

	for_each_set_bit(nr, &bits, 16)
		memcpy(xmm_of(to, nr), xmm_of(from, nr), XMM_SIZE);
}

static struct xregs_state *room(void)
{
	return (void *)tdx_sw_scratch()->xstate;
}

/* The host answers a TDVMCALL in XMM registers: they become the guest's. */
void switch_load_guest_xmm(struct tdx_sw_call *c, u16 mask)
{
	struct xregs_state *area = guest_area(c->vcpu), *host = room();

	if (!mask)
		return;
	/* In INIT state the area does not hold the zeros that the registers do. */
	if (!(area->header.xfeatures & XFEATURE_MASK_SSE)) {
		memset(area->i387.xmm_space, 0, sizeof(area->i387.xmm_space));
		area->i387.mxcsr = MXCSR_INIT;
		area->header.xfeatures |= XFEATURE_MASK_SSE;
	}
	/* Nor is it written for registers in that state. */
	*host = init_xregs;
	save(host, XFEATURE_MASK_SSE);
	copy_xmms(area, host, mask);
}

/* The guest passes XMM registers with a TDVMCALL: the host sees these alone. */
static void show_xmm(struct tdx_sw_call *c, u16 mask)
{
	struct xregs_state *area = guest_area(c->vcpu), *shown = room();

	if (!mask)
		return;
	*shown = init_xregs;
	shown->header.xfeatures = XFEATURE_MASK_SSE;
	/* Registers in INIT state were not written: the area holds older ones. */
	if (area->header.xfeatures & XFEATURE_MASK_SSE)
		copy_xmms(shown, area, mask);
	restore(shown, XFEATURE_MASK_SSE);
}

/* ---- both ways ---- */

void switch_to_guest(struct tdx_sw_call *c)
{
	struct tdx_sw_guest *guest = &c->vcpu->guest;
	unsigned int i;

	for (i = 0; i < TDX_SW_NR_SWITCHED; i++) {
		if (present & BIT(i))
			native_write_msr(switched_msrs[i].msr, guest->msr[i], guest->msr[i] >> 32);
	}
	/* The host's breakpoints must not come to lie at the guest's addresses. */
	native_set_debugreg(7, DR7_DISABLED);
	set_debugreg(guest->dr[0], 0);
	set_debugreg(guest->dr[1], 1);
	set_debugreg(guest->dr[2], 2);
	set_debugreg(guest->dr[3], 3);
	set_debugreg(guest->dr6, 6);
	enable_all(c->tdcs->xfam);
	restore(guest_area(c->vcpu), c->tdcs->xfam);
}

/* Each time before the guest runs: the module may have changed them for it. */
void switch_load_controls(struct tdx_sw_call *c)
{
	struct tdx_sw_guest *guest = &c->vcpu->guest;

	load_xcr0(guest->xcr0);
	/* Without supervisor components it is 0 and stays so. */
	if (c->tdcs->xfam & ~TD_XFAM_USER)
		load_xss(guest->xss);
	native_write_cr2(guest->cr2);
}

void switch_to_host(struct tdx_sw_call *c)
{
	struct tdx_sw_guest *guest = &c->vcpu->guest;
	unsigned int i;

	enable_all(c->tdcs->xfam);
	save(guest_area(c->vcpu), c->tdcs->xfam);
	restore(&init_xregs, c->tdcs->xfam);
	if (c->vcpu->vmcall_pending)
		show_xmm(c, c->vcpu->vmcall_mask >> 16);

	get_debugreg(guest->dr[0], 0);
	get_debugreg(guest->dr[1], 1);
	get_debugreg(guest->dr[2], 2);
	get_debugreg(guest->dr[3], 3);
	get_debugreg(guest->dr6, 6);
	for (i = 0; i < 4; i++)
		native_set_debugreg(i, 0);
	native_set_debugreg(6, DR6_RESERVED);
	native_write_cr2(0);

	for (i = 0; i < TDX_SW_NR_SWITCHED; i++) {
		u64 value = switched_msrs[i].reset;

		if (!(present & BIT(i)))
			continue;
		guest->msr[i] = native_read_msr(switched_msrs[i].msr);
		native_write_msr(switched_msrs[i].msr, value, value >> 32);
	}
}
