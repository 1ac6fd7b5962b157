// SPDX-License-Identifier: GPL-2.0
/*
 * The transitions of external.c: the table itself, and what is left of each
 * change when the backend agrees, is busy, or fails.
 */
#include <kunit/test.h>

#include "mmu.h"
#include "mmu_fixture.h"

#define NP		SHADOW_NONPRESENT_VALUE

/* SPTEs of the kinds that the table speaks of.  Values don't matter otherwise. */
static u64 leaf_spte(u64 pfn)
{
	return SPTE_MMU_PRESENT_MASK | PT_PAGE_SIZE_MASK | shadow_present_mask |
	       (pfn << PAGE_SHIFT);
}

static u64 nonleaf_spte(u64 pfn)
{
	return SPTE_MMU_PRESENT_MASK | shadow_present_mask | (pfn << PAGE_SHIFT);
}

enum kind { KIND_NP, KIND_FROZEN, KIND_LEAF, KIND_NONLEAF, NR_KINDS };

static u64 spte_of_kind(enum kind kind, u64 pfn)
{
	switch (kind) {
	case KIND_NP:
		return NP;
	case KIND_FROZEN:
		return FROZEN_SPTE;
	case KIND_LEAF:
		return leaf_spte(pfn);
	default:
		return nonleaf_spte(pfn);
	}
}

/*
 * What the design asks for, written down a second time.  A row number for each
 * change and lock, and whether a mirror may make the change, and how.
 */
static const struct want {
	enum kind from;
	enum kind to;
	const char *read_row;
	const char *write_row;
	bool read_ok;
	bool write_ok;
	enum external_verb verb;
} wants[] = {
	{ KIND_NP, KIND_LEAF,        "1",  "2",   true,  false, EXTERNAL_MAP },
	{ KIND_NP, KIND_NONLEAF,     "3",  "4",   true,  false, EXTERNAL_LINK },
	{ KIND_NP, KIND_FROZEN,      "5",  "5",   true,  true,  EXTERNAL_NONE },
	{ KIND_FROZEN, KIND_NP,      "5",  "5",   true,  true,  EXTERNAL_NONE },
	{ KIND_FROZEN, KIND_LEAF,    "1",  "2",   true,  false, EXTERNAL_MAP },
	{ KIND_FROZEN, KIND_NONLEAF, "3",  "4",   true,  false, EXTERNAL_LINK },
	{ KIND_LEAF, KIND_LEAF,      "6",  "6",   false, false, EXTERNAL_NONE },
	{ KIND_LEAF, KIND_NONLEAF,   "7",  "8",   false, true,  EXTERNAL_SPLIT },
	{ KIND_LEAF, KIND_FROZEN,    "11", "12a", false, true,  EXTERNAL_BEGIN_REMOVE },
	{ KIND_LEAF, KIND_NP,        "11", "12b", false, true,  EXTERNAL_FINISH_REMOVE },
	{ KIND_NONLEAF, KIND_LEAF,   "9",  "9",   false, false, EXTERNAL_NONE },
	{ KIND_NONLEAF, KIND_NONLEAF, "10", "10", false, false, EXTERNAL_NONE },
	{ KIND_NONLEAF, KIND_NP,     "13", "14b", false, true,  EXTERNAL_FREE },
	{ KIND_NONLEAF, KIND_FROZEN, "13", "14a", false, true,  EXTERNAL_BEGIN_FREE },
};

static void want_to_desc(const struct want *want, char *desc)
{
	static const char * const names[] = { "np", "frozen", "leaf", "nonleaf" };

	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s_to_%s", names[want->from],
		 names[want->to]);
}

KUNIT_ARRAY_PARAM(want, wants, want_to_desc);

static void expect_row(struct kunit *test, const struct want *want, int level,
		       bool shared)
{
	u64 old_spte = spte_of_kind(want->from, 1), new_spte = spte_of_kind(want->to, 2);
	const struct external_transition *t;

	t = external_classify(old_spte, new_spte, level, shared);
	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_STREQ(test, t->id, shared ? want->read_row : want->write_row);
	KUNIT_EXPECT_EQ(test, shared ? want->read_ok : want->write_ok,
			external_transition_is_allowed(t, old_spte, new_spte));
	KUNIT_EXPECT_EQ(test, want->verb,
			kvm_external_verb(old_spte, new_spte, level));
}

