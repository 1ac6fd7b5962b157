// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of TDX VMs: SEAMCALLs by leaf, what all TDs hold, the measurement.
 * They live in debugfs, below the directory that KVM makes for each VM and
 * beside it, and so need root.  So do failures on request, of the software TDX
 * module.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "test_util.h"
#include "kvm_util.h"
#include "tdx.h"

#define DEBUGFS		"/sys/kernel/debug"

static FILE *open_debugfs(const char *path)
{
	FILE *f = fopen(path, "r");

	/* A minimal user space may not have mounted debugfs. */
	if (!f && access(DEBUGFS "/kvm", F_OK)) {
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
		f = fopen(path, "r");
	}
	return f;
}

static FILE *open_vm_file(struct kvm_vm *vm, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/kvm/%d-%d/%s", getpid(), vm->fd,
		 name);
	return open_debugfs(path);
}

/* Lines of leaf number, name and count, for the leaves called so far. */
static void read_counters(FILE *f, struct tdx_counters *counters)
{
	struct tdx_counter *c;

	counters->nr = 0;
	while (counters->nr < TDX_MAX_COUNTERS) {
		c = &counters->c[counters->nr];
		if (fscanf(f, "%*u %31s %lu", c->name, &c->val) != 2)
			break;
		counters->nr++;
	}
	TEST_ASSERT(feof(f), "tdx_seamcalls is not a list of leaves and counts");
	fclose(f);
}

void tdx_vm_counters(struct kvm_vm *vm, struct tdx_counters *counters)
{
	FILE *f = open_vm_file(vm, "tdx_seamcalls");

	TEST_ASSERT(f, "No tdx_seamcalls in the VM's debugfs directory");
	read_counters(f, counters);
}

void tdx_host_counters(struct tdx_counters *counters)
{
	FILE *f = open_debugfs(DEBUGFS "/kvm/tdx_seamcalls");

	TEST_ASSERT(f, "No tdx_seamcalls in KVM's debugfs directory");
	read_counters(f, counters);
}

uint64_t tdx_counter(const struct tdx_counters *counters, const char *name)
{
	int i;

	for (i = 0; i < counters->nr; i++) {
		if (!strcmp(counters->c[i].name, name))
			return counters->c[i].val;
	}
	return 0;
}

uint64_t tdx_vm_count(struct kvm_vm *vm, const char *leaf)
{
	struct tdx_counters counters;

	tdx_vm_counters(vm, &counters);
	return tdx_counter(&counters, leaf);
}

void tdx_prefer_this_task(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		ksft_print_msg("cannot use SCHED_FIFO: %s\n", strerror(errno));
}

uint64_t tdx_vm_forced_yields(struct kvm_vm *vm)
{
	/* A kernel without the counter never counts one, and so has to do without. */
	uint64_t val = 0;

	__vm_get_stat(vm, "mmu_external_yields", &val, 1);
	return val;
}

static uint64_t read_host_counter(const char *name)
{
	char path[128];
	uint64_t val;
	FILE *f;
	int n;

	snprintf(path, sizeof(path), DEBUGFS "/kvm/%s", name);
	f = open_debugfs(path);
	TEST_ASSERT(f, "Cannot open %s", path);
	n = fscanf(f, "%lu", &val);
	TEST_ASSERT(n == 1, "%s is not a number", path);
	fclose(f);
	return val;
}

void tdx_usage(struct tdx_usage *usage)
{
	usage->keyids = read_host_counter("tdx_keyids_used");
	usage->keyids_total = read_host_counter("tdx_keyids_total");
	usage->leaked = read_host_counter("tdx_leaked_pages");
	usage->pages = read_host_counter("tdx_pages");
}

bool tdx_vm_has_range(struct kvm_vm *vm, const char *range)
{
	FILE *f = open_vm_file(vm, "tdx_memory");
	bool found = false;
	char line[128];

	TEST_ASSERT(f, "tdx_memory: %d", errno);
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		found = !strcmp(line, range);
	}
	fclose(f);
	return found;
}

