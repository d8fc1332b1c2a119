#include "cli/scan_output.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FIELDS_MAX 64
#define LINE_MAX_BYTES 4096

enum kind { TEXT, NUMBER, NOTHING };

struct value {
	enum kind kind;
	uint64_t number;
	char text[2 * SCAN_PAYLOAD_MAX + 1];
};

struct field {
	const char *name, *what;
	void (*take)(const struct scan_hit *, struct value *);
};

static void put_text(struct value *v, const char *text)
{
	v->kind = TEXT;
	snprintf(v->text, sizeof v->text, "%s", text);
}

static void put_number(struct value *v, uint64_t n)
{
	v->kind = NUMBER;
	v->number = n;
}

static void put_address(struct value *v, const struct address *a)
{
	v->kind = TEXT;
	address_format(a, v->text);
}

/* ZMap's "raw" is the address as the host's own integer of network order. */
static void put_raw(struct value *v, const struct address *a)
{
	uint32_t raw;
	memcpy(&raw, a->b + 12, sizeof raw);
	if (address_is_v4(a))
		put_number(v, raw);
}

static bool is_tcp(const struct scan_hit *h)
{
	return h->answer == SCAN_ANSWER_SYNACK || h->answer == SCAN_ANSWER_RST;
}
static bool is_icmp(const struct scan_hit *h) { return !is_tcp(h) && h->answer != SCAN_ANSWER_UDP; }
static bool is_error(const struct scan_hit *h) { return is_icmp(h) && h->answer != SCAN_ANSWER_ECHO; }

static void saddr(const struct scan_hit *h, struct value *v) { put_address(v, &h->target); }
static void saddr_raw(const struct scan_hit *h, struct value *v) { put_raw(v, &h->target); }
static void daddr(const struct scan_hit *h, struct value *v) { put_address(v, &h->to); }
static void daddr_raw(const struct scan_hit *h, struct value *v) { put_raw(v, &h->to); }
static void ipid(const struct scan_hit *h, struct value *v) { put_number(v, h->ip_id); }
static void ttl(const struct scan_hit *h, struct value *v) { put_number(v, h->ttl); }
static void sport(const struct scan_hit *h, struct value *v)
{
	if (h->port)
		put_number(v, h->port);
}
static void dport(const struct scan_hit *h, struct value *v)
{
	if (h->our_port)
		put_number(v, h->our_port);
}
static void seqnum(const struct scan_hit *h, struct value *v)
{
	if (is_tcp(h))
		put_number(v, h->sequence);
}
static void acknum(const struct scan_hit *h, struct value *v)
{
	if (is_tcp(h))
		put_number(v, h->acknowledgement);
}
static void window(const struct scan_hit *h, struct value *v)
{
	if (is_tcp(h))
		put_number(v, h->window);
}
static void classification(const struct scan_hit *h, struct value *v) { put_text(v, scan_answer_name(h->answer)); }
static void success(const struct scan_hit *h, struct value *v) { put_number(v, h->success); }
static void repeat(const struct scan_hit *h, struct value *v) { put_number(v, h->repeat); }
static void cooldown(const struct scan_hit *h, struct value *v) { put_number(v, h->cooldown); }
static void fragment(const struct scan_hit *h, struct value *v) { put_number(v, h->fragment); }
static void icmp_responder(const struct scan_hit *h, struct value *v)
{
	if (is_error(h))
		put_address(v, &h->responder);
}
static void icmp_type(const struct scan_hit *h, struct value *v)
{
	if (is_icmp(h))
		put_number(v, h->icmp_type);
}
static void icmp_code(const struct scan_hit *h, struct value *v)
{
	if (is_icmp(h))
		put_number(v, h->icmp_code);
}
static void icmp_unreach_str(const struct scan_hit *h, struct value *v)
{
	if (h->answer == SCAN_ANSWER_UNREACH)
		put_text(v, scan_unreachable_name(address_is_v4(&h->responder), h->icmp_code));
}
static void icmp_id(const struct scan_hit *h, struct value *v)
{
	if (h->answer == SCAN_ANSWER_ECHO)
		put_number(v, h->icmp_id);
}
static void icmp_sequence(const struct scan_hit *h, struct value *v)
{
	if (h->answer == SCAN_ANSWER_ECHO)
		put_number(v, h->icmp_sequence);
}
static void udp_pkt_size(const struct scan_hit *h, struct value *v)
{
	if (h->answer == SCAN_ANSWER_UDP)
		put_number(v, h->payload_size);
}

