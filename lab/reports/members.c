#include "lab/reports/members_inner.h"
#include "lab/story_inner.h"

struct members members_begin(struct writer *w, char open)
{
	write_u8(w, (uint8_t)open);
	return (struct members){w, open == '{' ? '}' : ']', false};
}

void members_end(struct members *m) { write_u8(m->w, (uint8_t)m->close); }

static void name_it(struct members *m, const char *name)
{
	if (m->more)
		write_u8(m->w, ',');
	m->more = true;
	if (!name)
		return;
	write_json_string(m->w, bytes_of_text(name));
	write_u8(m->w, ':');
}

struct members member_begin(struct members *m, const char *name, char open)
{
	name_it(m, name);
	return members_begin(m->w, open);
}

void member_bytes(struct members *m, const char *name, struct bytes b)
{
	name_it(m, name);
	write_json_string(m->w, b);
}

void member_text(struct members *m, const char *name, const char *text)
{
	if (text)
		member_bytes(m, name, bytes_of_text(text));
}

void member_number(struct members *m, const char *name, uint64_t n)
{
	name_it(m, name);
	write_fmt(m->w, "%llu", (unsigned long long)n);
}

void member_bool(struct members *m, const char *name, bool b)
{
	name_it(m, name);
	write_text(m->w, b ? "true" : "false");
}

void member_hex(struct members *m, const char *name, struct bytes b)
{
	name_it(m, name);
	write_u8(m->w, '"');
	write_hex(m->w, b);
	write_u8(m->w, '"');
}

void member_time(struct members *m, const char *name, uint64_t time_us)
{
	name_it(m, name);
	write_u8(m->w, '"');
	write_time_ms(m->w, time_us);
	write_u8(m->w, '"');
}
