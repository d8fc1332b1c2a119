#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/trial/serve.h"
#include "bench/trial/twist.h"

enum { GUESTS_MAX = 1 << 16, EVENTS_MAX = 512, SWEEP_MS = 50, GUEST_MS_MAX = 60000 };

/* A connection to somebody of the world, by its descriptor. */
struct guest {
	struct source *source;
	const char *said;
	char *own; /* said, where it was made for this connection */
	size_t size, sent;
	struct manner manner;
	uint64_t begun_ms, next_ms;
	uint8_t port;
	bool open, speaking;
};

struct server {
	struct population *population;
	struct serve_result *result;
	struct guest *guests;
	char *twisted;
	int epoll;
	int listeners[PORT_COUNT];
	int highest;
	uint64_t now_ms, swept_ms;
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void fail(const char *what)
{
	fprintf(stderr, "world: %s: %m\n", what);
	exit(1);
}

static int listener_open(struct server *v, int port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port ? 80 : 23)};
	struct epoll_event event = {.events = EPOLLIN, .data.fd = -1 - port};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 65535) < 0 ||
	    epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		fail(port ? "80/tcp" : "23/tcp");
	return fd;
}

static void guest_close(struct server *v, int fd)
{
	struct guest *g = &v->guests[fd];

	free(g->own);
	*g = (struct guest){0};
	close(fd);
}

static void guest_want_room(struct server *v, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.fd = fd};

	epoll_ctl(v->epoll, EPOLL_CTL_MOD, fd, &event);
}

/* Sends what may be sent now; a web server closes behind its answer, a telnet server waits. */
static void guest_send(struct server *v, int fd)
{
	struct guest *g = &v->guests[fd];

	while (g->sent < g->size) {
		size_t piece = g->size - g->sent;
		ssize_t n;

		if (g->manner.piece) {
			if (v->now_ms < g->next_ms)
				return;
			g->next_ms = v->now_ms + g->manner.pause_ms;
			piece = piece < g->manner.piece ? piece : g->manner.piece;
		}
		n = send(fd, g->said + g->sent, piece, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			guest_want_room(v, fd);
			return;
		}
		if (n < 0) {
			guest_close(v, fd);
			return;
		}
		g->sent += (size_t)n;
	}
	if (g->port == PORT_HTTP || g->source->twist == TWIST_TRUNCATED)
		guest_close(v, fd);
}

static void guest_speak(struct server *v, int fd, const struct text *said)
{
	struct guest *g = &v->guests[fd];

	g->speaking = true;
	g->said = said->at;
	g->size = said->size;
	if (g->source->twist != TWIST_NONE) {
		g->size = twist_answer(v->population, g->source, g->port, said, v->twisted);
		g->own = text_room(g->size, 1);
		memcpy(g->own, v->twisted, g->size);
		g->said = g->own;
		g->manner = twist_manner(g->source, g->size);
	}
	guest_send(v, fd);
}

/* An address that has moved since, or one that nobody has, ends the connection at once. */
static const struct answer *guest_answer(const struct server *v, const struct guest *g)
{
	const struct population *p = v->population;
	int32_t index = *p->half_way ? g->source->later[g->port] : g->source->answer[g->port];

	return index < 0 ? NULL : &p->answers.at[index];
}

static void guest_open(struct server *v, int fd, int port, struct source *source)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
	struct guest *g = &v->guests[fd];
	const struct answer *answer;

	*g = (struct guest){
	        .source = source, .port = (uint8_t)port, .begun_ms = v->now_ms, .open = true};
	v->highest = fd > v->highest ? fd : v->highest;
	if (source->looked[port] < UINT8_MAX)
		source->looked[port]++;
	answer = guest_answer(v, g);
	if (!answer) {
		guest_close(v, fd);
		return;
	}
	epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &event);
	if (port == PORT_TELNET)
		guest_speak(v, fd, &answer->said[PORT_TELNET]);
}

static void guests_accept(struct server *v, int port)
{
	for (int i = 0; i < EVENTS_MAX; i++) {
		int fd = accept4(v->listeners[port], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct sockaddr_in own = {0};
		socklen_t size = sizeof(own);
		struct source *source;

		if (fd < 0)
			return;
		v->result->accepted[port]++;
		getsockname(fd, (struct sockaddr *)&own, &size);
		source = population_find(v->population, ntohl(own.sin_addr.s_addr));
		if (source && fd < GUESTS_MAX) {
			guest_open(v, fd, port, source);
		} else {
			v->result->unknown++;
			close(fd);
		}
	}
}

static void guest_read(struct server *v, int fd)
{
	struct guest *g = &v->guests[fd];
	const struct answer *answer = guest_answer(v, g);
	char request[4096];
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || !answer) {
		guest_close(v, fd);
		return;
	}
	if (g->port != PORT_HTTP || g->speaking || !memmem(request, (size_t)n, "\n", 1))
		return;
	if (memmem(request, (size_t)n, " / ", 3))
		guest_speak(v, fd, &answer->said[PORT_HTTP]);
	else
		guest_speak(v, fd, &answer->missing);
}

/* The slow ones get their next piece, and who stays for a minute is shown out. */
static void guests_sweep(struct server *v)
{
	if (v->now_ms - v->swept_ms < SWEEP_MS)
		return;
	v->swept_ms = v->now_ms;
	for (int fd = 0; fd <= v->highest; fd++) {
		struct guest *g = &v->guests[fd];

		if (g->open && v->now_ms - g->begun_ms > GUEST_MS_MAX)
			guest_close(v, fd);
		else if (g->open && g->manner.piece && g->sent < g->size)
			guest_send(v, fd);
	}
}

static void event_take(struct server *v, const struct epoll_event *event)
{
	int fd = event->data.fd;

	if (fd < 0) {
		guests_accept(v, -1 - fd);
		return;
	}
	if (event->events & EPOLLIN)
		guest_read(v, fd);
	else if (event->events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		guest_close(v, fd);
	if (v->guests[fd].open && event->events & EPOLLOUT)
		guest_send(v, fd);
}

void serve_run(struct population *population, volatile sig_atomic_t *stop,
               struct serve_result *result)
{
	struct server v = {.population = population, .result = result, .epoll = epoll_create1(0)};
	struct epoll_event events[EVENTS_MAX];

	v.guests = text_room(GUESTS_MAX, sizeof(*v.guests));
	v.twisted = text_room(TWISTED_MAX, 1);
	for (int port = 0; port < PORT_COUNT; port++)
		v.listeners[port] = listener_open(&v, port);
	while (!*stop) {
		int n = epoll_wait(v.epoll, events, EVENTS_MAX, SWEEP_MS);

		v.now_ms = clock_ms();
		for (int i = 0; i < n; i++)
			event_take(&v, &events[i]);
		guests_sweep(&v);
	}
}
