/*
 * What a visitor has the gateway do.
 *
 * Mappings stand in a file of the device as MiniUPnPd keeps them over a restart, one a line:
 * protocol, external port, client, its port, when it ends, words.  Nothing is ever forwarded.
 */
#include "base/random.h"
#include "passive/services/upnp/upnp.h"

#define LEASES "/tmp/upnp.leases"
#define TEXT_MAX 128 /* of a client or of its words */
#define ROOM_MAX (UPNP_MAPPINGS_MAX * (2 * TEXT_MAX + 32))

enum { BAD_ACTION = 401, BAD_ARGUMENTS = 402, BAD_INDEX = 713, NO_ENTRY = 714, CONFLICT = 718 };

const char *upnp_error_words(int error)
{
	switch (error) {
	case BAD_ARGUMENTS:
		return "Invalid Args";
	case BAD_INDEX:
		return "SpecifiedArrayIndexInvalid";
	case NO_ENTRY:
		return "NoSuchEntryInArray";
	case CONFLICT:
		return "ConflictInMappingEntry";
	default:
		return "Invalid Action";
	}
}

static struct bytes part_next(struct bytes *left)
{
	size_t n = bytes_find(*left, ":");
	struct bytes part = {left->at, n};
	size_t used = n < left->len ? n + 1 : n;
	*left = (struct bytes){left->at + used, left->len - used};
	return part;
}

size_t upnp_mappings(struct session *s, struct upnp_mapping out[UPNP_MAPPINGS_MAX])
{
	struct vfs files;
	struct vfs_node node;
	struct bytes content, line;
	size_t n = 0;
	if (!session_files(s, &files, NULL) || vfs_find(&files, BYTES(LEASES), true, &node) < 0 ||
	    vfs_content(node, session_arena(s), &content) < 0)
		return 0;
	struct reader r = reader_of_bytes(content);
	while (n < UPNP_MAPPINGS_MAX && read_line(&r, &line)) {
		struct upnp_mapping *m = &out[n];
		m->protocol = part_next(&line);
		m->external = part_next(&line);
		m->client = part_next(&line);
		m->internal = part_next(&line);
		part_next(&line);
		m->about = line;
		n += m->protocol.len && m->external.len;
	}
	return n;
}

static void keep(struct session *s, const struct upnp_mapping *all, size_t count)
{
	char room[ROOM_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct vfs files;
	struct vfs_change *at = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct bytes parts[] = {all[i].protocol, all[i].external, all[i].client, all[i].internal, BYTES("0"), all[i].about};
		for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
			write_text(&w, p ? ":" : "");
			write_span(&w, parts[p]);
		}
		write_text(&w, "\n");
	}
	if (!w.bad && session_files(s, &files, NULL) && vfs_open(&files, BYTES(LEASES), VFS_TRUNCATE, 0644, &at) == 0 && at)
		vfs_append(&files, at, writer_bytes(&w));
}

void upnp_mapping_add(struct session *s, const struct upnp_mapping *m)
{
	struct upnp_mapping all[UPNP_MAPPINGS_MAX + 1];
	size_t n = upnp_mappings(s, all);
	if (n == UPNP_MAPPINGS_MAX)
		memmove(all, all + 1, --n * sizeof *all); /* the oldest gives way */
	all[n++] = *m;
	keep(s, all, n);
}

static size_t mapping_at(const struct upnp_mapping *all, size_t n, struct bytes protocol, struct bytes external)
{
	size_t i = 0;
	while (i < n && !(bytes_equal(all[i].protocol, protocol) && bytes_equal(all[i].external, external)))
		i++;
	return i;
}

bool upnp_mapping_remove(struct session *s, struct bytes protocol, struct bytes external)
{
	struct upnp_mapping all[UPNP_MAPPINGS_MAX];
	size_t n = upnp_mappings(s, all), i = mapping_at(all, n, protocol, external);
	if (i == n)
		return false;
	memmove(all + i, all + i + 1, (n - i - 1) * sizeof *all);
	keep(s, all, n - 1);
	return true;
}

