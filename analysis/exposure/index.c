#include "analysis/exposure/index_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

static const size_t item_bytes[SECTIONS] = {INDEX_CVE_BYTES, INDEX_PRODUCT_BYTES, INDEX_POSTING_BYTES, INDEX_KNOWN_BYTES,
					    INDEX_FILE_BYTES, 1};

static struct reader item_of(const struct weaknesses *w, enum index_section s, uint32_t i)
{
	return reader_of(w->sections[s].at + (size_t)i * item_bytes[s], item_bytes[s]);
}

struct index_cve index_cve(const struct weaknesses *w, uint32_t i)
{
	struct reader r = item_of(w, SECTION_CVES, i);
	struct index_cve c = {.key = read_u64(&r)};
	c.at = read_u64(&r);
	c.len = read_u32(&r);
	return c;
}

struct index_product index_product(const struct weaknesses *w, uint32_t i)
{
	struct reader r = item_of(w, SECTION_PRODUCTS, i);
	struct index_product p = {.digest = read_u64(&r)};
	p.first = read_u32(&r);
	p.count = read_u32(&r);
	return p;
}

uint32_t index_posting(const struct weaknesses *w, uint32_t i)
{
	struct reader r = item_of(w, SECTION_POSTINGS, i);
	return read_u32(&r);
}

struct index_known index_known(const struct weaknesses *w, uint32_t i)
{
	struct reader r = item_of(w, SECTION_KNOWN, i);
	struct index_known k = {.key = read_u64(&r)};
	k.added_us = read_u64(&r);
	k.due_us = read_u64(&r);
	k.ransomware = read_u8(&r);
	return k;
}

struct bytes index_file(const struct weaknesses *w, uint32_t i)
{
	struct reader r = item_of(w, SECTION_FILES, i);
	return read_rest(&r);
}

struct bytes index_record(const struct weaknesses *w, const struct index_cve *c)
{
	struct bytes all = w->sections[SECTION_RECORDS];
	if (c->at > all.len || c->len > all.len - c->at)
		return (struct bytes){0};
	return (struct bytes){all.at + c->at, c->len};
}

bool index_find_known(const struct weaknesses *w, cve_key key, struct index_known *out)
{
	uint32_t low = 0, high = w->counts[SECTION_KNOWN];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct index_known k = index_known(w, middle);
		if (k.key == key) {
			*out = k;
			return true;
		}
		if (k.key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool index_find_product(const struct weaknesses *w, uint64_t digest, struct index_product *out)
{
	uint32_t low = 0, high = w->counts[SECTION_PRODUCTS];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct index_product p = index_product(w, middle);
		if (p.digest == digest) {
			*out = p;
			return p.first <= w->counts[SECTION_POSTINGS] && p.count <= w->counts[SECTION_POSTINGS] - p.first;
		}
		if (p.digest < digest)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

uint64_t product_digest(struct bytes vendor, struct bytes product)
{
	uint8_t text[2 * CPE_BYTES_MAX + 1];
	struct writer w = writer_of(text, sizeof text);
	write_span(&w, vendor);
	write_u8(&w, 0);
	write_span(&w, product);
	return XXH3_64bits(text, writer_used(&w));
}

static bool read_header(struct weaknesses *w)
{
	struct reader r = reader_of_bytes(w->all);
	struct bytes magic = read_bytes(&r, sizeof INDEX_MAGIC - 1);
	if (!bytes_equal_text(magic, INDEX_MAGIC))
		return false;
	w->written_us = read_u64(&r);
	uint64_t total = read_u64(&r);
	for (int s = 0; s < SECTIONS; s++) {
		uint64_t at = read_u64(&r);
		uint32_t count = read_u32(&r);
		uint64_t len = (uint64_t)count * item_bytes[s];
		if (!reader_ok(&r) || at > w->all.len || len > w->all.len - at)
			return false;
		/* Records are not counted: what lies there is found by the CVEs' places. */
		w->sections[s] = (struct bytes){w->all.at + at, s == SECTION_RECORDS ? w->all.len - at : (size_t)len};
		w->counts[s] = count;
	}
	return total == w->all.len;
}

int weaknesses_open(struct weaknesses **out, int fd, const char *name, struct fault *fault)
{
	struct stat st;
	if (fstat(fd, &st))
		return fault_set(fault, ERR_SYSTEM, "%s: %s", name, strerror(errno));
	if (st.st_size < INDEX_HEADER || (uint64_t)st.st_size > INDEX_BYTES_MAX)
		return fault_set(fault, ERR_BAD, "%s: is no index of weaknesses; `kansoku import nvd FILE` makes one", name);
	struct weaknesses *w = calloc(1, sizeof *w);
	if (!w)
		return fault_set(fault, ERR_MEMORY, "%s: no memory", name);
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED) {
		free(w);
		return fault_set(fault, ERR_SYSTEM, "%s: %s", name, strerror(errno));
	}
	w->all = (struct bytes){at, (size_t)st.st_size};
	if (!read_header(w)) {
		weaknesses_close(w);
		return fault_set(fault, ERR_BAD, "%s: is damaged or of another version; remove it and import again", name);
	}
	*out = w;
	return 0;
}

void weaknesses_close(struct weaknesses *w)
{
	if (!w)
		return;
	munmap((void *)(uintptr_t)w->all.at, w->all.len);
	free(w);
}

struct weaknesses_size weaknesses_size(const struct weaknesses *w)
{
	return (struct weaknesses_size){w->counts[SECTION_CVES], w->counts[SECTION_PRODUCTS], w->counts[SECTION_KNOWN],
					w->all.len, w->written_us};
}
