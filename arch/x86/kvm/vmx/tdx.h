/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TDX_H
#define __KVM_X86_VMX_TDX_H

/*
 * KVM's view of a TD and its vCPUs, for the files of the TDX backend:
 *
 *	tdx.c		bring-up
 *	tdx_td.c	life of a TD
 *	tdx_key.c	its key ID, the key on all packages, write-back of the caches
 *	tdx_vcpu.c	life of a vCPU, operations on it
 *	tdx_assoc.c	the CPU that a vCPU belongs to
 *	tdx_entry.c	entry to the TD, the host's state around it
 *	tdx_exit.c	exits from the TD by reason
 *	tdx_violation.c	EPT violations
 *	tdx_vmcall.c	TDVMCALLs: answered, or handed to userspace
 *	tdx_emulate.c	those that stand for an instruction
 *	tdx_irq.c	interrupts, NMIs, wake-up of halted vCPUs
 *	tdx_ioctl.c	KVM_MEMORY_ENCRYPT_OP: copy in, validate, call, copy out
 *	tdx_populate.c	the same for the initial memory
 *	tdx_cpuid.c	CPUID, attributes and XFAM: offered, configured, read back
 *	tdx_sept.c	private memory: changes of the mirror to SEAMCALLs
 *	tdx_sept_remove.c	the same for what is removed or split; tdx_sept.h
 *	tdx_msr.c	MSRs that KVM emulates for a TD
 *	tdx_control.c	control pages, reclaim, how failures are told of
 *	tdx_stats.c	counters; tdx_call.h: SEAMCALLs, counted
 *	tdx_debugfs.c	what they show in debugfs
 *	tdx_names.c	names of leaves, exits and TDVMCALLs
 *
 * and for vt.c, which brings it up, and vt_ops.c, which chooses between it and VMX.
 */

#include <linux/kvm_host.h>

#include "common.h"
#include "vmx.h"

#ifdef CONFIG_KVM_INTEL_TDX

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/misc_cgroup.h>

#include <asm/tdh.h>

#include "tdx_arch.h"

/*
 * States of a TD.  Changed under kvm->lock, all vCPU mutexes and slots_lock, so
 * that any one of them is enough to read it.  Two more read it: S-EPT operations
 * under mmu_lock, which is therefore held for write when the TD becomes runnable;
 * and the creation of a vCPU without a lock, while which no state changes, see
 * tdx_lock_vm().
 */
enum kvm_tdx_state {
	/* No key ID, no control page. */
	TD_STATE_UNINITIALIZED,
	/* The initial image is being built.  No tracking of S-EPT changes. */
	TD_STATE_INITIALIZED,
	/* Measurement is closed, vCPUs may run. */
	TD_STATE_RUNNABLE,
};

/* Leaf numbers fit into TDX_NR_LEAVES. */
#define TDX_NR_LEAVES		64

/* Exit reasons are below, others are counted as TDX_NR_EXIT_REASONS - 1. */
#define TDX_NR_EXIT_REASONS	80

/* Counters of TDVMCALLs: the rows of tdx_vmcalls[], followed by two more. */
enum {
	TDX_VMCALL_CPUID,
	TDX_VMCALL_HLT,
	TDX_VMCALL_IO,
	TDX_VMCALL_RDMSR,
	TDX_VMCALL_WRMSR,
	TDX_VMCALL_MMIO,
	TDX_VMCALL_GET_INFO,
	TDX_VMCALL_MAP_GPA,
	TDX_VMCALL_GET_QUOTE,
	TDX_VMCALL_FATAL_ERROR,
	TDX_VMCALL_EVENT_NOTIFY,
	TDX_VMCALL_HYPERCALL,
	TDX_VMCALL_UNSUPPORTED,
	TDX_NR_VMCALLS,
};

/*
 * In vcpu_vt.exit_reason if the module gave none: a reason that doesn't exist,
 * without any of the flags in bits 31:16.
 */
#define TDX_NO_EXIT_REASON	0xffff

