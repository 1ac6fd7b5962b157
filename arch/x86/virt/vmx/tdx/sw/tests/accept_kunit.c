// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.MEM.PAGE.ACCEPT, .ATTR.RD and .ATTR.WR on every state of an S-EPT entry, at
 * both levels, against the host, and with the host's priority.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "guest.h"

/* Entries as they are stored */
#define RAW_FREE		0x80e0000000000000ULL
#define RAW_LEAF		(BIT_ULL(63) | BIT_ULL(7) | BIT_ULL(6) | 6ULL << 3)
#define RAW_BLOCKED		BIT_ULL(55)
#define RAW_PENDING		BIT_ULL(56)
#define RAW_RWX			7ULL
#define RAW_HOST_PRIORITY	BIT_ULL(52)
#define RAW_LOCK		BIT_ULL(11)

#define LEVEL_4K	0
#define LEVEL_2M	1
#define LEVEL_1G	2

/* Where entries are put; the tables above are the TD's own. */
#define PLAY_4K		0x20000ULL
#define PLAY_2M		(4ULL * SZ_2M)

static u64 raw(u8 state, u64 hpa)
{
	switch (state) {
	case SE_MAPPED:
		return RAW_LEAF | RAW_RWX | hpa;
	case SE_BLOCKED:
		return RAW_LEAF | RAW_BLOCKED | hpa;
	case SE_PENDING:
		return RAW_LEAF | RAW_PENDING | hpa;
	case SE_PENDING_BLOCKED:
		return RAW_LEAF | RAW_PENDING | RAW_BLOCKED | hpa;
	case SE_NL_MAPPED:
		return BIT_ULL(63) | RAW_RWX | hpa;
	case SE_NL_BLOCKED:
		return BIT_ULL(63) | RAW_BLOCKED | hpa;
	default:
		return RAW_FREE;
	}
}

static void put_entry(struct swg *s, u64 gpa, unsigned int level, u64 val)
{
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_set_sept(s->td.tdr, gpa, level, val));
}

static struct tdx_sw_sept_info entry_at(struct swg *s, u64 gpa, unsigned int level)
{
	struct tdx_sw_sept_info info = {};

	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_sept(s->td.tdr, gpa, level, &info));
	return info;
}

static bool is_cleared(u64 pa)
{
	return !memchr_inv(swt_va(pa), 0, PAGE_SIZE);
}

static u64 accept(struct swg *s, u64 gpa, unsigned int level)
{
	s->g.gpr[G_RCX] = gpa | level;
	return swg_tdcall(s, T_ACCEPT);
}

/* An EPT violation of the host's to deal with, and the TDCALL still to come. */
static void expect_violation(struct swg *s, u64 gpa, u64 qual, u64 ext, const char *what)
{
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->x.regs.rcx, qual, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->x.regs.rdx, ext, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->x.regs.r8, gpa, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->x.regs.r9, 0ULL, "%s", what);
}

static u64 ext_qual(unsigned int type, unsigned int requested, unsigned int found, u8 state)
{
	bool leaf = state != SE_FREE && !(state & 0x80);

	return type | (u64)(requested | found << 3 | (u32)state << 6 | leaf << 14) << 32;
}

/* Does the answer keep the guest from going on behind the TDCALL? */
enum answer { STATUS, TO_HOST };

struct row {
	const char *name;
	u8 level;			/* requested */
	u8 at;				/* level of the entry */
	u8 state;			/* of the entry */
	u8 answer;
	u64 status;			/* with the level as detail */
	u8 new_state;
};

