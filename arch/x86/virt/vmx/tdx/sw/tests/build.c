// SPDX-License-Identifier: GPL-2.0
/*
 * TDs in every state, step by step, each step checked like any other call.
 */
#include <linux/cpumask.h>
#include <linux/string.h>

#include "fixture.h"

void swt_default_params(void *params)
{
	memset(params, 0, PAGE_SIZE);
	*(u64 *)(params + PARAMS_XFAM) = 3;
	*(u16 *)(params + PARAMS_MAX_VCPUS) = 4;
	*(u64 *)(params + PARAMS_EPTP_CONTROLS) = EPTP_CONTROLS_4_LEVELS;
	*(u16 *)(params + PARAMS_TSC_FREQUENCY) = 100;
}

void swt_td_create(struct swt *t, struct swt_td *td, unsigned int key)
{
	td->hkid = swt_key(t, key);
	td->tdr = swt_page(t);
	td->params = swt_page(t);
	swt_default_params(swt_va(td->params));
	swt_ok(t, L_MNG_CREATE, SWT_ARGS(.rcx = td->tdr, .rdx = td->hkid));
}

void swt_td_config_key(struct swt *t, struct swt_td *td)
{
	unsigned int cpu, home = t->cpu;
	u64 done = 0;

	for_each_online_cpu(cpu) {
		u64 pkg = BIT_ULL(swt_m_package(&t->m, cpu));

		if (done & pkg)
			continue;
		done |= pkg;
		t->cpu = cpu;
		if (cpu != home)
			tdx_sw_test_stay_on(cpu);
		swt_ok(t, L_MNG_KEY_CONFIG, SWT_ARGS(.rcx = td->tdr));
	}
	tdx_sw_test_stay_on(home);
	t->cpu = home;
}

void swt_td_add_tdcx(struct swt *t, struct swt_td *td)
{
	unsigned int i;

	for (i = 0; i < MIN_TDCX; i++) {
		td->tdcx[i] = swt_page(t);
		swt_ok(t, L_MNG_ADDCX, SWT_ARGS(.rcx = td->tdcx[i], .rdx = td->tdr));
	}
}

void swt_td_init(struct swt *t, struct swt_td *td)
{
	swt_ok(t, L_MNG_INIT, SWT_ARGS(.rcx = td->tdr, .rdx = td->params));
}

u64 swt_vcpu_create(struct swt *t, struct swt_td *td, unsigned int pages)
{
	u64 tdvpr = swt_page(t);

	swt_ok(t, L_VP_CREATE, SWT_ARGS(.rcx = tdvpr, .rdx = td->tdr));
	while (--pages)
		swt_ok(t, L_VP_ADDCX, SWT_ARGS(.rcx = swt_page(t), .rdx = tdvpr));
	return tdvpr;
}

u64 swt_vcpu_add(struct swt *t, struct swt_td *td)
{
	u64 tdvpr = swt_vcpu_create(t, td, MIN_TDVPS);

	swt_ok(t, L_VP_INIT, SWT_ARGS(.rcx = tdvpr));
	return tdvpr;
}

void swt_td_build(struct swt *t, struct swt_td *td, unsigned int key, enum swt_stage stage)
{
	bool checked = t->checked;

	t->checked = false;
	swt_td_create(t, td, key);
	if (stage >= STAGE_KEYED)
		swt_td_config_key(t, td);
	if (stage >= STAGE_UNINITIALIZED)
		swt_td_add_tdcx(t, td);
	if (stage >= STAGE_INITIALIZED)
		swt_td_init(t, td);
	if (stage >= STAGE_RUNNABLE) {
		td->vcpu = swt_vcpu_add(t, td);
		swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td->tdr));
	}
	t->checked = checked;
	swt_check(t);
}

void swt_tables(struct swt *t, struct swt_td *td, u64 gpa, unsigned int level)
{
	unsigned int l;

	for (l = 3; l > level; l--) {
		u64 base = gpa & ~(sheet_level_size(l) - 1);

		if (swt_m_state(&t->m, td->tdr, gpa, l) == SE_FREE)
			swt_ok(t, L_MEM_SEPT_ADD,
			       SWT_ARGS(.rcx = base | l, .rdx = td->tdr, .r8 = swt_page(t)));
	}
}

