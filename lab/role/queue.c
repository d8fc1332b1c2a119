/* Which samples wait, which are at work, and what was asked of the store before the first began. */
#include "lab/role/room_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "lab/role/rows_inner.h"
#include "store/store.h"
#include <stdlib.h>

#define DROPPED_DEPTH_MAX 8 /* what was dropped by what was dropped …: no further */
#define STORE_TRIES_MAX 60
#define VALUE(name) "value[indexOf(field,'" name "')]"

static bool is_at_hand(const struct lab_room *room, const char *sha256)
{
	for (const struct job *j = room->waiting; j; j = j->next)
		if (!strcmp(j->sha256, sha256))
			return true;
	for (size_t i = 0; i < room->active_count; i++)
		if (!strcmp(room->active[i]->sha256, sha256))
			return true;
	return false;
}

static bool is_known(const struct lab_room *room, const char *sha256)
{
	uint64_t then = known_samples_time_us(room->known, sha256);
	return then && clock_utc_us() < then + room->options->again_ms * 1000;
}

int room_take(struct lab_room *room, const struct event *e)
{
	char sha256[FILE_HEX + 1];
	uint8_t digest[FILE_DIGEST];
	if (!bytes_copy_text(event_bytes(e, FIELD_FILE_SHA256), sha256, sizeof sha256) || !digest_read(sha256, digest))
		return ERR_BAD;
	room_url(room, event_bytes(e, FIELD_FILE_URL), sha256);
	if (event_number(e, FIELD_DEPTH, 0) > DROPPED_DEPTH_MAX || is_at_hand(room, sha256) || is_known(room, sha256))
		return 0;
	if (room->waiting_count >= room->options->queue)
		return ERR_FULL;
	struct job *j = job_new(room, e);
	if (!j)
		return ERR_MEMORY;
	room_queue(room, j);
	return 0;
}

void room_queue(struct lab_room *room, struct job *j)
{
	*room->last_waiting = j;
	room->last_waiting = &j->next;
	room->waiting_count++;
	room_begin_jobs(room);
}

void room_begin_jobs(struct lab_room *room)
{
	while (!room->remembering && !room->stopped && room->waiting && room->active_count < room->options->at_once) {
		struct job *j = room->waiting;
		room->waiting = j->next;
		if (!room->waiting)
			room->last_waiting = &room->waiting;
		room->waiting_count--;
		room->active[room->active_count++] = j;
		job_start(j);
	}
}

void job_done(struct job *j)
{
	struct lab_room *room = j->room;
	if (j->egress)
		j->egress->used = false;
	for (size_t i = 0; i < room->active_count; i++)
		if (room->active[i] == j) {
			room->active[i] = room->active[--room->active_count];
			break;
		}
	job_free(j);
	room_begin_jobs(room);
}

void room_url(struct lab_room *room, struct bytes url, const char *sha256)
{
	char text[512];
	if (!url.len || !bytes_copy_text(url, text, sizeof text))
		return;
	free(room->urls[room->url_next].url);
	room->urls[room->url_next].url = strdup(text);
	snprintf(room->urls[room->url_next].sha256, FILE_HEX + 1, "%s", sha256);
	room->url_next = (room->url_next + 1) % URLS_MAX;
}

const char *room_url_find(const struct lab_room *room, struct bytes url)
{
	for (size_t i = 0; i < URLS_MAX && room->urls[i].url; i++)
		if (bytes_equal_text(url, room->urls[i].url))
			return room->urls[i].sha256;
	return NULL;
}

enum { REMEMBER_SAMPLES = 1, REMEMBER_TRAITS, REMEMBER_MISSED, REMEMBER_END };

static void take_sample(void *arg, const json_t *row)
{
	struct lab_room *room = arg;
	known_samples_add(room->known, row_text(row, "sha256"), row_text(row, "tlsh"), row_text(row, "campaign"),
		  row_number(row, "at") * 1000000);
}

static void take_trait(void *arg, const json_t *row)
{
	struct lab_room *room = arg;
	uint8_t value[512];
	struct indicator i = {.value = {value, row_hex(row, "given", value, sizeof value)}, .confidence = (unsigned)row_number(row, "confidence")};
	for (unsigned t = 0; t < INDICATOR_TYPES; t++)
		if (!strcmp(indicator_type_name((enum indicator_type)t), row_text(row, "type")))
			i.type = (enum indicator_type)t;
	for (unsigned r = 0; r < INDICATOR_ROLES; r++)
		if (!strcmp(indicator_role_name((enum indicator_role)r), row_text(row, "role")))
			i.role = (enum indicator_role)r;
	const char *shares = known_samples_shares(&i);
	if (shares)
		known_samples_trait(room->known, row_text(row, "sha256"), shares, i.value);
}

