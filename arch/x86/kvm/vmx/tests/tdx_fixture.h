/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TESTS_TDX_FIXTURE_H
#define __KVM_X86_VMX_TESTS_TDX_FIXTURE_H

/*
 * A TD for the KUnit suites of the TDX backend: a VM made by hand on which the
 * backend's own functions work, with the software TDX module behind them.  There
 * is no VMX, no kvm_intel and no ioctl: suites call what these would call.
 *
 * At the end of a case the TD is destroyed in the order of
 * kvm_arch_destroy_vm().  Every page that it consisted of must then be back with
 * the kernel, or be counted as leaked, if the case said that it would be.
 */

#include <kunit/test.h>
#include <linux/xarray.h>

#include "../../../virt/vmx/tdx/sw/probe/sw_test.h"
#include "../../mmu/tests/mmu_fixture.h"
#include "../tdx.h"

/* What KVM itself doesn't ask the module for: OP_STATE, states of an S-EPT entry. */
#define TDX_OP_RUNNABLE		2

enum {
	TDX_SEPT_NL_MAPPED	= 0x84,
};

#define TDX_TEST_MAX_VCPUS	2

/* Where cases map things: 2 MiB before the first GiB, hence tables of its own. */
#define TDX_TEST_GFN		0x3fe00ULL

/* In what order the tables for a gfn are linked: levels 4, 3, 2 of KVM's. */
#define TDX_TEST_NR_TABLES	3

struct tdx_test {
	struct test_vm vm;
	struct kvm *kvm;
	struct kvm_tdx *kvm_tdx;
	struct kvm_vcpu *vcpus[TDX_TEST_MAX_VCPUS];
	unsigned int nr_vcpus;

	/* Private pages by gfn, marked if added rather than augmented. */
	struct xarray pages;
	/* Content of added pages. */
	struct page *source;

	/* Control and S-EPT pages by pfn, from the destruction of the TD on. */
	struct xarray control_pages;
	phys_addr_t tdr;
	int hkid;
	bool destroyed;

	/* What the destruction may leave behind, all in all. */
	unsigned int want_leaked;
	unsigned int nr_leaked;
	u64 old_leaked;
	s64 old_pages;

	/* That of another fixture which builds upon this one. */
	void *opaque;

	/* The module's counters at the time of tdx_test_reset_counts(). */
	u64 module_calls[TDX_NR_LEAVES];
};

#define TDX_TEST_ADDED		XA_MARK_0

int tdx_fixture_suite_init(struct kunit_suite *suite);
void tdx_fixture_suite_exit(struct kunit_suite *suite);

/*
 * kunit_suite callbacks; test->priv is the struct tdx_test, of a TD with two
 * vCPUs which is still INITIALIZED, or RUNNABLE.
 */
int tdx_fixture_init(struct kunit *test);
int tdx_fixture_init_runnable(struct kunit *test);
void tdx_fixture_exit(struct kunit *test);

/* The VM alone, without INIT_VM. */
void tdx_test_create_vm(struct kunit *test);
/* INIT_VM after the validation of its input; TD_PARAMS that the module accepts. */
int tdx_test_init_td(struct tdx_test *t, u64 *hw_error);
/* The same, which has to succeed, and all vCPUs. */
void tdx_test_create_td(struct tdx_test *t);
void tdx_test_create_vcpus(struct tdx_test *t);
void tdx_test_default_config(struct tdx_test *t, struct tdx_td_config *config);
/*
 * KVM_CREATE_VCPU and INIT_VCPU.  Whatever the module associates the vCPU for has to
 * be between vcpu_load() and vcpu_put(), as in KVM: the vCPU then follows the thread,
 * which may be moved at any time.  No assertions in between, for they would leave it
 * loaded.
 */
struct kvm_vcpu *tdx_test_create_vcpu(struct tdx_test *t);
int tdx_test_init_vcpu(struct tdx_test *t, struct kvm_vcpu *vcpu);
/* FINALIZE_VM */
int tdx_test_finalize(struct tdx_test *t);
/* The release of the VM's last reference. */
void tdx_test_destroy(struct tdx_test *t);

/* The page that backs @gfn, made when first asked for. */
struct page *tdx_test_page(struct tdx_test *t, gfn_t gfn);
/* The same for 2 MiB that are contiguous, though each page is one of its own. */
struct page *tdx_test_large_page(struct tdx_test *t, gfn_t gfn);
/* A fault on private memory, or INIT_MEM_REGION before finalize: RET_PF_* or errno */
int tdx_test_fault(struct tdx_test *t, gfn_t gfn);
int tdx_test_fault_on(struct tdx_test *t, struct kvm_vcpu *vcpu, gfn_t gfn);
/* One that is resolved by 2 MiB, of a TD that is RUNNABLE */
int tdx_test_fault_large(struct tdx_test *t, gfn_t gfn);
/* tdx_test_fault() for a range, until it is done, and expecting that it works. */
void tdx_test_map_range(struct tdx_test *t, gfn_t start, gfn_t end);
/* Split what the range cuts.  Without a slot nobody puts off faults. */
int tdx_test_split(struct tdx_test *t, gfn_t start, gfn_t end);
/* Punch a hole.  With @yield as guest_memfd does it, else what it costs is exact. */
void tdx_test_punch_hole(struct tdx_test *t, gfn_t start, gfn_t end, bool yield);

/* Mirror SPTE and state of the S-EPT entry; false if there is no such entry. */
u64 tdx_test_spte(struct tdx_test *t, gfn_t gfn, int level);
bool tdx_test_sept(struct tdx_test *t, gfn_t gfn, int level,
		   struct tdx_sw_sept_info *info);
void tdx_test_expect_entry(struct tdx_test *t, gfn_t gfn, int level, u8 state);

/* For the second CPU, and yet to be woken up; the caller stays on the first. */
struct task_struct *tdx_test_other_cpu_thread(struct tdx_test *t, int (*fn)(void *data),
					      void *data);

void tdx_test_reset_counts(struct tdx_test *t);
/* Calls since then, as the module counts. */
u64 tdx_test_nr_calls(struct tdx_test *t, unsigned int leaf);
/* No answer tells which key ID a page was written back with, and the last one was. */
void tdx_test_expect_written_back(struct tdx_test *t, u64 page, u16 hkid);
/* The same, which KVM and the module have to agree about. */
void tdx_test_expect_calls(struct tdx_test *t, unsigned int leaf, u64 want);
void tdx_test_expect_rounds(struct tdx_test *t, u64 rounds, u64 kicks, u64 busy);
void tdx_test_expect_pages(struct tdx_test *t, u64 mapped, u64 removed, u64 leaked);
void tdx_test_expect_bugged(struct tdx_test *t, bool bugged);

/* tdx_walker.c: mirror, S-EPT, and the state of every page, entry by entry */
void tdx_test_expect_trees_equal(struct tdx_test *t);

#endif /* __KVM_X86_VMX_TESTS_TDX_FIXTURE_H */
