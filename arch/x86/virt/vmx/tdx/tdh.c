// SPDX-License-Identifier: GPL-2.0
/*
 * Host leaves of the TDX module: one function each, which puts the arguments
 * into registers, calls and fetches the outputs.  What to do about a status,
 * and which lock keeps the module from answering busy, is up to the caller.
 *
 * Two things are done here nevertheless, because no caller may forget them:
 *  - a page that is handed over is written back from the caches first, as the
 *    module accesses it under another key ID, for which a dirty line would be
 *    evicted on top of the module's data;
 *  - a call that fails for want of entropy is repeated a few times.
 */

#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kconfig.h>
#include <linux/mm.h>

#include <asm/archrandom.h>
#include <asm/cacheflush.h>
#include <asm/processor.h>
#include <asm/tdh.h>
#include <asm/tdx.h>

#include "tdh.h"

/*
 * The kernel that kexec starts knows nothing of the lines that the caches hold
 * under private key IDs, nor of the pages that are still the module's.  Before the
 * two go together every CPU that made a SEAMCALL has to write its caches back when
 * it stops, and when it goes offline.
 */
static_assert(!IS_ENABLED(CONFIG_KEXEC_CORE));

/**
 * DOC: Host leaves of the TDX module
 *
 * All functions may be called on any CPU where tdx_cpu_enable() succeeded and
 * that is in VMX operation, in any context (the leaves do not sleep and take no
 * lock of the kernel), once tdx_enable() succeeded.
 *
 * The module takes its own locks without waiting.  "TDR exclusive" below says
 * that the leaf answers TDX_OPERAND_BUSY while any other leaf works on the TD
 * or one of its vCPUs runs, and makes these answer so; "TDR shared" says that
 * it gets along with others that share.  Statuses are given without details.
 * They come from these sets, plus what each function names:
 *
 * MODULE, from every leaf
 *	TDX_SUCCESS, TDX_OPERAND_INVALID (an argument, or RAX: the module does not
 *	know the leaf), TDX_SYS_NOT_READY, TDX_SYS_SHUTDOWN, TDX_SYS_LP_INIT_NOT_DONE,
 *	TDX_RND_NO_ENTROPY, TDX_SEAMCALL_VMFAILINVALID, TDX_SEAMCALL_GP, TDX_SEAMCALL_UD
 *
 * PAGE, from leaves that take the address of a private page
 *	TDX_OPERAND_ADDR_RANGE_ERROR, TDX_PAGE_METADATA_INCORRECT,
 *	TDX_OPERAND_BUSY, TDX_MISSING_PAMT_PAGE_PAIR
 *
 * TD, from leaves that need a working TD; includes PAGE for the TDR or TDVPR
 *	TDX_TD_FATAL, TDX_TD_KEYS_NOT_CONFIGURED, TDX_TDCS_NOT_ALLOCATED,
 *	TDX_OP_STATE_INCORRECT
 *
 * SEPT, from leaves that walk the Secure EPT; includes TD
 *	TDX_EPT_WALK_FAILED, TDX_EPT_ENTRY_STATE_INCORRECT; the extended output
 *	then tells where the walk ended and what is there
 */

/* TDH.VP.INIT with the x2APIC id as an argument */
#define TDH_VP_INIT_V1		(TDH_VP_INIT | 1ULL << TDX_VERSION_SHIFT)

/*
 * Many leaves zero their output registers before they fail, and some of these
 * are inputs.  seamcall_ret() would repeat the call with what the first attempt
 * left behind, so start each from the caller's values.
 */
static u64 tdh_call_ret(u64 leaf, struct tdx_module_args *args)
{
	const struct tdx_module_args in = *args;
	int retry = RDRAND_RETRY_LOOPS;
	u64 status;

	do {
		*args = in;
		status = __seamcall_ret(leaf, args);
	} while (tdx_status_is_no_entropy(status) && --retry);

	/* The registers are outputs only if the module has seen them. */
	if (tdx_status_is_sw_error(status))
		memset(args, 0, sizeof(*args));

	return status;
}

