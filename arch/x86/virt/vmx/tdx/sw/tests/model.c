// SPDX-License-Identifier: GPL-2.0
/*
 * What a successful call does, leaf by leaf.  The comparison with the module is
 * in model_check.c.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "probe/sw_test.h"
#include "model.h"

struct effect {
	struct kunit *test;
	struct model *m;
	unsigned int cpu;
	u64 leaf;
	const struct tdx_module_args *in;
	struct model_out *out;
	/* Found for leaves that have them */
	struct model_td *td;
	struct model_vcpu *vcpu;
};

void swt_m_init(struct model *m)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->sys_state = SYS_IS_READY;
	m->first_key = tdx_sw_first_keyid();
	m->nr_keys = tdx_sw_nr_keyids();
	m->all_pkgs = BIT_ULL(tdx_sw_nr_packages()) - 1;
	for (i = 0; i < MODEL_VCPUS; i++)
		m->vcpu[i].lp = NO_LP;
	m->key[0].state = KOT_RESERVED;
}

void swt_m_add_page(struct kunit *test, struct model *m, u64 pa)
{
	KUNIT_ASSERT_LT(test, m->nr_pages, (unsigned int)MODEL_PAGES);
	m->list[m->nr_pages] = pa;
	m->page[m->nr_pages++] = (struct model_page) { .pa = pa, .type = PT_NDA };
}

struct model_page *swt_m_page(struct model *m, u64 pa)
{
	unsigned int i;

	for (i = 0; i < m->nr_pages; i++) {
		if (m->page[i].pa == pa)
			return &m->page[i];
	}
	return NULL;
}

struct model_td *swt_m_td(struct model *m, u64 tdr)
{
	unsigned int i;

	for (i = 0; i < MODEL_TDS; i++) {
		if (m->td[i].tdr == tdr)
			return &m->td[i];
	}
	return NULL;
}

struct model_vcpu *swt_m_vcpu(struct model *m, u64 tdvpr)
{
	unsigned int i;

	for (i = 0; i < MODEL_VCPUS; i++) {
		if (m->vcpu[i].tdvpr == tdvpr)
			return &m->vcpu[i];
	}
	return NULL;
}

struct model_entry *swt_m_entry(struct model *m, u64 tdr, u64 gpa, unsigned int level)
{
	unsigned int i;

	gpa &= ~(sheet_level_size(level) - 1);
	for (i = 0; i < MODEL_ENTRIES; i++) {
		struct model_entry *e = &m->entry[i];

		if (e->tdr && e->tdr == tdr && e->gpa == gpa && e->level == level)
			return e;
	}
	return NULL;
}

u8 swt_m_state(struct model *m, u64 tdr, u64 gpa, unsigned int level)
{
	struct model_entry *e = swt_m_entry(m, tdr, gpa, level);

	return e ? e->state : SE_FREE;
}

unsigned int swt_m_package(const struct model *m, unsigned int cpu)
{
	if (m->fake_packages)
		return cpu % m->fake_packages;
	return topology_logical_package_id(cpu);
}

static void know(struct effect *e, enum sheet_reg reg, u64 *slot, u64 val)
{
	e->out->known |= reg;
	*slot = val;
}

static void know_rcx_rdx(struct effect *e, u64 rcx, u64 rdx)
{
	know(e, R_RCX, &e->out->val.rcx, rcx);
	know(e, R_RDX, &e->out->val.rdx, rdx);
}

static u64 parts_of(unsigned int level)
{
	return sheet_level_size(level) / PAGE_SIZE;
}

/*
 * All that is known of a page of a size.  Of a large one the model may have the first
 * 4 KiB alone.
 */
static void set_page(struct effect *e, u64 pa, unsigned int level, struct model_page val)
{
	u64 i;

	KUNIT_ASSERT_NOT_NULL(e->test, swt_m_page(e->m, pa));
	for (i = 0; i < parts_of(level); i++) {
		struct model_page *page = swt_m_page(e->m, pa + i * PAGE_SIZE);

		if (!page)
			continue;
		val.pa = page->pa;
		*page = val;
	}
}

