// SPDX-License-Identifier: GPL-2.0
/*
 * TDs: bringing the TDX module up, the life of a TD and of its key ID.
 *
 *	UNINITIALIZED --tdx_td_init()--> INITIALIZED --tdx_td_finalize()--> RUNNABLE
 *
 * See enum kvm_tdx_state for who may look at the state.  There is no way back
 * but the end of the VM, which comes in this order, each step being legal for
 * the module only after the one before:
 *
 *	vCPUs leave their CPUs, key released	tdx_vm_pre_destroy()
 *	vCPU control pages reclaimed		tdx_vcpu_free()
 *	S-EPT pages reclaimed			tdx_free_external_spt()
 *	what a fatal TD has lost, TDCS, then
 *	TDR reclaimed				tdx_vm_destroy()
 *
 * If the key can't be released, nothing of what is encrypted with it may be used
 * for anything else: key ID and pages are leaked, and counted.
 *
 * Lock order: kvm->lock, vCPU mutexes, slots_lock, tdx_key_lock, CPU hotplug lock.
 * mmu_lock nests inside of slots_lock.
 *
 * Not here: vCPUs (tdx_vcpu.c), memory (tdx_sept.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/misc_cgroup.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include <asm/tdx.h>

#include "capabilities.h"
#include "mmu.h"
#include "tdx.h"
#include "vmx.h"
#include "x86.h"
#include "x86_ops.h"

bool enable_tdx __ro_after_init;
module_param_named(tdx, enable_tdx, bool, 0444);
MODULE_PARM_DESC(tdx, "Offer TDX guests, needs the TDX module (default: N)");

static enum cpuhp_state tdx_cpuhp_state __ro_after_init;

/*
 * Serializes the leaves that take a lock of the module's that all TDs share:
 * that of the key ID table, which TDH.PHYMEM.CACHE.WB holds for as long as it
 * takes, and that of the key encryption tables.  TDs that come and go at the
 * same time would see them busy.
 */
static DEFINE_MUTEX(tdx_key_lock);

/* Key generation draws on the entropy source more than the wrappers retry. */
#define TDX_MAX_KEY_CONFIG_RETRIES	10

/*
 * Like tdx_report_failure(), where the VM need not be bugged, or can't be.  From any
 * context.
 */
void tdx_log_failure(struct kvm *kvm, unsigned int leaf, u64 status, u64 op1,
		     u64 op2)
{
	pr_err_ratelimited("TD %s: TDH.%s (%u) failed: status 0x%016llx, operands 0x%llx 0x%llx\n",
			   to_kvm_tdx(kvm)->name, tdx_leaf_name(leaf), leaf, status, op1, op2);
}

/*
 * The module did what can't happen unless the module, the CPU or KVM's idea of
 * them is wrong: tell, and let nobody use the VM anymore.  Not a WARN, as it
 * need not be KVM that is wrong.  With interrupts enabled.
 *
 * Who must do so: callers of leaves whose failure leaves KVM's view of the TD in
 * doubt, or the TD half done with no way back.
 *
 *	MNG.CREATE, KEY.CONFIG, ADDCX, INIT	can't be repeated with the same operands
 *	MR.FINALIZE				the same
 *	MR.EXTEND				a part of a page is measured
 *	VP.CREATE, ADDCX, INIT, WR		a vCPU with a part of its state
 *	VP.FLUSH				a vCPU that is stuck on a CPU
 *	MEM.SEPT.ADD, PAGE.ADD, PAGE.AUG	the S-EPT isn't what the mirror says
 *	MEM.RANGE.BLOCK, TRACK, PAGE.REMOVE	the same, and memory may be in use
 *	PHYMEM.PAGE.WBINVD, PAGE.RECLAIM	a page that can't be given back
 *	MNG.VPFLUSHDONE, PHYMEM.CACHE.WB,	a key ID that can't be used again
 *	MNG.KEY.FREEID
 *
 * Who must not: callers of leaves that only read (MNG.RD, VP.RD, MEM.SEPT.RD).
 * Nothing has changed: an errno, and a line from tdx_log_failure().  The same goes
 * for VP.ENTER, whose status is for userspace to see.
 */
int tdx_report_failure(struct kvm *kvm, unsigned int leaf, u64 status,
		       u64 op1, u64 op2)
{
	tdx_log_failure(kvm, leaf, status, op1, op2);
	kvm_vm_bugged(kvm);
	return -EIO;
}

/* For what has only been read: there is no answer, but no harm done, either. */
int tdx_read_error(struct kvm *kvm, unsigned int leaf, u64 status, u64 op1, u64 op2)
{
	tdx_log_failure(kvm, leaf, status, op1, op2);
	return tdx_status_is_busy(status) ? -EBUSY : -EIO;
}

/* Charged to the memory cgroup: how many TDs and vCPUs there are is up to userspace. */
phys_addr_t tdx_alloc_control_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);

	return page ? page_to_phys(page) : 0;
}

/* Only for a page that the module doesn't own. */
void tdx_free_control_page(phys_addr_t page)
{
	if (page)
		__free_page(pfn_to_page(page >> PAGE_SHIFT));
}

