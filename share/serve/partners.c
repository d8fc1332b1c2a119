/* The role "partners": what it listens on, with which certificate, and libmicrohttpd driven by the room's loop. */
#include "share/serve/partners_inner.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT(member) offsetof(struct partners_options, member)
#define CONNECTIONS_MAX 256
#define CONNECTIONS_PER_ADDRESS_MAX 32
#define CONNECTION_TIMEOUT_S 60
#define CONNECTION_MEMORY 32768
#define PEM_MAX 65536
#define TLS_VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static const struct option partners_fields[] = {
	{.name = "listen", .type = OPTION_ADDRESS, .offset = AT(listen), .fallback = "127.0.0.1",
	 .summary = "address that partners reach: TAXII, MISP, DNSDB and exports"},
	{.name = "port", .type = OPTION_NUMBER, .offset = AT(port), .fallback = "0", .max = 65535,
	 .summary = "its port; 0: partners are not served"},
	{.name = "certificate", .type = OPTION_TEXT, .offset = AT(certificate),
	 .summary = "PEM file with the server's chain; needed on every address but loopback"},
	{.name = "key", .type = OPTION_TEXT, .offset = AT(key), .summary = "PEM file with its key"},
	{.name = "clients", .type = OPTION_TEXT, .offset = AT(clients),
	 .summary = "PEM file with the authorities of clients' certificates; then a certificate can stand for a token"},
	{0},
};

static const struct section partners_section = {
	.option = {.name = "partners", .type = OPTION_MAP, .fields = partners_fields, .summary = "the server that partners ask"},
	.size = sizeof(struct partners_options),
};
SECTION(partners_section);

static unsigned partners_workers(const struct config *config)
{
	const struct partners_options *o = config_section(config, "partners");
	return o->port ? 1 : 0;
}

static bool is_loopback(const struct address *a)
{
	static const struct address six = {.b = {[15] = 1}};
	return address_is_v4(a) ? address_to_v4(a) >> 24 == 127 : address_equal(a, &six);
}

/* Passwords go over this: never in clear where others can listen. */
static int partners_check(const struct config *config, struct fault *fault)
{
	const struct partners_options *o = config_section(config, "partners");
	if (!o->certificate != !o->key)
		return fault_set(fault, ERR_BAD, "%s: partners: certificate and key belong together", config->file);
	if (o->clients && !o->certificate)
		return fault_set(fault, ERR_BAD, "%s: partners.clients: needs a certificate and a key of the server's own", config->file);
	if (o->port && !o->certificate && !is_loopback(&o->listen))
		return fault_set(fault, ERR_BAD, "%s: partners.certificate: without one, only a loopback address may be listened on",
				 config->file);
	return 0;
}

static int hand_file(struct preparation *p, const char *name, const char *path, struct fault *fault)
{
	if (!path)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: partners.%s: %s: %s", preparation_config(p)->file, name, path, strerror(errno));
	return preparation_give(p, name, fd);
}

static int partners_prepare(struct preparation *p, struct fault *fault)
{
	const struct partners_options *o = config_section(preparation_config(p), "partners");
	struct sockaddr_storage ss;
	socklen_t n = address_to_sockaddr(&o->listen, (uint16_t)o->port, false, &ss);
	char text[ADDRESS_TEXT_MAX];
	int bad = partners_check(preparation_config(p), fault);
	if (bad)
		return bad;
	int on = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(fd, (struct sockaddr *)&ss, n) ||
	    listen(fd, 128))
		return fault_set(fault, ERR_SYSTEM, "%s: partners.port: %s port %llu: %s; another port would be right",
				 preparation_config(p)->file, address_format(&o->listen, text), (unsigned long long)o->port,
				 strerror(errno));
	bad = preparation_give(p, "partners", fd);
	if (!bad)
		bad = hand_file(p, "certificate", o->certificate, fault);
	if (!bad)
		bad = hand_file(p, "key", o->key, fault);
	return bad ? bad : hand_file(p, "clients", o->clients, fault);
}

