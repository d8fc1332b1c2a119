/*
 * The role "telescope": reads rings, keeps accounts, tells.
 *
 * Packets are taken outside of the loop's callbacks, which only note what there is to do: so a
 * record that finds the bus full can wait in the loop for room.  Meanwhile the ring is not read;
 * what it cannot hold the kernel counts, and it is told as a gap.
 */
#include "base/clock.h"
#include "base/log.h"
#include "passive/telescope/live/live_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS_PER_TURN 8
#define TICK_MS 250
#define TICKS_PER_SECOND (1000 / TICK_MS)
#define GAP_US_MAX 60000000u /* a gap that goes on is told so often */
#define STOP_US 100000000u
#define STOP_S 120

static void on_frames(uv_poll_t *poll, int status, int events);

static void port_watch(struct live_port *p) { uv_poll_start(&p->poll, UV_READABLE, on_frames); }

/* libuv stops watching after an error; asking for it takes it from the socket. */
static void on_frames(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct live_port *p = poll->data;
	if (status < 0) {
		if (ring_error(p->ring) == ENETDOWN)
			p->down = true;
		port_watch(p);
	}
	p->ready = true;
}

static void on_tick(uv_timer_t *timer) { ((struct live *)timer->data)->tick_due = true; }

static void on_links(uv_poll_t *poll, int status, int events)
{
	(void)events;
	if (status >= 0)
		live_links_read(poll->data);
}

static void on_relief(void *arg)
{
	struct live *l = arg;
	for (size_t i = 0; i < l->port_count && l->held; i++)
		port_watch(&l->ports[i]);
	l->held = false;
}

/* The ring waits in the kernel until the bus has room. */
static void hold(struct live *l)
{
	l->held = true;
	for (size_t i = 0; i < l->port_count; i++)
		uv_poll_stop(&l->ports[i].poll);
}

static void on_acknowledged(void *arg, struct bus_peer *peer, uint64_t sequence)
{
	struct live *l = arg;
	if (strcmp(bus_peer_role(peer), "journal") || sequence < l->mark.sequence)
		return;
	if (l->ledger)
		l->ledger->safe = l->mark.packets;
	l->mark.sequence = bus_published(l->bus, "journal");
	l->mark.packets = l->packets_told;
}

static void on_stop(void *arg)
{
	struct live *l = arg;
	l->stopping = true;
	l->stop_by_us = clock_mono_us() + STOP_US;
}

static void batch_done(struct live *l, struct live_port *p)
{
	if (l->batch.count == 0)
		return;
	telescope_take(l->telescope, &l->batch);
	live_answer_batch(l, p, &l->batch);
	l->batch.count = 0;
}

static void block_read(struct live *l, struct live_port *p)
{
	struct packet_counts *counts = telescope_counts(l->telescope);
	struct ring_frame f;
	uint64_t before = counts->taken;
	if (l->ledger)
		l->ledger->reading[p->number] = ring_sequence(p->ring);
	while (ring_next(p->ring, &f)) {
		packet_take(&l->batch, counts, l->watched, ring_link(p->ring), f.frame, f.wire_length, f.time_us);
		if (l->batch.count == PACKET_BATCH)
			batch_done(l, p);
	}
	batch_done(l, p);
	if (l->ledger) {
		l->ledger->taken += counts->taken - before;
		l->ledger->reading[p->number] = 0;
	}
	ring_release(p->ring);
}

static void port_read(struct live *l, struct live_port *p)
{
	p->ready = false;
	for (unsigned i = 0; i < BLOCKS_PER_TURN && !l->held && ring_acquire(p->ring); i++) {
		block_read(l, p);
		if (bus_congested(l->bus))
			hold(l);
	}
}

