/* What attackers leave at devices: kept, found again, forgotten, and bounded. */
#include "passive/room/devices.h"
#include "base/random.h"
#include "tests/test.h"
#include <sys/mman.h>
#include <unistd.h>

#define NOW_US UINT64_C(1700000000000000)
#define DAY_US UINT64_C(86400000000)
#define FILE_BYTES (1u << 20)

static const struct devices_options usual = {.count = 100,
					     .file_bytes = FILE_BYTES,
					     .device_bytes = 64 << 10,
					     .memory_bytes = 8 << 20,
					     .keep_ms = UINT64_C(30) * 86400000};

static int file_new(void)
{
	int fd = memfd_create("devices", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, FILE_BYTES) == 0);
	return fd;
}

static struct address source_of(uint32_t i) { return address_v4(0xc6336400 + i); }
static const struct address *decoy(void)
{
	static struct address a;
	a = address_v4(0xc0000217);
	return &a;
}

static struct device *enter(struct devices *d, uint32_t source, uint64_t now_us)
{
	struct address a = source_of(source);
	struct device *v = devices_enter(d, &a, decoy(), &persona_plain, now_us);
	CHECK(v);
	devices_touch(d, v);
	return v;
}

static int put(struct device *v, const char *path, struct bytes content)
{
	struct arena a = ARENA(4096);
	struct vfs files;
	struct vfs_change *c;
	vfs_start_on(&files, persona_plain.root, &v->files, &a);
	files.now_s = 1700000000;
	int error = vfs_open(&files, bytes_of_text(path), VFS_TRUNCATE, 0644, &c);
	error = error ? error : vfs_append(&files, c, content);
	arena_done(&a);
	return error;
}

static bool holds(struct device *v, const char *path, struct bytes content)
{
	struct arena a = ARENA(1 << 20);
	struct vfs files;
	struct vfs_node n;
	struct bytes b;
	vfs_start_on(&files, persona_plain.root, &v->files, &a);
	bool yes = vfs_find(&files, bytes_of_text(path), true, &n) == 0 && vfs_content(n, &a, &b) == 0 &&
		   bytes_equal(b, content);
	arena_done(&a);
	return yes;
}

static void leave_file(struct devices *d, uint32_t source, struct bytes content, uint64_t now_us)
{
	struct device *v = enter(d, source, now_us);
	CHECK(put(v, "/tmp/x", content) == 0);
	CHECK(devices_leave(d, v, now_us));
}

static bool finds_file(struct devices *d, uint32_t source, struct bytes content, uint64_t now_us)
{
	struct device *v = enter(d, source, now_us);
	bool yes = holds(v, "/tmp/x", content);
	CHECK(!devices_leave(d, v, now_us));
	return yes;
}

TEST(devices_are_shared_by_the_sessions_of_one_attacker)
{
	struct devices d;
	CHECK(devices_open(&d, &usual, -1, NOW_US) == 0);
	struct device *ftp = enter(&d, 1, NOW_US), *shell = enter(&d, 1, NOW_US), *other = enter(&d, 2, NOW_US);
	CHECK(put(ftp, "/tmp/x", BYTES("hello")) == 0);
	CHECK(ftp == shell && holds(shell, "/tmp/x", BYTES("hello")) && !holds(other, "/tmp/x", BYTES("hello")));
	devices_leave(&d, ftp, NOW_US);
	CHECK(holds(shell, "/tmp/x", BYTES("hello")));
	devices_leave(&d, shell, NOW_US);
	devices_leave(&d, other, NOW_US);
	CHECK(d.table.count == 0 && d.awake_bytes == 0); /* without a file nothing stays */
	devices_done(&d);
}

TEST(devices_cost_nothing_while_nothing_is_changed)
{
	struct devices d;
	int fd = file_new();
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
	struct device *v = enter(&d, 1, NOW_US);
	CHECK(v->arena.used == 0);
	CHECK(put(v, "/tmp/x", BYTES("a")) == 0);
	struct arena a = ARENA(4096);
	struct vfs files;
	vfs_start_on(&files, persona_plain.root, &v->files, &a);
	CHECK(vfs_remove(&files, BYTES("/tmp/x")) == 0);
	vfs_settle(&files);
	arena_done(&a);
	devices_leave(&d, v, NOW_US);
	CHECK(d.table.count == 0 && d.live_bytes == 0);
	devices_done(&d);
	close(fd);
}

