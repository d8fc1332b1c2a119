/*
 * The file `tombstones`: records of
 *
 *    | type u8 | 7 zero | erased at u64 | from u64 | to u64 | salt 8 | SHA-256 32 |
 *
 * The digest is of salt and the address's 16 bytes, or of salt and the text in lower case.
 */
#include "store/erasure.h"
#include "base/random.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SALT_AT 32
#define DIGEST_AT 40

int tombstones_open(struct tombstones *t, int directory, struct fault *fault)
{
	*t = (struct tombstones){.records = calloc(TOMBSTONES_MAX, TOMBSTONE_SIZE)};
	if (!t->records)
		return fault_set(fault, ERR_MEMORY, "journal: out of memory");
	int fd = openat(directory, "tombstones", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_set(fault, ERR_SYSTEM, "journal/tombstones: %s",
						       strerror(errno));
	ssize_t n = read(fd, t->records, (size_t)TOMBSTONES_MAX * TOMBSTONE_SIZE);
	close(fd);
	t->count = n > 0 ? (size_t)n / TOMBSTONE_SIZE : 0;
	for (size_t i = 0; i < t->count; i++) {
		struct reader r = reader_of(t->records + i * TOMBSTONE_SIZE + 8, 8);
		uint64_t at = read_u64(&r);
		t->newest_us = at > t->newest_us ? at : t->newest_us;
	}
	return 0;
}

static void digest_of(const uint8_t *salt, struct bytes b, uint8_t out[32])
{
	uint8_t text[8 + ERASURE_TEXT_MAX];
	size_t n = b.len < ERASURE_TEXT_MAX ? b.len : ERASURE_TEXT_MAX;
	memcpy(text, salt, 8);
	for (size_t i = 0; i < n; i++)
		text[8 + i] = b.at[i];
	unsigned length = 0;
	if (!EVP_Digest(text, 8 + n, out, &length, EVP_sha256(), NULL))
		abort(); /* without a digest an erasure would be forgotten silently */
}

static struct bytes lower_text(struct bytes b, char text[ERASURE_TEXT_MAX])
{
	size_t n = b.len < ERASURE_TEXT_MAX - 1 ? b.len : ERASURE_TEXT_MAX - 1;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(b.at[i] >= 'A' && b.at[i] <= 'Z' ? b.at[i] | 0x20 : b.at[i]);
	return (struct bytes){(const uint8_t *)text, n};
}

int tombstones_add(struct tombstones *t, int directory, const struct erasure *e, uint64_t now_us,
		   struct fault *fault)
{
	if (t->count == TOMBSTONES_MAX)
		return fault_set(fault, ERR_FULL, "journal/tombstones: %d erasures are remembered, no more fit",
				 TOMBSTONES_MAX);
	uint8_t *record = t->records + t->count * TOMBSTONE_SIZE;
	char text[ERASURE_TEXT_MAX];
	struct writer w = writer_of(record, TOMBSTONE_SIZE);
	write_u8(&w, (uint8_t)e->type);
	write_zero(&w, 7);
	write_u64(&w, now_us);
	write_u64(&w, e->from_us);
	write_u64(&w, e->to_us);
	write_u64(&w, random_secret());
	write_zero(&w, 32);
	if (e->type == ERASE_ADDRESS)
		digest_of(record + SALT_AT, (struct bytes){e->address.b, sizeof e->address.b},
			  record + DIGEST_AT);
	else if (e->type == ERASE_TEXT)
		digest_of(record + SALT_AT, lower_text(bytes_of_text(e->text), text), record + DIGEST_AT);
	int fd = openat(directory, "tombstones", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	int bad = 0;
	if (fd < 0 || write(fd, record, TOMBSTONE_SIZE) != TOMBSTONE_SIZE || fsync(fd))
		bad = fault_set(fault, ERR_SYSTEM, "journal/tombstones: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (bad)
		return bad;
	t->count++;
	t->newest_us = now_us > t->newest_us ? now_us : t->newest_us;
	return 0;
}

static bool digest_equal(const uint8_t *record, struct bytes b)
{
	uint8_t digest[32];
	digest_of(record + SALT_AT, b, digest);
	return !memcmp(digest, record + DIGEST_AT, sizeof digest);
}

/* The value itself, or one of its words. */
static bool word_equal(const uint8_t *record, struct bytes value)
{
	char text[ERASURE_TEXT_MAX];
	if (value.len < ERASURE_TEXT_MAX && digest_equal(record, lower_text(value, text)))
		return true;
	for (size_t i = 0, start = 0; i <= value.len; i++) {
		uint8_t c = i < value.len ? value.at[i] : ' ';
		if (c > ' ' && c != '/' && c != '"' && c != '\'' && c != '@' && c != ',' && c != ';')
			continue;
		struct bytes word = {value.at + start, i - start};
		if (word.len > 3 && word.len < ERASURE_TEXT_MAX &&
		    digest_equal(record, lower_text(word, text)))
			return true;
		start = i + 1;
	}
	return false;
}

static bool record_matches(const uint8_t *record, const struct event *e)
{
	struct reader r = reader_of(record, SALT_AT);
	enum erasure_type type = read_u8(&r);
	read_bytes(&r, 7);
	uint64_t erased_us = read_u64(&r), from = read_u64(&r), to = read_u64(&r);
	if (e->time_us > erased_us)
		return false;
	if (type == ERASE_RANGE)
		return e->time_us >= from && e->time_us < to;
	for (uint16_t i = 0; i < e->count; i++) {
		const struct event_value *v = &e->values[i];
		if (type == ERASE_ADDRESS && v->type == FIELD_ADDRESS && digest_equal(record, v->bytes))
			return true;
		if (type == ERASE_TEXT && (v->type == FIELD_TEXT || v->type == FIELD_BYTES) &&
		    word_equal(record, v->bytes))
			return true;
	}
	return false;
}

bool tombstones_match(const struct tombstones *t, const struct event *e)
{
	if (e->time_us > t->newest_us)
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (record_matches(t->records + i * TOMBSTONE_SIZE, e))
			return true;
	return false;
}

void tombstones_close(struct tombstones *t)
{
	free(t->records);
	*t = (struct tombstones){0};
}
