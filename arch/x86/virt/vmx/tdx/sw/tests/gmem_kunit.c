// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory: how the module finds the instruction behind a #UD, in page
 * tables that mean well and in others, and operands in shared memory.
 */
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/random.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "guest.h"

#define P	BIT_ULL(0)
#define W	BIT_ULL(1)
#define U	BIT_ULL(2)
#define PS	BIT_ULL(7)

static const u8 tdcall[] = { 0x66, 0x0f, 0x01, 0xcc };

/* Pages of the TD's memory by what a case uses them for */
enum { PML4, PDPT, PD, PT, CODE, CODE2, PML5 };

static u64 gpa_of(unsigned int page)
{
	return DATA_GPA + page * PAGE_SIZE;
}

static u64 *entry_of(struct swg *s, unsigned int page, unsigned int idx)
{
	u64 *table = swt_va(s->data[page]);

	return &table[idx];
}

/* Four levels that map CODE_RIP and the page behind it. */
static void build_tables(struct swg *s)
{
	unsigned int i;

	for (i = 0; i < DATA_PAGES; i++)
		memset(swt_va(s->data[i]), 0, PAGE_SIZE);
	*entry_of(s, PML4, CODE_RIP >> 39 & 511) = gpa_of(PDPT) | P | W | U;
	*entry_of(s, PDPT, CODE_RIP >> 30 & 511) = gpa_of(PD) | P | W | U;
	*entry_of(s, PD, CODE_RIP >> 21 & 511) = gpa_of(PT) | P | W | U;
	*entry_of(s, PT, CODE_RIP >> 12 & 511) = gpa_of(CODE) | P | U;
	*entry_of(s, PT, (CODE_RIP >> 12 & 511) + 1) = gpa_of(CODE2) | P | U;
	swg_vmwrite(s, GUEST_CR3, gpa_of(PML4));
}

/* #UD; bytes at RIP, which go on in the next page. */
static void undefined_opcode(struct swg *s, u64 rip, const u8 *bytes)
{
	u8 *code = swt_va(s->data[CODE]), *code2 = swt_va(s->data[CODE2]);
	unsigned int i, at;

	for (i = 0; i < sizeof(tdcall); i++) {
		at = (rip & (PAGE_SIZE - 1)) + i;
		if (at < PAGE_SIZE)
			code[at] = bytes[i];
		else
			code2[at - PAGE_SIZE] = bytes[i];
	}
	s->g.event = 0;
	s->g.gpr[G_RAX] = T_INFO;
	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EXCEPTION_NMI, .intr_info = EV_EXCEPTION(XC_UD),
	};
	swg_vmwrite(s, GUEST_RIP, rip);
	swg_handle(s);
}

static void expect_tdcall(struct swg *s, u64 rip, const char *what)
{
	KUNIT_EXPECT_FALSE_MSG(s->test, s->x.to_host, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.event, 0U, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_RAX], ST_SUCCESS, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, swg_vmread(s, GUEST_RIP), rip + sizeof(tdcall), "%s", what);
}

static void expect_ud(struct swg *s, const char *what)
{
	KUNIT_EXPECT_FALSE_MSG(s->test, s->x.to_host, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.event, (u32)EV_EXCEPTION(XC_UD), "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_RAX], (u64)T_INFO, "%s", what);
}

static void tdcall_is_found_behind_ud(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int i, bit;

	build_tables(s);
	undefined_opcode(s, CODE_RIP, tdcall);
	expect_tdcall(s, CODE_RIP, "TDCALL");
	for (i = 0; i < sizeof(tdcall); i++) {
		for (bit = 0; bit < 8; bit++) {
			u8 other[sizeof(tdcall)];

			memcpy(other, tdcall, sizeof(other));
			other[i] ^= BIT(bit);
			undefined_opcode(s, CODE_RIP, other);
			expect_ud(s, "another opcode");
			KUNIT_EXPECT_EQ(test, swg_vmread(s, GUEST_RIP), CODE_RIP);
		}
	}
}

static void opcode_may_straddle_pages(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int back;
	u64 rip;

	build_tables(s);
	for (back = 1; back < sizeof(tdcall); back++) {
		rip = CODE_RIP + PAGE_SIZE - back;
		undefined_opcode(s, rip, tdcall);
		expect_tdcall(s, rip, "two pages");
	}
	*entry_of(s, PT, (CODE_RIP >> 12 & 511) + 1) = 0;
	undefined_opcode(s, rip, tdcall);
	expect_ud(s, "second page not present");
}

static void large_pages_are_walked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	/* A linear address whose offset in the large page is that of the code. */
	u64 rip = (4ULL << 21) + gpa_of(CODE);

	build_tables(s);
	*entry_of(s, PD, 4) = 0 | P | U | PS;
	undefined_opcode(s, rip, tdcall);
	expect_tdcall(s, rip, "2M");
	*entry_of(s, PDPT, 5) = 0 | P | U | PS;
	rip = (5ULL << 30) + gpa_of(CODE);
	undefined_opcode(s, rip, tdcall);
	expect_tdcall(s, rip, "1G");
	*entry_of(s, PML4, 6) = 0 | P | U | PS;
	rip = (6ULL << 39) + gpa_of(CODE);
	undefined_opcode(s, rip, tdcall);
	expect_ud(s, "512G");
}

