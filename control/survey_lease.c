/* How a survey's permission travels; control/policy.h says what goes over the bus and when. */
#include "base/prefix_pieces.h"
#include "control/policy.h"
#include <stdlib.h>

#define SURVEY_FORMAT 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define WHY_MAX 200

struct survey_grant {
	struct survey_lease lease;
	struct prefix_set targets, excluded;
	struct prefix_pieces targets_come, excluded_come;
	bool has_lease, has_targets, has_excluded, stopped;
	uint64_t revision;
	char why[WHY_MAX];
};

void survey_lease_write(const struct survey_lease *l, struct writer *w)
{
	const size_t name_len = strlen(l->name);
	write_u8(w, SURVEY_FORMAT);
	write_bytes(w, l->id.b, sizeof l->id.b);
	write_u8(w, (uint8_t)name_len);
	write_text(w, l->name);
	for (size_t i = 0; i < 2; i++)
		write_bytes(w, l->from[i].b, sizeof l->from[i].b);
	write_u64(w, l->seed);
	write_u64(w, l->round);
	write_u64(w, l->rate);
	write_u64(w, l->packets_max);
	write_u64(w, l->begins_us);
	write_u64(w, l->expires_us);
	write_u8(w, l->tier);
	write_u8(w, l->looks);
	write_u8(w, l->port_count);
	for (uint8_t i = 0; i < l->port_count && i < SURVEY_PORTS_MAX; i++) {
		write_u16(w, l->ports[i].port);
		write_u8(w, l->ports[i].protocol);
	}
}

static void read_sixteen(struct reader *r, uint8_t out[16])
{
	struct bytes b = read_bytes(r, 16);
	if (b.len)
		memcpy(out, b.at, b.len);
}

static bool ports_read(struct reader *r, struct survey_lease *l)
{
	l->port_count = read_u8(r);
	if (l->port_count == 0 || l->port_count > SURVEY_PORTS_MAX)
		return false;
	bool good = true;
	for (uint8_t i = 0; i < l->port_count; i++) {
		const uint16_t port = read_u16(r);
		const uint8_t protocol = read_u8(r);
		l->ports[i] = (struct survey_port){port, protocol};
		good &= port != 0 && (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP);
	}
	return good && reader_ok(r);
}

bool survey_lease_read(struct reader *r, struct survey_lease *out)
{
	struct survey_lease l = {0};
	if (read_u8(r) != SURVEY_FORMAT)
		return false;
	read_sixteen(r, l.id.b);
	if (!bytes_copy_text(read_bytes(r, read_u8(r)), l.name, sizeof l.name))
		return false;
	for (size_t i = 0; i < 2; i++)
		read_sixteen(r, l.from[i].b);
	l.seed = read_u64(r);
	l.round = read_u64(r);
	l.rate = read_u64(r);
	l.packets_max = read_u64(r);
	l.begins_us = read_u64(r);
	l.expires_us = read_u64(r);
	l.tier = read_u8(r);
	const uint8_t looks = read_u8(r);
	l.looks = looks == 1;
	if (!reader_ok(r) || looks > 1 || !l.rate || !l.packets_max || l.expires_us <= l.begins_us || !l.name[0] ||
	    id_is_zero(&l.id) || !ports_read(r, &l))
		return false;
	*out = l;
	return true;
}

void survey_progress_write(const struct survey_progress *p, struct writer *w)
{
	write_bytes(w, p->id.b, sizeof p->id.b);
	write_u64(w, p->packets);
	write_u64(w, p->hits);
	write_u64(w, p->drops);
	write_u8(w, p->done);
}

bool survey_progress_read(struct reader *r, struct survey_progress *out)
{
	struct survey_progress p = {0};
	read_sixteen(r, p.id.b);
	p.packets = read_u64(r);
	p.hits = read_u64(r);
	p.drops = read_u64(r);
	p.done = read_u8(r) != 0;
	if (!reader_ok(r))
		return false;
	*out = p;
	return true;
}

int survey_grant_open(struct survey_grant **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : ERR_MEMORY;
}

void survey_grant_close(struct survey_grant *g)
{
	if (!g)
		return;
	prefix_set_done(&g->targets);
	prefix_set_done(&g->excluded);
	prefix_pieces_done(&g->targets_come);
	prefix_pieces_done(&g->excluded_come);
	free(g);
}

static int read_keep(struct survey_grant *g, struct reader *r)
{
	const uint8_t goes_on = read_u8(r);
	if (!reader_ok(r) || goes_on > 1)
		return ERR_BAD;
	const struct bytes why = read_rest(r);
	bytes_copy_text(why, g->why, sizeof g->why);
	g->stopped |= !goes_on; /* a lease that ended does not come back: another is asked for */
	return 1;
}

int survey_grant_read(struct survey_grant *g, struct bytes part)
{
	struct reader r = reader_of_bytes(part);
	const enum survey_part kind = read_u8(&r);
	int whole = ERR_BAD;
	switch (kind) {
	case SURVEY_PART_LEASE:
		if (!survey_lease_read(&r, &g->lease) || reader_left(&r))
			return ERR_BAD;
		g->has_lease = true;
		return 1;
	case SURVEY_PART_TARGETS:
		whole = prefix_pieces_read(&g->targets_come, read_rest(&r), &g->targets);
		g->has_targets |= whole == 1;
		break;
	case SURVEY_PART_EXCLUDED:
		whole = prefix_pieces_read(&g->excluded_come, read_rest(&r), &g->excluded);
		g->has_excluded |= whole == 1;
		g->revision += whole == 1;
		break;
	case SURVEY_PART_KEEP:
		return read_keep(g, &r);
	}
	return whole;
}

bool survey_grant_is_whole(const struct survey_grant *g) { return g->has_lease && g->has_targets && g->has_excluded; }
const struct survey_lease *survey_grant_lease(const struct survey_grant *g) { return &g->lease; }
const struct prefix_set *survey_grant_targets(const struct survey_grant *g) { return &g->targets; }
const struct prefix_set *survey_grant_excluded(const struct survey_grant *g) { return &g->excluded; }
uint64_t survey_grant_revision(const struct survey_grant *g) { return g->revision; }

bool survey_grant_goes_on(const struct survey_grant *g, const char **why)
{
	*why = g->why;
	return !g->stopped;
}
