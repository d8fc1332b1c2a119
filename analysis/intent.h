/*
 * Does a source survey or attack?  A judgement of one address over one day, with its reasons.
 *
 * A pure function: whatever is known stands in `struct intent_evidence`, of which any part may be
 * absent; out comes a verdict with its confidence and the signals that it is made of.  The score is
 * a sum of log-odds, one weight a signal, all of them in the table below, so that anybody can work
 * it out by hand (docs/intent.md).  Nothing is ever discarded because of a verdict, and a verdict
 * is no permission to look at anybody.
 */
#pragma once
#include "base/bytes.h"

/*
 * The signals.  A weight is in nats: +0.69 doubles the odds of an attack, -0.69 those of a survey.
 * It counts times a strength from 0 to 1, which intent.c derives from the numbers.
 *
 *        signal           word              weight   what it means at full strength
 */
#define INTENT_SIGNALS(X)                                                                         \
	X(LOGIN,           "login",           10.0,    "it tried to log in to a decoy")           \
	X(COMMAND,         "command",         10.0,    "it sent commands to a decoy")             \
	X(FILE,            "file",            10.0,    "it left or named a file on a decoy")      \
	X(LISTED,          "listed",          -5.0,    "a list acknowledges it as a survey")      \
	X(HOSTILE_TOOL,    "hostile-tool",     4.5,    "its packets are those of a bot")          \
	X(ALERT,           "alert",            2.5,    "sensors agreed on alerts about it")       \
	X(DEVICE,          "device",           2.5,    "it is a device, and devices do not survey") \
	X(HOST_NAME,       "host-name",       -2.5,    "its host name is a survey's")             \
	X(AMPLIFIES,       "amplifies",        1.6,    "it looks for reflectors")                 \
	X(PAGE,            "page",            -1.5,    "its own web page explains a survey")      \
	X(WORM_PORTS,      "worm-ports",       1.4,    "it asks for ports that worms spread over") \
	X(PERIODIC,        "periodic",        -0.8,    "it comes at the same hour of every day")  \
	X(NAME_WORD,       "name-word",       -0.8,    "its host name speaks of research or scanning") \
	X(MANY_PORTS,      "many-ports",       0.6,    "it asks for very many ports")             \
	X(SUSPICION,       "suspicion",        0.6,    "there are alerts that no one confirmed")  \
	X(LOW_COVERAGE,    "low-coverage",     0.5,    "it draws few addresses of many at random") \
	X(DYNAMIC_NAME,    "dynamic-name",     0.5,    "its host name is one of a pool of customers") \
	X(DECOY,           "decoy",            0.4,    "it spoke with decoys")                    \
	X(SEVERAL_HOSTS,   "several-hosts",    0.4,    "several hosts are behind the address")    \
	X(SURVEY_TOOL,     "survey-tool",     -0.4,    "its packets are those of a tool of surveys") \
	X(FULL_COVERAGE,   "full-coverage",   -0.4,    "it asked all that is watched")            \
	X(NO_TOOL,         "no-tool",          0.3,    "its packets are of no known scanner")     \
	X(SCANNER,         "scanner",          0.2,    "its packets are those of a scanner anybody uses") \
	X(EVEN_RATE,       "even-rate",       -0.2,    "its rate is even over hours")

/* All that speaks for a survey counts this much at most: who logs in is listed in vain. */
#define INTENT_SURVEY_MAX 6.0

enum intent_signal {
#define X(signal, word, weight, meaning) SIGNAL_##signal,
	INTENT_SIGNALS(X)
#undef X
	SIGNAL_COUNT
};
const char *intent_signal_word(enum intent_signal);
const char *intent_signal_meaning(enum intent_signal);
double intent_signal_weight(enum intent_signal);

/* What its packets were, as the telescope classed them; bits. */
enum intent_class {
	INTENT_CLASS_SCAN = 1,
	INTENT_CLASS_BACKSCATTER = 2,
	INTENT_CLASS_REFLECTION = 4,
	INTENT_CLASS_SPOOFED = 8,
	INTENT_CLASS_MISCONFIGURED = 16,
	INTENT_CLASS_OTHER = 32,
};
unsigned intent_class_of(struct bytes name); /* "scan": its bit; 0 for a name that is none */