static void port_count_drops(struct live_port *p, uint64_t since_us, uint64_t now_us, bool last)
{
	uint64_t dropped = ring_dropped(p->ring);
	struct gap *g = &p->gap;
	if (dropped && !g->packets)
		g->since_us = since_us;
	if (dropped) {
		g->packets += dropped;
		g->until_us = now_us;
		p->dropped += dropped;
	}
	if (g->packets && (!dropped || last || now_us - g->since_us > GAP_US_MAX))
		live_tell_gap(p->live, p->name, g, "the ring was full");
}

static void second_passed(struct live *l, uint64_t now_us, bool last)
{
	for (size_t i = 0; i < l->port_count; i++)
		port_count_drops(&l->ports[i], l->ticked_us, now_us, last);
	l->ticked_us = now_us;
	if (l->ledger)
		l->ledger->alive_us = now_us;
	if (!last)
		telescope_clock(l->telescope, now_us);
}

static void tick(struct live *l)
{
	uint64_t now_us = clock_utc_us();
	l->tick_due = false;
	live_answer_clock(l, now_us);
	for (size_t i = 0; i < l->port_count && l->links_fd >= 0; i++)
		if (l->ports[i].down != l->ports[i].told_down)
			live_tell_interface(&l->ports[i]);
	if (++l->ticks % TICKS_PER_SECOND == 0)
		second_passed(l, now_us, false);
}

/* What was caught until now; then everything that is known becomes records. */
static void finish(struct live *l)
{
	const uint64_t until_us = clock_mono_us() + 3 * RING_RETIRE_MS * 1000;
	for (size_t i = 0; i < l->port_count; i++)
		ring_deafen(l->ports[i].ring);
	while (clock_mono_us() < until_us)
		uv_run(l->loop, UV_RUN_ONCE); /* the tick ends its wait */
	for (size_t i = 0; i < l->port_count; i++)
		while (ring_acquire(l->ports[i].ring))
			block_read(l, &l->ports[i]);
	live_answer_finish(l);
	telescope_finish(l->telescope);
	second_passed(l, clock_utc_us(), true);
	while (bus_unacknowledged(l->bus) && clock_mono_us() < l->stop_by_us)
		uv_run(l->loop, UV_RUN_ONCE);
}

static void say_sums(const struct live *l)
{
	const struct packet_counts *c = telescope_counts(l->telescope);
	uint64_t dropped = 0;
	for (size_t i = 0; i < l->port_count; i++)
		dropped += l->ports[i].dropped;
	log_info("telescope: %llu frames, %llu of them to what is watched, %llu not IP, %llu malformed, "
		 "%llu elsewhere, %llu dropped; %llu records, %llu findings",
		 (unsigned long long)c->frames, (unsigned long long)c->taken, (unsigned long long)c->not_ip,
		 (unsigned long long)c->malformed, (unsigned long long)c->elsewhere, (unsigned long long)dropped,
		 (unsigned long long)l->records, (unsigned long long)l->findings);
	if (l->untold)
		log_error("telescope: %llu events are lost, the journal did not take them",
			  (unsigned long long)l->untold);
}

static int port_open(struct live *l, const char *name, int fd, struct fault *fault)
{
	if (l->port_count == LIVE_INTERFACES_MAX)
		return fault_set(fault, ERR_FULL, "telescope.interface: more than %d", LIVE_INTERFACES_MAX);
	char send_name[PROCESS_NAME_MAX];
	struct live_port *p = &l->ports[l->port_count];
	snprintf(send_name, sizeof send_name, "%s%.*s", LIVE_FD_SEND, IF_NAMESIZE, name);
	*p = (struct live_port){.live = l, .number = (unsigned)l->port_count, .fd = fd,
				.send_fd = process_fd(l->process, send_name)};
	snprintf(p->name, sizeof p->name, "%s", name);
	int bad = ring_open(&p->ring, fd, l->options->ring, fault);
	if (bad)
		return bad;
	p->index = ring_interface(p->ring);
	p->poll.data = p;
	uv_poll_init(l->loop, &p->poll, fd);
	l->port_count++;
	return 0;
}

