/*
 * What kind of file some bytes are, by those bytes alone: a name or an ending says nothing.
 *
 * The words: elf, pe, dos, macho, dex, axml, class, wasm, script, html, xml, text, zip, apk, jar,
 * office (a zip of OOXML or ODF), ole (an old Office file), pdf, rtf, lnk, gzip, bzip2, xz, lzma,
 * zstd, lz4, compress, tar, cpio, ar, 7z, rar, cab, iso, pcap, data.
 */
#pragma once
#include "base/bytes.h"

/* Static text; "data" when nothing is known about it. */
const char *content_type(struct bytes);
/* Is it mostly what people read?  UTF-8, ASCII or UTF-16 with a mark, without control characters. */
bool content_is_text(struct bytes);
