#include "active/settings_inner.h"
#include "tests/test.h"

static int read_settings(const char *text, struct prober_settings *s, struct fault *fault)
{
	static struct config config; /* that of the last call: the settings point into it */
	static bool held;
	if (held)
		config_done(&config);
	held = false;
	fault->text[0] = '\0';
	if (!text)
		return 0;
	int bad = config_read(bytes_of_text(text), "k.yaml", &config, fault);
	held = !bad;
	return bad ? bad : prober_settings_read(&config, s, fault);
}

static bool complains(const char *text, const char *sentence)
{
	struct prober_settings s;
	struct fault fault;
	bool refused = read_settings(text, &s, &fault) < 0 && strstr(fault.text, sentence);
	if (!refused)
		print_error("%s\n", fault.text);
	read_settings(NULL, &s, &fault);
	return refused;
}

TEST(settings_map_ports_and_name_probes)
{
	struct prober_settings s;
	struct fault fault;
	CHECK(read_settings("prober: {port_map: {23: 2323}, probes: {23: telnet, 9000: http}, idle: 500ms}\n",
			    &s, &fault) == 0);
	struct prober_options o = prober_settings_options(&s);
	CHECK(o.port_count == 2 && o.ports[0].port == 23 && o.ports[0].to == 2323);
	CHECK(o.ports[0].probe == probe_find(BYTES("telnet")) && o.ports[1].to == 0);
	CHECK(o.settings.idle_ms_max == 500 && o.settings.favicon && o.pause_us == 1000000);
	/* Below two seconds: else a silent address would get a third SYN. */
	CHECK(o.connect_timeout_us < 2000000);
	read_settings(NULL, &s, &fault);
}

TEST(settings_say_who_asks_and_nothing_else)
{
	struct prober_settings s;
	struct fault fault;
	CHECK(read_settings("operator: {page: \"https://example.org/probing\"}\n", &s, &fault) == 0);
	CHECK(!strcmp(s.agent, "Mozilla/5.0 (compatible; kansoku; +https://example.org/probing)"));
	CHECK(read_settings("operator: {contact: \"a@example.org\\r\\nX: y\"}\n", &s, &fault) == 0);
	CHECK(!strcmp(s.agent, "Mozilla/5.0 (compatible; kansoku; a@example.orgX:y)"));
	CHECK(read_settings("operator: {}\n", &s, &fault) == 0);
	CHECK(!strcmp(s.agent, "Mozilla/5.0 (compatible; kansoku)"));
	read_settings(NULL, &s, &fault);
}

TEST(settings_refuse_what_would_not_work)
{
	CHECK(complains("prober: {port_map: {x: 1}}\n", "k.yaml:1: prober.port_map.x: is not a port"));
	CHECK(complains("prober: {port_map: {23: 0}}\n", "prober.port_map.23: does not name a port"));
	CHECK(complains("prober: {probes: {23: gopher}}\n", "prober.probes.23: no probe has that name"));
	CHECK(complains("prober: {connect_timeout: 3s}\n", "prober.connect_timeout"));
}
