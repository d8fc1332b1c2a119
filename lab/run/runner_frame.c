#include "lab/run/runner_frame.h"
#include "lab/run/egress.h"

struct out {
	struct buffer *to;
	int bad;
};

static void put(struct out *o, const void *p, size_t n)
{
	if (!o->bad)
		o->bad = buffer_append(o->to, p, n);
}

static void put_number(struct out *o, uint64_t v)
{
	uint8_t b[8];
	struct writer w = writer_of(b, sizeof b);
	write_u64(&w, v);
	put(o, b, sizeof b);
}

static void put_bytes(struct out *o, struct bytes b)
{
	put_number(o, b.len);
	put(o, b.at, b.len);
}

static void put_text(struct out *o, const char *text)
{
	put_number(o, text != NULL);
	if (text)
		put_bytes(o, bytes_of_text(text));
}

static void put_numbers(struct out *o, const uint64_t *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_number(o, v[i]);
}

static void put_egress(struct out *o, const struct egress_plan *e)
{
	const uint64_t v[] = {e->sent_max, e->received_max, e->connections_max, e->per_minute_max, e->time_ms};
	put_numbers(o, v, sizeof v / sizeof *v);
	put_number(o, e->target_count);
	for (size_t i = 0; i < e->target_count; i++) {
		put_text(o, e->targets[i].name);
		put(o, e->targets[i].address.b, sizeof e->targets[i].address.b);
		put_number(o, e->targets[i].port);
	}
	put_number(o, e->decoy_count);
	for (size_t i = 0; i < e->decoy_count; i++) {
		put_number(o, e->decoys[i].scanned);
		put(o, e->decoys[i].address.b, sizeof e->decoys[i].address.b);
		put_number(o, e->decoys[i].port);
	}
}

#define LIMITS(l) {(l).memory, (l).processes, (l).time_ms, (l).cpu_ms, (l).disk, (l).file, (l).cpus_percent}

int runner_plan_write(struct buffer *to, const struct run_plan *p)
{
	struct out o = {.to = to};
	const uint64_t limits[] = LIMITS(p->limits);
	size_t count = 0;
	put_bytes(&o, p->sample);
	put_text(&o, p->sha256);
	put_text(&o, p->type);
	put_text(&o, p->architecture);
	put_text(&o, p->name);
	while (p->arguments && p->arguments[count])
		count++;
	put_number(&o, count);
	for (size_t i = 0; i < count; i++)
		put_text(&o, p->arguments[i]);
	put_number(&o, p->uid);
	put_numbers(&o, limits, sizeof limits / sizeof *limits);
	put_number(&o, p->file_count);
	for (size_t i = 0; i < p->file_count; i++) {
		put_text(&o, p->files[i].path);
		put_bytes(&o, p->files[i].content);
		put_number(&o, p->files[i].mode);
		put_number(&o, p->files[i].uid);
	}
	put_number(&o, p->served != NULL);
	put_number(&o, p->egress != NULL);
	if (p->egress)
		put_egress(&o, p->egress);
	return o.bad;
}

static void put_box(struct out *o, const struct box_result *b)
{
	const uint64_t v[] = {(uint32_t)b->status, b->killed, b->time_ms, b->cpu_ms, b->memory_peak, b->processes_peak,
			      b->disk_used, b->start_us};
	put_numbers(o, v, sizeof v / sizeof *v);
	put_text(o, b->limit);
}

static void put_seen(struct out *o, const struct run_findings *f)
{
	put_number(o, f->behaviour_count);
	for (size_t i = 0; i < f->behaviour_count; i++) {
		const struct behaviour *b = &f->behaviours[i];
		const uint64_t v[] = {b->kind, b->count, b->first_ms, b->last_ms, b->process};
		put_numbers(o, v, sizeof v / sizeof *v);
		put_text(o, b->subject);
		put_text(o, b->what);
	}
	put_number(o, f->indicator_count);
	for (size_t i = 0; i < f->indicator_count; i++) {
		const struct indicator *n = &f->indicators[i];
		const uint64_t v[] = {n->type, n->role, n->confidence, n->offset, n->part};
		put_numbers(o, v, sizeof v / sizeof *v);
		put_bytes(o, n->value);
		put_text(o, n->how);
	}
}

int runner_findings_write(struct buffer *to, const struct run_findings *f)
{
	struct out o = {.to = to};
	put_text(&o, f->how);
	put_number(&o, f->uid);
	put_box(&o, &f->box);
	put_seen(&o, f);
	put_number(&o, f->dropped_count);
	for (size_t i = 0; i < f->dropped_count; i++) {
		put_text(&o, f->dropped[i].path);
		put_text(&o, f->dropped[i].sha256);
		put_bytes(&o, f->dropped[i].content);
	}
	put_number(&o, f->hello_count);
	for (size_t i = 0; i < f->hello_count; i++) {
		put_text(&o, f->hellos[i].endpoint);
		put_bytes(&o, f->hellos[i].said);
		put_number(&o, f->hellos[i].registers);
	}
	put_bytes(&o, f->capture);
	put_bytes(&o, f->output);
	put_number(&o, f->limit_count);
	for (size_t i = 0; i < f->limit_count; i++)
		put_text(&o, f->limits[i]);
	return o.bad;
}

