/* One import: bytes to a format, records to events. */
#include "share/exchange_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/place.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FIELD(field_source, "record.source", TEXT, 0, "who said it: a feed or partner, as the operator names it");
FIELD(field_format, "record.format", TEXT, 0, "format that it came in");
FIELD(field_time, "record.time", TIME, 0, "when it was observed or published, by its source");
FIELD(field_link, "record.link", BYTES, 0, "page or entry that says it");
FIELD(field_title, "record.title", BYTES, 0, "title of that entry");
FIELD(field_author, "record.author", BYTES, 0, "who wrote it");
FIELD(field_labels, "record.labels", BYTES, 0, "words that it is filed under");
FIELD(field_tlp, "record.tlp", TEXT, 0, "to whom it may be shown: RED, AMBER, AMBER+STRICT, GREEN, CLEAR");
FIELD(field_kind, "record.kind", TEXT, 0, "of which of our kinds it would be, had we seen it");
FIELD(field_id, "record.id", BYTES, 0, "by which its source knows it");
FIELD(field_original, "record.original", BYTES, FIELD_PRIVATE, "what stood there, cut");

#define NAME_BYTES 128
#define WORD_BYTES 16

struct job {
	struct exchange *exchange;
	const struct format *format;
	struct intake *intake;
	char source[NAME_BYTES], tlp[WORD_BYTES], pap[WORD_BYTES];
	uint64_t confidence;
	bool has_chain;
	struct record_chain chain;
	struct networks_table *table; /* NULL: no network came */
	bool table_failed;
	struct writer complaints; /* JSON objects with commas between */
	char complaints_room[COMPLAINTS_BYTES_MAX];
};

static void set_when_there(struct event *e, uint16_t field, struct bytes b)
{
	if (b.len)
		event_set_bytes(e, field, b);
}

static void write_field(struct event *e, const struct record_field *f)
{
	switch (field_definition(f->field)->type) {
	case FIELD_NUMBER:
	case FIELD_TIME:
		event_set_number(e, f->field, f->number);
		break;
	case FIELD_BOOL:
		event_set_bool(e, f->field, f->number);
		break;
	case FIELD_ADDRESS:
		event_set_address(e, f->field, &f->address);
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		event_set_bytes(e, f->field, f->bytes);
		break;
	case FIELD_ID:
		break;
	}
}

/* The one of two markings that allows less; the words stand in that order. */
static const char *stricter(const char *a, const char *b, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(a, *words) || !strcasecmp(b, *words))
			return *words;
	return "";
}

static void write_markings(const struct job *job, const struct record *r, struct event *e)
{
	static const char *const tlp_words[] = {"RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR", NULL};
	static const char *const pap_words[] = {"RED", "AMBER", "GREEN", "CLEAR", NULL};
	const char *tlp = stricter(job->tlp, r->tlp ? r->tlp : "", tlp_words);
	const char *pap = stricter(job->pap, r->pap ? r->pap : "", pap_words);
	if (*tlp)
		event_set_text(e, field_tlp, tlp);
	/* A record may forbid what its source does not speak of, and never allow it. */
	if (*pap && (*job->pap || strcmp(pap, "CLEAR")))
		event_set_text(e, FIELD_PAP, pap);
}

static void write_event(const struct job *job, const struct record *r, struct event *e)
{
	event_begin(e, EVENT_RECORD_IMPORTED);
	e->time_us = clock_utc_us();
	if (job->has_chain)
		event_set_chain(e, &job->chain.cause, &job->chain.root, job->chain.depth);
	if (r->has_address)
		event_set_address(e, FIELD_SRC, &r->address);
	if (r->port)
		event_set_number(e, FIELD_DPORT, r->port);
	event_set_text(e, FIELD_INDICATOR_TYPE, r->type);
	event_set_bytes(e, FIELD_INDICATOR_VALUE, r->value);
	if (r->role)
		event_set_text(e, FIELD_INDICATOR_ROLE, r->role);
	uint64_t confidence = job->confidence && r->confidence > job->confidence ? job->confidence : r->confidence;
	event_set_number(e, FIELD_CONFIDENCE, confidence);
	event_set_text(e, field_source, job->source);
	event_set_text(e, field_format, job->format->name);
	if (r->time_us)
		event_set_number(e, field_time, r->time_us);
	set_when_there(e, field_link, r->link);
	set_when_there(e, field_title, r->title);
	set_when_there(e, field_author, r->author);
	set_when_there(e, field_labels, r->labels);
	write_markings(job, r, e);
	if (r->kind)
		event_set_text(e, field_kind, r->kind);
	set_when_there(e, field_id, r->id);
	for (size_t i = 0; i < r->field_count; i++)
		write_field(e, &r->fields[i]);
	set_when_there(e, field_original, r->original);
}

static bool on_record(void *arg, const struct record *r)
{
	struct job *job = arg;
	struct exchange *x = job->exchange;
	write_event(job, r, &x->event);
	if (networks_map(x->networks))
		event_set_place(&x->event, networks_map(x->networks));
	if (spool_publish(x->spool, &x->event))
		return false;
	x->records++;
	return true;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	struct job *job = arg;
	struct writer w = job->complaints;
	write_fmt(&w, "%s{\"line\":%llu,\"why\":", writer_used(&w) ? "," : "", (unsigned long long)line);
	write_json_string(&w, bytes_of_text(why));
	write_text(&w, "}");
	if (!w.bad)
		job->complaints = w;
}

