// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code that runs in a TD: TDVMCALLs, the handler of #VE, MMIO, the local APIC.
 * It may touch nothing but its arguments and guest globals.
 */
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

/* A #VE of MMIO: what tdx_mmio_read() and tdx_mmio_write() leave in R9. */
#define MMIO_MAGIC		0x7d0010ull
#define MMIO_WRITE		BIT(8)

#define VE_IO_SIZE(qual)	(((qual) & 7) + 1)
#define VE_IO_IN		BIT(3)
#define VE_IO_STRING		BIT(4)
#define VE_IO_PORT(qual)	((uint16_t)((qual) >> 16))

#define EFLAGS_IF		BIT(9)

#define ACCEPT_RETRIES		1000000

bool tdx_in_guest;
uint64_t tdx_guest_shared_bit;
bool tdx_ve_accepts;
struct tdx_ve_log tdx_ve_log;

uint64_t tdvmcall(uint64_t fn, uint64_t r12, uint64_t r13, uint64_t r14,
		  uint64_t r15, uint64_t *r11)
{
	struct tdcall_regs regs = {
		.rcx = TDVMCALL_ALL_REGS,
		.r11 = fn,
		.r12 = r12,
		.r13 = r13,
		.r14 = r14,
		.r15 = r15,
	};

	if (tdcall(TDG_VP_VMCALL, &regs))
		return -1ull;
	if (r11)
		*r11 = regs.r11;
	return regs.r10;
}

uint64_t tdvmcall_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t reg[4])
{
	struct tdcall_regs regs = {
		.rcx = TDVMCALL_ALL_REGS,
		.r11 = TDVMCALL_CPUID,
		.r12 = leaf,
		.r13 = subleaf,
	};

	if (tdcall(TDG_VP_VMCALL, &regs))
		return -1ull;
	reg[0] = regs.r12;
	reg[1] = regs.r13;
	reg[2] = regs.r14;
	reg[3] = regs.r15;
	return regs.r10;
}

uint64_t tdx_accept(uint64_t gpa, uint64_t level)
{
	uint64_t status;
	int i;

	for (i = 0; i < ACCEPT_RETRIES; i++) {
		status = tdcall_rcx(TDG_MEM_PAGE_ACCEPT, gpa | level);
		if (TDCALL_STATUS(status) != TDCALL_OPERAND_BUSY)
			break;
	}
	return status;
}

uint64_t tdx_get_ve_info(struct tdx_ve_info *info)
{
	struct tdcall_regs regs = {};
	uint64_t status = tdcall(TDG_VP_VEINFO_GET, &regs);

	info->exit_reason = regs.rcx;
	info->qualification = regs.rdx;
	info->gla = regs.r8;
	info->gpa = regs.r9;
	info->insn_len = regs.r10;
	info->insn_info = regs.r10 >> 32;
	return status;
}

uint64_t tdx_vm_rd(uint64_t field, uint64_t *val)
{
	struct tdcall_regs regs = { .rdx = field };
	uint64_t status = tdcall(TDG_VM_RD, &regs);

	*val = regs.r8;
	return status;
}

/* As the CPU would answer what the VMM refuses. */
static void ve_gp(struct ex_regs *regs)
{
	__GUEST_ASSERT(regs->r9 == KVM_EXCEPTION_MAGIC && regs->rip == regs->r10,
		       "VMM refused MSR %#lx at RIP %#lx", regs->rcx, regs->rip);
	regs->rip = regs->r11;
	regs->r9 = GP_VECTOR;
	regs->r10 = 0;
}

static bool ve_rdmsr(struct ex_regs *regs)
{
	uint64_t val;

	if (tdvmcall_rdmsr(regs->rcx, &val)) {
		ve_gp(regs);
		return false;
	}
	regs->rax = (uint32_t)val;
	regs->rdx = val >> 32;
	return true;
}

static bool ve_wrmsr(struct ex_regs *regs)
{
	uint64_t val = (uint32_t)regs->rax | regs->rdx << 32;

	if (tdvmcall_wrmsr(regs->rcx, val)) {
		ve_gp(regs);
		return false;
	}
	return true;
}

