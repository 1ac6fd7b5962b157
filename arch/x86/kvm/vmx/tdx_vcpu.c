// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs of a TD: their life, and what KVM's common code wants done to one.  Which CPU
 * each belongs to is in tdx_assoc.c.
 */
#include <linux/slab.h>

#include <asm/apic.h>
#include <asm/fpu/api.h>

#include "irq.h"
#include "lapic.h"
#include "mmu.h"
#include "posted_intr.h"
#include "tdx.h"
#include "tdx_call.h"
#include "vmx.h"
#include "x86.h"

/* What to_vt() relies on. */
static_assert(offsetof(struct vcpu_tdx, vt) == offsetof(struct vcpu_vmx, vt));

/*
 * Life
 */

int tdx_vcpu_create(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	if (READ_ONCE(kvm_tdx->state) != TD_STATE_INITIALIZED)
		return -EIO;

	/* The APIC is the CPU's, and has no pins to connect a PIC to. */
	if (!irqchip_split(vcpu->kvm))
		return -EINVAL;

	tdx->vt.is_td = true;
	tdx->state = VCPU_TD_STATE_UNINITIALIZED;
	tdx->assoc_cpu = -1;
	INIT_LIST_HEAD(&tdx->vt.pi_wakeup_list);
	tdx->vt.pi_desc.nv = POSTED_INTR_VECTOR;
	__pi_set_sn(&tdx->vt.pi_desc);

	vcpu->arch.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX;
	/* There is no VMCS to read a register from, see vmx_cache_reg(). */
	vcpu->arch.regs_avail = ~0;
	vcpu->arch.cr0_guest_owned_bits = -1ul;
	vcpu->arch.cr4_guest_owned_bits = -1ul;
	vcpu->arch.guest_state_protected =
		!(kvm_tdx->attributes & TDX_TD_ATTR_DEBUG);
	fpstate_set_confidential(&vcpu->arch.guest_fpu);

	/* The APIC is active whatever KVM's own use of APICv. */
	vcpu->arch.apic->guest_apic_protected = true;
	vcpu->arch.apic->apicv_active = true;

	tdx->refault_gpa = INVALID_GPA;
	tdx->vain_gpa = INVALID_GPA;
	tdx->resolved_gpa = INVALID_GPA;
	tdx->repeated_gpa = INVALID_GPA;

	vcpu->arch.guest_tsc_protected = true;
	vcpu->arch.tsc_offset = kvm_tdx->tsc_offset;
	vcpu->arch.l1_tsc_offset = kvm_tdx->tsc_offset;
	vcpu->arch.tsc_scaling_ratio = kvm_tdx->tsc_multiplier;
	vcpu->arch.l1_tsc_scaling_ratio = kvm_tdx->tsc_multiplier;

	return 0;
}

void tdx_vcpu_free(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	unsigned int i;

	/*
	 * The VM's destruction has done this already, but a vCPU whose creation
	 * failed after it was loaded is not known to it.
	 */
	tdx_vcpu_dissociate(vcpu);

	for (i = 0; i < tdx->nr_tdcx; i++)
		tdx_reclaim_control_page(kvm_tdx, tdx->tdcx[i]);
	tdx_reclaim_control_page(kvm_tdx, tdx->tdvpr);

	kfree(tdx->tdcx);
	tdx->tdcx = NULL;
	tdx->nr_tdcx = 0;
	tdx->tdvpr = 0;
	tdx->state = VCPU_TD_STATE_UNINITIALIZED;
}

void tdx_vcpu_reset(struct kvm_vcpu *vcpu, bool init_event)
{
	/*
	 * The module has put the vCPU into its initial state, and nothing can
	 * put it there again: INIT is blocked.
	 */
	KVM_BUG_ON(init_event, vcpu->kvm);
}

static int tdx_create_vp(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	phys_addr_t page;
	u64 status;

	page = tdx_alloc_control_page();
	if (!page)
		return -ENOMEM;

	status = tdx_call_retry(kvm_tdx, TDH_VP_CREATE,
				tdh_vp_create(kvm_tdx->tdr, page));
	if (!tdx_status_is_success(status)) {
		tdx_free_control_page(page);
		return tdx_report_failure(vcpu->kvm, TDH_VP_CREATE, status,
					  kvm_tdx->tdr, page);
	}

	tdx->tdvpr = page;
	return 0;
}

