#include "tests/unit/store/journal_case.h"
#include <signal.h>
#include <sys/resource.h>

#define NOW 2000000u

static void add_many(struct journal_case *c, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		CHECK(case_add(c, i, "192.0.2.7", BYTES("cat /proc/cpuinfo")) == 0);
		if (i % 7 == 0)
			CHECK(journal_commit(c->journal, NOW, &c->fault) == 0);
	}
	CHECK(journal_commit(c->journal, NOW, &c->fault) == 0);
}

TEST(journal_gives_back_what_was_committed)
{
	struct journal_case c;
	uint32_t frames, erased;
	case_open(&c);
	add_many(&c, 0, 1000);
	CHECK(case_add(&c, 5000, "192.0.2.7", BYTES("not committed")) == 0);
	case_reopen(&c);
	CHECK(c.report.frames_waiting == 1000 && c.report.torn_bytes == 0);
	case_drain(&c, &frames, &erased);
	CHECK(frames == 1000 && erased == 0);
	case_reopen(&c);
	CHECK(c.report.frames_waiting == 0);
	case_drain(&c, &frames, &erased);
	CHECK(frames == 0);
	case_close(&c);
}

TEST(journal_keeps_a_frame_that_is_sent_again_once)
{
	struct journal_case c;
	uint32_t frames, erased;
	case_open(&c);
	add_many(&c, 0, 50);
	CHECK(case_add(&c, 49, "192.0.2.7", BYTES("cat /proc/cpuinfo")) == 1);
	case_reopen(&c);
	for (uint32_t i = 40; i < 60; i++)
		CHECK(case_add(&c, i, "192.0.2.7", BYTES("x")) == (i < 50));
	CHECK(journal_commit(c.journal, NOW, &c.fault) == 0);
	case_drain(&c, &frames, &erased);
	CHECK(frames == 60);
	case_close(&c);
}

static void tear(int fd, const char *name, void *arg)
{
	struct stat st;
	CHECK(fstat(fd, &st) == 0);
	if (strstr(name, ".journal"))
		CHECK(ftruncate(fd, st.st_size - *(off_t *)arg) == 0);
}

TEST(journal_cuts_a_torn_tail_and_keeps_the_rest)
{
	for (off_t cut = 1; cut < 200; cut += 12) {
		struct journal_case c;
		uint32_t frames, erased;
		case_open(&c);
		add_many(&c, 0, 14);
		CHECK(case_add(&c, 100, "192.0.2.7", BYTES("torn")) == 0);
		CHECK(case_add(&c, 101, "192.0.2.7", BYTES("torn")) == 0);
		CHECK(journal_commit(c.journal, NOW, &c.fault) == 0);
		journal_close(c.journal);
		c.journal = NULL;
		case_files(&c, tear, &cut);
		case_reopen(&c);
		CHECK(c.report.torn_bytes > 0 && c.report.damaged_bytes == 0);
		add_many(&c, 200, 203);
		case_drain(&c, &frames, &erased);
		CHECK_SAY(frames == 17 || frames == 11, "%u frames after a cut of %d", frames, (int)cut);
		case_close(&c);
	}
}

static void damage(int fd, const char *name, void *arg)
{
	(void)arg;
	if (strstr(name, ".journal")) /* among the groups: the head, which names all fields, is shorter */
		CHECK(pwrite(fd, "\xff\xff\xff", 3, lseek(fd, 0, SEEK_END) * 3 / 4) == 3);
}

TEST(journal_reads_past_damage_in_the_middle)
{
	struct journal_case c;
	uint32_t frames, erased;
	case_open(&c);
	add_many(&c, 0, 70);
	journal_close(c.journal);
	c.journal = NULL;
	case_files(&c, damage, NULL);
	case_reopen(&c);
	CHECK(c.report.damaged_bytes > 0);
	CHECK(c.report.frames_waiting >= 56 && c.report.frames_waiting < 70);
	(void)frames, (void)erased;
	case_close(&c);
}

TEST(journal_names_a_batch_once_and_for_ever)
{
	struct journal_case c;
	struct batch first, second, again;
	char name[BATCH_NAME_MAX], name_again[BATCH_NAME_MAX];
	case_open(&c);
	add_many(&c, 0, 500);
	CHECK(journal_batch(c.journal, &first, &c.fault) == 0);
	CHECK(journal_batch(c.journal, &second, &c.fault) == 0);
	CHECK(second.from == first.to && second.segment == first.segment);
	add_many(&c, 500, 600);
	case_reopen(&c);
	CHECK(journal_batch(c.journal, &again, &c.fault) == 0);
	CHECK_SAY(!strcmp(batch_name(&first, name), batch_name(&again, name_again)), "%s", name_again);
	CHECK(again.frames == first.frames);
	CHECK(journal_batch_done(c.journal, &second, &c.fault) == ERR_BAD);
	CHECK(journal_batch_done(c.journal, &first, &c.fault) == 0);
	journal_rewind(c.journal);
	CHECK(journal_batch(c.journal, &again, &c.fault) == 0 && again.from == second.from);
	case_close(&c);
}

