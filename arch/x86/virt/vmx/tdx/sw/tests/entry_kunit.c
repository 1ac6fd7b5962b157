// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.VP.ENTER with a guest that runs: needs a CPU with VMX, and VMX operation.
 * Where there is none the cases are skipped; Bochs runs them.
 */
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/special_insns.h>
#include <asm/tdx.h>

#include "entry_guest.h"
#include "fixture.h"

#define GUEST_CODE	0xfffff000ULL
#define GUEST_PML4	0x1000ULL
#define GUEST_PDPT	0x2000ULL
#define GUEST_IDT	0x3000ULL
#define GUEST_ORDERS	0x4000ULL	/* code that a case writes */
#define GUEST_STACK	0x5000ULL
#define GUEST_DATA	0x7000ULL
#define GUEST_PENDING	0x8000ULL	/* augmented, not accepted */
#define GUEST_FREE	0x9000ULL	/* nothing there */
#define LINEAR_SHARED	SZ_1G		/* the shared half from address 0 on */

#define STUB_OFFSET	0xf00
#define STUB_SIZE	16
#define NR_STUBS	32

#define HOST_CR2	0x1000dead000ULL
#define HOST_DR0	0x1000beef000ULL
#define DR7_DISABLED	0x400
#define DR7_DR0_ENABLED	0x401
#define MAX_INTERRUPTS	1000

#define EXIT_TDCALL		77
#define EXIT_EPT_VIOLATION	48
#define EXIT_EXTERNAL_INTERRUPT	1
#define EXIT_TRIPLE_FAULT	2
#define EXIT_OTHER_SMI		6

#define ST_NON_RECOVERABLE_VCPU	0x4000000100000000ULL

#define QUAL_ACCESS	0x7
#define QUAL_WRITE	0x2

#define VECTOR_NMI	2
#define VECTOR_UD	6
#define VECTOR_DF	8
#define VECTOR_VE	20

#define FIELD_POSTED_VECTOR	0x0002ULL
#define FIELD_POSTED_DESC	0x2016ULL
#define FIELD_SHARED_EPTP	0x203cULL
#define FIELD_PIN_CONTROLS	0x4000ULL
#define FIELD_STATE_DETAILS	0x9120000300000100ULL
#define PIN_POSTED		BIT(7)
#define NOTIFICATION		0xf2

static const u32 lost_msrs[] = {
	MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
};

/* What an exit may do to the host. */
struct host_regs {
	u64 msr[ARRAY_SIZE(lost_msrs)];
	u64 xcr0;
	u64 xss;
	u64 dr[4];
	u64 dr6;
	u64 dr7;
	u64 cr2;
	u64 xmm3;
	u64 xmm4;
};

struct entry {
	struct swt *t;
	struct swt_td td;
	u64 orders;
	u64 data;
	u64 posted;			/* page with the posted-interrupt descriptor */
	u64 host_xmm3;			/* in XMM3 at the next entry */
	u64 host_dr7;			/* DR7 at the next entry, unless 0 */
	bool interrupted;		/* an interrupt waits at the next entry */
	struct host_regs before;
	struct host_regs after;
	struct tdx_module_args regs;	/* of the last exit, answer at the next entry */
};

/* ---- entering ---- */

static void read_host_regs(struct host_regs *host)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lost_msrs); i++)
		rdmsrl(lost_msrs[i], host->msr[i]);
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

	for (i = 0; i < ARRAY_SIZE(lost_msrs); i++)
		wrmsrl(lost_msrs[i], host->msr[i]);
	xsetbv(XCR_XFEATURE_ENABLED_MASK, host->xcr0);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		wrmsrl(MSR_IA32_XSS, host->xss);
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

