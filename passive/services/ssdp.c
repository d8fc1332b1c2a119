/*
 * SSDP: a device answers a search with where its description is, as MiniUPnPd or libupnp do.
 *
 * A search for everything brings one datagram for each device and service from a real router,
 * which is what makes it worth forging.  Here it brings the first of them, and the rest is told
 * as what would have been said.  Without "ssdp:discover" or for what the device has not got
 * there is no answer, and none to what is announced.
 */
#include "base/options.h"
#include "passive/services/upnp/upnp.h"
#include <time.h>

#define ANSWER_MAX 1200
#define TARGETS_MAX 16

static const char *const softwares[] = {"miniupnpd", "libupnp", NULL};
enum software { MINIUPNPD, LIBUPNP };

struct ssdp_device {
	int software;
	const char *server, *location, *targets, *uuid;
	uint64_t max_age;
};

struct search {
	struct bytes target, agent;
	bool discover;
};

static bool search_read(struct reader *in, struct search *q)
{
	struct bytes line;
	*q = (struct search){0};
	if (!read_line(in, &line) || !bytes_start_with(line, "M-SEARCH * HTTP/1."))
		return false;
	while (read_line(in, &line) && line.len) {
		size_t colon = bytes_find(line, ":");
		struct bytes name = bytes_trim((struct bytes){line.at, colon}), value = {0};
		if (colon < line.len)
			value = bytes_trim((struct bytes){line.at + colon + 1, line.len - colon - 1});
		if (bytes_equal_nocase(name, "st"))
			q->target = value;
		else if (bytes_equal_nocase(name, "man"))
			q->discover = bytes_equal_nocase(value, "\"ssdp:discover\"");
		else if (bytes_equal_nocase(name, "user-agent"))
			q->agent = value;
	}
	return q->target.len > 0;
}

static size_t answer_write(struct session *s, const struct ssdp_device *d, struct bytes target, struct writer *w)
{
	char uuid[40], location[256], server[160], date[64], own[64];
	upnp_uuid(s, d->uuid, uuid);
	snprintf(own, sizeof own, "uuid:%s", uuid);
	session_expand(s, d->location, location, sizeof location);
	session_expand(s, d->server, server, sizeof server);
	time_t now = (time_t)(session_time_us(s) / 1000000);
	struct tm t;
	gmtime_r(&now, &t);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &t);
	char whole[128];
	bool is_uuid = bytes_equal_text(target, own);
	snprintf(whole, sizeof whole, is_uuid ? "%s" : "%s::%.*s", own, (int)target.len, (const char *)target.at);
	if (d->software == MINIUPNPD)
		write_fmt(w, "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=%u\r\nST: %.*s\r\nUSN: %s\r\nEXT:\r\n"
		             "SERVER: %s\r\nLOCATION: %s\r\nOPT: \"http://schemas.upnp.org/upnp/1/0/\"; ns=01\r\n"
		             "01-NLS: 1\r\nBOOTID.UPNP.ORG: 1\r\nCONFIGID.UPNP.ORG: 1337\r\n\r\n",
		          (unsigned)d->max_age, (int)target.len, (const char *)target.at, whole, server, location);
	else
		write_fmt(w, "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=%u\r\nDATE: %s\r\nEXT:\r\nLOCATION: %s\r\n"
		             "SERVER: %s\r\nST: %.*s\r\nUSN: %s\r\n\r\n",
		          (unsigned)d->max_age, date, location, server, (int)target.len, (const char *)target.at, whole);
	return w->bad ? 0 : writer_used(w);
}

/* What of the device a search means. */
static size_t names_of(const struct ssdp_device *d, const char *own, struct bytes target, struct bytes found[TARGETS_MAX])
{
	bool all = bytes_equal_text(target, "ssdp:all");
	struct bytes left = bytes_of_text(d->targets);
	size_t n = 0;
	while (left.len && n < TARGETS_MAX - 1) {
		struct bytes name = bytes_word(&left);
		if (name.len && (all || bytes_equal(name, target)))
			found[n++] = name;
	}
	if (all || bytes_equal_text(target, own))
		found[n++] = bytes_of_text(own);
	return n;
}

