/* CAPE's API, version 2: tasks/create/file, tasks/search/sha256, tasks/status, tasks/get/report. */
#include "lab/external.h"
#include "base/options.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define URL_MAX 1024
#define TOKEN_MAX 512
#define CALL_S_MAX 120
#define CONNECT_S_MAX 15

struct external {
	const struct external_options *options;
	CURL *easy;
	struct curl_slist *fields;
	char base[URL_MAX];
	char error[CURL_ERROR_SIZE];
};

#define AT(member) offsetof(struct external_options, member)
static const struct option external_fields[] = {
	{.name = "url", .type = OPTION_TEXT, .offset = AT(url),
	 .summary = "an external sandbox that speaks CAPE's API, such as https://cape.example; absent: no sample is handed over"},
	{.name = "token_file", .type = OPTION_TEXT, .offset = AT(token_file),
	 .summary = "file whose first line is the token of that API"},
	{.name = "ca_file", .type = OPTION_TEXT, .offset = AT(ca_file),
	 .summary = "certificates to believe for it; absent: those of the system"},
	{.name = "package", .type = OPTION_TEXT, .offset = AT(package), .summary = "its analysis package; absent: it chooses"},
	{.name = "machine", .type = OPTION_TEXT, .offset = AT(machine), .summary = "its machine; absent: it chooses"},
	{.name = "tags", .type = OPTION_TEXT, .offset = AT(tags), .summary = "tags that its machine must have"},
	{.name = "run", .type = OPTION_DURATION, .offset = AT(run_ms), .fallback = "0s", .max = 3600000,
	 .summary = "how long it runs a sample; 0: it chooses"},
	{.name = "wait", .type = OPTION_DURATION, .offset = AT(wait_ms), .fallback = "30m", .min = 100,
	 .summary = "how long its report is waited for"},
	{.name = "every", .type = OPTION_DURATION, .offset = AT(every_ms), .fallback = "15s", .min = 100,
	 .summary = "how often it is asked whether the report is there"},
	{0},
};

static const struct section external_section = {
	{.name = "sandbox", .type = OPTION_MAP, .fields = external_fields, .summary = "an external sandbox for samples, off by default"},
	sizeof(struct external_options),
};
SECTION(external_section);

/* "Authorization: Token …"; a token that would be another header line is refused. */
static int add_token(struct external *e, struct fault *fault)
{
	char token[TOKEN_MAX], line[TOKEN_MAX + 32];
	const char *path = e->options->token_file;
	if (!path)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, token, sizeof token - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return fault_set(fault, ERR_SYSTEM, "sandbox.token_file: %s: %s", path, strerror(errno));
	token[n] = '\0';
	token[strcspn(token, "\r\n")] = '\0';
	if (!token[0])
		return fault_set(fault, ERR_BAD, "sandbox.token_file: %s has no token in its first line", path);
	snprintf(line, sizeof line, "Authorization: Token %s", token);
	e->fields = curl_slist_append(e->fields, line);
	return e->fields ? 0 : fault_set(fault, ERR_MEMORY, "sandbox: no memory");
}

int external_open(struct external **out, const struct external_options *options, struct fault *fault)
{
	if (!options->url || (strncmp(options->url, "https://", 8) && strncmp(options->url, "http://", 7)))
		return fault_set(fault, ERR_MISSING, "sandbox.url names no sandbox; https://HOST would");
	struct external *e = calloc(1, sizeof *e);
	if (!e || curl_global_init(CURL_GLOBAL_DEFAULT) || !(e->easy = curl_easy_init())) {
		free(e);
		return fault_set(fault, ERR_MEMORY, "sandbox: no memory");
	}
	e->options = options;
	size_t n = strlen(options->url);
	while (n && options->url[n - 1] == '/')
		n--;
	snprintf(e->base, sizeof e->base, "%.*s/apiv2", (int)(n < URL_MAX - 8 ? n : URL_MAX - 8), options->url);
	int bad = add_token(e, fault);
	if (bad) {
		external_close(e);
		return bad;
	}
	*out = e;
	return 0;
}