static void every_change_has_its_row(struct kunit *test)
{
	const struct want *want = test->param_value;

	expect_row(test, want, PG_LEVEL_2M, true);
	expect_row(test, want, PG_LEVEL_2M, false);

	/* At 4 KiB all that is present is a leaf. */
	if (want->from != KIND_NONLEAF && want->to != KIND_NONLEAF) {
		expect_row(test, want, PG_LEVEL_4K, true);
		expect_row(test, want, PG_LEVEL_4K, false);
	}
}

static void expect_refusal(struct kunit *test, const struct want *want, bool shared)
{
	struct test_vm *vm = test->priv;

	KUNIT_EXPECT_EQ(test, -EIO,
			external_change_spte(vm->kvm, 0, spte_of_kind(want->from, 1),
					     spte_of_kind(want->to, 2), PG_LEVEL_2M, shared));
}

static void refused_changes_reach_no_backend(struct kunit *test)
{
	const struct want *want = test->param_value;
	struct test_vm *vm = test->priv;

	/* They are bugs, at which a VM that has one already is not warned of again. */
	vm->kvm->vm_bugged = true;
	if (!want->read_ok)
		expect_refusal(test, want, true);
	if (!want->write_ok)
		expect_refusal(test, want, false);
	vm->kvm->vm_bugged = false;
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
}

static void all_pairs_of_kinds_are_covered(struct kunit *test)
{
	bool covered[NR_KINDS][NR_KINDS] = {};
	int from, to, i;

	for (i = 0; i < ARRAY_SIZE(wants); i++)
		covered[wants[i].from][wants[i].to] = true;

	for (from = 0; from < NR_KINDS; from++) {
		for (to = 0; to < NR_KINDS; to++) {
			/* The two that can't differ from themselves. */
			if (from == to && from <= KIND_FROZEN)
				continue;
			KUNIT_EXPECT_TRUE_MSG(test, covered[from][to], "%d -> %d",
					      from, to);
		}
	}
}

static void nothing_changes_is_no_row(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	enum kind kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		u64 spte = spte_of_kind(kind, 1);

		KUNIT_EXPECT_NULL(test, external_classify(spte, spte, PG_LEVEL_2M, true));
		KUNIT_EXPECT_NULL(test, external_classify(spte, spte, PG_LEVEL_2M, false));
		KUNIT_EXPECT_EQ(test, EXTERNAL_NONE,
				kvm_external_verb(spte, spte, PG_LEVEL_2M));
		/* It's no failure, either. */
		KUNIT_EXPECT_EQ(test, 0, external_change_spte(vm->kvm, 0, spte, spte,
							      PG_LEVEL_2M, true));
	}
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
}

static void other_nonpresent_values_are_refused(struct kunit *test)
{
	const struct external_transition *t;
	u64 mmio = NP | BIT_ULL(20);

	t = external_classify(NP, mmio, PG_LEVEL_4K, true);
	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_STREQ(test, "5", t->id);
	KUNIT_EXPECT_FALSE(test, external_transition_is_allowed(t, NP, mmio));
}

/* Exactly one row for a change and a lock; the backend needs no lock to tell. */
static void rows_are_unique(struct kunit *test)
{
	int i, j;

	for (i = 0; i < nr_external_transitions; i++) {
		const struct external_transition *a = &external_transitions[i];

		KUNIT_EXPECT_TRUE(test, a->id && a->name && a->change && a->lock);
		KUNIT_EXPECT_TRUE(test, a->policy == EXTERNAL_ALLOW ||
				  a->verb == EXTERNAL_NONE);

		for (j = 0; j < i; j++) {
			const struct external_transition *b = &external_transitions[j];

			KUNIT_EXPECT_STRNEQ(test, a->id, b->id);
			KUNIT_EXPECT_STRNEQ(test, a->name, b->name);
			KUNIT_EXPECT_FALSE(test, a->change == b->change &&
					   (a->lock & b->lock));
			KUNIT_EXPECT_FALSE(test, a->change == b->change &&
					   a->verb && b->verb);
		}
	}
}

/* The rows that the mirror of a VM really goes through, with all answers. */

static void expect_calls(struct kunit *test, const struct model_call *want,
			 unsigned int nr)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, nr, vm->model.nr_calls);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, want[i].op, vm->model.calls[i].op);
		KUNIT_EXPECT_EQ(test, want[i].gfn, vm->model.calls[i].gfn);
		KUNIT_EXPECT_EQ(test, want[i].level, vm->model.calls[i].level);
	}
}

