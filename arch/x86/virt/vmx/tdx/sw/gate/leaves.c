// SPDX-License-Identifier: GPL-2.0
/*
 * The table of the host's leaves.
 *
 * Leaves of features that this module does not enumerate (service TDs, export
 * and import, partitioning, Dynamic PAMT, metadata lists) have no row: they get the
 * answer of an unknown leaf.  A level that a leaf could have and no host uses, pages
 * of 1 GiB to split and to join, is refused as one that it doesn't have.
 */
#include <linux/build_bug.h>

#include "gate/gate.h"
#include "host/host.h"
#include "run/run.h"

#define OPS(...)	((u16)(__VA_ARGS__))
#define OPS_1_TO_10	GENMASK(10, 1)
#define OPS_WRITE	(GENMASK(3, 1) | GENMASK(10, 6))
#define OPS_SEPT_ADD	(GENMASK(3, 1) | GENMASK(9, 6))
#define OPS_AUG		(GENMASK(3, 1) | BIT(OP_LIVE_IMPORT))
#define OPS_REMOVE	(GENMASK(5, 1) | GENMASK(10, 8))
#define OPS_BLOCK	(GENMASK(5, 1) | GENMASK(9, 8))
#define OPS_VP_CREATE	(BIT(OP_INITIALIZED) | BIT(OP_STATE_IMPORT))
#define OPS_ENTER	(BIT(OP_RUNNABLE) | BIT(OP_LIVE_EXPORT) | BIT(OP_LIVE_IMPORT))

#define SYS_LEAF(_nr, _name, _fn)						\
	{ .nr = _nr, .name = _name, .fn = _fn, .flags = LEAF_ANY_SYS_STATE }

#define PLAIN_LEAF(_nr, _name, _fn)						\
	{ .nr = _nr, .name = _name, .fn = _fn }

/* TDR alone, held exclusively; state is the leaf's own business. */
#define TDR_LEAF(_nr, _name, _fn, _td)						\
	{ .nr = _nr, .name = _name, .fn = _fn, .td = _td, .tdr_hold = HOLD_EXCL }

/* The TD in one OP_STATE, TDR held exclusively. */
#define TD_EXCL_LEAF(_nr, _name, _fn, _td, _ops, _flags)			\
	{ .nr = _nr, .name = _name, .fn = _fn, .td = _td, .tdr_hold = HOLD_EXCL,	\
	  .op_states = OPS(_ops), .flags = LEAF_TD_STATE | (_flags) }

#define TD_LEAF(_nr, _name, _fn, _td, _ops, _ver, _flags)			\
	{ .nr = _nr, .name = _name, .fn = _fn, .td = _td, .tdr_hold = HOLD_SHARED,	\
	  .op_states = OPS(_ops), .max_version = _ver,				\
	  .flags = LEAF_TD_STATE | LEAF_OP_STATE_LOCK | (_flags) }

#define VP_LEAF(_nr, _name, _fn, _td, _hold, _ops, _ver, _flags)		\
	{ .nr = _nr, .name = _name, .fn = _fn, .td = _td, .tdr_hold = HOLD_SHARED,	\
	  .vcpu_hold = _hold, .op_states = OPS(_ops), .max_version = _ver,	\
	  .flags = LEAF_TD_STATE | LEAF_OP_STATE_LOCK | (_flags) }

#define SEPT_LEAF_FLAGS	(LEAF_TD_STATE | LEAF_OP_STATE_LOCK | LEAF_PAGE_INFO | LEAF_OUT_SEPT)

#define SEPT_LEAF_ROW(_nr, _name, _fn, _tree, _ops, _min, _max, _ver, _flags)	\
	{ .nr = _nr, .name = _name, .fn = _fn, .td = TD_RDX,			\
	  .tdr_hold = HOLD_SHARED, .tree_hold = _tree, .op_states = OPS(_ops),	\
	  .min_level = _min, .max_level = _max, .max_version = _ver,		\
	  .flags = SEPT_LEAF_FLAGS | (_flags) }

