/*
 * kansoku scan: one question to many addresses, within an approved survey.
 *
 * Order: permission, then what is asked of whom, then the kernel's silence on our ports, then the
 * scan, which stops within a second when the permission does.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bus/parent.h"
#include "cli/scan_output.h"
#include "cli/scan_record.h"
#include "cli/scan_words.h"
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_US 1000000u
#define SAMPLES 8 /* of the targets that --dry-run shows */

struct running {
	struct scan *scan;
	struct scan_permit *permit;
	struct scan_output *output;
	struct scan_record *record;
	const struct scan_words *words;
	bool progress, tell;
	uint64_t shown_us, shown_sent, shown_hits, began_us;
	uint8_t hits[16 + SURVEY_HITS_MAX * SURVEY_HIT_WIRE]; /* as "survey.hits" wants them */
	size_t hit_count;
	char state[256];
	uint64_t looked;
	bool told; /* why it stopped */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void signals_take(void)
{
	const struct sigaction take = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGINT, &take, NULL);
	sigaction(SIGTERM, &take, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static const char *protocol_word(enum scan_protocol p)
{
	static const char *const words[SCAN_PROTOCOLS] = {"tcp", "udp", "icmp"};
	return words[p];
}

static void hits_tell(struct running *r)
{
	const struct survey_lease *l = scan_permit_lease(r->permit);
	if (!r->hit_count)
		return;
	memcpy(r->hits, l->id.b, sizeof l->id.b);
	int64_t taken = scan_permit_tell_hits(r->permit,
					      (struct bytes){r->hits, 16 + r->hit_count * SURVEY_HIT_WIRE});
	r->looked += taken > 0 ? (uint64_t)taken : 0;
	r->hit_count = 0;
}

static void on_hit(void *arg, const struct scan_hit *hit)
{
	struct running *r = arg;
	scan_output_write(r->output, hit);
	if (!r->tell || !hit->success || hit->repeat)
		return;
	struct writer w = writer_of(r->hits + 16 + r->hit_count * SURVEY_HIT_WIRE, SURVEY_HIT_WIRE);
	write_bytes(&w, hit->target.b, sizeof hit->target.b);
	write_u16(&w, hit->port);
	write_u8(&w, hit->answer == SCAN_ANSWER_UDP ? 17 : 6);
	if (++r->hit_count == SURVEY_HITS_MAX)
		hits_tell(r);
}

static void show_duration(uint64_t us)
{
	const uint64_t s = us / SECOND_US;
	fprintf(stderr, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

static void show_progress(struct running *r, uint64_t now_us)
{
	const struct scan_counts *c = scan_counts(r->scan);
	const double seconds = (double)(now_us - r->shown_us) / 1e6;
	show_duration(now_us - r->began_us);
	fprintf(stderr, " %.1f %%; ", c->positions ? 100.0 * (double)c->position / (double)c->positions : 100.0);
	const uint64_t left = scan_time_left_us(r->scan);
	if (left) {
		show_duration(left);
		fputs(" left; ", stderr);
	}
	fprintf(stderr, "sent %" PRIu64 " (%.0f/s); hits %" PRIu64 " (%.0f/s, %.2f %%); drops %" PRIu64 "; forged %" PRIu64
		"\n", c->sent, (double)(c->sent - r->shown_sent) / seconds, c->hits,
		(double)(c->hits - r->shown_hits) / seconds, c->sent ? 100.0 * (double)c->hits / (double)c->sent : 0.0,
		c->dropped, c->forged);
	r->shown_us = now_us;
	r->shown_sent = c->sent;
	r->shown_hits = c->hits;
}

static struct survey_progress progress_of(struct running *r, bool done)
{
	const struct scan_counts *c = scan_counts(r->scan);
	return (struct survey_progress){.id = scan_permit_lease(r->permit)->id, .packets = c->sent, .hits = c->hits,
					.drops = c->dropped, .done = done};
}

/* Once in a step: whether to go on, and what a person sees. */
static void between_steps(struct running *r)
{
	struct fault fault = {0};
	const uint64_t now_us = clock_mono_us();
	const struct survey_progress progress = progress_of(r, false);
	const int bad = scan_permit_keep(r->permit, &progress, &fault);
	scan_refuse(r->scan, scan_permit_excluded(r->permit));
	if (bad && !r->told)
		fprintf(stderr, "kansoku scan: %s\n", fault.text);
	if (bad == ERR_DENIED || interrupted || scan_output_flush(r->output)) {
		scan_stop(r->scan);
		r->told = true;
	}
	hits_tell(r);
	scan_record_mark(r->record, scan_counts(r->scan));
	if (r->progress && now_us - r->shown_us >= SECOND_US)
		show_progress(r, now_us);
}

static void summarise(struct running *r)
{
	const struct scan_counts *c = scan_counts(r->scan);
	const struct scan_options *o = &r->words->options;
	const double seconds = (double)(clock_mono_us() - r->began_us) / 1e6;
	fprintf(stderr, "{\"survey\":\"%s\",\"protocol\":\"%s\",\"seed\":%" PRIu64 ",\"shard\":%" PRIu64 ",\"shards\":%" PRIu64
		",\"position\":%" PRIu64 ",\"positions\":%" PRIu64 ",\"complete\":%s,\"sent\":%" PRIu64 ",\"failed\":%" PRIu64
		",\"skipped\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"deferred\":%" PRIu64,
		scan_permit_lease(r->permit)->name, protocol_word(o->protocol), o->seed, o->shard, o->shards, c->position,
		c->positions, c->position == c->positions ? "true" : "false", c->sent, c->failed, c->skipped, c->refused,
		c->deferred);
	fprintf(stderr, ",\"received\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"forged\":%" PRIu64
		",\"hits\":%" PRIu64 ",\"repeats\":%" PRIu64, c->received, c->dropped, c->malformed, c->forged, c->hits,
		c->repeats);
	for (int i = 0; i < SCAN_ANSWER_COUNT; i++)
		if (c->answers[i])
			fprintf(stderr, ",\"%s\":%" PRIu64, scan_answer_name((enum scan_answer)i), c->answers[i]);
	if (r->tell)
		fprintf(stderr, ",\"looked\":%" PRIu64, r->looked);
	fprintf(stderr, ",\"seconds\":%.3f}\n", seconds);
}

static int run_scan(struct running *r, struct fault *fault)
{
	const struct scan_counts *c = scan_counts(r->scan);
	r->began_us = r->shown_us = clock_mono_us();
	scan_refuse(r->scan, scan_permit_excluded(r->permit));
	int phase = SCAN_SENDING;
	while (phase >= 0 && phase != SCAN_OVER) {
		phase = scan_step(r->scan, fault);
		between_steps(r);
	}
	const struct survey_progress last = progress_of(r, c->position == c->positions);
	scan_permit_end(r->permit, &last);
	scan_record_end(r->record, c);
	summarise(r);
	if (phase < 0)
		return phase;
	return scan_output_flush(r->output) ? fault_set(fault, ERR_GONE, "nobody reads the output any more") : 0;
}

static void say_plan(const struct scan_permit *permit, const struct scan_words *w)
{
	const struct scan_options *o = &w->options;
	const uint64_t count = scan_targets_count(w->targets);
	fprintf(stderr, "survey %s, permission from %s: %" PRIu64 " addresses, %s", scan_permit_lease(permit)->name,
		scan_permit_is_of_control(permit) ? "the running kansoku" : "the configuration", count,
		protocol_word(o->protocol));
	for (size_t i = 0; i < o->port_count; i++)
		fprintf(stderr, "%s%u", i ? "," : " ", o->ports[i]);
	if (o->rate)
		fprintf(stderr, ", %" PRIu64 " packets a second", o->rate);
	fprintf(stderr, "%s", o->passes > 1 ? ", in several passes" : "");
	if (o->packets_max)
		fprintf(stderr, ", at most %" PRIu64 " packets", o->packets_max);
	fprintf(stderr, ", seed %" PRIu64 "\n", o->seed);
}

/* Nothing is opened: the plan, and the first addresses of its order. */
static void dry_run(const struct scan_permit *permit, const struct scan_words *w)
{
	char text[ADDRESS_TEXT_MAX];
	const struct prefix_set *excluded = scan_permit_excluded(permit), *allowed = scan_permit_targets(permit);
	say_plan(permit, w);
	for (size_t i = 0; i < allowed->count; i++)
		printf("allowed %s\n", prefix_format(&allowed->items[i], text));
	for (size_t i = 0; i < excluded->count; i++)
		printf("excluded %s\n", prefix_format(&excluded->items[i], text));
	for (size_t i = 0; w->options.protocol == SCAN_UDP && i < w->options.port_count; i++)
		printf("question port %u: %zu bytes\n", w->ports[i],
		       w->options.payload.len ? w->options.payload.len : scan_payload_of(w->ports[i]).len);
	const uint64_t total = scan_plan_positions(&w->options);
	for (uint64_t i = 0; i < SAMPLES && i < total; i++) {
		struct address a;
		uint16_t port;
		scan_plan_at(&w->options, i, &a, &port);
		printf("%s %s port %u\n", i ? "then" : "first", address_format(&a, text), port);
	}
	printf("in all %" PRIu64 " packets at most\n", total);
}

static int say_when(const char *word, const struct scan_words *w)
{
	struct address a;
	uint64_t position;
	int found = 0;
	if (!address_parse(bytes_of_text(word), &a))
		return command_fail(2, "scan: \"%s\" is not an address", word);
	const size_t ports = w->options.port_count ? w->options.port_count : 1;
	for (size_t i = 0; i < ports; i++)
		if (scan_place_of(&w->options, &a, w->ports[i], &position)) {
			printf("%s port %u: position %" PRIu64 "\n", word, w->ports[i], position);
			found++;
		}
	if (!found)
		printf("%s is not asked\n", word);
	return found ? 0 : 1;
}

/* Whether the kernel is silent is said; that it is not is no reason not to scan. */
static struct scan_quiet *become_quiet(const struct scan_words *w, const struct scan *scan)
{
	struct scan_quiet *quiet = NULL;
	struct fault fault = {0};
	struct address from[2];
	const size_t count = scan_sources(scan, from);
	if (scan_quiet_begin(&quiet, from, count, w->options.source_low, w->options.source_high, &fault))
		fprintf(stderr, "kansoku scan: %s\n", fault.text);
	return quiet;
}

/* The folder of the opt-out file: an editor puts a new file into its place. */
static void folder_of(const char *file, char *folder, size_t n)
{
	snprintf(folder, n, "%s", file);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	else
		snprintf(folder, n, ".");
}

/*
 * From here on every packet is a stranger's.  What is left: the descriptors that are open, reading
 * the opt-outs, and the way to control where that gave the permission.
 */
static void confine(const struct running *r)
{
	const struct __user_cap_header_struct who = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct kept[2] = {{.effective = 1u << CAP_DAC_READ_SEARCH,
							.permitted = 1u << CAP_DAC_READ_SEARCH}};
	const char *file = scan_permit_opt_out(r->permit);
	const unsigned connects = scan_permit_is_of_control(r->permit) ? SANDBOX_CONNECT : 0;
	char folder[PATH_MAX], asked_out[PATH_MAX];
	struct sandbox_path paths[2];
	size_t count = 0;
	struct fault fault = {0};
	if (file) {
		folder_of(file, folder, sizeof folder);
		paths[count++] = (struct sandbox_path){.path = folder};
	}
	if (scan_permit_register(r->permit, asked_out, sizeof asked_out) == 0)
		/* Where no kansoku ever ran its register is not there yet; what can be named is the folder above. */
		paths[count++] = (struct sandbox_path){.path = access(asked_out, F_OK) ? r->state : asked_out};
	syscall(SYS_capset, &who, kept); /* fails where there is nothing to give up */
	if (sandbox_enter(SANDBOX_FILES | connects, paths, count, &fault))
		fprintf(stderr, "kansoku scan: %s; it goes on with the rights that it has\n", fault.text);
}

static int scan_with(const struct arguments *a, struct running *r, struct scan_words *w, struct fault *fault)
{
	struct scan_quiet *quiet = NULL;
	char text[256];
	struct writer line = writer_of(text, sizeof text - 1);
	w->options.hit = on_hit;
	w->options.arg = r;
	int bad = scan_open(&r->scan, &w->options, fault);
	if (bad)
		return bad;
	bad = scan_output_open(&r->output, arguments_flag(a, "output"), arguments_flag(a, "output-fields"),
			       arguments_flag(a, "json") != NULL, arguments_flag(a, "all") != NULL, fault);
	if (!bad)
		bad = scan_record_begin(&r->record, r->state, scan_permit_lease(r->permit), &w->options, fault);
	if (!bad) {
		say_plan(r->permit, w);
		scan_describe(r->scan, &line);
		*line.at = '\0';
		fprintf(stderr, "%s\n", text);
		if (!arguments_flag(a, "loud"))
			quiet = become_quiet(w, r->scan);
		signals_take();
		confine(r);
		bad = run_scan(r, fault);
	}
	scan_quiet_end(quiet);
	if (scan_output_close(r->output) && !bad)
		bad = fault_set(fault, ERR_GONE, "nobody reads the output any more");
	scan_close(r->scan);
	return bad;
}

static int scan_for(const struct arguments *a, const struct config *config, struct scan_permit *permit,
		    struct scan_words *w, struct fault *fault)
{
	struct running *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "no memory for the scan");
	r->permit = permit;
	r->words = w;
	r->progress = !arguments_flag(a, "no-progress");
	r->tell = arguments_flag(a, "tell") != NULL;
	const int bad = run_state_path(config, r->state, sizeof r->state)
				? fault_set(fault, ERR_BAD, "run.state: the path is too long") : scan_with(a, r, w, fault);
	free(r);
	return bad;
}

static int scan_by_permit(const struct arguments *a, const struct config *config, const char *survey)
{
	struct fault fault = {0};
	struct scan_permit *permit;
	struct scan_words words;
	int bad = scan_permit_open(&permit, config, survey, &fault);
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "scan: %s", fault.text);
	bad = scan_words_read(a, permit, &words, &fault);
	int status = 0;
	if (!bad && arguments_flag(a, "when")) {
		status = say_when(arguments_flag(a, "when"), &words);
		scan_words_done(&words);
	} else if (!bad && arguments_flag(a, "dry-run")) {
		dry_run(permit, &words);
		scan_words_done(&words);
	} else if (!bad) {
		bad = scan_for(a, config, permit, &words, &fault);
		scan_words_done(&words);
	}
	scan_permit_close(permit);
	return bad ? command_fail(bad == ERR_BAD ? 2 : 1, "scan: %s", fault.text) : status;
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct fault fault = {0};
	const char *survey = arguments_flag(a, "survey");
	if (arguments_flag(a, "list-fields")) {
		scan_output_fields(stdout);
		return 0;
	}
	if (!survey)
		return command_fail(2, "scan: --survey NAME is wanted: nothing is scanned that nobody approved");
	int bad = command_config(a, &config, &fault);
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "%s", fault.text);
	int status = scan_by_permit(a, &config, survey);
	config_done(&config);
	return status;
}

static const struct command scan_command = {
	.name = "scan",
	.synopsis = "--survey NAME [--protocol tcp|udp|icmp] [--ports LIST] [--targets FILE] [--rate N] [--json] [--tell] [--dry-run]",
	.summary = "ask many addresses one question, within an approved survey",
	.description =
		"Sends one packet to each address and port of a survey that the operator approved (active.surveys),\n"
		"in an order that looks random, and tells who answers. Answers without the scan's own hash in them\n"
		"are counted and not believed.\n"
		"\n"
		"A running kansoku is asked for permission and may end it within a second; where none runs, the\n"
		"configuration decides by the same rules: scope, special ranges, own networks, opt-outs (also those\n"
		"that come while it runs), known scanners, ports of one address, rate. Nothing is sent without a\n"
		"contact, or after the survey's last day. UDP wants tier 2.\n"
		"\n"
		"Standard output has the hits, with ZMap's columns or as JSON; standard error a line a second and\n"
		"at the end one JSON object with seed and position. An interrupted scan goes on with the same\n"
		"--seed and that --position; with --shard several machines share one order.\n"
		"\n"
		"The kernel would answer what comes to the scan's ports with resets; a table of nftables drops it\n"
		"before, and vanishes with the scan, however that ends. Needs root, or CAP_NET_RAW and, for that\n"
		"table, CAP_NET_ADMIN.",
	.flags = scan_flags,
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
COMMAND(scan_command);
