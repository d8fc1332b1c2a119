/*
 * What a visit reads from outside: URLs, a browser's words to the proxy, name servers' answers, pages.
 * The first byte chooses; what a URL is written as is read again as itself.
 */
#include "active/visit/dns_inner.h"
#include "active/visit/handshake_inner.h"
#include "active/visit/html_inner.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void try_url(struct bytes text, const struct url *base)
{
	struct url url, again;
	char one[URL_TEXT_MAX], two[URL_TEXT_MAX];
	if (url_parse(text, base, &url))
		return;
	assert(url.port && url.path[0] == '/' && url.host[0]);
	/* Percent signs make a path longer; one that is too long then is refused, never cut. */
	if (url_parse(bytes_of_text(url_format(&url, one)), NULL, &again) == 0)
		assert(!strcmp(one, url_format(&again, two)) && again.numeric == url.numeric);
}

static void try_handshake(struct bytes input)
{
	static uint8_t head[HANDSHAKE_MAX];
	struct handshake h = {.greeted = false};
	for (int rounds = 0; rounds < 4; rounds++) {
		const enum handshake_state state = handshake_read(&h, input, head);
		assert(state != HANDSHAKE_GO || (h.port && h.host[0] && h.used <= input.len));
		if (state != HANDSHAKE_GREET)
			return;
		assert(h.used && h.used <= input.len);
		input = (struct bytes){input.at + h.used, input.len - h.used};
	}
}

static void on_finding(void *arg, const struct html_finding *f)
{
	const struct url *base = arg;
	assert(f->url.len > 0 && f->url.len <= URL_MAX);
	try_url(f->url, base);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct html_summary summary;
	struct dns_answer answer;
	struct url base;
	if (!size || url_parse(BYTES("http://a.example/b/c?d"), NULL, &base))
		return 0;
	const struct bytes input = {bytes + 1, size - 1};
	switch (bytes[0] % 5) {
	case 0:
		try_url(input, NULL);
		break;
	case 1:
		try_url(input, &base);
		break;
	case 2:
		try_handshake(input);
		break;
	case 3:
		if (size > 3 && dns_answer_read(input, (uint16_t)(input.at[0] << 8 | input.at[1]), "a.example", DNS_A, &answer) == 0)
			assert(answer.count <= DNS_ADDRESSES_MAX);
		break;
	default:
		html_read(input, on_finding, &base, &summary);
		assert(bytes_is_utf8(bytes_of_text(summary.title)));
		url_find(input);
	}
	return 0;
}
