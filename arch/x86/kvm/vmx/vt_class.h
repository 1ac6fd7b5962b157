/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each operation of asm/kvm-x86-ops.h means for a TD.  Read by vt_ops.c, which
 * defines the macros, stops the build over an operation that is not listed, and
 * puts the wrappers into kvm_intel's table.  No include guard.
 *
 *	VT_TDX(op, wrapper)	Each kind of VM has its own.
 *	VT_TDX_ONLY(op, fn)	Ordinary VMs have none.
 *	VT_NOTHING(op, wrapper)	Nothing to do, or to see, for a TD: the state is the
 *				TDX module's, or the guest's alone.
 *	VT_REFUSED(op, wrapper)	KVM never gets there for a TD; a bug if it does.
 *	VT_UNREACHED(op, wrapper) The same, for what ordinary VMs do at each exit:
 *				checked by kernels that prove it, i.e. with
 *				CONFIG_KVM_PROVE_MMU, and not in the way in others.
 *	VT_VMX(op)		VMX's serves both; the comment says why it may.
 *	VT_NONE(op)		kvm_intel has none.  TDX stays off if it has one after
 *				all, as nobody has decided what that does to a TD.
 *
 * Before an operation becomes VT_VMX(): it must not access the current VMCS, which
 * is not the TD vCPU's, nor fields of struct vcpu_vmx behind struct vcpu_vt.
 */

/* The host's CPUs and the module kvm_intel: no VM is concerned. */
VT_VMX(check_processor_compatibility);
VT_VMX(enable_virtualization_cpu);
VT_VMX(hardware_unsetup);
VT_VMX(has_wbinvd_exit);
VT_VMX(get_feature_msr);

/* vCPUs of TDs leave the CPU while it can still execute SEAMCALL. */
VT_TDX(disable_virtualization_cpu, vt_disable_virtualization_cpu);

/* Life cycle of VMs and vCPUs */
VT_TDX(vm_init, vt_vm_init);
VT_TDX_ONLY(flush_shadow_all, vt_vm_end);
VT_TDX_ONLY(vm_pre_destroy, vt_vm_end);
VT_TDX(vm_destroy, vt_vm_destroy);
VT_NOTHING(vcpu_precreate, vt_vcpu_precreate);
VT_TDX(vcpu_create, vt_vcpu_create);
VT_TDX(vcpu_free, vt_vcpu_free);
VT_TDX(vcpu_reset, vt_vcpu_reset);
VT_TDX(vcpu_load, vt_vcpu_load);
VT_TDX(vcpu_put, vt_vcpu_put);
/* Asks what kind of vCPU it is, where that costs nothing. */
VT_VMX(prepare_switch_to_guest);
VT_TDX_ONLY(mem_enc_ioctl, vt_mem_enc_ioctl);
VT_TDX_ONLY(vcpu_mem_enc_ioctl, vt_vcpu_mem_enc_ioctl);
VT_TDX_ONLY(vcpu_mem_enc_unlocked_ioctl, vt_vcpu_mem_enc_unlocked_ioctl);

/* Interfaces of SEV, none of which is on offer for a TD */
VT_NONE(dev_get_attr);
VT_NONE(mem_enc_register_region);
VT_NONE(mem_enc_unregister_region);
VT_NONE(vm_copy_enc_context_from);
VT_NONE(vm_move_enc_context_from);
VT_NONE(guest_memory_reclaimed);

/* Running */
VT_TDX(vcpu_pre_run, vt_vcpu_pre_run);
VT_TDX(vcpu_run, vt_vcpu_run);
VT_TDX(handle_exit, vt_handle_exit);
VT_UNREACHED(skip_emulated_instruction, vt_skip_emulated_instruction);
VT_REFUSED(update_emulated_instruction, vt_update_emulated_instruction);
VT_TDX(get_exit_info, vt_get_exit_info);
VT_NOTHING(check_intercept, vt_check_intercept);
VT_TDX(check_emulate_instruction, vt_check_emulate_instruction);
VT_NONE(vcpu_blocking);
VT_NONE(vcpu_unblocking);

