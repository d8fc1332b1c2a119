/*
 * What a capture holds, as the telescope reads it:  capture_read FILE [shapes|slice FILE]
 *
 * One line of JSON with the counts; "shapes": a line for each SYN, "source/port SIGNATURE", as p0f
 * writes it; "slice": writes all frames to FILE.
 */
#include "passive/telescope/capture.h"
#include "passive/telescope/packet.h"
#include <inttypes.h>
#include <stdlib.h>

static void shapes_say(const struct packet_batch *b)
{
	char address[ADDRESS_TEXT_MAX], shape[SHAPE_TEXT_MAX];
	for (unsigned i = 0; i < b->count; i++)
		if (b->column[COLUMN_SHAPE][i] && b->shape[i].flags == 2)
			printf("%s/%u %s\n", address_format(&b->src[i], address), b->column[COLUMN_SPORT][i],
			       shape_p0f(&b->shape[i], (uint8_t)b->column[COLUMN_TTL][i], shape));
}

static void counts_say(const struct packet_counts *n, struct capture_status s, int result)
{
	printf("{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"not_ip\":%" PRIu64
	       ",\"malformed\":%" PRIu64 ",\"tcp\":%" PRIu64 ",\"udp\":%" PRIu64 ",\"icmp\":%" PRIu64 ",\"v6\":%" PRIu64
	       ",\"dropped\":%" PRIu64 ",\"torn\":%s,\"format\":\"%s\",\"packing\":\"%s\",\"result\":%d}\n",
	       n->frames, n->bytes, n->taken, n->not_ip, n->malformed, n->tcp, n->udp, n->icmp, n->v6, s.dropped,
	       s.torn ? "true" : "false", s.format, s.packing, result);
}

int main(int argc, char **argv)
{
	struct capture *c;
	struct capture_writer *slice = NULL;
	struct watched *watched;
	struct fault fault = {{0}};
	struct packet_counts counts = {0};
	struct capture_frame frames[PACKET_BATCH];
	bool shapes = argc == 3 && !strcmp(argv[2], "shapes");
	int n;
	if (argc < 2 || watched_open(&watched, NULL, 0) < 0)
		return 2;
	if (capture_open(&c, argv[1], &fault) < 0) {
		puts(fault.text);
		return 1;
	}
	while ((n = capture_read(c, frames, PACKET_BATCH, &fault)) > 0) {
		static struct packet_batch batch;
		batch.count = 0;
		for (int i = 0; i < n; i++) {
			packet_take(&batch, &counts, watched, frames[i].link, frames[i].frame,
				    frames[i].wire_length, frames[i].time_us);
			if (argc == 4 && ((!slice && capture_create(&slice, argv[3], frames[i].link, &fault) < 0) ||
					  capture_write(slice, &frames[i]) < 0))
				return 1;
		}
		if (shapes)
			shapes_say(&batch);
	}
	if (slice && capture_finish(slice, &fault) < 0)
		return 1;
	if (!shapes)
		counts_say(&counts, capture_status(c), n);
	if (n < 0)
		puts(fault.text);
	capture_close(c);
	watched_close(watched);
	return n < 0;
}
