#include "cli/scan_record.h"
#include "base/clock.h"
#include "cli/command.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESSES_BITS 12
#define ENDING ".scan"

static const char *const protocols[SCAN_PROTOCOLS] = {"tcp", "udp", "icmp"};

struct scan_record {
	FILE *file;
	uint64_t marked_us;
};

static int folder_make(const char *state, char *path, size_t n)
{
	snprintf(path, n, "%s/scans", state);
	if (mkdir(state, 0755) && errno != EEXIST)
		return -1;
	return mkdir(path, 0700) && errno != EEXIST ? -1 : 0;
}

static void header_write(FILE *f, const struct survey_lease *l, const struct scan_options *o)
{
	fputs("# kansoku-scan 1 ", f);
	for (const char *n = l->name; *n; n++)
		fputc(*n > ' ' && *n < 127 ? *n : '_', f);
	fputc(' ', f);
	for (size_t i = 0; i < sizeof l->id.b; i++)
		fprintf(f, "%02x", l->id.b[i]);
	fprintf(f, " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n# ports", protocols[o->protocol],
		o->seed, o->shard, o->shards, o->passes, o->position, clock_utc_us());
	for (size_t i = 0; i < o->port_count; i++)
		fprintf(f, " %u", o->ports[i]);
	fputc('\n', f);
}

static int targets_write(FILE *f, const struct scan_targets *t)
{
	struct prefix_set set = {0};
	char text[ADDRESS_TEXT_MAX];
	int bad = scan_targets_prefixes(t, &set);
	for (size_t i = 0; i < set.count && !bad; i++)
		fprintf(f, "%s\n", prefix_format(&set.items[i], text));
	prefix_set_done(&set);
	return bad;
}

int scan_record_begin(struct scan_record **out, const char *state, const struct survey_lease *l,
		      const struct scan_options *o, struct fault *fault)
{
	char folder[300], path[400];
	struct scan_record *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "no memory for the scan's record");
	int bad = folder_make(state, folder, sizeof folder);
	snprintf(path, sizeof path, "%s/%" PRIu64 "-%d" ENDING, folder, clock_utc_us(), (int)getpid());
	r->file = bad ? NULL : fopen(path, "wxe");
	if (r->file) {
		header_write(r->file, l, o);
		bad = targets_write(r->file, o->targets) || fflush(r->file) || ferror(r->file) || fsync(fileno(r->file));
	}
	if (!r->file || bad) {
		const int why = errno;
		if (r->file)
			fclose(r->file);
		free(r);
		return fault_set(fault, ERR_SYSTEM, "%s: %s; what is sent must be accounted for, a run.state that can be "
				 "written would be right", path, strerror(why));
	}
	*out = r;
	return 0;
}

static void line_write(struct scan_record *r, const char *word, const struct scan_counts *c)
{
	fprintf(r->file, "# %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", word, clock_utc_us(), c->position, c->taken);
	fflush(r->file);
}

void scan_record_mark(struct scan_record *r, const struct scan_counts *c)
{
	const uint64_t now_us = clock_mono_us();
	if (now_us - r->marked_us < 1000000)
		return;
	r->marked_us = now_us;
	line_write(r, "at", c);
}

void scan_record_end(struct scan_record *r, const struct scan_counts *c)
{
	if (!r)
		return;
	line_write(r, "end", c);
	fclose(r->file);
	free(r);
}

struct reading {
	struct scan_options options;
	uint16_t ports[SCAN_PORTS_MAX];
	char survey[SURVEY_NAME_MAX + 1], lease[33];
	uint64_t began_us;
	struct scan_targets *targets;
	struct bytes text;
};

static bool number_next(struct bytes *words, uint64_t max, uint64_t *out)
{
	return bytes_number(bytes_word(words), max, out);
}

static bool header_read(struct reading *r, struct bytes line)
{
	struct scan_options *o = &r->options;
	struct bytes words = line;
	uint64_t version, protocol = SCAN_PROTOCOLS;
	if (!bytes_equal_text(bytes_word(&words), "#") || !bytes_equal_text(bytes_word(&words), "kansoku-scan") ||
	    !number_next(&words, 1, &version) || !bytes_copy_text(bytes_word(&words), r->survey, sizeof r->survey) ||
	    !bytes_copy_text(bytes_word(&words), r->lease, sizeof r->lease))
		return false;
	const struct bytes name = bytes_word(&words);
	for (uint64_t i = 0; i < SCAN_PROTOCOLS; i++)
		protocol = bytes_equal_text(name, protocols[i]) ? i : protocol;
	o->protocol = (enum scan_protocol)protocol;
	return protocol < SCAN_PROTOCOLS && number_next(&words, UINT64_MAX, &o->seed) &&
	       number_next(&words, SCAN_SHARDS_MAX, &o->shard) && number_next(&words, SCAN_SHARDS_MAX, &o->shards) &&
	       number_next(&words, SCAN_PASSES_MAX, &o->passes) && number_next(&words, UINT64_MAX, &o->position) &&
	       number_next(&words, UINT64_MAX, &r->began_us) && o->shard < (o->shards ? o->shards : 1);
}

