/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_METADATA_H
#define _X86_VIRT_TDX_METADATA_H

#include <linux/kconfig.h>
#include <linux/types.h>

#include <asm/tdh.h>

#include "tdh.h"

/* Read one field of the module's global metadata, as TDH.SYS.RD does. */
typedef u64 (*tdx_md_rd_fn)(u64 field, u64 *data);

const struct tdx_sys_info *tdx_init_sys_info(void);

#if IS_ENABLED(CONFIG_KUNIT)
const char *tdx_sys_info_check(const struct tdx_sys_info *info);
const char *tdx_missing_cpu_feature(const struct tdx_sys_info *info, bool movdir64b,
				    bool selfsnoop);
int tdx_sys_info_read(struct tdx_sys_info *info, tdx_md_rd_fn rd, bool may_be_software);
#endif

#endif
