/*
 * memcached 1.4 over TCP and UDP, the text protocol with a store of the session's own.
 *
 * Attackers put a large value and have it sent to a victim over UDP, many thousand times as
 * long as the question.  Here the value is kept as a file, and what a get would have sent is
 * told as the amplification that it is, but never sent: a store lasts as long as its session.
 * Over UDP a request has a frame of eight bytes in front, and so has its answer.
 *
 * Errors and their order are those of the real server, measured; the binary protocol is taken
 * for text that is no command.
 */
#include "base/options.h"
#include "passive/persona.h"
#include "passive/service.h"

#define LINE_MAX_BYTES 2048
#define KEY_MAX 250
#define VALUE_MAX 60000    /* kept; larger ones are told to be too large for the memory */
#define ITEM_MAX (1 << 20) /* of the real server */
#define ITEMS_MAX 64
#define KEYS_MAX 32 /* of one get */
#define FRAME 8
#define DATAGRAM_MAX 1400 /* the real server's, with its frame */
#define CAPTURE_MIN 16    /* shorter values hold nothing */

struct item {
	struct item *next;
	struct bytes key, value;
	uint32_t flags;
	uint64_t unique;
};

struct memcached {
	struct item *items;
	size_t count, swallow; /* bytes of a value that is not kept */
	uint64_t unique;
	uint32_t gets, sets, hits;
};

struct memcached_device {
	const char *version, *libevent;
	uint64_t memory;
};

struct talk { /* one turn: what is said goes to the connection, or into one datagram */
	struct session *s;
	struct memcached *m;
	bool udp, quiet;
	size_t whole;
	struct writer w;
};

static void say(struct talk *t, struct bytes b)
{
	if (t->quiet)
		return;
	t->whole += b.len;
	if (!t->udp) {
		session_say_bytes(t->s, b);
		return;
	}
	if (b.len > writer_left(&t->w))
		b.len = writer_left(&t->w);
	write_span(&t->w, b);
}

static void say_text(struct talk *t, const char *text) { say(t, bytes_of_text(text)); }

static struct item **item_find(struct memcached *m, struct bytes key)
{
	struct item **at = &m->items;
	while (*at && !bytes_equal((*at)->key, key))
		at = &(*at)->next;
	return at;
}

static bool item_store(struct talk *t, struct bytes key, struct bytes value, uint32_t flags)
{
	struct memcached *m = t->m;
	struct arena *arena = session_arena(t->s);
	struct item **at = item_find(m, key);
	struct bytes kept = arena_copy(arena, value);
	if (value.len && !kept.at)
		return false;
	if (!*at) {
		struct item *fresh = m->count < ITEMS_MAX ? arena_alloc(arena, sizeof *fresh) : NULL;
		struct bytes own = fresh ? arena_copy(arena, key) : (struct bytes){0};
		if (!own.at)
			return false;
		fresh->key = own;
		*at = fresh;
		m->count++;
	}
	(*at)->value = kept;
	(*at)->flags = flags;
	(*at)->unique = ++m->unique;
	return true;
}

static void get(struct talk *t, struct bytes *words, size_t count, bool with_unique)
{
	char head[KEY_MAX + 64];
	for (size_t i = 1; i < count; i++)
		if (words[i].len > KEY_MAX) {
			say_text(t, "CLIENT_ERROR bad command line format\r\n");
			return;
		}
	for (size_t i = 1; i < count; i++) {
		struct item *found = *item_find(t->m, words[i]);
		t->m->gets++;
		if (!found)
			continue;
		t->m->hits++;
		int n = snprintf(head, sizeof head, "VALUE %.*s %u %zu", (int)found->key.len, (const char *)found->key.at,
		                 found->flags, found->value.len);
		if (with_unique)
			n += snprintf(head + n, sizeof head - (size_t)n, " %llu", (unsigned long long)found->unique);
		say(t, (struct bytes){(uint8_t *)head, (size_t)n});
		say_text(t, "\r\n");
		say(t, found->value);
		say_text(t, "\r\n");
	}
	say_text(t, "END\r\n");
}

