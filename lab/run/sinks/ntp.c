/* NTP: the time is what whoever asks believes it to be; a sandbox that corrects a clock is noticed. */
#include "lab/run/sink_protocol.h"

#define NTP_HEADER 48

enum { MODE_CLIENT = 3 };

static bool ntp_recognises(struct bytes first, bool on_its_port)
{
	return on_its_port && first.len >= NTP_HEADER && (first.at[0] & 7) == MODE_CLIENT;
}

/* RFC 5905 7.3; what the client sent as its time comes back in all four places. */
static enum talk_next ntp_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct bytes asked = read_bytes(r, NTP_HEADER);
	read_rest(r);
	if (asked.len < NTP_HEADER)
		return TALK_END;
	const struct bytes theirs = {asked.at + 40, 8};
	uint8_t room[NTP_HEADER];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, (uint8_t)((asked.at[0] & 0x38) | 4));
	write_bytes(&w, "\2\6\xec\0\0\x01\0\0\0\x02\0\xc6\x12\0\1", 15); /* stratum 2, its source is 198.18.0.1 */
	for (unsigned i = 0; i < 4; i++)
		write_span(&w, theirs);
	talk_say_bytes(t, writer_bytes(&w));
	return TALK_END;
}

static const struct sink_exchange ntp_exchanges[] = {
	{.title = "its own time comes back",
	 .said = BYTES("\x23\0\6\xec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abcdefgh"),
	 .heard = BYTES("\x24\2\6\xec\0\0\x01\0\0\0\x02\0\xc6\x12\0\1" "abcdefghabcdefghabcdefghabcdefgh")},
	{.title = "too short", .said = BYTES("\x23\0\6\xec"), .heard = BYTES("")},
	{0},
};

static const struct sink_protocol ntp = {
	.name = "ntp",
	.summary = "gives back the time that it is asked with",
	.reference = "RFC 5905",
	.datagrams = true,
	.question = true,
	.ports = {123},
	.recognises = ntp_recognises,
	.input = ntp_input,
	.exchanges = ntp_exchanges,
};
SINK_PROTOCOL(ntp);
