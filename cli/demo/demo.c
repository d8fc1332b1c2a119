#include "cli/demo/demo.h"
#include "base/clock.h"
#include "cli/demo/devices.h"
#include "cli/demo/story_inner.h"
#include "cli/demo/visit.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define NETWORK (127u << 24 | 20u << 16)
#define BETWEEN_US 700000u /* one device after the other, so that a person can follow */
#define RETURN_US 3000000u /* after the last look, so that its verdict has come */
#define VISIT_US_MAX 15000000u
#define GUEST_US_MAX 20000000u
#define POLL_MS 100

enum { PORT_TELNET, PORT_WEB, PORT_COUNT };

struct device {
	const struct demo_device *is;
	struct address address, decoy;
	char name[ADDRESS_TEXT_MAX];
	int listeners[PORT_COUNT];
	int visit_fd; /* -1: not visiting */
	struct visit visit;
	unsigned visits; /* begun */
	bool logged_in, looked[PORT_COUNT], identified, returned;
	uint64_t due_us, visit_us, looked_us;
};

/* A connection of somebody who looks at a device. */
struct guest {
	int fd; /* 0: free */
	struct device *device;
	int port;
	bool answered;
	uint64_t since_us;
};

struct demo {
	const struct demo_options *options;
	struct story story;
	struct device devices[DEMO_DEVICES];
	struct guest guests[DEMO_CONNECTIONS_MAX];
	uint64_t now_us;
};

static int open_listener(const struct device *d, uint16_t port, struct fault *fault)
{
	struct sockaddr_storage own;
	socklen_t n = address_to_sockaddr(&d->address, port, false, &own);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The decoys may listen on the same port of every address: who is more specific wins, if
	 * both share the port by their own wish. */
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) &&
	    !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) &&
	    !bind(fd, (struct sockaddr *)&own, n) && !listen(fd, DEMO_CONNECTIONS_MAX))
		return fd;
	fault_set(fault, ERR_SYSTEM, "%s:%u: %s; --telnet-port and --web-port choose other ports",
	          d->name, port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_devices(struct demo *m, struct fault *fault)
{
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		struct device *d = &m->devices[i];
		*d = (struct device){.is = &demo_devices[i],
		                     .visit_fd = -1,
		                     .listeners = {-1, -1},
		                     .address = address_v4(NETWORK + i + 1),
		                     .decoy = address_v4(address_to_v4(&m->options->decoy) + i),
		                     .due_us = m->now_us + i * BETWEEN_US};
		address_format(&d->address, d->name);
	}
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		struct device *d = &m->devices[i];
		d->listeners[PORT_TELNET] = open_listener(d, m->options->telnet_port, fault);
		d->listeners[PORT_WEB] = open_listener(d, m->options->web_port, fault);
		if (d->listeners[PORT_TELNET] < 0 || d->listeners[PORT_WEB] < 0)
			return ERR_SYSTEM;
	}
	return 0;
}

static void close_all(struct demo *m)
{
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		const struct device *d = &m->devices[i];
		const int fds[] = {d->listeners[PORT_TELNET], d->listeners[PORT_WEB], d->visit_fd};
		for (unsigned f = 0; f < 3; f++)
			if (fds[f] >= 0)
				close(fds[f]);
	}
	for (unsigned i = 0; i < DEMO_CONNECTIONS_MAX; i++)
		if (m->guests[i].fd)
			close(m->guests[i].fd);
}

