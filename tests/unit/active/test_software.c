#include "active/identify/verdict.h"
#include "tests/test.h"

#define FILE_OF(key, rules) "<fingerprints matches='" key "' preference='0.9'>" rules "</fingerprints>"
#define PARAM(name, value) "<param pos='0' name='" name "' value='" value "'/>"

TEST(software_is_named_as_dictionaries_of_weaknesses_do)
{
	static const struct identify_file files[] = {
		{"ssh.xml", BYTES(FILE_OF("ssh.banner",
			"<fingerprint pattern='^OpenSSH_(\\S+) Debian'>" PARAM("service.vendor", "OpenBSD")
			PARAM("service.product", "OpenSSH") "<param pos='1' name='service.version'/>"
			PARAM("service.cpe23", "cpe:/a:openbsd:openssh:{service.version}")
			PARAM("os.vendor", "Debian") PARAM("os.product", "Debian Linux") "</fingerprint>"))},
		{"server.xml", BYTES(FILE_OF("http_header.server",
			"<fingerprint pattern='^Acme/(\\S+)'>" PARAM("service.vendor", "Acme: Co")
			PARAM("service.product", "Web+") "<param pos='1' name='service.version'/></fingerprint>"))},
		{"title.xml", BYTES(FILE_OF("html_title",
			"<fingerprint pattern='^only a product'>" PARAM("service.product", "Thing")
			"</fingerprint>"))},
	};
	struct identify *id = NULL;
	static struct verdict v;
	CHECK(identify_open_files(&id, files, sizeof files / sizeof *files, NULL, NULL) == 0);
	verdict_open(&v, id);
	verdict_add(&v, "ssh.banner", 22, BYTES("OpenSSH_8.4p1 Debian-5+deb11u1"));
	verdict_add(&v, "ssh.banner", 22, BYTES("OpenSSH_8.4p1 Debian-5+deb11u1"));
	verdict_add(&v, "http_header.server", 80, BYTES("Acme/1.2\nx"));
	verdict_add(&v, "html_title", 8080, BYTES("only a product"));
	verdict_conclude(&v);
	static const char expected[] =
		"22 85 ssh:1 cpe:/a:openbsd:openssh:8.4p1 OpenSSH_8.4p1 Debian-5+deb11u1\n"
		"22 85 ssh:1 cpe:2.3:o:debian:debian_linux:*:*:*:*:*:*:*:* OpenSSH_8.4p1 Debian-5+deb11u1\n"
		"80 85 server:1 cpe:2.3:a:acme\\:_co:web\\+:1.2:*:*:*:*:*:*:* Acme/1.2 x\n"
		"8080 85 title:1 cpe:2.3:a:*:thing:*:*:*:*:*:*:*:* only a product\n";
	CHECK_SAY(!strcmp(v.software, expected), "%s", v.software);
	identify_close(id);
}