static enum service_next ssdp_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	const struct ssdp_device *d = session_device(s);
	struct search q;
	if (!search_read(in, &q))
		return SERVICE_CONTINUE;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("M-SEARCH"));
	event_set_bytes(e, FIELD_TARGET, q.target);
	if (q.agent.len)
		event_set_bytes(e, FIELD_AGENT, q.agent);
	if (!q.discover)
		return SERVICE_CONTINUE;
	char uuid[40], own[64];
	uint8_t room[ANSWER_MAX];
	struct bytes found[TARGETS_MAX];
	upnp_uuid(s, d->uuid, uuid);
	snprintf(own, sizeof own, "uuid:%s", uuid);
	size_t count = names_of(d, own, q.target, found), whole = 0;
	for (size_t i = count; i-- > 0;) { /* the first one last: it stays in the room */
		struct writer w = writer_of(room, sizeof room);
		size_t n = answer_write(s, d, found[i], &w);
		whole += n;
		if (i == 0 && n && n <= session_answer_max(s))
			session_say_bytes(s, writer_bytes(&w));
	}
	session_would_say(s, whole);
	return SERVICE_CONTINUE;
}

#define SEARCH(target) "M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\nST:" target "\r\nMan:\"ssdp:discover\"\r\nMX:3\r\n\r\n"
#define ROOT                                                                                       \
	"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"                 \
	"USN: uuid:1dfad871-98d5-4501-909a-9c6f9c822dbc::upnp:rootdevice\r\nEXT:\r\n"             \
	"SERVER: Linux/3.0.8 UPnP/1.0 MiniUPnPd/1.6\r\nLOCATION: http://192.0.2.23:5000/rootDesc.xml\r\n" \
	"OPT: \"http://schemas.upnp.org/upnp/1/0/\"; ns=01\r\n01-NLS: 1\r\nBOOTID.UPNP.ORG: 1\r\n" \
	"CONFIGID.UPNP.ORG: 1337\r\n\r\n"
#define SEEN(target) "{\"kind\":\"request.seen\",\"request.method\":\"M-SEARCH\",\"request.target\":\"" target "\"}"

static bool ssdp_claims_datagram(struct bytes first)
{
	return bytes_start_with(first, "M-SEARCH ");
}

static const struct exchange ssdp_exchanges[] = {
        {"the device itself", BYTES(SEARCH("upnp:rootdevice")), BYTES(ROOT), SEEN("upnp:rootdevice")},
        {"everything: the first of it", BYTES(SEARCH("ssdp:all")), BYTES(ROOT), SEEN("ssdp:all")},
        {"what it has not got", BYTES(SEARCH("urn:dial-multiscreen-org:service:dial:1")), BYTES(""),
         SEEN("urn:dial-multiscreen-org:service:dial:1")},
        {"a search that does not say what it is", BYTES("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n"), BYTES(""),
         SEEN("ssdp:all")},
        {"an announcement", BYTES("NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n"), BYTES(""), ""},
        {0},
};

#define DEVICE(member) offsetof(struct ssdp_device, member)

static const struct option ssdp_device_options[] = {
        {.name = "software", .type = OPTION_CHOICE, .offset = DEVICE(software), .choices = softwares,
         .fallback = "miniupnpd", .summary = "whose order of fields its answers have: miniupnpd or libupnp"},
        {.name = "server", .type = OPTION_TEXT, .offset = DEVICE(server),
         .fallback = "Linux/%{kernel} UPnP/1.0 MiniUPnPd/1.6", .summary = "what it calls itself, a template"},
        {.name = "location", .type = OPTION_TEXT, .offset = DEVICE(location),
         .fallback = "http://%{address}:5000/rootDesc.xml", .summary = "of its description, a template"},
        {.name = "targets", .type = OPTION_TEXT, .offset = DEVICE(targets),
         .fallback = "upnp:rootdevice urn:schemas-upnp-org:device:InternetGatewayDevice:1 "
                     "urn:schemas-upnp-org:device:WANDevice:1 urn:schemas-upnp-org:device:WANConnectionDevice:1 "
                     "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1 "
                     "urn:schemas-upnp-org:service:WANIPConnection:1 urn:schemas-upnp-org:service:Layer3Forwarding:1",
         .summary = "names of its devices and services, with spaces between"},
        {.name = "uuid", .type = OPTION_TEXT, .offset = DEVICE(uuid), .fallback = "",
         .summary = "template of its UUID; empty: one of its own by address"},
        {.name = "max_age", .type = OPTION_NUMBER, .offset = DEVICE(max_age), .fallback = "120", .min = 1,
         .max = 86400, .summary = "seconds that an answer is good for"},
        {0},
};

static const struct service ssdp = {
        .name = "ssdp",
        .summary = "answers searches for UPnP devices",
        .reference = "UPnP Device Architecture 1.1; MiniUPnPd 1.6, libupnp 1.6",
        .transports = TRANSPORT_UDP,
        .ports = {1900},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 4096,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 60 * 1000,
        .device = ssdp_device_options,
        .device_size = sizeof(struct ssdp_device),
        .claims_datagram = ssdp_claims_datagram,
        .input = ssdp_input,
        .exchanges = ssdp_exchanges,
};
SERVICE(ssdp);
