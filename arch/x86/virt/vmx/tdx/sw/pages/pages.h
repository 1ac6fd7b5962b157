/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owner and state of every page, and the context of one call that needs them: PAMT,
 * Secure EPT, TLB epochs, the locks that a call holds, the checks of operands that
 * many leaves have in common.
 *
 * Knows the base, and leaves by their rows alone: a row says what the leaf wants to be
 * found and locked for it.
 *
 * A lock that is held is a status; the locks that a call took are recorded in the
 * call and dropped by the dispatcher, so a leaf just returns from wherever it is.
 *
 * Shape of a leaf: check everything, then commit.  Nothing that another call could
 * see changes before the last check, except where the interface itself says so (a
 * vCPU's association, host-priority marks, the global key ID).
 */
#ifndef _X86_VIRT_TDX_SW_PAGES_H
#define _X86_VIRT_TDX_SW_PAGES_H

#include <linux/build_bug.h>

#include "base/base.h"
#include "pages/sept_entry.h"

/* ---- a call ---- */

/* General registers at the SEAMCALL, in the order that gate/entry.S stores them. */
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
	u64 begun;			/* the TSC then */

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
	u64 guest_ticks;		/* of the TSC, from VM entries to VM exits */
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
/* Begins and stops itself if an interruption of this kind is injected */
#define LEAF_RESUMABLE		BIT(10)
#define LEAF_RESTARTABLE	BIT(11)
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

static inline bool tdx_sw_td_is_runnable(const struct tdx_sw_tdcs *tdcs)
{
	/* LIVE_EXPORT and LIVE_IMPORT need tracking too but cannot be reached here. */
	return READ_ONCE(tdcs->op_state) == OP_RUNNABLE;
}

static inline u64 op_state_incorrect(const struct tdx_sw_tdcs *tdcs)
{
	return seam_status(SEAM_OP_STATE_INCORRECT, READ_ONCE(tdcs->op_state));
}

/* ---- PAMT (pamt.c: the table, operand.c: pages that a call names) ---- */

/* As it lies in the memory that the host donates in TDH.SYS.CONFIG. */
struct tdx_sw_pamt {
	u16 lock;
	u8 type;
	u8 owner[5];			/* frame number of the TDR */
	u64 bepoch;
};

static_assert(sizeof(struct tdx_sw_pamt) == 16);

struct tdx_sw_tdmr *pamt_find_tdmr(u64 pa);
struct tdx_sw_pamt *pamt_entry(u64 pa, unsigned int level);
struct tdx_sw_pamt *pamt_leaf(u64 pa, unsigned int *level);
u64 pamt_owner(const struct tdx_sw_pamt *pamt);

u64 pamt_lock_page(struct tdx_sw_call *c, u64 pa, u32 operand, enum tdx_sw_page_type type,
		   bool excl, struct tdx_sw_pamt **ret);
u64 pamt_lock_free(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
		   struct tdx_sw_pamt **ret);
u64 pamt_lock_leaf(struct tdx_sw_call *c, u64 pa, u32 operand, bool excl,
		   struct tdx_sw_pamt **ret, unsigned int *level);
u64 pamt_lock_implicit(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
		       bool excl, struct tdx_sw_pamt **ret);

void pamt_assign(struct tdx_sw_pamt *pamt, enum tdx_sw_page_type type, u64 owner);
void pamt_release(struct tdx_sw_pamt *pamt, u64 pa, unsigned int level);
bool pamt_children_are_free(u64 pa);
void pamt_split(struct tdx_sw_pamt *pamt, u64 pa);
void pamt_join(struct tdx_sw_pamt *pamt, u64 pa);
void pamt_init_range(struct tdx_sw_tdmr *tdmr, u64 offset, u64 size);

void pamt_check_invariants(const struct tdx_sw_pamt *pamt);

/* ---- locks of a call (held.c) ---- */

bool tdx_sw_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class, u16 *lock, bool excl);
bool tdx_sw_lock_pamt(struct tdx_sw_call *c, enum tdx_sw_lock_class class,
		      struct tdx_sw_pamt *pamt, bool excl);
bool tdx_sw_promote_last(struct tdx_sw_call *c);
bool tdx_sw_lock_sept_entry(struct tdx_sw_call *c, u64 *entry);
void tdx_sw_unlock_last(struct tdx_sw_call *c);
void tdx_sw_unlock_all(struct tdx_sw_call *c);

/* ---- operands and prologue (operand.c, call.c) ---- */

u64 tdx_sw_check_shared_pa(u64 pa, u64 align, u64 size, u32 operand);
void *tdx_sw_map_shared(u64 pa);
bool tdx_sw_gpa_is_private(u64 gpa);
u64 tdx_sw_prologue(struct tdx_sw_call *c);
bool tdx_sw_is_private_hkid(u64 hkid);

/* ---- Secure EPT (sept.c), and what the CPU walks (eptroot.c) ---- */

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
void sept_fill_table(u64 pa, enum sept_state state, u64 hpa);
bool sept_table_is_one_page(u64 pa, enum sept_state *state, u64 *hpa);

void eptroot_fill(struct tdx_sw_call *c);

/* ---- TLB epochs (epoch.c) ---- */

u64 td_epoch_advance(struct tdx_sw_tdcs *tdcs);
bool td_epoch_tracked(struct tdx_sw_tdcs *tdcs, u64 bepoch);
u64 vp_epoch_enter(struct tdx_sw_call *c);
void vp_epoch_exit(struct tdx_sw_tdcs *tdcs, struct tdx_sw_vcpu *vcpu);

/* ---- faults on request (inject.c) ---- */

/* Asked with interrupts off.  A source that has nothing to request now may be NULL. */
struct inject_source {
	u64 (*leaf)(u16 leaf);
	bool (*lock)(u16 leaf, enum tdx_sw_lock_class class);
	bool (*zero_step)(void);
	bool (*track)(void);
};

enum {
	INJECT_RULES, INJECT_FAULTS, NR_INJECT_SOURCES
};

extern const struct inject_source *inject_sources[NR_INJECT_SOURCES];

u64 inject_leaf(struct tdx_sw_call *c);
bool inject_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class);
bool inject_zero_step(void);
bool inject_track(void);

#endif