/* The word that answers a storage command, which may store. */
static const char *storage(struct talk *t, const struct bytes *words, struct bytes value, uint32_t flags, uint64_t unique)
{
	struct bytes how = words[0], key = words[1];
	struct item *old = *item_find(t->m, key);
	bool append = bytes_equal_text(how, "append"), prepend = bytes_equal_text(how, "prepend");
	if (bytes_equal_text(how, "cas") && !old)
		return "NOT_FOUND\r\n";
	if (bytes_equal_text(how, "cas") && old->unique != unique)
		return "EXISTS\r\n";
	if (bytes_equal_text(how, "add") ? old != NULL : !old && (append || prepend || bytes_equal_text(how, "replace")))
		return "NOT_STORED\r\n";
	if (append || prepend) {
		size_t n = old->value.len + value.len;
		uint8_t *joined = n <= VALUE_MAX ? arena_alloc(session_arena(t->s), n + 1) : NULL;
		if (!joined)
			return "SERVER_ERROR out of memory storing object\r\n";
		struct writer w = writer_of(joined, n);
		write_span(&w, append ? old->value : value);
		write_span(&w, append ? value : old->value);
		value = writer_bytes(&w);
		flags = old->flags;
	}
	t->m->sets++;
	return item_store(t, key, value, flags) ? "STORED\r\n" : "SERVER_ERROR out of memory storing object\r\n";
}

static bool is_storage(struct bytes word)
{
	static const char *const names[] = {"set", "add", "replace", "append", "prepend", "cas"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_text(word, names[i]))
			return true;
	return false;
}

/*
 * A storage command with its value behind the line; false when that is not there yet.  A bad
 * line's value is then taken for commands, as the real server does.
 */
static bool store(struct talk *t, struct bytes *words, size_t count, struct reader *in)
{
	uint64_t flags = 0, length = 0, unique = 0;
	bool cas = bytes_equal_text(words[0], "cas");
	size_t need = cas ? 6 : 5;
	t->quiet = count > need && bytes_equal_text(words[need], "noreply");
	if (count < need || words[1].len > KEY_MAX || !bytes_number(words[2], UINT32_MAX, &flags) ||
	    !bytes_number(words[4], INT32_MAX, &length) || (cas && !bytes_number(words[5], UINT64_MAX, &unique))) {
		say_text(t, count < need ? "ERROR\r\n" : "CLIENT_ERROR bad command line format\r\n");
		return true;
	}
	if (length > VALUE_MAX) {
		say_text(t, length > ITEM_MAX ? "SERVER_ERROR object too large for cache\r\n"
		                              : "SERVER_ERROR out of memory storing object\r\n");
		t->m->swallow = (size_t)length + 2;
		return true;
	}
	struct reader r = *in;
	struct bytes value = read_bytes(&r, (size_t)length), end = read_bytes(&r, 2);
	if (!reader_ok(&r))
		return false;
	if (!bytes_equal_text(end, "\r\n")) { /* the rest of that line is taken for a command */
		in->at = value.at + length;
		say_text(t, "CLIENT_ERROR bad data chunk\r\n");
		return true;
	}
	*in = r;
	if (value.len >= CAPTURE_MIN)
		session_capture(t->s, value, words[1], (struct bytes){0}, "upload");
	say_text(t, storage(t, words, value, (uint32_t)flags, unique));
	return true;
}

static void stat_number(struct talk *t, const char *name, uint64_t value)
{
	char line[96];
	snprintf(line, sizeof line, "STAT %s %llu\r\n", name, (unsigned long long)value);
	say_text(t, line);
}

static void stat_zeros(struct talk *t, const char *const *names)
{
	for (; *names; names++)
		stat_number(t, *names, 0);
}

