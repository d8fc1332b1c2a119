/*
 * RTSP as IP cameras and recorders speak it (RFC 2326): a stream behind Digest or Basic, sent
 * interleaved on the connection.  UDP is refused as a transport, so that nobody can have video
 * sent to somebody else; clients then ask for TCP.
 *
 * The picture is one still frame that comes again and again, as from a camera that looks at a wall.
 */
#include "base/options.h"
#include "passive/services/http/auth.h"
#include "base/base64.h"
#include "passive/services/http/dialect.h"
#include "passive/services/http/request.h"
#include "passive/service.h"

#define HEAD_MAX 8192
#define FRAME_MAX 8192
#define UNIT_MAX 1400     /* of RTP in a frame that nobody has to take apart */
#define FRAME_MS 1000
#define CLOCK 90000       /* of H.264 (RFC 6184) */
#define FRAMES_MAX 600    /* then the camera hangs up */
#define PAYLOAD_TYPE 96

struct rtsp_device {
	const char *server, *realm, *methods;
	const char *sets, *picture; /* sprop-parameter-sets; the NAL unit of an IDR picture, in base64 */
	bool digest;
};

struct rtsp {
	size_t scanned;
	bool set_up, playing, let_in;
	uint8_t channel;
	uint16_t sequence;
	uint32_t frames;
	char name[17]; /* of the session */
};

#define AT(member) offsetof(struct rtsp_device, member)
static const struct option device[] = {
	{.name = "server", .type = OPTION_TEXT, .offset = AT(server), .summary = "what it calls itself; none: no Server field"},
	{.name = "realm", .type = OPTION_TEXT, .offset = AT(realm), .fallback = "IP Camera(%{serial6})",
	 .summary = "of the request for credentials"},
	{.name = "digest", .type = OPTION_BOOL, .offset = AT(digest), .fallback = "true",
	 .summary = "whether it asks for Digest before Basic"},
	{.name = "methods", .type = OPTION_TEXT, .offset = AT(methods),
	 .fallback = "OPTIONS, DESCRIBE, PLAY, PAUSE, SETUP, TEARDOWN, SET_PARAMETER, GET_PARAMETER",
	 .summary = "what OPTIONS lists"},
	{.name = "sets", .type = OPTION_TEXT, .offset = AT(sets), .fallback = "Z0LADNkBYJbARAAAAwAEAAADAAg8UKkg,aMuDyyA=",
	 .summary = "sprop-parameter-sets of the stream, H.264"},
	{.name = "picture", .type = OPTION_TEXT, .offset = AT(picture),
	 .fallback = "ZYiEBXxGKAAK78cAAQB44AAgQycnJycnJycnJycnJycnJycnJycnJ1111111111111111111111111111111111111111111"
		     "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
		     "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
		     "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
		     "11111111111111111111111111111111111111111114",
	 .summary = "one IDR picture as a NAL unit in base64, which is all that the camera sees"},
	{0},
};

static void say_head(struct session *s, const char *status, struct bytes cseq)
{
	const struct rtsp_device *d = session_device(s);
	char date[64];
	struct writer w = writer_of(date, sizeof date - 1);
	dialect_write_date(session_time_us(s), false, &w);
	*w.at = '\0';
	session_say(s, "RTSP/1.0 %s\r\nCSeq: %.*s\r\n", status, (int)(cseq.len < 32 ? cseq.len : 32), (const char *)cseq.at);
	if (d->server) {
		session_say(s, "Server: ");
		session_say_template(s, d->server);
		session_say(s, "\r\n");
	}
	session_say(s, "Date: %s\r\n", date);
}

static void say_plain(struct session *s, const char *status, struct bytes cseq)
{
	say_head(s, status, cseq);
	session_say(s, "\r\n");
}

static void realm_of(struct session *s, char realm[128])
{
	session_expand(s, ((const struct rtsp_device *)session_device(s))->realm, realm, 128);
}

static void ask_credentials(struct session *s, struct bytes cseq)
{
	const struct rtsp_device *d = session_device(s);
	char realm[128], nonce[AUTH_NONCE_CHARS + 1];
	realm_of(s, realm);
	auth_nonce(session_device_seed(s), session_time_us(s) / 3600000000, nonce);
	say_head(s, "401 Unauthorized", cseq);
	if (d->digest)
		session_say(s, "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\", stale=\"FALSE\"\r\n", realm, nonce);
	session_say(s, "WWW-Authenticate: Basic realm=\"%s\"\r\n\r\n", realm);
}

