// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an ordinary VM costs: its exits, its faults, dirty logging, its life.  Run on
 * a kernel without and on one with TDX, and compare.
 *
 * Takes the TSC, which is a count of instructions in Bochs, and a multiple of it in
 * QEMU with -icount; elsewhere it is time, and good for ratios only.  One line per
 * row: what, how often, ticks.  The machine should have one CPU.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"
#include "tdx_guest.h"

#define NR_ROUNDS	4
#define NR_EXITS	5000
#define NR_VMS		16

#define DATA_SLOT	10
#define DATA_GPA	SZ_4G
#define NR_PAGES	8192
#define HUGE_SLOT	11
#define HUGE_GPA	(SZ_4G + SZ_1G)
#define NR_HUGE_PAGES	32
/* Few at a time, and often: some are to be without a tick of the host's timer. */
#define NR_HUGE_AT_ONCE	8
#define NR_HUGE_FAULTS	8
/* No row takes that long, of the guest's own time. */
#define MOST_SECONDS	20
#define MMIO_GPA	(SZ_4G + 2ul * SZ_1G)

#define DONE_PORT	0x80
#define OUT_PORT	0x81
#define VECTOR		0x40

enum guest_op {
	GUEST_CPUID,
	GUEST_OUT,
	GUEST_MMIO_READ,
	GUEST_MMIO_WRITE,
	GUEST_CR8,
	GUEST_CR8_UNMASK,
	GUEST_INTERRUPT,
	GUEST_HLT_PENDING,
	GUEST_HLT,
	GUEST_TOUCH,
	GUEST_TOUCH_HUGE,
};

static enum guest_op guest_op;
static uint64_t first_huge_page;
static uint64_t nr_interrupts;

static struct kvm_vm *vm;
static struct kvm_vcpu *vcpu;
static uint64_t *interrupts;
static bool woken_enough;

struct row {
	const char *name;
	uint64_t nr;
	uint64_t least;
};

static struct row rows[64];
static int nr_rows;

/*
 * The guest
 */

static void guest_interrupt(struct ex_regs *regs)
{
	WRITE_ONCE(nr_interrupts, nr_interrupts + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_ipi_self(void)
{
	x2apic_write_reg(APIC_ICR, APIC_DEST_SELF | APIC_DM_FIXED | VECTOR);
}

/* Interrupts are enabled from within HLT on, and not any longer. */
static void guest_hlt(void)
{
	asm volatile("sti; hlt; cli" ::: "memory");
}

static void guest_write_cr8(uint64_t val)
{
	asm volatile("mov %0, %%cr8" :: "r" (val) : "memory");
}

static void guest_touch(uint64_t gpa, uint64_t nr, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(*(uint64_t *)(gpa + i * size), i);
}

static void guest_do(enum guest_op op)
{
	uint32_t eax, ebx, ecx, edx;

	switch (op) {
	case GUEST_CPUID:
		cpuid(1, &eax, &ebx, &ecx, &edx);
		break;
	case GUEST_OUT:
		asm volatile("outb %%al, %0" :: "N" (OUT_PORT), "a" (0));
		break;
	case GUEST_MMIO_READ:
		READ_ONCE(*(uint32_t *)MMIO_GPA);
		break;
	case GUEST_MMIO_WRITE:
		WRITE_ONCE(*(uint32_t *)MMIO_GPA, 1);
		break;
	case GUEST_CR8:
		guest_write_cr8(0);
		break;
	case GUEST_CR8_UNMASK:
		guest_write_cr8(15);
		guest_ipi_self();
		asm volatile("sti");
		guest_write_cr8(0);
		asm volatile("cli");
		break;
	case GUEST_INTERRUPT:
		guest_ipi_self();
		asm volatile("sti; nop; cli");
		break;
	case GUEST_HLT_PENDING:
		guest_ipi_self();
		guest_hlt();
		break;
	case GUEST_HLT:
		guest_hlt();
		break;
	default:
		GUEST_FAIL("No such operation: %d", op);
	}
}

static void guest_code(void)
{
	int i;

	x2apic_enable();

	for (;;) {
		asm volatile("outb %%al, %0" :: "N" (DONE_PORT), "a" (0) : "memory");

		switch (READ_ONCE(guest_op)) {
		case GUEST_TOUCH:
			guest_touch(DATA_GPA, NR_PAGES, PAGE_SIZE);
			break;
		case GUEST_TOUCH_HUGE:
			guest_touch(HUGE_GPA + READ_ONCE(first_huge_page) * SZ_2M,
				    NR_HUGE_AT_ONCE, SZ_2M);
			break;
		default:
			for (i = 0; i < NR_EXITS; i++)
				guest_do(guest_op);
		}
	}
}

/*
 * The VMM
 */

static uint64_t cpu_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Each row's rounds come one after the other, in the same order. */
static void record(const char *name, uint64_t nr, uint64_t ticks)
{
	struct row *row;

	for (row = rows; row < rows + nr_rows; row++) {
		if (!strcmp(row->name, name))
			break;
	}
	if (row == rows + nr_rows) {
		TEST_ASSERT(nr_rows < ARRAY_SIZE(rows), "No room for another row");
		*row = (struct row) { .name = name, .nr = nr, .least = ticks };
		nr_rows++;
	}
	row->least = min(row->least, ticks);
}

static void send_interrupt(void)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,
		.data = VECTOR,
	};

	TEST_ASSERT(__vm_ioctl(vm, KVM_SIGNAL_MSI, &msi) >= 0, "KVM_SIGNAL_MSI");
}

