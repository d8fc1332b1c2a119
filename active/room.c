/*
 * The process "active": the prober tied to the bus.
 *
 * It opens sockets and nothing else: no files, no listening.  Control gives it leases; what
 * it asked and heard goes to the journal and to whoever subscribed, and each lease is
 * reported back with the packets that it cost.
 */
#include "active/compiling.h"
#include "active/followers.h"
#include "active/identified.h"
#include "active/settings_inner.h"
#include "active/prober/synack_inner.h"
#include "active/servers/check.h"
#include "base/log.h"
#include "base/place.h"
#include "bus/process.h"
#include <limits.h>

#define CAPTURE_4 "capture:ipv4"
#define CAPTURE_6 "capture:ipv6"
#define REVOCATION_BYTES 17

struct room {
	struct process *process;
	struct prober *prober;         /* NULL: it has ended */
	struct checks *checks;         /* of command servers; likewise */
	struct server_fingerprints *servers;
	struct identified *identified; /* NULL: there are no fingerprints */
	struct prefix_set hosting;     /* prober.hosting */
	struct prober_settings settings;
	uint64_t unpublished_told;
	bool captures;
	char no_fingerprints[sizeof(struct fault)];
	struct event event;
	struct followers followers;
};

static int publish(void *arg, struct event *e)
{
	struct room *room = arg;
	int bad = bus_publish(room->process->bus, e);
	if (!bad)
		followers_tell(&room->followers, e);
	return bad;
}

static bool congested(void *arg)
{
	const struct room *room = arg;
	return bus_congested(room->process->bus);
}

static void told(void *arg, const struct prober_story *story)
{
	struct room *room = arg;
	if (room->identified && identified_make(room->identified, story, &room->event))
		publish(room, &room->event);
}

static void done(void *arg, const struct lease *lease, uint16_t packets)
{
	struct room *room = arg;
	uint8_t payload[sizeof lease->id.b + 2];
	struct writer w = writer_of(payload, sizeof payload);
	write_bytes(&w, lease->id.b, sizeof lease->id.b);
	write_u16(&w, packets);
	bus_tell_each(room->process->bus, "control", "lease.done", writer_bytes(&w));
	followers_end(&room->followers, &lease->id);
}

/* Conditions of observation, so that a report can say under which it was made. */
static void say_condition(struct room *room, const char *state, const char *detail, uint64_t count)
{
	event_begin(&room->event, EVENT_SENSOR_CHANGED);
	event_set_text(&room->event, FIELD_STATE, state);
	event_set_text(&room->event, FIELD_SERVICE, "prober");
	event_set_text(&room->event, FIELD_DETAIL, detail);
	if (count)
		event_set_number(&room->event, FIELD_COUNT, count);
	bus_publish(room->process->bus, &room->event);
}

static void relief(void *arg)
{
	struct room *room = arg;
	if (!room->prober)
		return;
	uint64_t lost = prober_counts(room->prober)->unpublished - room->unpublished_told;
	if (lost)
		say_condition(room, "gap", "answers could not be sent on: the bus was full", lost);
	room->unpublished_told += lost;
	prober_relief(room->prober);
}

static bool is_from_control(struct bus_request *request)
{
	return !strcmp(bus_peer_role(bus_request_peer(request)), "control");
}

static void on_lease_give(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct reader r = reader_of_bytes(payload);
	struct lease lease;
	int bad = room->prober ? ERR_DENIED : ERR_GONE;
	if (room->prober && is_from_control(request))
		bad = lease_read(&r, &lease) ? prober_give(room->prober, &lease) : ERR_BAD;
	if (bad == 0 && lease.basis == BASIS_OPERATOR)
		followers_expect(&room->followers, &lease.id);
	bus_answer(request, bad, (struct bytes){0}, false);
}

static void check_done(void *arg, const struct lease *lease, const struct check_result *result, uint16_t packets)
{
	struct room *room = arg;
	uint8_t wire[CHECK_RESULT_WIRE_MAX];
	struct writer w = writer_of(wire, sizeof wire);
	check_result_write(result, &w);
	if (result->steps && !w.bad)
		bus_tell_each(room->process->bus, "control", "check.done", writer_bytes(&w));
	done(room, lease, packets);
}

static void on_check_give(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct reader r = reader_of_bytes(payload);
	struct check_order order;
	struct lease lease;
	int bad = room->checks ? ERR_DENIED : ERR_GONE;
	if (room->checks && is_from_control(request))
		bad = lease_read(&r, &lease) && check_order_read(&r, &order) ? checks_give(room->checks, &lease, &order)
									      : ERR_BAD;
	bus_answer(request, bad, (struct bytes){0}, false);
}

