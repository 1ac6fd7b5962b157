// SPDX-License-Identifier: GPL-2.0
/*
 * What became of the time of all vCPUs, by what they left the guest for; in debugfs,
 * tdx_sw/exits.  A line is an exit reason and, of a TDVMCALL, its leaf (else -): how
 * many, and ticks of the TSC, in the guest before, in the module for the entry and the
 * exit, and on the host until it entered the vCPU again.
 *
 * In an emulator that counts instructions as ticks, these are instructions.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <asm/msr.h>
#include <asm/vmx.h>

#include "gate/gate.h"
#include "guest/guest.h"

/* Of exit reasons, of TDVMCALLs that are named after one, and of those that are not. */
#define NR_REASONS		96
#define FIRST_OWN_VMCALL	0x10000
#define NR_OWN_VMCALLS		16

enum {
	ROW_REASON,
	ROW_VMCALL = ROW_REASON + NR_REASONS,
	ROW_OWN_VMCALL = ROW_VMCALL + NR_REASONS,
	ROW_OTHER_VMCALL = ROW_OWN_VMCALL + NR_OWN_VMCALLS,
	ROW_NO_REASON,			/* found fatal while the guest ran */
	NR_ROWS,
};

struct exit_row {
	u64 nr;
	u64 guest;
	u64 module;
	u64 host;
};

static DEFINE_PER_CPU(struct exit_row[NR_ROWS], rows);

static unsigned int vmcall_row(const struct tdx_sw_regs *regs)
{
	if (regs->r10)
		return ROW_OTHER_VMCALL;
	if (regs->r11 < NR_REASONS)
		return ROW_VMCALL + regs->r11;
	if (regs->r11 - FIRST_OWN_VMCALL < NR_OWN_VMCALLS)
		return ROW_OWN_VMCALL + regs->r11 - FIRST_OWN_VMCALL;
	return ROW_OTHER_VMCALL;
}

static unsigned int exit_row(const struct tdx_sw_call *c, u64 status)
{
	u16 reason = status & REASON_BASIC;

	if ((status & SEAM_ERROR && !reason) || reason >= NR_REASONS)
		return ROW_NO_REASON;
	return reason == EXIT_REASON_TDCALL ? vmcall_row(c->regs) : ROW_REASON + reason;
}

/*
 * The vCPU is still this call's alone, and interrupts are off.  A call that did not get
 * to the guest leaves no trace: it passes as the host's time.
 */
void exits_account(struct tdx_sw_call *c, u64 status)
{
	struct tdx_sw_vcpu *vcpu = c->vcpu;
	struct exit_row *row;
	u64 now = rdtsc();

	if (!c->guest_ticks)
		return;
	if (vcpu->left_tsc)
		__this_cpu_add(rows[vcpu->left_row].host, c->begun - vcpu->left_tsc);

	vcpu->left_tsc = now;
	vcpu->left_row = exit_row(c, status);
	row = this_cpu_ptr(&rows[vcpu->left_row]);
	row->nr++;
	row->guest += c->guest_ticks;
	row->module += now - c->begun - c->guest_ticks;
}

static void show_name(struct seq_file *m, unsigned int nr)
{
	if (nr < ROW_VMCALL)
		seq_printf(m, "%u -", nr - ROW_REASON);
	else if (nr < ROW_OWN_VMCALL)
		seq_printf(m, "%u %u", EXIT_REASON_TDCALL, nr - ROW_VMCALL);
	else if (nr < ROW_OTHER_VMCALL)
		seq_printf(m, "%u %u", EXIT_REASON_TDCALL, nr - ROW_OWN_VMCALL + FIRST_OWN_VMCALL);
	else if (nr == ROW_OTHER_VMCALL)
		seq_printf(m, "%u other", EXIT_REASON_TDCALL);
	else
		seq_puts(m, "none -");
}

static int exits_show(struct seq_file *m, void *v)
{
	unsigned int nr;
	int cpu;

	for (nr = 0; nr < NR_ROWS; nr++) {
		struct exit_row sum = {};

		for_each_possible_cpu(cpu) {
			const struct exit_row *row = per_cpu_ptr(&rows[nr], cpu);

			sum.nr += READ_ONCE(row->nr);
			sum.guest += READ_ONCE(row->guest);
			sum.module += READ_ONCE(row->module);
			sum.host += READ_ONCE(row->host);
		}
		if (!sum.nr)
			continue;
		show_name(m, nr);
		seq_printf(m, " %llu %llu %llu %llu\n", sum.nr, sum.guest, sum.module, sum.host);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(exits);

static int __init exits_init(void)
{
	if (tdx_sw_enabled)
		debugfs_create_file("exits", 0400, tdx_sw_debugfs(), NULL, &exits_fops);
	return 0;
}
device_initcall_sync(exits_init);
