/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TDs that run the test's own guest code.  The program is the TD's memory:
 * its segments, page tables and stacks are built in the backing of slot 0 as
 * for any VM, and become private initial memory by tdx_guest_launch().  Boot
 * code, measured, takes a vCPU from the reset vector to a C function.
 *
 * Usage: tdx_guest_create(), then add vCPUs, memory, handlers and set globals,
 * then tdx_guest_launch(), then run.  After the launch the host has no access
 * to what is private; data for both is allocated with tdx_guest_shared_alloc().
 */
#ifndef SELFTEST_KVM_TDX_GUEST_H
#define SELFTEST_KVM_TDX_GUEST_H

#include <pthread.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"
#include "tdx_guest_lib.h"
#include "ucall_common.h"

/* The page that ends at 4 GiB, where a vCPU starts. */
#define TDX_BOOT_SLOT		1
#define TDX_BOOT_GPA		0xfffff000ull

/* Slot 0: the program, its page tables, stacks, whatever is allocated. */
#define TDX_PROGRAM_NR_PAGES	2048

/* OUT of 4 bytes: where the ucall is, relative to the backing of slot 0. */
#define TDX_UCALL_PORT		0x1000

/* Where tests see memory, private and shared; any of it can be seen as either. */
#define TDX_GUEST_PRIVATE(gpa)	(gpa)
#define TDX_GUEST_SHARED(gpa)	((gpa) + 0x1000000000ull)

/* General registers at the reset vector, for tests of the initial state. */
struct tdx_reset_regs {
	uint64_t rbx, rcx, rdx, rsi, r8;
};

/* Known to code in the TD. */
extern bool tdx_in_guest;
extern uint64_t tdx_guest_shared_bit;

/* TD with the program in it, before KVM_TDX_INIT_VCPU of anything. */
struct kvm_vm *tdx_guest_create(void);
/* The same with @adjust applied to the arguments of KVM_TDX_INIT_VM. */
struct kvm_vm *tdx_guest_create_with(void (*adjust)(struct kvm_tdx_init_vm *));
/* The same with a TSC of its own frequency. */
struct kvm_vm *tdx_guest_create_with_tsc(uint64_t khz);
void tdx_guest_no_attributes(struct kvm_tdx_init_vm *args);

/* vCPU that will call @code with @arg; after it returns the guest is done. */
struct kvm_vcpu *tdx_guest_vcpu_add(struct kvm_vm *vm, uint32_t id,
				    void (*code)(uint64_t), uint64_t arg);
struct tdx_reset_regs *tdx_guest_reset_regs(void);

/* Shared memory of slot 0: *@gva is its address in the TD. */
void *tdx_guest_shared_alloc(struct kvm_vm *vm, size_t size, vm_vaddr_t *gva);

/* Map @npages at @gpa in the TD's page tables at TDX_GUEST_PRIVATE, ..._SHARED. */
void tdx_guest_map_both(struct kvm_vm *vm, uint64_t gpa, uint64_t npages);
void tdx_guest_map(struct kvm_vm *vm, uint64_t gva, uint64_t gpa,
		   uint64_t npages, bool shared);
/* Slot of private memory that is not there initially, mapped as both. */
void *tdx_guest_mem_add(struct kvm_vm *vm, uint64_t gpa, uint32_t slot,
			uint64_t npages);

/* Initial memory, in the order in which tdx_guest_launch() adds it. */
struct tdx_initial {
	uint64_t gpa;
	void *src;
	uint64_t npages;
	bool measured;
};

#define TDX_MAX_INITIAL		64

int tdx_guest_initial(struct kvm_vm *vm, struct tdx_initial *initial);
void tdx_guest_launch(struct kvm_vm *vm);

/* One vCPU with @code, launched. */
struct kvm_vm *tdx_guest_launch_one(struct kvm_vcpu **vcpu,
				    void (*code)(uint64_t), uint64_t arg);

/*
 * Run until the guest has something to say (UCALL_SYNC or UCALL_DONE) or exits
 * to userspace for another reason (UCALL_NONE).  An assertion that fails in the
 * guest fails the test, what the guest prints is printed.
 */
uint64_t tdx_guest_run(struct kvm_vcpu *vcpu, struct ucall *uc);
/* Run and expect this. */
void tdx_guest_run_to_sync(struct kvm_vcpu *vcpu, uint64_t stage);
void tdx_guest_run_to_done(struct kvm_vcpu *vcpu);
void tdx_guest_run_to_exit(struct kvm_vcpu *vcpu, uint32_t reason);

pthread_t tdx_start_thread(void *(*fn)(void *arg), void *arg);
void tdx_pin_thread(pthread_t thread, int cpu);
/* tdx_guest_run_to_done() for several vCPUs, each in a thread on a CPU of its own. */
void tdx_guest_run_all_to_done(struct kvm_vcpu **vcpus, int nr);

/* As many vCPUs as a TD can have on this machine. */
static inline int tdx_guest_max_vcpus(void)
{
	return kvm_check_cap(KVM_CAP_NR_VCPUS);
}

/* KVM_EXIT_HYPERCALL for MAP_GPA_RANGE: do it, and drop what is not used now. */
void tdx_guest_handle_map_gpa(struct kvm_vcpu *vcpu);
/* Set the attribute and free the backing that is not in use any more. */
void tdx_guest_convert(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
		       bool to_private);

/* Private pages that KVM has in the S-EPT, by what its SEAMCALLs have done. */
int64_t tdx_guest_sept_pages(struct kvm_vm *vm);
/* Pages that are mapped, private and shared, in units of 4 KiB whatever their size. */
int64_t tdx_guest_mapped_pages(struct kvm_vm *vm);

/* Interrupt from the host; @data is a vector or a delivery mode. */
void tdx_guest_msi(struct kvm_vm *vm, uint32_t apic_id, uint32_t data);

/* Of lib/x86_64/ucall.c. */
void tdx_guest_do_ucall(vm_vaddr_t uc);
void *tdx_guest_get_ucall(struct kvm_vcpu *vcpu);

/* SHA-384, for what the TDX module measures. */
#define TDX_SHA384_SIZE		48
#define TDX_SHA384_BLOCK	128

struct tdx_sha384 {
	uint64_t state[8];
	uint64_t len;
	uint8_t block[TDX_SHA384_BLOCK];
};

void tdx_sha384_init(struct tdx_sha384 *sha);
void tdx_sha384_update(struct tdx_sha384 *sha, const void *data, size_t len);
void tdx_sha384_final(struct tdx_sha384 *sha, uint8_t hash[TDX_SHA384_SIZE]);
void tdx_sha384(const void *data, size_t len, uint8_t hash[TDX_SHA384_SIZE]);

#endif /* SELFTEST_KVM_TDX_GUEST_H */