static u64 tdh_call_sept(u64 leaf, struct tdx_module_args *args,
			 struct tdh_sept_info *info)
{
	u64 status = tdh_call_ret(leaf, args);

	info->entry = args->rcx;
	info->state = args->rdx;
	return status;
}

/* Leaves whose only operands are a Secure EPT entry and the TDR */
static u64 tdh_call_sept_entry(u64 leaf, phys_addr_t tdr, u64 gpa, int level,
			       struct tdh_sept_info *info)
{
	struct tdx_module_args args = {
		.rcx = gpa | level,
		.rdx = tdr,
	};

	return tdh_call_sept(leaf, &args, info);
}

/* Leaves whose only operand is a page in RCX and that have no output */
static u64 tdh_call_page(u64 leaf, phys_addr_t page)
{
	struct tdx_module_args args = {
		.rcx = page,
	};

	return seamcall(leaf, &args);
}

static void tdh_flush_page(phys_addr_t page, int level)
{
	clflush_cache_range(phys_to_virt(page), PAGE_SIZE << (level * 9));
}

/**
 * tdh_sys_rd - TDH.SYS.RD: read a field of the module's global metadata
 * @field: field id
 * @data: value of the field, 0 on failure
 *
 * Works from tdx_cpu_enable() on.
 *
 * Return: MODULE, TDX_METADATA_FIELD_ID_INCORRECT,
 * TDX_METADATA_FIELD_NOT_READABLE.
 */
u64 tdh_sys_rd(u64 field, u64 *data)
{
	struct tdx_module_args args = {
		.rdx = field,
	};
	u64 status = tdh_call_ret(TDH_SYS_RD, &args);

	*data = args.r8;
	return status;
}

/**
 * tdh_mng_create - TDH.MNG.CREATE: create a TD
 * @tdr: page to become the TDR, the root of the TD
 * @hkid: guest key ID to assign, from tdx_guest_keyid_alloc()
 *
 * Context: TDR exclusive; the table of key IDs exclusive, so the caller
 * serializes the calls with each other, with tdh_mng_vpflushdone(),
 * tdh_mng_key_freeid() and tdh_phymem_cache_wb().
 * Return: MODULE, PAGE, TDX_HKID_NOT_FREE.
 */
u64 tdh_mng_create(phys_addr_t tdr, u16 hkid)
{
	struct tdx_module_args args = {
		.rcx = tdr,
		.rdx = hkid,
	};

	tdh_flush_page(tdr, TDX_PS_4K);
	return seamcall(TDH_MNG_CREATE, &args);
}
EXPORT_SYMBOL_GPL(tdh_mng_create);

/**
 * tdh_mng_addcx - TDH.MNG.ADDCX: give a TD a page for its TDCS
 * @tdr: the TD's TDR
 * @page: page to become a TDCX
 *
 * Context: TDR exclusive.
 * Return: MODULE, PAGE, TDX_TD_FATAL, TDX_TD_KEYS_NOT_CONFIGURED,
 * TDX_OP_STATE_INCORRECT, TDX_TDCX_NUM_INCORRECT.
 */
u64 tdh_mng_addcx(phys_addr_t tdr, phys_addr_t page)
{
	struct tdx_module_args args = {
		.rcx = page,
		.rdx = tdr,
	};

	tdh_flush_page(page, TDX_PS_4K);
	return seamcall(TDH_MNG_ADDCX, &args);
}
EXPORT_SYMBOL_GPL(tdh_mng_addcx);

/**
 * tdh_mng_key_config - TDH.MNG.KEY.CONFIG: program the TD's key
 * @tdr: the TD's TDR
 *
 * Works on the calling CPU's package; the TD is usable once the key is
 * programmed on all packages.
 *
 * Context: TDR exclusive; one call at a time on a package.
 * Return: MODULE, PAGE, TDX_TD_FATAL, TDX_LIFECYCLE_STATE_INCORRECT,
 * TDX_KEY_CONFIGURED (information: done on this package before),
 * TDX_KEY_GENERATION_FAILED (may succeed when repeated).
 */
