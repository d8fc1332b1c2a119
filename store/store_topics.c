/* What others ask of the store: questions, erasures, a backup. */
#include "base/log.h"
#include "store/report.h"
#include "store/store_room_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_MAX (512u << 10)
#define REPORT_BYTES_MAX (32u << 20)
#define UNSENT_MAX (4 << 20) /* an asker that reads slowly holds up its question, not our memory */
#define UNSENT_WAIT_US 2000
#define UNSENT_TRIES 15000

struct asked { /* a request on its way through a thread */
	struct job job;
	void (*run)(struct job *, void *context);
	struct store_room *room;
	struct bus_request *request;
	uint64_t instance;
	int status;
	struct fault fault;
	struct bytes part; /* for answer_part() */
	long unsent;
	/* of a question */
	enum answer_format format;
	bool private_too;
	struct buffer sql;
	/* of a report */
	const struct report *report;
	uint64_t from_us, to_us;
	/* of an erasure */
	struct erasure erasure;
	struct erasing erasing;
	uint64_t frames;
};

static struct asked *asked_new(struct store_room *room, struct bus_request *request)
{
	struct asked *a = calloc(1, sizeof *a);
	if (!a) {
		bus_answer(request, ERR_MEMORY, BYTES("store: out of memory"), false);
		return NULL;
	}
	a->room = room;
	a->request = request;
	a->sql = BUFFER(QUESTION_MAX);
	return a;
}

static void asked_free(struct asked *a)
{
	buffer_done(&a->sql);
	free(a->erasing.blobs);
	free(a);
}

static void answer_part(void *arg)
{
	struct asked *a = arg;
	if (a->part.len)
		bus_answer(a->request, 0, a->part, true);
	a->unsent = bus_request_unsent(a->request);
}

/* From a thread: sends a part, then waits until the asker has taken most of what was sent. */
static int send_part(struct asked *a, struct workers *workers, struct bytes part)
{
	a->part = part;
	for (int tries = 0; tries < UNSENT_TRIES; tries++) {
		workers_call(workers, answer_part, a);
		a->part.len = 0;
		if (a->unsent <= UNSENT_MAX)
			return a->unsent < 0 ? ERR_GONE : 0;
		if (workers_ending(workers))
			return ERR_GONE;
		usleep(UNSENT_WAIT_US);
	}
	return ERR_TIMEOUT;
}

static void answer_end(struct asked *a)
{
	struct bytes sentence = bytes_of_text(a->status ? a->fault.text : "");
	bus_answer(a->request, a->status, sentence, false);
	asked_free(a);
}

static int question_sink(void *arg, struct bytes part)
{
	struct asked *a = arg;
	return send_part(a, a->room->readers, part);
}

static void question_run(struct job *job, void *reader)
{
	struct asked *a = (struct asked *)job;
	if (!reader)
		a->status = fault_set(&a->fault, ERR_GONE, "store: no connection for readers");
	else
		a->status = engine_ask(reader, buffer_bytes(&a->sql), a->format, a->private_too,
				       question_sink, a, &a->fault);
}

static void asked_done(struct job *job) { answer_end((struct asked *)job); }

/* Who may see passwords and payloads at all: the operator, the console behind its access, the lab. */
static bool may_see_private(const struct bus_peer *peer)
{
	static const char *const roles[] = {"guest", "web", "analysis", "lab"};
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (!strcmp(bus_peer_role(peer), roles[i]))
			return true;
	return false;
}

static void asked_run(struct job *job, void *context)
{
	struct asked *a = (struct asked *)job;
	a->status = 0;
	a->fault.text[0] = '\0';
	a->run(job, context);
}

/* What still waits when the store is told to stop is done without having run. */
static void give(struct workers *workers, struct asked *a)
{
	a->run = a->job.run;
	a->job.run = asked_run;
	a->status = fault_set(&a->fault, ERR_GONE, "store: it is starting or stopping; ask again later");
	if (workers && workers_give(workers, &a->job) == 0)
		return;
	if (workers)
		a->status = fault_set(&a->fault, ERR_FULL, "store: too many questions wait; ask again later");
	answer_end(a);
}

static int line_sink(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len); }

