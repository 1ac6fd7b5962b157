// SPDX-License-Identifier: GPL-2.0
/*
 * The way in: host bring-up against the software module, the dispatcher's own
 * answers, and a TD's life from TDR to TDR with nothing left behind.  And what lies
 * on the way into a TD, piece by piece, where there is no CPU to enter one with.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/tdx.h>

#include "gate/gate.h"
#include "probe/sw_test.h"
#include "run/run.h"

#define NR_PAGES	32

struct fixture {
	u64 pages[NR_PAGES];
	unsigned int used;
	void *params;
};

static void enable_cpu(void *err)
{
	int ret = tdx_cpu_enable();

	if (ret)
		*(int *)err = ret;
}

static int bring_up(void)
{
	int err = 0;

	cpus_read_lock();
	on_each_cpu(enable_cpu, &err, true);
	if (!err)
		err = tdx_enable();
	cpus_read_unlock();
	return err;
}

static int seamcall_suite_init(struct kunit_suite *suite)
{
	if (!tdx_sw_is_on())
		return 0;
	return bring_up();
}

static void free_fixture(void *data)
{
	struct fixture *f = data;
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		if (f->pages[i])
			free_page((unsigned long)phys_to_virt(f->pages[i]));
	}
}

static int seamcall_init(struct kunit *test)
{
	struct fixture *f;
	unsigned int i;

	if (!tdx_sw_is_on())
		kunit_skip(test, "needs tdx_sw=on");

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_fixture, f));
	for (i = 0; i < NR_PAGES; i++) {
		unsigned long page = get_zeroed_page(GFP_KERNEL);

		KUNIT_ASSERT_NE(test, page, 0UL);
		f->pages[i] = virt_to_phys((void *)page);
	}
	test->priv = f;
	return 0;
}

static u64 take(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_LT(test, f->used, (unsigned int)NR_PAGES);
	return f->pages[f->used++];
}

static u64 call(u64 leaf, u64 rcx, u64 rdx, u64 r8, u64 r9)
{
	struct tdx_module_args args = { .rcx = rcx, .rdx = rdx, .r8 = r8, .r9 = r9 };

	return tdx_sw_call(leaf, &args);
}

static void host_bring_up_ends_in_ready(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, SYS_READY, tdx_sw_test_sys_state());
	KUNIT_EXPECT_EQ(test, (unsigned int)HKID_RESERVED,
			tdx_sw_test_kot(tdx_sw_first_keyid(), NULL));
}

static void every_row_is_found_and_complete(struct kunit *test)
{
	unsigned int nr, found = 0;

	for (nr = 0; nr <= SEAM_LEAF_MASK; nr++) {
		const struct tdx_sw_leaf *leaf = tdx_sw_find_leaf(nr);

		if (!leaf)
			continue;
		found++;
		KUNIT_EXPECT_EQ(test, nr, (unsigned int)leaf->nr);
		KUNIT_EXPECT_LT(test, nr, (unsigned int)TDX_SW_NR_LEAVES);
		KUNIT_EXPECT_NOT_NULL(test, leaf->fn);
		KUNIT_EXPECT_NOT_NULL(test, leaf->name);
		/* A state check needs states to check for, and a TD. */
		KUNIT_EXPECT_EQ(test, !!(leaf->flags & LEAF_TD_STATE), !!leaf->op_states);
		KUNIT_EXPECT_TRUE(test, !leaf->op_states || leaf->td != TD_NONE);
		KUNIT_EXPECT_TRUE(test, !leaf->tree_hold || leaf->flags & LEAF_PAGE_INFO);
	}
	/* Rows out of order would hide from the binary search. */
	KUNIT_EXPECT_EQ(test, 48U, found);
}

