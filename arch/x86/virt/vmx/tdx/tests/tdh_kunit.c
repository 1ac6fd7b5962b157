// SPDX-License-Identifier: GPL-2.0
/*
 * Wrappers of the leaves for TDs and vCPUs: each argument reaches the register
 * where the module looks for it, each output comes back.
 */
#include <kunit/test.h>
#include <linux/io.h>

#include <asm/processor.h>

#include "tdh_fixture.h"

#define TD_ATTRIBUTES		0x1110000300000000ULL
#define TD_MAX_VCPUS		0x1110000200000002ULL
#define VCPU_INDEX		0xa020000200000002ULL
#define VCPU_PEND_NMI		0x202000000000000bULL
#define VCPU_POSTED_INTR_NV	0x0000000000000002ULL
#define NO_SUCH_FIELD		0x3e00000000000000ULL

static bool no_cpu_has(struct tdx_sw_vcpu_info info)
{
	return info.assoc_lp == U32_MAX;
}

/* ---- MNG ---- */

static void mng_create_makes_a_tdr_with_the_key_id(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_CREATED);

	tdht_expect_page(t, tdr, PT_TDR, 0);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).hkid, t->tds[0].hkid);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).lifecycle, 0);
}

static void mng_create_is_refused_a_bad_page_or_key_id(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_CREATED), page = tdht_page(t);
	int hkid = t->tds[0].hkid, other = tdht_hkid(t);

	tdht_expect(t, tdh_mng_create(page, hkid), TDX_HKID_NOT_FREE);
	tdht_expect(t, tdh_mng_create(page, 0), TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX);
	tdht_expect(t, tdh_mng_create(page + 64, other), TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX);
	tdht_expect(t, tdh_mng_create(tdr, other),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX);
	tdht_expect_page(t, page, PT_NDA, 0);
}

static void mng_key_config_configures_the_key(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_CREATED);

	tdht_key_config(t, tdr);
	tdht_expect(t, tdh_mng_key_config(tdr), TDX_LIFECYCLE_STATE_INCORRECT);
	tdht_expect(t, tdh_mng_key_config(tdht_page(t)),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX);
}

static void mng_addcx_gives_the_page_to_the_td(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_KEYED), page = tdht_page(t);

	tdht_expect(t, tdh_mng_addcx(tdr, page), TDX_SUCCESS);
	tdht_expect_page(t, page, PT_TDCX, tdr);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).num_tdcx, 1);

	tdht_expect(t, tdh_mng_addcx(tdr, page),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX);
	tdht_expect(t, tdh_mng_addcx(page, tdht_page(t)),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RDX);
}

static void mng_init_configures_the_td(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_UNINITIALIZED);
	u64 detail = 0x5a5a, val;

	tdht_expect(t, tdh_mng_init(tdr, tdht_params(t), &detail), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, detail, 0);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).op_state, 1);
	tdht_expect(t, tdh_mng_rd(tdr, TD_ATTRIBUTES, &val), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, val, TDHT_ATTRIBUTES);
	tdht_expect(t, tdh_mng_init(tdr, tdht_params(t), &detail),
		    TDX_OP_STATE_INCORRECT | tdht_td_info(t, tdr).op_state);
}

static void mng_init_tells_the_cpuid_leaf_at_fault(struct kunit *test)
{
	const struct tdx_cpuid_config *config = tdx_get_sys_info()->cpuid_configs;
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_UNINITIALIZED), params = tdht_params(t);
	u64 *eax_ebx = phys_to_virt(params + 256 + 16);
	u64 detail = 0x5a5a;

	/* The second leaf, a bit that is not configurable */
	KUNIT_ASSERT_GE(test, tdx_get_sys_info()->nr_cpuid_configs, 2);
	config++;
	*eax_ebx = ~(config->eax | (u64)config->ebx << 32);
	KUNIT_ASSERT_NE(test, *eax_ebx, 0);

	tdht_expect(t, tdh_mng_init(tdr, params, &detail),
		    TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG);
	KUNIT_EXPECT_EQ(test, detail, config->leaf | (u64)config->subleaf << 32);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).op_state, 0);
}

