// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields: the rules for reading and writing that all tables of them share.
 */
#include <linux/stddef.h>

#include "td/td.h"

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
		return true;
	}
	return false;
}

bool field_is_readable(const struct tdx_sw_field *field, bool guest)
{
	return (guest ? field->guest : field->access) & FIELD_READ;
}

/* First element from a row on that the reader may read. */
static u64 first_readable(const struct tdx_sw_field_view *view, const struct tdx_sw_field *field)
{
	for (; field < view->fields + view->nr; field++) {
		if (field_is_readable(field, view->guest))
			return field->id;
	}
	return FIELD_NO_NEXT;
}

u64 field_first(const struct tdx_sw_field_view *view)
{
	return first_readable(view, view->fields);
}

/**
 * field_next() - Find what there is to read after an element
 * @view: table and reader
 * @ref: element that the reader may read
 *
 * Return: id of the next element that it may read, or FIELD_NO_NEXT.
 */
u64 field_next(const struct tdx_sw_field_view *view, const struct tdx_sw_field_ref *ref)
{
	if (ref->idx + 1 < ref->field->nr)
		return ref->field->id + ref->idx + 1;
	return first_readable(view, ref->field + 1);
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
 * @writable: bits that the writer may change
 * @write: data and mask
 * @old: value of the field
 * @new: what it would become
 *
 * Return: SUCCESS, METADATA_FIELD_NOT_WRITABLE or METADATA_FIELD_VALUE_NOT_VALID.
 */
u64 field_merge(u64 writable, const struct tdx_sw_field_write *write, u64 old, u64 *new)
{
	if (!(write->mask & writable))
		return SEAM_FIELD_NOT_WRITABLE;
	*new = (old & ~write->mask) | (write->data & write->mask);
	if ((*new ^ old) & ~writable)
		return SEAM_FIELD_VALUE_NOT_VALID;
	return SEAM_SUCCESS;
}