/* A file that was handed down, as text; NULL: it was not, or cannot be read. */
static char *read_handed(const struct process *p, const char *name)
{
	int fd = process_fd(p, name);
	char *text = fd < 0 ? NULL : calloc(1, PEM_MAX + 1);
	if (text && pread(fd, text, PEM_MAX, 0) <= 0) {
		free(text);
		text = NULL;
	}
	return text;
}

static void timer_due(uv_timer_t *timer);

static void partners_turn(struct partners *s)
{
	MHD_run(s->daemon);
	MHD_UNSIGNED_LONG_LONG wait;
	if (MHD_get_timeout(s->daemon, &wait) != MHD_YES || wait > 1000)
		wait = 1000;
	uv_timer_start(&s->timer, timer_due, wait, 0);
}

static void timer_due(uv_timer_t *timer) { partners_turn(timer->data); }
static void before_wait(uv_prepare_t *prepare) { partners_turn(prepare->data); }

static void poll_ready(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	partners_turn(poll->data);
}

static void asked_to_stop(void *arg)
{
	struct partners *s = arg;
	uv_poll_stop(&s->poll);
	uv_timer_stop(&s->timer);
	uv_prepare_stop(&s->prepare);
	process_leave(s->process);
}

static int start_daemon(struct partners *s, struct fault *fault)
{
	struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
	size_t n = 0;
	if (s->certificate) {
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate};
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, s->key};
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_VERSIONS};
		if (s->clients)
			tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, s->clients};
	}
	tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (s->certificate ? MHD_USE_TLS : 0);
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, guest_handle, s, MHD_OPTION_LISTEN_SOCKET, process_fd(s->process, "partners"),
				     MHD_OPTION_NOTIFY_COMPLETED, guest_completed, s, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				     MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
				     CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				     MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	return s->daemon ? 0 : fault_set(fault, ERR_SYSTEM, "partners: the server did not start; do certificate and key belong together?");
}

static int partners_run(struct process *p, struct fault *fault)
{
	static struct partners server;
	char text[ADDRESS_TEXT_MAX];
	server = (struct partners){.process = p, .options = config_section(p->config, "partners")};
	server.certificate = read_handed(p, "certificate");
	server.key = read_handed(p, "key");
	server.clients = read_handed(p, "clients");
	if (server.options->certificate && (!server.certificate || !server.key))
		return fault_set(fault, ERR_SYSTEM, "partners: the certificate or its key cannot be read");
	int bad = start_daemon(&server, fault);
	if (bad)
		return bad;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server.poll.data = server.timer.data = server.prepare.data = &server;
	uv_poll_init(p->loop, &server.poll, info->epoll_fd);
	uv_timer_init(p->loop, &server.timer);
	uv_prepare_init(p->loop, &server.prepare);
	const struct bus_hooks hooks = {.arg = &server, .stop = asked_to_stop};
	bad = process_enter(p, &hooks, fault);
	if (bad)
		return bad;
	uv_poll_start(&server.poll, UV_READABLE, poll_ready);
	uv_prepare_start(&server.prepare, before_wait);
	log_info("partners on http%s://%s:%llu/taxii2/", server.certificate ? "s" : "", address_format(&server.options->listen, text),
		 (unsigned long long)server.options->port);
	uv_run(p->loop, UV_RUN_DEFAULT);
	return 0;
}

static const char *const partners_talk_to[] = {"exchange", NULL};

static const struct role partners_role = {
	.name = "partners",
	.summary = "HTTP and TLS towards partners; the exchange decides what goes out",
	.rights = SANDBOX_ACCEPT,
	.talks_to = partners_talk_to,
	.workers = partners_workers,
	.optional = true,
	.check = partners_check,
	.prepare = partners_prepare,
	.run = partners_run,
};
ROLE(partners_role);
