/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU inside its TD for the suites of the guest side: no CPU runs it, its VMCS
 * is made of memory, and the test makes its exits.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_GUEST_H
#define _X86_VIRT_TDX_SW_TESTS_GUEST_H

#include <asm/vmx.h>

#include "fixture.h"

/* Indices of general registers */
enum {
	G_RAX, G_RCX, G_RDX, G_RBX, G_RSP, G_RBP, G_RSI, G_RDI,
	G_R8, G_R9, G_R10, G_R11, G_R12, G_R13, G_R14, G_R15,
};

enum guest_leaf {
	T_VMCALL = 0, T_INFO = 1, T_RTMR_EXTEND = 2, T_VEINFO_GET = 3, T_REPORT = 4,
	T_CPUIDVE_SET = 5, T_ACCEPT = 6, T_VM_RD = 7, T_VM_WR = 8, T_VP_RD = 9,
	T_VP_WR = 10, T_SYS_RD = 11, T_SYS_RDALL = 12, T_VERIFYREPORT = 22,
	T_ATTR_RD = 23, T_ATTR_WR = 24,
};

/* Statuses that only guests see */
#define ST_NO_VALID_VE_INFO		ST(0xc0000704)
#define ST_PAGE_ALREADY_ACCEPTED	ST(0x00000b0a)
#define ST_PAGE_SIZE_MISMATCH		ST(0xc0000b0b)
#define ST_INVALID_CPUSVN		ST(0xc0001000)
#define ST_INVALID_REPORTMACSTRUCT	ST(0xc0001001)
#define ST_HOST_PRIORITY_BUSY_TIMEOUT	ST(0x90000205)
#define ST_INCOMPATIBLE_SEAM_CAPABILITIES	ST(0xc000050d)
#define OP_RTMR				168

/* Exceptions */
#define XC_UD		6
#define XC_DF		8
#define XC_GP		13
#define XC_PF		14
#define XC_VE		20

#define EV_EXCEPTION(v)		(INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | (v))
#define EV_WITH_CODE(v)		(EV_EXCEPTION(v) | INTR_INFO_DELIVER_CODE_MASK)

#define CODE_RIP	0x401000ULL
#define TDCALL_LEN	4

/* Guest memory that a case may use: private pages, mapped. */
#define DATA_GPA	0x10000ULL
#define DATA_PAGES	8

/* Configuration of the TD beside the default */
struct swg_config {
	u64 attributes;
	u64 config_flags;
	u64 xfam;
};

struct swg {
	struct swt *t;
	struct kunit *test;
	struct swt_td td;
	u64 vcpu;
	u64 data[DATA_PAGES];		/* host physical */
	struct tdx_sw_fake_vmcs vmcs;
	struct tdx_sw_test_guest g;	/* before and after the last exit */
	struct tdx_sw_test_exit x;
};

/* A TD that runs at CPL 0 in 64-bit mode; swg_exit() ends what it began. */
struct swg *swg_start(struct kunit *test, const struct swg_config *config);
/* The second half of it: @s has its TD, runnable, and its vCPU. */
void swg_run(struct swg *s);
void swg_exit(struct kunit *test);

u64 swg_vmread(struct swg *s, u32 field);
void swg_vmwrite(struct swg *s, u32 field, u64 value);

/* Modes other than the one that swg_start() leaves the vCPU in */
void swg_set_cpl(struct swg *s, unsigned int cpl);
void swg_set_64bit(struct swg *s, bool on);

/* The test's locks, while the vCPU inside keeps its own. */
void swg_unlock_all(struct swg *s);

/* One exit; @s->x is what the CPU tells, @s->g the registers. */
void swg_handle(struct swg *s);
/* An exit by an instruction of @len bytes with this qualification. */
void swg_instruction(struct swg *s, u32 reason, u32 len, u64 qual);
/* TDCALL; registers in @s->g but RAX. RAX after it, unless it left for the host. */
u64 swg_tdcall(struct swg *s, u64 rax);

/* The guest goes on behind the instruction, without an event. */
void swg_expect_done(struct swg *s, u32 len, const char *what);
/* The guest takes an event instead of the instruction. */
void swg_expect_event(struct swg *s, u32 event, u32 error, const char *what);
/* The host sees an exit, and the guest's RIP is at the instruction. */
void swg_expect_host(struct swg *s, u64 rax, const char *what);

/* Read and clear what the last #VE was about. */
struct swg_ve {
	u64 reason;
	u64 qual;
	u64 gla;
	u64 gpa;
	u64 instr;
};

u64 swg_veinfo(struct swg *s, struct swg_ve *ve);
/* swg_expect_event() for #VE, with this information. */
void swg_expect_ve(struct swg *s, u32 reason, u64 qual, const char *what);

#define SWG_SUITE(_name, _cases)						\
	static struct kunit_suite _cases##_suite = {				\
		.name = _name,							\
		.suite_init = swt_suite_init,					\
		.init = swt_init,						\
		.exit = swg_exit,						\
		.test_cases = _cases,						\
	};									\
	kunit_test_suite(_cases##_suite)

#endif
