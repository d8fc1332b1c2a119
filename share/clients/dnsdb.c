/*
 * DNSDB, version 2 of its API: which names had an address, and which addresses a name.
 *
 *   {name: pdns, client: dnsdb, url: "https://api.dnsdb.info/dnsdb/v2/lookup/rdata/ip/{src}?limit=1000", asked: true, …}
 *
 * The status says only that an answer began; whether it came whole is its last line.
 */
#include "share/client.h"
#include "share/clients/answers_inner.h"

static int turn(struct client_call *call, struct fault *fault)
{
	const char *const headers[] = {"Accept: application/x-ndjson", client_header(call, "X-API-Key: ", client_key(call)), NULL};
	const struct client_request r = {.headers = headers};
	struct client_answer a;
	int bad = client_http(call, &r, &a, fault);
	bad = bad ? bad : client_refused(&a, fault);
	if (bad)
		return bad;
	const enum dnsdb_end end = dnsdb_ending(a.body);
	if (!client_take(call, a.body, NULL))
		return fault_set(fault, ERR_GONE, "its answer was not taken");
	if (end == DNSDB_LIMITED)
		client_say(call, "the answer reached the limit of its rows; there are more");
	if (end == DNSDB_FAILED)
		return fault_set(fault, ERR_BAD, "it says that it failed; what came before was taken");
	return end == DNSDB_CUT ? fault_set(fault, ERR_BAD, "its answer was cut; what came was taken") : 0;
}

static const struct client dnsdb_client = {
	.name = "dnsdb",
	.summary = "passive DNS: looks up the URL, which may hold a field of an event; a cut answer is told",
	.reference = "Farsight DNSDB API version 2, Streaming API Framing",
	.format = "cof",
	.key = "the API key",
	.asks = true,
	.turn = turn,
};
CLIENT(dnsdb_client);
