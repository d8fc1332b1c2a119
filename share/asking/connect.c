/* One TCP connection of a client that stays: it looks up from waiting twice a second, so that it can be stopped. */
#include "share/asking/client_inner.h"
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 500u

/* 1: it is ready; 0: not in that time, or it is to stop; ERR_GONE. */
static int wait_for(const struct client_call *call, int fd, short events, unsigned wait_ms)
{
	for (unsigned waited = 0; !client_stopped(call); waited += LOOK_MS) {
		struct pollfd p = {.fd = fd, .events = events};
		const unsigned left = waited < wait_ms ? wait_ms - waited : 0;
		int n = poll(&p, 1, (int)(left < LOOK_MS ? left : LOOK_MS));
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return ERR_GONE;
		if (left <= LOOK_MS)
			return 0;
	}
	return 0;
}

static int try_address(struct client_call *call, const struct addrinfo *a, unsigned timeout_ms)
{
	const int on = 1;
	int error = 0, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof error;
	if (fd < 0)
		return -1;
	bool connected = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ||
			 (errno == EINPROGRESS && wait_for(call, fd, POLLOUT, timeout_ms) == 1 &&
			  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && !(errno = error));
	if (!connected) {
		int why = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		errno = why;
		return -1;
	}
	/* A broker that is gone without a word is noticed, although nothing may be said for hours. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){60}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){20}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){3}, sizeof(int));
	return fd;
}

static bool take_place(const char *url, char host[256], char port[16])
{
	CURLU *u = curl_url();
	char *h = NULL, *p = NULL;
	bool whole = u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		     curl_url_get(u, CURLUPART_HOST, &h, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_PORT, &p, CURLU_DEFAULT_PORT) == CURLUE_OK;
	struct bytes name = whole ? bytes_of_text(h) : (struct bytes){0};
	if (name.len > 2 && name.at[0] == '[')
		name = (struct bytes){name.at + 1, name.len - 2};
	whole = whole && bytes_copy_text(name, host, 256) && bytes_copy_text(bytes_of_text(p), port, 16);
	curl_free(h);
	curl_free(p);
	curl_url_cleanup(u);
	return whole;
}

int client_connect(struct client_call *call, unsigned timeout_ms, struct fault *fault)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	char host[256], port[16];
	struct addrinfo *list = NULL;
	if (!take_place(call->about.url, host, port))
		return fault_set(fault, -1, "its URL names no host and port");
	int bad = getaddrinfo(host, port, &hints, &list), fd = -1;
	if (bad)
		return fault_set(fault, -1, "%s: %s", host, gai_strerror(bad));
	for (const struct addrinfo *it = list; it && fd < 0 && !client_stopped(call); it = it->ai_next)
		fd = try_address(call, it, timeout_ms);
	if (fd < 0)
		fault_set(fault, -1, "%s port %s: %s", host, port, strerror(errno));
	freeaddrinfo(list);
	return fd;
}

ssize_t client_receive(struct client_call *call, int fd, void *to, size_t n, unsigned wait_ms, struct fault *fault)
{
	int ready = wait_for(call, fd, POLLIN, wait_ms);
	if (ready < 0)
		return fault_set(fault, ERR_GONE, "the connection broke: %s", strerror(errno));
	if (!ready)
		return 0;
	ssize_t got = recv(fd, to, n, 0);
	if (got > 0)
		return got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return fault_set(fault, ERR_GONE, "the connection broke: %s", got ? strerror(errno) : "it was closed at the other end");
}

int client_send(struct client_call *call, int fd, struct bytes b, unsigned timeout_ms, struct fault *fault)
{
	while (b.len) {
		ssize_t n = send(fd, b.at, b.len, MSG_NOSIGNAL);
		if (n > 0) {
			b = (struct bytes){b.at + n, b.len - (size_t)n};
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fault_set(fault, ERR_GONE, "the connection broke: %s", strerror(errno));
		if (wait_for(call, fd, POLLOUT, timeout_ms) != 1)
			return fault_set(fault, ERR_TIMEOUT, "it takes nothing for %u ms", timeout_ms);
	}
	return 0;
}
