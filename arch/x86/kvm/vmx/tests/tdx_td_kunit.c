// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a TD: what a failing SEAMCALL means for INIT_VM, INIT_VCPU and
 * FINALIZE_VM, and what is lost when the TD can't be taken apart.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <asm/tdx.h>

#include "mmu.h"
#include "../tdx_call.h"
#include "tdx_fixture.h"
#include "x86.h"

#define GFN	TDX_TEST_GFN

static int td_init(struct kunit *test)
{
	tdx_test_create_vm(test);
	return 0;
}

static void inject(struct tdx_test *t, u16 leaf, unsigned int nth, unsigned int times,
		   u64 status)
{
	KUNIT_ASSERT_EQ(t->vm.test, tdx_sw_inject_set(leaf, nth, times, status), 0);
}

/* For the fixture's clean-up. */
static void remember(struct tdx_test *t)
{
	t->tdr = t->kvm_tdx->tdr;
	t->hkid = t->kvm_tdx->hkid;
}

static void expect_uninitialized(struct tdx_test *t)
{
	KUNIT_EXPECT_EQ(t->vm.test, t->kvm_tdx->state, TD_STATE_UNINITIALIZED);
	KUNIT_EXPECT_EQ(t->vm.test, t->kvm_tdx->hkid, TDX_NO_HKID);
	KUNIT_EXPECT_EQ(t->vm.test, t->kvm_tdx->tdr, 0);
	KUNIT_EXPECT_EQ(t->vm.test, t->kvm_tdx->nr_tdcs, 0);
	KUNIT_EXPECT_EQ(t->vm.test, kvm_gfn_direct_bits(t->kvm), 0);
	KUNIT_EXPECT_EQ(t->vm.test, tdx_nr_leaked_pages(), t->old_leaked);
}

static void create_td(struct tdx_test *t)
{
	tdx_test_create_td(t);
	tdx_test_create_vcpus(t);
}

static void every_td_is_without_what_the_host_cannot_do(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	/* For good: KVM_CAP_DISABLE_QUIRKS2 only ever adds to what is disabled. */
	KUNIT_EXPECT_FALSE(test, kvm_check_has_quirk(t->kvm, KVM_X86_QUIRK_IGNORE_GUEST_PAT));
	KUNIT_EXPECT_TRUE(test, t->kvm->arch.has_protected_state);
	KUNIT_EXPECT_TRUE(test, t->kvm->arch.has_protected_eoi);
	KUNIT_EXPECT_TRUE(test, t->kvm->arch.has_protected_pmu);
	KUNIT_EXPECT_EQ(test, t->kvm->arch.cpu_dirty_log_size, 0);
}

/* And MMIO raises #VE: non-present, without suppressing it. */
static void vm_has_no_more_vcpus_than_there_are_cpus(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	t->kvm->max_vcpus = KVM_MAX_VCPUS;
	t->kvm->arch.shadow_mmio_value = BIT_ULL(63);
	KUNIT_EXPECT_EQ(test, tdx_vm_init(t->kvm), 0);
	KUNIT_EXPECT_EQ(test, t->kvm->max_vcpus, num_present_cpus());
	KUNIT_EXPECT_EQ(test, t->kvm->arch.shadow_mmio_value, 0);
	t->kvm->max_vcpus = TDX_TEST_MAX_VCPUS;
}

/* Metadata has room for 7 bits of each: others would be read as somebody else's. */
static void cpuid_is_read_within_7_bits(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, tdx_md_has_cpuid(0x7f, false, 0));
	KUNIT_EXPECT_TRUE(test, tdx_md_has_cpuid(0x8000007f, false, 0));
	KUNIT_EXPECT_TRUE(test, tdx_md_has_cpuid(4, true, 0x7f));

	KUNIT_EXPECT_FALSE(test, tdx_md_has_cpuid(0x80, false, 0));
	KUNIT_EXPECT_FALSE(test, tdx_md_has_cpuid(0x80000080, false, 0));
	KUNIT_EXPECT_FALSE(test, tdx_md_has_cpuid(0x40000000, false, 0));
	KUNIT_EXPECT_FALSE(test, tdx_md_has_cpuid(4, true, 0x80));
	KUNIT_EXPECT_FALSE(test, tdx_md_has_cpuid(4, true, BIT(31)));
}

