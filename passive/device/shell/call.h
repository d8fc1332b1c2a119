/* What an applet or builtin is called with, and how it reads and writes. */
#pragma once
#include "passive/device/shell/applet.h"
#include "passive/device/shell/shell.h"

enum stream_kind {
	STREAM_CLOSED,
	STREAM_TERMINAL,
	STREAM_NOWHERE,
	STREAM_TEXT, /* read only: a file or a pipe's other end */
	STREAM_FILE, /* write only */
	STREAM_PIPE, /* write only: collects */
	STREAM_ZERO,
	STREAM_NOISE,
	STREAM_FULL,
};

struct stream {
	enum stream_kind kind;
	struct bytes text; /* TEXT: all of it */
	size_t at;         /* TEXT: read so far */
	struct vfs_change *file;
	struct bytes path;   /* of the file */
	struct arena *arena; /* PIPE: where it grows */
	uint8_t *collected;
	size_t len, room;
};

struct fds;

struct call {
	struct shell *shell;
	struct arena *arena; /* gone when the command ends */
	const char *name;
	const struct bytes *argv; /* argv[0] is the name as typed */
	size_t argc;
	const struct fds *fds;
	const struct applet *applet; /* NULL for a builtin */
};

void call_out(struct call *, struct bytes);
void call_say(struct call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "NAME: ..." and a line end on standard error. */
void call_error(struct call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void call_say_error(struct call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int call_usage(struct call *); /* BusyBox's usage text; returns 1 */
bool call_spend(struct call *, size_t steps);
struct stream *call_stream(struct call *, int fd);

/*
 * The whole of a file, or of standard input for "-".  0 or a negative errno.  Reading the
 * terminal gives nothing: the command is then remembered as the one that waits for input.
 */
int call_read(struct call *, struct bytes path, struct bytes *out);
/* The same for who only passes bytes on: they are not paid for here, but where they go. */
int call_open(struct call *, struct bytes path, struct bytes *out);
bool call_read_line(struct call *, struct stream *, struct bytes *line, bool *ended);
/* Creates or truncates a file and fills it. */
int call_write(struct call *, struct bytes path, struct bytes content);

/*
 * Options as getopt reads them: "abc:" with a value after ':'.  Each found sets a bit in
 * the order of the letters; values land in `values` by that order.  -1: unknown option,
 * and the usage was said.  Else the index of the first operand.
 */
int call_options(struct call *, const char *letters, uint32_t *set, struct bytes *values);

struct bytes call_operand(const struct call *, size_t i); /* empty beyond the last */
bool call_number(struct bytes text, int64_t *out);        /* decimal with sign */
struct persona_look call_look(struct call *);
uint64_t call_time_us(struct call *);
void call_delay(struct call *, uint64_t delay_ms);

bool stream_write(struct shell *, struct stream *, struct bytes); /* false: no room */
/* The stream reads or writes that file; 0 or a negative errno. */
int stream_open_read(struct shell *, struct arena *, struct bytes path, struct stream *);
int stream_open_write(struct shell *, struct bytes path, bool append, struct stream *);
struct bytes stream_read_all(struct shell *, struct stream *);
#define BYTES_FMT(b) (int)(b).len, (const char *)(b).at
