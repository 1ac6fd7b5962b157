/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a TD guest can ask for: TDCALL leaves of the TDX module, TDVMCALLs of
 * the VMM, their numbers, layouts and answers.  For code that runs in a TD.
 *
 * Not here: building and running the TD (tdx.h, tdx_guest.h).
 */
#ifndef SELFTEST_KVM_TDX_TDCALL_H
#define SELFTEST_KVM_TDX_TDCALL_H

/* Offsets in struct tdcall_regs, for tdx_guest_asm.S. */
#define TDCALL_REGS_RCX		0
#define TDCALL_REGS_RDX		8
#define TDCALL_REGS_RBX		16
#define TDCALL_REGS_RSI		24
#define TDCALL_REGS_RDI		32
#define TDCALL_REGS_R8		40
#define TDCALL_REGS_R9		48
#define TDCALL_REGS_R10		56
#define TDCALL_REGS_R11		64
#define TDCALL_REGS_R12		72
#define TDCALL_REGS_R13		80
#define TDCALL_REGS_R14		88
#define TDCALL_REGS_R15		96

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bits.h>
#include <linux/build_bug.h>

/* TDCALL leaves. */
#define TDG_VP_VMCALL			0
#define TDG_VP_INFO			1
#define TDG_MR_RTMR_EXTEND		2
#define TDG_VP_VEINFO_GET		3
#define TDG_MR_REPORT			4
#define TDG_VP_CPUIDVE_SET		5
#define TDG_MEM_PAGE_ACCEPT		6
#define TDG_VM_RD			7
#define TDG_VM_WR			8
#define TDG_VP_RD			9
#define TDG_VP_WR			10
#define TDG_SYS_RD			11
#define TDG_SYS_RDALL			12
#define TDG_MR_VERIFYREPORT		22
#define TDG_MEM_PAGE_ATTR_RD		23
#define TDG_MEM_PAGE_ATTR_WR		24
#define TDG_NR_LEAVES			28

/* Completion status in RAX: what happened in the high half, the operand below. */
#define TDCALL_STATUS(rax)		((uint32_t)((rax) >> 32))
#define TDCALL_DETAIL(rax)		((uint32_t)(rax))
#define TDCALL_SUCCESS			0
#define TDCALL_OPERAND_INVALID		0xc0000100
#define TDCALL_OPERAND_BUSY		0x80000200
#define TDCALL_NO_VALID_VE_INFO		0xc0000704
#define TDCALL_PAGE_ALREADY_ACCEPTED	0x00000b0a
#define TDCALL_PAGE_SIZE_MISMATCH	0xc0000b0b
#define TDCALL_FIELD_ID_INCORRECT	0xc0000c00
#define TDCALL_FIELD_NOT_WRITABLE	0xc0000c01
#define TDCALL_FIELD_NOT_READABLE	0xc0000c02
#define TDCALL_INVALID_CPUSVN		0xc0001000
#define TDCALL_INVALID_REPORTMAC	0xc0001001

/* Operand ids, the low half of a status. */
#define TDCALL_ID_RAX			0
#define TDCALL_ID_RCX			1
#define TDCALL_ID_RDX			2
#define TDCALL_ID_R8			8
#define TDCALL_ERROR(_status, _id)	((uint64_t)(_status) << 32 | (_id))

/* Metadata fields: class and code, which is all that single accesses look at. */
#define TDX_FIELD_TD_ATTRIBUTES		0x1100000000000000ull
#define TDX_FIELD_TD_XFAM		0x1100000000000001ull
#define TDX_FIELD_TD_MAX_VCPUS		0x1100000000000002ull
#define TDX_FIELD_TD_GPAW		0x1100000000000003ull
#define TDX_FIELD_TD_CTLS		0x1100000000000017ull
#define TDX_TD_CTL_ENUM_TOPOLOGY	BIT_ULL(1)
#define TDX_FIELD_TD_MRTD		0x1300000000000000ull
#define TDX_FIELD_TD_MRCONFIGID		0x1300000000000010ull
#define TDX_FIELD_TD_NUM_VCPUS		0x9000000000000001ull
#define TDX_FIELD_TD_NOTIFY_ENABLES	0x9100000000000010ull
#define TDX_FIELD_SYS_VENDOR_ID		0x0800000000000000ull
#define TDX_VENDOR_INTEL		0x8086

