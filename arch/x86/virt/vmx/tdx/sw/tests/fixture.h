/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all conformance suites share: module brought up, pages, calls that check
 * the whole state, TDs in any state, and a clean-up that gets every page back
 * from wherever a failed case left it.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_FIXTURE_H
#define _X86_VIRT_TDX_SW_TESTS_FIXTURE_H

#include <kunit/test.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "probe/sw_test.h"
#include "model.h"
#include "sheet.h"

#define SWT_LOCKS	4
#define SWT_LARGE	8

struct swt_fresh;

struct swt {
	struct kunit *test;
	struct model m;
	unsigned int cpu;		/* the case runs here and nowhere else */
	/* Compare the whole state after every call; off while a case sets up. */
	bool checked;
	struct tdx_sw_fake_msrs msrs;
	struct swt_fresh *fresh;	/* a second module in place of the host's */
	unsigned int nr_large;
	u64 large[SWT_LARGE];		/* pages of 2 MiB */
	unsigned int nr_locks;
	struct tdx_sw_test_lock lock[SWT_LOCKS];
	char where[96];
};

int swt_suite_init(struct kunit_suite *suite);
int swt_init(struct kunit *test);
void swt_exit(struct kunit *test);

static inline struct swt *swt_of(struct kunit *test)
{
	return test->priv;
}

/* A page that the module may get, filled with a pattern of its own. */
u64 swt_page(struct swt *t);
void swt_fill(u64 pa);
/*
 * The same of 2 MiB.  The model has its first 4 KiB, and the others from a split on: only
 * these are compared when a call has been refused.
 */
u64 swt_large(struct swt *t);

static inline void *swt_va(u64 pa)
{
	return phys_to_virt(pa);
}

#define SWT_ARGS(...)	(&(struct tdx_module_args){ __VA_ARGS__ })

/*
 * One call with junk in the registers that it does not read. Registers that it
 * does not return have to come back as they were.
 */
u64 swt_call(struct swt *t, u64 leaf, struct tdx_module_args *args);

/* swt_call() that has to succeed, with the effects of the reference model. */
#define swt_ok(t, leaf, args)	\
	__swt_ok(t, __FILE__, __LINE__, leaf, args)
/* swt_call() that has to answer a status and to leave no trace. */
#define swt_no(t, want, leaf, args)	\
	__swt_no(t, __FILE__, __LINE__, want, leaf, args)
/* Compare the module with the model. */
#define swt_check(t)	\
	__swt_check(t, __FILE__, __LINE__)

void __swt_ok(struct swt *t, const char *file, int line, u64 leaf, struct tdx_module_args *args);
void __swt_no(struct swt *t, const char *file, int line, u64 want, u64 leaf,
	      struct tdx_module_args *args);
void __swt_check(struct swt *t, const char *file, int line);

/* As swt_call(), on another CPU. */
u64 swt_call_on(struct swt *t, unsigned int cpu, u64 leaf, struct tdx_module_args *args);

/* Locks held for the case; all are dropped at its end. */
void swt_lock(struct swt *t, const struct tdx_sw_test_lock *lock);
void swt_unlock_all(struct swt *t);

void swt_enter(struct swt *t, u64 tdvpr);
void swt_leave(struct swt *t, u64 tdvpr);

/* CPU of another package than the first one's, or just another CPU. */
unsigned int swt_other_cpu(struct swt *t);

/* From here on the module reads these MSRs; it has no objection to them at first. */
struct tdx_sw_fake_msrs *swt_fake_msrs(struct swt *t);

/* ---- TD_PARAMS ---- */

#define PARAMS_ATTRIBUTES	0
#define PARAMS_XFAM		8
#define PARAMS_MAX_VCPUS	16
#define PARAMS_NUM_L2_VMS	18
#define PARAMS_MSR_CONFIG_CTLS	19
#define PARAMS_EPTP_CONTROLS	24
#define PARAMS_CONFIG_FLAGS	32
#define PARAMS_TSC_FREQUENCY	40
#define PARAMS_MRCONFIGID	80
#define PARAMS_MROWNER		128
#define PARAMS_MROWNERCONFIG	176
#define PARAMS_ARCH_CAP		224
#define PARAMS_CPUID		256
#define PARAMS_SIZE		1024

#define EPTP_CONTROLS_4_LEVELS	(6 | 3 << 3)

