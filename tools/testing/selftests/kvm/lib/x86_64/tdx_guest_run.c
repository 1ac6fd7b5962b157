// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running TDs: what the guest says, and what a VMM does when the guest asks.
 */
#include <linux/falloc.h>
#include <sys/mman.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"

uint64_t tdx_guest_run(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	struct ucall ignored;
	int ret;

	if (!uc)
		uc = &ignored;
	for (;;) {
		ret = tdx_ret(_vcpu_run(vcpu));
		if (ret == -EFAULT &&
		    vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
			uc->cmd = UCALL_NONE;
			return UCALL_NONE;
		}
		TEST_ASSERT(!ret, "KVM_RUN of vCPU %u: %d, exit reason %u (%s)",
			    vcpu->id, ret, vcpu->run->exit_reason,
			    exit_reason_str(vcpu->run->exit_reason));

		switch (get_ucall(vcpu, uc)) {
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(*uc);
			break;
		case UCALL_PRINTF:
			REPORT_GUEST_PRINTF(*uc);
			break;
		default:
			return uc->cmd;
		}
	}
}

static const char *fatal_message(struct kvm_run *run)
{
	static char text[32];

	text[0] = 0;
	if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
		snprintf(text, sizeof(text), ", event %u", run->system_event.type);
	return text;
}

void tdx_guest_run_to_sync(struct kvm_vcpu *vcpu, uint64_t stage)
{
	struct ucall uc;

	tdx_guest_run(vcpu, &uc);
	TEST_ASSERT(uc.cmd == UCALL_SYNC,
		    "vCPU %u: wanted sync %lu, got ucall %lu, exit reason %u (%s)%s",
		    vcpu->id, stage, uc.cmd, vcpu->run->exit_reason,
		    exit_reason_str(vcpu->run->exit_reason),
		    fatal_message(vcpu->run));
	TEST_ASSERT_EQ(uc.args[1], stage);
}

void tdx_guest_run_to_done(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	tdx_guest_run(vcpu, &uc);
	TEST_ASSERT(uc.cmd == UCALL_DONE,
		    "vCPU %u: wanted the end, got ucall %lu (%lu), exit reason %u (%s)%s",
		    vcpu->id, uc.cmd, uc.args[1], vcpu->run->exit_reason,
		    exit_reason_str(vcpu->run->exit_reason),
		    fatal_message(vcpu->run));
}

void tdx_guest_run_to_exit(struct kvm_vcpu *vcpu, uint32_t reason)
{
	struct ucall uc;

	tdx_guest_run(vcpu, &uc);
	TEST_ASSERT(uc.cmd == UCALL_NONE && vcpu->run->exit_reason == reason,
		    "vCPU %u: wanted exit %u (%s), got ucall %lu (%lu), exit reason %u (%s)%s",
		    vcpu->id, reason, exit_reason_str(reason), uc.cmd, uc.args[1],
		    vcpu->run->exit_reason,
		    exit_reason_str(vcpu->run->exit_reason),
		    fatal_message(vcpu->run));
}

pthread_t tdx_start_thread(void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, fn, arg);

	TEST_ASSERT(!ret, "pthread_create(): %s", strerror(ret));
	return thread;
}

static void *run_to_done(void *vcpu)
{
	tdx_guest_run_to_done(vcpu);
	return NULL;
}

void tdx_pin_thread(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!pthread_setaffinity_np(thread, sizeof(set), &set),
		    "pthread_setaffinity_np(%d)", cpu);
}

/* Guests that wait for each other are slow if they take turns on one CPU. */
void tdx_guest_run_all_to_done(struct kvm_vcpu **vcpus, int nr)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	pthread_t threads[nr];

	for (i = 0; i < nr; i++) {
		threads[i] = tdx_start_thread(run_to_done, vcpus[i]);
		tdx_pin_thread(threads[i], i % nr_cpus);
	}
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

void tdx_guest_convert(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
		       bool to_private)
{
	int ret;

	if (!to_private) {
		vm_mem_set_shared(vm, gpa, size);
		vm_guest_mem_punch_hole(vm, gpa, size);
		return;
	}
	vm_mem_set_private(vm, gpa, size);
	ret = madvise(addr_gpa2hva(vm, gpa), size, MADV_DONTNEED);
	TEST_ASSERT(!ret, "madvise(): %d", errno);
}

void tdx_guest_handle_map_gpa(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT_EQ(run->exit_reason, KVM_EXIT_HYPERCALL);
	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	tdx_guest_convert(vcpu->vm, run->hypercall.args[0],
			  run->hypercall.args[1] * PAGE_SIZE,
			  run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED);
	run->hypercall.ret = 0;
}

int64_t tdx_guest_sept_pages(struct kvm_vm *vm)
{
	/* Not SEAMCALLs: the module may find a page, or the tree, busy. */
	return vm_get_stat(vm, "tdx_pages_mapped") -
	       vm_get_stat(vm, "tdx_pages_removed");
}

int64_t tdx_guest_mapped_pages(struct kvm_vm *vm)
{
	return vm_get_stat(vm, "pages_4k") +
	       vm_get_stat(vm, "pages_2m") * (SZ_2M / PAGE_SIZE);
}

void tdx_guest_msi(struct kvm_vm *vm, uint32_t apic_id, uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | apic_id << 12,
		.data = data,
	};
	int ret = __vm_ioctl(vm, KVM_SIGNAL_MSI, &msi);

	TEST_ASSERT(ret == 1, "KVM_SIGNAL_MSI of %#x: %d", data, ret);
}
