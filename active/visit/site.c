#include "active/visit/site_inner.h"
#include "base/address.h"

static struct bytes authority(struct bytes url)
{
	const size_t at = bytes_find(url, "://");
	if (at == url.len)
		return (struct bytes){0};
	struct bytes rest = {url.at + at + 3, url.len - at - 3};
	size_t end = 0;
	while (end < rest.len && !strchr("/?#\\", rest.at[end]))
		end++;
	rest.len = end;
	for (size_t i = rest.len; i-- > 0;)
		if (rest.at[i] == '@')
			return (struct bytes){rest.at + i + 1, rest.len - i - 1};
	return rest;
}

struct bytes site_host(struct bytes url)
{
	struct bytes a = authority(url);
	if (a.len && a.at[0] == '[') {
		const size_t end = bytes_find(a, "]");
		return end == a.len ? (struct bytes){0} : (struct bytes){a.at + 1, end - 1};
	}
	a.len = bytes_find(a, ":");
	return a;
}

unsigned site_port(struct bytes url)
{
	const struct bytes a = authority(url);
	uint64_t port = 0;
	const struct bytes host = site_host(url);
	const uint8_t *end = host.at ? host.at + host.len : NULL;
	if (!end)
		return 0;
	if (end < a.at + a.len && *end == ']')
		end++;
	if (end < a.at + a.len && *end == ':' &&
	    bytes_number((struct bytes){end + 1, (size_t)(a.at + a.len - end - 1)}, 65535, &port))
		return (unsigned)port;
	return bytes_start_with(url, "https:") || bytes_start_with(url, "wss:") ? 443
		: bytes_start_with(url, "http:") || bytes_start_with(url, "ws:") ? 80 : 0;
}

struct bytes site_registered(struct bytes host)
{
	struct address a;
	size_t labels = 0, dots[3] = {0};
	if (address_parse(host, &a))
		return host;
	for (size_t i = host.len; i-- > 0 && labels < 3;)
		if (host.at[i] == '.')
			dots[labels++] = i;
	if (labels < 2)
		return host;
	const size_t top = host.len - dots[0] - 1, second = dots[0] - dots[1] - 1;
	const bool deeper = top == 2 && second <= 3;
	if (deeper && labels < 3)
		return host;
	const size_t from = dots[deeper ? 2 : 1] + 1;
	return (struct bytes){host.at + from, host.len - from};
}

bool site_same(struct bytes url, struct bytes other)
{
	const struct bytes a = site_host(url), b = site_host(other);
	return !a.len || !b.len || bytes_equal(site_registered(a), site_registered(b));
}
