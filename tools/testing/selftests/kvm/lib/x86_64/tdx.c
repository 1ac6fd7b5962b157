// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a TD through KVM's ioctls, in the order in which QEMU issues them,
 * so that a test that passes says something about a real VMM.
 *
 * Not here: counters (tdx_debugfs.c), and anything that runs the TD.
 */
#include <sys/ioctl.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx.h"

/* QEMU grows its buffer from 6 entries up to KVM's limit. */
#define CAPS_NENT_FIRST		6
#define CAPS_NENT_MAX		256

/* An out-of-entropy TDX module is asked again as often as QEMU does it. */
#define INIT_VM_RETRIES		10000

int __tdx_cmd(int fd, uint32_t id, uint32_t flags, const void *data,
	      uint64_t *hw_error)
{
	struct kvm_tdx_cmd cmd = {
		.id = id,
		.flags = flags,
		.data = (uintptr_t)data,
	};
	int ret;

	ret = tdx_ret(ioctl(fd, KVM_MEMORY_ENCRYPT_OP, &cmd));
	if (hw_error)
		*hw_error = cmd.hw_error;
	return ret;
}

unsigned int tdx_gpa_width(void)
{
	const struct kvm_cpuid_entry2 *entry;
	unsigned int width;

	entry = get_cpuid_entry(kvm_get_supported_cpuid(), 0x80000008, 0);
	width = (entry->eax >> 16) & 0xff;
	TEST_ASSERT(width >= 40 && width <= 52,
		    "Supported CPUID has no guest physical width a TD can have: %u",
		    width);
	return width;
}

struct kvm_vm *tdx_vm_create(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);

	vm->arch.s_bit = tdx_shared_bit();
	vm->gpa_tag_mask = vm->arch.s_bit;

	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &(uint64_t){ 0xfeffc000 });
	vm_ioctl(vm, KVM_SET_TSS_ADDR, (void *)0xfeffd000);
	if (vm_check_cap(vm, KVM_CAP_X86_NOTIFY_VMEXIT))
		vm_enable_cap(vm, KVM_CAP_X86_NOTIFY_VMEXIT,
			      KVM_X86_NOTIFY_VMEXIT_ENABLED |
			      KVM_X86_NOTIFY_VMEXIT_USER);
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);

	return vm;
}

static struct kvm_tdx_capabilities *alloc_capabilities(int nent)
{
	struct kvm_tdx_capabilities *caps;

	caps = calloc(1, sizeof(*caps) +
			 nent * sizeof(struct kvm_cpuid_entry2));
	TEST_ASSERT(caps, "No memory for %d CPUID entries", nent);
	caps->cpuid.nent = nent;
	return caps;
}

struct kvm_tdx_capabilities *tdx_vm_capabilities(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps;
	int nent, ret;

	for (nent = CAPS_NENT_FIRST; nent <= CAPS_NENT_MAX; nent *= 2) {
		caps = alloc_capabilities(nent);
		ret = __tdx_cmd(vm->fd, KVM_TDX_CAPABILITIES, 0, caps, NULL);
		if (!ret)
			return caps;
		free(caps);
		TEST_ASSERT(ret == -E2BIG, "KVM_TDX_CAPABILITIES: %d", ret);
	}
	TEST_FAIL("KVM_TDX_CAPABILITIES wants more than %d CPUID entries",
		  CAPS_NENT_MAX);
}

void tdx_vm_mem_add(struct kvm_vm *vm, uint64_t gpa, uint32_t slot,
		    uint64_t npages)
{
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, npages,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, gpa, npages * vm->page_size);
}

/* What KVM can virtualize.  It says so of the timer by a capability of its own. */
static struct kvm_cpuid_entry2 supported_entry(const struct kvm_cpuid_entry2 *e)
{
	struct kvm_cpuid_entry2 supported = *e;

	if (e->function == X86_FEATURE_TSC_DEADLINE_TIMER.function &&
	    kvm_check_cap(KVM_CAP_TSC_DEADLINE_TIMER))
		supported.ecx |= BIT(X86_FEATURE_TSC_DEADLINE_TIMER.bit);
	return supported;
}

