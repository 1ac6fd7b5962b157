// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of kvm_x86_ops that behave differently for a TD and for an
 * ordinary VM: for each one a wrapper, vt_<op>(), that chooses.  vt_class.h says
 * what each operation means for a TD; if TDX is in use, vt_ops_setup() puts the
 * wrappers in the place of VMX's functions.
 *
 * An ordinary VM pays three instructions per operation: a test, a branch that is
 * never taken and the jump to VMX's function.  Nothing if TDX is off.
 */

#include <linux/kvm_host.h>
#include <linux/version.h>

#include "common.h"
#include "nested.h"
#include "tdx.h"
#include "vmx.h"
#include "x86_ops.h"

/* Operations that a release of 6.12.y brought. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 118)
#define VT_HAS_CLEAR_HLT
#endif

/* Life cycle of VMs and vCPUs */
static int vt_vm_init(struct kvm *kvm)
{
	return is_td(kvm) ? tdx_vm_init(kvm) : vmx_vm_init(kvm);
}

/* Whichever comes first: the memory of its VMM goes, or its last user. */
static void vt_vm_end(struct kvm *kvm)
{
	if (is_td(kvm))
		tdx_vm_end(kvm);
}

static void vt_vm_destroy(struct kvm *kvm)
{
	if (is_td(kvm))
		tdx_vm_destroy(kvm);
	else
		vmx_vm_destroy(kvm);
}

static int vt_vcpu_precreate(struct kvm *kvm)
{
	return is_td(kvm) ? 0 : vmx_vcpu_precreate(kvm);
}

static int vt_vcpu_create(struct kvm_vcpu *vcpu)
{
	return is_td(vcpu->kvm) ? tdx_vcpu_create(vcpu) : vmx_vcpu_create(vcpu);
}

static void vt_vcpu_free(struct kvm_vcpu *vcpu)
{
	if (is_td_vcpu(vcpu))
		tdx_vcpu_free(vcpu);
	else
		vmx_vcpu_free(vcpu);
}

static void vt_vcpu_reset(struct kvm_vcpu *vcpu, bool init_event)
{
	if (is_td_vcpu(vcpu))
		tdx_vcpu_reset(vcpu, init_event);
	else
		vmx_vcpu_reset(vcpu, init_event);
}

static void vt_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	if (is_td_vcpu(vcpu))
		tdx_vcpu_load(vcpu, cpu);
	else
		vmx_vcpu_load(vcpu, cpu);
}

static void vt_vcpu_put(struct kvm_vcpu *vcpu)
{
	if (is_td_vcpu(vcpu))
		tdx_vcpu_put(vcpu);
	else
		vmx_vcpu_put(vcpu);
}

/* The TDs' vCPUs leave the CPU while it can still execute SEAMCALL. */
static void vt_disable_virtualization_cpu(void)
{
	tdx_disable_virtualization_cpu();
	vmx_disable_virtualization_cpu();
}

static int vt_mem_enc_ioctl(struct kvm *kvm, void __user *argp)
{
	return is_td(kvm) ? tdx_vm_ioctl(kvm, argp) : -ENOTTY;
}

static int vt_vcpu_mem_enc_ioctl(struct kvm_vcpu *vcpu, void __user *argp)
{
	return is_td_vcpu(vcpu) ? tdx_vcpu_ioctl(vcpu, argp) : -EINVAL;
}

static int vt_vcpu_mem_enc_unlocked_ioctl(struct kvm_vcpu *vcpu,
					  void __user *argp)
{
	return is_td_vcpu(vcpu) ? tdx_vcpu_unlocked_ioctl(vcpu, argp) : -EINVAL;
}

static int vt_private_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn)
{
	return is_td(kvm) ? tdx_private_max_mapping_level(kvm) : 0;
}

/* Running */
static int vt_vcpu_pre_run(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? tdx_vcpu_pre_run(vcpu) :
				  vmx_vcpu_pre_run(vcpu);
}

