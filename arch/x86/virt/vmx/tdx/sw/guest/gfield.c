// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata fields for the guest: TDG.VM.RD and .WR, TDG.VP.RD and .WR, TDG.SYS.RD and
 * .RDALL.
 */
#include "guest/tdcall.h"

/* ---- its TD ---- */

u64 tdg_vm_rd(struct tdcall *t)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	if (t->rcx)
		status = tdcall_invalid(OPERAND_RCX);
	else
		status = tdfield_read(t->c, t->rdx, true, &value, &next);
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
	if (td_has_topology(c))
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

	status = t->rcx ? tdcall_invalid(OPERAND_RCX) : tdfield_find_writable(t->rdx, true, &ref);
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

/* ---- its vCPU ---- */

u64 tdg_vp_rd(struct tdcall *t)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	if (t->rcx)
		status = tdcall_invalid(OPERAND_RCX);
	else
		status = vpfield_read(t->c, t->rdx, true, &value, &next);
	t->gpr[GPR_R8] = value;
	t->gpr[GPR_RDX] = next;
	return status;
}

static u64 guest_write(struct tdcall *t, const struct tdx_sw_field_ref *ref, u64 *old)
{
	struct tdx_sw_field_write write = { .data = t->r8, .mask = t->r9 };
	u8 *cpuid_ve = &t->vcpu->guest.cpuid_ve, bit;
	u64 status, new;

	if (!(ref->field->guest & FIELD_WRITE))
		return SEAM_FIELD_NOT_WRITABLE;
	*old = vpfield_load(t->c, ref);
	status = field_merge(ref->field->mask, &write, *old, &new);
	if (status) {
		*old = 0;
		return status;
	}

	/* Nothing else can be written. */
	bit = vpfield_cpuid_ve_bit(ref->field->id);
	WRITE_ONCE(*cpuid_ve, new ? *cpuid_ve | bit : *cpuid_ve & ~bit);
	return SEAM_SUCCESS;
}

u64 tdg_vp_wr(struct tdcall *t)
{
	struct tdx_sw_field_ref ref;
	u64 status, old = 0;

	if (t->rcx)
		status = tdcall_invalid(OPERAND_RCX);
	else
		status = vpfield_find(t->rdx, &ref, SEAM_FIELD_NOT_WRITABLE);
	if (!status)
		status = guest_write(t, &ref, &old);
	t->gpr[GPR_R8] = old;
	return status;
}

/* ---- the module ---- */

u64 tdg_sys_rd(struct tdcall *t)
{
	u64 status, value = 0, next = FIELD_NO_NEXT;

	if (t->rdx == FIELD_FIRST) {
		status = SEAM_FIRST_FIELD_ID_IN_CONTEXT;
		next = sysfield_first();
	} else {
		status = sysfield_read(t->rdx, &value, &next);
	}
	t->gpr[GPR_RDX] = next;
	t->gpr[GPR_R8] = value;
	return status;
}

u64 tdg_sys_rdall(struct tdcall *t)
{
	u64 status, next = FIELD_NO_NEXT;
	void *page;

	status = tdcall_check_private_gpa(t->rdx, PAGE_SIZE, OPERAND_RDX);
	if (!status) {
		page = tdcall_map(t, t->rdx, GMEM_WRITE);
		if (!page)
			return TDCALL_NO_STATUS;
		status = sysfield_list(page, t->r8, &next);
	}
	t->gpr[GPR_R8] = next;
	return status;
}
