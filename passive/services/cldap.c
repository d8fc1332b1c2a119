/*
 * CLDAP: a domain controller of Windows tells who it is, over UDP and without log-in.
 *
 * Two questions matter: the root entry (rootDSE), asked for amplification and by scanners, and
 * the ping of the net-logon service by which machines find their controller (MS-ADTS 6.3.3).
 * Lengths are written in four bytes, as Windows does.  Its long lists of controls and policies
 * are left out where an answer must fit a packet, and told as what would have been said.
 */
#include "base/little.h"
#include "base/options.h"
#include "base/random.h"
#include "passive/service.h"
#include "passive/services/snmp/ber.h"
#include <time.h>

#define ANSWER_MAX 1400
#define ATTRIBUTES_MAX 32 /* that one question may name */
#define LISTS 1720        /* bytes of supportedControl and supportedLDAPPolicies of Windows Server 2012 R2 */
#define TEXT_MAX 256

enum { SEARCH = 0x63, ENTRY = 0x64, DONE = 0x65 };
enum { NETLOGON_RESPONSE_EX = 23, NETLOGON_VERSION = 5 };
#define NETLOGON_FLAGS 0x0000f1fdu /* PDC, GC, LDAP, DS, KDC, time server, closest, writable, ... */

struct cldap_device {
	const char *domain, *host, *site;
	uint64_t level; /* functional: 6 is 2012 R2 */
};

struct search {
	struct bytes id, base, filter, attributes[ATTRIBUTES_MAX];
	size_t count;
	bool brief; /* only what a packet has room for */
};

struct names {
	char domain[TEXT_MAX], host[64], components[TEXT_MAX], netbios[16], configuration[TEXT_MAX + 32];
};

static bool search_read(struct reader *in, struct search *q)
{
	struct reader message = reader_of_bytes(ber_read(in, BER_SEQUENCE));
	*q = (struct search){.id = ber_read(&message, BER_INTEGER)};
	struct reader r = reader_of_bytes(ber_read(&message, SEARCH));
	q->base = ber_read(&r, BER_STRING);
	ber_read(&r, BER_ENUMERATED);
	ber_read(&r, BER_ENUMERATED);
	ber_read_integer(&r);
	ber_read_integer(&r);
	ber_read(&r, BER_BOOLEAN);
	q->filter = ber_read_whole(&r);
	struct reader names = reader_of_bytes(ber_read(&r, BER_SEQUENCE));
	while (reader_left(&names) && reader_ok(&names) && q->count < ATTRIBUTES_MAX)
		q->attributes[q->count++] = ber_read(&names, BER_STRING);
	return reader_ok(&message) && reader_ok(&r) && reader_ok(&names) && q->id.len && q->id.len <= 4;
}

static void names_fill(struct session *s, const struct cldap_device *d, struct names *n)
{
	session_expand(s, d->domain, n->domain, sizeof n->domain);
	session_expand(s, d->host, n->host, sizeof n->host);
	struct writer w = writer_of(n->components, sizeof n->components - 1);
	struct bytes left = bytes_of_text(n->domain);
	size_t first = bytes_find(left, ".");
	for (size_t i = 0; i < 15 && i < first; i++) {
		char c = (char)left.at[i];
		n->netbios[i] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
		n->netbios[i + 1] = '\0';
	}
	while (left.len) {
		size_t dot = bytes_find(left, ".");
		write_fmt(&w, "%sDC=%.*s", writer_used(&w) ? "," : "", (int)dot, (const char *)left.at);
		dot += dot < left.len;
		left = (struct bytes){left.at + dot, left.len - dot};
	}
	*w.at = '\0';
	snprintf(n->configuration, sizeof n->configuration, "CN=Configuration,%s", n->components);
}

