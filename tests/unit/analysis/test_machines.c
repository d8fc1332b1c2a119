/* Machines over their addresses: what moved, what is shared, what is disputed, how long it lasts. */
#include "analysis/machines.h"
#include "tests/test.h"
#include <math.h>
#include <stdlib.h>

#define DAY 86400u
#define BEGIN 1700000000u

static struct address address_at(unsigned network, unsigned host)
{
	return address_v4(0x08000000u + (network << 16) + host);
}

static void see(struct machines *m, unsigned network, unsigned host, uint16_t port, enum machine_key kind,
		const char *key, unsigned from_day, unsigned to_day)
{
	struct address a = address_at(network, host);
	CHECK(machines_add(m, &a, port, kind, bytes_of_text(key), BEGIN + from_day * DAY, BEGIN + to_day * DAY, 1) == 0);
}

static struct machines *begin(void)
{
	struct machines *m;
	CHECK(machines_open(&m, MACHINE_SHARED_DEFAULT) == 0);
	return m;
}

static const struct machine *find(const struct machines *m, const char *key)
{
	for (size_t i = 0; i < machines_count(m); i++)
		if (!strcmp(machines_at(m, i)->key, key))
			return machines_at(m, i);
	return NULL;
}

TEST(machines_one_that_moves_is_one)
{
	struct machines *m = begin();
	see(m, 1, 1, 443, MACHINE_CERTIFICATE, "cert", 0, 3);
	see(m, 1, 2, 443, MACHINE_CERTIFICATE, "cert", 5, 6);
	see(m, 2, 3, 8443, MACHINE_CERTIFICATE, "cert", 9, 9);
	see(m, 1, 9, 443, MACHINE_CERTIFICATE, "another", 0, 9);
	CHECK(machines_conclude(m, BEGIN + 10 * DAY) == 0 && machines_count(m) == 2);
	const struct machine *one = machines_at(m, 0), *two = machines_at(m, 1);
	const struct address last = address_at(2, 3);
	CHECK(one->addresses == 3 && !strcmp(one->key, "cert") && address_equal(&one->address, &last));
	CHECK(one->first_s == BEGIN && one->last_s == BEGIN + 9 * DAY && !one->disputed && one->looks == 3);
	CHECK(two->addresses == 1 && one->still > 0 && one->still < 1);
	machines_close(m);
}

TEST(machines_a_key_at_many_addresses_at_once_is_shared_and_links_nothing)
{
	struct machines *m = begin();
	for (unsigned i = 0; i < 4; i++) {
		char own[8];
		snprintf(own, sizeof own, "own%u", i);
		see(m, 1, i, 443, MACHINE_CERTIFICATE, "default", i, i + 4);
		see(m, 1, i, 22, MACHINE_HOST_KEY, own, i, i + 4);
	}
	CHECK(machines_conclude(m, BEGIN + 10 * DAY) == 0);
	CHECK(machines_count(m) == 4 && machines_shared_count(m) == 1);
	CHECK(machines_shared_at(m, 0)->at_once == 4 && machines_shared_at(m, 0)->addresses == 4);
	CHECK(!find(m, "default") && find(m, "own0")->addresses == 1);
	machines_close(m);
	m = begin(); /* the same addresses, one after the other: a machine that moves often */
	for (unsigned i = 0; i < 9; i++)
		see(m, 1, i, 443, MACHINE_CERTIFICATE, "mover", 3 * i, 3 * i + 1);
	CHECK(machines_conclude(m, BEGIN + 30 * DAY) == 0);
	CHECK(machines_count(m) == 1 && machines_shared_count(m) == 0 && machines_at(m, 0)->addresses == 9);
	machines_close(m);
}

TEST(machines_keys_that_moved_together_are_one_and_neighbours_are_not)
{
	struct machines *m = begin();
	see(m, 1, 1, 443, MACHINE_CERTIFICATE, "cert", 0, 3);
	see(m, 1, 1, 22, MACHINE_HOST_KEY, "key", 0, 3);
	see(m, 1, 1, 102, MACHINE_SERIAL, "s7 1", 0, 3);
	see(m, 1, 2, 443, MACHINE_CERTIFICATE, "cert", 6, 8);
	see(m, 1, 2, 22, MACHINE_HOST_KEY, "key", 6, 8);
	CHECK(machines_conclude(m, BEGIN + 10 * DAY) == 0 && machines_count(m) == 2);
	CHECK(machines_at(m, 0)->keys == 2 && machines_at(m, 0)->addresses == 2 && !machines_at(m, 0)->disputed);
	CHECK(find(m, "s7 1") && find(m, "s7 1")->keys == 1);
	machines_close(m);
}

