/*
 * What is said: fields, their order and their blanks as PJSIP under Asterisk and Sofia under
 * FreeSWITCH print them.
 */
#include "base/options.h"
#include "passive/services/sip/sip.h"
#include <time.h>

#define ANSWER_MAX 16384
#define EXPIRES_DEFAULT 3600
#define EXPIRES_MIN 60
#define EXPIRES_MAX 7200

#define ASTERISK_SERVER "Asterisk PBX 16.28.0~dfsg-0+deb11u4"
#define FREESWITCH_SERVER "FreeSWITCH-mod_sofia/1.10.9-release~64bit"
#define ASTERISK_ALLOW \
	"OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, REGISTER, REFER, MESSAGE"
#define FREESWITCH_ALLOW \
	"INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY, PUBLISH, SUBSCRIBE"
#define FREESWITCH_EVENTS                                                                            \
	"Allow-Events: talk, hold, conference, presence, as-feature-event, dialog, line-seize, "     \
	"call-info, sla, include-session-description, presence.winfo, message-summary, refer\r\n"

enum detail {
	WHOLE,
	SHORT, /* without lists, and what a challenge need not say */
	LEAN,  /* compact names (7.3.3), and nothing that may be missing */
};

static const struct sip_device *device_of(const struct session *s) { return session_device(s); }

static struct bytes behind(struct bytes b, size_t n)
{
	return (struct bytes){b.at + n, b.len - n};
}

static void write_field(struct writer *w, enum detail detail, const char *name, const char *compact, struct bytes value)
{
	write_fmt(w, "%s: ", detail == LEAN ? compact : name);
	write_span(w, value);
	write_text(w, "\r\n");
}

/* The parameters of a Via but for those that PJSIP prints itself. */
static void write_other_parameters(struct bytes rest, struct writer *w)
{
	while (rest.len) {
		rest = behind(rest, 1);
		size_t len = bytes_find(rest, ";");
		struct bytes one = bytes_trim((struct bytes){rest.at, len});
		if (one.len && !bytes_start_with(one, "rport") && !bytes_start_with(one, "branch=") &&
		    !bytes_start_with(one, "received=")) {
			write_u8(w, ';');
			write_span(w, one);
		}
		rest = behind(rest, len);
	}
}

static void write_via_pjsip(const struct session *s, struct bytes via, struct writer *w)
{
	char address[ADDRESS_TEXT_MAX];
	struct bytes value;
	size_t end = bytes_find(via, ";");
	address_format(session_peer(s), address);
	write_span(w, bytes_trim((struct bytes){via.at, end}));
	write_fmt(w, ";rport=%u;received=%s", session_peer_port(s), address); /* force_rport is its default */
	if (sip_parameter(via, "branch", ';', &value)) {
		write_text(w, ";branch=");
		write_span(w, value);
	}
	write_other_parameters(behind(via, end), w);
}

/* Sofia fills rport in where it stands, and says received when it is another address (18.2.1). */
static void write_via_sofia(const struct session *s, struct bytes via, struct writer *w)
{
	char address[ADDRESS_TEXT_MAX];
	struct bytes rest = via, value, host;
	size_t end = bytes_find(via, ";");
	address_format(session_peer(s), address);
	host = bytes_trim((struct bytes){via.at, end});
	bytes_word(&host);
	host = bytes_trim(host);
	while (rest.len) {
		size_t len = bytes_find(behind(rest, 1), ";") + 1;
		struct bytes one = {rest.at, len};
		if (!bytes_start_with(one, ";received="))
			write_span(w, one);
		if (bytes_equal_text(bytes_trim(one), ";rport"))
			write_fmt(w, "=%u", session_peer_port(s));
		rest = behind(rest, len);
	}
	bool same = bytes_start_with(host, address) &&
		    (host.len == strlen(address) || host.at[strlen(address)] == ':');
	if (!same || sip_parameter(via, "received", ';', &value))
		write_fmt(w, ";received=%s", address);
}

/* A From or To as PJSIP prints it: always within brackets. */
static void write_party(const struct session *s, struct bytes party, struct writer *w)
{
	size_t end = bytes_find(party, ";");
	if (device_of(s)->software != SIP_ASTERISK || bytes_find(party, "<") < party.len) {
		write_span(w, party);
		return;
	}
	write_u8(w, '<');
	write_span(w, bytes_trim((struct bytes){party.at, end}));
	write_u8(w, '>');
	write_span(w, behind(party, end));
}

