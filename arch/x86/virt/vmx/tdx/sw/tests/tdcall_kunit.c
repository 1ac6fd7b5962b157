// SPDX-License-Identifier: GPL-2.0
/*
 * TDCALL: who may, which leaves there are, what becomes of RAX and RIP, and the
 * leaves that deal with the vCPU itself.
 */
#include <linux/bitops.h>
#include <linux/random.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "guest.h"

static const struct {
	u16 nr;
	u8 max_version;
} known[] = {
	{ T_VMCALL }, { T_INFO }, { T_RTMR_EXTEND }, { T_VEINFO_GET }, { T_REPORT },
	{ T_CPUIDVE_SET }, { T_ACCEPT }, { T_VM_RD, 1 }, { T_VM_WR }, { T_VP_RD },
	{ T_VP_WR }, { T_SYS_RD }, { T_SYS_RDALL }, { T_VERIFYREPORT }, { T_ATTR_RD },
	{ T_ATTR_WR },
};

static bool is_known(u64 rax)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].nr == (rax & 0xffff))
			return (rax >> 16 & 0xff) <= known[i].max_version;
	}
	return false;
}

static void refuse(struct swg *s, u64 rax)
{
	struct tdx_sw_test_guest before = s->g;

	KUNIT_EXPECT_EQ_MSG(s->test, ST_OPERAND_INVALID | OP_RAX, swg_tdcall(s, rax), "RAX %llx",
			    rax);
	swg_expect_done(s, TDCALL_LEN, "refused leaf");
	before.gpr[G_RAX] = s->g.gpr[G_RAX];
	KUNIT_EXPECT_MEMEQ(s->test, before.gpr, s->g.gpr, sizeof(before.gpr));
}

static void leaves_that_do_not_exist_are_refused(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int nr;

	for (nr = 0; nr < 0x10000; nr += nr < 256 ? 1 : 251) {
		if (!is_known(nr))
			refuse(s, nr);
	}
}

static void versions_that_do_not_exist_are_refused(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i, version;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		for (version = known[i].max_version + 1; version < 256; version += 17)
			refuse(s, known[i].nr | (u64)version << 16);
	}
}

static void reserved_bits_of_rax_are_refused(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 24; bit < 64; bit++)
		refuse(s, T_INFO | BIT_ULL(bit));
}

static void user_code_gets_gp(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int cpl;

	for (cpl = 1; cpl < 4; cpl++) {
		swg_set_cpl(s, cpl);
		KUNIT_EXPECT_EQ(test, (u64)T_INFO, swg_tdcall(s, T_INFO));
		swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "CPL");
	}
}

static void code_outside_64_bit_mode_gets_gp(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	swg_set_64bit(s, false);
	KUNIT_EXPECT_EQ(test, (u64)T_INFO, swg_tdcall(s, T_INFO));
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "compatibility mode");

	/* With paging off L means nothing. */
	swg_set_64bit(s, true);
	swg_vmwrite(s, GUEST_IA32_EFER, EFER_LME | EFER_NX);
	KUNIT_EXPECT_EQ(test, (u64)T_INFO, swg_tdcall(s, T_INFO));
	swg_expect_event(s, EV_WITH_CODE(XC_GP), 0, "paging off");
}

static void completion_clears_shadows_and_traps(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	swg_vmwrite(s, GUEST_INTERRUPTIBILITY_INFO, GUEST_INTR_STATE_STI | GUEST_INTR_STATE_NMI);
	swg_vmwrite(s, GUEST_RFLAGS, X86_EFLAGS_FIXED | X86_EFLAGS_RF);
	swg_tdcall(s, T_INFO);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO),
			(u64)GUEST_INTR_STATE_NMI);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RFLAGS), (u64)X86_EFLAGS_FIXED);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_PENDING_DBG_EXCEPTIONS), 0ULL);

	swg_vmwrite(s, GUEST_RFLAGS, X86_EFLAGS_FIXED | X86_EFLAGS_TF);
	swg_vmwrite(s, GUEST_IA32_DEBUGCTL, DEBUGCTLMSR_BTF);
	swg_tdcall(s, T_INFO);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_PENDING_DBG_EXCEPTIONS), 0ULL);

	swg_vmwrite(s, GUEST_IA32_DEBUGCTL, 0);
	swg_tdcall(s, T_INFO);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_PENDING_DBG_EXCEPTIONS), BIT_ULL(14));
}

