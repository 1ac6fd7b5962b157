// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields of vCPUs: the table, how they are read, and what may be written.
 *
 * VMCS fields form a class of their own whose codes are VMCS encodings.  The
 * host of a production TD sees the few that have a row here, the guest none.
 */
#include <linux/align.h>
#include <linux/stddef.h>

#include "td/td.h"

#define CLASS_VMCS		0
#define CLASS_GUEST_GPR		16
#define CLASS_GUEST_STATE	17

/* VMCS encodings */
#define VMCS_POSTED_VECTOR	0x0002
#define VMCS_MSR_BITMAP		0x2004
#define VMCS_PML_ADDRESS	0x200e
#define VMCS_TSC_OFFSET		0x2010
#define VMCS_POSTED_DESC	0x2016
#define VMCS_VMFUNC_CONTROLS	0x2018
#define VMCS_EPTP		0x201a
#define VMCS_EPTP_LIST		0x2024
#define VMCS_TSC_MULTIPLIER	0x2032
#define VMCS_SHARED_EPTP	0x203c
#define VMCS_PIN_CONTROLS	0x4000
#define VMCS_PROC2_CONTROLS	0x401e
#define VMCS_PLE_GAP		0x4020
#define VMCS_PLE_WINDOW		0x4022
#define VMCS_NOTIFY_WINDOW	0x4024
#define VMCS_HKID		0x4026
#define VMCS_MAX		0x6c1c

#define VMCS_ID(enc, size)	((u64)(size) << MD_SIZE_SHIFT | (enc))

#define STATE_DETAILS_ID	0x9120000300000100ULL
#define CPUID_SUPERVISOR_VE_ID	0xa020000000000007ULL
#define CPUID_USER_VE_ID	0xa020000000000008ULL
#define PEND_NMI_ID		0x202000000000000bULL

#define ROW(_id, _obj, _type, _member, _access, _mask)				\
	{ .id = _id, .nr = 1, .object = _obj, .access = _access, .mask = _mask,	\
	  .offset = offsetof(_type, _member) }

#define VCPU(_id, _member)							\
	ROW(_id, FIELD_VCPU, struct tdx_sw_vcpu, _member, FIELD_READ, 0)
#define VCPU_RW(_id, _member, _mask)						\
	ROW(_id, FIELD_VCPU, struct tdx_sw_vcpu, _member, FIELD_READ | FIELD_WRITE, _mask)
#define TDCS(_id, _member)							\
	ROW(_id, FIELD_TDCS, struct tdx_sw_tdcs, _member, FIELD_READ, 0)
#define TDR_AT(_id, _member)							\
	ROW(_id, FIELD_TDR, struct tdx_sw_tdr, _member, FIELD_READ, 0)
#define ZERO(_id)								\
	{ .id = _id, .nr = 1, .object = FIELD_ZERO, .access = FIELD_READ }
#define HIDDEN(_id)								\
	{ .id = _id, .nr = 1, .object = FIELD_ZERO }
/* The VMCS controls of which the host is shown no more than it may change */
#define VCPU_MASKED(_id, _member, _mask)					\
	{ .id = _id, .nr = 1, .object = FIELD_VCPU, .access = FIELD_READ | FIELD_WRITE,	\
	  .masked = true, .mask = _mask,					\
	  .offset = offsetof(struct tdx_sw_vcpu, _member) }
#define COMPUTED(_id, _access, _guest)						\
	{ .id = _id, .nr = 1, .object = FIELD_COMPUTED, .access = _access,	\
	  .guest = _guest, .mask = BIT_ULL(0) }

/* Ascending by class and code. */
static const struct tdx_sw_field vp_fields[] = {
	VCPU_RW(VMCS_ID(VMCS_POSTED_VECTOR, 1), posted_vector, 0xffff),
	TDR_AT(VMCS_ID(VMCS_MSR_BITMAP, 3), tdcx_pa[TDCX_MSR_BITMAPS]),
	ZERO(VMCS_ID(VMCS_PML_ADDRESS, 3)),
	TDCS(VMCS_ID(VMCS_TSC_OFFSET, 3), tsc_offset),
	VCPU_RW(VMCS_ID(VMCS_POSTED_DESC, 3), posted_desc, ~0ULL),
	ZERO(VMCS_ID(VMCS_VMFUNC_CONTROLS, 3)),
	TDCS(VMCS_ID(VMCS_EPTP, 3), eptp),
	ZERO(VMCS_ID(VMCS_EPTP_LIST, 3)),
	TDCS(VMCS_ID(VMCS_TSC_MULTIPLIER, 3), tsc_multiplier),
	VCPU_RW(VMCS_ID(VMCS_SHARED_EPTP, 3), shared_eptp, SEPT_HPA),
	VCPU_MASKED(VMCS_ID(VMCS_PIN_CONTROLS, 2), pin_controls, VP_PIN_POSTED_INTR),
	VCPU_MASKED(VMCS_ID(VMCS_PROC2_CONTROLS, 2), proc2_controls,
		    VP_PROC2_BUS_LOCK | VP_PROC2_NOTIFY),
	ZERO(VMCS_ID(VMCS_PLE_GAP, 2)),
	ZERO(VMCS_ID(VMCS_PLE_WINDOW, 2)),
	VCPU_RW(VMCS_ID(VMCS_NOTIFY_WINDOW, 2), notify_window, U32_MAX),
	TDR_AT(VMCS_ID(VMCS_HKID, 2), hkid),
	COMPUTED(STATE_DETAILS_ID, FIELD_READ, 0),
	HIDDEN(0xa020000000000000),				/* VCPU_STATE */
	{ .id = 0xa020000200000002, .nr = 1, .object = FIELD_VCPU, .access = FIELD_READ,
	  .guest = FIELD_READ, .offset = offsetof(struct tdx_sw_vcpu, index) },
	VCPU(0xa020000000000003, num_pages),
	VCPU(0xa020000200000004, assoc_lp),
	VCPU(0xa020000300000006, epoch),
	COMPUTED(CPUID_SUPERVISOR_VE_ID, FIELD_READ, FIELD_READ | FIELD_WRITE),
	COMPUTED(CPUID_USER_VE_ID, FIELD_READ, FIELD_READ | FIELD_WRITE),
	VCPU_RW(PEND_NMI_ID, pend_nmi, BIT_ULL(0)),
	VCPU(0x202000030000000c, xfam),
};

