// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks that all commands of KVM_MEMORY_ENCRYPT_OP on a TD have in common:
 * file descriptors, identity of the caller, the command itself, dead VMs.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

#define BAD_ADDRESS	((void *)8ul)

static bool is_vcpu_cmd(uint32_t id)
{
	return id == KVM_TDX_INIT_VCPU || id == KVM_TDX_INIT_MEM_REGION ||
	       id == KVM_TDX_GET_CPUID;
}

static int raw_cmd(int fd, struct kvm_tdx_cmd *cmd)
{
	return tdx_ret(ioctl(fd, KVM_MEMORY_ENCRYPT_OP, cmd));
}

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct tdx_usage before;
};

FIXTURE_SETUP(td)
{
	tdx_usage(&self->before);
	self->vm = tdx_vm_create_with_vcpu(1, &self->vcpu);
}

FIXTURE_TEARDOWN(td)
{
	struct tdx_usage after;

	kvm_vm_free(self->vm);
	tdx_usage(&after);
	EXPECT_EQ(self->before.keyids, after.keyids);
	EXPECT_EQ(self->before.pages, after.pages);
	EXPECT_EQ(self->before.leaked, after.leaked);
}

TEST(vm_that_is_no_td)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, NULL);
	uint32_t id;

	for (id = 0; id < KVM_TDX_CMD_NR_MAX; id++) {
		EXPECT_EQ(-ENOTTY, __tdx_cmd(vm->fd, id, 0, cpuid, NULL))
			TH_LOG("command %u", id);
		EXPECT_EQ(-EINVAL, __tdx_cmd(vcpu->fd, id, 0, cpuid, NULL))
			TH_LOG("command %u", id);
	}
	kvm_vm_free(vm);
	free(cpuid);
}

TEST_F(td, command_on_the_wrong_fd)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	uint32_t id;

	for (id = 0; id < KVM_TDX_CMD_NR_MAX; id++) {
		int fd = is_vcpu_cmd(id) ? self->vm->fd : self->vcpu->fd;

		EXPECT_EQ(-EINVAL, __tdx_cmd(fd, id, 0, cpuid, NULL))
			TH_LOG("command %u", id);
	}
	free(cpuid);
}

TEST_F(td, unknown_command)
{
	const uint32_t ids[] = { KVM_TDX_CMD_NR_MAX, 100, BIT(31), -1u };
	int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(-EINVAL, __tdx_cmd(self->vm->fd, ids[i], 0, NULL, NULL));
		EXPECT_EQ(-EINVAL, __tdx_cmd(self->vcpu->fd, ids[i], 0, NULL, NULL));
	}
}

TEST_F(td, hw_error_must_be_zero)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	uint32_t id;

	for (id = 0; id < KVM_TDX_CMD_NR_MAX; id++) {
		struct kvm_tdx_cmd cmd = {
			.id = id,
			.data = (uintptr_t)cpuid,
			.hw_error = 1,
		};
		int fd = is_vcpu_cmd(id) ? self->vcpu->fd : self->vm->fd;

		EXPECT_EQ(-EINVAL, raw_cmd(fd, &cmd))
			TH_LOG("command %u", id);
		EXPECT_EQ(1, cmd.hw_error);
	}
	free(cpuid);
}

TEST_F(td, unreadable_command)
{
	EXPECT_EQ(-EFAULT, raw_cmd(self->vm->fd, BAD_ADDRESS));
	EXPECT_EQ(-EFAULT, raw_cmd(self->vcpu->fd, BAD_ADDRESS));
}

/* What upstream's KVM doesn't look at isn't refused here, either. */
TEST(fields_that_mean_nothing)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	struct kvm_tdx_capabilities *caps;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tdx_vm_create_with_vcpu(1, &vcpu);

	caps = calloc(1, sizeof(*caps) + 256 * sizeof(struct kvm_cpuid_entry2));
	memset(caps, 0xff, sizeof(*caps));
	caps->cpuid.nent = 256;
	EXPECT_EQ(0, __tdx_cmd(vm->fd, KVM_TDX_CAPABILITIES, 0, caps, NULL));
	EXPECT_EQ(0, caps->cpuid.padding);

	cpuid->padding = -1;
	EXPECT_EQ(0, __tdx_cmd(vcpu->fd, KVM_TDX_GET_CPUID, -1, cpuid, NULL));

	EXPECT_EQ(-EINVAL, __tdx_cmd(vm->fd, KVM_TDX_FINALIZE_VM, 1, NULL, NULL));
	EXPECT_EQ(0, __tdx_cmd(vm->fd, KVM_TDX_FINALIZE_VM, 0, (void *)-1ul, NULL));

	kvm_vm_free(vm);
	free(cpuid);
	free(caps);
}

