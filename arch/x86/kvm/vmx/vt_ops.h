/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_VT_OPS_H
#define __KVM_X86_VMX_VT_OPS_H

/*
 * The operations of kvm_x86_ops that behave differently for a TD and for an
 * ordinary VM: for each one a wrapper, vt_<op>(), that chooses.  Included by
 * main.c only, which puts the wrappers into vt_x86_ops; operations without a
 * wrapper are VMX's for both.
 *
 * An ordinary VM pays one predictable branch per operation.
 */

#include <linux/kvm_host.h>

#include "common.h"
#include "nested.h"
#include "tdx.h"
#include "vmx.h"
#include "x86_ops.h"

/* A TD has its own implementation. */
#define VT_OP(ret, op, proto, args)				\
static ret vt_##op proto					\
{								\
	return is_td_vcpu(vcpu) ? tdx_##op args : vmx_##op args;	\
}

#define VT_OP_VOID(op, proto, args)				\
static void vt_##op proto					\
{								\
	if (is_td_vcpu(vcpu))					\
		tdx_##op args;					\
	else							\
		vmx_##op args;					\
}

/* The state is out of KVM's reach: nothing to do for a TD. */
#define VT_OP_NOP(op, proto, args)				\
static void vt_##op proto					\
{								\
	if (!is_td_vcpu(vcpu))					\
		vmx_##op args;					\
}

/* ... and nothing to see. */
#define VT_OP_CONST(ret, op, val, proto, args)			\
static ret vt_##op proto					\
{								\
	if (is_td_vcpu(vcpu))					\
		return val;					\
								\
	return vmx_##op args;					\
}

/* KVM never gets here for a TD; if it does, it is KVM that is wrong. */
#define VT_OP_REFUSED(ret, op, val, proto, args)			\
static ret vt_##op proto					\
{								\
	if (KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))		\
		return val;					\
								\
	return vmx_##op args;					\
}

#define VT_OP_REFUSED_VOID(op, proto, args)				\
static void vt_##op proto					\
{								\
	if (!KVM_BUG_ON(is_td_vcpu(vcpu), vcpu->kvm))		\
		vmx_##op args;					\
}

/* Life cycle of VMs and vCPUs */
static int vt_vm_init(struct kvm *kvm)
{
	return is_td(kvm) ? tdx_vm_init(kvm) : vmx_vm_init(kvm);
}

