#include "active/scan/scan_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define STEP_MS 50
#define BLOCKS_PER_STEP 64
#define SECOND_NS 1000000000u
#define LAG_NS 10000000u     /* what is made up for after we could not run */
#define WORTH_A_CALL_NS 1000000u /* packets that fall due within this time leave together */
#define NETWORK_BITS_V4 120
#define NETWORK_BITS_V6 48

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t paced_due_ns(const struct scan *s, uint64_t packets)
{
	return s->paced_from_ns + (uint64_t)((unsigned __int128)packets * SECOND_NS / s->options.rate);
}

/* How many packets may leave now. */
static uint64_t paced_now(struct scan *s, uint64_t at_ns)
{
	const uint64_t rate = s->options.rate;
	if (rate == 0)
		return SEND_BATCH;
	const uint64_t interval = SECOND_NS / rate, lag = interval > LAG_NS ? interval : LAG_NS;
	const uint64_t due = paced_due_ns(s, s->paced);
	if (s->paced_from_ns == 0 || at_ns > due + lag) {
		s->paced_from_ns = at_ns;
		s->paced = 0;
	} else if (at_ns < due) {
		return 0;
	}
	const uint64_t all = (uint64_t)((unsigned __int128)(at_ns - s->paced_from_ns) * rate / SECOND_NS) + 1;
	return all > s->paced ? all - s->paced : 0;
}

static uint64_t network_key(const struct address *a)
{
	const struct prefix p = prefix_of(a, address_is_v4(a) ? NETWORK_BITS_V4 : NETWORK_BITS_V6);
	return address_hash(&p.base, 0);
}

static void batch_count(struct scan *s, size_t at, uint64_t now_us)
{
	if (s->network)
		limit_take(s->network, s->batch_networks[at], now_us);
	if (s->target)
		limit_take(s->target, s->batch_targets[at], now_us);
}

/* True: it may leave, and both limits count it.  Else it waits, or there is no room for it to. */
static bool within_limits(struct scan *s, struct waiting_probe *probe, const struct address *a, uint64_t now_us)
{
	if (!s->network && !s->target)
		return true;
	const uint64_t network = s->network ? network_key(a) : 0, target = s->target ? address_hash(a, 0) : 0;
	const uint64_t n = s->network ? limit_ask(s->network, network, now_us, probe->network_kept) : 0;
	const uint64_t t = s->target ? limit_ask(s->target, target, now_us, probe->target_kept) : 0;
	if (!n && !t) {
		s->batch_networks[s->batched] = network;
		s->batch_targets[s->batched++] = target;
		batch_count(s, s->batched - 1, now_us);
		return true;
	}
	probe->network_kept |= n != 0;
	probe->target_kept |= t != 0;
	probe->due_us = n > t ? n : t;
	s->counts.deferred++;
	waiting_put(&s->waiting, probe); /* there is room: it came from there, or was asked for first */
	return false;
}

/* The next probe that has its turn; false: none has, now. */
static bool probe_next(struct scan *s, uint64_t now_us, struct waiting_probe *out)
{
	if (s->waiting.count && s->waiting.items[0].due_us <= now_us) {
		*out = waiting_take(&s->waiting);
		return true;
	}
	if (s->phase != SCAN_SENDING || s->position == s->pass_end || s->waiting.count == WAITING_MAX)
		return false;
	*out = (struct waiting_probe){.place = s->position++};
	return true;
}

static bool probe_send(struct scan *s, struct waiting_probe *probe, uint8_t *frame, uint64_t now_us)
{
	const uint64_t index = plan_index(&s->plan, probe->place);
	const uint64_t ports = s->plan.ports;
	const size_t port = ports == 1 ? 0 : (size_t)(index % ports);
	const struct address a = scan_targets_at(s->plan.targets, ports == 1 ? index : index / ports);
	if (probe->place >= s->plan.in_pass && seen_has(s->seen, index)) {
		s->counts.skipped++;
		return false;
	}
	if (s->refused && s->refused->count && prefix_set_holds(s->refused, &a)) {
		s->counts.refused++;
		return false;
	}
	if (!within_limits(s, probe, &a, now_us))
		return false;
	const uint16_t number = s->options.port_count ? s->ports[port] : 0;
	const uint64_t cookie = cookie_make(&s->validation.key, s->options.protocol, &a, number);
	const struct template *t = &s->templates[address_is_v4(&a)][s->template_of[port]];
	sender_put(s->sender, template_write(t, frame, &a, number, cookie, s->validation.ports), &a);
	return true;
}