static void mng_init_names_the_operand_at_fault(struct kunit *test)
{
	static const struct {
		int offset;
		u64 val;
		u32 operand;
	} bad[] = {
		{ 0, BIT_ULL(1), TDX_OPERAND_ID_ATTRIBUTES },
		{ 8, BIT_ULL(3), TDX_OPERAND_ID_XFAM },
		{ 16, 0, TDX_OPERAND_ID_MAX_VCPUS },
		{ 24, 0, TDX_OPERAND_ID_EPTP_CONTROLS },
		{ 32, BIT_ULL(40), TDX_OPERAND_ID_CONFIG_FLAGS },
		{ 40, 1, TDX_OPERAND_ID_TSC_FREQUENCY },
		{ 1016, 1, TDX_OPERAND_ID_RDX },
	};
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_UNINITIALIZED);
	u64 detail;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		phys_addr_t params = tdht_params(t);

		*(u64 *)phys_to_virt(params + bad[i].offset) = bad[i].val;
		detail = 0x5a5a;
		tdht_expect(t, tdh_mng_init(tdr, params, &detail),
			    TDX_OPERAND_INVALID | bad[i].operand);
		KUNIT_EXPECT_EQ(test, detail, 0);
	}
}

static void mng_rd_reads_the_field_of_the_td(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	u64 val;

	tdht_expect(t, tdh_mng_rd(tdr, TD_MAX_VCPUS, &val), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, val, TDHT_MAX_TD_VCPUS);

	val = 0x5a5a;
	tdht_expect(t, tdx_status_code(tdh_mng_rd(tdr, NO_SUCH_FIELD, &val)),
		    TDX_METADATA_FIELD_ID_INCORRECT);
	KUNIT_EXPECT_EQ(test, val, 0);
}

static void vpflushdone_needs_flushed_vcpus(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_RUNNABLE);

	tdht_expect(t, tdh_mng_vpflushdone(tdr), TDX_FLUSHVP_NOT_DONE);
	tdht_expect(t, tdh_vp_flush(t->vcpus[0]), TDX_SUCCESS);
	tdht_expect(t, tdh_mng_vpflushdone(tdr), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).lifecycle, 2);
	tdht_expect(t, tdh_mng_vpflushdone(tdr), TDX_LIFECYCLE_STATE_INCORRECT);
}

static void key_freeid_needs_the_caches_written_back(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	u64 pkgs;

	tdht_expect(t, tdh_mng_key_freeid(tdr), TDX_LIFECYCLE_STATE_INCORRECT);
	tdht_expect(t, tdh_mng_vpflushdone(tdr), TDX_SUCCESS);
	tdht_expect(t, tdh_mng_key_freeid(tdr), TDX_WBCACHE_NOT_COMPLETE);
	tdht_expect(t, tdht_cache_wb(), TDX_SUCCESS);
	tdht_expect(t, tdh_mng_key_freeid(tdr), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).lifecycle, 3);
	KUNIT_EXPECT_EQ(test, tdx_sw_test_kot(t->tds[0].hkid, &pkgs), 0);
}

/* ---- VP ---- */

static void vp_create_gives_the_page_to_the_td(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), tdvpr = tdht_page(t);

	tdht_expect(t, tdh_vp_create(tdr, tdvpr), TDX_SUCCESS);
	tdht_expect_page(t, tdvpr, PT_TDVPR, tdr);
	tdht_expect(t, tdh_vp_create(tdr, tdvpr),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX);
	tdht_expect(t, tdh_vp_create(tdvpr, tdht_page(t)),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RDX);
}

static void vp_addcx_gives_the_page_to_the_vcpu(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), tdvpr = tdht_page(t);
	phys_addr_t page = tdht_page(t);

	tdht_assert_ok(t, tdh_vp_create(tdr, tdvpr));
	tdht_expect(t, tdh_vp_addcx(tdvpr, page), TDX_SUCCESS);
	tdht_expect_page(t, page, PT_TDCX, tdr);
	KUNIT_EXPECT_EQ(test, tdht_vcpu_info(t, tdvpr).num_pages, 2);
	tdht_expect(t, tdh_vp_addcx(tdvpr, page),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX);
	tdht_expect(t, tdh_vp_addcx(page, tdht_page(t)),
		    TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RDX);
}