/*
 * INIT_VM
 */

static const struct creation_fault {
	const char *desc;
	u16 leaf;
	unsigned int nth;
	unsigned int times;
	u64 status;
	int want;
	bool hw_error;
	bool bugged;
} creation_faults[] = {
	{ "create_busy", TDH_MNG_CREATE, 1, 50,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_KOT, 0, false, false },
	{ "key_config_busy", TDH_MNG_KEY_CONFIG, 1, 50,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_KET, 0, false, false },
	{ "key_config_no_key", TDH_MNG_KEY_CONFIG, 1, 9,
	  TDX_KEY_GENERATION_FAILED, 0, false, false },
	{ "addcx_busy", TDH_MNG_ADDCX, 3, 50,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 0, false, false },
	{ "init_busy", TDH_MNG_INIT, 1, 50,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 0, false, false },
	{ "rd_busy", TDH_MNG_RD, 1, 50,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 0, false, false },

	{ "create_no_entropy", TDH_MNG_CREATE, 1, 10,
	  TDX_RND_NO_ENTROPY, -EAGAIN, false, false },
	{ "addcx_no_entropy", TDH_MNG_ADDCX, 6, 10,
	  TDX_RND_NO_ENTROPY, -EAGAIN, false, false },
	{ "key_config_never_a_key", TDH_MNG_KEY_CONFIG, 1, 10,
	  TDX_KEY_GENERATION_FAILED, -EAGAIN, false, false },
	{ "init_invalid", TDH_MNG_INIT, 1, 1,
	  TDX_OPERAND_INVALID | TDX_OPERAND_ID_XFAM, -EINVAL, true, false },

	{ "create_fails", TDH_MNG_CREATE, 1, 1,
	  TDX_HKID_NOT_FREE, -EIO, true, true },
	{ "create_stays_busy", TDH_MNG_CREATE, 1, TDX_MAX_BUSY_RETRIES,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_KOT, -EIO, true, true },
	{ "key_config_fails", TDH_MNG_KEY_CONFIG, 1, 1,
	  TDX_LIFECYCLE_STATE_INCORRECT, -EIO, true, true },
	{ "first_addcx_fails", TDH_MNG_ADDCX, 1, 1,
	  TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX, -EIO, true, true },
	{ "last_addcx_fails", TDH_MNG_ADDCX, 6, 1,
	  TDX_TDCX_NUM_INCORRECT, -EIO, true, true },
	{ "init_fails", TDH_MNG_INIT, 1, 1,
	  TDX_TDCS_NOT_ALLOCATED, -EIO, true, true },
	/* Nothing has come of it, nor of anything else that only reads. */
	{ "rd_fails", TDH_MNG_RD, 1, 1,
	  TDX_METADATA_FIELD_NOT_READABLE, -EIO, false, false },
	{ "rd_stays_busy", TDH_MNG_RD, 2, TDX_MAX_BUSY_RETRIES,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, -EBUSY, false, false },
};

KUNIT_ARRAY_PARAM_DESC(creation_fault, creation_faults, desc);

/* Whatever happens, INIT_VM has done all of it or nothing, and loses no page. */
static void init_vm_is_all_or_nothing(struct kunit *test)
{
	const struct creation_fault *fault = test->param_value;
	struct tdx_test *t = test->priv;
	u64 hw_error;

	inject(t, fault->leaf, fault->nth, fault->times, fault->status);

	KUNIT_EXPECT_EQ(test, tdx_test_init_td(t, &hw_error), fault->want);
	KUNIT_EXPECT_EQ(test, hw_error, fault->hw_error ? fault->status : 0);
	tdx_test_expect_bugged(t, fault->bugged);

	if (fault->want) {
		expect_uninitialized(t);
		/* Legal again, at least as long as the VM isn't dead. */
		KUNIT_EXPECT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	}
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);
	remember(t);
}

