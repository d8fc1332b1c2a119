/*
 * A sink on its own: sink_stand NETNS SECONDS PCAP [SERVED-PATH FILE [COMMAND...]]
 *
 * Serves the namespace of that path until the seconds are over or standard input ends; with "box" for a
 * path it makes a box and runs the command in it, until that ends.  Then it writes the capture, and what
 * it found to standard output, a line each.
 *
 * In the environment: EGRESS_TARGET=NAME,ADDRESS,PORT lets that leave, EGRESS_DECOY=SCANNED,ADDRESS,PORT
 * turns a scan; with EGRESS_FORBIDDEN=1 the keeper is one that lets nothing leave.
 */
#include "base/clock.h"
#include "box/box.h"
#include "lab/run/egress.h"
#include "lab/run/sink.h"
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct served {
	struct bytes path, content;
};

static bool serve(void *arg, struct bytes url, struct bytes *content)
{
	const struct served *s = arg;
	if (url.len < s->path.len || !bytes_equal((struct bytes){url.at + url.len - s->path.len, s->path.len}, s->path))
		return false;
	*content = s->content;
	return true;
}

static struct bytes read_file(const char *path)
{
	struct buffer b = BUFFER(SINK_DOWNLOAD_MAX);
	int fd = open(path, O_RDONLY);
	ssize_t n;
	uint8_t *room;
	while (fd >= 0 && (room = buffer_room(&b, 65536)) && (n = read(fd, room, 65536)) > 0)
		buffer_grown(&b, (size_t)n);
	return buffer_bytes(&b);
}

static void print_findings(const struct run_sink_findings *f)
{
	for (size_t i = 0; i < f->flow_count; i++)
		printf("flow %s transport %u packets %" PRIu64 " connections %" PRIu64 " said %" PRIu64 " heard %" PRIu64
		       " left %" PRIu64 " protocol %s\n", f->flows[i].endpoint, f->flows[i].transport, f->flows[i].packets,
		       f->flows[i].connections, f->flows[i].said, f->flows[i].heard, f->flows[i].left,
		       f->flows[i].protocol);
	for (size_t i = 0; i < f->name_count; i++)
		printf("name %s %s count %" PRIu64 "\n", f->names[i].type, f->names[i].name, f->names[i].count);
	for (size_t i = 0; i < f->request_count; i++)
		printf("request %s %s %s %s count %" PRIu64 "%s\n", f->requests[i].protocol, f->requests[i].endpoint,
		       f->requests[i].kind, f->requests[i].subject, f->requests[i].count,
		       f->requests[i].served ? " served" : "");
	for (size_t i = 0; i < f->hello_count; i++)
		printf("hello %s %s bytes %zu%s%s\n", f->hellos[i].endpoint, f->hellos[i].protocol, f->hellos[i].said.len,
		       f->hellos[i].registers ? " registers" : "", f->hellos[i].after_server ? " answers" : "");
	for (size_t i = 0; i < f->scan_count; i++)
		printf("scan %u transport %u addresses %" PRIu64 "\n", f->scans[i].port, f->scans[i].transport,
		       f->scans[i].addresses);
	for (size_t i = 0; i < f->flood_count; i++)
		printf("flood %s %s packets %" PRIu64 " sources %" PRIu64 "\n", f->floods[i].what, f->floods[i].endpoint,
		       f->floods[i].packets, f->floods[i].sources);
	for (size_t i = 0; i < f->limit_count; i++)
		printf("limit %s\n", f->limits[i]);
	printf("packets %" PRIu64 " missed %" PRIu64 " secrets %zu\n", f->packets, f->packets_missed, f->secrets.len);
}

static void wait_for_end(struct run_sink *s, int other, uint64_t until_us)
{
	struct pollfd p[2] = {{.fd = run_sink_fd(s), .events = POLLIN}, {.fd = other, .events = POLLIN}};
	while (clock_mono_us() < until_us) {
		poll(p, 2, 100);
		if (p[0].revents && run_sink_turn(s))
			return;
		if (p[1].revents)
			return;
	}
}

