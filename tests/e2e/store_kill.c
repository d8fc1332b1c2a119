/*
 * Kills journal and store at random while events come in, and counts.
 *
 *    store_kill [KILLS] [EVENTS] [--sandbox no]
 *
 * A role of this program's own publishes EVENTS events while the killing goes on; the
 * parent is the real one.  Every event must be in the store, once.  The last line says what
 * was counted; the exit status is 0 when the counts are equal.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "bus/client.h"
#include "bus/parent.h"
#include "bus/process.h"
#include "store/store.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_MS 10
#define KILL_MS 500 /* on average */
#define SETTLE_S 120

struct load {
	struct process *process;
	uv_idle_t idle;
	uint64_t sent, want, turn; /* turn: how many at once */
	struct event event;
	int done_fd;
};

static void load_done_check(struct load *load)
{
	if (load->sent < load->want || bus_unacknowledged(load->process->bus))
		return;
	uv_idle_stop(&load->idle);
	if (dprintf(load->done_fd, "%llu\n", (unsigned long long)load->sent) < 0)
		log_error("cannot say that all was acknowledged");
}

static void load_turn(uv_idle_t *idle)
{
	struct load *load = idle->data;
	struct bus *bus = load->process->bus;
	for (uint64_t i = 0; i < load->turn && load->sent < load->want && !bus_congested(bus); i++) {
		struct address src = address_v4(0xc0000200u + (uint32_t)(load->sent % 250));
		event_begin(&load->event, EVENT_LOGIN_TRIED);
		event_set_address(&load->event, FIELD_SRC, &src);
		event_set_number(&load->event, FIELD_COUNT, load->sent);
		event_set_text(&load->event, FIELD_SERVICE, "telnet");
		event_set_bytes(&load->event, FIELD_LOGIN_USER, BYTES("root"));
		event_set_bytes(&load->event, FIELD_LOGIN_SECRET, BYTES("\n\n'; DROP TABLE events; --\n"));
		if (bus_publish(bus, &load->event))
			break;
		load->sent++;
	}
	load_done_check(load);
	uv_sleep(TURN_MS);
}

static int load_run(struct process *p, struct fault *fault)
{
	static struct load load;
	char path[4096];
	load.process = p;
	load.want = strtoull(getenv("STORE_KILL_EVENTS"), NULL, 10);
	load.turn = load.want * TURN_MS / KILL_MS / strtoull(getenv("STORE_KILL_KILLS"), NULL, 10) + 1;
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
	.name = "load", .summary = "publishes events for a check",
	.sends = KIND_MASK_ALL, .talks_to = load_peers, .run = load_run,
};
ROLE(load_role);

static pid_t parent_start(const char *state, const char *sandbox, const char *roles)
{
	static struct config config;
	static char text[512];
	pid_t pid = fork();
	if (pid)
		return pid;
	struct fault fault;
	snprintf(text, sizeof text, "run: {state: %s, sandbox: %s}\nstore: {journal: {segment: 1M}, linger: 50ms}\n",
		 state, sandbox);
	log_open("kansoku", LOG_LEVEL_WARNING);
	if (event_start(&fault) || config_read(bytes_of_text(text), "check", &config, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		_exit(1);
	}
	const struct parent_options options = {"check", bytes_of_text(text), &config, roles};
	int bad = parent_run(&options, &fault);
	if (bad)
		fprintf(stderr, "%s\n", fault.text);
	_exit(bad ? 1 : 0);
}

/* The child of our parent that runs the role, or 0. */
static pid_t find_role(pid_t parent, const char *role)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
	FILE *children = fopen(path, "r");
	int pid;
	pid_t found = 0;
	while (children && !found && fscanf(children, "%d", &pid) == 1) {
		snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
		if (fd >= 0)
			close(fd);
		/* "kansoku\0process\0ROLE\0" */
		struct bytes words = {(const uint8_t *)line, n > 0 ? (size_t)n : 0};
		size_t at = bytes_find(words, role);
		if (at < words.len && at > 0)
			found = pid;
	}
	if (children)
		fclose(children);
	return found;
}

static bool collect(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len) == 0; }

/* count, distinct ids, distinct numbers, private values: as one line; empty when nobody answers. */
static void ask_counts(const char *state, char out[128])
{
	static const char sql[] =
		"SELECT count(), uniqExact(id), uniqExact(value[indexOf(field, 'count')]), "
		"(SELECT count() FROM private), (SELECT uniqExact(id) FROM private) FROM events "
		"WHERE kind = 'login.tried'";
	uint8_t question[1024];
	struct fault fault;
	struct writer w = writer_of(question, sizeof question);
	struct buffer answer = BUFFER(4096);
	question_write(&w, bytes_of_text(sql), ANSWER_TSV, true);
	out[0] = '\0';
	if (client_request(state, "store", TOPIC_QUERY, writer_bytes(&w), collect, &answer, 20000, &fault) == 0) {
		struct reader r = reader_of_bytes(buffer_bytes(&answer));
		struct bytes line;
		if (read_line(&r, &line))
			bytes_copy_text(line, out, 128);
	}
	buffer_done(&answer);
}

static bool all_acknowledged(const char *state)
{
	char path[256];
	struct stat st;
	snprintf(path, sizeof path, "%s/done", state);
	return stat(path, &st) == 0 && st.st_size > 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "process"))
		return process_main(argv[2]);
	unsigned kills = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20, killed = 0;
	const char *events = argc > 2 ? argv[2] : "200000";
	const char *sandbox = argc > 4 ? argv[4] : "yes";
	char state[64] = "/tmp/kansoku-kill-XXXXXX", got[128] = "", expect[128];
	setenv("STORE_KILL_EVENTS", events, 1);
	setenv("STORE_KILL_KILLS", argc > 1 ? argv[1] : "20", 1);
	if (!mkdtemp(state))
		return 1;
	pid_t parent = parent_start(state, sandbox, "journal,store,load");
	for (int wait_s = 0; wait_s < 30 && !find_role(parent, "store"); wait_s++)
		sleep(1);
	struct random random = random_seeded(random_secret());
	while (killed < kills) {
		usleep((useconds_t)random_below(&random, 2000 * KILL_MS));
		pid_t victim = find_role(parent, random_below(&random, 2) ? "store" : "journal");
		if (victim && kill(victim, SIGKILL) == 0)
			killed++;
	}
	/* An orderly end with most of it still in the journal, and a new start, may lose nothing either. */
	while (!all_acknowledged(state))
		usleep(10000);
	kill(parent, SIGTERM);
	waitpid(parent, NULL, 0);
	parent = parent_start(state, sandbox, "journal,store");
	snprintf(expect, sizeof expect, "%s\t%s\t%s\t%s\t%s", events, events, events, events, events);
	uint64_t deadline = clock_mono_us() + SETTLE_S * 1000000u;
	while (clock_mono_us() < deadline && strcmp(got, expect)) {
		ask_counts(state, got);
		sleep(1);
	}
	kill(parent, SIGTERM);
	waitpid(parent, NULL, 0);
	bool equal = !strcmp(got, expect);
	printf("{\"kills\":%u,\"events\":%s,\"all_acknowledged\":%s,\"counts\":\"%s\",\"equal\":%s}\n", killed,
	       events, all_acknowledged(state) ? "true" : "false", got, equal ? "true" : "false");
	fflush(stdout);
	if (equal) {
		execl("/bin/rm", "rm", "-rf", state, (char *)NULL);
		return 1;
	}
	fprintf(stderr, "left for a look: %s\n", state);
	return 1;
}
