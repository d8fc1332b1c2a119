/*
 * kansoku visit: one page, looked at by browsers in boxes, without a running kansoku.
 *
 * Order: permission, then the keeper of boxes (a process of its own), then the proxy, then this
 * process gives its rights away, then the browsers.
 */
#include "active/visit/job.h"
#include "active/visit/settings.h"
#include "base/clock.h"
#include "base/sandbox.h"
#include "cli/command.h"
#include "control/control.h"
#include "event/event.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORT_MAX (256u << 20)
#define POLL_MS 1000

struct visiting {
	uv_loop_t loop;
	uv_timer_t poll;
	struct visit_permit *permit;
	struct proxy *proxy;
	struct proxy_visit *way;
	struct box_keeper *keeper;
	struct visit_tools tools;
	struct visit_plan plan;
	const struct visit_personality *personalities[VISIT_LOOKS_MAX];
	struct visit_job *job;
	const char *folder; /* of --output; NULL */
	const char *report; /* of --report; NULL: a summary for people */
	int status;
};

static void on_ask(void *arg, uint64_t number, const struct proxy_question *q)
{
	struct visiting *v = arg;
	struct address from = {{0}};
	const char *reason = "ok";
	const bool may = control_visit_permits(v->permit, &q->address, q->port, &from, &reason);
	proxy_decide(v->proxy, number, may, &from, reason);
}

/* Somebody opted out while we look, or the permission ended: every address is asked for again. */
static void on_poll(uv_timer_t *timer)
{
	struct visiting *v = timer->data;
	struct fault fault = {{0}};
	size_t count;
	if (!control_visit_poll(v->permit, &fault))
		return;
	const struct proxy_connection *all = proxy_visit_log(v->way, &count);
	for (size_t i = 0; i < count; i++) {
		struct address from;
		const char *reason;
		const struct prefix one = {all[i].address, 128};
		if (!address_is_zero(&all[i].address) && !all[i].ended_us &&
		    !control_visit_permits(v->permit, &all[i].address, all[i].port, &from, &reason))
			proxy_revoke(v->proxy, &one);
	}
}

