// SPDX-License-Identifier: GPL-2.0
/*
 * Compare the mirror with the S-EPT of the software TDX module, entry by entry,
 * and both with what the module knows of each page.
 *
 * Both trees are walked: what is in the mirror has to be in the S-EPT, in the
 * state and with the page that the mirror says, and there is as much in one as
 * in the other.  The whole is done under mmu_lock held for write, hence the first
 * difference is kept for later instead of being reported on the spot.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "tdx_fixture.h"

struct walk {
	struct tdx_test *t;
	unsigned long nr_mirror;
	unsigned long nr_sept;
	unsigned int nr_differences;

	/* The first difference */
	const char *what;
	gfn_t gfn;
	int level;
	u64 spte;
	u64 sept;
};

static void differ(struct walk *walk, const char *what, gfn_t gfn, int level,
		   u64 spte, u64 sept)
{
	if (walk->nr_differences++)
		return;

	walk->what = what;
	walk->gfn = gfn;
	walk->level = level;
	walk->spte = spte;
	walk->sept = sept;
}

static u8 expected_state(struct tdx_test *t, gfn_t gfn, u64 spte, int level)
{
	if (!is_last_spte(spte, level))
		return TDX_SEPT_NL_MAPPED;

	/* Nobody accepts pages here. */
	return xa_get_mark(&t->pages, gfn, TDX_TEST_ADDED) ? TDX_SEPT_MAPPED :
							     TDX_SEPT_PENDING;
}

static u64 expected_hpa(u64 spte, int level)
{
	return is_last_spte(spte, level) ? PFN_PHYS(spte_to_pfn(spte)) :
					   __pa(external_spt_of(spte));
}

/* What a present SPTE of the mirror says has to be so. */
static void compare_entry(struct walk *walk, gfn_t gfn, int level, u64 spte)
{
	u8 type = is_last_spte(spte, level) ? PT_REG : PT_EPT;
	struct tdx_sw_sept_info sept = {};
	struct tdx_sw_page_info page = {};

	if (!tdx_test_sept(walk->t, gfn, level, &sept))
		differ(walk, "no S-EPT table for it", gfn, level, spte, sept.raw);
	else if (sept.state != expected_state(walk->t, gfn, spte, level))
		differ(walk, "state", gfn, level, spte, sept.raw);
	else if (sept.hpa != expected_hpa(spte, level))
		differ(walk, "page", gfn, level, spte, sept.raw);
	else if (sept.locked)
		differ(walk, "entry is locked", gfn, level, spte, sept.raw);
	else if (tdx_sw_test_page(sept.hpa, &page) || page.type != type ||
		 page.level != (type == PT_REG ? level - PG_LEVEL_4K : 0) ||
		 page.owner != walk->t->tdr)
		differ(walk, "owner or type of the page", gfn, level, spte, sept.raw);
}

static void walk_mirror(struct walk *walk)
{
	struct tdx_test *t = walk->t;
	struct tdp_iter iter;

	lockdep_assert_held_write(&t->kvm->mmu_lock);

	rcu_read_lock();
	for_each_tdp_pte(iter, test_mirror_root(t->vcpus[0]), 0,
			 kvm_gfn_direct_bits(t->kvm)) {
		if (is_frozen_spte(iter.old_spte))
			differ(walk, "frozen", iter.gfn, iter.level, iter.old_spte, 0);
		if (!is_shadow_present_pte(iter.old_spte))
			continue;

		walk->nr_mirror++;
		compare_entry(walk, iter.gfn, iter.level, iter.old_spte);
	}
	rcu_read_unlock();
}

static int count_sept_entry(const struct tdx_sw_sept_info *info, void *data)
{
	struct walk *walk = data;

	walk->nr_sept++;
	return 0;
}

static bool is_mapped_large(struct tdx_test *t, gfn_t gfn)
{
	u64 spte = tdx_test_spte(t, gfn, PG_LEVEL_2M);

	return is_shadow_present_pte(spte) && is_last_spte(spte, PG_LEVEL_2M);
}

/* A page that is not mapped is the kernel's, and tells nothing of what it held. */
static void check_free_pages(struct walk *walk)
{
	struct tdx_test *t = walk->t;
	struct page *page;
	unsigned long gfn;

	xa_for_each(&t->pages, gfn, page) {
		struct tdx_sw_page_info info = {};
		u64 spte = tdx_test_spte(t, gfn, PG_LEVEL_4K);

		if (is_mapped_large(t, gfn) || is_shadow_present_pte(spte) ||
		    page_count(page) > 1)
			continue;

		if (tdx_sw_test_page(page_to_phys(page), &info) || info.type != PT_NDA)
			differ(walk, "not mapped, but the module's", gfn, 1, spte, info.type);
		else if (memchr_inv(page_address(page), 0, PAGE_SIZE))
			differ(walk, "not mapped, but not cleared", gfn, 1, spte, 0);
	}
}

void tdx_test_expect_trees_equal(struct tdx_test *t)
{
	struct walk walk = { .t = t };
	int r;

	write_lock(&t->kvm->mmu_lock);
	walk_mirror(&walk);
	r = tdx_sw_test_sept_walk(t->tdr, count_sept_entry, &walk);
	write_unlock(&t->kvm->mmu_lock);
	check_free_pages(&walk);

	KUNIT_EXPECT_EQ(t->vm.test, r, 0);
	KUNIT_EXPECT_EQ_MSG(t->vm.test, walk.nr_differences, 0,
			    "%s: gfn %llx level %d mirror %llx S-EPT %llx", walk.what,
			    walk.gfn, walk.level, walk.spte, walk.sept);
	KUNIT_EXPECT_EQ(t->vm.test, walk.nr_mirror, walk.nr_sept);
}
