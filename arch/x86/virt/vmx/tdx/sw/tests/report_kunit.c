// SPDX-License-Identifier: GPL-2.0
/*
 * RTMRs and reports: TDG.MR.RTMR.EXTEND, .REPORT and .VERIFYREPORT.
 *
 * The expected values do not come from the kernel's SHA-384, but from these lines
 * of Python:
 *
 *	import hashlib, struct
 *	sha = lambda data: hashlib.sha384(data).digest()
 *	show = lambda digest: print(digest.hex())
 *	added = lambda gpa: struct.pack('<16sQ104x', b'MEM.PAGE.ADD', gpa)
 *	mrtd = sha(b''.join(added(0x10000 + i * 4096) for i in range(8)))
 *	once = sha(bytes(48) + bytes(range(48)))
 *	twice = sha(once + bytes(range(48)))
 *	show(once); show(twice)
 *	show(sha(struct.pack('<QQ', 0, 3) + mrtd + bytes(144) + twice + bytes(256)))
 *	show(sha(struct.pack('<Q', 0x8007) + bytes(248)))
 */
#include <linux/string.h>
#include <linux/unaligned.h>

#include "guest.h"

#define DIGEST_SIZE	48
#define DIGEST_WORDS	(DIGEST_SIZE / sizeof(u64))
#define REPORT_SIZE	1024
#define MAC_SIZE	256

static const u64 extended_once[DIGEST_WORDS] = {
	0xfe83f742d1cab5c7, 0x09a0c424729831fb, 0xff9b5bb9748a618f,
	0x0b6ea04fe1fde4d5, 0x46f4040e7fc9587b, 0x2e6badada6c941b0,
};

static const u64 extended_twice[DIGEST_WORDS] = {
	0x80e8e19c7ab39d81, 0xcd4022d3170787b7, 0x2a97d4db30c8fd56,
	0xbcb1b743a1898093, 0x9d6ae5057dd4c947, 0x0739ac4852d8f59d,
};

static const u64 td_info_digest[DIGEST_WORDS] = {
	0xee62c0793bcc5458, 0x08c265859e22c096, 0x57b79d6ac608e342,
	0x7d72fc02f6753f47, 0x6e56751e50b7aa47, 0xb755b31aec7f255f,
};

static const u64 tcb_info_digest[DIGEST_WORDS] = {
	0xc76e8b4e5063a0d8, 0x531ed0aaefd1eee9, 0x0a4eb548261f7ae9,
	0x5e5a1211c0e85e56, 0xc54febfb6945133b, 0x8d11b2a15fcc87d9,
};

/* Offsets in a report */
#define AT_CPUSVN	16
#define AT_TCB_HASH	32
#define AT_TD_HASH	80
#define AT_REPORT_DATA	128
#define AT_MAC		224
#define AT_TCB_INFO	256
#define AT_TD_INFO	512
#define AT_RTMR(i)	(AT_TD_INFO + 208 + (i) * DIGEST_SIZE)

#define FIELD_MRTD	0x1310000300000000ULL	/* its first word */

/* Where things lie in the guest's memory */
#define EXTEND_GPA	DATA_GPA
#define REPORT_GPA	(DATA_GPA + PAGE_SIZE)
#define REPORT_DATA_GPA	(DATA_GPA + 2 * PAGE_SIZE)

static void expect_digest(struct kunit *test, const void *digest, const u64 *want,
			  const char *what)
{
	unsigned int i;

	for (i = 0; i < DIGEST_WORDS; i++)
		KUNIT_EXPECT_EQ_MSG(test, want[i],
				    get_unaligned_be64(digest + i * sizeof(u64)), "%s word %u",
				    what, i);
}

static u64 extend(struct swg *s, u64 gpa, u64 idx)
{
	s->g.gpr[G_RCX] = gpa;
	s->g.gpr[G_RDX] = idx;
	return swg_tdcall(s, T_RTMR_EXTEND);
}

static void fill_extension(struct swg *s)
{
	u8 *byte = swt_va(s->data[0]);
	unsigned int i;

	for (i = 0; i < DIGEST_SIZE; i++)
		byte[i] = i;
}

static u64 report(struct swg *s, u64 gpa, u64 data, u64 subtype)
{
	s->g.gpr[G_RCX] = gpa;
	s->g.gpr[G_RDX] = data;
	s->g.gpr[G_R8] = subtype;
	return swg_tdcall(s, T_REPORT);
}

static u64 verify(struct swg *s, u64 gpa)
{
	s->g.gpr[G_RCX] = gpa;
	return swg_tdcall(s, T_VERIFYREPORT);
}

static u8 *report_page(struct swg *s)
{
	return swt_va(s->data[1]);
}

static u8 *make_report(struct swg *s)
{
	u8 *data = swt_va(s->data[2]);
	unsigned int i;

	for (i = 0; i < 64; i++)
		data[i] = 0xa0 + i;
	memset(report_page(s), 0xee, PAGE_SIZE);
	KUNIT_EXPECT_EQ(s->test, ST_SUCCESS, report(s, REPORT_GPA, REPORT_DATA_GPA, 0));
	swg_expect_done(s, TDCALL_LEN, "REPORT");
	return report_page(s);
}

