// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that exit from a TD, and CPUID.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>

#include "guest.h"

#define LEN	3

static const struct {
	u32 reason;
	u32 event;
	const char *name;
} plain[] = {
	{ 11, EV_EXCEPTION(XC_UD), "GETSEC" },
	{ 12, EV_EXCEPTION(XC_VE), "HLT" },
	{ 13, EV_EXCEPTION(XC_VE), "INVD" },
	{ 15, EV_WITH_CODE(XC_GP), "RDPMC" },
	{ 17, EV_EXCEPTION(XC_UD), "RSM" },
	{ 18, EV_EXCEPTION(XC_VE), "VMCALL" },
	{ 19, EV_EXCEPTION(XC_UD), "VMCLEAR" },
	{ 20, EV_EXCEPTION(XC_UD), "VMLAUNCH" },
	{ 21, EV_EXCEPTION(XC_UD), "VMPTRLD" },
	{ 22, EV_EXCEPTION(XC_UD), "VMPTRST" },
	{ 23, EV_EXCEPTION(XC_UD), "VMREAD" },
	{ 24, EV_EXCEPTION(XC_UD), "VMRESUME" },
	{ 25, EV_EXCEPTION(XC_UD), "VMWRITE" },
	{ 26, EV_EXCEPTION(XC_UD), "VMXOFF" },
	{ 27, EV_EXCEPTION(XC_UD), "VMXON" },
	{ 30, EV_EXCEPTION(XC_VE), "IO" },
	{ 36, EV_EXCEPTION(XC_UD), "MWAIT" },
	{ 39, EV_EXCEPTION(XC_UD), "MONITOR" },
	{ 50, EV_EXCEPTION(XC_UD), "INVEPT" },
	{ 53, EV_EXCEPTION(XC_UD), "INVVPID" },
	{ 54, EV_EXCEPTION(XC_VE), "WBINVD" },
	{ 56, EV_EXCEPTION(XC_VE), "APIC write" },
	{ 59, EV_EXCEPTION(XC_UD), "VMFUNC" },
	{ 60, EV_EXCEPTION(XC_UD), "ENCLS" },
	{ 65, EV_EXCEPTION(XC_VE), "PCONFIG" },
	{ 67, EV_EXCEPTION(XC_UD), "UMWAIT" },
	{ 68, EV_EXCEPTION(XC_UD), "TPAUSE" },
	{ 69, EV_EXCEPTION(XC_UD), "LOADIWKEY" },
	{ 70, EV_EXCEPTION(XC_UD), "ENCLV" },
	{ 72, EV_WITH_CODE(XC_GP), "ENQCMD" },
	{ 73, EV_EXCEPTION(XC_UD), "ENQCMDS" },
	{ 76, EV_EXCEPTION(XC_UD), "SEAMCALL" },
	{ 99, EV_EXCEPTION(XC_UD), "what does not exist" },
};

static void instructions_raise_what_the_list_says(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		s->g.gpr[G_RAX] = 0xa;
		swg_instruction(s, plain[i].reason, LEN, 0x1234);
		swg_expect_event(s, plain[i].event, 0, plain[i].name);
		KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], 0xaULL);
		if (plain[i].event == EV_EXCEPTION(XC_VE))
			swg_expect_ve(s, plain[i].reason, 0x1234, plain[i].name);
		else
			KUNIT_EXPECT_EQ_MSG(test, s->g.ve_valid, 0U, "%s", plain[i].name);
	}
}

static void faults_set_rf(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	swg_instruction(s, EXIT_REASON_VMON, LEN, 0);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RFLAGS),
			(u64)(X86_EFLAGS_FIXED | X86_EFLAGS_RF));
}

/* ---- CPUID ---- */

struct cpuid_out {
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
};

static bool guest_cpuid(struct swg *s, u32 leaf, u32 subleaf, struct cpuid_out *val)
{
	s->g.gpr[G_RAX] = leaf | BIT_ULL(36);
	s->g.gpr[G_RCX] = subleaf | BIT_ULL(36);
	s->g.gpr[G_RBX] = ~0ULL;
	s->g.gpr[G_RDX] = ~0ULL;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	*val = (struct cpuid_out) {
		s->g.gpr[G_RAX], s->g.gpr[G_RBX], s->g.gpr[G_RCX], s->g.gpr[G_RDX],
	};
	if (s->g.event) {
		s->g.ve_valid = 0;
		return false;
	}
	KUNIT_EXPECT_EQ(s->test, (s->g.gpr[G_RAX] | s->g.gpr[G_RBX] | s->g.gpr[G_RCX] |
				  s->g.gpr[G_RDX]) >> 32, 0ULL);
	return true;
}

