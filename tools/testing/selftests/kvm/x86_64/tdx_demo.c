// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a TD's private memory, for people to read: each step goes through
 * KVM's ioctls, and shows the SEAMCALLs by leaf that it led to.  Not a test of
 * corner cases, but it does check what it shows.  The last line is PASS, or FAIL
 * with the reason.
 */
#include <sys/stat.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"
#include "tdx_mrtd.h"

#define GPA		TDX_TEST_GPA
#define SIZE		SZ_16M
#define NR_PAGES	((int)(SIZE / PAGE_SIZE))
#define CONVERT_SIZE	SZ_8M
#define PUNCH_SIZE	SZ_1M
#define NR_CONVERTED	((int)(CONVERT_SIZE / PAGE_SIZE))
#define NR_LEFT		(NR_PAGES - NR_CONVERTED - (int)(PUNCH_SIZE / PAGE_SIZE))
#define BATCH		512
#define COLUMNS		3

static struct tdx_counters last;
static int nr_steps;
static bool passed;

static void __noreturn __printf(1, 2) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("\nFAIL: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	_exit(1);
}

/* The helpers exit when an ioctl fails; they have said why on stderr. */
static void on_exit_early(void)
{
	if (!passed)
		fail("a KVM ioctl did not do what it should, see above");
}

