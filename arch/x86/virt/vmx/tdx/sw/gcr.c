// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers of a TD: which bits of CR0 and CR4 are the module's, what a
 * write that touches them becomes, and XCR0.
 *
 * The CPU lets the guest write every other bit without an exit, and checks it
 * itself.  So a write that exits is one that changes a bit of the module's (#VE),
 * or sets one that the TD does not have or that would be illegal anyway (#GP).
 */
#include "gstate.h"

#define CR0_OWNED	(X86_CR0_PE | X86_CR0_NE | X86_CR0_NW | X86_CR0_CD)
#define CR0_SHADOW	(X86_CR0_PE | X86_CR0_NE)

#define CR4_OWNED	(X86_CR4_MCE | X86_CR4_VMXE | X86_CR4_SMXE)
#define CR4_SHADOW	X86_CR4_MCE

/* Bits of CR4 that every TD has. */
#define CR4_ALWAYS	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |	\
			 X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCE |	\
			 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)

/* Bits of CR4 that a TD has if its CPUID says so. */
static const struct {
	u64 cr4;
	u32 leaf;
	u32 subleaf;
	u8 reg;
	u8 bit;
} cr4_features[] = {
	{ X86_CR4_PCIDE,	0x1, TDX_SW_NO_SUBLEAF, CPUID_ECX, 17 },
	{ X86_CR4_OSXSAVE,	0x1, TDX_SW_NO_SUBLEAF, CPUID_ECX, 26 },
	{ X86_CR4_FSGSBASE,	0x7, 0, CPUID_EBX, 0 },
	{ X86_CR4_SMEP,		0x7, 0, CPUID_EBX, 7 },
	{ X86_CR4_SMAP,		0x7, 0, CPUID_EBX, 20 },
	{ X86_CR4_UMIP,		0x7, 0, CPUID_ECX, 2 },
	{ X86_CR4_PKE,		0x7, 0, CPUID_ECX, 3 },
	{ X86_CR4_CET,		0x7, 0, CPUID_ECX, 7 },
	{ X86_CR4_CET,		0x7, 0, CPUID_EDX, 20 },
	{ X86_CR4_LA57,		0x7, 0, CPUID_ECX, 16 },
	{ BIT_ULL(25),		0x7, 0, CPUID_EDX, 5 },		/* user interrupts */
	{ BIT_ULL(27),		0x7, 1, CPUID_EAX, 6 },		/* LASS */
	{ X86_CR4_LAM_SUP,	0x7, 1, CPUID_EAX, 26 },
};

static u64 cr4_allowed(const struct tdx_sw_cpuid_page *page)
{
	u64 allowed = CR4_ALWAYS;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		if (guest_has_cpuid(page, cr4_features[i].leaf, cr4_features[i].subleaf,
				    cr4_features[i].reg, cr4_features[i].bit))
			allowed |= cr4_features[i].cr4;
	}
	return allowed;
}

/* Masks and read shadows of a vCPU that is about to run for the first time. */
void gcr_init(struct tdx_sw_call *c)
{
	guest_vmwrite(CR0_GUEST_HOST_MASK, CR0_OWNED);
	guest_vmwrite(CR0_READ_SHADOW, CR0_SHADOW);
	guest_vmwrite(CR4_GUEST_HOST_MASK, ~cr4_allowed(guest_cpuid_page(c)));
	guest_vmwrite(CR4_READ_SHADOW, CR4_SHADOW);
}

static bool is_paging(void)
{
	return guest_vmread(GUEST_CR0) & X86_CR0_PG;
}

/* What the CPU would refuse with all bits its own. */
static bool is_legal_cr0(u64 value)
{
	u64 cr4 = guest_vmread(GUEST_CR4);

	if (value >> 32)
		return false;
	if (value & X86_CR0_PG && (!(value & X86_CR0_PE) || !(cr4 & X86_CR4_PAE)))
		return false;
	if (!(value & X86_CR0_PG) && is_paging() && (guest_is_64bit() || cr4 & X86_CR4_PCIDE))
		return false;
	if (!(value & X86_CR0_WP) && cr4 & X86_CR4_CET)
		return false;
	return !(value & X86_CR0_NW) || value & X86_CR0_CD;
}

static bool is_legal_cr4(struct tdx_sw_call *c, u64 value)
{
	u64 changed = value ^ guest_vmread(GUEST_CR4);

	if (value & ~(cr4_allowed(guest_cpuid_page(c)) | CR4_OWNED))
		return false;
	if (is_paging() && (!(value & X86_CR4_PAE) || changed & X86_CR4_LA57))
		return false;
	if (changed & value & X86_CR4_PCIDE &&
	    (!is_paging() || guest_vmread(GUEST_CR3) & (PAGE_SIZE - 1)))
		return false;
	return !(value & X86_CR4_CET) || guest_vmread(GUEST_CR0) & X86_CR0_WP;
}

/* Exit qualification of an access to a control register */
#define QUAL_CR(qual)		((qual) & 0xf)
#define QUAL_ACCESS(qual)	((qual) >> 4 & 3)
#define QUAL_GPR(qual)		((qual) >> 8 & 0xf)

#define ACCESS_MOV_TO		0

static u64 read_gpr(const struct tdx_sw_call *c, unsigned int reg)
{
	u64 value = reg == GPR_RSP ? guest_vmread(GUEST_RSP) : c->vcpu->guest.gpr[reg];

	return guest_is_64bit() ? value : (u32)value;
}

enum guest_outcome gcr_access(struct tdx_sw_call *c)
{
	u64 qual = c->exit.qual, value;

	if (QUAL_ACCESS(qual) == ACCESS_MOV_TO) {
		value = read_gpr(c, QUAL_GPR(qual));
		if (QUAL_CR(qual) == 8)
			return vapic_write_cr8(c->vcpu, value) ? guest_done(c) : guest_gp(c);
		if ((QUAL_CR(qual) == 0 && !is_legal_cr0(value)) ||
		    (QUAL_CR(qual) == 4 && !is_legal_cr4(c, value)))
			return guest_gp(c);
	}
	return guest_instruction_ve(c, qual);
}

/* ---- XCR0 ---- */

#define XCR0_X87	BIT_ULL(0)
#define XCR0_SSE	BIT_ULL(1)
#define XCR0_AVX	BIT_ULL(2)
#define XCR0_AVX512	GENMASK_ULL(7, 5)
#define XCR0_AMX	GENMASK_ULL(18, 17)

static bool is_whole(u64 value, u64 group)
{
	return !(value & group) || (value & group) == group;
}

static bool is_legal_xcr0(u64 value, u64 xfam)
{
	if (!(value & XCR0_X87) || value & ~(xfam & TD_XFAM_USER))
		return false;
	if (value & XCR0_AVX && !(value & XCR0_SSE))
		return false;
	if (value & XCR0_AVX512 && !(value & XCR0_AVX))
		return false;
	return is_whole(value, XCR0_AVX512) && is_whole(value, XCR0_AMX);
}

enum guest_outcome gcr_xsetbv(struct tdx_sw_call *c)
{
	struct tdx_sw_guest *guest = &c->vcpu->guest;
	u64 value = guest_edx_eax(c);

	/* Bochs exits before it looks at the privilege level. */
	if (guest_cpl() || (u32)guest->gpr[GPR_RCX] || !is_legal_xcr0(value, c->tdcs->xfam))
		return guest_gp(c);

	guest->xcr0 = value;
	return guest_done(c);
}
