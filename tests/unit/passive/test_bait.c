/* Tokens of bait: they come back as what they were, and nothing else is taken for one. */
#include "base/random.h"
#include "passive/device/bait/bait.h"
#include "tests/test.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bait_secret *secret(void)
{
	static struct bait_secret k;
	uint8_t bytes[BAIT_SECRET_BYTES];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	k = bait_secret_of(bytes);
	return &k;
}

static struct bytes written(const struct bait_token *t, enum bait_shape shape, char room[64])
{
	struct writer w = writer_of(room, 64);
	bait_write(secret(), t, shape, &w);
	CHECK(!w.bad);
	return writer_bytes(&w);
}

TEST(bait_comes_back_in_every_shape)
{
	char room[64];
	for (uint32_t i = 0; i < 1000; i++) {
		struct address a = address_v4((uint32_t)random_mix(i));
		char name[16];
		snprintf(name, sizeof name, "user%u", i);
		const struct bait_token device = bait_of_device(secret(), &a, bytes_of_text(name)),
					entry = {BAIT_ENTRY, i + 1, 0};
		for (int shape = 0; shape < BAIT_SHAPES; shape++)
			for (int k = 0; k < 2; k++) {
				const struct bait_token *t = k ? &entry : &device;
				struct bait_token back = {0};
				enum bait_shape how = BAIT_SHAPES;
				struct bytes word = written(t, (enum bait_shape)shape, room);
				CHECK(bait_read(secret(), word, &back, &how));
				CHECK((int)how == shape && back.source == t->source && back.where == t->where &&
				      back.mark == t->mark);
			}
	}
}

TEST(bait_of_two_devices_and_two_names_differs)
{
	char one[64], two[64];
	struct address a = address_v4(0xc0000201), b = address_v4(0xc0000202);
	struct bait_token x = bait_of_device(secret(), &a, BYTES("deploy")),
			  y = bait_of_device(secret(), &b, BYTES("deploy")),
			  z = bait_of_device(secret(), &a, BYTES("backup"));
	CHECK(!bytes_equal(written(&x, BAIT_PASSWORD, one), written(&y, BAIT_PASSWORD, two)));
	CHECK(!bytes_equal(written(&x, BAIT_PASSWORD, one), written(&z, BAIT_PASSWORD, two)));
	CHECK(bait_id(secret(), &x) != bait_id(secret(), &y) && bait_id(secret(), &x) != bait_id(secret(), &z));
}

TEST(bait_is_found_among_other_words)
{
	char room[64], text[256];
	const struct bait_token t = {BAIT_ENTRY, 77, 0};
	struct bait_token found;
	enum bait_shape shape;
	struct bytes word = written(&t, BAIT_NAME, room);
	for (size_t i = 0; i < word.len; i += 2) /* a resolver that plays with letter case */
		if (room[i] >= 'a')
			room[i] = (char)(room[i] - 32);
	int n = snprintf(text, sizeof text, "GET /x-%.*s.tar?q=1 HTTP/1.1", (int)word.len, (const char *)word.at);
	struct bytes rest = {(const uint8_t *)text, (size_t)n};
	CHECK(bait_next(secret(), &rest, &found, &shape) && shape == BAIT_NAME && found.where == 77);
	CHECK(!bait_next(secret(), &rest, &found, &shape));
	n = snprintf(text, sizeof text, "x%.*s", (int)word.len, (const char *)word.at);
	rest = (struct bytes){(const uint8_t *)text, (size_t)n};
	CHECK(!bait_next(secret(), &rest, &found, &shape));
}

/* Words of the right shape, and tokens with one letter changed. */
TEST(bait_is_nothing_else)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct random random = random_seeded(4);
	struct bait_token t = {BAIT_ENTRY, 5, 0}, found;
	enum bait_shape shape;
	char room[64];
	for (unsigned i = 0; i < 200000; i++) {
		for (size_t k = 0; k < BAIT_PASSWORD_CHARS; k++)
			room[k] = letters[random_below(&random, 62)];
		CHECK(!bait_read(secret(), (struct bytes){(uint8_t *)room, BAIT_PASSWORD_CHARS}, &found, &shape));
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct bytes word = written(&t, (enum bait_shape)(i % BAIT_SHAPES), room);
		size_t at = random_below(&random, word.len);
		char was = room[at];
		room[at] = letters[random_below(&random, 62)];
		bool same = room[at] == was || (i % BAIT_SHAPES && (room[at] | 32) == (was | 32));
		CHECK(same || !bait_read(secret(), word, &found, &shape));
	}
}

