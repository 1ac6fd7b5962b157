// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU that could run, but for the want of VMX: see tdx_run_fixture.h.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/fpu/xcr.h>
#include <asm/pkru.h>

#include "lapic.h"
#include "mmu.h"
#include "tdx_run_fixture.h"
#include "x86.h"

static struct tdx_run_test *dev_to_test(struct kvm_io_device *dev)
{
	return container_of(dev, struct tdx_run_test, dev);
}

static int dev_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
		    int len, void *val)
{
	struct tdx_run_test *r = dev_to_test(dev);
	u64 value = TDX_TEST_DEV_VALUE;

	r->nr_dev_reads++;
	r->dev_addr = addr;
	r->dev_len = len;
	memcpy(val, &value, len);
	return 0;
}

static int dev_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
		     int len, const void *val)
{
	struct tdx_run_test *r = dev_to_test(dev);

	r->nr_dev_writes++;
	r->dev_addr = addr;
	r->dev_len = len;
	r->dev_value = 0;
	if (val)
		memcpy(&r->dev_value, val, len);
	return 0;
}

static const struct kvm_io_device_ops dev_ops = {
	.read = dev_read,
	.write = dev_write,
};

static const struct {
	enum kvm_bus bus;
	gpa_t addr;
	int len;
} dev_ranges[] = {
	{ KVM_PIO_BUS,		TDX_TEST_DEV_PORT,	TDX_TEST_DEV_LEN },
	{ KVM_MMIO_BUS,		TDX_TEST_DEV_GPA,	TDX_TEST_DEV_LEN },
	{ KVM_FAST_MMIO_BUS,	TDX_TEST_DEV_FAST_GPA,	0 },
};

static void init_buses(struct kunit *test, struct tdx_run_test *r)
{
	struct kvm *kvm = r->vcpu->kvm;
	int i;

	for (i = 0; i < KVM_NR_BUSES; i++)
		rcu_assign_pointer(kvm->buses[i],
				   kzalloc(sizeof(struct kvm_io_bus), GFP_KERNEL_ACCOUNT));

	kvm_iodevice_init(&r->dev, &dev_ops);

	guard(mutex)(&kvm->slots_lock);
	for (i = 0; i < ARRAY_SIZE(dev_ranges); i++)
		KUNIT_ASSERT_EQ(test, kvm_io_bus_register_dev(kvm, dev_ranges[i].bus,
							      dev_ranges[i].addr,
							      dev_ranges[i].len,
							      &r->dev), 0);
}

static void free_buses(struct kvm *kvm)
{
	int i;

	for (i = 0; i < KVM_NR_BUSES; i++) {
		kfree(rcu_dereference_protected(kvm->buses[i], true));
		RCU_INIT_POINTER(kvm->buses[i], NULL);
	}
}

/* One slot, for all gfns. */
static void init_memslots(struct tdx_run_test *r)
{
	struct kvm_memslots *slots = &r->memslots;
	struct kvm_memory_slot *slot = &r->slot;

	slots->hva_tree = RB_ROOT_CACHED;
	slots->gfn_tree = RB_ROOT;
	hash_init(slots->id_hash);
	slots->node_idx = 0;

	slot->npages = kvm_gfn_direct_bits(r->vcpu->kvm);
	rb_link_node(&slot->gfn_node[0], NULL, &slots->gfn_tree.rb_node);
	rb_insert_color(&slot->gfn_node[0], &slots->gfn_tree);

	rcu_assign_pointer(r->vcpu->kvm->memslots[0], slots);
}

/* What no vendor module has set, i.e. all that a TD's vCPU is asked here. */
static void install_ops(void)
{
	static_call_update(kvm_x86_get_msr, tdx_get_msr);
	static_call_update(kvm_x86_set_msr, tdx_set_msr);
	static_call_update(kvm_x86_complete_emulated_msr, tdx_complete_emulated_msr);
	static_call_update(kvm_x86_interrupt_allowed, tdx_interrupt_allowed);
	static_call_update(kvm_x86_check_emulate_instruction,
			   tdx_check_emulate_instruction);
	static_call_update(kvm_x86_protected_apic_has_interrupt,
			   tdx_protected_apic_has_interrupt);
}

/* What an entry restores; there was no vendor module to find it out. */
static void init_host_values(struct kvm_vcpu *vcpu)
{
	kvm_host.xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrl(MSR_IA32_XSS, kvm_host.xss);
	vcpu->arch.host_pkru = read_pkru();
}

