/*
 * CSV (RFC 4180, but lines end in LF): one line of names, then one line an account.
 *
 * Addresses, names and signatures hold neither commas nor quotes but for what an operator's
 * signature file may say; payloads are hexadecimal.
 */
#include "passive/telescope/output.h"
#include "passive/telescope/text.h"
#include <unistd.h>

struct csv {
	struct lines lines;
	struct moments moments;
	struct shape_texts shapes;
};

static void write_cell(struct writer *w, const char *text)
{
	bool plain = !text || !text[strcspn(text, ",\"\r\n")];
	if (!text)
		return;
	if (plain) {
		write_text(w, text);
		return;
	}
	write_u8(w, '"');
	for (; *text; text++) {
		if (*text == '"')
			write_u8(w, '"');
		write_u8(w, (uint8_t)*text);
	}
	write_u8(w, '"');
}

static void write_hex(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		write_bytes(w, (char[]){"0123456789abcdef"[b.at[i] >> 4], "0123456789abcdef"[b.at[i] & 15]}, 2);
}

static void write_next(struct writer *w, uint64_t number)
{
	write_u8(w, ',');
	write_decimal(w, number);
}

static void write_port(struct writer *w, const struct record *r)
{
	char proto[PROTO_TEXT_MAX], flags[FLAGS_TEXT_MAX];
	bool icmp = proto_is_icmp(r->proto);
	write_u8(w, ',');
	write_text(w, proto_text(r->proto, proto));
	write_u8(w, ',');
	if (!icmp)
		write_decimal(w, r->port);
	write_u8(w, ',');
	if (icmp)
		write_decimal(w, r->port >> 8);
	write_u8(w, ',');
	if (icmp)
		write_decimal(w, r->port & 255);
	write_u8(w, ',');
	write_text(w, flags_text(r->proto == 6 ? r->flags : 0, flags));
}

static int csv_record(void *state, const struct record *r, struct fault *fault)
{
	struct csv *c = state;
	struct writer *w = lines_room(&c->lines);
	const struct shape_text *shape = r->shape ? shape_text(&c->shapes, r->shape, r->ttl_max) : NULL;
	write_address_text(w, &r->source);
	write_u8(w, ',');
	write_moment(w, &c->moments, r->first_us);
	write_u8(w, ',');
	write_moment(w, &c->moments, r->last_us);
	write_next(w, r->packets);
	write_next(w, r->bytes);
	write_next(w, r->destinations);
	write_u8(w, ',');
	if (r->destination_known)
		write_address_text(w, &r->destination);
	write_port(w, r);
	write_next(w, r->answer);
	write_next(w, r->ttl_min);
	write_next(w, r->ttl_max);
	write_next(w, r->ttl_initial);
	write_next(w, r->hops);
	write_u8(w, ',');
	write_text(w, traffic_class_names[r->class]);
	write_u8(w, ',');
	write_cell(w, r->tool);
	write_u8(w, ',');
	write_cell(w, shape ? shape->p0f : NULL);
	write_u8(w, ',');
	write_cell(w, shape ? shape->ja4t : NULL);
	write_u8(w, ',');
	write_cell(w, r->payload_name);
	write_u8(w, ',');
	write_hex(w, r->payload);
	write_u8(w, ',');
	write_text(w, record_end_names[r->end]);
	write_u8(w, '\n');
	return lines_check(&c->lines, fault);
}

static int csv_begin(void *state, const struct output_context *context, struct fault *fault)
{
	struct csv *c = state;
	(void)context;
	int bad = lines_open(&c->lines, STDOUT_FILENO, "standard output", fault);
	if (!bad)
		write_text(lines_room(&c->lines),
			   "source,first,last,packets,bytes,destinations,destination,proto,port,icmp_type,icmp_code,"
			   "flags,answer,ttl_min,ttl_max,ttl_initial,hops,class,tool,p0f,ja4t,payload_name,payload,"
			   "end\n");
	return bad;
}

static int csv_end(void *state, const struct reading_end *end, struct fault *fault)
{
	struct csv *c = state;
	(void)end;
	return lines_flush(&c->lines, fault);
}

static void csv_close(void *state)
{
	struct csv *c = state;
	lines_close(&c->lines);
}

static const struct output csv = {
	.name = "csv",
	.summary = "comma-separated values, one account a line",
	.flags = {{"csv", NULL, "accounts as comma-separated values, under a line of names"}},
	.standard = true,
	.state_size = sizeof(struct csv),
	.begin = csv_begin,
	.record = csv_record,
	.end = csv_end,
	.close = csv_close,
};
OUTPUT(csv);
