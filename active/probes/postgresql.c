/*
 * PostgreSQL: whether it speaks TLS, which also says that it is there.
 *
 * An SSLRequest (protocol 3, 55.2.10) is the first thing that libpq sends; the answer is one
 * byte.  The startup message that would follow needs a user name, so nothing follows but
 * the handshake for the certificate where the server agreed to it.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"

FIELD(POSTGRESQL_TLS, "postgresql.tls", BOOL, 0, "whether it offers TLS");
FIELD(POSTGRESQL_ERROR, "postgresql.error", BYTES, 0, "why it did not answer the question");

#define SSL_REQUEST "\0\0\0\x08\x04\xd2\x16\x2f"
#define ERROR_MAX 2048

static enum probe_next postgresql_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(SSL_REQUEST));
	return PROBE_CONTINUE;
}

/* The text of an ErrorResponse: fields of a kind and a string each (55.8); empty: none, or not yet. */
static struct bytes postgresql_error(struct bytes all)
{
	struct reader r = reader_of_bytes(all);
	uint8_t type = read_u8(&r);
	uint32_t len = read_u32(&r);
	if (type != 'E' || !reader_ok(&r) || len < 5 || len > ERROR_MAX)
		return (struct bytes){0};
	struct bytes body = read_bytes(&r, len - 4);
	struct reader fields = reader_of_bytes(body);
	while (reader_left(&fields)) {
		uint8_t kind = read_u8(&fields);
		size_t n = strnlen((const char *)fields.at, reader_left(&fields));
		struct bytes text = read_bytes(&fields, n);
		read_u8(&fields);
		if (kind == 'M')
			return text;
	}
	return (struct bytes){0};
}

static enum probe_next postgresql_input(struct asking *a, void *state, struct reader *r)
{
	(void)state;
	struct bytes all = {r->at, reader_left(r)};
	if (all.at[0] == 'E')
		return postgresql_error(all).len ? PROBE_DONE : PROBE_CONTINUE;
	/* What comes behind the byte without having been asked for is nobody's handshake. */
	if (all.at[0] == 'S' && all.len == 1)
		return asking_certificate(a);
	return all.at[0] == 'S' || all.at[0] == 'N' ? PROBE_DONE : hear_out(all);
}

static void postgresql_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)a;
	(void)state;
	struct bytes error = postgresql_error(unread);
	bool tls = unread.len == 1 && unread.at[0] == 'S';
	if (tls || (unread.len == 1 && unread.at[0] == 'N'))
		event_set_bool(answer, POSTGRESQL_TLS, tls);
	else if (error.len)
		event_set_bytes(answer, POSTGRESQL_ERROR, bytes_cut(error, 512));
	else
		report_banner(answer, unread);
}

static const char *const postgresql_signals[] = {"x509.subject", "x509.issuer", NULL};

static const struct specimen postgresql_specimens[] = {
	{
		.title = "PostgreSQL 15 without TLS",
		.answers = {BYTES("N")},
		.asked = BYTES(SSL_REQUEST),
		.answered = "{\"postgresql.tls\":false}\n",
	},
	{
		.title = "PostgreSQL 15 with TLS",
		.answers = {BYTES("S")},
		.asked = BYTES(SSL_REQUEST),
		.answered = "{\"postgresql.tls\":true}\n",
	},
	{
		.title = "one that has no room left",
		.answers = {BYTES("E\0\0\0\x3bSFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0")},
		.asked = BYTES(SSL_REQUEST),
		.answered = "{\"postgresql.error\":\"sorry, too many clients already\"}\n",
	},
	{
		.title = "an error whose text never ends, and one that is too long",
		.answers = {BYTES("E\0\0\0\x20Mabc")},
		.asked = BYTES(SSL_REQUEST),
		.answered = "{\"banner\":\"E\\u0000\\u0000\\u0000 Mabc\"}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("+OK\r\n")},
		.asked = BYTES(SSL_REQUEST),
		.answered = "{\"banner\":\"+OK\\r\\n\"}\n",
	},
	{0},
};

static const struct probe postgresql = {
	.name = "postgresql",
	.summary = "asks whether it speaks TLS, and for the certificate; never a user name",
	.reference = "PostgreSQL protocol 3, 55.2.10; PostgreSQL 15",
	.transport = PROBE_TCP,
	.ports = {5432},
	.tier = PROBE_DEFAULT,
	.glances = true,
	.question_max = 4096,
	.answer_max = 32768,
	.time_ms_max = 8000,
	.idle_ms = 4000,
	.connections_max = 1,
	.open = postgresql_open,
	.input = postgresql_input,
	.finish = postgresql_finish,
	.signals = postgresql_signals,
	.specimens = postgresql_specimens,
};
PROBE(postgresql);
