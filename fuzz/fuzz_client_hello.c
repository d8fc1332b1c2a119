/* Any bytes as what a client of TLS says first. */
#include "passive/device/tls/hello.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static uint8_t scratch[TLS_HELLO_MAX];
	uint8_t names[256];
	struct tls_hello h;
	if (tls_hello_read((struct bytes){at, n}, scratch, &h) != TLS_HELLO_WHOLE)
		return 0;
	struct writer w = writer_of(names, sizeof names);
	tls_alpn_write(h.alpn, &w);
	if (strlen(h.ja4) != TLS_JA4_TEXT - 1 || h.name.len > TLS_NAME_MAX)
		abort();
	return 0;
}
