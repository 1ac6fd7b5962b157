// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of KVM_TDX_INIT_VM with every reason to refuse them, in the order
 * in which KVM looks at them; running out of key IDs is in tdx_teardown_test.c.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define TDX_OPERAND_CPUID_CONFIG	69
#define CPUID_GPA_WIDTH			GENMASK(23, 16)

static struct kvm_cpuid_entry2 *find_entry(struct kvm_cpuid2 *cpuid,
					   uint32_t function, uint32_t index)
{
	int i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function &&
		    cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	}
	return NULL;
}

/* There is room for one entry more, see tdx_vm_init_args(). */
static void append_entry(struct kvm_cpuid2 *cpuid, struct kvm_cpuid_entry2 entry)
{
	cpuid->entries[cpuid->nent++] = entry;
}

static void set_gpa_width(struct kvm_tdx_init_vm *args, unsigned int width)
{
	struct kvm_cpuid_entry2 *e = find_entry(&args->cpuid, 0x80000008, 0);

	TEST_ASSERT(e, "The capabilities lack CPUID 0x80000008");
	e->eax = (e->eax & ~CPUID_GPA_WIDTH) | width << 16;
}

static void too_many_entries(struct kvm_tdx_init_vm *args)
{
	args->cpuid.nent = 257;
}

static void too_many_and_reserved(struct kvm_tdx_init_vm *args)
{
	args->cpuid.nent = 257;
	args->reserved[0] = 1;
}

static void reserved_first(struct kvm_tdx_init_vm *args)
{
	args->reserved[0] = 1;
}

static void reserved_last(struct kvm_tdx_init_vm *args)
{
	args->reserved[11] = BIT_ULL(63);
}

static void padding(struct kvm_tdx_init_vm *args)
{
	args->cpuid.padding = 1;
}

static void attribute_debug(struct kvm_tdx_init_vm *args)
{
	args->attributes |= BIT_ULL(0);
}

static void attribute_perfmon(struct kvm_tdx_init_vm *args)
{
	args->attributes |= BIT_ULL(63);
}

static void xfam_never(struct kvm_tdx_init_vm *args)
{
	args->xfam |= BIT_ULL(13);
}

static void no_entries(struct kvm_tdx_init_vm *args)
{
	args->cpuid.nent = 0;
}

static void no_gpa_width(struct kvm_tdx_init_vm *args)
{
	struct kvm_cpuid_entry2 *e = find_entry(&args->cpuid, 0x80000008, 0);

	TEST_ASSERT(e, "The capabilities lack CPUID 0x80000008");
	*e = args->cpuid.entries[--args->cpuid.nent];
}

static void gpa_width_0(struct kvm_tdx_init_vm *args)
{
	set_gpa_width(args, 0);
}

static void gpa_width_36(struct kvm_tdx_init_vm *args)
{
	set_gpa_width(args, 36);
}

static void gpa_width_plus_1(struct kvm_tdx_init_vm *args)
{
	set_gpa_width(args, tdx_gpa_width() + 1);
}

/* A CPU with less than 48 bits has no five-level EPT; others may well have it. */
static void gpa_width_too_wide(struct kvm_tdx_init_vm *args)
{
	set_gpa_width(args, tdx_gpa_width() < 48 ? 52 : 57);
}

static void cpuid_hle(struct kvm_tdx_init_vm *args)
{
	struct kvm_cpuid_entry2 *e = find_entry(&args->cpuid, 7, 0);

	TEST_ASSERT(e, "The capabilities lack CPUID 7.0");
	e->ebx |= BIT(4);
}

static void cpuid_waitpkg(struct kvm_tdx_init_vm *args)
{
	struct kvm_cpuid_entry2 *e = find_entry(&args->cpuid, 7, 0);

	TEST_ASSERT(e, "The capabilities lack CPUID 7.0");
	e->ecx |= BIT(5);
}

static void cpuid_unknown_leaf(struct kvm_tdx_init_vm *args)
{
	append_entry(&args->cpuid,
		     (struct kvm_cpuid_entry2) { .function = 0x40000000 });
}

static void cpuid_duplicate(struct kvm_tdx_init_vm *args)
{
	append_entry(&args->cpuid, args->cpuid.entries[0]);
}

/* The initial APIC ID is never the host's to configure; the module says so. */
static void cpuid_fixed_bit(struct kvm_tdx_init_vm *args)
{
	struct kvm_cpuid_entry2 *e = find_entry(&args->cpuid, 1, 0);

	TEST_ASSERT(e, "The capabilities lack CPUID 1");
	e->ebx |= BIT(31);
}

