/*
 * What a format is: one way in which others write down what they observed.
 *
 * One file in share/formats/ defines a `struct format` and ends with FORMAT(it).  Nothing else in
 * the tree names it: `kansoku import`, sources of the configuration, tests, fuzz target and
 * documentation follow from the struct.
 *
 * A format does no I/O and keeps no clock.  It is given lines, one at a time, or a whole document;
 * it hands out records.  What it cannot read it says with intake_bad(), with a reason, and the rest
 * is read on; nothing that is wrong in one place costs what stands in another.
 *
 * All bytes are hostile: maxima below, and the checked reader or a library's reader without network,
 * entities and unbounded depth.
 */
#pragma once
#include "base/address.h"
#include "base/arena.h"
#include "base/registry.h"

#define FORMAT_LINE_MAX (1u << 20)
#define FORMAT_DOCUMENT_MAX (64u << 20)
#define RECORD_VALUE_MAX 2048
#define RECORD_TEXT_MAX 4096     /* of what stood there; longer is cut */
#define INTAKE_COMPLAINTS_MAX 20 /* told one by one; all are counted */

enum format_shape {
	FORMAT_LINES,    /* each line stands for itself */
	FORMAT_DOCUMENT, /* the whole, up to FORMAT_DOCUMENT_MAX */
};

struct record { /* one thing that a source says; what is empty was not said */
	const char *type;        /* of indicator: "url", "domain", "address", "endpoint", "hash", "mail" */
	struct bytes value;
	struct address address;  /* when the value has one */
	bool has_address;
	uint32_t port;
	unsigned confidence;     /* 0 to 100 */
	uint64_t time_us;        /* when it was observed or published, by its source; 0: not said */
	struct bytes link;       /* page or entry that says it */
	struct bytes title, author;
	struct bytes labels;     /* words, separated by spaces */
	const char *role;        /* of indicator; NULL: unknown */
	struct bytes original;   /* what stood there */
};

struct intake; /* one import, owned by the room */

struct arena *intake_arena(struct intake *); /* of the document, or of the line */
/* Everything is copied.  The same value of the same link and source counts as seen before. */
void intake_record(struct intake *, const struct record *);
/*
 * Finds indicators in running text, also those that people broke on purpose (hxxp://, 192[.]0[.]2[.]7,
 * example(dot)org), and hands them in as records, with what `like` says of link, time, title and author.
 * Returns how many.
 */
size_t intake_text(struct intake *, const struct record *like, struct bytes text);
/* What could not be read: at that line, or 0 where there are none, and why. */
void intake_bad(struct intake *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A small input and what must come out: unit test, fuzz seed and manual in one. */
struct format_specimen {
	const char *title;
	struct bytes content;
	const char *records; /* a line each: "TYPE VALUE"; "bad REASON" for what is refused */
};

struct format {
	const char *name;      /* "rss" */
	const char *summary;
	const char *reference; /* the specification, or whose format it is */
	enum format_shape shape;
	void (*line)(struct intake *, struct bytes line);         /* of FORMAT_LINES; without its end */
	void (*document)(struct intake *, struct bytes document); /* of FORMAT_DOCUMENT */
	const struct format_specimen *specimens; /* ended by one without a title */
};

#define FORMAT(f) REGISTER(formats, struct format, f)
REGISTRY(formats, struct format);
#define FORMATS_EACH(it) REGISTRY_EACH(formats, struct format, it)

const struct format *format_find(struct bytes name); /* NULL: there is none */
