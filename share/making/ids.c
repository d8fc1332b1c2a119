/* Names of objects: UUIDs from what they are. */
#include "share/making/stix_making_inner.h"
#include <openssl/sha.h>

/* STIX 2.1, 2.9. */
static const uint8_t observables[16] = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
					0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
/* Drawn once; the standard wants another one than its own for everything else. */
static const uint8_t ours[16] = {0x6b, 0x61, 0x6e, 0x73, 0x6f, 0x6b, 0x45, 0x75,
				 0x8f, 0x1c, 0x5d, 0x02, 0xa7, 0xd9, 0x33, 0xe4};

void uuid_of_name(const uint8_t space[16], struct bytes name, char out[UUID_TEXT_MAX])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t digest[SHA_DIGEST_LENGTH];
	uint8_t room[4096];
	struct writer w = writer_of(room, sizeof room);
	write_bytes(&w, space, 16);
	/* A name that is longer than any of ours is named by its digest. */
	if (name.len > writer_left(&w))
		SHA256(name.at, name.len, w.at), w.at += SHA256_DIGEST_LENGTH;
	else
		write_span(&w, name);
	SHA1(room, writer_used(&w), digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[digest[i] >> 4];
		*out++ = hex[digest[i] & 15];
	}
	*out = '\0';
}

void write_canonical_string(struct writer *w, struct bytes b)
{
	static const char short_of[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	write_u8(w, '"');
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c == '"' || c == '\\')
			write_bytes(w, (uint8_t[]){'\\', c}, 2);
		else if (c < sizeof short_of && short_of[c])
			write_bytes(w, (uint8_t[]){'\\', (uint8_t)short_of[c]}, 2);
		else if (c < 0x20)
			write_fmt(w, "\\u%04x", c);
		else
			write_u8(w, c);
	}
	write_u8(w, '"');
}

static void id_with(const char *type, const uint8_t space[16], struct bytes name, char out[STIX_ID_MAX])
{
	char uuid[UUID_TEXT_MAX];
	uuid_of_name(space, name, uuid);
	snprintf(out, STIX_ID_MAX, "%s--%s", type, uuid);
}

void making_observable_id(const char *type, struct bytes canonical, char out[STIX_ID_MAX])
{
	id_with(type, observables, canonical, out);
}

void making_own_id(const char *type, struct bytes seed, char out[STIX_ID_MAX]) { id_with(type, ours, seed, out); }

const char *making_marking_id(enum tlp tlp)
{
	static const char *const ids[] = {
		[TLP_CLEAR] = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
		[TLP_GREEN] = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
		[TLP_AMBER] = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
		[TLP_AMBER_STRICT] = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
		[TLP_RED] = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
	};
	return ids[tlp];
}

/* STIX 2.1, 3.2: `created` and `modified` are precise to the millisecond. */
char *making_time(uint64_t time_us, char text[TIME_TEXT_MAX])
{
	time_format(time_us, text);
	size_t n = strlen(text);
	if (n == 27) {
		text[23] = 'Z';
		text[24] = '\0';
	}
	return text;
}