static void map_links_tables_top_down(struct kunit *test)
{
	static const struct model_call calls[] = {
		{ MODEL_LINK, 0, 4 }, { MODEL_LINK, 0, 3 }, { MODEL_LINK, 512, 2 },
		{ MODEL_MAP, 513, 1 },
	};
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 513, 514);

	expect_calls(test, calls, ARRAY_SIZE(calls));
	KUNIT_EXPECT_EQ(test, page_to_pfn(vm->page),
			spte_to_pfn(test_read_spte(vcpu, 513, PG_LEVEL_4K)));
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&vm->kvm->stat.pages[0]));
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static void second_map_is_spurious(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	test_map_range(vm, vcpu, 0, 1);
	model_reset_counts(vm);

	KUNIT_EXPECT_EQ(test, RET_PF_SPURIOUS,
			test_map(vcpu, 0, page_to_pfn(vm->page), true));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

static const struct atomic_failure {
	const char *desc;
	enum model_op op;
	unsigned int nth;
	int level;
	int err;
	int want;
} atomic_failures[] = {
	{ "link_4_busy", MODEL_LINK, 0, 4, -EBUSY, RET_PF_RETRY },
	{ "link_3_busy", MODEL_LINK, 1, 3, -EBUSY, RET_PF_RETRY },
	{ "link_2_busy", MODEL_LINK, 2, 2, -EBUSY, RET_PF_RETRY },
	{ "map_busy",    MODEL_MAP,  0, 1, -EBUSY, RET_PF_RETRY },
	{ "link_4_fail", MODEL_LINK, 0, 4, -EIO,   -EIO },
	{ "link_2_fail", MODEL_LINK, 2, 2, -EIO,   -EIO },
	{ "map_fail",    MODEL_MAP,  0, 1, -EIO,   -EIO },
};

KUNIT_ARRAY_PARAM_DESC(atomic_failure, atomic_failures, desc);

/* R2, R3, R6: rolled back, nothing counted, and it works the next time. */
static void failed_atomic_change_leaves_no_trace(struct kunit *test)
{
	const struct atomic_failure *f = test->param_value;
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	s64 nr_tables;

	model_fail(vm, f->op, f->nth, 1, f->err);
	KUNIT_EXPECT_EQ(test, f->want,
			test_map(vcpu, 0x1234, page_to_pfn(vm->page), true));

	KUNIT_EXPECT_EQ(test, NP, test_read_spte(vcpu, 0x1234, f->level));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&vm->kvm->stat.pages[0]));
	nr_tables = atomic64_read(&vm->kvm->arch.tdp_mmu_pages);
	KUNIT_EXPECT_EQ(test, 4 - f->level, nr_tables);
	test_expect_trees_equal(vm, vcpu);

	test_map_range(vm, vcpu, 0x1234, 0x1235);
	test_expect_trees_equal(vm, vcpu);
	test_expect_no_violation(vm);
	test_vcpu_destroy(vcpu);
}

/* Nobody else knows of the page: if KVM doesn't free it, it is lost. */
static void failed_link_frees_the_external_page(struct kunit *test)
{
	static const int errs[] = { -EBUSY, -EIO };
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_mmu_memory_cache *cache = &vcpu->arch.mmu_external_spt_cache;
	struct page *page;
	int i;

	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
		/* The next that is taken. */
		page = virt_to_page(cache->objects[cache->nobjs - 1]);
		get_page(page);

		model_fail(vm, MODEL_LINK, 0, 1, errs[i]);
		KUNIT_EXPECT_EQ(test, errs[i] == -EBUSY ? RET_PF_RETRY : errs[i],
				test_map(vcpu, 0, page_to_pfn(vm->page), true));
		KUNIT_EXPECT_EQ(test, 1, page_count(page));
		put_page(page);
	}

	test_vcpu_destroy(vcpu);
}

static void only_tables_of_a_mirror_have_an_external_page(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	int *nobjs = &vcpu->arch.mmu_external_spt_cache.nobjs, before = *nobjs;

	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, test_map(vcpu, 0, page_to_pfn(vm->page), false));
	KUNIT_EXPECT_EQ(test, before, *nobjs);
	KUNIT_EXPECT_EQ(test, RET_PF_FIXED, test_map(vcpu, 0, page_to_pfn(vm->page), true));
	KUNIT_EXPECT_EQ(test, before - 3, *nobjs);

	test_vcpu_destroy(vcpu);
}

/* What stands in the SPTE while the backend is at work, seen from there. */
static u64 seen_spte;
static struct kvm_vcpu *seen_vcpu;

static int look_at_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
			enum pg_level level)
{
	seen_spte = test_read_spte(seen_vcpu, gfn, level);
	return -EBUSY;
}

