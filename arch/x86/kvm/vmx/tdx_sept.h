/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_VMX_TDX_SEPT_H
#define __KVM_X86_VMX_TDX_SEPT_H

/* What tdx_sept.c, which knows the verbs, has of tdx_sept_remove.c. */

#include "tdx.h"

/* KVM counts levels from 1, the module from 0. */
static inline int tdx_level(enum pg_level level)
{
	BUILD_BUG_ON(PG_LEVEL_4K != 1);

	return level - PG_LEVEL_4K;
}

/* tdx_sept_remove.c */
int tdx_sept_begin_removal(struct kvm *kvm, gfn_t gfn, enum pg_level level);
int tdx_sept_finish_removal(struct kvm *kvm, gfn_t gfn, u64 old_spte,
			    enum pg_level level);
int tdx_sept_split(struct kvm *kvm, gfn_t gfn, u64 new_spte, enum pg_level level);
int tdx_sept_begin_free(struct kvm *kvm, gfn_t gfn, enum pg_level level);

#endif /* __KVM_X86_VMX_TDX_SEPT_H */
