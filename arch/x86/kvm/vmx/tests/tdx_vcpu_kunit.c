// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs of a TD: what creating and initializing one takes, and that a vCPU is
 * associated, in the eyes of the software TDX module, with no CPU but the one
 * that KVM has loaded it on.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/sched.h>

#include "lapic.h"
#include "mmu.h"
#include "tdx_fixture.h"

#define NO_LP	U32_MAX

static int tdx_vcpu_init_td(struct kunit *test)
{
	tdx_test_create_vm(test);
	tdx_test_create_td(test->priv);
	return 0;
}

static struct kvm_vcpu *create_vcpu(struct tdx_test *t)
{
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);

	KUNIT_ASSERT_EQ(t->vm.test, tdx_test_init_vcpu(t, vcpu), 0);
	return vcpu;
}

static u32 associated_cpu(struct tdx_test *t, struct kvm_vcpu *vcpu)
{
	struct tdx_sw_vcpu_info info = {};

	KUNIT_EXPECT_EQ(t->vm.test, tdx_sw_test_vcpu(to_tdx(vcpu)->tdvpr, &info), 0);
	return info.assoc_lp;
}

/* Move to the nth online CPU, and load the vCPU there. */
static int load_on(struct kvm_vcpu *vcpu, unsigned int nth)
{
	int cpu = cpumask_nth(nth, cpu_online_mask);

	tdx_sw_test_stay_on(cpu);
	vcpu_load(vcpu);
	vcpu_put(vcpu);

	return cpu;
}

/* Something that the module associates the vCPU for. */
static void use(struct kvm_vcpu *vcpu)
{
	vcpu_load(vcpu);
	tdx_load_mmu_pgd(vcpu, PAGE_SIZE, PT64_ROOT_4LEVEL);
	vcpu_put(vcpu);
}

static u64 read_field(struct tdx_test *t, struct kvm_vcpu *vcpu, u64 field)
{
	u64 value = 0;

	vcpu_load(vcpu);
	KUNIT_EXPECT_EQ(t->vm.test, tdx_read_vp(vcpu, field, &value), 0);
	vcpu_put(vcpu);
	return value;
}

static void loaded_vcpu_leaves_its_former_cpu(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);
	int i, cpu;

	load_on(vcpu, 0);
	use(vcpu);
	for (i = 1; i < 6; i++) {
		tdx_test_reset_counts(t);
		cpu = load_on(vcpu, i % 2);
		tdx_test_expect_calls(t, TDH_VP_FLUSH, 1);
		KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->assoc_cpu, cpu);
		KUNIT_EXPECT_EQ(test, associated_cpu(t, vcpu), NO_LP);

		use(vcpu);
		KUNIT_EXPECT_EQ(test, associated_cpu(t, vcpu), cpu);
	}
	tdx_test_expect_bugged(t, false);
}

static void vcpu_that_stays_is_not_flushed(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);
	int i, cpu;

	load_on(vcpu, 0);
	tdx_test_reset_counts(t);
	for (i = 0; i < 3; i++) {
		cpu = load_on(vcpu, 0);
		use(vcpu);
		KUNIT_EXPECT_EQ(test, associated_cpu(t, vcpu), cpu);
	}

	tdx_test_expect_calls(t, TDH_VP_FLUSH, 0);
	tdx_test_expect_calls(t, TDH_VP_WR, 3);
	tdx_test_expect_bugged(t, false);
}

/* Moved in the midst of what the vCPU was loaded for, without loading it again. */
static void loaded_vcpu_follows_its_thread(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);
	int i, cpu;

	load_on(vcpu, 0);
	use(vcpu);
	tdx_test_reset_counts(t);

	vcpu_load(vcpu);
	for (i = 1; i < 6; i++) {
		cpu = cpumask_nth(i % 2, cpu_online_mask);
		tdx_sw_test_stay_on(cpu);
		tdx_load_mmu_pgd(vcpu, PAGE_SIZE, PT64_ROOT_4LEVEL);
		KUNIT_EXPECT_EQ(test, associated_cpu(t, vcpu), cpu);
	}
	vcpu_put(vcpu);

	tdx_test_expect_calls(t, TDH_VP_FLUSH, 5);
	tdx_test_expect_calls(t, TDH_VP_WR, 5);
	tdx_test_expect_bugged(t, false);
}

