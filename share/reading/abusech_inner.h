/*
 * The lists of abuse.ch: URLs that spread malware, indicators, samples and servers of botnets.
 *
 * As CSV each has its header in a comment, `", "` between values, CRLF, and "None", "n/a" or nothing where there is no
 * value; as JSON the members have the same names, or those of the API.  Both are read into the same words.
 */
#pragma once
#include "share/reading/csv_inner.h"

enum abuse_word {
	ABUSE_ID, ABUSE_FIRST, ABUSE_LAST, ABUSE_URL, ABUSE_STATUS, ABUSE_THREAT, ABUSE_TAGS, ABUSE_LINK, ABUSE_REPORTER,
	ABUSE_VALUE, ABUSE_TYPE, ABUSE_FAMILY, ABUSE_ALIAS, ABUSE_CONFIDENCE, ABUSE_SHA256, ABUSE_MD5, ABUSE_SHA1, ABUSE_FILE,
	ABUSE_FILE_TYPE, ABUSE_MIME, ABUSE_CLAMAV, ABUSE_IMPHASH, ABUSE_SSDEEP, ABUSE_TLSH, ABUSE_SIZE, ABUSE_ADDRESS,
	ABUSE_PORT, ABUSE_HOST, ABUSE_AS, ABUSE_AS_NAME, ABUSE_COUNTRY,
	ABUSE_WORDS
};

struct abuse {
	struct bytes words[ABUSE_WORDS];
	struct bytes original;
};

typedef void abuse_take_f(struct intake *, const struct abuse *);
abuse_take_f abuse_take_url, abuse_take_indicator, abuse_take_sample, abuse_take_server;

/* A line of CSV, of a format whose state is struct csv_columns; `usual` is its header where none came, as the list has it today. */
void abuse_take_line(struct intake *, struct bytes line, const char *usual, abuse_take_f *);
/* The word that a column or member of that name is; ABUSE_WORDS: none. */
enum abuse_word abuse_word_of(struct bytes name);
