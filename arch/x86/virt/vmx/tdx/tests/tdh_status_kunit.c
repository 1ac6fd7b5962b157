// SPDX-License-Identifier: GPL-2.0
/*
 * Every wrapper of a host leaf with every status that the module's specification
 * has: it comes back as it is, details included, and outputs of a call that did
 * nothing are what the module left in the registers.
 */
#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/tdx.h>

#include "tdh_fixture.h"

/* Pages that are handed over have to be memory; nobody looks further. */
struct probe {
	phys_addr_t page;
	u64 out[2];		/* outputs, as far as the wrapper has any */
};

#define OUT_JUNK	0x5a5a5a5a5a5a5a5aULL

static u64 probe_mng_create(struct probe *p)
{
	return tdh_mng_create(p->page, 1);
}

static u64 probe_mng_addcx(struct probe *p)
{
	return tdh_mng_addcx(p->page, p->page);
}

static u64 probe_mng_key_config(struct probe *p)
{
	return tdh_mng_key_config(p->page);
}

static u64 probe_mng_init(struct probe *p)
{
	return tdh_mng_init(p->page, p->page, &p->out[0]);
}

static u64 probe_mng_rd(struct probe *p)
{
	return tdh_mng_rd(p->page, 0, &p->out[0]);
}

static u64 probe_mng_vpflushdone(struct probe *p)
{
	return tdh_mng_vpflushdone(p->page);
}

static u64 probe_mng_key_freeid(struct probe *p)
{
	return tdh_mng_key_freeid(p->page);
}

static u64 probe_vp_create(struct probe *p)
{
	return tdh_vp_create(p->page, p->page);
}

static u64 probe_vp_addcx(struct probe *p)
{
	return tdh_vp_addcx(p->page, p->page);
}

static u64 probe_vp_init(struct probe *p)
{
	return tdh_vp_init(p->page, 0, 0);
}

static u64 probe_vp_flush(struct probe *p)
{
	return tdh_vp_flush(p->page);
}

static u64 probe_vp_rd(struct probe *p)
{
	return tdh_vp_rd(p->page, 0, &p->out[0]);
}

static u64 probe_vp_wr(struct probe *p)
{
	return tdh_vp_wr(p->page, 0, 0, 0, &p->out[0]);
}

#define PROBE_SEPT(_name, _call)						\
static u64 probe_##_name(struct probe *p)					\
{										\
	struct tdh_sept_info info = { OUT_JUNK, OUT_JUNK };			\
	u64 status = _call;							\
										\
	p->out[0] = info.entry;							\
	p->out[1] = info.state;							\
	return status;								\
}

PROBE_SEPT(mem_page_add, tdh_mem_page_add(p->page, 0, p->page, p->page, &info))
PROBE_SEPT(mem_sept_add, tdh_mem_sept_add(p->page, 0, 1, p->page, &info))
PROBE_SEPT(mem_page_aug, tdh_mem_page_aug(p->page, 0, 0, p->page, &info))
PROBE_SEPT(mem_page_remove, tdh_mem_page_remove(p->page, 0, 0, &info))
PROBE_SEPT(mem_page_demote, tdh_mem_page_demote(p->page, 0, 1, p->page, &info))
PROBE_SEPT(mem_sept_remove, tdh_mem_sept_remove(p->page, 0, 1, &info))
PROBE_SEPT(mem_sept_rd, tdh_mem_sept_rd(p->page, 0, 0, &info))
PROBE_SEPT(mem_range_block, tdh_mem_range_block(p->page, 0, 0, &info))
PROBE_SEPT(mr_extend, tdh_mr_extend(p->page, 0, &info))

static u64 probe_mem_track(struct probe *p)
{
	return tdh_mem_track(p->page);
}

static u64 probe_mr_finalize(struct probe *p)
{
	return tdh_mr_finalize(p->page);
}

static u64 probe_phymem_page_reclaim(struct probe *p)
{
	struct tdh_page_md md;

	return tdh_phymem_page_reclaim(p->page, &md);
}

static u64 probe_phymem_page_wbinvd(struct probe *p)
{
	return tdh_phymem_page_wbinvd(p->page, 1);
}

static u64 probe_phymem_cache_wb(struct probe *p)
{
	return tdh_phymem_cache_wb(false);
}

