/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_MMU_TESTS_SLOT_FIXTURE_H
#define __KVM_X86_MMU_TESTS_SLOT_FIXTURE_H

/*
 * The hand-made VM of mmu_fixture.h with a memslot that is backed by a guest_memfd,
 * and a vCPU which has not loaded its MMU yet: what whole page faults need.
 */

#include "mmu_fixture.h"

#define SLOT_GFN	0x400ULL
#define SLOT_NPAGES	1024ULL
#define SLOT_END	(SLOT_GFN + SLOT_NPAGES)

struct slot_test {
	struct test_vm *vm;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu;
	struct kvm_memslots memslots;
	struct kvm_memory_slot slot;
	/* The guest_memfd */
	struct file *file;
};

/* kunit_suite callbacks; test->priv is the struct slot_test. */
int slot_fixture_init(struct kunit *test);
/* With large folios behind a slot that is all private. */
int slot_fixture_init_large(struct kunit *test);
void slot_fixture_exit(struct kunit *test);

/* Give gfns the attribute, as KVM_SET_MEMORY_ATTRIBUTES but without unmapping. */
void slot_test_make_private(struct slot_test *s, gfn_t start, gfn_t end);
/* The page of the guest_memfd for a gfn. */
kvm_pfn_t slot_test_pfn(struct slot_test *s, gfn_t gfn);

#endif /* __KVM_X86_MMU_TESTS_SLOT_FIXTURE_H */
