/*
 * A kansoku whose telescope is made up: a role of this program's own publishes flows, findings and
 * verdicts, spread over the last day, to the real journal and store.
 *
 *    flows_load STATE FLOWS ROLES [WEB_PORT]     until it is told to stop
 *
 * STATE/done holds a number when all of them were acknowledged: of flows; source 0 of SOURCES is
 * 198.18.0.0, and flow n belongs to source n % SOURCES.
 */
#include "base/clock.h"
#include "base/log.h"
#include "bus/parent.h"
#include "bus/process.h"
#include "store/store.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SOURCES 400
#define TURN 500
#define TURN_MS 5
#define DAY_US 86400000000u

struct load {
	struct process *process;
	uv_idle_t idle;
	uint64_t sent, want, now_us;
	struct event event;
	uint16_t verdict, destinations; /* fields of modules */
	int done_fd;
	bool told;
};

static uint32_t mix(uint64_t n)
{
	n = (n ^ n >> 31) * 0x9e3779b97f4a7c15u;
	return (uint32_t)((n ^ n >> 29) * 0xbf58476d1ce4e5b9u >> 32);
}

static void begin(struct load *l, enum event_kind kind, uint32_t source, uint64_t age_us)
{
	struct address src = address_v4(0xc6120000u + source);
	event_begin(&l->event, kind);
	l->event.time_us = l->now_us - age_us;
	event_set_address(&l->event, FIELD_SRC, &src);
}

static void flow_make(struct load *l, uint64_t n)
{
	static const char *const tools[] = {"mirai", "zmap", "masscan", "nmap", ""};
	static const uint16_t ports[] = {23, 22, 445, 8080, 3389, 2323, 5555, 80};
	uint32_t source = n % SOURCES, r = mix(n);
	const char *tool = tools[source % 5];
	bool answers = source % 19 == 7;
	/* More in the evening than in the morning. */
	uint64_t age_us = r % 5 ? (uint64_t)r * 20117 % DAY_US : (uint64_t)r * 20117 % (DAY_US / 6);
	begin(l, EVENT_FLOW_COUNTED, source, age_us);
	event_set_number(&l->event, answers ? FIELD_SPORT : FIELD_DPORT, ports[(source + r % 3) % 8]);
	event_set_text(&l->event, FIELD_PROTO, source % 23 == 5 ? "udp" : "tcp");
	event_set_number(&l->event, FIELD_FLOW_FIRST, l->event.time_us - r % 1800000000u);
	event_set_number(&l->event, FIELD_FLOW_PACKETS, 1 + r % (100000 / (source + 20)));
	event_set_number(&l->event, FIELD_FLOW_BYTES, 40 * (1 + r % (100000 / (source + 20))));
	event_set_number(&l->event, FIELD_FLOW_DESTINATIONS, 1 + r % 200);
	event_set_number(&l->event, FIELD_FLOW_FLAGS, answers ? 0x12 : 2);
	event_set_bool(&l->event, FIELD_FLOW_ANSWER, answers);
	event_set_number(&l->event, FIELD_FLOW_TTL_MIN, 40 + source % 20);
	event_set_number(&l->event, FIELD_FLOW_TTL_MAX, 40 + source % 20);
	event_set_number(&l->event, FIELD_FLOW_HOPS, 24 - source % 20);
	event_set_text(&l->event, FIELD_FLOW_CLASS, answers ? "backscatter" : source % 31 == 3 ? "misconfigured" : "scan");
	event_set_text(&l->event, FIELD_FLOW_END, "quiet");
	event_set_bytes(&l->event, FIELD_FLOW_PAYLOAD, BYTES("<script>alert(1)</script>"));
	if (*tool && !answers)
		event_set_text(&l->event, FIELD_TOOL, tool);
}

