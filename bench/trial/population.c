#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/trial/people.h"
#include "bench/trial/table.h"

enum { SOURCES = 180581, INTRUDERS = 130314, NETWORK = 11u << 24, BLOCKS = 256 };

static uint8_t bot_draw(const struct bots *bots, bool visitor, struct chance *chance)
{
	uint32_t total = 0;
	uint32_t draw;
	size_t i;

	for (i = 0; i < bots->count; i++)
		total += bots->at[i].visitor == visitor ? bots->at[i].weight : 0;
	draw = chance_below(chance, total);
	for (i = 0; i < bots->count; i++) {
		if (bots->at[i].visitor != visitor)
			continue;
		if (draw < bots->at[i].weight)
			break;
		draw -= bots->at[i].weight;
	}
	return (uint8_t)i;
}

static void sources_shuffle(struct source *at, size_t count, struct chance *chance)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = chance_below(chance, (uint32_t)i);
		struct source swap = at[i - 1];

		at[i - 1] = at[j];
		at[j] = swap;
	}
}

/* Each pair of what 23 and 80 do gets whole /16 networks, so a handful of rules covers them. The
 * shares follow the sources, and each pair gets at least one. */
static void blocks_share(struct population *p)
{
	size_t members[REACH_COUNT][REACH_COUNT] = {0};
	size_t given = 0;

	for (size_t i = 0; i < p->count; i++)
		members[p->at[i].reach[PORT_TELNET]][p->at[i].reach[PORT_HTTP]]++;
	for (int t = 0; t < REACH_COUNT; t++)
		for (int h = 0; h < REACH_COUNT; h++) {
			size_t spare = BLOCKS - REACH_COUNT * REACH_COUNT;

			p->blocks[t][h] = 1 + spare * members[t][h] / p->count;
			given += p->blocks[t][h];
		}
	p->blocks[REACH_CLOSED][REACH_CLOSED] += BLOCKS - given;
}

static size_t block_first(const struct population *p, int telnet, int http)
{
	size_t first = 0;

	for (int t = 0; t < REACH_COUNT; t++)
		for (int h = 0; h < REACH_COUNT; h++) {
			if (t == telnet && h == http)
				return first;
			first += p->blocks[t][h];
		}
	return first;
}

/* Walks the /24 networks of the source's blocks in a scattered order, one host in each per round:
 * neighbours are rare, as kansoku looks at one host of a /24 at a time. */
static void addresses_deal(struct population *p)
{
	size_t used[REACH_COUNT][REACH_COUNT] = {0};

	for (size_t i = 0; i < p->count; i++) {
		struct source *s = &p->at[i];
		int t = s->reach[PORT_TELNET];
		int h = s->reach[PORT_HTTP];
		size_t networks = p->blocks[t][h] * 256;
		size_t turn = used[t][h]++;
		size_t network = block_first(p, t, h) * 256 + (turn * 7919) % networks;
		size_t host = 1 + (turn / networks * 53 + network) % 254;

		s->address = NETWORK | (uint32_t)(network << 8) | (uint32_t)host;
	}
}

static uint32_t address_hash(uint32_t address)
{
	return (address * 2654435761u) >> 7;
}

static void index_make(struct population *p)
{
	size_t size = 1024;

	while (size < p->count * 3)
		size *= 2;
	p->index_mask = size - 1;
	p->index = text_room(size, sizeof(*p->index));
	for (size_t i = 0; i < p->count; i++) {
		size_t at = address_hash(p->at[i].address) & p->index_mask;

		while (p->index[at])
			at = (at + 1) & p->index_mask;
		p->index[at] = (uint32_t)i + 1;
	}
}

struct source *population_find(const struct population *p, uint32_t address)
{
	size_t at = address_hash(address) & p->index_mask;

	for (; p->index[at]; at = (at + 1) & p->index_mask)
		if (p->at[p->index[at] - 1].address == address)
			return &p->at[p->index[at] - 1];
	return NULL;
}

