/* What a camera says: ONVIF Core and Media (ver10), the smallest that clients are content with. */
#include "passive/services/onvif/onvif.h"
#include <time.h>

#define TEXT_MAX 4096

static void write_template(const struct api_call *c, const char *text, struct writer *w)
{
	char made[TEXT_MAX];
	session_expand(c->session, text, made, sizeof made);
	write_text(w, made);
}

static void write_moment(uint64_t time_us, const char *name, struct writer *w)
{
	time_t now = (time_t)(time_us / 1000000);
	struct tm t;
	gmtime_r(&now, &t);
	write_fmt(w, "<tt:%s><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date>"
	             "<tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:%s>",
	          name, t.tm_hour, t.tm_min, t.tm_sec, t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, name);
}

static void on_date(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)d;
	write_text(w, "<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
	              "<tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone>");
	write_moment(session_time_us(c->session), "UTCDateTime", w);
	write_moment(session_time_us(c->session) + 8 * 3600 * UINT64_C(1000000), "LocalDateTime", w);
	write_text(w, "</tds:SystemDateAndTime>");
}

static void on_information(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	char text[1024];
	snprintf(text, sizeof text,
	         "<tds:Manufacturer>%s</tds:Manufacturer><tds:Model>%s</tds:Model><tds:FirmwareVersion>%s</tds:FirmwareVersion>"
	         "<tds:SerialNumber>%%{serial}</tds:SerialNumber><tds:HardwareId>%s</tds:HardwareId>",
	         d->maker, d->model, d->version, d->hardware);
	write_template(c, text, w);
}

/* Where it is asked is where it says that it is: its own address and port. */
static void write_place(const struct api_call *c, const char *path, struct writer *w)
{
	uint16_t port = session_local_port(c->session);
	write_template(c, "http://%{address}", w);
	if (port != 80)
		write_fmt(w, ":%u", port);
	write_text(w, path);
}

static void on_capabilities(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	write_text(w, "<tds:Capabilities><tt:Device><tt:XAddr>");
	write_place(c, d->path, w);
	write_text(w, "</tt:XAddr><tt:Network><tt:IPFilter>false</tt:IPFilter><tt:ZeroConfiguration>false</tt:ZeroConfiguration>"
	              "<tt:IPVersion6>false</tt:IPVersion6><tt:DynDNS>false</tt:DynDNS></tt:Network><tt:System>"
	              "<tt:DiscoveryResolve>true</tt:DiscoveryResolve><tt:DiscoveryBye>true</tt:DiscoveryBye>"
	              "<tt:RemoteDiscovery>false</tt:RemoteDiscovery><tt:SystemBackup>false</tt:SystemBackup>"
	              "<tt:SystemLogging>false</tt:SystemLogging><tt:FirmwareUpgrade>true</tt:FirmwareUpgrade>"
	              "<tt:SupportedVersions><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tt:SupportedVersions></tt:System></tt:Device>"
	              "<tt:Media><tt:XAddr>");
	write_place(c, "/onvif/Media", w);
	write_text(w, "</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
	              "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media><tt:PTZ><tt:XAddr>");
	write_place(c, "/onvif/PTZ", w);
	write_text(w, "</tt:XAddr></tt:PTZ></tds:Capabilities>");
}

static void on_services(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	static const struct {
		const char *space, *path;
	} services[] = {{"device", NULL}, {"media", "/onvif/Media"}};
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		write_fmt(w, "<tds:Service><tds:Namespace>http://www.onvif.org/ver10/%s/wsdl</tds:Namespace><tds:XAddr>", services[i].space);
		write_place(c, services[i].path ? services[i].path : d->path, w);
		write_text(w, "</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>");
	}
}

static void on_scopes(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	char made[1024];
	session_expand(c->session, d->scopes, made, sizeof made);
	struct bytes left = bytes_of_text(made);
	while (left.len) {
		struct bytes scope = bytes_word(&left);
		write_text(w, "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>");
		soap_write_text(w, scope);
		write_text(w, "</tt:ScopeItem></tds:Scopes>");
	}
}

static void on_interfaces(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)d;
	write_template(c, "<tds:NetworkInterfaces token=\"eth0\"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name>"
	                  "<tt:HwAddress>%{mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info><tt:IPv4><tt:Enabled>true</tt:Enabled>"
	                  "<tt:Config><tt:Manual><tt:Address>%{address}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>"
	                  "<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces>", w);
}

static void on_users(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c, (void)d;
	write_text(w, "<tds:User><tt:Username>admin</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>");
}

