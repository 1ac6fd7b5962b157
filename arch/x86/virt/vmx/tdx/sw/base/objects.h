/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module keeps in pages that the host donated, and in the room that each
 * CPU has.  Who may change what, and under which lock, stands beside it.
 */
#ifndef _X86_VIRT_TDX_SW_OBJECTS_H
#define _X86_VIRT_TDX_SW_OBJECTS_H

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/types.h>

#include "base/abi.h"

/* TDR page.  Fields without a note change with the TDR held exclusively. */
struct tdx_sw_tdr {
	u32 lifecycle;
	u32 hkid;
	u32 num_tdcx;
	u8 fatal;			/* WRITE_ONCE() by a fatal exit */
	atomic64_t chldcnt;
	u64 pkg_configured;
	u64 uuid[4];
	u64 tdcx_pa[SEAM_TDCS_MAX_PAGES];
};

/* Roles of TDCX pages */
enum {
	TDCX_TDCS, TDCX_CPUID, TDCX_MSR_BITMAPS, TDCX_SEPT_ROOT, TDCX_ZERO, TDCX_MIGSC,
};

/* A measurement that goes on from call to call. */
struct tdx_sw_hash {
	u8 desc[256] __aligned(8);	/* struct shash_desc and its context */
};

/* First TDCX page.  Configuration is constant once OP_STATE is INITIALIZED. */
struct tdx_sw_tdcs {
	u16 op_state_lock;
	u16 sept_lock;
	u16 epoch_lock;
	u16 rtmr_lock;
	u32 op_state;			/* changes with the TDR held exclusively */
	u32 num_vcpus;			/* atomic: TDH.VP.INIT v0 shares the TDR */
	atomic_t num_assoc;
	atomic_t refcount[2];
	u64 epoch;

	u64 attributes;
	u64 xfam;
	u64 eptp;
	u64 config_flags;
	u64 tsc_offset;
	u64 tsc_multiplier;
	u64 arch_cap;
	u32 max_vcpus;
	u16 tsc_frequency;
	u8 root_level;
	u8 no_topology;			/* a vCPU came without an x2APIC id */

	u64 td_ctls;
	u64 notify_enables;
	u64 hp_lock_timeout;
	u64 vm_ctls[4];

	u64 mrtd[6];
	u64 mrconfigid[6];
	u64 mrowner[6];
	u64 mrownerconfig[6];
	u64 rtmr[4][6];
	struct tdx_sw_hash mrtd_hash;

	u32 x2apic_id[SEAM_MAX_VCPUS];
};

struct tdx_sw_cpuid_value {
	u32 leaf;
	u32 subleaf;
	struct seam_cpuid val;
};

/* Second TDCX page: what CPUID returns in the TD, ascending. */
#define TDX_SW_NR_CPUID		160

struct tdx_sw_cpuid_page {
	u32 nr;
	u32 rsvd;
	struct tdx_sw_cpuid_value value[TDX_SW_NR_CPUID];
};

#define TDX_SW_NO_LP	U32_MAX

/* Indices of tdx_sw_vcpu.gpr, as in the TDVMCALL register mask */
enum {
	GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	GPR_R8, GPR_R9, GPR_R10, GPR_R11, NR_GPRS = 16,
};

/* What the guest learns from TDG.VP.VEINFO.GET. */
struct tdx_sw_ve_info {
	u32 reason;
	u32 valid;			/* not read yet: the next one becomes a #DF */
	u64 qual;
	u64 gla;
	u64 gpa;
	u32 instr_len;
	u32 instr_info;
};

/* An event that the next entry delivers, in the form of the VM-entry controls. */
struct tdx_sw_event {
	u32 info;
	u32 error;
	u32 len;
};

/* What the CPU tells of its exit from the guest. */
struct tdx_sw_vmexit {
	u32 reason;
	u32 intr_info;
	u32 intr_error;
	u32 vectoring;
	u32 vectoring_error;
	u32 instr_len;
	u32 instr_info;
	u64 qual;
	u64 gla;
	u64 gpa;
};

/* MSRs that the guest accesses without an exit and that no VMCS field switches. */
enum tdx_sw_switched_msr {
	SWITCHED_STAR,
	SWITCHED_LSTAR,
	SWITCHED_FMASK,
	SWITCHED_KERNEL_GS_BASE,
	SWITCHED_TSC_AUX,
	SWITCHED_UARCH_MISC,
	TDX_SW_NR_SWITCHED
};

