// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers of a TD: which bits of CR0 and CR4 are the module's, what a
 * write that exits becomes, and XCR0.
 *
 * The CPU lets the guest write every other bit without an exit, and checks it
 * itself.  What exits is judged in the order of the interface, and by the bits in
 * question alone: judge_cr0(), judge_cr4().
 */
#include "guest/gstate.h"

#define CR0_OWNED	(X86_CR0_PE | X86_CR0_NE | X86_CR0_NW | X86_CR0_CD)
#define CR0_SHADOW	(X86_CR0_PE | X86_CR0_NE)
/* A CPU takes no notice of these by itself, so they need no exit. */
#define CR0_IGNORED	(GENMASK_ULL(28, 19) | BIT_ULL(17) | GENMASK_ULL(15, 6))
/* Switching paging takes more than the bit, and is always the CPU's. */
#define CR0_WRITABLE	(~(CR0_IGNORED | X86_CR0_PG))
#define CR0_LMSW	(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS)

#define CR4_KL		BIT_ULL(19)
#define CR4_PKS		BIT_ULL(24)
#define CR4_UINTR	BIT_ULL(25)
#define CR4_LASS	BIT_ULL(27)

#define CR4_SHADOW	X86_CR4_MCE
/* The module's own, or of features that no TD is offered */
#define CR4_OWNED	(X86_CR4_MCE | X86_CR4_VMXE | X86_CR4_SMXE | CR4_LASS |	\
			 X86_CR4_LAM_SUP | X86_CR4_FRED)

#define XFAM_PKRU	BIT_ULL(9)
#define XFAM_CET	GENMASK_ULL(12, 11)
#define XFAM_ULI	BIT_ULL(14)

enum verdict {
	CR_DONE, CR_GP, CR_VE,
};

/* What VMX demands of control registers; a CPU without VMX demands the same. */
static u64 fixed(u32 msr, u64 without_vmx)
{
	return tdx_sw_read_msr(msr) ?: without_vmx;
}

/* Paging may be off: TDs are unrestricted guests. */
static u64 cr0_needed(void)
{
	return fixed(MSR_IA32_VMX_CR0_FIXED0, X86_CR0_PE | X86_CR0_NE) & ~X86_CR0_PG;
}

static u64 cr0_forbidden(void)
{
	return ~fixed(MSR_IA32_VMX_CR0_FIXED1, U32_MAX);
}

static u64 cr4_needed(void)
{
	return fixed(MSR_IA32_VMX_CR4_FIXED0, X86_CR4_VMXE) & ~X86_CR4_VMXE;
}

static u64 cr4_forbidden(void)
{
	return ~fixed(MSR_IA32_VMX_CR4_FIXED1, U32_MAX);
}

/* Bits of CR4 that go with XFAM or an attribute that the TD has not got */
static u64 cr4_missing(const struct tdx_sw_tdcs *tdcs)
{
	u64 missing = CR4_KL;

	if (!(tdcs->xfam & XFAM_PKRU))
		missing |= X86_CR4_PKE;
	if ((tdcs->xfam & XFAM_CET) != XFAM_CET)
		missing |= X86_CR4_CET;
	if (!(tdcs->xfam & XFAM_ULI))
		missing |= CR4_UINTR;
	if (!(tdcs->attributes & TD_ATTR_PKS))
		missing |= CR4_PKS;
	return missing;
}

/* Masks and read shadows of a vCPU that is about to run for the first time. */
void gcr_init(struct tdx_sw_call *c)
{
	guest_vmwrite(CR0_GUEST_HOST_MASK, CR0_OWNED | cr0_needed() | cr0_forbidden());
	guest_vmwrite(CR0_READ_SHADOW, CR0_SHADOW);
	guest_vmwrite(CR4_GUEST_HOST_MASK,
		      CR4_OWNED | cr4_needed() | cr4_forbidden() | cr4_missing(c->tdcs));
	guest_vmwrite(CR4_READ_SHADOW, CR4_SHADOW);
}

static enum verdict judge_cr0(u64 value)
{
	if (~value & cr0_needed() & ~X86_CR0_PE || value & cr0_forbidden())
		return CR_GP;
	if (value & X86_CR0_PG && !(value & X86_CR0_PE))
		return CR_GP;
	if (!(value & X86_CR0_WP) && guest_vmread(GUEST_CR4) & X86_CR4_CET)
		return CR_GP;
	if (~value & (X86_CR0_PE | X86_CR0_NE) || value & (X86_CR0_NW | X86_CR0_CD) ||
	    value >> 32)
		return CR_VE;
	return CR_DONE;
}

/* Never done: what may be written does not exit. */
static enum verdict judge_cr4(struct tdx_sw_call *c, u64 value)
{
	if (~value & cr4_needed() || value & cr4_forbidden())
		return CR_GP;
	if (value & cr4_missing(c->tdcs))
		return CR_GP;
	if (value & X86_CR4_CET && !(guest_vmread(GUEST_CR0) & X86_CR0_WP))
		return CR_GP;
	return CR_VE;
}

/* Exit qualification of an access to a control register */
#define QUAL_CR(qual)		((qual) & 0xf)
#define QUAL_ACCESS(qual)	((qual) >> 4 & 3)
#define QUAL_GPR(qual)		((qual) >> 8 & 0xf)

#define QUAL_LMSW(qual)		((qual) >> 16 & 0xffff)

#define ACCESS_MOV_TO		0
#define ACCESS_LMSW		3

static u64 read_gpr(const struct tdx_sw_call *c, unsigned int reg)
{
	u64 value = reg == GPR_RSP ? guest_vmread(GUEST_RSP) : c->vcpu->guest.gpr[reg];

	return guest_is_64bit() ? value : (u32)value;
}

static void set_cr0(u64 value, u64 writable)
{
	guest_vmwrite(GUEST_CR0, (guest_vmread(GUEST_CR0) & ~writable) | (value & writable));
}

static enum guest_outcome mov_to_cr(struct tdx_sw_call *c, u64 qual)
{
	u64 value = read_gpr(c, QUAL_GPR(qual));
	enum verdict verdict = CR_VE;

	switch (QUAL_CR(qual)) {
	case 0:
		verdict = judge_cr0(value);
		break;
	case 4:
		verdict = judge_cr4(c, value);
		break;
	case 8:
		verdict = vapic_write_cr8(c->vcpu, value) ? CR_DONE : CR_GP;
		break;
	}

	if (verdict == CR_GP)
		return guest_gp(c);
	if (verdict == CR_VE)
		return guest_instruction_ve(c, qual);
	if (QUAL_CR(qual) == 0)
		set_cr0(value, CR0_WRITABLE);
	return guest_done(c);
}

enum guest_outcome gcr_access(struct tdx_sw_call *c)
{
	u64 qual = c->exit.qual;

	switch (QUAL_ACCESS(qual)) {
	case ACCESS_MOV_TO:
		return mov_to_cr(c, qual);
	case ACCESS_LMSW:
		set_cr0(QUAL_LMSW(qual), CR0_LMSW);
		return guest_done(c);
	default:
		/* CLTS and reads do not exit. */
		return guest_instruction_ve(c, qual);
	}
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
