/* Drives one look: starts the browser, opens the page, waits until it is over, gathers. */
#include "active/visit/browser/look_inner.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define CALL_US 10000000u    /* a browser that starts on a busy machine */
#define GATHER_US 10000000u
#define HANGING_US 2500000u  /* a page whose requests do not end is over after so long without news */
#define DEFAULT_TIME_MS 20000
#define DEFAULT_QUIET_MS 700
#define DEFAULT_BYTES (32u << 20)
#define HOOKS_MAX 65536

__asm__(".section .rodata\n.global visit_hooks\nvisit_hooks:\n.incbin \"active/visit/browser/hooks.js\"\n"
	".global visit_hooks_end\nvisit_hooks_end:\n.byte 0\n.previous\n");
extern const uint8_t visit_hooks[], visit_hooks_end[];

void look_limit(struct looking *l, const char *word)
{
	const size_t used = strlen(l->limits);
	if (strstr(l->limits, word) || used + strlen(word) + 2 > sizeof l->limits)
		return;
	snprintf(l->limits + used, sizeof l->limits - used, "%s%s", used ? " " : "", word);
}

struct bytes look_bytes(struct looking *l, struct bytes b)
{
	const struct bytes copy = b.len ? arena_copy(l->arena, b) : (struct bytes){0};
	if (b.len && !copy.at) {
		look_limit(l, "memory");
		return (struct bytes){0};
	}
	return copy;
}

/* A NUL within a text would hide what stands behind it. */
const char *look_text(struct looking *l, const char *text, size_t len)
{
	char *copy = text ? arena_text(l->arena, (struct bytes){(const uint8_t *)text, len}) : NULL;
	if (!copy) {
		if (text)
			look_limit(l, "memory");
		copy = arena_alloc(l->arena, 1);
		return copy ? copy : "";
	}
	for (size_t i = 0; i < len; i++)
		if (!copy[i])
			copy[i] = ' ';
	return copy;
}

const char *look_text_at(struct looking *l, const json_t *o, const char *path)
{
	const size_t n = devtools_text_len(o, path);
	return look_text(l, devtools_text(o, path), n < VISIT_PAGE_URL_MAX ? n : VISIT_PAGE_URL_MAX);
}

struct bytes look_body(struct looking *l, const json_t *result, const char *text, const char *is_base64, size_t max)
{
	const struct bytes in = {(const uint8_t *)devtools_text(result, text), devtools_text_len(result, text)};
	if (!devtools_true(result, is_base64))
		return look_bytes(l, (struct bytes){in.at, in.len < max ? in.len : max});
	uint8_t *out = arena_alloc(l->arena, in.len / 4 * 3);
	struct writer w = writer_of(out, out ? in.len / 4 * 3 : 0);
	if (!base64_decode_whole(in, &w))
		return (struct bytes){0};
	return (struct bytes){out, writer_used(&w) < max ? writer_used(&w) : max};
}

void look_sha256(struct bytes b, char hex[65])
{
	uint8_t digest[32];
	if (!EVP_Digest(b.at, b.len, digest, NULL, EVP_sha256(), NULL))
		return;
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void look_active(struct looking *l) { l->active_us = clock_mono_us(); }

static void on_event(void *arg, const char *session, const char *method, const json_t *params)
{
	struct looking *l = arg;
	if (!look_take_network(l, session, method, params) && !look_take_frames(l, session, method, params) &&
	    !look_take_scripts(l, session, method, params))
		look_take_downloads(l, session, method, params);
}

static bool call(struct looking *l, const char *session, const char *method, json_t *params)
{
	return devtools_call(l->devtools, session, method, params, NULL, 0) > 0;
}

/* The agent speaks of the version that the browser really is: pages compare it with what it can do. */
static const char *agent_of(struct looking *l, const char *product)
{
	const char *agent = l->out->personality->agent, *chrome = strstr(agent, "Chrome/"), *real = strchr(product, '/');
	char text[512];
	if (!chrome || !real)
		return agent;
	const int before = (int)(chrome - agent) + 7;
	const char *rest = chrome + 7 + strspn(chrome + 7, "0123456789");
	snprintf(text, sizeof text, "%.*s%u%s", before, agent, (unsigned)strtoul(real + 1, NULL, 10), rest);
	return look_text(l, text, strlen(text));
}

static json_t *brands_of(const char *agent)
{
	const char *chrome = strstr(agent, "Chrome/");
	char version[8];
	snprintf(version, sizeof version, "%u", chrome ? (unsigned)strtoul(chrome + 7, NULL, 10) : 0);
	return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "brand", "Chromium", "version", version, "brand", "Google Chrome",
			 "version", version, "brand", "Not;A=Brand", "version", "99");
}

