// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDs that make calls at random, nearly right or not at all: TDCALLs, TDVMCALLs, MSRs,
 * ports.  The TD may die of it, neither KVM nor the TDX module may fail, and all
 * that it had comes back.  Seeds are printed; TDX_SEED sets the first one.
 */
#include "tdx_guest_hostile.h"

static struct guest_random_state rng;

/* Addresses and numbers that are nearly right find more than random ones. */
static uint64_t interesting(void)
{
	uint64_t bit = tdx_guest_shared_bit, gpa;

	gpa = GPA + guest_random_u32(&rng) % NR_PAGES * PAGE_SIZE;
	switch (guest_random_u32(&rng) % 12) {
	case 0:
		return 0;
	case 1:
		return -1ull;
	case 2:
		return guest_random_u32(&rng) % 256;
	case 3:
		return BIT_ULL(guest_random_u32(&rng) % 64);
	case 4:
		return gpa;
	case 5:
		return gpa | bit;
	case 6:
		return gpa | guest_random_u32(&rng) % PAGE_SIZE;
	case 7:
		return TDX_BOOT_GPA;
	case 8:
		return bit - PAGE_SIZE;
	case 9:
		return 2 * bit - 8;
	case 10:
		return guest_random_u32(&rng);
	default:
		return guest_random_u64(&rng);
	}
}

static void random_regs(struct tdcall_regs *regs)
{
	uint64_t *p = (uint64_t *)regs;
	int i;

	for (i = 0; i < sizeof(*regs) / sizeof(*p); i++)
		p[i] = interesting();
}

static void random_tdcall(void)
{
	uint64_t rax = guest_random_u32(&rng) % TDG_NR_LEAVES;
	struct tdcall_regs regs;

	if (guest_random_u32(&rng) % 16 == 0)
		rax = interesting();
	random_regs(&regs);
	/* TDVMCALLs are below, with a mask that is not refused. */
	if (!rax && guest_random_bool(&rng))
		rax = TDG_VP_RD;
	tdcall(rax, &regs);
}

static void random_field(void)
{
	static const uint8_t leaves[] = {
		TDG_VM_RD, TDG_VM_WR, TDG_VP_RD, TDG_VP_WR, TDG_SYS_RD
	};
	struct tdcall_regs regs;

	random_regs(&regs);
	regs.rcx = 0;
	/* Class and code; what is left of the id does not count. */
	regs.rdx = (uint64_t)(guest_random_u32(&rng) & 0xbf) << 56 |
		   guest_random_u32(&rng) % 0x40;
	tdcall(leaves[guest_random_u32(&rng) % ARRAY_SIZE(leaves)], &regs);
}

static void random_tdvmcall(void)
{
	static const uint32_t fns[] = {
		TDVMCALL_CPUID, TDVMCALL_IO, TDVMCALL_RDMSR, TDVMCALL_WRMSR,
		TDVMCALL_MMIO, TDVMCALL_INFO, TDVMCALL_MAP_GPA, TDVMCALL_GET_QUOTE,
		TDVMCALL_FATAL_ERROR, TDVMCALL_EVENT_NOTIFY, TDVMCALL_SERVICE,
	};
	struct tdcall_regs regs;

	random_regs(&regs);
	regs.rcx = guest_random_bool(&rng) ? TDVMCALL_ALL_REGS :
		   (guest_random_u32(&rng) & ~0x33);
	if (guest_random_u32(&rng) % 8)
		regs.r10 = 0;
	if (guest_random_u32(&rng) % 8)
		regs.r11 = fns[guest_random_u32(&rng) % ARRAY_SIZE(fns)];
	/* HLT is for ever if nobody sends anything, and proves nothing. */
	if (regs.r11 == TDVMCALL_HLT)
		regs.r11 = 0;
	tdcall(TDG_VP_VMCALL, &regs);
}

static uint32_t random_msr(void)
{
	static const uint32_t bases[] = {
		0, 0x40, 0x80, 0x170, 0x1a0, 0x1d0, 0x200, 0x270, 0x300, 0x380,
		0x480, 0x560, 0x600, 0x6a0, 0x6e0, 0x800, 0x840, 0x1200, 0x1b00,
		0xc0000080, 0xc0000100, 0xc0010000, 0x4b564d00, 0x40000000,
	};

	if (guest_random_u32(&rng) % 8 == 0)
		return guest_random_u32(&rng);
	return bases[guest_random_u32(&rng) % ARRAY_SIZE(bases)] +
	       guest_random_u32(&rng) % 64;
}

static void random_msr_access(void)
{
	uint32_t msr = random_msr();
	uint64_t val;

	if (guest_random_bool(&rng))
		rdmsr_safe(msr, &val);
	else
		wrmsr_safe(msr, interesting());
}

static void random_port(void)
{
	uint16_t port = guest_random_u32(&rng);
	uint32_t val = 0;

	/* Not what the host takes for a ucall. */
	port &= ~TDX_UCALL_PORT;
	switch (guest_random_u32(&rng) % 4) {
	case 0:
		asm volatile("inb %w1, %b0" : "+a" (val) : "d" (port));
		break;
	case 1:
		asm volatile("outl %0, %w1" :: "a" (val), "d" (port));
		break;
	case 2:
		asm volatile("inl %w1, %0" : "+a" (val) : "d" (port));
		break;
	default:
		asm volatile("outw %w0, %w1" :: "a" (val), "d" (port));
	}
}

static void guest_calls(uint64_t seed)
{
	uint8_t kind;
	int i;

	rng = new_guest_random_state(seed);
	for (i = 0; i < NR_STEPS; i++) {
		kind = guest_random_u32(&rng) % 5;
		hostile_note(i, &kind, sizeof(kind));
		switch (kind) {
		case 0:
			random_tdcall();
			break;
		case 1:
			random_field();
			break;
		case 2:
			random_tdvmcall();
			break;
		case 3:
			random_msr_access();
			break;
		default:
			random_port();
		}
	}
}

TEST_F_TIMEOUT(hostile, host_survives, 120)
{
	hostile_run(_metadata, guest_calls, NULL);
}

int main(int argc, char *argv[])
{
	return hostile_main(argc, argv);
}
