/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_PAGES_H
#define _X86_VIRT_TDX_PAGES_H

#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_KUNIT)
void tdx_clear_direct(void *va, unsigned long size);
void tdx_clear_flush(void *va, unsigned long size);
#endif

#endif