/* "No key ID": the range of real ones starts above the MKTME ones. */
#define TDX_NO_HKID		(-1)

/* Three numbers, and what is between them and at the end */
#define TDX_NAME_LEN		36

struct kvm_tdx {
	struct kvm kvm;

	/*
	 * What lines in the log call it: the name of its directory in debugfs, which
	 * begins with the pid of its VMM; the pid alone without debugfs.
	 */
	char name[TDX_NAME_LEN];

	enum kvm_tdx_state state;

	/*
	 * The TD's key ID, TDX_NO_HKID before INIT_VM and after its release.
	 * Pages leave the TD by removal while there is one, by reclaim after, and
	 * not at all while it is being released.  The release is serialized by
	 * tdx_key_lock, and holds mmu_lock for write where it begins and ends.
	 */
	int hkid;
	bool key_going;
	/* The key could not be released: all pages of the TD are lost. */
	bool key_leaked;
	/*
	 * The module refuses whatever concerns the TD's memory.  Pages (by PFN) that
	 * wait for the release of the key to be over, with their level, which is 0 for
	 * a page of the S-EPT.  Under mmu_lock held for write,
	 * or without any lock when the VM has no users.
	 */
	bool fatal;
	struct xarray deferred;

	/*
	 * The page whose removal couldn't begin, how often in a row that was so of
	 * it, and of any page.  Under mmu_lock held for write.
	 */
	gpa_t busy_gpa;
	unsigned int nr_busy;
	unsigned int nr_busy_all;
	struct misc_cg *misc_cg;

	/* Control pages, 0 if there is none. */
	phys_addr_t tdr;
	phys_addr_t *tdcs;
	unsigned int nr_tdcs;

	u64 attributes;
	u64 xfam;
	u64 tsc_offset;
	u64 tsc_multiplier;

	/*
	 * Source of the page that INIT_MEM_REGION is adding.  Protected by
	 * slots_lock, 0 outside of the addition.
	 */
	phys_addr_t add_source;

	/*
	 * vCPUs must not enter the TD: a removal found the module busy and is
	 * about to try again.  Written under mmu_lock held for write.
	 */
	bool hold_off_entry;

	atomic64_t seamcalls[TDX_NR_LEAVES];
	atomic64_t exits[TDX_NR_EXIT_REASONS];
	atomic64_t vmcalls[TDX_NR_VMCALLS];
};

enum tdx_halt {
	TDX_NOT_HALTED,
	TDX_HALTED,
	/* ... and no interrupt that it had taken over is waiting. */
	TDX_HALTED_IDLE,
	/* Interrupts don't wake it. */
	TDX_HALTED_INTR_BLOCKED,
};

enum vcpu_tdx_state {
	VCPU_TD_STATE_UNINITIALIZED,
	VCPU_TD_STATE_INITIALIZED,
};

struct vcpu_tdx {
	struct kvm_vcpu vcpu;
	struct vcpu_vt vt;

	/* Changed like the state of the TD. */
	enum vcpu_tdx_state state;

	/*
	 * Control pages, 0 if there is none.  Physical addresses, as the code that
	 * enters the TD can't call what would convert them.
	 */
	phys_addr_t tdvpr;
	phys_addr_t *tdcx;
	unsigned int nr_tdcx;

	/*
	 * The CPU that the module may have associated the vCPU with, -1 if
	 * none, and the link in that CPU's list.  Written on that CPU with
	 * interrupts disabled.
	 */
	int assoc_cpu;
	struct list_head assoc_list;

	/*
	 * What TDH.VP.ENTER returned: RAX, which holds TDX_OPERAND_BUSY if KVM held
	 * the entry off, and the other registers.
	 */
	u64 status;
	struct tdx_module_args regs;

	/*
	 * Registers of the last TDVMCALL, with the answer.  They go into every
	 * entry: an exit that the module makes up, or refuses to go beyond, may
	 * come before the guest has received the answer.
	 */
	struct tdx_module_args vmcall;
	/* The rest of a MapGPA request, with the shared bit if it is set there. */
	gpa_t map_gpa_next;
	gpa_t map_gpa_end;

