// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs of a TD: every one in the two ranges that the MSR bitmap covers, and some
 * outside, read and written, against the interface description (msr_sheet.h).
 */
#include <linux/bitops.h>
#include <asm/msr-index.h>

#include "guest.h"
#include "msr_sheet.h"

#define RDMSR_LEN	2

static u64 cpuid_field(struct swg *s, u32 leaf, u32 subleaf, bool no_subleaf, bool high)
{
	u64 id = 0x9410000300000000ULL | leaf << 9 | (no_subleaf ? 0x1fe : subleaf << 1) | high;
	struct tdx_module_args args = { .rcx = s->td.tdr, .rdx = id };

	KUNIT_EXPECT_EQ(s->test, ST_SUCCESS, swt_call(s->t, L_MNG_RD, &args));
	return args.r8;
}

/* What the host knows of the TD's CPUID; the MSRs have to agree with it. */
static bool has_group(struct swg *s, u8 group)
{
	switch (group) {
	case NO_GROUP:
		return true;
	case XFD:
		return cpuid_field(s, 0xd, 1, false, false) & BIT_ULL(4);
	case WAITPKG:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(5);
	case TME:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(13);
	case MKTME:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(32 + 18);
	case HAS_SPEC_CTRL:
		return cpuid_field(s, 0x7, 0, false, true) >> 32 & (BIT(26) | BIT(27) | BIT(31));
	case HAS_PRED_CMD:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(32 + 26);
	case HAS_FLUSH_CMD:
		return cpuid_field(s, 0x7, 0, false, true) & BIT_ULL(32 + 28);
	case DCA:
		return cpuid_field(s, 0x1, 0, true, true) & BIT_ULL(18);
	case TSC_DEADLINE:
		return cpuid_field(s, 0x1, 0, true, true) & BIT_ULL(24);
	default:
		return false;
	}
}

static u8 expected(struct swg *s, u32 msr, bool write)
{
	const struct sheet_msr_range *range = sheet_msr(msr);

	if (!range)
		return VE;
	if (!has_group(s, range->group))
		return GP;
	return write ? range->write : range->read;
}

static bool exits(struct swg *s, u32 msr, bool write)
{
	const u8 *bitmap = swt_va(s->td.tdcx[2]);
	u32 bit = msr & 0x1fff;

	return bitmap[bit / 8 + (msr >> 30 ? 1024 : 0) + (write ? 2048 : 0)] >> bit % 8 & 1;
}

static void guest_rdmsr(struct swg *s, u32 msr)
{
	s->g.gpr[G_RCX] = msr;
	swg_instruction(s, EXIT_REASON_MSR_READ, RDMSR_LEN, 0);
}

static void guest_wrmsr(struct swg *s, u32 msr, u64 value)
{
	s->g.gpr[G_RCX] = msr;
	s->g.gpr[G_RAX] = (u32)value;
	s->g.gpr[G_RDX] = value >> 32;
	swg_instruction(s, EXIT_REASON_MSR_WRITE, RDMSR_LEN, 0);
}

static void check_exit(struct swg *s, u32 msr, bool write, u8 want)
{
	char what[32];

	snprintf(what, sizeof(what), "%s %x", write ? "WRMSR" : "RDMSR", msr);
	/* What module and guest agree about writes has its own cases. */
	if (want == MODULE && write)
		return;
	if (write)
		guest_wrmsr(s, msr, 0);
	else
		guest_rdmsr(s, msr);
	switch (want) {
	case VE:
		swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, what);
		break;
	case GP:
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, what);
		break;
	case MODULE:
		swg_expect_done(s, RDMSR_LEN, what);
		break;
	}
	s->g.ve_valid = 0;
}

static void check_msr(struct swg *s, u32 msr)
{
	unsigned int write;

	for (write = 0; write < 2; write++) {
		u8 want = expected(s, msr, write);

		KUNIT_EXPECT_EQ_MSG(s->test, exits(s, msr, write), want != NO_EXIT,
				    "MSR %x write %u", msr, write);
		if (want != NO_EXIT)
			check_exit(s, msr, write, want);
	}
}

static void every_msr_does_what_the_list_says(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u32 msr;

	for (msr = 0; msr < 0x2000; msr++) {
		check_msr(s, msr);
		check_msr(s, 0xc0000000 + msr);
	}
}

static void msrs_outside_the_ranges_raise_ve(struct kunit *test)
{
	static const u32 msrs[] = {
		0x2000, 0x3fff, 0x40000000, 0x4b564d00, 0xbfffffff, 0xc0002000, 0xc0010000,
		0xffffffff,
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		guest_rdmsr(s, msrs[i]);
		swg_expect_ve(s, EXIT_REASON_MSR_READ, 0, "read");
		guest_wrmsr(s, msrs[i], 0);
		swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "write");
	}
}

