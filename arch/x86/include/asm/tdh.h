/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_TDH_H
#define _ASM_X86_TDH_H

/*
 * Host side of the TDX module for the kernel's users of it, i.e. KVM: one
 * function for each host leaf, what the module enumerates, key IDs and the
 * care of pages that change hands.
 *
 * Conventions of the leaf functions:
 *  - addresses of pages are physical, without key ID bits; gpa is a guest
 *    physical address in bytes, without the shared bit;
 *  - level is the module's: 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB, ... (one less
 *    than that of KVM);
 *  - the result is the completion status, see <asm/shared/tdx_status.h>;
 *    output arguments are written whatever the status is;
 *  - no leaf retries anything but want of entropy, and none takes a lock.
 */

#include <linux/bits.h>
#include <linux/types.h>

#include <asm/page_types.h>
#include <asm/shared/tdx.h>
#include <asm/shared/tdx_status.h>

/* Leaf numbers */
#define TDH_VP_ENTER			0
#define TDH_MNG_ADDCX			1
#define TDH_MEM_PAGE_ADD		2
#define TDH_MEM_SEPT_ADD		3
#define TDH_VP_ADDCX			4
#define TDH_MEM_PAGE_AUG		6
#define TDH_MEM_RANGE_BLOCK		7
#define TDH_MNG_KEY_CONFIG		8
#define TDH_MNG_CREATE			9
#define TDH_VP_CREATE			10
#define TDH_MNG_RD			11
#define TDH_MNG_WR			13
#define TDH_MEM_PAGE_DEMOTE		15
#define TDH_MR_EXTEND			16
#define TDH_MR_FINALIZE			17
#define TDH_VP_FLUSH			18
#define TDH_MNG_VPFLUSHDONE		19
#define TDH_MNG_KEY_FREEID		20
#define TDH_MNG_INIT			21
#define TDH_VP_INIT			22
#define TDH_PHYMEM_PAGE_RDMD		24
#define TDH_MEM_SEPT_RD			25
#define TDH_VP_RD			26
#define TDH_PHYMEM_PAGE_RECLAIM		28
#define TDH_MEM_PAGE_REMOVE		29
#define TDH_MEM_SEPT_REMOVE		30
#define TDH_SYS_KEY_CONFIG		31
#define TDH_SYS_INIT			33
#define TDH_SYS_RD			34
#define TDH_SYS_LP_INIT			35
#define TDH_SYS_TDMR_INIT		36
#define TDH_MEM_TRACK			38
#define TDH_MEM_RANGE_UNBLOCK		39
#define TDH_PHYMEM_CACHE_WB		40
#define TDH_PHYMEM_PAGE_WBINVD		41
#define TDH_VP_WR			43
#define TDH_SYS_CONFIG			45

/* The leaf's version goes into bits 23:16 of RAX. */
#define TDX_VERSION_SHIFT		16

/* Page types, as TDH.PHYMEM.PAGE.RDMD and TDH.PHYMEM.PAGE.RECLAIM tell them */
#define PT_NDA				0x0
#define PT_RSVD				0x1
#define PT_REG				0x3
#define PT_TDR				0x4
#define PT_TDCX				0x5
#define PT_TDVPR			0x6
#define PT_EPT				0x8

/*
 * TD_PARAMS has room for this many CPUID values, hence no module can ask for
 * more.
 */
#define TDX_MAX_CPUID_CONFIGS		48

/* TDX_FEATURES0 */
#define TDX_FEATURES0_NO_RBP_MOD	BIT_ULL(18)
#define TDX_FEATURES0_ENUM_TOPOLOGY	BIT_ULL(20)
/* TDH.MEM.PAGE.DEMOTE isn't interrupted: what makes large pages worth having */
#define TDX_FEATURES0_LARGE_PAGES	BIT_ULL(51)

/* "No subleaf" in &struct tdx_cpuid_config */
#define TDX_CPUID_NO_SUBLEAF		(~0U)

