/*
 * Bytes of a stranger as a feed, an index, a record, CPE names and versions, lines of software, rules, seeks and
 * what they are learned from: taken or refused, and what was taken can be asked.
 */
#include "analysis/exposure/applies_inner.h"
#include "analysis/exposure/feed_inner.h"
#include "analysis/exposure/index_inner.h"
#include "analysis/exposure/splitter_inner.h"
#include "analysis/exposure/version_inner.h"
#include "analysis/seeking.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool each(void *arg, const struct weakness *w)
{
	(void)arg;
	if (!bytes_is_utf8(bytes_of_text(w->cpe)) && w->criteria[0] == '\1')
		abort();
	return true;
}

static void ask_record(struct bytes record)
{
	static const struct software known[] = {
		{BYTES("cpe:/a:openbsd:openssh:7.4p1"), BYTES("OpenSSH_7.4p1 Debian-10"), BYTES("ssh:1"), 22, 90},
		{BYTES("cpe:2.3:o:linux:linux_kernel:*"), BYTES(""), BYTES("x"), 22, 90},
	};
	static struct host h;
	struct reader r = reader_of_bytes(record);
	struct record_head head;
	struct applied a;
	host_open(&h, NULL, known, 2);
	if (record_read_head(&r, &head))
		record_applies(&r, &head, &h, &a);
}

static int take(void *arg, struct bytes element)
{
	static uint8_t room[RECORD_BYTES_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct feed_entry e;
	(void)arg;
	if (feed_read(element, &e, &w) == 0 && e.kind == FEED_NVD) {
		struct reader r = reader_of_bytes(writer_bytes(&w));
		struct record_head h;
		if (!record_read_head(&r, &h))
			abort(); /* what we wrote must be readable */
		ask_record(writer_bytes(&w));
	}
	return 0;
}

static void as_index(struct bytes input)
{
	struct weaknesses *w;
	struct software s[SOFTWARE_MAX];
	size_t n = software_read(BYTES("22 90 ssh:1 cpe:/a:openbsd:openssh:7.4p1 OpenSSH"), s);
	int fd = memfd_create("index", 0);
	if (fd < 0 || write(fd, input.at, input.len) != (ssize_t)input.len)
		abort();
	if (weaknesses_open(&w, fd, "fuzz", NULL) == 0) {
		weaknesses_find(w, NULL, s, n, each, NULL);
		for (uint32_t i = 0; i < w->counts[SECTION_CVES]; i++) {
			struct index_cve c = index_cve(w, i);
			ask_record(index_record(w, &c));
		}
		weaknesses_close(w);
	}
	close(fd);
}

static void as_names(struct bytes input)
{
	struct cpe a, b;
	char text[CPE_TEXT_MAX];
	struct bytes first = {input.at, input.len / 2}, second = {input.at + input.len / 2, input.len - input.len / 2}, x, y;
	if (cpe_parse(first, &a) == 0) {
		cpe_format(&a, text);
		if (cpe_parse(bytes_of_text(text), &b) || cpe_compare(&a, &b) == CPE_DISJOINT)
			abort(); /* a name is itself once written and read */
		if (cpe_parse(second, &b) == 0)
			cpe_compare(&a, &b);
	}
	int order = version_compare(first, second), back = version_compare(second, first);
	if ((order < 0) != (back > 0) || version_compare(first, first) != 0)
		abort();
	version_split(first, &x, &y);
}

static void say(void *arg, const char *sentence)
{
	(void)arg;
	if (!*sentence)
		abort();
}

static void found(void *arg, const struct exposure_rule *rule, const char *evidence)
{
	(void)arg;
	if (!bytes_is_utf8(bytes_of_text(evidence)) || !rule->id)
		abort();
}

static void as_rules(struct bytes input, int (*open)(struct exposure_rules **))
{
	static struct event e;
	struct exposure_rules *rules;
	struct exposure_check check;
	struct products *products;
	if (event_start(NULL) || open(&rules))
		return;
	exposure_rules_add(rules, input, "fuzz.yaml");
	exposure_rules_verify(rules, &check, say, NULL);
	event_begin(&e, EVENT_HOST_ANSWERED);
	event_set_text(&e, FIELD_STATE, "open");
	event_set_number(&e, FIELD_SPORT, 23);
	event_set_bytes(&e, FIELD_BANNER, BYTES("\xff\x01login"));
	exposure_rules_judge(rules, &e, found, NULL);
	exposure_rules_close(rules);
	if (products_open(&products, input, "fuzz.yaml", NULL) == 0)
		products_close(products);
}

/* What was learned from any answers of the store is a seek that can be read and finds its own examples. */
static void as_learned(struct bytes input)
{
	static uint8_t room[SEEK_CANDIDATE_MAX];
	const struct seek_wish wish = {"fuzz", "infected: fuzz", "here", 1, 100};
	struct seek_learning learning;
	struct exposure_rules *seeks;
	struct exposure_check check;
	struct reader r = reader_of_bytes(input);
	struct bytes line;
	struct writer w = writer_of(room, sizeof room);
	if (event_start(NULL) || seek_learning_open(&learning) || seek_rules_open(&seeks))
		abort();
	while (read_line(&r, &line))
		seek_learning_take(&learning, line);
	if (seek_candidate_write(&learning, &wish, &w) && !w.bad) {
		exposure_rules_add(seeks, writer_bytes(&w), "learned");
		exposure_rules_verify(seeks, &check, say, NULL);
		if (check.rules != 1 || check.failed)
			abort();
	}
	exposure_rules_close(seeks);
	seek_learning_close(&learning);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	if (len == 0)
		return 0;
	struct bytes rest = {input + 1, len - 1};
	struct splitter s;
	struct software software[SOFTWARE_MAX];
	switch (input[0] % 8) {
	case 0: as_index(rest); break;
	case 1: as_names(rest); break;
	case 2: ask_record(rest); break;
	case 3: software_read(rest, software); break;
	case 5: as_rules(rest, exposure_rules_open); break;
	case 6: as_rules(rest, seek_rules_open); break;
	case 7: as_learned(rest); break;
	default:
		splitter_open(&s);
		/* In two pieces: where one ends must not matter. */
		if (splitter_take(&s, (struct bytes){rest.at, rest.len / 2}, take, NULL) == 0)
			splitter_take(&s, (struct bytes){rest.at + rest.len / 2, rest.len - rest.len / 2}, take, NULL);
		splitter_done(&s);
	}
	return 0;
}
