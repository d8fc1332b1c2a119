#include "cli/desk.h"
#include "bus/client.h"
#include "bus/parent.h"
#include <stdlib.h>

#define WAIT_MS 30000
#define ANSWER_MAX (1u << 20)

int desk_open(struct desk *d, const struct arguments *a)
{
	*d = (struct desk){.arguments = a, .json = arguments_flag(a, "json") != NULL};
	int bad = command_config(a, &d->config, &d->fault);
	if (!bad && run_state_path(&d->config, d->state, sizeof d->state))
		bad = fault_set(&d->fault, ERR_BAD, "run.state: the path is too long");
	return bad;
}

static bool keep_part(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len) == 0; }

json_t *desk_ask(struct desk *d, const char *command, const char *topic, json_t *question)
{
	return desk_ask_role(d, command, "control", topic, question);
}

json_t *desk_ask_role(struct desk *d, const char *command, const char *role, const char *topic, json_t *question)
{
	struct buffer answer = BUFFER(ANSWER_MAX);
	char *text = json_dumps(question, JSON_COMPACT);
	json_t *object = NULL;
	int bad = text ? client_request(d->state, role, topic, bytes_of_text(text), keep_part, &answer, WAIT_MS,
					&d->fault)
		       : fault_set(&d->fault, ERR_MEMORY, "no memory");
	struct bytes b = buffer_bytes(&answer);
	if (bad)
		command_fail(1, "%s: %s", command, d->fault.text);
	else if (!(object = json_loadb((const char *)b.at, b.len, 0, NULL)))
		command_fail(1, "%s: the answer cannot be read", command);
	free(text);
	json_decref(question);
	buffer_done(&answer);
	return object;
}

const char *json_text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

long long json_number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

void json_print_row(const json_t *row)
{
	char *line = json_dumps(row, JSON_COMPACT);
	if (line)
		puts(line);
	free(line);
}
