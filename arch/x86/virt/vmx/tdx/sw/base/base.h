/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ground that all rooms stand on: the module's global state, what was set
 * aside at boot, and the CPU that it runs on.
 *
 * Knows the interface in numbers (abi.h), try-locks (lock.h), what the module keeps
 * in donated pages (objects.h), and nothing of any leaf.
 *
 * Execution context of everything in the module: interrupts are off from entry to
 * return, nothing sleeps, allocates or waits for another CPU.  Memory is what the
 * host donates and what was set aside at boot.
 */
#ifndef _X86_VIRT_TDX_SW_BASE_H
#define _X86_VIRT_TDX_SW_BASE_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "base/abi.h"
#include "base/lock.h"
#include "base/objects.h"

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
	bool no_2m;			/* no FEATURE_QUICK_DEMOTE */
	bool ready;			/* memory and hash are set aside */
	u64 seed;
	struct crypto_shash *sha384;
	struct crypto_shash *hmac;
};

extern struct tdx_sw_config tdx_sw_config;
extern bool tdx_sw_enabled;

/* ---- the platform (platform.c) ---- */

int tdx_sw_alloc_scratch(void);
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

/* Does an interrupt wait for this CPU?  What can be resumed gives way to it. */
bool guest_interrupt_waits(void);

static inline u64 seam_status(u64 status, u32 detail)
{
	return status | detail;
}

#endif
