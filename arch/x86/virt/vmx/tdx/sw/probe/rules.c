// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that a test asks for: rules, for the nth call or attempt.
 *
 * Built with KUnit only.
 */
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <asm/vmx.h>
#include <kunit/visibility.h>

#include "gate/gate.h"
#include "probe/sw_test.h"

#define NR_RULES	16

enum rule_kind {
	RULE_LEAF,
	RULE_LOCK,
	RULE_ZERO_STEP,
	RULE_TRACK,
};

struct rule {
	bool used;
	u8 kind;			/* enum rule_kind */
	u8 class;			/* of a lock, else 0 */
	u16 leaf;
	unsigned int skip;
	unsigned int times;
	u64 status;
};

/*
 * A spin lock, unlike everything else in the module: held for a few
 * instructions, only while there are rules, and in test kernels.
 */
static DEFINE_RAW_SPINLOCK(rules_lock);

static struct rule rules[NR_RULES];

static unsigned int nr_rules;

static const struct inject_source source;

static bool matches(const struct rule *rule, u16 leaf)
{
	return rule->used && (rule->leaf == TDX_SW_ANY_LEAF || rule->leaf == leaf);
}

/* Without rules nobody asks. */
static void set_nr_rules(unsigned int nr)
{
	lockdep_assert_held(&rules_lock);
	nr_rules = nr;
	WRITE_ONCE(inject_sources[INJECT_RULES], nr ? &source : NULL);
}

static void retire(struct rule *rule)
{
	rule->used = false;
	set_nr_rules(nr_rules - 1);
}

/* Every rule that matches counts; the first one that is due decides. */
static u64 apply_rules(u16 leaf, enum rule_kind kind, u8 class)
{
	unsigned int i;
	u64 status = 0;

	raw_spin_lock(&rules_lock);
	for (i = 0; i < NR_RULES; i++) {
		struct rule *rule = &rules[i];

		if (!matches(rule, leaf) || rule->kind != kind || rule->class != class)
			continue;
		if (rule->skip) {
			rule->skip--;
			continue;
		}
		if (status)
			continue;
		status = rule->status;
		if (!--rule->times)
			retire(rule);
	}
	raw_spin_unlock(&rules_lock);
	return status;
}

static u64 rule_for_leaf(u16 leaf)
{
	return apply_rules(leaf, RULE_LEAF, 0);
}

static bool rule_for_lock(u16 leaf, enum tdx_sw_lock_class class)
{
	return apply_rules(leaf, RULE_LOCK, class);
}

static bool rule_for_zero_step(void)
{
	return apply_rules(TDH_VP_ENTER, RULE_ZERO_STEP, 0);
}

static bool rule_for_track(void)
{
	return apply_rules(TDH_MEM_RANGE_BLOCK, RULE_TRACK, 0);
}

static const struct inject_source source = {
	.leaf = rule_for_leaf,
	.lock = rule_for_lock,
	.zero_step = rule_for_zero_step,
	.track = rule_for_track,
};

static int add_rule(const struct rule *new)
{
	unsigned long flags;
	int i, err = -ENOSPC;

	if (!new->times || (new->leaf != TDX_SW_ANY_LEAF && !tdx_sw_find_leaf(new->leaf)))
		return -EINVAL;

	raw_spin_lock_irqsave(&rules_lock, flags);
	for (i = 0; i < NR_RULES && err; i++) {
		if (rules[i].used)
			continue;
		rules[i] = *new;
		set_nr_rules(nr_rules + 1);
		err = 0;
	}
	raw_spin_unlock_irqrestore(&rules_lock, flags);
	return err;
}

int tdx_sw_inject_set(u16 leaf, unsigned int nth, unsigned int times, u64 status)
{
	struct rule rule = {
		.used = true, .leaf = leaf, .skip = nth - 1, .times = times, .status = status,
	};

	return nth && status ? add_rule(&rule) : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_inject_set);

int tdx_sw_inject_lock(enum tdx_sw_lock_class class, u16 leaf, unsigned int nth,
		       unsigned int times)
{
	struct rule rule = {
		.used = true, .kind = RULE_LOCK, .class = class, .leaf = leaf, .skip = nth - 1,
		.times = times, .status = SEAM_OPERAND_BUSY,
	};

	return nth && class < TDX_SW_NR_LOCKS ? add_rule(&rule) : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_inject_lock);

int tdx_sw_inject_zero_step(unsigned int nth, unsigned int times)
{
	struct rule rule = {
		.used = true, .kind = RULE_ZERO_STEP, .leaf = TDH_VP_ENTER, .skip = nth - 1,
		.times = times, .status = EXIT_REASON_EPT_VIOLATION,
	};

	return nth ? add_rule(&rule) : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_inject_zero_step);

int tdx_sw_inject_track(unsigned int nth, unsigned int times)
{
	struct rule rule = {
		.used = true, .kind = RULE_TRACK, .leaf = TDH_MEM_RANGE_BLOCK, .skip = nth - 1,
		.times = times, .status = SEAM_OPERAND_BUSY,
	};

	return nth ? add_rule(&rule) : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_inject_track);

unsigned int tdx_sw_inject_clear(void)
{
	unsigned long flags;
	unsigned int i, left;

	raw_spin_lock_irqsave(&rules_lock, flags);
	left = nr_rules;
	for (i = 0; i < NR_RULES; i++)
		rules[i].used = false;
	set_nr_rules(0);
	raw_spin_unlock_irqrestore(&rules_lock, flags);
	return left;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_inject_clear);