static void vp_init_readies_the_vcpu_on_this_cpu(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t tdvpr = tdht_vcpu_pages(t, tdr);

	KUNIT_EXPECT_EQ(test, tdht_vcpu_info(t, tdvpr).state, 0);
	tdht_expect(t, tdh_vp_init(tdvpr, 0x1234, 7), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdht_vcpu_info(t, tdvpr).state, 2);
	KUNIT_EXPECT_EQ(test, tdht_vcpu_info(t, tdvpr).assoc_lp, raw_smp_processor_id());
	tdht_expect(t, tdx_status_code(tdh_vp_init(tdvpr, 0x1234, 8)),
		    TDX_VCPU_STATE_INCORRECT);
}

static void vp_init_passes_the_x2apic_id(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t tdvpr = tdht_vcpu_pages(t, tdr);

	tdht_vcpu(t, tdr, 0x80001234);
	tdht_expect(t, tdh_vp_init(tdvpr, 0, 0x80001234), TDX_X2APIC_ID_NOT_UNIQUE | 0x80001234);
	tdht_expect(t, tdh_vp_init(tdvpr, 0, 0x80001235), TDX_SUCCESS);
}

static void vp_init_needs_all_the_pages(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), tdvpr = tdht_page(t);

	tdht_assert_ok(t, tdh_vp_create(tdr, tdvpr));
	tdht_expect(t, tdx_status_code(tdh_vp_init(tdvpr, 0, 0)), TDX_TDCX_NUM_INCORRECT);
}

static void vp_flush_dissociates_the_vcpu(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t tdvpr = tdht_vcpu(t, tdr, 0);

	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).num_assoc, 1);
	tdht_expect(t, tdh_vp_flush(tdvpr), TDX_SUCCESS);
	KUNIT_EXPECT_TRUE(test, no_cpu_has(tdht_vcpu_info(t, tdvpr)));
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).num_assoc, 0);
	tdht_expect(t, tdx_status_code(tdh_vp_flush(tdvpr)), TDX_VCPU_NOT_ASSOCIATED);
}

static void vp_rd_reads_the_field_of_the_vcpu(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t first = tdht_vcpu(t, tdr, 0), second = tdht_vcpu(t, tdr, 1);
	u64 val = 0x5a5a;

	tdht_expect(t, tdh_vp_rd(first, VCPU_INDEX, &val), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, val, 0);
	tdht_expect(t, tdh_vp_rd(second, VCPU_INDEX, &val), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, val, 1);

	val = 0x5a5a;
	tdht_expect(t, tdx_status_code(tdh_vp_rd(first, NO_SUCH_FIELD, &val)),
		    TDX_METADATA_FIELD_ID_INCORRECT);
	KUNIT_EXPECT_EQ(test, val, 0);
}

static void vp_rd_associates_even_if_it_fails(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t tdvpr = tdht_vcpu(t, tdr, 0);
	u64 val;

	tdht_assert_ok(t, tdh_vp_flush(tdvpr));
	tdht_expect(t, tdx_status_code(tdh_vp_rd(tdvpr, NO_SUCH_FIELD, &val)),
		    TDX_METADATA_FIELD_ID_INCORRECT);
	KUNIT_EXPECT_FALSE(test, no_cpu_has(tdht_vcpu_info(t, tdvpr)));
}

static void vp_wr_writes_under_the_mask(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t tdvpr = tdht_vcpu(t, tdr, 0);
	u64 old = 0x5a5a, val;

	tdht_expect(t, tdh_vp_wr(tdvpr, VCPU_PEND_NMI, 1, 1, &old), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_TRUE(test, tdht_vcpu_info(t, tdvpr).pend_nmi);

	tdht_assert_ok(t, tdh_vp_wr(tdvpr, VCPU_POSTED_INTR_NV, 0x5a, 0xffff, &old));
	tdht_expect(t, tdh_vp_wr(tdvpr, VCPU_POSTED_INTR_NV, 0xf3, 0x0f, &old), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, old, 0x5a);
	tdht_assert_ok(t, tdh_vp_rd(tdvpr, VCPU_POSTED_INTR_NV, &val));
	KUNIT_EXPECT_EQ(test, val, 0x53);

	old = 0x5a5a;
	tdht_expect(t, tdx_status_code(tdh_vp_wr(tdvpr, VCPU_INDEX, 1, ~0ULL, &old)),
		    TDX_METADATA_FIELD_NOT_WRITABLE);
	KUNIT_EXPECT_EQ(test, old, 0);
}

/* ---- entropy ---- */

static void want_of_entropy_is_retried(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_page(t);
	int hkid = tdht_hkid(t);
	u64 calls = tdx_sw_count(TDH_MNG_CREATE, NULL);

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MNG_CREATE, 1, 4, TDX_RND_NO_ENTROPY), 0);
	tdht_expect(t, tdh_mng_create(tdr, hkid), TDX_SUCCESS);
	t->tds[0].tdr = tdr;
	KUNIT_EXPECT_EQ(test, tdx_sw_count(TDH_MNG_CREATE, NULL) - calls, 5);
}

