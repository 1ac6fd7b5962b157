// SPDX-License-Identifier: GPL-2.0
/*
 * What host and guest can learn about the module (TDH.SYS.RD, .RDALL and .INFO,
 * TDG.SYS.RD and .RDALL).
 *
 * The values are what this module can honour, not what a particular module
 * offers: a feature that it does not have is not enumerated.
 */
#include <asm/fpu/types.h>

#include "td/td.h"

#define ARCH_CAP_CONFIGURABLE	(BIT_ULL(4) | BIT_ULL(19) | BIT_ULL(20) | BIT_ULL(24))

#define FEATURES0	(FEATURE_RELAXED_MEM | FEATURE_LOCAL_ATTESTATION |		\
			 FEATURE_HOST_PRIORITY | FEATURE_ARCH_CAP |			\
			 FEATURE_PENDING_EPT_V2 | FEATURE_FMS_CONFIG | FEATURE_NO_RBP_MOD |	\
			 FEATURE_TOPOLOGY_ENUM | FEATURE_SYS_DISABLE)

static u64 get_features0(unsigned int idx)
{
	return tdx_sw_config.no_2m ? FEATURES0 : FEATURES0 | FEATURE_QUICK_DEMOTE;
}

u64 sysfield_attributes_fixed0(void)
{
	return TD_ATTR_SEPT_VE_DISABLE;
}

/*
 * No more than the kernel handles, which has to restore it, and no more than what
 * fits into the one page that a vCPU has for it: AMX does not.
 */
u64 sysfield_xfam_fixed0(void)
{
	return (fpu_kernel_cfg.max_features & TD_XFAM_KNOWN & ~XFEATURE_MASK_XTILE) |
	       TD_XFAM_FIXED1;
}

/* No five-level paging, hence no GPAW. */
u64 sysfield_config_flags_fixed0(void)
{
	return TD_FLAG_FLEXIBLE_PENDING_VE | TD_FLAG_NO_RBP_MOD;
}

u64 sysfield_arch_cap_mask(void)
{
	return ARCH_CAP_CONFIGURABLE;
}

static u64 get_cmr_base(unsigned int idx)
{
	return tdx_sw->cmrs[idx].base;
}

static u64 get_cmr_size(unsigned int idx)
{
	return tdx_sw->cmrs[idx].size;
}

static u64 get_attributes_fixed0(unsigned int idx)
{
	return sysfield_attributes_fixed0();
}

static u64 get_xfam_fixed0(unsigned int idx)
{
	return sysfield_xfam_fixed0();
}

static u64 get_config_flags_fixed0(unsigned int idx)
{
	return sysfield_config_flags_fixed0();
}

static u64 get_nr_cpuid(unsigned int idx)
{
	return cpuid_nr_configs();
}

static u64 get_cpuid_leaf(unsigned int idx)
{
	const struct tdx_sw_cpuid_config *cfg = cpuid_config(idx);

	return cfg->leaf | (u64)cfg->subleaf << 32;
}

static u64 get_cpuid_value(unsigned int idx)
{
	struct seam_cpuid val = cpuid_reported(cpuid_config(idx / 2));

	if (idx % 2)
		return val.ecx | (u64)val.edx << 32;
	return val.eax | (u64)val.ebx << 32;
}

static u64 get_gpa_width(unsigned int idx)
{
	return tdx_sw_config.gpa_width;
}

struct sysfield {
	u64 id;				/* of the first element */
	unsigned int nr;		/* elements */
	u64 (*get)(unsigned int idx);
	u64 value;			/* without get() */
};

#define NR_CPUID_LEAVES	0
#define NR_CPUID_VALUES	U32_MAX

#define VALUE(_id, _value)	{ .id = _id, .nr = 1, .value = _value }
#define GET(_id, _nr, _get)	{ .id = _id, .nr = _nr, .get = _get }

