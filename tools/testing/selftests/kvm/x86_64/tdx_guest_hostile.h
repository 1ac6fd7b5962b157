/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of tests with TDs that do anything at random: run them, answer
 * them, and see to it that neither is the end of anything but the TD.  For one
 * test file each.
 */
#ifndef SELFTEST_KVM_TDX_GUEST_HOSTILE_H
#define SELFTEST_KVM_TDX_GUEST_HOSTILE_H

#include <signal.h>
#include <sys/time.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define NR_TDS		16
#define NR_STEPS	400

/* A guest that does not come back, or goes in circles, is left at that. */
#define MAX_EXITS	2000
#define MAX_MSECS	1000
/* With a handler of its own, an NMI may help it. */
#define MAX_NMIS	20
#define NMI_MSECS	50
/* Nor can the host help one that wants memory where there is none. */
#define MAX_FAULTS	3

#define GPA		TDX_TEST_GPA
#define NR_PAGES	16

#define NR_VECTORS	256

static void guest_sane(uint64_t arg)
{
	GUEST_ASSERT_EQ(tdx_accept(GPA, TDX_PAGE_4K), 0);
	GUEST_ASSERT(tdx_is_zero((void *)TDX_GUEST_PRIVATE(GPA)));
}

/* As long as an instruction may be. */
#define HOSTILE_BYTES	15

/* Shared with the host: what the TD does next, to be known if it dies of it. */
struct hostile_log {
	uint64_t step;
	uint8_t bytes[HOSTILE_BYTES];
};

static struct hostile_log *hostile_log;

static void hostile_note(uint64_t step, const void *bytes, size_t size)
{
	memcpy(hostile_log->bytes, bytes, size);
	WRITE_ONCE(hostile_log->step, step);
}

static void on_alarm(int sig)
{
}

