/* SPDX-License-Identifier: GPL-2.0 */
/* Wrappers that nobody but the host core needs; the others are in asm/tdh.h. */
#ifndef _X86_VIRT_TDX_TDH_H
#define _X86_VIRT_TDX_TDH_H

#include <linux/types.h>

u64 tdh_sys_rd(u64 field, u64 *data);

#endif
