#include "share/intake/door_inner.h"
#include "base/clock.h"
#include "share/access/door_inner.h"
#include "share/share.h"

#define ANSWER_BYTES_MAX (COMPLAINTS_BYTES_MAX + 1024)
#define BEGIN_BYTES_MAX INTAKE_MAP_MAX
#define BEGIN_WORDS 6

static void forget(struct door_import *import)
{
	job_close(import->job);
	*import = (struct door_import){0};
}

static struct door_import *find(struct door *d, uint64_t id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (d->imports[i].job && d->imports[i].id == id)
			return &d->imports[i];
	return NULL;
}

/* A free place; that of a client which went away counts as free. */
static struct door_import *place(struct door *d, uint64_t now_us)
{
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct door_import *import = &d->imports[i];
		if (import->job && now_us - import->heard_us > DOOR_IDLE_US)
			forget(import);
		if (!import->job)
			return import;
	}
	return NULL;
}

static int begin(struct door *d, struct bytes text, struct writer *answer, struct fault *fault)
{
	char words[BEGIN_WORDS][BEGIN_BYTES_MAX];
	uint64_t now_us = clock_mono_us();
	struct door_import *import = place(d, now_us);
	if (!import)
		return fault_set(fault, ERR_FULL, "%d imports run already; try again later", JOBS_MAX);
	for (size_t i = 0; i < BEGIN_WORDS; i++) {
		size_t end = bytes_find(text, "\n");
		if (!bytes_copy_text((struct bytes){text.at, end}, words[i], sizeof words[i]))
			return fault_set(fault, ERR_BAD, "a name is too long");
		text = (struct bytes){text.at + end + (end < text.len), text.len - end - (end < text.len)};
	}
	const struct job_origin origin = {.format = words[0], .source = words[1], .tlp = words[2], .pap = words[3],
					  .map = words[4], .file = words[5]};
	int bad = job_open(&import->job, d->exchange, &origin, fault);
	if (bad)
		return bad;
	import->id = ++d->last_id;
	import->heard_us = now_us;
	write_u64(answer, import->id);
	return 0;
}

static int go_on(struct door *d, uint64_t id, uint8_t step, struct bytes rest, struct writer *answer, struct fault *fault)
{
	struct door_import *import = find(d, id);
	if (!import)
		return fault_set(fault, ERR_GONE, "there is no such import any more");
	import->heard_us = clock_mono_us();
	int bad = step == IMPORT_PART ? job_feed(import->job, rest, fault) : job_end(import->job, fault);
	if (step == IMPORT_END && !bad)
		job_write(import->job, answer);
	if (step == IMPORT_END || bad)
		forget(import);
	return bad;
}

static void on_import(void *arg, struct bus_request *request, struct bytes payload)
{
	struct door *d = arg;
	char room[ANSWER_BYTES_MAX];
	struct writer answer = writer_of(room, sizeof room);
	struct reader r = reader_of_bytes(payload);
	struct fault fault = {0};
	uint64_t id = read_u64(&r);
	uint8_t step = read_u8(&r);
	int bad = !access_by_command(request)		    ? fault_set(&fault, ERR_DENIED, "imports are made on the command line only")
		  : !reader_ok(&r) || step > IMPORT_END ? fault_set(&fault, ERR_BAD, "no such step of an import")
		  : step == IMPORT_BEGIN	      ? begin(d, read_rest(&r), &answer, &fault)
						      : go_on(d, id, step, read_rest(&r), &answer, &fault);
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : writer_bytes(&answer), false);
}

void import_door_open(struct door *d, struct exchange *x)
{
	d->exchange = x;
	bus_on_request(x->process->bus, TOPIC_IMPORT, on_import, d);
	bus_open_to_guests(x->process->bus, TOPIC_IMPORT);
}

void import_door_close(struct door *d)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (d->imports[i].job)
			forget(&d->imports[i]);
}