static void become(struct looking *l)
{
	const struct visit_personality *who = l->out->personality;
	json_t *p = json_pack("{s:s,s:s,s:s}", "userAgent", l->out->agent, "acceptLanguage", who->languages, "platform", who->platform);
	if (who->system)
		json_object_set_new(p, "userAgentMetadata",
				    json_pack("{s:o,s:s,s:s,s:s,s:s,s:b}", "brands", brands_of(l->out->agent), "platform", who->system,
					      "platformVersion", who->mobile ? "10.0.0" : "15.0.0", "architecture",
					      who->mobile ? "" : "x86", "model", who->mobile ? "K" : "", "mobile", who->mobile));
	call(l, l->session, "Emulation.setUserAgentOverride", p);
	call(l, l->session, "Emulation.setDeviceMetricsOverride",
	     json_pack("{s:i,s:i,s:f,s:b}", "width", (int)who->width, "height", (int)who->height, "deviceScaleFactor",
		       1.0, "mobile", who->mobile));
	if (who->mobile)
		call(l, l->session, "Emulation.setTouchEmulationEnabled", json_pack("{s:b}", "enabled", 1));
}

static json_t *plugins_of(const char *plugins)
{
	json_t *list = json_array();
	while (plugins && *plugins) {
		const size_t n = strcspn(plugins, ",");
		json_array_append_new(list, json_stringn(plugins, n));
		plugins += n;
		plugins += strspn(plugins, ", ");
	}
	return list;
}

static void add_hooks(struct looking *l)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz";
	struct random drawn = random_seeded(random_secret());
	for (size_t i = 0; i < 24; i++)
		l->binding[i] = digits[random_below(&drawn, 26)];
	json_t *config = json_pack("{s:s,s:o,s:b}", "binding", l->binding, "plugins", plugins_of(l->out->personality->plugins),
				   "activex", strstr(l->out->personality->agent, "MSIE") != NULL);
	char *said = json_dumps(config, JSON_COMPACT);
	json_decref(config);
	char *source = malloc(HOOKS_MAX);
	if (said && source)
		l->hooks_length = (size_t)snprintf(source, HOOKS_MAX, "%.*s(%s);", (int)(visit_hooks_end - visit_hooks),
						   (const char *)visit_hooks, said);
	call(l, l->session, "Runtime.addBinding", json_pack("{s:s}", "name", l->binding));
	if (said && source)
		call(l, l->session, "Page.addScriptToEvaluateOnNewDocument", json_pack("{s:s}", "source", source));
	free(said);
	free(source);
}

static bool attach(struct looking *l)
{
	json_t *r = devtools_ask(l->devtools, "", "Target.getTargets", NULL, l->begun_us + CALL_US);
	const json_t *first = NULL, *it;
	size_t i;
	json_array_foreach((json_t *)devtools_at(r, "targetInfos"), i, it)
		if (!first && !strcmp(devtools_text(it, "type"), "page"))
			first = it;
	json_t *a = first ? devtools_ask(l->devtools, "", "Target.attachToTarget",
					 json_pack("{s:s,s:b}", "targetId", devtools_text(first, "targetId"), "flatten", 1),
					 l->begun_us + CALL_US) : NULL;
	snprintf(l->session, sizeof l->session, "%s", devtools_text(a, "sessionId"));
	if (first && l->session[0])
		look_frame_find(l, devtools_text(first, "targetId")); /* its main frame bears the target's name */
	json_decref(a);
	json_decref(r);
	return l->session[0] != '\0';
}

