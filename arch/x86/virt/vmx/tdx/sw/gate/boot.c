// SPDX-License-Identifier: GPL-2.0
/*
 * The platform that the software module pretends to find: the kernel
 * parameter, key IDs, convertible memory, and what is set aside at boot for
 * calls that may not allocate.
 *
 *	tdx_sw=on[,width=W][,keyids=N][,novmx]
 *
 * W is the width of guest physical addresses, 40 to 48: by default that of the
 * CPU's physical addresses, 48 at most.  N counts the TDX key IDs, the global
 * one included.  "novmx" lets SEAMCALLs outside VMX operation pass, as they do
 * where the CPU has no VMX: host bring-up and every leaf but a successful
 * TDH.VP.ENTER need none, and KUnit runs them in emulators without VMX.
 *
 * Anything else is refused with one line, and the module stays off.
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/panic.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <kunit/visibility.h>

#include "run/run.h"

#define DEFAULT_KEYIDS	16
#define MIN_WIDTH	40
#define MAX_WIDTH	48

/* Tested beside the SEAMCALL instruction. */
bool tdx_sw_enabled __ro_after_init;
struct tdx_sw_config tdx_sw_config __ro_after_init;

static struct tdx_sw_state main_state;
struct tdx_sw_state *tdx_sw = &main_state;

static struct tdx_sw_scratch * __percpu *scratch __ro_after_init;
static DEFINE_PER_CPU(u64, tsc_adjust);
static atomic64_t random_count;

static bool wanted __initdata;
static bool no_vmx __initdata;
static unsigned int want_width __initdata;
static unsigned int want_keyids __initdata = DEFAULT_KEYIDS;

static int __init parse_option(char *opt)
{
	if (!strcmp(opt, "novmx")) {
		no_vmx = true;
		return 0;
	}
	if (strstarts(opt, "width="))
		return kstrtouint(opt + strlen("width="), 0, &want_width);
	if (strstarts(opt, "keyids="))
		return kstrtouint(opt + strlen("keyids="), 0, &want_keyids);
	return -EINVAL;
}

static int __init parse_tdx_sw(char *arg)
{
	char *opt;

	if (!arg)
		arg = "";
	if (!strcmp(arg, "off"))
		return 0;

	opt = strsep(&arg, ",");
	wanted = !strcmp(opt, "on");
	while (wanted && (opt = strsep(&arg, ",")))
		wanted = !parse_option(opt);

	if (!wanted)
		pr_err("\"%s\" not understood, the module stays off\n", opt);
	return 0;
}
early_param("tdx_sw", parse_tdx_sw);

/* Memory that can become a TD's: what the host takes for TDX-usable, too. */
static bool __init collect_cmrs(void)
{
	struct seam_cmr *last = NULL;
	unsigned long start, end;
	int i;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, NULL) {
		/* The host does not take the first 1 MiB either. */
		start = max_t(unsigned long, start, PHYS_PFN(SZ_1M));
		if (start >= end)
			continue;
		if (last && last->base + last->size == PFN_PHYS(start)) {
			last->size += PFN_PHYS(end - start);
			continue;
		}
		if (main_state.nr_cmrs == SEAM_NR_CMRS)
			return false;
		last = &main_state.cmrs[main_state.nr_cmrs++];
		last->base = PFN_PHYS(start);
		last->size = PFN_PHYS(end - start);
	}
	return true;
}

static bool __init check_platform(unsigned int phys_bits, unsigned int width)
{
	unsigned int keyids = want_keyids;

	if (width < MIN_WIDTH || width > MAX_WIDTH ||
	    (boot_cpu_has(X86_FEATURE_VMX) && width > phys_bits)) {
		pr_err("guest physical width %u not supported, the module stays off\n", width);
		return false;
	}
	/* The table of key IDs has an entry for key ID 0, which is no TDX one. */
	if (keyids < 2 || keyids >= SEAM_KOT_SIZE) {
		pr_err("%u key IDs not supported, the module stays off\n", keyids);
		return false;
	}
	if (topology_max_packages() > SEAM_MAX_PACKAGES) {
		pr_err("%u packages not supported, the module stays off\n",
		       topology_max_packages());
		return false;
	}
	if (!collect_cmrs()) {
		pr_err("memory in more than %u pieces, the module stays off\n", SEAM_NR_CMRS);
		return false;
	}
	return true;
}

/**
 * tdx_sw_keyid_partitioning() - Answer IA32_MKTME_KEYID_PARTITIONING
 * @err: result of reading the MSR; 0 if the module is on
 * @nr_mktme_keyids: low half
 * @nr_tdx_keyids: high half
 *
 * The first question that the host asks about TDX, so also the point where the
 * module comes on.  Changes nothing unless it was asked for.
 */
