// SPDX-License-Identifier: GPL-2.0
/*
 * The instructions that touch a VMCS, and the fields of the current one.
 *
 * A test may put fields made of memory in their place, for exits that no CPU made.
 */
#include <linux/kernel.h>

#include "base/cpu.h"

const struct tdx_sw_fake *tdx_sw_fake_vmcs_field;

static bool vmx_vmread(u32 field, u64 *value)
{
	bool failed;

	asm volatile("vmread %[field], %[value]"
		     : [value] "=r" (*value), "=@ccna" (failed)
		     : [field] "r" ((u64)field));
	return !failed;
}

static bool vmx_vmwrite(u32 field, u64 value)
{
	bool failed;

	asm volatile("vmwrite %[value], %[field]"
		     : "=@ccna" (failed)
		     : [value] "rm" (value), [field] "r" ((u64)field));
	return !failed;
}

u64 guest_vmread(u32 field)
{
	u64 value = 0;

	if (tdx_sw_fake_read(&tdx_sw_fake_vmcs_field, field, &value))
		return value;
	WARN_ONCE(!vmx_vmread(field, &value), "VMREAD of %x failed\n", field);
	return value;
}

void guest_vmwrite(u32 field, u64 value)
{
	if (tdx_sw_fake_write(&tdx_sw_fake_vmcs_field, field, value))
		return;
	WARN_ONCE(!vmx_vmwrite(field, value), "VMWRITE of %x failed\n", field);
}

u64 vmcs_current(void)
{
	u64 pa;

	asm volatile("vmptrst %0" : "=m" (pa));
	return pa;
}

void vmcs_load(u64 pa)
{
	bool failed;

	if (pa == NO_VMCS)
		return;
	asm volatile("vmptrld %[pa]" : "=@ccna" (failed) : [pa] "m" (pa));
	WARN_ONCE(failed, "VMPTRLD of %llx failed\n", pa);
}

void vmcs_clear(u64 pa)
{
	bool failed;

	asm volatile("vmclear %[pa]" : "=@ccna" (failed) : [pa] "m" (pa) : "memory");
	WARN_ONCE(failed, "VMCLEAR of %llx failed\n", pa);
}

u32 vmcs_instruction_error(void)
{
	return guest_vmread(VM_INSTRUCTION_ERROR);
}

/* One that the guest's state decides about, entry by entry. */
void vmcs_set_proc_control(u32 control, bool on)
{
	u32 old = guest_vmread(CPU_BASED_VM_EXEC_CONTROL);
	u32 new = on ? old | control : old & ~control;

	if (new != old)
		guest_vmwrite(CPU_BASED_VM_EXEC_CONTROL, new);
}
