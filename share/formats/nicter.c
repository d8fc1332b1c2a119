/*
 * Data sets of NICT's darknets.
 *
 * nicter (Darknet Dataset 2022): a line for each TCP SYN, a file for each sensor and day of Japan: timestamp (Unix
 * time), hash[ip.src.upper16], hash[ip.src.32], ip.dst.lower16, tcp.dstport.  Who sent it is a hash, so that the
 * record's value is a token; what was met is the lower half of an address of the darknet.
 * nicter-hosts (Darknet Data Set 2019): a matrix; each row is 50 seconds, its first column the Unix time, each
 * further column the packets of one source, whose address is hidden: the file and the column are its name.
 */
#include "share/reading/rows_inner.h"
#include "share/reading/words_inner.h"
#include <ctype.h>

FIELD(field_network, "nicter.network", BYTES, 0, "hash of the source's upper 16 bits");
FIELD(field_darknet, "nicter.destination", BYTES, 0, "lower 16 bits of the dark address, as it stood there");

#define CONFIDENCE_SEEN 90
#define TEXT_BYTES 320
#define SLICE_US 50000000u

enum place { TIME, NETWORK, SOURCE, DESTINATION, PORT, PLACES };

/* In order; a header may name them, in brackets or not, and mostly there is none. */
static const struct rows_word words[] = {
	{"timestamp", TIME}, {"hash_ip_src_upper16_", NETWORK}, {"hash_ip_src_32_", SOURCE}, {"ip_dst_lower16", DESTINATION},
	{"tcp_dstport", PORT}, {NULL, 0},
};

/* Files have no header: then the columns stand in their order. */
static void begin_without_header(struct rows *rows, struct intake *in)
{
	static const char *const names[PLACES] = {"timestamp", "hash_ip_src_upper16_", "hash_ip_src_32_", "ip_dst_lower16",
						  "tcp_dstport"};
	struct cells cells = {.count = PLACES};
	for (size_t i = 0; i < PLACES; i++)
		cells.cell[i] = bytes_of_text(names[i]);
	rows_begin(rows, in, &cells);
	for (int16_t i = 0; i < PLACES; i++)
		rows->place[i] = i;
	rows->separator = ',';
}

static void line(struct intake *in, struct bytes text)
{
	struct rows *rows = intake_state(in);
	struct bytes cells[PLACES];
	uint8_t room[TEXT_BYTES];
	struct writer w = writer_of(room, sizeof room);
	uint64_t port;
	if (!rows->begun && isdigit(text.at[0]))
		begin_without_header(rows, in);
	if (!rows_take(rows, in, text, words, cells, PLACES))
		return;
	struct record r = {.type = "token", .kind = "scan.seen", .confidence = CONFIDENCE_SEEN, .original = text, .value = cells[SOURCE]};
	if (!cell_time(cells[TIME], 0, &r.time_us) || !r.value.len || !cell_number(cells[PORT], UINT16_MAX, &port)) {
		intake_bad(in, "a packet has a time, a hash of its source and a port");
		return;
	}
	/* Two packets of one source at one time are two when they went elsewhere. */
	write_span(&w, cells[DESTINATION]);
	write_fmt(&w, ":%llu", (unsigned long long)port);
	r.version = writer_bytes(&w);
	r.port = (uint32_t)port;
	record_text(&r, FIELD_PROTO, "tcp");
	record_number(&r, FIELD_FLOW_PACKETS, 1);
	record_bytes(&r, field_network, cells[NETWORK]);
	record_bytes(&r, field_darknet, cells[DESTINATION]);
	intake_record(in, &r);
}

static void end(struct intake *in) { rows_end(intake_state(in), in); }

struct matrix {
	bool begun;
	size_t columns;
};

static struct bytes next_cell(struct bytes *rest)
{
	const uint8_t *comma = rest->len ? memchr(rest->at, ',', rest->len) : NULL;
	struct bytes cell = {rest->at, comma ? (size_t)(comma - rest->at) : rest->len};
	*rest = comma ? (struct bytes){comma + 1, rest->len - cell.len - 1} : (struct bytes){0};
	return bytes_trim(cell);
}

/* "0.0" as pandas writes a whole number among gaps. */
static bool count_of(struct bytes cell, uint64_t *count)
{
	if (cell.len > 2 && cell.at[cell.len - 1] == '0' && cell.at[cell.len - 2] == '.')
		cell.len -= 2;
	*count = 0;
	return !cell.len || cell_number(cell, UINT32_MAX, count);
}

