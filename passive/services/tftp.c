/*
 * TFTP: reads from the device's files and takes what is written there.
 *
 * A block of 512 bytes for an acknowledgement of four is amplification, so to a source that may
 * be forged the first block goes out and of later ones those that what it sent pays for.  What
 * is written costs the writer more than us, and is kept as a file once its last block is there.
 */
#include "base/options.h"
#include "passive/service.h"
#include "passive/device/vfs/vfs.h"

#define BLOCK 512
#define BLOCK_MAX 1024     /* that a client may ask for (RFC 2348) */
#define FILE_BYTES_MAX (256u << 10)
#define FIRST_ROOM 4096
#define NAME_BYTES 160
#define REPEATS 6 /* of a block that nobody acknowledges, by servers without a guard */

enum { READ = 1, WRITE, DATA, ACKNOWLEDGEMENT, ERROR, OPTIONS };
enum { NOT_FOUND = 1, ACCESS = 2, FULL = 3, ILLEGAL = 4 };
enum phase { PHASE_NONE, PHASE_READING, PHASE_WRITING };

struct tftp_device {
	const char *directory, *illegal, *missing;
	bool writable;
};

struct tftp {
	uint8_t phase;
	uint16_t block, size; /* the last one sent or taken; bytes of one */
	struct bytes file;    /* being read */
	uint8_t *room;        /* being written */
	size_t used, capacity;
	char name[NAME_BYTES];
};

struct request {
	char mode[12];
	uint64_t block, total;
	bool block_asked, total_asked;
};

static void say_error(struct session *s, uint16_t code, const char *text)
{
	uint8_t room[128];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, ERROR);
	write_u16(&w, code);
	write_text(&w, text);
	write_u8(&w, 0);
	if (writer_used(&w) <= session_answer_max(s))
		session_say_bytes(s, writer_bytes(&w));
}

static void say_block(struct session *s, struct tftp *t)
{
	uint8_t room[4 + BLOCK_MAX];
	struct writer w = writer_of(room, sizeof room);
	size_t from = (size_t)(t->block - 1u) * t->size;
	struct bytes part = {t->file.at + from, t->file.len - from};
	if (part.len > t->size)
		part.len = t->size;
	write_u16(&w, DATA);
	write_u16(&w, t->block);
	write_span(&w, part);
	session_would_say(s, writer_used(&w) * REPEATS);
	if (writer_used(&w) <= session_answer_max(s))
		session_say_bytes(s, writer_bytes(&w));
}

static void say_acknowledgement(struct session *s, uint16_t block)
{
	const uint8_t answer[] = {0, ACKNOWLEDGEMENT, (uint8_t)(block >> 8), (uint8_t)block};
	session_say_bytes(s, (struct bytes){answer, sizeof answer});
}

/* The options that are taken (RFC 2347); they stand for the first block or acknowledgement. */
static void say_options(struct session *s, const struct request *q, const struct tftp *t, uint64_t total)
{
	uint8_t room[96];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, OPTIONS);
	if (q->total_asked) {
		write_fmt(&w, "tsize%c%llu", 0, (unsigned long long)total);
		write_u8(&w, 0);
	}
	if (q->block_asked) {
		write_fmt(&w, "blksize%c%u", 0, t->size);
		write_u8(&w, 0);
	}
	if (writer_used(&w) <= session_answer_max(s))
		session_say_bytes(s, writer_bytes(&w));
}

static struct bytes text_read(struct reader *r)
{
	const uint8_t *end = memchr(r->at, 0, reader_left(r));
	struct bytes text = read_bytes(r, end ? (size_t)(end - r->at) : SIZE_MAX);
	read_u8(r);
	return text;
}

static bool request_read(struct reader *r, struct tftp *t, struct request *q)
{
	struct bytes name = text_read(r), mode = text_read(r);
	*q = (struct request){.block = BLOCK};
	if (!reader_ok(r) || !bytes_copy_text(name, t->name, sizeof t->name) ||
	    !bytes_copy_text(mode, q->mode, sizeof q->mode))
		return false;
	while (reader_left(r)) {
		struct bytes option = text_read(r), value = text_read(r);
		if (!reader_ok(r))
			break;
		if (bytes_equal_nocase(option, "blksize"))
			q->block_asked = bytes_number(value, 65464, &q->block) && q->block >= 8;
		if (bytes_equal_nocase(option, "tsize"))
			q->total_asked = bytes_number(value, UINT32_MAX, &q->total);
	}
	if (!q->block_asked)
		q->block = BLOCK;
	t->size = (uint16_t)(q->block > BLOCK_MAX ? BLOCK_MAX : q->block);
	return true;
}