static void five_levels_are_walked(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	build_tables(s);
	*entry_of(s, PML5, 0) = gpa_of(PML4) | P | W | U;
	swg_vmwrite(s, GUEST_CR3, gpa_of(PML5));
	swg_vmwrite(s, GUEST_CR4, swg_vmread(s, GUEST_CR4) | X86_CR4_LA57);
	undefined_opcode(s, CODE_RIP, tdcall);
	expect_tdcall(s, CODE_RIP, "5 levels");
}

static void each_level_has_to_be_present_and_legal(struct kunit *test)
{
	static const u64 idx[] = {
		CODE_RIP >> 39 & 511, CODE_RIP >> 30 & 511, CODE_RIP >> 21 & 511,
		CODE_RIP >> 12 & 511,
	};
	struct swg *s = swg_start(test, NULL);
	u64 beyond = BIT_ULL(tdx_sw_gpa_width());
	unsigned int level;

	build_tables(s);
	for (level = PML4; level <= PT; level++) {
		u64 *entry = entry_of(s, level, idx[level]), good = *entry;

		*entry = good & ~P;
		undefined_opcode(s, CODE_RIP, tdcall);
		expect_ud(s, "not present");
		*entry = good | beyond;
		undefined_opcode(s, CODE_RIP, tdcall);
		expect_ud(s, "beyond the width");
		*entry = good & ~U;
		undefined_opcode(s, CODE_RIP, tdcall);
		expect_tdcall(s, CODE_RIP, "supervisor page");
		swg_set_cpl(s, 3);
		undefined_opcode(s, CODE_RIP, tdcall);
		expect_ud(s, "supervisor page, user code");
		swg_set_cpl(s, 0);
		*entry = good;
	}
	swg_vmwrite(s, GUEST_CR3, gpa_of(PML4) | beyond);
	undefined_opcode(s, CODE_RIP, tdcall);
	expect_ud(s, "CR3 beyond the width");
}

static void user_tdcall_is_recognised(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	build_tables(s);
	swg_set_cpl(s, 3);
	undefined_opcode(s, CODE_RIP, tdcall);
	KUNIT_EXPECT_EQ(test, s->g.event, (u32)EV_WITH_CODE(XC_GP));
}

static void without_paging_cs_base_counts(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);

	build_tables(s);
	swg_set_64bit(s, false);
	swg_vmwrite(s, GUEST_CR0, X86_CR0_PE | X86_CR0_NE);
	swg_vmwrite(s, GUEST_IA32_EFER, EFER_LME | EFER_NX);
	swg_vmwrite(s, GUEST_CS_BASE, gpa_of(CODE) - 0x80000000);
	undefined_opcode(s, 0x80000000, tdcall);
	/* Recognised, and refused outside of 64-bit mode. */
	KUNIT_EXPECT_EQ(test, s->g.event, (u32)EV_WITH_CODE(XC_GP));
	swg_vmwrite(s, GUEST_CS_BASE, 0);
	undefined_opcode(s, 0x80000000, tdcall);
	KUNIT_EXPECT_TRUE(test, s->x.to_host);
	KUNIT_EXPECT_EQ(test, s->x.rax, (u64)EXIT_REASON_EPT_VIOLATION);
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, 0x80000000ULL);
}

