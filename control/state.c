#include "control/state_inner.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define FILE_NAME "looks"
#define FILE_NAME_NEW "looks.new"
#define MAGIC "kansoku control state 1\n"
#define PENDING_MAX (64u << 20)
#define LOOK_IS_CHECK 0x80 /* beside the tries, which are few */
#define PENDING_FLUSH (1u << 20)

enum record {
	RECORD_KEY = 1,
	RECORD_LOOK,
	RECORD_GIVEN,
	RECORD_DONE,
	RECORD_TARGET,
	RECORD_STEER_OLD, /* as versions without a trial wrote it: without arm, rule, unit and reasons */
	RECORD_STEER,
	RECORD_SOURCE,
	RECORD_FEATURE,
	RECORD_SURVEY,
	RECORD_FOLLOW,
	RECORD_APPROVAL,
	RECORD_VISITS,
	RECORD_SERVER,
};

struct state {
	int directory, fd, old_fd; /* old_fd: while compacting */
	struct buffer pending;
	uint64_t size, compacted; /* of the file; when it was last compacted */
	uint64_t damaged;
	bool lost; /* a record did not fit into memory: the file cannot be trusted until compacted */
	char path[256];
};

static uint32_t check_of(const void *p, size_t n) { return (uint32_t)XXH3_64bits(p, n); }

static void read_sixteen(struct reader *r, uint8_t out[16])
{
	struct bytes b = read_bytes(r, 16);
	if (b.len)
		memcpy(out, b.at, b.len);
}

static void write_id(struct writer *w, const struct event_id *id) { write_bytes(w, id->b, sizeof id->b); }

static void read_look(struct reader *r, const struct state_reader *to)
{
	struct state_look s = {0};
	if (!lease_read(r, &s.look.lease))
		return;
	s.look.basis_until_us = read_u64(r);
	s.look.sensor = read_u8(r);
	const uint8_t tries = read_u8(r);
	s.look.tries = tries & 0x7f;
	s.look.check = tries & LOOK_IS_CHECK;
	s.session = read_u32(r);
	struct bytes rule = read_bytes(r, read_u8(r));
	if (reader_ok(r) && bytes_copy_text(rule, s.rule, sizeof s.rule))
		to->look(to->arg, &s);
}

static void read_target(struct reader *r, const struct state_reader *to)
{
	struct address a = {0};
	struct event_id decision = {0}, root = {0};
	read_sixteen(r, a.b);
	read_sixteen(r, decision.b);
	read_sixteen(r, root.b);
	uint64_t looked = read_u64(r);
	if (reader_ok(r))
		to->target(to->arg, &a, &decision, &root, looked);
}

static const char *read_short_text(struct reader *r, char *text, size_t n)
{
	struct bytes b = read_bytes(r, read_u8(r));
	if (!bytes_copy_text(b, text, n))
		r->bad = true;
	return text;
}

static void read_steer(struct reader *r, bool old, const struct state_reader *to)
{
	struct steer s = {0};
	char persona[STEER_PERSONA_NAME_MAX + 1], rule[STEER_RULE_MAX + 1], unit[STEER_UNIT_MAX + 1],
		why[STEER_WHY_MAX + 1];
	read_sixteen(r, s.source.b);
	read_sixteen(r, s.cause.b);
	s.expires_us = read_u64(r);
	s.persona = read_short_text(r, persona, sizeof persona);
	if (!old) {
		uint8_t arm = read_u8(r);
		s.arm = arm < STEER_ARMS ? (enum steer_arm)arm : ARM_STEERED;
		s.rule = read_short_text(r, rule, sizeof rule);
		s.unit = read_short_text(r, unit, sizeof unit);
		s.why = read_short_text(r, why, sizeof why);
	}
	if (reader_ok(r))
		to->steer(to->arg, &s);
}

static void read_feature(struct reader *r, const struct state_reader *to)
{
	uint64_t feature = read_u64(r), campaign = read_u64(r);
	uint32_t sources = read_u32(r);
	uint64_t seen_us = read_u64(r);
	if (reader_ok(r))
		to->feature(to->arg, feature, campaign, sources, seen_us);
}