static void udp_payload(const struct scan_hit *h, struct value *v)
{
	static const char digits[] = "0123456789abcdef";
	if (h->answer != SCAN_ANSWER_UDP)
		return;
	const size_t n = h->payload.len < SCAN_PAYLOAD_MAX ? h->payload.len : SCAN_PAYLOAD_MAX;
	v->kind = TEXT;
	for (size_t i = 0; i < n; i++) {
		v->text[2 * i] = digits[h->payload.at[i] >> 4];
		v->text[2 * i + 1] = digits[h->payload.at[i] & 15];
	}
	v->text[2 * n] = '\0';
}

static void timestamp_str(const struct scan_hit *h, struct value *v)
{
	const time_t seconds = (time_t)(h->time_us / 1000000);
	struct tm tm;
	char text[32];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	v->kind = TEXT;
	snprintf(v->text, sizeof v->text, "%s.%03uZ", text, (unsigned)(h->time_us / 1000 % 1000));
}
static void timestamp_ts(const struct scan_hit *h, struct value *v) { put_number(v, h->time_us / 1000000); }
static void timestamp_us(const struct scan_hit *h, struct value *v) { put_number(v, h->time_us % 1000000); }

static const struct field fields[] = {
	{"saddr", "address that was asked", saddr},
	{"saddr-raw", "the same as an integer of network order; IPv4", saddr_raw},
	{"daddr", "our address", daddr},
	{"daddr-raw", "the same as an integer of network order; IPv4", daddr_raw},
	{"ipid", "IP identification of the answer", ipid},
	{"ttl", "time to live of the answer", ttl},
	{"sport", "port that was asked", sport},
	{"dport", "our port", dport},
	{"seqnum", "TCP sequence number", seqnum},
	{"acknum", "TCP acknowledgement number", acknum},
	{"window", "TCP window", window},
	{"classification", "synack, rst, udp, echoreply, unreach, timxceed, ...", classification},
	{"success", "1: it is what the scan looks for", success},
	{"repeat", "1: not the first answer of that address and port", repeat},
	{"cooldown", "1: it came after all was sent", cooldown},
	{"fragment", "1: the first part of a fragmented answer", fragment},
	{"icmp_responder", "who sent an ICMP error", icmp_responder},
	{"icmp_type", "ICMP type", icmp_type},
	{"icmp_code", "ICMP code", icmp_code},
	{"icmp_unreach_str", "what an unreachable says, in words", icmp_unreach_str},
	{"icmp-id", "ICMP id of an echo", icmp_id},
	{"seq", "ICMP sequence of an echo", icmp_sequence},
	{"udp_pkt_size", "length of a UDP answer's payload", udp_pkt_size},
	{"data", "UDP payload in hexadecimal, as far as it was captured", udp_payload},
	{"timestamp-str", "when it came, UTC", timestamp_str},
	{"timestamp-ts", "the same in seconds", timestamp_ts},
	{"timestamp-us", "and its microseconds", timestamp_us},
};
#define FIELDS (sizeof fields / sizeof *fields)

struct scan_output {
	FILE *file;
	bool json, all;
	uint8_t chosen[FIELDS_MAX];
	size_t count;
};

static bool same_name(struct bytes word, const char *name)
{
	if (word.len != strlen(name))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		const char a = (char)word.at[i] == '-' ? '_' : (char)word.at[i], b = name[i] == '-' ? '_' : name[i];
		if (a != b)
			return false;
	}
	return true;
}

