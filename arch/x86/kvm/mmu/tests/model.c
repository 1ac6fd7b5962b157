// SPDX-License-Identifier: GPL-2.0
/*
 * A model of an external page table, the backend of the MMU's KUnit suites.
 *
 * It keeps the state of every entry and holds the MMU to the contract of
 * external.h: the order of operations, the locks, parents before children, one
 * flush between begin and finish.  A breach is counted, not warned about, and
 * reported by test_expect_no_violation().
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>

#include "mmu_fixture.h"
#include "model.h"

static struct external_model *the_model;

static unsigned long entry_index(gfn_t gfn, int level)
{
	return (gfn << 3) | level;
}

static enum model_state get_state(struct external_model *model, gfn_t gfn,
				  int level)
{
	void *entry = xa_load(&model->entries, entry_index(gfn, level));

	return entry ? xa_to_value(entry) : MODEL_FREE_ENTRY;
}

static void set_state(struct external_model *model, gfn_t gfn, int level,
		      enum model_state state)
{
	if (state == MODEL_FREE_ENTRY)
		xa_erase(&model->entries, entry_index(gfn, level));
	else if (xa_is_err(xa_store(&model->entries, entry_index(gfn, level),
				    xa_mk_value(state), GFP_ATOMIC)))
		model->violation = "out of memory";
}

enum model_state model_state(struct test_vm *vm, gfn_t gfn, int level)
{
	return get_state(&vm->model, gfn, level);
}

static void violation(struct external_model *model, const char *what)
{
	model->nr_violations++;
	model->violation = what;
}

static bool check(struct external_model *model, bool ok, const char *what)
{
	if (!ok)
		violation(model, what);
	return ok;
}

/* The table that holds the entry has to be there.  The root always is. */
static bool parent_is_linked(struct external_model *model, gfn_t gfn, int level)
{
	if (level == PT64_ROOT_4LEVEL)
		return true;

	return get_state(model, gfn_round_for_level(gfn, level + 1), level + 1) ==
	       MODEL_TABLE;
}

static int record(struct external_model *model, enum model_op op, gfn_t gfn,
		  int level)
{
	unsigned int nth = model->count[op]++;

	if (model->nr_calls < MODEL_MAX_CALLS)
		model->calls[model->nr_calls++] = (struct model_call) {
			.op = op, .gfn = gfn, .level = level,
		};

	if (op == model->fail_op && model->fail_times && nth >= model->fail_nth) {
		model->fail_times--;
		return model->fail_errno;
	}

	return 0;
}

static int model_add(struct external_model *model, enum model_op op, gfn_t gfn,
		     int level, enum model_state state)
{
	int ret = record(model, op, gfn, level);

	if (ret)
		return ret;

	check(model, get_state(model, gfn, level) == MODEL_FREE_ENTRY,
	      "entry is in use");
	check(model, parent_is_linked(model, gfn, level), "no table for entry");
	set_state(model, gfn, level, state);
	return 0;
}

static int model_begin(struct external_model *model, gfn_t gfn, int level)
{
	int ret = record(model, MODEL_BEGIN, gfn, level);
	enum model_state state;

	if (ret)
		return ret;

	/* It may have been flushed in vain. */
	state = get_state(model, gfn, level);
	if (check(model, state == MODEL_LEAF || state == MODEL_FLUSHED,
		  "removal begun twice, or of nothing"))
		set_state(model, gfn, level, MODEL_BLOCKED);

	if (model->watched)
		model->watched_at_begin = *model->watched;
	if (model->resched_every &&
	    !(model->count[MODEL_BEGIN] % model->resched_every))
		set_tsk_need_resched(current);

	return 0;
}

static int model_finish(struct external_model *model, gfn_t gfn, int level)
{
	enum model_state want = model->key_gone ? MODEL_LEAF : MODEL_FLUSHED;
	int ret = record(model, MODEL_FINISH, gfn, level);

	/* The entry is lost, what the MMU does about it is another question. */
	if (!ret)
		check(model, get_state(model, gfn, level) == want,
		      "removal finished without begin or flush");
	set_state(model, gfn, level, MODEL_FREE_ENTRY);
	return ret;
}

static bool has_children(struct external_model *model, gfn_t gfn, int level)
{
	unsigned long index, last;
	void *entry;

	last = entry_index(gfn + KVM_PAGES_PER_HPAGE(level) - 1, 7);
	xa_for_each_range(&model->entries, index, entry, entry_index(gfn, 0), last) {
		if ((index & 7) < level)
			return true;
	}

	return false;
}

/* The parts have to be in their table before they are mapped there. */
static void check_parts(struct external_model *model, u64 old_spte, u64 new_spte)
{
	u64 *spt = spte_to_child_sp(new_spte)->spt;
	int i;

	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		check(model, spte_to_pfn(spt[i]) == spte_to_pfn(old_spte) + i,
		      "split into something else");
}

static int model_split(struct external_model *model, gfn_t gfn, u64 old_spte,
		       u64 new_spte, int level)
{
	int ret = record(model, MODEL_SPLIT, gfn, level);
	int i;

	if (ret)
		return ret;

	check(model, level == PG_LEVEL_2M, "split of another size");
	check(model, external_spt_of(new_spte), "split without a page");
	check_parts(model, old_spte, new_spte);
	if (!check(model, get_state(model, gfn, level) == MODEL_FLUSHED,
		   "split without begin or flush"))
		return -EIO;

	set_state(model, gfn, level, MODEL_TABLE);
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		set_state(model, gfn + i, level - 1, MODEL_LEAF);
	return 0;
}

