/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests may know about the software TDX module: a way to call a leaf, a
 * look at every piece of state, locks held on request, faults on request.
 *
 * Not an interface of the module: production code goes through the SEAMCALL
 * hook only.  Everything here exists with CONFIG_KUNIT alone and has to be
 * called with the module switched on ("tdx_sw=on"), in process context.
 *
 * Physical addresses are plain, without key ID bits, unless said otherwise.
 * Levels are TDX levels: 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB, 3 = 512 GiB.
 */
#ifndef _X86_VIRT_TDX_SW_TEST_H
#define _X86_VIRT_TDX_SW_TEST_H

#include <linux/types.h>
#include <asm/shared/tdx.h>

#include "../base/lock.h"

/* ---- calling ---- */

/**
 * tdx_sw_is_on() - Is the software module switched on?
 *
 * Return: true with "tdx_sw=on" accepted at boot.
 */
bool tdx_sw_is_on(void);

/**
 * tdx_sw_call() - One SEAMCALL through the hook, all registers in and out
 * @leaf: value of RAX: leaf number, version in bits 23:16
 * @args: registers; overwritten with the registers after the call
 *
 * No retry.  May be called with interrupts on or off.
 *
 * Return: RAX after the call.
 */
u64 tdx_sw_call(u64 leaf, struct tdx_module_args *args);

/**
 * tdx_sw_test_call_on() - tdx_sw_call() on a given online CPU
 * @cpu: where
 * @leaf: as above
 * @args: as above
 *
 * Return: RAX after the call.
 */
u64 tdx_sw_test_call_on(unsigned int cpu, u64 leaf, struct tdx_module_args *args);

/**
 * tdx_sw_test_stay_on() - Bind the calling thread to a CPU
 * @cpu: where, online
 *
 * For good, or until the next call.  Goes where @cpu is before it returns.  What
 * relies on the CPU has to be after this, or where nobody can move the thread
 * anyway: "tdx_test.mover=1" moves all threads of tests that are not bound.
 */
void tdx_sw_test_stay_on(unsigned int cpu);

/* Number of packages, number of TDX key IDs (the global one included), first one. */
unsigned int tdx_sw_nr_packages(void);
unsigned int tdx_sw_nr_keyids(void);
unsigned int tdx_sw_first_keyid(void);
/* Position of the key ID in a physical address: phys | (u64)hkid << shift. */
unsigned int tdx_sw_keyid_shift(void);
/* Guest physical width W: SHARED is bit W - 1. */
unsigned int tdx_sw_gpa_width(void);

/* ---- looking ---- */

/* PAMT entry that describes a page: where the walk down from 1 GiB ends. */
struct tdx_sw_page_info {
	u8 type;		/* PT_... */
	u8 level;
	u16 lock;		/* raw lock word; 0 = free, no host priority */
	u64 owner;		/* physical address of the TDR */
	u64 bepoch;
};

struct tdx_sw_td_info {
	u16 sept_lock;		/* word of the tree's lock, with the host's mark */
	u8 lifecycle;		/* 0 HKID_ASSIGNED ... 3 TEARDOWN */
	bool fatal;
	u16 hkid;
	u64 pkg_configured;
	u64 chldcnt;
	u32 num_tdcx;
	/* The rest is 0 with fewer than 6 TDCX pages. */
	u32 op_state;
	u32 num_vcpus;
	u32 num_assoc;
	u64 epoch;
	u16 refcount[2];
	u64 mrtd[6];
};

struct tdx_sw_vcpu_info {
	u8 state;		/* 0 UNINITIALIZED, 2 READY, 4 ACTIVE, 8 DISABLED */
	u8 num_pages;
	u32 index;
	u32 assoc_lp;		/* CPU number, or U32_MAX */
	u64 epoch;
	bool pend_nmi;
};

/* All of them: 0, or -ENOENT when the page is not of the type asked for. */
int tdx_sw_test_page(u64 pa, struct tdx_sw_page_info *info);
int tdx_sw_test_td(u64 tdr, struct tdx_sw_td_info *info);
int tdx_sw_test_vcpu(u64 tdvpr, struct tdx_sw_vcpu_info *info);

/* Module state 0 SYSINIT_PENDING ... 3 SYS_READY, 4 SYS_SHUTDOWN. */
unsigned int tdx_sw_test_sys_state(void);
/* Key ID state: 0 FREE, 1 ASSIGNED, 2 FLUSHED, 3 RESERVED; packages to flush. */
unsigned int tdx_sw_test_kot(unsigned int hkid, u64 *pkgs);

