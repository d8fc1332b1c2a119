/*
 * Whole hosts against our own rules: what must be named, and what must not.
 */
#include "active/identify/verdict.h"
#include "tests/test.h"

struct host {
	const char *device, *product; /* "": must not be named; product NULL: any */
	const char *telnet, *server, *title, *realm;
};

static const struct host devices[] = {
	{"DVR", "DS-7000/8000", "dvrdvs login: ", "DVRDVS-Webs", NULL, NULL},
	{"DVR", "NetSurveillance", "LocalHost login: ", "uc-httpd 1.0.0", "NETSurveillance WEB", NULL},
	{"DVR", "AVC", NULL, "Linux/2.x UPnP/1.0 Avtech/1.0", "--- VIDEO WEB SERVER ---", NULL},
	{"DVR", "DVR8-2600", "login: ", "thttpd/2.25b", "Swann DVR8-2600", NULL},
	{"DVR", "JAWS", NULL, "JAWS/1.0 Jan 21 2014", NULL, NULL},
	{"DVR", "DS-7204HVI-S", NULL, NULL, "DS-7204HVI-S", NULL},
	{"Network Video Recorder", "DS-7608NI-S", NULL, "DNVRS-Webs", "DS-7608NI-S", NULL},
	{"IP Camera", "Netwave", NULL, "Netwave IP Camera", NULL, NULL},
	{"IP Camera", "FI8910W", "login:", "Boa/0.94.13", "FI8910W", NULL},
	{"IP Camera", "AXIS 207", NULL, NULL, "AXIS 207", "AXIS_00408C123456"},
	{"Web Camera", "VB-C50i", NULL, NULL, "VB-C50i", NULL},
	{"ADSL Router", "TD-W8961ND", "TP-LINK login:", NULL, NULL, "TD-W8961ND"},
	{"Wireless Router", "TL-WR841N", NULL, "Router Webserver", NULL, "TP-LINK Wireless N Router WR841N"},
	{"Wireless Router", "DIR-600", NULL, "Linux, HTTP/1.1, DIR-600 Ver 2.11", NULL, NULL},
	{"Wireless Router", "RT-N66U", NULL, "httpd", NULL, "RT-N66U"},
	{"Router", "RouterOS", "MikroTik v5.26\r\nLogin: ", NULL, "RouterOS router configuration page", NULL},
	{"Router", "IOS", "User Access Verification\r\n\r\nPassword: ", NULL, NULL, "level_15_access"},
	{"ADSL Router", "BCM963xx", "BCM96338 ADSL Router\r\nLogin: ", "micro_httpd", NULL, "DSL Router"},
	{"CPE", "ZXHN H108N", "ZXHN H108N\r\nLogin:", "Mini web server 1.0 ZTE corp 2005.", NULL, NULL},
	{"ADSL Gateway", NULL, "Username : ", NULL, "THOMSON Gateway", NULL},
	{"Set Top Box", "dm800", "opendreambox 1.6.0 dm800\r\n\r\ndm800 login: ", NULL, NULL, "dm800"},
	{"Security Appliance", "FortiGate", NULL, "xxxxxxxx-xxxxx", NULL, NULL},
	{"NAS", "DiskStation", "DiskStation login: ", "nginx", "Synology DiskStation", NULL},
	{"Environment Monitoring Unit", NULL, NULL, NULL, NULL, "NetBotz Appliance"},
	{"OfficeServ Device Manager System", NULL, NULL, NULL, "OfficeServ DM", NULL},
	{"IP Phone", NULL, NULL, "snom embedded", "snom 320", NULL},
	{"Analog Phone Adapter", NULL, NULL, NULL, "Sipura SPA Configuration", NULL},
	{"Internet communication Module", NULL, "Press Enter for Setup Mode", NULL, NULL, NULL},
	{"Data Acquisition Server (ICS)", "AcquiSuite", NULL, NULL, NULL, "AcquiSuite"},
	{"Broadband Access CPE", NULL, "Broadband Access CPE\r\nlogin: ", NULL, NULL, NULL},
	{"Network Video Recorder", "NVR5216-16P", "hi3520 login: ", NULL, "NVR5216-16P", NULL},
	/* An unknown maker's words are enough for the class and keep two makers apart. */
	{"DVR", "Acmetron DVR", NULL, NULL, "Acmetron DVR", NULL},
	{"ADSL Router", "QX-7712", NULL, NULL, NULL, "Acmetron QX-7712 ADSL Router"},
};

