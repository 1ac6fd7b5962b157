/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Firmware of the TDs that tdx_linux starts.  All vCPUs begin at the reset vector,
 * in 32-bit protected mode without paging, ESI = number of the vCPU.  They switch
 * to 64-bit mode on the firmware's own page tables; then
 *
 * - vCPU 0 accepts the memory that the launcher named in the handoff record,
 *   and enters the kernel as the 64-bit boot protocol has it;
 * - the others wait at the mailbox of the ACPI multiprocessor wake-up structure
 *   until the kernel sends them somewhere; and so does a vCPU that the kernel takes
 *   offline.  APIC IDs are vCPU numbers.
 *
 * Only vCPU 0 has a stack.  The launcher (and with it the measurement) provides the
 * record; the memory of both the record and the mailbox is part of this image.
 */
#include "tdx_linux.h"

#define FW(label)		(FW_BASE + (label) - tdx_linux_fw)

#define PAGE			0x1000
#define STACK_TOP		(FW_HANDOFF + PAGE)

/* Page tables map the first GiB and the last 2 MiB below 4 GiB to themselves. */
#define PTE_TABLE		0x23	/* present, writable, accessed */
#define PTE_LARGE		0xe3	/* the same, dirty, 2 MiB */
#define LARGE_SHIFT		21
#define LARGE			(1 << LARGE_SHIFT)

#define CR0_PG			0x80000000
#define CR4_PAE			0x20
/* The boot protocol wants these selectors. */
#define BOOT_CS			0x10
#define BOOT_DS			0x18

#define TDG_VP_VMCALL		0
#define TDG_VP_INFO		1
#define TDG_MEM_PAGE_ACCEPT	6
#define ACCEPT_2M		1	/* level, in the low bits of the address */
/* High half of a completion status: what happened, without the operand. */
#define TDX_OPERAND_BUSY	0x80000200
#define TDX_PAGE_SIZE_MISMATCH	0xc0000b0b

#define VMCALL_IO		30
#define VMCALL_FATAL		0x10003
#define VMCALL_REGS		0xfc00	/* R10 to R15 */

#define MAILBOX_COMMAND		0
#define MAILBOX_APIC_ID		4
#define MAILBOX_VECTOR		8
#define COMMAND_WAKEUP		1
#define COMMAND_TEST		2

	.macro tdcall
	.byte	0x66, 0x0f, 0x01, 0xcc
	.endm

	/* Tell the launcher; uses RAX, RCX and R10 to R15. */
	.macro report value
	xorl	%r10d, %r10d
	movl	$VMCALL_IO, %r11d
	movl	$1, %r12d		/* bytes */
	movl	$1, %r13d		/* write */
	movl	$FW_PORT, %r14d
	movl	$\value, %r15d
	movl	$VMCALL_REGS, %ecx
	movl	$TDG_VP_VMCALL, %eax
	tdcall
	.endm

	.section .rodata
	.balign	PAGE
	.globl	tdx_linux_fw
tdx_linux_fw:

	/* FW_HANDOFF, and the stack. */
	.fill	PAGE

	/*
	 * FW_MAILBOX. The first half is the kernel's, and the second the firmware's:
	 * the page is all that the kernel's page tables have to map for a vCPU that
	 * comes to FW_RESET_VECTOR, on these, to go offline.
	 */
mailbox:
	.org	mailbox + FW_RESET_VECTOR - FW_MAILBOX
	.code64
	movl	$TDG_VP_INFO, %eax
	tdcall
	movl	%r9d, %esi		/* number of the vCPU */
park:
	leaq	mailbox(%rip), %rbx
1:	cmpl	%esi, MAILBOX_APIC_ID(%rbx)
	jne	3f
	cmpw	$COMMAND_WAKEUP, MAILBOX_COMMAND(%rbx)
	jne	2f
	movq	MAILBOX_VECTOR(%rbx), %rax
	/* The command is taken, and the mailbox the kernel's again. */
	movw	$0, MAILBOX_COMMAND(%rbx)
	jmp	*%rax
2:	cmpw	$COMMAND_TEST, MAILBOX_COMMAND(%rbx)
	jne	3f
	movw	$0, MAILBOX_COMMAND(%rbx)
