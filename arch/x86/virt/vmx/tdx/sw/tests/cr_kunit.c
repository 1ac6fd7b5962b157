// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers of a TD: each bit of CR0 and CR4, set and cleared, and each
 * step of the order in which a write that exits is judged; XCR0.
 */
#include <linux/bitops.h>
#include <asm/processor-flags.h>

#include "guest.h"

#define LEN	3

#define CR_MOV(cr, gpr)	((u64)(cr) | (u64)(gpr) << 8)
#define CR_LMSW(value)	(3ULL << 4 | (u64)(value) << 16)

/* What VMX demands of them on a CPU that has no LA57, nothing above UINTR */
#define CR0_FIXED0	0x80000021ULL
#define CR0_FIXED1	0xffffffffULL
#define CR4_FIXED0	0x2000ULL
#define CR4_FIXED1	0x03ffefffULL

#define CR0_BASE	(X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_PE)
#define CR0_IGNORED	(GENMASK_ULL(28, 19) | BIT_ULL(17) | GENMASK_ULL(15, 6))
#define CR4_BASE	(X86_CR4_PAE | X86_CR4_MCE)

#define CR4_KL		BIT_ULL(19)
#define CR4_PKS		BIT_ULL(24)
#define CR4_UINTR	BIT_ULL(25)

static struct swg *start(struct kunit *test, const struct swg_config *config)
{
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(swt_of(test));

	msrs->cr0_fixed[0] = CR0_FIXED0;
	msrs->cr0_fixed[1] = CR0_FIXED1;
	msrs->cr4_fixed[0] = CR4_FIXED0;
	msrs->cr4_fixed[1] = CR4_FIXED1;
	return swg_start(test, config);
}

static void mov_to_cr(struct swg *s, unsigned int cr, u64 value)
{
	s->g.gpr[G_RBX] = value;
	swg_instruction(s, EXIT_REASON_CR_ACCESS, LEN, CR_MOV(cr, G_RBX));
}

static void expect_gp(struct swg *s, unsigned int cr, u64 value, const char *what)
{
	mov_to_cr(s, cr, value);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, what);
}

static void expect_ve(struct swg *s, unsigned int cr, u64 value, const char *what)
{
	mov_to_cr(s, cr, value);
	swg_expect_ve(s, EXIT_REASON_CR_ACCESS, CR_MOV(cr, G_RBX), what);
}

static void expect_cr0_done(struct swg *s, u64 value, u64 result, const char *what)
{
	swg_vmwrite(s, GUEST_CR0, CR0_BASE);
	mov_to_cr(s, 0, value);
	swg_expect_done(s, LEN, what);
	KUNIT_EXPECT_EQ_MSG(s->test, swg_vmread(s, GUEST_CR0), result, "%s", what);
	swg_vmwrite(s, GUEST_CR0, CR0_BASE);
}

/* ---- CR0 ---- */

static void masks_of_cr0(struct kunit *test)
{
	struct swg *s = start(test, NULL);
	u64 mask = swg_vmread(s, CR0_GUEST_HOST_MASK);

	KUNIT_EXPECT_EQ(test, mask, X86_CR0_PE | X86_CR0_NE | X86_CR0_NW | X86_CR0_CD |
				    GENMASK_ULL(63, 32));
	KUNIT_EXPECT_EQ(test, swg_vmread(s, CR0_READ_SHADOW), (u64)(X86_CR0_PE | X86_CR0_NE));
}

static void each_bit_of_cr0(struct kunit *test)
{
	struct swg *s = start(test, NULL);
	unsigned int bit;
	char what[16];

	for (bit = 0; bit < 64; bit++) {
		u64 value = CR0_BASE ^ BIT_ULL(bit);

		snprintf(what, sizeof(what), "CR0 bit %u", bit);
		if (bit == X86_CR0_PE_BIT || bit == X86_CR0_NE_BIT || bit >= 32)
			expect_gp(s, 0, value, what);
		else if (bit == X86_CR0_NW_BIT || bit == X86_CR0_CD_BIT)
			expect_ve(s, 0, value, what);
		else if (CR0_IGNORED & BIT_ULL(bit))
			expect_cr0_done(s, value, CR0_BASE, what);
		else if (bit == X86_CR0_PG_BIT)
			expect_cr0_done(s, value, CR0_BASE, "PG, which is the CPU's");
		else
			expect_cr0_done(s, value, value, what);
	}
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_CR0), (u64)CR0_BASE);
}

