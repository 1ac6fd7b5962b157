/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both sides, host and guest, read of a TD: its metadata fields and the
 * module's, its CPUID, its measurement, the state of its vCPUs.
 *
 * Knows pages and the base.  What a leaf answers is the leaf's.
 */
#ifndef _X86_VIRT_TDX_SW_TD_H
#define _X86_VIRT_TDX_SW_TD_H

#include <asm/fpu/types.h>
#include <asm/tsc.h>

#include "pages/pages.h"

/* ---- measurement (measure.c) ---- */

int measure_setup(void);
void measure_start(struct tdx_sw_hash *hash);
void measure_block(struct tdx_sw_hash *hash, const char *name, u64 gpa);
void measure_data(struct tdx_sw_hash *hash, const void *data, unsigned int len);
void measure_finish(struct tdx_sw_hash *hash, void *digest);
void measure_digest(const void *first, unsigned int first_len, const void *second,
		    unsigned int second_len, void *digest);
void measure_mac(const void *data, unsigned int len, void *mac);

/* ---- CPUID (cpuid.c, cpuid_table.c, cpuid_page.c, topology.c) ---- */

#define TDX_SW_NO_SUBLEAF	U32_MAX

struct tdx_sw_cpuid_config {
	u32 leaf;
	u32 subleaf;
	struct seam_cpuid direct;	/* the host's value is taken */
	struct seam_cpuid allow;	/* the host's value masks the native one */
};

/* Subleaves of leaf 0x1f that the host may configure */
#define TDX_SW_NR_LEVELS	5

#define LEAF_TOPOLOGY		0xb
#define LEAF_TOPOLOGY_V2	0x1f

unsigned int cpuid_nr_configs(void);
const struct tdx_sw_cpuid_config *cpuid_config(unsigned int idx);
struct seam_cpuid cpuid_reported(const struct tdx_sw_cpuid_config *cfg);
u64 cpuid_check(const struct seam_cpuid *values, u64 *id);
void cpuid_virtualize(struct tdx_sw_cpuid_page *page, const struct seam_td_params *params);
const struct tdx_sw_cpuid_value *cpuid_find(const struct tdx_sw_cpuid_page *page, u32 leaf,
					    u32 subleaf);
u32 cpuid_xstate_size(const struct tdx_sw_cpuid_page *page, u64 components, bool compacted);
bool cpuid_raises_ve(u32 leaf);

/* Highest leaves that a TD has */
#define CPUID_MAX_BASIC		0x23
#define CPUID_MAX_EXTENDED	0x80000008

/* Bits of tdx_sw_guest.cpuid_ve: every CPUID at that privilege raises #VE */
#define CPUID_VE_SUPERVISOR	BIT(0)
#define CPUID_VE_USER		BIT(1)

/* Extended state: leaf, and its first subleaf that is a component */
#define LEAF_XSTATE		0xd
#define XSTATE_FIRST		2

static inline const struct tdx_sw_cpuid_page *td_cpuid_page(const struct tdx_sw_call *c)
{
	return tdx_sw_map(c->tdr->tdcx_pa[TDCX_CPUID]);
}

bool topology_check(const struct seam_cpuid *level, u32 *bad);
struct seam_cpuid topology_guest(const struct tdx_sw_call *c, u32 leaf, u32 subleaf);

/* ---- metadata (field.c: the rules; tdfield.c, vpfield.c, sysfield.c: the tables) ---- */

/* In place of an id: the first field of the context, or none after this one */
#define FIELD_FIRST	(~0ULL)
#define FIELD_NO_NEXT	(~0ULL)

/* Class and code: what tables are sorted by. */
static inline u64 field_key(u64 id)
{
	return ((id & MD_CLASS_MASK) >> MD_CLASS_SHIFT) << 24 | (id & MD_CODE_MASK);
}

static inline unsigned int field_size(u64 id)
{
	return 1 << ((id >> MD_SIZE_SHIFT) & 3);
}

struct tdx_sw_field {
	u64 id;				/* of the first element */
	u16 nr;				/* elements */
	u8 stride;			/* bytes from element to element; 0 = its size */
	u8 object;			/* enum tdx_sw_field_object */
	u8 access;			/* of the host to a production TD */
	u8 guest;			/* access of the TD itself */
	bool masked;			/* the host reads what it may write, no other bit */
	u16 offset;
	u64 mask;			/* bits that either may write */
};

