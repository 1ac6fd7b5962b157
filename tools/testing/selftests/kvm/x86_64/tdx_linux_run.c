// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's vCPUs, a thread each, until the guest ends: by itself, by an exit
 * that nothing can answer, or at a time limit.  What the guest may ask for and
 * doesn't get is refused; it can't make the launcher fail.
 */
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"
#include "tdx_linux.h"
#include "tdx_tdcall.h"

/* The message of a fatal error, in the order of GHCI; as numbered in opcodes. */
static const int fatal_regs[] = { 14, 15, 3, 7, 6, 8, 9, 2 };
#define FATAL_CODE_REG		12

/* How Linux asks for a quote, in memory. */
#define QUOTE_VERSION		1
#define REPORT_SIZE		1024
#define REPORT_MRTD		(512 + 16)

struct quote_request {
	uint64_t version;
	uint64_t status;
	uint32_t in_len;
	uint32_t out_len;
	uint8_t report[REPORT_SIZE];
};

/* Wakes a vCPU's thread out of KVM_RUN. */
#define SIG_STOP		SIGUSR1

struct vcpu_thread {
	struct tdx_linux *td;
	struct kvm_vcpu *vcpu;
};

/* The first reason counts; what follows is how the other vCPUs see it. */
static void set_end(struct tdx_linux *td, enum tdx_linux_end end)
{
	if (td->end == END_NONE)
		td->end = end;
	pthread_cond_signal(&td->ended);
}

/* Whatever the guest, or KVM on its behalf, comes up with. */
static bool is_in_ram(struct tdx_linux *td, uint64_t gpa, uint64_t npages)
{
	uint64_t ram = td->image.ram;

	return npages && gpa < ram && gpa % PAGE_SIZE == 0 &&
	       npages <= (ram - gpa) / PAGE_SIZE;
}

/* The contents go, either way: the guest knows that it has to start afresh. */
static void convert(struct tdx_linux *td, uint64_t gpa, uint64_t npages,
		    bool private)
{
	uint64_t size = npages * PAGE_SIZE;

	if (private) {
		vm_mem_set_private(td->vm, gpa, size);
		madvise(addr_gpa2hva(td->vm, gpa), size, MADV_DONTNEED);
		td->counts.to_private += npages;
	} else {
		vm_mem_set_shared(td->vm, gpa, size);
		vm_guest_mem_punch_hole(td->vm, gpa, size);
		td->counts.to_shared += npages;
	}
}

static void handle_hypercall(struct tdx_linux *td, struct kvm_run *run)
{
	uint64_t gpa = run->hypercall.args[0];
	uint64_t npages = run->hypercall.args[1];

	if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE || !is_in_ram(td, gpa, npages)) {
		run->hypercall.ret = EINVAL;
		return;
	}
	convert(td, gpa, npages, run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED);
	run->hypercall.ret = 0;
}

/* An access that the guest didn't announce converts the memory, too. */
static void handle_memory_fault(struct tdx_linux *td, struct kvm_run *run)
{
	uint64_t npages = run->memory_fault.size / PAGE_SIZE;
	uint64_t gpa = run->memory_fault.gpa;
	uint64_t flags = run->memory_fault.flags;

	if (flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE || !is_in_ram(td, gpa, npages)) {
		printf("the guest touched memory that isn't there: %#lx\n", gpa);
		set_end(td, END_ERROR);
		return;
	}
	td->counts.implicit += npages;
	convert(td, gpa, npages, flags);
}

static void handle_io(struct tdx_linux *td, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	enum tdx_linux_end end;
	uint32_t i, val;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		val = 0;
		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&val, data, run->io.size);
			end = tdx_linux_port_out(td, run->io.port, val);
			if (end != END_NONE)
				set_end(td, end);
		} else {
			val = tdx_linux_port_in(td, run->io.port);
			memcpy(data, &val, run->io.size);
		}
	}
}

