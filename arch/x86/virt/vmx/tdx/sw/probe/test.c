// SPDX-License-Identifier: GPL-2.0
/*
 * The module as tests see it: calls, single pieces of state, locks held for
 * them, vCPUs inside without running, and a second module.
 *
 * Built with KUnit only.  What compares the whole state is in snapshot.c.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include <asm/msr-index.h>
#include <asm/tdx.h>
#include <kunit/visibility.h>

#include "pages/sept_entry.h"
#include "base/base.h"

u64 tdx_sw_call(u64 leaf, struct tdx_module_args *args)
{
	return __seamcall_saved_ret(leaf, args);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_call);

struct remote_call {
	u64 leaf;
	u64 status;
	struct tdx_module_args *args;
};

static void remote_call(void *data)
{
	struct remote_call *call = data;

	call->status = tdx_sw_call(call->leaf, call->args);
}

u64 tdx_sw_test_call_on(unsigned int cpu, u64 leaf, struct tdx_module_args *args)
{
	struct remote_call call = { .leaf = leaf, .args = args };

	WARN_ON_ONCE(smp_call_function_single(cpu, remote_call, &call, true));
	return call.status;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_call_on);

unsigned int tdx_sw_nr_packages(void)
{
	return tdx_sw->fake_packages ?: hweight64(atomic64_read(&tdx_sw->pkgs));
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_nr_packages);

unsigned int tdx_sw_nr_keyids(void)
{
	return tdx_sw_config.nr_hkids;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_nr_keyids);

unsigned int tdx_sw_first_keyid(void)
{
	return tdx_sw_config.first_hkid;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_first_keyid);

unsigned int tdx_sw_keyid_shift(void)
{
	return tdx_sw_config.hkid_shift;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_keyid_shift);

unsigned int tdx_sw_gpa_width(void)
{
	return tdx_sw_config.gpa_width;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_gpa_width);

int tdx_sw_test_page(u64 pa, struct tdx_sw_page_info *info)
{
	const struct tdx_sw_pamt *pamt;
	unsigned int level;

	pamt = pamt_leaf(pa, &level);
	if (!pamt)
		return -ENOENT;

	*info = (struct tdx_sw_page_info) {
		.type = pamt->type, .level = level, .lock = READ_ONCE(pamt->lock),
		.owner = pamt_owner(pamt), .bepoch = READ_ONCE(pamt->bepoch),
	};
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_page);

static void *map_typed(u64 pa, enum tdx_sw_page_type type)
{
	const struct tdx_sw_pamt *pamt = pamt_entry(pa, SEAM_4K);

	return pamt && pamt->type == type ? tdx_sw_map(pa) : NULL;
}

static struct tdx_sw_tdcs *tdcs_of(const struct tdx_sw_tdr *tdr)
{
	return tdr && tdr->num_tdcx >= SEAM_TDCS_PAGES ? tdx_sw_tdcs(tdr) : NULL;
}

int tdx_sw_test_td(u64 pa, struct tdx_sw_td_info *info)
{
	const struct tdx_sw_tdr *tdr = map_typed(pa, PT_TDR);
	const struct tdx_sw_tdcs *tdcs = tdcs_of(tdr);

	if (!tdr)
		return -ENOENT;

	*info = (struct tdx_sw_td_info) {
		.lifecycle = tdr->lifecycle, .fatal = tdr->fatal, .hkid = tdr->hkid,
		.pkg_configured = tdr->pkg_configured, .num_tdcx = tdr->num_tdcx,
		.chldcnt = atomic64_read(&tdr->chldcnt),
	};
	/* In TEARDOWN the control pages may be the host's again. */
	if (!tdcs || tdr->lifecycle == TD_TEARDOWN)
		return 0;

	info->sept_lock = READ_ONCE(tdcs->sept_lock);
	info->op_state = tdcs->op_state;
	info->num_vcpus = tdcs->num_vcpus;
	info->num_assoc = atomic_read(&tdcs->num_assoc);
	info->epoch = READ_ONCE(tdcs->epoch);
	info->refcount[0] = atomic_read(&tdcs->refcount[0]);
	info->refcount[1] = atomic_read(&tdcs->refcount[1]);
	memcpy(info->mrtd, tdcs->mrtd, sizeof(info->mrtd));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_td);

int tdx_sw_test_vcpu(u64 pa, struct tdx_sw_vcpu_info *info)
{
	const struct tdx_sw_vcpu *vcpu = map_typed(pa, PT_TDVPR);

	if (!vcpu)
		return -ENOENT;

	*info = (struct tdx_sw_vcpu_info) {
		.state = vcpu->state, .num_pages = vcpu->num_pages, .index = vcpu->index,
		.assoc_lp = READ_ONCE(vcpu->assoc_lp), .epoch = vcpu->epoch,
		.pend_nmi = vcpu->pend_nmi,
	};
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_vcpu);

