#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/trial/attack.h"
#include "bench/trial/talk.h"

enum { EVENTS_MAX = 512, CONNECTS_AT_ONCE = 64, WAIT_MS = 10 };

/* What failed where, and what the decoy had said last the first time. */
struct tally {
	uint32_t faults[FAULT_COUNT];
	uint32_t heard_size;
	char heard[160];
};

struct caller {
	struct talk talk;
	struct source *source;
	int fd;
	bool connected;
	uint64_t heard_ms;
	struct caller *before, *after; /* the longest quiet one first */
};

struct attack {
	struct population *population;
	const struct attack_wish *wish;
	struct attack_result *result;
	struct dictionary dictionary;
	struct chance chance;
	struct tally *tallies; /* bot by step */
	uint32_t *visits;      /* indices of sources, in the order of their coming */
	size_t visit_count, visit_next;
	struct caller *callers, *spare, quiet;
	uint32_t live, live_max;
	int epoll;
	uint64_t begun_ms, now_ms;
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void visits_shuffle(struct attack *a, size_t from, size_t to)
{
	for (size_t i = to; i > from + 1; i--) {
		size_t j = from + chance_below(&a->chance, (uint32_t)(i - from));
		uint32_t swap = a->visits[i - 1];

		a->visits[i - 1] = a->visits[j];
		a->visits[j] = swap;
	}
}

enum part { PART_EARLY, PART_MIDDLE, PART_LATE, PART_COUNT };

/* Whose address is given away half-way comes in the first quarter, who gets one in the last, the
 * others at any time. */
static enum part visit_part(struct attack *a, const struct source *s)
{
	uint32_t quarter = chance_below(&a->chance, 4);

	if (s->twist == TWIST_MOVES_AWAY)
		return PART_EARLY;
	if (s->twist == TWIST_MOVES_IN)
		return PART_LATE;
	return quarter == 0 ? PART_EARLY : quarter == 3 ? PART_LATE : PART_MIDDLE;
}

static void visits_plan(struct attack *a)
{
	const struct population *p = a->population;
	uint32_t *parts[PART_COUNT];
	size_t counts[PART_COUNT] = {0};
	size_t total = 0;

	for (size_t i = 0; i < p->count; i++)
		total += p->at[i].visits;
	a->visits = text_room(total, sizeof(*a->visits));
	for (int part = 0; part < PART_COUNT; part++)
		parts[part] = text_room(total, sizeof(*parts[part]));
	for (size_t i = 0; i < p->count; i++)
		for (int v = 0; v < p->at[i].visits; v++) {
			enum part part = visit_part(a, &p->at[i]);

			parts[part][counts[part]++] = (uint32_t)i;
		}
	for (int part = 0; part < PART_COUNT; part++) {
		size_t from = a->visit_count;

		memcpy(a->visits + from, parts[part], counts[part] * sizeof(*a->visits));
		a->visit_count += counts[part];
		visits_shuffle(a, from, a->visit_count);
		free(parts[part]);
	}
	/* Half-way means something only while less than a quarter is under way. */
	a->live_max = a->wish->live_max;
	if (p->wish.unkind && a->live_max > total / 4)
		a->live_max = (uint32_t)(total / 4);
}

static void quiet_remove(struct caller *c)
{
	c->before->after = c->after;
	c->after->before = c->before;
}

static void quiet_append(struct attack *a, struct caller *c)
{
	c->heard_ms = a->now_ms;
	c->before = a->quiet.before;
	c->after = &a->quiet;
	c->before->after = c;
	a->quiet.before = c;
}

static void tally_add(struct attack *a, const struct caller *c)
{
	const struct talk *t = &c->talk;
	size_t bot = (size_t)(t->bot - a->population->bots.at);
	struct tally *tally = &a->tallies[bot * (STEPS_MAX + 1) + t->step];

	if (!tally->heard_size && t->heard_size) {
		size_t size =
		        t->heard_size < sizeof(tally->heard) ? t->heard_size : sizeof(tally->heard);

		memcpy(tally->heard, t->heard + t->heard_size - size, size);
		tally->heard_size = (uint32_t)size;
	}
	tally->faults[t->fault]++;
}

static void caller_end(struct attack *a, struct caller *c, bool done)
{
	if (done && c->source->done < UINT8_MAX)
		c->source->done++;
	if (c->talk.logged_in && c->source->logged_in < UINT8_MAX)
		c->source->logged_in++;
	a->result->rounds += c->talk.rounds;
	a->result->done += done;
	a->result->failed += !done;
	if (a->result->done + a->result->failed == a->visit_count / 2)
		*a->population->half_way = 1;
	if (!done)
		tally_add(a, c);
	close(c->fd);
	quiet_remove(c);
	c->after = a->spare;
	a->spare = c;
	a->live--;
}

static void caller_fail(struct attack *a, struct caller *c, enum talk_fault fault)
{
	c->talk.fault = fault;
	caller_end(a, c, false);
}

/* False when the caller is gone. */
static bool caller_take(struct attack *a, struct caller *c, enum talk_end end)
{
	struct talk *t = &c->talk;

	if (t->said_size) {
		ssize_t n = send(c->fd, t->said, t->said_size, MSG_NOSIGNAL);

		if (n != (ssize_t)t->said_size && end != TALK_DONE) {
			caller_fail(a, c, FAULT_CLOSED);
			return false;
		}
		t->said_size = 0;
	}
	if (end == TALK_GOES_ON)
		return true;
	caller_end(a, c, end == TALK_DONE);
	return false;
}

static void caller_read(struct attack *a, struct caller *c)
{
	uint8_t bytes[16384];

	for (;;) {
		ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			caller_take(a, c, talk_closed(&c->talk));
			return;
		}
		if (!caller_take(a, c, talk_hear(&c->talk, bytes, (size_t)n)))
			return;
		if ((size_t)n < sizeof(bytes))
			break;
	}
	quiet_remove(c);
	quiet_append(a, c);
}

