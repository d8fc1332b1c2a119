/* What a packet, an account and a source are: answer or request, class, tool, systems behind. */
#include "passive/telescope/accounts/accounts_inner.h"

const char *const traffic_class_names[TRAFFIC_CLASSES] = {
	[CLASS_SCAN] = "scan",		       [CLASS_BACKSCATTER] = "backscatter",
	[CLASS_REFLECTION] = "reflection",     [CLASS_SPOOFED] = "spoofed",
	[CLASS_MISCONFIGURED] = "misconfigured", [CLASS_OTHER] = "other",
};
const char *const record_end_names[RECORD_ENDS] = {
	[RECORD_QUIET] = "quiet", [RECORD_INTERVAL] = "interval", [RECORD_FULL] = "full",
	[RECORD_EARLY] = "early", [RECORD_END] = "end",
};

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* Asked for what was never there, so often, and nothing else: a setting that is wrong. */
#define MISCONFIGURED_PACKETS 5
#define MISCONFIGURED_RECORDS 2
/* Where so few addresses are watched, one destination says nothing about a source. */
#define MISCONFIGURED_WATCHED 16
/* A reflector that sends one address of ours so many datagrams was asked in its name. */
#define REFLECTION_PACKETS 10

static bool icmp_answers(uint8_t type)
{
	/* CAIDA's list: replies and errors (RFC 792, RFC 950). */
	switch (type) {
	case 0: case 3: case 4: case 5: case 11: case 12: case 14: case 16: case 18:
		return true;
	default:
		return false;
	}
}

static bool icmp6_answers(uint8_t type)
{
	return (type >= 1 && type <= 4) || type == 129; /* RFC 4443 */
}

static bool segment_answers(uint8_t flags)
{
	return (flags & RST) || (flags & (SYN | ACK)) == (SYN | ACK);
}

static bool port_answers(const struct telescope *t, uint32_t port)
{
	return t->udp_answer_port[port / 8] >> port % 8 & 1;
}

/*
 * A datagram from a port that answers, to one that does not, is an answer.  Between two such ports
 * the payload tells: DNS has a bit for it (RFC 1035 4.1.1), NTP modes (RFC 5905 7.3).
 */
static bool datagram_answers(const struct telescope *t, const struct packet_batch *b, unsigned i)
{
	uint32_t sport = b->column[COLUMN_SPORT][i], dport = b->column[COLUMN_DPORT][i];
	struct bytes p = b->payload[i];
	if (!port_answers(t, sport))
		return false;
	if (sport == 53 || sport == 5353)
		return p.len > 2 ? p.at[2] & 0x80 : !port_answers(t, dport);
	if (sport == 123 && p.len) {
		uint8_t mode = p.at[0] & 7;
		return mode == 4 || mode == 2 || (mode >= 6 && p.at[0] & 0x80) ||
		       (mode == 6 && p.len > 1 && p.at[1] & 0x80);
	}
	return !port_answers(t, dport);
}

/* Each of both belongs to one version of IP, and no message is shorter than 8 bytes (RFC 792, RFC 4443). */
static bool icmp_is_whole(const struct packet_batch *b, unsigned i)
{
	uint32_t version = b->column[COLUMN_PROTO][i] == ICMP ? 4 : 6;
	return b->column[COLUMN_VERSION][i] == version && b->column[COLUMN_PAYLOAD][i];
}

/*
 * Who has asked resets what answered it: a scanner's own system does so behind a reactive telescope,
 * from a port of its own each time.  That is no answer to anybody, and belongs to the port it asked.
 */
static bool resets_its_own(const struct telescope *t, uint32_t source, uint8_t flags)
{
	return flags & RST && ((const struct source *)pool_item(&t->sources, source))->bits & SOURCE_SYN;
}

struct account_key packet_key(const struct telescope *t, const struct packet_batch *b, unsigned i,
			      uint32_t source)
{
	struct account_key k = {.source = source, .proto = (uint8_t)b->column[COLUMN_PROTO][i]};
	uint32_t sport = b->column[COLUMN_SPORT][i], dport = b->column[COLUMN_DPORT][i];
	switch (k.proto) {
	case TCP:
		k.flags = (uint8_t)b->column[COLUMN_FLAGS][i];
		k.answer = segment_answers(k.flags) && !resets_its_own(t, source, k.flags);
		k.port = (uint16_t)(k.answer ? sport : dport);
		break;
	case ICMP:
	case ICMP6:
		/* Without a header there are no type and code; zeros would be an echo's reply. */
		if (icmp_is_whole(b, i)) {
			k.port = (uint16_t)(sport << 8 | (dport & 0xff));
			k.answer = k.proto == ICMP ? icmp_answers((uint8_t)sport) : icmp6_answers((uint8_t)sport);
		} else {
			k.flags = HEADLESS;
		}
		break;
	case UDP:
		k.answer = datagram_answers(t, b, i);
		k.flags = k.answer ? ANSWERED : ASKED;
		k.port = (uint16_t)(k.answer ? sport : dport);
		break;
	default:
		break;
	}
	if (b->column[COLUMN_FRAGMENT][i]) {
		k.port = 0;
		k.answer = false;
		k.flags = k.proto == TCP ? 0 : HEADLESS;
	}
	return k;
}

