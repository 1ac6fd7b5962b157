// SPDX-License-Identifier: GPL-2.0
/*
 * What the TDX module enumerates about itself, read once before the module is
 * configured.  All reads of global metadata go through here; what follows from
 * a value is for its users to decide, except that a module of which Linux
 * cannot make sense is refused.
 */

#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/wordpart.h>

#include <asm/cpufeature.h>
#include <asm/page.h>
#include <asm/tdh.h>
#include <asm/tdx.h>

#include <kunit/visibility.h>

#include "metadata.h"

#define MD_MINOR_VERSION		0x0800000100000003ULL
#define MD_MAJOR_VERSION		0x0800000100000004ULL
#define MD_UPDATE_VERSION		0x0800000100000005ULL
#define MD_INTERNAL_VERSION		0x0800000100000006ULL
#define MD_BUILD_DATE			0x8800000200000001ULL
#define MD_BUILD_NUM			0x8800000100000002ULL
#define MD_TDX_FEATURES0		0x0A00000300000008ULL
#define MD_MAX_TDMRS			0x9100000100000008ULL
#define MD_MAX_RESERVED_PER_TDMR	0x9100000100000009ULL
#define MD_PAMT_4K_ENTRY_SIZE		0x9100000100000010ULL
#define MD_PAMT_2M_ENTRY_SIZE		0x9100000100000011ULL
#define MD_PAMT_1G_ENTRY_SIZE		0x9100000100000012ULL
#define MD_TDR_BASE_SIZE		0x9800000100000000ULL
#define MD_TDCS_BASE_SIZE		0x9800000100000100ULL
#define MD_TDVPS_BASE_SIZE		0x9800000100000200ULL
#define MD_ATTRIBUTES_FIXED0		0x1900000300000000ULL
#define MD_ATTRIBUTES_FIXED1		0x1900000300000001ULL
#define MD_XFAM_FIXED0			0x1900000300000002ULL
#define MD_XFAM_FIXED1			0x1900000300000003ULL
#define MD_NUM_CPUID_CONFIG		0x9900000100000004ULL
#define MD_CONFIG_FLAGS_FIXED0		0x9900000300000006ULL
#define MD_CONFIG_FLAGS_FIXED1		0x9900000300000007ULL
#define MD_MAX_VCPUS_PER_TD		0x9900000100000008ULL
#define MD_CPUID_CONFIG_LEAVES		0x9900000300000400ULL
#define MD_CPUID_CONFIG_VALUES		0x9900000300000500ULL
#define MD_ARCH_CAPABILITIES_MASK	0x9900000300000600ULL

/*
 * Not architectural: how a module that is none of Intel's copes with CPUs that have
 * less.  Others aren't asked, as nobody knows what they would take these ids for.
 */
#define MD_GPA_WIDTH			0xBF00000100000000ULL
#define MD_PI_NO_CPU			0xBF00000000000001ULL
#define MD_PLAIN_MEMORY			0xBF00000000000002ULL

/* Widths of guest physical addresses that may stand for the architectural one */
#define TDX_MIN_GPA_WIDTH		40
#define TDX_GPA_WIDTH			48

struct tdx_md_field {
	u64 id;
	const char *name;
	u16 offset;
	bool required;
};

#define TDX_MD_FIELD(_name, _member, _required) {			\
	.id = MD_##_name,						\
	.name = #_name,							\
	.offset = offsetof(struct tdx_sys_info, _member),		\
	.required = _required,						\
}

#define REQUIRED(_name, _member) TDX_MD_FIELD(_name, _member, true)
#define OPTIONAL(_name, _member) TDX_MD_FIELD(_name, _member, false)

