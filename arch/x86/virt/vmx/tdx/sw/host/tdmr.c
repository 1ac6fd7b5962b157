// SPDX-License-Identifier: GPL-2.0
/*
 * Trust domain memory regions: SYS.CONFIG takes them and the memory for their
 * metadata from the host, SYS.TDMR.INIT makes them usable piece by piece.
 *
 * Until the state says SYSCONFIG_DONE nobody looks at the table of TDMRs, so
 * SYS.CONFIG reads the host's structures straight into it, once, and checks
 * what it has read.
 */
#include <linux/align.h>
#include <linux/cpumask.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "host/host.h"

/* 4 MiB of memory for each call */
#define INIT_STEP	(1024 * PAGE_SIZE)

#define TDMR_DETAIL(tdmr, sub, other)	((tdmr) | (sub) << 8 | (other) << 16)

static bool overlaps(u64 a, u64 a_end, u64 b, u64 b_end)
{
	return a < b_end && b < a_end;
}

/* Adjacent CMRs count as one. */
static bool in_cmrs(u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < tdx_sw->nr_cmrs && start < end; i++) {
		const struct seam_cmr *cmr = &tdx_sw->cmrs[i];

		if (start >= cmr->base && start - cmr->base < cmr->size)
			start = cmr->base + cmr->size;
	}
	return start >= end;
}

static u64 tdmr_end(const struct tdx_sw_tdmr *tdmr)
{
	return tdmr->base + tdmr->size;
}

static u64 check_range(unsigned int idx)
{
	const struct tdx_sw_tdmr *tdmr = &tdx_sw->tdmrs[idx];
	u64 top = BIT_ULL(tdx_sw_config.hkid_shift);

	if (!tdmr->size || !IS_ALIGNED(tdmr->base | tdmr->size, SZ_1G) || tdmr->base >= top ||
	    tdmr->size > top - tdmr->base)
		return SEAM_INVALID_TDMR | TDMR_DETAIL(idx, 0, 0);
	if (idx && tdmr->base < tdmr_end(&tdx_sw->tdmrs[idx - 1]))
		return SEAM_NON_ORDERED_TDMR | TDMR_DETAIL(idx, 0, idx - 1);
	return SEAM_SUCCESS;
}

/* Copy the reserved areas, checking them on the way. */
static u64 take_reserved(unsigned int idx, const struct seam_tdmr_info *info)
{
	struct tdx_sw_tdmr *tdmr = &tdx_sw->tdmrs[idx];
	unsigned int i;
	bool end = false;

	tdmr->nr_rsvd = 0;
	for (i = 0; i < SEAM_MAX_RESERVED; i++) {
		u64 offset = info->rsvd[i].offset, size = info->rsvd[i].size;

		if (!size) {
			end = true;
			continue;
		}
		if (end || !PAGE_ALIGNED(offset | size) || offset >= tdmr->size ||
		    size > tdmr->size - offset)
			return SEAM_INVALID_RESERVED_IN_TDMR | TDMR_DETAIL(idx, i, 0);
		if (i && tdmr->base + offset < tdmr->rsvd[i - 1].end)
			return SEAM_NON_ORDERED_RESERVED_IN_TDMR | TDMR_DETAIL(idx, i, 0);
		tdmr->rsvd[i].start = tdmr->base + offset;
		tdmr->rsvd[i].end = tdmr->base + offset + size;
		tdmr->nr_rsvd++;
	}
	return SEAM_SUCCESS;
}

typedef bool (*range_check)(u64 start, u64 end, const void *arg);

/* Does the check hold for each piece between the reserved areas? */
static bool all_usable(const struct tdx_sw_tdmr *tdmr, range_check check, const void *arg)
{
	u64 pos = tdmr->base;
	unsigned int i;

	for (i = 0; i < tdmr->nr_rsvd; i++) {
		if (pos < tdmr->rsvd[i].start && !check(pos, tdmr->rsvd[i].start, arg))
			return false;
		pos = tdmr->rsvd[i].end;
	}
	return pos >= tdmr_end(tdmr) || check(pos, tdmr_end(tdmr), arg);
}

static bool piece_in_cmrs(u64 start, u64 end, const void *arg)
{
	return in_cmrs(start, end);
}

struct span {
	u64 start;
	u64 end;
};

static bool piece_is_apart(u64 start, u64 end, const void *arg)
{
	const struct span *span = arg;

	return !overlaps(start, end, span->start, span->end);
}

static u64 check_pamt_area(unsigned int idx, unsigned int level)
{
	const struct tdx_sw_tdmr *tdmr = &tdx_sw->tdmrs[idx];
	u64 need = (tdmr->size >> SEPT_SHIFT(level)) * sizeof(struct tdx_sw_pamt);
	u64 base = tdmr->pamt[level], size = tdmr->pamt_size[level];
	u64 top = BIT_ULL(tdx_sw_config.hkid_shift);

	if (!PAGE_ALIGNED(base | size) || size < need || base >= top || size > top - base)
		return SEAM_INVALID_PAMT | TDMR_DETAIL(idx, level, 0);
	if (!in_cmrs(base, base + size))
		return SEAM_PAMT_OUTSIDE_CMRS | TDMR_DETAIL(idx, level, 0);
	return SEAM_SUCCESS;
}