static void save(struct visiting *v, const char *name, struct bytes content)
{
	char path[PATH_MAX];
	if (!v->folder || !content.len)
		return;
	snprintf(path, sizeof path, "%s/%s", v->folder, name);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t done = 0;
	while (fd >= 0 && done < content.len) {
		const ssize_t n = write(fd, content.at + done, content.len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd < 0 || done < content.len || close(fd))
		v->status = command_fail(1, "visit: %s cannot be written: %s", path, strerror(errno));
}

static void save_report(struct visiting *v, const struct visit_findings *f, const char *report, const char *name)
{
	struct buffer out = BUFFER(REPORT_MAX);
	if (v->folder && visit_report_write(visit_report_find(report), f, &out) == 0)
		save(v, name, buffer_bytes(&out));
	buffer_done(&out);
}

static void save_all(struct visiting *v, const struct visit_findings *f)
{
	char name[96];
	save_report(v, f, "json", "report.json");
	save_report(v, f, "urlscan", "urlscan.json");
	save_report(v, f, "har", "visit.har");
	for (size_t i = 0; i < f->look_count; i++) {
		const struct visit_look *l = f->looks[i];
		snprintf(name, sizeof name, "look-%zu-%s.png", i, l->personality->name);
		save(v, name, l->picture);
		snprintf(name, sizeof name, "look-%zu-%s.html", i, l->personality->name);
		save(v, name, l->dom);
		/* By digest: names are the page's, and nobody opens one by mistake. */
		for (size_t n = 0; n < l->file_count; n++) {
			snprintf(name, sizeof name, "file-%s", l->files[n].sha256);
			save(v, name, l->files[n].content);
		}
	}
}

/* What stands on a terminal comes from a page: nothing of it may be an order to the terminal. */
static void say(const char *what, const char *text)
{
	fputs(what, stdout);
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
	putchar('\n');
}

/* A browser only says that its proxy failed; who refused, and why, stands in the list of connections. */
static void tell_refused(const struct visit_look *l)
{
	for (size_t i = 0; i < l->connection_count; i++) {
		const struct visit_connection *c = &l->connections[i];
		bool told = !strcmp(c->reason, "ok");
		for (size_t k = 0; k < i && !told; k++)
			told = c->port == l->connections[k].port && !strcmp(c->host, l->connections[k].host) &&
			       !strcmp(c->reason, l->connections[k].reason);
		if (told)
			continue;
		printf("  not reached, %s: port %u of ", c->reason, c->port);
		say("", c->host);
	}
}

static void summarise(const struct visit_findings *f)
{
	printf("verdict %s, score %u\n", f->verdict, f->score);
	say("page ", f->final);
	if (*f->title)
		say("title ", f->title);
	if (*f->limits)
		say("limits ", f->limits);
	for (size_t i = 0; i < f->reason_count; i++) {
		printf("reason %s, %u points, %s: ", f->reasons[i].name, f->reasons[i].points,
		       f->looks[f->reasons[i].look]->personality->name);
		say("", f->reasons[i].detail);
	}
	for (size_t i = 0; i < f->difference_count; i++)
		say("difference ", f->differences[i].detail);
	for (size_t i = 0; i < f->look_count; i++) {
		const struct visit_look *l = f->looks[i];
		printf("look %s: %zu requests, %zu frames, %zu scripts, %zu files, %" PRIu64 " ms\n", l->personality->name,
		       l->request_count, l->frame_count, l->script_count, l->file_count, l->time_ms);
		if (l->failed)
			say("  failed ", l->failed);
		tell_refused(l);
		for (size_t h = 0; h < l->hop_count; h++) {
			printf("  %s ", visit_hop_kind_name(l->hops[h].kind));
			say("", l->hops[h].url);
		}
		for (size_t n = 0; n < l->file_count; n++) {
			printf("  file %s ", l->files[n].sha256);
			say("", l->files[n].name);
		}
	}
}

static void on_done(void *arg, struct visit_job *job)
{
	struct visiting *v = arg;
	const char *why;
	const struct visit_findings *f = visit_job_findings(job, &why);
	if (f) {
		struct buffer out = BUFFER(REPORT_MAX);
		v->status = strcmp(f->verdict, "unreachable") ? 0 : 1;
		save_all(v, f);
		if (!v->report)
			summarise(f);
		else if (visit_report_write(visit_report_find(v->report), f, &out) == 0)
			fwrite(buffer_bytes(&out).at, 1, buffer_len(&out), stdout);
		else
			v->status = command_fail(1, "visit: the report has more than %u MiB", REPORT_MAX >> 20);
		buffer_done(&out);
	} else {
		v->status = command_fail(1, "visit: %s", why);
	}
	visit_job_free(job);
	proxy_visit_end(v->way);
	uv_close((uv_handle_t *)&v->poll, NULL);
	proxy_close(v->proxy, NULL, NULL);
}

/* From here on everything is a stranger's: files are read, and written where --output says. */
static void confine(const struct visiting *v)
{
	const struct sandbox_path paths[] = {{"/", false}, {v->folder, true}};
	struct fault fault = {{0}};
	if (sandbox_enter(SANDBOX_FILES | SANDBOX_CONNECT | SANDBOX_ACCEPT | SANDBOX_THREADS, paths, v->folder ? 2 : 1, &fault))
		fprintf(stderr, "kansoku visit: %s; it goes on with the rights that it has\n", fault.text);
}

static int begin(struct visiting *v, const struct config *config, struct fault *fault)
{
	struct visit_settings settings;
	const struct event_id lease = {0};
	int bad = visit_settings_read(config, &settings, fault);
	bad = bad ? bad : control_visit_open(&v->permit, config, fault);
	bad = bad ? bad : visit_tools_find(&v->tools, fault);
	bad = bad ? bad : box_keeper_open(&v->keeper, "/tmp", fault);
	if (bad)
		return bad;
	uv_loop_init(&v->loop);
	const struct proxy_hooks hooks = {.arg = v, .ask = on_ask};
	bad = proxy_open(&v->proxy, &v->loop, &settings.proxy, &hooks, fault);
	if (bad)
		return bad;
	/* A person waits for all looks: each has its own time, the whole has eight of them. */
	settings.limits.time_ms = (v->plan.limits.time_ms ? v->plan.limits.time_ms : 20000) * 2 * VISIT_LOOKS_MAX;
	settings.limits.connections *= VISIT_LOOKS_MAX;
	settings.limits.bytes_in *= VISIT_LOOKS_MAX;
	if (proxy_visit_begin(&v->way, v->proxy, &lease, &settings.limits, NULL))
		return fault_set(fault, ERR_MEMORY, "no memory for a visit");
	uv_timer_init(&v->loop, &v->poll);
	v->poll.data = v;
	uv_timer_start(&v->poll, on_poll, POLL_MS, POLL_MS);
	confine(v);
	v->plan.tools = &v->tools;
	bad = visit_job_start(&v->job, &v->loop, v->way, v->keeper, &v->plan, on_done, v, fault);
	if (!bad)
		uv_run(&v->loop, UV_RUN_DEFAULT);
	return bad;
}

static int read_words(struct visiting *v, const struct arguments *a)
{
	const char *name, *seconds = arguments_flag(a, "time");
	uint64_t time_s = 0;
	for (size_t i = 0; (name = arguments_flag_nth(a, "as", i)) && i < VISIT_LOOKS_MAX; i++) {
		v->personalities[i] = visit_personality_find(name);
		if (!v->personalities[i])
			return command_fail(2, "visit: nobody is called \"%s\"; `kansoku visit --help` says who is", name);
		v->plan.personality_count = i + 1;
	}
	if (seconds && (!bytes_number(bytes_of_text(seconds), 120, &time_s) || !time_s))
		return command_fail(2, "visit: --time %s: 1 to 120 seconds are possible", seconds);
	v->report = arguments_flag(a, "json") ? "json" : arguments_flag(a, "report");
	if (v->report && !visit_report_find(v->report))
		return command_fail(2, "visit: there is no report \"%s\": json, urlscan, har", v->report);
	v->folder = arguments_flag(a, "output");
	if (v->folder && mkdir(v->folder, 0700) && errno != EEXIST)
		return command_fail(1, "visit: %s cannot be made: %s", v->folder, strerror(errno));
	v->plan.url = arguments_word(a, 0);
	v->plan.personalities = v->personalities;
	v->plan.referrer = arguments_flag(a, "referrer");
	v->plan.brief = arguments_flag(a, "brief") != NULL;
	v->plan.limits.time_ms = time_s * 1000;
	return 0;
}

static int run(const struct arguments *a)
{
	static struct config config;
	static struct visiting v;
	struct fault fault = {{0}};
	int bad = read_words(&v, a);
	if (bad)
		return bad;
	bad = command_config(a, &config, &fault);
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "%s", fault.text);
	bad = begin(&v, &config, &fault);
	if (v.keeper)
		box_keeper_close(v.keeper);
	if (v.permit)
		control_visit_close(v.permit);
	config_done(&config);
	return bad ? command_fail(bad == ERR_BAD ? 2 : 1, "visit: %s", fault.text) : v.status;
}

