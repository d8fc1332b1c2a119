#include "passive/device/tls/hello.h"
#include <openssl/evp.h>
#include <stdlib.h>

#define LIST_MAX 512 /* ciphers, or extensions: no client has so many */
#define TEXT_MAX (LIST_MAX * 6 * 2 + 512)

enum { EXTENSION_NAME = 0, EXTENSION_GROUPS = 10, EXTENSION_POINTS = 11, EXTENSION_SIGNATURES = 13,
       EXTENSION_ALPN = 16, EXTENSION_VERSIONS = 43 };

struct list {
	size_t count;
	uint16_t items[LIST_MAX];
};

struct offer { /* without GREASE */
	uint16_t version, version_highest;
	struct list ciphers, extensions, groups, points, signatures;
	bool named;
	struct bytes name, alpn;
};

static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void list_add(struct list *l, uint16_t v)
{
	if (!is_grease(v) && l->count < LIST_MAX)
		l->items[l->count++] = v;
}

static void read_list(struct reader *r, size_t bytes, struct list *l)
{
	struct reader in = reader_of(read_bytes(r, bytes).at, reader_ok(r) ? bytes : 0);
	while (reader_left(&in) >= 2)
		list_add(l, read_u16(&in));
}

/* RFC 6066 3: a list of names, each with a type; the first host name counts. */
static void read_name(struct reader *r, struct offer *o)
{
	o->named = true;
	read_u16(r);
	uint8_t type = read_u8(r);
	struct bytes name = read_bytes(r, read_u16(r));
	if (reader_ok(r) && type == 0 && name.len <= TLS_NAME_MAX)
		o->name = name;
}

static void read_versions(struct reader *r, struct offer *o)
{
	read_u8(r);
	o->version_highest = 0;
	while (reader_left(r) >= 2) {
		uint16_t v = read_u16(r);
		if (!is_grease(v) && v > o->version_highest)
			o->version_highest = v;
	}
}

static void read_extension(uint16_t type, struct bytes body, struct offer *o)
{
	struct reader r = reader_of(body.at, body.len);
	list_add(&o->extensions, type);
	switch (type) {
	case EXTENSION_NAME:
		read_name(&r, o);
		break;
	case EXTENSION_GROUPS:
		read_list(&r, read_u16(&r), &o->groups);
		break;
	case EXTENSION_POINTS:
		for (size_t n = read_u8(&r); n && reader_left(&r) && o->points.count < LIST_MAX; n--)
			o->points.items[o->points.count++] = read_u8(&r);
		break;
	case EXTENSION_SIGNATURES:
		read_list(&r, read_u16(&r), &o->signatures);
		break;
	case EXTENSION_ALPN:
		o->alpn = read_bytes(&r, read_u16(&r));
		if (!reader_ok(&r))
			o->alpn = (struct bytes){0};
		break;
	case EXTENSION_VERSIONS:
		read_versions(&r, o);
		break;
	}
}

/* RFC 8446 4.1.2; false when it breaks its own lengths. */
static bool read_offer(struct bytes message, struct offer *o)
{
	struct reader r = reader_of(message.at, message.len);
	o->version = o->version_highest = read_u16(&r);
	read_bytes(&r, 32);
	read_bytes(&r, read_u8(&r));
	read_list(&r, read_u16(&r), &o->ciphers);
	read_bytes(&r, read_u8(&r));
	if (!reader_ok(&r))
		return false;
	if (reader_left(&r) == 0)
		return true; /* SSL 3 and TLS 1.0 know hellos without extensions */
	struct bytes all = read_bytes(&r, read_u16(&r));
	struct reader in = reader_of(all.at, reader_ok(&r) ? all.len : 0);
	while (reader_ok(&in) && reader_left(&in)) {
		uint16_t type = read_u16(&in);
		struct bytes body = read_bytes(&in, read_u16(&in));
		if (reader_ok(&in))
			read_extension(type, body, o);
	}
	return reader_ok(&r) && reader_ok(&in);
}

static void digest_text(const EVP_MD *kind, struct bytes b, char *out, size_t letters)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	if (!EVP_Digest(b.at, b.len, digest, NULL, kind, NULL))
		letters = 0; /* a library that refuses MD5: then there is no JA3 */
	for (size_t i = 0; i < letters; i++)
		out[i] = digits[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
	out[letters] = '\0';
}

static void write_decimal(struct writer *w, const struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		write_fmt(w, "%s%u", i ? "-" : "", l->items[i]);
}

