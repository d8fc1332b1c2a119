/*
 * Single banners against our own rules, key by key: what names a device, and what many kinds of
 * hosts say and so must name none.
 */
#include "active/identify/verdict.h"
#include "tests/test.h"

struct own_banner {
	const char *key, *text;
	const char *device, *vendor;
};

static const struct own_banner named[] = {
	{"ssh.banner", "ROSSSH", "Router", "MikroTik"},
	{"ssh.banner", "mpSSH_0.2.1", "Server Management Controller", "HP"},
	{"ssh.banner", "CISCO_WLC", "Wireless Controller", "Cisco"},
	{"ftp.banner", "Lexmark MS510dn FTP Server NR.APS.N447 ready.", "Printer", "Lexmark"},
	{"ftp.banner", "Welcome to ASUS RT-AC68U FTP service.", "Wireless Router", "ASUS"},
	{"ftp.banner", "MikroTik FTP server (MikroTik 6.43.2) ready", "Router", "MikroTik"},
	{"sip_header.server", "AVM FRITZ!Box 7490 113.06.83 TAL (Dec 20 2016)", "VoIP Router", "AVM"},
	{"sip_header.user_agent", "Yealink SIP-T46G 28.80.0.95", "IP Phone", "Yealink"},
	{"sip_header.user_agent", "Linksys/PAP2T-5.1.6(LS)", "Analog Phone Adapter", "Linksys"},
	{"rtsp_header.server", "Hipcam RealServer/V1.0", "IP Camera", ""},
	{"rtsp_header.wwwauth", "Digest realm=\"IP Camera(12345)\", nonce=\"0\"", "IP Camera", "Hikvision"},
	{"snmp.sys_description", "RouterOS CCR1036-8G-2S+", "Router", "MikroTik"},
	{"snmp.sys_description",
	 "Cisco NX-OS(tm) n5000, Software (n5000-uk9), Version 7.3(2)N1(1), RELEASE SOFTWARE",
	 "Switch", "Cisco"},
	{"snmp.sys_object_id", "1.3.6.1.4.1.6574.1", "NAS", "Synology"},
	{"s7.identity",
	 "module=6ES7 315-2EH14-0AB0\nbasic_hardware=6ES7 315-2EH14-0AB0\nfirmware=3.2.6\nname=SIMATIC 300(1)\nmodule_type=CPU 315-2 PN/DP\n",
	 "Programmable Logic Controller", "Siemens"},
	{"modbus.identity",
	 "vendor=Schneider Electric\nproduct=BMX P34 2020\nrevision=v2.9",
	 "Programmable Logic Controller", "Schneider Electric"},
	{"modbus.identity",
	 "vendor=Schneider Electric\nproduct=PM5560\nrevision=2.1.4",
	 "Power Meter", "Schneider Electric"},
	{"bacnet.identity",
	 "vendor=Johnson Controls, Inc.\nvendor_id=5\nmodel=MS-NAE5510-2\nfirmware=6.5\n",
	 "Building Controller", "Johnson Controls"},
	{"fox.identity",
	 "host.name=jace8\napp.name=Station\napp.version=4.10.0.154\nvm.name=J9\nos.name=QNX\nos.version=7.0\nbrand.id=vykon\n",
	 "Building Controller", "Tridium"},
	{"enip.identity",
	 "vendor_id=1\nvendor=Rockwell Automation/Allen-Bradley\ndevice_type=14\nproduct_code=54\nrevision=20.11\nproduct=1756-L61/B LOGIX5561\nserial=0x006bf30f\n",
	 "Programmable Logic Controller", "Rockwell Automation"},
	{"fins.identity",
	 "model=CJ2M-CPU33     02.01\nversion=02.01\n",
	 "Programmable Logic Controller", "Omron"},
	{"atg.identity", "I20100\nAPR  1, 2015 12:00 AM\nSTATION 17\nIN-TANK INVENTORY\n", "Tank Gauge", ""},
	{"onvif.scopes",
	 "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/DS-2CD2032-I",
	 "IP Camera", "Hikvision"},
	{"ssdp_header.server", "FRITZ!Box 7490 UPnP/1.0 AVM FRITZ!Box 7490 113.07.29", "CPE", "AVM"},
	{"x509.issuer", "CN=ASA Temporary Self Signed Certificate", "Security Appliance", "Cisco"},
};