static void rtmr_is_extended_by_hashing(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int idx;
	u8 *r;

	fill_extension(s);
	for (idx = 0; idx < 4; idx++) {
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, extend(s, EXTEND_GPA, idx));
		swg_expect_done(s, TDCALL_LEN, "RTMR.EXTEND");
		r = make_report(s);
		expect_digest(test, r + AT_RTMR(idx), extended_once, "once");
		if (idx < 3)
			KUNIT_EXPECT_NULL(test, memchr_inv(r + AT_RTMR(idx + 1), 0, DIGEST_SIZE));
	}
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, extend(s, EXTEND_GPA, 2));
	r = make_report(s);
	expect_digest(test, r + AT_RTMR(1), extended_once, "another one");
	expect_digest(test, r + AT_RTMR(2), extended_twice, "twice");
}

static void extend_operands_are_checked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 0; bit < 6; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX,
				extend(s, EXTEND_GPA | BIT_ULL(bit), 0));
	for (bit = tdx_sw_gpa_width() - 1; bit < 64; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, extend(s, BIT_ULL(bit), 0));
	for (bit = 2; bit < 64; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RDX,
				extend(s, EXTEND_GPA, BIT_ULL(bit)));
	KUNIT_EXPECT_NULL(test, memchr_inv(make_report(s) + AT_RTMR(0), 0, 4 * DIGEST_SIZE));
}

static void report_has_the_known_content(struct kunit *test)
{
	static const u8 type[16] = { 0x81 };
	struct swg *s = swg_start(test, NULL);
	unsigned int i;
	u8 *r;

	fill_extension(s);
	extend(s, EXTEND_GPA, 0);
	extend(s, EXTEND_GPA, 0);
	r = make_report(s);
	KUNIT_EXPECT_MEMEQ(test, r, type, sizeof(type));
	expect_digest(test, r + AT_TD_HASH, td_info_digest, "TDINFO");
	expect_digest(test, r + AT_TCB_HASH, tcb_info_digest, "TEE_TCB_INFO");
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, r[AT_REPORT_DATA + i], (u8)(0xa0 + i));
	KUNIT_EXPECT_NULL(test, memchr_inv(r + 192, 0, 32));
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(r + AT_TD_INFO), 0ULL);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(r + AT_TD_INFO + 8), 3ULL);
	expect_digest(test, r + AT_RTMR(0), extended_twice, "RTMR");
	/* Nothing behind it has been written. */
	KUNIT_EXPECT_NULL(test, memchr_inv(r + REPORT_SIZE, 0xee, PAGE_SIZE - REPORT_SIZE));
}

static struct swg *start_with_identifiers(struct kunit *test)
{
	struct swg *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct swt *t = swt_of(test);
	unsigned int i;
	u8 *params;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->t = t;
	s->test = test;
	t->checked = false;
	swt_td_build(t, &s->td, 0, STAGE_UNINITIALIZED);
	params = swt_va(s->td.params);
	*(u64 *)(params + PARAMS_ATTRIBUTES) = BIT_ULL(28);
	memset(params + PARAMS_MRCONFIGID, 0x11, DIGEST_SIZE);
	memset(params + PARAMS_MROWNER, 0x22, DIGEST_SIZE);
	memset(params + PARAMS_MROWNERCONFIG, 0x33, DIGEST_SIZE);
	swt_td_init(t, &s->td);
	for (i = 0; i < 3; i++)
		s->data[i] = swt_add(t, &s->td, DATA_GPA + i * PAGE_SIZE);
	s->vcpu = swt_vcpu_add(t, &s->td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = s->td.tdr));
	t->checked = true;
	swg_run(s);
	return s;
}

static void report_names_the_td(struct kunit *test)
{
	struct swg *s = start_with_identifiers(test);
	u8 *td = make_report(s) + AT_TD_INFO;
	struct tdx_module_args args;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, get_unaligned_le64(td), BIT_ULL(28));
	for (i = 0; i < DIGEST_WORDS; i++) {
		args = (struct tdx_module_args) { .rcx = s->td.tdr, .rdx = FIELD_MRTD + i };
		KUNIT_EXPECT_EQ(test, ST_SUCCESS, swt_call(s->t, L_MNG_RD, &args));
		KUNIT_EXPECT_EQ(test, get_unaligned_le64(td + 16 + i * sizeof(u64)), args.r8);
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(td + 64, 0x11, DIGEST_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(td + 112, 0x22, DIGEST_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(td + 160, 0x33, DIGEST_SIZE));
}

static void report_operands_are_checked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 0; bit < 10; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX,
				report(s, REPORT_GPA | BIT_ULL(bit), REPORT_DATA_GPA, 0));
	for (bit = 0; bit < 6; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RDX,
				report(s, REPORT_GPA, REPORT_DATA_GPA | BIT_ULL(bit), 0));
	for (bit = tdx_sw_gpa_width(); bit < 64; bit++) {
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX,
				report(s, BIT_ULL(bit), REPORT_DATA_GPA, 0));
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RDX,
				report(s, REPORT_GPA, BIT_ULL(bit), 0));
	}
	for (bit = 0; bit < 64; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_R8,
				report(s, REPORT_GPA, REPORT_DATA_GPA, BIT_ULL(bit)));
}

