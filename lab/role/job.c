#include "lab/role/room_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "lab/role/rows_inner.h"
#include "store/store.h"
#include <stddef.h>
#include <stdlib.h>

#define PLACES_DAYS 90
#define URL_MAX 2048
#define VALUE(name) "value[indexOf(field,'" name "')]"

FIELD(field_verdict, "sample.verdict", TEXT, 0, "malicious, suspicious or unknown");
FIELD(field_campaign, "sample.campaign", TEXT, 0, "name of the samples that it belongs with");
FIELD(field_linked, "sample.linked", NUMBER, 0, "samples that share a server, a key or code with it");
FIELD(field_runs, "sample.runs", TEXT, 0, "how it was run, and what ended that");
FIELD(field_stix, "report.stix", TEXT, 0, "digest of the report as a STIX bundle");
FIELD(field_cape, "report.cape", TEXT, 0, "digest of the report in CAPE's shape");
FIELD(field_page, "report.page", TEXT, 0, "digest of the report as a page");
FIELD(field_capture, "report.capture", TEXT, 0, "digest of the packets of its run, a pcap file");

static void keep_place(struct job *j, const char *how, const char *source, const char *url, uint64_t time_us)
{
	if (j->place_count == PLACES_MAX)
		return;
	for (size_t i = 0; i < j->place_count; i++)
		if (j->places[i].time_us / 1000000 == time_us / 1000000 && !strcmp(j->places[i].source, source))
			return;
	const char *kept[] = {arena_text(&j->arena, bytes_of_text(how)), arena_text(&j->arena, bytes_of_text(source)),
			      arena_text(&j->arena, bytes_of_text(url))};
	if (kept[0] && kept[1] && kept[2])
		j->places[j->place_count++] = (struct sample_place){kept[0], kept[1], kept[2], time_us};
}

/* Outside bytes as text: what is not printable ASCII is left out. */
static void plain(struct bytes b, char *out, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < b.len && n + 1 < size; i++)
		if (b.at[i] >= 0x20 && b.at[i] < 0x7f)
			out[n++] = (char)b.at[i];
	out[n] = '\0';
}

struct job *job_new(struct lab_room *room, const struct event *e)
{
	char how[32], url[URL_MAX], source[ADDRESS_TEXT_MAX] = "";
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	j->room = room;
	j->arena = ARENA(ANALYSIS_MEMORY_MAX);
	j->cause = e->id;
	if (!event_id_of(e, FIELD_ROOT, &j->root))
		j->root = e->id;
	j->depth = event_number(e, FIELD_DEPTH, 0);
	j->has_source = event_address(e, FIELD_SRC, &j->source);
	if (j->has_source)
		address_format(&j->source, source);
	bytes_copy_text(event_bytes(e, FIELD_FILE_SHA256), j->sha256, sizeof j->sha256);
	plain(event_bytes(e, FIELD_FILE_NAME), j->name, sizeof j->name);
	plain(event_bytes(e, FIELD_FILE_URL), url, sizeof url);
	plain(event_bytes(e, FIELD_FILE_HOW), how, sizeof how);
	keep_place(j, how, source, url, e->time_us);
	file_transfer_open(&j->files, room->process->bus, room->process->loop);
	return j;
}

static void fetched(void *arg, int status, struct bytes content)
{
	struct job *j = arg;
	j->sample = BUFFER(SAMPLE_BYTES_MAX);
	if (status || buffer_append(&j->sample, content.at, content.len)) {
		log_warning("lab: %s cannot be had: %s", j->sha256, status ? error_name(status) : "no memory");
		job_done(j);
		return;
	}
	job_places(j);
}

void job_start(struct job *j) { file_fetch(&j->files, j->sha256, SAMPLE_BYTES_MAX, fetched, j); }

static void take_place(void *arg, const json_t *row)
{
	struct job *j = arg;
	uint8_t bytes[URL_MAX];
	char url[URL_MAX];
	plain((struct bytes){bytes, row_hex(row, "url", bytes, sizeof bytes)}, url, sizeof url);
	keep_place(j, row_text(row, "how"), row_text(row, "source"), url, row_number(row, "at") * 1000000);
}

