#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trial/table.h"

enum { CLASSES_MAX = 64, MODELS_MAX = 64, HOSTS_MAX = 16384 };

struct class_row {
	const char *label;
	size_t models;
	size_t hosts;
};

static struct class_row *row_find(struct class_row *rows, size_t *count, const char *label,
                                  const struct lines *lines)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(rows[i].label, label) == 0)
			return &rows[i];
	if (*count == CLASSES_MAX)
		lines_fail(lines, "more than %d classes", CLASSES_MAX);
	rows[*count].label = strdup(label);
	return &rows[(*count)++];
}

static void row_take(struct class_row *rows, size_t *count, char *line, const struct lines *lines)
{
	char *label = strsep(&line, "\t");
	char *models = strsep(&line, "\t");
	struct class_row *row;

	if (!line)
		lines_fail(lines, "expected class, models and hosts with tabs between");
	row = row_find(rows, count, label, lines);
	if (strcmp(models, "-") != 0)
		row->models = strtoul(models, NULL, 10);
	row->hosts += strtoul(line, NULL, 10);
}

/* Of the surplus over one host a model the first model gets a third, each further one a sixth of
 * what is left: a few models make up most of a class, as infections do. */
static void hosts_deal(struct table_hosts *out, const struct class_row *row, const int32_t *models)
{
	size_t surplus = row->hosts - row->models;

	for (size_t m = 0; m < row->models; m++) {
		size_t more = m + 1 == row->models ? surplus : surplus / (m ? 6 : 3);

		surplus -= more;
		for (size_t i = 0; i < more + 1; i++)
			out->model[out->count++] = models[m];
	}
}

static void class_deal(struct table_hosts *out, const struct class_row *row,
                       const struct answers *devices, const struct lines *lines)
{
	int32_t models[MODELS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(devices->at[i].class, row->label) == 0 && count < MODELS_MAX)
			models[count++] = (int32_t)i;
	if (count != row->models || row->hosts < row->models)
		lines_fail(lines, "%s has %zu device records, the table prints %zu models",
		           row->label, count, row->models);
	if (out->count + row->hosts > HOSTS_MAX)
		lines_fail(lines, "more than %d hosts", HOSTS_MAX);
	hosts_deal(out, row, models);
}

static bool label_known(const struct class_row *rows, size_t count, const char *label)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].label, label) == 0)
			return true;
	return false;
}

void table_read(struct table_hosts *hosts, const char *path, const struct answers *devices)
{
	struct lines lines = {.path = path, .rest = text_read(path).at};
	struct class_row rows[CLASSES_MAX] = {0};
	size_t count = 0;
	char *line;

	while ((line = lines_next(&lines)))
		if (*line && *line != '#')
			row_take(rows, &count, line, &lines);
	for (size_t i = 0; i < devices->count; i++)
		if (!label_known(rows, count, devices->at[i].class))
			lines_fail(&lines, "no class \"%s\" of %s %s", devices->at[i].class,
			           devices->at[i].vendor, devices->at[i].product);
	hosts->model = text_room(HOSTS_MAX, sizeof(*hosts->model));
	for (size_t i = 0; i < count; i++)
		class_deal(hosts, &rows[i], devices, &lines);
}
