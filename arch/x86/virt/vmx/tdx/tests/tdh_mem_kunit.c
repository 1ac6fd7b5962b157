// SPDX-License-Identifier: GPL-2.0
/*
 * Wrappers of the leaves for memory, measurement and physical pages: each
 * argument reaches the register where the module looks for it, each output
 * comes back.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/string.h>

#include <asm/processor.h>

#include "tdh_fixture.h"

#define RCX	TDX_OPERAND_ID_RCX
#define RDX	TDX_OPERAND_ID_RDX
#define R8	TDX_OPERAND_ID_R8
#define R9	TDX_OPERAND_ID_R9

/* Output that no leaf leaves as it is */
#define JUNK	((struct tdh_sept_info){ 0x5a5a5a5a5a5a5a5aULL, 0xa5a5a5a5a5a5a5a5ULL })

static void expect_info(struct tdht *t, const struct tdh_sept_info *info,
			int level, u8 state)
{
	KUNIT_EXPECT_EQ(t->test, info->state, TDHT_SEPT_STATE(level, state));
	KUNIT_EXPECT_EQ(t->test, tdh_sept_info_level(info), level);
	KUNIT_EXPECT_EQ(t->test, tdh_sept_info_state(info), state);
}

/* ---- tables ---- */

static void sept_add_links_the_page_at_its_level(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page = tdht_page(t);
	struct tdh_sept_info info = JUNK;

	tdht_expect(t, tdh_mem_sept_add(tdr, 0, 3, page, &info), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, info.entry, 0);
	KUNIT_EXPECT_EQ(test, info.state, 0);
	tdht_expect_page(t, page, PT_EPT, tdr);
	tdht_expect_sept(t, tdr, 0, 3, SEPT_NL_MAPPED, page);
}

static void sept_add_tells_what_is_there(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page = tdht_page(t);
	struct tdh_sept_info info = JUNK;

	tdht_expect(t, tdh_mem_sept_add(tdr, TDHT_GPA, 2, page, &info),
		    TDX_EPT_WALK_FAILED | RCX);
	expect_info(t, &info, 3, SEPT_FREE);

	tdht_tables(t, tdr, 1);
	tdht_expect(t, tdh_mem_sept_add(tdr, TDHT_GPA, 2, page, &info),
		    TDX_EPT_ENTRY_STATE_INCORRECT | RCX);
	expect_info(t, &info, 2, SEPT_NL_MAPPED);
	tdht_expect_page(t, page, PT_NDA, 0);
}

static void sept_add_is_refused_bad_operands(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page = tdht_page(t);
	struct tdh_sept_info info;

	tdht_expect(t, tdh_mem_sept_add(tdr, SZ_4K, 3, page, &info), TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mem_sept_add(tdr, 0, 0, page, &info), TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mem_sept_add(page, 0, 3, page, &info),
		    TDX_PAGE_METADATA_INCORRECT | RDX);
	/* The call itself shares the TDR. */
	tdht_expect(t, tdh_mem_sept_add(tdr, 0, 3, tdr, &info), TDX_OPERAND_BUSY | R8);
	tdht_assert_ok(t, tdh_mem_sept_add(tdr, 0, 3, page, &info));
	tdht_expect(t, tdh_mem_sept_add(tdr, 0, 2, page, &info),
		    TDX_PAGE_METADATA_INCORRECT | R8);
}

static void sept_rd_shows_each_entry(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page;
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 0);
	page = tdht_add(t, tdr, TDHT_GPA);

	tdht_expect(t, tdh_mem_sept_rd(tdr, TDHT_GPA, 0, &info), TDX_SUCCESS);
	expect_info(t, &info, 0, SEPT_MAPPED);
	KUNIT_EXPECT_EQ(test, info.entry & GENMASK_ULL(51, 12), page);

	tdht_expect(t, tdh_mem_sept_rd(tdr, TDHT_GPA, 1, &info), TDX_SUCCESS);
	expect_info(t, &info, 1, SEPT_NL_MAPPED);

	tdht_expect(t, tdh_mem_sept_rd(tdr, TDHT_GPA + SZ_4K, 0, &info), TDX_SUCCESS);
	expect_info(t, &info, 0, SEPT_FREE);
	KUNIT_EXPECT_EQ(test, info.entry, BIT_ULL(63));

	tdht_expect(t, tdh_mem_sept_rd(tdr, 0, 0, &info), TDX_EPT_WALK_FAILED | RCX);
	expect_info(t, &info, 2, SEPT_FREE);
}