static void places_answered(void *arg, int status, struct bytes payload, bool more)
{
	struct job *j = arg;
	if (!status && more) {
		lines_take(&j->rows, payload, take_place, j);
		return;
	}
	if (!more && !j->room->stopped)
		job_analyse(j);
}

/* Where else it came from; without a store the sample is analysed all the same. */
void job_places(struct job *j)
{
	char sql[768];
	j->rows = BUFFER(4u << 20);
	snprintf(sql, sizeof sql, "SELECT " VALUE("file.how") " AS how, ip(src) AS source, hex(" VALUE("file.url") ") AS url, "
		 "toUnixTimestamp(time) AS at FROM events WHERE kind = 'file.captured' AND file_sha256 = '%s' AND "
		 "time >= now('UTC') - INTERVAL %d DAY ORDER BY id LIMIT %d", j->sha256, PLACES_DAYS, PLACES_MAX);
	if (store_ask(j->room->process->bus, sql, ANSWER_LINES, false, places_answered, j))
		job_analyse(j);
}

static void analyse_work(uv_work_t *work)
{
	struct job *j = work->data;
	j->status = lab_analyse(&j->analysis, buffer_bytes(&j->sample), j->room->rules, &j->fault);
}

static void analyse_ended(uv_work_t *work, int cancelled)
{
	struct job *j = work->data;
	j->working = false;
	if (j->room->stopped || cancelled) {
		room_stopped(j->room);
		return;
	}
	if (!j->analysis) {
		log_warning("lab: %s cannot be analysed: %s", j->sha256, j->fault.text);
		job_done(j);
		return;
	}
	j->story.findings = analysis_findings(j->analysis);
	job_run(j);
}

void job_analyse(struct job *j)
{
	j->working = true;
	j->work.data = j;
	uv_queue_work(j->room->process->loop, &j->work, analyse_work, analyse_ended);
}

static void set_text(struct event *e, uint16_t field, const char *text)
{
	if (text && text[0] && bytes_is_utf8(bytes_of_text(text)))
		event_set_text(e, field, text);
}

static void set_reports(const struct job *j, struct event *e)
{
	const struct {
		const char *name;
		uint16_t field;
	} fields[] = {{"json", FIELD_REPORT_SHA256}, {"stix", field_stix}, {"cape", field_cape}, {"page", field_page}};
	for (size_t i = 0; i < j->report_count; i++) {
		const struct job_report *r = &j->reports[i];
		if (r->stored && !r->report)
			set_text(e, field_capture, r->sha256);
		for (size_t f = 0; r->stored && r->report && f < sizeof fields / sizeof *fields; f++)
			if (!strcmp(r->report->name, fields[f].name))
				set_text(e, fields[f].field, r->sha256);
	}
}

static void set_runs(const struct job *j, struct event *e)
{
	char text[256];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < STORY_RUNS; i++) {
		const struct run_findings *r = j->story.runs[i];
		if (r)
			write_fmt(&w, "%s%s %s %llu ms%s%s", writer_used(&w) ? "; " : "", r->uid ? "user" : "root", r->how ? r->how : "",
				  (unsigned long long)r->box.time_ms, r->box.limit[0] ? " limit " : "", r->box.limit);
	}
	if (!w.bad && writer_used(&w) && bytes_is_utf8(writer_bytes(&w)))
		event_set_bytes(e, field_runs, writer_bytes(&w));
}

static void write_limits(const struct sample_story *s, struct event *e)
{
	char text[1024];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < s->limit_count && writer_left(&w) > strlen(s->limits[i]) + 1; i++)
		write_fmt(&w, "%s%s", i ? " " : "", s->limits[i]);
	if (writer_used(&w))
		event_set_bytes(e, FIELD_LIMIT, writer_bytes(&w));
}