static void bad_leaves_are_refused(struct kunit *test)
{
	const u64 refused = SEAM_OPERAND_INVALID | OPERAND_RAX;

	KUNIT_EXPECT_EQ(test, refused, call(42, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, refused, call(TDH_MEM_TRACK | 1 << 16, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, refused, call(TDH_VP_INIT | 2 << 16, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, refused, call(TDH_SYS_RD | BIT_ULL(24), 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SEAM_VMFAILINVALID, call(BIT_ULL(63), 0, 0, 0, 0));
}

static void other_registers_are_preserved(struct kunit *test)
{
	struct tdx_module_args args = {
		.rcx = 1, .rdx = ~0ULL, .r8 = 3, .r9 = 4, .r10 = 5, .r11 = 6, .r12 = 7,
		.r13 = 8, .r14 = 9, .r15 = 10, .rbx = 11, .rdi = 12, .rsi = 13,
	};
	struct tdx_module_args want = args;

	want.r8 = 0;
	want.rdx = 0x0800000200000000ULL;
	KUNIT_EXPECT_EQ(test, SEAM_FIRST_FIELD_ID_IN_CONTEXT, tdx_sw_call(TDH_SYS_RD, &args));
	KUNIT_EXPECT_MEMEQ(test, &want, &args, sizeof(args));
}

static void init_params(struct seam_td_params *p)
{
	memset(p, 0, sizeof(*p));
	p->xfam = 3;
	p->max_vcpus = 1;
	p->eptp_controls = 6 | 3 << 3;
	p->tsc_frequency = 40;
}

static u64 make_td(struct kunit *test, u64 hkid)
{
	u64 tdr = take(test), params = take(test);
	unsigned int i, cpu;

	KUNIT_ASSERT_EQ(test, SEAM_SUCCESS, call(TDH_MNG_CREATE, tdr, hkid, 0, 0));
	for_each_online_cpu(cpu) {
		struct tdx_module_args args = { .rcx = tdr };
		u64 status = tdx_sw_test_call_on(cpu, TDH_MNG_KEY_CONFIG, &args);

		/* The key is complete with the last package, whichever CPU that is. */
		KUNIT_ASSERT_TRUE(test, status == SEAM_SUCCESS ||
				  status == SEAM_LIFECYCLE_STATE_INCORRECT);
	}
	for (i = 0; i < SEAM_TDCS_PAGES; i++)
		KUNIT_ASSERT_EQ(test, SEAM_SUCCESS, call(TDH_MNG_ADDCX, take(test), tdr, 0, 0));
	init_params(phys_to_virt(params));
	KUNIT_ASSERT_EQ(test, SEAM_SUCCESS, call(TDH_MNG_INIT, tdr, params, 0, 0));
	return tdr;
}

static void destroy_td(struct kunit *test, u64 tdr)
{
	struct fixture *f = test->priv;
	struct tdx_sw_page_info info;
	unsigned int i, cpu;
	u64 status;

	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_MNG_VPFLUSHDONE, tdr, 0, 0, 0));
	for_each_online_cpu(cpu) {
		struct tdx_module_args args = {};

		status = tdx_sw_test_call_on(cpu, TDH_PHYMEM_CACHE_WB, &args);
		KUNIT_EXPECT_EQ(test, 0ULL, status & SEAM_ERROR);
	}
	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_MNG_KEY_FREEID, tdr, 0, 0, 0));
	for (i = 0; i < NR_PAGES; i++) {
		if (!tdx_sw_test_page(f->pages[i], &info) && info.type > PT_RSVD &&
		    info.type != PT_TDR)
			KUNIT_EXPECT_EQ(test, SEAM_SUCCESS,
					call(TDH_PHYMEM_PAGE_RECLAIM, f->pages[i], 0, 0, 0));
	}
	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_PHYMEM_PAGE_RECLAIM, tdr, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_PHYMEM_PAGE_WBINVD, tdr, 0, 0, 0));
}

static void add_tables(struct kunit *test, u64 tdr, u64 gpa)
{
	unsigned int level;

	for (level = SEAM_512G; level > SEAM_4K; level--)
		KUNIT_ASSERT_EQ(test, SEAM_SUCCESS,
				call(TDH_MEM_SEPT_ADD, gpa | level, tdr, take(test), 0));
}

static void a_td_comes_and_goes(struct kunit *test)
{
	u64 tdr = make_td(test, tdx_sw_first_keyid() + 1);
	struct fixture *f = test->priv;
	struct tdx_sw_td_info info;
	u64 page, source = take(test);
	struct tdx_sw_sept_info sept;

	add_tables(test, tdr, 0);
	page = take(test);
	memset(phys_to_virt(source), 0x5a, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_MEM_PAGE_ADD, 0x1000, tdr, page, source));
	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_MR_EXTEND, 0x1100, tdr, 0, 0));
	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_MEM_PAGE_AUG, 0x2000, tdr, take(test), 0));
	KUNIT_EXPECT_EQ(test, SEAM_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX,
			call(TDH_MEM_PAGE_AUG, 0x2000, tdr, source, 0));

	KUNIT_EXPECT_EQ(test, 0, tdx_sw_test_sept(tdr, 0x1000, SEAM_4K, &sept));
	KUNIT_EXPECT_EQ(test, page, sept.hpa);
	KUNIT_EXPECT_EQ(test, 0, tdx_sw_test_td(tdr, &info));
	KUNIT_EXPECT_EQ(test, 6ULL + 3 + 2, info.chldcnt);
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_test_check(f->pages, NR_PAGES));

	destroy_td(test, tdr);
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_test_check(f->pages, NR_PAGES));
	KUNIT_EXPECT_EQ(test, (unsigned int)HKID_FREE,
			tdx_sw_test_kot(tdx_sw_first_keyid() + 1, NULL));
}