	/* How the vCPU halted, if that is what it did last. */
	enum tdx_halt halt;

	/*
	 * A private fault to be resolved before the TD is entered, INVALID_GPA if
	 * there is none.
	 */
	gpa_t refault_gpa;

	/* The entries that were made in spite of a fault, and at which address. */
	gpa_t vain_gpa;
	unsigned int nr_vain_entries;

	/*
	 * The private fault that was resolved since the guest ran, if any, and
	 * mmu_invalidate_seq from before, to tell whether it still is.
	 */
	gpa_t resolved_gpa;
	unsigned long resolved_seq;

	/* EPT violations at one GPA in a row that look resolved, but aren't. */
	gpa_t repeated_gpa;
	unsigned int nr_repeated;
	bool emulation_is_vain;

	/* The module has disabled it for good. */
	bool disabled;
};

/* Code for both kinds of vCPUs finds the shared part at the same place. */
static_assert(offsetof(struct vcpu_tdx, vcpu) == 0);
static_assert(offsetof(struct vcpu_tdx, vt) == offsetof(struct vcpu_vmx, vt));
static_assert(offsetof(struct kvm_tdx, kvm) == 0);

static __always_inline struct kvm_tdx *to_kvm_tdx(struct kvm *kvm)
{
	vt_warn_on(kvm->arch.vm_type != KVM_X86_TDX_VM);

	return container_of(kvm, struct kvm_tdx, kvm);
}

static __always_inline struct vcpu_tdx *to_tdx(struct kvm_vcpu *vcpu)
{
	vt_warn_on(vcpu->kvm->arch.vm_type != KVM_X86_TDX_VM);

	return container_of(vcpu, struct vcpu_tdx, vcpu);
}

static inline bool tdx_has_key(const struct kvm_tdx *kvm_tdx)
{
	return kvm_tdx->hkid != TDX_NO_HKID;
}

static inline bool tdx_is_runnable(const struct kvm_tdx *kvm_tdx)
{
	return kvm_tdx->state == TD_STATE_RUNNABLE;
}

/* Whether bits 31:0 of what TDH.VP.ENTER returned are an exit reason. */
static __always_inline bool tdx_status_has_exit_reason(u64 status)
{
	return tdx_status_is_success(status) ||
	       tdx_status_is_non_recoverable(status);
}

/* The parts of TD_PARAMS and of the command that INIT_VM needs. */
struct tdx_td_config {
	struct td_params params;
	gfn_t direct_bits;
};

extern bool enable_tdx;

/* tdx.c */
void tdx_hardware_setup(const char *op);
void tdx_bringup(void);
void tdx_cleanup(void);

/* tdx_td.c */
int tdx_vm_init(struct kvm *kvm);
void tdx_vm_end(struct kvm *kvm);
void tdx_vm_destroy(struct kvm *kvm);
int tdx_td_init(struct kvm *kvm, struct tdx_td_config *config, u64 *hw_error);
int tdx_td_finalize(struct kvm *kvm, u64 *hw_error);

/* tdx_key.c */
extern struct mutex tdx_key_lock;
int tdx_assign_key(struct kvm_tdx *kvm_tdx);
void tdx_unassign_key(struct kvm_tdx *kvm_tdx);
int tdx_config_key(struct kvm_tdx *kvm_tdx, u64 *status);
void tdx_release_key(struct kvm_tdx *kvm_tdx);

/* tdx_control.c */
extern bool tdx_huge_page;
bool tdx_has_large_pages(void);
void tdx_log_failure(struct kvm *kvm, unsigned int leaf, u64 status, u64 op1,
		     u64 op2);
int tdx_report_failure(struct kvm *kvm, unsigned int leaf, u64 status,
		       u64 op1, u64 op2);
