// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that another thread takes back from vCPUs that want it, a thousand times:
 * whenever one of them has left for a memory fault, and userspace has done what it
 * was asked for, the page may be shared again before the guest gets there.
 *
 * The TDX module stops to enter a vCPU that faults too often at one instruction, and
 * the guest can't do anything about it: that is up to KVM.
 */
#include <linux/compiler.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define MAX_VCPUS	2
#define NR_ROUNDS	1000
#define NR_VAIN		50
/* Accepted pages between two that are also used. */
#define QUIET_EVERY	16

/* Shared with the guest. */
struct state {
	uint64_t stop;
	uint64_t nr_touched[MAX_VCPUS];
	/* A vCPU wants the page to be left alone, and it is. */
	uint64_t wants_quiet[MAX_VCPUS], is_quiet[MAX_VCPUS];
};

static struct state *state;
static uint64_t *page = (uint64_t *)TDX_GUEST_PRIVATE(GPA);

static void touch(uint64_t me)
{
	uint64_t n = ++state->nr_touched[me];

	WRITE_ONCE(page[me], n);
}

/* Each first access is a fault, then a #VE, whose handler accepts. */
static void guest_touches(uint64_t me)
{
	tdx_ve_accepts = true;
	while (!READ_ONCE(state->stop))
		touch(me);
	touch(me);
	GUEST_ASSERT_EQ(READ_ONCE(page[me]), state->nr_touched[me]);
}

static void accept(void)
{
	uint64_t status = tdx_accept(GPA, TDX_PAGE_4K);

	__GUEST_ASSERT(!status ||
		       TDCALL_STATUS(status) == TDCALL_PAGE_ALREADY_ACCEPTED,
		       "ACCEPT: %#lx", status);
}

static void touch_in_quiet(uint64_t me)
{
	/* After the storm there is nothing but quiet. */
	WRITE_ONCE(state->wants_quiet[me], 1);
	while (!READ_ONCE(state->is_quiet[me]) && !READ_ONCE(state->stop))
		cpu_relax();

	accept();
	touch(me);
	GUEST_ASSERT_EQ(READ_ONCE(page[me]), state->nr_touched[me]);

	WRITE_ONCE(state->wants_quiet[me], 0);
	while (READ_ONCE(state->is_quiet[me]) && !READ_ONCE(state->stop))
		cpu_relax();
}

/* A page that was taken away is pending when it is back: no access without ACCEPT. */
static void guest_accepts(uint64_t me)
{
	int i;

	for (i = 0; !READ_ONCE(state->stop); i++) {
		accept();
		if (i % QUIET_EVERY == 0)
			touch_in_quiet(me);
	}
	touch_in_quiet(me);
}

static void guest_touches_once(uint64_t me)
{
	tdx_ve_accepts = true;
	touch(me);
	GUEST_ASSERT_EQ(READ_ONCE(page[me]), 1);
}

/*
 * The host
 */

static struct {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[MAX_VCPUS];
	struct state *state;
	int nr;
	/* What the vCPUs' threads have made of the page. */
	bool is_private;
	uint64_t nr_faults;
} s;

static void set_private(bool private)
{
	int ret = __tdx_set_attributes(s.vm, GPA, PAGE_SIZE,
				       private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);

	TEST_ASSERT(!ret, "KVM_SET_MEMORY_ATTRIBUTES: %d", ret);
}

