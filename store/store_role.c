/*
 * The process that holds chDB.
 *
 * It asks the journal for a batch, inserts it under the batch's name, says so, and asks for
 * the next; one is on its way while another is being inserted.  When it is killed, the
 * journal hands out again what was not said to be done, and the name keeps it from counting
 * twice.  Readers have threads, connections and limits of their own.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/store_room_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READERS 2
#define QUESTIONS_MAX 64
#define RETRY_US 1000000
#define FETCH_AGAIN_MS 200
#define HOUSE_MS 3600000

static void fetch_again(uv_timer_t *timer) { room_fetch(timer->data); }

static void fetch_clear(struct fetch *f)
{
	buffer_consume(&f->head, buffer_len(&f->head));
	buffer_consume(&f->groups, buffer_len(&f->groups));
	f->state = FETCH_IDLE;
}

/*
 * In the writer's thread.  What the disk or memory refuses today may go tomorrow, so it waits
 * and tries again; what cannot be read never will, so it is left in the journal, loudly.
 */
static void insert_run(struct job *job, void *context)
{
	struct fetch *f = (struct fetch *)job;
	struct store_room *room = f->room;
	struct fault fault;
	(void)context;
	for (unsigned tries = 1; !workers_ending(room->writer); tries++) {
		int bad = insertion_run(&room->insertion, room->engine, &f->batch, buffer_bytes(&f->head),
					buffer_bytes(&f->groups), &fault);
		if (!bad) {
			f->failed = false;
			return;
		}
		if (tries == 1 || tries % 60 == 0)
			log_error("%s; trying again every second, the journal keeps the batch", fault.text);
		usleep(RETRY_US);
	}
}

static void insert_done(struct job *job)
{
	struct fetch *f = (struct fetch *)job;
	struct store_room *room = f->room;
	uint8_t wire[BATCH_WIRE];
	struct writer w = writer_of(wire, sizeof wire);
	batch_write(&w, &f->batch);
	if (!f->failed)
		bus_request(room->process->bus, "journal", TOPIC_BATCH_DONE, writer_bytes(&w), NULL, NULL);
	room->batches += !f->failed;
	fetch_clear(f);
	if (!workers_ending(room->writer))
		room_fetch(room);
}

static bool batch_begin(struct fetch *f)
{
	struct reader r = reader_of_bytes(buffer_bytes(&f->head));
	batch_read(&r, &f->batch);
	buffer_consume(&f->head, BATCH_WIRE);
	return reader_ok(&r);
}

static void on_batch_part(void *arg, int status, struct bytes payload, bool more)
{
	struct fetch *f = arg;
	struct store_room *room = f->room;
	struct buffer *to = buffer_len(&f->head) ? &f->groups : &f->head;
	if (!status && buffer_append(to, payload.at, payload.len) == 0 && more)
		return;
	if (more)
		return; /* its last part decides */
	if (status || !room->writer || !batch_begin(f)) {
		fetch_clear(f);
		if (!room->writer)
			return; /* told to stop: the journal keeps it */
		if (status && status != ERR_GONE)
			log_error("journal: it cannot hand out a batch: %.*s", (int)payload.len,
				  (const char *)payload.at);
		uv_timer_start(&room->fetch_timer, fetch_again, FETCH_AGAIN_MS, 0);
		return;
	}
	f->state = FETCH_INSERTING;
	f->failed = true; /* also when it never runs */
	f->job = (struct job){.run = insert_run, .done = insert_done};
	if (workers_give(room->writer, &f->job))
		fetch_clear(f);
	room_fetch(room);
}

void room_fetch(struct store_room *room)
{
	struct fetch *idle = NULL;
	size_t inserting = 0;
	for (size_t i = 0; i < PREFETCH; i++) {
		struct fetch *f = &room->fetches[i];
		if (f->state == FETCH_ASKED)
			return; /* one question at a time keeps the batches in order */
		inserting += f->state == FETCH_INSERTING;
		if (f->state == FETCH_IDLE)
			idle = f;
	}
	/* A journal that is new to us begins anew, which must not overtake what is being inserted. */
	if (!idle || !room->journal_linked || !room->writer || (room->fresh && inserting))
		return;
	uint8_t fresh = room->fresh;
	idle->state = FETCH_ASKED;
	if (bus_request(room->process->bus, "journal", TOPIC_BATCH, (struct bytes){&fresh, 1},
			on_batch_part, idle))
		idle->state = FETCH_IDLE;
	else
		room->fresh = false;
}