static int ports_open(struct live *l, struct fault *fault)
{
	int bad = 0;
	for (size_t i = 0; i < l->process->fds_count && !bad; i++) {
		const struct process_fd *f = &l->process->fds[i];
		if (!strncmp(f->name, LIVE_FD_RING, strlen(LIVE_FD_RING)))
			bad = port_open(l, f->name + strlen(LIVE_FD_RING), f->fd, fault);
	}
	l->links_fd = process_fd(l->process, LIVE_FD_LINKS);
	if (bad || l->links_fd < 0)
		return bad;
	l->links.data = l;
	return uv_poll_init(l->loop, &l->links, l->links_fd) ? ERR_SYSTEM : 0;
}

/* How much of what a predecessor took is in no record, and since when. */
static int ledger_take_over(struct live *l, struct fault *fault)
{
	int fd = process_fd(l->process, LIVE_FD_LEDGER);
	int bad = fd < 0 ? 0 : ledger_open(&l->ledger, fd, fault);
	if (bad || !l->ledger)
		return bad;
	const struct ledger *old = l->ledger;
	uint64_t now_us = clock_utc_us(), interval_us = l->options->interval_ms * 1000;
	if (old->running) {
		uint64_t reach = old->alive_us > interval_us ? old->alive_us - interval_us : 0;
		l->before = (struct gap){reach > old->started_us ? reach : old->started_us, now_us,
					 old->taken > old->safe ? old->taken - old->safe : 0};
		for (size_t i = 0; i < l->port_count; i++) {
			struct live_port *p = &l->ports[i];
			if (!ring_acquire(p->ring) || ring_sequence(p->ring) != old->reading[p->number])
				continue;
			l->before.packets += ring_packets(p->ring);
			ring_release(p->ring);
		}
	}
	ledger_begin(l->ledger, now_us);
	return 0;
}

/* Scans are measured by how much of the dark IPv4 space they ask; a /48 would hide all of it. */
static double size_of_v4(const struct prefix *all, size_t count)
{
	double size = 0;
	for (size_t i = 0; i < count; i++)
		if (all[i].bits >= 96 && address_is_v4(&all[i].base))
			size += (double)(UINT64_C(1) << (128 - all[i].bits));
	return size;
}

static int engine_open(struct live *l, struct fault *fault)
{
	const struct live_options *o = l->options;
	const struct live_prefix *prefixes = o->prefixes.items;
	struct prefix *all = calloc(o->prefixes.count + 1, sizeof *all);
	for (size_t i = 0; all && i < o->prefixes.count; i++)
		all[i] = prefixes[i].prefix;
	int bad = all ? watched_open(&l->watched, all, o->prefixes.count) : ERR_MEMORY;
	if (bad)
		fault_set(fault, bad, "telescope: no memory for its prefixes");
	for (size_t i = 0; i < l->port_count && !bad; i++)
		bad = ring_watch(l->ports[i].ring, all, o->prefixes.count, o->promiscuous, fault);
	double v4 = all ? size_of_v4(all, o->prefixes.count) : 0;
	free(all);
	if (bad)
		return bad;
	const struct telescope_options options = {.timeout_us = o->timeout_ms * 1000,
						  .interval_us = o->interval_ms * 1000,
						  .memory = o->memory / l->process->workers,
						  .scan_destinations = (uint32_t)o->scan_destinations,
						  .scan_ports = (uint32_t)o->scan_ports,
						  .signatures = l->signatures,
						  .watched = v4 > 0 ? v4 : watched_size(l->watched)};
	const struct telescope_hooks hooks = {.arg = l, .record = live_record, .finding = live_finding};
	return telescope_open(&l->telescope, &options, &hooks, fault);
}

/* Capture sockets could send; these cannot. */
static int deny_sending(const struct live *l, struct fault *fault)
{
	int fds[LIVE_INTERFACES_MAX + 1];
	size_t count = 0;
	for (size_t i = 0; i < l->port_count; i++)
		fds[count++] = l->ports[i].fd;
	if (l->links_fd >= 0)
		fds[count++] = l->links_fd;
	return count && l->process->sandboxed ? sandbox_receive_only(fds, count, fault) : 0;
}

