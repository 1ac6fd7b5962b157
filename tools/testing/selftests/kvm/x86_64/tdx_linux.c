// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot a Linux bzImage, with or without an initramfs, as a TD, show its console,
 * and tell how it ended: in one line, and in the exit status.
 *
 *	0	powered off
 *	1	pages or a key ID didn't come back, the quote that -r wants was not
 *		asked for, or the usage was printed
 *	4	there is no TDX
 *	10	rebooted
 *	11	panicked
 *	12	reported a fatal error
 *	13	shut down by a triple fault
 *	14	KVM couldn't go on with it
 *	15	was still running at the time limit
 *	254	the launcher itself failed, see the message
 *
 * The guest's memory, devices and vCPUs are in tdx_linux_*.c.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"
#include "tdx_linux.h"

#define RAM_SLOT		1
#define FW_SLOT			2

/*
 * Reboot after a panic, which ends the launcher, and do so by the register in the
 * ACPI tables: Linux expects EFI where there is hardware-reduced ACPI.  No device
 * needs bounce buffers, for which half of a small guest's memory would be shared.
 */
#define CMDLINE			"console=ttyS0 panic=-1 reboot=acpi swiotlb=2048"

#define KVM_CPUID_FEATURES	0x40000001

static const struct {
	const char *text;
	int status;
} ends[NR_ENDS] = {
	[END_OFF]	= { "powered off", 0 },
	[END_REBOOT]	= { "rebooted", 10 },
	[END_PANIC]	= { "panicked", 11 },
	[END_FATAL]	= { "reported a fatal error", 12 },
	[END_SHUTDOWN]	= { "shut down by a triple fault", 13 },
	[END_ERROR]	= { "could not go on", 14 },
	[END_HUNG]	= { "still ran at the time limit", 15 },
};

struct options {
	struct tdx_linux_files files;
	unsigned int seconds;
	unsigned int mib;
	unsigned int vcpus;
	bool sept_ve;
	bool want_report;
};

static void __noreturn usage(const char *name)
{
	printf("Usage: %s -k bzImage [options]\n"
	       "  -i FILE   initramfs\n"
	       "  -c TEXT   append to the command line, \"" CMDLINE "\"\n"
	       "  -m MIB    memory, %d to %d (128)\n"
	       "  -n COUNT  vCPUs, 1 to %d (1)\n"
	       "  -t SEC    time limit (300)\n"
	       "  -v        pages that aren't accepted raise #VE, which Linux refuses\n"
	       "  -r        fail unless the guest asks for a quote, of the right MRTD\n",
	       name, MIN_RAM / SZ_1M, MAX_RAM / SZ_1M, MAX_VCPUS);
	exit(KSFT_FAIL);
}

static void parse_options(int argc, char *argv[], struct options *o)
{
	int opt;

	while ((opt = getopt(argc, argv, "k:i:c:m:n:t:vr")) != -1) {
		switch (opt) {
		case 'k':
			o->files.kernel = optarg;
			break;
		case 'i':
			o->files.initrd = optarg;
			break;
		case 'c':
			o->files.cmdline = strdup_printf("%s %s", o->files.cmdline,
							 optarg);
			break;
		case 'm':
			o->mib = atoi_positive("Memory in MiB", optarg);
			break;
		case 'n':
			o->vcpus = atoi_positive("Number of vCPUs", optarg);
			break;
		case 't':
			o->seconds = atoi_positive("Seconds", optarg);
			break;
		case 'v':
			o->sept_ve = true;
			break;
		case 'r':
			o->want_report = true;
			break;
		default:
			usage(argv[0]);
		}
	}
	if (!o->files.kernel || optind < argc || o->vcpus > MAX_VCPUS ||
	    o->mib < MIN_RAM / SZ_1M || o->mib > MAX_RAM / SZ_1M)
		usage(argv[0]);
}

/* Of KVM's paravirtual features, those that a TD can use. */
static void set_vcpu_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *entry;

	entry = vcpu_get_cpuid_entry(vcpu, KVM_CPUID_FEATURES);
	entry->eax &= BIT(KVM_FEATURE_NOP_IO_DELAY);
	vcpu_set_cpuid(vcpu);
}