static void refusals_leave_no_trace(struct kunit *test)
{
	u64 tdr = make_td(test, tdx_sw_first_keyid() + 1), page = take(test);
	struct fixture *f = test->priv;
	struct tdx_sw_snapshot *before, *after;
	char buf[256];

	before = tdx_sw_snapshot_take(f->pages, NR_PAGES);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, before);
	KUNIT_EXPECT_EQ(test, SEAM_EPT_WALK_FAILED | OPERAND_RCX,
			call(TDH_MEM_PAGE_AUG, 0x2000, tdr, page, 0));
	KUNIT_EXPECT_EQ(test, SEAM_NO_VCPUS, call(TDH_MR_FINALIZE, tdr, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, tdx_sw_inject_set(TDH_MEM_SEPT_ADD, 1, 1,
						   SEAM_OPERAND_BUSY | OPERAND_SEPT_TREE));
	KUNIT_EXPECT_EQ(test, SEAM_OPERAND_BUSY | OPERAND_SEPT_TREE,
			call(TDH_MEM_SEPT_ADD, SEAM_512G, tdr, page, 0));
	KUNIT_EXPECT_EQ(test, 0U, tdx_sw_inject_clear());
	after = tdx_sw_snapshot_take(f->pages, NR_PAGES);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, after);
	KUNIT_EXPECT_EQ_MSG(test, 0U, tdx_sw_snapshot_diff(before, after, buf, sizeof(buf)),
			    "%s", buf);

	KUNIT_EXPECT_EQ(test, SEAM_SUCCESS, call(TDH_MEM_SEPT_ADD, SEAM_512G, tdr, page, 0));
	tdx_sw_snapshot_free(after);
	after = tdx_sw_snapshot_take(f->pages, NR_PAGES);
	/* TDR, S-EPT root, and the table with its metadata. */
	KUNIT_EXPECT_EQ(test, 4U, tdx_sw_snapshot_diff(before, after, NULL, 0));
	tdx_sw_snapshot_free(after);
	tdx_sw_snapshot_free(before);

	destroy_td(test, tdr);
}

/* ---- on the way into a TD ---- */

/* As much of a TD and its vCPU as entry looks at; none of it is the module's. */
struct entrance {
	struct tdx_sw_call c;
	struct tdx_sw_tdcs *tdcs;
	u64 *private;
	u64 *shared;
	u64 *root;
};

static struct entrance *new_entrance(struct kunit *test)
{
	struct entrance *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	u64 private = take(test), shared = take(test), root = take(test);

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->private = phys_to_virt(private);
	e->shared = phys_to_virt(shared);
	e->root = phys_to_virt(root);
	e->tdcs = phys_to_virt(take(test));
	e->c.tdcs = e->tdcs;
	e->c.tdr = phys_to_virt(take(test));
	e->c.tdr->tdcx_pa[TDCX_SEPT_ROOT] = private;
	e->c.vcpu = phys_to_virt(take(test));
	e->c.vcpu->page_pa[TDVPS_EPT_ROOT] = root;
	e->c.vcpu->shared_eptp = shared;
	return e;
}

