/*
 * The readable summary: what there was, from whom, with what, and everything unusual.
 *
 * All tables are bounded.  Packets of ports are exact, their sources up to 64 and then within
 * 6.5 % ("~"); the rankings of sources are exact as long as memory lets the accounts keep every
 * source, and the summary says when it does not.
 */
#include "passive/telescope/findings.h"
#include "passive/telescope/output.h"
#include "passive/telescope/page.h"
#include "passive/telescope/unknown.h"
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#define TOP_DEFAULT 10
#define PORT_ROWS (5u << 16)
#define PORT_SETS_MAX (1u << 17) /* ports whose sources are counted: 32 MiB */
#define ASKED_MAX SIGNATURE_PAYLOADS_MAX
#define VERDICTS_MAX 8
#define TOOLS_SHOWN 24 /* characters */

struct port_row {
	uint64_t packets;
	struct distinct sources;
};

struct asked_row {
	const char *name;
	bool amplifies;
	uint64_t packets;
	struct distinct sources;
};

struct source_row {
	struct source_sum sum; /* begins with the address */
	const char *verdict;
	unsigned confidence;
	char reasons[64];
};

struct summary {
	struct page page;
	const struct signatures *signatures;
	unsigned top;
	struct rate rate;
	struct port_row *ports; /* of TCP, UDP, ICMP, ICMPv6 and others, 2^16 each */
	unsigned port_sets;
	struct asked_row *asked;
	unsigned asked_count;
	struct ranking sources, shared, surveys;
	struct findings findings;
	struct unknown_payloads unknown;
	struct verdict_row {
		const char *name;
		uint64_t sources, packets;
	} verdicts[VERDICTS_MAX];
};

static uint64_t address_key(const struct address *a) { return XXH3_64bits(a, sizeof *a); }

static int summary_packets(void *state, const struct packet_batch *b, struct fault *fault)
{
	struct summary *s = state;
	(void)fault;
	for (unsigned i = 0; i < b->count; i++)
		rate_count(&s->rate, b->time_us[i]);
	return 0;
}

/* Names are compared as pointers: each stands once in the signatures. */
static void asked_take(struct summary *s, const struct record *r)
{
	unsigned i = 0;
	while (i < s->asked_count && s->asked[i].name != r->payload_name)
		i++;
	if (i == ASKED_MAX)
		return;
	if (i == s->asked_count)
		s->asked[s->asked_count++] = (struct asked_row){.name = r->payload_name, .amplifies = r->amplifies};
	s->asked[i].packets += r->packets;
	distinct_add(&s->asked[i].sources, address_key(&r->source));
}

static int summary_record(void *state, const struct record *r, struct fault *fault)
{
	struct summary *s = state;
	(void)fault;
	findings_take_record(&s->findings, r);
	if (r->payload_name)
		asked_take(s, r);
	if (r->answer) /* the port is the source's: nobody asks for it here */
		return 0;
	struct port_row *row = &s->ports[port_index(r->proto, r->port)];
	row->packets += r->packets;
	if (row->sources.room || s->port_sets < PORT_SETS_MAX) {
		s->port_sets += !row->sources.room;
		distinct_add(&row->sources, address_key(&r->source));
	}
	return 0;
}

static int summary_finding(void *state, const struct finding *f, struct fault *fault)
{
	struct summary *s = state;
	(void)fault;
	findings_take(&s->findings, f);
	return 0;
}

static void source_rank(struct ranking *ranking, uint64_t weight, const struct source_row *row)
{
	struct source_row *known = ranking_find(ranking, &row->sum.address);
	if (!known) {
		ranking_offer(ranking, weight, row);
		return;
	}
	known->sum.packets += row->sum.packets; /* it had been forgotten, and came back */
	known->sum.records += row->sum.records;
	known->sum.tools |= row->sum.tools;
	known->sum.classes |= row->sum.classes;
	if (row->sum.hosts > known->sum.hosts)
		known->sum.hosts = row->sum.hosts;
	ranking_weigh(ranking, known, known->sum.packets);
}

