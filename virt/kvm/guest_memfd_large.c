// SPDX-License-Identifier: GPL-2.0
/*
 * guest_memfd: folios of 2 MiB, and what it takes to give back a part of one.
 *
 * A folio is large if nothing speaks against it when its first page is needed: see
 * kvm_gmem_grab_large_folio().  Nobody has to ask for it, and nobody is told, but that
 * memory of a large folio may be mapped by a large page of the guest's page table.
 *
 * A large folio is split when an end of a hole cuts it: then exactly the pages of the hole
 * are freed.  That can fail, as somebody may hold a reference to one of its pages, e.g. for
 * good because the page couldn't be taken back from the guest.  So it has to come first,
 * and with it what else can fail; the hole is not punched then.  The generic truncation
 * would try to split the folio as well, but frees all of it if it can't.
 *
 * What is mapped how large is another question than what folio it is of.  A large page of
 * the guest's page table is split on its own account, and its parts may go on to be those
 * of one folio, or it may be left whole when that is split.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "kvm_mm.h"

#define GMEM_LARGE_ORDER	PMD_ORDER
#define GMEM_LARGE_NR		(PMD_SIZE / PAGE_SIZE)

/* How often, a jiffy apart: references of faults in flight are gone soon. */
#define GMEM_SPLIT_TRIES	50

static unsigned int __read_mostly gmem_large_folios = 1;
module_param(gmem_large_folios, uint, 0644);
MODULE_PARM_DESC(gmem_large_folios,
		 "Folios of 2 MiB for new guest_memfds: 0 never, 1 of TDs, 2 of all VMs but SEV-SNP ones (default: 1)");

/* When the file is made: what it is then it stays. */
void kvm_gmem_init_large(struct kvm *kvm, struct address_space *mapping)
{
	unsigned int asked = READ_ONCE(gmem_large_folios);

	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) && asked &&
	    kvm_arch_gmem_wants_large_folios(kvm, asked > 1))
		mapping_set_large_folios(mapping);
}

/* Whether a large folio is where a large page of the guest's could map it. */
static bool kvm_gmem_is_congruent(const struct kvm_memory_slot *slot)
{
	return IS_ALIGNED(slot->base_gfn - slot->gmem.pgoff, GMEM_LARGE_NR);
}

/* A large folio would be a waste where the guest uses some of the range as shared memory. */
static bool kvm_gmem_is_all_private(struct kvm *kvm, const struct kvm_memory_slot *slot,
				    pgoff_t start)
{
	gfn_t gfn = slot->base_gfn + start - slot->gmem.pgoff;

	return start >= slot->gmem.pgoff &&
	       start + GMEM_LARGE_NR <= slot->gmem.pgoff + slot->npages &&
	       kvm_range_has_memory_attributes(kvm, gfn, gfn + GMEM_LARGE_NR,
					       KVM_MEMORY_ATTRIBUTE_PRIVATE,
					       KVM_MEMORY_ATTRIBUTE_PRIVATE);
}

static struct folio *kvm_gmem_add_large_folio(struct address_space *mapping, pgoff_t start)
{
	/* What is there for the taking, as is the cgroup's room: no reclaim, no compaction. */
	gfp_t gfp = (mapping_gfp_mask(mapping) | __GFP_NOMEMALLOC | __GFP_NOWARN) &
		    ~__GFP_RECLAIM;
	struct folio *folio = filemap_alloc_folio(gfp, GMEM_LARGE_ORDER);

	if (!folio)
		return NULL;

	/* Somebody else may have been faster. */
	if (filemap_add_folio(mapping, folio, start, gfp)) {
		folio_put(folio);
		return NULL;
	}

	return folio;
}

/*
 * The folio of @index, locked and with a reference, if there is one.  Else a new one of
 * 2 MiB, if the range around @index is in the file and empty, there is memory for it, and
 * @slot, if one is given, has all of it as private memory.  Else NULL: a small one will do.
 */
struct folio *kvm_gmem_grab_large_folio(struct kvm *kvm, struct address_space *mapping,
					const struct kvm_memory_slot *slot, pgoff_t index)
{
	pgoff_t start = round_down(index, GMEM_LARGE_NR), end = start + GMEM_LARGE_NR;
	struct folio *folio;

	if (!mapping_large_folio_support(mapping))
		return NULL;

	folio = filemap_lock_folio(mapping, index);
	if (!IS_ERR(folio))
		return folio;

	if (end > i_size_read(mapping->host) >> PAGE_SHIFT ||
	    filemap_range_has_page(mapping, (loff_t)start << PAGE_SHIFT,
				   ((loff_t)end << PAGE_SHIFT) - 1))
		return NULL;

	if (slot && (!kvm_gmem_is_congruent(slot) ||
		     !kvm_gmem_is_all_private(kvm, slot, start)))
		return NULL;

	return kvm_gmem_add_large_folio(mapping, start);
}

/* Whether a range that ends at @end has all of a large folio at @index. */
bool kvm_gmem_is_large_range(pgoff_t index, pgoff_t end)
{
	return IS_ALIGNED(index, GMEM_LARGE_NR) && index + GMEM_LARGE_NR <= end;
}

/*
 * The order of the largest page by which the folio may be mapped.  If a part of it is
 * broken that is not to be mapped, and the rest is by small ones.
 */