static void on_lease_revoke(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct prefix prefix;
	bool good = payload.len == REVOCATION_BYTES && payload.at[REVOCATION_BYTES - 1] <= 128;
	int bad = !is_from_control(request) ? ERR_DENIED : good ? 0 : ERR_BAD;
	if (bad == 0 && room->prober) {
		memcpy(prefix.base.b, payload.at, sizeof prefix.base.b);
		prefix = prefix_of(&prefix.base, payload.at[REVOCATION_BYTES - 1]);
		prober_revoke(room->prober, &prefix);
		if (room->checks)
			checks_revoke(room->checks, &prefix);
	}
	bus_answer(request, bad, (struct bytes){0}, false);
}

static void on_look_follow(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	if (room->prober)
		followers_add(&room->followers, request, payload);
	else
		bus_answer(request, ERR_GONE, (struct bytes){0}, false);
}

static void number(struct writer *w, const char *name, uint64_t value)
{
	write_fmt(w, "%s\"%s\":%llu", writer_used(w) > 1 ? "," : "", name, (unsigned long long)value);
}

static void on_state_asked(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct room *room = arg;
	char json[1024];
	struct writer w = writer_of(json, sizeof json);
	(void)payload;
	if (!room->prober) {
		bus_answer(request, ERR_GONE, (struct bytes){0}, false);
		return;
	}
	const struct prober_counts *c = prober_counts(room->prober);
	write_text(&w, "{");
	number(&w, "held", prober_held(room->prober));
	number(&w, "active", prober_active(room->prober));
	number(&w, "leases", c->leases);
	number(&w, "targets", c->targets);
	number(&w, "connections", c->connections);
	number(&w, "open", c->open);
	number(&w, "closed", c->closed);
	number(&w, "filtered", c->filtered);
	number(&w, "unreachable", c->unreachable);
	number(&w, "aborted", c->aborted);
	number(&w, "packets", c->packets);
	number(&w, "bytes_in", c->bytes_in);
	number(&w, "bytes_out", c->bytes_out);
	number(&w, "postponed", c->postponed);
	number(&w, "unpublished", c->unpublished);
	number(&w, "overstated", c->overstated);
	number(&w, "foreign", c->foreign);
	number(&w, "rules", room->identified ? identified_rules(room->identified) : 0);
	number(&w, "captures", room->captures);
	write_text(&w, "}");
	bus_answer(request, w.bad ? ERR_FULL : 0, writer_bytes(&w), false);
}

static void on_prober_closed(void *arg)
{
	struct room *room = arg;
	room->prober = NULL;
	followers_end_all(&room->followers);
	process_leave(room->process);
}

static void on_checks_closed(void *arg)
{
	struct room *room = arg;
	prober_close(room->prober, on_prober_closed, room);
}

static void on_stop(void *arg)
{
	struct room *room = arg;
	struct checks *checks = room->checks;
	room->checks = NULL;
	checks_close(checks, on_checks_closed, room);
}

static void read_servers(struct room *room, const char *folder)
{
	struct fault first = {{0}};
	size_t skipped = 0;
	if (server_fingerprints_read(room->servers, folder, &skipped, &first) == 0 && skipped)
		log_warning("%zu fingerprints of servers are left out; the first: %s", skipped, first.text);
}

/* Our own, and what lies in servers/ of the directories named. */
static int load_servers(struct room *room)
{
	char folder[PLACE_PATH_MAX];
	const struct option_list *named = &room->settings.section->fingerprints;
	if (server_fingerprints_open(&room->servers))
		return ERR_MEMORY;
	if (place_find("fingerprints/servers", folder) == 0)
		read_servers(room, folder);
	for (size_t i = 0; i < named->count; i++) {
		const int n = snprintf(folder, sizeof folder, "%s/servers", ((const char *const *)named->items)[i]);
		if (n > 0 && n < (int)sizeof folder)
			read_servers(room, folder);
	}
	return 0;
}

static int open_checks(struct room *room)
{
	int bad = load_servers(room);
	const struct checks_options options = {
		.fingerprints = room->servers,
		.connect_timeout_ms = room->settings.section->connect_timeout_ms,
		.idle_ms = room->settings.section->idle_ms,
		.pause_ms = room->settings.section->pause_ms,
	};
	const struct checks_hooks hooks = {room, publish, check_done};
	return bad ? bad : checks_open(&room->checks, room->process->loop, &options, &hooks);
}

static void load_fingerprints(struct room *room)
{
	const struct option_list *named = &room->settings.section->fingerprints;
	struct fault complaint = {0};
	if (identified_open(&room->identified, named->items, named->count, &complaint) < 0)
		snprintf(room->no_fingerprints, sizeof room->no_fingerprints, "%s", complaint.text);
	if (complaint.text[0])
		log_warning("%s", complaint.text);
	const struct option_list *hosting = &room->settings.section->hosting;
	for (size_t i = 0; i < hosting->count; i++)
		if (prefix_set_add(&room->hosting, &((const struct prefix *)hosting->items)[i]))
			log_warning("no memory for prober.hosting");
	prefix_set_seal(&room->hosting);
	if (room->identified)
		identified_set_hosting(room->identified, &room->hosting);
}