u64 swt_add(struct swt *t, struct swt_td *td, u64 gpa)
{
	u64 page = swt_page(t), source = swt_page(t);

	swt_tables(t, td, gpa, 0);
	swt_ok(t, L_MEM_PAGE_ADD,
	       SWT_ARGS(.rcx = gpa, .rdx = td->tdr, .r8 = page, .r9 = source));
	return page;
}

u64 swt_aug(struct swt *t, struct swt_td *td, u64 gpa)
{
	u64 page = swt_page(t);

	swt_tables(t, td, gpa, 0);
	swt_ok(t, L_MEM_PAGE_AUG, SWT_ARGS(.rcx = gpa, .rdx = td->tdr, .r8 = page));
	return page;
}

u64 swt_aug_large(struct swt *t, struct swt_td *td, u64 gpa)
{
	u64 page = swt_large(t);

	swt_tables(t, td, gpa, 1);
	swt_ok(t, L_MEM_PAGE_AUG, SWT_ARGS(.rcx = gpa | 1, .rdx = td->tdr, .r8 = page));
	return page;
}

u64 swt_aug_parts(struct swt *t, struct swt_td *td, u64 gpa)
{
	u64 page = swt_aug_large(t, td, gpa);

	swt_block(t, td, gpa, 1);
	swt_track(t, td);
	swt_ok(t, L_MEM_PAGE_DEMOTE,
	       SWT_ARGS(.rcx = gpa | 1, .rdx = td->tdr, .r8 = swt_page(t)));
	return page;
}

void swt_block(struct swt *t, struct swt_td *td, u64 gpa, unsigned int level)
{
	swt_ok(t, L_MEM_RANGE_BLOCK, SWT_ARGS(.rcx = gpa | level, .rdx = td->tdr));
}

void swt_track(struct swt *t, struct swt_td *td)
{
	swt_ok(t, L_MEM_TRACK, SWT_ARGS(.rcx = td->tdr));
}

void swt_td_block(struct swt *t, struct swt_td *td)
{
	unsigned int i;

	for (i = 0; i < MODEL_VCPUS; i++) {
		struct model_vcpu *vcpu = &t->m.vcpu[i];

		if (vcpu->tdvpr && vcpu->tdr == td->tdr && vcpu->lp == t->cpu)
			swt_ok(t, L_VP_FLUSH, SWT_ARGS(.rcx = vcpu->tdvpr));
	}
	swt_ok(t, L_MNG_VPFLUSHDONE, SWT_ARGS(.rcx = td->tdr));
}

/* CACHE.WB on every package, whether there is something to write back or not. */
void swt_write_back(struct swt *t)
{
	struct model_out out;
	unsigned int cpu;
	u64 status;

	for_each_online_cpu(cpu) {
		struct tdx_module_args args = {};

		status = swt_call_on(t, cpu, L_CACHE_WB, &args);
		if (ST_CODE(status) != ST_NO_HKID_READY_TO_WBCACHE)
			KUNIT_ASSERT_EQ(t->test, ST_SUCCESS, status);
		swt_m_apply(t->test, &t->m, cpu, L_CACHE_WB, &args, &out);
	}
}

void swt_td_free_key(struct swt *t, struct swt_td *td)
{
	swt_write_back(t);
	swt_ok(t, L_MNG_KEY_FREEID, SWT_ARGS(.rcx = td->tdr));
}

static void std_fill(struct swt *t, struct swt_std *std)
{
	struct swt_td *td = &std->td;

	std->mapped = swt_add(t, td, STD_MAPPED);
	std->blocked = swt_add(t, td, STD_BLOCKED);
	swt_aug(t, td, STD_PENDING);
	swt_aug(t, td, STD_PENDING_BLOCKED);
	swt_tables(t, td, STD_EMPTY_TABLE, 0);
	std->table = swt_m_entry(&t->m, td->tdr, STD_EMPTY_TABLE, 1)->hpa;

	swt_block(t, td, STD_BLOCKED, 0);
	swt_block(t, td, STD_PENDING_BLOCKED, 0);
	swt_block(t, td, STD_EMPTY_TABLE, 1);
	swt_track(t, td);

	td->vcpu = swt_vcpu_add(t, td);
	std->new_vcpu = swt_vcpu_create(t, td, MIN_TDVPS - 1);
	std->full_vcpu = swt_vcpu_create(t, td, MIN_TDVPS);
}