static void verdict_take(struct summary *s, const struct source_sum *sum, const char *verdict)
{
	for (int i = 0; i < VERDICTS_MAX; i++) {
		struct verdict_row *v = &s->verdicts[i];
		if (!v->name)
			v->name = verdict;
		if (!strcmp(v->name, verdict)) {
			v->sources++;
			v->packets += sum->packets;
			return;
		}
	}
}

static int summary_source(void *state, const struct source_sum *sum, const struct judgement *judgement,
			  struct fault *fault)
{
	struct summary *s = state;
	struct source_row row = {.sum = *sum, .verdict = judgement ? judgement->verdict : ""};
	(void)fault;
	findings_take_source(&s->findings, sum);
	if (judgement) {
		row.confidence = judgement->confidence;
		snprintf(row.reasons, sizeof row.reasons, "%s", judgement->reasons);
		verdict_take(s, sum, judgement->verdict);
		if (!strcmp(judgement->verdict, "survey"))
			source_rank(&s->surveys, sum->packets, &row);
	}
	source_rank(&s->sources, sum->packets, &row);
	if (sum->hosts > 1)
		source_rank(&s->shared, sum->packets, &row);
	return 0;
}

static int summary_payloads(void *state, const struct similar_group *g, struct fault *fault)
{
	struct summary *s = state;
	(void)fault;
	unknown_take(&s->unknown, g);
	return 0;
}

static void column_names(struct page *p, const int *widths, const char *const *names)
{
	int all[PAGE_COLUMNS_MAX] = {0};
	for (int i = 0; i < PAGE_COLUMNS_MAX && widths[i]; i++)
		all[i] = widths[i];
	page_section(p, all, names);
}

#define COLUMNS(...) ((const int[]){__VA_ARGS__, 0})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})

static char *moment_text(uint64_t us, char text[32])
{
	struct moments m = {0};
	struct writer w = writer_of(text, 31);
	write_moment(&w, &m, us);
	text[10] = ' ';
	text[19] = '\0';
	return text;
}

static void show_head(struct summary *s, const struct reading_end *end)
{
	const struct sums *sums = end->sums;
	char a[32], b[32], length[DURATION_TEXT_MAX], n[5][GROUPED_TEXT_MAX];
	uint64_t us = sums->last_us - sums->first_us;
	page_line(&s->page, "%u file%s, %s packets, %s bytes, %s%s sources, %s accounts", end->files,
		  end->files == 1 ? "" : "s", grouped_text(sums->packets.frames, n[0]),
		  grouped_text(sums->packets.bytes, n[1]), sums->sources_estimated ? "about " : "",
		  grouped_text(sums->sources, n[2]), grouped_text(sums->records, n[3]));
	if (!sums->packets.taken)
		return;
	page_line(&s->page, "%s to %s UTC, %s, %s packets/s", moment_text(sums->first_us, a),
		  moment_text(sums->last_us, b), duration_text(us, length),
		  grouped_text(us ? (uint64_t)((double)sums->packets.taken * 1e6 / (double)us) : 0, n[4]));
	page_rate(&s->page, &s->rate);
}

static void show_frames(struct summary *s, const struct packet_counts *p)
{
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{"TCP", p->tcp},
		{"UDP", p->udp},
		{"ICMP", p->icmp},
		{"ICMPv6", p->icmp6},
		{"other protocols", p->other_transport},
		{"not addressed to what is watched", p->elsewhere},
		{"not IP", p->not_ip},
		{"malformed before the end of the IP header", p->malformed},
	};
	column_names(&s->page, COLUMNS(-44, 15, 9), NAMES("Frames", "packets", "share"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].count) {
			page_text(&s->page, rows[i].name);
			page_number(&s->page, rows[i].count);
			page_share(&s->page, rows[i].count, p->frames);
		}
}

