/*
 * What the names of tools and payloads mean here.  The telescope's records carry names, and rooms
 * meet in events only, so the names that fingerprints/telescope has stand here once more; a test
 * fails when one of its files knows a tool, or what asks for reflectors, that is missing here.
 */
#include "analysis/intent.h"

/*
 * Versions may follow the name ("zmap-4").  ZMap was made for surveys and most of them still use it
 * (Durumeric 2014); the bots' own scanners serve nothing else (Antonakakis 2017).
 */
static const struct {
	const char *name;
	enum intent_tool tool;
} tools[] = {
	{"zmap", INTENT_TOOL_SURVEY},
	{"masscan", INTENT_TOOL_ANY},   {"nmap", INTENT_TOOL_ANY},       {"unicornscan", INTENT_TOOL_ANY},
	{"hping3", INTENT_TOOL_ANY},    {"scapy", INTENT_TOOL_ANY},
	{"mirai", INTENT_TOOL_HOSTILE}, {"hajime", INTENT_TOOL_HOSTILE}, {"mozi", INTENT_TOOL_HOSTILE},
	{"gafgyt", INTENT_TOOL_HOSTILE}, {"qbot", INTENT_TOOL_HOSTILE},  {"bashlite", INTENT_TOOL_HOSTILE},
};

bool intent_tool_known(struct bytes name, enum intent_tool *tool)
{
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (bytes_start_with(name, tools[i].name)) {
			*tool = tools[i].tool;
			return true;
		}
	return false;
}

enum intent_tool intent_tool_of(struct bytes name)
{
	enum intent_tool tool = INTENT_TOOL_ANY; /* a signature of the operator's own */
	if (name.len == 0)
		return INTENT_TOOL_NONE;
	intent_tool_known(name, &tool);
	return tool;
}

/* Protocols that answer a small datagram with large ones (Rossow 2014, and the years since). */
static const char *const asks[] = {
	"ard.request", "bacnet.read", "chargen", "cldap.search", "coap.core", "coap.get",
	"dahua.discovery", "dns.any", "dns.dnskey", "dns.root-ns", "dns.rrsig", "dns.txt",
	"dtls.hello", "gamespy.basic", "gamespy.info", "gamespy.query", "gamespy.status",
	"jenkins.discovery", "kad.bootstrap", "l2tp.sccrq", "mdns.query", "mdns.services",
	"memcached.get", "memcached.set", "memcached.stats", "mitel.startblast", "mssql.browser",
	"netbios.nbstat", "ntp.monlist", "ntp.monlist-old", "ntp.peers", "ntp.readstat",
	"ntp.readvar", "openvpn.reset", "plex.msearch", "portmap.dump", "qotd", "quake.getinfo",
	"quake.getservers", "quake.getstatus", "quake.status", "raknet.ping", "rdp.udp", "rip.v1",
	"samp.query", "sentinel.license", "slp.attributes", "slp.service-types", "slp.services",
	"snmp.bulk", "snmp.v2c", "source.info", "source.players", "source.rules", "ssdp.msearch",
	"systat", "tftp.read", "ubiquiti.discovery", "ubiquiti.discovery-v2", "wsd.malformed",
	"wsd.probe", "xdmcp.query",
};

bool intent_asks_amplification(struct bytes name)
{
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
		if (bytes_equal_text(name, asks[i]))
			return true;
	return false;
}
