/*
 * Gafgyt (Bashlite): its servers lie in the program as plain strings, "198.51.100.9:666", one after the
 * other, beside the words of its protocol.
 *
 * An endpoint that is a whole string is taken for a server when enough of those words are there.
 */
#include "lab/analyser.h"
#include "event/hosts.h"
#include "lab/needles.h"

#define WORDS_SURE 3
#define SERVERS_MAX 32
#define SERVER_BYTES_MAX 96

static const char *const words[] = {"PONG!", "GETLOCALIP", "SCANNER ON", "KILLATTK", "LOLNOGTFO", "My IP: %s", "HOLD Flooding",
				    "JUNK Flooding", "UDP Flooding", "TCP Flooding", "npxXoudifFeEgGaACScs", "sendJUNK",
				    "sendHOLD", "commServer", "BUILD %s", "REPORT %s:%s:%s", "gayfgt", "/proc/net/route",
				    "!* SCANNER", "TELNET LOGIN CRACKED"};
#define WORDS (sizeof words / sizeof *words)

static bool looks_of_it(struct bytes content)
{
	struct needles needles;
	size_t at, which, from = 0;
	uint64_t seen = 0;
	needles_of(&needles, words, WORDS);
	while (needles_next(&needles, content, from, &at, &which)) {
		seen |= 1ull << which;
		from = at + 1;
	}
	return __builtin_popcountll(seen) >= WORDS_SURE;
}

/* "host:port" and nothing else. */
static bool is_server(struct bytes text)
{
	uint64_t port;
	const uint8_t *colon = memchr(text.at, ':', text.len);
	if (!colon)
		return false;
	struct bytes host = {text.at, (size_t)(colon - text.at)};
	struct bytes digits = {colon + 1, text.len - host.len - 1};
	return bytes_number(digits, 65535, &port) && port &&
	       (address_plausible(host) > 0 || name_plausible(host) >= 50) && !host_is_bystander(host);
}

static void gafgyt_analyse(struct analysis *a, const struct part *part)
{
	struct bytes b = part->content;
	size_t told = 0;
	if (!looks_of_it(b))
		return;
	for (size_t i = 0; i < b.len && told < SERVERS_MAX;) {
		size_t end = i;
		while (end < b.len && (host_byte(b.at[end]) || b.at[end] == ':'))
			end++;
		struct bytes text = {b.at + i, end - i};
		bool whole = (!i || !b.at[i - 1]) && end < b.len && !b.at[end];
		if (whole && text.len <= SERVER_BYTES_MAX && is_server(text)) {
			analysis_indicator(a, &(struct indicator){
				.type = INDICATOR_ENDPOINT, .role = FOR_COMMAND, .value = text, .how = "gafgyt: server string",
				.confidence = 90, .offset = i});
			told++;
		}
		i = end + 1;
	}
}

static const char *const gafgyt_types[] = {"elf", "data", NULL};
#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	{"servers beside words of its protocol",
	 SPECIMEN("\x01PONG!\0" "198.51.100.9:666\0GETLOCALIP\0My IP: %s\0SCANNER ON | OFF\0\x02"),
	 "indicator endpoint 198.51.100.9:666 gafgyt: server string"},
	{0},
};

static const struct analyser gafgyt = {
	.name = "gafgyt",
	.summary = "servers of Gafgyt (Bashlite), which lie there as plain strings",
	.reference = "Gafgyt's client.c, as published in 2015",
	.phase = 2,
	.types = gafgyt_types,
	.analyse = gafgyt_analyse,
	.specimens = specimens,
};
ANALYSER(gafgyt);
