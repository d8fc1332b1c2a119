/*
 * Exports as command lines ask a running kansoku for them, into a file that is whole or not there.
 */
#pragma once
#include "cli/desk.h"

/*
 * Asks (share/share.h, TOPIC_EXPORT; the question is taken over) and writes to that path, by way of PATH.part; NULL:
 * standard output.  What came is checked against the digest that came behind it.  `about` is what the export says
 * of itself, the caller's.  0 or ERR_… with a sentence.
 */
int export_take(const char *state, json_t *question, const char *path, json_t **about, struct fault *);
/* "12 events as csv, TLP:GREEN, policy default; 3 say what csv cannot" on standard error. */
void export_say(const json_t *about);

/* kansoku export --snapshot: one export for each format and collection, below FOLDER/FROM_TO, with a manifest. */
int export_snapshot(const struct arguments *, struct desk *, const char *folder, json_t *question);
/* kansoku export --again N: makes the export of that line of the audit again and compares. */
int export_again(struct desk *, uint64_t line, const char *path);
/* kansoku export --read FILE: writes JSON lines in another format, without a running kansoku. */
int export_convert(const char *from, const char *format, const char *path);
