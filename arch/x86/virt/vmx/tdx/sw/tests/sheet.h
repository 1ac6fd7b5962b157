/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The TDX module's interface as the conformance suites know it: numbers and,
 * for each leaf, what it reads, returns, locks and in which states it is legal.
 *
 * Written down from the interface description and apart from the module's own
 * definitions on purpose: with shared numbers a wrong one would go unnoticed.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_SHEET_H
#define _X86_VIRT_TDX_SW_TESTS_SHEET_H

#include <linux/bits.h>
#include <linux/types.h>

enum sheet_leaf_nr {
	L_VP_ENTER		= 0,
	L_MNG_ADDCX		= 1,
	L_MEM_PAGE_ADD		= 2,
	L_MEM_SEPT_ADD		= 3,
	L_VP_ADDCX		= 4,
	L_MEM_PAGE_RELOCATE	= 5,
	L_MEM_PAGE_AUG		= 6,
	L_MEM_RANGE_BLOCK	= 7,
	L_MNG_KEY_CONFIG	= 8,
	L_MNG_CREATE		= 9,
	L_VP_CREATE		= 10,
	L_MNG_RD		= 11,
	L_MEM_RD		= 12,
	L_MNG_WR		= 13,
	L_MEM_WR		= 14,
	L_MEM_PAGE_DEMOTE	= 15,
	L_MR_EXTEND		= 16,
	L_MR_FINALIZE		= 17,
	L_VP_FLUSH		= 18,
	L_MNG_VPFLUSHDONE	= 19,
	L_MNG_KEY_FREEID	= 20,
	L_MNG_INIT		= 21,
	L_VP_INIT		= 22,
	L_MEM_PAGE_PROMOTE	= 23,
	L_PAGE_RDMD		= 24,
	L_MEM_SEPT_RD		= 25,
	L_VP_RD			= 26,
	L_MNG_KEY_RECLAIMID	= 27,
	L_PAGE_RECLAIM		= 28,
	L_MEM_PAGE_REMOVE	= 29,
	L_MEM_SEPT_REMOVE	= 30,
	L_SYS_KEY_CONFIG	= 31,
	L_SYS_INFO		= 32,
	L_SYS_INIT		= 33,
	L_SYS_RD		= 34,
	L_SYS_LP_INIT		= 35,
	L_SYS_TDMR_INIT		= 36,
	L_SYS_RDALL		= 37,
	L_MEM_TRACK		= 38,
	L_MEM_RANGE_UNBLOCK	= 39,
	L_CACHE_WB		= 40,
	L_PAGE_WBINVD		= 41,
	L_VP_WR			= 43,
	L_SYS_LP_SHUTDOWN	= 44,
	L_SYS_CONFIG		= 45,
	L_SYS_SHUTDOWN		= 52,
	L_SYS_UPDATE		= 53,
};

#define L_V1(leaf)		((leaf) | 1 << 16)
#define L_NR(leaf)		((leaf) & 0xffff)
#define L_VERSION(leaf)		(((leaf) >> 16) & 0xff)

/* Status codes: high dword; the low one names an operand or holds a detail. */
#define ST(high)			((u64)(high) << 32)
#define ST_CODE(status)			((status) & GENMASK_ULL(63, 32))
#define ST_IS_ERROR(status)		((status) >> 63)