static void read_survey(struct reader *r, const struct state_reader *to)
{
	struct state_survey s = {0};
	bool whole = bytes_copy_text(read_bytes(r, read_u8(r)), s.name, sizeof s.name);
	s.round = read_u64(r);
	s.round_us = read_u64(r);
	s.packets = read_u64(r);
	s.stopped = read_u8(r) != 0;
	s.over = read_u8(r) != 0;
	if (whole && reader_ok(r) && to->survey)
		to->survey(to->arg, &s);
}

static void read_visits(struct reader *r, const struct state_reader *to)
{
	const uint64_t hash = read_u64(r);
	const uint32_t day = read_u32(r), count = read_u32(r);
	if (reader_ok(r) && to->visits)
		to->visits(to->arg, hash, day, count);
}

static void read_follow(struct reader *r, const struct state_reader *to)
{
	struct followed f = {.changed = false};
	const uint64_t study = read_u64(r);
	read_sixteen(r, f.address.b);
	if (followed_read(r, &f) && to->follow)
		to->follow(to->arg, study, &f);
}

static void read_record(struct bytes record, const struct state_reader *to)
{
	struct reader r = reader_of_bytes(record);
	enum record type = read_u8(&r);
	struct event_id id = {0};
	uint64_t number;
	switch (type) {
	case RECORD_KEY:
		number = read_u64(&r);
		if (reader_ok(&r))
			to->key(to->arg, number);
		return;
	case RECORD_GIVEN:
	case RECORD_DONE:
		read_sixteen(&r, id.b);
		number = read_u64(&r);
		if (reader_ok(&r))
			(type == RECORD_GIVEN ? to->given : to->done)(to->arg, &id, number);
		return;
	case RECORD_LOOK:
		read_look(&r, to);
		return;
	case RECORD_TARGET:
		read_target(&r, to);
		return;
	case RECORD_STEER_OLD:
	case RECORD_STEER:
		read_steer(&r, type == RECORD_STEER_OLD, to);
		return;
	case RECORD_SOURCE:
		to->source(to->arg, &r);
		return;
	case RECORD_FEATURE:
		read_feature(&r, to);
		return;
	case RECORD_SURVEY:
		read_survey(&r, to);
		return;
	case RECORD_FOLLOW:
		read_follow(&r, to);
		return;
	case RECORD_VISITS:
		read_visits(&r, to);
		return;
	case RECORD_APPROVAL:
		if (to->approval)
			to->approval(to->arg, &r);
		return;
	case RECORD_SERVER:
		if (to->server)
			to->server(to->arg, &r);
		return;
	}
}

size_t state_read(struct bytes text, const struct state_reader *to)
{
	struct reader r = reader_of_bytes(text);
	if (!bytes_equal(read_bytes(&r, sizeof MAGIC - 1), BYTES(MAGIC)))
		return 0;
	for (;;) {
		size_t whole = text.len - reader_left(&r);
		struct bytes record = read_bytes(&r, read_u16(&r));
		uint32_t check = read_u32(&r);
		if (!reader_ok(&r) || record.len == 0 || check != check_of(record.at, record.len))
			return whole;
		read_record(record, to);
	}
}

static int complain(const struct state *s, struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_SYSTEM, "%s/%s: %s: %s", s->path, FILE_NAME, what, strerror(errno));
}

static int load(struct state *s, const struct state_reader *to, struct fault *fault)
{
	struct stat st;
	if (fstat(s->fd, &st))
		return complain(s, fault, "cannot be read");
	size_t size = (size_t)st.st_size, whole = 0;
	if (size) {
		void *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, s->fd, 0);
		if (text == MAP_FAILED)
			return complain(s, fault, "cannot be read");
		whole = state_read((struct bytes){text, size}, to);
		munmap(text, size);
	}
	s->damaged = size - whole;
	if (s->damaged && ftruncate(s->fd, (off_t)whole))
		return complain(s, fault, "cannot be cut to what is whole");
	s->size = s->compacted = whole;
	if (whole == 0)
		buffer_append(&s->pending, MAGIC, sizeof MAGIC - 1);
	return 0;
}