3:	report	FW_PORT_PARKED
	jmp	1b

	.balign	PAGE
pml4:
	.quad	FW(pdpt) + PTE_TABLE
	.balign	PAGE
pdpt:
	.quad	FW(first_gib) + PTE_TABLE
	.quad	0, 0
	.quad	FW(last_gib) + PTE_TABLE
	.balign	PAGE
first_gib:
	.set	address, 0
	.rept	512
	.quad	address + PTE_LARGE
	.set	address, address + LARGE
	.endr
last_gib:
	.fill	511, 8
	.quad	(FW_BASE & ~(LARGE - 1)) + PTE_LARGE

	/* The last page holds the code; it ends in the reset vector. */
code:
	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* BOOT_CS: 64-bit code */
	.quad	0x00cf93000000ffff	/* BOOT_DS: flat data */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	FW(gdt)

	.code32
start:
	lgdt	FW(gdt_pointer)
	/* EFER has LME from the start, and CR4.MCE has to stay. */
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$FW(pml4), %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	$BOOT_CS, $FW(start64)

	.code64
start64:
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	testl	%esi, %esi
	jnz	park

	movl	$STACK_TOP, %esp
	report	FW_PORT_ACCEPTING
	call	accept_ranges
	report	FW_PORT_ENTERING
	movl	$FW_HANDOFF, %ebx
	movq	HANDOFF_BOOT_PARAMS(%rbx), %rsi
	jmp	*HANDOFF_ENTRY(%rbx)

	/* Accept from RDI up to RBP, range by range. */
accept_ranges:
	movl	$FW_HANDOFF + HANDOFF_RANGES, %esi
	movl	HANDOFF_NR_RANGES - HANDOFF_RANGES(%rsi), %ebx
1:	testl	%ebx, %ebx
	jz	2f
	movq	(%rsi), %rdi
	movq	8(%rsi), %rbp
	call	accept_range
	addq	$16, %rsi
	decl	%ebx
	jmp	1b
2:	ret

	/* 2 MiB at once where there are as many left and the host mapped them so. */
accept_range:
	cmpq	%rbp, %rdi
	jae	3f
	leaq	LARGE(%rdi), %rdx
	testl	$LARGE - 1, %edi
	jnz	1f
	cmpq	%rbp, %rdx
	ja	1f
	movl	$ACCEPT_2M, %r9d
	call	accept_page
	testl	%eax, %eax
	jz	2f
	cmpl	$TDX_PAGE_SIZE_MISMATCH, %eax
	jne	refused
	/* Page by page up to the next boundary of 2 MiB, or the end. */
1:	leaq	LARGE(%rdi), %rdx
	andq	$-LARGE, %rdx
	cmpq	%rbp, %rdx
	cmovaq	%rbp, %rdx
	call	accept_small
2:	movq	%rdx, %rdi
	jmp	accept_range
3:	ret

	/* Accept 4 KiB pages from RDI up to RDX. */
accept_small:
	xorl	%r9d, %r9d
	call	accept_page
	testl	%eax, %eax
	jnz	refused
	addq	$PAGE, %rdi
	cmpq	%rdx, %rdi
	jb	accept_small
	ret

	/* Accept the page at RDI of level R9; status in EAX. The host can be busy. */
accept_page:
	leaq	(%rdi, %r9), %rcx
	movl	$TDG_MEM_PAGE_ACCEPT, %eax
	tdcall
	shrq	$32, %rax
	cmpl	$TDX_OPERAND_BUSY, %eax
	je	accept_page
	ret

	/* Nothing to go on with: a page that is accepted already was tampered with. */
refused:
	movl	%eax, %r12d
	xorl	%r10d, %r10d
	movl	$VMCALL_FATAL, %r11d
	xorl	%r13d, %r13d
	movabsq	$0x20656761703a7766, %r14	/* "fw:page " */
	movabsq	$0x64657375666572, %r15		/* "refused" */
	movl	$VMCALL_REGS, %ecx
	movl	$TDG_VP_VMCALL, %eax
	tdcall
	jmp	refused

	.code32
	.org	code + PAGE - 16
	jmp	start
	.org	code + PAGE

	.section .note.GNU-stack, "", @progbits