/* The module says that there was nothing to end, which is as good. */
static void vcpu_that_was_only_loaded_may_leave(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);

	load_on(vcpu, 0);
	load_on(vcpu, 1);
	tdx_test_reset_counts(t);
	load_on(vcpu, 0);

	tdx_test_expect_calls(t, TDH_VP_FLUSH, 1);
	KUNIT_EXPECT_EQ(test, associated_cpu(t, vcpu), NO_LP);
	tdx_test_expect_bugged(t, false);
}

static void busy_flush_is_repeated(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);

	load_on(vcpu, 0);
	use(vcpu);
	tdx_test_reset_counts(t);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_VP_FLUSH, 1, 20, TDX_OPERAND_BUSY |
						TDX_OPERAND_ID_TDR), 0);
	load_on(vcpu, 1);

	tdx_test_expect_calls(t, TDH_VP_FLUSH, 21);
	KUNIT_EXPECT_EQ(test, associated_cpu(t, vcpu), NO_LP);
	tdx_test_expect_bugged(t, false);
}

static void failed_flush_bugs_the_vm(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);
	int cpu;

	load_on(vcpu, 0);
	use(vcpu);
	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_VP_FLUSH, 1, 1,
						TDX_PAGE_METADATA_INCORRECT), 0);
	cpu = load_on(vcpu, 1);

	KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->assoc_cpu, cpu);
	tdx_test_expect_bugged(t, true);

	/* Where it still is for the module, so that the TD can end in order. */
	load_on(vcpu, 0);
}

/*
 * KVM_CREATE_VCPU that fails late: the vCPU was loaded, and the destruction of the
 * VM knows nothing of it.  Its memory must not stay in the CPU's list.
 */
static void freed_vcpu_leaves_its_cpu(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);

	load_on(vcpu, 0);
	KUNIT_EXPECT_NE(test, to_tdx(vcpu)->assoc_cpu, -1);

	tdx_vcpu_free(vcpu);
	KUNIT_EXPECT_EQ(test, to_tdx(vcpu)->assoc_cpu, -1);
	tdx_test_expect_bugged(t, false);
}

static void failed_write_bugs_the_vm(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);

	KUNIT_ASSERT_EQ(test, tdx_sw_inject_set(TDH_VP_WR, 1, 1,
						TDX_METADATA_FIELD_VALUE_NOT_VALID), 0);
	load_on(vcpu, 0);
	use(vcpu);
	tdx_test_expect_bugged(t, true);
}

/*
 * INIT_VCPU
 */

static void init_sets_up_posted_interrupts(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct vcpu_tdx *tdx = to_tdx(create_vcpu(t));

	KUNIT_EXPECT_EQ(test, read_field(t, &tdx->vcpu, VCPU_MD_POSTED_INTR_NV),
			POSTED_INTR_VECTOR);
	KUNIT_EXPECT_EQ(test, read_field(t, &tdx->vcpu, VCPU_MD_POSTED_INTR_DESC_ADDR),
			__pa(&tdx->vt.pi_desc));
	KUNIT_EXPECT_EQ(test, BIT(7),
			read_field(t, &tdx->vcpu, VCPU_MD_PIN_BASED_CONTROLS) & BIT(7));

	KUNIT_EXPECT_EQ(test, tdx->state, VCPU_TD_STATE_INITIALIZED);
	KUNIT_EXPECT_EQ(test, tdx->vcpu.arch.mp_state, KVM_MP_STATE_RUNNABLE);
	KUNIT_EXPECT_TRUE(test, is_td_vcpu(&tdx->vcpu));
	KUNIT_EXPECT_TRUE(test, tdx->vcpu.arch.guest_state_protected);
	KUNIT_EXPECT_EQ(test, tdx->vcpu.arch.regs_avail, ~0u);
	KUNIT_EXPECT_TRUE(test, apic_x2apic_mode(tdx->vcpu.arch.apic));
}

