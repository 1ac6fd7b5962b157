// SPDX-License-Identifier: GPL-2.0
/*
 * Key IDs: from the host's pool to a TD and back, the key on all packages, the caches
 * before a key ID is used again.
 */
#include <linux/misc_cgroup.h>
#include <linux/mutex.h>

#include <asm/tdx.h>

#include "tdx.h"
#include "tdx_call.h"

/*
 * Serializes the leaves that take a lock of the module's that all TDs share:
 * that of the key ID table, which TDH.PHYMEM.CACHE.WB holds for as long as it
 * takes, and that of the key encryption tables.  TDs that come and go at the
 * same time would see them busy.
 */
DEFINE_MUTEX(tdx_key_lock);

/* Key generation draws on the entropy source more than the wrappers retry. */
#define TDX_MAX_KEY_CONFIG_RETRIES	10

/*
 * Key IDs
 */

int tdx_assign_key(struct kvm_tdx *kvm_tdx)
{
	int hkid, r;

	hkid = tdx_guest_keyid_alloc();
	if (hkid < 0)
		return hkid;

	kvm_tdx->misc_cg = get_current_misc_cg();
	r = misc_cg_try_charge(MISC_CG_RES_TDX, kvm_tdx->misc_cg, 1);
	if (r) {
		put_misc_cg(kvm_tdx->misc_cg);
		kvm_tdx->misc_cg = NULL;
		tdx_guest_keyid_free(hkid);
		return -EBUSY;
	}

	kvm_tdx->hkid = hkid;
	tdx_stats_key_assigned();
	return 0;
}

/* Only if the module doesn't use the key ID for the TD. */
void tdx_unassign_key(struct kvm_tdx *kvm_tdx)
{
	misc_cg_uncharge(MISC_CG_RES_TDX, kvm_tdx->misc_cg, 1);
	put_misc_cg(kvm_tdx->misc_cg);
	kvm_tdx->misc_cg = NULL;

	tdx_guest_keyid_free(kvm_tdx->hkid);
	kvm_tdx->hkid = TDX_NO_HKID;
	tdx_stats_key_released();
}

struct tdx_package_call {
	struct kvm_tdx *kvm_tdx;
	unsigned int leaf;
	u64 status;
};

static int tdx_config_key_on_package(void *arg)
{
	struct tdx_package_call *call = arg;
	struct kvm_tdx *kvm_tdx = call->kvm_tdx;
	int retries = TDX_MAX_KEY_CONFIG_RETRIES;

	do {
		call->status = tdx_call_retry(kvm_tdx, TDH_MNG_KEY_CONFIG,
					      tdh_mng_key_config(kvm_tdx->tdr));
	} while (tdx_status_code(call->status) == TDX_KEY_GENERATION_FAILED &&
		 --retries);

	return tdx_status_is_error(call->status) ? -EIO : 0;
}

/* Program the TD's key on all packages. */
int tdx_config_key(struct kvm_tdx *kvm_tdx, u64 *status)
{
	struct tdx_package_call call = { .kvm_tdx = kvm_tdx };
	int r;

	lockdep_assert_held(&tdx_key_lock);

	r = tdx_on_each_package(tdx_config_key_on_package, &call);
	*status = call.status;
	return r;
}

static int tdx_write_back_package(void *arg)
{
	struct tdx_package_call *call = arg;
	bool resume = false;

	do {
		call->status = tdx_call_retry(call->kvm_tdx, TDH_PHYMEM_CACHE_WB,
					      tdh_phymem_cache_wb(resume));
		resume = true;
	} while (tdx_status_is_interrupted(call->status));

	/* That there was nothing to write back is no error. */
	return tdx_status_is_error(call->status) ? -EIO : 0;
}

static int __tdx_release_key(struct kvm_tdx *kvm_tdx)
{
	struct tdx_package_call call = { .kvm_tdx = kvm_tdx };
	struct kvm *kvm = &kvm_tdx->kvm;
	u64 status;

	lockdep_assert_held(&tdx_key_lock);

	status = tdx_call_retry(kvm_tdx, TDH_MNG_VPFLUSHDONE,
				tdh_mng_vpflushdone(kvm_tdx->tdr));
	if (!tdx_status_is_success(status))
		return tdx_report_failure(kvm, TDH_MNG_VPFLUSHDONE, status,
					  kvm_tdx->tdr, kvm_tdx->hkid);

	if (tdx_on_each_package(tdx_write_back_package, &call))
		return tdx_report_failure(kvm, TDH_PHYMEM_CACHE_WB, call.status,
					  kvm_tdx->tdr, kvm_tdx->hkid);

	status = tdx_call_retry(kvm_tdx, TDH_MNG_KEY_FREEID,
				tdh_mng_key_freeid(kvm_tdx->tdr));
	if (!tdx_status_is_success(status))
		return tdx_report_failure(kvm, TDH_MNG_KEY_FREEID, status,
					  kvm_tdx->tdr, kvm_tdx->hkid);

	return 0;
}

/*
 * From here on to the end of the release nothing can be removed from the TD any more,
 * nor be reclaimed yet: who loses a page meanwhile puts it aside.
 */
static void tdx_begin_key_release(struct kvm_tdx *kvm_tdx)
{
	guard(write_lock)(&kvm_tdx->kvm.mmu_lock);

	kvm_tdx->key_going = true;
}

/* On failure the TD keeps the key ID, i.e. it is leaked with all the TD consists of. */
static void tdx_end_key_release(struct kvm_tdx *kvm_tdx, bool released)
{
	guard(write_lock)(&kvm_tdx->kvm.mmu_lock);

	kvm_tdx->key_going = false;
	if (released)
		tdx_unassign_key(kvm_tdx);
	else
		kvm_tdx->key_leaked = true;
}

/*
 * Give the key ID back, to be used for another TD, if that hasn't been done or tried
 * before.  All vCPUs have left their CPUs, and none is entered any more.
 */
void tdx_release_key(struct kvm_tdx *kvm_tdx)
{
	guard(mutex)(&tdx_key_lock);

	if (!tdx_has_key(kvm_tdx) || kvm_tdx->key_leaked)
		return;

	tdx_begin_key_release(kvm_tdx);
	tdx_end_key_release(kvm_tdx, !__tdx_release_key(kvm_tdx));
}
