#include "share/keys.h"
#include "base/random.h"
#include "share/anonymise/derive_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_HEAD "kansoku keys 1\n"
#define FILE_BYTES (sizeof FILE_HEAD - 1 + 2 * KEY_BYTES + 1)
#define FILE_NEW KEYS_FILE ".new"

struct keys {
	uint8_t master[KEY_BYTES];
};

static int digit_of(uint8_t c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool key_read(struct bytes text, uint8_t key[KEY_BYTES])
{
	const size_t head = sizeof FILE_HEAD - 1;
	if (text.len != FILE_BYTES || memcmp(text.at, FILE_HEAD, head) || text.at[text.len - 1] != '\n')
		return false;
	for (size_t i = 0; i < KEY_BYTES; i++) {
		const int high = digit_of(text.at[head + 2 * i]), low = digit_of(text.at[head + 2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int say(struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_SYSTEM, "exchange/" KEYS_FILE ": %s: %s", what, strerror(errno));
}

/* Whole or not at all: a half key would make other tokens after the next start. */
static int key_draw(struct keys *k, int directory, struct fault *fault)
{
	uint8_t text[FILE_BYTES + 1];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < KEY_BYTES; i += sizeof(uint64_t)) {
		const uint64_t drawn = random_secret();
		memcpy(k->master + i, &drawn, sizeof drawn);
	}
	write_text(&w, FILE_HEAD);
	for (size_t i = 0; i < KEY_BYTES; i++)
		write_fmt(&w, "%02x", k->master[i]);
	write_u8(&w, '\n');
	int fd = openat(directory, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return say(fault, "cannot be made");
	bool good = write(fd, text, FILE_BYTES) == (ssize_t)FILE_BYTES && fsync(fd) == 0;
	close(fd);
	OPENSSL_cleanse(text, sizeof text);
	if (!good || renameat(directory, FILE_NEW, directory, KEYS_FILE) || fsync(directory))
		return say(fault, "cannot be kept");
	return 0;
}

int keys_open(struct keys **out, int directory, struct fault *fault)
{
	uint8_t text[FILE_BYTES + 1];
	struct keys *k = calloc(1, sizeof *k);
	if (!k)
		return fault_set(fault, ERR_MEMORY, "exchange/" KEYS_FILE ": out of memory");
	int bad = 0;
	int fd = openat(directory, KEYS_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		bad = errno == ENOENT ? key_draw(k, directory, fault) : say(fault, "cannot be read");
	} else {
		const ssize_t n = read(fd, text, sizeof text);
		close(fd);
		if (n < 0 || !key_read((struct bytes){text, (size_t)n}, k->master))
			bad = fault_set(fault, ERR_BAD, "exchange/" KEYS_FILE ": is no file of keys; the one of a backup would be "
					"right, since a new one makes other tokens");
		OPENSSL_cleanse(text, sizeof text);
	}
	if (bad)
		keys_close(k);
	else
		*out = k;
	return bad;
}

void keys_close(struct keys *k)
{
	if (k)
		OPENSSL_cleanse(k, sizeof *k);
	free(k);
}

void keys_derive(const struct keys *k, const char *organisation, const char *policy, uint8_t key[KEY_BYTES])
{
	uint8_t room[256];
	struct writer w = writer_of(room, sizeof room);
	/* Lengths first: no two pairs of names give one text. */
	write_u16(&w, (uint16_t)strnlen(organisation, 100));
	write_bytes(&w, organisation, strnlen(organisation, 100));
	write_bytes(&w, policy, strnlen(policy, 100));
	derive((struct bytes){k->master, sizeof k->master}, "kansoku recipient", writer_bytes(&w), key);
}