static void late(int sig)
{
}

/*
 * If a tick of the host's timer comes between STI and HLT, QEMU's SVM may forget that
 * STI holds interrupts off for one instruction more, and what should end the HLT comes
 * before it.  Nothing else ever would, so send another one.  That round is not the one
 * that counts.
 */
static void run_to_done(void)
{
	struct kvm_run *run = vcpu->run;

	for (;;) {
		if (__vcpu_run(vcpu)) {
			TEST_ASSERT(errno == EINTR, "KVM_RUN: %s", strerror(errno));
			printf("late: an interrupt more\n");
			send_interrupt();
			continue;
		}
		if (run->exit_reason == KVM_EXIT_MMIO)
			continue;
		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
		if (run->io.port == DONE_PORT)
			return;
		TEST_ASSERT_EQ(run->io.port, OUT_PORT);
	}
}

static void set_op(enum guest_op op)
{
	guest_op = op;
	sync_global_to_guest(vm, guest_op);
	alarm(MOST_SECONDS);
}

static void guest_row(const char *name, enum guest_op op, uint64_t nr)
{
	uint64_t start;

	set_op(op);
	start = rdtsc();
	run_to_done();
	record(name, nr, rdtsc() - start);
}

static void *wake(void *arg)
{
	uint64_t seen;

	while (!READ_ONCE(woken_enough)) {
		seen = READ_ONCE(*interrupts);
		send_interrupt();
		while (READ_ONCE(*interrupts) == seen && !READ_ONCE(woken_enough))
			sched_yield();
	}
	return NULL;
}

/*
 * With one CPU, the thread that wakes the vCPU runs while that is halted, and at times
 * when it is preempted: two interrupts can end one HLT.
 */
static void bench_wake(void)
{
	pthread_t thread;
	uint64_t start;

	woken_enough = false;
	set_op(GUEST_HLT);
	start = rdtsc();
	TEST_ASSERT(!pthread_create(&thread, NULL, wake, NULL), "pthread_create()");
	run_to_done();
	record("HLT and wake-up by another thread", NR_EXITS, rdtsc() - start);
	WRITE_ONCE(woken_enough, true);
	pthread_join(thread, NULL);
}

