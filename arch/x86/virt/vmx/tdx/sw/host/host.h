/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Leaves of the host that run no vCPU: the module's own life, key IDs, TDs, vCPUs,
 * memory.
 *
 * Knows the guest's room, for what a new TD is set up with, and those below; not
 * how a vCPU runs.
 */
#ifndef _X86_VIRT_TDX_SW_HOST_H
#define _X86_VIRT_TDX_SW_HOST_H

#include "td/td.h"

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
u64 tdx_sw_mem_page_relocate(struct tdx_sw_call *c);
u64 tdx_sw_mem_page_demote(struct tdx_sw_call *c);
u64 tdx_sw_mem_page_promote(struct tdx_sw_call *c);

/* What these have in common (mem.c) */
u64 mem_find_entry(struct tdx_sw_call *c, enum sept_op op, struct sept_walk *walk,
		   struct sept_cell *cell, bool lock);
void mem_take_page(struct tdx_sw_call *c, struct tdx_sw_pamt *pamt,
		   enum tdx_sw_page_type type, unsigned int level);

u64 tdx_sw_mr_extend(struct tdx_sw_call *c);
u64 tdx_sw_mr_finalize(struct tdx_sw_call *c);

u64 tdx_sw_phymem_page_rdmd(struct tdx_sw_call *c);
u64 tdx_sw_phymem_page_reclaim(struct tdx_sw_call *c);
u64 tdx_sw_phymem_page_wbinvd(struct tdx_sw_call *c);
u64 tdx_sw_phymem_cache_wb(struct tdx_sw_call *c);

u64 td_init_params(struct tdx_sw_call *c, struct tdx_sw_tdcs *new,
		   const struct seam_td_params *p);

#endif
