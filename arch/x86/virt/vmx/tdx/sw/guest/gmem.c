// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the guest: from a guest linear address to a guest physical one, and
 * from there to the page that the host sees.
 *
 * Why a page found here stays while it is used: this runs inside TDH.VP.ENTER,
 * with interrupts off.  A private page or table that the host blocks now cannot
 * be removed before this vCPU, which is counted into an epoch, has left.  What
 * the host takes out of the shared EPT it does not reuse before each vCPU has
 * answered its kick.  So there is nothing to lock, and nothing to undo.
 *
 * Addresses in page tables are the guest's word (its own tables) or the host's
 * (the shared EPT): they are followed to RAM only, and no further than a table
 * has levels.
 */
#include <asm/page.h>

#include "guest/gstate.h"

/* Guest page tables */
#define PTE_PRESENT	BIT_ULL(0)
#define PTE_USER	BIT_ULL(2)
#define PTE_LARGE	BIT_ULL(7)
#define PTE_ADDR	GENMASK_ULL(51, 12)
#define PTE_SIZE	sizeof(u64)

/* Qualification: the entry allows what bits 2:0 would ask for. */
#define QUAL_ALLOWED_SHIFT	3
#define QUAL_GLA_VALID		BIT_ULL(7)
#define QUAL_TRANSLATED		BIT_ULL(8)

bool gmem_is_shared(u64 gpa)
{
	return gpa >> (tdx_sw_config.gpa_width - 1) & 1;
}

static u64 offset_in(u64 addr, unsigned int level)
{
	return addr & (BIT_ULL(SEPT_SHIFT(level)) - 1);
}

/* Nothing but RAM: the module reads what it is told to read. */
static bool is_ram(u64 pa)
{
	return pfn_range_is_mapped(PHYS_PFN(pa), PHYS_PFN(pa) + 1);
}

static void *map_private(struct tdx_sw_call *c, u64 gpa)
{
	struct sept_walk walk;
	u64 base;

	/* Down to the leaf, whatever its size. */
	sept_walk(c, gpa, SEAM_4K, &walk);
	if (sept_state(walk.val) != SEPT_MAPPED)
		return NULL;
	base = walk.val & SEPT_HPA & ~offset_in(~0ULL, walk.level);
	return tdx_sw_map(base + offset_in(gpa, walk.level));
}

/**
 * gmem_walk_shared() - Walk the shared EPT, as far as hardware would follow it
 * @c: call
 * @gpa: address with the shared bit
 * @entry: leaf that maps it, with the access that all levels allow, or the entry
 * that ended the walk
 * @level: where that is
 *
 * Return: true if @entry is a present leaf.
 */
bool gmem_walk_shared(struct tdx_sw_call *c, u64 gpa, u64 *entry, unsigned int *level)
{
	u64 table = READ_ONCE(c->vcpu->shared_eptp), allowed = SEPT_RWX;

	for (*level = SEAM_512G; ; (*level)--) {
		u64 *map;

		table &= SEPT_HPA & ~tdx_sw_config.hkid_mask;
		*entry = SEPT_SVE;
		if (!is_ram(table))
			return false;
		map = tdx_sw_map(table);
		*entry = READ_ONCE(map[sept_index(gpa, *level)]);
		if (!(*entry & SEPT_RWX))
			return false;
		allowed &= *entry;
		if (*level == SEAM_4K || *entry & SEPT_LEAF)
			break;
		table = *entry;
	}
	*entry = (*entry & ~SEPT_RWX) | allowed;
	return *level <= SEAM_1G;
}

static void *map_shared(struct tdx_sw_call *c, u64 gpa, u64 access, u64 *allowed)
{
	unsigned int level;
	u64 entry, pa;

	*allowed = 0;
	if (!gmem_walk_shared(c, gpa, &entry, &level))
		return NULL;
	*allowed = entry & SEPT_RWX;
	/* Writable but not readable is a misconfiguration. */
	if (!(entry & GMEM_READ) || access & ~entry & SEPT_RWX)
		return NULL;

	pa = entry & SEPT_HPA & ~tdx_sw_config.hkid_mask & ~offset_in(~0ULL, level);
	pa += offset_in(gpa, level);
	return is_ram(pa) ? tdx_sw_map(pa) : NULL;
}

