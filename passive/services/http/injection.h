/*
 * Shell commands hidden in a request, and the files that they would fetch.
 *
 * Bots put commands wherever some firmware once handed a parameter to a shell:
 * /shell?cd+/tmp;wget+..., Swedish${IFS}&&..., `wget ...`, $(...) in JSON or SOAP.
 * Nothing is run: the text is made readable and searched.
 */
#pragma once
#include "base/bytes.h"

#define INJECTION_MAX 8192 /* decoded text that is looked at */
#define INJECTION_FETCHES_MAX 16

struct fetch {
	struct bytes url, name; /* as named; for tftp and ftpget made from host and file */
	const char *how;        /* "wget", "curl", "tftp", "ftpget", "url" */
};

struct injection {
	size_t start; /* of the first command within the text */
	struct fetch fetches[INJECTION_FETCHES_MAX];
	size_t count;
};

/* Percent-decodes (twice when needed) and writes ${IFS} and its kin as blanks. */
void injection_unwrap(struct bytes raw, struct writer *);

/*
 * Looks for commands in unwrapped text; false when there are none.  URLs that the text
 * does not hold as they stand (tftp -g -r FILE HOST) are written to `made`.
 */
bool injection_find(struct bytes text, struct writer *made, struct injection *);