static const struct tdx_md_field tdx_md_fields[] = {
	OPTIONAL(MAJOR_VERSION,		major_version),
	OPTIONAL(MINOR_VERSION,		minor_version),
	OPTIONAL(UPDATE_VERSION,	update_version),
	OPTIONAL(INTERNAL_VERSION,	internal_version),
	OPTIONAL(BUILD_NUM,		build_num),
	OPTIONAL(BUILD_DATE,		build_date),
	REQUIRED(TDX_FEATURES0,		features0),
	REQUIRED(MAX_TDMRS,		max_tdmrs),
	REQUIRED(MAX_RESERVED_PER_TDMR,	max_reserved_per_tdmr),
	REQUIRED(PAMT_4K_ENTRY_SIZE,	pamt_entry_size[TDX_PS_4K]),
	REQUIRED(PAMT_2M_ENTRY_SIZE,	pamt_entry_size[TDX_PS_2M]),
	REQUIRED(PAMT_1G_ENTRY_SIZE,	pamt_entry_size[TDX_PS_1G]),
	REQUIRED(TDR_BASE_SIZE,		tdr_base_size),
	REQUIRED(TDCS_BASE_SIZE,	tdcs_base_size),
	REQUIRED(TDVPS_BASE_SIZE,	tdvps_base_size),
	REQUIRED(ATTRIBUTES_FIXED0,	attributes_fixed0),
	REQUIRED(ATTRIBUTES_FIXED1,	attributes_fixed1),
	REQUIRED(XFAM_FIXED0,		xfam_fixed0),
	REQUIRED(XFAM_FIXED1,		xfam_fixed1),
	REQUIRED(CONFIG_FLAGS_FIXED0,	config_flags_fixed0),
	REQUIRED(CONFIG_FLAGS_FIXED1,	config_flags_fixed1),
	REQUIRED(NUM_CPUID_CONFIG,	nr_cpuid_configs),
	OPTIONAL(MAX_VCPUS_PER_TD,	max_vcpus_per_td),
	OPTIONAL(ARCH_CAPABILITIES_MASK, arch_cap_mask),
};

static const struct tdx_md_field tdx_md_not_architectural[] = {
	OPTIONAL(GPA_WIDTH,		gpa_width),
	OPTIONAL(PI_NO_CPU,		pi_no_cpu),
	OPTIONAL(PLAIN_MEMORY,		plain_memory),
};

static_assert(ARRAY_SIZE(((struct tdx_sys_info *)NULL)->pamt_entry_size) == TDX_PS_NR);

/* The id says how large an element of the field is, and so is its member. */
static unsigned int tdx_md_size(u64 id)
{
	return 1U << ((id & GENMASK_ULL(33, 32)) >> 32);
}

static struct tdx_sys_info tdx_sys_info;
static bool tdx_sys_info_valid;

/* Return 1 if the module has the field, 0 if it has not, else an error. */
static int tdx_md_read(tdx_md_rd_fn rd, u64 id, const char *name, u64 *val)
{
	u64 status = rd(id, val);

	if (tdx_status_is_success(status))
		return 1;

	if (tdx_status_code(status) == TDX_METADATA_FIELD_ID_INCORRECT)
		return 0;

	pr_err("reading %s (0x%016llx) failed: 0x%016llx\n", name, id, status);
	return -EIO;
}

static int tdx_md_read_required(tdx_md_rd_fn rd, u64 id, const char *name,
				u64 *val)
{
	int ret = tdx_md_read(rd, id, name, val);

	if (ret < 0)
		return ret;
	if (ret)
		return 0;

	pr_err("module does not enumerate %s (0x%016llx)\n", name, id);
	return -EOPNOTSUPP;
}

static int tdx_md_read_field(tdx_md_rd_fn rd, const struct tdx_md_field *field,
			     struct tdx_sys_info *info)
{
	unsigned int size = tdx_md_size(field->id);
	u64 val;
	int ret;

	if (field->required) {
		ret = tdx_md_read_required(rd, field->id, field->name, &val);
		if (ret)
			return ret;
	} else {
		ret = tdx_md_read(rd, field->id, field->name, &val);
		if (ret <= 0)
			return ret;
	}

	if (size < sizeof(val) && val >> (8 * size)) {
		pr_err("%s (0x%016llx) is out of range: 0x%llx\n",
		       field->name, field->id, val);
		return -EINVAL;
	}

