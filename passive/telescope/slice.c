/*
 * Writing pcap with microseconds, in the byte order of this machine, as tcpdump -w does.
 */
#include "passive/telescope/capture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SLICE_BUFFER (64u << 10)

struct capture_writer {
	int fd, error; /* error: errno of the first write that failed */
	uint16_t link;
	size_t used;
	char name[256];
	uint8_t buffer[SLICE_BUFFER];
};

static void put(struct capture_writer *w, const uint8_t *at, size_t n)
{
	while (n && !w->error) {
		ssize_t done = write(w->fd, at, n);
		if (done < 0 && errno != EINTR)
			w->error = errno;
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
}

static void append(struct capture_writer *w, const void *p, size_t n)
{
	if (n > sizeof w->buffer - w->used) {
		put(w, w->buffer, w->used);
		w->used = 0;
	}
	if (n > sizeof w->buffer) {
		put(w, p, n);
	} else if (n) {
		memcpy(w->buffer + w->used, p, n);
		w->used += n;
	}
}

int capture_create(struct capture_writer **out, const char *path, uint16_t link, struct fault *fault)
{
	struct capture_writer *w = calloc(1, sizeof *w);
	if (!w)
		return fault_set(fault, ERR_MEMORY, "%s: no memory", path);
	bool standard = !strcmp(path, "-");
	snprintf(w->name, sizeof w->name, "%s", standard ? "standard output" : path);
	w->link = link;
	w->fd = standard ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (w->fd < 0) {
		int bad = fault_set(fault, ERR_SYSTEM, "%s: cannot be written: %s", path, strerror(errno));
		free(w);
		return bad;
	}
	const struct { uint32_t magic; uint16_t major, minor; uint32_t zone, accuracy, frame_max, link; } header = {
		0xa1b2c3d4, 2, 4, 0, 0, CAPTURE_FRAME_MAX, link};
	append(w, &header, sizeof header);
	*out = w;
	return 0;
}

int capture_write(struct capture_writer *w, const struct capture_frame *f)
{
	if (f->link != w->link || f->frame.len > CAPTURE_FRAME_MAX)
		return ERR_BAD;
	const uint32_t header[4] = {(uint32_t)(f->time_us / 1000000), (uint32_t)(f->time_us % 1000000),
				    (uint32_t)f->frame.len, f->wire_length};
	append(w, header, sizeof header);
	append(w, f->frame.at, f->frame.len);
	errno = w->error;
	return w->error ? ERR_SYSTEM : 0;
}

int capture_finish(struct capture_writer *w, struct fault *fault)
{
	put(w, w->buffer, w->used);
	if (w->fd != STDOUT_FILENO && close(w->fd) && !w->error)
		w->error = errno;
	int bad = w->error ? fault_set(fault, ERR_SYSTEM, "%s: cannot be written: %s", w->name, strerror(w->error)) : 0;
	free(w);
	return bad;
}
