// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every TDX command, and every ordinary ioctl whose answer depends on it, in
 * every state of a TD.  The checks that all commands have in common are in
 * tdx_cmd_test.c, what INIT_VM makes of its arguments in tdx_init_vm_test.c.
 */
#include <sys/ioctl.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define NR_PAGES	4

enum td_state { CREATED, INITIALIZED, RUNNABLE, NR_STATES };

/* Not applicable: there is no vCPU before KVM_TDX_INIT_VM. */
#define N_A	1

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *fresh;		/* boot vCPU, without INIT_VCPU; optional */
	struct kvm_vcpu *ready;		/* with INIT_VCPU */
	void *page;
};

/* As many vCPUs as there are CPUs is the limit, so be content with two. */
static struct td td_create(enum td_state state, bool with_fresh)
{
	struct td td = { .vm = tdx_vm_create() };

	td.page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(td.page, 0x5a, PAGE_SIZE);
	tdx_vm_mem_add(td.vm, TDX_TEST_GPA, TDX_TEST_SLOT, NR_PAGES);
	if (state == CREATED)
		return td;

	tdx_vm_init(td.vm);
	if (with_fresh)
		td.fresh = tdx_vcpu_add(td.vm, 0);
	td.ready = tdx_vcpu_add(td.vm, 1);
	tdx_vcpu_init(td.ready, 0);
	if (state == RUNNABLE)
		tdx_vm_finalize(td.vm);
	return td;
}

static void td_free(struct td *td)
{
	kvm_vm_free(td->vm);
	free(td->page);
}

static int close_if_fd(int fd)
{
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int do_capabilities(struct td *td)
{
	struct kvm_tdx_capabilities *caps;
	int ret;

	caps = calloc(1, sizeof(*caps) + 256 * sizeof(caps->cpuid.entries[0]));
	caps->cpuid.nent = 256;
	ret = __tdx_cmd(td->vm->fd, KVM_TDX_CAPABILITIES, 0, caps, NULL);
	free(caps);
	return ret;
}

static int do_init_vm(struct td *td)
{
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(td->vm);
	int ret = __tdx_vm_init(td->vm, args, NULL);

	free(args);
	return ret;
}

static int do_create_vcpu(struct td *td)
{
	return close_if_fd(__vm_ioctl(td->vm, KVM_CREATE_VCPU, NULL));
}

static int do_set_cpuid2(struct td *td)
{
	return tdx_ret(__vcpu_set_cpuid(td->fresh));
}

static int get_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	int ret = __tdx_cmd(vcpu->fd, KVM_TDX_GET_CPUID, 0, cpuid, NULL);

	free(cpuid);
	return ret;
}

static int do_get_cpuid_fresh(struct td *td)
{
	return get_cpuid(td->fresh);
}

static int do_get_cpuid_ready(struct td *td)
{
	return get_cpuid(td->ready);
}

static int do_init_vcpu(struct td *td)
{
	return __tdx_vcpu_init(td->fresh, 0);
}

static int do_init_vcpu_again(struct td *td)
{
	return __tdx_vcpu_init(td->ready, 0);
}

static int init_mem(struct td *td, struct kvm_vcpu *vcpu)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)td->page,
		.gpa = TDX_TEST_GPA,
		.nr_pages = 1,
	};

	return __tdx_init_mem_region(vcpu, 0, &region);
}

static int do_init_mem_fresh(struct td *td)
{
	return init_mem(td, td->fresh);
}

static int do_init_mem_ready(struct td *td)
{
	return init_mem(td, td->ready);
}

static int do_finalize(struct td *td)
{
	return __tdx_cmd(td->vm->fd, KVM_TDX_FINALIZE_VM, 0, NULL, NULL);
}

static int do_pre_fault(struct td *td)
{
	return __tdx_pre_fault(td->ready, TDX_TEST_GPA, PAGE_SIZE, NULL);
}

static int do_run_fresh(struct td *td)
{
	return tdx_ret(__vcpu_run(td->fresh));
}

static int do_run_ready(struct td *td)
{
	return tdx_ret(__vcpu_run(td->ready));
}

static int do_run_immediate_exit(struct td *td)
{
	td->fresh->run->immediate_exit = 1;
	return tdx_ret(__vcpu_run(td->fresh));
}

static int do_memslot(struct td *td)
{
	return tdx_ret(__vm_set_user_memory_region(td->vm, 1, 0, 0, PAGE_SIZE,
						   td->page));
}

