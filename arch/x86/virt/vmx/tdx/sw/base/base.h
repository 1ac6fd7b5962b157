/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software TDX module from inside: its global state, what it keeps in
 * donated pages, and the context of one call.
 *
 * It protects nothing.  It answers SEAMCALLs so that the host's TDX code runs,
 * for real, on machines without TDX.
 *
 * Execution context: every leaf runs with interrupts off from entry to return,
 * never sleeps, allocates or waits for another CPU.  Memory is what the host
 * donates and what was set aside at boot.  A lock that is held is a status
 * (lock.h); the locks that a call took are recorded in the call and dropped by
 * the dispatcher, so a leaf just returns from wherever it is.
 *
 * Shape of a leaf: check everything, then commit.  Nothing that another call
 * could see changes before the last check, except where the interface itself
 * says so (a vCPU's association, host-priority marks, the global key ID).
 */
#ifndef _X86_VIRT_TDX_SW_H
#define _X86_VIRT_TDX_SW_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "base/abi.h"
#include "base/lock.h"
#include "pages/pamt.h"
#include "probe/sw_test.h"

/* General registers at the SEAMCALL, in the order that entry.S stores them. */
struct tdx_sw_regs {
	u64 r15;
	u64 r14;
	u64 r13;
	u64 r12;
	u64 r11;
	u64 r10;
	u64 r9;
	u64 r8;
	u64 rdi;
	u64 rsi;
	u64 rbp;
	u64 rbx;
	u64 rdx;
	u64 rcx;
	u64 rax;
};

/* ---- set aside at boot ---- */

struct tdx_sw_tdmr {
	u64 base;
	u64 size;
	u64 pamt[SEAM_NR_SIZES];	/* indexed by level */
	u64 pamt_size[SEAM_NR_SIZES];
	struct {
		u64 start;
		u64 end;
	} rsvd[SEAM_MAX_RESERVED];
	unsigned int nr_rsvd;
	u16 lock;
	u64 next_init;			/* bytes whose entries are initialised */
};

struct tdx_sw_key {
	u8 state;
	u64 flush_pkgs;			/* packages that still have to write back */
};

/* Write-back of one package; guarded by its lock. */
struct tdx_sw_wbcache {
	u16 lock;
	bool started;
	DECLARE_BITMAP(hkids, SEAM_KOT_SIZE);
};

/*
 * The module.  @sys_state changes under @sys_lock held exclusively and is read
 * with READ_ONCE(); KOT entries under @kot_lock; TDMRs are constant from
 * SYSCONFIG_DONE on, but for their own initialisation.
 */
struct tdx_sw_state {
	u8 sys_state;
	u16 sys_lock;
	u16 kot_lock;
	u16 ket_lock;
	u16 global_hkid;
	unsigned int fake_packages;	/* tests only */
	atomic_t inside;		/* calls in progress; negative: shut down */
	struct cpumask lp_initialized;
	atomic64_t pkgs;		/* packages of initialised LPs */
	u64 pkgs_keyed;			/* packages with the global key */
	unsigned int nr_cmrs;
	struct seam_cmr cmrs[SEAM_NR_CMRS];
	unsigned int nr_tdmrs;
	struct tdx_sw_tdmr tdmrs[SEAM_MAX_TDMRS];
	struct tdx_sw_key kot[SEAM_KOT_SIZE];
	struct tdx_sw_wbcache wbcache[SEAM_MAX_PACKAGES];
};

/* Far enough from 0 for the call that closes to be counted out. */
#define TDX_SW_CLOSED	(INT_MIN / 2)

/* The one in force; tests put a second one in place. */
extern struct tdx_sw_state *tdx_sw;

struct crypto_shash;

/* Constant after boot. */
struct tdx_sw_config {
	u32 first_hkid;
	u32 nr_hkids;
	u32 hkid_shift;			/* = physical address bits of the CPU */
	u64 hkid_mask;
	u32 maxpa;			/* width of an address with its key ID */
	u32 gpa_width;
	bool need_vmx;
	bool ready;			/* memory and hash are set aside */
	u64 seed;
	struct crypto_shash *sha384;
	struct crypto_shash *hmac;
};

extern struct tdx_sw_config tdx_sw_config;
extern bool tdx_sw_enabled;

/* ---- in donated pages ---- */

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
	u8 state;			/* DISABLED comes with it shared, see vp.c */
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

/* ---- a call ---- */

enum tdx_sw_held_kind {
	HELD_SHAREX,
	HELD_PAMT,
	HELD_SEPT_ENTRY,
};

struct tdx_sw_held {
	void *object;
	u8 kind;
	bool excl;
};

#define TDX_SW_MAX_HELD	16

struct tdx_sw_call {
	struct tdx_sw_regs *regs;
	struct tdx_sw_regs in;		/* as they were on entry */
	const struct tdx_sw_leaf *leaf;
	unsigned int version;
	unsigned int lp;
	unsigned int pkg;
	bool interrupt;			/* injected: stop where resuming is possible */

	/* Found by the prologue as the leaf's row asks */
	u64 tdr_pa;
	struct tdx_sw_tdr *tdr;
	struct tdx_sw_tdcs *tdcs;	/* NULL unless the TD state was checked */
	u64 vcpu_pa;
	struct tdx_sw_vcpu *vcpu;
	u64 gpa;
	unsigned int level;

	/* TDH.VP.ENTER: the last exit of the guest, and what the host is told */
	bool from_guest_state;
	struct tdx_sw_vmexit exit;
	u64 exit_status;
	u32 bus_lock;			/* as in the exit reason, if the host has not heard */

	unsigned int nr_kept;		/* of the held ones, while the guest runs */

	unsigned int nr_held;
	struct tdx_sw_held held[TDX_SW_MAX_HELD];
};

/* Where a leaf finds its TD, and how it holds it. */
enum tdx_sw_td_operand {
	TD_NONE,
	TD_RCX,				/* TDR in RCX */
	TD_RDX,				/* TDR in RDX */
	TD_OF_RCX,			/* owner of the TDVPR in RCX */
	TD_OF_RDX,			/* owner of the TDVPR in RDX */
};

enum tdx_sw_hold {
	HOLD_NONE, HOLD_SHARED, HOLD_EXCL,
	HOLD_EXCL_V1,			/* exclusive in version 1, else shared */
};

#define LEAF_ANY_SYS_STATE	BIT(0)	/* legal before the module is ready */
#define LEAF_TD_STATE		BIT(1)	/* full TD state check, see op_states */
#define LEAF_OP_STATE_LOCK	BIT(2)
#define LEAF_PAGE_INFO		BIT(3)	/* RCX is GPA and level */
#define LEAF_RDX_FLAG		BIT(4)	/* RDX bit 0 is a flag beside the TDR */
#define LEAF_TD_ENTRY		BIT(5)	/* RCX holds flags beside the TDVPR */

/* Outputs that are 0 before anything is checked; of an S-EPT leaf the first two */
#define LEAF_OUT_RCX		BIT(6)
#define LEAF_OUT_RDX		BIT(7)
#define LEAF_OUT_R8		BIT(8)
#define LEAF_OUT_SEPT		(LEAF_OUT_RCX | LEAF_OUT_RDX)
/* Pages of L2 tables, in R9 to R11 of version 1: none, before anything is checked */
#define LEAF_OUT_L2_PAGES	BIT(9)

struct tdx_sw_leaf {
	u16 nr;
	u16 flags;
	u8 max_version;
	u8 td;				/* enum tdx_sw_td_operand */
	u8 tdr_hold;			/* enum tdx_sw_hold */
	u8 vcpu_hold;
	u8 tree_hold;
	u8 min_level;
	u8 max_level;
	u16 op_states;			/* BIT(state) */
	const char *name;
	u64 (*fn)(struct tdx_sw_call *c);
};

#define TDX_SW_NR_LEAVES	128

const struct tdx_sw_leaf *tdx_sw_find_leaf(unsigned int nr);

static inline u64 seam_status(u64 status, u32 detail)
{
	return status | detail;
}

/* ---- locks of a call (call.c) ---- */

bool tdx_sw_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class, u16 *lock, bool excl);
bool tdx_sw_lock_pamt(struct tdx_sw_call *c, enum tdx_sw_lock_class class,
		      struct tdx_sw_pamt *pamt, bool excl);
