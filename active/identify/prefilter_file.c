/*
 * Compiled databases on disk.
 *
 * Hyperscan trusts what it is handed, so a file is only taken when it is whole (its own digest),
 * of exactly these rules, this Hyperscan and this processor (the key's digest), and when nobody
 * but us, root or the folder's owner could have written it: a digest alone keeps out damage, not
 * somebody who computes it anew.
 */
#include "active/identify/prefilter_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAGIC "kansokuP" /* then the key's digest, the database, and the digest of all that */
enum {
	MAGIC_BYTES = sizeof FILE_MAGIC - 1,
	HEAD_BYTES = MAGIC_BYTES + PREFILTER_DIGEST,
	FILE_PATH_MAX = 4096,
};

static bool digest_make(struct bytes b, uint8_t out[PREFILTER_DIGEST])
{
	unsigned n = 0;
	return EVP_Digest(b.at, b.len, out, &n, EVP_sha256(), NULL) && n == PREFILTER_DIGEST;
}

struct bytes prefilter_unpack(struct bytes file, const uint8_t digest[PREFILTER_DIGEST])
{
	uint8_t whole[PREFILTER_DIGEST];
	if (file.len < HEAD_BYTES + PREFILTER_DIGEST || memcmp(file.at, FILE_MAGIC, MAGIC_BYTES) != 0 ||
	    memcmp(file.at + MAGIC_BYTES, digest, PREFILTER_DIGEST) != 0)
		return (struct bytes){0};
	struct bytes signed_part = {file.at, file.len - PREFILTER_DIGEST};
	if (!digest_make(signed_part, whole) ||
	    memcmp(whole, file.at + signed_part.len, PREFILTER_DIGEST) != 0)
		return (struct bytes){0};
	return (struct bytes){file.at + HEAD_BYTES, signed_part.len - HEAD_BYTES};
}

/* A key may be any text of a rule file; what is no plain letter becomes `_`. */
static bool file_path(const struct rule_key *key, const char *directory, const char *suffix, char *path)
{
	int n = snprintf(path, FILE_PATH_MAX, "%s/", directory);
	if (n < 0 || (size_t)n + strlen(key->name) + strlen(suffix) + 4 > FILE_PATH_MAX || strlen(key->name) > 128)
		return false;
	char *at = path + n;
	for (const char *c = key->name; *c; c++, at++)
		*at = strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *c) && (*c != '.' || c > key->name)
			      ? *c : '_';
	snprintf(at, FILE_PATH_MAX - (size_t)(at - path), ".hs%s", suffix);
	return true;
}

/* Only we, root, or whose folder it is may have written it: a role's folder is its uid's own. */
static bool is_ours(const struct stat *st, const char *directory)
{
	struct stat folder;
	if (stat(directory, &folder) != 0 || (folder.st_mode & (S_IWGRP | S_IWOTH)))
		return false;
	return S_ISREG(st->st_mode) &&
	       (st->st_uid == geteuid() || st->st_uid == 0 || st->st_uid == folder.st_uid) &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 && (size_t)st->st_size <= PREFILTER_FILE_MAX;
}

static int file_read(int fd, struct buffer *out)
{
	uint8_t *room;
	ssize_t n = 0;
	while ((room = buffer_room(out, 1 << 20)) && (n = read(fd, room, 1 << 20)) > 0)
		buffer_grown(out, (size_t)n);
	return room && n == 0 ? 0 : ERR_BAD;
}

int prefilter_load(const struct identify *id, struct rule_key *key, const char *directory)
{
	char path[FILE_PATH_MAX];
	struct stat st;
	int fd = file_path(key, directory, "", path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0)
		return ERR_MISSING;
	struct buffer file = BUFFER(PREFILTER_FILE_MAX);
	int result = ERR_BAD;
	if (fstat(fd, &st) == 0 && is_ours(&st, directory) && file_read(fd, &file) == 0) {
		struct bytes database = prefilter_unpack(buffer_bytes(&file), key->prefilter->digest);
		result = database.len ? prefilter_take(id, key, database) : ERR_BAD;
	}
	buffer_done(&file);
	close(fd);
	return result;
}

static bool write_all(int fd, struct bytes b)
{
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		b.at += n;
		b.len -= (size_t)n;
	}
	return true;
}

static int file_pack(const struct rule_key *key, struct buffer *out)
{
	uint8_t digest[PREFILTER_DIGEST];
	bool good = buffer_append(out, FILE_MAGIC, MAGIC_BYTES) == 0 &&
		    buffer_append(out, key->prefilter->digest, PREFILTER_DIGEST) == 0 &&
		    prefilter_write(key, out) == 0 && digest_make(buffer_bytes(out), digest) &&
		    buffer_append(out, digest, sizeof digest) == 0;
	return good ? 0 : ERR_MEMORY;
}

int prefilter_save(const struct rule_key *key, const char *directory)
{
	char path[FILE_PATH_MAX], fresh[FILE_PATH_MAX];
	if (!file_path(key, directory, "", path) || !file_path(key, directory, ".XXXXXX", fresh))
		return ERR_BAD;
	struct buffer file = BUFFER(PREFILTER_FILE_MAX);
	int result = file_pack(key, &file);
	int fd = result == 0 ? mkostemp(fresh, O_CLOEXEC) : -1;
	if (fd >= 0) {
		bool good = write_all(fd, buffer_bytes(&file)) && fsync(fd) == 0;
		close(fd);
		if (!good || rename(fresh, path) != 0) {
			unlink(fresh);
			result = ERR_SYSTEM;
		}
	} else if (result == 0) {
		result = ERR_MISSING;
	}
	buffer_done(&file);
	return result;
}
