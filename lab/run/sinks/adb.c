/*
 * ADB without a key, as boxes with Android leave it open: what a sample wants to run there is the one line
 * that infects, so it is told.  Each message is 24 bytes, numbers with the lowest byte first, then its payload.
 */
#include "base/little.h"
#include "lab/run/sink_protocol.h"

#define ADB_HEADER 24
#define ADB_PAYLOAD_MAX 16384
#define CNXN 0x4e584e43u
#define OPEN 0x4e45504fu
#define OKAY 0x59414b4fu
#define CLSE 0x45534c43u

static bool adb_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return first.len >= 4 && little_get(first.at, 4) == CNXN;
}

static void adb_say(struct talk *t, uint32_t what, uint32_t first, uint32_t second, struct bytes payload)
{
	uint8_t room[ADB_HEADER + 64];
	struct writer w = writer_of(room, sizeof room);
	uint32_t sum = 0;
	for (size_t i = 0; i < payload.len; i++)
		sum += payload.at[i];
	write_le32(&w, what);
	write_le32(&w, first);
	write_le32(&w, second);
	write_le32(&w, payload.len);
	write_le32(&w, sum);
	write_le32(&w, what ^ 0xffffffffu);
	write_span(&w, payload);
	talk_say_bytes(t, writer_bytes(&w));
}

static enum talk_next adb_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	for (;;) {
		struct reader whole = *r;
		uint32_t what = read_le32(&whole), first = read_le32(&whole);
		read_le32(&whole);
		uint32_t len = read_le32(&whole);
		read_bytes(&whole, 8);
		if (reader_ok(&whole) && len > ADB_PAYLOAD_MAX)
			return TALK_END;
		struct bytes payload = read_bytes(&whole, len);
		if (!reader_ok(&whole))
			return TALK_ON;
		*r = whole;
		while (payload.len && !payload.at[payload.len - 1])
			payload.len--;
		if (what == CNXN) {
			adb_say(t, CNXN, 0x01000000, 4096, BYTES("device::ro.product.name=box;\0"));
		} else if (what == OPEN) {
			talk_tell(t, "line", payload, payload);
			adb_say(t, OKAY, 1, first, (struct bytes){0});
			adb_say(t, CLSE, 1, first, (struct bytes){0});
		}
	}
}

static const struct sink_exchange adb_exchanges[] = {
	{.title = "a command for the shell",
	 .said = BYTES("CNXN\0\0\0\1\0\x10\0\0\7\0\0\0\x32\2\0\0\xbc\xb1\xa7\xb1host::\0"
		       "OPEN\7\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\xb0\xaf\xba\xb1shell:id\0"),
	 .heard = BYTES("CNXN\0\0\0\1\0\x10\0\0\x1d\0\0\0"), .begins = true, .told = "line shell:id\n"},
	{0},
};

static const struct sink_protocol adb = {
	.name = "adb",
	.summary = "hears what is to be run on a box with Android",
	.reference = "Android platform, packages/modules/adb/protocol.txt",
	.ports = {5555},
	.recognises = adb_recognises,
	.input = adb_input,
	.exchanges = adb_exchanges,
};
SINK_PROTOCOL(adb);