/* KVM may ask for its registers, but there is no VMCS to find them in. */
static void vcpu_of_a_debuggable_td_is_a_tds(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu;

	to_kvm_tdx(t->kvm)->attributes |= TDX_TD_ATTR_DEBUG;
	vcpu = tdx_test_create_vcpu(t);

	KUNIT_EXPECT_FALSE(test, vcpu->arch.guest_state_protected);
	KUNIT_EXPECT_TRUE(test, is_td_vcpu(vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->arch.regs_avail, ~0u);
}

/* Nothing has happened yet, so that the next attempt finds what it needs. */
static void init_without_x2apic_is_refused(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);
	u32 *ecx = &vcpu->arch.cpuid_entries[0].ecx;

	tdx_test_reset_counts(t);
	*ecx = 0;
	KUNIT_EXPECT_EQ(test, tdx_test_init_vcpu(t, vcpu), -EINVAL);
	tdx_test_expect_calls(t, TDH_VP_CREATE, 0);
	tdx_test_expect_bugged(t, false);

	*ecx = BIT(21);
	KUNIT_EXPECT_EQ(test, tdx_test_init_vcpu(t, vcpu), 0);
	tdx_test_expect_bugged(t, false);
}

struct init_thread {
	struct tdx_test *t;
	struct kvm_vcpu *vcpu;
	int result;
	struct completion done;
};

static int init_vcpu_thread(void *data)
{
	struct init_thread *thread = data;

	thread->result = tdx_test_init_vcpu(thread->t, thread->vcpu);
	complete(&thread->done);
	return 0;
}

/* Until TDH.VP.INIT is what comes next, and then some. */
static void wait_for_all_pages(struct tdx_test *t, struct init_thread *thread)
{
	unsigned int nr = tdx_get_sys_info()->tdvps_base_size / PAGE_SIZE - 1;

	while (tdx_test_nr_calls(t, TDH_VP_ADDCX) < nr && !completion_done(&thread->done))
		cpu_relax();
	KUNIT_EXPECT_EQ(t->vm.test, tdx_test_nr_calls(t, TDH_VP_ADDCX), nr);
	mdelay(20);
}

/*
 * TDH.VP.INIT takes the TDR exclusively.  A removal that it makes busy has one
 * more attempt, from which only vCPUs in the guest are kept away.
 */
static void init_waits_for_mmu_lock(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct init_thread thread = { .t = t, .vcpu = tdx_test_create_vcpu(t) };
	struct task_struct *task;
	u64 early;

	init_completion(&thread.done);
	task = tdx_test_other_cpu_thread(t, init_vcpu_thread, &thread);
	tdx_test_reset_counts(t);

	read_lock(&t->kvm->mmu_lock);
	wake_up_process(task);
	wait_for_all_pages(t, &thread);
	early = tdx_test_nr_calls(t, TDH_VP_INIT);
	read_unlock(&t->kvm->mmu_lock);

	wait_for_completion(&thread.done);
	KUNIT_EXPECT_EQ(test, early, 0);
	KUNIT_EXPECT_EQ(test, thread.result, 0);
	tdx_test_expect_calls(t, TDH_VP_INIT, 1);
	tdx_test_expect_bugged(t, false);
}

static void uninitialized_vcpu_has_no_root(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);

	tdx_test_reset_counts(t);
	load_on(vcpu, 0);
	use(vcpu);
	load_on(vcpu, 1);
	tdx_test_expect_calls(t, TDH_VP_WR, 0);
	tdx_test_expect_calls(t, TDH_VP_FLUSH, 0);
	tdx_test_expect_bugged(t, false);
}

