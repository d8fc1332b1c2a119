/*
 * JSON, one object a line: accounts, findings and sources as they become final, then groups of
 * payloads that no signature knows, the sums at last.
 *
 * Every object says its `type`, but for the last one, which says `"summary": true`.  Payloads that
 * are not UTF-8 come out as \u00XX for each byte, as everywhere in this program.
 */
#include "event/event.h"
#include "passive/telescope/output.h"
#include "passive/telescope/text.h"
#include <unistd.h>

struct json {
	struct lines lines;
	struct moments moments;
	const struct signatures *signatures;
	bool summary_only;
	struct shape_texts shapes;
};

/* The name with its quotes, colon and comma is one constant, so that a field costs one copy. */
#define NAME(w, name) write_span(w, BYTES(",\"" name "\":"))

static void write_count(struct writer *w, const char *name, uint64_t count)
{
	write_bytes(w, ",\"", 2);
	write_text(w, name);
	write_bytes(w, "\":", 2);
	write_decimal(w, count);
}

static void write_quoted(struct writer *w, const char *safe)
{
	write_u8(w, '"');
	write_text(w, safe);
	write_u8(w, '"');
}

static void write_bool(struct writer *w, bool b)
{
	write_span(w, b ? BYTES("true") : BYTES("false"));
}

static void write_time(struct writer *w, struct json *j, uint64_t time_us)
{
	write_u8(w, '"');
	write_moment(w, &j->moments, time_us);
	write_u8(w, '"');
}

static void write_address(struct writer *w, const struct address *a)
{
	write_u8(w, '"');
	write_address_text(w, a);
	write_u8(w, '"');
}

/* Three decimals; what is not finite cannot be said in JSON. */
static void write_rate(struct writer *w, double rate)
{
	uint64_t thousandths = rate > 0 && rate < 1e15 ? (uint64_t)(rate * 1000 + 0.5) : 0;
	write_decimal(w, thousandths / 1000);
	uint64_t rest = thousandths % 1000;
	if (rest)
		write_bytes(w, (uint8_t[]){'.', (uint8_t)('0' + rest / 100), (uint8_t)('0' + rest / 10 % 10),
					   (uint8_t)('0' + rest % 10)}, 4);
}

static void write_port(struct writer *w, uint8_t proto, uint16_t port)
{
	char text[PROTO_TEXT_MAX];
	NAME(w, "proto");
	write_quoted(w, proto_text(proto, text));
	if (proto_is_icmp(proto)) {
		NAME(w, "icmp_type");
		write_decimal(w, port >> 8);
		NAME(w, "icmp_code");
		write_decimal(w, port & 255);
	} else {
		NAME(w, "port");
		write_decimal(w, port);
	}
}

static void write_flags(struct writer *w, uint8_t flags)
{
	char text[FLAGS_TEXT_MAX];
	NAME(w, "flags");
	write_decimal(w, flags);
	NAME(w, "flags_text");
	write_quoted(w, flags_text(flags, text));
}

static void write_account_shape(struct writer *w, struct json *j, const struct record *r)
{
	const struct shape_text *t = shape_text(&j->shapes, r->shape, r->ttl_max);
	write_span(w, BYTES(",\"p0f\":\""));
	write_bytes(w, t->p0f, t->p0f_len);
	write_span(w, BYTES("\",\"ja4t\":\""));
	write_bytes(w, t->ja4t, t->ja4t_len);
	write_u8(w, '"');
	if (r->shapes)
		write_span(w, BYTES(",\"shapes\":true"));
}

static void write_account_payload(struct writer *w, const struct record *r)
{
	NAME(w, "payload");
	write_json_string(w, r->payload);
	if (r->payload_name) {
		NAME(w, "payload_name");
		write_json_string(w, bytes_of_text(r->payload_name));
	}
	if (r->amplifies)
		write_span(w, BYTES(",\"amplifies\":true"));
}

