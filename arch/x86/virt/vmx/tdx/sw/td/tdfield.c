// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields of TDs: the table, and the rules for reading and writing that
 * fields of vCPUs (vpfield.c) share.
 *
 * Access is what the host of a production TD has, there being no others, and
 * what the TD itself has.  A field that somebody may not read has a row, too: it
 * gets another answer than an id that means nothing.
 */
#include <linux/stddef.h>

#include "guest/tdcall.h"

#define HP_LOCK_TIMEOUT_ID	0x9110000300000011ULL
#define HP_LOCK_TIMEOUT_MIN	10000
#define HP_LOCK_TIMEOUT_MAX	100000000
#define TD_CTLS_ID		0x1110000300000017ULL
#define CPUID_VALUES_ID		0x9410000300000000ULL

#define FIELD_RW		(FIELD_READ | FIELD_WRITE)

/* The id says how large an element is; in memory it is as large. */
#define ROW(_id, _nr, _obj, _type, _member, _access, _guest, _mask)		\
	{ .id = _id, .nr = _nr, .object = _obj, .access = _access, .guest = _guest,	\
	  .mask = _mask, .offset = offsetof(_type, _member) }

/* For the host to read */
#define TDR(_id, _nr, _member)							\
	ROW(_id, _nr, FIELD_TDR, struct tdx_sw_tdr, _member, FIELD_READ, 0, 0)
#define TDCS(_id, _nr, _member)							\
	ROW(_id, _nr, FIELD_TDCS, struct tdx_sw_tdcs, _member, FIELD_READ, 0, 0)
/* For both */
#define TDCS_BOTH(_id, _nr, _member)						\
	ROW(_id, _nr, FIELD_TDCS, struct tdx_sw_tdcs, _member, FIELD_READ, FIELD_READ, 0)
/* For the TD alone */
#define TDCS_GUEST(_id, _nr, _member, _access, _mask)				\
	ROW(_id, _nr, FIELD_TDCS, struct tdx_sw_tdcs, _member, 0, _access, _mask)
/* For the host to write, too */
#define TDCS_WRITE(_id, _nr, _member, _mask)					\
	ROW(_id, _nr, FIELD_TDCS, struct tdx_sw_tdcs, _member, FIELD_RW, 0, _mask)
#define ZERO(_id, _guest)							\
	{ .id = _id, .nr = 1, .object = FIELD_ZERO, .access = FIELD_READ, .guest = _guest }

/* Ascending by class and code. */
static const struct tdx_sw_field td_fields[] = {
	TDR(0x8010000000000001, 1, fatal),
	TDR(0x8010000200000002, 1, num_tdcx),
	TDR(0x8010000300000004, 1, chldcnt),
	TDR(0x8010000200000005, 1, lifecycle),
	TDR(0x8010000300000010, SEAM_TDCS_MAX_PAGES, tdcx_pa),
	ROW(0x8010000300000020, 4, FIELD_TDR, struct tdx_sw_tdr, uuid, FIELD_READ, FIELD_READ, 0),
	TDR(0x8110000100000001, 1, hkid),
	TDR(0x8110000300000002, 1, pkg_configured),
	TDCS_BOTH(0x9010000200000001, 1, num_vcpus),
	TDCS(0x9010000200000002, 1, num_assoc),
	TDCS(0x9010000200000004, 1, op_state),
	ZERO(0x9010000100000005, FIELD_READ),			/* NUM_L2_VMS */
	TDCS_BOTH(0x1110000300000000, 1, attributes),
	TDCS_BOTH(0x1110000300000001, 1, xfam),
	TDCS_BOTH(0x1110000200000002, 1, max_vcpus),
	ZERO(0x1110000000000003, FIELD_READ),			/* GPAW */
	TDCS(0x1110000300000004, 1, eptp),
	TDCS(0x111000030000000a, 1, tsc_offset),
	TDCS(0x111000030000000b, 1, tsc_multiplier),
	TDCS_BOTH(0x111000010000000c, 1, tsc_frequency),
	TDCS_GUEST(0x9110000300000010, 1, notify_enables, FIELD_RW, BIT_ULL(0)),
	TDCS_WRITE(HP_LOCK_TIMEOUT_ID, 1, hp_lock_timeout, ~0ULL),
	TDCS_WRITE(0x9110000300000012, 4, vm_ctls, BIT_ULL(0)),
	TDCS_BOTH(0x1110000300000016, 1, config_flags),
	/* What it may change is not the same for all TDs: see check_td_ctls(). */
	TDCS_GUEST(TD_CTLS_ID, 1, td_ctls, FIELD_RW, ~0ULL),
	/* TOPOLOGY_ENUM_CONFIGURED */
	{ .id = 0x9100000000000019, .nr = 1, .object = FIELD_COMPUTED, .access = FIELD_READ,
	  .guest = FIELD_READ },
	TDCS(0x9210000300000000, 1, epoch),
	{ .id = 0x9210000100000001, .nr = 2, .object = FIELD_TDCS, .access = FIELD_READ,
	  .stride = sizeof(atomic_t),
	  .offset = offsetof(struct tdx_sw_tdcs, refcount) },
	TDCS_BOTH(0x1310000300000000, 6, mrtd),
	TDCS_BOTH(0x1310000300000010, 6, mrconfigid),
	TDCS_BOTH(0x1310000300000018, 6, mrowner),
	TDCS_BOTH(0x1310000300000020, 6, mrownerconfig),
	TDCS_GUEST(0x1310000300000040, 24, rtmr, FIELD_READ, 0),
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

/* Values that the TD does not get from the module are not to be read either. */
static u64 first_cpuid_field(const struct tdx_sw_cpuid_page *page,
			     const struct tdx_sw_cpuid_value *val)
{
	for (; val < page->value + page->nr; val++) {
		if (!cpuid_raises_ve(val->leaf))
			return cpuid_field_id(val, 0);
	}
	return FIELD_NO_NEXT;
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
		*next = first_cpuid_field(page, val + 1);
	} else {
		*value = val->val.eax | (u64)val->val.ebx << 32;
		*next = cpuid_field_id(val, 1);
	}
	return SEAM_SUCCESS;
}

