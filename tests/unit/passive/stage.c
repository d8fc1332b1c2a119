#include "tests/unit/passive/stage.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void journal_event(void *arg, const struct bus_delivery *d)
{
	struct journal *j = arg;
	static char text[4 * FRAME_MAX];
	struct writer w = writer_of(text, sizeof text);
	CHECK(frame_decode(d->frame, NULL, &j->event) == 0);
	event_write_json(&j->event, &w);
	CHECK(!w.bad && j->count < EVENTS_MAX);
	j->events[j->count] = json_loadb(text, writer_used(&w), JSON_ALLOW_NUL, NULL);
	CHECK(j->events[j->count++]);
	j->peer = d->peer;
	j->sequence = d->sequence;
	if (!j->deaf)
		bus_acknowledge(j->bus, d->peer, d->sequence);
}

static void journal_blob(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal *j = arg;
	if (j->refuse_pieces) {
		j->refuse_pieces--;
		bus_answer(request, ERR_FULL, (struct bytes){0}, false);
		return;
	}
	CHECK(payload.len >= 48 && payload.len <= 48 + CAPTURE_PIECE_MAX);
	CHECK(j->blobs_len + payload.len - 48 <= sizeof j->blobs);
	memcpy(j->blobs + j->blobs_len, payload.at + 48, payload.len - 48);
	j->blobs_len += payload.len - 48;
	j->pieces++;
	struct reader r = reader_of(payload.at + 32, 8);
	uint8_t there[8];
	struct writer w = writer_of(there, sizeof there);
	write_u64(&w, read_u64(&r) + payload.len - 48);
	bus_answer(request, 0, writer_bytes(&w), false);
}

/* Below the ports that the kernel gives to callers, whoever is busy on this machine. */
static uint16_t free_port(void)
{
	for (int i = 0; i < 1000; i++) {
		struct sockaddr_in6 at = {.sin6_family = AF_INET6};
		uint16_t port = (uint16_t)(10000 + random_secret() % 20000);
		at.sin6_port = htons(port);
		int tcp = socket(AF_INET6, SOCK_STREAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0);
		int bad = bind(tcp, (struct sockaddr *)&at, sizeof at) ||
		          bind(udp, (struct sockaddr *)&at, sizeof at);
		close(tcp);
		close(udp);
		if (!bad)
			return port;
	}
	CHECK(!"a port is free");
	return 0;
}

static void give(struct stage_set *set, const char *name, int fd)
{
	CHECK(fd >= 0);
	struct process_fd *slot = &set->fds[set->process.fds_count++];
	snprintf(slot->name, sizeof slot->name, "%s", name);
	slot->fd = fd;
}

static void open_journal(struct stage_set *set)
{
	static const struct bus_rights all = {.sends = KIND_MASK_ALL};
	struct journal *j = set->journal = calloc(1, sizeof *j);
	int fds[2];
	CHECK(j && bus_open(&set->process.bus, &set->loop, "passive", 0, "here") == 0);
	CHECK(bus_open(&j->bus, &set->loop, "journal", 0, "here") == 0);
	const struct bus_hooks hooks = {.arg = j, .event = journal_event};
	bus_set_hooks(j->bus, &hooks);
	bus_subscribe(j->bus, KIND_MASK_ALL);
	bus_on_request(j->bus, "blob.put", journal_blob, j);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK(bus_link(set->process.bus, fds[0], "journal", 0, &all) == 0);
	CHECK(bus_link(j->bus, fds[1], "passive", 0, &all) == 0);
	while (!bus_linked(set->process.bus) || !bus_linked(j->bus))
		uv_run(&set->loop, UV_RUN_ONCE);
}

/*
 * A shipped device under that name, with other services than its own: without any it offers whatever
 * is configured, as these tests want it.
 */
static int persona_with(const char *file, const char *name, const char *services)
{
	FILE *from = fopen(file, "r");
	int to = memfd_create(name, 0);
	char *line = NULL;
	size_t room = 0;
	bool skips = false;
	CHECK(from && to >= 0);
	CHECK(dprintf(to, "name: %s\n%s", name, services) > 0);
	while (getline(&line, &room, from) > 0) {
		if (!strchr(" #\n", line[0]))
			skips = !strncmp(line, "services:", 9) || !strncmp(line, "name:", 5);
		if (!skips)
			CHECK(dprintf(to, "%s", line) > 0);
	}
	free(line);
	fclose(from);
	return to;
}