uint32_t account_destinations(const struct telescope *t, const struct account *a)
{
	struct destinations set = {a->destinations_at, a->destinations};
	uint32_t n = destinations_count(&t->destinations, &set);
	return n < a->packets ? n : a->packets; /* a sketch may err to more than there can be */
}

bool account_target_key(const struct account *a, struct target_key *k)
{
	*k = (struct target_key){a->destinations_at, a->port, a->proto, account_answers(a)};
	return a->destinations == 1;
}

static bool asks(const struct account *a, const struct source *s, unsigned tool)
{
	switch (a->proto) {
	case TCP:
		if ((a->flags & (SYN | ACK | FIN | RST)) == SYN)
			return true;
		/* Without a connection such segments are scans of the kinds that look for filters. */
		return tool || a->destinations > 2 || s->records > 4;
	case UDP:
		return a->flags == ASKED;
	case ICMP:
		return a->port >> 8 == 8 || a->port >> 8 == 13 || a->port >> 8 == 15 || a->port >> 8 == 17;
	case ICMP6:
		return a->port >> 8 == 128;
	default:
		return false;
	}
}

static enum traffic_class class_of_answer(const struct account *a, const struct target *target)
{
	if (target && target_is_reflection(target))
		return CLASS_REFLECTION;
	if (a->destinations == 1 && a->proto == UDP && a->packets >= REFLECTION_PACKETS)
		return CLASS_REFLECTION;
	return CLASS_BACKSCATTER;
}

enum traffic_class account_class(const struct telescope *t, const struct account *a, unsigned tool)
{
	const struct source *s = pool_item(&t->sources, a->source);
	struct target_key k;
	const struct target *target = account_target_key(a, &k) ? fanin_find(&t->fanin, &k) : NULL;
	if (account_answers(a))
		return class_of_answer(a, target);
	if (target && target_is_flood(target))
		return CLASS_SPOOFED;
	if (!asks(a, s, tool))
		return CLASS_OTHER;
	const struct sample *payload = a->payload ? sample_of(&t->payloads, a->payload) : NULL;
	bool amplifies = payload && payload->note && t->options.signatures &&
			 signatures_payload_amplifies(t->options.signatures, payload->note);
	if (a->destinations == 1 && a->packets >= MISCONFIGURED_PACKETS && !tool && !amplifies &&
	    s->records <= MISCONFIGURED_RECORDS && t->options.watched > MISCONFIGURED_WATCHED)
		return CLASS_MISCONFIGURED;
	return CLASS_SCAN;
}

void source_evidence(struct source *s, uint8_t rule)
{
	unsigned least = 0;
	for (unsigned i = 0; i < SOURCE_RULES; i++) {
		if (s->evidence[i].rule == rule) {
			s->evidence[i].count += s->evidence[i].count < UINT8_MAX;
			return;
		}
		if (s->evidence[i].count < s->evidence[least].count)
			least = i;
	}
	if (s->evidence[least].count > 1) { /* who has shown more than a chance hit is not pushed out at once */
		s->evidence[least].count--;
		return;
	}
	s->evidence[least].rule = rule;
	s->evidence[least].count = 1;
}

/*
 * A relation over 16 bits holds by chance once in 65,536 packets, so a tool needs as many packets
 * as its rule says, and one in 64 of all that the source sent.
 */
static bool believed(const struct telescope *t, const struct source *s, unsigned i)
{
	uint8_t rule = s->evidence[i].rule, count = s->evidence[i].count;
	return rule && count >= signatures_rule_evidence(t->options.signatures, rule) &&
	       (count == UINT8_MAX || (uint64_t)count * 64 >= s->packets);
}

unsigned account_tool(const struct telescope *t, const struct account *a, const struct source *s)
{
	if (!t->options.signatures || !s->evidence[0].rule)
		return 0;
	unsigned only = 0, tools = 0;
	for (unsigned i = 0; i < SOURCE_RULES; i++) {
		if (!believed(t, s, i))
			continue;
		if (a->rule == s->evidence[i].rule)
			return signatures_rule_tool(t->options.signatures, a->rule);
		only = s->evidence[i].rule;
		tools++;
	}
	/* The first packet of a pair has nothing to be compared with; it is of its source's one tool. */
	bool syn = a->proto == TCP && (a->flags & (SYN | ACK)) == SYN;
	if (!a->rule && a->packets == 1 && tools == 1 && syn)
		return signatures_rule_tool(t->options.signatures, (uint8_t)only);
	return 0;
}

uint64_t source_tools(const struct telescope *t, const struct source *s)
{
	uint64_t tools = 0;
	for (unsigned i = 0; t->options.signatures && i < SOURCE_RULES; i++)
		if (believed(t, s, i))
			tools |= UINT64_C(1) << (signatures_rule_tool(t->options.signatures, s->evidence[i].rule) - 1);
	return tools;
}
