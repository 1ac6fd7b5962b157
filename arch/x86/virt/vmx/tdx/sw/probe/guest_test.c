// SPDX-License-Identifier: GPL-2.0
/*
 * The guest side of the module as tests see it: a VMCS made of memory, and exits
 * that no CPU made.
 *
 * Built with KUnit only.
 */
#include <linux/irq_work.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "gate/gate.h"
#include "guest/guest.h"
#include "probe/sw_test.h"
#include "run/run.h"

static struct tdx_sw_fake_vmcs *fake_vmcs;

/* The place of a field; a new one has the value 0. */
static u64 *find(struct tdx_sw_fake_vmcs *vmcs, u32 field)
{
	unsigned int i;

	for (i = 0; i < vmcs->nr; i++) {
		if (vmcs->field[i].field == field)
			return &vmcs->field[i].value;
	}
	if (WARN_ON_ONCE(vmcs->nr == TDX_SW_FAKE_FIELDS))
		return &vmcs->field[0].value;
	vmcs->field[vmcs->nr].field = field;
	vmcs->field[vmcs->nr].value = 0;
	return &vmcs->field[vmcs->nr++].value;
}

static bool fake_vmread(u32 field, u64 *value)
{
	struct tdx_sw_fake_vmcs *vmcs = READ_ONCE(fake_vmcs);

	if (vmcs)
		*value = *find(vmcs, field);
	return vmcs;
}

static bool fake_vmwrite(u32 field, u64 value)
{
	struct tdx_sw_fake_vmcs *vmcs = READ_ONCE(fake_vmcs);

	if (vmcs)
		*find(vmcs, field) = value;
	return vmcs;
}

static const struct tdx_sw_fake fake = {
	.read = fake_vmread,
	.write = fake_vmwrite,
};

void tdx_sw_test_fake_vmcs(struct tdx_sw_fake_vmcs *vmcs)
{
	WRITE_ONCE(fake_vmcs, vmcs);
	WRITE_ONCE(tdx_sw_fake_vmcs_field, vmcs ? &fake : NULL);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fake_vmcs);

static struct tdx_sw_vcpu *find_vcpu(u64 pa)
{
	const struct tdx_sw_pamt *pamt = pamt_entry(pa, SEAM_4K);

	return pamt && pamt->type == PT_TDVPR ? tdx_sw_map(pa) : NULL;
}

int tdx_sw_test_guest_get(u64 tdvpr, struct tdx_sw_test_guest *guest)
{
	const struct tdx_sw_vcpu *vcpu = find_vcpu(tdvpr);

	if (!vcpu)
		return -ENOENT;

	*guest = (struct tdx_sw_test_guest) {
		.xcr0 = vcpu->guest.xcr0, .xss = vcpu->guest.xss, .cr2 = vcpu->guest.cr2,
		.event = vcpu->guest.event.info, .event_error = vcpu->guest.event.error,
		.ve_valid = vcpu->guest.ve.valid, .pend_nmi = vcpu->pend_nmi,
		.trap_like_exit = vcpu->trap_like_exit, .last_tsc = vcpu->last_tsc,
	};
	memcpy(guest->gpr, vcpu->guest.gpr, sizeof(guest->gpr));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_guest_get);

int tdx_sw_test_guest_set(u64 tdvpr, const struct tdx_sw_test_guest *guest)
{
	struct tdx_sw_vcpu *vcpu = find_vcpu(tdvpr);

	if (!vcpu)
		return -ENOENT;

	memcpy(vcpu->guest.gpr, guest->gpr, sizeof(guest->gpr));
	vcpu->guest.xcr0 = guest->xcr0;
	vcpu->guest.xss = guest->xss;
	vcpu->guest.cr2 = guest->cr2;
	vcpu->guest.event.info = guest->event;
	vcpu->guest.event.error = guest->event_error;
	vcpu->guest.ve.valid = guest->ve_valid;
	vcpu->pend_nmi = guest->pend_nmi;
	vcpu->trap_like_exit = guest->trap_like_exit;
	vcpu->last_tsc = guest->last_tsc;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_guest_set);

