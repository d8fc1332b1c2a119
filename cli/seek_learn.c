#include "cli/seek_learn.h"
#include "analysis/seeking.h"
#include "base/address.h"
#include "base/clock.h"
#include "cli/ask.h"
#include <stdlib.h>

#define LINES_MAX ((size_t)512 << 20)
#define DAY_US 86400000000u
#define SINCE_DAYS 90
#define SHARE_DEFAULT 80
#define OTHERS_DEFAULT 1

struct taking {
	struct buffer buffer;
	void (*take)(void *, struct bytes line);
	void *arg;
};

/* Whole lines, however the answer was cut. */
static bool take_part(void *arg, struct bytes part)
{
	struct taking *t = arg;
	struct bytes line;
	if (buffer_append(&t->buffer, part.at, part.len))
		return false;
	struct reader r = reader_of_bytes(buffer_bytes(&t->buffer));
	const uint8_t *from = r.at;
	while (read_line(&r, &line))
		t->take(t->arg, line);
	buffer_consume(&t->buffer, (size_t)(r.at - from));
	return true;
}

static int ask_lines(const struct question *q, const struct writer *sql, void (*take)(void *, struct bytes), void *arg,
		     struct fault *fault)
{
	struct taking t = {BUFFER(LINES_MAX), take, arg};
	int bad = sql->bad ? fault_set(fault, ERR_FULL, "too many addresses")
			   : question_ask(q, "lines", writer_bytes(sql), false, take_part, &t, fault);
	buffer_done(&t.buffer);
	return bad;
}

static bool read_since(const struct arguments *a, uint64_t *since_us)
{
	const char *since = arguments_flag(a, "since");
	*since_us = clock_utc_us() - SINCE_DAYS * DAY_US;
	return !since || time_parse(bytes_of_text(since), since_us);
}

static bool read_percent(const struct arguments *a, const char *flag, unsigned absent, unsigned *out)
{
	const char *text = arguments_flag(a, flag);
	uint64_t number = absent;
	bool good = !text || bytes_number(bytes_of_text(text), 100, &number);
	*out = (unsigned)number;
	return good;
}

/* What stands within IN (...): the question of --from, or the addresses of the words. */
static int write_hosts(const struct arguments *a, struct writer *w, struct fault *fault)
{
	const char *from = arguments_flag(a, "from");
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	if (from && arguments_count(a) > 2)
		return fault_set(fault, ERR_BAD, "--from or addresses, one of the two");
	if (from) {
		write_text(w, from);
		return 0;
	}
	if (arguments_count(a) < 3)
		return fault_set(fault, ERR_BAD, "which hosts? addresses, or --from \"SELECT src FROM log WHERE ...\"");
	for (size_t i = 2; i < arguments_count(a); i++) {
		if (!address_parse(bytes_of_text(arguments_word(a, i)), &address))
			return fault_set(fault, ERR_BAD, "\"%s\" is no address", arguments_word(a, i));
		write_fmt(w, "%s'%s'", i > 2 ? "," : "", address_format(&address, text));
	}
	return 0;
}

static void take_learned(void *arg, struct bytes line) { seek_learning_take(arg, line); }

static int ask_learned(const struct question *q, struct bytes hosts, uint64_t since_us, struct seek_learning *l,
		       struct fault *fault)
{
	uint8_t *room = malloc(SEEK_SQL_MAX);
	if (!room)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	struct writer sql = writer_of(room, SEEK_SQL_MAX);
	seek_hosts_sql(&sql, hosts, since_us);
	int bad = ask_lines(q, &sql, take_learned, l, fault);
	sql = writer_of(room, SEEK_SQL_MAX);
	seek_values_sql(&sql, hosts, since_us);
	bad = bad ? bad : ask_lines(q, &sql, take_learned, l, fault);
	free(room);
	return bad;
}

