/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The TDX module's binary interface as numbers: leaves, completion status,
 * operand ids, page types, states, memory layouts.  No code.
 *
 * Apart from the definitions that the host side of Linux keeps on purpose: a
 * module that shares its constants with its caller cannot notice a wrong one.
 */
#ifndef _X86_VIRT_TDX_SW_ABI_H
#define _X86_VIRT_TDX_SW_ABI_H

#include <linux/bits.h>
#include <linux/types.h>

/* RAX on entry */
#define SEAM_LEAF_MASK		GENMASK_ULL(15, 0)
#define SEAM_VERSION_SHIFT	16
#define SEAM_VERSION_MASK	GENMASK_ULL(23, 16)
#define SEAM_SEAMLDR		BIT_ULL(63)

/* Host leaves */
enum tdx_sw_leaf_nr {
	TDH_VP_ENTER		= 0,
	TDH_MNG_ADDCX		= 1,
	TDH_MEM_PAGE_ADD	= 2,
	TDH_MEM_SEPT_ADD	= 3,
	TDH_VP_ADDCX		= 4,
	TDH_MEM_PAGE_RELOCATE	= 5,
	TDH_MEM_PAGE_AUG	= 6,
	TDH_MEM_RANGE_BLOCK	= 7,
	TDH_MNG_KEY_CONFIG	= 8,
	TDH_MNG_CREATE		= 9,
	TDH_VP_CREATE		= 10,
	TDH_MNG_RD		= 11,
	TDH_MEM_RD		= 12,
	TDH_MNG_WR		= 13,
	TDH_MEM_WR		= 14,
	TDH_MEM_PAGE_DEMOTE	= 15,
	TDH_MR_EXTEND		= 16,
	TDH_MR_FINALIZE		= 17,
	TDH_VP_FLUSH		= 18,
	TDH_MNG_VPFLUSHDONE	= 19,
	TDH_MNG_KEY_FREEID	= 20,
	TDH_MNG_INIT		= 21,
	TDH_VP_INIT		= 22,
	TDH_MEM_PAGE_PROMOTE	= 23,
	TDH_PHYMEM_PAGE_RDMD	= 24,
	TDH_MEM_SEPT_RD		= 25,
	TDH_VP_RD		= 26,
	TDH_MNG_KEY_RECLAIMID	= 27,
	TDH_PHYMEM_PAGE_RECLAIM	= 28,
	TDH_MEM_PAGE_REMOVE	= 29,
	TDH_MEM_SEPT_REMOVE	= 30,
	TDH_SYS_KEY_CONFIG	= 31,
	TDH_SYS_INFO		= 32,
	TDH_SYS_INIT		= 33,
	TDH_SYS_RD		= 34,
	TDH_SYS_LP_INIT		= 35,
	TDH_SYS_TDMR_INIT	= 36,
	TDH_SYS_RDALL		= 37,
	TDH_MEM_TRACK		= 38,
	TDH_MEM_RANGE_UNBLOCK	= 39,
	TDH_PHYMEM_CACHE_WB	= 40,
	TDH_PHYMEM_PAGE_WBINVD	= 41,
	TDH_VP_WR		= 43,
	TDH_SYS_LP_SHUTDOWN	= 44,
	TDH_SYS_CONFIG		= 45,
	TDH_SYS_SHUTDOWN	= 52,
	TDH_SYS_UPDATE		= 53,
	TDH_SYS_DISABLE		= 69,
};

/* Guest leaves */
enum tdx_sw_guest_leaf_nr {
	SEAM_TDG_VP_VMCALL		= 0,
	SEAM_TDG_VP_INFO		= 1,
	SEAM_TDG_MR_RTMR_EXTEND		= 2,
	SEAM_TDG_VP_VEINFO_GET		= 3,
	SEAM_TDG_MR_REPORT		= 4,
	SEAM_TDG_VP_CPUIDVE_SET		= 5,
	SEAM_TDG_MEM_PAGE_ACCEPT	= 6,
	SEAM_TDG_VM_RD			= 7,
	SEAM_TDG_VM_WR			= 8,
	SEAM_TDG_VP_RD			= 9,
	SEAM_TDG_VP_WR			= 10,
	SEAM_TDG_SYS_RD			= 11,
	SEAM_TDG_SYS_RDALL		= 12,
	SEAM_TDG_MR_VERIFYREPORT	= 22,
	SEAM_TDG_MEM_PAGE_ATTR_RD	= 23,
	SEAM_TDG_MEM_PAGE_ATTR_WR	= 24,
};

