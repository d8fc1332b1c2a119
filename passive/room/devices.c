#include "passive/room/devices.h"
#include "base/log.h"
#include "base/random.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC 0x6b646576696365a2u
#define HALF_HEAD 24
#define RECORD_HEAD 8
#define BODY_HEAD (16 + 16 + 8 + 3 * 4 + 2)
#define ARENA_SPARE (128u << 10) /* for nodes and names, beside what is written */

static uint64_t half_size(const struct devices *d) { return d->options.file_bytes / 2; }
static uint64_t half_start(const struct devices *d) { return d->half * half_size(d); }

static uint64_t device_hash(const struct devices *d, const struct address *source, const struct address *local)
{
	return address_hash(source, d->key ^ address_hash(local, d->key));
}

static struct device *device_of(const struct devices *d, const struct address *source,
				const struct address *local, uint64_t mark)
{
	uint64_t hash = device_hash(d, source, local);
	for (struct table_node *n = table_first(&d->table, hash); n; n = table_next(n)) {
		struct device *v = TABLE_OWNER(n, struct device, node);
		if (address_equal(&v->source, source) && address_equal(&v->local, local) && v->persona_mark == mark)
			return v;
	}
	return NULL;
}

static struct vfs_programs programs_of(const struct persona *p)
{
	return (struct vfs_programs){{p->busybox_elf, p->other_elf}};
}

void devices_count_memory(struct devices *d, struct device *v)
{
	size_t now = v->arena.used + v->memory_bytes;
	d->awake_bytes += now - v->counted;
	v->counted = now;
}

static void files_new(struct devices *d, struct device *v)
{
	uint32_t edits = v->files.edits;
	arena_done(&v->arena);
	device_forget_all(v);
	devices_count_memory(d, v);
	v->arena = ARENA(d->options.device_bytes + d->options.device_bytes / 8 + ARENA_SPARE);
	vfs_overlay_start(&v->files, &v->arena);
	v->files.edits = edits;
	v->files.file_max = v->files.written_max = (uint32_t)d->options.device_bytes;
}

static void device_drop(struct devices *d, struct device *v)
{
	arena_done(&v->arena);
	device_forget_all(v);
	devices_count_memory(d, v);
	table_remove(&d->table, &v->node);
	TAILQ_REMOVE(&d->queue, v, order);
	d->live_bytes -= v->len;
	free(v);
}

static bool drop_quietest(struct devices *d, const struct device *spared)
{
	struct device *v;
	TAILQ_FOREACH_REVERSE(v, &d->queue, device_queue, order)
		if (!v->sessions && v != spared) {
			device_drop(d, v);
			d->dropped++;
			return true;
		}
	return false;
}

static struct device *device_new(struct devices *d, const struct address *source, const struct address *local,
				 uint64_t mark)
{
	if (d->table.count >= d->options.count && !drop_quietest(d, NULL))
		return NULL;
	struct device *v = calloc(1, sizeof *v);
	if (!v)
		return NULL;
	v->source = *source;
	v->local = *local;
	v->persona_mark = mark;
	files_new(d, v);
	table_add(&d->table, &v->node, device_hash(d, source, local));
	TAILQ_INSERT_HEAD(&d->queue, v, order);
	return v;
}

static uint32_t check_of(uint64_t generation, struct bytes body)
{
	return (uint32_t)XXH3_64bits_withSeed(body.at, body.len, generation);
}

static uint64_t head_check(uint64_t generation) { return random_mix(generation ^ MAGIC); }

static void read_address(struct reader *r, struct address *out)
{
	struct bytes b = read_bytes(r, sizeof out->b);
	if (b.len)
		memcpy(out->b, b.at, b.len);
}

/* One record of the file: the latest of a device counts. */
static void take_record(struct devices *d, struct bytes body, uint64_t at, uint64_t now_us)
{
	struct reader r = reader_of_bytes(body);
	struct address source, local;
	read_address(&r, &source);
	read_address(&r, &local);
	uint64_t mark = read_u64(&r);
	uint32_t first_s = read_u32(&r), seen_s = read_u32(&r), visits = read_u32(&r);
	uint8_t human = read_u8(&r), alive = read_u8(&r);
	if (!reader_ok(&r))
		return;
	struct device *v = device_of(d, &source, &local, mark);
	if (now_us / 1000000 > seen_s + d->options.keep_ms / 1000 || !alive) {
		if (v)
			device_drop(d, v);
		return;
	}
	if (!v)
		v = device_new(d, &source, &local, mark);
	if (!v)
		return;
	TAILQ_REMOVE(&d->queue, v, order);
	TAILQ_INSERT_HEAD(&d->queue, v, order);
	v->first_s = first_s;
	v->seen_s = seen_s;
	v->visits = visits;
	v->human = human;
	d->live_bytes += RECORD_HEAD + body.len - v->len;
	v->at = at;
	v->len = (uint32_t)(RECORD_HEAD + body.len);
}

