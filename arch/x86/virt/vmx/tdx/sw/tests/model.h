/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reference model: what successful calls do to the state of the TDX module, as
 * simply as it can be said.  The suites compare all of it with the module after
 * every call.
 *
 * Knows nothing about refusals: what has been refused is not applied.
 */
#ifndef _X86_VIRT_TDX_SW_TESTS_MODEL_H
#define _X86_VIRT_TDX_SW_TESTS_MODEL_H

#include <linux/types.h>
#include <asm/shared/tdx.h>

#include "sheet.h"

/* The last terms are for one page of 2 MiB that is split. */
#define MODEL_PAGES	(160 + PARTS)
#define MODEL_ENTRIES	(128 + PARTS)
#define MODEL_TDS	20
#define MODEL_VCPUS	8
#define MODEL_KEYS	64

struct kunit;

struct model_page {
	u64 pa;
	u64 owner;
	u64 bepoch;
	u8 type;
	u8 level;		/* it is, or is part of, a page of that size */
	bool bepoch_known;	/* the interface says what it is */
};

struct model_entry {
	u64 tdr;		/* 0 = slot unused */
	u64 gpa;
	u64 hpa;
	u8 level;
	u8 state;
};

struct model_td {
	u64 tdr;		/* 0 = slot unused */
	u64 pkgs;
	u64 chldcnt;
	u64 epoch;
	u32 num_tdcx;
	u32 op_state;
	u32 num_vcpus;
	u32 num_assoc;
	u16 hkid;
	u16 refcount[2];
	u8 lifecycle;
	bool fatal;
};

struct model_vcpu {
	u64 tdvpr;		/* 0 = slot unused */
	u64 tdr;
	u64 epoch;
	u32 index;
	u32 lp;
	u8 state;
	u8 num_pages;
	bool inside;
};

struct model_key {
	u64 pkgs;
	u8 state;
};

struct model {
	unsigned int sys_state;
	unsigned int first_key;
	unsigned int nr_keys;
	unsigned int fake_packages;
	u64 all_pkgs;
	bool held;		/* locks are held: by vCPUs inside, by the test */
	bool odd;		/* a test bent the state: skip the module's own check */
	unsigned int nr_pages;
	struct model_page page[MODEL_PAGES];
	u64 list[MODEL_PAGES];	/* the same addresses, for the snapshot API */
	struct model_entry entry[MODEL_ENTRIES];
	struct model_td td[MODEL_TDS];
	struct model_vcpu vcpu[MODEL_VCPUS];
	struct model_key key[MODEL_KEYS];
};

/* Registers that a successful call returns, as far as the interface says. */
struct model_out {
	u16 known;		/* R_... */
	struct tdx_module_args val;
};

void swt_m_init(struct model *m);
void swt_m_add_page(struct kunit *test, struct model *m, u64 pa);

struct model_page *swt_m_page(struct model *m, u64 pa);
struct model_td *swt_m_td(struct model *m, u64 tdr);
struct model_vcpu *swt_m_vcpu(struct model *m, u64 tdvpr);
struct model_entry *swt_m_entry(struct model *m, u64 tdr, u64 gpa, unsigned int level);
u8 swt_m_state(struct model *m, u64 tdr, u64 gpa, unsigned int level);
unsigned int swt_m_package(const struct model *m, unsigned int cpu);

void swt_m_apply(struct kunit *test, struct model *m, unsigned int cpu, u64 leaf,
		 const struct tdx_module_args *in, struct model_out *out);
void swt_m_associate(struct model *m, struct model_vcpu *vcpu, unsigned int cpu);
void swt_m_enter(struct model *m, u64 tdvpr, unsigned int cpu);
void swt_m_exit(struct model *m, u64 tdvpr);

/* Compare all of it with the module; @where goes into the messages. */
void swt_m_check(struct kunit *test, struct model *m, const char *where);

#endif
