/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this room share; what they offer to tests is in sw_test.h.
 */
#ifndef _X86_VIRT_TDX_SW_PROBE_H
#define _X86_VIRT_TDX_SW_PROBE_H

#include "gate/gate.h"
#include "probe/sw_test.h"
#include "td/td.h"

/* A 4 KiB page of that type, or NULL. */
void *probe_map(u64 pa, enum tdx_sw_page_type type);
/* NULL as long as the TD has not got one. */
struct tdx_sw_tdcs *probe_tdcs(const struct tdx_sw_tdr *tdr);
u64 *probe_sept_root(u64 tdr_pa, unsigned int *level);

#endif