/* One TDH.VP.ENTER; interrupts come in between calls. */
static u64 enter_once(struct entry *e)
{
	unsigned long flags;
	u64 status;

	e->regs.rcx = e->td.vcpu;
	kernel_fpu_begin();
	local_irq_save(flags);
	native_write_cr2(HOST_CR2);
	set_debugreg(HOST_DR0, 0);
	if (e->host_dr7)
		set_debugreg(e->host_dr7, 7);
	if (e->interrupted)
		irq_work_queue(&interrupt);
	asm volatile("movq %0, %%xmm3" : : "r" (e->host_xmm3));
	read_host_regs(&e->before);
	status = __seamcall_saved_ret(L_VP_ENTER, &e->regs);
	read_host_regs(&e->after);
	restore_host(&e->before);
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

/* Until there is an exit that the case may have to do with. */
static u64 enter(struct entry *e)
{
	u64 status;
	int i;

	for (i = 0; i < MAX_INTERRUPTS; i++) {
		struct tdx_module_args before = e->regs;

		status = enter_once(e);
		if (!is_interrupted(status))
			return status;
		e->regs = before;
	}
	return status;
}

/* ---- a TD that does as it is told ---- */

static void fill_idt(void *idt, const void *code)
{
	u32 stubs = *(u32 *)(code + STUB_OFFSET);
	unsigned int i;

	for (i = 0; i < NR_STUBS; i++) {
		u64 target = GUEST_CODE + stubs + i * STUB_SIZE;
		u64 *gate = idt + i * 16;

		gate[0] = (target & 0xffff) | 0x08ULL << 16 | 0x8eULL << 40 |
			  (target >> 16 & 0xffff) << 48;
		gate[1] = target >> 32;
	}
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

static u64 shared_bit(void)
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
	root[shared_bit() >> 39] = virt_to_phys(pdpt) | 7;
	pdpt[0] = virt_to_phys(pd) | 7;
	pd[0] = virt_to_phys(pt) | 7;
	pt[0] = swt_page(e->t) | 0x37;
	pt[1] = 0;			/* MMIO: #VE */
	swt_ok(e->t, L_VP_WR,
	       SWT_ARGS(.rcx = e->td.vcpu, .rdx = FIELD_SHARED_EPTP,
			.r8 = virt_to_phys(root), .r9 = GENMASK_ULL(51, 12)));
}

static struct entry *build(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct entry *e;
	u64 pml4, pdpt, idt;

	if (!(__read_cr4() & X86_CR4_VMXE))
		kunit_skip(test, "needs VMX operation");

	e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, e);
	e->t = t;
	t->checked = false;
	swt_td_build(t, &e->td, 0, STAGE_INITIALIZED);
	memcpy(swt_va(swt_add(t, &e->td, GUEST_CODE)), swt_guest_start, PAGE_SIZE);
	pml4 = swt_add(t, &e->td, GUEST_PML4);
	pdpt = swt_add(t, &e->td, GUEST_PDPT);
	fill_page_tables(swt_va(pml4), swt_va(pdpt), shared_bit());
	idt = swt_add(t, &e->td, GUEST_IDT);
	fill_idt(swt_va(idt), swt_guest_start);
	e->orders = swt_add(t, &e->td, GUEST_ORDERS);
	swt_add(t, &e->td, GUEST_STACK);
	e->data = swt_add(t, &e->td, GUEST_DATA);
	swt_aug(t, &e->td, GUEST_PENDING);
	e->td.vcpu = swt_vcpu_add(t, &e->td);
	e->posted = swt_page(t);
	map_shared(e);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = e->td.tdr));
	KUNIT_ASSERT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_ASSERT_EQ(test, 0xffcc, e->regs.rcx);
	return e;
}

/* Let the guest execute an order, and come back. */
static u64 __order(struct entry *e, const u8 *code, const u8 *end)
{
	memcpy(swt_va(e->orders), code, end - code);
	e->regs.r12 = GUEST_ORDERS;
	return enter(e);
}

#define ORDER(e, name)	__order(e, swt_order_##name, swt_order_##name##_end)

#define TDG_VP_VEINFO_GET	3
#define TDG_MEM_PAGE_ACCEPT	6

static u64 tdcall(struct entry *e, u64 leaf, u64 rcx)
{
	e->regs.rsi = leaf;
	e->regs.rdi = rcx;
	KUNIT_EXPECT_EQ(e->t->test, EXIT_TDCALL, ORDER(e, tdcall));
	return e->regs.rbx;
}

static void vp_wr(struct entry *e, u64 field, u64 value, u64 mask)
{
	struct tdx_module_args args = {
		.rcx = e->td.vcpu, .rdx = field, .r8 = value, .r9 = mask,
	};

	KUNIT_ASSERT_EQ(e->t->test, ST_SUCCESS, swt_call(e->t, L_VP_WR, &args));
}

static u64 vp_rd(struct entry *e, u64 field)
{
	struct tdx_module_args args = { .rcx = e->td.vcpu, .rdx = field };

	KUNIT_ASSERT_EQ(e->t->test, ST_SUCCESS, swt_call(e->t, L_VP_RD, &args));
	return args.r8;
}