static void show_share(struct summary *s, const char *name, uint64_t packets, uint64_t sources,
		       const struct sums *sums)
{
	if (!packets)
		return;
	page_text(&s->page, name);
	page_number(&s->page, packets);
	page_share(&s->page, packets, sums->packets.taken);
	page_number(&s->page, sources);
}

static void show_classes(struct summary *s, const struct sums *sums)
{
	column_names(&s->page, COLUMNS(-44, 15, 9, 13), NAMES("Kinds of traffic", "packets", "share", "sources"));
	for (unsigned c = 0; c < TRAFFIC_CLASSES; c++)
		show_share(s, traffic_class_names[c], sums->classes[c].packets, sums->classes[c].sources, sums);
}

static void show_tools(struct summary *s, const struct sums *sums)
{
	bool shown[SIGNATURE_TOOLS_MAX + 1] = {false};
	column_names(&s->page, COLUMNS(-44, 15, 9, 13), NAMES("Tools", "packets", "share", "sources"));
	for (;;) {
		unsigned best = 0;
		for (unsigned t = 1; t <= SIGNATURE_TOOLS_MAX && s->signatures; t++)
			if (!shown[t] && sums->tools[t].packets > (best ? sums->tools[best].packets : 0))
				best = t;
		if (!best)
			break;
		shown[best] = true;
		show_share(s, signatures_tool(s->signatures, best), sums->tools[best].packets,
			   sums->tools[best].sources, sums);
	}
	show_share(s, "none that is known", sums->tools[0].packets, sums->tools[0].sources, sums);
}

static void show_distinct(struct page *p, const struct distinct *d)
{
	char number[GROUPED_TEXT_MAX], text[GROUPED_TEXT_MAX + 1];
	snprintf(text, sizeof text, "%s%s", distinct_is_exact(d) ? "" : "~",
		 d->room ? grouped_text(distinct_count(d), number) : "not counted");
	page_text(p, text);
}

static void show_ports(struct summary *s, const struct sums *sums)
{
	uint64_t below = UINT64_MAX;
	uint32_t last = 0;
	column_names(&s->page, COLUMNS(-44, 15, 9, 13), NAMES("Ports asked for", "packets", "share", "sources"));
	for (unsigned shown = 0; shown < s->top; shown++) {
		uint32_t best = PORT_ROWS;
		for (uint32_t i = 0; i < PORT_ROWS; i++) {
			uint64_t n = s->ports[i].packets;
			bool after = n < below || (n == below && i > last);
			if (n && after && (best == PORT_ROWS || n > s->ports[best].packets))
				best = i;
		}
		if (best == PORT_ROWS)
			break;
		char name[32];
		below = s->ports[best].packets;
		last = best;
		page_text(&s->page, port_text(best, name));
		page_number(&s->page, below);
		page_share(&s->page, below, sums->packets.taken);
		show_distinct(&s->page, &s->ports[best].sources);
	}
}

static int asked_order(const void *a, const void *b)
{
	const struct asked_row *x = a, *y = b;
	return x->packets == y->packets ? strcmp(x->name, y->name) : x->packets < y->packets ? 1 : -1;
}

static void show_asked(struct summary *s, const struct sums *sums)
{
	if (!s->asked_count)
		return;
	qsort(s->asked, s->asked_count, sizeof *s->asked, asked_order);
	column_names(&s->page, COLUMNS(-44, 15, 9, 13, -12),
		     NAMES("Payloads that are known", "packets", "share", "sources", ""));
	for (unsigned i = 0; i < s->asked_count && i < s->top; i++) {
		page_text(&s->page, s->asked[i].name);
		page_number(&s->page, s->asked[i].packets);
		page_share(&s->page, s->asked[i].packets, sums->packets.taken);
		show_distinct(&s->page, &s->asked[i].sources);
		page_text(&s->page, s->asked[i].amplifies ? "amplifies" : "");
	}
}