struct in {
	struct reader from;
	struct arena *arena;
};

static void spoil(struct in *in) { in->from.bad = true; }

static struct bytes get_bytes(struct in *in)
{
	const uint64_t n = read_u64(&in->from);
	if (n > reader_left(&in->from)) {
		spoil(in);
		return (struct bytes){0};
	}
	const struct bytes copy = arena_copy(in->arena, read_bytes(&in->from, n));
	if (n && copy.at == NULL)
		spoil(in);
	return n && copy.at ? copy : (struct bytes){0};
}

/* Never NULL where the form wants a text: "" then, and the whole is bad. */
static const char *get_text(struct in *in, bool needed)
{
	const char *text = NULL;
	if (read_u64(&in->from)) {
		const uint64_t n = read_u64(&in->from);
		const struct bytes b = n <= reader_left(&in->from) ? read_bytes(&in->from, n) : (struct bytes){0};
		if (b.len == n && (n == 0 || memchr(b.at, 0, n) == NULL))
			text = arena_text(in->arena, b);
		if (text == NULL)
			spoil(in);
	}
	if (text || !needed)
		return text;
	spoil(in);
	return "";
}

/* Room for a list whose length stands next; each of its members takes at least 8 bytes there. */
static void *get_list(struct in *in, size_t size, size_t *count)
{
	const uint64_t n = read_u64(&in->from);
	*count = 0;
	if (in->from.bad || n > RUNNER_COUNT_MAX || n > reader_left(&in->from) / 8) {
		spoil(in);
		return NULL;
	}
	void *const list = arena_alloc(in->arena, (n + 1) * size);
	if (list == NULL)
		spoil(in);
	else
		*count = n;
	return list;
}

static void get_numbers(struct in *in, uint64_t *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		v[i] = read_u64(&in->from);
}

/* It need not be UTF-8 any more, had somebody taken the runner over. */
static const char *get_visible(struct in *in)
{
	const char *const text = get_text(in, true);
	if (!bytes_is_utf8(bytes_of_text(text)))
		spoil(in);
	return text;
}

static int conclude(const struct in *in)
{
	return reader_ok(&in->from) && reader_left(&in->from) == 0 ? 0 : ERR_BAD;
}

static struct address get_address(struct in *in)
{
	struct address a = {{0}};
	const struct bytes b = read_bytes(&in->from, sizeof a.b);
	if (b.len == sizeof a.b)
		memcpy(a.b, b.at, sizeof a.b);
	return a;
}

/* A damaged plan is refused whole: what is left of it must not let more out. */
static const struct egress_plan *get_egress(struct in *in)
{
	uint64_t v[5];
	struct egress_plan *e = arena_alloc(in->arena, sizeof *e);
	if (e == NULL) {
		spoil(in);
		return NULL;
	}
	get_numbers(in, v, sizeof v / sizeof *v);
	*e = (struct egress_plan){.sent_max = v[0], .received_max = v[1], .connections_max = (unsigned)v[2],
				  .per_minute_max = (unsigned)v[3], .time_ms = v[4], .netns = -1};
	const uint64_t targets = read_u64(&in->from);
	if (targets > EGRESS_TARGETS_MAX)
		spoil(in);
	for (e->target_count = 0; !in->from.bad && e->target_count < targets; e->target_count++) {
		struct egress_target *t = &e->targets[e->target_count];
		if (!bytes_copy_text(bytes_of_text(get_text(in, true)), t->name, sizeof t->name))
			spoil(in);
		t->address = get_address(in);
		t->port = (uint16_t)read_u64(&in->from);
	}
	const uint64_t decoys = read_u64(&in->from);
	if (decoys > EGRESS_DECOYS_MAX)
		spoil(in);
	for (e->decoy_count = 0; !in->from.bad && e->decoy_count < decoys; e->decoy_count++) {
		struct egress_decoy *d = &e->decoys[e->decoy_count];
		d->scanned = (uint16_t)read_u64(&in->from);
		d->address = get_address(in);
		d->port = (uint16_t)read_u64(&in->from);
	}
	return e;
}