static uint64_t half_generation(struct bytes half)
{
	struct reader r = reader_of_bytes(half);
	uint64_t magic = read_u64(&r), generation = read_u64(&r), check = read_u64(&r);
	return reader_ok(&r) && magic == MAGIC && check == head_check(generation) ? generation : 0;
}

static void half_read(struct devices *d, struct bytes half, uint64_t now_us)
{
	struct reader r = reader_of_bytes(half);
	read_bytes(&r, HALF_HEAD);
	for (;;) {
		uint64_t at = half.len - reader_left(&r);
		uint32_t len = read_u32(&r), check = read_u32(&r);
		struct bytes body = len >= BODY_HEAD && len <= DEVICE_BODY_MAX ? read_bytes(&r, len) : (struct bytes){0};
		d->end = at;
		if (!reader_ok(&r) || !body.len || check != check_of(d->generation, body))
			return;
		take_record(d, body, at, now_us);
	}
}

static void file_broken(struct devices *d, const char *what)
{
	if (!d->broken)
		log_error("passive: what attackers leave at devices cannot be kept: %s: %s", what, strerror(errno));
	d->broken = true;
	d->unsaved++;
}

static bool file_write(struct devices *d, uint64_t at, struct bytes b)
{
	while (b.len) {
		ssize_t n = pwrite(d->fd, b.at, b.len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			file_broken(d, "the file takes no more");
			return false;
		}
		at += (uint64_t)n;
		b.at += n;
		b.len -= (size_t)n;
	}
	d->broken = false;
	return true;
}

static bool half_begin(struct devices *d, uint64_t half, uint64_t generation)
{
	uint8_t head[HALF_HEAD];
	struct writer w = writer_of(head, sizeof head);
	write_u64(&w, MAGIC);
	write_u64(&w, generation);
	write_u64(&w, head_check(generation));
	return file_write(d, half * half_size(d), writer_bytes(&w));
}

/* The half that is no longer in use, so that nothing of what was forgotten stays. */
static void half_wipe(struct devices *d, uint64_t half)
{
	static const uint8_t zero[65536];
	for (uint64_t at = 0; at < half_size(d); at += sizeof zero) {
		uint64_t n = half_size(d) - at < sizeof zero ? half_size(d) - at : sizeof zero;
		if (!file_write(d, half * half_size(d) + at, (struct bytes){zero, n}))
			return;
	}
}

static bool record_read(const struct devices *d, const struct device *v, struct bytes *body)
{
	ssize_t n = v->len ? pread(d->fd, d->scratch, v->len, (off_t)(half_start(d) + v->at)) : 0;
	struct reader r = reader_of(d->scratch, n > 0 ? (size_t)n : 0);
	uint32_t len = read_u32(&r), check = read_u32(&r);
	*body = read_bytes(&r, len);
	return reader_ok(&r) && n == (ssize_t)v->len && check == check_of(d->generation, *body);
}

static struct bytes record_close(const struct devices *d, uint64_t generation, struct writer *w)
{
	struct bytes body = {d->scratch + RECORD_HEAD, writer_used(w) - RECORD_HEAD};
	struct writer head = writer_of(d->scratch, RECORD_HEAD);
	write_u32(&head, (uint32_t)body.len);
	write_u32(&head, check_of(generation, body));
	return writer_bytes(w);
}