int kvm_gmem_max_order(const struct kvm_memory_slot *slot, struct folio *folio)
{
	if (!folio_test_large(folio) || !kvm_gmem_is_congruent(slot) ||
	    folio_test_has_hwpoisoned(folio))
		return 0;

	return folio_order(folio);
}

/*
 * Make the page at @index a folio of its own.  @folio is locked, and the caller has the
 * only reference but those of the file.  Returns the new folio, whose are the lock and the
 * reference now, or an error.
 */
struct folio *kvm_gmem_split_folio(struct folio *folio, pgoff_t index)
{
	struct page *page = folio_file_page(folio, index);
	int r;

	if (!folio_test_large(folio))
		return folio;

	r = split_huge_page(page);

	return r ? ERR_PTR(r) : page_folio(page);
}

static int kvm_gmem_try_split_at(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = filemap_lock_folio(mapping, index), *part;
	int r = 0;

	if (IS_ERR(folio))
		return 0;

	if (folio->index != index) {
		part = kvm_gmem_split_folio(folio, index);
		if (IS_ERR(part))
			r = PTR_ERR(part);
		else
			folio = part;
	}

	folio_unlock(folio);
	folio_put(folio);
	return r;
}

/* Returns -EBUSY if @index is in the midst of a folio that can't be split, or -ENOMEM. */
static int kvm_gmem_split_at(struct address_space *mapping, pgoff_t index)
{
	int tries, r = 0;

	for (tries = 0; tries < GMEM_SPLIT_TRIES; tries++) {
		r = kvm_gmem_try_split_at(mapping, index);
		if (!r || r == -ENOMEM || fatal_signal_pending(current))
			break;

		schedule_timeout_killable(1);
	}

	return r && r != -ENOMEM ? -EBUSY : r;
}

static void kvm_gmem_put_off_faults(struct kvm_gmem *gmem, pgoff_t start, pgoff_t end)
{
	struct kvm_memory_slot *slot;
	struct kvm *kvm = gmem->kvm;
	unsigned long index = start;

	/* As kvm_gmem_invalidate_end() has it, which is its end. */
	if (!xa_find(&gmem->bindings, &index, end - 1, XA_PRESENT))
		return;

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);

	xa_for_each_range(&gmem->bindings, index, slot, start, end - 1) {
		pgoff_t pgoff = slot->gmem.pgoff;

		kvm_mmu_invalidate_range_add(kvm, slot->base_gfn + max(pgoff, start) - pgoff,
					     slot->base_gfn +
					     min(pgoff + slot->npages, end) - pgoff);
	}

	KVM_MMU_UNLOCK(kvm);
}

/* A large page of the guest's is of one memslot, and so are both sides of a cut. */
static int kvm_gmem_split_mappings(struct kvm_gmem *gmem, pgoff_t start, pgoff_t end)
{
	const pgoff_t ends[] = { start, end };
	struct kvm_memory_slot *slot;
	gfn_t cuts[ARRAY_SIZE(ends)];
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		slot = xa_load(&gmem->bindings, ends[i]);
		if (slot)
			cuts[nr++] = slot->base_gfn + ends[i] - slot->gmem.pgoff;
	}

	return kvm_arch_split_private_mappings(gmem->kvm, cuts, nr);
}

/*
 * [@start, @end) is about to be unmapped: put off faults on all that is mapped by large
 * pages which reach into it, and split those that reach out of it.  With the invalidate
 * lock of @mapping held, at least shared.
 *
 * Returns 0, then kvm_gmem_end_cut() has to follow; -ENOMEM; -EIO if the VM is dead.
 */
int kvm_gmem_begin_cut(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	struct kvm_gmem *gmem;
	int r = 0;

	if (!mapping_large_folio_support(mapping))
		return 0;

	list_for_each_entry(gmem, &mapping->i_private_list, entry)
		kvm_gmem_put_off_faults(gmem, round_down(start, GMEM_LARGE_NR),
					round_up(end, GMEM_LARGE_NR));

	list_for_each_entry(gmem, &mapping->i_private_list, entry)
		r = r ?: kvm_gmem_split_mappings(gmem, start, end);

	if (r)
		kvm_gmem_end_cut(mapping, start, end);

	return r;
}

void kvm_gmem_end_cut(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	struct kvm_gmem *gmem;

	if (!mapping_large_folio_support(mapping))
		return;

	list_for_each_entry(gmem, &mapping->i_private_list, entry)
		kvm_gmem_invalidate_end(gmem, round_down(start, GMEM_LARGE_NR),
					round_up(end, GMEM_LARGE_NR));
}

/*
 * The same for a hole, whose pages are freed as well: a folio that is cut by one of its
 * ends is split.  With the invalidate lock held exclusively.
 *
 * Returns what kvm_gmem_begin_cut() does, and -EBUSY if a folio can't be split.
 */
int kvm_gmem_begin_hole(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	int r = kvm_gmem_begin_cut(mapping, start, end);

	if (r || !mapping_large_folio_support(mapping))
		return r;

	r = kvm_gmem_split_at(mapping, start);
	r = r ?: kvm_gmem_split_at(mapping, end);
	if (r)
		kvm_gmem_end_cut(mapping, start, end);

	return r;
}