static void tell_analysed(struct job *j)
{
	const struct sample_story *s = &j->story;
	const struct family *family = lab_story_family(s);
	struct event *e = &j->analysed;
	event_begin(e, EVENT_SAMPLE_ANALYSED);
	e->time_us = clock_utc_us();
	event_set_chain(e, &j->cause, &j->root, j->depth);
	if (j->has_source)
		event_set_address(e, FIELD_SRC, &j->source);
	event_set_text(e, FIELD_FILE_SHA256, s->findings->sha256);
	event_set_number(e, FIELD_FILE_SIZE, s->findings->size);
	if (j->name[0])
		event_set_bytes(e, FIELD_FILE_NAME, bytes_of_text(j->name));
	set_text(e, FIELD_SAMPLE_TYPE, s->findings->type);
	set_text(e, FIELD_SAMPLE_ARCH, s->findings->architecture);
	set_text(e, FIELD_SAMPLE_TLSH, s->findings->tlsh);
	set_text(e, FIELD_SAMPLE_FAMILY, family ? family->name : NULL);
	set_text(e, field_verdict, s->verdict);
	event_set_number(e, FIELD_CONFIDENCE, s->score);
	set_text(e, FIELD_EVIDENCE, s->reasons);
	set_text(e, field_campaign, s->campaign);
	if (s->link_count)
		event_set_number(e, field_linked, s->link_count);
	set_runs(j, e);
	set_reports(j, e);
	write_limits(s, e);
}

/* host and port of what has them, so that a look or a check can be asked for. */
static void set_place(struct event *e, const struct indicator *i)
{
	struct bytes host = i->value;
	struct address a;
	uint64_t port = 0;
	if (i->type == INDICATOR_URL) {
		size_t scheme = bytes_find(host, "://");
		size_t skip = scheme < host.len ? scheme + 3 : 0, n = 0;
		host = (struct bytes){host.at + skip, host.len - skip};
		while (n < host.len && host.at[n] != '/' && host.at[n] != '?' && host.at[n] != '#')
			n++;
		host.len = n;
		port = bytes_start_with(i->value, "https:") ? 443 : bytes_start_with(i->value, "http:") ? 80 : 0;
	}
	if (i->type == INDICATOR_ENDPOINT || i->type == INDICATOR_URL) {
		size_t colon = host.len, end = host.len;
		while (colon && host.at[colon - 1] != ':' && host.at[colon - 1] != ']')
			colon--;
		uint64_t number;
		if (colon && host.at[colon - 1] == ':' && bytes_number((struct bytes){host.at + colon, end - colon}, 65535, &number)) {
			port = number;
			host.len = colon - 1;
		}
		if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
			host = (struct bytes){host.at + 1, host.len - 2};
	}
	bool has = i->type == INDICATOR_ADDRESS || i->type == INDICATOR_ENDPOINT || i->type == INDICATOR_URL;
	if (has && address_parse(host, &a))
		event_set_address(e, FIELD_SRC, &a);
	if (has && port)
		event_set_number(e, FIELD_DPORT, port);
}

/* What it said first there: what a check of that server may repeat. */
static void set_hello(const struct job *j, const struct indicator *i, struct event *e)
{
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t k = 0; i->role == FOR_COMMAND && j->story.runs[r] && k < j->story.runs[r]->hello_count; k++) {
			const struct hello *h = &j->story.runs[r]->hellos[k];
			if (!h->said.len || !bytes_equal_text(i->value, h->endpoint))
				continue;
			event_set_bytes(e, FIELD_HELLO, h->said);
			event_set_bool(e, FIELD_HELLO_REGISTERS, h->registers);
			return;
		}
}

