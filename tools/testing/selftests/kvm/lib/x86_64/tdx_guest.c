// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building and running TDs with the test's own guest code in them.  The layout
 * is that of the library's ordinary VMs; what differs is who may see it.
 */
#include <sys/mman.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "tdx_guest.h"
#include "tdx_guest_boot.h"

#define NR_VECTORS	256
#define NR_STACK_PAGES	5

/*
 * Stacks of its own for each kind of event, as the red zone of the code that
 * is interrupted is in use: IST 1 to 3.
 */
enum { IST_EXCEPTION = 1, IST_NMI, IST_INTERRUPT, NR_IST = IST_INTERRUPT };

#define FIRST_INTERRUPT	32

/* What lgdt and lidt load. */
struct table_register {
	uint16_t limit;
	uint64_t base;
} __packed;

struct task_state {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_bitmap;
} __packed;

/* One page per vCPU; see tdx_guest_boot.h. */
struct vcpu_area {
	struct tdx_reset_regs reset;
	uint64_t cr3;
	uint64_t self;
	uint64_t rsp;
	uint64_t entry;
	struct table_register gdtr;
	uint8_t pad0[6];
	struct table_register idtr;
	uint8_t pad1[30];
	uint64_t gdt[5];
	void (*code)(uint64_t arg);
	uint64_t arg;
	struct task_state tss;
};

