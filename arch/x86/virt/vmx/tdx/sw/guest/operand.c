// SPDX-License-Identifier: GPL-2.0
/*
 * Memory operands of a TDCALL.
 */
#include "guest/tdcall.h"

/**
 * tdcall_check_gpa() - Check the address of a structure in the guest's memory
 * @gpa: address
 * @align: power of two, and no smaller than the structure
 * @operand: register that it came in
 *
 * Return: SUCCESS or OPERAND_INVALID.
 */
u64 tdcall_check_gpa(u64 gpa, u64 align, u32 operand)
{
	if (gpa & (align - 1) || gpa >> tdx_sw_config.gpa_width)
		return tdcall_invalid(operand);
	return SEAM_SUCCESS;
}

u64 tdcall_check_private_gpa(u64 gpa, u64 align, u32 operand)
{
	return gmem_is_shared(gpa) ? tdcall_invalid(operand) :
				     tdcall_check_gpa(gpa, align, operand);
}

/**
 * tdcall_map() - Find the memory of a structure
 * @t: TDCALL
 * @gpa: checked address
 * @access: GMEM_...
 *
 * Return: the memory, or NULL with the outcome of an EPT violation in @t: the
 * leaf returns TDCALL_NO_STATUS.
 */
void *tdcall_map(struct tdcall *t, u64 gpa, u64 access)
{
	struct gmem_fault fault;
	void *p = gmem_map(t->c, gpa, access, &fault);

	if (!p)
		t->outcome = guest_ept_violation(t->c, fault.gpa, fault.qual, 0);
	return p;
}
