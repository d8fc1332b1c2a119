#include "active/visit/resolver_inner.h"
#include "base/clock.h"
#include "base/random.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#define TRIES_MAX 3
#define ASKERS_MAX 256 /* of one name */

struct lookup;

struct question { /* of one name and family */
	struct lookup *lookup;
	uv_poll_t poll;
	int fd;
	uint16_t id, type;
	bool open, stream, done;
	struct writer out;         /* over TCP: what is still to be sent */
	size_t got;                /* over TCP: bytes of the answer, with its length */
	struct dns_answer answer;
	uint8_t message[DNS_MESSAGE_MAX + 2];
};

struct lookup {
	struct resolver *resolver;
	struct lookup *next;
	char name[PROXY_HOST_MAX + 1];
	struct question questions[2];
	uv_timer_t timer;
	unsigned tries, handles; /* handles that libuv still has */
	bool over;
	size_t asker_count;
	struct asker {
		resolved_f *tell;
		void *arg;
	} askers[ASKERS_MAX];
};

struct cached {
	char name[PROXY_HOST_MAX + 1];
	uint64_t until_us;
	uint8_t count;
	struct address addresses[RESOLVER_ADDRESSES_MAX];
};

struct resolver {
	uv_loop_t *loop;
	struct proxy_options options;
	uint64_t key;
	struct lookup *lookups;
	size_t count;
	bool closed;
	struct cached cache[RESOLVER_CACHE];
};

static const uint16_t types[2] = {DNS_A, DNS_AAAA};

static void question_ask(struct question *q, bool stream);

static void resolver_free_when_done(struct resolver *r)
{
	if (r->closed && !r->lookups)
		free(r);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct lookup *lookup = handle->data;
	if (--lookup->handles)
		return;
	struct resolver *r = lookup->resolver;
	struct lookup **at = &r->lookups;
	while (*at != lookup)
		at = &(*at)->next;
	*at = lookup->next;
	r->count--;
	free(lookup);
	resolver_free_when_done(r);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct question *q = (struct question *)((char *)handle - offsetof(struct question, poll));
	close(q->fd);
	on_handle_closed(handle);
}

static struct cached *cache_place(struct resolver *r, const char *name)
{
	return &r->cache[XXH64(name, strlen(name), r->key) % RESOLVER_CACHE];
}

static void keep(struct resolver *r, const char *name, const struct address *addresses, size_t count, uint64_t ttl_s)
{
	struct cached *c = cache_place(r, name);
	if (ttl_s < RESOLVER_TTL_S_MIN)
		ttl_s = RESOLVER_TTL_S_MIN;
	if (ttl_s > RESOLVER_TTL_S_MAX)
		ttl_s = RESOLVER_TTL_S_MAX;
	snprintf(c->name, sizeof c->name, "%s", name);
	c->count = (uint8_t)count;
	c->until_us = clock_mono_us() + (count ? ttl_s : RESOLVER_TTL_S_NONE) * 1000000;
	memcpy(c->addresses, addresses, count * sizeof *addresses);
}

/* Everything is there, or time is up: tells whoever waits, and closes. */
static void lookup_end(struct lookup *lookup)
{
	struct address all[RESOLVER_ADDRESSES_MAX];
	uint64_t ttl_s = RESOLVER_TTL_S_MAX;
	size_t count = 0;
	bool answered = true;
	if (lookup->over)
		return;
	lookup->over = true;
	for (size_t i = 0; i < 2; i++) {
		struct question *q = &lookup->questions[i];
		answered &= q->done;
		if (q->done && q->answer.count && q->answer.ttl_s < ttl_s)
			ttl_s = q->answer.ttl_s;
		for (size_t k = 0; q->done && k < q->answer.count; k++)
			all[count++] = q->answer.addresses[k];
		if (q->open)
			uv_close((uv_handle_t *)&q->poll, on_poll_closed);
		q->open = false;
	}
	if (answered || count)
		keep(lookup->resolver, lookup->name, all, count, ttl_s);
	uv_close((uv_handle_t *)&lookup->timer, on_handle_closed);
	for (size_t i = 0; i < lookup->asker_count; i++)
		if (lookup->askers[i].tell)
			lookup->askers[i].tell(lookup->askers[i].arg, all, count);
}

