/* Two buses in one loop over a socket pair: the same code as between processes. */
#include "bus/bus.h"
#include "tests/test.h"
#include <sys/socket.h>
#include <unistd.h>

struct end {
	struct bus *bus;
	unsigned events, gone, linked;
	uint64_t last_sequence;
	struct bus_peer *peer;
	char json[4096];
	bool acknowledge;
};

static void on_event(void *arg, const struct bus_delivery *d)
{
	struct end *end = arg;
	static struct event e;
	CHECK(frame_decode(d->frame, NULL, &e) == 0);
	struct writer w = writer_of(end->json, sizeof end->json - 1);
	event_write_json(&e, &w);
	*w.at = 0;
	end->events++;
	end->last_sequence = d->sequence;
	end->peer = d->peer;
	if (end->acknowledge)
		bus_acknowledge(end->bus, d->peer, d->sequence);
}

static void on_linked(void *arg, struct bus_peer *p)
{
	(void)p;
	((struct end *)arg)->linked++;
}

static void on_unlinked(void *arg, struct bus_peer *p, bool clean)
{
	(void)p;
	(void)clean;
	((struct end *)arg)->gone++;
}

static const struct bus_rights all = {.sends = KIND_MASK_ALL};

static void open_end(struct end *end, uv_loop_t *loop, const char *role)
{
	*end = (struct end){.acknowledge = true};
	CHECK(event_start(NULL) == 0 && bus_open(&end->bus, loop, role, 0, "here") == 0);
	const struct bus_hooks hooks = {.arg = end, .event = on_event, .linked = on_linked,
					.unlinked = on_unlinked};
	bus_set_hooks(end->bus, &hooks);
}

static void link_ends(struct end *a, struct end *b, const struct bus_rights *a_may)
{
	int fds[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK(bus_link(a->bus, fds[0], "b", 0, &all) == 0);
	CHECK(bus_link(b->bus, fds[1], "a", 0, a_may) == 0);
}

static void turn(uv_loop_t *loop)
{
	for (int i = 0; i < 50; i++) { /* events wait a little for company */
		uv_run(loop, UV_RUN_NOWAIT);
		usleep(200);
	}
}

static void close_ends(uv_loop_t *loop, struct end *a, struct end *b)
{
	bus_free(a->bus);
	bus_free(b->bus);
	turn(loop);
	CHECK(uv_loop_close(loop) == 0);
}

static int publish(struct end *end, enum event_kind kind)
{
	static struct event e;
	event_begin(&e, kind);
	event_set_text(&e, FIELD_DETAIL, "x");
	return bus_publish(end->bus, &e);
}

TEST(bus_delivers_what_was_subscribed_and_stamps_it)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct end a, b;
	open_end(&a, &loop, "a");
	open_end(&b, &loop, "b");
	bus_subscribe(b.bus, KIND_MASK(EVENT_LOGIN_TRIED));
	link_ends(&a, &b, &all);
	turn(&loop);
	CHECK(bus_linked(a.bus) && bus_linked(b.bus) && a.linked == 1);
	CHECK(publish(&a, EVENT_LOGIN_TRIED) == 0 && publish(&a, EVENT_COMMAND_SENT) == 0);
	turn(&loop);
	CHECK(b.events == 1 && bus_unacknowledged(a.bus) == 0);
	CHECK_SAY(strstr(b.json, "\"process\":\"a\"") && strstr(b.json, "\"sensor\":\"here\"") &&
		  strstr(b.json, "\"received\":"), "%s", b.json);
	close_ends(&loop, &a, &b);
}

TEST(bus_ignores_a_role_but_still_answers_it)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct end a, b;
	open_end(&a, &loop, "a");
	open_end(&b, &loop, "b");
	bus_subscribe(b.bus, KIND_MASK_ALL);
	bus_ignore(b.bus, "a");
	link_ends(&a, &b, &all);
	turn(&loop);
	CHECK(bus_linked(a.bus) && bus_linked(b.bus));
	CHECK(publish(&a, EVENT_LOGIN_TRIED) == 0);
	turn(&loop);
	CHECK(b.events == 0 && bus_unacknowledged(a.bus) == 0);
	close_ends(&loop, &a, &b);
}

TEST(bus_drops_and_counts_what_a_role_may_not_send)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct end a, b;
	open_end(&a, &loop, "a");
	open_end(&b, &loop, "b");
	bus_subscribe(b.bus, KIND_MASK_ALL);
	const struct bus_rights logins = {.sends = KIND_MASK(EVENT_LOGIN_TRIED)};
	link_ends(&a, &b, &logins);
	turn(&loop);
	publish(&a, EVENT_HOST_ANSWERED);
	struct event forged;
	event_begin(&forged, EVENT_LOGIN_TRIED);
	event_set_text(&forged, FIELD_PROCESS, "active");
	bus_publish(a.bus, &forged);
	publish(&a, EVENT_LOGIN_TRIED);
	turn(&loop);
	CHECK(b.events == 1 && bus_foreign(b.bus) == 2 && bus_unacknowledged(a.bus) == 0);
	close_ends(&loop, &a, &b);
}

