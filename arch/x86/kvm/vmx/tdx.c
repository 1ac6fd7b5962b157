// SPDX-License-Identifier: GPL-2.0
/*
 * Bringing TDX up when kvm_intel is loaded, and down again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/misc_cgroup.h>
#include <linux/moduleparam.h>

#include <asm/tdx.h>

#include "capabilities.h"
#include "mmu.h"
#include "tdx.h"
#include "vmx.h"
#include "x86.h"
#include "x86_ops.h"

bool enable_tdx __ro_after_init;
module_param_named(tdx, enable_tdx, bool, 0444);
MODULE_PARM_DESC(tdx, "Offer TDX guests, needs the TDX module (default: N)");

static enum cpuhp_state tdx_cpuhp_state __ro_after_init;

/*
 * Bring-up
 */

static int tdx_online_cpu(unsigned int cpu)
{
	guard(irqsave)();

	return tdx_cpu_enable();
}

static const char *__init tdx_missing_requirement(void)
{
	if (!enable_ept || !cpu_has_vmx_ept_ad_bits())
		return "EPT with accessed and dirty bits";
	if (!tdp_mmu_enabled)
		return "the TDP MMU";
	if (!enable_mmio_caching)
		return "MMIO caching";
	if (!enable_virt_at_load)
		return "kvm.enable_virt_at_load";
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return "XSAVE";
	if (!boot_cpu_has(X86_FEATURE_TDX_HOST_PLATFORM))
		return "a platform with TDX enabled";

	return NULL;
}

/*
 * What doesn't take the module to find out.  @op is an operation of kvm_intel's that
 * nobody has decided what it does to a TD, or NULL.
 */
void __init tdx_hardware_setup(const char *op)
{
	const char *missing;

	if (!enable_tdx)
		return;

	missing = tdx_missing_requirement();
	if (!missing && !op)
		return;

	if (missing)
		pr_info("TDX is off: it needs %s\n", missing);
	else
		pr_info("TDX is off: it can't be used with kvm_intel's %s()\n", op);
	enable_tdx = false;
}

static int __init tdx_check_sys_info(void)
{
	const struct tdx_sys_info *info = tdx_get_sys_info();
	const char *missing = NULL;

	if (!info)
		missing = "metadata of the module";
	else if (!tdx_has_required_features(info))
		missing = "topology enumeration and NO_RBP_MOD in the module";
	else if (!tdx_supported_attributes(info))
		missing = "a module whose ATTRIBUTES KVM supports";
	else if (!tdx_supported_xfam(info))
		missing = "a module whose XFAM KVM supports";
	else if (info->max_vcpus_per_td < num_present_cpus())
		missing = "a module that allows as many vCPUs as there are CPUs";
	else if (!enable_apicv && !info->pi_no_cpu)
		missing = "APIC virtualization with posted interrupts";

	if (!missing) {
		tdx_entry_set_xfam(tdx_supported_xfam(info));
		return 0;
	}

	pr_err("TDX is off: it needs %s\n", missing);
	return -EOPNOTSUPP;
}

static int __init __tdx_bringup(void)
{
	int r;

	guard(cpus_read_lock)();

	/* SEAMCALL needs VMX operation, in which all CPUs are from here on. */
	r = cpuhp_setup_state_cpuslocked(CPUHP_AP_ONLINE_DYN, "kvm/cpu/tdx:online",
					 tdx_online_cpu, NULL);
	if (r < 0)
		return r;
	tdx_cpuhp_state = r;

	r = tdx_enable();
	r = r ?: tdx_check_sys_info();
	r = r ?: misc_cg_set_capacity(MISC_CG_RES_TDX, tdx_get_nr_guest_keyids());
	if (r)
		cpuhp_remove_state_nocalls_cpuslocked(tdx_cpuhp_state);

	return r;
}

/* With the CPUs' help find out whether TDX is usable; it is off if not. */
void __init tdx_bringup(void)
{
	int r;

	if (!enable_tdx)
		return;

	/* Before anything can disable virtualization again. */
	tdx_vcpus_init();
	tdx_entry_init();

	r = kvm_enable_virtualization();
	if (!r) {
		r = __tdx_bringup();
		if (!r)
			return;

		kvm_disable_virtualization();
	}

	pr_info("TDX is off: bringing it up failed (%d)\n", r);
	enable_tdx = false;
}

void tdx_cleanup(void)
{
	if (!enable_tdx)
		return;

	misc_cg_set_capacity(MISC_CG_RES_TDX, 0);
	cpuhp_remove_state_nocalls(tdx_cpuhp_state);
	kvm_disable_virtualization();
}
