/* kansoku demo: a small hostile Internet on 127.20.0.0/16. */
#include "bus/parent.h"
#include "cli/command.h"
#include "cli/demo/demo.h"
#include "cli/demo/devices.h"

#define SECONDS_MAX 3600

static int read_number(const struct arguments *a, const char *flag, uint64_t absent, uint64_t max,
		       uint64_t *out, struct fault *fault)
{
	const char *text = arguments_flag(a, flag);
	*out = absent;
	if (text && (!bytes_number(bytes_of_text(text), max, out) || !*out))
		return fault_set(fault, ERR_BAD, "--%s: \"%s\" is no number from 1 to %llu", flag, text,
				 (unsigned long long)max);
	return 0;
}

static int read_decoy(const struct arguments *a, struct demo_options *o, struct fault *fault)
{
	static const struct prefix loopback = {
		{{[10] = 0xff, [11] = 0xff, [12] = 127}}, 104};
	const char *text = arguments_flag(a, "decoy");
	struct bytes all = bytes_of_text(text ? text : "127.20.1.1:2323");
	size_t colon = bytes_find(all, ":");
	uint64_t port;
	if (colon == all.len || !address_parse((struct bytes){all.at, colon}, &o->decoy) ||
	    !bytes_number((struct bytes){all.at + colon + 1, all.len - colon - 1}, 65535, &port) || !port)
		return fault_set(fault, ERR_BAD, "--decoy: \"%s\" is no ADDRESS:PORT such as 127.20.1.1:2323",
				 text);
	if (!prefix_holds(&loopback, &o->decoy))
		return fault_set(fault, ERR_DENIED, "--decoy: %s is not on 127.0.0.0/8, where the demo stays",
				 text);
	o->decoy_port = (uint16_t)port;
	return 0;
}

static int read_options(const struct arguments *a, struct demo_options *o, struct fault *fault)
{
	static struct config config;
	static char state[256];
	uint64_t telnet, web, seconds;
	int bad = read_decoy(a, o, fault);
	if (!bad)
		bad = read_number(a, "telnet-port", 2424, 65535, &telnet, fault);
	if (!bad)
		bad = read_number(a, "web-port", 8081, 65535, &web, fault);
	if (!bad)
		bad = read_number(a, "seconds", 60, SECONDS_MAX, &seconds, fault);
	if (bad)
		return bad;
	o->telnet_port = (uint16_t)telnet;
	o->web_port = (uint16_t)web;
	o->ms_max = seconds * 1000;
	o->json = arguments_flag(a, "json") != NULL;
	if (!command_config(a, &config, fault) && !run_state_path(&config, state, sizeof state))
		o->state = state;
	else
		bad = ERR_BAD;
	return bad;
}

static int run(const struct arguments *a)
{
	struct demo_options options = {0};
	struct demo_result result = {0};
	struct fault fault = {0};
	int bad = read_options(a, &options, &fault);
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "demo: %s", fault.text);
	if (demo_run(&options, &result, &fault))
		return command_fail(1, "demo: %s", fault.text);
	if (options.json)
		printf("{\"what\":\"end\",\"devices\":%d,\"attacked\":%u,\"looked\":%u,"
		       "\"identified\":%u,\"returned\":%u}\n",
		       DEMO_DEVICES, result.attacked, result.looked, result.identified, result.returned);
	else
		printf("\nOf %d devices %u attacked, %u were looked at, %u were identified and %u came again.\n"
		       "`kansoku report devices` prints the table, `kansoku report loop` the decisions.\n",
		       DEMO_DEVICES, result.attacked, result.looked, result.identified, result.returned);
	if (!result.looked)
		return command_fail(1, "demo: kansoku looked at nobody: its configuration needs an "
				       "operator's contact, 127.20.0.0/16 in active.scope (special: allow), and "
				       "a rule that probes ports %u and %u", options.telnet_port,
				    options.web_port);
	return 0;
}

static const struct flag demo_flags[] = {
	{"decoy", "ADDRESS:PORT", "where the first device attacks, the others at the next addresses; "
				  "default 127.20.1.1:2323"},
	{"telnet-port", "PORT", "where the devices answer telnet; default 2424"},
	{"web-port", "PORT", "where the devices answer HTTP; default 8081"},
	{"seconds", "N", "end after so long at the latest; default 60"},
	{0},
};

static const struct command demo_command = {
	.name = "demo",
	.synopsis = "[--decoy ADDRESS:PORT] [--telnet-port PORT] [--web-port PORT] [--seconds N] [--json]",
	.summary = "let a dozen devices on 127.20.0.0/16 attack, be looked at, and come again",
	.description = "Shows the loop with nobody else involved: twelve devices, as they attacked in the\n"
		       "trial of 2015, log in to the running kansoku's decoys from 127.20.0.1 to 127.20.0.12,\n"
		       "answer on the same addresses when it looks at them, and come again, to meet what it\n"
		       "then shows them. Nothing leaves the loopback interface; no rights are needed.",
	.flags = demo_flags,
	.run = run,
};
COMMAND(demo_command);
