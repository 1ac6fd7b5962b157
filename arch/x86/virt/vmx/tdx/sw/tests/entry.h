/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD whose guest runs on the CPU and executes what a case orders. Needs a CPU
 * with VMX, and VMX operation.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_ENTRY_H
#define _X86_VIRT_TDX_SW_TESTS_ENTRY_H

#include "entry_guest.h"
#include "fixture.h"

#define GUEST_IDT	0x3000ULL
#define GUEST_ORDERS	0x4000ULL	/* code that a case writes */
#define GUEST_STACK	0x5000ULL
#define GUEST_DATA	0x7000ULL
#define GUEST_PENDING	0x8000ULL	/* augmented, not accepted */
#define GUEST_FREE	0x9000ULL	/* nothing there */
#define LINEAR_SHARED	SZ_1G		/* the shared half from address 0 on */
#define LINEAR_NOTHING	SZ_4G		/* a page fault */

#define HOST_DR0	0x1000beef000ULL
#define DR7_DISABLED	0x400
#define DR7_DR0_ENABLED	0x401

#define EXIT_TDCALL		77
#define EXIT_EPT_VIOLATION	48
#define EXIT_EXTERNAL_INTERRUPT	1
#define EXIT_TRIPLE_FAULT	2
#define EXIT_OTHER_SMI		6

#define TDG_VP_VEINFO_GET	3
#define TDG_MEM_PAGE_ACCEPT	6
#define TDG_VM_WR		8

#define NR_LOST_MSRS	5
extern const u32 swe_lost_msr[NR_LOST_MSRS];

/* What an exit may do to the host. */
struct host_regs {
	u64 msr[NR_LOST_MSRS];
	u64 debugctl;
	u64 xcr0;
	u64 xss;
	u64 dr[4];
	u64 dr6;
	u64 dr7;
	u64 cr2;
	u64 xmm3;
	u64 xmm4;
};

struct entry {
	struct swt *t;
	struct swt_td td;
	u64 idt;
	u64 orders;
	u64 stack;
	u64 data;
	u64 posted;			/* page with the posted-interrupt descriptor */
	u64 tsc_before;			/* the host's, around TDH.MNG.INIT */
	u64 tsc_after;
	u64 host_xmm3;			/* in XMM3 at the next entry */
	u64 host_dr7;			/* DR7 at the next entry, unless 0 */
	u64 host_debugctl;		/* bits of IA32_DEBUGCTL at the next entry */
	u64 flags;			/* beside the TDVPR, at the next entry alone */
	bool interrupted;		/* an interrupt waits at the next entry */
	struct host_regs before;
	struct host_regs after;
	struct tdx_module_args regs;	/* of the last exit, answer at the next entry */
};

/* Skips the case where nothing can be entered. */
struct entry *swe_build(struct kunit *test);
/* With a TSC of this frequency, in units of TD_PARAMS; 0 is the usual one. */
struct entry *swe_build_tsc(struct kunit *test, u16 frequency);

u64 swe_shared_bit(void);

/* One TDH.VP.ENTER; interrupts come in between calls. */
u64 swe_enter_once(struct entry *e);
/* Until there is an exit that the case may have to do with. */
u64 swe_enter(struct entry *e);

/* Let the guest execute an order, and come back. */
u64 swe_order(struct entry *e, const u8 *code, const u8 *end);

#define ORDER(e, name)	swe_order(e, swt_order_##name, swt_order_##name##_end)

/* Another handler for an exception; returns the address of the usual one. */
u64 swe_set_handler(struct entry *e, u8 vector, u64 handler);

/* Other operands in @e->regs; returns RAX, and RCX in @e->regs.rdi. */
u64 swe_tdcall(struct entry *e, u64 leaf, u64 rcx);

void swe_vp_wr(struct entry *e, u64 field, u64 value, u64 mask);
u64 swe_vp_rd(struct entry *e, u64 field);

#endif