/**
 * gmem_map() - Find the memory at a guest physical address
 * @c: call
 * @gpa: address, below the TD's width
 * @access: what for, GMEM_...
 * @fault: filled on failure
 *
 * Return: where the host sees the byte, valid to the end of its 4 KiB and until
 * the vCPU leaves, or NULL.
 */
void *gmem_map(struct tdx_sw_call *c, u64 gpa, u64 access, struct gmem_fault *fault)
{
	u64 allowed = 0;
	void *p;

	if (gmem_is_shared(gpa))
		p = map_shared(c, gpa, access, &allowed);
	else
		p = map_private(c, gpa);
	if (!p)
		*fault = (struct gmem_fault) {
			.gpa = gpa, .qual = access | allowed << QUAL_ALLOWED_SHIFT,
		};
	return p;
}

/*
 * A TD with paging on is in long mode: EFER.LME is the module's and always set.
 */
static enum gmem_result translate(struct tdx_sw_call *c, u64 gla, u64 *gpa,
				  struct gmem_fault *fault)
{
	unsigned int level = guest_vmread(GUEST_CR4) & X86_CR4_LA57 ? 4 : 3;
	u64 table = guest_vmread(GUEST_CR3), reserved, entry, *p;
	bool user = guest_cpl() == 3;

	reserved = GENMASK_ULL(51, 0) & ~(BIT_ULL(tdx_sw_config.gpa_width) - 1);
	for (;; level--) {
		table &= PTE_ADDR;
		if (table & reserved)
			return GMEM_NOT_MAPPED;
		p = gmem_map(c, table + sept_index(gla, level) * PTE_SIZE, GMEM_READ, fault);
		if (!p) {
			fault->qual |= QUAL_GLA_VALID;
			return GMEM_EPT_VIOLATION;
		}
		entry = READ_ONCE(*p);
		if (!(entry & PTE_PRESENT) || entry & reserved || (user && !(entry & PTE_USER)))
			return GMEM_NOT_MAPPED;
		if (!level || entry & PTE_LARGE)
			break;
		table = entry;
	}
	if (level > SEAM_1G)
		return GMEM_NOT_MAPPED;

	*gpa = (entry & PTE_ADDR & ~offset_in(~0ULL, level)) + offset_in(gla, level);
	return GMEM_OK;
}

static enum gmem_result fetch_part(struct tdx_sw_call *c, u64 gla, u8 *buf, unsigned int len,
				   struct gmem_fault *fault)
{
	enum gmem_result result;
	u64 gpa = gla;
	void *p;

	if (guest_vmread(GUEST_CR0) & X86_CR0_PG) {
		result = translate(c, gla, &gpa, fault);
		if (result != GMEM_OK)
			return result;
	}
	p = gmem_map(c, gpa, GMEM_FETCH, fault);
	if (!p) {
		fault->qual |= QUAL_GLA_VALID | QUAL_TRANSLATED;
		return GMEM_EPT_VIOLATION;
	}
	memcpy(buf, p, len);
	return GMEM_OK;
}

/**
 * gmem_is_instruction() - Compare the instruction at hand with what it may be
 * @c: call
 * @code: its bytes
 * @len: how many; less than a page
 * @fault: filled for GMEM_EPT_VIOLATION
 *
 * The page behind is looked at only if all that lies before it is as expected: the
 * CPU had no reason to go there for a shorter instruction.
 *
 * Return: GMEM_OK, GMEM_OTHER, or why it cannot be read.
 */
enum gmem_result gmem_is_instruction(struct tdx_sw_call *c, const u8 *code, unsigned int len,
				     struct gmem_fault *fault)
{
	bool long_mode = guest_is_64bit();
	u64 gla = guest_vmread(GUEST_RIP);
	enum gmem_result result;
	u8 buf[MAX_INSTRUCTION];

	if (!long_mode)
		gla = (u32)(gla + guest_vmread(GUEST_CS_BASE));

	while (len) {
		unsigned int part = min_t(u64, len, PAGE_SIZE - offset_in_page(gla));

		result = fetch_part(c, gla, buf, part, fault);
		if (result != GMEM_OK)
			return result;
		if (memcmp(buf, code, part))
			return GMEM_OTHER;
		code += part;
		len -= part;
		gla = long_mode ? gla + part : (u32)(gla + part);
	}
	return GMEM_OK;
}