u64 tdh_mng_key_config(phys_addr_t tdr)
{
	return tdh_call_page(TDH_MNG_KEY_CONFIG, tdr);
}
EXPORT_SYMBOL_GPL(tdh_mng_key_config);

/**
 * tdh_mng_init - TDH.MNG.INIT: configure a TD
 * @tdr: the TD's TDR
 * @params: TD_PARAMS, aligned to its size of 1024 bytes
 * @detail: the CPUID leaf (bits 31:0) and subleaf (bits 63:32) at fault if the
 *	status is TDX_OPERAND_INVALID for CPUID_CONFIG, or
 *	TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, else 0
 *
 * Context: TDR exclusive.
 * Return: MODULE, TD, TDX_LIMIT_CPUID_MAXVAL_SET, TDX_INCONSISTENT_MSR,
 * TDX_INCORRECT_MSR_VALUE, TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED.
 */
u64 tdh_mng_init(phys_addr_t tdr, phys_addr_t params, u64 *detail)
{
	struct tdx_module_args args = {
		.rcx = tdr,
		.rdx = params,
	};
	u64 status = tdh_call_ret(TDH_MNG_INIT, &args);

	*detail = args.rcx;
	return status;
}
EXPORT_SYMBOL_GPL(tdh_mng_init);

/**
 * tdh_mng_rd - TDH.MNG.RD: read a metadata field of a TD
 * @tdr: the TD's TDR
 * @field: field id
 * @data: value of the field, 0 on failure
 *
 * Context: TDR shared.
 * Return: MODULE, TD, TDX_METADATA_FIELD_ID_INCORRECT,
 * TDX_METADATA_FIELD_NOT_READABLE.
 */
u64 tdh_mng_rd(phys_addr_t tdr, u64 field, u64 *data)
{
	struct tdx_module_args args = {
		.rcx = tdr,
		.rdx = field,
	};
	u64 status = tdh_call_ret(TDH_MNG_RD, &args);

	*data = args.r8;
	return status;
}
EXPORT_SYMBOL_GPL(tdh_mng_rd);

/**
 * tdh_mng_vpflushdone - TDH.MNG.VPFLUSHDONE: no vCPU is on any CPU any more
 * @tdr: the TD's TDR
 *
 * Blocks the TD for good; every vCPU must have been flushed.
 *
 * Context: TDR exclusive, table of key IDs exclusive, see tdh_mng_create().
 * Return: MODULE, PAGE, TDX_LIFECYCLE_STATE_INCORRECT, TDX_FLUSHVP_NOT_DONE.
 */
u64 tdh_mng_vpflushdone(phys_addr_t tdr)
{
	return tdh_call_page(TDH_MNG_VPFLUSHDONE, tdr);
}
EXPORT_SYMBOL_GPL(tdh_mng_vpflushdone);

/**
 * tdh_mng_key_freeid - TDH.MNG.KEY.FREEID: release the TD's key ID
 * @tdr: the TD's TDR
 *
 * Needs tdh_phymem_cache_wb() to have completed on every package.
 *
 * Context: TDR exclusive, table of key IDs exclusive, see tdh_mng_create().
 * Return: MODULE, PAGE, TDX_LIFECYCLE_STATE_INCORRECT, TDX_WBCACHE_NOT_COMPLETE.
 */
u64 tdh_mng_key_freeid(phys_addr_t tdr)
{
	return tdh_call_page(TDH_MNG_KEY_FREEID, tdr);
}
EXPORT_SYMBOL_GPL(tdh_mng_key_freeid);

/**
 * tdh_vp_create - TDH.VP.CREATE: create a vCPU
 * @tdr: the TD's TDR
 * @tdvpr: page to become the TDVPR, the root of the vCPU
 *
 * Context: TDR shared.
 * Return: MODULE, PAGE, TD.
 */
