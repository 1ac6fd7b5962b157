// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields of TDs: the table, and the rules for reading and writing that
 * fields of vCPUs (vpfield.c) share.
 *
 * Access is what the host of a production TD has; there are no others.  A
 * field that such a host may not read has a row, too: it gets another answer
 * than an id that means nothing.
 */
#include <linux/stddef.h>

#include "sw.h"

#define HP_LOCK_TIMEOUT_ID	0x9110000300000011ULL
#define HP_LOCK_TIMEOUT_MIN	10000
#define HP_LOCK_TIMEOUT_MAX	100000000
#define CPUID_VALUES_ID		0x9410000300000000ULL

/* The id says how large an element is; in memory it is as large. */
#define ROW(_id, _nr, _obj, _type, _member, _access, _mask)			\
	{ .id = _id, .nr = _nr, .object = _obj, .access = _access, .mask = _mask,	\
	  .offset = offsetof(_type, _member) }

#define TDR(_id, _member)							\
	ROW(_id, 1, FIELD_TDR, struct tdx_sw_tdr, _member, FIELD_READ, 0)
#define TDR_ARRAY(_id, _nr, _member)						\
	ROW(_id, _nr, FIELD_TDR, struct tdx_sw_tdr, _member, FIELD_READ, 0)
#define TDCS(_id, _member)							\
	ROW(_id, 1, FIELD_TDCS, struct tdx_sw_tdcs, _member, FIELD_READ, 0)
#define TDCS_ARRAY(_id, _nr, _member)						\
	ROW(_id, _nr, FIELD_TDCS, struct tdx_sw_tdcs, _member, FIELD_READ, 0)
#define TDCS_GUEST(_id, _nr, _member)						\
	ROW(_id, _nr, FIELD_TDCS, struct tdx_sw_tdcs, _member, 0, 0)
#define ZERO(_id)								\
	{ .id = _id, .nr = 1, .object = FIELD_ZERO, .access = FIELD_READ }

/* Ascending by class and code. */
static const struct tdx_sw_field td_fields[] = {
	TDR(0x8010000000000001, fatal),
	TDR(0x8010000200000002, num_tdcx),
	TDR(0x8010000300000004, chldcnt),
	TDR(0x8010000200000005, lifecycle),
	TDR_ARRAY(0x8010000300000010, SEAM_TDCS_MAX_PAGES, tdcx_pa),
	TDR_ARRAY(0x8010000300000020, 4, uuid),
	TDR(0x8110000100000001, hkid),
	TDR(0x8110000300000002, pkg_configured),
	TDCS(0x9010000200000001, num_vcpus),
	TDCS(0x9010000200000002, num_assoc),
	TDCS(0x9010000200000004, op_state),
	ZERO(0x9010000100000005),				/* NUM_L2_VMS */
	TDCS(0x1110000300000000, attributes),
	TDCS(0x1110000300000001, xfam),
	TDCS(0x1110000200000002, max_vcpus),
	ZERO(0x1110000000000003),				/* GPAW */
	TDCS(0x1110000300000004, eptp),
	TDCS(0x111000030000000a, tsc_offset),
	TDCS(0x111000030000000b, tsc_multiplier),
	TDCS(0x111000010000000c, tsc_frequency),
	TDCS_GUEST(0x9110000300000010, 1, notify_enables),
	ROW(HP_LOCK_TIMEOUT_ID, 1, FIELD_TDCS, struct tdx_sw_tdcs, hp_lock_timeout,
	    FIELD_READ | FIELD_WRITE, ~0ULL),
	ROW(0x9110000300000012, 4, FIELD_TDCS, struct tdx_sw_tdcs, vm_ctls,
	    FIELD_READ | FIELD_WRITE, BIT_ULL(0)),
	TDCS(0x1110000300000016, config_flags),
	TDCS_GUEST(0x1110000300000017, 1, td_ctls),
	{ .id = 0x9100000000000019, .nr = 1, .object = FIELD_COMPUTED, .access = FIELD_READ },
	TDCS(0x9210000300000000, epoch),
	{ .id = 0x9210000100000001, .nr = 2, .object = FIELD_TDCS, .access = FIELD_READ,
	  .stride = sizeof(atomic_t),
	  .offset = offsetof(struct tdx_sw_tdcs, refcount) },
	TDCS_ARRAY(0x1310000300000000, 6, mrtd),
	TDCS_ARRAY(0x1310000300000010, 6, mrconfigid),
	TDCS_ARRAY(0x1310000300000018, 6, mrowner),
	TDCS_ARRAY(0x1310000300000020, 6, mrownerconfig),
	TDCS_GUEST(0x1310000300000040, 24, rtmr),
};

