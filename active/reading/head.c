#include "active/reading/head_inner.h"

#define VALUE_MAX 1024
#define FIELDS_READ_MAX 128

bool head_begins(struct bytes raw, const char *protocol)
{
	size_t n = strlen(protocol);
	return !memcmp(raw.len ? raw.at : (const uint8_t *)"", protocol, raw.len < n ? raw.len : n);
}

struct head head_read(struct bytes raw, const char *protocol)
{
	struct head h = {0};
	struct reader r = reader_of_bytes(raw);
	struct bytes line;
	uint64_t status;
	if (!read_line(&r, &line) || !bytes_start_with(line, protocol))
		return h;
	bytes_word(&line);
	if (line.len > 3)
		line.len = 3;
	if (!bytes_number(line, 999, &status) || status < 100)
		return h;
	h.status = (unsigned)status;
	const uint8_t *start = r.at;
	while (!h.whole && read_line(&r, &line))
		h.whole = line.len == 0;
	h.fields = (struct bytes){start, (size_t)(r.at - start)};
	return h;
}

struct bytes head_field(const struct head *h, const char *name, const char *brief)
{
	struct reader r = reader_of_bytes(h->fields);
	struct bytes line;
	for (size_t i = 0; i < FIELDS_READ_MAX && read_line(&r, &line); i++) {
		size_t colon = bytes_find(line, ":");
		struct bytes own = bytes_trim((struct bytes){line.at, colon});
		if (colon == line.len ||
		    (!bytes_equal_nocase(own, name) && (!brief || !bytes_equal_nocase(own, brief))))
			continue;
		struct bytes value = bytes_trim((struct bytes){line.at + colon + 1, line.len - colon - 1});
		if (value.len > VALUE_MAX)
			value.len = VALUE_MAX;
		return value;
	}
	return (struct bytes){0};
}

struct bytes head_realm(struct bytes challenge)
{
	size_t at = bytes_find_nocase(challenge, "realm=\"");
	if (at == challenge.len)
		return (struct bytes){0};
	at += strlen("realm=\"");
	struct bytes realm = {challenge.at + at, challenge.len - at};
	realm.len = bytes_find(realm, "\"");
	return realm;
}
