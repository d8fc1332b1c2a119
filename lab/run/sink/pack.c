#include "lab/run/sink/pack.h"

#define TEXT_MAX_BYTES 4096

struct pack { /* one of the two is set */
	struct writer *w;
	struct reader *r;
	struct arena *arena;
};

static void pack_number(struct pack *p, uint64_t *v)
{
	if (p->w)
		write_u64(p->w, *v);
	else
		*v = read_u64(p->r);
}

static void pack_bytes(struct pack *p, struct bytes *b)
{
	if (p->w) {
		write_u32(p->w, (uint32_t)b->len);
		write_span(p->w, *b);
		return;
	}
	uint32_t n = read_u32(p->r);
	p->r->bad |= n > TEXT_MAX_BYTES;
	struct bytes came = read_bytes(p->r, n);
	*b = arena_copy(p->arena, came);
	p->r->bad |= !b->at && came.len;
}

/* Bytes of a sample may stand in it, so it is made printable: what reads it writes JSON and terminals. */
static const char *text_of(struct pack *p, struct bytes b)
{
	char *text = arena_text(p->arena, b);
	if (!text) {
		p->r->bad = true;
		return "";
	}
	bool plain = bytes_is_utf8(b);
	for (char *c = text; c < text + b.len; c++)
		if ((uint8_t)*c < ' ' || *c == 0x7f || (!plain && (uint8_t)*c >= 0x80))
			*c = '?';
	return text;
}

static void pack_text(struct pack *p, const char **s)
{
	if (p->w) {
		struct bytes b = bytes_of_text(*s ? *s : "");
		pack_bytes(p, &b);
		return;
	}
	uint32_t n = read_u32(p->r);
	p->r->bad |= n > TEXT_MAX_BYTES;
	*s = text_of(p, read_bytes(p->r, n));
}

static void pack_bool(struct pack *p, bool *v)
{
	uint64_t n = *v;
	pack_number(p, &n);
	*v = n != 0;
}

static void pack_address(struct pack *p, struct address *a)
{
	if (p->w) {
		write_bytes(p->w, a->b, sizeof a->b);
		return;
	}
	struct bytes b = read_bytes(p->r, sizeof a->b);
	if (b.len)
		memcpy(a->b, b.at, sizeof a->b);
}

static void pack_port(struct pack *p, uint16_t *port, uint8_t *transport)
{
	uint64_t v = (uint64_t)*transport << 16 | *port;
	pack_number(p, &v);
	*port = (uint16_t)v;
	*transport = (uint8_t)(v >> 16);
}

static void pack_flow(struct pack *p, void *at)
{
	struct sink_flow *f = at;
	uint64_t *const numbers[] = {&f->packets, &f->bytes, &f->answered_packets, &f->answered_bytes, &f->connections,
				     &f->said, &f->heard, &f->left, &f->first_ms, &f->last_ms};
	pack_text(p, &f->endpoint);
	pack_address(p, &f->address);
	pack_port(p, &f->port, &f->transport);
	pack_bool(p, &f->named);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		pack_number(p, numbers[i]);
	pack_text(p, &f->protocol);
}

static void pack_name(struct pack *p, void *at)
{
	struct sink_name *n = at;
	pack_text(p, &n->name);
	pack_text(p, &n->type);
	pack_address(p, &n->address);
	pack_number(p, &n->count);
	pack_number(p, &n->first_ms);
	pack_number(p, &n->last_ms);
}

static void pack_request(struct pack *p, void *at)
{
	struct sink_request *q = at;
	pack_text(p, &q->protocol);
	pack_text(p, &q->endpoint);
	pack_text(p, &q->subject);
	pack_text(p, &q->kind);
	pack_bytes(p, &q->said);
	pack_number(p, &q->count);
	pack_number(p, &q->first_ms);
	pack_number(p, &q->last_ms);
	pack_bool(p, &q->served);
}

static void pack_hello(struct pack *p, void *at)
{
	struct sink_hello *h = at;
	pack_text(p, &h->endpoint);
	pack_bytes(p, &h->said);
	pack_bool(p, &h->after_server);
	pack_bool(p, &h->registers);
	pack_text(p, &h->protocol);
	pack_number(p, &h->count);
	pack_number(p, &h->first_ms);
	pack_number(p, &h->last_ms);
	pack_number(p, &h->kept_ms);
}

static void pack_scan(struct pack *p, void *at)
{
	struct sink_scan *s = at;
	pack_port(p, &s->port, &s->transport);
	pack_number(p, &s->addresses);
	pack_number(p, &s->packets);
	pack_bool(p, &s->at_least);
	pack_number(p, &s->first_ms);
	pack_number(p, &s->last_ms);
}

static void pack_flood(struct pack *p, void *at)
{
	struct sink_flood *f = at;
	pack_text(p, &f->endpoint);
	pack_text(p, &f->what);
	pack_number(p, &f->packets);
	pack_number(p, &f->bytes);
	pack_number(p, &f->first_ms);
	pack_number(p, &f->last_ms);
	pack_number(p, &f->sources);
}

static void pack_limit(struct pack *p, void *at) { pack_text(p, at); }

static void pack_list(struct pack *p, const void **list, size_t *count, size_t max, size_t size,
		      void (*one)(struct pack *, void *))
{
	uint64_t n = *count;
	pack_number(p, &n);
	if (p->r) {
		p->r->bad |= n > max;
		*count = 0;
		void *fresh = p->r->bad ? NULL : arena_alloc(p->arena, (size_t)(n + 1) * size);
		p->r->bad |= !fresh;
		*list = fresh;
	}
	/* Reading fills what it has just made; writing only looks. */
	for (size_t i = 0; i < n && !(p->r && p->r->bad); i++) {
		one(p, (uint8_t *)*list + i * size);
		*count = i + 1;
	}
}

static void pack_all(struct pack *p, struct run_sink_findings *f)
{
	pack_list(p, (const void **)&f->flows, &f->flow_count, SINK_FLOWS_MAX, sizeof *f->flows, pack_flow);
	pack_list(p, (const void **)&f->names, &f->name_count, SINK_NAMES_MAX, sizeof *f->names, pack_name);
	pack_list(p, (const void **)&f->requests, &f->request_count, SINK_REQUESTS_MAX, sizeof *f->requests, pack_request);
	pack_list(p, (const void **)&f->hellos, &f->hello_count, SINK_HELLOS_MAX, sizeof *f->hellos, pack_hello);
	pack_list(p, (const void **)&f->scans, &f->scan_count, 65536, sizeof *f->scans, pack_scan);
	pack_list(p, (const void **)&f->floods, &f->flood_count, 65536, sizeof *f->floods, pack_flood);
	pack_list(p, (const void **)&f->limits, &f->limit_count, 64, sizeof *f->limits, pack_limit);
	pack_number(p, &f->packets);
	pack_number(p, &f->packets_missed);
}

void pack_write(struct writer *w, const struct run_sink_findings *f)
{
	struct run_sink_findings copy = *f;
	struct pack p = {.w = w};
	pack_all(&p, &copy);
}

int pack_read(struct bytes b, struct arena *arena, struct run_sink_findings *out)
{
	struct run_sink_findings f = {0};
	struct reader r = reader_of_bytes(b);
	struct pack p = {.r = &r, .arena = arena};
	pack_all(&p, &f);
	if (!reader_ok(&r) || reader_left(&r))
		return ERR_BAD;
	*out = f;
	return 0;
}