static void missing_memory_under_the_walk_leaves_for_the_host(struct kunit *test)
{
	const u64 hole = 0x100000;
	struct swg *s = swg_start(test, NULL);

	build_tables(s);
	*entry_of(s, PT, CODE_RIP >> 12 & 511) = hole | P;
	undefined_opcode(s, CODE_RIP, tdcall);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "code");
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, hole);
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 4ULL);

	*entry_of(s, PD, CODE_RIP >> 21 & 511) = hole | P;
	undefined_opcode(s, CODE_RIP, tdcall);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "table");
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, hole);
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx, 1ULL);
}

/* ---- tables that mean no good ---- */

#define ROUNDS	2000

static u64 hostile_entry(u64 *seed)
{
	static const u64 flags[] = { P | W | U, P | U | PS, P, PS, 0, P | W | U, P | W | U, P };
	u64 r = *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	u64 addr;

	switch (r >> 60) {
	case 0:
		addr = r;			/* anywhere, reserved bits included */
		break;
	case 1:
		addr = r & (BIT_ULL(tdx_sw_gpa_width()) - 1);
		break;
	case 2:
		addr = BIT_ULL(tdx_sw_gpa_width() - 1) | (r >> 8 & 0xfffff000);
		break;
	default:
		addr = gpa_of(r >> 40 & (DATA_PAGES - 1));	/* themselves: loops */
	}
	return (addr & GENMASK_ULL(51, 12)) | flags[r >> 33 & 7];
}

static void hostile_tables_end_in_ud_or_an_exit(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	u64 seed = get_random_u64();
	unsigned int round, i, ends = 0;

	kunit_info(test, "seed %llx", seed);
	for (i = 0; i < DATA_PAGES * 512; i++)
		*entry_of(s, i / 512, i % 512) = hostile_entry(&seed);
	for (round = 0; round < ROUNDS; round++) {
		*entry_of(s, round % DATA_PAGES, seed >> 20 & 511) = hostile_entry(&seed);
		swg_vmwrite(s, GUEST_CR3, hostile_entry(&seed));
		swg_vmwrite(s, GUEST_CR4, X86_CR4_PAE | X86_CR4_MCE |
			    (round & 1 ? X86_CR4_LA57 : 0));
		s->g.event = 0;
		s->g.gpr[G_RAX] = T_INFO;
		s->x = (struct tdx_sw_test_exit) {
			.reason = EXIT_REASON_EXCEPTION_NMI, .intr_info = EV_EXCEPTION(XC_UD),
		};
		swg_vmwrite(s, GUEST_RIP, seed ^ seed << 13);
		swg_handle(s);
		ends += s->x.to_host || s->g.event;
		s->g.ve_valid = 0;
	}
	KUNIT_EXPECT_EQ(test, ends, (unsigned int)ROUNDS);
	swt_check(s->t);
}

/* ---- shared memory ---- */

#define EPT_RWX		7ULL
#define EPT_WB		(6ULL << 3)
#define EPT_SVE		BIT_ULL(63)
#define FIELD_SHARED_EPTP	(3ULL << 32 | 0x203c)
#define SHARED_PAGE	5ULL

struct shared {
	u64 table[4];			/* by level */
	u64 page;
	u64 gpa;
};

/* The host's tables down to one page at a shared address. */
static void build_shared(struct swg *s, struct shared *sh)
{
	unsigned int level;

	sh->gpa = BIT_ULL(tdx_sw_gpa_width() - 1) | SHARED_PAGE << PAGE_SHIFT;
	sh->page = swt_page(s->t);
	for (level = 0; level < 4; level++) {
		sh->table[level] = swt_page(s->t);
		memset(swt_va(sh->table[level]), 0, PAGE_SIZE);
	}
	for (level = 0; level < 4; level++) {
		u64 *table = swt_va(sh->table[level]);
		u64 to = level ? sh->table[level - 1] : sh->page | EPT_WB;

		table[sh->gpa >> (12 + 9 * level) & 511] = to | EPT_RWX;
	}
	swt_ok(s->t, L_VP_WR, SWT_ARGS(.rcx = s->vcpu, .rdx = FIELD_SHARED_EPTP,
				       .r8 = sh->table[3], .r9 = ~0ULL));
}

static u64 *shared_entry(const struct shared *sh, unsigned int level)
{
	u64 *table = swt_va(sh->table[level]);

	return &table[sh->gpa >> (12 + 9 * level) & 511];
}

static void shared_report(struct swg *s, u64 gpa)
{
	s->g.gpr[G_RCX] = gpa;
	s->g.gpr[G_RDX] = DATA_GPA;
	s->g.gpr[G_R8] = 0;
	swg_tdcall(s, T_REPORT);
}