/* In the order of 1.4.25. */
static void stats(struct talk *t)
{
	static const char *const misses[] = {"delete_misses", "delete_hits", "incr_misses", "incr_hits", "decr_misses",
		"decr_hits", "cas_misses", "cas_hits", "cas_badval", "touch_hits", "touch_misses", "auth_cmds",
		"auth_errors", NULL};
	static const char *const ends[] = {"expired_unfetched", "evicted_unfetched", "evictions", "reclaimed",
		"crawler_reclaimed", "crawler_items_checked", "lrutail_reflocked", NULL};
	const struct memcached_device *d = session_device(t->s);
	const struct persona *p = session_persona(t->s);
	uint64_t seed = session_device_seed(t->s), now = session_time_us(t->s);
	struct persona_look look;
	char line[512];
	persona_look(p ? p : &persona_plain, seed, session_local(t->s), now, &look);
	snprintf(line, sizeof line,
	         "STAT pid %u\r\nSTAT uptime %u\r\nSTAT time %llu\r\nSTAT version %.60s\r\nSTAT libevent %.40s\r\n"
	         "STAT pointer_size 64\r\nSTAT rusage_user %u.%06u\r\nSTAT rusage_system %u.%06u\r\n",
	         (unsigned)(600 + seed % 900), look.uptime_s, (unsigned long long)(now / 1000000), d->version, d->libevent,
	         look.uptime_s / 9000, (unsigned)(now % 999983), look.uptime_s / 7000, (unsigned)(now % 999979));
	say_text(t, line);
	stat_number(t, "curr_connections", 10);
	stat_number(t, "total_connections", 40 + look.uptime_s / 600);
	stat_number(t, "connection_structures", 12);
	stat_number(t, "reserved_fds", 20);
	stat_number(t, "cmd_get", look.uptime_s / 37 + t->m->gets);
	stat_number(t, "cmd_set", look.uptime_s / 1200 + t->m->sets);
	stat_number(t, "cmd_flush", 0);
	stat_number(t, "cmd_touch", 0);
	stat_number(t, "get_hits", look.uptime_s / 41 + t->m->hits);
	stat_number(t, "get_misses", look.uptime_s / 37 - look.uptime_s / 41 + t->m->gets - t->m->hits);
	stat_zeros(t, misses);
	stat_number(t, "bytes_read", look.uptime_s * 3ull + 15);
	stat_number(t, "bytes_written", look.uptime_s * 11ull);
	stat_number(t, "limit_maxbytes", d->memory);
	stat_number(t, "accepting_conns", 1);
	stat_number(t, "listen_disabled_num", 0);
	stat_number(t, "time_in_listen_disabled_us", 0);
	stat_number(t, "threads", 4);
	stat_number(t, "conn_yields", 0);
	stat_number(t, "hash_power_level", 16);
	stat_number(t, "hash_bytes", 524288);
	stat_number(t, "hash_is_expanding", 0);
	stat_number(t, "malloc_fails", 0);
	stat_number(t, "bytes", t->m->count * 96);
	stat_number(t, "curr_items", t->m->count);
	stat_number(t, "total_items", look.uptime_s / 1200 + t->m->sets);
	stat_zeros(t, ends);
	say_text(t, "END\r\n");
}

static void change(struct talk *t, struct bytes *words, size_t count, bool up)
{
	uint64_t by, now;
	char text[24];
	if (count < 3) {
		say_text(t, "ERROR\r\n");
		return;
	}
	if (!bytes_number(words[2], UINT64_MAX, &by)) {
		say_text(t, "CLIENT_ERROR invalid numeric delta argument\r\n");
		return;
	}
	struct item *found = *item_find(t->m, words[1]);
	if (!found || !bytes_number(found->value, UINT64_MAX, &now)) {
		say_text(t, found ? "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n" : "NOT_FOUND\r\n");
		return;
	}
	now = up ? now + by : now > by ? now - by : 0; /* it wraps at 64 bits, and never goes below 0 */
	snprintf(text, sizeof text, "%llu", (unsigned long long)now);
	if (!item_store(t, words[1], bytes_of_text(text), found->flags)) {
		say_text(t, "SERVER_ERROR out of memory in incr\r\n");
		return;
	}
	say_text(t, text);
	say_text(t, "\r\n");
}

static void forget(struct talk *t, struct bytes *words, size_t count)
{
	if (count < 2) {
		say_text(t, "ERROR\r\n");
		return;
	}
	struct item **at = item_find(t->m, words[1]);
	bool found = *at != NULL;
	if (found) {
		*at = (*at)->next;
		t->m->count--;
	}
	say_text(t, found ? "DELETED\r\n" : "NOT_FOUND\r\n");
}

static void stats_command(struct talk *t, struct bytes *words, size_t count)
{
	if (count == 1)
		stats(t);
	else if (bytes_equal_text(words[1], "reset"))
		say_text(t, "RESET\r\n");
	else if (bytes_equal_text(words[1], "items") || bytes_equal_text(words[1], "slabs") ||
	         bytes_equal_text(words[1], "sizes") || bytes_equal_text(words[1], "cachedump"))
		say_text(t, "END\r\n");
	else
		say_text(t, "ERROR\r\n");
}

