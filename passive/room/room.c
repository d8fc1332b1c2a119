/*
 * The passive room: start, back-pressure, events, the end; and the role.
 *
 * Back-pressure comes in two steps.  When the bus is congested the door turns newcomers
 * away, and counts them; open sessions go on.  When it is full the room freezes: it reads
 * nothing, accepts nothing and lets no deadline pass until the bus has room again, so that
 * nothing can happen that it could not tell.
 */
#include "base/clock.h"
#include "base/log.h"
#include "passive/room/room_inner.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAID_MAX (64u << 20) /* the services' own limits are lower */
#define PERSONA_FD "persona:"

void room_now(struct room *r)
{
	r->stage.utc_us = clock_utc_us();
	r->stage.mono_us = clock_mono_us();
}

static void room_freeze(struct room *r)
{
	if (r->frozen)
		return;
	r->frozen = true;
	door_shut(r);
	uv_poll_stop(&r->epoll_poll);
	data_shut(r);
	uv_timer_stop(&r->wheel_timer);
}

static void event_keep(struct room *r, const struct event *e)
{
	uint8_t *frame = malloc(FRAME_MAX);
	struct kept_event *k = NULL;
	if (frame) {
		struct writer w = writer_of(frame, FRAME_MAX);
		frame_encode(e, &w);
		k = w.bad ? NULL : malloc(sizeof *k + writer_used(&w));
		if (k) {
			k->len = writer_used(&w);
			memcpy(k->frame, frame, k->len);
			STAILQ_INSERT_TAIL(&r->kept, k, order);
		}
	}
	free(frame);
	if (!k)
		log_error("passive: an event of kind %s is lost, there is no memory to keep it",
		          event_kind_name(e->kind));
}

void room_publish(struct room *r, struct event *e)
{
	int bad = STAILQ_EMPTY(&r->kept) ? bus_publish(r->bus, e) : ERR_FULL;
	if (bad == ERR_FULL) {
		if (id_is_zero(&e->id))
			e->id = bus_id(r->bus, r->stage.utc_us);
		event_keep(r, e);
		room_freeze(r);
	} else if (bad) {
		log_error("passive: an event of kind %s does not fit a frame and is lost",
		          event_kind_name(e->kind));
	}
	if (bus_full(r->bus))
		room_freeze(r);
}

static void stage_publish(struct stage *g, struct session *s, struct event *e)
{
	(void)s;
	room_publish(g->owner, e);
}

static void stage_capture(struct stage *g, struct session *s, const struct capture *c,
                          struct event *e)
{
	(void)s;
	struct room *r = g->owner;
	captures_add(&r->captures, c->sha256, c->content, e);
}

static void stage_record(struct stage *g, struct session *s, bool ours, struct bytes b)
{
	(void)g;
	connection_record(connection_of(s), ours ? RECORDING_OURS : RECORDING_PEER, b);
}

static void captures_publish(void *arg, struct event *e)
{
	room_publish(arg, e);
}

static void on_wheel_due(void *arg, struct wheel_entry *e)
{
	struct room *r = arg;
	struct connection *c = (struct connection *)((char *)e - offsetof(struct connection, due));
	if (r->frozen) /* for the first turn after the thaw */
		wheel_set(&r->wheel, e, 0);
	else
		connection_due(c);
}

static void on_wheel(uv_timer_t *t)
{
	struct room *r = t->data;
	room_now(r);
	wheel_turn(&r->wheel, room_ms(r), on_wheel_due, r);
	room_wheel_changed(r);
}

void room_wheel_changed(struct room *r)
{
	uint64_t next = wheel_next_ms(&r->wheel);
	bool active = uv_is_active((uv_handle_t *)&r->wheel_timer);
	if (r->frozen || next == UINT64_MAX || (active && next >= r->wheel_due_ms))
		return;
	uint64_t now = room_ms(r);
	r->wheel_due_ms = next;
	uv_timer_start(&r->wheel_timer, on_wheel, next > now ? next - now : 1, 0);
}

static void on_epoll(uv_poll_t *poll, int status, int events)
{
	struct room *r = poll->data;
	struct epoll_event ready[ROOM_EPOLL_BATCH];
	(void)status;
	(void)events;
	int n = epoll_wait(r->epoll, ready, ROOM_EPOLL_BATCH, 0);
	/* What a freeze leaves over comes again: the set is level-triggered. */
	for (int i = 0; i < n && !r->frozen; i++)
		connection_ready(ready[i].data.ptr, ready[i].events);
}

