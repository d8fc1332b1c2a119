/* A banner from a stranger against our own rules: matched, weighed, and all texts valid. */
#include "active/identify/rules_inner.h"
#include "active/identify/verdict.h"
#include <stdlib.h>

enum { PORT = 80 };

static struct identify *open_once(void)
{
	static struct identify *id;
	const char *const directory = "fingerprints";
	if (!id && identify_open(&id, &directory, 1, NULL, NULL) != 0)
		abort(); /* run from the tree's root */
	return id;
}

/* Every key that has rules, in the order of their files' names, by a number that counts round. */
static const char *key_at(const struct identify *id, size_t i)
{
	size_t count = 0;
	for (const struct rule_key *k = id->keys; k; k = k->next)
		count++;
	const struct rule_key *k = id->keys;
	for (i %= count; i > 0; i--)
		k = k->next;
	return k->name;
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct identify *id = open_once();
	struct verdict v;
	struct reader r = reader_of(input, len);
	verdict_open(&v, id);
	/* Each signal: a byte for the key, a byte for the length, the bytes. */
	while (reader_left(&r) > 2) {
		uint8_t key = read_u8(&r), want = read_u8(&r);
		size_t n = want == 255 || want > reader_left(&r) ? reader_left(&r) : want;
		verdict_add(&v, key_at(id, key), PORT, read_bytes(&r, n));
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
