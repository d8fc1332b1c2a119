/*
 * What the harmless test programs share.  They behave like bots and do nothing: all addresses are
 * those of documentation (RFC 5737, RFC 2606), and they only ever run in a box.
 */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int call_address(uint32_t host_order, unsigned port, int type, int wait_ms)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(host_order)};
	const int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && (errno != EINPROGRESS || wait_ms == 0 || poll(&p, 1, wait_ms) <= 0)) {
		if (wait_ms)
			close(fd);
		return wait_ms ? -1 : fd;
	}
	fcntl(fd, F_SETFL, 0);
	return fd;
}

/* A question for the A record of a name, as bots without a libc ask it; 0: no answer. */
static inline uint32_t ask_name(const char *server, const char *name)
{
	unsigned char packet[512] = {0x12, 0x34, 1, 0, 0, 1}, *at = packet + 12;
	struct in_addr a;
	inet_aton(server, &a);
	const int fd = call_address(ntohl(a.s_addr), 53, SOCK_DGRAM, 1000);
	for (const char *label = name; *label;) {
		const size_t n = strcspn(label, ".");
		*at++ = (unsigned char)n;
		memcpy(at, label, n);
		at += n;
		label += n + (label[n] == '.');
	}
	memcpy(at, "\0\0\1\0\1", 5);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint32_t address = 0;
	if (send(fd, packet, (size_t)(at + 5 - packet), 0) > 0 && poll(&p, 1, 2000) == 1) {
		const ssize_t n = recv(fd, packet, sizeof packet, 0);
		if (n > 16)
			memcpy(&address, packet + n - 4, 4);
	}
	close(fd);
	return ntohl(address);
}

static inline void write_file(const char *path, const char *text, unsigned mode)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}