/* Everything is asked for before the page begins, and answered in order. */
static void prepare(struct looking *l)
{
	const char *s = l->session;
	call(l, "", "Browser.setDownloadBehavior", json_pack("{s:s,s:s,s:b}", "behavior", "allowAndName", "downloadPath",
							     INSIDE_DOWNLOADS, "eventsEnabled", 1));
	call(l, s, "Page.enable", NULL);
	call(l, s, "Network.enable", json_pack("{s:i,s:i,s:i}", "maxTotalBufferSize", 64 << 20, "maxResourceBufferSize",
					       VISIT_BODY_MAX, "maxPostDataSize", 65536));
	/* Bodies then outlive the page that asked for them. */
	call(l, s, "Network.configureDurableMessages", json_pack("{s:i,s:i}", "maxTotalBufferSize", 64 << 20,
								 "maxResourceBufferSize", VISIT_BODY_MAX));
	call(l, s, "Runtime.enable", NULL);
	call(l, s, "Debugger.enable", json_pack("{s:i}", "maxScriptsCacheSize", 32 << 20));
	call(l, s, "Debugger.setSkipAllPauses", json_pack("{s:b}", "skip", 1));
	call(l, s, "Target.setAutoAttach", json_pack("{s:b,s:b,s:b}", "autoAttach", 1, "waitForDebuggerOnStart", 1, "flatten", 1));
	become(l);
	add_hooks(l);
}

/* A person's pointer moves; some pages wait for that. */
static void move(struct looking *l)
{
	for (int i = 0; i < 3 && !l->moved; i++)
		call(l, l->session, "Input.dispatchMouseEvent", json_pack("{s:s,s:i,s:i}", "type", "mouseMoved", "x", 80 + 97 * i,
									  "y", 120 + 53 * i));
	l->moved = true;
}

static bool is_over(struct looking *l, uint64_t now_us)
{
	const uint64_t quiet_us = now_us - l->active_us;
	if (l->crashed)
		return true;
	if (!l->loaded || now_us < l->timer_us + 200000 || quiet_us < l->quiet_ms * 1000)
		return false;
	move(l);
	if (look_downloads_open(l) || look_requests_open(l) || devtools_waiting(l->devtools))
		return quiet_us > HANGING_US;
	return true;
}

static int watch(struct looking *l)
{
	for (;;) {
		const uint64_t now_us = clock_mono_us();
		if (is_over(l, now_us) || strstr(l->limits, "bytes"))
			return 0;
		if (now_us >= l->deadline_us) {
			look_limit(l, "time");
			return 0;
		}
		if (l->plan->stop && l->plan->stop(l->plan->arg)) {
			look_limit(l, "stopped");
			return 0;
		}
		const uint64_t until_us = now_us + 50000;
		const int stepped = devtools_step(l->devtools, until_us < l->deadline_us ? until_us : l->deadline_us);
		if (stepped < 0)
			return stepped;
	}
}

static void navigate(struct looking *l)
{
	const char *referrer = l->plan->referrer ? l->plan->referrer : l->out->personality->referrer;
	json_t *p = json_pack("{s:s,s:s}", "url", l->plan->url, "transitionType", referrer ? "link" : "typed");
	if (referrer) {
		json_object_set_new(p, "referrer", json_string(referrer));
		json_object_set_new(p, "referrerPolicy", json_string("unsafeUrl"));
	}
	const uint64_t until_us = l->begun_us + CALL_US < l->deadline_us ? l->begun_us + CALL_US : l->deadline_us;
	json_t *r = devtools_ask(l->devtools, l->session, "Page.navigate", p, until_us);
	const char *why = devtools_text(r, "errorText");
	/* An aborted one became a download. */
	if (*why && !devtools_true(r, "isDownload") && strcmp(why, "net::ERR_ABORTED"))
		l->out->failed = look_text_at(l, r, "errorText");
	json_decref(r);
}