static const struct row accept_rows[] = {
	{ "4K FREE", 0, 0, SE_FREE, TO_HOST, 0, SE_FREE },
	{ "4K BLOCKED", 0, 0, SE_BLOCKED, TO_HOST, 0, SE_BLOCKED },
	{ "4K PENDING", 0, 0, SE_PENDING, STATUS, ST_SUCCESS, SE_MAPPED },
	{ "4K PENDING_BLOCKED", 0, 0, SE_PENDING_BLOCKED, TO_HOST, 0, SE_PENDING_BLOCKED },
	{ "4K MAPPED", 0, 0, SE_MAPPED, STATUS, ST_PAGE_ALREADY_ACCEPTED, SE_MAPPED },
	{ "4K in FREE 2M", 0, 1, SE_FREE, TO_HOST, 0, SE_FREE },
	{ "4K in BLOCKED 2M", 0, 1, SE_BLOCKED, TO_HOST, 0, SE_BLOCKED },
	{ "4K in PENDING 2M", 0, 1, SE_PENDING, TO_HOST, 0, SE_PENDING },
	{ "4K in PENDING_BLOCKED 2M", 0, 1, SE_PENDING_BLOCKED, TO_HOST, 0, SE_PENDING_BLOCKED },
	{ "4K in MAPPED 2M", 0, 1, SE_MAPPED, STATUS, ST_PAGE_ALREADY_ACCEPTED, SE_MAPPED },
	{ "4K in NL_BLOCKED", 0, 1, SE_NL_BLOCKED, TO_HOST, 0, SE_NL_BLOCKED },
	{ "2M FREE", 1, 1, SE_FREE, TO_HOST, 0, SE_FREE },
	{ "2M BLOCKED", 1, 1, SE_BLOCKED, TO_HOST, 0, SE_BLOCKED },
	{ "2M PENDING_BLOCKED", 1, 1, SE_PENDING_BLOCKED, TO_HOST, 0, SE_PENDING_BLOCKED },
	{ "2M MAPPED", 1, 1, SE_MAPPED, STATUS, ST_PAGE_ALREADY_ACCEPTED, SE_MAPPED },
	{ "2M NL_MAPPED", 1, 1, SE_NL_MAPPED, STATUS, ST_PAGE_SIZE_MISMATCH, SE_NL_MAPPED },
	{ "2M NL_BLOCKED", 1, 1, SE_NL_BLOCKED, STATUS, ST_PAGE_SIZE_MISMATCH, SE_NL_BLOCKED },
	{ "2M in FREE 1G", 1, 2, SE_FREE, TO_HOST, 0, SE_FREE },
	{ "2M in PENDING 1G", 1, 2, SE_PENDING, TO_HOST, 0, SE_PENDING },
	{ "2M in MAPPED 1G", 1, 2, SE_MAPPED, STATUS, ST_PAGE_ALREADY_ACCEPTED, SE_MAPPED },
	{ "2M in NL_BLOCKED 1G", 1, 2, SE_NL_BLOCKED, TO_HOST, 0, SE_NL_BLOCKED },
	{ "4K in PENDING 1G", 0, 2, SE_PENDING, TO_HOST, 0, SE_PENDING },
};

/* An address whose tables reach down to @level; nothing else is there. */
static u64 place(unsigned int level)
{
	switch (level) {
	case 0:
		return PLAY_4K;
	case 1:
		return PLAY_2M;
	default:
		return SZ_1G;
	}
}

static void run_row(struct swg *s, const struct row *row, u64 page)
{
	u64 gpa = place(row->at), hpa = row->at && !(row->state & 0x80) ? 0 : page;
	u64 status;

	/* A table is one that the TD has, or nothing would lead out of the case. */
	if (row->state & 0x80)
		hpa = entry_at(s, 0, 1).hpa;
	put_entry(s, gpa, row->at, raw(row->state, hpa));
	swt_fill(page);
	status = accept(s, gpa, row->level);
	if (row->answer == TO_HOST) {
		expect_violation(s, gpa, 2, ext_qual(1, row->level, row->at, row->state),
				 row->name);
	} else {
		swg_expect_done(s, TDCALL_LEN, row->name);
		KUNIT_EXPECT_EQ_MSG(s->test, status,
				    row->status ? row->status | row->at : ST_SUCCESS, "%s",
				    row->name);
	}
	KUNIT_EXPECT_EQ_MSG(s->test, entry_at(s, gpa, row->at).raw, raw(row->new_state, hpa),
			    "%s", row->name);
	KUNIT_EXPECT_EQ_MSG(s->test, is_cleared(page),
			    row->state == SE_PENDING && row->new_state == SE_MAPPED, "%s",
			    row->name);
	put_entry(s, gpa, row->at, RAW_FREE);
}

static void accept_of_every_state(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_page(s->t);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accept_rows); i++)
		run_row(s, &accept_rows[i], page);
	swt_check(s->t);
}

static void accept_operand_is_checked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int bit, level;

	for (level = 2; level < 8; level++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, accept(s, 0, level));
	for (bit = 3; bit < 12; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, accept(s, BIT_ULL(bit), 0));
	for (bit = 12; bit < 21; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, accept(s, BIT_ULL(bit), 1));
	/* From the shared bit on upwards. */
	for (bit = tdx_sw_gpa_width() - 1; bit < 64; bit++)
		KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, accept(s, BIT_ULL(bit), 0));
}