static int tdx_add_tdcx(struct kvm_vcpu *vcpu, phys_addr_t page)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 status;

	status = tdx_call_retry(kvm_tdx, TDH_VP_ADDCX,
				tdh_vp_addcx(tdx->tdvpr, page));
	if (!tdx_status_is_success(status)) {
		tdx_free_control_page(page);
		return tdx_report_failure(vcpu->kvm, TDH_VP_ADDCX, status,
					  tdx->tdvpr, page);
	}

	tdx->tdcx[tdx->nr_tdcx++] = page;
	return 0;
}

/*
 * INIT_VCPU fails for want of memory only before the first SEAMCALL, to let
 * userspace repeat it; there is no way to take back a part of a vCPU.  The pages
 * are in tdx->tdcx from where tdx_add_tdcx() takes them over one by one.
 */
static int tdx_alloc_tdcx(struct vcpu_tdx *tdx, unsigned int nr)
{
	unsigned int i;

	tdx->tdcx = kcalloc(nr, sizeof(*tdx->tdcx), GFP_KERNEL_ACCOUNT);
	if (!tdx->tdcx)
		return -ENOMEM;

	for (i = 0; i < nr; i++) {
		tdx->tdcx[i] = tdx_alloc_control_page();
		if (!tdx->tdcx[i])
			return -ENOMEM;
	}

	return 0;
}

static void tdx_free_unused_tdcx(struct vcpu_tdx *tdx, unsigned int nr)
{
	unsigned int i;

	if (!tdx->tdcx)
		return;

	for (i = tdx->nr_tdcx; i < nr; i++)
		tdx_free_control_page(tdx->tdcx[i]);

	if (!tdx->nr_tdcx) {
		kfree(tdx->tdcx);
		tdx->tdcx = NULL;
	}
}

/* All control pages of the vCPU: TDVPR and TDCX make up its TDVPS. */
static int tdx_create_tdvps(struct kvm_vcpu *vcpu)
{
	unsigned int nr = tdx_get_sys_info()->tdvps_base_size / PAGE_SIZE - 1;
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	phys_addr_t page;
	int r;

	r = tdx_alloc_tdcx(tdx, nr);
	r = r ?: tdx_create_vp(vcpu);

	while (!r && tdx->nr_tdcx < nr) {
		page = tdx->tdcx[tdx->nr_tdcx];
		tdx->tdcx[tdx->nr_tdcx] = 0;
		r = tdx_add_tdcx(vcpu, page);
	}

	if (r)
		tdx_free_unused_tdcx(tdx, nr);

	return r;
}

static int tdx_init_vp(struct kvm_vcpu *vcpu, u64 rcx)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 status;

	tdx_assert_vcpu_loaded(vcpu);

	/*
	 * The leaf takes the TDR exclusively, which would make the removal of a
	 * page, meanwhile, find it busy.
	 */
	scoped_guard(write_lock, &vcpu->kvm->mmu_lock)
		status = tdx_call_retry(kvm_tdx, TDH_VP_INIT,
					tdh_vp_init(tdx->tdvpr, rcx, vcpu->vcpu_id));

	if (tdx_status_is_success(status))
		return 0;

	return tdx_report_failure(vcpu->kvm, TDH_VP_INIT, status, tdx->tdvpr,
				  vcpu->vcpu_id);
}

int tdx_read_vp(struct kvm_vcpu *vcpu, u64 field, u64 *data)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 status;

	tdx_assert_vcpu_loaded(vcpu);

	status = tdx_call_retry(to_kvm_tdx(vcpu->kvm), TDH_VP_RD,
				tdh_vp_rd(tdx->tdvpr, field, data));
	if (tdx_status_is_success(status))
		return 0;

	return tdx_read_error(vcpu->kvm, TDH_VP_RD, status, tdx->tdvpr, field);
}

int tdx_write_vp(struct kvm_vcpu *vcpu, u64 field, u64 data, u64 mask)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 status, old;

	tdx_assert_vcpu_loaded(vcpu);

	status = tdx_call_retry(to_kvm_tdx(vcpu->kvm), TDH_VP_WR,
				tdh_vp_wr(tdx->tdvpr, field, data, mask, &old));
	if (tdx_status_is_success(status))
		return 0;

	return tdx_report_failure(vcpu->kvm, TDH_VP_WR, status, field, data);
}