int runner_plan_read(struct bytes b, struct arena *arena, struct run_plan *p)
{
	struct in in = {reader_of_bytes(b), arena};
	uint64_t v[7];
	size_t count;
	*p = (struct run_plan){.sample = get_bytes(&in)};
	p->sha256 = get_text(&in, true);
	p->type = get_text(&in, true);
	p->architecture = get_text(&in, true);
	p->name = get_text(&in, false);
	const char **arguments = get_list(&in, sizeof *arguments, &count);
	for (size_t i = 0; i < count; i++)
		arguments[i] = get_text(&in, true);
	p->arguments = arguments;
	p->uid = (uint32_t)read_u64(&in.from);
	get_numbers(&in, v, sizeof v / sizeof *v);
	p->limits = (struct box_limits){.memory = v[0], .processes = v[1], .time_ms = v[2], .cpu_ms = v[3], .disk = v[4],
					.file = v[5], .cpus_percent = v[6]};
	struct run_file *files = get_list(&in, sizeof *files, &p->file_count);
	for (size_t i = 0; i < p->file_count; i++) {
		files[i].path = get_text(&in, true);
		files[i].content = get_bytes(&in);
		files[i].mode = (uint32_t)read_u64(&in.from);
		files[i].uid = (uint32_t)read_u64(&in.from);
	}
	p->files = files;
	(void)read_u64(&in.from); /* whether anything is served: the runner asks in any case */
	if (read_u64(&in.from))
		p->egress = get_egress(&in);
	return conclude(&in);
}

static void get_box(struct in *in, struct box_result *b)
{
	uint64_t v[8];
	get_numbers(in, v, sizeof v / sizeof *v);
	*b = (struct box_result){.status = (int)(uint32_t)v[0], .killed = v[1] != 0, .time_ms = v[2], .cpu_ms = v[3],
				 .memory_peak = v[4], .processes_peak = v[5], .disk_used = v[6], .start_us = v[7]};
	if (!bytes_copy_text(bytes_of_text(get_visible(in)), b->limit, sizeof b->limit))
		spoil(in);
}

static void get_seen(struct in *in, struct run_findings *f)
{
	uint64_t v[5];
	struct behaviour *behaviours = get_list(in, sizeof *behaviours, &f->behaviour_count);
	for (size_t i = 0; i < f->behaviour_count; i++) {
		get_numbers(in, v, 5);
		behaviours[i] = (struct behaviour){.kind = v[0] < BEHAVIOURS ? (enum behaviour_kind)v[0] : DID_OTHER, .count = v[1],
						   .first_ms = v[2], .last_ms = v[3], .process = (uint32_t)v[4]};
		behaviours[i].subject = get_visible(in);
		behaviours[i].what = get_visible(in);
	}
	f->behaviours = behaviours;
	struct indicator *indicators = get_list(in, sizeof *indicators, &f->indicator_count);
	for (size_t i = 0; i < f->indicator_count; i++) {
		get_numbers(in, v, 5);
		if (v[0] >= INDICATOR_TYPES || v[1] >= INDICATOR_ROLES || v[2] > 100)
			spoil(in);
		indicators[i] = (struct indicator){.type = (enum indicator_type)v[0], .role = (enum indicator_role)v[1],
						   .confidence = (unsigned)v[2], .offset = v[3], .part = (unsigned)v[4]};
		indicators[i].value = get_bytes(in);
		indicators[i].how = get_visible(in);
	}
	f->indicators = indicators;
}

static void get_dropped(struct in *in, struct run_findings *f)
{
	struct dropped *dropped = get_list(in, sizeof *dropped, &f->dropped_count);
	for (size_t i = 0; i < f->dropped_count; i++) {
		dropped[i].path = get_visible(in);
		const struct bytes digest = bytes_of_text(get_visible(in));
		if (digest.len != 64 || !bytes_copy_text(digest, dropped[i].sha256, sizeof dropped[i].sha256))
			spoil(in);
		dropped[i].content = get_bytes(in);
	}
	f->dropped = dropped;
}

int runner_findings_read(struct bytes b, struct arena *arena, struct run_findings *f)
{
	struct in in = {reader_of_bytes(b), arena};
	*f = (struct run_findings){.how = get_visible(&in)};
	f->uid = (uint32_t)read_u64(&in.from);
	get_box(&in, &f->box);
	get_seen(&in, f);
	get_dropped(&in, f);
	struct hello *hellos = get_list(&in, sizeof *hellos, &f->hello_count);
	for (size_t i = 0; i < f->hello_count; i++) {
		hellos[i].endpoint = get_visible(&in);
		hellos[i].said = get_bytes(&in);
		hellos[i].registers = read_u64(&in.from) != 0;
	}
	f->hellos = hellos;
	f->capture = get_bytes(&in);
	f->output = get_bytes(&in);
	const char **limits = get_list(&in, sizeof *limits, &f->limit_count);
	for (size_t i = 0; i < f->limit_count; i++)
		limits[i] = get_visible(&in);
	f->limits = limits;
	return conclude(&in);
}
