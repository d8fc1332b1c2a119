/*
 * SMB: two negotiations, each in a connection of its own, and no session.
 *
 * The first offers SMB 2.0.2 to 3.1.1 (MS-SMB2 2.2.3) and learns the dialect, the server's
 * GUID, its clock and since when it runs.  The second offers nothing but "NT LM 0.12"
 * (MS-CIFS 2.2.4.52): whoever still takes it speaks SMB 1, and, since no extended security
 * was asked for, names itself and its domain.  A session setup, which would begin a log-in,
 * is never sent.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"
#include "active/probes/smb_specimens_inner.h"

#define HEADER 4              /* direct TCP: zero and three bytes of length (MS-SMB2 2.1) */
#define MESSAGE_MAX 16384
#define NAME_MAX_KEPT 128
#define FILETIME_OF_1970 116444736000000000u /* in units of 100 ns since 1601 */

struct smb {
	bool old; /* the connection that is open offers SMB 1 */
};

FIELD(SMB_DIALECT, "smb.dialect", TEXT, 0, "dialect that the server chose");
FIELD(SMB_SIGNING, "smb.signing", TEXT, 0, "signatures: required, enabled or none");
FIELD(SMB_GUID, "smb.guid", TEXT, 0, "the server's GUID");
FIELD(SMB_TIME, "smb.time", TIME, 0, "its clock");
FIELD(SMB_BOOTED, "smb.booted", TIME, 0, "since when it runs");
FIELD(SMB_MECHANISMS, "smb.mechanisms", TEXT, 0, "ways to log in that it offers");
FIELD(SMB_CAPABILITIES, "smb.capabilities", NUMBER, 0, "bits that it can do");
FIELD(SMB_ONE, "smb.smb1", BOOL, 0, "whether it still speaks SMB 1");
FIELD(SMB_NAME, "smb.name", BYTES, 0, "its own name");
FIELD(SMB_DOMAIN, "smb.domain", BYTES, 0, "its domain or workgroup");

static const char two[] = /* numbers are little-endian, but for the frame's */
	"\0\0\0\xae"
	"\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0" /* negotiate, one credit */
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\x24\0\x05\0\x01\0\0\0\0\0\0\0kansoku observer\x70\0\0\0\x02\0\0\0"
	"\x02\x02\x10\x02\0\x03\x02\x03\x11\x03\0\0"          /* dialects, two bytes of padding */
	"\x01\0\x26\0\0\0\0\0\x01\0\x20\0\x01\0"              /* SHA-512, salt of 32 bytes */
	"looked at once, never logged in.\0\0"
	"\x02\0\x06\0\0\0\0\0\x02\0\x02\0\x01\0";              /* AES-128-GCM, AES-128-CCM */

static const char one[] =
	"\0\0\0\x2f"
	"\xffSMB\x72\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* Unicode, NT status */
	"\0\x0c\0\x02NT LM 0.12";

static uint64_t read_little(struct reader *r, size_t width)
{
	struct bytes b = read_bytes(r, width);
	uint64_t v = 0;
	for (size_t i = b.len; i > 0; i--)
		v = v << 8 | b.at[i - 1];
	return v;
}

static enum probe_next smb_open(struct asking *a, void *state)
{
	const struct smb *s = state;
	if (s->old)
		asking_say_bytes(a, (struct bytes){(const uint8_t *)one, sizeof one});
	else
		asking_say_bytes(a, (struct bytes){(const uint8_t *)two, sizeof two - 1});
	return PROBE_CONTINUE;
}

static bool smb_begins(struct bytes b)
{
	static const char after[] = "SMB";
	if ((b.len > 0 && b.at[0] != 0) || (b.len > 1 && b.at[1] != 0))
		return false;
	if (b.len > 4 && b.at[4] != 0xfe && b.at[4] != 0xff)
		return false;
	for (size_t i = 5; i < b.len && i < 8; i++)
		if (b.at[i] != (uint8_t)after[i - 5])
			return false;
	return true;
}

/* The message within its frame; false while it has not come. */
static bool smb_message(struct bytes all, struct bytes *message)
{
	struct reader r = reader_of_bytes(all);
	size_t len = read_u32(&r);
	*message = read_bytes(&r, len);
	return reader_ok(&r) && len >= 8 && len <= MESSAGE_MAX;
}

