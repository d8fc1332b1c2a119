#include "control/policy.h"
#include "base/error.h"

#define LEASE_FORMAT 2

static const char *const basis_names[BASIS_COUNT] = {
	[BASIS_NONE] = "none",	   [BASIS_HANDSHAKE] = "handshake", [BASIS_COOKIE] = "cookie",
	[BASIS_SURVEY] = "survey", [BASIS_SAMPLE] = "sample",	    [BASIS_RECORD] = "record",
	[BASIS_OPERATOR] = "operator",
};

const char *basis_name(enum basis basis)
{
	return basis < BASIS_COUNT ? basis_names[basis] : basis_names[BASIS_NONE];
}

int basis_find(struct bytes name)
{
	for (int b = 0; b < BASIS_COUNT; b++)
		if (bytes_equal_text(name, basis_names[b]))
			return b;
	return ERR_MISSING;
}

/*
 *    | format u8 | id | cause | root (16 each) | depth u64 | target | from (16 each) |
 *    | tier u8 | basis u8 | packets u16 | not before u64 | expires u64 | trigger u64 |
 *    | count u8 | port u32 ... |
 */
void lease_write(const struct lease *l, struct writer *w)
{
	write_u8(w, LEASE_FORMAT);
	write_bytes(w, l->id.b, sizeof l->id.b);
	write_bytes(w, l->cause.b, sizeof l->cause.b);
	write_bytes(w, l->root.b, sizeof l->root.b);
	write_u64(w, l->depth);
	write_bytes(w, l->target.b, sizeof l->target.b);
	write_bytes(w, l->from.b, sizeof l->from.b);
	write_u8(w, l->tier);
	write_u8(w, l->basis);
	write_u16(w, l->packets_max);
	write_u64(w, l->not_before_us);
	write_u64(w, l->expires_us);
	write_u64(w, l->trigger_us);
	write_u8(w, l->port_count);
	for (uint8_t i = 0; i < l->port_count && i < LEASE_PORTS_MAX; i++)
		write_u32(w, l->ports[i]);
}

static void read_sixteen(struct reader *r, uint8_t out[16])
{
	struct bytes b = read_bytes(r, 16);
	if (b.len)
		memcpy(out, b.at, b.len);
}

bool lease_read(struct reader *r, struct lease *out)
{
	struct lease l = {0};
	if (read_u8(r) != LEASE_FORMAT)
		return false;
	read_sixteen(r, l.id.b);
	read_sixteen(r, l.cause.b);
	read_sixteen(r, l.root.b);
	l.depth = read_u64(r);
	read_sixteen(r, l.target.b);
	read_sixteen(r, l.from.b);
	l.tier = read_u8(r);
	l.basis = read_u8(r);
	l.packets_max = read_u16(r);
	l.not_before_us = read_u64(r);
	l.expires_us = read_u64(r);
	l.trigger_us = read_u64(r);
	l.port_count = read_u8(r);
	if (!reader_ok(r) || l.port_count == 0 || l.port_count > LEASE_PORTS_MAX)
		return false;
	bool whole = true;
	for (uint8_t i = 0; i < l.port_count; i++) {
		l.ports[i] = read_u32(r);
		whole &= port_is_valid(l.ports[i]);
	}
	whole &= reader_ok(r) && !id_is_zero(&l.id) && !address_is_zero(&l.target);
	if (!whole || l.basis == BASIS_NONE || l.basis >= BASIS_COUNT)
		return false;
	*out = l;
	return true;
}
