/*
 * Dark traffic as a capture that every analyser opens: the first packet of each account, made of what the account knows.
 *
 * It says so itself: the file's comment tells how it was made, and each packet's for how many it stands and what of it
 * is not known.  A packet ends behind its headers where there was a payload, which is private; its length says how much.
 * pcapng (draft-ietf-opsawg-pcapng), since the older pcap has no comments; lowest byte first, raw IP, microseconds.
 */
#include "base/little.h"
#include "share/output.h"
#include "share/outputs/pcapng/rebuilt_inner.h"

#define BLOCK_MAX 4096
#define COMMENT_MAX 512

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, OPTION_COMMENT = 1, OPTION_PROGRAM = 4 };
enum { LINK_RAW = 101, MAGIC = 0x1a2b3c4d };

static void write_option(struct writer *w, unsigned code, const char *text)
{
	size_t n = strlen(text);
	write_le16(w, (uint16_t)code);
	write_le16(w, (uint16_t)n);
	write_text(w, text);
	write_zero(w, -n & 3);
}

/* The block's length stands in front of it and behind. */
static void block_begin(struct writer *w, uint32_t type)
{
	write_le32(w, type);
	write_le32(w, 0);
}

static void block_end(struct writer *w, size_t from)
{
	write_le32(w, 0); /* no more options */
	size_t n = writer_used(w) - from + 4;
	write_le32(w, (uint32_t)n);
	write_little_at(w, from + 4, n, 4);
}

static int begin(struct output_run *run)
{
	const struct output_about *a = output_about(run);
	char comment[COMMENT_MAX];
	struct writer w = output_room(run, BLOCK_MAX);
	snprintf(comment, sizeof comment, "%.200s, by %.100s, TLP:%s. Rebuilt from accounts of traffic: the first packet of each, its "
		 "headers only; sequence numbers, identification and what is not known are zero.",
		 a->title ? a->title : a->collection, a->producer ? a->producer : "kansoku", a->marking ? a->marking : "AMBER");
	block_begin(&w, BLOCK_SECTION);
	write_le32(&w, MAGIC);
	write_le16(&w, 1);
	write_le16(&w, 0);
	write_le64(&w, UINT64_MAX); /* of unknown length */
	write_option(&w, OPTION_COMMENT, comment);
	write_option(&w, OPTION_PROGRAM, "kansoku");
	block_end(&w, 0);
	size_t at = writer_used(&w);
	block_begin(&w, BLOCK_INTERFACE);
	write_le16(&w, LINK_RAW);
	write_le16(&w, 0);
	write_le32(&w, REBUILT_MAX);
	block_end(&w, at);
	return output_wrote(run, &w);
}

static void describe(const struct event *e, const struct rebuilt *p, char comment[COMMENT_MAX])
{
	struct writer w = writer_of(comment, COMMENT_MAX - 1);
	uint64_t packets = event_number(e, FIELD_FLOW_PACKETS, 1), first = event_number(e, FIELD_FLOW_FIRST, e->time_us);
	struct bytes tool = event_bytes(e, FIELD_TOOL), class = event_bytes(e, FIELD_FLOW_CLASS);
	write_fmt(&w, "stands for %llu packets over %llu s", (unsigned long long)packets,
		  (unsigned long long)(e->time_us > first ? (e->time_us - first) / 1000000 : 0));
	if (event_get(e, FIELD_FLOW_DESTINATIONS))
		write_fmt(&w, " to %llu addresses", (unsigned long long)event_number(e, FIELD_FLOW_DESTINATIONS, 0));
	if (class.len)
		write_fmt(&w, "; %.*s", (int)(class.len < 40 ? class.len : 40), (const char *)class.at);
	if (tool.len)
		write_fmt(&w, "; %.*s", (int)(tool.len < 80 ? tool.len : 80), (const char *)tool.at);
	if (!event_get(e, FIELD_DST))
		write_text(&w, "; destination not told");
	if (p->len_wire > p->len)
		write_text(&w, "; payload not told");
	*w.at = '\0';
}

static int event(struct output_run *run, const struct event *e)
{
	struct rebuilt p;
	char comment[COMMENT_MAX];
	uint64_t first = event_number(e, FIELD_FLOW_FIRST, e->time_us);
	if (!packet_rebuild(e, &p))
		return output_skip(run);
	describe(e, &p, comment);
	struct writer w = output_room(run, BLOCK_MAX);
	block_begin(&w, BLOCK_PACKET);
	write_le32(&w, 0); /* the interface */
	write_le32(&w, (uint32_t)(first >> 32));
	write_le32(&w, (uint32_t)first);
	write_le32(&w, (uint32_t)p.len);
	write_le32(&w, (uint32_t)p.len_wire);
	write_bytes(&w, p.bytes, p.len);
	write_zero(&w, -p.len & 3);
	write_option(&w, OPTION_COMMENT, comment);
	block_end(&w, 0);
	return output_wrote(run, &w);
}

static const struct output_specimen specimens[] = {
	{"a SYN, a datagram, and an answer over IPv6",
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-06-01T00:01:40Z\",\"src\":\"203.0.113.9\",\"dst\":\"192.0.2.1\",\"proto\":\"tcp\","
	 "\"dport\":23,\"flow.first\":\"2015-06-01T00:00:59Z\",\"flow.packets\":3,\"flow.bytes\":180,\"flow.flags\":2,"
	 "\"flow.ttl.max\":48,\"flow.ja4t\":\"64240_2-4-8-1-3_1460_7\"}\n"
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-06-01T00:01:41Z\",\"src\":\"203.0.113.10\",\"proto\":\"udp\",\"dport\":53,"
	 "\"flow.packets\":1,\"flow.bytes\":60}\n"
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-06-01T00:01:42Z\",\"src\":\"2001:db8::9\",\"proto\":\"tcp\",\"sport\":80,"
	 "\"flow.answer\":true,\"flow.flags\":18}\n",
	 NULL, NULL},
	{0},
};

static const struct output pcapng = {
	.name = "pcapng",
	.summary = "dark traffic as a capture: the first packet of each account, without payload, with a comment",
	.reference = "draft-ietf-opsawg-pcapng",
	.media_type = "application/x-pcapng",
	.extension = "pcapng",
	.kinds = KIND_MASK(EVENT_FLOW_COUNTED),
	.begin = begin,
	.event = event,
	.specimens = specimens,
};
OUTPUT(pcapng);