static void report_verifies_and_a_changed_one_does_not(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u8 *r = make_report(s);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, verify(s, REPORT_GPA));
	swg_expect_done(s, TDCALL_LEN, "VERIFYREPORT");
	for (i = 0; i < MAC_SIZE; i++) {
		bool cpusvn = i >= AT_CPUSVN && i < AT_TCB_HASH;

		r[i] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, verify(s, REPORT_GPA),
				    cpusvn ? ST_INVALID_CPUSVN : ST_INVALID_REPORTMACSTRUCT,
				    "byte %u", i);
		r[i] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, verify(s, REPORT_GPA));
	/* What the hashes stand for is not the MAC's business. */
	r[AT_TD_INFO] ^= 1;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, verify(s, REPORT_GPA));
}

static void verify_operand_is_checked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit;

	for (bit = 0; bit < 8; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX,
				verify(s, REPORT_GPA | BIT_ULL(bit)));
	for (bit = tdx_sw_gpa_width() - 1; bit < 64; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, verify(s, BIT_ULL(bit)));
}

static void held_rtmr_lock_is_busy(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct tdx_sw_test_lock lock = { .class = TDX_SW_LOCK_RTMR, .object = s->td.tdr };

	/* As another report does. */
	swt_lock(s->t, &lock);
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_RTMR, extend(s, EXTEND_GPA, 0));
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, report(s, REPORT_GPA, REPORT_DATA_GPA, 0));
	swg_unlock_all(s);

	lock.excl = true;
	swt_lock(s->t, &lock);
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_RTMR, extend(s, EXTEND_GPA, 0));
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_RTMR,
			report(s, REPORT_GPA, REPORT_DATA_GPA, 0));
	swg_unlock_all(s);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, extend(s, EXTEND_GPA, 0));

	/* By request, for which the guest's leaves are part of the entry. */
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_lock(TDX_SW_LOCK_RTMR, L_VP_ENTER, 1, 1));
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_RTMR, extend(s, EXTEND_GPA, 0));
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, extend(s, EXTEND_GPA, 0));
}

static void report_gives_way_to_interrupts(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	memset(report_page(s), 0xee, PAGE_SIZE);
	s->g.gpr[G_RCX] = REPORT_GPA;
	s->g.gpr[G_RDX] = REPORT_DATA_GPA;
	s->g.gpr[G_R8] = 0;
	s->x.interrupted = true;
	swg_vmwrite(s, GUEST_INTERRUPTIBILITY_INFO, GUEST_INTR_STATE_STI);
	KUNIT_EXPECT_EQ(test, swg_tdcall(s, T_REPORT), (u64)T_REPORT);
	KUNIT_EXPECT_FALSE(test, s->x.to_host);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), CODE_RIP);
	/* What it gave way to is let in. */
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO), 0ULL);
	KUNIT_EXPECT_NULL(test, memchr_inv(report_page(s), 0xee, PAGE_SIZE));
}

/* As the guest's own access to it: an EPT violation, and nothing done. */
static void inaccessible_operands_leave_for_the_host(struct kunit *test)
{
	const u64 hole = 0x100000;
	struct swg *s = swg_start(test, NULL);

	extend(s, hole, 0);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "EXTEND");
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 1ULL);
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, hole);
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], (u64)T_RTMR_EXTEND);
	report(s, hole, REPORT_DATA_GPA, 0);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "REPORT");
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 2ULL);
	report(s, REPORT_GPA, hole, 0);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "REPORTDATA");
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 1ULL);
	verify(s, hole);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "VERIFYREPORT");
	s->g.gpr[G_RDX] = hole;
	swg_tdcall(s, T_SYS_RDALL);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "SYS.RDALL");
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 2ULL);
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(rtmr_is_extended_by_hashing),
	KUNIT_CASE(extend_operands_are_checked),
	KUNIT_CASE(report_has_the_known_content),
	KUNIT_CASE(report_names_the_td),
	KUNIT_CASE(report_operands_are_checked),
	KUNIT_CASE(report_verifies_and_a_changed_one_does_not),
	KUNIT_CASE(verify_operand_is_checked),
	KUNIT_CASE(held_rtmr_lock_is_busy),
	KUNIT_CASE(report_gives_way_to_interrupts),
	KUNIT_CASE(inaccessible_operands_leave_for_the_host),
	{}
};

SWG_SUITE("tdx_sw_report", report_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: RTMRs and reports");
MODULE_LICENSE("GPL");