/* A bit is configured if KVM can virtualize it and the TD may have it. */
static void negotiate_cpuid(struct kvm_cpuid2 *cpuid,
			    const struct kvm_cpuid2 *mask)
{
	const struct kvm_cpuid2 *supported = kvm_get_supported_cpuid();
	struct kvm_cpuid_entry2 *e;
	int i, j;

	cpuid->nent = mask->nent;
	for (i = 0; i < mask->nent; i++) {
		e = &cpuid->entries[i];
		*e = (struct kvm_cpuid_entry2) {
			.function = mask->entries[i].function,
			.index = mask->entries[i].index,
		};
		for (j = 0; j < supported->nent; j++) {
			struct kvm_cpuid_entry2 s =
				supported_entry(&supported->entries[j]);

			if (s.function != e->function || s.index != e->index)
				continue;
			e->eax = s.eax & mask->entries[i].eax;
			e->ebx = s.ebx & mask->entries[i].ebx;
			e->ecx = s.ecx & mask->entries[i].ecx;
			e->edx = s.edx & mask->entries[i].edx;
		}
	}
}

struct kvm_tdx_init_vm *tdx_vm_init_args(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps = tdx_vm_capabilities(vm);
	struct kvm_tdx_init_vm *args;

	/* Room for one entry more, for tests of bad lists. */
	args = calloc(1, sizeof(*args) + (caps->cpuid.nent + 1) *
					 sizeof(struct kvm_cpuid_entry2));
	TEST_ASSERT(args, "No memory for KVM_TDX_INIT_VM");

	args->attributes = caps->supported_attrs & TDX_ATTR_SEPT_VE_DISABLE;
	args->xfam = caps->supported_xfam;
	negotiate_cpuid(&args->cpuid, &caps->cpuid);

	free(caps);
	return args;
}

int __tdx_vm_init(struct kvm_vm *vm, const struct kvm_tdx_init_vm *args,
		  uint64_t *hw_error)
{
	int i, ret;

	for (i = 0; i < INIT_VM_RETRIES; i++) {
		ret = __tdx_cmd(vm->fd, KVM_TDX_INIT_VM, 0, args, hw_error);
		if (ret != -EAGAIN)
			break;
	}
	return ret;
}

void tdx_vm_init_with(struct kvm_vm *vm, void (*adjust)(struct kvm_tdx_init_vm *))
{
	struct kvm_tdx_init_vm *args = tdx_vm_init_args(vm);
	uint64_t hw_error;
	int ret;

	if (adjust)
		adjust(args);

	/* In nanoseconds: the 25 MHz that a TD expects of its APIC timer. */
	TEST_ASSERT(vm_check_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS),
		    "A TD needs KVM_CAP_X86_APIC_BUS_CYCLES_NS");
	vm_enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40);

	ret = __tdx_vm_init(vm, args, &hw_error);
	TEST_ASSERT(!ret, "KVM_TDX_INIT_VM: %d, hw_error %#lx", ret, hw_error);
	free(args);
}

void tdx_vm_init(struct kvm_vm *vm)
{
	tdx_vm_init_with(vm, NULL);
}

int __tdx_vcpu_get_cpuid(struct kvm_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	return __tdx_cmd(vcpu->fd, KVM_TDX_GET_CPUID, 0, cpuid, NULL);
}

struct kvm_cpuid2 *tdx_vcpu_get_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(CAPS_NENT_MAX);
	int ret = __tdx_vcpu_get_cpuid(vcpu, cpuid);

	TEST_ASSERT(!ret, "KVM_TDX_GET_CPUID: %d", ret);
	return cpuid;
}

struct kvm_vcpu *tdx_vcpu_add(struct kvm_vm *vm, uint32_t id)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, id);

	/* QEMU compares the result with its CPU model; it has to come this early. */
	free(tdx_vcpu_get_cpuid(vcpu));

	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	if (kvm_check_cap(KVM_CAP_TSC_DEADLINE_TIMER))
		vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	TEST_ASSERT_EQ(_vcpu_set_msr(vcpu, MSR_IA32_UCODE_REV, BIT_ULL(32)), 1);
	return vcpu;
}

int __tdx_vcpu_init(struct kvm_vcpu *vcpu, uint64_t rcx)
{
	return __tdx_cmd(vcpu->fd, KVM_TDX_INIT_VCPU, 0, (void *)rcx, NULL);
}

void tdx_vcpu_init(struct kvm_vcpu *vcpu, uint64_t rcx)
{
	int ret = __tdx_vcpu_init(vcpu, rcx);

	TEST_ASSERT(!ret, "KVM_TDX_INIT_VCPU of vCPU %u: %d", vcpu->id, ret);
}