/* Cores without threads; the module is the judge of that, too. */
static void cpuid_topology(struct kvm_tdx_init_vm *args)
{
	struct kvm_cpuid_entry2 *e = find_entry(&args->cpuid, 0x1f, 0);

	TEST_ASSERT(e, "The capabilities lack CPUID 0x1f");
	e->ebx = 1;
	e->ecx = 0x200;
}

static const struct refusal {
	const char *name;
	void (*spoil)(struct kvm_tdx_init_vm *args);
	int want;
	uint32_t flags;
	uint64_t hw_error;	/* of what the module refuses */
} refusals[] = {
	{ "flags, before too many entries",	too_many_entries,	-EINVAL, .flags = 1 },
	{ "257 CPUID entries",			too_many_entries,	-E2BIG },
	{ "257 entries, before reserved",	too_many_and_reserved,	-E2BIG },
	{ "first reserved word",		reserved_first,		-EINVAL },
	{ "last reserved word",			reserved_last,		-EINVAL },
	{ "padding",				padding,		-EINVAL },
	{ "attribute DEBUG",			attribute_debug,	-EINVAL },
	{ "attribute PERFMON",			attribute_perfmon,	-EINVAL },
	{ "XFAM bit 13",			xfam_never,		-EINVAL },
	{ "no CPUID entry at all",		no_entries,		-EINVAL },
	{ "no CPUID 0x80000008",		no_gpa_width,		-EINVAL },
	{ "GPA width 0",			gpa_width_0,		-EINVAL },
	{ "GPA width 36",			gpa_width_36,		-EINVAL },
	{ "GPA width one bit off",		gpa_width_plus_1,	-EINVAL },
	{ "GPA width too wide",			gpa_width_too_wide,		-EINVAL },
	{ "CPUID HLE",				cpuid_hle,		-EINVAL },
	{ "CPUID WAITPKG",			cpuid_waitpkg,		-EINVAL },
	{ "CPUID leaf not configurable",	cpuid_unknown_leaf,	-EINVAL },
	{ "CPUID leaf twice",			cpuid_duplicate,	-EINVAL },
	{ "CPUID bit not configurable",		cpuid_fixed_bit,	-EINVAL,
	  .hw_error = (uint64_t)TDX_STATUS_OPERAND_INVALID << 32 | TDX_OPERAND_CPUID_CONFIG },
	{ "CPUID topology of no kind",		cpuid_topology,		-EINVAL,
	  .hw_error = 0xc000090400000000ull },
};

TEST(init_vm_refusals_leave_the_vm_as_it_was)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct tdx_usage before, after;
	struct kvm_tdx_init_vm *args;
	uint64_t hw_error;
	int i, got;

	tdx_usage(&before);
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		args = tdx_vm_init_args(vm);
		refusals[i].spoil(args);
		got = __tdx_cmd(vm->fd, KVM_TDX_INIT_VM, refusals[i].flags,
				args, &hw_error);
		ksft_print_msg("%-34s %s, hw_error %#lx\n", refusals[i].name,
			       strerror(-got), hw_error);
		EXPECT_EQ(refusals[i].want, got)
			TH_LOG("%s", refusals[i].name);
		EXPECT_EQ(refusals[i].hw_error, hw_error)
			TH_LOG("%s", refusals[i].name);
		tdx_usage(&after);
		EXPECT_EQ(before.keyids, after.keyids);
		free(args);
	}

	tdx_vm_init(vm);
	tdx_usage(&after);
	EXPECT_EQ(before.keyids + 1, after.keyids);
	kvm_vm_free(vm);
	tdx_usage(&after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
}

TEST(init_vm_needs_readable_entries)
{
	struct kvm_vm *vm = tdx_vm_create();
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(vm);
	void *edge;

	/* The header ends where the mapping does; the entries lie beyond. */
	edge = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, edge);
	munmap(edge + PAGE_SIZE, PAGE_SIZE);
	memcpy(edge + PAGE_SIZE - sizeof(*args), args, sizeof(*args));
	EXPECT_EQ(-EFAULT, __tdx_vm_init(vm, edge + PAGE_SIZE - sizeof(*args),
					 NULL));

	EXPECT_EQ(0, __tdx_vm_init(vm, args, NULL));
	EXPECT_EQ(-EINVAL, __tdx_vm_init(vm, args, NULL));
	munmap(edge, PAGE_SIZE);
	free(args);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