#define check(cond, fmt, ...)			\
do {						\
	if (!(cond))				\
		fail(fmt, ##__VA_ARGS__);	\
} while (0)

static void __printf(1, 2) step(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("\n%d. ", ++nr_steps);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

/* Print what changed since the last step. */
static void show_seamcalls(const struct tdx_counters *now)
{
	int i, n = 0;
	uint64_t diff;

	for (i = 0; i < now->nr; i++) {
		diff = now->c[i].val - tdx_counter(&last, now->c[i].name);
		if (!diff)
			continue;
		printf("%s%-20s%4lu", n % COLUMNS ? "  " : "   ", now->c[i].name,
		       diff);
		if (++n % COLUMNS == 0)
			printf("\n");
	}
	if (n % COLUMNS)
		printf("\n");
	last = *now;
}

static void show_vm_seamcalls(struct kvm_vm *vm)
{
	struct tdx_counters now;

	tdx_vm_counters(vm, &now);
	show_seamcalls(&now);
}

static void show_mapped(struct kvm_vm *vm, uint64_t want)
{
	uint64_t small = vm_get_stat(vm, "pages_4k"), large = vm_get_stat(vm, "pages_2m");
	uint64_t mapped = small + large * (SZ_2M / PAGE_SIZE);

	printf("   private memory mapped: %lu pages of 2 MiB, %lu of 4 KiB\n", large, small);
	check(mapped == want, "%lu pages mapped instead of %lu", mapped, want);
}

/* Messages of the boot, without the time stamps. */
static void show_kernel_messages(void)
{
	char line[512], *text;
	int fd, n, shown = 0;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return;
	while (shown < 12 && (n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		strtok(line, "\n");
		text = strchr(line, ';');
		if (!text || !strstr(text, "tdx: "))
			continue;
		printf("   %.74s\n", text + 1);
		shown++;
	}
	close(fd);
}

static struct tdx_usage show_usage(void)
{
	struct tdx_usage usage;

	tdx_usage(&usage);
	printf("   key IDs in use: %lu of %lu, pages leaked: %lu\n", usage.keyids,
	       usage.keyids_total, usage.leaked);
	return usage;
}

/* One more if a page of 2 MiB was split for it, or a table came free. */
static void check_rounds(uint64_t rounds, uint64_t pages, uint64_t yields)
{
	uint64_t most = (pages + BATCH - 1) / BATCH + 1 + yields;

	printf("   TRACK rounds: %lu for %lu pages, forced yields: %lu\n", rounds,
	       pages, yields);
	check(rounds <= most, "%lu TRACK rounds where %lu suffice", rounds, most);
}

static void add_initial_image(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	void *image = aligned_alloc(PAGE_SIZE, TDX_IMAGE_NR_PAGES * PAGE_SIZE);

	tdx_fill_image(image);
	tdx_init_mem_region(vcpu, image, GPA, TDX_IMAGE_NR_PAGES, true);
	free(image);
	show_vm_seamcalls(vm);
	show_mapped(vm, TDX_IMAGE_NR_PAGES);
}

static void show_measurement(struct kvm_vm *vm)
{
	char hex[2 * TDX_MRTD_SIZE + 1];
	uint8_t mrtd[TDX_MRTD_SIZE];

	check(tdx_has_mrtd(vm), "this kernel does not show MRTD");
	tdx_vm_mrtd(vm, mrtd);
	tdx_mrtd_to_hex(mrtd, hex);
	printf("   MRTD: %.48s\n         %s\n", hex, hex + 48);
	check(!strcmp(hex, TDX_MRTD_MEASURED), "MRTD should be %s",
	      TDX_MRTD_MEASURED);
	printf("   equal to the value computed with sha384sum\n");
}

static void remove_and_show(struct kvm_vm *vm, uint64_t size, bool punch,
			    uint64_t left)
{
	uint64_t rounds = tdx_vm_count(vm, TDX_LEAF_TRACK);
	uint64_t yields = tdx_vm_forced_yields(vm);

	if (punch)
		vm_guest_mem_punch_hole(vm, GPA + CONVERT_SIZE, size);
	else
		vm_mem_set_shared(vm, GPA, size);
	show_vm_seamcalls(vm);
	check_rounds(tdx_vm_count(vm, TDX_LEAF_TRACK) - rounds, size / PAGE_SIZE,
		     tdx_vm_forced_yields(vm) - yields);
	show_mapped(vm, left);
}

/* A TD's own counters go with it, into those of all TDs that are gone. */
static void destroy(struct kvm_vm *vm)
{
	struct tdx_counters before, after;
	int i;

	tdx_vm_counters(vm, &last);
	tdx_host_counters(&before);
	kvm_vm_free(vm);
	tdx_host_counters(&after);

	for (i = 0; i < after.nr; i++)
		after.c[i].val -= tdx_counter(&before, after.c[i].name);
	show_seamcalls(&after);
}

int main(int argc, char *argv[])
{
	struct tdx_usage before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	setvbuf(stdout, NULL, _IOLBF, 0);
	atexit(on_exit_early);
	tdx_prefer_this_task();
	check(kvm_has_tdx(), "KVM offers no TDX VMs here");

	step("The TDX module is initialized");
	show_kernel_messages();
	printf("   guest physical width: %u bits, shared bit: %d\n",
	       tdx_gpa_width(), tdx_gpa_width() - 1);
	before = show_usage();

	step("A TD is created: %d MiB of guest_memfd, one vCPU", SIZE / SZ_1M);
	vm = tdx_vm_create_with_vcpu(NR_PAGES, &vcpu);
	show_vm_seamcalls(vm);
	show_usage();

	step("The initial image, %d pages, is added and measured", TDX_IMAGE_NR_PAGES);
	add_initial_image(vm, vcpu);

	step("The TD is finalized: its measurement is complete");
	tdx_vm_finalize(vm);
	show_vm_seamcalls(vm);
	show_measurement(vm);

	step("The other %d pages are augmented, most of them by 2 MiB (KVM_PRE_FAULT_MEMORY)",
	     NR_PAGES - TDX_IMAGE_NR_PAGES);
	tdx_pre_fault(vcpu, GPA, SIZE);
	show_vm_seamcalls(vm);
	show_mapped(vm, NR_PAGES);

	step("%d MiB are converted to shared", CONVERT_SIZE / SZ_1M);
	remove_and_show(vm, CONVERT_SIZE, false, NR_PAGES - NR_CONVERTED);

	step("A hole of %d MiB is punched into the guest_memfd", PUNCH_SIZE / SZ_1M);
	remove_and_show(vm, PUNCH_SIZE, true, NR_LEFT);

	step("The TD is destroyed, with %d pages still mapped", NR_LEFT);
	destroy(vm);
	after = show_usage();
	check(after.keyids == before.keyids, "a key ID did not come back");
	check(after.pages == before.pages, "%ld pages did not come back",
	      after.pages - before.pages);
	check(after.leaked == before.leaked, "%lu pages leaked",
	      after.leaked - before.leaked);

	printf("   all key IDs and pages returned\n");

	passed = true;
	printf("\nPASS\n");
	return 0;
}