bool tdx_reclaim_page(struct kvm_tdx *kvm_tdx, phys_addr_t page)
{
	struct tdh_page_md md;
	u64 status;

	status = tdx_call_retry(kvm_tdx, TDH_PHYMEM_PAGE_RECLAIM,
				tdh_phymem_page_reclaim(page, &md));
	if (tdx_status_is_success(status))
		return true;

	tdx_report_failure(&kvm_tdx->kvm, TDH_PHYMEM_PAGE_RECLAIM, status, page,
			   md.type);
	return false;
}

/*
 * Take a control page back and free it.  There is nothing left of it in the
 * caches: TDH.PHYMEM.CACHE.WB wrote back all lines with the TD's key before the
 * key was released.
 */
void tdx_reclaim_control_page(struct kvm_tdx *kvm_tdx, phys_addr_t page)
{
	if (!page)
		return;

	if (tdx_has_key(kvm_tdx) || !tdx_reclaim_page(kvm_tdx, page)) {
		tdx_count_leak(&kvm_tdx->kvm, 1);
		return;
	}

	tdx_clear_page(page);
	tdx_free_control_page(page);
}

/*
 * Key IDs
 */

static int tdx_assign_key(struct kvm_tdx *kvm_tdx)
{
	int hkid, r;

	hkid = tdx_guest_keyid_alloc();
	if (hkid < 0)
		return hkid;

	kvm_tdx->misc_cg = get_current_misc_cg();
	r = misc_cg_try_charge(MISC_CG_RES_TDX, kvm_tdx->misc_cg, 1);
	if (r) {
		put_misc_cg(kvm_tdx->misc_cg);
		kvm_tdx->misc_cg = NULL;
		tdx_guest_keyid_free(hkid);
		return -EBUSY;
	}

	kvm_tdx->hkid = hkid;
	tdx_stats_key_assigned();
	return 0;
}

/* Only if the module doesn't use the key ID for the TD. */
static void tdx_unassign_key(struct kvm_tdx *kvm_tdx)
{
	misc_cg_uncharge(MISC_CG_RES_TDX, kvm_tdx->misc_cg, 1);
	put_misc_cg(kvm_tdx->misc_cg);
	kvm_tdx->misc_cg = NULL;

	tdx_guest_keyid_free(kvm_tdx->hkid);
	kvm_tdx->hkid = TDX_NO_HKID;
	tdx_stats_key_released();
}

struct tdx_package_call {
	struct kvm_tdx *kvm_tdx;
	unsigned int leaf;
	u64 status;
};

static int tdx_config_key_on_package(void *arg)
{
	struct tdx_package_call *call = arg;
	struct kvm_tdx *kvm_tdx = call->kvm_tdx;
	int retries = TDX_MAX_KEY_CONFIG_RETRIES;

	do {
		call->status = tdx_call_retry(kvm_tdx, TDH_MNG_KEY_CONFIG,
					      tdh_mng_key_config(kvm_tdx->tdr));
	} while (tdx_status_code(call->status) == TDX_KEY_GENERATION_FAILED &&
		 --retries);

	return tdx_status_is_error(call->status) ? -EIO : 0;
}

static int tdx_write_back_package(void *arg)
{
	struct tdx_package_call *call = arg;
	bool resume = false;

	do {
		call->status = tdx_call_retry(call->kvm_tdx, TDH_PHYMEM_CACHE_WB,
					      tdh_phymem_cache_wb(resume));
		resume = true;
	} while (tdx_status_is_interrupted(call->status));

	/* That there was nothing to write back is no error. */
	return tdx_status_is_error(call->status) ? -EIO : 0;
}

static int __tdx_release_key(struct kvm_tdx *kvm_tdx)
{
	struct tdx_package_call call = { .kvm_tdx = kvm_tdx };
	struct kvm *kvm = &kvm_tdx->kvm;
	u64 status;

	lockdep_assert_held(&tdx_key_lock);

	status = tdx_call_retry(kvm_tdx, TDH_MNG_VPFLUSHDONE,
				tdh_mng_vpflushdone(kvm_tdx->tdr));
	if (!tdx_status_is_success(status))
		return tdx_report_failure(kvm, TDH_MNG_VPFLUSHDONE, status,
					  kvm_tdx->tdr, kvm_tdx->hkid);

	if (tdx_on_each_package(tdx_write_back_package, &call))
		return tdx_report_failure(kvm, TDH_PHYMEM_CACHE_WB, call.status,
					  kvm_tdx->tdr, kvm_tdx->hkid);

	status = tdx_call_retry(kvm_tdx, TDH_MNG_KEY_FREEID,
				tdh_mng_key_freeid(kvm_tdx->tdr));
	if (!tdx_status_is_success(status))
		return tdx_report_failure(kvm, TDH_MNG_KEY_FREEID, status,
					  kvm_tdx->tdr, kvm_tdx->hkid);

	return 0;
}

/*
 * Give the key ID back, to be used for another TD.  All vCPUs have left their
 * CPUs.  On failure the TD keeps the key ID, i.e. it is leaked with all the TD
 * consists of.
 */
