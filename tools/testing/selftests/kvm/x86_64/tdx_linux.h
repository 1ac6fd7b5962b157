/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of tdx_linux, which boots Linux as a TD, agree on: the map of
 * the guest's memory, the ports of its devices, the record that the launcher
 * leaves for the firmware, and how the guest can end.  The assembler part is
 * for tdx_linux_fw.S.
 *
 *	0x00000000	RAM; boot parameters and command line at BOOT_GPA
 *	0x0009f000	reserved, as on a PC
 *	0x00100000	RAM; the kernel where it wants to be, the initramfs at the end
 *	last page	of RAM: ACPI tables
 *	FW_BASE		firmware, up to 4 GiB
 */
#ifndef SELFTEST_KVM_TDX_LINUX_H
#define SELFTEST_KVM_TDX_LINUX_H

#define FW_NR_PAGES		7
#define FW_BASE			0xffff9000

/* Pages of the firmware. */
#define FW_HANDOFF		(FW_BASE + 0x0000)
#define FW_MAILBOX		(FW_BASE + 0x1000)
/* Where the kernel sends a vCPU that it takes offline. */
#define FW_RESET_VECTOR		(FW_MAILBOX + 0x800)

/* The record at the start of the firmware, see struct tdx_linux_handoff. */
#define HANDOFF_BOOT_PARAMS	0
#define HANDOFF_ENTRY		8
#define HANDOFF_NR_RANGES	16
#define HANDOFF_RANGES		24
#define HANDOFF_MAX_RANGES	8

/*
 * A port for the firmware: it writes where it is.  A vCPU that waits to be woken
 * writes PARKED again and again, and is put to sleep meanwhile, as the launcher
 * can't see the mailbox.
 */
#define FW_PORT			0x0e00
#define FW_PORT_ACCEPTING	1
#define FW_PORT_ENTERING	2
#define FW_PORT_PARKED		3

#define UART_PORT		0x03f8
#define SLEEP_CONTROL_PORT	0x0604
#define SLEEP_STATUS_PORT	0x0605
#define RESET_PORT		0x0606
#define RESET_VALUE		0x01

/* ACPI's names for the sleep state "soft off" in the tables and the register. */
#define S5_SLEEP_TYPE		5

#ifndef __ASSEMBLER__

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/sizes.h>

#define BOOT_GPA		0x10000
#define CMDLINE_GPA		(BOOT_GPA + PAGE_SIZE)
#define LOW_RAM_END		0x9f000
#define HIGH_RAM_START		SZ_1M
#define ACPI_SIZE		SZ_4K
#define MIN_RAM			SZ_64M
/* Linux maps it with the rest of RAM below the hole for devices. */
#define MAX_RAM			SZ_1G

#define MAX_VCPUS		8

/* What the firmware has to do, part of the measured memory. */
struct tdx_linux_handoff {
	uint64_t boot_params;
	uint64_t entry;
	/* RAM that the guest has to accept: whatever isn't part of the image. */
	uint64_t nr_ranges;
	struct {
		uint64_t start, end;
	} ranges[HANDOFF_MAX_RANGES];
};

/* Memory that the TD starts with; all of it is measured. */
struct tdx_linux_piece {
	const char *name;
	uint64_t gpa;
	uint64_t npages;
	void *mem;
};

#define MAX_PIECES		6

struct tdx_linux_image {
	uint64_t ram;
	int nr_vcpus;
	int nr_pieces;
	/* Ascending by address. */
	struct tdx_linux_piece pieces[MAX_PIECES];
};

struct tdx_linux_files {
	const char *kernel;
	const char *initrd;
	const char *cmdline;
};

enum tdx_linux_end {
	END_NONE,
	END_OFF,
	END_REBOOT,
	END_PANIC,
	END_FATAL,
	END_SHUTDOWN,
	END_ERROR,
	END_HUNG,
	NR_ENDS,
};

/* What the guest asked the launcher for. */
struct tdx_linux_counts {
	uint64_t exits[64];
	uint64_t console_bytes;
	uint64_t to_shared, to_private;
	uint64_t implicit;
};

struct tdx_linux_uart {
	uint8_t ier, lcr, mcr, fcr, scr;
	uint8_t divisor[2];
	bool thre;
};

struct tdx_linux {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[MAX_VCPUS];
	pthread_t threads[MAX_VCPUS];
	struct tdx_linux_image image;
	/* Zero where KVM doesn't tell it. */
	uint8_t mrtd[48];

	/* Protects everything below, and wakes whoever waits for the end. */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	enum tdx_linux_end end;
	bool panicked;
	bool reported;
	char line[512];
	int line_len;
	struct tdx_linux_uart uart;
	uint8_t rtc_index;
	struct tdx_linux_counts counts;
};

/* The firmware as assembled, FW_NR_PAGES long, linked for FW_BASE. */
extern const uint8_t tdx_linux_fw[];

/* tdx_linux_image.c: the memory that the guest starts with. */
void tdx_linux_build_image(struct tdx_linux_image *image,
			   const struct tdx_linux_files *files);

/* tdx_linux_acpi.c: ACPI tables; returns where the RSDP is. */
uint64_t tdx_linux_build_acpi(void *mem, uint64_t gpa, int nr_vcpus);

/* tdx_linux_ports.c: the devices, all of them behind ports. */
uint32_t tdx_linux_port_in(struct tdx_linux *td, uint16_t port);
/* Returns what the guest ends with, END_NONE if it goes on. */
enum tdx_linux_end tdx_linux_port_out(struct tdx_linux *td, uint16_t port, uint32_t val);

/* tdx_linux_run.c: the vCPUs until the guest ends, one way or another. */
enum tdx_linux_end tdx_linux_run(struct tdx_linux *td, unsigned int seconds);

/* tdx_linux_stats.c: what happened meanwhile. */
void tdx_linux_show_stats(struct tdx_linux *td);

#endif /* !__ASSEMBLER__ */

#endif /* SELFTEST_KVM_TDX_LINUX_H */
