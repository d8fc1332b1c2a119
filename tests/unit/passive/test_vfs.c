#include "base/random.h"
#include "passive/device/vfs/vfs.h"
#include "tests/test.h"
#include <stdlib.h>
#include <unistd.h>

static struct vfs_entry proc_files[] = {
        {.name = "version",
         .kind = VFS_FILE,
         .mode = 0444,
         .content = {(const uint8_t *)"L\n", 2},
         .size = 2,
         .flags = VFS_SEALED},
};
static struct vfs_entry bin_files[] = {
        {.name = "busybox",
         .kind = VFS_FILE,
         .mode = 0755,
         .content = {(const uint8_t *)"\x7f"
                                      "ELF",
                     4},
         .size = 4},
        {.name = "echo",
         .kind = VFS_LINK,
         .mode = 0777,
         .content = {(const uint8_t *)"busybox", 7},
         .size = 7},
        {.name = "loop",
         .kind = VFS_LINK,
         .mode = 0777,
         .content = {(const uint8_t *)"loop", 4},
         .size = 4},
};
static struct vfs_entry root_files[] = {
        {.name = "bin",
         .kind = VFS_DIRECTORY,
         .mode = 0755,
         .children = bin_files,
         .child_count = 3},
        {.name = "proc",
         .kind = VFS_DIRECTORY,
         .mode = 0555,
         .children = proc_files,
         .child_count = 1,
         .flags = VFS_SEALED | VFS_OWN_FS},
        {.name = "rom", .kind = VFS_DIRECTORY, .mode = 0755, .flags = VFS_READ_ONLY},
        {.name = "tmp", .kind = VFS_DIRECTORY, .mode = 01777},
};
static const struct vfs_entry root = {
        .name = "", .kind = VFS_DIRECTORY, .mode = 0755, .children = root_files, .child_count = 4};

static int put(struct vfs *v, const char *path, const char *text)
{
	struct vfs_change *c;
	int error = vfs_open(v, bytes_of_text(path), VFS_TRUNCATE, 0644, &c);
	return error || !c ? error : vfs_append(v, c, bytes_of_text(text));
}

static bool holds(struct vfs *v, const char *path, const char *text)
{
	struct arena a = ARENA(1 << 20);
	struct vfs_node n;
	struct bytes b;
	bool yes = vfs_find(v, bytes_of_text(path), true, &n) == 0 && vfs_content(n, &a, &b) == 0 &&
	           bytes_equal_text(b, text);
	arena_done(&a);
	return yes;
}

static int find(struct vfs *v, const char *path)
{
	struct vfs_node n;
	return vfs_find(v, bytes_of_text(path), true, &n);
}

TEST(vfs_reads_the_base_without_taking_memory)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	vfs_start(&v, &root, &a);
	CHECK(holds(&v, "/bin/echo",
	            "\x7f"
	            "ELF"));
	CHECK(holds(&v, "//bin/./../bin//echo",
	            "\x7f"
	            "ELF"));
	CHECK(find(&v, "/bin/loop") == -ELOOP);
	CHECK(find(&v, "/bin/none") == -ENOENT && find(&v, "/bin/busybox/x") == -ENOTDIR);
	CHECK(find(&v, "") == -ENOENT);
	CHECK(a.used == 0);
}

TEST(vfs_keeps_changes_in_the_session)
{
	struct arena a = ARENA(1 << 20), b = ARENA(1 << 20);
	struct vfs one, two;
	vfs_start(&one, &root, &a);
	vfs_start(&two, &root, &b);
	CHECK(put(&one, "/tmp/x", "hello") == 0 && holds(&one, "/tmp/x", "hello"));
	CHECK(find(&two, "/tmp/x") == -ENOENT);
	CHECK(put(&one, "/bin/busybox", "mine") == 0 && holds(&one, "/bin/echo", "mine"));
	CHECK(holds(&two, "/bin/echo",
	            "\x7f"
	            "ELF"));
	CHECK(vfs_remove(&one, BYTES("/bin/busybox")) == 0);
	CHECK(find(&one, "/bin/echo") == -ENOENT && find(&two, "/bin/echo") == 0);
	CHECK(put(&one, "/bin/busybox", "new") == 0 && holds(&one, "/bin/echo", "new"));
	arena_done(&a);
	arena_done(&b);
}

