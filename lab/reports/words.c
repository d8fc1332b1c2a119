/* What several reports write alike. */
#include "lab/story_inner.h"
#include "base/address.h"
#include <time.h>

bool endpoint_split(struct bytes endpoint, char host[ENDPOINT_HOST_MAX + 1], uint16_t *port)
{
	size_t colon = endpoint.len;
	while (colon && endpoint.at[colon - 1] != ':')
		colon--;
	uint64_t number;
	if (!colon || !bytes_number((struct bytes){endpoint.at + colon, endpoint.len - colon}, 65535, &number))
		return false;
	struct bytes name = {endpoint.at, colon - 1};
	if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
		name = (struct bytes){name.at + 1, name.len - 2};
	*port = (uint16_t)number;
	return name.len && bytes_copy_text(name, host, ENDPOINT_HOST_MAX + 1);
}

void write_time_ms(struct writer *w, uint64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	char text[32];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	write_fmt(w, "%s.%03uZ", text, (unsigned)(time_us / 1000 % 1000));
}

void write_hex(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		write_fmt(w, "%02x", b.at[i]);
}