void swt_std_build(struct swt *t, struct swt_std *std, unsigned int key, enum swt_stage stage)
{
	bool checked = t->checked;

	t->checked = false;
	memset(std, 0, sizeof(*std));
	std->spare = swt_page(t);
	std->source = swt_page(t);
	swt_td_build(t, &std->td, key, min(stage, STAGE_INITIALIZED));
	if (stage >= STAGE_INITIALIZED)
		std_fill(t, std);
	if (stage == STAGE_RUNNABLE)
		swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = std->td.tdr));
	t->checked = checked;
	swt_check(t);
}

void swt_std_for(struct swt *t, struct swt_std *std, unsigned int leaf)
{
	bool checked = t->checked;

	if (leaf != L_MEM_PAGE_DEMOTE && leaf != L_MEM_PAGE_PROMOTE)
		return;

	t->checked = false;
	if (leaf == L_MEM_PAGE_DEMOTE)
		swt_aug_large(t, &std->td, STD_LARGE);
	else
		swt_aug_parts(t, &std->td, STD_LARGE);
	swt_block(t, &std->td, STD_LARGE, 1);
	swt_track(t, &std->td);
	t->checked = checked;
	swt_check(t);
}

static u64 std_gpa(unsigned int leaf)
{
	switch (leaf) {
	case L_MEM_PAGE_ADD:
	case L_MEM_PAGE_AUG:
		return STD_FREE;
	case L_MEM_SEPT_ADD:
		return STD_NO_TABLE | 1;
	case L_MEM_RANGE_UNBLOCK:
	case L_MEM_PAGE_REMOVE:
	case L_MEM_PAGE_RELOCATE:
		return STD_BLOCKED;
	case L_MEM_PAGE_DEMOTE:
	case L_MEM_PAGE_PROMOTE:
		return STD_LARGE | 1;
	case L_MEM_SEPT_REMOVE:
		return STD_EMPTY_TABLE | 1;
	default:
		return STD_MAPPED;
	}
}

static void std_vp_args(struct swt_std *std, unsigned int leaf, struct tdx_module_args *args)
{
	args->rcx = leaf == L_VP_INIT ? std->full_vcpu : std->td.vcpu;
	if (leaf == L_VP_RD)
		args->rdx = FIELD_VCPU_INDEX;
	if (leaf == L_VP_WR) {
		args->rdx = FIELD_PEND_NMI;
		args->r8 = 1;
		args->r9 = 1;
	}
}

void swt_std_args(struct swt_std *std, unsigned int leaf, struct tdx_module_args *args)
{
	struct swt_td *td = &std->td;

	memset(args, 0, sizeof(*args));
	switch (sheet_leaf(leaf)->td) {
	case TD_IN_RCX:
		args->rcx = td->tdr;
		break;
	case TD_IN_RDX:
		args->rcx = std_gpa(leaf);
		args->rdx = td->tdr;
		args->r8 = std->spare;
		args->r9 = std->source;
		break;
	case TD_OF_RCX:
		std_vp_args(std, leaf, args);
		return;
	case TD_OF_RDX:
		args->rdx = std->new_vcpu;
		break;
	}

	switch (leaf) {
	case L_MNG_INIT:
		args->rdx = td->params;
		break;
	case L_MNG_RD:
		args->rdx = FIELD_NUM_VCPUS;
		break;
	case L_MNG_WR:
		args->rdx = FIELD_HP_LOCK_TIMEOUT;
		args->r8 = 2000000;
		args->r9 = ~0ULL;
		break;
	case L_MNG_ADDCX:
	case L_VP_CREATE:
	case L_VP_ADDCX:
	case L_MNG_CREATE:
		args->rcx = std->spare;
		break;
	case L_PAGE_RDMD:
	case L_PAGE_WBINVD:
		args->rcx = std->spare;
		break;
	}
}
