/*
 * ONVIF cameras: WS-Discovery, sent to one host.
 *
 * One Probe for network video transmitters (ONVIF Core 7.3); the answer's types, scopes (in
 * which stand maker, model and hardware) and addresses are read as text: no address among
 * them is asked, and no XML is expanded.
 */
#include "active/reading/identity_inner.h"

#define ANSWER_MAX 8192
#define SCOPES_MAX 1500
#define VALUE_MAX 512

struct onvif {
	bool answered;
	uint16_t types_len, scopes_len, addresses_len;
	uint8_t types[VALUE_MAX], scopes[SCOPES_MAX], addresses[VALUE_MAX];
};

FIELD(ONVIF_TYPES, "onvif.types", BYTES, 0, "types of the device");
FIELD(ONVIF_SCOPES, "onvif.scopes", BYTES, 0, "its scopes: hardware, name, location");
FIELD(ONVIF_ADDRESSES, "onvif.addresses", BYTES, 0, "addresses of its service, which are not asked");

#define QUESTION_BEFORE                                                                           \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope "                                   \
	"xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "                                    \
	"xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                           \
	"xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" "                            \
	"xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><e:Header><w:MessageID>uuid:"
#define QUESTION_AFTER                                                                            \
	"</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action>"       \
	"http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body>"     \
	"<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"

static enum probe_next onvif_open(struct asking *a, void *state)
{
	uint64_t one = address_hash(asking_target(a), 1), two = address_hash(asking_target(a), 2);
	(void)state;
	/* Some devices answer one message once: its number follows from the target alone. */
	asking_say(a, QUESTION_BEFORE "%08x-%04x-4%03x-%04x-%012llx" QUESTION_AFTER, (unsigned)(one >> 32),
		   (unsigned)(one >> 16 & 0xffff), (unsigned)(one & 0xfff),
		   (unsigned)(0x8000 | (two >> 48 & 0x3fff)), (unsigned long long)(two & 0xffffffffffff));
	return PROBE_CONTINUE;
}

static bool is_name_end(uint8_t c) { return c == '>' || c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The text of the first element of that name, whatever its prefix; empty: there is none. */
static struct bytes element_text(struct bytes xml, const char *name)
{
	size_t n = strlen(name);
	for (size_t at = 0; at < xml.len;) {
		struct bytes rest = {xml.at + at, xml.len - at};
		size_t found = bytes_find(rest, name);
		if (found + n >= rest.len)
			break;
		at += found + n;
		bool begins = found > 0 && (rest.at[found - 1] == '<' || rest.at[found - 1] == ':');
		size_t open = found;
		while (begins && open > 0 && rest.at[open] != '<' && rest.at[open] != '/' && found - open < 32)
			open--;
		if (!begins || rest.at[open] != '<' || !is_name_end(rest.at[found + n]))
			continue;
		struct bytes inside = {rest.at + found, rest.len - found};
		size_t end = bytes_find(inside, ">");
		if (end == inside.len)
			break;
		inside = (struct bytes){inside.at + end + 1, inside.len - end - 1};
		size_t close = bytes_find(inside, "<");
		if (close == inside.len)
			break;
		return bytes_trim((struct bytes){inside.at, close});
	}
	return (struct bytes){0};
}

/* White space of any kind is one space: a list may be broken over lines. */
static uint16_t text_keep(uint8_t *to, size_t size, struct bytes b)
{
	size_t n = 0;
	for (size_t i = 0; i < b.len && n < size; i++) {
		bool space = b.at[i] <= ' ' || b.at[i] == 0x7f;
		if (!space || (n && to[n - 1] != ' '))
			to[n++] = space ? ' ' : b.at[i];
	}
	return (uint16_t)n;
}

static enum probe_next onvif_input(struct asking *a, void *state, struct reader *r)
{
	struct onvif *o = state;
	struct bytes xml = read_rest(r);
	(void)a;
	o->answered = bytes_find(xml, "ProbeMatch") < xml.len;
	if (!o->answered)
		return PROBE_DONE;
	o->types_len = text_keep(o->types, sizeof o->types, element_text(xml, "Types"));
	o->scopes_len = text_keep(o->scopes, sizeof o->scopes, element_text(xml, "Scopes"));
	o->addresses_len = text_keep(o->addresses, sizeof o->addresses, element_text(xml, "XAddrs"));
	return PROBE_DONE;
}

static void onvif_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct onvif *o = state;
	(void)unread;
	if (!o->answered)
		return;
	if (o->types_len)
		event_set_bytes(answer, ONVIF_TYPES, (struct bytes){o->types, o->types_len});
	if (o->scopes_len)
		event_set_bytes(answer, ONVIF_SCOPES, (struct bytes){o->scopes, o->scopes_len});
	if (o->addresses_len)
		event_set_bytes(answer, ONVIF_ADDRESSES, (struct bytes){o->addresses, o->addresses_len});
	asking_signal(a, "onvif.scopes", (struct bytes){o->scopes, o->scopes_len});
}

static const char *const onvif_signals[] = {"onvif.scopes", NULL};

#define ASKED QUESTION_BEFORE "5bab8c71-1197-47bb-a0d7-8a4da9da8689" QUESTION_AFTER

static const struct specimen onvif_specimens[] = {
	{
		.title = "a camera",
		.answers = {BYTES("<?xml version=\"1.0\"?><SOAP-ENV:Envelope><SOAP-ENV:Body><wsdd:ProbeMatches>"
				  "<wsdd:ProbeMatch><wsdd:Types>dn:NetworkVideoTransmitter</wsdd:Types>"
				  "<wsdd:Scopes MatchBy=\"x\">\n onvif://www.onvif.org/hardware/IPC-A22\n"
				  " onvif://www.onvif.org/name/Dahua </wsdd:Scopes>"
				  "<wsdd:XAddrs>http://192.168.1.108/onvif/device_service</wsdd:XAddrs>"
				  "</wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>")},
		.asked = BYTES(ASKED),
		.answered = "{\"onvif.types\":\"dn:NetworkVideoTransmitter\",\"onvif.addresses\":"
			    "\"http://192.168.1.108/onvif/device_service\"}\n",
		.signals = "onvif.scopes: onvif://www.onvif.org/hardware/IPC-A22 onvif://www.onvif.org/name/Dahua\n",
	},
	{
		.title = "a fault",
		.answers = {BYTES("<SOAP-ENV:Envelope><SOAP-ENV:Body><SOAP-ENV:Fault/></SOAP-ENV:Body></SOAP-ENV:Envelope>")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "elements that never end, and names that only look like theirs",
		.answers = {BYTES("<ProbeMatch></Types><MyTypes>x</MyTypes><XAddrsList>y</XAddrsList><Scopes>onvif:")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe onvif = {
	.name = "onvif",
	.summary = "asks one host whether it is a network camera, by WS-Discovery",
	.reference = "ONVIF Core Specification 7.3; WS-Discovery 2005/04",
	.transport = PROBE_UDP,
	.ports = {3702},
	.tier = PROBE_OPT_IN,
	.answers_elsewhere = true,
	.question_max = 1024,
	.answer_max = ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2500,
	.connections_max = 1,
	.state_size = sizeof(struct onvif),
	.open = onvif_open,
	.input = onvif_input,
	.finish = onvif_finish,
	.signals = onvif_signals,
	.specimens = onvif_specimens,
};
PROBE(onvif);