/* The page becomes one of the TD. */
static void take_page(struct effect *e, u64 pa, u8 type, unsigned int level)
{
	set_page(e, pa, level, (struct model_page) {
		.type = type, .level = level, .owner = type == PT_TDR ? 0 : e->td->tdr,
	});
	if (type != PT_TDR)
		e->td->chldcnt += parts_of(level);
}

static void free_page_of(struct effect *e, struct model_td *td, u64 pa, unsigned int level)
{
	set_page(e, pa, level, (struct model_page) { .type = PT_NDA });
	if (td)
		td->chldcnt -= parts_of(level);
}

static struct model_key *key_of(struct effect *e, u64 hkid)
{
	KUNIT_ASSERT_LT(e->test, hkid - e->m->first_key, (u64)MODEL_KEYS);
	return &e->m->key[hkid - e->m->first_key];
}

static void sys_init(struct effect *e)
{
	e->m->sys_state = SYS_INIT_DONE;
}

static void mng_create(struct effect *e)
{
	struct model_td *td = swt_m_td(e->m, 0);

	KUNIT_ASSERT_NOT_NULL(e->test, td);
	*td = (struct model_td) {
		.tdr = e->in->rcx, .hkid = e->in->rdx, .lifecycle = LC_HKID_ASSIGNED,
	};
	e->td = td;
	take_page(e, e->in->rcx, PT_TDR, 0);
	key_of(e, e->in->rdx)->state = KOT_ASSIGNED;
}

static void mng_key_config(struct effect *e)
{
	e->td->pkgs |= BIT_ULL(swt_m_package(e->m, e->cpu));
	if (e->td->pkgs == e->m->all_pkgs)
		e->td->lifecycle = LC_KEYS_CONFIGURED;
}

static void mng_addcx(struct effect *e)
{
	take_page(e, e->in->rcx, PT_TDCX, 0);
	e->td->num_tdcx++;
}

static void mng_init(struct effect *e)
{
	e->td->op_state = OS_INITIALIZED;
	e->td->epoch = 1;
	know(e, R_RCX, &e->out->val.rcx, 0);
}

static void mng_vpflushdone(struct effect *e)
{
	struct model_key *key = key_of(e, e->td->hkid);

	e->td->lifecycle = LC_BLOCKED;
	key->state = KOT_FLUSHED;
	key->pkgs = e->m->all_pkgs;
}

static void mng_key_freeid(struct effect *e)
{
	e->td->lifecycle = LC_TEARDOWN;
	key_of(e, e->td->hkid)->state = KOT_FREE;
}

static void cache_wb(struct effect *e)
{
	unsigned int i;

	for (i = 0; i < e->m->nr_keys && i < MODEL_KEYS; i++)
		e->m->key[i].pkgs &= ~BIT_ULL(swt_m_package(e->m, e->cpu));
}

static void mr_finalize(struct effect *e)
{
	e->td->op_state = OS_RUNNABLE;
}

static void mem_track(struct effect *e)
{
	e->td->epoch++;
}

static void vp_create(struct effect *e)
{
	struct model_vcpu *vcpu = swt_m_vcpu(e->m, 0);

	KUNIT_ASSERT_NOT_NULL(e->test, vcpu);
	*vcpu = (struct model_vcpu) {
		.tdvpr = e->in->rcx, .tdr = e->in->rdx, .lp = NO_LP, .num_pages = 1,
		.state = VS_UNINITIALIZED,
	};
	take_page(e, e->in->rcx, PT_TDVPR, 0);
}

static void vp_addcx(struct effect *e)
{
	take_page(e, e->in->rcx, PT_TDCX, 0);
	e->vcpu->num_pages++;
}

void swt_m_associate(struct model *m, struct model_vcpu *vcpu, unsigned int cpu)
{
	if (vcpu->lp == NO_LP)
		swt_m_td(m, vcpu->tdr)->num_assoc++;
	vcpu->lp = cpu;
}

static void vp_init(struct effect *e)
{
	e->vcpu->state = VS_READY;
	e->vcpu->index = e->td->num_vcpus++;
	swt_m_associate(e->m, e->vcpu, e->cpu);
}

static void vp_flush(struct effect *e)
{
	e->vcpu->lp = NO_LP;
	e->td->num_assoc--;
}

static void vp_rd_wr(struct effect *e)
{
	swt_m_associate(e->m, e->vcpu, e->cpu);
}

