#include "active/identify/verdict.h"
#include "tests/test.h"

#define DEVICE(pattern, certainty, device, vendor, product)                                        \
	"<fingerprint pattern='" pattern "' certainty='" certainty "'><description>d</description>" \
	"<param pos='0' name='hw.device' value='" device "'/>"                                      \
	"<param pos='0' name='hw.vendor' value='" vendor "'/>"                                      \
	"<param pos='0' name='hw.product' value='" product "'/></fingerprint>"
#define FILE_OF(key, rules) "<fingerprints matches='" key "' preference='0.9'>" rules "</fingerprints>"

static struct identify *open_rules(void)
{
	static const struct identify_file files[] = {
		{"telnet.xml", BYTES(FILE_OF("telnet.banner",
			DEVICE("dvr login", "0.8", "DVR", "Acme", "D1")
			DEVICE("router login", "0.7", "Router", "", "")
			DEVICE("bridge login", "0.7", "Wireless Bridge", "", "")
			DEVICE("maybe login", "0.4", "NAS", "", "")))},
		{"title.xml", BYTES(FILE_OF("html_title",
			DEVICE("^Acme DVR", "0.8", "DVR", "Acme", "D1")
			DEVICE("^Big router", "0.95", "Router", "", "B1")
			DEVICE("^Weak camera$", "0.3", "IP Camera", "", "")
			DEVICE("^Air (?:\\w+)$", "0.9", "Wireless Router", "Other", "R9")
			DEVICE("^Box station complete$", "0.8", "NAS", "Box", "N")))},
		{"server.xml", BYTES(FILE_OF("http_header.server",
			"<fingerprint pattern='^nginx'><param pos='0' name='service.product' value='nginx'/>"
			"</fingerprint>"))},
	};
	struct identify *id = NULL;
	identify_open_files(&id, files, sizeof files / sizeof *files, NULL, NULL);
	return id;
}

static void hear(struct verdict *v, const struct identify *id, const char *telnet,
		 const char *server, const char *title)
{
	verdict_open(v, id);
	verdict_add(v, "telnet.banner", 23, bytes_of_text(telnet));
	verdict_add(v, "http_header.server", 80, bytes_of_text(server));
	verdict_add(v, "html_title", 80, bytes_of_text(title));
	verdict_conclude(v);
}

TEST(verdict_a_bare_prompt_and_a_plain_server_name_no_device)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "login:", "nginx/1.4.1", "Welcome to nginx!");
	CHECK(v.device[0] == 0 && v.confidence == 0 && !v.disputed);
	CHECK(!strcmp(v.service, "nginx") && !strcmp(v.rule, ""));
	CHECK(strstr(v.signals, "telnet.banner@23: login:"));
	CHECK(strstr(v.signals, "html_title@80: Welcome to nginx!"));
	identify_close(id);
}

TEST(verdict_agreement_raises_confidence)
{
	struct identify *id = open_rules();
	struct verdict one, two;
	hear(&one, id, "dvr login:", "", "");
	hear(&two, id, "dvr login:", "nginx", "Acme DVR");
	CHECK(one.confidence == 80 && two.confidence > one.confidence && two.confidence <= 99);
	CHECK(!strcmp(two.device, "DVR") && !strcmp(two.vendor, "Acme") && !two.dissent[0]);
	CHECK(strstr(two.evidence, "telnet.banner@23 telnet:1") &&
	      strstr(two.evidence, "html_title@80 title:1"));
	identify_close(id);
}

TEST(verdict_a_narrow_class_takes_a_broad_one_in)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "router login:", "", "Air R9");
	CHECK(!strcmp(v.device, "Wireless Router") && !v.disputed && v.confidence > 90);
	CHECK(!strcmp(v.rule, "title:4") && !strcmp(v.product, "R9"));
	hear(&v, id, "bridge login:", "", "Big router");
	CHECK(!strcmp(v.device, "Wireless Bridge") && !v.disputed && v.confidence > 90);
	identify_close(id);
}

TEST(verdict_telnet_leads_when_another_port_shows_another_machine)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "dvr login:", "nginx", "Air R9");
	CHECK(!strcmp(v.device, "DVR") && v.disputed && v.confidence == 60);
	CHECK(!strcmp(v.product, "D1") && strstr(v.dissent, "Wireless Router Other R9"));
	CHECK(!v.service[0]);
	identify_close(id);
}

TEST(verdict_two_narrow_kinds_on_two_ports_are_two_machines)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "bridge login:", "", "Air R9");
	CHECK(!strcmp(v.device, "Wireless Bridge") && v.disputed && v.confidence == 60);
	CHECK(!v.vendor[0] && strstr(v.dissent, "Wireless Router Other R9"));
	identify_close(id);
}

TEST(verdict_two_devices_without_telnet_leave_the_class_open)
{
	struct identify *id = open_rules();
	struct verdict v;
	verdict_open(&v, id);
	verdict_add(&v, "html_title", 80, BYTES("Acme DVR"));
	verdict_add(&v, "html_title", 8080, BYTES("Air R9"));
	verdict_conclude(&v);
	CHECK(!v.device[0] && v.disputed && v.confidence == 0 && !v.vendor[0]);
	CHECK(strstr(v.dissent, "@80") && strstr(v.dissent, "@8080"));
	identify_close(id);
}

