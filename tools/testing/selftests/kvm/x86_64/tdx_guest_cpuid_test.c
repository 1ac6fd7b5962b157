// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID in a TD: what the TDX module enumerates is what KVM_TDX_GET_CPUID said
 * and what KVM_TDX_INIT_VM configured; the rest is KVM's, by TDVMCALL.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define MAX_ENTRIES	256
#define TDX_LEAF	0x21
#define KVM_LEAF	0x40000000
#define XSTATE_LEAF	0xd
#define XSTATE_XSAVES	BIT(3)
#define MARK		0x5a5a1234

/* Of what KVM has, so that it is seen who answered. */
struct query {
	uint32_t leaf, subleaf;
	uint32_t reg[4];
	uint64_t nr_ve;
};

struct queries {
	uint64_t nr;
	struct query q[MAX_ENTRIES];
};

static void guest_queries(uint64_t arg)
{
	struct queries *queries = (void *)arg;
	uint64_t i, before;

	for (i = 0; i < queries->nr; i++) {
		struct query *q = &queries->q[i];

		before = tdx_ve_log.nr;
		__cpuid(q->leaf, q->subleaf, &q->reg[0], &q->reg[1], &q->reg[2],
			&q->reg[3]);
		q->nr_ve = tdx_ve_log.nr - before;
	}
}

static void guest_tdvmcall(uint64_t arg)
{
	struct queries *queries = (void *)arg;
	uint64_t i;

	for (i = 0; i < queries->nr; i++) {
		struct query *q = &queries->q[i];

		GUEST_ASSERT_EQ(tdvmcall_cpuid(q->leaf, q->subleaf, q->reg), 0);
	}
	GUEST_ASSERT_EQ(tdx_ve_log.nr, 0);
}

/* Bits that the state of the vCPU decides, or that KVM fills in. */
static const struct {
	uint32_t leaf, subleaf, reg[4];
} varying[] = {
	{ 0x1, 0, { 0, 0xff000000, BIT(27), 0 } },
	{ 0x7, 0, { 0, 0, BIT(4), 0 } },
	{ 0xb, 0, { 0, 0, 0, -1 } },
	{ 0xb, 1, { 0, 0, 0, -1 } },
	{ 0xd, 0, { 0, -1, 0, 0 } },
	{ 0xd, 1, { 0, -1, 0, 0 } },
	{ 0x1f, 0, { 0, 0, 0, -1 } },
	{ 0x1f, 1, { 0, 0, 0, -1 } },
	{ 0x80000008, 0, { 0xff0000, 0, 0, 0 } },
};

static uint32_t fixed_bits(const struct query *q, int reg)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(varying); i++) {
		if (varying[i].leaf == q->leaf && varying[i].subleaf == q->subleaf)
			return ~varying[i].reg[reg];
	}
	return -1;
}

static struct kvm_vm *create(void (*adjust)(struct kvm_tdx_init_vm *),
			     void (*code)(uint64_t), struct kvm_vcpu **vcpu,
			     struct queries **queries)
{
	struct kvm_vm *vm = tdx_guest_create_with(adjust);
	vm_vaddr_t gva;

	*queries = tdx_guest_shared_alloc(vm, sizeof(**queries), &gva);
	*vcpu = tdx_guest_vcpu_add(vm, 0, code, gva);
	return vm;
}

static void add(struct queries *queries, uint32_t leaf, uint32_t subleaf)
{
	struct query *q = &queries->q[queries->nr++];

	q->leaf = leaf;
	q->subleaf = subleaf;
}

static uint32_t *entry_reg(struct kvm_cpuid_entry2 *e, int reg)
{
	uint32_t *regs[] = { &e->eax, &e->ebx, &e->ecx, &e->edx };

	return regs[reg];
}

static bool is_same(const struct query *q, struct kvm_cpuid_entry2 *e)
{
	bool same = !q->nr_ve;
	int i;

	for (i = 0; i < 4; i++) {
		if (!((*entry_reg(e, i) ^ q->reg[i]) & fixed_bits(q, i)))
			continue;
		ksft_print_msg("leaf %#x.%u, register %d: %#x, but the guest sees %#x\n",
			       q->leaf, q->subleaf, i, *entry_reg(e, i), q->reg[i]);
		same = false;
	}
	return same;
}

