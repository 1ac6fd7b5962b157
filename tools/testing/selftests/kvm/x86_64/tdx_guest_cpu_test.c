// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU as a TD sees it: every bit of CPUID, every MSR that the TDX module has a
 * rule for, every bit of CR0 and CR4, set and cleared.
 *
 * What should come of it is the interface description's (the *_sheet.h of the
 * software module's suites) and the CPU's: where that leaves an access to the CPU,
 * the host tries the same.
 */
#include <fcntl.h>
#include <unistd.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#include "../../../../../arch/x86/virt/vmx/tdx/sw/tests/cpuid_sheet.h"
#include "../../../../../arch/x86/virt/vmx/tdx/sw/tests/msr_sheet.h"

#define XSTATE_LEAF		0xd
#define X86_FEATURE_XSAVEC	KVM_X86_CPU_FEATURE(0xd, 1, EAX, 1)

/* Of an instruction that was tried: what it raised, or that it was done. */
#define DONE			0
#define RAISED_VE		TDX_VE_VECTOR
#define RAISED_GP		GP_VECTOR

#define TSC_UNIT_KHZ		25000

/* What the last #VE of an instruction that was tried was about */
static struct tdx_ve_info last_ve;

/* An instruction that is tried is not done for the guest, as others are. */
static void ve_handler(struct ex_regs *regs)
{
	if (regs->r9 != KVM_EXCEPTION_MAGIC || regs->rip != regs->r10) {
		tdx_ve_handler(regs);
		return;
	}
	GUEST_ASSERT_EQ(tdx_get_ve_info(&last_ve), 0);
	regs->rip = regs->r11;
	regs->r9 = RAISED_VE;
	regs->r10 = 0;
}

static struct kvm_vm *create(void (*adjust)(struct kvm_tdx_init_vm *), void (*code)(uint64_t),
			     size_t size, struct kvm_vcpu **vcpu, void **shared)
{
	struct kvm_vm *vm = tdx_guest_create_with(adjust);
	vm_vaddr_t gva;

	*shared = tdx_guest_shared_alloc(vm, size, &gva);
	*vcpu = tdx_guest_vcpu_add(vm, 0, code, gva);
	vm_install_exception_handler(vm, TDX_VE_VECTOR, ve_handler);
	return vm;
}

/* ---- CPUID ---- */

#define MAX_QUERIES		256

struct query {
	uint32_t row, leaf, subleaf;
	uint32_t reg[SHEET_NR_REGS];
	uint8_t vector;
};

struct queries {
	uint64_t nr;
	struct query q[MAX_QUERIES];
};

static void guest_cpuid(uint64_t arg)
{
	struct queries *queries = (void *)arg;
	uint64_t i, error;

	for (i = 0; i < queries->nr; i++) {
		struct query *q = &queries->q[i];

		asm volatile(KVM_ASM_SAFE("cpuid")
			     : "=a" (q->reg[0]), "=b" (q->reg[1]), "=c" (q->reg[2]),
			       "=d" (q->reg[3]), KVM_ASM_SAFE_OUTPUTS(q->vector, error)
			     : "a" (q->leaf), "c" (q->subleaf)
			     : KVM_ASM_SAFE_CLOBBERS);
	}
}

static struct kvm_tdx_init_vm *init_vm_args;
static size_t init_vm_size;
static uint32_t allowed;

/*
 * What KVM refuses: TSX and WAITPKG.  With MONITOR the TD could not be entered where
 * the CPU has it switched off.
 */
#define NOT_7_EBX		(BIT(4) | BIT(11))
#define NOT_7_ECX		BIT(5)
#define NOT_1_ECX		BIT(3)

/* Entries do not say whether their leaf has subleaves. */
static struct sheet_cpuid may_allow(const struct kvm_cpuid_entry2 *e)
{
	struct sheet_cpuid direct, allow, whole;
	int i;