static void key_ids_run_out_and_come_back(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u32 nr = 0, total = tdx_get_nr_guest_keyids();
	int hkid, *hkids;
	u64 hw_error;

	hkids = kunit_kcalloc(test, total, sizeof(*hkids), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hkids);
	scoped_guard(cpus_read_lock) {
		while (nr < total && (hkid = tdx_guest_keyid_alloc()) > 0)
			hkids[nr++] = hkid;
	}
	KUNIT_EXPECT_EQ(test, nr, total);

	KUNIT_EXPECT_EQ(test, tdx_test_init_td(t, &hw_error), -ENOSPC);
	expect_uninitialized(t);
	tdx_test_expect_bugged(t, false);

	while (nr)
		tdx_guest_keyid_free(hkids[--nr]);
	KUNIT_EXPECT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	remember(t);
}

/* KVM_TDX_GET_CPUID */
static const struct read_fault {
	const char *desc;
	unsigned int times;
	u64 status;
	int want;
} read_faults[] = {
	{ "fails", 1, TDX_TD_KEYS_NOT_CONFIGURED, -EIO },
	{ "busy", TDX_MAX_BUSY_RETRIES - 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, 0 },
	{ "stays_busy", TDX_MAX_BUSY_RETRIES, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX, -EBUSY },
};

KUNIT_ARRAY_PARAM_DESC(read_fault, read_faults, desc);

static void failed_read_is_an_errno(struct kunit *test)
{
	const struct read_fault *fault = test->param_value;
	struct kvm_cpuid_entry2 *entries;
	struct tdx_test *t = test->priv;
	u64 hw_error;
	int r;

	entries = kunit_kcalloc(test, KVM_MAX_CPUID_ENTRIES, sizeof(*entries), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	KUNIT_ASSERT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	remember(t);

	inject(t, TDH_MNG_RD, 5, fault->times, fault->status);
	r = tdx_read_td_cpuid(t->kvm, entries, KVM_MAX_CPUID_ENTRIES);
	KUNIT_EXPECT_EQ(test, min(r, 0), fault->want);
	tdx_test_expect_bugged(t, false);

	KUNIT_EXPECT_GT(test, tdx_read_td_cpuid(t->kvm, entries, KVM_MAX_CPUID_ENTRIES), 0);
}

/*
 * INIT_VCPU and FINALIZE_VM
 */

static const struct vcpu_fault {
	const char *desc;
	u16 leaf;
	unsigned int nth;
	u64 status;
} vcpu_faults[] = {
	{ "create", TDH_VP_CREATE, 1, TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX },
	{ "first_addcx", TDH_VP_ADDCX, 1, TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX },
	{ "last_addcx", TDH_VP_ADDCX, 5, TDX_TDCX_NUM_INCORRECT },
	{ "init", TDH_VP_INIT, 1, TDX_MAX_VCPUS_EXCEEDED },
	{ "wr", TDH_VP_WR, 2, TDX_METADATA_FIELD_NOT_WRITABLE },
};

KUNIT_ARRAY_PARAM_DESC(vcpu_fault, vcpu_faults, desc);

static void failed_init_vcpu_bugs_the_vm_and_leaks_nothing(struct kunit *test)
{
	const struct vcpu_fault *fault = test->param_value;
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;
	u64 hw_error;

	KUNIT_ASSERT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	remember(t);
	vcpu = tdx_test_create_vcpu(t);
	inject(t, fault->leaf, fault->nth, 1, fault->status);

	KUNIT_EXPECT_EQ(test, tdx_test_init_vcpu(t, vcpu), -EIO);
	KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->state, VCPU_TD_STATE_UNINITIALIZED);
	tdx_test_expect_bugged(t, true);
}

static void busy_init_vcpu_is_repeated(struct kunit *test)
{
	static const u16 leaves[] = {
		TDH_VP_CREATE, TDH_VP_ADDCX, TDH_VP_INIT, TDH_VP_WR,
	};
	struct tdx_test *t = test->priv;
	u64 hw_error;
	int i;

	KUNIT_ASSERT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	remember(t);
	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		inject(t, leaves[i], 1, 30, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TDR);

	KUNIT_EXPECT_EQ(test, tdx_test_init_vcpu(t, tdx_test_create_vcpu(t)), 0);
	tdx_test_expect_bugged(t, false);
}

