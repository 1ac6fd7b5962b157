// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID in the guest: the table that td/cpuid.c made for the TD, and what changes
 * while a vCPU runs: its APIC id, its control registers, its extended state.
 */
#include "guest/gstate.h"

#define CPUID_OSXSAVE		BIT(27)		/* leaf 1 ECX */
#define CPUID_OSPKE		BIT(4)		/* leaf 7 ECX */
#define CPUID_APIC_ID_SHIFT	24		/* leaf 1 EBX */

static bool has_topology(const struct tdx_sw_call *c)
{
	return READ_ONCE(c->tdcs->td_ctls) & TD_CTLS_ENUM_TOPOLOGY;
}

static u32 apic_id(const struct tdx_sw_call *c)
{
	return has_topology(c) ? c->vcpu->x2apic_id : c->vcpu->index;
}

static void add_xstate_sizes(const struct tdx_sw_call *c, u32 subleaf, struct seam_cpuid *val)
{
	const struct tdx_sw_cpuid_page *page = td_cpuid_page(c);
	const struct tdx_sw_guest *guest = &c->vcpu->guest;

	if (subleaf == 0) {
		val->ebx = cpuid_xstate_size(page, guest->xcr0, false);
		val->ecx = cpuid_xstate_size(page, c->tdcs->xfam & TD_XFAM_USER, false);
	}
	if (subleaf == 1)
		val->ebx = cpuid_xstate_size(page, guest->xcr0 | guest->xss, true);
}

static void add_dynamic(const struct tdx_sw_call *c, u32 leaf, u32 subleaf,
			struct seam_cpuid *val)
{
	u64 cr4 = guest_vmread(GUEST_CR4);

	switch (leaf) {
	case 0x1:
		val->ebx |= apic_id(c) << CPUID_APIC_ID_SHIFT;
		if (cr4 & X86_CR4_OSXSAVE)
			val->ecx |= CPUID_OSXSAVE;
		break;
	case 0x7:
		if (!subleaf && cr4 & X86_CR4_PKE)
			val->ecx |= CPUID_OSPKE;
		break;
	case LEAF_XSTATE:
		add_xstate_sizes(c, subleaf, val);
		break;
	}
}

/* A leaf beyond the last one answers as the highest basic one. */
static u32 clamp_leaf(u32 leaf)
{
	bool extended = leaf & BIT(31);

	return leaf <= (extended ? CPUID_MAX_EXTENDED : CPUID_MAX_BASIC) ? leaf : CPUID_MAX_BASIC;
}

/**
 * cpuid_guest() - Execute CPUID for the guest
 * @c: call
 * @leaf: EAX
 * @subleaf: ECX
 * @val: the result
 *
 * Return: false if the guest gets a #VE instead.
 */
bool cpuid_guest(const struct tdx_sw_call *c, u32 leaf, u32 subleaf, struct seam_cpuid *val)
{
	u8 ve = guest_cpl() ? CPUID_VE_USER : CPUID_VE_SUPERVISOR;
	const struct tdx_sw_cpuid_value *found;

	if (c->vcpu->guest.cpuid_ve & ve)
		return false;
	if (has_topology(c) && (leaf == LEAF_TOPOLOGY || leaf == LEAF_TOPOLOGY_V2)) {
		*val = topology_guest(c, leaf, subleaf);
		return true;
	}
	if (cpuid_raises_ve(leaf))
		return false;

	leaf = clamp_leaf(leaf);
	found = cpuid_find(td_cpuid_page(c), leaf, TDX_SW_NO_SUBLEAF);
	if (!found)
		found = cpuid_find(td_cpuid_page(c), leaf, subleaf);

	*val = found ? found->val : (struct seam_cpuid) {};
	add_dynamic(c, leaf, subleaf, val);
	return true;
}