	sheet_may_give(e->function, e->index, &direct, &allow);
	sheet_may_give(e->function, SHEET_NO_SUBLEAF, &direct, &whole);
	for (i = 0; i < SHEET_NR_REGS; i++)
		allow.r[i] |= whole.r[i];
	if (e->function == 7 && !e->index) {
		allow.r[1] &= ~NOT_7_EBX;
		allow.r[2] &= ~NOT_7_ECX;
	}
	if (e->function == 1)
		allow.r[2] &= ~NOT_1_ECX;
	return allow;
}

/* Of what the host may allow these bits; what it gives directly stays as it is. */
static void adjust(struct kvm_tdx_init_vm *args)
{
	struct sheet_cpuid allow;
	int i, nr = 0;

	for (i = 0; i < args->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &args->cpuid.entries[i];

		allow = may_allow(e);
		nr += allow.r[0] || allow.r[1] || allow.r[2] || allow.r[3];
		e->eax = (e->eax & ~allow.r[0]) | (allow.r[0] & allowed);
		e->ebx = (e->ebx & ~allow.r[1]) | (allow.r[1] & allowed);
		e->ecx = (e->ecx & ~allow.r[2]) | (allow.r[2] & allowed);
		e->edx = (e->edx & ~allow.r[3]) | (allow.r[3] & allowed);
	}
	/* 1, 7.0, 7.1, 7.2, 1c, 23.0, 80000008 */
	TEST_ASSERT(nr >= 5, "Only %d leaves are there to be allowed", nr);
	init_vm_size = sizeof(*args) + args->cpuid.nent * sizeof(args->cpuid.entries[0]);
	init_vm_args = malloc(init_vm_size);
	memcpy(init_vm_args, args, init_vm_size);
}

static struct sheet_cpuid configured(uint32_t leaf, uint32_t subleaf)
{
	uint32_t index = subleaf == SHEET_NO_SUBLEAF ? 0 : subleaf, i;
	struct sheet_cpuid val = {};

	for (i = 0; i < init_vm_args->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &init_vm_args->cpuid.entries[i];

		if (e->function == leaf && e->index == index)
			val = (struct sheet_cpuid) { { e->eax, e->ebx, e->ecx, e->edx } };
	}
	return val;
}

static struct sheet_cpuid native(uint32_t leaf, uint32_t subleaf)
{
	uint32_t index = subleaf == SHEET_NO_SUBLEAF ? 0 : subleaf;
	struct sheet_cpuid val = {}, max;

	__cpuid(leaf & BIT(31), 0, &max.r[0], &max.r[1], &max.r[2], &max.r[3]);
	if (leaf <= max.r[0])
		__cpuid(leaf, index, &val.r[0], &val.r[1], &val.r[2], &val.r[3]);
	/* The kernel may do without (clearcpuid=), and TDs do then. */
	if (leaf == XSTATE_LEAF && index == 1) {
		if (!kvm_cpu_has(X86_FEATURE_XSAVEC))
			val.r[0] &= ~BIT(1);
		if (!kvm_cpu_has(X86_FEATURE_XSAVES))
			val.r[0] &= ~BIT(3);
	}
	return val;
}

static void add_rows(struct queries *queries)
{
	uint32_t row, first, last, subleaf;

	for (row = 0; row < ARRAY_SIZE(sheet_cpuid_rows); row++) {
		sheet_subleaves(sheet_cpuid_rows[row].subleaf, &first, &last);
		subleaf = first;
		do {
			TEST_ASSERT(queries->nr < MAX_QUERIES, "too many subleaves");
			queries->q[queries->nr++] = (struct query) {
				.row = row, .subleaf = subleaf,
				.leaf = sheet_leaf_number(sheet_cpuid_rows[row].leaf),
			};
		} while (subleaf++ != last);
	}
}

/* Bits in which the guest's value differs from what it should be */
static uint32_t differing(const struct query *q, const struct sheet_td *td, int reg)
{
	struct sheet_cpuid want = sheet_value(&sheet_cpuid_rows[q->row], q->subleaf,
					      native(q->leaf, q->subleaf),
					      configured(q->leaf, q->subleaf), td);

	return (q->reg[reg] ^ want.r[reg]) & ~sheet_varying(q->leaf, q->subleaf, reg);
}