bool tdx_has_mrtd(struct kvm_vm *vm)
{
	FILE *f = open_vm_file(vm, "tdx_mrtd");

	if (f)
		fclose(f);
	return f;
}

int __tdx_vm_mrtd(struct kvm_vm *vm, uint8_t mrtd[TDX_MRTD_SIZE])
{
	FILE *f = open_vm_file(vm, "tdx_mrtd");
	unsigned int byte;
	int i, ret = 0;

	TEST_ASSERT(f, "No tdx_mrtd in the VM's debugfs directory");
	for (i = 0; i < TDX_MRTD_SIZE && !ret; i++) {
		errno = ENODATA;
		if (fscanf(f, "%2x", &byte) == 1)
			mrtd[i] = byte;
		else
			ret = -errno;
	}
	fclose(f);
	return ret;
}

void tdx_vm_mrtd(struct kvm_vm *vm, uint8_t mrtd[TDX_MRTD_SIZE])
{
	int ret = __tdx_vm_mrtd(vm, mrtd);

	TEST_ASSERT(!ret, "tdx_mrtd: %d", ret);
}

void tdx_mrtd_to_hex(const uint8_t mrtd[TDX_MRTD_SIZE],
		     char hex[2 * TDX_MRTD_SIZE + 1])
{
	int i;

	for (i = 0; i < TDX_MRTD_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", mrtd[i]);
}

unsigned long tdx_kernel_taint(void)
{
	unsigned long taint;
	FILE *f = fopen("/proc/sys/kernel/tainted", "r");
	int n;

	TEST_ASSERT(f, "Cannot open /proc/sys/kernel/tainted");
	n = fscanf(f, "%lu", &taint);
	TEST_ASSERT(n == 1, "The taint flags are not a number");
	fclose(f);
	return taint;
}

int tdx_kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	TEST_ASSERT(fd >= 0, "Cannot open /dev/kmsg");
	TEST_ASSERT(lseek(fd, 0, SEEK_END) >= 0, "Cannot go to the end of /dev/kmsg");
	return fd;
}

/* Each read is a record, and is read once.  Some may have been overwritten. */
bool tdx_kmsg_has(int fd, const char *text)
{
	char record[2048];
	bool found = false;
	ssize_t len;

	do {
		len = read(fd, record, sizeof(record) - 1);
		if (len > 0) {
			record[len] = 0;
			found |= !!strstr(record, text);
		}
	} while (len > 0 || (len < 0 && errno == EPIPE));

	return found;
}

#define TDX_SW_FAULTS	DEBUGFS "/tdx_sw"

void tdx_fault_set(const char *kind, const char *file, uint64_t val)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), TDX_SW_FAULTS "/%s/%s", kind, file);
	f = fopen(path, "w");
	TEST_ASSERT(f, "Cannot open %s", path);
	/* "For ever"; all others are unsigned. */
	if (val == -1ull)
		fprintf(f, "-1\n");
	else
		fprintf(f, "%#lx\n", val);
	TEST_ASSERT(!fclose(f), "Cannot write %s", path);
}

bool tdx_has_faults(const char *kind)
{
	char path[128];

	snprintf(path, sizeof(path), TDX_SW_FAULTS "/%s/probability", kind);
	return !access(path, W_OK);
}

void tdx_fail_leaf(unsigned int leaf, int nth, int times, uint64_t status)
{
	tdx_fault_set("fail_leaf", "verbose", 0);
	tdx_fault_set("fail_leaf", "interval", 1);
	tdx_fault_set("fail_leaf", "leaf", leaf);
	tdx_fault_set("fail_leaf", "status", status);
	tdx_fault_set("fail_leaf", "space", nth);
	tdx_fault_set("fail_leaf", "times", times);
	tdx_fault_set("fail_leaf", "probability", 100);
}

void tdx_fail_nothing(void)
{
	tdx_fault_set("fail_leaf", "probability", 0);
}
