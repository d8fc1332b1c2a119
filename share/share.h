/*
 * The exchange's room, for everybody else: how a file is handed to a running kansoku, and how one is
 * read without one.
 *
 * Topic "exchange.import" of the role "exchange", open to guests; a payload is a u64 and a u8, then
 *
 *   0, IMPORT_BEGIN   "FORMAT\nSOURCE\nTLP\nPAP\nMAP\nFILE" (all but the first may be empty, the last two left
 *                     out: names of columns, the file's own name); answered with the import's u64
 *   id, IMPORT_PART   up to IMPORT_PART_MAX bytes; answered, when there is room for more, with nothing
 *   id, IMPORT_END    answered with one JSON object: what was counted, the first complaints
 *
 * An answer other than 0 has a sentence; what came before it stands, and the import is over.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"
#include "base/options.h"
#include "share/format.h"

#define TOPIC_EXPORT "exchange.export"
/*
 * Topic "exchange.export", open to guests: {"format", "collection", "from", "to", "organisation", "policy", "tlp", "count",
 * "made", "action"}, all but the first two may be left out; or {"line": N}, an export of the audit again.  Answered with parts: a u8 of enum export_part, and behind it
 * bytes of the export, or at last one JSON object that says what it is, with what it takes to ask for it again.
 */
enum export_part { EXPORT_BYTES, EXPORT_END };

#define TOPIC_IMPORT "exchange.import"
#define IMPORT_PART_MAX (512u << 10)

enum import_step { IMPORT_BEGIN, IMPORT_PART, IMPORT_END };

/*
 * "exchange.lookup", open to guests: addresses, a line each; answered with a JSON array in their order of
 * {"address":…,"as":…,"as_name":…,"country":…,"name":…,"labels":…}, as far as imported tables know.
 */
#define TOPIC_LOOKUP "exchange.lookup"

/* Reads a file as that format without a running kansoku, and tells each record; ERR_… with a sentence. */
struct share_reading {
	void *arg;
	const char *map, *file; /* names of columns, the file's own name; NULL: not said */
	void (*record)(void *arg, const struct record *);
	void (*bad)(void *arg, uint64_t line, const char *why);
	void (*network)(void *arg, const struct network *);
	void (*as)(void *arg, uint32_t as, struct bytes name, const char *country);
};
int share_read(const struct format *, int fd, const struct share_reading *, struct fault *);
