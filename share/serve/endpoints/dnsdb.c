/*
 * Lookups of passive DNS as DNSDB's API has them (version 2), so that dnsdbq and whatever else asks DNSDB can ask us:
 *
 *   /dnsdb/v2/lookup/rrset/name/NAME[/TYPE[/BAILIWICK]]    NAME, *.NAME or NAME.*
 *   /dnsdb/v2/lookup/rdata/name/NAME[/TYPE], …/rdata/ip/ADDRESS or PREFIX,LENGTH
 *
 * What is asked for is compared again after the view: where a policy changes names or addresses, a question for the true one
 * finds nothing, or asking would undo what the policy does.
 */
#include "share/select.h"
#include "share/serve/room_inner.h"
#include <jansson.h>
#include <stdlib.h>

FIELD(dns_type, "dns.type", BYTES, 0, "type of a DNS record: A, AAAA, CNAME, …");
FIELD(dns_data, "dns.data", BYTES, 0, "what a DNS record says, a line each");
FIELD(dns_bailiwick, "dns.bailiwick", BYTES, 0, "zone of the server that said it");
FIELD(dns_first, "record.first", TIME, 0, "when it was seen first, by its source");
FIELD(dns_last, "record.last", TIME, 0, "when it was seen last, by its source");

#define LIMIT_MAX 100000
#define LIMIT_ABSENT 10000
#define NAME_MAX_BYTES 255
#define SQL_MAX 8192

enum sought { ASKED_NAME, ASKED_RIGHT, ASKED_LEFT, ASKED_DATA_NAME, ASKED_DATA_IP };

struct lookup {
	struct serving *serving;
	enum sought asked;
	char name[NAME_MAX_BYTES + 2]; /* lower case, no dot at its end; of ASKED_RIGHT and ASKED_LEFT without the asterisk */
	char type[24];
	char zone[NAME_MAX_BYTES + 2];
	struct prefix prefix;
	uint64_t limit, first_after_us, last_after_us, first_before_us, last_before_us;
	size_t collection; /* in hand */
	uint64_t count;
	bool limited;
	char where[SQL_MAX];
	struct selection selection;
	struct event shown;
	uint64_t *seen; /* digests of what was written: another version of one does not stand beside it */
};

static bool lower(struct bytes text, char *out, size_t n)
{
	if (!bytes_copy_text(text, out, n))
		return false;
	for (char *c = out; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	size_t len = strlen(out);
	if (len > 1 && out[len - 1] == '.')
		out[len - 1] = '\0';
	return *out;
}

static bool read_name(struct lookup *l, struct bytes text)
{
	char name[NAME_MAX_BYTES + 2];
	if (!lower(text, name, sizeof name))
		return false;
	size_t n = strlen(name);
	if (n > 2 && !strncmp(name, "*.", 2)) {
		l->asked = ASKED_LEFT;
		snprintf(l->name, sizeof l->name, "%s", name + 1);
	} else if (n > 2 && !strcmp(name + n - 2, ".*")) {
		l->asked = ASKED_RIGHT;
		memcpy(l->name, name, n - 1); /* the rest is zero */
	} else {
		l->asked = ASKED_NAME;
		snprintf(l->name, sizeof l->name, "%s", name);
	}
	return !strchr(l->name, '*');
}

/* "192.0.2.0,24": a slash cannot stand in a path. */
static bool read_prefix(struct lookup *l, struct bytes text)
{
	char copy[ADDRESS_TEXT_MAX];
	if (!bytes_copy_text(text, copy, sizeof copy))
		return false;
	for (char *c = copy; *c; c++)
		*c = *c == ',' ? '/' : *c;
	l->asked = ASKED_DATA_IP;
	return prefix_parse(bytes_of_text(copy), &l->prefix);
}

static void write_hex(struct writer *w, const void *at, size_t n)
{
	write_text(w, "unhex('");
	for (size_t i = 0; i < n; i++)
		write_fmt(w, "%02x", ((const uint8_t *)at)[i]);
	write_text(w, "')");
}

/* Only ever as hexadecimal: what others write is no part of our SQL. */
static void write_where(struct lookup *l)
{
	struct writer w = writer_of(l->where, sizeof l->where - 1);
	struct address last = l->prefix.base;
	const char *value = l->asked < ASKED_DATA_NAME ? "value[indexOf(field,'indicator.value')]" : "value[indexOf(field,'dns.data')]";
	write_text(&w, "has(field,'dns.data') AND ");
	switch (l->asked) {
	case ASKED_NAME:
		write_fmt(&w, "%s = ", value);
		write_hex(&w, l->name, strlen(l->name));
		break;
	case ASKED_LEFT:
	case ASKED_RIGHT:
		write_fmt(&w, "%s(%s, ", l->asked == ASKED_LEFT ? "endsWith" : "startsWith", value);
		write_hex(&w, l->name, strlen(l->name));
		write_text(&w, ")");
		break;
	case ASKED_DATA_NAME:
		write_fmt(&w, "position(lower(%s), ", value);
		write_hex(&w, l->name, strlen(l->name));
		write_text(&w, ") > 0");
		break;
	case ASKED_DATA_IP:
		for (unsigned bit = l->prefix.bits; bit < 128; bit++)
			last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		write_text(&w, "src >= toFixedString(");
		write_hex(&w, l->prefix.base.b, 16);
		write_text(&w, ",16) AND src <= toFixedString(");
		write_hex(&w, last.b, 16);
		write_text(&w, ",16)");
		break;
	}
	*w.at = '\0';
}

/* A line of the data without a dot at its end. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
	if (!rest->len)
		return false;
	size_t end = bytes_find(*rest, "\n");
	*line = (struct bytes){rest->at, end};
	*rest = (struct bytes){rest->at + end + (end < rest->len), rest->len - end - (end < rest->len)};
	if (line->len > 1 && line->at[line->len - 1] == '.')
		line->len--;
	return true;
}

static bool data_fits(const struct lookup *l, struct bytes data)
{
	struct address a;
	for (struct bytes line; next_line(&data, &line);) {
		if (l->asked == ASKED_DATA_IP && address_parse(line, &a) && prefix_holds(&l->prefix, &a))
			return true;
		/* "10 mail.example.": the name is the last word. */
		size_t n = strlen(l->name);
		if (l->asked == ASKED_DATA_NAME && line.len >= n && !strncasecmp((const char *)line.at + line.len - n, l->name, n) &&
		    (line.len == n || line.at[line.len - n - 1] == ' '))
			return true;
	}
	return false;
}