static enum service_next command(struct talk *t, struct bytes *words, size_t count)
{
	const struct memcached_device *d = session_device(t->s);
	struct bytes word = words[0];
	char text[128];
	t->quiet = count > 1 && bytes_equal_text(words[count - 1], "noreply");
	if ((bytes_equal_text(word, "get") || bytes_equal_text(word, "gets")) && count > 1) {
		t->quiet = false;
		get(t, words, count, word.len == 4);
	} else if (bytes_equal_text(word, "stats")) {
		stats_command(t, words, count);
	} else if (bytes_equal_text(word, "version")) {
		snprintf(text, sizeof text, "VERSION %.60s\r\n", d->version);
		say_text(t, text);
	} else if (bytes_equal_text(word, "incr") || bytes_equal_text(word, "decr")) {
		change(t, words, count, *word.at == 'i');
	} else if (bytes_equal_text(word, "delete")) {
		forget(t, words, count);
	} else if (bytes_equal_text(word, "touch") && count > 2) {
		say_text(t, *item_find(t->m, words[1]) ? "TOUCHED\r\n" : "NOT_FOUND\r\n");
	} else if (bytes_equal_text(word, "flush_all")) {
		t->m->items = NULL;
		t->m->count = 0;
		say_text(t, "OK\r\n");
	} else if (bytes_equal_text(word, "verbosity") && count > 1) {
		say_text(t, "OK\r\n");
	} else if (bytes_equal_text(word, "quit")) {
		return SERVICE_CLOSE;
	} else if (bytes_equal_text(word, "shutdown")) {
		say_text(t, "ERROR: shutdown not enabled\r\n");
	} else {
		say_text(t, "ERROR\r\n");
	}
	return SERVICE_CONTINUE;
}

/* The next line and its words; false when none is complete. */
static bool command_read(struct reader *in, struct bytes *line, struct bytes words[KEYS_MAX], size_t *count)
{
	if (!read_line(in, line))
		return false;
	struct bytes left = *line;
	for (*count = 0; left.len && *count < KEYS_MAX;) {
		struct bytes word = bytes_word(&left);
		if (word.len)
			words[(*count)++] = word;
	}
	return true;
}

static enum service_next turns(struct talk *t, struct reader *in)
{
	struct bytes line, words[KEYS_MAX];
	size_t count;
	enum service_next next = SERVICE_CONTINUE;
	for (struct reader before = *in; next == SERVICE_CONTINUE; before = *in) {
		size_t skipped = t->m->swallow < reader_left(in) ? t->m->swallow : reader_left(in);
		read_bytes(in, skipped);
		t->m->swallow -= skipped;
		if (!command_read(in, &line, words, &count)) {
			if (reader_left(in) > LINE_MAX_BYTES)
				return SERVICE_CLOSE;
			break;
		}
		t->quiet = false;
		if (count == 0) {
			say_text(t, "ERROR\r\n");
			continue;
		}
		/* What a browser or a forged request of one sends is hung up on. */
		if (bytes_equal_text(words[0], "GET") || bytes_equal_text(words[0], "POST"))
			next = SERVICE_CLOSE;
		if (is_storage(words[0])) {
			struct reader value = *in;
			if (!store(t, words, count, &value)) {
				*in = before;
				break;
			}
			*in = value;
		} else if (next == SERVICE_CONTINUE) {
			next = command(t, words, count);
		}
		struct event *e = session_report(t->s, EVENT_COMMAND_SENT);
		event_set_bytes(e, FIELD_COMMAND_LINE, line);
	}
	return next;
}

static void datagram(struct session *s, struct memcached *m, struct reader *in)
{
	uint8_t room[DATAGRAM_MAX];
	struct talk t = {.s = s, .m = m, .udp = true, .w = writer_of(room, sizeof room)};
	uint16_t id = read_u16(in), number = read_u16(in), total = read_u16(in);
	read_u16(in);
	if (!reader_ok(in) || number != 0 || total != 1)
		return;
	write_zero(&t.w, FRAME);
	turns(&t, in);
	size_t datagrams = (t.whole + DATAGRAM_MAX - FRAME - 1) / (DATAGRAM_MAX - FRAME);
	struct writer frame = writer_of(room, FRAME);
	write_u16(&frame, id);
	write_u16(&frame, 0);
	write_u16(&frame, (uint16_t)datagrams);
	write_u16(&frame, 0);
	if (!t.whole)
		return;
	session_would_say(s, t.whole + datagrams * FRAME);
	if (writer_used(&t.w) <= session_answer_max(s))
		session_say_bytes(s, writer_bytes(&t.w));
}

static enum service_next memcached_input(struct session *s, void *state, struct reader *in)
{
	struct talk t = {.s = s, .m = state};
	if (session_transport(s) == TRANSPORT_TCP)
		return turns(&t, in);
	datagram(s, state, in);
	return SERVICE_CONTINUE;
}

#define COMMAND(line) "{\"kind\":\"command.sent\",\"command.line\":\"" line "\"}\n"

