/*
 * WS-Discovery: an ONVIF camera answers a Probe with who it is, as gSOAP's wsdd does.
 *
 * The answer is many times as long as the shortest datagram that brings one, since gSOAP also
 * complains at length about what is no XML.  Both are told as what they would have been.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/services/http/soap.h"

#define ANSWER_MAX 4096
#define ID_MAX 128
#define PROBE_MAX 4096 /* of a search; what is longer is none */

struct wsdiscovery_device {
	const char *types, *scopes, *address;
};

#define ENVELOPE                                                                                   \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope "                          \
	"xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" "                              \
	"xmlns:SOAP-ENC=\"http://www.w3.org/2003/05/soap-encoding\" "                              \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "                                 \
	"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "                                          \
	"xmlns:wsdd=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" "                          \
	"xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                          \
	"xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\" "                                    \
	"xmlns:wsdd1=\"http://www.onvif.org/ver10/network/wsdl/RemoteDiscoveryBinding\">"
/* Of an answer: only the names that it uses, so that it fits a packet. */
#define ENVELOPE_SHORT                                                                             \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope "                          \
	"xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" "                              \
	"xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                          \
	"xmlns:wsdd=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" "                          \
	"xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">"
#define END "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
#define FAULT                                                                                      \
	ENVELOPE "<SOAP-ENV:Body><SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender"   \
		 "</SOAP-ENV:Value></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">" \
		 "No XML element tag</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>" END

static void uuid_write(uint64_t seed, char out[40])
{
	uint64_t a = random_mix(seed), b = random_mix(a);
	snprintf(out, 40, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
	         (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffff));
}

/* The last types asked for are the device's, or it was asked for any. */
static bool is_meant(const struct wsdiscovery_device *d, struct bytes types)
{
	size_t colon;
	while ((colon = bytes_find(types, ":")) < types.len)
		types = (struct bytes){types.at + colon + 1, types.len - colon - 1};
	char name[64];
	return types.len == 0 || (bytes_copy_text(types, name, sizeof name) && strstr(d->types, name));
}

static void match_write(struct session *s, const struct wsdiscovery_device *d, struct bytes id, struct writer *w)
{
	char own[40], message[40], scopes[768], address[160];
	uuid_write(session_device_seed(s) + 0x3702, own);
	uuid_write(session_random(s), message);
	session_expand(s, d->scopes, scopes, sizeof scopes);
	session_expand(s, d->address, address, sizeof address);
	write_fmt(w, ENVELOPE_SHORT "<SOAP-ENV:Header><wsa:MessageID>uuid:%s</wsa:MessageID><wsa:RelatesTo>%.*s</wsa:RelatesTo>"
	             "<wsa:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>"
	             "<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action>"
	             "</SOAP-ENV:Header><SOAP-ENV:Body><wsdd:ProbeMatches><wsdd:ProbeMatch><wsa:EndpointReference>",
	          message, (int)id.len, (const char *)id.at);
	write_fmt(w, "<wsa:Address>urn:uuid:%s</wsa:Address></wsa:EndpointReference><wsdd:Types>%s</wsdd:Types>"
	             "<wsdd:Scopes>%s</wsdd:Scopes><wsdd:XAddrs>%s</wsdd:XAddrs>"
	             "<wsdd:MetadataVersion>1</wsdd:MetadataVersion></wsdd:ProbeMatch></wsdd:ProbeMatches>" END,
	          own, d->types, scopes, address);
}

static void say_whole(struct session *s, struct bytes b)
{
	session_would_say(s, b.len);
	if (b.len <= session_answer_max(s))
		session_say_bytes(s, b);
}

static enum service_next wsdiscovery_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	const struct wsdiscovery_device *d = session_device(s);
	if (reader_left(in) == 0 || reader_left(in) > PROBE_MAX)
		return SERVICE_CONTINUE;
	struct bytes asked = read_rest(in), id = soap_text(asked, "MessageID"), types = soap_text(asked, "Types");
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	bool probe = bytes_find(asked, "/discovery/Probe") < asked.len &&
	             bytes_find(asked, "/discovery/ProbeMatches") == asked.len;
	bool xml = bytes_start_with(bytes_trim(asked), "<");
	if (xml && !probe)
		return SERVICE_CONTINUE; /* an announcement, or a Resolve of somebody else */
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, probe ? BYTES("Probe") : BYTES("other"));
	if (types.len)
		event_set_bytes(e, FIELD_TARGET, types);
	if (!probe) {
		event_set_bytes(e, FIELD_BODY, asked);
		say_whole(s, BYTES(FAULT));
	} else if (is_meant(d, types) && id.len <= ID_MAX) {
		match_write(s, d, id, &w);
		if (!w.bad)
			say_whole(s, writer_bytes(&w));
	}
	return SERVICE_CONTINUE;
}

#define PROBE(types)                                                                               \
	"<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "  \
	"xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                            \
	"xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header><w:MessageID>uuid:1</w:MessageID>" \
	"<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"    \
	"<e:Body><d:Probe>" types "</d:Probe></e:Body></e:Envelope>"

static bool wsdiscovery_claims_datagram(struct bytes first)
{
	return bytes_start_with(bytes_trim(first), "<") && bytes_find(first, "/discovery/Probe") < first.len;
}

static const struct exchange wsdiscovery_exchanges[] = {
        {"what is no XML is complained about", BYTES("\x0d\x0a"), BYTES(FAULT),
         "{\"kind\":\"request.seen\",\"request.method\":\"other\"}"},
        {"a printer is not here", BYTES(PROBE("<d:Types>wsdp:PrintDeviceType</d:Types>")), BYTES(""),
         "{\"kind\":\"request.seen\",\"request.method\":\"Probe\",\"request.target\":\"wsdp:PrintDeviceType\"}"},
        {"an announcement", BYTES("<e:Envelope><w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Hello</w:Action>"
                                  "</e:Envelope>"),
         BYTES(""), ""},
        {0},
};

#define DEVICE(member) offsetof(struct wsdiscovery_device, member)

static const struct option wsdiscovery_device_options[] = {
        {.name = "types", .type = OPTION_TEXT, .offset = DEVICE(types), .fallback = "dn:NetworkVideoTransmitter",
         .summary = "what it is"},
        {.name = "scopes", .type = OPTION_TEXT, .offset = DEVICE(scopes),
         .fallback = "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/IPC-model "
                     "onvif://www.onvif.org/name/IPC-model onvif://www.onvif.org/Profile/Streaming",
         .summary = "name, hardware and place, a template"},
        {.name = "address", .type = OPTION_TEXT, .offset = DEVICE(address),
         .fallback = "http://%{address}/onvif/device_service", .summary = "of its ONVIF service, a template"},
        {0},
};

static const struct service wsdiscovery = {
        .name = "wsdiscovery",
        .summary = "camera that answers searches for ONVIF devices",
        .reference = "WS-Discovery 2005/04, ONVIF Core 7; gSOAP 2.8",
        .transports = TRANSPORT_UDP,
        .ports = {3702},
        .state_size = 1,
        .input_max = 8192,
        .output_max = 8192,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 60 * 1000,
        .device = wsdiscovery_device_options,
        .device_size = sizeof(struct wsdiscovery_device),
        .claims_datagram = wsdiscovery_claims_datagram,
        .input = wsdiscovery_input,
        .exchanges = wsdiscovery_exchanges,
};
SERVICE(wsdiscovery);