struct stage_set *stage_set_open(const char *extra)
{
	struct stage_set *set = calloc(1, sizeof *set);
	struct fault fault = {0};
	char text[2048], name[PROCESS_NAME_MAX];
	CHECK(set && event_start(NULL) == 0 && uv_loop_init(&set->loop) == 0);
	set->port = free_port();
	snprintf(text, sizeof text, "passive:\n  services: {parrot: {ports: [%u]}}\n%s", set->port,
	         extra);
	CHECK_SAY(config_read(bytes_of_text(text), "test.yaml", &set->config, &fault) == 0, "%s",
	          fault.text);
	set->process = (struct process){
	        .config = &set->config, .loop = &set->loop, .fds = set->fds, .workers = 1};
	open_journal(set);
	struct settings s;
	CHECK_SAY(passive_settings_read(&set->config, &s, &fault) == 0, "%s", fault.text);
	CHECK(s.port_count == 2);
	for (size_t i = 0; i < s.port_count; i++) {
		socket_name(&s.ports[i], name);
		give(set, name, socket_open(&s.ports[i], 1, s.loopback_only, &fault));
	}
	passive_settings_done(&s);
	give(set, "persona:camera.yaml", persona_with("etc/personas/camera.yaml", "camera", ""));
	give(set, "persona:router.yaml", persona_with("etc/personas/router.yaml", "router", ""));
	if (strstr(extra, "closed")) /* else any address might play it */
		give(set, "persona:closed.yaml",
		     persona_with("etc/personas/camera.yaml", "closed", "services: {telnet: {}}\n"));
	set->room = calloc(1, sizeof *set->room);
	CHECK(set->room);
	CHECK_SAY(room_open(set->room, &set->process, &fault) == 0, "%s", fault.text);
	const struct bus_hooks hooks = room_hooks(set->room);
	bus_set_hooks(set->process.bus, &hooks);
	room_start(set->room);
	return set;
}

void on_left(void *arg)
{
	((struct stage_set *)arg)->left = true;
}

void turn(struct stage_set *set)
{
	uv_run(&set->loop, UV_RUN_NOWAIT);
	usleep(200);
}

void stage_set_close(struct stage_set *set)
{
	room_stop(set->room, on_left, set);
	UNTIL(set, set->left);
	CHECK(set->room->connection_count == 0 && set->room->limits.sessions == 0);
	CHECK(set->room->datagram_count == 0);
	CHECK(set->room->recordings_left == set->room->settings.options->recordings_bytes);
	room_close(set->room);
	for (int i = 0; i < 3; i++)
		turn(set);
	bus_free(set->process.bus);
	bus_free(set->journal->bus);
	for (int i = 0; i < 3; i++)
		turn(set);
	for (size_t i = 0; i < set->process.fds_count; i++)
		close(set->fds[i].fd);
	for (size_t i = 0; i < set->journal->count; i++)
		json_decref(set->journal->events[i]);
	CHECK(uv_loop_close(&set->loop) == 0);
	config_done(&set->config);
	free(set->journal);
	free(set->room);
	free(set);
}

int dial(const struct stage_set *set, uint32_t from, uint32_t to, int type)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
	at = (struct sockaddr_in){
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(to), .sin_port = htons(set->port)};
	CHECK(connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno == EINPROGRESS);
	return fd;
}

int caller(const struct stage_set *set)
{
	return dial(set, 0x7f000001, 0x7f000001, SOCK_STREAM);
}

void talk(struct stage_set *set, int fd, const char *say, const char *answer)
{
	char got[4096];
	size_t n = 0, want = strlen(answer);
	UNTIL(set, !*say || send(fd, say, strlen(say), MSG_NOSIGNAL) == (ssize_t)strlen(say));
	for (bool ended = false; !ended && (want == 0 || n < want);) {
		ssize_t k = 0;
		UNTIL(set, (k = recv(fd, got + n, sizeof got - n, 0)) >= 0 || errno == ECONNRESET);
		ended = k <= 0;
		n += k > 0 ? (size_t)k : 0;
	}
	CHECK_SAY(n == want && !memcmp(got, answer, n), "said \"%.*s\" for \"%s\"", (int)n, got,
	          answer);
}

const char *text_of(json_t *e, const char *field)
{
	const char *s = json_string_value(json_object_get(e, field));
	return s ? s : "";
}

json_t *event_of(const struct journal *j, const char *kind, size_t nth)
{
	for (size_t i = 0; i < j->count; i++)
		if (!strcmp(text_of(j->events[i], "kind"), kind) && nth-- == 0)
			return j->events[i];
	return NULL;
}

long long number_of(json_t *e, const char *field)
{
	return json_integer_value(json_object_get(e, field));
}