static void on_question_closed(uv_handle_t *handle)
{
	struct question *q = (struct question *)((char *)handle - offsetof(struct question, poll));
	struct lookup *lookup = q->lookup;
	close(q->fd);
	/* Closed to ask again over TCP. */
	if (!lookup->over && !q->done)
		question_ask(q, true);
	on_handle_closed(handle);
}

static void question_done(struct question *q, const struct dns_answer *answer)
{
	q->answer = *answer;
	q->done = true;
	if (q->lookup->questions[0].done && q->lookup->questions[1].done)
		lookup_end(q->lookup);
}

/* An answer, or something that is none and is waited behind. */
static void take_message(struct question *q, struct bytes message)
{
	struct dns_answer answer;
	if (dns_answer_read(message, q->id, q->lookup->name, q->type, &answer))
		return;
	if (answer.truncated && !q->stream) {
		q->open = false;
		uv_close((uv_handle_t *)&q->poll, on_question_closed);
		return;
	}
	/* One that refuses or fails leaves it to the next server; the last one's word counts. */
	if (answer.code == 0 || answer.code == 3 || q->lookup->tries + 1 >= q->lookup->resolver->options.resolver_count)
		question_done(q, &answer);
}

static void on_datagram(struct question *q)
{
	for (unsigned i = 0; i < 8 && !q->done && q->open; i++) {
		ssize_t n = recv(q->fd, q->message, DNS_MESSAGE_MAX, 0);
		if (n <= 0)
			return;
		take_message(q, (struct bytes){q->message, (size_t)n});
	}
}

static void on_stream(uv_poll_t *poll, int status, int events);