TEST(guest_sees_what_get_cpuid_said)
{
	struct queries *queries;
	struct kvm_cpuid2 *cpuid;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(NULL, guest_queries, &vcpu, &queries);
	int i;

	cpuid = tdx_vcpu_get_cpuid(vcpu);
	ASSERT_GT(cpuid->nent, 10);
	for (i = 0; i < cpuid->nent; i++)
		add(queries, cpuid->entries[i].function, cpuid->entries[i].index);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);

	for (i = 0; i < queries->nr; i++)
		EXPECT_TRUE(is_same(&queries->q[i], &cpuid->entries[i]));
	free(cpuid);
	kvm_vm_free(vm);
}

TEST(fixed)
{
	struct queries *queries;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(NULL, guest_queries, &vcpu, &queries);
	long khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);

	add(queries, 0, 0);
	add(queries, 1, 0);
	add(queries, 0x15, 0);
	add(queries, TDX_LEAF, 0);
	add(queries, XSTATE_LEAF, 1);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);

	EXPECT_GE(queries->q[0].reg[0], TDX_LEAF);
	/* A hypervisor is there; the local APIC's initial id is the vCPU's index. */
	EXPECT_TRUE(queries->q[1].reg[2] & BIT(31));
	EXPECT_EQ(0, queries->q[1].reg[1] >> 24);

	EXPECT_EQ(1, queries->q[2].reg[0]);
	EXPECT_EQ(khz / 25000, queries->q[2].reg[1]);
	EXPECT_EQ(25000000, queries->q[2].reg[2]);

	EXPECT_EQ(0, queries->q[3].reg[0]);
	EXPECT_EQ(0, memcmp(&queries->q[3].reg[1], "Inte", 4));
	EXPECT_EQ(0, memcmp(&queries->q[3].reg[3], "lTDX", 4));
	EXPECT_EQ(0, memcmp(&queries->q[3].reg[2], "    ", 4));

	/* As the host's kernel has them, which may do without (clearcpuid=). */
	EXPECT_EQ(kvm_cpu_has(X86_FEATURE_XSAVES), !!(queries->q[4].reg[0] & XSTATE_XSAVES));
	kvm_vm_free(vm);
}

/* A feature bit that this host lets a TD have or not have. */
static struct {
	uint32_t leaf;
	int reg;
	uint32_t bit;
} toggled;

static void toggle(struct kvm_tdx_init_vm *args, bool clear)
{
	struct kvm_cpuid_entry2 *e;
	int i, reg;

	toggled.bit = 0;
	for (i = 0; i < args->cpuid.nent; i++) {
		e = &args->cpuid.entries[i];
		if (e->index || (e->function != 1 && e->function != 7))
			continue;
		/* EAX and EBX of leaf 1 are no features. */
		for (reg = e->function == 1 ? 2 : 1; reg < 4 && !toggled.bit; reg++) {
			toggled.leaf = e->function;
			toggled.reg = reg;
			toggled.bit = *entry_reg(e, reg) & -*entry_reg(e, reg);
			if (clear)
				*entry_reg(e, reg) &= ~toggled.bit;
		}
	}
}

static void adjust_clear(struct kvm_tdx_init_vm *args)
{
	toggle(args, true);
}

static void adjust_keep(struct kvm_tdx_init_vm *args)
{
	toggle(args, false);
}

static uint32_t configured(void (*adjust)(struct kvm_tdx_init_vm *))
{
	struct queries *queries;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(adjust, guest_queries, &vcpu, &queries);
	uint32_t val;

	add(queries, toggled.leaf, 0);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	TEST_ASSERT_EQ(queries->q[0].nr_ve, 0);
	val = queries->q[0].reg[toggled.reg];
	kvm_vm_free(vm);
	return val;
}

TEST(configured_bit)
{
	uint32_t with = configured(adjust_keep);
	uint32_t without;

	if (!toggled.bit)
		SKIP(return, "This module lets no feature of leaf 1 or 7 be configured");
	without = configured(adjust_clear);
	ksft_print_msg("leaf %#x, register %d: %#x with and %#x without bit %#x\n",
		       toggled.leaf, toggled.reg, with, without, toggled.bit);
	EXPECT_EQ(toggled.bit, with & toggled.bit);
	EXPECT_EQ(0, without & toggled.bit);
	EXPECT_EQ(with & ~toggled.bit, without & ~toggled.bit);
}

