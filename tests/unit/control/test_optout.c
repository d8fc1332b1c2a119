#include "control/optout_inner.h"
#include "tests/test.h"
#include <stdlib.h>
#include <unistd.h>

static bool holds(const struct optout *o, const char *text)
{
	struct address a;
	CHECK(address_parse(bytes_of_text(text), &a));
	return prefix_set_holds(&o->set, &a);
}

TEST(optout_reads_prefixes_and_comments)
{
	struct optout o = {.file = "out"};
	struct fault fault = {0};
	CHECK(optout_read(&o, BYTES("# asked by mail\n8.8.8.0/24 # all of it\r\n\n  2606:4700::1 \n1.2.3.4"),
			  &fault) == 0);
	CHECK(holds(&o, "8.8.8.77") && holds(&o, "2606:4700::1") && holds(&o, "1.2.3.4"));
	CHECK(!holds(&o, "8.8.9.1") && !holds(&o, "2606:4700::2"));
	optout_done(&o);
}

TEST(optout_with_a_bad_line_keeps_the_previous_and_takes_the_new)
{
	struct optout o = {.file = "out"};
	struct fault fault = {0};
	CHECK(optout_read(&o, BYTES("8.8.8.0/24\n9.9.9.9\n"), &fault) == 0);
	CHECK(optout_read(&o, BYTES("1.1.1.1\n8.8.8.O/24\n2.2.2.2\n8.8./9\n"), &fault) == ERR_BAD);
	CHECK_SAY(strstr(fault.text, "out:2: not a prefix"), "%s", fault.text);
	CHECK(o.bad_lines == 2);
	CHECK(holds(&o, "8.8.8.77") && holds(&o, "9.9.9.9") && holds(&o, "1.1.1.1") && holds(&o, "2.2.2.2"));
	CHECK(optout_read(&o, BYTES("1.1.1.1\n"), &fault) == 0);
	CHECK(!holds(&o, "9.9.9.9") && holds(&o, "1.1.1.1"));
	optout_done(&o);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

TEST(optout_follows_its_file)
{
	char path[] = "/tmp/kansoku-optout-XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	struct optout o = {.file = path};
	struct fault fault = {0};
	put(path, "8.8.8.8\n");
	CHECK(optout_poll(&o, &fault) == 1 && holds(&o, "8.8.8.8") && o.known);
	put(path, "9.9.9.9\n"); /* as long, and perhaps within the same tick of the kernel's clock */
	CHECK(optout_poll(&o, &fault) == 1 && holds(&o, "9.9.9.9") && !holds(&o, "8.8.8.8"));
	put(path, "what\n");
	CHECK(optout_poll(&o, &fault) == ERR_BAD && holds(&o, "9.9.9.9"));
	unlink(path);
	CHECK(optout_poll(&o, &fault) == ERR_SYSTEM && holds(&o, "9.9.9.9"));
	CHECK(optout_poll(&o, &fault) == 0); /* said once */
	put(path, "");
	CHECK(optout_poll(&o, &fault) == 1 && !holds(&o, "9.9.9.9"));
	unlink(path);
	optout_done(&o);
}

TEST(optout_that_was_never_read_whole_is_not_known)
{
	struct optout o = {.file = "/nonexistent/opt-out"};
	struct fault fault = {0};
	CHECK(optout_poll(&o, &fault) == ERR_SYSTEM && !o.known);
	CHECK(strstr(fault.text, "/nonexistent/opt-out"));
	struct optout none = {0};
	CHECK(optout_poll(&none, &fault) == 0);
}
