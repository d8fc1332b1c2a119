/* Keys of clients: opened by the parent, so that their files may be readable for root alone, and read once. */
#include "share/asking/client_inner.h"
#include "bus/process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int client_give_key(struct preparation *p, const char *name, const char *where, const char *path, struct fault *fault)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		int why = fd < 0 ? errno : EINVAL;
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "%s.key_file: %s: %s", where, path, strerror(why));
	}
	if (st.st_mode & 077) {
		close(fd);
		return fault_set(fault, ERR_DENIED, "%s.key_file: %s: others than its owner may read it; chmod 600 would be right", where, path);
	}
	return preparation_give(p, name, fd);
}

int client_read_key(const struct process *p, const char *name, const char *where, struct bytes *out, struct fault *fault)
{
	int fd = process_fd(p, name);
	uint8_t *room = fd < 0 ? NULL : malloc(CLIENT_KEY_MAX);
	ssize_t n = room ? pread(fd, room, CLIENT_KEY_MAX, 0) : -1;
	struct bytes key = n > 0 ? bytes_trim((struct bytes){room, (size_t)n}) : (struct bytes){0};
	if (!key.len || n == CLIENT_KEY_MAX) {
		free(room);
		return fault_set(fault, ERR_BAD, "%s.key_file: 1 to %d bytes would be right", where, CLIENT_KEY_MAX - 1);
	}
	memmove(room, key.at, key.len);
	*out = (struct bytes){room, key.len};
	return 0;
}

void client_drop_key(struct bytes *key)
{
	if (key->len)
		explicit_bzero((void *)(uintptr_t)key->at, key->len);
	free((void *)(uintptr_t)key->at);
	*key = (struct bytes){0};
}
