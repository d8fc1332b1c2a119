/*
 * MaxMind's DB format: countries, AS numbers and names by network, as GeoLite2, db-ip, IPinfo and others have
 * them, nested (country.iso_code) or flat (country, asn "AS15169").
 *
 * The tree is walked from its root.  A sound one has each node once but for the aliases that IPv6 trees have of
 * IPv4; one that has more is a loop and is refused.
 */
#include "share/format.h"
#include "share/networks/ranges_inner.h"
#include <maxminddb.h>
#include <stdio.h>

#define TEXT_MAX 400

struct walk {
	struct intake *in;
	MMDB_s db;
	bool v6;
	uint64_t visits, visits_max;
	bool damaged;
};

static struct bytes text_at(MMDB_entry_s *entry, const char *const *path)
{
	MMDB_entry_data_s data;
	if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING)
		return (struct bytes){0};
	return (struct bytes){(const uint8_t *)data.utf8_string, data.data_size};
}

static uint32_t number_of(struct bytes text)
{
	uint64_t n = 0;
	size_t i = bytes_start_with(text, "AS") ? 2 : 0;
	for (; i < text.len && n <= UINT32_MAX; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return 0;
		n = 10 * n + (uint64_t)(text.at[i] - '0');
	}
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static uint32_t as_at(MMDB_entry_s *entry)
{
	static const char *const number[] = {"autonomous_system_number", NULL}, *const text[] = {"asn", NULL};
	MMDB_entry_data_s data;
	if (MMDB_aget_value(entry, &data, number) == MMDB_SUCCESS && data.has_data && data.type == MMDB_DATA_TYPE_UINT32)
		return data.uint32;
	if (MMDB_aget_value(entry, &data, text) == MMDB_SUCCESS && data.has_data && data.type == MMDB_DATA_TYPE_UINT32)
		return data.uint32;
	return number_of(text_at(entry, text));
}

static struct bytes first_text(MMDB_entry_s *entry, const char *const paths[][4])
{
	for (; paths[0][0]; paths++) {
		struct bytes text = text_at(entry, paths[0]);
		if (text.len)
			return text;
	}
	return (struct bytes){0};
}

static void take(struct walk *w, MMDB_entry_s *entry, const uint8_t address[16], unsigned bits)
{
	static const char *const countries[][4] = {{"country", "iso_code", NULL}, {"country_code", NULL}, {"country", NULL},
						   {"registered_country", "iso_code", NULL}, {NULL}};
	static const char *const names[][4] = {{"autonomous_system_organization", NULL}, {"as_name", NULL}, {"name", NULL},
					       {"isp", NULL}, {"organization", NULL}, {NULL}};
	static const uint8_t zeros[12];
	struct network n = {.as = as_at(entry), .name = first_text(entry, names)};
	country_read(first_text(entry, countries), n.country);
	n.name.len = n.name.len < TEXT_MAX ? n.name.len : TEXT_MAX;
	if (!w->v6 || (bits >= 96 && !memcmp(address, zeros, sizeof zeros))) {
		const uint8_t *b = w->v6 ? address + 12 : address;
		n.first = address_v4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
		network_of_prefix(&n, w->v6 ? bits - 96 : bits);
	} else {
		memcpy(n.first.b, address, sizeof n.first.b);
		network_of_prefix(&n, bits);
	}
	if (n.as || *n.country || n.name.len)
		intake_network(w->in, &n);
}

/* ::ffff:0:0/96, 2002::/16 and the like lead to the tree of IPv4 again. */
static bool is_alias(const struct walk *w, uint64_t node, const uint8_t address[16], unsigned bits)
{
	static const uint8_t zeros[12];
	return w->v6 && node == w->db.ipv4_start_node.node_value && w->db.ipv4_start_node.netmask == 96 &&
	       !(bits == 96 && !memcmp(address, zeros, sizeof zeros));
}

static void descend(struct walk *w, uint64_t node, uint8_t address[16], unsigned bits);

static void follow(struct walk *w, uint64_t record, uint8_t type, MMDB_entry_s *entry, uint8_t address[16], unsigned bits)
{
	if (type == MMDB_RECORD_TYPE_SEARCH_NODE && !is_alias(w, record, address, bits))
		descend(w, record, address, bits);
	else if (type == MMDB_RECORD_TYPE_DATA)
		take(w, entry, address, bits);
	else if (type == MMDB_RECORD_TYPE_INVALID)
		w->damaged = true;
}

static void descend(struct walk *w, uint64_t node, uint8_t address[16], unsigned bits)
{
	MMDB_search_node_s n;
	if (w->damaged || bits == (w->v6 ? 128u : 32u) || w->visits++ > w->visits_max ||
	    MMDB_read_node(&w->db, (uint32_t)node, &n) != MMDB_SUCCESS) {
		w->damaged = true;
		return;
	}
	follow(w, n.left_record, n.left_record_type, &n.left_record_entry, address, bits + 1);
	address[bits / 8] |= (uint8_t)(0x80 >> bits % 8);
	follow(w, n.right_record, n.right_record_type, &n.right_record_entry, address, bits + 1);
	address[bits / 8] &= (uint8_t) ~(0x80 >> bits % 8);
}

static void file(struct intake *in, int fd)
{
	char path[64];
	uint8_t address[16] = {0};
	struct walk w = {.in = in};
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int bad = MMDB_open(path, MMDB_MODE_MMAP, &w.db);
	if (bad != MMDB_SUCCESS) {
		intake_bad(in, "it is no MMDB: %s", MMDB_strerror(bad));
		return;
	}
	w.v6 = w.db.metadata.ip_version == 6;
	w.visits_max = w.db.metadata.node_count;
	descend(&w, 0, address, 0);
	if (w.damaged)
		intake_bad(in, "its tree is damaged, or leads back into itself");
	MMDB_close(&w.db);
}

static const struct format_specimen specimens[] = {
	{"what is none", BYTES("\xab\xcd\xefMaxMind.com and no more"), "bad it is no MMDB\n"},
	{0},
};

static const struct format mmdb = {
	.name = "mmdb",
	.summary = "countries, AS numbers and names by network",
	.reference = "MaxMind DB File Format Specification 2.0",
	.shape = FORMAT_FILE,
	.file = file,
	.specimens = specimens,
};
FORMAT(mmdb);
