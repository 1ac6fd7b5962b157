// SPDX-License-Identifier: GPL-2.0
/*
 * A TD that runs and does as it is told, entered with the host's registers noted.
 */
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/special_insns.h>
#include <asm/tdx.h>

#include "entry.h"

#define GUEST_CODE	0xfffff000ULL
#define GUEST_PML4	0x1000ULL
#define GUEST_PDPT	0x2000ULL

#define STUB_OFFSET	0xf00
#define STUB_SIZE	16
#define NR_STUBS	32

#define HOST_CR2	0x1000dead000ULL
#define MAX_INTERRUPTS	1000

#define FIELD_SHARED_EPTP	0x203cULL

const u32 swe_lost_msr[NR_LOST_MSRS] = {
	MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
};

/* ---- entering ---- */

static void read_host_regs(struct host_regs *host)
{
	unsigned int i;

	for (i = 0; i < NR_LOST_MSRS; i++)
		rdmsrl(swe_lost_msr[i], host->msr[i]);
	rdmsrl(MSR_IA32_DEBUGCTLMSR, host->debugctl);
	host->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	host->xss = 0;
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrl(MSR_IA32_XSS, host->xss);
	get_debugreg(host->dr[0], 0);
	get_debugreg(host->dr[1], 1);
	get_debugreg(host->dr[2], 2);
	get_debugreg(host->dr[3], 3);
	get_debugreg(host->dr6, 6);
	get_debugreg(host->dr7, 7);
	host->cr2 = native_read_cr2();
	asm volatile("movq %%xmm3, %0" : "=r" (host->xmm3));
	asm volatile("movq %%xmm4, %0" : "=r" (host->xmm4));
}

static void restore_host(const struct host_regs *host)
{
	unsigned int i;

	for (i = 0; i < NR_LOST_MSRS; i++)
		wrmsrl(swe_lost_msr[i], host->msr[i]);
	xsetbv(XCR_XFEATURE_ENABLED_MASK, host->xcr0);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		wrmsrl(MSR_IA32_XSS, host->xss);
}

/* One by one: a CPU that lacks a bit may refuse the others along with it. */
static void set_debugctl(unsigned long bits)
{
	unsigned int bit;
	u64 value;

	for_each_set_bit(bit, &bits, BITS_PER_LONG) {
		rdmsrl(MSR_IA32_DEBUGCTLMSR, value);
		wrmsrl_safe(MSR_IA32_DEBUGCTLMSR, value | BIT_ULL(bit));
	}
}

/*
 * The exit has acknowledged the interrupt, and there is nobody here to handle
 * it: let it come again as soon as interrupts are on.
 */
static void requeue_interrupt(u8 vector)
{
	apic_eoi();
	__apic_send_IPI_self(vector);
}

static void nothing(struct irq_work *work)
{
}

static DEFINE_IRQ_WORK(interrupt, nothing);

u64 swe_enter_once(struct entry *e)
{
	unsigned long flags;
	u64 status, debugctl;

	e->regs.rcx = e->td.vcpu | e->flags;
	e->flags = 0;
	kernel_fpu_begin();
	local_irq_save(flags);
	native_write_cr2(HOST_CR2);
	set_debugreg(HOST_DR0, 0);
	if (e->host_dr7)
		set_debugreg(e->host_dr7, 7);
	rdmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
	set_debugctl(e->host_debugctl);
	if (e->interrupted)
		irq_work_queue(&interrupt);
	asm volatile("movq %0, %%xmm3" : : "r" (e->host_xmm3));
	read_host_regs(&e->before);
	status = __seamcall_saved_ret(L_VP_ENTER, &e->regs);
	read_host_regs(&e->after);
	restore_host(&e->before);
	wrmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
	set_debugreg(DR7_DISABLED, 7);
	set_debugreg(0, 0);
	if (status == EXIT_EXTERNAL_INTERRUPT)
		requeue_interrupt(e->regs.r9);
	local_irq_restore(flags);
	kernel_fpu_end();
	return status;
}

/* The host is asked for nothing but to serve its interrupts and to enter again. */
static bool is_interrupted(u64 status)
{
	return status == EXIT_EXTERNAL_INTERRUPT || status == EXIT_OTHER_SMI;
}

u64 swe_enter(struct entry *e)
{
	u64 status;
	int i;

	for (i = 0; i < MAX_INTERRUPTS; i++) {
		struct tdx_module_args before = e->regs;

		status = swe_enter_once(e);
		if (!is_interrupted(status))
			return status;
		e->regs = before;
	}
	return status;
}

/* ---- a TD that does as it is told ---- */

static void fill_gate(void *idt, u8 vector, u64 target)
{
	u64 *gate = idt + vector * 16;

	gate[0] = (target & 0xffff) | 0x08ULL << 16 | 0x8eULL << 40 |
		  (target >> 16 & 0xffff) << 48;
	gate[1] = target >> 32;
}

static u64 stub_of(u8 vector)
{
	return GUEST_CODE + *(u32 *)(swt_guest_start + STUB_OFFSET) + vector * STUB_SIZE;
}

static void fill_idt(void *idt)
{
	unsigned int i;

	for (i = 0; i < NR_STUBS; i++)
		fill_gate(idt, i, stub_of(i));
}

