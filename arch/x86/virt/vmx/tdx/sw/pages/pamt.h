/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical address metadata: type and owner of every page in a TDMR.
 * States, locks and invariants are described in pamt.c.
 */
#ifndef _X86_VIRT_TDX_SW_PAMT_H
#define _X86_VIRT_TDX_SW_PAMT_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include "base/abi.h"

struct tdx_sw_call;
struct tdx_sw_tdmr;

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

u64 pamt_check_pa(u64 pa, u32 operand);
u64 pamt_lock_page(struct tdx_sw_call *c, u64 pa, u32 operand, enum tdx_sw_page_type type,
		   bool excl, struct tdx_sw_pamt **ret);
u64 pamt_lock_leaf(struct tdx_sw_call *c, u64 pa, u32 operand, bool excl,
		   struct tdx_sw_pamt **ret, unsigned int *level);
u64 pamt_lock_implicit(struct tdx_sw_call *c, u64 pa, unsigned int level, u32 operand,
		       bool excl, struct tdx_sw_pamt **ret);

void pamt_assign(struct tdx_sw_pamt *pamt, enum tdx_sw_page_type type, u64 owner);
void pamt_release(struct tdx_sw_pamt *pamt, u64 pa, unsigned int level);
void pamt_init_range(struct tdx_sw_tdmr *tdmr, u64 offset, u64 size);

void pamt_check_invariants(const struct tdx_sw_pamt *pamt);

#endif
