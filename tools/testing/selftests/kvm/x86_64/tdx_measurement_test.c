// SPDX-License-Identifier: GPL-2.0-only
/*
 * MRTD of a TD equals the value computed independently of KVM and of the TDX
 * module, see tdx_mrtd.sh, and depends on what it has to depend on.
 */
#include <signal.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"
#include "tdx_mrtd.h"

#define GPA		TDX_TEST_GPA
#define BIG_NR_PAGES	256

FIXTURE(td) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *image;
};

FIXTURE_SETUP(td)
{
	self->vm = tdx_vm_create_with_vcpu(BIG_NR_PAGES, &self->vcpu);
	if (!tdx_has_mrtd(self->vm)) {
		kvm_vm_free(self->vm);
		SKIP(return, "This kernel does not show MRTD");
	}
	self->image = mmap(NULL, BIG_NR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->image);
	tdx_fill_image(self->image);
}

FIXTURE_TEARDOWN(td)
{
	munmap(self->image, BIG_NR_PAGES * PAGE_SIZE);
	kvm_vm_free(self->vm);
}

/* MRTD is complete once the TD is finalized. */
#define EXPECT_MRTD(_want, _vm)				\
do {							\
	char __hex[2 * TDX_MRTD_SIZE + 1];		\
	uint8_t __mrtd[TDX_MRTD_SIZE];			\
							\
	tdx_vm_mrtd(_vm, __mrtd);			\
	tdx_mrtd_to_hex(__mrtd, __hex);			\
	ksft_print_msg("MRTD %s\n", __hex);		\
	EXPECT_STREQ(_want, __hex);			\
} while (0)

static void add_page(struct kvm_vcpu *vcpu, void *image, int page, bool measure)
{
	tdx_init_mem_region(vcpu, image + page * PAGE_SIZE,
			    GPA + page * PAGE_SIZE, 1, measure);
}

TEST_F(td, nothing_added)
{
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_NOTHING, self->vm);
}

TEST_F(td, measured_in_one_call)
{
	tdx_init_mem_region(self->vcpu, self->image, GPA, TDX_IMAGE_NR_PAGES,
			    true);
	EXPECT_EQ(TDX_IMAGE_NR_PAGES * 16,
		  tdx_vm_count(self->vm, TDX_LEAF_MR_EXTEND));
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_MEASURED, self->vm);
}

TEST_F(td, measured_page_by_page)
{
	int i;

	for (i = 0; i < TDX_IMAGE_NR_PAGES; i++)
		add_page(self->vcpu, self->image, i, true);
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_MEASURED, self->vm);
}

TEST_F(td, not_measured)
{
	tdx_init_mem_region(self->vcpu, self->image, GPA, TDX_IMAGE_NR_PAGES,
			    false);
	EXPECT_EQ(0, tdx_vm_count(self->vm, TDX_LEAF_MR_EXTEND));
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_ADDED, self->vm);
}

TEST_F(td, order_counts)
{
	int i;

	for (i = TDX_IMAGE_NR_PAGES - 1; i >= 0; i--)
		add_page(self->vcpu, self->image, i, true);
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_REVERSED, self->vm);
}

TEST_F(td, partly_measured)
{
	tdx_init_mem_region(self->vcpu, self->image, GPA, 2, true);
	tdx_init_mem_region(self->vcpu, self->image + 2 * PAGE_SIZE,
			    GPA + 2 * PAGE_SIZE, 2, false);
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_MIXED, self->vm);
}

/* Neither where the source lies nor what the unmeasured pages hold. */
TEST_F(td, content_not_measured_does_not_count)
{
	memset(self->image, 0xee, TDX_IMAGE_NR_PAGES * PAGE_SIZE);
	tdx_init_mem_region(self->vcpu, self->image, GPA, TDX_IMAGE_NR_PAGES,
			    false);
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_ADDED, self->vm);
}

TEST_F(td, one_bit_counts)
{
	char hex[2 * TDX_MRTD_SIZE + 1];
	uint8_t mrtd[TDX_MRTD_SIZE];

	((uint8_t *)self->image)[TDX_IMAGE_NR_PAGES * PAGE_SIZE - 1] ^= 1;
	tdx_init_mem_region(self->vcpu, self->image, GPA, TDX_IMAGE_NR_PAGES,
			    true);
	tdx_vm_finalize(self->vm);
	tdx_vm_mrtd(self->vm, mrtd);
	tdx_mrtd_to_hex(mrtd, hex);
	EXPECT_STRNE(TDX_MRTD_MEASURED, hex);
}

/* Refused calls and what is augmented later leave no trace. */
TEST_F(td, refusals_and_augmented_pages_do_not_count)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)self->image,
		.gpa = GPA + BIG_NR_PAGES * PAGE_SIZE,
		.nr_pages = 1,
	};

	EXPECT_EQ(-EINVAL, __tdx_init_mem_region(self->vcpu, 1, &region));
	tdx_init_mem_region(self->vcpu, self->image, GPA, TDX_IMAGE_NR_PAGES,
			    true);
	tdx_vm_finalize(self->vm);
	EXPECT_MRTD(TDX_MRTD_MEASURED, self->vm);
	tdx_pre_fault(self->vcpu, GPA, 16 * PAGE_SIZE);
	vm_guest_mem_punch_hole(self->vm, GPA, PAGE_SIZE);
	EXPECT_MRTD(TDX_MRTD_MEASURED, self->vm);
}

static void on_alarm(int sig)
{
}

/* Interrupted between any two pages, the measurement is that of one call. */
TEST_F(td, signals_do_not_count)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	uint8_t mrtd[2][TDX_MRTD_SIZE];
	struct kvm_vcpu *other_vcpu;
	struct kvm_vm *other;
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)self->image,
		.gpa = GPA,
		.nr_pages = BIG_NR_PAGES,
	};
	useconds_t usecs = 500;
	int ret, nr_signals = -1;

	sigaction(SIGALRM, &action, &old);
	do {
		ualarm(usecs, 0);
		ret = __tdx_init_mem_region(self->vcpu, 1, &region);
		usecs = min(2 * usecs, 900000u);
		nr_signals++;
	} while (ret == -EINTR);
	ualarm(0, 0);
	sigaction(SIGALRM, &old, NULL);
	ASSERT_EQ(0, ret);
	EXPECT_GT(nr_signals, 0);
	ksft_print_msg("%d pages measured, interrupted %d times\n",
		       BIG_NR_PAGES, nr_signals);

	other = tdx_vm_create_with_vcpu(BIG_NR_PAGES, &other_vcpu);
	tdx_init_mem_region(other_vcpu, self->image, GPA, BIG_NR_PAGES, true);
	tdx_vm_finalize(self->vm);
	tdx_vm_finalize(other);
	tdx_vm_mrtd(self->vm, mrtd[0]);
	tdx_vm_mrtd(other, mrtd[1]);
	EXPECT_EQ(0, memcmp(mrtd[0], mrtd[1], TDX_MRTD_SIZE));
	kvm_vm_free(other);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