TEST(machines_behind_one_gateway_are_a_dispute_not_a_link)
{
	struct machines *m = begin();
	for (unsigned at = 0; at < 2; at++) { /* also when the gateway moves with all behind it */
		see(m, 1, at, 22, MACHINE_HOST_KEY, "key one", 10 * at, 10 * at + 3);
		see(m, 1, at, 2222, MACHINE_HOST_KEY, "key two", 10 * at, 10 * at + 3);
	}
	see(m, 1, 7, 443, MACHINE_CERTIFICATE, "cert one", 0, 3);
	see(m, 1, 7, 8443, MACHINE_CERTIFICATE, "cert two", 0, 3);
	see(m, 1, 8, 443, MACHINE_CERTIFICATE, "cert three", 0, 3);
	see(m, 1, 8, 443, MACHINE_CERTIFICATE, "cert four", 1, 3);
	see(m, 1, 9, 443, MACHINE_CERTIFICATE, "cert five", 0, 3);
	see(m, 1, 9, 443, MACHINE_CERTIFICATE, "cert six", 6, 9); /* renewed, or another: later */
	CHECK(machines_conclude(m, BEGIN + 20 * DAY) == 0 && machines_count(m) == 8);
	CHECK(find(m, "key one")->disputed && find(m, "key two")->disputed);
	CHECK(!find(m, "cert one")->disputed && !find(m, "cert two")->disputed);
	CHECK(find(m, "cert three")->disputed && find(m, "cert four")->disputed);
	CHECK(!find(m, "cert five")->disputed && !find(m, "cert six")->disputed);
	machines_close(m);
}

TEST(machines_do_not_depend_on_the_order_of_the_rows)
{
	struct machines *a = begin(), *b = begin();
	for (unsigned i = 0; i < 20; i++) {
		char key[8];
		snprintf(key, sizeof key, "k%u", i % 5);
		see(a, 1, i % 7, 443, MACHINE_CERTIFICATE, key, 2 * i, 2 * i + 1);
	}
	for (unsigned i = 20; i-- > 0;) {
		char key[8];
		snprintf(key, sizeof key, "k%u", i % 5);
		see(b, 1, i % 7, 443, MACHINE_CERTIFICATE, key, 2 * i, 2 * i + 1);
	}
	CHECK(machines_conclude(a, BEGIN + 50 * DAY) == 0 && machines_conclude(b, BEGIN + 50 * DAY) == 0);
	CHECK(machines_count(a) == machines_count(b) && machines_count(a) == 5);
	for (size_t i = 0; i < machines_count(a); i++) {
		const struct machine *x = machines_at(a, i), *y = machines_at(b, i);
		CHECK(!strcmp(x->key, y->key) && x->addresses == y->addresses && fabs(x->still - y->still) < 1e-12);
	}
	machines_close(a);
	machines_close(b);
}

TEST(machines_networks_with_much_churn_are_told_from_those_with_little)
{
	struct machines *m = begin();
	char key[16];
	for (unsigned i = 0; i < 20; i++) {
		snprintf(key, sizeof key, "daily%u", i);
		see(m, 1, i, 443, MACHINE_CERTIFICATE, key, 0, 1);
		see(m, 1, i + 100, 443, MACHINE_CERTIFICATE, key, 3, 4);
		snprintf(key, sizeof key, "static%u", i);
		see(m, 2, i, 443, MACHINE_CERTIFICATE, key, 0, 60);
	}
	CHECK(machines_conclude(m, BEGIN + 60 * DAY) == 0);
	CHECK(machines_network_count(m) == 3 && machines_network_at(m, 0)->prefix.bits == 0);
	const struct churn *daily = &machines_network_at(m, 1)->churn, *fixed = &machines_network_at(m, 2)->churn;
	CHECK(daily->endings == 20 && fixed->endings == 0 && daily->low > fixed->high);
	CHECK(fixed->at[2].kept == 1 && daily->at[1].kept < 0);
	CHECK(find(m, "static3")->still > 0.9 && find(m, "daily3")->still < 0.01);
	machines_close(m);
}

