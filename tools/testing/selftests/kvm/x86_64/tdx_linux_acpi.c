// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI tables of the guest: a machine of hardware-reduced ACPI, without interrupt
 * controllers but the local APICs, that can be switched off and reset through
 * ports, and whose processors wait in a mailbox.
 */
#include <string.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_linux.h"

#define HEADER_SIZE		36
#define HEADER_LENGTH		4
#define HEADER_CHECKSUM		9

#define RSDP_SIZE		36
#define RSDP_V1_SIZE		20
#define RSDP_CHECKSUM		8
#define RSDP_EXT_CHECKSUM	32

/* Fixed Description Table of ACPI 6.0; what isn't named here is zero. */
#define FADT_REVISION		6
#define FADT_SIZE		276
#define FADT_BOOT_ARCH		109
#define  BOOT_ARCH_NO_VGA		BIT(2)
#define  BOOT_ARCH_NO_MSI		BIT(3)
#define FADT_FLAGS		112
#define  FLAG_WBINVD			BIT(0)
#define  FLAG_NO_POWER_BUTTON		BIT(4)
#define  FLAG_NO_SLEEP_BUTTON		BIT(5)
#define  FLAG_RESET_REGISTER		BIT(10)
#define  FLAG_HW_REDUCED		BIT(20)
#define FADT_RESET_REGISTER	116
#define FADT_RESET_VALUE	128
#define FADT_X_DSDT		140
#define FADT_SLEEP_CONTROL	244
#define FADT_SLEEP_STATUS	256

#define MADT_REVISION		5
#define MADT_LAPIC		0
#define MADT_LAPIC_SIZE		8
#define MADT_LAPIC_ENABLED	BIT(0)
#define MADT_WAKEUP		16
#define MADT_WAKEUP_SIZE	24
/* With a reset vector: vCPUs can go offline again. */
#define MADT_WAKEUP_VERSION	1
#define LAPIC_ADDRESS		0xfee00000

#define XSDT_REVISION		1
#define DSDT_REVISION		2

#define GAS_SYSTEM_IO		1
#define GAS_BYTE_ACCESS		1

/* Name(_S5, Package(4) { type, type, 0, 0 }) */
static const uint8_t aml_s5[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04,
	0x0a, S5_SLEEP_TYPE, 0x0a, S5_SLEEP_TYPE, 0x00, 0x00,
};

/* Tables one after the other, and in the one that is open, byte after byte. */
struct tables {
	uint8_t *mem;
	uint64_t gpa;
	size_t used;
	size_t open;
};

static void put(struct tables *t, uint64_t val, size_t size)
{
	TEST_ASSERT(t->used + size <= ACPI_SIZE, "ACPI tables exceed their room");
	memcpy(t->mem + t->used, &val, size);
	t->used += size;
}

static void put_at(struct tables *t, size_t offset, uint64_t val, size_t size)
{
	memcpy(t->mem + t->open + offset, &val, size);
}

static void put_text(struct tables *t, const char *text)
{
	while (*text)
		put(t, *text++, 1);
}

static void put_port_at(struct tables *t, size_t offset, uint16_t port)
{
	put_at(t, offset, GAS_SYSTEM_IO, 1);
	put_at(t, offset + 1, 8, 1);			/* bits wide */
	put_at(t, offset + 3, GAS_BYTE_ACCESS, 1);
	put_at(t, offset + 4, port, 8);
}

/* What makes the sum of all bytes zero. */
static uint8_t checksum(const uint8_t *mem, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum += *mem++;
	return -sum;
}

static uint64_t begin(struct tables *t, const char *signature, uint8_t revision)
{
	t->used = (t->used + 15) & ~15;
	t->open = t->used;

	put_text(t, signature);
	put(t, 0, 4);				/* length */
	put(t, revision, 1);
	put(t, 0, 1);				/* checksum */
	put_text(t, "KVMTDX");
	put_text(t, "TDXLINUX");
	put(t, 1, 4);
	put_text(t, "KVM ");
	put(t, 1, 4);
	TEST_ASSERT_EQ(t->used - t->open, HEADER_SIZE);
	return t->gpa + t->open;
}

