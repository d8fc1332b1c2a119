/* The old index and what is new, into the new index: written beside it, synced, and put in its place. */
#include "analysis/exposure/import_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct pair {
	uint64_t digest;
	uint32_t cve;
};

struct merging {
	struct import *import;
	FILE *file;
	struct list cves;  /* struct index_cve */
	struct list pairs; /* struct pair */
	uint64_t records_at, used;
	uint64_t at[SECTIONS];
	uint32_t counts[SECTIONS];
	int bad;
};

static int by_key(const void *a, const void *b)
{
	const struct import_entry *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->modified_us != y->modified_us)
		return x->modified_us > y->modified_us ? -1 : 1; /* the newest comes first */
	return x->order > y->order ? -1 : x->order < y->order;
}

static int known_by_key(const void *a, const void *b)
{
	const struct index_known *x = a, *y = b;
	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_digest(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->digest != y->digest)
		return x->digest < y->digest ? -1 : 1;
	return x->cve < y->cve ? -1 : x->cve > y->cve;
}

static void add_product(struct merging *m, const struct record_match *match)
{
	struct cpe c;
	if (cpe_parse((struct bytes){(const uint8_t *)match->name, match->name_len}, &c))
		return;
	struct pair p = {product_digest(cpe_value(&c, CPE_VENDOR), cpe_value(&c, CPE_PRODUCT)), (uint32_t)m->cves.count};
	const struct pair *last = m->pairs.count ? (const struct pair *)m->pairs.items + m->pairs.count - 1 : NULL;
	if (!last || last->digest != p.digest || last->cve != p.cve)
		m->bad = list_add(&m->pairs, sizeof p, INDEX_PAIRS_MAX, &p);
}

static void add_products(struct merging *m, struct bytes record)
{
	struct reader r = reader_of_bytes(record);
	struct record_head h;
	struct record_match match = {0};
	char before[RECORD_NAME_MAX];
	size_t before_len = 0;
	if (!record_read_head(&r, &h))
		return;
	for (unsigned c = 0; c < h.configurations && reader_ok(&r); c++) {
		read_u8(&r);
		for (unsigned nodes = read_u16(&r); nodes && reader_ok(&r); nodes--) {
			read_u8(&r);
			for (uint32_t matches = read_u32(&r); matches && !m->bad && record_read_match(&r, &match); matches--) {
				struct bytes product = record_product(&match);
				bool same = product.len == before_len && before_len && !memcmp(before, product.at, before_len);
				if (!(match.flags & MATCH_VULNERABLE) || same)
					continue;
				add_product(m, &match);
				before_len = product.len;
				if (product.len)
					memcpy(before, product.at, product.len);
			}
		}
	}
}

static void put(struct merging *m, struct bytes b)
{
	if (fwrite(b.at, 1, b.len, m->file) != b.len)
		m->bad = ERR_SYSTEM;
}

static void add_cve(struct merging *m, cve_key key, struct bytes record)
{
	struct index_cve c = {key, m->used, (uint32_t)record.len};
	add_products(m, record);
	put(m, record);
	m->used += record.len;
	if (!m->bad)
		m->bad = list_add(&m->cves, sizeof c, INDEX_CVES_MAX, &c);
}

static struct bytes fresh_record(struct import *i, const struct import_entry *e)
{
	ssize_t n = pread(fileno(i->fresh), i->record, e->len, (off_t)e->at);
	return n == (ssize_t)e->len ? (struct bytes){i->record, e->len} : (struct bytes){0};
}

static uint64_t old_modified(struct bytes record)
{
	struct reader r = reader_of_bytes(record);
	return read_u64(&r);
}

/* Both lists are sorted by number; where both have it, the later one stays. */
static void merge_cves(struct merging *m)
{
	struct import *i = m->import;
	const struct import_entry *entries = i->entries.items;
	uint32_t old = 0, olds = i->old ? i->old->counts[SECTION_CVES] : 0;
	size_t new = 0;
	while (!m->bad && (old < olds || new < i->entries.count)) {
		struct index_cve c = old < olds ? index_cve(i->old, old) : (struct index_cve){.key = UINT64_MAX};
		const struct import_entry *e = new < i->entries.count ? &entries[new] : NULL;
		struct bytes record = old < olds ? index_record(i->old, &c) : (struct bytes){0};
		if (!e || c.key < e->key) {
			add_cve(m, c.key, record);
			old++;
			continue;
		}
		bool stale = c.key == e->key && record.len && old_modified(record) > e->modified_us;
		i->counts.older += stale;
		i->counts.newer += !stale;
		add_cve(m, e->key, stale ? record : fresh_record(i, e));
		old += c.key == e->key;
		for (const cve_key key = e->key; new < i->entries.count && entries[new].key == key;)
			new++;
	}
}

static void put_item(struct merging *m, struct writer *w, enum index_section s)
{
	put(m, writer_bytes(w));
	w->at = w->start;
	m->counts[s]++;
}

static void put_products(struct merging *m, struct writer *w)
{
	const struct pair *pairs = m->pairs.items;
	for (size_t from = 0, to; from < m->pairs.count; from = to) {
		for (to = from; to < m->pairs.count && pairs[to].digest == pairs[from].digest;)
			to++;
		write_u64(w, pairs[from].digest);
		write_u32(w, (uint32_t)from);
		write_u32(w, (uint32_t)(to - from));
		put_item(m, w, SECTION_PRODUCTS);
	}
}