static fastpath_t vt_vcpu_run(struct kvm_vcpu *vcpu, u64 run_flags)
{
	return is_td_vcpu(vcpu) ? tdx_vcpu_run(vcpu, run_flags) :
				  vmx_vcpu_run(vcpu, run_flags);
}

static int vt_handle_exit(struct kvm_vcpu *vcpu, fastpath_t fastpath)
{
	return is_td_vcpu(vcpu) ? tdx_handle_exit(vcpu, fastpath) :
				  vmx_handle_exit(vcpu, fastpath);
}

static int vt_skip_emulated_instruction(struct kvm_vcpu *vcpu)
{
	if (KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		return 1;

	return vmx_skip_emulated_instruction(vcpu);
}

static void vt_update_emulated_instruction(struct kvm_vcpu *vcpu)
{
	if (!KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		vmx_update_emulated_instruction(vcpu);
}

static void vt_get_exit_info(struct kvm_vcpu *vcpu, u32 *reason, u64 *info1,
			     u64 *info2, u32 *intr_info, u32 *error_code)
{
	if (is_td_vcpu(vcpu))
		tdx_get_exit_info(vcpu, reason, info1, info2, intr_info, error_code);
	else
		vmx_get_exit_info(vcpu, reason, info1, info2, intr_info, error_code);
}

static int vt_check_intercept(struct kvm_vcpu *vcpu,
			      struct x86_instruction_info *info,
			      enum x86_intercept_stage stage,
			      struct x86_exception *exception)
{
	return is_td_vcpu(vcpu) ? X86EMUL_UNHANDLEABLE :
				  vmx_check_intercept(vcpu, info, stage, exception);
}

/* There is no instruction to decode: a TD has to fault again. */
static int vt_check_emulate_instruction(struct kvm_vcpu *vcpu, int type, void *insn,
					int len)
{
	return is_td_vcpu(vcpu) ? tdx_check_emulate_instruction(vcpu, type, insn, len) :
				  vmx_check_emulate_instruction(vcpu, type, insn, len);
}

/* MSRs, CPUID, TSC, machine checks */
static bool vt_has_emulated_msr(struct kvm *kvm, u32 index)
{
	if (kvm && is_td(kvm))
		return tdx_has_emulated_msr(index);

	return vmx_has_emulated_msr(kvm, index);
}

static int vt_get_msr(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	return is_td_vcpu(vcpu) ? tdx_get_msr(vcpu, msr) :
				  vmx_get_msr(vcpu, msr);
}

static int vt_set_msr(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	return is_td_vcpu(vcpu) ? tdx_set_msr(vcpu, msr) :
				  vmx_set_msr(vcpu, msr);
}

static void vt_msr_filter_changed(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_msr_filter_changed(vcpu);
}

static int vt_complete_emulated_msr(struct kvm_vcpu *vcpu, int err)
{
	if (is_td_vcpu(vcpu))
		return tdx_complete_emulated_msr(vcpu, err);

	return kvm_complete_insn_gp(vcpu, err);
}

static void vt_vcpu_after_set_cpuid(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_vcpu_after_set_cpuid(vcpu);
}

static u64 vt_get_l2_tsc_offset(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? 0 : vmx_get_l2_tsc_offset(vcpu);
}

static u64 vt_get_l2_tsc_multiplier(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? 0 : vmx_get_l2_tsc_multiplier(vcpu);
}

static void vt_write_tsc_offset(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_write_tsc_offset(vcpu);
}

static void vt_write_tsc_multiplier(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_write_tsc_multiplier(vcpu);
}

static void vt_setup_mce(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_setup_mce(vcpu);
}

static int vt_set_hv_timer(struct kvm_vcpu *vcpu, u64 deadline, bool *expired)
{
	return is_td_vcpu(vcpu) ? -EINVAL :
				  vmx_set_hv_timer(vcpu, deadline, expired);
}

static void vt_cancel_hv_timer(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_cancel_hv_timer(vcpu);
}

/* Registers */
static void vt_update_exception_bitmap(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_update_exception_bitmap(vcpu);
}

static u64 vt_get_segment_base(struct kvm_vcpu *vcpu, int seg)
{
	return is_td_vcpu(vcpu) ? 0 : vmx_get_segment_base(vcpu, seg);
}

static void vt_set_segment(struct kvm_vcpu *vcpu, struct kvm_segment *var,
			   int seg)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_segment(vcpu, var, seg);
}

static int vt_get_cpl(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? 0 : vmx_get_cpl(vcpu);
}

static bool vt_is_valid_cr0(struct kvm_vcpu *vcpu, unsigned long cr0)
{
	return is_td_vcpu(vcpu) ? true : vmx_is_valid_cr0(vcpu, cr0);
}

static void vt_set_cr0(struct kvm_vcpu *vcpu, unsigned long cr0)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_cr0(vcpu, cr0);
}