static bool ve_io(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	int size = VE_IO_SIZE(ve->qualification);
	uint16_t port = VE_IO_PORT(ve->qualification);
	uint64_t mask = GENMASK_ULL(8 * size - 1, 0), val = 0;

	GUEST_ASSERT(!(ve->qualification & VE_IO_STRING));
	if (!(ve->qualification & VE_IO_IN)) {
		GUEST_ASSERT_EQ(tdvmcall_io_out(port, size, regs->rax & mask), 0);
		return true;
	}
	GUEST_ASSERT_EQ(tdvmcall_io_in(port, size, &val), 0);
	/* As for any instruction, 32 bits clear the upper half, fewer leave it. */
	if (size == 4)
		regs->rax = 0;
	regs->rax = (regs->rax & ~mask) | (val & mask);
	return true;
}

static bool ve_cpuid(struct ex_regs *regs)
{
	uint32_t reg[4] = {};

	GUEST_ASSERT_EQ(tdvmcall_cpuid(regs->rax, regs->rcx, reg), 0);
	regs->rax = reg[0];
	regs->rbx = reg[1];
	regs->rcx = reg[2];
	regs->rdx = reg[3];
	return true;
}

static void ve_mmio(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	int size = regs->r8 & 0xff;

	__GUEST_ASSERT(regs->r9 == MMIO_MAGIC, "MMIO at %#lx by RIP %#lx", ve->gpa,
		       regs->rip);
	if (regs->r8 & MMIO_WRITE)
		GUEST_ASSERT_EQ(tdvmcall_mmio_write(ve->gpa, size, regs->rax), 0);
	else
		GUEST_ASSERT_EQ(tdvmcall_mmio_read(ve->gpa, size, &regs->rax), 0);
	regs->rip = regs->r10;
}

static void ve_pending(const struct tdx_ve_info *ve)
{
	uint64_t status;

	__GUEST_ASSERT(tdx_ve_accepts, "Pending page at %#lx", ve->gpa);
	status = tdx_accept(ve->gpa & ~0xfffull, TDX_PAGE_4K);
	/* Another vCPU may have been faster. */
	__GUEST_ASSERT(!TDCALL_STATUS(status) ||
		       TDCALL_STATUS(status) == TDCALL_PAGE_ALREADY_ACCEPTED,
		       "ACCEPT of %#lx: %#lx", ve->gpa, status);
	__atomic_add_fetch(&tdx_ve_log.nr_accepted, 1, __ATOMIC_RELAXED);
}

void tdx_ve_handler(struct ex_regs *regs)
{
	struct tdx_ve_info ve;
	bool skip = false;

	GUEST_ASSERT_EQ(tdx_get_ve_info(&ve), 0);
	tdx_ve_log.last = ve;
	__atomic_add_fetch(&tdx_ve_log.nr, 1, __ATOMIC_RELAXED);

	switch (ve.exit_reason) {
	case TDX_VE_EPT_VIOLATION:
		if (ve.gpa & tdx_guest_shared_bit)
			ve_mmio(regs, &ve);
		else
			ve_pending(&ve);
		break;
	case TDX_VE_RDMSR:
		skip = ve_rdmsr(regs);
		break;
	case TDX_VE_WRMSR:
		skip = ve_wrmsr(regs);
		break;
	case TDX_VE_IO:
		skip = ve_io(regs, &ve);
		break;
	case TDX_VE_CPUID:
		skip = ve_cpuid(regs);
		break;
	case TDX_VE_HLT:
		skip = !tdvmcall_hlt(!(regs->rflags & EFLAGS_IF));
		break;
	default:
		GUEST_FAIL("#VE with exit reason %lu at RIP %#lx", ve.exit_reason,
			   regs->rip);
	}
	if (skip)
		regs->rip += ve.insn_len;
}

