/* All tables into one map: each is made flat first, then they are swept together from the lowest address on. */
#include "base/network_map.h"
#include "share/networks/table_inner.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABELS_MAX 512
#define NESTED_MAX 256

struct range { /* `at` is where the rest of its row stands; NOTHING between ranges */
	struct address first, last;
	uint32_t at;
};

struct table {
	struct timespec time;
	char name[256];
	struct bytes whole;
	struct range *ranges; /* as they stood; then flat, in order */
	size_t count, room, now;
};

struct as_row {
	uint32_t as, at;
	unsigned table;
};

struct compilation {
	struct table tables[NETWORKS_TABLES_MAX];
	size_t count;
	struct as_row *as;
	size_t as_count, as_room;
	struct network_map_maker *maker;
};

struct words { /* the rest of a row */
	uint32_t as;
	char country[3];
	struct bytes name, labels;
};

static struct words read_words(struct bytes whole, uint32_t at)
{
	struct reader r = reader_of(whole.at + at, whole.len - at);
	struct words words = {.as = read_u32(&r)};
	memcpy(words.country, read_bytes(&r, 2).at, 2);
	words.name = read_bytes(&r, read_u8(&r));
	words.labels = read_bytes(&r, read_u8(&r));
	return words;
}

static void *grown(void *items, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 4096;
	void *at = realloc(items, more * size);
	*room = at ? more : *room;
	return at;
}

static bool add_range(struct table *t, const struct range *range)
{
	if (t->count == t->room) {
		void *at = grown(t->ranges, &t->room, sizeof *t->ranges);
		if (!at)
			return false;
		t->ranges = at;
	}
	t->ranges[t->count++] = *range;
	return true;
}

static bool add_as(struct compilation *c, const struct as_row *row)
{
	if (c->as_count == c->as_room) {
		void *at = grown(c->as, &c->as_room, sizeof *c->as);
		if (!at)
			return false;
		c->as = at;
	}
	c->as[c->as_count++] = *row;
	return true;
}

static bool read_row(struct compilation *c, struct table *t, struct reader *r)
{
	uint8_t kind = read_u8(r);
	struct range range = {0};
	if (kind == ROW_NETWORK) {
		struct bytes first = read_bytes(r, 16), last = read_bytes(r, 16);
		if (!reader_ok(r))
			return false;
		memcpy(range.first.b, first.at, 16);
		memcpy(range.last.b, last.at, 16);
	}
	uint32_t at = (uint32_t)(t->whole.len - reader_left(r)), as = read_u32(r);
	read_bytes(r, 2);
	read_bytes(r, read_u8(r));
	range.at = at;
	if (kind == ROW_NETWORK) {
		read_bytes(r, read_u8(r));
		return reader_ok(r) && add_range(t, &range);
	}
	const struct as_row row = {as, at, (unsigned)(t - c->tables)};
	return kind == ROW_AS && reader_ok(r) && add_as(c, &row);
}

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int order = memcmp(x->first.b, y->first.b, 16);
	return order ? order : -memcmp(x->last.b, y->last.b, 16);
}

static struct address after(const struct address *a)
{
	struct address next = *a;
	for (size_t i = sizeof next.b; i-- > 0 && ++next.b[i] == 0;)
		;
	return next;
}

static struct address before(const struct address *a)
{
	struct address last = *a;
	for (size_t i = sizeof last.b; i-- > 0 && last.b[i]-- == 0;)
		;
	return last;
}

static int order(const struct address *a, const struct address *b) { return memcmp(a->b, b->b, sizeof a->b); }

struct flat {
	struct table into;
	struct range open[NESTED_MAX]; /* each within the one below it, as far as it reaches */
	size_t depth;
	struct address from;           /* up to here all is written */
	bool ok, over;                 /* the highest address is written */
};

static void write_until(struct flat *f, const struct address *last)
{
	struct range *top = &f->open[f->depth - 1];
	if (f->over || order(&f->from, last) > 0)
		return;
	const struct range segment = {f->from, *last, top->at};
	f->ok &= add_range(&f->into, &segment);
	f->from = after(last);
	f->over = address_is_zero(&f->from);
}

/* Those that end before this address. */
static void close_before(struct flat *f, const struct address *first)
{
	while (f->depth && order(&f->open[f->depth - 1].last, first) < 0) {
		write_until(f, &f->open[f->depth - 1].last);
		f->depth--;
	}
}

