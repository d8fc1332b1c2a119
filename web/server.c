/* The web process: libmicrohttpd driven by the room's own loop, one listening socket handed down. */
#include "base/log.h"
#include "web/server_inner.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define CONNECTIONS_PER_ADDRESS_MAX 128
#define CONNECTION_TIMEOUT_S 75
#define CONNECTION_MEMORY 32768
#define HEARTBEAT_MS 15000

static const struct option web_option_table[] = {
	{.name = "listen", .type = OPTION_ADDRESS, .offset = offsetof(struct web_options, listen),
	 .fallback = "127.0.0.1", .summary = "address that the console and the API listen on"},
	{.name = "port", .type = OPTION_NUMBER, .offset = offsetof(struct web_options, port),
	 .fallback = "8100", .max = 65535, .summary = "its port; 0: no console"},
	{.name = "names", .type = OPTION_LIST, .offset = offsetof(struct web_options, names),
	 .element = OPTION_TEXT, .summary = "host names under which browsers may reach it"},
	{0},
};

static const struct section web_section = {
	{.name = "web", .type = OPTION_MAP, .fields = web_option_table, .summary = "console and API"},
	sizeof(struct web_options),
};
SECTION(web_section);

static unsigned web_workers(const struct config *config)
{
	const struct web_options *o = config_section(config, "web");
	return o->port ? 1 : 0;
}

static int web_prepare(struct preparation *p, struct fault *fault)
{
	const struct web_options *o = config_section(preparation_config(p), "web");
	struct sockaddr_storage ss;
	socklen_t n = address_to_sockaddr(&o->listen, (uint16_t)o->port, false, &ss);
	char text[ADDRESS_TEXT_MAX];
	int on = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&ss, n) || listen(fd, 128))
		return fault_set(fault, ERR_SYSTEM, "%s: web.port: %s port %llu: %s; another port would be right",
				 preparation_config(p)->file, address_format(&o->listen, text),
				 (unsigned long long)o->port, strerror(errno));
	return preparation_give(p, "http", fd);
}

static void timer_due(uv_timer_t *timer);

static void server_run(struct server *s)
{
	MHD_run(s->daemon);
	MHD_UNSIGNED_LONG_LONG wait;
	if (MHD_get_timeout(s->daemon, &wait) != MHD_YES || wait > 1000)
		wait = 1000;
	uv_timer_start(&s->timer, timer_due, wait, 0);
}

static void timer_due(uv_timer_t *timer) { server_run(timer->data); }

static void poll_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	server_run(poll->data);
}

/* Answers that came over the bus resume connections; they go out before the loop waits. */
static void before_wait(uv_prepare_t *prepare) { server_run(prepare->data); }

static void heartbeat_due(uv_timer_t *timer) { streams_heartbeat(timer->data); }

static void delivered(void *arg, const struct bus_delivery *d) { streams_deliver(arg, d); }

static void asked_to_stop(void *arg)
{
	struct server *s = arg;
	uv_poll_stop(&s->poll);
	uv_timer_stop(&s->timer);
	uv_timer_stop(&s->heartbeat);
	uv_prepare_stop(&s->prepare);
	process_leave(s->process);
}

static int web_run(struct process *p, struct fault *fault)
{
	static struct server server;
	server = (struct server){.process = p, .options = config_section(p->config, "web")};
	int fd = process_fd(p, "http");
	server.daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		web_handle, &server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		web_completed, &server, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_PER_ADDRESS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (!server.daemon)
		return fault_set(fault, ERR_SYSTEM, "web: the HTTP server did not start");
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server.poll.data = server.timer.data = server.heartbeat.data = server.prepare.data = &server;
	uv_poll_init(p->loop, &server.poll, info->epoll_fd);
	uv_timer_init(p->loop, &server.timer);
	uv_timer_init(p->loop, &server.heartbeat);
	uv_timer_start(&server.heartbeat, heartbeat_due, HEARTBEAT_MS, HEARTBEAT_MS);
	uv_prepare_init(p->loop, &server.prepare);
	const struct bus_hooks hooks = {.arg = &server, .event = delivered, .stop = asked_to_stop};
	int bad = process_enter(p, &hooks, fault);
	if (bad)
		return bad;
	uv_poll_start(&server.poll, UV_READABLE, poll_ready);
	uv_prepare_start(&server.prepare, before_wait);
	char text[ADDRESS_TEXT_MAX];
	log_info("console on http://%s:%llu/", address_format(&server.options->listen, text),
		 (unsigned long long)server.options->port);
	uv_run(p->loop, UV_RUN_DEFAULT);
	return 0;
}

static const char *const web_talks_to[] = {"store", "control", "journal", "exchange", NULL};

static const struct role web_role = {
	.name = "web",
	.summary = "API, console and probing page",
	.rights = SANDBOX_ACCEPT,
	.talks_to = web_talks_to,
	.workers = web_workers,
	.prepare = web_prepare,
	.run = web_run,
};
ROLE(web_role);
