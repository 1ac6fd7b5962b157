/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TDX_ARCH_H
#define __KVM_X86_VMX_TDX_ARCH_H

/*
 * Architectural layouts and constants of the TDX module: what KVM puts into
 * memory for it, reads from its metadata and decodes from its outputs.  Nothing
 * of KVM's own belongs here.
 */

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* ATTRIBUTES of a TD */
#define TDX_TD_ATTR_DEBUG		BIT_ULL(0)
#define TDX_TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)

/* XFAM of a TD: bits of XCR0 and IA32_XSS in one word */
#define TDX_XFAM_X87_SSE		GENMASK_ULL(1, 0)
#define TDX_XFAM_AVX			BIT_ULL(2)
#define TDX_XFAM_AVX512			GENMASK_ULL(7, 5)
#define TDX_XFAM_PT			BIT_ULL(8)
#define TDX_XFAM_PKRU			BIT_ULL(9)
#define TDX_XFAM_CET			GENMASK_ULL(12, 11)
#define TDX_XFAM_ULI			BIT_ULL(14)
#define TDX_XFAM_LBR			BIT_ULL(15)
#define TDX_XFAM_AMX			GENMASK_ULL(18, 17)
/* Those that are IA32_XSS's */
#define TDX_XFAM_SUPERVISOR		(TDX_XFAM_PT | TDX_XFAM_CET | TDX_XFAM_ULI | \
					 TDX_XFAM_LBR)

/* CONFIG_FLAGS of a TD */
#define TDX_CONFIG_FLAGS_MAX_GPAW	BIT_ULL(0)
#define TDX_CONFIG_FLAGS_NO_RBP_MOD	BIT_ULL(2)

/* EPTP_CONTROLS of a TD */
#define TDX_EPTP_MT_WB			6
#define TDX_EPTP_PWL_SHIFT		3
#define TDX_EPTP_PWL_4			(3 << TDX_EPTP_PWL_SHIFT)
#define TDX_EPTP_PWL_5			(4 << TDX_EPTP_PWL_SHIFT)

/* TSC_FREQUENCY of a TD counts in units of 25 MHz. */
#define TDX_TSC_UNIT_KHZ		25000
#define TDX_TSC_MIN_KHZ			(100 * 1000)
#define TDX_TSC_MAX_KHZ			(10 * 1000 * 1000)

/* Size of the digests in TD_PARAMS and in the TD's measurements: SHA-384 */
#define TDX_DIGEST_SIZE			48

struct tdx_cpuid_value {
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
} __packed;

/* Entries of td_params.cpuid_values[] */
#define TDX_NR_TD_PARAMS_CPUID		48

/* TD_PARAMS, the input of TDH.MNG.INIT */
struct td_params {
	u64 attributes;
	u64 xfam;
	u16 max_vcpus;
	u8 num_l2_vms;
	u8 msr_config_ctls;
	u32 reserved0;

	u64 eptp_controls;
	u64 config_flags;
	u16 tsc_frequency;
	u8 reserved1[38];

	u8 mrconfigid[TDX_DIGEST_SIZE];
	u8 mrowner[TDX_DIGEST_SIZE];
	u8 mrownerconfig[TDX_DIGEST_SIZE];
	u64 arch_capabilities;
	u8 reserved2[24];

	/* As many as the module has CPUID_CONFIG entries, in their order. */
	struct tdx_cpuid_value cpuid_values[TDX_NR_TD_PARAMS_CPUID];
} __packed __aligned(1024);

static_assert(sizeof(struct td_params) == 1024);
static_assert(offsetof(struct td_params, eptp_controls) == 24);
static_assert(offsetof(struct td_params, tsc_frequency) == 40);
static_assert(offsetof(struct td_params, mrconfigid) == 80);
static_assert(offsetof(struct td_params, mrowner) == 128);
static_assert(offsetof(struct td_params, mrownerconfig) == 176);
static_assert(offsetof(struct td_params, arch_capabilities) == 224);
static_assert(offsetof(struct td_params, cpuid_values) == 256);

/*
 * Ids of metadata fields.  For the access to a single field the module looks
 * at class (bits 61:56), field code (bits 23:0) and the bit for "not
 * architectural" only; the remaining bits describe the field.
 */
#define TDX_MD_CLASS_SHIFT		56
#define TDX_MD_CODE_MASK		GENMASK_ULL(23, 0)
#define TDX_MD_FIELD(class, code)	\
	(((u64)(class) << TDX_MD_CLASS_SHIFT) | ((code) & TDX_MD_CODE_MASK))