static void bench_immediate_exit(void)
{
	uint64_t start;
	int i;

	vcpu->run->immediate_exit = 1;
	start = rdtsc();
	for (i = 0; i < NR_EXITS; i++)
		TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN");
	record("KVM_RUN with immediate_exit", NR_EXITS, rdtsc() - start);
	vcpu->run->immediate_exit = 0;
}

static void bench_exits(void)
{
	guest_row("CPUID exit", GUEST_CPUID, NR_EXITS);
	guest_row("port write, exit to userspace", GUEST_OUT, NR_EXITS);
	guest_row("MMIO read, exit to userspace", GUEST_MMIO_READ, NR_EXITS);
	guest_row("MMIO write, exit to userspace", GUEST_MMIO_WRITE, NR_EXITS);
	guest_row("CR8 write", GUEST_CR8, NR_EXITS);
	guest_row("CR8 write that lets an interrupt in", GUEST_CR8_UNMASK, NR_EXITS);
	guest_row("interrupt sent, injected, EOI", GUEST_INTERRUPT, NR_EXITS);
	guest_row("HLT with an interrupt pending", GUEST_HLT_PENDING, NR_EXITS);
	bench_wake();
	bench_immediate_exit();
}

static void timed(const char *name, uint64_t nr, void (*fn)(void))
{
	uint64_t start = rdtsc();

	fn();
	record(name, nr, rdtsc() - start);
}

