#include "active/prober/asking_inner.h"

struct bytes signal_key(const struct signals *s, size_t i)
{
	return (struct bytes){s->text.store + s->items[i].key, s->items[i].key_len};
}

struct bytes signal_value(const struct signals *s, size_t i)
{
	return (struct bytes){s->text.store + s->items[i].value, s->items[i].value_len};
}

/* Every page of a host repeats its Server header: once is enough. */
static bool signals_hold(const struct signals *s, const char *key, struct bytes value)
{
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal_text(signal_key(s, i), key) && bytes_equal(signal_value(s, i), value))
			return true;
	return false;
}

void asking_signal(struct asking *a, const char *key, struct bytes value)
{
	struct signals *s = a->signals;
	value = bytes_trim(value);
	if (value.len > SIGNAL_VALUE_MAX)
		value.len = SIGNAL_VALUE_MAX;
	if (!s || value.len == 0 || s->count == SIGNALS_MAX || signals_hold(s, key, value))
		return;
	if (!s->text.max)
		s->text = BUFFER(SIGNALS_BYTES_MAX);
	size_t key_len = strlen(key), at = buffer_len(&s->text);
	uint8_t *room = buffer_room(&s->text, key_len + 1 + value.len);
	if (!room)
		return;
	memcpy(room, key, key_len + 1);
	memcpy(room + key_len + 1, value.at, value.len);
	buffer_grown(&s->text, key_len + 1 + value.len);
	s->items[s->count++] = (struct signal){
		.key = (uint16_t)at,
		.key_len = (uint16_t)key_len,
		.value = (uint16_t)(at + key_len + 1),
		.value_len = (uint16_t)value.len,
		.port = a->port,
	};
}

struct signals_port *signals_port(struct signals *s, uint16_t port)
{
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].port == port)
			return &s->ports[i];
	if (s->port_count == LEASE_PORTS_MAX)
		return NULL;
	s->ports[s->port_count] = (struct signals_port){.port = port};
	return &s->ports[s->port_count++];
}

/* Only printable ASCII stands for itself, so that a line is a line and text everywhere. */
static void escaped_write(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c == '\\')
			write_text(w, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			write_u8(w, c);
		else if (c == '\n' || c == '\r' || c == '\t')
			write_fmt(w, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else
			write_fmt(w, "\\x%02x", c);
	}
}

void signals_report(struct signals *s, struct writer *w)
{
	if (s->reported > s->count)
		s->reported = 0; /* they were forgotten meanwhile */
	for (; s->reported < s->count; s->reported++) {
		uint8_t *before = w->at;
		struct bytes value = signal_value(s, s->reported);
		if (value.len > SIGNALS_SHOWN_MAX)
			value.len = SIGNALS_SHOWN_MAX;
		write_text(w, before > w->start ? "\n" : "");
		write_span(w, signal_key(s, s->reported));
		write_text(w, ": ");
		escaped_write(value, w);
		if (w->bad) {
			w->at = before;
			w->bad = false;
		}
	}
}

void signals_done(struct signals *s)
{
	buffer_done(&s->text);
	s->count = s->port_count = s->reported = 0;
}
