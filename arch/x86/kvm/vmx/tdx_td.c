// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a TD.
 *
 *	UNINITIALIZED --tdx_td_init()--> INITIALIZED --tdx_td_finalize()--> RUNNABLE
 *
 * See enum kvm_tdx_state for who may look at the state.  There is no way back
 * but the end of the VM, which comes in this order, each step being legal for
 * the module only after the one before:
 *
 *	vCPUs leave their CPUs, key released	tdx_vm_end()
 *	vCPU control pages reclaimed		tdx_vcpu_free()
 *	S-EPT pages reclaimed			tdx_free_external_spt()
 *	what was put aside, TDCS, then
 *	TDR reclaimed				tdx_vm_destroy()
 *
 * If the key can't be released, nothing of what is encrypted with it may be used
 * for anything else: key ID and pages are leaked, and counted.
 *
 * Lock order: kvm->lock, vCPU mutexes, slots_lock, tdx_key_lock, CPU hotplug lock.
 * mmu_lock nests inside of slots_lock and tdx_key_lock.
 *
 * Not here: its key (tdx_key.c), vCPUs (tdx_vcpu.c), memory (tdx_sept.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/slab.h>

#include <asm/tdx.h>

#include "mmu.h"
#include "mmu/external.h"
#include "tdx.h"
#include "tdx_call.h"
#include "vmx.h"
#include "x86.h"

/*
 * Creation of a TD
 */

static void tdx_reclaim_tdr(struct kvm_tdx *kvm_tdx)
{
	phys_addr_t tdr = kvm_tdx->tdr;
	u64 status;

	if (!tdr)
		return;

	kvm_tdx->tdr = 0;

	if (tdx_has_key(kvm_tdx) || !tdx_reclaim_page(kvm_tdx, tdr))
		goto leak;

	/* It is the one page of a TD that is encrypted with the global key. */
	status = tdx_call_retry(kvm_tdx, TDH_PHYMEM_PAGE_WBINVD,
				tdh_phymem_page_wbinvd(tdr, tdx_get_global_keyid()));
	if (!tdx_status_is_success(status)) {
		tdx_report_failure(&kvm_tdx->kvm, TDH_PHYMEM_PAGE_WBINVD, status,
				   tdr, tdx_get_global_keyid());
		goto leak;
	}

	tdx_clear_page(tdr);
	tdx_free_control_page(tdr);
	return;

leak:
	tdx_count_leak(&kvm_tdx->kvm, 1);
}

static void tdx_reclaim_td(struct kvm_tdx *kvm_tdx)
{
	unsigned int i;

	for (i = 0; i < kvm_tdx->nr_tdcs; i++)
		tdx_reclaim_control_page(kvm_tdx, kvm_tdx->tdcs[i]);

	kfree(kvm_tdx->tdcs);
	kvm_tdx->tdcs = NULL;
	kvm_tdx->nr_tdcs = 0;

	tdx_reclaim_tdr(kvm_tdx);
}

/*
 * What a failed SEAMCALL means for INIT_VM: want of entropy passes, everything
 * else is not supposed to happen.
 */
static int tdx_creation_error(struct kvm_tdx *kvm_tdx, unsigned int leaf,
			      u64 status, u64 operand, u64 *hw_error)
{
	if (tdx_status_is_no_entropy(status) ||
	    tdx_status_code(status) == TDX_KEY_GENERATION_FAILED)
		return -EAGAIN;

	*hw_error = status;
	return tdx_report_failure(&kvm_tdx->kvm, leaf, status, kvm_tdx->tdr,
				  operand);
}

/* Create the TDR, and program the TD's key on all packages. */
static int tdx_create_tdr(struct kvm_tdx *kvm_tdx, u64 *hw_error)
{
	phys_addr_t tdr;
	u64 status;
	int r;

	tdr = tdx_alloc_control_page();
	if (!tdr)
		return -ENOMEM;

	guard(mutex)(&tdx_key_lock);

	status = tdx_call_retry(kvm_tdx, TDH_MNG_CREATE,
				tdh_mng_create(tdr, kvm_tdx->hkid));
	if (!tdx_status_is_success(status)) {
		tdx_free_control_page(tdr);
		return tdx_creation_error(kvm_tdx, TDH_MNG_CREATE, status,
					  kvm_tdx->hkid, hw_error);
	}

	kvm_tdx->tdr = tdr;

	r = tdx_config_key(kvm_tdx, &status);
	if (r)
		return tdx_creation_error(kvm_tdx, TDH_MNG_KEY_CONFIG, status,
					  kvm_tdx->hkid, hw_error);

	return 0;
}

static int tdx_add_tdcs(struct kvm_tdx *kvm_tdx, u64 *hw_error)
{
	unsigned int nr = tdx_get_sys_info()->tdcs_base_size / PAGE_SIZE;
	phys_addr_t page;
	u64 status;

	kvm_tdx->tdcs = kcalloc(nr, sizeof(*kvm_tdx->tdcs), GFP_KERNEL_ACCOUNT);
	if (!kvm_tdx->tdcs)
		return -ENOMEM;

	while (kvm_tdx->nr_tdcs < nr) {
		page = tdx_alloc_control_page();
		if (!page)
			return -ENOMEM;

		status = tdx_call_retry(kvm_tdx, TDH_MNG_ADDCX,
					tdh_mng_addcx(kvm_tdx->tdr, page));
		if (!tdx_status_is_success(status)) {
			tdx_free_control_page(page);
			return tdx_creation_error(kvm_tdx, TDH_MNG_ADDCX, status,
						  page, hw_error);
		}

		kvm_tdx->tdcs[kvm_tdx->nr_tdcs++] = page;
	}

	return 0;
}

static int tdx_init_tdcs(struct kvm_tdx *kvm_tdx, const struct td_params *params,
			 u64 *hw_error)
{
	u64 status, detail;

	status = tdx_call_retry(kvm_tdx, TDH_MNG_INIT,
				tdh_mng_init(kvm_tdx->tdr, __pa(params), &detail));
	if (tdx_status_is_success(status))
		return 0;

	/* The module is the judge of many parameters. */
	switch (tdx_status_code(status)) {
	case TDX_OPERAND_INVALID:
	case TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED:
		*hw_error = status;
		return -EINVAL;
	}

	return tdx_creation_error(kvm_tdx, TDH_MNG_INIT, status, detail, hw_error);
}

static int tdx_read_td_field(struct kvm_tdx *kvm_tdx, u64 field, u64 *value)
{
	u64 status;

	status = tdx_call_retry(kvm_tdx, TDH_MNG_RD,
				tdh_mng_rd(kvm_tdx->tdr, field, value));
	if (tdx_status_is_success(status))
		return 0;

	return tdx_read_error(&kvm_tdx->kvm, TDH_MNG_RD, status, kvm_tdx->tdr, field);
}

/* What the module and the CPU need to know of the TD. */
static int tdx_create_td(struct kvm_tdx *kvm_tdx, const struct td_params *params,
			 u64 *hw_error)
{
	int r;

	/*
	 * The packages that are online when the key ID is assigned stay, and stay
	 * the only ones.  It takes all of them.
	 */
	scoped_guard(cpus_read_lock) {
		r = tdx_assign_key(kvm_tdx);
		if (r)
			return r;

		if (!tdx_all_packages_online()) {
			pr_warn_ratelimited("No TD without an online CPU in every package\n");
			return -EIO;
		}
	}

	r = tdx_create_tdr(kvm_tdx, hw_error);
	r = r ?: tdx_add_tdcs(kvm_tdx, hw_error);
	r = r ?: tdx_init_tdcs(kvm_tdx, params, hw_error);
	r = r ?: tdx_read_td_field(kvm_tdx, TD_MD_TSC_OFFSET, &kvm_tdx->tsc_offset);
	r = r ?: tdx_read_td_field(kvm_tdx, TD_MD_TSC_MULTIPLIER,
				   &kvm_tdx->tsc_multiplier);
	if (r)
		return r;

	/* What userspace sees, and vCPUs get, from now on: whole units. */
	WRITE_ONCE(kvm_tdx->kvm.arch.default_tsc_khz,
		   params->tsc_frequency * TDX_TSC_UNIT_KHZ);
	kvm_tdx->kvm.arch.has_protected_tsc = true;
	return 0;
}

/* Back to where INIT_VM may be tried again. */
static void tdx_undo_create_td(struct kvm_tdx *kvm_tdx)
{
	if (!tdx_has_key(kvm_tdx))
		return;

	if (kvm_tdx->tdr)
		tdx_release_key(kvm_tdx);
	else
		tdx_unassign_key(kvm_tdx);

	tdx_reclaim_td(kvm_tdx);
}

/* The directory comes after tdx_vm_init(), and goes before tdx_vm_destroy(). */
static void tdx_take_debugfs_name(struct kvm *kvm)
{
	if (!IS_ERR_OR_NULL(kvm->debugfs_dentry))
		snprintf(to_kvm_tdx(kvm)->name, TDX_NAME_LEN, "%pd", kvm->debugfs_dentry);
}

/* The part of INIT_VM that follows the validation of what userspace passed. */
int tdx_td_init(struct kvm *kvm, struct tdx_td_config *config, u64 *hw_error)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	int r;

	lockdep_assert_held(&kvm->lock);
	lockdep_assert_held(&kvm->slots_lock);

	tdx_take_debugfs_name(kvm);

	r = tdx_create_td(kvm_tdx, &config->params, hw_error);
	if (r) {
		tdx_undo_create_td(kvm_tdx);
		return r;
	}

	kvm_tdx->attributes = config->params.attributes;
	kvm_tdx->xfam = config->params.xfam;
	kvm->arch.gfn_direct_bits = config->direct_bits;
	kvm_tdx->state = TD_STATE_INITIALIZED;

	tdx_debugfs_add_vm(kvm);
	return 0;
}

