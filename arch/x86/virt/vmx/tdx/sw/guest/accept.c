// SPDX-License-Identifier: GPL-2.0
/*
 * Guest leaves that address the TD's own S-EPT: TDG.MEM.PAGE.ACCEPT and
 * .ATTR.RD, .ATTR.WR.
 *
 * The guest takes no tree lock: a table that it walks through may be blocked
 * meanwhile but not removed before the vCPU has left (gmem.c).  The entry's own
 * lock keeps the host's leaves, and other vCPUs, off the entry while its page is
 * cleared.
 */
#include <asm/page.h>

#include "guest/tdcall.h"

#define PAGES_PER_2M	BIT(9)

/* Extended exit qualification, beside the type */
#define EXT_REQUESTED(level)	((u64)(level) << 32)
#define EXT_FOUND(level)	((u64)(level) << 35)
#define EXT_STATE(state)	((u64)(state) << 38)
#define EXT_LEAF		BIT_ULL(46)

/* RCX of the results: the page waits to be accepted. */
#define PAGE_ATTR_PENDING	BIT_ULL(62)

struct page_info {
	u64 gpa;
	unsigned int level;
};

static bool parse_page_info(u64 rcx, unsigned int max_level, struct page_info *info)
{
	info->level = rcx & GENMASK_ULL(2, 0);
	info->gpa = rcx & SEPT_HPA;
	return !(rcx & ~(SEPT_HPA | GENMASK_ULL(2, 0))) && info->level <= max_level &&
	       !(info->gpa & (BIT_ULL(SEPT_SHIFT(info->level)) - 1)) &&
	       tdx_sw_gpa_is_private(info->gpa);
}

/* The host has to do something about the entry; the TDCALL runs again then. */
static u64 leave_for_host(struct tdcall *t, enum guest_exit_type type,
			  const struct page_info *info, const struct sept_walk *walk)
{
	enum sept_state state = sept_state(walk->val);
	struct guest_exit exit = {
		.reason = EXIT_REASON_EPT_VIOLATION, .gpa = info->gpa,
	};

	if (type != EXIT_TYPE_NONE) {
		exit.qual = GMEM_WRITE;
		exit.ext_qual = type | EXT_REQUESTED(info->level) | EXT_FOUND(walk->level) |
				EXT_STATE(state);
		if (sept_is_leaf_state(state))
			exit.ext_qual |= EXT_LEAF;
	}
	return tdcall_leave(t, guest_exit(t->c, &exit));
}

/*
 * Clear the page from where an interrupted call stopped.  At least one step is
 * made each time, or a guest with many interrupts would never get to the end.
 */
static u64 clear_large_page(struct tdcall *t, const struct sept_walk *walk)
{
	u64 base = sept_target(walk->val, walk->level);
	unsigned int i = (walk->val & SEPT_HPA & ~base) >> PAGE_SHIFT;

	for (;;) {
		clear_page(tdx_sw_map(base + ((u64)i << PAGE_SHIFT)));
		if (++i == PAGES_PER_2M)
			break;
		if (guest_interrupt_waits()) {
			sept_set(walk, SEPT_PENDING, base | (u64)i << PAGE_SHIFT);
			return tdcall_give_way(t);
		}
	}
	sept_set(walk, SEPT_MAPPED, base);
	return SEAM_SUCCESS;
}

static u64 accept_pending(struct tdcall *t, const struct sept_walk *walk)
{
	u64 page = walk->val & SEPT_HPA;

	if (walk->level != SEAM_4K)
		return clear_large_page(t, walk);

	clear_page(tdx_sw_map(page));
	sept_set(walk, SEPT_MAPPED, page);
	return SEAM_SUCCESS;
}

static u64 accept_locked(struct tdcall *t, const struct page_info *info,
			 const struct sept_walk *walk)
{
	enum sept_state state = sept_state(walk->val);

	if (state == SEPT_PENDING)
		return accept_pending(t, walk);
	if (state == SEPT_MAPPED)
		return seam_status(SEAM_PAGE_ALREADY_ACCEPTED, walk->level);
	if (state & SEPT_STATE_NL)
		return seam_status(SEAM_PAGE_SIZE_MISMATCH, walk->level);
	return leave_for_host(t, EXIT_TYPE_ACCEPT, info, walk);
}

