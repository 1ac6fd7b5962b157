// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's virtual APIC: the registers that the interface has the module
 * virtualise, and interrupts that the host posted.
 *
 * The registers lie in a page that the CPU reads for the guest (APIC-register
 * virtualisation).  What changes them comes here: writes of TPR, EOI and
 * SELF_IPI exit, requests of the host are taken over from the posted-interrupt
 * descriptor at every entry.  The interrupt that comes first is injected, or waits
 * for the guest to let interrupts in (interrupt-window exiting).
 *
 * Virtual-interrupt delivery, which would do that without exits, is not used: the
 * emulator that this module is for has it, but delivers also while the guest has
 * interrupts off, if an external interrupt arrives at that moment.
 *
 * The notification of a posted interrupt that arrives while the guest runs is an
 * external interrupt like others: the host sees an exit, and enters again.
 */
#include <linux/bitops.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "guest/gstate.h"

#define X2APIC_TPR	(APIC_BASE_MSR + (APIC_TASKPRI >> 4))
#define X2APIC_EOI	(APIC_BASE_MSR + (APIC_EOI >> 4))
#define X2APIC_SELF_IPI	(APIC_BASE_MSR + (APIC_SELF_IPI >> 4))

#define LOWEST_VECTOR	16

struct posted_desc {
	u32 requests[VAPIC_NR_WORDS];
	unsigned long control;
};

#define POSTED_ON	0

static u32 *vector_word(const struct tdx_sw_vcpu *vcpu, unsigned int reg, u8 vector)
{
	return vapic_reg(vcpu, reg + vector / 32 * VAPIC_REG_STRIDE);
}

static void set_vector(const struct tdx_sw_vcpu *vcpu, unsigned int reg, u8 vector)
{
	*vector_word(vcpu, reg, vector) |= BIT(vector % 32);
}

static void clear_vector(const struct tdx_sw_vcpu *vcpu, unsigned int reg, u8 vector)
{
	*vector_word(vcpu, reg, vector) &= ~BIT(vector % 32);
}

static void update_ppr(const struct tdx_sw_vcpu *vcpu)
{
	u32 in_service = vapic_highest_vector(vcpu, APIC_ISR) & VAPIC_PRIORITY_CLASS;
	u32 tpr = *vapic_reg(vcpu, APIC_TASKPRI);
	bool tpr_counts = (tpr & VAPIC_PRIORITY_CLASS) >= in_service;

	*vapic_reg(vcpu, APIC_PROCPRI) = tpr_counts ? tpr : in_service;
}

void vapic_init(struct tdx_sw_call *c)
{
	guest_vmwrite(VIRTUAL_APIC_PAGE_ADDR, c->vcpu->page_pa[TDVPS_VAPIC]);
}

/**
 * vapic_write() - The guest writes one of the registers that the module has
 * @vcpu: vCPU
 * @msr: X2APIC_TPR, _EOI or _SELF_IPI
 * @value: what it writes
 *
 * Return: false if it is a #GP.
 */
bool vapic_write(struct tdx_sw_vcpu *vcpu, u32 msr, u64 value)
{
	if (value & ~0xffULL || (msr == X2APIC_EOI && value))
		return false;

	switch (msr) {
	case X2APIC_TPR:
		*vapic_reg(vcpu, APIC_TASKPRI) = value;
		break;
	case X2APIC_EOI:
		clear_vector(vcpu, APIC_ISR, vapic_highest_vector(vcpu, APIC_ISR));
		break;
	case X2APIC_SELF_IPI:
		/* The error that a lower vector is goes to a register of the host's. */
		if (value >= LOWEST_VECTOR)
			set_vector(vcpu, APIC_IRR, value);
		break;
	}
	update_ppr(vcpu);
	return true;
}

/* MOV to CR8 is another way to write the TPR. */
bool vapic_write_cr8(struct tdx_sw_vcpu *vcpu, u64 value)
{
	return !(value & ~0xfULL) && vapic_write(vcpu, X2APIC_TPR, value << 4);
}

static struct posted_desc *map_desc(const struct tdx_sw_vcpu *vcpu)
{
	u64 pa = vcpu->posted_desc & ~tdx_sw_config.hkid_mask;

	if (!(vcpu->pin_controls & VP_PIN_POSTED_INTR) ||
	    !pfn_range_is_mapped(PHYS_PFN(pa), PHYS_PFN(pa) + 1))
		return NULL;
	return tdx_sw_map(pa);
}

/* The order matters: a request that comes after ON is clear sets it again. */
static void take_requests(const struct tdx_sw_vcpu *vcpu, struct posted_desc *desc)
{
	unsigned int i;

	if (!test_and_clear_bit(POSTED_ON, &desc->control))
		return;
	for (i = 0; i < VAPIC_NR_WORDS; i++) {
		if (READ_ONCE(desc->requests[i]))
			*vapic_reg(vcpu, APIC_IRR + i * VAPIC_REG_STRIDE) |=
				xchg(&desc->requests[i], 0);
	}
}

static bool may_inject(const struct tdx_sw_vcpu *vcpu)
{
	u32 shadow = GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS;

	return !vcpu->guest.event.info && guest_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF &&
	       !(guest_vmread(GUEST_INTERRUPTIBILITY_INFO) & shadow);
}

static void inject(struct tdx_sw_vcpu *vcpu)
{
	u8 vector = vapic_highest_vector(vcpu, APIC_IRR);

	clear_vector(vcpu, APIC_IRR, vector);
	set_vector(vcpu, APIC_ISR, vector);
	update_ppr(vcpu);
	vcpu->guest.event = (struct tdx_sw_event) {
		.info = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | vector,
	};
}

/* Before the guest runs, and after NMIs, which come first. */
void vapic_sync(struct tdx_sw_call *c)
{
	struct posted_desc *desc = map_desc(c->vcpu);

	if (desc)
		take_requests(c->vcpu, desc);
	if (vapic_interrupt_pending(c->vcpu) && may_inject(c->vcpu))
		inject(c->vcpu);
	vmcs_set_proc_control(CPU_BASED_INTR_WINDOW_EXITING, vapic_interrupt_pending(c->vcpu));
}