#define ST_SUCCESS			0ULL
#define ST_INTERRUPTED_RESUMABLE	ST(0x80000003)
#define ST_INTERRUPTED_RESTARTABLE	ST(0x80000004)
#define ST_OPERAND_INVALID		ST(0xc0000100)
#define ST_OPERAND_ADDR_RANGE_ERROR	ST(0xc0000101)
#define ST_OPERAND_BUSY			ST(0x80000200)
#define ST_PREVIOUS_TLB_EPOCH_BUSY	ST(0x80000201)
#define ST_SYS_BUSY			ST(0x80000202)
#define ST_RND_NO_ENTROPY		ST(0x80000203)
#define ST_PAGE_METADATA_INCORRECT	ST(0xc0000300)
#define ST_TD_ASSOCIATED_PAGES_EXIST	ST(0xc0000400)
#define ST_SYS_INIT_NOT_PENDING		ST(0xc0000500)
#define ST_SYS_LP_INIT_NOT_DONE		ST(0xc0000502)
#define ST_SYS_LP_INIT_DONE		ST(0xc0000503)
#define ST_SYS_NOT_READY		ST(0xc0000505)
#define ST_SYS_SHUTDOWN			ST(0xc0000506)
#define ST_SYS_KEY_CONFIG_NOT_PENDING	ST(0xc0000507)
#define ST_SYS_STATE_INCORRECT		ST(0xc0000508)
#define ST_SYS_INVALID_HANDOFF		ST(0xc0000509)
#define ST_SYS_LP_INIT_NOT_PENDING	ST(0xc000050b)
#define ST_SYS_CONFIG_NOT_PENDING	ST(0xc000050c)
#define ST_TD_FATAL			ST(0xe0000604)
#define ST_TD_NON_DEBUG			ST(0xc0000605)
#define ST_TDCS_NOT_ALLOCATED		ST(0xc0000606)
#define ST_LIFECYCLE_STATE_INCORRECT	ST(0xc0000607)
#define ST_OP_STATE_INCORRECT		ST(0xc0000608)
#define ST_NO_VCPUS			ST(0xc0000609)
#define ST_TDCX_NUM_INCORRECT		ST(0xc0000610)
#define ST_X2APIC_ID_NOT_UNIQUE		ST(0xc0000621)
#define ST_VCPU_STATE_INCORRECT		ST(0xc0000700)
#define ST_VCPU_ASSOCIATED		ST(0x80000701)
#define ST_VCPU_NOT_ASSOCIATED		ST(0x80000702)
#define ST_MAX_VCPUS_EXCEEDED		ST(0xc0000705)
#define ST_TSC_ROLLBACK			ST(0xc0000706)
#define ST_TD_VMCS_FIELD_NOT_INITIALIZED ST(0xc0000730)
#define ST_TD_KEYS_NOT_CONFIGURED	ST(0x80000810)
#define ST_KEY_CONFIGURED		ST(0x00000815)
#define ST_WBCACHE_NOT_COMPLETE		ST(0x80000817)
#define ST_HKID_NOT_FREE		ST(0xc0000820)
#define ST_NO_HKID_READY_TO_WBCACHE	ST(0x00000821)
#define ST_WBCACHE_RESUME_ERROR		ST(0xc0000823)
#define ST_FLUSHVP_NOT_DONE		ST(0x80000824)
#define ST_LIMIT_CPUID_MAXVAL_SET	ST(0xc0000901)
#define ST_CPUID_LEAF_1F_FORMAT		ST(0xc0000904)
#define ST_INCONSISTENT_MSR		ST(0xc0000920)
#define ST_INCORRECT_MSR_VALUE		ST(0xc0000921)
#define ST_INVALID_TDMR			ST(0xc0000a00)
#define ST_NON_ORDERED_TDMR		ST(0xc0000a01)
#define ST_TDMR_OUTSIDE_CMRS		ST(0xc0000a02)
#define ST_TDMR_ALREADY_INITIALIZED	ST(0x00000a03)
#define ST_INVALID_PAMT			ST(0xc0000a10)
#define ST_PAMT_OUTSIDE_CMRS		ST(0xc0000a11)
#define ST_PAMT_OVERLAP			ST(0xc0000a12)
#define ST_INVALID_RESERVED_IN_TDMR	ST(0xc0000a20)
#define ST_NON_ORDERED_RESERVED_IN_TDMR	ST(0xc0000a21)
#define ST_EPT_WALK_FAILED		ST(0xc0000b00)
#define ST_EPT_ENTRY_NOT_PRESENT	ST(0xc0000b03)
#define ST_GPA_RANGE_NOT_BLOCKED	ST(0xc0000b06)
#define ST_GPA_RANGE_ALREADY_BLOCKED	ST(0x00000b07)
#define ST_TLB_TRACKING_NOT_DONE	ST(0xc0000b08)
#define ST_EPT_INVALID_PROMOTE_CONDITIONS ST(0xc0000b09)
#define ST_EPT_ENTRY_STATE_INCORRECT	ST(0xc0000b0d)
#define ST_EPT_PAGE_NOT_FREE		ST(0xc0000b0e)
#define ST_METADATA_FIELD_ID_INCORRECT	ST(0xc0000c00)
#define ST_METADATA_FIELD_NOT_WRITABLE	ST(0xc0000c01)
#define ST_METADATA_FIELD_NOT_READABLE	ST(0xc0000c02)
#define ST_METADATA_FIELD_VALUE_NOT_VALID ST(0xc0000c03)
#define ST_METADATA_WR_MASK_NOT_VALID	ST(0xc0000c0a)
#define ST_METADATA_FIRST_FIELD_ID	ST(0x00000c0b)

/* The interface description names no operand: any low dword will do. */
#define ST_ANY_DETAIL			0xffffffffULL

enum sheet_operand {
	OP_RAX = 0, OP_RCX = 1, OP_RDX = 2, OP_R8 = 8, OP_R9 = 9, OP_R10 = 10, OP_R11 = 11,
	OP_ATTRIBUTES = 64, OP_XFAM = 65, OP_CONFIG_FLAGS = 66, OP_EPTP_CONTROLS = 67,
	OP_MAX_VCPUS = 68, OP_CPUID_CONFIG = 69, OP_TSC_FREQUENCY = 70, OP_NUM_L2_VMS = 71,
	OP_ARCH_CAP = 72, OP_TDR = 128, OP_SEPT_TREE = 146, OP_TD_EPOCH = 169,
	OP_OP_STATE = 172, OP_KOT = 186, OP_KET = 187, OP_WBCACHE = 188,
};

