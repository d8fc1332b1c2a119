/*
 * The ring and the programs in the kernel, tried with the kernel: frames over the loopback
 * interface of a network namespace of our own, which an ordinary user may make, too.
 */
#include "passive/telescope/live/ring.h"
#include "passive/telescope/live/settings.h"
#include "passive/telescope/packet.h"
#include "tests/test.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2
#define RING_BYTES (4u << 20)
#define SOURCES 64
#define NO_NAMESPACE 77

struct seen {
	unsigned early, frames[WORKERS], ipv6, outside, split, sources, tags, wrong_tags;
	unsigned resumed_at, resumed_after_two, kept, dropped;
	uint16_t link;
	char fault[sizeof(struct fault)];
};

static int loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bad = fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return bad;
}

/* An Ethernet frame with so many 802.1Q tags and an IP header; answers its length. */
static size_t frame_write(uint8_t room[256], unsigned tags, bool v6, const char *src, const char *dst)
{
	struct writer w = writer_of(room, 256);
	struct address from, to;
	address_parse(bytes_of_text(src), &from);
	address_parse(bytes_of_text(dst), &to);
	write_zero(&w, 12);
	for (unsigned i = 0; i < tags; i++) {
		write_u16(&w, ETH_P_8021Q);
		write_u16(&w, (uint16_t)(100 + i));
	}
	write_u16(&w, v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6) {
		write_u32(&w, 0x60000000);
		write_u32(&w, 8u << 16 | 17 << 8 | 64);
		write_bytes(&w, from.b, 16);
		write_bytes(&w, to.b, 16);
	} else {
		write_u32(&w, 0x45000000 | 28);
		write_u32(&w, 0);
		write_u32(&w, 64u << 24 | 17 << 16);
		write_bytes(&w, from.b + 12, 4);
		write_bytes(&w, to.b + 12, 4);
	}
	write_u32(&w, 40000u << 16 | 53);
	write_u32(&w, 8u << 16);
	return writer_used(&w);
}

static void send_frame(int fd, unsigned tags, bool v6, const char *src, const char *dst)
{
	uint8_t room[256] = {0};
	size_t n = frame_write(room, tags, v6, src, dst);
	while (send(fd, room, n, 0) < 0)
		usleep(100);
}

static int sender_open(void)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? fd : -1;
}

/* Which of the sources of send_all() a frame has, or -1. */
static int source_of(struct bytes frame, struct seen *seen, bool *v6)
{
	size_t at = 12;
	for (unsigned i = 0; frame.len > at + 4 && frame.at[at] == 0x81; i++, at += 4) {
		seen->wrong_tags += frame.at[at + 3] != 100 + i;
		seen->tags++;
	}
	*v6 = frame.at[at] == 0x86;
	at += 2;
	if (*v6)
		return frame.at[at + 24] == 0x20 && frame.at[at + 25] == 1 ? SOURCES + frame.at[at + 15] : -1;
	return !memcmp(frame.at + at + 16, (uint8_t[]){192, 0, 2}, 3) ? frame.at[at + 15] : -1;
}

static unsigned drain(struct ring *r, unsigned worker, struct seen *seen, uint8_t worker_of[2 * SOURCES])
{
	unsigned n = 0;
	for (; ring_acquire(r); ring_release(r)) {
		struct ring_frame f;
		for (; ring_next(r, &f); n++) {
			bool v6;
			int source = source_of(f.frame, seen, &v6);
			seen->ipv6 += v6;
			seen->outside += source < 0;
			seen->wrong_tags += f.wire_length != f.frame.len;
			if (source < 0)
				continue;
			seen->sources += worker_of[source] == 0;
			seen->split += worker_of[source] && worker_of[source] != worker + 1;
			worker_of[source] = (uint8_t)(worker + 1);
		}
	}
	return n;
}

static void send_all(int fd)
{
	char src[64], dst[64];
	for (unsigned round = 0; round < 4; round++)
		for (unsigned i = 0; i < SOURCES; i++) {
			snprintf(src, sizeof src, "203.0.113.%u", i);
			snprintf(dst, sizeof dst, "192.0.2.%u", round * 50 + i);
			send_frame(fd, round % 3, false, src, dst);
			snprintf(src, sizeof src, "2a00:1:2:%x::%x", i, round);
			send_frame(fd, (round + 1) % 3, true, src, "2001:db8::77");
			send_frame(fd, 0, false, "203.0.113.1", "192.0.3.1");
			send_frame(fd, 1, true, "2a00::1", "2001:db9::77");
		}
}