static void put_known(struct merging *m, struct writer *w)
{
	const struct import *i = m->import;
	uint32_t count = i->replaces_known ? (uint32_t)i->known.count : i->old ? i->old->counts[SECTION_KNOWN] : 0;
	for (uint32_t n = 0; n < count; n++) {
		struct index_known k = i->replaces_known ? ((const struct index_known *)i->known.items)[n]
							 : index_known(i->old, n);
		write_u64(w, k.key);
		write_u64(w, k.added_us);
		write_u64(w, k.due_us);
		write_u8(w, k.ransomware);
		put_item(m, w, SECTION_KNOWN);
	}
}

/* The oldest are forgotten: they would be read again, no more. */
static void put_files(struct merging *m, struct writer *w)
{
	const struct import *i = m->import;
	uint32_t olds = i->old ? i->old->counts[SECTION_FILES] : 0;
	uint32_t room = INDEX_FILES_MAX - (uint32_t)i->digests.count;
	for (uint32_t n = olds > room ? olds - room : 0; n < olds; n++) {
		write_span(w, index_file(i->old, n));
		put_item(m, w, SECTION_FILES);
	}
	for (size_t n = 0; n < i->digests.count; n++) {
		write_bytes(w, ((const struct file_digest *)i->digests.items)[n].b, INDEX_FILE_BYTES);
		put_item(m, w, SECTION_FILES);
	}
}

static void put_tables(struct merging *m)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	const struct index_cve *cves = m->cves.items;
	const struct pair *pairs = m->pairs.items;
	for (int s = 0; s < SECTION_RECORDS; s++) {
		long at = ftell(m->file);
		m->at[s] = at < 0 ? 0 : (uint64_t)at;
		switch (s) {
		case SECTION_CVES:
			for (size_t n = 0; n < m->cves.count; n++) {
				write_u64(&w, cves[n].key);
				write_u64(&w, cves[n].at);
				write_u32(&w, cves[n].len);
				put_item(m, &w, SECTION_CVES);
			}
			break;
		case SECTION_PRODUCTS: put_products(m, &w); break;
		case SECTION_POSTINGS:
			for (size_t n = 0; n < m->pairs.count; n++) {
				write_u32(&w, pairs[n].cve);
				put_item(m, &w, SECTION_POSTINGS);
			}
			break;
		case SECTION_KNOWN: put_known(m, &w); break;
		case SECTION_FILES: put_files(m, &w); break;
		}
	}
}

/* The header is written last: a file that was not finished has none. */
static void put_header(struct merging *m)
{
	uint8_t room[INDEX_HEADER];
	struct writer w = writer_of(room, sizeof room);
	long end = ftell(m->file);
	write_text(&w, INDEX_MAGIC);
	write_u64(&w, clock_utc_us());
	write_u64(&w, end < 0 ? 0 : (uint64_t)end);
	for (int s = 0; s < SECTIONS; s++) {
		write_u64(&w, m->at[s]);
		write_u32(&w, m->counts[s]);
	}
	if (fseek(m->file, 0, SEEK_SET))
		m->bad = ERR_SYSTEM;
	put(m, writer_bytes(&w));
}

static void merge(struct merging *m)
{
	static const uint8_t nothing[INDEX_HEADER];
	struct import *i = m->import;
	if (i->entries.count)
		qsort(i->entries.items, i->entries.count, sizeof(struct import_entry), by_key);
	if (i->known.count)
		qsort(i->known.items, i->known.count, sizeof(struct index_known), known_by_key);
	put(m, (struct bytes){nothing, sizeof nothing});
	m->at[SECTION_RECORDS] = sizeof nothing;
	merge_cves(m);
	if (m->pairs.count)
		qsort(m->pairs.items, m->pairs.count, sizeof(struct pair), by_digest);
	put_tables(m);
	put_header(m);
	if (!m->bad && (fflush(m->file) || fsync(fileno(m->file))))
		m->bad = ERR_SYSTEM;
}

/* Whoever may write the folder owns the index: it stays the room's when root imports. */
static void give_to_folder(const char *path, int fd)
{
	char folder[4096];
	struct stat st;
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (geteuid() == 0 && stat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid))
		return; /* then it stays root's, and whoever may not read it says so */
}

int import_finish(struct import *i, struct fault *fault)
{
	char path[4096];
	struct merging m = {.import = i};
	if (!import_is_news(i))
		return 0;
	snprintf(path, sizeof path, "%s.new", i->path);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	m.file = fd < 0 ? NULL : fdopen(fd, "w+");
	if (!m.file || fflush(i->fresh))
		m.bad = ERR_SYSTEM;
	else
		merge(&m);
	if (m.file) {
		give_to_folder(i->path, fd);
		if (fclose(m.file))
			m.bad = ERR_SYSTEM;
	}
	free(m.cves.items);
	free(m.pairs.items);
	if (!m.bad && rename(path, i->path))
		m.bad = ERR_SYSTEM;
	if (m.bad == ERR_SYSTEM)
		return fault_set(fault, m.bad, "%s: %s", path, strerror(errno));
	if (m.bad)
		return fault_set(fault, m.bad, "%s: more CVEs or products than an index holds, or no memory", path);
	i->counts.known = m.counts[SECTION_KNOWN];
	return 0;
}
