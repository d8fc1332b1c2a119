/*
 * What reading costs before any accounts are kept:  walk FILE [watch PREFIX]
 *
 * "walk" goes from frame to frame of a capture; "parse" also takes each packet into the columns of
 * a batch.  Both are ceilings of what `telescope read` can do.  The last line of each is JSON.
 */
#include "passive/telescope/capture.h"
#include "passive/telescope/packet.h"
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct walk {
	const struct watched *watched;
	struct packet_counts counts;
	uint64_t frames, bytes, sum;
};

static void parse(struct walk *w, const struct capture_frame *frames, int n)
{
	static struct packet_batch batch;
	batch.count = 0;
	for (int i = 0; i < n; i++)
		packet_take(&batch, &w->counts, w->watched, frames[i].link, frames[i].frame,
			    frames[i].wire_length, frames[i].time_us);
	for (unsigned i = 0; i < batch.count; i++)
		w->sum += batch.column[COLUMN_SHAPE][i] ^ batch.column[COLUMN_DST][i];
}

static bool run(const char *name, const char *path, const struct watched *watched)
{
	struct walk w = {.watched = watched};
	struct capture_frame frames[PACKET_BATCH];
	struct capture *c;
	struct fault fault = {{0}};
	double start = cpu_seconds();
	int n = capture_open(&c, path, &fault);
	while (n >= 0 && (n = capture_read(c, frames, PACKET_BATCH, &fault)) > 0) {
		w.frames += (unsigned)n;
		for (int i = 0; i < n; i++)
			w.bytes += frames[i].wire_length;
		if (watched)
			parse(&w, frames, n);
	}
	if (n < 0) {
		fprintf(stderr, "%s\n", fault.text);
		return false;
	}
	capture_close(c);
	double seconds = cpu_seconds() - start;
	printf("{\"bench\":\"%s\",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"taken\":%" PRIu64
	       ",\"cpu_seconds\":%.3f,\"mpps\":%.1f,\"check\":%" PRIu64 "}\n",
	       name, w.frames, w.bytes, w.counts.taken, seconds, (double)w.frames / seconds / 1e6, w.sum & 0xff);
	return true;
}

int main(int argc, char **argv)
{
	struct watched *watched;
	struct prefix prefix;
	bool some = argc == 4 && !strcmp(argv[2], "watch") && prefix_parse(bytes_of_text(argv[3]), &prefix);
	if (argc != 2 && !some) {
		fprintf(stderr, "usage: walk FILE [watch PREFIX]\n");
		return 2;
	}
	if (watched_open(&watched, &prefix, some) < 0)
		return 1;
	bool fine = run("walk", argv[1], NULL) && run("parse", argv[1], watched);
	watched_close(watched);
	return !fine;
}