/* Whether the request carries credentials that the device takes; each try is told. */
static bool is_let_in(struct session *s, struct rtsp *t, const struct request *q)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	char nonces[2][AUTH_NONCE_CHARS + 1];
	uint64_t hour = session_time_us(s) / 3600000000, seed = session_device_seed(s);
	struct auth a;
	if (!q->authorization.len)
		return false;
	auth_nonce(seed, hour, nonces[0]);
	auth_nonce(seed, hour - 1, nonces[1]);
	if (!auth_read(q->authorization, q->method, p, nonces, &a))
		return false;
	bool accepted = a.secret_known && auth_accepts(p, seed, a.user, a.secret);
	/* A player repeats its credentials with every request: that is one log-in. */
	if (!t->let_in)
		session_login_decided(s, a.user, a.secret, (struct bytes){0}, accepted);
	t->let_in |= accepted;
	return accepted;
}

static void on_describe(struct session *s, const struct request *q, struct bytes cseq)
{
	const struct rtsp_device *d = session_device(s);
	char local[ADDRESS_TEXT_MAX], sdp[1024];
	struct writer w = writer_of(sdp, sizeof sdp);
	address_format(session_local(s), local);
	uint64_t id = session_time_us(s);
	write_fmt(&w, "v=0\r\no=- %llu %llu IN IP4 %s\r\ns=Media Presentation\r\ne=NONE\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
		  "a=control:*\r\na=range:npt=now-\r\nm=video 0 RTP/AVP %d\r\nb=AS:2048\r\na=rtpmap:%d H264/90000\r\n"
		  "a=fmtp:%d profile-level-id=42C00C; packetization-mode=1; sprop-parameter-sets=%s\r\n"
		  "a=control:trackID=1\r\n",
		  (unsigned long long)id, (unsigned long long)id, local, PAYLOAD_TYPE, PAYLOAD_TYPE, PAYLOAD_TYPE, d->sets);
	say_head(s, "200 OK", cseq);
	session_say(s, "Content-Base: %.*s%s\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n",
		    (int)(q->target.len < 512 ? q->target.len : 512), (const char *)q->target.at,
		    q->target.len && q->target.at[q->target.len - 1] == '/' ? "" : "/", writer_used(&w));
	session_say_bytes(s, writer_bytes(&w));
}

static void on_setup(struct session *s, struct rtsp *t, struct bytes head, struct bytes cseq)
{
	struct bytes transport = request_field(head, "Transport");
	size_t at = bytes_find_nocase(transport, "interleaved=");
	if (bytes_find_nocase(transport, "RTP/AVP/TCP") == transport.len) {
		say_plain(s, "461 Unsupported transport", cseq);
		return;
	}
	uint64_t channel = 0;
	if (at < transport.len) {
		struct bytes rest = {transport.at + at + 12, transport.len - at - 12};
		rest.len = bytes_find(rest, "-");
		if (!bytes_number(rest, 254, &channel))
			channel = 0;
	}
	t->channel = (uint8_t)channel;
	t->set_up = true;
	if (!t->name[0])
		snprintf(t->name, sizeof t->name, "%llu", (unsigned long long)(session_random(s) % 9000000000 + 1000000000));
	say_head(s, "200 OK", cseq);
	session_say(s, "Session: %s;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=%u-%u;ssrc=%08x;mode=\"play\"\r\n\r\n",
		    t->name, t->channel, t->channel + 1u, (uint32_t)session_device_seed(s));
}

static void say_unit(struct session *s, struct rtsp *t, struct bytes unit, bool last)
{
	uint8_t packet[4 + 12];
	struct writer w = writer_of(packet, sizeof packet);
	write_u8(&w, '$'); /* RFC 2326 10.12 */
	write_u8(&w, t->channel);
	write_u16(&w, (uint16_t)(12 + unit.len));
	write_u8(&w, 0x80);
	write_u8(&w, (uint8_t)(PAYLOAD_TYPE | (last ? 0x80 : 0)));
	write_u16(&w, t->sequence++);
	write_u32(&w, (uint32_t)session_device_seed(s) + t->frames * (CLOCK / 1000 * FRAME_MS));
	write_u32(&w, (uint32_t)session_device_seed(s));
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, unit);
}

