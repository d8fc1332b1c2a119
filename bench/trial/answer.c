#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trial/answer.h"

enum { ANSWERS_MAX = 1024, HTTP_MAX = 1 << 16 };

/* BusyBox telnetd's opening (telnetd.c, iacs_to_send): DO ECHO, DO NAWS, WILL ECHO, WILL SGA. */
static const char busybox_options[] =
        "\\xff\\xfd\\x01\\xff\\xfd\\x1f\\xff\\xfb\\x01\\xff\\xfb\\x03";

struct reading {
	struct lines lines;
	struct answers *answers;
	struct answer *now;
	char status[256];
	char headers[8192];
	char body[HTTP_MAX];
	const char *group;
};

static char *trimmed(char *at)
{
	char *end;

	while (*at == ' ')
		at++;
	end = at + strlen(at);
	while (end > at && end[-1] == ' ')
		*--end = '\0';
	return at;
}

static bool header_given(const char *headers, const char *name)
{
	return strcasestr(headers, name) != NULL;
}

/* HTTP servers of small devices often send no Content-Length and simply close; so do we when the
 * file says "raw" as the status' first word; otherwise the length is added. */
static struct text http_render(const char *status, const char *headers, const char *body)
{
	struct text out = {.at = text_room(HTTP_MAX + 16384, 1)};
	bool raw = strncmp(status, "raw ", 4) == 0;
	int n = snprintf(out.at, HTTP_MAX + 16384, "HTTP/1.%c %s\r\n%s", raw ? '0' : '1',
	                 raw ? status + 4 : status, headers);

	if (!raw && !header_given(headers, "Content-Length:"))
		n += snprintf(out.at + n, 128, "Content-Length: %zu\r\nConnection: close\r\n",
		              strlen(body));
	n += snprintf(out.at + n, HTTP_MAX + 64, "\r\n%s", body);
	out.size = (size_t)n;
	return out;
}

/* The answer to any other path carries the same Server header, as one program gives both. */
static struct text missing_render(const char *headers)
{
	char kept[512] = "";
	const char *server =
	        strncmp(headers, "Server:", 7) == 0 ? headers : strstr(headers, "\nServer:");

	if (server) {
		server += *server == '\n';
		snprintf(kept, sizeof(kept), "%.*s\n", (int)strcspn(server, "\n"), server);
	}
	return http_render("404 Not Found", kept,
	                   "<html><body><h1>404 Not Found</h1></body></html>\n");
}

static void answer_end(struct reading *r)
{
	struct answer *a = r->now;

	if (!a)
		return;
	if (r->status[0]) {
		a->open[PORT_HTTP] = true;
		a->said[PORT_HTTP] = http_render(r->status, r->headers, r->body);
		a->missing = missing_render(r->headers);
	}
	if (!a->open[PORT_TELNET] && !a->open[PORT_HTTP])
		lines_fail(&r->lines, "%s %s answers on no port", a->vendor, a->product);
	r->status[0] = r->headers[0] = r->body[0] = '\0';
}

static void answer_begin(struct reading *r, char *line)
{
	char *class = strtok(line, "|");
	char *vendor = strtok(NULL, "|");
	char *product = strtok(NULL, "|");

	if (!product)
		lines_fail(&r->lines, "expected \"== class | vendor | product\"");
	if (r->answers->count == ANSWERS_MAX)
		lines_fail(&r->lines, "more than %d answers", ANSWERS_MAX);
	r->now = &r->answers->at[r->answers->count++];
	*r->now = (struct answer){
	        .class = strdup(trimmed(class)),
	        .vendor = strdup(trimmed(vendor)),
	        .product = strdup(trimmed(product)),
	        .group = r->group,
	};
	if (strcmp(r->now->class, "-") == 0)
		r->now->class = "";
}

static void append(struct reading *r, char *to, size_t space, const char *line, const char *end)
{
	size_t used = strlen(to);

	if (used + strlen(line) + strlen(end) >= space)
		lines_fail(&r->lines, "the answer is too long");
	snprintf(to + used, space - used, "%s%s", line, end);
}

static void telnet_line(struct reading *r, char *line)
{
	char wide[4096];
	bool busybox = strncmp(line, "busybox ", 8) == 0;
	char *open = strchr(line, '"');
	char *close = strrchr(line, '"');

	if (!open || open == close)
		lines_fail(&r->lines, "expected telnet [busybox] \"greeting\"");
	*close = '\0';
	snprintf(wide, sizeof(wide), "%s%s", busybox ? busybox_options : "", open + 1);
	r->now->open[PORT_TELNET] = true;
	r->now->said[PORT_TELNET] = text_unescape(wide);
}

static void line_take(struct reading *r, char *line)
{
	if (strncmp(line, "== ", 3) == 0) {
		answer_end(r);
		answer_begin(r, line + 3);
	} else if (!r->now) {
		if (*line && *line != '#')
			lines_fail(&r->lines,
			           "text before the first \"== class | vendor | product\"");
	} else if (!r->status[0] && strncmp(line, "telnet ", 7) == 0) {
		telnet_line(r, line + 7);
	} else if (!r->status[0] && strncmp(line, "http ", 5) == 0) {
		snprintf(r->status, sizeof(r->status), "%s", line + 5);
	} else if (!r->status[0]) {
		if (*line && *line != '#')
			lines_fail(&r->lines, "expected telnet, http or == after a model's name");
	} else if (!r->body[0] && strncmp(line, ": ", 2) == 0) {
		append(r, r->headers, sizeof(r->headers), line + 2, "\r\n");
	} else if (*line) {
		append(r, r->body, sizeof(r->body), line, "\r\n");
	}
}

static void file_read(struct answers *answers, const char *path)
{
	struct reading *r = text_room(1, sizeof(*r));
	const char *slash = strrchr(path, '/');
	char *line;

	r->answers = answers;
	r->lines = (struct lines){.path = path, .rest = text_read(path).at};
	r->group = strndup(slash + 1, strlen(slash + 1) - strlen(".txt"));
	while ((line = lines_next(&r->lines)))
		line_take(r, line);
	answer_end(r);
	free(r);
}

void answers_read(struct answers *answers, const char *folder)
{
	char pattern[512];
	glob_t found;

	if (!answers->at)
		answers->at = text_room(ANSWERS_MAX, sizeof(*answers->at));
	snprintf(pattern, sizeof(pattern), "%s/*.txt", folder);
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "world: no %s/*.txt\n", folder);
		exit(1);
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		file_read(answers, strdup(found.gl_pathv[i]));
	globfree(&found);
}
