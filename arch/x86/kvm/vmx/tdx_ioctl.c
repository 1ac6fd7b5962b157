// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_MEMORY_ENCRYPT_OP on a TD and its vCPUs: copy in, validate, call, copy out.
 * Errors, and the order in which they are found, are described in
 * Documentation/virt/kvm/x86/intel-tdx.rst.
 *
 * Commands that change the TD or a vCPU run under all locks that anything else
 * could look at the state with: kvm->lock, the mutexes of all vCPUs, slots_lock.
 */

#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mmu.h"
#include "tdx.h"

/* The TDVMCALLs that userspace has to answer, bits of GetTdVmCallInfo's R11 */
#define TDVMCALLINFO_SETUP_EVENT_NOTIFY	BIT_ULL(1)

static_assert(sizeof(struct kvm_tdx_cmd) == 24);
static_assert(sizeof(struct kvm_tdx_capabilities) == 2056);
static_assert(sizeof(struct kvm_tdx_init_vm) == 264);

static int tdx_get_cmd(void __user *argp, struct kvm_tdx_cmd *cmd)
{
	if (copy_from_user(cmd, argp, sizeof(*cmd)))
		return -EFAULT;

	/* An output, and nothing else yet. */
	return cmd->hw_error ? -EINVAL : 0;
}

static int tdx_lock_vm(struct kvm *kvm)
{
	int r;

	mutex_lock(&kvm->lock);

	r = kvm_lock_all_vcpus(kvm);
	if (r)
		goto err_unlock;

	/* It has looked at the TD's state already, or is going to. */
	if (kvm_is_vcpu_creation_in_progress(kvm)) {
		r = -EBUSY;
		goto err_unlock_vcpus;
	}

	mutex_lock(&kvm->slots_lock);

	if (!kvm->vm_dead)
		return 0;

	r = -EIO;
	mutex_unlock(&kvm->slots_lock);

err_unlock_vcpus:
	kvm_unlock_all_vcpus(kvm);
err_unlock:
	mutex_unlock(&kvm->lock);
	return r;
}

static void tdx_unlock_vm(struct kvm *kvm)
{
	mutex_unlock(&kvm->slots_lock);
	kvm_unlock_all_vcpus(kvm);
	mutex_unlock(&kvm->lock);
}

/*
 * Commands on the VM
 */

static int tdx_get_capabilities(struct kvm_tdx_cmd *cmd)
{
	struct kvm_tdx_capabilities __user *user = u64_to_user_ptr(cmd->data);
	const struct tdx_sys_info *info = tdx_get_sys_info();
	struct kvm_tdx_capabilities *caps __free(kfree) = NULL;
	u32 i, nent, nr = info->nr_cpuid_configs;
	size_t size;

	if (cmd->flags)
		return -EINVAL;

	if (get_user(nent, &user->cpuid.nent))
		return -EFAULT;
	if (nent < nr)
		return -E2BIG;

	size = struct_size(caps, cpuid.entries, nr);
	caps = kzalloc(size, GFP_KERNEL);
	if (!caps)
		return -ENOMEM;

	caps->supported_attrs = tdx_supported_attributes(info);
	caps->supported_xfam = tdx_supported_xfam(info);
	if (!caps->supported_attrs || !caps->supported_xfam)
		return -EIO;

	caps->user_tdvmcallinfo_1_r11 = TDVMCALLINFO_SETUP_EVENT_NOTIFY;

	caps->cpuid.nent = nr;
	for (i = 0; i < nr; i++)
		tdx_get_configurable_cpuid(info, i, &caps->cpuid.entries[i]);

	return copy_to_user(user, caps, size) ? -EFAULT : 0;
}

/* Copy of what @data points to, to be freed by the caller. */
static struct kvm_tdx_init_vm *tdx_get_init_vm(u64 data)
{
	struct kvm_tdx_init_vm __user *user = u64_to_user_ptr(data);
	struct kvm_tdx_init_vm *init;
	u32 nent;

	if (get_user(nent, &user->cpuid.nent))
		return ERR_PTR(-EFAULT);
	if (nent > KVM_MAX_CPUID_ENTRIES)
		return ERR_PTR(-E2BIG);

	init = memdup_user(user, struct_size(user, cpuid.entries, nent));
	if (IS_ERR(init))
		return init;

	/* It is userspace's memory, which may have changed since. */
	if (init->cpuid.nent != nent || init->cpuid.padding ||
	    memchr_inv(init->reserved, 0, sizeof(init->reserved))) {
		kfree(init);
		return ERR_PTR(-EINVAL);
	}

	return init;
}

/*
 * From now on KVM refuses memslots whose gfns have the direct bit or are above
 * it.  It couldn't before there was one.
 */
static bool tdx_memslots_fit(struct kvm *kvm, gfn_t direct_bits)
{
	struct kvm_memory_slot *slot;
	int i, bkt;

	for (i = 0; i < kvm_arch_nr_memslot_as_ids(kvm); i++) {
		kvm_for_each_memslot(slot, bkt, __kvm_memslots(kvm, i)) {
			if (slot->base_gfn + slot->npages > direct_bits)
				return false;
		}
	}

	return true;
}