static void spte_is_frozen_while_the_backend_works(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	seen_vcpu = test_vcpu_create(vm);
	static_call_update(kvm_x86_set_external_spte, look_at_spte);

	KUNIT_EXPECT_EQ(test, RET_PF_RETRY,
			test_map(seen_vcpu, 0, page_to_pfn(vm->page), true));
	KUNIT_EXPECT_EQ(test, FROZEN_SPTE, seen_spte);
	KUNIT_EXPECT_EQ(test, NP, test_read_spte(seen_vcpu, 0, 4));

	test_vcpu_destroy(seen_vcpu);
}

static void fault_on_frozen_spte_is_retried(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	u64 *sptep = &test_mirror_root(vcpu)->spt[0];

	WRITE_ONCE(*sptep, FROZEN_SPTE);
	KUNIT_EXPECT_EQ(test, RET_PF_RETRY,
			test_map(vcpu, 0, page_to_pfn(vm->page), true));
	KUNIT_EXPECT_EQ(test, FROZEN_SPTE, READ_ONCE(*sptep));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	WRITE_ONCE(*sptep, NP);

	test_vcpu_destroy(vcpu);
}

/* Another thread, that maps the page while the fault makes up its SPTE. */
static u64 *raced_sptep;
static u64 winners_spte;

static u8 win_the_race(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio)
{
	WRITE_ONCE(*raced_sptep, winners_spte);
	return 0;
}

static void fault_that_loses_the_race_changes_nothing(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	struct kvm_mmu_page *table;

	test_map_range(vm, vcpu, 0, 1);
	model_reset_counts(vm);
	table = spte_to_child_sp(test_read_spte(vcpu, 0, PG_LEVEL_2M));
	raced_sptep = &table->spt[1];
	winners_spte = table->spt[0];

	static_call_update(kvm_x86_get_mt_mask, win_the_race);
	KUNIT_EXPECT_EQ(test, RET_PF_RETRY,
			test_map(vcpu, 1, page_to_pfn(vm->page), true));
	static_call_update(kvm_x86_get_mt_mask, kvm_x86_ops.get_mt_mask ?:
			   (void *)__static_call_return0);

	KUNIT_EXPECT_EQ(test, winners_spte, READ_ONCE(*raced_sptep));
	KUNIT_EXPECT_EQ(test, 0, vm->model.nr_calls);
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&vm->kvm->stat.pages[0]));
	test_expect_no_violation(vm);

	WRITE_ONCE(*raced_sptep, NP);
	test_vcpu_destroy(vcpu);
}

static void just_free_external_spt(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	free_page((unsigned long)sp->external_spt);
}

/* An absent operation answers 0; nothing depends on the backend having one. */
static void absent_operations_succeed(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);

	static_call_update(kvm_x86_set_external_spte,
			   (void *)__static_call_return0);
	static_call_update(kvm_x86_flush_external_tlbs, NULL);

	test_map_range(vm, vcpu, 0, 3);
	KUNIT_EXPECT_FALSE(test, test_unmap(vm, 0, 3, KVM_FILTER_PRIVATE));
	KUNIT_EXPECT_EQ(test, NP, test_read_spte(vcpu, 1, PG_LEVEL_4K));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&vm->kvm->stat.pages[0]));

	/* The model has never heard of the tables. */
	static_call_update(kvm_x86_free_external_spt, just_free_external_spt);
	test_vcpu_destroy(vcpu);
}

static struct kunit_case external_cases[] = {
	KUNIT_CASE_PARAM(every_change_has_its_row, want_gen_params),
	KUNIT_CASE_PARAM(refused_changes_reach_no_backend, want_gen_params),
	KUNIT_CASE(all_pairs_of_kinds_are_covered),
	KUNIT_CASE(nothing_changes_is_no_row),
	KUNIT_CASE(other_nonpresent_values_are_refused),
	KUNIT_CASE(rows_are_unique),
	KUNIT_CASE(map_links_tables_top_down),
	KUNIT_CASE(second_map_is_spurious),
	KUNIT_CASE_PARAM(failed_atomic_change_leaves_no_trace,
			 atomic_failure_gen_params),
	KUNIT_CASE(failed_link_frees_the_external_page),
	KUNIT_CASE(only_tables_of_a_mirror_have_an_external_page),
	KUNIT_CASE(spte_is_frozen_while_the_backend_works),
	KUNIT_CASE(fault_on_frozen_spte_is_retried),
	KUNIT_CASE(fault_that_loses_the_race_changes_nothing),
	KUNIT_CASE(absent_operations_succeed),
	{}
};

static struct kunit_suite external_suite = {
	.name = "kvm_mmu_external",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = external_cases,
};

kunit_test_suite(external_suite);
