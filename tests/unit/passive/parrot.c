/*
 * A service for tests of the room: it repeats lines, and does on demand what services do.
 *
 *   wait MS     delays, then says "waited"        bye     hangs up
 *   keep TEXT   captures TEXT as a file           flood N says N bytes
 *   user TEXT   reports a login                   name URL   names a file
 *   seal        says "go", then TLS               wrap       the same, its handshake in packets
 */
#include "passive/service.h"

#define FLOOD_MAX 1000000

struct parrot {
	bool waiting, sealing;
};

static enum service_next parrot_open(struct session *s, void *state)
{
	(void)state;
	session_say(s, "hello\n");
	return SERVICE_CONTINUE;
}

static void parrot_flood(struct session *s, uint64_t n)
{
	static const uint8_t noise[1000];
	for (; n >= sizeof noise; n -= sizeof noise)
		session_say_bytes(s, (struct bytes){noise, sizeof noise});
}

/* A packet: one byte 'P', two of length, the bytes. */
static bool unwrap_packet(struct reader *r, struct bytes *tls)
{
	struct reader at = *r;
	uint8_t first = read_u8(&at);
	struct bytes b = read_bytes(&at, read_u16(&at));
	*tls = (struct bytes){0};
	if (!reader_ok(&at))
		return false;
	*r = at;
	if (first == 'P')
		*tls = b;
	return true;
}

static void wrap_packet(struct bytes tls, struct writer *w)
{
	while (tls.len) {
		size_t n = tls.len < 500 ? tls.len : 500;
		write_u8(w, 'P');
		write_u16(w, (uint16_t)n);
		write_bytes(w, tls.at, n);
		tls = (struct bytes){tls.at + n, tls.len - n};
	}
}

static const struct secure_framing packets = {unwrap_packet, wrap_packet};

static enum service_next parrot_line(struct session *s, struct parrot *p, struct bytes line)
{
	struct bytes rest = line, word = bytes_word(&rest);
	uint64_t n = 0;
	if (bytes_equal_text(word, "bye"))
		return SERVICE_CLOSE;
	if (bytes_equal_text(word, "wait") && bytes_number(rest, 1u << 30, &n)) {
		p->waiting = true;
		session_delay(s, (uint32_t)n);
	} else if (bytes_equal_text(word, "keep")) {
		session_capture(s, rest, BYTES("kept"), (struct bytes){0}, "upload");
	} else if (bytes_equal_text(word, "name")) {
		session_name_file(s, rest, BYTES("x"), "wget");
	} else if (bytes_equal_text(word, "user")) {
		event_set_bytes(session_report(s, EVENT_LOGIN_TRIED), FIELD_LOGIN_USER, rest);
	} else if (bytes_equal_text(word, "seal") || bytes_equal_text(word, "wrap")) {
		session_say(s, "go\n");
		session_secure_within(s, word.at[0] == 'w' ? &packets : NULL);
		session_say(s, "sealed\n");
		p->sealing = true;
	} else if (bytes_equal_text(word, "who")) {
		struct bytes name = session_secure_name(s);
		session_say(s, "%.*s\n", (int)name.len, (const char *)name.at);
	} else if (bytes_equal_text(word, "flood") && bytes_number(rest, FLOOD_MAX, &n)) {
		parrot_flood(s, n);
	} else {
		session_say(s, "%.*s\n", (int)line.len, (const char *)line.at);
	}
	return SERVICE_CONTINUE;
}

static enum service_next parrot_input(struct session *s, void *state, struct reader *in)
{
	struct parrot *p = state;
	struct bytes line;
	while (!p->waiting && (session_is_secure(s) || !p->sealing) && read_line(in, &line))
		if (parrot_line(s, p, line) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
	return SERVICE_CONTINUE;
}

static enum service_next parrot_tick(struct session *s, void *state)
{
	((struct parrot *)state)->waiting = false;
	session_say(s, "waited\n");
	return SERVICE_CONTINUE;
}

static const struct exchange parrot_exchanges[] = {
        {"lines come back", BYTES("a\nb b\n"), BYTES("hello\na\nb b\n"), ""},
        {"after bye nothing is read", BYTES("bye\nx\n"), BYTES("hello\n"), ""},
        {"what came during a delay is read after it", BYTES("wait 500\nx\n"),
         BYTES("hello\nwaited\nx\n"), ""},
        {"a rehearsal goes on in plain after TLS was agreed on", BYTES("seal\nx\n"),
         BYTES("hello\ngo\nsealed\nx\n"), ""},
        {"a login is told", BYTES("user root\n"), BYTES("hello\n"),
         "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"src\":\"198.51.100.7\","
         "\"service\":\"parrot\",\"proto\":\"tcp\",\"depth\":1}"},
        {"a file is kept under its digest", BYTES("keep abc\nname http://192.0.2.1/x\n"),
         BYTES("hello\n"),
         "{\"kind\":\"file.captured\",\"file.size\":3,\"file.sha256\":"
         "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}\n"
         "{\"kind\":\"file.captured\",\"file.url\":\"http://192.0.2.1/x\",\"file.how\":\"wget\"}"},
        {"a line without an end is hung up on beyond the limit",
         BYTES("0123456789012345678901234567890123456789012345678901234567890123456789\n"
               "0123456789012345678901234567890123456789012345678901234567890123456789"),
         BYTES("hello\n0123456789012345678901234567890123456789012345678901234567890123456789\n"),
         ""},
        {0},
};

static const struct service parrot = {
        .name = "parrot",
        .summary = "repeats lines, for tests",
        .reference = "none",
        .transports = TRANSPORT_TCP | TRANSPORT_UDP,
        .ports = {7},
        .state_size = sizeof(struct parrot),
        .input_max = 80,
        .output_max = 65536,
        .arena_max = 4096,
        .idle_ms_max = 60000,
        .session_ms_max = 600000,
        .open = parrot_open,
        .input = parrot_input,
        .tick = parrot_tick,
        .exchanges = parrot_exchanges,
};
SERVICE(parrot);
