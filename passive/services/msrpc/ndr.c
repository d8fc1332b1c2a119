/* What stubs are made of (C706 14): strings, handles, alignment. */
#include "passive/services/msrpc/rpc.h"

void rpc_read_align(struct reader *r, const uint8_t *stub, size_t unit)
{
	size_t over = (size_t)(r->at - stub) % unit;
	size_t gap = over ? unit - over : 0;
	/* The last one need not be filled up. */
	read_bytes(r, gap < reader_left(r) ? gap : reader_left(r));
}

struct bytes rpc_read_string(struct reader *r, const uint8_t *stub, char *out, size_t size)
{
	rpc_read_align(r, stub, 4);
	read_le32(r);
	read_le32(r);
	uint64_t units = read_le32(r);
	struct bytes text = utf16_text(read_bytes(r, 2 * units), out, size);
	rpc_read_align(r, stub, 4);
	while (text.len && text.at[text.len - 1] == '\0')
		text.len--;
	return text;
}

struct bytes rpc_read_unique_string(struct reader *r, const uint8_t *stub, char *out, size_t size)
{
	rpc_read_align(r, stub, 4);
	out[0] = '\0';
	return read_le32(r) ? rpc_read_string(r, stub, out, size)
			    : (struct bytes){(uint8_t *)out, 0};
}

void rpc_write_string(struct writer *w, const char *text)
{
	write_align(w, 0, 4);
	size_t at = writer_used(w);
	write_zero(w, 12);
	write_utf16(w, bytes_of_text(text));
	write_le16(w, 0);
	size_t units = (writer_used(w) - at - 12) / 2;
	write_little_at(w, at, units, 4);
	write_little_at(w, at + 8, units, 4);
	write_align(w, 0, 4);
}

void rpc_write_handle(struct writer *w, const struct rpc_call *c, uint32_t what)
{
	write_le32(w, 0);
	write_le32(w, what);
	write_le64(w, windows_number(c->session, what));
	write_le32(w, windows_number(c->session, what + 1));
}

uint32_t rpc_read_handle(struct reader *r)
{
	read_le32(r);
	uint32_t what = read_le32(r);
	read_bytes(r, 12);
	return what;
}

void rpc_tell_rule(struct rpc_call *c, const char *rule, const char *line)
{
	if (!c->told)
		return;
	struct event *e = session_report(c->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, bytes_of_text(line));
	event_set_text(e, FIELD_RULE, rule);
}

void rpc_tell(struct rpc_call *c, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	if (!c->told)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof line)
		n = sizeof line - 1;
	struct event *e = session_report(c->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, (struct bytes){(uint8_t *)line, (size_t)n});
}
