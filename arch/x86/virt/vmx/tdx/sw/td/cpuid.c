// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as a TD sees it: what the host may configure, the check of what it
 * asks for, and the table that results from it.
 *
 * The table is computed once, in TDH.MNG.INIT; bits that change at run time
 * (OSXSAVE, the APIC id) are 0 in it.
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/seq_buf.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "td/cpuid_table.h"

#define LEAF_7_EBX_HLE		BIT(4)
#define LEAF_7_EBX_RTM		BIT(11)

#define LEAF_1_ECX_MONITOR	BIT(3)

#define XSTATE_EAX_XSAVEC	BIT(1)
#define XSTATE_EAX_XSAVES	BIT(3)

/* A kernel that does without, as there are emulators that lose state, says so for TDs. */
static void hide_compacted(struct seam_cpuid *val)
{
	if (!boot_cpu_has(X86_FEATURE_XSAVEC))
		val->eax &= ~XSTATE_EAX_XSAVEC;
	if (!boot_cpu_has(X86_FEATURE_XSAVES))
		val->eax &= ~XSTATE_EAX_XSAVES;
}

static struct seam_cpuid native(u32 leaf, u32 subleaf)
{
	u32 max = leaf & BIT(31) ? boot_cpu_data.extended_cpuid_level : boot_cpu_data.cpuid_level;
	struct seam_cpuid val = {};

	/* Beyond its maximum a CPU answers with its highest basic leaf. */
	if (leaf <= max)
		cpuid_count(leaf, subleaf == TDX_SW_NO_SUBLEAF ? 0 : subleaf,
			    &val.eax, &val.ebx, &val.ecx, &val.edx);
	if (leaf == LEAF_XSTATE && subleaf == 1)
		hide_compacted(&val);
	return val;
}

static struct seam_cpuid and(struct seam_cpuid a, struct seam_cpuid b)
{
	return (struct seam_cpuid) { a.eax & b.eax, a.ebx & b.ebx, a.ecx & b.ecx, a.edx & b.edx };
}

static struct seam_cpuid or(struct seam_cpuid a, struct seam_cpuid b)
{
	return (struct seam_cpuid) { a.eax | b.eax, a.ebx | b.ebx, a.ecx | b.ecx, a.edx | b.edx };
}

static struct seam_cpuid andnot(struct seam_cpuid a, struct seam_cpuid b)
{
	return (struct seam_cpuid) {
		a.eax & ~b.eax, a.ebx & ~b.ebx, a.ecx & ~b.ecx, a.edx & ~b.edx
	};
}

static bool is_zero(struct seam_cpuid a)
{
	return !(a.eax | a.ebx | a.ecx | a.edx);
}

/* Bits that the host may set, as enumerated. */
struct seam_cpuid cpuid_reported(const struct tdx_sw_cpuid_config *cfg)
{
	return or(cfg->direct, and(cfg->allow, native(cfg->leaf, cfg->subleaf)));
}

static const struct tdx_sw_cpuid_config *find_config(u32 leaf, u32 subleaf, unsigned int *idx)
{
	for (*idx = 0; *idx < cpuid_nr_configs(); (*idx)++) {
		const struct tdx_sw_cpuid_config *cfg = cpuid_config(*idx);

		if (cfg->leaf == leaf && cfg->subleaf == subleaf)
			return cfg;
	}
	return NULL;
}

/**
 * cpuid_check() - Check the CPUID part of TD_PARAMS
 * @values: one for each configurable leaf
 * @id: leaf and subleaf at fault
 *
 * Return: SUCCESS, OPERAND_INVALID@CPUID_CONFIG, INCORRECT_MSR_VALUE@0x10a or
 * CPUID_LEAF_1F_FORMAT_UNRECOGNIZED.
 */
