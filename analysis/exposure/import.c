/*
 * Files of NVD and KEV into an index, in bounded memory: the records of new CVEs go to an unnamed file,
 * what stays in memory of each is its number, its age and its place.
 */
#include "analysis/exposure/import_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#define DECODED_MAX ((uint64_t)8 << 30) /* of one file */
#define PIECE (256u << 10)

/* In the index's folder: the room may write there and nowhere else. */
static FILE *unnamed_file(const char *index)
{
	char path[4096];
	snprintf(path, sizeof path, "%s.fresh", index);
	unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	unlink(path);
	return fdopen(fd, "w+");
}

static int lock_folder(const char *index, int *out, struct fault *fault)
{
	char folder[4096];
	const char *slash = strrchr(index, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - index) : 1, slash ? index : ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", folder, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return fault_set(fault, ERR_DENIED, "%s: another import is at work there; try again when it ended", folder);
	}
	*out = fd;
	return 0;
}

int import_open(struct import **out, const char *path, struct fault *fault)
{
	struct import *i = calloc(1, sizeof *i);
	int locked, bad = lock_folder(path, &locked, fault);
	if (bad || !i) {
		free(i);
		return bad ? bad : fault_set(fault, ERR_MEMORY, "%s: no memory", path);
	}
	i->folder = locked;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!(i->record = malloc(RECORD_BYTES_MAX)) || !(i->piece = malloc(2 * PIECE)))
		bad = fault_set(fault, ERR_MEMORY, "%s: no memory", path);
	if (!bad && fd < 0 && errno != ENOENT)
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (!bad && (i->path = strdup(path)) && fd >= 0)
		bad = weaknesses_open(&i->old, fd, path, fault);
	if (fd >= 0)
		close(fd);
	if (!bad && !(i->fresh = unnamed_file(path)))
		bad = fault_set(fault, ERR_SYSTEM, "%s: no file for what is new: %s", path, strerror(errno));
	if (bad) {
		import_close(i);
		return bad;
	}
	*out = i;
	return 0;
}

void import_close(struct import *i)
{
	if (!i)
		return;
	close(i->folder);
	weaknesses_close(i->old);
	if (i->fresh)
		fclose(i->fresh);
	free(i->path);
	free(i->record);
	free(i->piece);
	free(i->entries.items);
	free(i->known.items);
	free(i->digests.items);
	free(i);
}

const struct weaknesses_counts *import_counts(const struct import *i) { return &i->counts; }

bool import_is_news(const struct import *i) { return i->entries.count || i->replaces_known || i->digests.count; }

int list_add(struct list *l, size_t size, size_t max, const void *item)
{
	if (l->count == l->room) {
		size_t wanted = l->room ? l->room * 2 : 1024;
		if (l->count >= max)
			return ERR_FULL;
		void *grown = realloc(l->items, wanted * size);
		if (!grown)
			return ERR_MEMORY;
		l->items = grown;
		l->room = wanted;
	}
	memcpy((char *)l->items + l->count++ * size, item, size);
	return 0;
}

struct taking {
	struct import *import;
	int kind;
	uint64_t taken, bad;
	struct list known;
};

static int take_element(void *arg, struct bytes element)
{
	struct taking *t = arg;
	struct import *i = t->import;
	struct feed_entry e;
	struct writer w = writer_of(i->record, RECORD_BYTES_MAX);
	int bad = feed_read(element, &e, &w);
	if (bad || e.kind != (enum feed_kind)t->kind) {
		t->bad++;
		return 0;
	}
	t->taken++;
	if (e.kind == FEED_KEV) {
		struct index_known k = {e.key, e.added_us, e.due_us, e.ransomware};
		return list_add(&t->known, sizeof k, INDEX_KNOWN_MAX, &k);
	}
	struct import_entry entry = {e.key, e.modified_us, i->fresh_used, (uint32_t)writer_used(&w), (uint32_t)i->entries.count};
	if (fwrite(i->record, 1, entry.len, i->fresh) != entry.len)
		return ERR_SYSTEM;
	i->fresh_used += entry.len;
	return list_add(&i->entries, sizeof entry, INDEX_CVES_MAX, &entry);
}

