// SPDX-License-Identifier: GPL-2.0
/*
 * Comparison of the reference model with the module: global state, key IDs,
 * pages and their owners, TDs, vCPUs, every S-EPT entry.
 */
#include <kunit/test.h>

#include "probe/sw_test.h"
#include "model.h"

struct comparison {
	struct kunit *test;
	struct model *m;
	const char *where;
	struct model_td *td;
	unsigned int entries;
};

#define SAME(c, want, got, fmt, ...)						\
do {										\
	const struct comparison *_c = (c);					\
										\
	KUNIT_EXPECT_EQ_MSG(_c->test, (u64)(want), (u64)(got), "%s: " fmt,	\
			    _c->where, ##__VA_ARGS__);				\
} while (0)

static void check_keys(struct comparison *c)
{
	unsigned int i;

	for (i = 0; i < c->m->nr_keys && i < MODEL_KEYS; i++) {
		const struct model_key *key = &c->m->key[i];
		u64 pkgs = 0;
		unsigned int state = tdx_sw_test_kot(c->m->first_key + i, &pkgs);

		SAME(c, key->state, state, "state of key ID %u", c->m->first_key + i);
		if (key->state == KOT_FLUSHED)
			SAME(c, key->pkgs, pkgs, "packages of key ID %u", c->m->first_key + i);
	}
}

static void check_pages(struct comparison *c)
{
	unsigned int i;

	for (i = 0; i < c->m->nr_pages; i++) {
		const struct model_page *page = &c->m->page[i];
		struct tdx_sw_page_info info;

		if (tdx_sw_test_page(page->pa, &info)) {
			KUNIT_FAIL(c->test, "%s: page %llx unknown", c->where, page->pa);
			continue;
		}
		SAME(c, page->type, info.type, "type of page %llx", page->pa);
		SAME(c, page->level, info.level, "level of page %llx", page->pa);
		if (page->type != PT_NDA)
			SAME(c, page->owner, info.owner, "owner of page %llx", page->pa);
		if (page->bepoch_known)
			SAME(c, page->bepoch, info.bepoch, "BEPOCH of page %llx", page->pa);
		/* Bit 15 only marks that a host attempt failed. */
		if (!c->m->held)
			SAME(c, 0, info.lock & 0x7fff, "lock of page %llx", page->pa);
	}
}

static int check_entry(const struct tdx_sw_sept_info *info, void *data)
{
	struct comparison *c = data;
	const struct model_entry *entry;

	c->entries++;
	entry = swt_m_entry(c->m, c->td->tdr, info->gpa, info->level);
	if (!entry) {
		KUNIT_FAIL(c->test, "%s: unexpected entry %llx level %u state %u", c->where,
			   info->gpa, info->level, info->state);
		return 0;
	}
	SAME(c, entry->state, info->state, "state of %llx level %u", info->gpa, info->level);
	SAME(c, entry->hpa, info->hpa, "page of %llx level %u", info->gpa, info->level);
	if (!c->m->held)
		SAME(c, false, info->locked, "lock of %llx level %u", info->gpa, info->level);
	return 0;
}

static void check_sept(struct comparison *c)
{
	unsigned int i, want = 0;
	int ret;

	for (i = 0; i < MODEL_ENTRIES; i++)
		want += c->m->entry[i].tdr == c->td->tdr;

	c->entries = 0;
	ret = tdx_sw_test_sept_walk(c->td->tdr, check_entry, c);
	if (c->td->op_state == OS_UNINITIALIZED)
		return;
	SAME(c, 0, ret, "walk of TD %llx", c->td->tdr);
	SAME(c, want, c->entries, "entries of TD %llx", c->td->tdr);
}

static void check_tdcs(struct comparison *c, const struct tdx_sw_td_info *info)
{
	struct model_td *td = c->td;

	SAME(c, td->op_state, info->op_state, "OP_STATE of %llx", td->tdr);
	SAME(c, td->num_vcpus, info->num_vcpus, "NUM_VCPUS of %llx", td->tdr);
	SAME(c, td->num_assoc, info->num_assoc, "NUM_ASSOC_VCPUS of %llx", td->tdr);
	if (td->op_state == OS_UNINITIALIZED)
		return;
	SAME(c, td->epoch, info->epoch, "TD_EPOCH of %llx", td->tdr);
	SAME(c, td->refcount[0], info->refcount[0], "REFCOUNT[0] of %llx", td->tdr);
	SAME(c, td->refcount[1], info->refcount[1], "REFCOUNT[1] of %llx", td->tdr);
}

static void check_td(struct comparison *c, struct model_td *td)
{
	struct tdx_sw_td_info info;

	c->td = td;
	if (tdx_sw_test_td(td->tdr, &info)) {
		KUNIT_FAIL(c->test, "%s: no TD at %llx", c->where, td->tdr);
		return;
	}
	SAME(c, td->lifecycle, info.lifecycle, "life cycle of %llx", td->tdr);
	SAME(c, td->fatal, info.fatal, "FATAL of %llx", td->tdr);
	SAME(c, td->hkid, info.hkid, "HKID of %llx", td->tdr);
	SAME(c, td->pkgs, info.pkg_configured, "packages of %llx", td->tdr);
	SAME(c, td->chldcnt, info.chldcnt, "CHLDCNT of %llx", td->tdr);
	SAME(c, td->num_tdcx, info.num_tdcx, "NUM_TDCX of %llx", td->tdr);
	/* In TEARDOWN the control pages may be gone already. */
	if (td->num_tdcx < MIN_TDCX || td->lifecycle == LC_TEARDOWN)
		return;
	check_tdcs(c, &info);
	check_sept(c);
}

static void check_vcpu(struct comparison *c, const struct model_vcpu *vcpu)
{
	struct tdx_sw_vcpu_info info;

	if (swt_m_td(c->m, vcpu->tdr)->lifecycle == LC_TEARDOWN)
		return;
	if (tdx_sw_test_vcpu(vcpu->tdvpr, &info)) {
		KUNIT_FAIL(c->test, "%s: no vCPU at %llx", c->where, vcpu->tdvpr);
		return;
	}
	SAME(c, vcpu->state, info.state, "state of vCPU %llx", vcpu->tdvpr);
	SAME(c, vcpu->num_pages, info.num_pages, "pages of vCPU %llx", vcpu->tdvpr);
	SAME(c, vcpu->lp, info.assoc_lp, "association of vCPU %llx", vcpu->tdvpr);
	if (vcpu->state != VS_UNINITIALIZED)
		SAME(c, vcpu->index, info.index, "index of vCPU %llx", vcpu->tdvpr);
	if (vcpu->inside)
		SAME(c, vcpu->epoch, info.epoch, "VCPU_EPOCH of %llx", vcpu->tdvpr);
}

void swt_m_check(struct kunit *test, struct model *m, const char *where)
{
	struct comparison c = { .test = test, .m = m, .where = where };
	unsigned int i;

	SAME(&c, m->sys_state, tdx_sw_test_sys_state(), "module state");
	check_keys(&c);
	check_pages(&c);
	for (i = 0; i < MODEL_TDS; i++) {
		if (m->td[i].tdr)
			check_td(&c, &m->td[i]);
	}
	for (i = 0; i < MODEL_VCPUS; i++) {
		if (m->vcpu[i].tdvpr)
			check_vcpu(&c, &m->vcpu[i]);
	}
	if (!m->held && !m->odd)
		SAME(&c, 0, tdx_sw_test_check(m->list, m->nr_pages), "module's own check");
}
