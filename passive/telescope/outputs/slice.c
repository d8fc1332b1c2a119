/*
 * A slice: all frames of one source as a pcap file, their bytes as captured, times in microseconds.
 *
 * pcap has one link type a file, so captures of two kinds do not go into one slice.
 */
#include "passive/telescope/output.h"
#include <errno.h>

struct slice {
	struct address address;
	const char *path;
	bool both;
	uint16_t link;
	struct capture_writer *writer; /* made with the first frame, which says the link type */
};

static int slice_begin(void *state, const struct output_context *context, struct fault *fault)
{
	struct slice *s = state;
	const char *address = context->flag(context->arg, "slice");
	s->path = context->flag(context->arg, "write");
	s->both = context->flag(context->arg, "both") != NULL;
	if (!address_parse(bytes_of_text(address), &s->address))
		return fault_set(fault, ERR_BAD, "--slice: \"%s\" is not an address, 192.0.2.1 would be right",
				 address);
	if (!s->path)
		return fault_set(fault, ERR_BAD, "--slice wants --write FILE beside it, for the frames");
	return 0;
}

static int slice_write(struct slice *s, const struct packet_batch *b, unsigned lane, struct fault *fault)
{
	const struct capture_frame frame = {b->frame[lane], b->time_us[lane], b->wire_length[lane],
					    b->link[lane]};
	if (!s->writer) {
		int bad = capture_create(&s->writer, s->path, frame.link, fault);
		if (bad)
			return bad;
		s->link = frame.link;
	}
	if (frame.link != s->link)
		return fault_set(fault, ERR_SYSTEM, "%s: frames of link types %u and %u, and a pcap file has one; "
				 "slice the captures one by one", s->path, s->link, frame.link);
	int bad = capture_write(s->writer, &frame);
	return bad ? fault_set(fault, bad, "%s: %s", s->path, strerror(errno)) : 0;
}

static int slice_packets(void *state, const struct packet_batch *b, struct fault *fault)
{
	struct slice *s = state;
	for (unsigned i = 0; i < b->count; i++)
		if (address_equal(&b->src[i], &s->address) ||
		    (s->both && address_equal(&b->dst[i], &s->address))) {
			int bad = slice_write(s, b, i, fault);
			if (bad)
				return bad;
		}
	return 0;
}

static int slice_end(void *state, const struct reading_end *end, struct fault *fault)
{
	struct slice *s = state;
	(void)end;
	int bad = 0;
	if (!s->writer) /* an address that never came gives a capture without frames, not no file */
		bad = capture_create(&s->writer, s->path, LINK_ETHERNET, fault);
	if (!bad)
		bad = capture_finish(s->writer, fault);
	s->writer = NULL;
	return bad;
}

static void slice_close(void *state)
{
	struct slice *s = state;
	if (s->writer)
		capture_finish(s->writer, &(struct fault){0});
}

static const struct output slice = {
	.name = "slice",
	.summary = "a pcap file of one source",
	.flags = {
		{"slice", "ADDRESS", "also write the frames of this source, as they were captured"},
		{"write", "FILE", "with --slice: the pcap file to write"},
		{"both", NULL, "with --slice: also the frames that are addressed to it"},
	},
	.state_size = sizeof(struct slice),
	.begin = slice_begin,
	.packets = slice_packets,
	.end = slice_end,
	.close = slice_close,
};
OUTPUT(slice);