static void call_of(struct tdx_sw_call *c, struct tdx_sw_regs *regs, u64 tdvpr)
{
	*c = (struct tdx_sw_call) {
		.regs = regs, .leaf = tdx_sw_find_leaf(TDH_VP_ENTER),
		.lp = smp_processor_id(), .vcpu_pa = tdvpr, .vcpu = tdx_sw_map(tdvpr),
		.tdr_pa = pamt_owner(pamt_entry(tdvpr, SEAM_4K)),
	};
	c->tdr = tdx_sw_map(c->tdr_pa);
	c->tdcs = tdx_sw_tdcs(c->tdr);
}

int tdx_sw_test_init_cr(u64 tdvpr)
{
	struct tdx_sw_regs regs = {};
	struct tdx_sw_call c;
	unsigned long flags;

	if (!find_vcpu(tdvpr))
		return -ENOENT;
	local_irq_save(flags);
	call_of(&c, &regs, tdvpr);
	gcr_init(&c);
	local_irq_restore(flags);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_init_cr);

static void nothing(struct irq_work *work)
{
}

static DEFINE_IRQ_WORK(interrupt, nothing);

static void copy_regs(struct tdx_module_args *to, const struct tdx_sw_regs *from)
{
	*to = (struct tdx_module_args) {
		.rcx = from->rcx, .rdx = from->rdx, .r8 = from->r8, .r9 = from->r9,
		.r10 = from->r10, .r11 = from->r11, .r12 = from->r12, .r13 = from->r13,
		.r14 = from->r14, .r15 = from->r15, .rbx = from->rbx, .rdi = from->rdi,
		.rsi = from->rsi,
	};
}

static void show_outcome(struct tdx_sw_test_exit *exit, const struct tdx_sw_call *c)
{
	exit->rax = c->exit_status;
	exit->rbp = c->regs->rbp;
	copy_regs(&exit->regs, c->regs);
}

int tdx_sw_test_exit(u64 tdvpr, struct tdx_sw_test_exit *exit)
{
	struct tdx_sw_regs regs = { .rbp = exit->rbp };
	struct tdx_sw_call c;
	unsigned long flags;

	if (!find_vcpu(tdvpr) || WARN_ON_ONCE(!READ_ONCE(fake_vmcs)))
		return -ENOENT;

	local_irq_save(flags);
	/* It is raised by an interrupt, which has to wait. */
	if (exit->interrupted)
		irq_work_queue(&interrupt);
	/* No other one is to be seen: a busy machine may have one waiting at all times. */
	__this_cpu_write(tdx_sw_fake_quiet, !exit->interrupted);
	call_of(&c, &regs, tdvpr);
	c.exit = (struct tdx_sw_vmexit) { .reason = exit->earlier };
	if (exit->earlier)
		WARN_ON_ONCE(exit_handle(&c) != GUEST_RESUME);
	c.exit = (struct tdx_sw_vmexit) {
		.reason = exit->reason, .intr_info = exit->intr_info,
		.vectoring = exit->vectoring, .vectoring_error = exit->vectoring_error,
		.instr_len = exit->instr_len, .instr_info = exit->instr_info,
		.qual = exit->qual, .gla = exit->gla, .gpa = exit->gpa,
	};
	zerostep_new_rip(&c, guest_vmread(GUEST_RIP));
	exit->to_host = exit_handle(&c) == GUEST_EXIT;
	__this_cpu_write(tdx_sw_fake_quiet, false);
	show_outcome(exit, &c);
	/* What a guest leaf locks it drops itself. */
	WARN_ON_ONCE(c.nr_held);
	local_irq_restore(flags);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_exit);

int tdx_sw_test_zerostep(u64 tdvpr, struct tdx_sw_test_exit *exit)
{
	struct tdx_sw_regs regs = { .rbp = exit->rbp };
	struct tdx_sw_call c;
	unsigned long flags;
	u64 gpa;

	if (!find_vcpu(tdvpr))
		return -ENOENT;

	local_irq_save(flags);
	call_of(&c, &regs, tdvpr);
	exit->to_host = zerostep_filter(&c, &gpa) == ZEROSTEP_REFAULT;
	if (exit->to_host)
		zerostep_refault(&c, gpa);
	else
		c.vcpu->entry_rip = guest_vmread(GUEST_RIP);
	show_outcome(exit, &c);
	tdx_sw_unlock_all(&c);
	local_irq_restore(flags);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_zerostep);