static const char *kinds_text(const struct summary *s, const struct source_row *row, char *text, size_t n)
{
	struct writer w = writer_of(text, n - 1);
	for (unsigned c = 0; c < TRAFFIC_CLASSES; c++)
		if (row->sum.classes >> c & 1)
			write_fmt(&w, "%s%s", writer_used(&w) ? ", " : "", traffic_class_names[c]);
	for (unsigned t = 0; t < SIGNATURE_TOOLS_MAX && s->signatures; t++)
		if (row->sum.tools >> t & 1)
			write_fmt(&w, "%s%s", writer_used(&w) ? ", " : "", signatures_tool(s->signatures, t + 1));
	if (*row->verdict)
		write_fmt(&w, "; %s", row->verdict);
	*w.at = '\0';
	return text;
}

static void show_sources(struct summary *s, struct ranking *ranking, const char *title, bool hosts)
{
	char address[ADDRESS_TEXT_MAX], kinds[PAGE_WIDTH];
	if (!ranking->count)
		return;
	ranking_sort(ranking);
	column_names(&s->page, COLUMNS(-28, 13, 9, 11, -31),
		     NAMES(title, "packets", hosts ? "hosts" : "accounts", "addresses", "kind, tools"));
	for (unsigned i = 0; i < ranking->count && i < s->top; i++) {
		const struct source_row *row = ranking_row(ranking, i);
		page_text(&s->page, address_format(&row->sum.address, address));
		page_number(&s->page, row->sum.packets);
		page_number(&s->page, hosts ? row->sum.hosts : row->sum.records);
		page_number(&s->page, row->sum.destinations);
		page_text(&s->page, kinds_text(s, row, kinds, sizeof kinds));
	}
}

static void show_surveys(struct summary *s)
{
	char address[ADDRESS_TEXT_MAX], sure[16];
	if (!s->verdicts[0].name)
		return;
	column_names(&s->page, COLUMNS(-44, 15, 13), NAMES("Attack or survey", "packets", "sources"));
	for (int i = 0; i < VERDICTS_MAX && s->verdicts[i].name; i++) {
		page_text(&s->page, s->verdicts[i].name);
		page_number(&s->page, s->verdicts[i].packets);
		page_number(&s->page, s->verdicts[i].sources);
	}
	if (!s->surveys.count)
		return;
	ranking_sort(&s->surveys);
	column_names(&s->page, COLUMNS(-28, 13, 6, -47), NAMES("Surveys", "packets", "sure", "why"));
	for (unsigned i = 0; i < s->surveys.count && i < s->top; i++) {
		const struct source_row *row = ranking_row(&s->surveys, i);
		snprintf(sure, sizeof sure, "%u %%", row->confidence);
		page_text(&s->page, address_format(&row->sum.address, address));
		page_number(&s->page, row->sum.packets);
		page_text(&s->page, sure);
		page_text(&s->page, row->reasons);
	}
}

static void note(struct summary *s, uint64_t count, const char *what)
{
	char number[GROUPED_TEXT_MAX];
	if (count)
		page_line(&s->page, "  %s %s", grouped_text(count, number), what);
}

static void show_notes(struct summary *s, const struct reading_end *end)
{
	const struct sums *sums = end->sums;
	const struct {
		uint64_t count;
		const char *what;
	} notes[] = {
		{end->broken, "files could not be read to their end"},
		{end->torn, "files end within a frame"},
		{end->dropped, "packets were dropped by the capturing systems, as they say themselves"},
		{sums->packets.fragments, "packets are fragments"},
		{sums->packets.short_transport, "transport headers are cut or lie; their ports count as 0"},
		{sums->ends[RECORD_EARLY], "accounts were ended early, since memory was short (--memory)"},
		{sums->ends[RECORD_FULL], "accounts were ended since a counter was full"},
		{sums->time_backwards, "packets are older than the newest by more than the time-out"},
		{sums->shapes_unkept, "SYN signatures were not kept, their table is full"},
		{sums->payloads_unkept, "payload samples were not kept, their table is full"},
		{end->payloads.left_out, "payloads that no signature knows were not compared, there are too many"},
		{end->payloads.forgotten, "groups of such payloads made room for others"},
		{sums->targets_unkept, "addresses here were not watched for floods, their table is full"},
	};
	uint64_t any = sums->sources_estimated;
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		any |= notes[i].count;
	if (!any)
		return;
	column_names(&s->page, COLUMNS(-44), NAMES("To be noted"));
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		note(s, notes[i].count, notes[i].what);
	if (sums->sources_estimated)
		page_line(&s->page, "  sources were forgotten since memory was short: their number is an estimate");
}