static void busy_finalize_is_left_to_userspace(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 hw_error = 0;

	create_td(t);
	inject(t, TDH_MR_FINALIZE, 1, 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);

	mutex_lock(&t->kvm->slots_lock);
	KUNIT_EXPECT_EQ(test, tdx_td_finalize(t->kvm, &hw_error), -EBUSY);
	mutex_unlock(&t->kvm->slots_lock);
	KUNIT_EXPECT_EQ(test, hw_error, TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);
	KUNIT_EXPECT_FALSE(test, t->kvm->arch.pre_fault_allowed);
	tdx_test_expect_bugged(t, false);

	KUNIT_EXPECT_EQ(test, tdx_test_finalize(t), 0);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_RUNNABLE);
	KUNIT_EXPECT_TRUE(test, t->kvm->arch.pre_fault_allowed);
}

/* It has looked at the state already, or is going to: the state must not change. */
static void no_command_while_a_vcpu_is_being_created(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM };
	unsigned long addr;

	create_td(t);
	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)addr, &cmd, sizeof(cmd)), 0);

	t->kvm->created_vcpus = t->nr_vcpus + 1;
	KUNIT_EXPECT_EQ(test, tdx_vm_ioctl(t->kvm, (void __user *)addr), -EBUSY);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);

	t->kvm->created_vcpus = t->nr_vcpus;
	KUNIT_EXPECT_EQ(test, tdx_vm_ioctl(t->kvm, (void __user *)addr), 0);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_RUNNABLE);
	tdx_test_expect_bugged(t, false);
}

static void td_without_vcpu_is_not_finalized(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 hw_error = 0;

	KUNIT_ASSERT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	remember(t);

	mutex_lock(&t->kvm->slots_lock);
	KUNIT_EXPECT_EQ(test, tdx_td_finalize(t->kvm, &hw_error), -EIO);
	mutex_unlock(&t->kvm->slots_lock);
	KUNIT_EXPECT_EQ(test, hw_error, TDX_NO_VCPUS);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->state, TD_STATE_INITIALIZED);
	tdx_test_expect_bugged(t, true);
}

/*
 * The end
 */

/* Three private pages, below three tables of their own. */
#define NR_PRIVATE	3

static unsigned int nr_control_pages(void)
{
	const struct tdx_sys_info *info = tdx_get_sys_info();

	return (info->tdcs_base_size + info->tdr_base_size +
		TDX_TEST_MAX_VCPUS * info->tdvps_base_size) / PAGE_SIZE +
	       TDX_TEST_NR_TABLES;
}

static void create_mapped_td(struct tdx_test *t)
{
	create_td(t);
	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_finalize(t), 0);
	tdx_test_map_range(t, GFN, GFN + NR_PRIVATE);
	tdx_test_reset_counts(t);
}

static const struct release_fault {
	const char *desc;
	u16 leaf;
	unsigned int times;
	u64 status;
} release_faults[] = {
	{ "flush", TDH_VP_FLUSH, 1, TDX_TDCX_NUM_INCORRECT },
	{ "flushdone", TDH_MNG_VPFLUSHDONE, 1, TDX_FLUSHVP_NOT_DONE },
	{ "flushdone_stays_busy", TDH_MNG_VPFLUSHDONE, TDX_MAX_BUSY_RETRIES,
	  TDX_OPERAND_BUSY | TDX_OPERAND_ID_KOT },
	{ "cache_wb", TDH_PHYMEM_CACHE_WB, 1, TDX_WBCACHE_RESUME_ERROR },
	{ "freeid", TDH_MNG_KEY_FREEID, 1, TDX_WBCACHE_NOT_COMPLETE },
};

KUNIT_ARRAY_PARAM_DESC(release_fault, release_faults, desc);

/* All that is encrypted with the key stays away from everybody else. */
static void td_that_keeps_its_key_is_leaked_whole(struct kunit *test)
{
	const struct release_fault *fault = test->param_value;
	struct tdx_test *t = test->priv;

	create_mapped_td(t);
	inject(t, fault->leaf, 1, fault->times, fault->status);
	t->want_leaked = nr_control_pages() + NR_PRIVATE;

	tdx_test_destroy(t);

	KUNIT_EXPECT_TRUE(test, t->kvm_tdx->key_leaked);
	KUNIT_EXPECT_EQ(test, t->kvm_tdx->hkid, t->hkid);
	KUNIT_EXPECT_NE(test, tdx_sw_test_kot(t->hkid, NULL), 0);
	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_RECLAIM, 0);
	tdx_test_expect_calls(t, TDH_MEM_PAGE_REMOVE, 0);
	tdx_test_expect_pages(t, 0, 0, t->want_leaked);
	tdx_test_expect_bugged(t, true);
}