/* Looks at what struct vcpu_vt has of the exit. */
VT_VMX(handle_exit_irqoff);

/* Called by the emulator only, which nothing gets to run for a TD. */
VT_VMX(get_untagged_addr);

/* MSRs, CPUID, TSC, machine checks */
VT_TDX(has_emulated_msr, vt_has_emulated_msr);
VT_TDX(get_msr, vt_get_msr);
VT_TDX(set_msr, vt_set_msr);
VT_NOTHING(msr_filter_changed, vt_msr_filter_changed);
VT_TDX(complete_emulated_msr, vt_complete_emulated_msr);
VT_NOTHING(vcpu_after_set_cpuid, vt_vcpu_after_set_cpuid);
VT_NOTHING(get_l2_tsc_offset, vt_get_l2_tsc_offset);
VT_NOTHING(get_l2_tsc_multiplier, vt_get_l2_tsc_multiplier);
VT_NOTHING(write_tsc_offset, vt_write_tsc_offset);
VT_NOTHING(write_tsc_multiplier, vt_write_tsc_multiplier);
VT_NOTHING(setup_mce, vt_setup_mce);
VT_NOTHING(set_hv_timer, vt_set_hv_timer);
VT_NOTHING(cancel_hv_timer, vt_cancel_hv_timer);

/* Does something for a vCPU in guest mode only, where a TD's never is. */
VT_VMX(migrate_timers);

/* Registers */
VT_NOTHING(update_exception_bitmap, vt_update_exception_bitmap);
VT_NOTHING(get_segment_base, vt_get_segment_base);
VT_NOTHING(get_segment, vt_get_segment);
VT_NOTHING(set_segment, vt_set_segment);
VT_NOTHING(get_cpl, vt_get_cpl);
VT_NOTHING(get_cs_db_l_bits, vt_get_cs_db_l_bits);
VT_NOTHING(is_valid_cr0, vt_is_valid_cr0);
VT_NOTHING(set_cr0, vt_set_cr0);
VT_NONE(post_set_cr3);
VT_NOTHING(is_valid_cr4, vt_is_valid_cr4);
VT_NOTHING(set_cr4, vt_set_cr4);
VT_NOTHING(set_efer, vt_set_efer);
VT_NOTHING(get_idt, vt_get_idt);
VT_NOTHING(set_idt, vt_set_idt);
VT_NOTHING(get_gdt, vt_get_gdt);
VT_NOTHING(set_gdt, vt_set_gdt);
VT_NOTHING(set_dr7, vt_set_dr7);
VT_NOTHING(sync_dirty_debug_regs, vt_sync_dirty_debug_regs);
VT_NOTHING(set_rflags, vt_set_rflags);

/* Not called, as all registers of a TD's vCPU are available, i.e. 0. */
VT_VMX(cache_reg);

/* See struct vcpu_vt only: 0 for a TD, and never to be read from the VMCS. */
VT_VMX(get_rflags);
VT_VMX(get_if_flag);

/* Memory */
VT_TDX(flush_tlb_all, vt_flush_tlb_all);
VT_TDX(flush_tlb_current, vt_flush_tlb_current);
VT_NOTHING(flush_tlb_gva, vt_flush_tlb_gva);
VT_NOTHING(flush_tlb_guest, vt_flush_tlb_guest);
/* On Hyper-V: flushes by root, which KVM doesn't know of a TD, and for L2's VMCS. */
#if IS_ENABLED(CONFIG_HYPERV)
VT_NONE(flush_remote_tlbs);
VT_NONE(flush_remote_tlbs_range);
#endif
VT_NONE(enable_l2_tlb_flush);
VT_TDX(load_mmu_pgd, vt_load_mmu_pgd);
VT_TDX_ONLY(set_external_spte, tdx_set_external_spte);
VT_TDX_ONLY(flush_external_tlbs, tdx_flush_external_tlbs);
VT_TDX_ONLY(free_external_spt, tdx_free_external_spt);
VT_TDX_ONLY(private_max_mapping_level, vt_private_max_mapping_level);
VT_NONE(gmem_prepare);
VT_NONE(gmem_invalidate);
VT_REFUSED(update_cpu_dirty_logging, vt_update_cpu_dirty_logging);
VT_NOTHING(set_tss_addr, vt_set_tss_addr);
VT_NOTHING(set_identity_map_addr, vt_set_identity_map_addr);