void __init tdx_sw_keyid_partitioning(int *err, u32 *nr_mktme_keyids, u32 *nr_tdx_keyids)
{
	struct tdx_sw_config *cfg = &tdx_sw_config;
	unsigned int phys_bits = boot_cpu_data.x86_phys_bits;
	unsigned int bits, width;

	if (!wanted)
		return;

	width = want_width ?: min_t(unsigned int, phys_bits, MAX_WIDTH);
	if (!check_platform(phys_bits, width))
		return;

	bits = fls(want_keyids);
	cfg->first_hkid = 1;
	cfg->nr_hkids = want_keyids;
	cfg->hkid_shift = phys_bits;
	cfg->hkid_mask = GENMASK_ULL(phys_bits + bits - 1, phys_bits);
	cfg->maxpa = max_t(u32, SEAM_MAXPA, phys_bits + bits);
	cfg->gpa_width = width;
	cfg->need_vmx = boot_cpu_has(X86_FEATURE_VMX) && !no_vmx;
	cfg->seed = get_random_u64();

	*err = 0;
	*nr_mktme_keyids = 0;
	*nr_tdx_keyids = want_keyids;
	tdx_sw_enabled = true;

	add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
	pr_warn("software TDX module on: TDs are NOT protected, guest physical width %u\n",
		width);
}

/* Later than the hash algorithms, earlier than anybody who calls the module. */
static int __init set_aside(void)
{
	unsigned int cpu;

	if (!tdx_sw_enabled)
		return 0;

	scratch = alloc_percpu(struct tdx_sw_scratch *);
	if (!scratch)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		/* Whole pages: extended state in there wants its alignment. */
		struct tdx_sw_scratch *mem = kvzalloc(PAGE_ALIGN(sizeof(*mem)), GFP_KERNEL);

		if (!mem)
			return -ENOMEM;
		*per_cpu_ptr(scratch, cpu) = mem;
	}

	vmx_setup();
	switch_setup();
	tdx_sw_config.ready = !measure_setup();
	return 0;
}
fs_initcall(set_aside);

bool tdx_sw_is_on(void)
{
	return tdx_sw_enabled;
}
EXPORT_SYMBOL_IF_KUNIT(tdx_sw_is_on);

unsigned int tdx_sw_package(unsigned int cpu)
{
	if (tdx_sw->fake_packages)
		return cpu % tdx_sw->fake_packages;
	return topology_logical_package_id(cpu);
}

struct tdx_sw_scratch *tdx_sw_scratch(void)
{
	return *this_cpu_ptr(scratch);
}

static u64 mix(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Unpredictable enough for what is not protected anyway, and never waits. */
u64 tdx_sw_random(void)
{
	u64 step = atomic64_inc_return(&random_count);

	return mix(tdx_sw_config.seed + step * 0x9e3779b97f4a7c15ULL);
}

/* Leave in a page what reading it with another key would show: noise, never 0. */
void tdx_sw_scramble(u64 pa)
{
	u64 *word = tdx_sw_map(pa), x = tdx_sw_random();
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		x += 0x9e3779b97f4a7c15ULL;
		word[i] = mix(x) | 1;
	}
}

/* 0 where the CPU has no such register. */
u64 tdx_sw_read_msr(u32 msr)
{
	u32 low, high;
	u64 fake;

	if (tdx_sw_fake_rdmsr(msr, &fake))
		return fake;
	if (rdmsr_safe(msr, &low, &high))
		return 0;
	return low | (u64)high << 32;
}

/* One that the CPU has. */
void tdx_sw_write_msr(u32 msr, u64 value)
{
	if (!tdx_sw_fake_wrmsr(msr, value))
		native_write_msr(msr, lower_32_bits(value), upper_32_bits(value));
}

void tdx_sw_record_tsc_adjust(void)
{
	__this_cpu_write(tsc_adjust, tdx_sw_read_msr(MSR_IA32_TSC_ADJUST));
}

bool tdx_sw_tsc_adjust_changed(void)
{
	return tdx_sw_read_msr(MSR_IA32_TSC_ADJUST) != __this_cpu_read(tsc_adjust);
}

bool tdx_sw_cpuid_is_limited(void)
{
	return tdx_sw_read_msr(MSR_IA32_MISC_ENABLE) & MSR_IA32_MISC_ENABLE_LIMIT_CPUID;
}

bool tdx_sw_in_vmx_root(void)
{
	return !tdx_sw_config.need_vmx || (__read_cr4() & X86_CR4_VMXE);
}
