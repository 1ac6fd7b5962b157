// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up, pages, checked calls, clean-up. Building TDs is in build.c.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/tdx.h>

#include "fixture.h"
#include "fresh.h"

static void enable_cpu(void *err)
{
	int ret = tdx_cpu_enable();

	if (ret)
		*(int *)err = ret;
}

int swt_suite_init(struct kunit_suite *suite)
{
	int err = 0;

	if (!tdx_sw_is_on())
		return 0;

	cpus_read_lock();
	on_each_cpu(enable_cpu, &err, true);
	if (!err)
		err = tdx_enable();
	cpus_read_unlock();
	return err;
}

int swt_init(struct kunit *test)
{
	struct swt *t;

	if (!tdx_sw_is_on())
		kunit_skip(test, "needs tdx_sw=on");

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->checked = true;
	t->cpu = cpumask_first(cpu_online_mask);
	tdx_sw_test_stay_on(t->cpu);
	swt_m_init(&t->m);
	test->priv = t;
	/* What an earlier case left behind would be blamed on this one. */
	swt_m_check(test, &t->m, "at the start");
	return 0;
}

void swt_fill(u64 pa)
{
	u64 *word = swt_va(pa);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = pa ^ i * 0x9e3779b97f4a7c15ULL;
}

u64 swt_page(struct swt *t)
{
	struct page *page;
	u64 pa;

	if (t->fresh)
		page = swt_fresh_page(t);
	else
		page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t->test, page);

	pa = page_to_phys(page);
	swt_m_add_page(t->test, &t->m, pa);
	swt_fill(pa);
	return pa;
}

u64 swt_large(struct swt *t)
{
	struct page *page = alloc_pages(GFP_KERNEL, get_order(SZ_2M));
	u64 i, pa;

	KUNIT_ASSERT_NOT_NULL(t->test, page);
	KUNIT_ASSERT_LT(t->test, t->nr_large, (unsigned int)SWT_LARGE);
	pa = page_to_phys(page);
	t->large[t->nr_large++] = pa;
	swt_m_add_page(t->test, &t->m, pa);
	for (i = 0; i < PARTS; i++)
		swt_fill(pa + i * PAGE_SIZE);
	return pa;
}

__no_sanitize_address u64 swt_page_sum(u64 pa)
{
	const u64 *word = swt_va(pa);
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		sum = rol64(sum, 5) + word[i];
	return sum;
}

/* ---- calls ---- */

static const size_t reg_offset[NR_REGS] = {
	offsetof(struct tdx_module_args, rcx), offsetof(struct tdx_module_args, rdx),
	offsetof(struct tdx_module_args, r8), offsetof(struct tdx_module_args, r9),
	offsetof(struct tdx_module_args, r10), offsetof(struct tdx_module_args, r11),
	offsetof(struct tdx_module_args, r12), offsetof(struct tdx_module_args, r13),
	offsetof(struct tdx_module_args, r14), offsetof(struct tdx_module_args, r15),
	offsetof(struct tdx_module_args, rbx), offsetof(struct tdx_module_args, rdi),
	offsetof(struct tdx_module_args, rsi),
};

static const char * const reg_name[NR_REGS] = {
	"RCX", "RDX", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "RBX", "RDI", "RSI",
};

static u64 *reg(struct tdx_module_args *args, unsigned int i)
{
	return (void *)args + reg_offset[i];
}

static u16 input_regs(u64 leaf)
{
	const struct sheet_leaf *row = sheet_leaf(L_NR(leaf));

	return row ? row->in | (L_VERSION(leaf) ? row->in_v1 : 0) : 0;
}

static u16 output_regs(u64 leaf)
{
	const struct sheet_leaf *row = sheet_leaf(L_NR(leaf));

	return row ? row->out | (L_VERSION(leaf) ? row->out_v1 : 0) : 0;
}

static const char *leaf_name(u64 leaf)
{
	const struct sheet_leaf *row = sheet_leaf(L_NR(leaf));

	return row ? row->name : "unknown leaf";
}