/**
 * struct tdx_cpuid_config - a CPUID leaf that the host may configure
 * @leaf: CPUID leaf
 * @subleaf: CPUID subleaf, %TDX_CPUID_NO_SUBLEAF if the leaf has none
 * @eax: configurable bits of EAX
 * @ebx: configurable bits of EBX
 * @ecx: configurable bits of ECX
 * @edx: configurable bits of EDX
 */
struct tdx_cpuid_config {
	u32 leaf;
	u32 subleaf;
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
};

/**
 * struct tdx_sys_info - what the TDX module enumerates about itself
 * @major_version: major version
 * @minor_version: minor version
 * @update_version: update version
 * @internal_version: internal version
 * @build_num: build number
 * @build_date: build date as the module encodes it
 * @features0: TDX_FEATURES0, a mask of TDX_FEATURES0_*
 * @max_tdmrs: how many TDMRs the module takes
 * @max_reserved_per_tdmr: how many reserved areas a TDMR may have
 * @pamt_entry_size: bytes per PAMT entry, indexed by TDX_PS_*
 * @tdr_base_size: bytes of a TDR
 * @tdcs_base_size: bytes of a TDCS without L2 VMs
 * @tdvps_base_size: bytes of a TDVPS, TDVPR included, without L2 VMs
 * @max_vcpus_per_td: bound of MAX_VCPUS in TD_PARAMS
 * @attributes_fixed0: ATTRIBUTES that may be 1
 * @attributes_fixed1: ATTRIBUTES that must be 1
 * @xfam_fixed0: XFAM bits that may be 1
 * @xfam_fixed1: XFAM bits that must be 1
 * @config_flags_fixed0: CONFIG_FLAGS that may be 1
 * @config_flags_fixed1: CONFIG_FLAGS that must be 1
 * @arch_cap_mask: configurable bits of IA32_ARCH_CAPABILITIES, 0 if none
 * @nr_cpuid_configs: used entries of @cpuid_configs
 * @cpuid_configs: configurable CPUID leaves in the order of TD_PARAMS
 * @gpa_width: guest physical width in bits where the module restricts it to
 *	less than 48, else 0
 * @pi_no_cpu: not 0 if posted interrupts work without support by the CPU
 * @plain_memory: not 0 if private memory has no key ID, so that it takes no
 *	particular CPU to use it
 */
struct tdx_sys_info {
	u16 major_version;
	u16 minor_version;
	u16 update_version;
	u16 internal_version;
	u16 build_num;
	u32 build_date;
	u64 features0;

	u16 max_tdmrs;
	u16 max_reserved_per_tdmr;
	u16 pamt_entry_size[3];

	u16 tdr_base_size;
	u16 tdcs_base_size;
	u16 tdvps_base_size;

	u16 max_vcpus_per_td;
	u64 attributes_fixed0;
	u64 attributes_fixed1;
	u64 xfam_fixed0;
	u64 xfam_fixed1;
	u64 config_flags_fixed0;
	u64 config_flags_fixed1;
	u64 arch_cap_mask;
	u16 nr_cpuid_configs;
	struct tdx_cpuid_config cpuid_configs[TDX_MAX_CPUID_CONFIGS];

	u16 gpa_width;
	u8 pi_no_cpu;
	u8 plain_memory;
};

/**
 * struct tdh_sept_info - extended output of the leaves that walk the Secure EPT
 * @entry: RCX, the entry at which the walk ended; after a successful removal
 *	the physical address of the page
 * @state: RDX, its level (bits 2:0) and state (bits 15:8); 0 if the status has
 *	no such detail
 */
struct tdh_sept_info {
	u64 entry;
	u64 state;
};

static inline u8 tdh_sept_info_level(const struct tdh_sept_info *info)
{
	return info->state & GENMASK_ULL(2, 0);
}

static inline u8 tdh_sept_info_state(const struct tdh_sept_info *info)
{
	return (info->state & GENMASK_ULL(15, 8)) >> 8;
}