/* Completion status; the low dword holds an operand id or another detail. */
#define SEAM_STATUS(hi)		((u64)(hi) << 32)
#define SEAM_CODE_MASK		GENMASK_ULL(63, 32)
#define SEAM_ERROR		BIT_ULL(63)

#define SEAM_HOST_RECOVERABILITY_HINT	BIT_ULL(60)

#define SEAM_SUCCESS			0ULL
#define SEAM_NON_RECOVERABLE_VCPU	SEAM_STATUS(0x40000001)
#define SEAM_NON_RECOVERABLE_TD		SEAM_STATUS(0x60000002)
#define SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE SEAM_STATUS(0x60000005)
#define SEAM_NON_RECOVERABLE_TD_CORRUPTED_MD SEAM_STATUS(0x6000000a)
#define SEAM_INTERRUPTED_RESUMABLE	SEAM_STATUS(0x80000003)
#define SEAM_INTERRUPTED_RESTARTABLE	SEAM_STATUS(0x80000004)
#define SEAM_OPERAND_INVALID		SEAM_STATUS(0xc0000100)
#define SEAM_OPERAND_ADDR_RANGE_ERROR	SEAM_STATUS(0xc0000101)
#define SEAM_OPERAND_BUSY		SEAM_STATUS(0x80000200)
#define SEAM_PREVIOUS_TLB_EPOCH_BUSY	SEAM_STATUS(0x80000201)
#define SEAM_SYS_BUSY			SEAM_STATUS(0x80000202)
#define SEAM_RND_NO_ENTROPY		SEAM_STATUS(0x80000203)
#define SEAM_OPERAND_BUSY_HOST_PRIORITY	SEAM_STATUS(0x80000204)
#define SEAM_HOST_PRIORITY_BUSY_TIMEOUT	SEAM_STATUS(0x90000205)
#define SEAM_PAGE_METADATA_INCORRECT	SEAM_STATUS(0xc0000300)
#define SEAM_TD_ASSOCIATED_PAGES_EXIST	SEAM_STATUS(0xc0000400)
#define SEAM_SYS_INIT_NOT_PENDING	SEAM_STATUS(0xc0000500)
#define SEAM_SYS_LP_INIT_NOT_DONE	SEAM_STATUS(0xc0000502)
#define SEAM_SYS_LP_INIT_DONE		SEAM_STATUS(0xc0000503)
#define SEAM_SYS_NOT_READY		SEAM_STATUS(0xc0000505)
#define SEAM_SYS_SHUTDOWN		SEAM_STATUS(0xc0000506)
#define SEAM_SYS_KEY_CONFIG_NOT_PENDING	SEAM_STATUS(0xc0000507)
#define SEAM_SYS_STATE_INCORRECT	SEAM_STATUS(0xc0000508)
#define SEAM_SYS_INVALID_HANDOFF	SEAM_STATUS(0xc0000509)
#define SEAM_SYS_LP_INIT_NOT_PENDING	SEAM_STATUS(0xc000050b)
#define SEAM_SYS_CONFIG_NOT_PENDING	SEAM_STATUS(0xc000050c)
#define SEAM_INCOMPATIBLE_SEAM_CAPABILITIES SEAM_STATUS(0xc000050d)
#define SEAM_CRYPTO_SELF_TEST_FAILED	SEAM_STATUS(0xc0000511)
#define SEAM_TD_FATAL			SEAM_STATUS(0xe0000604)
#define SEAM_TD_NON_DEBUG		SEAM_STATUS(0xc0000605)
#define SEAM_TDCS_NOT_ALLOCATED		SEAM_STATUS(0xc0000606)
#define SEAM_LIFECYCLE_STATE_INCORRECT	SEAM_STATUS(0xc0000607)
#define SEAM_OP_STATE_INCORRECT		SEAM_STATUS(0xc0000608)
#define SEAM_NO_VCPUS			SEAM_STATUS(0xc0000609)
#define SEAM_TDCX_NUM_INCORRECT		SEAM_STATUS(0xc0000610)
#define SEAM_X2APIC_ID_NOT_UNIQUE	SEAM_STATUS(0xc0000621)
#define SEAM_VCPU_STATE_INCORRECT	SEAM_STATUS(0xc0000700)
#define SEAM_VCPU_ASSOCIATED		SEAM_STATUS(0x80000701)
#define SEAM_VCPU_NOT_ASSOCIATED	SEAM_STATUS(0x80000702)
#define SEAM_NO_VALID_VE_INFO		SEAM_STATUS(0xc0000704)
#define SEAM_MAX_VCPUS_EXCEEDED		SEAM_STATUS(0xc0000705)
#define SEAM_TSC_ROLLBACK		SEAM_STATUS(0xc0000706)
#define SEAM_TD_VMCS_FIELD_NOT_INITIALIZED SEAM_STATUS(0xc0000730)
#define SEAM_KEY_GENERATION_FAILED	SEAM_STATUS(0x80000800)
#define SEAM_TD_KEYS_NOT_CONFIGURED	SEAM_STATUS(0x80000810)
#define SEAM_KEY_STATE_INCORRECT	SEAM_STATUS(0xc0000811)
#define SEAM_KEY_CONFIGURED		SEAM_STATUS(0x00000815)
#define SEAM_WBCACHE_NOT_COMPLETE	SEAM_STATUS(0x80000817)
#define SEAM_HKID_NOT_FREE		SEAM_STATUS(0xc0000820)
#define SEAM_NO_HKID_READY_TO_WBCACHE	SEAM_STATUS(0x00000821)
#define SEAM_WBCACHE_RESUME_ERROR	SEAM_STATUS(0xc0000823)
#define SEAM_FLUSHVP_NOT_DONE		SEAM_STATUS(0x80000824)
#define SEAM_LIMIT_CPUID_MAXVAL_SET	SEAM_STATUS(0xc0000901)
#define SEAM_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED SEAM_STATUS(0xc0000904)
#define SEAM_INCONSISTENT_MSR		SEAM_STATUS(0xc0000920)
#define SEAM_INCORRECT_MSR_VALUE	SEAM_STATUS(0xc0000921)
#define SEAM_INVALID_TDMR		SEAM_STATUS(0xc0000a00)
#define SEAM_NON_ORDERED_TDMR		SEAM_STATUS(0xc0000a01)
#define SEAM_TDMR_OUTSIDE_CMRS		SEAM_STATUS(0xc0000a02)
#define SEAM_TDMR_ALREADY_INITIALIZED	SEAM_STATUS(0x00000a03)
#define SEAM_INVALID_PAMT		SEAM_STATUS(0xc0000a10)
#define SEAM_PAMT_OUTSIDE_CMRS		SEAM_STATUS(0xc0000a11)
#define SEAM_PAMT_OVERLAP		SEAM_STATUS(0xc0000a12)
#define SEAM_INVALID_RESERVED_IN_TDMR	SEAM_STATUS(0xc0000a20)
#define SEAM_NON_ORDERED_RESERVED_IN_TDMR SEAM_STATUS(0xc0000a21)
#define SEAM_EPT_WALK_FAILED		SEAM_STATUS(0xc0000b00)
#define SEAM_EPT_ENTRY_NOT_PRESENT	SEAM_STATUS(0xc0000b03)
#define SEAM_GPA_RANGE_NOT_BLOCKED	SEAM_STATUS(0xc0000b06)
#define SEAM_GPA_RANGE_ALREADY_BLOCKED	SEAM_STATUS(0x00000b07)
#define SEAM_TLB_TRACKING_NOT_DONE	SEAM_STATUS(0xc0000b08)
#define SEAM_EPT_INVALID_PROMOTE_CONDITIONS SEAM_STATUS(0xc0000b09)
#define SEAM_PAGE_ALREADY_ACCEPTED	SEAM_STATUS(0x00000b0a)
#define SEAM_PAGE_SIZE_MISMATCH		SEAM_STATUS(0xc0000b0b)
#define SEAM_EPT_ENTRY_STATE_INCORRECT	SEAM_STATUS(0xc0000b0d)
#define SEAM_EPT_PAGE_NOT_FREE		SEAM_STATUS(0xc0000b0e)
#define SEAM_FIELD_ID_INCORRECT		SEAM_STATUS(0xc0000c00)
#define SEAM_FIELD_NOT_WRITABLE		SEAM_STATUS(0xc0000c01)
#define SEAM_FIELD_NOT_READABLE		SEAM_STATUS(0xc0000c02)
#define SEAM_FIELD_VALUE_NOT_VALID	SEAM_STATUS(0xc0000c03)
#define SEAM_WR_MASK_NOT_VALID		SEAM_STATUS(0xc0000c0a)
#define SEAM_FIRST_FIELD_ID_IN_CONTEXT	SEAM_STATUS(0x00000c0b)
#define SEAM_INVALID_CPUSVN		SEAM_STATUS(0xc0001000)
#define SEAM_INVALID_REPORTMACSTRUCT	SEAM_STATUS(0xc0001001)