/* Devices first, then the other intruders, then those who never get in. */
static void people_make(struct population *p, struct chance *chance)
{
	struct table_hosts hosts = {0};
	struct answers devices = {.at = p->answers.at, .count = p->device_model_count};
	size_t intruders = (size_t)lround(INTRUDERS * p->wish.scale);
	size_t wanted;
	char path[512];

	snprintf(path, sizeof(path), "%s/table1.tsv", p->wish.folder);
	table_read(&hosts, path, &devices);
	for (size_t i = hosts.count; i > 1; i--) {
		size_t j = chance_below(chance, (uint32_t)i);
		int32_t swap = hosts.model[i - 1];

		hosts.model[i - 1] = hosts.model[j];
		hosts.model[j] = swap;
	}
	wanted = p->wish.each_model ? p->device_model_count
	                            : (size_t)lround((double)hosts.count * p->wish.scale);
	if (intruders < wanted * 2)
		intruders = wanted * 2;
	if (p->count < intruders)
		p->count = intruders + intruders / 3;
	p->at = mmap(NULL, p->count * sizeof(*p->at), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < p->count; i++) {
		struct source *s = &p->at[i];

		s->intruder = i < intruders;
		if (i < wanted)
			person_make_device(p, s, p->wish.each_model ? (int32_t)i : hosts.model[i],
			                   chance);
		else
			person_make_other(p, s, chance);
		s->visits = 1 + (uint8_t)chance_percent(chance, 10);
	}
	if (p->wish.unkind)
		people_twist(p, wanted, intruders, chance);
	for (size_t i = 0; i < p->count; i++)
		p->at[i].bot = bot_draw(&p->bots, !p->at[i].intruder, chance);
}

void population_make(struct population *p, const struct wish *wish)
{
	struct chance chance = {.state = wish->seed};
	char path[512];

	*p = (struct population){.wish = *wish};
	p->count = (size_t)lround(SOURCES * wish->scale);
	p->half_way = mmap(NULL, sizeof(*p->half_way), PROT_READ | PROT_WRITE,
	                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof(path), "%s/devices", wish->folder);
	answers_read(&p->answers, path);
	p->device_model_count = p->answers.count;
	snprintf(path, sizeof(path), "%s/others", wish->folder);
	answers_read(&p->answers, path);
	snprintf(path, sizeof(path), "%s/bots", wish->folder);
	bots_read(&p->bots, path);
	people_make(p, &chance);
	sources_shuffle(p->at, p->count, &chance);
	blocks_share(p);
	addresses_deal(p);
	index_make(p);
}

static void print_set(const struct population *p, FILE *out, int port, enum reach reach)
{
	const char *between = "";

	fprintf(out,
	        "\tset %s%d {\n\t\ttype ipv4_addr; flags interval; auto-merge\n\t\telements = {",
	        reach == REACH_CLOSED ? "closed" : "silent", port == PORT_TELNET ? 23 : 80);
	for (int t = 0; t < REACH_COUNT; t++)
		for (int h = 0; h < REACH_COUNT; h++) {
			size_t first = block_first(p, t, h);

			if ((port == PORT_TELNET ? t : h) != (int)reach)
				continue;
			fprintf(out, "%s 11.%zu.0.0-11.%zu.255.255", between, first,
			        first + p->blocks[t][h] - 1);
			between = ",";
		}
	fprintf(out, " }\n\t}\n");
}

void population_print_rules(const struct population *p, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out) {
		fprintf(stderr, "world: %s: %m\n", path);
		exit(1);
	}
	fprintf(out, "table inet world {\n");
	for (int port = 0; port < PORT_COUNT; port++)
		for (int reach = REACH_CLOSED; reach <= REACH_SILENT; reach++)
			print_set(p, out, port, (enum reach)reach);
	fprintf(out, "\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n"
	             "\t\ttcp dport 23 ip daddr @closed23 counter reject with tcp reset\n"
	             "\t\ttcp dport 23 ip daddr @silent23 counter drop\n"
	             "\t\ttcp dport 80 ip daddr @closed80 counter reject with tcp reset\n"
	             "\t\ttcp dport 80 ip daddr @silent80 counter drop\n\t}\n}\n");
	fclose(out);
}

static void print_source(const struct population *p, const struct source *s, FILE *out)
{
	static const char *const reaches[] = {"open", "closed", "silent"};
	static const struct answer nothing = {.class = "-", .vendor = "-", .product = "-"};
	const struct answer *a = s->device < 0 ? &nothing : &p->answers.at[s->device];

	fprintf(out, "%u.%u.%u.%u\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n",
	        s->address >> 24, s->address >> 16 & 255, s->address >> 8 & 255, s->address & 255,
	        s->intruder, a->class, a->vendor, a->product, twist_names[s->twist],
	        reaches[s->reach[PORT_TELNET]], reaches[s->reach[PORT_HTTP]],
	        p->bots.at[s->bot].name, s->done, s->logged_in, s->looked[PORT_TELNET],
	        s->looked[PORT_HTTP]);
}

void population_print_truth(const struct population *p, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out) {
		fprintf(stderr, "world: %s: %m\n", path);
		exit(1);
	}
	fprintf(out, "#address\tintruder\tclass\tvendor\tproduct\ttwist\ttelnet\thttp\tbot\tdone\t"
	             "logged_in\tlooked_telnet\tlooked_http\n");
	for (size_t i = 0; i < p->count; i++)
		print_source(p, &p->at[i], out);
	fclose(out);
}
