/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TESTS_TDX_RUN_FIXTURE_H
#define __KVM_X86_VMX_TESTS_TDX_RUN_FIXTURE_H

/*
 * What running a vCPU of a TD needs in addition to the TD itself: kvm_run, buses
 * with a device on them, a memslot, the vendor's operations.  Suites make up what
 * TDH.VP.ENTER would have returned, and let the backend handle it.
 */

#include <kvm/iodev.h>

#include "tdx_fixture.h"

/* The one device on all buses, which answers reads with TDX_TEST_DEV_VALUE. */
#define TDX_TEST_DEV_PORT	0x3f8
#define TDX_TEST_DEV_GPA	0xfe000000ULL
#define TDX_TEST_DEV_FAST_GPA	0xfe001000ULL
#define TDX_TEST_DEV_LEN	16
#define TDX_TEST_DEV_VALUE	0x1122334455667788ULL

/* Neither of these has a device. */
#define TDX_TEST_NO_DEV_PORT	0x2f8
#define TDX_TEST_NO_DEV_GPA	0xfd000000ULL

struct tdx_run_test {
	struct tdx_test *t;
	struct kvm_vcpu *vcpu;
	struct vcpu_tdx *tdx;
	struct kvm_run *run;
	void *pio_page;

	struct kvm_io_device dev;
	unsigned int nr_dev_reads;
	unsigned int nr_dev_writes;
	gpa_t dev_addr;
	int dev_len;
	u64 dev_value;

	struct kvm_memslots memslots;
	struct kvm_memory_slot slot;

	/* Registers of the TDVMCALL that is being tested, as they should be. */
	struct tdx_module_args want;
};

int tdx_run_fixture_init(struct kunit *test);
void tdx_run_fixture_exit(struct kunit *test);
struct tdx_run_test *tdx_run_test(struct kunit *test);

/* An exit with @status and @regs, handled: what KVM_RUN would do next. */
int tdx_run_exit(struct tdx_run_test *r, u64 status,
		 const struct tdx_module_args *regs);
/* The same for a TDVMCALL; its registers are what is wanted, until changed. */
int tdx_run_vmcall(struct tdx_run_test *r, const struct tdx_module_args *regs);
/* The beginning of the next KVM_RUN. */
int tdx_run_complete(struct tdx_run_test *r);

/* That all registers of the TDVMCALL are as in r->want. */
void tdx_run_expect_regs(struct tdx_run_test *r);
/* ... after the answer @status, and in the second case a value. */
void tdx_run_expect_answer(struct tdx_run_test *r, u64 status);
void tdx_run_expect_value(struct tdx_run_test *r, u64 status, u64 value);
/* Nothing is left to be completed. */
void tdx_run_expect_idle(struct tdx_run_test *r);

/* An address with the shared bit */
gpa_t tdx_run_shared(struct tdx_run_test *r, gpa_t gpa);

#endif /* __KVM_X86_VMX_TESTS_TDX_RUN_FIXTURE_H */