/*
 * What a vCPU keeps while it does not run, beside its VMCS and its extended
 * state.  It belongs to the TDH.VP.ENTER that is in progress.  There is one at a
 * time: a vCPU is entered on the CPU that it is associated with, and a call there
 * is not interrupted by another.
 */
struct tdx_sw_guest {
	u64 gpr[NR_GPRS];		/* RSP is in the VMCS */
	u64 cr2;
	u64 dr[4];
	u64 dr6;
	u64 xcr0;
	u64 xss;
	u64 ds_area;			/* never in the CPU */
	u64 spec_ctrl;			/* there from VM entry to VM exit alone */
	u64 msr[TDX_SW_NR_SWITCHED];
	struct tdx_sw_event event;
	struct tdx_sw_ve_info ve;
	u8 cpuid_ve;			/* bit 0 supervisor, bit 1 user */
	u64 hp_busy_since;		/* TSC; 0 unless the last TDCALL gave way to the host */
};

/* Private EPT violations at one RIP; the first few only count. */
#define TDX_SW_ZEROSTEP_FREE	6
#define TDX_SW_ZEROSTEP_GPAS	32

struct tdx_sw_zerostep {
	u8 count;
	u8 nr;
	u8 last_was_violation;
	u64 gpa[TDX_SW_ZEROSTEP_GPAS];
	struct tdx_sw_ve_info last;	/* what the guest may ask to be told of */
};

/* Pages of a TDVPS by role; the first is the TDVPR itself. */
enum {
	TDVPS_TDVPR, TDVPS_VMCS, TDVPS_VAPIC, TDVPS_EPT_ROOT, TDVPS_XSTATE,
};

/* TDVPR page.  Fields without a note change with the TDVPR held exclusively. */
struct tdx_sw_vcpu {
	u8 state;			/* DISABLED comes with it shared, see host/vp.c */
	u8 num_pages;			/* this one included */
	u8 pend_nmi;			/* WRITE_ONCE() */
	u8 trap_like_exit;		/* the guest's last one; allows the recoverability hint */
	u32 index;
	u32 assoc_lp;			/* cmpxchg(), -1 = none */
	u32 x2apic_id;
	u64 epoch;
	u64 xfam;
	u64 page_pa[SEAM_TDVPS_MAX_PAGES];

	/* Host-writable controls; WRITE_ONCE() */
	u16 posted_vector;
	u32 pin_controls;
	u32 proc2_controls;
	u32 notify_window;
	u64 posted_desc;
	u64 shared_eptp;

	struct tdx_sw_guest guest;

	/* Of the entry in progress, or the last one */
	u8 vmcs_valid;			/* initialised, not cleared since */
	u8 launched;
	u8 flush;			/* drop translations at the next entry */
	u8 vmcall_pending;		/* the host's answer goes to the guest */
	u32 vmcall_mask;
	u64 entry_rip;
	struct tdx_sw_zerostep zerostep;
	u64 last_tsc;			/* of the last exit: time must not go back */

	/* For the count of what exits cost: when the host got the vCPU, and what for */
	u64 left_tsc;
	u16 left_row;
};

static_assert(sizeof(struct tdx_sw_tdr) <= PAGE_SIZE);
static_assert(sizeof(struct tdx_sw_tdcs) <= PAGE_SIZE);
static_assert(sizeof(struct tdx_sw_cpuid_page) <= PAGE_SIZE);
static_assert(sizeof(struct tdx_sw_vcpu) <= PAGE_SIZE);

static inline void *tdx_sw_map(u64 pa)
{
	return phys_to_virt(pa);
}

static inline struct tdx_sw_tdcs *tdx_sw_tdcs(const struct tdx_sw_tdr *tdr)
{
	return tdx_sw_map(tdr->tdcx_pa[TDCX_TDCS]);
}

/* Room of a CPU for what does not fit its stack; used by one call at a time. */
struct tdx_sw_scratch {
	struct seam_td_params params;
	struct tdx_sw_tdcs tdcs;
	struct tdx_sw_cpuid_page cpuid;
	struct seam_td_report report;
	u8 xstate[PAGE_SIZE] __aligned(64);
};

#endif
