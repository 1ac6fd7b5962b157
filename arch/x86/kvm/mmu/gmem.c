// SPDX-License-Identifier: GPL-2.0
/*
 * What guest_memfd has to know of the kinds of VMs.
 */
#include <linux/kvm_host.h>

/*
 * A TD maps them by large pages.  The memory of an SEV-SNP guest is handed to the
 * firmware's table page by page.  Others get them if the administrator asks, to have the
 * memory tested by what knows other VMs only.
 */
bool kvm_arch_gmem_wants_large_folios(struct kvm *kvm, bool asked)
{
	switch (kvm->arch.vm_type) {
	case KVM_X86_TDX_VM:
		return true;
	case KVM_X86_SNP_VM:
		return false;
	default:
		return asked;
	}
}

/*
 * Whether a page need not be cleared before it is mapped, as the guest can't see what was in
 * it before, and nobody else can look.  That is so for a TD:
 *
 * - TDH.MEM.PAGE.ADD copies content over it, which takes another path; after that it is
 *   TDH.MEM.PAGE.AUG, and the module clears the page when the guest accepts it.  Until then
 *   the guest has no access.
 * - The host's userspace can't map or read the file at all.
 * - Between accept and removal it is the TD's alone.  When it is removed, or reclaimed, the
 *   backend clears it before it goes back to the file, or to the kernel.
 * - A page that never was mapped goes back to the kernel as it came from there.
 */
bool kvm_arch_gmem_clears_pages(struct kvm *kvm)
{
	return kvm->arch.vm_type == KVM_X86_TDX_VM;
}
