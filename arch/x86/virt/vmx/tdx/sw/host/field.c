// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields for the host: TDH.MNG.RD and .WR, TDH.VP.RD and .WR.
 */
#include "host/host.h"

#define HP_LOCK_TIMEOUT_MIN	10000
#define HP_LOCK_TIMEOUT_MAX	100000000

u64 tdx_sw_mng_rd(struct tdx_sw_call *c)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	status = tdfield_read(c, c->in.rdx, false, &value, &next);
	c->regs->r8 = value;
	if (c->version)
		c->regs->rdx = next;
	return status;
}

u64 tdx_sw_mng_wr(struct tdx_sw_call *c)
{
	struct tdx_sw_field_write write = { .data = c->in.r8, .mask = c->in.r9 };
	struct tdx_sw_field_ref ref;
	u64 status, old, new;

	status = tdfield_find_writable(c->in.rdx, false, &ref);
	if (status)
		return status;
	if (ref.field->id == HP_LOCK_TIMEOUT_ID && write.mask != ~0ULL)
		return SEAM_WR_MASK_NOT_VALID;

	old = field_load(c, &ref);
	status = field_merge(ref.field->mask, &write, old, &new);
	if (status)
		return status;
	if (ref.field->id == HP_LOCK_TIMEOUT_ID &&
	    (new < HP_LOCK_TIMEOUT_MIN || new > HP_LOCK_TIMEOUT_MAX))
		return SEAM_FIELD_VALUE_NOT_VALID;

	field_store(c, &ref, new);
	c->regs->r8 = old;
	return SEAM_SUCCESS;
}

u64 tdx_sw_vp_rd(struct tdx_sw_call *c)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	status = vp_take(c, VCPU_READY | VCPU_DISABLED);
	if (!status)
		status = vpfield_read(c, c->in.rdx, false, &value, &next);

	c->regs->r8 = value;
	if (c->version)
		c->regs->rdx = next;
	return status;
}

u64 tdx_sw_vp_wr(struct tdx_sw_call *c)
{
	struct tdx_sw_field_write write = { .data = c->in.r8, .mask = c->in.r9 };
	struct tdx_sw_field_ref ref;
	u64 status, old, new;

	status = vp_take(c, VCPU_READY);
	if (!status)
		status = vpfield_find(c->in.rdx, &ref, SEAM_FIELD_NOT_WRITABLE);
	if (!status && !(ref.field->access & FIELD_WRITE))
		status = SEAM_FIELD_NOT_WRITABLE;
	if (status)
		return status;

	old = field_load(c, &ref);
	status = field_merge(ref.field->mask, &write, old, &new);
	if (!status)
		status = vpfield_check_value(c, ref.field, new);
	if (status)
		return status;

	field_store(c, &ref, new);
	c->regs->r8 = vpfield_shown(&ref, old);
	return SEAM_SUCCESS;
}