struct tdx_sw_sept_info {
	u64 gpa;
	u8 level;
	u8 state;		/* as in RDX bits 15:8 of TDH.MEM.SEPT.RD */
	bool locked;
	u64 hpa;		/* page mapped or table linked; 0 if neither */
	u64 raw;		/* as stored */
};

/**
 * tdx_sw_test_sept() - Look at one S-EPT entry
 * @tdr: TD
 * @gpa: guest physical address
 * @level: level of the entry
 * @info: result; on -ENXIO describes the entry where the walk ended
 *
 * Unlike TDH.MEM.SEPT.RD this walks through blocked entries.
 *
 * Return: 0; -ENOENT if @tdr is no TD with an S-EPT root; -ENXIO if there is
 * no table for @level.
 */
int tdx_sw_test_sept(u64 tdr, u64 gpa, unsigned int level, struct tdx_sw_sept_info *info);

/**
 * tdx_sw_test_sept_walk() - Visit every S-EPT entry that is not FREE
 * @tdr: TD
 * @fn: called in ascending order of GPA, a table before its entries; a
 *      non-zero return ends the walk
 * @data: for @fn
 *
 * Locks nothing: the caller keeps the tree still.  Blocked tables are
 * descended into, too.
 *
 * Return: 0, what @fn returned, or -ENOENT if @tdr has no S-EPT.
 */
int tdx_sw_test_sept_walk(u64 tdr, int (*fn)(const struct tdx_sw_sept_info *info, void *data),
			  void *data);

/* ---- the whole state ---- */

/*
 * Everything that a leaf could have changed.
 *
 * Holds the module's global state, every key ID, every package's flush state,
 * and for each listed page the PAMT entries of all levels and the content:
 * TDR, TDCS, TDVPS and S-EPT live in such pages.  Host-priority marks, which a
 * busy lock leaves behind, are not compared.
 */
struct tdx_sw_snapshot;

/**
 * tdx_sw_snapshot_take() - Record the state
 * @pages: physical addresses of the pages to include: all that the test gave
 *	   to the module or may give
 * @nr: how many
 *
 * Return: the snapshot or ERR_PTR(-ENOMEM).
 */
struct tdx_sw_snapshot *tdx_sw_snapshot_take(const u64 *pages, unsigned int nr);

/**
 * tdx_sw_snapshot_diff() - Compare two snapshots of the same list of pages
 * @a: before
 * @b: after
 * @buf: receives up to @len bytes of text naming the differences; may be NULL
 * @len: size of @buf
 *
 * Return: number of differences: one per changed global item, key ID, PAMT
 * entry and page content.  0 means that no leaf left a trace.
 */
unsigned int tdx_sw_snapshot_diff(const struct tdx_sw_snapshot *a,
				  const struct tdx_sw_snapshot *b, char *buf, size_t len);

void tdx_sw_snapshot_free(struct tdx_sw_snapshot *snap);

/**
 * tdx_sw_test_check() - Check the module's invariants
 * @pages: all pages that the test gave to the module
 * @nr: how many
 *
 * Checks what no single leaf can: CHLDCNT against the pages owned, owners that
 * are TDRs, S-EPT leaves against PAMT entries (each page mapped once, by its
 * owner), tables against PT_EPT pages, no lock left behind.
 *
 * Return: number of violations; each is logged with pr_err().
 */
unsigned int tdx_sw_test_check(const u64 *pages, unsigned int nr);

/* ---- locks ---- */

struct tdx_sw_test_lock {
	enum tdx_sw_lock_class class;
	bool excl;
	u64 object;
	u64 gpa;
	unsigned int level;
};

/* Hold a lock as another CPU's leaf would: 0, -EBUSY, -ENOENT (no such object). */
int tdx_sw_test_lock(const struct tdx_sw_test_lock *lock);
void tdx_sw_test_unlock(const struct tdx_sw_test_lock *lock);

/* ---- a vCPU inside the TD, without running it ---- */

/**
 * tdx_sw_test_vcpu_enter() - Do to the module's state what TDH.VP.ENTER does
 * @tdvpr: vCPU, READY
 *
 * Takes TDR and TDVPR shared, associates the vCPU with this CPU, counts it into
 * the current TLB epoch; all of it stays until tdx_sw_test_vcpu_exit().
 *
 * Return: the status that TDH.VP.ENTER would have failed with, 0 if inside.
 */
