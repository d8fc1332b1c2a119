/*
 * A file of compiled rules from a stranger: only one whose both digests are right is looked into.  One that
 * is made right here is taken and used; Hyperscan trusts what it is handed, so what is inside
 * is never changed with the digests kept (active/identify/prefilter_file.c).
 */
#include "active/identify/prefilter_inner.h"
#include <stdlib.h>

static const char text[] = "<fingerprints matches='k'><fingerprint pattern='^Al\\d'/><fingerprint pattern='beta'/>"
			   "</fingerprints>";

static struct identify *open_once(void)
{
	static struct identify *id;
	struct identify_file file = {"k.xml", bytes_of_text(text)};
	if (!id && identify_open_files(&id, &file, 1, NULL, NULL) != 0)
		abort();
	return id;
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct rule_key *key = rules_key(open_once(), "k");
	static uint8_t file[1 << 16];
	if (len > sizeof file)
		return 0;
	memcpy(file, input, len);
	/* The head is made right half of the time, so that the second digest is reached. */
	if (len > 40 && (input[len - 1] & 1)) {
		memcpy(file, "kansokuP", 8);
		memcpy(file + 8, key->prefilter->digest, PREFILTER_DIGEST);
	}
	if (prefilter_unpack((struct bytes){file, len}, key->prefilter->digest).len)
		abort(); /* SHA-256 was guessed */
	return 0;
}
