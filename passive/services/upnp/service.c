/* What the gateway's services can do (UPnP IGD 1.0), as tables that are written as XML. */
#include "passive/services/upnp/upnp.h"

/* Arguments in order, each "<" (in) or ">" (out) and its name; behind ":" the variable, when it is called otherwise. */
struct action {
	const char *name, *arguments;
};

/* Values that are allowed are parted by "|"; a range by "-". */
struct variable {
	const char *name, *type, *initial, *values;
	bool events;
};

#define MAPPING_KEY_IN "<NewRemoteHost <NewExternalPort <NewProtocol:PortMappingProtocol"
#define MAPPING_REST(way)                                                                                              \
	" " way "NewInternalPort " way "NewInternalClient " way "NewEnabled:PortMappingEnabled " way                   \
	"NewPortMappingDescription " way "NewLeaseDuration:PortMappingLeaseDuration"

static const struct action actions_layer3[] = {
	{"SetDefaultConnectionService", "<NewDefaultConnectionService"},
	{"GetDefaultConnectionService", ">NewDefaultConnectionService"},
	{0},
};
static const struct variable variables_layer3[] = {{"DefaultConnectionService", "string", NULL, NULL, true}, {0}};

static const struct action actions_common[] = {
	{"GetCommonLinkProperties",
	 ">NewWANAccessType >NewLayer1UpstreamMaxBitRate >NewLayer1DownstreamMaxBitRate >NewPhysicalLinkStatus"},
	{"GetTotalBytesSent", ">NewTotalBytesSent"},
	{"GetTotalBytesReceived", ">NewTotalBytesReceived"},
	{"GetTotalPacketsSent", ">NewTotalPacketsSent"},
	{"GetTotalPacketsReceived", ">NewTotalPacketsReceived"},
	{0},
};
static const struct variable variables_common[] = {
	{"WANAccessType", "string", NULL, "DSL|POTS|Cable|Ethernet", false},
	{"Layer1UpstreamMaxBitRate", "ui4", NULL, NULL, false},
	{"Layer1DownstreamMaxBitRate", "ui4", NULL, NULL, false},
	{"PhysicalLinkStatus", "string", NULL, "Up|Down|Initializing|Unavailable", true},
	{"TotalBytesSent", "ui4", NULL, NULL, false},
	{"TotalBytesReceived", "ui4", NULL, NULL, false},
	{"TotalPacketsSent", "ui4", NULL, NULL, false},
	{"TotalPacketsReceived", "ui4", NULL, NULL, false},
	{0},
};

static const struct action actions_connection[] = {
	{"SetConnectionType", "<NewConnectionType"},
	{"GetConnectionTypeInfo", ">NewConnectionType >NewPossibleConnectionTypes"},
	{"RequestConnection", NULL},
	{"ForceTermination", NULL},
	{"GetStatusInfo", ">NewConnectionStatus >NewLastConnectionError >NewUptime"},
	{"GetNATRSIPStatus", ">NewRSIPAvailable >NewNATEnabled"},
	{"GetGenericPortMappingEntry",
	 "<NewPortMappingIndex:PortMappingNumberOfEntries >NewRemoteHost >NewExternalPort >NewProtocol:PortMappingProtocol" MAPPING_REST(">")},
	{"GetSpecificPortMappingEntry", MAPPING_KEY_IN MAPPING_REST(">")},
	{"AddPortMapping", MAPPING_KEY_IN MAPPING_REST("<")},
	{"DeletePortMapping", MAPPING_KEY_IN},
	{"GetExternalIPAddress", ">NewExternalIPAddress"},
	{0},
};
static const struct variable variables_connection[] = {
	{"ConnectionType", "string", "IP_Routed", NULL, false},
	{"PossibleConnectionTypes", "string", NULL, "Unconfigured|IP_Routed|IP_Bridged", true},
	{"ConnectionStatus", "string", "Unconfigured",
	 "Unconfigured|Connecting|Connected|PendingDisconnect|Disconnecting|Disconnected", true},
	{"Uptime", "ui4", NULL, NULL, false},
	{"LastConnectionError", "string", "ERROR_NONE", "ERROR_NONE", false},
	{"RSIPAvailable", "boolean", "0", NULL, false},
	{"NATEnabled", "boolean", "1", NULL, false},
	{"ExternalIPAddress", "string", NULL, NULL, true},
	{"PortMappingNumberOfEntries", "ui2", NULL, NULL, true},
	{"PortMappingEnabled", "boolean", NULL, NULL, false},
	{"PortMappingLeaseDuration", "ui4", "3600", "0-604800", false},
	{"RemoteHost", "string", NULL, NULL, false},
	{"ExternalPort", "ui2", NULL, NULL, false},
	{"InternalPort", "ui2", NULL, "1-65535", false},
	{"PortMappingProtocol", "string", NULL, "TCP|UDP", false},
	{"InternalClient", "string", NULL, NULL, false},
	{"PortMappingDescription", "string", NULL, NULL, false},
	{"SystemUpdateID", "ui4", NULL, NULL, true},
	{"A_ARG_TYPE_Manage", "boolean", NULL, NULL, false},
	{"A_ARG_TYPE_PortListing", "string", NULL, NULL, false},
	{0},
};

