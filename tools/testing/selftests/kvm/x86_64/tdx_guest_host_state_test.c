// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a run of a TD must not change: registers of the thread that runs it.  The
 * module leaves most of them in a state of its own, which is neither the guest's
 * nor what they were, and KVM has to put them back before user space is there.
 */
#include <asm/prctl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define NR_ROUNDS		3
#define MSR_KERNEL_GS		0xc0000102
#define MSR_AUX			0xc0000103
#define GUEST_GS		0x123456789000ull
#define GUEST_AUX		0x5a5a5a5a
/* Breakpoint 0 on execution, of an address where nobody comes by. */
#define GUEST_DR0		0x234567000ull
#define GUEST_DR7		0x402

#define FILL_XMM(nr)		asm volatile("pcmpeqd %%xmm" #nr ", %%xmm" #nr ::: "xmm" #nr)

static void guest_fill_xmm(void)
{
	FILL_XMM(0); FILL_XMM(1); FILL_XMM(2); FILL_XMM(3);
	FILL_XMM(4); FILL_XMM(5); FILL_XMM(6); FILL_XMM(7);
	FILL_XMM(8); FILL_XMM(9); FILL_XMM(10); FILL_XMM(11);
	FILL_XMM(12); FILL_XMM(13); FILL_XMM(14); FILL_XMM(15);
}

/* Everything its own way; and it finds that again after each exit. */
static void guest_has_registers(uint64_t arg)
{
	uint64_t dr0;
	int i;

	wrmsr(MSR_KERNEL_GS, GUEST_GS);
	wrmsr(MSR_AUX, GUEST_AUX);
	asm volatile("mov %0, %%dr0" :: "r" (GUEST_DR0));
	asm volatile("mov %0, %%dr7" :: "r" ((uint64_t)GUEST_DR7));
	for (i = 1; i <= NR_ROUNDS; i++) {
		guest_fill_xmm();
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS), GUEST_GS);
		GUEST_ASSERT_EQ(rdmsr(MSR_AUX), GUEST_AUX);
		asm volatile("mov %%dr0, %0" : "=r" (dr0));
		GUEST_ASSERT_EQ(dr0, GUEST_DR0);
	}
}

FIXTURE(host) {
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int cpu;
};

/* On a CPU other than 0, as 0 is what the module leaves in a register. */
FIXTURE_SETUP(host)
{
	self->cpu = get_nprocs_conf() - 1;
	tdx_pin_thread(pthread_self(), self->cpu);
	self->vm = tdx_guest_launch_one(&self->vcpu, guest_has_registers, 0);
}

FIXTURE_TEARDOWN(host)
{
	kvm_vm_free(self->vm);
}

static uint64_t read_gs(void)
{
	uint64_t val;

	asm volatile("mov %%gs:0, %0" : "=r" (val));
	return val;
}

TEST_F(host, gs_base)
{
	static const uint64_t there = 0xfeedc0dedeadbeefull;
	uint64_t base, old;
	int i;

	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_GET_GS, &old));
	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_SET_GS, &there));
	for (i = 1; i <= NR_ROUNDS; i++) {
		tdx_guest_run_to_sync(self->vcpu, i);
		/* The other way round, a wrong base would end the test here. */
		ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
		ASSERT_EQ((uintptr_t)&there, base);
		EXPECT_EQ(there, read_gs());
	}
	syscall(SYS_arch_prctl, ARCH_SET_GS, old);
	tdx_guest_run_to_done(self->vcpu);
}

TEST_F(host, tsc_aux)
{
	uint32_t before, after;
	int i;

	if (!self->cpu)
		SKIP(return, "There is one CPU only");
	rdtscp(&before);
	ksft_print_msg("CPU %d, IA32_TSC_AUX %#x\n", self->cpu, before);
	EXPECT_NE(0, before);
	for (i = 1; i <= NR_ROUNDS; i++) {
		tdx_guest_run_to_sync(self->vcpu, i);
		rdtscp(&after);
		EXPECT_EQ(before, after);
	}
	tdx_guest_run_to_done(self->vcpu);
}

static int open_breakpoint(int *word)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)word,
		.bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

TEST_F(host, breakpoint)
{
	static int word;
	int i, fd = open_breakpoint(&word);
	uint64_t count;

	if (fd < 0)
		SKIP(return, "No breakpoints: %s", strerror(errno));
	WRITE_ONCE(word, 0);
	for (i = 1; i <= NR_ROUNDS; i++) {
		tdx_guest_run_to_sync(self->vcpu, i);
		WRITE_ONCE(word, i);
		ASSERT_EQ(sizeof(count), read(fd, &count, sizeof(count)));
		EXPECT_EQ(i + 1, count);
	}
	close(fd);
	tdx_guest_run_to_done(self->vcpu);
}

/* x87, SSE, AVX, AVX-512, PKRU */
#define XSTATE_MASK		(0x7 | 0xe0 | BIT(9))
#define XSTATE_LEGACY_MASK	0x3
#define XSTATE_PKRU		BIT(9)
#define XSTATE_SIZE		4096
#define XSTATE_LEGACY		512
#define XSTATE_HEADER		64