static void report_can_go_to_shared_memory(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct shared sh;

	build_shared(s, &sh);
	memset(swt_va(sh.page), 0, PAGE_SIZE);
	shared_report(s, sh.gpa + 1024);
	swg_expect_done(s, TDCALL_LEN, "REPORT");
	KUNIT_EXPECT_EQ(test, s->g.gpr[G_RAX], ST_SUCCESS);
	KUNIT_EXPECT_EQ(test, *(u8 *)swt_va(sh.page + 1024), 0x81);
	KUNIT_EXPECT_EQ(test, *(u8 *)swt_va(sh.page), 0);
	/* What takes private memory alone does not take it. */
	s->g.gpr[G_RCX] = sh.gpa;
	KUNIT_EXPECT_EQ(test, ST_OPERAND_INVALID | OP_RCX, swg_tdcall(s, T_VERIFYREPORT));
}

/* The right to write is missing, or the entry is, with #VE on or off. */
static void shared_violations_are_ve_or_exits(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct shared sh;
	struct swg_ve ve;
	u64 good;

	build_shared(s, &sh);
	good = *shared_entry(&sh, 0);
	*shared_entry(&sh, 0) = (good & ~2ULL) | EPT_SVE;
	shared_report(s, sh.gpa);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "read-only");
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, sh.gpa);
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx & 7, 2ULL);

	*shared_entry(&sh, 0) = EPT_SVE;
	shared_report(s, sh.gpa);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "#VE suppressed");

	*shared_entry(&sh, 0) = 0;
	shared_report(s, sh.gpa);
	swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, "#VE");
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_veinfo(s, &ve));
	KUNIT_EXPECT_EQ(test, ve.reason, (u64)EXIT_REASON_EPT_VIOLATION);
	KUNIT_EXPECT_EQ(test, ve.gpa, sh.gpa);
}

static void shared_write(struct swg *s, u64 gpa)
{
	s->g.event = 0;
	s->x = (struct tdx_sw_test_exit) {
		.reason = EXIT_REASON_EPT_VIOLATION, .qual = 2, .gpa = gpa,
	};
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	swg_handle(s);
}

/* As the CPU does: what one level forbids no other one allows. */
static void shared_tables_limit_access(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	unsigned int level;
	struct shared sh;

	build_shared(s, &sh);
	for (level = 1; level < 4; level++) {
		*shared_entry(&sh, level) &= ~2ULL;
		shared_write(s, sh.gpa);
		swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, "write of the guest, #VE");
		s->g.ve_valid = 0;
		*shared_entry(&sh, 0) |= EPT_SVE;
		shared_write(s, sh.gpa);
		swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "write of the guest");
		shared_report(s, sh.gpa);
		swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "operand");
		KUNIT_EXPECT_EQ(test, s->x.regs.r8, sh.gpa);
		*shared_entry(&sh, 0) &= ~EPT_SVE;
		*shared_entry(&sh, level) |= 2ULL;
	}
	shared_report(s, sh.gpa);
	swg_expect_done(s, TDCALL_LEN, "REPORT");
}

static void pending_operand_is_ve_or_an_exit(struct kunit *test)
{
	struct swg_config config = { .config_flags = BIT_ULL(1) };
	struct swg *s = swg_start(test, &config);
	const u64 gpa = 0x40000;
	struct swg_ve ve;

	swt_aug(s->t, &s->td, gpa);
	shared_report(s, gpa);
	swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, "#VE");
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_veinfo(s, &ve));
	KUNIT_EXPECT_EQ(test, ve.gpa, gpa);

	/* PENDING_VE_DISABLE */
	s->g.gpr[G_RCX] = 0;
	s->g.gpr[G_RDX] = 0x1110000300000017ULL;
	s->g.gpr[G_R8] = 1;
	s->g.gpr[G_R9] = 1;
	KUNIT_EXPECT_EQ(test, ST_SUCCESS, swg_tdcall(s, T_VM_WR));
	shared_report(s, gpa);
	swg_expect_host(s, EXIT_REASON_EPT_VIOLATION, "exit");
	KUNIT_EXPECT_EQ(test, s->x.regs.rdx, 6ULL);
	KUNIT_EXPECT_EQ(test, s->x.regs.r8, gpa);
	KUNIT_EXPECT_EQ(test, s->x.regs.rcx & GENMASK_ULL(6, 3), 0ULL);
}