unsigned int tdx_sw_test_sys_state(void)
{
	return READ_ONCE(tdx_sw->sys_state);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_sys_state);

unsigned int tdx_sw_test_kot(unsigned int hkid, u64 *pkgs)
{
	const struct tdx_sw_key *key = &tdx_sw->kot[hkid];

	if (pkgs)
		*pkgs = key->state == HKID_FLUSHED ? key->flush_pkgs : 0;
	return key->state;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_kot);

static void describe(u64 gpa, unsigned int level, u64 raw, struct tdx_sw_sept_info *info)
{
	enum sept_state state = sept_state(raw);

	*info = (struct tdx_sw_sept_info) {
		.gpa = gpa & ~(BIT_ULL(SEPT_SHIFT(level)) - 1), .level = level, .state = state,
		.locked = raw & SEPT_LOCK, .hpa = state == SEPT_FREE ? 0 : raw & SEPT_HPA,
		.raw = raw,
	};
}

static u64 *sept_root(u64 tdr_pa, unsigned int *level)
{
	const struct tdx_sw_tdr *tdr = map_typed(tdr_pa, PT_TDR);
	const struct tdx_sw_tdcs *tdcs = tdcs_of(tdr);

	if (!tdcs || tdr->lifecycle == TD_TEARDOWN || tdcs->op_state == OP_UNINITIALIZED)
		return NULL;
	*level = tdcs->root_level;
	return tdx_sw_map(tdr->tdcx_pa[TDCX_SEPT_ROOT]);
}