struct xsave_area {
	uint16_t fcw, fsw;
	uint8_t ftw, rsvd0[3];
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16], xmm[16][16], rsvd1[96];
	uint64_t xstate_bv, xcomp_bv, reserved[6];
	uint8_t more[XSTATE_SIZE - XSTATE_LEGACY - XSTATE_HEADER];
} __packed __aligned(64);

/*
 * KVM_RUN with all of @in in registers, and nothing in between that could use
 * one; @out has what is in them afterwards.  @own is the thread's for that long.
 */
static long run_with_xstate(int fd, struct xsave_area *in, struct xsave_area *out,
			    struct xsave_area *own, uint32_t mask)
{
	long ret;

	asm volatile("mov %[mask], %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xsave64 (%[own])\n\t"
		     "xrstor64 (%[in])\n\t"
		     "mov %[nr], %%eax\n\t"
		     "syscall\n\t"
		     "mov %%rax, %[ret]\n\t"
		     "mov %[mask], %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xsave64 (%[out])\n\t"
		     "xrstor64 (%[own])\n\t"
		     : [ret] "=&r" (ret)
		     : [nr] "i" (SYS_ioctl), [mask] "r" (mask), [own] "r" (own),
		       [in] "r" (in), [out] "r" (out), "D" ((long)fd),
		       "S" ((long)KVM_RUN)
		     : "rax", "rcx", "rdx", "r11", "memory");
	return ret;
}

/*
 * Bochs 2.7 mixes up the compacted format, in which Linux keeps what others have
 * in registers: whatever follows SSE is lost with the first switch to another task.
 * Its BIOS, and that of others with it, says whose it is.
 */
static bool may_be_bochs(void)
{
	static const char oem[] = "BOCHS";
	char header[36] = {};
	int fd = open("/sys/firmware/acpi/tables/FACP", O_RDONLY);

	if (fd < 0)
		return false;
	if (read(fd, header, sizeof(header)) != sizeof(header))
		header[10] = 0;
	close(fd);
	return !memcmp(header + 10, oem, strlen(oem));
}

/* The offset of a component in the standard format, and its size. */
static void find_xstate(int nr, uint32_t *offset, uint32_t *size)
{
	uint32_t ecx, edx;

	__cpuid(0xd, nr, size, offset, &ecx, &edx);
}

static void fill_xstate(struct xsave_area *state, uint32_t mask)
{
	uint32_t offset, size, i;
	int nr;

	state->fcw = 0x27f;
	state->ftw = 0xff;
	state->mxcsr = 0x3f80;
	for (i = 0; i < sizeof(state->st); i++)
		((uint8_t *)state->st)[i] = i % 16 < 10 ? i * 3 + 1 : 0;
	for (i = 0; i < sizeof(state->xmm); i++)
		((uint8_t *)state->xmm)[i] = i * 5 + 1;
	for (nr = 2; nr < 32; nr++) {
		if (!(mask & BIT(nr)))
			continue;
		find_xstate(nr, &offset, &size);
		TEST_ASSERT(offset + size <= sizeof(*state), "Component %d", nr);
		for (i = 0; i < size; i++)
			((uint8_t *)state)[offset + i] = i * 7 + nr;
		/* All access but to pages with the last key, which are none. */
		if (BIT(nr) == XSTATE_PKRU)
			*(uint64_t *)((uint8_t *)state + offset) = 0xc0000000;
	}
	state->xstate_bv = mask;
}

TEST_F(host, extended_state)
{
	uint32_t mask = xgetbv(0) & XSTATE_MASK;
	struct xsave_area *in = aligned_alloc(64, 3 * sizeof(*in)), *out = in + 1;
	struct ucall uc;
	int i;

	if (may_be_bochs())
		mask &= XSTATE_LEGACY_MASK;
	ksft_print_msg("components %#x\n", mask);
	memset(in, 0, 3 * sizeof(*in));
	fill_xstate(in, mask);
	for (i = 1; i <= NR_ROUNDS; i++) {
		memset(out, 0, sizeof(*out));
		ASSERT_EQ(0, run_with_xstate(self->vcpu->fd, in, out, in + 2, mask));
		ASSERT_EQ(UCALL_SYNC, get_ucall(self->vcpu, &uc));
		EXPECT_EQ(in->fcw, out->fcw);
		EXPECT_EQ(in->ftw, out->ftw);
		EXPECT_EQ(in->mxcsr, out->mxcsr);
		EXPECT_EQ(mask, out->xstate_bv);
		EXPECT_EQ(0, memcmp(in->st, out->st, sizeof(in->st)));
		EXPECT_EQ(0, memcmp(in->xmm, out->xmm, sizeof(in->xmm)));
		EXPECT_EQ(0, memcmp(in->more, out->more, sizeof(in->more)));
	}
	free(in);
	tdx_guest_run_to_done(self->vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