struct wrapper {
	const char *name;
	u16 leaf;
	u8 nr_out;		/* outputs */
	bool echo;		/* the output is an input that an early failure leaves */
	u64 (*call)(struct probe *p);
};

#define WRAPPER(_leaf, _name, _nr_out)						\
	{ .name = "tdh_" #_name, .leaf = _leaf, .nr_out = _nr_out, .call = probe_##_name }

static const struct wrapper wrappers[] = {
	WRAPPER(TDH_MNG_CREATE, mng_create, 0),
	WRAPPER(TDH_MNG_ADDCX, mng_addcx, 0),
	WRAPPER(TDH_MNG_KEY_CONFIG, mng_key_config, 0),
	{ .name = "tdh_mng_init", .leaf = TDH_MNG_INIT, .nr_out = 1, .echo = true,
	  .call = probe_mng_init },
	WRAPPER(TDH_MNG_RD, mng_rd, 1),
	WRAPPER(TDH_MNG_VPFLUSHDONE, mng_vpflushdone, 0),
	WRAPPER(TDH_MNG_KEY_FREEID, mng_key_freeid, 0),
	WRAPPER(TDH_VP_CREATE, vp_create, 0),
	WRAPPER(TDH_VP_ADDCX, vp_addcx, 0),
	WRAPPER(TDH_VP_INIT, vp_init, 0),
	WRAPPER(TDH_VP_FLUSH, vp_flush, 0),
	WRAPPER(TDH_VP_RD, vp_rd, 1),
	WRAPPER(TDH_VP_WR, vp_wr, 1),
	WRAPPER(TDH_MEM_PAGE_ADD, mem_page_add, 2),
	WRAPPER(TDH_MEM_SEPT_ADD, mem_sept_add, 2),
	WRAPPER(TDH_MEM_PAGE_AUG, mem_page_aug, 2),
	WRAPPER(TDH_MEM_PAGE_REMOVE, mem_page_remove, 2),
	WRAPPER(TDH_MEM_PAGE_DEMOTE, mem_page_demote, 2),
	WRAPPER(TDH_MEM_SEPT_REMOVE, mem_sept_remove, 2),
	WRAPPER(TDH_MEM_SEPT_RD, mem_sept_rd, 2),
	WRAPPER(TDH_MEM_RANGE_BLOCK, mem_range_block, 2),
	WRAPPER(TDH_MEM_TRACK, mem_track, 0),
	WRAPPER(TDH_MR_EXTEND, mr_extend, 2),
	WRAPPER(TDH_MR_FINALIZE, mr_finalize, 0),
	WRAPPER(TDH_PHYMEM_PAGE_RECLAIM, phymem_page_reclaim, 0),
	WRAPPER(TDH_PHYMEM_PAGE_WBINVD, phymem_page_wbinvd, 0),
	WRAPPER(TDH_PHYMEM_CACHE_WB, phymem_cache_wb, 0),
};

static void describe_wrapper(const struct wrapper *w, char *desc)
{
	strscpy(desc, w->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(wrappers, wrappers, describe_wrapper);

/* Want of entropy is repeated, so it does not come back once; see tdx_tdh. */
static const u64 statuses[] = {
	TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX,
	TDX_OPERAND_ADDR_RANGE_ERROR | TDX_OPERAND_ID_R8,
	TDX_OPERAND_BUSY | TDX_OPERAND_ID_RDX,
	TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT_TREE,
	TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH,
	TDX_PREVIOUS_TLB_EPOCH_BUSY,
	TDX_SYS_BUSY,
	TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX,
	TDX_TD_ASSOCIATED_PAGES_EXIST,
	TDX_SYS_NOT_READY,
	TDX_SYS_SHUTDOWN,
	TDX_TD_FATAL,
	TDX_TDCS_NOT_ALLOCATED,
	TDX_LIFECYCLE_STATE_INCORRECT,
	TDX_OP_STATE_INCORRECT,
	TDX_NO_VCPUS,
	TDX_TDCX_NUM_INCORRECT,
	TDX_X2APIC_ID_NOT_UNIQUE | 0x80000001,
	TDX_VCPU_STATE_INCORRECT,
	TDX_VCPU_ASSOCIATED,
	TDX_VCPU_NOT_ASSOCIATED,
	TDX_MAX_VCPUS_EXCEEDED,
	TDX_TD_KEYS_NOT_CONFIGURED,
	TDX_KEY_GENERATION_FAILED,
	TDX_KEY_CONFIGURED,
	TDX_WBCACHE_NOT_COMPLETE,
	TDX_HKID_NOT_FREE,
	TDX_NO_HKID_READY_TO_WBCACHE,
	TDX_FLUSHVP_NOT_DONE,
	TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX,
	TDX_EPT_ENTRY_NOT_PRESENT | TDX_OPERAND_ID_RCX,
	TDX_GPA_RANGE_NOT_BLOCKED | TDX_OPERAND_ID_RCX,
	TDX_GPA_RANGE_ALREADY_BLOCKED | TDX_OPERAND_ID_RCX,
	TDX_TLB_TRACKING_NOT_DONE | TDX_OPERAND_ID_RCX,
	TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX,
	TDX_EPT_PAGE_NOT_FREE | TDX_OPERAND_ID_RCX,
	TDX_METADATA_FIELD_ID_INCORRECT,
	TDX_METADATA_FIELD_NOT_READABLE,
	TDX_METADATA_FIELD_NOT_WRITABLE,
	TDX_METADATA_FIELD_VALUE_NOT_VALID,
};

static void status_comes_back_as_it_is(struct kunit *test)
{
	const struct wrapper *w = test->param_value;
	struct tdht *t = test->priv;
	struct probe probe = { .page = tdht_page(t) };
	u64 calls = tdx_sw_count(w->leaf, NULL);
	unsigned int i, out;

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		memset(probe.out, 0x5a, sizeof(probe.out));
		KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(w->leaf, 1, 1, statuses[i]), 0);
		tdht_expect(t, w->call(&probe), statuses[i]);
		/* It was this leaf that has been called, once. */
		KUNIT_EXPECT_EQ(test, tdx_sw_inject_clear(), 0);
		KUNIT_EXPECT_EQ(test, tdx_sw_count(w->leaf, NULL), calls + i + 1);
		for (out = 0; out < w->nr_out && !w->echo; out++)
			KUNIT_EXPECT_EQ_MSG(test, probe.out[out], 0ULL, "status %llx",
					    statuses[i]);
	}
	tdht_expect_page(t, probe.page, PT_NDA, 0);
}

/* A SEAMCALL that never reached the module has no outputs. */
static void call_that_did_not_happen_has_no_outputs(struct kunit *test)
{
	const struct wrapper *w = test->param_value;
	struct tdht *t = test->priv;
	struct probe probe = { .page = tdht_page(t), .out = { OUT_JUNK, OUT_JUNK } };
	unsigned int out;

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(w->leaf, 1, 1, TDX_SEAMCALL_VMFAILINVALID), 0);
	tdht_expect(t, w->call(&probe), TDX_SEAMCALL_VMFAILINVALID);
	for (out = 0; out < w->nr_out; out++)
		KUNIT_EXPECT_EQ(test, probe.out[out], 0ULL);
}

