// SPDX-License-Identifier: GPL-2.0
/*
 * The module as tests see it: calls, and single pieces of state.
 *
 * Built with KUnit only.  What compares the whole state is in snapshot.c, what changes
 * it in hold.c.
 */
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include <asm/tdx.h>
#include <kunit/visibility.h>

#include "probe/probe.h"

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

bool tdx_sw_is_on(void)
{
	return tdx_sw_enabled;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_is_on);

u64 tdx_sw_count(u16 leaf, u64 *nr_errors)
{
	return counts_calls(leaf, nr_errors);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_count);

u64 tdx_sw_last_rcx(u16 leaf)
{
	return counts_last_rcx(leaf);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_last_rcx);

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

void *probe_map(u64 pa, enum tdx_sw_page_type type)
{
	const struct tdx_sw_pamt *pamt = pamt_entry(pa, SEAM_4K);

	return pamt && pamt->type == type ? tdx_sw_map(pa) : NULL;
}

struct tdx_sw_tdcs *probe_tdcs(const struct tdx_sw_tdr *tdr)
{
	return tdr && tdr->num_tdcx >= SEAM_TDCS_PAGES ? tdx_sw_tdcs(tdr) : NULL;
}

int tdx_sw_test_td(u64 pa, struct tdx_sw_td_info *info)
{
	const struct tdx_sw_tdr *tdr = probe_map(pa, PT_TDR);
	const struct tdx_sw_tdcs *tdcs = probe_tdcs(tdr);

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
	const struct tdx_sw_vcpu *vcpu = probe_map(pa, PT_TDVPR);

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
		.locked = raw & SEPT_LOCK,
		.hpa = state == SEPT_FREE ? 0 : sept_target(raw, level), .raw = raw,
	};
}

u64 *probe_sept_root(u64 tdr_pa, unsigned int *level)
{
	const struct tdx_sw_tdr *tdr = probe_map(tdr_pa, PT_TDR);
	const struct tdx_sw_tdcs *tdcs = probe_tdcs(tdr);

	if (!tdcs || tdr->lifecycle == TD_TEARDOWN || tdcs->op_state == OP_UNINITIALIZED)
		return NULL;
	*level = tdcs->root_level;
	return tdx_sw_map(tdr->tdcx_pa[TDCX_SEPT_ROOT]);
}

int tdx_sw_test_sept(u64 tdr, u64 gpa, unsigned int level, struct tdx_sw_sept_info *info)
{
	unsigned int l;
	u64 *table = probe_sept_root(tdr, &l);

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
	u64 *table = probe_sept_root(tdr, &level);

	return table ? walk_table(table, 0, level, fn, data) : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_sept_walk);