/* ---- cases ---- */

static void guest_runs_and_answers(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rdi = 41;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0x1234, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 42, e->regs.rdi);
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

static void private_memory_works(struct kunit *test)
{
	struct entry *e = build(test);
	u64 *data = swt_va(e->data);

	data[1] = 0x1122334455667788;
	e->regs.rsi = 0xabcdef;
	e->regs.rdi = GUEST_DATA;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, 0xabcdef, data[0]);
	KUNIT_EXPECT_EQ(test, 0x1122334455667788, e->regs.rsi);
}

static void missing_private_page_exits(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rdi = GUEST_FREE + 8;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	KUNIT_EXPECT_EQ(test, GUEST_FREE, e->regs.r8);
	KUNIT_EXPECT_EQ(test, QUAL_WRITE, e->regs.rcx & QUAL_ACCESS);
	KUNIT_EXPECT_EQ(test, 0, e->regs.rdx);
	swt_aug(e->t, &e->td, GUEST_FREE);

	/* Augmented, not accepted: #VE, since nothing disables it. */
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);
}

static void accepted_page_is_zero(struct kunit *test)
{
	struct entry *e = build(test);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, tdcall(e, TDG_MEM_PAGE_ACCEPT, GUEST_PENDING));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	e->regs.rdi = GUEST_PENDING;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, 0, e->regs.rsi);
}

static void shared_memory_and_mmio(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rsi = 0x77;
	e->regs.rdi = LINEAR_SHARED;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_NE(test, 0x77, e->regs.rsi);

	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);
	/* Not consumed: the next one is a #DF. */
	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_DF, e->regs.r15);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, tdcall(e, TDG_VP_VEINFO_GET, 0));
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, e->regs.r9);
}

static void undefined_opcode_is_the_guests(struct kunit *test)
{
	struct entry *e = build(test);

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, undefined));
	KUNIT_EXPECT_EQ(test, VECTOR_UD, e->regs.r15);
}

static void triple_fault_disables_the_vcpu(struct kunit *test)
{
	struct entry *e = build(test);

	KUNIT_EXPECT_EQ(test, ST_NON_RECOVERABLE_VCPU | EXIT_TRIPLE_FAULT,
			ORDER(e, triple_fault));
	KUNIT_EXPECT_EQ(test, ST_VCPU_STATE_INCORRECT, enter(e));
}

static void exit_leaves_what_the_interface_says(struct kunit *test)
{
	static const u64 value[ARRAY_SIZE(lost_msrs)] = { [2] = 0x20200 };
	struct entry *e = build(test);
	unsigned int i;

	e->regs.rdi = 0x123456789000;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, own_registers));
	for (i = 0; i < ARRAY_SIZE(lost_msrs); i++)
		KUNIT_EXPECT_EQ_MSG(test, value[i], e->after.msr[i], "MSR %x", lost_msrs[i]);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, e->after.dr[i]);
	KUNIT_EXPECT_EQ(test, 0xffff0ff0, e->after.dr6);
	KUNIT_EXPECT_EQ(test, DR7_DISABLED, e->after.dr7);
	KUNIT_EXPECT_EQ(test, 0, e->after.cr2);
	KUNIT_EXPECT_EQ(test, 3, e->after.xcr0);
	KUNIT_EXPECT_EQ(test, 0, e->after.xss);

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, look_at_own_registers));
	KUNIT_EXPECT_EQ(test, 0x123456789000, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 0x123456789000, e->regs.rbx);
	KUNIT_EXPECT_EQ(test, 0x12345678, e->regs.r8);
}

static void spec_ctrl_is_the_guests_own(struct kunit *test)
{
	struct entry *e = build(test);
	u64 host, now, guest;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		kunit_skip(test, "needs IA32_SPEC_CTRL");

	rdmsrl(MSR_IA32_SPEC_CTRL, host);
	guest = ~host & SPEC_CTRL_IBRS;
	e->regs.rdi = guest;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, write_spec_ctrl));
	rdmsrl(MSR_IA32_SPEC_CTRL, now);
	KUNIT_EXPECT_EQ(test, host, now);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, read_spec_ctrl));
	KUNIT_EXPECT_EQ(test, guest, e->regs.rsi);
}

