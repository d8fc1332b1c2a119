/*
 * Of an address: where it is, whose, and what lists say of it.
 *
 * A map is one file that is made once and only read (mapped into memory), by any process; who makes it
 * (the exchange, from tables of others) puts a new one in its place.  Looking up is a binary search among
 * the ranges that begin in the same /18, for IPv6 among all.
 *
 * The file, little-endian:  "kansoku networks 1\n", padded to 32 bytes; five u64: entries, IPv4 ranges, IPv6
 * ranges, ASes, bytes of text; then
 *
 *   entry      as u32, country 2 bytes, 2 zero, name u32, labels u32 (offsets into the text)
 *   IPv4       first addresses u32 each, then their entries u32 each; a range ends where the next begins
 *   IPv6       first addresses 16 bytes each, then their entries u32 each
 *   AS         numbers u32 each, sorted, then names u32 each, then countries 4 bytes each
 *   text       NUL-terminated; offset 0 is empty
 *
 * Entry 0 is "nothing is known".  Every offset is checked once, at opening.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

/* Below the state directory; the exchange's own, and anybody's to read. */
#define NETWORK_MAP_FOLDER "networks"
#define NETWORK_MAP_FILE "map"
#define NETWORK_MAP_MAX (UINT64_C(2) << 30)

struct network_map;

/* Makes the folder, readable by all, where it is not there; its path into `path`.  ERR_SYSTEM, ERR_BAD: too long. */
int network_map_folder(const char *state, char *path, size_t room);

struct network_place { /* texts live as long as the map; empty: not known */
	uint32_t as;
	const char *as_name;
	char country[3];
	const char *name;   /* of the network, where a table has one */
	const char *labels; /* words, separated by spaces */
};

/* ERR_MISSING: there is none; ERR_BAD: it is damaged. */
int network_map_open(struct network_map **, int directory, const char *name, struct fault *);
void network_map_close(struct network_map *);
bool network_map_changed(const struct network_map *, int directory, const char *name); /* another file is there now */
/* False: nothing is known, and the place is empty. */
bool network_map_find(const struct network_map *, const struct address *, struct network_place *);
const char *network_map_as(const struct network_map *, uint32_t as, char country[3]); /* "": not known */

/* Makes one; every part is copied when it is added. */
struct network_map_maker;
struct network_map_maker *network_map_maker_new(void); /* NULL: no memory */
void network_map_maker_free(struct network_map_maker *);
/* One entry's number, for as many ranges as have the same; 0 is nothing. */
int network_map_entry(struct network_map_maker *, uint32_t as, const char country[3], struct bytes name, struct bytes labels,
		      uint32_t *out);
/* From this address on; within a family in ascending order. */
int network_map_add(struct network_map_maker *, const struct address *first, uint32_t entry);
int network_map_add_as(struct network_map_maker *, uint32_t as, struct bytes name, const char country[3]); /* ascending */
int network_map_write(struct network_map_maker *, int fd, struct fault *);
