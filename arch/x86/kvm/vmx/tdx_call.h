/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TDX_CALL_H
#define __KVM_X86_VMX_TDX_CALL_H

#include "tdx.h"

/* tdx_stats.c */
void tdx_count_call(struct kvm_tdx *kvm_tdx, unsigned int leaf, u64 status);
/* To be called on top of that after success with a page of this level. */
void tdx_count_large(unsigned int leaf, enum pg_level level);

/*
 * SEAMCALLs on behalf of a TD go through here, to be counted, but for
 * TDH.VP.ENTER: tdx_vcpu_run() counts that one itself.  @call is evaluated once.
 */
#define tdx_call(kvm_tdx, leaf, call)				\
({								\
	u64 __answer = (call);					\
								\
	tdx_count_call(kvm_tdx, leaf, __answer);		\
	__answer;						\
})

/*
 * For leaves that find the module busy only for the short time that another
 * CPU's SEAMCALL takes, and whose caller can't be asked to come back: repeat.
 */
#define TDX_MAX_BUSY_RETRIES	10000

#define tdx_call_retry(kvm_tdx, leaf, call)			\
({								\
	int __retries = TDX_MAX_BUSY_RETRIES;			\
	u64 __status;						\
								\
	do {							\
		__status = tdx_call(kvm_tdx, leaf, call);	\
		if (!tdx_status_is_busy(__status))		\
			break;					\
		cpu_relax();					\
	} while (--__retries);					\
	__status;						\
})

#endif /* __KVM_X86_VMX_TDX_CALL_H */