/* Default pages, shared servers, generic realms, shops and words: lists that end with NULL. */
static const char *const plain_html_title[] = {
	"Apache2 Ubuntu Default Page: It works", "Apache2 Debian Default Page: It works",
	"Apache HTTP Server Test Page powered by CentOS",
	"Test Page for the Apache HTTP Server on Red Hat Enterprise Linux", "Welcome to nginx!",
	"Welcome to nginx on Debian!", "IIS Windows Server", "IIS7",
	"Microsoft Internet Information Services 8", "Apache Tomcat/9.0.31", "Apache Tomcat",
	"Welcome to CentOS", "Test Page for the Nginx HTTP Server on Fedora", "Welcome to OpenResty!",
	"Default Web Site Page", "Plesk default page", "Domain Default page", "cPanel Login",
	"WHM Login", "phpMyAdmin", "Index of /", "404 Not Found", "403 Forbidden", "401 Unauthorized",
	"400 Bad Request", "502 Bad Gateway", "503 Service Unavailable", "Error", "Object moved",
	"Document Error: Unauthorized", "Loading...", "Login", "Log In", "Sign in", "Home",
	"Home Page", "Welcome", "Untitled Document", "Dashboard", "Admin", "Administration",
	"Control Panel", "Web Interface", "Web Client", "WEB", "Index", "index", "Main", "Setup",
	"Status", "Redirect", "Just a moment...", "Attention Required! | Cloudflare", "Access Denied",
	"Site under construction", "Coming Soon", "Hello World", "React App", "Vite App", "Next.js",
	"Grafana", "Kibana", "Jenkins", "Portainer", "GitLab", "Sign in · GitLab", "Swagger UI",
	"RabbitMQ Management", "Prometheus Time Series Collection and Processing Server",
	"Roundcube Webmail", "Webmin", "Proxmox", "Outlook", "Outlook Web App",
	"Zimbra Web Client Sign In", "WordPress", "My Blog", "Shop", "Online store", "Camera store",
	"Buy DVR online", "Best routers of 2020", "How to set up a router", "NAS vs cloud storage",
	"IP phone reviews", "Printer drivers", "Printers and scanners", "Switch games",
	"Nintendo Switch", "Security systems", "Access control solutions", "Solar inverters - prices",
	"UPS tracking", "Smart home blog", "Parking in Berlin", "The Gateway Church",
	"Gateway High School", "Hotel Bridge", "Phoenix hotel", "Phone repair", "Modem festival",
	"Node.js", "Directory Listing", "Directory listing for /", "OpenVPN", "Nextcloud", "ownCloud",
	"Pi-hole", "Plex", "Jellyfin", "Synology forum", "QNAP news", "Cisco certification training",
	"Huawei store", "TP-Link shop", "Mobile", "Monitor", "Network", "Network Monitor", "System",
	"Server", "Test", "test", "Device", "Management", "Configuration", "Welcome to the future",
	"Video", "Live", "Live View", "Music", "Media Server", "Radio", "TV", "Meteo station",
	"Weather", "Portal", "Customer Portal", "Hotspot", "Wi-Fi", "Internet", NULL,
};
static const char *const plain_http_server[] = {
	"Apache", "nginx", "Apache/2.4.41 (Ubuntu)", "nginx/1.18.0 (Ubuntu)", "Microsoft-IIS/10.0",
	"Microsoft-HTTPAPI/2.0", "lighttpd/1.4.59", "LiteSpeed", "cloudflare", "openresty", "Caddy",
	"gunicorn/20.0.4", "Werkzeug/2.0.1 Python/3.8", "Apache-Coyote/1.1", "Jetty(9.4.z)",
	"Kestrel", "GoAhead-Webs", "GoAhead-http", "Boa/0.94.14rc21", "mini_httpd/1.30",
	"thttpd/2.29", "micro_httpd", "RomPager/4.07 UPnP/1.0", "Virata-EmWeb/R6_0_1",
	"Allegro-Software-RomPager/4.06", "Mongoose/6.0", "CivetWeb", "httpd", "webserver",
	"Web Server", "Server", "Embedded HTTP Server", "uc-httpd 1.0.0", "WebServer", "HTTP Server",
	"Linux/2.6 UPnP/1.0", "BaseHTTP/0.6 Python/3.6", "SimpleHTTP/0.6 Python/2.7",
	"TornadoServer/6.0", "Cowboy", "Express", "Varnish", "squid/3.5", "AkamaiGHost", "AmazonS3",
	"awselb/2.0", "ATS", "PRTG/21.1", "Zope", "Oracle-Application-Server-10g", "IBM_HTTP_Server",
	"Resin/4.0", "WEBrick/1.3.1", "Abyss/2.0", "HFS 2.3m", "Cherokee", "Hiawatha", "monkey",
	"Rapid Logic/1.1", "Agranat-EmWeb/R5_2_4", "uIP/1.0", "lwIP/1.3.1", "tinyhttpd", "shttpd",
	"dhttpd", NULL,
};
static const char *const plain_http_wwwauth[] = {
	"Basic realm=\"Restricted\"", "Basic realm=\"Restricted Area\"",
	"Basic realm=\"Authentication Required\"", "Basic realm=\"Login\"", "Basic realm=\"login\"",
	"Basic realm=\"admin\"", "Basic realm=\"Administrator\"", "Basic realm=\"Protected\"",
	"Basic realm=\"Members only\"", "Basic realm=\".\"", "Basic realm=\"\"",
	"Basic realm=\"localhost\"", "Basic realm=\"Please enter your username and password\"",
	"Digest realm=\"Restricted\", nonce=\"1\"", "NTLM", "Negotiate", "Bearer realm=\"api\"",
	"Basic realm=\"Server\"", "Basic realm=\"Web Server\"", "Basic realm=\"Index\"",
	"Basic realm=\"index.html\"", "Basic realm=\"Private\"",
	"Basic realm=\"Tomcat Manager Application\"", "Basic realm=\"phpMyAdmin\"",
	"Basic realm=\"Nagios Access\"", "Basic realm=\"Monitoring\"", "Basic realm=\"Test\"",
	"Basic realm=\"Default\"", "Basic realm=\"System\"", "Basic realm=\"Secure Area\"",
	"Basic realm=\"Password Protected Area\"", "Basic realm=\"User\"", "Basic realm=\"Home\"",
	"Basic realm=\"Camera club members\"", "Basic realm=\"GoAhead\"",
	"Basic realm=\"Registry Realm\"", "Basic realm=\"Jenkins\"", "Basic realm=\"Git\"",
	"Basic realm=\"Shop admin\"", "Basic realm=\"Status\"", "Basic realm=\"Webmail\"", NULL,
};
static const char *const plain_http_cookie[] = {
	"PHPSESSID=abc; path=/", "JSESSIONID=ABC; Path=/", "ASP.NET_SessionId=x", "session=abc",
	"sessionid=abc", "SESSIONID=-1", "csrftoken=x", "laravel_session=x", "connect.sid=x",
	"__cfduid=x", "lang=en", "user=", "uid=1", "id=1", "language=en", "Session=1", "sid=x",
	"auth=x", "token=x", "wp_lang=x", "roundcube_sessid=x", "_ga=x", "AWSALB=x",
	"BIGipServerpool=1", NULL,
};
static const char *const plain_telnet_banner[] = {
	"login: ", "Login: ", "Password: ", "Username: ", "Username:", "User: ",
	"Ubuntu 20.04.3 LTS\r\nsrv login: ", "Debian GNU/Linux 11\r\nsrv login: ",
	"CentOS Linux 7 (Core)\r\nKernel 3.10.0 on an x86_64\r\nsrv login: ",
	"Welcome to Microsoft Telnet Service", "(none) login: ", "localhost login: ", "User Name:",
	"Authorized users only", "Unauthorized access prohibited\r\nlogin:", "# ", "$ ", "> ",
	"BusyBox v1.19.4 built-in shell (ash)", "/ # ", "Connection refused", "Too many users",
	"Press any key", "Telnet Server", "Welcome", "Welcome!", "test login: ", "admin login: ",
	"root login: ", "server login: ", "host login: ", "web login: ", "linux login: ",
	"buildroot login: ", "raspberrypi login: ", "Enter password:", "Account:", "user:",
	"Escape character is '^]'.", "220 mail ESMTP", "HTTP/1.1 400 Bad Request",
	"SSH-2.0-OpenSSH_7.4", "Login authentication\r\n\r\nUsername:",
	"Authorized access only!\r\n\r\nUser:", "FreeBSD/amd64 (srv) (pts/0)\r\nlogin: ", NULL,
};
static const char *const plain_x509_subject[] = {
	"CN=www.example.com", "CN=localhost", "CN=*.example.com",
	"O=Acme Co, CN=Kubernetes Ingress Controller Fake Certificate", "CN=srv1",
	"C=US, ST=CA, O=Internet Widgits Pty Ltd",
	"C=--, ST=SomeState, L=SomeCity, O=SomeOrganization, OU=SomeOrganizationalUnit, CN=localhost.localdomain",
	"CN=mail.example.org", "CN=TRAEFIK DEFAULT CERT", "CN=router.example.com",
	"CN=camera.example.com", "CN=nas.example.com", "CN=vpn.example.com", "CN=gateway",
	"CN=phone.example.com", "CN=WIN-ABCDEFGHIJK", "CN=ubuntu", "CN=debian", "CN=server",
	"CN=default", "CN=test", "O=My Company, CN=example.com", NULL,
};
static const char *const plain_http_body[] = {
	"<html><body><h1>It works!</h1></body></html>",
	"<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1><p>If you see this page, the nginx web server is successfully installed and working.</p></body></html>",
	"<html><head><title>IIS7</title></head></html>",
	"<script>window.location='/login.html'</script>",
	"<form action='login.cgi' method='post'><input name='username'><input type='password' name='password'></form>",
	"<p>We sell IP cameras, DVRs and routers from TP-LINK, D-Link and Hikvision.</p>",
	"<meta http-equiv='refresh' content='0;url=/index.php'>", NULL,
};
static const char *const plain_ssh_banner[] = {
	"OpenSSH_7.4", "OpenSSH_9.6", "dropbear_2019.78", "dropbear", "libssh_0.9.6", "Go",
	"paramiko_2.4.1", "Cisco-1.25", "SSH", "Server", "OpenSSH_8.9p1 Ubuntu-3ubuntu0.10", NULL,
};
static const char *const plain_ftp_banner[] = {
	"FTP server ready.", "Welcome", "Welcome to FTP server", "Service ready for new user.",
	"(vsFTPd 3.0.3)", "ProFTPD 1.3.5 Server (Debian)", "FTP Server", "Welcome to our FTP service",
	"Microsoft FTP Service", "Please enter your login", "ftp.example.com FTP server ready",
	"Pure-FTPd", "Ready", NULL,
};
static const char *const plain_sip_server[] = {
	"sip", "SIP Server", "Asterisk PBX 16.2.1", "kamailio (5.3.2 (x86_64/linux))", "PBX",
	"Gateway", "SIP Gateway", "FreeSWITCH", "Server", "UA", "VoIP", NULL,
};
static const char *const plain_sip_user_agent[] = {
	"sip", "SIP", "Asterisk PBX", "PolycomX", "Test", "Gateway", "Softphone", "Linphone/3.6.1",
	NULL,
};
static const char *const plain_rtsp_server[] = {
	"GStreamer RTSP server", "LIVE555 Streaming Media v2013.11.26", "RTSP Server", "Server",
	"Streaming Server", "VLC/3.0.8", "AirTunes/220.68", "Realtek Rtsp Server", NULL,
};
static const char *const plain_rtsp_wwwauth[] = {
	"Basic realm=\"RTSP\"", "Digest realm=\"LIVE555 Streaming Media\", nonce=\"1\"",
	"Digest realm=\"Streaming Server\", nonce=\"1\"", "Basic realm=\"login\"",
	"Digest realm=\"RTSP SERVER\", nonce=\"1\"", NULL,
};
static const char *const plain_snmp_sys_description[] = {
	"Linux srv 5.4.0 #1 SMP x86_64",
	"Hardware: Intel64 Family 6 - Software: Windows Version 6.3 (Build 17763 Multiprocessor Free)",
	"test", "unknown", "Server", "Cisco IOS", "FreeBSD srv 12.1-RELEASE", NULL,
};
static const char *const plain_smtp_banner[] = {
	"mail.example.com ESMTP", "mail.example.com ESMTP ready", "ESMTP", "mx1 ESMTP Postfix",
	"example.com SMTP service ready", NULL,
};
static const char *const plain_mysql_banners[] = {
	"8.0.35", "5.7.44-log", "5.5.5-10.4.32-MariaDB", NULL,
};
static const char *const plain_ssdp_server[] = {
	"Linux/2.6.36 UPnP/1.0 MiniUPnPd/1.8", "UPnP/1.0",
	"Linux, UPnP/1.0, Portable SDK for UPnP devices/1.6.6", "Ubuntu/18.04 UPnP/1.1 MiniUPnPd/2.0",
	"Custom/1.0 UPnP/1.0 Proc/Ver", NULL,
};
static const char *const plain_modbus_identity[] = {
	"vendor=Acme\nproduct=X1", "vendor=Schneider Electric\nproduct=QX-100",
	"vendor=HMS\nproduct=Anybus-CC", NULL,
};
static const char *const plain_coap_links[] = {
	"</>;ct=0", "</sensors>", "</.well-known/core>;ct=40", NULL,
};
static const char *const plain_x509_issuer[] = {
	"CN=R3, O=Let's Encrypt, C=US", "CN=localhost", "CN=example CA",
	"O=DigiCert Inc, CN=DigiCert SHA2 Secure Server CA", "CN=VMware",
	"C=US, O=Cisco Systems, CN=x", NULL,
};
static const char *const plain_vnc_banner[] = {
	"RFB 003.008", "RFB 003.003", NULL,
};
static const char *const plain_onvif_scopes[] = {
	"onvif://www.onvif.org/location/country/china", NULL,
};

