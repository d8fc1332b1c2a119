/*
 * Telnet against hostile peers behind its login: the first byte is the size of the pieces,
 * the rest what the peer sends after a login that is let in.
 */
#include "passive/rehearse.h"
#include <stdlib.h>

#define TRANSCRIPT_MAX (1u << 20)
#define INPUT_MAX 65536

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

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	static uint8_t answer[TRANSCRIPT_MAX], events[TRANSCRIPT_MAX], sent[INPUT_MAX + 32];
	if (n < 1 || n > INPUT_MAX)
		return 0;
	struct writer w = writer_of(sent, sizeof sent);
	write_text(&w, "root\r\nxc3511\r\n");
	write_bytes(&w, input + 1, n - 1);
	struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events),
	                       0};
	SERVICES_EACH(it)
	if (!strcmp((*it)->name, "telnet"))
		service_rehearse(*it, NULL, writer_bytes(&w), input[0] % 64 + 1u, &t);
	return 0;
}