/* As TFTP servers of devices find it: below their directory, else from the root. */
static bool file_find(struct session *s, const struct tftp_device *d, const char *name, struct bytes *out)
{
	struct vfs files;
	struct vfs_node node;
	struct vfs_status status;
	char path[VFS_PATH_MAX];
	if (!session_files(s, &files, NULL))
		return false;
	snprintf(path, sizeof path, "%s/%s", d->directory, name);
	if (vfs_find(&files, bytes_of_text(path), true, &node)) {
		snprintf(path, sizeof path, "/%s", name);
		if (vfs_find(&files, bytes_of_text(path), true, &node))
			return false;
	}
	vfs_stat(node, &status);
	return status.kind == VFS_FILE && session_content(s, node, session_arena(s), out) == 0;
}

static void read_request(struct session *s, struct tftp *t, const struct request *q)
{
	const struct tftp_device *d = session_device(s);
	t->block = 1;
	if (!file_find(s, d, t->name, &t->file)) {
		t->phase = PHASE_NONE;
		say_error(s, NOT_FOUND, d->missing);
		return;
	}
	t->phase = PHASE_READING;
	if (!q->block_asked && !q->total_asked) {
		say_block(s, t);
		return;
	}
	t->block = 0; /* the client acknowledges the options as block 0 */
	say_options(s, q, t, t->file.len);
}

static void write_request(struct session *s, struct tftp *t, const struct request *q)
{
	const struct tftp_device *d = session_device(s);
	t->phase = d->writable ? PHASE_WRITING : PHASE_NONE;
	t->block = 0;
	t->used = 0;
	if (!d->writable)
		say_error(s, ACCESS, "Access violation");
	else if (q->block_asked || q->total_asked)
		say_options(s, q, t, q->total);
	else
		say_acknowledgement(s, 0);
}

static void request(struct session *s, struct tftp *t, uint16_t operation, struct reader *r)
{
	struct request q;
	if (!request_read(r, t, &q))
		return;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, operation == READ ? BYTES("read") : BYTES("write"));
	event_set_bytes(e, FIELD_TARGET, bytes_of_text(t->name));
	struct bytes mode = bytes_of_text(q.mode);
	if (!bytes_equal_nocase(mode, "octet") && !bytes_equal_nocase(mode, "netascii"))
		say_error(s, ILLEGAL, "Unknown mode");
	else if (operation == READ)
		read_request(s, t, &q);
	else
		write_request(s, t, &q);
}

static bool room_for(struct session *s, struct tftp *t, size_t n)
{
	if (t->used + n <= t->capacity)
		return true;
	size_t grown = t->capacity ? t->capacity * 2 : FIRST_ROOM;
	uint8_t *room = grown <= FILE_BYTES_MAX ? arena_alloc(session_arena(s), grown) : NULL;
	if (!room)
		return false;
	if (t->used)
		memcpy(room, t->room, t->used);
	t->room = room;
	t->capacity = grown;
	return true;
}

/* It lies there for the next who looks, and is kept as evidence. */
static void file_written(struct session *s, const struct tftp *t)
{
	const struct tftp_device *d = session_device(s);
	struct bytes content = {t->used ? t->room : (const uint8_t *)"", t->used};
	struct vfs files;
	struct vfs_change *change = NULL;
	char path[VFS_PATH_MAX];
	session_capture(s, content, bytes_of_text(t->name), (struct bytes){0}, "tftp");
	snprintf(path, sizeof path, "%s/%s", d->directory, t->name);
	if (session_files(s, &files, NULL) &&
	    vfs_open(&files, bytes_of_text(path), VFS_TRUNCATE, 0644, &change) == 0 && change) {
		vfs_append(&files, change, content);
		vfs_set_taken(&files, change); /* it is evidence already */
	}
}

static void block_taken(struct session *s, struct tftp *t, uint16_t number, struct bytes part)
{
	if (number == t->block) /* once more: our acknowledgement was lost */
		say_acknowledgement(s, number);
	if (number != (uint16_t)(t->block + 1) || part.len > t->size)
		return;
	if (!room_for(s, t, part.len)) {
		t->phase = PHASE_NONE;
		say_error(s, FULL, "Disk full or allocation exceeded");
		return;
	}
	if (part.len)
		memcpy(t->room + t->used, part.at, part.len);
	t->used += part.len;
	t->block = number;
	say_acknowledgement(s, number);
	if (part.len < t->size) {
		t->phase = PHASE_NONE;
		file_written(s, t);
	}
}

/* A block shorter than others was the last; block 0 stands for the options. */
static void block_acknowledged(struct session *s, struct tftp *t, uint16_t number)
{
	if (number != t->block)
		return;
	if ((size_t)t->block * t->size > t->file.len || t->block == UINT16_MAX) {
		t->phase = PHASE_NONE;
		return;
	}
	t->block++;
	say_block(s, t);
}