/**
 * field_find() - Look a single-field id up
 * @fields: table, ascending
 * @nr: rows in it
 * @id: as the host gave it
 * @ref: row and element
 *
 * Return: false if the id names no field of the table.
 */
bool field_find(const struct tdx_sw_field *fields, unsigned int nr, u64 id,
		struct tdx_sw_field_ref *ref)
{
	const struct tdx_sw_field *field;

	if (id & MD_ZERO_MASK)
		return false;

	for (field = fields; field < fields + nr; field++) {
		if (field_key(id) < field_key(field->id) ||
		    field_key(id) - field_key(field->id) >= field->nr)
			continue;

		ref->field = field;
		ref->idx = field_key(id) - field_key(field->id);
		if (ref->idx + 1 < field->nr)
			ref->next = field->id + ref->idx + 1;
		else
			ref->next = field + 1 < fields + nr ? field[1].id : FIELD_NO_NEXT;
		return true;
	}
	return false;
}

void *field_pointer(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref)
{
	void * const objects[FIELD_NR_OBJECTS] = {
		[FIELD_TDR] = c->tdr,
		[FIELD_TDCS] = c->tdcs,
		[FIELD_VCPU] = c->vcpu,
	};
	unsigned int stride = ref->field->stride ?: field_size(ref->field->id);

	return objects[ref->field->object] + ref->field->offset + ref->idx * stride;
}

u64 field_load(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref)
{
	const void *p;

	if (ref->field->object == FIELD_ZERO)
		return 0;

	p = field_pointer(c, ref);
	switch (field_size(ref->field->id)) {
	case sizeof(u8):
		return READ_ONCE(*(u8 *)p);
	case sizeof(u16):
		return READ_ONCE(*(u16 *)p);
	case sizeof(u32):
		return READ_ONCE(*(u32 *)p);
	default:
		return READ_ONCE(*(u64 *)p);
	}
}

void field_store(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref, u64 value)
{
	void *p = field_pointer(c, ref);

	switch (field_size(ref->field->id)) {
	case sizeof(u8):
		WRITE_ONCE(*(u8 *)p, value);
		break;
	case sizeof(u16):
		WRITE_ONCE(*(u16 *)p, value);
		break;
	case sizeof(u32):
		WRITE_ONCE(*(u32 *)p, value);
		break;
	default:
		WRITE_ONCE(*(u64 *)p, value);
	}
}

/**
 * field_merge() - Apply R8 under the mask in R9 to a field
 * @c: call
 * @ref: field
 * @old: its value
 * @new: what it would become
 *
 * Return: SUCCESS, METADATA_FIELD_NOT_WRITABLE or METADATA_FIELD_VALUE_NOT_VALID.
 */
u64 field_merge(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref, u64 old,
		u64 *new)
{
	u64 mask = c->in.r9;

	if (!(ref->field->access & FIELD_WRITE) || !(mask & ref->field->mask))
		return SEAM_FIELD_NOT_WRITABLE;
	*new = (old & ~mask) | (c->in.r8 & mask);
	if ((*new ^ old) & ~ref->field->mask)
		return SEAM_FIELD_VALUE_NOT_VALID;
	return SEAM_SUCCESS;
}

static const struct tdx_sw_cpuid_page *cpuid_page(const struct tdx_sw_call *c)
{
	return tdx_sw_map(c->tdr->tdcx_pa[TDCX_CPUID]);
}

/* Leaf, subleaf and element are coded in the field code. */
static u64 cpuid_field_id(const struct tdx_sw_cpuid_value *val, unsigned int element)
{
	u64 id = CPUID_VALUES_ID | (u64)(val->leaf >> 31) << 16 | (val->leaf & 0x7f) << 9;

	id |= val->subleaf == TDX_SW_NO_SUBLEAF ? GENMASK_ULL(8, 1) : val->subleaf << 1;
	return id | element;
}