/* What a SEAMCALL that never reaches the module looks like to the host. */
#define SEAM_SW_ERROR			(SEAM_ERROR | GENMASK_ULL(47, 40))
#define SEAM_VMFAILINVALID		(SEAM_SW_ERROR | 0xffff0000ULL)

/* Operand ids */
enum tdx_sw_operand {
	OPERAND_RAX		= 0,
	OPERAND_RCX		= 1,
	OPERAND_RDX		= 2,
	OPERAND_R8		= 8,
	OPERAND_R9		= 9,
	OPERAND_R10		= 10,
	OPERAND_R11		= 11,
	OPERAND_ATTRIBUTES	= 64,
	OPERAND_XFAM		= 65,
	OPERAND_EXEC_CONTROLS	= 66,
	OPERAND_EPTP_CONTROLS	= 67,
	OPERAND_MAX_VCPUS	= 68,
	OPERAND_CPUID_CONFIG	= 69,
	OPERAND_TSC_FREQUENCY	= 70,
	OPERAND_NUM_L2_VMS	= 71,
	OPERAND_ARCH_CAP	= 72,
	OPERAND_TDR		= 128,
	OPERAND_SEPT_TREE	= 146,
	OPERAND_RTMR		= 168,
	OPERAND_TD_EPOCH	= 169,
	OPERAND_OP_STATE	= 172,
	OPERAND_KOT		= 186,
	OPERAND_KET		= 187,
	OPERAND_WBCACHE		= 188,
};