/* Half of what the width of the TD's addresses reaches is shared. */
static void root_has_a_private_and_a_shared_half(struct kunit *test)
{
	unsigned int i, half = 1U << (tdx_sw_gpa_width() - 1 - 39);
	struct entrance *e = new_entrance(test);

	for (i = 0; i < 2 * half; i++) {
		e->private[i] = (2 * i + 1) * PAGE_SIZE | SEPT_RWX;
		e->shared[i] = (2 * i + 2) * PAGE_SIZE | SEPT_RWX;
	}
	eptroot_fill(&e->c);
	for (i = 0; i < 2 * half; i++)
		KUNIT_EXPECT_EQ_MSG(test, i < half ? e->private[i] : e->shared[i], e->root[i],
				    "entry %u", i);
	/* Nothing was there before that the CPU could remember. */
	KUNIT_EXPECT_FALSE(test, e->c.vcpu->flush);

	eptroot_fill(&e->c);
	KUNIT_EXPECT_FALSE(test, e->c.vcpu->flush);
	e->shared[half] = 0;
	eptroot_fill(&e->c);
	KUNIT_EXPECT_EQ(test, 0ULL, e->root[half]);
	KUNIT_EXPECT_TRUE(test, e->c.vcpu->flush);
	e->c.vcpu->flush = false;
	e->private[half - 1] = SEPT_ENTRY_FREE;
	eptroot_fill(&e->c);
	KUNIT_EXPECT_EQ(test, SEPT_ENTRY_FREE, e->root[half - 1]);
	KUNIT_EXPECT_TRUE(test, e->c.vcpu->flush);

	/* Tables that are nowhere map nothing. */
	e->c.vcpu->shared_eptp = GENMASK_ULL(45, 12);
	eptroot_fill(&e->c);
	for (i = half; i < 2 * half; i++)
		KUNIT_EXPECT_EQ(test, 0ULL, e->root[i] & SEPT_RWX);
}

/* What speaks against the #VE of a step that the guest wants to hear of */
enum silence {
	NOTHING_RECORDED, NOT_WANTED, OTHER_EXIT, NMI_BLOCKED, EVENT_WAITS, VE_UNREAD,
	NO_SILENCE,
};

static void end_fake_vmcs(void *data)
{
	tdx_sw_test_fake_vmcs(NULL);
}

static void guest_hears_of_steps_when_it_can(struct kunit *test)
{
	struct tdx_sw_fake_vmcs *vmcs = kunit_kzalloc(test, sizeof(*vmcs), GFP_KERNEL);
	struct fixture *f = test->priv;
	enum silence why;

	KUNIT_ASSERT_NOT_NULL(test, vmcs);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_fake_vmcs, NULL));
	vmcs->nr = 1;
	vmcs->field[0].field = GUEST_INTERRUPTIBILITY_INFO;
	tdx_sw_test_fake_vmcs(vmcs);
	for (why = 0; why <= NO_SILENCE; why++) {
		struct tdx_sw_vcpu *vcpu;
		struct entrance *e;
		u32 before;

		/* The same pages again */
		f->used = 0;
		e = new_entrance(test);
		vcpu = e->c.vcpu;
		memset(vcpu, 0, sizeof(*vcpu));
		vcpu->zerostep.nr = why != NOTHING_RECORDED;
		vcpu->zerostep.last_was_violation = why != OTHER_EXIT;
		vcpu->zerostep.last.reason = EXIT_REASON_EPT_VIOLATION;
		vcpu->zerostep.last.gpa = 0x5000;
		e->tdcs->notify_enables = why != NOT_WANTED;
		vmcs->field[0].value = why == NMI_BLOCKED ? GUEST_INTR_STATE_NMI : 0;
		vcpu->guest.event.info = why == EVENT_WAITS ? INTR_INFO_VALID_MASK : 0;
		vcpu->guest.ve.valid = why == VE_UNREAD;
		before = vcpu->guest.event.info;

		zerostep_notify(&e->c);
		if (why != NO_SILENCE) {
			KUNIT_EXPECT_EQ_MSG(test, before, vcpu->guest.event.info, "%d", why);
			continue;
		}
		KUNIT_EXPECT_EQ(test, INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | 20,
				vcpu->guest.event.info);
		KUNIT_EXPECT_EQ(test, (u32)EXIT_REASON_EPT_VIOLATION, vcpu->guest.ve.reason);
		KUNIT_EXPECT_EQ(test, 0x5000ULL, vcpu->guest.ve.gpa);
	}
}

static struct kunit_case seamcall_cases[] = {
	KUNIT_CASE(host_bring_up_ends_in_ready),
	KUNIT_CASE(every_row_is_found_and_complete),
	KUNIT_CASE(bad_leaves_are_refused),
	KUNIT_CASE(other_registers_are_preserved),
	KUNIT_CASE(a_td_comes_and_goes),
	KUNIT_CASE(refusals_leave_no_trace),
	KUNIT_CASE(root_has_a_private_and_a_shared_half),
	KUNIT_CASE(guest_hears_of_steps_when_it_can),
	{}
};

static struct kunit_suite seamcall_suite = {
	.name = "tdx_sw_seamcall",
	.suite_init = seamcall_suite_init,
	.init = seamcall_init,
	.test_cases = seamcall_cases,
};

kunit_test_suite(seamcall_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module's dispatcher");
MODULE_LICENSE("GPL");