static u64 host_cpuid(struct swg *s, u32 leaf, u32 subleaf, bool no_subleaf, bool high)
{
	u64 id = 0x9410000300000000ULL | (leaf >> 31) << 16 | (leaf & 0x7f) << 9 |
		 (no_subleaf ? 0x1fe : subleaf << 1) | high;
	struct tdx_module_args args = { .rcx = s->td.tdr, .rdx = id };

	KUNIT_EXPECT_EQ_MSG(s->test, ST_SUCCESS, swt_call(s->t, L_MNG_RD, &args), "%llx", id);
	return args.r8;
}

/* Leaves whose value in the guest is exactly what the host reads of it. */
static void cpuid_is_what_the_host_reads(struct kunit *test)
{
	static const struct {
		u32 leaf;
		u8 nr;
	} leaves[] = {
		{ 0x0 }, { 0x3 }, { 0x4, 5 }, { 0x8 }, { 0x14, 2 }, { 0x15 }, { 0x1d, 2 },
		{ 0x21, 1 }, { 0x23, 4 }, { 0x80000000 }, { 0x80000001 }, { 0x80000002 },
		{ 0x80000007 }, { 0x80000008 },
	};
	struct swg *s = swg_start(test, NULL);
	unsigned int i, sub;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		for (sub = 0; sub < max_t(unsigned int, leaves[i].nr, 1); sub++) {
			struct cpuid_out val;

			KUNIT_EXPECT_TRUE(test, guest_cpuid(s, leaves[i].leaf, sub, &val));
			KUNIT_EXPECT_EQ_MSG(test, val.eax | (u64)val.ebx << 32,
					    host_cpuid(s, leaves[i].leaf, sub, !leaves[i].nr,
						       false), "%x.%x", leaves[i].leaf, sub);
			KUNIT_EXPECT_EQ_MSG(test, val.ecx | (u64)val.edx << 32,
					    host_cpuid(s, leaves[i].leaf, sub, !leaves[i].nr,
						       true), "%x.%x", leaves[i].leaf, sub);
		}
	}
}

static void cpuid_knows_the_module(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct cpuid_out val;

	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x21, 0, &val));
	KUNIT_EXPECT_EQ(test, val.eax, 0U);
	KUNIT_EXPECT_MEMEQ(test, (char *)&val.ebx, "Inte", 4);
	KUNIT_EXPECT_MEMEQ(test, (char *)&val.edx, "lTDX", 4);
	KUNIT_EXPECT_MEMEQ(test, (char *)&val.ecx, "    ", 4);
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x0, 0, &val));
	KUNIT_EXPECT_EQ(test, val.eax, 0x23U);
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x15, 0, &val));
	KUNIT_EXPECT_EQ(test, val.eax, 1U);
	KUNIT_EXPECT_EQ(test, val.ebx, 100U);
	KUNIT_EXPECT_EQ(test, val.ecx, 25000000U);
}

static void cpuid_leaves_for_the_host_raise_ve(struct kunit *test)
{
	static const u32 leaves[] = {
		0x2, 0x6, 0xb, 0x1f, 0x40000000, 0x40000001, 0x4fffffff, 0x80000006,
	};
	struct swg *s = swg_start(test, NULL);
	struct cpuid_out val;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, guest_cpuid(s, leaves[i], 0, &val), "%x", leaves[i]);
		KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], leaves[i] | BIT_ULL(36));
	}
	s->g.gpr[G_RAX] = 0x2;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_ve(s, EXIT_REASON_CPUID, 0, "leaf 2");
}

static void cpuid_clamps_what_is_out_of_range(struct kunit *test)
{
	static const u32 leaves[] = { 0x24, 0x100, 0x3fffffff, 0x50000000, 0x80000009, ~0U };
	struct swg *s = swg_start(test, NULL);
	struct cpuid_out last, val;
	unsigned int i, sub;

	for (sub = 0; sub < 6; sub++) {
		KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x23, sub, &last));
		for (i = 0; i < ARRAY_SIZE(leaves); i++) {
			KUNIT_EXPECT_TRUE(test, guest_cpuid(s, leaves[i], sub, &val));
			KUNIT_EXPECT_MEMEQ(test, (u8 *)&last, (u8 *)&val, sizeof(val));
		}
	}
	/* So are subleaves, to nothing. */
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x7, 77, &val));
	KUNIT_EXPECT_FALSE(test, !!(val.eax | val.ebx | val.ecx | val.edx));
}