static void info_describes_the_td(struct kunit *test)
{
	struct swg_config config = { .attributes = BIT_ULL(28) };
	struct swg *s = swg_start(test, &config);
	u64 *gpr = s->g.gpr;

	gpr[G_R11] = 0x1111;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_INFO));
	swg_expect_done(s, TDCALL_LEN, "VP.INFO");
	KUNIT_EXPECT_EQ(test, gpr[G_RCX], (u64)tdx_sw_gpa_width());
	KUNIT_EXPECT_EQ(test, gpr[G_RDX], BIT_ULL(28));
	KUNIT_EXPECT_EQ(test, gpr[G_R8], 1ULL | 4ULL << 32);
	KUNIT_EXPECT_EQ(test, gpr[G_R9], 0ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_R10], 1ULL);
	KUNIT_EXPECT_EQ(test, gpr[G_R11], 0ULL);
}

/* In VP.INFO, and in CPUID as long as no topology is enumerated. */
static void second_vcpu_knows_its_index(struct kunit *test)
{
	struct swg *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct swt *t = swt_of(test);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->t = t;
	s->test = test;
	t->checked = false;
	swt_td_build(t, &s->td, 0, STAGE_INITIALIZED);
	swt_vcpu_add(t, &s->td);
	s->vcpu = swt_vcpu_add(t, &s->td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = s->td.tdr));
	t->checked = true;
	swg_run(s);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_INFO));
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 2ULL | 4ULL << 32);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R9], 1ULL);
	s->g.gpr[G_RAX] = 1;
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_done(s, 2, "CPUID");
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RBX] >> 24, 1ULL);
}

/* ---- TDG.VP.VMCALL ---- */

static u64 *host_reg(struct tdx_module_args *regs, unsigned int idx)
{
	u64 * const at[16] = {
		[G_RDX] = &regs->rdx, [G_RBX] = &regs->rbx, [G_RSI] = &regs->rsi,
		[G_RDI] = &regs->rdi, [G_R8] = &regs->r8, [G_R9] = &regs->r9,
		[G_R10] = &regs->r10, [G_R11] = &regs->r11, [G_R12] = &regs->r12,
		[G_R13] = &regs->r13, [G_R14] = &regs->r14, [G_R15] = &regs->r15,
	};

	return at[idx];
}

static void vmcall_mask_passes_registers(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit, i;

	for (bit = 2; bit < 16; bit++) {
		if (bit == G_RSP || bit == G_RBP)
			continue;
		for (i = 0; i < 16; i++)
			s->g.gpr[i] = 0x100 + i;
		s->g.gpr[G_RCX] = BIT_ULL(bit);
		swg_tdcall(s, T_VMCALL);
		KUNIT_EXPECT_TRUE(test, s->x.to_host);
		KUNIT_EXPECT_EQ(test, s->x.rax, (u64)EXIT_REASON_TDCALL);
		KUNIT_EXPECT_EQ(test, s->x.regs.rcx, BIT_ULL(bit));
		/* What is left to do at the next entry is the host's answer. */
		KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), CODE_RIP + TDCALL_LEN);
		for (i = 0; i < 16; i++) {
			u64 *reg = host_reg(&s->x.regs, i);

			if (reg)
				KUNIT_EXPECT_EQ_MSG(test, *reg, i == bit ? 0x100 + i : 0ULL,
						    "register %u, mask bit %u", i, bit);
		}
	}
}

