// SPDX-License-Identifier: GPL-2.0
/*
 * What common KVM asks the VM instead of the vendor or itself, what it does about a
 * mirror when memslots change, and the mutexes of all vCPUs.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/kvm_dirty_ring.h>
#include <linux/sched/signal.h>

#include "mmu.h"
#include "mmu_fixture.h"

static const char * const td_stats[] = {
	"mmu_external_yields", "tdx_pages_mapped", "tdx_pages_mapped_2m",
	"tdx_pages_removed", "tdx_pages_leaked", "tdx_track_rounds", "tdx_kicks",
	"tdx_busy_removals", "tdx_splits", "tdx_sept_pages",
};

static void statistics_of_tds_are_of_no_other_vm(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i, nr = 0;

	for (i = 0; i < kvm_vm_stats_header.num_desc; i++) {
		const struct kvm_stats_desc *desc = &kvm_vm_stats_desc[i];
		bool is_td = match_string(td_stats, ARRAY_SIZE(td_stats), desc->name) >= 0;

		vm->kvm->arch.vm_type = KVM_X86_DEFAULT_VM;
		KUNIT_EXPECT_EQ_MSG(test, !is_td, kvm_arch_has_vm_stat(vm->kvm, desc), "%s",
				    desc->name);
		vm->kvm->arch.vm_type = KVM_X86_TDX_VM;
		KUNIT_EXPECT_TRUE(test, kvm_arch_has_vm_stat(vm->kvm, desc));
		nr += is_td;
	}

	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_KVM_INTEL_TDX) ? ARRAY_SIZE(td_stats) : 1, nr);
}

static void number_of_vcpus_is_the_vms_own(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	vm->kvm->max_vcpus = 1;
	KUNIT_EXPECT_EQ(test, 1, kvm_vm_ioctl_check_extension(vm->kvm, KVM_CAP_MAX_VCPUS));
	KUNIT_EXPECT_EQ(test, 1, kvm_vm_ioctl_check_extension(vm->kvm, KVM_CAP_NR_VCPUS));
	vm->kvm->max_vcpus = KVM_MAX_VCPUS - 1;
	KUNIT_EXPECT_EQ(test, KVM_MAX_VCPUS - 1,
			kvm_vm_ioctl_check_extension(vm->kvm, KVM_CAP_MAX_VCPUS));
	KUNIT_EXPECT_EQ(test, num_online_cpus(),
			kvm_vm_ioctl_check_extension(vm->kvm, KVM_CAP_NR_VCPUS));
	KUNIT_EXPECT_EQ(test, KVM_MAX_VCPUS,
			kvm_vm_ioctl_check_extension(NULL, KVM_CAP_MAX_VCPUS));
}

/* The CPU logs for a VM that lets it, whatever it can do for others. */
static void dirty_log_of_the_cpu_is_the_vms_own(struct kunit *test)
{
	static const u32 sizes[] = { 0, 512 };
	struct test_vm *vm = test->priv;
	struct kvm_dirty_ring ring = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 reserved = KVM_DIRTY_RING_RSVD_ENTRIES + sizes[i];

		vm->kvm->arch.cpu_dirty_log_size = sizes[i];
		KUNIT_EXPECT_EQ(test, sizes[i], kvm_cpu_dirty_log_size(vm->kvm));
		KUNIT_EXPECT_EQ(test, reserved, kvm_dirty_ring_get_rsvd_entries(vm->kvm));

		KUNIT_ASSERT_EQ(test, 0, kvm_dirty_ring_alloc(vm->kvm, &ring, 0,
							      1024 * sizeof(struct kvm_dirty_gfn)));
		KUNIT_EXPECT_EQ(test, 1024 - reserved, ring.soft_limit);
		kvm_dirty_ring_free(&ring);
	}
}

static int prepare_slot(struct test_vm *vm, gfn_t start, gfn_t end,
			enum kvm_mr_change change)
{
	struct kvm_memory_slot slot = { .base_gfn = start, .npages = end - start };
	int r;

