/* A banner from a stranger against our own rules: matched, weighed, and all texts valid. */
#include "active/identify/verdict.h"
#include <stdlib.h>

static const char *const keys[] = {
	"telnet.banner",      "html_title", "http_header.server", "http_header.wwwauth",
	"http_header.cookie", "http.body",  "x509.subject",
};

static struct identify *open_once(void)
{
	static struct identify *id;
	const char *const directory = "fingerprints";
	if (!id && identify_open(&id, &directory, 1, NULL, NULL) != 0)
		abort(); /* run from the tree's root */
	return id;
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct identify *id = open_once();
	struct verdict v;
	struct reader r = reader_of(input, len);
	verdict_open(&v, id);
	/* Each signal: a byte for the key and the port, a byte for the length, the bytes. */
	while (reader_left(&r) > 2) {
		uint8_t key = read_u8(&r), want = read_u8(&r);
		size_t n = want == 255 || want > reader_left(&r) ? reader_left(&r) : want;
		verdict_add(&v, keys[key % 7], key / 7, read_bytes(&r, n));
	}
	verdict_conclude(&v);
	const char *const texts[] = {v.device, v.vendor, v.product, v.version, v.os,
				     v.service, v.evidence, v.dissent, v.near, v.signals};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!bytes_is_utf8(bytes_of_text(texts[i])))
			abort();
	if (v.confidence > 99 || (v.confidence && !v.device[0]))
		abort();
	return 0;
}