static void creation_needs_an_initialized_td(struct kunit *test)
{
	static const enum kvm_tdx_state states[] = {
		TD_STATE_UNINITIALIZED, TD_STATE_RUNNABLE,
	};
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);
	int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		t->kvm_tdx->state = states[i];
		KUNIT_EXPECT_EQ(test, tdx_vcpu_create(vcpu), -EIO);
	}
	t->kvm_tdx->state = TD_STATE_INITIALIZED;

	t->kvm->arch.irqchip_mode = KVM_IRQCHIP_KERNEL;
	KUNIT_EXPECT_EQ(test, tdx_vcpu_create(vcpu), -EINVAL);
	t->kvm->arch.irqchip_mode = KVM_IRQCHIP_SPLIT;
	KUNIT_EXPECT_EQ(test, tdx_vcpu_create(vcpu), 0);
}

static void notify_and_bus_lock_are_programmed(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);
	u64 value;

	t->kvm->arch.notify_vmexit_flags = KVM_X86_NOTIFY_VMEXIT_ENABLED;
	t->kvm->arch.notify_window = 0x12345;
	t->kvm->arch.bus_lock_detection_enabled = true;

	KUNIT_ASSERT_EQ(test, tdx_test_init_vcpu(t, vcpu), 0);

	KUNIT_EXPECT_EQ(test, read_field(t, vcpu, VCPU_MD_NOTIFY_WINDOW), 0x12345);
	value = read_field(t, vcpu, VCPU_MD_SECONDARY_CONTROLS);
	KUNIT_EXPECT_EQ(test, value & (VCPU_SEC_NOTIFY_VM_EXITING | VCPU_SEC_BUS_LOCK_DETECTION),
			VCPU_SEC_NOTIFY_VM_EXITING | VCPU_SEC_BUS_LOCK_DETECTION);
	tdx_test_expect_bugged(t, false);
}

/* Enabled, x2APIC */
#define X2APIC_BASE	(0xfee00000 | BIT(11) | BIT(10))
#define BSP		BIT(8)

static void first_vcpu_is_the_boot_processor(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, create_vcpu(t)->arch.apic_base, X2APIC_BASE | BSP);
	KUNIT_EXPECT_EQ(test, create_vcpu(t)->arch.apic_base, X2APIC_BASE);
}

/* KVM_SET_BOOT_CPU_ID */
static void another_vcpu_can_be_the_boot_processor(struct kunit *test)
{
	struct tdx_test *t = test->priv;

	t->kvm->arch.bsp_vcpu_id = 1;
	KUNIT_EXPECT_EQ(test, create_vcpu(t)->arch.apic_base, X2APIC_BASE);
	KUNIT_EXPECT_EQ(test, create_vcpu(t)->arch.apic_base, X2APIC_BASE | BSP);
}

static int init_vcpu(struct tdx_test *t, struct kvm_vcpu *vcpu, u64 rcx)
{
	int r;

	guard(mutex)(&t->kvm->lock);
	guard(mutex)(&vcpu->mutex);
	guard(mutex)(&t->kvm->slots_lock);

	vcpu_load(vcpu);
	r = tdx_vcpu_init(vcpu, rcx);
	vcpu_put(vcpu);
	return r;
}

/* The module has them in RCX and R8 of the guest, and in a list of ids. */
static void init_passes_rcx_and_the_apic_id(struct kunit *test)
{
	struct tdx_sw_test_guest guest = {};
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *first, *second;

	first = tdx_test_create_vcpu(t);
	KUNIT_ASSERT_EQ(test, init_vcpu(t, first, 0x123456789abcdef0ULL), 0);
	KUNIT_ASSERT_EQ(test, tdx_sw_test_guest_get(to_tdx(first)->tdvpr, &guest), 0);
	KUNIT_EXPECT_EQ(test, guest.gpr[1], 0x123456789abcdef0ULL);
	KUNIT_EXPECT_EQ(test, guest.gpr[8], 0x123456789abcdef0ULL);
	tdx_test_expect_bugged(t, false);

	second = tdx_test_create_vcpu(t);
	second->vcpu_id = first->vcpu_id;
	KUNIT_EXPECT_EQ(test, init_vcpu(t, second, 0), -EIO);
	tdx_test_expect_bugged(t, true);
}