static void set_alarm(int msecs)
{
	struct itimerval timer = {
		.it_value.tv_sec = msecs / 1000,
		.it_value.tv_usec = msecs % 1000 * 1000,
		/* Once more if it hit outside of KVM_RUN. */
		.it_interval.tv_usec = msecs ? NMI_MSECS * 1000 : 0,
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Any answer is legal, so give each of them some time. */
static void answer(struct kvm_vcpu *vcpu, unsigned int *seed)
{
	static const uint64_t map_gpa_ret[] = { 0, EAGAIN, EINVAL };
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_HYPERCALL)
		run->hypercall.ret = map_gpa_ret[rand_r(seed) % 3];
	else if (run->exit_reason == KVM_EXIT_TDX)
		run->tdx.unknown.ret = rand_r(seed);
	else if (run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		__tdx_set_attributes(vcpu->vm, run->memory_fault.gpa & ~(PAGE_SIZE - 1),
				     PAGE_SIZE, run->memory_fault.flags &
				     KVM_MEMORY_EXIT_FLAG_PRIVATE);
}

struct outcome {
	int nr_exits, nr_faults, nr_nmis, ret;
	uint32_t reason;
	struct ucall uc;
};

static bool nmi_may_help(struct outcome *o, int max_nmis)
{
	return o->ret == -EINTR && o->nr_nmis < max_nmis;
}

static struct outcome run_hostile(struct kvm_vcpu *vcpu, unsigned int seed, int max_nmis)
{
	struct outcome o = {};

	set_alarm(max_nmis ? NMI_MSECS : MAX_MSECS);
	for (o.nr_exits = 0; o.nr_exits < MAX_EXITS; o.nr_exits++) {
		o.ret = tdx_ret(__vcpu_run(vcpu));
		o.reason = vcpu->run->exit_reason;
		if (nmi_may_help(&o, max_nmis)) {
			vcpu_ioctl(vcpu, KVM_NMI, NULL);
			o.nr_nmis++;
			continue;
		}
		if (o.ret && o.reason != KVM_EXIT_MEMORY_FAULT)
			break;
		if (o.reason == KVM_EXIT_SHUTDOWN || o.reason == KVM_EXIT_FAIL_ENTRY ||
		    o.reason == KVM_EXIT_INTERNAL_ERROR)
			break;
		o.nr_faults = o.ret ? o.nr_faults + 1 : 0;
		if (o.nr_faults == MAX_FAULTS)
			break;
		if (!o.ret)
			get_ucall(vcpu, &o.uc);
		if (o.uc.cmd == UCALL_DONE || o.uc.cmd == UCALL_ABORT)
			break;
		answer(vcpu, &seed);
	}
	set_alarm(0);
	return o;
}

/* Where nothing that is pending is a problem, and there is memory to play with. */
static struct kvm_vm *hostile_create(struct kvm_vcpu **vcpu, void (*code)(uint64_t),
				     uint64_t seed,
				     void (*handler)(struct ex_regs *regs),
				     struct hostile_log **log)
{
	struct kvm_vm *vm = tdx_guest_create_with(tdx_guest_no_attributes);
	vm_vaddr_t gva;
	int i;

	*log = tdx_guest_shared_alloc(vm, sizeof(**log), &gva);
	*vcpu = tdx_guest_vcpu_add(vm, 0, code, seed);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	write_guest_global(vm, tdx_ve_accepts, true);
	write_guest_global(vm, hostile_log, (struct hostile_log *)gva);
	for (i = 0; handler && i < NR_VECTORS; i++)
		vm_install_exception_handler(vm, i, handler);
	tdx_guest_launch(vm);
	return vm;
}

static uint32_t first_seed = 1;

static void free_any(struct kvm_vm *vm)
{
	if (tdx_vm_is_dead(vm))
		tdx_vm_free_dead(vm);
	else
		kvm_vm_free(vm);
}

FIXTURE(hostile) {
	struct tdx_usage before;
	unsigned long taint;
};

FIXTURE_SETUP(hostile)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	tdx_usage(&self->before);
	self->taint = tdx_kernel_taint();
}

/* The host has all that it had, and a TD that behaves works. */
FIXTURE_TEARDOWN(hostile)
{
	struct tdx_usage after;
	struct hostile_log *log;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = hostile_create(&vcpu, guest_sane, 0, NULL, &log);

	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
	tdx_usage(&after);
	EXPECT_EQ(self->before.keyids, after.keyids);
	EXPECT_EQ(self->before.pages, after.pages);
	EXPECT_EQ(self->before.leaked, after.leaked);
	EXPECT_EQ(self->taint, tdx_kernel_taint());
}

static void print_outcome(uint32_t seed, struct outcome *o, struct hostile_log *log)
{
	char bytes[3 * sizeof(log->bytes) + 1] = "";
	int i;

	for (i = 0; i < sizeof(log->bytes); i++)
		sprintf(bytes + 3 * i, " %02x", log->bytes[i]);
	ksft_print_msg("seed %u: %d exits, %d NMIs, last: %s, exit reason %u, %s %s\n",
		       seed, o->nr_exits, o->nr_nmis, o->ret ? strerror(-o->ret) : "ok",
		       o->reason, o->uc.cmd == UCALL_DONE ? "to the end" : "stopped",
		       o->uc.cmd == UCALL_ABORT ? o->uc.buffer : "");
	ksft_print_msg("  step %lu:%s\n", log->step, bytes);
}

static void hostile_run(struct __test_metadata *_metadata, void (*code)(uint64_t),
			void (*handler)(struct ex_regs *regs))
{
	int nr_to_the_end = 0;
	uint32_t seed;

	for (seed = first_seed; seed < first_seed + NR_TDS; seed++) {
		struct hostile_log *log;
		struct kvm_vcpu *vcpu;
		struct kvm_vm *vm = hostile_create(&vcpu, code, seed, handler, &log);
		struct outcome o = run_hostile(vcpu, seed, handler ? MAX_NMIS : 0);

		print_outcome(seed, &o, log);
		nr_to_the_end += o.uc.cmd == UCALL_DONE;
		free_any(vm);
	}
	/* Or else they don't get far enough to do harm. */
	EXPECT_GT(nr_to_the_end, 0);
}

static int hostile_main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	if (getenv("TDX_SEED"))
		first_seed = atoi_positive("TDX_SEED", getenv("TDX_SEED"));

	return test_harness_run(argc, argv);
}

#endif /* SELFTEST_KVM_TDX_GUEST_HOSTILE_H */