TEST(verdict_one_port_is_one_machine_whatever_the_names_on_it)
{
	static const struct identify_file files[] = {
		{"title.xml", BYTES(FILE_OF("html_title", DEVICE("^Shop DVR", "0.7", "DVR", "Shop", "S1")))},
		{"server.xml", BYTES(FILE_OF("http_header.server",
			DEVICE("^maker", "0.7", "Surveillance Device", "Maker", "M")))},
	};
	struct identify *id;
	struct verdict v;
	CHECK(identify_open_files(&id, files, 2, NULL, NULL) == 0);
	verdict_open(&v, id);
	verdict_add(&v, "http_header.server", 80, BYTES("maker-httpd"));
	verdict_add(&v, "html_title", 80, BYTES("Shop DVR"));
	verdict_conclude(&v);
	CHECK(!strcmp(v.device, "DVR") && !strcmp(v.vendor, "Shop") && !v.disputed);
	CHECK(v.confidence > 70);
	verdict_open(&v, id);
	verdict_add(&v, "http_header.server", 80, BYTES("maker-httpd"));
	verdict_add(&v, "html_title", 8080, BYTES("Shop DVR"));
	verdict_conclude(&v);
	CHECK(v.disputed && !v.device[0]);
	identify_close(id);
}

TEST(verdict_a_weak_word_stays_below_the_named)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "", "", "Weak camera");
	CHECK(!strcmp(v.device, "IP Camera") && v.confidence < VERDICT_CONFIDENCE_NAMED);
	hear(&v, id, "dvr login:", "", "Weak camera");
	CHECK(!strcmp(v.device, "DVR") && !v.disputed && v.confidence == 70 && v.dissent[0]);
	hear(&v, id, "maybe login:", "", "Weak camera");
	CHECK(!v.device[0] && v.disputed);
	identify_close(id);
}

TEST(verdict_a_rule_that_almost_matched_is_near)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "", "", "My box station complete set");
	CHECK(!v.device[0] && strstr(v.near, "title:5") && strstr(v.signals, "My box"));
	identify_close(id);
}

TEST(verdict_texts_are_utf8_whatever_was_sent)
{
	struct identify *id = open_rules();
	struct verdict v;
	hear(&v, id, "\xff\xfe\x01 caf\xc3\xa9 \xe8\xa6", "", "");
	CHECK(bytes_is_utf8(bytes_of_text(v.signals)));
	CHECK(strstr(v.signals, "??? caf\xc3\xa9 ??"));
	verdict_open(&v, id);
	for (size_t i = 0; i < VERDICT_SIGNALS_MAX * 2; i++)
		verdict_add(&v, "html_title", (uint16_t)i, BYTES("Acme DVR"));
	verdict_conclude(&v);
	CHECK(v.signal_count == VERDICT_SIGNALS_MAX && v.confidence == 99);
	identify_close(id);
}

TEST(verdict_class_labels_are_unique)
{
	const struct device_class *c;
	for (size_t i = 0; (c = device_class_at(i)); i++) {
		CHECK(device_class_find(c->label) == c);
		CHECK(strlen(c->label) < sizeof ((struct verdict *)0)->device);
	}
	CHECK(!device_class_find("Toaster"));
}

static struct identify *open_plant(void)
{
	static const struct identify_file files[] = {
		{"s7.xml", BYTES(FILE_OF("s7.identity",
			"<fingerprint pattern='^module=6ES7 2.*?firmware=(\\S+)' flags='REG_DOT_NEWLINE' certainty='0.9'>"
			"<param pos='0' name='hw.device' value='Programmable Logic Controller'/>"
			"<param pos='0' name='hw.vendor' value='Siemens'/>"
			"<param pos='1' name='hw.version'/></fingerprint>"))},
		{"title.xml", BYTES(FILE_OF("html_title",
			DEVICE("^Station: S7", "0.95", "Programmable Logic Controller", "Siemens", "CPU 1211C")
			DEVICE("^Recorder", "0.9", "DVR", "Acme", "D1")))},
	};
	struct identify *id = NULL;
	identify_open_files(&id, files, sizeof files / sizeof *files, NULL, NULL);
	return id;
}

TEST(verdict_a_controller_has_a_role_and_its_ports_combine)
{
	struct identify *id = open_plant();
	struct verdict v;
	verdict_open(&v, id);
	verdict_add(&v, "html_title", 80, BYTES("Station: S7-1200"));
	verdict_add(&v, "s7.identity", 102, BYTES("module=6ES7 211\nfirmware=4.2.1"));
	verdict_conclude(&v);
	CHECK(!strcmp(v.role, "PLC") && !strcmp(v.product, "CPU 1211C") && !strcmp(v.version, "4.2.1"));
	CHECK(v.confidence > 95 && !v.disputed);
	/* A recorder behind the same address is another machine, and is told of. */
	verdict_open(&v, id);
	verdict_add(&v, "html_title", 80, BYTES("Recorder"));
	verdict_add(&v, "s7.identity", 102, BYTES("module=6ES7 211\nfirmware=4.2.1"));
	verdict_conclude(&v);
	CHECK(v.disputed && !v.device[0] && strstr(v.dissent, "Recorder") == NULL && strstr(v.dissent, "DVR"));
	CHECK(strstr(v.dissent, "Programmable Logic Controller"));
	/* A protocol of controllers tells what no rule does. */
	verdict_open(&v, id);
	verdict_add(&v, "modbus.identity", 502, BYTES("vendor=Nobody\nproduct=X"));
	verdict_conclude(&v);
	CHECK(!v.device[0] && v.confidence == 0 && !strcmp(v.role, "unspecified"));
	identify_close(id);
}

TEST(verdict_roles_are_of_known_classes)
{
	size_t with_role = 0;
	for (size_t i = 0; device_class_at(i); i++)
		with_role += *device_role(device_class_at(i)->label) != 0;
	CHECK(with_role > 15 && !*device_role("DVR") && !strcmp(device_role("HMI"), "HMI"));
}
