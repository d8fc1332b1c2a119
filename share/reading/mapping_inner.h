/*
 * What the columns of somebody's table mean: by the operator's word, or guessed by their names.
 *
 *   src=attacker_ip, dport=port, time=seen, kind:=scan.seen, zone:=+0900
 *
 * OURS=COLUMN takes a column by its name, or by its number as #3; OURS:=WORD is the same for every row.  OURS is time,
 * src, port, type, value, url, domain, hash, id, link, title, author, labels, role, kind, tlp, pap, confidence, or any
 * field that `kansoku describe fields` lists and that is not set by the import itself.  separator:=tab (or a sign),
 * header:=no and zone:=+0900 say how the table is written.
 */
#pragma once
#include "share/reading/rows_inner.h"

enum use {
	USE_NOTHING, USE_TIME, USE_SRC, USE_PORT, USE_TYPE, USE_VALUE, USE_URL, USE_DOMAIN, USE_HASH, USE_ID, USE_LINK,
	USE_TITLE, USE_AUTHOR, USE_LABELS, USE_ROLE, USE_KIND, USE_TLP, USE_PAP, USE_CONFIDENCE, USE_FIELD, USES
};

#define MAPPING_WORDS_MAX 32
#define MAPPING_WORD_BYTES 128

struct mapped_word { /* the same for every row */
	enum use use;
	uint16_t field;
	char text[MAPPING_WORD_BYTES];
};

struct mapped_name { /* until the header is there */
	enum use use;
	uint16_t field;
	size_t number; /* of the column, from 1; 0: by name */
	char column[MAPPING_WORD_BYTES];
};

struct mapping {
	size_t word_count, name_count;
	struct mapped_word words[MAPPING_WORDS_MAX];
	struct mapped_name names[MAPPING_WORDS_MAX];
	uint8_t separator; /* 0: not said */
	bool no_header;
	int zone_s;
};

struct column_use {
	uint8_t use; /* enum use */
	uint16_t field;
};

/* ERR_BAD with a sentence that says what is wrong. */
int mapping_read(struct mapping *, struct bytes text, struct fault *);
/*
 * What each column of that header is; without names in the mapping their own names decide.  ERR_MISSING: one that is
 * named is not there, or nothing in the table is known.
 */
int mapping_columns(const struct mapping *, const struct rows *, struct column_use *uses, struct fault *);