/* One PAMT area against all TDMRs, and against the areas before it. */
static u64 check_pamt_overlap(unsigned int idx, unsigned int level, unsigned int nr)
{
	const struct tdx_sw_tdmr *tdmr = &tdx_sw->tdmrs[idx];
	struct span span = {
		.start = tdmr->pamt[level],
		.end = tdmr->pamt[level] + tdmr->pamt_size[level],
	};
	unsigned int i, l;

	for (i = 0; i < nr; i++) {
		const struct tdx_sw_tdmr *other = &tdx_sw->tdmrs[i];

		if (!all_usable(other, piece_is_apart, &span))
			return SEAM_PAMT_OVERLAP | TDMR_DETAIL(idx, level, i);
		for (l = 0; l < SEAM_NR_SIZES; l++) {
			if (i == idx && l == level)
				continue;
			if (overlaps(span.start, span.end, other->pamt[l],
				     other->pamt[l] + other->pamt_size[l]))
				return SEAM_PAMT_OVERLAP | TDMR_DETAIL(idx, level, i);
		}
	}
	return SEAM_SUCCESS;
}

static u64 take_tdmr(unsigned int idx, const struct seam_tdmr_info *info)
{
	struct tdx_sw_tdmr *tdmr = &tdx_sw->tdmrs[idx];
	unsigned int level;
	u64 status;

	memset(tdmr, 0, sizeof(*tdmr));
	tdmr->base = READ_ONCE(info->base);
	tdmr->size = READ_ONCE(info->size);
	for (level = 0; level < SEAM_NR_SIZES; level++) {
		tdmr->pamt[level] = READ_ONCE(info->pamt[SEAM_1G - level].base);
		tdmr->pamt_size[level] = READ_ONCE(info->pamt[SEAM_1G - level].size);
	}

	status = check_range(idx);
	if (!status)
		status = take_reserved(idx, info);
	if (!status && !all_usable(tdmr, piece_in_cmrs, NULL))
		status = SEAM_TDMR_OUTSIDE_CMRS | TDMR_DETAIL(idx, 0, 0);
	for (level = 0; level < SEAM_NR_SIZES && !status; level++)
		status = check_pamt_area(idx, level);
	return status;
}

static u64 take_tdmrs(const u64 *array, unsigned int nr)
{
	/* Room that no call in this state uses otherwise. */
	struct seam_tdmr_info *info = (void *)tdx_sw_scratch();
	unsigned int i, level;
	u64 status;

	for (i = 0; i < nr; i++) {
		u64 pa = READ_ONCE(array[i]);

		status = tdx_sw_check_shared_pa(pa, 512, sizeof(*info), OPERAND_RCX);
		if (status)
			return status;
		memcpy(info, tdx_sw_map_shared(pa), sizeof(*info));
		status = take_tdmr(i, info);
		if (status)
			return status;
	}

	for (i = 0; i < nr; i++) {
		for (level = 0; level < SEAM_NR_SIZES; level++) {
			status = check_pamt_overlap(i, level, nr);
			if (status)
				return status;
		}
	}
	return SEAM_SUCCESS;
}

u64 tdx_sw_sys_config(struct tdx_sw_call *c)
{
	u64 status, nr = c->in.rdx, hkid = c->in.r8;

	if (!tdx_sw_lock(c, TDX_SW_LOCK_SYS, &tdx_sw->sys_lock, true))
		return SEAM_SYS_BUSY;
	if (tdx_sw->sys_state != SYSINIT_DONE ||
	    !cpumask_subset(cpu_present_mask, &tdx_sw->lp_initialized))
		return SEAM_SYS_CONFIG_NOT_PENDING;

	status = tdx_sw_check_shared_pa(c->in.rcx, 512, 512, OPERAND_RCX);
	if (status)
		return status;
	if (!nr || nr > SEAM_MAX_TDMRS)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RDX);
	if (!tdx_sw_is_private_hkid(hkid))
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_R8);

	/* Stays reserved whatever follows: so the interface says. */
	tdx_sw->kot[hkid].state = HKID_RESERVED;

	status = take_tdmrs(tdx_sw_map_shared(c->in.rcx), nr);
	if (status)
		return status;

	tdx_sw->global_hkid = hkid;
	tdx_sw->nr_tdmrs = nr;
	WRITE_ONCE(tdx_sw->sys_state, SYSCONFIG_DONE);
	return SEAM_SUCCESS;
}

u64 tdx_sw_sys_tdmr_init(struct tdx_sw_call *c)
{
	struct tdx_sw_tdmr *tdmr = pamt_find_tdmr(c->in.rcx);

	c->regs->rdx = 0;

	if (!tdmr || tdmr->base != c->in.rcx)
		return seam_status(SEAM_OPERAND_INVALID, OPERAND_RCX);
	if (!tdx_sw_lock(c, TDX_SW_LOCK_TDMR, &tdmr->lock, true))
		return seam_status(SEAM_OPERAND_BUSY, OPERAND_RCX);
	if (tdmr->next_init == tdmr->size)
		return SEAM_TDMR_ALREADY_INITIALIZED;

	pamt_init_range(tdmr, tdmr->next_init, INIT_STEP);
	/* Who finds a block initialised has to see its entries. */
	smp_store_release(&tdmr->next_init, tdmr->next_init + INIT_STEP);
	c->regs->rdx = ALIGN_DOWN(tdmr->base + tdmr->next_init, SZ_1G);
	return SEAM_SUCCESS;
}