static bool wanted(const struct search *q, const char *name)
{
	static const char *const left_out[] = {"supportedCapabilities", "supportedSASLMechanisms", "ldapServiceName",
		"subschemaSubentry", "namingContexts", "rootDomainNamingContext", "serverName"};
	bool any = q->count == 0;
	for (size_t i = 0; q->brief && i < sizeof left_out / sizeof *left_out; i++)
		if (!strcmp(left_out[i], name))
			return false;
	for (size_t i = 0; i < q->count; i++)
		any |= bytes_equal_nocase(q->attributes[i], name) || bytes_equal_text(q->attributes[i], "*");
	return any;
}

/* An attribute with its values in front of those that are written already: the last one first. */
static void attribute(struct ber_writer *w, const struct search *q, const char *name, const char *const *values)
{
	size_t mark = ber_mark(w), count = 0;
	if (!wanted(q, name))
		return;
	while (values[count])
		count++;
	while (count-- > 0)
		ber_text(w, values[count]);
	ber_close_long(w, BER_SET, mark);
	ber_text(w, name);
	ber_close_long(w, BER_SEQUENCE, mark);
}

static void one(struct ber_writer *w, const struct search *q, const char *name, const char *value)
{
	const char *const values[] = {value, NULL};
	attribute(w, q, name, values);
}

static void number(struct ber_writer *w, const struct search *q, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	one(w, q, name, text);
}

static void directory_attributes(const struct cldap_device *d, const struct search *q, const struct names *n,
                                 const char *time, struct ber_writer *w)
{
	char schema[TEXT_MAX + 64], text[2 * TEXT_MAX + 128], zones[2][TEXT_MAX + 32];
	snprintf(schema, sizeof schema, "CN=Schema,%s", n->configuration);
	snprintf(zones[0], sizeof zones[0], "DC=DomainDnsZones,%s", n->components);
	snprintf(zones[1], sizeof zones[1], "DC=ForestDnsZones,%s", n->components);
	const char *const contexts[] = {n->components, n->configuration, schema, zones[0], zones[1], NULL};
	one(w, q, "rootDomainNamingContext", n->components);
	one(w, q, "configurationNamingContext", n->configuration);
	one(w, q, "schemaNamingContext", schema);
	one(w, q, "defaultNamingContext", n->components);
	attribute(w, q, "namingContexts", contexts);
	snprintf(text, sizeof text, "CN=NTDS Settings,CN=%s,CN=Servers,CN=%s,CN=Sites,%s", n->host, d->site, n->configuration);
	one(w, q, "dsServiceName", text);
	snprintf(text, sizeof text, "CN=Aggregate,%s", schema);
	one(w, q, "subschemaSubentry", text);
	one(w, q, "currentTime", time);
}

/* The root entry's attributes in the order of Windows, written from the last to the first. */
static void root_attributes(struct session *s, const struct cldap_device *d, const struct search *q,
                            const struct names *n, struct ber_writer *w)
{
	static const char *const versions[] = {"3", "2", NULL};
	static const char *const mechanisms[] = {"GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5", NULL};
	static const char *const capabilities[] = {"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670",
		"1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080",
		"1.2.840.113556.1.4.2237", NULL};
	char time[32], text[2 * TEXT_MAX + 128];
	uint64_t now = session_time_us(s) / 1000000;
	time_t at = (time_t)now;
	struct tm t;
	gmtime_r(&at, &t);
	strftime(time, sizeof time, "%Y%m%d%H%M%S.0Z", &t);
	number(w, q, "domainControllerFunctionality", d->level);
	number(w, q, "domainFunctionality", d->level);
	number(w, q, "forestFunctionality", d->level);
	one(w, q, "isGlobalCatalogReady", "TRUE");
	one(w, q, "isSynchronized", "TRUE");
	attribute(w, q, "supportedCapabilities", capabilities);
	snprintf(text, sizeof text, "CN=%s,CN=Servers,CN=%s,CN=Sites,%s", n->host, d->site, n->configuration);
	one(w, q, "serverName", text);
	snprintf(text, sizeof text, "%s:%s$@%s", n->domain, n->host, n->domain);
	one(w, q, "ldapServiceName", text);
	snprintf(text, sizeof text, "%s.%s", n->host, n->domain);
	one(w, q, "dnsHostName", text);
	attribute(w, q, "supportedSASLMechanisms", mechanisms);
	number(w, q, "highestCommittedUSN", 12000 + session_device_seed(s) % 90000 + now / 97 % 100000);
	attribute(w, q, "supportedLDAPVersion", versions);
	directory_attributes(d, q, n, time, w);
}

