/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A freshly loaded module for suites that need one before it is ready, with
 * several packages, or with TDMRs of their own.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_FRESH_H
#define _X86_VIRT_TDX_SW_TESTS_FRESH_H

#include <linux/build_bug.h>

#include "fixture.h"

/* TDMR_INFO; PAMT areas for 1 GiB, 2 MiB and 4 KiB in this order. */
struct tdmr_info {
	u64 base;
	u64 size;
	struct {
		u64 base;
		u64 size;
	} pamt[3];
	struct {
		u64 offset;
		u64 size;
	} rsvd[16];
	u64 pad[24];
};

static_assert(sizeof(struct tdmr_info) == 512);

#define FRESH_TDMRS	2

struct swt_fresh {
	struct page *pool;	/* the pages that the module gets */
	unsigned int used;
	struct page *pamt_4k[FRESH_TDMRS];
	struct page *pamt_small[FRESH_TDMRS];
	/* What SYS.CONFIG is told, valid until a case spoils it. */
	u64 *array;		/* TDMR_INFO addresses */
	struct tdmr_info *info;
	unsigned int nr_tdmrs;
};

/* Nothing initialised; CPU n is in package n % @packages. */
struct swt_fresh *swt_fresh_begin(struct swt *t, unsigned int packages);
void swt_fresh_end(struct swt *t);
struct page *swt_fresh_page(struct swt *t);

/* Step by step: each brings the module into the state before it first. */
void swt_fresh_init(struct swt *t);
void swt_fresh_lp_init(struct swt *t);
void swt_fresh_config(struct swt *t);
void swt_fresh_key_config(struct swt *t);
void swt_fresh_tdmr_init(struct swt *t);

void swt_fresh_config_args(struct swt *t, struct tdx_module_args *args);

#endif
