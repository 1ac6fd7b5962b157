// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU that each vCPU of a TD belongs to.
 *
 * The module associates a vCPU with the CPU that initializes, enters, reads or
 * writes it.  Only that CPU can end the association, and until it does no other
 * can use the vCPU.  So KVM keeps, per CPU, a list of the vCPUs that may be
 * associated: a vCPU enters the list of the CPU that loads it, and leaves that
 * of its former CPU, by an IPI, beforehand.  A CPU that goes offline empties its
 * list while it can.
 *
 * A list and the members' links are only ever touched by their CPU, with
 * interrupts disabled.  vcpu_tdx.assoc_cpu, written last, tells others whether
 * the vCPU is free to go to another CPU.
 */
#include <linux/kvm_host.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "posted_intr.h"
#include "tdx.h"
#include "tdx_call.h"

static DEFINE_PER_CPU(struct list_head, tdx_assoc_vcpus);

void tdx_vcpus_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu(tdx_assoc_vcpus, cpu));
}

/* Returns false if the module wouldn't let go of the vCPU. */
static bool tdx_flush_vp(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 status;

	if (!tdx->tdvpr || !tdx_has_key(kvm_tdx) || kvm_tdx->key_leaked)
		return true;

	/* PAGE.ADD and its like keep the TDR to themselves, but not for long. */
	status = tdx_call_retry(kvm_tdx, TDH_VP_FLUSH, tdh_vp_flush(tdx->tdvpr));

	switch (tdx_status_code(status)) {
	case TDX_SUCCESS:
	/*
	 * On the list doesn't mean that the vCPU has been used here, nor that
	 * INIT_VCPU got so far as to give it all its pages.
	 */
	case TDX_VCPU_NOT_ASSOCIATED:
	case TDX_TDCX_NUM_INCORRECT:
		return true;
	default:
		tdx_log_failure(vcpu->kvm, TDH_VP_FLUSH, status, tdx->tdvpr,
				tdx->assoc_cpu);
		return false;
	}
}

/*
 * Failure is for the caller to act upon: to bug the VM means to wait for other
 * CPUs, which is not possible here.  Don't touch the vCPU afterwards, unless it
 * is known to stay.
 */
static bool __tdx_vcpu_dissociate(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	bool flushed;

	lockdep_assert_irqs_disabled();

	flushed = tdx_flush_vp(vcpu);
	list_del(&tdx->assoc_list);

	/* Pairs with that in tdx_vcpu_load(): unlink before it is linked again. */
	smp_store_release(&tdx->assoc_cpu, -1);

	return flushed;
}

struct tdx_dissociation {
	struct kvm_vcpu *vcpu;
	bool failed;
};

static void tdx_vcpu_dissociate_ipi(void *arg)
{
	struct tdx_dissociation *dissociation = arg;
	struct kvm_vcpu *vcpu = dissociation->vcpu;

	/* The CPU may have gone offline, and back online, since it was chosen. */
	if (to_tdx(vcpu)->assoc_cpu == raw_smp_processor_id())
		dissociation->failed = !__tdx_vcpu_dissociate(vcpu);
}

void tdx_vcpu_dissociate(struct kvm_vcpu *vcpu)
{
	struct tdx_dissociation dissociation = { .vcpu = vcpu };
	int cpu = READ_ONCE(to_tdx(vcpu)->assoc_cpu);

	if (cpu == -1)
		return;

	smp_call_function_single(cpu, tdx_vcpu_dissociate_ipi, &dissociation, 1);

	if (dissociation.failed)
		kvm_vm_bugged(vcpu->kvm);
}

/*
 * Virtualization, and with it SEAMCALL, is about to be disabled here.  Without TDX nobody
 * calls this; if it turns out to be unusable, only after tdx_vcpus_init().
 */
void tdx_disable_virtualization_cpu(void)
{
	struct list_head *list = this_cpu_ptr(&tdx_assoc_vcpus);
	struct vcpu_tdx *tdx, *tmp;

	guard(irqsave)();

	/*
	 * A vCPU that the module doesn't let go of is found out by whoever next
	 * uses it, at the latest by the release of the TD's key.
	 */
	list_for_each_entry_safe(tdx, tmp, list, assoc_list)
		__tdx_vcpu_dissociate(&tdx->vcpu);
}

void tdx_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	tdx_vcpu_pi_load(vcpu, cpu);

	if (READ_ONCE(tdx->assoc_cpu) == cpu)
		return;

	tdx_vcpu_dissociate(vcpu);

	/* Pairs with that in __tdx_vcpu_dissociate().  Nobody else sets it. */
	if (KVM_BUG_ON(smp_load_acquire(&tdx->assoc_cpu) != -1, vcpu->kvm))
		return;

	guard(irqsave)();

	list_add(&tdx->assoc_list, this_cpu_ptr(&tdx_assoc_vcpus));
	WRITE_ONCE(tdx->assoc_cpu, cpu);
}

void tdx_vcpu_put(struct kvm_vcpu *vcpu)
{
	tdx_vcpu_pi_put(vcpu);
	tdx_prepare_switch_to_host(vcpu);
}