/* ECX is all that counts, and results are 32 bits wide. */
static void upper_halves_do_not_matter(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	s->g.gpr[G_RCX] = 0xbd | BIT_ULL(40);
	s->g.gpr[G_RAX] = ~0ULL;
	s->g.gpr[G_RDX] = ~0ULL;
	swg_instruction(s, EXIT_REASON_MSR_READ, RDMSR_LEN, 0);
	swg_expect_done(s, RDMSR_LEN, "XAPIC_DISABLE_STATUS");
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], 1ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], 0ULL);
}

static void efer_lets_sce_change(struct kunit *test)
{
	const u64 efer = EFER_LME | EFER_LMA | EFER_NX;
	struct swg *s = swg_start(test, NULL);

	guest_wrmsr(s, MSR_EFER, efer);
	swg_expect_done(s, RDMSR_LEN, "SCE off");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_EFER), efer);
	guest_wrmsr(s, MSR_EFER, efer | EFER_SCE);
	swg_expect_done(s, RDMSR_LEN, "SCE on");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_EFER), efer | EFER_SCE);
	guest_wrmsr(s, MSR_EFER, (efer | EFER_SCE) & ~(u64)EFER_NX);
	swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "NX off");
	guest_wrmsr(s, MSR_EFER, (efer | EFER_SCE) & ~(u64)EFER_LME);
	swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "LME off");
	guest_wrmsr(s, MSR_EFER, efer | EFER_SVME);
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "reserved");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_EFER), efer | EFER_SCE);
}

static void xss_is_limited_by_xfam(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	guest_wrmsr(s, MSR_IA32_XSS, 0);
	swg_expect_done(s, RDMSR_LEN, "XSS 0");
	for (bit = 0; bit < 64; bit++) {
		guest_wrmsr(s, MSR_IA32_XSS, BIT_ULL(bit));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "XSS beyond XFAM");
		KUNIT_EXPECT_EQ(test, s->g.xss, 0ULL);
	}
}

static void debugctl_knows_its_bits(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 2; bit < 64; bit++) {
		if (bit >= 6 && bit < 16)
			continue;
		guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, BIT_ULL(bit));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "reserved");
	}
	guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, BIT_ULL(6));
	swg_expect_ve(s, EXIT_REASON_MSR_WRITE, 0, "TR without BTS");
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_IA32_DEBUGCTL), 0ULL);
	guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, BIT_ULL(7) | BIT_ULL(6));
	swg_expect_done(s, RDMSR_LEN, "TR with BTS");
	guest_wrmsr(s, MSR_IA32_DEBUGCTLMSR, DEBUGCTLMSR_BTF);
	swg_expect_done(s, RDMSR_LEN, "BTF");
	guest_rdmsr(s, MSR_IA32_DEBUGCTLMSR);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], (u64)DEBUGCTLMSR_BTF);
}

static void ds_area_is_kept_by_the_module(struct kunit *test)
{
	const u64 area = 0xffff888012345678;
	struct swg *s = swg_start(test, NULL);

	guest_rdmsr(s, MSR_IA32_DS_AREA);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX] | s->g.gpr[G_RDX], 0ULL);
	guest_wrmsr(s, MSR_IA32_DS_AREA, area);
	swg_expect_done(s, RDMSR_LEN, "DS_AREA");
	guest_wrmsr(s, MSR_IA32_DS_AREA, BIT_ULL(62));
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "not canonical");
	guest_rdmsr(s, MSR_IA32_DS_AREA);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX] | s->g.gpr[G_RDX] << 32, area);
}

static u64 value_of(struct swg *s, u32 msr)
{
	guest_rdmsr(s, msr);
	swg_expect_done(s, RDMSR_LEN, "RDMSR");
	return s->g.gpr[G_RAX] | s->g.gpr[G_RDX] << 32;
}

/* What a TD without PERFMON, BTS and PEBS, and without MONITOR in its CPUID, finds */
static void reads_by_the_module_have_their_values(struct kunit *test)
{
	const u64 configurable = BIT_ULL(4) | BIT_ULL(19) | BIT_ULL(20) | BIT_ULL(24);
	struct swg *s = swg_start(test, NULL);

	KUNIT_EXPECT_EQ(test, value_of(s, MSR_IA32_PERF_CAPABILITIES), 0ULL);
	KUNIT_EXPECT_EQ(test, value_of(s, MSR_IA32_MISC_ENABLE),
			(u64)(MSR_IA32_MISC_ENABLE_FAST_STRING | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			      MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL));
	/* The xAPIC is off for good, and the host has configured nothing. */
	KUNIT_EXPECT_EQ(test, value_of(s, 0xbd), 1ULL);
	KUNIT_EXPECT_EQ(test, value_of(s, MSR_IA32_ARCH_CAPABILITIES) &
			(ARCH_CAP_XAPIC_DISABLE | configurable), (u64)ARCH_CAP_XAPIC_DISABLE);
}