static u64 read_cpuid_field(const struct tdx_sw_call *c, u64 id, u64 *value, u64 *next)
{
	u64 code = id & MD_CODE_MASK;
	u32 leaf = (code >> 9 & 0x7f) | (code & BIT(16) ? BIT(31) : 0);
	u32 subleaf = code & BIT(8) ? TDX_SW_NO_SUBLEAF : code >> 1 & 0x7f;
	const struct tdx_sw_cpuid_page *page = cpuid_page(c);
	const struct tdx_sw_cpuid_value *val;

	if (id & MD_ZERO_MASK || code >> 17 || (code & BIT(8) && (~code & GENMASK(7, 1))))
		return SEAM_FIELD_ID_INCORRECT;
	if (cpuid_raises_ve(leaf))
		return SEAM_FIELD_NOT_READABLE;
	val = cpuid_find(page, leaf, subleaf);
	if (!val)
		return SEAM_FIELD_ID_INCORRECT;

	if (code & 1) {
		*value = val->val.ecx | (u64)val->val.edx << 32;
		val++;
		*next = val < page->value + page->nr ? cpuid_field_id(val, 0) : FIELD_NO_NEXT;
	} else {
		*value = val->val.eax | (u64)val->val.ebx << 32;
		*next = cpuid_field_id(val, 1);
	}
	return SEAM_SUCCESS;
}

static u64 read_td_field(const struct tdx_sw_call *c, u64 id, u64 *value, u64 *next)
{
	struct tdx_sw_field_ref ref;

	if ((id & MD_CLASS_MASK) == (CPUID_VALUES_ID & MD_CLASS_MASK))
		return read_cpuid_field(c, id, value, next);
	if (!field_find(td_fields, ARRAY_SIZE(td_fields), id, &ref))
		return SEAM_FIELD_ID_INCORRECT;
	if (!(ref.field->access & FIELD_READ))
		return SEAM_FIELD_NOT_READABLE;

	/* The one computed field: TOPOLOGY_ENUM_CONFIGURED. */
	if (ref.field->object == FIELD_COMPUTED)
		*value = c->tdcs->num_vcpus && !READ_ONCE(c->tdcs->no_topology);
	else
		*value = field_load(c, &ref);
	*next = ref.next == FIELD_NO_NEXT ? cpuid_field_id(cpuid_page(c)->value, 0) : ref.next;
	return SEAM_SUCCESS;
}

u64 tdx_sw_mng_rd(struct tdx_sw_call *c)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	status = read_td_field(c, c->in.rdx, &value, &next);
	c->regs->r8 = value;
	if (c->version)
		c->regs->rdx = next;
	return status;
}

u64 tdx_sw_mng_wr(struct tdx_sw_call *c)
{
	struct tdx_sw_field_ref ref;
	u64 status, old, new;

	c->regs->r8 = 0;

	if ((c->in.rdx & MD_CLASS_MASK) == (CPUID_VALUES_ID & MD_CLASS_MASK))
		return SEAM_FIELD_NOT_WRITABLE;
	if (!field_find(td_fields, ARRAY_SIZE(td_fields), c->in.rdx, &ref))
		return SEAM_FIELD_ID_INCORRECT;
	if (!(ref.field->access & FIELD_WRITE))
		return SEAM_FIELD_NOT_WRITABLE;
	if (ref.field->id == HP_LOCK_TIMEOUT_ID && c->in.r9 != ~0ULL)
		return SEAM_WR_MASK_NOT_VALID;

	old = field_load(c, &ref);
	status = field_merge(c, &ref, old, &new);
	if (status)
		return status;
	if (ref.field->id == HP_LOCK_TIMEOUT_ID &&
	    (new < HP_LOCK_TIMEOUT_MIN || new > HP_LOCK_TIMEOUT_MAX))
		return SEAM_FIELD_VALUE_NOT_VALID;

	field_store(c, &ref, new);
	c->regs->r8 = old;
	return SEAM_SUCCESS;
}
