/*
 * Archives and compressed files, by libarchive: every member becomes a part.
 *
 * Only its built-in filters are used, since some others would start programs.  An archive may claim
 * any size: what counts is what comes out, and that is bounded per member and in all.  Samples are often
 * passed on in a zip with one of a few passwords that everybody uses.
 */
#include "lab/analyser.h"
#include <archive.h>
#include <archive_entry.h>

#define MEMBERS_MAX 2048
#define MEMBER_BYTES_MAX (48u << 20)
#define CHUNK 65536
#define RATIO_TOLD 200 /* more than so many bytes out of one: a bomb, or zeros */

static void formats_add(struct archive *archive)
{
	archive_read_support_format_zip(archive);
	archive_read_support_format_tar(archive);
	archive_read_support_format_cpio(archive);
	archive_read_support_format_ar(archive);
	archive_read_support_format_7zip(archive);
	archive_read_support_format_rar(archive);
	archive_read_support_format_rar5(archive);
	archive_read_support_format_cab(archive);
	archive_read_support_format_iso9660(archive);
}

/* `packed_only`: what is compressed is no archive, whatever it looks like. */
static struct archive *archive_open(struct bytes content, bool packed_only)
{
	static const char *const passwords[] = {"infected", "malware", "virus", "password", "1234", "123", NULL};
	struct archive *archive = archive_read_new();
	if (!archive)
		return NULL;
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_lzma(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_compress(archive);
	archive_read_support_filter_lz4(archive);
	if (!packed_only)
		formats_add(archive);
	archive_read_support_format_raw(archive);
	for (const char *const *word = passwords; *word; word++)
		archive_read_add_passphrase(archive, *word);
	if (archive_read_open_memory(archive, content.at, content.len) == ARCHIVE_OK)
		return archive;
	archive_read_free(archive);
	return NULL;
}

/* Pictures, sounds and fonts fill the table of parts and tell nothing. */
static bool worth_reading(const char *name)
{
	static const char *const endings[] = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".ttf", ".otf", ".woff", ".woff2",
					      ".ogg", ".mp3", ".wav", ".ico", ".bmp", ".svg", NULL};
	struct bytes b = bytes_of_text(name);
	for (const char *const *ending = endings; *ending; ending++) {
		size_t n = strlen(*ending);
		if (b.len > n && bytes_equal_nocase((struct bytes){b.at + b.len - n, n}, *ending))
			return false;
	}
	return true;
}

static void member_read(struct analysis *a, struct archive *archive, const char *name)
{
	size_t room = analysis_room(a), most = room < MEMBER_BYTES_MAX ? room : MEMBER_BYTES_MAX;
	struct buffer out = BUFFER(most);
	la_ssize_t n = 0;
	for (;;) {
		size_t left = most - buffer_len(&out), want = left < CHUNK ? left : CHUNK;
		uint8_t *at = want ? buffer_room(&out, want) : NULL;
		if (!at) {
			uint8_t more;
			if (archive_read_data(archive, &more, 1) > 0)
				analysis_limit(a, room <= MEMBER_BYTES_MAX ? "parts.bytes" : "archive.member");
			break;
		}
		n = archive_read_data(archive, at, want);
		if (n <= 0)
			break;
		buffer_grown(&out, (size_t)n);
	}
	if (n < 0)
		analysis_fact(a, "archive.damaged", "%s: %s", name, archive_error_string(archive) ? archive_error_string(archive) : "");
	analysis_contains(a, name, buffer_bytes(&out), true);
	buffer_done(&out);
}

static void entry_look(struct analysis *a, struct archive *archive, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry);
	if (!name)
		name = archive_entry_pathname(entry); /* in a code page that is not told */
	if (!name)
		name = "";
	if (archive_entry_is_data_encrypted(entry))
		analysis_fact(a, "archive.encrypted", "%s", name);
	if (strstr(name, "../") || name[0] == '/')
		analysis_fact(a, "archive.odd", "a member leads out of the folder: %s", name);
	if (archive_entry_filetype(entry) == AE_IFREG && worth_reading(name))
		member_read(a, archive, name);
}

/* How many members there were. */
static size_t members_read(struct analysis *a, struct bytes content, bool packed_only)
{
	struct archive *archive = archive_open(content, packed_only);
	struct archive_entry *entry;
	size_t members = 0;
	int status = ARCHIVE_FATAL;
	while (archive && (status = archive_read_next_header(archive, &entry)) >= ARCHIVE_WARN && status != ARCHIVE_EOF) {
		if (members++ == MEMBERS_MAX) {
			analysis_limit(a, "archive.members");
			break;
		}
		if (!analysis_room(a)) {
			analysis_limit(a, "parts.bytes");
			break;
		}
		entry_look(a, archive, entry);
	}
	if (!archive)
		analysis_fact(a, "archive.damaged", "it cannot be opened");
	else if (status < ARCHIVE_WARN)
		analysis_fact(a, "archive.damaged", "%s", archive_error_string(archive) ? archive_error_string(archive) : "");
	if (archive)
		archive_read_free(archive);
	return members;
}

static void archive_analyse(struct analysis *a, const struct part *part)
{
	size_t before = analysis_room(a), members = members_read(a, part->content, false);
	/* Zeros that were compressed are an empty tar file, which is true and helps nobody. */
	if (!members)
		members = members_read(a, part->content, true);
	if (members)
		analysis_fact(a, "archive.members", "%zu", members);
	size_t out = before - analysis_room(a);
	if (part->content.len && out / part->content.len > RATIO_TOLD)
		analysis_fact(a, "archive.odd", "%zu bytes come out of %zu", out, part->content.len);
}

static const char *const archive_types[] = {"zip", "apk", "jar", "office", "gzip", "bzip2", "xz", "lzma", "zstd", "lz4",
					    "compress", "tar", "cpio", "ar", "7z", "rar", "cab", "iso", NULL};
#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	/* gzip -9n of a shell script that fetches another. */
	{"a compressed script",
	 SPECIMEN("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x53\x56\xd4\x4f\xca\xcc\xd3\x2f\xce\xe0\x2a\x4f\x4f\x2d"
		  "\x51\xc8\x28\x29\x29\xb0\xd2\xd7\x37\x32\x30\xd6\x33\xd0\x33\x34\x34\xd6\x33\xd5\x4f\xd4\x03\x4a"
		  "\x02\x00\x0e\xdd\x9f\x1f\x27\x00\x00\x00"),
	 "part script data\nindicator url http://203.0.113.5/a.sh text\nfact archive.members 1"},
	{0},
};

static const struct analyser archive = {
	.name = "archive",
	.summary = "members of archives and of compressed files, within limits",
	.reference = "libarchive-formats(5)",
	.phase = 0,
	.types = archive_types,
	.analyse = archive_analyse,
	.specimens = specimens,
};
ANALYSER(archive);
