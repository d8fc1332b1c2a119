/*
 * The user's YARA rules (https://yara.readthedocs.io): compiled once, tried on every part.
 *
 * A rule may be slow by mistake, so every scan has an end; that is told as a limit.
 */
#include "lab/analysis_inner.h"
#include <stdlib.h>
#include <yara.h>

#define SCAN_SECONDS_MAX 10
#define SPACE_MAX 64

struct lab_rules {
	YR_RULES *compiled;
};

struct complaint {
	struct fault *fault;
	bool any;
};

static void complain(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *context)
{
	struct complaint *c = context;
	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR || c->any)
		return;
	c->any = true;
	fault_set(c->fault, ERR_BAD, "%s:%d: %s", file ? file : "YARA rules", line, message);
}

/* "rules/miner.yar" gives its rules the namespace "miner". */
static void space_of(const char *path, char space[SPACE_MAX])
{
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
	snprintf(space, SPACE_MAX, "%.*s", (int)(n < SPACE_MAX ? n : SPACE_MAX - 1), base);
}

static int file_compile(YR_COMPILER *compiler, const char *path, struct complaint *c)
{
	char space[SPACE_MAX];
	FILE *file = fopen(path, "re");
	if (!file)
		return fault_set(c->fault, ERR_MISSING, "%s: cannot be read", path);
	space_of(path, space);
	int errors = yr_compiler_add_file(compiler, file, space, path);
	fclose(file);
	if (errors && !c->any)
		return fault_set(c->fault, ERR_BAD, "%s: not YARA rules", path);
	return errors ? ERR_BAD : 0;
}

int lab_rules_open(struct lab_rules **out, const char *const *files, size_t count, struct fault *fault)
{
	struct complaint complaint = {.fault = fault};
	YR_COMPILER *compiler = NULL;
	struct lab_rules *rules = calloc(1, sizeof *rules);
	int status = rules && yr_initialize() == ERROR_SUCCESS ? 0 : ERR_MEMORY;
	if (status) {
		free(rules);
		return fault_set(fault, status, "no memory for YARA rules");
	}
	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		status = fault_set(fault, ERR_MEMORY, "no memory for YARA rules");
	if (!status)
		yr_compiler_set_callback(compiler, complain, &complaint);
	for (size_t i = 0; !status && i < count; i++)
		status = file_compile(compiler, files[i], &complaint);
	if (!status && yr_compiler_get_rules(compiler, &rules->compiled) != ERROR_SUCCESS)
		status = fault_set(fault, ERR_MEMORY, "no memory for YARA rules");
	if (compiler)
		yr_compiler_destroy(compiler);
	if (status) {
		free(rules);
		yr_finalize();
		return status;
	}
	*out = rules;
	return 0;
}

void lab_rules_close(struct lab_rules *rules)
{
	if (!rules)
		return;
	yr_rules_destroy(rules->compiled);
	free(rules);
	yr_finalize();
}

static int matched(YR_SCAN_CONTEXT *context, int message, void *detail, void *arg)
{
	(void)context;
	struct analysis *a = arg;
	const YR_RULE *rule = detail;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		analysis_yara(a, rule->ns->name, rule->identifier);
	else if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
		analysis_limit(a, "yara.strings");
	return CALLBACK_CONTINUE;
}

void rules_match(struct analysis *a, const struct part *part)
{
	/* Without its own handler of SIGSEGV: content is memory of ours and does not vanish. */
	int flags = SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING;
	int status = yr_rules_scan_mem(a->rules->compiled, part->content.at, part->content.len, flags, matched, a,
				       SCAN_SECONDS_MAX);
	if (status == ERROR_SCAN_TIMEOUT)
		analysis_limit(a, "yara.time");
	else if (status != ERROR_SUCCESS)
		analysis_limit(a, "yara.memory");
}