static bool vt_is_valid_cr4(struct kvm_vcpu *vcpu, unsigned long cr4)
{
	return is_td_vcpu(vcpu) ? true : vmx_is_valid_cr4(vcpu, cr4);
}

static void vt_set_cr4(struct kvm_vcpu *vcpu, unsigned long cr4)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_cr4(vcpu, cr4);
}

static int vt_set_efer(struct kvm_vcpu *vcpu, u64 efer)
{
	return is_td_vcpu(vcpu) ? 0 : vmx_set_efer(vcpu, efer);
}

static void vt_set_idt(struct kvm_vcpu *vcpu, struct desc_ptr *dt)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_idt(vcpu, dt);
}

static void vt_set_gdt(struct kvm_vcpu *vcpu, struct desc_ptr *dt)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_gdt(vcpu, dt);
}

static void vt_set_dr7(struct kvm_vcpu *vcpu, unsigned long val)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_dr7(vcpu, val);
}

static void vt_sync_dirty_debug_regs(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_sync_dirty_debug_regs(vcpu);
}

static void vt_set_rflags(struct kvm_vcpu *vcpu, unsigned long rflags)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_rflags(vcpu, rflags);
}

static void vt_get_segment(struct kvm_vcpu *vcpu, struct kvm_segment *var, int seg)
{
	if (is_td_vcpu(vcpu))
		memset(var, 0, sizeof(*var));
	else
		vmx_get_segment(vcpu, var, seg);
}

static void vt_get_cs_db_l_bits(struct kvm_vcpu *vcpu, int *db, int *l)
{
	if (is_td_vcpu(vcpu)) {
		*db = 0;
		*l = 0;
	} else {
		vmx_get_cs_db_l_bits(vcpu, db, l);
	}
}

static void vt_get_idt(struct kvm_vcpu *vcpu, struct desc_ptr *dt)
{
	if (is_td_vcpu(vcpu))
		memset(dt, 0, sizeof(*dt));
	else
		vmx_get_idt(vcpu, dt);
}

static void vt_get_gdt(struct kvm_vcpu *vcpu, struct desc_ptr *dt)
{
	if (is_td_vcpu(vcpu))
		memset(dt, 0, sizeof(*dt));
	else
		vmx_get_gdt(vcpu, dt);
}

/* Memory */
static void vt_flush_tlb_all(struct kvm_vcpu *vcpu)
{
	if (is_td_vcpu(vcpu))
		tdx_flush_tlb_all(vcpu);
	else
		vmx_flush_tlb_all(vcpu);
}

static void vt_flush_tlb_current(struct kvm_vcpu *vcpu)
{
	if (is_td_vcpu(vcpu))
		tdx_flush_tlb_current(vcpu);
	else
		vmx_flush_tlb_current(vcpu);
}

static void vt_flush_tlb_gva(struct kvm_vcpu *vcpu, gva_t gva)
{
	if (!is_td_vcpu(vcpu))
		vmx_flush_tlb_gva(vcpu, gva);
}

static void vt_flush_tlb_guest(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_flush_tlb_guest(vcpu);
}

static void vt_load_mmu_pgd(struct kvm_vcpu *vcpu, hpa_t root, int level)
{
	if (is_td_vcpu(vcpu))
		tdx_load_mmu_pgd(vcpu, root, level);
	else
		vmx_load_mmu_pgd(vcpu, root, level);
}