static void tdx_release_key(struct kvm_tdx *kvm_tdx)
{
	int r;

	scoped_guard(mutex, &tdx_key_lock)
		r = __tdx_release_key(kvm_tdx);

	if (r)
		kvm_tdx->key_leaked = true;
	else
		tdx_unassign_key(kvm_tdx);
}

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
	struct tdx_package_call call = { .kvm_tdx = kvm_tdx };
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

	r = tdx_on_each_package(tdx_config_key_on_package, &call);
	if (r)
		return tdx_creation_error(kvm_tdx, TDH_MNG_KEY_CONFIG, call.status,
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

void tdx_vm_pre_destroy(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct kvm_vcpu *vcpu;
	unsigned long i;

	if (!tdx_has_key(kvm_tdx))
		return;

	kvm_for_each_vcpu(i, vcpu, kvm)
		tdx_vcpu_dissociate(vcpu);

	/* A failed INIT_VM leaves a key behind only if it couldn't release it. */
	if (!kvm_tdx->key_leaked)
		tdx_release_key(kvm_tdx);
}

void tdx_vm_destroy(struct kvm *kvm)
{
	tdx_reclaim_deferred(to_kvm_tdx(kvm));
	tdx_reclaim_td(to_kvm_tdx(kvm));
	tdx_stats_vm_destroyed(to_kvm_tdx(kvm));
}

/*
 * Bring-up
 */

static int tdx_online_cpu(unsigned int cpu)
{
	guard(irqsave)();

	return tdx_cpu_enable();
}

static const char *__init tdx_missing_requirement(void)
{
	if (!enable_ept || !cpu_has_vmx_ept_ad_bits())
		return "EPT with accessed and dirty bits";
	if (!tdp_mmu_enabled)
		return "the TDP MMU";
	if (!enable_mmio_caching)
		return "MMIO caching";
	if (!enable_virt_at_load)
		return "kvm.enable_virt_at_load";
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return "XSAVE";
	if (!boot_cpu_has(X86_FEATURE_TDX_HOST_PLATFORM))
		return "a platform with TDX enabled";

	return NULL;
}

/* What doesn't take the module to find out. */
void __init tdx_hardware_setup(void)
{
	const char *missing, *op;

	if (!enable_tdx)
		return;

	missing = tdx_missing_requirement();
	op = vt_unexpected_op(&vt_x86_ops);
	if (!missing && !op)
		return;

	if (missing)
		pr_info("TDX is off: it needs %s\n", missing);
	else
		pr_info("TDX is off: it can't be used with kvm_intel's %s()\n", op);
	enable_tdx = false;
}

static int __init tdx_check_sys_info(void)
{
	const struct tdx_sys_info *info = tdx_get_sys_info();
	const char *missing = NULL;

	if (!info)
		missing = "metadata of the module";
	else if (!tdx_has_required_features(info))
		missing = "topology enumeration and NO_RBP_MOD in the module";
	else if (!tdx_supported_attributes(info))
		missing = "a module whose ATTRIBUTES KVM supports";
	else if (!tdx_supported_xfam(info))
		missing = "a module whose XFAM KVM supports";
	else if (info->max_vcpus_per_td < num_present_cpus())
		missing = "a module that allows as many vCPUs as there are CPUs";
	else if (!enable_apicv && !info->pi_no_cpu)
		missing = "APIC virtualization with posted interrupts";

	if (!missing) {
		tdx_entry_set_xfam(tdx_supported_xfam(info));
		return 0;
	}

	pr_err("TDX is off: it needs %s\n", missing);
	return -EOPNOTSUPP;
}

static int __init __tdx_bringup(void)
{
	int r;

	guard(cpus_read_lock)();

	/* SEAMCALL needs VMX operation, in which all CPUs are from here on. */
	r = cpuhp_setup_state_cpuslocked(CPUHP_AP_ONLINE_DYN, "kvm/cpu/tdx:online",
					 tdx_online_cpu, NULL);
	if (r < 0)
		return r;
	tdx_cpuhp_state = r;

	r = tdx_enable();
	r = r ?: tdx_check_sys_info();
	r = r ?: misc_cg_set_capacity(MISC_CG_RES_TDX, tdx_get_nr_guest_keyids());
	if (r)
		cpuhp_remove_state_nocalls_cpuslocked(tdx_cpuhp_state);

	return r;
}

/* With the CPUs' help find out whether TDX is usable; it is off if not. */
void __init tdx_bringup(void)
{
	int r;

	if (!enable_tdx)
		return;

	tdx_vcpus_init();
	tdx_entry_init();

	r = kvm_enable_virtualization();
	if (!r) {
		r = __tdx_bringup();
		if (!r)
			return;

		kvm_disable_virtualization();
	}

	pr_info("TDX is off: bringing it up failed (%d)\n", r);
	enable_tdx = false;
}

void tdx_cleanup(void)
{
	if (!enable_tdx)
		return;

	misc_cg_set_capacity(MISC_CG_RES_TDX, 0);
	cpuhp_remove_state_nocalls(tdx_cpuhp_state);
	kvm_disable_virtualization();
}
