/*
 * DShield's lines of a firewall's log, as its clients send them: nine columns with tabs: date, time and zone; number of the
 * author, which whoever submits them sets; count; source; source port; target; target port; protocol; flags.
 *
 * What is not known is "???" for a port, as the format says; a target that the recipient may not see is 10.0.0.1, which
 * is how DShield asks for targets to be hidden.  Only what was aimed at us is reported: flows that answer and victims of
 * forged sources are not, since their sources are innocent.
 */
#include "share/output.h"
#include <time.h>

#define AUTHOR_NONE "0"
#define TARGET_HIDDEN "10.0.0.1"

enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16, FLAG_URG = 32 };

static void write_time(struct writer *w, uint64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	char text[40];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +00:00", &tm);
	write_text(w, text);
}

static void write_port(struct writer *w, const struct event *e, uint16_t field)
{
	const struct event_value *v = event_get(e, field);
	if (v)
		write_fmt(w, "\t%llu", (unsigned long long)v->number);
	else
		write_text(w, "\t???");
}

static void write_flags(struct writer *w, uint64_t flags)
{
	static const char letters[] = "FSRPAU";
	for (unsigned i = 0; letters[i]; i++)
		if (flags >> i & 1)
			write_u8(w, (uint8_t)letters[i]);
}

static bool is_aimed(const struct event *e)
{
	struct bytes class = event_bytes(e, FIELD_FLOW_CLASS);
	if (e->kind == EVENT_SESSION_OPENED)
		return true;
	return !event_bool(e, FIELD_FLOW_ANSWER) && !bytes_equal_text(class, "backscatter") &&
	       !bytes_equal_text(class, "reflection") && !bytes_equal_text(class, "spoofed") &&
	       !bytes_equal_text(class, "misconfigured");
}

static int event(struct output_run *run, const struct event *e)
{
	char text[ADDRESS_TEXT_MAX];
	struct address src, dst;
	struct bytes proto = event_bytes(e, FIELD_PROTO);
	bool session = e->kind == EVENT_SESSION_OPENED;
	if (!event_address(e, FIELD_SRC, &src) || !is_aimed(e))
		return output_skip(run);
	struct writer w = output_room(run, 1024);
	write_time(&w, event_number(e, FIELD_FLOW_FIRST, e->time_us));
	write_fmt(&w, "\t" AUTHOR_NONE "\t%llu\t%s", (unsigned long long)event_number(e, FIELD_FLOW_PACKETS, 1),
		  address_format(&src, text));
	write_port(&w, e, FIELD_SPORT);
	write_fmt(&w, "\t%s", event_address(e, FIELD_DST, &dst) ? address_format(&dst, text) : TARGET_HIDDEN);
	write_port(&w, e, FIELD_DPORT);
	write_u8(&w, '\t');
	for (size_t i = 0; i < proto.len && i < 16; i++)
		write_u8(&w, proto.at[i] >= 'a' && proto.at[i] <= 'z' ? (uint8_t)(proto.at[i] - 32) : proto.at[i]);
	write_u8(&w, '\t');
	write_flags(&w, session && bytes_equal_text(proto, "tcp") ? FLAG_SYN : event_number(e, FIELD_FLOW_FLAGS, 0));
	write_u8(&w, '\n');
	return output_wrote(run, &w);
}

static const struct output_specimen specimens[] = {
	{"a scan, a session, and a victim's answers, which are not reported",
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-06-01T00:01:40Z\",\"src\":\"203.0.113.9\",\"dst\":\"192.0.2.1\","
	 "\"proto\":\"tcp\",\"dport\":23,\"flow.first\":\"2015-06-01T00:00:59Z\",\"flow.packets\":3,\"flow.flags\":2,"
	 "\"flow.class\":\"scan\"}\n"
	 "{\"kind\":\"session.opened\",\"time\":\"2015-06-01T00:01:40Z\",\"src\":\"2001:db8::9\",\"sport\":4711,"
	 "\"dport\":22,\"proto\":\"tcp\"}\n"
	 "{\"kind\":\"flow.counted\",\"src\":\"203.0.113.10\",\"proto\":\"tcp\",\"sport\":80,\"flow.answer\":true,"
	 "\"flow.class\":\"backscatter\"}\n",
	 "2015-06-01 00:00:59 +00:00\t0\t3\t203.0.113.9\t???\t192.0.2.1\t23\tTCP\tS\n"
	 "2015-06-01 00:01:40 +00:00\t0\t1\t2001:db8::9\t4711\t10.0.0.1\t22\tTCP\tS\n", NULL},
	{0},
};

static const struct output dshield = {
	.name = "dshield",
	.summary = "lines of a firewall's log as DShield takes them",
	.reference = "DShield client specification: tab-separated format",
	.media_type = "text/tab-separated-values; charset=utf-8",
	.extension = "tsv",
	.kinds = KIND_MASK(EVENT_FLOW_COUNTED) | KIND_MASK(EVENT_SESSION_OPENED),
	.true_addresses = true,
	.event = event,
	.specimens = specimens,
};
OUTPUT(dshield);
