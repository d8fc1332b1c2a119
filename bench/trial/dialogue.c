#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trial/dialogue.h"

enum { LOGIN_ROUNDS = 2 };

struct reading {
	struct lines lines;
	struct bot *bot;
	char *labels[STEPS_MAX];
	char *wanted[STEPS_MAX];
};

static const struct {
	const char *word;
	enum step_kind kind;
} words[] = {
        {"options", STEP_OPTIONS}, {"login", STEP_LOGIN}, {"fail-login", STEP_FAIL_LOGIN},
        {"send", STEP_SEND},       {"await", STEP_AWAIT}, {"hear", STEP_HEAR},
        {"prompt", STEP_AWAIT},    {"seen", STEP_SEEN},   {"never", STEP_NEVER},
        {"goto", STEP_GOTO},       {"leave", STEP_LEAVE},
};

static void bot_begin(struct reading *r, struct bots *bots, char *line)
{
	char *visitor = strtok(line, " ");
	char *name = strtok(NULL, " ");
	char *weight = strtok(NULL, " ");
	char *mute = strtok(NULL, " ");

	if (!weight || bots->count == BOTS_MAX)
		lines_fail(&r->lines, "expected \"bot|visitor NAME WEIGHT [mute]\", at most %d",
		           BOTS_MAX);
	r->bot = &bots->at[bots->count++];
	r->bot->name = strdup(name);
	r->bot->weight = (uint32_t)strtoul(weight, NULL, 10);
	r->bot->visitor = strcmp(visitor, "visitor") == 0;
	r->bot->mute = mute && strcmp(mute, "mute") == 0;
}

static void step_add(struct reading *r, const char *word, char *rest)
{
	struct step *step = &r->bot->steps[r->bot->step_count];

	if (r->bot->step_count == STEPS_MAX)
		lines_fail(&r->lines, "more than %d steps", STEPS_MAX);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		step->kind = words[i].kind;
		step->line = r->lines.number;
		if (step->kind == STEP_SEEN || step->kind == STEP_GOTO)
			r->wanted[r->bot->step_count] = strsep(&rest, " ");
		step->text = text_unescape(rest ? rest : "");
		r->bot->step_count++;
		return;
	}
	lines_fail(&r->lines, "\"%s\" is no step", word);
}

static void line_take(struct reading *r, struct bots *bots, char *line)
{
	char *word;

	if (!*line || *line == '#')
		return;
	if (strncmp(line, "bot ", 4) == 0 || strncmp(line, "visitor ", 8) == 0) {
		bot_begin(r, bots, line);
		return;
	}
	if (!r->bot)
		lines_fail(&r->lines, "expected \"bot NAME WEIGHT\" first");
	word = strsep(&line, " ");
	if (strcmp(word, "label") == 0)
		r->labels[r->bot->step_count] = line;
	else
		step_add(r, word, line);
}

/* Every label is found and no way through the script has more than the allowed rounds. */
static void script_check(struct reading *r)
{
	struct bot *bot = r->bot;
	int rounds[STEPS_MAX + 1] = {0};
	int most = 0;

	for (size_t i = 0; i < bot->step_count; i++) {
		struct step *step = &bot->steps[i];
		int now =
		        rounds[i] + (step->kind == STEP_SEND) +
		        (step->kind == STEP_LOGIN || step->kind == STEP_FAIL_LOGIN) * LOGIN_ROUNDS;

		for (size_t to = i + 1; r->wanted[i] && to <= bot->step_count; to++)
			if (r->labels[to] && strcmp(r->labels[to], r->wanted[i]) == 0)
				step->target = (int)to;
		if (r->wanted[i] && !step->target)
			lines_fail(&r->lines, "no label %s after line %u", r->wanted[i],
			           step->line);
		if (step->target && now > rounds[step->target])
			rounds[step->target] = now;
		if (step->kind != STEP_GOTO && now > rounds[i + 1])
			rounds[i + 1] = now;
		most = now > most ? now : most;
	}
	if (most > ROUNDS_MAX)
		lines_fail(&r->lines, "%s has %d rounds, at most %d", bot->name, most, ROUNDS_MAX);
}

static void file_read(struct bots *bots, const char *path)
{
	struct reading *r = text_room(1, sizeof(*r));
	char *line;

	r->lines = (struct lines){.path = path, .rest = text_read(path).at};
	while ((line = lines_next(&r->lines)))
		line_take(r, bots, line);
	if (!r->bot)
		lines_fail(&r->lines, "the file has no bot");
	script_check(r);
	free(r);
}

void bots_read(struct bots *bots, const char *folder)
{
	char pattern[512];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*.bot", folder);
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "world: no %s/*.bot\n", folder);
		exit(1);
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		file_read(bots, strdup(found.gl_pathv[i]));
	globfree(&found);
}