static void check_preserved(struct swt *t, u64 leaf, struct tdx_module_args *before,
			    struct tdx_module_args *after)
{
	u16 out = output_regs(leaf);
	unsigned int i;

	for (i = 0; i < NR_REGS; i++) {
		if (!(out & BIT(i)))
			KUNIT_EXPECT_EQ_MSG(t->test, *reg(before, i), *reg(after, i),
					    "%s %s: %s not preserved", t->where,
					    leaf_name(leaf), reg_name[i]);
	}
}

/* The model takes it for granted that the case is where it says that it is. */
static void assert_in_place(struct swt *t)
{
	KUNIT_ASSERT_TRUE(t->test, is_percpu_thread());
	KUNIT_ASSERT_EQ(t->test, t->cpu, raw_smp_processor_id());
}

u64 swt_call_on(struct swt *t, unsigned int cpu, u64 leaf, struct tdx_module_args *args)
{
	u16 in = input_regs(leaf);
	struct tdx_module_args before;
	unsigned int i;
	u64 status;

	assert_in_place(t);
	for (i = 0; i < NR_REGS; i++) {
		if (!(in & BIT(i)) && !*reg(args, i))
			*reg(args, i) = 0xdeadbeef00000000ULL + 0x0101010101ULL * (i + 1);
	}
	before = *args;
	if (cpu == t->cpu)
		status = tdx_sw_call(leaf, args);
	else
		status = tdx_sw_test_call_on(cpu, leaf, args);
	check_preserved(t, leaf, &before, args);
	return status;
}

u64 swt_call(struct swt *t, u64 leaf, struct tdx_module_args *args)
{
	return swt_call_on(t, t->cpu, leaf, args);
}

static void set_where(struct swt *t, const char *file, int line, u64 leaf)
{
	scnprintf(t->where, sizeof(t->where), "%s:%d %s", kbasename(file), line,
		  leaf_name(leaf));
}

static void check_known(struct swt *t, struct model_out *out, struct tdx_module_args *args)
{
	unsigned int i;

	for (i = 0; i < NR_REGS; i++) {
		if (out->known & BIT(i))
			KUNIT_EXPECT_EQ_MSG(t->test, *reg(&out->val, i), *reg(args, i),
					    "%s: %s", t->where, reg_name[i]);
	}
}

/* Content of pages that are the TD's memory or nobody's before and after. */
struct contents {
	unsigned int nr;
	u64 sum[MODEL_PAGES];
	u8 type[MODEL_PAGES];
};

