/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host hands to the boot code of a vCPU of a TD: one page, whose guest
 * physical address is the vCPU's initial RCX.  Offsets for assembly and C.
 */
#ifndef SELFTEST_KVM_TDX_GUEST_BOOT_H
#define SELFTEST_KVM_TDX_GUEST_BOOT_H

#define TDX_AREA_RBX		0
#define TDX_AREA_RCX		8
#define TDX_AREA_RDX		16
#define TDX_AREA_RSI		24
#define TDX_AREA_R8		32
#define TDX_AREA_CR3		40
#define TDX_AREA_SELF		48
#define TDX_AREA_RSP		56
#define TDX_AREA_ENTRY		64
#define TDX_AREA_GDTR		72
#define TDX_AREA_IDTR		88
#define TDX_AREA_GDT		128

#define TDX_BOOT_CS		0x08
#define TDX_BOOT_DS		0x10
#define TDX_BOOT_TSS		0x18

#ifndef __ASSEMBLER__
#include "kvm_util.h"

/* Of tdx_guest_asm.S, handlers.S and processor.c. */
extern const uint8_t tdx_boot_page[];
extern void *idt_handlers;
extern vm_vaddr_t exception_handlers;
#endif

#endif /* SELFTEST_KVM_TDX_GUEST_BOOT_H */