static void room_thaw(struct room *r)
{
	struct kept_event *k;
	while ((k = STAILQ_FIRST(&r->kept)) != NULL) {
		struct event *e = &r->stage.report;
		if (frame_decode((struct bytes){k->frame, k->len}, NULL, e) == 0 &&
		    bus_publish(r->bus, e) == ERR_FULL)
			return; /* relief will come again */
		STAILQ_REMOVE_HEAD(&r->kept, order);
		free(k);
	}
	if (!r->frozen || bus_full(r->bus))
		return;
	r->frozen = false;
	uv_poll_start(&r->epoll_poll, UV_READABLE, on_epoll);
	data_listen(r);
	door_listen(r);
	room_now(r);
	relay_thaw(r);
	room_wheel_changed(r);
}

static void on_relief(void *arg)
{
	room_thaw(arg);
}

static void on_report(uv_timer_t *t)
{
	door_report(t->data);
}

static void on_retry(uv_timer_t *t)
{
	struct room *r = t->data;
	r->awaits_table = false; /* control is busy: late visitors lose more than a few that are not steered */
	if (r->reserve < 0)
		r->reserve = fcntl(r->epoll, F_DUPFD_CLOEXEC, 0);
	door_listen(r);
}

static void on_steer_table(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *r = arg;
	bus_answer(request, steering_update(&r->steering, payload), (struct bytes){0}, false);
	if (!r->awaits_table || !r->steering.whole)
		return;
	r->awaits_table = false;
	if (!r->started)
		return;
	uv_timer_stop(&r->retry_timer);
	door_listen(r);
}

static void on_steer_silence(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *r = arg;
	bus_answer(request, steering_silence(&r->steering, payload), (struct bytes){0}, false);
}

static int persona_load(struct room *r, const struct process_fd *f, struct fault *fault)
{
	struct stat st;
	const char *name = f->name + strlen(PERSONA_FD);
	if (fstat(f->fd, &st) || st.st_size > PERSONA_FILE_BYTES_MAX)
		return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", name,
		                 PERSONA_FILE_BYTES_MAX);
	size_t size = (size_t)st.st_size;
	uint8_t *text = malloc(size + 1);
	if (!text)
		return fault_set(fault, ERR_MEMORY, "%s: no memory to read it", name);
	/* From its start: a process before us may have read it through the same descriptor. */
	ssize_t n = pread(f->fd, text, size, 0);
	int bad = n == (ssize_t)size
	                  ? persona_read(&r->personas, (struct bytes){text, size}, name, fault)
	                  : fault_set(fault, ERR_SYSTEM, "%s: cannot be read", name);
	free(text);
	return bad;
}

static int personas_load(struct room *r, const struct process *p, struct fault *fault)
{
	for (size_t i = 0; i < p->fds_count; i++) {
		if (strncmp(p->fds[i].name, PERSONA_FD, strlen(PERSONA_FD)))
			continue;
		int bad = persona_load(r, &p->fds[i], fault);
		if (bad)
			return bad;
		/* Each open file is one peer less that can be taken. */
		close(p->fds[i].fd);
		p->fds[i].fd = -1;
	}
	if (r->stage.bait && bait_survey(&r->bait, &r->personas))
		return ERR_MEMORY;
	return passive_settings_cast(&r->settings, &r->personas, fault);
}

/* A process that was handed no ledger (a test's) has no bait. */
static int bait_begin(struct room *r, const struct process *p, struct fault *fault)
{
	int ledger = process_fd(p, LEDGER_FD);
	int bad = ledger < 0 ? 0 : bait_open(&r->bait, ledger, process_fd(p, SIGHTS_FD), fault);
	if (ledger >= 0 && !bad)
		r->stage.bait = r->personas.bait = &r->bait;
	r->personas.lure = r->settings.options->lure;
	return bad;
}

static uint16_t stage_expect(struct session *s) { return data_expect(connection_of(s)); }
static void stage_data_say(struct session *s, struct bytes b) { data_say(connection_of(s), b); }
static void stage_data_end(struct session *s) { data_end(connection_of(s)); }
static void stage_data_take(struct session *s) { data_take(connection_of(s)); }
static void stage_data_drop(struct session *s) { data_drop(connection_of(s)); }

static const struct stage_data stage_data = {stage_expect, stage_data_say, stage_data_end, stage_data_take,
					     stage_data_drop};

static bool stage_relay_open(struct session *s) { return relay_open(connection_of(s)); }
static void stage_relay_say(struct session *s, struct bytes b) { relay_say(connection_of(s), b); }
static void stage_relay_drop(struct session *s) { relay_drop(connection_of(s)); }

