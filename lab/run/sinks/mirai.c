/*
 * Mirai's two servers: the one that gives orders and the one that hears what was found.
 *
 * To the first a bot says 00 00 00 01, then its source's name with its length, and two zero bytes each
 * minute, which come back to it (bot/main.c of the published source).  To the second it says the address
 * and the account of a device that it got into (bot/scanner.c, report_working()).  No order is ever given.
 */
#include "lab/run/sink_protocol.h"

struct mirai {
	bool begun, named;
};

static bool mirai_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return first.len >= 4 && !memcmp(first.at, "\0\0\0\1", 4);
}

static enum talk_next mirai_input(struct talk *t, void *state, struct reader *r)
{
	struct mirai *m = state;
	if (!m->begun) {
		if (reader_left(r) < 4)
			return TALK_ON;
		read_u32(r);
		m->begun = true;
	}
	if (!m->named) {
		struct reader whole = *r;
		struct bytes name = read_bytes(&whole, read_u8(&whole));
		if (!reader_ok(&whole))
			return TALK_ON;
		*r = whole;
		m->named = true;
		talk_tell(t, "join", name, name);
	}
	while (reader_left(r) >= 2)
		talk_say_bytes(t, read_bytes(r, 2));
	return TALK_ON;
}

static bool read_report(struct bytes b, struct bytes *user, struct bytes *secret, uint32_t *address, uint16_t *port)
{
	struct reader r = reader_of_bytes(b);
	uint8_t zero = read_u8(&r);
	*address = read_u32(&r);
	*port = read_u16(&r);
	*user = read_bytes(&r, read_u8(&r));
	*secret = read_bytes(&r, read_u8(&r));
	bool printed = user->len > 0;
	for (size_t i = 0; i < user->len; i++)
		printed &= user->at[i] >= ' ' && user->at[i] < 0x7f;
	return reader_ok(&r) && !reader_left(&r) && !zero && printed;
}

static bool report_recognises(struct bytes first, bool on_its_port)
{
	struct bytes user, secret;
	uint32_t address;
	uint16_t port;
	(void)on_its_port;
	return read_report(first, &user, &secret, &address, &port);
}

static enum talk_next report_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct bytes whole = read_rest(r), user, secret;
	uint32_t v4;
	uint16_t port;
	if (!read_report(whole, &user, &secret, &v4, &port))
		return TALK_END;
	char text[ADDRESS_TEXT_MAX];
	uint8_t room[1024];
	struct writer w = writer_of(room, sizeof room);
	const struct address a = address_v4(v4);
	write_fmt(&w, "%s:%u ", address_format(&a, text), port);
	write_span(&w, user);
	write_u8(&w, ':');
	write_span(&w, secret);
	talk_tell(t, "found", writer_bytes(&w), whole);
	return TALK_ON;
}

static const struct sink_exchange mirai_exchanges[] = {
	{.title = "a bot says who it is and is kept alive", .said = BYTES("\0\0\0\1\4mips\0\0"), .heard = BYTES("\0\0"),
	 .told = "join mips\n"},
	{0},
};

static const struct sink_exchange report_exchanges[] = {
	{.title = "a device that it got into", .said = BYTES("\0\xc6\x33\x64\x07\0\x17\4root\5vizxv"), .heard = BYTES(""),
	 .told = "found 198.51.100.7:23 root:vizxv\n"},
	{0},
};

static const struct sink_protocol mirai = {
	.name = "mirai",
	.summary = "keeps a bot of Mirai's kind and gives no order",
	.reference = "published source of Mirai, bot/main.c",
	.recognises = mirai_recognises,
	.state_size = sizeof(struct mirai),
	.input = mirai_input,
	.exchanges = mirai_exchanges,
};
SINK_PROTOCOL(mirai);

static const struct sink_protocol mirai_report = {
	.name = "mirai-report",
	.summary = "hears what a bot of Mirai's kind found",
	.reference = "published source of Mirai, bot/scanner.c",
	.whole_messages = true,
	.ports = {48101},
	.recognises = report_recognises,
	.input = report_input,
	.exchanges = report_exchanges,
};
SINK_PROTOCOL(mirai_report);
