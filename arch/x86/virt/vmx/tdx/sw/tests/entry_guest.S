/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What runs in the TDs of the entry suite: from the reset vector to 64-bit mode,
 * then a loop that asks the host, by a TDVMCALL that passes all registers, what
 * to do next.  The host's answer is code, in a page that it can write because
 * this module does not protect it: R12 is its address.
 *
 * An exception ends that code; R15 then tells the vector and R14 the error code.
 */
#include <linux/linkage.h>

#define BASE		0xfffff000	/* the page that ends at 4 GiB */
#define PML4		0x1000
#define STACK_TOP	0x6000
#define IDT		0x3000

#define CR4_PAE		(1 << 5)
#define CR4_OSFXSR	(1 << 9)
#define CR4_OSXSAVE	(1 << 18)
#define CR0_PG		(1 << 31)
#define CODE64		0x08
#define IA32_SPEC_CTRL	0x48

#define TDCALL		.byte 0x66, 0x0f, 0x01, 0xcc

#define AT(label)	(BASE + (label) - swt_guest_start)

/* RDX, RBX, RSI, RDI, R8 to R15 */
#define ALL_GPRS	0xffcc

	.section .rodata, "a"
	.balign 4096
SYM_DATA_START(swt_guest_start)
	.code32
.Lstart32:
	movl	$PML4, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$(CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE), %eax
	movl	%eax, %cr4
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	lgdt	AT(.Lgdt_ptr)
	ljmp	$CODE64, $AT(.Lstart64)

	.code64
.Lstart64:
	lidt	.Lidt_ptr(%rip)
	xorl	%r15d, %r15d
	xorl	%r14d, %r14d
.Lask:
	movl	$STACK_TOP, %esp
	xorl	%eax, %eax
	movl	$ALL_GPRS, %ecx
	xorl	%r10d, %r10d
	TDCALL
	xorl	%r15d, %r15d
	xorl	%r14d, %r14d
	call	*%r12
	jmp	.Lask

	/* Stubs of 16 bytes, one for each of the 32 exceptions. */
	.balign 16
.Lstubs:
	vector = 0
	.rept 32
	.balign 16
	/* These push an error code. */
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	popq	%r14
	.endif
	movl	$vector, %r15d
	jmp	.Lask
	vector = vector + 1
	.endr

	.balign 8
.Lgdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
.Lgdt_ptr:
	.word	15
	.long	AT(.Lgdt)
	.long	0
.Lidt_ptr:
	.word	32 * 16 - 1
	.quad	IDT

	.org	0xf00
	.long	.Lstubs - swt_guest_start

	.org	0xff0
	.code32
	jmp	.Lstart32
	.code64
	.org	0x1000
SYM_DATA_END(swt_guest_start)

/* ---- orders: position-independent code that ends with RET ---- */

.macro ORDER name:req
	.balign 8
SYM_DATA_START(swt_order_\name)
.endm

.macro ORDER_END name:req
	ret
	int3
SYM_DATA_END_LABEL(swt_order_\name, SYM_L_GLOBAL, swt_order_\name\()_end)
.endm

	/* RSI = 0x1234, RDI++ */
ORDER count
	movl	$0x1234, %esi
	leaq	1(%rdi), %rdi
ORDER_END count

	/* Write RSI to (RDI), read 8(RDI) to RSI */
ORDER memory
	movq	%rsi, (%rdi)
	movq	8(%rdi), %rsi
ORDER_END memory

ORDER write
	movb	$1, (%rdi)
ORDER_END write

	/* TDCALL with leaf RSI and operands RDI, RDX, R8, R9: RBX = RAX, RDI = RCX */
ORDER tdcall
	movq	%rsi, %rax
	movq	%rdi, %rcx
	TDCALL
	movq	%rax, %rbx
	movq	%rcx, %rdi
ORDER_END tdcall

	/* RSI = RAX of the TDVMCALL that brought the order */
ORDER status
	movq	%rax, %rsi
ORDER_END status