bool tdx_sw_lock_sept_entry(struct tdx_sw_call *c, u64 *entry);
void tdx_sw_unlock_last(struct tdx_sw_call *c);
void tdx_sw_unlock_all(struct tdx_sw_call *c);

/* ---- operands and prologue (call.c) ---- */

u64 tdx_sw_check_shared_pa(u64 pa, u64 align, u64 size, u32 operand);
void *tdx_sw_map_shared(u64 pa);
bool tdx_sw_gpa_is_private(u64 gpa);
u64 tdx_sw_prologue(struct tdx_sw_call *c);
bool tdx_sw_is_private_hkid(u64 hkid);

static inline bool tdx_sw_td_is_runnable(const struct tdx_sw_tdcs *tdcs)
{
	/* LIVE_EXPORT and LIVE_IMPORT need tracking too but cannot be reached here. */
	return READ_ONCE(tdcs->op_state) == OP_RUNNABLE;
}

static inline u64 op_state_incorrect(const struct tdx_sw_tdcs *tdcs)
{
	return seam_status(SEAM_OP_STATE_INCORRECT, READ_ONCE(tdcs->op_state));
}

/* ---- platform (boot.c) ---- */

void tdx_sw_keyid_partitioning(int *err, u32 *nr_mktme_keyids, u32 *nr_tdx_keyids);

