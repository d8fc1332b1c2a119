/* What others ask of the journal: batches, files, erasures, how it is. */
#include "base/clock.h"
#include "base/log.h"
#include "store/journal_room_inner.h"
#include "store/topics_inner.h"
#include <stdlib.h>

#define PART_MAX (512u << 10)
#define OFFER_BYTES (256u << 10) /* beyond this a batch goes at once */

static void answer_fault(struct bus_request *request, int bad, const struct fault *fault)
{
	bus_answer(request, bad, bytes_of_text(fault->text), false);
}

/* The batch's place and its segment's head, then the groups in parts. */
static void batch_send(struct journal_room *room, struct bus_request *request, const struct batch *b)
{
	struct buffer head = BUFFER(SEGMENT_HEAD_MAX + BATCH_WIRE), groups = BUFFER(2 * BATCH_BYTES_MAX);
	struct fault fault;
	uint8_t place[BATCH_WIRE];
	struct writer w = writer_of(place, sizeof place);
	batch_write(&w, b);
	int bad = buffer_append(&head, place, sizeof place);
	bad = bad ? bad : journal_batch_read(room->journal, b, &head, &groups, &fault);
	if (bad) {
		log_error("%s", fault.text);
		answer_fault(request, bad, &fault);
	} else {
		bus_answer(request, 0, buffer_bytes(&head), true);
		while (buffer_len(&groups) > PART_MAX) {
			struct bytes part = {buffer_bytes(&groups).at, PART_MAX};
			bus_answer(request, 0, part, true);
			buffer_consume(&groups, PART_MAX);
		}
		bus_answer(request, 0, buffer_bytes(&groups), false);
	}
	buffer_done(&head);
	buffer_done(&groups);
}

/* Answers the store's question now, if there is a batch that it has not yet. */
static void batch_answer(struct journal_room *room)
{
	struct batch b;
	struct fault fault;
	struct bus_request *request = room->waiting;
	int bad = request ? journal_batch(room->journal, &b, &fault) : ERR_MISSING;
	room->offer_due = false;
	if (bad == ERR_MISSING || bad == ERR_FULL)
		return;
	room->waiting = NULL;
	if (bad)
		answer_fault(request, bad, &fault);
	else
		batch_send(room, request, &b);
}

static void offer_timer(uv_timer_t *timer) { batch_answer(timer->data); }

/* Small batches wait a little for company: every insert is a part that must be merged. */
void room_batch_offer(struct journal_room *room)
{
	if (!room->waiting)
		return;
	if (journal_waiting(room->journal) >= OFFER_BYTES) {
		batch_answer(room);
	} else if (!room->offer_due) {
		room->offer_due = true;
		uv_timer_start(&room->offer_timer, offer_timer, room->options->linger_ms, 0);
	}
}

void room_batch_forget(struct journal_room *room)
{
	if (room->waiting)
		bus_answer(room->waiting, ERR_GONE, (struct bytes){0}, false);
	room->waiting = NULL;
}

static void on_batch(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	if (!room->journal) {
		bus_answer(request, ERR_GONE, BYTES("journal: not open yet"), false);
		return;
	}
	room_batch_forget(room);
	if (payload.len && payload.at[0])
		journal_rewind(room->journal);
	room->waiting = request;
	if (payload.len && payload.at[0])
		batch_answer(room); /* what waited for a store waits no longer */
	else
		room_batch_offer(room);
}

static void on_done(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	struct fault fault;
	struct batch b;
	struct reader r = reader_of_bytes(payload);
	batch_read(&r, &b);
	int bad = reader_ok(&r) && room->journal ? journal_batch_done(room->journal, &b, &fault) : ERR_BAD;
	bus_answer(request, bad, (struct bytes){0}, false);
	if (room->waiting && journal_waiting(room->journal))
		room_batch_offer(room);
}

static bool erase_match(void *arg, const struct event *e) { return erasure_matches(arg, e); }

struct erasing_devices {
	struct journal_room *room;
	struct bus_request *request;
	uint64_t frames;
	size_t len;
	uint8_t payload[]; /* the erasure, for who is asked next */
};

static void erase_answer(struct bus_request *request, uint64_t frames)
{
	uint8_t count[8];
	struct writer w = writer_of(count, sizeof count);
	write_u64(&w, frames);
	bus_answer(request, 0, writer_bytes(&w), false);
}

static void erased(struct erasing_devices *a, int status, const char *why)
{
	if (status)
		bus_answer(a->request, status, bytes_of_text(why), false);
	else
		erase_answer(a->request, a->frames);
	free(a);
}

static void on_sources_erased(void *arg, int status, uint64_t sources)
{
	(void)sources;
	erased(arg, status, "control is away, and may remember what it knew of sources; run it again");
}

static void on_devices_erased(void *arg, int status, uint64_t devices)
{
	struct erasing_devices *a = arg;
	(void)devices;
	if (status)
		erased(a, status, "a process of the decoys is away, and may remember what was left there; run it again");
	else
		bus_sum_each(a->room->process->bus, "control", "source.erase", (struct bytes){a->payload, a->len},
			     on_sources_erased, a);
}