/* ---- pages ---- */

static void page_add_copies_the_source(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t page = tdht_page(t), source = tdht_page(t);
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 0);
	memset(phys_to_virt(page), 0, PAGE_SIZE);
	memset(phys_to_virt(source), 0x42, PAGE_SIZE);
	tdht_expect(t, tdh_mem_page_add(tdr, TDHT_GPA, page, source, &info), TDX_SUCCESS);
	tdht_expect_page(t, page, PT_REG, tdr);
	tdht_expect_page(t, source, PT_NDA, 0);
	tdht_expect_sept(t, tdr, TDHT_GPA, 0, SEPT_MAPPED, page);
	/* The software module does not encrypt. */
	KUNIT_EXPECT_NULL(test, memchr_inv(phys_to_virt(page), 0x42, PAGE_SIZE));
}

static void page_add_is_refused_bad_operands(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t page = tdht_page(t), source = tdht_page(t), table;
	struct tdh_sept_info info = JUNK;

	tdht_expect(t, tdh_mem_page_add(tdr, TDHT_GPA, page, source, &info),
		    TDX_EPT_WALK_FAILED | RCX);
	expect_info(t, &info, 3, SEPT_FREE);

	table = tdht_tables(t, tdr, 0);
	tdht_expect(t, tdh_mem_page_add(tdr, TDHT_GPA, page, source + 64, &info),
		    TDX_OPERAND_INVALID | R9);
	tdht_expect(t, tdh_mem_page_add(tdr, TDHT_GPA, table, source, &info),
		    TDX_PAGE_METADATA_INCORRECT | R8);
	tdht_expect(t, tdh_mem_page_add(source, TDHT_GPA, page, source, &info),
		    TDX_PAGE_METADATA_INCORRECT | RDX);

	tdht_assert_ok(t, tdh_mem_page_add(tdr, TDHT_GPA, page, source, &info));
	tdht_expect(t, tdh_mem_page_add(tdr, TDHT_GPA, source, source, &info),
		    TDX_EPT_ENTRY_STATE_INCORRECT | RCX);
	expect_info(t, &info, 0, SEPT_MAPPED);
	KUNIT_EXPECT_EQ(test, info.entry & GENMASK_ULL(51, 12), page);
}

static void page_aug_maps_a_pending_page(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_RUNNABLE), page = tdht_page(t);
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 0);
	tdht_expect(t, tdh_mem_page_aug(tdr, TDHT_GPA + SZ_8K, 0, page, &info), TDX_SUCCESS);
	tdht_expect_page(t, page, PT_REG, tdr);
	tdht_expect_sept(t, tdr, TDHT_GPA + SZ_8K, 0, SEPT_PENDING, page);

	tdht_expect(t, tdh_mem_page_aug(tdr, TDHT_GPA + SZ_4K, 0, page, &info),
		    TDX_PAGE_METADATA_INCORRECT | R8);
	tdht_expect(t, tdh_mem_page_aug(tdr, TDHT_GPA + SZ_8K, 0, tdht_page(t), &info),
		    TDX_EPT_ENTRY_STATE_INCORRECT | RCX);
	expect_info(t, &info, 0, SEPT_PENDING);
}

static void page_aug_and_remove_pass_the_level(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page = tdht_pages(t, 9);
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 1);
	tdht_expect(t, tdh_mem_page_aug(tdr, TDHT_GPA, 2, page, &info),
		    TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mem_page_aug(tdr, TDHT_GPA, 1, page, &info), TDX_SUCCESS);
	tdht_expect_sept(t, tdr, TDHT_GPA, 1, SEPT_PENDING, page);

	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA, 0, &info),
		    TDX_EPT_WALK_FAILED | RCX);
	expect_info(t, &info, 1, SEPT_PENDING);
	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA + SZ_4K, 1, &info),
		    TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA, 1, &info), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, info.entry, page);
	tdht_expect_sept(t, tdr, TDHT_GPA, 1, SEPT_FREE, 0);
	tdht_expect_page(t, page, PT_NDA, 0);
}

static void page_remove_returns_the_page(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), first, second;
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 0);
	first = tdht_add(t, tdr, TDHT_GPA);
	second = tdht_add(t, tdr, TDHT_GPA + SZ_4K);

	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA + SZ_4K, 0, &info), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, info.entry, second);
	tdht_expect_page(t, second, PT_NDA, 0);
	tdht_expect_page(t, first, PT_REG, tdr);
	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA + SZ_4K, 0, &info),
		    TDX_EPT_ENTRY_STATE_INCORRECT | RCX);
	expect_info(t, &info, 0, SEPT_FREE);
}

