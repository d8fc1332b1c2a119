#include "base/prefix_pieces.h"
#include "control/policy.h"
#include "tests/unit/control/case.h"

static struct survey_lease make(void)
{
	return (struct survey_lease){
		.id = {{1}},
		.name = "spring",
		.from = {address_v4(0xc6336401)},
		.seed = 7,
		.round = 2,
		.rate = 1000,
		.packets_max = 50000,
		.begins_us = NOW,
		.expires_us = NOW + MINUTE,
		.tier = 1,
		.looks = true,
		.ports = {{23, 6}, {161, 17}},
		.port_count = 2,
	};
}

static struct bytes write(const struct survey_lease *l, uint8_t *room, size_t n)
{
	struct writer w = writer_of(room, n);
	write_u8(&w, SURVEY_PART_LEASE);
	survey_lease_write(l, &w);
	CHECK(!w.bad);
	return writer_bytes(&w);
}

static bool reads(const struct survey_lease *l)
{
	uint8_t room[SURVEY_LEASE_WIRE_MAX + 1];
	struct bytes part = write(l, room, sizeof room);
	struct reader r = reader_of(part.at + 1, part.len - 1);
	struct survey_lease back;
	return survey_lease_read(&r, &back);
}

TEST(survey_lease_survives_the_wire_and_no_part_of_it_does)
{
	struct survey_lease lease = make(), back = {0};
	uint8_t room[SURVEY_LEASE_WIRE_MAX + 1];
	struct bytes part = write(&lease, room, sizeof room);
	struct reader r = reader_of(part.at + 1, part.len - 1);
	CHECK(survey_lease_read(&r, &back) && !reader_left(&r));
	CHECK(!strcmp(back.name, "spring") && back.seed == 7 && back.round == 2 && back.rate == 1000);
	CHECK(back.packets_max == 50000 && back.begins_us == NOW && back.expires_us == NOW + MINUTE);
	CHECK(back.tier == 1 && back.looks && back.port_count == 2 && address_equal(&back.from[0], &lease.from[0]));
	CHECK(back.ports[0].port == 23 && back.ports[0].protocol == 6 && back.ports[1].protocol == 17);
	for (size_t n = 0; n + 1 < part.len; n++) {
		r = reader_of(part.at + 1, n);
		CHECK(!survey_lease_read(&r, &back));
	}
}

TEST(survey_lease_of_the_largest_size_fits_its_limit)
{
	struct survey_lease lease = make();
	memset(lease.name, 'n', SURVEY_NAME_MAX);
	lease.port_count = SURVEY_PORTS_MAX;
	for (uint16_t i = 0; i < SURVEY_PORTS_MAX; i++)
		lease.ports[i] = (struct survey_port){(uint16_t)(i + 1), 6};
	CHECK(reads(&lease));
}

TEST(survey_lease_without_port_rate_budget_time_or_name_is_refused)
{
	struct survey_lease l = make();
	CHECK(reads(&l));
	l.port_count = 0;
	CHECK(!reads(&l));
	l = make();
	l.ports[1].protocol = 1;
	CHECK(!reads(&l));
	l = make();
	l.rate = 0;
	CHECK(!reads(&l));
	l = make();
	l.packets_max = 0;
	CHECK(!reads(&l));
	l = make();
	l.expires_us = l.begins_us;
	CHECK(!reads(&l));
	l = make();
	l.name[0] = 0;
	CHECK(!reads(&l));
}

static int give(struct survey_grant *g, enum survey_part kind, const char *const *prefixes, size_t count)
{
	struct prefix_set set = {0};
	uint8_t room[1024];
	struct writer w = writer_of(room, sizeof room);
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		struct prefix p;
		CHECK(prefix_parse(bytes_of_text(prefixes[i]), &p) && !prefix_set_add(&set, &p));
	}
	prefix_set_seal(&set);
	write_u8(&w, (uint8_t)kind);
	CHECK(prefix_pieces_write(&set, &at, &w));
	prefix_set_done(&set);
	return survey_grant_read(g, writer_bytes(&w));
}

TEST(survey_grant_is_whole_with_lease_targets_and_what_is_excluded)
{
	static const char *const targets[] = {"8.0.0.0/8"}, *const first[] = {"8.1.0.0/16"},
				 *const second[] = {"8.1.0.0/16", "8.2.0.0/16"};
	struct survey_lease lease = make();
	struct survey_grant *g;
	uint8_t room[SURVEY_LEASE_WIRE_MAX + 1];
	const char *why;
	struct address late = address_of("8.2.3.4");
	CHECK(survey_grant_open(&g) == 0 && !survey_grant_is_whole(g));
	CHECK(survey_grant_read(g, write(&lease, room, sizeof room)) == 1 && !survey_grant_is_whole(g));
	CHECK(give(g, SURVEY_PART_TARGETS, targets, 1) == 1 && !survey_grant_is_whole(g));
	CHECK(give(g, SURVEY_PART_EXCLUDED, first, 1) == 1 && survey_grant_is_whole(g));
	CHECK(survey_grant_revision(g) == 1 && !prefix_set_holds(survey_grant_excluded(g), &late));
	CHECK(give(g, SURVEY_PART_EXCLUDED, second, 2) == 1);
	CHECK(survey_grant_revision(g) == 2 && prefix_set_holds(survey_grant_excluded(g), &late));
	CHECK(survey_grant_goes_on(g, &why));
	CHECK(survey_grant_read(g, BYTES("\x04\x01")) == 1 && survey_grant_goes_on(g, &why));
	CHECK(survey_grant_read(g, BYTES("\x04\x00stopped by hand")) == 1);
	CHECK(!survey_grant_goes_on(g, &why) && !strcmp(why, "stopped by hand"));
	CHECK(survey_grant_read(g, BYTES("\x04\x01")) == 1 && !survey_grant_goes_on(g, &why));
	CHECK(survey_grant_read(g, BYTES("\x09")) < 0 && survey_grant_read(g, BYTES("")) < 0);
	survey_grant_close(g);
}
