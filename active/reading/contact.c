#include "active/reading/contact_inner.h"

#define BEFORE "kansoku; "

static struct bytes after(struct bytes b, const char *mark)
{
	size_t at = bytes_find(b, mark);
	if (at == b.len)
		return b;
	at += strlen(mark);
	return (struct bytes){b.at + at, b.len - at};
}

struct bytes contact_of(const struct probe_settings *s)
{
	struct bytes agent = bytes_of_text(s->agent ? s->agent : "");
	if (bytes_find(agent, BEFORE) == agent.len)
		return (struct bytes){0};
	struct bytes who = after(agent, BEFORE);
	if (bytes_start_with(who, "+"))
		who = after(who, "+");
	who.len = bytes_find(who, ")");
	return who;
}

static bool is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.';
}

struct bytes contact_host(const struct probe_settings *s)
{
	struct bytes who = after(contact_of(s), "://");
	size_t n = 0;
	who = after(who, "@");
	while (n < who.len && is_name(who.at[n]))
		n++;
	return n ? (struct bytes){who.at, n} : BYTES("kansoku.invalid");
}
