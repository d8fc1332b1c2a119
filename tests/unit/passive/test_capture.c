#include "passive/telescope/capture_inner.h"
#include "tests/test.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define FILE_MAX (8u << 20)

/* A file in the making; `big`: in the other byte order than this machine's. */
struct file {
	struct writer w;
	bool big;
};

static struct file file_begin(void) { return (struct file){writer_of(malloc(FILE_MAX), FILE_MAX), false}; }

static void file_free(struct file *f)
{
	CHECK(!f->w.bad);
	free(f->w.start);
}

static void u32(struct file *f, uint32_t v) { write_u32(&f->w, f->big ? v : __builtin_bswap32(v)); }
static void u16(struct file *f, uint16_t v) { write_u16(&f->w, f->big ? v : __builtin_bswap16(v)); }

static void pcap_header(struct file *f, uint32_t magic, uint32_t link)
{
	u32(f, magic);
	u16(f, 2);
	u16(f, 4);
	u32(f, 0);
	u32(f, 0);
	u32(f, 65535);
	u32(f, link);
}

static void pcap_frame(struct file *f, uint32_t second, uint32_t fraction, const char *text, uint32_t wire)
{
	u32(f, second);
	u32(f, fraction);
	u32(f, (uint32_t)strlen(text));
	u32(f, wire);
	write_text(&f->w, text);
}