static enum service_next tftp_input(struct session *s, void *state, struct reader *in)
{
	struct tftp *t = state;
	const struct tftp_device *d = session_device(s);
	uint16_t operation = read_u16(in);
	if (!reader_ok(in))
		return SERVICE_CONTINUE;
	if (operation == READ || operation == WRITE) {
		request(s, t, operation, in);
	} else if (operation == DATA || operation == ACKNOWLEDGEMENT) {
		uint16_t number = read_u16(in);
		struct bytes part = read_rest(in);
		if (operation == DATA && t->phase == PHASE_WRITING && reader_ok(in))
			block_taken(s, t, number, part);
		if (operation == ACKNOWLEDGEMENT && t->phase == PHASE_READING && reader_ok(in))
			block_acknowledged(s, t, number);
	} else if (operation == ERROR) {
		t->phase = PHASE_NONE;
	} else if (*d->illegal) {
		say_error(s, ILLEGAL, d->illegal);
	}
	return SERVICE_CONTINUE;
}

#define SEEN(method, target) "{\"kind\":\"request.seen\",\"request.method\":\"" method "\",\"request.target\":\"" target "\"}"

static bool tftp_claims_datagram(struct bytes first)
{
	struct reader r = reader_of_bytes(first);
	uint16_t operation = read_u16(&r);
	struct bytes rest = read_rest(&r);
	return (operation == READ || operation == WRITE) && rest.len > 3 && rest.at[0] > 32 && rest.at[0] < 127 &&
	       (bytes_find(rest, "octet") < rest.len || bytes_find(rest, "netascii") < rest.len);
}

static const struct exchange tftp_exchanges[] = {
        {"a file of the device", BYTES("\0\1etc/passwd\0octet\0"), BYTES("\0\3\0\1" "root:x:0:0:root:/:/bin/sh\n"),
         SEEN("read", "etc/passwd")},
        {"with options, which come first", BYTES("\0\1/etc/passwd\0octet\0tsize\0" "0\0blksize\0" "1428\0"),
         BYTES("\0\6tsize\0" "26\0blksize\0" "1024\0"), NULL},
        {"a file that is not there", BYTES("\0\1startup-config\0octet\0"), BYTES("\0\5\0\1File not found\0"),
         SEEN("read", "startup-config")},
        {"writing begins", BYTES("\0\2x.bin\0octet\0"), BYTES("\0\4\0\0"), SEEN("write", "x.bin")},
        {"a mode that is none", BYTES("\0\1x\0mail\0"), BYTES("\0\5\0\4Unknown mode\0"), NULL},
        {"what is no operation, as nmap asks", BYTES("\0\0\x10\0\0\0\0\0\0\0\0\0"), BYTES("\0\5\0\4Illegal operation\0"), ""},
        {"a name without an end", BYTES("\0\1x"), BYTES(""), ""},
        {"a block that nobody asked for", BYTES("\0\3\0\1abc"), BYTES(""), ""},
        {0},
};

static const struct option tftp_device_options[] = {
        {.name = "directory", .type = OPTION_TEXT, .offset = offsetof(struct tftp_device, directory),
         .fallback = "/tmp", .summary = "where names are looked for first, and what is written lies"},
        {.name = "illegal", .type = OPTION_TEXT, .offset = offsetof(struct tftp_device, illegal),
         .fallback = "Illegal operation", .summary = "error for an operation that is none; empty: silence"},
        {.name = "missing", .type = OPTION_TEXT, .offset = offsetof(struct tftp_device, missing),
         .fallback = "File not found", .summary = "error for a file that is not there"},
        {.name = "writable", .type = OPTION_BOOL, .offset = offsetof(struct tftp_device, writable),
         .fallback = "true", .summary = "whether files can be written"},
        {0},
};

static const struct service tftp = {
        .name = "tftp",
        .summary = "files of the device, and what is left there",
        .reference = "RFC 1350, 2347, 2348, 2349; the TFTP server of Cisco IOS",
        .transports = TRANSPORT_UDP,
        .ports = {69},
        .state_size = sizeof(struct tftp),
        .input_max = 2048,
        .output_max = 4096,
        .arena_max = 640 * 1024,
        .idle_ms_max = 30 * 1000,
        .session_ms_max = 600 * 1000,
        .device = tftp_device_options,
        .device_size = sizeof(struct tftp_device),
        .claims_datagram = tftp_claims_datagram,
        .input = tftp_input,
        .exchanges = tftp_exchanges,
};
SERVICE(tftp);