static const struct {
	const char *key;
	const char *const *banners;
} plain[] = {
	{"html_title", plain_html_title},
	{"http_header.server", plain_http_server},
	{"http_header.wwwauth", plain_http_wwwauth},
	{"http_header.cookie", plain_http_cookie},
	{"telnet.banner", plain_telnet_banner},
	{"x509.subject", plain_x509_subject},
	{"http.body", plain_http_body},
	{"ssh.banner", plain_ssh_banner},
	{"ftp.banner", plain_ftp_banner},
	{"sip_header.server", plain_sip_server},
	{"sip_header.user_agent", plain_sip_user_agent},
	{"rtsp_header.server", plain_rtsp_server},
	{"rtsp_header.wwwauth", plain_rtsp_wwwauth},
	{"snmp.sys_description", plain_snmp_sys_description},
	{"smtp.banner", plain_smtp_banner},
	{"mysql.banners", plain_mysql_banners},
	{"ssdp_header.server", plain_ssdp_server},
	{"modbus.identity", plain_modbus_identity},
	{"coap.links", plain_coap_links},
	{"x509.issuer", plain_x509_issuer},
	{"vnc.banner", plain_vnc_banner},
	{"onvif.scopes", plain_onvif_scopes},
};

static struct identify *open_rules(void)
{
	const char *const directory = "fingerprints";
	struct identify *id = NULL;
	identify_open(&id, &directory, 1, NULL, NULL);
	return id;
}