static void on_stream_bytes(struct question *q)
{
	ssize_t n = recv(q->fd, q->message + q->got, sizeof q->message - q->got, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	struct dns_answer none = {.ttl_s = RESOLVER_TTL_S_NONE};
	if (n <= 0) {
		question_done(q, &none);
		return;
	}
	q->got += (size_t)n;
	const size_t len = q->got < 2 ? SIZE_MAX : (size_t)(q->message[0] << 8 | q->message[1]);
	if (len != SIZE_MAX && len > DNS_MESSAGE_MAX)
		question_done(q, &none);
	else if (len != SIZE_MAX && q->got >= len + 2)
		take_message(q, (struct bytes){q->message + 2, len});
}

static void on_stream(uv_poll_t *poll, int status, int events)
{
	struct question *q = (struct question *)((char *)poll - offsetof(struct question, poll));
	struct dns_answer none = {.ttl_s = RESOLVER_TTL_S_NONE};
	if (status < 0 || q->done) {
		if (!q->done)
			question_done(q, &none);
		return;
	}
	if (events & UV_WRITABLE) {
		/* The whole question is one small segment. */
		const size_t n = writer_used(&q->out);
		if (send(q->fd, q->out.start, n, MSG_NOSIGNAL) != (ssize_t)n) {
			question_done(q, &none);
			return;
		}
		uv_poll_start(poll, UV_READABLE, on_stream);
	}
	if (events & UV_READABLE)
		on_stream_bytes(q);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct question *q = (struct question *)((char *)poll - offsetof(struct question, poll));
	(void)events;
	if (status == 0 && !q->done)
		on_datagram(q);
}

/* The next server is tried after each silence. */
static void question_ask(struct question *q, bool stream)
{
	struct lookup *lookup = q->lookup;
	const struct proxy_options *o = &lookup->resolver->options;
	const struct address *server = &o->resolvers[lookup->tries % o->resolver_count];
	struct sockaddr_storage to;
	const socklen_t len = address_to_sockaddr(server, o->resolver_port ? o->resolver_port : 53, false, &to);
	q->stream = stream;
	q->got = 0;
	q->id = (uint16_t)random_secret();
	q->out = writer_of(q->message, sizeof q->message);
	if (stream)
		write_u16(&q->out, 0);
	q->fd = socket(to.ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (q->fd < 0)
		return;
	int bad = dns_question_write(&q->out, q->id, lookup->name, q->type);
	bad = bad || (connect(q->fd, (struct sockaddr *)&to, len) && errno != EINPROGRESS);
	if (!bad && stream) {
		const size_t n = writer_used(&q->out) - 2;
		q->message[0] = (uint8_t)(n >> 8);
		q->message[1] = (uint8_t)n;
	}
	bad = bad || (!stream && send(q->fd, q->message, writer_used(&q->out), 0) < 0);
	if (bad || uv_poll_init(lookup->resolver->loop, &q->poll, q->fd)) {
		close(q->fd);
		return;
	}
	q->poll.data = lookup;
	q->open = true;
	lookup->handles++;
	uv_poll_start(&q->poll, stream ? UV_WRITABLE : UV_READABLE, stream ? on_stream : on_readable);
}

static void on_again_closed(uv_handle_t *handle)
{
	struct question *q = (struct question *)((char *)handle - offsetof(struct question, poll));
	close(q->fd);
	if (!q->lookup->over)
		question_ask(q, false);
	on_handle_closed(handle);
}

static void on_silence(uv_timer_t *timer)
{
	struct lookup *lookup = timer->data;
	if (++lookup->tries >= TRIES_MAX) {
		lookup_end(lookup);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		struct question *q = &lookup->questions[i];
		if (q->done)
			continue;
		if (q->open)
			uv_close((uv_handle_t *)&q->poll, on_again_closed);
		else
			question_ask(q, false);
		q->open = false;
	}
}

static struct lookup *lookup_begin(struct resolver *r, const char *name)
{
	struct lookup *lookup = r->count < RESOLVER_AT_ONCE ? calloc(1, sizeof *lookup) : NULL;
	if (!lookup)
		return NULL;
	lookup->resolver = r;
	snprintf(lookup->name, sizeof lookup->name, "%s", name);
	uv_timer_init(r->loop, &lookup->timer);
	lookup->timer.data = lookup;
	lookup->handles = 1;
	lookup->next = r->lookups;
	r->lookups = lookup;
	r->count++;
	for (size_t i = 0; i < 2; i++) {
		lookup->questions[i].lookup = lookup;
		lookup->questions[i].type = types[i];
		question_ask(&lookup->questions[i], false);
	}
	const uint64_t each_ms = r->options.resolve_timeout_ms / TRIES_MAX + 1;
	uv_timer_start(&lookup->timer, on_silence, each_ms, each_ms);
	return lookup;
}

void resolver_ask(struct resolver *r, const char *name, resolved_f *tell, void *arg)
{
	const struct cached *c = cache_place(r, name);
	if (!strcmp(c->name, name) && c->until_us > clock_mono_us()) {
		struct address addresses[RESOLVER_ADDRESSES_MAX];
		memcpy(addresses, c->addresses, sizeof addresses);
		tell(arg, addresses, c->count);
		return;
	}
	struct lookup *lookup = r->lookups;
	while (lookup && (lookup->over || strcmp(lookup->name, name)))
		lookup = lookup->next;
	if (!lookup && !r->closed && r->options.resolver_count)
		lookup = lookup_begin(r, name);
	if (lookup && lookup->asker_count < ASKERS_MAX)
		lookup->askers[lookup->asker_count++] = (struct asker){tell, arg};
	else
		tell(arg, NULL, 0);
}

void resolver_forget(struct resolver *r, void *arg)
{
	for (struct lookup *lookup = r->lookups; lookup; lookup = lookup->next)
		for (size_t i = 0; i < lookup->asker_count; i++)
			if (lookup->askers[i].arg == arg)
				lookup->askers[i].tell = NULL;
}

int resolver_open(struct resolver **out, uv_loop_t *loop, const struct proxy_options *options)
{
	struct resolver *r = calloc(1, sizeof *r);
	if (!r)
		return ERR_MEMORY;
	r->loop = loop;
	r->options = *options;
	r->key = random_secret();
	*out = r;
	return 0;
}

void resolver_close(struct resolver *r)
{
	struct lookup *next;
	r->closed = true;
	for (struct lookup *lookup = r->lookups; lookup; lookup = next) {
		next = lookup->next;
		lookup->asker_count = 0;
		lookup_end(lookup);
	}
	resolver_free_when_done(r);
}
