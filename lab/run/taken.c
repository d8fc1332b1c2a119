#include "lab/run/taken.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void digest_text(struct bytes b, char out[65])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (!EVP_Digest(b.at, b.len, digest, &n, EVP_sha256(), NULL))
		n = 0;
	for (unsigned i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", i < n ? digest[i] : 0);
}

int taken_open(struct taken *t, struct arena *arena, struct observed *seen, int root, struct bytes sample)
{
	*t = (struct taken){.arena = arena, .seen = seen, .root = root};
	t->files = arena_alloc(arena, TAKEN_FILES_MAX * sizeof *t->files);
	t->names = arena_alloc(arena, TAKEN_NAMES_MAX * sizeof *t->names);
	digest_text(sample, t->sample);
	return t->files && t->names ? 0 : ERR_MEMORY;
}

/* Links are followed as the box sees them, never out of its root; devices and pipes are not waited for. */
static int open_in_root(const struct taken *t, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	if (flags & O_PATH)
		how.flags = flags | O_CLOEXEC;
	return t->root < 0 ? -1 : (int)syscall(SYS_openat2, t->root, path, &how, sizeof how);
}

bool taken_exists(const struct taken *t, const char *path)
{
	const int fd = open_in_root(t, path, O_PATH);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool kept_already(const struct taken *t, const char *path, const char *sha256)
{
	if (strcmp(sha256, t->sample) == 0)
		return true;
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->files[i].sha256, sha256) == 0 && strcmp(t->files[i].path, path) == 0)
			return true;
	return false;
}

static struct bytes read_all(int fd, uint8_t *room, size_t size)
{
	size_t got = 0;
	while (got < size) {
		const ssize_t n = pread(fd, room + got, size - got, (off_t)got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return (struct bytes){room, got};
}

static void keep(struct taken *t, struct bytes content, const char *path)
{
	char sha256[65], visible[RUN_SUBJECT_MAX];
	digest_text(content, sha256);
	struct writer w = writer_of(visible, sizeof visible - 1);
	write_visible(&w, bytes_of_text(path));
	*w.at = 0;
	if (content.len == 0 || kept_already(t, visible, sha256))
		return;
	const struct bytes copy = arena_copy(t->arena, content);
	const char *const name = arena_text(t->arena, bytes_of_text(visible));
	if (copy.at == NULL || name == NULL) {
		observe_limit(t->seen, "run.memory");
		return;
	}
	t->bytes += content.len;
	struct dropped *d = &t->files[t->count++];
	d->path = name;
	memcpy(d->sha256, sha256, sizeof sha256);
	d->content = copy;
}

void taken_take_descriptor(struct taken *t, int fd, const char *path)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return;
	}
	/* /proc's files say 0 bytes or lie in no file system of the box's own: nothing was written there. */
	const uint64_t size = (uint64_t)st.st_size;
	if (t->count == TAKEN_FILES_MAX || size > TAKEN_FILE_BYTES_MAX || t->bytes + size > TAKEN_BYTES_MAX) {
		observe_limit(t->seen, "run.files");
		close(fd);
		return;
	}
	uint8_t *room = malloc(size);
	if (room)
		keep(t, read_all(fd, room, size), path);
	free(room);
	close(fd);
}

void taken_take(struct taken *t, const char *path)
{
	const int fd = open_in_root(t, path, O_RDONLY);
	if (fd >= 0)
		taken_take_descriptor(t, fd, path);
}

void taken_remember(struct taken *t, const char *path)
{
	for (size_t i = 0; i < t->name_count; i++)
		if (strcmp(t->names[i], path) == 0)
			return;
	const char *const copy = arena_text(t->arena, bytes_of_text(path));
	if (copy == NULL || t->name_count == TAKEN_NAMES_MAX) {
		observe_limit(t->seen, "run.files");
		return;
	}
	t->names[t->name_count++] = copy;
}

void taken_take_passing(struct taken *t)
{
	for (size_t i = 0; i < t->name_count; i++)
		if (strncmp(t->names[i], "/dev/", 5) == 0)
			taken_take(t, t->names[i]);
}

void taken_finish(struct taken *t)
{
	for (size_t i = 0; i < t->name_count; i++)
		taken_take(t, t->names[i]);
	t->name_count = 0;
}
