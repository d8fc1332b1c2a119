/* What every command needs: to say why it failed, to read a file, to have the configuration. */
#include "cli/command.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_DEFAULT "kansoku.yaml"

int command_fail(int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("kansoku: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return status;
}

int command_read_file(const char *path, size_t max, struct buffer *out, struct fault *fault)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	if (!f)
		return fault_set(fault, ERR_MISSING, "%s: %s", path, strerror(errno));
	*out = BUFFER(max + 1);
	int bad = 0;
	for (;;) {
		uint8_t *room = buffer_room(out, 65536 < max ? 65536 : max);
		size_t n = room ? fread(room, 1, 65536 < max ? 65536 : max, f) : 0;
		if (!room)
			bad = fault_set(fault, ERR_FULL, "%s: larger than %zu bytes", path, max);
		if (n == 0)
			break;
		buffer_grown(out, n);
	}
	if (!bad && ferror(f))
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (f != stdin)
		fclose(f);
	return bad;
}

int command_config(const struct arguments *a, struct config *config, struct fault *fault)
{
	const char *file = arguments_flag(a, "config");
	struct buffer text = BUFFER(0);
	int bad = command_read_file(file ? file : CONFIG_DEFAULT, CONFIG_BYTES_MAX, &text, fault);
	if (bad == ERR_MISSING && !file) { /* everything has a default */
		bad = 0;
		fault->text[0] = '\0';
	}
	if (!bad)
		bad = config_read(buffer_bytes(&text), file ? file : CONFIG_DEFAULT, config, fault);
	buffer_done(&text);
	return bad;
}