u64 tdg_mem_page_accept(struct tdcall *t)
{
	struct page_info info;
	struct sept_walk walk;
	u64 status;

	if (!parse_page_info(t->rcx, SEAM_2M, &info))
		return tdcall_invalid(OPERAND_RCX);
	if (!sept_walk(t->c, info.gpa, info.level, &walk)) {
		if (sept_state(walk.val) == SEPT_MAPPED)
			return seam_status(SEAM_PAGE_ALREADY_ACCEPTED, walk.level);
		return leave_for_host(t, EXIT_TYPE_ACCEPT, &info, &walk);
	}

	status = sept_lock_guest(t->c, &walk);
	if (status)
		return status;
	status = accept_locked(t, &info, &walk);
	sept_unlock_guest(&walk);
	return status;
}

/*
 * Attributes are those of L2 VMs, and there are none: every page has the value 0
 * and nothing but it can be set.
 */
static void attr_result(struct tdcall *t, u64 gpa, const struct sept_walk *walk)
{
	u64 base = gpa & ~(BIT_ULL(SEPT_SHIFT(walk->level)) - 1);

	t->gpr[GPR_RCX] = base | walk->level;
	if (sept_state(walk->val) == SEPT_PENDING)
		t->gpr[GPR_RCX] |= PAGE_ATTR_PENDING;
	t->gpr[GPR_RDX] = 0;
}

static u64 attr_fail(struct tdcall *t, u64 status)
{
	t->gpr[GPR_RCX] = 0;
	t->gpr[GPR_RDX] = 0;
	return status;
}

static bool is_guest_leaf(const struct sept_walk *walk)
{
	enum sept_state state = sept_state(walk->val);

	return state == SEPT_MAPPED || state == SEPT_PENDING;
}

u64 tdg_mem_page_attr_rd(struct tdcall *t)
{
	/* Any address in the page will do. */
	struct page_info info = { .gpa = t->rcx & PAGE_MASK };
	struct sept_walk walk;
	u64 status;

	if (!tdx_sw_gpa_is_private(t->rcx))
		return attr_fail(t, tdcall_invalid(OPERAND_RCX));

	/* Down to the leaf, whatever its size. */
	sept_walk(t->c, info.gpa, SEAM_4K, &walk);
	if (!is_guest_leaf(&walk))
		return leave_for_host(t, EXIT_TYPE_NONE, &info, &walk);
	status = sept_lock_guest(t->c, &walk);
	if (status)
		return attr_fail(t, status);
	if (is_guest_leaf(&walk))
		attr_result(t, info.gpa, &walk);
	else
		status = leave_for_host(t, EXIT_TYPE_NONE, &info, &walk);
	sept_unlock_guest(&walk);
	return status;
}

static u64 check_attr_wr(struct tdcall *t, struct page_info *info)
{
	if (!parse_page_info(t->rcx, SEAM_1G, info))
		return tdcall_invalid(OPERAND_RCX);
	if (t->rdx)
		return tdcall_invalid(OPERAND_RDX);
	if (t->r8)
		return tdcall_invalid(OPERAND_R8);
	return SEAM_SUCCESS;
}

static u64 attr_wr_locked(struct tdcall *t, const struct page_info *info,
			  const struct sept_walk *walk)
{
	if (is_guest_leaf(walk)) {
		attr_result(t, info->gpa, walk);
		return SEAM_SUCCESS;
	}
	if (sept_state(walk->val) & SEPT_STATE_NL)
		return attr_fail(t, seam_status(SEAM_PAGE_SIZE_MISMATCH, walk->level));
	return leave_for_host(t, EXIT_TYPE_ATTR_WR, info, walk);
}

u64 tdg_mem_page_attr_wr(struct tdcall *t)
{
	struct page_info info;
	struct sept_walk walk;
	u64 status;

	status = check_attr_wr(t, &info);
	if (status)
		return attr_fail(t, status);
	if (!sept_walk(t->c, info.gpa, info.level, &walk))
		return leave_for_host(t, EXIT_TYPE_ATTR_WR, &info, &walk);
	status = sept_lock_guest(t->c, &walk);
	if (status)
		return attr_fail(t, status);
	status = attr_wr_locked(t, &info, &walk);
	sept_unlock_guest(&walk);
	return status;
}
