// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of the Linux that tdx_linux, or another VMM, boots as a TD.  It
 * shows that this is a TD: what the kernel says, private memory that keeps what was
 * written to it, a CPU that goes and comes, memory converted to shared and back, and
 * used, a TDREPORT, the firmware's event log, and a shell.  Then it ends the guest, by
 * default by switching it off.  Any failure is a kernel panic, as the first process is
 * not to exit.
 *
 * It loads what is in /modules, by name, before /tdx-guest.ko, if that is there.
 *
 * Words on the kernel's command line that concern it:
 *
 *	end=off|reboot|panic|never	how to end
 *	end=shell			off, after a shell for a person
 *	dirty=MIB			how much memory to write to on each CPU
 *	cpus=NUMBER			how many CPUs there have to be
 *	port=irq			the serial port has its interrupt, and the VMM is
 *					another one, with less to rely on
 *	kind=vm				this is no TD, and shows what any VM can
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/serial.h>
#include <linux/tdx-guest.h>

#define CONSOLE			"/dev/ttyS0"
#define DRIVER			"/tdx-guest.ko"
#define DEVICE			"/dev/tdx_guest"
#define CONFIGFS		"/sys/kernel/config"
#define TSM_REPORT		CONFIGFS "/tsm/report/test"
#define DEFAULT_DIRTY_MIB	16
#define MIB			1048576ul

/* What the firmware measured, which the kernel has as an area after an ACPI table. */
#define EVENT_LOG		"/sys/firmware/acpi/tables/data/CCEL"
#define UNUSED_LOG		0xff
#define LOG_LINE		64

/* Where TDINFO, the part of a TDREPORT that is about the TD, has its registers. */
#define REPORT_TYPE		0
#define REPORT_TYPE_TDX		0x81
#define REPORT_DATA		128
#define REPORT_TDINFO		512
#define TDINFO_MRTD		16
#define TDINFO_RTMR		208
#define MR_SIZE			48
#define NR_RTMRS		4