/* What attackers left at decoys is the decoys' to forget, and what they are known for is control's. */
static void erase_devices(struct journal_room *room, struct bus_request *request, struct bytes payload, uint64_t frames)
{
	struct erasing_devices *a = malloc(sizeof *a + payload.len);
	if (!a) {
		bus_answer(request, ERR_MEMORY, BYTES("out of memory"), false);
		return;
	}
	*a = (struct erasing_devices){room, request, frames, payload.len};
	memcpy(a->payload, payload.at, payload.len);
	bus_sum_each(room->process->bus, "passive", "device.erase", payload, on_devices_erased, a);
}

static void on_erase(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	struct erasure e;
	struct fault fault = {0};
	uint64_t frames = 0, now = clock_utc_us();
	int bad = room->journal ? erasure_read(payload, &e) : ERR_GONE;
	/* The tombstone first: what comes in late between the two steps is dropped too. */
	if (!bad && !e.dry_run)
		bad = tombstones_add(&room->tombstones, room->journal_fd, &e, now, &fault);
	if (!bad)
		room_commit(room);
	if (!bad)
		bad = journal_erase(room->journal, erase_match, &e, e.dry_run, now, &frames, &fault);
	if (bad)
		answer_fault(request, bad, &fault);
	else if (e.dry_run)
		erase_answer(request, frames);
	else
		erase_devices(room, request, payload, frames);
}

static void on_blob_put(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	struct blob_part part;
	struct fault fault = {0};
	uint64_t there = 0;
	int bad = room->journal ? blob_part_read(payload, &part) : ERR_GONE;
	bad = bad ? bad : blob_put(&room->blobs, &part, &there, &fault);
	uint8_t wire[8];
	struct writer w = writer_of(wire, sizeof wire);
	write_u64(&w, there);
	if (bad)
		answer_fault(request, bad, &fault);
	else
		bus_answer(request, 0, writer_bytes(&w), false);
}

static void on_blob_get(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	struct reader r = reader_of_bytes(payload);
	struct bytes digest = read_bytes(&r, 32);
	uint64_t offset = read_u64(&r), total = 0;
	uint8_t *wire = malloc(8 + BLOB_PART_MAX);
	int n = ERR_BAD;
	if (wire && reader_ok(&r) && room->journal)
		n = blob_get(&room->blobs, digest.at, offset, wire + 8, BLOB_PART_MAX, &total);
	if (n >= 0) {
		struct writer w = writer_of(wire, 8);
		write_u64(&w, total);
		bus_answer(request, 0, (struct bytes){wire, 8 + (size_t)n}, false);
	} else {
		bus_answer(request, n, BYTES("blobs: no file of that SHA-256 is kept"), false);
	}
	free(wire);
}

/* The whole of it at once: what reads a report has no use for half of one. */
static void on_blob_read(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	uint8_t *part = malloc(BLOB_PART_MAX);
	uint64_t at = 0, total = 0;
	int n = part && payload.len == 32 && room->journal
			? blob_get(&room->blobs, payload.at, 0, part, BLOB_PART_MAX, &total) : ERR_BAD;
	while (n > 0 && at + (uint64_t)n < total) {
		bus_answer(request, 0, (struct bytes){part, (size_t)n}, true);
		at += (uint64_t)n;
		n = blob_get(&room->blobs, payload.at, at, part, BLOB_PART_MAX, &total);
	}
	if (n >= 0)
		bus_answer(request, 0, (struct bytes){part, (size_t)n}, false);
	else
		bus_answer(request, n, BYTES("blobs: no file of that SHA-256 is kept"), false);
	free(part);
}

static void on_blob_erase(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	int bad = payload.len == 32 && room->journal ? blob_erase(&room->blobs, payload.at) : ERR_BAD;
	bus_answer(request, bad, (struct bytes){0}, false);
}

static void on_status(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal_room *room = arg;
	(void)payload;
	char text[320];
	int n = snprintf(text, sizeof text,
			 "{\"events\":%llu,\"repeated\":%llu,\"pending_bytes\":%zu,\"waiting_bytes\":%llu,"
			 "\"blob_bytes\":%llu,\"stuck\":%s}\n", (unsigned long long)room->events,
			 (unsigned long long)room->repeated,
			 room->journal ? journal_pending(room->journal) : 0,
			 (unsigned long long)(room->journal ? journal_waiting(room->journal) : 0),
			 (unsigned long long)room->blobs.total, room->stuck ? "true" : "false");
	bus_answer(request, 0, (struct bytes){(const uint8_t *)text, (size_t)n}, false);
}

void room_topics(struct journal_room *room)
{
	struct bus *bus = room->process->bus;
	bus_on_request(bus, TOPIC_BATCH, on_batch, room);
	bus_on_request(bus, TOPIC_BATCH_DONE, on_done, room);
	bus_on_request(bus, TOPIC_JOURNAL_ERASE, on_erase, room);
	bus_on_request(bus, TOPIC_BLOB_PUT, on_blob_put, room);
	bus_on_request(bus, TOPIC_BLOB_GET, on_blob_get, room);
	bus_on_request(bus, TOPIC_BLOB_READ, on_blob_read, room);
	bus_on_request(bus, TOPIC_BLOB_ERASE, on_blob_erase, room);
	bus_on_request(bus, TOPIC_JOURNAL_STATUS, on_status, room);
	bus_open_to_guests(bus, TOPIC_JOURNAL_STATUS);
	bus_open_to_guests(bus, TOPIC_BLOB_GET);
	bus_open_to_guests(bus, TOPIC_BLOB_READ);
}