static void add_image(struct tdx_linux *td)
{
	const struct tdx_linux_piece *piece;
	int i;

	for (i = 0; i < td->image.nr_pieces; i++) {
		piece = &td->image.pieces[i];
		printf("   %#10lx %6lu pages  %s\n", piece->gpa, piece->npages,
		       piece->name);
		tdx_init_mem_region(td->vcpus[0], piece->mem, piece->gpa,
				    piece->npages, true);
		free(piece->mem);
	}
}

static void show_measurement(struct tdx_linux *td)
{
	char hex[2 * TDX_MRTD_SIZE + 1];

	if (!tdx_has_mrtd(td->vm))
		return;
	kvm_static_assert(sizeof(td->mrtd) == TDX_MRTD_SIZE);
	tdx_vm_mrtd(td->vm, td->mrtd);
	tdx_mrtd_to_hex(td->mrtd, hex);
	printf("MRTD %s\n", hex);
}

static void enable_sept_ve(struct kvm_tdx_init_vm *args)
{
	args->attributes &= ~TDX_ATTR_SEPT_VE_DISABLE;
}

static void create(struct tdx_linux *td, bool sept_ve)
{
	int i;

	td->vm = tdx_vm_create();
	i = vm_check_cap(td->vm, KVM_CAP_MAX_VCPUS);
	TEST_ASSERT(td->image.nr_vcpus <= i, "KVM allows no more than %d vCPUs", i);
	tdx_vm_mem_add(td->vm, 0, RAM_SLOT, td->image.ram / PAGE_SIZE);
	tdx_vm_mem_add(td->vm, FW_BASE, FW_SLOT, FW_NR_PAGES);
	tdx_vm_init_with(td->vm, sept_ve ? enable_sept_ve : NULL);
	for (i = 0; i < td->image.nr_vcpus; i++) {
		td->vcpus[i] = tdx_vcpu_add(td->vm, i);
		set_vcpu_cpuid(td->vcpus[i]);
		tdx_vcpu_init(td->vcpus[i], 0);
	}
	printf("TD with %lu MiB and %d vCPU%s; measured, in this order:\n",
	       td->image.ram / SZ_1M, td->image.nr_vcpus,
	       td->image.nr_vcpus > 1 ? "s" : "");
	add_image(td);
	tdx_vm_finalize(td->vm);
	show_measurement(td);
}

/* Without debugfs nobody knows what TDs hold. */
static bool has_usage(void)
{
	return !access("/sys/kernel/debug/kvm/tdx_keyids_used", R_OK);
}

/* False if the TD left something behind. */
static bool destroy(struct tdx_linux *td, const struct tdx_usage *before)
{
	struct tdx_usage after;

	if (tdx_vm_is_dead(td->vm))
		tdx_vm_free_dead(td->vm);
	else
		kvm_vm_free(td->vm);
	if (!has_usage())
		return true;
	tdx_usage(&after);
	printf("Key IDs in use %lu of %lu, pages returned: %s, leaked %lu\n",
	       after.keyids, after.keyids_total,
	       after.pages == before->pages ? "all" : "NOT ALL", after.leaked);
	return after.keyids == before->keyids && after.pages == before->pages &&
	       after.leaked == before->leaked;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
	struct options o = {
		.files.cmdline = CMDLINE,
		.seconds = 300,
		.mib = 128,
		.vcpus = 1,
	};
	static struct tdx_linux td = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
	};
	struct tdx_usage before = {};
	double start = now();
	enum tdx_linux_end end;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_options(argc, argv, &o);
	TEST_REQUIRE(kvm_has_tdx());
	td.image.ram = o.mib * (uint64_t)SZ_1M;
	td.image.nr_vcpus = o.vcpus;
	tdx_linux_build_image(&td.image, &o.files);

	if (has_usage())
		tdx_usage(&before);
	create(&td, o.sept_ve);
	end = tdx_linux_run(&td, o.seconds);
	printf("The guest %s, after %.1f s\n", ends[end].text, now() - start);
	if (td.reported)
		printf("Its TDREPORT has the MRTD above\n");
	if (!tdx_vm_is_dead(td.vm))
		tdx_linux_show_stats(&td);
	if (!destroy(&td, &before))
		return KSFT_FAIL;
	if (end != END_OFF)
		return ends[end].status;
	return o.want_report && !td.reported ? KSFT_FAIL : KSFT_PASS;
}
