#include "lab/reports/identifier_inner.h"
#include "lab/analyser.h"
#include <openssl/evp.h>
#include <stdlib.h>

#define UUID_BYTES 16
#define CONTRIBUTING_MAX (8 * INDICATOR_VALUE_MAX)

/* 00abedb4-aa42-466c-9c01-fed23315a9b7, STIX 2.1 2.9 */
static const uint8_t of_stix[UUID_BYTES] = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
					    0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
/* Drawn once. */
static const uint8_t of_ours[UUID_BYTES] = {0x6b, 0x61, 0x6e, 0x73, 0x6f, 0x6b, 0x45, 0x75,
					    0x9c, 0x1d, 0x7e, 0x42, 0x0b, 0xd1, 0x53, 0xe8};

static struct stix_id identifier(const char *type, const uint8_t namespace[UUID_BYTES], struct bytes name)
{
	struct stix_id id = {""};
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool made = c && EVP_DigestInit_ex(c, EVP_sha1(), NULL) && EVP_DigestUpdate(c, namespace, UUID_BYTES) &&
		    EVP_DigestUpdate(c, name.at, name.len) && EVP_DigestFinal_ex(c, digest, NULL);
	EVP_MD_CTX_free(c);
	if (!made)
		abort(); /* SHA-1 without a key cannot fail but for memory; a wrong identifier would be worse */
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	struct writer w = writer_of(id.text, sizeof id.text - 1);
	write_fmt(&w, "%s--", type);
	for (size_t i = 0; i < UUID_BYTES; i++)
		write_fmt(&w, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", digest[i]);
	return id;
}

struct stix_id stix_observable(const char *type, struct bytes contributing)
{
	return identifier(type, of_stix, contributing);
}

struct stix_id stix_object(const char *type, const char *about)
{
	return identifier(type, of_ours, bytes_of_text(about));
}

void write_canonical(struct writer *w, struct bytes b)
{
	static const char escapes[] = "btn\0fr"; /* of U+0008 to U+000D */
	bool utf8 = bytes_is_utf8(b);
	write_u8(w, '"');
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c == '"' || c == '\\')
			write_bytes(w, (uint8_t[]){'\\', c}, 2);
		else if (c >= 8 && c <= 13 && c != 11)
			write_bytes(w, (uint8_t[]){'\\', (uint8_t)escapes[c - 8]}, 2);
		else if (c < 0x20)
			write_fmt(w, "\\u%04x", c);
		else if (c < 0x80 || utf8)
			write_u8(w, c);
		else
			write_bytes(w, (uint8_t[]){(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))}, 2);
	}
	write_u8(w, '"');
}

struct stix_id stix_observable_of(const char *type, const char *property, struct bytes value)
{
	char text[CONTRIBUTING_MAX];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "{\"%s\":", property);
	write_canonical(&w, value);
	write_text(&w, "}");
	return stix_observable(type, writer_bytes(&w));
}
