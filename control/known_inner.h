/*
 * Conditions of a rule on what is known of a source, beside those on the event at hand:
 *
 *   known: {credentials.list: mirai, sessions: {min: 2}, seeks_honeypots: {max: 20}}
 *
 * They are written and compared as conditions on fields are.
 */
#pragma once
#include "control/campaigns_inner.h"
#include "control/rules_inner.h"
#include "control/sources_inner.h"

/*        attribute         name                    type    what it is */
#define KNOWN_ATTRIBUTES(X)                                                                       \
	X(CLASS,            "device.class",         TEXT,   "class of the device behind the address, as identified") \
	X(TOOL,             "tool",                 TEXT,   "program that made its packets, by the telescope's signature") \
	X(CAMPAIGN,         "campaign",             TEXT,   "name of the campaign to which it belongs") \
	X(CAMPAIGN_SOURCES, "campaign.sources",     NUMBER, "sources of that campaign; 0: it belongs to none") \
	X(CREDENTIALS,      "credentials",          NUMBER, "different credentials that it tried")   \
	X(LIST,             "credentials.list",     TEXT,   "named list of which it tried enough")   \
	X(SESSIONS,         "sessions",             NUMBER, "conversations that it had and ended")  \
	X(HUMANS,           "sessions.human",       NUMBER, "of these, typed by a human")           \
	X(BOTS,             "sessions.bot",         NUMBER, "of these, typed by a program")         \
	X(SERVICE,          "service",              TEXT,   "a service that it spoke with")         \
	X(SERVICES,         "services",             NUMBER, "different services that it spoke with") \
	X(COMMANDS,         "commands",             NUMBER, "instructions that it gave")            \
	X(FILES,            "files",                NUMBER, "files that it left or named")          \
	X(SCANS,            "scans",                NUMBER, "times that it was seen to scan dark addresses") \
	X(SEEKS,            "seeks_honeypots",      NUMBER, "how much speaks for that it looks for honeypots, 0 to 100") \
	X(SIGN,             "seeks_honeypots.sign", TEXT,   "one of the signs of that")

enum known_attribute {
#define X(attribute, name, type, what) KNOWN_##attribute,
	KNOWN_ATTRIBUTES(X)
#undef X
	KNOWN_ATTRIBUTE_COUNT
};

struct known {
	const struct source *source;
	const struct sources *sources;
	const struct campaigns *campaigns;
	const struct credentials *credentials;
};

const char *known_name(unsigned attribute);
enum field_type known_type(unsigned attribute);
/* All of the rule's conditions on what is known hold.  `known` may be NULL: nothing is. */
bool known_matches(const struct rule *, const struct known *);
/* Which conditions held, with the values that made them: "credentials.list mirai (7 of 9 tried); …". */
void known_write_reasons(const struct rule *, const struct known *, struct writer *);