static int begin_visit(struct demo *m, struct device *d, struct fault *fault)
{
	struct sockaddr_storage own, decoy;
	socklen_t own_len = address_to_sockaddr(&d->address, 0, false, &own);
	socklen_t len = address_to_sockaddr(&d->decoy, m->options->decoy_port, false, &decoy);
	char text[ADDRESS_TEXT_MAX];
	d->visit_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->visit_fd < 0 || bind(d->visit_fd, (struct sockaddr *)&own, own_len) ||
	    (connect(d->visit_fd, (struct sockaddr *)&decoy, len) && errno != EINPROGRESS))
		return fault_set(fault, ERR_SYSTEM, "%s: %s", d->name, strerror(errno));
	visit_begin(&d->visit);
	d->visits++;
	d->visit_us = m->now_us;
	if (d->visits == 1)
		story_tell(&m->story, d->name, "attack", "%s (%s) attacks %s, port %u", d->is->name,
		           d->is->kind, address_format(&d->decoy, text), m->options->decoy_port);
	return 0;
}

static void end_visit(struct demo *m, struct device *d)
{
	const struct visit *v = &d->visit;
	close(d->visit_fd);
	d->visit_fd = -1;
	d->logged_in |= v->logged_in;
	if (d->visits > 1) {
		d->returned = v->logged_in;
		story_tell(&m->story, d->name, "return", "comes again and meets \"%s\"",
		           v->greeting);
	} else if (v->logged_in) {
		story_tell(&m->story, d->name, "login", "is in as %s, says %u lines and leaves",
		           visit_login(v), v->lines);
	} else {
		story_tell(&m->story, d->name, "refused", "did not get in");
	}
}

/* ERR_GONE when nobody listens at the decoy's address: the demo cannot begin. */
static int go_on_visiting(struct demo *m, struct device *d, struct fault *fault)
{
	uint8_t bytes[4096];
	char text[ADDRESS_TEXT_MAX];
	ssize_t n = recv(d->visit_fd, bytes, sizeof bytes, 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 && errno == ECONNREFUSED)
		return fault_set(fault, ERR_GONE,
		                 "no decoy listens on %s; start ./run or `kansoku run` "
		                 "first, or name its address and port with --decoy",
		                 address_format(&d->decoy, text));
	enum visit_end end = VISIT_REFUSED;
	if (n > 0)
		end = visit_hear(&d->visit, (struct bytes){bytes, (size_t)n});
	if (n > 0 && d->visit.said_count &&
	    send(d->visit_fd, d->visit.said, d->visit.said_count, MSG_NOSIGNAL) < 0)
		end = VISIT_REFUSED;
	d->visit.said_count = 0;
	if (end != VISIT_GOES_ON)
		end_visit(m, d);
	return 0;
}