static void write_account(struct writer *w, struct json *j, const struct record *r)
{
	write_span(w, BYTES("{\"type\":\"account\",\"source\":"));
	write_address(w, &r->source);
	NAME(w, "first");
	write_time(w, j, r->first_us);
	NAME(w, "last");
	write_time(w, j, r->last_us);
	NAME(w, "packets");
	write_decimal(w, r->packets);
	NAME(w, "bytes");
	write_decimal(w, r->bytes);
	NAME(w, "destinations");
	write_decimal(w, r->destinations);
	NAME(w, "exact");
	write_bool(w, r->destinations <= DESTINATIONS_EXACT);
	if (r->destination_known) {
		NAME(w, "destination");
		write_address(w, &r->destination);
	}
	write_port(w, r->proto, r->port);
	if (r->proto == 6)
		write_flags(w, r->flags);
	NAME(w, "answer");
	write_bool(w, r->answer);
	NAME(w, "ttl_min");
	write_decimal(w, r->ttl_min);
	NAME(w, "ttl_max");
	write_decimal(w, r->ttl_max);
	NAME(w, "ttl_initial");
	write_decimal(w, r->ttl_initial);
	NAME(w, "hops");
	write_decimal(w, r->hops);
	NAME(w, "class");
	write_quoted(w, traffic_class_names[r->class]);
	if (r->tool) {
		NAME(w, "tool");
		write_json_string(w, bytes_of_text(r->tool));
	}
	if (r->shape)
		write_account_shape(w, j, r);
	if (r->payload.len)
		write_account_payload(w, r);
	NAME(w, "end");
	write_quoted(w, record_end_names[r->end]);
	write_span(w, BYTES("}\n"));
}

static int json_record(void *state, const struct record *r, struct fault *fault)
{
	struct json *j = state;
	write_account(lines_room(&j->lines), j, r);
	return lines_check(&j->lines, fault);
}

static int json_finding(void *state, const struct finding *f, struct fault *fault)
{
	static const char *const kinds[] = {"scan", "victim", "reflection", "flood"};
	struct json *j = state;
	struct writer *w = lines_room(&j->lines);
	write_span(w, BYTES("{\"type\":\"finding\",\"finding\":"));
	write_quoted(w, kinds[f->kind]);
	NAME(w, "address");
	write_address(w, &f->address);
	NAME(w, "first");
	write_time(w, j, f->first_us);
	NAME(w, "last");
	write_time(w, j, f->last_us);
	NAME(w, "packets");
	write_decimal(w, f->packets);
	NAME(w, "count");
	write_decimal(w, f->count);
	if (f->ports) {
		NAME(w, "ports");
		write_decimal(w, f->ports);
	}
	NAME(w, "rate");
	write_rate(w, f->rate);
	if (f->kind == FINDING_SCAN) {
		NAME(w, "internet_rate");
		write_rate(w, f->internet_rate);
	}
	write_port(w, f->proto, f->port);
	if (f->proto == 6)
		write_flags(w, f->flags);
	NAME(w, "ttl");
	write_decimal(w, f->ttl);
	if (f->kind == FINDING_FLOOD) {
		NAME(w, "ttls");
		write_decimal(w, f->ttls);
	}
	if (f->tool) {
		NAME(w, "tool");
		write_json_string(w, bytes_of_text(f->tool));
	}
	write_span(w, BYTES("}\n"));
	return lines_check(&j->lines, fault);
}

static void write_source_lists(struct writer *w, const struct json *j, const struct source_sum *s)
{
	const char *comma = "";
	write_span(w, BYTES(",\"tools\":["));
	for (unsigned t = 0; t < SIGNATURE_TOOLS_MAX; t++)
		if (s->tools >> t & 1 && j->signatures) {
			write_text(w, comma);
			write_json_string(w, bytes_of_text(signatures_tool(j->signatures, t + 1)));
			comma = ",";
		}
	comma = "";
	write_span(w, BYTES("],\"classes\":["));
	for (unsigned c = 0; c < TRAFFIC_CLASSES; c++)
		if (s->classes >> c & 1) {
			write_text(w, comma);
			write_quoted(w, traffic_class_names[c]);
			comma = ",";
		}
	write_u8(w, ']');
}