TEST(journal_bounds_the_batches_that_are_out)
{
	struct journal_case c;
	struct batch b;
	case_open(&c);
	add_many(&c, 0, 2000);
	for (int i = 0; i < BATCHES_OUT_MAX; i++)
		CHECK(journal_batch(c.journal, &b, &c.fault) == 0);
	CHECK(journal_batch(c.journal, &b, &c.fault) == ERR_FULL);
	case_close(&c);
}

struct search {
	const char *needle;
	unsigned hits;
};

static void search(int fd, const char *name, void *arg)
{
	struct search *s = arg;
	struct stat st;
	(void)name;
	CHECK(fstat(fd, &st) == 0);
	uint8_t *all = malloc((size_t)st.st_size + 1);
	CHECK(all && pread(fd, all, (size_t)st.st_size, 0) == st.st_size);
	struct bytes rest = {all, (size_t)st.st_size};
	s->hits += bytes_find(rest, s->needle) < rest.len;
	free(all);
}

static bool from_source(void *arg, const struct event *e)
{
	struct address a;
	return event_address(e, FIELD_SRC, &a) && address_equal(&a, arg);
}

TEST(journal_erases_from_its_files_and_keeps_positions)
{
	struct journal_case c;
	struct address victim;
	struct batch before, after;
	struct search s = {.needle = "secret-of-the-victim"};
	uint64_t count = 0;
	uint32_t frames, erased;
	case_open(&c);
	CHECK(address_parse(BYTES("198.51.100.9"), &victim));
	add_many(&c, 0, 100);
	for (uint32_t i = 0; i < 5; i++)
		CHECK(case_add(&c, 1000 + i, "198.51.100.9", BYTES("secret-of-the-victim")) == 0);
	CHECK(journal_batch(c.journal, &before, &c.fault) == 0);
	CHECK(journal_erase(c.journal, from_source, &victim, true, NOW, &count, &c.fault) == 0);
	CHECK(count == 5);
	case_files(&c, search, &s);
	CHECK(s.hits == 1);
	CHECK(journal_erase(c.journal, from_source, &victim, false, NOW, &count, &c.fault) == 0);
	CHECK(count == 5);
	s.hits = 0;
	case_files(&c, search, &s);
	CHECK(s.hits == 0);
	add_many(&c, 2000, 2010);
	case_reopen(&c);
	CHECK(c.report.damaged_bytes == 0 && c.report.torn_bytes == 0);
	CHECK(journal_batch(c.journal, &after, &c.fault) == 0);
	CHECK(after.segment == before.segment && after.from == before.from && after.to == before.to);
	journal_rewind(c.journal);
	case_drain(&c, &frames, &erased);
	CHECK(frames == 110 && erased == 5);
	case_close(&c);
}

TEST(journal_forgets_what_was_inserted_when_its_time_is_over)
{
	struct journal_case c;
	uint32_t frames, erased;
	case_open(&c);
	c.limits.segment_bytes = 4096;
	case_reopen(&c);
	add_many(&c, 0, 500);
	uint64_t later = NOW + c.limits.segment_age_us + 1;
	CHECK(journal_forget(c.journal, later) == 0);
	case_drain(&c, &frames, &erased);
	CHECK(frames == 500);
	CHECK(journal_forget(c.journal, NOW) == 0);
	CHECK(journal_forget(c.journal, later) > 5);
	CHECK(case_add(&c, 501, "192.0.2.7", BYTES("after")) == 0);
	CHECK(journal_commit(c.journal, NOW, &c.fault) == 0);
	case_reopen(&c);
	case_drain(&c, &frames, &erased);
	CHECK(frames == 1);
	case_close(&c);
}

TEST(journal_survives_a_disk_that_is_full)
{
	struct journal_case c;
	uint32_t frames, erased;
	case_open(&c);
	add_many(&c, 0, 10);
	struct rlimit before, tight = {20000, RLIM_INFINITY};
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	tight.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &tight) == 0);
	for (uint32_t i = 100; i < 400; i++)
		CHECK(case_add(&c, i, "192.0.2.7", BYTES("more than fits into what is left")) == 0);
	int bad = journal_commit(c.journal, NOW, &c.fault);
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	CHECK(bad == ERR_SYSTEM && strstr(c.fault.text, "cannot write"));
	CHECK(journal_pending(c.journal) > 0);
	CHECK(journal_commit(c.journal, NOW, &c.fault) == 0);
	case_drain(&c, &frames, &erased);
	CHECK_SAY(frames == 310, "%u", frames);
	case_close(&c);
}

TEST(journal_is_used_by_one_process)
{
	struct journal_case c;
	struct journal *second;
	case_open(&c);
	CHECK(journal_open(&second, c.directory, &c.limits, NOW, &c.report, &c.fault) == ERR_DENIED);
	case_close(&c);
}
