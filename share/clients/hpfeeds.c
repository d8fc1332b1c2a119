/*
 * Subscriber of hpfeeds: channels of a broker, as long as the connection stands.
 *
 *   {name: pots, client: hpfeeds, url: "hpfeeds://broker.example.org:10000", key_file: …, format: cowrie,
 *    options: {channels: "cowrie.sessions, dionaea.capture"}}
 *
 * Messages of a format of lines are handed on together, at the latest a second after they came.
 */
#include "share/hpfeeds_inner.h"
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

/* One message as one line: outside its strings JSON means the same without line ends. */
static int gather(struct subscription *s, struct bytes message, struct fault *fault)
{
	int bad = 0;
	if (buffer_len(&s->lines) + message.len + 1 > GATHERED_MAX)
		bad = flush(s, fault);
	uint8_t *room = bad ? NULL : buffer_room(&s->lines, message.len + 1);
	if (!room)
		return bad ? bad : fault_set(fault, ERR_FULL, "a message has %zu bytes", message.len);
	const bool json = message.len && message.at[0] == '{';
	for (size_t i = 0; i < message.len; i++)
		room[i] = json && (message.at[i] == '\n' || message.at[i] == '\r') ? ' ' : message.at[i];
	room[message.len] = '\n';
	buffer_grown(&s->lines, message.len + 1);
	return 0;
}

static int take(struct subscription *s, const struct hpfeeds_frame *f, struct fault *fault)
{
	char channel[HPFEEDS_TEXT_MAX + 1];
	if (f->code != HPFEEDS_PUBLISH)
		return 0;
	if (client_takes_lines(s->call))
		return gather(s, bytes_trim(f->rest), fault);
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
	struct subscription s = {.call = call, .in = BUFFER(HPFEEDS_FRAME_MAX + (128u << 10)), .lines = BUFFER(2 * GATHERED_MAX + HPFEEDS_FRAME_MAX)};
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
	.scheme = "hpfeeds",
	.key = "IDENT:SECRET",
	.options = options,
	.stays = true,
	.turn = turn,
};
CLIENT(hpfeeds_client);
