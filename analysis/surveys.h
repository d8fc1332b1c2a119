/*
 * Lists of acknowledged surveys, and host names: what others say of an address, handed in as text.
 *
 * A list is a MISP warninglist, {"name":…,"version":…,"type":"cidr","list":[…]}, where type string
 * is taken as well and hostname lists the domains of surveys; or plain text:
 *
 *      # name: Example CSIRT's surveys
 *      # date: 2026-11-01
 *      192.0.2.0/24      Example survey     a prefix, or an address, and whose it is
 *      .survey.example   Example survey     every host name that ends so
 *
 * Lists are dated data.  A version such as 20261101 is a date; so is `# date:`; else the list has
 * none.  Who it is: the text behind the prefix, or the list's name.  Where prefixes lie within each
 * other the longest decides.  A file of names has lines `ADDRESS NAME` as reverse DNS gave them.
 *
 * Every list is bounded; lines that are none of this are counted, and a list without any that are
 * is refused.  Add all, then seal, then ask.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define SURVEY_FILES_MAX 128
#define SURVEY_TEXT_MAX (64u << 20)  /* of one file */
#define SURVEY_ITEMS_MAX (1u << 20)  /* prefixes, and as many domains */
#define SURVEY_NAMES_MAX (4u << 20)  /* addresses with a host name */
#define SURVEY_WHO_MAX 96            /* bytes of a name of a list or of whose survey it is */
#define HOST_NAME_MAX_BYTES 253      /* RFC 1035 2.3.4, as text without the last dot */
/* A list with wider prefixes than these would acknowledge the whole Internet; they are left out. */
#define SURVEY_PREFIX_MIN_V4 8
#define SURVEY_PREFIX_MIN_V6 19

struct surveys;

struct survey_match {
	const char *who;   /* valid as long as the lists */
	const char *list;
	uint64_t dated_us; /* 0: it has no date */
};

int surveys_open(struct surveys **); /* 0 or ERR_MEMORY */
/* `file` is what errors call it.  A list with an error adds nothing. */
int surveys_add(struct surveys *, struct bytes text, const char *file, struct fault *);
int surveys_add_names(struct surveys *, struct bytes text, const char *file, struct fault *);
void surveys_seal(struct surveys *);
void surveys_close(struct surveys *); /* NULL is nothing */

/* The longest prefix that holds the address. */
bool surveys_find(const struct surveys *, const struct address *, struct survey_match *);
/* The longest domain that the host name lies in. */
bool surveys_find_domain(const struct surveys *, const char *host_name, struct survey_match *);
/* In lower case, or NULL; of several names the last one that was added. */
const char *surveys_host_name(const struct surveys *, const struct address *);
/* Whole days from the list's date to that day; 0 for a list from the future. */
unsigned survey_age_days(const struct survey_match *, uint64_t at_us);

struct surveys_counts {
	size_t lists, prefixes, domains, names;
	uint64_t skipped; /* lines and items that were none of it */
	uint64_t wide;    /* prefixes that hold too much */
};
struct surveys_counts surveys_counts(const struct surveys *);
