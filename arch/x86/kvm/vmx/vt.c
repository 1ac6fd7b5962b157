// SPDX-License-Identifier: GPL-2.0
/*
 * kvm_intel from load to unload: VMX, and TDX on top of it if that is built and
 * there.  main.c has the table of operations.
 */

#include <linux/kvm_host.h>
#include <linux/module.h>

#include "tdx.h"
#include "vmx.h"
#include "x86_ops.h"

int __init vt_hardware_setup(void)
{
	int r;

	r = vmx_hardware_setup();
	if (r)
		return r;

	tdx_hardware_setup(vt_unexpected_op(&vt_x86_ops));
	if (enable_tdx) {
		vt_ops_setup(&vt_x86_ops);
		vt_x86_ops.vm_size = max(sizeof(struct kvm_vmx),
					 sizeof(struct kvm_tdx));
	}

	return 0;
}

static void __exit vt_exit(void)
{
	kvm_exit();
	tdx_cleanup();
	vmx_exit();
}
module_exit(vt_exit);

static int __init vt_init(void)
{
	unsigned int vcpu_align = __alignof__(struct vcpu_vmx);
	unsigned int vcpu_size = sizeof(struct vcpu_vmx);
	int r;

	r = vmx_init();
	if (r)
		return r;

	tdx_bringup();
	if (enable_tdx) {
		vcpu_size = max_t(unsigned int, vcpu_size,
				  sizeof(struct vcpu_tdx));
		vcpu_align = max_t(unsigned int, vcpu_align,
				   __alignof__(struct vcpu_tdx));
		kvm_caps.supported_vm_types |= BIT(KVM_X86_TDX_VM);
	}

	/* Last, as userspace finds /dev/kvm from here on. */
	r = kvm_init(vcpu_size, vcpu_align, THIS_MODULE);
	if (r) {
		tdx_cleanup();
		vmx_exit();
		return r;
	}

	if (enable_tdx)
		tdx_debugfs_init();

	return 0;
}
module_init(vt_init);