static bool is_address(struct bytes b)
{
	struct address a;
	return address_parse(b, &a);
}

/* What would break a line of the file stands there as a blank. */
static struct bytes plain(struct session *s, struct bytes b)
{
	size_t n = b.len < TEXT_MAX ? b.len : TEXT_MAX;
	uint8_t *copy = arena_alloc(session_arena(s), n + 1);
	if (!copy)
		return (struct bytes){0};
	for (size_t i = 0; i < n; i++)
		copy[i] = b.at[i] == ':' || b.at[i] < ' ' ? ' ' : b.at[i];
	return (struct bytes){copy, n};
}

static int mapping_made(struct api_call *c, const struct upnp_device *d)
{
	struct session *s = c->session;
	struct upnp_mapping all[UPNP_MAPPINGS_MAX], m = {
		.protocol = soap_text(c->body, "NewProtocol"),
		.external = soap_text(c->body, "NewExternalPort"),
		.client = soap_text(c->body, "NewInternalClient"),
		.internal = soap_text(c->body, "NewInternalPort"),
		.about = soap_text(c->body, "NewPortMappingDescription"),
	};
	uint64_t port;
	bool whole = bytes_number(m.external, 65535, &port) && m.client.len && bytes_number(m.internal, 65535, &port) &&
	             (bytes_equal_text(m.protocol, "TCP") || bytes_equal_text(m.protocol, "UDP"));
	/* Realtek's hands whatever is there to a shell, and says nothing against it. */
	if (d->software == UPNP_MINIIGD && (!whole || !is_address(m.client)))
		return 0;
	if (!whole || !is_address(m.client))
		return BAD_ARGUMENTS;
	size_t n = upnp_mappings(s, all), i = mapping_at(all, n, m.protocol, m.external);
	if (i < n)
		return bytes_equal(all[i].client, m.client) ? 0 : CONFLICT;
	m.client = plain(s, m.client);
	m.about = plain(s, m.about);
	upnp_mapping_add(s, &m);
	return 0;
}

static void write_argument(struct writer *out, const char *name, struct bytes value)
{
	write_fmt(out, "<%s>", name);
	soap_write_text(out, value);
	write_fmt(out, "</%s>", name);
}

static void write_rest(const struct upnp_mapping *m, struct writer *out)
{
	write_argument(out, "NewInternalPort", m->internal);
	write_argument(out, "NewInternalClient", m->client);
	write_argument(out, "NewEnabled", BYTES("1"));
	write_argument(out, "NewPortMappingDescription", m->about);
	write_argument(out, "NewLeaseDuration", BYTES("0"));
}

static int mapping_listed(struct api_call *c, struct writer *out)
{
	struct upnp_mapping all[UPNP_MAPPINGS_MAX];
	uint64_t index;
	if (!bytes_number(soap_text(c->body, "NewPortMappingIndex"), 65535, &index))
		return BAD_ARGUMENTS;
	if (index >= upnp_mappings(c->session, all))
		return BAD_INDEX;
	write_argument(out, "NewRemoteHost", (struct bytes){0});
	write_argument(out, "NewExternalPort", all[index].external);
	write_argument(out, "NewProtocol", all[index].protocol);
	write_rest(&all[index], out);
	return 0;
}

static int mapping_found(struct api_call *c, struct writer *out)
{
	struct upnp_mapping all[UPNP_MAPPINGS_MAX];
	struct bytes protocol = soap_text(c->body, "NewProtocol"), external = soap_text(c->body, "NewExternalPort");
	size_t n = upnp_mappings(c->session, all), i = mapping_at(all, n, protocol, external);
	if (!protocol.len || !external.len)
		return BAD_ARGUMENTS;
	if (i == n)
		return NO_ENTRY;
	write_rest(&all[i], out);
	return 0;
}