/* Narrower ranges hold: they come later in order, and what is left of the wider one goes on behind them. */
static bool flatten(struct table *t)
{
	struct flat *f = calloc(1, sizeof *f);
	if (!f)
		return false;
	f->ok = true;
	if (t->count)
		qsort(t->ranges, t->count, sizeof *t->ranges, by_first);
	for (size_t i = 0; i < t->count && f->ok; i++) {
		const struct range *r = &t->ranges[i];
		close_before(f, &r->first);
		if (f->depth && order(&f->from, &r->first) < 0) {
			struct address end = before(&r->first);
			write_until(f, &end);
		}
		f->from = r->first;
		if (f->depth == NESTED_MAX)
			f->depth--;
		f->open[f->depth++] = *r;
	}
	while (f->depth && f->ok) {
		write_until(f, &f->open[f->depth - 1].last);
		f->depth--;
	}
	free(t->ranges);
	t->ranges = f->into.ranges;
	t->count = f->into.count;
	t->room = f->into.room;
	bool ok = f->ok;
	free(f);
	return ok;
}

static bool has_word(struct bytes all, struct bytes word)
{
	for (struct bytes one; (one = bytes_word(&all)).len;)
		if (bytes_equal(one, word))
			return true;
	return false;
}

static void add_labels(struct writer *w, struct bytes labels)
{
	for (struct bytes word; (word = bytes_word(&labels)).len;)
		if (!has_word(writer_bytes(w), word) && word.len + 1 <= writer_left(w)) {
			write_text(w, writer_used(w) ? " " : "");
			write_span(w, word);
		}
}

/* What the tables say of addresses from this one on, the latest table first. */
static int combine(struct compilation *c, const struct address *from)
{
	char labels[LABELS_MAX];
	struct writer w = writer_of(labels, sizeof labels);
	struct words all = {0};
	uint32_t entry;
	for (size_t i = 0; i < c->count; i++) {
		const struct table *t = &c->tables[i];
		if (t->now == t->count || order(&t->ranges[t->now].first, from) > 0)
			continue;
		const struct words words = read_words(t->whole, t->ranges[t->now].at);
		all.as = all.as ? all.as : words.as;
		if (!*all.country)
			memcpy(all.country, words.country, sizeof all.country);
		all.name = all.name.len ? all.name : words.name;
		add_labels(&w, words.labels);
	}
	int bad = network_map_entry(c->maker, all.as, all.country, all.name, writer_bytes(&w), &entry);
	return bad ? bad : network_map_add(c->maker, from, entry);
}

/* The next address at which any table says something else; false: none does. */
static bool next_change(struct compilation *c, struct address *from)
{
	struct address best = {0};
	bool any = false;
	for (size_t i = 0; i < c->count; i++) {
		struct table *t = &c->tables[i];
		while (t->now < t->count && order(&t->ranges[t->now].last, from) < 0)
			t->now++;
		if (t->now == t->count)
			continue;
		const struct range *r = &t->ranges[t->now];
		struct address change = order(&r->first, from) > 0 ? r->first : after(&r->last);
		if (order(&change, from) > 0 && (!any || order(&change, &best) < 0)) {
			best = change;
			any = true;
		}
	}
	*from = best;
	return any;
}

static int sweep(struct compilation *c)
{
	struct address from = {0};
	int bad = combine(c, &from);
	while (!bad && next_change(c, &from)) {
		for (size_t i = 0; i < c->count; i++) {
			struct table *t = &c->tables[i];
			while (t->now < t->count && order(&t->ranges[t->now].last, &from) < 0)
				t->now++;
		}
		bad = combine(c, &from);
	}
	return bad;
}

/* Of one AS the latest table's. */
static int by_as(const void *a, const void *b)
{
	const struct as_row *x = a, *y = b;
	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	return x->table < y->table ? -1 : x->table > y->table ? 1 : x->at > y->at ? -1 : x->at < y->at;
}

