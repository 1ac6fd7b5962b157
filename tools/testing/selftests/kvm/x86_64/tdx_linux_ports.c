// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's devices, all of them behind ports: a serial port that is always
 * ready and has no interrupt, a clock that tells the time of day, the registers to
 * switch off and reset the machine, and the firmware's port.  Elsewhere there is
 * nothing, and reads are all ones, except for those of a PC's timer.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/serial_reg.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_linux.h"

#define UART_NR_PORTS		8
#define UART_IIR_FIFO		0xc0

/* Registers 40h to 43h of a PC's timer. */
#define PIT_PORT		0x40
#define PIT_NR_PORTS		4

/* The clock of a PC: number of the register, and its value. */
#define RTC_INDEX_PORT		0x70
#define RTC_DATA_PORT		0x71
#define RTC_SECONDS		0x00
#define RTC_MINUTES		0x02
#define RTC_HOURS		0x04
#define RTC_WEEKDAY		0x06
#define RTC_DAY			0x07
#define RTC_MONTH		0x08
#define RTC_YEAR		0x09
#define RTC_STATUS_B		0x0b
#define  RTC_24_HOURS			BIT(1)
#define RTC_STATUS_D		0x0d
#define  RTC_VALID			BIT(7)

#define SLEEP_ENABLE		BIT(5)
#define SLEEP_TYPE(val)		(((val) >> 2) & 7)

/* A vCPU that waits for its wake-up looks for it this often. */
#define PARKED_USEC		10000

#define PANIC_TEXT		"Kernel panic - not syncing"

/* Whole lines, marked as the guest's; one of them tells why it will reset. */
static void end_line(struct tdx_linux *td)
{
	td->line[td->line_len] = 0;
	printf("| %s\n", td->line);
	if (strstr(td->line, PANIC_TEXT))
		td->panicked = true;
	td->line_len = 0;
}

static void console_out(struct tdx_linux *td, char c)
{
	td->counts.console_bytes++;
	if (c == '\n' || td->line_len == sizeof(td->line) - 1)
		end_line(td);
	if (c != '\n' && c != '\r')
		td->line[td->line_len++] = c;
}

static uint8_t uart_status(struct tdx_linux_uart *uart)
{
	/* A looped back port shows what it sends, which is how drivers find one. */
	if (!(uart->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (uart->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
	       (uart->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
	       (uart->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
	       (uart->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static uint8_t uart_interrupt(struct tdx_linux_uart *uart)
{
	uint8_t iir = uart->fcr & UART_FCR_ENABLE_FIFO ? UART_IIR_FIFO : 0;

	if (!uart->thre || !(uart->ier & UART_IER_THRI))
		return iir | UART_IIR_NO_INT;
	uart->thre = false;
	return iir | UART_IIR_THRI;
}

static uint8_t uart_in(struct tdx_linux_uart *uart, int reg)
{
	if (uart->lcr & UART_LCR_DLAB && reg <= UART_DLM)
		return uart->divisor[reg];

	switch (reg) {
	case UART_IER:
		return uart->ier;
	case UART_IIR:
		return uart_interrupt(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return UART_LSR_TEMT | UART_LSR_THRE;
	case UART_MSR:
		return uart_status(uart);
	case UART_SCR:
		return uart->scr;
	default:
		return 0;
	}
}

static void uart_out(struct tdx_linux *td, int reg, uint8_t val)
{
	struct tdx_linux_uart *uart = &td->uart;

	if (uart->lcr & UART_LCR_DLAB && reg <= UART_DLM) {
		uart->divisor[reg] = val;
		return;
	}

	switch (reg) {
	case UART_TX:
		uart->thre = true;
		if (!(uart->mcr & UART_MCR_LOOP))
			console_out(td, val);
		break;
	case UART_IER:
		if (val & ~uart->ier & UART_IER_THRI)
			uart->thre = true;
		uart->ier = val & 0x0f;
		break;
	case UART_FCR:
		uart->fcr = val;
		break;
	case UART_LCR:
		uart->lcr = val;
		break;
	case UART_MCR:
		uart->mcr = val & 0x1f;
		break;
	case UART_SCR:
		uart->scr = val;
		break;
	}
}

static uint8_t to_bcd(int val)
{
	return val / 10 % 10 << 4 | val % 10;
}

static uint8_t rtc_in(uint8_t reg)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	switch (reg) {
	case RTC_SECONDS:
		return to_bcd(tm.tm_sec);
	case RTC_MINUTES:
		return to_bcd(tm.tm_min);
	case RTC_HOURS:
		return to_bcd(tm.tm_hour);
	case RTC_WEEKDAY:
		return to_bcd(tm.tm_wday + 1);
	case RTC_DAY:
		return to_bcd(tm.tm_mday);
	case RTC_MONTH:
		return to_bcd(tm.tm_mon + 1);
	case RTC_YEAR:
		return to_bcd(tm.tm_year);
	case RTC_STATUS_B:
		return RTC_24_HOURS;
	case RTC_STATUS_D:
		return RTC_VALID;
	default:
		return 0;
	}
}

static void firmware_out(struct tdx_linux *td, uint32_t val)
{
	switch (val) {
	case FW_PORT_ACCEPTING:
		printf("firmware: accepting memory\n");
		break;
	case FW_PORT_ENTERING:
		printf("firmware: entering the kernel\n");
		break;
	case FW_PORT_PARKED:
		/* The others aren't to wait as well. */
		pthread_mutex_unlock(&td->lock);
		usleep(PARKED_USEC);
		pthread_mutex_lock(&td->lock);
		break;
	}
}

static enum tdx_linux_end power_out(struct tdx_linux *td, uint16_t port, uint32_t val)
{
	if (port == RESET_PORT && val == RESET_VALUE)
		return td->panicked ? END_PANIC : END_REBOOT;
	if (port == SLEEP_CONTROL_PORT && val & SLEEP_ENABLE &&
	    SLEEP_TYPE(val) == S5_SLEEP_TYPE)
		return END_OFF;
	return END_NONE;
}

static bool is_uart(uint16_t port)
{
	return port >= UART_PORT && port < UART_PORT + UART_NR_PORTS;
}

uint32_t tdx_linux_port_in(struct tdx_linux *td, uint16_t port)
{
	if (is_uart(port))
		return uart_in(&td->uart, port - UART_PORT);
	if (port == RTC_DATA_PORT)
		return rtc_in(td->rtc_index);
	if (port == SLEEP_CONTROL_PORT || port == SLEEP_STATUS_PORT)
		return 0;
	/*
	 * Linux measures its TSC against the timer, and would wait for long for
	 * one that reads as all ones.
	 */
	if (port >= PIT_PORT && port < PIT_PORT + PIT_NR_PORTS)
		return 0;
	return ~0u;
}

enum tdx_linux_end tdx_linux_port_out(struct tdx_linux *td, uint16_t port, uint32_t val)
{
	if (is_uart(port))
		uart_out(td, port - UART_PORT, val);
	else if (port == FW_PORT)
		firmware_out(td, val);
	else if (port == RTC_INDEX_PORT)
		td->rtc_index = val;
	else
		return power_out(td, port, val);
	return END_NONE;
}