static int tdx_init_vm(struct kvm *kvm, struct kvm_tdx_cmd *cmd)
{
	struct tdx_td_config *config __free(kfree) = NULL;
	struct kvm_tdx_init_vm *init;
	int r;

	/* The module wants TD_PARAMS aligned, as kmalloc() does such sizes. */
	BUILD_BUG_ON_NOT_POWER_OF_2(sizeof(*config));

	if (to_kvm_tdx(kvm)->state != TD_STATE_UNINITIALIZED || cmd->flags)
		return -EINVAL;

	init = tdx_get_init_vm(cmd->data);
	if (IS_ERR(init))
		return PTR_ERR(init);

	r = -EBUSY;
	if (kvm->created_vcpus)
		goto out;

	r = -ENOMEM;
	config = kzalloc(sizeof(*config), GFP_KERNEL);
	if (!config)
		goto out;

	r = tdx_make_td_config(kvm, tdx_get_sys_info(), init,
			       init->cpuid.entries, config);
	if (!r && !tdx_memslots_fit(kvm, config->direct_bits))
		r = -EINVAL;
	r = r ?: tdx_td_init(kvm, config, &cmd->hw_error);

out:
	kfree(init);
	return r;
}

static int tdx_finalize_vm(struct kvm *kvm, struct kvm_tdx_cmd *cmd)
{
	if (to_kvm_tdx(kvm)->state != TD_STATE_INITIALIZED || cmd->flags)
		return -EINVAL;

	return tdx_td_finalize(kvm, &cmd->hw_error);
}

static int tdx_vm_ioctl_locked(struct kvm *kvm, struct kvm_tdx_cmd *cmd)
{
	int r;

	r = tdx_lock_vm(kvm);
	if (r)
		return r;

	if (cmd->id == KVM_TDX_INIT_VM)
		r = tdx_init_vm(kvm, cmd);
	else
		r = tdx_finalize_vm(kvm, cmd);

	tdx_unlock_vm(kvm);
	return r;
}

int tdx_vm_ioctl(struct kvm *kvm, void __user *argp)
{
	struct kvm_tdx_cmd cmd;
	int r;

	r = tdx_get_cmd(argp, &cmd);
	if (r)
		return r;

	switch (cmd.id) {
	case KVM_TDX_CAPABILITIES:
		return tdx_get_capabilities(&cmd);
	case KVM_TDX_INIT_VM:
	case KVM_TDX_FINALIZE_VM:
		r = tdx_vm_ioctl_locked(kvm, &cmd);
		break;
	default:
		return -EINVAL;
	}

	/* Failure included: that is when there is a hw_error. */
	return copy_to_user(argp, &cmd, sizeof(cmd)) ? -EFAULT : r;
}

/*
 * Commands on a vCPU
 */

static int tdx_init_vcpu(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd)
{
	if (to_kvm_tdx(vcpu->kvm)->state != TD_STATE_INITIALIZED ||
	    to_tdx(vcpu)->state != VCPU_TD_STATE_UNINITIALIZED || cmd->flags)
		return -EINVAL;

	return tdx_vcpu_init(vcpu, cmd->data);
}

static int tdx_vcpu_ioctl_locked(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd)
{
	int r;

	switch (cmd->id) {
	case KVM_TDX_INIT_VCPU:
		vcpu_load(vcpu);
		r = tdx_init_vcpu(vcpu, cmd);
		vcpu_put(vcpu);
		return r;
	case KVM_TDX_INIT_MEM_REGION:
		vcpu_load(vcpu);
		r = tdx_init_mem_region(vcpu, cmd);
		vcpu_put(vcpu);
		return r;
	default:
		/* Needs no more than the vCPU's mutex: tdx_vcpu_ioctl() */
		return -ENOIOCTLCMD;
	}
}

int tdx_vcpu_unlocked_ioctl(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_tdx_cmd cmd;
	int r;

	r = tdx_get_cmd(argp, &cmd);
	if (r)
		return r;

	if (cmd.id != KVM_TDX_INIT_VCPU && cmd.id != KVM_TDX_INIT_MEM_REGION &&
	    cmd.id != KVM_TDX_GET_CPUID)
		return -EINVAL;

	r = tdx_lock_vm(vcpu->kvm);
	if (r)
		return r;

	r = tdx_vcpu_ioctl_locked(vcpu, &cmd);

	tdx_unlock_vm(vcpu->kvm);
	return r;
}

static int tdx_get_cpuid(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd)
{
	struct kvm_cpuid2 __user *user = u64_to_user_ptr(cmd->data);
	struct kvm_cpuid_entry2 *entries __free(kvfree) = NULL;
	u32 nent;
	int nr;

	if (READ_ONCE(to_kvm_tdx(vcpu->kvm)->state) != TD_STATE_INITIALIZED)
		return -EINVAL;

	if (get_user(nent, &user->nent))
		return -EFAULT;

	entries = kvcalloc(KVM_MAX_CPUID_ENTRIES, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;

	nr = tdx_read_td_cpuid(vcpu->kvm, entries, KVM_MAX_CPUID_ENTRIES);
	if (nr < 0)
		return nr;

	if (put_user(nr, &user->nent))
		return -EFAULT;
	if (nent < nr)
		return -E2BIG;

	return copy_to_user(user->entries, entries, nr * sizeof(*entries)) ?
	       -EFAULT : 0;
}

/* With the mutex of the vCPU held, and the vCPU loaded. */
int tdx_vcpu_ioctl(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_tdx_cmd cmd;
	int r;

	r = tdx_get_cmd(argp, &cmd);
	if (r)
		return r;

	return cmd.id == KVM_TDX_GET_CPUID ? tdx_get_cpuid(vcpu, &cmd) : -EINVAL;
}