/* Made as root, it would lock out the uid that the process is about to take. */
static int file_make(const struct state *s, const char *name, int flags)
{
	struct stat st;
	int fd = openat(s->directory, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0600);
	if (fd >= 0 && geteuid() == 0 && fstat(s->directory, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid)) {
		close(fd);
		return -1;
	}
	return fd;
}

int state_open(struct state **out, const char *directory, const struct state_reader *to,
	       struct fault *fault)
{
	struct state *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	s->pending = BUFFER(PENDING_MAX);
	s->old_fd = s->fd = -1;
	snprintf(s->path, sizeof s->path, "%s", directory);
	s->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->directory >= 0) {
		unlinkat(s->directory, FILE_NAME_NEW, 0); /* of a compaction that was cut */
		s->fd = file_make(s, FILE_NAME, 0);
	}
	int bad = s->fd < 0 ? complain(s, fault, "cannot be opened") : load(s, to, fault);
	if (bad)
		state_close(s);
	else
		*out = s;
	return bad;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	if (s->fd >= 0) {
		state_flush(s, NULL);
		close(s->fd);
	}
	if (s->old_fd >= 0)
		close(s->old_fd);
	if (s->directory >= 0)
		close(s->directory);
	buffer_done(&s->pending);
	free(s);
}

uint64_t state_damaged(const struct state *s) { return s->damaged; }

static struct writer record_begin(uint8_t room[STATE_RECORD_MAX], enum record type)
{
	struct writer w = writer_of(room, STATE_RECORD_MAX);
	write_u16(&w, 0);
	write_u8(&w, (uint8_t)type);
	return w;
}

static void record_end(struct state *s, struct writer *w)
{
	struct bytes body = {w->start + 2, writer_used(w) - 2};
	struct writer length = writer_of(w->start, 2);
	write_u16(&length, (uint16_t)body.len);
	write_u32(w, check_of(body.at, body.len));
	/* Only when the disk has been full for long: then no look is given any more. */
	if (w->bad || buffer_append(&s->pending, w->start, writer_used(w)))
		s->lost = true;
	else if (buffer_len(&s->pending) > PENDING_FLUSH)
		state_flush(s, NULL);
}

void state_put_key(struct state *s, uint64_t hold_out_key)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_KEY);
	write_u64(&w, hold_out_key);
	record_end(s, &w);
}

void state_put_look(struct state *s, const struct state_look *l)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_LOOK);
	lease_write(&l->look.lease, &w);
	write_u64(&w, l->look.basis_until_us);
	write_u8(&w, l->look.sensor);
	write_u8(&w, l->look.tries | (l->look.check ? LOOK_IS_CHECK : 0));
	write_u32(&w, l->session);
	write_u8(&w, (uint8_t)strlen(l->rule));
	write_text(&w, l->rule);
	record_end(s, &w);
}

static void put_id_and_number(struct state *s, enum record type, const struct event_id *id, uint64_t n)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, type);
	write_id(&w, id);
	write_u64(&w, n);
	record_end(s, &w);
}

void state_put_given(struct state *s, const struct event_id *id, uint64_t expires_us)
{
	put_id_and_number(s, RECORD_GIVEN, id, expires_us);
}

void state_put_done(struct state *s, const struct event_id *id, uint64_t looked_us)
{
	put_id_and_number(s, RECORD_DONE, id, looked_us);
}

void state_put_target(struct state *s, const struct address *a, const struct event_id *decision,
		      const struct event_id *root, uint64_t looked_us)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_TARGET);
	write_bytes(&w, a->b, sizeof a->b);
	write_id(&w, decision);
	write_id(&w, root);
	write_u64(&w, looked_us);
	record_end(s, &w);
}