u64 tdx_sw_test_vcpu_enter(u64 tdvpr);
void tdx_sw_test_vcpu_exit(u64 tdvpr);

/*
 * Let the page's 2 MiB be one page of that TD, in its PAMT entry alone, or with
 * @tdr 0 nobody's again.  -ENOENT if the address is in no TDMR.
 */
int tdx_sw_test_set_large(u64 pa, u64 tdr);

/* As if so many more CPUs, or fewer again, were in the middle of a SEAMCALL. */
void tdx_sw_test_add_inside(int nr);

/* Make the TD fatal as a fatal exit would. -ENOENT if @tdr is no TD. */
int tdx_sw_test_set_fatal(u64 tdr);
/* Put the TD into an OP_STATE, also one that no leaf here leads to.  -ENOENT as above. */
int tdx_sw_test_set_op_state(u64 tdr, u32 op_state);

/* ---- what the module finds in the CPU ---- */

struct tdx_sw_fake_msrs {
	u64 misc_enable;
	u64 tsc_adjust;
	u64 debugctl;
	/* What VMX demands of CR0 and CR4; 0: as if the CPU had no VMX */
	u64 cr0_fixed[2];
	u64 cr4_fixed[2];
	/* A VM exit clears DEBUGCTL.  It is in between two reads, so one does it here. */
	bool read_clears_debugctl;
};

/* In place of the MSRs of every CPU.  NULL: those of the CPU again. */
void tdx_sw_test_fake_msrs(struct tdx_sw_fake_msrs *msrs);

/* ---- a guest's exits, without a CPU that runs it ---- */

/*
 * A VMCS made of memory: while one is in place the guest side reads and writes it
 * instead of the CPU's.  Fields that nobody has written are 0.
 */
#define TDX_SW_FAKE_FIELDS	96

struct tdx_sw_fake_vmcs {
	unsigned int nr;
	struct {
		u32 field;
		u64 value;
	} field[TDX_SW_FAKE_FIELDS];
};

/* NULL: none any more.  One at a time, and no TD runs meanwhile. */
void tdx_sw_test_fake_vmcs(struct tdx_sw_fake_vmcs *vmcs);

struct tdx_sw_test_guest {
	u64 gpr[16];		/* RSP is in the VMCS */
	u64 xcr0;
	u64 xss;
	u64 cr2;
	u32 event;		/* as in the VM-entry interruption information */
	u32 event_error;
	u32 ve_valid;
	bool pend_nmi;
	bool trap_like_exit;
	u64 last_tsc;		/* of the last exit */
};

/* 0, or -ENOENT when @tdvpr is no vCPU. */
int tdx_sw_test_guest_get(u64 tdvpr, struct tdx_sw_test_guest *guest);
int tdx_sw_test_guest_set(u64 tdvpr, const struct tdx_sw_test_guest *guest);

struct tdx_sw_test_exit {
	/* What the CPU tells */
	u32 reason;
	u32 intr_info;
	u32 vectoring;
	u32 vectoring_error;
	u32 instr_len;
	u32 instr_info;
	u64 qual;
	u64 gla;
	u64 gpa;
	bool interrupted;	/* an interrupt of the host's waits */
	/* Of an exit right before this one, after which the guest went on; or 0 */
	u32 earlier;

	/* What became of it: the guest goes on, or the host finds these */
	bool to_host;
	u64 rax;
	u64 rbp;		/* the host's before, too */
	struct tdx_module_args regs;
};

/**
 * tdx_sw_test_exit() - Let the module handle an exit of a vCPU
 * @tdvpr: vCPU, inside (tdx_sw_test_vcpu_enter()), with a fake VMCS in place
 * @exit: what the CPU tells, and the outcome
 *
 * Return: 0, or -ENOENT when @tdvpr is no vCPU.
 */
int tdx_sw_test_exit(u64 tdvpr, struct tdx_sw_test_exit *exit);

/**
 * tdx_sw_test_zerostep() - Ask the zero-step filter whether a vCPU may run
 * @tdvpr: vCPU, inside (tdx_sw_test_vcpu_enter()), with a fake VMCS in place
 * @exit: the host's RBP, and the outcome: @to_host if it may not, with the
 * EPT violation that the host finds
 *
 * Return: 0, or -ENOENT when @tdvpr is no vCPU.
 */
int tdx_sw_test_zerostep(u64 tdvpr, struct tdx_sw_test_exit *exit);