/* Plain or packed shows in the first bytes (RFC 1952 2.3.1). */
static int take_pieces(struct import *i, int fd, struct splitter *s, struct taking *t)
{
	uint8_t *in = i->piece, *out = i->piece + PIECE;
	z_stream z = {0};
	uint64_t decoded = 0;
	bool packed = false, first = true;
	ssize_t n = 0;
	int bad = 0, status = Z_OK;
	while (!bad && (n = read(fd, in, PIECE)) > 0) {
		if (first && n > 2 && in[0] == 0x1f && in[1] == 0x8b)
			packed = inflateInit2(&z, 15 + 16) == Z_OK;
		first = false;
		if (!packed) {
			bad = splitter_take(s, (struct bytes){in, (size_t)n}, take_element, t);
			continue;
		}
		z.next_in = in;
		z.avail_in = (uInt)n;
		do {
			if (status == Z_STREAM_END && inflateReset(&z) != Z_OK)
				break; /* another member follows */
			z.next_out = out;
			z.avail_out = PIECE;
			status = inflate(&z, Z_NO_FLUSH);
			size_t made = PIECE - z.avail_out;
			decoded += made;
			if ((status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) || decoded > DECODED_MAX)
				bad = ERR_BAD;
			else
				bad = splitter_take(s, (struct bytes){out, made}, take_element, t);
		} while (!bad && (z.avail_in || z.avail_out == 0) && status != Z_BUF_ERROR);
	}
	if (packed)
		inflateEnd(&z);
	if (n < 0)
		return ERR_SYSTEM;
	return bad ? bad : packed && status != Z_STREAM_END ? ERR_BAD : 0;
}

static int digest_of(struct import *i, int fd, struct file_digest *out)
{
	XXH3_state_t *state = XXH3_createState();
	ssize_t n = state ? 0 : -1;
	if (state && XXH3_128bits_reset(state) == XXH_OK)
		while ((n = read(fd, i->piece, PIECE)) > 0)
			XXH3_128bits_update(state, i->piece, (size_t)n);
	if (n == 0) {
		XXH128_canonical_t canonical;
		XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
		memcpy(out->b, canonical.digest, sizeof out->b);
	}
	XXH3_freeState(state);
	return n == 0 && lseek(fd, 0, SEEK_SET) == 0 ? 0 : ERR_SYSTEM;
}

static bool is_known_file(const struct import *i, const struct file_digest *d)
{
	for (uint32_t k = 0; i->old && k < i->old->counts[SECTION_FILES]; k++)
		if (bytes_equal(index_file(i->old, k), (struct bytes){d->b, sizeof d->b}))
			return true;
	for (size_t k = 0; k < i->digests.count; k++)
		if (!memcmp(((const struct file_digest *)i->digests.items)[k].b, d->b, sizeof d->b))
			return true;
	return false;
}

static int complain(const struct taking *t, int bad, const struct splitter *s, const char *name, struct fault *fault)
{
	static const char *const kinds[] = {"an NVD feed (JSON 2.0 or 1.1)", "CISA's KEV"};
	if (bad == ERR_SYSTEM)
		return fault_set(fault, bad, "%s: %s", name, strerror(errno));
	if (bad == ERR_MEMORY || bad == ERR_FULL)
		return fault_set(fault, bad, "%s: more than there is room for", name);
	if (bad || !splitter_is_whole(s))
		return fault_set(fault, ERR_BAD, "%s: it is no whole JSON or gzip file; %llu of its entries were taken", name,
				 (unsigned long long)t->taken);
	if (t->taken == 0 && s->elements)
		return fault_set(fault, ERR_BAD, "%s: it is not %s", name, kinds[t->kind]);
	return 0;
}

int import_take(struct import *i, int kind, int fd, const char *name, struct fault *fault)
{
	struct file_digest digest;
	struct splitter s;
	struct taking t = {.import = i, .kind = kind};
	if (digest_of(i, fd, &digest))
		return fault_set(fault, ERR_SYSTEM, "%s: %s", name, strerror(errno));
	i->counts.files++;
	if (is_known_file(i, &digest)) {
		i->counts.unchanged++;
		return 0;
	}
	splitter_open(&s);
	int bad = complain(&t, take_pieces(i, fd, &s, &t), &s, name, fault);
	i->counts.bad += t.bad;
	i->counts.too_long += s.too_long;
	splitter_done(&s);
	if (kind == IMPORT_KEV && !bad) { /* the catalogue is one file: the new one is the whole of it */
		free(i->known.items);
		i->known = t.known;
		i->replaces_known = true;
		t.known = (struct list){0};
	}
	free(t.known.items);
	i->counts.cves += kind == IMPORT_NVD ? t.taken : 0;
	return bad ? bad : list_add(&i->digests, sizeof digest, INDEX_FILES_MAX, &digest);
}