/* What comes first in the order counts, whatever else is wrong. */
static void order_of_cr0(struct kunit *test)
{
	u64 no_paging = CR0_BASE & ~(X86_CR0_PG | X86_CR0_PE);
	struct swg *s = start(test, NULL);

	expect_gp(s, 0, (CR0_BASE | X86_CR0_CD) & ~X86_CR0_NE, "NE off, CD on");
	expect_gp(s, 0, no_paging & ~X86_CR0_NE, "NE, PE and PG off");
	expect_gp(s, 0, CR0_BASE | X86_CR0_CD | BIT_ULL(32), "upper half, CD on");
	expect_gp(s, 0, (CR0_BASE | X86_CR0_CD) & ~X86_CR0_PE, "PG without PE, CD on");
	expect_ve(s, 0, no_paging, "PE and PG off in 64-bit mode");
	expect_ve(s, 0, CR0_BASE | X86_CR0_NW, "NW without CD");
	expect_ve(s, 0, CR0_BASE | X86_CR0_NW | X86_CR0_CD, "NW and CD");
	expect_ve(s, 0, (CR0_BASE | X86_CR0_CD) & ~X86_CR0_PG, "CD on, PG off");
	expect_ve(s, 0, CR0_BASE | X86_CR0_CD | CR0_IGNORED, "CD on, ignored bits");
	expect_ve(s, 0, (CR0_BASE | X86_CR0_CD) & ~X86_CR0_WP, "CD on, WP off");
	expect_cr0_done(s, CR0_BASE | CR0_IGNORED | X86_CR0_TS, CR0_BASE | X86_CR0_TS,
			"ignored bits and TS");

	/* Shadow stacks need write protection, before anything becomes a #VE. */
	swg_vmwrite(s, GUEST_CR4, swg_vmread(s, GUEST_CR4) | X86_CR4_CET);
	expect_gp(s, 0, (CR0_BASE | X86_CR0_CD) & ~X86_CR0_WP, "CET, WP off, CD on");
	expect_gp(s, 0, CR0_BASE & ~X86_CR0_WP, "CET, WP off");
	expect_ve(s, 0, CR0_BASE | X86_CR0_CD, "CET, CD on");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_CR0), (u64)CR0_BASE);
}

/* Bits that the CPU demands or forbids */
static void cr0_follows_what_vmx_demands(struct kunit *test)
{
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(swt_of(test));
	struct swg *s;

	msrs->cr0_fixed[0] = CR0_FIXED0 | X86_CR0_MP;
	msrs->cr0_fixed[1] = CR0_FIXED1 & ~X86_CR0_AM;
	s = swg_start(test, NULL);
	KUNIT_EXPECT_TRUE(test, !!(swg_vmread(s, CR0_GUEST_HOST_MASK) & X86_CR0_MP));
	KUNIT_EXPECT_TRUE(test, !!(swg_vmread(s, CR0_GUEST_HOST_MASK) & X86_CR0_AM));
	expect_gp(s, 0, CR0_BASE, "MP off");
	expect_gp(s, 0, CR0_BASE | X86_CR0_MP | X86_CR0_AM, "AM on");
	expect_ve(s, 0, CR0_BASE | X86_CR0_MP | X86_CR0_CD, "MP on, CD on");
}

static void lmsw_writes_its_three_bits(struct kunit *test)
{
	struct swg *s = start(test, NULL);

	swg_instruction(s, EXIT_REASON_CR_ACCESS, LEN, CR_LMSW(0xffff));
	swg_expect_done(s, LEN, "LMSW");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_CR0),
			(u64)(CR0_BASE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS));
	/* It can't clear PE. */
	swg_instruction(s, EXIT_REASON_CR_ACCESS, LEN, CR_LMSW(0));
	swg_expect_done(s, LEN, "LMSW of 0");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_CR0), (u64)CR0_BASE);
}

/* ---- CR4 ---- */

static void masks_of_cr4(struct kunit *test)
{
	struct swg *s = start(test, NULL);
	u64 mask = swg_vmread(s, CR4_GUEST_HOST_MASK);

	KUNIT_EXPECT_EQ(test, swg_vmread(s, CR4_READ_SHADOW), (u64)X86_CR4_MCE);
	KUNIT_EXPECT_EQ(test, mask, ~CR4_FIXED1 | X86_CR4_MCE | X86_CR4_VMXE | X86_CR4_SMXE |
				    X86_CR4_PKE | X86_CR4_CET | CR4_KL | CR4_PKS | CR4_UINTR);
}

static void each_bit_of_cr4(struct kunit *test)
{
	u64 refused = ~CR4_FIXED1 | X86_CR4_PKE | X86_CR4_CET | CR4_KL | CR4_PKS | CR4_UINTR;
	struct swg *s = start(test, NULL);
	unsigned int bit;
	char what[16];

	for (bit = 0; bit < 64; bit++) {
		u64 value = CR4_BASE ^ BIT_ULL(bit);

		snprintf(what, sizeof(what), "CR4 bit %u", bit);
		if (value & refused)
			expect_gp(s, 4, value, what);
		else
			expect_ve(s, 4, value, what);
	}
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_CR4),
			(u64)(X86_CR4_PAE | X86_CR4_MCE | X86_CR4_VMXE));
}