/* A name in labels (RFC 1035 4.1.4), without compression, which readers take as well. */
static void write_labels(struct writer *w, const char *dotted)
{
	while (*dotted) {
		size_t n = strcspn(dotted, ".");
		write_u8(w, (uint8_t)n);
		write_bytes(w, dotted, n);
		dotted += n + (dotted[n] == '.');
	}
	write_u8(w, 0);
}

/* NETLOGON_SAM_LOGON_RESPONSE_EX (MS-ADTS 6.3.1.9). */
static void netlogon_attribute(struct session *s, const struct cldap_device *d, const struct names *n, struct ber_writer *w)
{
	uint8_t room[1024];
	char text[TEXT_MAX + 80];
	struct writer v = writer_of(room, sizeof room);
	uint64_t domain = session_device_seed(s);
	write_little(&v, NETLOGON_RESPONSE_EX, 2);
	write_little(&v, 0, 2);
	write_little(&v, NETLOGON_FLAGS, 4);
	write_little(&v, random_mix(domain + 1), 8);
	write_little(&v, random_mix(domain + 2), 8);
	write_labels(&v, n->domain); /* of the forest */
	write_labels(&v, n->domain);
	snprintf(text, sizeof text, "%s.%s", n->host, n->domain);
	write_labels(&v, text);
	write_labels(&v, n->netbios);
	write_labels(&v, n->host);
	write_u8(&v, 0); /* no user was asked for */
	write_labels(&v, d->site);
	write_labels(&v, d->site);
	write_little(&v, NETLOGON_VERSION, 4);
	write_little(&v, 0xffffffff, 4);
	size_t mark = ber_mark(w);
	ber_value(w, BER_STRING, writer_bytes(&v));
	ber_close_long(w, BER_SET, mark);
	ber_text(w, "Netlogon");
	ber_close_long(w, BER_SEQUENCE, mark);
}

/* All of the answer, the entry and the end, in one datagram; how long it is. */
static size_t answer_write(struct session *s, const struct search *q, struct ber_writer *w)
{
	const struct cldap_device *d = session_device(s);
	struct names n = {0};
	names_fill(s, d, &n);
	ber_text(w, ""); /* the end comes last, so it is written first */
	ber_text(w, "");
	ber_value(w, BER_ENUMERATED, BYTES("\0"));
	ber_close_long(w, DONE, 0);
	ber_value(w, BER_INTEGER, q->id);
	ber_close_long(w, BER_SEQUENCE, 0);
	size_t mark = ber_mark(w);
	if (q->base.len) /* other entries are not told without log-in */
		return mark;
	if (q->count && wanted(q, "Netlogon"))
		netlogon_attribute(s, d, &n, w);
	else
		root_attributes(s, d, q, &n, w);
	ber_close_long(w, BER_SEQUENCE, mark);
	ber_text(w, "");
	ber_close_long(w, ENTRY, mark);
	ber_value(w, BER_INTEGER, q->id);
	ber_close_long(w, BER_SEQUENCE, mark);
	return ber_mark(w);
}

