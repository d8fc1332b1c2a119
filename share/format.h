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
#include "event/field.h"

#define FORMAT_LINE_MAX (1u << 20)
#define FORMAT_DOCUMENT_MAX (64u << 20)
#define FORMAT_FILE_MAX (UINT64_C(16) << 30)
#define RECORD_FIELDS_MAX 24
#define RECORD_VALUE_MAX 2048
#define RECORD_TEXT_MAX 4096     /* of what stood there; longer is cut */
#define INTAKE_COMPLAINTS_MAX 20 /* told one by one; all are counted */

enum format_shape {
	FORMAT_LINES,    /* each line stands for itself */
	FORMAT_DOCUMENT, /* the whole, up to FORMAT_DOCUMENT_MAX */
	FORMAT_FILE,     /* the whole in an unnamed file, unpacked, up to FORMAT_FILE_MAX: what libraries seek in */
};

/* One more thing that a record says, as a field of its event: a common one, or FIELD() of the format's file. */
struct record_field {
	uint16_t field;
	uint64_t number;     /* NUMBER, BOOL, TIME */
	struct bytes bytes;  /* TEXT, BYTES; valid while the record is handed in */
	struct address address;
};

struct record { /* one thing that a source says; what is empty was not said */
	/*
	 * Of indicator: "url", "domain", "address", "endpoint", "network" (a prefix), "hash", "mail", "name" (of a DNS
	 * record), "token" (of somebody whom its giver hides), "dataset".
	 */
	const char *type;
	struct bytes value;
	/*
	 * Of which of our kinds it would be, had we seen it: "host.answered" for a scan's banner,
	 * "login.tried" for a honeypot's line; it stays a record.imported, since only what we saw ourselves
	 * is a basis of anything.  NULL: somebody names an indicator, and no more.
	 */
	const char *kind;
	struct bytes id;         /* by which its source knows it; two records of one id are one */
	struct bytes version;    /* of that id, or part of it: each is a record of its own; kept nowhere else */
	const char *tlp, *pap;   /* of this one; the stricter of it and its source's holds */
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
	struct record_field fields[RECORD_FIELDS_MAX];
	size_t field_count;
};

struct intake; /* one import, owned by the room */

/* Adds a field; what is empty, or beyond RECORD_FIELDS_MAX, is left out, and what is beyond RECORD_TEXT_MAX cut. */
void record_text(struct record *, uint16_t field, const char *);
void record_bytes(struct record *, uint16_t field, struct bytes);
void record_number(struct record *, uint16_t field, uint64_t);
/* A word of others for a TEXT field: left out unless it is short and of printable ASCII. */
void record_token(struct record *, uint16_t field, struct bytes);
void record_address(struct record *, uint16_t field, const struct address *);

/*
 * What a table says of a range of addresses: not an event, but an entry of the lookup that tells of every
 * address where it is, whose, and what lists know it (share/networks.h).  What is empty was not said.
 */
struct network {
	struct address first, last; /* both within; of one family */
	uint32_t as;                /* its number; 0: not said */
	char country[3];            /* ISO 3166-1, upper case */
	struct bytes name;          /* of the AS, network or organisation */
	struct bytes labels;        /* words: "survey", "malicious", "tor", "hosting" */
};

/* Its version, of what has no id: all that stood there tells it from what the same source did at the same moment. */
void record_digest(struct intake *, struct record *, struct bytes original);

struct arena *intake_arena(struct intake *); /* of the document, or of the line */
/* What the format keeps from line to line, state_size bytes, zeroed at the beginning. */
void *intake_state(struct intake *);
/* How the operator names columns ("src=ip,dport=port"), of the formats that want it; "" where nothing was said. */
const char *intake_map(const struct intake *);
/* The file's own name, without folders, as far as it is known; "" otherwise.  Some formats put their kind there. */
const char *intake_file(const struct intake *);
/* Everything is copied.  The same value of the same link and source counts as seen before. */
void intake_record(struct intake *, const struct record *);
/*
 * Finds indicators in running text, also those that people broke on purpose (hxxp://, 192[.]0[.]2[.]7,
 * example(dot)org), and hands them in as records, with what `like` says of link, time, title and author.
 * Returns how many.
 */
size_t intake_text(struct intake *, const struct record *like, struct bytes text);
/* A range of a table; the same table of a source replaces the one before once it was read to its end. */
void intake_network(struct intake *, const struct network *);
/* The name that belongs to an AS, from tables that know no addresses. */
void intake_as(struct intake *, uint32_t as, struct bytes name, const char country[3]);
/* What could not be read: at that line, or 0 where there are none, and why. */
void intake_bad(struct intake *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A small input and what must come out: unit test, fuzz seed and manual in one. */
struct format_specimen {
	const char *title;
	struct bytes content;
	/*
	 * A line each: "TYPE VALUE", "network FIRST-LAST AS COUNTRY NAME", "as NUMBER COUNTRY NAME"; "bad REASON"
	 * for what is refused.  A record's fields follow it, a line each: "  NAME VALUE", with line ends of the value as
	 * "\\n" and "\\r"; those that are not named are not looked at.
	 */
	const char *records;
};

struct format {
	const char *name;      /* "rss" */
	const char *summary;
	const char *reference; /* the specification, or whose format it is */
	enum format_shape shape;
	void (*line)(struct intake *, struct bytes line);         /* of FORMAT_LINES; without its end */
	void (*end)(struct intake *);                             /* after the last line, to say what is missing; may be NULL */
	size_t state_size;                                        /* of intake_state(): columns that a header names */
	void (*document)(struct intake *, struct bytes document); /* of FORMAT_DOCUMENT */
	void (*file)(struct intake *, int fd);                    /* of FORMAT_FILE; at its beginning, not to be closed */
	const struct format_specimen *specimens; /* ended by one without a title */
};

#define FORMAT(f) REGISTER(formats, struct format, f)
REGISTRY(formats, struct format);
#define FORMATS_EACH(it) REGISTRY_EACH(formats, struct format, it)

const struct format *format_find(struct bytes name); /* NULL: there is none */
