#include "passive/room/ports/ports.h"
#include "base/log.h"
#include "passive/room/kernel/kernel.h"
#include "passive/room/ports/program.h"
#include "passive/room/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct ports_maps {
	int fds[PORTS_TABLES];
};

/* The rows that were given out, by persona. */
struct ports_rows {
	const struct persona *personas[PORTS_PERSONAS_MAX];
	struct ports_row *rows; /* PORTS_PERSONAS_MAX of them */
	uint32_t count;
	bool lacks; /* some device has not got a port that is offered */
};

static bool tables_open(struct ports_maps *m)
{
	*m = (struct ports_maps){{
		[PORTS_TABLE_STATES] = kernel_table_open(BPF_MAP_TYPE_ARRAY, 4, 1, PORTS_ALL, 0),
		[PORTS_TABLE_PREFIXES] = kernel_table_open(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct kernel_prefix),
							     sizeof(struct ports_devices), PASSIVE_DECOYS_MAX,
							     BPF_F_NO_PREALLOC),
		[PORTS_TABLE_ROWS] = kernel_table_open(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct ports_row),
							 PORTS_PERSONAS_MAX, 0),
		[PORTS_TABLE_KEY] = kernel_table_open(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0),
		[PORTS_TABLE_SOURCES] = kernel_table_open(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct ports_sources), 1,
							    BPF_F_MMAPABLE),
		[PORTS_TABLE_ANY] = kernel_table_open(BPF_MAP_TYPE_SOCKMAP, 4, 8, 2, 0),
	}};
	for (size_t i = 0; i < PORTS_TABLES; i++)
		if (m->fds[i] < 0)
			return false;
	return true;
}

static uint32_t place_of(const struct offered_port *o)
{
	return o->port + (o->transport == TRANSPORT_UDP ? PORTS_OF_ONE : 0);
}

/* Its number; PORTS_PERSONAS_MAX: there is no room for another. */
static uint32_t row_of(struct ports_rows *r, const struct settings *s, const struct persona *p)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (r->personas[i] == p)
			return i;
	if (r->count == PORTS_PERSONAS_MAX)
		return PORTS_PERSONAS_MAX;
	struct ports_row *row = &r->rows[r->count];
	r->personas[r->count] = p;
	for (size_t i = 0; i < s->port_count; i++) {
		const struct offered_port *o = &s->ports[i];
		const uint32_t place = place_of(o);
		if (o->service->hands_over)
			continue;
		if (port_played(o, p))
			row->bits[place / 8] |= (uint8_t)(1u << place % 8);
		else
			r->lacks = true;
	}
	return r->count++;
}

static struct ports_devices devices_of(struct ports_rows *r, const struct settings *s, const struct decoy *d)
{
	struct ports_devices devices = {.every_port = d->every_port};
	for (size_t k = 0; k < d->persona_count && d->persona_count <= PORTS_PERSONAS_MAX; k++) {
		uint32_t row = row_of(r, s, d->personas[k]);
		if (row == PORTS_PERSONAS_MAX)
			return (struct ports_devices){.every_port = d->every_port};
		devices.rows[k] = (uint8_t)row;
		devices.count = (uint32_t)k + 1;
	}
	return devices;
}

static int states_put(int table, const struct settings *s)
{
	const uint8_t offered = PORTS_OFFERED, hidden = PORTS_HIDDEN;
	int bad = 0;
	for (size_t i = 0; i < s->port_count && !bad; i++) {
		const uint32_t place = place_of(&s->ports[i]);
		bad = kernel_table_put(table, &place, s->ports[i].service->hands_over ? &hidden : &offered);
	}
	return bad;
}

static bool tables_fill(const struct ports_maps *m, const struct settings *s, struct ports_rows *r,
			const struct ports_any *any)
{
	const uint64_t key = passive_device_key(s), sockets[] = {(uint32_t)any->tcp, (uint32_t)any->udp};
	const uint32_t first = 0;
	int bad = kernel_table_put(m->fds[PORTS_TABLE_KEY], &first, &key);
	for (uint32_t which = 0; which < 2 && !bad && any->tcp >= 0 && any->udp >= 0; which++)
		bad = kernel_table_put(m->fds[PORTS_TABLE_ANY], &which, &sockets[which]);
	if (!bad)
		bad = states_put(m->fds[PORTS_TABLE_STATES], s);
	for (size_t i = 0; i < s->decoy_count && !bad; i++) {
		const struct kernel_prefix prefix = kernel_prefix_of(&s->decoys[i].prefix);
		const struct ports_devices devices = devices_of(r, s, &s->decoys[i]);
		bad = kernel_table_put(m->fds[PORTS_TABLE_PREFIXES], &prefix, &devices);
	}
	for (uint32_t i = 0; i < r->count && !bad; i++)
		bad = kernel_table_put(m->fds[PORTS_TABLE_ROWS], &i, &r->rows[i]);
	return !bad;
}

static int link_open(int program)
{
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	union bpf_attr a = {.link_create = {.prog_fd = (uint32_t)program,
					    .target_fd = (uint32_t)net,
					    .attach_type = BPF_SK_LOOKUP}};
	int link = net < 0 ? -1 : kernel_ask(BPF_LINK_CREATE, &a);
	if (net >= 0)
		close(net);
	return link;
}

/* The link stays open as long as the parent lives, and keeps the program and its tables. */
static bool program_start(const struct ports_maps *m)
{
	int program = kernel_program_load(&(struct kernel_program){.type = BPF_PROG_TYPE_SK_LOOKUP,
								    .attach = BPF_SK_LOOKUP,
								    .code = ports_lookup_code,
								    .count = sizeof ports_lookup_code / 8,
								    .tables = m->fds,
								    .table_count = PORTS_TABLES});
	int link = program < 0 ? -1 : link_open(program);
	if (program >= 0)
		close(program);
	return link >= 0;
}

int ports_open(const struct settings *s, const struct ports_any *any)
{
	struct ports_maps maps;
	struct ports_rows rows = {.rows = calloc(PORTS_PERSONAS_MAX, sizeof *rows.rows)};
	bool wanted = every_port_wanted(s);
	bool filled = tables_open(&maps) && rows.rows && tables_fill(&maps, s, &rows, any);
	bool started = filled && (wanted || rows.lacks) && program_start(&maps);
	if (!started && wanted)
		log_warning("passive.decoys: every_port: the other ports stay closed, %s; as root it could",
			    strerror(errno));
	else if (!started && (!filled || rows.lacks))
		log_info("passive: ports that one decoy has are reset at the others, not closed: %s; as root they "
			 "could be", strerror(errno));
	free(rows.rows);
	for (size_t i = 0; i < PORTS_TABLES; i++)
		if (maps.fds[i] >= 0 && !(started && i == PORTS_TABLE_SOURCES))
			close(maps.fds[i]);
	return started ? maps.fds[PORTS_TABLE_SOURCES] : -1;
}