TEST(devices_are_found_again_after_a_restart_and_after_weeks)
{
	struct devices d;
	int fd = file_new();
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
	leave_file(&d, 1, BYTES("first"), NOW_US);
	leave_file(&d, 1, BYTES("second"), NOW_US);
	struct device *v = enter(&d, 3, NOW_US);
	CHECK(put(v, "/tmp/x", BYTES("not closed")) == 0 && devices_save(&d));
	/* Killed: nothing is told. */
	struct devices again;
	CHECK(devices_open(&again, &usual, fd, NOW_US + DAY_US) == 0 && again.table.count == 2);
	CHECK(finds_file(&again, 1, BYTES("second"), NOW_US + 29 * DAY_US));
	CHECK(finds_file(&again, 3, BYTES("not closed"), NOW_US + 29 * DAY_US));
	CHECK(!finds_file(&again, 2, BYTES("second"), NOW_US + 29 * DAY_US));
	CHECK(!finds_file(&again, 3, BYTES("not closed"), NOW_US + 60 * DAY_US));
	devices_leave(&d, v, NOW_US);
	devices_done(&d);
	devices_done(&again);
	CHECK(devices_open(&again, &usual, fd, NOW_US + 60 * DAY_US) == 0 && again.table.count == 0);
	devices_done(&again);
	close(fd);
}

TEST(devices_file_that_is_damaged_is_read_to_the_damage)
{
	struct random random = random_seeded(7);
	for (int round = 0; round < 300; round++) {
		struct devices d;
		int fd = file_new();
		CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
		for (uint32_t i = 0; i < 10; i++)
			leave_file(&d, i, BYTES("something"), NOW_US);
		uint64_t end = d.end;
		devices_done(&d);
		uint64_t at = random_below(&random, end);
		uint8_t b = (uint8_t)random_below(&random, 256), before = 0;
		CHECK(pread(fd, &before, 1, (off_t)at) == 1 && pwrite(fd, &b, 1, (off_t)at) == 1);
		CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
		CHECK(d.table.count == 10 || b != before);
		for (uint32_t i = 0; i < 10; i++) /* and it goes on from there */
			leave_file(&d, i, BYTES("anew"), NOW_US);
		devices_done(&d);
		CHECK(devices_open(&d, &usual, fd, NOW_US) == 0 && d.table.count == 10);
		devices_done(&d);
		close(fd);
	}
}

TEST(devices_hold_their_limits_under_many_sources)
{
	static uint8_t large[20000];
	struct devices d;
	struct devices_options o = usual;
	int fd = file_new();
	memset(large, 'x', sizeof large);
	o.memory_bytes = 1 << 20;
	CHECK(devices_open(&d, &o, fd, NOW_US) == 0);
	for (uint32_t i = 0; i < 10000; i++) {
		leave_file(&d, i, i % 10 ? BYTES("small") : (struct bytes){large, sizeof large}, NOW_US);
		CHECK(d.table.count <= o.count && d.live_bytes <= FILE_BYTES / 4 && d.end <= FILE_BYTES / 2);
	}
	CHECK(d.dropped >= 9900 && d.awake_bytes == 0);
	CHECK(finds_file(&d, 9999, BYTES("small"), NOW_US) && !finds_file(&d, 5, BYTES("small"), NOW_US));
	struct device *many[40];
	for (uint32_t i = 0; i < 40; i++) { /* at once: the memory is bounded, who comes late has a full disk */
		many[i] = enter(&d, 20000 + i, NOW_US);
		put(many[i], "/tmp/x", (struct bytes){large, sizeof large});
		put(many[i], "/tmp/y", (struct bytes){large, sizeof large});
		devices_touch(&d, many[i]); /* as after each callback */
	}
	CHECK(put(many[39], "/tmp/z", (struct bytes){large, sizeof large}) == -ENOSPC);
	CHECK(d.awake_bytes < o.memory_bytes + (64u << 10));
	for (uint32_t i = 0; i < 40; i++)
		devices_leave(&d, many[i], NOW_US);
	CHECK(d.awake_bytes == 0);
	devices_done(&d);
	CHECK(devices_open(&d, &o, fd, NOW_US) == 0);
	CHECK(d.table.count <= o.count && d.table.count > 4);
	devices_done(&d);
	close(fd);
}

static bool file_has(int fd, const char *text)
{
	static uint8_t all[FILE_BYTES];
	CHECK(pread(fd, all, sizeof all, 0) == sizeof all);
	return bytes_find((struct bytes){all, sizeof all}, text) < sizeof all;
}

