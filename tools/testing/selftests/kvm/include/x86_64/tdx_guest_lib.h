/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What code in a TD calls: TDCALLs, TDVMCALLs, its APIC, its #VE handler.
 */
#ifndef SELFTEST_KVM_TDX_GUEST_LIB_H
#define SELFTEST_KVM_TDX_GUEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdx_tdcall.h"

/* Any TDCALL with any registers but RSP and RBP; the answers replace @regs. */
uint64_t tdcall(uint64_t rax, struct tdcall_regs *regs);

static inline uint64_t tdcall_rcx(uint64_t leaf, uint64_t rcx)
{
	struct tdcall_regs regs = { .rcx = rcx };

	return tdcall(leaf, &regs);
}

/* Standard TDVMCALL: returns R10, or all ones if the module refused the TDCALL. */
uint64_t tdvmcall(uint64_t fn, uint64_t r12, uint64_t r13, uint64_t r14,
		  uint64_t r15, uint64_t *r11);

static inline uint64_t tdvmcall_io_out(uint16_t port, int size, uint64_t val)
{
	return tdvmcall(TDVMCALL_IO, size, 1, port, val, NULL);
}

static inline uint64_t tdvmcall_io_in(uint16_t port, int size, uint64_t *val)
{
	return tdvmcall(TDVMCALL_IO, size, 0, port, 0, val);
}

static inline uint64_t tdvmcall_mmio_write(uint64_t gpa, int size, uint64_t val)
{
	return tdvmcall(TDVMCALL_MMIO, size, 1, gpa, val, NULL);
}

static inline uint64_t tdvmcall_mmio_read(uint64_t gpa, int size, uint64_t *val)
{
	return tdvmcall(TDVMCALL_MMIO, size, 0, gpa, 0, val);
}

static inline uint64_t tdvmcall_rdmsr(uint32_t msr, uint64_t *val)
{
	return tdvmcall(TDVMCALL_RDMSR, msr, 0, 0, 0, val);
}

static inline uint64_t tdvmcall_wrmsr(uint32_t msr, uint64_t val)
{
	return tdvmcall(TDVMCALL_WRMSR, msr, val, 0, 0, NULL);
}

static inline uint64_t tdvmcall_hlt(bool irqs_blocked)
{
	return tdvmcall(TDVMCALL_HLT, irqs_blocked, 0, 0, 0, NULL);
}

static inline uint64_t tdvmcall_map_gpa(uint64_t gpa, uint64_t size, uint64_t *r11)
{
	return tdvmcall(TDVMCALL_MAP_GPA, gpa, size, 0, 0, r11);
}

/* CPUID of the VMM; @reg receives EAX, EBX, ECX, EDX. */
uint64_t tdvmcall_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t reg[4]);

/* Accept a page, as often as the module says that the host was faster. */
uint64_t tdx_accept(uint64_t gpa, uint64_t level);

/* Consume the #VE at hand. */
uint64_t tdx_get_ve_info(struct tdx_ve_info *info);

/* Metadata of the TD. */
uint64_t tdx_vm_rd(uint64_t field, uint64_t *val);

/*
 * What library code does about a #VE: instructions are passed on to the VMM,
 * a pending page is accepted if that was asked for, a read or write of MMIO is
 * done by tdx_mmio_read() and tdx_mmio_write().  Anything else fails the test.
 */
struct ex_regs;
void tdx_ve_handler(struct ex_regs *regs);

/* What tdx_ve_handler() has seen; a global of the guest. */
struct tdx_ve_log {
	uint64_t nr;
	uint64_t nr_accepted;
	struct tdx_ve_info last;
};

extern struct tdx_ve_log tdx_ve_log;
extern bool tdx_ve_accepts;

/* Ordinary accesses to memory that is not there, of 1, 2, 4 or 8 bytes. */
uint64_t tdx_mmio_read(uint64_t gva, int size);
void tdx_mmio_write(uint64_t gva, int size, uint64_t val);

/* x2APIC, of which a TD knows no other mode: enable what software has to. */
void tdx_apic_enable(void);
void tdx_apic_eoi(void);
void tdx_apic_ipi(uint32_t id, uint32_t cmd);

static inline void tdx_irq_enable(void)
{
	asm volatile("sti" ::: "memory");
}

static inline void tdx_irq_disable(void)
{
	asm volatile("cli" ::: "memory");
}

/* Handler that counts interrupts by vector, and HLT until there were that many. */
extern int tdx_nr_irqs[256];
void tdx_irq_handler(struct ex_regs *regs);
void tdx_wait_for_irqs(int vector, int nr);
/* Of that vector, as it is now. */
int tdx_irq_count(int vector);
void tdx_delay(unsigned long usec);

/* Page with @seed and @gpa all over it, and the test for that. */
void tdx_fill(void *page, uint64_t gpa, uint64_t seed);
bool tdx_is_filled(const void *page, uint64_t gpa, uint64_t seed);
bool tdx_is_zero(const void *page);

#endif /* SELFTEST_KVM_TDX_GUEST_LIB_H */
