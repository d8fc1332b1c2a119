/* Answers of name servers: what is believed of them. */
#include "active/visit/dns_inner.h"
#include "tests/test.h"

#define ID 0x1234
#define HEADER(flags, answers) "\x12\x34" flags "\x00\x01\x00" answers "\x00\x00\x00\x00"
#define ASKED "\x04" "evil" "\x07" "example" "\x00\x00\x01\x00\x01"
#define A(owner, ttl, address) owner "\x00\x01\x00\x01\x00\x00\x00" ttl "\x00\x04" address

static int answer(struct bytes message, struct dns_answer *out)
{
	return dns_answer_read(message, ID, "evil.example", DNS_A, out);
}

TEST(dns_question_is_as_the_rfc_draws_it)
{
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof room);
	CHECK(dns_question_write(&w, ID, "evil.example.", DNS_A) == 0);
	CHECK(bytes_equal(writer_bytes(&w), BYTES("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" ASKED
						  "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00")));
	static const char *const bad[] = {"", "a..b", ".a", "0123456789012345678901234567890123456789012345678901234567890123.x"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		w = writer_of(room, sizeof room);
		CHECK_SAY(dns_question_write(&w, ID, bad[i], DNS_A) == ERR_BAD, "%s", bad[i]);
	}
}

TEST(dns_answer_is_read_with_its_aliases)
{
	struct dns_answer a;
	CHECK(answer(BYTES(HEADER("\x81\x80", "\x02") ASKED A("\xc0\x0c", "\x3c", "\x01\x02\x03\x04") A("\xc0\x0c", "\x1e", "\x01\x02\x03\x05")), &a) == 0);
	CHECK(a.count == 2 && address_to_v4(&a.addresses[1]) == 0x01020305 && a.ttl_s == 30 && a.code == 0);
	/* The alias stands behind what it leads to; a record of another name is nobody's. */
	CHECK(answer(BYTES(HEADER("\x81\x80", "\x03") ASKED A("\x01" "b\x00", "\x3c", "\x05\x06\x07\x08") A("\x01" "c\x00", "\x3c", "\x09\x09\x09\x09")
			   "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x05\x00\x03\x01" "b\x00"), &a) == 0);
	CHECK(a.count == 1 && address_to_v4(&a.addresses[0]) == 0x05060708 && a.ttl_s == 5);
	CHECK(answer(BYTES(HEADER("\x81\x83", "\x00") ASKED), &a) == 0 && a.count == 0 && a.code == 3);
	CHECK(answer(BYTES(HEADER("\x83\x80", "\x00") ASKED), &a) == 0 && a.truncated);
}

TEST(dns_answer_that_is_none_is_not_believed)
{
	static const struct bytes cases[] = {
		BYTES("\x12\x35\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00" ASKED), /* another id */
		BYTES(HEADER("\x01\x00", "\x00") ASKED),                         /* a question */
		BYTES(HEADER("\x81\x80", "\x00") "\x04" "evim" "\x07" "example" "\x00\x00\x01\x00\x01"),
		BYTES(HEADER("\x81\x80", "\x00") "\x04" "evil" "\x07" "example" "\x00\x00\x1c\x00\x01"),
		BYTES(HEADER("\x81\x80", "\x00") "\xc0\x0c\x00\x01\x00\x01"),     /* a name that points to itself */
		BYTES("\x12\x34\x81"),
	};
	struct dns_answer a;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_SAY(answer(cases[i], &a) == ERR_BAD, "case %zu", i);
	/* Cut within a record, and an alias of itself: no address, no endless way. */
	CHECK(answer(BYTES(HEADER("\x81\x80", "\x01") ASKED "\xc0\x0c\x00\x01\x00\x01\x00"), &a) == 0 && a.count == 0);
	CHECK(answer(BYTES(HEADER("\x81\x80", "\x01") ASKED "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x05\x00\x02\xc0\x0c"), &a) == 0 && a.count == 0);
}

TEST(dns_names_of_no_public_tree_are_not_asked_for)
{
	static const char *const private[] = {"localhost", "localhost.", "a.localhost", "printer", "printer.local", "x.ONION", "a.internal.",
					      "1.0.0.127.in-addr.arpa", "", "."};
	for (size_t i = 0; i < sizeof private / sizeof *private; i++)
		CHECK_SAY(dns_name_is_private(private[i]), "%s", private[i]);
	CHECK(!dns_name_is_private("evil.example") && !dns_name_is_private("local.evil.example."));
}
