#include "lab/run/sink/talk.h"

#define FIRST_BYTES_MIN 8 /* fewer may be the beginning of anything */

void talk_begin(struct talk *t, struct world *w, uint8_t transport, const struct address *a, uint16_t port)
{
	*t = (struct talk){.world = w, .transport = transport, .address = *a, .port = port, .hello = KNOWN_NONE,
			   .in = BUFFER(TALK_INPUT_MAX), .out = BUFFER(TALK_OUTPUT_MAX)};
	t->endpoint = "";
}

/* Made when it is needed first: a scan has many conversations in which nothing is said. */
const char *talk_endpoint(const struct talk *t)
{
	struct talk *own = (struct talk *)t;
	if (!*own->endpoint)
		own->endpoint = world_endpoint(own->world, &own->address, own->port);
	return own->endpoint;
}

bool talk_is_secure(const struct talk *t) { return t->secure; }
bool talk_is_datagram(const struct talk *t) { return t->transport == SINK_UDP; }
uint16_t talk_port(const struct talk *t) { return t->port; }
const struct address *talk_address(const struct talk *t) { return &t->address; }

void talk_say_bytes(struct talk *t, struct bytes b)
{
	t->spoke = true;
	if (buffer_append(&t->out, b.at, b.len))
		t->ended = true;
}

void talk_say(struct talk *t, const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line)
		t->ended = true;
	else
		talk_say_bytes(t, (struct bytes){(const uint8_t *)line, (size_t)n});
}

static const char *protocol_name(const struct talk *t)
{
	if (!t->protocol)
		return t->secure ? "tls" : talk_is_datagram(t) ? "udp" : "tcp";
	return t->secure && t->protocol->secure_name ? t->protocol->secure_name : t->protocol->name;
}

void talk_tell(struct talk *t, const char *kind, struct bytes subject, struct bytes said)
{
	world_request(t->world, protocol_name(t), talk_endpoint(t), kind, subject, said);
}

void talk_fetch(struct talk *t, struct bytes url)
{
	if (url.len > TALK_URL_MAX || !url.len)
		url = BYTES("-");
	bytes_copy_text(url, t->url, sizeof t->url);
}

void talk_say_fetched(struct talk *t, size_t from, size_t count)
{
	if (from > t->content.len || count > t->content.len - from) {
		t->ended = true;
		return;
	}
	/* Over UDP a piece is a datagram; over TCP it goes out from where it lies. */
	if (talk_is_datagram(t)) {
		talk_say_bytes(t, (struct bytes){t->content.at + from, count});
		return;
	}
	t->content_from = from;
	t->content_count = count;
}

void talk_switch(struct talk *t) { t->switching = true; }

void talk_mean(struct talk *t, struct bytes host, uint16_t port)
{
	struct address a;
	if (!address_parse(host, &a))
		a = world_name(t->world, host, "");
	if (address_is_zero(&a))
		return;
	t->address = a;
	t->port = port;
	t->endpoint = "";
}

struct address talk_name(struct talk *t, struct bytes name, const char *type)
{
	return world_name(t->world, name, type);
}

struct bytes talk_name_of(const struct talk *t, const struct address *a) { return world_name_of(t->world, a); }

static bool on_its_port(const struct sink_protocol *p, uint16_t port)
{
	for (size_t i = 0; i < SINK_PORTS_MAX && p->ports[i]; i++)
		if (p->ports[i] == port)
			return true;
	return false;
}

static const struct sink_protocol *recognise(const struct talk *t, struct bytes first)
{
	const struct sink_protocol *found = NULL;
	SINK_PROTOCOLS_EACH(it) {
		const struct sink_protocol *p = *it;
		if (p->datagrams != talk_is_datagram(t) || !p->recognises)
			continue;
		bool own = on_its_port(p, t->port);
		if (!p->recognises(first, own))
			continue;
		if (own)
			return p;
		/* The order of the registry is the linker's; names decide. */
		if (!found || strcmp(p->name, found->name) < 0)
			found = p;
	}
	return found;
}

static void talk_open(struct talk *t, const struct sink_protocol *p)
{
	t->protocol = p;
	t->silent = false;
	memset(t->state, 0, sizeof t->state);
	if (p->open && p->open(t, t->state) == TALK_END)
		t->ended = true;
}

/* The first bytes of each conversation, whatever they are. */
static void talk_hello(struct talk *t)
{
	struct bytes first = buffer_bytes(&t->in);
	if (t->hello != KNOWN_NONE || talk_is_datagram(t) || !first.len)
		return;
	const struct sink_hello h = {.endpoint = talk_endpoint(t), .said = first, .after_server = t->spoke,
				     .registers = !t->protocol || !t->protocol->question, .protocol = protocol_name(t)};
	t->hello = world_hello(t->world, &h);
}

void talk_quiet(struct talk *t)
{
	if (t->protocol || t->silent || talk_is_datagram(t))
		return;
	if (buffer_len(&t->in)) { /* few bytes, and no more of them come */
		talk_hello(t);
		return;
	}
	SINK_PROTOCOLS_EACH(it)
		if ((*it)->greets && !(*it)->datagrams && on_its_port(*it, t->port)) {
			talk_open(t, *it);
			return;
		}
}

static void talk_choose(struct talk *t)
{
	struct bytes first = buffer_bytes(&t->in);
	if (!first.len || t->protocol || t->silent)
		return;
	const struct sink_protocol *p = recognise(t, first);
	if (p)
		talk_open(t, p);
	else if (first.len >= FIRST_BYTES_MIN || talk_is_datagram(t))
		t->silent = true;
}

static void talk_run(struct talk *t)
{
	while (!t->ended && !talk_wants(t)) {
		talk_choose(t);
		if (t->silent) /* what it says has been kept, and counts */
			buffer_consume(&t->in, buffer_len(&t->in));
		size_t before = buffer_len(&t->in);
		if (!t->protocol || !before)
			return;
		struct reader r = reader_of_bytes(buffer_bytes(&t->in));
		if (t->protocol->input(t, t->state, &r) == TALK_END)
			t->ended = true;
		size_t left = (size_t)(r.end - r.at);
		buffer_consume(&t->in, before - left);
		if (t->switching) {
			t->switching = false;
			t->protocol = NULL;
			t->hello = KNOWN_NONE;
			continue;
		}
		if (left == before)
			return;
	}
}

bool talk_take(struct talk *t, struct bytes b)
{
	if (t->ended || (b.len && buffer_append(&t->in, b.at, b.len)))
		return false;
	if (!t->protocol && !talk_wants(t))
		talk_choose(t);
	if (t->protocol || t->silent)
		talk_hello(t);
	talk_run(t);
	/* A message that does not fit is none that we know. */
	if (buffer_len(&t->in) == TALK_INPUT_MAX && !talk_wants(t))
		t->ended = true;
	return true;
}

void talk_fetched(struct talk *t, bool found, struct bytes content)
{
	if (found)
		world_request_served(t->world, bytes_of_text(t->url));
	t->url[0] = '\0';
	t->content = content;
	t->content_from = t->content_count = 0;
	if (t->protocol && t->protocol->fetched &&
	    t->protocol->fetched(t, t->state, found, content) == TALK_END)
		t->ended = true;
	t->content = (struct bytes){0};
	/* What it said meanwhile is looked at after the content is gone out: the transport calls again. */
	if (!t->content_count)
		talk_run(t);
}

void talk_done(struct talk *t)
{
	talk_hello(t);
	buffer_done(&t->in);
	buffer_done(&t->out);
}
