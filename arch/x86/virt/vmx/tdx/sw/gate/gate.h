/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel enters: the hook, the table of host leaves, what boot sets aside.
 *
 * Knows all rooms but that of the tests (probe/).
 */
#ifndef _X86_VIRT_TDX_SW_GATE_H
#define _X86_VIRT_TDX_SW_GATE_H

#include "pages/pages.h"

struct dentry;

void tdx_sw_keyid_partitioning(int *err, u32 *nr_mktme_keyids, u32 *nr_tdx_keyids);

const struct tdx_sw_leaf *tdx_sw_find_leaf(unsigned int nr);

/* ---- how often each leaf was called (counts.c) ---- */

void counts_account(const struct tdx_sw_call *c, u64 status);
u64 counts_calls(u16 leaf, u64 *nr_errors);
u64 counts_last_rcx(u16 leaf);
/* The module's folder in debugfs; exists from device_initcall_sync() on. */
struct dentry *tdx_sw_debugfs(void);

/* ---- what exits cost (exits.c) ---- */

void exits_account(struct tdx_sw_call *c, u64 status);

#endif
