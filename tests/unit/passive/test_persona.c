#include "passive/service_options.h"
#include "passive/persona.h"
#include "tests/test.h"

static struct persona_set set;

static void personas_load(void)
{
	struct fault fault = {0};
	set = (struct persona_set){0};
	CHECK_SAY(persona_read_directory(&set, "etc/personas", &fault) == 0, "%s", fault.text);
}

static const char *reason(const char *yaml)
{
	static struct fault fault;
	struct persona_set s = {0};
	fault.text[0] = 0;
	persona_read(&s, bytes_of_text(yaml), "p.yaml", &fault);
	persona_set_done(&s);
	return fault.text;
}

TEST(personas_shipped_load_and_are_whole)
{
	personas_load();
	CHECK(set.count >= 3 && persona_named(&set, "camera") && !persona_named(&set, "none"));
	CHECK(persona_for_class(&set, "DVR") == persona_named(&set, "dvr"));
	for (size_t i = 0; i < set.count; i++) {
		const struct persona *p = set.items[i];
		struct arena a = ARENA(1 << 20);
		struct vfs v;
		struct vfs_node n;
		struct bytes elf;
		vfs_start(&v, p->root, &a);
		CHECK_SAY(vfs_find(&v, BYTES("/bin/busybox"), true, &n) == 0, "%s", p->name);
		CHECK(vfs_content(n, &a, &elf) == 0 && bytes_start_with(elf, "\x7f"
		                                                             "ELF"));
		CHECK(vfs_find(&v, BYTES("/proc/cpuinfo"), true, &n) == 0);
		CHECK(vfs_find(&v, BYTES("/etc/passwd"), true, &n) == 0);
		CHECK_SAY(!p->service_count || !persona_service(p, service_named("http")) || p->http.page_count > 0, "%s",
			  p->name);
		arena_done(&a);
	}
	persona_set_done(&set);
}

TEST(personas_accept_their_factory_credentials_only)
{
	personas_load();
	const struct persona *p = persona_named(&set, "camera");
	CHECK(persona_accepts(p, 1, BYTES("root"), BYTES("xc3511")));
	CHECK(!persona_accepts(p, 1, BYTES("root"), BYTES("xc351")));
	CHECK(!persona_accepts(p, 1, BYTES(""), BYTES("")));
	struct persona generous = *p;
	generous.accept_one_in = 4;
	unsigned accepted = 0;
	for (int i = 0; i < 400; i++) {
		char secret[16];
		snprintf(secret, sizeof secret, "s%d", i);
		bool yes = persona_accepts(&generous, 99, BYTES("root"), bytes_of_text(secret));
		CHECK(yes == persona_accepts(&generous, 99, BYTES("root"), bytes_of_text(secret)));
		accepted += yes;
	}
	CHECK(accepted > 50 && accepted < 150);
	persona_set_done(&set);
}

TEST(personas_differ_by_address_and_stay)
{
	personas_load();
	struct persona_look a, b, again;
	struct address local = address_v4(0x7f000001);
	persona_look(set.items[0], 1, &local, 1700000000000000, &a);
	persona_look(set.items[0], 2, &local, 1700000000000000, &b);
	persona_look(set.items[0], 1, &local, 1700000005000000, &again);
	CHECK(strcmp(a.mac, b.mac) && strcmp(a.serial, b.serial) && a.uptime_s != b.uptime_s);
	CHECK(!strcmp(a.mac, again.mac) && again.uptime_s == a.uptime_s + 5);
	char text[200];
	struct writer w = writer_of(text, sizeof text);
	persona_expand(&a, BYTES("%{address} %{nothing} %{mac"), &w);
	CHECK(bytes_equal_text(writer_bytes(&w), "127.0.0.1 %{nothing} %{mac"));
	persona_set_done(&set);
}

TEST(personas_say_what_is_wrong)
{
	CHECK(strstr(reason("name: a\ncolour: red\n"), "p.yaml:2: colour: no such key"));
	CHECK(strstr(reason("name: a\narch: vax\n"), "p.yaml:2: arch: one of arm"));
	CHECK(strstr(reason("summary: x\n"), "needs a name"));
	CHECK(strstr(reason("- a\n"), "a persona is a map"));
	CHECK(strstr(reason("name: a\nmemory_kb: many\n"), "p.yaml:2: memory_kb: a number"));
	CHECK(strstr(reason("name: a\ncredentials: [root]\n"), "a pair [user, password]"));
	CHECK(strstr(reason("name: a\nfiles: [{path: /x, mode: 999}]\n"), "an octal mode"));
	CHECK(!*reason("name: a\n"));
}