u64 tdh_vp_create(phys_addr_t tdr, phys_addr_t tdvpr)
{
	struct tdx_module_args args = {
		.rcx = tdvpr,
		.rdx = tdr,
	};

	tdh_flush_page(tdvpr, TDX_PS_4K);
	return seamcall(TDH_VP_CREATE, &args);
}
EXPORT_SYMBOL_GPL(tdh_vp_create);

/**
 * tdh_vp_addcx - TDH.VP.ADDCX: give a vCPU a page for its TDVPS
 * @tdvpr: the vCPU's TDVPR
 * @page: page to become a TDCX
 *
 * Context: TDVPR exclusive, TDR shared.
 * Return: MODULE, PAGE, TD, TDX_VCPU_STATE_INCORRECT, TDX_TDCX_NUM_INCORRECT.
 */
u64 tdh_vp_addcx(phys_addr_t tdvpr, phys_addr_t page)
{
	struct tdx_module_args args = {
		.rcx = page,
		.rdx = tdvpr,
	};

	tdh_flush_page(page, TDX_PS_4K);
	return seamcall(TDH_VP_ADDCX, &args);
}
EXPORT_SYMBOL_GPL(tdh_vp_addcx);

/**
 * tdh_vp_init - TDH.VP.INIT: initialize a vCPU
 * @tdvpr: the vCPU's TDVPR
 * @rcx: initial RCX and R8 of the guest
 * @x2apic_id: x2APIC id, unique in the TD
 *
 * Associates the vCPU with the calling CPU: call with preemption off.
 *
 * Context: TDVPR exclusive and, as the module checks that the x2APIC id is
 * unique, TDR exclusive.
 * Return: MODULE, TD, TDX_TDCX_NUM_INCORRECT, TDX_VCPU_STATE_INCORRECT,
 * TDX_MAX_VCPUS_EXCEEDED, TDX_X2APIC_ID_NOT_UNIQUE, TDX_INCONSISTENT_MSR.
 */
u64 tdh_vp_init(phys_addr_t tdvpr, u64 rcx, u32 x2apic_id)
{
	struct tdx_module_args args = {
		.rcx = tdvpr,
		.rdx = rcx,
		.r8 = x2apic_id,
	};

	return seamcall(TDH_VP_INIT_V1, &args);
}
EXPORT_SYMBOL_GPL(tdh_vp_init);

/**
 * tdh_vp_enter - TDH.VP.ENTER: run a vCPU until it exits
 * @tdvpr: the vCPU's TDVPR
 * @args: registers, in and out; RCX is the leaf's own on the way in
 *
 * If the last exit was a TDVMCALL the guest finds @args in the registers that
 * it selected for it, else they are ignored.  Afterwards @args describes the
 * exit, unless there was no entry: then it holds what went in.  RBP is left
 * alone, which takes a TD that was created with NO_RBP_MOD.
 *
 * What the module leaves behind in the CPU's other registers is the caller's to
 * clean up.  An error, a lack of entropy included, is not retried.
 *
 * Context: no instrumentation; interrupts disabled; TDVPR and TDR shared until
 * the exit, S-EPT tree exclusive for a moment if the vCPU keeps faulting.
 * Return: the exit reason in bits 31:0 with the status TDX_SUCCESS, the ones of
 * the NON_RECOVERABLE kind or TDX_HOST_PRIORITY_BUSY_TIMEOUT; without an exit
 * reason MODULE, TD, TDX_OPERAND_BUSY, TDX_VCPU_STATE_INCORRECT,
 * TDX_VCPU_ASSOCIATED (with another CPU), TDX_TDCX_NUM_INCORRECT,
 * TDX_LIMIT_CPUID_MAXVAL_SET, TDX_INCONSISTENT_MSR, TDX_INCORRECT_MSR_VALUE,
 * TDX_TSC_ROLLBACK.
 */
