// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's way in: the table of guest leaves, the dispatcher, and the leaves
 * that deal with the vCPU itself.
 *
 * A leaf checks everything and then commits, as those of the host do.  Its locks
 * are held only while it runs, and a lock that the host wants is the host's
 * (base/lock.h).  A leaf whose memory operand the guest cannot reach has not been
 * executed: the guest comes back to it when the host, or the guest's #VE handler,
 * has dealt with the page.
 */
#include <asm/tsc.h>

#include "guest/gstate.h"
#include "guest/tdcall.h"

/* ---- leaves ---- */

/* Registers that TDG.VP.VMCALL never passes: RAX, RCX, RSP. */
#define VMCALL_NEVER	(BIT_ULL(GPR_RAX) | BIT_ULL(GPR_RCX) | BIT_ULL(GPR_RSP) |	\
			 GENMASK_ULL(63, 32))

static u64 tdg_vp_vmcall(struct tdcall *t)
{
	u64 never = VMCALL_NEVER;

	if (t->c->tdcs->config_flags & TD_FLAG_NO_RBP_MOD)
		never |= BIT_ULL(GPR_RBP);
	if (t->rcx & never)
		return tdcall_invalid(OPERAND_RCX);

	/* The host's answer is all that is left to do when the guest goes on. */
	guest_skip_instruction(t->c);
	return tdcall_leave(t, guest_exit_vmcall(t->c, t->rcx));
}

#define INFO_SYS_RD	BIT_ULL(0)

static u64 tdg_vp_info(struct tdcall *t)
{
	const struct tdx_sw_tdcs *tdcs = t->c->tdcs;
	u64 *gpr = t->gpr;

	gpr[GPR_RCX] = tdx_sw_config.gpa_width;
	gpr[GPR_RDX] = tdcs->attributes;
	gpr[GPR_R8] = tdcs->num_vcpus | (u64)tdcs->max_vcpus << 32;
	gpr[GPR_R9] = t->vcpu->index;
	gpr[GPR_R10] = INFO_SYS_RD;
	gpr[GPR_R11] = 0;
	return SEAM_SUCCESS;
}

static u64 tdg_vp_veinfo_get(struct tdcall *t)
{
	struct tdx_sw_ve_info *ve = &t->vcpu->guest.ve;
	bool valid = ve->valid;
	u64 *gpr = t->gpr;

	if (!valid)
		*ve = (struct tdx_sw_ve_info) {};
	gpr[GPR_RCX] = ve->reason;
	gpr[GPR_RDX] = ve->qual;
	gpr[GPR_R8] = ve->gla;
	gpr[GPR_R9] = ve->gpa;
	gpr[GPR_R10] = ve->instr_len | (u64)ve->instr_info << 32;
	ve->valid = 0;
	return valid ? SEAM_SUCCESS : SEAM_NO_VALID_VE_INFO;
}

static u64 tdg_vp_cpuidve_set(struct tdcall *t)
{
	if (t->rcx & ~(u64)(CPUID_VE_SUPERVISOR | CPUID_VE_USER))
		return tdcall_invalid(OPERAND_RCX);

	WRITE_ONCE(t->vcpu->guest.cpuid_ve, t->rcx);
	return SEAM_SUCCESS;
}

/* ---- dispatch ---- */

struct tdcall_leaf {
	u16 nr;
	u8 max_version;
	u64 (*fn)(struct tdcall *t);
};

/*
 * Leaves of features that are not enumerated (service TDs, partitioning) have no
 * row.
 */