static void write_action(const struct action *a, struct writer *out)
{
	write_fmt(out, "<action><name>%s</name>", a->name);
	struct bytes left = a->arguments ? bytes_of_text(a->arguments) : (struct bytes){0};
	if (left.len)
		write_text(out, "<argumentList>");
	while (left.len) {
		struct bytes word = bytes_word(&left);
		bool in = word.at[0] == '<';
		word = (struct bytes){word.at + 1, word.len - 1};
		size_t colon = bytes_find(word, ":");
		struct bytes name = {word.at, colon};
		/* Without a name of its own the variable is the argument's, less "New". */
		struct bytes variable = colon < word.len ? (struct bytes){word.at + colon + 1, word.len - colon - 1}
		                                         : (struct bytes){name.at + 3, name.len - 3};
		write_text(out, "<argument><name>");
		write_span(out, name);
		write_fmt(out, "</name><direction>%s</direction><relatedStateVariable>", in ? "in" : "out");
		write_span(out, variable);
		write_text(out, "</relatedStateVariable></argument>");
	}
	write_text(out, a->arguments ? "</argumentList></action>" : "</action>");
}

static void write_variable(const struct variable *v, struct writer *out)
{
	write_fmt(out, "<stateVariable sendEvents=\"%s\"><name>%s</name><dataType>%s</dataType>", v->events ? "yes" : "no", v->name,
	          v->type);
	if (v->initial)
		write_fmt(out, "<defaultValue>%s</defaultValue>", v->initial);
	struct bytes left = v->values ? bytes_of_text(v->values) : (struct bytes){0};
	size_t dash = bytes_find(left, "-");
	if (dash < left.len) {
		write_fmt(out, "<allowedValueRange><minimum>%.*s</minimum><maximum>%s</maximum></allowedValueRange>", (int)dash, v->values,
		          v->values + dash + 1);
	} else if (left.len) {
		write_text(out, "<allowedValueList>");
		while (left.len) {
			size_t n = bytes_find(left, "|");
			write_fmt(out, "<allowedValue>%.*s</allowedValue>", (int)n, (const char *)left.at);
			size_t used = n < left.len ? n + 1 : n;
			left = (struct bytes){left.at + used, left.len - used};
		}
		write_text(out, "</allowedValueList>");
	}
	write_text(out, "</stateVariable>");
}

void upnp_write_service(int service, bool minor, struct writer *out)
{
	static const struct action *const actions[] = {actions_layer3, actions_common, actions_connection};
	static const struct variable *const variables[] = {variables_layer3, variables_common, variables_connection};
	write_fmt(out, "<?xml version=\"1.0\"?>\r\n<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\"><specVersion><major>1</major>"
	               "<minor>%d</minor></specVersion><actionList>",
	          minor);
	for (const struct action *a = actions[service]; a->name; a++)
		write_action(a, out);
	write_text(out, "</actionList><serviceStateTable>");
	for (const struct variable *v = variables[service]; v->name; v++)
		write_variable(v, out);
	write_text(out, "</serviceStateTable></scpd>");
}
