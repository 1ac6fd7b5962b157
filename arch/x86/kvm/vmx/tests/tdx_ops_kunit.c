// SPDX-License-Identifier: GPL-2.0
/*
 * The operations that kvm_intel has once TDX is in use, called for a TD: those of
 * VMX would access a VMCS that is not there, or tell of one.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>
#include <linux/string.h>

#include "kvm_emulate.h"
#include "tdx_run_fixture.h"
#include "../x86_ops.h"

static struct kvm_x86_ops ops;

static int __init ops_suite_init(struct kunit_suite *suite)
{
	memcpy(&ops, &vt_x86_ops, sizeof(ops));
	vt_ops_setup(&ops);
	return tdx_fixture_suite_init(suite);
}

static void what_a_td_has_not_is_a_constant(struct kunit *test)
{
	struct kvm_vcpu *vcpu = tdx_run_test(test)->vcpu;

	KUNIT_EXPECT_EQ(test, ops.get_cpl(vcpu), 0);
	KUNIT_EXPECT_EQ(test, ops.get_segment_base(vcpu, VCPU_SREG_CS), 0);
	KUNIT_EXPECT_TRUE(test, ops.is_valid_cr0(vcpu, 0));
	KUNIT_EXPECT_TRUE(test, ops.is_valid_cr4(vcpu, ~0UL));
	KUNIT_EXPECT_EQ(test, ops.set_efer(vcpu, 0), 0);
	KUNIT_EXPECT_EQ(test, ops.get_interrupt_shadow(vcpu), 0);
	KUNIT_EXPECT_TRUE(test, ops.nmi_allowed(vcpu, false));
	KUNIT_EXPECT_TRUE(test, ops.nmi_allowed(vcpu, true));
	KUNIT_EXPECT_FALSE(test, ops.get_nmi_mask(vcpu));
	KUNIT_EXPECT_TRUE(test, ops.apic_init_signal_blocked(vcpu));
	KUNIT_EXPECT_EQ(test, ops.sync_pir_to_irr(vcpu), -1);
	KUNIT_EXPECT_EQ(test, ops.get_l2_tsc_offset(vcpu), 0);
	KUNIT_EXPECT_EQ(test, ops.get_l2_tsc_multiplier(vcpu), 0);
	KUNIT_EXPECT_EQ(test, ops.check_emulate_instruction(vcpu, 0, NULL, 0),
			X86EMUL_RETRY_INSTR);
	KUNIT_EXPECT_EQ(test, vcpu->arch.efer, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
}

static void what_is_read_of_a_td_is_zero(struct kunit *test)
{
	struct kvm_vcpu *vcpu = tdx_run_test(test)->vcpu;
	struct kvm_segment segment;
	struct desc_ptr table;
	int db = 1, l = 1;

	memset(&segment, 0x5a, sizeof(segment));
	ops.get_segment(vcpu, &segment, VCPU_SREG_SS);
	KUNIT_EXPECT_NULL(test, memchr_inv(&segment, 0, sizeof(segment)));

	memset(&table, 0x5a, sizeof(table));
	ops.get_idt(vcpu, &table);
	KUNIT_EXPECT_NULL(test, memchr_inv(&table, 0, sizeof(table)));
	memset(&table, 0x5a, sizeof(table));
	ops.get_gdt(vcpu, &table);
	KUNIT_EXPECT_NULL(test, memchr_inv(&table, 0, sizeof(table)));

	ops.get_cs_db_l_bits(vcpu, &db, &l);
	KUNIT_EXPECT_EQ(test, db, 0);
	KUNIT_EXPECT_EQ(test, l, 0);
}

/* Without VMX the first access to a VMCS ends the case. */
static void what_is_written_to_a_td_is_ignored(struct kunit *test)
{
	struct kvm_vcpu *vcpu = tdx_run_test(test)->vcpu;
	struct kvm_segment segment = {};
	struct desc_ptr table = {};
	unsigned char insn[3] = {};
	u64 bitmap[4] = {};

	ops.update_exception_bitmap(vcpu);
	ops.set_segment(vcpu, &segment, VCPU_SREG_DS);
	ops.set_cr0(vcpu, 0);
	ops.set_cr4(vcpu, 0);
	ops.set_idt(vcpu, &table);
	ops.set_gdt(vcpu, &table);
	ops.set_dr7(vcpu, 0);
	ops.sync_dirty_debug_regs(vcpu);
	ops.set_rflags(vcpu, 0);
	ops.write_tsc_offset(vcpu);
	ops.write_tsc_multiplier(vcpu);
	ops.setup_mce(vcpu);
	ops.vcpu_after_set_cpuid(vcpu);
	ops.msr_filter_changed(vcpu);
	ops.flush_tlb_gva(vcpu, 0);
	ops.flush_tlb_guest(vcpu);
	ops.patch_hypercall(vcpu, insn);
	KUNIT_EXPECT_NULL(test, memchr_inv(insn, 0, sizeof(insn)));

	ops.set_interrupt_shadow(vcpu, 3);
	ops.inject_irq(vcpu, false);
	ops.inject_exception(vcpu);
	ops.cancel_injection(vcpu);
	ops.set_nmi_mask(vcpu, true);
	ops.enable_nmi_window(vcpu);
	ops.enable_irq_window(vcpu);
	ops.set_virtual_apic_mode(vcpu);
	ops.set_apic_access_page_addr(vcpu);
	ops.load_eoi_exitmap(vcpu, bitmap);
	ops.hwapic_irr_update(vcpu, 0x41);
	ops.hwapic_isr_update(vcpu, 0x41);
	ops.refresh_apicv_exec_ctrl(vcpu);
	tdx_test_expect_bugged(tdx_run_test(test)->t, false);
}