static void search_answer(struct session *s, struct search *q)
{
	uint8_t room[4096];
	struct ber_writer w = ber_writer_of(room, sizeof room);
	bool lists = q->base.len == 0 && wanted(q, "supportedControl");
	size_t whole = answer_write(s, q, &w);
	session_would_say(s, whole + (lists ? LISTS : 0));
	if (whole > ANSWER_MAX) {
		q->brief = true;
		w = ber_writer_of(room, sizeof room);
		whole = answer_write(s, q, &w);
	}
	if (!w.bad && whole <= session_answer_max(s))
		session_say_bytes(s, ber_bytes(&w));
}

static enum service_next cldap_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	struct search q;
	if (!search_read(in, &q))
		return SERVICE_CONTINUE;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("search"));
	event_set_bytes(e, FIELD_TARGET, q.count ? q.attributes[0] : q.base.len ? q.base : BYTES("rootDSE"));
	event_set_bytes(e, FIELD_BODY, q.filter);
	search_answer(s, &q);
	return SERVICE_CONTINUE;
}

#define DONE_7 "\x30\x84\0\0\0\x10\2\1\7\x65\x84\0\0\0\7\x0a\1\0\4\0\4\0"

static bool cldap_claims_datagram(struct bytes first)
{
	struct reader r = reader_of_bytes(first);
	struct search q;
	return search_read(&r, &q);
}

static const struct exchange cldap_exchanges[] = {
        {"one attribute of the root entry",
         BYTES("\x30\x3a\2\1\7\x63\x35\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0\x87\x0bobjectClass\x30\x15\4\x13" "domainFunctionality"),
         BYTES("\x30\x84\0\0\0\x35\2\1\7\x64\x84\0\0\0\x2c\4\0\x30\x84\0\0\0\x24\x30\x84\0\0\0\x1e\4\x13" "domainFunctionality"
               "\x31\x84\0\0\0\3\4\1" "6" DONE_7),
         "{\"kind\":\"request.seen\",\"request.method\":\"search\",\"request.target\":\"domainFunctionality\"}"},
        {"an entry that nobody may see",
         BYTES("\x30\x2b\2\1\7\x63\x26\4\6" "CN=a,b" "\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0\x87\x0bobjectClass\x30\0"),
         BYTES(DONE_7), "{\"kind\":\"request.seen\",\"request.method\":\"search\",\"request.target\":\"CN=a,b\"}"},
        {"a length beyond the datagram", BYTES("\x30\x84\0\0\1\0\2\1\7\x63"), BYTES(""), ""},
        {"a log-in, which there is not over UDP", BYTES("\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0"), BYTES(""), ""},
        {0},
};

#define DEVICE(member) offsetof(struct cldap_device, member)

static const struct option cldap_device_options[] = {
        {.name = "domain", .type = OPTION_TEXT, .offset = DEVICE(domain), .fallback = "corp.local",
         .summary = "of the directory, a template"},
        {.name = "host", .type = OPTION_TEXT, .offset = DEVICE(host), .fallback = "DC-%{serial6}",
         .summary = "name of the controller, a template"},
        {.name = "site", .type = OPTION_TEXT, .offset = DEVICE(site), .fallback = "Default-First-Site-Name",
         .summary = "name of its site"},
        {.name = "level", .type = OPTION_NUMBER, .offset = DEVICE(level), .fallback = "6", .max = 10,
         .summary = "functional level: 4 is 2008 R2, 6 is 2012 R2, 7 is 2016 and later"},
        {0},
};

static const struct service cldap = {
        .name = "cldap",
        .summary = "domain controller of Windows, over UDP",
        .reference = "RFC 1798, RFC 4511, MS-ADTS 6.3; Windows Server 2012 R2",
        .transports = TRANSPORT_UDP,
        .ports = {389},
        .state_size = 1,
        .input_max = 4096,
        .output_max = 4096,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 60 * 1000,
        .device = cldap_device_options,
        .device_size = sizeof(struct cldap_device),
        .claims_datagram = cldap_claims_datagram,
        .input = cldap_input,
        .exchanges = cldap_exchanges,
};
SERVICE(cldap);