static void event_take(struct attack *a, const struct epoll_event *event)
{
	struct caller *c = event->data.ptr;

	if (!c->connected) {
		if (event->events & (EPOLLERR | EPOLLHUP)) {
			caller_fail(a, c, FAULT_CONNECT);
			return;
		}
		c->connected = true;
		a->result->connected++;
		if (!caller_take(a, c, talk_hear(&c->talk, NULL, 0)))
			return;
	}
	if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))
		caller_read(a, c);
}

static void socket_fail(const char *what)
{
	fprintf(stderr, "world: %s: %m\n", what);
	exit(1);
}

static int caller_connect(struct attack *a, struct caller *c)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(c->source->address)};
	uint32_t decoy = a->wish->decoy_first + chance_below(&a->chance, a->wish->decoy_count);
	struct sockaddr_in peer = {.sin_family = AF_INET,
	                           .sin_port = htons(a->wish->decoy_port),
	                           .sin_addr.s_addr = htonl(decoy)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		socket_fail("socket");
	/* Without this bind() reserves a port for the wildcard of all sources, and they run out. */
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		socket_fail("bind to a source's address");
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 && errno != EINPROGRESS)
		socket_fail("connect to a decoy");
	return fd;
}

static void visit_begin(struct attack *a)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct source *source = &a->population->at[a->visits[a->visit_next++]];
	struct caller *c = a->spare;

	a->spare = c->after;
	a->live++;
	a->result->visits++;
	c->source = source;
	c->connected = false;
	talk_begin(&c->talk, &a->population->bots.at[source->bot], source->address, &a->dictionary,
	           &a->chance);
	c->fd = caller_connect(a, c);
	event.data.ptr = c;
	quiet_append(a, c);
	if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
		socket_fail("epoll");
}

static void visits_begin(struct attack *a)
{
	uint64_t allowed = UINT64_MAX;

	if (a->wish->rate_max)
		allowed = 1 + (a->now_ms - a->begun_ms) * a->wish->rate_max / 1000;
	for (int i = 0; i < CONNECTS_AT_ONCE && a->live < a->live_max &&
	                a->visit_next < a->visit_count && a->visit_next < allowed;
	     i++)
		visit_begin(a);
}

static void quiet_end(struct attack *a)
{
	while (a->quiet.after != &a->quiet &&
	       a->now_ms - a->quiet.after->heard_ms > a->wish->quiet_ms) {
		struct caller *c = a->quiet.after;

		caller_fail(a, c, c->connected ? FAULT_QUIET : FAULT_CONNECT);
	}
}

static void print_heard(const struct tally *tally)
{
	fputs("    last heard: \"", stderr);
	for (uint32_t i = 0; i < tally->heard_size; i++) {
		unsigned char byte = (unsigned char)tally->heard[i];

		fprintf(stderr, byte < ' ' || byte > '~' ? "\\x%02x" : "%c", byte);
	}
	fputs("\"\n", stderr);
}

/* What the decoys failed at, for whoever has to mend them. */
static void tallies_print(const struct attack *a)
{
	static const char *const names[FAULT_COUNT] = {"",
	                                               "not connected",
	                                               "closed by the decoy",
	                                               "nothing that fits came",
	                                               "said what it must not",
	                                               "right password refused"};
	const struct bots *bots = &a->population->bots;

	for (size_t i = 0; i < bots->count * (STEPS_MAX + 1); i++) {
		const struct bot *bot = &bots->at[i / (STEPS_MAX + 1)];
		const struct step *step = &bot->steps[i % (STEPS_MAX + 1)];
		size_t total = 0;

		for (int f = 0; f < FAULT_COUNT; f++) {
			total += a->tallies[i].faults[f];
			if (a->tallies[i].faults[f])
				fprintf(stderr, "world: %s.bot:%u: %u times: %s\n", bot->name,
				        step->line, a->tallies[i].faults[f], names[f]);
		}
		if (total)
			print_heard(&a->tallies[i]);
	}
}

static void attack_open(struct attack *a)
{
	a->chance.state = a->population->wish.seed ^ 0xa77ac4;
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->callers = text_room(a->wish->live_max, sizeof(*a->callers));
	a->tallies = text_room(BOTS_MAX * (STEPS_MAX + 1), sizeof(*a->tallies));
	a->quiet.before = a->quiet.after = &a->quiet;
	for (uint32_t i = 0; i < a->wish->live_max; i++) {
		a->callers[i].after = a->spare;
		a->spare = &a->callers[i];
	}
	dictionary_read(&a->dictionary, a->wish->credentials, a->wish->accepted);
	visits_plan(a);
	a->begun_ms = a->now_ms = clock_ms();
}

void attack_run(struct population *population, const struct attack_wish *wish,
                struct attack_result *result)
{
	struct attack a = {.population = population, .wish = wish, .result = result};
	struct epoll_event events[EVENTS_MAX];

	attack_open(&a);
	while (a.visit_next < a.visit_count || a.live) {
		int n;

		visits_begin(&a);
		n = epoll_wait(a.epoll, events, EVENTS_MAX, WAIT_MS);
		a.now_ms = clock_ms();
		for (int i = 0; i < n; i++)
			event_take(&a, &events[i]);
		quiet_end(&a);
	}
	*population->half_way = 1;
	result->wall_s = (double)(clock_ms() - a.begun_ms) / 1000;
	tallies_print(&a);
}