/* Page types in the PAMT */
enum tdx_sw_page_type {
	PT_NDA		= 0,
	PT_RSVD		= 1,
	PT_REG		= 3,
	PT_TDR		= 4,
	PT_TDCX		= 5,
	PT_TDVPR	= 6,
	PT_EPT		= 8,
};

enum tdx_sw_sys_state {
	SYSINIT_PENDING, SYSINIT_DONE, SYSCONFIG_DONE, SYS_READY, SYS_SHUTDOWN,
};

enum tdx_sw_lifecycle {
	TD_HKID_ASSIGNED, TD_KEYS_CONFIGURED, TD_BLOCKED, TD_TEARDOWN,
};

enum tdx_sw_op_state {
	OP_UNINITIALIZED, OP_INITIALIZED, OP_RUNNABLE, OP_LIVE_EXPORT, OP_PAUSED_EXPORT,
	OP_POST_EXPORT, OP_MEMORY_IMPORT, OP_STATE_IMPORT, OP_POST_IMPORT, OP_LIVE_IMPORT,
	OP_FAILED_IMPORT,
};

enum tdx_sw_vcpu_state {
	VCPU_UNINITIALIZED = 0, VCPU_READY = 2, VCPU_ACTIVE = 4, VCPU_DISABLED = 8,
};

enum tdx_sw_hkid_state {
	HKID_FREE, HKID_ASSIGNED, HKID_FLUSHED, HKID_RESERVED,
};

/* Levels: the unit of page sizes and of S-EPT entries */
#define SEAM_4K		0
#define SEAM_2M		1
#define SEAM_1G		2
#define SEAM_512G	3
#define SEAM_NR_SIZES	3

#define SEAM_MAXPA		52
#define SEAM_NR_CMRS		32
#define SEAM_MAX_TDMRS		64
#define SEAM_MAX_RESERVED	16
#define SEAM_TDCS_PAGES		6
#define SEAM_TDCS_MAX_PAGES	9
#define SEAM_TDVPS_PAGES	6
#define SEAM_TDVPS_MAX_PAGES	15
#define SEAM_MAX_VCPUS		576
#define SEAM_KOT_SIZE		2048
#define SEAM_MAX_PACKAGES	64