TEST(vfs_refuses_what_a_device_refuses)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	vfs_start(&v, &root, &a);
	CHECK(put(&v, "/proc/x", "y") == -EACCES && put(&v, "/proc/version", "y") == -EACCES);
	CHECK(put(&v, "/rom/x", "y") == -EROFS && put(&v, "/bin", "y") == -EISDIR);
	CHECK(put(&v, "/none/x", "y") == -ENOENT);
	CHECK(vfs_remove(&v, BYTES("/proc/version")) == -EPERM);
	CHECK(vfs_remove(&v, BYTES("/tmp/none")) == -ENOENT &&
	      vfs_remove(&v, BYTES("/tmp")) == -EISDIR);
	CHECK(vfs_make_directory(&v, BYTES("/tmp/d"), 0755) == 0);
	CHECK(vfs_make_directory(&v, BYTES("/tmp/d"), 0755) == -EEXIST);
	CHECK(put(&v, "/tmp/d/f", "1") == 0);
	CHECK(vfs_remove_directory(&v, BYTES("/tmp/d")) == -ENOTEMPTY);
	CHECK(vfs_remove(&v, BYTES("/tmp/d/f")) == 0 &&
	      vfs_remove_directory(&v, BYTES("/tmp/d")) == 0);
	CHECK(vfs_remove_directory(&v, BYTES("/proc")) != 0 &&
	      vfs_remove_directory(&v, BYTES("/")) != 0);
	arena_done(&a);
}

TEST(vfs_moves_and_writes_in_place)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	struct vfs_change *c;
	vfs_start(&v, &root, &a);
	CHECK(put(&v, "/tmp/a", "one") == 0 &&
	      vfs_rename(&v, BYTES("/tmp/a"), BYTES("/tmp/b")) == 0);
	CHECK(find(&v, "/tmp/a") == -ENOENT && holds(&v, "/tmp/b", "one"));
	CHECK(vfs_rename(&v, BYTES("/bin/busybox"), BYTES("/tmp/b")) == 0);
	CHECK(holds(&v, "/tmp/b",
	            "\x7f"
	            "ELF") &&
	      find(&v, "/bin/busybox") == -ENOENT);
	CHECK(vfs_open(&v, BYTES("/tmp/b"), 0, 0644, &c) == 0 &&
	      vfs_write_at(&v, c, 2, BYTES("!!!!")) == 0);
	CHECK(holds(&v, "/tmp/b",
	            "\x7f"
	            "E!!!!"));
	CHECK(vfs_change_directory(&v, BYTES("/tmp")) == 0 && holds(&v, "b",
	                                                            "\x7f"
	                                                            "E!!!!"));
	CHECK(vfs_change_directory(&v, BYTES("../bin")) == 0 &&
	      bytes_equal_text(vfs_cwd(&v), "/bin"));
	arena_done(&a);
}

TEST(vfs_memory_comes_back)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	char line[600];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = 0;
	vfs_start(&v, &root, &a);
	CHECK(put(&v, "/tmp/f", line) == 0 && put(&v, "/bin/g", line) == 0);
	vfs_remove(&v, BYTES("/bin/g"));
	vfs_settle(&v);
	size_t used = a.used;
	for (int i = 0; i < 1000; i++) {
		CHECK(put(&v, "/tmp/f", line) == 0);
		CHECK(put(&v, "/bin/g", line) == 0 && vfs_remove(&v, BYTES("/bin/g")) == 0);
		vfs_settle(&v);
	}
	CHECK(a.used == used && used < 4096);
	arena_done(&a);
}

