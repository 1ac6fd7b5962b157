// SPDX-License-Identifier: GPL-2.0
/*
 * One row for each host leaf of the TDX module's interface: registers, legal TD
 * states, locks.  Data for the suites; nothing in it comes from the module.
 */
#include <linux/kernel.h>

#include "sheet.h"

#define IN_1		R_RCX
#define IN_2		(R_RCX | R_RDX)
#define IN_3		(R_RCX | R_RDX | R_R8)
#define IN_4		(R_RCX | R_RDX | R_R8 | R_R9)
#define OUT_6		(R_RCX | R_RDX | R_R8 | R_R9 | R_R10 | R_R11)

#define OPS_ALL		GENMASK(10, 1)
#define OPS_WRITE	(GENMASK(3, 1) | GENMASK(10, 6))
#define OPS_RANGE	(GENMASK(5, 1) | BIT(8) | BIT(9))
#define OPS_NEW_VCPU	(BIT(1) | BIT(7))

#define SYS(_nr, _name, _in, _out)						\
	{ .nr = _nr, .name = _name, .in = _in, .out = _out, .flags = LF_ANY_SYS_STATE }

#define PLAIN(_nr, _name, _in, _out)						\
	{ .nr = _nr, .name = _name, .in = _in, .out = _out }

/* Leaves that own the TD while they run. */
#define EXCL(_nr, _name, _td, _in, _out, _ops, _flags)				\
	{ .nr = _nr, .name = _name, .td = _td, .tdr = LM_EXCL, .in = _in, .out = _out,	\
	  .op_states = _ops, .flags = _flags }

/* What these return is 0 unless they succeed. */
#define SHARED(_nr, _name, _td, _vcpu, _in, _out, _ops)				\
	{ .nr = _nr, .name = _name, .td = _td, .tdr = LM_SHARED, .vcpu = _vcpu,	\
	  .op_state = LM_SHARED, .in = _in, .out = _out, .zero = _out,		\
	  .op_states = _ops, .flags = LF_NEEDS_TDCS }

#define SEPT(_nr, _name, _tree, _in, _ops)					\
	.nr = _nr, .name = _name, .td = TD_IN_RDX, .tdr = LM_SHARED,		\
	.op_state = LM_SHARED, .tree = _tree, .in = _in, .out = IN_2,		\
	.op_states = _ops, .flags = LF_NEEDS_TDCS | LF_SEPT | LF_SEPT_ENTRY