static void tdx_make_runnable(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	WRITE_ONCE(to_kvm_tdx(kvm)->state, TD_STATE_RUNNABLE);
	/* Who sees this sees the state, too: it would add, else. */
	smp_store_release(&kvm->arch.pre_fault_allowed, true);
}

/*
 * Close the measurement and let vCPUs run.
 *
 * The module starts to demand blocking and tracking with the SEAMCALL, KVM with
 * the change of state.  Removals, which take mmu_lock for write but none of the
 * locks of the ioctls, must not find one without the other.  Pre-faulting is
 * allowed last: who sees that it is takes mmu_lock next, hence augments.
 */
int tdx_td_finalize(struct kvm *kvm, u64 *hw_error)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 status;

	lockdep_assert_held(&kvm->slots_lock);

	scoped_guard(write_lock, &kvm->mmu_lock) {
		status = tdx_call(kvm_tdx, TDH_MR_FINALIZE,
				  tdh_mr_finalize(kvm_tdx->tdr));
		if (tdx_status_is_success(status)) {
			tdx_make_runnable(kvm);
			/* What removals that have yielded have begun counts for nothing now. */
			external_disturb(kvm);
			return 0;
		}
	}

	*hw_error = status;
	if (tdx_status_is_busy(status))
		return -EBUSY;

	return tdx_report_failure(kvm, TDH_MR_FINALIZE, status, kvm_tdx->tdr, 0);
}