TEST(vfs_stops_at_its_limits)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	struct vfs_change *c;
	static const uint8_t block[4096];
	vfs_start(&v, &root, &a);
	CHECK(vfs_open(&v, BYTES("/tmp/f"), 0, 0644, &c) == 0);
	size_t n = 0;
	while (vfs_append(&v, c, (struct bytes){block, sizeof block}) == 0)
		CHECK(++n <= VFS_FILE_MAX / sizeof block);
	char path[32];
	int error = 0;
	for (size_t i = 0; i < 2 * VFS_CHANGES_MAX && !error; i++) {
		snprintf(path, sizeof path, "/tmp/n%zu", i);
		error = put(&v, path, "");
	}
	CHECK(error == -ENOSPC);
	arena_done(&a);
}

TEST(vfs_survives_random_calls)
{
	struct random r = random_seeded(7);
	const char *names[] = {"/tmp/a",    "/tmp/b",       "/tmp/d",        "/tmp/d/x",
	                       "/bin/echo", "/bin/busybox", "/bin",          "a",
	                       "../tmp/l",  "/tmp/l/x",     "/proc/version", "/tmp/d/x/y"};
	struct arena a = ARENA(256 << 10), list = ARENA(1 << 20);
	struct vfs v;
	vfs_start(&v, &root, &a);
	for (int i = 0; i < 20000; i++) {
		struct bytes x = bytes_of_text(names[random_below(&r, 12)]);
		struct bytes y = bytes_of_text(names[random_below(&r, 12)]);
		struct vfs_change *c = NULL;
		struct vfs_node n;
		struct vfs_child *children;
		size_t count;
		switch (random_below(&r, 10)) {
		case 0:
			vfs_rename(&v, x, y);
			break;
		case 1:
			vfs_remove(&v, x);
			break;
		case 2:
			vfs_remove_directory(&v, x);
			break;
		case 3:
			vfs_make_directory(&v, x, 0755);
			break;
		case 4:
			vfs_make_link(&v, x, y);
			break;
		case 5:
			vfs_set_mode(&v, x, 0600);
			break;
		case 6:
			vfs_change_directory(&v, x);
			break;
		case 7:
			vfs_settle(&v);
			break;
		case 8:
			if (vfs_find(&v, x, true, &n) == 0 &&
			    vfs_list(&v, n, &list, &children, &count) == 0)
				arena_done(&list);
			break;
		default:
			if (vfs_open(&v, x, (unsigned)random_below(&r, 4), 0644, &c) == 0 && c)
				vfs_append(&v, c, y);
		}
	}
	for (struct vfs_change *c = NULL; vfs_next_written(&v, &c);)
		CHECK(vfs_is_written(c));
	arena_done(&a);
	arena_done(&list);
}

static void pack_again(struct vfs *v, struct vfs *out, struct arena *into)
{
	static uint8_t room[1 << 20];
	const struct vfs_programs none = {0};
	struct writer w = writer_of(room, sizeof room);
	vfs_pack(v->overlay, &none, &w);
	vfs_start(out, &root, into);
	CHECK(!w.bad && vfs_unpack(out->overlay, &root, &none, writer_bytes(&w)) == 0);
}