static void page_demote_splits_the_page(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	phys_addr_t page = tdht_pages(t, 9), table = tdht_page(t);
	struct tdh_sept_info info = JUNK;
	u64 gpa;

	tdht_tables(t, tdr, 1);
	tdht_assert_ok(t, tdh_mem_page_aug(tdr, TDHT_GPA, 1, page, &info));

	info = JUNK;
	tdht_expect(t, tdh_mem_page_demote(tdr, TDHT_GPA, 0, table, &info),
		    TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mem_page_demote(tdr, TDHT_GPA, 1, table + 64, &info),
		    TDX_OPERAND_INVALID | R8);
	tdht_expect(t, tdh_mem_page_demote(table, TDHT_GPA, 1, table, &info),
		    TDX_PAGE_METADATA_INCORRECT | RDX);
	KUNIT_EXPECT_EQ(test, info.entry, 0);
	KUNIT_EXPECT_EQ(test, info.state, 0);

	tdht_expect(t, tdh_mem_page_demote(tdr, TDHT_GPA, 1, table, &info), TDX_SUCCESS);
	tdht_expect_page(t, table, PT_EPT, tdr);
	tdht_expect_page(t, page + SZ_4K, PT_REG, tdr);
	tdht_expect_sept(t, tdr, TDHT_GPA, 1, SEPT_NL_MAPPED, table);
	tdht_expect_sept(t, tdr, TDHT_GPA + SZ_4K, 0, SEPT_PENDING, page + SZ_4K);

	tdht_expect(t, tdh_mem_page_demote(tdr, TDHT_GPA, 1, tdht_page(t), &info),
		    TDX_EPT_ENTRY_STATE_INCORRECT | RCX);
	expect_info(t, &info, 1, SEPT_NL_MAPPED);

	/* The fixture knows nothing of the parts. */
	for (gpa = TDHT_GPA; gpa < TDHT_GPA + SZ_2M; gpa += SZ_4K)
		tdht_assert_ok(t, tdh_mem_page_remove(tdr, gpa, 0, &info));
}

static void sept_remove_returns_the_table(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), table;
	struct tdh_sept_info info = JUNK;

	table = tdht_tables(t, tdr, 0);
	tdht_add(t, tdr, TDHT_GPA);

	tdht_expect(t, tdh_mem_sept_remove(tdr, TDHT_GPA, 0, &info), TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mem_sept_remove(tdr, TDHT_GPA, 1, &info),
		    TDX_EPT_PAGE_NOT_FREE | RCX);
	expect_info(t, &info, 1, SEPT_NL_MAPPED);
	tdht_assert_ok(t, tdh_mem_page_remove(tdr, TDHT_GPA, 0, &info));

	tdht_expect(t, tdh_mem_sept_remove(tdr, TDHT_GPA, 1, &info), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, info.entry, table);
	tdht_expect_page(t, table, PT_NDA, 0);
	tdht_expect_sept(t, tdr, TDHT_GPA, 1, SEPT_FREE, 0);
}

/* ---- blocking and tracking ---- */

static void block_track_remove_is_the_order_in_a_running_td(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_RUNNABLE), page;
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 0);
	page = tdht_aug(t, tdr, TDHT_GPA);

	/* Not blocked is a state that the entry may not have. */
	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA, 0, &info),
		    TDX_GPA_RANGE_NOT_BLOCKED | RCX);
	expect_info(t, &info, 0, SEPT_PENDING);

	tdht_expect(t, tdh_mem_range_block(tdr, TDHT_GPA, 0, &info), TDX_SUCCESS);
	tdht_expect_sept(t, tdr, TDHT_GPA, 0, SEPT_PENDING_BLOCKED, page);

	info = JUNK;
	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA, 0, &info),
		    TDX_TLB_TRACKING_NOT_DONE | RCX);
	KUNIT_EXPECT_EQ(test, info.entry, 0);
	KUNIT_EXPECT_EQ(test, info.state, 0);

	tdht_expect(t, tdh_mem_track(tdr), TDX_SUCCESS);
	tdht_expect(t, tdh_mem_page_remove(tdr, TDHT_GPA, 0, &info), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, info.entry, page);
}

