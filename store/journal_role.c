/*
 * The process that acknowledges.
 *
 * Every event comes here.  Frames are gathered for a few milliseconds, written and synced
 * together, and only then acknowledged; while the disk syncs, the next ones gather in the
 * sockets.  When it cannot write (a full disk) it keeps what it has, acknowledges nothing,
 * and tries again every second; its senders then refuse new work, and count it.
 */
#include "store/journal_room_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMIT_MS 20
#define COMMIT_BYTES (1u << 20)
#define RETRY_MS 1000
#define HOUSE_MS 10000

/* Something that only a new start can mend: senders keep what was not acknowledged. */
static void room_end(struct journal_room *room, int why)
{
	room->ended = why;
	uv_stop(room->process->loop);
}

static void report_say(const struct journal_report *r)
{
	if (r->torn_bytes)
		log_warning("journal: cut off %llu bytes that a crash left half written; they were never "
			    "acknowledged", (unsigned long long)r->torn_bytes);
	if (r->damaged_bytes || r->segments_unreadable)
		log_error("journal: %llu bytes are damaged and %u segments unreadable; check the disk",
			  (unsigned long long)r->damaged_bytes, r->segments_unreadable);
	if (r->frames_waiting)
		log_info("journal: %llu events wait for the store", (unsigned long long)r->frames_waiting);
}

static void see(void *crashes, struct bytes frame, const struct dictionary *d)
{
	crashes_see(crashes, frame, d);
}

/* Once, with the rights that are left: what is created belongs to this process's uid. */
static int room_open(struct journal_room *room)
{
	if (room->journal || room->ended)
		return room->ended;
	const struct store_options *o = room->options;
	const struct journal_limits limits = {o->journal.segment, o->journal.age_ms * 1000,
					      o->journal.keep_ms * 1000, BATCH_FRAMES,
					      see, room->crashes};
	struct fault fault;
	struct journal_report report;
	int bad = journal_open(&room->journal, room->journal_fd, &limits, clock_utc_us(), &report, &fault);
	if (!bad)
		bad = tombstones_open(&room->tombstones, room->journal_fd, &fault);
	if (!bad)
		bad = blobs_open(&room->blobs, room->blobs_fd, o->blobs.size_max, o->blobs.total_max, &fault);
	if (bad) {
		*room->fault = fault;
		room_end(room, bad);
		return bad;
	}
	report_say(&report);
	return 0;
}

static void acknowledge_all(struct journal_room *room)
{
	for (size_t i = 0; i < room->acks_count; i++)
		bus_acknowledge(room->process->bus, room->acks[i].peer, room->acks[i].sequence);
	room->acks_count = 0;
}

void room_commit(struct journal_room *room)
{
	struct fault fault;
	room->commit_due = false;
	int bad = journal_commit(room->journal, clock_utc_us(), &fault);
	if (bad && !room->stuck)
		log_error("%s", fault.text);
	if (bad == ERR_BAD) {
		*room->fault = fault;
		room_end(room, bad);
		return;
	}
	if (!bad && room->stuck)
		log_info("journal: can write again");
	room->stuck = bad != 0;
	if (bad) {
		room->commit_due = true;
		uv_timer_start(&room->commit_timer, room_commit_timer, RETRY_MS, 0);
		return;
	}
	acknowledge_all(room);
	room_batch_offer(room);
}

void room_commit_timer(uv_timer_t *timer) { room_commit(timer->data); }

static void remember(struct journal_room *room, const struct bus_delivery *d)
{
	for (size_t i = 0; i < room->acks_count; i++) {
		if (room->acks[i].peer == d->peer) {
			room->acks[i].sequence = d->sequence;
			return;
		}
	}
	if (room->acks_count < BUS_LINKS_MAX)
		room->acks[room->acks_count++] = (struct room_ack){d->peer, d->sequence};
}

/* An event older than an erasure that it falls under had been kept back by its sender. */
static bool was_erased(struct journal_room *room, struct bytes frame)
{
	struct reader r = reader_of(frame.at + 24, 8);
	return room->tombstones.count && read_u64(&r) <= room->tombstones.newest_us &&
	       frame_decode(frame, NULL, room->event) == 0 &&
	       tombstones_match(&room->tombstones, room->event);
}

static void room_event(void *arg, const struct bus_delivery *d)
{
	struct journal_room *room = arg;
	if (room_open(room))
		return;
	int bad = was_erased(room, d->frame) ? 1 : journal_add(room->journal, d->frame);
	if (bad < 0) {
		fault_set(room->fault, bad, "journal: %zu bytes wait and none can be written; starting anew",
			  journal_pending(room->journal));
		room_end(room, bad);
		return;
	}
	room->events++;
	room->repeated += bad == 1;
	remember(room, d);
	if (!bad && bus_wanted(room->process->bus, d->kind))
		bus_relay(room->process->bus, d->kind, d->frame);
	if (room->stuck)
		return;
	if (journal_pending(room->journal) >= COMMIT_BYTES) {
		room_commit(room);
	} else if (!room->commit_due) {
		room->commit_due = true;
		uv_timer_start(&room->commit_timer, room_commit_timer, COMMIT_MS, 0);
	}
}

