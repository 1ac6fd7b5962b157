/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boots from a CD's boot sector and tells, on the first serial port, whether the machine
 * keeps AVX state that is saved in the compacted format: "kept", "lost", or "none" where
 * it has no XSAVEC.  Then it switches the machine off, as Bochs wants it.
 */
#define COM1		0x3f8
#define COM1_LINE	0x3fb
#define COM1_8BITS	3
#define COM1_STATUS	0x3fd
#define COM1_EMPTY	0x40
#define SHUTDOWN	0x8900
#define CR0_PE		1
#define CR4_FPU		0x40600		/* OSFXSR, OSXMMEXCPT, OSXSAVE */
#define XCR0_AVX	7
#define YMM_BYTES	32
#define AREA		0x9000
#define BACK		0x8800
#define LEGACY_BYTES	1024

	.code16
	.globl _start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	gdtr
	movl	%cr0, %eax
	orb	$CR0_PE, %al
	movl	%eax, %cr0
	ljmpl	$8, $flat

	.code32
flat:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7c00, %esp
	movl	%cr4, %eax
	orl	$CR4_FPU, %eax
	movl	%eax, %cr4
	fninit

	movl	$0xd, %eax
	movl	$1, %ecx
	cpuid
	movl	$none, %esi
	testb	$2, %al
	jz	tell
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$XCR0_AVX, %eax
	xsetbv

	movl	$AREA, %edi
	movl	$LEGACY_BYTES, %ecx
	xorl	%eax, %eax
	rep stosb
	vmovups	pattern, %ymm0
	movl	$XCR0_AVX, %eax
	xorl	%edx, %edx
	xsavec	AREA
	vxorps	%ymm0, %ymm0, %ymm0
	movl	$XCR0_AVX, %eax
	xrstor	AREA
	vmovups	%ymm0, BACK

	movl	$lost, %eax
	movl	$pattern, %esi
	movl	$BACK, %edi
	movl	$YMM_BYTES, %ecx
	repe cmpsb
	movl	%eax, %esi
	jne	tell
	movl	$kept, %esi
tell:
	movw	$COM1_LINE, %dx
	movb	$COM1_8BITS, %al
	outb	%al, %dx
	movw	$COM1, %dx
	call	write
	movl	$off, %esi
	movw	$SHUTDOWN, %dx
	call	write
1:	hlt
	jmp	1b

/* What ESI points to, to port DX, when the serial port is done with all before. */
write:
	movl	%edx, %ebx
1:	movw	$COM1_STATUS, %dx
	inb	%dx, %al
	testb	$COM1_EMPTY, %al
	jz	1b
	movl	%ebx, %edx
	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	ret

kept:	.asciz "kept\n"
lost:	.asciz "lost\n"
none:	.asciz "none\n"
off:	.asciz "Shutdown"
	.balign 8
gdt:	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:	.word . - gdt - 1
	.long gdt
	.balign 32
pattern:
	.set i, 1
	.rept YMM_BYTES
	.byte i
	.set i, i + 1
	.endr