static int model_begin_free(struct external_model *model, gfn_t gfn, int level)
{
	int ret;

	if (!model->frees_tables)
		return -EBUSY;

	ret = record(model, MODEL_BEGIN_FREE, gfn, level);
	if (ret)
		return ret;

	check(model, get_state(model, gfn, level) == MODEL_TABLE, "no table to free");
	check(model, !has_children(model, gfn, level), "table to be freed is in use");
	set_state(model, gfn, level, MODEL_BLOCKED_TABLE);
	return 0;
}

static int do_model_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte,
				      u64 new_spte, enum pg_level level)
{
	struct external_model *model = the_model;

	lockdep_assert_held(&kvm->mmu_lock);
	guard(spinlock)(&model->lock);

	switch (kvm_external_verb(old_spte, new_spte, level)) {
	case EXTERNAL_LINK:
		check(model, external_spt_of(new_spte), "linked without a page");
		return model_add(model, MODEL_LINK, gfn, level, MODEL_TABLE);
	case EXTERNAL_MAP:
		return model_add(model, MODEL_MAP, gfn, level, MODEL_LEAF);
	case EXTERNAL_BEGIN_REMOVE:
		lockdep_assert_held_write(&kvm->mmu_lock);
		return model_begin(model, gfn, level);
	case EXTERNAL_FINISH_REMOVE:
		lockdep_assert_held_write(&kvm->mmu_lock);
		return model_finish(model, gfn, level);
	case EXTERNAL_SPLIT:
		lockdep_assert_held_write(&kvm->mmu_lock);
		return model_split(model, gfn, old_spte, new_spte, level);
	case EXTERNAL_BEGIN_FREE:
		lockdep_assert_held_write(&kvm->mmu_lock);
		return model_begin_free(model, gfn, level);
	default:
		violation(model, "asked to do nothing");
		return -EIO;
	}
}

static int model_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte,
				   u64 new_spte, enum pg_level level)
{
	int ret = do_model_set_external_spte(kvm, gfn, old_spte, new_spte, level);

	if (the_model->after_finish &&
	    kvm_external_verb(old_spte, new_spte, level) == EXTERNAL_FINISH_REMOVE)
		the_model->after_finish(container_of(the_model, struct test_vm, model));

	return ret;
}

static void model_flush_external_tlbs(struct kvm *kvm)
{
	struct external_model *model = the_model;
	unsigned long index, nr_blocked = 0;
	void *entry;

	lockdep_assert_held_write(&kvm->mmu_lock);
	guard(spinlock)(&model->lock);

	record(model, MODEL_FLUSH, 0, 0);
	xa_for_each(&model->entries, index, entry) {
		enum model_state state = xa_to_value(entry);

		if (state != MODEL_BLOCKED && state != MODEL_BLOCKED_TABLE)
			continue;
		nr_blocked++;
		state = state == MODEL_BLOCKED ? MODEL_FLUSHED : MODEL_FLUSHED_TABLE;
		xa_store(&model->entries, index, xa_mk_value(state), GFP_ATOMIC);
	}
	check(model, nr_blocked || model->fail_errno, "flush for nothing");
}

static void model_free_external_spt(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	struct external_model *model = the_model;
	enum model_state want = model->key_gone ? MODEL_TABLE : MODEL_FLUSHED_TABLE;
	/* The entry that the table hangs off is one level up. */
	int level = sp->role.level + 1;

	lockdep_assert_held_write(&kvm->mmu_lock);
	guard(spinlock)(&model->lock);

	record(model, MODEL_FREE, sp->gfn, level);
	check(model, get_state(model, sp->gfn, level) == want,
	      "freed a table that is not linked, or without begin or flush");
	check(model, !has_children(model, sp->gfn, level),
	      "freed a table that is in use");
	set_state(model, sp->gfn, level, MODEL_FREE_ENTRY);
	free_page((unsigned long)sp->external_spt);
}

void model_init(struct external_model *model)
{
	spin_lock_init(&model->lock);
	xa_init(&model->entries);
	model->fail_op = NR_MODEL_OPS;
}

void model_fail(struct test_vm *vm, enum model_op op, unsigned int nth,
		unsigned int times, int err)
{
	vm->model.fail_op = op;
	vm->model.fail_nth = vm->model.count[op] + nth;
	vm->model.fail_times = times;
	vm->model.fail_errno = err;
}

void model_reset_counts(struct test_vm *vm)
{
	memset(vm->model.count, 0, sizeof(vm->model.count));
	vm->model.nr_calls = 0;
}

void model_install(struct external_model *model)
{
	the_model = model;
	static_call_update(kvm_x86_set_external_spte, model_set_external_spte);
	static_call_update(kvm_x86_flush_external_tlbs, model_flush_external_tlbs);
	static_call_update(kvm_x86_free_external_spt, model_free_external_spt);
}

/* Back to the operations of the vendor module, if there is one. */
void model_uninstall(void)
{
	static_call_update(kvm_x86_set_external_spte,
			   kvm_x86_ops.set_external_spte ?:
			   (void *)__static_call_return0);
	static_call_update(kvm_x86_flush_external_tlbs,
			   kvm_x86_ops.flush_external_tlbs);
	static_call_update(kvm_x86_free_external_spt,
			   kvm_x86_ops.free_external_spt);
	the_model = NULL;
}