/* The tree of this machine, to be read, and the command in it. */
static int box_begin(struct box_keeper *k, char **argv, struct box_started *started, struct fault *fault)
{
	static const char *const folders[] = {"/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc"};
	struct box_plan plan = {.name = "sink-stand", .argv = (const char *const *)argv, .network = BOX_SINK, .output = 2, .held = true};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		plan.mounts[plan.mount_count++] = (struct box_mount){.from = folders[i], .to = folders[i], .optional = true};
	return box_start(k, &plan, started, fault);
}

/* False where the environment says nothing of it. */
static bool read_egress(struct egress_plan *p)
{
	char name[EGRESS_NAME_MAX + 1], address[ADDRESS_TEXT_MAX];
	unsigned port = 0, scanned = 0;
	const char *target = getenv("EGRESS_TARGET"), *decoy = getenv("EGRESS_DECOY");
	*p = (struct egress_plan){.netns = -1};
	if (!target || sscanf(target, "%255[^,],%47[^,],%u", name, address, &port) != 3)
		return false;
	snprintf(p->targets[0].name, sizeof p->targets[0].name, "%s", name);
	p->targets[0].port = (uint16_t)port;
	p->target_count = address_parse(bytes_of_text(address), &p->targets[0].address);
	if (decoy && sscanf(decoy, "%u,%47[^,],%u", &scanned, address, &port) == 3) {
		p->decoys[0].scanned = (uint16_t)scanned;
		p->decoys[0].port = (uint16_t)port;
		p->decoy_count = address_parse(bytes_of_text(address), &p->decoys[0].address);
	}
	return true;
}

static int report(struct run_sink *s, const char *path)
{
	struct fault fault = {0};
	if (run_sink_stop(s, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	const struct run_sink_findings *f = run_sink_findings(s);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || write(out, f->capture.at, f->capture.len) != (ssize_t)f->capture.len)
		return 1;
	close(out);
	print_findings(f);
	return 0;
}

int main(int argc, char **argv)
{
	struct fault fault = {0};
	struct run_sink_keeper *keeper = NULL;
	struct box_keeper *boxes = NULL;
	struct box_started box = {.sink = -1};
	struct run_sink *s = NULL;
	struct served served = {0};
	if (argc < 4)
		return 2;
	if (argc > 5)
		served = (struct served){bytes_of_text(argv[4]), read_file(argv[5])};
	const bool boxed = argc > 6 && !strcmp(argv[1], "box");
	const uint64_t seconds = strtoul(argv[2], NULL, 10);
	struct egress_plan egress;
	const bool leaves = read_egress(&egress);
	const struct run_sink_plan plan = {.time_ms = seconds * 1000 + 5000, .served = serve, .arg = &served,
					   .egress = leaves ? &egress : NULL};
	int bad = run_sink_keeper_open(&keeper, leaves && !getenv("EGRESS_FORBIDDEN"), &fault);
	if (!bad && boxed)
		bad = box_keeper_open(&boxes, "/tmp", &fault);
	if (!bad && boxed)
		bad = box_begin(boxes, argv + 6, &box, &fault);
	uint64_t begun = clock_mono_us();
	if (!bad)
		bad = run_sink_start(&s, keeper, boxed ? box.sink : open(argv[1], O_RDONLY | O_CLOEXEC), &plan, &fault);
	if (bad) {
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	fprintf(stderr, "ready in %" PRIu64 " us\n", clock_mono_us() - begun);
	if (boxed)
		box_release(boxes, box.number);
	wait_for_end(s, boxed ? box.process : 0, clock_mono_us() + seconds * 1000000);
	int status = report(s, argv[3]);
	run_sink_free(s);
	box_keeper_close(boxes);
	run_sink_keeper_close(keeper);
	free((void *)served.content.at);
	return status;
}
