/*
 * Lists of specimens, as collections of malware (CCC DATAset, D3M, PRACTICE and others of the workshop MWS) come with
 * them: a digest a line, or a table whose header names the digest's column and what else is known of the file.
 */
#include "share/reading/named_inner.h"
#include "share/reading/rows_inner.h"
#include "share/reading/words_inner.h"

#define CONFIDENCE_LISTED 80
#define DIGESTS_BYTES 512

enum place { SHA256, SHA1, MD5, HASH, NAME, FAMILY, TIME, SIZE, TYPE, SOURCE, PORT, LINK, PLACES };

static const struct rows_word words[] = {
	{"sha256", SHA256}, {"sha_256", SHA256}, {"sha256_hash", SHA256}, {"sha1", SHA1}, {"sha_1", SHA1}, {"sha1_hash", SHA1},
	{"md5", MD5}, {"md5_hash", MD5}, {"hash", HASH}, {"digest", HASH}, {"name", NAME}, {"filename", NAME}, {"file_name", NAME},
	{"file", NAME}, {"family", FAMILY}, {"malware", FAMILY}, {"label", FAMILY}, {"detection", FAMILY}, {"virus", FAMILY},
	{"signature", FAMILY}, {"time", TIME}, {"date", TIME}, {"timestamp", TIME}, {"first_seen", TIME}, {"datetime", TIME},
	{"size", SIZE}, {"filesize", SIZE}, {"file_size", SIZE}, {"type", TYPE}, {"filetype", TYPE}, {"file_type", TYPE},
	{"src", SOURCE}, {"src_ip", SOURCE}, {"ip", SOURCE}, {"source", SOURCE}, {"source_ip", SOURCE}, {"port", PORT},
	{"dst_port", PORT}, {"url", LINK}, {NULL, 0},
};

/* A line that begins with a digest, without a header: what follows it is its name. */
static bool take_bare(struct intake *in, struct bytes text)
{
	struct record r = {.kind = "file.captured", .confidence = CONFIDENCE_LISTED, .original = text};
	struct bytes rest = bytes_trim(text);
	size_t end = 0;
	while (end < rest.len && !memchr(" \t,;", rest.at[end], 4))
		end++;
	struct bytes first = {rest.at, end};
	if (named_set(in, &r, NAMED_HASH, first))
		return false;
	rest = bytes_trim((struct bytes){rest.at + end, rest.len - end});
	while (rest.len && memchr(",;*", rest.at[0], 3)) /* also as sha256sum -b writes it */
		rest = bytes_trim((struct bytes){rest.at + 1, rest.len - 1});
	if (r.value.len == 64)
		record_bytes(&r, FIELD_FILE_SHA256, r.value);
	record_bytes(&r, FIELD_FILE_NAME, rest);
	intake_record(in, &r);
	return true;
}

static void add_digest(struct writer *w, const char *name, struct bytes digest)
{
	if (!digest.len || digest.len > 128)
		return;
	write_fmt(w, "%s%s:", writer_used(w) ? " " : "", name);
	write_span(w, digest);
}

static struct bytes main_digest(const struct bytes *cells)
{
	for (unsigned i = SHA256; i <= HASH; i++)
		if (cells[i].len)
			return cells[i];
	return (struct bytes){0};
}

static void take_row(struct intake *in, struct bytes text, const struct bytes *cells)
{
	struct record r = {.kind = "file.captured", .confidence = CONFIDENCE_LISTED, .original = text};
	struct bytes digest = main_digest(cells);
	uint8_t room[DIGESTS_BYTES];
	struct writer w = writer_of(room, sizeof room);
	uint64_t number;
	const char *wrong = named_set(in, &r, NAMED_HASH, digest);
	if (wrong) {
		intake_bad(in, "\"%.*s\" %s", (int)(digest.len < 80 ? digest.len : 80), (const char *)digest.at, wrong);
		return;
	}
	if (r.value.len == 64)
		record_bytes(&r, FIELD_FILE_SHA256, r.value);
	if (r.value.len != 40)
		add_digest(&w, "sha1", cells[SHA1]);
	if (r.value.len != 32)
		add_digest(&w, "md5", cells[MD5]);
	record_bytes(&r, word_digests, writer_bytes(&w));
	record_bytes(&r, FIELD_FILE_NAME, cells[NAME]);
	record_bytes(&r, FIELD_FILE_URL, cells[LINK]);
	record_bytes(&r, word_family, cells[FAMILY]);
	record_bytes(&r, word_class, cells[TYPE]);
	if (cell_number(cells[SIZE], UINT64_MAX, &number))
		record_number(&r, FIELD_FILE_SIZE, number);
	r.has_address = address_parse(cells[SOURCE], &r.address); /* who brought it */
	if (cell_number(cells[PORT], UINT16_MAX, &number))
		r.port = (uint32_t)number;
	if (!cell_time(cells[TIME], 0, &r.time_us))
		r.time_us = 0;
	intake_record(in, &r);
}

static void line(struct intake *in, struct bytes text)
{
	struct rows *rows = intake_state(in);
	struct bytes cells[PLACES];
	if (text.at[0] == '#' || (!rows->begun && take_bare(in, text)))
		return;
	if (rows_take(rows, in, text, words, cells, PLACES))
		take_row(in, text, cells);
}

static void end(struct intake *in) { rows_end(intake_state(in), in); }

static const struct format_specimen specimens[] = {
	{"digests, as sha256sum and people write them",
	 BYTES("# D3M\nE3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855  a.exe\r\n"
	       "d41d8cd98f00b204e9800998ecf8427e,b.exe\nda39a3ee5e6b4b0d3255bfef95601890afd80709\n"),
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n  kind file.captured\n  file.name a.exe\n"
	 "  file.sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "hash d41d8cd98f00b204e9800998ecf8427e\n  file.name b.exe\nhash da39a3ee5e6b4b0d3255bfef95601890afd80709\n"},
	{"a table",
	 BYTES("Date;MD5;SHA1;Source IP;Dst Port;Detection;Size\n2015/6/2 3:04:05;d41d8cd98f00b204e9800998ecf8427e;"
	       "da39a3ee5e6b4b0d3255bfef95601890afd80709;203.0.113.9;445;\"W32; Downadup\";170\n2015/6/2;;;203.0.113.9;445;x;1\n"),
	 "hash da39a3ee5e6b4b0d3255bfef95601890afd80709\n  time 2015-06-02T03:04:05.000000Z\n  address 203.0.113.9\n  port 445\n"
	 "  record.digests md5:d41d8cd98f00b204e9800998ecf8427e\n  record.family W32; Downadup\n  file.size 170\n"
	 "bad \"\" is no MD5\n"},
	{0},
};

static const struct format specimen_list = {
	.name = "specimens",
	.summary = "a list of specimens by digest, plain or as a table with names, families and who brought them",
	.reference = "as data sets of MWS and others come with it; sha256sum(1)",
	.shape = FORMAT_LINES,
	.line = line,
	.end = end,
	.state_size = sizeof(struct rows),
	.specimens = specimens,
};
FORMAT(specimen_list);