/* R10 is where to go on if the VMM did the access instead. */
#define mmio_access(insn, gva, ctl, data)					\
do {										\
	register uint64_t r8 asm("r8") = (ctl);					\
	register uint64_t r9 asm("r9") = MMIO_MAGIC;				\
	register uint64_t r10 asm("r10");					\
										\
	asm volatile("lea 1f(%%rip), %[r10]\n\t"				\
		     insn "\n\t"						\
		     "1:"							\
		     : "+a" (data), [r10] "=&r" (r10), "+r" (r8), "+r" (r9)	\
		     : [p] "D" (gva) : "memory");				\
} while (0)

uint64_t tdx_mmio_read(uint64_t gva, int size)
{
	uint64_t val = 0;

	switch (size) {
	case 1:
		mmio_access("mov (%[p]), %%al", gva, 1, val);
		break;
	case 2:
		mmio_access("mov (%[p]), %%ax", gva, 2, val);
		break;
	case 4:
		mmio_access("mov (%[p]), %%eax", gva, 4, val);
		break;
	case 8:
		mmio_access("mov (%[p]), %%rax", gva, 8, val);
		break;
	default:
		GUEST_FAIL("No MMIO of %d bytes", size);
	}
	return val;
}

void tdx_mmio_write(uint64_t gva, int size, uint64_t val)
{
	switch (size) {
	case 1:
		mmio_access("mov %%al, (%[p])", gva, MMIO_WRITE | 1, val);
		break;
	case 2:
		mmio_access("mov %%ax, (%[p])", gva, MMIO_WRITE | 2, val);
		break;
	case 4:
		mmio_access("mov %%eax, (%[p])", gva, MMIO_WRITE | 4, val);
		break;
	case 8:
		mmio_access("mov %%rax, (%[p])", gva, MMIO_WRITE | 8, val);
		break;
	default:
		GUEST_FAIL("No MMIO of %d bytes", size);
	}
}

void tdx_apic_enable(void)
{
	x2apic_write_reg(APIC_SPIV, APIC_SPIV_APIC_ENABLED | 0xff);
}

void tdx_apic_eoi(void)
{
	x2apic_write_reg(APIC_EOI, 0);
}

void tdx_apic_ipi(uint32_t id, uint32_t cmd)
{
	x2apic_write_reg(APIC_ICR, (uint64_t)id << 32 | cmd);
}

int tdx_nr_irqs[256];

void tdx_irq_handler(struct ex_regs *regs)
{
	WRITE_ONCE(tdx_nr_irqs[regs->vector], tdx_nr_irqs[regs->vector] + 1);
	tdx_apic_eoi();
}

int tdx_irq_count(int vector)
{
	return READ_ONCE(tdx_nr_irqs[vector]);
}

void tdx_delay(unsigned long usec)
{
	uint64_t end = rdtsc() + usec * guest_tsc_khz / 1000;

	while (rdtsc() < end)
		cpu_relax();
}

/*
 * HLT that says that interrupts are on while they are off, as Linux does it: one
 * that comes between the test and HLT is pending then, and so not slept over.
 */
void tdx_wait_for_irqs(int vector, int nr)
{
	for (;;) {
		tdx_irq_disable();
		if (tdx_irq_count(vector) >= nr)
			break;
		GUEST_ASSERT_EQ(tdvmcall_hlt(false), 0);
		tdx_irq_enable();
		cpu_relax();
	}
	GUEST_ASSERT_EQ(tdx_irq_count(vector), nr);
}

static uint64_t pattern(uint64_t gpa, uint64_t seed, int i)
{
	return (gpa + 8 * i) * 0x9e3779b97f4a7c15ull + seed;
}

void tdx_fill(void *page, uint64_t gpa, uint64_t seed)
{
	uint64_t *p = page;
	int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*p); i++)
		WRITE_ONCE(p[i], pattern(gpa, seed, i));
}

bool tdx_is_filled(const void *page, uint64_t gpa, uint64_t seed)
{
	const uint64_t *p = page;
	int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*p); i++) {
		if (READ_ONCE(p[i]) != pattern(gpa, seed, i))
			return false;
	}
	return true;
}

bool tdx_is_zero(const void *page)
{
	const uint64_t *p = page;
	int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*p); i++) {
		if (READ_ONCE(p[i]))
			return false;
	}
	return true;
}
