// SPDX-License-Identifier: GPL-2.0
/*
 * Pages on their way back from the TDX module to the kernel.  Writing back the
 * lines that the caches hold under the old key ID is not done here, but by the
 * TDH.PHYMEM leaves, beforehand.
 */

#include <linux/export.h>
#include <linux/io.h>
#include <linux/mm.h>

#include <asm/barrier.h>
#include <asm/cacheflush.h>
#include <asm/cpufeature.h>
#include <asm/page.h>
#include <asm/special_insns.h>
#include <asm/tdh.h>

#include <kunit/visibility.h>

#include "pages.h"

#define MOVDIR64B_SIZE		64

/*
 * MOVDIR64B writes a whole line to memory without reading it.  That is the one
 * write that CPUs with the partial-write erratum take for private memory.
 *
 * It is no less right for a page that never had a key ID of its own, e.g. a control
 * page that the module has not written to: what it writes is a line of the kernel's
 * own key ID like any other, and nobody has to know what the page was before.
 */
VISIBLE_IF_KUNIT void tdx_clear_direct(void *va, unsigned long size)
{
	const void *zero_page = page_address(ZERO_PAGE(0));
	unsigned long i;

	for (i = 0; i < size; i += MOVDIR64B_SIZE)
		movdir64b(va + i, zero_page);
}
EXPORT_SYMBOL_IF_KUNIT(tdx_clear_direct);

/* The same for CPUs without it: leave nothing behind in the caches. */
VISIBLE_IF_KUNIT void tdx_clear_flush(void *va, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < size; i += PAGE_SIZE) {
		clear_page(va + i);
		clflush_cache_range(va + i, PAGE_SIZE);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tdx_clear_flush);

/**
 * tdx_clear_pages - clear pages that the TDX module gave back
 * @base: physical address of the first page
 * @size: in bytes, a multiple of the page size
 *
 * The content goes all the way to memory, so that neither the integrity of the
 * lines nor their content depend on the key ID that they had.
 *
 * Context: any; nobody else may use the pages.
 */
void tdx_clear_pages(phys_addr_t base, unsigned long size)
{
	void *va = phys_to_virt(base);

	if (cpu_feature_enabled(X86_FEATURE_MOVDIR64B))
		tdx_clear_direct(va, size);
	else
		tdx_clear_flush(va, size);

	/* MOVDIR64B is weakly ordered: later users must see its zeros. */
	mb();
}
EXPORT_SYMBOL_GPL(tdx_clear_pages);
