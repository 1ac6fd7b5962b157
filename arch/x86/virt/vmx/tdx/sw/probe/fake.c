// SPDX-License-Identifier: GPL-2.0
/*
 * What tests put in place of the CPU's MSRs, and of the module's whole state.
 *
 * Built with KUnit only.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <kunit/visibility.h>

#include "base/cpu.h"
#include "probe/sw_test.h"

/* ---- MSRs ---- */

static struct tdx_sw_fake_msrs *fake_msrs;

static u64 *find_msr(struct tdx_sw_fake_msrs *msrs, u32 msr)
{
	switch (msr) {
	case MSR_IA32_MISC_ENABLE:
		return &msrs->misc_enable;
	case MSR_IA32_TSC_ADJUST:
		return &msrs->tsc_adjust;
	case MSR_IA32_DEBUGCTLMSR:
		return &msrs->debugctl;
	case MSR_IA32_VMX_CR0_FIXED0:
	case MSR_IA32_VMX_CR0_FIXED1:
		return &msrs->cr0_fixed[msr - MSR_IA32_VMX_CR0_FIXED0];
	case MSR_IA32_VMX_CR4_FIXED0:
	case MSR_IA32_VMX_CR4_FIXED1:
		return &msrs->cr4_fixed[msr - MSR_IA32_VMX_CR4_FIXED0];
	default:
		return NULL;
	}
}

static bool fake_rdmsr(u32 msr, u64 *value)
{
	struct tdx_sw_fake_msrs *msrs = READ_ONCE(fake_msrs);
	u64 *fake = msrs ? find_msr(msrs, msr) : NULL;

	if (!fake)
		return false;
	*value = *fake;
	if (fake == &msrs->debugctl && msrs->read_clears_debugctl)
		*fake = 0;
	return true;
}

static bool fake_wrmsr(u32 msr, u64 value)
{
	struct tdx_sw_fake_msrs *msrs = READ_ONCE(fake_msrs);
	u64 *fake = msrs ? find_msr(msrs, msr) : NULL;

	if (fake)
		*fake = value;
	return fake;
}

static const struct tdx_sw_fake fake = {
	.read = fake_rdmsr,
	.write = fake_wrmsr,
};

void tdx_sw_test_fake_msrs(struct tdx_sw_fake_msrs *msrs)
{
	WRITE_ONCE(fake_msrs, msrs);
	WRITE_ONCE(tdx_sw_fake_msr, msrs ? &fake : NULL);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fake_msrs);

/* ---- a second module ---- */

static struct tdx_sw_state *real_state;

int tdx_sw_test_fresh_begin(void)
{
	struct tdx_sw_state *fresh;

	if (real_state)
		return -EBUSY;
	fresh = kvzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;

	fresh->nr_cmrs = tdx_sw->nr_cmrs;
	memcpy(fresh->cmrs, tdx_sw->cmrs, sizeof(fresh->cmrs));
	real_state = tdx_sw;
	WRITE_ONCE(tdx_sw, fresh);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_begin);

void tdx_sw_test_fresh_end(void)
{
	struct tdx_sw_state *fresh = tdx_sw;

	if (WARN_ON_ONCE(!real_state))
		return;
	WRITE_ONCE(tdx_sw, real_state);
	real_state = NULL;
	kvfree(fresh);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_end);

int tdx_sw_test_fresh_cmrs(const struct tdx_sw_test_cmr *cmrs, unsigned int nr)
{
	unsigned int i;

	if (!real_state || nr > SEAM_NR_CMRS)
		return -EINVAL;

	memset(tdx_sw->cmrs, 0, sizeof(tdx_sw->cmrs));
	for (i = 0; i < nr; i++) {
		tdx_sw->cmrs[i].base = cmrs[i].base;
		tdx_sw->cmrs[i].size = cmrs[i].size;
	}
	tdx_sw->nr_cmrs = nr;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_cmrs);

void tdx_sw_test_fresh_packages(unsigned int nr)
{
	if (!WARN_ON_ONCE(!real_state || nr > SEAM_MAX_PACKAGES))
		tdx_sw->fake_packages = nr;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_fresh_packages);

unsigned int tdx_sw_test_cmrs(struct tdx_sw_test_cmr *cmrs, unsigned int max)
{
	unsigned int i, nr = min(max, tdx_sw->nr_cmrs);

	for (i = 0; i < nr; i++) {
		cmrs[i].base = tdx_sw->cmrs[i].base;
		cmrs[i].size = tdx_sw->cmrs[i].size;
	}
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_test_cmrs);