unsigned int tdx_sw_package(unsigned int cpu);
struct tdx_sw_scratch *tdx_sw_scratch(void);
u64 tdx_sw_random(void);
void tdx_sw_scramble(u64 pa);
bool tdx_sw_tsc_adjust_changed(void);
void tdx_sw_record_tsc_adjust(void);
bool tdx_sw_cpuid_is_limited(void);
u64 tdx_sw_read_msr(u32 msr);
void tdx_sw_write_msr(u32 msr, u64 value);
bool tdx_sw_in_vmx_root(void);

/* ---- TD, vCPU, S-EPT ---- */

u64 td_init_params(struct tdx_sw_call *c, struct tdx_sw_tdcs *new,
		   const struct seam_td_params *p);
u64 td_epoch_advance(struct tdx_sw_tdcs *tdcs);
bool td_epoch_tracked(struct tdx_sw_tdcs *tdcs, u64 bepoch);
u64 td_host_tsc_khz(const struct tdx_sw_tdcs *tdcs);

u64 vp_take(struct tdx_sw_call *c, u8 states);
u64 vp_associate(struct tdx_sw_tdcs *tdcs, struct tdx_sw_vcpu *vcpu, unsigned int lp);
u64 vp_epoch_enter(struct tdx_sw_call *c);
void vp_epoch_exit(struct tdx_sw_tdcs *tdcs, struct tdx_sw_vcpu *vcpu);
bool vp_has_monitor(const struct tdx_sw_call *c);
bool vapic_interrupt_pending(struct tdx_sw_vcpu *vcpu);

/* ---- context of the caller (enter.c) ---- */

bool tdx_sw_leave_guest_state(void);
void tdx_sw_enter_guest_state(bool wanted);

struct sept_walk {
	u64 *entry;
	u64 val;			/* lock and host-priority mark stripped */
	unsigned int level;
};

struct sept_cell;

bool sept_walk(struct tdx_sw_call *c, u64 gpa, unsigned int level, struct sept_walk *walk);
u64 sept_error(struct tdx_sw_call *c, u64 status, const struct sept_walk *walk);
u64 sept_find(struct tdx_sw_call *c, struct sept_walk *walk, bool lock);
u64 sept_check_blocking(struct tdx_sw_call *c, const struct sept_walk *walk,
			struct sept_cell cell);
struct tdx_sw_pamt *sept_page_pamt(const struct sept_walk *walk);
void sept_set(const struct sept_walk *walk, unsigned int state, u64 hpa);
u64 sept_lock_guest(struct tdx_sw_call *c, struct sept_walk *walk);
void sept_unlock_guest(const struct sept_walk *walk);
bool sept_table_is_free(u64 pa);
void sept_init_table(u64 pa);

/* ---- measurement (measure.c) ---- */

int measure_setup(void);
void measure_start(struct tdx_sw_hash *hash);
void measure_block(struct tdx_sw_hash *hash, const char *name, u64 gpa);
void measure_data(struct tdx_sw_hash *hash, const void *data, unsigned int len);
void measure_finish(struct tdx_sw_hash *hash, void *digest);
void measure_digest(const void *first, unsigned int first_len, const void *second,
		    unsigned int second_len, void *digest);
void measure_mac(const void *data, unsigned int len, void *mac);

/* ---- CPUID (cpuid.c) ---- */

#define TDX_SW_NO_SUBLEAF	U32_MAX

struct tdx_sw_cpuid_config {
	u32 leaf;
	u32 subleaf;
	struct seam_cpuid direct;	/* the host's value is taken */
	struct seam_cpuid allow;	/* the host's value masks the native one */
};