/* The controls of the vCPU's VMCS that are the host's. */
static int tdx_setup_vmcs(struct kvm_vcpu *vcpu)
{
	struct kvm_arch *arch = &vcpu->kvm->arch;
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	int r;

	r = tdx_write_vp(vcpu, VCPU_MD_POSTED_INTR_NV, POSTED_INTR_VECTOR,
			 GENMASK(15, 0));
	r = r ?: tdx_write_vp(vcpu, VCPU_MD_POSTED_INTR_DESC_ADDR,
			      __pa(&tdx->vt.pi_desc), ~0ull);
	r = r ?: tdx_write_vp(vcpu, VCPU_MD_PIN_BASED_CONTROLS,
			      VCPU_PIN_PROCESS_POSTED_INTR,
			      VCPU_PIN_PROCESS_POSTED_INTR);

	if (!r && arch->notify_vmexit_flags & KVM_X86_NOTIFY_VMEXIT_ENABLED) {
		r = tdx_write_vp(vcpu, VCPU_MD_NOTIFY_WINDOW, arch->notify_window,
				 GENMASK_ULL(31, 0));
		r = r ?: tdx_write_vp(vcpu, VCPU_MD_SECONDARY_CONTROLS,
				      VCPU_SEC_NOTIFY_VM_EXITING,
				      VCPU_SEC_NOTIFY_VM_EXITING);
	}

	if (!r && arch->bus_lock_detection_enabled)
		r = tdx_write_vp(vcpu, VCPU_MD_SECONDARY_CONTROLS,
				 VCPU_SEC_BUS_LOCK_DETECTION,
				 VCPU_SEC_BUS_LOCK_DETECTION);

	return r;
}

/* An APIC in x2APIC mode, and enabled: the only one there is in a TD. */
static int tdx_init_apic_base(struct kvm_vcpu *vcpu)
{
	struct msr_data msr = {
		.index = MSR_IA32_APICBASE,
		.data = APIC_DEFAULT_PHYS_BASE | LAPIC_MODE_X2APIC,
		.host_initiated = true,
	};

	if (vcpu->vcpu_id == vcpu->kvm->arch.bsp_vcpu_id)
		msr.data |= MSR_IA32_APICBASE_BSP;

	return kvm_set_msr_common(vcpu, &msr) ? -EINVAL : 0;
}

/* INIT_VCPU */
int tdx_vcpu_init(struct kvm_vcpu *vcpu, u64 rcx)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	int r;

	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_held(&vcpu->kvm->slots_lock);

	r = tdx_init_apic_base(vcpu);
	r = r ?: tdx_create_tdvps(vcpu);
	r = r ?: tdx_init_vp(vcpu, rcx);
	r = r ?: tdx_setup_vmcs(vcpu);
	if (r)
		return r;

	tdx->state = VCPU_TD_STATE_INITIALIZED;

	/* For traces and perf: unknown, as opposed to where a CPU starts. */
	kvm_rip_write(vcpu, 0);

	/* Firmware, not INIT and SIPI, is what makes the other vCPUs wait. */
	vcpu->arch.mp_state = KVM_MP_STATE_RUNNABLE;
	return 0;
}

/*
 * Operations
 */

/* What the module demands of a vCPU that is to be entered. */
int tdx_vcpu_pre_run(struct kvm_vcpu *vcpu)
{
	if (to_tdx(vcpu)->state != VCPU_TD_STATE_INITIALIZED ||
	    !tdx_is_runnable(to_kvm_tdx(vcpu->kvm)))
		return -EINVAL;

	/* Its state can't even be written any more, as an NMI would want. */
	if (to_tdx(vcpu)->disabled) {
		kvm_prepare_unexpected_reason_exit(vcpu, to_tdx(vcpu)->status);
		return 0;
	}

	/* Before they hold back what can be injected, i.e. an NMI. */
	tdx_clear_events(vcpu);
	return 1;
}

/*
 * The EPTP that the CPU tags shared translations with is the module's, and not
 * known to KVM.
 */
void tdx_flush_tlb_all(struct kvm_vcpu *vcpu)
{
	ept_sync_global();
}

void tdx_flush_tlb_current(struct kvm_vcpu *vcpu)
{
	ept_sync_global();
}

void tdx_load_mmu_pgd(struct kvm_vcpu *vcpu, hpa_t root_hpa, int level)
{
	/*
	 * A vCPU without INIT_VCPU, which comes before FINALIZE_VM, never runs.  Nor
	 * does one that the module has disabled, but it can pre-fault.
	 */
	if (to_tdx(vcpu)->state == VCPU_TD_STATE_INITIALIZED &&
	    !to_tdx(vcpu)->disabled)
		tdx_write_vp(vcpu, VCPU_MD_SHARED_EPTP, root_hpa,
			     GENMASK_ULL(51, 12));
}