static int check_query(const struct query *q, const struct sheet_td *td)
{
	int reg, bad = 0;
	uint32_t bits;

	if (q->vector != (sheet_raises_ve(q->leaf) ? RAISED_VE : DONE)) {
		ksft_print_msg("leaf %#x.%#x: vector %u\n", q->leaf, q->subleaf, q->vector);
		return 1;
	}
	if (q->vector)
		return 0;
	for (reg = 0; reg < SHEET_NR_REGS; reg++) {
		bits = differing(q, td, reg);
		if (!bits)
			continue;
		ksft_print_msg("leaf %#x.%#x %c: %#x, wrong bits %#x\n", q->leaf, q->subleaf,
			       SHEET_REGS[reg], q->reg[reg], bits);
		bad++;
	}
	return bad;
}

static int check_cpuid(uint32_t allow)
{
	struct queries *queries;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct sheet_td td;
	int i, bad = 0;

	allowed = allow;
	vm = create(adjust, guest_cpuid, sizeof(*queries), &vcpu, (void **)&queries);
	add_rows(queries);
	td = (struct sheet_td) {
		.xfam = init_vm_args->xfam | 3, .attributes = init_vm_args->attributes,
		.tsc_frequency = (__vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL) + TSC_UNIT_KHZ / 2) /
				 TSC_UNIT_KHZ,
		.leaf_1_eax = native(1, SHEET_NO_SUBLEAF).r[0],
		.has_monitor = !!(native(1, SHEET_NO_SUBLEAF).r[2] &
				  configured(1, SHEET_NO_SUBLEAF).r[2] & BIT(3)),
	};
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	for (i = 0; i < queries->nr; i++)
		bad += check_query(&queries->q[i], &td);
	kvm_vm_free(vm);
	free(init_vm_args);
	return bad;
}

TEST(cpuid_with_all_that_may_be_allowed)
{
	EXPECT_EQ(0, check_cpuid(~0u));
}

TEST(cpuid_with_nothing_allowed)
{
	EXPECT_EQ(0, check_cpuid(0));
}

TEST(cpuid_with_every_other_bit_allowed)
{
	EXPECT_EQ(0, check_cpuid(0x55555555));
	EXPECT_EQ(0, check_cpuid(0xaaaaaaaa));
}

/* ---- MSRs ---- */

#define MSR_SELF_IPI		0x83f
#define MAX_ATTEMPTS		4096

struct attempt {
	uint32_t msr;
	uint8_t read, write;		/* vector */
	uint64_t read_error, write_error;
	uint64_t value;
};

struct attempts {
	uint64_t nr;
	uint32_t leaf_1_ecx, leaf_7_ecx, leaf_7_edx, xfd;
	struct attempt a[MAX_ATTEMPTS];
};

static void try_msr(struct attempt *a)
{
	uint32_t low = 0, high = 0;
	uint64_t error = 0;

	asm volatile(KVM_ASM_SAFE("rdmsr")
		     : "=a" (low), "=d" (high), KVM_ASM_SAFE_OUTPUTS(a->read, error)
		     : "c" (a->msr) : KVM_ASM_SAFE_CLOBBERS);
	a->read_error = a->read == RAISED_GP ? error : 0;
	a->value = a->read == DONE ? low | (uint64_t)high << 32 : 0;
	/* 0 is no vector to send. */
	if (a->msr == MSR_SELF_IPI)
		a->value = 0xf0;
	asm volatile(KVM_ASM_SAFE("wrmsr")
		     : KVM_ASM_SAFE_OUTPUTS(a->write, error)
		     : "c" (a->msr), "a" ((uint32_t)a->value), "d" ((uint32_t)(a->value >> 32))
		     : KVM_ASM_SAFE_CLOBBERS);
	a->write_error = a->write == RAISED_GP ? error : 0;
}