/* Subleaves of leaf 0x1f that the host may configure */
#define TDX_SW_NR_LEVELS	5

#define LEAF_TOPOLOGY		0xb
#define LEAF_TOPOLOGY_V2	0x1f

unsigned int cpuid_nr_configs(void);
const struct tdx_sw_cpuid_config *cpuid_config(unsigned int idx);
struct seam_cpuid cpuid_reported(const struct tdx_sw_cpuid_config *cfg);
u64 cpuid_check(const struct seam_cpuid *values, u64 *id);
void cpuid_virtualize(struct tdx_sw_cpuid_page *page, const struct seam_td_params *params);
const struct tdx_sw_cpuid_value *cpuid_find(const struct tdx_sw_cpuid_page *page, u32 leaf,
					    u32 subleaf);
u32 cpuid_xstate_size(const struct tdx_sw_cpuid_page *page, u64 components, bool compacted);
bool cpuid_raises_ve(u32 leaf);

/* Highest leaves that a TD has */
#define CPUID_MAX_BASIC		0x23
#define CPUID_MAX_EXTENDED	0x80000008

/* Bits of tdx_sw_guest.cpuid_ve: every CPUID at that privilege raises #VE */
#define CPUID_VE_SUPERVISOR	BIT(0)
#define CPUID_VE_USER		BIT(1)

/* In the guest, with its vCPU's VMCS current (gcpuid.c). */
bool cpuid_guest(const struct tdx_sw_call *c, u32 leaf, u32 subleaf, struct seam_cpuid *val);

bool topology_check(const struct seam_cpuid *level, u32 *bad);
struct seam_cpuid topology_guest(const struct tdx_sw_call *c, u32 leaf, u32 subleaf);

/* ---- metadata (field.c, vpfield.c, sysfield.c) ---- */

/* In place of an id: the first field of the context, or none after this one */
#define FIELD_FIRST	(~0ULL)
#define FIELD_NO_NEXT	(~0ULL)

/* Class and code: what tables are sorted by. */
static inline u64 field_key(u64 id)
{
	return ((id & MD_CLASS_MASK) >> MD_CLASS_SHIFT) << 24 | (id & MD_CODE_MASK);
}

static inline unsigned int field_size(u64 id)
{
	return 1 << ((id >> MD_SIZE_SHIFT) & 3);
}

struct tdx_sw_field {
	u64 id;				/* of the first element */
	u16 nr;				/* elements */
	u8 stride;			/* bytes from element to element; 0 = its size */
	u8 object;			/* enum tdx_sw_field_object */
	u8 access;			/* of the host to a production TD */
	u8 guest;			/* access of the TD itself */
	bool masked;			/* the host reads what it may write, no other bit */
	u16 offset;
	u64 mask;			/* bits that either may write */
};

/* Where a field's value lies */
enum tdx_sw_field_object {
	FIELD_ZERO, FIELD_TDR, FIELD_TDCS, FIELD_VCPU, FIELD_COMPUTED,
	FIELD_NR_OBJECTS
};

#define FIELD_READ	BIT(0)
#define FIELD_WRITE	BIT(1)

struct tdx_sw_field_ref {
	const struct tdx_sw_field *field;
	unsigned int idx;
};

/* A table of fields as the host or the TD itself sees it */
struct tdx_sw_field_view {
	const struct tdx_sw_field *fields;
	unsigned int nr;
	bool guest;
};

bool field_find(const struct tdx_sw_field *fields, unsigned int nr, u64 id,
		struct tdx_sw_field_ref *ref);
bool field_is_readable(const struct tdx_sw_field *field, bool guest);
u64 field_first(const struct tdx_sw_field_view *view);
u64 field_next(const struct tdx_sw_field_view *view, const struct tdx_sw_field_ref *ref);
void *field_pointer(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref);
u64 field_load(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref);
void field_store(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref, u64 value);

/* R8 under the mask in R9, as the host or the guest gave them */
struct tdx_sw_field_write {
	u64 data;
	u64 mask;
};

u64 field_merge(u64 writable, const struct tdx_sw_field_write *write, u64 old, u64 *new);

u64 sysfield_first(void);
u64 sysfield_read(u64 id, u64 *value, u64 *next);
u64 sysfield_list(void *page, u64 id, u64 *next);
u64 sysfield_attributes_fixed0(void);
u64 sysfield_xfam_fixed0(void);
u64 sysfield_config_flags_fixed0(void);
u64 sysfield_arch_cap_mask(void);