static void order_of_cr4(struct kunit *test)
{
	struct swg *s = start(test, NULL);

	expect_gp(s, 4, X86_CR4_PAE | X86_CR4_LA57, "MCE off, a bit that is not there");
	expect_gp(s, 4, X86_CR4_PAE | X86_CR4_PKE, "MCE off, PKE");
	expect_ve(s, 4, 0, "PAE off in long mode");
	expect_ve(s, 4, CR4_BASE | X86_CR4_PCIDE, "PCIDE with whatever CR3");
}

/* LASS, LAM_SUP and FRED, on a CPU that has them */
static void features_that_no_td_has_are_the_modules(struct kunit *test)
{
	static const u64 bits[] = { BIT_ULL(27), BIT_ULL(28), BIT_ULL(32) };
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(swt_of(test));
	struct swg *s;
	unsigned int i;

	msrs->cr4_fixed[0] = CR4_FIXED0;
	msrs->cr4_fixed[1] = CR4_FIXED1 | bits[0] | bits[1] | bits[2];
	s = swg_start(test, NULL);
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		KUNIT_EXPECT_TRUE(test, !!(swg_vmread(s, CR4_GUEST_HOST_MASK) & bits[i]));
		expect_ve(s, 4, CR4_BASE | bits[i], "not offered");
	}
}

/* VMXE is demanded, too, and not seen by the guest. */
static void cr4_follows_what_vmx_demands(struct kunit *test)
{
	struct tdx_sw_fake_msrs *msrs = swt_fake_msrs(swt_of(test));
	struct swg *s;

	msrs->cr4_fixed[0] = CR4_FIXED0 | X86_CR4_DE;
	msrs->cr4_fixed[1] = CR4_FIXED1;
	s = swg_start(test, NULL);
	expect_gp(s, 4, CR4_BASE, "DE off");
	expect_ve(s, 4, CR4_BASE | X86_CR4_DE, "DE on");
	expect_ve(s, 4, CR4_BASE | X86_CR4_DE | X86_CR4_VMXE, "VMXE on");
}

static bool has_xfam(struct kunit *test, u64 xfam)
{
	struct tdx_module_args args = { .rdx = 0x1900000300000002ULL };

	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(swt_of(test), L_SYS_RD, &args));
	return (args.r8 & xfam) == xfam;
}

/* What goes with a component of XFAM that the TD has is the CPU's to judge. */
static void bits_of_cr4_follow_xfam(struct kunit *test)
{
	static const struct {
		u64 xfam;
		u64 cr4;
	} rows[] = {
		{ BIT_ULL(9), X86_CR4_PKE },
		{ GENMASK_ULL(12, 11), X86_CR4_CET },
		{ BIT_ULL(14), CR4_UINTR },
	};
	struct swg_config config = {};
	unsigned int i;
	struct swg *s;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (has_xfam(test, rows[i].xfam))
			config.xfam |= rows[i].xfam;
	}
	s = start(test, &config);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 mask = swg_vmread(s, CR4_GUEST_HOST_MASK);
		bool has = (config.xfam & rows[i].xfam) == rows[i].xfam;

		KUNIT_EXPECT_EQ_MSG(test, !(mask & rows[i].cr4), has, "XFAM %llx", rows[i].xfam);
		if (!has)
			continue;
		expect_ve(s, 4, X86_CR4_PAE | rows[i].cr4, "MCE off");
		if (rows[i].cr4 != X86_CR4_CET)
			continue;
		swg_vmwrite(s, GUEST_CR0, CR0_BASE & ~X86_CR0_WP);
		expect_gp(s, 4, X86_CR4_PAE | X86_CR4_CET, "MCE off, CET without WP");
		swg_vmwrite(s, GUEST_CR0, CR0_BASE);
	}
}

static void rsp_can_be_the_operand(struct kunit *test)
{
	struct swg *s = start(test, NULL);

	s->g.gpr[G_RSP] = 0;
	swg_vmwrite(s, GUEST_RSP, BIT_ULL(63));
	swg_instruction(s, EXIT_REASON_CR_ACCESS, LEN, CR_MOV(4, G_RSP));
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "RSP");
}

/* Outside 64-bit mode a register has 32 bits. */
static void operands_are_as_wide_as_the_mode(struct kunit *test)
{
	struct swg *s = start(test, NULL);

	swg_set_64bit(s, false);
	mov_to_cr(s, 0, CR0_BASE | X86_CR0_CD | BIT_ULL(40));
	/* Which TDG.VP.VEINFO.GET wants. */
	swg_set_64bit(s, true);
	swg_expect_ve(s, EXIT_REASON_CR_ACCESS, CR_MOV(0, G_RBX), "upper half of RBX");
}

