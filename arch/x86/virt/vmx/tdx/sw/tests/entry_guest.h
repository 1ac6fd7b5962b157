/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code of entry_guest.S: the page that the guest starts in, and its orders.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_ENTRY_GUEST_H
#define _X86_VIRT_TDX_SW_TESTS_ENTRY_GUEST_H

#include <linux/types.h>
#include <asm/page.h>

extern const u8 swt_guest_start[PAGE_SIZE];

#define DECLARE_ORDER(name)	\
	extern const u8 swt_order_##name[], swt_order_##name##_end[]

DECLARE_ORDER(bad_selector);
DECLARE_ORDER(breakpoint);
DECLARE_ORDER(count);
DECLARE_ORDER(debug_trap);
DECLARE_ORDER(divide_by_zero);
DECLARE_ORDER(handler);
DECLARE_ORDER(interrupts_on);
DECLARE_ORDER(iret);
DECLARE_ORDER(look_at_own_registers);
DECLARE_ORDER(memory);
DECLARE_ORDER(own_registers);
DECLARE_ORDER(page_fault);
DECLARE_ORDER(page_fault_with_stack);
DECLARE_ORDER(read_spec_ctrl);
DECLARE_ORDER(software_interrupt);
DECLARE_ORDER(status);
DECLARE_ORDER(tdcall);
DECLARE_ORDER(triple_fault);
DECLARE_ORDER(tsc);
DECLARE_ORDER(undefined);
DECLARE_ORDER(undefined_with_stack);
DECLARE_ORDER(write);
DECLARE_ORDER(write_spec_ctrl);
DECLARE_ORDER(xmm);
DECLARE_ORDER(zero_xmm);

#endif