static void write_short_text(struct writer *w, const char *text)
{
	text = text ? text : "";
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

/* Of steers_find() or steers_each(): its texts are within their limits, or absent. */
void state_put_steer(struct state *s, const struct steer *steer)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_STEER);
	write_bytes(&w, steer->source.b, sizeof steer->source.b);
	write_id(&w, &steer->cause);
	write_u64(&w, steer->expires_us);
	write_short_text(&w, steer->persona);
	write_u8(&w, (uint8_t)steer->arm);
	write_short_text(&w, steer->rule);
	write_short_text(&w, steer->unit);
	write_short_text(&w, steer->why);
	record_end(s, &w);
}

void state_put_source(struct state *s, const struct sources *sources, const struct source *source)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_SOURCE);
	source_write(sources, source, &w);
	record_end(s, &w);
}

void state_put_feature(struct state *s, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_FEATURE);
	write_u64(&w, feature);
	write_u64(&w, campaign);
	write_u32(&w, sources);
	write_u64(&w, seen_us);
	record_end(s, &w);
}

void state_put_visits(struct state *s, uint64_t hash, uint32_t day, uint32_t count)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_VISITS);
	write_u64(&w, hash);
	write_u32(&w, day);
	write_u32(&w, count);
	record_end(s, &w);
}

void state_put_survey(struct state *s, const struct state_survey *survey)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_SURVEY);
	write_short_text(&w, survey->name);
	write_u64(&w, survey->round);
	write_u64(&w, survey->round_us);
	write_u64(&w, survey->packets);
	write_u8(&w, survey->stopped);
	write_u8(&w, survey->over);
	record_end(s, &w);
}

/* Longer than the others: the text that a person reads is in it. */
void state_put_approval(struct state *s, const struct approval *a)
{
	uint8_t room[APPROVAL_RECORD_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, 0);
	write_u8(&w, RECORD_APPROVAL);
	approval_write(a, &w);
	record_end(s, &w);
}

void state_put_server(struct state *s, const struct server *server)
{
	uint8_t room[SERVER_RECORD_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, 0);
	write_u8(&w, RECORD_SERVER);
	server_write(server, &w);
	record_end(s, &w);
}

void state_put_follow(struct state *s, uint64_t study, const struct followed *f)
{
	uint8_t room[STATE_RECORD_MAX];
	struct writer w = record_begin(room, RECORD_FOLLOW);
	write_u64(&w, study);
	write_bytes(&w, f->address.b, sizeof f->address.b);
	followed_write(f, &w);
	record_end(s, &w);
}

int state_flush(struct state *s, struct fault *fault)
{
	while (buffer_len(&s->pending)) {
		struct bytes b = buffer_bytes(&s->pending);
		ssize_t n = write(s->fd, b.at, b.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain(s, fault, "cannot be written");
		s->size += (uint64_t)n;
		buffer_consume(&s->pending, (size_t)n);
	}
	return s->lost ? fault_set(fault, ERR_FULL, "%s/%s: more waited to be written than fits memory",
				   s->path, FILE_NAME)
		       : 0;
}

bool state_wants_compaction(const struct state *s)
{
	return s->lost || (s->size > s->compacted + STATE_GROWTH_MAX && s->size > 2 * s->compacted);
}

int state_compact_begin(struct state *s, struct fault *fault)
{
	int fd = file_make(s, FILE_NAME_NEW, O_TRUNC);
	if (fd < 0)
		return complain(s, fault, "cannot be compacted");
	s->old_fd = s->fd;
	s->fd = fd;
	s->size = 0;
	s->lost = false;
	buffer_consume(&s->pending, buffer_len(&s->pending)); /* all that is alive comes anew */
	buffer_append(&s->pending, MAGIC, sizeof MAGIC - 1);
	return 0;
}

int state_compact_end(struct state *s, struct fault *fault)
{
	int bad = state_flush(s, fault);
	if (!bad && renameat(s->directory, FILE_NAME_NEW, s->directory, FILE_NAME))
		bad = complain(s, fault, "cannot take the place of the old one");
	if (bad) { /* the old file lacks what waited: nothing is given until this works */
		close(s->fd);
		s->fd = s->old_fd;
		s->lost = true;
	} else {
		close(s->old_fd);
		s->compacted = s->size;
	}
	s->old_fd = -1;
	return bad;
}