/* The host's tables lead to what is no memory; nothing is read there. */
static void shared_tables_beyond_memory_are_not_followed(struct kunit *test)
{
	static const u64 nowhere[] = { 0xfee00000, GENMASK_ULL(45, 12), GENMASK_ULL(51, 12) };
	struct swg *s = swg_start(test, NULL);
	unsigned int level, i;
	struct shared sh;

	build_shared(s, &sh);
	for (level = 1; level < 4; level++) {
		u64 good = *shared_entry(&sh, level);

		for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
			*shared_entry(&sh, level) = nowhere[i] | EPT_RWX;
			shared_report(s, sh.gpa);
			KUNIT_EXPECT_NE(test, s->g.gpr[G_RAX], ST_SUCCESS);
			s->g.ve_valid = 0;
		}
		*shared_entry(&sh, level) = good;
	}
}

static void free_large(void *data)
{
	__free_pages(data, get_order(SZ_2M));
}

static u64 alloc_large(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(SZ_2M));

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_large, page));
	return page_to_phys(page);
}

#define IN_LARGE	0x123400ULL
#define LARGE_GPA	(4ULL * SZ_2M)
#define RAW_FREE	0x80e0000000000000ULL

/* The operand is where it is in the page of 2 MiB. */
static void expect_report_in_large(struct swg *s, u64 gpa, u64 pa, const char *what)
{
	memset(swt_va(pa), 0, SZ_2M);
	shared_report(s, gpa + IN_LARGE);
	swg_expect_done(s, TDCALL_LEN, what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.gpr[G_RAX], ST_SUCCESS, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, *(u8 *)swt_va(pa + IN_LARGE), 0x81, "%s", what);
}

static void operands_may_be_in_large_pages(struct kunit *test)
{
	const u64 leaf = EPT_SVE | PS | BIT_ULL(6) | EPT_WB | EPT_RWX;
	struct swg *s = swg_start(test, NULL);
	u64 pa = alloc_large(test);
	struct shared sh;

	build_shared(s, &sh);
	*shared_entry(&sh, 1) = pa | PS | EPT_WB | EPT_RWX;
	expect_report_in_large(s, sh.gpa & ~(SZ_2M - 1ULL), pa, "shared");

	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(s->td.tdr, LARGE_GPA, 1, leaf | pa));
	expect_report_in_large(s, LARGE_GPA, pa, "private");
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(s->td.tdr, LARGE_GPA, 1, RAW_FREE));
}

/* No EPT allows to write and not to read. */
static void write_only_memory_is_not_written(struct kunit *test)
{
	struct swg *s = swg_start(test, NULL);
	struct shared sh;
	u64 sum;

	build_shared(s, &sh);
	*shared_entry(&sh, 0) &= ~1ULL;
	sum = swt_page_sum(sh.page);
	shared_report(s, sh.gpa);
	KUNIT_EXPECT_NE(test, s->g.gpr[G_RAX], ST_SUCCESS);
	KUNIT_EXPECT_EQ(test, sum, swt_page_sum(sh.page));
}

static struct kunit_case gmem_cases[] = {
	KUNIT_CASE(tdcall_is_found_behind_ud),
	KUNIT_CASE(opcode_may_straddle_pages),
	KUNIT_CASE(large_pages_are_walked),
	KUNIT_CASE(five_levels_are_walked),
	KUNIT_CASE(each_level_has_to_be_present_and_legal),
	KUNIT_CASE(user_tdcall_is_recognised),
	KUNIT_CASE(without_paging_cs_base_counts),
	KUNIT_CASE(missing_memory_under_the_walk_leaves_for_the_host),
	KUNIT_CASE(hostile_tables_end_in_ud_or_an_exit),
	KUNIT_CASE(report_can_go_to_shared_memory),
	KUNIT_CASE(shared_violations_are_ve_or_exits),
	KUNIT_CASE(shared_tables_limit_access),
	KUNIT_CASE(pending_operand_is_ve_or_an_exit),
	KUNIT_CASE(shared_tables_beyond_memory_are_not_followed),
	KUNIT_CASE(operands_may_be_in_large_pages),
	KUNIT_CASE(write_only_memory_is_not_written),
	{}
};

SWG_SUITE("tdx_sw_gmem", gmem_cases);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: the guest's memory");
MODULE_LICENSE("GPL");