int tdx_read_error(struct kvm *kvm, unsigned int leaf, u64 status, u64 op1, u64 op2);
phys_addr_t tdx_alloc_control_page(void);
void tdx_free_control_page(phys_addr_t page);
void tdx_reclaim_control_page(struct kvm_tdx *kvm_tdx, phys_addr_t page);
bool tdx_reclaim_page(struct kvm_tdx *kvm_tdx, phys_addr_t page);
void tdx_leak_private_page(struct kvm *kvm, phys_addr_t page, enum pg_level level);
int tdx_defer_removal(struct kvm_tdx *kvm_tdx, phys_addr_t page, enum pg_level level);
int tdx_defer_table(struct kvm_tdx *kvm_tdx, phys_addr_t page);
void tdx_reclaim_deferred(struct kvm_tdx *kvm_tdx);

/* tdx_assoc.c */
void tdx_vcpus_init(void);
void tdx_disable_virtualization_cpu(void);
void tdx_vcpu_dissociate(struct kvm_vcpu *vcpu);
void tdx_vcpu_load(struct kvm_vcpu *vcpu, int cpu);
void tdx_vcpu_put(struct kvm_vcpu *vcpu);

/* tdx_vcpu.c */
int tdx_vcpu_create(struct kvm_vcpu *vcpu);
void tdx_vcpu_free(struct kvm_vcpu *vcpu);
void tdx_vcpu_reset(struct kvm_vcpu *vcpu, bool init_event);
int tdx_vcpu_pre_run(struct kvm_vcpu *vcpu);
int tdx_vcpu_init(struct kvm_vcpu *vcpu, u64 rcx);
void tdx_flush_tlb_all(struct kvm_vcpu *vcpu);
void tdx_flush_tlb_current(struct kvm_vcpu *vcpu);
void tdx_load_mmu_pgd(struct kvm_vcpu *vcpu, hpa_t root_hpa, int level);
int tdx_read_vp(struct kvm_vcpu *vcpu, u64 field, u64 *data);
int tdx_write_vp(struct kvm_vcpu *vcpu, u64 field, u64 data, u64 mask);

/*
 * For whatever makes the module associate the vCPU with the CPU this runs on: if the
 * thread is moved to another one, the vCPU has to follow.
 */
static inline void tdx_assert_vcpu_loaded(struct kvm_vcpu *vcpu)
{
	lockdep_assert(kvm_get_running_vcpu() == vcpu);
}

/* tdx_entry.c */
void tdx_entry_init(void);
void tdx_entry_set_xfam(u64 supported_xfam);
void tdx_prepare_switch_to_host(struct kvm_vcpu *vcpu);
void tdx_record_exit(struct vcpu_tdx *tdx, u64 status);
fastpath_t tdx_vcpu_run(struct kvm_vcpu *vcpu, u64 run_flags);
void tdx_get_exit_info(struct kvm_vcpu *vcpu, u32 *reason, u64 *info1,
		       u64 *info2, u32 *intr_info, u32 *error_code);
#if IS_ENABLED(CONFIG_KUNIT)
bool tdx_xfam_can_change_xss(u64 supported_xfam, u64 host_xss);
#endif

/* tdx_exit.c */
int tdx_handle_exit(struct kvm_vcpu *vcpu, fastpath_t fastpath);
void tdx_clear_events(struct kvm_vcpu *vcpu);

/* tdx_violation.c */
int tdx_handle_ept_violation(struct kvm_vcpu *vcpu);
int tdx_fault_in_private(struct kvm_vcpu *vcpu, gpa_t gpa);
int tdx_check_emulate_instruction(struct kvm_vcpu *vcpu, int emul_type, void *insn,
				  int insn_len);

/* tdx_vmcall.c */
int tdx_handle_vmcall(struct kvm_vcpu *vcpu);

/* tdx_emulate.c */
int tdx_complete_emulated_msr(struct kvm_vcpu *vcpu, int err);

/* tdx_irq.c */
bool tdx_protected_apic_has_interrupt(struct kvm_vcpu *vcpu);
void tdx_inject_nmi(struct kvm_vcpu *vcpu);

/* tdx_msr.c */
bool tdx_has_emulated_msr(u32 index);
int tdx_get_msr(struct kvm_vcpu *vcpu, struct msr_data *msr);
int tdx_set_msr(struct kvm_vcpu *vcpu, struct msr_data *msr);

