#include "control/settings_inner.h"
#include "control/steers_inner.h"
#include "tests/unit/control/case.h"

static uint8_t message[STEER_MESSAGE_MAX];

/* What a worker makes of the messages: its own copy, by the format alone. */
static struct copy {
	uint64_t version;
	size_t count;
	struct {
		struct address source;
		char persona[32];
	} entries[3000];
} copy;

static void copy_put(const struct address *a, struct bytes persona)
{
	size_t i = 0;
	while (i < copy.count && !address_equal(&copy.entries[i].source, a))
		i++;
	if (persona.len == 0) {
		if (i < copy.count)
			copy.entries[i] = copy.entries[--copy.count];
		return;
	}
	CHECK(i < 3000);
	copy.count += i == copy.count;
	copy.entries[i].source = *a;
	CHECK(bytes_copy_text(persona, copy.entries[i].persona, sizeof copy.entries[i].persona));
}

static void copy_take(struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint64_t version = read_u64(&r);
	CHECK(version > copy.version);
	copy.version = version;
	if (read_u8(&r) & STEER_FLAG_ALL)
		copy.count = 0;
	for (uint32_t n = read_u32(&r); n; n--) {
		struct bytes source = read_bytes(&r, 16);
		read_bytes(&r, 16);
		struct bytes persona = read_bytes(&r, read_u8(&r));
		for (int i = 0; i < 3; i++) /* arm, rule, reasons */
			read_bytes(&r, read_u8(&r));
		CHECK(reader_ok(&r));
		struct address a;
		memcpy(a.b, source.at, sizeof a.b);
		copy_put(&a, persona);
	}
	CHECK(reader_ok(&r) && reader_left(&r) == 0);
}

static const char *copy_find(uint32_t v4)
{
	struct address a = address_v4(v4);
	for (size_t i = 0; i < copy.count; i++)
		if (address_equal(&copy.entries[i].source, &a))
			return copy.entries[i].persona;
	return "";
}

static unsigned send_changes(struct steers *s, size_t room)
{
	unsigned messages = 0;
	for (;; messages++) {
		struct writer w = writer_of(message, room);
		if (!steers_write_changes(s, &w))
			return messages;
		copy_take(writer_bytes(&w));
	}
}

static unsigned send_all(struct steers *s, size_t room)
{
	unsigned messages = 0;
	size_t at = 0;
	for (;; messages++) {
		struct writer w = writer_of(message, room);
		if (!steers_write_all(s, &at, &w))
			return messages;
		copy_take(writer_bytes(&w));
	}
}

static int set(struct steers *s, uint32_t v4, const char *persona, uint64_t expires)
{
	const struct steer steer = {.source = address_v4(v4), .cause = {{1}}, .expires_us = expires, .persona = persona};
	return steers_set(s, &steer);
}

static struct steers *open_steers(size_t max)
{
	struct steers *s = NULL;
	memset(&copy, 0, sizeof copy);
	CHECK(steers_open(&s, max, 3, 100) == 0);
	return s;
}

TEST(steers_tell_changes_once)
{
	struct steers *s = open_steers(10);
	CHECK(set(s, 1, "dvr", 50) == 1 && set(s, 2, "camera", 60) == 1);
	CHECK(send_changes(s, sizeof message) == 1 && copy.count == 2);
	CHECK(!strcmp(copy_find(1), "dvr") && !strcmp(copy_find(2), "camera"));
	CHECK(set(s, 1, "dvr", 70) == 0); /* lasts longer, nothing to tell */
	CHECK(send_changes(s, sizeof message) == 0);
	CHECK(set(s, 1, "router", 70) == 1);
	CHECK(send_changes(s, sizeof message) == 1 && !strcmp(copy_find(1), "router"));
	steers_expire(s, 60);
	CHECK(send_changes(s, sizeof message) == 1 && copy.count == 1 && !*copy_find(2));
	steers_close(s);
}

TEST(steers_send_a_large_table_in_parts)
{
	struct steers *s = open_steers(3000);
	CHECK(send_all(s, sizeof message) == 1 && copy.count == 0); /* empty, but it replaces */
	for (uint32_t i = 1; i <= 3000; i++)
		CHECK(set(s, i, i % 2 ? "dvr" : "camera", i) == 1);
	steers_expire(s, 10); /* ten are gone, and the workers must not hear of them */
	copy_put(&(struct address){{9}}, BYTES("stale"));
	CHECK(send_all(s, 4096) > 10);
	CHECK(copy.count == 2990 && !*copy_find(10) && !strcmp(copy_find(11), "dvr"));
	CHECK(send_changes(s, 4096) > 10 && copy.count == 2990);
	steers_close(s);
}

TEST(steers_make_room_for_the_newest)
{
	struct steers *s = open_steers(2);
	set(s, 1, "dvr", 10);
	set(s, 2, "dvr", 10);
	CHECK(set(s, 3, "dvr", 10) == 1);
	send_changes(s, sizeof message);
	CHECK(copy.count == 2 && !*copy_find(1) && *copy_find(2) && *copy_find(3));
	CHECK(steers_count(s) == 2);
	int full = 1;
	for (uint32_t i = 4; i < 20000 && full == 1; i++)
		full = set(s, i, "dvr", 10);
	CHECK(full == ERR_FULL); /* nobody takes the changes: bounded all the same */
	send_changes(s, sizeof message);
	CHECK(set(s, 3, "dvr", 10) == 1);
	steers_close(s);
}

TEST(steers_that_come_back_before_they_are_told_stay)
{
	struct steers *s = open_steers(4);
	set(s, 1, "dvr", 10);
	send_changes(s, sizeof message);
	steers_expire(s, 10);
	CHECK(set(s, 1, "dvr", 20) == 1 && steers_count(s) == 1);
	send_changes(s, sizeof message);
	CHECK(copy.count == 1 && !strcmp(copy_find(1), "dvr"));
	struct steer steer;
	struct address one = address_v4(1);
	CHECK(steers_find(s, &one, &steer) && steer.expires_us == 20);
	steers_close(s);
}

TEST(steering_knows_the_classes_of_the_personas)
{
	struct policy_case c;
	policy_case_open(&c, "");
	CHECK(!strcmp(settings_persona_for(&c.settings, BYTES("DVR")), "dvr"));
	CHECK(!strcmp(settings_persona_for(&c.settings, BYTES("ip camera")), "camera"));
	CHECK(!strcmp(settings_persona_for(&c.settings, BYTES("ADSL Router")), "router"));
	CHECK(!settings_persona_for(&c.settings, BYTES("Heat Pump")));
	policy_case_close(&c);
	policy_case_open(&c, "control: {steering: [{class: Heat Pump, persona: plc}]}\n");
	CHECK(!strcmp(settings_persona_for(&c.settings, BYTES("Heat Pump")), "plc"));
	CHECK(!settings_persona_for(&c.settings, BYTES("DVR")));
	policy_case_close(&c);
}