/* INIT_VM and FINALIZE_VM hand the command back even when they refuse. */
TEST_F(td, command_that_cannot_be_written_back)
{
	struct kvm_tdx_cmd *cmd;

	cmd = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, cmd);
	cmd->id = KVM_TDX_INIT_VM;
	EXPECT_EQ(-EINVAL, raw_cmd(self->vm->fd, cmd));
	mprotect(cmd, PAGE_SIZE, PROT_READ);
	EXPECT_EQ(-EFAULT, raw_cmd(self->vm->fd, cmd));
	munmap(cmd, PAGE_SIZE);
}

TEST_F(td, unreadable_data)
{
	struct kvm_vm *vm = tdx_vm_create();

	EXPECT_EQ(-EFAULT, __tdx_cmd(vm->fd, KVM_TDX_CAPABILITIES, 0,
				     BAD_ADDRESS, NULL));
	EXPECT_EQ(-EFAULT, __tdx_cmd(vm->fd, KVM_TDX_INIT_VM, 0, BAD_ADDRESS,
				     NULL));
	EXPECT_EQ(-EFAULT, __tdx_cmd(self->vcpu->fd, KVM_TDX_INIT_MEM_REGION, 0,
				     BAD_ADDRESS, NULL));
	EXPECT_EQ(-EFAULT, __tdx_cmd(self->vcpu->fd, KVM_TDX_GET_CPUID, 0,
				     BAD_ADDRESS, NULL));
	kvm_vm_free(vm);
}

TEST_F(td, flags_that_do_not_exist)
{
	struct kvm_tdx_init_mem_region region = { .nr_pages = 1 };
	struct kvm_vcpu *vcpu = tdx_vcpu_add(self->vm, 1);
	struct kvm_tdx_capabilities caps = {};
	int bit;

	for (bit = 0; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL, __tdx_cmd(self->vm->fd, KVM_TDX_CAPABILITIES,
					     BIT(bit), &caps, NULL));
		EXPECT_EQ(-EINVAL, __tdx_cmd(vcpu->fd, KVM_TDX_INIT_VCPU,
					     BIT(bit), NULL, NULL));
		if (BIT(bit) == KVM_TDX_MEASURE_MEMORY_REGION)
			continue;
		EXPECT_EQ(-EINVAL, __tdx_init_mem_region(self->vcpu, BIT(bit),
							 &region));
	}
	EXPECT_EQ(0, __tdx_vcpu_init(vcpu, 0));
}

/* Returns what the command answered in another process, which has its own mm. */
static int cmd_in_child(int fd, uint32_t id, void *data)
{
	int status;
	pid_t pid = fork();

	TEST_ASSERT(pid >= 0, "fork() failed");
	if (!pid)
		_exit(-__tdx_cmd(fd, id, 0, data, NULL));
	TEST_ASSERT(waitpid(pid, &status, 0) == pid && WIFEXITED(status),
		    "The child did not exit");
	return -WEXITSTATUS(status);
}

TEST_F(td, caller_with_another_mm)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	uint32_t id;

	for (id = 0; id < KVM_TDX_CMD_NR_MAX; id++) {
		int fd = is_vcpu_cmd(id) ? self->vcpu->fd : self->vm->fd;

		EXPECT_EQ(-EIO, cmd_in_child(fd, id, cpuid))
			TH_LOG("command %u", id);
	}
	EXPECT_FALSE(tdx_vm_is_dead(self->vm));
	free(cpuid);
}

/*
 * Finalizing a TD that has no vCPU is a failure of the module: KVM does not
 * check for it.  It is reported and kills the VM, without a warning from KVM.
 */
TEST(module_failure_kills_the_vm)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(256);
	unsigned long taint = tdx_kernel_taint();
	struct tdx_usage before, after;
	struct kvm_vm *vm;
	uint64_t hw_error;
	uint32_t id;

	tdx_usage(&before);
	vm = tdx_vm_create();
	tdx_vm_init(vm);
	EXPECT_EQ(-EIO, __tdx_cmd(vm->fd, KVM_TDX_FINALIZE_VM, 0, NULL,
				  &hw_error));
	EXPECT_EQ(TDX_STATUS_NO_VCPUS, TDX_STATUS(hw_error));
	EXPECT_TRUE(tdx_vm_is_dead(vm));
	for (id = 0; id < KVM_TDX_CMD_NR_MAX; id++)
		EXPECT_EQ(-EIO, __tdx_cmd(vm->fd, id, 0, cpuid, NULL))
			TH_LOG("command %u", id);
	kvm_vm_free(vm);

	tdx_usage(&after);
	EXPECT_EQ(before.keyids, after.keyids);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.leaked, after.leaked);
	EXPECT_EQ(0, ~taint & tdx_kernel_taint() & TDX_TAINT_WARN);
	free(cpuid);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