static void tell_indicator(struct job *j, const struct indicator *i, struct event *e)
{
	event_begin(e, EVENT_INDICATOR_FOUND);
	e->time_us = clock_utc_us();
	event_set_cause(e, &j->analysed);
	event_set_text(e, FIELD_FILE_SHA256, j->sha256);
	event_set_text(e, FIELD_INDICATOR_TYPE, indicator_type_name(i->type));
	event_set_bytes(e, FIELD_INDICATOR_VALUE, i->value);
	event_set_text(e, FIELD_INDICATOR_ROLE, indicator_role_name(i->role));
	set_text(e, FIELD_INDICATOR_HOW, i->how);
	event_set_number(e, FIELD_CONFIDENCE, i->confidence);
	set_place(e, i);
	set_hello(j, i, e);
}

static void tell_dropped(struct job *j, const struct dropped *d, struct event *e)
{
	event_begin(e, EVENT_FILE_CAPTURED);
	e->time_us = clock_utc_us();
	event_set_cause(e, &j->analysed);
	if (j->has_source)
		event_set_address(e, FIELD_SRC, &j->source);
	event_set_text(e, FIELD_FILE_SHA256, d->sha256);
	event_set_number(e, FIELD_FILE_SIZE, d->content.len);
	event_set_bytes(e, FIELD_FILE_NAME, bytes_of_text(d->path));
	event_set_text(e, FIELD_FILE_HOW, "dropped");
}

static void tell_campaign(struct job *j, struct event *e)
{
	const struct sample_story *s = &j->story;
	event_begin(e, EVENT_CAMPAIGN_FOUND);
	e->time_us = clock_utc_us();
	event_set_cause(e, &j->analysed);
	if (j->has_source)
		event_set_address(e, FIELD_SRC, &j->source);
	event_set_text(e, FIELD_FILE_SHA256, j->sha256);
	set_text(e, field_campaign, s->campaign);
	event_set_number(e, FIELD_COUNT, j->joined);
	set_text(e, FIELD_REASON, s->links[0].shares);
	set_text(e, FIELD_EVIDENCE, s->links[0].what);
}

/* Victims are in the report; a fact about a host of its own would point at them. */
static bool is_told(const struct lab_options *o, const struct indicator *i)
{
	return i->role != FOR_VICTIM && i->confidence >= o->confidence_min;
}

bool job_event(struct job *j, size_t number, struct event *out)
{
	const struct sample_story *s = &j->story;
	const struct lab_options *o = j->room->options;
	size_t n = 0;
	for (size_t i = 0; i < s->indicator_count && n < o->indicators; i++)
		if (is_told(o, &s->indicators[i]) && n++ == number) {
			tell_indicator(j, &s->indicators[i], out);
			return true;
		}
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; s->runs[r] && i < s->runs[r]->dropped_count; i++)
			if (n++ == number) {
				tell_dropped(j, &s->runs[r]->dropped[i], out);
				return true;
			}
	if (j->news && s->campaign && s->link_count && n == number) {
		tell_campaign(j, out);
		return true;
	}
	n += j->news && s->campaign && s->link_count;
	return number >= n && job_bait_event(j, number - n, out);
}

/* First that it was analysed, which the others name as their cause. */
void job_tell(struct job *j)
{
	struct bus *bus = j->room->process->bus;
	struct event *e = &j->room->other;
	if (!j->telling) {
		j->telling = true;
		tell_analysed(j);
	}
	if (id_is_zero(&j->analysed.id) && (bus_congested(bus) || bus_publish(bus, &j->analysed)))
		return;
	while (job_event(j, j->told, e)) {
		if (bus_congested(bus) || bus_publish(bus, e) == ERR_FULL)
			return;
		j->told++;
	}
	job_ask_egress(j);
	job_done(j);
}

static void on_closed(uv_handle_t *timer)
{
	struct file_transfer *t = timer->data;
	free((uint8_t *)t - offsetof(struct job, files));
}

void job_free(struct job *j)
{
	file_transfer_stop(&j->files);
	runs_free(j);
	for (size_t i = 0; i < j->report_count; i++)
		buffer_done(&j->reports[i].bytes);
	analysis_free(j->analysis);
	arena_done(&j->arena);
	buffer_done(&j->sample);
	buffer_done(&j->rows);
	uv_close((uv_handle_t *)&j->files.retry, on_closed);
}
