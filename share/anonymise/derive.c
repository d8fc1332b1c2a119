#include "share/anonymise/derive_inner.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define WHAT_FOR_MAX 512

void derive(struct bytes key, const char *salt, struct bytes what_for, uint8_t out[DERIVED_BYTES])
{
	uint8_t drawn[DERIVED_BYTES], text[WHAT_FOR_MAX + 1];
	unsigned len;
	struct writer w = writer_of(text, sizeof text);
	HMAC(EVP_sha256(), salt, (int)strlen(salt), key.at, key.len, drawn, &len); /* 2.2, extract */
	write_bytes(&w, what_for.at, what_for.len < WHAT_FOR_MAX ? what_for.len : WHAT_FOR_MAX);
	write_u8(&w, 1);
	HMAC(EVP_sha256(), drawn, sizeof drawn, text, writer_used(&w), out, &len); /* 2.3, the first block */
	OPENSSL_cleanse(drawn, sizeof drawn);
}