/* ---- fault injection (inject.c, fault.c) ---- */

u64 inject_leaf(struct tdx_sw_call *c);
bool inject_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class);
bool inject_zero_step(struct tdx_sw_call *c);
void inject_track(struct tdx_sw_call *c);
void inject_account(const struct tdx_sw_call *c, u64 status);

struct dentry;

#ifdef CONFIG_FAULT_INJECTION
u64 fault_leaf(u16 leaf);
bool fault_lock(u16 leaf, enum tdx_sw_lock_class class);
bool fault_zero_step(void);
void fault_setup(struct dentry *root);
#else
static inline u64 fault_leaf(u16 leaf)
{
	return SEAM_SUCCESS;
}

static inline bool fault_lock(u16 leaf, enum tdx_sw_lock_class class)
{
	return false;
}

static inline bool fault_zero_step(void)
{
	return false;
}

static inline void fault_setup(struct dentry *root)
{
}
#endif

/* ---- leaves ---- */

u64 tdx_sw_sys_init(struct tdx_sw_call *c);
u64 tdx_sw_sys_lp_init(struct tdx_sw_call *c);
u64 tdx_sw_sys_info(struct tdx_sw_call *c);
u64 tdx_sw_sys_rd(struct tdx_sw_call *c);
u64 tdx_sw_sys_rdall(struct tdx_sw_call *c);
u64 tdx_sw_sys_config(struct tdx_sw_call *c);
u64 tdx_sw_sys_key_config(struct tdx_sw_call *c);
u64 tdx_sw_sys_tdmr_init(struct tdx_sw_call *c);
u64 tdx_sw_sys_lp_shutdown(struct tdx_sw_call *c);
u64 tdx_sw_sys_shutdown(struct tdx_sw_call *c);
u64 tdx_sw_sys_update(struct tdx_sw_call *c);
u64 tdx_sw_sys_disable(struct tdx_sw_call *c);

u64 tdx_sw_mng_create(struct tdx_sw_call *c);
u64 tdx_sw_mng_key_config(struct tdx_sw_call *c);
u64 tdx_sw_mng_addcx(struct tdx_sw_call *c);
u64 tdx_sw_mng_init(struct tdx_sw_call *c);
u64 tdx_sw_mng_rd(struct tdx_sw_call *c);
u64 tdx_sw_mng_wr(struct tdx_sw_call *c);
u64 tdx_sw_mng_vpflushdone(struct tdx_sw_call *c);
u64 tdx_sw_mng_key_freeid(struct tdx_sw_call *c);
u64 tdx_sw_mng_key_reclaimid(struct tdx_sw_call *c);

u64 tdx_sw_vp_create(struct tdx_sw_call *c);
u64 tdx_sw_vp_addcx(struct tdx_sw_call *c);
u64 tdx_sw_vp_init(struct tdx_sw_call *c);
u64 tdx_sw_vp_enter(struct tdx_sw_call *c);
u64 tdx_sw_vp_flush(struct tdx_sw_call *c);
u64 tdx_sw_vp_rd(struct tdx_sw_call *c);
u64 tdx_sw_vp_wr(struct tdx_sw_call *c);

u64 tdx_sw_mem_page_add(struct tdx_sw_call *c);
u64 tdx_sw_mem_page_aug(struct tdx_sw_call *c);
u64 tdx_sw_mem_page_remove(struct tdx_sw_call *c);
u64 tdx_sw_mem_sept_add(struct tdx_sw_call *c);
u64 tdx_sw_mem_sept_remove(struct tdx_sw_call *c);
u64 tdx_sw_mem_sept_rd(struct tdx_sw_call *c);
u64 tdx_sw_mem_range_block(struct tdx_sw_call *c);
u64 tdx_sw_mem_range_unblock(struct tdx_sw_call *c);
u64 tdx_sw_mem_track(struct tdx_sw_call *c);
u64 tdx_sw_mem_rd_wr(struct tdx_sw_call *c);

u64 tdx_sw_mr_extend(struct tdx_sw_call *c);
u64 tdx_sw_mr_finalize(struct tdx_sw_call *c);

u64 tdx_sw_phymem_page_rdmd(struct tdx_sw_call *c);
u64 tdx_sw_phymem_page_reclaim(struct tdx_sw_call *c);
u64 tdx_sw_phymem_page_wbinvd(struct tdx_sw_call *c);
u64 tdx_sw_phymem_cache_wb(struct tdx_sw_call *c);

#endif