void tdx_vm_finalize(struct kvm_vm *vm)
{
	uint64_t hw_error;
	int ret;

	do {
		ret = __tdx_cmd(vm->fd, KVM_TDX_FINALIZE_VM, 0, NULL, &hw_error);
	} while (ret == -EBUSY);
	TEST_ASSERT(!ret, "KVM_TDX_FINALIZE_VM: %d, hw_error %#lx", ret,
		    hw_error);
}

struct kvm_vm *tdx_vm_create_with_vcpu(uint64_t npages, struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = tdx_vm_create();

	if (npages)
		tdx_vm_mem_add(vm, TDX_TEST_GPA, TDX_TEST_SLOT, npages);
	tdx_vm_init(vm);
	*vcpu = tdx_vcpu_add(vm, 0);
	tdx_vcpu_init(*vcpu, 0);
	return vm;
}

struct kvm_vm *tdx_vm_create_runnable(uint64_t npages, struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = tdx_vm_create_with_vcpu(npages, vcpu);

	tdx_vm_finalize(vm);
	return vm;
}

int __tdx_init_mem_region(struct kvm_vcpu *vcpu, uint32_t flags,
			  struct kvm_tdx_init_mem_region *region)
{
	return __tdx_cmd(vcpu->fd, KVM_TDX_INIT_MEM_REGION, flags, region, NULL);
}

void tdx_init_mem_region(struct kvm_vcpu *vcpu, void *src, uint64_t gpa,
			 uint64_t npages, bool measure)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)src,
		.gpa = gpa,
		.nr_pages = npages,
	};
	int ret;

	do {
		ret = __tdx_init_mem_region(vcpu, measure ?
					    KVM_TDX_MEASURE_MEMORY_REGION : 0,
					    &region);
	} while (ret == -EAGAIN || ret == -EINTR);
	TEST_ASSERT(!ret && !region.nr_pages,
		    "KVM_TDX_INIT_MEM_REGION: %d, %llu of %lu pages left", ret,
		    region.nr_pages, npages);
}

int __tdx_pre_fault(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t size,
		    uint64_t *left)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };
	int ret;

	ret = tdx_ret(__vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &range));
	TEST_ASSERT(range.gpa - gpa == size - range.size,
		    "Pre-fault advanced by %#llx, but by %#llx of the size",
		    range.gpa - gpa, size - range.size);
	if (left)
		*left = range.size;
	return ret;
}

void tdx_pre_fault(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t size)
{
	uint64_t left = size;
	int ret;

	do {
		ret = __tdx_pre_fault(vcpu, gpa + size - left, left, &left);
	} while (left && (!ret || ret == -EINTR || ret == -EAGAIN));
	TEST_ASSERT(!ret && !left, "KVM_PRE_FAULT_MEMORY: %d, %#lx bytes left",
		    ret, left);
}

int __tdx_set_attributes(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
			 uint64_t attributes)
{
	struct kvm_memory_attributes attr = {
		.attributes = attributes,
		.address = gpa,
		.size = size,
	};

	return tdx_ret(__vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &attr));
}

#define HUGE_PAGE_PARAMETER	"/sys/module/kvm_intel/parameters/tdx_huge_page"

static void write_huge_page(bool on)
{
	FILE *f = fopen(HUGE_PAGE_PARAMETER, "w");

	TEST_ASSERT(f, "%s: %d", HUGE_PAGE_PARAMETER, errno);
	TEST_ASSERT(fputc(on ? 'Y' : 'N', f) != EOF && !fclose(f), "%s: %d",
		    HUGE_PAGE_PARAMETER, errno);
}

static void restore_huge_page(void)
{
	write_huge_page(true);
}

void tdx_set_huge_page(bool on)
{
	static bool is_registered;

	if (!is_registered)
		atexit(restore_huge_page);
	is_registered = true;
	write_huge_page(on);
}

bool tdx_vm_is_dead(struct kvm_vm *vm)
{
	return tdx_ret(__vm_ioctl(vm, KVM_CHECK_EXTENSION,
				  (void *)KVM_CAP_USER_MEMORY)) == -EIO;
}

/* kvm_vm_free() for a VM that KVM has bugged, and that takes no ioctl any more. */
void tdx_vm_free_dead(struct kvm_vm *vm)
{
	struct userspace_mem_region *region;
	int ctr;

	hash_for_each(vm->regions.slot_hash, ctr, region, slot_node) {
		if (region->region.guest_memfd >= 0)
			close(region->region.guest_memfd);
	}
	kvm_vm_release(vm);
}
