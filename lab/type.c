#include "lab/type.h"
#include "base/little.h"

#define TEXT_LOOK_MAX 65536 /* so much of a file tells whether it is text */
#define HEAD_MAX 4096

struct magic {
	size_t offset;
	struct bytes bytes;
	const char *type;
};

/* The numbers of file formats are those of their specifications, as file(1) has them, too. */
static const struct magic magics[] = {
	{0, {(const uint8_t *)"\x7f" "ELF", 4}, "elf"},
	{0, {(const uint8_t *)"\xfe\xed\xfa\xce", 4}, "macho"},
	{0, {(const uint8_t *)"\xfe\xed\xfa\xcf", 4}, "macho"},
	{0, {(const uint8_t *)"\xce\xfa\xed\xfe", 4}, "macho"},
	{0, {(const uint8_t *)"\xcf\xfa\xed\xfe", 4}, "macho"},
	{0, {(const uint8_t *)"dex\n03", 6}, "dex"},
	{0, {(const uint8_t *)"\0asm", 4}, "wasm"},
	{0, {(const uint8_t *)"%PDF-", 5}, "pdf"},
	{0, {(const uint8_t *)"{\\rt", 4}, "rtf"},
	{0, {(const uint8_t *)"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8}, "ole"},
	{0, {(const uint8_t *)"L\0\0\0\x01\x14\x02\0", 8}, "lnk"},
	{0, {(const uint8_t *)"\x1f\x8b\x08", 3}, "gzip"},
	{0, {(const uint8_t *)"BZh", 3}, "bzip2"},
	{0, {(const uint8_t *)"\xfd" "7zXZ\0", 6}, "xz"},
	{0, {(const uint8_t *)"\x5d\0\0\x80\0", 5}, "lzma"},
	{0, {(const uint8_t *)"\x28\xb5\x2f\xfd", 4}, "zstd"},
	{0, {(const uint8_t *)"\x04\x22\x4d\x18", 4}, "lz4"},
	{0, {(const uint8_t *)"\x1f\x9d", 2}, "compress"},
	{0, {(const uint8_t *)"7z\xbc\xaf\x27\x1c", 6}, "7z"},
	{0, {(const uint8_t *)"Rar!\x1a\x07", 6}, "rar"},
	{0, {(const uint8_t *)"MSCF\0\0\0\0", 8}, "cab"},
	{0, {(const uint8_t *)"!<arch>\n", 8}, "ar"},
	{0, {(const uint8_t *)"070701", 6}, "cpio"},
	{0, {(const uint8_t *)"070702", 6}, "cpio"},
	{0, {(const uint8_t *)"070707", 6}, "cpio"},
	{0, {(const uint8_t *)"\xc7\x71", 2}, "cpio"},
	{257, {(const uint8_t *)"ustar", 5}, "tar"},
	{0x8001, {(const uint8_t *)"CD001", 5}, "iso"},
	{0, {(const uint8_t *)"\xd4\xc3\xb2\xa1", 4}, "pcap"},
	{0, {(const uint8_t *)"\xa1\xb2\xc3\xd4", 4}, "pcap"},
	{0, {(const uint8_t *)"\x0a\x0d\x0d\x0a", 4}, "pcap"},
};

static bool has(struct bytes b, size_t at, struct bytes what)
{
	return at <= b.len && what.len <= b.len - at && !memcmp(b.at + at, what.at, what.len);
}

static bool holds(struct bytes b, struct bytes needle)
{
	return b.len >= needle.len && memmem(b.at, b.len, needle.at, needle.len);
}

static const char *zip_type(struct bytes b)
{
	if (holds(b, BYTES("AndroidManifest.xml")))
		return "apk";
	if (holds(b, BYTES("[Content_Types].xml")) || holds(b, BYTES("mimetypeapplication/vnd.oasis")))
		return "office";
	return holds(b, BYTES("META-INF/MANIFEST.MF")) ? "jar" : "zip";
}

/* A Java class and a fat Mach-O share their number: Java's major versions begin at 45 (JVMS 4.1). */
static const char *cafebabe_type(struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	read_u32(&r);
	uint32_t next = read_u32(&r);
	return (next & 0xffff) >= 45 && next >> 16 < 100 ? "class" : "macho";
}

static const char *program_type(struct bytes b)
{
	uint64_t at = bytes_little(b, 0x3c, 4);
	return at < b.len && has(b, at, (struct bytes){(const uint8_t *)"PE\0\0", 4}) ? "pe" : "dos";
}

bool content_is_text(struct bytes b)
{
	struct bytes head = {b.at, b.len < TEXT_LOOK_MAX ? b.len : TEXT_LOOK_MAX};
	size_t odd = 0;
	if (!b.len)
		return false;
	if (has(b, 0, BYTES("\xff\xfe")) || has(b, 0, BYTES("\xfe\xff")))
		return b.len >= 4;
	for (size_t i = 0; i < head.len; i++) {
		uint8_t c = head.at[i];
		if (c == 0)
			return false;
		odd += (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b) || c == 0x7f;
	}
	return odd * 50 <= head.len;
}

static bool says(struct bytes head, const char *const *words)
{
	for (; *words; words++)
		if (bytes_find_nocase(head, *words) < head.len)
			return true;
	return false;
}

static const char *text_type(struct bytes b)
{
	static const char *const script[] = {
		"<?php", "@echo off", "wget ", "curl ", "busybox ", "chmod ", "tftp ", "powershell",
		"function ", "invoke-expression", "wscript.", "createobject(", "import os", "import socket",
		"require(", "eval(", "#!/usr/bin/env", "new-object ", "base64 -d", "/bin/sh", "set -e", NULL};
	static const char *const page[] = {"<html", "<!doctype html", "<script", "<iframe", "<body", NULL};
	struct bytes head = bytes_trim((struct bytes){b.at, b.len < HEAD_MAX ? b.len : HEAD_MAX});
	if (has(head, 0, BYTES("\xef\xbb\xbf")))
		head = bytes_trim((struct bytes){head.at + 3, head.len - 3});
	if (bytes_start_with(head, "#!") || bytes_start_with(head, "<?php"))
		return "script";
	if (says(head, page))
		return "html";
	if (bytes_start_with(head, "<?xml"))
		return "xml";
	return says(head, script) ? "script" : "text";
}

const char *content_type(struct bytes b)
{
	if (has(b, 0, BYTES("MZ")))
		return program_type(b);
	if (has(b, 0, BYTES("PK\x03\x04")) || has(b, 0, BYTES("PK\x05\x06")))
		return zip_type(b);
	if (has(b, 0, BYTES("\xca\xfe\xba\xbe")))
		return cafebabe_type(b);
	/* RES_XML_TYPE with a header of 8, as Android's ResourceTypes.h defines it. */
	if (has(b, 0, (struct bytes){(const uint8_t *)"\x03\0\x08\0", 4}) && bytes_little(b, 4, 4) <= b.len + 4)
		return "axml";
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (has(b, magics[i].offset, magics[i].bytes))
			return magics[i].type;
	return content_is_text(b) ? text_type(b) : "data";
}