	guard(mutex)(&vm->kvm->slots_lock);

	r = kvm_arch_prepare_memory_region(vm->kvm, NULL, &slot, change);
	if (!r)
		kvm_arch_free_memslot(vm->kvm, &slot);
	return r;
}

/* A gfn that has the bit is a second name of another one. */
static void slots_end_below_the_direct_bit(struct kunit *test)
{
	static const enum kvm_mr_change changes[] = { KVM_MR_CREATE, KVM_MR_MOVE };
	gfn_t direct = TEST_DIRECT_BIT;
	struct test_vm *vm = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		KUNIT_EXPECT_EQ(test, 0, prepare_slot(vm, direct - 2, direct, changes[i]));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				prepare_slot(vm, direct - 1, direct + 1, changes[i]));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				prepare_slot(vm, direct, direct + 1, changes[i]));
	}

	vm->kvm->arch.gfn_direct_bits = 0;
	KUNIT_EXPECT_EQ(test, 0, prepare_slot(vm, direct, direct + 1, KVM_MR_CREATE));
}

static void commit_slot(struct test_vm *vm, enum kvm_mr_change change)
{
	struct kvm_memory_slot old = { .base_gfn = 100, .npages = 4 };
	struct kvm_memory_slot new = { .base_gfn = 3, .npages = 1 };

	guard(mutex)(&vm->kvm->slots_lock);

	kvm_arch_commit_memory_region(vm->kvm, &old, &new, change);
}

static void new_and_moved_slots_replace_mmio(struct kunit *test)
{
	static const enum kvm_mr_change changes[] = { KVM_MR_CREATE, KVM_MR_MOVE };
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	int i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
		KUNIT_ASSERT_EQ(test, RET_PF_EMULATE, test_map_mmio(vcpu, 3));
		KUNIT_ASSERT_TRUE(test, is_mmio_spte(vm->kvm, test_read_direct_spte(vcpu, 3)));

		commit_slot(vm, changes[i]);
		KUNIT_EXPECT_EQ(test, SHADOW_NONPRESENT_VALUE, test_read_direct_spte(vcpu, 3));
	}

	test_vcpu_destroy(vcpu);
}

/* The lock is held for writing, and has to be given up and taken again so. */
static void zap_of_mmio_yields(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = test_vcpu_create(vm);
	gfn_t gfn;

	for (gfn = 3; gfn < 5; gfn++) {
		KUNIT_ASSERT_EQ(test, 0, test_vcpu_topup(vcpu));
		KUNIT_ASSERT_EQ(test, RET_PF_EMULATE, test_map_mmio(vcpu, gfn));
	}

	write_lock(&vm->kvm->mmu_lock);
	set_tsk_need_resched(current);
	set_preempt_need_resched();
	kvm_tdp_mmu_zap_mmio_sptes(vm->kvm, 3, 5);
	KUNIT_EXPECT_FALSE(test, need_resched());
	lockdep_assert_held_write(&vm->kvm->mmu_lock);
	write_unlock(&vm->kvm->mmu_lock);

	for (gfn = 3; gfn < 5; gfn++)
		KUNIT_EXPECT_EQ(test, SHADOW_NONPRESENT_VALUE, test_read_direct_spte(vcpu, gfn));
	test_vcpu_destroy(vcpu);
}

/*
 * Locking all vCPUs
 */

#define NR_VCPUS	3