static struct model_entry *new_entry(struct effect *e, u64 gpa, unsigned int level)
{
	struct model_entry *entry = e->m->entry;

	while (entry < e->m->entry + MODEL_ENTRIES && entry->tdr)
		entry++;
	KUNIT_ASSERT_PTR_NE(e->test, entry, e->m->entry + MODEL_ENTRIES);
	entry->tdr = e->td->tdr;
	entry->gpa = gpa;
	entry->level = level;
	return entry;
}

static void map(struct effect *e, u8 type, u8 state)
{
	unsigned int level = e->in->rcx & 7;
	struct model_entry *entry = new_entry(e, e->in->rcx & ~7ULL, level);

	entry->hpa = e->in->r8;
	entry->state = state;
	take_page(e, e->in->r8, type, type == PT_REG ? level : 0);
	know_rcx_rdx(e, 0, 0);
}

static struct model_entry *addressed(struct effect *e)
{
	struct model_entry *entry = swt_m_entry(e->m, e->td->tdr, e->in->rcx & ~7ULL,
						e->in->rcx & 7);

	KUNIT_ASSERT_NOT_NULL(e->test, entry);
	return entry;
}

static void mem_sept_add(struct effect *e)
{
	bool exists = swt_m_entry(e->m, e->td->tdr, e->in->rcx & ~7ULL, e->in->rcx & 7);

	if (exists)
		know_rcx_rdx(e, 0, 0);
	else
		map(e, PT_EPT, SE_NL_MAPPED);
	if (!L_VERSION(e->leaf))
		return;

	know(e, R_R8, &e->out->val.r8, exists ? e->in->r8 | BIT_ULL(63) : ~0ULL);
	know(e, R_R9, &e->out->val.r9, ~0ULL);
	know(e, R_R10, &e->out->val.r10, ~0ULL);
	know(e, R_R11, &e->out->val.r11, ~0ULL);
}

static void mem_page_add(struct effect *e)
{
	map(e, PT_REG, SE_MAPPED);
}

static void mem_page_aug(struct effect *e)
{
	map(e, PT_REG, SE_PENDING);
}

static void unmap(struct effect *e)
{
	struct model_entry *entry = addressed(e);

	know_rcx_rdx(e, entry->hpa, 0);
	free_page_of(e, e->td, entry->hpa, entry->state & SE_TABLE ? 0 : entry->level);
	entry->tdr = 0;
}

static void mem_range_block(struct effect *e)
{
	struct model_entry *entry = addressed(e);
	struct model_page page = *swt_m_page(e->m, entry->hpa);

	entry->state = entry->state == SE_MAPPED ? SE_BLOCKED :
		       entry->state == SE_PENDING ? SE_PENDING_BLOCKED : SE_NL_BLOCKED;
	page.bepoch = e->td->epoch;
	page.bepoch_known = true;
	set_page(e, entry->hpa, page.level, page);
	know_rcx_rdx(e, 0, 0);
}

static u8 unblocked(u8 state)
{
	return state == SE_BLOCKED ? SE_MAPPED : state == SE_PENDING_BLOCKED ? SE_PENDING : state;
}

static void mem_page_relocate(struct effect *e)
{
	struct model_entry *entry = addressed(e);

	know_rcx_rdx(e, entry->hpa, 0);
	free_page_of(e, e->td, entry->hpa, 0);
	take_page(e, e->in->r8, PT_REG, 0);
	swt_m_page(e->m, e->in->r8)->bepoch_known = true;
	entry->hpa = e->in->r8;
	entry->state = unblocked(entry->state);
}

static void mem_page_demote(struct effect *e)
{
	struct model_entry *entry = addressed(e), *part;
	u64 i, hpa = entry->hpa;
	u8 state = unblocked(entry->state);

	entry->hpa = e->in->r8;
	entry->state = SE_NL_MAPPED;
	take_page(e, e->in->r8, PT_EPT, 0);
	for (i = 0; i < PARTS; i++) {
		u64 pa = hpa + i * PAGE_SIZE;

		if (!swt_m_page(e->m, pa))
			swt_m_add_page(e->test, e->m, pa);
		set_page(e, pa, 0, (struct model_page) {
			.type = PT_REG, .owner = e->td->tdr, .bepoch_known = true,
		});
		part = new_entry(e, entry->gpa + i * PAGE_SIZE, 0);
		part->hpa = pa;
		part->state = state;
	}
	know_rcx_rdx(e, 0, 0);
}