/* There are no devices behind memory. */
static void handle_mmio(struct kvm_run *run)
{
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

/*
 * Nothing here makes quotes, and KVM answers so.  But what the guest wants a quote
 * of is a TDREPORT, in memory that it shares.
 */
static void handle_get_quote(struct tdx_linux *td, uint64_t gpa, uint64_t size)
{
	struct quote_request *request;

	if (!is_in_ram(td, gpa, size / PAGE_SIZE) || size < sizeof(*request))
		return;
	request = addr_gpa2hva(td->vm, gpa);
	if (request->version != QUOTE_VERSION ||
	    request->in_len != sizeof(request->report))
		return;
	td->reported = !memcmp(request->report + REPORT_MRTD, td->mrtd,
			       sizeof(td->mrtd));
}

static void handle_fatal(struct tdx_linux *td, struct kvm_run *run)
{
	char text[8 * ARRAY_SIZE(fatal_regs) + 1] = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(fatal_regs); i++)
		memcpy(text + 8 * i, &run->system_event.data[fatal_regs[i]], 8);
	for (i = 0; text[i]; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
	printf("the guest reports a fatal error: code %#llx \"%s\"\n",
	       run->system_event.data[FATAL_CODE_REG], text);
	set_end(td, END_FATAL);
}

static void handle_system_event(struct tdx_linux *td, struct kvm_run *run)
{
	if (run->system_event.type == KVM_SYSTEM_EVENT_TDX_FATAL) {
		handle_fatal(td, run);
		return;
	}
	printf("KVM reports system event %u\n", run->system_event.type);
	set_end(td, END_ERROR);
}

static void handle_exit(struct tdx_linux *td, struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(td, run);
		break;
	case KVM_EXIT_MMIO:
		handle_mmio(run);
		break;
	case KVM_EXIT_HYPERCALL:
		handle_hypercall(td, run);
		break;
	case KVM_EXIT_TDX:
		if (run->tdx.nr == TDVMCALL_GET_QUOTE)
			handle_get_quote(td, run->tdx.get_quote.gpa,
					 run->tdx.get_quote.size);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		handle_system_event(td, run);
		break;
	case KVM_EXIT_SHUTDOWN:
		set_end(td, td->panicked ? END_PANIC : END_SHUTDOWN);
		break;
	default:
		printf("vCPU %u: KVM exits with %s (%u), data %#llx\n", vcpu->id,
		       exit_reason_str(run->exit_reason), run->exit_reason,
		       run->internal.data[0]);
		set_end(td, END_ERROR);
	}
}

/* Interrupted or done, and then handled; -1 for what has to end the guest. */
static void handle_return(struct tdx_linux *td, struct kvm_vcpu *vcpu, int ret)
{
	uint32_t reason = vcpu->run->exit_reason;

	if (ret == -EINTR || ret == -EAGAIN)
		return;
	if (ret && !(ret == -EFAULT && reason == KVM_EXIT_MEMORY_FAULT)) {
		printf("vCPU %u: KVM_RUN failed: %s\n", vcpu->id, strerror(-ret));
		set_end(td, END_ERROR);
		return;
	}
	if (reason < ARRAY_SIZE(td->counts.exits))
		td->counts.exits[reason]++;
	if (ret)
		handle_memory_fault(td, vcpu->run);
	else
		handle_exit(td, vcpu);
}

static void *run_vcpu(void *arg)
{
	struct vcpu_thread *thread = arg;
	struct tdx_linux *td = thread->td;
	struct kvm_vcpu *vcpu = thread->vcpu;
	bool ended;
	int ret;

	do {
		ret = tdx_ret(__vcpu_run(vcpu));
		pthread_mutex_lock(&td->lock);
		if (td->end == END_NONE)
			handle_return(td, vcpu, ret);
		ended = td->end != END_NONE;
		pthread_mutex_unlock(&td->lock);
	} while (!ended);
	free(thread);
	return NULL;
}

static void start_vcpus(struct tdx_linux *td)
{
	struct vcpu_thread *thread;
	int i;

	for (i = 0; i < td->image.nr_vcpus; i++) {
		thread = malloc(sizeof(*thread));
		TEST_ASSERT(thread, "No memory for a thread");
		*thread = (struct vcpu_thread) { .td = td, .vcpu = td->vcpus[i] };
		TEST_ASSERT(!pthread_create(&td->threads[i], NULL, run_vcpu, thread),
			    "Cannot start the thread of vCPU %d", i);
	}
}

static void stop_vcpus(struct tdx_linux *td)
{
	int i;

	for (i = 0; i < td->image.nr_vcpus; i++) {
		td->vcpus[i]->run->immediate_exit = 1;
		pthread_kill(td->threads[i], SIG_STOP);
	}
	for (i = 0; i < td->image.nr_vcpus; i++)
		pthread_join(td->threads[i], NULL);
}

static void ignore_signal(int sig)
{
}

enum tdx_linux_end tdx_linux_run(struct tdx_linux *td, unsigned int seconds)
{
	struct timespec limit;

	/* Not ignored: it is to interrupt KVM_RUN. */
	signal(SIG_STOP, ignore_signal);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += seconds;

	start_vcpus(td);
	pthread_mutex_lock(&td->lock);
	while (td->end == END_NONE) {
		if (pthread_cond_timedwait(&td->ended, &td->lock, &limit))
			set_end(td, END_HUNG);
	}
	pthread_mutex_unlock(&td->lock);
	stop_vcpus(td);
	return td->end;
}