static void write_judgement(struct writer *w, const struct judgement *judgement)
{
	NAME(w, "verdict");
	write_quoted(w, judgement->verdict);
	NAME(w, "confidence");
	write_decimal(w, judgement->confidence);
	NAME(w, "reasons");
	write_json_string(w, bytes_of_text(judgement->reasons));
}

static int json_source(void *state, const struct source_sum *s, const struct judgement *judgement,
		       struct fault *fault)
{
	struct json *j = state;
	struct writer *w = lines_room(&j->lines);
	write_span(w, BYTES("{\"type\":\"source\",\"address\":"));
	write_address(w, &s->address);
	NAME(w, "first");
	write_time(w, j, s->first_us);
	NAME(w, "last");
	write_time(w, j, s->last_us);
	NAME(w, "packets");
	write_decimal(w, s->packets);
	NAME(w, "accounts");
	write_decimal(w, s->records);
	NAME(w, "destinations");
	write_decimal(w, s->destinations);
	write_source_lists(w, j, s);
	NAME(w, "hosts");
	write_decimal(w, s->hosts);
	NAME(w, "spoofed");
	write_bool(w, s->spoofed);
	NAME(w, "victim");
	write_bool(w, s->victim);
	if (judgement)
		write_judgement(w, judgement);
	write_span(w, BYTES("}\n"));
	return lines_check(&j->lines, fault);
}

static int json_payloads(void *state, const struct similar_group *g, struct fault *fault)
{
	struct json *j = state;
	struct writer *w = lines_room(&j->lines);
	similar_write_json(g, w);
	write_u8(w, '\n');
	return lines_check(&j->lines, fault);
}

static void write_new_payloads(struct writer *w, const struct reading_end *end)
{
	const struct similar_counts *c = &end->payloads;
	NAME(w, "new_payloads");
	similar_write_counts(c, w);
}

static bool json_only_sums(const void *state)
{
	const struct json *j = state;
	return j->summary_only;
}

static void write_packets_sources(struct writer *w, uint64_t packets, uint64_t sources)
{
	write_span(w, BYTES(":{\"packets\":"));
	write_decimal(w, packets);
	NAME(w, "sources");
	write_decimal(w, sources);
	write_u8(w, '}');
}

static void write_frames(struct writer *w, const struct packet_counts *p)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"not_ip", p->not_ip},     {"malformed", p->malformed}, {"elsewhere", p->elsewhere},
		{"taken", p->taken},       {"fragments", p->fragments}, {"short_transport", p->short_transport},
		{"tcp", p->tcp},           {"udp", p->udp},             {"icmp", p->icmp},
		{"icmp6", p->icmp6},       {"other_transport", p->other_transport},
		{"v4", p->v4},             {"v6", p->v6},
	};
	write_span(w, BYTES(",\"frames\":{\"all\":"));
	write_decimal(w, p->frames);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		write_count(w, counts[i].name, counts[i].count);
	write_u8(w, '}');
}

static void write_tools(struct writer *w, const struct json *j, const struct sums *s)
{
	const char *comma = "";
	write_span(w, BYTES(",\"tools\":{"));
	for (unsigned t = 1; t <= SIGNATURE_TOOLS_MAX && j->signatures; t++)
		if (s->tools[t].packets) {
			write_text(w, comma);
			write_json_string(w, bytes_of_text(signatures_tool(j->signatures, t)));
			write_packets_sources(w, s->tools[t].packets, s->tools[t].sources);
			comma = ",";
		}
	write_span(w, BYTES("},\"no_tool\""));
	write_packets_sources(w, s->tools[0].packets, s->tools[0].sources);
}