/* Out at once, or the kernel's messages end up in the middle of the line. */
static void flush(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("init: FAILED: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	flush();
	_exit(1);
}

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("init: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	flush();
}

#define check(cond, fmt, ...)				\
do {							\
	if (!(cond))					\
		fail(fmt ": %m", ##__VA_ARGS__);	\
} while (0)

static void mount_all(void)
{
	/* Some of them the kernel has mounted already. */
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

/*
 * tdx_linux's port has no interrupt, but Linux takes a PC's for granted.  Make it
 * poll, which works as long as nobody has it open, and counts from the next time on.
 */
static void poll_port(void)
{
	struct serial_struct serial;
	int fd = open(CONSOLE, O_RDWR | O_NONBLOCK);

	if (!ioctl(fd, TIOCGSERIAL, &serial)) {
		serial.irq = 0;
		ioctl(fd, TIOCSSERIAL, &serial);
	}
	close(fd);
}

/* What tdx_linux gives its guests another VMM may not. */
static bool is_other_vmm(void)
{
	const char *port = getenv("port");

	return port && !strcmp(port, "irq");
}

static bool is_td(void)
{
	const char *kind = getenv("kind");

	return !kind || strcmp(kind, "vm");
}

static void open_console(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	if (!is_other_vmm())
		poll_port();

	fd = open(CONSOLE, O_RDWR);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static void show_kernel_messages(void)
{
	static const char * const words[] = {
		"tdx: Guest detected", "Memory Encryption Features active: Intel TDX",
	};
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), i, n, found = 0;
	char record[1024], *text;

	check(fd >= 0, "/dev/kmsg");
	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = 0;
		text = strchr(record, ';');
		for (i = 0; text && i < 2; i++) {
			if (!strstr(text, words[i]))
				continue;
			say("the kernel says \"%s\"", strtok(text + 1, "\n"));
			found |= 1 << i;
			break;
		}
	}
	close(fd);
	if (found != 3)
		fail("the kernel doesn't say that it is a TDX guest");
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(!sched_setaffinity(0, sizeof(set), &set), "CPU %d", cpu);
}

/* Every word its own value, and in a second round the complement. */
static void dirty_round(uint64_t *mem, size_t nr, uint64_t flip)
{
	size_t i;

	for (i = 0; i < nr; i++)
		mem[i] = (i * nr) ^ flip;
	for (i = 0; i < nr; i++) {
		if (mem[i] != ((i * nr) ^ flip))
			fail("word %zu is %#lx", i, mem[i]);
	}
}

static void dirty_memory(int cpu, size_t size)
{
	uint64_t *mem;

	pin_to(cpu);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	check(mem != MAP_FAILED, "%zu bytes", size);
	dirty_round(mem, size / sizeof(*mem), cpu);
	dirty_round(mem, size / sizeof(*mem), ~(uint64_t)cpu);
	munmap(mem, size);
}

static void dirty_on_all_cpus(size_t size, const char *want)
{
	int cpu, status, nr = sysconf(_SC_NPROCESSORS_ONLN);

	if (want && nr != atoi(want))
		fail("%d CPUs are online, not %s", nr, want);
	for (cpu = 0; cpu < nr; cpu++) {
		if (!fork()) {
			dirty_memory(cpu, size);
			_exit(0);
		}
	}
	for (cpu = 0; cpu < nr; cpu++) {
		check(wait(&status) > 0, "wait");
		if (status)
			fail("memory isn't what was written to it");
	}
	say("wrote and checked %zu MiB of private memory on each of %d CPU%s",
	    size / MIB, nr, nr > 1 ? "s" : "");
}

static int try_to_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret;

	check(fd >= 0, "%s", path);
	ret = write(fd, text, strlen(text));
	close(fd);
	return ret;
}

/* Back to the firmware's mailbox, and from there into the kernel once more. */
static void cycle_cpu(void)
{
	static const char path[] = "/sys/devices/system/cpu/cpu1/online";

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	if (try_to_write(path, "0") < 0) {
		check(is_other_vmm() && errno == EOPNOTSUPP, "CPU 1 doesn't go offline");
		say("CPU 1 stays online, as the firmware's mailbox takes none back");
		return;
	}
	check(try_to_write(path, "1") > 0, "CPU 1 doesn't come online");
	say("CPU 1 went offline and came back");
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY);

	check(fd >= 0, "%s", path);
	check(!syscall(SYS_finit_module, fd, "", 0), "loading %s", path);
	close(fd);
}