static void lasting_want_of_entropy_is_reported(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	u64 calls = tdx_sw_count(TDH_MNG_RD, NULL), val;

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MNG_RD, 1, 100, TDX_RND_NO_ENTROPY), 0);
	tdht_expect(t, tdh_mng_rd(tdr, TD_MAX_VCPUS, &val), TDX_RND_NO_ENTROPY);
	KUNIT_EXPECT_EQ(test, tdx_sw_count(TDH_MNG_RD, NULL) - calls, 10);
	KUNIT_EXPECT_EQ(test, tdx_sw_inject_clear(), 1);
	tdht_expect(t, tdh_mng_rd(tdr, TD_MAX_VCPUS, &val), TDX_SUCCESS);
}

static void busy_is_not_retried(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	const u64 busy = TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX;
	u64 val;

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_MNG_RD, 1, 1, busy), 0);
	tdht_expect(t, tdh_mng_rd(tdr, TD_MAX_VCPUS, &val), busy);
	KUNIT_EXPECT_EQ(test, tdx_sw_inject_clear(), 0);
	tdht_expect(t, tdh_mng_rd(tdr, TD_MAX_VCPUS, &val), TDX_SUCCESS);
}

static struct kunit_case tdh_tests[] = {
	KUNIT_CASE(mng_create_makes_a_tdr_with_the_key_id),
	KUNIT_CASE(mng_create_is_refused_a_bad_page_or_key_id),
	KUNIT_CASE(mng_key_config_configures_the_key),
	KUNIT_CASE(mng_addcx_gives_the_page_to_the_td),
	KUNIT_CASE(mng_init_configures_the_td),
	KUNIT_CASE(mng_init_tells_the_cpuid_leaf_at_fault),
	KUNIT_CASE(mng_init_names_the_operand_at_fault),
	KUNIT_CASE(mng_rd_reads_the_field_of_the_td),
	KUNIT_CASE(vpflushdone_needs_flushed_vcpus),
	KUNIT_CASE(key_freeid_needs_the_caches_written_back),
	KUNIT_CASE(vp_create_gives_the_page_to_the_td),
	KUNIT_CASE(vp_addcx_gives_the_page_to_the_vcpu),
	KUNIT_CASE(vp_init_readies_the_vcpu_on_this_cpu),
	KUNIT_CASE(vp_init_passes_the_x2apic_id),
	KUNIT_CASE(vp_init_needs_all_the_pages),
	KUNIT_CASE(vp_flush_dissociates_the_vcpu),
	KUNIT_CASE(vp_rd_reads_the_field_of_the_vcpu),
	KUNIT_CASE(vp_rd_associates_even_if_it_fails),
	KUNIT_CASE(vp_wr_writes_under_the_mask),
	KUNIT_CASE(want_of_entropy_is_retried),
	KUNIT_CASE(lasting_want_of_entropy_is_reported),
	KUNIT_CASE(busy_is_not_retried),
	{}
};

static struct kunit_suite tdh_suite = {
	.name = "tdx_tdh",
	.suite_init = tdht_suite_init,
	.init = tdht_init,
	.exit = tdht_exit,
	.test_cases = tdh_tests,
};

kunit_test_suite(tdh_suite);

MODULE_DESCRIPTION("KUnit tests of the wrappers of TDX leaves for TDs and vCPUs");
MODULE_LICENSE("GPL");