static void init_vcpu(struct kunit *test, struct tdx_run_test *r)
{
	struct kvm_vcpu *vcpu = r->vcpu;

	r->run = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r->run);
	r->pio_page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r->pio_page);

	vcpu->run = r->run;
	vcpu->arch.pio_data = r->pio_page;
	vcpu->arch.pending_external_vector = -1;
	vcpu->arch.regs_avail = ~0;
	vcpu->arch.mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu->arch.reserved_gpa_bits = rsvd_bits(vcpu->arch.maxphyaddr, 63);
	INIT_LIST_HEAD(&vcpu->async_pf.done);
	/* Those that come with a new APIC; KVM_RUN would have served them. */
	WRITE_ONCE(vcpu->requests, 0);
	init_host_values(vcpu);
}

int tdx_run_fixture_init(struct kunit *test)
{
	struct tdx_run_test *r;
	int ret;

	ret = tdx_fixture_init_runnable(test);
	if (ret)
		return ret;

	r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	r->t = test->priv;
	r->t->opaque = r;
	r->vcpu = r->t->vcpus[0];
	r->tdx = to_tdx(r->vcpu);

	init_vcpu(test, r);
	init_memslots(r);
	init_buses(test, r);
	install_ops();

	r->vcpu->kvm->arch.hypercall_exit_enabled = BIT(KVM_HC_MAP_GPA_RANGE);
	return 0;
}

struct tdx_run_test *tdx_run_test(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	return t->opaque;
}

void tdx_run_fixture_exit(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct tdx_run_test *r = t ? t->opaque : NULL;

	if (r) {
		free_buses(t->kvm);
		RCU_INIT_POINTER(t->kvm->memslots[0], NULL);
		r->vcpu->run = NULL;
		r->vcpu->arch.pio_data = NULL;
	}

	tdx_fixture_exit(test);
}

int tdx_run_exit(struct tdx_run_test *r, u64 status,
		 const struct tdx_module_args *regs)
{
	int ret;

	r->tdx->regs = *regs;
	tdx_record_exit(r->tdx, status);
	if (r->tdx->vt.exit_reason.basic == EXIT_REASON_TDCALL)
		r->tdx->vmcall = r->tdx->regs;

	kvm_vcpu_srcu_read_lock(r->vcpu);
	ret = tdx_handle_exit(r->vcpu, EXIT_FASTPATH_NONE);
	kvm_vcpu_srcu_read_unlock(r->vcpu);
	return ret;
}

int tdx_run_vmcall(struct tdx_run_test *r, const struct tdx_module_args *regs)
{
	r->want = *regs;
	return tdx_run_exit(r, EXIT_REASON_TDCALL, regs);
}

int tdx_run_complete(struct tdx_run_test *r)
{
	int (*complete)(struct kvm_vcpu *vcpu) = r->vcpu->arch.complete_userspace_io;
	int ret;

	KUNIT_ASSERT_NOT_NULL(r->t->vm.test, complete);
	r->vcpu->arch.complete_userspace_io = NULL;

	kvm_vcpu_srcu_read_lock(r->vcpu);
	ret = complete(r->vcpu);
	kvm_vcpu_srcu_read_unlock(r->vcpu);
	return ret;
}

void tdx_run_expect_regs(struct tdx_run_test *r)
{
	KUNIT_EXPECT_MEMEQ(r->t->vm.test, &r->tdx->vmcall, &r->want, sizeof(r->want));
}

void tdx_run_expect_idle(struct tdx_run_test *r)
{
	struct kunit *test = r->t->vm.test;

	KUNIT_EXPECT_NULL(test, r->vcpu->arch.complete_userspace_io);
	KUNIT_EXPECT_EQ(test, r->vcpu->arch.pio.count, 0);
	KUNIT_EXPECT_FALSE(test, r->vcpu->mmio_needed);
}

void tdx_run_expect_answer(struct tdx_run_test *r, u64 status)
{
	r->want.r10 = status;
	tdx_run_expect_regs(r);
	tdx_run_expect_idle(r);
}

void tdx_run_expect_value(struct tdx_run_test *r, u64 status, u64 value)
{
	r->want.r11 = value;
	tdx_run_expect_answer(r, status);
}

gpa_t tdx_run_shared(struct tdx_run_test *r, gpa_t gpa)
{
	return gpa | gfn_to_gpa(kvm_gfn_direct_bits(r->vcpu->kvm));
}