static void create_vcpus(struct test_vm *vm, struct kvm_vcpu *vcpus[NR_VCPUS])
{
	int i;

	mutex_init(&vm->kvm->lock);
	for (i = 0; i < NR_VCPUS; i++) {
		vcpus[i] = kvzalloc(sizeof(*vcpus[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(vm->test, vcpus[i]);
		mutex_init(&vcpus[i]->mutex);
		KUNIT_ASSERT_FALSE(vm->test, xa_is_err(xa_store(&vm->kvm->vcpu_array, i,
								vcpus[i], GFP_KERNEL)));
	}
	atomic_set(&vm->kvm->online_vcpus, NR_VCPUS);
}

static void free_vcpus(struct test_vm *vm, struct kvm_vcpu *vcpus[NR_VCPUS])
{
	int i;

	atomic_set(&vm->kvm->online_vcpus, 0);
	xa_destroy(&vm->kvm->vcpu_array);
	for (i = 0; i < NR_VCPUS; i++)
		kvfree(vcpus[i]);
}

static void all_vcpus_are_locked_and_unlocked(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	int i;

	create_vcpus(vm, vcpus);
	mutex_lock(&vm->kvm->lock);

	KUNIT_EXPECT_EQ(test, 0, kvm_lock_all_vcpus(vm->kvm));
	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_TRUE(test, mutex_is_locked(&vcpus[i]->mutex));
	kvm_unlock_all_vcpus(vm->kvm);
	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_FALSE(test, mutex_is_locked(&vcpus[i]->mutex));

	mutex_unlock(&vm->kvm->lock);
	free_vcpus(vm, vcpus);
}

/* A vCPU that is in KVM_RUN, for as long as it likes. */
struct runner {
	struct kvm_vcpu *vcpu;
	struct completion locked;
	struct completion stop;
	struct completion done;
};

static int run_thread(void *data)
{
	struct runner *runner = data;

	mutex_lock(&runner->vcpu->mutex);
	complete(&runner->locked);
	wait_for_completion(&runner->stop);
	mutex_unlock(&runner->vcpu->mutex);
	complete(&runner->done);
	return 0;
}

static void start_runner(struct kunit *test, struct runner *runner, struct kvm_vcpu *vcpu)
{
	struct task_struct *task;

	runner->vcpu = vcpu;
	init_completion(&runner->locked);
	init_completion(&runner->stop);
	init_completion(&runner->done);
	task = kthread_run(run_thread, runner, "mmu-vcpu");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&runner->locked);
}

/* As if this thread's process were killed. */
static void set_killed(bool killed)
{
	/* Its own, which stays. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	spin_lock_irq(&sighand->siglock);
	if (killed) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
	} else {
		sigdelset(&current->pending.signal, SIGKILL);
		clear_thread_flag(TIF_SIGPENDING);
	}
	spin_unlock_irq(&sighand->siglock);
}

static void killed_task_holds_no_vcpu(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct runner runner;
	int r;

	create_vcpus(vm, vcpus);
	start_runner(test, &runner, vcpus[1]);

	mutex_lock(&vm->kvm->lock);
	set_killed(true);
	r = kvm_lock_all_vcpus(vm->kvm);
	set_killed(false);

	KUNIT_EXPECT_EQ(test, -EINTR, r);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&vcpus[0]->mutex));
	/* The runner's, still. */
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&vcpus[1]->mutex));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&vcpus[2]->mutex));
	mutex_unlock(&vm->kvm->lock);

	complete(&runner.stop);
	wait_for_completion(&runner.done);
	free_vcpus(vm, vcpus);
}

static struct kunit_case vm_cases[] = {
	KUNIT_CASE(statistics_of_tds_are_of_no_other_vm),
	KUNIT_CASE(number_of_vcpus_is_the_vms_own),
	KUNIT_CASE(dirty_log_of_the_cpu_is_the_vms_own),
	KUNIT_CASE(slots_end_below_the_direct_bit),
	KUNIT_CASE(new_and_moved_slots_replace_mmio),
	KUNIT_CASE(zap_of_mmio_yields),
	KUNIT_CASE(all_vcpus_are_locked_and_unlocked),
	KUNIT_CASE(killed_task_holds_no_vcpu),
	{}
};

static struct kunit_suite vm_suite = {
	.name = "kvm_mmu_vm",
	.suite_init = mmu_fixture_suite_init,
	.suite_exit = mmu_fixture_suite_exit,
	.init = mmu_fixture_init,
	.exit = mmu_fixture_exit,
	.test_cases = vm_cases,
};

kunit_test_suite(vm_suite);
