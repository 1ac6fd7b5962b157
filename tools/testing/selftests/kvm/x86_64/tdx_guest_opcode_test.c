// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDs that execute bytes at random, each time with all registers pointing to memory.
 * NMIs get them out of loops.
 * The TDX module has to tell TDCALL from what is none, and to answer what it
 * intercepts; the TD may die of it.  Seeds are printed; TDX_SEED sets the first one.
 */
#include "tdx_guest_hostile.h"

#define CODE_SIZE	HOSTILE_BYTES
/*
 * Registers point to a page that is pending, so that LIDT and its like get a #VE
 * rather than garbage; RSP to memory that is nobody else's stack.
 */
#define PENDING		GPA
#define STACK		(GPA + NR_PAGES / 2 * PAGE_SIZE)

static struct guest_random_state rng;

/* Where a random instruction ends, whatever became of it. */
static uint8_t code[2 * CODE_SIZE];
static uint64_t recover_rip, recover_rsp, recover_rbp;
static bool in_random_code;

static void recover(struct ex_regs *regs)
{
	struct tdx_ve_info ve;
	uint64_t *frame = &regs->rip;

	if (regs->vector == TDX_VE_VECTOR) {
		if (!READ_ONCE(in_random_code)) {
			tdx_ve_handler(regs);
			return;
		}
		tdx_get_ve_info(&ve);
	}
	if (!READ_ONCE(in_random_code)) {
		/* As the library does it for rdmsr_safe() and its like. */
		if (regs->r9 == KVM_EXCEPTION_MAGIC && regs->rip == regs->r10) {
			regs->rip = regs->r11;
			regs->r9 = regs->vector;
			return;
		}
		GUEST_FAIL("Exception %lu at %#lx", regs->vector, regs->rip);
	}
	WRITE_ONCE(in_random_code, false);
	frame[0] = recover_rip;
	frame[1] = 0x08;
	frame[2] = 2;
	frame[3] = recover_rsp;
	frame[4] = 0x10;
}

static void random_instruction(int step)
{
	int i;

	for (i = 0; i < CODE_SIZE; i++)
		code[i] = guest_random_u32(&rng);
	/* Opcodes of two bytes, with and without prefix, are the better half. */
	if (guest_random_bool(&rng))
		code[0] = 0x0f;
	if (guest_random_u32(&rng) % 4 == 0) {
		code[0] = 0x66;
		code[1] = 0x0f;
		code[2] = 0x01;
	}
	memset(code + CODE_SIZE, 0x0f, CODE_SIZE);
	for (i = 1; i < CODE_SIZE; i += 2)
		code[CODE_SIZE + i] = 0x0b;

	hostile_note(step, code, CODE_SIZE);
	WRITE_ONCE(in_random_code, true);
	asm volatile("lea 1f(%%rip), %%rax\n\t"
		     "mov %%rax, %[rip]\n\t"
		     "mov %%rbp, %[rbp]\n\t"
		     "mov %%rsp, %[rsp]\n\t"
		     "mov %[page], %%rax\n\t"
		     "mov %%rax, %%rcx\n\t"
		     "mov %%rax, %%rdx\n\t"
		     "mov %%rax, %%rbx\n\t"
		     "mov %%rax, %%rsi\n\t"
		     "mov %%rax, %%rdi\n\t"
		     "mov %%rax, %%rbp\n\t"
		     "mov %[stack], %%rsp\n\t"
		     "jmp *%[code]\n\t"
		     "1: mov %[rbp], %%rbp\n\t"
		     "cld"
		     : [rip] "=m" (recover_rip), [rsp] "=m" (recover_rsp),
		       [rbp] "=m" (recover_rbp)
		     : [page] "i" (PENDING), [stack] "i" (STACK), [code] "r" (&code[0])
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
		       "r12", "r13", "r14", "r15", "memory", "cc");
	WRITE_ONCE(in_random_code, false);
}

static void guest_instructions(uint64_t seed)
{
	int i;

	for (i = 1; i < NR_PAGES; i++)
		GUEST_ASSERT_EQ(tdx_accept(GPA + i * PAGE_SIZE, TDX_PAGE_4K), 0);
	rng = new_guest_random_state(seed);
	for (i = 0; i < NR_STEPS; i++)
		random_instruction(i);
}

TEST_F_TIMEOUT(hostile, host_survives, 120)
{
	hostile_run(_metadata, guest_instructions, recover);
}

int main(int argc, char *argv[])
{
	return hostile_main(argc, argv);
}