static void block_of_a_blocked_range_is_information(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_RUNNABLE);
	struct tdh_sept_info info;
	u64 status;

	tdht_tables(t, tdr, 0);
	tdht_assert_ok(t, tdh_mem_range_block(tdr, TDHT_GPA, 1, &info));
	info = JUNK;
	status = tdh_mem_range_block(tdr, TDHT_GPA, 1, &info);
	tdht_expect(t, status, TDX_GPA_RANGE_ALREADY_BLOCKED | RCX);
	KUNIT_EXPECT_TRUE(test, tdx_status_is_info(status));
	expect_info(t, &info, 1, SEPT_NL_BLOCKED);
}

static void track_begins_an_epoch(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_RUNNABLE);
	u64 epoch = tdht_td_info(t, tdr).epoch;

	tdht_expect(t, tdh_mem_track(tdr), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).epoch, epoch + 1);
	tdht_expect(t, tdh_mem_track(tdht_page(t)), TDX_PAGE_METADATA_INCORRECT | RCX);
}

static void track_waits_for_vcpus_of_the_last_epoch(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_RUNNABLE);
	u64 status;

	tdht_assert_ok(t, tdx_sw_test_vcpu_enter(t->vcpus[0]));
	tdht_expect(t, tdh_mem_track(tdr), TDX_SUCCESS);
	status = tdh_mem_track(tdr);
	KUNIT_EXPECT_EQ(test, tdx_status_code(status), TDX_PREVIOUS_TLB_EPOCH_BUSY);
	KUNIT_EXPECT_TRUE(test, tdx_status_is_busy(status));
	tdx_sw_test_vcpu_exit(t->vcpus[0]);
	tdht_expect(t, tdh_mem_track(tdr), TDX_SUCCESS);
}

/* ---- measurement ---- */

static void mr_extend_measures_mapped_pages_only(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	struct tdh_sept_info info = JUNK;

	tdht_tables(t, tdr, 0);
	tdht_add(t, tdr, TDHT_GPA);
	tdht_expect(t, tdh_mr_extend(tdr, TDHT_GPA + 256, &info), TDX_SUCCESS);
	tdht_expect(t, tdh_mr_extend(tdr, TDHT_GPA + 128, &info), TDX_OPERAND_INVALID | RCX);
	tdht_expect(t, tdh_mr_extend(tdr, TDHT_GPA + SZ_4K, &info),
		    TDX_EPT_ENTRY_NOT_PRESENT | RCX);
	expect_info(t, &info, 0, SEPT_FREE);
	tdht_expect(t, tdh_mr_extend(tdht_page(t), TDHT_GPA, &info),
		    TDX_PAGE_METADATA_INCORRECT | RDX);
}

static void mr_finalize_lets_the_td_run(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);

	tdht_expect(t, tdx_status_code(tdh_mr_finalize(tdr)), TDX_NO_VCPUS);
	tdht_vcpu(t, tdr, 0);
	tdht_expect(t, tdh_mr_finalize(tdr), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdht_td_info(t, tdr).op_state, 2);
	tdht_expect(t, tdh_mr_finalize(tdr),
		    TDX_OP_STATE_INCORRECT | tdht_td_info(t, tdr).op_state);
}

/* ---- physical pages ---- */

static void reclaim_needs_the_key_gone(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page;
	struct tdh_page_md md = {};

	tdht_tables(t, tdr, 0);
	page = tdht_add(t, tdr, TDHT_GPA);

	tdht_expect(t, tdx_status_code(tdh_phymem_page_reclaim(page, &md)),
		    TDX_LIFECYCLE_STATE_INCORRECT);
	KUNIT_EXPECT_EQ(test, md.type, PT_REG);
	KUNIT_EXPECT_EQ(test, md.owner, tdr);

	tdht_teardown(t, tdr);
	memset(&md, 0x5a, sizeof(md));
	tdht_expect(t, tdh_phymem_page_reclaim(page, &md), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, md.type, PT_REG);
	KUNIT_EXPECT_EQ(test, md.owner, tdr);
	KUNIT_EXPECT_EQ(test, md.level, 0);
	tdht_expect_page(t, page, PT_NDA, 0);
	tdht_expect(t, tdh_phymem_page_reclaim(page, &md), TDX_PAGE_METADATA_INCORRECT | RCX);
}

static void reclaim_takes_the_tdr_last(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);
	struct tdh_page_md md;

	tdht_teardown(t, tdr);
	tdht_expect(t, tdx_status_code(tdh_phymem_page_reclaim(tdr, &md)),
		    TDX_TD_ASSOCIATED_PAGES_EXIST);
	KUNIT_EXPECT_EQ(test, md.type, PT_TDR);
}