/* Ascending by class and code. */
static const struct sysfield fields[] = {
	VALUE(0x0800000200000000, 0x8086),			/* VENDOR_ID */
	VALUE(0x8800000200000001, 20261101),			/* BUILD_DATE */
	VALUE(0x8800000100000002, 1),				/* BUILD_NUM */
	VALUE(0x0800000100000003, 5),				/* MINOR_VERSION */
	VALUE(0x0800000100000004, 1),				/* MAJOR_VERSION */
	VALUE(0x0800000100000005, 0),				/* UPDATE_VERSION */
	VALUE(0x0800000100000006, 0),				/* INTERNAL_VERSION */
	VALUE(0x8900000100000000, 0),				/* MODULE_HV */
	VALUE(0x8900000100000001, 0),				/* MIN_UPDATE_HV */
	VALUE(0x8900000000000002, 1),				/* NO_DOWNGRADE */
	VALUE(0x0a00000200000000, 0),				/* SYS_ATTRIBUTES */
	GET(0x0a00000300000008, 1, get_features0),		/* TDX_FEATURES0 */
	VALUE(0x9000000100000000, SEAM_NR_CMRS),		/* NUM_CMRS */
	GET(0x9000000300000080, SEAM_NR_CMRS, get_cmr_base),	/* CMR_BASE */
	GET(0x9000000300000100, SEAM_NR_CMRS, get_cmr_size),	/* CMR_SIZE */
	VALUE(0x9100000100000008, SEAM_MAX_TDMRS),		/* MAX_TDMRS */
	VALUE(0x9100000100000009, SEAM_MAX_RESERVED),		/* MAX_RESERVED_PER_TDMR */
	VALUE(0x9100000100000010, sizeof(struct tdx_sw_pamt)),	/* PAMT_4K_ENTRY_SIZE */
	VALUE(0x9100000100000011, sizeof(struct tdx_sw_pamt)),	/* PAMT_2M_ENTRY_SIZE */
	VALUE(0x9100000100000012, sizeof(struct tdx_sw_pamt)),	/* PAMT_1G_ENTRY_SIZE */
	VALUE(0x9800000100000000, PAGE_SIZE),			/* TDR_BASE_SIZE */
	VALUE(0x9800000100000100, SEAM_TDCS_PAGES * PAGE_SIZE),	/* TDCS_BASE_SIZE */
	VALUE(0x9800000100000101, PAGE_SIZE),			/* TDCS_SIZE_PER_L2_VM */
	VALUE(0x9800000100000200, SEAM_TDVPS_PAGES * PAGE_SIZE), /* TDVPS_BASE_SIZE */
	VALUE(0x9800000100000201, 3 * PAGE_SIZE),		/* TDVPS_SIZE_PER_L2_VM */
	GET(0x1900000300000000, 1, get_attributes_fixed0),	/* ATTRIBUTES_FIXED0 */
	VALUE(0x1900000300000001, 0),				/* ATTRIBUTES_FIXED1 */
	GET(0x1900000300000002, 1, get_xfam_fixed0),		/* XFAM_FIXED0 */
	VALUE(0x1900000300000003, TD_XFAM_FIXED1),		/* XFAM_FIXED1 */
	GET(0x9900000100000004, 1, get_nr_cpuid),		/* NUM_CPUID_CONFIG */
	GET(0x9900000300000006, 1, get_config_flags_fixed0),	/* CONFIG_FLAGS_FIXED0 */
	VALUE(0x9900000300000007, 0),				/* CONFIG_FLAGS_FIXED1 */
	VALUE(0x9900000100000008, SEAM_MAX_VCPUS),		/* MAX_VCPUS_PER_TD */
	GET(0x9900000300000400, NR_CPUID_LEAVES, get_cpuid_leaf),
	GET(0x9900000300000500, NR_CPUID_VALUES, get_cpuid_value),
	VALUE(0x9900000300000600, ARCH_CAP_CONFIGURABLE),
	GET(TDX_SW_MD_GPA_WIDTH, 1, get_gpa_width),
	VALUE(TDX_SW_MD_SW_POSTED_INTR, 1),
	VALUE(TDX_SW_MD_PLAIN_MEMORY, 1),
};

static unsigned int nr_elements(const struct sysfield *field)
{
	switch (field->nr) {
	case NR_CPUID_LEAVES:
		return cpuid_nr_configs();
	case NR_CPUID_VALUES:
		return 2 * cpuid_nr_configs();
	default:
		return field->nr;
	}
}

u64 sysfield_first(void)
{
	return fields[0].id;
}

/**
 * sysfield_read() - Read one element of a system-wide field
 * @id: as the host gave it
 * @value: the value
 * @next: id of the element after it, or FIELD_NO_NEXT
 *
 * Return: SUCCESS or METADATA_FIELD_ID_INCORRECT.
 */
u64 sysfield_read(u64 id, u64 *value, u64 *next)
{
	const struct sysfield *field;
	u64 idx;

	if (id & MD_ZERO_MASK)
		return SEAM_FIELD_ID_INCORRECT;

	for (field = fields; field < fields + ARRAY_SIZE(fields); field++) {
		idx = field_key(id) - field_key(field->id);
		if (field_key(id) < field_key(field->id) || idx >= nr_elements(field))
			continue;

		*value = field->get ? field->get(idx) : field->value;
		if (idx + 1 < nr_elements(field))
			*next = field->id + idx + 1;
		else if (field + 1 < fields + ARRAY_SIZE(fields))
			*next = field[1].id;
		else
			*next = FIELD_NO_NEXT;
		return SEAM_SUCCESS;
	}
	return SEAM_FIELD_ID_INCORRECT;
}

struct md_list {
	u16 size;			/* bytes used, this header included */
	u16 rsvd2;
	u16 nr_sequences;
	u16 rsvd6;
	struct {
		u64 id;
		u64 value;
	} seq[];
};

/**
 * sysfield_list() - Fill a page with fields
 * @page: result: one sequence of one element for each field
 * @id: first one, or FIELD_FIRST
 * @next: the one that the page has no room for, or FIELD_NO_NEXT
 *
 * Return: SUCCESS or METADATA_FIELD_ID_INCORRECT, and nothing written.
 */
u64 sysfield_list(void *page, u64 id, u64 *next)
{
	struct md_list *list = page;
	unsigned int nr = 0;
	u64 status, value;

	if (id == FIELD_FIRST)
		id = sysfield_first();
	status = sysfield_read(id, &value, next);
	if (status) {
		*next = FIELD_NO_NEXT;
		return status;
	}

	while (id != FIELD_NO_NEXT && struct_size(list, seq, nr + 1) <= PAGE_SIZE) {
		sysfield_read(id, &value, next);
		list->seq[nr].id = id;
		list->seq[nr].value = value;
		nr++;
		id = *next;
	}
	list->size = struct_size(list, seq, nr);
	list->rsvd2 = 0;
	list->nr_sequences = nr;
	list->rsvd6 = 0;
	return SEAM_SUCCESS;
}