static int do_attributes(struct td *td)
{
	return __tdx_set_attributes(td->vm, TDX_TEST_GPA, PAGE_SIZE, 0);
}

static int do_guest_memfd(struct td *td)
{
	return close_if_fd(__vm_create_guest_memfd(td->vm, PAGE_SIZE, 0));
}

static const struct call {
	const char *name;
	int (*fn)(struct td *td);
	int want[NR_STATES];
} calls[] = {
	{ "CAPABILITIES",		do_capabilities,	{ 0, 0, 0 } },
	{ "INIT_VM",			do_init_vm,		{ 0, -EINVAL, -EINVAL } },
	{ "CREATE_VCPU",		do_create_vcpu,		{ -EIO, 0, -EIO } },
	{ "SET_CPUID2",			do_set_cpuid2,		{ N_A, 0, 0 } },
	{ "GET_CPUID before INIT_VCPU",	do_get_cpuid_fresh,	{ N_A, 0, -EINVAL } },
	{ "GET_CPUID after INIT_VCPU",	do_get_cpuid_ready,	{ N_A, 0, -EINVAL } },
	{ "INIT_VCPU",			do_init_vcpu,		{ N_A, 0, -EINVAL } },
	{ "INIT_VCPU again",		do_init_vcpu_again,	{ N_A, -EINVAL, -EINVAL } },
	{ "INIT_MEM_REGION, vCPU fresh", do_init_mem_fresh,	{ N_A, -EINVAL, -EINVAL } },
	{ "INIT_MEM_REGION",		do_init_mem_ready,	{ N_A, 0, -EINVAL } },
	{ "FINALIZE_VM",		do_finalize,		{ -EINVAL, 0, -EINVAL } },
	{ "PRE_FAULT_MEMORY",		do_pre_fault,		{ N_A, -EOPNOTSUPP, 0 } },
	{ "RUN, vCPU fresh",		do_run_fresh,		{ N_A, -EINVAL, -EINVAL } },
	/* There is no memory where a vCPU starts, so that userspace has to provide it. */
	{ "RUN",			do_run_ready,		{ N_A, -EINVAL, -EFAULT } },
	{ "RUN, immediate_exit",	do_run_immediate_exit,	{ N_A, -EINTR, N_A } },
	{ "SET_USER_MEMORY_REGION",	do_memslot,		{ 0, 0, 0 } },
	{ "SET_MEMORY_ATTRIBUTES",	do_attributes,		{ 0, 0, 0 } },
	{ "CREATE_GUEST_MEMFD",		do_guest_memfd,		{ 0, 0, 0 } },
};

FIXTURE(state) {
};

FIXTURE_VARIANT(state) {
	enum td_state state;
};

FIXTURE_VARIANT_ADD(state, created) { .state = CREATED, };
FIXTURE_VARIANT_ADD(state, initialized) { .state = INITIALIZED, };
FIXTURE_VARIANT_ADD(state, runnable) { .state = RUNNABLE, };

FIXTURE_SETUP(state) {}
FIXTURE_TEARDOWN(state) {}

/* A TD of its own for each call: some of them change the state. */
TEST_F_TIMEOUT(state, answers_each_call, 120)
{
	struct tdx_usage before, after;
	int i, got;

	tdx_usage(&before);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct call *call = &calls[i];
		struct td td;

		if (call->want[variant->state] == N_A)
			continue;

		td = td_create(variant->state, call->fn != do_create_vcpu);
		got = call->fn(&td);
		ksft_print_msg("%-30s %s\n", call->name,
			       got ? strerror(-got) : "ok");
		EXPECT_EQ(call->want[variant->state], got)
			TH_LOG("%s", call->name);
		EXPECT_FALSE(tdx_vm_is_dead(td.vm));
		td_free(&td);
	}
	tdx_usage(&after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
}

/* An AP that never got INIT/SIPI waits, and says so when it must not. */
TEST(ap_before_init_vcpu_waits)
{
	struct td td = td_create(INITIALIZED, false);
	struct kvm_vcpu *ap = tdx_vcpu_add(td.vm, 2);

	ap->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tdx_ret(__vcpu_run(ap)));
	td_free(&td);
}

TEST(vcpu_needs_split_irqchip)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(vm);

	ASSERT_EQ(0, __tdx_vm_init(vm, args, NULL));
	EXPECT_EQ(-EINVAL, close_if_fd(__vm_ioctl(vm, KVM_CREATE_VCPU, NULL)));
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	EXPECT_EQ(0, close_if_fd(__vm_ioctl(vm, KVM_CREATE_VCPU, NULL)));
	free(args);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