/* An event of the journal's own, stamped as the bus stamps those of others. */
static void add_own(struct journal_room *room, struct event *e)
{
	uint8_t frame[1024];
	struct writer w = writer_of(frame, sizeof frame);
	e->id = id_make(&room->ids, e->time_us);
	event_set_number(e, FIELD_RECEIVED, e->time_us);
	event_set_text(e, FIELD_PROCESS, "journal");
	event_set_text(e, FIELD_SENSOR, process_sensor(room->process));
	frame_encode(e, &w);
	if (w.bad || journal_add(room->journal, writer_bytes(&w)))
		log_error("journal: the end of a session that a crash cut could not be kept");
}

static void close_crashed(struct journal_room *room)
{
	uint32_t alive[BUS_LINKS_MAX];
	bool any = false;
	if (!room->journal)
		return;
	for (size_t i = 0; i < room->decoy_count; i++)
		alive[i] = bus_peer_maker(room->decoys[i]);
	while (crashes_next(room->crashes, alive, room->decoy_count, clock_utc_us(), room->event)) {
		add_own(room, room->event);
		any = true;
		if (journal_pending(room->journal) >= COMMIT_BYTES)
			room_commit(room);
	}
	if (any && !room->stuck)
		room_commit(room);
}

static void room_linked(void *arg, struct bus_peer *peer)
{
	struct journal_room *room = arg;
	if (!strcmp(bus_peer_role(peer), "passive") && room->decoy_count < BUS_LINKS_MAX)
		room->decoys[room->decoy_count++] = peer;
}

static void decoy_gone(struct journal_room *room, const struct bus_peer *peer)
{
	for (size_t i = 0; i < room->decoy_count; i++)
		if (room->decoys[i] == peer)
			room->decoys[i--] = room->decoys[--room->decoy_count];
	close_crashed(room);
}

static void room_unlinked(void *arg, struct bus_peer *peer, bool clean)
{
	struct journal_room *room = arg;
	(void)clean; /* an orderly end has closed its sessions itself */
	if (!strcmp(bus_peer_role(peer), "passive"))
		decoy_gone(room, peer);
	if (!strcmp(bus_peer_role(peer), "store"))
		room_batch_forget(room);
	for (size_t i = 0; i < room->acks_count; i++)
		if (room->acks[i].peer == peer)
			room->acks[i--] = room->acks[--room->acks_count];
}

static void room_house(uv_timer_t *timer)
{
	struct journal_room *room = timer->data;
	if (room->journal)
		journal_forget(room->journal, clock_utc_us());
}

static void room_stop(void *arg)
{
	struct journal_room *room = arg;
	if (room->journal && !room->stuck)
		room_commit(room);
	room_batch_forget(room);
	process_leave(room->process);
}

static int journal_prepare(struct preparation *p, struct fault *fault)
{
	if (preparation_path(p, JOURNAL_FOLDER, true) || preparation_path(p, BLOBS_FOLDER, true))
		return fault_set(fault, ERR_SYSTEM, "journal: its folders cannot be made: %s", strerror(errno));
	return 0;
}

static int folder_open(const struct process *p, const char *folder, struct fault *fault)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", process_state(p), folder);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

static int journal_run(struct process *p, struct fault *fault)
{
	struct journal_room *room = calloc(1, sizeof *room);
	struct event *event = malloc(sizeof *event);
	if (!room || !event)
		return fault_set(fault, ERR_MEMORY, "journal: out of memory");
	*room = (struct journal_room){.process = p, .fault = fault, .event = event,
				      .options = config_section(p->config, "store")};
	room->ids = id_maker_new();
	if (crashes_open(&room->crashes))
		return fault_set(fault, ERR_MEMORY, "journal: out of memory");
	room->journal_fd = folder_open(p, JOURNAL_FOLDER, fault);
	room->blobs_fd = room->journal_fd < 0 ? -1 : folder_open(p, BLOBS_FOLDER, fault);
	if (room->blobs_fd < 0)
		return ERR_SYSTEM;
	uv_timer_init(p->loop, &room->commit_timer);
	uv_timer_init(p->loop, &room->offer_timer);
	uv_timer_init(p->loop, &room->house_timer);
	room->commit_timer.data = room->offer_timer.data = room->house_timer.data = room;
	bus_subscribe(p->bus, KIND_MASK_ALL);
	room_topics(room);
	const struct bus_hooks hooks = {.arg = room, .event = room_event, .linked = room_linked,
					.unlinked = room_unlinked,
					.stop = room_stop};
	int bad = process_enter(p, &hooks, fault);
	bad = bad ? bad : room_open(room);
	if (bad)
		return bad;
	close_crashed(room); /* of decoys that died while no journal was there */
	uv_timer_start(&room->house_timer, room_house, HOUSE_MS, HOUSE_MS);
	uv_run(p->loop, UV_RUN_DEFAULT);
	return room->ended;
}

static const struct role journal_role = {
	.name = "journal",
	.summary = "acknowledges events when they are on disk; keeps captured files",
	.rights = SANDBOX_FILES | SANDBOX_PATHS,
	.relays = true,
	.sends = KIND_MASK_ALL,
	.door = true,
	.prepare = journal_prepare,
	.run = journal_run,
};
ROLE(journal_role);
