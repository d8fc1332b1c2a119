/* A journal in a directory of its own, for the tests of the store's room. */
#pragma once
#include "store/journal.h"
#include "tests/test.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal_case {
	char path[64];
	int directory;
	struct journal *journal;
	struct journal_report report;
	struct journal_limits limits;
	struct fault fault;
};

static inline void case_reopen(struct journal_case *c)
{
	if (c->journal)
		journal_close(c->journal);
	c->journal = NULL;
	int bad = journal_open(&c->journal, c->directory, &c->limits, 1000000, &c->report, &c->fault);
	CHECK_SAY(bad == 0, "%s", c->fault.text);
}

static inline void case_open(struct journal_case *c)
{
	*c = (struct journal_case){.path = "/tmp/kansoku-journal-XXXXXX"};
	c->limits = (struct journal_limits){.segment_bytes = 1 << 20, .segment_age_us = 3600000000u,
					    .batch_frames = 100};
	CHECK(event_start(&c->fault) == 0);
	CHECK(mkdtemp(c->path));
	c->directory = open(c->path, O_RDONLY | O_DIRECTORY);
	CHECK(c->directory >= 0);
	case_reopen(c);
}

/* Calls visit for each file of the directory; the descriptor is open for both. */
static inline void case_files(struct journal_case *c, void (*visit)(int fd, const char *, void *), void *arg)
{
	DIR *d = opendir(c->path);
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));) {
		int fd = e->d_name[0] == '.' ? -1 : openat(c->directory, e->d_name, O_RDWR);
		if (fd < 0)
			continue;
		visit(fd, e->d_name, arg);
		close(fd);
	}
	closedir(d);
}

static inline void case_unlink(int fd, const char *name, void *arg)
{
	(void)fd;
	unlinkat(((struct journal_case *)arg)->directory, name, 0);
}

static inline void case_close(struct journal_case *c)
{
	if (c->journal)
		journal_close(c->journal);
	case_files(c, case_unlink, c);
	close(c->directory);
	rmdir(c->path);
}

/* A command.sent with that id, source and instruction. */
static inline struct bytes case_frame(uint8_t *out, uint32_t n, const char *src, struct bytes line)
{
	static struct event e;
	event_begin(&e, EVENT_COMMAND_SENT);
	struct id_maker maker = {7, n};
	e.time_us = 1700000000000000u + n;
	e.id = id_make(&maker, e.time_us);
	struct address a;
	CHECK(address_parse(bytes_of_text(src), &a));
	event_set_address(&e, FIELD_SRC, &a);
	event_set_bytes(&e, FIELD_COMMAND_LINE, line);
	struct writer w = writer_of(out, FRAME_MAX);
	frame_encode(&e, &w);
	CHECK(!w.bad);
	return writer_bytes(&w);
}

static inline int case_add(struct journal_case *c, uint32_t n, const char *src, struct bytes line)
{
	static uint8_t frame[FRAME_MAX];
	return journal_add(c->journal, case_frame(frame, n, src, line));
}

/* Takes all batches; counts frames that are there and those that were erased. */
static inline void case_drain(struct journal_case *c, uint32_t *frames, uint32_t *erased_frames)
{
	struct batch b;
	*frames = *erased_frames = 0;
	while (journal_batch(c->journal, &b, &c->fault) == 0) {
		struct buffer head = BUFFER(SEGMENT_HEAD_MAX), groups = BUFFER(2 * BATCH_BYTES_MAX);
		CHECK(journal_batch_read(c->journal, &b, &head, &groups, &c->fault) == 0);
		struct segment_head h;
		CHECK(segment_head_read(buffer_bytes(&head), &h) == 0);
		struct segment_walk w = segment_walk(&h, buffer_bytes(&groups), b.from);
		for (struct group g; segment_next(&w, &g);) {
			struct reader r = reader_of_bytes(g.payload);
			struct bytes frame;
			for (bool erased; group_frame(&r, &frame, &erased);)
				++*(erased ? erased_frames : frames);
			CHECK(reader_left(&r) == 0);
		}
		CHECK(w.at == b.to && w.damaged == 0);
		buffer_done(&head);
		buffer_done(&groups);
		CHECK_SAY(journal_batch_done(c->journal, &b, &c->fault) == 0, "%s", c->fault.text);
	}
}