static int summary_end(void *state, const struct reading_end *end, struct fault *fault)
{
	struct summary *s = state;
	const struct sums *sums = end->sums;
	show_head(s, end);
	show_frames(s, &sums->packets);
	if (sums->packets.taken) {
		show_classes(s, sums);
		show_tools(s, sums);
		show_ports(s, sums);
		show_asked(s, sums);
		unknown_show(&s->unknown, &end->payloads, &s->page);
		show_sources(s, &s->sources, "Sources", false);
		findings_show(&s->findings, s->top, &s->page);
		show_surveys(s);
		show_sources(s, &s->shared, "Several hosts, one address", true);
	}
	show_notes(s, end);
	return lines_flush(&s->page.lines, fault);
}

static int summary_begin(void *state, const struct output_context *context, struct fault *fault)
{
	struct summary *s = state;
	const char *top = context->flag(context->arg, "top");
	uint64_t n = TOP_DEFAULT;
	if (top && (!bytes_number(bytes_of_text(top), RANKING_ROWS_MAX, &n) || n == 0))
		return fault_set(fault, ERR_BAD, "--top: \"%s\" is not a number from 1 to %d", top,
				 RANKING_ROWS_MAX);
	s->top = (unsigned)n;
	s->signatures = context->signatures;
	s->page.utf8 = locale_is_utf8();
	s->ports = calloc(PORT_ROWS, sizeof *s->ports);
	s->asked = calloc(ASKED_MAX, sizeof *s->asked);
	int bad = s->ports && s->asked ? 0 : ERR_MEMORY;
	struct ranking *const rankings[] = {&s->sources, &s->shared, &s->surveys};
	for (int i = 0; i < 3; i++)
		bad |= ranking_open(rankings[i], sizeof(struct source_row), s->top);
	bad |= unknown_open(&s->unknown, s->top);
	bad |= findings_open(&s->findings);
	if (bad)
		return fault_set(fault, ERR_MEMORY, "no memory for the tables of the summary");
	return lines_open(&s->page.lines, STDOUT_FILENO, "standard output", fault);
}

static void summary_close(void *state)
{
	struct summary *s = state;
	for (uint32_t i = 0; s->ports && i < PORT_ROWS; i++)
		distinct_close(&s->ports[i].sources);
	for (unsigned i = 0; i < s->asked_count; i++)
		distinct_close(&s->asked[i].sources);
	free(s->ports);
	free(s->asked);
	ranking_close(&s->sources);
	ranking_close(&s->shared);
	ranking_close(&s->surveys);
	findings_close(&s->findings);
	unknown_close(&s->unknown);
	lines_close(&s->page.lines);
}

static const struct output summary = {
	.name = "text",
	.summary = "the readable summary",
	.flags = {
		{"text", NULL, "the readable summary, which is also what comes without any of these"},
		{"top", "N", "with the summary: rows of each table, default 10"},
	},
	.standard = true,
	.by_default = true,
	.state_size = sizeof(struct summary),
	.begin = summary_begin,
	.packets = summary_packets,
	.record = summary_record,
	.finding = summary_finding,
	.source = summary_source,
	.payloads = summary_payloads,
	.end = summary_end,
	.close = summary_close,
};
OUTPUT(summary);