/* The host's path to it: AUG, and what it sees afterwards. */
static void accepted_page_is_mapped_for_the_host(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_aug(s->t, &s->td, PLAY_4K);

	KUNIT_EXPECT_EQ(test, ST_SUCCESS, accept(s, PLAY_4K, LEVEL_4K));
	KUNIT_EXPECT_TRUE(test, is_cleared(page));
	swt_m_entry(&s->t->m, s->td.tdr, PLAY_4K, 0)->state = SE_MAPPED;
	swt_check(s->t);
	KUNIT_EXPECT_EQ(test, ST_PAGE_ALREADY_ACCEPTED | LEVEL_4K, accept(s, PLAY_4K, LEVEL_4K));
	swt_ok(s->t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = PLAY_4K, .rdx = s->td.tdr));
}

/* ---- 2 MiB ---- */

/* Pages that have been cleared, which have to be the first ones. */
static unsigned int cleared(struct swg *s, u64 pa)
{
	unsigned int i, nr = 0;

	for (i = 0; i < SZ_2M / PAGE_SIZE; i++) {
		if (!is_cleared(pa + i * PAGE_SIZE))
			continue;
		KUNIT_EXPECT_EQ(s->test, i, nr);
		nr++;
	}
	return nr;
}

static void accept_of_a_large_page_clears_all_of_it(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 pa = swt_aug_large(s->t, &s->td, PLAY_2M);

	KUNIT_EXPECT_EQ(test, accept(s, PLAY_2M, LEVEL_2M), ST_SUCCESS);
	swg_expect_done(s, TDCALL_LEN, "2M");
	KUNIT_EXPECT_EQ(test, entry_at(s, PLAY_2M, LEVEL_2M).raw, raw(SE_MAPPED, pa));
	KUNIT_EXPECT_EQ(test, cleared(s, pa), 512U);
	swt_m_entry(&s->t->m, s->td.tdr, PLAY_2M, 1)->state = SE_MAPPED;
	swt_check(s->t);
	KUNIT_EXPECT_EQ(test, accept(s, PLAY_2M + SZ_4K, LEVEL_4K),
			ST_PAGE_ALREADY_ACCEPTED | LEVEL_2M);
}

static void interrupted_accept_goes_on_where_it_stopped(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 pa = swt_aug_large(s->t, &s->td, PLAY_2M);
	unsigned int i;

	s->x.interrupted = true;
	for (i = 1; i < 512; i++) {
		swg_vmwrite(s, GUEST_INTERRUPTIBILITY_INFO,
			    i & 1 ? GUEST_INTR_STATE_STI : GUEST_INTR_STATE_MOV_SS);
		/* RAX and RIP as they were: the instruction starts again. */
		KUNIT_EXPECT_EQ(test, accept(s, PLAY_2M, LEVEL_2M), (u64)T_ACCEPT);
		KUNIT_EXPECT_FALSE(test, s->x.to_host);
		KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), CODE_RIP);
		/* What it gave way to is let in. */
		KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_INTERRUPTIBILITY_INFO), 0ULL);
		KUNIT_EXPECT_EQ(test, entry_at(s, PLAY_2M, LEVEL_2M).raw,
				raw(SE_PENDING, pa | (u64)i << PAGE_SHIFT));
	}
	KUNIT_EXPECT_EQ(test, cleared(s, pa), 511U);
	/* The count in the entry is nothing to the host. */
	swt_check(s->t);
	KUNIT_EXPECT_EQ(test, accept(s, PLAY_2M, LEVEL_2M), ST_SUCCESS);
	KUNIT_EXPECT_EQ(test, entry_at(s, PLAY_2M, LEVEL_2M).raw, raw(SE_MAPPED, pa));
	KUNIT_EXPECT_EQ(test, cleared(s, pa), 512U);
}

/* ---- against the host ---- */

static void expect_busy(struct swg *s, const char *what)
{
	KUNIT_EXPECT_EQ_MSG(s->test, accept(s, PLAY_4K, LEVEL_4K), ST_OPERAND_BUSY | OP_RCX,
			    "%s", what);
	swg_expect_done(s, TDCALL_LEN, what);
}

