/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the hook beside the SEAMCALL instruction leads: all general registers
 * into a frame and out of it again.
 */
#include <linux/linkage.h>
#include <asm/asm.h>

	.section .noinstr.text, "ax"

/*
 * tdx_sw_entry() - SEAMCALL answered by the software module
 *
 * Called with the registers of the instruction, not with those of the C ABI,
 * and returns likewise.  RSP and flags are not passed.  struct tdx_sw_regs has
 * this order.
 */
SYM_FUNC_START(tdx_sw_entry)
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15

	movq	%rsp, %rdi
	call	tdx_sw_seamcall

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	RET
SYM_FUNC_END(tdx_sw_entry)
