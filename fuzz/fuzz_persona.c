/*
 * Any bytes as a persona's file: refused with a sentence, or a device that its services can play.
 * Those of etc/personas are its seeds.
 */
#include "passive/rehearse.h"
#include "passive/persona.h"
#include <stdlib.h>

#define TRANSCRIPT_MAX (1u << 20)
#define PLAYED_MAX 4 /* services of it, each with its first exchange */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (event_start(NULL) < 0)
		abort();
	return 0;
}

static void play(const struct persona *p)
{
	static uint8_t answer[TRANSCRIPT_MAX], events[TRANSCRIPT_MAX];
	for (size_t i = 0; i < p->service_count && i < PLAYED_MAX; i++) {
		struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events), 0};
		const struct service *s = p->services[i].service;
		service_rehearse(s, p, s->exchanges[0].peer_sends, 4096, &t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct persona_set set = {.count = 0};
	struct fault fault = {0};
	struct persona_look look;
	struct address local = address_v4(0xc0000217);
	if (persona_read(&set, (struct bytes){input, n}, "fuzz.yaml", &fault) == 0) {
		persona_look(set.items[0], 7, &local, 1427846400000000u, &look);
		persona_accepts(set.items[0], 7, BYTES("root"), BYTES("root"));
		play(set.items[0]);
	} else if (!fault.text[0]) {
		__builtin_trap();
	}
	persona_set_done(&set);
	return 0;
}