static void look_with(struct looking *l, struct browser *b)
{
	json_t *version = devtools_ask(l->devtools, "", "Browser.getVersion", NULL, l->begun_us + CALL_US);
	l->out->agent = agent_of(l, devtools_text(version, "product"));
	json_decref(version);
	if (!attach(l)) {
		l->out->failed = "the browser did not begin";
		return;
	}
	prepare(l);
	l->begun_us = clock_mono_us();
	const uint64_t time_ms = l->plan->limits.time_ms ? l->plan->limits.time_ms : DEFAULT_TIME_MS;
	l->deadline_us = l->begun_us + time_ms * 1000;
	look_active(l);
	navigate(l);
	if (watch(l) < 0 || l->crashed) {
		look_limit(l, "crash");
		l->out->failed = l->out->failed ? l->out->failed : "the browser ended";
	}
	if (!strstr(l->limits, "stopped"))
		look_gather(l, b, clock_mono_us() + GATHER_US);
}

static bool make_room(struct looking *l)
{
	l->hops = arena_alloc(l->arena, VISIT_HOPS_MAX * sizeof *l->hops);
	l->requests = arena_alloc(l->arena, VISIT_REQUESTS_MAX * sizeof *l->requests);
	l->frames = arena_alloc(l->arena, VISIT_FRAMES_MAX * sizeof *l->frames);
	l->scripts = arena_alloc(l->arena, VISIT_SCRIPTS_MAX * sizeof *l->scripts);
	l->files = arena_alloc(l->arena, VISIT_FILES_MAX * sizeof *l->files);
	l->changes = arena_alloc(l->arena, VISIT_CHANGES_MAX * sizeof *l->changes);
	l->seen_requests = arena_alloc(l->arena, VISIT_REQUESTS_MAX * sizeof *l->seen_requests);
	l->seen_frames = arena_alloc(l->arena, VISIT_FRAMES_MAX * sizeof *l->seen_frames);
	return l->hops && l->requests && l->frames && l->scripts && l->files && l->changes && l->seen_requests && l->seen_frames;
}

static void settle(struct looking *l, const struct browser *b, uint64_t start_us)
{
	struct visit_look *out = l->out;
	out->hops = l->hops;
	out->requests = l->requests;
	out->frames = l->frames;
	out->scripts = l->scripts;
	out->files = l->files;
	out->changes = l->changes;
	if (b->result.limit[0])
		look_limit(l, b->result.limit);
	out->limits = look_text(l, l->limits, strlen(l->limits));
	out->time_ms = (clock_mono_us() - start_us) / 1000;
	out->box_start_us = b->result.start_us;
	out->cpu_ms = b->result.cpu_ms;
	out->memory_peak = b->result.memory_peak;
	if (!*out->final && out->hop_count)
		out->final = l->hops[l->seen_frames[0].hop].url;
}

int look_at(struct looking *l, struct box_keeper *keeper, unsigned number, struct fault *fault)
{
	struct browser b;
	const struct visit_plan *plan = l->plan;
	const struct devtools_hooks hooks = {.arg = l, .event = on_event};
	const uint64_t start_us = clock_mono_us();
	if (!make_room(l))
		return fault_set(fault, ERR_MEMORY, "no memory for a look");
	l->out->begin_us = clock_utc_us();
	l->out->final = l->out->title = l->out->agent = "";
	l->begun_us = start_us;
	l->quiet_ms = plan->limits.quiet_ms ? plan->limits.quiet_ms : DEFAULT_QUIET_MS;
	l->bytes_max = plan->limits.bytes ? plan->limits.bytes : DEFAULT_BYTES;
	int bad = browser_start(&b, keeper, plan->tools, l->out->personality, &plan->limits, fault);
	if (bad)
		return bad;
	const int listener = b.listener;
	b.listener = -1;
	if (plan->listening && plan->listening(plan->arg, number, listener)) {
		browser_stop(&b);
		return fault_set(fault, ERR_GONE, "nobody serves the browser's connections");
	}
	bad = devtools_open(&l->devtools, b.to, b.from, &hooks, fault);
	b.to = b.from = -1;
	if (!bad)
		look_with(l, &b);
	devtools_close(l->devtools);
	browser_stop(&b);
	if (plan->ended)
		plan->ended(plan->arg, number);
	settle(l, &b, start_us);
	return bad;
}
