#include "share/networks/networks_inner.h"
#include "base/log.h"
#include "bus/process.h"
#include "share/share.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (256u << 10)

struct networks {
	int folder;
	struct network_map *map;
	uv_loop_t *loop;
	uv_work_t work;
	bool working, again;
	int status;
	struct fault fault;
};

static void open_map(struct networks *n)
{
	struct fault fault = {0};
	struct network_map *map = NULL;
	int bad = network_map_open(&map, n->folder, NETWORK_MAP_FILE, &fault);
	if (bad && bad != ERR_MISSING)
		log_error("exchange: %s", fault.text);
	if (bad)
		return;
	network_map_close(n->map);
	n->map = map;
}

static void compile(uv_work_t *work)
{
	struct networks *n = work->data;
	n->status = networks_compile(n->folder, &n->fault);
}

static void compiled(uv_work_t *work, int cancelled)
{
	struct networks *n = work->data;
	n->working = false;
	if (n->status && !cancelled)
		log_error("exchange: the map of networks stays as it was: %s", n->fault.text);
	else if (!cancelled)
		open_map(n);
	if (n->again && !cancelled)
		networks_changed(n);
}

void networks_changed(struct networks *n)
{
	n->again = n->working;
	if (n->working)
		return;
	n->work.data = n;
	n->fault = (struct fault){0};
	n->working = uv_queue_work(n->loop, &n->work, compile, compiled) == 0;
}

static void write_place(struct writer *w, const struct network_map *map, struct bytes text)
{
	struct address a;
	struct network_place place = {.as_name = "", .name = "", .labels = ""};
	write_text(w, "{\"address\":");
	write_json_string(w, text);
	if (address_parse(text, &a) && map)
		network_map_find(map, &a, &place);
	if (place.as)
		write_fmt(w, ",\"as\":%u", place.as);
	const char *const words[][2] = {{"as_name", place.as_name}, {"country", place.country}, {"name", place.name},
					{"labels", place.labels}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (*words[i][1]) {
			write_fmt(w, ",\"%s\":", words[i][0]);
			write_json_string(w, bytes_of_text(words[i][1]));
		}
	write_text(w, "}");
}

/* Addresses a line; answered with an array in their order. */
static void on_lookup(void *arg, struct bus_request *request, struct bytes payload)
{
	struct networks *n = arg;
	uint8_t *room = malloc(ANSWER_BYTES_MAX);
	struct writer w = writer_of(room, room ? ANSWER_BYTES_MAX : 0);
	struct reader r = reader_of_bytes(payload);
	struct bytes line;
	write_text(&w, "[");
	for (bool first = true; read_text_line(&r, &line); first = false) {
		write_text(&w, first ? "" : ",");
		write_place(&w, n->map, line);
	}
	write_text(&w, "]");
	bus_answer(request, w.bad ? ERR_FULL : 0, w.bad ? BYTES("too many addresses at once") : writer_bytes(&w), false);
	free(room);
}

int networks_open(struct networks **out, struct process *p, struct fault *fault)
{
	char path[4096];
	struct networks *n = calloc(1, sizeof *n);
	if (!n)
		return fault_set(fault, ERR_MEMORY, "no memory for networks");
	snprintf(path, sizeof path, "%s/" NETWORK_MAP_FOLDER, process_state(p));
	n->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->folder < 0) {
		free(n);
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	}
	n->loop = p->loop;
	open_map(n);
	bus_on_request(p->bus, TOPIC_LOOKUP, on_lookup, n);
	bus_open_to_guests(p->bus, TOPIC_LOOKUP);
	*out = n;
	return 0;
}

int networks_folder(const struct networks *n) { return n->folder; }
const struct network_map *networks_map(const struct networks *n) { return n ? n->map : NULL; }

void networks_close(struct networks *n)
{
	if (!n)
		return;
	n->again = false;
	while (n->working)
		uv_run(n->loop, UV_RUN_ONCE);
	network_map_close(n->map);
	close(n->folder);
	free(n);
}
