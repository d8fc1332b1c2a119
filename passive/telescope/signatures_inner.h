/*
 * Inside of the signatures: what conditions and patterns are compiled to.
 *
 * Over all rules there is one pool of values (columns, constants, what is computed of them) and
 * one of terms (comparisons, each a bit a lane).  Equal ones are made once, however many rules
 * name them, and worked out at most once a batch, when a rule first asks.  A rule itself is a few
 * steps over terms.  Everything is of fixed size, so that adding a file can be taken back by
 * restoring the counts.
 */
#pragma once
#include "passive/telescope/signatures.h"

#define CONDITION_TEXT_MAX 2048
#define CONDITION_DEPTH_MAX 32 /* of parentheses and `not` */
#define CONDITION_NODES_MAX 128 /* terms and the and, or, not between them, a rule */
#define SET_MAX 64              /* elements of one { } */
#define VALUES_MAX 512
#define SLOTS_MAX 128           /* of the values: those that are computed */
#define TERMS_MAX 1024
#define RANGES_MAX 4096
#define STEPS_MAX 8192
#define STEP_DEPTH_MAX 16       /* of `or` within `or` with an `and` between */
#define TOOL_NAME_MAX 32
#define PAYLOAD_NAME_MAX 40
#define PARTS_MAX 4096          /* of all patterns */
#define PATTERN_BYTES_MAX 65536
#define PATTERN_MAX 256         /* bytes that one pattern spans */
#define PAYLOAD_PARTS_MAX 8     /* of one rule */
#define PAYLOAD_PORTS_MAX 32    /* of one rule */
#define PAYLOAD_OFFSET_MAX 1024
#define PAYLOAD_SEARCH_MAX 1024 /* bytes within which `contains` looks */
#define PLACES_MAX 16384        /* entries of the index */
#define EVIDENCE_MAX 255

enum value_kind {
	VALUE_COLUMN,   /* a: enum column */
	VALUE_TIME,     /* seconds of the capture's time */
	VALUE_CONSTANT,
	VALUE_AND, VALUE_OR, VALUE_XOR, VALUE_ADD, VALUE_SUBTRACT, VALUE_MULTIPLY,
	VALUE_LEFT, VALUE_RIGHT, /* by the constant in splat */
};
struct value {
	uint8_t kind;
	uint16_t a, b;   /* numbers of values, always smaller than its own */
	uint16_t slot;   /* where a computed one is kept */
	uint32_t splat[4]; /* the constant, four times */
};

enum term_kind {
	TERM_COLUMN, /* the value is a column, and the constant */
	TERM_IS,     /* the value is computed, and the constant */
	TERM_WITHIN, /* one of the ranges */
	TERM_EQUAL, TERM_BELOW, /* two values */
};
struct term {
	uint8_t kind;
	uint16_t a, b;        /* values; of TERM_WITHIN b counts the ranges, of TERM_COLUMN it is the column */
	uint32_t constant;    /* of TERM_COLUMN and TERM_IS; of TERM_WITHIN the first range */
};
struct range {
	uint32_t from, span; /* from … from + span */
};

/* Candidates are a mask of lanes; a step narrows it. */
enum step_kind {
	STEP_HAS,   /* keep those of which the term is true */
	STEP_LACKS, /* keep the others */
	STEP_OR,    /* keep a copy: alternatives follow */
	STEP_ELSE,  /* end of an alternative: the next one gets who is not taken yet */
	STEP_JOIN,  /* end of the last one */
};
struct step {
	uint8_t kind;
	uint16_t term;
	uint16_t jump; /* where to go on when nobody is left; 0: nowhere, go on */
};

struct rule {
	uint8_t tool;
	uint32_t evidence;
	uint16_t first, count; /* steps */
};
struct tool {
	char name[TOOL_NAME_MAX];
	bool hostile;
};

/* A byte b fits when (b & mask) == value. */
struct part {
	uint16_t at;    /* offset; of a searched one where its byte stands that is looked for first */
	uint16_t bytes; /* where value and mask begin in the pools */
	uint16_t count;
	bool searched;  /* anywhere within the first PAYLOAD_SEARCH_MAX bytes */
};
struct payload_rule {
	char name[PAYLOAD_NAME_MAX];
	uint8_t proto;
	bool amplifies;
	uint8_t port_count, part_count;
	uint8_t value, mask; /* of the first byte, to turn most away at once */
	uint16_t part;
	uint32_t length_min, length_max;
	uint16_t ports[PAYLOAD_PORTS_MAX];
};
/* The index: rules by protocol and port, and by protocol and first byte for those of any port. */
struct place {
	uint32_t key; /* protocol << 17 | any port << 16 | port or first byte */
	uint16_t rule;
};

struct signature_counts {
	unsigned rules, tools, values, slots, terms, ranges, steps, payloads, parts, bytes;
};
struct signatures {
	struct signature_counts n;
	unsigned places;
	struct rule rules[SIGNATURE_RULES_MAX];
	struct tool tools[SIGNATURE_TOOLS_MAX];
	struct value values[VALUES_MAX];
	struct term terms[TERMS_MAX];
	struct range ranges[RANGES_MAX];
	struct step steps[STEPS_MAX];
	struct payload_rule payloads[SIGNATURE_PAYLOADS_MAX];
	struct part parts[PARTS_MAX];
	uint8_t bytes[PATTERN_BYTES_MAX], masks[PATTERN_BYTES_MAX];
	struct place place[PLACES_MAX];
};

/* Where a text stands, for the sentence about it. */
struct signature_source {
	const char *name;
	unsigned line;
	struct fault *fault;
};
int signature_complain(const struct signature_source *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Pools: the number of what is asked for, made when it is new; negative when the pool is full. */
int signature_value(struct signatures *, enum value_kind, unsigned a, unsigned b, uint32_t constant);
int signature_term_is(struct signatures *, unsigned value, uint32_t constant);
int signature_term_within(struct signatures *, unsigned value, const struct range *, unsigned count);
int signature_term_pair(struct signatures *, enum term_kind, unsigned a, unsigned b);

/* A truth: a tree over terms, of which steps are made. */
enum truth_kind { TRUTH_TERM, TRUTH_AND, TRUTH_OR, TRUTH_NOT };
struct truth {
	uint8_t kind;
	uint16_t a, b; /* nodes; of TRUTH_TERM a is the term */
};
/* Appends the steps of node `root`; 0 or ERR_FULL. */
int signature_steps(struct signatures *, const struct truth *nodes, unsigned root, struct rule *);

/* Compiles a condition into steps; the sentence names the column. */
int signature_condition(struct signatures *, struct bytes text, const struct signature_source *,
			struct rule *);

/* Reads one pattern and appends it to the pools as `out`. */
int signature_pattern(struct signatures *, struct bytes text, bool nocase,
		      const struct signature_source *, struct part *out);
/* Makes the index anew. */
int signature_index(struct signatures *);

/* The two lists of a file. */
struct yaml_node;
struct arena;
int signature_read_tools(struct signatures *, const struct yaml_node *list, struct signature_source *,
			 struct arena *);
int signature_read_payloads(struct signatures *, const struct yaml_node *list,
			    struct signature_source *, struct arena *);
/* Letters, digits, dots, dashes; a sentence names `what` it is when it is something else. */
int signature_name(const char *name, size_t max, const char *what, const struct signature_source *);
