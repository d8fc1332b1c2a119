/* kansoku reset: devices that attackers changed are as new again. */
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/command.h"

#define WAIT_MS 60000

static bool take_count(void *arg, struct bytes part)
{
	struct reader r = reader_of_bytes(part);
	uint64_t n = read_u64(&r);
	if (reader_ok(&r))
		*(uint64_t *)arg = n;
	return true;
}

static int address_flag(const struct arguments *a, const char *name, struct address *out, struct fault *fault)
{
	const char *text = arguments_flag(a, name);
	if (!text || address_parse(bytes_of_text(text), out))
		return 0;
	return fault_set(fault, ERR_BAD, "reset: --%s: %.60s is no address", name, text);
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct address source = {0}, decoy = {0};
	struct fault fault = {0};
	char state[256];
	uint8_t wire[32];
	uint64_t count = 0;
	if (address_flag(a, "source", &source, &fault) || address_flag(a, "decoy", &decoy, &fault))
		return command_fail(2, "%s", fault.text);
	if (!arguments_flag(a, "source") && !arguments_flag(a, "decoy") && !arguments_flag(a, "all"))
		return command_fail(2, "reset: --source ADDRESS, --decoy ADDRESS, both, or --all");
	struct writer w = writer_of(wire, sizeof wire);
	write_bytes(&w, source.b, sizeof source.b);
	write_bytes(&w, decoy.b, sizeof decoy.b);
	int bad = command_config(a, &config, &fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(&fault, ERR_BAD, "run.state: the path is too long");
	if (!bad)
		bad = client_request(state, "control", "device.reset", writer_bytes(&w), take_count, &count, WAIT_MS,
				     &fault);
	if (bad)
		return command_fail(1, "%s", fault.text);
	if (arguments_flag(a, "json"))
		printf("{\"reset\":%llu}\n", (unsigned long long)count);
	else
		printf("%llu %s as new\n", (unsigned long long)count, count == 1 ? "device is" : "devices are");
	return 0;
}

static const struct flag reset_flags[] = {
	{"source", "ADDRESS", "those that this attacker changed"},
	{"decoy", "ADDRESS", "those at this address of ours"},
	{"all", NULL, "all of them"},
	{0},
};

static const struct command reset_command = {
	.name = "reset",
	.synopsis = "[--source ADDRESS] [--decoy ADDRESS] [--all]",
	.summary = "make devices that attackers changed as new",
	.description =
		"An attacker who comes back to a decoy finds the files that it left there, for as long as\n"
		"passive.devices.keep says. This forgets them at once, also for sessions that are open. Events\n"
		"and captured files stay (see kansoku erase). kansoku must be running.",
	.flags = reset_flags,
	.run = run,
};
COMMAND(reset_command);
