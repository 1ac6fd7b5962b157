/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of the guest as the module reads and writes it on the guest's behalf.
 */
#ifndef _X86_VIRT_TDX_SW_GMEM_H
#define _X86_VIRT_TDX_SW_GMEM_H

#include "guest/guest.h"

/* Bits of an EPT-violation qualification, and kinds of access */
#define GMEM_READ	BIT_ULL(0)
#define GMEM_WRITE	BIT_ULL(1)
#define GMEM_FETCH	BIT_ULL(2)

/* Why an access is not possible: what an EPT violation for it would tell. */
struct gmem_fault {
	u64 gpa;
	u64 qual;
};

enum gmem_result {
	GMEM_OK,
	GMEM_OTHER,		/* not what was looked for */
	GMEM_NOT_MAPPED,	/* by the guest's own page tables */
	GMEM_EPT_VIOLATION,	/* by S-EPT or shared EPT */
};

#define MAX_INSTRUCTION	15

bool gmem_is_shared(u64 gpa);
bool gmem_walk_shared(struct tdx_sw_call *c, u64 gpa, u64 *entry, unsigned int *level);
void *gmem_map(struct tdx_sw_call *c, u64 gpa, u64 access, struct gmem_fault *fault);
enum gmem_result gmem_is_instruction(struct tdx_sw_call *c, const u8 *code, unsigned int len,
				     struct gmem_fault *fault);

#endif