TEST(bus_keeps_frames_for_a_process_that_comes_back)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct end a, b;
	open_end(&a, &loop, "a");
	open_end(&b, &loop, "b");
	b.acknowledge = false;
	bus_subscribe(b.bus, KIND_MASK_ALL);
	link_ends(&a, &b, &all);
	turn(&loop);
	for (int i = 0; i < 10; i++)
		publish(&a, EVENT_LOGIN_TRIED);
	turn(&loop);
	CHECK(b.events == 10 && bus_unacknowledged(a.bus) > 0);
	bus_acknowledge(b.bus, b.peer, 4);
	turn(&loop);
	bus_free(b.bus); /* b dies with six unacknowledged */
	turn(&loop);
	CHECK(a.gone == 1);
	CHECK(publish(&a, EVENT_LOGIN_TRIED) == 0);
	open_end(&b, &loop, "b");
	bus_subscribe(b.bus, KIND_MASK_ALL);
	link_ends(&a, &b, &all);
	turn(&loop);
	CHECK_SAY(b.events == 7, "%u", b.events);
	CHECK(bus_unacknowledged(a.bus) == 0);
	close_ends(&loop, &a, &b);
}

static void on_question(void *arg, struct bus_request *request, struct bytes payload)
{
	(void)arg;
	bus_answer(request, 0, payload, true);
	bus_answer(request, ERR_DENIED, BYTES("end"), false);
}

static void on_answer(void *arg, int status, struct bytes payload, bool more)
{
	char *said = arg;
	size_t n = strlen(said);
	snprintf(said + n, 256 - n, "[%d %.*s%s]", status, (int)payload.len, payload.at ? (const char *)payload.at : "",
		 more ? " more" : "");
}

TEST(bus_requests_are_answered_in_parts_or_gone)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct end a, b;
	open_end(&a, &loop, "a");
	open_end(&b, &loop, "b");
	bus_on_request(b.bus, "ask", on_question, NULL);
	link_ends(&a, &b, &all);
	turn(&loop);
	char said[256] = "";
	CHECK(bus_request(a.bus, "b", "ask", BYTES("hello"), on_answer, said) == 0);
	turn(&loop);
	CHECK_SAY(!strcmp(said, "[0 hello more][-6 end]"), "%s", said);
	said[0] = 0;
	CHECK(bus_request(a.bus, "b", "other", BYTES(""), on_answer, said) == 0);
	turn(&loop);
	CHECK_SAY(!strncmp(said, "[-7 ", 4), "%s", said);
	said[0] = 0;
	CHECK(bus_request(a.bus, "b", "ask", BYTES("x"), on_answer, said) == 0);
	bus_free(b.bus);
	turn(&loop);
	CHECK_SAY(!strcmp(said, "[-5 ]"), "%s", said);
	CHECK(bus_request(a.bus, "b", "ask", BYTES("x"), on_answer, said) == ERR_GONE);
	bus_free(a.bus);
	turn(&loop);
	CHECK(uv_loop_close(&loop) == 0);
}

TEST(bus_is_congested_and_full_at_its_limits_and_relieved)
{
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct end a, b;
	open_end(&a, &loop, "a");
	open_end(&b, &loop, "b");
	b.acknowledge = false;
	bus_subscribe(b.bus, KIND_MASK_ALL);
	link_ends(&a, &b, &all);
	turn(&loop);
	static struct event e;
	static uint8_t big[16000];
	unsigned sent = 0;
	for (int result = 0; result == 0; sent++) {
		event_begin(&e, EVENT_COMMAND_SENT);
		event_set_bytes(&e, FIELD_COMMAND_LINE, (struct bytes){big, sizeof big});
		result = bus_publish(a.bus, &e);
		if (sent == 100)
			CHECK(!bus_congested(a.bus));
		CHECK(result == 0 || result == ERR_FULL);
	}
	sent--;
	CHECK(bus_congested(a.bus) && bus_full(a.bus));
	for (int i = 0; i < 100 && b.events < sent; i++)
		turn(&loop);
	CHECK_SAY(b.events == sent, "%u of %u", b.events, sent);
	bus_acknowledge(b.bus, b.peer, b.last_sequence);
	turn(&loop);
	CHECK(bus_unacknowledged(a.bus) == 0 && !bus_congested(a.bus));
	close_ends(&loop, &a, &b);
}