/* PJSIP takes the branch where it keeps no dialog, else a UUID; Sofia 13 letters and digits. */
static void write_tag(struct session *s, const struct sip_request *r, const struct sip_answer *a, struct writer *w)
{
	static const char letters[] = "0123456789ABCDEFGHJKNQRSTUXZcegjkmptvyFBDHKaQSUXZp";
	uint64_t x = session_random(s), y = session_random(s);
	write_text(w, ";tag=");
	if (device_of(s)->software == SIP_FREESWITCH) {
		for (int i = 0; i < 13; i++, x /= 19)
			write_u8(w, (uint8_t)letters[(x ^ y >> i) % (sizeof letters - 1)]);
	} else if (a->dialog) {
		write_fmt(w, "%08x-%04x-4%03x-%04x-%012llx", (uint32_t)x, (unsigned)(x >> 32 & 0xffff),
			  (unsigned)(x >> 48 & 0xfff), (unsigned)(y >> 48 & 0x3fff) | 0x8000,
			  (unsigned long long)(y & 0xffffffffffff));
	} else {
		write_span(w, r->branch.len ? r->branch : r->call_id);
	}
}

static void write_challenge(struct session *s, const struct sip_answer *a, enum detail detail, struct writer *w)
{
	char nonce[SIP_NONCE_MAX], realm[128];
	sip_nonce(s, session_time_us(s) / 1000000, nonce);
	sip_realm(s, realm, sizeof realm);
	if (device_of(s)->software == SIP_FREESWITCH) {
		write_fmt(w, "%s: Digest realm=\"%s\", nonce=\"%s\"%s", a->status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate",
			  realm, nonce, a->stale ? ", stale=true" : "");
		write_text(w, detail != WHOLE ? "\r\n" : ", algorithm=MD5, qop=\"auth\"\r\n");
		return;
	}
	write_fmt(w, "WWW-Authenticate: Digest realm=\"%s\",nonce=\"%s\"", realm, nonce);
	if (detail == WHOLE)
		write_fmt(w, ",opaque=\"%016llx\"", (unsigned long long)session_random(s));
	if (a->stale)
		write_text(w, ",stale=true");
	write_text(w, detail != WHOLE ? "\r\n" : ",algorithm=MD5,qop=\"auth\"\r\n");
}

static uint64_t expires_of(const struct sip_request *r)
{
	uint64_t expires = EXPIRES_DEFAULT;
	struct bytes value;
	if (sip_parameter(r->contact, "expires", ';', &value))
		bytes_number(value, UINT32_MAX, &expires);
	else if (r->expires.len)
		bytes_number(r->expires, UINT32_MAX, &expires);
	if (expires && expires < EXPIRES_MIN)
		expires = EXPIRES_MIN;
	return expires < EXPIRES_MAX ? expires : EXPIRES_MAX;
}

static void write_date(const struct session *s, struct writer *w)
{
	char date[64] = "";
	struct tm tm;
	time_t now = (time_t)(session_time_us(s) / 1000000);
	if (gmtime_r(&now, &tm))
		strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	write_fmt(w, "Date: %s\r\n", date);
}

static void write_contact(const struct sip_request *r, enum detail detail, unsigned less, struct writer *w)
{
	uint64_t expires = expires_of(r);
	size_t end = bytes_find(r->contact, ">");
	if (r->contact.len == 0 || !expires || r->contact.at[0] == '*')
		return;
	write_text(w, detail == LEAN ? "m: " : "Contact: ");
	write_span(w, (struct bytes){r->contact.at, end < r->contact.len ? end + 1 : end});
	write_fmt(w, ";expires=%llu\r\n", (unsigned long long)expires - less);
}

static void write_server(const struct session *s, const char *field, const char *usual, struct writer *w)
{
	char server[128];
	session_expand(s, device_of(s)->server ? device_of(s)->server : usual, server, sizeof server);
	write_fmt(w, "%s: %s\r\n", field, server);
}

static void write_asterisk(struct session *s, const struct sip_request *r, const struct sip_answer *a, enum detail detail,
			   struct writer *w)
{
	if (a->challenge)
		write_challenge(s, a, detail, w);
	if (a->capabilities)
		write_text(w, detail != WHOLE ? "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
				   : "Accept: application/sdp, application/dialog-info+xml, "
				     "application/simple-message-summary, application/xpidf+xml, "
				     "application/cpim-pidf+xml, application/pidf+xml, application/pidf+xml, "
				     "application/dialog-info+xml, application/simple-message-summary, "
				     "message/sipfrag;version=2.0\r\nAllow: " ASTERISK_ALLOW
				     "\r\nSupported: 100rel, timer, replaces, norefersub\r\n"
				     "Accept-Encoding: text/plain\r\nAccept-Language: en\r\n");
	if (a->registered) {
		if (detail == WHOLE)
			write_date(s, w);
		write_contact(r, detail, 1, w);
		if (r->expires.len && detail != LEAN)
			write_fmt(w, "Expires: %llu\r\n", (unsigned long long)expires_of(r));
	}
	if (detail != LEAN)
		write_server(s, "Server", ASTERISK_SERVER, w);
	if (a->cause && detail == WHOLE)
		write_fmt(w, "Reason: Q.850;cause=%u\r\n", a->cause);
	write_text(w, detail == LEAN ? "l: 0\r\n\r\n" : "Content-Length:  0\r\n\r\n");
}