static bool table_open(struct job *job)
{
	struct fault fault = {0};
	if (!job->table && !job->table_failed)
		job->table_failed = networks_table_open(&job->table, networks_folder(job->exchange->networks), job->format->name,
							job->source, &fault) != 0;
	if (job->table_failed && *fault.text)
		log_error("exchange: %s", fault.text);
	return job->table != NULL;
}

static void on_network(void *arg, const struct network *n)
{
	struct job *job = arg;
	if (table_open(job))
		networks_table_add(job->table, n);
}

static void on_as(void *arg, uint32_t as, struct bytes name, const char *country)
{
	struct job *job = arg;
	if (table_open(job))
		networks_table_add_as(job->table, as, name, country);
}

static bool on_seen(void *arg, uint64_t digest) { return imported_before(((struct job *)arg)->exchange->seen, digest); }

static void copy_upper(const char *from, char *to, size_t n)
{
	size_t i = 0;
	for (; from && from[i] && i + 1 < n; i++)
		to[i] = from[i] >= 'a' && from[i] <= 'z' ? (char)(from[i] - 32) : from[i];
	to[i] = '\0';
}

int job_open(struct job **out, struct exchange *x, const struct job_origin *origin, struct fault *fault)
{
	const struct format *format = format_find(bytes_of_text(origin->format));
	if (!format)
		return fault_set(fault, ERR_MISSING, "there is no format \"%s\"; `kansoku describe formats` lists them",
				 origin->format);
	if ((*origin->tlp && !marking_is_tlp(origin->tlp)) || (*origin->pap && !marking_is_pap(origin->pap)))
		return fault_set(fault, ERR_BAD, "a marking is none: TLP has red, amber, amber+strict, green, clear, PAP red, "
				 "amber, green, clear");
	if (origin->map && strlen(origin->map) >= INTAKE_MAP_MAX)
		return fault_set(fault, ERR_FULL, "names of columns have more than %d bytes", INTAKE_MAP_MAX);
	struct job *job = calloc(1, sizeof *job);
	if (!job)
		return fault_set(fault, ERR_MEMORY, "no memory for an import");
	job->exchange = x;
	job->format = format;
	job->confidence = origin->confidence;
	job->has_chain = origin->chain != NULL;
	if (origin->chain)
		job->chain = *origin->chain;
	snprintf(job->source, sizeof job->source, "%s", *origin->source ? origin->source : "by hand");
	copy_upper(origin->tlp, job->tlp, sizeof job->tlp);
	copy_upper(origin->pap, job->pap, sizeof job->pap);
	job->complaints = writer_of(job->complaints_room, sizeof job->complaints_room);
	const struct intake_hooks hooks = {.arg = job, .record = on_record, .bad = on_bad, .seen = on_seen,
					   .network = on_network, .as = on_as, .map = origin->map, .file = origin->file,
					   .directory = x->directory};
	int bad = intake_open(&job->intake, format, job->source, &hooks, fault);
	if (bad)
		free(job);
	else
		*out = job;
	return bad;
}

int job_feed(struct job *job, struct bytes b, struct fault *fault) { return intake_feed(job->intake, b, fault); }

int job_end(struct job *job, struct fault *fault)
{
	int bad = intake_end(job->intake, fault);
	struct networks_table *table = bad ? NULL : job->table;
	if (table) {
		job->table = NULL;
		bad = networks_table_keep(table, fault);
		networks_changed(job->exchange->networks);
	}
	if (imported_keep(job->exchange->seen))
		log_error("exchange: what was imported cannot be kept; after a restart it may come in twice");
	return bad;
}

const struct intake_counts *job_counts(const struct job *job) { return intake_counts(job->intake); }

void job_write(const struct job *job, struct writer *w)
{
	const struct intake_counts *c = intake_counts(job->intake);
	write_fmt(w, "{\"format\":\"%s\",\"source\":", job->format->name);
	write_json_string(w, bytes_of_text(job->source));
	write_fmt(w, ",\"bytes\":%llu,\"unpacked\":%llu,\"lines\":%llu,\"records\":%llu,\"networks\":%llu,\"repeated\":%llu,\"bad\":%llu,"
		  "\"refused\":%llu,\"complaints\":[", (unsigned long long)c->bytes, (unsigned long long)c->unpacked,
		  (unsigned long long)c->lines, (unsigned long long)c->records, (unsigned long long)c->networks,
		  (unsigned long long)c->repeated,
		  (unsigned long long)c->bad, (unsigned long long)c->refused);
	write_span(w, writer_bytes(&job->complaints));
	write_fmt(w, "],\"waiting\":%llu}", (unsigned long long)spool_waiting(job->exchange->spool));
}

void job_close(struct job *job)
{
	if (!job)
		return;
	intake_close(job->intake);
	networks_table_drop(job->table);
	free(job);
}