static void vmcall_refuse(struct swg *s, u64 mask)
{
	s->g.gpr[G_RCX] = mask;
	KUNIT_EXPECT_EQ_MSG(s->test, ST_OPERAND_INVALID | OP_RCX, swg_tdcall(s, T_VMCALL),
			    "mask %llx", mask);
	swg_expect_done(s, TDCALL_LEN, "refused mask");
}

static void vmcall_mask_has_forbidden_bits(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	vmcall_refuse(s, BIT_ULL(G_RAX));
	vmcall_refuse(s, BIT_ULL(G_RCX));
	vmcall_refuse(s, BIT_ULL(G_RSP));
	for (bit = 32; bit < 64; bit++)
		vmcall_refuse(s, BIT_ULL(bit) | BIT_ULL(G_R10));

	/* RBP is passed unless the host asked for NO_RBP_MOD. */
	s->g.gpr[G_RCX] = BIT_ULL(G_RBP);
	s->g.gpr[G_RBP] = 0x5555;
	swg_tdcall(s, T_VMCALL);
	KUNIT_EXPECT_TRUE(test, s->x.to_host);
	KUNIT_EXPECT_EQ(test, s->x.rbp, 0x5555ULL);
}

static void vmcall_keeps_rbp_with_no_rbp_mod(struct kunit *test)
{
	struct swg_config config = { .config_flags = BIT_ULL(2) };
	struct swg *s = swg_start(test, &config);

	vmcall_refuse(s, BIT_ULL(G_RBP));
	s->g.gpr[G_RCX] = 0xffff0000 | BIT_ULL(G_R10);
	swg_tdcall(s, T_VMCALL);
	KUNIT_EXPECT_TRUE(test, s->x.to_host);
}

/* ---- #VE ---- */

static void veinfo_without_ve_is_refused(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i;

	for (i = 0; i < 16; i++)
		s->g.gpr[i] = 0x100 + i;
	KUNIT_EXPECT_EQ(test, ST_NO_VALID_VE_INFO, swg_tdcall(s, T_VEINFO_GET));
	swg_expect_done(s, TDCALL_LEN, "VEINFO.GET");
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RCX], 0ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RDX], 0ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R8], 0ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R9], 0ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R10], 0ULL);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_R11], 0x100ULL + G_R11);
}

static void veinfo_tells_once(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct swg_ve ve;

	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_IO_INSTRUCTION, .instr_len = 2, .instr_info = 0x77,
		.qual = 0x3f80001,
	};
	swg_handle(s);
	KUNIT_EXPECT_EQ(test, s->g.event, (u32)EV_EXCEPTION(XC_VE));

	s->g.event = 0;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_veinfo(s, &ve));
	KUNIT_EXPECT_EQ(test, ve.reason, (u64)EXIT_REASON_IO_INSTRUCTION);
	KUNIT_EXPECT_EQ(test, ve.qual, 0x3f80001ULL);
	KUNIT_EXPECT_EQ(test, ve.instr, 2 | 0x77ULL << 32);
	KUNIT_EXPECT_EQ(test, ST_NO_VALID_VE_INFO, swg_veinfo(s, &ve));
	KUNIT_EXPECT_EQ(test, ve.reason, 0ULL);
}

/* ---- CPUID #VE ---- */

static void cpuidve_turns_cpuid_into_ve(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int mask, cpl;

	for (mask = 0; mask < 4; mask++) {
		swg_set_cpl(s, 0);
		s->g.gpr[G_RCX] = mask;
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_CPUIDVE_SET));
		for (cpl = 0; cpl < 4; cpl += 3) {
			bool ve = mask & (cpl ? 2 : 1);

			swg_set_cpl(s, cpl);
			s->g.gpr[G_RAX] = 0;
			swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
			KUNIT_EXPECT_EQ_MSG(test, ve, s->g.event == EV_EXCEPTION(XC_VE),
					    "mask %u CPL %u", mask, cpl);
			s->g.ve_valid = 0;
		}
	}
}