/* One part of a report as "name":[rows]; a row a line, so that lines become items. */
static int report_part_write(struct asked *a, struct engine_reader *reader, const struct report_part *p,
			     struct buffer *out)
{
	char sql[REPORT_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	struct buffer rows = BUFFER(REPORT_BYTES_MAX);
	report_sql(p, a->from_us, a->to_us, &w);
	int bad = w.bad ? fault_set(&a->fault, ERR_FULL, "report: %s is too long", p->name)
			: engine_ask(reader, writer_bytes(&w), ANSWER_LINES, false, line_sink, &rows, &a->fault);
	struct reader r = reader_of_bytes(buffer_bytes(&rows));
	struct bytes row;
	bad = bad ? bad : buffer_append(out, "\"", 1);
	bad = bad ? bad : buffer_append(out, p->name, strlen(p->name));
	bad = bad ? bad : buffer_append(out, "\":[", 3);
	for (bool first = true; !bad && read_line(&r, &row); first = false) {
		bad = first ? 0 : buffer_append(out, ",", 1);
		bad = bad ? bad : buffer_append(out, row.at, row.len);
	}
	buffer_done(&rows);
	return bad ? bad : buffer_append(out, "]", 1);
}

static void report_run(struct job *job, void *reader)
{
	struct asked *a = (struct asked *)job;
	struct buffer out = BUFFER(REPORT_BYTES_MAX);
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], head[256];
	snprintf(head, sizeof head, "{\"report\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"parts\":{",
		 a->report->name, time_format(a->from_us, from), time_format(a->to_us, to));
	int bad = reader ? buffer_append(&out, head, strlen(head))
			 : fault_set(&a->fault, ERR_GONE, "store: no connection for readers");
	for (size_t i = 0; !bad && i < REPORT_PARTS_MAX && a->report->parts[i].name; i++) {
		bad = i ? buffer_append(&out, ",", 1) : 0;
		bad = bad ? bad : report_part_write(a, reader, &a->report->parts[i], &out);
	}
	bad = bad ? bad : buffer_append(&out, "}}\n", 3);
	struct bytes rest = buffer_bytes(&out);
	while (!bad && rest.len) {
		struct bytes part = {rest.at, rest.len < PART_MAX ? rest.len : PART_MAX};
		bad = send_part(a, a->room->readers, part);
		rest.at += part.len;
		rest.len -= part.len;
	}
	buffer_done(&out);
	if (bad && !a->fault.text[0])
		fault_set(&a->fault, bad, "report: it exceeds %u bytes, or the asker went away", REPORT_BYTES_MAX);
	a->status = bad;
}

static void on_report(void *arg, struct bus_request *request, struct bytes payload)
{
	struct asked *a = asked_new(arg, request);
	if (!a)
		return;
	struct reader r = reader_of_bytes(payload);
	char name[64];
	a->from_us = read_u64(&r);
	a->to_us = read_u64(&r);
	if (reader_ok(&r) && bytes_copy_text(read_rest(&r), name, sizeof name))
		a->report = report_find(name);
	if (!a->report) {
		a->status = fault_set(&a->fault, ERR_MISSING, "report: there is no such report");
		answer_end(a);
		return;
	}
	a->job = (struct job){.run = report_run, .done = asked_done};
	give(a->room->readers, a);
}

static void on_query(void *arg, struct bus_request *request, struct bytes payload)
{
	struct asked *a = asked_new(arg, request);
	if (!a)
		return;
	struct bytes sql;
	a->status = question_read(payload, &sql, &a->format, &a->private_too);
	if (a->status || buffer_append(&a->sql, sql.at, sql.len)) {
		a->status = fault_set(&a->fault, ERR_BAD, "query: empty, or malformed");
		answer_end(a);
		return;
	}
	a->private_too &= may_see_private(bus_request_peer(request));
	a->job = (struct job){.run = question_run, .done = asked_done};
	give(a->room->readers, a);
}

static void erase_run(struct job *job, void *context)
{
	struct asked *a = (struct asked *)job;
	(void)context;
	a->erasing.what = &a->erasure;
	a->status = engine_erase(a->room->engine, &a->erasing, &a->fault);
}