static enum probe_next smb_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	struct bytes all = {r->at, reader_left(r)}, message;
	if (!smb_begins(all))
		return hear_out(all);
	return smb_message(all, &message) ? PROBE_DONE : PROBE_CONTINUE;
}

static void report_time(struct event *answer, uint16_t field, uint64_t filetime)
{
	if (filetime > FILETIME_OF_1970 && filetime < FILETIME_OF_1970 * 2)
		event_set_number(answer, field, (filetime - FILETIME_OF_1970) / 10);
}

/* The object identifiers of RFC 4178's list, wherever they stand in it. */
static void smb_mechanisms(struct bytes blob, struct writer *w)
{
	static const struct {
		const char *oid;
		size_t len;
		const char *name;
	} known[] = {
		{"\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e", 12, "negoex"},
		{"\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02", 11, "ms-kerberos"},
		{"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", 11, "kerberos"},
		{"\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", 12, "ntlm"},
	};
	for (size_t i = 0; blob.len && i < sizeof known / sizeof known[0]; i++)
		if (memmem(blob.at, blob.len, known[i].oid, known[i].len))
			write_fmt(w, "%s%s", writer_used(w) ? " " : "", known[i].name);
}

static const char *signing_name(bool required, bool enabled)
{
	return required ? "required" : enabled ? "enabled" : "none";
}

/* MS-DTYP 2.3.4.1; Samba puts its own name there instead. */
static void smb_guid(struct bytes guid, struct event *answer)
{
	const uint8_t *g = guid.at;
	char text[40];
	snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13],
		 g[14], g[15]);
	event_set_text(answer, SMB_GUID, text);
	size_t n = 0;
	while (n < guid.len && g[n] > ' ' && g[n] <= '~')
		n++;
	for (size_t i = n; i < guid.len; i++)
		if (g[i] != 0)
			return;
	if (n)
		event_set_bytes(answer, SMB_NAME, (struct bytes){g, n});
}

static void smb_report_two(struct asking *a, struct bytes message, struct event *answer)
{
	struct reader r = reader_of_bytes(message);
	read_bytes(&r, 8);
	uint32_t status = (uint32_t)read_little(&r, 4);
	uint16_t command = (uint16_t)read_little(&r, 2);
	read_bytes(&r, 64 - 14 + 2); /* what is left of the header, and the structure's size */
	uint16_t mode = (uint16_t)read_little(&r, 2), dialect = (uint16_t)read_little(&r, 2);
	read_bytes(&r, 2);
	struct bytes guid = read_bytes(&r, 16);
	uint64_t capabilities = read_little(&r, 4);
	read_bytes(&r, 3 * 4);
	uint64_t now = read_little(&r, 8), booted = read_little(&r, 8);
	size_t at = read_little(&r, 2), len = read_little(&r, 2);
	if (!reader_ok(&r) || command != 0)
		return;
	event_set_number(answer, FIELD_STATUS, status);
	if (status)
		return;
	char name[16], ways[64] = "", lines[160];
	int n = snprintf(name, sizeof name, "%x.%x", dialect >> 8, dialect >> 4 & 15);
	if (dialect & 15)
		snprintf(name + n, sizeof name - (size_t)n, ".%x", dialect & 15);
	struct writer w = writer_of(ways, sizeof ways - 1);
	if (at < message.len && len <= message.len - at)
		smb_mechanisms((struct bytes){message.at + at, len}, &w);
	const char *signing = signing_name(mode & 2, mode & 1);
	event_set_text(answer, SMB_DIALECT, name);
	event_set_text(answer, SMB_SIGNING, signing);
	event_set_number(answer, SMB_CAPABILITIES, capabilities);
	report_time(answer, SMB_TIME, now);
	report_time(answer, SMB_BOOTED, booted);
	smb_guid(guid, answer);
	if (ways[0])
		event_set_text(answer, SMB_MECHANISMS, ways);
	snprintf(lines, sizeof lines, "dialect=%s\nsigning=%s%s%s", name, signing,
		 ways[0] ? "\nmechanisms=" : "", ways);
	asking_signal(a, "smb.negotiation", bytes_of_text(lines));
}