static const char *cause_name(unsigned cause)
{
	return cause == 17 ? "USER_BUSY" : cause == 21 ? "CALL_REJECTED" : cause == 34 ? "NORMAL_CIRCUIT_CONGESTION"
	     : cause == 20 ? "SUBSCRIBER_ABSENT" : "NO_ROUTE_DESTINATION";
}

static void write_freeswitch(struct session *s, const struct sip_request *r, const struct sip_answer *a, enum detail detail,
			     struct writer *w)
{
	char address[ADDRESS_TEXT_MAX];
	bool call = bytes_equal_text(r->method, "INVITE") && a->status > 199;
	address_format(session_local(s), address);
	if (a->registered) {
		write_contact(r, detail, 0, w);
		if (detail == WHOLE)
			write_date(s, w);
	}
	if (a->capabilities && a->status == 200)
		write_fmt(w, "Contact: <sip:%s:%u>\r\n", address, session_local_port(s));
	if (detail != LEAN)
		write_server(s, "User-Agent", FREESWITCH_SERVER, w);
	if (detail == WHOLE) {
		if (call || (a->capabilities && a->status == 200))
			write_text(w, "Accept: application/sdp\r\n");
		if (a->status > 199 && a->status != 481)
			write_text(w, "Allow: " FREESWITCH_ALLOW "\r\nSupported: timer, path, replaces\r\n");
		if (call || (a->capabilities && a->status == 200))
			write_text(w, FREESWITCH_EVENTS);
	}
	if (a->challenge)
		write_challenge(s, a, detail, w);
	if (a->cause && detail == WHOLE)
		write_fmt(w, "Reason: Q.850;cause=%u;text=\"%s\"\r\n", a->cause, cause_name(a->cause));
	write_text(w, detail == LEAN ? "l: 0\r\n\r\n" : "Content-Length: 0\r\n\r\n");
}

static void write_answer(struct session *s, const struct sip_request *r, const struct sip_answer *a, enum detail detail,
			 struct writer *w)
{
	bool asterisk = device_of(s)->software == SIP_ASTERISK;
	write_fmt(w, "SIP/2.0 %u %s\r\n%s: ", a->status, a->reason, detail == LEAN ? "v" : "Via");
	if (asterisk)
		write_via_pjsip(s, r->vias[0], w);
	else
		write_via_sofia(s, r->vias[0], w);
	write_text(w, "\r\n");
	for (size_t i = 1; i < r->via_count; i++)
		write_field(w, detail, "Via", "v", r->vias[i]);
	if (asterisk)
		write_field(w, detail, "Call-ID", "i", r->call_id);
	write_text(w, detail == LEAN ? "f: " : "From: ");
	write_party(s, r->from, w);
	write_text(w, detail == LEAN ? "\r\nt: " : "\r\nTo: ");
	write_party(s, r->to, w);
	if (a->status != 100 && !sip_has_tag(r->to)) {
		if (detail == LEAN)
			write_text(w, ";tag=1");
		else
			write_tag(s, r, a, w);
	}
	write_text(w, "\r\n");
	if (!asterisk)
		write_field(w, detail, "Call-ID", "i", r->call_id);
	write_field(w, WHOLE, "CSeq", "CSeq", r->sequence);
	if (asterisk)
		write_asterisk(s, r, a, detail, w);
	else
		write_freeswitch(s, r, a, detail, w);
}

size_t sip_length(struct session *s, const struct sip_request *r, const struct sip_answer *a)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_answer(s, r, a, WHOLE, &w);
	return writer_used(&w);
}

void sip_say(struct session *s, const struct sip_request *r, const struct sip_answer *a)
{
	uint8_t room[ANSWER_MAX];
	size_t max = session_transport(s) == TRANSPORT_UDP ? session_answer_max(s) : SIZE_MAX, whole = 0;
	for (enum detail detail = WHOLE; detail <= LEAN; detail++) {
		struct writer w = writer_of(room, sizeof room);
		write_answer(s, r, a, detail, &w);
		if (detail == WHOLE)
			whole = writer_used(&w);
		if (!w.bad && writer_used(&w) <= max) {
			session_say_bytes(s, writer_bytes(&w));
			break;
		}
	}
	if (session_transport(s) == TRANSPORT_UDP)
		session_would_say(s, whole);
}