static void try_spread(struct seen *seen, struct fault *fault)
{
	const struct prefix watched[] = {{address_v4(0xc0000200), 120}, {{{0x20, 1, 0xd, 0xb8}}, 32}};
	struct ring *rings[WORKERS];
	uint8_t worker_of[2 * SOURCES] = {0};
	int sender = sender_open();
	for (unsigned w = 0; w < WORKERS; w++) {
		const struct ring_wanted wanted = {"lo", RING_BYTES, w, WORKERS, 7, false};
		int fd = ring_socket(&wanted, fault);
		if (fd < 0 || ring_open(&rings[w], fd, RING_BYTES, fault))
			return;
	}
	seen->link = ring_link(rings[0]);
	send_all(sender);
	usleep(100000);
	for (unsigned w = 0; w < WORKERS; w++) {
		seen->early += drain(rings[w], w, seen, worker_of);
		if (ring_watch(rings[w], watched, 2, false, fault))
			return;
	}
	send_all(sender);
	usleep(200000);
	for (unsigned w = 0; w < WORKERS; w++)
		seen->frames[w] = drain(rings[w], w, seen, worker_of);
}

/* More than a ring holds; then somebody dies, and a successor goes on. */
static void try_resume(struct seen *seen, struct fault *fault)
{
	const struct ring_wanted wanted = {"lo", RING_BYTES, 0, 1, 8, false};
	struct ring *r;
	uint8_t worker_of[2 * SOURCES] = {0};
	int fd = ring_socket(&wanted, fault), sender = sender_open();
	if (fd < 0 || ring_open(&r, fd, RING_BYTES, fault) || ring_watch(r, NULL, 0, false, fault))
		return;
	for (unsigned i = 0; i < 50000; i++)
		send_frame(sender, 0, false, "203.0.113.1", "192.0.2.1");
	seen->dropped = (unsigned)ring_dropped(r);
	if (!ring_acquire(r))
		return;
	ring_close(r);
	if (ring_open(&r, fd, RING_BYTES, fault) || !ring_acquire(r))
		return;
	seen->resumed_at = (unsigned)ring_sequence(r);
	unsigned packets = ring_packets(r);
	ring_release(r);
	if (!ring_acquire(r))
		return;
	packets += ring_packets(r);
	ring_release(r);
	ring_close(r);
	if (ring_open(&r, fd, RING_BYTES, fault) || !ring_acquire(r))
		return;
	seen->resumed_after_two = (unsigned)ring_sequence(r);
	seen->kept = packets + drain(r, 0, seen, worker_of);
}

static void run_in_namespace(void (*try)(struct seen *, struct fault *), struct seen *seen)
{
	int pipe_fds[2], status;
	memset(seen, 0, sizeof *seen);
	CHECK(pipe(pipe_fds) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct fault fault = {0};
		if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) || loopback_up())
			_exit(NO_NAMESPACE);
		try(seen, &fault);
		memcpy(seen->fault, fault.text, sizeof seen->fault);
		_exit(write(pipe_fds[1], seen, sizeof *seen) == sizeof *seen ? 0 : 1);
	}
	close(pipe_fds[1]);
	ssize_t n = read(pipe_fds[0], seen, sizeof *seen);
	close(pipe_fds[0]);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE)
		SKIP("no network namespace can be made here");
	CHECK(WEXITSTATUS(status) == 0 && n == sizeof *seen);
	CHECK_SAY(!seen->fault[0], "%s", seen->fault);
}

TEST(ring_keeps_a_source_on_one_worker_and_takes_only_what_is_watched)
{
	struct seen seen;
	run_in_namespace(try_spread, &seen);
	CHECK(seen.link == LINK_ETHERNET);
	CHECK_SAY(seen.early == 0, "%u before anybody watched", seen.early);
	CHECK_SAY(seen.outside == 0, "%u that are not watched", seen.outside);
	CHECK_SAY(seen.frames[0] + seen.frames[1] == 2 * 4 * SOURCES, "%u and %u frames", seen.frames[0],
		  seen.frames[1]);
	CHECK_SAY(seen.ipv6 == 4 * SOURCES, "%u of IPv6", seen.ipv6);
	/* The kernel takes the outer one off; it must be back. */
	CHECK_SAY(seen.tags == 7 * SOURCES && !seen.wrong_tags, "%u tags, %u wrong", seen.tags, seen.wrong_tags);
	CHECK_SAY(seen.sources == 2 * SOURCES, "%u sources", seen.sources);
	CHECK_SAY(seen.split == 0, "%u times a source met another worker", seen.split);
	CHECK_SAY(seen.frames[0] > SOURCES && seen.frames[1] > SOURCES, "one worker has nearly all");
}

