/* kansoku lookup: what imported tables say of addresses. */
#include "base/network_map.h"
#include "bus/parent.h"
#include "cli/command.h"
#include "event/event.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 256
#define TEXT_BYTES 8192

static int open_map(const struct arguments *a, struct network_map **map, struct fault *fault)
{
	static struct config config;
	char state[256], path[512];
	int bad = command_config(a, &config, fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(fault, ERR_BAD, "run.state: the path is too long");
	if (bad)
		return bad;
	snprintf(path, sizeof path, "%s/" NETWORK_MAP_FOLDER, state);
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bad = folder < 0 ? ERR_MISSING : network_map_open(map, folder, NETWORK_MAP_FILE, fault);
	if (folder >= 0)
		close(folder);
	return bad == ERR_MISSING ? fault_set(fault, bad, "no table of networks was imported yet; `kansoku import pfx2as FILE`, "
					      "delegated, geoip, mmdb or as2org would be right") : bad;
}

static void print_word(const char *name, const char *value)
{
	char room[TEXT_BYTES];
	struct writer w = writer_of(room, sizeof room - 1);
	if (!*value)
		return;
	write_json_string(&w, bytes_of_text(value));
	room[writer_used(&w)] = '\0';
	printf(",\"%s\":%s", name, room);
}

static bool print_place(const struct network_map *map, const char *text, bool json)
{
	struct address address;
	struct network_place place;
	if (!address_parse(bytes_of_text(text), &address)) {
		fprintf(stderr, "kansoku lookup: \"%s\" is no address\n", text);
		return false;
	}
	network_map_find(map, &address, &place);
	if (json) {
		printf("{\"address\":\"%s\"", text);
		if (place.as)
			printf(",\"as\":%u", place.as);
		print_word("as_name", place.as_name);
		print_word("country", place.country);
		print_word("name", place.name);
		print_word("labels", place.labels);
		puts("}");
		return true;
	}
	printf("%-39s %-2s  AS%-10u %s%s%s%s%s\n", text, *place.country ? place.country : "--", place.as,
	       *place.as_name ? place.as_name : place.name, *place.as_name && *place.name ? ", " : "",
	       *place.as_name ? place.name : "", *place.labels ? "  " : "", place.labels);
	return true;
}

static bool print_lines(const struct network_map *map, bool json)
{
	char line[LINE_BYTES];
	bool ok = true;
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\r\n")] = '\0';
		ok = (!*line || print_place(map, line, json)) && ok;
	}
	return ok;
}

static int run(const struct arguments *a)
{
	struct network_map *map;
	struct fault fault = {0};
	bool ok = true, json = arguments_flag(a, "json") != NULL;
	if (open_map(a, &map, &fault))
		return command_fail(1, "lookup: %s", fault.text);
	for (size_t i = 0; i < arguments_count(a); i++)
		ok = (strcmp(arguments_word(a, i), "-") ? print_place(map, arguments_word(a, i), json) : print_lines(map, json)) && ok;
	network_map_close(map);
	return ok ? 0 : 1;
}

static const struct command lookup_command = {
	.name = "lookup",
	.synopsis = "ADDRESS... [--json]",
	.summary = "say where addresses are, whose, and what lists know them",
	.description = "From the tables that were imported: pfx2as, as2org, delegated, geoip, mmdb, and lists that name\n"
		       "networks. Works with and without a running kansoku. \"-\" reads addresses from standard input, a line\n"
		       "each.",
	.words_min = 1,
	.words_max = 1024,
	.run = run,
};
COMMAND(lookup_command);
