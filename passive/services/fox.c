/*
 * Niagara station of a building controller (JACE) on Tridium's Fox protocol.
 *
 * Frames are text: a line "fox a SEQUENCE REPLY-TO CHANNEL COMMAND", properties in braces,
 * and ";;".  The station greets only who greets it; nothing is answered before.  Who does
 * not greet first, or speaks no Fox, is hung up on.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/device/plant/plant.h"

#define HELLO_ID_MAX 90

struct fox_device {
	const char *version, *app_version, *vm_name, *vm_version, *os_name, *os_version, *station;
	const char *language, *time_zone, *host_id, *brand, *auth;
};

struct fox {
	uint32_t said; /* frames of ours */
	bool greeted;
};

/* "Qnx-JVLN-XXXX-XXXX-XXXX": the maker's licence hangs on it, so it is the device's own. */
static void identities_write(struct session *s, const struct fox_device *d, struct writer *w)
{
	uint64_t seed = session_device_seed(s), a = random_mix(seed + 1), b = random_mix(seed + 2);
	write_fmt(w, "hostId=s:%s-%04X-%04X-%04X\n", d->host_id, (unsigned)(a & 0xffff),
	          (unsigned)(a >> 16 & 0xffff), (unsigned)(a >> 32 & 0xffff));
	/* Version 1 of RFC 4122: the virtual machine's, made when it was installed. */
	write_fmt(w, "vmUuid=s:%08x-%04x-11e%x-%04x-%012llx\n", (unsigned)(b >> 32),
	          (unsigned)(b >> 16 & 0xffff), (unsigned)(b >> 12 & 7),
	          (unsigned)(0x8000 | (b & 0x3fff)), (unsigned long long)(a >> 16));
}

static void hello(struct session *s, struct fox *f)
{
	const struct fox_device *d = session_device(s);
	char room[2048], station[64], address[64];
	struct writer w = writer_of(room, sizeof room);
	session_expand(s, d->station, station, sizeof station);
	session_expand(s, "%{address}", address, sizeof address);
	write_fmt(&w, "fox a %u -1 fox hello\n{\nfox.version=s:%s\nid=i:%u\n", f->said++,
	          d->version, (unsigned)(1 + session_random(s) % HELLO_ID_MAX));
	write_fmt(&w, "hostName=s:%s\nhostAddress=s:%s\napp.name=s:Station\napp.version=s:%s\n",
	          address, address, d->app_version);
	write_fmt(&w, "vm.name=s:%s\nvm.version=s:%s\nos.name=s:%s\nos.version=s:%s\n", d->vm_name,
	          d->vm_version, d->os_name, d->os_version);
	write_fmt(&w, "station.name=s:%s\nlang=s:%s\ntimeZone=s:%s\n", station, d->language,
	          d->time_zone);
	identities_write(s, d, &w);
	write_fmt(&w,
	          "brandId=s:%s\nsysInfo=o:bog 61[<bog version=\"1.0\">\n"
	          "<p m=\"b=baja\" t=\"b:Facets\" "
	          "v=\"\"/>\n</bog>\n]\nauthAgentTypeSpecs=s:%s\n};;\n",
	          d->brand, d->auth);
	session_say_bytes(s, writer_bytes(&w));
}

/* The text of a property "\nNAME=s:TEXT\n" of a frame, or nothing. */
static struct bytes property(struct bytes frame, const char *name)
{
	struct bytes line;
	struct reader r = reader_of_bytes(frame);
	size_t n = strlen(name);
	while (read_line(&r, &line))
		if (bytes_start_with(line, name) && line.len >= n + 3 &&
		    !memcmp(line.at + n, "=s:", 3))
			return (struct bytes){line.at + n + 3, line.len - n - 3};
	return (struct bytes){0};
}

