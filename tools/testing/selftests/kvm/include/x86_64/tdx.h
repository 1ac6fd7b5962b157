/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers for tests of TDX VMs: the ioctls that build a TD, in the order in
 * which QEMU issues them, and the counters that KVM keeps about TDs.
 *
 * Not here: running a TD, and knowledge of which TDX module is underneath.
 * Functions whose name starts with "__" return 0 or a negative errno; the
 * others assert success.
 */
#ifndef SELFTEST_KVM_TDX_H
#define SELFTEST_KVM_TDX_H

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"

#define TDX_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)
#define TDX_MRTD_SIZE			48

/* High half of a completion status: what happened, without the operand. */
#define TDX_STATUS(hw_error)		((uint32_t)((hw_error) >> 32))
#define TDX_STATUS_OPERAND_INVALID	0xc0000100
#define TDX_STATUS_NO_VCPUS		0xc0000609

/* Where the tests put the memory of a TD. */
#define TDX_TEST_SLOT			10
#define TDX_TEST_GPA			0x40000000ull

/* Leaves as KVM's counters name them. */
#define TDX_LEAF_PAGE_ADD		"MEM.PAGE.ADD"
#define TDX_LEAF_PAGE_AUG		"MEM.PAGE.AUG"
#define TDX_LEAF_PAGE_DEMOTE		"MEM.PAGE.DEMOTE"
#define TDX_LEAF_PAGE_REMOVE		"MEM.PAGE.REMOVE"
#define TDX_LEAF_RANGE_BLOCK		"MEM.RANGE.BLOCK"
#define TDX_LEAF_SEPT_ADD		"MEM.SEPT.ADD"
#define TDX_LEAF_TRACK			"MEM.TRACK"
#define TDX_LEAF_MR_EXTEND		"MR.EXTEND"
#define TDX_LEAF_VP_ENTER		"VP.ENTER"
#define TDX_LEAF_VP_FLUSH		"VP.FLUSH"

/* Turn the -1/errno of a system call into a value to compare with. */
#define tdx_ret(call)				\
({						\
	int __ret = (call);			\
						\
	__ret < 0 ? -errno : __ret;		\
})

#define TDX_MAX_COUNTERS	64

struct tdx_counter {
	char name[32];
	uint64_t val;
};

struct tdx_counters {
	int nr;
	struct tdx_counter c[TDX_MAX_COUNTERS];
};

/* What TDs take and have to give back: the same before and after a TD. */
struct tdx_usage {
	uint64_t keyids;	/* key IDs in use */
	uint64_t keyids_total;	/* key IDs there are */
	int64_t pages;		/* that the module has */
	uint64_t leaked;	/* pages given up for good */
};

static inline bool kvm_has_tdx(void)
{
	return kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(KVM_X86_TDX_VM);
}

/* One KVM_MEMORY_ENCRYPT_OP on a VM or vCPU file descriptor. */
int __tdx_cmd(int fd, uint32_t id, uint32_t flags, const void *data,
	      uint64_t *hw_error);

/* Guest physical width of a TD: never assume one, the shared bit is below it. */
unsigned int tdx_gpa_width(void);

static inline uint64_t tdx_shared_bit(void)
{
	return BIT_ULL(tdx_gpa_width() - 1);
}

/*
 * Life cycle, in this order.  tdx_vm_create() stops short of KVM_TDX_INIT_VM,
 * and tdx_vcpu_add() short of KVM_TDX_INIT_VCPU.
 */
struct kvm_vm *tdx_vm_create(void);
struct kvm_tdx_capabilities *tdx_vm_capabilities(struct kvm_vm *vm);
void tdx_vm_mem_add(struct kvm_vm *vm, uint64_t gpa, uint32_t slot,
		    uint64_t npages);
struct kvm_tdx_init_vm *tdx_vm_init_args(struct kvm_vm *vm);
int __tdx_vm_init(struct kvm_vm *vm, const struct kvm_tdx_init_vm *args,
		  uint64_t *hw_error);
