/* ifconfig, route, netstat, arp, iptables, ping, nc, telnet, nslookup: nothing is sent. */
#include "passive/device/shell/shell_inner.h"

static int ifconfig_run(struct call *c)
{
	struct persona_look look = call_look(c);
	const char *name = c->shell->persona->interface;
	const char *address = strchr(look.address, ':') ? "192.168.1.108" : look.address;
	uint32_t turns = look.uptime_s;
	struct bytes asked = call_operand(c, 1);
	if (c->argc > 2)
		return 0; /* configured; who set it wants no word */
	bool all = c->argc == 1 || bytes_equal_text(asked, "-a");
	if (all || bytes_equal_text(asked, name))
		call_say(c,
		         "%-9s Link encap:Ethernet  HWaddr %s  \n"
		         "          inet addr:%s  Bcast:255.255.255.255  Mask:255.255.255.0\n"
		         "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
		         "          RX packets:%u errors:0 dropped:0 overruns:0 frame:0\n"
		         "          TX packets:%u errors:0 dropped:0 overruns:0 carrier:0\n"
		         "          collisions:0 txqueuelen:1000 \n"
		         "          RX bytes:%u (%.1f MiB)  TX bytes:%u (%.1f MiB)\n\n",
		         name, look.mac, address, turns * 3, turns * 2, turns * 311,
		         turns * 311 / 1048576.0, turns * 207, turns * 207 / 1048576.0);
	if (all || bytes_equal_text(asked, "lo"))
		call_say(c, "lo        Link encap:Local Loopback  \n"
		            "          inet addr:127.0.0.1  Mask:255.0.0.0\n"
		            "          UP LOOPBACK RUNNING  MTU:16436  Metric:1\n"
		            "          RX packets:212 errors:0 dropped:0 overruns:0 frame:0\n"
		            "          TX packets:212 errors:0 dropped:0 overruns:0 carrier:0\n"
		            "          collisions:0 txqueuelen:0 \n"
		            "          RX bytes:17404 (16.9 KiB)  TX bytes:17404 (16.9 KiB)\n\n");
	if (!all && !bytes_equal_text(asked, name) && !bytes_equal_text(asked, "lo")) {
		call_error(c, "%.*s: error fetching interface information: Device not found",
		           BYTES_FMT(asked));
		return 1;
	}
	return 0;
}

static int route_run(struct call *c)
{
	call_say(c,
	         "Kernel IP routing table\n"
	         "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
	         "default         192.168.1.1     0.0.0.0         UG    0      0        0 %s\n"
	         "192.168.1.0     *               255.255.255.0   U     0      0        0 %s\n",
	         c->shell->persona->interface, c->shell->persona->interface);
	return 0;
}

static int netstat_run(struct call *c)
{
	uint32_t set;
	struct bytes values[10];
	if (call_options(c, "laentuwrWp", &set, values) < 0)
		return 1;
	if (set & 128)
		return route_run(c);
	bool listening = set & 3, programs = set & 512;
	call_say(c, "Active Internet connections (%s)\n",
	         set & 1   ? "only servers"
	         : set & 2 ? "servers and established"
	                   : "w/o servers");
	call_say(c,
	         "Proto Recv-Q Send-Q Local Address           Foreign Address         State       "
	         "%s\n",
	         programs ? "PID/Program name    " : "");
	static const struct {
		const char *local, *program;
	} servers[] = {{"0.0.0.0:80", "471/httpd"}, {"0.0.0.0:23", "402/telnetd"}};
	for (size_t i = 0; listening && i < 2; i++)
		call_say(c, "tcp        0      0 %-23s 0.0.0.0:*               LISTEN      %s\n",
		         servers[i].local, programs ? servers[i].program : "");
	return 0;
}

static int arp_run(struct call *c)
{
	(void)c;
	return 0;
}

static int iptables_run(struct call *c)
{
	bool lists = false;
	for (size_t i = 1; i < c->argc; i++)
		lists |= bytes_start_with(c->argv[i], "-L");
	if (lists)
		call_say(c, "Chain INPUT (policy ACCEPT)\ntarget     prot opt source               "
		            "destination\n\n"
		            "Chain FORWARD (policy ACCEPT)\ntarget     prot opt source             "
		            "  destination\n\n"
		            "Chain OUTPUT (policy ACCEPT)\ntarget     prot opt source              "
		            " destination\n");
	return 0;
}

/* A host that does not answer: as behind a firewall that drops. */
static int ping_run(struct call *c)
{
	if (c->argc < 2)
		return call_usage(c);
	struct bytes host = c->argv[c->argc - 1];
	call_say(c, "PING %.*s (%.*s): 56 data bytes\n", BYTES_FMT(host), BYTES_FMT(host));
	call_delay(c, 1000);
	call_say(c,
	         "\n--- %.*s ping statistics ---\n4 packets transmitted, 0 packets received, 100%% "
	         "packet loss\n",
	         BYTES_FMT(host));
	return 1;
}

static int nc_run(struct call *c)
{
	if (c->argc < 3)
		return call_usage(c);
	call_delay(c, 1000);
	call_error(c, "can't connect to remote host (%.*s): Connection refused",
	           BYTES_FMT(c->argv[c->argc - 2]));
	return 1;
}

static int telnet_run(struct call *c)
{
	if (c->argc < 2)
		return call_usage(c);
	call_delay(c, 1000);
	call_error(c, "can't connect to remote host (%.*s): Connection refused",
	           BYTES_FMT(c->argv[1]));
	return 1;
}

static int nslookup_run(struct call *c)
{
	if (c->argc < 2)
		return call_usage(c);
	call_say(c, "Server:    192.168.1.1\nAddress 1: 192.168.1.1\n\n");
	call_error(c, "can't resolve '%.*s'", BYTES_FMT(c->argv[1]));
	return 1;
}

static const struct applet applet_ifconfig = {"ifconfig", "/sbin", NULL, ifconfig_run};
APPLET(applet_ifconfig);
static const struct applet applet_route = {"route", "/sbin", NULL, route_run};
APPLET(applet_route);
static const struct applet applet_netstat = {"netstat", "/bin", "[-laentuwrWp]", netstat_run};
APPLET(applet_netstat);
static const struct applet applet_arp = {"arp", "/sbin", NULL, arp_run};
APPLET(applet_arp);
static const struct applet applet_iptables = {"iptables", "/usr/sbin", NULL, iptables_run};
APPLET(applet_iptables);
static const struct applet applet_ping = {"ping", "/bin", "[OPTIONS] HOST", ping_run};
APPLET(applet_ping);
static const struct applet applet_nc = {
        "nc", "/usr/bin", "[-iN] [-wN] [-l] [-p PORT] [-f FILENAME|IPADDR PORT] [-e PROG]", nc_run};
APPLET(applet_nc);
static const struct applet applet_telnet = {"telnet", "/usr/bin", "HOST [PORT]", telnet_run};
APPLET(applet_telnet);
static const struct applet applet_nslookup = {"nslookup", "/usr/bin", "[HOST] [SERVER]",
                                              nslookup_run};
APPLET(applet_nslookup);
