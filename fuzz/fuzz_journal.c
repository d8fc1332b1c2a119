/* Hostile segments: nothing in one is trusted, and walking it ends. */
#include "store/segment.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n);

static void walk(const struct segment_head *head, struct bytes file)
{
	static struct dictionary dictionary;
	static struct event event;
	bool named = dictionary_read(head->dictionary, &dictionary) == 0;
	struct bytes rest = {file.at + head->length, file.len - head->length};
	struct segment_walk w = segment_walk(head, rest, head->length);
	for (struct group g; segment_next(&w, &g);) {
		struct reader r = reader_of_bytes(g.payload);
		struct bytes frame;
		for (bool erased; group_frame(&r, &frame, &erased);)
			if (named && !erased)
				(void)frame_decode(frame, &dictionary, &event);
	}
	if (w.at > head->length + rest.len)
		abort();
}

/* The first byte says whether sums are made right, so that the parser behind them is reached too. */
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	if (n < 1 || n > 1 << 16)
		return 0;
	struct segment_head head;
	if (!(at[0] & 1)) {
		if (segment_head_read((struct bytes){at + 1, n - 1}, &head) == 0)
			walk(&head, (struct bytes){at + 1, n - 1});
		return 0;
	}
	struct fault fault;
	if (event_start(&fault))
		abort();
	static uint8_t file[SEGMENT_HEAD_MAX + GROUP_HEADER + (1 << 16)], names[DICTIONARY_MAX];
	struct writer d = writer_of(names, sizeof names), w = writer_of(file, sizeof file);
	dictionary_write(&d);
	segment_head_write(&w, 1, 2, writer_bytes(&d));
	if (segment_head_read(writer_bytes(&w), &head))
		abort();
	write_zero(&w, GROUP_HEADER);
	write_bytes(&w, at + 1, n - 1);
	group_seal(&head, head.length, file + head.length, n - 1, 1);
	walk(&head, writer_bytes(&w));
	return 0;
}
