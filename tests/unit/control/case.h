/* A configuration, its settings and a policy for the tests of control. */
#pragma once
#include "control/policy_inner.h"
#include "tests/test.h"

#define NOW 1427846400000000u /* 2015-04-01 */
#define MINUTE 60000000u

struct policy_case {
	struct config config;
	struct settings settings;
	struct prefix_set opted_out;
	struct targets *targets;
	struct policy policy;
};

/*
 * Reads a configuration.  `passive` is joined to the document unchecked: its section is that
 * room's, which need not be part of this build.
 */
void config_of(const char *passive, const char *yaml, struct config *);
void policy_case_open(struct policy_case *, const char *yaml);
void policy_case_open_with(struct policy_case *, const char *passive, const char *yaml);
void policy_case_close(struct policy_case *);
struct address address_of(const char *text);
/* A question about that address, by a handshake a minute ago. */
struct question question_of(const char *text);
enum reason ask(struct policy_case *, const struct question *);

#define SCOPE_ALL                                                              \
	"operator: {contact: abuse@example.org}\n"                             \
	"active: {scope: [0.0.0.0/0, '2000::/3'], hold_out: 0}\n"
