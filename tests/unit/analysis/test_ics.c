/* TTLs of industrial systems that seem to attack: the six rows of 2015, and what they must not be taken for. */
#include "analysis/ics.h"
#include "tests/test.h"

static struct ics_row row_of(const char *line)
{
	struct ics_row row;
	struct fault fault = {0};
	CHECK_SAY(ics_row_read(bytes_of_text(line), &row, &fault) == 0, "%s: %s", line, fault.text);
	return row;
}

static struct ics_verdict judge(const char *line)
{
	const struct ics_row row = row_of(line);
	struct ics_verdict v;
	ics_judge(&row, &v);
	return v;
}

static bool says(const struct ics_verdict *v, const char *what) { return strstr(v->reason, what) != NULL; }

TEST(ics_reads_a_ttl_as_each_initial_value_that_is_near_enough)
{
	struct ttl_reading r[TTL_READINGS_MAX];
	CHECK(ttl_readings(50, r) == 2 && r[0].initial == 60 && r[0].hops == 10 && r[1].initial == 64 && r[1].hops == 14);
	CHECK(!r[0].common && r[1].common);
	CHECK(ttl_readings(80, r) == 1 && r[0].initial == 100 && r[0].hops == 20); /* 48 hops from 128 there are none */
	CHECK(ttl_readings(15, r) == 2 && r[0].initial == 30 && r[1].initial == 32);
	CHECK(ttl_readings(117, r) == 1 && r[0].initial == 128 && r[0].hops == 11);
	CHECK(ttl_readings(93, r) == 2 && r[0].initial == 100 && r[1].initial == 128);
	CHECK(ttl_readings(0, r) == 0 && ttl_readings(170, r) == 0 && ttl_readings(255, r) == 1);
	CHECK(ttl_expected(45, r) && r[0].initial == 64 && r[0].hops == 19);
	CHECK(ttl_expected(93, r) && r[0].initial == 100 && !r[0].common); /* not 128 after 35 hops */
	CHECK(ttl_expected(15, r) && r[0].initial == 30 && !ttl_expected(170, r));
}

TEST(ics_row_a_expects_windows_twice_and_does_not_say_that_it_is_one)
{
	const struct ics_verdict v = judge("A; TW; 23, 47808/UDP (111); BACnet; 445/TCP (104)");
	CHECK(v.controller_initial == 128 && v.attacker_initial == 128);
	CHECK(v.machines_least == 1 && v.machines_seem == 1 && v.same == ICS_UNDECIDED);
	CHECK(says(&v, "23, 47808/udp: TTL 111 is 128 after 17 hops, Windows is expected"));
	CHECK(says(&v, "attack's TTL 104 is 128 after 24 hops, Windows is expected"));
	CHECK(says(&v, "hops of two vantages are not compared"));
}

TEST(ics_row_c_is_two_hosts_at_least_behind_forwarded_ports)
{
	const struct ics_verdict v = judge("C; VE; 502, 8080/TCP (45) and 3389/TCP (109); Modbus; 445/TCP (110)");
	CHECK(v.machines_least == 2 && v.machines_seem == 2);
	CHECK(says(&v, "at least 2 hosts answer at one address, so ports are forwarded"));
	CHECK(v.controller_initial == 64 && v.attacker_initial == 128);
	/* A tool may have chosen the attack's TTL, and the row does not say what its packets looked like. */
	CHECK(v.same == ICS_UNDECIDED && says(&v, "not known whether a tool chose the attack's"));
	CHECK(says(&v, "what answers at 3389 begins with the same TTL as the attack"));
}

TEST(ics_rows_b_d_e_and_f_lead_to_no_more_than_the_source_concluded)
{
	static const struct {
		const char *row;
		uint8_t controller, attacker;
	} rows[] = {
		{"B; BR; 13, 21, 22, 80, 81, 502/TCP (50); Modbus; 23/TCP (51)", 64, 64},
		{"D; AU; 80, 1911/TCP (117); Tridium; 445/TCP (118)", 128, 128},
		{"E; US; 1911, 3389/TCP (114); Tridium; 3389/TCP (116)", 128, 128},
		{"F; TR; 23/TCP (50), 80/TCP (80), 102/TCP (15); Siemens S7; 445/TCP (117)", 30, 128},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ics_verdict v = judge(rows[i].row);
		CHECK_SAY(v.machines_least == 1 && v.same == ICS_UNDECIDED, "%s: %u, %s", rows[i].row, v.machines_least,
			  ics_same_word(v.same));
		CHECK(v.controller_initial == rows[i].controller && v.attacker_initial == rows[i].attacker);
	}
	const struct ics_verdict f = judge(rows[3].row);
	CHECK(f.machines_seem == 3 && says(&f, "TTL 80 may be 100 after 20 hops, which is rare"));
	CHECK(!says(&f, "80: TTL 80 is 128"));
}