/* All that is alive goes to the other half, the quietest first as they came. */
static bool compact(struct devices *d)
{
	uint64_t generation = d->generation + 1, other = !d->half, end = HALF_HEAD;
	struct device *v;
	TAILQ_FOREACH_REVERSE(v, &d->queue, device_queue, order) {
		struct bytes body;
		if (!v->len)
			continue;
		if (!record_read(d, v, &body)) {
			d->live_bytes -= v->len;
			v->len = 0;
			continue;
		}
		struct writer w = writer_of(d->scratch, RECORD_HEAD + body.len);
		w.at += RECORD_HEAD + body.len; /* it lies there already */
		struct bytes record = record_close(d, generation, &w);
		if (!file_write(d, other * half_size(d) + end, record))
			return false;
		end += record.len;
	}
	uint8_t stop[RECORD_HEAD] = {0};
	if (!file_write(d, other * half_size(d) + end, (struct bytes){stop, sizeof stop}) ||
	    !half_begin(d, other, generation))
		return false;
	uint64_t at = HALF_HEAD;
	TAILQ_FOREACH_REVERSE(v, &d->queue, device_queue, order) {
		v->at = at;
		at += v->len;
	}
	d->half = other;
	d->generation = generation;
	d->end = end;
	return true;
}

/* Room for a record at the end; what was quiet for longest goes when half of a half is alive. */
static bool room_make(struct devices *d, const struct device *v, size_t n)
{
	while (d->live_bytes - v->len + n > (half_size(d) - HALF_HEAD) / 2)
		if (!drop_quietest(d, v))
			return false;
	return d->end + n + RECORD_HEAD <= half_size(d) || compact(d);
}

static void device_keep(struct devices *d, struct device *v)
{
	struct vfs_programs programs = programs_of(v->persona);
	struct writer w = writer_of(d->scratch, RECORD_HEAD + DEVICE_BODY_MAX);
	if (d->fd < 0)
		return;
	write_zero(&w, RECORD_HEAD);
	write_bytes(&w, v->source.b, sizeof v->source.b);
	write_bytes(&w, v->local.b, sizeof v->local.b);
	write_u64(&w, v->persona_mark);
	write_u32(&w, v->first_s);
	write_u32(&w, v->seen_s);
	write_u32(&w, v->visits);
	write_u8(&w, v->human);
	uint8_t *alive = w.at;
	write_u8(&w, v->human > 0 || !SLIST_EMPTY(&v->memories));
	device_memories_pack(v, &w);
	size_t empty = writer_used(&w);
	vfs_pack(&v->files, &programs, &w);
	size_t n = writer_used(&w);
	*alive |= n > empty;
	if (w.bad || (!*alive && v->len == 0))
		return; /* nothing is left of what was changed */
	bool forget = !*alive;
	uint8_t *kept = d->end + n + RECORD_HEAD > half_size(d) ? malloc(n) : NULL; /* compacting needs the scratch */
	if (kept)
		memcpy(kept, d->scratch, n);
	bool room = room_make(d, v, n);
	if (kept)
		memcpy(d->scratch, kept, n);
	free(kept);
	w = writer_of(d->scratch, n);
	w.at += n;
	if (!room || !file_write(d, half_start(d) + d->end, record_close(d, d->generation, &w)))
		return;
	d->live_bytes += n - v->len;
	v->at = d->end;
	v->len = (uint32_t)n;
	d->end += n;
	if (forget) { /* the record says so to who reads the file; it need not be carried on */
		d->live_bytes -= v->len;
		v->len = 0;
	}
	v->saved_edits = v->files.edits;
}

