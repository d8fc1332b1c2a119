/*
 * kansoku machines: which addresses were one machine, how long addresses keep theirs.
 *
 * The store is asked for what looks found that only one machine has; the rest is worked out here,
 * anew each time (analysis/machines.h).
 */
#include "analysis/machines.h"
#include "base/clock.h"
#include "cli/ask.h"
#include "event/event.h"
#include <stdlib.h>

#define SQL_MAX 8192
#define ANSWER_MAX (512u << 20)
#define DAY_US 86400000000u

struct shown {
	bool json, churn, shared;
	size_t most;
};

static bool take_part(void *arg, struct bytes part)
{
	return buffer_append(arg, part.at, part.len) == 0;
}

static void print_percent(const char *name, double share)
{
	if (share >= 0)
		printf("%s%.0f %%", name, 100 * share);
	else
		printf("%snot known", name);
}

static void print_machine(const struct shown *shown, const struct machine *m, uint64_t now_s)
{
	char address[ADDRESS_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	address_format(&m->address, address);
	time_format(m->first_s * 1000000, first);
	time_format(m->last_s * 1000000, last);
	const double age = now_s > m->last_s ? (double)(now_s - m->last_s) / 86400 : 0;
	if (shown->json) {
		printf("{\"key\":\"%s\",\"kind\":\"%s\",\"keys\":%zu,\"addresses\":%zu,\"looks\":%zu,\"address\":\"%s\","
		       "\"first\":\"%s\",\"last\":\"%s\",\"age_days\":%.3f,\"disputed\":%s,\"still\":", m->key,
		       machine_key_word(m->kind), m->keys, m->addresses, m->looks, address, first, last, age,
		       m->disputed ? "true" : "false");
		printf(m->still >= 0 ? "%.4f}\n" : "null}\n", m->still);
		return;
	}
	printf("%s %s\n  %zu addresses, %zu looks, %.10s to %.10s; last at %s, %.1f days ago, ", machine_key_word(m->kind),
	       m->key, m->addresses, m->looks, first, last, address, age);
	print_percent("still there: ", m->still);
	printf("%s%s\n", m->keys > 1 ? "; several keys that moved together" : "",
	       m->disputed ? "; disputed: another of its kind stood beside it" : "");
}

static void print_shared(const struct shown *shown, const struct machine_shared *s)
{
	if (shown->json)
		printf("{\"key\":\"%s\",\"kind\":\"%s\",\"addresses\":%zu,\"at_once\":%zu}\n", s->key,
		       machine_key_word(s->kind), s->addresses, s->at_once);
	else
		printf("%s %s\n  at %zu addresses, %zu at once: shared, no machine\n", machine_key_word(s->kind), s->key,
		       s->addresses, s->at_once);
}

static void print_points(const struct churn *c)
{
	for (size_t i = 0; i < CHURN_HORIZONS; i++) {
		const struct churn_point *p = &c->at[i];
		printf("  after %.0f days: ", p->days);
		if (p->kept < 0)
			printf("not watched so long");
		else
			printf("%.0f %% (%.0f to %.0f)", 100 * p->kept, 100 * p->low, 100 * p->high);
	}
	printf("\n");
}

static void print_network(const struct shown *shown, const struct machine_network *n)
{
	char prefix[ADDRESS_TEXT_MAX];
	const struct churn *c = &n->churn;
	const char *name = n->prefix.bits ? prefix_format(&n->prefix, prefix) : "all";
	if (shown->json) {
		printf("{\"network\":\"%s\",\"spells\":%zu,\"endings\":%zu,\"days\":%.3f,\"rate\":%.6f,\"low\":%.6f,"
		       "\"high\":%.6f", name, c->spells, c->endings, c->watched, c->rate, c->low, c->high);
		for (size_t i = 0; i < CHURN_HORIZONS; i++)
			if (c->at[i].kept >= 0)
				printf(",\"kept_%.0fd\":[%.4f,%.4f,%.4f]", c->at[i].days, c->at[i].kept, c->at[i].low,
				       c->at[i].high);
		printf("}\n");
		return;
	}
	printf("%s: %zu spells, %zu ended in %.1f days watched: %.3f a day (%.3f to %.3f)\n", name, c->spells, c->endings,
	       c->watched, c->rate, c->low, c->high);
	print_points(c);
}

static void print_all(const struct shown *shown, const struct machines *m, uint64_t now_s)
{
	const size_t machines = shown->churn || shown->shared ? 0 : machines_count(m);
	const size_t shared = shown->shared ? machines_shared_count(m) : 0;
	const size_t networks = shown->churn ? machines_network_count(m) : 0;
	for (size_t i = 0; i < machines && i < shown->most; i++)
		print_machine(shown, machines_at(m, i), now_s);
	for (size_t i = 0; i < shared && i < shown->most; i++)
		print_shared(shown, machines_shared_at(m, i));
	for (size_t i = 0; i < networks && i < shown->most; i++)
		print_network(shown, machines_network_at(m, i));
	if (!shown->json && machines + shared + networks == 0)
		puts("nothing of the kind was seen in that time");
}

static bool number_flag(const struct arguments *a, const char *name, uint64_t fallback, uint64_t max, uint64_t *out)
{
	const char *text = arguments_flag(a, name);
	*out = fallback;
	return !text || (bytes_number(bytes_of_text(text), max, out) && *out > 0);
}

static int work_out(struct question *q, uint64_t days, uint64_t shared, const struct shown *shown)
{
	char sql[SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	struct buffer answer = BUFFER(ANSWER_MAX);
	struct fault fault = {{0}};
	struct machines *m = NULL;
	const uint64_t now_us = clock_utc_us(), back_us = days * DAY_US;
	machines_sql((now_us > back_us ? now_us - back_us : 0) / 1000000, now_us / 1000000 + 1, &w);
	int bad = question_ask(q, "lines", writer_bytes(&w), false, take_part, &answer, &fault);
	if (!bad)
		bad = machines_open(&m, shared);
	if (!bad)
		bad = machines_take(m, buffer_bytes(&answer));
	if (!bad)
		bad = machines_conclude(m, now_us / 1000000);
	if (!bad)
		print_all(shown, m, now_us / 1000000);
	machines_close(m);
	buffer_done(&answer);
	return bad ? command_fail(1, "%s", fault.text[0] ? fault.text : error_name(bad)) : 0;
}

static int run(const struct arguments *a)
{
	struct question q;
	struct fault fault = {{0}};
	uint64_t days, shared, most;
	if (!number_flag(a, "days", 90, 3650, &days) || !number_flag(a, "shared", MACHINE_SHARED_DEFAULT, 1000000, &shared) ||
	    !number_flag(a, "most", 50, 100000000, &most))
		return command_fail(2, "--days, --shared and --most take a number from 1");
	const struct shown shown = {.json = arguments_flag(a, "json") != NULL,
				    .churn = arguments_flag(a, "churn") != NULL,
				    .shared = arguments_flag(a, "shared-keys") != NULL, .most = (size_t)most};
	if (question_begin(&q, a, &fault))
		return command_fail(1, "%s", fault.text);
	return work_out(&q, days, shared, &shown);
}

static const struct flag machines_flags[] = {
	{"churn", NULL, "how long addresses keep their machine, by network"},
	{"shared-keys", NULL, "keys that many machines have: firmware, images"},
	{"days", "N", "looks of so many days; default 90"},
	{"shared", "N", "a key at more than N addresses at once is a shared one; default 3"},
	{"most", "N", "lines at most; default 50"},
	{0},
};

static const struct command machines_command = {
	.name = "machines",
	.synopsis = "[--churn | --shared-keys] [--days N] [--shared N] [--most N] [--config FILE] [--json]",
	.summary = "machines over their addresses: moves, shared keys, disputes, how long addresses keep theirs",
	.description =
		"An address is not a machine. Machines are told apart by what only one has: the digest of a\n"
		"certificate, an SSH host key, a serial number. Each line says at how many addresses it was,\n"
		"where it was last, how long ago, and how probable it is that it still is there, by how long\n"
		"addresses of that network keep their machines. All is worked out anew from the events.",
	.flags = machines_flags,
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
COMMAND(machines_command);