/* One name of UTF-16LE up to its NUL; what is beyond the basic plane becomes a question mark. */
static struct bytes read_name(struct reader *r, struct writer *room)
{
	const uint8_t *start = room->at;
	while (reader_left(r) >= 2) {
		uint32_t c = (uint32_t)read_little(r, 2);
		if (c == 0)
			break;
		if (c >= 0xd800 && c < 0xe000)
			c = '?';
		if (writer_left(room) < 3)
			continue;
		if (c >= 0x800)
			write_u8(room, (uint8_t)(0xe0 | c >> 12));
		if (c >= 0x80)
			write_u8(room, (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6));
		write_u8(room, (uint8_t)(c >= 0x80 ? 0x80 | (c & 63) : c));
	}
	return (struct bytes){start, (size_t)(room->at - start)};
}

static void smb_report_one(struct asking *a, struct bytes message, struct event *answer)
{
	uint8_t names[2 * NAME_MAX_KEPT], lines[3 * NAME_MAX_KEPT];
	struct writer room = writer_of(names, sizeof names), w = writer_of(lines, sizeof lines);
	struct reader r = reader_of_bytes(message);
	read_bytes(&r, 4);
	uint8_t command = read_u8(&r);
	read_bytes(&r, 32 - 5);
	uint8_t words = read_u8(&r);
	uint16_t index = (uint16_t)read_little(&r, 2);
	bool takes = reader_ok(&r) && command == 0x72 && words >= 13 && index == 0;
	event_set_bool(answer, SMB_ONE, takes);
	if (!takes || words != 17)
		return;
	uint8_t mode = read_u8(&r);
	read_bytes(&r, 2 + 2 + 4 + 4 + 4);
	uint64_t capabilities = read_little(&r, 4), now = read_little(&r, 8);
	read_bytes(&r, 2); /* time zone */
	size_t challenge = read_u8(&r);
	read_bytes(&r, 2 + challenge);
	if (!reader_ok(&r))
		return;
	event_set_text(answer, SMB_DIALECT, "NT LM 0.12");
	event_set_text(answer, SMB_SIGNING, signing_name(mode & 8, mode & 4));
	event_set_number(answer, SMB_CAPABILITIES, capabilities);
	report_time(answer, SMB_TIME, now);
	write_text(&w, "dialect=NT LM 0.12");
	if (!(capabilities & 0x80000000u)) { /* no extended security: the names follow */
		struct bytes domain = read_name(&r, &room), name = read_name(&r, &room);
		report_bytes(answer, SMB_DOMAIN, domain);
		report_bytes(answer, SMB_NAME, name);
		write_fmt(&w, "\ntarget=%.*s\ndomain=%.*s", (int)name.len, name.at, (int)domain.len,
			  domain.at);
	}
	asking_signal(a, "smb.negotiation", writer_bytes(&w));
}

static void smb_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct smb *s = state;
	struct bytes message;
	bool whole = smb_begins(unread) && smb_message(unread, &message);
	if (whole && message.at[0] == 0xfe)
		smb_report_two(a, message, answer);
	else if (whole)
		smb_report_one(a, message, answer);
	else
		report_banner(answer, unread);
	/* Whoever hangs up without a word at the second offer does not speak SMB 1. */
	if (s->old && !unread.len && asking_is_whole(a))
		event_set_bool(answer, SMB_ONE, false);
	if (!s->old && (whole || !unread.len)) {
		s->old = true;
		asking_again(a);
	}
}

static bool smb_recognises(struct bytes first) { return first.len >= 8 && smb_begins(first); }

static const char *const smb_signals[] = {"smb.negotiation", NULL};

static const struct probe smb = {
	.name = "smb",
	.summary = "negotiates dialects, SMB 2 and SMB 1; no session, no log-in",
	.reference = "MS-SMB2 2.2.3, MS-CIFS 2.2.4.52; Samba",
	.transport = PROBE_TCP,
	.ports = {445},
	.tier = PROBE_DEFAULT,
	.question_max = 256,
	.answer_max = MESSAGE_MAX + HEADER,
	.time_ms_max = 8000,
	.idle_ms = 4000,
	.connections_max = 2,
	.recognises = smb_recognises,
	.state_size = sizeof(struct smb),
	.open = smb_open,
	.input = smb_input,
	.finish = smb_finish,
	.signals = smb_signals,
	.specimens = smb_specimens,
};
PROBE(smb);
