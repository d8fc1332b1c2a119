/* Rules about decoys of others, as they are read and asked. */
#pragma once
#include "active/identify/giveaway.h"
#include "base/yaml.h"

#define GIVEAWAY_ARENA_MAX (4u << 20)

enum giveaway_how { GIVEAWAY_EQUALS, GIVEAWAY_STARTS, GIVEAWAY_CONTAINS };

struct giveaway_condition {
	const char *key;
	enum giveaway_how how;
	const char *words[GIVEAWAY_WORDS_MAX]; /* all of them */
	size_t word_count;
};

#define GIVEAWAY_STRUCTURES(X)                                                        \
	X(NONE, "")                                                                   \
	X(EVERY_PORT, "every-port")       /* `least` ports asked, all of them open */ \
	X(PORTS, "ports")                 /* all of `ports` are open */               \
	X(CONTROLLERS, "controllers")     /* identities of `least` industrial protocols */ \
	X(SERVER_CONTROLLER, "server-controller") /* one of them beside the SSH of a server's Linux */ \
	X(HOSTED_CONTROLLER, "hosted-controller") /* one of them in a network of servers */ \
	X(LINUX_CONTROLLER, "linux-controller")   /* one of them on a desktop's TCP stack */ \
	X(SAME_ANSWER, "same-answer")     /* `least` protocols said the same bytes */ \
	X(SMALL_WINDOW, "small-window")   /* an open port with a window of at most `least` */

enum giveaway_structure {
#define X(structure, word) STRUCTURE_##structure,
	GIVEAWAY_STRUCTURES(X)
#undef X
	STRUCTURE_COUNT
};

struct giveaway_rule {
	const char *name, *because;
	unsigned weight; /* percent */
	enum giveaway_structure structure; /* NONE: the conditions */
	uint64_t least;
	uint16_t ports[GIVEAWAY_PORTS_MAX];
	size_t port_count;
	struct giveaway_condition when[GIVEAWAY_WHEN_MAX];
	size_t when_count;
};

struct giveaways {
	struct arena arena;
	struct giveaway_rule *rules[GIVEAWAY_RULES_MAX];
	size_t count;
};

/* Whether that structure is there; `detail` gets what stands behind it. */
bool structure_holds(const struct giveaway_rule *, const struct giveaway_host *, struct writer *detail);
