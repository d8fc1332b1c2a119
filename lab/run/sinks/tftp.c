/*
 * TFTP: a second way by which small devices are made to fetch.  Each block is a datagram, each is asked for
 * by the receipt of the one before, so the state is what is fetched and how far.
 */
#include "lab/run/sink.h"
#include "lab/run/sink_protocol.h"

#define BLOCK 512 /* RFC 1350 2: a shorter one is the last */
#define FILE_MAX 128
#define TFTP_URL_MAX 512

enum { READ = 1, WRITE, DATA, ACK };

struct tftp {
	char file[FILE_MAX + 1];
	bool writes;
	uint16_t block; /* to be sent next */
};

static bool read_request(struct bytes b, struct bytes *file, bool *writes)
{
	struct reader r = reader_of_bytes(b);
	uint16_t what = read_u16(&r);
	const uint8_t *end = reader_left(&r) ? memchr(r.at, 0, reader_left(&r)) : NULL;
	*writes = what == WRITE;
	if (!reader_ok(&r) || (what != READ && what != WRITE) || !end || end == r.at || end - r.at > FILE_MAX)
		return false;
	*file = (struct bytes){r.at, (size_t)(end - r.at)};
	for (size_t i = 0; i < file->len; i++)
		if (file->at[i] <= ' ' || file->at[i] >= 0x7f)
			return false;
	read_bytes(&r, file->len + 1);
	struct bytes mode = read_bytes(&r, 5);
	return bytes_equal_nocase(mode, "octet") || bytes_equal_nocase(mode, "netas");
}

static bool tftp_recognises(struct bytes first, bool on_its_port)
{
	struct bytes file;
	bool writes;
	(void)on_its_port;
	return read_request(first, &file, &writes);
}

static void ask(struct talk *t, const struct tftp *f)
{
	char url[TFTP_URL_MAX];
	struct writer w = writer_of(url, sizeof url);
	struct bytes name = talk_name_of(t, talk_address(t));
	char text[ADDRESS_TEXT_MAX];
	write_text(&w, "tftp://");
	write_span(&w, name.len ? name : bytes_of_text(address_format(talk_address(t), text)));
	write_u8(&w, '/');
	write_text(&w, f->file + (f->file[0] == '/'));
	if (f->block == 1)
		talk_tell(t, f->writes ? "upload" : "url", writer_bytes(&w), (struct bytes){0});
	if (!f->writes)
		talk_fetch(t, writer_bytes(&w));
}

static enum talk_next tftp_fetched(struct talk *t, void *state, bool found, struct bytes content)
{
	const struct tftp *f = state;
	const struct bytes whole = found ? content : BYTES(SINK_STAND_IN);
	size_t from = (size_t)(f->block - 1) * BLOCK;
	if (from > whole.len)
		return TALK_END;
	size_t n = whole.len - from < BLOCK ? whole.len - from : BLOCK;
	const uint8_t head[4] = {0, DATA, (uint8_t)(f->block >> 8), (uint8_t)f->block};
	talk_say_bytes(t, (struct bytes){head, sizeof head});
	if (found)
		talk_say_fetched(t, from, n);
	else
		talk_say_bytes(t, (struct bytes){whole.at + from, n});
	return TALK_ON;
}

static enum talk_next tftp_piece(struct talk *t, struct tftp *f, struct reader *r)
{
	uint16_t what = read_u16(r), block = read_u16(r);
	size_t len = reader_left(r);
	read_rest(r);
	if (what == ACK && !f->writes) {
		f->block = (uint16_t)(block + 1);
		if (!f->block)
			return TALK_END; /* beyond 32 MiB numbers would repeat */
		ask(t, f);
		return TALK_ON;
	}
	if (what != DATA || !f->writes)
		return TALK_END;
	const uint8_t receipt[4] = {0, ACK, (uint8_t)(block >> 8), (uint8_t)block};
	talk_say_bytes(t, (struct bytes){receipt, sizeof receipt});
	return len < BLOCK ? TALK_END : TALK_ON;
}

static enum talk_next tftp_input(struct talk *t, void *state, struct reader *r)
{
	struct tftp *f = state;
	struct bytes file;
	bool writes;
	if (!read_request((struct bytes){r->at, reader_left(r)}, &file, &writes))
		return f->file[0] ? tftp_piece(t, f, r) : TALK_END;
	read_rest(r);
	*f = (struct tftp){.writes = writes, .block = 1};
	bytes_copy_text(file, f->file, sizeof f->file);
	ask(t, f);
	if (writes)
		talk_say_bytes(t, BYTES("\0\4\0\0"));
	return TALK_ON;
}

static const struct sink_exchange tftp_exchanges[] = {
	{.title = "what nobody captured is a script that succeeds", .said = BYTES("\0\1bins/mips\0octet\0"),
	 .heard = BYTES("\0\3\0\1" SINK_STAND_IN), .told = "url tftp://203.0.113.7/bins/mips\n"},
	{.title = "something is brought", .said = BYTES("\0\2loot.txt\0octet\0"), .heard = BYTES("\0\4\0\0"),
	 .told = "upload tftp://203.0.113.7/loot.txt\n"},
	{.title = "a name without an end", .said = BYTES("\0\1bins/mips"), .heard = BYTES("")},
	{0},
};

static const struct sink_protocol tftp = {
	.name = "tftp",
	.summary = "has every file, block by block",
	.reference = "RFC 1350",
	.datagrams = true,
	.lasts = true,
	.question = true,
	.ports = {69},
	.recognises = tftp_recognises,
	.state_size = sizeof(struct tftp),
	.input = tftp_input,
	.fetched = tftp_fetched,
	.exchanges = tftp_exchanges,
};
SINK_PROTOCOL(tftp);