/* Fields that exist but belong to the hosts of debug TDs. */
static bool is_debug_only(u64 id)
{
	u64 code = id & MD_CODE_MASK;

	if (id & MD_ZERO_MASK)
		return false;

	switch ((id & MD_CLASS_MASK) >> MD_CLASS_SHIFT) {
	case CLASS_VMCS:
		/* Full access, no reserved bit. */
		return code <= VMCS_MAX && !(code & (BIT(0) | BIT(12)));
	case CLASS_GUEST_GPR:
		return code < NR_GPRS;
	case CLASS_GUEST_STATE:
		return code < 0x100;
	default:
		return false;
	}
}

u64 vpfield_find(u64 id, struct tdx_sw_field_ref *ref, u64 debug_only)
{
	if (field_find(vp_fields, ARRAY_SIZE(vp_fields), id, ref))
		return SEAM_SUCCESS;
	return is_debug_only(id) ? debug_only : SEAM_FIELD_ID_INCORRECT;
}

u8 vpfield_cpuid_ve_bit(u64 id)
{
	return id == CPUID_SUPERVISOR_VE_ID ? CPUID_VE_SUPERVISOR : CPUID_VE_USER;
}

u64 vpfield_load(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref)
{
	u64 id = ref->field->id;

	if (ref->field->object != FIELD_COMPUTED)
		return field_load(c, ref);
	if (id == STATE_DETAILS_ID)
		return vapic_interrupt_pending(c->vcpu);
	return !!(READ_ONCE(c->vcpu->guest.cpuid_ve) & vpfield_cpuid_ve_bit(id));
}

/* Of a value, what its reader is told */
u64 vpfield_shown(const struct tdx_sw_field_ref *ref, u64 value)
{
	return ref->field->masked ? value & ref->field->mask : value;
}

u64 vpfield_read(const struct tdx_sw_call *c, u64 id, bool guest, u64 *value, u64 *next)
{
	const struct tdx_sw_field_view view = { vp_fields, ARRAY_SIZE(vp_fields), guest };
	struct tdx_sw_field_ref ref;
	u64 status;

	if (id == FIELD_FIRST) {
		*next = field_first(&view);
		return SEAM_FIRST_FIELD_ID_IN_CONTEXT;
	}
	status = vpfield_find(id, &ref, SEAM_FIELD_NOT_READABLE);
	if (status)
		return status;
	if (!field_is_readable(ref.field, guest))
		return SEAM_FIELD_NOT_READABLE;

	*value = vpfield_shown(&ref, vpfield_load(c, &ref));
	*next = field_next(&view, &ref);
	return SEAM_SUCCESS;
}

static bool is_shared_pa(u64 pa)
{
	u64 hkid = (pa & tdx_sw_config.hkid_mask) >> tdx_sw_config.hkid_shift;

	return !(pa >> tdx_sw_config.maxpa) && hkid < tdx_sw_config.first_hkid;
}

static u64 check_posted_intr(const struct tdx_sw_vcpu *vcpu, u64 pin)
{
	if (!(pin & VP_PIN_POSTED_INTR))
		return SEAM_SUCCESS;
	if (vcpu->posted_vector > 0xff)
		return seam_status(SEAM_TD_VMCS_FIELD_NOT_INITIALIZED, VMCS_POSTED_VECTOR);
	if (vcpu->posted_desc == ~0ULL)
		return seam_status(SEAM_TD_VMCS_FIELD_NOT_INITIALIZED, VMCS_POSTED_DESC);
	return SEAM_SUCCESS;
}

u64 vpfield_check_value(const struct tdx_sw_call *c, const struct tdx_sw_field *field, u64 val)
{
	bool ok = true;

	if ((field->id & MD_CLASS_MASK) >> MD_CLASS_SHIFT != CLASS_VMCS)
		return SEAM_SUCCESS;

	switch (field->id & MD_CODE_MASK) {
	case VMCS_POSTED_VECTOR:
		ok = val <= 0xff;
		break;
	case VMCS_POSTED_DESC:
		ok = IS_ALIGNED(val, 64) && is_shared_pa(val);
		break;
	case VMCS_SHARED_EPTP:
		ok = is_shared_pa(val);
		break;
	case VMCS_PIN_CONTROLS:
		return check_posted_intr(c->vcpu, val);
	}
	return ok ? SEAM_SUCCESS : SEAM_FIELD_VALUE_NOT_VALID;
}