/* Where a field's value lies */
enum tdx_sw_field_object {
	FIELD_ZERO, FIELD_TDR, FIELD_TDCS, FIELD_VCPU, FIELD_COMPUTED,
	FIELD_NR_OBJECTS
};

#define FIELD_READ	BIT(0)
#define FIELD_WRITE	BIT(1)

struct tdx_sw_field_ref {
	const struct tdx_sw_field *field;
	unsigned int idx;
};

/* A table of fields as the host or the TD itself sees it */
struct tdx_sw_field_view {
	const struct tdx_sw_field *fields;
	unsigned int nr;
	bool guest;
};

bool field_find(const struct tdx_sw_field *fields, unsigned int nr, u64 id,
		struct tdx_sw_field_ref *ref);
bool field_is_readable(const struct tdx_sw_field *field, bool guest);
u64 field_first(const struct tdx_sw_field_view *view);
u64 field_next(const struct tdx_sw_field_view *view, const struct tdx_sw_field_ref *ref);
void *field_pointer(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref);
u64 field_load(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref);
void field_store(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref, u64 value);

/* R8 under the mask in R9, as the host or the guest gave them */
struct tdx_sw_field_write {
	u64 data;
	u64 mask;
};

u64 field_merge(u64 writable, const struct tdx_sw_field_write *write, u64 old, u64 *new);

#define HP_LOCK_TIMEOUT_ID	0x9110000300000011ULL
#define TD_CTLS_ID		0x1110000300000017ULL

bool td_has_topology(const struct tdx_sw_call *c);
u64 tdfield_read(const struct tdx_sw_call *c, u64 id, bool guest, u64 *value, u64 *next);
u64 tdfield_find_writable(u64 id, bool guest, struct tdx_sw_field_ref *ref);

u64 vpfield_find(u64 id, struct tdx_sw_field_ref *ref, u64 debug_only);
u64 vpfield_load(const struct tdx_sw_call *c, const struct tdx_sw_field_ref *ref);
u64 vpfield_shown(const struct tdx_sw_field_ref *ref, u64 value);
u64 vpfield_read(const struct tdx_sw_call *c, u64 id, bool guest, u64 *value, u64 *next);
u64 vpfield_check_value(const struct tdx_sw_call *c, const struct tdx_sw_field *field,
			u64 val);
u8 vpfield_cpuid_ve_bit(u64 id);

u64 sysfield_first(void);
u64 sysfield_read(u64 id, u64 *value, u64 *next);
u64 sysfield_list(void *page, u64 id, u64 *next);
u64 sysfield_attributes_fixed0(void);
u64 sysfield_xfam_fixed0(void);
u64 sysfield_config_flags_fixed0(void);
u64 sysfield_arch_cap_mask(void);

/* ---- vCPUs (vcpu.c: association; regs.c: registers; apic.c) ---- */

/* The virtual APIC's page */
#define VAPIC_REG_STRIDE	0x10
#define VAPIC_NR_WORDS		8
#define VAPIC_PRIORITY_CLASS	0xf0

u32 *vapic_reg(const struct tdx_sw_vcpu *vcpu, unsigned int reg);
u8 vapic_highest_vector(const struct tdx_sw_vcpu *vcpu, unsigned int reg);
bool vapic_interrupt_pending(const struct tdx_sw_vcpu *vcpu);

#define MXCSR_INIT	0x1f80

/* An MSR that no VMCS field switches */
struct switched_msr {
	u32 msr;
	u64 reset;			/* the guest's first value, and the host's afterwards */
};

extern const struct switched_msr switched_msrs[TDX_SW_NR_SWITCHED];

bool regs_have_xsaves(void);
void regs_init_xstate(struct xregs_state *area);
void regs_init_vcpu(struct tdx_sw_vcpu *vcpu);

u64 vp_take(struct tdx_sw_call *c, u8 states);
u64 vp_associate(struct tdx_sw_tdcs *tdcs, struct tdx_sw_vcpu *vcpu, unsigned int lp);
bool vp_has_monitor(const struct tdx_sw_call *c);

/* ---- time ---- */

static inline u64 td_virtual_tsc_khz(const struct tdx_sw_tdcs *tdcs)
{
	return (u64)tdcs->tsc_frequency * TD_TSC_UNIT_KHZ;
}

/* Rate of the CPU's TSC.  Where the kernel has none it is taken to be the TD's. */
static inline u64 td_host_tsc_khz(const struct tdx_sw_tdcs *tdcs)
{
	return tsc_khz ?: td_virtual_tsc_khz(tdcs);
}

#endif