static void cpuid_follows_control_registers(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 cr4 = swg_vmread(s, GUEST_CR4);
	struct cpuid_out val;

	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x1, 0, &val));
	KUNIT_EXPECT_FALSE(test, !!(val.ecx & BIT(27)));
	KUNIT_EXPECT_TRUE(test, !!(val.ecx & BIT(31)));
	KUNIT_EXPECT_EQ(test, val.ebx >> 24, 0U);
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x7, 0, &val));
	KUNIT_EXPECT_FALSE(test, !!(val.ecx & BIT(4)));

	swg_vmwrite(s, GUEST_CR4, cr4 | X86_CR4_OSXSAVE | X86_CR4_PKE);
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x1, 0, &val));
	KUNIT_EXPECT_TRUE(test, !!(val.ecx & BIT(27)));
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x7, 0, &val));
	KUNIT_EXPECT_TRUE(test, !!(val.ecx & BIT(4)));
	/* It is the other subleaves' no more than leaf 1 is leaf 7. */
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0x7, 1, &val));
	KUNIT_EXPECT_EQ(test, val.ecx, 0U);
}

/* x87 and SSE are all that the default TD has. */
static void cpuid_tells_sizes_of_extended_state(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct cpuid_out val;

	s->g.xcr0 = 3;
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0xd, 0, &val));
	KUNIT_EXPECT_EQ(test, val.eax, 3U);
	KUNIT_EXPECT_EQ(test, val.ebx, 576U);
	KUNIT_EXPECT_EQ(test, val.ecx, 576U);
	KUNIT_EXPECT_EQ(test, val.edx, 0U);
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0xd, 1, &val));
	KUNIT_EXPECT_EQ(test, val.ebx, 576U);
	KUNIT_EXPECT_EQ(test, val.ecx, 0U);
	KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0xd, 2, &val));
	KUNIT_EXPECT_EQ(test, val.eax, 0U);
}

/* AVX and PKRU, where the CPU has them: at an offset of their own, or side by side. */
static u32 xstate_size(u64 components, bool compacted)
{
	u32 size = 576, len, offset, ecx, edx, i;

	for (i = 2; i < 64; i++) {
		if (!(components & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &len, &offset, &ecx, &edx);
		if (compacted)
			offset = ecx & BIT(1) ? ALIGN(size, 64) : size;
		size = max(size, offset + len);
	}
	return size;
}

static void cpuid_sizes_follow_what_is_enabled(struct kunit *test)
{
	static const u64 enabled[] = { 1, 3, 7, 0x203, 0x207 };
	struct tdx_module_args args = { .rdx = 0x1900000300000002ULL };
	struct swg_config config = {};
	struct cpuid_out val;
	unsigned int i;
	struct swg *s;
	u64 xfam;

	KUNIT_ASSERT_EQ(test, ST_SUCCESS, swt_call(swt_of(test), L_SYS_RD, &args));
	config.xfam = args.r8 & (BIT_ULL(2) | BIT_ULL(9));
	xfam = 3 | config.xfam;
	s = swg_start(test, &config);
	for (i = 0; i < ARRAY_SIZE(enabled); i++) {
		s->g.xcr0 = enabled[i] & xfam;
		KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0xd, 0, &val));
		KUNIT_EXPECT_EQ(test, val.ebx, xstate_size(enabled[i] & xfam, false));
		KUNIT_EXPECT_EQ(test, val.ecx, xstate_size(xfam, false));
		KUNIT_EXPECT_TRUE(test, guest_cpuid(s, 0xd, 1, &val));
		KUNIT_EXPECT_EQ(test, val.ebx, xstate_size(enabled[i] & xfam, true));
	}
}

/* ---- the end of an instruction ---- */

static void rip_is_as_wide_as_the_mode(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int wide;

	for (wide = 0; wide < 2; wide++) {
		swg_set_64bit(s, wide);
		s->g.gpr[G_RAX] = 0;
		s->x = (struct tdx_sw_test_exit) { .reason = EXIT_REASON_CPUID, .instr_len = 2 };
		swg_vmwrite(s, GUEST_RIP, 0xffffffff);
		swg_handle(s);
		KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), wide ? 0x100000001ULL : 1ULL);
	}
}

static struct kunit_case instr_cases[] = {
	KUNIT_CASE(instructions_raise_what_the_list_says),
	KUNIT_CASE(faults_set_rf),
	KUNIT_CASE(cpuid_is_what_the_host_reads),
	KUNIT_CASE(cpuid_knows_the_module),
	KUNIT_CASE(cpuid_leaves_for_the_host_raise_ve),
	KUNIT_CASE(cpuid_clamps_what_is_out_of_range),
	KUNIT_CASE(cpuid_follows_control_registers),
	KUNIT_CASE(cpuid_tells_sizes_of_extended_state),
	KUNIT_CASE(cpuid_sizes_follow_what_is_enabled),
	KUNIT_CASE(rip_is_as_wide_as_the_mode),
	{}
};

SWG_SUITE("tdx_sw_instr", instr_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: instructions in a TD");
MODULE_LICENSE("GPL");
