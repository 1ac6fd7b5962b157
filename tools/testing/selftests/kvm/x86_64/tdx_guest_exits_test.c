// SPDX-License-Identifier: GPL-2.0-only
/*
 * The software TDX module's account of vCPUs' time: how many exits of each kind, and what
 * of the time was the guest's, the module's, and the host's.
 */
#include <stdio.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define EXITS		"/sys/kernel/debug/tdx_sw/exits"
#define NR		100

/* Exits, and ticks in the guest, in the module, on the host. */
struct row {
	uint64_t nr;
	uint64_t ticks[3];
};

/* The sum of the lines of a TDVMCALL, or of all if it is NULL. */
static struct row read_exits(const char *vmcall)
{
	FILE *f = fopen(EXITS, "r");
	struct row row, sum = {};
	char reason[16], call[16];
	int i, n;

	TEST_ASSERT(f, "No %s", EXITS);
	while ((n = fscanf(f, "%15s %15s %lu %lu %lu %lu", reason, call, &row.nr,
			   &row.ticks[0], &row.ticks[1], &row.ticks[2])) == 6) {
		if (vmcall && strcmp(call, vmcall))
			continue;
		sum.nr += row.nr;
		for (i = 0; i < 3; i++)
			sum.ticks[i] += row.ticks[i];
	}
	TEST_ASSERT(n == EOF, "%s has a line that is none of exits", EXITS);
	fclose(f);
	return sum;
}

static void guest_calls(uint64_t arg)
{
	uint64_t val;
	int i;

	for (i = 0; i < NR; i++)
		GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_APICBASE, &val), 0);
	for (i = 0; i < NR / 2; i++)
		tdvmcall(0x1ffff, 0, 0, 0, 0, NULL);
	GUEST_ASSERT_EQ(tdvmcall_map_gpa(1, 0, NULL) != 0, 1);
}

TEST(every_exit_is_counted_once)
{
	struct row rdmsr = read_exits("31"), map = read_exits("65537");
	struct row other = read_exits("other"), after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_calls, 0);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
	after = read_exits("31");
	EXPECT_EQ(rdmsr.nr + NR, after.nr);
	printf("ticks of a RDMSR: guest %lu, module %lu, host %lu\n",
	       (after.ticks[0] - rdmsr.ticks[0]) / NR, (after.ticks[1] - rdmsr.ticks[1]) / NR,
	       (after.ticks[2] - rdmsr.ticks[2]) / NR);
	EXPECT_EQ(map.nr + 1, read_exits("65537").nr);
	EXPECT_EQ(other.nr + NR / 2, read_exits("other").nr);
}

/* Each tick of a vCPU's is one's, and never two's. */
TEST(time_is_shared_out)
{
	struct row before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_guest_launch_one(&vcpu, guest_calls, 0);
	uint64_t begun, took, sum = 0;
	int i;

	before = read_exits(NULL);
	begun = rdtsc();
	tdx_guest_run_to_done(vcpu);
	took = rdtsc() - begun;
	after = read_exits(NULL);
	kvm_vm_free(vm);

	for (i = 0; i < 3; i++) {
		EXPECT_LT(before.ticks[i] + NR, after.ticks[i]);
		sum += after.ticks[i] - before.ticks[i];
	}
	EXPECT_GE(took, sum);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());
	TEST_REQUIRE(!access(EXITS, R_OK));

	return test_harness_run(argc, argv);
}