static void mem_page_promote(struct effect *e)
{
	struct model_entry *entry = addressed(e);
	u64 i, table = entry->hpa;

	for (i = 0; i < PARTS; i++) {
		struct model_entry *part = swt_m_entry(e->m, e->td->tdr,
						       entry->gpa + i * PAGE_SIZE, 0);

		if (!i) {
			entry->hpa = part->hpa;
			entry->state = part->state;
		}
		part->tdr = 0;
	}
	set_page(e, entry->hpa, 1, (struct model_page) {
		.type = PT_REG, .level = 1, .owner = e->td->tdr,
	});
	free_page_of(e, e->td, table, 0);
	know_rcx_rdx(e, table, 0);
	if (!L_VERSION(e->leaf))
		return;
	know(e, R_R9, &e->out->val.r9, ~0ULL);
	know(e, R_R10, &e->out->val.r10, ~0ULL);
	know(e, R_R11, &e->out->val.r11, ~0ULL);
}

static void mem_range_unblock(struct effect *e)
{
	struct model_entry *entry = addressed(e);

	entry->state = entry->state & SE_TABLE ? SE_NL_MAPPED : unblocked(entry->state);
	swt_m_page(e->m, entry->hpa)->bepoch_known = false;
	know_rcx_rdx(e, 0, 0);
}

static void mem_sept_rd(struct effect *e)
{
	u64 gpa = e->in->rcx & ~7ULL;
	unsigned int level = e->in->rcx & 7;
	struct model_entry *entry = swt_m_entry(e->m, e->td->tdr, gpa, level);
	u8 state = entry ? entry->state : SE_FREE;

	know_rcx_rdx(e, sheet_entry(state, entry ? entry->hpa : 0),
		     sheet_level_state(level, state));
}

static void mr_extend(struct effect *e)
{
	know_rcx_rdx(e, 0, 0);
}

static void describe_page(struct effect *e)
{
	struct model_page *page = swt_m_page(e->m, e->in->rcx);

	KUNIT_ASSERT_NOT_NULL(e->test, page);
	know(e, R_RCX, &e->out->val.rcx, page->type);
	if (page->type != PT_NDA)
		know(e, R_RDX, &e->out->val.rdx, page->owner);
	know(e, R_R8, &e->out->val.r8, page->level);
	know(e, R_R10, &e->out->val.r10, 0);
	know(e, R_R11, &e->out->val.r11, 0);
}

static void page_rdmd(struct effect *e)
{
	struct model_page *page = swt_m_page(e->m, e->in->rcx);

	describe_page(e);
	if (page->type != PT_REG && page->type != PT_EPT)
		know(e, R_R9, &e->out->val.r9, 0);
	else if (page->bepoch_known)
		know(e, R_R9, &e->out->val.r9, page->bepoch);
}

/* The S-EPT goes with its TD; entries whose pages were reclaimed do not count any more. */
static void forget_td(struct model *m, struct model_td *td)
{
	unsigned int i;

	for (i = 0; i < MODEL_ENTRIES; i++) {
		if (m->entry[i].tdr == td->tdr)
			m->entry[i].tdr = 0;
	}
	td->tdr = 0;
}

static void page_reclaim(struct effect *e)
{
	struct model_page *page = swt_m_page(e->m, e->in->rcx);
	struct model_td *owner;

	describe_page(e);
	know(e, R_R9, &e->out->val.r9, 0);
	if (page->type == PT_TDR) {
		forget_td(e->m, swt_m_td(e->m, page->pa));
		free_page_of(e, NULL, page->pa, 0);
		return;
	}

	owner = swt_m_td(e->m, page->owner);
	KUNIT_ASSERT_NOT_NULL(e->test, owner);
	if (page->type == PT_TDVPR)
		swt_m_vcpu(e->m, page->pa)->tdvpr = 0;
	free_page_of(e, owner, page->pa, page->level);
}

