// SPDX-License-Identifier: GPL-2.0
/*
 * What a TD looks like: ATTRIBUTES, XFAM and CPUID that KVM offers, the TD_PARAMS
 * made of what userspace chose of it, and the CPUID that the TD ends up with.
 *
 * The guest physical width is a part of CPUID.  TDX has 48 and 52 bits; a module
 * may enumerate one smaller width instead, which is then treated as 48 is, but
 * reported as what it is.
 */

#include <linux/bitfield.h>

#include "capabilities.h"
#include "cpuid.h"
#include "mmu.h"
#include "tdx.h"
#include "tdx_call.h"
#include "vmx.h"
#include "x86.h"

/* CPUID.7.0: what the host can't keep from leaking out of, or into, a TD */
#define TDX_UNSUPPORTED_7_0_EBX	(BIT(4) /* HLE */ | BIT(11) /* RTM */)
#define TDX_UNSUPPORTED_7_0_ECX	BIT(5) /* WAITPKG */

#define CPUID_GUEST_PHYS_BITS	GENMASK(23, 16)

static bool is_guest_phys_bits_leaf(u32 function)
{
	return function == 0x80000008;
}

/* 0 if the module and KVM don't get together. */
u64 tdx_supported_attributes(const struct tdx_sys_info *info)
{
	u64 attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;

	if (info->attributes_fixed1 & ~attributes)
		return 0;

	return attributes & info->attributes_fixed0;
}

/* Parts of these are no use, and the module refuses them. */
static const u64 tdx_xfam_groups[] = {
	TDX_XFAM_AVX512, TDX_XFAM_CET, TDX_XFAM_AMX,
};

/*
 * As above.  The CPU switches what is in XFAM: it has to be the host's, too.  An
 * exit leaves IA32_LBR_CTL and IA32_LBR_DEPTH, and the MSRs of PT, in a state that
 * nobody restores.
 */
u64 tdx_supported_xfam(const struct tdx_sys_info *info)
{
	u64 xfam = (kvm_host.xcr0 | kvm_host.xss) & ~(TDX_XFAM_LBR | TDX_XFAM_PT);
	int i;

	for (i = 0; i < ARRAY_SIZE(tdx_xfam_groups); i++) {
		if ((xfam & tdx_xfam_groups[i]) != tdx_xfam_groups[i])
			xfam &= ~tdx_xfam_groups[i];
	}

	if (info->xfam_fixed1 & ~xfam)
		return 0;

	return xfam & info->xfam_fixed0;
}

/* The i-th CPUID leaf that the host may configure, as userspace gets to see it. */
void tdx_get_configurable_cpuid(const struct tdx_sys_info *info,
				unsigned int i, struct kvm_cpuid_entry2 *entry)
{
	const struct tdx_cpuid_config *config = &info->cpuid_configs[i];

	*entry = (struct kvm_cpuid_entry2) {
		.function = config->leaf,
		.index = config->subleaf == TDX_CPUID_NO_SUBLEAF ?
			 0 : config->subleaf,
		.eax = config->eax,
		.ebx = config->ebx,
		.ecx = config->ecx,
		.edx = config->edx,
	};

	/* KVM's to configure, by way of CONFIG_FLAGS. */
	if (is_guest_phys_bits_leaf(entry->function))
		entry->eax |= CPUID_GUEST_PHYS_BITS;

	if (entry->function == 7 && !entry->index) {
		entry->ebx &= ~TDX_UNSUPPORTED_7_0_EBX;
		entry->ecx &= ~TDX_UNSUPPORTED_7_0_ECX;
	}
}

static bool tdx_has_unsupported_cpuid(const struct kvm_cpuid_entry2 *entry)
{
	return entry->function == 7 && !entry->index &&
	       (entry->ebx & TDX_UNSUPPORTED_7_0_EBX ||
		entry->ecx & TDX_UNSUPPORTED_7_0_ECX);
}

static const struct kvm_cpuid_entry2 *
tdx_find_cpuid(const struct kvm_cpuid_entry2 *entries, unsigned int nent,
	       u32 function, u32 index)
{
	unsigned int i;

	/*
	 * By index even without KVM_CPUID_FLAG_SIGNIFCANT_INDEX, which is not
	 * set in KVM_TDX_CAPABILITIES, either: an entry stands for one leaf.
	 */
	for (i = 0; i < nent; i++) {
		if (entries[i].function == function && entries[i].index == index)
			return &entries[i];
	}

	return NULL;
}