static void td_has_no_preemption_timer(struct kunit *test)
{
	struct kvm_vcpu *vcpu = tdx_run_test(test)->vcpu;
	bool expired = false;

	KUNIT_EXPECT_EQ(test, ops.set_hv_timer(vcpu, 0, &expired), -EINVAL);
	ops.cancel_hv_timer(vcpu);
	KUNIT_EXPECT_FALSE(test, expired);
}

static void vm_is_asked_what_it_is(struct kunit *test)
{
	struct tdx_run_test *r = tdx_run_test(test);
	struct kvm *kvm = r->vcpu->kvm;

	KUNIT_EXPECT_EQ(test, ops.vcpu_precreate(kvm), 0);
	KUNIT_EXPECT_EQ(test, ops.set_tss_addr(kvm, 0xfeffd000), 0);
	KUNIT_EXPECT_EQ(test, ops.set_identity_map_addr(kvm, 0xfeffc000), 0);
	KUNIT_EXPECT_EQ(test, ops.private_max_mapping_level(kvm, 0), PG_LEVEL_2M);
	KUNIT_EXPECT_FALSE(test, ops.has_emulated_msr(kvm, MSR_IA32_TSC));
	KUNIT_EXPECT_TRUE(test, ops.has_emulated_msr(kvm, MSR_IA32_UCODE_REV));

	kvm->arch.vm_type = KVM_X86_DEFAULT_VM;
	KUNIT_EXPECT_EQ(test, ops.private_max_mapping_level(kvm, 0), 0);
	KUNIT_EXPECT_EQ(test, ops.mem_enc_ioctl(kvm, NULL), -ENOTTY);
	kvm->arch.vm_type = KVM_X86_TDX_VM;

	r->tdx->vt.is_td = false;
	KUNIT_EXPECT_EQ(test, ops.vcpu_mem_enc_ioctl(r->vcpu, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, ops.vcpu_mem_enc_unlocked_ioctl(r->vcpu, NULL), -EINVAL);
	KUNIT_EXPECT_FALSE(test, ops.protected_apic_has_interrupt(r->vcpu));
	r->tdx->vt.is_td = true;
}

static struct kunit_case tdx_ops_cases[] = {
	KUNIT_CASE(what_a_td_has_not_is_a_constant),
	KUNIT_CASE(what_is_read_of_a_td_is_zero),
	KUNIT_CASE(what_is_written_to_a_td_is_ignored),
	KUNIT_CASE(td_has_no_preemption_timer),
	KUNIT_CASE(vm_is_asked_what_it_is),
	{}
};

static struct kunit_suite tdx_ops_suite __refdata = {
	.name = "kvm_tdx_ops",
	.suite_init = ops_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_run_fixture_init,
	.exit = tdx_run_fixture_exit,
	.test_cases = tdx_ops_cases,
};

/* What it calls to set the operations up goes when the kernel has booted. */
kunit_test_init_section_suite(tdx_ops_suite);
