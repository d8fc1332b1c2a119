/* Every registered service must hold its own exchanges, however the bytes arrive. */
#include "base/random.h"
#include "passive/persona.h"
#include "passive/rehearse.h"
#include "tests/test.h"
#include <jansson.h>
#include <stdlib.h>

#define TRANSCRIPT_MAX (1u << 20)

struct played {
	struct transcript t;
	uint8_t *answer, *events;
};

static struct played play_over(const struct service *s, enum transport over, struct bytes sent,
                               size_t chunk)
{
	struct played p = {.answer = malloc(TRANSCRIPT_MAX), .events = malloc(TRANSCRIPT_MAX)};
	if (!p.answer || !p.events || event_start(NULL) < 0)
		abort();
	p.t = (struct transcript){writer_of(p.answer, TRANSCRIPT_MAX),
	                          writer_of(p.events, TRANSCRIPT_MAX), 0};
	service_rehearse_over(s, over, NULL, sent, chunk, &p.t);
	return p;
}

static struct played play(const struct service *s, struct bytes sent, size_t chunk)
{
	return play_over(s, 0, sent, chunk);
}

static void played_done(struct played *p)
{
	free(p->answer);
	free(p->events);
}

/* One line off the front, the last one also without its end. */
static bool next_line(struct bytes *from, struct bytes *line)
{
	if (from->len == 0)
		return false;
	size_t n = bytes_find(*from, "\n");
	*line = (struct bytes){from->at, n};
	n += n < from->len;
	from->at += n;
	from->len -= n;
	return true;
}

static json_t *parse(struct bytes line)
{
	return json_loadb((const char *)line.at, line.len, JSON_ALLOW_NUL, NULL);
}

/* The name of the first wanted field that the event lacks or tells otherwise; NULL: none. */
static const char *field_missed(json_t *want, json_t *event)
{
	const char *name;
	json_t *value;
	json_object_foreach(want, name, value)
	{
		if (!json_equal(value, json_object_get(event, name)))
			return name;
	}
	return NULL;
}

static void check_events(const char *where, const char *want_text, struct bytes told)
{
	struct bytes wanted = bytes_of_text(want_text), want_line, line = {0};
	while (next_line(&wanted, &want_line)) {
		CHECK_SAY(next_line(&told, &line), "%s: no event for %.*s", where,
		          (int)want_line.len, want_line.at);
		json_t *want = parse(want_line), *event = parse(line);
		CHECK_SAY(json_is_object(want), "%s: not an object: %.*s", where,
		          (int)want_line.len, want_line.at);
		CHECK_SAY(json_is_object(event), "%s: told no JSON: %.*s", where, (int)line.len,
		          line.at);
		const char *missed = field_missed(want, event);
		CHECK_SAY(!missed, "%s: field %s differs: wanted %.*s, told %.*s", where, missed,
		          (int)want_line.len, want_line.at, (int)line.len, line.at);
		json_decref(want);
		json_decref(event);
	}
	CHECK_SAY(!next_line(&told, &line), "%s: also told %.*s", where, (int)line.len, line.at);
}

static void check_exchange(const struct service *s, enum transport over, const struct exchange *x,
                           size_t chunk)
{
	char where[256];
	snprintf(where, sizeof where, "%s: %s (in pieces of %zu)", s->name, x->title, chunk);
	struct played p = play_over(s, over, x->peer_sends, chunk);
	CHECK_SAY(!p.t.answer.bad && !p.t.events.bad, "%s: more than %u bytes", where,
	          TRANSCRIPT_MAX);
	struct bytes said = writer_bytes(&p.t.answer);
	CHECK_SAY(bytes_equal(said, x->we_answer), "%s: answered \"%.*s\"", where, (int)said.len,
	          said.at);
	if (x->events)
		check_events(where, x->events, writer_bytes(&p.t.events));
	played_done(&p);
}

TEST(services_hold_their_exchanges)
{
	size_t services_count = 0;
	SERVICES_EACH(it)
	{
		const struct service *s = *it;
		services_count++;
		CHECK_SAY(s->exchanges && s->exchanges->title, "%s tells no exchange", s->name);
		/* A datagram has no pieces. */
		bool pieces = s->transports & TRANSPORT_TCP;
		for (const struct exchange *x = s->exchanges; x->title; x++) {
			check_exchange(s, 0, x, x->peer_sends.len + 1);
			if (pieces) {
				check_exchange(s, 0, x, 7);
				check_exchange(s, 0, x, 1);
			}
		}
		for (const struct exchange *x = s->exchanges_udp; x && x->title; x++)
			check_exchange(s, TRANSPORT_UDP, x, x->peer_sends.len + 1);
	}
	CHECK(services_count > 0);
}

TEST(services_are_described_and_bounded)
{
	SERVICES_EACH(it)
	{
		const struct service *s = *it;
		CHECK(s->name && s->summary && s->reference && s->input);
		CHECK_SAY(s->transports, "%s names no transport", s->name);
		CHECK_SAY(s->input_max && s->output_max, "%s has no limit on its bytes", s->name);
		CHECK_SAY(s->idle_ms_max && s->session_ms_max, "%s has no limit on its time",
		          s->name);
		SERVICES_EACH(other)
		CHECK_SAY(*other == s || strcmp((*other)->name, s->name),
		          "two services are called %s", s->name);
	}
}