/* Kaplan and Meier's own kind of example, worked out by hand: 1, 2+, 3, 8, 9+ days. */
TEST(churn_is_the_product_limit_with_its_interval)
{
	struct spell spells[] = {{9, false}, {3, true}, {1, true}, {8, true}, {2, false}};
	struct churn c = churn_measure(spells, 5);
	CHECK(c.spells == 5 && c.endings == 3 && fabs(c.watched - 23) < 1e-9);
	CHECK(fabs(c.at[0].kept - 0.8) < 1e-12); /* who went on day 1 did not outlast it */
	const double kept = 0.8 * 2 / 3, greenwood = 1.0 / (5 * 4) + 1.0 / (3 * 2);
	CHECK_SAY(fabs(c.at[1].kept - kept) < 1e-12, "%g", c.at[1].kept);
	const double half = 1.959963984540054 * sqrt(greenwood) / fabs(log(kept));
	CHECK(fabs(c.at[1].low - pow(kept, exp(half))) < 1e-12 && c.at[1].low < kept && c.at[1].high > kept);
	CHECK(c.at[2].kept < 0 && fabs(c.median - 8) < 1e-12);
	CHECK(fabs(c.rate - 3.0 / 23) < 1e-12 && c.low < c.rate && c.rate < c.high);
	struct churn none = churn_measure(spells, 0);
	CHECK(none.watched == 0 && churn_still(&none, 1) < 0);
}

/* Spells drawn from a known rate: the interval holds the truth about as often as it says. */
TEST(churn_intervals_hold_the_truth)
{
	enum { TRIALS = 400, SPELLS = 120 };
	unsigned rates = 0, shares = 0;
	srand(7);
	for (unsigned t = 0; t < TRIALS; t++) {
		struct spell spells[SPELLS];
		for (unsigned i = 0; i < SPELLS; i++) {
			const double lasts = -log((rand() + 1.0) / (RAND_MAX + 2.0)) / 0.1, seen = 40.0 * rand() / RAND_MAX;
			spells[i] = (struct spell){lasts < seen ? lasts : seen, lasts < seen};
		}
		struct churn c = churn_measure(spells, SPELLS);
		rates += c.low <= 0.1 && 0.1 <= c.high;
		shares += c.at[1].low <= exp(-0.7) && exp(-0.7) <= c.at[1].high;
	}
	CHECK_SAY(rates > 0.92 * TRIALS && shares > 0.91 * TRIALS && rates < 0.995 * TRIALS, "%u %u", rates, shares);
}

TEST(machines_rows_that_are_malformed_are_counted_and_not_believed)
{
	static const char rows[] =
		"{\"host\":\"8.1.0.1\",\"port\":443,\"kind\":\"certificate\",\"text\":\"aa\",\"first\":1700000000,"
		"\"last\":\"1700000100\",\"looks\":\"2\"}\n"
		"{\"host\":\"8.1.0.2\",\"port\":443,\"kind\":\"serial\",\"text\":\"s7 \\\"x\\u0007\",\"first\":1700000000,"
		"\"last\":1700000100,\"looks\":2}\n"
		"{\"host\":\"nowhere\",\"port\":443,\"kind\":\"certificate\",\"text\":\"aa\",\"first\":1,\"last\":2,\"looks\":1}\n"
		"{\"host\":\"8.1.0.1\",\"port\":70000,\"kind\":\"certificate\",\"text\":\"aa\",\"first\":1,\"last\":2,\"looks\":1}\n"
		"{\"host\":\"8.1.0.1\",\"port\":1,\"kind\":\"shoe size\",\"text\":\"aa\",\"first\":1,\"last\":2,\"looks\":1}\n"
		"{\"host\":\"8.1.0.1\",\"port\":1,\"kind\":\"serial\",\"text\":\"\",\"first\":1,\"last\":2,\"looks\":1}\n"
		"{\"host\":\"8.1.0.1\",\"port\":1,\"kind\":\"serial\",\"text\":\"a\",\"first\":3,\"last\":2,\"looks\":1}\n"
		"no JSON\n";
	struct machines *m = begin();
	CHECK(machines_take(m, bytes_of_text(rows)) == 0 && machines_bad_rows(m) == 6);
	CHECK(machines_conclude(m, BEGIN + DAY) == 0 && machines_count(m) == 2);
	CHECK(find(m, "aa")->looks == 2 && find(m, "s7 ?x?"));
	machines_close(m);
	m = begin();
	CHECK(machines_conclude(m, BEGIN) == 0 && machines_count(m) == 0 && machines_network_count(m) == 1);
	machines_close(m);
}
