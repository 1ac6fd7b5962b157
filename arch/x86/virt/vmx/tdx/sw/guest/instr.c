// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that the CPU does not let a TD execute: what each becomes.
 *
 * The table below has a row for every exit reason that is caused by an
 * instruction.  MSRs are in gmsr.c, control registers in gcr.c, TDCALL in
 * tdcall.c, the values of CPUID in gcpuid.c.
 */
#include "guest/gstate.h"

/* Exit reasons that the kernel has no name for */
#define EXIT_GETSEC	11
#define EXIT_RSM	17
#define EXIT_PCONFIG	65
#define EXIT_LOADIWKEY	69
#define EXIT_ENCLV	70
#define EXIT_ENQCMD	72
#define EXIT_ENQCMDS	73

enum instr_action {
	INSTR_UD,			/* also of what has no row */
	INSTR_GP,
	INSTR_VE,			/* with the qualification of the exit */
	INSTR_CALL,
};

struct instr_row {
	u8 action;
	enum guest_outcome (*fn)(struct tdx_sw_call *c);
};

static enum guest_outcome instr_cpuid(struct tdx_sw_call *c);

#define NR_REASONS	(EXIT_REASON_TDCALL + 1)

static const struct instr_row rows[NR_REASONS] = {
	[EXIT_REASON_CPUID]		= { INSTR_CALL, instr_cpuid },
	[EXIT_GETSEC]			= { INSTR_UD },
	[EXIT_REASON_HLT]		= { INSTR_VE },
	[EXIT_REASON_INVD]		= { INSTR_VE },
	[EXIT_REASON_RDPMC]		= { INSTR_GP },	/* PERFMON is not offered */
	[EXIT_RSM]			= { INSTR_UD },
	[EXIT_REASON_VMCALL]		= { INSTR_VE },
	[EXIT_REASON_VMCLEAR]		= { INSTR_UD },
	[EXIT_REASON_VMLAUNCH]		= { INSTR_UD },
	[EXIT_REASON_VMPTRLD]		= { INSTR_UD },
	[EXIT_REASON_VMPTRST]		= { INSTR_UD },
	[EXIT_REASON_VMREAD]		= { INSTR_UD },
	[EXIT_REASON_VMRESUME]		= { INSTR_UD },
	[EXIT_REASON_VMWRITE]		= { INSTR_UD },
	[EXIT_REASON_VMOFF]		= { INSTR_UD },
	[EXIT_REASON_VMON]		= { INSTR_UD },
	[EXIT_REASON_CR_ACCESS]		= { INSTR_CALL, gcr_access },
	[EXIT_REASON_IO_INSTRUCTION]	= { INSTR_VE },
	[EXIT_REASON_MSR_READ]		= { INSTR_CALL, gmsr_read },
	[EXIT_REASON_MSR_WRITE]		= { INSTR_CALL, gmsr_write },
	/* These two exit only from TDs without MONITOR in their CPUID. */
	[EXIT_REASON_MWAIT_INSTRUCTION]	= { INSTR_UD },
	[EXIT_REASON_MONITOR_INSTRUCTION] = { INSTR_UD },
	[EXIT_REASON_INVEPT]		= { INSTR_UD },
	[EXIT_REASON_INVVPID]		= { INSTR_UD },
	[EXIT_REASON_WBINVD]		= { INSTR_VE },
	[EXIT_REASON_XSETBV]		= { INSTR_CALL, gcr_xsetbv },
	/* Like a trap: the write to the virtual APIC has been done. */
	[EXIT_REASON_APIC_WRITE]	= { INSTR_VE },
	[EXIT_REASON_VMFUNC]		= { INSTR_UD },
	[EXIT_REASON_ENCLS]		= { INSTR_UD },
	[EXIT_PCONFIG]			= { INSTR_VE },
	/* WAITPKG and Key Locker are not offered, or the CPU would not exit. */
	[EXIT_REASON_UMWAIT]		= { INSTR_UD },
	[EXIT_REASON_TPAUSE]		= { INSTR_UD },
	[EXIT_LOADIWKEY]		= { INSTR_UD },
	[EXIT_ENCLV]			= { INSTR_UD },
	[EXIT_ENQCMD]			= { INSTR_GP },
	[EXIT_ENQCMDS]			= { INSTR_UD },
	[EXIT_REASON_SEAMCALL]		= { INSTR_UD },
	[EXIT_REASON_TDCALL]		= { INSTR_CALL, guest_tdcall },
};

static void set32(u64 *reg, u32 value)
{
	*reg = value;
}

static enum guest_outcome instr_cpuid(struct tdx_sw_call *c)
{
	u64 *gpr = c->vcpu->guest.gpr;
	struct seam_cpuid val;

	if (!cpuid_guest(c, gpr[GPR_RAX], gpr[GPR_RCX], &val))
		return guest_instruction_ve(c, 0);

	set32(&gpr[GPR_RAX], val.eax);
	set32(&gpr[GPR_RBX], val.ebx);
	set32(&gpr[GPR_RCX], val.ecx);
	set32(&gpr[GPR_RDX], val.edx);
	return guest_done(c);
}

/**
 * guest_instruction() - Do what an instruction that exited does in a TD
 * @c: call with the exit in c->exit
 *
 * Return: whether the guest goes on.
 */
enum guest_outcome guest_instruction(struct tdx_sw_call *c)
{
	static const struct instr_row unknown = { INSTR_UD };
	u16 reason = c->exit.reason;
	const struct instr_row *row = reason < NR_REASONS ? &rows[reason] : &unknown;

	switch (row->action) {
	case INSTR_CALL:
		return row->fn(c);
	case INSTR_VE:
		return guest_instruction_ve(c, c->exit.qual);
	case INSTR_GP:
		return guest_gp(c);
	default:
		return guest_ud(c);
	}
}

/**
 * guest_undefined_opcode() - Look what caused a #UD
 * @c: call with the exit in c->exit
 *
 * A CPU without SEAM does not know TDCALL, which is all that the module asks for
 * in the guest's code.  Whatever the guest's page tables say by now, the CPU did
 * fetch something undefined there, so a #UD is never wrong.
 *
 * Return: whether the guest goes on.
 */
enum guest_outcome guest_undefined_opcode(struct tdx_sw_call *c)
{
	static const u8 tdcall[] = { 0x66, 0x0f, 0x01, 0xcc };
	struct gmem_fault fault;

	switch (gmem_is_instruction(c, tdcall, sizeof(tdcall), &fault)) {
	case GMEM_EPT_VIOLATION:
		return guest_ept_violation(c, fault.gpa, fault.qual, guest_vmread(GUEST_RIP));
	case GMEM_OK:
		c->exit.instr_len = sizeof(tdcall);
		return guest_tdcall(c);
	default:
		return guest_ud(c);
	}
}