static const struct flag flags[] = {
	{"as", "NAME", "who comes: desktop, searcher, telephone, old, full or tool; may be given several times"},
	{"referrer", "URL", "where it comes from, instead of what its visitor would say"},
	{"output", "FOLDER", "writes reports, pictures, pages and files there"},
	{"report", "NAME", "prints json, urlscan or har instead of a summary"},
	{"time", "SECONDS", "of one look, 20 unless told"},
	{"brief", NULL, "one look without a picture"},
	{0},
};

static const struct command visit_command = {
	.name = "visit",
	.synopsis = "URL [--as NAME]... [--referrer URL] [--output FOLDER] [--report NAME] [--json] [--brief]",
	.summary = "look at a page with browsers in boxes",
	.description =
		"Looks at one page as several kinds of visitor: Chromium in a box whose network has no way out but a\n"
		"proxy, and for each connection the proxy asks the policy about the address that the name resolved to.\n"
		"What was allowed is what is connected to; private addresses, own networks and opt-outs are refused.\n"
		"\n"
		"Two visitors come always, a browser whose user typed the address and one that comes from a search. Where\n"
		"the page is remarkable a telephone, an old browser with plug-ins and the whole Chromium come, too; where\n"
		"they are shown different things, the first comes once more. What they met is compared.\n"
		"\n"
		"The verdict is a sum of reasons, each with its points: redirects over sites, hidden frames, code that is\n"
		"decoded at run time, plug-ins that are asked for, files that nobody clicked for, processes, files and\n"
		"sockets in the box that are not the browser's, and what only some visitors are shown.\n"
		"\n"
		"With --output the reports (report.json, urlscan.json, visit.har), a picture and the page of each look, and\n"
		"each file under its SHA-256 are written; such files are what an attacker wants you to open.",
	.flags = flags,
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
COMMAND(visit_command);
