/* What passes between the process "partners" and the exchange, and the lists that pages are counted on. */
#include "share/serve/arrivals_inner.h"
#include "share/serve/serve_inner.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

TEST(serve_head_as_written)
{
	uint8_t room[SERVE_HEAD_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct serve_head head = {.method = BYTES("GET"), .path = BYTES("/taxii2/"), .authorization = BYTES("Bearer x"),
				  .arguments = {{BYTES("limit"), BYTES("7")}}, .argument_count = 1, .has_certificate = true,
				  .certificate = {9}, .body_len = 5}, read;
	serve_head_write(&head, &w);
	assert_false(w.bad);
	struct reader r = reader_of_bytes(writer_bytes(&w));
	assert_true(serve_head_read(&r, &read));
	assert_true(bytes_equal_text(read.path, "/taxii2/"));
	assert_true(bytes_equal_text(read.arguments[0].value, "7"));
	assert_true(read.has_certificate && !read.secure && read.certificate[0] == 9 && read.body_len == 5);
	/* Cut anywhere, it is refused. */
	for (size_t n = 0; n < writer_used(&w); n++) {
		r = reader_of(room, n);
		assert_false(serve_head_read(&r, &read));
	}
}

TEST(serve_answer_as_written)
{
	uint8_t room[1024];
	struct writer w = writer_of(room, sizeof room);
	struct serve_answer_head answer = {.number = 3, .status = 404, .headers = {{BYTES("A"), BYTES("b")}}, .header_count = 1}, read;
	serve_answer_write(&answer, &w);
	struct reader r = reader_of_bytes(writer_bytes(&w));
	assert_true(serve_answer_read(&r, &read));
	assert_true(read.number == 3 && read.status == 404 && bytes_equal_text(read.headers[0].value, "b"));
}

static int folder(char path[32])
{
	strcpy(path, "/tmp/kansoku-unit-XXXXXX");
	assert_non_null(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	return fd;
}

static struct event_id id_of(uint8_t n) { return (struct event_id){.b = {n}}; }

TEST(arrivals_keep_their_order)
{
	char path[32];
	struct arrivals *a;
	struct arrival entries[8];
	struct fault fault;
	int directory = folder(path);
	assert_int_equal(arrivals_open(&a, directory, "list", 1000, &fault), 0);
	/* A clock that stands still or goes back does not make dates equal. */
	for (uint8_t i = 1; i <= 3; i++)
		assert_int_equal(arrivals_add(a, &(struct event_id){.b = {i}}, 77, i == 3 ? 500 : 2000), 0);
	assert_int_equal(arrivals_count(a), 0);
	assert_int_equal(arrivals_keep(a, 42), 0);
	assert_int_equal(arrivals_read(a, 0, entries, 8), 3);
	assert_int_equal(entries[0].date_us, 2000);
	assert_int_equal(entries[1].date_us, 2000 + ARRIVAL_STEP_US);
	assert_int_equal(entries[2].date_us, 2000 + 2 * ARRIVAL_STEP_US);
	assert_int_equal(arrivals_after(a, 0), 0);
	assert_int_equal(arrivals_after(a, 2000 + ARRIVAL_STEP_US - 1), 0);
	assert_int_equal(arrivals_after(a, 2000 + ARRIVAL_STEP_US), 1);
	assert_int_equal(arrivals_after(a, UINT64_MAX), 3);
	/* What was not kept is not there after a restart, and its dates are free again. */
	struct event_id fourth = id_of(4);
	assert_int_equal(arrivals_add(a, &fourth, 77, 9000), 0);
	arrivals_close(a);
	assert_int_equal(arrivals_open(&a, directory, "list", 5000, &fault), 0);
	assert_int_equal(arrivals_count(a), 3);
	assert_int_equal(arrivals_mark(a), 42);
	assert_int_equal(arrivals_since(a), 1000);
	assert_int_equal(arrivals_add(a, &fourth, 78, 0), 0);
	assert_int_equal(arrivals_keep(a, 43), 0);
	assert_int_equal(arrivals_read(a, 3, entries, 8), 1);
	assert_int_equal(entries[0].date_us, 2000 + 3 * ARRIVAL_STEP_US);
	assert_int_equal(entries[0].time_us, 78);
	assert_int_equal(entries[0].id.b[0], 4);
	arrivals_close(a);
	/* A file that is cut is told, not read. */
	assert_int_equal(truncate(strcat(strcpy((char[64]){0}, path), "/list"), 100), 0);
	assert_int_equal(arrivals_open(&a, directory, "list", 5000, &fault), ERR_BAD);
	assert_int_equal(unlinkat(directory, "list", 0), 0);
	close(directory);
	rmdir(path);
}
