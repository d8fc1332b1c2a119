/*
 * What the process that speaks with partners hands to the exchange, and back: read, written again, and read the same; and
 * lists of arrivals, whatever stands in their file.
 */
#include "share/serve/arrivals_inner.h"
#include "share/serve/serve_inner.h"
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_wire(const uint8_t *data, size_t n)
{
	static uint8_t room[SERVE_HEAD_MAX * 8];
	static struct serve_head head, again;
	struct serve_answer_head answer;
	struct reader r = reader_of(data, n);
	if (serve_head_read(&r, &head)) {
		struct writer w = writer_of(room, sizeof room);
		serve_head_write(&head, &w);
		assert(!w.bad);
		r = reader_of_bytes(writer_bytes(&w));
		assert(serve_head_read(&r, &again) && again.argument_count == head.argument_count);
		assert(bytes_equal(again.path, head.path) && again.body_len == head.body_len);
	}
	r = reader_of(data, n);
	if (serve_answer_read(&r, &answer)) {
		struct writer w = writer_of(room, sizeof room);
		serve_answer_write(&answer, &w);
		assert(!w.bad);
	}
}

static void read_arrivals(const uint8_t *data, size_t n)
{
	static int directory = -1;
	static char path[] = "/tmp/kansoku-fuzz-XXXXXX";
	struct arrivals *list;
	struct arrival entries[4] = {0};
	struct fault fault;
	if (directory < 0)
		directory = open(mkdtemp(path), O_RDONLY | O_DIRECTORY);
	int fd = openat(directory, "list", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
	if (arrivals_open(&list, directory, "list", 1, &fault))
		return;
	arrivals_read(list, 0, entries, 4);
	arrivals_read(list, arrivals_after(list, entries[0].date_us), entries, 4);
	arrivals_close(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	read_wire(data, n);
	read_arrivals(data, n);
	return 0;
}
