/*
 * Scripts and what they do: their text from the Debugger domain, which a page cannot see, and counts
 * from the hooks (hooks.js).
 */
#include "active/visit/browser/look_inner.h"
#include "base/clock.h"
#include <math.h>
#include <stdlib.h>

#define SCRIPT_KEPT (256u << 10)
#define SCRIPT_ASKED_MAX (4u << 20)
#define WRITTEN_KEPT 8192
#define TOLD_MAX (1u << 20)

static struct visit_script *add_script(struct looking *l, const char *origin, size_t *index)
{
	if (l->out->script_count == VISIT_SCRIPTS_MAX) {
		look_limit(l, "scripts");
		return NULL;
	}
	*index = l->out->script_count++;
	l->scripts[*index] = (struct visit_script){.url = "", .origin = origin};
	return &l->scripts[*index];
}

/* How often a text makes strings and how often it uses them as code: Wepawet's ratio. */
static void count_words(struct visit_measures *m, struct bytes text)
{
	static const char *const makes[] = {"fromCharCode", "substr", "replace(", "split(", "join(", "charAt", "concat", "unescape"};
	static const char *const uses[] = {"eval(", ".write(", "innerHTML", "setTimeout(", "Function(", "appendChild"};
	for (size_t i = 0; i < sizeof makes / sizeof *makes + sizeof uses / sizeof *uses; i++) {
		const bool make = i < sizeof makes / sizeof *makes;
		const char *word = make ? makes[i] : uses[i - sizeof makes / sizeof *makes];
		for (struct bytes rest = text; rest.len;) {
			const size_t at = bytes_find(rest, word);
			if (at == rest.len)
				break;
			*(make ? &m->string_definitions : &m->string_uses) += 1;
			rest = (struct bytes){rest.at + at + 1, rest.len - at - 1};
		}
	}
}

static void on_source(void *arg, size_t i, const json_t *result)
{
	struct looking *l = arg;
	struct visit_script *s = &l->scripts[i];
	struct visit_measures *m = &l->out->measures;
	const bool binary = devtools_at(result, "bytecode") != NULL;
	const char *source = devtools_text(result, binary ? "bytecode" : "scriptSource");
	const struct bytes all = {(const uint8_t *)source, devtools_text_len(result, binary ? "bytecode" : "scriptSource")};
	m->scripts++;
	m->script_bytes += s->size;
	m->inline_scripts += !strcmp(s->origin, "inline");
	if (!strcmp(s->origin, "eval")) {
		m->evals++;
		m->eval_bytes += s->size;
	}
	m->wasm_modules += !strcmp(s->origin, "wasm");
	if (!all.len)
		return;
	look_sha256(all, s->sha256);
	count_words(m, all);
	s->text = look_bytes(l, (struct bytes){all.at, all.len < SCRIPT_KEPT ? all.len : SCRIPT_KEPT});
}

static const char *origin_of(const struct looking *l, const char *session, const json_t *params)
{
	const char *url = devtools_text(params, "url");
	if (!strcmp(devtools_text(params, "scriptLanguage"), "WebAssembly"))
		return "wasm";
	if (*session && strcmp(session, l->session))
		return "worker";
	if (!*devtools_text(params, "embedderName") || !*url)
		return "eval";
	for (size_t i = 0; i < l->out->frame_count; i++)
		if (!strcmp(l->frames[i].url, url))
			return devtools_at(params, "stackTrace") ? "written" : "inline";
	return "source";
}

static void take_script(struct looking *l, const char *session, const json_t *params)
{
	size_t i;
	const size_t length = (size_t)devtools_count(params, "length");
	if (!strcmp(devtools_text(params, "executionContextAuxData.type"), "isolated"))
		return; /* our own measuring */
	if (length && length == l->hooks_length && !*devtools_text(params, "url"))
		return; /* our own hooks: a page that makes its scripts as long as those hides nothing but their count */
	struct visit_script *s = add_script(l, origin_of(l, session, params), &i);
	if (!s)
		return;
	s->url = look_text_at(l, params, "url");
	s->size = length;
	if (s->size > SCRIPT_ASKED_MAX) {
		look_limit(l, "script");
		return;
	}
	devtools_call(l->devtools, session, "Debugger.getScriptSource",
		      json_pack("{s:s}", "scriptId", devtools_text(params, "scriptId")), on_source, i);
}