static void release_of_the_key_takes_its_time(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	create_mapped_td(t);
	inject(t, TDH_VP_FLUSH, 1, 100, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TDR);
	inject(t, TDH_MNG_VPFLUSHDONE, 1, 100, TDX_OPERAND_BUSY | TDX_OPERAND_ID_KOT);
	/* In the last package: each has a call of its own. */
	inject(t, TDH_PHYMEM_CACHE_WB, topology_max_packages(), 3, TDX_INTERRUPTED_RESUMABLE);
	inject(t, TDH_MNG_KEY_FREEID, 1, 100, TDX_OPERAND_BUSY | TDX_OPERAND_ID_KOT);

	tdx_test_destroy(t);

	/* Resumed, and not begun again. */
	KUNIT_EXPECT_EQ(test, tdx_sw_last_rcx(TDH_PHYMEM_CACHE_WB), 1);
	tdx_test_expect_written_back(t, t->tdr, tdx_get_global_keyid());
	tdx_test_expect_pages(t, 0, NR_PRIVATE, 0);
	tdx_test_expect_bugged(t, false);
}

/*
 * The nth page doesn't come back, and neither does the TDR, which outlives all
 * pages that it owns.
 */
static void unclaimed_page_is_leaked(struct kunit *test, unsigned int nth, u64 status)
{
	struct tdx_test *t = test->priv;
	unsigned int nr;

	create_mapped_td(t);
	nr = nr_control_pages() + NR_PRIVATE;
	KUNIT_ASSERT_LE(test, nth, nr);
	inject(t, TDH_PHYMEM_PAGE_RECLAIM, nth, 1, status);
	t->want_leaked = nth == nr ? 1 : 2;

	tdx_test_destroy(t);

	tdx_test_expect_calls(t, TDH_PHYMEM_PAGE_RECLAIM, nr);
	KUNIT_EXPECT_FALSE(test, t->kvm_tdx->key_leaked);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->kvm->stat.tdx_pages_leaked), t->want_leaked);
	tdx_test_expect_bugged(t, true);
}

static const u64 reclaim_errors[] = {
	TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RCX,
	TDX_LIFECYCLE_STATE_INCORRECT,
	TDX_TD_ASSOCIATED_PAGES_EXIST,
	TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX,
	TDX_OPERAND_ADDR_RANGE_ERROR | TDX_OPERAND_ID_RCX,
	TDX_SYS_SHUTDOWN,
};

/* vCPUs come first: 2 times 6, then the private pages and tables, then the TD's. */
static const struct unclaimed {
	const char *desc;
	unsigned int nth;
} unclaimeds[] = {
	{ "tdcx", 1 }, { "tdvpr", 6 }, { "second_tdvpr", 12 },
	{ "after_vcpus_1", 13 }, { "after_vcpus_2", 14 }, { "after_vcpus_3", 15 },
	{ "after_vcpus_4", 16 }, { "after_vcpus_5", 17 }, { "after_vcpus_6", 18 },
	{ "first_tdcs", 19 }, { "last_tdcs", 24 }, { "tdr", 25 },
};

KUNIT_ARRAY_PARAM_DESC(unclaimed, unclaimeds, desc);

static void page_that_is_not_reclaimed_is_leaked(struct kunit *test)
{
	const struct unclaimed *unclaimed = test->param_value;
	unsigned int i = (unclaimed - unclaimeds) % ARRAY_SIZE(reclaim_errors);

	unclaimed_page_is_leaked(test, unclaimed->nth, reclaim_errors[i]);
}