int devices_open(struct devices *d, const struct devices_options *o, int fd, uint64_t now_us)
{
	*d = (struct devices){.options = *o, .fd = fd, .key = random_secret(), .generation = 1, .end = HALF_HEAD};
	TAILQ_INIT(&d->queue);
	d->scratch = malloc(RECORD_HEAD + DEVICE_BODY_MAX);
	if (!d->scratch || table_open(&d->table, o->count) < 0)
		return ERR_MEMORY;
	struct stat st;
	size_t size = fd >= 0 && fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
	uint8_t *text = size >= o->file_bytes ? mmap(NULL, o->file_bytes, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (text == MAP_FAILED) {
		d->fd = -1;
		return fd < 0 ? 0 : ERR_SYSTEM;
	}
	struct bytes halves[2] = {{text, half_size(d)}, {text + half_size(d), half_size(d)}};
	uint64_t generations[2] = {half_generation(halves[0]), half_generation(halves[1])};
	d->half = generations[1] > generations[0];
	if (generations[d->half]) {
		d->generation = generations[d->half];
		half_read(d, halves[d->half], now_us);
	} else {
		half_begin(d, 0, d->generation);
	}
	munmap(text, o->file_bytes);
	return 0;
}

void devices_done(struct devices *d)
{
	if (!d->table.heads)
		return;
	devices_save(d);
	while (!TAILQ_EMPTY(&d->queue))
		device_drop(d, TAILQ_FIRST(&d->queue));
	table_done(&d->table);
	free(d->scratch);
	d->scratch = NULL;
}

static void device_wake(struct devices *d, struct device *v, const struct persona *p)
{
	struct vfs_programs programs = programs_of(p);
	struct bytes body;
	v->persona = p;
	if (v->len && record_read(d, v, &body)) {
		struct reader r = reader_of(body.at + BODY_HEAD, body.len - BODY_HEAD);
		device_memories_unpack(v, &r);
		if (reader_ok(&r))
			vfs_unpack(&v->files, p->root, &programs, read_rest(&r));
	}
	v->saved_edits = v->ended_edits = v->files.edits;
	v->visits++;
	devices_count_memory(d, v);
}

static uint64_t mark_of(const struct persona *p) { return XXH3_64bits(p->name, strlen(p->name)); }

struct device *devices_known(const struct devices *d, const struct address *source, const struct address *local,
			     const struct persona *p)
{
	return device_of(d, source, local, mark_of(p));
}

struct device *devices_enter(struct devices *d, const struct address *source, const struct address *local,
			     const struct persona *p, uint64_t now_us)
{
	uint64_t mark = mark_of(p);
	struct device *v = device_of(d, source, local, mark);
	uint32_t now_s = (uint32_t)(now_us / 1000000);
	if (v && !v->sessions && now_s > v->seen_s + d->options.keep_ms / 1000) {
		device_drop(d, v);
		v = NULL;
	}
	if (!v)
		v = device_new(d, source, local, mark);
	if (!v)
		return NULL;
	if (v->sessions++ == 0)
		device_wake(d, v, p);
	if (!v->first_s)
		v->first_s = now_s;
	v->seen_s = now_s;
	TAILQ_REMOVE(&d->queue, v, order);
	TAILQ_INSERT_HEAD(&d->queue, v, order);
	return v;
}

void devices_touch(struct devices *d, struct device *v)
{
	devices_count_memory(d, v);
	bool full = d->awake_bytes >= d->options.memory_bytes;
	v->arena.max = full ? v->arena.used : d->options.device_bytes + d->options.device_bytes / 8 + ARENA_SPARE;
}

bool devices_leave(struct devices *d, struct device *v, uint64_t now_us)
{
	bool changed = v->files.edits != v->saved_edits;
	v->seen_s = (uint32_t)(now_us / 1000000);
	v->ended_edits = v->files.edits;
	if (changed)
		device_keep(d, v);
	if (--v->sessions)
		return changed;
	files_new(d, v);
	if (!v->len)
		device_drop(d, v);
	return changed;
}

void device_judge(struct device *v, uint8_t human)
{
	if (human <= v->human)
		return;
	v->human = human;
	v->files.edits++;
}

bool device_wants_snapshot(const struct devices *d, const struct device *v)
{
	bool human = v->human > 0 && d->options.snapshots == SNAPSHOTS_HUMAN;
	return v->files.root && v->files.edits != v->ended_edits && (human || d->options.snapshots == SNAPSHOTS_ALL);
}

bool devices_save(struct devices *d)
{
	bool any = false;
	struct device *v;
	TAILQ_FOREACH(v, &d->queue, order) {
		any |= v->sessions > 0;
		if (v->sessions && v->files.edits != v->saved_edits)
			device_keep(d, v);
	}
	return any;
}

uint64_t devices_forget(struct devices *d, device_match_f *matches, void *arg)
{
	uint64_t count = 0;
	devices_save(d);
	for (struct device *v = TAILQ_FIRST(&d->queue), *next; v; v = next) {
		struct bytes body;
		next = TAILQ_NEXT(v, order);
		bool read = v->len && record_read(d, v, &body);
		struct bytes packed = {read ? body.at + BODY_HEAD : NULL, read ? body.len - BODY_HEAD : 0};
		if (!matches(arg, v, packed))
			continue;
		count++;
		d->live_bytes -= v->len;
		v->len = 0;
		if (v->sessions) {
			files_new(d, v);
			v->saved_edits = v->files.edits;
		} else {
			device_drop(d, v);
		}
	}
	if (count && d->fd >= 0 && compact(d))
		half_wipe(d, !d->half);
	return count;
}