void external_close(struct external *e)
{
	if (!e)
		return;
	curl_slist_free_all(e->fields);
	curl_easy_cleanup(e->easy);
	free(e);
}

static size_t take(char *at, size_t size, size_t count, void *arg)
{
	return buffer_append(arg, at, size * count) ? 0 : size * count;
}

/* One question; redirects are not followed, so the sample and the token go nowhere else. */
static int ask(struct external *e, const char *path, curl_mime *form, struct buffer *answer, struct fault *fault)
{
	char url[URL_MAX + 256];
	long code = 0;
	CURL *easy = e->easy;
	snprintf(url, sizeof url, "%s/%s", e->base, path);
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, e->fields);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)CALL_S_MAX);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S_MAX);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, e->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	if (e->options->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, e->options->ca_file);
	if (form)
		curl_easy_setopt(easy, CURLOPT_MIMEPOST, form);
	e->error[0] = '\0';
	CURLcode bad = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	if (bad == CURLE_WRITE_ERROR)
		return fault_set(fault, ERR_FULL, "sandbox: its answer has more than %zu bytes", answer->max);
	if (bad)
		return fault_set(fault, bad == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_GONE, "sandbox: %s",
				 e->error[0] ? e->error : curl_easy_strerror(bad));
	if (code == 404)
		return fault_set(fault, ERR_MISSING, "sandbox: it knows no %s", path);
	if (code == 401 || code == 403)
		return fault_set(fault, ERR_DENIED, "sandbox: it refuses (HTTP %ld); is sandbox.token_file right?", code);
	if (code == 429)
		return fault_set(fault, ERR_FULL, "sandbox: it was asked too often (HTTP 429)");
	return code == 200 ? 0 : fault_set(fault, ERR_GONE, "sandbox: it answers HTTP %ld to %s", code, path);
}

/* {"error": false, "data": …}; or {"error": true, "error_value": "why"}. */
static int ask_json(struct external *e, const char *path, curl_mime *form, json_t **out, struct fault *fault)
{
	struct buffer answer = BUFFER(EXTERNAL_ANSWER_MAX);
	json_error_t where;
	int bad = ask(e, path, form, &answer, fault);
	struct bytes b = buffer_bytes(&answer);
	json_t *j = bad ? NULL : json_loadb((const char *)b.at, b.len, 0, &where);
	buffer_done(&answer);
	if (bad)
		return bad;
	if (!json_is_object(j)) {
		json_decref(j);
		return fault_set(fault, ERR_BAD, "sandbox: its answer to %s is no JSON object", path);
	}
	if (json_is_true(json_object_get(j, "error"))) {
		const char *why = json_string_value(json_object_get(j, "error_value"));
		fault_set(fault, ERR_DENIED, "sandbox: %.300s", why ? why : "it says no more than that it failed");
		json_decref(j);
		return ERR_DENIED;
	}
	*out = j;
	return 0;
}

int external_known(struct external *e, const char *sha256, uint64_t *task, struct fault *fault)
{
	char path[160];
	json_t *j, *one;
	size_t i;
	json_int_t last = 0;
	snprintf(path, sizeof path, "tasks/search/sha256/%.64s/", sha256);
	int bad = ask_json(e, path, NULL, &j, fault);
	if (bad)
		return bad == ERR_DENIED ? ERR_MISSING : bad; /* older versions call "none" an error */
	json_array_foreach(json_object_get(j, "data"), i, one) {
		json_int_t id = json_integer_value(json_object_get(one, "id"));
		const char *status = json_string_value(json_object_get(one, "status"));
		if (id > last && !(status && !strncmp(status, "failed", 6)))
			last = id;
	}
	json_decref(j);
	if (last <= 0)
		return fault_set(fault, ERR_MISSING, "sandbox: it does not know that sample");
	*task = (uint64_t)last;
	return 0;
}

static void add_field(curl_mime *form, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	curl_mimepart *part = curl_mime_addpart(form);
	curl_mime_name(part, name);
	curl_mime_data(part, value, CURL_ZERO_TERMINATED);
}