/* Every vCPU came with an x2APIC id. */
static bool has_topology(const struct tdx_sw_call *c)
{
	return c->tdcs->num_vcpus && !READ_ONCE(c->tdcs->no_topology);
}

static u64 read_td_field(const struct tdx_sw_call *c, u64 id, bool guest, u64 *value, u64 *next)
{
	const struct tdx_sw_field_view view = { td_fields, ARRAY_SIZE(td_fields), guest };
	struct tdx_sw_field_ref ref;

	if (id == FIELD_FIRST) {
		*next = field_first(&view);
		return SEAM_FIRST_FIELD_ID_IN_CONTEXT;
	}
	if ((id & MD_CLASS_MASK) == (CPUID_VALUES_ID & MD_CLASS_MASK))
		return read_cpuid_field(c, id, value, next);
	if (!field_find(td_fields, ARRAY_SIZE(td_fields), id, &ref))
		return SEAM_FIELD_ID_INCORRECT;
	if (!field_is_readable(ref.field, guest))
		return SEAM_FIELD_NOT_READABLE;

	/* The one computed field: TOPOLOGY_ENUM_CONFIGURED. */
	if (ref.field->object == FIELD_COMPUTED)
		*value = has_topology(c);
	else
		*value = field_load(c, &ref);
	/* CPUID_VALUES are last. */
	*next = field_next(&view, &ref);
	if (*next == FIELD_NO_NEXT)
		*next = first_cpuid_field(cpuid_page(c), cpuid_page(c)->value);
	return SEAM_SUCCESS;
}

static u64 find_writable(u64 id, bool guest, struct tdx_sw_field_ref *ref)
{
	if ((id & MD_CLASS_MASK) == (CPUID_VALUES_ID & MD_CLASS_MASK))
		return SEAM_FIELD_NOT_WRITABLE;
	if (!field_find(td_fields, ARRAY_SIZE(td_fields), id, ref))
		return SEAM_FIELD_ID_INCORRECT;
	if (!((guest ? ref->field->guest : ref->field->access) & FIELD_WRITE))
		return SEAM_FIELD_NOT_WRITABLE;
	return SEAM_SUCCESS;
}

/* ---- the host ---- */

u64 tdx_sw_mng_rd(struct tdx_sw_call *c)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	status = read_td_field(c, c->in.rdx, false, &value, &next);
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

	status = find_writable(c->in.rdx, false, &ref);
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

/* ---- the guest ---- */

u64 tdg_vm_rd(struct tdcall *t)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	if (t->rcx)
		status = tdcall_invalid(OPERAND_RCX);
	else
		status = read_td_field(t->c, t->rdx, true, &value, &next);
	t->gpr[GPR_R8] = value;
	if (t->version)
		t->gpr[GPR_RDX] = next;
	return status;
}

/* A control that the TD may not have is a wrong value, not a bit that nobody writes. */
static u64 check_td_ctls(const struct tdx_sw_call *c, u64 changed)
{
	u64 allowed = 0;

	if (c->tdcs->config_flags & TD_FLAG_FLEXIBLE_PENDING_VE)
		allowed |= TD_CTLS_PENDING_VE_DISABLE_BIT;
	if (has_topology(c))
		allowed |= TD_CTLS_ENUM_TOPOLOGY;
	return changed & ~allowed ? SEAM_FIELD_VALUE_NOT_VALID : SEAM_SUCCESS;
}

/* Other vCPUs may write the same field; all that the guest may write are 64 bits. */
u64 tdg_vm_wr(struct tdcall *t)
{
	struct tdx_sw_field_write write = { .data = t->r8, .mask = t->r9 };
	struct tdx_sw_field_ref ref;
	u64 status, old, new, *p;

	t->gpr[GPR_R8] = 0;

	status = t->rcx ? tdcall_invalid(OPERAND_RCX) : find_writable(t->rdx, true, &ref);
	if (status)
		return status;

	p = field_pointer(t->c, &ref);
	old = READ_ONCE(*p);
	do {
		status = field_merge(ref.field->mask, &write, old, &new);
		if (!status && ref.field->id == TD_CTLS_ID)
			status = check_td_ctls(t->c, old ^ new);
		if (status)
			return status;
	} while (!try_cmpxchg64(p, &old, new));

	t->gpr[GPR_R8] = old;
	return SEAM_SUCCESS;
}