TEST(devices_are_forgotten_also_on_disk_and_by_who_is_there)
{
	struct devices d;
	int fd = file_new();
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
	leave_file(&d, 1, BYTES("token-one"), NOW_US);
	leave_file(&d, 2, BYTES("token-two"), NOW_US);
	leave_file(&d, 3, BYTES("of 198.51.100.77"), NOW_US);
	struct device *there = enter(&d, 1, NOW_US);
	CHECK(file_has(fd, "token-one"));
	uint8_t wire[300];
	struct address a = source_of(1);
	struct writer w = writer_of(wire, sizeof wire);
	write_bytes(&w, a.b, 16);
	write_zero(&w, 16);
	CHECK(devices_reset(&d, writer_bytes(&w)) == 1);
	CHECK(!holds(there, "/tmp/x", BYTES("token-one")) && !file_has(fd, "token-one") && file_has(fd, "token-two"));
	CHECK(put(there, "/tmp/x", BYTES("later")) == 0);
	devices_leave(&d, there, NOW_US);
	CHECK(finds_file(&d, 1, BYTES("later"), NOW_US) && finds_file(&d, 2, BYTES("token-two"), NOW_US));
	a = address_v4(0xc633644d);
	w = writer_of(wire, sizeof wire);
	write_u8(&w, 1);
	write_u8(&w, 0);
	write_bytes(&w, a.b, 16);
	write_zero(&w, 16);
	write_text(&w, "198.51.100.77");
	CHECK(devices_erase(&d, writer_bytes(&w)) == 1 && !file_has(fd, "198.51.100.77"));
	wire[0] = 2;
	w.at = wire + 34;
	write_text(&w, "TOKEN-TWO");
	CHECK(devices_erase(&d, writer_bytes(&w)) == 1 && !file_has(fd, "token-two"));
	CHECK(devices_erase(&d, BYTES("\2")) == 0 && devices_reset(&d, BYTES("short")) == 0);
	devices_done(&d);
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0 && d.table.count == 1);
	CHECK(finds_file(&d, 1, BYTES("later"), NOW_US));
	devices_done(&d);
	close(fd);
}

TEST(devices_remember_what_is_no_file)
{
	struct devices d;
	int fd = file_new();
	uint8_t much[DEVICE_MEMORY_MAX + 1] = {0};
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
	struct address a = source_of(1);
	CHECK(!devices_known(&d, &a, decoy(), &persona_plain));
	struct device *v = enter(&d, 1, NOW_US), *beside = enter(&d, 1, NOW_US);
	CHECK(beside == v && device_recall(v, "registers").len == 0);
	CHECK(devices_remember(&d, v, "registers", BYTES("\0\1")));
	CHECK(devices_remember(&d, v, "registers", BYTES("\0\2\3")));
	CHECK(devices_remember(&d, v, "keys", BYTES("k")));
	CHECK(!devices_remember(&d, v, "keys", (struct bytes){much, sizeof much}));
	CHECK(!devices_remember(&d, v, "a name that is too long", BYTES("k")));
	CHECK(put(v, "/tmp/x", BYTES("x")) == 0);
	CHECK(devices_leave(&d, beside, NOW_US));
	CHECK(bytes_equal(device_recall(v, "keys"), BYTES("k")));
	devices_leave(&d, v, NOW_US);
	devices_done(&d);
	CHECK(d.awake_bytes == 0);

	CHECK(devices_open(&d, &usual, fd, NOW_US + DAY_US) == 0);
	CHECK(devices_known(&d, &a, decoy(), &persona_plain));
	v = enter(&d, 1, NOW_US + DAY_US);
	CHECK(bytes_equal(device_recall(v, "registers"), BYTES("\0\2\3")));
	CHECK(bytes_equal(device_recall(v, "keys"), BYTES("k")));
	CHECK(holds(v, "/tmp/x", BYTES("x")));
	for (int i = 0; i < 2 * DEVICE_MEMORIES_MAX; i++) {
		char name[8];
		snprintf(name, sizeof name, "m%d", i);
		CHECK(devices_remember(&d, v, name, BYTES("m")) == (i < DEVICE_MEMORIES_MAX - 2));
	}
	uint8_t reset[32] = {0};
	CHECK(devices_reset(&d, (struct bytes){reset, sizeof reset}) == 1);
	CHECK(device_recall(v, "registers").len == 0);
	devices_leave(&d, v, NOW_US + DAY_US);
	devices_done(&d);
	close(fd);
}

TEST(devices_memory_alone_keeps_a_device)
{
	struct devices d;
	int fd = file_new();
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
	struct device *v = enter(&d, 1, NOW_US);
	CHECK(devices_remember(&d, v, "keys", BYTES("k")));
	devices_leave(&d, v, NOW_US);
	devices_done(&d);
	CHECK(devices_open(&d, &usual, fd, NOW_US) == 0);
	v = enter(&d, 1, NOW_US);
	CHECK(bytes_equal(device_recall(v, "keys"), BYTES("k")));
	devices_leave(&d, v, NOW_US);
	devices_done(&d);
	close(fd);
}