enum intent_tool {
	INTENT_TOOL_UNKNOWN, /* there is no word about tools */
	INTENT_TOOL_NONE,    /* they were looked for, and none was found */
	INTENT_TOOL_ANY,     /* a scanner that anybody uses */
	INTENT_TOOL_SURVEY,  /* one that surveys prefer */
	INTENT_TOOL_HOSTILE, /* one that only bots have */
};
enum intent_tool intent_tool_of(struct bytes name); /* by its name; empty: INTENT_TOOL_NONE */
bool intent_tool_known(struct bytes name, enum intent_tool *); /* false: the judge has no opinion of it */

/* Does a payload of that name ask for much more than it is? */
bool intent_asks_amplification(struct bytes name);
/* Does a port belong to those that worms spread over? */
bool intent_worm_port(const char *proto, uint16_t port);

/* Texts are NUL-terminated UTF-8 of ours or from lists, NULL when not known; they are not kept. */
struct intent_evidence {
	/* What others say of it. */
	const char *listed;       /* who it is, by a list of acknowledged surveys */
	const char *list;         /* that list's name */
	unsigned listed_days;     /* age of that list … */
	bool listed_dated;        /* … where the list says it */
	const char *host_name;    /* its name by reverse DNS */
	const char *survey;       /* whose survey that name is, by a list */
	const char *page;         /* title of its web page or subject of its certificate, where that explains */
	const char *device;       /* class of device that it was identified as */

	/* Dark traffic. */
	bool dark;                /* a telescope saw it: the numbers below are known */
	unsigned classes;         /* of enum intent_class */
	bool victim;              /* fulfils the rule of denial-of-service victims */
	double watched;           /* addresses that are watched; 0: not known */
	uint64_t packets;
	uint32_t destinations;    /* the most on one port */
	uint32_t ports;           /* pairs of protocol and port that it asked */
	double worm_share;        /* of its packets, those to intent_worm_port()s; 0 to 1 */
	enum intent_tool tool;    /* the gravest */
	const char *tool_name;
	const char *asks;         /* what its payload asks … */
	bool amplifies;           /* … when that asks for reflectors */
	unsigned hosts;           /* that seem to be behind the address; 0: not known */
	unsigned hours;           /* hours of the day with packets; 0: not known */
	double unevenness;        /* standard deviation of packets an hour over their mean; below 0: not known */

	/* Earlier days. */
	unsigned days;            /* on how many of the earlier days it came … */
	unsigned days_asked;      /* … of how many; 0: not known */
	unsigned days_same_hour;  /* of those, in the same hour ± 1 as today and in no other */

	/* Decoys. */
	uint64_t sessions, logins, commands, files;

	/* Alerts of other sensors. */
	uint64_t alerts_agreed, alerts_other;
};

enum intent {
	INTENT_UNCLEAR,
	INTENT_SURVEY,
	INTENT_ATTACK,
	INTENT_VICTIM,    /* only its answers were seen: somebody attacks it */
	INTENT_BYSTANDER, /* a reflector, a forged address, a misconfigured host: neither scans nor is attacked */
	INTENT_COUNT
};
const char *intent_name(enum intent); /* "survey" */
int intent_find(struct bytes name);   /* or ERR_MISSING */

/*
 * Confidence 0 says that it might as well be the other, 100 that it is certain.  Below
 * INTENT_CONFIDENT the verdict is unclear, and `score` tells which way it leans.
 */
#define INTENT_CONFIDENT 50
#define INTENT_REASONS_MAX SIGNAL_COUNT

struct intent_verdict {
	enum intent verdict;
	unsigned confidence;
	double score; /* log-odds of an attack; below 0 a survey is likelier */
	unsigned count;
	struct intent_reason {
		enum intent_signal signal;
		double weight; /* as counted: weight times strength */
	} reasons[INTENT_REASONS_MAX]; /* the weightiest first */
};

void intent_judge(const struct intent_evidence *, struct intent_verdict *);

/* A reason as a short sentence without full stop: "listed as Censys (Censys ranges, 12 days old)". */
#define INTENT_SENTENCE_MAX 256
void intent_reason_write(const struct intent_evidence *, const struct intent_reason *, struct writer *);
/* What the verdict rests on in one sentence, also for victims and bystanders. */
void intent_summary_write(const struct intent_evidence *, const struct intent_verdict *, struct writer *);
