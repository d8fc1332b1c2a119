/*
 * The web server that takes in scripts, against hostile peers: the first byte is the size of the
 * pieces; the rest is what the peer sends.  Before it lies an upload, so that what is sent may
 * call what was uploaded.
 */
#include "passive/persona.h"
#include "passive/rehearse.h"
#include <stdlib.h>

#define TRANSCRIPT_MAX (1u << 20)
#define SENT_MAX (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct persona *webserver(void)
{
	static struct persona_set set;
	struct fault fault;
	if (set.count == 0 && (event_start(NULL) < 0 || persona_read_directory(&set, "etc/personas", &fault) < 0))
		abort();
	return persona_named(&set, "webserver");
}

/* Up to the first NUL it is the script, behind it the requests. */
static struct bytes upload_and_call(struct bytes input, uint8_t *room)
{
	static const char head[] = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\n\r\n";
	struct writer w = writer_of(room, SENT_MAX);
	const uint8_t *nul = memchr(input.at, 0, input.len);
	size_t script = nul ? (size_t)(nul - input.at) : input.len;
	write_fmt(&w, "POST /upload.php HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
	              "Content-Length: %zu\r\n\r\n%s",
	          sizeof head - 1 + script + 9, head);
	write_bytes(&w, input.at, script);
	write_text(&w, "\r\n--x--\r\nGET /uploads/a.php?a=id&b=%3Cb HTTP/1.1\r\nHost: a\r\n\r\n");
	write_bytes(&w, input.at + script, input.len - script);
	return writer_bytes(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	static uint8_t answer[TRANSCRIPT_MAX], events[TRANSCRIPT_MAX], room[SENT_MAX];
	if (n < 1)
		return 0;
	struct bytes sent = upload_and_call((struct bytes){input + 1, n - 1}, room);
	SERVICES_EACH(it)
	{
		if (strcmp((*it)->name, "http"))
			continue;
		struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events), 0};
		service_rehearse(*it, webserver(), sent, 256u * (input[0] % 64) + 1, &t);
	}
	return 0;
}