static void vcpu_has_the_tsc_of_the_td(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu_arch *arch = &create_vcpu(t)->arch;
	u64 offset, multiplier;

	KUNIT_ASSERT_EQ(test, tdh_mng_rd(t->tdr, 0x111000030000000aULL, &offset), TDX_SUCCESS);
	KUNIT_ASSERT_EQ(test, tdh_mng_rd(t->tdr, 0x111000030000000bULL, &multiplier),
			TDX_SUCCESS);
	KUNIT_EXPECT_NE(test, multiplier, 0);

	KUNIT_EXPECT_TRUE(test, arch->guest_tsc_protected);
	KUNIT_EXPECT_EQ(test, arch->tsc_offset, offset);
	KUNIT_EXPECT_EQ(test, arch->l1_tsc_offset, offset);
	KUNIT_EXPECT_EQ(test, arch->tsc_scaling_ratio, multiplier);
	KUNIT_EXPECT_EQ(test, arch->l1_tsc_scaling_ratio, multiplier);
}

static void root_of_shared_memory_is_passed_on(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = create_vcpu(t);
	hpa_t root = page_to_phys(t->source);

	vcpu_load(vcpu);
	tdx_load_mmu_pgd(vcpu, root, PT64_ROOT_4LEVEL);
	vcpu_put(vcpu);
	KUNIT_EXPECT_EQ(test, read_field(t, vcpu, VCPU_MD_SHARED_EPTP), root);
	tdx_test_expect_bugged(t, false);
}

/* What trace events and perf are told, for want of anything that is true. */
static void rip_is_unknown(struct kunit *test)
{
	struct tdx_test *t = test->priv;
	struct kvm_vcpu *vcpu = tdx_test_create_vcpu(t);

	/* As kvm_vcpu_reset() leaves it. */
	kvm_rip_write(vcpu, 0xfff0);
	KUNIT_ASSERT_EQ(test, tdx_test_init_vcpu(t, vcpu), 0);
	KUNIT_EXPECT_EQ(test, kvm_rip_read(vcpu), 0);
}

static struct kunit_case tdx_vcpu_cases[] = {
	KUNIT_CASE(loaded_vcpu_leaves_its_former_cpu),
	KUNIT_CASE(vcpu_that_stays_is_not_flushed),
	KUNIT_CASE(loaded_vcpu_follows_its_thread),
	KUNIT_CASE(vcpu_that_was_only_loaded_may_leave),
	KUNIT_CASE(busy_flush_is_repeated),
	KUNIT_CASE(failed_flush_bugs_the_vm),
	KUNIT_CASE(freed_vcpu_leaves_its_cpu),
	KUNIT_CASE(failed_write_bugs_the_vm),
	KUNIT_CASE(init_sets_up_posted_interrupts),
	KUNIT_CASE(vcpu_of_a_debuggable_td_is_a_tds),
	KUNIT_CASE(init_without_x2apic_is_refused),
	KUNIT_CASE(init_waits_for_mmu_lock),
	KUNIT_CASE(uninitialized_vcpu_has_no_root),
	KUNIT_CASE(creation_needs_an_initialized_td),
	KUNIT_CASE(notify_and_bus_lock_are_programmed),
	KUNIT_CASE(first_vcpu_is_the_boot_processor),
	KUNIT_CASE(another_vcpu_can_be_the_boot_processor),
	KUNIT_CASE(init_passes_rcx_and_the_apic_id),
	KUNIT_CASE(vcpu_has_the_tsc_of_the_td),
	KUNIT_CASE(root_of_shared_memory_is_passed_on),
	KUNIT_CASE(rip_is_unknown),
	{}
};

static struct kunit_suite tdx_vcpu_suite = {
	.name = "kvm_tdx_vcpu",
	.suite_init = tdx_fixture_suite_init,
	.suite_exit = tdx_fixture_suite_exit,
	.init = tdx_vcpu_init_td,
	.exit = tdx_fixture_exit,
	.test_cases = tdx_vcpu_cases,
};

kunit_test_suite(tdx_vcpu_suite);