noinstr u64 tdh_vp_enter(phys_addr_t tdvpr, struct tdx_module_args *args)
{
	args->rcx = tdvpr;

	return __seamcall_saved_ret(TDH_VP_ENTER, args);
}
EXPORT_SYMBOL_GPL(tdh_vp_enter);

/**
 * tdh_vp_flush - TDH.VP.FLUSH: dissociate a vCPU from the calling CPU
 * @tdvpr: the vCPU's TDVPR
 *
 * Context: on the CPU with which the vCPU is associated, with preemption off;
 * TDVPR exclusive, TDR shared.
 * Return: MODULE, PAGE, TDX_TD_KEYS_NOT_CONFIGURED, TDX_TDCX_NUM_INCORRECT,
 * TDX_VCPU_NOT_ASSOCIATED (with no CPU, or with another one).
 */
u64 tdh_vp_flush(phys_addr_t tdvpr)
{
	return tdh_call_page(TDH_VP_FLUSH, tdvpr);
}
EXPORT_SYMBOL_GPL(tdh_vp_flush);

/**
 * tdh_vp_rd - TDH.VP.RD: read a metadata field of a vCPU
 * @tdvpr: the vCPU's TDVPR
 * @field: field id
 * @data: value of the field, 0 on failure
 *
 * Associates a vCPU that has no CPU with the calling one, even if it fails for
 * the field: call with preemption off.
 *
 * Context: TDVPR shared, TDR shared.
 * Return: MODULE, TD, TDX_VCPU_ASSOCIATED (with another CPU),
 * TDX_VCPU_STATE_INCORRECT, TDX_TDCX_NUM_INCORRECT,
 * TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_FIELD_NOT_READABLE.
 */
u64 tdh_vp_rd(phys_addr_t tdvpr, u64 field, u64 *data)
{
	struct tdx_module_args args = {
		.rcx = tdvpr,
		.rdx = field,
	};
	u64 status = tdh_call_ret(TDH_VP_RD, &args);

	*data = args.r8;
	return status;
}
EXPORT_SYMBOL_GPL(tdh_vp_rd);

/**
 * tdh_vp_wr - TDH.VP.WR: write a metadata field of a vCPU
 * @tdvpr: the vCPU's TDVPR
 * @field: field id
 * @data: bits to write
 * @mask: which bits of the field to write
 * @old: previous value of the field, 0 on failure
 *
 * Associates the vCPU like tdh_vp_rd().
 *
 * Context: TDVPR shared, TDR shared.
 * Return: those of tdh_vp_rd() but for reading, TDX_METADATA_FIELD_NOT_WRITABLE,
 * TDX_METADATA_FIELD_VALUE_NOT_VALID, TDX_METADATA_WR_MASK_NOT_VALID,
 * TDX_TD_VMCS_FIELD_NOT_INITIALIZED.
 */
u64 tdh_vp_wr(phys_addr_t tdvpr, u64 field, u64 data, u64 mask, u64 *old)
{
	struct tdx_module_args args = {
		.rcx = tdvpr,
		.rdx = field,
		.r8 = data,
		.r9 = mask,
	};
	u64 status = tdh_call_ret(TDH_VP_WR, &args);

	*old = tdx_status_is_error(status) ? 0 : args.r8;
	return status;
}
EXPORT_SYMBOL_GPL(tdh_vp_wr);

/**
 * tdh_mem_page_add - TDH.MEM.PAGE.ADD: add a page to the initial image
 * @tdr: the TD's TDR
 * @gpa: where to map it, 4 KiB aligned
 * @page: page to become the TD's
 * @source: page with the contents, which the module copies
 * @info: extended output
 *
 * Also extends the measurement by @gpa, but not by the contents.
 *
 * Context: TDR exclusive.
 * Return: MODULE, PAGE, SEPT.
 */