static const struct stage_relay stage_relay = {stage_relay_open, stage_relay_say, stage_relay_drop};

static void stage_open(struct room *r)
{
	r->random = random_seeded(random_secret());
	r->stage.owner = r;
	r->stage.random = &r->random;
	r->stage.device_key = passive_device_key(&r->settings);
	r->stage.capture_max = r->settings.options->file_bytes;
	r->stage.said = BUFFER(SAID_MAX);
	r->stage.publish = stage_publish;
	r->stage.capture = stage_capture;
	r->stage.record = stage_record;
	r->stage.data = &stage_data;
	r->stage.relay = r->relay ? &stage_relay : NULL;
	room_now(r);
	wheel_start(&r->wheel, room_ms(r));
}

static void on_devices_save(uv_timer_t *t)
{
	struct room *r = t->data;
	devices_save(&r->devices);
	data_sweep(r);
}

/* The topics by which what attackers left is forgotten. */
static void on_devices_reset(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *r = arg;
	uint8_t answer[8];
	struct writer w = writer_of(answer, sizeof answer);
	write_u64(&w, devices_reset(&r->devices, payload));
	bus_answer(request, 0, writer_bytes(&w), false);
}

/* The same payload: who saw which bait goes with the rest of a source, or of a time. */
static void bait_erase(struct room *r, struct bytes payload)
{
	struct reader in = reader_of_bytes(payload);
	struct address source;
	uint8_t type = read_u8(&in);
	read_u8(&in);
	struct bytes address = read_bytes(&in, sizeof source.b);
	uint64_t from_us = read_u64(&in), to_us = read_u64(&in);
	if (!reader_ok(&in) || !r->bait.sights || (type != 1 && type != 3))
		return;
	memcpy(source.b, address.at, sizeof source.b);
	sights_erase(r->bait.sights, type == 1 ? &source : NULL, from_us, to_us);
}

static void on_devices_erase(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *r = arg;
	uint8_t answer[8];
	struct writer w = writer_of(answer, sizeof answer);
	bait_erase(r, payload);
	write_u64(&w, devices_erase(&r->devices, payload));
	bus_answer(request, 0, writer_bytes(&w), false);
}

/* Where the kernel refuses closed ports it must know who may find others open. */
static int sources_share(struct room *r, const struct process *p)
{
	int fd = process_fd(p, STEERED_FD);
	void *at = fd < 0 ? NULL : mmap(NULL, sizeof *r->steering.sources, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return ERR_SYSTEM;
	r->steering.sources = at;
	return 0;
}

static int keeping_open(struct room *r, const struct process *p)
{
	int bad = devices_open(&r->devices, &r->settings.options->devices, process_fd(p, DEVICES_FD),
			       r->stage.utc_us);
	r->stage.devices = &r->devices;
	r->answers_v4 = process_fd(p, ANSWERS_FD "4");
	r->answers_v6 = process_fd(p, ANSWERS_FD "6");
	bus_on_request(r->bus, "device.reset", on_devices_reset, r);
	bus_on_request(r->bus, "device.erase", on_devices_erase, r);
	return bad ? bad : sources_share(r, p);
}

static int stores_open(struct room *r, struct fault *fault)
{
	const struct passive_options *o = r->settings.options;
	if (tls_room_open(&r->tls, r->stage.device_key, o->rsa_keys, o->secure_sessions) < 0)
		return ERR_MEMORY;
	r->stage.tls = &r->tls;
	int bad = stage_start(&r->stage, fault);
	if (bad)
		return bad;
	if (limits_open(&r->limits, &o->limits) < 0 ||
	    table_open(&r->datagrams, o->udp_sessions) < 0 ||
	    datagram_open(r) < 0 ||
	    steering_open(&r->steering, &r->personas, o->steer_entries, o->visits, o->visit_ms) < 0)
		return ERR_MEMORY;
	return captures_open(&r->captures, r->loop, r->bus, o->files_bytes, captures_publish, r);
}

static void handles_open(struct room *r)
{
	uv_timer_t *const timers[] = {&r->wheel_timer, &r->report_timer, &r->retry_timer,
	                              &r->stop_timer, &r->reflection_timer, &r->devices_timer};
	for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
		uv_timer_init(r->loop, timers[i]);
		timers[i]->data = r;
	}
	uv_poll_init(r->loop, &r->epoll_poll, r->epoll);
	r->epoll_poll.data = r;
	r->on_report = on_report;
	r->on_retry = on_retry;
}