#define CHECK_AREA(field, off) \
	static_assert(offsetof(struct vcpu_area, field) == (off), #field)
CHECK_AREA(reset.r8, TDX_AREA_R8);
CHECK_AREA(cr3, TDX_AREA_CR3);
CHECK_AREA(self, TDX_AREA_SELF);
CHECK_AREA(rsp, TDX_AREA_RSP);
CHECK_AREA(entry, TDX_AREA_ENTRY);
CHECK_AREA(gdtr, TDX_AREA_GDTR);
CHECK_AREA(idtr, TDX_AREA_IDTR);
CHECK_AREA(gdt, TDX_AREA_GDT);
static_assert(sizeof(struct task_state) == 104, "TSS");

/* Flat 64-bit code and data, and an available 64-bit TSS. */
#define GDT_CODE	0x00af9b000000ffffull
#define GDT_DATA	0x00cf93000000ffffull
#define GDT_TSS_TYPE	0x0000890000000000ull

/* In the guest: what a ucall's host address is relative to. */
static uint64_t ucall_base;

void tdx_guest_do_ucall(vm_vaddr_t uc)
{
	struct tdcall_regs fatal = {
		.rcx = TDVMCALL_ALL_REGS,
		.r11 = TDVMCALL_FATAL_ERROR,
		/* "no ucall", eight characters a register. */
		.r14 = 0x6c6c616375206f6eull,
	};
	uint32_t offset = uc - ucall_base;

	/* No ucall at all and one that could not be allocated have no address. */
	if (!uc || uc == -1ull)
		offset = uc;

	if (!tdvmcall_io_out(TDX_UCALL_PORT, sizeof(offset), offset))
		return;
	/* The last thing that can be said without it. */
	for (;;)
		tdcall(TDG_VP_VMCALL, &fatal);
}

static uint64_t host_base(struct kvm_vm *vm)
{
	return (uintptr_t)memslot2region(vm, 0)->host_mem;
}

/* A guest that has lost its way may say anything. */
static bool is_ucall_offset(uint32_t offset)
{
	return offset &&
	       offset <= TDX_PROGRAM_NR_PAGES * PAGE_SIZE - sizeof(struct ucall);
}

void *tdx_guest_get_ucall(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint32_t offset;

	if (run->exit_reason != KVM_EXIT_IO || run->io.port != TDX_UCALL_PORT ||
	    run->io.direction != KVM_EXIT_IO_OUT || run->io.size != sizeof(offset))
		return NULL;

	memcpy(&offset, (void *)run + run->io.data_offset, sizeof(offset));
	if (offset == -1u)
		return (void *)-1ull;
	return is_ucall_offset(offset) ? (void *)(host_base(vcpu->vm) + offset) : NULL;
}

static void init_idt(struct kvm_vm *vm)
{
	struct idt_entry *idt;
	int i;

	vm->arch.idt = __vm_vaddr_alloc_page(vm, MEM_REGION_DATA);
	vm->handlers = __vm_vaddr_alloc_page(vm, MEM_REGION_DATA);
	idt = addr_gva2hva(vm, vm->arch.idt);

	for (i = 0; i < NR_VECTORS; i++) {
		uint64_t addr = (uintptr_t)(&idt_handlers)[i];

		idt[i] = (struct idt_entry) {
			.offset0 = addr,
			.offset1 = addr >> 16,
			.offset2 = addr >> 32,
			.selector = TDX_BOOT_CS,
			.ist = i >= FIRST_INTERRUPT ? IST_INTERRUPT :
			       i == NMI_VECTOR ? IST_NMI : IST_EXCEPTION,
			.type = 14,
			.p = 1,
		};
	}
	write_guest_global(vm, exception_handlers, vm->handlers);
	vm_install_exception_handler(vm, TDX_VE_VECTOR, tdx_ve_handler);
}

/* The page that ends at 4 GiB, mapped where it is. */
static void init_boot_page(struct kvm_vm *vm)
{
	struct userspace_mem_region *region;

	tdx_vm_mem_add(vm, TDX_BOOT_GPA, TDX_BOOT_SLOT, 1);
	region = memslot2region(vm, TDX_BOOT_SLOT);
	memcpy(region->host_mem, tdx_boot_page, PAGE_SIZE);
	__vm_phy_pages_alloc(vm, 1, TDX_BOOT_GPA, TDX_BOOT_SLOT, true);
	virt_map(vm, TDX_BOOT_GPA, TDX_BOOT_GPA, 1);
}

static void init_globals(struct kvm_vm *vm)
{
	write_guest_global(vm, ucall_base, host_base(vm));
	write_guest_global(vm, tdx_in_guest, true);
	write_guest_global(vm, tdx_guest_shared_bit, vm->arch.s_bit);

	guest_rng = new_guest_random_state(guest_random_seed);
	sync_global_to_guest(vm, guest_rng);
	sync_global_to_guest(vm, host_cpu_is_intel);
	sync_global_to_guest(vm, host_cpu_is_amd);
}

/* Not before it is known what INIT_VM has made of the host's. */
static void init_tsc_khz(struct kvm_vm *vm)
{
	guest_tsc_khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);
	TEST_ASSERT((int)guest_tsc_khz > 0, "KVM_GET_TSC_KHZ");
	sync_global_to_guest(vm, guest_tsc_khz);
}

static struct kvm_vm *create(void (*adjust)(struct kvm_tdx_init_vm *), uint64_t khz)
{
	struct kvm_vm *vm = tdx_vm_create();
	int i;

	tdx_vm_mem_add(vm, 0, 0, TDX_PROGRAM_NR_PAGES);
	for (i = 0; i < NR_MEM_REGIONS; i++)
		vm->memslots[i] = 0;

	kvm_vm_elf_load(vm, program_invocation_name);
	ucall_init(vm, 0);
	init_idt(vm);
	init_boot_page(vm);
	init_globals(vm);
	if (khz)
		vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)khz);
	tdx_vm_init_with(vm, adjust);
	init_tsc_khz(vm);
	return vm;
}

struct kvm_vm *tdx_guest_create(void)
{
	return create(NULL, 0);
}

struct kvm_vm *tdx_guest_create_with(void (*adjust)(struct kvm_tdx_init_vm *))
{
	return create(adjust, 0);
}

struct kvm_vm *tdx_guest_create_with_tsc(uint64_t khz)
{
	return create(NULL, khz);
}

