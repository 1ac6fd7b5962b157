/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDs for the tests of the host leaf wrappers: made with the wrappers, on the
 * software TDX module, and taken apart in whatever state a case leaves them.
 */
#ifndef _X86_VIRT_TDX_TESTS_TDH_FIXTURE_H
#define _X86_VIRT_TDX_TESTS_TDH_FIXTURE_H

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <asm/shared/tdx.h>
#include <asm/tdh.h>

#include "../sw/probe/sw_test.h"

#define TDHT_MAX_PAGES	96
#define TDHT_MAX_TDS	2
#define TDHT_MAX_VCPUS	4

/* Where the tests map things: a table of each level begins here. */
#define TDHT_GPA	SZ_1G

#define TDHT_ATTRIBUTES	BIT_ULL(28)
#define TDHT_MAX_TD_VCPUS 2

struct tdht {
	struct kunit *test;
	unsigned int nr_pages, nr_tds, nr_vcpus;
	struct {
		phys_addr_t pa;
		unsigned int order;
	} pages[TDHT_MAX_PAGES];
	struct {
		phys_addr_t tdr;
		int hkid;
	} tds[TDHT_MAX_TDS];
	phys_addr_t vcpus[TDHT_MAX_VCPUS];
};

/* How far a TD has come */
enum tdht_stage {
	TDHT_CREATED,
	TDHT_KEYED,
	TDHT_UNINITIALIZED,
	TDHT_INITIALIZED,
	TDHT_RUNNABLE,
};

int tdht_suite_init(struct kunit_suite *suite);
int tdht_init(struct kunit *test);
void tdht_exit(struct kunit *test);

/* Pages that go back at the end of the case, whoever owns them then */
phys_addr_t tdht_pages(struct tdht *t, unsigned int order);
phys_addr_t tdht_page(struct tdht *t);
/* A page with TD_PARAMS that the module accepts */
phys_addr_t tdht_params(struct tdht *t);

/* TDs and their key IDs; the first one can be called without a TD to follow. */
int tdht_hkid(struct tdht *t);
phys_addr_t tdht_td(struct tdht *t, enum tdht_stage stage);
void tdht_key_config(struct tdht *t, phys_addr_t tdr);
/* A vCPU with all its pages, initialized or not; associated with this CPU */
phys_addr_t tdht_vcpu_pages(struct tdht *t, phys_addr_t tdr);
phys_addr_t tdht_vcpu(struct tdht *t, phys_addr_t tdr, u32 x2apic_id);

/* Secure EPT pages down to the table whose entries have @level; the last one */
phys_addr_t tdht_tables(struct tdht *t, phys_addr_t tdr, int level);
/* A page mapped at @gpa, with tables made before */
phys_addr_t tdht_add(struct tdht *t, phys_addr_t tdr, u64 gpa);
phys_addr_t tdht_aug(struct tdht *t, phys_addr_t tdr, u64 gpa);

/* From RUNNABLE or anything before to TEARDOWN */
void tdht_teardown(struct tdht *t, phys_addr_t tdr);
u64 tdht_cache_wb(void);

/* What the module itself says of things */
void tdht_expect_page(struct tdht *t, phys_addr_t page, u8 type, phys_addr_t owner);
void tdht_expect_sept(struct tdht *t, phys_addr_t tdr, u64 gpa, int level,
		      u8 state, phys_addr_t hpa);
struct tdx_sw_td_info tdht_td_info(struct tdht *t, phys_addr_t tdr);
struct tdx_sw_vcpu_info tdht_vcpu_info(struct tdht *t, phys_addr_t tdvpr);

/* The whole status, details included */
#define tdht_expect(t, got, want)	\
	KUNIT_EXPECT_EQ((t)->test, (u64)(got), (u64)(want))
#define tdht_assert_ok(t, got)		\
	KUNIT_ASSERT_EQ((t)->test, (u64)(got), TDX_SUCCESS)

/* RDX of a leaf that walks the Secure EPT */
#define TDHT_SEPT_STATE(level, state)	((u64)(level) | (u64)(state) << 8)

/* Secure EPT states */
#define SEPT_FREE		0x00
#define SEPT_BLOCKED		0x01
#define SEPT_PENDING		0x02
#define SEPT_PENDING_BLOCKED	0x03
#define SEPT_MAPPED		0x04
#define SEPT_NL_BLOCKED		0x81
#define SEPT_NL_MAPPED		0x84

#endif