static enum service_next frame_run(struct session *s, struct fox *f, struct bytes frame)
{
	struct reader r = reader_of_bytes(frame);
	struct bytes line = {0};
	if (!read_line(&r, &line))
		line = frame;
	plant_asked(s, "%.*s", line.len < 120 ? (int)line.len : 120, (const char *)line.at);
	if (bytes_find(line, " fox hello") < line.len && !f->greeted) {
		f->greeted = true;
		hello(s, f);
		return SERVICE_CONTINUE;
	}
	if (!f->greeted)
		return SERVICE_CLOSE;
	struct bytes user = property(frame, "username"), secret = property(frame, "password");
	if (user.len == 0)
		user = property(frame, "user");
	if (user.len || secret.len) {
		session_login_decided(s, user, secret, (struct bytes){0}, false);
		session_say(s, "fox a %u -1 fox rejected\n{\n};;\n", f->said++);
		return SERVICE_CLOSE;
	}
	return SERVICE_CONTINUE;
}

static enum service_next fox_input(struct session *s, void *state, struct reader *in)
{
	for (;;) {
		while (reader_left(in) && (*in->at == '\n' || *in->at == '\r'))
			in->at++;
		struct bytes all = {in->at, reader_left(in)};
		size_t same = all.len < 4 ? all.len : 4;
		if (all.len && memcmp(all.at, "fox ", same))
			return SERVICE_CLOSE;
		size_t n = bytes_find(all, ";;");
		if (n == all.len)
			return SERVICE_CONTINUE;
		struct bytes frame = read_bytes(in, n + 2);
		if (frame_run(s, state, frame) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
	}
}

static bool fox_claims(struct bytes first)
{
	return bytes_start_with(first, "fox a ");
}

#define HELLO "fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\n};;\n"

static const struct exchange fox_exchanges[] = {
        {"who does not greet is hung up on", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {"who asks before the greeting, too", BYTES("fox a 1 -1 sys read\n{\n};;\n" HELLO),
         BYTES(""), PLANT_ASKED("fox a 1 -1 sys read")},
        {0},
};

#define TEXT(...) PLANT_TEXT(struct fox_device, __VA_ARGS__)

static const struct option fox_device[] = {
        TEXT("fox-version", version, "1.0.1", "of the protocol"),
        TEXT("version", app_version, "3.8.41.2", "of the station's software"),
        TEXT("vm", vm_name, "Java HotSpot(TM) Embedded Client VM", "name of the virtual machine"),
        TEXT("vm-version", vm_version, "25.33-b05", "its version"),
        TEXT("os", os_name, "QNX", "name of the operating system"),
        TEXT("os-version", os_version, "6.5.0", "its version"),
        TEXT("station", station, "BuildingHVAC_%{serial6}", "name of the station"),
        TEXT("language", language, "en", "of the station"),
        TEXT("time-zone", time_zone,
             "America/Chicago;-21600000;3600000;02:00:00.000,wall,march,8,on or "
             "after,sunday,undefined;02:00:00.000,wall,november,1,on or after,sunday,undefined",
             "as Java tells it"),
        TEXT("host-id", host_id, "Qnx-TITAN",
             "kind of host, to which the device's number is added"),
        TEXT("brand", brand, "vykon", "who sells it"),
        TEXT("auth", auth, "fox:FoxUsernamePasswordAuthAgent", "how log-ins are checked"),
        {0},
};

static const struct service fox = {
        .name = "fox",
        .summary = "building controller with a Niagara station, which tells who it is",
        .reference = "Tridium Niagara AX 3.8, Fox 1.0",
        .transports = TRANSPORT_TCP,
        .ports = {1911},
        .state_size = sizeof(struct fox),
        .input_max = 8192,
        .output_max = 16384,
        .arena_max = 4096,
        .idle_ms_max = 60 * 1000,
        .session_ms_max = 600 * 1000,
        .device = fox_device,
        .device_size = sizeof(struct fox_device),
        .input = fox_input,
        .claims = fox_claims,
        .exchanges = fox_exchanges,
};
SERVICE(fox);
