#include "tests/unit/analysis/feeds.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64], index_path[96];

const char *feeds_begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/kansoku-feeds.XXXXXX");
	CHECK(mkdtemp(folder));
	snprintf(index_path, sizeof index_path, "%s/weaknesses", folder);
	return index_path;
}

void feeds_end(void)
{
	unlink(index_path);
	CHECK(rmdir(folder) == 0); /* nothing else was left there */
}

int feeds_import_bytes(int kind, struct bytes text, struct fault *fault, struct weaknesses_counts *counts)
{
	struct import *import;
	FILE *file = tmpfile();
	CHECK(file && fwrite(text.at, 1, text.len, file) == text.len && fflush(file) == 0);
	CHECK_SAY(import_open(&import, index_path, fault) == 0, "%s", fault->text);
	lseek(fileno(file), 0, SEEK_SET);
	int bad = import_take(import, kind, fileno(file), "feed", fault);
	struct fault finishing = {0};
	CHECK_SAY(import_finish(import, &finishing) == 0, "%s", finishing.text);
	if (counts)
		*counts = *import_counts(import);
	import_close(import);
	fclose(file);
	return bad;
}

int feeds_import(int kind, const char *text, struct fault *fault, struct weaknesses_counts *counts)
{
	return feeds_import_bytes(kind, bytes_of_text(text), fault, counts);
}

struct weaknesses *feeds_open(void)
{
	struct weaknesses *w = NULL;
	struct fault fault = {0};
	int fd = open(index_path, O_RDONLY);
	CHECK_SAY(fd >= 0 && weaknesses_open(&w, fd, index_path, &fault) == 0, "%s", fault.text);
	close(fd);
	return w;
}