static void guest_msrs(uint64_t arg)
{
	struct attempts *attempts = (void *)arg;
	uint32_t eax, ebx, ecx, edx;
	uint64_t i;

	__cpuid(1, 0, &eax, &ebx, &attempts->leaf_1_ecx, &edx);
	__cpuid(7, 0, &eax, &ebx, &attempts->leaf_7_ecx, &attempts->leaf_7_edx);
	__cpuid(0xd, 1, &eax, &ebx, &ecx, &edx);
	attempts->xfd = eax & BIT(4);
	for (i = 0; i < attempts->nr; i++)
		try_msr(&attempts->a[i]);
}

static bool has_group(const struct attempts *attempts, uint8_t group, uint64_t xfam)
{
	switch (group) {
	case NO_GROUP:
		return true;
	case PT:
		return xfam & BIT_ULL(8);
	case CET:
		return xfam & GENMASK_ULL(12, 11);
	case ULI:
		return xfam & BIT_ULL(14);
	case LBR:
		return xfam & BIT_ULL(15);
	case XFD:
		return attempts->xfd;
	case WAITPKG:
		return attempts->leaf_7_ecx & BIT(5);
	case TME:
		return attempts->leaf_7_ecx & BIT(13);
	case MKTME:
		return attempts->leaf_7_edx & BIT(18);
	case HAS_SPEC_CTRL:
		return attempts->leaf_7_edx & (BIT(26) | BIT(27) | BIT(31));
	case HAS_PRED_CMD:
		return attempts->leaf_7_edx & BIT(26);
	case HAS_FLUSH_CMD:
		return attempts->leaf_7_edx & BIT(28);
	case DCA:
		return attempts->leaf_1_ecx & BIT(18);
	case TSC_DEADLINE:
		return attempts->leaf_1_ecx & BIT(24);
	default:
		return false;
	}
}

static int open_msrs(void)
{
	return open("/dev/cpu/0/msr", O_RDONLY);
}

static bool is_x2apic(uint32_t msr)
{
	return msr >= 0x800 && msr <= 0x8ff;
}

/* What the CPU does by itself: the host's reads tell, and APIC registers are virtual. */
static uint8_t native_read(int fd, uint32_t msr)
{
	uint64_t value;

	if (is_x2apic(msr))
		return DONE;
	return pread(fd, &value, sizeof(value), msr) == sizeof(value) ? DONE : RAISED_GP;
}

static uint8_t native_write(int fd, uint32_t msr)
{
	/* PRED_CMD, FLUSH_CMD: for writing alone */
	if (msr == 0x49 || msr == 0x10b)
		return DONE;
	/* What can be written of these the module does. */
	if (is_x2apic(msr))
		return RAISED_GP;
	return native_read(fd, msr);
}

static uint8_t expected(const struct attempts *attempts, int fd, uint32_t msr, bool write,
			uint64_t xfam)
{
	const struct sheet_msr_range *range = sheet_msr(msr);
	uint8_t access;

	if (!range)
		return RAISED_VE;
	if (!has_group(attempts, range->group, xfam))
		return RAISED_GP;
	access = write ? range->write : range->read;
	switch (access) {
	case VE:
		return RAISED_VE;
	case GP:
		return RAISED_GP;
	case MODULE:
		return DONE;
	default:
		return write ? native_write(fd, msr) : native_read(fd, msr);
	}
}

