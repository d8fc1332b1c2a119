/* The extended way: Parse, Bind, Describe, Execute, Close, Sync (PostgreSQL's documentation, 55.2.3). */
#include "passive/services/postgresql/postgresql.h"

static struct bytes read_text(struct reader *r)
{
	const uint8_t *nul = memchr(r->at, 0, reader_left(r));
	struct bytes b = read_bytes(r, nul ? (size_t)(nul - r->at) : reader_left(r));
	read_u8(r);
	return b;
}

static struct postgres_statement *statement(struct postgres *p, struct bytes name)
{
	for (size_t i = 0; i < p->statement_count; i++)
		if (bytes_equal(p->statements[i].name, name))
			return &p->statements[i];
	return NULL;
}

static void no_statement(struct postgres *p, struct bytes name)
{
	const struct postgres_error e = {.state = "26000", .file = "postgres.c", .line = 1660,
					 .routine = "exec_bind_message"};
	if (name.len)
		postgres_error(p, &e, "prepared statement \"%.*s\" does not exist",
			       (int)(name.len < 63 ? name.len : 63), (const char *)name.at);
	else
		postgres_error(p, &e, "unnamed prepared statement does not exist");
}

static void parse(struct postgres *p, struct reader *r)
{
	struct arena *arena = session_arena(p->session);
	struct bytes name = read_text(r), text = read_text(r);
	struct postgres_statement *s = statement(p, name);
	if (!s && p->statement_count < POSTGRES_STATEMENTS_MAX) {
		s = &p->statements[p->statement_count++];
		s->name = arena_copy(arena, name);
	}
	/* The same text over and over needs no room again. */
	if (s && !bytes_equal(s->text, text))
		s->text = arena_copy(arena, text);
	if (!s || (text.len && !s->text.at)) {
		const struct postgres_error e = {.state = "53200", .file = "mcxt.c", .line = 1024,
						 .routine = "MemoryContextAlloc"};
		postgres_error(p, &e, "out of memory");
		return;
	}
	postgres_message(p, '1', (struct bytes){0});
}

static void bind_portal(struct postgres *p, struct reader *r)
{
	read_text(r);
	struct bytes name = read_text(r);
	const struct postgres_statement *s = statement(p, name);
	if (!s) {
		no_statement(p, name);
		return;
	}
	for (uint16_t n = read_u16(r); n && reader_left(r); n--)
		read_u16(r); /* formats: binary numbers are seen as they come */
	uint16_t n = read_u16(r);
	p->parameter_count = 0;
	for (; n && reader_left(r) && p->parameter_count < POSTGRES_PARAMETERS_MAX; n--) {
		uint32_t len = read_u32(r);
		struct bytes value = len == UINT32_MAX ? (struct bytes){0} : read_bytes(r, len);
		p->parameters[p->parameter_count++] = arena_copy(session_arena(p->session), value);
	}
	p->bound = s->text;
	postgres_message(p, '2', (struct bytes){0});
}

static void describe(struct postgres *p, struct reader *r)
{
	bool portal = read_u8(r) == 'P';
	struct bytes name = read_text(r);
	const struct postgres_statement *s = portal ? NULL : statement(p, name);
	if (!portal && !s) {
		no_statement(p, name);
		return;
	}
	if (!portal) {
		uint8_t room[2 + 4 * POSTGRES_PARAMETERS_MAX];
		struct writer w = writer_of(room, sizeof room);
		unsigned count = 0;
		for (size_t i = 0; i + 1 < s->text.len; i++)
			if (s->text.at[i] == '$' && s->text.at[i + 1] > '0' && s->text.at[i + 1] <= '9' &&
			    (unsigned)(s->text.at[i + 1] - '0') > count)
				count = (unsigned)(s->text.at[i + 1] - '0');
		write_u16(&w, (uint16_t)count);
		while (count--)
			write_u32(&w, 25);
		postgres_message(p, 't', writer_bytes(&w));
	}
	postgres_describe(p, portal ? p->bound : s->text);
}

bool postgres_extended(struct postgres *p, uint8_t type, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	if (!strchr("PBDECSH", type))
		return false;
	if (type == 'S') {
		p->skipping = false;
		postgres_ready(p);
		return true;
	}
	if (p->skipping || type == 'H')
		return true;
	switch (type) {
	case 'P':
		parse(p, &r);
		break;
	case 'B':
		bind_portal(p, &r);
		break;
	case 'D':
		describe(p, &r);
		break;
	case 'E':
		postgres_execute(p, p->bound);
		break;
	default:
		postgres_message(p, '3', (struct bytes){0});
	}
	return true;
}