/* Looks at the VM and at the host's CPU: a TD's shared memory is like any other. */
VT_VMX(get_mt_mask);

/* Interrupts, NMIs, exceptions */
VT_NOTHING(set_interrupt_shadow, vt_set_interrupt_shadow);
VT_NOTHING(get_interrupt_shadow, vt_get_interrupt_shadow);
VT_NOTHING(patch_hypercall, vt_patch_hypercall);
VT_NOTHING(inject_irq, vt_inject_irq);
VT_NOTHING(inject_exception, vt_inject_exception);
VT_NOTHING(cancel_injection, vt_cancel_injection);
VT_TDX(interrupt_allowed, vt_interrupt_allowed);
VT_TDX(inject_nmi, vt_inject_nmi);
VT_NONE(is_vnmi_pending);
VT_NONE(set_vnmi_pending);
VT_NOTHING(nmi_allowed, vt_nmi_allowed);
VT_NOTHING(get_nmi_mask, vt_get_nmi_mask);
VT_NOTHING(set_nmi_mask, vt_set_nmi_mask);
VT_NOTHING(enable_nmi_window, vt_enable_nmi_window);
VT_NOTHING(enable_irq_window, vt_enable_irq_window);
#ifdef VT_HAS_CLEAR_HLT
/* The activity state is a field of the VMCS. */
VT_NOTHING(clear_hlt, vt_clear_hlt);
#endif

/* The local APIC, which is the CPU's for a TD */
/* Not called while the APIC is virtualized, which a TD's always is. */
VT_UNREACHED(update_cr8_intercept, vt_update_cr8_intercept);
VT_NOTHING(set_virtual_apic_mode, vt_set_virtual_apic_mode);
VT_NOTHING(set_apic_access_page_addr, vt_set_apic_access_page_addr);
VT_TDX(refresh_apicv_exec_ctrl, vt_refresh_apicv_exec_ctrl);
VT_NOTHING(load_eoi_exitmap, vt_load_eoi_exitmap);
VT_NOTHING(hwapic_irr_update, vt_hwapic_irr_update);
VT_NOTHING(hwapic_isr_update, vt_hwapic_isr_update);
VT_NOTHING(sync_pir_to_irr, vt_sync_pir_to_irr);
VT_TDX_ONLY(protected_apic_has_interrupt, vt_protected_apic_has_interrupt);
VT_NOTHING(apic_init_signal_blocked, vt_apic_init_signal_blocked);
VT_NONE(apicv_post_state_restore);
VT_NONE(vcpu_get_apicv_inhibit_reasons);
VT_NONE(alloc_apic_backing_page);

/*
 * Work on the posted-interrupt descriptor, which is in struct vcpu_vt.  Interrupts
 * are posted, as a TD's APIC has APICv active from the start.
 */
VT_VMX(deliver_interrupt);
VT_VMX(apicv_pre_state_restore);
VT_VMX(dy_apicv_has_pending_interrupt);
VT_VMX(pi_update_irte);
VT_VMX(pi_start_assignment);

/* vt_apic_init_signal_blocked() keeps it from a TD. */
VT_VMX(vcpu_deliver_sipi_vector);

#ifdef CONFIG_KVM_SMM
VT_REFUSED(smi_allowed, vt_smi_allowed);
VT_REFUSED(enter_smm, vt_enter_smm);
VT_REFUSED(leave_smm, vt_leave_smm);
VT_REFUSED(enable_smi_window, vt_enable_smi_window);
#endif

#undef VT_TDX
#undef VT_TDX_ONLY
#undef VT_NOTHING
#undef VT_REFUSED
#undef VT_UNREACHED
#undef VT_VMX
#undef VT_NONE
