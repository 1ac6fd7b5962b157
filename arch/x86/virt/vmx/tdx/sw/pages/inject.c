// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on request: a leaf answers a status that it was told to, or finds a
 * lock held that is not, or the zero-step filter finds an address that still
 * faults, or another CPU calls TDH.MEM.TRACK in the middle of TDH.MEM.RANGE.BLOCK.
 *
 * Who requests them is above (probe/): rules of tests in the kernel, and the kernel's
 * own fault injection.  A leaf that fails by request has not touched anything.
 */
#include "pages/pages.h"

const struct inject_source *inject_sources[NR_INJECT_SOURCES];

static bool is_interruption(const struct tdx_sw_call *c, u64 status)
{
	return (c->leaf->flags & LEAF_RESUMABLE && status == SEAM_INTERRUPTED_RESUMABLE) ||
	       (c->leaf->flags & LEAF_RESTARTABLE && status == SEAM_INTERRUPTED_RESTARTABLE);
}

/**
 * inject_leaf() - Should this call fail?
 * @c: call
 *
 * An interruption lets the leaf begin and stop itself.
 *
 * Return: the status to fail with, or SUCCESS.
 */
u64 inject_leaf(struct tdx_sw_call *c)
{
	u64 status = SEAM_SUCCESS;
	unsigned int i;

	for (i = 0; i < NR_INJECT_SOURCES && !status; i++) {
		const struct inject_source *source = READ_ONCE(inject_sources[i]);

		if (source)
			status = source->leaf(c->leaf->nr);
	}
	if (!is_interruption(c, status))
		return status;

	c->interrupt = true;
	return SEAM_SUCCESS;
}

/* Should this attempt at a lock find it held? */
bool inject_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class)
{
	unsigned int i;

	for (i = 0; i < NR_INJECT_SOURCES; i++) {
		const struct inject_source *source = READ_ONCE(inject_sources[i]);

		if (source && source->lock(c->leaf->nr, class))
			return true;
	}
	return false;
}

/* Should this entry answer with the vCPU's last violation, as if it was still one? */
bool inject_zero_step(void)
{
	unsigned int i;

	for (i = 0; i < NR_INJECT_SOURCES; i++) {
		const struct inject_source *source = READ_ONCE(inject_sources[i]);

		if (source && source->zero_step())
			return true;
	}
	return false;
}

/* Should this RANGE.BLOCK meet another CPU's TRACK? */
bool inject_track(void)
{
	unsigned int i;

	for (i = 0; i < NR_INJECT_SOURCES; i++) {
		const struct inject_source *source = READ_ONCE(inject_sources[i]);

		if (source && source->track())
			return true;
	}
	return false;
}