static void reclaim_waits_for_a_busy_module(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	create_mapped_td(t);
	inject(t, TDH_PHYMEM_PAGE_RECLAIM, 14, TDX_MAX_BUSY_RETRIES - 1,
	       TDX_OPERAND_BUSY | TDX_OPERAND_ID_TDR);

	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, NR_PRIVATE, 0);
	tdx_test_expect_bugged(t, false);
}

static void tdr_that_is_not_written_back_is_leaked(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	create_mapped_td(t);
	inject(t, TDH_PHYMEM_PAGE_WBINVD, 1, 1, TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX);
	t->want_leaked = 1;

	tdx_test_destroy(t);
	tdx_test_expect_pages(t, 0, NR_PRIVATE, 1);
	tdx_test_expect_bugged(t, true);
}

/* What the host may use, but not restore, and what is no use in parts. */
static void xfam_is_what_kvm_can_answer_for(struct kunit *test)
{
	const struct tdx_sys_info info = { .xfam_fixed0 = ~0ULL };
	u64 xcr0 = kvm_host.xcr0, xss = kvm_host.xss;
	const u64 never = TDX_XFAM_LBR | TDX_XFAM_PT;

	kvm_host.xcr0 = ~0ULL;
	kvm_host.xss = ~0ULL;
	KUNIT_EXPECT_EQ(test, tdx_supported_xfam(&info), ~never);

	/* The highest bit of each group is missing: AVX512, CET, AMX. */
	kvm_host.xcr0 = ~(BIT_ULL(7) | BIT_ULL(12) | BIT_ULL(18));
	kvm_host.xss = kvm_host.xcr0;
	KUNIT_EXPECT_EQ(test, tdx_supported_xfam(&info),
			~(never | TDX_XFAM_AVX512 | TDX_XFAM_CET | TDX_XFAM_AMX));

	kvm_host.xcr0 = xcr0;
	kvm_host.xss = xss;
}

/* Whole units, as the TD has them, and no others any more. */
static void vm_has_the_frequency_of_the_td(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	u64 hw_error;

	t->kvm->arch.default_tsc_khz = 999987;
	KUNIT_EXPECT_FALSE(test, t->kvm->arch.has_protected_tsc);
	KUNIT_ASSERT_EQ(test, tdx_test_init_td(t, &hw_error), 0);
	remember(t);
	KUNIT_EXPECT_EQ(test, t->kvm->arch.default_tsc_khz, 1000 * 1000);
	KUNIT_EXPECT_TRUE(test, t->kvm->arch.has_protected_tsc);
}

static struct kunit_case tdx_td_cases[] = {
	KUNIT_CASE(xfam_is_what_kvm_can_answer_for),
	KUNIT_CASE(vm_has_the_frequency_of_the_td),
	KUNIT_CASE(every_td_is_without_what_the_host_cannot_do),
	KUNIT_CASE(vm_has_no_more_vcpus_than_there_are_cpus),
	KUNIT_CASE(cpuid_is_read_within_7_bits),
	KUNIT_CASE_PARAM(init_vm_is_all_or_nothing, creation_fault_gen_params),
	KUNIT_CASE_PARAM(failed_read_is_an_errno, read_fault_gen_params),
	KUNIT_CASE(key_ids_run_out_and_come_back),
	KUNIT_CASE_PARAM(failed_init_vcpu_bugs_the_vm_and_leaks_nothing,
			 vcpu_fault_gen_params),
	KUNIT_CASE(busy_init_vcpu_is_repeated),
	KUNIT_CASE(busy_finalize_is_left_to_userspace),
	KUNIT_CASE(no_command_while_a_vcpu_is_being_created),
	KUNIT_CASE(td_without_vcpu_is_not_finalized),
	KUNIT_CASE_PARAM(td_that_keeps_its_key_is_leaked_whole, release_fault_gen_params),
	KUNIT_CASE(release_of_the_key_takes_its_time),
	KUNIT_CASE_PARAM(page_that_is_not_reclaimed_is_leaked, unclaimed_gen_params),
	KUNIT_CASE(reclaim_waits_for_a_busy_module),
	KUNIT_CASE(tdr_that_is_not_written_back_is_leaked),
	{}
};

static struct kunit_suite tdx_td_suite = {
	.name = "kvm_tdx_td",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = td_init,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_td_cases,
};

kunit_test_suite(tdx_td_suite);