/* TDVMCALL sub-functions, R11 with R10 = 0. */
#define TDVMCALL_CPUID			10
#define TDVMCALL_HLT			12
#define TDVMCALL_IO			30
#define TDVMCALL_RDMSR			31
#define TDVMCALL_WRMSR			32
#define TDVMCALL_MMIO			48
#define TDVMCALL_INFO			0x10000
#define TDVMCALL_MAP_GPA		0x10001
#define TDVMCALL_GET_QUOTE		0x10002
#define TDVMCALL_FATAL_ERROR		0x10003
#define TDVMCALL_EVENT_NOTIFY		0x10004
#define TDVMCALL_SERVICE		0x10005

/* TDVMCALL answers, R10. */
#define TDVMCALL_SUCCESS		0ull
#define TDVMCALL_RETRY			1ull
#define TDVMCALL_INVALID_OPERAND	BIT_ULL(63)
#define TDVMCALL_ALIGN_ERROR		(BIT_ULL(63) | 2)
#define TDVMCALL_SUBFUNC_UNSUPPORTED	(BIT_ULL(63) | 3)

/* All that a TDVMCALL may pass: RDX, RBX, RSI, RDI, R8 to R15. */
#define TDVMCALL_ALL_REGS		0xffcc

/* Exit reasons as #VE and TDVMCALL know them; the sub-functions are the same. */
#define TDX_VE_CPUID			TDVMCALL_CPUID
#define TDX_VE_HLT			TDVMCALL_HLT
#define TDX_VE_VMCALL			18
#define TDX_VE_CR_ACCESS		28
#define TDX_VE_IO			TDVMCALL_IO
#define TDX_VE_RDMSR			TDVMCALL_RDMSR
#define TDX_VE_WRMSR			TDVMCALL_WRMSR
#define TDX_VE_EPT_VIOLATION		TDVMCALL_MMIO

#define TDX_VE_VECTOR			20

#define TDX_PAGE_4K			0ull
#define TDX_PAGE_2M			1ull

#define TDX_REPORTDATA_SIZE		64
#define TDX_RTMR_SIZE			48
#define TDX_NR_RTMRS			4

struct tdcall_regs {
	uint64_t rcx, rdx, rbx, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

#define CHECK_TDCALL_REG(reg, off) \
	static_assert(offsetof(struct tdcall_regs, reg) == (off), #reg)
CHECK_TDCALL_REG(rcx, TDCALL_REGS_RCX);
CHECK_TDCALL_REG(rbx, TDCALL_REGS_RBX);
CHECK_TDCALL_REG(rdi, TDCALL_REGS_RDI);
CHECK_TDCALL_REG(r8, TDCALL_REGS_R8);
CHECK_TDCALL_REG(r15, TDCALL_REGS_R15);

struct tdx_ve_info {
	uint64_t exit_reason;
	uint64_t qualification;
	uint64_t gla;
	uint64_t gpa;
	uint32_t insn_len;
	uint32_t insn_info;
};

struct tdx_report_mac {
	uint8_t type, subtype, version, reserved0;
	uint8_t reserved1[12];
	uint8_t cpusvn[16];
	uint8_t tee_tcb_info_hash[48];
	uint8_t td_info_hash[48];
	uint8_t reportdata[TDX_REPORTDATA_SIZE];
	uint8_t reserved2[32];
	uint8_t mac[32];
};

struct tdx_td_info {
	uint64_t attributes, xfam;
	uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48];
	uint8_t rtmr[TDX_NR_RTMRS][TDX_RTMR_SIZE];
	uint8_t servtd_hash[48];
	uint8_t reserved[64];
};

struct tdx_report {
	struct tdx_report_mac mac;
	uint8_t tee_tcb_info[256];
	struct tdx_td_info td_info;
};

#define TDX_REPORT_TYPE_TDX	0x81

static_assert(sizeof(struct tdx_report_mac) == 256, "REPORTMACSTRUCT");
static_assert(sizeof(struct tdx_td_info) == 512, "TDINFO");
static_assert(sizeof(struct tdx_report) == 1024, "TDREPORT");

#endif /* __ASSEMBLER__ */
#endif /* SELFTEST_KVM_TDX_TDCALL_H */
