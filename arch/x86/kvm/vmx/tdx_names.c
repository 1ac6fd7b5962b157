// SPDX-License-Identifier: GPL-2.0
/*
 * Names: of leaves, of exit reasons, of TDVMCALLs, for the log and for debugfs.
 */

#include <linux/kernel.h>
#include <linux/trace_events.h>

#include <asm/vmx.h>

#include "tdx.h"

static const char * const tdx_leaf_names[TDX_NR_LEAVES] = {
	[TDH_VP_ENTER]			= "VP.ENTER",
	[TDH_MNG_ADDCX]			= "MNG.ADDCX",
	[TDH_MEM_PAGE_ADD]		= "MEM.PAGE.ADD",
	[TDH_MEM_SEPT_ADD]		= "MEM.SEPT.ADD",
	[TDH_VP_ADDCX]			= "VP.ADDCX",
	[TDH_MEM_PAGE_AUG]		= "MEM.PAGE.AUG",
	[TDH_MEM_RANGE_BLOCK]		= "MEM.RANGE.BLOCK",
	[TDH_MNG_KEY_CONFIG]		= "MNG.KEY.CONFIG",
	[TDH_MNG_CREATE]		= "MNG.CREATE",
	[TDH_VP_CREATE]			= "VP.CREATE",
	[TDH_MNG_RD]			= "MNG.RD",
	[TDH_MNG_WR]			= "MNG.WR",
	[TDH_MEM_PAGE_DEMOTE]		= "MEM.PAGE.DEMOTE",
	[TDH_MR_EXTEND]			= "MR.EXTEND",
	[TDH_MR_FINALIZE]		= "MR.FINALIZE",
	[TDH_VP_FLUSH]			= "VP.FLUSH",
	[TDH_MNG_VPFLUSHDONE]		= "MNG.VPFLUSHDONE",
	[TDH_MNG_KEY_FREEID]		= "MNG.KEY.FREEID",
	[TDH_MNG_INIT]			= "MNG.INIT",
	[TDH_VP_INIT]			= "VP.INIT",
	[TDH_PHYMEM_PAGE_RDMD]		= "PHYMEM.PAGE.RDMD",
	[TDH_MEM_SEPT_RD]		= "MEM.SEPT.RD",
	[TDH_VP_RD]			= "VP.RD",
	[TDH_PHYMEM_PAGE_RECLAIM]	= "PHYMEM.PAGE.RECLAIM",
	[TDH_MEM_PAGE_REMOVE]		= "MEM.PAGE.REMOVE",
	[TDH_MEM_SEPT_REMOVE]		= "MEM.SEPT.REMOVE",
	[TDH_MEM_TRACK]			= "MEM.TRACK",
	[TDH_MEM_RANGE_UNBLOCK]		= "MEM.RANGE.UNBLOCK",
	[TDH_PHYMEM_CACHE_WB]		= "PHYMEM.CACHE.WB",
	[TDH_PHYMEM_PAGE_WBINVD]	= "PHYMEM.PAGE.WBINVD",
	[TDH_VP_WR]			= "VP.WR",
};

const char *tdx_leaf_name(unsigned int leaf)
{
	if (leaf >= TDX_NR_LEAVES || !tdx_leaf_names[leaf])
		return "?";

	return tdx_leaf_names[leaf];
}

static const struct trace_print_flags tdx_exit_reason_names[] = {
	VMX_EXIT_REASONS,
};

const char *tdx_exit_reason_name(unsigned int reason)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tdx_exit_reason_names); i++) {
		if (tdx_exit_reason_names[i].mask == reason)
			return tdx_exit_reason_names[i].name;
	}

	return "?";
}

/* What a counter of TDVMCALLs stands for. */
static const char * const tdx_vmcall_names[TDX_NR_VMCALLS] = {
	[TDX_VMCALL_CPUID]		= "CPUID",
	[TDX_VMCALL_HLT]		= "HLT",
	[TDX_VMCALL_IO]			= "IO",
	[TDX_VMCALL_RDMSR]		= "RDMSR",
	[TDX_VMCALL_WRMSR]		= "WRMSR",
	[TDX_VMCALL_MMIO]		= "MMIO",
	[TDX_VMCALL_GET_INFO]		= "GetTdVmCallInfo",
	[TDX_VMCALL_MAP_GPA]		= "MapGPA",
	[TDX_VMCALL_GET_QUOTE]		= "GetQuote",
	[TDX_VMCALL_FATAL_ERROR]	= "ReportFatalError",
	[TDX_VMCALL_EVENT_NOTIFY]	= "SetupEventNotifyInterrupt",
	[TDX_VMCALL_HYPERCALL]		= "hypercall",
	[TDX_VMCALL_UNSUPPORTED]	= "unsupported",
};

const char *tdx_vmcall_name(unsigned int i)
{
	return tdx_vmcall_names[i];
}