static void wbinvd_takes_free_pages_and_the_key_id(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED), page;
	int hkid = t->tds[0].hkid;
	struct tdh_sept_info info;

	KUNIT_EXPECT_EQ(test, tdx_sw_keyid_shift(), boot_cpu_data.x86_phys_bits);

	tdht_tables(t, tdr, 0);
	page = tdht_add(t, tdr, TDHT_GPA);
	tdht_expect(t, tdh_phymem_page_wbinvd(page, hkid),
		    TDX_PAGE_METADATA_INCORRECT | RCX);
	tdht_assert_ok(t, tdh_mem_page_remove(tdr, TDHT_GPA, 0, &info));
	tdht_expect(t, tdh_phymem_page_wbinvd(page, hkid), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, tdx_sw_last_rcx(TDH_PHYMEM_PAGE_WBINVD),
			page | (u64)hkid << boot_cpu_data.x86_phys_bits);
	tdht_expect(t, tdh_phymem_page_wbinvd(page, tdx_get_global_keyid()), TDX_SUCCESS);
	tdht_expect(t, tdh_phymem_page_wbinvd(page + 64, hkid), TDX_OPERAND_INVALID | RCX);
}

static void cache_wb_has_nothing_to_do_without_a_blocked_td(struct kunit *test)
{
	struct tdht *t = test->priv;

	tdht_expect(t, tdx_status_code(tdh_phymem_cache_wb(false)), TDX_NO_HKID_READY_TO_WBCACHE);
	tdht_expect(t, tdx_status_code(tdh_phymem_cache_wb(true)), TDX_WBCACHE_RESUME_ERROR);
}

static void cache_wb_resumes_after_an_interrupt(struct kunit *test)
{
	struct tdht *t = test->priv;
	phys_addr_t tdr = tdht_td(t, TDHT_INITIALIZED);

	tdht_assert_ok(t, tdh_mng_vpflushdone(tdr));
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_PHYMEM_CACHE_WB, 1, 1,
						TDX_INTERRUPTED_RESUMABLE), 0);
	tdht_expect(t, tdh_phymem_cache_wb(false), TDX_INTERRUPTED_RESUMABLE);
	tdht_expect(t, tdh_phymem_cache_wb(true), TDX_SUCCESS);
}

static struct kunit_case tdh_mem_tests[] = {
	KUNIT_CASE(sept_add_links_the_page_at_its_level),
	KUNIT_CASE(sept_add_tells_what_is_there),
	KUNIT_CASE(sept_add_is_refused_bad_operands),
	KUNIT_CASE(sept_rd_shows_each_entry),
	KUNIT_CASE(page_add_copies_the_source),
	KUNIT_CASE(page_add_is_refused_bad_operands),
	KUNIT_CASE(page_aug_maps_a_pending_page),
	KUNIT_CASE(page_aug_and_remove_pass_the_level),
	KUNIT_CASE(page_remove_returns_the_page),
	KUNIT_CASE(page_demote_splits_the_page),
	KUNIT_CASE(sept_remove_returns_the_table),
	KUNIT_CASE(block_track_remove_is_the_order_in_a_running_td),
	KUNIT_CASE(block_of_a_blocked_range_is_information),
	KUNIT_CASE(track_begins_an_epoch),
	KUNIT_CASE(track_waits_for_vcpus_of_the_last_epoch),
	KUNIT_CASE(mr_extend_measures_mapped_pages_only),
	KUNIT_CASE(mr_finalize_lets_the_td_run),
	KUNIT_CASE(reclaim_needs_the_key_gone),
	KUNIT_CASE(reclaim_takes_the_tdr_last),
	KUNIT_CASE(wbinvd_takes_free_pages_and_the_key_id),
	KUNIT_CASE(cache_wb_has_nothing_to_do_without_a_blocked_td),
	KUNIT_CASE(cache_wb_resumes_after_an_interrupt),
	{}
};

static struct kunit_suite tdh_mem_suite = {
	.name = "tdx_tdh_mem",
	.suite_init = tdht_suite_init,
	.init = tdht_init,
	.exit = tdht_exit,
	.test_cases = tdh_mem_tests,
};

kunit_test_suite(tdh_mem_suite);

MODULE_DESCRIPTION("KUnit tests of the wrappers of TDX leaves for memory");
MODULE_LICENSE("GPL");