/*
 * Operations on the VM
 */

int tdx_vm_init(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);

	kvm->arch.has_protected_state = true;
	kvm->arch.has_private_mem = true;
	/* Interrupts are acknowledged in the CPU's virtual APIC, unseen. */
	kvm->arch.has_protected_eoi = true;
	kvm->arch.has_protected_pmu = true;
	/* The guest's PAT takes effect whether KVM wants it or not. */
	kvm->arch.disabled_quirks |= KVM_X86_QUIRK_IGNORE_GUEST_PAT;
	/* Dirty logging of shared memory is by write protection only. */
	kvm->arch.cpu_dirty_log_size = 0;

	/*
	 * An access to MMIO has to raise #VE, to let the guest ask for what KVM
	 * can't emulate by decoding: non-present, without suppressing #VE.
	 */
	kvm_mmu_set_mmio_spte_value(kvm, 0);

	/* MAX_VCPUS of the module is no smaller, see tdx_check_sys_info(). */
	kvm->max_vcpus = min_t(int, kvm->max_vcpus, num_present_cpus());

	snprintf(kvm_tdx->name, sizeof(kvm_tdx->name), "%d", task_pid_nr(current));
	kvm_tdx->state = TD_STATE_UNINITIALIZED;
	kvm_tdx->hkid = TDX_NO_HKID;
	kvm_tdx->busy_gpa = INVALID_GPA;
	xa_init(&kvm_tdx->deferred);
	return 0;
}

/*
 * No vCPU will run again: the VM has no users, or the memory of the process that
 * created it is gone, and the VM's ioctls with it.  In the latter case the process is
 * about to close its guest_memfds, which takes one SEAMCALL for each page where it would
 * take three with the key.  Somebody else may have a guest_memfd open, and punch holes;
 * or the last descriptor of the VM, so that both cases come at the same time.
 */
void tdx_vm_end(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm)
		tdx_vcpu_dissociate(vcpu);

	tdx_release_key(kvm_tdx);
}

void tdx_vm_destroy(struct kvm *kvm)
{
	tdx_reclaim_deferred(to_kvm_tdx(kvm));
	tdx_reclaim_td(to_kvm_tdx(kvm));
	tdx_stats_vm_destroyed(to_kvm_tdx(kvm));
}