	/* The members differ in size; x86 is little endian. */
	memcpy((void *)info + field->offset, &val, size);
	return 0;
}

static int tdx_md_read_fields(tdx_md_rd_fn rd, const struct tdx_md_field *fields,
			      unsigned int nr, struct tdx_sys_info *info)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = tdx_md_read_field(rd, &fields[i], info);
		if (ret)
			return ret;
	}

	return 0;
}

static int tdx_md_read_cpuid_config(tdx_md_rd_fn rd, int i,
				    struct tdx_cpuid_config *config)
{
	u64 leaf, eax_ebx, ecx_edx;
	int ret;

	ret = tdx_md_read_required(rd, MD_CPUID_CONFIG_LEAVES + i,
				   "CPUID_CONFIG_LEAVES", &leaf);
	if (ret)
		return ret;

	ret = tdx_md_read_required(rd, MD_CPUID_CONFIG_VALUES + 2 * i,
				   "CPUID_CONFIG_VALUES", &eax_ebx);
	if (ret)
		return ret;

	ret = tdx_md_read_required(rd, MD_CPUID_CONFIG_VALUES + 2 * i + 1,
				   "CPUID_CONFIG_VALUES", &ecx_edx);
	if (ret)
		return ret;

	*config = (struct tdx_cpuid_config) {
		.leaf = lower_32_bits(leaf),
		.subleaf = upper_32_bits(leaf),
		.eax = lower_32_bits(eax_ebx),
		.ebx = upper_32_bits(eax_ebx),
		.ecx = lower_32_bits(ecx_edx),
		.edx = upper_32_bits(ecx_edx),
	};

	return 0;
}

/**
 * tdx_sys_info_check - can Linux make sense of a module?
 * @info: what the module enumerates
 *
 * Return: NULL, or what is wrong.
 */
VISIBLE_IF_KUNIT const char *tdx_sys_info_check(const struct tdx_sys_info *info)
{
	/* Control structures are given page by page, the TDR is one page. */
	if (info->tdr_base_size != PAGE_SIZE)
		return "size of the TDR is not 4096";
	if (!info->tdcs_base_size || !PAGE_ALIGNED(info->tdcs_base_size))
		return "size of the TDCS is not a multiple of 4096";
	if (!info->tdvps_base_size || !PAGE_ALIGNED(info->tdvps_base_size))
		return "size of the TDVPS is not a multiple of 4096";

	if (!info->max_vcpus_per_td)
		return "a TD may have no vCPUs";

	if (info->nr_cpuid_configs > TDX_MAX_CPUID_CONFIGS)
		return "more configurable CPUID leaves than TD_PARAMS has room for";

	if (info->gpa_width && (info->gpa_width < TDX_MIN_GPA_WIDTH ||
				info->gpa_width >= TDX_GPA_WIDTH))
		return "guest physical width is not in the range from 40 to 47";

	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sys_info_check);

/**
 * tdx_sys_info_read - read what a module enumerates
 * @info: where to put it
 * @rd: how to read one field
 * @may_be_software: the module may not be Intel's, and have fields of its own
 *
 * Return: 0; -EOPNOTSUPP if a required field is missing; -EINVAL if a value
 * makes no sense; -EIO if a read fails otherwise.  Each prints one line.
 */
