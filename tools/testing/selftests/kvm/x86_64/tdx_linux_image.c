// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that the guest starts with: a bzImage and an initramfs where the
 * 64-bit boot protocol of x86 wants them, boot parameters, ACPI tables, firmware.
 * All of it gets measured; the rest of RAM is the firmware's to accept.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <asm/bootparam.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_linux.h"

#define SETUP_HEADER		0x1f1
#define BOOT_FLAG		0xaa55
#define HEADER_MAGIC		0x53726448	/* "HdrS" */
/* The first that tells of the 64-bit entry. */
#define BOOT_PROTOCOL		0x020c
#define SECTOR			512
#define DEFAULT_SETUP_SECTS	4
#define ENTRY_64_OFFSET		0x200
#define LOADER_UNDEFINED	0xff

enum { E820_RAM = 1, E820_RESERVED, E820_ACPI, E820_NVS };

static void *alloc_pages_zeroed(uint64_t npages)
{
	void *mem = aligned_alloc(PAGE_SIZE, npages * PAGE_SIZE);

	TEST_ASSERT(mem, "No memory for %lu pages", npages);
	return memset(mem, 0, npages * PAGE_SIZE);
}

static uint64_t to_pages(uint64_t size)
{
	return (size + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Pieces come in ascending order, for the holes between them. */
static void *add_piece(struct tdx_linux_image *image, const char *name,
		       uint64_t gpa, uint64_t size)
{
	struct tdx_linux_piece *piece = &image->pieces[image->nr_pieces++];
	const struct tdx_linux_piece *last = piece - 1;

	TEST_ASSERT(image->nr_pieces <= MAX_PIECES, "Too many pieces");
	TEST_ASSERT(image->nr_pieces == 1 ||
		    last->gpa + last->npages * PAGE_SIZE <= gpa,
		    "%s overlaps %s, or lies below it", name, last->name);

	*piece = (struct tdx_linux_piece) {
		.name = name,
		.gpa = gpa,
		.npages = to_pages(size),
		.mem = alloc_pages_zeroed(to_pages(size)),
	};
	return piece->mem;
}

static uint8_t *read_file(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *mem;

	TEST_ASSERT(fd >= 0, "Cannot open %s: %s", path, strerror(errno));
	TEST_ASSERT(!fstat(fd, &st) && st.st_size, "%s is empty", path);
	mem = malloc(st.st_size);
	TEST_ASSERT(mem, "No memory for %s", path);
	TEST_ASSERT(test_read(fd, mem, st.st_size) == st.st_size,
		    "Cannot read %s", path);
	close(fd);
	*size = st.st_size;
	return mem;
}

static void check_header(const struct setup_header *hdr, const char *path)
{
	TEST_ASSERT(hdr->boot_flag == BOOT_FLAG && hdr->header == HEADER_MAGIC,
		    "%s is no bzImage", path);
	TEST_ASSERT(hdr->version >= BOOT_PROTOCOL &&
		    (hdr->xloadflags & XLF_KERNEL_64) &&
		    (hdr->loadflags & LOADED_HIGH),
		    "%s has no 64-bit entry point", path);
}

/* Returns where the kernel begins in the file; the setup code isn't used. */
static uint64_t read_header(const uint8_t *file, uint64_t size, const char *path,
			    struct setup_header *hdr)
{
	uint64_t end, offset;
	int sects;

	TEST_ASSERT(size > SETUP_HEADER + sizeof(*hdr), "%s is too short", path);
	memset(hdr, 0, sizeof(*hdr));
	/* The header's own length is in the second byte of its jump. */
	end = 0x202 + file[0x201];
	TEST_ASSERT(end - SETUP_HEADER <= sizeof(*hdr), "%s has a strange header",
		    path);
	memcpy(hdr, file + SETUP_HEADER, end - SETUP_HEADER);
	check_header(hdr, path);

	sects = hdr->setup_sects ?: DEFAULT_SETUP_SECTS;
	offset = (sects + 1) * SECTOR;
	TEST_ASSERT(offset < size, "%s ends in its setup code", path);
	return offset;
}

static void add_e820(struct boot_params *bp, uint64_t start, uint64_t end, int type)
{
	bp->e820_table[bp->e820_entries++] = (struct boot_e820_entry) {
		.addr = start,
		.size = end - start,
		.type = type,
	};
}

static void fill_e820(struct boot_params *bp, uint64_t ram)
{
	add_e820(bp, 0, LOW_RAM_END, E820_RAM);
	add_e820(bp, LOW_RAM_END, HIGH_RAM_START, E820_RESERVED);
	add_e820(bp, HIGH_RAM_START, ram - ACPI_SIZE, E820_RAM);
	add_e820(bp, ram - ACPI_SIZE, ram, E820_ACPI);
	/*
	 * Not just reserved: Linux takes that for a device's memory, and would
	 * look for the mailbox in the shared half.
	 */
	add_e820(bp, FW_BASE, SZ_4G, E820_NVS);
}

static void fill_boot_params(struct boot_params *bp, const struct setup_header *hdr,
			     const struct tdx_linux_piece *initrd, uint64_t initrd_size)
{
	bp->hdr = *hdr;
	bp->hdr.type_of_loader = LOADER_UNDEFINED;
	bp->hdr.cmd_line_ptr = CMDLINE_GPA;
	if (initrd) {
		bp->hdr.ramdisk_image = initrd->gpa;
		bp->hdr.ramdisk_size = initrd_size;
	}
}

static void fill_handoff(struct tdx_linux_image *image, uint64_t entry)
{
	const struct tdx_linux_piece *piece = image->pieces;
	int i, nr_in_ram = image->nr_pieces;
	struct tdx_linux_handoff *handoff;
	uint64_t next = 0;

	handoff = add_piece(image, "firmware", FW_BASE, FW_NR_PAGES * PAGE_SIZE);
	memcpy(handoff, tdx_linux_fw, FW_NR_PAGES * PAGE_SIZE);
	handoff->boot_params = BOOT_GPA;
	handoff->entry = entry;

	/* The last piece in RAM, the ACPI tables, ends where RAM does. */
	for (i = 0; i < nr_in_ram; i++, piece++) {
		if (next < piece->gpa) {
			handoff->ranges[handoff->nr_ranges].start = next;
			handoff->ranges[handoff->nr_ranges++].end = piece->gpa;
		}
		next = piece->gpa + piece->npages * PAGE_SIZE;
	}
	TEST_ASSERT_EQ(next, image->ram);
}

static void check_offsets(void)
{
	kvm_static_assert(offsetof(struct tdx_linux_handoff, boot_params) ==
			  HANDOFF_BOOT_PARAMS);
	kvm_static_assert(offsetof(struct tdx_linux_handoff, entry) == HANDOFF_ENTRY);
	kvm_static_assert(offsetof(struct tdx_linux_handoff, nr_ranges) ==
			  HANDOFF_NR_RANGES);
	kvm_static_assert(offsetof(struct tdx_linux_handoff, ranges) ==
			  HANDOFF_RANGES);
	kvm_static_assert(HANDOFF_MAX_RANGES >= MAX_PIECES);
	kvm_static_assert((uint64_t)FW_BASE + FW_NR_PAGES * PAGE_SIZE == SZ_4G);
}

void tdx_linux_build_image(struct tdx_linux_image *image,
			   const struct tdx_linux_files *files)
{
	uint64_t size, offset, initrd_size = 0, initrd_gpa, acpi_gpa;
	const struct tdx_linux_piece *initrd_piece = NULL;
	uint8_t *kernel, *initrd = NULL;
	struct setup_header hdr;
	struct boot_params *bp;
	char *cmdline;

	check_offsets();
	kernel = read_file(files->kernel, &size);
	offset = read_header(kernel, size, files->kernel, &hdr);
	if (files->initrd)
		initrd = read_file(files->initrd, &initrd_size);
	acpi_gpa = image->ram - ACPI_SIZE;
	initrd_gpa = acpi_gpa - to_pages(initrd_size) * PAGE_SIZE;
	TEST_ASSERT(hdr.pref_address + hdr.init_size <= initrd_gpa,
		    "%lu MiB of RAM are too few for this kernel and initramfs",
		    image->ram / SZ_1M);
	TEST_ASSERT(strlen(files->cmdline) < min_t(uint32_t, hdr.cmdline_size,
						   PAGE_SIZE),
		    "The command line is too long");

	bp = add_piece(image, "boot parameters", BOOT_GPA, PAGE_SIZE);
	cmdline = add_piece(image, "command line", CMDLINE_GPA, PAGE_SIZE);
	memcpy(cmdline, files->cmdline, strlen(files->cmdline));
	memcpy(add_piece(image, "kernel", hdr.pref_address, size - offset),
	       kernel + offset, size - offset);
	if (initrd) {
		memcpy(add_piece(image, "initramfs", initrd_gpa, initrd_size),
		       initrd, initrd_size);
		initrd_piece = &image->pieces[image->nr_pieces - 1];
	}
	fill_boot_params(bp, &hdr, initrd_piece, initrd_size);
	fill_e820(bp, image->ram);
	bp->acpi_rsdp_addr =
		tdx_linux_build_acpi(add_piece(image, "ACPI tables", acpi_gpa,
					       ACPI_SIZE),
				     acpi_gpa, image->nr_vcpus);
	fill_handoff(image, hdr.pref_address + ENTRY_64_OFFSET);

	free(kernel);
	free(initrd);
}
