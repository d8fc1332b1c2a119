/*
 * VirusTotal, version 3 of its API: objects about addresses, names, files and URLs.
 *
 *   {name: vt, client: virustotal, url: "https://www.virustotal.com/api/v3/ip_addresses/{src}", asked: true, every: 15s, …}
 *
 * `every` keeps to the rate that a key has (four a minute for public ones); beyond it status 429 makes us wait.  A URL
 * is asked for as /urls/{indicator.value}: what stands there becomes the identifier that the API wants.
 */
#include "share/client.h"
#include "share/clients/answers_inner.h"
#include <ctype.h>

#define PAGES_MAX 100

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

/* The last part of the path without its percents (RFC 3986 2.1). */
static struct bytes decoded(const char *text, struct arena *arena)
{
	uint8_t *room = arena_alloc(arena, strlen(text) + 1);
	struct writer w = writer_of(room, room ? strlen(text) + 1 : 0);
	for (; *text && !strchr("/?", *text); text++) {
		const bool escaped = *text == '%' && digit(text[1]) >= 0 && digit(text[2]) >= 0;
		write_u8(&w, escaped ? (uint8_t)(digit(text[1]) << 4 | digit(text[2])) : (uint8_t)*text);
		text += escaped ? 2 : 0;
	}
	return writer_bytes(&w);
}

/* /urls/http%3A%2F%2F… with the identifier instead of the URL; NULL: it is another path, and right as it is. */
static const char *url_path(struct client_call *call)
{
	const char *url = client_url(call), *mark = strstr(url, "/urls/");
	struct arena *arena = client_arena(call);
	struct bytes value = mark ? decoded(mark + 6, arena) : (struct bytes){0};
	if (bytes_find(value, "://") == value.len)
		return NULL;
	struct bytes id = virustotal_url_id(value, arena);
	const size_t before = (size_t)(mark - url) + 6, after = 6 + strcspn(mark + 6, "/?");
	const size_t size = before + id.len + strlen(mark + after) + 1;
	char *path = arena_alloc(arena, size);
	if (path)
		snprintf(path, size, "%.*s%.*s%s", (int)before, url, (int)id.len, (const char *)id.at, mark + after);
	return path;
}

static int turn(struct client_call *call, struct fault *fault)
{
	const char *const headers[] = {"Accept: application/json", client_header(call, "x-apikey: ", client_key(call)), NULL};
	struct client_request r = {.path = url_path(call), .headers = headers};
	const uint64_t pages = client_number(call, "pages", 1, PAGES_MAX);
	struct client_answer a;
	for (uint64_t n = 0; n < pages && !client_stopped(call); n++) {
		int bad = client_http(call, &r, &a, fault);
		if (!bad && a.status == 404) /* an object that nobody sent in is no failure */
			return 0;
		bad = bad ? bad : client_refused(&a, fault);
		if (bad)
			return bad;
		struct bytes next = virustotal_next(a.body, client_arena(call));
		if (!client_take(call, a.body, NULL))
			return fault_set(fault, ERR_GONE, "its answer was not taken");
		if (!next.len || !(r.path = arena_text(client_arena(call), next)))
			return 0;
	}
	return 0;
}

static const struct client_option options[] = {
	{"pages", "of a list, how many pages are read: 1 to 100; 1 without it"},
	{0},
};

static const struct client virustotal_client = {
	.name = "virustotal",
	.summary = "objects about an address, name, file or URL: looks up the URL, which may hold a field of an event",
	.reference = "VirusTotal API version 3",
	.format = "virustotal",
	.key = "the API key",
	.options = options,
	.asks = true,
	.turn = turn,
};
CLIENT(virustotal_client);