ORDER undefined
	ud2
ORDER_END undefined

	/* ... with the stack that ends at RDI */
ORDER undefined_with_stack
	movq	%rdi, %rsp
	ud2
ORDER_END undefined_with_stack

	/* A page fault by reading (RDI); RDX = RSP before */
ORDER page_fault
	movq	%rsp, %rdx
	movb	(%rdi), %al
ORDER_END page_fault

	/* ... with the stack that ends at RBX */
ORDER page_fault_with_stack
	movq	%rbx, %rsp
	movb	(%rdi), %al
ORDER_END page_fault_with_stack

	/* A general protection fault, of a selector that is none */
ORDER bad_selector
	movl	$0x50, %eax
	movl	%eax, %ds
ORDER_END bad_selector

ORDER divide_by_zero
	xorl	%eax, %eax
	xorl	%edx, %edx
	divl	%eax
ORDER_END divide_by_zero

	/* Events that return behind the instruction */
ORDER software_interrupt
	int	$30
ORDER_END software_interrupt

ORDER breakpoint
	int3
ORDER_END breakpoint

	/* INT1, of one byte */
ORDER debug_trap
	.byte	0xf1
ORDER_END debug_trap

	/* No order but a handler: RBX = its RSP; the rest is done at RSI */
ORDER handler
	movq	%rsp, %rbx
	jmp	*%rsi
ORDER_END handler

	/* An IDT without entries, and an exception */
ORDER triple_fault
	pushq	$0
	pushq	$0
	lidt	(%rsp)
	ud2
ORDER_END triple_fault

	/* Interrupts on for a moment; R15 tells what came */
ORDER interrupts_on
	sti
	nop
	nop
	cli
ORDER_END interrupts_on

	/* Leave an NMI's handler */
ORDER iret
	movq	%rsp, %rax
	pushq	$0
	pushq	%rax
	pushfq
	pushq	$CODE64
	leaq	1f(%rip), %rax
	pushq	%rax
	iretq
1:
ORDER_END iret

	/* Pass XMM3 to the host: RSI = XMM3 as the host answers, RBX = XMM4 */
.macro PASS_XMM3
	movl	$(ALL_GPRS | 1 << (16 + 3)), %ecx
	xorl	%eax, %eax
	xorl	%r10d, %r10d
	TDCALL
	movq	%xmm3, %rsi
	movq	%xmm4, %rbx
.endm

	/* RDI to the host in XMM3 */
ORDER xmm
	movq	%rdi, %xmm3
	movl	$1, %eax
	movq	%rax, %xmm4
	PASS_XMM3
ORDER_END xmm

	/* 0 to the host in XMM3, and in all other registers of the kind */
ORDER zero_xmm
	.irp	nr, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	pxor	%xmm\nr, %xmm\nr
	.endr
	PASS_XMM3
ORDER_END zero_xmm

	/* Registers that the host must not see: DR0, DR6, CR2 */
ORDER own_registers
	movq	%rdi, %dr0
	movq	%rdi, %cr2
	movl	$0x12345678, %ebp
ORDER_END own_registers

	/* ... are still there: RSI = DR0, RBX = CR2, R8 = RBP */
ORDER look_at_own_registers
	movq	%dr0, %rsi
	movq	%cr2, %rbx
	movq	%rbp, %r8
ORDER_END look_at_own_registers

	/* IA32_SPEC_CTRL = EDI, which the host must not see */
ORDER write_spec_ctrl
	movl	$IA32_SPEC_CTRL, %ecx
	movl	%edi, %eax
	xorl	%edx, %edx
	wrmsr
ORDER_END write_spec_ctrl

	/* ESI = IA32_SPEC_CTRL */
ORDER read_spec_ctrl
	movl	$IA32_SPEC_CTRL, %ecx
	rdmsr
	movl	%eax, %esi
ORDER_END read_spec_ctrl

	/* RSI = TSC */
ORDER tsc
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, %rsi
ORDER_END tsc
