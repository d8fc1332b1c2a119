#include "base/clock.h"
#include "cli/scan_record.h"
#include "tests/test.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static char state[64];
static const uint16_t ports[] = {23, 80};

static struct scan_options options_of(const char *prefixes)
{
	struct scan_options o = {.ports = ports, .port_count = 2, .seed = 9, .shards = 1, .passes = 2, .position = 10};
	struct prefix_set set = {0};
	struct fault fault;
	struct scan_targets *t = NULL;
	CHECK(scan_targets_read(bytes_of_text(prefixes), "list", &set, &fault) == 0);
	prefix_set_seal(&set);
	CHECK(scan_targets_make(&t, &set, NULL, &fault) == 0);
	prefix_set_done(&set);
	o.targets = t;
	return o;
}

struct told {
	size_t certain, perhaps, again;
	uint64_t last_us;
};

static void count(void *arg, const struct scan_asked *a)
{
	struct told *t = arg;
	CHECK(!strcmp(a->survey, "one_survey") && !strcmp(a->protocol, "tcp") && (a->port == 23 || a->port == 80));
	CHECK(!a->last_us || a->first_us <= a->last_us);
	t->certain += a->certain;
	t->perhaps += !a->certain;
	t->again += a->again;
	t->last_us = a->last_us;
}

static struct told ask(const char *text)
{
	struct prefix p;
	struct told t = {0};
	struct fault fault = {0};
	CHECK(prefix_parse(bytes_of_text(text), &p));
	CHECK_SAY(scan_records_about(state, &p, 0, count, &t, &fault) == 0, "%s", fault.text);
	return t;
}

static void forget(void)
{
	char folder[80], path[400];
	snprintf(folder, sizeof folder, "%s/scans", state);
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(folder);
	rmdir(state);
}

TEST(scan_record_tells_what_was_sent_and_what_was_not)
{
	snprintf(state, sizeof state, "/tmp/kansoku-record.XXXXXX");
	CHECK(mkdtemp(state));
	CHECK(ask("192.0.2.1").certain == 0); /* no scan yet */
	struct scan_options o = options_of("192.0.2.0/26\n198.51.100.7\n");
	const struct survey_lease lease = {.name = "one survey"};
	struct scan_record *r;
	struct fault fault = {0};
	CHECK_SAY(scan_record_begin(&r, state, &lease, &o, &fault) == 0, "%s", fault.text);
	/* Killed before its first mark: of all that it meant to send nothing is certain. */
	struct told t = ask("192.0.2.0/26");
	const struct told lone = ask("198.51.100.7");
	CHECK(t.certain + lone.certain == 0 && t.perhaps + lone.perhaps == 2 * 2 * 65 - 10);
	scan_record_mark(r, &(struct scan_counts){.position = 30, .taken = 40});
	t = ask("192.0.2.0/26");
	const struct told other = ask("198.51.100.7");
	CHECK(t.certain + other.certain == 30 - 10 && t.perhaps + other.perhaps == 2 * 2 * 65 - 30);
	/* Ended: what came before `position` left, all else did not. */
	scan_record_end(r, &(struct scan_counts){.position = 135, .taken = 140});
	t = ask("192.0.2.0/26");
	const struct told last = ask("198.51.100.7");
	CHECK(t.certain + last.certain == 135 - 10 && t.perhaps + last.perhaps == 0 && t.again + last.again == 5);
	CHECK(ask("192.0.2.64").certain == 0 && ask("203.0.113.1").certain == 0);
	struct prefix wide;
	CHECK(prefix_parse(BYTES("192.0.0.0/16"), &wide));
	CHECK(scan_records_about(state, &wide, 0, count, &t, &fault) == ERR_FULL);
	scan_targets_done((struct scan_targets *)(uintptr_t)o.targets);
	forget();
}