static bool ports_read(struct reading *r, struct bytes words)
{
	uint64_t port;
	bytes_word(&words);
	bytes_word(&words);
	r->options.ports = r->ports;
	while (words.len && r->options.port_count < SCAN_PORTS_MAX) {
		if (!number_next(&words, 65535, &port))
			return false;
		r->ports[r->options.port_count++] = (uint16_t)port;
	}
	return true;
}

static bool record_read(struct reading *r, const char *path, struct bytes text)
{
	struct reader lines = reader_of_bytes(text);
	struct prefix_set set = {0};
	struct fault fault;
	struct bytes first, second;
	if (!read_line(&lines, &first) || !header_read(r, first) || !read_line(&lines, &second) || !ports_read(r, second))
		return false;
	r->text = (struct bytes){lines.at, reader_left(&lines)};
	int bad = scan_targets_read(r->text, path, &set, &fault);
	prefix_set_seal(&set);
	if (!bad)
		bad = scan_targets_make(&r->targets, &set, NULL, &fault);
	prefix_set_done(&set);
	r->options.targets = r->targets;
	return bad == 0;
}

/* When the packet of that position left, by the marks; false: it did not. */
static bool when(const struct reading *r, uint64_t position, struct scan_asked *out)
{
	struct reader lines = reader_of_bytes(r->text);
	struct bytes line;
	bool ended = false;
	out->first_us = r->began_us;
	out->last_us = 0;
	if (position < r->options.position)
		return false;
	while (read_line(&lines, &line)) {
		struct bytes words = line;
		uint64_t at_us, all_before, none_from;
		if (!bytes_equal_text(bytes_word(&words), "#"))
			continue;
		const struct bytes word = bytes_word(&words);
		if (!number_next(&words, UINT64_MAX, &at_us) || !number_next(&words, UINT64_MAX, &all_before) ||
		    !number_next(&words, UINT64_MAX, &none_from))
			continue;
		ended = bytes_equal_text(word, "end");
		if (none_from <= position)
			out->first_us = at_us;
		if (all_before > position) {
			out->last_us = at_us;
			out->certain = true;
			return true;
		}
	}
	/* Killed: what was sent after the last mark is not known.  Ended: what waited for its turn was not sent. */
	out->certain = false;
	return !ended;
}

struct inquiry {
	const struct prefix *prefix;
	uint64_t since_us;
	void (*each)(void *, const struct scan_asked *);
	void *arg;
};

static void tell_address(const struct reading *r, const struct inquiry *q, const struct address *a)
{
	const uint64_t passes = r->options.passes ? r->options.passes : 1;
	const uint64_t in_pass = scan_plan_positions(&r->options) / passes;
	const size_t ports = r->options.port_count ? r->options.port_count : 1;
	for (size_t i = 0; i < ports; i++) {
		uint64_t position;
		if (!scan_place_of(&r->options, a, r->ports[i], &position))
			continue;
		for (uint64_t pass = 0; pass < passes; pass++) {
			struct scan_asked asked = {.survey = r->survey, .lease = r->lease, .target = *a, .port = r->ports[i],
						   .protocol = protocols[r->options.protocol], .again = pass > 0};
			if (when(r, position + pass * in_pass, &asked) && (!asked.last_us || asked.last_us >= q->since_us))
				q->each(q->arg, &asked);
		}
	}
}

static void tell_record(const char *path, const struct inquiry *q)
{
	struct buffer text = {0};
	struct fault fault;
	struct reading *r = calloc(1, sizeof *r);
	if (r && command_read_file(path, SCAN_RECORD_BYTES_MAX, &text, &fault) == 0 && record_read(r, path, buffer_bytes(&text))) {
		struct address a = q->prefix->base;
		for (uint64_t left = (uint64_t)1 << (128 - q->prefix->bits); left > 0; left--) {
			tell_address(r, q, &a);
			for (int i = 15; i >= 0 && ++a.b[i] == 0; i--)
				continue;
		}
	}
	if (r)
		scan_targets_done(r->targets);
	free(r);
	buffer_done(&text);
}

static int is_record(const struct dirent *e)
{
	const size_t n = strlen(e->d_name), ending = sizeof ENDING - 1;
	return n > ending && !strcmp(e->d_name + n - ending, ENDING);
}

int scan_records_about(const char *state, const struct prefix *prefix, uint64_t since_us,
		       void (*each)(void *, const struct scan_asked *), void *arg, struct fault *fault)
{
	const struct inquiry q = {prefix, since_us, each, arg};
	struct dirent **names;
	char folder[300], path[600];
	snprintf(folder, sizeof folder, "%s/scans", state);
	const int count = scandir(folder, &names, is_record, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0 : fault_set(fault, ERR_SYSTEM, "%s: %s", folder, strerror(errno));
	const bool fits = prefix->bits >= 128 - ADDRESSES_BITS;
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
		if (fits)
			tell_record(path, &q);
		free(names[i]);
	}
	free(names);
	return fits || !count ? 0 : fault_set(fault, ERR_FULL, "the records of scans are looked through for at most %d addresses, "
					      "a smaller prefix would be right", 1 << ADDRESSES_BITS);
}