/* Attempts that failed have zeroed the registers that the operands are in. */
static void repeated_call_has_the_callers_operands(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page = tdht_page(t);
	struct tdh_sept_info info;

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MEM_SEPT_ADD, 1, 3, TDX_RND_NO_ENTROPY), 0);
	tdht_expect(t, tdh_mem_sept_add(tdr, 0, 3, page, &info), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdx_sw_inject_clear(), 0);
	tdht_expect_sept(t, tdr, 0, 3, SEPT_NL_MAPPED, page);
}

static struct kunit_case tdh_status_tests[] = {
	KUNIT_CASE_PARAM(status_comes_back_as_it_is, wrappers_gen_params),
	KUNIT_CASE_PARAM(call_that_did_not_happen_has_no_outputs, wrappers_gen_params),
	KUNIT_CASE(repeated_call_has_the_callers_operands),
	{}
};

static struct kunit_suite tdh_status_suite = {
	.name = "tdx_tdh_status",
	.suite_init = tdht_suite_init,
	.init = tdht_init,
	.exit = tdht_exit,
	.test_cases = tdh_status_tests,
};

kunit_test_suite(tdh_status_suite);

MODULE_DESCRIPTION("KUnit tests of the wrappers of TDX leaves: statuses");
MODULE_LICENSE("GPL");