/* Sends what may leave now, a batch at most; how many positions it went on. */
static size_t send_some(struct scan *s, uint64_t at_ns)
{
	uint64_t may = paced_now(s, at_ns);
	const uint64_t left = s->options.packets_max ? s->options.packets_max - s->counts.sent : UINT64_MAX;
	may = may < SEND_BATCH ? may : SEND_BATCH;
	may = may < left ? may : left;
	size_t looked = 0, sent = 0;
	/* What is skipped costs no packet, but must not hold us either. */
	for (; sent < may && looked < 4 * SEND_BATCH; looked++) {
		struct waiting_probe probe;
		uint8_t *frame = sender_room(s->sender);
		if (!frame || !probe_next(s, at_ns / 1000, &probe))
			break;
		sent += probe_send(s, &probe, frame, at_ns / 1000);
	}
	if (!sent)
		return looked;
	const size_t failed = sender_flush(s->sender);
	/* They left before now and not before we looked: the gap begins here, however long we were held up. */
	const uint64_t left_us = s->batched ? now_ns() / 1000 : 0;
	while (s->batched > 0)
		batch_count(s, --s->batched, left_us);
	s->counts.sent += sent - failed;
	s->counts.failed += failed;
	s->paced += sent;
	return looked;
}

static void take_packet(void *arg, struct bytes packet, uint64_t time_us)
{
	struct scan *s = arg;
	struct reply reply;
	struct scan_hit hit;
	uint64_t number;
	s->counts.received++;
	if (!reply_read(packet, &reply)) {
		s->counts.malformed++;
		return;
	}
	const enum verdict verdict = reply_judge(&reply, &s->validation, &hit);
	const uint16_t port = verdict == REPLY_OURS ? s->port_index[hit.port] : NO_PORT;
	if (port == NO_PORT || !scan_targets_find(s->plan.targets, &hit.target, &number)) {
		s->counts.forged += verdict != REPLY_OTHER;
		return;
	}
	hit.repeat = seen_add(s->seen, number * s->plan.ports + port);
	hit.cooldown = s->phase == SCAN_COOLDOWN;
	hit.time_us = time_us;
	s->counts.repeats += hit.repeat;
	s->counts.hits += hit.success && !hit.repeat;
	s->counts.answers[hit.answer]++;
	if (s->options.hit)
		s->options.hit(s->options.arg, &hit);
}

static bool receive_some(struct scan *s)
{
	bool any = false;
	for (int i = 0; i < BLOCKS_PER_STEP && receiver_take(s->receiver, take_packet, s); i++)
		any = true;
	return any;
}

static void cool_down(struct scan *s, uint64_t now_us)
{
	s->phase = SCAN_COOLDOWN;
	s->phase_until_us = now_us + s->options.cooldown_us;
}

static void phase_next(struct scan *s, uint64_t now_us)
{
	const bool spent = s->options.packets_max && s->counts.sent >= s->options.packets_max;
	const bool pass_over = s->position == s->pass_end && s->waiting.count == 0;
	if (s->phase == SCAN_SENDING && (spent || (pass_over && s->position == s->plan.positions))) {
		cool_down(s, now_us);
	} else if (s->phase == SCAN_SENDING && pass_over) {
		s->phase = SCAN_BETWEEN;
		s->phase_until_us = now_us + s->options.pass_delay_us;
	} else if (s->phase == SCAN_BETWEEN && now_us >= s->phase_until_us) {
		s->phase = SCAN_SENDING;
		s->pass_end += s->plan.in_pass;
	} else if (s->phase == SCAN_COOLDOWN && now_us >= s->phase_until_us && !receive_some(s)) {
		s->phase = SCAN_OVER;
	}
}

