// SPDX-License-Identifier: GPL-2.0
/*
 * The module's state, and the CPU that it runs on: packages, room for what does not
 * fit a stack, random numbers, the MSRs that a leaf looks at.
 *
 * Set up by gate/boot.c.
 */
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <asm/apic.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

#include "base/cpu.h"

/* Tested beside the SEAMCALL instruction. */
bool tdx_sw_enabled __ro_after_init;
struct tdx_sw_config tdx_sw_config __ro_after_init;

static struct tdx_sw_state main_state;
struct tdx_sw_state *tdx_sw = &main_state;

const struct tdx_sw_fake *tdx_sw_fake_msr;
DEFINE_PER_CPU(bool, tdx_sw_fake_quiet);

static struct tdx_sw_scratch * __percpu *scratch __ro_after_init;
static DEFINE_PER_CPU(u64, tsc_adjust);
static atomic64_t random_count;

int __init tdx_sw_alloc_scratch(void)
{
	unsigned int cpu;

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
	return 0;
}

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

	if (tdx_sw_fake_read(&tdx_sw_fake_msr, msr, &fake))
		return fake;
	if (rdmsr_safe(msr, &low, &high))
		return 0;
	return low | (u64)high << 32;
}

/* One that the CPU has. */
void tdx_sw_write_msr(u32 msr, u64 value)
{
	if (!tdx_sw_fake_write(&tdx_sw_fake_msr, msr, value))
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

bool guest_interrupt_waits(void)
{
	unsigned int i;

	if (IS_ENABLED(CONFIG_KUNIT) && __this_cpu_read(tdx_sw_fake_quiet))
		return false;
	for (i = 0; i < 8; i++) {
		if (apic_read(APIC_IRR + i * 0x10))
			return true;
	}
	return false;
}
