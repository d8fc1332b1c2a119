/* The proxy between curl and a web server of busybox, all on loopback: what passes, what does not. */
#include "active/visit/proxy.h"
#include "tests/test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY 300000 /* of the page, more than what is queued at once */

static struct stage {
	uv_loop_t loop;
	struct proxy *proxy;
	struct proxy_visit *visit;
	uint16_t server, listening;
	pid_t httpd, curl;
	uv_timer_t poll;
	int exit_code;
	unsigned asked, ended;
	const char *refusal; /* NULL: every address is allowed */
	bool later;          /* answers come from a timer */
	uint64_t number;
	uv_timer_t answer;
	char folder[64];
} stage;

static void decide(uint64_t number)
{
	const struct address any = {{0}};
	proxy_decide(stage.proxy, number, !stage.refusal, &any, stage.refusal ? stage.refusal : "ok");
}

static void on_answer(uv_timer_t *timer)
{
	(void)timer;
	decide(stage.number);
}

static void on_ask(void *arg, uint64_t number, const struct proxy_question *q)
{
	(void)arg;
	CHECK(q->port == stage.server && address_to_v4(&q->address) == 0x7f000001 && q->lease.b[0] == 42);
	stage.asked++;
	stage.number = number;
	if (stage.later)
		uv_timer_start(&stage.answer, on_answer, 20, 0);
	else
		decide(number);
}

static void on_ended(void *arg, struct proxy_visit *visit, size_t index)
{
	(void)arg, (void)index;
	CHECK(visit == stage.visit);
	stage.ended++;
}

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof here;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&here, len) == 0 && getsockname(fd, (struct sockaddr *)&here, &len) == 0);
	*port = ntohs(here.sin_port);
	return fd;
}