/* tdx_ioctl.c */
int tdx_vm_ioctl(struct kvm *kvm, void __user *argp);
int tdx_vcpu_ioctl(struct kvm_vcpu *vcpu, void __user *argp);
int tdx_vcpu_unlocked_ioctl(struct kvm_vcpu *vcpu, void __user *argp);

/* tdx_populate.c */
int tdx_init_mem_region(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd);

/* tdx_cpuid.c */
u64 tdx_supported_attributes(const struct tdx_sys_info *info);
u64 tdx_supported_xfam(const struct tdx_sys_info *info);
void tdx_get_configurable_cpuid(const struct tdx_sys_info *info,
				unsigned int i, struct kvm_cpuid_entry2 *entry);
int tdx_make_td_config(struct kvm *kvm, const struct tdx_sys_info *info,
		       const struct kvm_tdx_init_vm *init,
		       const struct kvm_cpuid_entry2 *entries,
		       struct tdx_td_config *config);
int tdx_read_td_cpuid(struct kvm *kvm, struct kvm_cpuid_entry2 *entries,
		      unsigned int max);

/* tdx_sept.c */
int tdx_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte,
			  u64 new_spte, enum pg_level level);
void tdx_flush_external_tlbs(struct kvm *kvm);
void tdx_free_external_spt(struct kvm *kvm, struct kvm_mmu_page *sp);
int tdx_private_max_mapping_level(struct kvm *kvm);
u8 tdx_sept_state(struct kvm *kvm, gpa_t gpa);
bool tdx_sept_is_pending(struct kvm *kvm, gpa_t gpa);
int tdx_sept_measure_page(struct kvm *kvm, gfn_t gfn);
#if IS_ENABLED(CONFIG_KUNIT)
void tdx_hold_off_entry(struct kvm *kvm);
void tdx_allow_entry(struct kvm *kvm);
#endif

/* tdx_stats.c */
extern atomic64_t tdx_seamcalls_gone[TDX_NR_LEAVES];
extern atomic64_t tdx_exits_gone[TDX_NR_EXIT_REASONS];
extern atomic64_t tdx_vmcalls_gone[TDX_NR_VMCALLS];
void tdx_stats_vm_destroyed(struct kvm_tdx *kvm_tdx);
void tdx_stats_key_assigned(void);
void tdx_stats_key_released(void);
unsigned int tdx_nr_keyids_used(void);
void tdx_count_leak(struct kvm *kvm, unsigned int nr_pages);
u64 tdx_nr_leaked_pages(void);
s64 tdx_nr_pages(void);
void tdx_count_exit(struct kvm *kvm, unsigned int reason);
void tdx_count_vmcall(struct kvm *kvm, unsigned int i);

/* tdx_debugfs.c */
void tdx_debugfs_init(void);
void tdx_debugfs_add_vm(struct kvm *kvm);

/* tdx_names.c */
const char *tdx_leaf_name(unsigned int leaf);
const char *tdx_exit_reason_name(unsigned int reason);
const char *tdx_vmcall_name(unsigned int i);

/* vt_ops.c */
const char *vt_unexpected_op(const struct kvm_x86_ops *ops);
void vt_ops_setup(struct kvm_x86_ops *ops);

#else /* !CONFIG_KVM_INTEL_TDX */

#define enable_tdx false

struct kvm_tdx {
	struct kvm kvm;
};

struct vcpu_tdx {
	struct kvm_vcpu vcpu;
};

static inline void tdx_hardware_setup(const char *op) { }
static inline void tdx_bringup(void) { }
static inline void tdx_cleanup(void) { }
static inline void tdx_debugfs_init(void) { }

static inline const char *vt_unexpected_op(const struct kvm_x86_ops *ops)
{
	return NULL;
}

static inline void vt_ops_setup(struct kvm_x86_ops *ops) { }

#endif /* CONFIG_KVM_INTEL_TDX */

#endif /* __KVM_X86_VMX_TDX_H */
