/* Starts a browser in a box, with a helper around it that hands its proxy's socket out. */
#include "active/visit/browser/browser_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_MS_MAX 10000
#define END_MS_MAX 10000
#define ARGUMENTS 64
#define ROOM (1u << 20)

static const char *const programs[2][4] = {
	{"/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium-headless-shell",
	 "/usr/lib/chromium/headless_shell", NULL},
	{"/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser", "/opt/google/chrome/chrome", NULL},
};

/*
 * No background connection, no cache of names, no way around the proxy; one process for all pages,
 * so that every frame is in the page's own session.  Its own sandbox is off: the box is around it, and
 * user namespaces within the box are denied.
 */
static const char *const flags[] = {
	"--no-sandbox", "--no-zygote", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
	"--user-data-dir=" INSIDE_PROFILE, "--no-first-run", "--no-default-browser-check", "--disable-extensions",
	"--disable-component-update", "--disable-background-networking", "--disable-sync", "--disable-default-apps",
	"--disable-domain-reliability", "--disable-client-side-phishing-detection", "--disable-breakpad",
	"--safebrowsing-disable-auto-update", "--metrics-recording-only", "--no-pings", "--mute-audio",
	"--password-store=basic", "--use-mock-keychain", "--hide-scrollbars", "--disable-popup-blocking",
	"--disable-site-isolation-trials", "--disable-blink-features=AutomationControlled",
	("--disable-features=IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter,"
	"DialMediaRouteProvider,HttpsUpgrades,AutofillServerCommunication,CertificateTransparencyComponentUpdater"),
	"--ignore-certificate-errors", "--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
	"--proxy-server=socks5://127.0.0.1:1080", "--proxy-bypass-list=<-loopback>",
	"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
};

static const char *const environment[] = {"HOME=" INSIDE_HOME, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TMPDIR=/tmp",
					  "USER=user", "TZ=UTC", NULL};

int visit_tools_find(struct visit_tools *out, struct fault *fault)
{
	*out = (struct visit_tools){0};
	const ssize_t len = readlink("/proc/self/exe", out->self, sizeof out->self - 1);
	if (len <= 0)
		return fault_set(fault, ERR_SYSTEM, "the program's own file is not known: /proc/self/exe cannot be read");
	for (int kind = 0; kind < 2; kind++)
		for (const char *const *p = programs[kind]; *p && !out->programs[kind]; p++)
			out->programs[kind] = access(*p, X_OK) == 0 ? *p : NULL;
	if (!out->programs[VISIT_SHELL])
		return fault_set(fault, ERR_MISSING, "chromium-headless-shell is not installed, so no page is visited by a browser");
	out->nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	return out->nowhere < 0 ? fault_set(fault, ERR_SYSTEM, "/dev/null: %s", strerror(errno)) : 0;
}

static void add_mounts(struct box_plan *plan, const char *self)
{
	static const char *const shown[] = {"/usr", "/bin", "/lib", "/lib64", "/sbin", "/opt/google", "/etc/fonts",
					    "/etc/ld.so.cache", "/etc/ssl", "/var/cache/fontconfig"};
	/* Folders of their own, so that what lies in them can be reached by everybody in the box. */
	plan->mounts[plan->mount_count++] = (struct box_mount){.to = "/etc"};
	plan->mounts[plan->mount_count++] = (struct box_mount){.to = "/var"};
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		plan->mounts[plan->mount_count++] =
			(struct box_mount){.from = shown[i], .to = shown[i], .optional = i > 0};
	plan->mounts[plan->mount_count++] = (struct box_mount){.from = self, .to = INSIDE_PROGRAM};
}

static void limit_box(struct box_limits *l, const struct visit_limits *limits)
{
	*l = (struct box_limits){
		.memory = limits->memory ? limits->memory : 1u << 30,
		.processes = 512, /* threads count, and Chromium has a hundred of them */
		.time_ms = (limits->time_ms ? limits->time_ms : 20000) + HELLO_MS_MAX + END_MS_MAX,
		.cpu_ms = 2 * (limits->time_ms ? limits->time_ms : 20000) + HELLO_MS_MAX,
		.disk = 256u << 20,
		.file = 128u << 20,
		.cpus_percent = 200,
	};
}