static void compile_fingerprints(const struct room *room)
{
	char folder[PATH_MAX];
	int n = snprintf(folder, sizeof folder, "%s/" FINGERPRINTS_FOLDER, process_state(room->process));
	if (room->identified && n > 0 && n < (int)sizeof folder)
		identified_compile(room->identified, folder, room->process->sandboxed);
}

static int open_prober(struct room *room, struct fault *fault)
{
	struct prober_options options = prober_settings_options(&room->settings);
	const struct prober_hooks hooks = {room, publish, congested, told, done};
	const int capture[2] = {process_fd(room->process, CAPTURE_4), process_fd(room->process, CAPTURE_6)};
	room->captures = capture[0] >= 0 || capture[1] >= 0;
	return prober_open(&room->prober, room->process->loop, &options, &hooks, capture, fault);
}

/* What was handed down to hear how hosts answer could send to any address, without a lease. */
static int deny_sending(const struct room *room, struct fault *fault)
{
	const char *const names[2] = {CAPTURE_4, CAPTURE_6};
	int fds[2];
	size_t count = 0;
	for (size_t i = 0; i < 2; i++) {
		int fd = process_fd(room->process, names[i]);
		if (fd >= 0)
			fds[count++] = fd;
	}
	return count && room->process->sandboxed ? sandbox_receive_only(fds, count, fault) : 0;
}

static int run(struct process *p, struct fault *fault)
{
	static struct room room;
	room.process = p;
	int bad = prober_settings_read(p->config, &room.settings, fault);
	if (bad)
		return bad;
	load_fingerprints(&room);
	compile_fingerprints(&room);
	bad = open_prober(&room, fault);
	if (!bad && open_checks(&room))
		bad = fault_set(fault, ERR_MEMORY, "active: no memory for checks of servers");
	bad = bad ? bad : deny_sending(&room, fault);
	if (bad)
		return bad;
	bus_on_request(p->bus, "lease.give", on_lease_give, &room);
	bus_on_request(p->bus, "check.give", on_check_give, &room);
	bus_on_request(p->bus, "lease.revoke", on_lease_revoke, &room);
	bus_on_request(p->bus, "prober.state", on_state_asked, &room);
	bus_on_request(p->bus, "look.follow", on_look_follow, &room);
	bus_open_to_guests(p->bus, "prober.state");
	bus_open_to_guests(p->bus, "look.follow");
	const struct bus_hooks hooks = {.arg = &room, .relief = relief, .stop = on_stop};
	bad = process_enter(p, &hooks, fault);
	if (bad)
		return bad;
	if (room.settings.section->capture && !room.captures)
		say_condition(&room, "configuration",
			      "fields tcp.* of answers are absent: there is no right to capture", 0);
	if (room.no_fingerprints[0])
		say_condition(&room, "configuration", "no host is identified: there are no fingerprints", 0);
	uv_run(p->loop, UV_RUN_DEFAULT);
	identified_close(room.identified);
	server_fingerprints_close(room.servers);
	return 0;
}

static int check(const struct config *config, struct fault *fault)
{
	struct prober_settings settings;
	return prober_settings_read(config, &settings, fault);
}

static void warn(const struct config *config, struct writer *w)
{
	const struct prober_section *section = config_section(config, "prober");
	if (section->pause_ms < PAUSE_FAIR_MS)
		write_fmt(w, "!!! prober.pause: %llums; an address gets more than one connection a second; right for laboratories only\n",
			  (unsigned long long)section->pause_ms);
}

static int prepare(struct preparation *p, struct fault *fault)
{
	struct prober_settings settings;
	struct fault why = {0};
	int bad = prober_settings_read(preparation_config(p), &settings, fault);
	bad = bad ? bad : preparation_path(p, FINGERPRINTS_FOLDER, true);
	if (bad || !settings.section->capture)
		return bad;
	int v4 = synack_socket(AF_INET, &why), v6 = synack_socket(AF_INET6, &why);
	/* Without the right to it, looks are taken all the same; the process tells. */
	if (v4 >= 0)
		bad = preparation_give(p, CAPTURE_4, v4);
	if (v6 >= 0 && !bad)
		bad = preparation_give(p, CAPTURE_6, v6);
	return bad;
}

static const char *const talks_to[] = {"control", "journal", NULL};

static const struct role active_role = {
	.name = "active",
	.summary = "looks at addresses under leases from control, and identifies what answers",
	.rights = SANDBOX_CONNECT,
	.sends = KIND_MASK(EVENT_PROBE_SENT) | KIND_MASK(EVENT_HOST_ANSWERED) |
		 KIND_MASK(EVENT_HOST_IDENTIFIED) | KIND_MASK(EVENT_SENSOR_CHANGED) | KIND_MASK(EVENT_INDICATOR_FOUND),
	.talks_to = talks_to,
	.door = true,
	.check = check,
	.warn = warn,
	.prepare = prepare,
	.run = run,
};
ROLE(active_role);