u64 cpuid_check(const struct seam_cpuid *values, u64 *id)
{
	unsigned int i;
	u32 tsx, bad;

	for (i = 0; i < cpuid_nr_configs(); i++) {
		const struct tdx_sw_cpuid_config *cfg = cpuid_config(i);
		u32 fms = native(1, 0).eax & cfg->direct.eax;

		*id = cfg->leaf | (u64)cfg->subleaf << 32;
		if (!is_zero(andnot(values[i], or(cfg->direct, cfg->allow))))
			return seam_status(SEAM_OPERAND_INVALID, OPERAND_CPUID_CONFIG);
		if (cfg->leaf == 1 && values[i].eax && values[i].eax != fms)
			return seam_status(SEAM_OPERAND_INVALID, OPERAND_CPUID_CONFIG);
		if (cfg->leaf != 7 || cfg->subleaf)
			continue;

		/* What the TD would get counts: without TSX in the CPU, nothing. */
		tsx = values[i].ebx & native(7, 0).ebx & (LEAF_7_EBX_HLE | LEAF_7_EBX_RTM);
		if (tsx == LEAF_7_EBX_HLE || tsx == LEAF_7_EBX_RTM)
			return seam_status(SEAM_OPERAND_INVALID, OPERAND_CPUID_CONFIG);
		/* TSX_CTRL is not virtualised; the leaf itself is in order. */
		*id = 0;
		if (tsx)
			return seam_status(SEAM_INCORRECT_MSR_VALUE, 0x10a);
	}

	find_config(LEAF_TOPOLOGY_V2, 0, &i);
	if (!topology_check(&values[i], &bad)) {
		*id = LEAF_TOPOLOGY_V2 | (u64)bad << 32;
		return SEAM_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED;
	}

	*id = 0;
	return SEAM_SUCCESS;
}

/* ---- what the CPU should have ---- */

static void report_register(struct seq_buf *list, u32 leaf, u32 subleaf, const char *reg,
			    u32 bits)
{
	if (!bits)
		return;
	seq_buf_printf(list, " %x", leaf);
	if (subleaf != TDX_SW_NO_SUBLEAF)
		seq_buf_printf(list, ".%x", subleaf);
	seq_buf_printf(list, ".%s:%x", reg, bits);
}

static void report_row(struct seq_buf *list, const struct cpuid_row *row, u32 subleaf)
{
	struct seam_cpuid val = native(row->leaf, subleaf);
	u32 leaf = row->leaf;

	report_register(list, leaf, subleaf, "eax", (val.eax ^ row->want.eax) & row->mask.eax);
	report_register(list, leaf, subleaf, "ebx", (val.ebx ^ row->want.ebx) & row->mask.ebx);
	report_register(list, leaf, subleaf, "ecx", (val.ecx ^ row->want.ecx) & row->mask.ecx);
	report_register(list, leaf, subleaf, "edx", (val.edx ^ row->want.edx) & row->mask.edx);
}

/* Say once where this CPU is not one that a TDX module would run on. */
static int __init cpuid_report_cpu(void)
{
	const struct cpuid_row *row;
	static char text[512] __initdata;
	struct seq_buf list;

	if (!tdx_sw_enabled)
		return 0;

	seq_buf_init(&list, text, sizeof(text));
	for (row = cpuid_rows; row < cpuid_rows + cpuid_nr_rows; row++) {
		u32 subleaf = row->first;

		do {
			report_row(&list, row, subleaf);
		} while (subleaf++ != row->last);
	}
	if (seq_buf_used(&list))
		pr_info("CPUID as it is where a TDX module wants other bits:%s\n",
			seq_buf_str(&list));
	return 0;
}
late_initcall(cpuid_report_cpu);

/* ---- values ---- */

/* Bits of features that go with a component of XFAM or an attribute that is not there */
static struct seam_cpuid missing(u32 leaf, u32 subleaf, const struct seam_td_params *params)
{
	const struct cpuid_condition *cond;
	struct seam_cpuid bits = {};

	for (cond = cpuid_conditions; cond < cpuid_conditions + cpuid_nr_conditions; cond++) {
		if (cond->leaf != leaf || subleaf < cond->first || subleaf > cond->last)
			continue;
		if ((params->xfam & cond->xfam) != cond->xfam ||
		    (params->attributes & cond->attributes) != cond->attributes)
			bits = or(bits, cond->bits);
	}
	return bits;
}

