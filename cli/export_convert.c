/* JSON lines of an export into another format, on this machine alone: what came as one can be read as all. */
#include "cli/exports.h"
#include "share/output.h"
#include <errno.h>
#include <stdlib.h>

#define LINE_BYTES_MAX (1u << 20)

struct convert {
	struct output_run *run;
	FILE *in, *out;
	uint64_t lines, bad;
	struct fault fault;
	struct event event;
	char line[LINE_BYTES_MAX];
	uint8_t room[LINE_BYTES_MAX];
};

static int sink(void *arg, struct bytes b)
{
	struct convert *c = arg;
	return fwrite(b.at, 1, b.len, c->out) == b.len ? 0 : ERR_SYSTEM;
}

static int take_line(struct convert *c, const char *from, size_t n)
{
	struct fault fault = {0};
	c->lines++;
	if (!n)
		return 0;
	if (output_read_event((struct bytes){(const uint8_t *)c->line, n}, c->room, &c->event, &fault)) {
		fprintf(stderr, "%s:%llu: %s\n", from, (unsigned long long)c->lines, fault.text);
		c->bad++;
		return 0;
	}
	return output_event(c->run, &c->event);
}

static int take_lines(struct convert *c, const char *from)
{
	int bad = 0;
	while (!bad && fgets(c->line, sizeof c->line, c->in)) {
		size_t n = strcspn(c->line, "\r\n");
		if (!c->line[n] && !feof(c->in))
			return fault_set(&c->fault, ERR_BAD, "%s:%llu: the line is too long, or holds a zero", from,
					 (unsigned long long)c->lines + 1);
		bad = take_line(c, from, n);
	}
	return bad || !ferror(c->in) ? bad : fault_set(&c->fault, ERR_SYSTEM, "%s: %s", from, strerror(errno));
}

static int convert(struct convert *c, const struct output *output, const char *from)
{
	const struct output_about about = {.collection = "events", .title = "Events", .producer = "kansoku", .marking = "RED"};
	int bad = output_open(&c->run, output, &about, sink, c, &c->fault);
	bad = bad ? bad : take_lines(c, from);
	uint64_t events = c->run ? output_written(c->run) : 0, passed = c->run ? output_passed_over(c->run) : 0;
	struct fault told = c->fault;
	int ended = output_close(c->run, !bad, &c->fault);
	c->fault = told.text[0] ? told : c->fault;
	bad = bad ? bad : ended;
	if (!bad)
		fprintf(stderr, "%llu events as %s, %llu more are nothing that it says, %llu lines are no events\n",
			(unsigned long long)events, output->name, (unsigned long long)passed, (unsigned long long)c->bad);
	return bad;
}

int export_convert(const char *from, const char *format, const char *path)
{
	const struct output *output = output_find(format);
	struct convert *c = calloc(1, sizeof *c);
	int bad = 1;
	if (!output || !c) {
		free(c);
		return command_fail(2, "export: \"%s\" is no format of exports; `kansoku describe outputs` lists them", format);
	}
	c->in = !strcmp(from, "-") ? stdin : fopen(from, "rbe");
	c->out = !path ? stdout : c->in ? fopen(path, "wbe") : NULL;
	if (!c->in || !c->out)
		bad = command_fail(1, "export: %s: %s", c->in ? path : from, strerror(errno));
	else if ((bad = convert(c, output, from)))
		command_fail(1, "export: %s", c->fault.text);
	if (c->in && c->in != stdin)
		fclose(c->in);
	if (c->out && (c->out == stdout ? fflush(c->out) : fclose(c->out)) && !bad)
		bad = command_fail(1, "export: %s: %s", path ? path : "standard output", strerror(errno));
	free(c);
	return bad ? 1 : 0;
}