static void greet(struct demo *m, struct device *d, int port)
{
	int fd = accept4(d->listeners[port], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct guest *g = m->guests;
	while (g < m->guests + DEMO_CONNECTIONS_MAX && g->fd)
		g++;
	if (fd < 0)
		return;
	if (g == m->guests + DEMO_CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	*g = (struct guest){.fd = fd, .device = d, .port = port, .since_us = m->now_us};
	if (port == PORT_TELNET && send(fd, d->is->telnet.at, d->is->telnet.len, MSG_NOSIGNAL) < 0)
		g->since_us = 0;
	if (!d->looked[port])
		story_tell(&m->story, d->name, "look", "is looked at on its %s port %u",
		           port == PORT_TELNET ? "telnet" : "web",
		           port == PORT_TELNET ? m->options->telnet_port : m->options->web_port);
	d->looked[port] = true;
	d->looked_us = m->now_us;
}

static void hear_guest(struct guest *g)
{
	char bytes[4096];
	ssize_t n = recv(g->fd, bytes, sizeof bytes, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && g->port == PORT_WEB && !g->answered) {
		const struct bytes web = g->device->is->web;
		g->answered = send(g->fd, web.at, web.len, MSG_NOSIGNAL) == (ssize_t)web.len;
		shutdown(g->fd, SHUT_WR);
	} else if (n <= 0) {
		close(g->fd);
		*g = (struct guest){0};
	}
}

static void on_identified(void *arg, const char *address, const char *verdict)
{
	struct demo *m = arg;
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		struct device *d = &m->devices[i];
		if (d->identified || strcmp(d->name, address))
			continue;
		d->identified = true;
		story_tell(&m->story, d->name, "identified", "is known to kansoku as %s", verdict);
	}
}

/* What is due: first visits, second ones after the looks, and the end of what took too long. */
static int keep_time(struct demo *m, struct fault *fault)
{
	int bad = 0;
	for (unsigned i = 0; i < DEMO_DEVICES && !bad; i++) {
		struct device *d = &m->devices[i];
		bool looked = d->looked[PORT_TELNET] && d->looked[PORT_WEB];
		if (d->visit_fd >= 0 && m->now_us - d->visit_us > VISIT_US_MAX)
			end_visit(m, d);
		else if (d->visit_fd < 0 && !d->visits && m->now_us >= d->due_us)
			bad = begin_visit(m, d, fault);
		else if (d->visit_fd < 0 && d->visits == 1 && looked &&
		         m->now_us - d->looked_us > RETURN_US)
			bad = begin_visit(m, d, fault);
	}
	for (struct guest *g = m->guests; g < m->guests + DEMO_CONNECTIONS_MAX; g++)
		if (g->fd && m->now_us - g->since_us > GUEST_US_MAX) {
			close(g->fd);
			*g = (struct guest){0};
		}
	return bad;
}

static int wait_and_take(struct demo *m, struct fault *fault)
{
	struct pollfd fds[DEMO_DEVICES * (PORT_COUNT + 1) + DEMO_CONNECTIONS_MAX];
	unsigned n = 0;
	int bad = 0;
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		const struct device *d = &m->devices[i];
		fds[n++] = (struct pollfd){d->listeners[PORT_TELNET], POLLIN, 0};
		fds[n++] = (struct pollfd){d->listeners[PORT_WEB], POLLIN, 0};
		fds[n++] = (struct pollfd){d->visit_fd, POLLIN, 0};
	}
	for (unsigned i = 0; i < DEMO_CONNECTIONS_MAX; i++)
		fds[n++] = (struct pollfd){m->guests[i].fd ? m->guests[i].fd : -1, POLLIN, 0};
	poll(fds, n, POLL_MS);
	m->now_us = clock_mono_us();
	n = 0;
	for (unsigned i = 0; i < DEMO_DEVICES && !bad; i++, n += 3) {
		if (fds[n].revents)
			greet(m, &m->devices[i], PORT_TELNET);
		if (fds[n + 1].revents)
			greet(m, &m->devices[i], PORT_WEB);
		if (fds[n + 2].revents)
			bad = go_on_visiting(m, &m->devices[i], fault);
	}
	for (unsigned i = 0; i < DEMO_CONNECTIONS_MAX && !bad; i++)
		if (fds[n + i].revents)
			hear_guest(&m->guests[i]);
	return bad;
}

static bool count_results(const struct demo *m, struct demo_result *r)
{
	*r = (struct demo_result){0};
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		const struct device *d = &m->devices[i];
		r->attacked += d->logged_in;
		r->looked += d->looked[PORT_TELNET] || d->looked[PORT_WEB];
		r->identified += d->identified;
		r->returned += d->returned;
	}
	return r->returned == DEMO_DEVICES && (m->story.deaf || r->identified == DEMO_DEVICES);
}

int demo_run(const struct demo_options *options, struct demo_result *result, struct fault *fault)
{
	static struct demo demo;
	struct demo *m = &demo;
	*m = (struct demo){.options = options, .now_us = clock_mono_us()};
	m->story =
	        (struct story){.options = options, .begun_us = m->now_us, .deaf = !options->state};
	int bad = open_devices(m, fault);
	while (!bad && !count_results(m, result) &&
	       m->now_us - m->story.begun_us < options->ms_max * 1000) {
		bad = keep_time(m, fault);
		if (!bad)
			bad = wait_and_take(m, fault);
		story_ask(&m->story, m->now_us, on_identified, m);
	}
	count_results(m, result);
	close_all(m);
	return bad;
}