/* The guest has interrupts off: it is not entered while one waits for the host. */
static void exit_before_the_guest_ran_is_like_any_other(struct kunit *test)
{
	struct entry *e = build(test);
	unsigned int i;

	e->interrupted = true;
	e->host_dr7 = DR7_DR0_ENABLED;
	KUNIT_EXPECT_EQ(test, EXIT_OTHER_SMI, enter_once(e));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, e->after.dr[i]);
	KUNIT_EXPECT_EQ(test, 0xffff0ff0, e->after.dr6);
	KUNIT_EXPECT_EQ(test, DR7_DISABLED, e->after.dr7);
	KUNIT_EXPECT_EQ(test, 0, e->after.cr2);
	KUNIT_EXPECT_EQ(test, 3, e->after.xcr0);
}

static void failed_entry_leaves_the_host_alone(struct kunit *test)
{
	struct entry *e = build(test);

	swt_lock(e->t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_TD_EPOCH, .object = e->td.tdr, .excl = true });
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_TD_EPOCH, enter(e));
	swt_unlock_all(e->t);
	KUNIT_EXPECT_MEMEQ(test, &e->before, &e->after, sizeof(e->before));
}

static void vmcall_passes_xmm(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rdi = 0x1111222233334444;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, xmm));
	KUNIT_EXPECT_EQ(test, 0xffcc | BIT(19), e->regs.rcx);
	KUNIT_EXPECT_EQ(test, 0x1111222233334444, e->after.xmm3);
	KUNIT_EXPECT_EQ(test, 0, e->after.xmm4);

	e->host_xmm3 = 0x5555666677778888;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_EXPECT_EQ(test, 0x5555666677778888, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 1, e->regs.rbx);
}

/* Registers that are all 0 are in INIT state, of which XSAVES writes nothing. */
static void vmcall_passes_zeroed_xmm(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rdi = 0x1111222233334444;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, xmm));
	e->host_xmm3 = 0x5555666677778888;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, zero_xmm));
	KUNIT_EXPECT_EQ(test, 0xffcc | BIT(19), e->regs.rcx);
	KUNIT_EXPECT_EQ(test, 0, e->after.xmm3);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_EXPECT_EQ(test, 0x5555666677778888, e->regs.rsi);
	KUNIT_EXPECT_EQ(test, 0, e->regs.rbx);
}

static void blocked_page_exits_after_tracking(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rdi = GUEST_DATA;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, write));
	swt_block(e->t, &e->td, GUEST_DATA, 0);
	swt_track(e->t, &e->td);
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
	swt_ok(e->t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = GUEST_DATA, .rdx = e->td.tdr));
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

static void repeated_fault_is_emulated(struct kunit *test)
{
	struct entry *e = build(test);
	unsigned int i;

	swt_block(e->t, &e->td, GUEST_DATA, 0);
	swt_track(e->t, &e->td);
	e->regs.rdi = GUEST_DATA;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, enter(e));
		KUNIT_EXPECT_EQ(test, 0, e->after.msr[0]);
	}

	/* Seven are recorded: from here on the guest does not run. */
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, enter(e));
	KUNIT_EXPECT_EQ(test, QUAL_WRITE, e->regs.rcx);
	KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
	KUNIT_EXPECT_EQ(test, 0, e->regs.rdx);
	KUNIT_EXPECT_EQ(test, 0, e->regs.r9);
	KUNIT_EXPECT_EQ(test, e->before.msr[0], e->after.msr[0]);
	KUNIT_EXPECT_EQ(test, HOST_DR0, e->after.dr[0]);
	KUNIT_EXPECT_EQ(test, 3, e->after.xcr0);

	swt_lock(e->t, &(struct tdx_sw_test_lock) {
		.class = TDX_SW_LOCK_SEPT_TREE, .object = e->td.tdr });
	KUNIT_EXPECT_EQ(test, ST_OPERAND_BUSY | OP_SEPT_TREE, enter(e));
	swt_unlock_all(e->t);

	swt_ok(e->t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = GUEST_DATA, .rdx = e->td.tdr));
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
}