static void ignore(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

/* A candidate that its own reader refuses, or that misses its own examples, is none. */
static int check_candidate(struct bytes text, struct fault *fault)
{
	struct exposure_rules *rules;
	struct exposure_check check;
	const char *complaint;
	if (seek_rules_open(&rules))
		return fault_set(fault, ERR_MEMORY, "out of memory");
	exposure_rules_add(rules, text, "the candidate");
	complaint = exposure_rules_complaint(rules, 0);
	int bad = complaint ? fault_set(fault, ERR_BAD, "%s", complaint) : 0;
	exposure_rules_verify(rules, &check, ignore, NULL);
	if (!bad && check.failed)
		bad = fault_set(fault, ERR_BAD, "the candidate does not find its own examples");
	exposure_rules_close(rules);
	return bad;
}

static int print_candidate(const struct seek_learning *l, const struct seek_wish *wish)
{
	struct fault fault = {0};
	uint8_t *room = malloc(SEEK_CANDIDATE_MAX);
	if (!room)
		return command_fail(1, "out of memory");
	struct writer w = writer_of(room, SEEK_CANDIDATE_MAX);
	int status = 0;
	size_t count = seek_candidate_write(l, wish, &w);
	if (!l->named)
		status = command_fail(1, "none of the named hosts has answered since then");
	else if (!count)
		status = command_fail(1, "of %llu named hosts at least %u %% share no text that at most %u %% of %llu others have",
				      (unsigned long long)l->named, wish->named_percent, wish->others_percent,
				      (unsigned long long)l->others);
	else if (w.bad || check_candidate(writer_bytes(&w), &fault))
		status = command_fail(1, "%s", w.bad ? "the candidate is too long" : fault.text);
	else if (fwrite(room, 1, writer_used(&w), stdout) != writer_used(&w) || fflush(stdout))
		status = command_fail(1, "the candidate cannot be written");
	free(room);
	return status;
}

int seek_learn(const struct arguments *a)
{
	struct question question;
	struct fault fault = {0};
	struct seek_learning learning;
	char learned[160], time[TIME_TEXT_MAX];
	static uint8_t hosts[SEEK_SQL_MAX / 2];
	struct writer w = writer_of(hosts, sizeof hosts);
	uint64_t since_us;
	struct seek_wish wish = {.name = arguments_word(a, 1), .label = arguments_flag(a, "label"), .learned = learned};
	if (arguments_count(a) < 2 || !wish.label)
		return command_fail(2, "learn NAME --label \"infected: ...\" ADDRESS...; a label begins with " SEEK_MEANINGS);
	if (!read_since(a, &since_us) || !read_percent(a, "share", SHARE_DEFAULT, &wish.named_percent) ||
	    !read_percent(a, "others", OTHERS_DEFAULT, &wish.others_percent))
		return command_fail(2, "--since takes a time such as 2026-04-01, --share and --others take percents");
	if (write_hosts(a, &w, &fault))
		return command_fail(2, "%s", fault.text);
	if (question_begin(&question, a, &fault) || seek_learning_open(&learning))
		return command_fail(1, "%s", fault.text);
	int status = 1;
	if (ask_learned(&question, writer_bytes(&w), since_us, &learning, &fault)) {
		command_fail(1, "%s", fault.text);
	} else {
		snprintf(learned, sizeof learned, "own looks at %llu hosts, %.10s", (unsigned long long)learning.named,
			 time_format(clock_utc_us(), time));
		status = print_candidate(&learning, &wish);
	}
	seek_learning_close(&learning);
	return status;
}

static void take_tried(void *arg, struct bytes line) { seek_trial_take(arg, line); }

static void print_matches(struct seek_trial *t, const struct exposure_rules *rules, bool json)
{
	const uint64_t answered = seek_trial_answered(t);
	struct address shown[SEEK_SHOWN_MAX];
	char text[ADDRESS_TEXT_MAX];
	size_t count;
	for (size_t i = 0; i < exposure_rules_count(rules); i++) {
		const uint64_t matched = seek_trial_matched(t, i, shown, &count);
		printf(json ? "{\"seek\":\"%s\",\"hosts\":%llu,\"of\":%llu,\"some\":[" : "%s: %llu of %llu hosts that answered:",
		       exposure_rules_at(rules, i)->id, (unsigned long long)matched, (unsigned long long)answered);
		for (size_t k = 0; k < count; k++)
			printf(json ? "%s\"%s\"" : "%s %s", json && k ? "," : "", address_format(&shown[k], text));
		puts(json ? "]}" : matched > count ? " ..." : "");
	}
}

static int try_rules(const struct arguments *a, const struct exposure_rules *rules)
{
	struct question question;
	struct fault fault = {0};
	struct seek_trial *trial;
	char sql[4096];
	struct writer w = writer_of(sql, sizeof sql);
	uint64_t since_us;
	if (!read_since(a, &since_us))
		return command_fail(2, "--since takes a time such as 2026-04-01");
	if (question_begin(&question, a, &fault))
		return command_fail(1, "%s", fault.text);
	if (seek_trial_open(&trial, rules))
		return command_fail(1, "out of memory");
	seek_trial_sql(&w, since_us, clock_utc_us());
	int bad = ask_lines(&question, &w, take_tried, trial, &fault);
	if (!bad)
		print_matches(trial, rules, arguments_flag(a, "json"));
	seek_trial_close(trial);
	return bad ? command_fail(1, "%s", fault.text) : 0;
}

int seek_try(const struct arguments *a)
{
	struct exposure_rules *rules;
	struct fault fault = {0};
	const char *complaint;
	int bad = seek_rules_open(&rules) ? fault_set(&fault, ERR_MEMORY, "out of memory") : 0;
	for (size_t i = 1; i < arguments_count(a) && !bad; i++) {
		struct buffer text = BUFFER(EXPOSURE_FILE_MAX);
		bad = command_read_file(arguments_word(a, i), EXPOSURE_FILE_MAX, &text, &fault);
		if (!bad)
			exposure_rules_add(rules, buffer_bytes(&text), arguments_word(a, i));
		buffer_done(&text);
	}
	for (size_t i = 0; !bad && (complaint = exposure_rules_complaint(rules, i)); i++)
		fprintf(stderr, "%s\n", complaint);
	if (!bad && !exposure_rules_count(rules))
		bad = fault_set(&fault, ERR_BAD, "try FILE...: no seek is there to be tried");
	int status = bad ? command_fail(1, "%s", fault.text) : try_rules(a, rules);
	exposure_rules_close(rules);
	return status;
}