static void write_profile(const char *name, unsigned channel, bool sub, struct writer *w)
{
	static const unsigned sizes[2][2] = {{1280, 720}, {640, 352}};
	write_fmt(w,
	          "<trt:%s token=\"00%u%u\" fixed=\"true\"><tt:Name>%s%u</tt:Name><tt:VideoSourceConfiguration token=\"00%u\">"
	          "<tt:Name>VideoS_00%u</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>00%u</tt:SourceToken>"
	          "<tt:Bounds x=\"0\" y=\"0\" width=\"1280\" height=\"720\"></tt:Bounds></tt:VideoSourceConfiguration>",
	          name, channel, sub, sub ? "subStream" : "mainStream", channel, channel, channel, channel);
	write_fmt(w,
	          "<tt:VideoEncoderConfiguration token=\"00%u%u\"><tt:Name>VideoE_00%u%u</tt:Name><tt:UseCount>1</tt:UseCount>"
	          "<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>%u</tt:Width><tt:Height>%u</tt:Height></tt:Resolution>"
	          "<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1"
	          "</tt:EncodingInterval><tt:BitrateLimit>%u</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>50</tt:GovLength>"
	          "<tt:H264Profile>Baseline</tt:H264Profile></tt:H264><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>"
	          "0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart>"
	          "</tt:Multicast><tt:SessionTimeout>PT10S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:%s>",
	          channel, sub, channel, sub, sizes[sub][0], sizes[sub][1], sub ? 384u : 2048u, name);
}

static void on_profiles(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c;
	for (unsigned i = 0; i < d->channels; i++) {
		write_profile("Profiles", i, false, w);
		write_profile("Profiles", i, true, w);
	}
}

/* One by its token, which is the channel and then 1 for the smaller picture. */
static void on_profile(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	uint64_t number;
	if (!bytes_number(soap_text(c->body, "ProfileToken"), 100, &number) || number / 10 >= d->channels)
		number = 0;
	write_profile("Profile", (unsigned)(number / 10), number % 10, w);
}

static void on_protocols(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c, (void)d;
	write_text(w, "<tds:NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>80</tt:Port></tds:NetworkProtocols>"
	              "<tds:NetworkProtocols><tt:Name>RTSP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>554</tt:Port></tds:NetworkProtocols>");
}

static void on_gateway(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c, (void)d;
	write_text(w, "<tds:NetworkGateway><tt:IPv4Address>192.168.1.1</tt:IPv4Address></tds:NetworkGateway>");
}

static void on_names(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c, (void)d;
	write_text(w, "<tds:DNSInformation><tt:FromDHCP>false</tt:FromDHCP><tt:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.168.1.1"
	              "</tt:IPv4Address></tt:DNSManual></tds:DNSInformation>");
}

static void on_sources(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c;
	for (unsigned i = 0; i < d->channels; i++)
		write_fmt(w, "<trt:VideoSources token=\"00%u\"><tt:Framerate>25</tt:Framerate><tt:Resolution><tt:Width>1280</tt:Width>"
		             "<tt:Height>720</tt:Height></tt:Resolution></trt:VideoSources>", i);
}

static void write_uri(const struct api_call *c, const char *uri, struct writer *w)
{
	char made[512];
	session_expand(c->session, uri, made, sizeof made);
	write_text(w, "<trt:MediaUri><tt:Uri>");
	soap_write_text(w, bytes_of_text(made));
	write_text(w, "</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
	              "<tt:Timeout>PT10S</tt:Timeout></trt:MediaUri>");
}

static void on_stream(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	write_uri(c, d->stream, w);
}

static void on_snapshot(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	write_uri(c, d->snapshot, w);
}

static void on_hostname(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)d;
	write_template(c, "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>%{hostname}</tt:Name></tds:HostnameInformation>", w);
}

static void on_reboot(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c, (void)d;
	write_text(w, "<tds:Message>Rebooting in 5 seconds</tds:Message>");
}

static void on_done(const struct api_call *c, const struct onvif_device *d, struct writer *w)
{
	(void)c, (void)d, (void)w;
}

static const struct {
	const char *name;
	void (*write)(const struct api_call *, const struct onvif_device *, struct writer *);
	bool free; /* PRE_AUTH */
} actions[] = {
	{"GetSystemDateAndTime", on_date, true},
	{"GetCapabilities", on_capabilities, true},
	{"GetServices", on_services, true},
	{"GetHostname", on_hostname, true},
	{"GetDeviceInformation", on_information, false},
	{"GetScopes", on_scopes, false},
	{"GetNetworkInterfaces", on_interfaces, false},
	{"GetUsers", on_users, false},
	{"GetProfiles", on_profiles, false},
	{"GetProfile", on_profile, false},
	{"GetNetworkProtocols", on_protocols, false},
	{"GetNetworkDefaultGateway", on_gateway, false},
	{"GetDNS", on_names, false},
	{"GetVideoSources", on_sources, false},
	{"GetStreamUri", on_stream, false},
	{"GetSnapshotUri", on_snapshot, false},
	{"SystemReboot", on_reboot, false},
	{"SetNTP", on_done, false},
	{"SetDNS", on_done, false},
	{"SetHostname", on_done, false},
	{"SetScopes", on_done, false},
	{"SetSystemDateAndTime", on_done, false},
	{"SetSystemFactoryDefault", on_done, false},
	{"CreateUsers", on_done, false},
	{"SetUser", on_done, false},
	{"DeleteUsers", on_done, false},
	{"ContinuousMove", on_done, false},
	{"AbsoluteMove", on_done, false},
	{"RelativeMove", on_done, false},
	{"GotoHomePosition", on_done, false},
	{"Stop", on_done, false},
};

bool onvif_answer(const struct api_call *c, const struct onvif_device *d, struct bytes action, struct writer *w, bool *needs_login)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (!bytes_equal_text(action, actions[i].name))
			continue;
		*needs_login = !actions[i].free;
		actions[i].write(c, d, w);
		return true;
	}
	return false;
}