/* Until something can be done: an answer, a packet's turn, a phase's end. */
static void wait_for_work(struct scan *s, uint64_t at_ns)
{
	uint64_t until = at_ns + (uint64_t)STEP_MS * 1000000;
	if (s->phase == SCAN_SENDING && s->options.rate && (s->position < s->pass_end || s->waiting.count)) {
		const uint64_t worth = s->options.rate / (SECOND_NS / WORTH_A_CALL_NS);
		const uint64_t batch = worth < SEND_BATCH ? worth : SEND_BATCH;
		const uint64_t due = paced_due_ns(s, s->paced + (batch > 1 ? batch - 1 : 0));
		if (s->waiting.count < WAITING_MAX && s->position < s->pass_end && due < until)
			until = due;
		else if (s->waiting.count && due > s->waiting.items[0].due_us * 1000 && due < until)
			until = due;
	}
	if (s->waiting.count && s->waiting.items[0].due_us * 1000 < until && s->waiting.items[0].due_us * 1000 > at_ns)
		until = s->waiting.items[0].due_us * 1000;
	if ((s->phase == SCAN_BETWEEN || s->phase == SCAN_COOLDOWN) && s->phase_until_us * 1000 < until)
		until = s->phase_until_us * 1000;
	if (until <= at_ns)
		return;
	const struct timespec wait = {.tv_sec = (time_t)((until - at_ns) / SECOND_NS),
				      .tv_nsec = (long)((until - at_ns) % SECOND_NS)};
	ppoll(&(struct pollfd){.fd = receiver_descriptor(s->receiver), .events = POLLIN}, 1, &wait, NULL);
}

int scan_step(struct scan *s, struct fault *fault)
{
	if (!s->began_us) {
		s->began_us = clock_mono_us();
		s->pass_end = s->plan.in_pass ? (s->position / s->plan.in_pass + 1) * s->plan.in_pass : 0;
		s->pass_end = s->pass_end < s->plan.positions ? s->pass_end : s->plan.positions;
	}
	const uint64_t end_ns = now_ns() + (uint64_t)STEP_MS * 1000000;
	for (uint64_t at_ns = 0; s->phase != SCAN_OVER && at_ns < end_ns;) {
		const bool received = receive_some(s);
		at_ns = now_ns();
		const size_t looked = s->phase == SCAN_SENDING ? send_some(s, at_ns) : 0;
		if (s->sender->error)
			return fault_set(fault, ERR_SYSTEM, "nothing can be sent any more: %s", strerror(s->sender->error));
		phase_next(s, at_ns / 1000);
		if (!received && !looked && s->phase != SCAN_OVER)
			wait_for_work(s, at_ns);
	}
	return (int)s->phase;
}

void scan_stop(struct scan *s)
{
	if (s->phase == SCAN_SENDING || s->phase == SCAN_BETWEEN)
		cool_down(s, clock_mono_us());
}

void scan_refuse(struct scan *s, const struct prefix_set *refused) { s->refused = refused; }

/* Where to go on: at the first that has not been sent, also when it waits for its turn. */
static uint64_t position_of(const struct scan *s)
{
	uint64_t first = s->position;
	for (size_t i = 0; i < s->waiting.count; i++)
		if (s->waiting.items[i].place < first)
			first = s->waiting.items[i].place;
	return first;
}

const struct scan_counts *scan_counts(struct scan *s)
{
	s->counts.dropped += receiver_dropped(s->receiver);
	s->counts.position = position_of(s);
	s->counts.taken = s->position;
	return &s->counts;
}

uint64_t scan_time_left_us(const struct scan *s)
{
	const uint64_t now_us = clock_mono_us();
	if (s->phase == SCAN_OVER)
		return 0;
	if (s->phase == SCAN_COOLDOWN)
		return s->phase_until_us > now_us ? s->phase_until_us - now_us : 0;
	const uint64_t done = s->position - s->began_at, took = now_us - s->began_us;
	if (!done || !s->began_us)
		return 0;
	uint64_t left = (uint64_t)((unsigned __int128)(s->plan.positions - s->position) * took / done);
	const uint64_t budget = s->options.packets_max, sent = s->counts.sent;
	if (budget && sent && budget > sent) {
		const uint64_t until_spent = (uint64_t)((unsigned __int128)(budget - sent) * took / sent);
		left = until_spent < left ? until_spent : left;
	}
	return left + s->options.cooldown_us;
}
