/*
 * Fox, of Niagara stations: the station's own greeting.
 *
 * A greeting is answered by one before anybody logs in; its properties ("name=type:value", a
 * line each, up to "};;") name product, virtual machine, operating system and brand.  The
 * answer to a greeting that is no such frame is left alone.
 */
#include "active/reading/identity_inner.h"

#define ANSWER_MAX 8192
#define ASKED "fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\n};;\n"


FIELD(FOX_VERSION, "fox.version", BYTES, 0, "version of the protocol");
FIELD(FOX_HOST, "fox.host_name", BYTES, 0, "host name that it calls itself");
FIELD(FOX_APP, "fox.app_name", BYTES, 0, "kind of application: Station, Workbench");
FIELD(FOX_APP_VERSION, "fox.app_version", BYTES, 0, "version of Niagara");
FIELD(FOX_VM, "fox.vm_name", BYTES, 0, "Java virtual machine");
FIELD(FOX_VM_VERSION, "fox.vm_version", BYTES, 0, "its version");
FIELD(FOX_OS, "fox.os_name", BYTES, 0, "operating system");
FIELD(FOX_OS_VERSION, "fox.os_version", BYTES, 0, "its version");
FIELD(FOX_STATION, "fox.station", BYTES, 0, "name of the station");
FIELD(FOX_HOST_ID, "fox.host_id", BYTES, 0, "licence's identity of the host");
FIELD(FOX_BRAND, "fox.brand", BYTES, 0, "whose brand of Niagara it is");

static const struct fox_property {
	const char *name; /* on the wire */
	const char *line; /* in the signal; NULL: not there */
	uint16_t *field;
} properties[] = {
	{"hostName", "host.name", &FOX_HOST},
	{"app.name", "app.name", &FOX_APP},
	{"app.version", "app.version", &FOX_APP_VERSION},
	{"vm.name", "vm.name", &FOX_VM},
	{"vm.version", "vm.version", &FOX_VM_VERSION},
	{"os.name", "os.name", &FOX_OS},
	{"os.version", "os.version", &FOX_OS_VERSION},
	{"brandId", "brand.id", &FOX_BRAND},
	{"hostId", "host.id", &FOX_HOST_ID},
	{"fox.version", "fox.version", &FOX_VERSION},
	{"station.name", NULL, &FOX_STATION},
};

static enum probe_next fox_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(ASKED));
	return PROBE_CONTINUE;
}

static enum probe_next fox_input(struct asking *a, void *state, struct reader *r)
{
	struct bytes all = {r->at, reader_left(r)};
	(void)a;
	(void)state;
	if (memcmp(all.at, "fox ", all.len < 4 ? all.len : 4))
		return PROBE_DONE;
	return bytes_find(all, "};;") < all.len ? PROBE_DONE : PROBE_CONTINUE;
}

/* The text of the first property of that name, whatever its type. */
static struct bytes property_find(struct bytes frame, const char *name)
{
	struct reader r = reader_of_bytes(frame);
	struct bytes line;
	size_t n = strlen(name);
	while (read_line(&r, &line)) {
		if (bytes_start_with(line, "};;"))
			break;
		if (line.len >= n + 3 && bytes_start_with(line, name) && line.at[n] == '=' &&
		    line.at[n + 2] == ':')
			return (struct bytes){line.at + n + 3, line.len - n - 3};
	}
	return (struct bytes){0};
}

static void fox_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct identity i;
	(void)state;
	struct reader r = reader_of_bytes(unread);
	struct bytes first;
	if (!bytes_start_with(unread, "fox a ") || !read_line(&r, &first) ||
	    bytes_find(first, " fox hello") == first.len)
		return;
	identity_begin(&i);
	for (size_t p = 0; p < sizeof properties / sizeof properties[0]; p++) {
		struct identity_text text = {0};
		identity_keep(&text, property_find(unread, properties[p].name));
		identity_add(&i, answer, *properties[p].field, properties[p].line, &text);
	}
	identity_tell(&i, a, "fox.identity");
}

static const char *const fox_signals[] = {"fox.identity", NULL};

static const struct specimen fox_specimens[] = {
	{
		.title = "a JACE with Niagara AX 3.8",
		.answers = {BYTES("fox a 0 -1 fox hello\n{\nfox.version=s:1.0.1\nid=i:7\nhostName=s:192.0.2.1\n"
				  "hostAddress=s:192.0.2.1\napp.name=s:Station\napp.version=s:3.8.41.2\n"
				  "vm.name=s:Java HotSpot(TM) Client VM\nvm.version=s:25.33-b05\nos.name=s:QNX\n"
				  "os.version=s:6.4.1\nstation.name=s:Library\nlang=s:en\n"
				  "timeZone=s:America/Chicago;-21600000;3600000;;\nhostId=s:Qnx-TITAN-1111-2222-3333\n"
				  "vmUuid=s:11e00000-0000\nbrandId=s:vykon\nsysInfo=o:bog 61[<bog>\n]\n};;\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"fox.version\":\"1.0.1\",\"fox.station\":\"Library\",\"fox.host_id\":"
			    "\"Qnx-TITAN-1111-2222-3333\",\"fox.brand\":\"vykon\",\"fox.os_name\":\"QNX\"}\n",
		.signals = "fox.identity: host.name=192.0.2.1\napp.name=Station\napp.version=3.8.41.2\n"
			   "vm.name=Java HotSpot(TM) Client VM\nvm.version=25.33-b05\nos.name=QNX\n"
			   "os.version=6.4.1\nbrand.id=vykon\nhost.id=Qnx-TITAN-1111-2222-3333\nfox.version=1.0.1\n",
	},
	{
		.title = "a rejection, and what stands behind the frame, are not believed",
		.answers = {BYTES("fox a 0 -1 fox rejected\n{\n};;\nbrandId=s:vykon\n")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe fox = {
	.name = "fox",
	.summary = "greets a Niagara station and reads its greeting; never logs in",
	.reference = "Fox 1.0, as Niagara AX 3.8 answers",
	.transport = PROBE_TCP,
	.ports = {1911},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = sizeof ASKED,
	.answer_max = ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.open = fox_open,
	.input = fox_input,
	.finish = fox_finish,
	.signals = fox_signals,
	.specimens = fox_specimens,
};
PROBE(fox);

/* Niagara 4 greets over TLS, on a port of its own. */
static const struct specimen foxs_specimens[] = {
	{
		.title = "a Niagara 4 station behind TLS",
		.answers = {BYTES("fox a 0 -1 fox hello\n{\nfox.version=s:1.0.1\nhostName=s:jace8\napp.name=s:Station\n"
				  "app.version=s:4.10.0.154\nbrandId=s:Honeywell\n};;\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"fox.app_version\":\"4.10.0.154\"}\n",
		.signals = "fox.identity: host.name=jace8\napp.name=Station\napp.version=4.10.0.154\n"
			   "brand.id=Honeywell\nfox.version=1.0.1\n",
	},
	{0},
};

static const char *const foxs_signals[] = {"fox.identity", "x509.subject", "x509.issuer", NULL};

static const struct probe foxs = {
	.name = "foxs",
	.summary = "the same over TLS, with the station's certificate",
	.reference = "Fox 1.0 over TLS, as Niagara 4 answers",
	.transport = PROBE_TCP,
	.secure = true,
	.ports = {4911},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = 4096,
	.answer_max = 32768,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.open = fox_open,
	.input = fox_input,
	.finish = fox_finish,
	.signals = foxs_signals,
	.specimens = foxs_specimens,
};
PROBE(foxs);
