/*
 * Anonymising: hostile packets, captures, tables and texts.  Nothing of ours may be spelled plainly in what was cleaned,
 * and what comes out of a file is never more than went in, but for tables, whose words may be longer.
 */
#include "share/anonymise/clean_inner.h"
#include "share/anonymise/spelled_inner.h"
#include "share/anonymise/view_inner.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct view *view_make(void)
{
	static const char *const rules[] = {"src=crypto-pan", "dst=drop", "time=bucket:1h"}, *const names[] = {"decoy.example"};
	struct prefix own[2];
	struct view *v = NULL;
	struct fault fault;
	const struct view_about about = {.policy = "default", .lasting = true, .rules = rules, .rule_count = 3, .own = own,
					 .own_count = 2, .names = names, .name_count = 1};
	if (event_start(&fault) || !prefix_parse(BYTES("192.0.2.0/24"), &own[0]) || !prefix_parse(BYTES("2001:db8::/32"), &own[1]) ||
	    view_open(&v, &about, &fault))
		abort();
	return v;
}

static void fuzz_text(struct view *v, struct bytes text)
{
	struct arena arena = ARENA(64u << 20);
	struct spelled left;
	uint8_t *copy = malloc(text.len + 1);
	memcpy(copy, text.at, text.len);
	view_hide(v);
	clean_in_place(&v->hidden, copy, text.len, &arena);
	/* What bytes became may make a number of what stands beside them, but no address with dots and colons. */
	if (spelled_find(&v->hidden, (struct bytes){copy, text.len}, 0, &left) && left.spelling == SPELLED_NAME)
		abort();
	view_clean(v, text, &arena);
	arena_done(&arena);
	free(copy);
}

static void fuzz_packet(struct view *v, unsigned link, struct bytes packet)
{
	static const unsigned links[] = {1, 101, 113, 276, 0, 12, 228, 229};
	uint8_t *copy = malloc(packet.len + 1);
	memcpy(copy, packet.at, packet.len);
	view_packet(v, links[link % 8], copy, packet.len);
	free(copy);
}

static void fuzz_file(struct view *v, struct bytes file)
{
	static int in = -1, out = -1;
	struct view_file_counts counts;
	struct fault fault;
	if (in < 0) {
		in = memfd_create("in", MFD_CLOEXEC);
		out = memfd_create("out", MFD_CLOEXEC);
	}
	if (ftruncate(in, 0) || ftruncate(out, 0) || pwrite(in, file.at, file.len, 0) != (ssize_t)file.len ||
	    lseek(in, 0, SEEK_SET) || lseek(out, 0, SEEK_SET))
		abort();
	const struct view_file f = {.in = in, .out = out, .name = "fuzz"};
	view_file(v, &f, &counts, &fault);
	if (counts.packets && lseek(out, 0, SEEK_END) > (off_t)file.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct view *v;
	if (!v)
		v = view_make();
	if (size < 2 || size > 65536)
		return 0;
	const struct bytes rest = {data + 1, size - 1};
	if (data[0] < 100)
		fuzz_packet(v, data[0], rest);
	else if (data[0] < 180)
		fuzz_text(v, rest);
	else
		fuzz_file(v, rest);
	return 0;
}
