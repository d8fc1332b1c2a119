/*
 * What is in a message (RFC 5322, MIME: RFC 2045 to 2047, 2183): its subject, the URLs in its
 * text, the files attached to it.
 *
 * Bounded in all: parts, depth, URLs, files and the bytes that are decoded.  What breaks the
 * format is read as mail programs do, as far as it makes sense.
 */
#pragma once
#include "base/arena.h"

#define MESSAGE_PARTS_MAX 64
#define MESSAGE_DEPTH_MAX 6
#define MESSAGE_URLS_MAX 32
#define MESSAGE_URL_MAX 512
#define MESSAGE_FILES_MAX 16
#define MESSAGE_TEXT_MAX 256 /* of a subject or a file's name, decoded */

struct message_file {
	struct bytes name, content;
	uint8_t name_room[MESSAGE_TEXT_MAX];
};

struct message {
	struct bytes subject, agent; /* User-Agent or X-Mailer */
	uint8_t subject_room[MESSAGE_TEXT_MAX];
	struct bytes urls[MESSAGE_URLS_MAX];
	size_t url_count;
	struct message_file files[MESSAGE_FILES_MAX];
	size_t file_count;
	struct writer decoded; /* room for what is decoded, of whom calls; raw.len is always enough */
	size_t part_count;
};

/* The spans point into `raw` and into the room. */
void message_read(struct message *, struct bytes raw, void *room, size_t size);

/* A field of the head by name, with its folds; false: there is none. */
bool message_field(struct bytes head, const char *name, struct bytes *value);
/* Where the body begins: behind the first empty line, else at the end. */
size_t message_head_length(struct bytes raw);
/* Without folds, and encoded words (RFC 2047) decoded. */
void message_text(struct bytes raw, struct writer *);