/* One finding or verdict for every source, after its first flow. */
static void finding_make(struct load *l, uint32_t source)
{
	bool answers = source % 19 == 7, survey = source % 5 == 1;
	begin(l, answers ? EVENT_BACKSCATTER_SEEN : EVENT_SOURCE_JUDGED, source, 60000000u * (source + 1));
	if (answers) {
		event_set_number(&l->event, FIELD_SPORT, 80);
		event_set_text(&l->event, FIELD_PROTO, "tcp");
		event_set_number(&l->event, FIELD_FLOW_PACKETS, 90000 / (source + 1));
		event_set_number(&l->event, l->destinations, 211);
		return;
	}
	event_set_text(&l->event, l->verdict, survey ? "survey" : source % 7 == 2 ? "unclear" : "attack");
	event_set_number(&l->event, FIELD_CONFIDENCE, 50 + source % 50);
	event_set_text(&l->event, FIELD_EVIDENCE, survey ? "listed as Example Survey; asked all that is watched"
							 : "its packets are those of a bot; ports of worms");
}

static void load_turn(uv_idle_t *idle)
{
	struct load *l = idle->data;
	struct bus *bus = l->process->bus;
	for (unsigned i = 0; i < TURN && l->sent < l->want && !bus_congested(bus); i++) {
		flow_make(l, l->sent);
		if (bus_publish(bus, &l->event))
			break;
		if (l->sent < SOURCES) {
			finding_make(l, (uint32_t)l->sent);
			bus_publish(bus, &l->event);
		}
		l->sent++;
	}
	if (!l->told && l->sent == l->want && bus_unacknowledged(bus) == 0) {
		uv_idle_stop(&l->idle);
		l->told = dprintf(l->done_fd, "%llu\n", (unsigned long long)l->sent) > 0;
	}
	uv_sleep(TURN_MS);
}

static int load_run(struct process *p, struct fault *fault)
{
	static struct load load;
	char path[4096];
	int verdict = field_learn(BYTES("intent.verdict"), FIELD_TEXT);
	int destinations = field_learn(BYTES("backscatter.destinations"), FIELD_NUMBER);
	if (verdict < 0 || destinations < 0)
		return fault_set(fault, ERR_BAD, "load: the fields are of another type");
	load.process = p;
	load.verdict = (uint16_t)verdict;
	load.destinations = (uint16_t)destinations;
	load.want = strtoull(getenv("FLOWS_LOAD"), NULL, 10);
	load.now_us = clock_utc_us();
	snprintf(path, sizeof path, "%s/done", process_state(p));
	load.done_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int bad = process_enter(p, &(const struct bus_hooks){0}, fault);
	if (bad)
		return bad;
	uv_idle_init(p->loop, &load.idle);
	load.idle.data = &load;
	uv_idle_start(&load.idle, load_turn);
	uv_run(p->loop, UV_RUN_DEFAULT);
	return 0;
}

static const char *const load_peers[] = {"journal", NULL};
static const struct role load_role = {
	.name = "load", .summary = "publishes flows for a check",
	.sends = KIND_MASK_ALL, .talks_to = load_peers, .run = load_run,
};
ROLE(load_role);

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "process"))
		return process_main(argv[2]);
	static struct config config;
	static char text[512];
	struct fault fault;
	if (argc < 4)
		return 2;
	setenv("FLOWS_LOAD", argv[2], 1);
	snprintf(text, sizeof text, "run: {state: %s}\nstore: {journal: {segment: 1M}, linger: 50ms}\nweb: {port: %s}\n",
		 argv[1], argc > 4 ? argv[4] : "8080");
	log_open("kansoku", LOG_LEVEL_WARNING);
	if (event_start(&fault) || config_read(bytes_of_text(text), "check", &config, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	const struct parent_options options = {"check", bytes_of_text(text), &config, argv[3]};
	int bad = parent_run(&options, &fault);
	if (bad)
		fprintf(stderr, "%s\n", fault.text);
	return bad ? 1 : 0;
}
