// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields of TDs: the table, how they are read, and which can be written.
 *
 * Access is what the host of a production TD has, there being no others, and
 * what the TD itself has.  A field that somebody may not read has a row, too: it
 * gets another answer than an id that means nothing.
 */
#include <linux/stddef.h>

#include "td/td.h"

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
	const struct tdx_sw_cpuid_page *page = td_cpuid_page(c);
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
bool td_has_topology(const struct tdx_sw_call *c)
{
	return c->tdcs->num_vcpus && !READ_ONCE(c->tdcs->no_topology);
}

u64 tdfield_read(const struct tdx_sw_call *c, u64 id, bool guest, u64 *value, u64 *next)
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
		*value = td_has_topology(c);
	else
		*value = field_load(c, &ref);
	/* CPUID_VALUES are last. */
	*next = field_next(&view, &ref);
	if (*next == FIELD_NO_NEXT)
		*next = first_cpuid_field(td_cpuid_page(c), td_cpuid_page(c)->value);
	return SEAM_SUCCESS;
}

u64 tdfield_find_writable(u64 id, bool guest, struct tdx_sw_field_ref *ref)
{
	if ((id & MD_CLASS_MASK) == (CPUID_VALUES_ID & MD_CLASS_MASK))
		return SEAM_FIELD_NOT_WRITABLE;
	if (!field_find(td_fields, ARRAY_SIZE(td_fields), id, ref))
		return SEAM_FIELD_ID_INCORRECT;
	if (!((guest ? ref->field->guest : ref->field->access) & FIELD_WRITE))
		return SEAM_FIELD_NOT_WRITABLE;
	return SEAM_SUCCESS;
}
