// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each VM has a directory with its statistics, even if an older VM of the process, whose
 * file descriptor had the same number, lives on because one of a vCPU is open.
 */
#include <sys/stat.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"

#define DEBUGFS		"/sys/kernel/debug/kvm"
#define NR_VMS		12

FIXTURE(debugfs) {
	int kvm;
	/* What all VMs have as their file descriptor, one after the other. */
	int vm;
	int vcpus[NR_VMS];
};

/* The name of the nr-th VM that has the same process and file descriptor. */
static bool has_directory(int vm, int nr)
{
	char path[PATH_MAX], again[16] = "";

	if (nr)
		snprintf(again, sizeof(again), "-%d", nr);
	snprintf(path, sizeof(path), DEBUGFS "/%d-%d%s/exits", getpid(), vm, again);
	return !access(path, R_OK);
}

/* Leaves nothing of the VM open but its vCPU. */
static int create_vm(int kvm, int want)
{
	int vcpu, vm = __kvm_ioctl(kvm, KVM_CREATE_VM, NULL);

	TEST_ASSERT(vm == want, KVM_IOCTL_ERROR(KVM_CREATE_VM, vm));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	TEST_ASSERT(vcpu > vm, KVM_IOCTL_ERROR(KVM_CREATE_VCPU, vcpu));
	close(vm);
	return vcpu;
}

FIXTURE_SETUP(debugfs)
{
	int i;

	if (access(DEBUGFS, R_OK))
		SKIP(return, "there is no " DEBUGFS);

	self->kvm = open_kvm_dev_path_or_exit();
	self->vm = self->kvm + 1;
	for (i = 0; i < NR_VMS; i++)
		self->vcpus[i] = create_vm(self->kvm, self->vm);
}

FIXTURE_TEARDOWN(debugfs)
{
	int i;

	for (i = 0; i < NR_VMS; i++)
		close(self->vcpus[i]);
	for (i = 0; i < NR_VMS; i++)
		EXPECT_FALSE(has_directory(self->vm, i));
	close(self->kvm);
}

TEST_F(debugfs, vms_with_the_same_descriptor)
{
	int i;

	for (i = 0; i < NR_VMS; i++)
		EXPECT_TRUE(has_directory(self->vm, i));
	EXPECT_FALSE(has_directory(self->vm, i));
}

/* The first name that is free, and none that is still in use. */
TEST_F(debugfs, names_of_vms_that_are_gone)
{
	static const int gone[] = { 0, 3, 10 };
	int i;

	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		close(self->vcpus[gone[i]]);
		EXPECT_FALSE(has_directory(self->vm, gone[i]));
	}
	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		self->vcpus[gone[i]] = create_vm(self->kvm, self->vm);
		EXPECT_TRUE(has_directory(self->vm, gone[i]));
	}
	for (i = 0; i < NR_VMS; i++)
		EXPECT_TRUE(has_directory(self->vm, i));
	EXPECT_FALSE(has_directory(self->vm, i));
}

TEST_HARNESS_MAIN