/* Bits that the host may configure are as it has configured them. */
static void arch_capabilities_follow_the_host(struct kunit *test)
{
	struct tdx_module_args args = { .rdx = 0x9900000300000600ULL };
	struct swg *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct swt *t = swt_of(test);
	u64 given;

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(t, L_SYS_RD, &args));
	given = args.r8 & ~BIT_ULL(4);
	s->t = t;
	s->test = test;
	t->checked = false;
	swt_td_build(t, &s->td, 0, STAGE_UNINITIALIZED);
	*(u8 *)(swt_va(s->td.params) + PARAMS_MSR_CONFIG_CTLS) = 1;
	*(u64 *)(swt_va(s->td.params) + PARAMS_ARCH_CAP) = given;
	swt_td_init(t, &s->td);
	s->vcpu = swt_vcpu_add(t, &s->td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = s->td.tdr));
	t->checked = true;
	swg_run(s);
	KUNIT_EXPECT_EQ(test, value_of(s, MSR_IA32_ARCH_CAPABILITIES) & args.r8, given);
}

/* ---- the virtual APIC ---- */

#define X2APIC_TPR	0x808
#define X2APIC_EOI	0x80b
#define X2APIC_SELF_IPI	0x83f

static bool interrupt_is_pending(struct swg *s)
{
	struct tdx_module_args args = { .rcx = s->vcpu, .rdx = 0x9120000300000100ULL };

	KUNIT_EXPECT_EQ(s->test, ST_SUCCESS, swt_call(s->t, L_VP_RD, &args));
	return args.r8 & 1;
}

static void apic_write(struct swg *s, u32 msr, u64 value)
{
	guest_wrmsr(s, msr, value);
	swg_expect_done(s, RDMSR_LEN, "write to the APIC");
}

static void apic_registers_have_reserved_bits(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		guest_wrmsr(s, X2APIC_EOI, BIT_ULL(bit));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "EOI");
		if (bit < 8)
			continue;
		guest_wrmsr(s, X2APIC_TPR, BIT_ULL(bit) | 0x20);
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "TPR");
		guest_wrmsr(s, X2APIC_SELF_IPI, BIT_ULL(bit) | 0x41);
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "SELF_IPI");
	}
	KUNIT_EXPECT_FALSE(test, interrupt_is_pending(s));
}

static void interrupts_wait_for_the_priority_of_the_task(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	apic_write(s, X2APIC_EOI, 0);
	/* The first 16 vectors are not for interrupts. */
	apic_write(s, X2APIC_SELF_IPI, 15);
	KUNIT_EXPECT_FALSE(test, interrupt_is_pending(s));
	apic_write(s, X2APIC_SELF_IPI, 0x41);
	KUNIT_EXPECT_TRUE(test, interrupt_is_pending(s));
	apic_write(s, X2APIC_TPR, 0x3f);
	KUNIT_EXPECT_TRUE(test, interrupt_is_pending(s));
	apic_write(s, X2APIC_TPR, 0x40);
	KUNIT_EXPECT_FALSE(test, interrupt_is_pending(s));
	/* The highest one counts. */
	apic_write(s, X2APIC_SELF_IPI, 0x50);
	KUNIT_EXPECT_TRUE(test, interrupt_is_pending(s));
	apic_write(s, X2APIC_TPR, 0xff);
	KUNIT_EXPECT_FALSE(test, interrupt_is_pending(s));
	/* None is in service that could end. */
	apic_write(s, X2APIC_TPR, 0);
	apic_write(s, X2APIC_EOI, 0);
	KUNIT_EXPECT_TRUE(test, interrupt_is_pending(s));
}

static struct kunit_case msr_cases[] = {
	KUNIT_CASE_SLOW(every_msr_does_what_the_list_says),
	KUNIT_CASE(msrs_outside_the_ranges_raise_ve),
	KUNIT_CASE(upper_halves_do_not_matter),
	KUNIT_CASE(efer_lets_sce_change),
	KUNIT_CASE(xss_is_limited_by_xfam),
	KUNIT_CASE(debugctl_knows_its_bits),
	KUNIT_CASE(ds_area_is_kept_by_the_module),
	KUNIT_CASE(reads_by_the_module_have_their_values),
	KUNIT_CASE(arch_capabilities_follow_the_host),
	KUNIT_CASE(apic_registers_have_reserved_bits),
	KUNIT_CASE(interrupts_wait_for_the_priority_of_the_task),
	{}
};

SWG_SUITE("tdx_sw_msr", msr_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: MSRs of a TD");
MODULE_LICENSE("GPL");