static char *state_new(char room[64])
{
	snprintf(room, 64, "/tmp/kansoku-bait-XXXXXX");
	CHECK(mkdtemp(room));
	return room;
}

static void state_end(const char *state)
{
	char path[128];
	snprintf(path, sizeof path, "%s/bait/ledger", state);
	unlink(path);
	snprintf(path, sizeof path, "%s/bait", state);
	rmdir(path);
	rmdir(state);
}

TEST(bait_ledger_is_read_while_another_writes)
{
	char room[64], *state = state_new(room);
	struct fault fault = {0};
	struct bait_ledger writer, reader;
	int first = bait_ledger_create(state, &fault), second = bait_ledger_create(state, &fault);
	CHECK(first >= 0 && second >= 0);
	CHECK(bait_ledger_open(&reader, first, &fault) == 0 && bait_ledger_open(&writer, second, &fault) == 0);
	CHECK(!memcmp(&reader.secret, &writer.secret, sizeof reader.secret));
	struct bait_entry e = {.kind = LEDGER_PLACE, .by = "me", .user = "backup", .text = "a\tlist\nof hosts"};
	CHECK(bait_ledger_add(&writer, &e, &fault) == 0 && e.number == 1);
	e.kind = LEDGER_ACCOUNT;
	CHECK(bait_ledger_add(&writer, &e, &fault) == 0 && e.number == 2);
	CHECK(!bait_ledger_entry(&reader, 1));
	bait_ledger_refresh(&reader);
	CHECK(reader.count == 2 && !strcmp(bait_ledger_entry(&reader, 1)->text, "a list of hosts"));
	CHECK(bait_ledger_entry(&reader, 2)->kind == LEDGER_ACCOUNT && !bait_ledger_entry(&reader, 3));
	bait_ledger_done(&reader);
	bait_ledger_done(&writer);
	close(first);
	close(second);
	state_end(state);
}

TEST(bait_ledger_that_is_damaged_is_refused)
{
	struct bait_ledger l = {.fd = -1};
	CHECK(bait_ledger_take(&l, BYTES("kansoku bait 2 00\n")) == ERR_BAD && l.read == 0);
	CHECK(bait_ledger_take(&l, BYTES("kansoku bait 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
					 "1\t9\tplace\tme\t\tthere\n2\t9\tpla")) == 0);
	CHECK(l.count == 1 && l.entries[0].time_s == 9);
	CHECK(bait_ledger_take(&l, BYTES("3\t9\tplace\tme\t\tthere\n")) == ERR_BAD && l.count == 1);
	bait_ledger_done(&l);
}

static struct sight sight_of(uint64_t token, uint64_t time_us)
{
	return (struct sight){.token = token, .time_us = time_us, .source = address_v4((uint32_t)token), .name = "x"};
}

TEST(bait_is_remembered_with_who_saw_it_first)
{
	int fd = memfd_create("sights", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, (off_t)sights_file_bytes()) == 0);
	struct sights *one = sights_open(fd), *other = sights_open(fd);
	struct sight s = sight_of(7, 100), found;
	CHECK(one && other && sights_add(one, &s));
	s.time_us = 200;
	CHECK(!sights_add(other, &s) && sights_find(other, 7, &found) && found.time_us == 100);
	for (uint64_t i = 0; i < 4 * SIGHTS_MAX; i++) { /* more than it holds: the latest stay */
		s = sight_of(random_mix(i) | 1, 1000 + i);
		sights_add(one, &s);
	}
	unsigned kept = 0;
	for (uint64_t i = 4 * SIGHTS_MAX - 1000; i < 4 * SIGHTS_MAX; i++)
		kept += sights_find(other, random_mix(i) | 1, &found);
	CHECK_SAY(kept > 950, "%u of the last 1000", kept);
	CHECK(sights_erase(one, &found.source, 0, 0) >= 1 && !sights_find(other, found.token, &found));
	sights_erase(one, NULL, 0, UINT64_MAX);
	CHECK(!sights_find(other, random_mix(4 * SIGHTS_MAX - 2) | 1, &found));
	sights_close(one);
	sights_close(other);
	close(fd);
}