void tdx_vm_init(struct kvm_vm *vm);
/* With arguments that @adjust, if not NULL, has changed. */
void tdx_vm_init_with(struct kvm_vm *vm, void (*adjust)(struct kvm_tdx_init_vm *));
struct kvm_vcpu *tdx_vcpu_add(struct kvm_vm *vm, uint32_t id);
int __tdx_vcpu_init(struct kvm_vcpu *vcpu, uint64_t rcx);
void tdx_vcpu_init(struct kvm_vcpu *vcpu, uint64_t rcx);
void tdx_vm_finalize(struct kvm_vm *vm);

/* All of the above up to an initialized vCPU, with @npages at TDX_TEST_GPA. */
struct kvm_vm *tdx_vm_create_with_vcpu(uint64_t npages, struct kvm_vcpu **vcpu);
/* The same, finalized. */
struct kvm_vm *tdx_vm_create_runnable(uint64_t npages, struct kvm_vcpu **vcpu);

int __tdx_vcpu_get_cpuid(struct kvm_vcpu *vcpu, struct kvm_cpuid2 *cpuid);
struct kvm_cpuid2 *tdx_vcpu_get_cpuid(struct kvm_vcpu *vcpu);

/* Memory. */
int __tdx_init_mem_region(struct kvm_vcpu *vcpu, uint32_t flags,
			  struct kvm_tdx_init_mem_region *region);
void tdx_init_mem_region(struct kvm_vcpu *vcpu, void *src, uint64_t gpa,
			 uint64_t npages, bool measure);
int __tdx_pre_fault(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t size,
		    uint64_t *left);
void tdx_pre_fault(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t size);
int __tdx_set_attributes(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
			 uint64_t attributes);

/* kvm_intel.tdx_huge_page, until the test ends. */
void tdx_set_huge_page(bool on);

/* KVM killed the VM: every ioctl answers -EIO from then on. */
bool tdx_vm_is_dead(struct kvm_vm *vm);
void tdx_vm_free_dead(struct kvm_vm *vm);

/* Counters. */
void tdx_vm_counters(struct kvm_vm *vm, struct tdx_counters *counters);
/* The same of all TDs together that are gone. */
void tdx_host_counters(struct tdx_counters *counters);
/* 0 for a leaf that was never called. */
uint64_t tdx_counter(const struct tdx_counters *counters, const char *name);
uint64_t tdx_vm_count(struct kvm_vm *vm, const char *leaf);
/* Without others that want the CPU, KVM has hardly a reason to yield it. */
void tdx_prefer_this_task(void);
/* How often a removal of private pages let others have mmu_lock or the CPU. */
uint64_t tdx_vm_forced_yields(struct kvm_vm *vm);
void tdx_usage(struct tdx_usage *usage);
/* Whether KVM shows such a range of private memory, e.g. "0x0-0x1fffff 2M accepted 1". */
bool tdx_vm_has_range(struct kvm_vm *vm, const char *range);
bool tdx_has_mrtd(struct kvm_vm *vm);
int __tdx_vm_mrtd(struct kvm_vm *vm, uint8_t mrtd[TDX_MRTD_SIZE]);
void tdx_vm_mrtd(struct kvm_vm *vm, uint8_t mrtd[TDX_MRTD_SIZE]);
void tdx_mrtd_to_hex(const uint8_t mrtd[TDX_MRTD_SIZE],
		     char hex[2 * TDX_MRTD_SIZE + 1]);

/* Kernel taint flags; a test that provokes a failure compares them. */
unsigned long tdx_kernel_taint(void);
#define TDX_TAINT_WARN		BIT(9)

/*
 * Failures on request: @kind is a directory of the software TDX module in debugfs,
 * see Documentation/fault-injection/fault-injection.rst for the files in it.
 */
bool tdx_has_faults(const char *kind);
void tdx_fault_set(const char *kind, const char *file, uint64_t val);
/* Let the @nth next call of a leaf fail, and those that follow, @times in all. */
void tdx_fail_leaf(unsigned int leaf, int nth, int times, uint64_t status);
void tdx_fail_nothing(void);

/* What the kernel logs from now on, and whether @text has been among it. */
int tdx_kmsg_open(void);
bool tdx_kmsg_has(int fd, const char *text);

#endif /* SELFTEST_KVM_TDX_H */