static void room_linked(void *arg, struct bus_peer *peer)
{
	struct store_room *room = arg;
	if (strcmp(bus_peer_role(peer), "journal"))
		return;
	room->journal_linked = room->fresh = true;
	room_fetch(room);
}

static void room_unlinked(void *arg, struct bus_peer *peer, bool clean)
{
	struct store_room *room = arg;
	(void)clean;
	if (!strcmp(bus_peer_role(peer), "journal"))
		room->journal_linked = false;
}

static void room_stop(void *arg)
{
	struct store_room *room = arg;
	if (room->writer)
		workers_close(room->writer);
	if (room->readers)
		workers_close(room->readers);
	room->writer = room->readers = NULL;
	process_leave(room->process);
}

static void room_house(uv_timer_t *timer) { retention_start(timer->data); }

static void *reader_begin(void *arg)
{
	struct store_room *room = arg;
	struct engine_reader *reader = NULL;
	struct fault fault;
	if (engine_reader_open(&reader, room->engine, &fault))
		log_error("%s", fault.text);
	return reader;
}

static int room_open(struct store_room *room, struct fault *fault)
{
	const struct store_options *o = room->options;
	const struct engine_limits limits = {o->query.time_ms, o->query.memory, o->query.result,
					     (unsigned)o->query.threads};
	int bad = engine_open(&room->engine, &room->chdb, room->tables, &limits, fault);
	bad = bad ? bad : engine_prepare(room->engine, fault);
	bad = bad ? bad : insertion_open(&room->insertion);
	uv_loop_t *loop = room->process->loop;
	bad = bad ? bad : workers_open(&room->writer, loop, 1, QUESTIONS_MAX, NULL, NULL);
	bad = bad ? bad : workers_open(&room->readers, loop, READERS, QUESTIONS_MAX, reader_begin, room);
	if (bad && !fault->text[0])
		fault_set(fault, bad, "store: its threads cannot be started");
	return bad;
}

static int store_prepare(struct preparation *p, struct fault *fault)
{
	/* chDB reads the machine's size and clock; it gets nothing else. */
	static const char *const reads[] = {"/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu",
					    "/usr/share/zoneinfo", "/etc/localtime"};
	if (preparation_path(p, TABLES_FOLDER, true))
		return fault_set(fault, ERR_SYSTEM, "store: its folder cannot be made: %s", strerror(errno));
	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		if (access(reads[i], F_OK) == 0)
			preparation_path(p, reads[i], false);
	return 0;
}

static int store_run(struct process *p, struct fault *fault)
{
	struct store_room *room = calloc(1, sizeof *room);
	if (!room)
		return fault_set(fault, ERR_MEMORY, "store: out of memory");
	room->process = p;
	room->fault = fault;
	room->options = config_section(p->config, "store");
	snprintf(room->tables, sizeof room->tables, "%s/" TABLES_FOLDER, process_state(p));
	for (size_t i = 0; i < PREFETCH; i++) {
		room->fetches[i].room = room;
		room->fetches[i].head = BUFFER(SEGMENT_HEAD_MAX + BATCH_WIRE);
		room->fetches[i].groups = BUFFER(2 * BATCH_BYTES_MAX);
	}
	umask(077); /* chDB makes its files readable to all */
	int bad = chdb_open(&room->chdb, room->options->library, fault);
	if (bad)
		return bad;
	chdb_leave(); /* for an end before the work began; once more after it */
	uv_timer_init(p->loop, &room->fetch_timer);
	uv_timer_init(p->loop, &room->house_timer);
	room->fetch_timer.data = room->house_timer.data = room;
	store_topics(room);
	const struct bus_hooks hooks = {.arg = room, .linked = room_linked, .unlinked = room_unlinked,
					.stop = room_stop};
	bad = process_enter(p, &hooks, fault);
	bad = bad ? bad : room_open(room, fault);
	if (!bad) {
		room_fetch(room);
		retention_start(room);
		uv_timer_start(&room->house_timer, room_house, HOUSE_MS, HOUSE_MS);
		uv_run(p->loop, UV_RUN_DEFAULT);
	}
	chdb_leave();
	return bad;
}

static const char *const store_peers[] = {"journal", NULL};

static const struct role store_role = {
	.name = "store",
	.summary = "inserts events into chDB and answers questions",
	.rights = SANDBOX_LOOSE | SANDBOX_FILES | SANDBOX_PATHS | SANDBOX_THREADS,
	.talks_to = store_peers,
	.unsanitized = true,
	.optional = true, /* events wait in the journal */
	.door = true,
	.prepare = store_prepare,
	.run = store_run,
};
ROLE(store_role);