/* Parameter sets and the picture, each a unit; the picture in fragments when it is long (RFC 6184 5.8). */
static void say_frame(struct session *s, struct rtsp *t)
{
	const struct rtsp_device *d = session_device(s);
	struct bytes sets = bytes_of_text(d->sets), picture;
	uint8_t room[FRAME_MAX], piece[2 + UNIT_MAX];
	while (sets.len) {
		struct bytes one = {sets.at, bytes_find(sets, ",")};
		struct writer w = writer_of(room, sizeof room);
		base64_decode(one, &w);
		say_unit(s, t, writer_bytes(&w), false);
		size_t used = one.len < sets.len ? one.len + 1 : one.len;
		sets = (struct bytes){sets.at + used, sets.len - used};
	}
	struct writer w = writer_of(room, sizeof room);
	base64_decode(bytes_of_text(d->picture), &w);
	picture = writer_bytes(&w);
	if (picture.len <= UNIT_MAX) {
		say_unit(s, t, picture, true);
	} else {
		for (size_t from = 1; from < picture.len; from += UNIT_MAX) {
			size_t n = picture.len - from < UNIT_MAX ? picture.len - from : UNIT_MAX;
			bool last = from + n == picture.len;
			piece[0] = (uint8_t)((picture.at[0] & 0x60) | 28);
			piece[1] = (uint8_t)((picture.at[0] & 0x1f) | (from == 1 ? 0x80 : 0) | (last ? 0x40 : 0));
			memcpy(piece + 2, picture.at + from, n);
			say_unit(s, t, (struct bytes){piece, n + 2}, last);
		}
	}
	t->frames++;
}

static void on_play(struct session *s, struct rtsp *t, const struct request *q, struct bytes cseq)
{
	say_head(s, "200 OK", cseq);
	session_say(s, "Session: %s\r\nRTP-Info: url=%.*s/trackID=1;seq=%u;rtptime=%u\r\n\r\n", t->name,
		    (int)(q->target.len < 512 ? q->target.len : 512), (const char *)q->target.at, t->sequence,
		    (uint32_t)session_device_seed(s) + t->frames * (CLOCK / 1000 * FRAME_MS));
	t->playing = true;
	say_frame(s, t);
	session_remind(s, FRAME_MS);
}

static void report(struct session *s, const struct request *q)
{
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, q->method);
	event_set_bytes(e, FIELD_TARGET, q->target);
	if (q->agent.len)
		event_set_bytes(e, FIELD_AGENT, q->agent);
}