static int live_open(struct live *l, struct process *process, struct fault *fault)
{
	*l = (struct live){.process = process, .bus = process->bus, .loop = process->loop,
			   .options = live_options_of(process->config)};
	l->texts = calloc(1, sizeof *l->texts);
	if (!l->texts)
		return fault_set(fault, ERR_MEMORY, "telescope: no memory to start with");
	uv_timer_init(l->loop, &l->tick);
	l->tick.data = l;
	int bad = ports_open(l, fault);
	if (!bad)
		bad = ledger_take_over(l, fault);
	if (!bad)
		bad = live_signatures_open(l, fault);
	if (!bad)
		bad = engine_open(l, fault);
	if (!bad)
		bad = live_answer_open(l, fault);
	return bad ? bad : deny_sending(l, fault);
}

static void live_close(struct live *l)
{
	live_answer_close(l);
	telescope_close(l->telescope);
	watched_close(l->watched);
	signatures_close(l->signatures);
	for (size_t i = 0; i < l->port_count; i++) {
		uv_close((uv_handle_t *)&l->ports[i].poll, NULL);
		ring_close(l->ports[i].ring);
	}
	if (l->links_fd >= 0)
		uv_close((uv_handle_t *)&l->links, NULL);
	uv_close((uv_handle_t *)&l->tick, NULL);
	ledger_close(l->ledger);
	free(l->texts);
}

static void work(struct live *l)
{
	uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
	if (l->links_fd >= 0)
		uv_poll_start(&l->links, UV_READABLE, on_links);
	for (size_t i = 0; i < l->port_count; i++)
		port_watch(&l->ports[i]);
	l->ticked_us = clock_utc_us();
	if (l->port_count == 0)
		live_tell_blind(l);
	if (l->before.packets)
		live_tell_gap(l, "", &l->before, "a worker died before it had told of them");
	while (!l->stopping) {
		uv_run(l->loop, UV_RUN_ONCE);
		for (size_t i = 0; i < l->port_count; i++)
			if (l->ports[i].ready)
				port_read(l, &l->ports[i]);
		if (l->tick_due)
			tick(l);
	}
	finish(l);
}

static int live_run(struct process *process, struct fault *fault)
{
	struct live *l = calloc(1, sizeof *l);
	if (!l)
		return fault_set(fault, ERR_MEMORY, "telescope: no memory to start with");
	int bad = live_open(l, process, fault);
	const struct bus_hooks hooks = {.arg = l, .relief = on_relief, .acknowledged = on_acknowledged,
					.stop = on_stop};
	if (!bad)
		bad = process_enter(process, &hooks, fault);
	if (bad) {
		free(l);
		return bad;
	}
	work(l);
	say_sums(l);
	process_leave(process);
	uv_run(l->loop, UV_RUN_DEFAULT);
	live_close(l);
	uv_run(process->loop, UV_RUN_NOWAIT);
	free(l);
	return 0;
}

static unsigned live_workers(const struct config *c)
{
	const struct live_options *o = live_options_of(c);
	return o->interfaces.count ? (unsigned)o->workers : 0;
}

static const char *const talks_to[] = {"control", "journal", NULL};

static const struct role telescope = {
	.name = "telescope",
	.summary = "dark addresses: who sends there, and what",
	.rights = 0,
	.sends = KIND_MASK(EVENT_FLOW_COUNTED) | KIND_MASK(EVENT_SCAN_SEEN) | KIND_MASK(EVENT_BACKSCATTER_SEEN) |
		 KIND_MASK(EVENT_REFLECTION_SEEN) | KIND_MASK(EVENT_FLOOD_SEEN) | KIND_MASK(EVENT_SENSOR_CHANGED),
	.talks_to = talks_to,
	.stop_s = STOP_S,
	.workers = live_workers,
	.check = live_options_check,
	.prepare = live_prepare,
	.run = live_run,
};
ROLE(telescope);