/* Ascending; a leaf is looked up by binary search. */
static const struct tdx_sw_leaf leaves[] = {
	{ .nr = TDH_VP_ENTER, .name = "TDH.VP.ENTER", .fn = tdx_sw_vp_enter, .td = TD_OF_RCX,
	  .tdr_hold = HOLD_SHARED, .vcpu_hold = HOLD_SHARED, .op_states = OPS_ENTER,
	  .flags = LEAF_TD_STATE | LEAF_OP_STATE_LOCK | LEAF_TD_ENTRY },
	TDR_LEAF(TDH_MNG_ADDCX, "TDH.MNG.ADDCX", tdx_sw_mng_addcx, TD_RDX),
	{ .nr = TDH_MEM_PAGE_ADD, .name = "TDH.MEM.PAGE.ADD", .fn = tdx_sw_mem_page_add,
	  .td = TD_RDX, .tdr_hold = HOLD_EXCL, .op_states = BIT(OP_INITIALIZED),
	  .flags = LEAF_TD_STATE | LEAF_PAGE_INFO | LEAF_OUT_SEPT },
	SEPT_LEAF_ROW(TDH_MEM_SEPT_ADD, "TDH.MEM.SEPT.ADD", tdx_sw_mem_sept_add, HOLD_SHARED,
		      OPS_SEPT_ADD, SEAM_2M, SEAM_512G, 1, LEAF_RDX_FLAG),
	VP_LEAF(TDH_VP_ADDCX, "TDH.VP.ADDCX", tdx_sw_vp_addcx, TD_OF_RDX, HOLD_EXCL,
		OPS_VP_CREATE, 0, 0),
	SEPT_LEAF_ROW(TDH_MEM_PAGE_RELOCATE, "TDH.MEM.PAGE.RELOCATE", tdx_sw_mem_page_relocate,
		      HOLD_SHARED, OPS_BLOCK, SEAM_4K, SEAM_4K, 0, 0),
	SEPT_LEAF_ROW(TDH_MEM_PAGE_AUG, "TDH.MEM.PAGE.AUG", tdx_sw_mem_page_aug, HOLD_SHARED,
		      OPS_AUG, SEAM_4K, SEAM_2M, 0, 0),
	SEPT_LEAF_ROW(TDH_MEM_RANGE_BLOCK, "TDH.MEM.RANGE.BLOCK", tdx_sw_mem_range_block,
		      HOLD_EXCL, OPS_BLOCK, SEAM_4K, SEAM_512G, 0, 0),
	TDR_LEAF(TDH_MNG_KEY_CONFIG, "TDH.MNG.KEY.CONFIG", tdx_sw_mng_key_config, TD_RCX),
	PLAIN_LEAF(TDH_MNG_CREATE, "TDH.MNG.CREATE", tdx_sw_mng_create),
	TD_LEAF(TDH_VP_CREATE, "TDH.VP.CREATE", tdx_sw_vp_create, TD_RDX, OPS_VP_CREATE, 0, 0),
	TD_LEAF(TDH_MNG_RD, "TDH.MNG.RD", tdx_sw_mng_rd, TD_RCX, OPS_1_TO_10, 1, LEAF_OUT_R8),
	TD_LEAF(TDH_MEM_RD, "TDH.MEM.RD", tdx_sw_mem_rd_wr, TD_RDX, OPS_1_TO_10, 0,
		LEAF_OUT_SEPT | LEAF_OUT_R8),
	TD_LEAF(TDH_MNG_WR, "TDH.MNG.WR", tdx_sw_mng_wr, TD_RCX, OPS_WRITE, 0, LEAF_OUT_R8),
	TD_LEAF(TDH_MEM_WR, "TDH.MEM.WR", tdx_sw_mem_rd_wr, TD_RDX, OPS_WRITE, 0,
		LEAF_OUT_SEPT | LEAF_OUT_R8),
	SEPT_LEAF_ROW(TDH_MEM_PAGE_DEMOTE, "TDH.MEM.PAGE.DEMOTE", tdx_sw_mem_page_demote,
		      HOLD_SHARED, OPS_BLOCK, SEAM_2M, SEAM_2M, 0,
		      LEAF_RDX_FLAG | LEAF_RESTARTABLE),
	TD_EXCL_LEAF(TDH_MR_EXTEND, "TDH.MR.EXTEND", tdx_sw_mr_extend, TD_RDX,
		     BIT(OP_INITIALIZED), LEAF_OUT_SEPT),
	TD_EXCL_LEAF(TDH_MR_FINALIZE, "TDH.MR.FINALIZE", tdx_sw_mr_finalize, TD_RCX,
		     BIT(OP_INITIALIZED), 0),
	{ .nr = TDH_VP_FLUSH, .name = "TDH.VP.FLUSH", .fn = tdx_sw_vp_flush, .td = TD_OF_RCX,
	  .tdr_hold = HOLD_SHARED, .vcpu_hold = HOLD_EXCL },
	TDR_LEAF(TDH_MNG_VPFLUSHDONE, "TDH.MNG.VPFLUSHDONE", tdx_sw_mng_vpflushdone, TD_RCX),
	TDR_LEAF(TDH_MNG_KEY_FREEID, "TDH.MNG.KEY.FREEID", tdx_sw_mng_key_freeid, TD_RCX),
	TD_EXCL_LEAF(TDH_MNG_INIT, "TDH.MNG.INIT", tdx_sw_mng_init, TD_RCX,
		     BIT(OP_UNINITIALIZED), LEAF_OUT_RCX),
	{ .nr = TDH_VP_INIT, .name = "TDH.VP.INIT", .fn = tdx_sw_vp_init, .td = TD_OF_RCX,
	  .tdr_hold = HOLD_EXCL_V1, .vcpu_hold = HOLD_EXCL, .op_states = BIT(OP_INITIALIZED),
	  .max_version = 1, .flags = LEAF_TD_STATE | LEAF_OP_STATE_LOCK },
	SEPT_LEAF_ROW(TDH_MEM_PAGE_PROMOTE, "TDH.MEM.PAGE.PROMOTE", tdx_sw_mem_page_promote,
		      HOLD_EXCL, OPS_BLOCK, SEAM_2M, SEAM_2M, 1,
		      LEAF_OUT_L2_PAGES | LEAF_RESTARTABLE),
	PLAIN_LEAF(TDH_PHYMEM_PAGE_RDMD, "TDH.PHYMEM.PAGE.RDMD", tdx_sw_phymem_page_rdmd),
	SEPT_LEAF_ROW(TDH_MEM_SEPT_RD, "TDH.MEM.SEPT.RD", tdx_sw_mem_sept_rd, HOLD_SHARED,
		      OPS_1_TO_10, SEAM_4K, SEAM_512G, 0, LEAF_RDX_FLAG),
	VP_LEAF(TDH_VP_RD, "TDH.VP.RD", tdx_sw_vp_rd, TD_OF_RCX, HOLD_SHARED, OPS_1_TO_10, 1,
		LEAF_OUT_R8),
	PLAIN_LEAF(TDH_MNG_KEY_RECLAIMID, "TDH.MNG.KEY.RECLAIMID", tdx_sw_mng_key_reclaimid),
	PLAIN_LEAF(TDH_PHYMEM_PAGE_RECLAIM, "TDH.PHYMEM.PAGE.RECLAIM", tdx_sw_phymem_page_reclaim),
	SEPT_LEAF_ROW(TDH_MEM_PAGE_REMOVE, "TDH.MEM.PAGE.REMOVE", tdx_sw_mem_page_remove,
		      HOLD_SHARED, OPS_REMOVE, SEAM_4K, SEAM_1G, 0, 0),
	SEPT_LEAF_ROW(TDH_MEM_SEPT_REMOVE, "TDH.MEM.SEPT.REMOVE", tdx_sw_mem_sept_remove,
		      HOLD_EXCL, OPS_1_TO_10, SEAM_2M, SEAM_512G, 1, LEAF_OUT_L2_PAGES),
	SYS_LEAF(TDH_SYS_KEY_CONFIG, "TDH.SYS.KEY.CONFIG", tdx_sw_sys_key_config),
	SYS_LEAF(TDH_SYS_INFO, "TDH.SYS.INFO", tdx_sw_sys_info),
	SYS_LEAF(TDH_SYS_INIT, "TDH.SYS.INIT", tdx_sw_sys_init),
	SYS_LEAF(TDH_SYS_RD, "TDH.SYS.RD", tdx_sw_sys_rd),
	SYS_LEAF(TDH_SYS_LP_INIT, "TDH.SYS.LP.INIT", tdx_sw_sys_lp_init),
	PLAIN_LEAF(TDH_SYS_TDMR_INIT, "TDH.SYS.TDMR.INIT", tdx_sw_sys_tdmr_init),
	SYS_LEAF(TDH_SYS_RDALL, "TDH.SYS.RDALL", tdx_sw_sys_rdall),
	TD_LEAF(TDH_MEM_TRACK, "TDH.MEM.TRACK", tdx_sw_mem_track, TD_RCX, GENMASK(9, 1), 0, 0),
	SEPT_LEAF_ROW(TDH_MEM_RANGE_UNBLOCK, "TDH.MEM.RANGE.UNBLOCK", tdx_sw_mem_range_unblock,
		      HOLD_EXCL, OPS_BLOCK, SEAM_4K, SEAM_512G, 0, 0),
	{ .nr = TDH_PHYMEM_CACHE_WB, .name = "TDH.PHYMEM.CACHE.WB",
	  .fn = tdx_sw_phymem_cache_wb, .flags = LEAF_RESUMABLE },
	PLAIN_LEAF(TDH_PHYMEM_PAGE_WBINVD, "TDH.PHYMEM.PAGE.WBINVD", tdx_sw_phymem_page_wbinvd),
	VP_LEAF(TDH_VP_WR, "TDH.VP.WR", tdx_sw_vp_wr, TD_OF_RCX, HOLD_SHARED, OPS_WRITE, 0,
		LEAF_OUT_R8),
	SYS_LEAF(TDH_SYS_LP_SHUTDOWN, "TDH.SYS.LP.SHUTDOWN", tdx_sw_sys_lp_shutdown),
	SYS_LEAF(TDH_SYS_CONFIG, "TDH.SYS.CONFIG", tdx_sw_sys_config),
	PLAIN_LEAF(TDH_SYS_SHUTDOWN, "TDH.SYS.SHUTDOWN", tdx_sw_sys_shutdown),
	SYS_LEAF(TDH_SYS_UPDATE, "TDH.SYS.UPDATE", tdx_sw_sys_update),
	SYS_LEAF(TDH_SYS_DISABLE, "TDH.SYS.DISABLE", tdx_sw_sys_disable),
};

static_assert(ARRAY_SIZE(leaves) == 48, "a row for each leaf in enum tdx_sw_leaf_nr");
static_assert(TDH_SYS_DISABLE < TDX_SW_NR_LEAVES);

/* Row of a leaf, or NULL if there is no such leaf. */
const struct tdx_sw_leaf *tdx_sw_find_leaf(unsigned int nr)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(leaves);

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (leaves[mid].nr == nr)
			return &leaves[mid];
		if (leaves[mid].nr < nr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
