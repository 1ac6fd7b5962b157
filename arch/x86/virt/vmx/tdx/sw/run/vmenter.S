/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into the guest and out of it again: what C cannot do about VM entry.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

/* VMCS encodings; asm/vmx.h is for C only. */
#define HOST_RSP	0x6c14
#define HOST_RIP	0x6c16

/* Offsets into struct tdx_sw_guest.gpr, which comes first */
#define GUEST_RAX	0x00
#define GUEST_RCX	0x08
#define GUEST_RDX	0x10
#define GUEST_RBX	0x18
#define GUEST_RBP	0x28
#define GUEST_RSI	0x30
#define GUEST_RDI	0x38
#define GUEST_R8	0x40
#define GUEST_R9	0x48
#define GUEST_R10	0x50
#define GUEST_R11	0x58
#define GUEST_R12	0x60
#define GUEST_R13	0x68
#define GUEST_R14	0x70
#define GUEST_R15	0x78

	.section .noinstr.text, "ax"

/*
 * int tdx_sw_vmenter(struct tdx_sw_guest *guest, bool launched)
 *
 * Returns 0 after an exit of the guest, 1 if VM entry failed without leaving
 * this function.
 */
SYM_FUNC_START(tdx_sw_vmenter)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi

	movl	$HOST_RIP, %eax
	leaq	.Lexit(%rip), %rcx
	vmwrite	%rcx, %rax
	movl	$HOST_RSP, %eax
	vmwrite	%rsp, %rax

	/* The moves leave the flags alone, and VERW leaves CF alone. */
	btl	$0, %esi
	movq	%rdi, %rax
	movq	GUEST_RCX(%rax), %rcx
	movq	GUEST_RDX(%rax), %rdx
	movq	GUEST_RBX(%rax), %rbx
	movq	GUEST_RBP(%rax), %rbp
	movq	GUEST_RSI(%rax), %rsi
	movq	GUEST_RDI(%rax), %rdi
	movq	GUEST_R8(%rax), %r8
	movq	GUEST_R9(%rax), %r9
	movq	GUEST_R10(%rax), %r10
	movq	GUEST_R11(%rax), %r11
	movq	GUEST_R12(%rax), %r12
	movq	GUEST_R13(%rax), %r13
	movq	GUEST_R14(%rax), %r14
	movq	GUEST_R15(%rax), %r15
	movq	GUEST_RAX(%rax), %rax

	CLEAR_CPU_BUFFERS

	/* The CPU continues at .Lexit with this stack, which objtool cannot see. */
	UNWIND_HINT_SAVE
	jc	.Lresume
	vmlaunch
	jmp	.Lfail
.Lresume:
	vmresume
.Lfail:
	movl	$1, %ebx
	jmp	.Lhost

.Lexit:
	UNWIND_HINT_RESTORE
	ENDBR
	pushq	%rax
	movq	8(%rsp), %rax
	popq	GUEST_RAX(%rax)
	movq	%rcx, GUEST_RCX(%rax)
	movq	%rdx, GUEST_RDX(%rax)
	movq	%rbx, GUEST_RBX(%rax)
	movq	%rbp, GUEST_RBP(%rax)
	movq	%rsi, GUEST_RSI(%rax)
	movq	%rdi, GUEST_RDI(%rax)
	movq	%r8, GUEST_R8(%rax)
	movq	%r9, GUEST_R9(%rax)
	movq	%r10, GUEST_R10(%rax)
	movq	%r11, GUEST_R11(%rax)
	movq	%r12, GUEST_R12(%rax)
	movq	%r13, GUEST_R13(%rax)
	movq	%r14, GUEST_R14(%rax)
	movq	%r15, GUEST_R15(%rax)
	xorl	%ebx, %ebx

.Lhost:
	popq	%rdi

	/* What the guest left is not to be speculated with. */
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%ebp, %ebp
	xorl	%esi, %esi
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d

	/*
	 * The CPU may predict RET by what the guest has called, and by its
	 * IA32_SPEC_CTRL: none here before both are the host's, but those of CALLs
	 * made since.
	 */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	call	tdx_sw_host_spec_ctrl
	CLEAR_BRANCH_HISTORY_VMEXIT

	movl	%ebx, %eax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(tdx_sw_vmenter)
