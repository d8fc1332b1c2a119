/* Findings with what came after them, as tables. */
#include "passive/telescope/findings.h"

#define SCAN_LEAST 5 /* addresses or accounts, below which no source is found to scan */

struct finding_row {
	struct address address;
	struct finding finding;
	uint64_t packets, sources; /* of records of that kind that met there */
};

int findings_open(struct findings *f)
{
	int bad = 0;
	for (int i = 0; i < FINDING_KINDS; i++)
		bad |= ranking_open(&f->of_kind[i], sizeof(struct finding_row), FINDINGS_KEPT);
	return bad ? ERR_MEMORY : 0;
}

void findings_close(struct findings *f)
{
	for (int i = 0; i < FINDING_KINDS; i++)
		ranking_close(&f->of_kind[i]);
}

static void widen(struct finding *f, uint64_t first_us, uint64_t last_us)
{
	if (first_us < f->first_us)
		f->first_us = first_us;
	if (last_us > f->last_us)
		f->last_us = last_us;
}

/* Whoever is found again, since an interval or an attack was over, stays one row. */
void findings_take(struct findings *all, const struct finding *f)
{
	struct ranking *ranking = &all->of_kind[f->kind];
	struct finding_row *known = ranking_find(ranking, &f->address);
	if (!known) {
		ranking_offer(ranking, f->packets, &(struct finding_row){.address = f->address, .finding = *f});
		return;
	}
	known->finding.packets += f->packets;
	if (f->count > known->finding.count)
		known->finding.count = f->count;
	if (f->rate > known->finding.rate)
		known->finding.rate = f->rate;
	widen(&known->finding, f->first_us, f->last_us);
	ranking_weigh(ranking, known, known->finding.packets);
}

void findings_take_record(struct findings *all, const struct record *r)
{
	if ((r->class != CLASS_SPOOFED && r->class != CLASS_REFLECTION) || !r->destination_known)
		return;
	struct ranking *ranking = &all->of_kind[r->class == CLASS_SPOOFED ? FINDING_FLOOD : FINDING_REFLECTION];
	struct finding_row *row = ranking_find(ranking, &r->destination);
	if (!row)
		return;
	row->packets += r->packets;
	row->sources++;
	widen(&row->finding, r->first_us, r->last_us);
}

void findings_take_source(struct findings *all, const struct source_sum *sum)
{
	if (sum->destinations < SCAN_LEAST && sum->records < SCAN_LEAST)
		return;
	struct finding_row *row = ranking_find(&all->of_kind[FINDING_SCAN], &sum->address);
	if (!row)
		return;
	row->packets += sum->packets;
	if (sum->destinations > row->sources)
		row->sources = sum->destinations;
	widen(&row->finding, sum->first_us, sum->last_us);
}

/* The whole replaces what was known at the threshold. */
static void rows_complete(struct ranking *ranking)
{
	for (unsigned i = 0; i < ranking->count; i++) {
		struct finding_row *row = (struct finding_row *)(void *)(ranking->rows + i * ranking->size);
		struct finding *f = &row->finding;
		if (row->packets <= f->packets)
			continue;
		f->packets = row->packets;
		if (row->sources > f->count)
			f->count = row->sources > UINT32_MAX ? UINT32_MAX : (uint32_t)row->sources;
		f->rate = f->last_us > f->first_us ? (double)f->packets * 1e6 / (double)(f->last_us - f->first_us) : 0;
		ranking_weigh(ranking, row, f->packets);
	}
	ranking_sort(ranking);
}

uint32_t port_index(uint8_t proto, uint16_t port)
{
	switch (proto) {
	case 6:
		return port;
	case 17:
		return 1u << 16 | port;
	case 1:
		return 2u << 16 | port;
	case 58:
		return 3u << 16 | port;
	}
	return 4u << 16 | proto;
}

const char *port_text(uint32_t index, char text[32])
{
	static const char *const protos[] = {"tcp", "udp", "icmp", "icmp6", "protocol"};
	uint32_t kind = index >> 16, port = index & 65535;
	if (kind == 2 || kind == 3)
		snprintf(text, 32, "%s %u/%u", protos[kind], port >> 8, port & 255);
	else
		snprintf(text, 32, "%s %u", protos[kind], port);
	return text;
}

static const struct {
	const char *title, *count;
} tables[FINDING_KINDS] = {
	[FINDING_SCAN] = {"Scans", "addresses"},
	[FINDING_VICTIM] = {"Victims of floods elsewhere", "addresses"},
	[FINDING_REFLECTION] = {"Addresses here that many answer", "sources"},
	[FINDING_FLOOD] = {"Floods of spoofed sources", "sources"},
};

static void show_kind(struct ranking *ranking, enum finding_kind kind, unsigned top, struct page *p)
{
	static const int widths[PAGE_COLUMNS_MAX] = {-32, 13, 11, 11, -24};
	const char *const names[] = {tables[kind].title, "packets", tables[kind].count, "packets/s", "port, how long"};
	char address[ADDRESS_TEXT_MAX], text[PAGE_WIDTH], duration[DURATION_TEXT_MAX];
	if (!ranking->count)
		return;
	rows_complete(ranking);
	page_section(p, widths, names);
	const unsigned shown = ranking->count < top ? ranking->count : top;
	for (unsigned i = 0; i < shown; i++) {
		const struct finding *f = &((const struct finding_row *)ranking_row(ranking, i))->finding;
		snprintf(text, sizeof text, "%s, %s", port_text(port_index(f->proto, f->port), (char[32]){0}),
			 duration_text(f->last_us - f->first_us, duration));
		page_text(p, address_format(&f->address, address));
		page_number(p, f->packets);
		page_number(p, f->count);
		page_number(p, (uint64_t)(f->rate + 0.5));
		page_text(p, text);
	}
	if (ranking->offered > shown)
		page_line(p, "  and %llu more", (unsigned long long)(ranking->offered - shown));
}

void findings_show(struct findings *f, unsigned top, struct page *p)
{
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		show_kind(&f->of_kind[kind], (enum finding_kind)kind, top, p);
}
