/*
 * SSDP: what a UPnP device says it is.
 *
 * One M-SEARCH for root devices, sent to the host alone (UPnP Device Architecture 1.1 1.3.2),
 * never for everything there is.  SERVER, LOCATION and USN are what is wanted; the page that
 * LOCATION names is not fetched: it may be anybody's.
 */
#include "active/reading/banner_inner.h"
#include "active/reading/head_inner.h"

#define ANSWER_MAX 8192
#define HEAD_MAX 2048

struct ssdp {
	uint16_t len;
	uint8_t head[HEAD_MAX];
};

FIELD(SSDP_SERVER, "ssdp.server", BYTES, 0, "SERVER header");
FIELD(SSDP_LOCATION, "ssdp.location", BYTES, 0, "LOCATION header: its description, which is not fetched");
FIELD(SSDP_USN, "ssdp.usn", BYTES, 0, "USN header: the device's own number");

static enum probe_next ssdp_open(struct asking *a, void *state)
{
	char host[ADDRESS_TEXT_MAX];
	bool v4 = address_is_v4(asking_target(a));
	(void)state;
	address_format(asking_target(a), host);
	asking_say(a, "M-SEARCH * HTTP/1.1\r\nHOST: %s%s%s:%u\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"
		      "ST: upnp:rootdevice\r\nUSER-AGENT: %s\r\n\r\n", v4 ? "" : "[", host, v4 ? "" : "]",
		   asking_port(a), asking_settings(a)->agent);
	return PROBE_CONTINUE;
}

static enum probe_next ssdp_input(struct asking *a, void *state, struct reader *r)
{
	struct ssdp *s = state;
	struct bytes answer = read_rest(r);
	(void)a;
	if (head_read(answer, "HTTP/").status != 200)
		return PROBE_DONE;
	s->len = (uint16_t)(answer.len < HEAD_MAX ? answer.len : HEAD_MAX);
	memcpy(s->head, answer.at, s->len);
	return PROBE_DONE;
}

static void ssdp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct ssdp *s = state;
	struct head head = head_read((struct bytes){s->head, s->len}, "HTTP/");
	(void)unread;
	if (!head.status)
		return;
	struct bytes server = head_field(&head, "SERVER", NULL), usn = head_field(&head, "USN", NULL);
	report_bytes(answer, SSDP_SERVER, server);
	report_bytes(answer, SSDP_LOCATION, head_field(&head, "LOCATION", NULL));
	report_bytes(answer, SSDP_USN, usn);
	asking_signal(a, "ssdp_header.server", server);
	asking_signal(a, "ssdp_header.usn", usn);
}

static const char *const ssdp_signals[] = {"ssdp_header.server", "ssdp_header.usn", NULL};

#define ASKED                                                                                     \
	"M-SEARCH * HTTP/1.1\r\nHOST: 192.0.2.1:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"     \
	"ST: upnp:rootdevice\r\nUSER-AGENT: Mozilla/5.0 (compatible; kansoku; "                   \
	"+https://example.org/probing)\r\n\r\n"

static const struct specimen ssdp_specimens[] = {
	{
		.title = "a router",
		.answers = {BYTES("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"
				  "USN: uuid:00000000-0000-0000-0000-000000000001::upnp:rootdevice\r\nEXT:\r\n"
				  "SERVER: Linux/2.6.36, UPnP/1.0, Portable SDK for UPnP devices/1.6.6\r\n"
				  "LOCATION: http://192.168.1.1:49152/gatedesc.xml\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"ssdp.server\":\"Linux/2.6.36, UPnP/1.0, Portable SDK for UPnP devices/1.6.6\","
			    "\"ssdp.location\":\"http://192.168.1.1:49152/gatedesc.xml\"}\n",
		.signals = "ssdp_header.server: Linux/2.6.36, UPnP/1.0, Portable SDK for UPnP devices/1.6.6\n"
			   "ssdp_header.usn: uuid:00000000-0000-0000-0000-000000000001::upnp:rootdevice\n",
	},
	{
		.title = "an announcement is no answer",
		.answers = {BYTES("NOTIFY * HTTP/1.1\r\nSERVER: x\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe ssdp = {
	.name = "ssdp",
	.summary = "searches for root devices at one host; LOCATION is not fetched",
	.reference = "UPnP Device Architecture 1.1 1.3",
	.transport = PROBE_UDP,
	.ports = {1900},
	.tier = PROBE_OPT_IN,
	.answers_elsewhere = true,
	.question_max = 512,
	.answer_max = ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2500,
	.connections_max = 1,
	.state_size = sizeof(struct ssdp),
	.open = ssdp_open,
	.input = ssdp_input,
	.finish = ssdp_finish,
	.signals = ssdp_signals,
	.specimens = ssdp_specimens,
};
PROBE(ssdp);
