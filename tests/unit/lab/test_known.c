#include "tests/test.h"
#include "lab/role/known_inner.h"

static void digest(char out[65], unsigned n)
{
	snprintf(out, 65, "%064x", n);
}

/* Links of one sample, as it would be told. */
static struct sample_story link_of(struct known_samples *k, unsigned n, struct findings *f, struct arena *arena, size_t *joined, bool *news)
{
	struct sample_story s = {.findings = f};
	digest(f->sha256, n);
	CHECK(known_samples_link(k, &s, arena, joined, news) == 0);
	return s;
}

TEST(known_samples_that_share_a_server_are_a_campaign)
{
	struct known_samples *k;
	struct arena arena = ARENA(8u << 20);
	struct findings f = {0};
	char sha256[65];
	size_t joined;
	bool news;
	CHECK(known_samples_open(&k) == 0);
	for (unsigned n = 1; n <= 4; n++) {
		digest(sha256, n);
		CHECK(known_samples_add(k, sha256, "", NULL, n * 1000000) == 0);
	}
	digest(sha256, 1);
	CHECK(known_samples_trait(k, sha256, "command", BYTES("192.0.2.1:23")) == 0);
	struct sample_story s = link_of(k, 1, &f, &arena, &joined, &news);
	CHECK(!s.link_count && !s.campaign && !news);
	digest(sha256, 2);
	known_samples_trait(k, sha256, "command", BYTES("192.0.2.1:23"));
	known_samples_trait(k, sha256, "command", BYTES("192.0.2.1:23")); /* the same again changes nothing */
	s = link_of(k, 2, &f, &arena, &joined, &news);
	CHECK(s.link_count == 1 && !strcmp(s.links[0].shares, "command") && !strcmp(s.links[0].what, "192.0.2.1:23"));
	/* Its name is that of its first sample, and it is told once. */
	CHECK(s.campaign && !strcmp(s.campaign, "c-000000000000") && joined == 2 && news);
	link_of(k, 2, &f, &arena, &joined, &news);
	CHECK(!news);
	known_samples_close(k);
	arena_done(&arena);
}

TEST(known_samples_that_link_two_campaigns_join_them)
{
	struct known_samples *k;
	struct arena arena = ARENA(8u << 20);
	struct findings f = {0};
	char sha256[65];
	size_t joined;
	bool news;
	CHECK(known_samples_open(&k) == 0);
	for (unsigned n = 1; n <= 3; n++) {
		digest(sha256, n);
		known_samples_add(k, sha256, "", n == 1 ? "c-first" : n == 2 ? "c-second" : NULL, n * 1000000);
	}
	digest(sha256, 1);
	known_samples_trait(k, sha256, "key", BYTES("one"));
	digest(sha256, 2);
	known_samples_trait(k, sha256, "wallet", BYTES("two"));
	digest(sha256, 3);
	known_samples_trait(k, sha256, "key", BYTES("one"));
	known_samples_trait(k, sha256, "wallet", BYTES("two"));
	struct sample_story s = link_of(k, 3, &f, &arena, &joined, &news);
	CHECK(s.link_count == 2 && !strcmp(s.campaign, "c-first") && joined == 3 && news);
	s = link_of(k, 2, &f, &arena, &joined, &news);
	CHECK(!strcmp(s.campaign, "c-first") && !news);
	known_samples_close(k);
	arena_done(&arena);
}

/* Alike is told; only what is nearly the same is one campaign. */
TEST(known_samples_that_are_alike_are_linked)
{
	struct known_samples *k;
	struct arena arena = ARENA(8u << 20);
	struct findings f = {0};
	char sha256[65];
	size_t joined;
	bool news;
	static const char *const digests[] = {
		"T1000000000000000000000000000000000000000000000000000000000000000000000A",
		"T1000000000000000000000000000000000000000000000000000000000000000000000B",
		"T1000000000000000000000000000000000000000000000000000000000FFFFFFF00000A",
		"T100000000000000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0000FF",
	};
	CHECK(known_samples_open(&k) == 0);
	for (unsigned n = 0; n < 4; n++) {
		digest(sha256, n + 1);
		CHECK(known_samples_add(k, sha256, digests[n], NULL, (n + 1) * 1000000) == 0);
	}
	struct sample_story s = link_of(k, 1, &f, &arena, &joined, &news);
	CHECK(s.link_count >= 1 && s.link_count <= 2 && !strcmp(s.links[0].shares, "tlsh") && s.campaign && joined == 2);
	s = link_of(k, 4, &f, &arena, &joined, &news);
	CHECK(s.link_count == 0 && !s.campaign);
	known_samples_close(k);
	arena_done(&arena);
}

TEST(known_samples_grow_and_are_bounded)
{
	struct known_samples *k;
	char sha256[65];
	CHECK(known_samples_open(&k) == 0);
	for (unsigned n = 1; n <= KNOWN_SAMPLES_MAX; n++) {
		char what[32];
		digest(sha256, n);
		snprintf(what, sizeof what, "server-%u", n / 3);
		CHECK(known_samples_add(k, sha256, "", NULL, n) == 0 && known_samples_trait(k, sha256, "command", bytes_of_text(what)) == 0);
	}
	digest(sha256, KNOWN_SAMPLES_MAX + 1);
	CHECK(known_samples_add(k, sha256, "", NULL, 1) == ERR_FULL && known_samples_trait(k, sha256, "key", BYTES("x")) == ERR_MISSING);
	digest(sha256, 77);
	CHECK(known_samples_time_us(k, sha256) == 77 && known_samples_count(k) == KNOWN_SAMPLES_MAX);
	CHECK(known_samples_add(k, "short", "", NULL, 1) != 0);
	known_samples_close(k);
}

TEST(known_samples_share_what_says_something)
{
	static const struct {
		struct indicator i;
		const char *shares;
	} cases[] = {
		{{INDICATOR_ENDPOINT, FOR_COMMAND, BYTES("192.0.2.1:23"), "", 80, 0, 0}, "command"},
		{{INDICATOR_ENDPOINT, FOR_VICTIM, BYTES("192.0.2.1:23"), "", 80, 0, 0}, NULL},
		{{INDICATOR_ENDPOINT, FOR_COMMAND, BYTES("192.0.2.1:23"), "", 30, 0, 0}, NULL},
		{{INDICATOR_KEY, FOR_UNKNOWN, BYTES("xor 0x22"), "", 90, 0, 0}, NULL},
		{{INDICATOR_KEY, FOR_UNKNOWN, BYTES("ssh-rsa AAAAB3"), "", 90, 0, 0}, "key"},
		{{INDICATOR_AGENT, FOR_UNKNOWN, BYTES("Mozilla/5.0"), "", 90, 0, 0}, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *shares = known_samples_shares(&cases[i].i);
		CHECK(cases[i].shares ? shares && !strcmp(shares, cases[i].shares) : !shares);
	}
}