static void take_missed(void *arg, const json_t *row)
{
	struct lab_room *room = arg;
	struct event *e = &room->event;
	uint8_t bytes[512];
	struct event_id root;
	struct address a;
	event_begin(e, EVENT_FILE_CAPTURED);
	if (row_hex(row, "first", e->id.b, sizeof e->id.b) != sizeof e->id.b)
		return;
	e->time_us = id_time_us(&e->id);
	event_set_text(e, FIELD_FILE_SHA256, row_text(row, "sha256"));
	if (row_hex(row, "root", root.b, sizeof root.b) == sizeof root.b && !id_is_zero(&root)) {
		event_set_id(e, FIELD_ROOT, &root);
		event_set_number(e, FIELD_DEPTH, row_number(row, "depth"));
	}
	if (row_hex(row, "src", a.b, sizeof a.b) == sizeof a.b)
		event_set_address(e, FIELD_SRC, &a);
	event_set_bytes(e, FIELD_FILE_URL, (struct bytes){bytes, row_hex(row, "url", bytes, sizeof bytes)});
	event_set_bytes(e, FIELD_FILE_NAME, (struct bytes){bytes, row_hex(row, "name", bytes, sizeof bytes)});
	event_set_text(e, FIELD_FILE_HOW, row_text(row, "how"));
	room_take(room, e);
}

static void ask_next(struct lab_room *room);

static void on_again(uv_timer_t *timer) { ask_next(timer->data); }

static void answered(void *arg, int status, struct bytes payload, bool more)
{
	static void (*const takers[])(void *, const json_t *) = {
		[REMEMBER_SAMPLES] = take_sample, [REMEMBER_TRAITS] = take_trait, [REMEMBER_MISSED] = take_missed};
	struct lab_room *room = arg;
	if (room->stopped)
		return;
	if (!status && more) {
		lines_take(&room->line, payload, takers[room->remembering], room);
		return;
	}
	if (more)
		return;
	if (status == ERR_GONE || status == ERR_FULL || status == ERR_TIMEOUT || status == ERR_MISSING) {
		/* It has just begun, too. */
		buffer_consume(&room->line, buffer_len(&room->line));
		uv_timer_start(&room->again, on_again, room->tries++ < STORE_TRIES_MAX ? 500 : 30000, 0);
		return;
	}
	if (status)
		log_warning("lab: the store did not say what was analysed before: %.*s", (int)(payload.len < 300 ? payload.len : 300),
			    payload.len ? (const char *)payload.at : "");
	buffer_consume(&room->line, buffer_len(&room->line));
	room->remembering++;
	ask_next(room);
}

static void write_question(const struct lab_room *room, char sql[2048])
{
	switch (room->remembering) {
	case REMEMBER_SAMPLES:
		snprintf(sql, 2048, "SELECT file_sha256 AS sha256, argMax(" VALUE("sample.tlsh") ", id) AS tlsh, argMax("
			 VALUE("sample.campaign") ", id) AS campaign, toUnixTimestamp(max(time)) AS at FROM events WHERE "
			 "kind = 'sample.analysed' GROUP BY file_sha256 ORDER BY at DESC LIMIT %d", KNOWN_SAMPLES_MAX);
		return;
	case REMEMBER_TRAITS:
		snprintf(sql, 2048, "SELECT DISTINCT file_sha256 AS sha256, " VALUE("indicator.type") " AS type, " VALUE("indicator.role")
			 " AS role, hex(" VALUE("indicator.value") ") AS given, toUInt64OrZero(" VALUE("confidence") ") AS confidence "
			 "FROM events WHERE kind = 'indicator.found' AND file_sha256 != '' AND (role IN ('command', 'download', 'report') "
			 "OR type IN ('key', 'wallet', 'mutex')) LIMIT %d", KNOWN_TRAITS_MAX);
		return;
	default:
		snprintf(sql, 2048, "SELECT lower(hex(min(e.id))) AS first, lower(hex(argMin(root, e.id))) AS root, argMin(depth, e.id) AS depth, "
			 "lower(hex(argMin(src, e.id))) AS src, file_sha256 AS sha256, argMin(" VALUE("file.how") ", e.id) AS how, hex(argMin("
			 VALUE("file.url") ", e.id)) AS url, hex(argMin(" VALUE("file.name") ", e.id)) AS name FROM events AS e WHERE kind = 'file.captured' "
			 "AND file_sha256 != '' AND time >= now('UTC') - INTERVAL 1 DAY AND file_sha256 NOT IN (SELECT file_sha256 "
			 "FROM events WHERE kind = 'sample.analysed') GROUP BY file_sha256 LIMIT %llu",
			 (unsigned long long)room->options->queue);
	}
}

static void ask_next(struct lab_room *room)
{
	char sql[2048];
	bool skip = room->remembering == REMEMBER_MISSED && !room->options->captured;
	if (!skip && room->remembering < REMEMBER_END) {
		write_question(room, sql);
		if (store_ask(room->process->bus, sql, ANSWER_LINES, false, answered, room))
			uv_timer_start(&room->again, on_again, 1000, 0);
		return;
	}
	room->remembering = 0;
	room_begin_jobs(room);
}

void room_remember(struct lab_room *room)
{
	uv_timer_init(room->process->loop, &room->again);
	room->again.data = room;
	room->remembering = REMEMBER_SAMPLES;
	ask_next(room);
}
