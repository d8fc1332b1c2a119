#include "passive/telescope/capture_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
	struct source source;
	struct pcap pcap;
	struct pcapng *pcapng; /* NULL: it is a pcap */
	uint64_t frames;
	bool torn;
};

/* Formats that people may well come with. */
static const struct { uint32_t magic; const char *what; } strangers[] = {
	{0xa1b2cd34, "is a pcap as Kuznetzov's patched libpcap wrote it"},
	{0x1c0001ac, "is a capture of IXIA's hardware"},
	{0x1c0001ab, "is a capture of IXIA's software"},
	{0x736e6f6f, "is a capture of Solaris' snoop"},
};

static int format_find(struct capture *c, struct fault *fault)
{
	struct source *s = &c->source;
	int got = source_need(s, 4, fault);
	if (got < 0)
		return got;
	if (!got)
		return fault_set(fault, ERR_BAD, "%s: is %s; a pcap or pcapng file would be right", s->name,
				 source_left(s) ? "too short for a capture" : "empty");
	uint32_t word = capture_u32(source_bytes(s), false);
	if (pcap_magic(word, &c->pcap))
		return pcap_begin(&c->pcap, s, fault);
	if (word == PCAPNG_SECTION)
		return pcapng_open(&c->pcapng) < 0 ? fault_set(fault, ERR_MEMORY, "%s: no memory", s->name) : 0;
	for (unsigned i = 0; i < sizeof strangers / sizeof *strangers; i++)
		if (word == strangers[i].magic || __builtin_bswap32(word) == strangers[i].magic)
			return fault_set(fault, ERR_BAD, "%s: %s; editcap -F pcap makes one that is read here", s->name,
					 strangers[i].what);
	return fault_set(fault, ERR_BAD, "%s: begins with %08x, which is neither pcap nor pcapng", s->name,
			 __builtin_bswap32(word));
}

int capture_open_fd(struct capture **out, int fd, const char *name, struct fault *fault)
{
	struct capture *c = calloc(1, sizeof *c);
	if (!c) {
		if (fd > STDIN_FILENO)
			close(fd);
		return fault_set(fault, ERR_MEMORY, "%s: no memory", name);
	}
	int bad = source_open(&c->source, fd, name, fault);
	if (!bad)
		bad = format_find(c, fault);
	if (bad) {
		capture_close(c);
		return bad;
	}
	*out = c;
	return 0;
}

int capture_open(struct capture **out, const char *path, struct fault *fault)
{
	if (!strcmp(path, "-"))
		return capture_open_fd(out, STDIN_FILENO, "standard input", fault);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, errno == ENOENT ? ERR_MISSING : ERR_SYSTEM, "%s: cannot be opened: %s", path,
				 strerror(errno));
	return capture_open_fd(out, fd, path, fault);
}

int capture_read(struct capture *c, struct capture_frame *frames, unsigned max, struct fault *fault)
{
	while (max) {
		size_t need;
		int n = c->pcapng ? pcapng_read(c->pcapng, &c->source, frames, max, &need, fault)
				  : pcap_read(&c->pcap, &c->source, frames, max, &need, fault);
		if (n > 0)
			c->frames += (unsigned)n;
		if (n)
			return n;
		int got = source_need(&c->source, need, fault);
		if (got < 0)
			return got;
		if (!got) {
			c->torn = c->source.torn || source_left(&c->source);
			return 0;
		}
	}
	return 0;
}

struct capture_status capture_status(const struct capture *c)
{
	return (struct capture_status){
		.frames = c->frames,
		.dropped = c->pcapng ? pcapng_dropped(c->pcapng) : 0,
		.torn = c->torn,
		.at = source_place(&c->source),
		.read = c->source.read,
		.size = c->source.size,
		.format = c->pcapng ? "pcapng" : "pcap",
		.packing = c->source.packing,
	};
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	pcapng_close(c->pcapng);
	source_close(&c->source);
	free(c);
}
