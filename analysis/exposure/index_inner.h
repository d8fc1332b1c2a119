/*
 * The index of weaknesses as a file.
 *
 *   header     magic, u64 written (microseconds of UTC), u64 bytes in all, then for each section u64 where
 *              it begins and u32 how many items it has, in the order below
 *   CVEs       by number: u64 number, u64 where its record begins, u32 its length
 *   products   by digest: u64 digest of "vendor:product", u32 first posting, u32 postings
 *   postings   u32 place within CVEs
 *   known      KEV, by number: u64 number, u64 added, u64 due (microseconds), u8 ransomware
 *   files      16 bytes digest of each file that was taken
 *   records    as record_inner.h has them
 *
 * Big-endian.
 */
#pragma once
#include "analysis/exposure/feed_inner.h"
#include "analysis/exposures.h"

#define INDEX_MAGIC "kskweak1"
#define INDEX_BYTES_MAX ((uint64_t)4 << 30)
#define INDEX_CVES_MAX 2000000u
#define INDEX_PAIRS_MAX 32000000u /* of a product and a CVE */
#define INDEX_KNOWN_MAX 200000u
#define INDEX_FILES_MAX 4096u

enum index_section { SECTION_CVES, SECTION_PRODUCTS, SECTION_POSTINGS, SECTION_KNOWN, SECTION_FILES, SECTION_RECORDS, SECTIONS };
#define INDEX_HEADER (8 + 8 + 8 + SECTIONS * 12)

struct index_cve {
	cve_key key;
	uint64_t at;
	uint32_t len;
};
#define INDEX_CVE_BYTES 20

struct index_product {
	uint64_t digest;
	uint32_t first, count;
};
#define INDEX_PRODUCT_BYTES 16
#define INDEX_POSTING_BYTES 4

struct index_known {
	cve_key key;
	uint64_t added_us, due_us;
	bool ransomware;
};
#define INDEX_KNOWN_BYTES 25
#define INDEX_FILE_BYTES 16

struct weaknesses {
	struct bytes all; /* mapped */
	uint64_t written_us;
	struct bytes sections[SECTIONS];
	uint32_t counts[SECTIONS];
};

/* `i` is below counts[]. */
struct index_cve index_cve(const struct weaknesses *, uint32_t i);
struct index_product index_product(const struct weaknesses *, uint32_t i);
uint32_t index_posting(const struct weaknesses *, uint32_t i);
struct index_known index_known(const struct weaknesses *, uint32_t i);
struct bytes index_file(const struct weaknesses *, uint32_t i);
/* Empty when its place is none. */
struct bytes index_record(const struct weaknesses *, const struct index_cve *);
bool index_find_known(const struct weaknesses *, cve_key, struct index_known *);
bool index_find_product(const struct weaknesses *, uint64_t digest, struct index_product *);
uint64_t product_digest(struct bytes vendor, struct bytes product);
