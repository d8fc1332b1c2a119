/* Bait in the boxes of samples: laid out before a run, told after it, with what of it a sample tried to send. */
#include "lab/role/room_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/indicator.h"

#define LEDGER_FD "bait"

int room_bait_prepare(struct preparation *p, struct fault *fault)
{
	const struct lab_options *o = config_section(preparation_config(p), "lab");
	if (!o->bait || !o->run.on)
		return 0;
	int fd = bait_ledger_create(preparation_state(p), fault);
	return fd < 0 ? fd : preparation_give(p, LEDGER_FD, fd);
}

int room_bait_open(struct lab_room *room, struct fault *fault)
{
	int fd = process_fd(room->process, LEDGER_FD);
	room->bait.fd = -1;
	return fd < 0 ? 0 : bait_ledger_open(&room->bait, fd, fault);
}

void job_plant(struct job *j, struct run_plan *plan)
{
	struct lab_room *room = j->room;
	const unsigned run = j->running;
	struct fault fault = {0};
	struct planting *p = room->bait.fd < 0 ? NULL : arena_alloc(&j->arena, sizeof *p);
	if (!p)
		return;
	j->planted[run] = bus_id(room->process->bus, clock_utc_us());
	const struct planting_plan what = {.sha256 = j->sha256, .uid = plan->uid, .server = room->options->bait,
					   .event = j->planted[run], .root = j->root, .depth = j->depth + 1};
	if (planting_make(p, &room->bait, &what, &fault)) {
		log_warning("lab: no bait for %s: %s", j->sha256, fault.text);
		return;
	}
	j->plantings[run] = p;
	plan->files = p->files;
	plan->file_count = p->count;
}

static void begin(const struct job *j, unsigned run, enum event_kind kind, struct event *e)
{
	const struct planting *p = j->plantings[run];
	event_begin(e, kind);
	e->time_us = clock_utc_us();
	event_set_text(e, FIELD_FILE_SHA256, j->sha256);
	event_set_text(e, FIELD_BAIT_KIND, bait_ledger_kind_name(LEDGER_SAMPLE));
	event_set_number(e, FIELD_BAIT_ENTRY, p->entry);
	event_set_bytes(e, FIELD_BAIT_NAME, bytes_of_text(p->user));
	event_set_text(e, FIELD_BAIT_RUN, run ? "user" : "root");
}

static void tell_planted(const struct job *j, unsigned run, struct event *e)
{
	begin(j, run, EVENT_TOKEN_PLANTED, e);
	e->id = j->planted[run];
	event_set_chain(e, &j->cause, &j->root, j->depth);
	event_set_number(e, FIELD_COUNT, j->plantings[run]->count);
}

/* Which of its words hold bait; with them goes where it wanted to send them. */
static bool tell_leaked(const struct job *j, unsigned run, const struct hello *h, struct event *e)
{
	size_t found[PLANTED_MAX];
	char id[17];
	struct address a;
	uint32_t port;
	const struct planting *p = j->plantings[run];
	const struct bait_secret *secret = &j->room->bait.secret;
	size_t count = planting_leaked(p, &j->room->bait, h->said, found);
	if (!count)
		return false;
	const struct planted *place = &p->places[found[0]];
	const struct indicator where = {.type = INDICATOR_ENDPOINT, .value = bytes_of_text(h->endpoint)};
	begin(j, run, EVENT_TOKEN_LEAKED, e);
	event_set_chain(e, &j->planted[run], &j->root, j->depth + 1);
	snprintf(id, sizeof id, "%016llx", (unsigned long long)bait_id(secret, &place->token));
	event_set_text(e, FIELD_BAIT_ID, id);
	event_set_bytes(e, FIELD_BAIT_PATH, bytes_of_text(place->path));
	event_set_number(e, FIELD_COUNT, count);
	event_set_text(e, FIELD_INDICATOR_TYPE, indicator_type_name(INDICATOR_ENDPOINT));
	event_set_bytes(e, FIELD_INDICATOR_VALUE, where.value);
	if (indicator_address(&where, &a, &port)) {
		event_set_address(e, FIELD_SRC, &a);
		event_set_number(e, FIELD_DPORT, port);
	}
	event_set_bytes(e, FIELD_HELLO, h->said);
	return true;
}

bool job_bait_event(const struct job *j, size_t number, struct event *out)
{
	size_t n = 0;
	for (unsigned r = 0; r < STORY_RUNS; r++)
		if (j->plantings[r] && n++ == number) {
			tell_planted(j, r, out);
			return true;
		}
	for (unsigned r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; j->plantings[r] && j->story.runs[r] && i < j->story.runs[r]->hello_count; i++)
			if (tell_leaked(j, r, &j->story.runs[r]->hellos[i], out) && n++ == number)
				return true;
	return false;
}