static void write_ja3(const struct offer *o, char out[TLS_JA3_TEXT])
{
	char text[4 * TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "%u,", o->version);
	write_decimal(&w, &o->ciphers);
	write_text(&w, ",");
	write_decimal(&w, &o->extensions);
	write_text(&w, ",");
	write_decimal(&w, &o->groups);
	write_text(&w, ",");
	write_decimal(&w, &o->points);
	digest_text(EVP_md5(), writer_bytes(&w), out, TLS_JA3_TEXT - 1);
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void write_hex(struct writer *w, const struct list *l, bool sorted, bool plain)
{
	uint16_t items[LIST_MAX];
	size_t count = 0;
	for (size_t i = 0; i < l->count; i++)
		if (plain || (l->items[i] != EXTENSION_NAME && l->items[i] != EXTENSION_ALPN))
			items[count++] = l->items[i];
	if (sorted)
		qsort(items, count, sizeof *items, by_value);
	for (size_t i = 0; i < count; i++)
		write_fmt(w, "%s%04x", i ? "," : "", items[i]);
}

static void write_part(struct writer *w, struct bytes text)
{
	char digest[13] = "000000000000";
	if (text.len)
		digest_text(EVP_sha256(), text, digest, 12);
	write_text(w, digest);
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last letter of the first name; of its hexadecimal form when they are no letters. */
static void write_alpn_letters(struct writer *w, struct bytes alpn)
{
	struct reader r = reader_of(alpn.at, alpn.len);
	struct bytes name = read_bytes(&r, read_u8(&r));
	if (!reader_ok(&r) || name.len == 0) {
		write_text(w, "00");
		return;
	}
	uint8_t first = name.at[0], last = name.at[name.len - 1];
	if (is_alphanumeric(first) && is_alphanumeric(last))
		write_fmt(w, "%c%c", first, last);
	else
		write_fmt(w, "%x%x", first >> 4, last & 15);
}

static const char *version_letters(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default:
		return "00";
	}
}

static unsigned two_digits(size_t n)
{
	return n > 99 ? 99 : (unsigned)n;
}

static void write_ja4(const struct offer *o, char out[TLS_JA4_TEXT])
{
	char text[2 * TEXT_MAX];
	struct writer w = writer_of(out, TLS_JA4_TEXT - 1), t = writer_of(text, sizeof text);
	write_fmt(&w, "t%s%c%02u%02u", version_letters(o->version_highest), o->named ? 'd' : 'i',
	          two_digits(o->ciphers.count), two_digits(o->extensions.count));
	write_alpn_letters(&w, o->alpn);
	write_text(&w, "_");
	write_hex(&t, &o->ciphers, true, true);
	write_part(&w, writer_bytes(&t));
	write_text(&w, "_");
	t = writer_of(text, sizeof text);
	write_hex(&t, &o->extensions, true, false);
	if (o->signatures.count) {
		write_text(&t, "_");
		write_hex(&t, &o->signatures, false, true);
	}
	write_part(&w, o->extensions.count ? writer_bytes(&t) : (struct bytes){0});
	*w.at = '\0';
}

/* Joins the pieces of the message; it lies in the stream when it came whole (the usual case). */
static enum tls_hello_found message_find(struct bytes stream, uint8_t *scratch, struct bytes *message)
{
	struct reader r = reader_of(stream.at, stream.len);
	size_t have = 0;
	for (;;) {
		if (reader_left(&r) && *r.at != 22)
			return TLS_HELLO_NONE;
		if (reader_left(&r) < 5)
			return TLS_HELLO_MORE;
		read_u8(&r);
		uint8_t major = read_u8(&r);
		read_u8(&r);
		uint16_t length = read_u16(&r);
		if (major != 3 || length == 0 || length > TLS_HELLO_MAX)
			return TLS_HELLO_NONE;
		bool cut = reader_left(&r) < length;
		struct bytes piece = read_bytes(&r, cut ? reader_left(&r) : length);
		struct bytes all = {scratch, have + piece.len};
		if (have == 0)
			all.at = piece.at;
		else if (all.len <= TLS_HELLO_MAX && piece.len)
			memcpy(scratch + have, piece.at, piece.len);
		if (all.len > TLS_HELLO_MAX || (all.len && all.at[0] != 1))
			return TLS_HELLO_NONE;
		struct reader head = reader_of(all.at, all.len);
		size_t whole = (size_t)(read_u32(&head) & 0xffffff);
		if (reader_ok(&head) && whole + 4 > TLS_HELLO_MAX)
			return TLS_HELLO_NONE;
		if (reader_ok(&head) && reader_left(&head) >= whole) {
			*message = (struct bytes){all.at + 4, whole};
			return TLS_HELLO_WHOLE;
		}
		if (cut)
			return TLS_HELLO_MORE;
		if (have == 0 && piece.len)
			memcpy(scratch, piece.at, piece.len);
		have = all.len;
	}
}

enum tls_hello_found tls_hello_read(struct bytes stream, uint8_t *scratch, struct tls_hello *out)
{
	struct bytes message;
	struct offer o = {0};
	enum tls_hello_found found = message_find(stream, scratch, &message);
	if (found != TLS_HELLO_WHOLE)
		return found;
	if (!read_offer(message, &o))
		return TLS_HELLO_NONE;
	*out = (struct tls_hello){.version = o.version_highest, .name = o.name, .alpn = o.alpn};
	write_ja3(&o, out->ja3);
	write_ja4(&o, out->ja4);
	return TLS_HELLO_WHOLE;
}

void tls_alpn_write(struct bytes alpn, struct writer *w)
{
	struct reader r = reader_of(alpn.at, alpn.len);
	for (bool first = true; reader_left(&r); first = false) {
		struct bytes name = read_bytes(&r, read_u8(&r));
		if (!reader_ok(&r))
			return;
		write_text(w, first ? "" : ",");
		write_span(w, name);
	}
}
