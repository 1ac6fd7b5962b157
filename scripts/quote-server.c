// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counterfeit quotes for "make vmm-test": a server at QEMU's quote-generation socket that
 * answers as the one does that a host of TDs has, but signs nothing.
 *
 *	quote-server SOCKET HOW
 *
 * HOW is one of
 *
 *	good	a quote: MAGIC and the TDREPORT
 *	late	the same, after more than QEMU waits for it
 *	huge	one that no guest has the buffer for
 *	short	half an answer, then the end of the connection
 *	error	an answer that says that there is none
 *
 * It serves one connection.  A message is its length, as a big-endian number of 32 bits,
 * and as many bytes: a header, then what the type of the message wants.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MAGIC		"NOQUOTE:"
#define REPORT_SIZE	1024
#define HUGE_SIZE	1048576
#define LATE_SECONDS	45
#define GET_QUOTE_RESP	1

struct header {
	uint16_t major;
	uint16_t minor;
	uint32_t type;
	uint32_t size;
	uint32_t error;
};

/* To a request for a quote. */
struct response {
	struct header header;
	uint32_t id_size;
	uint32_t quote_size;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int serve(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	unlink(path);
	if (bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 1))
		fail(path);
	printf("listening\n");
	fflush(stdout);
	fd = accept(fd, NULL, NULL);
	if (fd < 0)
		fail("accept");
	return fd;
}

static void read_all(int fd, void *buf, size_t size)
{
	ssize_t n;

	for (; size; size -= n, buf += n) {
		n = read(fd, buf, size);
		if (n <= 0)
			fail("the request ends early");
	}
}

/* Whoever asked may have gone. */
static bool write_all(int fd, const void *buf, size_t size)
{
	ssize_t n;

	for (; size; size -= n, buf += n) {
		n = send(fd, buf, size, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

/* The TDREPORT, which ends the request. */
static void read_request(int fd, uint8_t *report)
{
	static uint8_t request[4096];
	struct header header;
	uint32_t size;

	read_all(fd, &size, sizeof(size));
	size = be32toh(size);
	if (size < sizeof(header) + REPORT_SIZE || size > sizeof(request)) {
		fprintf(stderr, "a request of %u bytes\n", size);
		exit(1);
	}
	read_all(fd, request, size);
	memcpy(&header, request, sizeof(header));
	printf("request: version %u.%u, type %u, size %u of %u, error %u\n", header.major,
	       header.minor, header.type, header.size, size, header.error);
	memcpy(report, request + size - REPORT_SIZE, REPORT_SIZE);
}

static void answer(int fd, const uint8_t *report, const char *how)
{
	size_t quote = strlen(MAGIC) + REPORT_SIZE, size;
	struct response *response;
	uint32_t length;
	uint8_t *data;

	if (!strcmp(how, "huge"))
		quote = HUGE_SIZE;
	if (!strcmp(how, "error"))
		quote = 0;
	size = sizeof(*response) + quote;
	response = calloc(1, size > HUGE_SIZE ? size : HUGE_SIZE);
	if (!response)
		fail("memory");
	response->header = (struct header) {
		.major = 1, .minor = 1, .type = GET_QUOTE_RESP, .size = size,
		.error = quote ? 0 : 0x12001,
	};
	response->quote_size = quote;
	data = (uint8_t *)(response + 1);
	memcpy(data, MAGIC, strlen(MAGIC));
	memcpy(data + strlen(MAGIC), report, REPORT_SIZE);

	length = htobe32(size);
	if (!strcmp(how, "short"))
		size /= 2;
	if (!write_all(fd, &length, sizeof(length)) || !write_all(fd, response, size))
		printf("nobody waits for the answer any more\n");
	free(response);
}

int main(int argc, char **argv)
{
	uint8_t report[REPORT_SIZE];
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: quote-server SOCKET good|late|huge|short|error\n");
		return 2;
	}
	fd = serve(argv[1]);
	read_request(fd, report);
	if (!strcmp(argv[2], "late"))
		sleep(LATE_SECONDS);
	answer(fd, report, argv[2]);
	close(fd);
	unlink(argv[1]);
	return 0;
}