static void cpuidve_has_two_bits(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 2; bit < 64; bit++) {
		s->g.gpr[G_RCX] = BIT_ULL(bit);
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, swg_tdcall(s, T_CPUIDVE_SET));
	}
	/* Nothing of it has been set. */
	swg_instruction(s, EXIT_REASON_CPUID, 2, 0);
	swg_expect_done(s, 2, "CPUID");
}

/* ---- anything ---- */

#define ROUNDS	5000

static u64 next(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed ^ *seed >> 29;
}

/* Half of the values are near ones that mean something. */
static u64 hostile_value(u64 *seed)
{
	static const u64 odd[] = {
		0, 1, 2, 0x1110000300000017ULL, 0x9110000300000010ULL, 0xa020000000000007ULL,
		~0ULL, BIT_ULL(63), DATA_GPA, DATA_GPA + PAGE_SIZE, 0x20000, SZ_2M | 1,
	};
	u64 r = next(seed);

	switch (r >> 61) {
	case 0:
		return next(seed);
	case 1:
		return next(seed) & (BIT_ULL(tdx_sw_gpa_width()) - 1);
	case 2:
		return (next(seed) & (BIT_ULL(tdx_sw_gpa_width()) - 1)) & ~0xfffULL;
	default:
		return odd[(r >> 8) % ARRAY_SIZE(odd)];
	}
}

/*
 * Each ends: with a status and the guest behind it, in the host's hands, in an
 * exception, or not begun because of an interrupt.  The TD is as sound as before.
 */
static void random_tdcalls_do_no_harm(struct kunit *test)
{
	struct swg_config config = { .config_flags = BIT_ULL(1) };
	struct swg *s = swg_start(test, &config);
	u64 seed = get_random_u64();
	unsigned int round, i, done = 0;

	kunit_info(test, "seed %llx", seed);
	swt_aug(s->t, &s->td, 0x20000);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 16; i++)
			s->g.gpr[i] = hostile_value(&seed);
		s->g.ve_valid = 0;
		swg_tdcall(s, next(&seed) & 1 ? next(&seed) % 32 : hostile_value(&seed));
		done += s->x.to_host || s->g.event || swg_vmread(s, GUEST_RIP) != CODE_RIP;
	}
	/* Interrupts of the machine are few. */
	KUNIT_EXPECT_GT(test, done, (unsigned int)ROUNDS * 9 / 10);
	/* ACCEPT of the one page that waited for it may have been among them. */
	if (swt_m_state(&s->t->m, s->td.tdr, 0x20000, 0) == SE_PENDING) {
		struct tdx_sw_sept_info info;

		KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_sept(s->td.tdr, 0x20000, 0, &info));
		swt_m_entry(&s->t->m, s->td.tdr, 0x20000, 0)->state = info.state;
	}
	swt_check(s->t);
}

static struct kunit_case tdcall_cases[] = {
	KUNIT_CASE(leaves_that_do_not_exist_are_refused),
	KUNIT_CASE(versions_that_do_not_exist_are_refused),
	KUNIT_CASE(reserved_bits_of_rax_are_refused),
	KUNIT_CASE(user_code_gets_gp),
	KUNIT_CASE(code_outside_64_bit_mode_gets_gp),
	KUNIT_CASE(completion_clears_shadows_and_traps),
	KUNIT_CASE(info_describes_the_td),
	KUNIT_CASE(second_vcpu_knows_its_index),
	KUNIT_CASE(vmcall_mask_passes_registers),
	KUNIT_CASE(vmcall_mask_has_forbidden_bits),
	KUNIT_CASE(vmcall_keeps_rbp_with_no_rbp_mod),
	KUNIT_CASE(veinfo_without_ve_is_refused),
	KUNIT_CASE(veinfo_tells_once),
	KUNIT_CASE(cpuidve_turns_cpuid_into_ve),
	KUNIT_CASE(cpuidve_has_two_bits),
	KUNIT_CASE(random_tdcalls_do_no_harm),
	{}
};

SWG_SUITE("tdx_sw_tdcall", tdcall_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: TDCALL");
MODULE_LICENSE("GPL");