u64 tdh_mem_page_add(phys_addr_t tdr, u64 gpa, phys_addr_t page,
		     phys_addr_t source, struct tdh_sept_info *info)
{
	struct tdx_module_args args = {
		.rcx = gpa | TDX_PS_4K,
		.rdx = tdr,
		.r8 = page,
		.r9 = source,
	};

	tdh_flush_page(page, TDX_PS_4K);
	return tdh_call_sept(TDH_MEM_PAGE_ADD, &args, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_page_add);

/**
 * tdh_mem_sept_add - TDH.MEM.SEPT.ADD: add a page to the Secure EPT
 * @tdr: the TD's TDR
 * @gpa: start of the range that the page translates
 * @level: level of the entry that will point to the page, 1 and up
 * @page: page to become the Secure EPT page
 * @info: extended output
 *
 * Context: TDR and Secure EPT tree shared, entry exclusive.
 * Return: MODULE, PAGE, SEPT.
 */
u64 tdh_mem_sept_add(phys_addr_t tdr, u64 gpa, int level, phys_addr_t page,
		     struct tdh_sept_info *info)
{
	struct tdx_module_args args = {
		.rcx = gpa | level,
		.rdx = tdr,
		.r8 = page,
	};

	tdh_flush_page(page, TDX_PS_4K);
	return tdh_call_sept(TDH_MEM_SEPT_ADD, &args, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_sept_add);

/**
 * tdh_mem_page_aug - TDH.MEM.PAGE.AUG: add a page that the guest has to accept
 * @tdr: the TD's TDR
 * @gpa: where to map it, aligned to the size of the page
 * @level: size of the page, 0 or 1
 * @page: page to become the TD's, aligned to its size
 * @info: extended output
 *
 * Context: TDR and Secure EPT tree shared, entry exclusive.
 * Return: MODULE, PAGE, SEPT.
 */
u64 tdh_mem_page_aug(phys_addr_t tdr, u64 gpa, int level, phys_addr_t page,
		     struct tdh_sept_info *info)
{
	struct tdx_module_args args = {
		.rcx = gpa | level,
		.rdx = tdr,
		.r8 = page,
	};

	tdh_flush_page(page, level);
	return tdh_call_sept(TDH_MEM_PAGE_AUG, &args, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_page_aug);

/**
 * tdh_mem_range_block - TDH.MEM.RANGE.BLOCK: forbid new translations
 * @tdr: the TD's TDR
 * @gpa: start of the range, aligned to the size that the entry translates
 * @level: level of the entry
 * @info: extended output
 *
 * Translations that CPUs hold stay until tdh_mem_track() and an exit of every
 * vCPU.
 *
 * Context: TDR shared, Secure EPT tree exclusive.
 * Return: MODULE, SEPT, TDX_GPA_RANGE_ALREADY_BLOCKED (information).
 */
u64 tdh_mem_range_block(phys_addr_t tdr, u64 gpa, int level,
			struct tdh_sept_info *info)
{
	return tdh_call_sept_entry(TDH_MEM_RANGE_BLOCK, tdr, gpa, level, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_range_block);

/**
 * tdh_mem_page_remove - TDH.MEM.PAGE.REMOVE: take a page from a TD
 * @tdr: the TD's TDR
 * @gpa: where it is mapped
 * @level: size of the page
 * @info: extended output; on success the entry is the page's physical address
 *
 * The page still needs tdh_phymem_page_wbinvd() and tdx_clear_pages() before
 * anybody else may use it.
 *
 * Context: TDR and Secure EPT tree shared, entry exclusive.
 * Return: MODULE, SEPT, TDX_GPA_RANGE_NOT_BLOCKED, TDX_TLB_TRACKING_NOT_DONE.
 */
u64 tdh_mem_page_remove(phys_addr_t tdr, u64 gpa, int level,
			struct tdh_sept_info *info)
{
	return tdh_call_sept_entry(TDH_MEM_PAGE_REMOVE, tdr, gpa, level, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_page_remove);

/**
 * tdh_mem_page_demote - TDH.MEM.PAGE.DEMOTE: split a page into 512 smaller ones
 * @tdr: the TD's TDR
 * @gpa: where it is mapped, aligned to its size
 * @level: size of the page, 1 or 2
 * @page: page to become the Secure EPT page that maps the parts
 * @info: extended output
 *
 * The parts have the state of the whole, but aren't blocked.  What the guest has
 * accepted of a pending page so far it accepts again.  The module may have written
 * to @page before it fails: then, too, tdh_phymem_page_wbinvd() and
 * tdx_clear_pages() are due.  For a TD without L2 VMs.
 *
 * Context: TDR and Secure EPT tree shared, entry exclusive.
 * Return: MODULE, PAGE, SEPT, TDX_GPA_RANGE_NOT_BLOCKED,
 * TDX_TLB_TRACKING_NOT_DONE, TDX_INTERRUPTED_RESTARTABLE.
 */
u64 tdh_mem_page_demote(phys_addr_t tdr, u64 gpa, int level, phys_addr_t page,
			struct tdh_sept_info *info)
{
	struct tdx_module_args args = {
		.rcx = gpa | level,
		.rdx = tdr,
		.r8 = page,
	};

	tdh_flush_page(page, TDX_PS_4K);
	return tdh_call_sept(TDH_MEM_PAGE_DEMOTE, &args, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_page_demote);

/**
 * tdh_mem_sept_remove - TDH.MEM.SEPT.REMOVE: take a page out of the Secure EPT
 * @tdr: the TD's TDR
 * @gpa: start of the range that the page translates
 * @level: level of the entry that points to the page, 1 and up
 * @info: extended output; on success the entry is the page's physical address
 *
 * Nothing is mapped by the page.  It needs the same care as a page from
 * tdh_mem_page_remove().
 *
 * Context: TDR shared, Secure EPT tree exclusive.
 * Return: MODULE, SEPT, TDX_GPA_RANGE_NOT_BLOCKED, TDX_TLB_TRACKING_NOT_DONE,
 * TDX_EPT_PAGE_NOT_FREE.
 */
u64 tdh_mem_sept_remove(phys_addr_t tdr, u64 gpa, int level,
			struct tdh_sept_info *info)
{
	return tdh_call_sept_entry(TDH_MEM_SEPT_REMOVE, tdr, gpa, level, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_sept_remove);

/**
 * tdh_mem_sept_rd - TDH.MEM.SEPT.RD: read a Secure EPT entry
 * @tdr: the TD's TDR
 * @gpa: start of the range, aligned to the size that the entry translates
 * @level: level of the entry
 * @info: the entry and its state
 *
 * Context: TDR and Secure EPT tree shared, entry exclusive.
 * Return: MODULE, SEPT.
 */
u64 tdh_mem_sept_rd(phys_addr_t tdr, u64 gpa, int level,
		    struct tdh_sept_info *info)
{
	return tdh_call_sept_entry(TDH_MEM_SEPT_RD, tdr, gpa, level, info);
}
EXPORT_SYMBOL_GPL(tdh_mem_sept_rd);

/**
 * tdh_mem_track - TDH.MEM.TRACK: begin a new TLB tracking epoch
 * @tdr: the TD's TDR
 *
 * What was blocked before counts as tracked once no vCPU runs that entered in
 * the epoch before this one.
 *
 * Context: TDR shared, epoch exclusive.  The caller serializes the call and the
 * kick of the vCPUs that follows it as one unit.
 * Return: MODULE, TD, TDX_PREVIOUS_TLB_EPOCH_BUSY.
 */
u64 tdh_mem_track(phys_addr_t tdr)
{
	return tdh_call_page(TDH_MEM_TRACK, tdr);
}
EXPORT_SYMBOL_GPL(tdh_mem_track);

/**
 * tdh_mr_extend - TDH.MR.EXTEND: measure 256 bytes of the initial image
 * @tdr: the TD's TDR
 * @gpa: of the bytes, 256 byte aligned
 * @info: extended output
 *
 * Context: TDR exclusive.
 * Return: MODULE, TD, TDX_EPT_WALK_FAILED, TDX_EPT_ENTRY_NOT_PRESENT.
 */
u64 tdh_mr_extend(phys_addr_t tdr, u64 gpa, struct tdh_sept_info *info)
{
	struct tdx_module_args args = {
		.rcx = gpa,
		.rdx = tdr,
	};

	return tdh_call_sept(TDH_MR_EXTEND, &args, info);
}
EXPORT_SYMBOL_GPL(tdh_mr_extend);

/**
 * tdh_mr_finalize - TDH.MR.FINALIZE: close the measurement, let the TD run
 * @tdr: the TD's TDR
 *
 * Context: TDR exclusive.
 * Return: MODULE, TD, TDX_NO_VCPUS.
 */
u64 tdh_mr_finalize(phys_addr_t tdr)
{
	return tdh_call_page(TDH_MR_FINALIZE, tdr);
}
EXPORT_SYMBOL_GPL(tdh_mr_finalize);

/**
 * tdh_phymem_page_reclaim - TDH.PHYMEM.PAGE.RECLAIM: take a page back
 * @page: page to take back, aligned to its size
 * @md: type, owner and size of the page, valid from the check of its type on,
 *	even on failure
 *
 * Works once the key ID of the owner is free.  The TDR goes last, and still
 * needs tdh_phymem_page_wbinvd() for the global key ID.
 *
 * Context: the page exclusive, TDR of its owner shared.
 * Return: MODULE, PAGE, TDX_LIFECYCLE_STATE_INCORRECT,
 * TDX_TD_ASSOCIATED_PAGES_EXIST.
 */
u64 tdh_phymem_page_reclaim(phys_addr_t page, struct tdh_page_md *md)
{
	struct tdx_module_args args = { .rcx = page };
	u64 status = tdh_call_ret(TDH_PHYMEM_PAGE_RECLAIM, &args);

	md->type = args.rcx;
	md->owner = args.rdx;
	md->level = args.r8;
	return status;
}
EXPORT_SYMBOL_GPL(tdh_phymem_page_reclaim);

/**
 * tdh_phymem_page_wbinvd - TDH.PHYMEM.PAGE.WBINVD: write a page back
 * @page: 4 KiB page that belongs to no TD any more
 * @hkid: key ID under which its lines may be in the caches
 *
 * Context: the page's metadata shared.
 * Return: MODULE, PAGE.
 */
u64 tdh_phymem_page_wbinvd(phys_addr_t page, u16 hkid)
{
	/* A key ID sits in the physical address bits that the CPU gave up. */
	return tdh_call_page(TDH_PHYMEM_PAGE_WBINVD,
			     page | (u64)hkid << boot_cpu_data.x86_phys_bits);
}
EXPORT_SYMBOL_GPL(tdh_phymem_page_wbinvd);

/**
 * tdh_phymem_cache_wb - TDH.PHYMEM.CACHE.WB: write back the package's caches
 * @resume: go on with a write-back that was interrupted
 *
 * Writes back what belongs to TDs that are past tdh_mng_vpflushdone().
 *
 * Context: table of key IDs shared, see tdh_mng_create(); one call at a time on
 * a package.
 * Return: MODULE, TDX_OPERAND_BUSY, TDX_INTERRUPTED_RESUMABLE (call again with
 * @resume), TDX_NO_HKID_READY_TO_WBCACHE (information: nothing to do),
 * TDX_WBCACHE_RESUME_ERROR.
 */
u64 tdh_phymem_cache_wb(bool resume)
{
	struct tdx_module_args args = {
		.rcx = resume,
	};

	return seamcall(TDH_PHYMEM_CACHE_WB, &args);
}
EXPORT_SYMBOL_GPL(tdh_phymem_cache_wb);