static void take_count(struct intake *in, uint64_t time_us, size_t column, uint64_t count, struct bytes line)
{
	char name[TEXT_BYTES];
	snprintf(name, sizeof name, "%s#%zu", *intake_file(in) ? intake_file(in) : "source", column);
	struct record r = {.type = "token", .kind = "scan.seen", .confidence = CONFIDENCE_SEEN, .time_us = time_us,
			   .value = bytes_of_text(name), .original = line};
	record_text(&r, FIELD_PROTO, "tcp");
	record_number(&r, FIELD_FLOW_PACKETS, count);
	record_number(&r, word_first, time_us);
	record_number(&r, word_last, time_us + SLICE_US);
	intake_record(in, &r);
}

static void hosts_line(struct intake *in, struct bytes text)
{
	struct matrix *m = intake_state(in);
	struct bytes rest = text, first = next_cell(&rest);
	uint64_t time_us, count;
	size_t columns = 1;
	if (!first.len || !isdigit(first.at[0]) || !cell_time(first, 0, &time_us)) {
		if (m->begun)
			intake_bad(in, "a row begins with its Unix time");
		m->begun = true; /* the first may name the columns */
		return;
	}
	for (size_t i = 0; i < rest.len; i++)
		columns += rest.at[i] == ',';
	m->columns = m->columns ? m->columns : columns;
	m->begun = true;
	if (columns != m->columns) {
		intake_bad(in, "it has %zu sources, and the rows before %zu", columns, m->columns);
		return;
	}
	for (size_t column = 1; rest.at; column++)
		if (!count_of(next_cell(&rest), &count)) {
			intake_bad(in, "column %zu is no number of packets", column);
			return;
		} else if (count) {
			take_count(in, time_us, column, count, text);
		}
}

static const struct format_specimen specimens[] = {
	{"packets without a header",
	 BYTES("1433239445.123456,a1b2,deadbeef,12.34,445\r\n1433239445.123456,a1b2,deadbeef,12.35,445\r\n1433239445,a1b2,,12.34,445\r\n"
	       "1433239445,a1b2,deadbeef,12.34\n"),
	 "token deadbeef\n  kind scan.seen\n  port 445\n  time 2015-06-02T10:04:05.123456Z\n  proto tcp\n  flow.packets 1\n"
	 "  nicter.network a1b2\n  nicter.destination 12.34\ntoken deadbeef\n  nicter.destination 12.35\n"
	 "bad a packet has a time\nbad it has 4 columns\n"},
	{"with one",
	 BYTES("timestamp,hash[ip.src.upper16],hash[ip.src.32],ip.dst.lower16,tcp.dstport\n1433239445,a1,b2,258,23\n"),
	 "token b2\n  port 23\n  nicter.destination 258\n"},
	{0},
};

static const struct format nicter = {
	.name = "nicter",
	.summary = "NICT's Darknet Dataset 2022: a line for each SYN, sources as hashes",
	.reference = "NICT, csdataset.nict.go.jp/darknet-2022",
	.shape = FORMAT_LINES,
	.line = line,
	.end = end,
	.state_size = sizeof(struct rows),
	.specimens = specimens,
};
FORMAT(nicter);

static const struct format_specimen hosts_specimens[] = {
	{"three sources over two slices, with gaps",
	 BYTES("1538319600,0,3,1\n1538319650,2.0,,0\n1538319700,1,1\n1538319750,x,1,1\nsum,1,2,3\n"),
	 "token source#2\n  kind scan.seen\n  flow.packets 3\n  record.first 2018-09-30T15:00:00.000000Z\n"
	 "  record.last 2018-09-30T15:00:50.000000Z\ntoken source#3\n  flow.packets 1\ntoken source#1\n  flow.packets 2\n"
	 "bad it has 2 sources\nbad column 1 is no number\nbad a row begins with its Unix time\n"},
	{0},
};

static const struct format nicter_hosts = {
	.name = "nicter-hosts",
	.summary = "NICT's Darknet Data Set 2019: packets of each source by slices of 50 seconds",
	.reference = "NICT, csdataset.nict.go.jp/darknet",
	.shape = FORMAT_LINES,
	.line = hosts_line,
	.state_size = sizeof(struct matrix),
	.specimens = hosts_specimens,
};
FORMAT(nicter_hosts);