static int choose(struct scan_output *o, const char *list, struct fault *fault)
{
	for (struct bytes rest = bytes_of_text(list); rest.len && o->count < FIELDS_MAX;) {
		const size_t end = bytes_find(rest, ",");
		const struct bytes word = bytes_trim((struct bytes){rest.at, end});
		size_t at = 0;
		while (at < FIELDS && !same_name(word, fields[at].name))
			at++;
		if (bytes_equal_text(word, "*"))
			for (at = 0; at + 1 < FIELDS && o->count + 1 < FIELDS_MAX; at++)
				o->chosen[o->count++] = (uint8_t)at;
		if (at == FIELDS)
			return fault_set(fault, ERR_BAD, "--output-fields: there is no field %.*s, --list-fields shows them",
					 (int)word.len, (const char *)word.at);
		o->chosen[o->count++] = (uint8_t)at;
		const size_t next = end + (end < rest.len);
		rest = (struct bytes){rest.at + next, rest.len - next};
	}
	return o->count ? 0 : fault_set(fault, ERR_BAD, "--output-fields names none");
}

int scan_output_open(struct scan_output **out, const char *path, const char *list, bool json, bool all,
		     struct fault *fault)
{
	struct scan_output *o = calloc(1, sizeof *o);
	if (!o)
		return fault_set(fault, ERR_MEMORY, "no memory for the output");
	o->json = json;
	o->all = all;
	int bad = choose(o, list ? list : json ? "*" : SCAN_FIELDS_DEFAULT, fault);
	if (!bad) {
		o->file = path && strcmp(path, "-") ? fopen(path, "we") : stdout;
		if (!o->file)
			bad = fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	}
	if (bad) {
		free(o);
		return bad;
	}
	for (size_t i = 0; !json && i < o->count; i++)
		fprintf(o->file, "%s%s", i ? "," : "", fields[o->chosen[i]].name);
	if (!json)
		fputc('\n', o->file);
	*out = o;
	return 0;
}

static void write_value(struct writer *w, const struct scan_output *o, const struct field *f, const struct value *v)
{
	if (o->json)
		write_fmt(w, "\"%s\":", f->name);
	if (v->kind == NUMBER)
		write_fmt(w, "%llu", (unsigned long long)v->number);
	else if (v->kind == TEXT)
		/* Addresses, words, times and hexadecimal: nothing in them needs to be quoted. */
		write_fmt(w, o->json ? "\"%s\"" : "%s", v->text);
}

void scan_output_write(struct scan_output *o, const struct scan_hit *hit)
{
	char line[LINE_MAX_BYTES];
	struct writer w = writer_of(line, sizeof line);
	if (!o->all && (!hit->success || hit->repeat))
		return;
	if (o->json)
		write_text(&w, "{");
	for (size_t i = 0, written = 0; i < o->count; i++) {
		const struct field *f = &fields[o->chosen[i]];
		struct value v;
		v.kind = NOTHING;
		f->take(hit, &v);
		if (o->json && v.kind == NOTHING)
			continue;
		if (o->json ? written++ > 0 : i > 0)
			write_text(&w, ",");
		write_value(&w, o, f, &v);
	}
	write_text(&w, o->json ? "}\n" : "\n");
	if (!w.bad)
		fwrite(line, 1, writer_used(&w), o->file);
}

int scan_output_flush(struct scan_output *o) { return fflush(o->file) || ferror(o->file) ? ERR_GONE : 0; }

int scan_output_close(struct scan_output *o)
{
	if (!o)
		return 0;
	int bad = scan_output_flush(o);
	if (o->file != stdout && fclose(o->file))
		bad = ERR_GONE;
	free(o);
	return bad;
}

void scan_output_fields(FILE *to)
{
	for (size_t i = 0; i < FIELDS; i++)
		fprintf(to, "%-17s %s\n", fields[i].name, fields[i].what);
}
