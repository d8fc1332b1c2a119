/* The audit's chain: each line names the digest of the one before. */
#include "share/access/audit_inner.h"
#include <errno.h>
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 65536

void audit_digest(struct bytes line, uint8_t out[AUDIT_DIGEST]) { SHA256(line.at, line.len, out); }

static bool hex_read(struct bytes text, uint8_t out[AUDIT_DIGEST])
{
	if (text.len != 2 * AUDIT_DIGEST)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.at[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		const uint8_t digit = c <= '9' ? (uint8_t)(c - '0') : (uint8_t)(c - 'a' + 10);
		out[i / 2] = i % 2 ? (uint8_t)(out[i / 2] | digit) : (uint8_t)(digit << 4);
	}
	return true;
}

bool audit_line_read(struct bytes line, struct audit_head *head)
{
	static const char before[] = ",\"before\":\"";
	struct reader r = reader_of_bytes(line);
	if (!bytes_equal(read_bytes(&r, 5), BYTES("{\"n\":")))
		return false;
	const struct bytes rest = {r.at, reader_left(&r)};
	const size_t digits = bytes_find(rest, ",");
	if (!bytes_number((struct bytes){rest.at, digits}, UINT64_MAX, &head->number))
		return false;
	read_bytes(&r, digits);
	return bytes_equal(read_bytes(&r, sizeof before - 1), BYTES(",\"before\":\"")) &&
	       hex_read(read_bytes(&r, 2 * AUDIT_DIGEST), head->digest);
}

struct verification {
	struct audit_head last, wanted;
	bool met;
	void (*each)(void *arg, struct bytes);
	void *arg;
};

static int line_verify(struct verification *v, struct bytes line, struct fault *fault)
{
	struct audit_head head;
	const unsigned long long number = (unsigned long long)v->last.number + 1;
	if (!audit_line_read(line, &head))
		return fault_set(fault, ERR_BAD, "line %llu is none of the audit", number);
	if (head.number != number)
		return fault_set(fault, ERR_BAD, "line %llu has the number %llu: lines are missing or were put in", number,
				 (unsigned long long)head.number);
	if (memcmp(head.digest, v->last.digest, AUDIT_DIGEST))
		return fault_set(fault, ERR_BAD, "line %llu does not follow the one before it: one of them was changed", number);
	v->last.number = number;
	audit_digest(line, v->last.digest);
	if (number == v->wanted.number) {
		v->met = true;
		if (memcmp(v->last.digest, v->wanted.digest, AUDIT_DIGEST))
			return fault_set(fault, ERR_BAD, "line %llu is not the one whose digest was noted", number);
	}
	if (v->each)
		v->each(v->arg, line);
	return 0;
}

/* Takes the whole lines out of the buffer. */
static int lines_verify(struct verification *v, struct buffer *b, struct fault *fault)
{
	int bad = 0;
	struct bytes left = buffer_bytes(b);
	while (!bad && left.len) {
		const uint8_t *end = memchr(left.at, '\n', left.len);
		if (!end)
			break;
		const size_t len = (size_t)(end - left.at);
		bad = line_verify(v, (struct bytes){left.at, len}, fault);
		buffer_consume(b, len + 1);
		left = buffer_bytes(b);
	}
	if (!bad && left.len > AUDIT_LINE_MAX)
		bad = fault_set(fault, ERR_BAD, "line %llu is too long", (unsigned long long)v->last.number + 1);
	return bad;
}

int audit_verify(int fd, struct audit_head *head, void (*each)(void *arg, struct bytes line), void *arg, struct fault *fault)
{
	struct verification v = {.wanted = *head, .each = each, .arg = arg};
	struct buffer b = BUFFER(READ_BYTES + AUDIT_LINE_MAX + 1);
	int bad = 0;
	for (;;) {
		uint8_t *room = buffer_room(&b, READ_BYTES);
		const ssize_t n = room ? read(fd, room, READ_BYTES) : -1;
		if (n < 0)
			bad = fault_set(fault, ERR_SYSTEM, "%s", strerror(room ? errno : ENOMEM));
		if (n <= 0)
			break;
		buffer_grown(&b, (size_t)n);
		bad = lines_verify(&v, &b, fault);
		if (bad)
			break;
	}
	if (!bad && buffer_len(&b))
		bad = fault_set(fault, ERR_BAD, "line %llu is not whole", (unsigned long long)v.last.number + 1);
	if (!bad && v.wanted.number && !v.met)
		bad = fault_set(fault, ERR_BAD, "it ends with line %llu: line %llu, whose digest was noted, is gone",
				(unsigned long long)v.last.number, (unsigned long long)v.wanted.number);
	buffer_done(&b);
	*head = v.last;
	return bad;
}