TEST(ring_counts_what_did_not_fit_and_a_successor_goes_on)
{
	struct seen seen;
	run_in_namespace(try_resume, &seen);
	CHECK(seen.dropped > 0);
	CHECK_SAY(seen.kept + seen.dropped == 50000, "%u read, %u dropped", seen.kept, seen.dropped);
	CHECK_SAY(seen.resumed_at == 1, "resumed at block %u", seen.resumed_at);
	CHECK_SAY(seen.resumed_after_two == 3, "resumed at block %u", seen.resumed_after_two);
}

static int options_check(const char *yaml, struct config *config, struct fault *fault)
{
	int bad = config_read(bytes_of_text(yaml), "test.yaml", config, fault);
	return bad ? bad : live_options_check(config, fault);
}

TEST(telescope_options_are_read_and_need_prefixes)
{
	struct config c;
	struct fault fault = {0};
	CHECK(options_check("telescope: {interface: eth1}", &c, &fault) < 0);
	CHECK_SAY(strstr(fault.text, "telescope.prefixes"), "%s", fault.text);
	config_done(&c);
	int bad = options_check("telescope:\n"
				"  interface: [eth1, eth2]\n"
				"  prefixes: [{prefix: 192.0.2.0/24}, {prefix: 192.0.2.64/26, reactive: true}]\n"
				"  timeout: 2s\n"
				"  scan: {destinations: 7}\n", &c, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	const struct live_options *o = live_options_of(&c);
	CHECK(o->interfaces.count == 2 && o->prefixes.count == 2 && o->workers == 1 && !o->promiscuous);
	CHECK(o->timeout_ms == 2000 && o->interval_ms == 3600000 && o->scan_destinations == 7 && o->scan_ports == 25);
	const struct address silent = address_v4(0xc0000201), asked = address_v4(0xc0000241),
			     other = address_v4(0xc0000301);
	CHECK(!live_prefix_of(o, &silent)->reactive && live_prefix_of(o, &asked)->reactive);
	CHECK(!live_prefix_of(o, &other));
	config_done(&c);
}

static void check_refused(const char *yaml, const char *names)
{
	struct config c;
	struct fault fault = {0};
	CHECK_SAY(options_check(yaml, &c, &fault) < 0, "taken: %s", yaml);
	CHECK_SAY(strstr(fault.text, names), "%s", fault.text);
	config_done(&c);
}

TEST(telescope_options_of_the_reactive_mode_are_checked)
{
#define SECTION_WITH(more) "telescope: {interface: eth1, prefixes: [{prefix: 192.0.2.0/24, reactive: true}], " more "}\n"
	struct config c;
	struct fault fault = {0};
	int bad = options_check(SECTION_WITH("workers: 4, reactive: {rate: 100, hold_out: 0.25, special: allow}"), &c,
				&fault);
	CHECK_SAY(!bad, "%s", fault.text);
	const struct live_reactive *r = &live_options_of(&c)->reactive;
	CHECK(live_options_react(live_options_of(&c)) && r->rate == 100 && r->burst == 5000 && r->special == 1);
	CHECK(r->network_rate == 32 && r->network_burst == 512 && r->hold_out == 0.25 && r->patience_ms == 10000);
	config_done(&c);
	check_refused(SECTION_WITH("workers: 4, reactive: {network_rate: 3}"), "telescope.reactive.network_rate: 3");
	check_refused(SECTION_WITH("reactive: {hold_out: 1.5}"), "telescope.reactive.hold_out");
	check_refused(SECTION_WITH("reactive: {special: yes}"), "telescope.reactive.special");
	check_refused(SECTION_WITH("reactive: {patience: 2m}"), "telescope.reactive.patience");
	check_refused(SECTION_WITH("reactive: {rate: 0}"), "telescope.reactive.rate");
	check_refused(SECTION_WITH("promiscuous: true"), "telescope.promiscuous");
	check_refused("passive: {decoys: [{prefix: 192.0.2.128/25}]}\n" SECTION_WITH("workers: 1"),
		      "telescope.prefixes[0]: 192.0.2.0/24");
}
