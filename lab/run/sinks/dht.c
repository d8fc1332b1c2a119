/*
 * BitTorrent's DHT, by which samples of Mozi's kind find each other: answered as a node that knows nobody.
 */
#include "lab/run/sink_protocol.h"

#define NODE_ID "\x8f\x1c\x02\x6e\x51\x9a\xd3\x77\x40\x2b\x95\xe8\x0d\x63\xb1\x34\xc6\x5f\xaa\x19"

/* The string behind a key, both bencoded ("1:q4:ping"). */
static struct bytes value_of(struct bytes b, const char *key)
{
	size_t at = bytes_find(b, key);
	if (at == b.len)
		return (struct bytes){0};
	struct reader r = reader_of(b.at + at + strlen(key), b.len - at - strlen(key));
	size_t n = 0;
	uint8_t c = 0;
	for (unsigned digits = 0; digits < 5 && reader_left(&r) && (c = read_u8(&r)) >= '0' && c <= '9'; digits++)
		n = n * 10 + (size_t)(c - '0');
	return c == ':' ? read_bytes(&r, n) : (struct bytes){0};
}

static bool dht_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return bytes_start_with(first, "d1:") && bytes_find(first, "1:y1:") < first.len;
}

static enum talk_next dht_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct bytes whole = read_rest(r), query = value_of(whole, "1:q"), number = value_of(whole, "1:t");
	if (!query.len || query.len > 32 || number.len > 16)
		return TALK_END;
	struct bytes hash = value_of(whole, "9:info_hash");
	char room[80];
	struct writer w = writer_of(room, sizeof room);
	write_span(&w, query);
	for (size_t i = 0; i < hash.len && i < 20; i++)
		write_fmt(&w, "%s%02x", i ? "" : " ", hash.at[i]);
	talk_tell(t, "query", writer_bytes(&w), whole);
	bool asks_nodes = bytes_equal_text(query, "find_node") || bytes_equal_text(query, "get_peers");
	talk_say(t, "d1:rd2:id20:");
	talk_say_bytes(t, BYTES(NODE_ID));
	talk_say(t, "%se1:t%zu:", asks_nodes ? "5:nodes0:" : "", number.len);
	talk_say_bytes(t, number);
	talk_say(t, "1:y1:re");
	return TALK_END;
}

static const struct sink_exchange dht_exchanges[] = {
	{.title = "ping (BEP 5)", .said = BYTES("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
	 .heard = BYTES("d1:rd2:id20:" NODE_ID "e1:t2:aa1:y1:re"), .told = "query ping\n"},
	{.title = "a string longer than the datagram", .said = BYTES("d1:q99:ping1:t2:aa1:y1:qe"), .heard = BYTES("")},
	{0},
};

static const struct sink_protocol dht = {
	.name = "dht",
	.summary = "a node that knows nobody",
	.reference = "BEP 5",
	.datagrams = true,
	.question = true,
	.ports = {6881, 14737},
	.recognises = dht_recognises,
	.input = dht_input,
	.exchanges = dht_exchanges,
};
SINK_PROTOCOL(dht);