/* Width of the TD's guest physical addresses, or -EINVAL. */
static int tdx_choose_gpa_width(const struct tdx_sys_info *info,
				const struct kvm_cpuid_entry2 *entries,
				unsigned int nent)
{
	const struct kvm_cpuid_entry2 *entry;
	int width;

	entry = tdx_find_cpuid(entries, nent, 0x80000008, 0);
	if (!entry)
		return -EINVAL;

	width = FIELD_GET(CPUID_GUEST_PHYS_BITS, entry->eax);

	if (info->gpa_width)
		return width == info->gpa_width ? width : -EINVAL;
	if (width == 48 || (width == 52 && cpu_has_vmx_ept_5levels()))
		return width;

	return -EINVAL;
}

static int tdx_config_cpuid(const struct tdx_sys_info *info,
			    const struct kvm_cpuid_entry2 *entries,
			    unsigned int nent, struct td_params *params)
{
	const struct kvm_cpuid_entry2 *entry;
	unsigned int i, nr_copied = 0;
	struct kvm_cpuid_entry2 key;

	for (i = 0; i < info->nr_cpuid_configs; i++) {
		tdx_get_configurable_cpuid(info, i, &key);

		entry = tdx_find_cpuid(entries, nent, key.function, key.index);
		if (!entry)
			continue;

		if (tdx_has_unsupported_cpuid(entry))
			return -EINVAL;

		params->cpuid_values[i].eax = entry->eax;
		params->cpuid_values[i].ebx = entry->ebx;
		params->cpuid_values[i].ecx = entry->ecx;
		params->cpuid_values[i].edx = entry->edx;
		nr_copied++;

		/* The module takes the width from CONFIG_FLAGS alone. */
		if (is_guest_phys_bits_leaf(entry->function))
			params->cpuid_values[i].eax &= ~CPUID_GUEST_PHYS_BITS;
	}

	/* Something that the module doesn't know, or twice the same. */
	return nr_copied == nent ? 0 : -EINVAL;
}

static int tdx_config_tsc(struct kvm *kvm, struct td_params *params)
{
	u32 khz = kvm->arch.default_tsc_khz;

	/* A value that doesn't fit must not turn into one that does. */
	if (khz < TDX_TSC_MIN_KHZ || khz > TDX_TSC_MAX_KHZ)
		return -EINVAL;

	/* The nearest one: a TSC that was measured is a little off. */
	params->tsc_frequency = DIV_ROUND_CLOSEST(khz, TDX_TSC_UNIT_KHZ);
	return 0;
}

int tdx_make_td_config(struct kvm *kvm, const struct tdx_sys_info *info,
		       const struct kvm_tdx_init_vm *init,
		       const struct kvm_cpuid_entry2 *entries,
		       struct tdx_td_config *config)
{
	struct td_params *params = &config->params;
	int width, r;

	if (init->attributes & ~tdx_supported_attributes(info) ||
	    init->xfam & ~tdx_supported_xfam(info))
		return -EINVAL;

	width = tdx_choose_gpa_width(info, entries, init->cpuid.nent);
	if (width < 0)
		return width;

	r = tdx_config_cpuid(info, entries, init->cpuid.nent, params);
	r = r ?: tdx_config_tsc(kvm, params);
	if (r)
		return r;

	params->attributes = init->attributes | info->attributes_fixed1;
	params->xfam = init->xfam | info->xfam_fixed1;
	params->max_vcpus = kvm->max_vcpus;
	params->eptp_controls = TDX_EPTP_MT_WB |
				(width == 52 ? TDX_EPTP_PWL_5 : TDX_EPTP_PWL_4);
	params->config_flags = TDX_CONFIG_FLAGS_NO_RBP_MOD |
			       (width == 52 ? TDX_CONFIG_FLAGS_MAX_GPAW : 0);

	BUILD_BUG_ON(sizeof(params->mrconfigid) != sizeof(init->mrconfigid));
	memcpy(params->mrconfigid, init->mrconfigid, sizeof(params->mrconfigid));
	memcpy(params->mrowner, init->mrowner, sizeof(params->mrowner));
	memcpy(params->mrownerconfig, init->mrownerconfig,
	       sizeof(params->mrownerconfig));