/* Native value as the table, the host and the TD's features leave it */
static struct seam_cpuid by_table(const struct cpuid_row *row, u32 subleaf,
				  const struct seam_td_params *params)
{
	struct seam_cpuid val = or(andnot(native(row->leaf, subleaf), row->cleared), row->set);
	const struct tdx_sw_cpuid_config *cfg;
	unsigned int idx;

	cfg = find_config(row->leaf, subleaf, &idx);
	if (cfg) {
		struct seam_cpuid host = params->cpuid[idx];

		val = or(andnot(val, cfg->direct), and(host, cfg->direct));
		val = andnot(val, andnot(cfg->allow, host));
	}
	return andnot(val, missing(row->leaf, subleaf, params));
}

static bool has_monitor(const struct seam_td_params *params)
{
	return native(0x1, 0).ecx & params->cpuid[0].ecx & LEAF_1_ECX_MONITOR;
}

/* What the tables can't say */
static struct seam_cpuid value_of(const struct cpuid_row *row, u32 subleaf,
				  const struct seam_td_params *params)
{
	struct seam_cpuid val = by_table(row, subleaf, params);
	unsigned int idx;

	switch (row->leaf) {
	case 0x1:
		if (!params->cpuid[0].eax)
			val.eax = native(0x1, 0).eax & cpuid_config(0)->direct.eax;
		break;
	case 0x5:
		if (!has_monitor(params))
			val = (struct seam_cpuid) {};
		break;
	case LEAF_XSTATE:
		if (subleaf >= XSTATE_FIRST && !(params->xfam & BIT_ULL(subleaf)))
			val = (struct seam_cpuid) {};
		break;
	case 0x15:
		val.ebx = params->tsc_frequency;
		break;
	case LEAF_TOPOLOGY_V2:
		/* The host's or nothing: the TD's processors are not the CPU's. */
		val = find_config(row->leaf, subleaf, &idx) ? params->cpuid[idx] :
							      (struct seam_cpuid) {};
		break;
	}
	return val;
}

static void add_value(struct tdx_sw_cpuid_page *page, u32 leaf, u32 subleaf,
		      struct seam_cpuid val)
{
	if (WARN_ON_ONCE(page->nr == TDX_SW_NR_CPUID))
		return;
	page->value[page->nr++] = (struct tdx_sw_cpuid_value) {
		.leaf = leaf, .subleaf = subleaf, .val = val,
	};
}

static void add_row(struct tdx_sw_cpuid_page *page, const struct cpuid_row *row,
		    const struct seam_td_params *params)
{
	u32 subleaf = row->first;

	if (cpuid_raises_ve(row->leaf) && row->leaf != LEAF_TOPOLOGY_V2)
		return;

	do {
		add_value(page, row->leaf, subleaf, value_of(row, subleaf, params));
	} while (subleaf++ != row->last);
}

/* The CPU's own sizes include components that the TD does not have. */
static void set_xstate_sizes(struct tdx_sw_cpuid_page *page, u64 xfam)
{
	u32 i;

	for (i = 0; i < page->nr; i++) {
		struct tdx_sw_cpuid_value *value = &page->value[i];

		if (value->leaf != LEAF_XSTATE || value->subleaf > 1)
			continue;
		/* EBX is about what is enabled: nothing but x87 at first. */
		value->val.ebx = cpuid_xstate_size(page, BIT_ULL(0), value->subleaf);
		if (!value->subleaf)
			value->val.ecx = cpuid_xstate_size(page, xfam & TD_XFAM_USER, false);
	}
}

/* Compute the table; the parameters have been checked. */
void cpuid_virtualize(struct tdx_sw_cpuid_page *page, const struct seam_td_params *params)
{
	const struct cpuid_row *row;

	memset(page, 0, sizeof(*page));
	for (row = cpuid_rows; row < cpuid_rows + cpuid_nr_rows; row++)
		add_row(page, row, params);
	set_xstate_sizes(page, params->xfam);
}