static void expect_private_fault(struct kvm_run *run)
{
	TEST_ASSERT_EQ(run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(run->memory_fault.flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	TEST_ASSERT_EQ(run->memory_fault.gpa, GPA);
}

static void *run_vcpu(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct ucall uc;

	while (tdx_guest_run(vcpu, &uc) == UCALL_NONE) {
		expect_private_fault(vcpu->run);
		__atomic_add_fetch(&s.nr_faults, 1, __ATOMIC_RELAXED);
		set_private(true);
		WRITE_ONCE(s.is_private, true);
	}
	TEST_ASSERT_EQ(uc.cmd, UCALL_DONE);
	return NULL;
}

/* Leave the page alone as long as somebody wants that. */
static void grant_quiet(void)
{
	int i;

	for (i = 0; i < s.nr; i++) {
		if (!READ_ONCE(s.state->wants_quiet[i]))
			continue;
		WRITE_ONCE(s.state->is_quiet[i], 1);
		while (READ_ONCE(s.state->wants_quiet[i]))
			sched_yield();
		WRITE_ONCE(s.state->is_quiet[i], 0);
	}
}

static void wait_for_the_page(void)
{
	while (!READ_ONCE(s.is_private)) {
		grant_quiet();
		sched_yield();
	}
}

/* At once as often as after any power of two, up to long after the page was used. */
static void spin_a_little(unsigned int *seed)
{
	int spin = rand_r(seed) % (1 << rand_r(seed) % 15);

	while (spin--)
		barrier();
}

static void storm(void)
{
	unsigned int seed = guest_random_seed;
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		wait_for_the_page();
		spin_a_little(&seed);
		grant_quiet();
		WRITE_ONCE(s.is_private, false);
		set_private(false);
	}
	WRITE_ONCE(s.state->stop, 1);
}

static void create(int nr, bool sept_ve_disable, void (*code)(uint64_t))
{
	vm_vaddr_t gva;
	int i;

	memset(&s, 0, sizeof(s));
	s.nr = nr;
	s.is_private = true;
	s.vm = tdx_guest_create_with(sept_ve_disable ? NULL : tdx_guest_no_attributes);
	s.state = tdx_guest_shared_alloc(s.vm, sizeof(*s.state), &gva);
	for (i = 0; i < nr; i++)
		s.vcpu[i] = tdx_guest_vcpu_add(s.vm, i, code, i);
	tdx_guest_mem_add(s.vm, GPA, TDX_TEST_SLOT, 1);
	write_guest_global(s.vm, state, (struct state *)gva);
	tdx_guest_launch(s.vm);
}

FIXTURE(storm) {
	unsigned long taint;
	struct tdx_usage before;
	int kmsg;
};

FIXTURE_VARIANT(storm) {
	bool sept_ve_disable;
	int nr_vcpus;
	void (*code)(uint64_t me);
};

FIXTURE_VARIANT_ADD(storm, touching) {
	.nr_vcpus = 1, .code = guest_touches,
};

FIXTURE_VARIANT_ADD(storm, touching_two) {
	.nr_vcpus = 2, .code = guest_touches,
};

FIXTURE_VARIANT_ADD(storm, accepting) {
	.sept_ve_disable = true, .nr_vcpus = 1, .code = guest_accepts,
};

FIXTURE_VARIANT_ADD(storm, accepting_two) {
	.sept_ve_disable = true, .nr_vcpus = 2, .code = guest_accepts,
};

FIXTURE_SETUP(storm)
{
	self->taint = tdx_kernel_taint();
	self->kmsg = tdx_kmsg_open();
	tdx_usage(&self->before);
}

FIXTURE_TEARDOWN(storm)
{
	struct tdx_usage after;

	tdx_usage(&after);
	EXPECT_EQ(self->before.keyids, after.keyids);
	EXPECT_EQ(self->before.pages, after.pages);
	EXPECT_EQ(self->before.leaked, after.leaked);
	EXPECT_EQ(0, ~self->taint & tdx_kernel_taint() & TDX_TAINT_WARN);
	close(self->kmsg);
}

TEST_F_TIMEOUT(storm, every_vcpu_gets_through, 120)
{
	pthread_t vcpus[MAX_VCPUS];
	uint64_t nr_removed;
	int i;

	if (variant->nr_vcpus > tdx_guest_max_vcpus())
		SKIP(return, "one CPU only");

	create(variant->nr_vcpus, variant->sept_ve_disable, variant->code);
	for (i = 0; i < s.nr; i++)
		vcpus[i] = tdx_start_thread(run_vcpu, s.vcpu[i]);
	storm();
	for (i = 0; i < s.nr; i++)
		pthread_join(vcpus[i], NULL);

	nr_removed = tdx_vm_count(s.vm, TDX_LEAF_PAGE_REMOVE);
	ksft_print_msg("%d conversions, %lu of a mapped page, %lu memory faults\n",
		       NR_ROUNDS, nr_removed, s.nr_faults);
	ksft_print_msg("%lu + %lu accesses\n", s.state->nr_touched[0],
		       s.state->nr_touched[1]);
	EXPECT_GT(s.nr_faults, 0);
	EXPECT_FALSE(tdx_vm_is_dead(s.vm));
	EXPECT_FALSE(tdx_kmsg_has(self->kmsg, "before accepting"));
	kvm_vm_free(s.vm);
}

/* Two of these are enough: one that may have a #VE for it, and one that may not. */
FIXTURE(vain) {
	int kmsg;
};

FIXTURE_VARIANT(vain) {
	bool sept_ve_disable;
};

FIXTURE_VARIANT_ADD(vain, ve) {};

FIXTURE_VARIANT_ADD(vain, sept_ve_disable) {
	.sept_ve_disable = true,
};

FIXTURE_SETUP(vain)
{
	self->kmsg = tdx_kmsg_open();
}

FIXTURE_TEARDOWN(vain)
{
	close(self->kmsg);
}

/*
 * A VMM that does nothing gets the same fault again, however often it tries, and the
 * guest is none the worse for it: as if it had been the first time.  Unless it may
 * not touch what it hasn't accepted.
 */
TEST_F(vain, fault_costs_no_entries)
{
	struct kvm_vcpu *vcpu;
	uint64_t nr_entries;
	int i;

	create(1, variant->sept_ve_disable, guest_touches_once);
	vcpu = s.vcpu[0];
	set_private(false);

	EXPECT_EQ(-EFAULT, tdx_ret(__vcpu_run(vcpu)));
	expect_private_fault(vcpu->run);
	nr_entries = tdx_vm_count(s.vm, TDX_LEAF_VP_ENTER);
	for (i = 0; i < NR_VAIN; i++) {
		EXPECT_EQ(-EFAULT, tdx_ret(__vcpu_run(vcpu)));
		expect_private_fault(vcpu->run);
	}
	EXPECT_EQ(nr_entries, tdx_vm_count(s.vm, TDX_LEAF_VP_ENTER));
	set_private(true);

	if (!variant->sept_ve_disable) {
		tdx_guest_run_to_done(vcpu);
		EXPECT_FALSE(tdx_kmsg_has(self->kmsg, "before accepting"));
		kvm_vm_free(s.vm);
		return;
	}

	EXPECT_EQ(-EIO, tdx_ret(__vcpu_run(vcpu)));
	EXPECT_TRUE(tdx_vm_is_dead(s.vm));
	EXPECT_TRUE(tdx_kmsg_has(self->kmsg, "accessed GPA 0x40000000 before accepting it"));
	tdx_vm_free_dead(s.vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