/* Give a new vCPU's VMCS what the TD's configuration says of CR0 and CR4. */
int tdx_sw_test_init_cr(u64 tdvpr);

/* Write an S-EPT entry as it is stored: -ENOENT, -ENXIO if there is no table. */
int tdx_sw_test_set_sept(u64 tdr, u64 gpa, unsigned int level, u64 raw);

/* ---- a second module, for the SYS leaves ---- */

/**
 * tdx_sw_test_fresh_begin() - Put a freshly loaded module in place
 *
 * The module that the host brought up steps aside, untouched, until
 * tdx_sw_test_fresh_end().  The fresh one has the same CMRs and key IDs, is
 * SYSINIT_PENDING, and all its TDMRs and PAMTs are the test's.  No other CPU may
 * call the module meanwhile, except on the test's behalf.
 *
 * Return: 0, -ENOMEM, or -EBUSY if there is a fresh one already.
 */
int tdx_sw_test_fresh_begin(void);
void tdx_sw_test_fresh_end(void);

struct tdx_sw_test_cmr {
	u64 base;
	u64 size;
};

/* Replace the CMRs of the fresh module: ascending, disjoint, up to 32. */
int tdx_sw_test_fresh_cmrs(const struct tdx_sw_test_cmr *cmrs, unsigned int nr);
/* Pretend to have this many packages (1 to 64); CPU n is in package n % packages. */
void tdx_sw_test_fresh_packages(unsigned int nr);
/* CMRs in force; returns how many of up to @max were stored. */
unsigned int tdx_sw_test_cmrs(struct tdx_sw_test_cmr *cmrs, unsigned int max);

/* ---- faults ---- */

#define TDX_SW_ANY_LEAF	0xffff

/**
 * tdx_sw_inject_set() - Let a call of a leaf fail
 * @leaf: leaf number or TDX_SW_ANY_LEAF
 * @nth: which call from now on fails first: 1 is the next one
 * @times: how many calls in a row fail then
 * @status: what they answer, operand id included
 *
 * The call fails after the dispatcher's own checks and before the leaf touches
 * anything.  INTERRUPTED_RESUMABLE for TDH.PHYMEM.CACHE.WB and
 * INTERRUPTED_RESTARTABLE for TDH.MEM.PAGE.DEMOTE and .PROMOTE are answered by a flow
 * that has begun.
 *
 * Return: 0, -EINVAL (no such leaf, @nth or @times 0, status 0), -ENOSPC (16
 * rules exist).
 */
int tdx_sw_inject_set(u16 leaf, unsigned int nth, unsigned int times, u64 status);

/**
 * tdx_sw_inject_lock() - Let try-locks of a class be found held
 * @class: which locks
 * @leaf: only in calls of this leaf, or TDX_SW_ANY_LEAF
 * @nth: which attempt from now on fails first: 1 is the next one
 * @times: how many attempts in a row fail then
 *
 * Return: as tdx_sw_inject_set().
 */
int tdx_sw_inject_lock(enum tdx_sw_lock_class class, u16 leaf, unsigned int nth,
		       unsigned int times);

/**
 * tdx_sw_inject_zero_step() - Let TDH.VP.ENTER make up an EPT violation
 * @nth: which entry from now on is the first to do so: 1 is the next one
 * @times: how many entries in a row do then
 *
 * Entries count if nothing else speaks against them and the vCPU's last exit was
 * a private EPT violation; it is that one which the host is shown again.
 *
 * Return: as tdx_sw_inject_set().
 */
int tdx_sw_inject_zero_step(unsigned int nth, unsigned int times);

/**
 * tdx_sw_inject_track() - Let TDH.MEM.TRACK run in the middle of TDH.MEM.RANGE.BLOCK
 * @nth: which RANGE.BLOCK from now on is the first to meet it: 1 is the next one
 * @times: how many in a row do then
 *
 * Between its two steps, the change of the entry and the sample of TD_EPOCH,
 * another CPU seems to call TRACK, which fails as it would have failed there.
 *
 * Return: as tdx_sw_inject_set().
 */
int tdx_sw_inject_track(unsigned int nth, unsigned int times);

/* Remove every rule.  Returns how many had not fired to their end. */
unsigned int tdx_sw_inject_clear(void);

/* Calls of a leaf since boot: all of them, and those that ended in an error. */
u64 tdx_sw_count(u16 leaf, u64 *errors);
/* RCX of the last call of a leaf, whatever became of it. */
u64 tdx_sw_last_rcx(u16 leaf);

#endif