VISIBLE_IF_KUNIT int tdx_sys_info_read(struct tdx_sys_info *info,
				       tdx_md_rd_fn rd, bool may_be_software)
{
	const char *problem;
	int i, ret;

	memset(info, 0, sizeof(*info));

	/* What TD_PARAMS can hold, unless the module says less */
	info->max_vcpus_per_td = U16_MAX;

	ret = tdx_md_read_fields(rd, tdx_md_fields, ARRAY_SIZE(tdx_md_fields), info);
	if (!ret && may_be_software)
		ret = tdx_md_read_fields(rd, tdx_md_not_architectural,
					 ARRAY_SIZE(tdx_md_not_architectural), info);
	if (ret)
		return ret;

	/* No restriction, whether the module says so or says nothing */
	if (info->gpa_width == TDX_GPA_WIDTH)
		info->gpa_width = 0;

	problem = tdx_sys_info_check(info);
	if (problem) {
		pr_err("unsupported module: %s\n", problem);
		return -EINVAL;
	}

	for (i = 0; i < info->nr_cpuid_configs; i++) {
		ret = tdx_md_read_cpuid_config(rd, i, &info->cpuid_configs[i]);
		if (ret)
			return ret;
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sys_info_read);

/**
 * tdx_missing_cpu_feature - what does it take that the CPU doesn't have?
 * @info: what the module enumerates
 * @movdir64b: the CPU has MOVDIR64B
 * @selfsnoop: the CPU snoops its own caches, whatever the memory type
 *
 * Only MOVDIR64B clears a page that had a key ID without reading it.  A TD chooses
 * its memory types itself, which is coherent with self-snoop only.
 *
 * Return: NULL, or the name of the feature.
 */
VISIBLE_IF_KUNIT const char *tdx_missing_cpu_feature(const struct tdx_sys_info *info,
						     bool movdir64b, bool selfsnoop)
{
	if (info->plain_memory)
		return NULL;
	if (!movdir64b)
		return "MOVDIR64B";
	if (!selfsnoop)
		return "self-snoop";

	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_missing_cpu_feature);

/**
 * tdx_init_sys_info - read what the TDX module enumerates
 *
 * Context: on a CPU where tdx_cpu_enable() succeeded, once, before anybody else
 * can ask for the result.
 * Return: the result for tdx_get_sys_info(); the error of tdx_sys_info_read();
 * -EOPNOTSUPP if the CPU lacks what the module takes, after a line in the log.
 */
const struct tdx_sys_info *tdx_init_sys_info(void)
{
	const char *missing;
	int ret;

	ret = tdx_sys_info_read(&tdx_sys_info, tdh_sys_rd,
				IS_ENABLED(CONFIG_INTEL_TDX_SW_MODULE));
	if (ret)
		return ERR_PTR(ret);

	missing = tdx_missing_cpu_feature(&tdx_sys_info,
					  boot_cpu_has(X86_FEATURE_MOVDIR64B),
					  boot_cpu_has(X86_FEATURE_SELFSNOOP));
	if (missing) {
		pr_err("the CPU does not have what TDX takes: %s\n", missing);
		return ERR_PTR(-EOPNOTSUPP);
	}

	pr_info("module version %u.%u.%02u.%u, build %u\n",
		tdx_sys_info.major_version, tdx_sys_info.minor_version,
		tdx_sys_info.update_version, tdx_sys_info.internal_version,
		tdx_sys_info.build_num);

	tdx_sys_info_valid = true;
	return &tdx_sys_info;
}

/**
 * tdx_get_sys_info - what the TDX module enumerates about itself
 *
 * Context: any, after tdx_enable() succeeded.
 * Return: the information, which never changes; NULL if tdx_enable() did not
 * get so far as to read it.
 */
const struct tdx_sys_info *tdx_get_sys_info(void)
{
	return tdx_sys_info_valid ? &tdx_sys_info : NULL;
}
EXPORT_SYMBOL_GPL(tdx_get_sys_info);

/**
 * tdx_has_required_features - does a module have what KVM cannot do without?
 * @info: what the module enumerates
 *
 * A TD must leave RBP alone in its calls, as frame pointers break otherwise,
 * and must virtualize the CPUID topology leaves from the x2APIC ids.
 *
 * Return: whether TDX_FEATURES0 has all the features.
 */
bool tdx_has_required_features(const struct tdx_sys_info *info)
{
	const u64 required = TDX_FEATURES0_NO_RBP_MOD |
			     TDX_FEATURES0_ENUM_TOPOLOGY;

	return (info->features0 & required) == required;
}
EXPORT_SYMBOL_GPL(tdx_has_required_features);
