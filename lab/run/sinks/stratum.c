/*
 * Stratum: a pool that takes every miner, and tells for whose wallet it works.
 *
 * One JSON object a line.  Miners of Monero's kind say "login", those of Bitcoin's "mining.subscribe"
 * and "mining.authorize".
 */
#include "lab/run/sink_protocol.h"

#define LINE_MAX_BYTES 8192

/* The text behind "key": in a line; nothing where it is no text.  Enough of JSON to read a wallet. */
static struct bytes text_of(struct bytes line, const char *quoted_key)
{
	size_t at = bytes_find(line, quoted_key);
	if (at == line.len)
		return (struct bytes){0};
	at += strlen(quoted_key);
	while (at < line.len && (line.at[at] == ' ' || line.at[at] == ':' || line.at[at] == '['))
		at++;
	if (at >= line.len || line.at[at] != '"')
		return (struct bytes){0};
	const uint8_t *start = line.at + at + 1;
	const uint8_t *end = memchr(start, '"', (size_t)(line.at + line.len - start));
	return end ? (struct bytes){start, (size_t)(end - start)} : (struct bytes){0};
}

static uint64_t number_of(struct bytes line)
{
	size_t at = bytes_find(line, "\"id\"");
	uint64_t id = 0;
	for (at += 4; at < line.len && (line.at[at] == ':' || line.at[at] == ' '); at++)
		;
	for (; at < line.len && line.at[at] >= '0' && line.at[at] <= '9' && id < 1u << 30; at++)
		id = id * 10 + (uint64_t)(line.at[at] - '0');
	return id;
}

static bool stratum_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return first.len && first.at[0] == '{' && bytes_find(first, "\"method\"") < first.len &&
	       (bytes_find(first, "\"login\"") < first.len || bytes_find(first, "\"mining.") < first.len ||
		bytes_find(first, "eth_submitLogin") < first.len);
}

static void stratum_line(struct talk *t, struct bytes line)
{
	struct bytes method = text_of(line, "\"method\"");
	unsigned long long id = number_of(line);
	if (bytes_equal_text(method, "login")) {
		struct bytes params = {line.at + bytes_find(line, "\"params\""), 0};
		params.len = (size_t)(line.at + line.len - params.at);
		talk_tell(t, "wallet", text_of(params, "\"login\""), line);
		struct bytes agent = text_of(params, "\"agent\"");
		if (agent.len)
			talk_tell(t, "agent", agent, (struct bytes){0});
		talk_say(t, "{\"id\":%llu,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"id\":\"1\",\"job\":{\"blob\":\"%0152d\","
			 "\"job_id\":\"1\",\"target\":\"01000000\",\"algo\":\"rx/0\",\"height\":1,\"seed_hash\":\"%064d\"},"
			 "\"status\":\"OK\"}}\n", id, 0, 0);
	} else if (bytes_equal_text(method, "mining.authorize") || bytes_equal_text(method, "eth_submitLogin")) {
		talk_tell(t, "wallet", text_of(line, "\"params\""), line);
		talk_say(t, "{\"id\":%llu,\"result\":true,\"error\":null}\n", id);
	} else if (bytes_equal_text(method, "mining.subscribe")) {
		struct bytes agent = text_of(line, "\"params\"");
		if (agent.len)
			talk_tell(t, "agent", agent, (struct bytes){0});
		talk_say(t, "{\"id\":%llu,\"result\":[[[\"mining.notify\",\"1\"]],\"08000002\",4],\"error\":null}\n", id);
	} else {
		talk_tell(t, "line", method, line);
		talk_say(t, "{\"id\":%llu,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"status\":\"OK\"}}\n", id);
	}
}

static enum talk_next stratum_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct bytes line;
	while (read_line(r, &line))
		if (line.len)
			stratum_line(t, line);
	return reader_left(r) > LINE_MAX_BYTES ? TALK_END : TALK_ON;
}

static const struct sink_exchange stratum_exchanges[] = {
	{.title = "a miner of Bitcoin's kind and its wallet",
	 .said = BYTES("{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"cpuminer/2.5.0\"]}\n"
		       "{\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"1BoatSLRHtKNngkdXEeobR76b53LETtpyT\", \"x\"]}\n"),
	 .heard = BYTES("{\"id\":1,\"result\":[[[\"mining.notify\",\"1\"]],\"08000002\",4],\"error\":null}\n"
			"{\"id\":2,\"result\":true,\"error\":null}\n"),
	 .told = "agent cpuminer/2.5.0\nwallet 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n"},
	{.title = "one of Monero's kind",
	 .said = BYTES("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"4Axyz\",\"pass\":\"x\","
		       "\"agent\":\"XMRig/6.16\"}}\n"),
	 .heard = BYTES("{\"id\":1,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"id\":\"1\",\"job\":{\"blob\":\"0"), .begins = true,
	 .told = "wallet 4Axyz\nagent XMRig/6.16\n"},
	{0},
};

static const struct sink_protocol stratum = {
	.name = "stratum",
	.summary = "a pool that takes every miner and tells whose wallet it fills",
	.reference = "Stratum mining protocol; XMRig 6",
	.ports = {3333, 4444, 5555, 14444, 3032},
	.whole_messages = true,
	.recognises = stratum_recognises,
	.input = stratum_input,
	.exchanges = stratum_exchanges,
};
SINK_PROTOCOL(stratum);
