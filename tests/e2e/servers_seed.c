/*
 * Writes into control's state that an own sample named command servers, as control_check_event() would.
 *
 *    servers_seed DIRECTORY ADDRESS PORT FAMILY HELLO_HEX [ADDRESS ...]
 *
 * kansoku must not run yet.
 */
#include "base/clock.h"
#include "event/hello.h"
#include "control/state_inner.h"
#include <stdlib.h>

static void ignore_key(void *arg, uint64_t key)
{
	(void)arg;
	(void)key;
}

static size_t hex_read(const char *hex, uint8_t *to, size_t max)
{
	size_t len = 0;
	for (unsigned byte; len < max && sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
		to[len] = (uint8_t)byte;
	return len;
}

static int seed(struct state *state, struct id_maker *ids, char **word)
{
	struct server s = {.port = (uint16_t)atoi(word[1]), .rule = "servers"};
	uint8_t recorded[CHECK_HELLO_MAX];
	struct writer w = writer_of(s.hello, sizeof s.hello);
	if (!address_parse(bytes_of_text(word[0]), &s.address))
		return fprintf(stderr, "%s is not an address\n", word[0]), 1;
	const struct bytes hello = {recorded, hex_read(word[3], recorded, sizeof recorded)};
	const struct hello_said told = hello_neutralise(hello, &w);
	s.hello_len = (uint16_t)writer_used(&w);
	s.withheld = told.credential;
	s.enlists = told.enlists;
	snprintf(s.family, sizeof s.family, "%s", word[2]);
	memset(s.sample, 'a', 64);
	s.found_us = s.proof_us = s.next_us = clock_utc_us();
	s.cause.id = s.cause.root = id_make(ids, s.found_us);
	state_put_server(state, &s);
	return 0;
}

int main(int argc, char **argv)
{
	const struct state_reader reader = {.key = ignore_key};
	struct id_maker ids = id_maker_new();
	struct state *state;
	struct fault fault = {{0}};
	int bad = argc < 6 || (argc - 2) % 4;
	if (bad || state_open(&state, argv[1], &reader, &fault))
		return fprintf(stderr, "servers_seed: %s\n", bad ? "wrong number of words" : fault.text), 2;
	for (int i = 2; i + 3 < argc && !bad; i += 4)
		bad = seed(state, &ids, argv + i);
	state_close(state);
	return bad;
}