static int descriptor(struct bytes content)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	CHECK(fd >= 0 && write(fd, content.at, content.len) == (ssize_t)content.len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* All frames as one line, "link:second.microsecond:text/wire " each; ends with the sentence, if any. */
struct reading {
	int result;
	struct capture_status status;
	char text[2048];
};

static struct reading read_all(struct bytes content, unsigned max)
{
	struct reading r = {0};
	struct fault fault = {{0}};
	struct capture *c;
	struct capture_frame frames[64];
	struct writer w = writer_of(r.text, sizeof r.text - 1);
	r.result = capture_open_fd(&c, descriptor(content), "FILE", &fault);
	if (r.result < 0) {
		write_text(&w, fault.text);
		return r;
	}
	while ((r.result = capture_read(c, frames, max, &fault)) > 0) {
		CHECK((unsigned)r.result <= max);
		for (int i = 0; i < r.result && !w.bad; i++) {
			write_fmt(&w, "%u:%llu.%06llu:", frames[i].link, (unsigned long long)frames[i].time_us / 1000000,
				  (unsigned long long)frames[i].time_us % 1000000);
			write_span(&w, frames[i].frame);
			write_fmt(&w, "/%u ", frames[i].wire_length);
		}
	}
	CHECK((r.result < 0) == (fault.text[0] != 0));
	write_text(&w, fault.text);
	r.status = capture_status(c);
	capture_close(c);
	return r;
}

static void expect(struct bytes content, const char *text)
{
	for (unsigned max = 1; max <= 64; max += 21) {
		struct reading r = read_all(content, max);
		CHECK_SAY(!strcmp(r.text, text), "'%s', not '%s'", r.text, text);
	}
}

#define TWO_FRAMES "1:7.000009:one/3 1:8.500000:second/1400 "

static struct file two_frames(uint32_t magic, bool big)
{
	struct file f = file_begin();
	unsigned unit = magic == 0xa1b23c4d ? 1000 : 1;
	f.big = big;
	pcap_header(&f, magic, 1);
	pcap_frame(&f, 7, 9 * unit, "one", 3);
	pcap_frame(&f, 8, 500000 * unit, "second", 1400);
	return f;
}

TEST(capture_pcap_of_both_orders_and_units)
{
	for (unsigned i = 0; i < 4; i++) {
		struct file f = two_frames(i & 1 ? 0xa1b23c4d : 0xa1b2c3d4, i & 2);
		expect(writer_bytes(&f.w), TWO_FRAMES);
		struct reading r = read_all(writer_bytes(&f.w), 32);
		CHECK(r.status.frames == 2 && !r.status.torn && !strcmp(r.status.format, "pcap"));
		CHECK(r.status.at == writer_used(&f.w) && r.status.read == r.status.at && r.status.size == r.status.at);
		file_free(&f);
	}
}

TEST(capture_cut_anywhere)
{
	struct file f = two_frames(0xa1b2c3d4, false);
	for (size_t n = 24; n < writer_used(&f.w); n++) {
		struct reading r = read_all((struct bytes){f.w.start, n}, 32);
		CHECK(r.result == 0 && r.status.frames == (n >= 43));
		CHECK(r.status.torn == (n != 24 && n != 43));
	}
	for (size_t n = 0; n < 24; n++)
		CHECK(read_all((struct bytes){f.w.start, n}, 32).result == ERR_BAD);
	file_free(&f);
}

TEST(capture_says_what_it_cannot_read)
{
	static const struct { struct bytes content; const char *text; } cases[] = {
		{BYTES(""), "FILE: is empty; a pcap or pcapng file would be right"},
		{BYTES("ab"), "FILE: is too short for a capture; a pcap or pcapng file would be right"},
		{BYTES("PK\3\4...."), "FILE: is packed in a way that is not read here; unzip unpacks it"},
		{BYTES("GET / HTTP"), "FILE: begins with 47455420, which is neither pcap nor pcapng"},
		{BYTES("snoop\0\0\0"), "FILE: is a capture of Solaris' snoop; editcap -F pcap makes one that is read here"},
		{BYTES("\x34\xcd\xb2\xa1 and so on"), "FILE: is a pcap as Kuznetzov's patched libpcap wrote it; "
						      "editcap -F pcap makes one that is read here"},
		{BYTES("\xd4\xc3\xb2\xa1\1\0\0\0 and further on"),
		 "FILE: at byte 0: the file ends within the header of 24 bytes"},
		{BYTES("\xd4\xc3\xb2\xa1\1\0\0\0 and further on it goes"),
		 "FILE: at byte 0: version 1.0 of pcap is not read here; 2.4 would be right"},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		expect(cases[i].content, cases[i].text);
	struct capture *c;
	struct fault fault;
	CHECK(capture_open(&c, "/nonexistent/file.pcap", &fault) == ERR_MISSING);
	CHECK(capture_open(&c, "/", &fault) == ERR_SYSTEM && !strcmp(fault.text, "/: cannot be read: Is a directory"));
}

TEST(capture_frame_that_lies)
{
	struct file f = two_frames(0xa1b2c3d4, false);
	pcap_frame(&f, 9, 0, "third", 5);
	size_t lie = writer_used(&f.w) - 5 - 8;
	f.w.start[lie + 2] = 4; /* 262,144 more */
	expect(writer_bytes(&f.w), TWO_FRAMES "FILE: at byte 65: a frame of 262149 bytes; 262144 are the most that a frame can have");
	file_free(&f);
}

/* A longer file, so that the window moves; texts of 1 to 200 characters. */
static struct file many_frames(unsigned count)
{
	struct file f = file_begin();
	char text[201];
	pcap_header(&f, 0xa1b2c3d4, 101);
	for (unsigned i = 0; i < count; i++) {
		memset(text, 'a' + (int)(i % 26), sizeof text);
		text[1 + i % 200] = '\0';
		pcap_frame(&f, i, 0, text, i);
	}
	return f;
}

static bool holds_many(struct bytes content, unsigned count)
{
	struct capture *c;
	struct fault fault = {{0}};
	struct capture_frame frames[32];
	unsigned n = 0;
	int got;
	CHECK(capture_open_fd(&c, descriptor(content), "FILE", &fault) == 0);
	while ((got = capture_read(c, frames, 32, &fault)) > 0)
		for (int i = 0; i < got; i++, n++)
			for (size_t k = 0; k < frames[i].frame.len; k++)
				if (frames[i].frame.len != 1 + n % 200 || frames[i].time_us != n * 1000000ull ||
				    frames[i].frame.at[k] != 'a' + n % 26 || frames[i].link != 101)
					return false;
	struct capture_status s = capture_status(c);
	capture_close(c);
	return got == 0 && n == count && !s.torn;
}

static struct bytes gzip(struct bytes plain, uint8_t *to)
{
	z_stream z = {.next_in = (uint8_t *)plain.at, .avail_in = (unsigned)plain.len, .next_out = to, .avail_out = FILE_MAX};
	CHECK(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
	struct bytes packed = {to, z.total_out};
	deflateEnd(&z);
	return packed;
}

static struct bytes zstd(struct bytes plain, uint8_t *to)
{
	return (struct bytes){to, ZSTD_compress(to, FILE_MAX, plain.at, plain.len, 1)};
}

TEST(capture_long_plain_and_packed)
{
	struct file f = many_frames(30000);
	struct bytes plain = writer_bytes(&f.w);
	uint8_t *to = malloc(FILE_MAX);
	CHECK(plain.len > 8 * SOURCE_WINDOW);
	CHECK(holds_many(plain, 30000));
	CHECK(holds_many(gzip(plain, to), 30000));
	CHECK(holds_many(zstd(plain, to), 30000));
	for (unsigned i = 0; i < 2; i++) { /* in two members, which begin within a frame */
		struct bytes (*pack)(struct bytes, uint8_t *) = i ? zstd : gzip;
		size_t first = pack((struct bytes){plain.at, 1000001}, to).len;
		size_t second = pack((struct bytes){plain.at + 1000001, plain.len - 1000001}, to + first).len;
		CHECK(holds_many((struct bytes){to, first + second}, 30000));
		memset(to + first + second, 0, 512);
		if (!i) /* a tape's padding */
			CHECK(holds_many((struct bytes){to, first + second + 512}, 30000));
	}
	free(to);
	file_free(&f);
}

TEST(capture_packed_and_damaged)
{
	struct file f = many_frames(9000);
	struct bytes plain = writer_bytes(&f.w);
	uint8_t *to = malloc(FILE_MAX);
	for (unsigned i = 0; i < 2; i++) {
		struct bytes whole = i ? zstd(plain, to) : gzip(plain, to);
		struct reading r = read_all((struct bytes){to, whole.len / 2}, 32);
		CHECK(r.result == 0 && r.status.torn && r.status.frames > 1000 && r.status.frames < 9000);
		CHECK(!strcmp(r.status.packing, i ? "zstd" : "gzip") && r.status.size == whole.len / 2);
		memset(to + whole.len / 2, 0xff, 64);
		r = read_all(whole, 32);
		CHECK(r.result == ERR_BAD && r.status.frames > 1000 && r.status.frames < 9000);
	}
	struct bytes whole = gzip(plain, to);
	memcpy(to + whole.len, "garbage", 7);
	struct reading r = read_all((struct bytes){to, whole.len + 7}, 32);
	CHECK(r.result == ERR_BAD && r.status.frames == 9000);
	free(to);
	file_free(&f);
}

/* A zstd frame that asks its reader for a window of 2 GiB. */
TEST(capture_zstd_window_is_limited)
{
	struct reading r = read_all(BYTES("\x28\xb5\x2f\xfd\0\xa8\1\0\0"), 32);
	CHECK_SAY(r.result == ERR_BAD && strstr(r.text, "too much memory"), "%s", r.text);
}

TEST(capture_cut_while_it_is_read)
{
	struct file f = many_frames(30000);
	struct capture *c;
	struct fault fault = {{0}};
	struct capture_frame frames[32];
	int fd = descriptor(writer_bytes(&f.w)), other = dup(fd), got;
	CHECK(capture_open_fd(&c, fd, "FILE", &fault) == 0);
	CHECK(capture_read(c, frames, 32, &fault) == 32 && ftruncate(other, 400000) == 0);
	while ((got = capture_read(c, frames, 32, &fault)) > 0)
		;
	CHECK(got == 0 && capture_status(c).frames > 1000 && capture_status(c).frames < 30000);
	capture_close(c);
	close(other);
	file_free(&f);
}

static size_t block_begin(struct file *f, uint32_t type)
{
	u32(f, type);
	u32(f, 0);
	return writer_used(&f->w) - 8;
}

static void block_end(struct file *f, size_t start)
{
	write_zero(&f->w, (-writer_used(&f->w) + start) & 3);
	uint32_t length = (uint32_t)(writer_used(&f->w) + 4 - start);
	u32(f, length);
	memcpy(f->w.start + start + 4, f->w.at - 4, 4);
}

static void section(struct file *f, bool big)
{
	f->big = big;
	size_t b = block_begin(f, PCAPNG_SECTION);
	u32(f, 0x1a2b3c4d);
	u16(f, 1);
	u16(f, 0);
	u32(f, 0xffffffff);
	u32(f, 0xffffffff);
	block_end(f, b);
}

/* resolution: as if_tsresol; offset: seconds, 0: no such option. */
static void interface(struct file *f, uint16_t link, uint32_t frame_max, uint8_t resolution, uint32_t offset)
{
	size_t b = block_begin(f, 1);
	u16(f, link);
	u16(f, 0);
	u32(f, frame_max);
	u16(f, 9);
	u16(f, 1);
	write_u8(&f->w, resolution);
	write_zero(&f->w, 3);
	if (offset) {
		u16(f, 14);
		u16(f, 8);
		u32(f, f->big ? 0 : offset);
		u32(f, f->big ? offset : 0);
	}
	u32(f, 0);
	block_end(f, b);
}

static void enhanced(struct file *f, uint32_t interface_id, uint64_t ticks, const char *text, uint32_t wire)
{
	size_t b = block_begin(f, 6);
	u32(f, interface_id);
	u32(f, (uint32_t)(ticks >> 32));
	u32(f, (uint32_t)ticks);
	u32(f, (uint32_t)strlen(text));
	u32(f, wire);
	write_text(&f->w, text);
	block_end(f, b);
}

static struct file all_blocks(bool big)
{
	struct file f = file_begin();
	section(&f, big);
	interface(&f, 1, 0, 6, 0);
	interface(&f, 101, 4, 9, 0);
	interface(&f, 113, 0, 0x80 | 10, 0);
	interface(&f, 276, 0, 3, 100);
	enhanced(&f, 0, 7000009, "one", 3);
	enhanced(&f, 1, 8500000000, "ns", 2);
	enhanced(&f, 2, 9 * 1024 + 512, "binary", 6);
	enhanced(&f, 3, 1500, "offset", 6);
	size_t b = block_begin(&f, 0x0bad); /* of somebody else */
	write_text(&f.w, "what only they know");
	block_end(&f, b);
	b = block_begin(&f, 2); /* the old packet block */
	u16(&f, 0);
	u16(&f, 5); /* lost before it */
	u32(&f, 0);
	u32(&f, 11000000);
	u32(&f, 3);
	u32(&f, 30);
	write_text(&f.w, "old");
	block_end(&f, b);
	b = block_begin(&f, 5); /* statistics */
	u32(&f, 0);
	u32(&f, 0);
	u32(&f, 0);
	u16(&f, 5);
	u16(&f, 8);
	u32(&f, f.big ? 0 : 17);
	u32(&f, f.big ? 17 : 0);
	block_end(&f, b);
	return f;
}

#define ALL_BLOCKS                                                                                     \
	"1:7.000009:one/3 101:8.500000:ns/2 113:9.500000:binary/6 276:101.500000:offset/6 1:11.000000:old/30 "

TEST(capture_pcapng_blocks)
{
	for (unsigned big = 0; big < 2; big++) {
		struct file f = all_blocks(big);
		expect(writer_bytes(&f.w), ALL_BLOCKS);
		struct reading r = read_all(writer_bytes(&f.w), 32);
		CHECK(r.status.dropped == 17 && r.status.frames == 5 && !strcmp(r.status.format, "pcapng"));
		for (size_t n = 28; n < writer_used(&f.w); n++) {
			r = read_all((struct bytes){f.w.start, n}, 32);
			CHECK(r.result == 0 && r.status.frames <= 5 && r.status.torn == (r.status.at != n));
		}
		file_free(&f);
	}
}

TEST(capture_pcapng_sections)
{
	struct file f = all_blocks(false);
	section(&f, true); /* by a machine of the other order, with interfaces of its own */
	interface(&f, 228, 5, 6, 0);
	enhanced(&f, 0, 1, "next", 4);
	size_t b = block_begin(&f, 3); /* a simple one: cut at the interface's limit, without a time */
	u32(&f, 1500);
	write_text(&f.w, "simpl");
	block_end(&f, b);
	expect(writer_bytes(&f.w), ALL_BLOCKS "228:0.000001:next/4 228:0.000001:simpl/1500 ");
	CHECK(read_all(writer_bytes(&f.w), 32).status.dropped == 17);
	enhanced(&f, 1, 1, "nobody's", 8);
	struct reading r = read_all(writer_bytes(&f.w), 32);
	CHECK(r.result == ERR_BAD && strstr(r.text, ": a packet of interface 1, where 1 are described"));
	file_free(&f);
}

TEST(capture_pcapng_that_lies)
{
	static const struct { size_t at; uint8_t value; const char *text; } lies[] = {
		{4, 24, "FILE: at byte 0: a block of 24 bytes; 28 to 16777216 and a multiple of 4 would be right"},
		{8, 0, "FILE: at byte 0: a section whose byte order cannot be told: 1a2b3c00"},
		{12, 3, "FILE: at byte 0: version 3.0 of pcapng is not read here; 1.0 would be right"},
		{24, 32, "FILE: at byte 0: a block of 28 bytes that ends as one of 32"},
		{32, 33, "FILE: at byte 28: a block of 33 bytes; 12 to 16777216 and a multiple of 4 would be right"},
		{35, 9, "FILE: at byte 28: a block of 150994976 bytes; 12 to 16777216 and a multiple of 4 would be right"},
		{80, 200, "FILE: at byte 60: a frame of 200 bytes, where its block has room for 4 and a frame for 262144"},
	};
	for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct file f = file_begin();
		section(&f, false);
		interface(&f, 1, 0, 6, 0);
		enhanced(&f, 0, 7, "text", 4);
		f.w.start[lies[i].at] = lies[i].value;
		expect(writer_bytes(&f.w), lies[i].text);
		file_free(&f);
	}
}

TEST(capture_slice_reads_as_it_was_written)
{
	char path[] = "/tmp/kansoku-slice-XXXXXX";
	struct capture_writer *w;
	struct fault fault = {{0}};
	int fd = mkstemp(path);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(capture_create(&w, path, 1, &fault) == 0);
	uint8_t *large = calloc(1, CAPTURE_FRAME_MAX + 1);
	struct capture_frame f = {.frame = BYTES("one"), .time_us = 7000009, .wire_length = 3, .link = 1};
	CHECK(capture_write(w, &f) == 0);
	f = (struct capture_frame){.frame = {large, CAPTURE_FRAME_MAX}, .time_us = 8000000, .wire_length = 1, .link = 1};
	CHECK(capture_write(w, &f) == 0);
	f.link = 101;
	CHECK(capture_write(w, &f) == ERR_BAD);
	f = (struct capture_frame){.frame = {large, CAPTURE_FRAME_MAX + 1}, .link = 1};
	CHECK(capture_write(w, &f) == ERR_BAD);
	CHECK(capture_finish(w, &fault) == 0);
	struct capture *c;
	struct capture_frame frames[8];
	CHECK(capture_open(&c, path, &fault) == 0);
	CHECK(capture_read(c, frames, 1, &fault) == 1 && bytes_equal(frames[0].frame, BYTES("one")));
	CHECK(frames[0].time_us == 7000009 && frames[0].wire_length == 3 && frames[0].link == 1);
	CHECK(capture_read(c, frames, 8, &fault) == 1 && frames[0].frame.len == CAPTURE_FRAME_MAX);
	CHECK(capture_read(c, frames, 8, &fault) == 0 && !capture_status(c).torn);
	capture_close(c);
	unlink(path);
	free(large);
	CHECK(capture_create(&w, "/nonexistent/slice", 1, &fault) == ERR_SYSTEM);
	CHECK(capture_create(&w, "/dev/full", 1, &fault) == 0 && capture_finish(w, &fault) == ERR_SYSTEM);
}