enum sheet_page_type {
	PT_NDA = 0, PT_RSVD = 1, PT_REG = 3, PT_TDR = 4, PT_TDCX = 5, PT_TDVPR = 6, PT_EPT = 8,
};

enum sheet_sys_state {
	SYS_INIT_PENDING, SYS_INIT_DONE, SYS_CONFIG_DONE, SYS_IS_READY, SYS_IS_SHUTDOWN,
};

enum sheet_lifecycle {
	LC_HKID_ASSIGNED, LC_KEYS_CONFIGURED, LC_BLOCKED, LC_TEARDOWN,
};

enum sheet_op_state {
	OS_UNINITIALIZED, OS_INITIALIZED, OS_RUNNABLE, OS_LIVE_EXPORT, OS_PAUSED_EXPORT,
	OS_POST_EXPORT, OS_MEMORY_IMPORT, OS_STATE_IMPORT, OS_POST_IMPORT, OS_LIVE_IMPORT,
	OS_FAILED_IMPORT,
};

enum sheet_vcpu_state {
	VS_UNINITIALIZED = 0, VS_READY = 2, VS_ACTIVE = 4, VS_DISABLED = 8,
};

enum sheet_kot_state {
	KOT_FREE, KOT_ASSIGNED, KOT_FLUSHED, KOT_RESERVED,
};

enum sheet_sept_state {
	SE_FREE = 0, SE_BLOCKED = 1, SE_PENDING = 2, SE_PENDING_BLOCKED = 3, SE_MAPPED = 4,
	SE_NL_BLOCKED = 0x81, SE_NL_MAPPED = 0x84,
};

#define SE_TABLE		BIT(7)

#define MIN_TDCX		6
#define MAX_TDCX		9
#define MIN_TDVPS		6
#define MAX_TDVPS		15
#define NO_LP			(~0U)

/* Registers of struct tdx_module_args */
enum sheet_reg {
	R_RCX = BIT(0), R_RDX = BIT(1), R_R8 = BIT(2), R_R9 = BIT(3), R_R10 = BIT(4),
	R_R11 = BIT(5), R_R12 = BIT(6), R_R13 = BIT(7), R_R14 = BIT(8), R_R15 = BIT(9),
	R_RBX = BIT(10), R_RDI = BIT(11), R_RSI = BIT(12),
};

#define NR_REGS			13

enum sheet_lock_mode {
	LM_NONE, LM_SHARED, LM_EXCL,
};

/* How a leaf finds its TD. */
enum sheet_td_operand {
	TD_IN_NONE,
	TD_IN_RCX,		/* TDR in RCX */
	TD_IN_RDX,		/* TDR in RDX */
	TD_OF_RCX,		/* TDVPR in RCX */
	TD_OF_RDX,		/* TDVPR in RDX */
};

#define LF_ANY_SYS_STATE	BIT(0)	/* legal before the module is ready */
#define LF_NEEDS_TDCS		BIT(1)	/* full check of the TD's state */
#define LF_SEPT			BIT(2)	/* RCX and RDX are extended error outputs */
#define LF_SEPT_ENTRY		BIT(3)	/* locks the entry it addresses */

struct sheet_leaf {
	u16 nr;
	u8 max_version;
	u8 flags;
	u8 td;			/* enum sheet_td_operand */
	u8 tdr;			/* enum sheet_lock_mode, as the next three */
	u8 vcpu;
	u8 op_state;
	u8 tree;
	u16 in;
	u16 out;
	u16 in_v1;		/* in addition */
	u16 out_v1;
	u16 zero;		/* outputs that are 0 before anything is checked, */
	u16 ones_v1;		/* or all ones, of version 1 */
	u16 op_states;		/* BIT(OS_...); 0 = does not matter */
	const char *name;
};

/* Row of a leaf; NULL if the module has none. */
const struct sheet_leaf *sheet_leaf(unsigned int nr);
const struct sheet_leaf *sheet_leaf_at(unsigned int idx);

/* What the host is shown of an S-EPT entry. */
u64 sheet_entry(u8 state, u64 hpa);

static inline u64 sheet_level_state(unsigned int level, u8 state)
{
	return level | (u64)state << 8;
}

#define PARTS			512	/* of a page or table of the next level */

static inline u64 sheet_level_size(unsigned int level)
{
	return 1ULL << (12 + 9 * level);
}

#endif
