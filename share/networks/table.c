/* A table as it is kept: rows behind one another, each told by its first byte. */
#include "share/networks/table_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME_BYTES 200
#define ROW_BYTES_MAX (RECORD_VALUE_MAX + RECORD_TEXT_MAX + 64)
#define TEXT_MAX 255

struct networks_table {
	int folder;
	FILE *file;
	char name[NAME_BYTES], fresh[NAME_BYTES + 8];
	uint64_t rows;
	bool failed;
};

/* A source's name may hold anything: a file's may not. */
static void plain_name(const char *from, char *to, size_t room)
{
	size_t n = 0;
	for (; *from && n + 1 < room; from++)
		to[n++] = (*from >= '0' && *from <= '9') || (*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z') ? *from : '_';
	to[n] = '\0';
}

int networks_table_open(struct networks_table **out, int folder, const char *format, const char *source, struct fault *fault)
{
	char plain[128];
	struct networks_table *t = calloc(1, sizeof *t);
	if (!t)
		return fault_set(fault, ERR_MEMORY, "no memory for a table of networks");
	plain_name(source, plain, sizeof plain);
	snprintf(t->name, sizeof t->name, "%s.%s" NETWORKS_SUFFIX, format, plain);
	snprintf(t->fresh, sizeof t->fresh, "%s.new", t->name);
	t->folder = folder;
	int fd = openat(folder, t->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	t->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!t->file) {
		fault_set(fault, ERR_SYSTEM, "%s: %s", t->fresh, strerror(errno));
		if (fd >= 0)
			close(fd);
		free(t);
		return ERR_SYSTEM;
	}
	*out = t;
	return 0;
}

static void write_short(struct writer *w, struct bytes b)
{
	b.len = b.len < TEXT_MAX ? b.len : TEXT_MAX;
	write_u8(w, (uint8_t)b.len);
	write_span(w, b);
}

static void add_row(struct networks_table *t, const struct writer *w)
{
	struct bytes row = writer_bytes(w);
	t->failed |= w->bad || t->rows++ >= NETWORKS_ROWS_MAX || fwrite(row.at, 1, row.len, t->file) != row.len;
}

void networks_table_add(struct networks_table *t, const struct network *n)
{
	uint8_t room[ROW_BYTES_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, ROW_NETWORK);
	write_bytes(&w, n->first.b, sizeof n->first.b);
	write_bytes(&w, n->last.b, sizeof n->last.b);
	write_u32(&w, n->as);
	write_bytes(&w, n->country, 2);
	write_short(&w, n->name);
	write_short(&w, n->labels);
	add_row(t, &w);
}

void networks_table_add_as(struct networks_table *t, uint32_t as, struct bytes name, const char *country)
{
	uint8_t room[ROW_BYTES_MAX];
	char code[3] = "";
	struct writer w = writer_of(room, sizeof room);
	snprintf(code, sizeof code, "%s", country);
	write_u8(&w, ROW_AS);
	write_u32(&w, as);
	write_bytes(&w, code, 2);
	write_short(&w, name);
	add_row(t, &w);
}

int networks_table_keep(struct networks_table *t, struct fault *fault)
{
	bool bad = t->failed || fflush(t->file) || fdatasync(fileno(t->file));
	bad |= fclose(t->file) != 0;
	bad = bad || renameat(t->folder, t->fresh, t->folder, t->name);
	int status = !bad ? 0 : t->rows > NETWORKS_ROWS_MAX
		     ? fault_set(fault, ERR_FULL, "%s: more than %d rows", t->name, NETWORKS_ROWS_MAX)
		     : fault_set(fault, ERR_SYSTEM, "%s: it cannot be kept: %s", t->name, strerror(errno));
	if (bad)
		unlinkat(t->folder, t->fresh, 0);
	free(t);
	return status;
}

void networks_table_drop(struct networks_table *t)
{
	if (!t)
		return;
	fclose(t->file);
	unlinkat(t->folder, t->fresh, 0);
	free(t);
}
