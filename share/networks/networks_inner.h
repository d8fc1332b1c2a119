/*
 * Tables of networks: what formats hand in by intake_network() and intake_as() is kept, a file per format and
 * source, and all of them together are compiled into the map that every process looks addresses up in
 * (base/network_map.h).  Where two tables speak of one address the narrower range holds within a table, and
 * between tables the one that was imported later, for each of AS, country and name by itself; labels are
 * put together.
 *
 * They lie in NETWORK_MAP_FOLDER, and the map as NETWORK_MAP_FILE beside them.
 */
#pragma once
#include "base/error.h"
#include "base/network_map.h"
#include "share/format.h"

#define NETWORKS_TABLES_MAX 64
#define NETWORKS_ROWS_MAX 16000000

struct networks_table;

int networks_table_open(struct networks_table **, int folder, const char *format, const char *source, struct fault *);
/* What cannot be written is said at the end. */
void networks_table_add(struct networks_table *, const struct network *);
void networks_table_add_as(struct networks_table *, uint32_t as, struct bytes name, const char *country);
/* In the place of the one before of that format and source. */
int networks_table_keep(struct networks_table *, struct fault *);
void networks_table_drop(struct networks_table *);

/* All tables of the folder into its map: seconds of work; touches nothing but files. */
int networks_compile(int folder, struct fault *);

/* The map of a running exchange: made anew in a thread when a table came in, then used by everybody. */
struct networks;
struct process;

int networks_open(struct networks **, struct process *, struct fault *);
int networks_folder(const struct networks *);
void networks_changed(struct networks *);                            /* a table was kept */
const struct network_map *networks_map(const struct networks *);    /* NULL: there is none */
void networks_close(struct networks *); /* waits for the thread */
