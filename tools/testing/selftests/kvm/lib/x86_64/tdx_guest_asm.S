/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code of a TD guest that C can't be: the way from the reset vector to 64-bit
 * mode, and TDCALL with all the registers it may pass.
 */
#include "tdx_tdcall.h"
#include "tdx_guest_boot.h"

#define BOOT_GPA	0xfffff000
#define RESET_OFFSET	0xff0

#define CR0_MP_WP_PG	0x80010002
#define CR4_PAE_FX	0x00000620

/*
 * One page, copied to where it has to run; hence no symbol but its own is good
 * for an address.  A TD's vCPU starts in flat 32-bit protected mode with
 * EFER.LME set, so that neither a GDT nor a write of EFER (which a TD may not do)
 * is needed before paging is on.
 */
.section .rodata
.balign 4096
.globl tdx_boot_page
tdx_boot_page:

.code32
boot32:
	movl	%ebx, TDX_AREA_RBX(%ecx)
	movl	%ecx, TDX_AREA_RCX(%ecx)
	movl	%edx, TDX_AREA_RDX(%ecx)
	movl	%esi, TDX_AREA_RSI(%ecx)

	/* Paging will change where this is. */
	movl	TDX_AREA_SELF(%ecx), %edi

	/* The address in it is one of the page tables to come. */
	lgdtl	TDX_AREA_GDTR(%ecx)

	movl	TDX_AREA_CR3(%ecx), %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$CR4_PAE_FX, %eax
	movl	%eax, %cr4
	movl	%cr0, %eax
	orl	$CR0_MP_WP_PG, %eax
	movl	%eax, %cr0
	ljmpl	$TDX_BOOT_CS, $(BOOT_GPA + boot64 - tdx_boot_page)

.code64
boot64:
	movl	$TDX_BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss

	/* The upper half did not survive for certain. */
	movl	%edi, %edi
	movq	%r8, TDX_AREA_R8(%rdi)

	lidt	TDX_AREA_IDTR(%rdi)
	movl	$TDX_BOOT_TSS, %eax
	ltr	%ax
	movq	TDX_AREA_RSP(%rdi), %rsp
	xorl	%ebp, %ebp
	call	*TDX_AREA_ENTRY(%rdi)
	ud2

.org tdx_boot_page + RESET_OFFSET, 0x90
.code32
	jmp	boot32
.org tdx_boot_page + 4096, 0x90

.text
.code64
/*
 * uint64_t tdcall(uint64_t rax, struct tdcall_regs *regs)
 *
 * RBX, RBP and R12 to R15 belong to the caller; RBP is in no TDCALL.
 */
.globl tdcall
tdcall:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi

	movq	%rdi, %rax
	movq	TDCALL_REGS_RCX(%rsi), %rcx
	movq	TDCALL_REGS_RDX(%rsi), %rdx
	movq	TDCALL_REGS_RBX(%rsi), %rbx
	movq	TDCALL_REGS_RDI(%rsi), %rdi
	movq	TDCALL_REGS_R8(%rsi), %r8
	movq	TDCALL_REGS_R9(%rsi), %r9
	movq	TDCALL_REGS_R10(%rsi), %r10
	movq	TDCALL_REGS_R11(%rsi), %r11
	movq	TDCALL_REGS_R12(%rsi), %r12
	movq	TDCALL_REGS_R13(%rsi), %r13
	movq	TDCALL_REGS_R14(%rsi), %r14
	movq	TDCALL_REGS_R15(%rsi), %r15
	movq	TDCALL_REGS_RSI(%rsi), %rsi

.globl tdcall_insn
tdcall_insn:
	.byte	0x66, 0x0f, 0x01, 0xcc

	/* Get at the registers' place without losing any of them. */
	xchgq	%rsi, (%rsp)
	movq	%rcx, TDCALL_REGS_RCX(%rsi)
	movq	%rdx, TDCALL_REGS_RDX(%rsi)
	movq	%rbx, TDCALL_REGS_RBX(%rsi)
	movq	%rdi, TDCALL_REGS_RDI(%rsi)
	movq	%r8, TDCALL_REGS_R8(%rsi)
	movq	%r9, TDCALL_REGS_R9(%rsi)
	movq	%r10, TDCALL_REGS_R10(%rsi)
	movq	%r11, TDCALL_REGS_R11(%rsi)
	movq	%r12, TDCALL_REGS_R12(%rsi)
	movq	%r13, TDCALL_REGS_R13(%rsi)
	movq	%r14, TDCALL_REGS_R14(%rsi)
	movq	%r15, TDCALL_REGS_R15(%rsi)
	popq	%rcx
	movq	%rcx, TDCALL_REGS_RSI(%rsi)

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

.section .note.GNU-stack, "", %progbits