static void log_on(void)
{
	vm_mem_region_set_flags(vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
}

static void log_off(void)
{
	vm_mem_region_set_flags(vm, DATA_SLOT, 0);
}

static void log_get(void)
{
	static unsigned long bitmap[NR_PAGES / BITS_PER_LONG];

	kvm_vm_get_dirty_log(vm, DATA_SLOT, bitmap);
}

static void log_huge_on(void)
{
	vm_mem_region_set_flags(vm, HUGE_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
}

static void log_huge_off(void)
{
	vm_mem_region_set_flags(vm, HUGE_SLOT, 0);
}

static void unmap(void)
{
	TEST_ASSERT(!mprotect(addr_gpa2hva(vm, DATA_GPA), NR_PAGES * PAGE_SIZE, PROT_NONE),
		    "mprotect()");
	TEST_ASSERT(!mprotect(addr_gpa2hva(vm, DATA_GPA), NR_PAGES * PAGE_SIZE,
			      PROT_READ | PROT_WRITE), "mprotect()");
}

static void set_slot_size(uint32_t slot, uint64_t size)
{
	struct kvm_userspace_memory_region2 region = memslot2region(vm, slot)->region;

	region.memory_size = size;
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

static void delete_slot(void)
{
	set_slot_size(DATA_SLOT, 0);
}

static void bench_huge_faults(void)
{
	set_slot_size(HUGE_SLOT, 0);
	set_slot_size(HUGE_SLOT, NR_HUGE_PAGES * SZ_2M);

	for (first_huge_page = 0; first_huge_page < NR_HUGE_PAGES;
	     first_huge_page += NR_HUGE_AT_ONCE) {
		sync_global_to_guest(vm, first_huge_page);
		guest_row("EPT fault, 2 MiB", GUEST_TOUCH_HUGE, NR_HUGE_AT_ONCE);
	}
}

static void bench_memory(void)
{
	int i;

	guest_row("EPT fault, 4 KiB", GUEST_TOUCH, NR_PAGES);
	timed("dirty logging on, per page", NR_PAGES, log_on);
	guest_row("write to a logged page", GUEST_TOUCH, NR_PAGES);
	timed("KVM_GET_DIRTY_LOG, per page", NR_PAGES, log_get);
	timed("dirty logging off, per page", NR_PAGES, log_off);
	set_op(GUEST_TOUCH);
	run_to_done();
	timed("unmapped by an MMU notifier, per page", NR_PAGES, unmap);
	run_to_done();
	timed("memslot deleted, per page", NR_PAGES, delete_slot);
	set_slot_size(DATA_SLOT, NR_PAGES * PAGE_SIZE);

	for (i = 0; i < NR_HUGE_FAULTS; i++)
		bench_huge_faults();
	timed("eager split, per 2 MiB", NR_HUGE_PAGES, log_huge_on);
	timed("collapse, per 2 MiB", NR_HUGE_PAGES, log_huge_off);
}

/* In CPU time: nobody's instructions count while this waits for a grace period. */
static void bench_life(void)
{
	uint64_t start = cpu_ticks();
	int i, fd, vcpu_fd;

	for (i = 0; i < NR_VMS; i++) {
		fd = __kvm_ioctl(vm->kvm_fd, KVM_CREATE_VM, NULL);
		TEST_ASSERT(fd >= 0, "KVM_CREATE_VM");
		vcpu_fd = __kvm_ioctl(fd, KVM_CREATE_VCPU, NULL);
		TEST_ASSERT(vcpu_fd >= 0, "KVM_CREATE_VCPU");
		close(vcpu_fd);
		close(fd);
	}
	record("VM created and destroyed (ns)", NR_VMS, cpu_ticks() - start);
}

static void setup(void)
{
	/* KVM_RUN is not to be begun again. */
	TEST_ASSERT(!sigaction(SIGALRM, &(struct sigaction) { .sa_handler = late }, NULL),
		    "sigaction()");

	vm = __vm_create_with_one_vcpu(&vcpu, NR_PAGES + NR_HUGE_PAGES * (SZ_2M / PAGE_SIZE),
				       guest_code);
	vm_install_exception_handler(vm, VECTOR, guest_interrupt);
	interrupts = addr_gva2hva(vm, (vm_vaddr_t)&nr_interrupts);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, DATA_GPA, DATA_SLOT,
				    NR_PAGES, 0);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, HUGE_GPA,
				    HUGE_SLOT, NR_HUGE_PAGES * (SZ_2M / PAGE_SIZE), 0);
	virt_map(vm, DATA_GPA, DATA_GPA, NR_PAGES);
	virt_map(vm, HUGE_GPA, HUGE_GPA, NR_HUGE_PAGES * (SZ_2M / PAGE_SIZE));
	virt_map(vm, MMIO_GPA, MMIO_GPA, 1);

	/* The backing is there, so that a fault is KVM's alone. */
	memset(addr_gpa2hva(vm, DATA_GPA), 1, NR_PAGES * PAGE_SIZE);
	memset(addr_gpa2hva(vm, HUGE_GPA), 1, NR_HUGE_PAGES * SZ_2M);
	run_to_done();
}

/* With its APIC enabled, as an APIC that isn't costs every VM something. */
static void td_code(uint64_t arg)
{
	tdx_apic_enable();
	GUEST_SYNC(1);
}

static void reserve_huge_pages(void)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "w");

	TEST_ASSERT(file && fprintf(file, "%d\n", NR_HUGE_PAGES) > 0 && !fclose(file),
		    "nr_hugepages");
}

int main(int argc, char *argv[])
{
	bool with_td = argc > 1 && !strcmp(argv[1], "-t");
	struct kvm_vcpu *td_vcpu;
	struct kvm_vm *td = NULL;
	int i;

	if (with_td)
		TEST_REQUIRE(kvm_has_tdx());
	setvbuf(stdout, NULL, _IOLBF, 0);
	reserve_huge_pages();

	if (with_td) {
		td = tdx_guest_launch_one(&td_vcpu, td_code, 0);
		tdx_guest_run_to_sync(td_vcpu, 1);
	}

	setup();
	/* Not a word meanwhile: the console would go on with it in the next row. */
	for (i = 0; i < NR_ROUNDS; i++) {
		bench_exits();
		bench_memory();
		bench_life();
	}

	for (i = 0; i < nr_rows; i++)
		printf("row,%s,%lu,%lu\n", rows[i].name, rows[i].nr, rows[i].least);

	kvm_vm_free(vm);
	if (td)
		kvm_vm_free(td);
	return 0;
}