/* In a register that may hold the address of a page for a table */
#define SEAM_NO_PAGE		(~0ULL)

struct seam_cmr {
	u64 base;
	u64 size;
};

struct seam_tdmr_info {
	u64 base;
	u64 size;
	struct {
		u64 base;
		u64 size;
	} pamt[SEAM_NR_SIZES];		/* 1 GiB first */
	struct {
		u64 offset;
		u64 size;
	} rsvd[SEAM_MAX_RESERVED];
};

struct seam_cpuid {
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
};

struct seam_td_params {
	u64 attributes;
	u64 xfam;
	u16 max_vcpus;
	u8 num_l2_vms;
	u8 msr_config_ctls;
	u32 rsvd20;
	u64 eptp_controls;
	u64 config_flags;
	u16 tsc_frequency;
	u8 rsvd42[38];
	u64 mrconfigid[6];
	u64 mrowner[6];
	u64 mrownerconfig[6];
	u64 arch_cap;
	u64 rsvd232[3];
	struct seam_cpuid cpuid[48];
};

struct seam_tdsysinfo {
	u32 attributes;
	u32 vendor;
	u32 build_date;
	u16 build_num;
	u16 minor;
	u16 major;
	u8 sys_rd;
	u8 rsvd19[13];
	u16 max_tdmrs;
	u16 max_reserved;
	u16 pamt_entry_size;
	u8 rsvd38[10];
	u16 tdcs_base_size;
	u16 rsvd50;
	u16 tdvps_base_size;
	u8 rsvd54[10];
	u64 attributes_fixed0;
	u64 attributes_fixed1;
	u64 xfam_fixed0;
	u64 xfam_fixed1;
	u8 rsvd96[32];
	u32 nr_cpuid;
	struct {
		u32 leaf;
		u32 subleaf;
		struct seam_cpuid val;
	} cpuid[37];
	u8 rsvd1020[4];
};

/* TDREPORT */
#define SEAM_DIGEST_WORDS	6
#define SEAM_NR_RTMRS		4

struct seam_report_mac {
	u8 type;
	u8 subtype;
	u8 version;
	u8 rsvd3;
	u8 rsvd4[12];
	u8 cpusvn[16];
	u64 tee_tcb_info_hash[SEAM_DIGEST_WORDS];
	u64 tee_info_hash[SEAM_DIGEST_WORDS];
	u8 report_data[64];
	u8 rsvd192[32];
	u8 mac[32];
};

struct seam_tee_tcb_info {
	u64 valid;			/* a bit for each 8 bytes */
	u8 svn[16];
	u64 mrseam[SEAM_DIGEST_WORDS];
	u64 mrsignerseam[SEAM_DIGEST_WORDS];
	u64 attributes;
	u8 rsvd128[128];
};

struct seam_td_info {
	u64 attributes;
	u64 xfam;
	u64 mrtd[SEAM_DIGEST_WORDS];
	u64 mrconfigid[SEAM_DIGEST_WORDS];
	u64 mrowner[SEAM_DIGEST_WORDS];
	u64 mrownerconfig[SEAM_DIGEST_WORDS];
	u64 rtmr[SEAM_NR_RTMRS][SEAM_DIGEST_WORDS];
	u64 servtd_hash[SEAM_DIGEST_WORDS];
	u8 rsvd448[64];
};

struct seam_td_report {
	struct seam_report_mac mac;
	struct seam_tee_tcb_info tcb;
	struct seam_td_info td;
};

static_assert(sizeof(struct seam_report_mac) == 256);
static_assert(offsetof(struct seam_report_mac, report_data) == 128);
static_assert(sizeof(struct seam_tee_tcb_info) == 256);
static_assert(offsetof(struct seam_tee_tcb_info, attributes) == 120);
static_assert(sizeof(struct seam_td_info) == 512);
static_assert(offsetof(struct seam_td_info, servtd_hash) == 400);
static_assert(sizeof(struct seam_td_report) == 1024);

