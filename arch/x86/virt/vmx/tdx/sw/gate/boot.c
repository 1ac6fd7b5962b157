// SPDX-License-Identifier: GPL-2.0
/*
 * The platform that the software module pretends to find: the kernel
 * parameter, key IDs, convertible memory, and what is set aside at boot for
 * calls that may not allocate.
 *
 *	tdx_sw=on[,width=W][,keyids=N][,novmx][,no2m]
 *
 * W is the width of guest physical addresses, 40 to 48: by default that of the
 * CPU's physical addresses, 48 at most.  N counts the TDX key IDs, the global
 * one included.  "novmx" lets SEAMCALLs outside VMX operation pass, as they do
 * where the CPU has no VMX: host bring-up and every leaf but a successful
 * TDH.VP.ENTER need none, and KUnit runs them in emulators without VMX.
 * "no2m" does not announce that TDH.MEM.PAGE.DEMOTE is never interrupted: Linux
 * maps no large pages then, as with modules that are older than that.
 *
 * Anything else is refused with one line, and the module stays off.
 */
#define pr_fmt(fmt) "tdx_sw: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/panic.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "gate/gate.h"
#include "run/run.h"

#define DEFAULT_KEYIDS	16
#define MIN_WIDTH	40
#define MAX_WIDTH	48

static bool wanted __initdata;
static bool no_vmx __initdata;
static bool no_2m __initdata;
static unsigned int want_width __initdata;
static unsigned int want_keyids __initdata = DEFAULT_KEYIDS;

static int __init parse_option(char *opt)
{
	if (!strcmp(opt, "novmx")) {
		no_vmx = true;
		return 0;
	}
	if (!strcmp(opt, "no2m")) {
		no_2m = true;
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
		if (tdx_sw->nr_cmrs == SEAM_NR_CMRS)
			return false;
		last = &tdx_sw->cmrs[tdx_sw->nr_cmrs++];
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
	cfg->no_2m = no_2m;
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
	int err;

	if (!tdx_sw_enabled)
		return 0;

	err = tdx_sw_alloc_scratch();
	if (err)
		return err;

	vmx_setup();
	switch_setup();
	tdx_sw_config.ready = !measure_setup();
	return 0;
}
fs_initcall(set_aside);