int room_open(struct room *r, struct process *p, struct fault *fault)
{
	*r = (struct room){.loop = p->loop, .bus = p->bus, .reserve = -1, .workers = p->workers};
	const struct relay_options *relay = config_section(p->config, "relay");
	r->relay = relay->namespace != NULL;
	LIST_INIT(&r->relays);
	LIST_INIT(&r->connections);
	STAILQ_INIT(&r->kept);
	int bad = passive_settings_read(p->config, &r->settings, fault);
	if (!bad)
		bad = bait_begin(r, p, fault);
	if (!bad)
		bad = personas_load(r, p, fault);
	if (bad)
		return bad;
	r->recordings_left = r->settings.options->recordings_bytes;
	stage_open(r);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	fault->text[0] = '\0';
	bad = r->epoll < 0 ? ERR_MEMORY : stores_open(r, fault);
	if (!bad)
		bad = keeping_open(r, p);
	if (bad)
		return fault->text[0] ? bad : fault_set(fault, bad, "passive: no memory or descriptors to start with");
	handles_open(r);
	bad = data_open(r, p, fault);
	if (bad)
		return bad;
	bus_on_request(r->bus, "steer.table", on_steer_table, r);
	bus_on_request(r->bus, "steer.silence", on_steer_silence, r);
	return door_open(r, p, fault);
}

void room_start(struct room *r)
{
	uv_poll_start(&r->epoll_poll, UV_READABLE, on_epoll);
	data_listen(r);
	uv_timer_start(&r->devices_timer, on_devices_save, DEVICES_SAVE_MS, DEVICES_SAVE_MS);
	r->started = true;
	if (r->awaits_table)
		uv_timer_start(&r->retry_timer, on_retry, ROOM_TABLE_MS, 0);
	else
		door_listen(r);
}

static void on_stop_check(uv_timer_t *t)
{
	struct room *r = t->data;
	room_now(r);
	bool waits = captures_waiting(&r->captures) || !STAILQ_EMPTY(&r->kept);
	if (waits && room_ms(r) < r->stop_by_ms)
		return;
	if (waits)
		log_warning(
		        "passive: stopped with events or files on their way, the journal did not "
		        "take them within %d ms",
		        ROOM_STOP_MS_MAX);
	uv_timer_stop(t);
	r->left(r->left_arg);
}

void room_stop(struct room *r, void (*left)(void *), void *arg)
{
	if (r->stopping)
		return;
	room_now(r);
	r->left = left;
	r->left_arg = arg;
	door_shut(r);
	door_report(r);
	datagram_settle(r, true);
	r->stopping = true;
	uv_timer_stop(&r->report_timer);
	uv_timer_stop(&r->retry_timer);
	uv_timer_stop(&r->reflection_timer);
	uv_timer_stop(&r->devices_timer);
	while (!LIST_EMPTY(&r->connections))
		connection_close(LIST_FIRST(&r->connections), SESSION_SERVER);
	r->stop_by_ms = room_ms(r) + ROOM_STOP_MS_MAX;
	uv_timer_start(&r->stop_timer, on_stop_check, 0, 20);
}

void room_close(struct room *r)
{
	struct kept_event *k;
	while ((k = STAILQ_FIRST(&r->kept)) != NULL) {
		STAILQ_REMOVE_HEAD(&r->kept, order);
		free(k);
	}
	uv_handle_t *const handles[] = {
	        (uv_handle_t *)&r->wheel_timer, (uv_handle_t *)&r->report_timer,
	        (uv_handle_t *)&r->retry_timer, (uv_handle_t *)&r->stop_timer,
	        (uv_handle_t *)&r->reflection_timer, (uv_handle_t *)&r->devices_timer,
	        (uv_handle_t *)&r->epoll_poll};
	for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
		uv_close(handles[i], NULL);
	for (size_t i = 0; i < r->listener_count; i++)
		uv_close((uv_handle_t *)&r->listeners[i].poll, NULL);
	data_done(r);
	devices_done(&r->devices);
	bait_done(&r->bait);
	captures_done(&r->captures);
	steering_done(&r->steering);
	limits_done(&r->limits);
	reflection_done(&r->reflection);
	table_done(&r->datagrams);
	stage_done(&r->stage);
	tls_room_done(&r->tls);
	passive_settings_done(&r->settings);
	persona_set_done(&r->personas);
	close(r->epoll);
	if (r->reserve >= 0)
		close(r->reserve);
}

struct bus_hooks room_hooks(struct room *r)
{
	return (struct bus_hooks){.arg = r, .relief = on_relief};
}