static void vt_update_cpu_dirty_logging(struct kvm_vcpu *vcpu)
{
	if (!KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		vmx_update_cpu_dirty_logging(vcpu);
}

static int vt_set_tss_addr(struct kvm *kvm, unsigned int addr)
{
	return is_td(kvm) ? 0 : vmx_set_tss_addr(kvm, addr);
}

static int vt_set_identity_map_addr(struct kvm *kvm, u64 addr)
{
	return is_td(kvm) ? 0 : vmx_set_identity_map_addr(kvm, addr);
}

/* Interrupts, NMIs, exceptions */
static void vt_set_interrupt_shadow(struct kvm_vcpu *vcpu, int mask)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_interrupt_shadow(vcpu, mask);
}

static u32 vt_get_interrupt_shadow(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? 0 : vmx_get_interrupt_shadow(vcpu);
}

static void vt_patch_hypercall(struct kvm_vcpu *vcpu, unsigned char *insn)
{
	if (!is_td_vcpu(vcpu))
		vmx_patch_hypercall(vcpu, insn);
}

static void vt_inject_irq(struct kvm_vcpu *vcpu, bool reinjected)
{
	if (!is_td_vcpu(vcpu))
		vmx_inject_irq(vcpu, reinjected);
}

static void vt_inject_exception(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_inject_exception(vcpu);
}

static void vt_cancel_injection(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_cancel_injection(vcpu);
}

static int vt_interrupt_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	return is_td_vcpu(vcpu) ? tdx_interrupt_allowed(vcpu, for_injection) :
				  vmx_interrupt_allowed(vcpu, for_injection);
}

static void vt_inject_nmi(struct kvm_vcpu *vcpu)
{
	if (is_td_vcpu(vcpu))
		tdx_inject_nmi(vcpu);
	else
		vmx_inject_nmi(vcpu);
}

static int vt_nmi_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	return is_td_vcpu(vcpu) ? true : vmx_nmi_allowed(vcpu, for_injection);
}

static bool vt_get_nmi_mask(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? false : vmx_get_nmi_mask(vcpu);
}

static void vt_set_nmi_mask(struct kvm_vcpu *vcpu, bool masked)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_nmi_mask(vcpu, masked);
}

static void vt_enable_nmi_window(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_enable_nmi_window(vcpu);
}

#ifdef VT_HAS_CLEAR_HLT
static void vt_clear_hlt(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_clear_hlt(vcpu);
}
#endif

static void vt_enable_irq_window(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_enable_irq_window(vcpu);
}

/* The local APIC, which is the CPU's for a TD */
static void vt_update_cr8_intercept(struct kvm_vcpu *vcpu, int tpr, int irr)
{
	if (!is_td_vcpu(vcpu))
		vmx_update_cr8_intercept(vcpu, tpr, irr);
}

static void vt_set_virtual_apic_mode(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_virtual_apic_mode(vcpu);
}

static void vt_set_apic_access_page_addr(struct kvm_vcpu *vcpu)
{
	if (!is_td_vcpu(vcpu))
		vmx_set_apic_access_page_addr(vcpu);
}

static void vt_load_eoi_exitmap(struct kvm_vcpu *vcpu, u64 *bitmap)
{
	if (!is_td_vcpu(vcpu))
		vmx_load_eoi_exitmap(vcpu, bitmap);
}

static void vt_hwapic_irr_update(struct kvm_vcpu *vcpu, int max_irr)
{
	if (!is_td_vcpu(vcpu))
		vmx_hwapic_irr_update(vcpu, max_irr);
}

static void vt_hwapic_isr_update(struct kvm_vcpu *vcpu, int max_isr)
{
	if (!is_td_vcpu(vcpu))
		vmx_hwapic_isr_update(vcpu, max_isr);
}

static int vt_sync_pir_to_irr(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? -1 : vmx_sync_pir_to_irr(vcpu);
}

static bool vt_apic_init_signal_blocked(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) ? true : vmx_apic_init_signal_blocked(vcpu);
}