static int name_all(struct compilation *c)
{
	if (c->as_count)
		qsort(c->as, c->as_count, sizeof *c->as, by_as);
	for (size_t i = 0; i < c->as_count; i++) {
		const struct as_row *row = &c->as[i];
		if (i && row->as == c->as[i - 1].as)
			continue;
		struct bytes whole = c->tables[row->table].whole;
		struct reader r = reader_of(whole.at + row->at + 4, whole.len - row->at - 4);
		char country[3] = "";
		memcpy(country, read_bytes(&r, 2).at, 2);
		int bad = network_map_add_as(c->maker, row->as, read_bytes(&r, read_u8(&r)), country);
		if (bad)
			return bad;
	}
	return 0;
}

static bool newer_first(const struct table *a, const struct table *b)
{
	return a->time.tv_sec != b->time.tv_sec ? a->time.tv_sec > b->time.tv_sec : a->time.tv_nsec > b->time.tv_nsec;
}

static int by_time(const void *a, const void *b) { return newer_first(a, b) ? -1 : newer_first(b, a); }

static int open_table(struct compilation *c, int folder, const char *name, struct fault *fault)
{
	struct stat st;
	if (c->count == NETWORKS_TABLES_MAX)
		return fault_set(fault, ERR_FULL, "more than %d tables of networks; take some out of the folder", NETWORKS_TABLES_MAX);
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_size > UINT32_MAX) {
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "%s: it cannot be read", name);
	}
	struct table *t = &c->tables[c->count++];
	void *at = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	t->time = st.st_mtim;
	snprintf(t->name, sizeof t->name, "%s", name);
	if (at != MAP_FAILED)
		t->whole = (struct bytes){at, (size_t)st.st_size};
	return at != MAP_FAILED || !st.st_size ? 0 : fault_set(fault, ERR_SYSTEM, "%s: it cannot be read", name);
}

static int open_tables(struct compilation *c, int folder, struct fault *fault)
{
	const size_t suffix = sizeof NETWORKS_SUFFIX - 1;
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), bad = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return fault_set(fault, ERR_SYSTEM, "the folder of tables cannot be read: %s", strerror(errno));
	for (struct dirent *it; !bad && (it = readdir(d));) {
		size_t n = strlen(it->d_name);
		if (n > suffix && !strcmp(it->d_name + n - suffix, NETWORKS_SUFFIX))
			bad = open_table(c, folder, it->d_name, fault);
	}
	closedir(d);
	qsort(c->tables, c->count, sizeof *c->tables, by_time);
	return bad;
}

static int read_tables(struct compilation *c, struct fault *fault)
{
	for (size_t i = 0; i < c->count; i++) {
		struct table *t = &c->tables[i];
		struct reader r = reader_of_bytes(t->whole);
		while (reader_left(&r))
			if (!read_row(c, t, &r))
				return fault_set(fault, ERR_BAD, "%s: it is damaged; importing it again makes it anew", t->name);
		if (!flatten(t))
			return fault_set(fault, ERR_MEMORY, "no memory for a table of networks");
	}
	return 0;
}

static int write_map(struct compilation *c, int folder, struct fault *fault)
{
	int fd = openat(folder, NETWORK_MAP_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, NETWORK_MAP_FILE ".new: %s", strerror(errno));
	int bad = network_map_write(c->maker, fd, fault);
	if (close(fd) && !bad)
		bad = fault_set(fault, ERR_SYSTEM, NETWORK_MAP_FILE ": %s", strerror(errno));
	if (!bad && renameat(folder, NETWORK_MAP_FILE ".new", folder, NETWORK_MAP_FILE))
		bad = fault_set(fault, ERR_SYSTEM, NETWORK_MAP_FILE ": %s", strerror(errno));
	return bad;
}

int networks_compile(int folder, struct fault *fault)
{
	struct compilation *c = calloc(1, sizeof *c);
	if (!c || !(c->maker = network_map_maker_new())) {
		free(c);
		return fault_set(fault, ERR_MEMORY, "no memory for a map of networks");
	}
	int bad = open_tables(c, folder, fault);
	bad = bad ? bad : read_tables(c, fault);
	if (!bad && (sweep(c) || name_all(c)))
		bad = fault_set(fault, ERR_FULL, "the tables of networks are too many for one map");
	bad = bad ? bad : write_map(c, folder, fault);
	for (size_t i = 0; i < c->count; i++) {
		free(c->tables[i].ranges);
		if (c->tables[i].whole.len)
			munmap((void *)(uintptr_t)c->tables[i].whole.at, c->tables[i].whole.len);
	}
	free(c->as);
	network_map_maker_free(c->maker);
	free(c);
	return bad;
}
