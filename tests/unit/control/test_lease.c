#include "control/policy.h"
#include "tests/test.h"

static struct lease make(void)
{
	return (struct lease){
		.id = {{1}},
		.cause = {{2}},
		.root = {{3}},
		.depth = 4,
		.target = address_v4(0xcb007105),
		.from = address_v4(0xc6336401),
		.ports = {23, 80 | PORT_UDP},
		.port_count = 2,
		.tier = 1,
		.basis = BASIS_HANDSHAKE,
		.packets_max = 32,
		.not_before_us = 1427846400000000,
		.expires_us = 1427846460000000,
		.trigger_us = 1427846399000000,
	};
}

TEST(lease_survives_the_wire)
{
	struct lease lease = make(), back;
	memset(&back, 0, sizeof back);
	uint8_t room[LEASE_WIRE_MAX];
	struct writer w = writer_of(room, sizeof room);
	lease_write(&lease, &w);
	CHECK(!w.bad);
	struct reader r = reader_of_bytes(writer_bytes(&w));
	CHECK(lease_read(&r, &back) && reader_left(&r) == 0);
	CHECK(!memcmp(&lease.id, &back.id, 48) && back.depth == 4);
	CHECK(address_equal(&back.target, &lease.target) && address_equal(&back.from, &lease.from));
	CHECK(back.port_count == 2 && back.ports[0] == 23 && back.ports[1] == (80 | PORT_UDP));
	CHECK(back.tier == 1 && back.basis == BASIS_HANDSHAKE && back.packets_max == 32);
	CHECK(back.not_before_us == lease.not_before_us && back.expires_us == lease.expires_us);
	CHECK(back.trigger_us == lease.trigger_us);
	for (size_t n = 0; n < writer_used(&w); n++) {
		struct reader cut = reader_of(room, n);
		CHECK(!lease_read(&cut, &back));
	}
}

TEST(lease_of_the_largest_size_fits_its_limit)
{
	struct lease lease = make();
	lease.port_count = LEASE_PORTS_MAX;
	for (uint16_t i = 0; i < LEASE_PORTS_MAX; i++)
		lease.ports[i] = i + 1u;
	uint8_t room[LEASE_WIRE_MAX];
	struct writer w = writer_of(room, sizeof room);
	lease_write(&lease, &w);
	CHECK(!w.bad);
}

static bool reads(const struct lease *lease)
{
	uint8_t room[LEASE_WIRE_MAX];
	struct writer w = writer_of(room, sizeof room);
	lease_write(lease, &w);
	struct reader r = reader_of_bytes(writer_bytes(&w));
	struct lease back;
	return lease_read(&r, &back);
}

TEST(lease_without_target_port_or_basis_is_refused)
{
	struct lease lease = make();
	CHECK(reads(&lease));
	lease.target = (struct address){0};
	CHECK(!reads(&lease));
	lease = make();
	lease.port_count = 0;
	CHECK(!reads(&lease));
	lease = make();
	lease.port_count = LEASE_PORTS_MAX + 1;
	CHECK(!reads(&lease));
	lease = make();
	lease.ports[1] = PORT_UDP;
	CHECK(!reads(&lease));
	lease.ports[1] = 3 * PORT_UDP + 80;
	CHECK(!reads(&lease));
	lease = make();
	lease.basis = BASIS_NONE;
	CHECK(!reads(&lease));
	lease.basis = BASIS_COUNT;
	CHECK(!reads(&lease));
}

TEST(basis_names_are_found_again)
{
	for (int b = 0; b < BASIS_COUNT; b++)
		CHECK(basis_find(bytes_of_text(basis_name((enum basis)b))) == b);
	CHECK(basis_find(BYTES("hunch")) < 0);
}