	config->direct_bits = gpa_to_gfn(BIT_ULL(width - 1));
	return 0;
}

/*
 * Reading back
 */

/*
 * 0; -ENOENT if the module has no such leaf, or none that is constant; what
 * tdx_read_error() says of other answers.
 */
static int tdx_read_cpuid_half(struct kvm *kvm, u64 field, u32 *low, u32 *high)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 status, value;

	status = tdx_call_retry(kvm_tdx, TDH_MNG_RD,
				tdh_mng_rd(kvm_tdx->tdr, field, &value));

	switch (tdx_status_code(status)) {
	case TDX_SUCCESS:
		*low = lower_32_bits(value);
		*high = upper_32_bits(value);
		return 0;
	case TDX_METADATA_FIELD_ID_INCORRECT:
	case TDX_METADATA_FIELD_NOT_READABLE:
		return -ENOENT;
	default:
		return tdx_read_error(kvm, TDH_MNG_RD, status, kvm_tdx->tdr, field);
	}
}

static int tdx_read_cpuid(struct kvm *kvm, u32 leaf, bool has_subleaf,
			  u32 subleaf, struct kvm_cpuid_entry2 *entry)
{
	u64 width;
	int r;

	if (!tdx_md_has_cpuid(leaf, has_subleaf, subleaf))
		return -ENOENT;

	memset(entry, 0, sizeof(*entry));
	entry->function = leaf;
	entry->index = subleaf;
	entry->flags = has_subleaf ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;

	r = tdx_read_cpuid_half(kvm, tdx_md_cpuid_field(leaf, has_subleaf, subleaf, 0),
				&entry->eax, &entry->ebx);
	r = r ?: tdx_read_cpuid_half(kvm,
				     tdx_md_cpuid_field(leaf, has_subleaf, subleaf, 1),
				     &entry->ecx, &entry->edx);
	if (r || !is_guest_phys_bits_leaf(leaf))
		return r;

	/* Modules differ in what they show here, the shared bit is certain. */
	width = fls64(gfn_to_gpa(kvm_gfn_direct_bits(kvm)));
	entry->eax &= ~CPUID_GUEST_PHYS_BITS;
	entry->eax |= FIELD_PREP(CPUID_GUEST_PHYS_BITS, width);
	return 0;
}

/* All subleaves of a leaf.  Returns the number of entries, or an error. */
static int tdx_read_cpuid_leaf(struct kvm *kvm, u32 leaf,
			       struct kvm_cpuid_entry2 *entries, unsigned int max)
{
	unsigned int n;
	int r;

	if (!max)
		return 0;

	r = tdx_read_cpuid(kvm, leaf, false, 0, &entries[0]);
	if (r != -ENOENT)
		return r ?: 1;

	for (n = 0; n < max; n++) {
		r = tdx_read_cpuid(kvm, leaf, true, n, &entries[n]);
		if (r)
			break;
	}

	return r && r != -ENOENT ? r : n;
}

/*
 * From @base to the highest leaf that CPUID(@base).EAX tells.  Leaves out of the
 * module's reach are left out.
 */
static int tdx_read_cpuid_range(struct kvm *kvm, u32 base,
				struct kvm_cpuid_entry2 *entries,
				unsigned int max)
{
	unsigned int n = 0;
	u32 leaf, last;
	int r;

	r = tdx_read_cpuid_leaf(kvm, base, entries, max);
	if (r <= 0)
		return r;
	n = r;

	last = min_t(u32, entries[0].eax, base + TDX_MD_CPUID_LEAF_MASK);

	for (leaf = base + 1; leaf <= last; leaf++) {
		r = tdx_read_cpuid_leaf(kvm, leaf, &entries[n], max - n);
		if (r < 0)
			return r;
		n += r;
	}

	return n;
}

/* The CPUID of the TD.  Returns the number of entries, or an error. */
int tdx_read_td_cpuid(struct kvm *kvm, struct kvm_cpuid_entry2 *entries,
		      unsigned int max)
{
	int nr_basic, nr_extended;

	nr_basic = tdx_read_cpuid_range(kvm, 0, entries, max);
	if (nr_basic < 0)
		return nr_basic;

	nr_extended = tdx_read_cpuid_range(kvm, 0x80000000, &entries[nr_basic],
					   max - nr_basic);
	if (nr_extended < 0)
		return nr_extended;

	return nr_basic + nr_extended;
}