static int is_module(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load_modules(void)
{
	struct dirent **entries;
	char path[512];
	int i, n;

	n = scandir("/modules", &entries, is_module, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/modules/%s", entries[i]->d_name);
		load_module(path);
	}
}

/* Its buffer for quotes is shared for as long as the module is loaded. */
static void convert_memory(void)
{
	load_module(DRIVER);
	check(!access(DEVICE, R_OK | W_OK), DEVICE);
	check(!syscall(SYS_delete_module, "tdx_guest", 0), "unloading tdx-guest");
	load_module(DRIVER);
	say("memory was converted to shared, to private and to shared");
}

/*
 * The driver writes a TDREPORT to its shared buffer, and has the VMM make a quote of
 * it.  That one can't: an error is the answer to expect, or none where the VMM tells of
 * the error in the buffer, at which the driver doesn't look.
 */
static void use_shared_memory(void)
{
	char quote[TDX_REPORT_LEN] = {};
	int fd, n;

	mount("configfs", CONFIGFS, "configfs", 0, NULL);
	check(!mkdir(TSM_REPORT, 0700), TSM_REPORT);
	fd = open(TSM_REPORT "/inblob", O_WRONLY);
	check(fd >= 0 && write(fd, quote, TDX_REPORTDATA_LEN) == TDX_REPORTDATA_LEN,
	      TSM_REPORT "/inblob");
	close(fd);
	fd = open(TSM_REPORT "/outblob", O_RDONLY);
	check(fd >= 0, TSM_REPORT "/outblob");
	n = read(fd, quote, sizeof(quote));
	if (n > 0 || (n < 0 && errno != EIO) || (!n && !is_other_vmm()))
		fail("reading a quote gave %d, from a VMM that makes none: %m", n);
	close(fd);
	say("the VMM was asked for a quote, through shared memory, and makes none");
}

static void show_register(const char *name, const uint8_t *mr)
{
	char hex[2 * MR_SIZE + 1];
	int i;

	for (i = 0; i < MR_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", mr[i]);
	say("%-5s %s", name, hex);
}

static void show_report(void)
{
	static struct tdx_report_req req;
	const uint8_t *tdinfo = req.tdreport + REPORT_TDINFO;
	int i, fd = open(DEVICE, O_RDWR);
	char name[] = "RTMR0";

	check(fd >= 0, DEVICE);
	for (i = 0; i < TDX_REPORTDATA_LEN; i++)
		req.reportdata[i] = i + 1;
	check(!ioctl(fd, TDX_CMD_GET_REPORT0, &req), "TDX_CMD_GET_REPORT0");
	close(fd);
	if (req.tdreport[REPORT_TYPE] != REPORT_TYPE_TDX)
		fail("the TDREPORT is of type %#x", req.tdreport[REPORT_TYPE]);
	if (memcmp(req.tdreport + REPORT_DATA, req.reportdata, TDX_REPORTDATA_LEN))
		fail("the TDREPORT lacks the data that was to be in it");

	show_register("MRTD", tdinfo + TDINFO_MRTD);
	for (i = 0; i < NR_RTMRS; i++, name[4]++)
		show_register(name, tdinfo + TDINFO_RTMR + i * MR_SIZE);
}

/* All of it that is in use, in hexadecimal digits, for those who compute RTMRs. */
static void show_event_log(void)
{
	static uint8_t events[65536];
	int i, n, fd = open(EVENT_LOG, O_RDONLY);

	if (fd < 0)
		return;
	for (n = 0; n < sizeof(events); n += i) {
		i = read(fd, events + n, sizeof(events) - n);
		check(i >= 0, EVENT_LOG);
		if (!i)
			break;
	}
	close(fd);
	while (n && events[n - 1] == UNUSED_LOG)
		n--;
	for (i = 0; i < n; i++)
		printf("%s%02x%s", i % LOG_LINE ? "" : "CCEL ", events[i],
		       i % LOG_LINE == LOG_LINE - 1 || i == n - 1 ? "\n" : "");
	flush();
}

static void run_shell(void)
{
	static const char script[] =
		"PS4='# '; set -x; uname -srm; grep -c ^processor /proc/cpuinfo; "
		"grep -o -m 1 tdx_guest /proc/cpuinfo; grep -m 1 'model name' /proc/cpuinfo; "
		"grep -E 'MemTotal|MemFree|Unaccepted' /proc/meminfo; "
		"grep -E 'CPU0|ttyS0|timer' /proc/interrupts";
	int status;

	if (access("/bin/sh", X_OK))
		return;
	if (!fork()) {
		setenv("PATH", "/bin", 1);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	check(wait(&status) > 0, "wait");
	if (status)
		fail("the shell ended with status %#x", status);
}

/* In a session of its own, whose terminal the console is: Control-C works. */
static void let_person_in(void)
{
	if (!fork()) {
		setsid();
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
		setenv("PATH", "/bin", 1);
		execl("/bin/sh", "sh", "-i", NULL);
		_exit(127);
	}
	wait(NULL);
}

static void end_guest(const char *how)
{
	say("end=%s", how);
	if (!strcmp(how, "shell")) {
		let_person_in();
		how = "off";
	}
	if (!strcmp(how, "reboot"))
		reboot(RB_AUTOBOOT);
	if (!strcmp(how, "off"))
		reboot(RB_POWER_OFF);
	while (!strcmp(how, "never"))
		pause();
	_exit(0);
}

int main(void)
{
	const char *how = getenv("end"), *mib = getenv("dirty");

	mount_all();
	open_console();
	if (is_td())
		show_kernel_messages();
	dirty_on_all_cpus((mib ? atoi(mib) : DEFAULT_DIRTY_MIB) * MIB, getenv("cpus"));
	cycle_cpu();
	load_modules();
	if (is_td() && (!is_other_vmm() || !access(DRIVER, R_OK))) {
		convert_memory();
		use_shared_memory();
		show_report();
	}
	show_event_log();
	run_shell();
	end_guest(how ? how : "off");
}