static bool name_fits(const struct lookup *l, struct bytes name)
{
	size_t n = strlen(l->name);
	if (l->asked == ASKED_NAME)
		return bytes_equal_text(name, l->name);
	return name.len > n && !memcmp(l->asked == ASKED_LEFT ? name.at + name.len - n : name.at, l->name, n);
}

static bool type_fits(const struct lookup *l, struct bytes type)
{
	if (!*l->type || !strcasecmp(l->type, "ANY"))
		return true;
	return bytes_equal_nocase(type, l->type);
}

static bool times_fit(const struct lookup *l, uint64_t first_us, uint64_t last_us)
{
	return first_us >= l->first_after_us && last_us >= l->last_after_us && first_us < l->first_before_us && last_us < l->last_before_us;
}

static uint64_t mix(uint64_t mark, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		mark = (mark ^ b.at[i]) * UINT64_C(0x100000001b3);
	return (mark ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool is_new(struct lookup *l, const struct event *e)
{
	uint64_t mark = mix(UINT64_C(0xcbf29ce484222325), event_bytes(e, FIELD_INDICATOR_VALUE));
	mark = mix(mix(mix(mark, event_bytes(e, dns_type)), event_bytes(e, dns_data)), event_bytes(e, dns_bailiwick));
	size_t room = 4 * LIMIT_MAX, at = mark % room;
	mark = mark ? mark : 1;
	while (l->seen[at] && l->seen[at] != mark)
		at = (at + 1) % room;
	bool fresh = !l->seen[at];
	l->seen[at] = mark;
	return fresh;
}

static void write_name(struct serving *s, const char *key, struct bytes name)
{
	char text[NAME_MAX_BYTES + 3];
	if (!name.len || name.len > NAME_MAX_BYTES)
		return;
	snprintf(text, sizeof text, "%.*s%s", (int)name.len, (const char *)name.at, name.at[name.len - 1] == '.' ? "" : ".");
	serving_text(s, ",\"%s\":", key);
	serving_json_text(s, bytes_of_text(text));
}

static void write_row(struct lookup *l, const struct event *e, uint64_t first_us, uint64_t last_us)
{
	struct serving *s = l->serving;
	struct bytes data = event_bytes(e, dns_data);
	bool by_data = l->asked >= ASKED_DATA_NAME; /* then each value is a row of its own, and no list (as DNSDB) */
	serving_text(s, "{\"obj\":{\"count\":%llu,\"time_first\":%llu,\"time_last\":%llu",
		     (unsigned long long)event_number(e, FIELD_COUNT, 1), (unsigned long long)(first_us / 1000000),
		     (unsigned long long)(last_us / 1000000));
	write_name(s, "rrname", event_bytes(e, FIELD_INDICATOR_VALUE));
	serving_text(s, ",\"rrtype\":");
	serving_json_text(s, event_bytes(e, dns_type));
	if (!by_data)
		write_name(s, "bailiwick", event_bytes(e, dns_bailiwick));
	serving_text(s, by_data ? ",\"rdata\":" : ",\"rdata\":[");
	bool first = true;
	while (data.len && (!by_data || first)) {
		size_t end = bytes_find(data, "\n");
		serving_text(s, first ? "" : ",");
		serving_json_text(s, (struct bytes){data.at, end});
		data = (struct bytes){data.at + end + (end < data.len), data.len - end - (end < data.len)};
		first = false;
	}
	serving_text(s, by_data ? "}}\n" : "]}}\n");
	l->count++;
}

static bool on_event(void *arg, const struct event *e)
{
	struct lookup *l = arg;
	struct serving *s = l->serving;
	if (e->time_us < s->from_us || e->time_us >= s->to_us || !access_sees(&s->grant, collection_marking(s->collection, e)))
		return true;
	view_event(s->view, e, &l->shown);
	uint64_t first_us = event_number(&l->shown, dns_first, l->shown.time_us), last_us = event_number(&l->shown, dns_last, first_us);
	struct bytes data = event_bytes(&l->shown, dns_data), name = event_bytes(&l->shown, FIELD_INDICATOR_VALUE);
	bool fits = l->asked < ASKED_DATA_NAME ? name_fits(l, name) : data_fits(l, data);
	struct bytes zone = event_bytes(&l->shown, dns_bailiwick);
	if (!fits || !data.len || !type_fits(l, event_bytes(&l->shown, dns_type)) || !times_fit(l, first_us, last_us) ||
	    (*l->zone && !bytes_equal_nocase(zone, l->zone)) || !is_new(l, &l->shown))
		return true;
	if (l->count == l->limit) {
		l->limited = true;
		return false;
	}
	write_row(l, &l->shown, first_us, last_us);
	return true;
}

static void next_collection(struct lookup *l);

static void on_done(void *arg, int status, struct bytes why)
{
	struct lookup *l = arg;
	(void)why;
	if (status) {
		serving_fail(l->serving, 503, "the store does not answer now; try again later");
		return;
	}
	if (l->limited)
		l->collection = COLLECTIONS_MAX;
	else
		l->collection++;
	next_collection(l);
}

static void finish(struct lookup *l)
{
	struct serving *s = l->serving;
	serving_text(s, l->limited ? "{\"cond\":\"limited\",\"msg\":\"Result limit reached\"}\n" : "{\"cond\":\"succeeded\"}\n");
	s->collection = NULL; /* several, perhaps */
	s->objects = l->count;
	s->action = "read";
	s->format = "dnsdb";
	serving_send(s, 200, "application/x-ndjson");
}

/* All that the caller may read and that can hold records, one after the other. */
static void next_collection(struct lookup *l)
{
	struct serving *s = l->serving;
	struct exchange *x = serving_exchange(s);
	const struct select_hooks hooks = {.arg = l, .event = on_event, .done = on_done};
	struct fault fault;
	for (; l->collection < x->collections.count; l->collection++) {
		const struct collection *c = &x->collections.list[l->collection];
		const struct grant *grant = access_granted(x->access, &s->caller, c->name, ACCESS_READ);
		if (!grant || !(c->kinds & KIND_MASK(EVENT_RECORD_IMPORTED)))
			continue;
		room_release_view(s);
		s->collection = c;
		s->grant = *grant;
		s->from_us = 0;
		s->to_us = UINT64_C(4294967295) * 1000000;
		if (!access_window(&s->grant, s->now_us, &s->from_us, &s->to_us))
			continue;
		if (!serving_view(s))
			return;
		l->selection = (struct selection){.collection = c, .from_us = s->from_us, .to_us = s->to_us, .where = l->where};
		if (select_begin(x->process->bus, &l->selection, &hooks, &fault))
			serving_fail(s, 503, "the store does not answer now; try again later");
		return;
	}
	finish(l);
}

static void end_lookup(struct serving *s)
{
	struct lookup *l = s->state;
	free(l->seen);
	free(l);
}

/* Seconds since 1970, or, below zero, before now. */
static bool read_moment(struct serving *s, const char *name, uint64_t *out)
{
	struct bytes text = serving_argument(s, name);
	bool before = text.len && text.at[0] == '-';
	uint64_t n;
	if (!text.at)
		return true;
	if (!bytes_number((struct bytes){text.at + before, text.len - before}, UINT32_MAX, &n)) {
		serving_fail(s, 400, "%s must be a number of seconds", name);
		return false;
	}
	*out = before ? s->now_us - n * 1000000 : n * 1000000;
	return true;
}

static void look_up(struct serving *s, bool by_data)
{
	struct lookup *l = calloc(1, sizeof *l);
	struct bytes what = serving_parameter(s, "what"), kind = serving_parameter(s, "kind");
	if (!l || !(l->seen = calloc(4 * LIMIT_MAX, sizeof *l->seen))) {
		free(l);
		serving_fail(s, 503, "there is no memory for a lookup now");
		return;
	}
	l->serving = s;
	s->state = l;
	s->done = end_lookup;
	l->first_before_us = l->last_before_us = UINT64_MAX;
	bytes_copy_text(serving_parameter(s, "type"), l->type, sizeof l->type);
	lower(serving_parameter(s, "zone"), l->zone, sizeof l->zone);
	bool read = bytes_equal_text(kind, "ip") && by_data ? read_prefix(l, what)
		    : bytes_equal_text(kind, "name")	     ? read_name(l, what)
							     : false;
	if (by_data && read && l->asked == ASKED_NAME)
		l->asked = ASKED_DATA_NAME;
	if (!read || (by_data && l->asked < ASKED_DATA_NAME)) {
		serving_fail(s, 400, "rrset/name/NAME, rdata/name/NAME or rdata/ip/ADDRESS[,LENGTH] would be right");
		return;
	}
	if (!serving_number(s, "limit", LIMIT_ABSENT, 0, LIMIT_MAX, &l->limit) ||
	    !read_moment(s, "time_first_after", &l->first_after_us) || !read_moment(s, "time_last_after", &l->last_after_us) ||
	    !read_moment(s, "time_first_before", &l->first_before_us) || !read_moment(s, "time_last_before", &l->last_before_us))
		return;
	l->limit = l->limit ? l->limit : LIMIT_MAX; /* 0 is "all" */
	write_where(l);
	serving_text(s, "{\"cond\":\"begin\"}\n");
	next_collection(l);
}

static void by_name(struct serving *s) { look_up(s, false); }
static void by_data(struct serving *s) { look_up(s, true); }

static void ping(struct serving *s)
{
	serving_text(s, "{\"ping\":\"ok\"}\n");
	serving_send(s, 200, "application/json");
}

static void rate(struct serving *s)
{
	serving_text(s, "{\"rate\":{\"reset\":\"n/a\",\"limit\":\"unlimited\",\"remaining\":\"n/a\",\"results_max\":%d}}\n", LIMIT_MAX);
	serving_send(s, 200, "application/json");
}

#define LOOKUP "/dnsdb/v2/lookup/"
static const struct endpoint to_names = {"GET", LOOKUP "rrset/{kind}/{what}", "DNSDB: records of a name", by_name};
ENDPOINT(to_names);
static const struct endpoint to_names_of_type = {"GET", LOOKUP "rrset/{kind}/{what}/{type}", "DNSDB: of a type", by_name};
ENDPOINT(to_names_of_type);
static const struct endpoint to_names_of_zone = {"GET", LOOKUP "rrset/{kind}/{what}/{type}/{zone}", "DNSDB: of a server's zone", by_name};
ENDPOINT(to_names_of_zone);
static const struct endpoint to_data = {"GET", LOOKUP "rdata/{kind}/{what}", "DNSDB: records that say a name or an address", by_data};
ENDPOINT(to_data);
static const struct endpoint to_data_of_type = {"GET", LOOKUP "rdata/{kind}/{what}/{type}", "DNSDB: of a type", by_data};
ENDPOINT(to_data_of_type);
static const struct endpoint to_ping = {"GET", "/dnsdb/v2/ping", "DNSDB: whether we are there", ping};
ENDPOINT(to_ping);
static const struct endpoint to_rate = {"GET", "/dnsdb/v2/rate_limit", "DNSDB: how much may be asked", rate};
ENDPOINT(to_rate);