static curl_mime *fill_form(struct external *e, struct bytes sample, const char *name)
{
	char seconds[32] = "";
	curl_mime *form = curl_mime_init(e->easy);
	curl_mimepart *part = curl_mime_addpart(form);
	curl_mime_name(part, "file");
	curl_mime_filename(part, name);
	curl_mime_type(part, "application/octet-stream");
	curl_mime_data(part, (const char *)sample.at, sample.len);
	add_field(form, "package", e->options->package);
	add_field(form, "machine", e->options->machine);
	add_field(form, "tags", e->options->tags);
	if (e->options->run_ms)
		snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)(e->options->run_ms + 999) / 1000);
	add_field(form, "timeout", seconds);
	return form;
}

int external_submit(struct external *e, struct bytes sample, const char *name, uint64_t *task, struct fault *fault)
{
	json_t *j = NULL;
	curl_mime *form = fill_form(e, sample, name);
	int bad = ask_json(e, "tasks/create/file/", form, &j, fault);
	curl_mime_free(form);
	if (bad)
		return bad;
	const json_t *data = json_object_get(j, "data"), *ids = json_object_get(data, "task_ids");
	json_int_t id = json_integer_value(json_is_array(ids) ? json_array_get(ids, 0) : json_object_get(data, "task_id"));
	json_decref(j);
	if (id <= 0)
		return fault_set(fault, ERR_BAD, "sandbox: it took the sample but names no task");
	*task = (uint64_t)id;
	return 0;
}

int external_state(struct external *e, uint64_t task, enum external_state *state, struct fault *fault)
{
	char path[64];
	json_t *j;
	snprintf(path, sizeof path, "tasks/status/%llu/", (unsigned long long)task);
	int bad = ask_json(e, path, NULL, &j, fault);
	if (bad)
		return bad;
	const char *word = json_string_value(json_object_get(j, "data"));
	if (!word)
		bad = fault_set(fault, ERR_BAD, "sandbox: it says no state of task %llu", (unsigned long long)task);
	else if (!strcmp(word, "reported"))
		*state = EXTERNAL_REPORTED;
	else if (!strncmp(word, "failed", 6) || !strcmp(word, "banned"))
		*state = EXTERNAL_FAILED;
	else
		*state = strcmp(word, "pending") ? EXTERNAL_RUNS : EXTERNAL_WAITS;
	json_decref(j);
	return bad;
}

int external_fetch(struct external *e, uint64_t task, struct buffer *report, struct fault *fault)
{
	char path[64];
	snprintf(path, sizeof path, "tasks/get/report/%llu/json/", (unsigned long long)task);
	return ask(e, path, NULL, report, fault);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int wait_for_report(struct external *e, uint64_t task, struct fault *fault)
{
	const uint64_t until = now_ms() + e->options->wait_ms;
	for (;;) {
		enum external_state state = EXTERNAL_WAITS;
		int bad = external_state(e, task, &state, fault);
		if (bad && bad != ERR_TIMEOUT && bad != ERR_FULL) /* a busy sandbox is asked again */
			return bad;
		if (!bad && state == EXTERNAL_REPORTED)
			return 0;
		if (!bad && state == EXTERNAL_FAILED)
			return fault_set(fault, ERR_GONE, "sandbox: its analysis of task %llu failed", (unsigned long long)task);
		if (now_ms() + e->options->every_ms > until)
			return fault_set(fault, ERR_TIMEOUT, "sandbox: task %llu has no report yet", (unsigned long long)task);
		usleep((useconds_t)(e->options->every_ms * 1000));
	}
}

int external_analyse(struct external *e, struct bytes sample, const char *sha256, const char *name, uint64_t *task,
		     struct buffer *report, struct fault *fault)
{
	int bad = external_known(e, sha256, task, fault);
	if (bad == ERR_MISSING)
		bad = external_submit(e, sample, name, task, fault);
	if (!bad)
		bad = wait_for_report(e, *task, fault);
	return bad ? bad : external_fetch(e, *task, report, fault);
}