static void write_classes(struct writer *w, const struct sums *s)
{
	write_span(w, BYTES(",\"classes\":{"));
	for (unsigned c = 0; c < TRAFFIC_CLASSES; c++) {
		write_text(w, c ? "," : "");
		write_quoted(w, traffic_class_names[c]);
		write_packets_sources(w, s->classes[c].packets, s->classes[c].sources);
	}
	write_u8(w, '}');
}

static void write_findings(struct writer *w, const struct sums *s)
{
	write_span(w, BYTES(",\"findings\":{\"scans\":"));
	write_decimal(w, s->findings[FINDING_SCAN]);
	write_count(w, "victims", s->findings[FINDING_VICTIM]);
	write_count(w, "reflections", s->findings[FINDING_REFLECTION]);
	write_count(w, "floods", s->findings[FINDING_FLOOD]);
	write_span(w, BYTES("},\"ends\":{"));
	for (unsigned e = 0; e < RECORD_ENDS; e++) {
		write_text(w, e ? "," : "");
		write_quoted(w, record_end_names[e]);
		write_u8(w, ':');
		write_decimal(w, s->ends[e]);
	}
	write_u8(w, '}');
}

static void write_summary(struct writer *w, struct json *j, const struct reading_end *end)
{
	const struct sums *s = end->sums;
	write_span(w, BYTES("{\"summary\":true,\"packets\":"));
	write_decimal(w, s->packets.frames);
	write_count(w, "bytes", s->packets.bytes);
	write_count(w, "ip_bytes", s->packets.ip_bytes);
	write_count(w, "sources", s->sources);
	NAME(w, "estimated");
	write_bool(w, s->sources_estimated);
	write_count(w, "accounts", s->records);
	NAME(w, "duration");
	uint64_t duration_us = s->last_us - s->first_us;
	write_decimal(w, duration_us / 1000000);
	write_fmt(w, ".%06u", (unsigned)(duration_us % 1000000));
	if (s->packets.taken) {
		NAME(w, "first");
		write_time(w, j, s->first_us);
		NAME(w, "last");
		write_time(w, j, s->last_us);
	}
	write_tools(w, j, s);
	write_classes(w, s);
	write_frames(w, &s->packets);
	write_findings(w, s);
	if (!j->summary_only)
		write_new_payloads(w, end);
	write_count(w, "memory", s->memory_peak);
	write_count(w, "time_backwards", s->time_backwards);
	write_count(w, "shapes_unkept", s->shapes_unkept);
	write_count(w, "payloads_unkept", s->payloads_unkept);
	write_count(w, "targets_unkept", s->targets_unkept);
	write_count(w, "files", end->files);
	write_count(w, "torn", end->torn);
	write_count(w, "broken", end->broken);
	write_count(w, "dropped", end->dropped);
	write_span(w, BYTES("}\n"));
}

static int json_end(void *state, const struct reading_end *end, struct fault *fault)
{
	struct json *j = state;
	write_summary(lines_room(&j->lines), j, end);
	return lines_flush(&j->lines, fault);
}

static int json_begin(void *state, const struct output_context *context, struct fault *fault)
{
	struct json *j = state;
	j->summary_only = context->flag(context->arg, "summary-only") != NULL;
	j->signatures = context->signatures;
	return lines_open(&j->lines, STDOUT_FILENO, "standard output", fault);
}

static void json_close(void *state)
{
	struct json *j = state;
	lines_close(&j->lines);
}

static const struct output json = {
	.name = "json",
	.summary = "one object a line: accounts, findings, sources; the last one has the sums",
	.flags = {
		{"json", NULL, "answer as JSON, one object a line; the last carries \"summary\": true"},
		{"summary-only", NULL, "with --json: only that last line"},
	},
	.standard = true,
	.state_size = sizeof(struct json),
	.begin = json_begin,
	.record = json_record,
	.finding = json_finding,
	.source = json_source,
	.payloads = json_payloads,
	.only_sums = json_only_sums,
	.end = json_end,
	.close = json_close,
};
OUTPUT(json);