/**
 * struct tdh_page_md - the module's metadata of a physical page
 * @type: page type, PT_*
 * @owner: physical address of the owner's TDR
 * @level: size of the page as a TDX level
 */
struct tdh_page_md {
	u64 type;
	phys_addr_t owner;
	u64 level;
};

/* tdh.c */
u64 tdh_mng_create(phys_addr_t tdr, u16 hkid);
u64 tdh_mng_addcx(phys_addr_t tdr, phys_addr_t page);
u64 tdh_mng_key_config(phys_addr_t tdr);
u64 tdh_mng_init(phys_addr_t tdr, phys_addr_t params, u64 *detail);
u64 tdh_mng_rd(phys_addr_t tdr, u64 field, u64 *data);
u64 tdh_mng_vpflushdone(phys_addr_t tdr);
u64 tdh_mng_key_freeid(phys_addr_t tdr);

u64 tdh_vp_create(phys_addr_t tdr, phys_addr_t tdvpr);
u64 tdh_vp_addcx(phys_addr_t tdvpr, phys_addr_t page);
u64 tdh_vp_init(phys_addr_t tdvpr, u64 rcx, u32 x2apic_id);
u64 tdh_vp_enter(phys_addr_t tdvpr, struct tdx_module_args *args);
u64 tdh_vp_flush(phys_addr_t tdvpr);
u64 tdh_vp_rd(phys_addr_t tdvpr, u64 field, u64 *data);
u64 tdh_vp_wr(phys_addr_t tdvpr, u64 field, u64 data, u64 mask, u64 *old);

u64 tdh_mem_page_add(phys_addr_t tdr, u64 gpa, phys_addr_t page,
		     phys_addr_t source, struct tdh_sept_info *info);
u64 tdh_mem_sept_add(phys_addr_t tdr, u64 gpa, int level, phys_addr_t page,
		     struct tdh_sept_info *info);
u64 tdh_mem_page_aug(phys_addr_t tdr, u64 gpa, int level, phys_addr_t page,
		     struct tdh_sept_info *info);
u64 tdh_mem_range_block(phys_addr_t tdr, u64 gpa, int level,
			struct tdh_sept_info *info);
u64 tdh_mem_page_remove(phys_addr_t tdr, u64 gpa, int level,
			struct tdh_sept_info *info);
u64 tdh_mem_page_demote(phys_addr_t tdr, u64 gpa, int level, phys_addr_t page,
			struct tdh_sept_info *info);
u64 tdh_mem_sept_remove(phys_addr_t tdr, u64 gpa, int level,
			struct tdh_sept_info *info);
u64 tdh_mem_sept_rd(phys_addr_t tdr, u64 gpa, int level,
		    struct tdh_sept_info *info);
u64 tdh_mem_track(phys_addr_t tdr);

u64 tdh_mr_extend(phys_addr_t tdr, u64 gpa, struct tdh_sept_info *info);
u64 tdh_mr_finalize(phys_addr_t tdr);

u64 tdh_phymem_page_reclaim(phys_addr_t page, struct tdh_page_md *md);
u64 tdh_phymem_page_wbinvd(phys_addr_t page, u16 hkid);
u64 tdh_phymem_cache_wb(bool resume);

/* metadata.c */
const struct tdx_sys_info *tdx_get_sys_info(void);
bool tdx_has_required_features(const struct tdx_sys_info *info);

/* keyid.c */
u16 tdx_get_global_keyid(void);
u32 tdx_get_nr_guest_keyids(void);
int tdx_guest_keyid_alloc(void);
void tdx_guest_keyid_free(unsigned int keyid);
bool tdx_all_packages_online(void);
int tdx_on_each_package(int (*func)(void *arg), void *arg);

/* pages.c */
void tdx_clear_pages(phys_addr_t base, unsigned long size);

static inline void tdx_clear_page(phys_addr_t page)
{
	tdx_clear_pages(page, PAGE_SIZE);
}

#endif /* _ASM_X86_TDH_H */
