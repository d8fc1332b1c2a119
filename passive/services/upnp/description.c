/* What a gateway says of itself and its services: byte for byte as MiniUPnPd 2.3 does, whose kin the others are. */
#include "base/random.h"
#include "passive/services/upnp/upnp.h"

static const struct upnp_place places_miniupnpd[UPNP_SERVICES] = {
	{"Layer3Forwarding:1", "L3Forwarding1", "/L3F.xml", "/ctl/L3F", "/evt/L3F"},
	{"WANCommonInterfaceConfig:1", "WANCommonIFC1", "/WANCfg.xml", "/ctl/CmnIfCfg", "/evt/CmnIfCfg"},
	{"WANIPConnection:1", "WANIPConn1", "/WANIPCn.xml", "/ctl/IPConn", "/evt/IPConn"},
};

/* The Linux UPnP IGD, which is libupnp with a gateway on top. */
static const struct upnp_place places_libupnp[UPNP_SERVICES] = {
	{"Layer3Forwarding:1", "L3Forwarding1", "/gateinfoSCPD.xml", "/upnp/control/L3Forwarding1", "/upnp/event/L3Forwarding1"},
	{"WANCommonInterfaceConfig:1", "WANCommonIFC1", "/gateicfgSCPD.xml", "/upnp/control/WANCommonIFC1", "/upnp/event/WANCommonIFC1"},
	{"WANIPConnection:1", "WANIPConn1", "/gateconnSCPD.xml", "/upnp/control/WANIPConn1", "/upnp/event/WANIPConn1"},
};

/* Realtek's SDK: control is where the description is (CVE-2014-8361). */
static const struct upnp_place places_miniigd[UPNP_SERVICES] = {
	{"Layer3Forwarding:1", "L3Forwarding1", "/picsdesc1.xml", "/upnp/control/L3F", "/upnp/event/L3F"},
	{"WANCommonInterfaceConfig:1", "WANCommonIFC1", "/wancfg.xml", "/upnp/control/WANCommonIFC1", "/upnp/event/WANCommonIFC1"},
	{"WANIPConnection:1", "WANIPConn1", "/wanipcn.xml", "/upnp/control/WANIPConn1", "/upnp/event/WANIPConn1"},
};

const struct upnp_place *upnp_places(const struct upnp_device *d)
{
	return d->software == UPNP_MINIUPNPD ? places_miniupnpd : d->software == UPNP_LIBUPNP ? places_libupnp : places_miniigd;
}

bool upnp_is_gateway(const struct upnp_device *d)
{
	return strstr(d->type, ":InternetGatewayDevice:");
}

void upnp_uuid(const struct session *s, const char *text, char out[40])
{
	uint64_t a = random_mix(session_device_seed(s) + 0x5d), b = random_mix(a);
	if (*text) {
		session_expand(s, text, out, 40);
		return;
	}
	snprintf(out, 40, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
	         (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffff));
}

/* Devices within are the first with its last digit counted on. */
static void uuid_within(char uuid[40], unsigned n)
{
	size_t len = strlen(uuid);
	if (len == 0 || n == 0)
		return;
	char last = uuid[len - 1];
	unsigned value = last <= '9' ? (unsigned)(last - '0') : (unsigned)((last | 0x20) - 'a') + 10;
	uuid[len - 1] = "0123456789abcdef"[(value + n) & 15];
}

struct within {
	const char *type, *name, *about, *model;
};

static void write_texts(const struct session *s, const struct upnp_device *d, const struct within *w, unsigned n, struct writer *out)
{
	char uuid[40], text[1024], made[1536], serial[32];
	upnp_uuid(s, d->uuid, uuid);
	uuid_within(uuid, n);
	session_expand(s, "%{serial}", serial, sizeof serial);
	snprintf(text, sizeof text,
	         "<deviceType>%s</deviceType><friendlyName>%s</friendlyName><manufacturer>%s</manufacturer>"
	         "<manufacturerURL>%s</manufacturerURL><modelDescription>%s</modelDescription><modelName>%s</modelName>"
	         "<modelNumber>%s</modelNumber><modelURL>%s</modelURL><serialNumber>%s</serialNumber><UDN>uuid:%s</UDN>",
	         w->type, w->name, d->maker, d->maker_url, w->about, w->model, d->number, d->maker_url, serial, uuid);
	session_expand(s, text, made, sizeof made);
	write_text(out, made);
	if (n)
		write_text(out, "<UPC>000000000000</UPC>");
}

static void write_place(const struct upnp_place *p, struct writer *out)
{
	write_fmt(out,
	          "<serviceList><service><serviceType>urn:schemas-upnp-org:service:%s</serviceType>"
	          "<serviceId>urn:upnp-org:serviceId:%s</serviceId><SCPDURL>%s</SCPDURL><controlURL>%s</controlURL>"
	          "<eventSubURL>%s</eventSubURL></service></serviceList>",
	          p->type, p->id, p->description, p->control, p->events);
}

void upnp_write_description(const struct session *s, const struct upnp_device *d, struct writer *out)
{
	const struct upnp_place *places = upnp_places(d);
	bool newer = strstr(d->server, "UPnP/1.1");
	char home[96];
	write_fmt(out, "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\"%s><specVersion><major>1</major>"
	               "<minor>%d</minor></specVersion><device>",
	          newer ? " configId=\"1337\"" : "", newer);
	write_texts(s, d, &(struct within){d->type, d->name, d->about, d->model}, 0, out);
	if (upnp_is_gateway(d)) {
		write_place(&places[UPNP_LAYER3], out);
		write_text(out, "<deviceList><device>");
		write_texts(s, d, &(struct within){"urn:schemas-upnp-org:device:WANDevice:1", "WANDevice", "WAN Device", "WAN Device"}, 1, out);
		write_place(&places[UPNP_COMMON], out);
		write_text(out, "<deviceList><device>");
		write_texts(s, d,
		            &(struct within){"urn:schemas-upnp-org:device:WANConnectionDevice:1", "WANConnectionDevice", d->about, d->model}, 2,
		            out);
		write_place(&places[UPNP_CONNECTION], out);
		write_text(out, "</device></deviceList></device></deviceList>");
	}
	session_expand(s, "http://%{address}/", home, sizeof home);
	write_fmt(out, "<presentationURL>%s</presentationURL></device></root>", home);
}