static bool memcached_claims_datagram(struct bytes first)
{
	static const char *const words[] = {"stats", "get ", "gets ", "version", "set ", "flush_all"};
	struct bytes line = {first.at + 8, first.len > 8 ? first.len - 8 : 0}; /* after the frame's head */
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (first.len > 8 && first.at[6] == 0 && bytes_start_with(line, words[i]))
			return true;
	return false;
}

static const struct exchange memcached_exchanges[] = {
        {"values are kept while the session lasts",
         BYTES("set a 5 0 3\r\nabc\r\nget a b\r\nadd a 0 0 1\r\nx\r\nreplace z 0 0 1\r\nx\r\nappend a 0 0 2\r\nde\r\n"
               "prepend a 0 0 1\r\n_\r\ngets a\r\ndelete a\r\nget a\r\n"),
         BYTES("STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\nNOT_STORED\r\nNOT_STORED\r\nSTORED\r\nSTORED\r\n"
               "VALUE a 5 6 3\r\n_abcde\r\nEND\r\nDELETED\r\nEND\r\n"),
         NULL},
        {"numbers", BYTES("incr a 1\r\nset n 0 0 2\r\n10\r\nincr n 5\r\ndecr n 20\r\nincr n x\r\ntouch n 0\r\n"),
         BYTES("NOT_FOUND\r\nSTORED\r\n15\r\n0\r\nCLIENT_ERROR invalid numeric delta argument\r\nTOUCHED\r\n"), NULL},
        {"a value that is longer than was said is read as a command", BYTES("set a 0 0 3\r\nabcd\r\n"),
         BYTES("CLIENT_ERROR bad data chunk\r\nERROR\r\n"), COMMAND("set a 0 0 3") COMMAND("d")},
        {"a browser is hung up on", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), BYTES(""), COMMAND("GET / HTTP/1.1")},
        {"help and empty lines are errors", BYTES("help\r\n\r\nversion\r\nquit\r\nversion\r\n"),
         BYTES("ERROR\r\nERROR\r\nVERSION 1.4.25 Ubuntu\r\n"), COMMAND("help") COMMAND("version") COMMAND("quit")},
        {"a value worth keeping is a file", BYTES("set x 0 0 16 noreply\r\n0123456789abcdef\r\n"), BYTES(""),
         "{\"kind\":\"file.captured\",\"file.name\":\"x\",\"file.size\":16,\"file.how\":\"upload\"}\n"
         COMMAND("set x 0 0 16 noreply")},
        {"more than fits", BYTES("set x 0 0 2000000\r\n"), BYTES("SERVER_ERROR object too large for cache\r\n"), NULL},
        {0},
};

static const struct exchange memcached_exchanges_udp[] = {
        {"frames stand in front", BYTES("\0\1\0\0\0\1\0\0version\r\n"), BYTES("\0\1\0\0\0\1\0\0VERSION 1.4.25 Ubuntu\r\n"),
         COMMAND("version")},
        {"a request in two datagrams is not taken", BYTES("\0\1\0\0\0\2\0\0stats\r\n"), BYTES(""), ""},
        {"nor is one without a frame", BYTES("stats\r\n"), BYTES(""), ""},
        {0},
};

static const struct option memcached_device_options[] = {
        {.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct memcached_device, version),
         .fallback = "1.4.25 Ubuntu", .summary = "what it calls itself"},
        {.name = "libevent", .type = OPTION_TEXT, .offset = offsetof(struct memcached_device, libevent),
         .fallback = "2.0.21-stable", .summary = "version of the library that it tells"},
        {.name = "memory", .type = OPTION_SIZE, .offset = offsetof(struct memcached_device, memory),
         .fallback = "64M", .summary = "that it may use, as it tells"},
        {0},
};

static const struct service memcached = {
        .name = "memcached",
        .summary = "cache whose values last as long as the session",
        .reference = "protocol.txt of memcached; memcached 1.4.25, errors as measured with 1.6",
        .transports = TRANSPORT_TCP | TRANSPORT_UDP,
        .ports = {11211},
        .state_size = sizeof(struct memcached),
        .input_max = 64 * 1024,
        .output_max = 1024 * 1024,
        .arena_max = 512 * 1024,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 600 * 1000,
        .device = memcached_device_options,
        .device_size = sizeof(struct memcached_device),
        .claims_datagram = memcached_claims_datagram,
        .input = memcached_input,
        .exchanges = memcached_exchanges,
        .exchanges_udp = memcached_exchanges_udp,
};
SERVICE(memcached);
