// SPDX-License-Identifier: GPL-2.0
/*
 * Topology of a TD: CPUID leaf 0x1f as the host configures it in TD_PARAMS, leaf
 * 0xb that follows from it, and what a TD sees whose host configured nothing: one
 * thread a core, all cores in one package.
 *
 * Both leaves raise #VE unless the TD enables the enumeration.  The x2APIC id,
 * EDX of either, is that of the vCPU.
 */
#include "td/td.h"

#define LEVEL_SHIFT(val)	((val)->eax & GENMASK(4, 0))
#define LEVEL_TYPE(val)		((val)->ecx >> TOPOLOGY_TYPE_SHIFT)
#define TOPOLOGY_TYPE_SHIFT	8
#define TOPOLOGY_SMT		1
#define TOPOLOGY_CORE		2
#define TOPOLOGY_LAST		6		/* a group of dies */

/*
 * Threads first, then what is made of them in the order of their types; each
 * level holds at least what the one before does.  Behind the last one there is
 * nothing.
 */
static bool follows(const struct seam_cpuid *before, const struct seam_cpuid *val)
{
	if (!before)
		return LEVEL_TYPE(val) == TOPOLOGY_SMT;
	return LEVEL_TYPE(val) > LEVEL_TYPE(before) && LEVEL_SHIFT(val) >= LEVEL_SHIFT(before) &&
	       val->ebx >= before->ebx;
}

/**
 * topology_check() - Check the levels that the host configures
 * @level: leaf 0x1f, subleaf by subleaf
 * @bad: the subleaf at fault
 *
 * Return: true if they are a topology, or nothing at all.
 */
bool topology_check(const struct seam_cpuid *level, u32 *bad)
{
	const struct seam_cpuid *before = NULL;
	bool end = false;
	u32 i;

	for (i = 0; i < TDX_SW_NR_LEVELS; i++) {
		*bad = i;
		if (end || !LEVEL_TYPE(&level[i])) {
			if (level[i].eax || level[i].ebx || level[i].ecx)
				return false;
			end = true;
			continue;
		}
		if (LEVEL_TYPE(&level[i]) > TOPOLOGY_LAST || !level[i].ebx ||
		    !follows(before, &level[i]))
			return false;
		before = &level[i];
	}
	return true;
}

static struct seam_cpuid default_level(const struct tdx_sw_call *c, u32 subleaf)
{
	struct seam_cpuid val = {};
	u32 i, ids = 0;

	if (subleaf == 0) {
		val.ebx = 1;
		val.ecx = TOPOLOGY_SMT << TOPOLOGY_TYPE_SHIFT;
	}
	if (subleaf == 1) {
		for (i = 0; i < c->tdcs->num_vcpus; i++)
			ids |= c->tdcs->x2apic_id[i];
		val.eax = fls(ids);
		val.ebx = c->tdcs->num_vcpus;
		val.ecx = TOPOLOGY_CORE << TOPOLOGY_TYPE_SHIFT;
	}
	return val;
}

static struct seam_cpuid level_of(const struct tdx_sw_call *c, u32 subleaf)
{
	const struct tdx_sw_cpuid_page *page = td_cpuid_page(c);
	const struct tdx_sw_cpuid_value *found;

	found = cpuid_find(page, LEAF_TOPOLOGY_V2, 0);
	if (!found || !found->val.ecx)
		return default_level(c, subleaf);
	found = cpuid_find(page, LEAF_TOPOLOGY_V2, subleaf);
	return found ? found->val : (struct seam_cpuid) {};
}

/* Leaf 0xb knows threads, and cores up to the package, whatever lies between. */
static struct seam_cpuid level_of_leaf_b(const struct tdx_sw_call *c, u32 subleaf)
{
	struct seam_cpuid val = {}, next;
	u32 i;

	if (!subleaf)
		return level_of(c, 0);
	if (subleaf > 1)
		return val;

	for (i = 1; i < TDX_SW_NR_LEVELS; i++) {
		next = level_of(c, i);
		if (!next.ecx)
			break;
		val = next;
		val.ecx = TOPOLOGY_CORE << TOPOLOGY_TYPE_SHIFT;
	}
	return val;
}

/**
 * topology_guest() - CPUID leaf 0xb or 0x1f of a TD that enumerates its topology
 * @c: call in which the guest runs
 * @leaf: which of the two
 * @subleaf: ECX
 *
 * Return: the four registers.
 */
struct seam_cpuid topology_guest(const struct tdx_sw_call *c, u32 leaf, u32 subleaf)
{
	struct seam_cpuid val;

	val = leaf == LEAF_TOPOLOGY_V2 ? level_of(c, subleaf) : level_of_leaf_b(c, subleaf);
	val.ecx |= subleaf & 0xff;
	val.edx = c->vcpu->x2apic_id;
	return val;
}