/* Two threads a core, eight cores: as leaf 0x1f has them */
static const uint32_t levels[][3] = {
	{ 1, 2, 0x100 }, { 4, 16, 0x200 },
};

static void adjust_topology(struct kvm_tdx_init_vm *args)
{
	struct kvm_cpuid_entry2 *e;
	int i;

	for (i = 0; i < args->cpuid.nent; i++) {
		e = &args->cpuid.entries[i];
		if (e->function != 0x1f || e->index >= ARRAY_SIZE(levels))
			continue;
		e->eax = levels[e->index][0];
		e->ebx = levels[e->index][1];
		e->ecx = levels[e->index][2];
	}
}

static void guest_topology(uint64_t arg)
{
	struct tdcall_regs regs = {
		.rdx = TDX_FIELD_TD_CTLS, .r8 = TDX_TD_CTL_ENUM_TOPOLOGY,
		.r9 = TDX_TD_CTL_ENUM_TOPOLOGY,
	};

	GUEST_ASSERT_EQ(tdcall(TDG_VM_WR, &regs), 0);
	guest_queries(arg);
}

/* What userspace configures the guest sees, once it has asked for it. */
TEST(topology)
{
	struct queries *queries;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(adjust_topology, guest_topology, &vcpu, &queries);
	int i;

	for (i = 0; i < 6; i++)
		add(queries, i < 3 ? 0x1f : 0xb, i % 3);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	for (i = 0; i < 6; i++) {
		const struct query *q = &queries->q[i];
		uint32_t *want = q->subleaf < ARRAY_SIZE(levels) ?
				 (uint32_t *)levels[q->subleaf] : (uint32_t []){ 0, 0, 0 };

		EXPECT_EQ(0, q->nr_ve);
		EXPECT_EQ(want[0], q->reg[0]);
		EXPECT_EQ(want[1], q->reg[1]);
		EXPECT_EQ(want[2] | q->subleaf, q->reg[2]);
		EXPECT_EQ(0, q->reg[3]);
	}
	kvm_vm_free(vm);
}

/* KVM's own table, which is none of the module's business. */
static void kvms_own_leaf(void (*code)(uint64_t), uint64_t nr_ve)
{
	struct queries *queries;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(NULL, code, &vcpu, &queries);
	struct kvm_cpuid_entry2 *e = vcpu_get_cpuid_entry(vcpu, KVM_LEAF);
	struct query *q = &queries->q[0];

	e->edx = MARK;
	vcpu_set_cpuid(vcpu);
	add(queries, KVM_LEAF, 0);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	TEST_ASSERT_EQ(q->nr_ve, nr_ve);
	TEST_ASSERT_EQ(q->reg[0], e->eax);
	TEST_ASSERT_EQ(q->reg[1], e->ebx);
	TEST_ASSERT_EQ(q->reg[2], e->ecx);
	TEST_ASSERT_EQ(q->reg[3], MARK);
	kvm_vm_free(vm);
}

TEST(by_tdvmcall)
{
	kvms_own_leaf(guest_tdvmcall, 0);
}

TEST(by_ve)
{
	kvms_own_leaf(guest_queries, 1);
}

/* Also of leaves that the module answers, and that differ there. */
TEST(tdvmcall_answers_from_kvms_table)
{
	struct kvm_cpuid_entry2 *e;
	struct queries *queries;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(NULL, guest_tdvmcall, &vcpu, &queries);

	e = vcpu_get_cpuid_entry(vcpu, 0);
	e->ebx = MARK;
	vcpu_set_cpuid(vcpu);
	add(queries, 0, 0);
	/* Beyond KVM's table, and with a subleaf where there is none. */
	add(queries, 0x50000000, 7);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	EXPECT_EQ(e->eax, queries->q[0].reg[0]);
	EXPECT_EQ(MARK, queries->q[0].reg[1]);
	EXPECT_NE(MARK, queries->q[1].reg[1]);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