static struct contents *take_contents(struct swt *t)
{
	struct contents *c = kunit_kmalloc(t->test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(t->test, c);
	c->nr = t->m.nr_pages;
	for (i = 0; i < c->nr; i++) {
		c->type[i] = t->m.page[i].type;
		c->sum[i] = swt_page_sum(t->m.page[i].pa);
	}
	return c;
}

static void check_contents(struct swt *t, u64 leaf, struct contents *c)
{
	unsigned int i;

	/* Not those that a split has added. */
	for (i = 0; i < c->nr; i++) {
		u8 type = t->m.page[i].type;

		/* WBINVD shows what a write-back to a freed page would do. */
		if (type != c->type[i] || L_NR(leaf) == L_PAGE_WBINVD ||
		    (type != PT_NDA && type != PT_REG))
			continue;
		KUNIT_EXPECT_EQ_MSG(t->test, c->sum[i], swt_page_sum(t->m.page[i].pa),
				    "%s: content of page %llx", t->where, t->m.page[i].pa);
	}
	kunit_kfree(t->test, c);
}

void __swt_ok(struct swt *t, const char *file, int line, u64 leaf, struct tdx_module_args *args)
{
	struct contents *contents = t->checked ? take_contents(t) : NULL;
	struct tdx_module_args in = *args;
	struct model_out out = {};
	u64 status;

	set_where(t, file, line, leaf);
	status = swt_call(t, leaf, args);
	KUNIT_ASSERT_EQ_MSG(t->test, ST_SUCCESS, status, "%s", t->where);

	swt_m_apply(t->test, &t->m, t->cpu, leaf, &in, &out);
	check_known(t, &out, args);
	if (!t->checked)
		return;
	check_contents(t, leaf, contents);
	swt_m_check(t->test, &t->m, t->where);
}

void __swt_check(struct swt *t, const char *file, int line)
{
	scnprintf(t->where, sizeof(t->where), "%s:%d", kbasename(file), line);
	swt_m_check(t->test, &t->m, t->where);
}

/* The entry where the walk to (gpa, level) ends, which may be the one asked for. */
static unsigned int walk_end(struct swt *t, u64 tdr, u64 gpa, unsigned int level)
{
	unsigned int l = 3;

	while (l > level && swt_m_state(&t->m, tdr, gpa, l) == SE_NL_MAPPED)
		l--;
	return l;
}

/* RCX and RDX of a refused call that addresses an S-EPT entry. */
static void check_detail(struct swt *t, u64 status, const struct tdx_module_args *in,
			 const struct tdx_module_args *args)
{
	u64 tdr = in->rdx & ~1ULL, gpa = in->rcx & ~0xfffULL, rcx, rdx;
	unsigned int level = in->rcx & 7;
	struct model_entry *e;
	u8 state;

	switch (ST_CODE(status)) {
	case ST_EPT_ENTRY_NOT_PRESENT:
		level = 0;
		fallthrough;
	case ST_EPT_WALK_FAILED:
	case ST_EPT_ENTRY_STATE_INCORRECT:
	case ST_GPA_RANGE_NOT_BLOCKED:
	case ST_GPA_RANGE_ALREADY_BLOCKED:
	case ST_EPT_PAGE_NOT_FREE:
	case ST_EPT_INVALID_PROMOTE_CONDITIONS:
		level = walk_end(t, tdr, gpa, level);
		e = swt_m_entry(&t->m, tdr, gpa, level);
		state = e ? e->state : SE_FREE;
		rcx = sheet_entry(state, e ? e->hpa : 0);
		rdx = sheet_level_state(level, state);
		break;
	case ST_OPERAND_BUSY:
		/* Which lock it was decides; the busy suite looks. */
		return;
	default:
		rcx = 0;
		rdx = 0;
	}
	KUNIT_EXPECT_EQ_MSG(t->test, rcx, args->rcx, "%s: RCX", t->where);
	KUNIT_EXPECT_EQ_MSG(t->test, rdx, args->rdx, "%s: RDX", t->where);
}

static void check_status(struct swt *t, u64 want, u64 got)
{
	if ((want & ST_ANY_DETAIL) == ST_ANY_DETAIL)
		KUNIT_EXPECT_EQ_MSG(t->test, ST_CODE(want), ST_CODE(got), "%s", t->where);
	else
		KUNIT_EXPECT_EQ_MSG(t->test, want, got, "%s", t->where);
}

/* Did the call end before it got to its leaf?  Those with versions look at RAX, too. */
static bool is_of_dispatcher(const struct sheet_leaf *row, u64 status)
{
	if (status == (ST_OPERAND_INVALID | OP_RAX))
		return !row->max_version;
	return ST_CODE(status) == ST_SYS_NOT_READY || ST_CODE(status) == ST_SYS_SHUTDOWN;
}

/* Outputs that a refused call leaves as they are before anything is checked. */
static void check_presets(struct swt *t, u64 status, u64 leaf, struct tdx_module_args *args)
{
	const struct sheet_leaf *row = sheet_leaf(L_NR(leaf));
	unsigned int i;

	if (is_of_dispatcher(row, status) || status == (ST_OPERAND_INVALID | OP_CPUID_CONFIG) ||
	    ST_CODE(status) == ST_CPUID_LEAF_1F_FORMAT)
		return;
	for (i = 0; i < NR_REGS; i++) {
		if (row->zero & BIT(i))
			KUNIT_EXPECT_EQ_MSG(t->test, 0ULL, *reg(args, i), "%s: %s", t->where,
					    reg_name[i]);
		if (L_VERSION(leaf) && row->ones_v1 & BIT(i))
			KUNIT_EXPECT_EQ_MSG(t->test, ~0ULL, *reg(args, i), "%s: %s", t->where,
					    reg_name[i]);
	}
}

void __swt_no(struct swt *t, const char *file, int line, u64 want, u64 leaf,
	      struct tdx_module_args *args)
{
	const struct sheet_leaf *row = sheet_leaf(L_NR(leaf));
	struct tdx_sw_snapshot *before, *after;
	struct tdx_module_args in = *args;
	char diff[256] = "";
	unsigned int nr;
	u64 status;