static enum service_next with_a_session(struct session *s, struct rtsp *t, const struct request *q, struct bytes cseq)
{
	if (!t->set_up) {
		say_plain(s, "454 Session Not Found", cseq);
		return SERVICE_CONTINUE;
	}
	if (bytes_equal_text(q->method, "PLAY")) {
		on_play(s, t, q, cseq);
		return SERVICE_CONTINUE;
	}
	bool ends = bytes_equal_text(q->method, "TEARDOWN");
	t->playing &= !ends && !bytes_equal_text(q->method, "PAUSE");
	say_head(s, "200 OK", cseq);
	session_say(s, "Session: %s\r\n\r\n", t->name);
	return ends ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

static enum service_next request_take(struct session *s, struct rtsp *t, struct bytes head)
{
	static const char *const of_session[] = {"PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"};
	const struct rtsp_device *d = session_device(s);
	struct request q;
	request_parse(head, &q);
	struct bytes cseq = request_field(head, "CSeq");
	if (!cseq.len)
		cseq = BYTES("0");
	report(s, &q);
	if (q.version != HTTP_FOREIGN) {
		say_plain(s, "400 Bad Request", cseq);
		return SERVICE_CLOSE;
	}
	if (bytes_equal_text(q.method, "OPTIONS")) {
		say_head(s, "200 OK", cseq);
		session_say(s, "Public: %s\r\n\r\n", d->methods);
		return SERVICE_CONTINUE;
	}
	bool describe = bytes_equal_text(q.method, "DESCRIBE"), setup = bytes_equal_text(q.method, "SETUP");
	bool known = describe || setup;
	for (size_t i = 0; i < sizeof of_session / sizeof *of_session; i++)
		known |= bytes_equal_text(q.method, of_session[i]);
	if (!known) {
		say_plain(s, "405 Method Not Allowed", cseq);
	} else if (!is_let_in(s, t, &q) && !t->let_in) {
		ask_credentials(s, cseq);
	} else if (describe) {
		on_describe(s, &q, cseq);
	} else if (setup) {
		on_setup(s, t, head, cseq);
	} else {
		return with_a_session(s, t, &q, cseq);
	}
	return SERVICE_CONTINUE;
}

/* What a player says of its reception (RTCP), between requests. */
static bool interleaved_skip(struct reader *r)
{
	struct reader ahead = *r;
	if (reader_left(r) == 0 || r->at[0] != '$')
		return false;
	read_u16(&ahead);
	read_bytes(&ahead, read_u16(&ahead));
	if (reader_ok(&ahead))
		*r = ahead;
	return reader_ok(&ahead);
}

static enum service_next rtsp_input(struct session *s, void *state, struct reader *r)
{
	struct rtsp *t = state;
	enum service_next next = SERVICE_CONTINUE;
	while (next == SERVICE_CONTINUE && reader_left(r)) {
		if (interleaved_skip(r))
			continue;
		if (r->at[0] == '$')
			break;
		size_t n = request_head_length((struct bytes){r->at, reader_left(r)}, &t->scanned);
		if (!n)
			break;
		t->scanned = 0;
		next = request_take(s, t, read_bytes(r, n));
	}
	return next;
}

static enum service_next rtsp_tick(struct session *s, void *state)
{
	struct rtsp *t = state;
	if (!t->playing)
		return SERVICE_CONTINUE;
	if (t->frames >= FRAMES_MAX)
		return SERVICE_CLOSE;
	say_frame(s, t);
	session_remind(s, FRAME_MS);
	return SERVICE_CONTINUE;
}

static bool rtsp_claims(struct bytes first)
{
	size_t line = bytes_find(first, "\n");
	return bytes_find((struct bytes){first.at, line}, " RTSP/1.0") < line;
}

#define DATE "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\n"
static const struct exchange exchanges[] = {
	{
		.title = "what it can do, and a stream that wants credentials",
		.peer_sends = BYTES("OPTIONS rtsp://192.0.2.23/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Lavf59\r\n\r\n"
				    "RECORD rtsp://192.0.2.23/ RTSP/1.0\r\nCSeq: 2\r\n\r\n"),
		.we_answer = BYTES("RTSP/1.0 200 OK\r\nCSeq: 1\r\n" DATE
				   "Public: OPTIONS, DESCRIBE, PLAY, PAUSE, SETUP, TEARDOWN, SET_PARAMETER, GET_PARAMETER\r\n\r\n"
				   "RTSP/1.0 405 Method Not Allowed\r\nCSeq: 2\r\n" DATE "\r\n"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"OPTIONS\",\"request.agent\":\"Lavf59\"}\n"
			  "{\"kind\":\"request.seen\",\"request.method\":\"RECORD\"}",
	},
	{
		.title = "log-ins that fail",
		.peer_sends = BYTES("DESCRIBE rtsp://192.0.2.23/ch0 RTSP/1.0\r\nCSeq: 3\r\nAuthorization: Basic YWRtaW46bm8=\r\n\r\n"),
		.we_answer = BYTES("RTSP/1.0 401 Unauthorized\r\nCSeq: 3\r\n" DATE
				   "WWW-Authenticate: Digest realm=\"IP Camera(ba948b)\", "
				   "nonce=\"875508c494716f0e35bde61b0912c7c6\", stale=\"FALSE\"\r\n"
				   "WWW-Authenticate: Basic realm=\"IP Camera(ba948b)\"\r\n\r\n"),
		.events = "{\"kind\":\"request.seen\",\"request.target\":\"rtsp://192.0.2.23/ch0\"}\n"
			  "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.secret\":\"no\",\"login.accepted\":false}",
	},
	{
		.title = "another protocol",
		.peer_sends = BYTES("GET / HTTP/1.0\r\n\r\n"),
		.we_answer = BYTES("RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n" DATE "\r\n"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"GET\"}",
	},
	{0},
};

static const struct service rtsp = {
	.name = "rtsp",
	.summary = "video of a camera or recorder, behind credentials",
	.reference = "RFC 2326, RFC 6184",
	.transports = TRANSPORT_TCP,
	.ports = {554, 8554},
	.state_size = sizeof(struct rtsp),
	.input_max = HEAD_MAX,
	.output_max = 1u << 17,
	.arena_max = 4096,
	.idle_ms_max = 120000,
	.session_ms_max = 900000,
	.device = device,
	.device_size = sizeof(struct rtsp_device),
	.input = rtsp_input,
	.tick = rtsp_tick,
	.claims = rtsp_claims,
	.exchanges = exchanges,
};
SERVICE(rtsp);