static bool vt_protected_apic_has_interrupt(struct kvm_vcpu *vcpu)
{
	return is_td_vcpu(vcpu) && tdx_protected_apic_has_interrupt(vcpu);
}

/* A TD's virtual APIC can't be turned off. */
static void vt_refresh_apicv_exec_ctrl(struct kvm_vcpu *vcpu)
{
	if (is_td_vcpu(vcpu))
		KVM_BUG_ON(!kvm_vcpu_apicv_active(vcpu), vcpu->kvm);
	else
		vmx_refresh_apicv_exec_ctrl(vcpu);
}

#ifdef CONFIG_KVM_SMM
static int vt_smi_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	if (KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		return 0;

	return vmx_smi_allowed(vcpu, for_injection);
}

static int vt_enter_smm(struct kvm_vcpu *vcpu, union kvm_smram *smram)
{
	if (KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		return -EIO;

	return vmx_enter_smm(vcpu, smram);
}

static int vt_leave_smm(struct kvm_vcpu *vcpu, const union kvm_smram *smram)
{
	if (KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		return -EIO;

	return vmx_leave_smm(vcpu, smram);
}

static void vt_enable_smi_window(struct kvm_vcpu *vcpu)
{
	if (!KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))
		vmx_enable_smi_window(vcpu);
}
#endif

/*
 * Stop the build over an operation that vt_class.h doesn't list: the enumerator of
 * the outer block is the only one that it has, while those of the inner block hide
 * the others.
 */
static void __init vt_check_classes(void)
{
#define KVM_X86_OP(op)			enum { class_##op = 0 };
#define KVM_X86_OP_OPTIONAL		KVM_X86_OP
#define KVM_X86_OP_OPTIONAL_RET0	KVM_X86_OP
#include <asm/kvm-x86-ops.h>

	{
#define VT_TDX(op, wrapper)		enum { class_##op = 1 }
#define VT_TDX_ONLY			VT_TDX
#define VT_NOTHING			VT_TDX
#define VT_REFUSED			VT_TDX
#define VT_UNREACHED			VT_TDX
#define VT_VMX(op)			VT_TDX(op, NULL)
#define VT_NONE(op)			VT_TDX(op, NULL)
#include "vt_class.h"

#define KVM_X86_OP(op)							\
		static_assert(class_##op, "kvm_x86_ops." #op		\
			      " has no class for TDs in vt_class.h");
#define KVM_X86_OP_OPTIONAL		KVM_X86_OP
#define KVM_X86_OP_OPTIONAL_RET0	KVM_X86_OP
#include <asm/kvm-x86-ops.h>
	}
}

/* The name of an operation that kvm_intel should not have for TDX, or NULL. */
const char *__init vt_unexpected_op(const struct kvm_x86_ops *ops)
{
	const char *name = NULL;

#define VT_TDX(op, wrapper)
#define VT_TDX_ONLY(op, fn)		VT_NONE(op)
#define VT_NOTHING			VT_TDX
#define VT_REFUSED			VT_TDX
#define VT_UNREACHED			VT_TDX
#define VT_VMX(op)
#define VT_NONE(op)			(name = ops->op ? #op : name)
#include "vt_class.h"

	return name;
}

/*
 * Let TDs in.  What hardware_setup() of VMX turned off stays off: the features
 * behind those operations are none that a TD needs.
 */
void __init vt_ops_setup(struct kvm_x86_ops *ops)
{
	vt_check_classes();

#define VT_TDX(op, wrapper)		(ops->op = ops->op ? wrapper : NULL)
#define VT_TDX_ONLY(op, fn)		(ops->op = fn)
#define VT_NOTHING			VT_TDX
#define VT_REFUSED			VT_TDX
#define VT_UNREACHED(op, wrapper)					\
	(ops->op = IS_ENABLED(CONFIG_KVM_PROVE_MMU) ? wrapper : ops->op)
#define VT_VMX(op)
#define VT_NONE(op)
#include "vt_class.h"
}