static void accept_of_a_locked_entry_is_busy(struct kunit *test)
{
	struct tdx_sw_test_lock lock = {
		.class = TDX_SW_LOCK_SEPT_ENTRY, .excl = true, .gpa = PLAY_4K,
	};
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_aug(s->t, &s->td, PLAY_4K);

	lock.object = s->td.tdr;
	swt_lock(s->t, &lock);
	expect_busy(s, "locked by the host");
	KUNIT_EXPECT_FALSE(test, is_cleared(page));
	swg_unlock_all(s);
	KUNIT_EXPECT_EQ(test, accept(s, PLAY_4K, LEVEL_4K), ST_SUCCESS);
	swt_m_entry(&s->t->m, s->td.tdr, PLAY_4K, 0)->state = SE_MAPPED;
}

static void host_that_was_kept_waiting_goes_first(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct tdx_sw_test_lock lock = {
		.class = TDX_SW_LOCK_SEPT_ENTRY, .excl = true, .gpa = PLAY_4K,
	};
	struct tdx_module_args args = { .rcx = PLAY_4K };

	swt_aug(s->t, &s->td, PLAY_4K);
	lock.object = s->td.tdr;
	args.rdx = s->td.tdr;
	/* The longest there is: how quick this machine is must not matter. */
	swt_ok(s->t, L_MNG_WR, SWT_ARGS(.rcx = s->td.tdr, .rdx = FIELD_HP_LOCK_TIMEOUT,
					.r8 = 100 * USEC_PER_SEC, .r9 = ~0ULL));
	swt_lock(s->t, &lock);
	KUNIT_EXPECT_EQ(test, swt_call(s->t, L_MEM_SEPT_RD, &args), ST_OPERAND_BUSY | OP_RCX);
	swg_unlock_all(s);

	/* Nobody holds it, and yet it is not the guest's. */
	expect_busy(s, "the host's mark");
	expect_busy(s, "the host's mark stays");
	swt_ok(s->t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = PLAY_4K, .rdx = s->td.tdr));
	KUNIT_EXPECT_EQ(test, accept(s, PLAY_4K, LEVEL_4K), ST_SUCCESS);
	swt_m_entry(&s->t->m, s->td.tdr, PLAY_4K, 0)->state = SE_MAPPED;
}

#define TIMEOUT_US	10000

static void host_that_never_comes_is_told(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_page(s->t), marked = raw(SE_PENDING, page) | RAW_HOST_PRIORITY;

	swt_ok(s->t, L_MNG_WR, SWT_ARGS(.rcx = s->td.tdr, .rdx = FIELD_HP_LOCK_TIMEOUT,
					.r8 = TIMEOUT_US, .r9 = ~0ULL));
	put_entry(s, PLAY_4K, LEVEL_4K, marked);
	expect_busy(s, "first");
	mdelay(TIMEOUT_US / 1000 + 1);

	/* Like a trap: the guest has its status, and is behind the TDCALL. */
	KUNIT_EXPECT_EQ(test, accept(s, PLAY_4K, LEVEL_4K), ST_OPERAND_BUSY | OP_RCX);
	KUNIT_EXPECT_TRUE(test, s->x.to_host);
	KUNIT_EXPECT_EQ(test, s->x.rax, ST_HOST_PRIORITY_BUSY_TIMEOUT);
	KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), CODE_RIP + TDCALL_LEN);
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 0ULL);
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, 0ULL);

	/* It has been told; time starts again. */
	expect_busy(s, "after the exit");
	/* Something else in between, and it was not the same wait. */
	mdelay(TIMEOUT_US / 1000 + 1);
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_INFO));
	expect_busy(s, "another wait");
	put_entry(s, PLAY_4K, LEVEL_4K, RAW_FREE);
}

/* Who finds the entry locked does not look for the mark: it waits for no host. */
static void lock_of_an_entry_counts_before_the_mark(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_page(s->t);

	swt_ok(s->t, L_MNG_WR, SWT_ARGS(.rcx = s->td.tdr, .rdx = FIELD_HP_LOCK_TIMEOUT,
					.r8 = TIMEOUT_US, .r9 = ~0ULL));
	put_entry(s, PLAY_4K, LEVEL_4K,
		  raw(SE_PENDING, page) | RAW_HOST_PRIORITY | RAW_LOCK);
	expect_busy(s, "locked and marked");
	mdelay(TIMEOUT_US / 1000 + 1);
	expect_busy(s, "for longer than a host may take");
	put_entry(s, PLAY_4K, LEVEL_4K, RAW_FREE);
}