static_assert(sizeof(struct seam_tdmr_info) == 320);
static_assert(sizeof(struct seam_td_params) == 1024);
static_assert(offsetof(struct seam_td_params, mrconfigid) == 80);
static_assert(offsetof(struct seam_td_params, arch_cap) == 224);
static_assert(offsetof(struct seam_td_params, cpuid) == 256);
static_assert(sizeof(struct seam_tdsysinfo) == 1024);
static_assert(offsetof(struct seam_tdsysinfo, max_tdmrs) == 32);
static_assert(offsetof(struct seam_tdsysinfo, tdcs_base_size) == 48);
static_assert(offsetof(struct seam_tdsysinfo, attributes_fixed0) == 64);
static_assert(offsetof(struct seam_tdsysinfo, nr_cpuid) == 128);

/* TD_PARAMS and TD configuration */
#define TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)
#define TD_ATTR_PKS		BIT_ULL(30)
#define TD_MSR_CTL_ARCH_CAP	BIT(0)
#define TD_FLAG_GPAW		BIT_ULL(0)
#define TD_FLAG_FLEXIBLE_PENDING_VE BIT_ULL(1)
#define TD_FLAG_NO_RBP_MOD	BIT_ULL(2)
#define TD_CTLS_PENDING_VE_DISABLE_BIT BIT_ULL(0)
#define TD_CTLS_ENUM_TOPOLOGY	BIT_ULL(1)
#define TD_TSC_UNIT_KHZ		25000

#define TD_XFAM_FIXED1		3ULL
#define TD_XFAM_KNOWN		0x6dbe7ULL
#define TD_XFAM_USER		0x602e7ULL	/* bits of XCR0; the others are of IA32_XSS */

/* TDX_FEATURES0 */
#define FEATURE_RELAXED_MEM	BIT_ULL(4)
#define FEATURE_LOCAL_ATTESTATION BIT_ULL(8)
#define FEATURE_HOST_PRIORITY	BIT_ULL(10)
#define FEATURE_ARCH_CAP	BIT_ULL(11)
#define FEATURE_PENDING_EPT_V2	BIT_ULL(16)
#define FEATURE_FMS_CONFIG	BIT_ULL(17)
#define FEATURE_NO_RBP_MOD	BIT_ULL(18)
#define FEATURE_TOPOLOGY_ENUM	BIT_ULL(20)
#define FEATURE_QUICK_DEMOTE	BIT_ULL(51)	/* TDH.MEM.PAGE.DEMOTE is not interrupted */
#define FEATURE_SYS_DISABLE	BIT_ULL(53)

/* Controls of a TD's VMCS that do not depend on the TD */
#define VP_PIN_CONTROLS		0x29
#define VP_PROC2_CONTROLS	0x133cb3fa
#define VP_PIN_POSTED_INTR	BIT(7)
#define VP_PROC2_BUS_LOCK	BIT(30)
#define VP_PROC2_NOTIFY		BIT(31)

/* RCX of TDH.VP.ENTER */
#define VP_ENTER_RECOVERABLE	BIT_ULL(52)
#define VP_ENTER_RESUME_L1	BIT_ULL(53)

/* Metadata field ids */
#define MD_CODE_MASK		GENMASK_ULL(23, 0)
#define MD_SIZE_SHIFT		32
#define MD_CONTEXT_SHIFT	52
#define MD_CLASS_SHIFT		56
#define MD_CLASS_MASK		GENMASK_ULL(61, 56)
#define MD_NON_ARCH		BIT_ULL(63)
/* A single-field access ignores element size, increment, mask, context, non-arch. */
#define MD_ZERO_MASK		(GENMASK_ULL(31, 24) | GENMASK_ULL(37, 34) |	\
				 GENMASK_ULL(46, 38) | GENMASK_ULL(49, 47) |	\
				 BIT_ULL(55) | BIT_ULL(62))

/* Metadata fields of this module alone; a real module has none of class 0x3f. */
#define TDX_SW_MD_GPA_WIDTH	0xbf00000100000000ULL	/* u16: 40 to 48 */
#define TDX_SW_MD_SW_POSTED_INTR	0xbf00000000000001ULL	/* u8: 1 */
#define TDX_SW_MD_PLAIN_MEMORY		0xbf00000000000002ULL	/* u8: 1 */

#endif
