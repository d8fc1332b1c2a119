/*
 * Subscriber of hpfeeds: channels of a broker, as long as the connection stands.
 *
 *   {name: pots, client: hpfeeds, url: "hpfeeds://broker.example.org:10000", key_file: …,
 *    options: {channels: "cowrie.sessions, dionaea.capture"}}
 *
 * Messages are lines with ident and channel (format "hpfeeds"), or, where the source names another format, their payloads
 * alone.  Those of a format of lines are handed on together, at the latest a second after they came.
 */
#include "event/json.h"
#include "share/reading/hpfeeds_inner.h"
#include <unistd.h>

#define GATHERED_MAX (1u << 20)
#define GATHER_MS 1000u
#define SEND_MS 20000u

struct subscription {
	struct client_call *call;
	int fd;
	struct buffer in, lines;
};

static int subscribe(struct subscription *s, struct fault *fault)
{
	const char *channels = client_option(s->call, "channels");
	struct bytes ident, secret;
	size_t count = 0;
	if (!client_key_parts(s->call, &ident, &secret))
		return ERR_BAD;
	for (const char *at = channels ? channels : ""; *at;) {
		uint8_t room[1024];
		struct writer w = writer_of(room, sizeof room);
		const struct bytes name = {(const uint8_t *)at, strcspn(at, ", ")};
		at += name.len;
		at += strspn(at, ", ");
		if (!name.len)
			continue;
		hpfeeds_write(&w, &(struct hpfeeds_frame){.code = HPFEEDS_SUBSCRIBE, .first = ident, .rest = name});
		int bad = w.bad ? fault_set(fault, ERR_BAD, "a channel's name is too long")
				: client_send(s->call, s->fd, writer_bytes(&w), SEND_MS, fault);
		if (bad)
			return bad;
		count++;
	}
	return count ? 0 : fault_set(fault, ERR_BAD, "options.channels names none");
}

static int flush(struct subscription *s, struct fault *fault)
{
	bool taken = client_take(s->call, buffer_bytes(&s->lines), NULL);
	buffer_consume(&s->lines, buffer_len(&s->lines));
	return taken ? 0 : fault_set(fault, ERR_GONE, "what came was not taken");
}

/* Outside its strings JSON means the same without line ends, and within it has none. */
static void write_payload(struct writer *w, struct bytes payload, bool quoted)
{
	if (quoted && (!payload.len || payload.at[0] != '{')) {
		write_json_string(w, payload);
		return;
	}
	for (size_t i = 0; i < payload.len; i++)
		write_u8(w, payload.at[i] == '\n' || payload.at[i] == '\r' ? ' ' : payload.at[i]);
}

/* One message as one line: as the format "hpfeeds" has them, or its payload alone. */
static int gather(struct subscription *s, const struct hpfeeds_frame *f, struct fault *fault)
{
	const struct bytes payload = bytes_trim(f->rest);
	const bool whole = !strcmp(client_format(s->call)->name, "hpfeeds");
	const size_t most = 6 * (payload.len + f->first.len + f->second.len) + 64; /* every byte escaped */
	int bad = buffer_len(&s->lines) > GATHERED_MAX ? flush(s, fault) : 0;
	uint8_t *room = bad ? NULL : buffer_room(&s->lines, most);
	struct writer w = writer_of(room, room ? most : 0);
	if (!room)
		return bad ? bad : fault_set(fault, ERR_FULL, "a message has %zu bytes", payload.len);
	if (whole) {
		write_text(&w, "{\"ident\":");
		write_json_string(&w, f->first);
		write_text(&w, ",\"channel\":");
		write_json_string(&w, f->second);
		write_text(&w, ",\"payload\":");
	}
	write_payload(&w, payload, whole);
	write_text(&w, whole ? "}\n" : "\n");
	buffer_grown(&s->lines, writer_used(&w));
	return 0;
}

static int take(struct subscription *s, const struct hpfeeds_frame *f, struct fault *fault)
{
	char channel[HPFEEDS_TEXT_MAX + 1];
	if (f->code != HPFEEDS_PUBLISH)
		return 0;
	if (client_format(s->call)->shape == FORMAT_LINES)
		return gather(s, f, fault);
	bytes_copy_text(f->second, channel, sizeof channel);
	return client_take(s->call, f->rest, channel) ? 0 : fault_set(fault, ERR_GONE, "a message was not taken");
}

static int listen_on(struct subscription *s, struct fault *fault)
{
	struct hpfeeds_frame f;
	int bad = 0;
	while (!bad && !client_stopped(s->call)) {
		int got;
		while (!bad && (got = hpfeeds_next(&s->in, &f, fault)))
			bad = got < 0 ? got : take(s, &f, fault);
		bad = bad ? bad : flush(s, fault);
		bad = bad ? bad : hpfeeds_fill(s->call, s->fd, &s->in, GATHER_MS, fault);
	}
	return client_stopped(s->call) ? 0 : bad;
}

static int turn(struct client_call *call, struct fault *fault)
{
	struct subscription s = {.call = call, .in = BUFFER(HPFEEDS_FRAME_MAX + (128u << 10)), .lines = BUFFER(2 * GATHERED_MAX + 6 * HPFEEDS_FRAME_MAX)};
	s.fd = hpfeeds_open(call, &s.in, fault);
	int bad = s.fd < 0 ? ERR_GONE : subscribe(&s, fault);
	/* Who is refused hears of it at once; silence means that we are in. */
	bad = bad ? bad : hpfeeds_fill(call, s.fd, &s.in, GATHER_MS, fault);
	if (!bad) {
		if (!(buffer_len(&s.in) > 4 && buffer_bytes(&s.in).at[4] == HPFEEDS_ERROR))
			client_standing(call);
		bad = listen_on(&s, fault);
	}
	if (s.fd >= 0)
		close(s.fd);
	buffer_done(&s.in);
	buffer_done(&s.lines);
	return bad;
}

static const struct client_option options[] = {
	{"channels", "those that are subscribed to, between commas"},
	{0},
};

static const struct client hpfeeds_client = {
	.name = "hpfeeds",
	.summary = "stays connected to a broker of hpfeeds and takes what its channels say",
	.reference = "hpfeeds wire protocol",
	.format = "hpfeeds",
	.scheme = "hpfeeds",
	.key = "IDENT:SECRET",
	.options = options,
	.stays = true,
	.turn = turn,
};
CLIENT(hpfeeds_client);