int tdx_sw_test_sept(u64 tdr, u64 gpa, unsigned int level, struct tdx_sw_sept_info *info)
{
	unsigned int l;
	u64 *table = sept_root(tdr, &l);

	if (!table)
		return -ENOENT;

	for (;; l--) {
		describe(gpa, l, READ_ONCE(table[sept_index(gpa, l)]), info);
		if (l == level)
			return 0;
		if (!(info->state & SEPT_STATE_NL))
			return -ENXIO;
		table = tdx_sw_map(info->hpa);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_sept);

/* Recursion ends at the root level: 4 deep. */
static int walk_table(const u64 *table, u64 gpa, unsigned int level,
		      int (*fn)(const struct tdx_sw_sept_info *info, void *data), void *data)
{
	struct tdx_sw_sept_info info;
	unsigned int i;
	int ret;

	for (i = 0; i < SEPT_NR_ENTRIES; i++, gpa += BIT_ULL(SEPT_SHIFT(level))) {
		describe(gpa, level, READ_ONCE(table[i]), &info);
		if (info.state == SEPT_FREE)
			continue;
		ret = fn(&info, data);
		if (!ret && info.state & SEPT_STATE_NL)
			ret = walk_table(tdx_sw_map(info.hpa), gpa, level - 1, fn, data);
		if (ret)
			return ret;
	}
	return 0;
}

int tdx_sw_test_sept_walk(u64 tdr, int (*fn)(const struct tdx_sw_sept_info *info, void *data),
			  void *data)
{
	unsigned int level;
	u64 *table = sept_root(tdr, &level);

	return table ? walk_table(table, 0, level, fn, data) : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_sept_walk);

static u16 *tdcs_lock(const struct tdx_sw_test_lock *lock)
{
	struct tdx_sw_tdcs *tdcs = tdcs_of(map_typed(lock->object, PT_TDR));

	if (!tdcs)
		return NULL;

	switch (lock->class) {
	case TDX_SW_LOCK_OP_STATE:
		return &tdcs->op_state_lock;
	case TDX_SW_LOCK_SEPT_TREE:
		return &tdcs->sept_lock;
	case TDX_SW_LOCK_RTMR:
		return &tdcs->rtmr_lock;
	default:
		return &tdcs->epoch_lock;
	}
}

static u16 *find_lock(const struct tdx_sw_test_lock *lock)
{
	struct tdx_sw_tdmr *tdmr;
	struct tdx_sw_pamt *pamt;

	switch (lock->class) {
	case TDX_SW_LOCK_SYS:
		return &tdx_sw->sys_lock;
	case TDX_SW_LOCK_TDMR:
		tdmr = pamt_find_tdmr(lock->object);
		return tdmr ? &tdmr->lock : NULL;
	case TDX_SW_LOCK_KOT:
		return &tdx_sw->kot_lock;
	case TDX_SW_LOCK_KET:
		return &tdx_sw->ket_lock;
	case TDX_SW_LOCK_WBCACHE:
		if (lock->object >= SEAM_MAX_PACKAGES)
			return NULL;
		return &tdx_sw->wbcache[lock->object].lock;
	case TDX_SW_LOCK_PAGE:
	case TDX_SW_LOCK_TDR:
	case TDX_SW_LOCK_TDVPR:
		pamt = lock->level < SEAM_NR_SIZES ? pamt_entry(lock->object, lock->level) : NULL;
		return pamt ? &pamt->lock : NULL;
	default:
		return tdcs_lock(lock);
	}
}

static u64 *find_sept_entry(const struct tdx_sw_test_lock *lock)
{
	unsigned int l;
	u64 *table = sept_root(lock->object, &l);

	while (table) {
		u64 *entry = &table[sept_index(lock->gpa, l)];

		if (l == lock->level)
			return entry;
		l--;
		table = sept_state(*entry) & SEPT_STATE_NL ? tdx_sw_map(*entry & SEPT_HPA) : NULL;
	}
	return NULL;
}

int tdx_sw_test_set_sept(u64 tdr, u64 gpa, unsigned int level, u64 raw)
{
	const struct tdx_sw_test_lock place = { .object = tdr, .gpa = gpa, .level = level };
	u64 *entry;

	if (!map_typed(tdr, PT_TDR))
		return -ENOENT;
	entry = find_sept_entry(&place);
	if (!entry)
		return -ENXIO;
	WRITE_ONCE(*entry, raw);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_sept);

int tdx_sw_test_lock(const struct tdx_sw_test_lock *lock)
{
	u16 *word;
	u64 *entry;

	if (lock->class == TDX_SW_LOCK_SEPT_ENTRY) {
		entry = find_sept_entry(lock);
		if (!entry)
			return -ENOENT;
		return atomic64_fetch_or(SEPT_LOCK, (atomic64_t *)entry) & SEPT_LOCK ? -EBUSY : 0;
	}

	word = find_lock(lock);
	if (!word)
		return -ENOENT;
	return sharex_trylock(word, lock->excl) ? 0 : -EBUSY;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_lock);

void tdx_sw_test_unlock(const struct tdx_sw_test_lock *lock)
{
	if (lock->class == TDX_SW_LOCK_SEPT_ENTRY)
		atomic64_andnot(SEPT_LOCK, (atomic64_t *)find_sept_entry(lock));
	else
		sharex_unlock(find_lock(lock), lock->excl);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_unlock);

static u64 enter(struct tdx_sw_call *c)
{
	u64 status;

	status = tdx_sw_prologue(c);
	if (!status)
		status = vp_take(c, VCPU_READY);
	if (!status)
		status = vp_epoch_enter(c);
	return status;
}

u64 tdx_sw_test_vcpu_enter(u64 tdvpr)
{
	struct tdx_sw_regs regs = { .rcx = tdvpr };
	struct tdx_sw_call c = { .regs = &regs, .in = regs };
	unsigned long flags;
	u64 status;

	local_irq_save(flags);
	c.leaf = tdx_sw_find_leaf(TDH_VP_ENTER);
	c.lp = smp_processor_id();
	status = enter(&c);
	/* OP_STATE is held for the entry only; TDVPR and TDR stay locked. */
	if (status)
		tdx_sw_unlock_all(&c);
	else
		tdx_sw_unlock_last(&c);
	local_irq_restore(flags);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_vcpu_enter);

void tdx_sw_test_vcpu_exit(u64 tdvpr)
{
	u64 tdr_pa = pamt_owner(pamt_entry(tdvpr, SEAM_4K));
	unsigned int level;

	vp_epoch_exit(tdx_sw_tdcs(tdx_sw_map(tdr_pa)), tdx_sw_map(tdvpr));
	sharex_unlock(&pamt_entry(tdr_pa, SEAM_4K)->lock, false);
	for (level = SEAM_4K; level < SEAM_NR_SIZES; level++)
		sharex_unlock(&pamt_entry(tdvpr, level)->lock, false);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_vcpu_exit);

int tdx_sw_test_set_large(u64 pa, u64 tdr)
{
	struct tdx_sw_pamt *pamt = pamt_entry(pa, SEAM_2M);

	if (!pamt)
		return -ENOENT;
	if (WARN_ON_ONCE(!sharex_trylock(&pamt->lock, true)))
		return -EBUSY;
	if (tdr)
		pamt_assign(pamt, PT_REG, tdr);
	else
		pamt->type = PT_NDA;
	sharex_unlock(&pamt->lock, true);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_large);

void tdx_sw_test_add_inside(int nr)
{
	atomic_add(nr, &tdx_sw->inside);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_add_inside);

int tdx_sw_test_set_fatal(u64 pa)
{
	struct tdx_sw_tdr *tdr = map_typed(pa, PT_TDR);

	if (!tdr)
		return -ENOENT;
	WRITE_ONCE(tdr->fatal, 1);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_fatal);

int tdx_sw_test_set_op_state(u64 pa, u32 op_state)
{
	struct tdx_sw_tdcs *tdcs = tdcs_of(map_typed(pa, PT_TDR));

	if (!tdcs)
		return -ENOENT;
	WRITE_ONCE(tdcs->op_state, op_state);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_set_op_state);

static struct tdx_sw_fake_msrs *fake_msrs;

void tdx_sw_test_fake_msrs(struct tdx_sw_fake_msrs *msrs)
{
	WRITE_ONCE(fake_msrs, msrs);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fake_msrs);

static u64 *find_msr(struct tdx_sw_fake_msrs *msrs, u32 msr)
{
	switch (msr) {
	case MSR_IA32_MISC_ENABLE:
		return &msrs->misc_enable;
	case MSR_IA32_TSC_ADJUST:
		return &msrs->tsc_adjust;
	case MSR_IA32_DEBUGCTLMSR:
		return &msrs->debugctl;
	case MSR_IA32_VMX_CR0_FIXED0:
	case MSR_IA32_VMX_CR0_FIXED1:
		return &msrs->cr0_fixed[msr - MSR_IA32_VMX_CR0_FIXED0];
	case MSR_IA32_VMX_CR4_FIXED0:
	case MSR_IA32_VMX_CR4_FIXED1:
		return &msrs->cr4_fixed[msr - MSR_IA32_VMX_CR4_FIXED0];
	default:
		return NULL;
	}
}

bool tdx_sw_fake_rdmsr(u32 msr, u64 *value)
{
	struct tdx_sw_fake_msrs *msrs = READ_ONCE(fake_msrs);
	u64 *fake = msrs ? find_msr(msrs, msr) : NULL;

	if (!fake)
		return false;
	*value = *fake;
	if (fake == &msrs->debugctl && msrs->read_clears_debugctl)
		*fake = 0;
	return true;
}

bool tdx_sw_fake_wrmsr(u32 msr, u64 value)
{
	struct tdx_sw_fake_msrs *msrs = READ_ONCE(fake_msrs);
	u64 *fake = msrs ? find_msr(msrs, msr) : NULL;

	if (fake)
		*fake = value;
	return fake;
}

static struct tdx_sw_state *real_state;

int tdx_sw_test_fresh_begin(void)
{
	struct tdx_sw_state *fresh;

	if (real_state)
		return -EBUSY;
	fresh = kvzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;

	fresh->nr_cmrs = tdx_sw->nr_cmrs;
	memcpy(fresh->cmrs, tdx_sw->cmrs, sizeof(fresh->cmrs));
	real_state = tdx_sw;
	WRITE_ONCE(tdx_sw, fresh);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_begin);

void tdx_sw_test_fresh_end(void)
{
	struct tdx_sw_state *fresh = tdx_sw;

	if (WARN_ON_ONCE(!real_state))
		return;
	WRITE_ONCE(tdx_sw, real_state);
	real_state = NULL;
	kvfree(fresh);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_end);

int tdx_sw_test_fresh_cmrs(const struct tdx_sw_test_cmr *cmrs, unsigned int nr)
{
	unsigned int i;

	if (!real_state || nr > SEAM_NR_CMRS)
		return -EINVAL;

	memset(tdx_sw->cmrs, 0, sizeof(tdx_sw->cmrs));
	for (i = 0; i < nr; i++) {
		tdx_sw->cmrs[i].base = cmrs[i].base;
		tdx_sw->cmrs[i].size = cmrs[i].size;
	}
	tdx_sw->nr_cmrs = nr;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_cmrs);

void tdx_sw_test_fresh_packages(unsigned int nr)
{
	if (!WARN_ON_ONCE(!real_state || nr > SEAM_MAX_PACKAGES))
		tdx_sw->fake_packages = nr;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_packages);

unsigned int tdx_sw_test_cmrs(struct tdx_sw_test_cmr *cmrs, unsigned int max)
{
	unsigned int i, nr = min(max, tdx_sw->nr_cmrs);

	for (i = 0; i < nr; i++) {
		cmrs[i].base = tdx_sw->cmrs[i].base;
		cmrs[i].size = tdx_sw->cmrs[i].size;
	}
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_cmrs);