static void end(struct tables *t)
{
	size_t size = t->used - t->open;

	put_at(t, HEADER_LENGTH, size, 4);
	put_at(t, HEADER_CHECKSUM, checksum(t->mem + t->open, size), 1);
}

static uint64_t build_dsdt(struct tables *t)
{
	uint64_t gpa = begin(t, "DSDT", DSDT_REVISION);
	size_t i;

	for (i = 0; i < sizeof(aml_s5); i++)
		put(t, aml_s5[i], 1);
	end(t);
	return gpa;
}

static uint64_t build_fadt(struct tables *t, uint64_t dsdt)
{
	uint64_t gpa = begin(t, "FACP", FADT_REVISION);

	while (t->used - t->open < FADT_SIZE)
		put(t, 0, 1);
	put_at(t, FADT_BOOT_ARCH, BOOT_ARCH_NO_VGA | BOOT_ARCH_NO_MSI, 2);
	put_at(t, FADT_FLAGS, FLAG_WBINVD | FLAG_NO_POWER_BUTTON |
			      FLAG_NO_SLEEP_BUTTON | FLAG_RESET_REGISTER |
			      FLAG_HW_REDUCED, 4);
	put_port_at(t, FADT_RESET_REGISTER, RESET_PORT);
	put_at(t, FADT_RESET_VALUE, RESET_VALUE, 1);
	put_at(t, FADT_X_DSDT, dsdt, 8);
	put_port_at(t, FADT_SLEEP_CONTROL, SLEEP_CONTROL_PORT);
	put_port_at(t, FADT_SLEEP_STATUS, SLEEP_STATUS_PORT);
	end(t);
	return gpa;
}

static uint64_t build_madt(struct tables *t, int nr_vcpus)
{
	uint64_t gpa = begin(t, "APIC", MADT_REVISION);
	int i;

	put(t, LAPIC_ADDRESS, 4);
	put(t, 0, 4);				/* no 8259 */
	for (i = 0; i < nr_vcpus; i++) {
		put(t, MADT_LAPIC, 1);
		put(t, MADT_LAPIC_SIZE, 1);
		put(t, i, 1);			/* processor UID */
		put(t, i, 1);			/* APIC ID: what the firmware compares */
		put(t, MADT_LAPIC_ENABLED, 4);
	}
	put(t, MADT_WAKEUP, 1);
	put(t, MADT_WAKEUP_SIZE, 1);
	put(t, MADT_WAKEUP_VERSION, 2);
	put(t, 0, 4);
	put(t, FW_MAILBOX, 8);
	put(t, FW_RESET_VECTOR, 8);
	end(t);
	return gpa;
}

static uint64_t build_xsdt(struct tables *t, uint64_t fadt, uint64_t madt)
{
	uint64_t gpa = begin(t, "XSDT", XSDT_REVISION);

	put(t, fadt, 8);
	put(t, madt, 8);
	end(t);
	return gpa;
}

static uint64_t build_rsdp(struct tables *t, uint64_t xsdt)
{
	t->used = (t->used + 15) & ~15;
	t->open = t->used;

	put_text(t, "RSD PTR ");
	put(t, 0, 1);				/* checksum */
	put_text(t, "KVMTDX");
	put(t, 2, 1);				/* revision */
	put(t, 0, 4);				/* no RSDT */
	put(t, RSDP_SIZE, 4);
	put(t, xsdt, 8);
	put(t, 0, 4);				/* second checksum */
	put_at(t, RSDP_CHECKSUM, checksum(t->mem + t->open, RSDP_V1_SIZE), 1);
	put_at(t, RSDP_EXT_CHECKSUM, checksum(t->mem + t->open, RSDP_SIZE), 1);
	return t->gpa + t->open;
}

uint64_t tdx_linux_build_acpi(void *mem, uint64_t gpa, int nr_vcpus)
{
	struct tables t = { .mem = mem, .gpa = gpa };
	uint64_t fadt, madt;

	fadt = build_fadt(&t, build_dsdt(&t));
	madt = build_madt(&t, nr_vcpus);
	return build_rsdp(&t, build_xsdt(&t, fadt, madt));
}