void tdx_guest_no_attributes(struct kvm_tdx_init_vm *args)
{
	args->attributes = 0;
}

/* Where the boot code goes in C; the area is that of this vCPU. */
static void guest_main(struct vcpu_area *area)
{
	area->code(area->arg);
	GUEST_DONE();
	for (;;)
		tdvmcall_hlt(true);
}

static struct vcpu_area *guest_area(void)
{
	struct table_register gdtr;

	asm volatile("sgdt %0" : "=m" (gdtr));
	return (void *)(gdtr.base - TDX_AREA_GDT);
}

struct tdx_reset_regs *tdx_guest_reset_regs(void)
{
	return &guest_area()->reset;
}

static vm_vaddr_t stack_top(struct kvm_vm *vm, int nr_pages)
{
	return __vm_vaddr_alloc(vm, nr_pages * PAGE_SIZE,
				DEFAULT_GUEST_STACK_VADDR_MIN,
				MEM_REGION_DATA) + nr_pages * PAGE_SIZE;
}

static void init_tables(struct kvm_vm *vm, struct vcpu_area *area)
{
	uint64_t tss = area->self + offsetof(struct vcpu_area, tss);
	int i;

	area->gdtr.base = area->self + TDX_AREA_GDT;
	area->gdtr.limit = sizeof(area->gdt) - 1;
	area->idtr.base = vm->arch.idt;
	area->idtr.limit = NR_VECTORS * sizeof(struct idt_entry) - 1;

	area->gdt[TDX_BOOT_CS / 8] = GDT_CODE;
	area->gdt[TDX_BOOT_DS / 8] = GDT_DATA;
	area->gdt[TDX_BOOT_TSS / 8] = GDT_TSS_TYPE | (sizeof(area->tss) - 1) |
				      (tss & 0xffffff) << 16 |
				      (tss >> 24 & 0xff) << 56;
	area->gdt[TDX_BOOT_TSS / 8 + 1] = tss >> 32;

	area->tss.io_bitmap = sizeof(area->tss);
	for (i = 1; i <= NR_IST; i++)
		area->tss.ist[i - 1] = stack_top(vm, 1);
}

struct kvm_vcpu *tdx_guest_vcpu_add(struct kvm_vm *vm, uint32_t id,
				    void (*code)(uint64_t), uint64_t arg)
{
	vm_vaddr_t gva = __vm_vaddr_alloc_page(vm, MEM_REGION_DATA);
	struct vcpu_area *area = addr_gva2hva(vm, gva);
	struct kvm_vcpu *vcpu;

	memset(area, 0, sizeof(*area));
	area->cr3 = vm->pgd;
	area->self = gva;
	area->rsp = stack_top(vm, NR_STACK_PAGES);
	area->entry = (uintptr_t)guest_main;
	area->code = code;
	area->arg = arg;
	init_tables(vm, area);
	/* Used before the vCPU is in 64-bit mode. */
	TEST_ASSERT(area->gdtr.base < SZ_4G && area->cr3 < SZ_4G &&
		    addr_gva2gpa(vm, gva) < SZ_4G, "Boot data beyond 4 GiB");

	vcpu = tdx_vcpu_add(vm, id);
	tdx_vcpu_init(vcpu, addr_gva2gpa(vm, gva));
	return vcpu;
}

void *tdx_guest_shared_alloc(struct kvm_vm *vm, size_t size, vm_vaddr_t *gva)
{
	void *hva;

	*gva = vm_vaddr_alloc_shared(vm, size, KVM_UTIL_MIN_VADDR,
				     MEM_REGION_TEST_DATA);
	hva = addr_gva2hva(vm, *gva);
	memset(hva, 0, align_up(size, PAGE_SIZE));
	return hva;
}