static const struct {
	u16 nr;
	void (*fn)(struct effect *e);
} effects[] = {
	{ L_SYS_INIT, sys_init },
	{ L_MNG_CREATE, mng_create },
	{ L_MNG_KEY_CONFIG, mng_key_config },
	{ L_MNG_ADDCX, mng_addcx },
	{ L_MNG_INIT, mng_init },
	{ L_MNG_VPFLUSHDONE, mng_vpflushdone },
	{ L_MNG_KEY_FREEID, mng_key_freeid },
	{ L_VP_CREATE, vp_create },
	{ L_VP_ADDCX, vp_addcx },
	{ L_VP_INIT, vp_init },
	{ L_VP_FLUSH, vp_flush },
	{ L_VP_RD, vp_rd_wr },
	{ L_VP_WR, vp_rd_wr },
	{ L_MR_EXTEND, mr_extend },
	{ L_MR_FINALIZE, mr_finalize },
	{ L_MEM_TRACK, mem_track },
	{ L_MEM_SEPT_ADD, mem_sept_add },
	{ L_MEM_SEPT_RD, mem_sept_rd },
	{ L_MEM_SEPT_REMOVE, unmap },
	{ L_MEM_PAGE_ADD, mem_page_add },
	{ L_MEM_PAGE_AUG, mem_page_aug },
	{ L_MEM_PAGE_REMOVE, unmap },
	{ L_MEM_PAGE_RELOCATE, mem_page_relocate },
	{ L_MEM_PAGE_DEMOTE, mem_page_demote },
	{ L_MEM_PAGE_PROMOTE, mem_page_promote },
	{ L_MEM_RANGE_BLOCK, mem_range_block },
	{ L_MEM_RANGE_UNBLOCK, mem_range_unblock },
	{ L_PAGE_RDMD, page_rdmd },
	{ L_PAGE_RECLAIM, page_reclaim },
	{ L_CACHE_WB, cache_wb },
};

static void find_td(struct effect *e)
{
	const struct sheet_leaf *leaf = sheet_leaf(L_NR(e->leaf));
	u64 rdx = e->in->rdx & ~1ULL;

	switch (leaf ? leaf->td : TD_IN_NONE) {
	case TD_IN_RCX:
		e->td = swt_m_td(e->m, e->in->rcx);
		break;
	case TD_IN_RDX:
		e->td = swt_m_td(e->m, rdx);
		break;
	case TD_OF_RCX:
		e->vcpu = swt_m_vcpu(e->m, e->in->rcx);
		break;
	case TD_OF_RDX:
		e->vcpu = swt_m_vcpu(e->m, rdx);
		break;
	default:
		return;
	}
	if (e->vcpu)
		e->td = swt_m_td(e->m, e->vcpu->tdr);
	KUNIT_ASSERT_NOT_NULL(e->test, e->td);
}

void swt_m_apply(struct kunit *test, struct model *m, unsigned int cpu, u64 leaf,
		 const struct tdx_module_args *in, struct model_out *out)
{
	struct effect e = {
		.test = test, .m = m, .cpu = cpu, .leaf = leaf, .in = in, .out = out,
	};
	unsigned int i;

	find_td(&e);
	for (i = 0; i < ARRAY_SIZE(effects); i++) {
		if (effects[i].nr == L_NR(leaf))
			effects[i].fn(&e);
	}
}

void swt_m_enter(struct model *m, u64 tdvpr, unsigned int cpu)
{
	struct model_vcpu *vcpu = swt_m_vcpu(m, tdvpr);
	struct model_td *td = swt_m_td(m, vcpu->tdr);

	swt_m_associate(m, vcpu, cpu);
	vcpu->inside = true;
	vcpu->epoch = td->epoch;
	td->refcount[td->epoch & 1]++;
	m->held = true;
}

void swt_m_exit(struct model *m, u64 tdvpr)
{
	struct model_vcpu *vcpu = swt_m_vcpu(m, tdvpr);
	unsigned int i;

	vcpu->inside = false;
	swt_m_td(m, vcpu->tdr)->refcount[vcpu->epoch & 1]--;
	m->held = false;
	for (i = 0; i < MODEL_VCPUS; i++)
		m->held |= m->vcpu[i].tdvpr && m->vcpu[i].inside;
}