static bool interrupt_is_pending(struct swg *s)
{
	struct tdx_module_args args = { .rcx = s->vcpu, .rdx = 0x9120000300000100ULL };

	KUNIT_EXPECT_EQ(s->test, ST_SUCCESS, swt_call(s->t, L_VP_RD, &args));
	return args.r8 & 1;
}

/* Of the virtual APIC's, which has an interrupt for the task or has not. */
static void cr8_is_the_priority_of_the_task(struct kunit *test)
{
	struct swg *s = start(test, NULL);
	unsigned int bit;

	for (bit = 4; bit < 64; bit++)
		expect_gp(s, 8, BIT_ULL(bit) | 2, "CR8");
	/* SELF_IPI */
	s->g.gpr[G_RCX] = 0x83f;
	s->g.gpr[G_RAX] = 0x41;
	s->g.gpr[G_RDX] = 0;
	swg_instruction(s, EXIT_REASON_MSR_WRITE, LEN, 0);
	KUNIT_EXPECT_TRUE(test, interrupt_is_pending(s));
	mov_to_cr(s, 8, 4);
	swg_expect_done(s, LEN, "CR8");
	KUNIT_EXPECT_FALSE(test, interrupt_is_pending(s));
	mov_to_cr(s, 8, 3);
	KUNIT_EXPECT_TRUE(test, interrupt_is_pending(s));
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_CR0), (u64)CR0_BASE);
}

/* ---- XCR0 ---- */

static void xsetbv(struct swg *s, u64 reg, u64 value)
{
	s->g.gpr[G_RCX] = reg;
	s->g.gpr[G_RAX] = (u32)value;
	s->g.gpr[G_RDX] = value >> 32;
	swg_instruction(s, EXIT_REASON_XSETBV, LEN, 0);
}

static void xcr0_is_limited_by_xfam(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	xsetbv(s, 0, 3);
	swg_expect_done(s, LEN, "x87 and SSE");
	KUNIT_EXPECT_EQ(test, s->g.xcr0, 3ULL);
	xsetbv(s, 1, 3);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "XCR1");
	xsetbv(s, 0, 2);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "without x87");
	for (bit = 2; bit < 64; bit++) {
		xsetbv(s, 0, 3 | BIT_ULL(bit));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "beyond XFAM");
	}
	xsetbv(s, 0, 1);
	swg_expect_done(s, LEN, "x87");
	KUNIT_EXPECT_EQ(test, s->g.xcr0, 1ULL);
}

static void xsetbv_of_user_code_raises_gp(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int cpl;

	xsetbv(s, 0, 3);
	for (cpl = 1; cpl < 4; cpl++) {
		swg_set_cpl(s, cpl);
		xsetbv(s, 0, 1);
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "CPL");
		KUNIT_EXPECT_EQ(test, s->g.xcr0, 3ULL);
	}
}

static void xcr0_has_its_dependencies(struct kunit *test)
{
	struct swg_config config = { .xfam = BIT_ULL(2) };
	struct swg *s;

	if (!has_xfam(test, BIT_ULL(2)))
		kunit_skip(test, "needs a CPU with AVX");
	s = swg_start(test, &config);
	xsetbv(s, 0, 5);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "AVX without SSE");
	xsetbv(s, 0, 7);
	swg_expect_done(s, LEN, "AVX");
	KUNIT_EXPECT_EQ(test, s->g.xcr0, 7ULL);
}

static struct kunit_case cr_cases[] = {
	KUNIT_CASE(masks_of_cr0),
	KUNIT_CASE(each_bit_of_cr0),
	KUNIT_CASE(order_of_cr0),
	KUNIT_CASE(cr0_follows_what_vmx_demands),
	KUNIT_CASE(lmsw_writes_its_three_bits),
	KUNIT_CASE(masks_of_cr4),
	KUNIT_CASE(each_bit_of_cr4),
	KUNIT_CASE(order_of_cr4),
	KUNIT_CASE(features_that_no_td_has_are_the_modules),
	KUNIT_CASE(cr4_follows_what_vmx_demands),
	KUNIT_CASE(bits_of_cr4_follow_xfam),
	KUNIT_CASE(rsp_can_be_the_operand),
	KUNIT_CASE(operands_are_as_wide_as_the_mode),
	KUNIT_CASE(cr8_is_the_priority_of_the_task),
	KUNIT_CASE(xcr0_is_limited_by_xfam),
	KUNIT_CASE(xsetbv_of_user_code_raises_gp),
	KUNIT_CASE(xcr0_has_its_dependencies),
	{}
};

SWG_SUITE("tdx_sw_cr", cr_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: control registers of a TD");
MODULE_LICENSE("GPL");