TEST(own_banners_name_devices)
{
	struct identify *id = open_rules();
	CHECK(id);
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		const struct own_banner *b = &named[i];
		struct verdict v;
		verdict_open(&v, id);
		verdict_add(&v, b->key, 1, bytes_of_text(b->text));
		verdict_conclude(&v);
		bool right = !strcmp(v.device, b->device) && !strcmp(v.vendor, b->vendor) &&
			     v.confidence >= VERDICT_CONFIDENCE_NAMED;
		if (!right)
			print_error("%s: %s %s %u\n", b->text, v.device, v.vendor, v.confidence);
		wrong += !right;
	}
	identify_close(id);
	CHECK(wrong == 0);
}

TEST(own_banners_that_many_say_name_none)
{
	struct identify *id = open_rules();
	CHECK(id);
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		for (const char *const *banner = plain[i].banners; *banner; banner++) {
			struct verdict v;
			verdict_open(&v, id);
			verdict_add(&v, plain[i].key, 1, bytes_of_text(*banner));
			verdict_conclude(&v);
			if (v.confidence < VERDICT_CONFIDENCE_NAMED)
				continue;
			print_error("%s %s: %s\n", plain[i].key, *banner, v.evidence);
			wrong++;
		}
	identify_close(id);
	CHECK(wrong == 0);
}