/* TDCALLs that leave for the host have no status; they end a wait nevertheless. */
static void exits_end_the_wait_for_the_host(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_page(s->t), marked = raw(SE_PENDING, page) | RAW_HOST_PRIORITY;

	swt_ok(s->t, L_MNG_WR, SWT_ARGS(.rcx = s->td.tdr, .rdx = FIELD_HP_LOCK_TIMEOUT,
					.r8 = TIMEOUT_US, .r9 = ~0ULL));
	put_entry(s, PLAY_4K, LEVEL_4K, marked);
	expect_busy(s, "before the TDVMCALL");
	mdelay(TIMEOUT_US / 1000 + 1);
	s->g.gpr[G_RCX] = 0;
	swg_tdcall(s, T_VMCALL);
	KUNIT_EXPECT_EQ(test, s->x.rax, (u64)EXIT_REASON_TDCALL);
	expect_busy(s, "after the TDVMCALL");

	mdelay(TIMEOUT_US / 1000 + 1);
	put_entry(s, PLAY_4K, LEVEL_4K, RAW_FREE);
	accept(s, PLAY_4K, LEVEL_4K);
	KUNIT_EXPECT_EQ(test, s->x.rax, (u64)EXIT_REASON_EPT_VIOLATION);
	put_entry(s, PLAY_4K, LEVEL_4K, marked);
	expect_busy(s, "after the EPT violation");
	put_entry(s, PLAY_4K, LEVEL_4K, RAW_FREE);
}

/* ---- attributes ---- */

#define ATTR_PENDING	BIT_ULL(62)

static u64 attr_rd(struct swg *s, u64 gpa)
{
	s->g.gpr[G_RCX] = gpa;
	s->g.gpr[G_RDX] = 0x55;
	return swg_tdcall(s, T_ATTR_RD);
}

static void expect_attr(struct swg *s, u64 status, u64 rcx, const char *what)
{
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_RAX], status, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_RCX], rcx, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_RDX], 0ULL, "%s", what);
	swg_expect_done(s, TDCALL_LEN, what);
}

static void attr_rd_tells_size_and_pending(struct kunit *test)
{
	static const u8 exits[] = { SE_FREE, SE_BLOCKED, SE_PENDING_BLOCKED };
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_page(s->t);
	unsigned int i;

	put_entry(s, PLAY_4K, LEVEL_4K, raw(SE_MAPPED, page));
	attr_rd(s, PLAY_4K);
	expect_attr(s, ST_SUCCESS, PLAY_4K, "4K MAPPED");
	put_entry(s, PLAY_4K, LEVEL_4K, raw(SE_PENDING, page));
	attr_rd(s, PLAY_4K);
	expect_attr(s, ST_SUCCESS, PLAY_4K | ATTR_PENDING, "4K PENDING");
	for (i = 0; i < ARRAY_SIZE(exits); i++) {
		put_entry(s, PLAY_4K, LEVEL_4K, raw(exits[i], page));
		attr_rd(s, PLAY_4K);
		expect_violation(s, PLAY_4K, 0, 0, "ATTR.RD exits");
	}
	put_entry(s, PLAY_4K, LEVEL_4K, RAW_FREE);

	put_entry(s, PLAY_2M, LEVEL_2M, raw(SE_PENDING, 0));
	attr_rd(s, PLAY_2M + PAGE_SIZE);
	expect_attr(s, ST_SUCCESS, PLAY_2M | LEVEL_2M | ATTR_PENDING, "4K in PENDING 2M");
	/* Any address of the page will do. */
	attr_rd(s, PLAY_2M + PAGE_SIZE + 0xfff);
	expect_attr(s, ST_SUCCESS, PLAY_2M | LEVEL_2M | ATTR_PENDING, "low bits");
	put_entry(s, PLAY_2M, LEVEL_2M, RAW_FREE);
	attr_rd(s, BIT_ULL(tdx_sw_gpa_width() - 1));
	expect_attr(s, ST_OPERAND_INVALID | OP_RCX, 0, "shared");
}

static u64 attr_wr(struct swg *s, u64 info, u64 attr, u64 flags)
{
	s->g.gpr[G_RCX] = info;
	s->g.gpr[G_RDX] = attr;
	s->g.gpr[G_R8] = flags;
	return swg_tdcall(s, T_ATTR_WR);
}