void tdx_guest_map(struct kvm_vm *vm, uint64_t gva, uint64_t gpa,
		   uint64_t npages, bool shared)
{
	uint64_t *pte, i;

	for (i = 0; i < npages; i++, gva += PAGE_SIZE, gpa += PAGE_SIZE) {
		/*
		 * The library wants to know a page that it maps, and decides alone
		 * whether it is shared, so let it map a page that it knows.
		 */
		virt_map(vm, gva, 0, 1);
		pte = vm_get_page_table_entry(vm, gva);
		*pte = (*pte & (PTE_PRESENT_MASK | PTE_WRITABLE_MASK)) | gpa |
		       (shared ? vm->arch.s_bit : 0);
	}
}

void tdx_guest_map_both(struct kvm_vm *vm, uint64_t gpa, uint64_t npages)
{
	tdx_guest_map(vm, TDX_GUEST_PRIVATE(gpa), gpa, npages, false);
	tdx_guest_map(vm, TDX_GUEST_SHARED(gpa), gpa, npages, true);
}

void *tdx_guest_mem_add(struct kvm_vm *vm, uint64_t gpa, uint32_t slot,
			uint64_t npages)
{
	tdx_vm_mem_add(vm, gpa, slot, npages);
	tdx_guest_map_both(vm, gpa, npages);
	return memslot2region(vm, slot)->host_mem;
}

int tdx_guest_initial(struct kvm_vm *vm, struct tdx_initial *initial)
{
	static const uint32_t slots[] = { TDX_BOOT_SLOT, 0 };
	sparsebit_idx_t first, last;
	struct sparsebit *pages;
	int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		pages = memslot2region(vm, slots[i])->protected_phy_pages;
		sparsebit_for_each_set_range(pages, first, last) {
			TEST_ASSERT(nr < TDX_MAX_INITIAL, "Initial memory in pieces");
			initial[nr++] = (struct tdx_initial) {
				.gpa = first << vm->page_shift,
				.src = addr_gpa2hva(vm, first << vm->page_shift),
				.npages = last - first + 1,
				.measured = slots[i] == TDX_BOOT_SLOT,
			};
		}
	}
	return nr;
}

/* What was allocated in slot 0 for both sides. */
static void convert_shared(struct kvm_vm *vm)
{
	struct userspace_mem_region *region = memslot2region(vm, 0);
	sparsebit_idx_t pg, end = region->region.memory_size >> vm->page_shift;
	sparsebit_idx_t first = end;

	for (pg = 0; pg <= end; pg++) {
		bool shared = pg < end &&
			      sparsebit_is_clear(region->unused_phy_pages, pg) &&
			      sparsebit_is_clear(region->protected_phy_pages, pg);

		if (shared && first == end)
			first = pg;
		if (!shared && first != end) {
			vm_mem_set_shared(vm, first << vm->page_shift,
					  (pg - first) << vm->page_shift);
			first = end;
		}
	}
}

void tdx_guest_launch(struct kvm_vm *vm)
{
	struct kvm_vcpu *vcpu = list_first_entry(&vm->vcpus, struct kvm_vcpu, list);
	struct tdx_initial initial[TDX_MAX_INITIAL];
	int i, nr;

	TEST_ASSERT(!list_empty(&vm->vcpus), "A TD needs a vCPU");
	convert_shared(vm);
	nr = tdx_guest_initial(vm, initial);
	for (i = 0; i < nr; i++)
		tdx_init_mem_region(vcpu, initial[i].src, initial[i].gpa,
				    initial[i].npages, initial[i].measured);
	tdx_vm_finalize(vm);
}

struct kvm_vm *tdx_guest_launch_one(struct kvm_vcpu **vcpu,
				    void (*code)(uint64_t), uint64_t arg)
{
	struct kvm_vm *vm = tdx_guest_create();

	*vcpu = tdx_guest_vcpu_add(vm, 0, code, arg);
	tdx_guest_launch(vm);
	return vm;
}