/* Fields of a TD, for TDH.MNG.RD */
#define TD_MD_TSC_OFFSET		0x111000030000000AULL
#define TD_MD_TSC_MULTIPLIER		0x111000030000000BULL
#define TD_MD_MRTD			0x1310000300000000ULL
#define TDX_MD_MRTD_WORDS		6
#define TD_MD_CPUID_VALUES		0x9410000300000000ULL

/* CPUID leaves and subleaves of TD_MD_CPUID_VALUES have 7 bits each. */
#define TDX_MD_CPUID_LEAF_HIGH		BIT(31)
#define TDX_MD_CPUID_LEAF_MASK		GENMASK(6, 0)
#define TDX_MD_CPUID_SUBLEAF_MASK	GENMASK(6, 0)

/* Whether TD_MD_CPUID_VALUES has room for the leaf and subleaf at all. */
static inline bool tdx_md_has_cpuid(u32 leaf, bool has_subleaf, u32 subleaf)
{
	return !(leaf & ~(TDX_MD_CPUID_LEAF_HIGH | TDX_MD_CPUID_LEAF_MASK)) &&
	       (!has_subleaf || !(subleaf & ~TDX_MD_CPUID_SUBLEAF_MASK));
}

/*
 * Id of one half of a CPUID value: element 0 is EAX and EBX, element 1 ECX and
 * EDX, with the first register in bits 31:0.
 */
static inline u64 tdx_md_cpuid_field(u32 leaf, bool has_subleaf, u32 subleaf,
				     int element)
{
	u64 code;

	code = (u64)!!(leaf & TDX_MD_CPUID_LEAF_HIGH) << 16;
	code |= (leaf & TDX_MD_CPUID_LEAF_MASK) << 9;
	if (has_subleaf)
		code |= (subleaf & TDX_MD_CPUID_SUBLEAF_MASK) << 1;
	else
		code |= GENMASK(8, 1);

	return TD_MD_CPUID_VALUES | code | (element & 1);
}

/* Fields of a vCPU, for TDH.VP.RD and TDH.VP.WR */
#define VCPU_MD_VMCS(encoding)		TDX_MD_FIELD(0, (encoding))
#define VCPU_MD_PEND_NMI		0x202000000000000BULL
#define VCPU_MD_STATE_DETAILS		0x9120000300000100ULL

/* VCPU_MD_PEND_NMI */
#define VCPU_PEND_NMI			BIT_ULL(0)

/* VCPU_MD_STATE_DETAILS */
#define VCPU_STATE_DETAILS_INTR_PENDING	BIT_ULL(0)

/* VMCS fields that the host may access on a production TD */
#define VCPU_MD_POSTED_INTR_NV		VCPU_MD_VMCS(0x0002)
#define VCPU_MD_POSTED_INTR_DESC_ADDR	VCPU_MD_VMCS(0x2016)
#define VCPU_MD_SHARED_EPTP		VCPU_MD_VMCS(0x203C)
#define VCPU_MD_PIN_BASED_CONTROLS	VCPU_MD_VMCS(0x4000)
#define VCPU_MD_SECONDARY_CONTROLS	VCPU_MD_VMCS(0x401E)
#define VCPU_MD_NOTIFY_WINDOW		VCPU_MD_VMCS(0x4024)

/* Bits that the host may write in the controls above */
#define VCPU_PIN_PROCESS_POSTED_INTR	BIT_ULL(7)
#define VCPU_SEC_BUS_LOCK_DETECTION	BIT_ULL(30)
#define VCPU_SEC_NOTIFY_VM_EXITING	BIT_ULL(31)

/* RCX after a TDVMCALL: the XMM registers that it passes */
#define TDX_VMCALL_XMM_MASK		GENMASK_ULL(31, 16)

/* RCX after an exit that is no TDVMCALL */
#define TDX_EXIT_QUALIFICATION_MASK	GENMASK_ULL(31, 0)

/* RDX after an exit that is no TDVMCALL */
#define TDX_EXT_QUALIFICATION_TYPE_MASK	GENMASK_ULL(3, 0)
/* ... type: TDG.MEM.PAGE.ACCEPT, and the level of the page that it is about */
#define TDX_EXT_QUALIFICATION_ACCEPT	1
#define TDX_EXT_QUALIFICATION_REQUESTED_LEVEL	GENMASK_ULL(34, 32)
/* ... type: access to a page that the guest has not accepted */
#define TDX_EXT_QUALIFICATION_PENDING	6

/* State of a Secure EPT entry, see tdh_sept_info_state(): has yet to be accepted, was */
#define TDX_SEPT_FREE			0x00
#define TDX_SEPT_PENDING		0x02
#define TDX_SEPT_MAPPED			0x04

/* TDH.MR.EXTEND measures this many bytes a call. */
#define TDX_EXTENDMR_CHUNKSIZE		256

#endif /* __KVM_X86_VMX_TDX_ARCH_H */
