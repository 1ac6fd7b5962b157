// SPDX-License-Identifier: GPL-2.0-only
/*
 * What running the guest took, for people to read: exits by reason, TDVMCALLs,
 * SEAMCALLs by leaf, conversions.  KVM's counters come from debugfs, and are left
 * out where there is none.
 */
#include <stdio.h>

#include "test_util.h"
#include "kvm_util.h"
#include "tdx.h"
#include "tdx_linux.h"

#define COLUMNS			3

static int column;

static void show(const char *name, uint64_t val)
{
	if (!val)
		return;
	printf("%s%-20s%7lu", column % COLUMNS ? "  " : "   ", name, val);
	if (++column % COLUMNS == 0)
		printf("\n");
}

static void finish(void)
{
	if (column % COLUMNS)
		printf("\n");
	column = 0;
}

static FILE *open_vm_file(struct kvm_vm *vm, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(),
		 vm->fd, name);
	return fopen(path, "r");
}

/* Lines that end in a name and a count. */
static void show_counters(struct kvm_vm *vm, const char *title, const char *name)
{
	FILE *f = open_vm_file(vm, name);
	char line[128], word[64];
	uint64_t val;

	if (!f)
		return;
	printf("%s\n", title);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*u %63s %lu", word, &val) == 2 ||
		    sscanf(line, "%63s %lu", word, &val) == 2)
			show(word, val);
	}
	fclose(f);
	finish();
}

/* Of all vCPUs together. */
static void show_vcpu_stat(struct kvm_vm *vm, const char *text, const char *name)
{
	FILE *f = open_vm_file(vm, name);
	uint64_t val;

	if (!f)
		return;
	if (fscanf(f, "%lu", &val) == 1)
		show(text, val);
	fclose(f);
}

static void show_stat(struct kvm_vm *vm, const char *text, const char *name)
{
	uint64_t val = 0;

	__vm_get_stat(vm, name, &val, 1);
	show(text, val);
}

void tdx_linux_show_stats(struct tdx_linux *td)
{
	const struct tdx_linux_counts *counts = &td->counts;
	int i;

	show_counters(td->vm, "Exits from the TD, by reason", "tdx_exits");
	show_counters(td->vm, "TDVMCALLs", "tdx_vmcalls");
	printf("Exits to user space, by reason\n");
	for (i = 0; i < ARRAY_SIZE(counts->exits); i++)
		show(i == KVM_EXIT_TDX ? "TDX" : exit_reason_str(i),
		     counts->exits[i]);
	finish();
	show_counters(td->vm, "SEAMCALLs, by leaf", "tdx_seamcalls");
	printf("Faults\n");
	show_vcpu_stat(td->vm, "taken", "pf_taken");
	show_vcpu_stat(td->vm, "fixed", "pf_fixed");
	show_vcpu_stat(td->vm, "fixed meanwhile", "pf_spurious");
	finish();
	printf("Private pages\n");
	show_stat(td->vm, "mapped", "tdx_pages_mapped");
	show_stat(td->vm, "2 MiB mapped", "tdx_pages_mapped_2m");
	show_stat(td->vm, "2 MiB split", "tdx_splits");
	show_stat(td->vm, "tables", "tdx_sept_pages");
	show_stat(td->vm, "removed", "tdx_pages_removed");
	show("converted to shared", counts->to_shared);
	show("converted to private", counts->to_private);
	show("... by touching them", counts->implicit);
	show_stat(td->vm, "TRACK rounds", "tdx_track_rounds");
	finish();
}