/* On request; as far as the host can tell the page is still missing. */
static void forced_zero_step_keeps_the_guest_out(struct kunit *test)
{
	struct entry *e = build(test);
	unsigned int i;

	swt_block(e->t, &e->td, GUEST_DATA, 0);
	swt_track(e->t, &e->td);
	e->regs.rdi = GUEST_DATA + 8;
	KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, ORDER(e, write));
	swt_ok(e->t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = GUEST_DATA, .rdx = e->td.tdr));

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_inject_zero_step(1, 2));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, EXIT_EPT_VIOLATION, enter_once(e));
		KUNIT_EXPECT_EQ(test, QUAL_WRITE, e->regs.rcx);
		KUNIT_EXPECT_EQ(test, GUEST_DATA, e->regs.r8);
		KUNIT_EXPECT_EQ(test, e->before.msr[0], e->after.msr[0]);
		KUNIT_EXPECT_NE(test, 1, *(u8 *)(swt_va(e->data) + 8));
	}
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, enter(e));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 1, *(u8 *)(swt_va(e->data) + 8));
}

static void post(struct entry *e, u8 vector)
{
	u64 *desc = swt_va(e->posted);

	memset(desc, 0, PAGE_SIZE);
	vp_wr(e, FIELD_POSTED_VECTOR, NOTIFICATION, 0xffff);
	vp_wr(e, FIELD_POSTED_DESC, e->posted, ~0ULL);
	vp_wr(e, FIELD_PIN_CONTROLS, PIN_POSTED, PIN_POSTED);
	desc[vector / 64] = BIT_ULL(vector % 64);
	desc[4] = 1;			/* ON */
}

static void posted_interrupt_arrives(struct kunit *test)
{
	struct entry *e = build(test);

	post(e, 31);
	KUNIT_EXPECT_EQ(test, 0, vp_rd(e, FIELD_STATE_DETAILS));
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, ((u64 *)swt_va(e->posted))[4]);
	/* Taken over, not delivered: the guest has interrupts off. */
	KUNIT_EXPECT_EQ(test, 1, vp_rd(e, FIELD_STATE_DETAILS));

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, interrupts_on));
	KUNIT_EXPECT_EQ(test, 31, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, vp_rd(e, FIELD_STATE_DETAILS));
}

static void nmi_waits_for_ve_info(struct kunit *test)
{
	struct entry *e = build(test);

	e->regs.rdi = LINEAR_SHARED + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, memory));
	KUNIT_EXPECT_EQ(test, VECTOR_VE, e->regs.r15);

	vp_wr(e, FIELD_PEND_NMI, 1, 1);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, count));
	KUNIT_EXPECT_EQ(test, 0, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 1, vp_rd(e, FIELD_PEND_NMI));

	tdcall(e, TDG_VP_VEINFO_GET, 0);
	KUNIT_EXPECT_EQ(test, VECTOR_NMI, e->regs.r15);
	KUNIT_EXPECT_EQ(test, 0, vp_rd(e, FIELD_PEND_NMI));
}

static void tsc_starts_with_the_td(struct kunit *test)
{
	struct entry *e = build(test);
	u64 first;

	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, tsc));
	first = e->regs.rsi;
	KUNIT_EXPECT_GT(test, first, 0);
	KUNIT_EXPECT_EQ(test, EXIT_TDCALL, ORDER(e, tsc));
	KUNIT_EXPECT_GT(test, e->regs.rsi, first);
}

static struct kunit_case entry_cases[] = {
	KUNIT_CASE(guest_runs_and_answers),
	KUNIT_CASE(private_memory_works),
	KUNIT_CASE(missing_private_page_exits),
	KUNIT_CASE(accepted_page_is_zero),
	KUNIT_CASE(shared_memory_and_mmio),
	KUNIT_CASE(undefined_opcode_is_the_guests),
	KUNIT_CASE(triple_fault_disables_the_vcpu),
	KUNIT_CASE(exit_leaves_what_the_interface_says),
	KUNIT_CASE(spec_ctrl_is_the_guests_own),
	KUNIT_CASE(exit_before_the_guest_ran_is_like_any_other),
	KUNIT_CASE(failed_entry_leaves_the_host_alone),
	KUNIT_CASE(vmcall_passes_xmm),
	KUNIT_CASE(vmcall_passes_zeroed_xmm),
	KUNIT_CASE(blocked_page_exits_after_tracking),
	KUNIT_CASE(repeated_fault_is_emulated),
	KUNIT_CASE(forced_zero_step_keeps_the_guest_out),
	KUNIT_CASE(posted_interrupt_arrives),
	KUNIT_CASE(nmi_waits_for_ve_info),
	KUNIT_CASE(tsc_starts_with_the_td),
	{}
};

static struct kunit_suite entry_suite = {
	.name = "tdx_sw_entry",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = entry_cases,
};

kunit_test_suite(entry_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: a guest that runs");
MODULE_LICENSE("GPL");
