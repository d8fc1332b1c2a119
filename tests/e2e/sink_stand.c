/*
 * A sink on its own: sink_stand NETNS SECONDS PCAP [SERVED-URL FILE]
 *
 * Serves the namespace of that path until the seconds are over or standard input ends, then writes the
 * capture, and what it found to standard output, a line each.
 */
#include "base/clock.h"
#include "lab/run/sink.h"
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct served {
	struct bytes url, content;
};

static bool serve(void *arg, struct bytes url, struct bytes *content)
{
	const struct served *s = arg;
	if (!bytes_equal(url, s->url))
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
		       " protocol %s\n", f->flows[i].endpoint, f->flows[i].transport, f->flows[i].packets,
		       f->flows[i].connections, f->flows[i].said, f->flows[i].heard, f->flows[i].protocol);
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

static void wait_for_end(struct run_sink *s, uint64_t until_us)
{
	struct pollfd p[2] = {{.fd = run_sink_fd(s), .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	while (clock_mono_us() < until_us) {
		poll(p, 2, 100);
		if (p[0].revents && run_sink_turn(s))
			return;
		if (p[1].revents)
			return;
	}
}

int main(int argc, char **argv)
{
	struct fault fault = {0};
	struct run_sink_keeper *keeper = NULL;
	struct run_sink *s = NULL;
	struct served served = {0};
	if (argc < 4)
		return 2;
	if (argc > 5)
		served = (struct served){bytes_of_text(argv[4]), read_file(argv[5])};
	int netns = open(argv[1], O_RDONLY | O_CLOEXEC);
	const uint64_t seconds = strtoul(argv[2], NULL, 10);
	const struct run_sink_plan plan = {.time_ms = seconds * 1000 + 5000, .served = serve, .arg = &served};
	uint64_t begun = clock_mono_us();
	if (run_sink_keeper_open(&keeper, &fault) || run_sink_start(&s, keeper, netns, &plan, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	fprintf(stderr, "ready in %" PRIu64 " us\n", clock_mono_us() - begun);
	wait_for_end(s, clock_mono_us() + seconds * 1000000);
	if (run_sink_stop(s, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	const struct run_sink_findings *f = run_sink_findings(s);
	int out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || write(out, f->capture.at, f->capture.len) != (ssize_t)f->capture.len)
		return 1;
	close(out);
	print_findings(f);
	run_sink_free(s);
	run_sink_keeper_close(keeper);
	return 0;
}