double look_entropy(struct bytes text)
{
	uint32_t counts[256] = {0};
	double bits = 0;
	for (size_t i = 0; i < text.len; i++)
		counts[text.at[i]]++;
	for (int c = 0; c < 256; c++)
		if (counts[c]) {
			const double p = (double)counts[c] / (double)text.len;
			bits -= p * log2(p);
		}
	return bits;
}

static struct bytes text_of(const json_t *value, size_t max)
{
	const size_t n = json_string_length(value);
	return (struct bytes){(const uint8_t *)json_string_value(value), n < max ? n : max};
}

static void keep_text(struct looking *l, const char *origin, struct bytes text)
{
	size_t i;
	struct visit_script *s = text.len ? add_script(l, origin, &i) : NULL;
	if (!s)
		return;
	s->size = text.len;
	s->text = look_bytes(l, text);
	look_sha256(text, s->sha256);
}

static void take_decoded(struct looking *l, const json_t *told)
{
	struct visit_measures *m = &l->out->measures;
	const uint64_t length = (uint64_t)json_integer_value(json_array_get(told, 2));
	const struct bytes text = text_of(json_array_get(told, 3), WRITTEN_KEPT);
	const double bits = look_entropy(text);
	m->decoded++;
	m->decoded_bytes += length < VISIT_BODY_MAX ? length : VISIT_BODY_MAX;
	if (length > m->decoded_length_max)
		m->decoded_length_max = length;
	if (bits > m->decoded_entropy_max)
		m->decoded_entropy_max = bits;
	if (m->decoded <= 64)
		keep_text(l, "decoded", text);
}

static void take_timer(struct looking *l, const json_t *told)
{
	const double wait_ms = json_number_value(json_array_get(told, 1));
	l->out->measures.timers++;
	if (wait_ms < 100 || wait_ms > 120000)
		return;
	const uint64_t at_us = clock_mono_us() + (wait_ms < 1000 ? (uint64_t)(wait_ms * 1000) : 1000000);
	/* Timers that start each other over and over do not keep a page open. */
	if (at_us > l->timer_us && l->out->measures.timers < 64)
		l->timer_us = at_us;
}

static void take_told(struct looking *l, const json_t *told)
{
	struct visit_measures *m = &l->out->measures;
	const char *kind = json_string_value(json_array_get(told, 0));
	const struct bytes text = text_of(json_array_get(told, 1), WRITTEN_KEPT);
	if (!kind)
		return;
	if (!strcmp(kind, "decoded"))
		take_decoded(l, told);
	else if (!strcmp(kind, "timer"))
		take_timer(l, told);
	else if (!strcmp(kind, "write")) {
		m->writes++;
		m->write_bytes += (uint64_t)json_integer_value(json_array_get(told, 1)) & 0xffffffffu;
		keep_text(l, "written", text_of(json_array_get(told, 2), WRITTEN_KEPT));
	} else if (!strcmp(kind, "clipboard")) {
		m->clipboard_writes++;
		keep_text(l, "clipboard", text);
	} else if (!strcmp(kind, "activex")) {
		m->activex_probes++;
		if (m->activex_probes <= 32)
			keep_text(l, "activex", text);
	} else {
		m->plugin_probes += !strcmp(kind, "plugin");
		m->webdriver_probes += !strcmp(kind, "webdriver");
		m->fingerprint_probes += !strcmp(kind, "fingerprint");
		m->notifications += !strcmp(kind, "notification");
	}
}

bool look_take_scripts(struct looking *l, const char *session, const char *method, const json_t *params)
{
	if (!strcmp(method, "Debugger.scriptParsed")) {
		take_script(l, session, params);
		return true;
	}
	if (strcmp(method, "Runtime.bindingCalled"))
		return false;
	if (strcmp(devtools_text(params, "name"), l->binding))
		return true;
	/* What the page stringified is mended for itself: its escapes were within the message's. */
	const size_t n = devtools_text_len(params, "payload");
	uint8_t *copy = n < TOLD_MAX ? malloc(n + 1) : NULL;
	if (!copy)
		return true;
	memcpy(copy, devtools_text(params, "payload"), n);
	devtools_mend(copy, n);
	json_t *told = json_loadb((const char *)copy, n, JSON_ALLOW_NUL, NULL);
	if (json_is_array(told))
		take_told(l, told);
	json_decref(told);
	free(copy);
	return true;
}