static int mapping_unmade(struct api_call *c, const struct upnp_device *d)
{
	struct bytes protocol = soap_text(c->body, "NewProtocol"), external = soap_text(c->body, "NewExternalPort");
	if (d->software == UPNP_MINIIGD && (!protocol.len || !external.len))
		return 0;
	if (!protocol.len || !external.len)
		return BAD_ARGUMENTS;
	upnp_mapping_remove(c->session, protocol, external);
	return 0;
}

/* Traffic of a line that is used by day and night, since the device was started. */
static uint64_t traffic(const struct session *s, const char *name)
{
	char text[24];
	uint64_t uptime = 0, rate = 20000 + random_mix(session_device_seed(s) + (uint8_t)name[8]) % 90000;
	session_expand(s, "%{uptime}", text, sizeof text);
	bytes_number(bytes_of_text(text), UINT32_MAX, &uptime);
	bool packets = strstr(name, "Packets"), sent = strstr(name, "Sent");
	return (uptime * rate / (packets ? 640 : 1) / (sent ? 7 : 1)) & UINT32_MAX;
}

static int ask(struct api_call *c, const struct upnp_device *d, struct bytes action, struct writer *out)
{
	static const struct {
		const char *name, *values;
	} fixed[] = {
		{"GetExternalIPAddress", "<NewExternalIPAddress>%{address}</NewExternalIPAddress>"},
		{"GetStatusInfo", "<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>ERROR_NONE</NewLastConnectionError>"
		                  "<NewUptime>%{uptime}</NewUptime>"},
		{"GetConnectionTypeInfo", "<NewConnectionType>IP_Routed</NewConnectionType><NewPossibleConnectionTypes>IP_Routed</NewPossibleConnectionTypes>"},
		{"GetNATRSIPStatus", "<NewRSIPAvailable>0</NewRSIPAvailable><NewNATEnabled>1</NewNATEnabled>"},
		{"GetCommonLinkProperties",
		 "<NewWANAccessType>Cable</NewWANAccessType><NewLayer1UpstreamMaxBitRate>100000000</NewLayer1UpstreamMaxBitRate>"
		 "<NewLayer1DownstreamMaxBitRate>100000000</NewLayer1DownstreamMaxBitRate><NewPhysicalLinkStatus>Up</NewPhysicalLinkStatus>"},
		{"QueryStateVariable", "<return>Connected</return>"},
		{"SetConnectionType", ""},
		{"RequestConnection", ""},
		{"ForceTermination", ""},
		{"SetDefaultConnectionService", ""},
	};
	static const char *const totals[] = {"TotalBytesSent", "TotalBytesReceived", "TotalPacketsSent", "TotalPacketsReceived"};
	char text[512], uuid[40];
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		if (!bytes_equal_text(action, fixed[i].name))
			continue;
		session_expand(c->session, fixed[i].values, text, sizeof text);
		write_text(out, text);
		return 0;
	}
	for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
		if (bytes_start_with(action, "Get") && bytes_equal_text((struct bytes){action.at + 3, action.len - 3}, totals[i])) {
			write_fmt(out, "<New%s>%llu</New%s>", totals[i], (unsigned long long)traffic(c->session, totals[i]), totals[i]);
			return 0;
		}
	if (!bytes_equal_text(action, "GetDefaultConnectionService"))
		return BAD_ACTION;
	upnp_uuid(c->session, d->uuid, uuid);
	write_fmt(out, "<NewDefaultConnectionService>uuid:%s:WANConnectionDevice:1,urn:upnp-org:serviceId:WANIPConn1</NewDefaultConnectionService>",
	          uuid);
	return 0;
}

int upnp_act(struct api_call *c, const struct upnp_device *d, struct bytes action, struct writer *out)
{
	if (bytes_equal_text(action, "AddPortMapping"))
		return mapping_made(c, d);
	if (bytes_equal_text(action, "DeletePortMapping"))
		return mapping_unmade(c, d);
	if (bytes_equal_text(action, "GetGenericPortMappingEntry"))
		return mapping_listed(c, out);
	if (bytes_equal_text(action, "GetSpecificPortMappingEntry"))
		return mapping_found(c, out);
	return ask(c, d, action, out);
}
