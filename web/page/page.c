/* The process "page": listens where the operator said, answers visitors, asks control. */
#include "base/log.h"
#include "web/page/page_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define CONNECTIONS_PER_ADDRESS_MAX 8
#define CONNECTION_TIMEOUT_S 20
#define CONNECTION_MEMORY 16384
#define ACCEPTS_AT_ONCE 16

static unsigned page_workers(const struct config *config)
{
	struct promises p;
	control_promises(config, &p);
	return p.page_options->port ? 1 : 0;
}

static void door_name(char name[32], size_t i) { snprintf(name, 32, "page:%zu", i); }

static int door_open(struct preparation *p, size_t i, const struct address *a, uint16_t port, struct fault *fault)
{
	struct sockaddr_storage ss;
	socklen_t n = address_to_sockaddr(a, port, false, &ss);
	char text[ADDRESS_TEXT_MAX], name[32];
	int on = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && ss.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&ss, n) || listen(fd, 128))
		return fault_set(fault, ERR_SYSTEM, "%s: active.page.listen: %s port %u: %s", preparation_config(p)->file,
				 address_format(a, text), port, strerror(errno));
	door_name(name, i);
	return preparation_give(p, name, fd);
}

static int page_prepare(struct preparation *p, struct fault *fault)
{
	struct promises promises;
	const struct address loopback = address_v4(INADDR_LOOPBACK);
	control_promises(preparation_config(p), &promises);
	const struct page_options *o = promises.page_options;
	const struct address *listen = o->listen.items;
	if (o->listen.count > PAGE_SOCKETS_MAX)
		return fault_set(fault, ERR_BAD, "%s: active.page.listen: more than %d addresses",
				 preparation_config(p)->file, PAGE_SOCKETS_MAX);
	int bad = o->listen.count ? 0 : door_open(p, 0, &loopback, (uint16_t)o->port, fault);
	for (size_t i = 0; i < o->listen.count && !bad; i++)
		bad = door_open(p, i, &listen[i], (uint16_t)o->port, fault);
	return bad;
}

static void timer_due(uv_timer_t *timer);

static void server_run(struct page_server *s)
{
	MHD_run(s->daemon);
	MHD_UNSIGNED_LONG_LONG wait;
	if (MHD_get_timeout(s->daemon, &wait) != MHD_YES || wait > 1000)
		wait = 1000;
	uv_timer_start(&s->timer, timer_due, wait, 0);
}

static void timer_due(uv_timer_t *timer) { server_run(timer->data); }
static void before_wait(uv_prepare_t *prepare) { server_run(prepare->data); }

static void poll_ready(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	server_run(poll->data);
}

/* All addresses belong to one daemon, so that its limits hold over all of them. */
static void door_ready(uv_poll_t *door, int status, int events)
{
	(void)status, (void)events;
	struct page_server *s = door->data;
	uv_os_fd_t listening;
	if (uv_fileno((uv_handle_t *)door, &listening))
		return;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage peer;
		socklen_t n = sizeof peer;
		int fd = accept4(listening, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		MHD_add_connection(s->daemon, fd, (struct sockaddr *)&peer, n); /* closes it itself when it fails */
	}
	server_run(s);
}

static void asked_to_stop(void *arg)
{
	struct page_server *s = arg;
	for (size_t i = 0; i < s->door_count; i++)
		uv_poll_stop(&s->doors[i]);
	uv_poll_stop(&s->poll);
	uv_timer_stop(&s->timer);
	uv_prepare_stop(&s->prepare);
	process_leave(s->process);
}

/* It must be a cleartext signature (RFC 9116 2.3): anything else would be a file put there by mistake. */
static int read_signed(struct page_server *s, struct fault *fault)
{
	const char *file = s->promises.page_options->signed_text;
	uint8_t text[PROBING_SIGNED_MAX];
	s->signed_text = BUFFER(sizeof text);
	if (!file)
		return 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return fault_set(fault, ERR_SYSTEM, "active.page.signed: %s: %s", file, strerror(errno));
	struct bytes b = {text, (size_t)n};
	if (bytes_find(b, "-----BEGIN PGP SIGNED MESSAGE-----") != 0 || bytes_find(b, "\nContact:") == b.len ||
	    bytes_find(b, "-----END PGP SIGNATURE-----") == b.len)
		return fault_set(fault, ERR_BAD, "active.page.signed: %s: not a text signed in clear, with a Contact; "
				 "`gpg --clearsign probing.txt` makes one", file);
	return buffer_append(&s->signed_text, b.at, b.len);
}

static int page_run(struct process *p, struct fault *fault)
{
	static struct page_server server;
	char name[32];
	server = (struct page_server){.process = p};
	control_promises(p->config, &server.promises);
	control_page_url(p->config, server.url, sizeof server.url);
	int bad = read_signed(&server, fault);
	if (bad)
		return bad;
	server.daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, page_handle, &server,
		MHD_OPTION_NOTIFY_COMPLETED, page_completed, &server, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (!server.daemon)
		return fault_set(fault, ERR_SYSTEM, "page: the HTTP server did not start");
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server.poll.data = server.timer.data = server.prepare.data = &server;
	uv_poll_init(p->loop, &server.poll, info->epoll_fd);
	uv_timer_init(p->loop, &server.timer);
	uv_prepare_init(p->loop, &server.prepare);
	const struct bus_hooks hooks = {.arg = &server, .stop = asked_to_stop};
	bad = process_enter(p, &hooks, fault);
	if (bad)
		return bad;
	for (int fd; server.door_count < PAGE_SOCKETS_MAX; server.door_count++) {
		door_name(name, server.door_count);
		if ((fd = process_fd(p, name)) < 0)
			break;
		uv_poll_t *door = &server.doors[server.door_count];
		door->data = &server;
		uv_poll_init(p->loop, door, fd);
		uv_poll_start(door, UV_READABLE, door_ready);
	}
	uv_poll_start(&server.poll, UV_READABLE, poll_ready);
	uv_prepare_start(&server.prepare, before_wait);
	log_info("page for those who were looked at on %s/", server.url);
	uv_run(p->loop, UV_RUN_DEFAULT);
	return 0;
}

static const char *const page_talks_to[] = {"control", NULL};

static const struct role page_role = {
	.name = "page",
	.summary = "explains the looks to those who were looked at, and takes their opt-outs",
	.rights = SANDBOX_ACCEPT,
	.talks_to = page_talks_to,
	.workers = page_workers,
	.prepare = page_prepare,
	.run = page_run,
};
ROLE(page_role);
