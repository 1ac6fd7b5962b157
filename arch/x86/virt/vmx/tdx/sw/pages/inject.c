// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on request: a leaf answers a status that it was told to, or finds a
 * lock held that is not, or the zero-step filter finds an address that still
 * faults, or another CPU calls TDH.MEM.TRACK in the middle of TDH.MEM.RANGE.BLOCK.
 *
 * Two ways in: rules, set by tests in the kernel, for the nth call or attempt,
 * and the kernel's own fault injection (fault.c).  Also counts the calls.
 *
 * A leaf that fails by request has not touched anything.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <asm/vmx.h>
#include <kunit/visibility.h>

#include "base/base.h"

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

static atomic64_t calls[TDX_SW_NR_LEAVES];
static atomic64_t errors[TDX_SW_NR_LEAVES];
/* RCX of the last call: what no answer tells, such as the key ID of a write-back. */
static u64 operands[TDX_SW_NR_LEAVES];

static bool matches(const struct rule *rule, u16 leaf)
{
	return rule->used && (rule->leaf == TDX_SW_ANY_LEAF || rule->leaf == leaf);
}

static void retire(struct rule *rule)
{
	rule->used = false;
	WRITE_ONCE(nr_rules, nr_rules - 1);
}

/* Every rule that matches counts; the first one that is due decides. */
static u64 apply_rules(u16 leaf, enum rule_kind kind, u8 class)
{
	unsigned int i;
	u64 status = 0;

	if (!READ_ONCE(nr_rules))
		return 0;

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

static bool is_interruption(const struct tdx_sw_call *c, u64 status)
{
	return c->leaf->nr == TDH_PHYMEM_CACHE_WB && status == SEAM_INTERRUPTED_RESUMABLE;
}

/**
 * inject_leaf() - Should this call fail?
 * @c: call
 *
 * An interruption lets the leaf begin and stop itself.
 *
 * Return: the status to fail with, or SUCCESS.
 */
u64 inject_leaf(struct tdx_sw_call *c)
{
	u64 status = apply_rules(c->leaf->nr, RULE_LEAF, 0);

	if (!status)
		status = fault_leaf(c->leaf->nr);
	if (!is_interruption(c, status))
		return status;

	c->interrupt = true;
	return SEAM_SUCCESS;
}

/* Should this attempt at a lock find it held? */
bool inject_lock(struct tdx_sw_call *c, enum tdx_sw_lock_class class)
{
	return apply_rules(c->leaf->nr, RULE_LOCK, class) || fault_lock(c->leaf->nr, class);
}

/* Should this entry answer with the vCPU's last violation, as if it was still one? */
bool inject_zero_step(struct tdx_sw_call *c)
{
	return apply_rules(c->leaf->nr, RULE_ZERO_STEP, 0) || fault_zero_step();
}

/* Another CPU's TDH.MEM.TRACK, at the worst moment; as successful as it would be. */
void inject_track(struct tdx_sw_call *c)
{
	u16 *lock = &c->tdcs->epoch_lock;

	if (!apply_rules(c->leaf->nr, RULE_TRACK, 0) || !sharex_trylock(lock, true))
		return;
	td_epoch_advance(c->tdcs);
	sharex_unlock(lock, true);
}

void inject_account(const struct tdx_sw_call *c, u64 status)
{
	unsigned int nr = c->leaf->nr;

	WRITE_ONCE(operands[nr], c->in.rcx);
	atomic64_inc(&calls[nr]);
	if (status & SEAM_ERROR)
		atomic64_inc(&errors[nr]);
}

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
		WRITE_ONCE(nr_rules, nr_rules + 1);
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
	WRITE_ONCE(nr_rules, 0);
	raw_spin_unlock_irqrestore(&rules_lock, flags);
	return left;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_inject_clear);

u64 tdx_sw_count(u16 leaf, u64 *nr_errors)
{
	if (leaf >= TDX_SW_NR_LEAVES)
		return 0;
	if (nr_errors)
		*nr_errors = atomic64_read(&errors[leaf]);
	return atomic64_read(&calls[leaf]);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_count);

u64 tdx_sw_last_rcx(u16 leaf)
{
	return leaf < TDX_SW_NR_LEAVES ? READ_ONCE(operands[leaf]) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_last_rcx);

static int counts_show(struct seq_file *m, void *v)
{
	unsigned int nr;

	for (nr = 0; nr < TDX_SW_NR_LEAVES; nr++) {
		const struct tdx_sw_leaf *leaf = tdx_sw_find_leaf(nr);

		if (leaf && atomic64_read(&calls[nr]))
			seq_printf(m, "%-24s %lld %lld\n", leaf->name, atomic64_read(&calls[nr]),
				   atomic64_read(&errors[nr]));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static int __init inject_init(void)
{
	struct dentry *root;

	if (!tdx_sw_enabled)
		return 0;

	root = debugfs_create_dir("tdx_sw", NULL);
	debugfs_create_file("counts", 0400, root, NULL, &counts_fops);
	fault_setup(root);
	return 0;
}
late_initcall(inject_init);
