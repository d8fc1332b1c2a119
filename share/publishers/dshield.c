/*
 * DShield (SANS Internet Storm Center): lines of what was aimed at us, as its own sensors submit them.
 *
 * A POST is JSON {"type": "firewall", "logs": […], "authheader": …} with the same authorization as header and within;
 * an error comes with status 200 and a body that begins with "ERROR".
 */
#include "share/exporting/publication_inner.h"
#include "base/address.h"
#include "base/base64.h"
#include "base/random.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <time.h>

#define LOGS_MAX 1000 /* of one POST */
#define COLUMNS 9
#define AUTHORIZATION_MAX 512

enum { LINE_TIME, LINE_AUTHOR, LINE_COUNT, LINE_SRC, LINE_SPORT, LINE_DST, LINE_DPORT, LINE_PROTO, LINE_FLAGS };

static uint64_t protocol_number(struct bytes name)
{
	static const struct { const char *name; uint64_t number; } protocols[] = {
		{"ICMP", 1}, {"IGMP", 2}, {"TCP", 6}, {"UDP", 17}, {"GRE", 47}, {"ESP", 50}, {"AH", 51}, {"ICMPV6", 58}, {"SCTP", 132}};
	uint64_t n = 0;
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (bytes_equal_nocase(name, protocols[i].name))
			return protocols[i].number;
	return bytes_number(name, 255, &n) ? n : 0;
}

static void set_port(json_t *log, const char *key, struct bytes text)
{
	uint64_t port;
	if (bytes_number(text, 65535, &port)) /* "???" is not known */
		json_object_set_new(log, key, json_integer((json_int_t)port));
}

json_t *dshield_log(struct bytes line)
{
	struct bytes columns[COLUMNS] = {0};
	struct address src, dst;
	struct tm tm = {0};
	char when[32], text[ADDRESS_TEXT_MAX];
	size_t n = 0;
	for (size_t at = 0; n < COLUMNS; n++) {
		const struct bytes rest = {line.at + at, line.len - at};
		columns[n] = (struct bytes){rest.at, bytes_find(rest, "\t")};
		at += columns[n].len + 1;
		if (at > line.len) {
			n++;
			break;
		}
	}
	if (n != COLUMNS || !bytes_copy_text(columns[LINE_TIME], when, sizeof when) || !strptime(when, "%Y-%m-%d %H:%M:%S +00:00", &tm) ||
	    !address_parse(columns[LINE_SRC], &src) || !address_parse(columns[LINE_DST], &dst) || !protocol_number(columns[LINE_PROTO]))
		return NULL;
	json_t *log = json_object();
	json_object_set_new(log, "time", json_integer((json_int_t)timegm(&tm)));
	json_object_set_new(log, "sip", json_string(address_format(&src, text)));
	json_object_set_new(log, "dip", json_string(address_format(&dst, text)));
	json_object_set_new(log, "proto", json_integer((json_int_t)protocol_number(columns[LINE_PROTO])));
	json_object_set_new(log, "version", json_integer(address_is_v4(&src) ? 4 : 6));
	json_object_set_new(log, "flags", json_stringn(columns[LINE_FLAGS].len ? (const char *)columns[LINE_FLAGS].at : "", columns[LINE_FLAGS].len));
	set_port(log, "sport", columns[LINE_SPORT]);
	set_port(log, "dport", columns[LINE_DPORT]);
	return log;
}

void dshield_authorize(struct bytes user, struct bytes key, const char *nonce, struct writer *w)
{
	uint8_t secret[256], mac[EVP_MAX_MD_SIZE];
	unsigned len = sizeof mac;
	struct writer s = writer_of(secret, sizeof secret);
	write_text(&s, nonce);
	write_span(&s, user);
	HMAC(EVP_sha256(), secret, (int)writer_used(&s), key.at, key.len, mac, &len);
	w->bad |= s.bad;
	write_text(w, "ISC-HMAC-SHA256 Credentials=");
	base64_encode((struct bytes){mac, 32}, w);
	write_fmt(w, " Userid=%.*s Nonce=%s", (int)user.len, (const char *)user.at, nonce);
}

static int post(struct client_call *call, json_t *logs, struct fault *fault)
{
	char nonce[16] = "", header[AUTHORIZATION_MAX] = "X-ISC-Authorization: ";
	const size_t before = strlen(header);
	uint64_t drawn = random_secret();
	struct bytes user, key;
	struct writer w = writer_of(nonce, sizeof nonce - 1), h = writer_of(header + before, sizeof header - before - 1);
	struct client_answer a;
	if (!client_key_parts(call, &user, &key))
		return fault_set(fault, ERR_BAD, "key_file holds no USERID:KEY");
	base64_encode((struct bytes){(const uint8_t *)&drawn, sizeof drawn}, &w);
	dshield_authorize(user, key, nonce, &h);
	json_t *o = json_pack("{s:s, s:O, s:s}", "type", "firewall", "logs", logs, "authheader", header + before);
	char *text = o && !h.bad ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!text)
		return fault_set(fault, ERR_MEMORY, "no memory for a submission, or its key is too long");
	const char *const headers[] = {"Content-Type: application/json", "X-ISC-LogType: firewall", header, NULL};
	const struct client_request r = {.headers = headers, .body = bytes_of_text(text)};
	int bad = client_http(call, &r, &a, fault);
	free(text);
	bad = bad ? bad : client_refused(&a, fault);
	if (!bad && bytes_start_with(bytes_trim(a.body), "ERROR"))
		bad = fault_set(fault, ERR_DENIED, "it answered with an error; is the key right?");
	return bad;
}

static int publish(struct client_call *call, struct publication *p, struct fault *fault)
{
	struct bytes line;
	int bad = 0;
	bool more = true;
	while (more && !bad && !client_stopped(call)) {
		json_t *logs = json_array();
		while (json_array_size(logs) < LOGS_MAX && (more = publication_line(p, &line, fault))) {
			json_t *log = dshield_log(line);
			if (log)
				json_array_append_new(logs, log);
		}
		bad = json_array_size(logs) ? post(call, logs, fault) : 0;
		json_decref(logs);
		if (!bad)
			publication_arrived(p);
	}
	bad = bad ? bad : fault->text[0] ? ERR_SYSTEM : 0;
	return bad ? bad : more ? fault_set(fault, ERR_GONE, "it was stopped") : 0;
}

static const struct publisher dshield_publisher = {
	.name = "dshield",
	.summary = "submits what was aimed at us to DShield, a thousand lines a time",
	.reference = "DShield submission API, ISC-HMAC-SHA256",
	.key = "USERID:KEY",
	.output = "dshield",
	.publish = publish,
};
PUBLISHER(dshield_publisher);