void swt_default_params(void *params);

/* ---- TDs ---- */

enum swt_stage {
	STAGE_ASSIGNED, STAGE_KEYED, STAGE_UNINITIALIZED, STAGE_INITIALIZED, STAGE_RUNNABLE,
};

struct swt_td {
	u64 tdr;
	u64 tdcx[MIN_TDCX];
	u64 params;		/* page with TD_PARAMS */
	u64 vcpu;		/* the first one, if there are any */
	unsigned int hkid;
};

/* The @idx-th key ID that TDs may have. */
static inline unsigned int swt_key(struct swt *t, unsigned int idx)
{
	return t->m.first_key + 1 + idx;
}

void swt_td_create(struct swt *t, struct swt_td *td, unsigned int key);
void swt_td_config_key(struct swt *t, struct swt_td *td);
void swt_td_add_tdcx(struct swt *t, struct swt_td *td);
void swt_td_init(struct swt *t, struct swt_td *td);
u64 swt_vcpu_create(struct swt *t, struct swt_td *td, unsigned int pages);
u64 swt_vcpu_add(struct swt *t, struct swt_td *td);
/* All of the above up to a stage; RUNNABLE comes with one vCPU. */
void swt_td_build(struct swt *t, struct swt_td *td, unsigned int key, enum swt_stage stage);

/* Tables down to level @level for a GPA, where there are none yet. */
void swt_tables(struct swt *t, struct swt_td *td, u64 gpa, unsigned int level);
/* A page at a GPA, tables included; returns its physical address. */
u64 swt_add(struct swt *t, struct swt_td *td, u64 gpa);
u64 swt_aug(struct swt *t, struct swt_td *td, u64 gpa);
u64 swt_aug_large(struct swt *t, struct swt_td *td, u64 gpa);
/* The first of the 512 pages of which one consisted that is 2 MiB and PENDING. */
u64 swt_aug_parts(struct swt *t, struct swt_td *td, u64 gpa);
void swt_block(struct swt *t, struct swt_td *td, u64 gpa, unsigned int level);
void swt_track(struct swt *t, struct swt_td *td);

/* Key life cycle to its end: TEARDOWN. */
void swt_td_block(struct swt *t, struct swt_td *td);
void swt_write_back(struct swt *t);
void swt_td_free_key(struct swt *t, struct swt_td *td);

/* ---- a TD in which every leaf has something to work on ---- */

#define STD_MAPPED		0x0000ULL
#define STD_BLOCKED		0x1000ULL
#define STD_PENDING		0x2000ULL
#define STD_PENDING_BLOCKED	0x3000ULL
#define STD_FREE		0x4000ULL
#define STD_EMPTY_TABLE		SZ_2M		/* blocked */
#define STD_NO_TABLE		(2ULL * SZ_2M)
#define STD_LARGE		(5ULL * SZ_2M)	/* see swt_std_for() */

struct swt_std {
	struct swt_td td;
	u64 mapped;		/* page at STD_MAPPED */
	u64 blocked;
	u64 table;		/* the empty one */
	u64 new_vcpu;		/* 5 pages: takes one more */
	u64 full_vcpu;		/* 6 pages: can be initialised */
	u64 spare;		/* page for whoever wants one */
	u64 source;
};

/*
 * From INITIALIZED on with all entries and vCPUs above; what is blocked is
 * tracked, and nobody is inside.
 */
void swt_std_build(struct swt *t, struct swt_std *std, unsigned int key, enum swt_stage stage);

/* What that TD lacks for a leaf: a page of 2 MiB to split, or 512 to join. */
void swt_std_for(struct swt *t, struct swt_std *std, unsigned int leaf);

/* Operands with which a leaf succeeds on that TD, in a state in which it is legal. */
void swt_std_args(struct swt_std *std, unsigned int leaf, struct tdx_module_args *args);

/* Fields that every TD and vCPU has. */
#define FIELD_NUM_VCPUS		0x9010000200000001ULL
#define FIELD_HP_LOCK_TIMEOUT	0x9110000300000011ULL
#define FIELD_VCPU_INDEX	0xa020000200000002ULL
#define FIELD_PEND_NMI		0x202000000000000bULL

/* Order-dependent sum of a page's words. */
u64 swt_page_sum(u64 pa);

#endif