static void expand_all(const struct persona *p, const struct vfs_entry *e, unsigned *count)
{
	uint8_t room[65536];
	const struct address local = address_v4(0xc0000217);
	struct persona_look look;
	if (e->kind == VFS_FILE && e->flags & VFS_MADE) {
		struct writer w = writer_of(room, sizeof room);
		persona_look(p, 1, &local, 1700000000000000, &look);
		persona_expand(&look, e->content, &w);
		struct bytes text = writer_bytes(&w);
		CHECK_SAY(!w.bad && bytes_find(text, "%{bait") == text.len, "%s of %s has bait of no shape", e->name,
			  p->name);
		*count += bytes_find(e->content, "%{bait.") < e->content.len;
	}
	for (size_t i = 0; i < e->child_count; i++)
		expand_all(p, &e->children[i], count);
}

TEST(bait_lies_in_personas_that_lure_and_is_told_with_its_path)
{
	struct bait bait = {.ledger = {.fd = -1, .secret = *secret()}};
	struct persona_set set = {.lure = true, .bait = &bait};
	struct fault fault = {0};
	unsigned count = 0;
	CHECK_SAY(persona_read_directory(&set, "etc/personas", &fault) == 0, "%s", fault.text);
	CHECK(bait_survey(&bait, &set) == 0);
	for (size_t i = 0; i < set.count; i++) {
		size_t before = bait.place_count ? bait.shown_count : 0;
		expand_all(set.items[i], set.items[i]->root, &count);
		for (size_t k = before; k < bait.shown_count; k++)
			CHECK_SAY(*bait.shown[k].path == '/' && strlen(bait.shown[k].name) < SIGHT_NAME_MAX - 1,
				  "%s of %s has no path or a long name", bait.shown[k].name, set.items[i]->name);
		bait.shown_count = 0;
	}
	CHECK(count >= 10);
	struct persona_set quiet = {.lure = false};
	CHECK(persona_read_directory(&quiet, "etc/personas", &fault) == 0);
	const struct persona *plain = persona_named(&quiet, "webserver"), *luring = persona_named(&set, "webserver");
	CHECK(!persona_page(plain, BYTES("GET"), BYTES("/backup/")) && persona_page(luring, BYTES("GET"), BYTES("/backup/")));
	persona_set_done(&quiet);
	persona_set_done(&set);
	bait_done(&bait);
}

TEST(bait_opens_what_it_was_planted_for)
{
	struct bait bait = {.ledger = {.fd = -1, .secret = *secret()}};
	struct address here = address_v4(0xc0000201), there = address_v4(0xc0000202);
	struct bait_token t = bait_of_device(secret(), &here, BYTES("deploy")), place = {BAIT_ENTRY, 1, 0};
	char room[64];
	struct bytes word = written(&t, BAIT_PASSWORD, room);
	CHECK(bait_opens(&bait, &here, BYTES("deploy"), word) && !bait_opens(&bait, &there, BYTES("deploy"), word));
	struct address six;
	CHECK(address_parse(BYTES("2001:db8::7"), &six));
	t = bait_of_device(secret(), &six, BYTES("deploy"));
	char other[64];
	CHECK(bait_opens(&bait, &six, BYTES("deploy"), written(&t, BAIT_PASSWORD, other)));
	CHECK(!bait_opens(&bait, &here, BYTES("root"), word) && !bait_opens(NULL, &here, BYTES("deploy"), word));
	word = written(&place, BAIT_PASSWORD, room);
	CHECK(!bait_opens(&bait, &here, BYTES("backup"), word));
	struct bait_entry entries[] = {{.number = 1, .user = "backup"}};
	bait.ledger.entries = entries;
	bait.ledger.count = 1;
	CHECK(bait_opens(&bait, &there, BYTES("backup"), word) && !bait_opens(&bait, &there, BYTES("root"), word));
}