static const struct sheet_leaf leaves[] = {
	{ .nr = L_VP_ENTER, .name = "VP.ENTER", .td = TD_OF_RCX, .tdr = LM_SHARED,
	  .vcpu = LM_SHARED, .op_state = LM_SHARED, .in = IN_1,
	  .op_states = BIT(2) | BIT(3) | BIT(9), .flags = LF_NEEDS_TDCS },
	EXCL(L_MNG_ADDCX, "MNG.ADDCX", TD_IN_RDX, IN_2, 0, BIT(0), 0),
	EXCL(L_MEM_PAGE_ADD, "MEM.PAGE.ADD", TD_IN_RDX, IN_4, IN_2, BIT(1),
	     LF_NEEDS_TDCS | LF_SEPT),
	{ SEPT(L_MEM_SEPT_ADD, "MEM.SEPT.ADD", LM_SHARED, IN_3, GENMASK(3, 1) | GENMASK(9, 6)),
	  .max_version = 1, .in_v1 = R_R9 | R_R10 | R_R11,
	  .out_v1 = R_R8 | R_R9 | R_R10 | R_R11 },
	SHARED(L_VP_ADDCX, "VP.ADDCX", TD_OF_RDX, LM_EXCL, IN_2, 0, OPS_NEW_VCPU),
	{ SEPT(L_MEM_PAGE_RELOCATE, "MEM.PAGE.RELOCATE", LM_SHARED, IN_3, OPS_RANGE) },
	{ SEPT(L_MEM_PAGE_AUG, "MEM.PAGE.AUG", LM_SHARED, IN_3, GENMASK(3, 1) | BIT(9)) },
	{ SEPT(L_MEM_RANGE_BLOCK, "MEM.RANGE.BLOCK", LM_EXCL, IN_2, OPS_RANGE) },
	EXCL(L_MNG_KEY_CONFIG, "MNG.KEY.CONFIG", TD_IN_RCX, IN_1, 0, 0, 0),
	PLAIN(L_MNG_CREATE, "MNG.CREATE", IN_2, 0),
	SHARED(L_VP_CREATE, "VP.CREATE", TD_IN_RDX, LM_NONE, IN_2, 0, OPS_NEW_VCPU),
	{ .nr = L_MNG_RD, .name = "MNG.RD", .td = TD_IN_RCX, .tdr = LM_SHARED,
	  .op_state = LM_SHARED, .max_version = 1, .in = IN_2, .out = R_R8, .out_v1 = R_RDX,
	  .zero = R_R8,
	  .op_states = OPS_ALL, .flags = LF_NEEDS_TDCS },
	SHARED(L_MEM_RD, "MEM.RD", TD_IN_RDX, LM_NONE, IN_2, R_RCX | R_RDX | R_R8, OPS_ALL),
	SHARED(L_MNG_WR, "MNG.WR", TD_IN_RCX, LM_NONE, IN_4, R_R8, OPS_WRITE),
	SHARED(L_MEM_WR, "MEM.WR", TD_IN_RDX, LM_NONE, IN_4, R_RCX | R_RDX | R_R8, OPS_WRITE),
	{ SEPT(L_MEM_PAGE_DEMOTE, "MEM.PAGE.DEMOTE", LM_SHARED, IN_3, OPS_RANGE) },
	EXCL(L_MR_EXTEND, "MR.EXTEND", TD_IN_RDX, IN_2, IN_2, BIT(1), LF_NEEDS_TDCS | LF_SEPT),
	EXCL(L_MR_FINALIZE, "MR.FINALIZE", TD_IN_RCX, IN_1, 0, BIT(1), LF_NEEDS_TDCS),
	{ .nr = L_VP_FLUSH, .name = "VP.FLUSH", .td = TD_OF_RCX, .tdr = LM_SHARED,
	  .vcpu = LM_EXCL, .in = IN_1 },
	EXCL(L_MNG_VPFLUSHDONE, "MNG.VPFLUSHDONE", TD_IN_RCX, IN_1, 0, 0, 0),
	EXCL(L_MNG_KEY_FREEID, "MNG.KEY.FREEID", TD_IN_RCX, IN_1, 0, 0, 0),
	{ .nr = L_MNG_INIT, .name = "MNG.INIT", .td = TD_IN_RCX, .tdr = LM_EXCL, .in = IN_2,
	  .out = R_RCX, .zero = R_RCX, .op_states = BIT(0), .flags = LF_NEEDS_TDCS },
	{ .nr = L_VP_INIT, .name = "VP.INIT", .td = TD_OF_RCX, .tdr = LM_SHARED,
	  .vcpu = LM_EXCL, .op_state = LM_SHARED, .max_version = 1, .in = IN_2,
	  .in_v1 = R_R8, .op_states = BIT(1), .flags = LF_NEEDS_TDCS },
	{ SEPT(L_MEM_PAGE_PROMOTE, "MEM.PAGE.PROMOTE", LM_EXCL, IN_2, OPS_RANGE),
	  .max_version = 1, .out_v1 = R_R9 | R_R10 | R_R11, .ones_v1 = R_R9 | R_R10 | R_R11 },
	PLAIN(L_PAGE_RDMD, "PHYMEM.PAGE.RDMD", IN_1, OUT_6),
	{ SEPT(L_MEM_SEPT_RD, "MEM.SEPT.RD", LM_SHARED, IN_2, OPS_ALL) },
	{ .nr = L_VP_RD, .name = "VP.RD", .td = TD_OF_RCX, .tdr = LM_SHARED, .vcpu = LM_SHARED,
	  .op_state = LM_SHARED, .max_version = 1, .in = IN_2, .out = R_R8, .out_v1 = R_RDX,
	  .zero = R_R8,
	  .op_states = OPS_ALL, .flags = LF_NEEDS_TDCS },
	PLAIN(L_MNG_KEY_RECLAIMID, "MNG.KEY.RECLAIMID", 0, 0),
	PLAIN(L_PAGE_RECLAIM, "PHYMEM.PAGE.RECLAIM", IN_1, OUT_6),
	{ SEPT(L_MEM_PAGE_REMOVE, "MEM.PAGE.REMOVE", LM_SHARED, IN_2,
	       GENMASK(5, 1) | GENMASK(10, 8)) },
	{ SEPT(L_MEM_SEPT_REMOVE, "MEM.SEPT.REMOVE", LM_EXCL, IN_2, OPS_ALL),
	  .max_version = 1, .out_v1 = R_R9 | R_R10 | R_R11, .ones_v1 = R_R9 | R_R10 | R_R11 },
	SYS(L_SYS_KEY_CONFIG, "SYS.KEY.CONFIG", 0, 0),
	SYS(L_SYS_INFO, "SYS.INFO", IN_4, R_RDX | R_R9),
	SYS(L_SYS_INIT, "SYS.INIT", IN_1, R_RCX | R_RDX | R_R8 | R_R9 | R_R10),
	SYS(L_SYS_RD, "SYS.RD", R_RDX, R_RDX | R_R8),
	SYS(L_SYS_LP_INIT, "SYS.LP.INIT", 0, IN_3),
	PLAIN(L_SYS_TDMR_INIT, "SYS.TDMR.INIT", IN_1, R_RDX),
	SYS(L_SYS_RDALL, "SYS.RDALL", R_RDX | R_R8, R_R8),
	SHARED(L_MEM_TRACK, "MEM.TRACK", TD_IN_RCX, LM_NONE, IN_1, 0, GENMASK(9, 1)),
	{ SEPT(L_MEM_RANGE_UNBLOCK, "MEM.RANGE.UNBLOCK", LM_EXCL, IN_2, OPS_RANGE) },
	PLAIN(L_CACHE_WB, "PHYMEM.CACHE.WB", IN_1, 0),
	PLAIN(L_PAGE_WBINVD, "PHYMEM.PAGE.WBINVD", IN_1, 0),
	SHARED(L_VP_WR, "VP.WR", TD_OF_RCX, LM_SHARED, IN_4, R_R8, OPS_WRITE),
	SYS(L_SYS_LP_SHUTDOWN, "SYS.LP.SHUTDOWN", 0, 0),
	SYS(L_SYS_CONFIG, "SYS.CONFIG", IN_3, 0),
	PLAIN(L_SYS_SHUTDOWN, "SYS.SHUTDOWN", IN_1, 0),
	SYS(L_SYS_UPDATE, "SYS.UPDATE", 0, 0),
};

const struct sheet_leaf *sheet_leaf_at(unsigned int idx)
{
	return idx < ARRAY_SIZE(leaves) ? &leaves[idx] : NULL;
}

const struct sheet_leaf *sheet_leaf(unsigned int nr)
{
	const struct sheet_leaf *leaf;
	unsigned int i;

	for (i = 0; (leaf = sheet_leaf_at(i)); i++) {
		if (leaf->nr == nr)
			return leaf;
	}
	return NULL;
}

u64 sheet_entry(u8 state, u64 hpa)
{
	/* Write-back memory, ignore PAT, a leaf, suppress #VE */
	u64 leaf = 6ULL << 3 | BIT_ULL(6) | BIT_ULL(7) | BIT_ULL(63) | hpa;

	switch (state) {
	case SE_FREE:
		return BIT_ULL(63);
	case SE_MAPPED:
		return leaf | 7;
	case SE_BLOCKED:
	case SE_PENDING:
	case SE_PENDING_BLOCKED:
		return leaf;
	case SE_NL_MAPPED:
		return 7;
	default:
		return 0;
	}
}