static void vt_vm_pre_destroy(struct kvm *kvm)
{
	if (is_td(kvm))
		tdx_vm_pre_destroy(kvm);
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

VT_OP(int, vcpu_create, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_VOID(vcpu_free, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_VOID(vcpu_reset, (struct kvm_vcpu *vcpu, bool init_event), (vcpu, init_event))
VT_OP_VOID(vcpu_load, (struct kvm_vcpu *vcpu, int cpu), (vcpu, cpu))
VT_OP_VOID(vcpu_put, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_VOID(prepare_switch_to_guest, (struct kvm_vcpu *vcpu), (vcpu))

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
	return is_td(kvm) ? PG_LEVEL_4K : 0;
}

/* Running */
VT_OP(int, vcpu_pre_run, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP(fastpath_t, vcpu_run, (struct kvm_vcpu *vcpu, u64 run_flags), (vcpu, run_flags))
VT_OP(int, handle_exit, (struct kvm_vcpu *vcpu, fastpath_t fastpath), (vcpu, fastpath))
VT_OP_VOID(handle_exit_irqoff, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_REFUSED(int, skip_emulated_instruction, 1, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_REFUSED_VOID(update_emulated_instruction, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_VOID(get_exit_info,
	   (struct kvm_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
	    u32 *intr_info, u32 *error_code),
	   (vcpu, reason, info1, info2, intr_info, error_code))
VT_OP_CONST(int, check_intercept, X86EMUL_UNHANDLEABLE,
	    (struct kvm_vcpu *vcpu, struct x86_instruction_info *info,
	     enum x86_intercept_stage stage, struct x86_exception *exception),
	    (vcpu, info, stage, exception))

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

VT_OP(int, get_msr, (struct kvm_vcpu *vcpu, struct msr_data *msr), (vcpu, msr))
VT_OP(int, set_msr, (struct kvm_vcpu *vcpu, struct msr_data *msr), (vcpu, msr))
VT_OP_NOP(msr_filter_changed, (struct kvm_vcpu *vcpu), (vcpu))

static int vt_complete_emulated_msr(struct kvm_vcpu *vcpu, int err)
{
	if (is_td_vcpu(vcpu))
		return tdx_complete_emulated_msr(vcpu, err);

	return kvm_complete_insn_gp(vcpu, err);
}

VT_OP_NOP(vcpu_after_set_cpuid, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(u64, get_l2_tsc_offset, 0, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(u64, get_l2_tsc_multiplier, 0, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(write_tsc_offset, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(write_tsc_multiplier, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(setup_mce, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(int, set_hv_timer, -EINVAL,
	    (struct kvm_vcpu *vcpu, u64 deadline, bool *expired),
	    (vcpu, deadline, expired))
VT_OP_NOP(cancel_hv_timer, (struct kvm_vcpu *vcpu), (vcpu))

/* Registers */
VT_OP_NOP(update_exception_bitmap, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(u64, get_segment_base, 0, (struct kvm_vcpu *vcpu, int seg), (vcpu, seg))
VT_OP_NOP(set_segment, (struct kvm_vcpu *vcpu, struct kvm_segment *var, int seg),
	  (vcpu, var, seg))
VT_OP_CONST(int, get_cpl, 0, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(bool, is_valid_cr0, true, (struct kvm_vcpu *vcpu, unsigned long cr0),
	    (vcpu, cr0))
VT_OP_NOP(set_cr0, (struct kvm_vcpu *vcpu, unsigned long cr0), (vcpu, cr0))
VT_OP_CONST(bool, is_valid_cr4, true, (struct kvm_vcpu *vcpu, unsigned long cr4),
	    (vcpu, cr4))
VT_OP_NOP(set_cr4, (struct kvm_vcpu *vcpu, unsigned long cr4), (vcpu, cr4))
VT_OP_CONST(int, set_efer, 0, (struct kvm_vcpu *vcpu, u64 efer), (vcpu, efer))
VT_OP_NOP(set_idt, (struct kvm_vcpu *vcpu, struct desc_ptr *dt), (vcpu, dt))
VT_OP_NOP(set_gdt, (struct kvm_vcpu *vcpu, struct desc_ptr *dt), (vcpu, dt))
VT_OP_NOP(set_dr7, (struct kvm_vcpu *vcpu, unsigned long val), (vcpu, val))
VT_OP_NOP(sync_dirty_debug_regs, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_REFUSED_VOID(cache_reg, (struct kvm_vcpu *vcpu, enum kvm_reg reg), (vcpu, reg))
VT_OP_CONST(unsigned long, get_rflags, 0, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(set_rflags, (struct kvm_vcpu *vcpu, unsigned long rflags), (vcpu, rflags))
VT_OP_CONST(bool, get_if_flag, false, (struct kvm_vcpu *vcpu), (vcpu))

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
VT_OP_VOID(flush_tlb_all, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_VOID(flush_tlb_current, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(flush_tlb_gva, (struct kvm_vcpu *vcpu, gva_t gva), (vcpu, gva))
VT_OP_NOP(flush_tlb_guest, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_VOID(load_mmu_pgd, (struct kvm_vcpu *vcpu, hpa_t root, int level),
	   (vcpu, root, level))
VT_OP_REFUSED_VOID(update_cpu_dirty_logging, (struct kvm_vcpu *vcpu), (vcpu))

static int vt_set_tss_addr(struct kvm *kvm, unsigned int addr)
{
	return is_td(kvm) ? 0 : vmx_set_tss_addr(kvm, addr);
}

static int vt_set_identity_map_addr(struct kvm *kvm, u64 addr)
{
	return is_td(kvm) ? 0 : vmx_set_identity_map_addr(kvm, addr);
}

/* Interrupts, NMIs, exceptions */
VT_OP_NOP(set_interrupt_shadow, (struct kvm_vcpu *vcpu, int mask), (vcpu, mask))
VT_OP_CONST(u32, get_interrupt_shadow, 0, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(patch_hypercall, (struct kvm_vcpu *vcpu, unsigned char *insn), (vcpu, insn))
VT_OP_NOP(inject_irq, (struct kvm_vcpu *vcpu, bool reinjected), (vcpu, reinjected))
VT_OP_NOP(inject_exception, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(cancel_injection, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP(int, interrupt_allowed, (struct kvm_vcpu *vcpu, bool for_injection), (vcpu, for_injection))
VT_OP_VOID(inject_nmi, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(int, nmi_allowed, true, (struct kvm_vcpu *vcpu, bool for_injection),
	    (vcpu, for_injection))
VT_OP_CONST(bool, get_nmi_mask, false, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(set_nmi_mask, (struct kvm_vcpu *vcpu, bool masked), (vcpu, masked))
VT_OP_NOP(enable_nmi_window, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(enable_irq_window, (struct kvm_vcpu *vcpu), (vcpu))

/* The local APIC, which is the CPU's for a TD */
VT_OP_NOP(update_cr8_intercept, (struct kvm_vcpu *vcpu, int tpr, int irr),
	  (vcpu, tpr, irr))
VT_OP_NOP(set_virtual_apic_mode, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(set_apic_access_page_addr, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_NOP(load_eoi_exitmap, (struct kvm_vcpu *vcpu, u64 *bitmap), (vcpu, bitmap))
VT_OP_NOP(hwapic_irr_update, (struct kvm_vcpu *vcpu, int max_irr), (vcpu, max_irr))
VT_OP_NOP(hwapic_isr_update, (struct kvm_vcpu *vcpu, int max_isr), (vcpu, max_isr))
VT_OP_CONST(int, sync_pir_to_irr, -1, (struct kvm_vcpu *vcpu), (vcpu))
VT_OP_CONST(bool, apic_init_signal_blocked, true, (struct kvm_vcpu *vcpu), (vcpu))

static void vt_deliver_interrupt(struct kvm_lapic *apic, int delivery_mode,
				 int trig_mode, int vector)
{
	if (is_td_vcpu(apic->vcpu))
		tdx_deliver_interrupt(apic, delivery_mode, trig_mode, vector);
	else
		vmx_deliver_interrupt(apic, delivery_mode, trig_mode, vector);
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
VT_OP_REFUSED(int, smi_allowed, 0, (struct kvm_vcpu *vcpu, bool for_injection),
	      (vcpu, for_injection))
VT_OP_REFUSED(int, enter_smm, -EIO, (struct kvm_vcpu *vcpu, union kvm_smram *smram),
	      (vcpu, smram))
VT_OP_REFUSED(int, leave_smm, -EIO,
	      (struct kvm_vcpu *vcpu, const union kvm_smram *smram), (vcpu, smram))
VT_OP_REFUSED_VOID(enable_smi_window, (struct kvm_vcpu *vcpu), (vcpu))
#endif

#endif /* __KVM_X86_VMX_VT_OPS_H */