	set_where(t, file, line, leaf);
	before = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(t->test, before);
	status = swt_call(t, leaf, args);
	after = tdx_sw_snapshot_take(t->m.list, t->m.nr_pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(t->test, after);
	nr = tdx_sw_snapshot_diff(before, after, diff, sizeof(diff));
	tdx_sw_snapshot_free(before);
	tdx_sw_snapshot_free(after);

	check_status(t, want, status);
	KUNIT_EXPECT_EQ_MSG(t->test, nr, 0U, "%s changed: %s", t->where, diff);
	if (row && row->flags & LF_SEPT && ST_CODE(status) == ST_CODE(want))
		check_detail(t, status, &in, args);
	if (row)
		check_presets(t, status, leaf, args);
	/* With an unwanted effect the model is wrong from here on. */
	KUNIT_ASSERT_FALSE_MSG(t->test, !status && ST_CODE(want), "%s succeeded", t->where);
}

/* ---- locks, vCPUs inside ---- */

void swt_lock(struct swt *t, const struct tdx_sw_test_lock *lock)
{
	KUNIT_ASSERT_LT(t->test, t->nr_locks, (unsigned int)SWT_LOCKS);
	KUNIT_ASSERT_EQ_MSG(t->test, 0, tdx_sw_test_lock(lock), "class %d", lock->class);
	t->lock[t->nr_locks++] = *lock;
	t->m.held = true;
}

void swt_unlock_all(struct swt *t)
{
	while (t->nr_locks)
		tdx_sw_test_unlock(&t->lock[--t->nr_locks]);
	t->m.held = false;
}

void swt_enter(struct swt *t, u64 tdvpr)
{
	assert_in_place(t);
	KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, tdx_sw_test_vcpu_enter(tdvpr));
	swt_m_enter(&t->m, tdvpr, t->cpu);
	if (t->checked)
		swt_m_check(t->test, &t->m, "vCPU enters");
}

void swt_leave(struct swt *t, u64 tdvpr)
{
	tdx_sw_test_vcpu_exit(tdvpr);
	swt_m_exit(&t->m, tdvpr);
	if (t->checked)
		swt_m_check(t->test, &t->m, "vCPU leaves");
}

unsigned int swt_other_cpu(struct swt *t)
{
	unsigned int cpu = cpumask_next(t->cpu, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		kunit_skip(t->test, "needs two CPUs");
	return cpu;
}

struct tdx_sw_fake_msrs *swt_fake_msrs(struct swt *t)
{
	u64 tsc_adjust;

	/* As at TDH.SYS.LP.INIT; 0 where the CPU has none. */
	if (rdmsrl_safe(MSR_IA32_TSC_ADJUST, &tsc_adjust))
		tsc_adjust = 0;
	t->msrs = (struct tdx_sw_fake_msrs) {
		.misc_enable = MSR_IA32_MISC_ENABLE_MWAIT, .tsc_adjust = tsc_adjust,
	};
	tdx_sw_test_fake_msrs(&t->msrs);
	return &t->msrs;
}

/* ---- clean-up ---- */

static u64 raw_call(unsigned int cpu, u64 leaf, u64 rcx)
{
	struct tdx_module_args args = { .rcx = rcx };

	return tdx_sw_test_call_on(cpu, leaf, &args);
}

static bool has_type(u64 pa, u8 type)
{
	struct tdx_sw_page_info info;

	return !tdx_sw_test_page(pa, &info) && info.type == type;
}

static void flush_vcpus(struct swt *t)
{
	unsigned int i, cpu;

	for (i = 0; i < t->m.nr_pages; i++) {
		if (!has_type(t->m.list[i], PT_TDVPR))
			continue;
		for_each_online_cpu(cpu)
			raw_call(cpu, L_VP_FLUSH, t->m.list[i]);
	}
}

static void call_on_tdrs(struct swt *t, u64 leaf)
{
	unsigned int i;

	for (i = 0; i < t->m.nr_pages; i++) {
		if (has_type(t->m.list[i], PT_TDR))
			raw_call(t->cpu, leaf, t->m.list[i]);
	}
}

static bool is_in_large(struct swt *t, u64 pa)
{
	unsigned int i;

	for (i = 0; i < t->nr_large; i++) {
		if (pa - t->large[i] < SZ_2M)
			return true;
	}
	return false;
}

/* As one page, or as the 512 that it was split into. */
static void reclaim_large(struct swt *t, u64 pa)
{
	u64 i;

	for (i = 0; i < PARTS; i++)
		raw_call(t->cpu, L_PAGE_RECLAIM, pa + i * PAGE_SIZE);
}

static void reclaim_all(struct swt *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_large; i++)
		reclaim_large(t, t->large[i]);
	for (i = 0; i < t->m.nr_pages; i++) {
		if (!is_in_large(t, t->m.list[i]) && !has_type(t->m.list[i], PT_TDR))
			raw_call(t->cpu, L_PAGE_RECLAIM, t->m.list[i]);
	}
	call_on_tdrs(t, L_PAGE_RECLAIM);
}

/* Pages that are one, or were allocated as one. */
static void free_pages_at(struct swt *t, u64 pa, unsigned int order)
{
	u64 i;

	for (i = 0; i < BIT_ULL(order); i++) {
		if (!has_type(pa + i * PAGE_SIZE, PT_NDA)) {
			KUNIT_FAIL(t->test, "page %llx does not come back, leaked",
				   pa + i * PAGE_SIZE);
			return;
		}
	}
	__free_pages(pfn_to_page(PHYS_PFN(pa)), order);
}

static void free_pages_of(struct swt *t)
{
	unsigned int i;

	for (i = 0; i < t->m.nr_pages; i++) {
		if (!is_in_large(t, t->m.list[i]))
			free_pages_at(t, t->m.list[i], 0);
	}
	for (i = 0; i < t->nr_large; i++)
		free_pages_at(t, t->large[i], get_order(SZ_2M));
}

void swt_exit(struct kunit *test)
{
	struct swt *t = swt_of(test);
	unsigned int i, cpu, key;

	if (!t)
		return;
	swt_unlock_all(t);
	tdx_sw_inject_clear();
	tdx_sw_test_fake_msrs(NULL);
	for (i = 0; i < MODEL_VCPUS; i++) {
		if (t->m.vcpu[i].tdvpr && t->m.vcpu[i].inside)
			tdx_sw_test_vcpu_exit(t->m.vcpu[i].tdvpr);
	}

	/* Its TDs go with it. */
	if (t->fresh) {
		swt_fresh_end(t);
		return;
	}

	flush_vcpus(t);
	call_on_tdrs(t, L_MNG_VPFLUSHDONE);
	for_each_online_cpu(cpu)
		raw_call(cpu, L_CACHE_WB, 0);
	call_on_tdrs(t, L_MNG_KEY_FREEID);
	reclaim_all(t);
	free_pages_of(t);
	for (key = 1; key < t->m.nr_keys; key++)
		KUNIT_EXPECT_EQ(test, (unsigned int)KOT_FREE,
				tdx_sw_test_kot(t->m.first_key + key, NULL));
}