TEST(vfs_overlay_is_the_same_after_packing)
{
	struct arena a = ARENA(1 << 20), b = ARENA(1 << 20);
	struct vfs v, again;
	struct vfs_node n;
	struct vfs_status status;
	char long_text[1000];
	memset(long_text, 'l', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	vfs_start(&v, &root, &a);
	v.now_s = 1234567;
	CHECK(put(&v, "/tmp/x", "hello") == 0 && put(&v, "/tmp/long", long_text) == 0);
	CHECK(vfs_make_directory(&v, BYTES("/tmp/d"), 0700) == 0 && put(&v, "/tmp/d/e", "") == 0);
	CHECK(vfs_make_link(&v, BYTES("/tmp/x"), BYTES("/tmp/d/link")) == 0);
	CHECK(vfs_set_mode(&v, BYTES("/bin/busybox"), 0600) == 0 && vfs_remove(&v, BYTES("/bin/loop")) == 0);
	pack_again(&v, &again, &b);
	CHECK(holds(&again, "/tmp/d/link", "hello") && holds(&again, "/tmp/long", long_text));
	CHECK(holds(&again, "/tmp/d/e", "") && find(&again, "/bin/loop") == -ENOENT);
	CHECK(vfs_find(&again, BYTES("/bin/busybox"), true, &n) == 0);
	vfs_stat(n, &status);
	CHECK(status.mode == 0600 && holds(&again, "/bin/echo", "\x7f" "ELF"));
	CHECK(vfs_find(&again, BYTES("/tmp/x"), true, &n) == 0);
	vfs_stat(n, &status);
	CHECK(status.mtime_s == 1234567 && status.size == 5 && again.overlay->written == v.overlay->written);
	arena_done(&a);
	arena_done(&b);
}

TEST(vfs_unpacks_whatever_the_bytes_are)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	uint8_t room[4096], damaged[sizeof room];
	const struct vfs_programs none = {0};
	struct writer w = writer_of(room, sizeof room);
	vfs_start(&v, &root, &a);
	CHECK(put(&v, "/tmp/x", "hello") == 0 && put(&v, "/bin/busybox", "mine") == 0);
	CHECK(vfs_make_link(&v, BYTES("/tmp/x"), BYTES("/tmp/link")) == 0);
	vfs_pack(v.overlay, &none, &w);
	for (size_t at = 0; at < 256 * writer_used(&w); at++) {
		struct arena b = ARENA(1 << 20), scratch = ARENA(1 << 20);
		struct vfs again;
		struct vfs_child *list;
		struct vfs_node n;
		size_t count;
		memcpy(damaged, room, writer_used(&w));
		damaged[at / 256] = (uint8_t)at;
		vfs_start(&again, &root, &b);
		vfs_unpack(again.overlay, &root, &none, (struct bytes){damaged, writer_used(&w)});
		if (vfs_find(&again, BYTES("/tmp"), true, &n) == 0)
			vfs_list(&again, n, &scratch, &list, &count);
		find(&again, "/tmp/link");
		put(&again, "/tmp/new", "x");
		arena_done(&b);
		arena_done(&scratch);
	}
	arena_done(&a);
}

TEST(vfs_overlay_is_an_archive_that_tar_reads)
{
	struct arena a = ARENA(1 << 20);
	struct vfs v;
	struct buffer tar = BUFFER(1 << 20), small = BUFFER(1024);
	char path[] = "/tmp/kansoku-unit.XXXXXX", command[128], listed[1024];
	vfs_start(&v, &root, &a);
	v.now_s = 1234567;
	CHECK(vfs_tar(v.overlay, &tar) == 0 && buffer_len(&tar) == 1024);
	buffer_done(&tar);
	CHECK(put(&v, "/tmp/x", "hello") == 0 && vfs_remove(&v, BYTES("/bin/loop")) == 0);
	CHECK(vfs_make_link(&v, BYTES("x"), BYTES("/tmp/link")) == 0);
	CHECK(vfs_make_directory(&v, BYTES("/tmp/d"), 0700) == 0 && put(&v, "/tmp/d/e", "") == 0);
	CHECK(vfs_tar(v.overlay, &tar) == 0 && buffer_len(&tar) % 512 == 0 && vfs_tar(v.overlay, &small) < 0);
	int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, buffer_bytes(&tar).at, buffer_len(&tar)) == (ssize_t)buffer_len(&tar));
	snprintf(command, sizeof command, "tar tf %s | sort | tr '\\n' ' '; tar xOf %s tmp/x", path, path);
	FILE *said = popen(command, "r");
	CHECK(said);
	size_t n = fread(listed, 1, sizeof listed - 1, said);
	listed[n] = '\0';
	CHECK(pclose(said) == 0);
	CHECK_SAY(!strcmp(listed, "bin/ bin/.wh.loop tmp/ tmp/d/ tmp/d/e tmp/link tmp/x hello"), "%s", listed);
	unlink(path);
	close(fd);
	buffer_done(&tar);
	buffer_done(&small);
	arena_done(&a);
}
