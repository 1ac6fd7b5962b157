/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_MMU_TESTS_FIXTURE_H
#define __KVM_X86_MMU_TESTS_FIXTURE_H

/*
 * A VM with a mirror for KUnit suites, made by hand: no vendor module, no
 * ioctls, just what the TDP MMU needs.  Its backend is a model of an external
 * page table, which knows the state of every entry, refuses (and counts) what
 * the contract forbids, and fails on request.
 */

#include <kunit/test.h>
#include <linux/kvm_host.h>
#include <linux/xarray.h>

#include "../external.h"
#include "../tdp_iter.h"
#include "../tdp_mmu.h"

/* Guest physical width 48, as far as the direct bit is concerned. */
#define TEST_DIRECT_BIT		(1ULL << (47 - PAGE_SHIFT))

enum model_op {
	MODEL_LINK,
	MODEL_MAP,
	MODEL_BEGIN,
	MODEL_FINISH,
	MODEL_FLUSH,
	MODEL_SPLIT,
	MODEL_BEGIN_FREE,
	MODEL_FREE,
	NR_MODEL_OPS,
};

/* States of an entry; absent from the xarray is free. */
enum model_state {
	MODEL_FREE_ENTRY,
	MODEL_TABLE,
	MODEL_LEAF,
	MODEL_BLOCKED,
	MODEL_FLUSHED,
	MODEL_BLOCKED_TABLE,
	MODEL_FLUSHED_TABLE,
};

struct model_call {
	enum model_op op;
	gfn_t gfn;
	int level;
};

#define MODEL_MAX_CALLS		64

struct test_vm;

struct external_model {
	spinlock_t lock;		/* all below, faults come in parallel */
	struct xarray entries;
	unsigned int count[NR_MODEL_OPS];

	/* The first calls, in their order. */
	struct model_call calls[MODEL_MAX_CALLS];
	unsigned int nr_calls;

	/* What the contract forbids, has it happened? */
	unsigned int nr_violations;
	const char *violation;

	/* Answer @fail_errno @fail_times times, from call @fail_nth of @fail_op on. */
	enum model_op fail_op;
	unsigned int fail_nth;
	unsigned int fail_times;
	int fail_errno;

	/* Ask for a reschedule after that many begins of removal. */
	unsigned int resched_every;

	/* What that was when the removal of the last leaf began, if there is one. */
	u64 *watched, watched_at_begin;

	/* Take every table as unused, as if the VM's key were gone. */
	bool key_gone;

	/* Let tables go while the VM is alive, as one with large pages does. */
	bool frees_tables;

	/* Called with no lock but mmu_lock, after each finish of a removal. */
	void (*after_finish)(struct test_vm *vm);
};

/* Of the page by which everything is mapped */
#define TEST_PAGE_ORDER		9

struct test_vm {
	struct kunit *test;
	struct kvm *kvm;
	struct kvm_memory_slot slot;
	struct page *page;
	struct external_model model;
};

int mmu_fixture_suite_init(struct kunit_suite *suite);
void mmu_fixture_suite_exit(struct kunit_suite *suite);

/* kunit_suite callbacks; test->priv is the struct test_vm. */
int mmu_fixture_init(struct kunit *test);
void mmu_fixture_exit(struct kunit *test);

struct kvm_vcpu *test_vcpu_create(struct test_vm *vm);
/* The same for a vCPU that is part of something larger. */
void test_vcpu_init(struct test_vm *vm, struct kvm_vcpu *vcpu);
void test_vcpu_destroy(struct kvm_vcpu *vcpu);
int test_vcpu_topup(struct kvm_vcpu *vcpu);

/* kvm_tdp_mmu_map() with mmu_lock held for read.  Call test_vcpu_topup() first. */
int test_map(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn, bool private);
/* The same for private memory by a page of 2 MiB, which @pfn is in. */
int test_map_large(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn);
/* The same for a gfn that no slot has; the fault to be resolved by #VE. */
int test_map_mmio(struct kvm_vcpu *vcpu, gfn_t gfn);
/* test_map(), with topup and until it is done, and expecting that it works. */
void test_map_range(struct test_vm *vm, struct kvm_vcpu *vcpu, gfn_t start,
		    gfn_t end);
/* Likewise by pages of 2 MiB. */
void test_map_large_range(struct test_vm *vm, struct kvm_vcpu *vcpu, gfn_t start,
			  gfn_t end);
/*
 * Unmap what @filter selects, as a conversion or a hole punched would, but that nothing is
 * split before.  Faults are put off meanwhile.
 */
bool test_unmap(struct test_vm *vm, gfn_t start, gfn_t end,
		enum kvm_gfn_range_filter filter);
/* Unmap private memory in one go, so that what it costs is exact. */
bool test_unmap_without_yield(struct test_vm *vm, gfn_t start, gfn_t end);
/* Remove the roots as destroying the VM would. */
void test_destroy_roots(struct test_vm *vm);

struct kvm_mmu_page *test_mirror_root(struct kvm_vcpu *vcpu);
/* The SPTE of @gfn at @level of the mirror, 0 if there is no such table. */
u64 test_read_spte(struct kvm_vcpu *vcpu, gfn_t gfn, int level);
/* The SPTE of @gfn at 4 KiB of the direct tree. */
u64 test_read_direct_spte(struct kvm_vcpu *vcpu, gfn_t gfn);

enum model_state model_state(struct test_vm *vm, gfn_t gfn, int level);
void model_fail(struct test_vm *vm, enum model_op op, unsigned int nth,
		unsigned int times, int err);
void model_reset_counts(struct test_vm *vm);

/* Compare all of the mirror with all of the model, entry by entry. */
void test_expect_trees_equal(struct test_vm *vm, struct kvm_vcpu *vcpu);
void test_expect_no_violation(struct test_vm *vm);

#endif /* __KVM_X86_MMU_TESTS_FIXTURE_H */