static void erase_done(struct job *job)
{
	struct asked *a = (struct asked *)job;
	struct bus *bus = a->room->process->bus;
	for (size_t i = 0; !a->status && i < a->erasing.blobs_count; i++)
		bus_request(bus, "journal", TOPIC_BLOB_ERASE, (struct bytes){a->erasing.blobs[i], 32}, NULL,
			    NULL);
	char text[256];
	int n = snprintf(text, sizeof text,
			 "{\"dry_run\":%s,\"journal\":%llu,\"events\":%llu,\"flows\":%llu,\"private\":%llu,"
			 "\"files\":%zu}\n",
			 a->erasure.dry_run ? "true" : "false", (unsigned long long)a->frames,
			 (unsigned long long)a->erasing.rows[TABLE_EVENTS],
			 (unsigned long long)a->erasing.rows[TABLE_FLOWS],
			 (unsigned long long)a->erasing.private_values, a->erasing.blobs_count);
	if (!a->status)
		bus_answer(a->request, 0, (struct bytes){(const uint8_t *)text, (size_t)n}, true);
	answer_end(a);
}

/*
 * The journal has erased: whatever it hands out from now on is without.  What it had handed
 * out before stands in front of us in the writer's queue, and goes with the rest.
 */
static void on_journal_erased(void *arg, int status, struct bytes payload, bool more)
{
	struct asked *a = arg;
	struct reader r = reader_of_bytes(payload);
	(void)more;
	if (status) {
		a->status = fault_set(&a->fault, status, "erase: the journal: %.*s", (int)payload.len,
				      payload.len ? (const char *)payload.at : "");
		answer_end(a);
		return;
	}
	a->frames = read_u64(&r);
	a->job = (struct job){.run = erase_run, .done = erase_done};
	give(a->room->writer, a);
}

static void on_erase(void *arg, struct bus_request *request, struct bytes payload)
{
	struct asked *a = asked_new(arg, request);
	if (!a)
		return;
	a->status = erasure_read(payload, &a->erasure);
	if (a->status)
		fault_set(&a->fault, a->status, "erase: malformed");
	else if (bus_request(a->room->process->bus, "journal", TOPIC_JOURNAL_ERASE, payload,
			     on_journal_erased, a))
		a->status = fault_set(&a->fault, ERR_GONE, "erase: the journal is not there");
	if (a->status)
		answer_end(a);
}

static int archive_send(struct asked *a, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *room = malloc(PART_MAX);
	ssize_t n = -1;
	int bad = 0;
	while (!bad && fd >= 0 && room && (n = read(fd, room, PART_MAX)) > 0)
		bad = send_part(a, a->room->writer, (struct bytes){room, (size_t)n});
	const char *why = bad ? "the asker went away" : strerror(errno);
	if (fd >= 0)
		close(fd);
	free(room);
	return !bad && n == 0 ? 0 : fault_set(&a->fault, ERR_SYSTEM, "backup: %s: %s", path, why);
}

static void backup_run(struct job *job, void *context)
{
	struct asked *a = (struct asked *)job;
	char folder[4200], path[4300];
	(void)context;
	snprintf(folder, sizeof folder, "%s/backups", a->room->tables);
	snprintf(path, sizeof path, "%s/answer.tar", folder);
	mkdir(folder, 0700);
	unlink(path);
	a->status = engine_backup(a->room->engine, path, &a->fault);
	if (!a->status)
		a->status = archive_send(a, path);
	unlink(path);
}

static void on_backup(void *arg, struct bus_request *request, struct bytes payload)
{
	struct asked *a = asked_new(arg, request);
	(void)payload;
	if (!a)
		return;
	a->job = (struct job){.run = backup_run, .done = asked_done};
	give(a->room->writer, a);
}

void store_topics(struct store_room *room)
{
	struct bus *bus = room->process->bus;
	bus_on_request(bus, TOPIC_QUERY, on_query, room);
	bus_on_request(bus, TOPIC_ERASE, on_erase, room);
	bus_on_request(bus, TOPIC_BACKUP, on_backup, room);
	bus_on_request(bus, TOPIC_REPORT, on_report, room);
	bus_open_to_guests(bus, TOPIC_REPORT);
	bus_open_to_guests(bus, TOPIC_QUERY);
	bus_open_to_guests(bus, TOPIC_ERASE);
	bus_open_to_guests(bus, TOPIC_BACKUP);
}