static void attr_wr_changes_nothing_without_l2_vms(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 page = swt_page(s->t);

	put_entry(s, PLAY_4K, LEVEL_4K, raw(SE_PENDING, page));
	attr_wr(s, PLAY_4K, 0, 0);
	expect_attr(s, ST_SUCCESS, PLAY_4K | ATTR_PENDING, "PENDING");
	KUNIT_EXPECT_EQ(test, entry_at(s, PLAY_4K, LEVEL_4K).raw, raw(SE_PENDING, page));
	attr_wr(s, PLAY_4K, 1, 0);
	expect_attr(s, ST_OPERAND_INVALID | OP_RDX, 0, "attributes");
	attr_wr(s, PLAY_4K, 0, 1);
	expect_attr(s, ST_OPERAND_INVALID | OP_R8, 0, "flags");
	attr_wr(s, PLAY_4K | 3, 0, 0);
	expect_attr(s, ST_OPERAND_INVALID | OP_RCX, 0, "level");
	put_entry(s, PLAY_4K, LEVEL_4K, raw(SE_BLOCKED, page));
	attr_wr(s, PLAY_4K, 0, 0);
	expect_violation(s, PLAY_4K, 2, ext_qual(5, 0, 0, SE_BLOCKED), "BLOCKED");
	put_entry(s, PLAY_4K, LEVEL_4K, RAW_FREE);

	attr_wr(s, 0 | LEVEL_2M, 0, 0);
	expect_attr(s, ST_PAGE_SIZE_MISMATCH | LEVEL_2M, 0, "a table");
	/* Pages of 1 GiB cannot be accepted, but they have attributes. */
	attr_wr(s, 0 | LEVEL_1G, 0, 0);
	expect_attr(s, ST_PAGE_SIZE_MISMATCH | LEVEL_1G, 0, "a table of tables");
	put_entry(s, PLAY_2M, LEVEL_2M, raw(SE_MAPPED, 0));
	attr_wr(s, PLAY_2M | LEVEL_2M, 0, 0);
	expect_attr(s, ST_SUCCESS, PLAY_2M | LEVEL_2M, "2M MAPPED");
	attr_wr(s, PLAY_2M, 0, 0);
	expect_violation(s, PLAY_2M, 2, ext_qual(5, 0, 1, SE_MAPPED), "a larger leaf");
	put_entry(s, PLAY_2M, LEVEL_2M, RAW_FREE);
}

static void attributes_of_a_locked_entry_are_busy(struct kunit *test)
{
	struct tdx_sw_test_lock lock = {
		.class = TDX_SW_LOCK_SEPT_ENTRY, .excl = true, .gpa = PLAY_4K,
	};
	struct swg *s = swg_start(test, NULL);

	swt_aug(s->t, &s->td, PLAY_4K);
	lock.object = s->td.tdr;
	swt_lock(s->t, &lock);
	attr_rd(s, PLAY_4K);
	expect_attr(s, ST_OPERAND_BUSY | OP_RCX, 0, "ATTR.RD");
	attr_wr(s, PLAY_4K, 0, 0);
	expect_attr(s, ST_OPERAND_BUSY | OP_RCX, 0, "ATTR.WR");
	swg_unlock_all(s);
	attr_wr(s, PLAY_4K, 0, 0);
	expect_attr(s, ST_SUCCESS, PLAY_4K | ATTR_PENDING, "not locked any more");
	swt_check(s->t);
}

static struct kunit_case accept_cases[] = {
	KUNIT_CASE(accept_of_every_state),
	KUNIT_CASE(accept_operand_is_checked),
	KUNIT_CASE(accepted_page_is_mapped_for_the_host),
	KUNIT_CASE(accept_of_a_large_page_clears_all_of_it),
	KUNIT_CASE(interrupted_accept_goes_on_where_it_stopped),
	KUNIT_CASE(accept_of_a_locked_entry_is_busy),
	KUNIT_CASE(host_that_was_kept_waiting_goes_first),
	KUNIT_CASE(host_that_never_comes_is_told),
	KUNIT_CASE(lock_of_an_entry_counts_before_the_mark),
	KUNIT_CASE(exits_end_the_wait_for_the_host),
	KUNIT_CASE(attr_rd_tells_size_and_pending),
	KUNIT_CASE(attr_wr_changes_nothing_without_l2_vms),
	KUNIT_CASE(attributes_of_a_locked_entry_are_busy),
	{}
};

SWG_SUITE("tdx_sw_accept", accept_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: accepting pages");
MODULE_LICENSE("GPL");