static const struct host others[] = {
	{"", "", "login: ", "nginx/1.4.6 (Ubuntu)", "Welcome to nginx!", NULL},
	{"", "", "(none) login: ", "Apache/2.2.22 (Debian)", "It works!", "Restricted"},
	{"", "", "Password: ", "Microsoft-IIS/7.5", "IIS7", NULL},
	{"", "", "localhost login: ", "lighttpd/1.4.28", "Index of /", "Restricted Area"},
	{"", "", "Ubuntu 12.04.4 LTS\r\nhost login: ", "Apache", "Welcome to our company", NULL},
	{"", "", "Username: ", "Boa/0.94.13", "Login", "."},
	{"", "", "ns1 login: ", "thttpd/2.25b", "WordPress - My Blog", NULL},
	{"", "", "mail login: ", "GoAhead-Webs", "SquirrelMail - Login", "admin"},
	{"", "", "www login: ", "mini_httpd/1.19", "Wireless router buying guide", NULL},
	{"", "", "BusyBox v1.12.1 built-in shell (ash)", "micro_httpd", "Camera shop", NULL},
	{"", "", "Welcome to Microsoft Telnet Service\r\n\r\nlogin: ", "RomPager/4.07 UPnP/1.0", "Home", NULL},
	{"", "", "Authorized access only\r\nUsername: ", "Jetty(6.1.26)", "Bosch Home Appliances", NULL},
	/* What several classes have in common names none of them, however often it is heard. */
	{"", "", "login: ", "uc-httpd 1.0.0", "", NULL},
	{"", "", NULL, "DNVRS-Webs", NULL, "DVRNVRDVS"},
	{"", "", "TP-LINK login:", "Router Webserver", "TP-LINK", NULL},
	/* One weak word alone is a guess, below what may be counted. */
	{"", "", NULL, NULL, "Router", NULL},
	{"", "", NULL, NULL, "NAS", NULL},
	{"", "", NULL, NULL, "Camera", NULL},
};

static void add(struct verdict *v, const char *key, uint16_t port, const char *banner)
{
	if (banner)
		verdict_add(v, key, port, bytes_of_text(banner));
}

static void judge(const struct identify *id, const struct host *h, struct verdict *v)
{
	verdict_open(v, id);
	add(v, "telnet.banner", 23, h->telnet);
	add(v, "http_header.server", 80, h->server);
	add(v, "html_title", 80, h->title);
	add(v, "http_header.wwwauth", 80, h->realm);
	verdict_conclude(v);
}

static struct identify *open_own(void)
{
	const char *const directory = "fingerprints";
	struct identify *id = NULL;
	identify_open(&id, &directory, 1, NULL, NULL);
	return id;
}

TEST(own_rules_name_devices)
{
	struct identify *id = open_own();
	CHECK(id);
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		const struct host *h = &devices[i];
		struct verdict v;
		judge(id, h, &v);
		bool right = !strcmp(v.device, h->device) && v.confidence >= VERDICT_CONFIDENCE_NAMED &&
			     (!h->product || !strcmp(v.product, h->product)) && !v.disputed;
		if (!right)
			print_error("%s %s: %s %s %u%s %s\n", h->device, h->product ? h->product : "",
				    v.device, v.product, v.confidence, v.disputed ? " disputed" : "",
				    v.evidence);
		wrong += !right;
	}
	identify_close(id);
	CHECK(wrong == 0);
}

TEST(own_rules_leave_other_hosts_unnamed)
{
	struct identify *id = open_own();
	CHECK(id);
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct verdict v;
		judge(id, &others[i], &v);
		if (v.confidence >= VERDICT_CONFIDENCE_NAMED)
			print_error("%s: %s\n", v.device, v.evidence);
		wrong += v.confidence >= VERDICT_CONFIDENCE_NAMED;
	}
	identify_close(id);
	CHECK(wrong == 0);
}

TEST(own_rules_show_a_forwarded_port_as_dissent)
{
	const struct host h = {"DVR", "", "dvrdvs login: ", NULL, NULL, "TP-LINK Wireless N Router WR841N"};
	struct identify *id = open_own();
	struct verdict v;
	CHECK(id);
	judge(id, &h, &v);
	CHECK(!strcmp(v.device, "DVR") && v.disputed && v.confidence <= 60);
	CHECK(strstr(v.dissent, "TL-WR841N"));
	identify_close(id);
}