static void fill_page_tables(u64 *pml4, u64 *pdpt, u64 shared)
{
	unsigned int i;

	memset(pml4, 0, PAGE_SIZE);
	memset(pdpt, 0, PAGE_SIZE);
	pml4[0] = GUEST_PDPT | 0x3;
	for (i = 0; i < 4; i++)
		pdpt[i] = (u64)i << 30 | 0x83;
	pdpt[1] = shared | 0x83;
}

u64 swe_shared_bit(void)
{
	return BIT_ULL(tdx_sw_gpa_width() - 1);
}

static void map_shared(struct entry *e)
{
	u64 *root, *pdpt, *pd, *pt;

	root = swt_va(swt_page(e->t));
	pdpt = swt_va(swt_page(e->t));
	pd = swt_va(swt_page(e->t));
	pt = swt_va(swt_page(e->t));
	memset64(root, BIT_ULL(63), 512);
	memset64(pdpt, BIT_ULL(63), 512);
	memset64(pd, BIT_ULL(63), 512);
	memset64(pt, BIT_ULL(63), 512);
	root[swe_shared_bit() >> 39] = virt_to_phys(pdpt) | 7;
	pdpt[0] = virt_to_phys(pd) | 7;
	pd[0] = virt_to_phys(pt) | 7;
	pt[0] = swt_page(e->t) | 0x37;
	pt[1] = 0;			/* MMIO: #VE */
	swt_ok(e->t, L_VP_WR,
	       SWT_ARGS(.rcx = e->td.vcpu, .rdx = FIELD_SHARED_EPTP,
			.r8 = virt_to_phys(root), .r9 = GENMASK_ULL(51, 12)));
}

static void build_td(struct entry *e, u16 tsc_frequency)
{
	struct swt *t = e->t;

	swt_td_build(t, &e->td, 0, STAGE_UNINITIALIZED);
	if (tsc_frequency)
		*(u16 *)(swt_va(e->td.params) + PARAMS_TSC_FREQUENCY) = tsc_frequency;
	e->tsc_before = rdtsc_ordered();
	swt_td_init(t, &e->td);
	e->tsc_after = rdtsc_ordered();
}

struct entry *swe_build_tsc(struct kunit *test, u16 frequency)
{
	struct swt *t = swt_of(test);
	struct entry *e;
	u64 pml4, pdpt;

	if (!(__read_cr4() & X86_CR4_VMXE))
		kunit_skip(test, "needs VMX operation");

	e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, e);
	e->t = t;
	t->checked = false;
	build_td(e, frequency);
	memcpy(swt_va(swt_add(t, &e->td, GUEST_CODE)), swt_guest_start, PAGE_SIZE);
	pml4 = swt_add(t, &e->td, GUEST_PML4);
	pdpt = swt_add(t, &e->td, GUEST_PDPT);
	fill_page_tables(swt_va(pml4), swt_va(pdpt), swe_shared_bit());
	e->idt = swt_add(t, &e->td, GUEST_IDT);
	fill_idt(swt_va(e->idt));
	e->orders = swt_add(t, &e->td, GUEST_ORDERS);
	e->stack = swt_add(t, &e->td, GUEST_STACK);
	e->data = swt_add(t, &e->td, GUEST_DATA);
	swt_aug(t, &e->td, GUEST_PENDING);
	e->td.vcpu = swt_vcpu_add(t, &e->td);
	e->posted = swt_page(t);
	map_shared(e);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = e->td.tdr));
	KUNIT_ASSERT_EQ(test, EXIT_TDCALL, swe_enter(e));
	KUNIT_ASSERT_EQ(test, 0xffcc, e->regs.rcx);
	return e;
}

struct entry *swe_build(struct kunit *test)
{
	return swe_build_tsc(test, 0);
}

u64 swe_order(struct entry *e, const u8 *code, const u8 *end)
{
	memcpy(swt_va(e->orders), code, end - code);
	e->regs.r12 = GUEST_ORDERS;
	return swe_enter(e);
}

u64 swe_set_handler(struct entry *e, u8 vector, u64 handler)
{
	fill_gate(swt_va(e->idt), vector, handler);
	return stub_of(vector);
}

u64 swe_tdcall(struct entry *e, u64 leaf, u64 rcx)
{
	e->regs.rsi = leaf;
	e->regs.rdi = rcx;
	KUNIT_EXPECT_EQ(e->t->test, EXIT_TDCALL, ORDER(e, tdcall));
	return e->regs.rbx;
}

void swe_vp_wr(struct entry *e, u64 field, u64 value, u64 mask)
{
	struct tdx_module_args args = {
		.rcx = e->td.vcpu, .rdx = field, .r8 = value, .r9 = mask,
	};

	KUNIT_ASSERT_EQ(e->t->test, ST_SUCCESS, swt_call(e->t, L_VP_WR, &args));
}

u64 swe_vp_rd(struct entry *e, u64 field)
{
	struct tdx_module_args args = { .rcx = e->td.vcpu, .rdx = field };

	KUNIT_ASSERT_EQ(e->t->test, ST_SUCCESS, swt_call(e->t, L_VP_RD, &args));
	return args.r8;
}