/* An exchange again with bytes of it spoilt: no crash, the limits hold, twice the same. */
TEST(services_answer_the_same_to_the_same_noise)
{
	struct random random = random_seeded(5);
	SERVICES_EACH(it)
	for (const struct exchange *x = (*it)->exchanges; x->title; x++) {
		struct bytes sent = x->peer_sends;
		uint8_t *noisy = malloc(sent.len + 1);
		CHECK(noisy);
		memcpy(noisy, sent.at, sent.len);
		for (size_t i = 0; i < sent.len / 16 + 1 && sent.len; i++)
			noisy[random_below(&random, sent.len)] = (uint8_t)random_next(&random);
		struct played a = play(*it, (struct bytes){noisy, sent.len}, 13);
		struct played b = play(*it, (struct bytes){noisy, sent.len}, 13);
		CHECK_SAY(bytes_equal(writer_bytes(&a.t.answer), writer_bytes(&b.t.answer)) &&
		                  bytes_equal(writer_bytes(&a.t.events), writer_bytes(&b.t.events)),
		          "%s: %s: the same bytes gave two answers", (*it)->name, x->title);
		played_done(&a);
		played_done(&b);
		free(noisy);
	}
}

static const struct service *service_named(const char *name)
{
	SERVICES_EACH(it)
	if (!strcmp((*it)->name, name))
		return *it;
	return NULL;
}

TEST(rehearsal_hangs_up_beyond_the_output_limit)
{
	struct played p = play(service_named("parrot"), BYTES("flood 66000\nx\n"), 100);
	CHECK(writer_used(&p.t.answer) < 65536 + 6);
	CHECK(bytes_find(writer_bytes(&p.t.answer), "x") == writer_used(&p.t.answer));
	played_done(&p);
}

TEST(rehearsal_of_endless_delays_ends)
{
	uint8_t sent[20 * 11];
	for (size_t i = 0; i < 20; i++)
		memcpy(sent + 11 * i, "wait 60000\n", 11);
	struct played p = play(service_named("parrot"), (struct bytes){sent, sizeof sent}, 100);
	CHECK(writer_used(&p.t.answer) == 6 + 10 * 7); /* session_ms_max is ten minutes */
	played_done(&p);
}

/* What a persona writes as %{serial} is told filled in, or an attacker reads our template. */
TEST(services_of_shipped_devices_fill_in_what_they_tell)
{
	struct persona_set set = {0};
	struct fault fault = {0};
	static uint8_t said[TRANSCRIPT_MAX], told[TRANSCRIPT_MAX];
	CHECK_SAY(persona_read_directory(&set, "etc/personas", &fault) == 0, "%s", fault.text);
	CHECK(event_start(NULL) == 0);
	for (size_t i = 0; i < set.count; i++)
		for (size_t k = 0; k < set.items[i]->service_count; k++) {
			const struct service *s = set.items[i]->services[k].service;
			for (unsigned x = 0; s->exchanges[x].title; x++) {
				struct transcript t = {writer_of(said, sizeof said), writer_of(told, sizeof told), 0};
				struct bytes sent = s->exchanges[x].peer_sends;
				service_rehearse(s, set.items[i], sent, sent.len + 1, &t);
				struct bytes answer = writer_bytes(&t.answer);
				CHECK_SAY(bytes_find(answer, "%{") == answer.len || bytes_find(sent, "%{") < sent.len,
					  "%s of %s at \"%s\"", s->name, set.items[i]->name, s->exchanges[x].title);
			}
		}
	persona_set_done(&set);
}

TEST(ftp_servers_tell_their_status_in_their_own_words)
{
	struct persona_set set = {0};
	struct fault fault = {0};
	static uint8_t said[TRANSCRIPT_MAX], told[TRANSCRIPT_MAX];
	static const char *const devices[][2] = {{"nas", "211-Status of 'Debian'\r\n"},
						 {"printer", "client count was 1\r\n211 End of status\r\n"}};
	CHECK_SAY(persona_read_directory(&set, "etc/personas", &fault) == 0, "%s", fault.text);
	CHECK(event_start(NULL) == 0);
	for (size_t i = 0; i < 2; i++) {
		struct transcript t = {writer_of(said, sizeof said), writer_of(told, sizeof told), 0};
		service_rehearse(service_named("ftp"), persona_named(&set, devices[i][0]),
				 BYTES("USER anonymous\r\nPASS a@b\r\nSTAT\r\n"), 4096, &t);
		struct bytes answer = writer_bytes(&t.answer);
		CHECK_SAY(bytes_find(answer, devices[i][1]) < answer.len, "%.*s", (int)answer.len, (const char *)answer.at);
		CHECK(bytes_find(answer, "vsFTPd") == answer.len);
	}
	persona_set_done(&set);
}