static pid_t run(char *const argv[])
{
	const pid_t pid = fork();
	if (pid == 0) {
		const int nowhere = open("/dev/null", O_RDWR);
		dup2(nowhere, 1);
		dup2(nowhere, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void serve_page(void)
{
	char file[96], where[32];
	snprintf(stage.folder, sizeof stage.folder, "/tmp/kansoku-proxy-XXXXXX");
	CHECK(mkdtemp(stage.folder) != NULL && chmod(stage.folder, 0755) == 0);
	snprintf(file, sizeof file, "%s/page", stage.folder);
	FILE *f = fopen(file, "w");
	CHECK(f != NULL);
	for (size_t i = 0; i < BODY; i++)
		fputc('a' + (int)(i % 26), f);
	fclose(f);
	close(listen_somewhere(&stage.server)); /* free a moment ago */
	snprintf(where, sizeof where, "127.0.0.1:%u", stage.server);
	char *const argv[] = {"busybox", "httpd", "-f", "-p", where, "-h", stage.folder, NULL};
	stage.httpd = run(argv);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(stage.server)};
	for (int i = 0; i < 200; i++) {
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		const bool up = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
		close(fd);
		if (up)
			return;
		usleep(20000);
	}
	SKIP("busybox has no web server here");
}

static void begin(const struct proxy_limits *limits)
{
	const struct proxy_options options = {.connect_timeout_ms = 2000, .resolve_timeout_ms = 500};
	const struct proxy_hooks hooks = {.ask = on_ask, .ended = on_ended};
	const struct event_id lease = {{42}};
	struct fault fault;
	stage = (struct stage){.asked = 0};
	serve_page();
	CHECK(uv_loop_init(&stage.loop) == 0);
	CHECK(proxy_open(&stage.proxy, &stage.loop, &options, &hooks, &fault) == 0);
	CHECK(proxy_visit_begin(&stage.visit, stage.proxy, &lease, limits, NULL) == 0);
	CHECK(proxy_visit_listen(stage.visit, listen_somewhere(&stage.listening)) == 0);
	uv_timer_init(&stage.loop, &stage.poll);
	uv_timer_init(&stage.loop, &stage.answer);
}

static void end(void)
{
	char file[96];
	kill(stage.httpd, SIGKILL);
	waitpid(stage.httpd, NULL, 0);
	proxy_visit_end(stage.visit);
	proxy_close(stage.proxy, NULL, NULL);
	uv_close((uv_handle_t *)&stage.poll, NULL);
	uv_close((uv_handle_t *)&stage.answer, NULL);
	uv_run(&stage.loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&stage.loop) == 0); /* nothing was forgotten */
	snprintf(file, sizeof file, "%s/page", stage.folder);
	unlink(file);
	rmdir(stage.folder);
}

static void on_poll(uv_timer_t *timer)
{
	int status;
	if (waitpid(stage.curl, &status, WNOHANG) != stage.curl)
		return;
	stage.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	uv_timer_stop(timer);
	uv_stop(&stage.loop);
}

/* curl's exit status for the page of that host; 0 only where it came whole. */
static int fetch(const char *kind, const char *host)
{
	char proxy[64], url[64], size[96], *argv[] = {"curl", "-s", "-m", "10", "-x", proxy, "-o", size, "--noproxy", "", "-f", url, NULL, NULL};
	if (!strcmp(kind, "tunnel"))
		argv[12] = "-p";
	snprintf(proxy, sizeof proxy, "%s://127.0.0.1:%u", !strcmp(kind, "tunnel") ? "http" : kind, stage.listening);
	snprintf(url, sizeof url, "http://%s:%u/page", host, stage.server);
	snprintf(size, sizeof size, "%s/got", stage.folder);
	stage.curl = run(argv);
	uv_timer_start(&stage.poll, on_poll, 5, 5);
	uv_run(&stage.loop, UV_RUN_DEFAULT);
	struct stat st;
	const bool whole = stat(size, &st) == 0 && st.st_size == BODY;
	unlink(size);
	return stage.exit_code == 0 && !whole ? -2 : stage.exit_code;
}

static const struct proxy_connection *last(void)
{
	size_t count;
	const struct proxy_connection *log = proxy_visit_log(stage.visit, &count);
	CHECK(count > 0);
	return &log[count - 1];
}

TEST(proxy_passes_what_is_allowed_in_each_way_of_asking)
{
	static const char *const kinds[] = {"socks5h", "socks5", "http", "tunnel"};
	begin(&(struct proxy_limits){.connections = 100});
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		stage.later = i % 2;
		const int code = fetch(kinds[i], "127.0.0.1");
		CHECK_SAY(code == 0, "%s: curl says %d", kinds[i], code);
		CHECK(last()->bytes_in > BODY && last()->bytes_out > 0 && !strcmp(last()->reason, "ok"));
	}
	CHECK(stage.asked == 4 && stage.ended >= 3);
	/* However it is spelled, the address is what is asked about. */
	CHECK(fetch("socks5h", "0x7f.1") == 0 && stage.asked == 5 && !strcmp(last()->host, "127.0.0.1"));
	end();
}

TEST(proxy_refuses_what_is_not_allowed)
{
	static const char *const kinds[] = {"socks5h", "http", "tunnel"};
	begin(&(struct proxy_limits){.connections = 100});
	stage.refusal = "special";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		CHECK(fetch(kinds[i], "127.0.0.1") > 0);
		CHECK(!strcmp(last()->reason, "special") && !last()->connected_us && !last()->bytes_in && last()->ended_us);
	}
	stage.refusal = NULL;
	CHECK(stage.asked == 3);
	/* No name server is configured; names of no public tree are not even asked for. */
	CHECK(fetch("socks5h", "localhost") > 0 && !strcmp(last()->reason, "name"));
	CHECK(fetch("socks5h", "evil.example") > 0 && !strcmp(last()->reason, "unresolved"));
	CHECK(stage.asked == 3);
	end();
}

TEST(proxy_ends_what_goes_beyond_its_budget)
{
	begin(&(struct proxy_limits){.bytes_in = BODY / 2});
	CHECK(fetch("socks5h", "127.0.0.1") > 0);
	CHECK(!strcmp(proxy_visit_limit(stage.visit), "bytes") && !strcmp(last()->reason, "budget"));
	CHECK(fetch("socks5h", "127.0.0.1") > 0 && stage.asked == 1); /* nothing more */
	end();
	begin(&(struct proxy_limits){.connections = 1});
	CHECK(fetch("http", "127.0.0.1") == 0);
	CHECK(fetch("http", "127.0.0.1") > 0 && !strcmp(proxy_visit_limit(stage.visit), "connections") && stage.asked == 1);
	end();
}
