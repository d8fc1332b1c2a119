#include "active/visit/dns_inner.h"
#include <ctype.h>
#include <strings.h>

#define NAME_MAX_BYTES 254
#define LABEL_MAX 63
#define ALIASES_MAX 16
#define JUMPS_MAX 32
#define RECORDS_MAX 128
#define CLASS_IN 1
#define TYPE_CNAME 5
#define TYPE_OPT 41
#define FLAG_ANSWER 0x8000
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION 0x0100

int dns_question_write(struct writer *w, uint16_t id, const char *name, uint16_t type)
{
	const size_t len = strlen(name);
	if (!len || len >= NAME_MAX_BYTES)
		return ERR_BAD;
	write_u16(w, id);
	write_u16(w, FLAG_RECURSION);
	write_u16(w, 1);
	write_zero(w, 4);
	write_u16(w, 1);
	while (*name) {
		const size_t label = strcspn(name, ".");
		if (!label || label > LABEL_MAX)
			return ERR_BAD;
		write_u8(w, (uint8_t)label);
		write_bytes(w, name, label);
		name += label + (name[label] == '.');
	}
	write_u8(w, 0);
	write_u16(w, type);
	write_u16(w, CLASS_IN);
	write_u8(w, 0); /* OPT: the root, its type, what we can take */
	write_u16(w, TYPE_OPT);
	write_u16(w, DNS_UDP_MAX);
	write_zero(w, 4 + 2);
	return w->bad ? ERR_FULL : 0;
}

/* A name with its pointers followed, as text without the last dot; the reader ends behind it. */
static bool read_name(struct reader *r, struct bytes message, char out[NAME_MAX_BYTES + 1])
{
	struct reader at = *r;
	bool jumped = false;
	size_t n = 0;
	for (unsigned jumps = 0;;) {
		const uint8_t len = read_u8(&at);
		if (!reader_ok(&at))
			return false;
		if ((len & 0xc0) == 0xc0) {
			const size_t offset = (size_t)(len & 0x3f) << 8 | read_u8(&at);
			if (!reader_ok(&at) || offset >= message.len || ++jumps > JUMPS_MAX)
				return false;
			if (!jumped)
				*r = at;
			jumped = true;
			at = reader_of(message.at + offset, message.len - offset);
			continue;
		}
		if (!len)
			break;
		struct bytes label = read_bytes(&at, len);
		if (len > LABEL_MAX || !reader_ok(&at) || n + len + 1 > NAME_MAX_BYTES || memchr(label.at, 0, label.len))
			return false;
		if (n)
			out[n++] = '.';
		memcpy(out + n, label.at, label.len);
		n += label.len;
	}
	out[n] = '\0';
	if (!jumped)
		*r = at;
	return true;
}

struct record {
	char owner[NAME_MAX_BYTES + 1], alias[NAME_MAX_BYTES + 1];
	uint16_t type, class;
	uint32_t ttl_s;
	struct bytes value;
};

static bool read_record(struct reader *r, struct bytes message, struct record *out)
{
	if (!read_name(r, message, out->owner))
		return false;
	out->type = read_u16(r);
	out->class = read_u16(r);
	out->ttl_s = read_u32(r);
	const uint16_t len = read_u16(r);
	struct reader value = *r;
	out->value = read_bytes(r, len);
	out->alias[0] = '\0';
	if (!reader_ok(r))
		return false;
	return out->type != TYPE_CNAME || read_name(&value, message, out->alias);
}

static void take_address(struct dns_answer *out, const struct record *record, uint16_t type)
{
	if (out->count == DNS_ADDRESSES_MAX)
		return;
	struct address *a = &out->addresses[out->count];
	if (type == DNS_A && record->value.len == 4) {
		struct reader r = reader_of_bytes(record->value);
		*a = address_v4(read_u32(&r));
		out->count++;
	} else if (type == DNS_AAAA && record->value.len == sizeof a->b) {
		memcpy(a->b, record->value.at, sizeof a->b);
		out->count++;
	}
}

/* One pass over the answers with that name: its addresses, or the name that it is an alias of. */
static bool follow(struct bytes message, struct reader answers, unsigned count, uint16_t type,
		   char name[NAME_MAX_BYTES + 1], struct dns_answer *out)
{
	struct record record;
	char alias[NAME_MAX_BYTES + 1] = "";
	for (unsigned i = 0; i < count; i++) {
		if (!read_record(&answers, message, &record))
			return false;
		if (record.class != CLASS_IN || strcasecmp(record.owner, name))
			continue;
		if (record.type == type)
			take_address(out, &record, type);
		if (record.type == TYPE_CNAME)
			memcpy(alias, record.alias, sizeof alias);
		if ((record.type == type || record.type == TYPE_CNAME) && record.ttl_s < out->ttl_s)
			out->ttl_s = record.ttl_s;
	}
	if (!alias[0] || out->count)
		return false;
	memcpy(name, alias, sizeof alias);
	return true;
}

int dns_answer_read(struct bytes message, uint16_t id, const char *name, uint16_t type, struct dns_answer *out)
{
	struct dns_answer answer = {.ttl_s = UINT32_MAX};
	struct reader r = reader_of_bytes(message);
	char asked[NAME_MAX_BYTES + 1];
	const bool same_id = read_u16(&r) == id;
	const uint16_t flags = read_u16(&r), questions = read_u16(&r), count = read_u16(&r);
	read_bytes(&r, 4);
	if (!reader_ok(&r) || !same_id || !(flags & FLAG_ANSWER) || questions != 1 || !read_name(&r, message, asked))
		return ERR_BAD;
	const bool same = read_u16(&r) == type && read_u16(&r) == CLASS_IN;
	const size_t len = strlen(name);
	const bool dot = len && name[len - 1] == '.';
	if (!reader_ok(&r) || !same || strlen(asked) != len - dot || strncasecmp(asked, name, len - dot))
		return ERR_BAD;
	answer.code = flags & 0xf;
	answer.truncated = flags & FLAG_TRUNCATED;
	for (unsigned i = 0; i < ALIASES_MAX && count <= RECORDS_MAX; i++)
		if (!follow(message, r, count, type, asked, &answer))
			break;
	*out = answer;
	return 0;
}

static bool ends_with(struct bytes name, const char *suffix)
{
	const size_t n = strlen(suffix);
	return name.len >= n && bytes_equal_nocase((struct bytes){name.at + name.len - n, n}, suffix);
}

bool dns_name_is_private(const char *name)
{
	static const char *const suffixes[] = {".localhost", ".local", ".onion", ".internal", ".arpa", ".invalid"};
	struct bytes b = bytes_of_text(name);
	if (b.len && b.at[b.len - 1] == '.')
		b.len--;
	if (!b.len || !memchr(b.at, '.', b.len))
		return true;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (ends_with(b, suffixes[i]))
			return true;
	return false;
}