/* Rows, whole where they are small, and MSRs that have none */
static void add_msrs(struct attempts *attempts)
{
	static const uint32_t others[] = {
		0x1b, 0x3b, 0x8b, 0xfe, 0x179, 0x200, 0x2ff, 0x400, 0x802, 0x803, 0x80d,
		0x80f, 0x828, 0x82f, 0x830, 0x832, 0x83e, 0xc0000083, 0xc0010000, 0x12345678,
	};
	uint32_t i, msr;

	for (i = 0; i < ARRAY_SIZE(sheet_msr_ranges); i++) {
		for (msr = sheet_msr_ranges[i].first; msr <= sheet_msr_ranges[i].last; msr++) {
			TEST_ASSERT(attempts->nr < MAX_ATTEMPTS, "too many MSRs");
			attempts->a[attempts->nr++].msr = msr;
		}
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		attempts->a[attempts->nr++].msr = others[i];
}

static int check_attempt(const struct attempts *attempts, const struct attempt *a, int fd,
			 uint64_t xfam)
{
	uint8_t read = expected(attempts, fd, a->msr, false, xfam);
	uint8_t write = expected(attempts, fd, a->msr, true, xfam);

	if (a->read == read && a->write == write && !a->read_error && !a->write_error)
		return 0;
	ksft_print_msg("MSR %#x: read %u (%#lx), not %u; write of %#lx %u (%#lx), not %u\n",
		       a->msr, a->read, a->read_error, read, a->value, a->write,
		       a->write_error, write);
	return 1;
}

static void note_args(struct kvm_tdx_init_vm *args)
{
	init_vm_args = malloc(sizeof(*args));
	memcpy(init_vm_args, args, sizeof(*args));
}

TEST(msrs)
{
	struct attempts *attempts;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(note_args, guest_msrs, sizeof(*attempts), &vcpu,
				   (void **)&attempts);
	int i, bad = 0, fd = open_msrs();

	if (fd < 0)
		SKIP(return, "no /dev/cpu/0/msr");
	add_msrs(attempts);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	for (i = 0; i < attempts->nr; i++)
		bad += check_attempt(attempts, &attempts->a[i], fd, init_vm_args->xfam);
	ksft_print_msg("%lu MSRs\n", attempts->nr);
	EXPECT_EQ(0, bad);
	kvm_vm_free(vm);
	free(init_vm_args);
	close(fd);
}

/* ---- control registers ---- */

struct cr_attempts {
	uint64_t old;
	uint64_t changed[64];		/* as read back */
	uint8_t vector[64];
	uint64_t error[64];
	uint64_t qual[64];
};

/*
 * The value is in force for one instruction.  What the CPU is asked for in between,
 * nothing but another MOV, depends on none of these bits.
 */
#define TRY_CR(cr)								\
static void try_##cr(struct cr_attempts *attempts, unsigned int bit)		\
{										\
	uint64_t new = attempts->old ^ BIT_ULL(bit), read = 0, error = 0;	\
										\
	asm volatile(KVM_ASM_SAFE("mov %[new], %%" #cr "\n\t"			\
				  "mov %%" #cr ", %[read]\n\t"			\
				  "mov %[old], %%" #cr)				\
		     : [read] "=&r" (read),					\
		       KVM_ASM_SAFE_OUTPUTS(attempts->vector[bit], error)	\
		     : [new] "r" (new), [old] "r" (attempts->old)		\
		     : KVM_ASM_SAFE_CLOBBERS);					\
	attempts->error[bit] = error;						\
	attempts->changed[bit] = read ^ attempts->old;				\
	attempts->qual[bit] = last_ve.qualification;				\
}										\
										\
static void guest_##cr(uint64_t arg)						\
{										\
	struct cr_attempts *attempts = (void *)arg;				\
	unsigned int bit;							\
										\
	asm volatile("mov %%" #cr ", %0" : "=r" (attempts->old));		\
	for (bit = 0; bit < 64; bit++)						\
		try_##cr(attempts, bit);					\
}

TRY_CR(cr0)
TRY_CR(cr4)

#define CR0_IGNORED	(GENMASK_ULL(28, 19) | BIT_ULL(17) | GENMASK_ULL(15, 6))

/* Vector, and with DONE whether the bit has changed */
static uint8_t cr0_outcome(unsigned int bit, bool *changes)
{
	*changes = !(CR0_IGNORED & BIT_ULL(bit)) && bit != 4;
	switch (bit) {
	case 0:				/* PE without PG */
	case 5:				/* NE, which VMX demands */
	case 31:			/* PG off in 64-bit mode */
	case 32 ... 63:
		return RAISED_GP;
	case 29:			/* NW */
	case 30:			/* CD */
		return RAISED_VE;
	default:
		return DONE;
	}
}

#define MSR_VMX_CR4_FIXED1	0x489

/* KL, and PKS without its attribute */
#define CR4_REFUSED	(BIT_ULL(19) | BIT_ULL(24))
/* MCE, VMXE, SMXE; LASS, LAM_SUP, FRED, which no TD is offered */
#define CR4_OWNED	(BIT_ULL(6) | BIT_ULL(13) | BIT_ULL(14) | BIT_ULL(27) |	\
			 BIT_ULL(28) | BIT_ULL(32))

static uint8_t cr4_outcome(unsigned int bit, uint64_t old, uint64_t fixed1, uint64_t xfam,
			   bool *changes)
{
	bool set = !(old & BIT_ULL(bit));

	*changes = true;
	if (set && !(fixed1 & BIT_ULL(bit)))
		return RAISED_GP;
	if ((bit == 22 && !(xfam & BIT_ULL(9))) ||
	    (bit == 23 && (xfam & GENMASK_ULL(12, 11)) != GENMASK_ULL(12, 11)) ||
	    (bit == 25 && !(xfam & BIT_ULL(14))) || CR4_REFUSED & BIT_ULL(bit))
		return RAISED_GP;
	if (CR4_OWNED & BIT_ULL(bit))
		return RAISED_VE;
	/* By the CPU: PAE and LA57 stay as they are in long mode. */
	if (bit == 5 || bit == 12)
		return RAISED_GP;
	return DONE;
}

static int check_cr(const struct cr_attempts *attempts, unsigned int cr, unsigned int bit,
		    uint8_t want, bool changes)
{
	uint8_t vector = attempts->vector[bit];
	bool ok = vector == want;

	if (vector == DONE)
		ok &= attempts->changed[bit] == (changes ? BIT_ULL(bit) : 0);
	if (vector == RAISED_GP)
		ok &= !attempts->error[bit];
	if (vector == RAISED_VE)
		ok &= (attempts->qual[bit] & 0x3f) == cr;
	if (ok)
		return 0;
	ksft_print_msg("CR%u %#lx, bit %u: vector %u, not %u\n", cr, attempts->old, bit, vector,
		       want);
	ksft_print_msg("  error %#lx, qualification %#lx, changed %#lx\n", attempts->error[bit],
		       attempts->qual[bit], attempts->changed[bit]);
	return 1;
}

TEST(cr0)
{
	struct cr_attempts *attempts;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(NULL, guest_cr0, sizeof(*attempts), &vcpu,
				   (void **)&attempts);
	int bit, bad = 0;
	uint8_t want;
	bool changes;

	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	for (bit = 0; bit < 64; bit++) {
		want = cr0_outcome(bit, &changes);
		bad += check_cr(attempts, 0, bit, want, changes);
	}
	EXPECT_EQ(0, bad);
	kvm_vm_free(vm);
}

TEST(cr4)
{
	struct cr_attempts *attempts;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(note_args, guest_cr4, sizeof(*attempts), &vcpu,
				   (void **)&attempts);
	int bit, bad = 0, fd = open_msrs();
	uint64_t fixed1;
	uint8_t want;
	bool changes;

	if (fd < 0)
		SKIP(return, "no /dev/cpu/0/msr");
	TEST_ASSERT_EQ(pread(fd, &fixed1, sizeof(fixed1), MSR_VMX_CR4_FIXED1), sizeof(fixed1));
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	for (bit = 0; bit < 64; bit++) {
		want = cr4_outcome(bit, attempts->old, fixed1, init_vm_args->xfam, &changes);
		bad += check_cr(attempts, 4, bit, want, changes);
	}
	EXPECT_EQ(0, bad);
	kvm_vm_free(vm);
	free(init_vm_args);
	close(fd);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