TEST(ics_a_systems_own_syn_decides_what_a_ttl_alone_does_not)
{
	const struct ics_verdict other = judge("g; JP; 502/TCP (45); Modbus; 445/TCP (110); syn=system");
	CHECK(other.same == ICS_DIFFERENT && other.machines_least == 2);
	const struct ics_verdict also = judge("g; JP; 502/TCP (45), 3389/TCP (109); Modbus; 445/TCP (110); syn=system");
	CHECK(also.same == ICS_DIFFERENT && also.machines_least == 2); /* the attacker is one of the two */
	/* Rare values may be one device with several stacks. */
	const struct ics_verdict rare = judge("g; JP; 102/TCP (15); Siemens S7; 445/TCP (117); syn=system");
	CHECK(rare.same == ICS_UNDECIDED && rare.machines_least == 1);
}

TEST(ics_hops_are_compared_within_one_vantage_or_after_calibration)
{
	const char *far = "h; JP; 502/TCP (50); Modbus; 23/TCP (40); syn=system";
	CHECK(judge(far).same == ICS_UNDECIDED);
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (40); syn=system; vantage=one").same == ICS_DIFFERENT);
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (40); syn=system; offset=10; spread=1").same == ICS_LIKELY);
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (40); syn=system; offset=2; spread=1").same == ICS_DIFFERENT);
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (40); syn=system; offset=2; spread=9").same == ICS_UNDECIDED);
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (50); syn=system; vantage=one").same == ICS_LIKELY);
	/* Without the shape of a system's SYN nothing is likely; one hop off is nobody's proof. */
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (50); vantage=one").same == ICS_UNDECIDED);
	CHECK(judge("h; JP; 502/TCP (50); Modbus; 23/TCP (49); syn=system; vantage=one").same == ICS_UNDECIDED);
	/* Where another machine seems to be, it may be the attacker. */
	CHECK(judge("h; JP; 80/TCP (51), 502/TCP (50); Modbus; 23/TCP (50); syn=system; vantage=one").same == ICS_UNDECIDED);
}

TEST(ics_concludes_less_when_the_address_may_have_changed_hands)
{
	const struct ics_verdict same = judge("k; JP; 502/TCP (50); Modbus; 23/TCP (50); syn=system; vantage=one; apart=25");
	CHECK(same.same == ICS_UNDECIDED && says(&same, "25 hours lie between the attack and the look"));
	const struct ics_verdict other = judge("k; JP; 502/TCP (50); Modbus; 445/TCP (110); syn=system; apart=72");
	CHECK(other.same == ICS_DIFFERENT && other.machines_least == 1);
	CHECK(judge("k; JP; 502/TCP (50); Modbus; 23/TCP (50); syn=system; vantage=one; apart=24").same == ICS_LIKELY);
}

TEST(ics_a_rare_reading_is_told_where_it_fits_the_way)
{
	const struct ics_verdict v = judge("i; JP; 22/TCP (47), 502/TCP (43); Modbus; 22/TCP (43)");
	CHECK(says(&v, "502: TTL 43 is 64 after 21 hops") && says(&v, "it may as well be 60 after 17 hops, then it is as far away as 22"));
	CHECK(v.machines_least == 1 && v.machines_seem == 2);
}

TEST(ics_rows_are_written_as_they_are_read)
{
	const struct ics_row row = row_of("C; VE; 502, 8080/TCP (45) and 3389/TCP (109), 47808/udp; Modbus; 445/TCP (110), icmp (60)");
	char text[256];
	struct writer w = writer_of(text, sizeof text - 1);
	CHECK(row.answer_count == 4 && row.answers[0].ttl == 45 && row.answers[1].ttl == 45 && row.answers[3].ttl == 0);
	CHECK(row.answers[3].udp && row.dark_count == 2 && row.dark[1].icmp && row.dark[1].ttl == 60);
	ics_ports_write(&row, &w);
	write_text(&w, " | ");
	ics_dark_write(&row, &w);
	*w.at = '\0';
	CHECK_SAY(!strcmp(text, "502, 8080/TCP (45), 3389/TCP (109), 47808/UDP | 445/TCP (110), ICMP (60)"), "%s", text);
}

TEST(ics_rows_that_are_none_are_refused_with_a_sentence)
{
	static const char *const rows[] = {
		"", ";;;;", "A; TW", "A; TW; 23/TCP (111); BACnet", "A; TW; 0/TCP (1); BACnet; 445/TCP (104)",
		"A; TW; 23/SCTP (1); BACnet; 445", "A; TW; 23 (256); BACnet; 445", "A; TW; 23 (0); BACnet; 445",
		"A; TW; 23 (; BACnet; 445", "A; TW; 65536; BACnet; 445", "A; TW; 23; HTTP; 445", "A; TW; icmp (3); BACnet; 445",
		"A; TW; 23; BACnet; 445; what=ever", "A; TW; 23; BACnet; 445; spread=-1", "A; TW; 23,,; BACnet; 445",
		"A; TW; 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25; BACnet; 445",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ics_row row;
		struct fault fault = {0};
		CHECK_SAY(ics_row_read(bytes_of_text(rows[i]), &row, &fault) == ERR_BAD && fault.text[0], "%s", rows[i]);
	}
}
