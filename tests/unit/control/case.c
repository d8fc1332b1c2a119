#include "tests/unit/control/case.h"

static void leave(void *arg, struct target *t)
{
	(void)arg;
	(void)t;
}

void config_of(const char *passive, const char *yaml, struct config *config)
{
	struct fault fault = {0};
	struct yaml_node *joined;
	CHECK(event_start(NULL) == 0);
	int bad = config_read(bytes_of_text(yaml), "test.yaml", config, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	CHECK(yaml_read(bytes_of_text(passive), "test.yaml", &config->arena, &joined, &fault) == 0);
	struct yaml_node **tail = &config->root->first;
	while (*tail)
		tail = &(*tail)->next;
	*tail = joined->first;
}

void policy_case_open_with(struct policy_case *c, const char *passive, const char *yaml)
{
	struct fault fault = {0};
	memset(c, 0, sizeof *c);
	config_of(passive, yaml, &c->config);
	int bad = settings_read(&c->config, &c->settings, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	CHECK(targets_open(&c->targets, 100, c->settings.active->round_ms * 1000, 5, leave, NULL) == 0);
	c->policy = (struct policy){.settings = &c->settings, .opted_out = &c->opted_out,
				    .hold_out_key = 77};
}

void policy_case_open(struct policy_case *c, const char *yaml) { policy_case_open_with(c, "", yaml); }

void policy_case_close(struct policy_case *c)
{
	targets_close(c->targets);
	prefix_set_done(&c->opted_out);
	settings_done(&c->settings);
	config_done(&c->config);
}

struct address address_of(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	return a;
}

struct question question_of(const char *text)
{
	return (struct question){
		.target = address_of(text),
		.evidence = {.basis = BASIS_HANDSHAKE, .time_us = NOW - MINUTE},
		.ports = 2,
		.tier = 1,
		.hold_out = -1,
	};
}

enum reason ask(struct policy_case *c, const struct question *q)
{
	return policy_check(&c->policy, q, c->targets, targets_find(c->targets, &q->target), NOW);
}