static const struct tdcall_leaf leaves[] = {
	{ SEAM_TDG_VP_VMCALL, 0, tdg_vp_vmcall },
	{ SEAM_TDG_VP_INFO, 0, tdg_vp_info },
	{ SEAM_TDG_MR_RTMR_EXTEND, 0, tdg_mr_rtmr_extend },
	{ SEAM_TDG_VP_VEINFO_GET, 0, tdg_vp_veinfo_get },
	{ SEAM_TDG_MR_REPORT, 0, tdg_mr_report },
	{ SEAM_TDG_VP_CPUIDVE_SET, 0, tdg_vp_cpuidve_set },
	{ SEAM_TDG_MEM_PAGE_ACCEPT, 0, tdg_mem_page_accept },
	{ SEAM_TDG_VM_RD, 1, tdg_vm_rd },
	{ SEAM_TDG_VM_WR, 0, tdg_vm_wr },
	{ SEAM_TDG_VP_RD, 0, tdg_vp_rd },
	{ SEAM_TDG_VP_WR, 0, tdg_vp_wr },
	{ SEAM_TDG_SYS_RD, 0, tdg_sys_rd },
	{ SEAM_TDG_SYS_RDALL, 0, tdg_sys_rdall },
	{ SEAM_TDG_MR_VERIFYREPORT, 0, tdg_mr_verifyreport },
	{ SEAM_TDG_MEM_PAGE_ATTR_RD, 0, tdg_mem_page_attr_rd },
	{ SEAM_TDG_MEM_PAGE_ATTR_WR, 0, tdg_mem_page_attr_wr },
};

static const struct tdcall_leaf *find_leaf(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaves[i].nr == nr)
			return &leaves[i];
	}
	return NULL;
}

static u64 run_leaf(struct tdcall *t)
{
	u64 rax = t->gpr[GPR_RAX];
	const struct tdcall_leaf *leaf = find_leaf(rax & SEAM_LEAF_MASK);

	t->version = (rax & SEAM_VERSION_MASK) >> SEAM_VERSION_SHIFT;
	if (rax & ~(SEAM_LEAF_MASK | SEAM_VERSION_MASK) || !leaf ||
	    t->version > leaf->max_version)
		return tdcall_invalid(OPERAND_RAX);
	return leaf->fn(t);
}

/*
 * Host priority: has the guest given way for too long?  The host that left its
 * mark has to come back and take the lock.
 */
static bool is_host_overdue(struct tdcall *t)
{
	struct tdx_sw_guest *guest = &t->vcpu->guest;
	u64 limit = READ_ONCE(t->c->tdcs->hp_lock_timeout);
	u64 now = rdtsc_ordered();

	/* Never 0, which stands for "not waiting". */
	if (!guest->hp_busy_since) {
		guest->hp_busy_since = now | 1;
		return false;
	}
	/* @limit is microseconds, 100 s at most. */
	return now - guest->hp_busy_since > limit * td_host_tsc_khz(t->c->tdcs) / 1000;
}

static enum guest_outcome finish(struct tdcall *t, u64 status)
{
	bool gave_way = (status & SEAM_CODE_MASK) == SEAM_OPERAND_BUSY_HOST_PRIORITY;
	static const struct guest_exit overdue = { .status = SEAM_HOST_PRIORITY_BUSY_TIMEOUT };

	/* The guest is not told who keeps it waiting. */
	if (gave_way)
		status = SEAM_OPERAND_BUSY | lower_32_bits(status);
	t->gpr[GPR_RAX] = status;
	guest_skip_instruction(t->c);

	if (gave_way && is_host_overdue(t)) {
		t->vcpu->guest.hp_busy_since = 0;
		return guest_exit(t->c, &overdue);
	}
	if (!gave_way)
		t->vcpu->guest.hp_busy_since = 0;
	return GUEST_RESUME;
}

/**
 * guest_tdcall() - Execute TDCALL
 * @c: call with the exit in c->exit
 *
 * Return: whether the guest goes on.
 */
enum guest_outcome guest_tdcall(struct tdx_sw_call *c)
{
	u64 *gpr = c->vcpu->guest.gpr;
	struct tdcall t = {
		.c = c, .vcpu = c->vcpu, .gpr = gpr, .rcx = gpr[GPR_RCX],
		.rdx = gpr[GPR_RDX], .r8 = gpr[GPR_R8], .r9 = gpr[GPR_R9],
	};
	u64 status;

	if (guest_cpl() || !guest_is_64bit())
		return guest_gp(c);

	status = run_leaf(&t);
	if (status != TDCALL_NO_STATUS)
		return finish(&t, status);
	/* Whatever kept this one from its end, it was not the host's mark. */
	c->vcpu->guest.hp_busy_since = 0;
	return t.outcome;
}