static int receive_listener(int control)
{
	struct pollfd p = {.fd = control, .events = POLLIN};
	char byte = 0;
	struct iovec v = {&byte, 1};
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } room = {0};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
	int fd = -1;
	if (poll(&p, 1, HELLO_MS_MAX) != 1 || recvmsg(control, &m, MSG_CMSG_CLOEXEC) != 1 || byte != INSIDE_HELLO)
		return -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static int start_box(struct browser *b, const struct visit_tools *tools, const struct visit_personality *who,
		     const struct visit_limits *limits, const int fds[3], struct fault *fault)
{
	static _Atomic unsigned number;
	char size[48], language[96];
	const char *argv[ARGUMENTS] = {INSIDE_PROGRAM, "inside", tools->programs[who->browser]};
	size_t n = 3;
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		argv[n++] = flags[i];
	snprintf(size, sizeof size, "--window-size=%u,%u", who->width, who->height);
	snprintf(language, sizeof language, "--lang=%.*s", (int)strcspn(who->languages, ",;"), who->languages);
	argv[n++] = size;
	argv[n++] = language;
	if (who->browser == VISIT_FULL)
		argv[n++] = "--headless=new";
	argv[n++] = "about:blank";
	struct box_plan plan = {.argv = argv, .env = environment, .host_name = "desktop", .cwd = "/", .uid = 1000,
				.network = BOX_LOOPBACK, .output = tools->nowhere, .fds = {fds[0], fds[1], fds[2]}, .fd_count = 3};
	snprintf(plan.name, sizeof plan.name, "visit-%d-%u", getpid(), atomic_fetch_add(&number, 1));
	add_mounts(&plan, tools->self);
	limit_box(&plan.limits, limits);
	struct box_started started = {.process = -1, .listener = -1, .sink = -1, .root = -1};
	const int bad = box_start(b->keeper, &plan, &started, fault);
	if (bad)
		return bad;
	b->number = started.number;
	const int unused[] = {started.process, started.listener, started.sink, started.root};
	for (size_t i = 0; i < 4; i++)
		if (unused[i] >= 0)
			close(unused[i]);
	return 0;
}

int browser_start(struct browser *b, struct box_keeper *keeper, const struct visit_tools *tools,
		  const struct visit_personality *who, const struct visit_limits *limits, struct fault *fault)
{
	int control[2], to[2], from[2];
	*b = (struct browser){.keeper = keeper, .control = -1, .to = -1, .from = -1, .listener = -1};
	if (!tools->programs[who->browser])
		return fault_set(fault, ERR_MISSING, "%s is not installed",
				 who->browser == VISIT_FULL ? "chromium" : "chromium-headless-shell");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control))
		return fault_set(fault, ERR_SYSTEM, "a socket pair: %s", strerror(errno));
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) {
		close(control[0]);
		close(control[1]);
		return fault_set(fault, ERR_SYSTEM, "a pipe: %s", strerror(errno));
	}
	b->control = control[0];
	b->to = to[1];
	b->from = from[0];
	const int bad = start_box(b, tools, who, limits, (const int[]){control[1], to[0], from[1]}, fault);
	close(control[1]);
	close(to[0]);
	close(from[1]);
	if (!bad)
		b->listener = receive_listener(b->control);
	if (!bad && b->listener >= 0)
		return 0;
	browser_stop(b);
	if (bad)
		return bad;
	return fault_set(fault, ERR_GONE, "the browser's box did not begin%s%s", b->result.limit[0] ? ", limit: " : "",
			 b->result.limit);
}

static void wait_for_end(struct browser *b)
{
	const uint64_t deadline_us = clock_mono_us() + END_MS_MAX * 1000ull;
	while (clock_mono_us() < deadline_us) {
		struct pollfd p = {.fd = box_keeper_fd(b->keeper), .events = POLLIN};
		if (poll(&p, 1, 200) <= 0)
			continue;
		struct box_result result;
		const uint64_t ended = box_ended(b->keeper, &result);
		if (ended == b->number) {
			b->result = result;
			return;
		}
	}
}

static void close_once(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void browser_stop(struct browser *b)
{
	if (b->number) {
		box_stop(b->keeper, b->number);
		wait_for_end(b);
		box_clear(b->keeper, b->number);
	}
	b->number = 0;
	close_once(&b->control);
	close_once(&b->to);
	close_once(&b->from);
	close_once(&b->listener);
}

int browser_tell(struct browser *b, uint64_t deadline_us, void (*each)(void *arg, const struct inside_record *), void *arg)
{
	struct buffer in = BUFFER(INSIDE_ALL_MAX + ROOM);
	const char ask = INSIDE_TELL;
	bool ended = false;
	int bad = b->control < 0 || send(b->control, &ask, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ? ERR_GONE : 0;
	while (!bad && !ended) {
		const uint64_t now_us = clock_mono_us();
		struct pollfd p = {.fd = b->control, .events = POLLIN};
		uint8_t *room = buffer_room(&in, ROOM / 4);
		if (!room || now_us >= deadline_us || poll(&p, 1, (int)((deadline_us - now_us) / 1000 + 1)) <= 0) {
			bad = room ? ERR_GONE : ERR_BAD;
			break;
		}
		const ssize_t n = recv(b->control, room, ROOM / 4, 0);
		if (n <= 0) {
			bad = ERR_GONE;
			break;
		}
		buffer_grown(&in, (size_t)n);
		const int64_t taken = inside_records_read(buffer_bytes(&in), &ended, each, arg);
		if (taken < 0)
			bad = ERR_BAD;
		else
			buffer_consume(&in, (size_t)taken);
	}
	buffer_done(&in);
	return bad;
}
