/*
 * What many formats say, in one set of words.  Each file that includes this declares them; event_start()
 * makes one field of equal declarations.  Values are others' bytes, so none of them is TEXT but the codes.
 */
#pragma once
#include "event/field.h"

FIELD(word_as, "record.as", NUMBER, 0, "number of the AS, as its source says");
FIELD(word_as_name, "record.as_name", BYTES, 0, "name of that AS or organisation");
FIELD(word_country, "record.country", BYTES, 0, "ISO 3166-1 code");
FIELD(word_city, "record.city", BYTES, 0, "city or region");
FIELD(word_hosts, "record.hosts", BYTES, 0, "names of the host, separated by spaces");
FIELD(word_first, "record.first", TIME, 0, "when it was seen first, by its source");
FIELD(word_last, "record.last", TIME, 0, "when it was seen last, by its source");
FIELD(word_family, "record.family", BYTES, 0, "malware or infection, as its source calls it");
FIELD(word_vendor, "record.vendor", BYTES, 0, "maker of the device or software");
FIELD(word_product, "record.product", BYTES, 0, "what it is, as its source says");
FIELD(word_version, "record.version", BYTES, 0, "version of it");
FIELD(word_os, "record.os", BYTES, 0, "operating system");
FIELD(word_cpe, "record.cpe", BYTES, 0, "CPE names, separated by spaces");
FIELD(word_weaknesses, "record.weaknesses", BYTES, 0, "CVEs, separated by spaces");
FIELD(word_digests, "record.digests", BYTES, 0, "other digests of the file: md5:… sha1:… tlsh:…");
FIELD(word_class, "record.class", BYTES, 0, "sort of observation, as its source files it");
